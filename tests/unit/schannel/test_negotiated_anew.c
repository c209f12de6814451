/*
 * TLS 1.2 negotiated anew while data is under way, and by a peer that does not want to.
 * build: all
 */
#include "support/ntlm_loop.h"
#include "support/tls_loop.h"

#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MANUAL SCH_CRED_MANUAL_CRED_VALIDATION

static struct wire text;

static SECURITY_STATUS flight(struct side *side)
{
    SECURITY_STATUS status = side_step(side);
    while (status == SEC_I_MESSAGE_FRAGMENT)
        status = side_step(side);
    return status;
}

static struct loop_pair *established(bool datagram)
{
    struct loop_pair *pair = pair_new();
    if (datagram) {
        pair->client.flags = ISC_REQ_DATAGRAM | ISC_REQ_CONFIDENTIALITY;
        pair->server.flags = ASC_REQ_DATAGRAM | ASC_REQ_CONFIDENTIALITY;
        pair->server.peer = "an address";
        pair->server.peer_len = 10;
    }
    pair_acquire(pair, datagram ? SP_PROT_DTLS1_2_CLIENT : SP_PROT_TLS1_2_CLIENT,
                 datagram ? SP_PROT_DTLS1_2_SERVER : SP_PROT_TLS1_2_SERVER, MANUAL);
    assert_int_equal(flight(&pair->client), SEC_I_CONTINUE_NEEDED);
    for (int i = 0; i < 3 && !(pair->client.status == SEC_E_OK && pair->server.status == SEC_E_OK); i++) {
        side_hand_over(&pair->client, &pair->server);
        assert_true(flight(&pair->server) >= 0);
        side_hand_over(&pair->server, &pair->client);
        assert_true(flight(&pair->client) >= 0);
    }
    assert_int_equal(pair->client.status, SEC_E_OK);
    return pair;
}

/* All that the client has is for DecryptMessage: a step says so, leaves the connection as it is, and takes nothing. Of datagrams, which anybody may
 * have sent, it makes nothing: a program that ends for a failure would end for them, and one that comes again with what is left would for ever. */
static void step_refused(struct side *client, bool datagram)
{
    static struct wire kept;
    kept.len = 0;
    wire_put(&kept, client->in.data, client->in.len);
    assert_int_equal(client->in.data[0], 23);
    assert_int_equal(side_step(client), datagram ? SEC_I_CONTINUE_NEEDED : SEC_E_OUT_OF_SEQUENCE);
    assert_int_equal(client->out.len, 0);
    if (datagram)
        assert_int_equal(client->in.len, 0);
    client->in.len = 0;
    wire_put(&client->in, kept.data, kept.len);
}

static void received_is(struct side *side, const char *expected)
{
    text.len = 0;
    assert_int_equal(side_receive(side, &text), SEC_E_OK);
    assert_int_equal(text.len, strlen(expected));
    assert_memory_equal(text.data, expected, text.len);
}

/* From the client's hello, which is in `server->in`, to the end. The server's first words after it come with its last flight. */
static void finish(struct loop_pair *pair)
{
    struct side *client = &pair->client, *server = &pair->server;
    assert_int_equal(side_receive(server, NULL), SEC_I_RENEGOTIATE);
    assert_int_equal(flight(server), SEC_I_CONTINUE_NEEDED);
    side_hand_over(server, client);
    assert_int_equal(side_receive(client, NULL), SEC_I_RENEGOTIATE);
    assert_int_equal(flight(client), SEC_I_CONTINUE_NEEDED);
    side_hand_over(client, server);
    assert_int_equal(flight(server), SEC_E_OK);
    side_hand_over(server, client);
    assert_int_equal(side_send(server, "at last", 7, &client->in), SEC_E_OK);
    assert_int_equal(flight(client), SEC_E_OK);
    received_is(client, "at last");
    text.len = 0;
    assert_int_equal(side_send(client, "words", 5, &server->in), SEC_E_OK);
    received_is(server, "words");
}

/* The server asks, and goes on sending until the client's hello comes. */
static void behind_the_request(bool datagram)
{
    struct loop_pair *pair = established(datagram);
    struct side *client = &pair->client, *server = &pair->server;
    side_control(server, SCHANNEL_RENEGOTIATE);
    assert_int_equal(flight(server), SEC_E_OK);
    side_hand_over(server, client);
    assert_int_equal(side_send(server, "behind it", 9, &client->in), SEC_E_OK);
    assert_int_equal(side_send(server, "and more", 8, &client->in), SEC_E_OK);
    assert_int_equal(side_receive(client, NULL), SEC_I_RENEGOTIATE);
    assert_int_equal(flight(client), SEC_I_CONTINUE_NEEDED);
    side_hand_over(client, server);
    assert_true(server->in.len > 0);
    step_refused(client, datagram);
    received_is(client, "behind it");
    received_is(client, "and more");
    assert_int_equal(client->in.len, 0);
    finish(pair);
    pair_free(pair);
}

/* The client asks while the server's words are under way. */
static void under_way(bool datagram)
{
    struct loop_pair *pair = established(datagram);
    struct side *client = &pair->client, *server = &pair->server;
    side_control(client, SCHANNEL_RENEGOTIATE);
    assert_int_equal(flight(client), SEC_I_CONTINUE_NEEDED);
    side_hand_over(client, server);
    assert_int_equal(side_send(server, "under way", 9, &client->in), SEC_E_OK);
    step_refused(client, datagram);
    received_is(client, "under way");
    finish(pair);
    pair_free(pair);
}

static void test_data(void **state)
{
    (void)state;
    behind_the_request(false);
    under_way(false);
}

static void test_data_in_datagrams(void **state)
{
    (void)state;
    behind_the_request(true);
    under_way(true);
}

/* A record of the connection's epoch that the peer has not sent. */
static void forged_put(struct wire *wire)
{
    static unsigned char forged[13 + 40] = {23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 1, 0, 0, 40};
    forged[10]++;
    wire_put(wire, forged, sizeof forged);
}

/* Amid a renegotiation it ends nothing, whichever function gets it, alone, before the peer's flight or behind it. */
static void forged_amid(struct side *side)
{
    for (int i = 0; i < 6; i++) {
        forged_put(&side->in);
        if (i % 3 > 0)
            forged_put(&side->in);
        if (i % 3 > 1)
            assert_int_equal(side_receive(side, NULL), SEC_I_RENEGOTIATE);
        for (int calls = 0; side->in.len > 0 && calls < 2; calls++)
            assert_int_equal(flight(side), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(side->in.len, 0);
        assert_int_equal(side->out.len, 0);
    }
}

static void test_forged_data(void **state)
{
    (void)state;
    struct loop_pair *pair = established(true);
    struct side *client = &pair->client, *server = &pair->server;
    side_control(client, SCHANNEL_RENEGOTIATE);
    assert_int_equal(flight(client), SEC_I_CONTINUE_NEEDED);
    side_hand_over(client, server);
    forged_amid(client);
    assert_int_equal(side_receive(server, NULL), SEC_I_RENEGOTIATE);
    assert_int_equal(flight(server), SEC_I_CONTINUE_NEEDED);
    side_hand_over(server, client);
    forged_amid(server);
    static struct wire kept;
    kept.len = 0;
    wire_put(&kept, client->in.data, client->in.len);
    client->in.len = 0;
    forged_put(&client->in);
    wire_put(&client->in, kept.data, kept.len);
    forged_put(&client->in);
    assert_int_equal(flight(client), SEC_I_CONTINUE_NEEDED);
    assert_true(client->in.len > 0 && client->out.len > 0);
    side_hand_over(client, server);
    assert_int_equal(flight(client), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(client->in.len, 0);
    assert_int_equal(client->out.len, 0);
    forged_amid(client);
    forged_put(&server->in);
    assert_int_equal(flight(server), SEC_E_OK);
    assert_true(server->in.len > 0);
    assert_int_equal(side_receive(server, NULL), SEC_E_OUT_OF_SEQUENCE);
    server->in.len = 0;
    side_hand_over(server, client);
    assert_int_equal(flight(client), SEC_E_OK);
    assert_int_equal(side_send(client, "words", 5, &server->in), SEC_E_OK);
    received_is(server, "words");
    assert_int_equal(side_send(server, "more", 4, &client->in), SEC_E_OK);
    received_is(client, "more");
    pair_free(pair);
}

/* What is no datagram of the peer's: a step says what is waited for. Nothing came: the last flight goes out again, as often as it is asked for. */
static void paused(struct side *side, SECURITY_STATUS expected, bool repeats)
{
    static const char rubbish[] = "GET / HTTP/1.1\r\n\r\n";
    size_t len = 0;
    assert_int_equal(side->in.len, 0);
    wire_put(&side->in, rubbish, sizeof rubbish - 1);
    assert_int_equal(flight(side), expected);
    assert_int_equal(side->in.len, 0);
    assert_int_equal(side->out.len, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(flight(side), expected);
        assert_true((side->out.len > 0) == repeats && (i == 0 || side->out.len == len));
        len = side->out.len;
        side->out.len = 0;
    }
}

/* A flight is lost on the way to either side, and the renegotiation goes on when it is sent again. */
static void test_pauses_of_datagrams(void **state)
{
    static struct wire lost;
    (void)state;
    struct loop_pair *pair = established(true);
    struct side *client = &pair->client, *server = &pair->server;
    paused(client, SEC_E_OK, false);
    paused(server, SEC_E_OK, false);
    side_control(client, SCHANNEL_RENEGOTIATE);
    assert_int_equal(flight(client), SEC_I_CONTINUE_NEEDED);
    side_hand_over(client, server);
    paused(client, SEC_I_CONTINUE_NEEDED, true);
    assert_int_equal(side_receive(server, NULL), SEC_I_RENEGOTIATE);
    assert_int_equal(flight(server), SEC_I_CONTINUE_NEEDED);
    lost.len = 0;
    wire_put(&lost, server->out.data, server->out.len);
    server->out.len = 0;
    paused(server, SEC_I_CONTINUE_NEEDED, true);
    wire_put(&client->in, lost.data, lost.len);
    assert_int_equal(side_receive(client, NULL), SEC_I_RENEGOTIATE);
    assert_int_equal(flight(client), SEC_I_CONTINUE_NEEDED);
    side_hand_over(client, server);
    paused(client, SEC_I_CONTINUE_NEEDED, true);
    assert_int_equal(flight(server), SEC_E_OK);
    side_hand_over(server, client);
    assert_int_equal(flight(client), SEC_E_OK);
    paused(client, SEC_E_OK, false);
    paused(server, SEC_E_OK, false);
    assert_int_equal(side_send(client, "words", 5, &server->in), SEC_E_OK);
    received_is(server, "words");
    assert_int_equal(side_send(server, "more", 4, &client->in), SEC_E_OK);
    received_is(client, "more");
    pair_free(pair);
}

/* A client that is libssl itself. */
struct foreign {
    SSL_CTX *ctx;
    SSL *ssl;
    BIO *in, *out;
};

static void foreign_pass(struct foreign *client, struct side *server)
{
    static unsigned char bytes[1 << 16];
    for (int len; (len = BIO_read(client->out, bytes, sizeof bytes)) > 0;)
        wire_put(&server->in, bytes, (size_t)len);
    if (server->out.len > 0)
        assert_int_equal(BIO_write(client->in, server->out.data, (int)server->out.len), (int)server->out.len);
    server->out.len = 0;
}

static struct foreign foreign_connect(struct side *server, uint64_t options)
{
    struct foreign client = {.ctx = SSL_CTX_new(TLS_client_method())};
    assert_non_null(client.ctx);
    (void)SSL_CTX_set_options(client.ctx, options);
    assert_int_equal(SSL_CTX_set_max_proto_version(client.ctx, TLS1_2_VERSION), 1);
    client.ssl = SSL_new(client.ctx);
    client.in = BIO_new(BIO_s_mem());
    client.out = BIO_new(BIO_s_mem());
    SSL_set_bio(client.ssl, client.in, client.out);
    SSL_set_connect_state(client.ssl);
    for (int i = 0; i < 3; i++) {
        (void)SSL_do_handshake(client.ssl);
        foreign_pass(&client, server);
        if (server->in.len > 0)
            assert_true(side_step(server) >= 0);
        foreign_pass(&client, server);
    }
    assert_int_equal(SSL_do_handshake(client.ssl), 1);
    assert_int_equal(server->status, SEC_E_OK);
    return client;
}

static void foreign_free(struct foreign *client)
{
    SSL_free(client->ssl);
    SSL_CTX_free(client->ctx);
}

/* Its no_renegotiation ends the connection (docs/deviations.md), for a reason of its own. */
static void test_declined(void **state)
{
    unsigned char bytes[64];
    (void)state;
    struct loop_pair *pair = pair_new();
    pair_acquire(pair, 0, 0, 0);
    struct foreign client = foreign_connect(&pair->server, SSL_OP_NO_RENEGOTIATION);
    side_control(&pair->server, SCHANNEL_RENEGOTIATE);
    assert_int_equal(side_step(&pair->server), SEC_E_OK);
    foreign_pass(&client, &pair->server);
    assert_true(SSL_read(client.ssl, bytes, sizeof bytes) <= 0);
    foreign_pass(&client, &pair->server);
    assert_int_equal(side_receive(&pair->server, NULL), SEC_E_UNSUPPORTED_FUNCTION);
    foreign_free(&client);
    pair_free(pair);
}

/* RFC 9266 4.2: before TLS 1.3 tls-exporter's bindings need the extended master secret; other labels are the caller's business. */
static void test_exporter(void **state)
{
    char binding[] = "EXPORTER-Channel-Binding", other[] = "EXPORTER-Channel-Binding-2";
    (void)state;
    for (int without = 0; without < 2; without++) {
        struct loop_pair *pair = pair_new();
        SecPkgContext_KeyingMaterial material;
        SecPkgContext_KeyingMaterialInfo info = {
            .cbLabel = sizeof binding, .pszLabel = binding, .cbKeyingMaterial = 32};
        pair_acquire(pair, 0, 0, 0);
        struct foreign client = foreign_connect(&pair->server, without ? SSL_OP_NO_EXTENDED_MASTER_SECRET : 0);
        CtxtHandle *context = &pair->server.context;
        assert_int_equal(SetContextAttributesW(context, SECPKG_ATTR_KEYING_MATERIAL_INFO, &info, sizeof info),
                         SEC_E_OK);
        assert_int_equal(QueryContextAttributesW(context, SECPKG_ATTR_KEYING_MATERIAL, &material),
                         without ? SEC_E_UNSUPPORTED_FUNCTION : SEC_E_OK);
        if (!without) {
            assert_int_equal(material.cbKeyingMaterial, 32);
            FreeContextBuffer(material.pbKeyingMaterial);
        }
        info.pszLabel = other;
        info.cbLabel = sizeof other;
        assert_int_equal(SetContextAttributesW(context, SECPKG_ATTR_KEYING_MATERIAL_INFO, &info, sizeof info),
                         SEC_E_OK);
        assert_int_equal(QueryContextAttributesW(context, SECPKG_ATTR_KEYING_MATERIAL, &material), SEC_E_OK);
        FreeContextBuffer(material.pbKeyingMaterial);
        foreign_free(&client);
        pair_free(pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data),        cmocka_unit_test(test_data_in_datagrams),
        cmocka_unit_test(test_forged_data), cmocka_unit_test(test_pauses_of_datagrams),
        cmocka_unit_test(test_declined),    cmocka_unit_test(test_exporter),
    };
    return cmocka_run_group_tests(tests, NULL, loop_teardown);
}
