/*
 * What a process has of OpenSSL once, for TLS and for PFX files: where there was no memory for it, the next call makes it.
 * build: all
 */
#include "crypto/openssl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "support/tls_loop.h"
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <sspi_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* OpenSSL says which of its files asks for memory. */
static const char *fault_file; /* NULL: there is memory */
static unsigned fault_nth;     /* of that file's; 0: all */
static unsigned n_asked;

static bool strikes(const char *file)
{
    if (fault_file == NULL || file == NULL || strstr(file, fault_file) == NULL)
        return false;
    n_asked++;
    return fault_nth == 0 || n_asked == fault_nth;
}

static void *short_malloc(size_t len, const char *file, int line)
{
    (void)line;
    return strikes(file) ? NULL : malloc(len);
}

static void *short_realloc(void *block, size_t len, const char *file, int line)
{
    (void)line;
    return strikes(file) ? NULL : realloc(block, len);
}

static void short_free(void *block, const char *file, int line)
{
    (void)file, (void)line;
    free(block);
}

static void fault_set(const char *file, unsigned nth)
{
    fault_file = file;
    fault_nth = nth;
    n_asked = 0;
}

static void test_index(void **state)
{
    atomic_int kept = -1;
    (void)state;
    fault_set("ex_data.c", 0);
    assert_int_equal(openssl_index(&kept, CRYPTO_EX_INDEX_APP, NULL), -1);
    assert_int_equal(n_asked, 1);
    assert_int_equal(kept, -1);
    assert_int_equal(ERR_peek_error(), 0);
    fault_set(NULL, 0);
    int index = openssl_index(&kept, CRYPTO_EX_INDEX_APP, NULL);
    assert_true(index >= 0);
    assert_int_equal(kept, index);
    assert_int_equal(openssl_index(&kept, CRYPTO_EX_INDEX_APP, NULL), index);
}

/* Threads that want the same things at once all get the same ones; what the others made is freed, which the sanitizer sees. */

#define RACERS 4
#define ROUNDS 20

static pthread_barrier_t start;

struct wanted {
    _Atomic(void *) cipher, hash, context;
};

struct got {
    struct wanted *wanted;
    const EVP_CIPHER *cipher;
    const EVP_MD *hash;
    OSSL_LIB_CTX *context;
};

static void *want(void *argument)
{
    static const struct openssl_provider usual = {"default", NULL};
    struct got *got = argument;
    (void)pthread_barrier_wait(&start);
    got->context = openssl_context(&got->wanted->context, &usual);
    got->hash = openssl_hash(&got->wanted->hash, "SHA2-256");
    got->cipher = openssl_cipher(&got->wanted->cipher, "AES-128-CBC");
    return NULL;
}

static void test_race(void **state)
{
    static struct wanted wanted[ROUNDS]; /* what is kept is kept for good */
    (void)state;
    assert_int_equal(pthread_barrier_init(&start, NULL, RACERS), 0);
    for (int round = 0; round < ROUNDS; round++) {
        struct got got[RACERS];
        pthread_t threads[RACERS];
        for (int i = 0; i < RACERS; i++) {
            got[i] = (struct got){.wanted = &wanted[round]};
            assert_int_equal(pthread_create(&threads[i], NULL, want, &got[i]), 0);
        }
        for (int i = 0; i < RACERS; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        for (int i = 0; i < RACERS; i++) {
            assert_true(got[i].cipher != NULL && got[i].cipher == got[0].cipher);
            assert_true(got[i].hash != NULL && got[i].hash == got[0].hash);
            assert_true(got[i].context != NULL && got[i].context == got[0].context);
        }
    }
    assert_int_equal(pthread_barrier_destroy(&start), 0);
}

/* What there is no memory for, or what OpenSSL does not have, is not kept; nor is a complaint about it. */
static void test_failures(void **state)
{
    static const struct openssl_provider none = {"no such provider", NULL}, usual = {"default", NULL};
    static _Atomic(void *) cipher, hash, context; /* static: kept for good */
    (void)state;
    assert_null(openssl_cipher(&cipher, "no such cipher"));
    assert_null(openssl_hash(&hash, "no such hash"));
    assert_null(openssl_context(&context, &none));
    mem_fault_set(1, true);
    assert_null(openssl_context(&context, &usual));
    mem_fault_set(0, false);
    assert_true(cipher == NULL && hash == NULL && context == NULL);
    assert_int_equal(ERR_peek_error(), 0);
    assert_non_null(openssl_cipher(&cipher, "AES-256-CBC"));
    assert_non_null(openssl_hash(&hash, "SHA2-512/256"));
    assert_non_null(openssl_context(&context, &usual));
}

static bool blamed; /* something else than the memory, by a call that met the fault */

/* In a process that did none of it before: with the fault, and without. 0: as it should be; else a bit for what was not, and 4 where no fault was
 * met. */
static int in_child(bool (*work)(void), const char *file, unsigned nth)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        fault_set(file, nth);
        bool first = work();
        unsigned met = n_asked;
        fault_set(NULL, 0);
        bool second = work();
        _exit((nth == 0 && first ? 1 : 0) | (second ? 0 : 2) | (met == 0 || met < nth ? 4 : 0) | (blamed ? 8 : 0));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static bool handshake(void)
{
    struct loop_pair *pair = pair_new();
    bool done = side_acquire_with(&pair->server, pki_server(), 0, 0) == SEC_E_OK && pair_run(pair);
    pair_free(pair);
    return done;
}

static void test_tls(void **state)
{
    (void)state;
    assert_int_equal(in_child(handshake, "ex_data.c", 0), 0);
    assert_int_equal(in_child(handshake, "bio_meth.c", 0), 0);
    unsigned nth = 1;
    for (int found = 0; found == 0; nth++) {
        found = in_child(handshake, "ex_data.c", nth);
        assert_true(found == 0 || found == 4);
    }
    assert_true(nth > 3); /* two indices */
}

static CRYPT_DATA_BLOB pfx;

static bool pfx_opens(void)
{
    HCERTSTORE store = PFXImportCertStore(&pfx, (const WCHAR[]){'w', 0}, CRYPT_EXPORTABLE | PKCS12_NO_PERSIST_KEY);
    blamed |= store == NULL && OpenSspiLastError() != (ULONG)E_OUTOFMEMORY;
    return store != NULL && CertCloseStore(store, 0);
}

static void test_pfx(void **state)
{
    OSSL_LIB_CTX *context = OSSL_LIB_CTX_new();
    unsigned char *der = NULL;
    (void)state;
    OSSL_PROVIDER *usual = OSSL_PROVIDER_load(context, "default"), *old = OSSL_PROVIDER_load(context, "legacy");
    assert_true(usual != NULL && old != NULL);
    PKCS12 *made =
        PKCS12_create_ex("w", "name", pki_server()->key, pki_server()->x509, NULL, NID_pbe_WithSHA1And40BitRC2_CBC,
                         NID_pbe_WithSHA1And40BitRC2_CBC, 100, 100, 0, context, NULL);
    assert_non_null(made);
    pfx = (CRYPT_DATA_BLOB){(DWORD)i2d_PKCS12(made, &der), NULL};
    pfx.pbData = der;
    PKCS12_free(made);
    assert_int_equal(in_child(pfx_opens, "context.c", 0), 0);
    assert_int_equal(in_child(pfx_opens, "provider_core.c", 0), 0);
    for (unsigned nth = 1, found = 0; found == 0; nth++) { /* either provider, the old one alone too */
        found = (unsigned)in_child(pfx_opens, "provider_core.c", nth);
        assert_true(found == 0 || (found == 4 && nth > 2));
    }
    OPENSSL_free(der);
    OSSL_PROVIDER_unload(old);
    OSSL_PROVIDER_unload(usual);
    OSSL_LIB_CTX_free(context);
}

/* What OpenSSL itself makes once, and keeps a failure of. */
static int begin(void **state)
{
    (void)state;
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);
    bool begun = ssl != NULL && pki_server()->key != NULL;
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    return begun ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_index), cmocka_unit_test(test_race),
                                       cmocka_unit_test(test_failures), cmocka_unit_test(test_tls),
                                       cmocka_unit_test(test_pfx)};
    if (CRYPTO_set_mem_functions(short_malloc, short_realloc, short_free) != 1) /* before OpenSSL allocates */
        return 1;
    return cmocka_run_group_tests(tests, begin, NULL);
}
