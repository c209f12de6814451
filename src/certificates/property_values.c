#include "certificates/property_values.h"

#include "base/memory.h"
#include "base/utf16.h"
#include "certificates/context.h"
#include "certificates/openssl.h"
#include "core/cause.h"
#include "core/exiting.h"
#include <openssl/x509v3.h>
#include <string.h>

bool property_is_computed(DWORD id)
{
    switch (id) {
    case CERT_SHA1_HASH_PROP_ID:
    case CERT_MD5_HASH_PROP_ID:
    case CERT_SHA256_HASH_PROP_ID:
    case CERT_SIGNATURE_HASH_PROP_ID:
    case CERT_ACCESS_STATE_PROP_ID:
    case CERT_SUBJECT_PUBLIC_KEY_MD5_HASH_PROP_ID:
    case CERT_SUBJECT_NAME_MD5_HASH_PROP_ID:
    case CERT_ISSUER_SERIAL_NUMBER_MD5_HASH_PROP_ID:
        return true;
    default:
        return false;
    }
}

bool property_is_key(DWORD id)
{
    return id == CERT_KEY_CONTEXT_PROP_ID || id == CERT_KEY_PROV_HANDLE_PROP_ID ||
           id == CERT_NCRYPT_KEY_HANDLE_PROP_ID || id == CERT_HCRYPTPROV_OR_NCRYPT_KEY_HANDLE_PROP_ID;
}

static SECURITY_STATUS bytes_give(const void *bytes, size_t n_bytes, uint8_t **data, size_t *len)
{
    uint8_t *copy = mem_dup(bytes, n_bytes);
    require(copy != NULL, SEC_E_INSUFFICIENT_MEMORY);
    *data = copy;
    *len = n_bytes;
    return SEC_E_OK;
}

static SECURITY_STATUS hash_give(const char *algorithm, const void *bytes, size_t n_bytes, uint8_t **data, size_t *len)
{
    OPENSSL_QUIET;
    unsigned char hash[EVP_MAX_MD_SIZE];
    size_t hash_len = 0;
    try(exiting_check());
    require(EVP_Q_digest(NULL, algorithm, NULL, bytes, n_bytes, hash, &hash_len) == 1,
            cause_set(NTE_BAD_ALGID, "OpenSSL has no %s here", algorithm));
    return bytes_give(hash, hash_len, data, len);
}

/* The part of a certificate that is signed (RFC 5280 4.1), as it stands there: OpenSSL would encode it anew, perhaps in other bytes, and take the
 * certificate, which others verify meanwhile, for a changed one. */
static bool signed_part(struct slice der, struct slice *part)
{
    const int refused = 0x80 | 0x01; /* damaged; of no definite length */
    const unsigned char *at = der.data;
    long len;
    int tag, class;
    require((ASN1_get_object(&at, &len, &tag, &class, (long)der.len) & refused) == 0, false);
    const unsigned char *begin = at;
    require((ASN1_get_object(&at, &len, &tag, &class, len) & refused) == 0, false);
    *part = slice_of(begin, (size_t)(at - begin) + (size_t)len);
    return true;
}

/* The hash that the issuer signed, by the algorithm of the signature. */
static SECURITY_STATUS signature_hash(struct certificate *certificate, uint8_t **data, size_t *len)
{
    OPENSSL_QUIET;
    int digest = NID_undef;
    struct slice part;
    require(signed_part(slice_of(certificate->context.pbCertEncoded, certificate->context.cbCertEncoded), &part),
            cause_set(CRYPT_E_ASN1_BADTAG, "the certificate has no definite length"));
    require(X509_get_signature_info(certificate->x509, &digest, NULL, NULL, NULL) == 1 && digest != NID_undef,
            cause_set(NTE_BAD_ALGID, "the algorithm of the signature is not known, or hashes nothing by itself"));
    return hash_give(OBJ_nid2sn(digest), part.data, part.len, data, len);
}

/* Microsoft, CERT_KEY_IDENTIFIER_PROP_ID: the extension, else the SHA-1 hash of the encoded public key info. */
static SECURITY_STATUS key_identifier(struct certificate *certificate, uint8_t **data, size_t *len)
{
    OPENSSL_QUIET;
    const ASN1_OCTET_STRING *extension = X509_get0_subject_key_id(certificate->x509);
    if (extension != NULL && extension->length > 0)
        return bytes_give(extension->data, (size_t)extension->length, data, len);
    unsigned char *der = NULL;
    int der_len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate->x509), &der);
    AUTO_OPENSSL(block) unsigned char *owner = der;
    require(der_len > 0, SEC_E_INSUFFICIENT_MEMORY);
    return hash_give("SHA1", owner, (size_t)der_len, data, len);
}

static SECURITY_STATUS issuer_serial_hash(struct certificate *certificate, uint8_t **data, size_t *len)
{
    const CERT_INFO *info = &certificate->info;
    size_t n_bytes = (size_t)info->Issuer.cbData + info->SerialNumber.cbData;
    AUTO_FREE uint8_t *both = mem_zalloc(n_bytes);
    require(both != NULL, SEC_E_INSUFFICIENT_MEMORY);
    memcpy(both, info->Issuer.pbData, info->Issuer.cbData);
    memcpy(both + info->Issuer.cbData, info->SerialNumber.pbData, info->SerialNumber.cbData);
    return hash_give("MD5", both, n_bytes, data, len);
}

SECURITY_STATUS property_compute(struct certificate *certificate, DWORD id, uint8_t **data, size_t *len)
{
    const CERT_CONTEXT *context = &certificate->context;
    const CERT_INFO *info = &certificate->info;
    DWORD number;
    switch (id) {
    case CERT_SHA1_HASH_PROP_ID:
        return hash_give("SHA1", context->pbCertEncoded, context->cbCertEncoded, data, len);
    case CERT_MD5_HASH_PROP_ID:
        return hash_give("MD5", context->pbCertEncoded, context->cbCertEncoded, data, len);
    case CERT_SHA256_HASH_PROP_ID:
        return hash_give("SHA256", context->pbCertEncoded, context->cbCertEncoded, data, len);
    case CERT_SUBJECT_PUBLIC_KEY_MD5_HASH_PROP_ID:
        return hash_give("MD5", info->SubjectPublicKeyInfo.PublicKey.pbData,
                         info->SubjectPublicKeyInfo.PublicKey.cbData, data, len);
    case CERT_SUBJECT_NAME_MD5_HASH_PROP_ID:
        return hash_give("MD5", info->Subject.pbData, info->Subject.cbData, data, len);
    case CERT_ISSUER_SERIAL_NUMBER_MD5_HASH_PROP_ID:
        return issuer_serial_hash(certificate, data, len);
    case CERT_SIGNATURE_HASH_PROP_ID:
        return signature_hash(certificate, data, len);
    case CERT_KEY_IDENTIFIER_PROP_ID:
        return key_identifier(certificate, data, len);
    case CERT_ACCESS_STATE_PROP_ID:
        number = 0; /* nothing is written to disk */
        return bytes_give(&number, sizeof number, data, len);
    case CERT_KEY_SPEC_PROP_ID:
        number = CERT_NCRYPT_KEY_SPEC;
        require(certificate_has_key(certificate), CRYPT_E_NOT_FOUND);
        return bytes_give(&number, sizeof number, data, len);
    default:
        return CRYPT_E_NOT_FOUND;
    }
}

/* CRYPT_KEY_PROV_INFO. */

static size_t text_size(LPCWSTR text)
{
    return text == NULL ? 0 : (utf16_units((const uint16_t *)text) + 1) * sizeof(WCHAR);
}

size_t prov_info_size(const CRYPT_KEY_PROV_INFO *info)
{
    size_t size = sizeof *info;
    require(info->cProvParam <= 64 && (info->cProvParam == 0 || info->rgProvParam != NULL), 0);
    size += info->cProvParam * sizeof *info->rgProvParam;
    size += text_size(info->pwszContainerName) + text_size(info->pwszProvName);
    for (DWORD i = 0; i < info->cProvParam; i++) {
        size += info->rgProvParam[i].pbData == NULL ? 0 : info->rgProvParam[i].cbData;
        require(size <= PROPERTY_MAX, 0);
    }
    return size <= PROPERTY_MAX ? size : 0;
}

static void *piece(uint8_t **at, const void *bytes, size_t len)
{
    if (bytes == NULL)
        return NULL;
    void *start = *at;
    memcpy(start, bytes, len);
    *at += len;
    return start;
}

void prov_info_pack(const CRYPT_KEY_PROV_INFO *info, void *to)
{
    CRYPT_KEY_PROV_INFO copy = *info;
    uint8_t *at = (uint8_t *)to + sizeof copy;
    CRYPT_KEY_PROV_PARAM *parameters = (CRYPT_KEY_PROV_PARAM *)(void *)at;
    at += copy.cProvParam * sizeof *parameters;
    copy.pwszContainerName = piece(&at, info->pwszContainerName, text_size(info->pwszContainerName));
    copy.pwszProvName = piece(&at, info->pwszProvName, text_size(info->pwszProvName));
    copy.rgProvParam = copy.cProvParam == 0 ? NULL : parameters;
    for (DWORD i = 0; i < copy.cProvParam; i++) {
        CRYPT_KEY_PROV_PARAM parameter = info->rgProvParam[i];
        parameter.pbData = piece(&at, parameter.pbData, parameter.cbData);
        memcpy(&parameters[i], &parameter, sizeof parameter);
    }
    memcpy(to, &copy, sizeof copy);
}

SECURITY_STATUS hash_of_bytes(ALG_ID algorithm, struct slice bytes, BYTE *hash, DWORD *len)
{
    static const struct {
        const char *name;
        ALG_ID id;
        DWORD len;
    } known[] = {
        {"SHA1", CALG_SHA1, 20},      {"SHA1", 0, 20},       {"SHA256", CALG_SHA_256, 32}, {"SHA384", CALG_SHA_384, 48},
        {"SHA512", CALG_SHA_512, 64}, {"MD5", CALG_MD5, 16},
    };
    AUTO_FREE uint8_t *computed = NULL;
    size_t computed_len = 0;
    size_t i = 0;
    while (i < COUNT_OF(known) && known[i].id != algorithm)
        i++;
    require(i < COUNT_OF(known), cause_set(NTE_BAD_ALGID, "algorithm 0x%x is none of the known hashes", algorithm));
    DWORD room = *len;
    *len = known[i].len;
    if (hash == NULL)
        return SEC_E_OK;
    require(room >= known[i].len, ERROR_MORE_DATA);
    try(hash_give(known[i].name, bytes.data, bytes.len, &computed, &computed_len));
    memcpy(hash, computed, computed_len);
    return SEC_E_OK;
}

DWORD public_key_bits(const CERT_PUBLIC_KEY_INFO *info)
{
    OPENSSL_QUIET;
    ASN1_OBJECT *object = info->Algorithm.pszObjId == NULL ? NULL : OBJ_txt2obj(info->Algorithm.pszObjId, 1);
    X509_PUBKEY *key = X509_PUBKEY_new();
    ASN1_TYPE *parameters = NULL;
    const unsigned char *at = info->Algorithm.Parameters.pbData;
    if (at != NULL)
        parameters = d2i_ASN1_TYPE(NULL, &at, (long)info->Algorithm.Parameters.cbData);
    unsigned char *bits = OPENSSL_memdup(info->PublicKey.pbData, info->PublicKey.cbData);
    DWORD n_bits = 0;
    X509_ALGOR *algorithm = NULL;
    if (object != NULL && key != NULL && bits != NULL &&
        X509_PUBKEY_set0_param(key, object, V_ASN1_UNDEF, NULL, bits, (int)info->PublicKey.cbData) == 1) {
        object = NULL; /* both are the key's now */
        bits = NULL;
        if (X509_PUBKEY_get0_param(NULL, NULL, NULL, &algorithm, key) == 1 && parameters != NULL) {
            ASN1_TYPE_free(algorithm->parameter);
            algorithm->parameter = parameters;
            parameters = NULL;
        }
        unsigned char *der = NULL;
        int der_len = i2d_X509_PUBKEY(key, &der);
        const unsigned char *from = der;
        EVP_PKEY *pkey = der_len > 0 ? d2i_PUBKEY(NULL, &from, der_len) : NULL;
        n_bits = pkey == NULL ? 0 : (DWORD)EVP_PKEY_get_bits(pkey);
        EVP_PKEY_free(pkey);
        OPENSSL_free(der);
    }
    OPENSSL_free(bits);
    ASN1_TYPE_free(parameters);
    ASN1_OBJECT_free(object);
    X509_PUBKEY_free(key);
    return n_bits;
}
