#include "crypto/openssl.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

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

int openssl_index(atomic_int *kept, int kind, CRYPTO_EX_free *release)
{
    int index = atomic_load_explicit(kept, memory_order_acquire), expected = -1;
    if (index >= 0)
        return index;
    OPENSSL_QUIET;
    index = CRYPTO_get_ex_new_index(kind, 0, NULL, NULL, NULL, release);
    if (index >= 0 && !atomic_compare_exchange_strong(kept, &expected, index)) {
        (void)CRYPTO_free_ex_index(kind, index);
        index = expected;
    }
    return index;
}

void openssl_begin(void)
{
    (void)OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL); /* of nothing it would register nothing */
}

void openssl_thread_end(void)
{
    OPENSSL_thread_stop();
}
