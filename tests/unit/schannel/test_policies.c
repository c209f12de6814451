/*
 * What was agreed under one policy does not hold under another: sessions and tickets, credentials that change, requirements after the handshake.
 * build: all
 */
#include "support/ntlm_loop.h"
#include "support/tls_loop.h"

#include <openssl/ssl.h>
#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct wire text;

#define MANUAL SCH_CRED_MANUAL_CRED_VALIDATION

/* A ticket of a context that asked for no certificate opens none that requires one. */
static void test_tickets(void **state)
{
    (void)state;
    loop_configure("[schannel]\nrequire_client_certificate = yes\n");
    EACH_TLS_VERSION(protocols)
    {
        struct loop_pair *pair = pair_new();
        assert_int_equal(side_acquire_with(&pair->client, NULL, protocols & SP_PROT_TLS1_X_CLIENT, MANUAL), SEC_E_OK);
        pair->client.flags |= ISC_REQ_USE_SUPPLIED_CREDS;
        assert_true(pair_run(pair));
        pair_talk(pair);
        pair_restart(pair);
        pair->server.flags |= ASC_REQ_MUTUAL_AUTH;
        (void)pair_run(pair);
        assert_int_equal(pair->server.status, SEC_E_NO_CREDENTIALS);
        pair_free(pair);
    }
    loop_configure("");
}

/* The other way round: a session of a client that showed its certificate is not given to a context that asks for none. */
static void test_tickets_with_name(void **state)
{
    (void)state;
    EACH_TLS_VERSION(protocols)
    {
        struct loop_pair *pair = pair_new();
        assert_int_equal(side_acquire_with(&pair->client, pki_client(), protocols & SP_PROT_TLS1_X_CLIENT, MANUAL),
                         SEC_E_OK);
        for (int i = 0; i < 4; i++) {
            SecPkgContext_NamesA names;
            if (i < 2)
                pair->server.flags |= ASC_REQ_MUTUAL_AUTH;
            else
                pair->server.flags &= ~(ULONG)ASC_REQ_MUTUAL_AUTH;
            assert_true(pair_run(pair));
            pair_talk(pair);
            assert_int_equal(side_is_resumed(&pair->client), i == 1 || i == 3);
            assert_int_equal((pair->server.attributes & ASC_RET_MUTUAL_AUTH) != 0, i < 2);
            SECURITY_STATUS status = QueryContextAttributesA(&pair->server.context, SECPKG_ATTR_NAMES, &names);
            assert_int_equal(status, i < 2 ? SEC_E_OK : SEC_E_NO_CREDENTIALS);
            if (status == SEC_E_OK)
                FreeContextBuffer(names.sUserName);
            pair_restart(pair);
        }
        pair_free(pair);
    }
}

/* The server asks for a certificate that the configuration requires when the connection is open already; the client has none. */
static void required_later(DWORD protocols)
{
    struct loop_pair *pair = pair_new();
    assert_int_equal(side_acquire_with(&pair->client, NULL, protocols & SP_PROT_TLS1_X_CLIENT, MANUAL), SEC_E_OK);
    pair->client.flags |= ISC_REQ_USE_SUPPLIED_CREDS;
    assert_true(pair_run(pair));
    pair_talk(pair);
    pair->server.flags |= ASC_REQ_MUTUAL_AUTH;
    side_control(&pair->server, SCHANNEL_RENEGOTIATE);
    assert_int_equal(side_step(&pair->server), SEC_E_OK);
    side_hand_over(&pair->server, &pair->client);
    assert_int_equal(side_receive(&pair->client, NULL), SEC_I_RENEGOTIATE);
    assert_true(side_step(&pair->client) >= 0);
    SECURITY_STATUS status = SEC_E_OK;
    for (int i = 0; i < 10 && status >= 0 && pair->client.out.len > 0; i++) {
        side_hand_over(&pair->client, &pair->server);
        status =
            pair->server.status == SEC_I_CONTINUE_NEEDED ? side_step(&pair->server) : side_receive(&pair->server, NULL);
        if (status == SEC_I_RENEGOTIATE)
            status = side_step(&pair->server);
        side_hand_over(&pair->server, &pair->client);
        if (status >= 0 && pair->client.in.len > 0)
            (void)side_step(&pair->client);
    }
    assert_int_equal(status, SEC_E_NO_CREDENTIALS);
    pair_free(pair);
}

static void test_required_later(void **state)
{
    (void)state;
    loop_configure("[schannel]\nrequire_client_certificate = yes\n");
    EACH_TLS_VERSION(protocols)
    {
        required_later(protocols);
    }
    loop_configure("");
}

/* Validated under a credential that compares no names, then continued with one that does: the second resumes nothing of it. */
static void test_changed_credential(void **state)
{
    (void)state;
    EACH_TLS_VERSION(protocols)
    {
        struct loop_pair *pair = pair_new();
        struct side strict = {.client = true};
        assert_int_equal(
            side_acquire_with(&pair->client, NULL, protocols & SP_PROT_TLS1_X_CLIENT, SCH_CRED_NO_SERVERNAME_CHECK),
            SEC_E_OK);
        assert_int_equal(side_acquire_with(&strict, pki_client(), protocols & SP_PROT_TLS1_X_CLIENT, 0), SEC_E_OK);
        pair->client.target = "other.test";
        pair->server.flags |= ASC_REQ_MUTUAL_AUTH;
        assert_false(pair_run(pair));
        assert_int_equal(pair->client.status, SEC_I_INCOMPLETE_CREDENTIALS);
        CredHandle before = pair->client.credential;
        pair->client.credential = strict.credential;
        assert_true(side_step(&pair->client) >= 0);
        for (int i = 0; i < 4 && pair->client.out.len + pair->server.out.len > 0; i++) {
            struct side *from = pair->client.out.len > 0 ? &pair->client : &pair->server;
            struct side *to = from == &pair->client ? &pair->server : &pair->client;
            side_hand_over(from, to);
            if (!(to->has_context && to->status == SEC_E_OK))
                assert_true(side_step(to) >= 0);
        }
        assert_int_equal(pair->server.status, SEC_E_OK);
        assert_int_equal(pair->client.status, SEC_E_OK);
        pair_talk(pair);
        pair_restart(pair);
        assert_false(pair_run(pair));
        assert_int_equal(pair->client.status, SEC_E_WRONG_PRINCIPAL);
        FreeCredentialsHandle(&before);
        pair_free(pair);
    }
}

/* A validated session stays one when it is resumed. */
static void test_validated_again(void **state)
{
    (void)state;
    EACH_TLS_VERSION(protocols)
    {
        struct loop_pair *pair = pair_new();
        assert_int_equal(side_acquire_with(&pair->client, NULL, protocols & SP_PROT_TLS1_X_CLIENT, 0), SEC_E_OK);
        for (int i = 0; i < 4; i++) {
            assert_true(pair_run(pair));
            pair_talk(pair);
            assert_int_equal(side_is_resumed(&pair->client), i > 0);
            SecPkgContext_CertificateValidationResult result;
            assert_int_equal(QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_CERT_CHECK_RESULT, &result),
                             SEC_E_OK);
            assert_int_equal(result.hrVerifyChainStatus, SEC_E_OK);
            pair_restart(pair);
        }
        pair_free(pair);
    }
}

/* Who the client is, is told also when it was asked after the handshake, and no longer when it says nothing the next time. */
static void test_names_after_handshake(void **state)
{
    (void)state;
    struct loop_pair *pair = pair_new();
    assert_int_equal(side_acquire_with(&pair->client, pki_client(), SP_PROT_TLS1_3_CLIENT, MANUAL), SEC_E_OK);
    assert_true(pair_run(pair));
    pair_talk(pair);
    pair->server.flags |= ASC_REQ_MUTUAL_AUTH;
    side_control(&pair->server, SCHANNEL_RENEGOTIATE);
    assert_int_equal(side_step(&pair->server), SEC_E_OK);
    side_hand_over(&pair->server, &pair->client);
    assert_int_equal(side_receive(&pair->client, NULL), SEC_I_RENEGOTIATE);
    assert_int_equal(side_step(&pair->client), SEC_E_OK);
    side_hand_over(&pair->client, &pair->server);
    /* Record by record. */
    while (pair->server.in.len > 0) {
        static struct wire rest;
        size_t len = 5 + (size_t)(pair->server.in.data[3] << 8 | pair->server.in.data[4]);
        rest.len = 0;
        wire_put(&rest, pair->server.in.data + len, pair->server.in.len - len);
        pair->server.in.len = len;
        if (pair->server.status != SEC_I_CONTINUE_NEEDED)
            assert_int_equal(side_receive(&pair->server, NULL), SEC_I_RENEGOTIATE);
        assert_true(side_step(&pair->server) >= 0);
        assert_int_equal(pair->server.in.len, 0);
        wire_put(&pair->server.in, rest.data, rest.len);
    }
    SecPkgContext_NamesA names;
    assert_int_equal(QueryContextAttributesA(&pair->server.context, SECPKG_ATTR_NAMES, &names), SEC_E_OK);
    assert_string_equal(names.sUserName, "alice@client.test");
    FreeContextBuffer(names.sUserName);
    assert_true((pair->server.attributes & ASC_RET_MUTUAL_AUTH) != 0);
    pair_talk(pair);
    pair_free(pair);
}

/* RFC 7301 3.1: a server chooses one of the client's protocols. libssl as a server says whatever its callback says. */
static int alpn_said(SSL *ssl, const unsigned char **out, unsigned char *len, const unsigned char *in,
                     unsigned int in_len, void *protocol)
{
    (void)ssl, (void)in, (void)in_len;
    *out = protocol;
    *len = (unsigned char)strlen(protocol);
    return SSL_TLSEXT_ERR_OK;
}

static SECURITY_STATUS client_is_told(const char *protocol, int version)
{
    /* size, ALPN, length, "h2", "http/1.1" */
    static const unsigned char offered[] = "\x12\0\0\0\2\0\0\0\x0c\0\2h2\x08http/1.1";
    struct side client = {.client = true, .target = "server.test", .protocols = offered, .protocols_len = 22};
    assert_int_equal(side_acquire_with(&client, NULL, 0, 0), SEC_E_OK);
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    assert_int_equal(SSL_CTX_set_max_proto_version(ctx, version), 1);
    assert_int_equal(SSL_CTX_use_certificate(ctx, pki_server()->x509), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, pki_server()->key), 1);
    SSL_CTX_set_alpn_select_cb(ctx, alpn_said, (void *)(uintptr_t)protocol);
    SSL *server = SSL_new(ctx);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    SSL_set_bio(server, in, out);
    SSL_set_accept_state(server);
    SECURITY_STATUS status = side_step(&client);
    for (int i = 0; i < 10 && status == SEC_I_CONTINUE_NEEDED; i++) {
        if (client.out.len > 0)
            (void)BIO_write(in, client.out.data, (int)client.out.len);
        client.out.len = 0;
        (void)SSL_do_handshake(server);
        int len = BIO_read(out, client.in.data + client.in.len, 1 << 16);
        client.in.len += len > 0 ? (size_t)len : 0;
        status = side_step(&client);
    }
    ERR_clear_error();
    SSL_free(server);
    SSL_CTX_free(ctx);
    side_end(&client);
    return status;
}

static void test_foreign_protocol(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(client_is_told("h2", versions[i]), SEC_E_OK);
        assert_int_equal(client_is_told("evil/9", versions[i]), SEC_E_ILLEGAL_MESSAGE);
    }
}

/* What was made for the peer and finds no room is lost; so is the connection, which would go on out of step. */
static void test_no_room(void **state)
{
    (void)state;
    struct loop_pair *pair = pair_new();
    pair_acquire(pair, SP_PROT_TLS1_3_CLIENT, 0, 0);
    assert_true(pair_run(pair));
    pair_talk(pair);
    side_control(&pair->client, SCHANNEL_RENEGOTIATE);
    unsigned char byte[1];
    SecBuffer out = {1, SECBUFFER_TOKEN, byte};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &out};
    assert_int_equal(InitializeSecurityContextA(&pair->client.credential, &pair->client.context, NULL, ISC_REQ_STREAM,
                                                0, 0, NULL, 0, NULL, &list, &pair->client.attributes, NULL),
                     SEC_E_INSUFFICIENT_MEMORY);
    assert_int_equal(side_send(&pair->client, "x", 1, &text), SEC_E_INVALID_HANDLE);
    assert_int_equal(side_step(&pair->client), SEC_E_OUT_OF_SEQUENCE);
    pair_free(pair);
}

/* A name in a certificate that is no text, or holds what would move a terminal or end a line of a log, names nobody; the next one does. */
static void test_odd_names(void **state)
{
    static const struct {
        const char *subject, *alternatives, *name;
    } odd_ones[] = {
        {"odd", "email:\xff\xfe@client.test,DNS:fine.test", "fine.test"},
        {"odd", "email:a\x1b[1m@client.test,DNS:fine.test", "fine.test"},
        {"odd", "email:a\xc2\x9b\x31m@client.test,DNS:fine.test", "fine.test"}, /* ESC [ in one character */
        {"odd", "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:a\x07@client.test,DNS:fine.test", "fine.test"},
        {"odd", "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:a\xe2\x80\xae@client.test,DNS:fine.test", "fine.test"}, /* RLO */
        {"a\xc2\x9b\x31m", NULL, "CN=a??1m"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof odd_ones / sizeof odd_ones[0]; i++) {
        SecPkgContext_NamesA names;
        struct pki odd = pki_make(&(struct pki_wish){.name = odd_ones[i].subject,
                                                     .alternatives = odd_ones[i].alternatives,
                                                     .usage = "clientAuth",
                                                     .issuer = pki_authority()});
        struct loop_pair *pair = pair_new();
        assert_int_equal(side_acquire_with(&pair->client, &odd, 0, MANUAL), SEC_E_OK);
        pair->server.flags |= ASC_REQ_MUTUAL_AUTH;
        assert_true(pair_run(pair));
        assert_int_equal(QueryContextAttributesA(&pair->server.context, SECPKG_ATTR_NAMES, &names), SEC_E_OK);
        assert_string_equal(names.sUserName, odd_ones[i].name);
        FreeContextBuffer(names.sUserName);
        pair_free(pair);
        pki_free(&odd);
    }
}

static int tear_down(void **state)
{
    (void)state;
    loop_cleanup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tickets),          cmocka_unit_test(test_tickets_with_name),
        cmocka_unit_test(test_required_later),   cmocka_unit_test(test_changed_credential),
        cmocka_unit_test(test_validated_again),  cmocka_unit_test(test_names_after_handshake),
        cmocka_unit_test(test_foreign_protocol), cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_odd_names),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
