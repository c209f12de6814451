/*
 * Records in pieces and in heaps: every way of cutting the stream gives the same text; what was changed on the way is refused, and what was cut off
 * can be told.
 * build: all
 */
#include "support/ntlm_loop.h"
#include "support/tls_loop.h"

#include "schannel/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct wire text, wire;

static struct loop_pair *established(DWORD protocols, size_t piece)
{
    struct loop_pair *pair = pair_new();
    pair->piece = piece;
    pair_acquire(pair, protocols & SP_PROT_TLS1_X_CLIENT, protocols & SP_PROT_TLS1_X_SERVER,
                 SCH_CRED_MANUAL_CRED_VALIDATION);
    assert_true(pair_run(pair));
    side_hand_over(&pair->server, &pair->client);
    return pair;
}

static void test_look(void **state)
{
    struct record record;
    const uint8_t header[] = {22, 3, 1, 0, 2, 9, 9, 23};
    (void)state;
    for (size_t len = 0; len < 7; len++) {
        assert_int_equal(record_look(slice_of(header, len), false, &record), WIRE_SHORT);
        assert_int_equal(record.missing, len < 5 ? 5 - len : 7 - len);
    }
    assert_int_equal(record_look(slice_of(header, 8), false, &record), WIRE_OK);
    assert_int_equal(record.len, 7);
    assert_int_equal(record_whole(slice_of(header, 8), false), 7);
    static const uint8_t wrong[][5] = {
        {19, 3, 3, 0, 0}, {24, 3, 3, 0, 0}, {23, 2, 3, 0, 0}, {23, 3, 3, 0x48, 1}, {0x80, 3, 3, 0, 0}};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(record_look(slice_of(wrong[i], 5), false, &record), WIRE_BAD);
    const uint8_t longest[] = {23, 3, 3, 0x48, 0};
    assert_int_equal(record_look(slice_of(longest, 5), false, &record), WIRE_SHORT);
    assert_int_equal(record.missing, 0x4800);
}

/* The handshake in pieces of every small size. */
static void test_handshake_pieces(void **state)
{
    (void)state;
    for (DWORD protocols = SP_PROT_TLS1_2; protocols <= SP_PROT_TLS1_3; protocols <<= 2)
        for (size_t piece = 1; piece <= 64; piece = piece < 8 ? piece + 1 : piece * 2)
            pair_free(established(protocols, piece));
}

/* Hands `wire` to the server cut at `cut`; the text must be the same. */
static void receive_cut(struct side *side, size_t cut, const char *expected)
{
    text.len = 0;
    wire_put(&side->in, wire.data, cut);
    SECURITY_STATUS status;
    while ((status = side_receive(side, &text)) == SEC_E_OK)
        ;
    assert_int_equal(status, SEC_E_INCOMPLETE_MESSAGE);
    assert_true(side->missing > 0 && side->in.len + side->missing <= wire.len + 5);
    wire_put(&side->in, wire.data + cut, wire.len - cut);
    while ((status = side_receive(side, &text)) == SEC_E_OK)
        ;
    assert_int_equal(status, SEC_E_INCOMPLETE_MESSAGE);
    assert_int_equal(side->in.len, 0);
    assert_int_equal(text.len, strlen(expected));
    assert_memory_equal(text.data, expected, text.len);
}

static void test_cuts(void **state)
{
    (void)state;
    for (DWORD protocols = SP_PROT_TLS1_2; protocols <= SP_PROT_TLS1_3; protocols <<= 2) {
        struct loop_pair *pair = established(protocols, 0);
        size_t len = 1;
        for (size_t cut = 0; cut <= len; cut++) {
            wire.len = 0;
            assert_int_equal(side_send(&pair->client, "one, ", 5, &wire), SEC_E_OK);
            assert_int_equal(side_send(&pair->client, "two, ", 5, &wire), SEC_E_OK);
            assert_int_equal(side_send(&pair->client, "three", 5, &wire), SEC_E_OK);
            len = wire.len;
            receive_cut(&pair->server, cut, "one, two, three");
        }
        pair_free(pair);
    }
}

static void test_sizes(void **state)
{
    static unsigned char data[40000];
    static const size_t sizes[] = {1, 2, 15, 16, 17, 1023, 16383, 16384, 16385, 40000};
    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i ^ i >> 8);
    for (DWORD protocols = SP_PROT_TLS1_2; protocols <= SP_PROT_TLS1_3; protocols <<= 2) {
        struct loop_pair *pair = established(protocols, 0);
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            text.len = 0;
            assert_int_equal(side_send(&pair->client, data, sizes[i], &pair->server.in), SEC_E_OK);
            while (pair->server.in.len > 0)
                assert_int_equal(side_receive(&pair->server, &text), SEC_E_OK);
            assert_int_equal(text.len, sizes[i]);
            assert_memory_equal(text.data, data, sizes[i]);
        }
        /* No text, no record. */
        assert_int_equal(side_send(&pair->client, data, 0, &pair->server.in), SEC_E_OK);
        assert_int_equal(pair->server.in.len, 0);
        pair_free(pair);
    }
}

/* Each byte of a record changed: refused, and nothing is received after. */
static void test_flipped_messages(void **state)
{
    /* Type, version, length. TLS 1.2's looks like a handshake message, and fails there; its length is even here, and gets longer by its last bit. */
    static const SECURITY_STATUS of_header[2][5] = {{SEC_I_RENEGOTIATE, SEC_E_INVALID_TOKEN, SEC_E_ALGORITHM_MISMATCH,
                                                     SEC_E_INCOMPLETE_MESSAGE, SEC_E_INCOMPLETE_MESSAGE},
                                                    {SEC_E_ILLEGAL_MESSAGE, SEC_E_INVALID_TOKEN, SEC_E_ILLEGAL_MESSAGE,
                                                     SEC_E_INCOMPLETE_MESSAGE, SEC_E_MESSAGE_ALTERED}};
    (void)state;
    for (DWORD protocols = SP_PROT_TLS1_2; protocols <= SP_PROT_TLS1_3; protocols <<= 2) {
        struct loop_pair *pair = established(protocols, 0);
        size_t len = 1;
        for (size_t at = 0; at < len; at++) {
            wire.len = 0;
            assert_int_equal(side_send(&pair->client, "text", 4, &wire), SEC_E_OK);
            len = wire.len;
            wire.data[at] ^= 0x01;
            wire_put(&pair->server.in, wire.data, wire.len);
            text.len = 0;
            SECURITY_STATUS status = side_receive(&pair->server, &text);
            assert_int_equal(text.len, 0);
            assert_int_equal(status, at < 5 ? of_header[protocols == SP_PROT_TLS1_3][at] : SEC_E_MESSAGE_ALTERED);
            if (status == SEC_I_RENEGOTIATE)
                assert_int_equal(side_step(&pair->server), SEC_E_MESSAGE_ALTERED);
            /* What waits for more gets it, and is refused then. */
            pair->server.in.len = status == SEC_E_INCOMPLETE_MESSAGE ? pair->server.in.len : 0;
            assert_int_equal(side_send(&pair->client, "more", 4, &pair->server.in), SEC_E_OK);
            assert_true(side_receive(&pair->server, &text) != SEC_E_OK);
            assert_int_equal(text.len, 0);
            pair_restart(pair);
            assert_true(pair_run(pair));
            pair->server.out.len = 0;
        }
        pair_free(pair);
    }
}

/* TLS 1.2, a record too short to have been protected is the peer's fault, and the peer is told so. */
static void test_short(void **state)
{
    static const uint8_t types[] = {23, 21, 22};
    (void)state;
    for (size_t i = 0; i < 3 * 32; i++) {
        size_t len = i / 3;
        uint8_t record[5 + 32] = {types[i % 3], 3, 3, 0, (uint8_t)len};
        struct loop_pair *pair = established(SP_PROT_TLS1_2, 0);
        pair->client.in.len = 0;
        wire_put(&pair->server.in, record, 5 + len);
        SECURITY_STATUS status = side_receive(&pair->server, NULL);
        assert_int_equal(status == SEC_I_RENEGOTIATE, record[0] == 22);
        if (status == SEC_I_RENEGOTIATE)
            status = side_step(&pair->server);
        assert_int_equal(status, SEC_E_MESSAGE_ALTERED);
        pair->server.in.len = 0;
        if (pair->server.out.len == 0)
            assert_int_equal(side_step(&pair->server), SEC_E_OUT_OF_SEQUENCE);
        side_hand_over(&pair->server, &pair->client);
        assert_int_equal(side_receive(&pair->client, NULL), SEC_E_MESSAGE_ALTERED);
        pair_free(pair);
    }
}

/* The same in place of Finished, and of the first message of a later handshake that is encrypted. There libssl alone can send an alert. */
static void short_finished(const char *settings, bool later, SECURITY_STATUS expected)
{
    for (size_t len = 0; len < 32; len++) {
        const uint8_t record[5 + 32] = {22, 3, 3, 0, (uint8_t)len};
        loop_configure(settings);
        struct loop_pair *pair = pair_new();
        pair_acquire(pair, SP_PROT_TLS1_2_CLIENT, SP_PROT_TLS1_2_SERVER, SCH_CRED_MANUAL_CRED_VALIDATION);
        if (later) {
            assert_true(pair_run(pair));
            side_hand_over(&pair->server, &pair->client);
            pair->client.in.len = 0;
            side_control(&pair->client, SCHANNEL_RENEGOTIATE);
        }
        assert_int_equal(side_step(&pair->client), SEC_I_CONTINUE_NEEDED);
        side_hand_over(&pair->client, &pair->server);
        assert_int_equal(side_step(&pair->server), SEC_I_CONTINUE_NEEDED);
        if (!later) {
            side_hand_over(&pair->server, &pair->client);
            assert_int_equal(side_step(&pair->client), SEC_I_CONTINUE_NEEDED);
            size_t at = 0;
            while (pair->client.out.data[at] != 20)
                at += 5 + ((size_t)pair->client.out.data[at + 3] << 8 | pair->client.out.data[at + 4]);
            wire_put(&pair->server.in, pair->client.out.data, at + 6);
        }
        wire_put(&pair->server.in, record, 5 + len);
        assert_int_equal(side_step(&pair->server), expected);
        pair_free(pair);
    }
}

static void test_short_finished(void **state)
{
    (void)state;
    for (int later = 0; later < 2; later++) {
        short_finished("[schannel]\nciphers = ECDHE-ECDSA-AES256-GCM-SHA384\n", later, SEC_E_MESSAGE_ALTERED);
        short_finished("[schannel]\nciphers = ECDHE-ECDSA-CHACHA20-POLY1305\n", later, SEC_E_MESSAGE_ALTERED);
        short_finished("[schannel]\nciphers = ECDHE-ECDSA-AES128-SHA256\n", later,
                       SEC_E_ILLEGAL_MESSAGE); /* decode_error */
    }
}

/* After an altered record the connection is dead, the peer can be told, and nothing hangs or crashes. */
static void test_after_altered(void **state)
{
    (void)state;
    struct loop_pair *pair = established(SP_PROT_TLS1_3, 0);
    assert_int_equal(side_send(&pair->client, "text", 4, &pair->server.in), SEC_E_OK);
    pair->server.in.data[7] ^= 1;
    assert_int_equal(side_receive(&pair->server, NULL), SEC_E_MESSAGE_ALTERED);
    pair->server.in.len = 0;
    assert_int_equal(side_send(&pair->client, "text", 4, &pair->server.in), SEC_E_OK);
    assert_int_equal(side_receive(&pair->server, NULL), SEC_E_CONTEXT_EXPIRED);
    assert_int_equal(side_send(&pair->server, "text", 4, &wire), SEC_E_CONTEXT_EXPIRED);
    /* The alert waits for the next step. */
    pair->server.in.len = 0;
    assert_int_equal(side_step(&pair->server), SEC_E_OUT_OF_SEQUENCE);
    assert_true(pair->server.out.len > 0);
    while (pair->client.in.len > 0 && side_receive(&pair->client, NULL) == SEC_I_RENEGOTIATE)
        assert_int_equal(side_step(&pair->client), SEC_E_OK);
    side_hand_over(&pair->server, &pair->client);
    assert_int_equal(side_receive(&pair->client, NULL), SEC_E_MESSAGE_ALTERED);
    pair_free(pair);
}

/* Is this byte of the flight inside of an encrypted record? TLS 1.2 encrypts what follows ChangeCipherSpec. */
static bool is_encrypted(const struct wire *flight, size_t at)
{
    bool changed = false;
    for (size_t start = 0; start + 5 <= flight->len;) {
        size_t len = 5 + ((size_t)flight->data[start + 3] << 8 | flight->data[start + 4]);
        if (at < start + len)
            return at >= start + 5 && (changed || flight->data[start] == 23);
        changed = changed || (flight->data[start] == 20 && flight->data[start + 2] == 3 && start > 0);
        start += len;
    }
    return false;
}

/* The side that refused tells the other why, with an alert that fits: bad_record_mac where the record is altered; else one of those for messages that
 * make no sense or do not fit each other. Only what is no record at all has no answer (the tables: garbage). */
static void refusal_told(struct side *refuser, struct side *other, bool altered)
{
    static const SECURITY_STATUS fitting[] = {
        SEC_E_ILLEGAL_MESSAGE,      /* decode_error, illegal_parameter, unexpected_message, handshake_failure */
        SEC_E_MESSAGE_ALTERED,      /* bad_record_mac: the keys differ, since the transcripts do */
        SEC_E_DECRYPT_FAILURE,      /* decrypt_error: a signature or Finished is wrong */
        SEC_E_CERT_UNKNOWN,         /* bad_certificate */
        SEC_E_UNSUPPORTED_FUNCTION, /* protocol_version */
        SEC_E_ALGORITHM_MISMATCH,
    };
    if (refuser->out.len == 0) {
        assert_int_equal(refuser->status, SEC_E_INVALID_TOKEN);
        return;
    }
    bool found = false;
    other->in.len = 0;
    side_hand_over(refuser, other);
    SECURITY_STATUS told =
        other->has_context && other->status == SEC_E_OK ? side_receive(other, NULL) : side_step(other);
    for (size_t i = 0; i < sizeof fitting / sizeof fitting[0]; i++)
        found = found || told == fitting[i];
    if (altered && (refuser->status != SEC_E_MESSAGE_ALTERED || told != SEC_E_MESSAGE_ALTERED))
        fail_msg("altered: 0x%08x, told 0x%08x", (unsigned)refuser->status, (unsigned)told);
    if (!found)
        fail_msg("refused with 0x%08x, told 0x%08x", (unsigned)refuser->status, (unsigned)told);
}

/* Each byte of each flight changed: no side ends well with another transcript, and the other is told. */
static void flip_flight(DWORD protocols, int flight, size_t at, size_t *len)
{
    struct loop_pair *pair = pair_new();
    pair_acquire(pair, protocols & SP_PROT_TLS1_X_CLIENT, protocols & SP_PROT_TLS1_X_SERVER,
                 SCH_CRED_MANUAL_CRED_VALIDATION);
    struct side *from = &pair->client, *to = &pair->server;
    side_step(from);
    bool changed = false, altered = false;
    for (int turn = 0; turn < 8 && from->out.len > 0; turn++) {
        if (turn == flight) {
            altered = is_encrypted(&from->out, at);
            *len = from->out.len; /* signatures differ in length from run to run */
            changed = at < from->out.len;
            from->out.data[at] ^= changed ? 0x10 : 0;
        }
        side_hand_over(from, to);
        if (to->has_context && to->status == SEC_E_OK)
            break;
        side_step(to);
        if (changed && to->status < 0 && to->status != SEC_E_INCOMPLETE_MESSAGE) {
            refusal_told(to, from, altered);
            break;
        }
        struct side *other = from;
        from = to;
        to = other;
    }
    bool both = pair->client.has_context && pair->server.has_context && pair->client.status == SEC_E_OK &&
                pair->server.status == SEC_E_OK;
    assert_true(!changed || !both);
    pair_free(pair);
}

static void test_flipped_flights(void **state)
{
    (void)state;
    for (DWORD protocols = SP_PROT_TLS1_2; protocols <= SP_PROT_TLS1_3; protocols <<= 2) {
        int flights = protocols == SP_PROT_TLS1_2 ? 4 : 3;
        for (int flight = 0; flight < flights; flight++) {
            size_t len = 1;
            for (size_t at = 0; at < len; at++) {
                /* The record version of a ClientHello is not looked at (RFC 8446 5.1), and TLS 1.3 drops ChangeCipherSpec's neighbours likewise. */
                if (at == 1 || at == 2)
                    continue;
                flip_flight(protocols, flight, at, &len);
            }
        }
    }
}

/* Cut off anywhere before the end of close_notify: the caller is never told that the peer has ended. */
static void test_truncation(void **state)
{
    DWORD shutdown = SCHANNEL_SHUTDOWN;
    SecBuffer buffer = {sizeof shutdown, SECBUFFER_TOKEN, &shutdown};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &buffer};
    (void)state;
    for (DWORD protocols = SP_PROT_TLS1_2; protocols <= SP_PROT_TLS1_3; protocols <<= 2) {
        struct loop_pair *pair = established(protocols, 0);
        struct side *server = &pair->server;
        assert_int_equal(side_send(&pair->client, "amount: 1000", 12, &server->in), SEC_E_OK);
        pair->client.in.len = 0;
        assert_int_equal(ApplyControlToken(&pair->client.context, &list), SEC_E_OK);
        assert_int_equal(side_step(&pair->client), SEC_E_OK);
        text.len = 0;
        assert_int_equal(side_receive(server, &text), SEC_E_OK);
        assert_int_equal(text.len, 12);
        for (size_t len = 0; len < pair->client.out.len; len++) {
            assert_int_equal(server->in.len, len);
            assert_int_equal(side_receive(server, &text), SEC_E_INCOMPLETE_MESSAGE);
            wire_put(&server->in, pair->client.out.data + len, 1);
        }
        assert_int_equal(side_receive(server, &text), SEC_I_CONTEXT_EXPIRED);
        assert_int_equal(text.len, 12);
        pair_free(pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_look),
        cmocka_unit_test(test_handshake_pieces),
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_flipped_messages),
        cmocka_unit_test(test_short),
        cmocka_unit_test(test_short_finished),
        cmocka_unit_test(test_after_altered),
        cmocka_unit_test(test_flipped_flights),
        cmocka_unit_test(test_truncation),
    };
    return cmocka_run_group_tests(tests, NULL, loop_teardown);
}
