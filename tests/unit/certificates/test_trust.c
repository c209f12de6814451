/*
 * Chains good and bad: each fault with its code, and passed over only under its flag.
 *
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/utf16.h"
#include "certificates/certificate.h"
#include "unit/certificates/authority.h"
#include <sspi_ext.h>

/* What a test asks. */
struct ask {
    const struct pki *leaf;
    const struct pki *root; /* NULL: the_root */
    X509_CRL *crls[3];
    DWORD flags, role, policy_flags, checks;
    const char *name;
    const X509 *others[2];
};

static CERT_CHAIN_POLICY_STATUS ask(const struct ask *ask)
{
    HCERTSTORE roots = store_with((ask->root == NULL ? the_root() : ask->root)->x509, NULL);
    HCERTSTORE extra = store_with(the_middle()->x509, NULL);
    for (size_t i = 0; i < COUNT_OF(ask->others) && ask->others[i] != NULL; i++)
        add_to(extra, ask->others[i]);
    for (size_t i = 0; i < COUNT_OF(ask->crls) && ask->crls[i] != NULL; i++)
        add_crl_to(extra, ask->crls[i]);
    CERT_CHAIN_ENGINE_CONFIG config = {.cbSize = sizeof config, .hExclusiveRoot = roots};
    HCERTCHAINENGINE engine = NULL;
    assert_true(CertCreateCertificateChainEngine(&config, &engine));
    PCCERT_CONTEXT context = context_of(ask->leaf->x509);
    PCCERT_CHAIN_CONTEXT chain = NULL;
    CERT_CHAIN_PARA para = {.cbSize = sizeof para};
    assert_true(CertGetCertificateChain(engine, context, NULL, extra, &para, ask->flags, NULL, &chain));
    uint16_t *name = NULL;
    if (ask->name != NULL)
        assert_int_equal(utf16_from_text(ask->name, &name, NULL), WIRE_OK);
    SSL_EXTRA_CERT_CHAIN_POLICY_PARA ssl = {.dwAuthType = ask->role == 0 ? AUTHTYPE_SERVER : ask->role,
                                            .fdwChecks = ask->checks,
                                            .pwszServerName = (WCHAR *)name};
    ssl.cbSize = sizeof ssl;
    CERT_CHAIN_POLICY_PARA policy = {.cbSize = sizeof policy, .dwFlags = ask->policy_flags, .pvExtraPolicyPara = &ssl};
    CERT_CHAIN_POLICY_STATUS status = {.cbSize = sizeof status, .dwError = 77};
    assert_true(CertVerifyCertificateChainPolicy(CERT_CHAIN_POLICY_SSL, chain, &policy, &status));
    mem_free(name);
    CertFreeCertificateChain(chain);
    assert_true(CertFreeCertificateContext(context));
    CertFreeCertificateChainEngine(engine);
    assert_true(CertCloseStore(roots, CERT_CLOSE_STORE_CHECK_FLAG));
    assert_true(CertCloseStore(extra, CERT_CLOSE_STORE_CHECK_FLAG));
    return status;
}

#define CODE(...) ((HRESULT)ask(&(struct ask){__VA_ARGS__}).dwError)

static void test_good(void **state)
{
    (void)state;
    CERT_CHAIN_POLICY_STATUS status = ask(&(struct ask){.leaf = the_leaf(), .name = "server.example"});
    assert_int_equal(status.dwError, 0);
    assert_int_equal(status.lChainIndex, -1);
    assert_int_equal(status.lElementIndex, -1);
}

/* RFC 6125 6.4. */
static void test_names(void **state)
{
    static const char *const good[] = {"server.example", "SERVER.Example",   "server.example.",
                                       "a.wild.example", "A-1.WILD.example", "192.0.2.7"};
    static const char *const bad[] = {"other.example",
                                      "wild.example",
                                      "a.b.wild.example",
                                      "*.wild.example",
                                      ".wild.example",
                                      "server.example.evil",
                                      "192.0.2.8",
                                      "::1",
                                      ".server.example",
                                      "server.exampl\xc3\xa9",
                                      " server.example",
                                      "server.example..",
                                      "."};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_int_equal(CODE(.leaf = the_leaf(), .name = good[i]), 0);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(CODE(.leaf = the_leaf(), .name = bad[i]), CERT_E_CN_NO_MATCH);
        assert_int_equal(CODE(.leaf = the_leaf(), .name = bad[i], .checks = SECURITY_FLAG_IGNORE_CERT_CN_INVALID), 0);
    }
    /* The common name counts only where there is no DNS name, wildcards only as a whole label. */
    static const struct {
        const char *name, *alternatives, *asked;
        bool good;
    } cases[] = {
        {"cn.example", NULL, "cn.example", true},
        {"cn.example", "DNS:san.example", "cn.example", false},
        {"cn.example", "DNS:san.example", "san.example", true},
        {"x", "DNS:w*.example", "www.example", false},
        {"x", "DNS:*w.example", "www.example", false},
        {"x", "DNS:*.*.example", "a.b.example", false},
        {"x", "DNS:www.*.example", "www.a.example", false},
        {"x", "DNS:*", "localhost", false},
        {"x", "DNS:*.example", "a.example", false},
        {"x", "DNS:*.a.example", "b.a.example", true},
        {"x", "DNS:*.a.example", "xn--b.a.example", true},
        {"x", "IP:2001:db8::1", "2001:db8:0:0::1", true},
        {"192.0.2.9", NULL, "192.0.2.9", false}, /* an address is not sought in the common name */
        {"x", "DNS:192.0.2.9", "192.0.2.9", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct pki leaf = make_identity(
            &(struct order){.name = cases[i].name, .issuer = the_middle(), .alternatives = cases[i].alternatives});
        HRESULT code = CODE(.leaf = &leaf, .name = cases[i].asked);
        if (code != (cases[i].good ? 0 : CERT_E_CN_NO_MATCH))
            fail_msg("case %zu: 0x%x", i, (unsigned)code);
        pki_free(&leaf);
    }
}

static void test_time(void **state)
{
    (void)state;
    struct pki over =
        make_identity(&(struct order){.name = "over", .issuer = the_middle(), .from_days = -9, .to_days = -1});
    struct pki early =
        make_identity(&(struct order){.name = "early", .issuer = the_middle(), .from_days = 1, .to_days = 9});
    const struct pki *const both[] = {&over, &early};
    for (size_t i = 0; i < 2; i++) {
        CERT_CHAIN_POLICY_STATUS status = ask(&(struct ask){.leaf = both[i]});
        assert_int_equal((HRESULT)status.dwError, CERT_E_EXPIRED);
        assert_int_equal(status.lChainIndex, 0);
        assert_int_equal(status.lElementIndex, 0);
        assert_int_equal(CODE(.leaf = both[i], .checks = SECURITY_FLAG_IGNORE_CERT_DATE_INVALID), 0);
        assert_int_equal(CODE(.leaf = both[i], .policy_flags = CERT_CHAIN_POLICY_IGNORE_NOT_TIME_VALID_FLAG), 0);
        assert_int_equal(CODE(.leaf = both[i], .checks = SECURITY_FLAG_IGNORE_UNKNOWN_CA), CERT_E_EXPIRED);
    }
    pki_free(&over);
    pki_free(&early);
}

/* RFC 5280 4.1.2.5: the second that notAfter names is the last one that is good. */
static void test_last_second(void **state)
{
    (void)state;
    PCCERT_CONTEXT context = context_of(the_leaf()->x509);
    CERT_CHAIN_PARA para = {.cbSize = sizeof para};
    assert_non_null(context);
    for (int i = 0; i < 2; i++) {
        PCCERT_CHAIN_CONTEXT chain;
        FILETIME at = context->pCertInfo->NotAfter;
        uint64_t units = ((uint64_t)at.dwHighDateTime << 32 | at.dwLowDateTime) + (i == 1 ? 10000000 : 0);
        at = (FILETIME){(DWORD)units, (DWORD)(units >> 32)};
        assert_true(CertGetCertificateChain(NULL, context, &at, NULL, &para, 0, NULL, &chain));
        assert_int_equal(chain->rgpChain[0]->rgpElement[0]->TrustStatus.dwErrorStatus & CERT_TRUST_IS_NOT_TIME_VALID,
                         i == 0 ? 0 : CERT_TRUST_IS_NOT_TIME_VALID);
        CertFreeCertificateChain(chain);
    }
    assert_true(CertFreeCertificateContext(context));
}

static void test_issuers(void **state)
{
    (void)state;
    struct pki strange = make_identity(&(struct order){.name = "Root", .authority = true});
    struct pki alone = make_identity(&(struct order){.name = "alone"});
    struct pki orphan = make_identity(&(struct order){.name = "orphan", .issuer = &strange});
    struct pki forged = make_identity(&(struct order){.name = "forged", .issuer = the_middle()});
    struct pki no_ca = make_identity(&(struct order){.name = "of a leaf", .issuer = the_leaf()});
    /* A root that is not trusted: of the same name as ours, with another key. */
    CERT_CHAIN_POLICY_STATUS status = ask(&(struct ask){.leaf = the_leaf(), .root = &strange});
    assert_int_equal((HRESULT)status.dwError, CERT_E_CHAINING);
    assert_int_equal(status.lElementIndex, -1);
    status = ask(&(struct ask){.leaf = the_leaf(), .root = &strange, .others = {the_root()->x509}});
    assert_int_equal((HRESULT)status.dwError, CERT_E_UNTRUSTEDROOT);
    assert_int_equal(status.lElementIndex, 2);
    assert_int_equal(CODE(.leaf = the_leaf(), .root = &strange, .others = {the_root()->x509},
                          .checks = SECURITY_FLAG_IGNORE_UNKNOWN_CA),
                     0);
    assert_int_equal(CODE(.leaf = &alone), CERT_E_UNTRUSTEDROOT);
    assert_int_equal(CODE(.leaf = &alone, .root = &alone), 0);
    assert_int_equal(CODE(.leaf = &orphan), CERT_E_CHAINING);
    assert_int_equal(CODE(.leaf = &orphan, .policy_flags = CERT_CHAIN_POLICY_ALLOW_UNKNOWN_CA_FLAG), 0);
    assert_int_equal(CODE(.leaf = &no_ca, .others = {the_leaf()->x509}), TRUST_E_BASIC_CONSTRAINTS);
    /* A signature that is not the issuer's. */
    X509_set_issuer_name(forged.x509, X509_get_subject_name(the_middle()->x509));
    assert_true(X509_sign(forged.x509, forged.key, EVP_sha256()) > 0);
    assert_int_equal(CODE(.leaf = &forged), TRUST_E_CERT_SIGNATURE);
    assert_int_equal(CODE(.leaf = &forged, .policy_flags = 0xFFFFFFFF, .checks = 0xFFFFFFFF), TRUST_E_CERT_SIGNATURE);
    pki_free(&strange);
    pki_free(&alone);
    pki_free(&orphan);
    pki_free(&forged);
    pki_free(&no_ca);
}

/* RFC 5280 6.1.4 (k): an intermediate of version 3 says that it is an authority; the right to sign certificates alone does not make it one. */
static void test_silent_authority(void **state)
{
    (void)state;
    struct pki silent =
        make_identity(&(struct order){.name = "Silent", .issuer = the_root(), .key_usage = "critical,keyCertSign"});
    struct pki below = make_identity(&(struct order){.name = "below", .issuer = &silent});
    CERT_CHAIN_POLICY_STATUS status = ask(&(struct ask){.leaf = &below, .others = {silent.x509}});
    assert_int_equal((HRESULT)status.dwError, TRUST_E_BASIC_CONSTRAINTS);
    assert_int_equal(status.lElementIndex, 1);
    assert_int_equal(CODE(.leaf = &below, .root = &silent), CERT_E_CHAINING); /* no root either */
    pki_free(&silent);
    pki_free(&below);
}

/* What a caller asks for beyond this library's means is refused, not passed over. */
static void test_wishes(void **state)
{
    struct {
        DWORD cbSize;
        CERT_USAGE_MATCH usage, policy;
        DWORD timeout;
        BOOL check_freshness;
        DWORD freshness;
        LPFILETIME resync;
        const void *strong;
        DWORD strong_flags;
    } longer = {.cbSize = sizeof longer};
    char *policy = (char *)(uintptr_t) "1.2.3";
    PCCERT_CHAIN_CONTEXT chain = NULL;
    (void)state;
    PCCERT_CONTEXT leaf = context_of(the_leaf()->x509);
    PCERT_CHAIN_PARA para = (PCERT_CHAIN_PARA)(void *)&longer;
    static const DWORD fine[] = {0, 1, 2, 4, 8, 0x40, 0x80, 0x100, 0x2000, 0x88000000};
    static const DWORD not_here[] = {0x10, 0x200, 0x400, 0x4000, 0x8000, 0x20000, 0x100000};
    for (size_t i = 0; i < COUNT_OF(fine); i++) {
        assert_true(CertGetCertificateChain(NULL, leaf, NULL, NULL, para, fine[i], NULL, &chain));
        CertFreeCertificateChain(chain);
    }
    for (size_t i = 0; i < COUNT_OF(not_here); i++) {
        assert_false(CertGetCertificateChain(NULL, leaf, NULL, NULL, para, not_here[i], NULL, &chain));
        assert_int_equal((HRESULT)OpenSspiLastError(), E_INVALIDARG);
    }
    longer.timeout = 1000;
    assert_true(CertGetCertificateChain(NULL, leaf, NULL, NULL, para, 0, NULL, &chain));
    CertFreeCertificateChain(chain);
    longer.policy.Usage = (CERT_ENHKEY_USAGE){1, &policy};
    assert_false(CertGetCertificateChain(NULL, leaf, NULL, NULL, para, 0, NULL, &chain));
    longer.policy.Usage.cUsageIdentifier = 0;
    longer.check_freshness = TRUE;
    assert_false(CertGetCertificateChain(NULL, leaf, NULL, NULL, para, 0, NULL, &chain));
    longer.check_freshness = FALSE;
    longer.strong = &longer;
    assert_false(CertGetCertificateChain(NULL, leaf, NULL, NULL, para, 0, NULL, &chain));
    longer.strong = NULL;
    longer.usage.dwType = 2;
    assert_false(CertGetCertificateChain(NULL, leaf, NULL, NULL, para, 0, NULL, &chain));
    longer.usage.dwType = 0;
    for (DWORD size = 0; size < 4 + 4 + 24; size++) {
        longer.cbSize = size;
        assert_false(CertGetCertificateChain(NULL, leaf, NULL, NULL, para, 0, NULL, &chain));
    }
    HCERTCHAINENGINE engine = NULL;
    CERT_CHAIN_ENGINE_CONFIG config = {.cbSize = sizeof config, .dwExclusiveFlags = 1};
    assert_false(CertCreateCertificateChainEngine(&config, &engine));
    config = (CERT_CHAIN_ENGINE_CONFIG){.cbSize = sizeof config, .dwFlags = 0x40000000};
    assert_false(CertCreateCertificateChainEngine(&config, &engine));
    assert_true(CertFreeCertificateContext(leaf));
}

static void test_purpose(void **state)
{
    (void)state;
    struct pki client = make_identity(&(struct order){
        .name = "client", .issuer = the_middle(), .usage = "clientAuth", .key_usage = "digitalSignature"});
    struct pki any =
        make_identity(&(struct order){.name = "any", .issuer = the_middle(), .usage = "anyExtendedKeyUsage"});
    struct pki none = make_identity(&(struct order){.name = "none", .issuer = the_middle()});
    struct pki signs =
        make_identity(&(struct order){.name = "signs", .issuer = the_middle(), .key_usage = "keyCertSign"});
    struct pki mail = make_identity(
        &(struct order){.name = "Mail", .issuer = the_root(), .authority = true, .usage = "emailProtection"});
    struct pki under_mail = make_identity(&(struct order){.name = "under mail", .issuer = &mail});
    assert_int_equal(CODE(.leaf = &client), CERT_E_WRONG_USAGE);
    assert_int_equal(CODE(.leaf = &client, .role = AUTHTYPE_CLIENT), 0);
    assert_int_equal(CODE(.leaf = &client, .checks = SECURITY_FLAG_IGNORE_WRONG_USAGE), 0);
    assert_int_equal(CODE(.leaf = &client, .policy_flags = CERT_CHAIN_POLICY_IGNORE_WRONG_USAGE_FLAG), 0);
    assert_int_equal(CODE(.leaf = the_leaf(), .role = AUTHTYPE_CLIENT), CERT_E_WRONG_USAGE);
    assert_int_equal(CODE(.leaf = &any), 0);
    assert_int_equal(CODE(.leaf = &none), 0);
    assert_int_equal(CODE(.leaf = &none, .role = AUTHTYPE_CLIENT), 0);
    assert_int_equal(CODE(.leaf = &signs), CERT_E_WRONG_USAGE);
    CERT_CHAIN_POLICY_STATUS status = ask(&(struct ask){.leaf = &under_mail, .others = {mail.x509}});
    assert_int_equal((HRESULT)status.dwError, CERT_E_WRONG_USAGE);
    assert_int_equal(status.lElementIndex, 1);
    pki_free(&client);
    pki_free(&any);
    pki_free(&none);
    pki_free(&signs);
    pki_free(&mail);
    pki_free(&under_mail);
}

static void test_weak(void **state)
{
    (void)state;
    struct pki small = make_identity(&(struct order){.name = "small", .issuer = the_middle(), .rsa_bits = 1024});
    struct pki fine = make_identity(&(struct order){.name = "fine", .issuer = the_middle(), .rsa_bits = 2048});
    struct pki sha1 = make_identity(&(struct order){.name = "sha1", .issuer = the_middle(), .digest = EVP_sha1()});
    assert_int_equal(CODE(.leaf = &small), TRUST_E_CERT_SIGNATURE);
    assert_int_equal(CODE(.leaf = &fine), 0);
    assert_int_equal(CODE(.leaf = &sha1), TRUST_E_CERT_SIGNATURE);
    configure("[certificates]\nsecurity_level = 0\n");
    assert_int_equal(CODE(.leaf = &small), 0);
    assert_int_equal(CODE(.leaf = &sha1), 0);
    configure("");
    pki_free(&small);
    pki_free(&fine);
    pki_free(&sha1);
}

static void test_constraints(void **state)
{
    (void)state;
    struct pki narrow = make_identity(&(struct order){
        .name = "Narrow", .issuer = the_root(), .authority = true, .name_constraints = "permitted;DNS:inside.example"});
    struct pki inside =
        make_identity(&(struct order){.name = "x", .issuer = &narrow, .alternatives = "DNS:a.inside.example"});
    struct pki outside =
        make_identity(&(struct order){.name = "x", .issuer = &narrow, .alternatives = "DNS:a.outside.example"});
    struct pki flat = make_identity(&(struct order){
        .name = "Flat", .issuer = the_root(), .authority = true, .constraints = "critical,CA:TRUE,pathlen:0"});
    struct pki deep = make_identity(&(struct order){.name = "Deep", .issuer = &flat, .authority = true});
    struct pki below = make_identity(&(struct order){.name = "below", .issuer = &deep});
    struct pki odd =
        make_identity(&(struct order){.name = "odd", .issuer = the_middle(), .critical = "1.3.6.1.4.1.99999.1"});
    assert_int_equal(CODE(.leaf = &inside, .others = {narrow.x509}), 0);
    assert_int_equal(CODE(.leaf = &outside, .others = {narrow.x509}), CERT_E_INVALID_NAME);
    assert_int_equal(
        CODE(.leaf = &outside, .others = {narrow.x509}, .policy_flags = CERT_CHAIN_POLICY_IGNORE_INVALID_NAME_FLAG), 0);
    assert_int_equal(CODE(.leaf = &below, .others = {flat.x509, deep.x509}), TRUST_E_BASIC_CONSTRAINTS);
    assert_int_equal(CODE(.leaf = &below, .others = {flat.x509, deep.x509},
                          .policy_flags = CERT_CHAIN_POLICY_IGNORE_INVALID_BASIC_CONSTRAINTS_FLAG),
                     0);
    assert_int_equal(CODE(.leaf = &odd), CERT_E_CRITICAL);
    assert_int_equal(CODE(.leaf = &odd, .policy_flags = CERT_CHAIN_POLICY_IGNORE_NOT_SUPPORTED_CRITICAL_EXT_FLAG), 0);
    pki_free(&narrow);
    pki_free(&inside);
    pki_free(&outside);
    pki_free(&flat);
    pki_free(&deep);
    pki_free(&below);
    pki_free(&odd);
}

/* An issuer may require that every certificate below it names a policy that is allowed (RFC 5280 4.2.1.11). */
static void test_policies(void **state)
{
    static const struct {
        const char *constraints, *leaf;
        HRESULT code;
    } cases[] = {
        {"critical,requireExplicitPolicy:0", NULL, CERT_E_INVALID_POLICY},
        {"critical,requireExplicitPolicy:0,inhibitPolicyMapping:0", "1.2.3.5", CERT_E_INVALID_POLICY},
        {"critical,requireExplicitPolicy:0", "1.2.3.4", 0},
        {"critical,inhibitPolicyMapping:0", NULL, 0},
        {NULL, "1.2.3.5", 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct pki issuer = make_identity(&(struct order){.name = "Issuer",
                                                          .issuer = the_root(),
                                                          .authority = true,
                                                          .policies = "1.2.3.4",
                                                          .policy_constraints = cases[i].constraints});
        struct pki leaf = make_identity(&(struct order){.name = "x", .issuer = &issuer, .policies = cases[i].leaf});
        HRESULT code = CODE(.leaf = &leaf, .others = {issuer.x509});
        if (code != cases[i].code)
            fail_msg("case %zu: 0x%x", i, (unsigned)code);
        pki_free(&leaf);
        pki_free(&issuer);
    }
}

#define END CERT_CHAIN_REVOCATION_CHECK_END_CERT
#define BELOW_ROOT CERT_CHAIN_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT
#define ALL CERT_CHAIN_REVOCATION_CHECK_CHAIN

static void test_revocation(void **state)
{
    (void)state;
    X509_CRL *none = pki_crl(the_middle(), 0, 7), *leaf = pki_crl(the_middle(), 3, 7);
    X509_CRL *root_none = pki_crl(the_root(), 0, 7), *middle = pki_crl(the_root(), 2, 7);
    X509_CRL *stale = pki_crl(the_middle(), 0, -1);
    struct pki foreign = make_identity(&(struct order){.name = "Middle", .authority = true});
    X509_CRL *forged = pki_crl(&foreign, 0, 7);
    struct pki fetched = make_identity(
        &(struct order){.name = "fetched", .issuer = the_middle(), .distribution = "URI:http://crl.example/x.crl"});
    assert_int_equal(CODE(.leaf = the_leaf(), .crls = {leaf}), 0); /* not asked */
    assert_int_equal(CODE(.leaf = the_leaf(), .flags = END, .crls = {none}), 0);
    assert_int_equal(CODE(.leaf = the_leaf(), .flags = END, .crls = {leaf}), CRYPT_E_REVOKED);
    assert_int_equal(CODE(.leaf = the_leaf(), .flags = END, .crls = {middle, none}), 0);
    assert_int_equal(CODE(.leaf = the_leaf(), .flags = BELOW_ROOT, .crls = {root_none, none}), 0);
    CERT_CHAIN_POLICY_STATUS status =
        ask(&(struct ask){.leaf = the_leaf(), .flags = BELOW_ROOT, .crls = {middle, none}});
    assert_int_equal((HRESULT)status.dwError, CRYPT_E_REVOKED);
    assert_int_equal(status.lElementIndex, 1);
    assert_int_equal(CODE(.leaf = the_leaf(), .flags = ALL, .crls = {root_none, none}), 0);
    /* Nothing known. */
    assert_int_equal(CODE(.leaf = the_leaf(), .flags = END), CRYPT_E_NO_REVOCATION_CHECK);
    assert_int_equal(CODE(.leaf = the_leaf(), .flags = END, .crls = {forged}), CRYPT_E_REVOCATION_OFFLINE);
    assert_int_equal(CODE(.leaf = &fetched, .flags = END), CRYPT_E_REVOCATION_OFFLINE);
    assert_int_equal(CODE(.leaf = the_leaf(), .flags = END, .crls = {stale}), CRYPT_E_REVOCATION_OFFLINE);
    status = ask(&(struct ask){.leaf = the_leaf(), .flags = BELOW_ROOT, .crls = {none}});
    assert_int_equal((HRESULT)status.dwError, CRYPT_E_NO_REVOCATION_CHECK);
    assert_int_equal(status.lElementIndex, 1);
    /* Passed over only under the right flag. */
    const DWORD end = CERT_CHAIN_POLICY_IGNORE_END_REV_UNKNOWN_FLAG, ca = CERT_CHAIN_POLICY_IGNORE_CA_REV_UNKNOWN_FLAG;
    assert_int_equal(CODE(.leaf = the_leaf(), .flags = END, .policy_flags = end), 0);
    assert_int_equal(CODE(.leaf = &fetched, .flags = END, .policy_flags = end), 0);
    assert_int_equal(CODE(.leaf = the_leaf(), .flags = END, .policy_flags = ca), CRYPT_E_NO_REVOCATION_CHECK);
    assert_int_equal(CODE(.leaf = the_leaf(), .flags = BELOW_ROOT, .crls = {none}, .policy_flags = ca), 0);
    assert_int_equal(CODE(.leaf = the_leaf(), .flags = END, .checks = SECURITY_FLAG_IGNORE_REVOCATION), 0);
    assert_int_equal(CODE(.leaf = the_leaf(), .flags = END, .crls = {leaf},
                          .policy_flags = CERT_CHAIN_POLICY_IGNORE_ALL_REV_UNKNOWN_FLAGS),
                     CRYPT_E_REVOKED);
    X509_CRL_free(none);
    X509_CRL_free(leaf);
    X509_CRL_free(root_none);
    X509_CRL_free(middle);
    X509_CRL_free(stale);
    X509_CRL_free(forged);
    pki_free(&foreign);
    pki_free(&fetched);
}

/* The judge keeps the two kinds of not knowing apart (SCH_CRED_IGNORE_…). */
static void test_judge(void **state)
{
    const DWORD unknown = CERT_TRUST_REVOCATION_STATUS_UNKNOWN, offline = CERT_TRUST_IS_OFFLINE_REVOCATION;
    struct trust_verdict verdict = {.n_elements = 2};
    LONG element = 7;
    (void)state;
    assert_int_equal(trust_judge(&verdict, 0, &element), SEC_E_OK);
    assert_int_equal(element, -1);
    verdict.element[1].dwErrorStatus = unknown;
    assert_int_equal(trust_judge(&verdict, 0, &element), CRYPT_E_NO_REVOCATION_CHECK);
    assert_int_equal(element, 1);
    assert_int_equal(trust_judge(&verdict, unknown, NULL), SEC_E_OK);
    assert_int_equal(trust_judge(&verdict, offline, NULL), CRYPT_E_NO_REVOCATION_CHECK);
    verdict.element[1].dwErrorStatus = unknown | offline;
    assert_int_equal(trust_judge(&verdict, 0, NULL), CRYPT_E_REVOCATION_OFFLINE);
    assert_int_equal(trust_judge(&verdict, unknown, NULL), CRYPT_E_REVOCATION_OFFLINE);
    assert_int_equal(trust_judge(&verdict, offline, NULL), SEC_E_OK);
    /* Every bit is a fault unless it is ignored, but for the nesting of times, which is none (RFC 5280). */
    for (unsigned bit = 0; bit < 32; bit++) {
        verdict.element[1].dwErrorStatus = UINT32_C(1) << bit;
        SECURITY_STATUS status = trust_judge(&verdict, 0, NULL);
        if (verdict.element[1].dwErrorStatus == CERT_TRUST_IS_NOT_TIME_NESTED)
            assert_int_equal(status, SEC_E_OK);
        else
            assert_true(status < 0);
        assert_true(trust_sec_status(status) == SEC_E_OK || trust_sec_status(status) < 0);
        assert_int_equal(trust_judge(&verdict, UINT32_MAX, NULL), SEC_E_OK);
    }
    assert_int_equal(trust_sec_status(CERT_E_EXPIRED), SEC_E_CERT_EXPIRED);
    assert_int_equal(trust_sec_status(CERT_E_UNTRUSTEDROOT), SEC_E_UNTRUSTED_ROOT);
    assert_int_equal(trust_sec_status(CERT_E_CHAINING), SEC_E_UNTRUSTED_ROOT);
    assert_int_equal(trust_sec_status(CERT_E_CN_NO_MATCH), SEC_E_WRONG_PRINCIPAL);
    assert_int_equal(trust_sec_status(CERT_E_WRONG_USAGE), SEC_E_CERT_WRONG_USAGE);
    assert_int_equal(trust_sec_status(CRYPT_E_REVOKED), CRYPT_E_REVOKED);
    assert_int_equal(trust_sec_status(TRUST_E_CERT_SIGNATURE), SEC_E_CERT_UNKNOWN);
}

int main(void)
{
    configure("");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_good, nothing_left),
        cmocka_unit_test_teardown(test_names, nothing_left),
        cmocka_unit_test_teardown(test_last_second, nothing_left),
        cmocka_unit_test_teardown(test_time, nothing_left),
        cmocka_unit_test_teardown(test_issuers, nothing_left),
        cmocka_unit_test_teardown(test_silent_authority, nothing_left),
        cmocka_unit_test_teardown(test_wishes, nothing_left),
        cmocka_unit_test_teardown(test_purpose, nothing_left),
        cmocka_unit_test_teardown(test_weak, nothing_left),
        cmocka_unit_test_teardown(test_constraints, nothing_left),
        cmocka_unit_test_teardown(test_policies, nothing_left),
        cmocka_unit_test_teardown(test_revocation, nothing_left),
        cmocka_unit_test_teardown(test_judge, nothing_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
