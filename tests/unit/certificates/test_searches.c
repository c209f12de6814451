/*
 * What enumerations leave out, and which numbers are the same.
 *
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/certificates/authority.h"
#include <sspi_ext.h>

static HCERTSTORE opened(DWORD flags)
{
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, flags, NULL);
    assert_non_null(store);
    add_to(store, the_leaf()->x509);
    add_to(store, the_middle()->x509);
    return store;
}

static unsigned counted(HCERTSTORE store, bool by_find)
{
    unsigned n = 0;
    PCCERT_CONTEXT at = NULL;
    while ((at = by_find ? CertFindCertificateInStore(store, X509_ASN_ENCODING, 0, CERT_FIND_ANY, NULL, at)
                         : CertEnumCertificatesInStore(store, at)) != NULL)
        n++;
    assert_int_equal((HRESULT)OpenSspiLastError(), CRYPT_E_NOT_FOUND);
    return n;
}

/* Microsoft, CertOpenStore and CertSetCertificateContextProperty: enumerations skip archived certificates, explicit searches find them. */
static void test_archived(void **state)
{
    (void)state;
    for (unsigned all = 0; all < 2; all++) {
        HCERTSTORE store = opened(all != 0 ? CERT_STORE_ENUM_ARCHIVED_FLAG : 0);
        PCCERT_CONTEXT leaf = CertEnumCertificatesInStore(store, NULL);
        CRYPT_DATA_BLOB empty = {0, NULL};
        assert_int_equal(counted(store, false), 2);
        assert_true(CertSetCertificateContextProperty(leaf, CERT_ARCHIVED_PROP_ID, 0, &empty));
        assert_int_equal(counted(store, false), 1 + all);
        assert_int_equal(counted(store, true), 1 + all);
        PCCERT_CONTEXT found =
            CertFindCertificateInStore(store, X509_ASN_ENCODING, 0, CERT_FIND_SUBJECT_STR_A, "server.example", NULL);
        assert_ptr_equal(found, leaf);
        assert_true(CertFreeCertificateContext(found));
        found = CertGetSubjectCertificateFromStore(store, X509_ASN_ENCODING, leaf->pCertInfo);
        assert_ptr_equal(found, leaf);
        assert_true(CertFreeCertificateContext(found));
        assert_true(CertSetCertificateContextProperty(leaf, CERT_ARCHIVED_PROP_ID, 0, NULL));
        assert_int_equal(counted(store, false), 2);
        assert_true(CertFreeCertificateContext(leaf));
        assert_true(CertCloseStore(store, CERT_CLOSE_STORE_CHECK_FLAG));
    }
}

/* Little-endian: zeroes at the end only extend the sign of 3. */
static void test_numbers(void **state)
{
    BYTE longer[] = {3, 0, 0}, negative[] = {3, 0xFF}, none[] = {0};
    (void)state;
    HCERTSTORE store = opened(0);
    PCCERT_CONTEXT leaf = CertEnumCertificatesInStore(store, NULL);
    CERT_INFO info = *leaf->pCertInfo;
    for (DWORD len = 1; len <= sizeof longer; len++) {
        info.SerialNumber = (CRYPT_INTEGER_BLOB){len, longer};
        assert_true(CertCompareCertificate(X509_ASN_ENCODING, &info, leaf->pCertInfo));
        PCCERT_CONTEXT found = CertGetSubjectCertificateFromStore(store, X509_ASN_ENCODING, &info);
        assert_ptr_equal(found, leaf);
        assert_true(CertFreeCertificateContext(found));
    }
    CRYPT_INTEGER_BLOB others[] = {{2, negative}, {1, none}, {0, NULL}, {0, longer}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        info.SerialNumber = others[i];
        assert_false(CertCompareCertificate(X509_ASN_ENCODING, &info, leaf->pCertInfo));
        assert_null(CertGetSubjectCertificateFromStore(store, X509_ASN_ENCODING, &info));
    }
    assert_true(CertFreeCertificateContext(leaf));
    assert_true(CertCloseStore(store, CERT_CLOSE_STORE_CHECK_FLAG));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_archived, nothing_left),
        cmocka_unit_test_teardown(test_numbers, nothing_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
