#include "base/hex.h"
#include "base/memory.h"
#include "base/utf16.h"
#include "certificates/context.h"
#include "certificates/deltas.h"
#include "certificates/internal.h"
#include "certificates/names.h"
#include "certificates/openssl.h"
#include "certificates/property_values.h"
#include "certificates/store.h"
#include "core/cause.h"
#include <openssl/x509v3.h>
#include <string.h>

/* A search made ready: what the caller points to is read once. */
struct wanted {
    DWORD compare, member, flags;
    bool passes_archived;            /* over them: an enumeration does, unless the store was opened otherwise */
    struct slice bytes;              /* a hash, a name */
    DWORD property;                  /* whose hash, or which must be there */
    char *text;                      /* a part of a name, folded; or digits */
    struct certificate *certificate; /* held: a subject or one to be found again */
    const CERT_INFO *info;
    const CERT_PUBLIC_KEY_INFO *key;
    const CERT_ENHKEY_USAGE *usage;
};

static void wanted_release(struct wanted *wanted)
{
    mem_free(wanted->text);
    certificate_put(wanted->certificate);
}
#define AUTO_WANTED __attribute__((cleanup(wanted_release)))

static SECURITY_STATUS missing(void)
{
    return cause_set(E_INVALIDARG, "what is to be found is missing");
}

static SECURITY_STATUS text_fold(const char *text, char **folded)
{
    *folded = text_upper(text);
    return *folded == NULL ? cause_set(E_INVALIDARG, "the part of a name is not valid text") : SEC_E_OK;
}

static SECURITY_STATUS wide_fold(const void *what, char **folded)
{
    AUTO_FREE char *text = NULL;
    const uint16_t *units = what;
    require(utf16_to_text(units, utf16_units(units), &text) == WIRE_OK,
            cause_set(E_INVALIDARG, "the part of a name is not valid UTF-16"));
    return text_fold(text, folded);
}

static SECURITY_STATUS blob_want(const void *what, struct slice *bytes)
{
    const CRYPT_HASH_BLOB *blob = what;
    require(blob->pbData != NULL || blob->cbData == 0, missing());
    *bytes = slice_of(blob->pbData, blob->cbData);
    return SEC_E_OK;
}

static SECURITY_STATUS certificate_want(const void *what, struct certificate **certificate)
{
    SECURITY_STATUS status = certificate_take(what, certificate);
    return status == SEC_E_OK || status == SEC_E_INSUFFICIENT_MEMORY ? status : E_INVALIDARG;
}

static bool usage_is_whole(const CERT_ENHKEY_USAGE *usage)
{
    for (DWORD i = 0; i < usage->cUsageIdentifier; i++)
        if (usage->rgpszUsageIdentifier == NULL || usage->rgpszUsageIdentifier[i] == NULL)
            return false;
    return true;
}

static SECURITY_STATUS wanted_read(const struct store_search *search, struct wanted *wanted)
{
    *wanted = (struct wanted){.compare = search->type >> CERT_COMPARE_SHIFT,
                              .member = search->type & CERT_COMPARE_MASK,
                              .flags = search->flags};
    require(search->what != NULL || wanted->compare == CERT_COMPARE_ANY ||
                wanted->compare == CERT_COMPARE_HAS_PRIVATE_KEY || wanted->compare == CERT_COMPARE_ENHKEY_USAGE,
            missing());
    switch (wanted->compare) {
    case CERT_COMPARE_ANY:
    case CERT_COMPARE_HAS_PRIVATE_KEY:
        return SEC_E_OK;
    case CERT_COMPARE_SHA1_HASH:
        wanted->property = CERT_SHA1_HASH_PROP_ID;
        return blob_want(search->what, &wanted->bytes);
    case CERT_COMPARE_MD5_HASH:
        wanted->property = CERT_MD5_HASH_PROP_ID;
        return blob_want(search->what, &wanted->bytes);
    case CERT_COMPARE_KEY_IDENTIFIER:
        wanted->property = CERT_KEY_IDENTIFIER_PROP_ID;
        return blob_want(search->what, &wanted->bytes);
    case CERT_COMPARE_PROPERTY:
        memcpy(&wanted->property, search->what, sizeof wanted->property);
        return SEC_E_OK;
    case CERT_COMPARE_NAME:
        return blob_want(search->what, &wanted->bytes);
    case CERT_COMPARE_NAME_STR_A:
        return text_fold(search->what, &wanted->text);
    case CERT_COMPARE_NAME_STR_W:
    case CERT_COMPARE_HASH_STR:
        return wide_fold(search->what, &wanted->text);
    case CERT_COMPARE_PUBLIC_KEY:
        wanted->key = search->what;
        return SEC_E_OK;
    case CERT_COMPARE_ENHKEY_USAGE:
        wanted->usage = search->what;
        return wanted->usage == NULL || usage_is_whole(wanted->usage)
                   ? SEC_E_OK
                   : cause_set(E_INVALIDARG, "purposes that point nowhere");
    case CERT_COMPARE_SUBJECT_CERT:
        wanted->info = search->what;
        return SEC_E_OK;
    case CERT_COMPARE_ISSUER_OF:
    case CERT_COMPARE_EXISTING:
        return certificate_want(search->what, &wanted->certificate);
    default:
        return cause_set(E_INVALIDARG, "certificates are not found by 0x%x", search->type);
    }
}

static bool property_fits(struct certificate *certificate, DWORD id, struct slice bytes)
{
    AUTO_FREE uint8_t *data = NULL;
    size_t len = 0;
    require(certificate_property_bytes(certificate, id, &data, &len) == SEC_E_OK, false);
    return slice_equal(slice_of(data, len), bytes);
}

static bool property_is_there(struct certificate *certificate, DWORD id)
{
    AUTO_FREE uint8_t *data = NULL;
    size_t len = 0;
    if (property_is_key(id))
        return certificate_has_key(certificate);
    return certificate_property_bytes(certificate, id, &data, &len) == SEC_E_OK;
}

static const CERT_NAME_BLOB *name_of(const struct certificate *certificate, DWORD member)
{
    return member == CERT_INFO_ISSUER_FLAG ? &certificate->info.Issuer : &certificate->info.Subject;
}

static bool text_fits(const struct certificate *certificate, const struct wanted *wanted)
{
    AUTO_FREE char *text = NULL, *folded = NULL;
    const CERT_NAME_BLOB *name = name_of(certificate, wanted->member);
    require(name_text(slice_of(name->pbData, name->cbData), CERT_SIMPLE_NAME_STR | CERT_NAME_STR_NO_QUOTING_FLAG,
                      &text) == SEC_E_OK,
            false);
    folded = text_upper(text);
    return folded != NULL && strstr(folded, wanted->text) != NULL;
}

/* "SHA256:" or "SHA1:" and digits, or the digits of a SHA-1 hash alone; blanks and colons between do not count. */
static bool hash_text_fits(struct certificate *certificate, const char *text)
{
    AUTO_FREE uint8_t *data = NULL;
    size_t len = 0, at = 0;
    DWORD id = CERT_SHA1_HASH_PROP_ID;
    if (strncmp(text, "SHA256:", 7) == 0) {
        id = CERT_SHA256_HASH_PROP_ID;
        text += 7;
    } else if (strncmp(text, "SHA1:", 5) == 0) {
        text += 5;
    }
    require(certificate_property_bytes(certificate, id, &data, &len) == SEC_E_OK, false);
    for (; *text != '\0'; text++) {
        if (*text == ' ' || *text == ':')
            continue;
        if (at >= 2 * len || hex_digit((uint8_t)*text) != (at % 2 == 0 ? data[at / 2] >> 4 : data[at / 2] & 15))
            return false;
        at++;
    }
    return at == 2 * len;
}

static bool key_fits(const struct certificate *certificate, const CERT_PUBLIC_KEY_INFO *key)
{
    const CERT_PUBLIC_KEY_INFO *own = &certificate->info.SubjectPublicKeyInfo;
    return slice_equal(slice_of(own->PublicKey.pbData, own->PublicKey.cbData),
                       slice_of(key->PublicKey.pbData, key->PublicKey.cbData)) &&
           (key->Algorithm.pszObjId == NULL || strcmp(own->Algorithm.pszObjId, key->Algorithm.pszObjId) == 0);
}

static bool purposes_fit(const EXTENDED_KEY_USAGE *purposes, const CERT_ENHKEY_USAGE *usage, bool any)
{
    DWORD found = 0, asked = usage == NULL ? 0 : usage->cUsageIdentifier;
    for (DWORD i = 0; i < asked; i++) {
        char oid[128];
        bool here = false;
        for (int k = 0; k < sk_ASN1_OBJECT_num(purposes) && !here; k++) {
            (void)OBJ_obj2txt(oid, sizeof oid, sk_ASN1_OBJECT_value(purposes, k), 1);
            here = strcmp(oid, usage->rgpszUsageIdentifier[i]) == 0;
        }
        found += here ? 1 : 0;
    }
    return any ? found > 0 || asked == 0 : found == asked;
}

static bool usage_fits(const struct certificate *certificate, const struct wanted *wanted)
{
    EXTENDED_KEY_USAGE *purposes = X509_get_ext_d2i(certificate->x509, NID_ext_key_usage, NULL, NULL);
    bool fits;
    if ((wanted->flags & CERT_FIND_NO_ENHKEY_USAGE_FLAG) != 0 && purposes == NULL)
        fits = true;
    else if (purposes == NULL)
        fits = (wanted->flags & CERT_FIND_OPTIONAL_ENHKEY_USAGE_FLAG) != 0;
    else
        fits = (wanted->usage != NULL || (wanted->flags & CERT_FIND_NO_ENHKEY_USAGE_FLAG) == 0) &&
               purposes_fit(purposes, wanted->usage, (wanted->flags & CERT_FIND_OR_ENHKEY_USAGE_FLAG) != 0);
    EXTENDED_KEY_USAGE_free(purposes);
    return fits;
}

static bool info_fits(const CERT_INFO *own, const CERT_INFO *sought)
{
    return sought->SerialNumber.pbData != NULL && sought->Issuer.pbData != NULL &&
           numbers_equal(&own->SerialNumber, &sought->SerialNumber) &&
           slice_equal(slice_of(own->Issuer.pbData, own->Issuer.cbData),
                       slice_of(sought->Issuer.pbData, sought->Issuer.cbData));
}

static bool fits(struct certificate *certificate, const struct wanted *wanted)
{
    const CERT_NAME_BLOB *name;
    switch (wanted->compare) {
    case CERT_COMPARE_ANY:
        return !wanted->passes_archived || !certificate_is_archived(certificate);
    case CERT_COMPARE_HAS_PRIVATE_KEY:
        return certificate_has_key(certificate);
    case CERT_COMPARE_SHA1_HASH:
    case CERT_COMPARE_MD5_HASH:
    case CERT_COMPARE_KEY_IDENTIFIER:
        return property_fits(certificate, wanted->property, wanted->bytes);
    case CERT_COMPARE_PROPERTY:
        return property_is_there(certificate, wanted->property);
    case CERT_COMPARE_NAME:
        name = name_of(certificate, wanted->member);
        return slice_equal(slice_of(name->pbData, name->cbData), wanted->bytes);
    case CERT_COMPARE_NAME_STR_A:
    case CERT_COMPARE_NAME_STR_W:
        return text_fits(certificate, wanted);
    case CERT_COMPARE_HASH_STR:
        return hash_text_fits(certificate, wanted->text);
    case CERT_COMPARE_PUBLIC_KEY:
        return key_fits(certificate, wanted->key);
    case CERT_COMPARE_ENHKEY_USAGE:
        return usage_fits(certificate, wanted);
    case CERT_COMPARE_SUBJECT_CERT:
        return info_fits(&certificate->info, wanted->info);
    case CERT_COMPARE_ISSUER_OF:
        return X509_check_issued(certificate->x509, wanted->certificate->x509) == X509_V_OK;
    default: /* CERT_COMPARE_EXISTING */
        return X509_cmp(certificate->x509, wanted->certificate->x509) == 0;
    }
}

/* The certificate after the one of this place in its store, with a hold; NULL at the end. */
static struct certificate *next_of(struct store *store, uint64_t after)
{
    struct certificate *next = NULL;
    pthread_mutex_lock(&store->lock);
    size_t low = 0, high = store->n_certificates;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (store->certificates[middle]->order > after)
            high = middle;
        else
            low = middle + 1;
    }
    if (low < store->n_certificates && live_hold(store->certificates[low], LIVE_CERTIFICATE))
        next = store->certificates[low];
    pthread_mutex_unlock(&store->lock);
    return next;
}

static SECURITY_STATUS place_after(HCERTSTORE handle, PCCERT_CONTEXT previous, uint64_t *after)
{
    *after = 0;
    if (previous == NULL)
        return SEC_E_OK;
    require(live_hold(previous, LIVE_CERTIFICATE),
            cause_set(E_INVALIDARG, "the previous context is not, or no longer, one of this library"));
    const struct certificate *certificate = (const struct certificate *)(const void *)previous;
    *after = certificate->order;
    bool ours = certificate->context.hCertStore == handle;
    live_unhold(previous);
    return ours ? SEC_E_OK : cause_set(E_INVALIDARG, "the previous certificate is of another store");
}

SECURITY_STATUS store_certificate_find(HCERTSTORE handle, const struct store_search *search, PCCERT_CONTEXT previous,
                                       PCCERT_CONTEXT *found)
{
    OPENSSL_QUIET;
    AUTO_WANTED struct wanted wanted = {0};
    uint64_t after;
    struct certificate *next;
    try(wanted_read(search, &wanted));
    require(store_take(handle) == SEC_E_OK, E_INVALIDARG);
    wanted.passes_archived = !((const struct store *)handle)->enumerates_archived;
    SECURITY_STATUS status = place_after(handle, previous, &after);
    while (status == SEC_E_OK) {
        next = next_of(handle, after);
        if (next == NULL) {
            status = CRYPT_E_NOT_FOUND;
        } else if (fits(next, &wanted)) {
            *found = certificate_context(next);
            break;
        } else {
            after = next->order;
            certificate_put(next);
        }
    }
    store_put(handle);
    return status;
}

/* Is the certificate on none of its issuer's lists in the store? CERT_STORE_NO_CRL_FLAG: there is no complete one. */
static SECURITY_STATUS revocation_check(struct store *store, X509 *subject, X509 *issuer, DWORD *failed)
{
    AUTO_OPENSSL(crls) STACK_OF(X509_CRL) *lists = sk_X509_CRL_new_null();
    EVP_PKEY *key = X509_get0_pubkey(issuer);
    bool list_found = false, revoked = false;
    require(lists != NULL, SEC_E_INSUFFICIENT_MEMORY);
    try(store_collect(store, NULL, lists));
    for (int i = 0; i < sk_X509_CRL_num(lists); i++) {
        X509_CRL *crl = sk_X509_CRL_value(lists, i);
        X509_REVOKED *entry = NULL;
        if (crl_is_delta(crl) || X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(issuer)) != 0 ||
            key == NULL || X509_CRL_verify(crl, key) != 1)
            continue;
        list_found = true;
        revoked |= X509_CRL_get0_by_cert(crl, &entry, subject) == 1;
    }
    if (!list_found)
        *failed |= CERT_STORE_REVOCATION_FLAG | CERT_STORE_NO_CRL_FLAG;
    if (revoked || deltas_revoke(lists, subject, issuer))
        *failed |= CERT_STORE_REVOCATION_FLAG;
    return SEC_E_OK;
}

/* CertGetIssuerCertificateFromStore: of the checks asked for those that fail, and what was missing for them. */
static SECURITY_STATUS checks_make(struct store *store, X509 *subject, X509 *issuer, DWORD *checks)
{
    DWORD failed = 0;
    EVP_PKEY *key = X509_get0_pubkey(issuer);
    if ((*checks & CERT_STORE_SIGNATURE_FLAG) != 0 && (key == NULL || X509_verify(subject, key) != 1))
        failed |= CERT_STORE_SIGNATURE_FLAG;
    if ((*checks & CERT_STORE_TIME_VALIDITY_FLAG) != 0 && !x509_is_now(subject))
        failed |= CERT_STORE_TIME_VALIDITY_FLAG;
    if ((*checks & CERT_STORE_REVOCATION_FLAG) != 0)
        try(revocation_check(store, subject, issuer, &failed));
    *checks = failed;
    return SEC_E_OK;
}

SECURITY_STATUS store_issuer_find(HCERTSTORE handle, PCCERT_CONTEXT subject, PCCERT_CONTEXT previous, DWORD *flags,
                                  PCCERT_CONTEXT *found)
{
    OPENSSL_QUIET;
    AUTO_CERTIFICATE struct certificate *certificate = NULL;
    const DWORD known = CERT_STORE_SIGNATURE_FLAG | CERT_STORE_TIME_VALIDITY_FLAG | CERT_STORE_REVOCATION_FLAG;
    require((*flags & ~known) == 0, cause_set(E_INVALIDARG, "there are no checks 0x%x", *flags));
    try(certificate_want(subject, &certificate));
    X509 *x509 = certificate->x509;
    require(store_take(handle) == SEC_E_OK, E_INVALIDARG);
    SECURITY_STATUS status;
    if (X509_NAME_cmp(X509_get_subject_name(x509), X509_get_issuer_name(x509)) == 0) {
        status = checks_make(handle, x509, x509, flags);
        if (status == SEC_E_OK)
            status = CRYPT_E_SELF_SIGNED;
    } else {
        struct store_search search = {.type = CERT_FIND_ISSUER_OF, .what = subject};
        PCCERT_CONTEXT issuer = NULL;
        status = store_certificate_find(handle, &search, previous, &issuer);
        if (status == SEC_E_OK) {
            status = checks_make(handle, x509, ((const struct certificate *)(const void *)issuer)->x509, flags);
            if (status == SEC_E_OK)
                *found = issuer;
            else
                (void)live_user_drop(issuer, LIVE_CERTIFICATE);
        } else if (status == CRYPT_E_NOT_FOUND && *flags != 0) {
            *flags |= CERT_STORE_NO_ISSUER_FLAG;
        }
    }
    store_put(handle);
    return status;
}
