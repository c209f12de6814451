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

/* RFC 4648 section 4: each of the 64 in its place. */
static void whole_alphabet(void **state)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    AUTO_WRITER struct writer text = writer_growing(1);
    AUTO_WRITER struct writer bytes = writer_growing(1);
    (void)state;
    assert_int_equal(base64_read(slice_of_text(alphabet), &bytes), WIRE_OK);
    assert_int_equal(bytes.len, 48);
    for (unsigned i = 0; i < 64; i++) {
        unsigned at = 6 * i / 8, pair = (unsigned)bytes.data[at] << 8 | (at + 1 < 48 ? bytes.data[at + 1] : 0);
        assert_int_equal(pair >> (10 - 6 * i % 8) & 63, i);
    }
    base64_write(&text, writer_slice_of(&bytes));
    assert_true(slice_equal(writer_slice_of(&text), slice_of_text(alphabet)));
}

/* Nothing of what lies behind the end gets in. */
static void ends_where_it_ends(void **state)
{
    static const char *const texts[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE="};
    (void)state;
    for (size_t len = 0; len < sizeof texts / sizeof *texts; len++) {
        AUTO_WRITER struct writer text = writer_growing(1);
        base64_write(&text, slice_of("foobar", len));
        assert_true(slice_equal(writer_slice_of(&text), slice_of_text(texts[len])));
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
    for (size_t len = 1; len < 8; len++) /* not whole groups, whatever follows */
        if (len % 4 != 0) {
            AUTO_WRITER struct writer bytes = writer_growing(1);
            assert_int_equal(base64_read(slice_of("Zm9vZm9v", len), &bytes), WIRE_BAD);
        }
    uint8_t room[2];
    struct writer little = writer_fixed(room, sizeof room);
    assert_int_equal(base64_read(slice_of_text("Zm9v"), &little), WIRE_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(vectors), cmocka_unit_test(whole_alphabet),
                                       cmocka_unit_test(ends_where_it_ends), cmocka_unit_test(refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
