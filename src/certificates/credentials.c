/*
 * Certificates that TLS credentials are made of: what goes over the wire behind them, and where those are found that the caller only hints at.
 */
#include "base/memory.h"
#include "certificates/context.h"
#include "certificates/files.h"
#include "certificates/keys.h"
#include "certificates/openssl.h"
#include "certificates/store.h"
#include "certificates/usage.h"
#include "core/cause.h"
#include <openssl/x509v3.h>

static bool is_root(X509 *x509)
{
    return (X509_get_extension_flags(x509) & EXFLAG_SS) != 0;
}

static X509 *issuer_in(STACK_OF(X509) * candidates, X509 *subject)
{
    X509 *found = NULL;
    for (int i = 0; i < sk_X509_num(candidates); i++) {
        X509 *candidate = sk_X509_value(candidates, i);
        if (X509_check_issued(candidate, subject) != X509_V_OK)
            continue;
        /* Of several (renewed ones) the one that is valid longest. */
        if (found == NULL || ASN1_TIME_compare(X509_get0_notAfter(candidate), X509_get0_notAfter(found)) > 0)
            found = candidate;
    }
    return found;
}

SECURITY_STATUS certificate_issuers(struct certificate *certificate, bool with_root, STACK_OF(X509) * *issuers)
{
    OPENSSL_QUIET;
    AUTO_OPENSSL(x509s) STACK_OF(X509) *candidates = sk_X509_new_null();
    AUTO_OPENSSL(x509s) STACK_OF(X509) *chain = sk_X509_new_null();
    require(candidates != NULL && chain != NULL, SEC_E_INSUFFICIENT_MEMORY);
    if (certificate->context.hCertStore != NULL)
        try(store_collect(certificate->context.hCertStore, candidates, NULL));
    try(system_intermediates(candidates, NULL));
    if (with_root)
        try(system_roots(candidates));
    X509 *at = certificate->x509;
    for (unsigned i = 0; i < TRUST_CHAIN_MAX && !is_root(at); i++) {
        at = issuer_in(candidates, at);
        if (at == NULL || (is_root(at) && !with_root))
            break;
        require(sk_X509_push(chain, at) > 0, SEC_E_INSUFFICIENT_MEMORY);
        X509_up_ref(at);
    }
    *issuers = STEAL(chain);
    return SEC_E_OK;
}

SECURITY_STATUS certificate_by_hash(const char *store, bool machine, const uint8_t sha1[20],
                                    struct certificate **certificate)
{
    struct store *opened;
    PCCERT_CONTEXT context = NULL;
    SECURITY_STATUS status = system_store_open(store == NULL ? "MY" : store, machine, &opened);
    require(status == SEC_E_OK, status == SEC_E_INSUFFICIENT_MEMORY ? status : SEC_E_NO_CREDENTIALS);
    CRYPT_HASH_BLOB hash = {.cbData = 20, .pbData = (BYTE *)(uintptr_t)sha1};
    struct store_search search = {.type = CERT_FIND_SHA1_HASH, .what = &hash};
    status = store_certificate_find(opened, &search, NULL, &context);
    if (status == SEC_E_OK)
        status = certificate_take(context, certificate);
    (void)live_user_drop(context, LIVE_CERTIFICATE);
    (void)live_user_drop(opened, LIVE_STORE);
    require(status != CRYPT_E_NOT_FOUND,
            cause_set(SEC_E_NO_CREDENTIALS, "no certificate of this hash is in the store %s",
                      store == NULL ? "MY" : store));
    return status;
}

/* Does the certificate or one of its issuers come from one of these names? */
static bool meets_names(struct certificate *certificate, const STACK_OF(X509_NAME) * names)
{
    AUTO_OPENSSL(x509s) STACK_OF(X509) *issuers = NULL;
    if (names == NULL || sk_X509_NAME_num(names) <= 0)
        return true;
    require(certificate_issuers(certificate, false, &issuers) == SEC_E_OK, false);
    for (int i = -1; i < sk_X509_num(issuers); i++) {
        const X509 *at = i < 0 ? certificate->x509 : sk_X509_value(issuers, i);
        for (int k = 0; k < sk_X509_NAME_num(names); k++)
            if (X509_NAME_cmp(X509_get_issuer_name(at), sk_X509_NAME_value(names, k)) == 0)
                return true;
    }
    return false;
}

static bool is_better(struct certificate *candidate, const STACK_OF(X509_NAME) * names, const struct certificate *best)
{
    return certificate_has_key(candidate) && x509_is_now(candidate->x509) &&
           usage_allowed(candidate->x509, szOID_PKIX_KP_CLIENT_AUTH, true) && meets_names(candidate, names) &&
           (best == NULL || ASN1_TIME_compare(X509_get0_notAfter(candidate->x509), X509_get0_notAfter(best->x509)) > 0);
}

SECURITY_STATUS certificate_default_client(const STACK_OF(X509_NAME) * names, struct certificate **certificate)
{
    OPENSSL_QUIET;
    struct store *store;
    struct certificate *best = NULL;
    SECURITY_STATUS status = system_store_open("MY", false, &store);
    require(status == SEC_E_OK, status == SEC_E_INSUFFICIENT_MEMORY ? status : SEC_E_NO_CREDENTIALS);
    for (size_t i = 0; i < store->n_certificates; i++) /* nobody else has the store */
        if (is_better(store->certificates[i], names, best))
            best = store->certificates[i];
    if (best != NULL)
        *certificate = certificate_retain(best);
    else
        status = cause_set(SEC_E_NO_CREDENTIALS, "the store MY has no certificate that this server would take");
    (void)live_user_drop(store, LIVE_STORE);
    return status;
}

/* OpenSspiCertificateFromPem. */

static SECURITY_STATUS key_give(struct certificate *certificate, const char *key_file, const char *password)
{
    AUTO_OPENSSL(pkey) EVP_PKEY *pkey = NULL;
    try(key_open(key_file, password, &pkey));
    return certificate_key_set(certificate, pkey);
}

SECURITY_STATUS certificate_from_pem(const char *certificate_file, const char *key_file, const char *password,
                                     PCCERT_CONTEXT *context)
{
    HCERTSTORE handle;
    struct certificate *certificate = NULL;
    try(store_open_file(certificate_file, &handle));
    struct store *store = handle;
    SECURITY_STATUS status = store->n_certificates > 0 /* nobody else has the store yet */
                                 ? SEC_E_OK
                                 : cause_set(CRYPT_E_NOT_FOUND, "%s: holds no certificate", certificate_file);
    if (status == SEC_E_OK) {
        certificate = certificate_retain(store->certificates[0]);
        if (key_file != NULL)
            status = key_give(certificate, key_file, password);
    }
    if (status == SEC_E_OK)
        *context = certificate_context(certificate);
    else
        certificate_put(certificate);
    (void)live_user_drop(store, LIVE_STORE);
    return status;
}
