/* Principal names: on the wire, as text, and beside libkrb5's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "kerberos/name.h"
#include <stdlib.h>
#include <string.h>

static krb5_context krb;

/* Each name as krb5_parse_name reads it. */
static const char *const names[] = {
    "alice@EXAMPLE.TEST",
    "host/server.example.test@EXAMPLE.TEST",
    "ldap/dc1.example.test/example.test@EXAMPLE.TEST",
    "a/b/c/d/e/f/g/h/i/j@R",
    "we\\/ird\\@na\\\\me@REALM",
    "tab\\tnew\\nline\\bspace@R\\/E\\@A\\\\LM",
    "@EXAMPLE.TEST", /* one empty part */
    "a//b@R",
    "a/@R",
    "alice@",
    "j\303\266rg@EXAMPLE.TEST",
};

static krb5_principal parse(const char *text)
{
    krb5_principal principal = NULL;
    assert_int_equal(krb5_parse_name(krb, text, &principal), 0);
    return principal;
}

/* This text, and no shorter, longer or changed one. */
static void is_its_text(const struct krb_name *name, const char *text)
{
    size_t len = strlen(text);
    assert_true(krb_name_is(name, text));
    for (size_t at = 0; at <= len; at++) {
        char *other = malloc(len + 2); /* of its size, for sanitizers */
        memcpy(other, text, len + 1);
        if (at < len) {
            other[at] ^= 0x10;
            assert_false(krb_name_is(name, other));
        }
        memcpy(other, text, len + 1);
        other[len + (at == len)] = 0;
        other[at] = at < len ? 0 : 'x'; /* cut, or longer */
        assert_false(krb_name_is(name, other));
        free(other);
    }
}

static void texts_are_libkrb5s(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        krb5_principal principal = parse(names[i]);
        struct krb_name name;
        char *theirs = NULL;
        assert_true(krb_name_of(principal, &name));
        AUTO_FREE char *ours = krb_name_text(&name);
        assert_int_equal(krb5_unparse_name(krb, principal, &theirs), 0);
        assert_string_equal(ours, theirs);
        is_its_text(&name, ours);
        krb5_free_unparsed_name(krb, theirs);
        krb5_free_principal(krb, principal);
    }
}

static void every_byte_as_libkrb5_writes_it(void **state)
{
    (void)state;
    for (unsigned byte = 1; byte < 256; byte++) {
        char part[3] = {'x', (char)byte, 'y'}, realm[2] = {'R', (char)byte};
        krb5_data data[1] = {{.data = part, .length = 3}};
        krb5_principal_data principal = {.realm = {.data = realm, .length = 2}, .data = data, .length = 1, .type = 1};
        struct krb_name name;
        char *theirs = NULL;
        assert_true(krb_name_of(&principal, &name));
        AUTO_FREE char *ours = krb_name_text(&name);
        assert_int_equal(krb5_unparse_name(krb, &principal, &theirs), 0);
        assert_string_equal(ours, theirs);
        is_its_text(&name, ours);
        krb5_free_unparsed_name(krb, theirs);
    }
}

static void a_nul_has_no_text(void **state)
{
    (void)state;
    struct krb_name name = {.n_parts = 1, .part = {slice_of("ro\0ot", 5)}, .realm = slice_of("R", 1)};
    assert_null(krb_name_text(&name));
    assert_false(krb_name_has_text(&name) || krb_name_is(&name, "ro"));
    name.part[0] = slice_of("root", 4);
    name.realm = slice_of("R\0", 2);
    assert_null(krb_name_text(&name));
    assert_false(krb_name_has_text(&name) || krb_name_is(&name, "root@R"));
    name.realm = slice_of(NULL, 0);
    assert_true(krb_name_has_text(&name) && krb_name_is(&name, "root@") && !krb_name_is(&name, ""));
    AUTO_FREE char *text = krb_name_text(&name);
    assert_string_equal(text, "root@");
}

static void no_memory_no_text(void **state)
{
    (void)state;
    const struct krb_name name = {.n_parts = 1, .part = {slice_of("a", 1)}, .realm = slice_of("R", 1)};
    mem_fault_set(1, true);
    char *text = krb_name_text(&name);
    mem_fault_set(0, false);
    assert_null(text);
}

static void limits_of_parts(void **state)
{
    (void)state;
    krb5_data data[KRB_NAME_PARTS + 1] = {{0}};
    krb5_principal_data principal = {.data = data, .type = 1};
    struct krb_name name;
    for (int n = 0; n <= KRB_NAME_PARTS + 1; n++) {
        principal.length = n;
        assert_int_equal(krb_name_of(&principal, &name), n >= 1 && n <= KRB_NAME_PARTS);
        name = (struct krb_name){.n_parts = 0};
        /* and on the wire: SEQUENCE { [0] 1, [1] SEQUENCE OF n empty strings } */
        uint8_t bytes[64] = {0x30, (uint8_t)(9 + 2 * n), 0xa0, 3, 2, 1, 1, 0xa1, (uint8_t)(2 + 2 * n),
                             0x30, (uint8_t)(2 * n)};
        for (int i = 0; i < n; i++)
            bytes[11 + 2 * i] = 0x1b;
        struct reader reader = reader_of(slice_of(bytes, (size_t)(11 + 2 * n)));
        assert_int_equal(krb_name_read(&reader, &name), n >= 1 && n <= KRB_NAME_PARTS ? WIRE_OK : WIRE_BAD);
    }
    principal.length = -1;
    assert_false(krb_name_of(&principal, &name));
}

static void round_trips(void **state)
{
    (void)state;
    static const int32_t types[] = {0, 1, 2, 10, 127, 128, -1, -130, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        for (size_t j = 0; j < COUNT_OF(types); j++) {
            krb5_principal principal = parse(names[i]);
            struct krb_name name, back = {0};
            AUTO_WRITER struct writer writer = writer_growing(64);
            assert_true(krb_name_of(principal, &name));
            name.type = types[j];
            krb_name_write(&writer, &name);
            size_t name_len = writer.len;
            krb_realm_write(&writer, name.realm);
            struct reader reader = reader_of(writer_slice_of(&writer));
            assert_int_equal(krb_name_read(&reader, &back), WIRE_OK);
            assert_int_equal(krb_realm_read(&reader, &back.realm), WIRE_OK);
            assert_int_equal(reader_end(&reader), WIRE_OK);
            assert_int_equal(back.type, types[j]);
            assert_true(krb_name_equal(&name, &back));
            back.type ^= 1; /* says nothing about who is meant */
            assert_true(krb_name_equal(&name, &back));
            for (size_t len = 0; len < name_len; len++) {
                uint8_t *copy = malloc(len > 0 ? len : 1); /* of its size, for sanitizers */
                memcpy(copy, writer.data, len);
                reader = reader_of(slice_of(copy, len));
                assert_int_not_equal(krb_name_read(&reader, &back), WIRE_OK);
                free(copy);
            }
            krb5_free_principal(krb, principal);
        }
}

static void wrong_names(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
    } wrong[] = {
        {"\x30\x00", 2},                                                               /* nothing in it */
        {"\x30\x05\xa0\x03\x02\x01\x01", 7},                                           /* no parts at all */
        {"\x30\x0c\xa0\x03\x02\x01\x01\xa1\x05\x30\x03\x0c\x01x", 14},                 /* UTF8String */
        {"\x30\x0d\xa0\x04\x02\x01\x01\x00\xa1\x05\x30\x03\x1b\x01x", 15},             /* more inside a field */
        {"\x30\x10\xa0\x07\x02\x05\x00\x80\x00\x00\x00\xa1\x05\x30\x03\x1b\x01x", 18}, /* type past 31 bits */
        {"\x30\x0e\xa0\x03\x02\x01\x01\xa1\x05\x30\x03\x1b\x01x\x05\x00", 16},         /* a third field */
        {"\x30\x0e\xa0\x03\x02\x01\x01\xa1\x07\x30\x03\x1b\x01x\x05\x00", 16},
        {"\x31\x0c\xa0\x03\x02\x01\x01\xa1\x05\x30\x03\x1b\x01x", 14},
        {"\x30\x0c\xa1\x05\x30\x03\x1b\x01x\xa0\x03\x02\x01\x01", 14}, /* the other order */
        {"\x30\x0c\xa0\x03\x02\x01\x01\xa1\x05\x30\x04\x1b\x01x", 14},
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct reader reader = reader_of(slice_of(wrong[i].bytes, wrong[i].len));
        struct krb_name name = {0};
        if (krb_name_read(&reader, &name) == WIRE_OK)
            fail_msg("wrong name %zu is read", i);
    }
}

static void equality(void **state)
{
    (void)state;
    static const char *const all[] = {"a@R", "b@R", "a@S", "a/a@R", "aa@R", "a/@R", "A@R", "a@r", "ab/c@R", "a/bc@R"};
    for (size_t i = 0; i < COUNT_OF(all); i++)
        for (size_t j = 0; j < COUNT_OF(all); j++) {
            krb5_principal first = parse(all[i]), second = parse(all[j]);
            struct krb_name a, b;
            assert_true(krb_name_of(first, &a) && krb_name_of(second, &b));
            assert_int_equal(krb_name_equal(&a, &b), i == j);
            assert_int_equal(krb_name_is(&a, all[j]), i == j);
            assert_int_equal(krb_name_equal(&a, &b), krb5_principal_compare(krb, first, second) != 0);
            krb5_free_principal(krb, first);
            krb5_free_principal(krb, second);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_libkrb5s), cmocka_unit_test(every_byte_as_libkrb5_writes_it),
        cmocka_unit_test(a_nul_has_no_text),  cmocka_unit_test(no_memory_no_text),
        cmocka_unit_test(limits_of_parts),    cmocka_unit_test(round_trips),
        cmocka_unit_test(wrong_names),        cmocka_unit_test(equality),
    };
    if (krb5_init_context(&krb) != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    krb5_free_context(krb);
    return failed;
}
