/*
 * Whose a private key is, and how long: it goes over to another certificate only where it is its key, and is let go with the property that named its
 * place.
 *
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "certificates/certificate.h"
#include "certificates/internal.h"
#include "unit/certificates/authority.h"
#include <pthread.h>
#include <sspi_ext.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* Of one issuer and number, as self-made certificates of two computers are; the third is the first, made anew for its key. */
static struct pki one, other, again;

static void place_set(PCCERT_CONTEXT context, const char *path)
{
    WCHAR place[600] = {0};
    for (size_t i = 0; path[i] != '\0'; i++)
        place[i] = (uint8_t)path[i];
    CRYPT_KEY_PROV_INFO info = {.pwszContainerName = place};
    assert_true(CertSetCertificateContextProperty(context, CERT_KEY_PROV_INFO_PROP_ID, 0, &info));
}

static const char *key_file(const char *name, const struct pki *pki)
{
    return scratch_pem(name, NULL, 0, pki->key, NULL);
}

static HRESULT acquired(PCCERT_CONTEXT context)
{
    HCRYPTPROV_OR_NCRYPT_KEY_HANDLE handle = 0;
    if (CryptAcquireCertificatePrivateKey(context, CRYPT_ACQUIRE_COMPARE_KEY_FLAG, NULL, &handle, NULL, NULL))
        return handle != 0 ? SEC_E_OK : -1;
    return (HRESULT)OpenSspiLastError();
}

/* What becomes of the key of `second` or of its place, when it meets `first` in a store; or, `inherit`, of the first's. */
static HRESULT met(const struct pki *first, const struct pki *second, bool place, bool inherit)
{
    HCERTSTORE store = store_with(NULL, NULL);
    PCCERT_CONTEXT a = NULL, b = NULL, found = NULL;
    PCCERT_CONTEXT loose = context_of(first->x509), bare = context_of(second->x509);
    if (!place) {
        assert_true(CertFreeCertificateContext(inherit ? loose : bare));
        *(inherit ? &loose : &bare) = pki_context(inherit ? first : second, NULL, false);
    } else {
        place_set(inherit ? loose : bare, key_file("met.pem", inherit ? first : second));
    }
    assert_int_equal(acquired(inherit ? loose : bare), SEC_E_OK);
    assert_true(CertAddCertificateContextToStore(store, loose, CERT_STORE_ADD_NEW, &a));
    DWORD how = inherit ? CERT_STORE_ADD_REPLACE_EXISTING_INHERIT_PROPERTIES : CERT_STORE_ADD_USE_EXISTING;
    assert_true(CertAddCertificateContextToStore(store, bare, how, &b));
    HRESULT code = acquired(b);
    found = CertFindCertificateInStore(store, X509_ASN_ENCODING, 0, CERT_FIND_HAS_PRIVATE_KEY, NULL, NULL);
    assert_int_equal(found != NULL, code == SEC_E_OK);
    PCCERT_CONTEXT all[] = {a, b, loose, bare, found};
    for (size_t i = 0; i < 5; i++)
        assert_true(CertFreeCertificateContext(all[i]));
    assert_true(CertCloseStore(store, CERT_CLOSE_STORE_CHECK_FLAG));
    return code;
}

static void test_meeting(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        bool place = (i & 1) != 0, inherit = (i & 2) != 0;
        assert_int_equal(met(&one, &other, place, inherit), CRYPT_E_NO_KEY_PROPERTY);
        assert_int_equal(met(&one, &again, place, inherit), SEC_E_OK);
        assert_int_equal(met(&one, &one, place, inherit), SEC_E_OK);
    }
}

/* The place of one's own counts, and not the key that another's place led to. */
static void test_own_place_stays(void **state)
{
    (void)state;
    HCERTSTORE store = store_with(one.x509, NULL);
    PCCERT_CONTEXT inside = CertEnumCertificatesInStore(store, NULL), with_key = context_of(one.x509);
    place_set(inside, "/nowhere");
    place_set(with_key, key_file("one.pem", &one));
    assert_int_equal(acquired(with_key), SEC_E_OK);
    assert_true(CertAddCertificateContextToStore(store, with_key, CERT_STORE_ADD_USE_EXISTING, NULL));
    assert_int_equal(acquired(inside), NTE_BAD_KEYSET);
    assert_true(CertFreeCertificateContext(inside));
    assert_true(CertFreeCertificateContext(with_key));
    assert_true(CertCloseStore(store, CERT_CLOSE_STORE_CHECK_FLAG));
}

static void test_find_existing(void **state)
{
    (void)state;
    HCERTSTORE store = store_with(one.x509, NULL);
    PCCERT_CONTEXT same = context_of(one.x509), twin = context_of(other.x509);
    assert_null(CertFindCertificateInStore(store, X509_ASN_ENCODING, 0, CERT_FIND_EXISTING, twin, NULL));
    assert_int_equal((HRESULT)OpenSspiLastError(), CRYPT_E_NOT_FOUND);
    PCCERT_CONTEXT found = CertFindCertificateInStore(store, X509_ASN_ENCODING, 0, CERT_FIND_EXISTING, same, NULL);
    assert_non_null(found);
    assert_true(CertFreeCertificateContext(found));
    assert_true(CertFreeCertificateContext(same));
    assert_true(CertFreeCertificateContext(twin));
    assert_true(CertCloseStore(store, CERT_CLOSE_STORE_CHECK_FLAG));
}

static void test_place_gone(void **state)
{
    (void)state;
    PCCERT_CONTEXT context = context_of(one.x509);
    place_set(context, key_file("one.pem", &one));
    assert_int_equal(acquired(context), SEC_E_OK);
    assert_true(CertSetCertificateContextProperty(context, CERT_KEY_PROV_INFO_PROP_ID, 0, NULL));
    assert_int_equal(acquired(context), CRYPT_E_NO_KEY_PROPERTY);
    place_set(context, key_file("one.pem", &one));
    assert_int_equal(acquired(context), SEC_E_OK);
    place_set(context, "/nowhere");
    assert_int_equal(acquired(context), NTE_BAD_KEYSET);
    place_set(context, key_file("other.pem", &other));
    assert_int_equal(acquired(context), NTE_BAD_PUBLIC_KEY);
    place_set(context, key_file("one.pem", &one));
    assert_int_equal(acquired(context), SEC_E_OK);
    assert_true(CertFreeCertificateContext(context));
}

static atomic_bool ended;
static char named[600];

static void *place_name(void *context)
{
    while (!atomic_load(&ended))
        place_set(context, named);
    return NULL;
}

/* Whoever asks while a place is named has its key, also when it is named anew meanwhile. */
static void test_place_named_meanwhile(void **state)
{
    (void)state;
    PCCERT_CONTEXT context = context_of(one.x509);
    struct certificate *certificate = NULL;
    pthread_t thread;
    snprintf(named, sizeof named, "%s", key_file("one.pem", &one));
    place_set(context, named);
    assert_int_equal(certificate_take(context, &certificate), SEC_E_OK);
    atomic_store(&ended, false);
    assert_int_equal(pthread_create(&thread, NULL, place_name, (void *)(uintptr_t)context), 0);
    unsigned n_without = 0;
    for (int i = 0; i < 300; i++) {
        EVP_PKEY *key = NULL;
        n_without += certificate_key_get(certificate, &key) != SEC_E_OK ? 1 : 0;
        EVP_PKEY_free(key);
    }
    atomic_store(&ended, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(n_without, 0);
    certificate_put(certificate);
    assert_true(CertFreeCertificateContext(context));
}

/* A key that the caller gave stays, wherever a place is said to be. */
static void test_given_stays(void **state)
{
    (void)state;
    PCCERT_CONTEXT context = pki_context(&one, NULL, false), twin = context_of(one.x509);
    place_set(context, "/nowhere");
    assert_int_equal(acquired(context), SEC_E_OK);
    assert_true(CertSetCertificateContextProperty(context, CERT_KEY_PROV_INFO_PROP_ID, 0, NULL));
    assert_int_equal(acquired(context), SEC_E_OK);
    /* One that was read is the other's by then. */
    HCRYPTPROV_OR_NCRYPT_KEY_HANDLE handle = 0;
    assert_true(CryptAcquireCertificatePrivateKey(context, 0, NULL, &handle, NULL, NULL));
    place_set(twin, key_file("one.pem", &one));
    assert_int_equal(acquired(twin), SEC_E_OK);
    assert_true(CertSetCertificateContextProperty(twin, CERT_NCRYPT_KEY_HANDLE_PROP_ID,
                                                  CERT_STORE_NO_CRYPT_RELEASE_FLAG, (const void *)handle));
    assert_true(CertSetCertificateContextProperty(twin, CERT_KEY_PROV_INFO_PROP_ID, 0, NULL));
    assert_int_equal(acquired(twin), SEC_E_OK);
    assert_true(CertFreeCertificateContext(context));
    assert_true(CertFreeCertificateContext(twin));
}

static int make_all(void **state)
{
    (void)state;
    one = make_identity(&(struct order){.name = "localhost", .serial = 1});
    other = make_identity(&(struct order){.name = "localhost", .serial = 1});
    again = (struct pki){.x509 = X509_dup(one.x509), .key = one.key};
    EVP_PKEY_up_ref(one.key);
    X509_gmtime_adj(X509_getm_notAfter(again.x509), 700 * 86400L);
    assert_true(X509_sign(again.x509, again.key, EVP_sha256()) > 0);
    return 0;
}

static int free_all(void **state)
{
    (void)state;
    pki_free(&one);
    pki_free(&other);
    pki_free(&again);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_meeting, nothing_left),
        cmocka_unit_test_teardown(test_own_place_stays, nothing_left),
        cmocka_unit_test_teardown(test_find_existing, nothing_left),
        cmocka_unit_test_teardown(test_place_gone, nothing_left),
        cmocka_unit_test_teardown(test_place_named_meanwhile, nothing_left),
        cmocka_unit_test_teardown(test_given_stays, nothing_left),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
