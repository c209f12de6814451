/*
 * Contexts, stores and chains shared between threads, each of them freed by the last.
 *
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "certificates/certificate.h"
#include "certificates/live.h"
#include "unit/certificates/authority.h"
#include <pthread.h>
#include <string.h>

#define THREADS 4
#define ROUNDS 60

static HCERTSTORE shared;
static PCCERT_CONTEXT leaf;

/* cmocka's assertions are not for threads. */
static void *use(void *failed)
{
    CRYPT_DATA_BLOB blob = {4, (BYTE *)(uintptr_t) "x\0\0"};
    for (unsigned i = 0; i < ROUNDS; i++) {
        PCCERT_CONTEXT at = NULL, mine = CertDuplicateCertificateContext(leaf), added = NULL;
        PCCERT_CHAIN_CONTEXT chain = NULL;
        DWORD size = 0;
        bool fine = mine == leaf && CertSetCertificateContextProperty(mine, CERT_FRIENDLY_NAME_PROP_ID, 0, &blob) &&
                    CertGetCertificateContextProperty(mine, CERT_SHA1_HASH_PROP_ID, NULL, &size) &&
                    CertAddCertificateContextToStore(shared, mine, CERT_STORE_ADD_REPLACE_EXISTING, &added) &&
                    CertGetCertificateChain(NULL, mine, NULL, shared, NULL, 0, NULL, &chain);
        while (fine && (at = CertEnumCertificatesInStore(shared, at)) != NULL)
            fine = CertGetCertificateContextProperty(at, CERT_FRIENDLY_NAME_PROP_ID, NULL, &size) ||
                   at->pCertInfo->SerialNumber.pbData[0] != 3;
        (void)CertFreeCertificateContext(at);
        if (i % 7 == 0)
            fine = CertDeleteCertificateFromStore(added) && fine;
        else
            fine = CertFreeCertificateContext(added) && fine;
        CertFreeCertificateChain(chain);
        fine = CertFreeCertificateContext(mine) && fine;
        HCERTSTORE same = CertDuplicateStore(shared);
        fine = same == shared && CertCloseStore(same, 0) && fine;
        if (!fine)
            *(int *)failed = 1;
    }
    return NULL;
}

static void test_sharing(void **state)
{
    pthread_t threads[THREADS];
    int failed[THREADS] = {0};
    (void)state;
    shared = store_with(the_middle()->x509, the_root()->x509);
    leaf = context_of(the_leaf()->x509);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use, &failed[i]), 0);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(failed[i], 0);
    }
    assert_true(CertFreeCertificateContext(leaf));
    assert_true(CertCloseStore(shared, CERT_CLOSE_STORE_CHECK_FLAG));
    assert_int_equal(live_count(), 0);
}

/* One thread closes by force while others look: nobody follows what is gone. */
static void *look(void *unused)
{
    (void)unused;
    for (unsigned i = 0; i < 4 * ROUNDS; i++) {
        PCCERT_CONTEXT copy = CertDuplicateCertificateContext(leaf);
        struct certificate *inside = NULL;
        if (copy == NULL)
            break;
        if (live_hold(copy, LIVE_CERTIFICATE))
            inside = (struct certificate *)(uintptr_t)copy;
        if (inside != NULL) {
            (void)X509_get_version(certificate_x509(inside));
            certificate_put(inside);
        }
        (void)CertFreeCertificateContext(copy);
    }
    return NULL;
}

static void test_force(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 20; round++) {
        pthread_t threads[2];
        shared = store_with(the_leaf()->x509, NULL);
        leaf = CertEnumCertificatesInStore(shared, NULL);
        for (size_t i = 0; i < 2; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, look, NULL), 0);
        assert_true(CertCloseStore(shared, CERT_CLOSE_STORE_FORCE_FLAG));
        for (size_t i = 0; i < 2; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(live_count(), 0);
    }
}

int main(void)
{
    configure("");
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sharing), cmocka_unit_test(test_force)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
