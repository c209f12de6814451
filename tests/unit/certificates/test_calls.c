/*
 * System calls fail while certificates and revocation lists are read from files and directories: there is all that lies there, or an error. Half of a
 * store would trust whom a revocation list forbids.
 * build: all
 */
#include "support/failing/calls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/certificates/authority.h"
#include <errno.h>
#include <openssl/pem.h>
#include <sspi_ext.h>
#include <stdio.h>
#include <stdlib.h>

struct place {
    char path[256];
    const char *system; /* the store that is to lie there; NULL: the file */
    unsigned n_certificates, n_lists;
};

static unsigned certificates_of(HCERTSTORE store)
{
    unsigned n = 0;
    for (PCCERT_CONTEXT at = NULL; (at = CertEnumCertificatesInStore(store, at)) != NULL;)
        n++;
    return n;
}

static unsigned lists_of(HCERTSTORE store)
{
    unsigned n = 0;
    for (PCCRL_CONTEXT at = NULL; (at = CertEnumCRLsInStore(store, at)) != NULL;)
        n++;
    return n;
}

/* Errors that are no HRESULT are Windows' own numbers, which are positive. */
static long read_store(void *data)
{
    const struct place *place = data;
    HCERTSTORE store = place->system != NULL ? CertOpenSystemStoreA(0, place->system)
                                             : CertOpenStore(CERT_STORE_PROV_FILENAME_A, 0, 0, 0, place->path);
    if (store == NULL) {
        long error = (long)(HRESULT)OpenSspiLastError();
        return error > 0 ? -error : error;
    }
    unsigned n_certificates = certificates_of(store), n_lists = lists_of(store);
    assert_true(CertCloseStore(store, 0));
    if (n_certificates != place->n_certificates || n_lists != place->n_lists)
        fail_msg("%s: %u certificates and %u lists", place->path, n_certificates, n_lists);
    return 0;
}

static void after(void *data, long status)
{
    (void)status;
    assert_int_equal(read_store(data), 0);
}

/* A file that this user may not read is none of the directory's. */
static bool skips(const struct call_failure *failure, bool sticky)
{
    (void)sticky;
    return failure->error == EACCES;
}

static void sweep(const char *name, struct place *place)
{
    const struct calls_sweep sweep = {.name = name, .run = read_store, .after = after, .skips = skips, .data = place};
    assert_true(calls_sweep(&sweep) > 5);
}

static void test_file(void **state)
{
    const X509 *both[] = {the_middle()->x509, the_leaf()->x509};
    struct place place = {.n_certificates = 2};
    (void)state;
    (void)snprintf(place.path, sizeof place.path, "%s", scratch_pem("two.pem", both, 2, NULL, NULL));
    sweep("file", &place);
}

static void test_directory(void **state)
{
    char text[512];
    struct place place = {.system = "CA", .n_certificates = 2, .n_lists = 1};
    const X509 *both[] = {the_middle()->x509, the_leaf()->x509};
    unsigned char *der = NULL;
    X509_CRL *list = pki_crl(the_root(), 7, 5);
    (void)state;
    (void)scratch_pem("two.pem", both, 2, NULL, NULL);
    int len = i2d_X509_CRL(list, &der);
    assert_true(len > 0);
    (void)scratch_file("root.crl", der, (size_t)len);
    (void)scratch_file("notes", "nothing of use", 14);
    (void)snprintf(place.path, sizeof place.path, "%s", scratch());
    (void)snprintf(text, sizeof text, "[certificates]\nca = %s\n", scratch());
    configure(text);
    assert_int_equal(read_store(&place), 0);
    sweep("directory", &place);
    OPENSSL_free(der);
    X509_CRL_free(list);
}

/* Who named the roots gets those or an error, and never the distribution's. */
static void test_named_roots(void **state)
{
    const X509 *root = the_root()->x509;
    struct place place = {.system = "ROOT", .n_certificates = 1};
    (void)state;
    configure("");
    (void)snprintf(place.path, sizeof place.path, "%s", scratch_pem("root.pem", &root, 1, NULL, NULL));
    for (int directory = 0; directory < 2; directory++) {
        assert_int_equal(setenv(directory ? "SSL_CERT_DIR" : "SSL_CERT_FILE", place.path, 1), 0);
        assert_int_equal(read_store(&place), 0);
        sweep("named roots", &place);
        assert_int_equal(unsetenv(directory ? "SSL_CERT_DIR" : "SSL_CERT_FILE"), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_file), cmocka_unit_test(test_directory),
                                       cmocka_unit_test(test_named_roots)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
