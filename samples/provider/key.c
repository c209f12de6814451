/* Keys: HMAC-SHA256 and random bytes, by OpenSSL. */
#include "provider.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

bool key_hmac(const uint8_t *key, size_t key_len, const struct piece *pieces, size_t n_pieces, uint8_t mac[KEY_LEN])
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("digest", digest, 0), OSSL_PARAM_construct_end()};
    EVP_MAC *algorithm = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = algorithm != NULL ? EVP_MAC_CTX_new(algorithm) : NULL;
    size_t len = 0;
    bool good = context != NULL && EVP_MAC_init(context, key, key_len, params) == 1;
    for (size_t i = 0; good && i < n_pieces; i++)
        good = pieces[i].len == 0 || EVP_MAC_update(context, pieces[i].data, pieces[i].len) == 1;
    good = good && EVP_MAC_final(context, mac, &len, KEY_LEN) == 1 && len == KEY_LEN;
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(algorithm);
    return good;
}

bool key_random(void *data, size_t len)
{
    return RAND_bytes(data, (int)len) == 1;
}

bool key_same(const uint8_t *a, const uint8_t *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

void key_wipe(void *data, size_t len)
{
    OPENSSL_cleanse(data, len);
}
