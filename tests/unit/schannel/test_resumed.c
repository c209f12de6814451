/*
 * What a resumed connection is: resumed only where its session would have been let in, and told of as the session's full handshake was.
 * build: all
 */
#include "support/ntlm_loop.h"
#include "support/tls_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MANUAL SCH_CRED_MANUAL_CRED_VALIDATION

static void keys_share(CredHandle server)
{
    SecPkgCred_SessionTicketKey key = {.TicketInfoVersion = SESSION_TICKET_INFO_VERSION,
                                       .KeyId = "one of a farm",
                                       .KeyingMaterialSize = 32,
                                       .KeyingMaterial = "which all of its servers know"};
    SecPkgCred_SessionTicketKeys keys = {1, &key};
    assert_int_equal(SetCredentialsAttributesW(&server, SECPKG_ATTR_SESSION_TICKET_KEYS, &keys, sizeof keys), SEC_E_OK);
}

/* A client whom `lax` let in comes to `strict`, with whom it shares the keys of tickets. */
static void cross_to_strict(struct loop_pair *pair, CredHandle lax, CredHandle strict)
{
    keys_share(lax);
    keys_share(strict);
    pair->server.flags |= ASC_REQ_MUTUAL_AUTH;
    pair->server.credential = lax;
    assert_false(pair_connect_anew(pair));
    assert_true(side_is_named(&pair->server));
    assert_true(pair_connect_anew(pair));
    assert_true(side_is_named(&pair->server));
    pair->server.credential = strict;
    assert_false(pair_connect_anew(pair));
    assert_false(side_is_named(&pair->server));
    pair->server.credential = lax;
    FreeCredentialsHandle(&strict);
}

/* One server forbids signatures of RSA by name. */
static void test_signature_disabled(void **state)
{
    struct pki rsa =
        pki_make(&(struct pki_wish){.name = "Bob", .issuer = pki_authority(), .usage = "clientAuth", .rsa_bits = 2048});
    CRYPTO_SETTINGS setting = {.eAlgorithmUsage = TlsParametersCngAlgUsageSignature,
                               .strCngAlgId = {6, 8, (PWSTR)(uintptr_t)u"RSA"}};
    (void)state;
    EACH_TLS_VERSION(protocols)
    {
        struct loop_pair *pair = pair_new();
        struct side lax = {.client = false}, strict = {.client = false};
        PCCERT_CONTEXT context = pki_context(pki_server(), NULL, false);
        TLS_PARAMETERS parameters = {.grbitDisabledProtocols = SP_PROT_TLS1_X_SERVER & ~protocols,
                                     .pDisabledCrypto = &setting};
        SCH_CREDENTIALS cred = {.dwVersion = SCH_CREDENTIALS_VERSION,
                                .cCreds = 1,
                                .paCred = &context,
                                .dwFlags = MANUAL,
                                .cTlsParameters = 1,
                                .pTlsParameters = &parameters};
        assert_int_equal(side_acquire(&lax, &cred), SEC_E_OK);
        parameters.cDisabledCrypto = 1;
        assert_int_equal(side_acquire(&strict, &cred), SEC_E_OK);
        side_acquire_certificates(&pair->client, &rsa, NULL, (SCHANNEL_CRED){.dwFlags = MANUAL});
        cross_to_strict(pair, lax.credential, strict.credential);
        CertFreeCertificateContext(context);
        pair_free(pair);
    }
    pki_free(&rsa);
}

/* One server's list of algorithms leaves Ed25519 out, which no list can name. */
static void test_signature_left_out(void **state)
{
    static ALG_ID listed[] = {CALG_RSA_SIGN, CALG_ECDSA};
    struct pki edwards =
        pki_make(&(struct pki_wish){.name = "Eve", .issuer = pki_authority(), .usage = "clientAuth", .ed25519 = true});
    (void)state;
    EACH_TLS_VERSION(protocols)
    {
        struct loop_pair *pair = pair_new();
        struct side lax = {.client = false}, strict = {.client = false};
        SCHANNEL_CRED wishes = {.dwFlags = MANUAL, .grbitEnabledProtocols = protocols & SP_PROT_TLS1_X_SERVER};
        side_acquire_certificates(&lax, pki_server(), NULL, wishes);
        wishes.cSupportedAlgs = 2;
        wishes.palgSupportedAlgs = listed;
        side_acquire_certificates(&strict, pki_server(), NULL, wishes);
        side_acquire_certificates(&pair->client, &edwards, NULL, (SCHANNEL_CRED){.dwFlags = MANUAL});
        cross_to_strict(pair, lax.credential, strict.credential);
        pair_free(pair);
    }
    pki_free(&edwards);
}

/* TLS 1.3 names no key exchange in its suites either. */
static void test_exchange_disabled(void **state)
{
    CRYPTO_SETTINGS setting = {.eAlgorithmUsage = TlsParametersCngAlgUsageKeyExchange,
                               .strCngAlgId = {4, 6, (PWSTR)(uintptr_t)u"DH"}};
    (void)state;
    struct loop_pair *pair = pair_new();
    struct side lax = {.client = false}, strict = {.client = false};
    PCCERT_CONTEXT context = pki_context(pki_server(), NULL, false);
    TLS_PARAMETERS parameters = {.grbitDisabledProtocols = SP_PROT_TLS1_2_SERVER, .pDisabledCrypto = &setting};
    SCH_CREDENTIALS cred = {.dwVersion = SCH_CREDENTIALS_VERSION,
                            .cCreds = 1,
                            .paCred = &context,
                            .cTlsParameters = 1,
                            .pTlsParameters = &parameters};
    assert_int_equal(side_acquire(&lax, &cred), SEC_E_OK);
    parameters.cDisabledCrypto = 1;
    assert_int_equal(side_acquire(&strict, &cred), SEC_E_OK);
    keys_share(lax.credential);
    keys_share(strict.credential);
    side_acquire_certificates(&pair->client, NULL, NULL, (SCHANNEL_CRED){.dwFlags = MANUAL});
    pair->server.credential = lax.credential;
    assert_false(pair_connect_anew(pair));
    pair->server.credential = strict.credential;
    assert_false(pair_connect_anew(pair));
    assert_true(pair_connect_anew(pair));
    FreeCredentialsHandle(&lax.credential);
    CertFreeCertificateContext(context);
    pair_free(pair);
}

/* One server takes chains with weaker keys than the other one. */
static void test_security_level(void **state)
{
    static const char weak_level[] = "[certificates]\nsecurity_level = 1\n";
    struct pki weak = pki_make(&(struct pki_wish){.name = "weak authority", .authority = true, .rsa_bits = 1024});
    struct pki client = pki_make(&(struct pki_wish){.name = "Carol", .issuer = &weak, .usage = "clientAuth"});
    HCERTSTORE roots = pki_store(&weak);
    (void)state;
    EACH_TLS_VERSION(protocols)
    {
        struct loop_pair *pair = pair_new();
        struct side lax = {.client = false}, strict = {.client = false};
        SCHANNEL_CRED wishes = {.hRootStore = roots, .grbitEnabledProtocols = protocols & SP_PROT_TLS1_X_SERVER};
        side_acquire_certificates(&strict, pki_server(), NULL, wishes);
        loop_configure(weak_level);
        side_acquire_certificates(&lax, pki_server(), NULL, wishes);
        side_acquire_certificates(&pair->client, &client, NULL, (SCHANNEL_CRED){.dwFlags = MANUAL});
        keys_share(lax.credential);
        keys_share(strict.credential);
        pair->server.flags |= ASC_REQ_MUTUAL_AUTH;
        pair->server.credential = lax.credential;
        assert_false(pair_connect_anew(pair));
        assert_true(pair_connect_anew(pair));
        loop_configure("");
        pair_restart(pair);
        pair->server.credential = strict.credential;
        assert_false(pair_run(pair));
        assert_int_equal(pair->server.status, SEC_E_CERT_UNKNOWN);
        FreeCredentialsHandle(&lax.credential);
        pair_free(pair);
    }
    CertCloseStore(roots, 0);
    pki_free(&client);
    pki_free(&weak);
}

static bool is_same(PCCERT_CONTEXT one, const X509 *other)
{
    unsigned char *der = NULL;
    int len = i2d_X509(other, &der);
    assert_true(len > 0);
    bool same = one->cbCertEncoded == (DWORD)len && memcmp(one->pbCertEncoded, der, (size_t)len) == 0;
    OPENSSL_free(der);
    return same;
}

/* Is it this one, for both sides, in all that tells of the server's certificate? */
static void server_showed(struct loop_pair *pair, const struct pki *shown)
{
    static const ULONG certificate[2] = {SECPKG_ATTR_REMOTE_CERT_CONTEXT, SECPKG_ATTR_LOCAL_CERT_CONTEXT};
    struct side *sides[2] = {&pair->client, &pair->server};
    SecPkgContext_Bindings bindings[2];
    SecPkgContext_CipherInfo info[2];
    SecPkgContext_Lifespan lifespan[2];
    bool rsa = EVP_PKEY_get_base_id(shown->key) == EVP_PKEY_RSA;
    for (size_t i = 0; i < 2; i++) {
        PCCERT_CONTEXT context;
        assert_int_equal(QueryContextAttributesA(&sides[i]->context, certificate[i], &context), SEC_E_OK);
        assert_true(is_same(context, shown->x509));
        CertFreeCertificateContext(context);
        assert_int_equal(QueryContextAttributesW(&sides[i]->context, SECPKG_ATTR_CIPHER_INFO, &info[i]), SEC_E_OK);
        assert_int_equal(info[i].szCertificate[0], rsa ? 'R' : 'E');
        assert_int_equal(QueryContextAttributesW(&sides[i]->context, SECPKG_ATTR_LIFESPAN, &lifespan[i]), SEC_E_OK);
        assert_int_equal(QueryContextAttributesW(&sides[i]->context, SECPKG_ATTR_ENDPOINT_BINDINGS, &bindings[i]),
                         SEC_E_OK);
    }
    assert_memory_equal(&lifespan[0].tsExpiry, &lifespan[1].tsExpiry, sizeof lifespan[0].tsExpiry);
    assert_int_equal(bindings[0].BindingsLength, bindings[1].BindingsLength);
    assert_memory_equal(bindings[0].Bindings, bindings[1].Bindings, bindings[0].BindingsLength);
    for (size_t i = 0; i < 2; i++)
        FreeContextBuffer(bindings[i].Bindings);
}

static void several_certificates(const struct pki *one, const struct pki *other, const struct pki *chosen,
                                 const char *target, DWORD protocols, DWORD flags)
{
    struct loop_pair *pair = pair_new();
    side_acquire_certificates(&pair->client, NULL, NULL, (SCHANNEL_CRED){.dwFlags = MANUAL});
    side_acquire_certificates(
        &pair->server, one, other,
        (SCHANNEL_CRED){.dwFlags = flags, .grbitEnabledProtocols = protocols & SP_PROT_TLS1_X_SERVER});
    pair->client.target = target;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pair_connect_anew(pair), i > 0);
        server_showed(pair, chosen);
    }
    pair_free(pair);
}

/* RFC 5929 4: bindings are of the certificate in the session's full handshake. */
static void test_kinds_of_certificates(void **state)
{
    struct pki later = pki_make(
        &(struct pki_wish){.name = "server.test", .issuer = pki_authority(), .usage = "serverAuth", .for_days = 100});
    struct pki shorter = pki_make(&(struct pki_wish){
        .name = "server.test", .issuer = pki_authority(), .usage = "serverAuth", .rsa_bits = 2048, .for_days = 50});
    (void)state;
    EACH_TLS_VERSION(protocols)
    for (DWORD flags = 0; flags <= SCH_CRED_SNI_CREDENTIAL; flags += SCH_CRED_SNI_CREDENTIAL) {
        several_certificates(&later, &shorter, &later, "server.test", protocols, flags);
        several_certificates(&shorter, &later, &later, "server.test", protocols, flags);
    }
    pki_free(&later);
    pki_free(&shorter);
}

static void test_certificates_by_name(void **state)
{
    struct pki one = pki_make(
        &(struct pki_wish){.name = "a.test", .alternatives = "DNS:a.test", .issuer = pki_authority(), .for_days = 100});
    struct pki other = pki_make(
        &(struct pki_wish){.name = "b.test", .alternatives = "DNS:b.test", .issuer = pki_authority(), .for_days = 50});
    (void)state;
    EACH_TLS_VERSION(protocols)
    {
        several_certificates(&one, &other, &one, "a.test", protocols, SCH_CRED_SNI_CREDENTIAL);
        several_certificates(&one, &other, &other, "b.test", protocols, SCH_CRED_SNI_CREDENTIAL);
        several_certificates(&one, &other, &one, "c.test", protocols, SCH_CRED_SNI_CREDENTIAL);
    }
    pki_free(&one);
    pki_free(&other);
}

/* A server of the farm that has another certificate could not tell of the one that the client knows. */
static void test_certificates_of_a_farm(void **state)
{
    struct pki another =
        pki_make(&(struct pki_wish){.name = "server.test", .issuer = pki_authority(), .usage = "serverAuth"});
    (void)state;
    EACH_TLS_VERSION(protocols)
    {
        struct loop_pair *pair = pair_new();
        struct side first = {.client = false}, second = {.client = false}, both = {.client = false};
        SCHANNEL_CRED wishes = {.grbitEnabledProtocols = protocols & SP_PROT_TLS1_X_SERVER,
                                .dwFlags = SCH_CRED_SNI_CREDENTIAL};
        side_acquire_certificates(&pair->client, NULL, NULL, (SCHANNEL_CRED){.dwFlags = MANUAL});
        side_acquire_certificates(&first, pki_server(), NULL, wishes);
        side_acquire_certificates(&second, &another, NULL, wishes);
        side_acquire_certificates(&both, &another, pki_server(), wishes);
        keys_share(first.credential);
        keys_share(second.credential);
        keys_share(both.credential);
        pair->server.credential = first.credential;
        assert_false(pair_connect_anew(pair));
        assert_true(pair_connect_anew(pair));
        pair->server.credential = both.credential;
        assert_true(pair_connect_anew(pair));
        server_showed(pair, pki_server());
        pair->server.credential = second.credential;
        assert_false(pair_connect_anew(pair));
        server_showed(pair, &another);
        FreeCredentialsHandle(&first.credential);
        FreeCredentialsHandle(&both.credential);
        pair_free(pair);
    }
    pki_free(&another);
}

/* How many certificates the server has of its client, its own among them; the store's others are these. */
static int certificates_of_client(struct loop_pair *pair, const struct pki *leaf, const struct pki *issuer)
{
    static const ULONG attributes[] = {SECPKG_ATTR_REMOTE_CERT_CONTEXT, SECPKG_ATTR_REMOTE_CERT_CHAIN};
    int n_found[2] = {0, 0};
    for (size_t i = 0; i < 2; i++) {
        PCCERT_CONTEXT context, found = NULL;
        assert_int_equal(QueryContextAttributesA(&pair->server.context, attributes[i], &context), SEC_E_OK);
        assert_true(is_same(context, leaf->x509));
        while ((found = CertEnumCertificatesInStore(context->hCertStore, found)) != NULL) {
            assert_true(is_same(found, leaf->x509) || is_same(found, issuer->x509));
            n_found[i]++;
        }
        CertFreeCertificateContext(context);
    }
    assert_int_equal(n_found[0], n_found[1]);
    return n_found[0];
}

static struct pki intermediate_with(const char *alternatives)
{
    return pki_make(&(struct pki_wish){
        .name = "Test Intermediate", .alternatives = alternatives, .issuer = pki_authority(), .authority = true});
}

static void acquire_with_issuer(struct side *side, const struct pki *own, const struct pki *issuer)
{
    PCCERT_CONTEXT context = pki_context(own, issuer, false);
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION,
                          .cCreds = 1,
                          .paCred = &context,
                          .grbitEnabledProtocols = SP_PROT_TLS1_X,
                          .dwFlags = MANUAL};
    assert_int_equal(side_acquire(side, &cred), SEC_E_OK);
    CertFreeCertificateContext(context);
}

/* Who looks at the chain himself finds the same one in every connection; a chain that no ticket should carry makes each handshake a full one. */
static void chain_is_kept(const struct pki *intermediate, DWORD protocols, DWORD flags, bool resumed)
{
    struct pki client = pki_make(&(struct pki_wish){.name = "Carol", .issuer = intermediate, .usage = "clientAuth"});
    struct loop_pair *pair = pair_new();
    HCERTSTORE roots = pki_store(pki_authority());
    acquire_with_issuer(&pair->client, &client, intermediate);
    side_acquire_certificates(&pair->server, pki_server(), NULL,
                              (SCHANNEL_CRED){.hRootStore = roots,
                                              .dwFlags = flags,
                                              .grbitEnabledProtocols = protocols & SP_PROT_TLS1_X_SERVER});
    pair->server.flags |= ASC_REQ_MUTUAL_AUTH;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pair_connect_anew(pair), i > 0 && resumed);
        assert_int_equal(certificates_of_client(pair, &client, intermediate), 2);
    }
    CertCloseStore(roots, 0);
    pair_free(pair);
    pki_free(&client);
}

static void test_issuers_of_client(void **state)
{
    char *names = malloc(9000);
    size_t len = 0;
    while (len < 8900)
        len += (size_t)snprintf(names + len, 100, "%sDNS:name%zu.of.an.intermediate.test", len > 0 ? "," : "", len);
    struct pki intermediate = intermediate_with(NULL), bloated = intermediate_with(names);
    (void)state;
    EACH_TLS_VERSION(protocols)
    for (DWORD flags = 0; flags <= MANUAL; flags += MANUAL) {
        chain_is_kept(&intermediate, protocols, flags, true);
        chain_is_kept(&bloated, protocols, flags, false);
    }
    pki_free(&bloated);
    pki_free(&intermediate);
    free(names);
}

static void result_is(struct side *side, SECURITY_STATUS expected, DWORD errors)
{
    SecPkgContext_CertificateValidationResult result;
    assert_int_equal(QueryContextAttributesA(&side->context, SECPKG_ATTR_CERT_CHECK_RESULT, &result), expected);
    if (expected != SEC_E_OK)
        return;
    assert_int_equal(result.hrVerifyChainStatus, SEC_E_OK);
    assert_int_equal(result.dwChainErrorStatus, errors);
}

/* The verdict is the one of the full handshake, with what it passed over by wish. */
static void test_verdict(void **state)
{
    static const struct {
        DWORD flags, errors;
        bool shows;
        SECURITY_STATUS expected;
    } cases[] = {
        {0, CERT_TRUST_NO_ERROR, true, SEC_E_OK},
        {SCH_CRED_REVOCATION_CHECK_END_CERT | SCH_CRED_IGNORE_NO_REVOCATION_CHECK | SCH_CRED_IGNORE_REVOCATION_OFFLINE,
         CERT_TRUST_REVOCATION_STATUS_UNKNOWN, true, SEC_E_OK},
        {0, 0, false, SEC_E_UNSUPPORTED_FUNCTION},
        {MANUAL, 0, true, SEC_E_UNSUPPORTED_FUNCTION},
    };
    (void)state;
    EACH_TLS_VERSION(protocols)
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct loop_pair *pair = pair_new();
        HCERTSTORE roots = pki_store(pki_authority());
        SCHANNEL_CRED wishes = {
            .hRootStore = roots, .dwFlags = cases[i].flags, .grbitEnabledProtocols = protocols & SP_PROT_TLS1_X_SERVER};
        side_acquire_certificates(&pair->server, pki_server(), NULL, wishes);
        wishes.grbitEnabledProtocols = 0;
        side_acquire_certificates(&pair->client, cases[i].shows ? pki_client() : NULL, NULL, wishes);
        pair->client.flags |= ISC_REQ_USE_SUPPLIED_CREDS;
        pair->server.flags |= ASC_REQ_MUTUAL_AUTH;
        for (int n = 0; n < 3; n++) {
            assert_int_equal(pair_connect_anew(pair), n > 0);
            result_is(&pair->server, cases[i].expected, cases[i].errors);
            result_is(&pair->client, cases[i].flags == MANUAL ? SEC_E_UNSUPPORTED_FUNCTION : SEC_E_OK, cases[i].errors);
        }
        CertCloseStore(roots, 0);
        pair_free(pair);
    }
}

/* A session is forgotten under the name that the program used, and any other way to write it. */
static void test_forgotten(void **state)
{
    static const struct {
        const char *used, *forgotten;
        bool same;
    } cases[] = {{"server.test", "server.test", true}, {"server.test.", "server.test.", true},
                 {"Server.Test", "server.test", true}, {"server.test", "SERVER.TEST.", true},
                 {"server.test", "other.test", false}, {"server.test", "server.test..", false},
                 {"server.test", "server.tes", false}, {"server.test.", "server.test", true}};
    (void)state;
    EACH_TLS_VERSION(protocols)
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct loop_pair *pair = pair_new();
        pair->client.target = cases[i].used;
        pair_acquire(pair, protocols & SP_PROT_TLS1_X_CLIENT, 0, 0);
        assert_false(pair_connect_anew(pair));
        assert_true(pair_connect_anew(pair));
        (void)SslEmptyCacheA((char *)(uintptr_t)cases[i].forgotten, 0);
        assert_int_equal(pair_connect_anew(pair), !cases[i].same);
        pair_free(pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signature_disabled),
        cmocka_unit_test(test_signature_left_out),
        cmocka_unit_test(test_exchange_disabled),
        cmocka_unit_test(test_security_level),
        cmocka_unit_test(test_kinds_of_certificates),
        cmocka_unit_test(test_certificates_by_name),
        cmocka_unit_test(test_certificates_of_a_farm),
        cmocka_unit_test(test_issuers_of_client),
        cmocka_unit_test(test_verdict),
        cmocka_unit_test(test_forgotten),
    };
    loop_configure(NULL);
    return cmocka_run_group_tests(tests, NULL, loop_teardown);
}
