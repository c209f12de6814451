#include "crypto/des.h"

#include "base/secret.h"
#include "crypto/openssl.h"

#include <openssl/evp.h>
#include <string.h>

static _Atomic(void *) triple_des;

/* MS-NLMP 6, DES(K, D): 56 key bits in groups of seven, each followed by a parity bit, which DES ignores. */
void des_key_spread(const uint8_t key[7], uint8_t spread[8])
{
    spread[0] = key[0];
    for (unsigned i = 1; i < 7; i++)
        spread[i] = (uint8_t)(key[i - 1] << (8 - i) | key[i] >> i);
    spread[7] = (uint8_t)(key[6] << 1);
}

bool des_encrypt7(const uint8_t key[7], const uint8_t in[8], uint8_t out[8])
{
    const EVP_CIPHER *cipher = openssl_cipher(&triple_des, "DES-EDE3-ECB");
    EVP_CIPHER_CTX *context;
    uint8_t keys[24], encrypted[8];
    int encrypted_len = 0;
    bool done;
    OPENSSL_QUIET;

    if (cipher == NULL)
        return false;
    context = EVP_CIPHER_CTX_new();
    if (context == NULL)
        return false;
    /* Encrypting, decrypting and encrypting under one key is encrypting once. */
    for (size_t i = 0; i < 3; i++)
        des_key_spread(key, keys + 8 * i);
    done = EVP_EncryptInit_ex2(context, cipher, keys, NULL, NULL) == 1 && EVP_CIPHER_CTX_set_padding(context, 0) == 1 &&
           EVP_EncryptUpdate(context, encrypted, &encrypted_len, in, 8) == 1 && encrypted_len == 8;
    if (done)
        memcpy(out, encrypted, sizeof(encrypted));
    EVP_CIPHER_CTX_free(context);
    secret_wipe(keys, sizeof(keys));
    secret_wipe(encrypted, sizeof(encrypted)); /* of an LM hash it is half a password */
    return done;
}
