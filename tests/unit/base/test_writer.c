#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "base/writer.h"

#include <string.h>

static void write_one_of_each(struct writer *writer)
{
    writer_u8(writer, 0x01);
    writer_u16le(writer, 0x0203);
    writer_u16be(writer, 0x0203);
    writer_u32le(writer, 0x84050607);
    writer_u32be(writer, 0x84050607);
    writer_u64le(writer, UINT64_C(0x88090a0b0c0d0e0f));
    writer_u64be(writer, UINT64_C(0x88090a0b0c0d0e0f));
    writer_bytes(writer, "ab", 2);
    writer_slice(writer, slice_of("cd", 2));
    writer_zeros(writer, 2);
}

static const uint8_t one_of_each[] = {
    0x01, 0x03, 0x02, 0x02, 0x03, 0x07, 0x06, 0x05, 0x84, 0x84, 0x05, 0x06, 0x07, 0x0f, 0x0e, 0x0d, 0x0c, 0x0b,
    0x0a, 0x09, 0x88, 0x88, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 'a',  'b',  'c',  'd',  0x00, 0x00,
};

static void fixed_writes_every_form(void **state)
{
    uint8_t room[sizeof(one_of_each)];
    struct writer writer = writer_fixed(room, sizeof(room));

    (void)state;
    memset(room, 0xff, sizeof(room));
    write_one_of_each(&writer);
    assert_int_equal(writer_finish(&writer), WIRE_OK);
    assert_int_equal(writer_slice_of(&writer).len, sizeof(one_of_each));
    assert_memory_equal(room, one_of_each, sizeof(room));
}

/* At every size that is too small: failed, nothing past the end, and it stays failed. */
static void fixed_overflow_sticks(void **state)
{
    uint8_t room[sizeof(one_of_each) + 1];

    (void)state;
    for (size_t max = 0; max < sizeof(one_of_each); max++) {
        struct writer writer = writer_fixed(room, max);

        memset(room, 0xee, sizeof(room));
        write_one_of_each(&writer);
        assert_int_equal(writer_finish(&writer), WIRE_BAD);
        assert_true(writer.len <= max);
        for (size_t i = max; i < sizeof(room); i++)
            assert_int_equal(room[i], 0xee);
        writer_u8(&writer, 1);
        assert_null(writer_room(&writer, 0));
        assert_int_equal(writer_finish(&writer), WIRE_BAD);
        writer_release(&writer);
    }
}

static void huge_lengths_do_not_wrap(void **state)
{
    uint8_t room[8];
    struct writer fixed = writer_fixed(room, sizeof(room));
    AUTO_WRITER struct writer growing = writer_growing(0);

    (void)state;
    writer_u32le(&fixed, 1);
    assert_null(writer_room(&fixed, SIZE_MAX));
    assert_int_equal(writer_finish(&fixed), WIRE_BAD);
    writer_u32le(&growing, 1);
    assert_null(writer_room(&growing, SIZE_MAX - 3));
    assert_int_equal(writer_finish(&growing), WIRE_BAD);
}

static void growing_grows_and_is_stolen(void **state)
{
    static const size_t expectations[] = {0, 1, 16, 100000};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(expectations); i++) {
        AUTO_WRITER struct writer writer = writer_growing(expectations[i]);
        uint8_t *data;
        size_t len = 0;

        for (uint32_t n = 0; n < 20000; n++)
            writer_u32le(&writer, n);
        assert_int_equal(writer_finish(&writer), WIRE_OK);
        data = writer_steal(&writer, &len);
        assert_non_null(data);
        assert_int_equal(len, 80000);
        for (uint32_t n = 0; n < 20000; n++)
            assert_int_equal(data[4 * n] | data[4 * n + 1] << 8, n & 0xffff);
        mem_free(data);
        assert_int_equal(writer_slice_of(&writer).len, 0);
        /* Empty again, and fit for use. */
        writer_u8(&writer, 1);
        assert_int_equal(writer_finish(&writer), WIRE_OK);
    }
}

/* In the caller's room while that is enough, then as if it had grown from the first byte. */
static void lent_moves_when_it_must(void **state)
{
    static const size_t rooms[] = {0, 1, 7, 255, 256, 1000};

    (void)state;
    for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++)
        for (size_t len = 0; len < 600; len += 1 + len / 9) {
            uint8_t room[1000], *data;
            AUTO_WRITER struct writer writer = writer_lent(room, rooms[i]);
            size_t stolen_len;

            memset(room, 0xee, sizeof(room));
            writer_expect(&writer, 5000); /* it has room already: nothing to expect */
            for (size_t at = 0; at < len; at++)
                writer_u8(&writer, (uint8_t)(at * 7));
            assert_int_equal(writer_finish(&writer), WIRE_OK);
            assert_int_equal(writer.len, len);
            assert_int_equal(writer.data == room, len <= rooms[i]);
            for (size_t at = 0; at < len; at++)
                assert_int_equal(writer.data[at], (uint8_t)(at * 7));
            if (len > rooms[i]) /* what was there is wiped */
                for (size_t at = 0; at < rooms[i]; at++)
                    assert_int_equal(room[at], 0);
            data = writer_steal(&writer, &stolen_len);
            assert_non_null(data);
            assert_ptr_not_equal(data, room);
            assert_int_equal(stolen_len, len);
            for (size_t at = 0; at < len; at++)
                assert_int_equal(data[at], (uint8_t)(at * 7));
            mem_free(data);
            writer_u8(&writer, 9); /* a stolen one begins anew */
            assert_int_equal(writer_finish(&writer), WIRE_OK);
            assert_ptr_not_equal(writer.data, room);
        }
}

static void lent_is_wiped_and_refused_memory(void **state)
{
    uint8_t room[8];
    struct writer writer = writer_lent(room, sizeof(room));

    (void)state;
    writer_bytes(&writer, "secret", 6);
    writer_release(&writer);
    for (size_t at = 0; at < 6; at++)
        assert_int_equal(room[at], 0);
    writer = writer_lent(room, sizeof(room));
    writer_bytes(&writer, "12345678", 8);
    mem_fault_set(1, true);
    assert_null(writer_steal(&writer, NULL));
    assert_int_equal(writer_finish(&writer), WIRE_OK); /* nothing changed */
    assert_memory_equal(room, "12345678", 8);
    writer_u8(&writer, 9);
    assert_int_equal(writer_finish(&writer), WIRE_BAD);
    mem_fault_set(0, false);
    writer_release(&writer);
}

static void steal_of_nothing_written_gives_a_block(void **state)
{
    struct writer writer = writer_growing(0);
    size_t len = 99;
    uint8_t *data = writer_steal(&writer, &len), room[4];

    (void)state;
    assert_non_null(data);
    assert_int_equal(len, 0);
    mem_free(data);
    /* The caller's room is not ours to give. */
    writer = writer_fixed(room, sizeof(room));
    len = 99;
    assert_null(writer_steal(&writer, &len));
    assert_int_equal(len, 99);
    writer_release(NULL);
}

static void growing_stops_at_its_limit(void **state)
{
    AUTO_WRITER struct writer writer = writer_growing(0);

    (void)state;
    assert_non_null(writer_room(&writer, WRITER_GROW_LIMIT));
    assert_int_equal(writer_finish(&writer), WIRE_OK);
    writer_u8(&writer, 1);
    assert_int_equal(writer_finish(&writer), WIRE_BAD);
    writer_release(&writer);
    writer = writer_growing(SIZE_MAX);
    writer_u8(&writer, 1);
    assert_int_equal(writer_finish(&writer), WIRE_OK);
    assert_int_equal(writer.max, WRITER_GROW_LIMIT);
}

/* It only makes the first block larger, and never a fixed one. */
static void expecting_takes_room_once(void **state)
{
    uint8_t room[4];
    struct writer fixed = writer_fixed(room, sizeof room);
    AUTO_WRITER struct writer writer = writer_growing(16);

    (void)state;
    writer_expect(&fixed, 100);
    assert_int_equal(fixed.max, sizeof room);
    writer_expect(&writer, 8);
    assert_int_equal(writer.max, 16);
    writer_expect(&writer, SIZE_MAX);
    assert_int_equal(writer.max, 16);
    writer_expect(&writer, 1000);
    assert_null(writer.data);
    writer_u8(&writer, 1);
    assert_int_equal(writer.max, 1000);
    writer_expect(&writer, 4000);
    assert_int_equal(writer.max, 1000);
    assert_int_equal(writer.len, 1);
}

static void growing_survives_failing_allocations(void **state)
{
    (void)state;
    for (unsigned long nth = 1; nth < 6; nth++) {
        struct writer writer = writer_growing(1);
        size_t len = 99;

        mem_fault_set(nth, true);
        for (unsigned n = 0; n < 10000; n++)
            writer_u32be(&writer, n);
        mem_fault_set(0, false);
        assert_int_equal(writer_finish(&writer), WIRE_BAD);
        assert_null(writer_steal(&writer, &len));
        assert_int_equal(len, 99);
        writer_release(&writer);
    }
}

static void patches_overwrite_only_what_was_written(void **state)
{
    uint8_t room[16];
    struct writer writer = writer_fixed(room, sizeof(room));

    (void)state;
    writer_zeros(&writer, 10);
    writer_patch_u16le(&writer, 0, 0x0102);
    writer_patch_u32le(&writer, 2, 0x03040506);
    assert_memory_equal(room, "\x02\x01\x06\x05\x04\x03\0\0\0\0", 10);
    writer_patch_bytes(&writer, 8, "xy", 2);
    writer_patch_bytes(&writer, 10, NULL, 0);
    assert_int_equal(writer_finish(&writer), WIRE_OK);
    assert_memory_equal(room + 8, "xy", 2);
    writer_patch_u16le(&writer, 9, 1);
    assert_int_equal(writer_finish(&writer), WIRE_BAD);
}

static void patches_out_of_range_fail(void **state)
{
    uint8_t room[16];
    struct writer writer;

    (void)state;
    for (unsigned kind = 0; kind < 6; kind++) {
        writer = writer_fixed(room, sizeof(room));
        writer_zeros(&writer, 4);
        switch (kind) {
        case 0:
            writer_patch_u16le(&writer, 3, 1);
            break;
        case 1:
            writer_patch_u32le(&writer, 1, 1);
            break;
        case 2:
            writer_patch_u32le(&writer, SIZE_MAX, 1);
            break;
        case 3:
            writer_patch_bytes(&writer, 1, "abcd", 4);
            break;
        case 4:
            writer_patch_bytes(&writer, SIZE_MAX - 1, "abcd", 4);
            break;
        default:
            writer_patch_bytes(&writer, 5, "", 0);
            break;
        }
        assert_int_equal(writer_finish(&writer), WIRE_BAD);
    }
    writer = writer_growing(0);
    writer_patch_u16le(&writer, 0, 1);
    assert_int_equal(writer_finish(&writer), WIRE_BAD);
    writer_release(&writer);
}

static void null_room_takes_nothing(void **state)
{
    struct writer writer = writer_fixed(NULL, 5);

    (void)state;
    writer_bytes(&writer, NULL, 0);
    writer_zeros(&writer, 0);
    assert_int_equal(writer_finish(&writer), WIRE_OK);
    assert_int_equal(writer_slice_of(&writer).len, 0);
    writer_u8(&writer, 1);
    assert_int_equal(writer_finish(&writer), WIRE_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_writes_every_form),
        cmocka_unit_test(fixed_overflow_sticks),
        cmocka_unit_test(huge_lengths_do_not_wrap),
        cmocka_unit_test(growing_grows_and_is_stolen),
        cmocka_unit_test(expecting_takes_room_once),
        cmocka_unit_test(lent_moves_when_it_must),
        cmocka_unit_test(lent_is_wiped_and_refused_memory),
        cmocka_unit_test(steal_of_nothing_written_gives_a_block),
        cmocka_unit_test(growing_stops_at_its_limit),
        cmocka_unit_test(growing_survives_failing_allocations),
        cmocka_unit_test(patches_overwrite_only_what_was_written),
        cmocka_unit_test(patches_out_of_range_fail),
        cmocka_unit_test(null_room_takes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
