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

static bool scene_decode(void)
{
    static const BYTE names[] = {0x30, 0x08, 0x82, 0x01, 'a', 0x88, 0x03, 0x2A, 0x03, 0x04},
                      name[] = {0x30, 0x0D, 0x31, 0x0B, 0x30, 0x09, 0x06, 0x03, 0x55, 0x04, 0x06, 0x13, 0x02, 'D', 'E'};
    CERT_ALT_NAME_INFO *info = NULL;
    _Alignas(8) BYTE room[256];
    DWORD n = sizeof room;
    bool fine = done(CryptDecodeObjectEx(X509_ASN_ENCODING, X509_ALTERNATE_NAME, names, sizeof names,
                                         CRYPT_DECODE_ALLOC_FLAG, NULL, &info, NULL));
    assert_true(fine == (info != NULL));
    (void)OpenSspiLocalFree(info);
    return fine && done(CryptDecodeObject(X509_ASN_ENCODING, X509_UNICODE_NAME, name, sizeof name, 0, room, &n));
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

/* Single calls, each over the file and the PFX; what they make is given back. */

static bool call_open(void)
{
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_FILENAME_A, 0, 0, 0, pem);
    return store != NULL && CertCloseStore(store, 0);
}

static bool call_pfx(void)
{
    HCERTSTORE store = PFXImportCertStore(&pfx, NULL, 0);
    return store != NULL && CertCloseStore(store, 0);
}

static HCERTSTORE opened;

static bool call_find(void)
{
    static const WCHAR part[] = {'s', 'e', 'r', 'v', 'e', 'r', 0};
    PCCERT_CONTEXT found = CertFindCertificateInStore(opened, 0, 0, CERT_FIND_SUBJECT_STR_W, part, NULL);
    return found != NULL && CertFreeCertificateContext(found);
}

static bool call_chain(void)
{
    PCCERT_CONTEXT leaf = CertEnumCertificatesInStore(opened, NULL);
    PCCERT_CHAIN_CONTEXT chain = NULL;
    bool fine = CertGetCertificateChain(NULL, leaf, NULL, opened, NULL, 0, NULL, &chain);
    CertFreeCertificateChain(chain);
    (void)CertFreeCertificateContext(leaf);
    return fine;
}

static bool call_text(void)
{
    BYTE back[16];
    DWORD len = sizeof back;
    return CryptStringToBinaryA("YWJj", 0, CRYPT_STRING_BASE64_ANY, back, &len, NULL, NULL);
}

/* What memory is wanting for is the fault of nothing else: no name, no file, no password. */
static void test_honest(void **state)
{
    static bool (*const calls[])(void) = {call_open, call_pfx, call_find, call_chain, call_text};
    (void)state;
    opened = CertOpenStore(CERT_STORE_PROV_FILENAME_A, 0, 0, 0, pem);
    assert_non_null(opened);
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        unsigned n_refused = 0;
        bool struck = true;
        for (unsigned long nth = 1; struck; nth++) {
            mem_fault_set(nth, false);
            bool fine = calls[i]();
            struck = mem_fault_count() >= nth;
            mem_fault_set(0, false);
            if (fine)
                continue;
            n_refused++;
            assert_int_equal((HRESULT)OpenSspiLastError(), E_OUTOFMEMORY);
        }
        assert_true(n_refused > 0);
    }
    assert_true(CertCloseStore(opened, CERT_CLOSE_STORE_CHECK_FLAG));
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
    sweep(scene_decode);
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
                                       cmocka_unit_test(test_text), cmocka_unit_test(test_honest)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    OPENSSL_free(der);
    free((char *)(uintptr_t)pem);
    return failed;
}
