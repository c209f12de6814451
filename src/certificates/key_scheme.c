#include "certificates/key_scheme.h"

#include "base/memory.h"
#include "certificates/openssl.h"
#include "core/cause.h"
#include <openssl/rsa.h>

static const struct scheme {
    uint16_t number;
    int kind, padding;
    const char *hash; /* NULL: the whole message is signed */
} schemes[] = {
    {0x0401, EVP_PKEY_RSA, RSA_PKCS1_PADDING, "SHA256"},
    {0x0501, EVP_PKEY_RSA, RSA_PKCS1_PADDING, "SHA384"},
    {0x0601, EVP_PKEY_RSA, RSA_PKCS1_PADDING, "SHA512"},
    {0x0301, EVP_PKEY_RSA, RSA_PKCS1_PADDING, "SHA224"},
    {0x0201, EVP_PKEY_RSA, RSA_PKCS1_PADDING, "SHA1"},
    {SCHEME_RSA_PKCS1_MD5_SHA1, EVP_PKEY_RSA, RSA_PKCS1_PADDING, "MD5-SHA1"},
    {0x0804, EVP_PKEY_RSA, RSA_PKCS1_PSS_PADDING, "SHA256"},
    {0x0805, EVP_PKEY_RSA, RSA_PKCS1_PSS_PADDING, "SHA384"},
    {0x0806, EVP_PKEY_RSA, RSA_PKCS1_PSS_PADDING, "SHA512"},
    {0x0809, EVP_PKEY_RSA_PSS, RSA_PKCS1_PSS_PADDING, "SHA256"},
    {0x080a, EVP_PKEY_RSA_PSS, RSA_PKCS1_PSS_PADDING, "SHA384"},
    {0x080b, EVP_PKEY_RSA_PSS, RSA_PKCS1_PSS_PADDING, "SHA512"},
    {0x0403, EVP_PKEY_EC, 0, "SHA256"}, /* the curve is the key's */
    {0x0503, EVP_PKEY_EC, 0, "SHA384"},
    {0x0603, EVP_PKEY_EC, 0, "SHA512"},
    {0x0303, EVP_PKEY_EC, 0, "SHA224"},
    {0x0203, EVP_PKEY_EC, 0, "SHA1"},
    {0x0807, EVP_PKEY_ED25519, 0, NULL},
    {0x0808, EVP_PKEY_ED448, 0, NULL},
};

OPENSSL_AUTO(EVP_MD_CTX, md_ctx, EVP_MD_CTX_free)
OPENSSL_AUTO(EVP_MD, md, EVP_MD_free)

uint16_t key_scheme_find(int kind, const EVP_MD *hash, int padding)
{
    bool rsa = kind == EVP_PKEY_RSA || kind == EVP_PKEY_RSA_PSS;
    for (size_t i = 0; i < COUNT_OF(schemes); i++)
        if (schemes[i].kind == kind && (!rsa || schemes[i].padding == padding) &&
            (hash == NULL ? schemes[i].hash == NULL : schemes[i].hash != NULL && EVP_MD_is_a(hash, schemes[i].hash)))
            return schemes[i].number;
    return 0;
}

static SECURITY_STATUS message_sign(EVP_PKEY *pkey, struct slice message, uint8_t *signature, size_t *len)
{
    AUTO_OPENSSL(md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    require(ctx != NULL, SEC_E_INSUFFICIENT_MEMORY);
    return EVP_DigestSignInit_ex(ctx, NULL, NULL, NULL, NULL, pkey, NULL) == 1 &&
                   EVP_DigestSign(ctx, signature, len, message.data, message.len) == 1
               ? SEC_E_OK
               : cause_set(NTE_BAD_KEY_STATE, "OpenSSL does not sign with this key");
}

static SECURITY_STATUS digest_sign(EVP_PKEY *pkey, const struct scheme *scheme, struct slice digest, uint8_t *signature,
                                   size_t *len)
{
    AUTO_OPENSSL(pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    AUTO_OPENSSL(md) EVP_MD *hash = EVP_MD_fetch(NULL, scheme->hash, NULL);
    require(ctx != NULL && hash != NULL, cause_set(NTE_BAD_KEY_STATE, "OpenSSL has no %s here", scheme->hash));
    require(digest.len == (size_t)EVP_MD_get_size(hash),
            cause_set(SEC_E_INVALID_TOKEN, "%zu bytes are no digest of %s", digest.len, scheme->hash));
    bool signs = EVP_PKEY_sign_init(ctx) == 1 &&
                 (scheme->padding == 0 || EVP_PKEY_CTX_set_rsa_padding(ctx, scheme->padding) == 1) &&
                 EVP_PKEY_CTX_set_signature_md(ctx, hash) == 1 &&
                 (scheme->padding != RSA_PKCS1_PSS_PADDING ||
                  EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1) &&
                 EVP_PKEY_sign(ctx, signature, len, digest.data, digest.len) == 1;
    return signs ? SEC_E_OK : cause_set(NTE_BAD_KEY_STATE, "OpenSSL does not sign so with this key");
}

SECURITY_STATUS key_scheme_sign(EVP_PKEY *pkey, uint16_t number, struct slice data, struct writer *signature)
{
    OPENSSL_QUIET;
    const struct scheme *scheme = NULL;
    uint8_t bytes[KEY_SIGNATURE_MAX];
    size_t len = sizeof bytes;
    for (size_t i = 0; i < COUNT_OF(schemes); i++)
        if (schemes[i].number == number)
            scheme = &schemes[i];
    require(scheme != NULL && scheme->kind == EVP_PKEY_get_base_id(pkey),
            cause_set(NTE_BAD_ALGID, "no signature 0x%04x is made with this kind of key", (unsigned)number));
    require(EVP_PKEY_get_size(pkey) > 0 && (size_t)EVP_PKEY_get_size(pkey) <= sizeof bytes,
            cause_set(NTE_BAD_KEY_STATE, "signatures of this key are too long"));
    try(scheme->hash != NULL ? digest_sign(pkey, scheme, data, bytes, &len) : message_sign(pkey, data, bytes, &len));
    writer_bytes(signature, bytes, len);
    return writer_finish(signature) == WIRE_OK ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}
