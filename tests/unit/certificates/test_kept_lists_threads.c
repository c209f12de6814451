/*
 * What is kept of the store CA: its files are read once, and again as soon as one of them is another.
 *
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/time.h"
#include "certificates/internal.h"
#include "certificates/openssl.h"
#include "unit/certificates/authority.h"
#include <pthread.h>
#include <sspi_ext.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __SANITIZE_THREAD__
/* libcrypto is not built for ThreadSanitizer, which sees neither its reference counts nor that it makes what it needs of a certificate under its own
 * lock: what it reads and frees itself is left out, what the library does is watched. */
__attribute__((visibility("default"))) const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "called_from_lib:libcrypto.so\n";
}
#endif

static char folder[4200];

static const char *in_folder(const char *name)
{
    static char paths[4][4400];
    static unsigned at;
    char *path = paths[at++ % 4];
    (void)snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void file_write(const char *path, const void *data, size_t len)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

/* A list of the middle authority in DER; OPENSSL_free. */
static size_t list_der(long revoked, unsigned char **der)
{
    X509_CRL *crl = pki_crl(the_middle(), revoked, 7);
    int len = i2d_X509_CRL(crl, der);
    assert_true(len > 0);
    X509_CRL_free(crl);
    return (size_t)len;
}

static void list_write(const char *path, long revoked)
{
    unsigned char *der = NULL;
    size_t len = list_der(revoked, &der);
    file_write(path, der, len);
    OPENSSL_free(der);
}

static void middle_write(const char *path)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(i2d_X509_fp(file, the_middle()->x509), 1);
    assert_int_equal(fclose(file), 0);
}

static void configure_ca(const char *ca)
{
    char text[9000];
    const X509 *root = the_root()->x509;
    (void)snprintf(text, sizeof text, "[certificates]\nroot = %s\nca = %s\n",
                   scratch_pem("root.pem", &root, 1, NULL, NULL), ca);
    configure(text);
}

static int setup(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "%s-ca", scratch());
    return mkdir(folder, 0700);
}

static int teardown(void **state)
{
    static const char *const names[] = {"a.crl", "b.crl", "c.crl", ".new", "middle.crt", "note"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        (void)remove(in_folder(names[i]));
    filetime_fix(0);
    configure("");
    return rmdir(folder) != 0 ? -1 : nothing_left(state);
}

/* The leaf's revocation, by what the store CA has. */
static DWORD leaf_errors(void)
{
    PCCERT_CONTEXT leaf = context_of(the_leaf()->x509);
    PCCERT_CHAIN_CONTEXT chain = NULL;
    assert_true(
        CertGetCertificateChain(NULL, leaf, NULL, NULL, NULL, CERT_CHAIN_REVOCATION_CHECK_END_CERT, NULL, &chain));
    DWORD errors = chain->TrustStatus.dwErrorStatus;
    CertFreeCertificateChain(chain);
    assert_true(CertFreeCertificateContext(leaf));
    return errors;
}

/* The first list of the store CA as the trust evaluation gets it, for its address only. */
static const X509_CRL *first_list(void)
{
    AUTO_OPENSSL(x509s) STACK_OF(X509) *certificates = sk_X509_new_null();
    AUTO_OPENSSL(crls) STACK_OF(X509_CRL) *lists = sk_X509_CRL_new_null();
    assert_int_equal(system_intermediates(certificates, lists), SEC_E_OK);
    assert_int_equal(sk_X509_num(certificates), 1);
    return sk_X509_CRL_num(lists) == 0 ? NULL : sk_X509_CRL_value(lists, 0);
}

#define NOTHING_KNOWN CERT_TRUST_REVOCATION_STATUS_UNKNOWN

/* Long after the last change, so that it is settled. */
static void later(void)
{
    filetime_fix(0);
    filetime_fix(filetime_now() + 60 * FILETIME_SECOND);
}

/* The same objects again, until a file is another. */
static void test_kept(void **state)
{
    (void)state;
    middle_write(in_folder("middle.crt"));
    list_write(in_folder("a.crl"), 0);
    configure_ca(folder);
    later();
    AUTO_OPENSSL(x509s) STACK_OF(X509) *certificates = sk_X509_new_null();
    AUTO_OPENSSL(crls) STACK_OF(X509_CRL) *lists = sk_X509_CRL_new_null();
    assert_int_equal(system_intermediates(certificates, lists), SEC_E_OK); /* held, so that no other has its address */
    const X509_CRL *before = sk_X509_CRL_value(lists, 0);
    for (unsigned i = 0; i < 3; i++)
        assert_ptr_equal(first_list(), before);
    assert_int_equal(system_intermediates(certificates, NULL), SEC_E_OK);
    assert_int_equal(sk_X509_num(certificates), 2);
    assert_ptr_equal(sk_X509_value(certificates, 0), sk_X509_value(certificates, 1));
    file_write(in_folder("note"), "x", 1); /* any change of the directory */
    later();
    assert_ptr_not_equal(first_list(), before);
    /* What was changed just now may be changed again without its times telling: it is read each time. */
    filetime_fix(0);
    file_write(in_folder("note"), "y", 1);
    assert_int_equal(system_intermediates(certificates, lists), SEC_E_OK);
    assert_int_equal(system_intermediates(certificates, lists), SEC_E_OK);
    assert_ptr_not_equal(sk_X509_CRL_value(lists, 1), sk_X509_CRL_value(lists, 2));
    /* A single file */
    configure_ca(in_folder("middle.crt"));
    assert_null(first_list());
}

/* Every way in which a directory's lists become others: each is seen by the next examination, settled or not. */
static void test_changes(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        void (*const pause)(void) = round == 0 ? later : NULL;
#define EXPECT(errors)                                 \
    do {                                               \
        for (unsigned again = 0; again < 2; again++) { \
            if (pause != NULL)                         \
                pause();                               \
            assert_int_equal(leaf_errors(), errors);   \
        }                                              \
    } while (0)
        middle_write(in_folder("middle.crt"));
        configure_ca(folder);
        EXPECT(NOTHING_KNOWN);
        list_write(in_folder("a.crl"), 0); /* a new one */
        EXPECT(0);
        list_write(in_folder("a.crl"), 3); /* written over */
        EXPECT(CERT_TRUST_IS_REVOKED);
        list_write(in_folder(".new"), 0);
        assert_int_equal(rename(in_folder(".new"), in_folder("a.crl")), 0); /* put in its place */
        EXPECT(0);
        assert_int_equal(rename(in_folder("a.crl"), in_folder("b.crl")), 0);
        EXPECT(0);
        assert_int_equal(remove(in_folder("b.crl")), 0);
        EXPECT(NOTHING_KNOWN);
        assert_int_equal(symlink(in_folder("c.crl"), in_folder("a.crl")), 0); /* to nowhere */
        EXPECT(NOTHING_KNOWN);
        list_write(in_folder("c.crl"), 3); /* now somewhere */
        EXPECT(CERT_TRUST_IS_REVOKED);
        assert_int_equal(remove(in_folder("c.crl")), 0);
        assert_int_equal(remove(in_folder("a.crl")), 0);
        EXPECT(NOTHING_KNOWN);
        /* a file by itself, and one that is named where nothing was */
        configure_ca(in_folder("middle.crt"));
        EXPECT(NOTHING_KNOWN);
#undef EXPECT
    }
}

/* One list written over another of the same length, faster than files' times tell apart. */
static void test_rewritten(void **state)
{
    unsigned char *der[2] = {NULL, NULL};
    size_t len = list_der(3, &der[0]);
    (void)state;
    do { /* signatures have not all one length */
        OPENSSL_free(der[1]);
        der[1] = NULL;
    } while (list_der(4, &der[1]) != len);
    middle_write(in_folder("middle.crt"));
    configure_ca(folder);
    for (unsigned i = 0; i < 200; i++) {
        AUTO_OPENSSL(x509s) STACK_OF(X509) *certificates = sk_X509_new_null();
        AUTO_OPENSSL(crls) STACK_OF(X509_CRL) *lists = sk_X509_CRL_new_null();
        X509_REVOKED *revoked;
        file_write(in_folder("a.crl"), der[i % 2], len);
        assert_int_equal(system_intermediates(certificates, lists), SEC_E_OK);
        assert_int_equal(sk_X509_CRL_num(lists), 1);
        assert_int_equal(X509_CRL_get0_by_cert(sk_X509_CRL_value(lists, 0), &revoked, the_leaf()->x509), i % 2 == 0);
    }
    OPENSSL_free(der[0]);
    OPENSSL_free(der[1]);
}

/* A store that cannot be read does not live on as what it was. */
static void test_gone(void **state)
{
    (void)state;
    PCCERT_CHAIN_CONTEXT chain = NULL;
    middle_write(in_folder("middle.crt"));
    list_write(in_folder("a.crl"), 3);
    configure_ca(in_folder("a.crl"));
    later();
    assert_int_equal(leaf_errors() & CERT_TRUST_IS_PARTIAL_CHAIN, CERT_TRUST_IS_PARTIAL_CHAIN);
    assert_int_equal(remove(in_folder("a.crl")), 0);
    PCCERT_CONTEXT leaf = context_of(the_leaf()->x509);
    for (unsigned i = 0; i < 2; i++) {
        assert_false(CertGetCertificateChain(NULL, leaf, NULL, NULL, NULL, 0, NULL, &chain));
        assert_int_equal((HRESULT)OpenSspiLastError(), CRYPT_E_FILE_ERROR);
    }
    file_write(in_folder("a.crl"), "no list", 7);
    assert_false(CertGetCertificateChain(NULL, leaf, NULL, NULL, NULL, 0, NULL, &chain));
    assert_int_equal((HRESULT)OpenSspiLastError(), CRYPT_E_BAD_ENCODE);
    assert_true(CertFreeCertificateContext(leaf));
}

/* Threads examine while lists come and go: each answer is of one of them, and the first after the last change is of the last. */
#define THREADS 3
static atomic_bool over;

static void *examine(void *place)
{
    int *failed = place;
    while (!atomic_load(&over)) {
        AUTO_OPENSSL(x509s) STACK_OF(X509) *certificates = sk_X509_new_null();
        AUTO_OPENSSL(crls) STACK_OF(X509_CRL) *lists = sk_X509_CRL_new_null();
        AUTO_VERDICT struct trust_verdict verdict = {0};
        struct trust_question question = {.revocation = REVOCATION_END};
        if (certificate_verify(the_leaf()->x509, NULL, &question, &verdict) != SEC_E_OK ||
            (verdict.whole.dwErrorStatus != 0 && verdict.whole.dwErrorStatus != CERT_TRUST_IS_REVOKED) ||
            system_intermediates(certificates, lists) != SEC_E_OK || sk_X509_CRL_num(lists) != 1)
            *failed = 1;
    }
    return NULL;
}

#if defined(__SANITIZE_ADDRESS__)
#define CHILD_HAS_MEMORY \
    false /* AddressSanitizer's own allocator does not give back in a child what another thread held */
#else
#define CHILD_HAS_MEMORY true
#endif

/* In a child nobody holds what its parent's threads held. */
static bool child_examines(DWORD expected)
{
    pid_t child = fork();
    if (child == 0) {
        (void)alarm(30);
        struct trust_question question = {.revocation = REVOCATION_END};
        struct trust_verdict verdict = {0};
        bool fine = certificate_verify(the_leaf()->x509, NULL, &question, &verdict) == SEC_E_OK &&
                    verdict.whole.dwErrorStatus == expected;
        _exit(fine ? 0 : 1);
    }
    int status = -1;
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static void test_threads(void **state)
{
    pthread_t threads[THREADS];
    int failed[THREADS] = {0};
    (void)state;
    middle_write(in_folder("middle.crt"));
    list_write(in_folder("a.crl"), 0);
    configure_ca(folder);
    later();
    (void)the_leaf();
    assert_int_equal(leaf_errors(), 0);
    atomic_store(&over, false);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, examine, &failed[i]), 0);
    bool right = true; /* judged when the threads have ended, which OpenSSL's end would not wait for */
    for (unsigned i = 0; right && i < 30; i++) {
        long revoked = i % 2 == 0 ? 3 : 0;
        DWORD expected = revoked != 0 ? CERT_TRUST_IS_REVOKED : 0;
        list_write(in_folder(".new"), revoked);
        right = rename(in_folder(".new"), in_folder("a.crl")) == 0 && leaf_errors() == expected;
        if (i % 5 == 0 && CHILD_HAS_MEMORY)
            right = right && child_examines(expected);
    }
    atomic_store(&over, true);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(failed[i], 0);
    }
    assert_true(right);
}

int main(void)
{
    configure("");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(test_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rewritten, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_threads, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
