/*
 * Base64: RFC 4648's vectors, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"
#include <string.h>

static void vectors(void **state)
{
    /* RFC 4648 section 10 */
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"},
                                           {"\xff\xef\xbe", "/+++"}};
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        AUTO_WRITER struct writer text = writer_growing(1);
        AUTO_WRITER struct writer bytes = writer_growing(1);
        base64_write(&text, slice_of_text(pairs[i][0]));
        assert_int_equal(text.len, strlen(pairs[i][1]));
        assert_true(slice_equal(writer_slice_of(&text), slice_of_text(pairs[i][1])));
        assert_int_equal(base64_read(slice_of_text(pairs[i][1]), &bytes), WIRE_OK);
        assert_true(slice_equal(writer_slice_of(&bytes), slice_of_text(pairs[i][0])));
    }
}

static void refused(void **state)
{
    static const char *const wrong[] = {"Z",     "Zg",       "Zg=",  "=",    "====", "Zg==Zg==", "Z===", "Zm9 ",
                                        "Zm\n9", "Zm9v\r\n", "Zh==", "Zm9=", "Zm-_", "Zg=v",     "Zm9v="};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        AUTO_WRITER struct writer bytes = writer_growing(1);
        if (base64_read(slice_of_text(wrong[i]), &bytes) != WIRE_BAD)
            fail_msg("%s was taken", wrong[i]);
    }
    uint8_t room[2];
    struct writer little = writer_fixed(room, sizeof room);
    assert_int_equal(base64_read(slice_of_text("Zm9v"), &little), WIRE_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(vectors), cmocka_unit_test(refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
