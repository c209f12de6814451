#include "certificates/kept_key.h"

#include "certificates/kept_provider.h"
#include "certificates/openssl.h"
#include "core/cause.h"
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <string.h>
#include <wincrypt.h>

/* Keys that others keep, as EVP_PKEYs; what OpenSSL calls of them is in kept_provider.c. */

#define SPKI_MAX 65536 /* a public key: RSA's of 16384 bits has 2 KiB */

static const struct key_keeper *current; /* set before there are threads */

void key_keeper_set(const struct key_keeper *keeper)
{
    current = keeper;
}

/* Made for the first such key, for few processes have one: a fork amid that may leave the child what OpenSSL allows a child. */
static OSSL_LIB_CTX *own_get(void)
{
    static const struct openssl_provider ours = {KEPT_PROVIDER, kept_provider_init};
    static _Atomic(void *) kept;
    return openssl_context(&kept, &ours);
}

bool kept_key_is_place(const char *place)
{
    return strncmp(place, KEPT_KEY_PREFIX, strlen(KEPT_KEY_PREFIX)) == 0;
}

static bool name_is_fit(const char *name)
{
    size_t len = strlen(name);
    return len > 0 && len <= KEPT_KEY_NAME_MAX && strspn(name, KEPT_KEY_NAME_CHARACTERS) == len;
}

/* The provider's import takes the whole of it; the caller's references stay the caller's. */
static EVP_PKEY *pkey_make(const struct kept_source *source)
{
    AUTO_OPENSSL(pkey_ctx)
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(own_get(), EVP_PKEY_get0_type_name(source->public), NULL);
    EVP_PKEY *made = NULL;
    void *pointer = (void *)(uintptr_t)source;
    OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_ptr(KEPT_PARAM_SOURCE, &pointer, sizeof *source),
                           OSSL_PARAM_construct_end()};
    if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &made, EVP_PKEY_KEYPAIR, params) != 1)
        return NULL;
    return made;
}

SECURITY_STATUS kept_key_open(const char *place, EVP_PKEY **pkey)
{
    OPENSSL_QUIET;
    const char *name = place + strlen(KEPT_KEY_PREFIX);
    struct kept_source source = {.keeper = current, .name = name};
    AUTO_WRITER struct writer spki = writer_growing(512);
    AUTO_OPENSSL(pkey) EVP_PKEY *public = NULL;
    require(name_is_fit(name), cause_set(NTE_BAD_KEYSET, "\"%.80s\" is no name of a key", name));
    require(current != NULL, cause_set(NTE_BAD_KEYSET, "the security authority asks nobody for keys"));
    require(own_get() != NULL, SEC_E_INSUFFICIENT_MEMORY);
    try(current->find(name, &spki));
    const unsigned char *at = spki.data;
    if (spki.len > 0 && spki.len <= SPKI_MAX)
    public = d2i_PUBKEY(NULL, &at, (long)spki.len);
    require(public != NULL && at == spki.data + spki.len &&
                EVP_Q_digest(NULL, "SHA256", NULL, spki.data, spki.len, source.hash, NULL) == 1,
            cause_set(NTE_BAD_KEYSET, "what the security authority gave for \"%s\" is no public key", name));
    source.public = public;
    *pkey = pkey_make(&source);
    require(*pkey != NULL,
            cause_set(NTE_BAD_KEYSET, "the key \"%s\" is of a kind that signs nothing in TLS, or there is no memory",
                      name));
    return SEC_E_OK;
}

bool key_is_kept(const EVP_PKEY *pkey)
{
    const OSSL_PROVIDER *provider = EVP_PKEY_get0_provider(pkey);
    return provider != NULL && strcmp(OSSL_PROVIDER_get0_name(provider), KEPT_PROVIDER) == 0;
}
