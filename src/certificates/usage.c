#include "certificates/usage.h"

#include "certificates/openssl.h"
#include <openssl/x509v3.h>
#include <string.h>

#define OID_TEXT 128

static bool names_purpose(const EXTENDED_KEY_USAGE *purposes, const char *oid)
{
    char text[OID_TEXT];
    for (int i = 0; i < sk_ASN1_OBJECT_num(purposes); i++) {
        (void)OBJ_obj2txt(text, sizeof text, sk_ASN1_OBJECT_value(purposes, i), 1);
        if (strcmp(text, oid) == 0 || strcmp(text, szOID_ANY_ENHANCED_KEY_USAGE) == 0)
            return true;
    }
    return false;
}

/* The purposes of an extension; false when it is there and damaged. NULL when there is none. */
static bool purposes_read(const X509 *x509, EXTENDED_KEY_USAGE **purposes)
{
    int critical = -1;
    *purposes = X509_get_ext_d2i(x509, NID_ext_key_usage, &critical, NULL);
    return *purposes != NULL || critical == -1;
}

static bool key_usage_allowed(X509 *x509, const char *oid)
{
    uint32_t usage = X509_get_key_usage(x509); /* all ones without the extension */
    if (strcmp(oid, szOID_PKIX_KP_SERVER_AUTH) == 0)
        return (usage & (KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT)) != 0;
    if (strcmp(oid, szOID_PKIX_KP_CLIENT_AUTH) == 0)
        return (usage & (KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT)) != 0;
    return true;
}

bool usage_allowed(X509 *x509, const char *oid, bool is_leaf)
{
    EXTENDED_KEY_USAGE *purposes;
    require(!is_leaf || key_usage_allowed(x509, oid), false);
    require(purposes_read(x509, &purposes), false);
    bool allowed = purposes == NULL || names_purpose(purposes, oid);
    EXTENDED_KEY_USAGE_free(purposes);
    return allowed;
}

bool usage_trusted(X509 *root, const char *oid)
{
    const STACK_OF(ASN1_OBJECT) *trusted = X509_get0_trust_objects(root);
    return !names_purpose(X509_get0_reject_objects(root), oid) && (trusted == NULL || names_purpose(trusted, oid));
}

/* Is this purpose allowed by all from `from` up? */
static bool allowed_above(const STACK_OF(X509) * chain, int from, const char *oid)
{
    for (int i = from; i < sk_X509_num(chain); i++)
        if (!usage_allowed(sk_X509_value(chain, i), oid, false))
            return false;
    return true;
}

SECURITY_STATUS usage_of_chain(struct arena *arena, const STACK_OF(X509) * chain, int from, PCERT_ENHKEY_USAGE *usage)
{
    EXTENDED_KEY_USAGE *purposes = NULL;
    int at = from;
    /* The first that names purposes (without "any") gives the list; those above take away from it. */
    for (; at < sk_X509_num(chain); at++) {
        bool whole = purposes_read(sk_X509_value(chain, at), &purposes);
        if (!whole || (purposes != NULL && !names_purpose(purposes, szOID_ANY_ENHANCED_KEY_USAGE)))
            break;
        EXTENDED_KEY_USAGE_free(purposes);
        purposes = NULL;
    }
    *usage = NULL;
    if (at == sk_X509_num(chain))
        return SEC_E_OK;
    int n_purposes = purposes == NULL ? 0 : sk_ASN1_OBJECT_num(purposes);
    CERT_ENHKEY_USAGE *list = arena_alloc(arena, sizeof *list);
    LPSTR *texts = arena_array(arena, (size_t)n_purposes + 1, sizeof *texts);
    SECURITY_STATUS status = list == NULL || texts == NULL ? SEC_E_INSUFFICIENT_MEMORY : SEC_E_OK;
    for (int i = 0; status == SEC_E_OK && i < n_purposes; i++) {
        char text[OID_TEXT];
        (void)OBJ_obj2txt(text, sizeof text, sk_ASN1_OBJECT_value(purposes, i), 1);
        if (!allowed_above(chain, at + 1, text))
            continue;
        texts[list->cUsageIdentifier] = arena_copy(arena, text, strlen(text) + 1);
        if (texts[list->cUsageIdentifier] == NULL)
            status = SEC_E_INSUFFICIENT_MEMORY;
        else
            list->cUsageIdentifier++;
    }
    EXTENDED_KEY_USAGE_free(purposes);
    try(status);
    list->rgpszUsageIdentifier = texts;
    *usage = list;
    return SEC_E_OK;
}
