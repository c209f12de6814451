#include "crypto/openssl.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdatomic.h>

const EVP_CIPHER *openssl_cipher(_Atomic(EVP_CIPHER *) *kept, const char *name)
{
    EVP_CIPHER *cipher = atomic_load_explicit(kept, memory_order_acquire), *expected = NULL;
    if (cipher != NULL)
        return cipher;
    OPENSSL_QUIET;
    cipher = EVP_CIPHER_fetch(NULL, name, NULL);
    if (cipher != NULL && !atomic_compare_exchange_strong(kept, &expected, cipher)) {
        EVP_CIPHER_free(cipher);
        cipher = expected;
    }
    return cipher;
}

void openssl_begin(void)
{
    (void)OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL); /* of nothing it would register nothing */
}

void openssl_thread_end(void)
{
    OPENSSL_thread_stop();
}
