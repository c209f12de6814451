/*
 * What keytab files hold, read from memory. The format is MIT's ("Keytab file format" in its documentation); the bytes were put together by hand from
 * it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kerberos/keytab_file.h"
#include <string.h>

/* HTTP/a@R, number 3 (and 259 in 32 bits), type 18 with a key of four bytes; then a hole; then u@R, number 7 alone */
static const uint8_t file[] = {
    5,    2,    0,    0,    0, 38, 0, 2,  0, 1,  'R', 0, 4, 'H', 'T', 'T', 'P', 0,   1, 'a', 0, 0, 0,
    2,    0,    0,    0,    9, 3,  0, 18, 0, 4,  1,   2, 3, 4,   0,   0,   1,   3,   9, 9,   9, /* three bytes that nobody knows */
    0xff, 0xff, 0xff, 0xfe, 7, 7,  0, 0,  0, 23, 0,   1, 0, 1,   'R', 0,   1,   'u', 0, 0,   0, 1, 0,
    0,    0,    9,    7,    0, 17, 0, 2,  5, 6,
};

static enum wire_result walk(struct slice bytes, unsigned *n)
{
    struct reader reader = reader_of(bytes);
    struct keytab_entry entry;
    enum wire_result result = keytab_file_begin(&reader);
    for (*n = 0; result == WIRE_OK; (*n)++)
        if ((result = keytab_file_next(&reader, &entry)) != WIRE_OK)
            break;
    return result;
}

static void test_entries(void **state)
{
    (void)state;
    struct reader reader = reader_of(slice_of(file, sizeof file));
    struct keytab_entry entry;
    assert_int_equal(keytab_file_begin(&reader), WIRE_OK);
    assert_int_equal(keytab_file_next(&reader, &entry), WIRE_OK);
    assert_int_equal(entry.n_components, 2);
    assert_memory_equal(entry.component[0].data, "HTTP", 4);
    assert_int_equal(entry.component[1].len, 1);
    assert_int_equal(entry.realm.len, 1);
    assert_int_equal(entry.name_type, 2);
    assert_int_equal(entry.timestamp, 9);
    assert_int_equal(entry.kvno, 259);
    assert_int_equal(entry.enctype, 18);
    assert_int_equal(entry.key.len, 4);
    assert_int_equal(keytab_file_next(&reader, &entry), WIRE_OK);
    assert_int_equal(entry.n_components, 1);
    assert_int_equal(entry.kvno, 7);
    assert_int_equal(entry.enctype, 17);
    assert_int_equal(keytab_file_next(&reader, &entry), WIRE_SHORT);
}

/* Cut anywhere: an end only where a key ends, and before the hole's two bytes never. */
static void test_cut(void **state)
{
    (void)state;
    for (size_t len = 0; len <= sizeof file; len++) {
        unsigned n;
        bool whole = len == 2 || len == 44 || len == 50 || len == sizeof file;
        assert_int_equal(walk(slice_of(file, len), &n), whole ? WIRE_SHORT : WIRE_BAD);
    }
}

static void test_wrong(void **state)
{
    static const uint8_t ends_by_zero[] = {5, 2, 0, 0, 0, 0, 9, 9};
    static const uint8_t old[] = {5, 1, 0, 0, 0, 0};
    static const uint8_t most_negative[] = {5, 2, 0x80, 0, 0, 0, 1};
    static const uint8_t long_part[] = {5, 2, 0, 0, 0, 8, 0, 1, 0, 0, 0xff, 0xff, 0, 0};
    unsigned n;
    (void)state;
    assert_int_equal(walk(slice_of(ends_by_zero, sizeof ends_by_zero), &n), WIRE_SHORT);
    assert_int_equal(n, 0);
    assert_int_equal(walk(slice_of(old, sizeof old), &n), WIRE_BAD);
    assert_int_equal(walk(slice_of(most_negative, sizeof most_negative), &n), WIRE_BAD);
    assert_int_equal(walk(slice_of(long_part, sizeof long_part), &n), WIRE_BAD);
}

/* As many parts as a name may have, and one more, each of no bytes. */
static void test_many_parts(void **state)
{
    (void)state;
    for (unsigned n_parts = KEYTAB_COMPONENTS_MAX; n_parts <= KEYTAB_COMPONENTS_MAX + 1; n_parts++) {
        /* realm, parts, name type, timestamp, number, enctype, key */
        size_t len = 2 + 2 + 2 * n_parts + 4 + 4 + 1 + 2 + 2;
        uint8_t bytes[128] = {5, 2, 0, 0, 0, (uint8_t)len, 0, (uint8_t)n_parts};
        unsigned n;
        assert_int_equal(walk(slice_of(bytes, 6 + len), &n), n_parts <= KEYTAB_COMPONENTS_MAX ? WIRE_SHORT : WIRE_BAD);
        assert_int_equal(n, n_parts <= KEYTAB_COMPONENTS_MAX ? 1 : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entries),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_many_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
