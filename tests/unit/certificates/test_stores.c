/*
 * Stores: adding, finding, deleting, closing; files; the system's stores.
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
#include "certificates/certificate.h"
#include "unit/certificates/authority.h"
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <sspi_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned count(HCERTSTORE store)
{
    unsigned n = 0;
    PCCERT_CONTEXT at = NULL;
    while ((at = CertEnumCertificatesInStore(store, at)) != NULL)
        n++;
    assert_int_equal((HRESULT)OpenSspiLastError(), CRYPT_E_NOT_FOUND);
    return n;
}

static void set_name(PCCERT_CONTEXT context, DWORD id)
{
    CRYPT_DATA_BLOB blob = {4, (BYTE *)(uintptr_t) "x\0\0"};
    assert_true(CertSetCertificateContextProperty(context, id, 0, &blob));
}

static bool has(PCCERT_CONTEXT context, DWORD id)
{
    DWORD size = 0;
    return CertGetCertificateContextProperty(context, id, NULL, &size);
}

static void test_dispositions(void **state)
{
    (void)state;
    HCERTSTORE store = store_with(NULL, NULL);
    struct pki newer =
        make_identity(&(struct order){.name = "server.example", .issuer = the_middle(), .serial = 3, .to_days = 700});
    X509_gmtime_adj(X509_getm_notBefore(newer.x509), 0);
    assert_true(X509_sign(newer.x509, the_middle()->key, EVP_sha256()) > 0);
    PCCERT_CONTEXT old = context_of(the_leaf()->x509), fresh = context_of(newer.x509), first = NULL, added = NULL;
    set_name(old, CERT_FRIENDLY_NAME_PROP_ID);
    assert_true(CertAddCertificateContextToStore(store, old, CERT_STORE_ADD_NEW, &first));
    assert_ptr_equal(first->hCertStore, store);
    assert_ptr_not_equal(first, old);
    assert_true(has(first, CERT_FRIENDLY_NAME_PROP_ID));
    assert_false(CertAddCertificateContextToStore(store, old, CERT_STORE_ADD_NEW, &added));
    assert_int_equal((HRESULT)OpenSspiLastError(), CRYPT_E_EXISTS);
    set_name(fresh, CERT_DESCRIPTION_PROP_ID);
    assert_true(CertAddCertificateContextToStore(store, fresh, CERT_STORE_ADD_USE_EXISTING, &added));
    assert_ptr_equal(added, first);
    assert_true(has(first, CERT_DESCRIPTION_PROP_ID));
    assert_true(CertFreeCertificateContext(added));
    assert_true(CertAddCertificateContextToStore(store, fresh, CERT_STORE_ADD_NEWER_INHERIT_PROPERTIES, &added));
    assert_ptr_not_equal(added, first);
    assert_true(has(added, CERT_FRIENDLY_NAME_PROP_ID));
    assert_true(CertFreeCertificateContext(added));
    assert_int_equal(count(store), 1);
    assert_false(CertAddCertificateContextToStore(store, old, CERT_STORE_ADD_NEWER, NULL));
    assert_int_equal((HRESULT)OpenSspiLastError(), CRYPT_E_EXISTS);
    assert_true(CertAddCertificateContextToStore(store, fresh, CERT_STORE_ADD_REPLACE_EXISTING, &added));
    assert_false(has(added, CERT_FRIENDLY_NAME_PROP_ID));
    assert_true(CertFreeCertificateContext(added));
    assert_true(CertAddCertificateContextToStore(store, old, CERT_STORE_ADD_ALWAYS, NULL));
    assert_int_equal(count(store), 2);
    assert_false(CertAddCertificateContextToStore(store, old, 0, NULL));
    assert_false(CertAddCertificateContextToStore(store, old, 8, NULL));
    assert_false(CertAddCertificateContextToStore(store, NULL, CERT_STORE_ADD_NEW, NULL));
    assert_false(CertAddCertificateContextToStore((HCERTSTORE)&store, old, CERT_STORE_ADD_NEW, NULL));
    assert_true(CertAddCertificateContextToStore(NULL, old, CERT_STORE_ADD_ALWAYS, &added)); /* a copy alone */
    assert_null(added->hCertStore);
    assert_true(CertFreeCertificateContext(added));
    assert_false(
        CertAddEncodedCertificateToStore(store, X509_ASN_ENCODING, (const BYTE *)"0", 1, CERT_STORE_ADD_NEW, NULL));
    assert_true(CertFreeCertificateContext(first));
    assert_true(CertFreeCertificateContext(old));
    assert_true(CertFreeCertificateContext(fresh));
    assert_true(CertCloseStore(store, CERT_CLOSE_STORE_CHECK_FLAG));
    pki_free(&newer);
}

static void test_closing(void **state)
{
    (void)state;
    HCERTSTORE store = store_with(the_leaf()->x509, the_middle()->x509);
    PCCERT_CONTEXT held = CertEnumCertificatesInStore(store, NULL);
    assert_ptr_equal(CertDuplicateStore(store), store);
    assert_true(CertCloseStore(store, 0));
    assert_false(CertCloseStore(store, CERT_CLOSE_STORE_CHECK_FLAG));
    assert_int_equal((HRESULT)OpenSspiLastError(), CRYPT_E_PENDING_CLOSE);
    assert_int_equal(count(held->hCertStore), 2); /* the context holds it */
    assert_false(CertCloseStore(store, 0));       /* once too often */
    assert_true(CertFreeCertificateContext(held));
    assert_false(CertFreeCertificateContext(held));
    assert_false(CertCloseStore(store, 0));
    assert_null(CertDuplicateStore(store));
    /* By force: what callers hold is taken away; what the library holds stays. */
    store = store_with(the_leaf()->x509, NULL);
    held = CertEnumCertificatesInStore(store, NULL);
    struct certificate *inside;
    assert_int_equal(certificate_take(held, &inside), SEC_E_OK);
    assert_ptr_equal(CertDuplicateStore(store), store);
    assert_true(CertCloseStore(store, CERT_CLOSE_STORE_FORCE_FLAG));
    assert_false(CertFreeCertificateContext(held));
    assert_false(CertCloseStore(store, 0));
    assert_int_equal(X509_cmp(certificate_x509(inside), the_leaf()->x509), 0);
    certificate_put(inside);
    assert_true(CertCloseStore(NULL, 0));
    assert_false(CertCloseStore((HCERTSTORE)&store, 0));
    store = store_with(NULL, NULL);
    assert_false(CertCloseStore(store, 4));
    assert_true(CertCloseStore(store, CERT_CLOSE_STORE_FORCE_FLAG | CERT_CLOSE_STORE_CHECK_FLAG));
}

static void test_deleting(void **state)
{
    (void)state;
    HCERTSTORE store = store_with(the_leaf()->x509, the_middle()->x509);
    add_to(store, the_root()->x509);
    PCCERT_CONTEXT at = NULL;
    unsigned seen = 0;
    while ((at = CertEnumCertificatesInStore(store, at)) != NULL) { /* each goes while it is the place to go on from */
        assert_true(CertDeleteCertificateFromStore(CertDuplicateCertificateContext(at)));
        seen++;
    }
    assert_int_equal(seen, 3);
    assert_int_equal(count(store), 0);
    PCCERT_CONTEXT loose = context_of(the_leaf()->x509);
    assert_true(CertDeleteCertificateFromStore(loose));
    assert_false(CertDeleteCertificateFromStore(loose)); /* it was freed */
    assert_false(CertDeleteCertificateFromStore(NULL));
    assert_true(CertCloseStore(store, CERT_CLOSE_STORE_CHECK_FLAG));
    store = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, CERT_STORE_CREATE_NEW_FLAG, NULL);
    assert_non_null(store);
    assert_true(CertCloseStore(store, 0));
    assert_null(CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, CERT_STORE_DELETE_FLAG, NULL));
    store = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, CERT_STORE_READONLY_FLAG, NULL);
    loose = context_of(the_leaf()->x509);
    assert_false(CertAddCertificateContextToStore(store, loose, CERT_STORE_ADD_ALWAYS, NULL));
    assert_int_equal((HRESULT)OpenSspiLastError(), E_ACCESSDENIED);
    assert_true(CertFreeCertificateContext(loose));
    assert_true(CertCloseStore(store, 0));
}

/* How many fit; each must be the leaf when `leaf_only`. */
static unsigned found(HCERTSTORE store, DWORD type, DWORD flags, const void *what, bool leaf_only)
{
    unsigned n = 0;
    PCCERT_CONTEXT at = NULL;
    while ((at = CertFindCertificateInStore(store, X509_ASN_ENCODING, flags, type, what, at)) != NULL) {
        if (leaf_only)
            assert_int_equal(at->pCertInfo->SerialNumber.pbData[0], 3);
        n++;
    }
    return n;
}

static void test_finding(void **state)
{
    static const WCHAR part[] = {'E', 'X', 'A', 'M', 'p', 'l', 'e', 0}, middle[] = {'m', 'i', 'd', 'd', 'l', 'e', 0};
    char digest_text[65];
    WCHAR wide[80];
    BYTE hash[32];
    (void)state;
    HCERTSTORE store = store_with(the_root()->x509, the_leaf()->x509);
    add_to(store, the_middle()->x509);
    PCCERT_CONTEXT leaf = context_of(the_leaf()->x509);
    assert_int_equal(found(store, CERT_FIND_ANY, 0, NULL, false), 3);
    assert_int_equal(found(store, CERT_FIND_SUBJECT_STR_W, 0, part, true), 1);
    assert_int_equal(found(store, CERT_FIND_SUBJECT_STR_A, 0, "SERVER.", true), 1);
    assert_int_equal(found(store, CERT_FIND_SUBJECT_STR_A, 0, "tests, inc.", false), 3);
    assert_int_equal(found(store, CERT_FIND_ISSUER_STR_W, 0, middle, true), 1);
    assert_int_equal(found(store, CERT_FIND_ISSUER_STR_A, 0, "root", false), 2);
    assert_int_equal(found(store, CERT_FIND_SUBJECT_STR_A, 0, "nobody", false), 0);
    assert_int_equal(found(store, CERT_FIND_SUBJECT_STR_A, 0, "\xff", false), 0);
    assert_int_equal((HRESULT)OpenSspiLastError(), E_INVALIDARG);
    assert_int_equal(found(store, CERT_FIND_SUBJECT_NAME, 0, &leaf->pCertInfo->Subject, true), 1);
    assert_int_equal(found(store, CERT_FIND_ISSUER_NAME, 0, &leaf->pCertInfo->Issuer, true), 1);
    assert_int_equal(found(store, CERT_FIND_SUBJECT_CERT, 0, leaf->pCertInfo, true), 1);
    assert_int_equal(found(store, CERT_FIND_EXISTING, 0, leaf, true), 1);
    assert_int_equal(found(store, CERT_FIND_PUBLIC_KEY, 0, &leaf->pCertInfo->SubjectPublicKeyInfo, true), 1);
    PCCERT_CONTEXT issuer = CertFindCertificateInStore(store, 0, 0, CERT_FIND_ISSUER_OF, leaf, NULL);
    assert_int_equal(issuer->pCertInfo->SerialNumber.pbData[0], 2);
    assert_true(CertFreeCertificateContext(issuer));
    static const DWORD hashes[][2] = {{CERT_FIND_SHA1_HASH, CERT_SHA1_HASH_PROP_ID},
                                      {CERT_FIND_MD5_HASH, CERT_MD5_HASH_PROP_ID},
                                      {CERT_FIND_KEY_IDENTIFIER, CERT_KEY_IDENTIFIER_PROP_ID}};
    for (size_t i = 0; i < COUNT_OF(hashes); i++) {
        CRYPT_HASH_BLOB blob = {sizeof hash, hash};
        assert_true(CertGetCertificateContextProperty(leaf, hashes[i][1], hash, &blob.cbData));
        assert_int_equal(found(store, hashes[i][0], 0, &blob, true), 1);
        hash[0] ^= 1;
        assert_int_equal(found(store, hashes[i][0], 0, &blob, true), 0);
        blob.cbData--;
        assert_int_equal(found(store, hashes[i][0], 0, &blob, true), 0);
    }
    DWORD len = sizeof hash;
    assert_true(CertGetCertificateContextProperty(leaf, CERT_SHA256_HASH_PROP_ID, hash, &len));
    for (size_t i = 0; i < 32; i++)
        (void)snprintf(digest_text + 2 * i, 3, "%02x", hash[i]);
    const char *prefix = "sha256:";
    for (size_t i = 0; i < 7; i++)
        wide[i] = (WCHAR)prefix[i];
    for (size_t i = 0; i < 65; i++)
        wide[7 + i] = (WCHAR)digest_text[i];
    assert_int_equal(found(store, CERT_FIND_HASH_STR, 0, wide, true), 1);
    wide[70] = 0;
    assert_int_equal(found(store, CERT_FIND_HASH_STR, 0, wide, true), 0);
    /* Purposes. */
    char *purposes[] = {(char *)(uintptr_t)szOID_PKIX_KP_SERVER_AUTH, (char *)(uintptr_t)szOID_PKIX_KP_CLIENT_AUTH};
    CERT_ENHKEY_USAGE one = {1, purposes}, two = {2, purposes};
    assert_int_equal(found(store, CERT_FIND_ENHKEY_USAGE, 0, &one, true), 1);
    const CERT_ENHKEY_USAGE nowhere = {3, NULL};
    assert_null(CertFindCertificateInStore(store, X509_ASN_ENCODING, 0, CERT_FIND_ENHKEY_USAGE, &nowhere, NULL));
    assert_int_equal((HRESULT)OpenSspiLastError(), E_INVALIDARG);
    assert_int_equal(found(store, CERT_FIND_ENHKEY_USAGE, 0, &two, true), 0);
    assert_int_equal(found(store, CERT_FIND_ENHKEY_USAGE, CERT_FIND_OR_ENHKEY_USAGE_FLAG, &two, true), 1);
    assert_int_equal(found(store, CERT_FIND_ENHKEY_USAGE, CERT_FIND_OPTIONAL_ENHKEY_USAGE_FLAG, &one, false), 3);
    assert_int_equal(found(store, CERT_FIND_ENHKEY_USAGE, CERT_FIND_NO_ENHKEY_USAGE_FLAG, NULL, false), 2);
    /* Properties and keys. */
    DWORD id = CERT_FRIENDLY_NAME_PROP_ID;
    assert_int_equal(found(store, CERT_FIND_PROPERTY, 0, &id, false), 0);
    assert_int_equal(found(store, CERT_FIND_HAS_PRIVATE_KEY, 0, NULL, false), 0);
    /* What cannot be asked. */
    assert_null(CertFindCertificateInStore(store, 0, 0, CERT_FIND_SHA1_HASH, NULL, NULL));
    assert_null(CertFindCertificateInStore(store, 0, 0, 0x7F0000, leaf, NULL));
    assert_int_equal((HRESULT)OpenSspiLastError(), E_INVALIDARG);
    HCERTSTORE other = store_with(NULL, NULL);
    assert_null(CertEnumCertificatesInStore(other, CertEnumCertificatesInStore(store, NULL))); /* of another store */
    assert_int_equal((HRESULT)OpenSspiLastError(), E_INVALIDARG);
    assert_true(CertCloseStore(other, 0));
    assert_null(CertEnumCertificatesInStore(other, NULL));
    assert_true(CertFreeCertificateContext(leaf));
    assert_true(CertCloseStore(store, CERT_CLOSE_STORE_CHECK_FLAG));
}

static void test_issuer_and_lists(void **state)
{
    (void)state;
    HCERTSTORE store = store_with(the_middle()->x509, the_root()->x509);
    PCCERT_CONTEXT leaf = context_of(the_leaf()->x509), root = context_of(the_root()->x509);
    const DWORD checks = CERT_STORE_SIGNATURE_FLAG | CERT_STORE_TIME_VALIDITY_FLAG | CERT_STORE_REVOCATION_FLAG;
    DWORD flags = CERT_STORE_SIGNATURE_FLAG | CERT_STORE_TIME_VALIDITY_FLAG;
    PCCERT_CONTEXT issuer = CertGetIssuerCertificateFromStore(store, leaf, NULL, &flags);
    assert_non_null(issuer);
    assert_int_equal(flags, 0);
    assert_null(CertGetIssuerCertificateFromStore(store, leaf, issuer, &flags));
    flags = checks;
    issuer = CertGetIssuerCertificateFromStore(store, leaf, NULL, &flags);
    assert_int_equal(flags, CERT_STORE_REVOCATION_FLAG | CERT_STORE_NO_CRL_FLAG);
    assert_true(CertFreeCertificateContext(issuer));
    X509_CRL *crl = pki_crl(the_middle(), 3, 7), *newer = pki_crl(the_middle(), 0, 9);
    add_crl_to(store, crl);
    flags = checks;
    issuer = CertGetIssuerCertificateFromStore(store, leaf, NULL, &flags);
    assert_int_equal(flags, CERT_STORE_REVOCATION_FLAG);
    assert_true(CertFreeCertificateContext(issuer));
    flags = CERT_STORE_TIME_VALIDITY_FLAG;
    filetime_fix(filetime_now() + 2 * 366 * 24 * 3600 * FILETIME_SECOND); /* when it has expired */
    issuer = CertGetIssuerCertificateFromStore(store, leaf, NULL, &flags);
    filetime_fix(0);
    assert_int_equal(flags, CERT_STORE_TIME_VALIDITY_FLAG);
    assert_true(CertFreeCertificateContext(issuer));
    X509 *timeless = X509_dup(the_leaf()->x509);
    ASN1_TIME *no_time = ASN1_STRING_type_new(V_ASN1_UTCTIME);
    assert_int_equal(ASN1_STRING_set(no_time, "some day", -1), 1);
    assert_int_equal(X509_set1_notAfter(timeless, no_time), 1);
    assert_true(i2d_re_X509_tbs(timeless, NULL) > 0); /* it is encoded anew from now on */
    PCCERT_CONTEXT strange = context_of(timeless);
    issuer = CertGetIssuerCertificateFromStore(store, strange, NULL, &flags);
    assert_int_equal(flags, CERT_STORE_TIME_VALIDITY_FLAG);
    assert_true(CertFreeCertificateContext(issuer));
    assert_true(CertFreeCertificateContext(strange));
    ASN1_TIME_free(no_time);
    X509_free(timeless);
    flags = CERT_STORE_SIGNATURE_FLAG;
    assert_null(CertGetIssuerCertificateFromStore(store, root, NULL, &flags));
    assert_int_equal((HRESULT)OpenSspiLastError(), CRYPT_E_SELF_SIGNED);
    assert_int_equal(flags, 0);
    flags = 8;
    assert_null(CertGetIssuerCertificateFromStore(store, leaf, NULL, &flags));
    assert_null(CertGetIssuerCertificateFromStore(store, leaf, NULL, NULL));
    /* Lists. */
    PCCRL_CONTEXT list = CertEnumCRLsInStore(store, NULL), added = NULL;
    assert_int_equal(list->pCrlInfo->cCRLEntry, 1);
    assert_memory_equal(list->pCrlInfo->rgCRLEntry[0].SerialNumber.pbData, "\x03", 1);
    assert_ptr_equal(CertDuplicateCRLContext(list), list);
    assert_true(CertFreeCRLContext(list));
    unsigned char *der = NULL;
    int len = i2d_X509_CRL(newer, &der);
    assert_false(CertAddEncodedCRLToStore(store, X509_ASN_ENCODING, der, (DWORD)len, CERT_STORE_ADD_NEW, NULL));
    assert_int_equal((HRESULT)OpenSspiLastError(), CRYPT_E_EXISTS);
    assert_true(
        CertAddEncodedCRLToStore(store, X509_ASN_ENCODING, der, (DWORD)len, CERT_STORE_ADD_REPLACE_EXISTING, &added));
    assert_int_equal(added->pCrlInfo->cCRLEntry, 0);
    assert_null(CertEnumCRLsInStore(store, added));
    PCCRL_CONTEXT loose = CertCreateCRLContext(X509_ASN_ENCODING, der, (DWORD)len);
    assert_true(CertAddCRLContextToStore(store, loose, CERT_STORE_ADD_USE_EXISTING, NULL));
    assert_null(CertCreateCRLContext(X509_ASN_ENCODING, der, (DWORD)len - 1));
    assert_true(CertDeleteCRLFromStore(CertEnumCRLsInStore(store, NULL)));
    assert_null(CertEnumCRLsInStore(store, list)); /* the one that was replaced long ago, and its place */
    assert_false(CertFreeCRLContext(list));
    assert_true(CertFreeCRLContext(loose));
    assert_false(CertFreeCRLContext(loose));
    assert_true(CertFreeCRLContext(NULL));
    OPENSSL_free(der);
    X509_CRL_free(crl);
    X509_CRL_free(newer);
    assert_true(CertFreeCertificateContext(leaf));
    assert_true(CertFreeCertificateContext(root));
    assert_true(CertCloseStore(store, CERT_CLOSE_STORE_CHECK_FLAG));
}

static void file_holds(const char *path, unsigned expected)
{
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_FILENAME_A, 0, 0, CERT_STORE_OPEN_EXISTING_FLAG, path);
    assert_non_null(store);
    assert_int_equal(count(store), expected);
    assert_true(CertCloseStore(store, 0));
}

static void file_fails(const char *path, HRESULT code)
{
    assert_null(CertOpenStore(CERT_STORE_PROV_FILENAME_A, 0, 0, 0, path));
    assert_int_equal((HRESULT)OpenSspiLastError(), code);
}

static void test_files(void **state)
{
    (void)state;
    const X509 *both[] = {the_leaf()->x509, the_middle()->x509};
    unsigned char *der = NULL, *p7_der = NULL;
    int len = i2d_X509(the_leaf()->x509, &der);
    file_holds(scratch_pem("two.pem", both, 2, the_leaf()->key, NULL), 2);
    file_holds(scratch_file("one.der", der, (size_t)len), 1);
    PKCS7 *p7 = PKCS7_new();
    assert_true(PKCS7_set_type(p7, NID_pkcs7_signed) && PKCS7_content_new(p7, NID_pkcs7_data));
    PKCS7_add_certificate(p7, the_leaf()->x509);
    PKCS7_add_certificate(p7, the_root()->x509);
    int p7_len = i2d_PKCS7(p7, &p7_der);
    file_holds(scratch_file("two.p7b", p7_der, (size_t)p7_len), 2);
    CRYPT_DATA_BLOB blob = {(DWORD)p7_len, p7_der};
    HCERTSTORE store = CertOpenStore(sz_CERT_STORE_PROV_PKCS7, X509_ASN_ENCODING | PKCS_7_ASN_ENCODING, 0, 0, &blob);
    assert_int_equal(count(store), 2);
    assert_true(CertCloseStore(store, 0));
    blob.cbData--;
    assert_null(CertOpenStore(CERT_STORE_PROV_PKCS7, 0, 0, 0, &blob));
    assert_int_equal((HRESULT)OpenSspiLastError(), CRYPT_E_BAD_ENCODE);
    file_fails(scratch_file("cut.der", der, (size_t)len - 1), CRYPT_E_BAD_ENCODE);
    file_fails(scratch_file("empty", "", 0), CRYPT_E_BAD_ENCODE);
    file_fails(scratch_pem("key-only.pem", NULL, 0, the_leaf()->key, NULL), CRYPT_E_BAD_ENCODE);
    static const char broken[] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    file_fails(scratch_file("broken.pem", broken, sizeof broken - 1), CRYPT_E_BAD_ENCODE);
    file_fails(scratch_file("endless.pem", broken, 40), CRYPT_E_BAD_ENCODE);
    file_fails("/nowhere/at/all", ERROR_FILE_NOT_FOUND);
    file_fails(scratch(), CRYPT_E_FILE_ERROR);
    assert_null(CertOpenStore(CERT_STORE_PROV_FILENAME_A, 0, 0, CERT_FILE_STORE_COMMIT_ENABLE_FLAG, "/nowhere"));
    assert_int_equal(OpenSspiLastError(), ERROR_NOT_SUPPORTED);
    assert_null(CertOpenStore(CERT_STORE_PROV_FILENAME_A, 0, 0, 0, NULL));
    assert_null(CertOpenStore((LPCSTR)77, 0, 0, 0, NULL));
    assert_null(CertOpenStore("Unheard", 0, 0, 0, NULL));
    assert_int_equal(OpenSspiLastError(), ERROR_FILE_NOT_FOUND);
    PKCS7_free(p7);
    OPENSSL_free(der);
    OPENSSL_free(p7_der);
}

static void test_system(void **state)
{
    char text[3 * 4200];
    (void)state;
    const X509 *root = the_root()->x509, *middle = the_middle()->x509, *leaf = the_leaf()->x509;
    /* MY is the directory: it also holds the others' files, which count as certificates without keys. */
    (void)scratch_pem("key-only.pem", NULL, 0, the_leaf()->key, NULL);
    const char *root_file = scratch_pem("root.pem", &root, 1, NULL, NULL);
    const char *ca_file = scratch_pem("middle.pem", &middle, 1, NULL, NULL);
    (void)scratch_pem("mine.crt", &leaf, 1, NULL, NULL);
    (void)scratch_pem("mine.key", NULL, 0, the_leaf()->key, NULL);
    (void)snprintf(text, sizeof text, "[certificates]\nroot = %s\nca = %s\nmy = %s\nmachine_my = %s\n", root_file,
                   ca_file, scratch(), root_file);
    configure(text);
    HCERTSTORE store = CertOpenSystemStoreA(0, "Root");
    assert_int_equal(count(store), 1);
    PCCERT_CONTEXT found_root = CertEnumCertificatesInStore(store, NULL);
    assert_false(CertDeleteCertificateFromStore(found_root)); /* read only, and freed */
    assert_int_equal((HRESULT)OpenSspiLastError(), E_ACCESSDENIED);
    assert_true(CertCloseStore(store, CERT_CLOSE_STORE_CHECK_FLAG));
    static const WCHAR ca[] = {'C', 'A', 0}, my[] = {'M', 'Y', 0}, other[] = {'X', 0};
    store = CertOpenSystemStoreW(0, ca);
    assert_int_equal(count(store), 1);
    assert_true(CertCloseStore(store, 0));
    store = CertOpenStore(CERT_STORE_PROV_SYSTEM, 0, 0, CERT_SYSTEM_STORE_LOCAL_MACHINE, my);
    assert_int_equal(count(store), 1);
    assert_true(CertCloseStore(store, 0));
    store = CertOpenStore(CERT_STORE_PROV_SYSTEM, 0, 0, CERT_SYSTEM_STORE_CURRENT_USER, my);
    assert_int_equal(count(store), 3);
    PCCERT_CONTEXT mine = CertFindCertificateInStore(store, 0, 0, CERT_FIND_HAS_PRIVATE_KEY, NULL, NULL);
    assert_non_null(mine);
    HCRYPTPROV_OR_NCRYPT_KEY_HANDLE handle = 0;
    assert_true(CryptAcquireCertificatePrivateKey(mine, 0, NULL, &handle, NULL, NULL));
    assert_true(CertFreeCertificateContext(mine));
    /* A key has several properties, and is found by each. */
    static const DWORD of_keys[] = {CERT_KEY_CONTEXT_PROP_ID, CERT_KEY_PROV_HANDLE_PROP_ID,
                                    CERT_NCRYPT_KEY_HANDLE_PROP_ID, CERT_HCRYPTPROV_OR_NCRYPT_KEY_HANDLE_PROP_ID};
    for (size_t i = 0; i < COUNT_OF(of_keys); i++)
        assert_int_equal(found(store, CERT_FIND_PROPERTY, 0, &of_keys[i], false), 1);
    assert_true(CertCloseStore(store, CERT_CLOSE_STORE_CHECK_FLAG));
    assert_null(CertOpenSystemStoreW(0, other));
    assert_int_equal(OpenSspiLastError(), ERROR_FILE_NOT_FOUND);
    assert_null(CertOpenStore(CERT_STORE_PROV_SYSTEM, 0, 0, 0, my));
    /* The credential by hash, and the one for any server that asks. */
    BYTE hash[20];
    unsigned len = 0;
    struct certificate *certificate = NULL;
    X509_digest(the_leaf()->x509, EVP_sha1(), hash, &len);
    assert_int_equal(certificate_by_hash(NULL, false, hash, &certificate), SEC_E_OK);
    certificate_put(certificate);
    hash[0] ^= 1;
    assert_int_equal(certificate_by_hash(NULL, false, hash, &certificate), SEC_E_NO_CREDENTIALS);
    assert_int_equal(certificate_default_client(NULL, &certificate), SEC_E_NO_CREDENTIALS); /* a server's */
    struct pki client = make_identity(&(struct order){.name = "client", .issuer = the_middle(), .usage = "clientAuth"});
    const X509 *x509 = client.x509;
    (void)scratch_pem("client.pem", &x509, 1, client.key, NULL);
    assert_int_equal(certificate_default_client(NULL, &certificate), SEC_E_OK);
    assert_int_equal(X509_cmp(certificate_x509(certificate), client.x509), 0);
    certificate_put(certificate);
    STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();
    sk_X509_NAME_push(names, X509_get_subject_name(the_leaf()->x509));
    assert_int_equal(certificate_default_client(names, &certificate), SEC_E_NO_CREDENTIALS);
    sk_X509_NAME_push(names, X509_get_subject_name(the_root()->x509)); /* above the middle, from the store CA */
    assert_int_equal(certificate_default_client(names, &certificate), SEC_E_OK);
    certificate_put(certificate);
    sk_X509_NAME_free(names);
    pki_free(&client);
    configure("");
}

/* What the user's MY finds: how many certificates, and whose the keys are (NULL: nobody's). */
static void my_has(unsigned expected, const struct pki *owner)
{
    HCERTSTORE store = CertOpenSystemStoreA(0, "MY");
    HCRYPTPROV_OR_NCRYPT_KEY_HANDLE handle = 0;
    assert_int_equal(count(store), expected);
    PCCERT_CONTEXT mine = CertFindCertificateInStore(store, 0, 0, CERT_FIND_HAS_PRIVATE_KEY, NULL, NULL);
    assert_true((mine != NULL) == (owner != NULL));
    if (mine != NULL && owner != NULL) {
        assert_int_equal(X509_cmp(certificate_x509((const struct certificate *)mine), owner->x509), 0);
        assert_true(CryptAcquireCertificatePrivateKey(mine, 0, NULL, &handle, NULL, NULL));
        assert_null(CertFindCertificateInStore(store, 0, 0, CERT_FIND_HAS_PRIVATE_KEY, NULL, mine)); /* frees it */
    }
    assert_true(CertCloseStore(store, CERT_CLOSE_STORE_CHECK_FLAG));
}

static void ca_has(size_t n_certificates, bool list)
{
    HCERTSTORE store = CertOpenSystemStoreA(0, "CA");
    assert_non_null(store);
    assert_int_equal(count(store), n_certificates);
    PCCRL_CONTEXT crl = CertEnumCRLsInStore(store, NULL);
    assert_int_equal(crl != NULL, list);
    if (crl != NULL)
        assert_true(CertFreeCRLContext(crl));
    assert_true(CertCloseStore(store, CERT_CLOSE_STORE_CHECK_FLAG));
}

/* A file whose last block is damaged: of a directory only its revocation lists are there, and by itself it is refused. */
static void test_damaged_among_others(void **state)
{
    char folder[4200], text[4300];
    const X509 *leaf = the_leaf()->x509, *middle = the_middle()->x509;
    (void)state;
    (void)snprintf(folder, sizeof folder, "%s/damaged", scratch());
    assert_int_equal(mkdir(folder, 0700), 0);
    (void)snprintf(text, sizeof text, "[certificates]\nca = %s\n", folder);
    configure(text);
    const char *good = scratch_pem("damaged/a.pem", &leaf, 1, NULL, NULL),
               *damaged = scratch_pem("damaged/b.pem", &middle, 1, NULL, NULL),
               *last = scratch_pem("damaged/c.pem", (const X509 *[]){the_root()->x509}, 1, NULL, NULL);
    FILE *file = fopen(damaged, "a");
    assert_non_null(file);
    X509_CRL *crl = pki_crl(the_middle(), 3, 7);
    assert_int_equal(PEM_write_X509_CRL(file, crl), 1);
    assert_int_equal(fflush(file), 0);
    ca_has(3, true);
    assert_true(fputs("-----BEGIN CERTIFICATE-----\nMAAB\n-----END CERTIFICATE-----\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    ca_has(2, true);
    (void)snprintf(text, sizeof text, "[certificates]\nca = %s\n", damaged);
    configure(text);
    assert_null(CertOpenSystemStoreA(0, "CA"));
    assert_int_equal((HRESULT)OpenSspiLastError(), CRYPT_E_BAD_ENCODE);
    assert_non_null(strstr(OpenSspiLastErrorText(), "b.pem: a block CERTIFICATE is damaged"));
    assert_int_equal(unlink(good), 0);
    assert_int_equal(unlink(damaged), 0);
    assert_int_equal(unlink(last), 0);
    assert_int_equal(rmdir(folder), 0);
    X509_CRL_free(crl);
    configure("");
}

/* One certificate in several files of MY: its key is whichever of them has one, and nobody else's. */
static void test_key_pairs(void **state)
{
    char folder[4200], text[4300];
    const X509 *leaf = the_leaf()->x509, *chain[] = {the_leaf()->x509, the_middle()->x509};
    struct pki other = make_identity(&(struct order){.name = "other", .issuer = the_middle(), .serial = 3});
    (void)state;
    (void)snprintf(folder, sizeof folder, "%s/pairs", scratch());
    (void)snprintf(text, sizeof text, "[certificates]\nmy = %s\n", folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    configure(text);
    (void)scratch_pem("pairs/a.crt", &leaf, 1, NULL, NULL);
    my_has(1, NULL);
    const char *whole = scratch_pem("pairs/b.pem", chain, 2, the_leaf()->key, NULL);
    my_has(2, the_leaf());
    assert_int_equal(unlink(whole), 0);
    const char *again = scratch_pem("pairs/c.crt", &leaf, 1, NULL, NULL),
               *beside = scratch_pem("pairs/c.key", NULL, 0, the_leaf()->key, NULL);
    my_has(1, the_leaf());
    assert_int_equal(unlink(beside), 0);
    /* Another one of the same issuer and number is not in the store, and its key is nobody's. */
    assert_int_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(other.x509), X509_get0_serialNumber(leaf)), 0);
    const X509 *twin = other.x509;
    const char *twins = scratch_pem("pairs/d.pem", &twin, 1, other.key, NULL);
    my_has(1, NULL);
    assert_int_equal(unlink(twins), 0);
    assert_int_equal(unlink(again), 0);
    (void)snprintf(text, sizeof text, "%s/a.crt", folder);
    assert_int_equal(unlink(text), 0);
    assert_int_equal(rmdir(folder), 0);
    pki_free(&other);
    configure("");
}

int main(void)
{
    configure("");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_dispositions, nothing_left),
        cmocka_unit_test_teardown(test_closing, nothing_left),
        cmocka_unit_test_teardown(test_deleting, nothing_left),
        cmocka_unit_test_teardown(test_finding, nothing_left),
        cmocka_unit_test_teardown(test_issuer_and_lists, nothing_left),
        cmocka_unit_test_teardown(test_files, nothing_left),
        cmocka_unit_test_teardown(test_system, nothing_left),
        cmocka_unit_test_teardown(test_damaged_among_others, nothing_left),
        cmocka_unit_test_teardown(test_key_pairs, nothing_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
