#include "crypto/des3_cbc.h"

#include "base/memory.h"
#include "base/secret.h"
#include "crypto/des.h"
#include "crypto/openssl.h"
#include <limits.h>
#include <openssl/evp.h>
#include <string.h>

struct des3_cbc {
    EVP_CIPHER_CTX *context;
    uint8_t vector[DES_BLOCK_LEN];
    bool encrypting;
};

struct des3_cbc *des3_cbc_new(const uint8_t key[16], bool encrypting)
{
    static _Atomic(void *) triple_des;
    const EVP_CIPHER *type = openssl_cipher(&triple_des, "DES-EDE3-CBC");
    uint8_t keys[24];
    OPENSSL_QUIET;
    struct des3_cbc *cipher = mem_zalloc(sizeof *cipher);
    require(cipher != NULL, NULL);
    des_key_spread(key, keys);
    des_key_spread(key + 7, keys + 8);
    memcpy(keys + 16, keys, 8);
    memcpy(cipher->vector, key + 8, sizeof cipher->vector);
    cipher->encrypting = encrypting;
    cipher->context = type != NULL ? EVP_CIPHER_CTX_new() : NULL;
    bool done = cipher->context != NULL &&
                EVP_CipherInit_ex2(cipher->context, type, keys, cipher->vector, encrypting ? 1 : 0, NULL) == 1 &&
                EVP_CIPHER_CTX_set_padding(cipher->context, 0) == 1;
    secret_wipe(keys, sizeof keys);
    if (!done) {
        des3_cbc_free(cipher);
        return NULL;
    }
    return cipher;
}

void des3_cbc_free(struct des3_cbc *cipher)
{
    if (cipher == NULL)
        return;
    EVP_CIPHER_CTX_free(cipher->context);
    secret_wipe(cipher, sizeof *cipher);
    mem_free(cipher);
}

bool des3_cbc_crypt(struct des3_cbc *cipher, uint8_t *data, size_t len)
{
    uint8_t last[DES_BLOCK_LEN];
    int done_len = 0;
    OPENSSL_QUIET;
    require(len % DES_BLOCK_LEN == 0 && len <= INT_MAX, false);
    if (len == 0)
        return true;
    memcpy(last, data + len - DES_BLOCK_LEN, sizeof last);
    require(EVP_CipherUpdate(cipher->context, data, &done_len, data, (int)len) == 1 && (size_t)done_len == len, false);
    memcpy(cipher->vector, cipher->encrypting ? data + len - DES_BLOCK_LEN : last, sizeof last);
    return true;
}

void des3_cbc_vector(const struct des3_cbc *cipher, uint8_t vector[DES_BLOCK_LEN])
{
    memcpy(vector, cipher->vector, DES_BLOCK_LEN);
}

bool des3_cbc_vector_set(struct des3_cbc *cipher, const uint8_t vector[DES_BLOCK_LEN])
{
    OPENSSL_QUIET;
    memcpy(cipher->vector, vector, DES_BLOCK_LEN);
    return EVP_CipherInit_ex2(cipher->context, NULL, NULL, cipher->vector, -1, NULL) == 1;
}
