/*
 * The codes over SPNEGO's list of mechanisms that a session makes both at once: they are what it signs and what it verifies message by message, and
 * what comes after them is the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "core/session.h"
#include "ntlm/keys.h"
#include "ntlm/messages.h"
#include "ntlm/session.h"
#include <string.h>

#define EXTENDED (NTLM_SIGN | NTLM_SEAL | NTLM_EXTENDED_SESSION_SECURITY | NTLM_ALWAYS_SIGN)

static const struct key16 key = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
static const uint8_t bytes[600] = {0x30, 0x0c, 0x06, 0x0a, 0x2b};

static void *session_make(uint32_t flags, bool initiator)
{
    const struct ntlm_session_seed seed = {.flags = flags, .key = key, .password_expiry = INT64_MAX};
    AUTO_WRITER struct writer own = writer_growing(64);
    void *session;
    ntlm_session_seed_write(&own, &seed);
    assert_int_equal(ntlm_session_table.open(writer_slice_of(&own), 0, initiator, &session), SEC_E_OK);
    return session;
}

static struct message message_of(uint8_t token[16], uint8_t *data, size_t len)
{
    struct message message = {.token = {token, 16}, .n_data = 1};
    message.data[0] = (struct segment){.data = data, .len = len, .read_only = true};
    return message;
}

static void sign(void *session, size_t len, uint8_t token[16])
{
    uint8_t copy[sizeof bytes];
    memcpy(copy, bytes, sizeof bytes);
    struct message message = message_of(token, copy, len);
    assert_int_equal(ntlm_session_table.sign(session, 0, &message, 0), SEC_E_OK);
}

static void verify(void *session, size_t len, uint8_t token[16])
{
    uint8_t copy[sizeof bytes];
    uint32_t qop = 0;
    memcpy(copy, bytes, sizeof bytes);
    struct message message = message_of(token, copy, len);
    assert_int_equal(ntlm_session_table.verify(session, &message, 0, &qop), SEC_E_OK);
}

/* A message of each direction. */
static void exchange(void *client, void *server)
{
    uint8_t token[16];
    sign(client, 5, token);
    verify(server, 5, token);
    sign(server, 7, token);
    verify(client, 7, token);
}

/* `at_once` makes both codes; `by_one` signs as message number 0. Both are used to the end, with each other. */
static void check(uint32_t flags, size_t len)
{
    void *at_once = session_make(flags, true), *by_one = session_make(flags, false);
    struct list_codes codes = {0};
    uint8_t token[16];
    assert_int_equal(ntlm_session_table.list_codes(at_once, slice_of(bytes, len), &codes), SEC_E_OK);
    assert_int_equal(codes.len, 16);
    sign(by_one, len, token);
    assert_memory_equal(codes.peer, token, 16);
    verify(by_one, len, codes.own);
    assert_int_equal(ntlm_session_table.list_signed(at_once, true, true), SEC_E_OK);
    assert_int_equal(ntlm_session_table.list_signed(by_one, true, true), SEC_E_OK);
    exchange(at_once, by_one);
    ntlm_session_table.close(at_once);
    ntlm_session_table.close(by_one);
}

static void both_at_once_are_what_messages_are(void **state)
{
    static const uint32_t flags[] = {EXTENDED | NTLM_KEY_EXCH | NTLM_128, EXTENDED | NTLM_KEY_EXCH | NTLM_56,
                                     EXTENDED | NTLM_128, EXTENDED};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(flags); i++)
        for (size_t len = 0; len <= 512; len += len < 130 ? 1 : 127)
            check(flags[i], len);
}

static void refused(uint32_t flags, size_t len)
{
    void *session = session_make(flags, true);
    struct list_codes codes = {0};
    uint8_t token[16];
    assert_int_equal(ntlm_session_table.list_codes(session, slice_of(bytes, len), &codes), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(codes.len, 0);
    sign(session, len, token); /* as a message it works */
    ntlm_session_table.close(session);
}

/* One lane for both directions; no keys; longer lists. */
static void what_cannot_be_made_at_once_is_signed(void **state)
{
    (void)state;
    refused(NTLM_SIGN | NTLM_KEY_EXCH | NTLM_128, 20);
    refused(NTLM_ALWAYS_SIGN | NTLM_EXTENDED_SESSION_SECURITY, 20);
    refused(EXTENDED | NTLM_DATAGRAM | NTLM_128, 20);
    refused(EXTENDED | NTLM_128, 513);
}

static void a_session_in_use_makes_none(void **state)
{
    void *client = session_make(EXTENDED | NTLM_128, true), *server = session_make(EXTENDED | NTLM_128, false);
    struct list_codes codes = {0};
    uint8_t token[16];
    (void)state;
    sign(client, 5, token);
    verify(server, 5, token);
    assert_int_equal(ntlm_session_table.list_codes(client, slice_of(bytes, 20), &codes), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(ntlm_session_table.list_codes(server, slice_of(bytes, 20), &codes), SEC_E_UNSUPPORTED_FUNCTION);
    ntlm_session_table.close(client);
    ntlm_session_table.close(server);
}

/* Only what went out and came in counts: whose peer sent no code begins to receive at 0, like a peer that made none. */
static void each_direction_counts_its_own_code(void **state)
{
    const uint32_t flags = EXTENDED | NTLM_KEY_EXCH | NTLM_128;
    void *client = session_make(flags, true), *server = session_make(flags, false);
    struct list_codes codes = {0};
    (void)state;
    assert_int_equal(ntlm_session_table.list_codes(client, slice_of(bytes, 20), &codes), SEC_E_OK);
    verify(server, 20, codes.own);
    assert_int_equal(ntlm_session_table.list_signed(client, true, false), SEC_E_OK);
    assert_int_equal(ntlm_session_table.list_signed(server, false, true), SEC_E_OK);
    exchange(client, server);
    ntlm_session_table.close(client);
    ntlm_session_table.close(server);
}

/* A session moves after its codes, and goes on where it was. */
static void a_session_moves_after_its_codes(void **state)
{
    const uint32_t flags = EXTENDED | NTLM_KEY_EXCH | NTLM_128;
    void *client = session_make(flags, true), *server = session_make(flags, false), *moved;
    struct list_codes codes[2] = {{0}};
    AUTO_WRITER struct writer own = writer_growing(64);
    (void)state;
    assert_int_equal(ntlm_session_table.list_codes(client, slice_of(bytes, 20), &codes[0]), SEC_E_OK);
    assert_int_equal(ntlm_session_table.list_codes(server, slice_of(bytes, 20), &codes[1]), SEC_E_OK);
    assert_memory_equal(codes[0].own, codes[1].peer, 16);
    assert_memory_equal(codes[0].peer, codes[1].own, 16);
    assert_memory_not_equal(codes[0].peer, codes[0].own, 16);
    assert_int_equal(ntlm_session_table.list_signed(client, true, true), SEC_E_OK);
    assert_int_equal(ntlm_session_table.list_signed(server, true, true), SEC_E_OK);
    assert_int_equal(ntlm_session_table.save(client, &own), SEC_E_OK);
    assert_int_equal(ntlm_session_table.open(writer_slice_of(&own), 0, true, &moved), SEC_E_OK);
    exchange(moved, server);
    ntlm_session_table.close(client);
    ntlm_session_table.close(server);
    ntlm_session_table.close(moved);
}

/* The same under every kind of keys, reset before: behind its codes, where the peer begins, also one lane for both directions. */
static void *moved_and_reset(void *session, bool initiator)
{
    AUTO_WRITER struct writer own = writer_growing(64);
    void *moved;
    assert_int_equal(ntlm_session_table.reset(session), SEC_E_OK);
    assert_int_equal(ntlm_session_table.save(session, &own), SEC_E_OK);
    assert_int_equal(ntlm_session_table.open(writer_slice_of(&own), 0, initiator, &moved), SEC_E_OK);
    ntlm_session_table.close(session);
    assert_int_equal(ntlm_session_table.reset(moved), SEC_E_OK);
    return moved;
}

static void a_session_begins_anew_behind_its_codes(void **state)
{
    static const uint32_t flags[] = {EXTENDED | NTLM_KEY_EXCH | NTLM_128, EXTENDED,
                                     NTLM_SIGN | NTLM_SEAL | NTLM_KEY_EXCH | NTLM_128};
    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(flags); i++) {
        void *client = session_make(flags[i / 2], true), *server = session_make(flags[i / 2], false);
        exchange(client, server); /* both codes */
        assert_int_equal(ntlm_session_table.list_signed(client, true, true), SEC_E_OK);
        assert_int_equal(ntlm_session_table.list_signed(server, true, true), SEC_E_OK);
        client = i % 2 == 0 ? client : moved_and_reset(client, true);
        server = moved_and_reset(server, false);
        exchange(client, server);
        assert_int_equal(ntlm_session_table.reset(client), SEC_E_UNSUPPORTED_FUNCTION);
        assert_int_equal(ntlm_session_table.reset(server), SEC_E_UNSUPPORTED_FUNCTION);
        exchange(client, server);
        ntlm_session_table.close(client);
        ntlm_session_table.close(server);
    }
}

/* Records of before, without the first number: of a lane in use they are refused, of one that has only a number it is that. */
static void older_records(void **state)
{
    const struct ntlm_session_seed seed = {.flags = EXTENDED | NTLM_128, .key = key, .password_expiry = INT64_MAX};
    static const uint8_t cipher[258];
    void *session, *client = session_make(EXTENDED | NTLM_128, true);
    (void)state;
    for (uint8_t kind = 0; kind < 5; kind++) {
        AUTO_WRITER struct writer own = writer_growing(64);
        ntlm_session_seed_write(&own, &seed);
        writer_u8(&own, kind);
        if (kind > 0)
            writer_u32le(&own, 1);
        if (kind > 2)
            writer_u32le(&own, 1);
        if (kind == 1 || kind > 2)
            writer_bytes(&own, cipher, sizeof cipher);
        writer_u8(&own, 2);
        writer_u32le(&own, 1);
        SECURITY_STATUS status = ntlm_session_table.open(writer_slice_of(&own), 0, false, &session);
        assert_int_equal(status, kind == 1 || kind == 4 ? SEC_E_INVALID_TOKEN : SEC_E_OK);
        if (status != SEC_E_OK)
            continue;
        assert_int_equal(ntlm_session_table.reset(session), SEC_E_OK);
        if (kind == 2) {
            void *signer = session_make(EXTENDED | NTLM_128, false);
            exchange(client, signer);
            assert_int_equal(ntlm_session_table.list_signed(client, true, true), SEC_E_OK);
            exchange(client, session);
            ntlm_session_table.close(signer);
        }
        ntlm_session_table.close(session);
    }
    ntlm_session_table.close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_at_once_are_what_messages_are),
        cmocka_unit_test(what_cannot_be_made_at_once_is_signed),
        cmocka_unit_test(a_session_in_use_makes_none),
        cmocka_unit_test(each_direction_counts_its_own_code),
        cmocka_unit_test(a_session_moves_after_its_codes),
        cmocka_unit_test(a_session_begins_anew_behind_its_codes),
        cmocka_unit_test(older_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
