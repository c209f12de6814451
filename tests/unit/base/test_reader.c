#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "base/reader.h"

#include <string.h>

static const uint8_t bytes[] = {0x80, 0x01, 0x02, 0x03, 0x84, 0x05, 0x06, 0x87, 0x88};

static void getters_read_their_width_and_order(void **state)
{
    struct reader reader;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;

    (void)state;
    /* From an odd address too: nothing may depend on alignment. */
    for (size_t skip = 0; skip < 2; skip++) {
        uint8_t room[sizeof(bytes) + 1];

        memcpy(room + skip, bytes, sizeof(bytes));
        reader = reader_of(slice_of(room + skip, sizeof(bytes)));
        assert_int_equal(reader_u8(&reader, &u8), WIRE_OK);
        assert_int_equal(u8, 0x80);
        reader = reader_of(slice_of(room + skip, sizeof(bytes)));
        assert_int_equal(reader_u16le(&reader, &u16), WIRE_OK);
        assert_int_equal(u16, 0x0180);
        reader = reader_of(slice_of(room + skip, sizeof(bytes)));
        assert_int_equal(reader_u16be(&reader, &u16), WIRE_OK);
        assert_int_equal(u16, 0x8001);
        reader = reader_of(slice_of(room + skip + 1, 8));
        assert_int_equal(reader_u32le(&reader, &u32), WIRE_OK);
        assert_int_equal(u32, 0x84030201);
        assert_int_equal(reader_u32be(&reader, &u32), WIRE_OK);
        assert_int_equal(u32, 0x05068788);
        assert_int_equal(reader_end(&reader), WIRE_OK);
        reader = reader_of(slice_of(room + skip, 8));
        assert_int_equal(reader_u64le(&reader, &u64), WIRE_OK);
        assert_true(u64 == UINT64_C(0x8706058403020180));
        reader = reader_of(slice_of(room + skip, 8));
        assert_int_equal(reader_u64be(&reader, &u64), WIRE_OK);
        assert_true(u64 == UINT64_C(0x8001020384050687));
    }
}

/* Every getter one byte short: the verdict is SHORT, reader and output stay as they were. */
static void getters_that_fail_touch_nothing(void **state)
{
    struct reader reader = reader_of(slice_of(bytes, 0)), before = reader;
    uint8_t u8 = 7, copy[8] = {7, 7, 7, 7, 7, 7, 7, 7};
    uint16_t u16 = 7;
    uint32_t u32 = 7;
    uint64_t u64 = 7;
    struct slice slice = slice_of(copy, 7);

    (void)state;
    assert_int_equal(reader_u8(&reader, &u8), WIRE_SHORT);
    assert_memory_equal(&reader, &before, sizeof(reader));
    before = reader = reader_of(slice_of(bytes, 1));
    assert_int_equal(reader_u16le(&reader, &u16), WIRE_SHORT);
    assert_int_equal(reader_u16be(&reader, &u16), WIRE_SHORT);
    assert_memory_equal(&reader, &before, sizeof(reader));
    before = reader = reader_of(slice_of(bytes, 3));
    assert_int_equal(reader_u32le(&reader, &u32), WIRE_SHORT);
    assert_int_equal(reader_u32be(&reader, &u32), WIRE_SHORT);
    assert_memory_equal(&reader, &before, sizeof(reader));
    before = reader = reader_of(slice_of(bytes, 7));
    assert_int_equal(reader_u64le(&reader, &u64), WIRE_SHORT);
    assert_int_equal(reader_u64be(&reader, &u64), WIRE_SHORT);
    assert_int_equal(reader_bytes(&reader, 8, &slice), WIRE_SHORT);
    assert_int_equal(reader_bytes(&reader, SIZE_MAX, &slice), WIRE_SHORT);
    assert_int_equal(reader_copy(&reader, copy, 8), WIRE_SHORT);
    assert_int_equal(reader_skip(&reader, 8), WIRE_SHORT);
    assert_int_equal(reader_skip(&reader, SIZE_MAX), WIRE_SHORT);
    assert_int_equal(reader_expect(&reader, bytes, 8), WIRE_SHORT);
    assert_memory_equal(&reader, &before, sizeof(reader));
    assert_int_equal(u8, 7);
    assert_int_equal(u16, 7);
    assert_int_equal(u32, 7);
    assert_true(u64 == 7);
    assert_int_equal(copy[0], 7);
    assert_int_equal(slice.len, 7);
}

static void pieces_are_borrowed_copied_skipped(void **state)
{
    struct reader reader = reader_of(slice_of(bytes, sizeof(bytes)));
    struct slice slice;
    uint8_t copy[2];

    (void)state;
    assert_int_equal(reader_bytes(&reader, 2, &slice), WIRE_OK);
    assert_ptr_equal(slice.data, bytes);
    assert_int_equal(slice.len, 2);
    assert_int_equal(reader_copy(&reader, copy, 2), WIRE_OK);
    assert_memory_equal(copy, bytes + 2, 2);
    assert_int_equal(reader_skip(&reader, 1), WIRE_OK);
    assert_int_equal(reader_left(&reader), 4);
    assert_ptr_equal(reader_rest(&reader).data, bytes + 5);
    assert_int_equal(reader_rest(&reader).len, 4);
    assert_int_equal(reader_left(&reader), 4);
    assert_int_equal(reader_end(&reader), WIRE_BAD);
    assert_int_equal(reader_skip(&reader, 4), WIRE_OK);
    assert_int_equal(reader_end(&reader), WIRE_OK);
}

static void expect_tells_wrong_from_missing(void **state)
{
    struct reader reader = reader_of(slice_of("NTLMSSP", 8)), before = reader;

    (void)state;
    assert_int_equal(reader_expect(&reader, "NTLMSSX", 8), WIRE_BAD);
    assert_memory_equal(&reader, &before, sizeof(reader));
    assert_int_equal(reader_expect(&reader, "NTLMSSP", 8), WIRE_OK);
    assert_int_equal(reader_end(&reader), WIRE_OK);
    reader = reader_of(slice_of("NTL", 3));
    assert_int_equal(reader_expect(&reader, "NTLMSSP", 8), WIRE_SHORT);
    /* What is there already differs: no more bytes can mend it. */
    assert_int_equal(reader_expect(&reader, "NTXMSSP", 8), WIRE_BAD);
    assert_int_equal(reader_left(&reader), 3);
}

static void empty_input_is_fine_even_as_null(void **state)
{
    struct reader reader = reader_of(slice_of(NULL, 0));
    struct slice slice;
    uint8_t value;

    (void)state;
    assert_int_equal(reader_left(&reader), 0);
    assert_int_equal(reader_end(&reader), WIRE_OK);
    assert_int_equal(reader_u8(&reader, &value), WIRE_SHORT);
    assert_int_equal(reader_bytes(&reader, 0, &slice), WIRE_OK);
    assert_int_equal(slice.len, 0);
    assert_int_equal(reader_copy(&reader, NULL, 0), WIRE_OK);
    assert_int_equal(reader_skip(&reader, 0), WIRE_OK);
    assert_int_equal(reader_expect(&reader, NULL, 0), WIRE_OK);
    assert_int_equal(reader_expect(&reader, "x", 1), WIRE_SHORT);
    assert_int_equal(slice_at(slice_of(NULL, 0), 0, 0, &slice), WIRE_OK);
    assert_int_equal(slice_at(slice_of(NULL, 0), 0, 1, &slice), WIRE_BAD);
}

/* CVE-2018-8789, CVE-2020-11086 and kin: offset + length wraps in 32 bits, or in the width of the machine. */
static void slice_at_withstands_overflow(void **state)
{
    static const size_t bad[][2] = {
        {0, sizeof(bytes) + 1}, {sizeof(bytes), 1},   {sizeof(bytes) + 1, 1}, {8, 2},
        {0xfffffff0, 0x20},     {0x20, 0xfffffff0},   {SIZE_MAX, 1},          {1, SIZE_MAX},
        {SIZE_MAX, 2},          {SIZE_MAX, SIZE_MAX}, {SIZE_MAX - 1, 3},
    };
    struct slice whole = slice_of(bytes, sizeof(bytes)), piece = slice_of(bytes, 1);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(slice_at(whole, bad[i][0], bad[i][1], &piece), WIRE_BAD);
    assert_ptr_equal(piece.data, bytes);
    assert_int_equal(piece.len, 1);
    assert_int_equal(slice_at(whole, 8, 1, &piece), WIRE_OK);
    assert_ptr_equal(piece.data, bytes + 8);
    assert_int_equal(slice_at(whole, 0, sizeof(bytes), &piece), WIRE_OK);
    assert_int_equal(piece.len, sizeof(bytes));
    assert_int_equal(slice_at(whole, SIZE_MAX, 0, &piece), WIRE_OK);
    assert_int_equal(piece.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(getters_read_their_width_and_order), cmocka_unit_test(getters_that_fail_touch_nothing),
        cmocka_unit_test(pieces_are_borrowed_copied_skipped), cmocka_unit_test(expect_tells_wrong_from_missing),
        cmocka_unit_test(empty_input_is_fine_even_as_null),   cmocka_unit_test(slice_at_withstands_overflow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
