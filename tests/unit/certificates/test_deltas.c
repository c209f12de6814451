/*
 * Delta revocation lists (RFC 5280 5.2.4): a delta takes no complete list's place and tells of more revoked ones; what is newer of the same authority
 * outdoes it.
 *
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "unit/certificates/authority.h"
#include <sspi_ext.h>

#define END CERT_CHAIN_REVOCATION_CHECK_END_CERT
#define BELOW_ROOT CERT_CHAIN_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT
#define LEAF 3 /* serial numbers of the hierarchy */
#define MIDDLE 2
#define LISTS_MAX 4
#define VERIFIED_MAX 4096 /* src/certificates/trust.c */

static struct pki foreign; /* bears the middle authority's name */
/* While set: the middle authority's certificate of another key, lies in the store too; and whom it is asked of. */
static const struct pki *other_key, *asked;

/* Zeroes: of the middle authority, revokes nobody; complete with number 5, or number 6 and what changed since 5, made later. */
struct list {
    enum { NO_LIST, COMPLETE, CHANGES } kind;
    const struct pki *issuer;
    long revoked, days, delta_of, age;
    long number; /* -1: none */
    bool lifted;
};

static HCERTSTORE lists_store(const struct list lists[LISTS_MAX])
{
    HCERTSTORE store = store_with(the_middle()->x509, other_key != NULL ? other_key->x509 : NULL);
    for (size_t i = 0; i < LISTS_MAX && lists[i].kind != NO_LIST; i++) {
        const struct list *list = &lists[i];
        bool delta = list->kind == CHANGES;
        struct pki_list wish = {.issuer = list->issuer != NULL ? list->issuer : the_middle(),
                                .revoked = list->revoked,
                                .days = list->days != 0 ? list->days : 7,
                                .number = list->number != 0 ? list->number : 5 + delta,
                                .is_delta = delta,
                                .delta_of = list->delta_of != 0 ? list->delta_of : 5,
                                .age = list->age != 0 || !delta ? list->age : 60,
                                .lifted = list->lifted};
        wish.number = wish.number < 0 ? 0 : wish.number;
        X509_CRL *crl = pki_list(&wish);
        add_crl_to(store, crl);
        X509_CRL_free(crl);
    }
    return store;
}

/* The leaf's judgement by a complete list of the root that revokes nobody, and these. */
static CERT_CHAIN_POLICY_STATUS judged(DWORD flags, const struct list lists[LISTS_MAX])
{
    HCERTSTORE roots = store_with(the_root()->x509, NULL), extra = lists_store(lists);
    X509_CRL *root_none = pki_list(&(struct pki_list){.issuer = the_root(), .days = 7, .number = 5});
    add_crl_to(roots, root_none);
    X509_CRL_free(root_none);
    CERT_CHAIN_ENGINE_CONFIG config = {.cbSize = sizeof config, .hExclusiveRoot = roots};
    HCERTCHAINENGINE engine = NULL;
    assert_true(CertCreateCertificateChainEngine(&config, &engine));
    PCCERT_CONTEXT context = context_of((asked != NULL ? asked : the_leaf())->x509);
    PCCERT_CHAIN_CONTEXT chain = NULL;
    CERT_CHAIN_PARA para = {.cbSize = sizeof para};
    assert_true(CertGetCertificateChain(engine, context, NULL, extra, &para, flags, NULL, &chain));
    CERT_CHAIN_POLICY_PARA policy = {.cbSize = sizeof policy};
    CERT_CHAIN_POLICY_STATUS status = {.cbSize = sizeof status, .dwError = 77};
    assert_true(CertVerifyCertificateChainPolicy(CERT_CHAIN_POLICY_BASE, chain, &policy, &status));
    CertFreeCertificateChain(chain);
    assert_true(CertFreeCertificateContext(context));
    CertFreeCertificateChainEngine(engine);
    assert_true(CertCloseStore(roots, CERT_CLOSE_STORE_CHECK_FLAG));
    assert_true(CertCloseStore(extra, CERT_CLOSE_STORE_CHECK_FLAG));
    return status;
}

#define CODE(flags, ...) ((HRESULT)judged(flags, (const struct list[LISTS_MAX]){__VA_ARGS__}).dwError)

#define BASE(...)                     \
    {                                 \
        .kind = COMPLETE, __VA_ARGS__ \
    }
#define DELTA(...)                   \
    {                                \
        .kind = CHANGES, __VA_ARGS__ \
    }
#define NOBODY .revoked = 0

static void test_no_base(void **state)
{
    (void)state;
    assert_int_equal(CODE(BELOW_ROOT, BASE(.revoked = LEAF)), CRYPT_E_REVOKED);
    assert_int_equal(CODE(BELOW_ROOT, BASE(.revoked = LEAF), DELTA(NOBODY)), CRYPT_E_REVOKED);
    assert_int_equal(CODE(BELOW_ROOT, DELTA(NOBODY), BASE(.revoked = LEAF)), CRYPT_E_REVOKED);
    assert_int_equal(CODE(BELOW_ROOT, DELTA(NOBODY)), CRYPT_E_NO_REVOCATION_CHECK);
    assert_int_equal(CODE(END, DELTA(NOBODY)), CRYPT_E_NO_REVOCATION_CHECK);
    /* Out of date is the complete list, whatever its delta. */
    assert_int_equal(CODE(BELOW_ROOT, BASE(.days = -1), DELTA(NOBODY)), CRYPT_E_REVOCATION_OFFLINE);
    assert_int_equal(CODE(BELOW_ROOT, BASE(NOBODY), DELTA(NOBODY)), 0);
}

static void test_tells_more(void **state)
{
    (void)state;
    assert_int_equal(CODE(BELOW_ROOT, BASE(NOBODY), DELTA(.revoked = LEAF)), CRYPT_E_REVOKED);
    assert_int_equal(CODE(BELOW_ROOT, BASE(NOBODY), DELTA(.revoked = LEAF, .age = 7200)), CRYPT_E_REVOKED);
    assert_int_equal(CODE(END, BASE(.number = -1), DELTA(.revoked = LEAF)), CRYPT_E_REVOKED);
    assert_int_equal(CODE(END, BASE(NOBODY), DELTA(.revoked = LEAF, .number = -1)), CRYPT_E_REVOKED);
    /* Of a list that is not at hand, or alone, or out of date: who it names is revoked. */
    assert_int_equal(CODE(END, BASE(.number = 4), DELTA(.revoked = LEAF)), CRYPT_E_REVOKED);
    assert_int_equal(CODE(END, DELTA(.revoked = LEAF)), CRYPT_E_REVOKED);
    assert_int_equal(CODE(END, BASE(NOBODY), DELTA(.revoked = LEAF, .days = -1)), CRYPT_E_REVOKED);
    assert_int_equal(CODE(END, BASE(NOBODY), DELTA(.revoked = LEAF + 1)), 0);
    assert_int_equal(CODE(0, BASE(NOBODY), DELTA(.revoked = LEAF)), 0); /* not asked */
    /* An authority's. */
    CERT_CHAIN_POLICY_STATUS status = judged(
        BELOW_ROOT, (const struct list[LISTS_MAX]){BASE(NOBODY), DELTA(.revoked = MIDDLE, .issuer = the_root())});
    assert_int_equal((HRESULT)status.dwError, CRYPT_E_REVOKED);
    assert_int_equal(status.lElementIndex, 1);
    assert_int_equal(CODE(END, BASE(NOBODY), DELTA(.revoked = MIDDLE, .issuer = the_root())), 0);
    /* The root's own does not count when it is left out. */
    assert_int_equal(CODE(BELOW_ROOT, BASE(NOBODY), DELTA(.revoked = 1, .issuer = the_root())), 0);
    assert_int_equal(CODE(CERT_CHAIN_REVOCATION_CHECK_CHAIN, BASE(NOBODY), DELTA(.revoked = 1, .issuer = the_root())),
                     CRYPT_E_REVOKED);
}

/* A hold that was lifted: what is newer no longer names the certificate. */
static void test_outdone(void **state)
{
    (void)state;
    assert_int_equal(CODE(END, BASE(.number = 6), DELTA(.revoked = LEAF)), 0);
    assert_int_equal(CODE(END, BASE(.number = 700), DELTA(.revoked = LEAF)), 0);
    assert_int_equal(CODE(END, BASE(NOBODY), DELTA(.revoked = LEAF), DELTA(.number = 7)), 0);
    assert_int_equal(CODE(END, BASE(NOBODY), DELTA(.number = 7), DELTA(.revoked = LEAF)), 0);
    assert_int_equal(
        CODE(END, BASE(NOBODY), DELTA(.revoked = LEAF), DELTA(.number = 7, .revoked = LEAF, .lifted = true)), 0);
    assert_int_equal(CODE(END, BASE(NOBODY), DELTA(.revoked = LEAF), DELTA(.number = 7, .revoked = LEAF)),
                     CRYPT_E_REVOKED);
    /* What changed since a later complete list does not tell what changed before it. */
    assert_int_equal(CODE(END, BASE(NOBODY), DELTA(.revoked = LEAF), DELTA(.number = 8, .delta_of = 7)),
                     CRYPT_E_REVOKED);
    /* removeFromCRL itself takes nobody out of a complete list. */
    assert_int_equal(CODE(END, BASE(.revoked = LEAF), DELTA(.revoked = LEAF, .lifted = true)), CRYPT_E_REVOKED);
    assert_int_equal(CODE(END, BASE(NOBODY), DELTA(.revoked = LEAF, .lifted = true)), 0);
}

/* What another key signed neither revokes nor outdoes. */
static void test_forged(void **state)
{
    (void)state;
    assert_int_equal(CODE(END, BASE(NOBODY), DELTA(.revoked = LEAF, .issuer = &foreign)), 0);
    assert_int_equal(CODE(END, BASE(NOBODY), DELTA(.revoked = LEAF), DELTA(.number = 7, .issuer = &foreign)),
                     CRYPT_E_REVOKED);
    assert_int_equal(CODE(END, BASE(NOBODY), DELTA(.revoked = LEAF), BASE(.number = 7, .issuer = &foreign)),
                     CRYPT_E_REVOKED);
    /* The root's numbers are not the middle authority's. */
    assert_int_equal(CODE(END, BASE(NOBODY), DELTA(.revoked = LEAF), BASE(.number = 7, .issuer = the_root())),
                     CRYPT_E_REVOKED);
}

/* A complete list that another key signed hides no revocation, and makes none. */
static void test_forged_complete(void **state)
{
    (void)state;
    assert_int_equal(CODE(END, BASE(.revoked = LEAF), BASE(.age = 60, .issuer = &foreign)), CRYPT_E_REVOKED);
    assert_int_equal(CODE(END, BASE(.age = 60, .issuer = &foreign), BASE(.revoked = LEAF)), CRYPT_E_REVOKED);
    assert_int_equal(CODE(END, BASE(NOBODY), BASE(.revoked = LEAF, .age = 60, .issuer = &foreign)), 0);
    assert_int_equal(CODE(END, BASE(.revoked = LEAF, .issuer = &foreign)), CRYPT_E_REVOCATION_OFFLINE);
    assert_int_equal(CODE(END, BASE(.days = -1), BASE(.age = 60, .issuer = &foreign)), CRYPT_E_REVOCATION_OFFLINE);
}

/* An authority that has changed its key has a list by each (as Windows' does): each tells of those whom that key certified, whichever is younger. */
static void test_key_changed(void **state)
{
    (void)state;
    struct pki renewed = make_identity(&(struct order){.name = "Middle", .issuer = the_root(), .authority = true});
    struct pki late = make_identity(&(struct order){.name = "late.example", .issuer = &renewed, .serial = LEAF});
    other_key = &renewed;
    for (long age = 0; age <= 7200; age += 7200) {
        asked = NULL;
        assert_int_equal(CODE(END, BASE(NOBODY, .age = 3600), BASE(NOBODY, .age = age, .issuer = &renewed)), 0);
        assert_int_equal(CODE(END, BASE(.revoked = LEAF, .age = 3600), BASE(NOBODY, .age = age, .issuer = &renewed)),
                         CRYPT_E_REVOKED);
        assert_int_equal(CODE(END, BASE(NOBODY, .age = 3600), BASE(.revoked = LEAF, .age = age, .issuer = &renewed)),
                         0);
        assert_int_equal(CODE(END, BASE(.age = age, .issuer = &renewed)), CRYPT_E_REVOCATION_OFFLINE);
        asked = &late;
        assert_int_equal(
            CODE(BELOW_ROOT, BASE(.revoked = LEAF, .age = 3600), BASE(NOBODY, .age = age, .issuer = &renewed)), 0);
        assert_int_equal(CODE(END, BASE(NOBODY, .age = 3600), BASE(.revoked = LEAF, .age = age, .issuer = &renewed)),
                         CRYPT_E_REVOKED);
        assert_int_equal(CODE(END, BASE(NOBODY, .age = age)), CRYPT_E_REVOCATION_OFFLINE);
    }
    other_key = asked = NULL;
    pki_free(&renewed);
    pki_free(&late);
}

/* Lists of one name without end: refused, not verified one by one. */
static void test_too_many(void **state)
{
    (void)state;
    HCERTSTORE store = store_with(the_middle()->x509, NULL);
    X509_CRL *list = pki_list(&(struct pki_list){.issuer = &foreign, .days = 7});
    PCCERT_CONTEXT leaf = context_of(the_leaf()->x509);
    CERT_CHAIN_PARA para = {.cbSize = sizeof para};
    for (int i = 0; i < VERIFIED_MAX; i++)
        add_crl_to(store, list);
    PCCERT_CHAIN_CONTEXT chain = NULL;
    assert_true(CertGetCertificateChain(NULL, leaf, NULL, store, &para, END, NULL, &chain));
    CertFreeCertificateChain(chain);
    chain = NULL;
    add_crl_to(store, list);
    assert_false(CertGetCertificateChain(NULL, leaf, NULL, store, &para, END, NULL, &chain));
    assert_int_equal((HRESULT)OpenSspiLastError(), CRYPT_E_NO_REVOCATION_CHECK);
    assert_null(chain);
    X509_CRL_free(list);
    assert_true(CertFreeCertificateContext(leaf));
    assert_true(CertCloseStore(store, CERT_CLOSE_STORE_CHECK_FLAG));
}

/* CertGetIssuerCertificateFromStore's check. */
static DWORD failed_checks(const struct list lists[LISTS_MAX])
{
    HCERTSTORE store = lists_store(lists);
    PCCERT_CONTEXT leaf = context_of(the_leaf()->x509);
    DWORD flags = CERT_STORE_REVOCATION_FLAG;
    PCCERT_CONTEXT issuer = CertGetIssuerCertificateFromStore(store, leaf, NULL, &flags);
    assert_non_null(issuer);
    assert_true(CertFreeCertificateContext(issuer));
    assert_true(CertFreeCertificateContext(leaf));
    assert_true(CertCloseStore(store, CERT_CLOSE_STORE_CHECK_FLAG));
    return flags;
}

#define FAILED(...) failed_checks((const struct list[LISTS_MAX]){__VA_ARGS__})

static void test_store_check(void **state)
{
    (void)state;
    assert_int_equal(FAILED(BASE(NOBODY), DELTA(NOBODY)), 0);
    assert_int_equal(FAILED(DELTA(NOBODY)), CERT_STORE_REVOCATION_FLAG | CERT_STORE_NO_CRL_FLAG);
    assert_int_equal(FAILED(BASE(.revoked = LEAF), DELTA(NOBODY)), CERT_STORE_REVOCATION_FLAG);
    assert_int_equal(FAILED(BASE(NOBODY), DELTA(.revoked = LEAF)), CERT_STORE_REVOCATION_FLAG);
    assert_int_equal(FAILED(BASE(.number = 6), DELTA(.revoked = LEAF)), 0);
    assert_int_equal(FAILED(BASE(NOBODY), DELTA(.revoked = LEAF, .issuer = &foreign)), 0);
}

static int foreign_make(void **state)
{
    (void)state;
    foreign = make_identity(&(struct order){.name = "Middle", .authority = true});
    return 0;
}

static int foreign_free(void **state)
{
    (void)state;
    pki_free(&foreign);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_no_base, nothing_left),
        cmocka_unit_test_teardown(test_tells_more, nothing_left),
        cmocka_unit_test_teardown(test_outdone, nothing_left),
        cmocka_unit_test_teardown(test_forged, nothing_left),
        cmocka_unit_test_teardown(test_forged_complete, nothing_left),
        cmocka_unit_test_teardown(test_key_changed, nothing_left),
        cmocka_unit_test_teardown(test_too_many, nothing_left),
        cmocka_unit_test_teardown(test_store_check, nothing_left),
    };
    return cmocka_run_group_tests(tests, foreign_make, foreign_free);
}
