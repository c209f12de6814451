#include "certificates/kept_provider.h"

#include "base/memory.h"
#include "certificates/key_scheme.h"
#include "certificates/openssl.h"
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* provider-signature(7), of it what a handshake uses: EVP_DigestSign. The digest is made here, the signature by the keeper. */

struct signing {
    struct kept_key *key;
    EVP_MD *md;       /* NULL: the key signs whole messages */
    EVP_MD_CTX *hash; /* begun */
    int padding;      /* of RSA */
};

static void signing_free(void *data)
{
    struct signing *signing = data;
    if (signing == NULL)
        return;
    kept_key_put(signing->key);
    EVP_MD_CTX_free(signing->hash);
    EVP_MD_free(signing->md);
    mem_free(signing);
}

static void *signing_new(void *provider, const char *properties)
{
    (void)provider;
    (void)properties;
    return mem_zalloc(sizeof(struct signing));
}

static void *signing_dup(void *data)
{
    const struct signing *from = data;
    struct signing *copy = mem_zalloc(sizeof *copy);
    require(copy != NULL, NULL);
    copy->padding = from->padding;
    copy->key = from->key != NULL ? kept_key_retain(from->key) : NULL;
    if (from->md != NULL && EVP_MD_up_ref(from->md) == 1)
        copy->md = from->md;
    if (from->hash != NULL)
        copy->hash = EVP_MD_CTX_new();
    if ((from->md != NULL && copy->md == NULL) ||
        (from->hash != NULL && (copy->hash == NULL || EVP_MD_CTX_copy_ex(copy->hash, from->hash) != 1))) {
        signing_free(copy);
        return NULL;
    }
    return copy;
}

static bool whole_messages(const struct signing *signing)
{
    int kind = EVP_PKEY_get_base_id(kept_key_public(signing->key));
    return kind == EVP_PKEY_ED25519 || kind == EVP_PKEY_ED448;
}

static bool is_rsa(const struct signing *signing)
{
    int kind = EVP_PKEY_get_base_id(kept_key_public(signing->key));
    return kind == EVP_PKEY_RSA || kind == EVP_PKEY_RSA_PSS;
}

static bool padding_take(struct signing *signing, const OSSL_PARAM *given)
{
    int padding = 0;
    if (given->data_type == OSSL_PARAM_UTF8_STRING && given->data != NULL)
        padding = strcasecmp(given->data, OSSL_PKEY_RSA_PAD_MODE_PSS) == 0       ? RSA_PKCS1_PSS_PADDING
                  : strcasecmp(given->data, OSSL_PKEY_RSA_PAD_MODE_PKCSV15) == 0 ? RSA_PKCS1_PADDING
                                                                                 : 0;
    else if (OSSL_PARAM_get_int(given, &padding) != 1)
        return false;
    require(padding == RSA_PKCS1_PADDING || padding == RSA_PKCS1_PSS_PADDING, false);
    signing->padding = padding;
    return true;
}

/* TLS' salts are as long as the hash; the keeper makes no others. */
static bool salt_is_the_hashs(const struct signing *signing, const OSSL_PARAM *given)
{
    int len = 0;
    if (given->data_type != OSSL_PARAM_UTF8_STRING)
        (void)OSSL_PARAM_get_int(given, &len);
    else if (given->data != NULL) /* a word, or digits */
        len = strcmp(given->data, OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST) == 0 ? RSA_PSS_SALTLEN_DIGEST
                                                                          : (int)strtol(given->data, NULL, 10);
    return len == RSA_PSS_SALTLEN_DIGEST || (signing->md != NULL && len == EVP_MD_get_size(signing->md));
}

static int signing_set_params(void *data, const OSSL_PARAM params[])
{
    struct signing *signing = data;
    const OSSL_PARAM *given;
    if (params == NULL)
        return 1;
    if ((given = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE)) != NULL)
        require(padding_take(signing, given), 0);
    if ((given = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN)) != NULL)
        require(salt_is_the_hashs(signing, given), 0);
    if ((given = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_MGF1_DIGEST)) != NULL)
        require(given->data_type == OSSL_PARAM_UTF8_STRING && signing->md != NULL && given->data != NULL &&
                    EVP_MD_is_a(signing->md, given->data),
                0);
    return 1;
}

static const OSSL_PARAM *signing_settable_params(void *data, void *provider)
{
    static const OSSL_PARAM params[] = {OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
                                        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
                                        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, NULL, 0),
                                        OSSL_PARAM_END};
    (void)data;
    (void)provider;
    return params;
}

static int signing_init(void *data, const char *hash, void *key, const OSSL_PARAM params[])
{
    struct signing *signing = data;
    if (key != NULL) {
        kept_key_put(signing->key);
        signing->key = kept_key_retain(key);
    }
    require(signing->key != NULL && kept_key_public(signing->key) != NULL, 0);
    EVP_MD_CTX_free(STEAL(signing->hash));
    EVP_MD_free(STEAL(signing->md));
    signing->padding = !is_rsa(signing)                                                          ? 0
                       : EVP_PKEY_get_base_id(kept_key_public(signing->key)) == EVP_PKEY_RSA_PSS ? RSA_PKCS1_PSS_PADDING
                                                                                                 : RSA_PKCS1_PADDING;
    if (whole_messages(signing)) {
        require(hash == NULL || *hash == '\0', 0);
        return signing_set_params(signing, params);
    }
    signing->md = EVP_MD_fetch(NULL, hash != NULL && *hash != '\0' ? hash : "SHA256", NULL);
    signing->hash = EVP_MD_CTX_new();
    return signing->md != NULL && signing->hash != NULL && EVP_DigestInit_ex2(signing->hash, signing->md, NULL) == 1 &&
           signing_set_params(signing, params);
}

static int signing_update(void *data, const unsigned char *bytes, size_t len)
{
    struct signing *signing = data;
    return signing->hash != NULL && EVP_DigestUpdate(signing->hash, bytes, len) == 1;
}

static int signature_give(const struct signing *signing, struct slice data, unsigned char *signature, size_t *len,
                          size_t room)
{
    AUTO_WRITER struct writer made = writer_growing(512);
    uint16_t scheme =
        key_scheme_find(EVP_PKEY_get_base_id(kept_key_public(signing->key)), signing->md, signing->padding);
    require(scheme != 0 && kept_key_sign(signing->key, scheme, data, &made) && made.len <= room, 0);
    memcpy(signature, made.data, made.len);
    *len = made.len;
    return 1;
}

static bool size_tell(const struct signing *signing, size_t *len)
{
    int size = EVP_PKEY_get_size(kept_key_public(signing->key));
    *len = size > 0 ? (size_t)size : 0;
    return size > 0;
}

static int signing_final(void *data, unsigned char *signature, size_t *len, size_t room)
{
    struct signing *signing = data;
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned digest_len = 0;
    require(signing->key != NULL && signing->hash != NULL, 0);
    if (signature == NULL)
        return size_tell(signing, len);
    return EVP_DigestFinal_ex(signing->hash, digest, &digest_len) == 1 &&
           signature_give(signing, slice_of(digest, digest_len), signature, len, room);
}

/* Nothing in two calls is hashed twice: the first, without room, asks for the length alone. */
static int signing_whole(void *data, unsigned char *signature, size_t *len, size_t room, const unsigned char *message,
                         size_t message_len)
{
    struct signing *signing = data;
    require(signing->key != NULL, 0);
    if (signature == NULL)
        return size_tell(signing, len);
    if (signing->md == NULL)
        return signature_give(signing, slice_of(message, message_len), signature, len, room);
    return signing_update(signing, message, message_len) && signing_final(signing, signature, len, room);
}

static const OSSL_DISPATCH functions[] = {
    KEPT_FUNCTION(OSSL_FUNC_SIGNATURE_NEWCTX, signing_new),
    KEPT_FUNCTION(OSSL_FUNC_SIGNATURE_FREECTX, signing_free),
    KEPT_FUNCTION(OSSL_FUNC_SIGNATURE_DUPCTX, signing_dup),
    KEPT_FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, signing_init),
    KEPT_FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, signing_update),
    KEPT_FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, signing_final),
    KEPT_FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, signing_whole),
    KEPT_FUNCTION(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, signing_set_params),
    KEPT_FUNCTION(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, signing_settable_params),
    {0, NULL},
};

const OSSL_ALGORITHM kept_signatures[] = {
    {"RSA", "", functions, NULL},   {"ECDSA", "", functions, NULL}, {"ED25519", "", functions, NULL},
    {"ED448", "", functions, NULL}, {NULL, NULL, NULL, NULL},
};
