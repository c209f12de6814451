/*
 * DTLS 1.2: datagrams within the MTU, flights that are lost, replays.
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

static struct wire text, datagram;
static size_t longest;

/* A step, and the rest of its flight, datagram by datagram. */
static SECURITY_STATUS flight(struct side *side)
{
    SECURITY_STATUS status = side_step(side);
    for (int i = 0; i < 50; i++) {
        static size_t before;
        size_t len = side->out.len - (i == 0 ? 0 : before);
        longest = len > longest ? len : longest;
        before = side->out.len;
        if (status != SEC_I_MESSAGE_FRAGMENT)
            break;
        status = side_step(side);
    }
    return status;
}

static void begin(struct loop_pair *pair)
{
    pair->client.flags = ISC_REQ_DATAGRAM | ISC_REQ_CONFIDENTIALITY;
    pair->server.flags = ASC_REQ_DATAGRAM | ASC_REQ_CONFIDENTIALITY;
    pair->server.peer = "an address";
    pair->server.peer_len = 10;
    assert_int_equal(side_acquire_with(&pair->server, pki_server_rsa(), SP_PROT_DTLS1_2_SERVER, 0), SEC_E_OK);
    assert_int_equal(side_acquire_with(&pair->client, NULL, SP_PROT_DTLS1_2_CLIENT, 0), SEC_E_OK);
}

static void finish(struct loop_pair *pair)
{
    for (int i = 0; i < 8; i++) {
        side_hand_over(&pair->client, &pair->server);
        if (pair->server.in.len > 0)
            assert_true(flight(&pair->server) >= 0);
        side_hand_over(&pair->server, &pair->client);
        if (pair->client.in.len > 0)
            assert_true(flight(&pair->client) >= 0);
        if (pair->client.status == SEC_E_OK && pair->server.status == SEC_E_OK)
            return;
    }
    fail();
}

static void test_connection(void **state)
{
    WORD mtu;
    SecPkgContext_StreamSizes sizes;
    (void)state;
    struct loop_pair *pair = pair_new();
    begin(pair);
    longest = 0;
    assert_int_equal(flight(&pair->client), SEC_I_CONTINUE_NEEDED);
    finish(pair);
    assert_true((pair->client.attributes & ISC_RET_DATAGRAM) != 0 && (pair->client.attributes & ISC_RET_STREAM) != 0);
    assert_int_equal(QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_DTLS_MTU, &mtu), SEC_E_OK);
    assert_int_equal(mtu, 1200);
    assert_true(longest <= mtu);
    mtu = 400;
    assert_int_equal(SetContextAttributesW(&pair->client.context, SECPKG_ATTR_DTLS_MTU, &mtu, sizeof mtu), SEC_E_OK);
    assert_int_equal(QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_STREAM_SIZES, &sizes), SEC_E_OK);
    assert_int_equal(sizes.cbHeader, 13 + 8);
    assert_int_equal(sizes.cbTrailer, 16);
    assert_true(sizes.cbMaximumMessage <= 400 - 37 && sizes.cbMaximumMessage > 300);
    mtu = 100;
    assert_int_equal(SetContextAttributesW(&pair->client.context, SECPKG_ATTR_DTLS_MTU, &mtu, sizeof mtu),
                     SEC_E_INVALID_TOKEN);

    datagram.len = text.len = 0;
    assert_int_equal(side_send(&pair->client, "words", 5, &datagram), SEC_E_OK);
    wire_put(&pair->server.in, datagram.data, datagram.len);
    assert_int_equal(side_receive(&pair->server, &text), SEC_E_OK);
    assert_memory_equal(text.data, "words", 5);
    /* Again, and changed: neither is text, and the connection lives. */
    wire_put(&pair->server.in, datagram.data, datagram.len);
    assert_int_equal(side_receive(&pair->server, &text), SEC_E_OUT_OF_SEQUENCE);
    pair->server.in.len = datagram.len = 0;
    assert_int_equal(side_send(&pair->client, "words", 5, &datagram), SEC_E_OK);
    datagram.data[datagram.len - 1] ^= 1;
    wire_put(&pair->server.in, datagram.data, datagram.len);
    assert_int_equal(side_receive(&pair->server, &text), SEC_E_OUT_OF_SEQUENCE);
    pair->server.in.len = datagram.len = 0;
    assert_int_equal(text.len, 5);
    assert_int_equal(side_send(&pair->client, "more", 4, &pair->server.in), SEC_E_OK);
    assert_int_equal(side_receive(&pair->server, &text), SEC_E_OK);
    pair_free(pair);
}

/* A ticket that carries the client's chain makes its ClientHello longer than a datagram. */
static void test_resumed_with_chain(void **state)
{
    char names[3000];
    size_t len = 0;
    (void)state;
    while (len < 2900)
        len += (size_t)snprintf(names + len, 100, "%sDNS:name%zu.test", len > 0 ? "," : "", len);
    struct pki issuer = pki_make(&(struct pki_wish){
        .name = "An Intermediate", .alternatives = names, .issuer = pki_authority(), .authority = true});
    struct pki alice = pki_make(&(struct pki_wish){.name = "Alice", .issuer = &issuer, .usage = "clientAuth"});
    PCCERT_CONTEXT own = pki_context(&alice, &issuer, false), shown, found = NULL;
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION,
                          .cCreds = 1,
                          .paCred = &own,
                          .grbitEnabledProtocols = SP_PROT_DTLS1_2_CLIENT,
                          .dwFlags = SCH_CRED_MANUAL_CRED_VALIDATION};
    struct loop_pair *pair = pair_new();
    begin(pair);
    FreeCredentialsHandle(&pair->client.credential);
    assert_int_equal(side_acquire(&pair->client, &cred), SEC_E_OK);
    pair->server.flags |= ASC_REQ_MUTUAL_AUTH;
    for (int i = 0; i < 3; i++) {
        int n_found = 0;
        pair_restart(pair);
        longest = 0;
        assert_int_equal(flight(&pair->client), SEC_I_CONTINUE_NEEDED);
        finish(pair);
        assert_true(longest <= 1200);
        assert_int_equal(side_is_resumed(&pair->client), i > 0);
        assert_int_equal(QueryContextAttributesA(&pair->server.context, SECPKG_ATTR_REMOTE_CERT_CONTEXT, &shown),
                         SEC_E_OK);
        while ((found = CertEnumCertificatesInStore(shown->hCertStore, found)) != NULL)
            n_found++;
        assert_int_equal(n_found, 2);
        CertFreeCertificateContext(shown);
    }
    CertFreeCertificateContext(own);
    pair_free(pair);
    pki_free(&alice);
    pki_free(&issuer);
}

/* Anybody can send a datagram with a peer's address: what is no record is passed over, and the handshake goes on (RFC 6347 4.1.2.7). */
static void test_strangers(void **state)
{
    static const struct {
        size_t len;
        const char *bytes;
    } datagrams[] = {{7, "garbage"},
                     {20, "GET / HTTP/1.1\r\nHost"},
                     {13, "\x16\xfe\xfd\0\0\0\0\0\0\0\0\xff\xff"},
                     {13, "\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\x10"}};
    (void)state;
    for (size_t i = 0; i < sizeof datagrams / sizeof datagrams[0]; i++) {
        struct loop_pair *pair = pair_new();
        begin(pair);
        /* A server does not begin with it. */
        wire_put(&pair->server.in, datagrams[i].bytes, datagrams[i].len);
        assert_true(side_step(&pair->server) < 0);
        assert_false(pair->server.has_context);
        pair->server.in.len = 0;
        assert_int_equal(flight(&pair->client), SEC_I_CONTINUE_NEEDED);
        side_hand_over(&pair->client, &pair->server);
        assert_int_equal(flight(&pair->server), SEC_I_CONTINUE_NEEDED); /* asks for the cookie */
        struct side *sides[2] = {&pair->server, &pair->client};
        for (size_t k = 0; k < 2; k++) {
            size_t before = sides[k]->out.len;
            wire_put(&sides[k]->in, datagrams[i].bytes, datagrams[i].len);
            assert_int_equal(side_step(sides[k]), SEC_I_CONTINUE_NEEDED);
            assert_int_equal(sides[k]->in.len, 0);
            assert_int_equal(sides[k]->out.len, before); /* and nobody is answered */
        }
        side_hand_over(&pair->server, &pair->client);
        assert_int_equal(flight(&pair->client), SEC_I_CONTINUE_NEEDED);
        finish(pair);
        pair_free(pair);
    }
}

static SECURITY_STATUS keep(struct side *side, const char *words)
{
    SecPkgContext_SessionAppData data = {.cbAppData = (DWORD)strlen(words), .pbAppData = (PBYTE)(uintptr_t)words};
    return SetContextAttributesW(&side->context, SECPKG_ATTR_APP_DATA, &data, sizeof data);
}

static void assert_kept(struct side *side, const char *words)
{
    SecPkgContext_SessionAppData data;
    assert_int_equal(QueryContextAttributesW(&side->context, SECPKG_ATTR_APP_DATA, &data), SEC_E_OK);
    assert_int_equal(data.cbAppData, strlen(words));
    assert_memory_equal(data.pbAppData, words, data.cbAppData);
    FreeContextBuffer(data.pbAppData);
}

static void assert_passes(struct side *from, struct side *to)
{
    text.len = 0;
    assert_int_equal(side_send(from, "words", 5, &to->in), SEC_E_OK);
    assert_int_equal(side_receive(to, &text), SEC_E_OK);
    assert_int_equal(text.len, 5);
}

/* The server has ended when its client has not, and sends its last flight again when the client does; when it comes late, and twice, that is no harm.
 * The client's datagrams come as they were, or each record by itself. */
static void last_flight_lost(bool apart)
{
    struct loop_pair *pair = pair_new();
    begin(pair);
    assert_int_equal(flight(&pair->client), SEC_I_CONTINUE_NEEDED);
    for (int i = 0; i < 2; i++) {
        side_hand_over(&pair->client, &pair->server);
        assert_int_equal(flight(&pair->server), SEC_I_CONTINUE_NEEDED);
        side_hand_over(&pair->server, &pair->client);
        assert_int_equal(flight(&pair->client), SEC_I_CONTINUE_NEEDED);
    }
    side_hand_over(&pair->client, &pair->server);
    assert_int_equal(flight(&pair->server), SEC_E_OK);
    static struct wire late, again;
    late.len = again.len = 0;
    wire_put(&late, pair->server.out.data, pair->server.out.len);
    pair->server.out.len = 0;
    assert_int_equal(keep(&pair->server, "kept"), SEC_E_OK);
    assert_int_equal(flight(&pair->client), SEC_I_CONTINUE_NEEDED);
    wire_put(&again, pair->client.out.data, pair->client.out.len);
    pair->client.out.len = 0;
    assert_true(again.len > 0);
    while (again.len > 0) {
        size_t len = apart ? 13 + ((size_t)again.data[11] << 8 | again.data[12]) : again.len;
        wire_put(&pair->server.in, again.data, len);
        wire_take(&again, len);
        assert_int_equal(side_receive(&pair->server, NULL), SEC_I_RENEGOTIATE);
        assert_int_equal(flight(&pair->server), SEC_E_OK);
        assert_int_equal(pair->server.in.len, 0);
    }
    assert_true(pair->server.out.len > 0);
    assert_kept(&pair->server, "kept");
    side_hand_over(&pair->server, &pair->client);
    assert_int_equal(flight(&pair->client), SEC_E_OK);
    assert_passes(&pair->client, &pair->server);
    wire_put(&pair->client.in, late.data, late.len);
    assert_int_equal(side_receive(&pair->client, NULL), SEC_I_RENEGOTIATE);
    assert_int_equal(flight(&pair->client), SEC_E_OK);
    assert_int_equal(pair->client.in.len, 0);
    assert_int_equal(pair->client.out.len, 0); /* and that is the end of it */
    assert_passes(&pair->server, &pair->client);
    pair_free(pair);
}

static void test_lost_last_flight(void **state)
{
    (void)state;
    last_flight_lost(false);
    last_flight_lost(true);
}

/* Anybody's records of a flight, after the end, change nothing. */
static void test_strangers_flights(void **state)
{
    static const struct {
        size_t len;
        const char *bytes;
    } datagrams[] = {{14, "\x14\xfe\xfd\0\0\0\0\0\0\0\x63\0\1\1"},
                     {25, "\x16\xfe\xfd\0\0\0\0\0\0\0\x64\0\x0c\x14\0\0\0\0\x09\0\0\0\0\0\0"},
                     {25, "\x16\xfe\xfd\0\1\0\0\0\0\0\x65\0\x0c\1\0\0\0\0\x09\0\0\0\0\0\0"}};
    (void)state;
    struct loop_pair *pair = pair_new();
    begin(pair);
    assert_int_equal(flight(&pair->client), SEC_I_CONTINUE_NEEDED);
    finish(pair);
    assert_int_equal(keep(&pair->server, "the server's"), SEC_E_OK);
    assert_int_equal(keep(&pair->client, "the client's"), SEC_E_OK);
    struct side *sides[2] = {&pair->server, &pair->client};
    for (size_t i = 0; i < sizeof datagrams / sizeof datagrams[0]; i++) {
        for (size_t k = 0; k < 2; k++) {
            sides[k]->in.len = sides[k]->out.len = 0;
            wire_put(&sides[k]->in, datagrams[i].bytes, datagrams[i].len);
            assert_int_equal(side_receive(sides[k], NULL), SEC_I_RENEGOTIATE);
            assert_int_equal(flight(sides[k]), SEC_E_OK);
            assert_int_equal(sides[k]->in.len, 0);
            assert_int_equal(sides[k]->out.len, 0);
        }
    }
    assert_kept(&pair->server, "the server's");
    assert_kept(&pair->client, "the client's");
    assert_passes(&pair->client, &pair->server);
    assert_passes(&pair->server, &pair->client);
    /* Nor after close_notify was sent. */
    DWORD shutdown = SCHANNEL_SHUTDOWN;
    SecBuffer buffer = {sizeof shutdown, SECBUFFER_TOKEN, &shutdown};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &buffer};
    assert_int_equal(ApplyControlToken(&pair->client.context, &list), SEC_E_OK);
    pair->client.in.len = 0;
    assert_int_equal(flight(&pair->client), SEC_E_OK);
    pair->client.out.len = 0;
    for (size_t i = 0; i < sizeof datagrams / sizeof datagrams[0]; i++) {
        wire_put(&pair->client.in, datagrams[i].bytes, datagrams[i].len);
        assert_int_equal(side_receive(&pair->client, NULL), SEC_I_RENEGOTIATE);
        assert_int_equal(flight(&pair->client), SEC_E_OK);
        assert_int_equal(pair->client.in.len, 0);
        assert_int_equal(pair->client.out.len, 0);
    }
    assert_passes(&pair->server, &pair->client);
    pair_free(pair);
}

/* Each flight is lost once; a step without input sends it again. */
static void test_lost_flights(void **state)
{
    (void)state;
    struct loop_pair *pair = pair_new();
    begin(pair);
    assert_int_equal(flight(&pair->client), SEC_I_CONTINUE_NEEDED);
    pair->client.out.len = 0;
    assert_int_equal(flight(&pair->client), SEC_I_CONTINUE_NEEDED);
    assert_true(pair->client.out.len > 0);
    side_hand_over(&pair->client, &pair->server);
    assert_int_equal(flight(&pair->server), SEC_I_CONTINUE_NEEDED); /* HelloVerifyRequest */
    side_hand_over(&pair->server, &pair->client);
    assert_int_equal(flight(&pair->client), SEC_I_CONTINUE_NEEDED);
    side_hand_over(&pair->client, &pair->server);
    assert_int_equal(flight(&pair->server), SEC_I_CONTINUE_NEEDED);
    pair->server.out.len = 0;
    assert_int_equal(flight(&pair->server), SEC_I_CONTINUE_NEEDED);
    assert_true(pair->server.out.len > 0);
    finish(pair);
    pair_free(pair);
}

/* A record of the second epoch whose body is too short for any protection, or long enough and not the peer's, of a number that was not seen before.
 * */
static void put_short(struct wire *to, uint8_t type, size_t len)
{
    static uint8_t number;
    uint8_t record[13 + 112] = {type, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 1, ++number, 0, (uint8_t)len, 1, 0, 0, 0, 0, 9};
    wire_put(to, record, 13 + len);
}

/* Before the handshake's end: records of protected epochs can come in any order, and libssl keeps them for later. */
static void shorts_in_handshake(struct side *side)
{
    static const uint8_t types[] = {20, 21, 22, 23};
    for (size_t len = 0; len <= 112; len++) {
        SECURITY_STATUS before = side->status;
        put_short(&side->in, types[len % 4], len);
        assert_int_equal(side_step(side), before);
        assert_int_equal(side->in.len, 0);
    }
}

/* RFC 6347 4.1.2.7: what is not of the connection, or too short to be, is passed over, in the handshake and after it. */
static void short_records(const char *settings)
{
    loop_configure(settings);
    struct loop_pair *pair = pair_new();
    begin(pair);
    assert_int_equal(flight(&pair->client), SEC_I_CONTINUE_NEEDED);
    for (int i = 0; i < 3; i++) {
        side_hand_over(&pair->client, &pair->server);
        assert_true(flight(&pair->server) >= 0);
        if (pair->server.status == SEC_I_CONTINUE_NEEDED)
            shorts_in_handshake(&pair->server);
        shorts_in_handshake(&pair->client);
        side_hand_over(&pair->server, &pair->client);
        assert_true(flight(&pair->client) >= 0);
    }
    assert_int_equal(pair->client.status, SEC_E_OK);
    assert_int_equal(pair->server.status, SEC_E_OK);
    struct side *sides[2] = {&pair->server, &pair->client};
    for (size_t k = 0; k < 2; k++)
        for (size_t len = 0; len <= 112; len++) {
            sides[k]->in.len = sides[k]->out.len = 0;
            put_short(&sides[k]->in, 22, len);
            assert_int_equal(side_receive(sides[k], NULL), SEC_I_RENEGOTIATE);
            assert_int_equal(flight(sides[k]), SEC_E_OK);
            put_short(&sides[k]->in, len % 2 == 0 ? 23 : 21, len);
            assert_int_equal(side_receive(sides[k], NULL), SEC_E_OUT_OF_SEQUENCE);
            sides[k]->in.len = 0;
            assert_int_equal(sides[k]->out.len, 0);
        }
    assert_passes(&pair->client, &pair->server);
    assert_passes(&pair->server, &pair->client);
    pair_free(pair);
}

static void test_short_records(void **state)
{
    (void)state;
    short_records("[schannel]\nciphers = ECDHE-RSA-AES256-GCM-SHA384\n");
    short_records("[schannel]\nciphers = ECDHE-RSA-CHACHA20-POLY1305\n");
    short_records("[schannel]\nciphers = ECDHE-RSA-AES128-SHA256\n");
    short_records("[schannel]\nciphers = ECDHE-RSA-AES256-SHA384\n");
    short_records("[schannel]\nciphers = ECDHE-RSA-AES256-SHA\n");
}

/* Who does not show that he is at his address gets no flight: a cookie that is not the one sent (RFC 6347 4.2.1). */
static void test_wrong_cookie(void **state)
{
    (void)state;
    for (int wrong = 0; wrong < 2; wrong++) {
        struct loop_pair *pair = pair_new();
        begin(pair);
        assert_int_equal(flight(&pair->client), SEC_I_CONTINUE_NEEDED);
        side_hand_over(&pair->client, &pair->server);
        assert_int_equal(flight(&pair->server), SEC_I_CONTINUE_NEEDED);
        size_t asked = pair->server.out.len;
        pair->server.out.data[asked - 1] ^= (unsigned char)wrong; /* the cookie's last byte */
        side_hand_over(&pair->server, &pair->client);
        assert_int_equal(flight(&pair->client), SEC_I_CONTINUE_NEEDED);
        side_hand_over(&pair->client, &pair->server);
        (void)flight(&pair->server);
        if (wrong)
            assert_true(pair->server.out.len <= asked);
        else
            assert_true(pair->server.out.len > 10 * asked);
        pair_free(pair);
    }
}

/* What came from one address, with the cookie that was sent there, does not come from another one; and nobody else is sent a flight. */
static void test_cookie_of_address(void **state)
{
    static const char others[][14] = {"an address", "An address", "an addres", "other address", ""};
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct loop_pair *pair = pair_new();
        begin(pair);
        assert_int_equal(flight(&pair->client), SEC_I_CONTINUE_NEEDED);
        side_hand_over(&pair->client, &pair->server);
        assert_int_equal(flight(&pair->server), SEC_I_CONTINUE_NEEDED);
        size_t asked = pair->server.out.len;
        side_hand_over(&pair->server, &pair->client);
        assert_int_equal(flight(&pair->client), SEC_I_CONTINUE_NEEDED);
        side_hand_over(&pair->client, &pair->server);
        pair->server.peer = others[i];
        pair->server.peer_len = strlen(others[i]);
        (void)flight(&pair->server);
        /* An address that is not given again is the one that was. */
        if (i == 0 || pair->server.peer_len == 0)
            assert_true(pair->server.out.len > 10 * asked);
        else
            assert_true(pair->server.out.len <= asked);
        pair_free(pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connection),       cmocka_unit_test(test_resumed_with_chain),
        cmocka_unit_test(test_strangers),        cmocka_unit_test(test_lost_flights),
        cmocka_unit_test(test_lost_last_flight), cmocka_unit_test(test_strangers_flights),
        cmocka_unit_test(test_short_records),    cmocka_unit_test(test_wrong_cookie),
        cmocka_unit_test(test_cookie_of_address)};
    return cmocka_run_group_tests(tests, NULL, loop_teardown);
}
