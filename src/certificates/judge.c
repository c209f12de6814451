/*
 * Judging what trust.c found: which fault counts, and whether the name is right.
 */
#include "base/memory.h"
#include "certificates/certificate.h"
#include "certificates/openssl.h"
#include "core/cause.h"
#include <openssl/x509v3.h>
#include <string.h>

/* Microsoft, CertVerifyCertificateChainPolicy: the faults in the order in which one hides another. */
static const struct {
    DWORD bits;
    SECURITY_STATUS code;
    const char *text;
} order[] = {
    {CERT_TRUST_HAS_WEAK_SIGNATURE, TRUST_E_CERT_SIGNATURE, "a key or a signature is too weak"},
    {CERT_TRUST_IS_NOT_SIGNATURE_VALID, TRUST_E_CERT_SIGNATURE, "a signature is wrong"},
    {CERT_TRUST_IS_EXPLICIT_DISTRUST, TRUST_E_EXPLICIT_DISTRUST, "it is distrusted"},
    {CERT_TRUST_IS_REVOKED, CRYPT_E_REVOKED, "it is revoked"},
    {CERT_TRUST_IS_UNTRUSTED_ROOT, CERT_E_UNTRUSTEDROOT, "its root is not trusted"},
    {CERT_TRUST_IS_PARTIAL_CHAIN | CERT_TRUST_IS_CYCLIC, CERT_E_CHAINING, "its issuer is not known"},
    {CERT_TRUST_IS_NOT_TIME_VALID, CERT_E_EXPIRED, "it has expired or is not yet valid"},
    {CERT_TRUST_IS_NOT_VALID_FOR_USAGE, CERT_E_WRONG_USAGE, "it is not for this purpose"},
    {CERT_TRUST_INVALID_BASIC_CONSTRAINTS, TRUST_E_BASIC_CONSTRAINTS, "an issuer may not issue certificates"},
    {CERT_TRUST_INVALID_NAME_CONSTRAINTS | CERT_TRUST_HAS_NOT_SUPPORTED_NAME_CONSTRAINT |
         CERT_TRUST_HAS_NOT_DEFINED_NAME_CONSTRAINT | CERT_TRUST_HAS_NOT_PERMITTED_NAME_CONSTRAINT |
         CERT_TRUST_HAS_EXCLUDED_NAME_CONSTRAINT,
     CERT_E_INVALID_NAME, "an issuer may not issue for this name"},
    {CERT_TRUST_INVALID_POLICY_CONSTRAINTS | CERT_TRUST_NO_ISSUANCE_CHAIN_POLICY, CERT_E_INVALID_POLICY,
     "its policies do not fit"},
    {CERT_TRUST_HAS_NOT_SUPPORTED_CRITICAL_EXT, CERT_E_CRITICAL, "it has a critical extension that is not known"},
    {CERT_TRUST_IS_OFFLINE_REVOCATION, CRYPT_E_REVOCATION_OFFLINE,
     "whether it is revoked cannot be known: the list is missing or out of date"},
    {CERT_TRUST_REVOCATION_STATUS_UNKNOWN, CRYPT_E_NO_REVOCATION_CHECK,
     "whether it is revoked cannot be known: there is no list"},
    {~(DWORD)CERT_TRUST_IS_NOT_TIME_NESTED, CERT_E_MALFORMED, "an extension makes no sense"},
};

/* The two kinds of not knowing are ignored apart: with a place to fetch the list from (OFFLINE), and without. */
static DWORD counting(DWORD bits, DWORD ignored)
{
    const DWORD offline = CERT_TRUST_IS_OFFLINE_REVOCATION, unknown = CERT_TRUST_REVOCATION_STATUS_UNKNOWN;
    DWORD left = bits & ~(ignored & ~(offline | unknown));
    if ((bits & offline) != 0)
        return (ignored & offline) != 0 ? left & ~(offline | unknown) : left;
    return left & ~(ignored & unknown);
}

static void subject_say(const struct trust_verdict *verdict, unsigned element, char *text, size_t size)
{
    X509 *x509 = element < verdict->n_elements ? sk_X509_value(verdict->chain, (int)element) : NULL;
    text[0] = '\0';
    if (x509 != NULL)
        (void)X509_NAME_oneline(X509_get_subject_name(x509), text, (int)size);
}

SECURITY_STATUS trust_judge(const struct trust_verdict *verdict, DWORD ignored, LONG *element)
{
    OPENSSL_QUIET;
    char subject[256];
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        for (unsigned e = 0; e < verdict->n_elements; e++)
            if ((counting(verdict->element[e].dwErrorStatus, ignored) & order[i].bits) != 0) {
                if (element != NULL)
                    *element = (LONG)e;
                subject_say(verdict, e, subject, sizeof subject);
                return cause_set(order[i].code, "certificate %u of the chain (%s): %s", e, subject, order[i].text);
            }
        DWORD own = verdict->whole.dwErrorStatus & CERT_TRUST_IS_PARTIAL_CHAIN;
        if ((counting(own, ignored) & order[i].bits) != 0) {
            if (element != NULL)
                *element = -1;
            subject_say(verdict, verdict->n_elements - 1, subject, sizeof subject);
            return cause_set(order[i].code, "the chain ends with %s: %s", subject, order[i].text);
        }
    }
    if (element != NULL)
        *element = -1;
    return SEC_E_OK;
}

/* A name that may be compared: of DNS, and no pattern itself. X509_check_host would take a leading dot for "any below". */
static bool is_plain_name(const char *name, size_t len)
{
    require(len > 0 && len <= 253 && name[0] != '.', false);
    for (size_t i = 0; i < len; i++) {
        char c = name[i];
        bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                    c == '.' || c == '_';
        require(fine, false);
    }
    return true;
}

static bool is_address(const char *name)
{
    OPENSSL_QUIET;
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(name);
    ASN1_OCTET_STRING_free(address);
    return address != NULL;
}

SECURITY_STATUS trust_name(const struct trust_verdict *verdict, const char *name)
{
    OPENSSL_QUIET;
    X509 *leaf = verdict->n_elements == 0 ? NULL : sk_X509_value(verdict->chain, 0);
    size_t len = name == NULL ? 0 : strlen(name);
    bool fits = false;
    if (leaf != NULL && len > 0 && is_address(name)) {
        fits = X509_check_ip_asc(leaf, name, 0) == 1;
    } else if (leaf != NULL && len > 0) {
        if (name[len - 1] == '.') /* an absolute name */
            len--;
        fits = is_plain_name(name, len) &&
               X509_check_host(leaf, name, len, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
    }
    return fits ? SEC_E_OK
                : cause_set(CERT_E_CN_NO_MATCH, "the certificate is not one of \"%s\"", name == NULL ? "" : name);
}

SECURITY_STATUS trust_sec_status(SECURITY_STATUS code)
{
    switch (code) {
    case SEC_E_OK:
        return SEC_E_OK;
    case CERT_E_EXPIRED:
        return SEC_E_CERT_EXPIRED;
    case CERT_E_UNTRUSTEDROOT:
    case CERT_E_CHAINING:
        return SEC_E_UNTRUSTED_ROOT;
    case CERT_E_CN_NO_MATCH:
        return SEC_E_WRONG_PRINCIPAL;
    case CERT_E_WRONG_USAGE:
        return SEC_E_CERT_WRONG_USAGE;
    case CRYPT_E_REVOKED:
    case CRYPT_E_NO_REVOCATION_CHECK:
    case CRYPT_E_REVOCATION_OFFLINE:
    case SEC_E_INSUFFICIENT_MEMORY:
        return code;
    default:
        return SEC_E_CERT_UNKNOWN;
    }
}
