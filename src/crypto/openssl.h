/*
 * OpenSSL's error queue left as the host had it, and what a process has of it once: ciphers, hashes, library contexts, indices.
 */
#ifndef OPENSSPI_CRYPTO_OPENSSL_H
#define OPENSSPI_CRYPTO_OPENSSL_H

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/types.h>
#include <stdatomic.h>
#include <stdbool.h>

static inline void openssl_errors_drop(const int *mark)
{
    (void)mark;
    ERR_pop_to_mark();
}
/* At the head of a function: what OpenSSL complains of until its end is forgotten, what the host has not read yet stays. */
#define OPENSSL_QUIET __attribute__((cleanup(openssl_errors_drop), unused)) int openssl_mark = ERR_set_mark()

/* What the first caller gets and the process keeps in `*kept` (base/lazy.h): a cipher or a hash by its name. NULL: OpenSSL does not have it (without
 * its legacy provider, or in FIPS mode), or there is no memory. */
const EVP_CIPHER *openssl_cipher(_Atomic(void *) *kept, const char *name);
const EVP_MD *openssl_hash(_Atomic(void *) *kept, const char *name);

struct openssl_provider {
    const char *name;
    OSSL_provider_init_fn *init; /* NULL: it is one of OpenSSL's */
};
/* A library context of our own, with this provider: kept in the same way. The host's never learns of it. NULL: there is no memory. */
OSSL_LIB_CTX *openssl_context(_Atomic(void *) *kept, const struct openssl_provider *provider);

/* The index of extra data of a class (CRYPTO_EX_INDEX_SSL, ...), which the first caller gets and the process keeps in `*kept`, -1 before. -1: there
 * is no memory; that is not kept. */
int openssl_index(atomic_int *kept, int kind, CRYPTO_EX_free *release);

/* OpenSSL has begun, and registered what it does at the process' end: what is registered with atexit after this call runs before that. */
void openssl_begin(void);

/* False once OpenSSL has cleaned up at the process' end, among the functions of atexit: what fetches or locks crashes after that, and some of the
 * host's functions and destructors come later. Behind OPENSSL_QUIET. */
bool openssl_alive(void);

/* OpenSSL frees what it keeps for the calling thread. */
void openssl_thread_end(void);

#endif
