#include "base/time.h"
#include "certificates/internal.h"
#include "certificates/openssl.h"
#include "core/cause.h"
#include <openssl/err.h>
#include <time.h>

bool blob_put(struct arena *arena, const void *data, int len, DWORD *blob_len, BYTE **blob_data)
{
    if (len <= 0) {
        *blob_len = 0;
        *blob_data = NULL;
        return len == 0;
    }
    *blob_data = arena_copy(arena, data, (size_t)len);
    *blob_len = (DWORD)len;
    return *blob_data != NULL;
}

static SECURITY_STATUS memory_of(bool done)
{
    return done ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* OpenSSL writes no identifier of more than 586 bytes: that takes the square of its length. */
SECURITY_STATUS oid_put(struct arena *arena, const ASN1_OBJECT *object, LPSTR *text)
{
    char room[128];
    int len = OBJ_obj2txt(room, sizeof room, object, 1);
    if (len < 0)
        return ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE
                   ? SEC_E_INSUFFICIENT_MEMORY
                   : cause_set(CRYPT_E_ASN1_BADTAG, "an object identifier is damaged, or of more than 586 bytes");
    if ((size_t)len < sizeof room) {
        *text = arena_copy(arena, room, (size_t)len + 1);
        return memory_of(*text != NULL);
    }
    *text = arena_alloc(arena, (size_t)len + 1);
    return memory_of(*text != NULL && OBJ_obj2txt(*text, len + 1, object, 1) == len);
}

/* An integer of the certificate, little-endian and in two's complement as CryptoAPI has it. */
static bool integer_put(struct arena *arena, const ASN1_INTEGER *integer, CRYPT_INTEGER_BLOB *blob)
{
    unsigned char *der = NULL;
    int der_len = i2d_ASN1_INTEGER(integer, &der);
    require(der_len > 0, false);
    AUTO_OPENSSL(block) unsigned char *owner = der;
    const unsigned char *content = der;
    long len;
    int tag, class;
    require((ASN1_get_object(&content, &len, &tag, &class, der_len) & 0x80) == 0 && len > 0, false);
    require(blob_put(arena, content, (int)len, &blob->cbData, &blob->pbData), false);
    for (long i = 0; i < len; i++)
        blob->pbData[i] = content[len - 1 - i];
    return true;
}

bool name_put(struct arena *arena, const X509_NAME *name, CERT_NAME_BLOB *blob)
{
    unsigned char *der = NULL;
    int len = i2d_X509_NAME(name, &der);
    AUTO_OPENSSL(block) unsigned char *owner = der;
    return len > 0 && blob_put(arena, owner, len, &blob->cbData, &blob->pbData);
}

static SECURITY_STATUS algorithm_put(struct arena *arena, const X509_ALGOR *algorithm, CRYPT_ALGORITHM_IDENTIFIER *to)
{
    const ASN1_OBJECT *object;
    X509_ALGOR_get0(&object, NULL, NULL, algorithm);
    try(oid_put(arena, object, &to->pszObjId));
    if (algorithm->parameter == NULL)
        return SEC_E_OK;
    unsigned char *der = NULL;
    int len = i2d_ASN1_TYPE(algorithm->parameter, &der);
    AUTO_OPENSSL(block) unsigned char *owner = der;
    return memory_of(len > 0 && blob_put(arena, owner, len, &to->Parameters.cbData, &to->Parameters.pbData));
}

bool bits_put(struct arena *arena, const ASN1_BIT_STRING *bits, CRYPT_BIT_BLOB *to)
{
    if (bits == NULL)
        return true;
    if ((bits->flags & ASN1_STRING_FLAG_BITS_LEFT) != 0)
        to->cUnusedBits = (DWORD)bits->flags & 7;
    return blob_put(arena, bits->data, bits->length, &to->cbData, &to->pbData);
}

static SECURITY_STATUS key_put(struct arena *arena, const X509 *x509, CERT_PUBLIC_KEY_INFO *to)
{
    X509_PUBKEY *key = X509_get_X509_PUBKEY(x509);
    X509_ALGOR *algorithm;
    require(key != NULL && X509_PUBKEY_get0_param(NULL, NULL, NULL, &algorithm, key) == 1, SEC_E_INSUFFICIENT_MEMORY);
    try(algorithm_put(arena, algorithm, &to->Algorithm));
    return memory_of(bits_put(arena, X509_get0_pubkey_bitstr(x509), &to->PublicKey));
}

static SECURITY_STATUS extensions_put(struct arena *arena, const STACK_OF(X509_EXTENSION) * extensions, DWORD *count,
                                      PCERT_EXTENSION *to)
{
    int n_extensions = extensions == NULL ? 0 : sk_X509_EXTENSION_num(extensions);
    if (n_extensions <= 0)
        return SEC_E_OK;
    CERT_EXTENSION *list = arena_array(arena, (size_t)n_extensions, sizeof *list);
    require(list != NULL, SEC_E_INSUFFICIENT_MEMORY);
    for (int i = 0; i < n_extensions; i++) {
        X509_EXTENSION *extension = sk_X509_EXTENSION_value(extensions, i);
        const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(extension);
        list[i].fCritical = X509_EXTENSION_get_critical(extension) ? TRUE : FALSE;
        try(oid_put(arena, X509_EXTENSION_get_object(extension), &list[i].pszObjId));
        require(blob_put(arena, value->data, value->length, &list[i].Value.cbData, &list[i].Value.pbData),
                SEC_E_INSUFFICIENT_MEMORY);
    }
    *count = (DWORD)n_extensions;
    *to = list;
    return SEC_E_OK;
}

static bool time_read(const ASN1_TIME *time, int64_t *filetime)
{
    struct tm parts;
    require(time != NULL && ASN1_TIME_to_tm(time, &parts) == 1, false);
    *filetime = filetime_from_unix(unix_from_utc(&parts));
    return true;
}

bool x509_is_now(const X509 *x509)
{
    int64_t now = filetime_now(), from, until;
    return time_read(X509_get0_notBefore(x509), &from) && time_read(X509_get0_notAfter(x509), &until) && from <= now &&
           now <= until;
}

/* 0 for one that cannot be read, or is before FILETIME's own beginning. */
static FILETIME filetime_of(const ASN1_TIME *time)
{
    int64_t read;
    uint64_t filetime = time_read(time, &read) && read > 0 ? (uint64_t)read : 0;
    return (FILETIME){.dwLowDateTime = (DWORD)filetime, .dwHighDateTime = (DWORD)(filetime >> 32)};
}

SECURITY_STATUS info_of_x509(struct arena *arena, const X509 *x509, CERT_INFO *info)
{
    const ASN1_BIT_STRING *issuer_id = NULL, *subject_id = NULL;
    X509_get0_uids(x509, &issuer_id, &subject_id);
    info->dwVersion = (DWORD)X509_get_version(x509);
    info->NotBefore = filetime_of(X509_get0_notBefore(x509));
    info->NotAfter = filetime_of(X509_get0_notAfter(x509));
    try(algorithm_put(arena, X509_get0_tbs_sigalg(x509), &info->SignatureAlgorithm));
    try(key_put(arena, x509, &info->SubjectPublicKeyInfo));
    try(extensions_put(arena, X509_get0_extensions(x509), &info->cExtension, &info->rgExtension));
    return memory_of(integer_put(arena, X509_get0_serialNumber(x509), &info->SerialNumber) &&
                     name_put(arena, X509_get_issuer_name(x509), &info->Issuer) &&
                     name_put(arena, X509_get_subject_name(x509), &info->Subject) &&
                     bits_put(arena, issuer_id, &info->IssuerUniqueId) &&
                     bits_put(arena, subject_id, &info->SubjectUniqueId));
}

SECURITY_STATUS info_of_crl(struct arena *arena, X509_CRL *crl, CRL_INFO *info)
{
    const X509_ALGOR *algorithm;
    X509_CRL_get0_signature(crl, NULL, &algorithm);
    STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(crl);
    int n_revoked = revoked == NULL ? 0 : sk_X509_REVOKED_num(revoked);
    info->dwVersion = (DWORD)X509_CRL_get_version(crl);
    info->ThisUpdate = filetime_of(X509_CRL_get0_lastUpdate(crl));
    info->NextUpdate = filetime_of(X509_CRL_get0_nextUpdate(crl));
    try(algorithm_put(arena, algorithm, &info->SignatureAlgorithm));
    try(extensions_put(arena, X509_CRL_get0_extensions(crl), &info->cExtension, &info->rgExtension));
    require(name_put(arena, X509_CRL_get_issuer(crl), &info->Issuer), SEC_E_INSUFFICIENT_MEMORY);
    if (n_revoked <= 0)
        return SEC_E_OK;
    info->rgCRLEntry = arena_array(arena, (size_t)n_revoked, sizeof *info->rgCRLEntry);
    require(info->rgCRLEntry != NULL, SEC_E_INSUFFICIENT_MEMORY);
    for (int i = 0; i < n_revoked; i++) {
        const X509_REVOKED *entry = sk_X509_REVOKED_value(revoked, i);
        CRL_ENTRY *to = &info->rgCRLEntry[i];
        to->RevocationDate = filetime_of(X509_REVOKED_get0_revocationDate(entry));
        require(integer_put(arena, X509_REVOKED_get0_serialNumber(entry), &to->SerialNumber),
                SEC_E_INSUFFICIENT_MEMORY);
        try(extensions_put(arena, X509_REVOKED_get0_extensions(entry), &to->cExtension, &to->rgExtension));
    }
    info->cCRLEntry = (DWORD)n_revoked;
    return SEC_E_OK;
}

/* The digits that count of an integer in little-endian two's complement: bytes at the end that only extend the sign do not. */
static struct slice integer_of(const CRYPT_INTEGER_BLOB *blob)
{
    size_t len = blob->pbData == NULL ? 0 : blob->cbData;
    while (len > 1) {
        BYTE top = blob->pbData[len - 1], below = blob->pbData[len - 2];
        if (!(top == 0 && (below & 0x80) == 0) && !(top == 0xFF && (below & 0x80) != 0))
            break;
        len--;
    }
    return slice_of(blob->pbData, len);
}

bool numbers_equal(const CRYPT_INTEGER_BLOB *a, const CRYPT_INTEGER_BLOB *b)
{
    return slice_equal(integer_of(a), integer_of(b));
}
