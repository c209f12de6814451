/* The cache of authenticators seen: what it tells apart, forgets, refuses when it is full, and for whom it keeps room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/time.h"
#include "kerberos/replay.h"

#include <string.h>

#define HOUR 3600
#define A_SHARD 262144 /* live authenticators, says replay.c */
#define A_CLIENT (A_SHARD / 4)
#define BUCKETS 65536

static void tag_number(uint8_t tag[REPLAY_TAG_LEN], uint64_t number)
{
    memset(tag, 0, REPLAY_TAG_LEN);
    memcpy(tag, &number, sizeof number);
}

static void test_every_byte_tells(void **state)
{
    uint8_t tag[REPLAY_TAG_LEN];
    (void)state;
    memset(tag, 0x5a, sizeof tag);
    assert_int_equal(replay_check(tag, "client@REALM", HOUR), REPLAY_NEW);
    for (size_t i = 0; i < 8 * sizeof tag; i++) {
        tag[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_int_equal(replay_check(tag, "client@REALM", HOUR), REPLAY_NEW);
        assert_int_equal(replay_check(tag, "client@REALM", HOUR), REPLAY_SEEN);
        tag[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    assert_int_equal(replay_check(tag, "client@REALM", HOUR), REPLAY_SEEN);
}

static void test_what_expires_is_forgotten(void **state)
{
    uint8_t tag[REPLAY_TAG_LEN];
    (void)state;
    memset(tag, 0xa5, sizeof tag);
    for (int i = 0; i < 3; i++)
        assert_int_equal(replay_check(tag, "client@REALM", 0), REPLAY_NEW);
    assert_int_equal(replay_check(tag, "client@REALM", HOUR), REPLAY_NEW);
    assert_int_equal(replay_check(tag, "client@REALM", 0), REPLAY_SEEN);
}

/* Where the mixer is 1: the last byte's upper half is the shard, what is below it the bucket. */
static enum replay_answer checked_of(const char *client, unsigned shard, uint64_t bucket, uint64_t number,
                                     unsigned seconds)
{
    uint8_t tag[REPLAY_TAG_LEN];
    uint64_t tail = (uint64_t)shard << 60 | bucket << 44;
    tag_number(tag, number);
    tail |= number;
    memcpy(tag + REPLAY_TAG_LEN - sizeof tail, &tail, sizeof tail);
    return replay_check(tag, client, seconds);
}

/* By one client of eight. */
static enum replay_answer checked(unsigned shard, uint64_t bucket, uint64_t number, unsigned seconds)
{
    char client[] = "0@REALM";
    client[0] = (char)('0' + number % 8);
    return checked_of(client, shard, bucket, number, seconds);
}

static void later(uint64_t ms)
{
    monotonic_pass(ms);
    (void)monotonic_ms();
    monotonic_pass(0);
}

/* Those that have expired make room, also those in buckets that nothing else comes into: there only the search of the whole shard finds them. */
static void test_a_full_shard_refuses(void **state)
{
    enum { LONELY = 10 };
    (void)state;
    replay_mix(1);
    for (uint64_t i = 0; i < LONELY; i++)
        assert_int_equal(checked(3, i, i, 0), REPLAY_NEW);
    for (uint64_t i = LONELY; i < A_SHARD; i++)
        assert_int_equal(checked(3, LONELY + i % (BUCKETS - LONELY), i, HOUR), REPLAY_NEW);
    for (uint64_t i = 0; i < LONELY - 1; i++)
        assert_int_equal(checked(3, LONELY, A_SHARD + i, HOUR), REPLAY_NEW);
    assert_int_equal(checked(3, 0, 0, 0), REPLAY_NEW);
    later(1000); /* may be searched again */
    assert_int_equal(checked(3, LONELY, 2 * A_SHARD, HOUR), REPLAY_NEW);
    assert_int_equal(checked(3, LONELY, 3 * A_SHARD, HOUR), REPLAY_FULL);
    later(1000);
    assert_int_equal(checked(3, LONELY, 3 * A_SHARD, HOUR), REPLAY_FULL);
    assert_int_equal(checked(3, LONELY, 2 * A_SHARD, HOUR), REPLAY_SEEN);
    assert_int_equal(checked(2, LONELY, 3 * A_SHARD, HOUR), REPLAY_NEW);
    later(2000 * HOUR);
    assert_int_equal(checked(3, LONELY, 3 * A_SHARD, HOUR), REPLAY_NEW);
    later(2000 * HOUR);
    replay_mix(0);
}

static void test_one_client_leaves_room(void **state)
{
    (void)state;
    replay_mix(1);
    assert_int_equal(checked_of("mallory@REALM", 3, 0, 0, 0), REPLAY_NEW);
    for (uint64_t i = 1; i < A_CLIENT; i++)
        assert_int_equal(checked_of("mallory@REALM", 3, i, i, HOUR), REPLAY_NEW);
    assert_int_equal(checked_of("mallory@REALM", 3, 1, A_CLIENT, HOUR), REPLAY_NEW); /* the first has expired */
    assert_int_equal(checked_of("mallory@REALM", 3, 1, A_CLIENT + 1, HOUR), REPLAY_FULL);
    assert_int_equal(checked_of("MaLLory@realm", 3, 1, A_CLIENT + 1, HOUR), REPLAY_FULL);
    assert_int_equal(checked_of("mallory@REALM", 3, 1, A_CLIENT, HOUR), REPLAY_SEEN);
    for (uint64_t i = 0; i < 1000; i++)
        assert_int_equal(checked_of("alice@REALM", 3, i, A_CLIENT + 1 + i, HOUR), REPLAY_NEW);
    assert_int_equal(checked_of("alice@REALM", 3, 1, A_CLIENT, HOUR), REPLAY_SEEN); /* whoever brings it */
    later(2000 * HOUR);
    for (uint64_t i = 0; i < A_CLIENT; i++) /* nothing of what has expired is counted */
        assert_int_equal(checked_of("mallory@REALM", 3, i, 2 * A_CLIENT + i, HOUR), REPLAY_NEW);
    assert_int_equal(checked_of("mallory@REALM", 3, 0, 0, HOUR), REPLAY_FULL);
    later(2000 * HOUR);
    replay_mix(0);
}

/* More of them than a shard holds, alike in the bytes that a client would search for. */
static void test_nobody_aims_at_a_shard(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 2 * A_SHARD; i++)
        assert_int_equal(checked(3, i % 2, i, HOUR), REPLAY_NEW);
    later(2000 * HOUR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_full_shard_refuses), /* first: it counts what is there */
        cmocka_unit_test(test_one_client_leaves_room), cmocka_unit_test(test_nobody_aims_at_a_shard),
        cmocka_unit_test(test_every_byte_tells),       cmocka_unit_test(test_what_expires_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
