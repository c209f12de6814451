/*
 * What a client is told that it showed, and its server that it was shown: in full handshakes, resumed ones, and when they are asked for again.
 * build: all
 */
#include "support/ntlm_loop.h"
#include "support/tls_loop.h"
#include "base/memory.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MANUAL SCH_CRED_MANUAL_CRED_VALIDATION

static bool is_same(PCCERT_CONTEXT one, const X509 *other)
{
    unsigned char *der = NULL;
    int len = i2d_X509(other, &der);
    assert_true(len > 0);
    bool same = one->cbCertEncoded == (DWORD)len && memcmp(one->pbCertEncoded, der, (size_t)len) == 0;
    OPENSSL_free(der);
    return same;
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

/* What a client is told that it showed: all that tells of it agrees. NULL: nothing. */
static void client_showed(struct loop_pair *pair, const struct pki *shown)
{
    const ULONG granted = ISC_RET_MUTUAL_AUTH | ISC_RET_USED_SUPPLIED_CREDS;
    PCCERT_CONTEXT context;
    SecPkgContext_Lifespan lifespan[2];
    struct side *sides[2] = {&pair->client, &pair->server};
    SECURITY_STATUS expected = shown != NULL ? SEC_E_OK : SEC_E_NO_CREDENTIALS;
    assert_int_equal(QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_LOCAL_CERT_CONTEXT, &context),
                     expected);
    if (shown != NULL) {
        assert_true(is_same(context, shown->x509));
        CertFreeCertificateContext(context);
    }
    assert_int_equal(side_is_named(&pair->client), shown != NULL);
    assert_int_equal(pair->client.attributes & granted & (shown != NULL ? granted : ISC_RET_MUTUAL_AUTH),
                     shown != NULL ? granted : 0);
    if (!pair->server.has_context)
        return;
    assert_int_equal(QueryContextAttributesA(&pair->server.context, SECPKG_ATTR_REMOTE_CERT_CONTEXT, &context),
                     expected);
    if (shown != NULL) {
        assert_true(is_same(context, shown->x509));
        CertFreeCertificateContext(context);
    }
    assert_int_equal(side_is_named(&pair->server), shown != NULL);
    assert_int_equal((pair->server.attributes & ASC_RET_MUTUAL_AUTH) != 0, shown != NULL);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(QueryContextAttributesW(&sides[i]->context, SECPKG_ATTR_LIFESPAN, &lifespan[i]), SEC_E_OK);
    assert_memory_equal(&lifespan[0].tsExpiry, &lifespan[1].tsExpiry, sizeof lifespan[0].tsExpiry);
}

/* The server asks and may take no such signature; what the client showed then counts in the connections that resume the session. */
static void shown_by_client(const struct pki *one, const struct pki *other, const char *disabled,
                            const struct pki *expected, DWORD protocols)
{
    WCHAR name[8] = {0};
    for (size_t i = 0; disabled[i] != 0; i++)
        name[i] = (WCHAR)disabled[i];
    CRYPTO_SETTINGS setting = {.eAlgorithmUsage = TlsParametersCngAlgUsageSignature,
                               .strCngAlgId = {(USHORT)(2 * strlen(disabled)), sizeof name, name}};
    TLS_PARAMETERS parameters = {.grbitDisabledProtocols = SP_PROT_TLS1_X_SERVER & ~protocols,
                                 .cDisabledCrypto = disabled[0] != 0 ? 1 : 0,
                                 .pDisabledCrypto = &setting};
    /* Its own kind of signature is one that every case takes. */
    PCCERT_CONTEXT own = pki_context(strcmp(disabled, "ECDSA") == 0 ? pki_server_rsa() : pki_server(), NULL, false);
    SCH_CREDENTIALS cred = {.dwVersion = SCH_CREDENTIALS_VERSION,
                            .cCreds = 1,
                            .paCred = &own,
                            .dwFlags = MANUAL,
                            .cTlsParameters = 1,
                            .pTlsParameters = &parameters};
    struct loop_pair *pair = pair_new();
    assert_int_equal(side_acquire(&pair->server, &cred), SEC_E_OK);
    side_acquire_certificates(&pair->client, one, other, (SCHANNEL_CRED){.dwFlags = MANUAL});
    pair->client.flags |= ISC_REQ_MUTUAL_AUTH | ISC_REQ_USE_SUPPLIED_CREDS;
    pair->server.flags |= ASC_REQ_MUTUAL_AUTH;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pair_connect_anew(pair), i > 0);
        client_showed(pair, expected);
    }
    CertFreeCertificateContext(own);
    pair_free(pair);
}

static void test_shown_by_client(void **state)
{
    struct pki rsa = pki_make(&(struct pki_wish){
        .name = "Bob", .issuer = pki_authority(), .usage = "clientAuth", .rsa_bits = 2048, .for_days = 50});
    (void)state;
    EACH_TLS_VERSION(protocols)
    {
        shown_by_client(&rsa, NULL, "RSA", NULL, protocols);
        shown_by_client(&rsa, NULL, "", &rsa, protocols);
        shown_by_client(&rsa, pki_client(), "RSA", pki_client(), protocols);
        shown_by_client(pki_client(), &rsa, "ECDSA", &rsa, protocols);
        shown_by_client(NULL, NULL, "", NULL, protocols);
    }
    pki_free(&rsa);
}

/* Its issuers, too, come with what a client showed before. */
static void test_issuers_of_ones_own(void **state)
{
    struct pki intermediate = intermediate_with(NULL);
    struct pki client = pki_make(&(struct pki_wish){.name = "Carol", .issuer = &intermediate, .usage = "clientAuth"});
    (void)state;
    EACH_TLS_VERSION(protocols)
    {
        struct loop_pair *pair = pair_new();
        acquire_with_issuer(&pair->client, &client, &intermediate);
        pair_acquire(pair, 0, protocols & SP_PROT_TLS1_X_SERVER, 0);
        pair->server.flags |= ASC_REQ_MUTUAL_AUTH;
        for (int i = 0; i < 3; i++) {
            PCCERT_CONTEXT context, found = NULL;
            int n_found = 0;
            assert_int_equal(pair_connect_anew(pair), i > 0);
            assert_int_equal(QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_LOCAL_CERT_CONTEXT, &context),
                             SEC_E_OK);
            while ((found = CertEnumCertificatesInStore(context->hCertStore, found)) != NULL)
                n_found++;
            assert_int_equal(n_found, 2);
            CertFreeCertificateContext(context);
        }
        pair_free(pair);
    }
    pki_free(&client);
    pki_free(&intermediate);
}

/* Who showed a certificate when the handshake was over does so in no connection that asks for none. */
static void test_shown_later(void **state)
{
    (void)state;
    EACH_TLS_VERSION(protocols)
    {
        struct loop_pair *pair = pair_new();
        side_acquire_certificates(&pair->client, pki_client(), NULL, (SCHANNEL_CRED){.dwFlags = MANUAL});
        pair_acquire(pair, 0, protocols & SP_PROT_TLS1_X_SERVER, 0);
        pair->client.flags |= ISC_REQ_MUTUAL_AUTH;
        for (int i = 0; i < 2; i++) {
            pair->server.flags &= ~(ULONG)ASC_REQ_MUTUAL_AUTH;
            assert_int_equal(pair_connect_anew(pair), i > 0 && protocols == SP_PROT_TLS1_2);
            client_showed(pair, NULL);
            pair_ask_anew(pair, protocols);
            client_showed(pair, pki_client());
        }
        pair->server.flags &= ~(ULONG)ASC_REQ_MUTUAL_AUTH;
        for (int i = 0; i < 3; i++) {
            (void)pair_connect_anew(pair);
            client_showed(pair, NULL);
        }
        /* Where one is asked for, it is the session's. */
        pair->server.flags |= ASC_REQ_MUTUAL_AUTH;
        for (int i = 0; i < 3; i++) {
            (void)pair_connect_anew(pair);
            client_showed(pair, pki_client());
        }
        pair_free(pair);
    }
}

/* What the server says of its client's certificate. */
static void result_is(struct loop_pair *pair, SECURITY_STATUS expected)
{
    SecPkgContext_CertificateValidationResult result;
    assert_int_equal(QueryContextAttributesA(&pair->server.context, SECPKG_ATTR_CERT_CHECK_RESULT, &result), expected);
}

/* Another credential, without a certificate, shows none, though the connection began with one that has. */
static void test_shown_no_more(void **state)
{
    (void)state;
    EACH_TLS_VERSION(protocols)
    {
        struct loop_pair *pair = pair_new();
        struct side with = {.client = true}, without = {.client = true};
        side_acquire_certificates(&with, pki_client(), NULL, (SCHANNEL_CRED){.dwFlags = MANUAL});
        side_acquire_certificates(&without, NULL, NULL, (SCHANNEL_CRED){.dwFlags = MANUAL});
        pair_acquire(pair, 0, protocols & SP_PROT_TLS1_X_SERVER, 0);
        FreeCredentialsHandle(&pair->client.credential);
        pair->client.credential = with.credential;
        pair->client.flags |= ISC_REQ_MUTUAL_AUTH;
        pair->server.flags |= protocols == SP_PROT_TLS1_2 ? ASC_REQ_MUTUAL_AUTH : 0;
        assert_false(pair_connect_anew(pair));
        client_showed(pair, protocols == SP_PROT_TLS1_2 ? pki_client() : NULL);
        if (protocols ==
            SP_PROT_TLS1_3) { /* there libssl asks while it reads, and the step's credential is not known yet */
            pair_ask_anew(pair, protocols);
            client_showed(pair, pki_client());
            side_control(&pair->client, SCHANNEL_RENEGOTIATE);
        }
        pair->client.credential = without.credential;
        pair->client.flags |= ISC_REQ_USE_SUPPLIED_CREDS;
        if (protocols == SP_PROT_TLS1_3) {
            assert_int_equal(side_step(&pair->client), SEC_E_OK);
            side_hand_over(&pair->client, &pair->server);
            pair_talk(pair);
        }
        result_is(pair, SEC_E_OK);
        pair_ask_anew(pair, protocols);
        client_showed(pair, NULL);
        result_is(pair, SEC_E_UNSUPPORTED_FUNCTION);
        FreeCredentialsHandle(&with.credential);
        pair_free(pair);
    }
}

static int anybody(int ok, X509_STORE_CTX *store)
{
    (void)ok, (void)store;
    return 1;
}

/* Steps of the client and of libssl as its server, until nothing is said any more. */
static void peer_walk(struct side *client, SSL *server, BIO *in, BIO *out)
{
    unsigned char none[16];
    for (int i = 0; i < 10; i++) {
        if (client->out.len > 0)
            assert_int_equal(BIO_write(in, client->out.data, (int)client->out.len), (int)client->out.len);
        client->out.len = 0;
        if (SSL_is_init_finished(server))
            (void)SSL_read(server, none, sizeof none);
        else
            (void)SSL_do_handshake(server);
        int len = BIO_read(out, client->in.data, 1 << 16);
        if (len <= 0)
            return;
        client->in.len = (size_t)len;
        if (client->status == SEC_E_OK)
            assert_int_equal(side_receive(client, NULL), SEC_I_RENEGOTIATE);
        if (side_step(client) < 0)
            return; /* it goes no further */
        assert_int_equal(client->in.len, 0);
    }
    fail();
}

struct foreign {
    SSL *ssl;
    BIO *in, *out;
};

static struct foreign foreign_meet(SSL_CTX *ctx, struct loop_pair *pair)
{
    struct foreign server = {.ssl = SSL_new(ctx), .in = BIO_new(BIO_s_mem()), .out = BIO_new(BIO_s_mem())};
    SSL_set_bio(server.ssl, server.in, server.out);
    SSL_set_accept_state(server.ssl);
    pair_restart(pair);
    (void)side_step(&pair->client);
    return server;
}

static struct foreign foreign_begin(SSL_CTX *ctx, struct loop_pair *pair)
{
    struct foreign server = foreign_meet(ctx, pair);
    peer_walk(&pair->client, server.ssl, server.in, server.out);
    assert_true(SSL_is_init_finished(server.ssl));
    client_showed(pair, pki_client());
    return server;
}

/* It asks for nothing this time, and resumes the session that there is, or does not. */
static void foreign_renegotiate(struct foreign *server, struct loop_pair *pair, bool resumes, const struct pki *shown)
{
    SSL_set_verify(server->ssl, SSL_VERIFY_NONE, NULL);
    if (resumes)
        (void)SSL_clear_options(server->ssl, SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION);
    else
        (void)SSL_set_options(server->ssl, SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION);
    assert_int_equal(SSL_renegotiate(server->ssl), 1);
    assert_int_equal(SSL_do_handshake(server->ssl), 1);
    peer_walk(&pair->client, server->ssl, server->in, server->out);
    assert_true(SSL_is_init_finished(server->ssl));
    assert_int_equal(SSL_session_reused(server->ssl), resumes);
    assert_int_equal(SSL_get0_peer_certificate(server->ssl) != NULL, shown != NULL);
    assert_int_equal(pair->client.status, SEC_E_OK);
    client_showed(pair, shown);
}

static SSL_CTX *foreign_server(const struct pki *pki)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    assert_int_equal(SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION), 1);
    assert_int_equal(SSL_CTX_use_certificate(ctx, pki->x509), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, pki->key), 1);
    (void)SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"a", 1);
    return ctx;
}

/* The verdict on a session that was offered, and declined, is not that on the one which came in its place: a program that once looked at a stranger's
 * certificate by hand does not take that stranger for its server from then on. */
static void test_declined_session(void **state)
{
    struct pki stranger = pki_make(&(struct pki_wish){.name = "server.test", .usage = "serverAuth"});
    SSL_CTX *good = foreign_server(pki_server()), *evil = foreign_server(&stranger);
    struct loop_pair *pair = pair_new();
    HCERTSTORE roots = pki_store(pki_authority());
    SecPkgContext_CertificateValidationResult result;
    (void)state;
    side_acquire_certificates(&pair->client, NULL, NULL,
                              (SCHANNEL_CRED){.hRootStore = roots, .dwFlags = SCH_CRED_NO_DEFAULT_CREDS});
    struct foreign server = foreign_meet(good, pair);
    peer_walk(&pair->client, server.ssl, server.in, server.out);
    assert_int_equal(pair->client.status, SEC_E_OK);
    SSL_free(server.ssl);
    pair->client.flags |= ISC_REQ_MANUAL_CRED_VALIDATION;
    server = foreign_meet(evil, pair);
    peer_walk(&pair->client, server.ssl, server.in, server.out);
    assert_int_equal(pair->client.status, SEC_E_OK);
    assert_int_equal(SSL_session_reused(server.ssl), 0);
    for (int i = 0; i < 2; i++) {
        foreign_renegotiate(&server, pair, true, NULL);
        assert_int_equal(QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_CERT_CHECK_RESULT, &result),
                         SEC_E_UNSUPPORTED_FUNCTION);
    }
    SSL_free(server.ssl);
    pair->client.flags &= ~(ULONG)ISC_REQ_MANUAL_CRED_VALIDATION;
    server = foreign_meet(evil, pair);
    peer_walk(&pair->client, server.ssl, server.in, server.out);
    assert_int_equal(SSL_is_init_finished(server.ssl), 0);
    assert_int_equal(pair->client.status, SEC_E_UNTRUSTED_ROOT);
    SSL_free(server.ssl);
    ERR_clear_error();
    SSL_CTX_free(good);
    SSL_CTX_free(evil);
    pki_free(&stranger);
    pair_free(pair);
    CertCloseStore(roots, 0);
}

/* A server that asked at first does not when it renegotiates, where it may resume the session in which it asked. */
static void test_asked_no_more(void **state)
{
    struct loop_pair *pair = pair_new();
    SSL_CTX *ctx = foreign_server(pki_server());
    (void)state;
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, anybody);
    side_acquire_certificates(&pair->client, pki_client(), NULL, (SCHANNEL_CRED){.dwFlags = MANUAL});
    pair->client.flags |= ISC_REQ_MUTUAL_AUTH;
    for (int i = 0; i < 2; i++) {
        struct foreign server = foreign_begin(ctx, pair);
        assert_int_equal(SSL_session_reused(server.ssl), i > 0);
        foreign_renegotiate(&server, pair, true, pki_client());
        foreign_renegotiate(&server, pair, true, pki_client());
        SSL_free(server.ssl);
        server = foreign_begin(ctx, pair);
        foreign_renegotiate(&server, pair, false, NULL);
        foreign_renegotiate(&server, pair, true, NULL);
        foreign_renegotiate(&server, pair, false, NULL);
        SSL_free(server.ssl);
        assert_true(SslEmptyCacheW(NULL, 0) || i > 0);
        server = foreign_begin(ctx, pair);
        SSL_free(server.ssl);
    }
    ERR_clear_error();
    SSL_CTX_free(ctx);
    pair_free(pair);
}

/* A second connection whose nth allocation fails, on either side; true when it did. What is resumed is whole all the same. */
static bool resumed_without_memory(struct loop_pair *pair, const struct pki *client, unsigned long nth)
{
    assert_true(pair_run(pair));
    pair_talk(pair);
    pair_restart(pair);
    mem_fault_set(nth, false);
    bool done = pair_run(pair);
    bool refused = mem_fault_count() >= nth;
    mem_fault_set(0, false);
    if (done)
        client_showed(pair, client);
    else
        assert_true(pair->client.status == SEC_E_INSUFFICIENT_MEMORY ||
                    pair->server.status == SEC_E_INSUFFICIENT_MEMORY);
    if (done && side_is_resumed(&pair->server)) {
        PCCERT_CONTEXT context, found = NULL;
        int n_found = 0;
        assert_int_equal(QueryContextAttributesA(&pair->server.context, SECPKG_ATTR_REMOTE_CERT_CHAIN, &context),
                         SEC_E_OK);
        while ((found = CertEnumCertificatesInStore(context->hCertStore, found)) != NULL)
            n_found++;
        assert_int_equal(n_found, 2);
        CertFreeCertificateContext(context);
    }
    return refused;
}

static void test_no_memory(void **state)
{
    struct pki intermediate = intermediate_with(NULL);
    struct pki client = pki_make(&(struct pki_wish){.name = "Carol", .issuer = &intermediate, .usage = "clientAuth"});
    (void)state;
    EACH_TLS_VERSION(protocols)
    {
        unsigned long nth = 1;
        bool refused = true;
        for (; refused; nth++) {
            struct loop_pair *pair = pair_new();
            acquire_with_issuer(&pair->client, &client, &intermediate);
            pair_acquire(pair, 0, protocols & SP_PROT_TLS1_X_SERVER, 0);
            pair->client.flags |= ISC_REQ_MUTUAL_AUTH;
            pair->server.flags |= ASC_REQ_MUTUAL_AUTH;
            refused = resumed_without_memory(pair, &client, nth);
            pair_free(pair);
        }
        assert_true(nth > 5);
    }
    pki_free(&client);
    pki_free(&intermediate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shown_by_client), cmocka_unit_test(test_issuers_of_ones_own),
        cmocka_unit_test(test_shown_later),     cmocka_unit_test(test_shown_no_more),
        cmocka_unit_test(test_asked_no_more),   cmocka_unit_test(test_declined_session),
        cmocka_unit_test(test_no_memory),
    };
    loop_configure(NULL);
    return cmocka_run_group_tests(tests, NULL, loop_teardown);
}
