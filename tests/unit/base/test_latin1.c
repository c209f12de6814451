/*
 * ISO 8859-1 and back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/latin1.h"

static void test_there_and_back(void **state)
{
    struct writer one = writer_growing(8), two = writer_growing(8);
    (void)state;
    assert_int_equal(latin1_write(&one, slice_of_text("aJ\303\244\303\277\302\200z")), WIRE_OK);
    assert_true(slice_equal(writer_slice_of(&one), slice_of_text("aJ\344\377\200z")));
    latin1_read(&two, writer_slice_of(&one));
    assert_true(slice_equal(writer_slice_of(&two), slice_of_text("aJ\303\244\303\277\302\200z")));
    writer_release(&one);
    writer_release(&two);
}

static void test_what_it_cannot_write(void **state)
{
    static const char *const texts[] = {"\304\200", "a\342\202\254", "\360\237\230\200",
                                        /* no UTF-8 */
                                        "\200", "a\277b", "a\300\200b", "a\301\277", "a\302", "a\303b", "a\302\303\244",
                                        "\303\300"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct writer out = writer_growing(8);
        assert_int_equal(latin1_write(&out, slice_of_text(texts[i])), WIRE_BAD);
        assert_int_equal(out.len, 0);
        writer_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_there_and_back),
                                       cmocka_unit_test(test_what_it_cannot_write)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
