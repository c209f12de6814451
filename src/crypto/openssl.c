#include "crypto/openssl.h"

#include "base/lazy.h"
#include "base/memory.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>

static void *cipher_fetch(const void *name)
{
    OPENSSL_QUIET;
    return openssl_alive() ? EVP_CIPHER_fetch(NULL, name, NULL) : NULL;
}

static void cipher_free(void *cipher)
{
    EVP_CIPHER_free(cipher);
}

const EVP_CIPHER *openssl_cipher(_Atomic(void *) *kept, const char *name)
{
    return lazy_get(kept, cipher_fetch, cipher_free, name);
}

static void *hash_fetch(const void *name)
{
    OPENSSL_QUIET;
    return openssl_alive() ? EVP_MD_fetch(NULL, name, NULL) : NULL;
}

static void hash_free(void *hash)
{
    EVP_MD_free(hash);
}

const EVP_MD *openssl_hash(_Atomic(void *) *kept, const char *name)
{
    return lazy_get(kept, hash_fetch, hash_free, name);
}

struct own_context {
    OSSL_LIB_CTX *context;
    OSSL_PROVIDER *provider;
};

static void context_free(void *own)
{
    struct own_context *made = own;
    if (made->provider != NULL)
        (void)OSSL_PROVIDER_unload(made->provider); /* to free its context is not enough */
    OSSL_LIB_CTX_free(made->context);
    mem_free(made);
}

static void *context_make(const void *how)
{
    const struct openssl_provider *provider = how;
    OPENSSL_QUIET;
    struct own_context *made = mem_zalloc(sizeof *made);
    require(made != NULL, NULL);
    made->context = openssl_alive() ? OSSL_LIB_CTX_new() : NULL;
    if (made->context != NULL &&
        (provider->init == NULL || OSSL_PROVIDER_add_builtin(made->context, provider->name, provider->init) == 1))
        made->provider = OSSL_PROVIDER_load(made->context, provider->name);
    if (made->provider != NULL)
        return made;
    context_free(made);
    return NULL;
}

OSSL_LIB_CTX *openssl_context(_Atomic(void *) *kept, const struct openssl_provider *provider)
{
    const struct own_context *own = lazy_get(kept, context_make, context_free, provider);
    return own != NULL ? own->context : NULL;
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

bool openssl_alive(void)
{
    return OPENSSL_init_crypto(0, NULL) == 1;
}

void openssl_thread_end(void)
{
    OPENSSL_thread_stop();
}
