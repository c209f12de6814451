#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "base/utf16.h"

#include <string.h>

/* One of each length of RFC 3629: U+0041, U+00E4, U+20AC, U+1F511. */
static const char text[] = "A\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x91";
static const uint16_t units[] = {0x0041, 0x00e4, 0x20ac, 0xd83d, 0xdd11, 0};
static const uint8_t wire[] = {0x41, 0x00, 0xe4, 0x00, 0xac, 0x20, 0x3d, 0xd8, 0x11, 0xdd};

static void every_width_goes_both_ways(void **state)
{
    uint8_t room[32];
    struct writer writer = writer_fixed(room, sizeof(room));
    uint16_t *fresh;
    size_t n_units;
    char *back;

    (void)state;
    assert_int_equal(utf16le_len(text), sizeof(wire));
    assert_int_equal(utf16le_write(&writer, text), WIRE_OK);
    assert_int_equal(writer.len, sizeof(wire));
    assert_memory_equal(room, wire, sizeof(wire));
    assert_int_equal(utf16_from_text(text, &fresh, &n_units), WIRE_OK);
    assert_int_equal(n_units, 5);
    assert_memory_equal(fresh, units, sizeof(units));
    assert_int_equal(utf16_units(fresh), 5);
    assert_int_equal(utf16_to_text(fresh, n_units, &back), WIRE_OK);
    assert_string_equal(back, text);
    mem_free(back);
    mem_free(fresh);
    /* From an odd address. */
    memcpy(room + 1, wire, sizeof(wire));
    assert_int_equal(utf16le_to_text(slice_of(room + 1, sizeof(wire)), &back), WIRE_OK);
    assert_string_equal(back, text);
    mem_free(back);
}

static void passwords_become_secrets(void **state)
{
    struct secret secret = {0};

    (void)state;
    assert_int_equal(utf16le_secret(&secret, text), WIRE_OK);
    assert_int_equal(secret.len, sizeof(wire));
    assert_memory_equal(secret.data, wire, sizeof(wire));
    assert_int_equal(utf16le_secret(&secret, "\xff"), WIRE_BAD);
    mem_fault_set(1, true);
    assert_int_equal(utf16le_secret(&secret, "other"), WIRE_BAD);
    mem_fault_set(2, true);
    assert_int_equal(utf16le_secret(&secret, "other"), WIRE_BAD);
    mem_fault_set(0, false);
    assert_int_equal(secret.len, sizeof(wire)); /* as it was */
    assert_int_equal(utf16le_secret(&secret, ""), WIRE_OK);
    assert_int_equal(secret.len, 0);
    secret_release(&secret);
}

static void every_code_point_goes_both_ways(void **state)
{
    (void)state;
    for (uint32_t code_point = 1; code_point <= 0x10ffff; code_point++) {
        uint16_t pair[2] = {(uint16_t)code_point, 0}, *again;
        size_t n_units = 1, n_again;
        char *utf8;

        if (code_point >= 0xd800 && code_point <= 0xdfff)
            continue;
        if (code_point >= 0x10000) {
            pair[0] = (uint16_t)(0xd7c0 + (code_point >> 10));
            pair[1] = (uint16_t)(0xdc00 | (code_point & 0x3ff));
            n_units = 2;
        }
        assert_int_equal(utf16_to_text(pair, n_units, &utf8), WIRE_OK);
        assert_int_equal(utf16_from_text(utf8, &again, &n_again), WIRE_OK);
        assert_int_equal(n_again, n_units);
        assert_memory_equal(again, pair, 2 * n_units);
        mem_free(utf8);
        mem_free(again);
    }
}

static void empty_is_empty(void **state)
{
    struct writer writer = writer_fixed(NULL, 0);
    uint16_t *fresh;
    size_t n_units = 9;
    char *back;

    (void)state;
    assert_int_equal(utf16le_to_text(slice_of(NULL, 0), &back), WIRE_OK);
    assert_string_equal(back, "");
    mem_free(back);
    assert_int_equal(utf16_to_text(NULL, 0, &back), WIRE_OK);
    mem_free(back);
    assert_int_equal(utf16le_write(&writer, ""), WIRE_OK);
    assert_int_equal(utf16le_write(&writer, NULL), WIRE_OK);
    assert_int_equal(writer_finish(&writer), WIRE_OK);
    assert_int_equal(utf16_from_text("", &fresh, &n_units), WIRE_OK);
    assert_int_equal(n_units, 0);
    assert_int_equal(fresh[0], 0);
    mem_free(fresh);
    assert_int_equal(utf16_from_text("x", &fresh, NULL), WIRE_OK);
    mem_free(fresh);
    assert_int_equal(utf16le_len(NULL), 0);
    assert_int_equal(utf16_units(NULL), 0);
    assert_true(utf8_valid(slice_of(NULL, 0)));
}

static void bad_utf16_is_refused(void **state)
{
    static const struct {
        uint16_t units[4];
        size_t n_units;
    } bad[] = {
        {{0xd800}, 1},                 /* high surrogate at the end */
        {{0xdbff, 0x0041}, 2},         /* high before a letter */
        {{0xdc00}, 1},                 /* low alone */
        {{0x0041, 0xdfff, 0x0041}, 3}, /* low amid letters */
        {{0xd83d, 0xd83d, 0xdd11}, 3}, /* two highs */
        {{0xdd11, 0xd83d}, 2},         /* pair the wrong way round */
        {{0x0041, 0x0000, 0x0042}, 3}, /* NUL inside */
        {{0x0041, 0x0000}, 2},         /* NUL at the end */
        {{0xd83d, 0x0000}, 2},
    };
    char *out = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        uint8_t bytes[sizeof(bad[i].units)];

        assert_int_equal(utf16_to_text(bad[i].units, bad[i].n_units, &out), WIRE_BAD);
        for (size_t j = 0; j < sizeof(bytes); j++)
            bytes[j] = (uint8_t)(bad[i].units[j / 2] >> 8 * (j % 2));
        assert_false(utf16le_valid(slice_of(bytes, 2 * bad[i].n_units)));
    }
    assert_int_equal(utf16le_to_text(slice_of("A\0B", 3), &out), WIRE_BAD);
    assert_int_equal(utf16le_to_text(slice_of("A", 1), &out), WIRE_BAD);
    assert_false(utf16le_valid(slice_of("A\0B", 3)));
    assert_false(utf16le_valid(slice_of("A", 1)));
    assert_true(utf16le_valid(slice_of("A\0\x3d\xd8\x11\xdd", 6)));
    assert_true(utf16le_valid(slice_of(NULL, 0)));
    assert_null(out);
}

static void bad_utf8_is_refused(void **state)
{
    static const char *const bad[] = {
        "\x80", /* continuation alone */
        "a\xbf",
        "\xc3", /* cut short */
        "\xe2\x82",
        "\xf0\x9f\x94",
        "\xc3(", /* no continuation */
        "\xe2(\xac",
        "\xe2\x82(",
        "\xc0\x80",         /* overlong NUL */
        "\xc1\xbf",         /* overlong, 2 bytes */
        "\xe0\x9f\xbf",     /* overlong, 3 bytes */
        "\xf0\x8f\xbf\xbf", /* overlong, 4 bytes */
        "\xed\xa0\x80",     /* surrogates */
        "\xed\xbf\xbf",
        "\xf4\x90\x80\x80", /* past U+10FFFF */
        "\xf5\x80\x80\x80",
        "\xf8\x88\x80\x80\x80",
        "\xfe",
        "\xff",
    };
    uint8_t room[16];
    uint16_t *fresh = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct writer writer = writer_fixed(room, sizeof(room));

        assert_false(utf8_valid(slice_of_text(bad[i])));
        assert_int_equal(utf16_from_text(bad[i], &fresh, NULL), WIRE_BAD);
        assert_int_equal(utf16le_write(&writer, bad[i]), WIRE_BAD);
        assert_int_equal(writer.len, 0);
        assert_int_equal(utf16le_len(bad[i]), 0);
        assert_null(text_upper(bad[i]));
        assert_false(text_equal_fold(bad[i], bad[i]));
    }
    assert_null(fresh);
    assert_false(utf8_valid(slice_of("a\0b", 3)));
    assert_true(utf8_valid(slice_of_text("\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf")));
}

static void write_that_does_not_fit_fails(void **state)
{
    uint8_t room[10];

    (void)state;
    for (size_t max = 0; max < sizeof(wire); max++) {
        struct writer writer = writer_fixed(room, max);

        assert_int_equal(utf16le_write(&writer, text), WIRE_BAD);
        assert_int_equal(writer_finish(&writer), WIRE_BAD);
    }
}

static void failing_allocation_is_an_error(void **state)
{
    uint16_t *fresh = NULL;
    char *out = NULL;

    (void)state;
    mem_fault_set(1, true);
    assert_int_equal(utf16_to_text(units, 5, &out), WIRE_BAD);
    assert_int_equal(utf16_from_text(text, &fresh, NULL), WIRE_BAD);
    assert_null(text_upper(text));
    mem_fault_set(0, false);
    assert_null(out);
    assert_null(fresh);
}

/* The published table of Windows 8 (see tools/make_upper_table.py): a sample of each rule. */
static void upper_is_that_of_windows(void **state)
{
    static const uint16_t pairs[][2] = {
        {'a', 'A'},
        {'z', 'Z'},
        {'A', 'A'},
        {'`', '`'},
        {'{', '{'},
        {'0', '0'},
        {0x00e4, 0x00c4},
        {0x00f7, 0x00f7},
        {0x00ff, 0x0178},
        {0x0101, 0x0100},
        {0x0451, 0x0401},
        {0x03b1, 0x0391},
        {0x0430, 0x0410},
        {0x0561, 0x0531},
        {0x1e01, 0x1e00},
        {0x1f80, 0x1f88},
        {0x2170, 0x2160},
        {0x24d0, 0x24b6},
        {0xff41, 0xff21},
        {0x0250, 0x2c6f},
        {0x2c65, 0x023a},
        {0x1d79, 0xa77d},
        {0x01c6, 0x01c4},
        {0x1fc3, 0x1fcc},
        /* These stay: no capital that comes down again, or a pair younger than Windows' table. */
        {0x00df, 0x00df},
        {0x00b5, 0x00b5},
        {0x0131, 0x0131},
        {0x017f, 0x017f},
        {0x01c5, 0x01c5},
        {0x03c2, 0x03c2},
        {0x0345, 0x0345},
        {0x1e9b, 0x1e9b},
        {0x1e9e, 0x1e9e},
        {0x1fbe, 0x1fbe},
        {0x10d0, 0x10d0},
        {0xab70, 0xab70},
        {0xd83d, 0xd83d},
        {0xdd11, 0xdd11},
        {0x0000, 0x0000},
        {0xffff, 0xffff},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(pairs); i++)
        assert_int_equal(utf16_upper(pairs[i][0]), pairs[i][1]);
    for (uint32_t unit = 0; unit < 0x10000; unit++) {
        uint16_t once = utf16_upper((uint16_t)unit);

        assert_int_equal(utf16_upper(once), once);
    }
}

static void wire_bytes_are_raised_in_place(void **state)
{
    uint8_t bytes[] = {'x', 'a', 0, 0xe4, 0, 0x3d, 0xd8, 0x11, 0xdd, 'q'};

    (void)state;
    /* From an odd address, and with an odd byte at the end that is no unit. */
    utf16le_upper(bytes + 1, sizeof(bytes) - 1);
    assert_memory_equal(bytes, "xA\0\xc4\0\x3d\xd8\x11\xddq", sizeof(bytes));
    utf16le_upper(NULL, 0);
}

static void text_is_raised_and_compared(void **state)
{
    char *upper = text_upper("straße \xc3\xa4 \xc9\x90 \xe2\xb1\xa5 \xf0\x9f\x94\x91");

    (void)state;
    assert_string_equal(upper, "STRAßE \xc3\x84 \xe2\xb1\xaf \xc8\xba \xf0\x9f\x94\x91");
    mem_free(upper);
    upper = text_upper("");
    assert_string_equal(upper, "");
    mem_free(upper);
    assert_null(text_upper(NULL));
    assert_true(text_equal_fold("Administrator", "ADMINISTRATOR"));
    assert_true(text_equal_fold("\xc3\xa4", "\xc3\x84"));
    assert_true(text_equal_fold("", ""));
    assert_false(text_equal_fold("a", "ab"));
    assert_false(text_equal_fold("ab", "a"));
    assert_false(text_equal_fold("a", "b"));
    assert_false(
        text_equal_fold("\xc4\xb1", "i")); /* dotless i is another letter: no second way to write an account's name */
    assert_false(text_equal_fold("\xc5\xbf", "s"));
    assert_false(text_equal_fold(NULL, NULL));
    assert_false(text_equal_fold(NULL, "a"));
    assert_false(text_equal_fold("a", NULL));
}

/* The category's ends, and their neighbours. */
static void what_steers_is_found(void **state)
{
    static const uint32_t steering[] = {0x00,    0x1f,    0x7f,    0x80,    0x9f,    0xad,    0x61c,   0x180e, 0x200b,
                                        0x200f,  0x2028,  0x202e,  0x2060,  0x206f,  0xfeff,  0xfff9,  0xfffb, 0x13430,
                                        0x1343f, 0x1bca0, 0x1bca3, 0x1d173, 0x1d17a, 0xe0000, 0xe0001, 0xe007f};
    static const uint32_t seen[] = {0x20,    0x7e,    0xa0,    0xac,    0xae,    0x600,   0x605,   0x61b,
                                    0x61d,   0x6dd,   0x180d,  0x180f,  0x200a,  0x2010,  0x2027,  0x202f,
                                    0x205f,  0x2070,  0xfefe,  0xff00,  0xfff8,  0xfffc,  0x1342f, 0x13440,
                                    0x1bc9f, 0x1bca4, 0x1d172, 0x1d17b, 0xe0080, 0x10ffff};

    (void)state;
    for (size_t i = 0; i < sizeof(steering) / sizeof(steering[0]); i++)
        assert_true(code_point_steers(steering[i]));
    for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
        assert_false(code_point_steers(seen[i]));
    assert_int_equal(utf8_steering_len((const uint8_t *)"\0", 1), 1);
    assert_int_equal(utf8_steering_len((const uint8_t *)"\nb", 2), 1);
    assert_int_equal(utf8_steering_len((const uint8_t *)"\xc2\x9b", 2), 2);
    assert_int_equal(utf8_steering_len((const uint8_t *)"\xc2\x9b", 1), 0); /* cut: no character */
    assert_int_equal(utf8_steering_len((const uint8_t *)"\xe2\x80\x8b!", 4), 3);
    assert_int_equal(utf8_forging_len((const uint8_t *)"\xe2\x80\x8b!", 4), 3);
    assert_int_equal(utf8_forging_len((const uint8_t *)"\nb", 2), 1);
    assert_int_equal(utf8_steering_len((const uint8_t *)"\xe2\x80\x8c!", 4), 3); /* spelling in Persian */
    assert_int_equal(utf8_forging_len((const uint8_t *)"\xe2\x80\x8c!", 4), 0);
    assert_int_equal(utf8_forging_len((const uint8_t *)"\xe2\x80\x8d", 3), 0);
    assert_int_equal(utf8_forging_len((const uint8_t *)"\xc2\xad", 2), 0);
    assert_int_equal(utf8_forging_len((const uint8_t *)"a", 1), 0);
    assert_int_equal(utf8_steering_len((const uint8_t *)"\xf0\x9d\x85\xb3", 4), 4);
    assert_int_equal(utf8_steering_len((const uint8_t *)"\xf0\x9d\x85\xb3", 3), 0);
    assert_int_equal(utf8_steering_len((const uint8_t *)"\x8b", 1), 0);
    assert_int_equal(utf8_steering_len((const uint8_t *)"a", 1), 0);
    assert_int_equal(utf8_steering_len((const uint8_t *)"", 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_width_goes_both_ways),    cmocka_unit_test(every_code_point_goes_both_ways),
        cmocka_unit_test(passwords_become_secrets),      cmocka_unit_test(empty_is_empty),
        cmocka_unit_test(bad_utf16_is_refused),          cmocka_unit_test(bad_utf8_is_refused),
        cmocka_unit_test(write_that_does_not_fit_fails), cmocka_unit_test(failing_allocation_is_an_error),
        cmocka_unit_test(upper_is_that_of_windows),      cmocka_unit_test(wire_bytes_are_raised_in_place),
        cmocka_unit_test(text_is_raised_and_compared),   cmocka_unit_test(what_steers_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
