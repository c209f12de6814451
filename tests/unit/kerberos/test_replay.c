#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kerberos/replay.h"

#include <string.h>

#define HOUR 3600
#define A_SHARD 65536 /* live authenticators, says replay.c */

static void tag_number(uint8_t tag[REPLAY_TAG_LEN], uint64_t number)
{
    memset(tag, 0, REPLAY_TAG_LEN);
    memcpy(tag, &number, sizeof number);
}

static void every_byte_tells(void **state)
{
    uint8_t tag[REPLAY_TAG_LEN];
    (void)state;
    memset(tag, 0x5a, sizeof tag);
    assert_int_equal(replay_check(tag, HOUR), REPLAY_NEW);
    for (size_t i = 0; i < 8 * sizeof tag; i++) {
        tag[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_int_equal(replay_check(tag, HOUR), REPLAY_NEW);
        assert_int_equal(replay_check(tag, HOUR), REPLAY_SEEN);
        tag[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    assert_int_equal(replay_check(tag, HOUR), REPLAY_SEEN);
}

static void what_expires_is_forgotten(void **state)
{
    uint8_t tag[REPLAY_TAG_LEN];
    (void)state;
    memset(tag, 0xa5, sizeof tag);
    for (int i = 0; i < 3; i++)
        assert_int_equal(replay_check(tag, 0), REPLAY_NEW);
    assert_int_equal(replay_check(tag, HOUR), REPLAY_NEW);
    assert_int_equal(replay_check(tag, 0), REPLAY_SEEN);
}

/* The last byte is the shard's: all of these go into one. Those that have expired make room. */
static void a_full_shard_refuses(void **state)
{
    uint8_t tag[REPLAY_TAG_LEN];
    (void)state;
    for (uint64_t i = 0; i < 10; i++) {
        tag_number(tag, (UINT64_C(1) << 60) + i);
        assert_int_equal(replay_check(tag, 0), REPLAY_NEW);
    }
    for (uint64_t i = 0; i < A_SHARD; i++) {
        uint16_t bucket = (uint16_t)i;
        tag_number(tag, i);
        memcpy(tag + REPLAY_TAG_LEN - 3, &bucket, sizeof bucket);
        assert_int_equal(replay_check(tag, HOUR), REPLAY_NEW);
    }
    tag_number(tag, A_SHARD);
    assert_int_equal(replay_check(tag, HOUR), REPLAY_FULL);
    tag_number(tag, 0);
    assert_int_equal(replay_check(tag, HOUR), REPLAY_SEEN);
    tag[REPLAY_TAG_LEN - 1] = 1; /* another shard */
    assert_int_equal(replay_check(tag, HOUR), REPLAY_NEW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_tells),
        cmocka_unit_test(what_expires_is_forgotten),
        cmocka_unit_test(a_full_shard_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
