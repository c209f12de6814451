/*
 * Channel bindings: the block's offsets and the hash.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/bindings.h"
#include <sspi.h>
#include <stdlib.h>
#include <string.h>

static struct slice block(uint8_t room[256], const void *data, size_t len)
{
    SEC_CHANNEL_BINDINGS header = {.cbApplicationDataLength = (ULONG)len, .dwApplicationDataOffset = sizeof header};
    memcpy(room, &header, sizeof header);
    if (len > 0)
        memcpy(room + sizeof header, data, len);
    return slice_of(room, sizeof header + len);
}

/* The certificate hash and MsvAvChannelBindings of the example in Microsoft's "NTLM and Channel Binding Hash (aka Extended Protection for
 * Authentication)", the same that gss-ntlmssp's tests use. */
static void test_hash(void **state)
{
    static const uint8_t data[] = "tls-server-end-point:\xea\x05\xfe\xfe\xcc\x6b\x0b\xd5\x71\xdb\xbc\x5b\xaa\x3e\xd4"
                                  "\x53\x86\xd0\x44\x68\x35\xf7\xb7\x4c\x85\x62\x1b\x99\x83\x47\x5f\x95";
    static const uint8_t wanted[16] = {0x65, 0x86, 0xe9, 0x9d, 0x81, 0xc2, 0xfc, 0x98,
                                       0x4e, 0x47, 0x17, 0x2f, 0xd4, 0xdd, 0x03, 0x10};
    uint8_t room[256], hash[16];
    struct bindings bindings;
    (void)state;
    assert_int_equal(bindings_parse(block(room, data, sizeof data - 1), &bindings), WIRE_OK);
    assert_int_equal(bindings.application.len, sizeof data - 1);
    bindings_hash(&bindings, hash);
    assert_memory_equal(hash, wanted, sizeof hash);
}

/* Every field counts. */
static void test_fields(void **state)
{
    static const struct bindings cases[] = {
        {0, 0, {NULL, 0}, {NULL, 0}, {NULL, 0}},
        {1, 0, {NULL, 0}, {NULL, 0}, {NULL, 0}},
        {0, 1, {NULL, 0}, {NULL, 0}, {NULL, 0}},
        {0, 0, {(const uint8_t *)"a", 1}, {NULL, 0}, {NULL, 0}},
        {0, 0, {NULL, 0}, {(const uint8_t *)"a", 1}, {NULL, 0}},
        {0, 0, {NULL, 0}, {NULL, 0}, {(const uint8_t *)"a", 1}},
        {0, 0, {NULL, 0}, {NULL, 0}, {(const uint8_t *)"aa", 2}},
        {0, 0, {NULL, 0}, {NULL, 0}, {(const uint8_t *)"b", 1}},
    };
    uint8_t hash[8][16];
    (void)state;
    for (size_t i = 0; i < 8; i++) {
        bindings_hash(&cases[i], hash[i]);
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(hash[i], hash[k], 16);
    }
}

static void test_outside(void **state)
{
    static const uint32_t wrong[] = {0xffffffff, 0xfffffff0, 0x80000000, 0x7fffffff, 40, 37};
    static const size_t lengths[] = {4, 16, 24}, offsets[] = {8, 20, 28};
    uint8_t room[256];
    struct bindings bindings;
    (void)state;
    struct slice whole = block(room, "data", 4);
    for (size_t len = 0; len < whole.len; len++) {
        uint8_t *copy = malloc(len + 1);
        memcpy(copy, room, len);
        assert_int_not_equal(bindings_parse(slice_of(copy, len), &bindings), WIRE_OK);
        free(copy);
    }
    for (size_t field = 0; field < 3; field++)
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
            uint32_t one = 1;
            whole = block(room, "data", 4);
            memcpy(room + lengths[field], &wrong[i], 4);
            assert_int_equal(bindings_parse(whole, &bindings), WIRE_BAD);
            whole = block(room, "data", 4);
            memcpy(room + lengths[field], &one, 4);
            memcpy(room + offsets[field], &wrong[i], 4);
            assert_int_equal(bindings_parse(whole, &bindings), WIRE_BAD);
        }
}

/* SEC_CHANNEL_BINDINGS_EX says how long it is itself, header and all; what lies behind that is not its own. */
static void test_extended(void **state)
{
    static const struct {
        ULONG header, structure, data, offset;
        enum wire_result expected;
    } cases[] = {
        {48, 52, 4, 48, WIRE_OK},  {48, 60, 4, 56, WIRE_OK},          {52, 56, 4, 52, WIRE_OK},
        {47, 52, 4, 48, WIRE_BAD}, {53, 52, 4, 48, WIRE_BAD},         {48, 51, 4, 48, WIRE_BAD},
        {48, 61, 4, 48, WIRE_BAD}, {48, 47, 0, 0, WIRE_BAD},          {48, 48, 0, 0, WIRE_OK},
        {48, 60, 4, 57, WIRE_BAD}, {48, 0xffffffff, 4, 48, WIRE_BAD}, {0, 0, 0, 0, WIRE_BAD},
    };
    uint8_t room[256], plain_hash[16], hash[16];
    struct bindings bindings;
    (void)state;
    assert_int_equal(bindings_parse(block(room, "data", 4), &bindings), WIRE_OK);
    bindings_hash(&bindings, plain_hash);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const SEC_CHANNEL_BINDINGS_EX header = {.magicNumber = SEC_CHANNEL_BINDINGS_EX_MAGIC,
                                                .flags = SEC_CHANNEL_BINDINGS_AUDIT_BINDINGS,
                                                .cbHeaderLength = cases[i].header,
                                                .cbStructureLength = cases[i].structure,
                                                .cbApplicationDataLength = cases[i].data,
                                                .dwApplicationDataOffset = cases[i].offset};
        uint8_t *copy = calloc(1, 60);
        assert_non_null(copy);
        memcpy(copy, &header, sizeof header);
        if (cases[i].offset + cases[i].data <= 60)
            memcpy(copy + cases[i].offset, "data", cases[i].data);
        assert_int_equal(bindings_parse(slice_of(copy, 60), &bindings), cases[i].expected);
        if (cases[i].expected == WIRE_OK && cases[i].data > 0) {
            bindings_hash(&bindings, hash);
            assert_memory_equal(hash, plain_hash, sizeof hash); /* the same bindings in either form */
        }
        for (size_t len = 0; len < 48; len++)
            assert_int_not_equal(bindings_parse(slice_of(copy, len), &bindings), WIRE_OK);
        free(copy);
    }
}

static void test_written_and_taken(void **state)
{
    static const char expected[] = "tls-unique:abc";
    AUTO_WRITER struct writer written = writer_growing(8);
    uint8_t hash[16] = {7}, room[256], wanted[16];
    struct bindings bindings;
    bool taken = false;
    (void)state;
    bindings_write(&written, "tls-unique", slice_of_text("abc"));
    struct slice whole = block(room, expected, strlen(expected));
    assert_true(slice_equal(writer_slice_of(&written), whole));
    assert_int_equal(bindings_parse(whole, &bindings), WIRE_OK);
    bindings_hash(&bindings, wanted);
    assert_int_equal(bindings_take(slice_of(NULL, 0), hash, &taken), SEC_E_OK);
    assert_true(!taken && hash[0] == 7);
    assert_int_equal(bindings_take(slice_of(whole.data, whole.len - 1), hash, &taken), SEC_E_BAD_BINDINGS);
    assert_true(!taken && hash[0] == 7);
    assert_int_equal(bindings_take(whole, hash, &taken), SEC_E_OK);
    assert_true(taken);
    assert_memory_equal(hash, wanted, sizeof hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hash), cmocka_unit_test(test_fields),
                                       cmocka_unit_test(test_outside), cmocka_unit_test(test_extended),
                                       cmocka_unit_test(test_written_and_taken)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
