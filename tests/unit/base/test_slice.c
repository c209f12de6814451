#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/slice.h"

static void text_becomes_bytes_without_nul(void **state)
{
    const char *text = "abc";
    struct slice slice = slice_of_text(text);

    (void)state;
    assert_ptr_equal(slice.data, text);
    assert_int_equal(slice.len, 3);
    assert_int_equal(slice_of_text("").len, 0);
    assert_int_equal(slice_of_text(NULL).len, 0);
    assert_null(slice_of_text(NULL).data);
}

static void equal_compares_length_and_bytes(void **state)
{
    (void)state;
    assert_true(slice_equal(slice_of("abc", 3), slice_of("abc", 3)));
    assert_false(slice_equal(slice_of("abc", 3), slice_of("abd", 3)));
    assert_false(slice_equal(slice_of("abc", 3), slice_of("abc", 2)));
    assert_true(slice_equal(slice_of(NULL, 0), slice_of("x", 0)));
    assert_false(slice_equal(slice_of(NULL, 0), slice_of("x", 1)));
    assert_true(slice_equal(slice_of("a\0b", 3), slice_of("a\0b", 3)));
    assert_false(slice_equal(slice_of("a\0b", 3), slice_of("a\0c", 3)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_becomes_bytes_without_nul),
        cmocka_unit_test(equal_compares_length_and_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
