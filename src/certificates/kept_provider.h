/*
 * The OpenSSL provider of keys that others keep (kept_key.h): kinds of keys, and signatures with them.
 */
#ifndef OPENSSPI_CERTIFICATES_KEPT_PROVIDER_H
#define OPENSSPI_CERTIFICATES_KEPT_PROVIDER_H

#include "certificates/kept_key.h"
#include <openssl/core.h>
#include <openssl/core_dispatch.h>

#define KEPT_PROVIDER "opensspi-kept"
#define KEPT_PARAM_SOURCE "opensspi-kept-source" /* an octet pointer to a kept_source, of which a key is made */
#define KEPT_KEY_NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

/* An entry of the tables by which OpenSSL finds a provider's functions. */
#define KEPT_FUNCTION(id, function)       \
    {                                     \
        (id), (void (*)(void))(function), \
    }

struct kept_source {
    const struct key_keeper *keeper;
    const char *name;
    uint8_t hash[KEPT_KEY_HASH_LEN];
    EVP_PKEY *public; /* of the library context that everybody uses */
};

/* What such a key is to the provider. Immutable once it was imported; counted. */
struct kept_key;
struct kept_key *kept_key_retain(struct kept_key *key);
void kept_key_put(void *key); /* NULL is fine */
EVP_PKEY *kept_key_public(const struct kept_key *key);
/* Asks the keeper; a failure is kept_key_failure's afterwards. */
bool kept_key_sign(const struct kept_key *key, uint16_t scheme, struct slice data, struct writer *signature);

extern const OSSL_ALGORITHM kept_keys[], kept_signatures[];
int kept_provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out,
                       void **provider);

#endif
