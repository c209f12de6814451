#include "crypto/aead.h"

#include "base/secret.h"
#include "crypto/openssl.h"
#include <limits.h>
#include <openssl/evp.h>
#include <string.h>

static EVP_CIPHER_CTX *context_new(void)
{
    return openssl_alive() ? EVP_CIPHER_CTX_new() : NULL;
}

static void context_release(EVP_CIPHER_CTX **context)
{
    EVP_CIPHER_CTX_free(*context); /* wipes the key schedule */
}

static bool run(EVP_CIPHER_CTX *context, const struct slice *bound, size_t n_bound, struct slice_mut data)
{
    int len;
    for (size_t i = 0; i < n_bound; i++) {
        require(bound[i].len <= INT_MAX, false);
        if (bound[i].len > 0)
            require(EVP_CipherUpdate(context, NULL, &len, bound[i].data, (int)bound[i].len) == 1, false);
    }
    require(data.len <= INT_MAX, false);
    return data.len == 0 ||
           (EVP_CipherUpdate(context, data.data, &len, data.data, (int)data.len) == 1 && (size_t)len == data.len);
}

bool aead_seal(const uint8_t key[AEAD_KEY_LEN], const uint8_t nonce[AEAD_NONCE_LEN], const struct slice *bound,
               size_t n_bound, struct slice_mut data, uint8_t tag[AEAD_TAG_LEN])
{
    OPENSSL_QUIET;
    __attribute__((cleanup(context_release))) EVP_CIPHER_CTX *context = context_new();
    uint8_t rest[EVP_MAX_BLOCK_LENGTH];
    int len;
    return context != NULL && EVP_CipherInit_ex(context, EVP_aes_256_gcm(), NULL, key, nonce, 1) == 1 &&
           run(context, bound, n_bound, data) && EVP_CipherFinal_ex(context, rest, &len) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_LEN, tag) == 1;
}

bool aead_open(const uint8_t key[AEAD_KEY_LEN], const uint8_t nonce[AEAD_NONCE_LEN], const struct slice *bound,
               size_t n_bound, struct slice_mut data, const uint8_t tag[AEAD_TAG_LEN])
{
    OPENSSL_QUIET;
    __attribute__((cleanup(context_release))) EVP_CIPHER_CTX *context = context_new();
    uint8_t expected[AEAD_TAG_LEN], rest[EVP_MAX_BLOCK_LENGTH];
    int len;
    memcpy(expected, tag, sizeof expected);
    bool opened = context != NULL && EVP_CipherInit_ex(context, EVP_aes_256_gcm(), NULL, key, nonce, 0) == 1 &&
                  EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG_LEN, expected) == 1 &&
                  run(context, bound, n_bound, data) && EVP_CipherFinal_ex(context, rest, &len) == 1;
    if (!opened)
        secret_wipe(data.data, data.len);
    return opened;
}
