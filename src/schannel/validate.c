#include "core/cause.h"
#include "schannel/connection.h"
#include <wincrypt.h>

/* Automatic validation of the peer: chain, purpose, time, revocation by flag and, of a server, its name. */

#define USAGE_SERVER "1.3.6.1.5.5.7.3.1" /* id-kp-serverAuth, RFC 5280 4.2.1.12 */
#define USAGE_CLIENT "1.3.6.1.5.5.7.3.2" /* id-kp-clientAuth */

static enum trust_revocation revocation_asked(uint32_t flags)
{
    if ((flags & SCH_CRED_REVOCATION_CHECK_CHAIN) != 0)
        return REVOCATION_CHAIN;
    if ((flags & SCH_CRED_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT) != 0)
        return REVOCATION_EXCLUDE_ROOT;
    return (flags & SCH_CRED_REVOCATION_CHECK_END_CERT) != 0 ? REVOCATION_END : REVOCATION_NONE;
}

static DWORD faults_ignored(uint32_t flags)
{
    DWORD ignored = 0;
    if ((flags & SCH_CRED_IGNORE_NO_REVOCATION_CHECK) != 0)
        ignored |= CERT_TRUST_REVOCATION_STATUS_UNKNOWN;
    if ((flags & SCH_CRED_IGNORE_REVOCATION_OFFLINE) != 0)
        ignored |= CERT_TRUST_IS_OFFLINE_REVOCATION;
    return ignored;
}

static SECURITY_STATUS name_judge(const struct connection *connection, const struct trust_verdict *verdict)
{
    if (!connection->initiator || (connection->credential->flags & SCH_CRED_NO_SERVERNAME_CHECK) != 0)
        return SEC_E_OK;
    require(connection->target != NULL,
            cause_set(CERT_E_CN_NO_MATCH, "no target name was given to compare the server's certificate with; "
                                          "SCH_CRED_NO_SERVERNAME_CHECK does without"));
    return trust_name(verdict, connection->target);
}

/* The code that counts, by CERT_E_ and its kin; SEC_E_OK when the peer is to be trusted. */
static SECURITY_STATUS chain_judge(struct connection *connection, X509 *leaf, STACK_OF(X509) * others,
                                   SECURITY_STATUS *code)
{
    AUTO_VERDICT struct trust_verdict verdict = {0};
    uint32_t flags = connection->credential->flags;
    struct trust_question question = {
        .usage = {connection->initiator ? USAGE_SERVER : USAGE_CLIENT},
        .n_usages = 1,
        .revocation = revocation_asked(flags),
        .roots = connection->credential->roots,
    };
    try(certificate_verify(leaf, others, &question, &verdict));
    connection->chain_errors = verdict.whole.dwErrorStatus;
    *code = trust_judge(&verdict, faults_ignored(flags), NULL);
    if (*code == SEC_E_OK)
        *code = name_judge(connection, &verdict);
    return SEC_E_OK;
}

/* The error that makes libssl send the fitting alert. */
static int alert_error(SECURITY_STATUS status)
{
    switch (status) {
    case SEC_E_CERT_EXPIRED:
        return X509_V_ERR_CERT_HAS_EXPIRED;
    case SEC_E_UNTRUSTED_ROOT:
        return X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN;
    case CRYPT_E_REVOKED:
        return X509_V_ERR_CERT_REVOKED;
    case SEC_E_CERT_WRONG_USAGE:
        return X509_V_ERR_INVALID_PURPOSE;
    case SEC_E_WRONG_PRINCIPAL:
        return X509_V_ERR_HOSTNAME_MISMATCH;
    case SEC_E_INSUFFICIENT_MEMORY:
        return X509_V_ERR_OUT_OF_MEM;
    case SEC_E_INTERNAL_ERROR:
        return X509_V_ERR_UNSPECIFIED;
    default:
        return X509_V_ERR_APPLICATION_VERIFICATION; /* certificate_unknown or handshake_failure */
    }
}

bool connection_is_manual(const struct connection *connection)
{
    return (connection->credential->flags & SCH_CRED_MANUAL_CRED_VALIDATION) != 0 ||
           (connection->initiator && (connection->flags & ISC_REQ_MANUAL_CRED_VALIDATION) != 0);
}

/* libssl would call it an internal error later. */
static bool has_key(X509 *x509)
{
    EVP_PKEY *key = X509_get0_pubkey(x509);
    return key != NULL && EVP_PKEY_missing_parameters(key) == 0;
}

int connection_validate(X509_STORE_CTX *store, void *unused)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct connection *connection = connection_of(ssl);
    (void)unused;
    X509_STORE_CTX_set_error(store, X509_V_OK);
    connection->verdict = SEC_E_OK;
    connection->validated = false;
    if (!has_key(X509_STORE_CTX_get0_cert(store))) {
        connection->verdict = cause_set(SEC_E_CERT_UNKNOWN, "a certificate whose public key cannot be read");
        X509_STORE_CTX_set_error(store, X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY); /* bad_certificate */
        return 0;
    }
    if (connection_is_manual(connection))
        return 1;
    SECURITY_STATUS code = SEC_E_OK;
    SECURITY_STATUS status =
        chain_judge(connection, X509_STORE_CTX_get0_cert(store), X509_STORE_CTX_get0_untrusted(store), &code);
    connection->chain_code = code;
    if (status == SEC_E_OK && code != SEC_E_OK)
        status = trust_sec_status(code);
    connection->verdict = status;
    connection->validated = status == SEC_E_OK;
    if (status == SEC_E_OK)
        return 1;
    (void)cause_set(status, "the %s's certificate is not trusted: 0x%08x", connection->initiator ? "server" : "client",
                    (unsigned)(code != SEC_E_OK ? code : status));
    X509_STORE_CTX_set_error(store, alert_error(status));
    return 0;
}
