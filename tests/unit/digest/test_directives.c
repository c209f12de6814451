/*
 * The parser of directives: what it takes, what it refuses, and where it ends.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "digest/directives.h"
#include <stdio.h>
#include <string.h>

static void assert_value(const struct directives *directives, enum directive which, const char *expected)
{
    assert_true(directive_there(directives, which));
    assert_int_equal(directives->value[which].len, strlen(expected));
    assert_memory_equal(directives->value[which].data, expected, strlen(expected));
}

static void test_good(void **state)
{
    struct slice text =
        slice_of_text("Digest realm=\"a \\\"b\\\\ c\", , nonce = \"x\" ,QOP=\"auth,auth-int\",algorithm=MD5-sess, "
                      "unknown=\"y,z\",opaque=\"\",stale=TRUE");
    struct directives list;
    struct slice words, word;
    (void)state;
    assert_int_equal(directives_parse(&text, false, &list), WIRE_OK);
    assert_int_equal(text.len, 0);
    assert_value(&list, DIRECTIVE_REALM, "a \"b\\ c");
    assert_value(&list, DIRECTIVE_NONCE, "x");
    assert_value(&list, DIRECTIVE_OPAQUE, "");
    assert_true(directive_is(&list, DIRECTIVE_STALE, "true"));
    assert_true(directive_is(&list, DIRECTIVE_ALGORITHM, "md5-sess"));
    assert_false(directive_there(&list, DIRECTIVE_CNONCE));
    words = list.value[DIRECTIVE_QOP];
    assert_true(directive_word_next(&words, &word) && directive_word_is(word, "auth"));
    assert_true(directive_word_next(&words, &word) && directive_word_is(word, "auth-int"));
    assert_false(directive_word_next(&words, &word));
    directives_release(&list);
}

/* MS-DPSP 2.2: clients write DOMAIN\user as it is. */
static void test_backslash_in_a_name(void **state)
{
    static const struct {
        const char *written, *read;
    } names[] = {{"DOMAIN\\user", "DOMAIN\\user"},
                 {"DOMAIN\\\\user", "DOMAIN\\user"},
                 {"a\\\"b", "a\"b"},
                 {"\\\\\\x", "\\\\x"},
                 {"D\\\\\\\"x", "D\\\"x"},
                 {"\\", NULL},
                 {"a\\\001", NULL}};
    struct directives list;
    char room[128];
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(room, sizeof room, "UserName=\"%s\",realm=\"a\\b\"", names[i].written);
        struct slice text = slice_of_text(room);
        assert_int_equal(directives_parse(&text, false, &list), names[i].read != NULL ? WIRE_OK : WIRE_BAD);
        if (names[i].read == NULL)
            continue;
        assert_value(&list, DIRECTIVE_USERNAME, names[i].read);
        assert_value(&list, DIRECTIVE_REALM, "ab"); /* everywhere else a backslash is never itself */
        directives_release(&list);
    }
}

static void test_bad(void **state)
{
    static const char *const texts[] = {"",
                                        " ",
                                        "realm",
                                        "realm=",
                                        "realm=\"a",
                                        "realm=\"a\\\"",
                                        "=a",
                                        "realm=a b=c",
                                        "realm=\"a\"b",
                                        "realm=a,realm=b",
                                        "nonce=\"a\nb\"",
                                        "nonce=\"a\177\"",
                                        "realm=\"\\",
                                        "nc=\"\001\"",
                                        "Digest",
                                        ",,,",
                                        "realm=\"a\" nonce=\"b\"",
                                        "\"a\"=b"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct slice text = slice_of_text(texts[i]), before = text;
        struct directives list;
        assert_int_equal(directives_parse(&text, false, &list), WIRE_BAD);
        assert_true(text.data == before.data && text.len == before.len);
    }
}

static void test_several_challenges(void **state)
{
    struct slice text = slice_of_text("realm=a,nonce=1, Digest realm=\"Digest b\",nonce=2,Digest nonce=3");
    struct directives list;
    static const char *const nonces[] = {"1", "2", "3"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(directives_parse(&text, false, &list), WIRE_OK);
        assert_value(&list, DIRECTIVE_NONCE, nonces[i]);
        directives_release(&list);
    }
    assert_int_equal(text.len, 0);
}

static void test_limits(void **state)
{
    char text[4096] = "";
    struct directives list;
    (void)state;
    for (int i = 0; i < DIRECTIVES_MAX; i++)
        strcat(text, "x=y,");
    struct slice all = slice_of_text(text);
    assert_int_equal(directives_parse(&all, false, &list), WIRE_OK);
    directives_release(&list);
    strcat(text, "x=y");
    all = slice_of_text(text);
    assert_int_equal(directives_parse(&all, false, &list), WIRE_BAD);
    text[0] = '\0';
    for (int i = 0; i < REALMS_MAX; i++)
        strcat(text, "realm=\"r\",");
    all = slice_of_text(text);
    assert_int_equal(directives_parse(&all, true, &list), WIRE_OK);
    assert_int_equal(list.n_realms, REALMS_MAX);
    directives_release(&list);
    strcat(text, "realm=\"r\"");
    all = slice_of_text(text);
    assert_int_equal(directives_parse(&all, true, &list), WIRE_BAD);
}

static void test_numbers(void **state)
{
    uint32_t number = 7;
    (void)state;
    assert_int_equal(directive_number(slice_of_text("16777215"), 0xffffff, &number), WIRE_OK);
    assert_int_equal(number, 16777215);
    static const char *const wrong[] = {"", "16777216", "-1", "+1", " 1", "1 ", "0x1", "99999999999", "4294967296"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(directive_number(slice_of_text(wrong[i]), 0xffffff, &number), WIRE_BAD);
}

static void test_writing(void **state)
{
    struct writer out = writer_growing(64);
    struct directives list;
    (void)state;
    directive_write_quoted(&out, "realm", slice_of_text("a\"b\\c"));
    directive_write_plain(&out, "nc", slice_of_text("00000001"));
    assert_true(slice_equal(writer_slice_of(&out), slice_of_text("realm=\"a\\\"b\\\\c\",nc=00000001")));
    struct slice text = writer_slice_of(&out);
    assert_int_equal(directives_parse(&text, false, &list), WIRE_OK);
    assert_value(&list, DIRECTIVE_REALM, "a\"b\\c");
    directives_release(&list);
    writer_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),    cmocka_unit_test(test_backslash_in_a_name),
        cmocka_unit_test(test_bad),     cmocka_unit_test(test_several_challenges),
        cmocka_unit_test(test_limits),  cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_writing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
