/*
 * Roots with trust settings (TRUSTED CERTIFICATE, as `openssl x509 -addtrust` and `-addreject` write them): for which purposes they count.
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
#include "unit/certificates/authority.h"
#include <openssl/pem.h>
#include <sspi_ext.h>
#include <stdio.h>
#include <string.h>

#define ANY szOID_ANY_ENHANCED_KEY_USAGE
#define SERVER szOID_PKIX_KP_SERVER_AUTH
#define CLIENT szOID_PKIX_KP_CLIENT_AUTH
#define EMAIL szOID_PKIX_KP_EMAIL_PROTECTION
#define LOGON \
    "1.3.6.1.4.1.311.20.2.2" /* smart card logon: a purpose that OpenSSL has no trust setting of its own for */

/* A root's settings. */
struct settings {
    const char *trust[2], *reject[2];
};

/* A file of one certificate with settings, and of another without (NULL: none); its name has `n` letters, so that the configuration with it is never
 * as long as the one before. */
static const char *trusted_pem(size_t n, const X509 *x509, const struct settings *settings, const X509 *beside)
{
    char name[64];
    (void)snprintf(name, sizeof name, "%.*s.pem", (int)n, "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr");
    BIO *bio = BIO_new(BIO_s_mem());
    X509 *copy = X509_dup(x509);
    for (size_t i = 0; i < 2; i++) {
        ASN1_OBJECT *trust = settings->trust[i] == NULL ? NULL : OBJ_txt2obj(settings->trust[i], 1);
        ASN1_OBJECT *reject = settings->reject[i] == NULL ? NULL : OBJ_txt2obj(settings->reject[i], 1);
        assert_true(trust == NULL || X509_add1_trust_object(copy, trust) == 1);
        assert_true(reject == NULL || X509_add1_reject_object(copy, reject) == 1);
        ASN1_OBJECT_free(trust);
        ASN1_OBJECT_free(reject);
    }
    assert_int_equal(PEM_write_bio_X509_AUX(bio, copy), 1);
    assert_true(beside == NULL || PEM_write_bio_X509(bio, (X509 *)(uintptr_t)beside) == 1);
    char *data;
    long len = BIO_get_mem_data(bio, &data);
    const char *path = scratch_file(name, data, (size_t)len);
    BIO_free(bio);
    X509_free(copy);
    return path;
}

static void configure_root(const char *root)
{
    char text[4200];
    const X509 *middle = the_middle()->x509;
    (void)snprintf(text, sizeof text, "[certificates]\nroot = %s\nca = %s\n", root,
                   scratch_pem("ca.pem", &middle, 1, NULL, NULL));
    configure(text);
}

/* What is asked of a chain. */
struct asked {
    const char *usage[2];
    DWORD match;
};

static PCCERT_CHAIN_CONTEXT chain_of(const X509 *x509, HCERTCHAINENGINE engine, const struct asked *asked)
{
    PCCERT_CONTEXT leaf = context_of(x509);
    PCCERT_CHAIN_CONTEXT chain = NULL;
    LPSTR usage[2] = {(LPSTR)(uintptr_t)asked->usage[0], (LPSTR)(uintptr_t)asked->usage[1]};
    CERT_CHAIN_PARA para = {.cbSize = sizeof para};
    para.RequestedUsage.dwType = asked->match;
    para.RequestedUsage.Usage.cUsageIdentifier = usage[0] == NULL ? 0 : (usage[1] == NULL ? 1 : 2);
    para.RequestedUsage.Usage.rgpszUsageIdentifier = usage;
    assert_true(CertGetCertificateChain(engine, leaf, NULL, NULL, &para, 0, NULL, &chain));
    assert_true(CertFreeCertificateContext(leaf));
    return chain;
}

static HRESULT policy_code(PCCERT_CHAIN_CONTEXT chain, DWORD role, DWORD checks)
{
    SSL_EXTRA_CERT_CHAIN_POLICY_PARA ssl = {.dwAuthType = role, .fdwChecks = checks};
    ssl.cbSize = sizeof ssl;
    CERT_CHAIN_POLICY_PARA policy = {.cbSize = sizeof policy, .pvExtraPolicyPara = &ssl};
    CERT_CHAIN_POLICY_STATUS status = {.cbSize = sizeof status, .dwError = 77};
    LPCSTR which = role == 0 ? CERT_CHAIN_POLICY_BASE : CERT_CHAIN_POLICY_SSL;
    assert_true(CertVerifyCertificateChainPolicy(which, chain, role == 0 ? NULL : &policy, &status));
    return (HRESULT)status.dwError;
}

/* BASE: the policy adds nothing to what the chain was built for. */
static HRESULT code_of(const X509 *x509, HCERTCHAINENGINE engine, const struct asked *asked)
{
    PCCERT_CHAIN_CONTEXT chain = chain_of(x509, engine, asked);
    HRESULT code = policy_code(chain, 0, 0);
    CertFreeCertificateChain(chain);
    return code;
}

static const struct asked questions[] = {
    {{SERVER}, USAGE_MATCH_TYPE_AND},        {{CLIENT}, USAGE_MATCH_TYPE_AND}, {{EMAIL}, USAGE_MATCH_TYPE_AND},
    {{LOGON}, USAGE_MATCH_TYPE_AND},         {{NULL}, USAGE_MATCH_TYPE_AND},   {{SERVER, CLIENT}, USAGE_MATCH_TYPE_AND},
    {{SERVER, CLIENT}, USAGE_MATCH_TYPE_OR},
};

/* One letter a question, + for trusted. Whoever asks for no purpose asks for any. */
static const struct {
    struct settings settings;
    const char *good;
} rows[] = {
    {{{NULL}, {NULL}}, "+++++++"},     {{{NULL}, {SERVER}}, "-++++-+"},
    {{{NULL}, {CLIENT}}, "+-+++-+"},   {{{NULL}, {SERVER, CLIENT}}, "--+++--"},
    {{{NULL}, {EMAIL}}, "++-++++"},    {{{NULL}, {LOGON}}, "+++-+++"},
    {{{NULL}, {ANY}}, "-------"},      {{{SERVER}, {NULL}}, "+-----+"},
    {{{CLIENT}, {NULL}}, "-+----+"},   {{{SERVER, CLIENT}, {NULL}}, "++---++"},
    {{{EMAIL}, {NULL}}, "--+----"},    {{{LOGON}, {NULL}}, "---+---"},
    {{{ANY}, {NULL}}, "+++++++"},      {{{ANY}, {SERVER}}, "-++++-+"},
    {{{SERVER}, {SERVER}}, "-------"}, {{{SERVER}, {ANY}}, "-------"},
};

static void row_check(size_t row, HCERTCHAINENGINE engine, const X509 *leaf)
{
    for (size_t i = 0; i < COUNT_OF(questions); i++) {
        HRESULT code = code_of(leaf, engine, &questions[i]);
        if (code != (rows[row].good[i] == '+' ? 0 : TRUST_E_EXPLICIT_DISTRUST))
            fail_msg("row %zu, question %zu: 0x%x", row, i, (unsigned)code);
    }
}

/* Roots of the configuration, and those of an engine's own store, which was opened from a file. */
static void test_purposes(void **state)
{
    (void)state;
    struct pki leaf = make_identity(&(struct order){.name = "leaf", .issuer = the_middle()});
    for (size_t row = 0; row < COUNT_OF(rows); row++) {
        const char *path = trusted_pem(row + 1, the_root()->x509, &rows[row].settings, NULL);
        configure_root(path);
        row_check(row, NULL, leaf.x509);
        HCERTSTORE roots = CertOpenStore(CERT_STORE_PROV_FILENAME_A, 0, 0, 0, path);
        assert_non_null(roots);
        CERT_CHAIN_ENGINE_CONFIG config = {.cbSize = sizeof config, .hExclusiveRoot = roots};
        HCERTCHAINENGINE engine = NULL;
        assert_true(CertCreateCertificateChainEngine(&config, &engine));
        row_check(row, engine, leaf.x509);
        config = (CERT_CHAIN_ENGINE_CONFIG){.cbSize = sizeof config, .hRestrictedRoot = roots};
        CertFreeCertificateChainEngine(engine);
        assert_true(CertCreateCertificateChainEngine(&config, &engine));
        row_check(row, engine, leaf.x509);
        CertFreeCertificateChainEngine(engine);
        assert_true(CertCloseStore(roots, 0));
    }
    pki_free(&leaf);
    configure("");
}

/* The SSL policy knows the role where the chain was asked for no purpose; no check that a caller leaves out lets distrust pass. */
static void test_policy(void **state)
{
    static const struct {
        struct settings settings;
        HRESULT server, client;
    } cases[] = {
        {{{NULL}, {NULL}}, 0, 0},
        {{{NULL}, {SERVER}}, TRUST_E_EXPLICIT_DISTRUST, 0},
        {{{NULL}, {CLIENT}}, 0, TRUST_E_EXPLICIT_DISTRUST},
        {{{NULL}, {EMAIL, LOGON}}, 0, 0},
        {{{ANY}, {SERVER}}, TRUST_E_EXPLICIT_DISTRUST, 0},
    };
    (void)state;
    struct pki leaf = make_identity(&(struct order){.name = "leaf", .issuer = the_middle()});
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        configure_root(trusted_pem(20 + i, the_root()->x509, &cases[i].settings, NULL));
        PCCERT_CHAIN_CONTEXT chain = chain_of(leaf.x509, NULL, &(struct asked){{NULL}, 0});
        assert_int_equal(policy_code(chain, 0, 0), 0);
        assert_int_equal(policy_code(chain, AUTHTYPE_SERVER, 0), cases[i].server);
        assert_int_equal(policy_code(chain, AUTHTYPE_CLIENT, 0), cases[i].client);
        assert_int_equal(policy_code(chain, AUTHTYPE_SERVER, 0xFFFFFFFF), cases[i].server);
        CertFreeCertificateChain(chain);
    }
    pki_free(&leaf);
    configure("");
}

/* An issuer among the roots: its distrust counts though its own root is there and good; named trust makes it the end of the chain. */
static void test_issuer(void **state)
{
    static const struct asked server = {{SERVER}, 0}, client = {{CLIENT}, 0}, logon = {{LOGON}, 0};
    static const struct settings no_server = {.reject = {SERVER}}, no_logon = {.reject = {LOGON}},
                                 only_server = {.trust = {SERVER}};
    (void)state;
    struct pki leaf = make_identity(&(struct order){.name = "leaf", .issuer = the_middle()});
    for (size_t i = 0; i < 2; i++) {
        configure_root(trusted_pem(30 + i, the_middle()->x509, i == 0 ? &no_server : &no_logon, the_root()->x509));
        assert_int_equal(code_of(leaf.x509, NULL, &server), i == 0 ? TRUST_E_EXPLICIT_DISTRUST : 0);
        assert_int_equal(code_of(leaf.x509, NULL, &client), 0);
        assert_int_equal(code_of(leaf.x509, NULL, &logon), i == 0 ? 0 : TRUST_E_EXPLICIT_DISTRUST);
    }
    configure_root(trusted_pem(33, the_middle()->x509, &only_server, NULL));
    PCCERT_CHAIN_CONTEXT chain = chain_of(leaf.x509, NULL, &server);
    assert_int_equal(chain->TrustStatus.dwErrorStatus, 0);
    assert_int_equal(chain->rgpChain[0]->cElement, 2);
    assert_int_equal(policy_code(chain, AUTHTYPE_SERVER, 0), 0);
    assert_int_equal(policy_code(chain, AUTHTYPE_CLIENT, 0), TRUST_E_EXPLICIT_DISTRUST);
    CertFreeCertificateChain(chain);
    assert_int_equal(code_of(leaf.x509, NULL, &client), TRUST_E_EXPLICIT_DISTRUST);
    assert_int_equal(code_of(leaf.x509, NULL, &logon), TRUST_E_EXPLICIT_DISTRUST);
    pki_free(&leaf);
    configure("");
}

/* The end of a chain by its trust settings is left out with the root. */
static void test_issuer_is_root(void **state)
{
    static const struct settings only_server = {.trust = {SERVER}};
    (void)state;
    LPSTR usage = (LPSTR)(uintptr_t)SERVER;
    CERT_CHAIN_PARA para = {.cbSize = sizeof para};
    para.RequestedUsage.Usage.cUsageIdentifier = 1;
    para.RequestedUsage.Usage.rgpszUsageIdentifier = &usage;
    configure_root(trusted_pem(34, the_middle()->x509, &only_server, NULL));
    HCERTSTORE extra = store_with(NULL, NULL);
    X509_CRL *nobody = pki_list(&(struct pki_list){.issuer = the_middle(), .days = 7});
    add_crl_to(extra, nobody);
    X509_CRL_free(nobody);
    PCCERT_CONTEXT leaf = context_of(the_leaf()->x509);
    for (size_t i = 0; i < 2; i++) {
        DWORD flags = i == 0 ? CERT_CHAIN_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT : CERT_CHAIN_REVOCATION_CHECK_CHAIN;
        PCCERT_CHAIN_CONTEXT chain = NULL;
        assert_true(CertGetCertificateChain(NULL, leaf, NULL, extra, &para, flags, NULL, &chain));
        assert_int_equal(chain->rgpChain[0]->cElement, 2);
        assert_int_equal((chain->TrustStatus.dwErrorStatus & CERT_TRUST_REVOCATION_STATUS_UNKNOWN) != 0, i == 1);
        CertFreeCertificateChain(chain);
    }
    assert_true(CertFreeCertificateContext(leaf));
    assert_true(CertCloseStore(extra, CERT_CLOSE_STORE_CHECK_FLAG));
    configure("");
}

/* A certificate that is its own root, as servers of tests show it. */
static void test_self_signed(void **state)
{
    static const struct settings only_server = {.trust = {SERVER}}, no_server = {.reject = {SERVER}};
    static const struct asked server = {{SERVER}, 0}, client = {{CLIENT}, 0};
    (void)state;
    struct pki alone = make_identity(&(struct order){.name = "alone"});
    configure_root(trusted_pem(36, alone.x509, &only_server, NULL));
    assert_int_equal(code_of(alone.x509, NULL, &server), 0);
    assert_int_equal(code_of(alone.x509, NULL, &client), TRUST_E_EXPLICIT_DISTRUST);
    configure_root(trusted_pem(37, alone.x509, &no_server, NULL));
    assert_int_equal(code_of(alone.x509, NULL, &server), TRUST_E_EXPLICIT_DISTRUST);
    assert_int_equal(code_of(alone.x509, NULL, &client), 0);
    pki_free(&alone);
    configure("");
}

/* An identifier that is too long to be written is damage, not a lack of memory; in a directory the file is passed over. */
static void test_long_identifier(void **state)
{
    (void)state;
    char oid[2048] = "1.2", text[4200];
    for (size_t i = 0; i < 700; i++)
        memcpy(oid + 3 + 2 * i, ".7", 3);
    struct pki bad = make_identity(&(struct order){.name = "bad", .critical = oid});
    unsigned char *der = NULL;
    int len = i2d_X509(bad.x509, &der);
    assert_null(CertCreateCertificateContext(X509_ASN_ENCODING, der, (DWORD)len));
    assert_int_equal((HRESULT)OpenSspiLastError(), CRYPT_E_ASN1_BADTAG);
    const char *path = scratch_file("zz.der", der, (size_t)len);
    assert_null(CertOpenStore(CERT_STORE_PROV_FILENAME_A, 0, 0, 0, path));
    assert_int_equal((HRESULT)OpenSspiLastError(), CRYPT_E_BAD_ENCODE);
    const X509 *good = the_leaf()->x509;
    scratch_pem("good.pem", &good, 1, NULL, NULL);
    (void)snprintf(text, sizeof text, "[certificates]\nmy = %s\n", scratch());
    configure(text);
    HCERTSTORE store = CertOpenSystemStoreA(0, "MY");
    assert_non_null(store);
    PCCERT_CONTEXT first = CertEnumCertificatesInStore(store, NULL);
    assert_non_null(first);
    assert_true(CertFreeCertificateContext(first));
    assert_true(CertCloseStore(store, 0));
    OPENSSL_free(der);
    pki_free(&bad);
    configure("");
}

int main(void)
{
    configure("");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_purposes, nothing_left),
        cmocka_unit_test_teardown(test_policy, nothing_left),
        cmocka_unit_test_teardown(test_issuer, nothing_left),
        cmocka_unit_test_teardown(test_issuer_is_root, nothing_left),
        cmocka_unit_test_teardown(test_long_identifier, nothing_left),
        cmocka_unit_test_teardown(test_self_signed, nothing_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
