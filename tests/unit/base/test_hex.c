/* Hexadecimal digits, in and out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hex.h"

#include <string.h>

static void test_digits(void **state)
{
    static const char digits[] = "0123456789abcdef", capitals[] = "0123456789ABCDEF";
    (void)state;
    for (unsigned letter = 0; letter <= UINT16_MAX; letter++) {
        const char *lower = letter > 0 && letter < 0x80 ? strchr(digits, (int)letter) : NULL;
        const char *upper = letter > 0 && letter < 0x80 ? strchr(capitals, (int)letter) : NULL;
        int value = lower != NULL ? (int)(lower - digits) : upper != NULL ? (int)(upper - capitals) : -1;
        assert_int_equal(hex_digit((uint16_t)letter), value);
    }
}

static void test_read(void **state)
{
    static const char *const bad[] = {"aBf", "aBfFa", "aBfFaa", "aBfg", "gBff", "a fF", " aBfF", "", "aB\xc3\xa4"};
    uint8_t bytes[2];
    (void)state;
    assert_int_equal(hex_read(slice_of_text("aBfF"), bytes, 2), WIRE_OK);
    assert_int_equal(bytes[0], 0xab);
    assert_int_equal(bytes[1], 0xff);
    assert_int_equal(hex_read(slice_of_text(""), bytes, 0), WIRE_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        memset(bytes, 7, sizeof bytes);
        assert_int_equal(hex_read(slice_of_text(bad[i]), bytes, 2), WIRE_BAD);
        assert_int_equal(bytes[0], 7); /* untouched */
        assert_int_equal(bytes[1], 7);
    }
}

static void test_write(void **state)
{
    static const uint8_t bytes[] = {0x00, 0x0f, 0xa5, 0xff};
    char text[2 * sizeof bytes + 2];
    AUTO_WRITER struct writer written = writer_growing(4);
    (void)state;
    memset(text, '#', sizeof text);
    hex_text(bytes, sizeof bytes, text);
    assert_string_equal(text, "000fa5ff");
    assert_int_equal(text[sizeof text - 1], '#');
    hex_text(bytes, 0, text);
    assert_string_equal(text, "");
    hex_write(&written, slice_of(bytes, sizeof bytes), false);
    hex_write(&written, slice_of(bytes, sizeof bytes), true);
    assert_int_equal(writer_finish(&written), WIRE_OK);
    assert_true(slice_equal(writer_slice_of(&written), slice_of_text("000fa5ff000FA5FF")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_digits), cmocka_unit_test(test_read),
                                       cmocka_unit_test(test_write)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
