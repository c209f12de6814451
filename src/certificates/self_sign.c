#include "base/memory.h"
#include "base/time.h"
#include "base/utf16.h"
#include "certificates/context.h"
#include "certificates/internal.h"
#include "certificates/keys.h"
#include "certificates/openssl.h"
#include "core/cause.h"
#include "core/exiting.h"
#include "crypto/random.h"
#include <openssl/objects.h>
#include <openssl/rsa.h>

/* CertCreateSelfSignCertificate. */

#define RSA_BITS 2048u
#define SERIAL_LEN 16
#define EXTENSIONS_MAX 256
#define YEAR_SECONDS ((int64_t)365 * 24 * 3600)

/* The key that signs: a handle's, that of a place, or a new one. */
static SECURITY_STATUS key_choose(const struct self_sign *wish, EVP_PKEY **pkey)
{
    AUTO_FREE char *place = NULL;
    if (wish->key != 0) {
        require(live_hold((const void *)wish->key, LIVE_KEY),
                cause_set(E_INVALIDARG, "this is not, or no longer, a key handle of this library"));
        struct key *key = (struct key *)wish->key;
        bool counted = EVP_PKEY_up_ref(key->pkey) == 1;
        *pkey = counted ? key->pkey : NULL;
        live_unhold(key);
        return counted ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
    }
    if (wish->place != NULL) {
        const uint16_t *units = (const uint16_t *)wish->place->pwszContainerName;
        require(units != NULL && utf16_to_text(units, utf16_units(units), &place) == WIRE_OK,
                cause_set(NTE_BAD_KEYSET, "CRYPT_KEY_PROV_INFO names no file and no pkcs11: URI of a key"));
        return key_open(place, NULL, pkey);
    }
    *pkey = EVP_RSA_gen(RSA_BITS);
    return *pkey != NULL ? SEC_E_OK : cause_set(NTE_BAD_KEY_STATE, "OpenSSL could not make an RSA key");
}

/* The hash that an algorithm names for this kind of key; without an algorithm SHA-256. NULL in `digest`: the key has its own. */
static SECURITY_STATUS digest_choose(const struct self_sign *wish, const EVP_PKEY *pkey, const EVP_MD **digest)
{
    int kind = EVP_PKEY_get_base_id(pkey), hash = NID_undef, signs = NID_undef;
    bool own = kind == EVP_PKEY_ED25519 || kind == EVP_PKEY_ED448;
    *digest = own ? NULL : EVP_sha256();
    if (wish->algorithm == NULL || wish->algorithm->pszObjId == NULL)
        return SEC_E_OK;
    ASN1_OBJECT *object = OBJ_txt2obj(wish->algorithm->pszObjId, 1);
    int nid = object != NULL ? OBJ_obj2nid(object) : NID_undef;
    ASN1_OBJECT_free(object);
    require(nid != NID_undef && OBJ_find_sigid_algs(nid, &hash, &signs) == 1 && nid != NID_rsassaPss,
            cause_set(NTE_BAD_ALGID, "certificates are not signed with %s", wish->algorithm->pszObjId));
    require(signs == kind || OBJ_obj2nid(OBJ_nid2obj(signs)) == kind ||
                (signs == NID_X9_62_id_ecPublicKey && kind == EVP_PKEY_EC),
            cause_set(NTE_BAD_ALGID, "%s is not for this kind of key", wish->algorithm->pszObjId));
    *digest = own ? NULL : EVP_get_digestbynid(hash);
    require(own || *digest != NULL, cause_set(NTE_BAD_ALGID, "OpenSSL has no hash for %s", wish->algorithm->pszObjId));
    return SEC_E_OK;
}

static SECURITY_STATUS subject_put(X509 *x509, struct slice der)
{
    const unsigned char *at = der.data;
    require(der.data != NULL && der.len <= CERTIFICATE_MAX, cause_set(CRYPT_E_ASN1_BADTAG, "no name was given"));
    AUTO_OPENSSL(name) X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)der.len);
    require(name != NULL && at == der.data + der.len,
            cause_set(CRYPT_E_ASN1_BADTAG, "these bytes are not one name in DER"));
    return X509_set_subject_name(x509, name) == 1 && X509_set_issuer_name(x509, name) == 1 ? SEC_E_OK
                                                                                           : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS times_put(X509 *x509, const struct self_sign *wish)
{
    int64_t from = wish->from != 0 ? filetime_to_unix(wish->from) : filetime_to_unix(filetime_now());
    int64_t until = wish->until != 0 ? filetime_to_unix(wish->until) : from + YEAR_SECONDS;
    require(until >= from, cause_set(E_INVALIDARG, "the certificate would end before it begins"));
    return ASN1_TIME_set(X509_getm_notBefore(x509), (time_t)from) != NULL &&
                   ASN1_TIME_set(X509_getm_notAfter(x509), (time_t)until) != NULL
               ? SEC_E_OK
               : cause_set(E_INVALIDARG, "a time that a certificate cannot hold");
}

static SECURITY_STATUS serial_put(X509 *x509)
{
    uint8_t bytes[SERIAL_LEN];
    require(random_bytes(bytes, sizeof bytes), SEC_E_INTERNAL_ERROR);
    bytes[0] = (uint8_t)((bytes[0] & 0x3F) | 0x40); /* positive, and always of one length */
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool put = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) != NULL;
    BN_free(number);
    return put ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS extension_put(X509 *x509, const CERT_EXTENSION *from)
{
    require(from->pszObjId != NULL && (from->Value.pbData != NULL || from->Value.cbData == 0) &&
                from->Value.cbData <= CERTIFICATE_MAX,
            cause_set(E_INVALIDARG, "an extension without its identifier or value"));
    ASN1_OBJECT *object = OBJ_txt2obj(from->pszObjId, 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    bool made = object != NULL && value != NULL &&
                ASN1_OCTET_STRING_set(value, from->Value.pbData, (int)from->Value.cbData) == 1;
    X509_EXTENSION *extension =
        made ? X509_EXTENSION_create_by_OBJ(NULL, object, from->fCritical != FALSE, value) : NULL;
    bool put = extension != NULL && X509_add_ext(x509, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(object);
    return put ? SEC_E_OK : cause_set(E_INVALIDARG, "the extension %s cannot be written", from->pszObjId);
}

static SECURITY_STATUS extensions_put(X509 *x509, const CERT_EXTENSIONS *from)
{
    if (from == NULL)
        return SEC_E_OK;
    require(from->cExtension <= EXTENSIONS_MAX && (from->cExtension == 0 || from->rgExtension != NULL),
            cause_set(E_INVALIDARG, "more than %d extensions, or none where some were announced", EXTENSIONS_MAX));
    for (DWORD i = 0; i < from->cExtension; i++)
        try(extension_put(x509, &from->rgExtension[i]));
    return SEC_E_OK;
}

static SECURITY_STATUS key_attach(PCCERT_CONTEXT context, const struct self_sign *wish, EVP_PKEY *pkey)
{
    if ((wish->flags & CERT_CREATE_SELFSIGN_NO_KEY_INFO) != 0)
        return SEC_E_OK;
    if (wish->key == 0 && wish->place != NULL)
        try(property_set(context, CERT_KEY_PROV_INFO_PROP_ID, 0, wish->place));
    return certificate_key_set((struct certificate *)(uintptr_t)context, pkey);
}

SECURITY_STATUS certificate_self_sign(const struct self_sign *wish, PCCERT_CONTEXT *context)
{
    OPENSSL_QUIET;
    AUTO_OPENSSL(pkey) EVP_PKEY *pkey = NULL;
    AUTO_OPENSSL(x509) X509 *x509 = NULL;
    const EVP_MD *digest;
    struct certificate *made;
    const DWORD known = CERT_CREATE_SELFSIGN_NO_SIGN | CERT_CREATE_SELFSIGN_NO_KEY_INFO;
    require((wish->flags & ~known) == 0, cause_set(E_INVALIDARG, "there are no flags 0x%x", wish->flags));
    try(exiting_check());
    try(key_choose(wish, &pkey));
    try(digest_choose(wish, pkey, &digest));
    x509 = X509_new();
    require(x509 != NULL && X509_set_version(x509, X509_VERSION_3) == 1 && X509_set_pubkey(x509, pkey) == 1,
            SEC_E_INSUFFICIENT_MEMORY);
    try(serial_put(x509));
    try(subject_put(x509, wish->subject));
    try(times_put(x509, wish));
    try(extensions_put(x509, wish->extensions));
    require(X509_sign(x509, pkey, digest) > 0, cause_set(NTE_BAD_KEY_STATE, "OpenSSL could not sign with this key"));
    try(certificate_new(x509, X509_ASN_ENCODING, &made));
    SECURITY_STATUS status = key_attach(&made->context, wish, pkey);
    if (status == SEC_E_OK)
        *context = &made->context;
    else
        (void)live_user_drop(made, LIVE_CERTIFICATE);
    return status;
}
