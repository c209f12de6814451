/*
 * Every allocation of ours fails once: no crash, nothing left, and an honest answer.
 *
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "certificates/live.h"
#include "unit/certificates/authority.h"
#include <openssl/pkcs12.h>
#include <limits.h>
#include <sspi_ext.h>
#include <stdlib.h>
#include <string.h>

static const char *pem;
static CRYPT_DATA_BLOB pfx;

/* Where memory fails, nothing else is to blame. */
static bool done(bool good)
{
    if (!good && OpenSspiLastError() != (ULONG)E_OUTOFMEMORY)
        fail_msg("0x%08x: %s", OpenSspiLastError(), OpenSspiLastErrorText());
    return good;
}

/* Each answers true when it did all it should. */

static bool scene_chain(void)
{
    PCCERT_CONTEXT context = NULL, added = NULL;
    PCCERT_CHAIN_CONTEXT chain = NULL;
    char name[60];
    SECURITY_STATUS status = OpenSspiCertificateFromPem(pem, pem, NULL, &context);
    bool fine = status == SEC_E_OK;
    assert_true(fine || status == SEC_E_INSUFFICIENT_MEMORY);
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_FILENAME_A, 0, 0, 0, pem);
    fine = done(store != NULL) && fine &&
           done(CertAddCertificateContextToStore(store, context, CERT_STORE_ADD_REPLACE_EXISTING, &added));
    fine = fine && done(CertGetCertificateChain(NULL, added, NULL, store, NULL, 0, NULL, &chain));
    fine = fine && CertGetNameStringA(added, CERT_NAME_SIMPLE_DISPLAY_TYPE, 0, NULL, name, sizeof name) > 1;
    CertFreeCertificateChain(chain);
    (void)CertFreeCertificateContext(added);
    (void)CertFreeCertificateContext(context);
    (void)CertCloseStore(store, 0);
    return fine;
}

static bool scene_pfx(void)
{
    HCERTSTORE store = PFXImportCertStore(&pfx, NULL, 0);
    PCCERT_CONTEXT found = NULL;
    if (done(store != NULL)) {
        found = CertFindCertificateInStore(store, 0, 0, CERT_FIND_SUBJECT_STR_A, "server", NULL);
        (void)done(found != NULL);
    }
    BYTE hash[20];
    DWORD len = sizeof hash;
    bool fine = found != NULL && done(CertGetCertificateContextProperty(found, CERT_SHA1_HASH_PROP_ID, hash, &len));
    (void)CertFreeCertificateContext(found);
    (void)CertCloseStore(store, 0);
    return fine;
}

static bool scene_text(void)
{
    BYTE back[16];
    WCHAR wide[40];
    DWORD n = 40, n_back = sizeof back;
    return done(CryptBinaryToStringW((const BYTE *)"abc", 3, CRYPT_STRING_BASE64, wide, &n)) &&
           done(CryptStringToBinaryW(wide, 0, CRYPT_STRING_ANY, back, &n_back, NULL, NULL)) && n_back == 3;
}

static void sweep(bool (*scene)(void))
{
    assert_true(scene());
    mem_fault_set(ULONG_MAX, false);
    assert_true(scene());
    unsigned long n_allocations = mem_fault_count();
    mem_fault_set(0, false);
    assert_true(n_allocations > 0);
    for (unsigned sticky = 0; sticky < 2; sticky++)
        for (unsigned long nth = 1; nth <= n_allocations; nth++) {
            mem_fault_set(nth, sticky == 1);
            bool fine = scene();
            mem_fault_set(0, false);
            assert_int_equal(live_count(), 0);
            if (sticky == 1 && nth == 1)
                assert_false(fine);
        }
    assert_true(scene());
}

static void test_chain(void **state)
{
    (void)state;
    sweep(scene_chain);
}

static void test_pfx(void **state)
{
    (void)state;
    sweep(scene_pfx);
}

static void test_text(void **state)
{
    (void)state;
    sweep(scene_text);
}

int main(void)
{
    configure("");
    const X509 *both[] = {the_leaf()->x509, the_middle()->x509};
    pem = strdup(scratch_pem("both.pem", both, 2, the_leaf()->key, NULL));
    PKCS12 *pkcs12 = PKCS12_create("", "name", the_leaf()->key, the_leaf()->x509, NULL, 0, 0, 1, 1, 0);
    unsigned char *der = NULL;
    pfx.cbData = (DWORD)i2d_PKCS12(pkcs12, &der);
    pfx.pbData = der;
    PKCS12_free(pkcs12);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_chain), cmocka_unit_test(test_pfx),
                                       cmocka_unit_test(test_text)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    OPENSSL_free(der);
    free((char *)(uintptr_t)pem);
    return failed;
}
