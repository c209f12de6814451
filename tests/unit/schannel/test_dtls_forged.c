/*
 * DTLS: what no honest peer sends is passed over (RFC 6347 4.1.2.7), whoever sends it and whenever.
 * build: all
 */
#include "support/ntlm_loop.h"
#include "support/tls_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof(ARRAY)[0])
#define HEADER_LEN 13

enum role { BOTH, SERVER, CLIENT }; /* who gets it */

/* Records of epoch 0. The number of a handshake's message is made the one that is waited for. */
static const struct forged {
    const char *what;
    enum role to;
    unsigned char type, minor;
    size_t len;
    const char *body;
} forged[] = {
    {"application data", BOTH, 23, 0xfd, 1, "x"},
    {"longer application data", BOTH, 23, 0xfd, 40, "0123456789012345678901234567890123456789"},
    {"empty application data", BOTH, 23, 0xfd, 0, ""},
    {"close_notify", BOTH, 21, 0xfd, 2, "\1\0"},
    {"a warning", BOTH, 21, 0xfd, 2, "\1\x70"},
    {"no_renegotiation", BOTH, 21, 0xfd, 2, "\1\x64"},
    {"an alert of no level", BOTH, 21, 0xfd, 2, "\3\x28"},
    {"half an alert", BOTH, 21, 0xfd, 1, "\2"},
    {"an alert and a half", BOTH, 21, 0xfd, 3, "\2\x28\2"},
    {"an empty alert", BOTH, 21, 0xfd, 0, ""},
    {"another change of ciphers", BOTH, 20, 0xfd, 1, "\2"},
    {"no change of ciphers", BOTH, 20, 0xfd, 0, ""},
    {"two changes of ciphers", BOTH, 20, 0xfd, 2, "\1\1"},
    {"a byte of a message", BOTH, 22, 0xfd, 1, "\x0b"},
    {"no message", BOTH, 22, 0xfd, 0, ""},
    {"a message of no type", BOTH, 22, 0xfd, 12, "\x63\0\0\0\0\0\0\0\0\0\0\0"},
    {"a long message", BOTH, 22, 0xfd, 13, "\x0b\xff\xff\xff\0\0\0\0\0\0\0\1x"},
    {"a fragment beyond its message", BOTH, 22, 0xfd, 14, "\x0b\0\0\3\0\0\0\0\2\0\0\2xx"},
    {"a fragment beyond its record", BOTH, 22, 0xfd, 13, "\x0b\0\0\3\0\0\0\0\0\0\0\3x"},
    {"an empty fragment", BOTH, 22, 0xfd, 12, "\x0b\0\0\3\0\0\0\0\0\0\0\0"},
    {"a piece of a second message", BOTH, 22, 0xfd, 16, "\x0b\0\0\3\0\x63\0\0\0\0\0\3xxxy"},
    {"Finished", BOTH, 22, 0xfd, 24, "\x14\0\0\x0c\0\0\0\0\0\0\0\x0c............"},
    {"the server's last word", SERVER, 22, 0xfd, 12, "\x0e\0\0\0\0\0\0\0\0\0\0\0"},
    {"the client's key", CLIENT, 22, 0xfd, 14, "\x10\0\0\2\0\0\0\0\0\0\0\2xx"},
    {"a last word with words", CLIENT, 22, 0xfd, 13, "\x0e\0\0\1\0\0\0\0\0\0\0\1x"},
    {"a request with words", CLIENT, 22, 0xfd, 13, "\0\0\0\1\0\0\0\0\0\0\0\1x"},
    {"a cookie that is too long", CLIENT, 22, 0xfd, 13, "\3\0\1\3\0\0\0\0\0\0\0\1x"},
    {"a version that there is not", BOTH, 22, 0x01, 14, "\x0b\0\0\2\0\0\0\0\0\0\0\2xx"},
    {"change of ciphers of no version", BOTH, 20, 0x01, 1, "\1"},
    {"an alert of no version", BOTH, 21, 0x01, 2, "\2\x28"},
};

static struct wire text;

static void put(struct wire *to, const struct forged *datagram, unsigned char message)
{
    static unsigned char number = 100;
    unsigned char record[HEADER_LEN + 64] = {datagram->type, 0xfe, datagram->minor};
    record[10] = ++number;
    record[12] = (unsigned char)datagram->len;
    memcpy(record + HEADER_LEN, datagram->body, datagram->len);
    if (datagram->type == 22 && datagram->len >= 12)
        record[HEADER_LEN + 5] = message;
    wire_put(to, record, HEADER_LEN + datagram->len);
}

/* A step, and the rest of its flight. */
static SECURITY_STATUS flight(struct side *side)
{
    SECURITY_STATUS status = side_step(side);
    while (status == SEC_I_MESSAGE_FRAGMENT)
        status = side_step(side);
    return status;
}

static struct loop_pair *begin(void)
{
    struct loop_pair *pair = pair_new();
    pair->client.flags = ISC_REQ_DATAGRAM | ISC_REQ_CONFIDENTIALITY;
    pair->server.flags = ASC_REQ_DATAGRAM | ASC_REQ_CONFIDENTIALITY;
    pair->server.peer = "an address";
    pair->server.peer_len = 10;
    assert_int_equal(side_acquire_with(&pair->server, pki_server_rsa(), SP_PROT_DTLS1_2_SERVER, 0), SEC_E_OK);
    assert_int_equal(side_acquire_with(&pair->client, NULL, SP_PROT_DTLS1_2_CLIENT, 0), SEC_E_OK);
    return pair;
}

/* Six times: libssl counts warnings. */
static void passed_over(struct side *side, const struct forged *datagram, unsigned char message)
{
    if (datagram->to != BOTH && (datagram->to == CLIENT) != side->client)
        return;
    for (int i = 0; i < 6; i++) {
        size_t before = side->out.len;
        put(&side->in, datagram, message);
        if (flight(side) != SEC_I_CONTINUE_NEEDED)
            fail_msg("%s to the %s, message %d: 0x%08x", datagram->what, side->client ? "client" : "server", message,
                     (unsigned)side->status);
        assert_int_equal(side->in.len, 0);
        assert_int_equal(side->out.len, before); /* nobody is answered */
    }
}

static void words_pass(struct loop_pair *pair)
{
    struct side *sides[2] = {&pair->client, &pair->server};
    for (size_t i = 0; i < 2; i++) {
        text.len = 0;
        assert_int_equal(side_send(sides[i], "words", 5, &sides[1 - i]->in), SEC_E_OK);
        assert_int_equal(side_receive(sides[1 - i], &text), SEC_E_OK);
        assert_int_equal(text.len, 5);
    }
}

/* Once a server has seen the cookie: in each pause of the handshake, and after it. */
static void handshake_goes_on(const struct forged *datagram)
{
    struct loop_pair *pair = begin();
    assert_int_equal(flight(&pair->client), SEC_I_CONTINUE_NEEDED);
    side_hand_over(&pair->client, &pair->server);
    assert_int_equal(flight(&pair->server), SEC_I_CONTINUE_NEEDED);
    side_hand_over(&pair->server, &pair->client);
    assert_int_equal(flight(&pair->client), SEC_I_CONTINUE_NEEDED); /* with the cookie */
    side_hand_over(&pair->client, &pair->server);
    assert_int_equal(flight(&pair->server), SEC_I_CONTINUE_NEEDED);
    passed_over(&pair->server, datagram, 2);
    passed_over(&pair->client, datagram, 1);
    side_hand_over(&pair->server, &pair->client);
    assert_int_equal(flight(&pair->client), SEC_I_CONTINUE_NEEDED);
    passed_over(&pair->server, datagram, 2);
    passed_over(&pair->client, datagram, 5);
    side_hand_over(&pair->client, &pair->server);
    assert_int_equal(flight(&pair->server), SEC_E_OK);
    passed_over(&pair->client, datagram, 5);
    side_hand_over(&pair->server, &pair->client);
    assert_int_equal(flight(&pair->client), SEC_E_OK);
    words_pass(pair);
    pair_free(pair);
}

static void test_amid_handshake(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(forged); i++)
        handshake_goes_on(&forged[i]);
}

/* A server does not begin with any of them, and remembers nobody. */
static void test_at_first(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(forged); i++) {
        if (forged[i].to == CLIENT)
            continue;
        struct loop_pair *pair = begin();
        put(&pair->server.in, &forged[i], 0);
        assert_true(side_step(&pair->server) < 0);
        assert_false(pair->server.has_context);
        pair_free(pair);
    }
}

/* A record longer than any in the clear can be: the message in it is whole. */
static void test_long_record(void **state)
{
    enum { LEN = 16384 + 1 };
    static unsigned char record[HEADER_LEN + LEN] = {22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99, LEN >> 8, LEN & 0xff};
    unsigned char *message = record + HEADER_LEN;
    (void)state;
    message[0] = 11;
    message[2] = message[10] = (LEN - 12) >> 8;
    message[3] = message[11] = (LEN - 12) & 0xff;
    message[5] = 1;
    struct loop_pair *pair = begin();
    assert_int_equal(flight(&pair->client), SEC_I_CONTINUE_NEEDED);
    side_hand_over(&pair->client, &pair->server);
    assert_int_equal(flight(&pair->server), SEC_I_CONTINUE_NEEDED);
    side_hand_over(&pair->server, &pair->client);
    assert_int_equal(flight(&pair->client), SEC_I_CONTINUE_NEEDED);
    wire_put(&pair->client.in, record, sizeof record);
    assert_int_equal(flight(&pair->client), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(pair->client.in.len, 0);
    side_hand_over(&pair->client, &pair->server);
    assert_int_equal(flight(&pair->server), SEC_I_CONTINUE_NEEDED);
    side_hand_over(&pair->server, &pair->client);
    assert_int_equal(flight(&pair->client), SEC_I_CONTINUE_NEEDED);
    pair_free(pair);
}

/* A fatal alert in the clear is how an honest peer says that there is nothing in common: it counts, and so it does when it is forged
 * (docs/schannel.md). */
static void test_fatal_alert(void **state)
{
    static const struct forged alert = {"", BOTH, 21, 0xfd, 2, "\2\x28"};
    (void)state;
    struct loop_pair *pair = begin();
    assert_int_equal(flight(&pair->client), SEC_I_CONTINUE_NEEDED);
    put(&pair->client.in, &alert, 0);
    assert_int_equal(flight(&pair->client), SEC_E_ILLEGAL_MESSAGE);
    pair_free(pair);
}

/* After the end: the rest of a datagram never comes, so that nobody waits for it; it is to be dropped, and the connection lives. */
static void test_cut_short(void **state)
{
    static const struct {
        size_t len;
        const char *bytes;
    } datagrams[] = {{15, "\x17\xfe\xfd\0\1\0\0\0\0\0\x50\x10\0zz"},
                     {13, "\x16\xfe\xfd\0\1\0\0\0\0\0\x51\0\x10"},
                     {5, "\x17\xfe\xfd\0\1"},
                     {18, "GET / HTTP/1.1\r\n\r\n"},
                     {13, "\x17\xfe\xfd\0\1\0\0\0\0\0\x52\xff\xff"}};
    (void)state;
    struct loop_pair *pair = begin();
    assert_int_equal(flight(&pair->client), SEC_I_CONTINUE_NEEDED);
    for (int i = 0; i < 3; i++) {
        side_hand_over(&pair->client, &pair->server);
        assert_true(flight(&pair->server) >= 0);
        side_hand_over(&pair->server, &pair->client);
        assert_true(flight(&pair->client) >= 0);
    }
    assert_int_equal(pair->client.status, SEC_E_OK);
    struct side *sides[2] = {&pair->server, &pair->client};
    for (size_t i = 0; i < 2 * COUNT(datagrams); i++) {
        struct side *side = sides[i % 2];
        wire_put(&side->in, datagrams[i / 2].bytes, datagrams[i / 2].len);
        assert_int_equal(side_receive(side, NULL), SEC_E_OUT_OF_SEQUENCE);
        side->in.len = 0;
        words_pass(pair);
        /* Behind a whole record, too. */
        text.len = 0;
        assert_int_equal(side_send(sides[1 - i % 2], "words", 5, &side->in), SEC_E_OK);
        wire_put(&side->in, datagrams[i / 2].bytes, datagrams[i / 2].len);
        assert_int_equal(side_receive(side, &text), SEC_E_OK);
        assert_int_equal(text.len, 5);
        assert_int_equal(side->in.len, datagrams[i / 2].len);
        assert_int_equal(side_receive(side, NULL), SEC_E_OUT_OF_SEQUENCE);
        side->in.len = 0;
    }
    words_pass(pair);
    pair_free(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_amid_handshake), cmocka_unit_test(test_at_first),  cmocka_unit_test(test_long_record),
        cmocka_unit_test(test_fatal_alert),    cmocka_unit_test(test_cut_short),
    };
    return cmocka_run_group_tests(tests, NULL, loop_teardown);
}
