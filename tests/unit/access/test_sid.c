/* Forms: MS-DTYP 2.4.2.1 (string), 2.4.2.2 (packet); well-known SIDs: MS-DTYP 2.4.2.4. */
#include "access/sid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void test_text_round_trip(void **state)
{
    (void)state;
    static const char *const good[] = {
        "S-1-0-0",
        "S-1-1-0",
        "S-1-5-18",
        "S-1-5-32-544",
        "S-1-5-21-0-4294967295-1-1000",
        "S-1-4294967295-1",
        "S-1-0x000100000000-7",
        "S-1-0xFFFFFFFFFFFF-1",
        "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15",
    };
    char text[SID_TEXT_MAX];
    struct sid sid;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(sid_from_text(good[i], &sid), WIRE_OK);
        sid_to_text(&sid, text);
        assert_string_equal(text, good[i]);
    }
    assert_int_equal(sid_from_text("S-1-0XabcdefABCDEF-1", &sid), WIRE_OK);
    sid_to_text(&sid, text);
    assert_string_equal(text, "S-1-0xABCDEFABCDEF-1");
    assert_int_equal(sid_from_text("s-1-5-18", &sid), WIRE_OK);
    assert_int_equal(sid.n_subauthorities, 1);
    assert_int_equal(sid.authority[5], 5);
    assert_int_equal(sid.subauthority[0], 18);
}

static void test_text_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "S",
        "S-1",
        "S-1-",
        "S-1-5",
        "S-1-5-",
        "S-2-5-18",
        "S-11-5-18",
        "X-1-5-18",
        " S-1-5-18",
        "S-1-5-18 ",
        "S-1-5-18-",
        "S-1-5--18",
        "S-1-5-4294967296",
        "S-1-5-99999999999999999999",
        "S-1-4294967296-1",
        "S-1-05-18",
        "S-1-00-18",
        "S-1-5-00",
        "S-1-5-09",
        "S-1-5-018",
        "S-1-5-+18",
        "S-1-5-0x12",
        "S-1-0x5-18",
        "S-1-0x000000000005-18",
        "S-1-0x1000000000000-1",
        "S-1-0x00010000000g-1",
        "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16",
    };
    struct sid sid, before;
    memset(&sid, 3, sizeof(sid));
    before = sid;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(sid_from_text(bad[i], &sid), WIRE_BAD);
    assert_int_equal(sid_from_text(NULL, &sid), WIRE_BAD);
    assert_memory_equal(&sid, &before, sizeof(sid));
}

static void test_longest_text(void **state)
{
    (void)state;
    struct sid sid = {
        .revision = 255, .n_subauthorities = SID_SUBAUTHORITIES_MAX, .authority = {255, 255, 255, 255, 255, 255}};
    char text[SID_TEXT_MAX];
    memset(sid.subauthority, 0xff, sizeof(sid.subauthority));
    sid_to_text(&sid, text);
    assert_true(strlen(text) < SID_TEXT_MAX);
    assert_string_equal(text + strlen(text) - 11, "-4294967295");
}

static void test_packet(void **state)
{
    (void)state;
    static const uint8_t administrators[] = {1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0};
    uint8_t out[SID_BYTES_MAX];
    struct sid sid, text_sid;
    struct reader reader = reader_of(slice_of(administrators, sizeof(administrators)));
    assert_int_equal(sid_read(&reader, &sid), WIRE_OK);
    assert_int_equal(reader_end(&reader), WIRE_OK);
    assert_int_equal(sid_from_text("S-1-5-32-544", &text_sid), WIRE_OK);
    assert_true(sid_equal(&sid, &text_sid));
    struct writer writer = writer_fixed(out, sizeof(out));
    sid_write(&writer, &sid);
    assert_int_equal(writer_finish(&writer), WIRE_OK);
    assert_int_equal(writer.len, sizeof(administrators));
    assert_memory_equal(out, administrators, sizeof(administrators));
    for (size_t len = 0; len < sizeof(administrators); len++) {
        struct reader shorter = reader_of(slice_of(administrators, len));
        assert_int_equal(sid_read(&shorter, &sid), WIRE_SHORT);
        assert_int_equal(reader_left(&shorter), len);
    }
    uint8_t bad[sizeof(administrators)];
    memcpy(bad, administrators, sizeof(bad));
    bad[0] = 2;
    reader = reader_of(slice_of(bad, sizeof(bad)));
    assert_int_equal(sid_read(&reader, &sid), WIRE_BAD);
    bad[0] = 1;
    bad[1] = 16;
    reader = reader_of(slice_of(bad, sizeof(bad)));
    assert_int_equal(sid_read(&reader, &sid), WIRE_BAD);
}

static void test_equal_and_append(void **state)
{
    (void)state;
    struct sid a, b;
    assert_int_equal(sid_from_text("S-1-5-21-1-2-3", &a), WIRE_OK);
    assert_int_equal(sid_from_text("S-1-5-21-1-2-3-1000", &b), WIRE_OK);
    assert_false(sid_equal(&a, &b));
    assert_int_equal(sid_append(&a, 1000), WIRE_OK);
    assert_true(sid_equal(&a, &b));
    b.subauthority[10] = 7; /* beyond the count: means nothing */
    assert_true(sid_equal(&a, &b));
    b.authority[5] = 6;
    assert_false(sid_equal(&a, &b));
    while (a.n_subauthorities < SID_SUBAUTHORITIES_MAX)
        assert_int_equal(sid_append(&a, 1), WIRE_OK);
    assert_int_equal(sid_append(&a, 1), WIRE_BAD);
    assert_int_equal(a.n_subauthorities, SID_SUBAUTHORITIES_MAX);
}

static struct sid sid_of(const char *text)
{
    struct sid sid;
    assert_int_equal(sid_from_text(text, &sid), WIRE_OK);
    return sid;
}

static void test_prefixes_and_domains(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } pairs[] = {{"S-1-5-21-1-2-3-4", "S-1-5-21-1-2-3-5", true},
                 {"S-1-5-21-1-2-3-4", "S-1-5-21-1-2-4-4", false},
                 {"S-1-5-21-1-2-3-4", "S-1-5-21-1-2-3", false},
                 {"S-1-5-18", "S-1-5-19", true},
                 {"S-1-5-18", "S-1-1-18", false}};
    static const char *const no_domain[] = {"S-1-5-21-1-2-3", "S-1-5-21-1-2-3-4-5", "S-1-5-22-1-2-3-4",
                                            "S-1-1-21-1-2-3-4", "S-1-5-18"};
    struct sid domain, before, none = sid_of("S-1-5-18"), other;
    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct sid a = sid_of(pairs[i].a), b = sid_of(pairs[i].b);
        assert_int_equal(sid_equal_prefix(&a, &b), pairs[i].same);
        assert_int_equal(sid_equal_prefix(&b, &a), pairs[i].same);
    }
    none.n_subauthorities = 0; /* has no prefix */
    other = none;
    assert_true(sid_equal_prefix(&none, &other));
    other = sid_of("S-1-5-18");
    assert_false(sid_equal_prefix(&none, &other));
    assert_false(sid_equal_prefix(&other, &none));
    struct sid user = sid_of("S-1-5-21-1-2-3-4"), expected = sid_of("S-1-5-21-1-2-3");
    assert_int_equal(sid_domain(&user, &domain), WIRE_OK);
    assert_true(sid_equal(&domain, &expected));
    before = domain;
    for (size_t i = 0; i < sizeof(no_domain) / sizeof(no_domain[0]); i++) {
        user = sid_of(no_domain[i]);
        assert_int_equal(sid_domain(&user, &domain), WIRE_BAD);
    }
    assert_memory_equal(&domain, &before, sizeof(domain));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_round_trip),  cmocka_unit_test(test_text_refused),
        cmocka_unit_test(test_longest_text),     cmocka_unit_test(test_packet),
        cmocka_unit_test(test_equal_and_append), cmocka_unit_test(test_prefixes_and_domains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
