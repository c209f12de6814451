#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "base/writer.h"
#include "wire/ndr.h"

#include <string.h>

#define HEADERS_LEN 16 /* MS-RPCE 2.2.6.1 and 2.2.6.2 */

/* A stream around `object`: common header, private header, object. */
static struct slice stream_write(struct writer *writer, const void *object, size_t len)
{
    static const uint8_t common[] = {0x01, 0x10, 0x08, 0x00, 0xcc, 0xcc, 0xcc, 0xcc};

    writer_bytes(writer, common, sizeof(common));
    writer_u32le(writer, (uint32_t)len);
    writer_u32le(writer, 0);
    writer_bytes(writer, object, len);
    assert_int_equal(writer_finish(writer), WIRE_OK);
    return writer_slice_of(writer);
}

static struct ndr opened(uint8_t room[256], const void *object, size_t len)
{
    struct writer writer = writer_fixed(room, 256);
    struct ndr ndr;

    assert_int_equal(ndr_open(stream_write(&writer, object, len), &ndr), WIRE_OK);
    return ndr;
}

static void headers_are_read(void **state)
{
    static const uint8_t object[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    uint8_t room[64];
    struct writer writer = writer_fixed(room, sizeof(room));
    struct slice stream = stream_write(&writer, object, sizeof(object));
    struct slice bytes;
    struct ndr ndr;

    (void)state;
    assert_int_equal(ndr_open(stream, &ndr), WIRE_OK);
    assert_int_equal(ndr.len, sizeof(object));
    assert_int_equal(ndr_end(&ndr), WIRE_BAD); /* eight bytes are no padding */
    assert_int_equal(ndr_bytes(&ndr, 1, &bytes), WIRE_OK);
    assert_int_equal(ndr_end(&ndr), WIRE_OK);
    assert_int_equal(ndr_bytes(&ndr, 8, &bytes), WIRE_SHORT);
    for (size_t cut = 0; cut < stream.len; cut++)
        assert_int_not_equal(ndr_open(slice_of(stream.data, cut), &ndr), WIRE_OK);
    /* Seven bytes may follow the object, eight not. */
    writer_zeros(&writer, 7);
    assert_int_equal(ndr_open(writer_slice_of(&writer), &ndr), WIRE_OK);
    writer_zeros(&writer, 1);
    assert_int_equal(ndr_open(writer_slice_of(&writer), &ndr), WIRE_BAD);
}

static void other_headers_are_refused(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
    } bad[] = {
        {0, 0},    {0, 2},                /* version */
        {1, 0x00}, {1, 0x11},             /* big-endian, EBCDIC */
        {2, 16},   {3, 1},                /* length of the common header */
        {8, 9},    {9, 1},    {11, 0xff}, /* length of the object: more than there is */
    };
    uint8_t room[64];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct writer writer = writer_fixed(room, sizeof(room));
        struct slice stream = stream_write(&writer, "12345678", 8);
        struct ndr ndr = {.len = 77};

        room[bad[i].at] = bad[i].value;
        assert_int_not_equal(ndr_open(stream, &ndr), WIRE_OK);
        assert_int_equal(ndr.len, 77);
    }
    for (size_t at = 4; at < HEADERS_LEN; at += at == 7 ? 5 : 1) { /* fillers are ignored */
        struct writer writer = writer_fixed(room, sizeof(room));
        struct slice stream = stream_write(&writer, "12345678", 8);
        struct ndr ndr;

        room[at] = 0x5a;
        assert_int_equal(ndr_open(stream, &ndr), WIRE_OK);
    }
}

/* C706 14.2.2: alignment counts from the begin of the object, and gaps may hold anything. */
static void primitives_are_aligned(void **state)
{
    static const uint8_t object[] = {
        0x01, 0xee, 0x02, 0x03, 0x04, 0xee, 0xee, 0xee, 0x44, 0x33, 0x22, 0x11,
        0x05, 0xee, 0xee, 0xee, 0x01, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00,
    };
    uint8_t room[256];
    struct ndr ndr = opened(room, object, sizeof(object)), before;
    struct slice bytes;
    uint16_t u16;
    uint32_t u32;
    int64_t time;

    (void)state;
    assert_int_equal(ndr_bytes(&ndr, 1, &bytes), WIRE_OK);
    assert_int_equal(ndr_u16(&ndr, &u16), WIRE_OK);
    assert_int_equal(u16, 0x0302);
    assert_int_equal(ndr_bytes(&ndr, 1, &bytes), WIRE_OK);
    assert_int_equal(ndr_u32(&ndr, &u32), WIRE_OK);
    assert_int_equal(u32, 0x11223344);
    assert_int_equal(ndr_bytes(&ndr, 1, &bytes), WIRE_OK);
    assert_int_equal(ndr_filetime(&ndr, &time), WIRE_OK);
    assert_true(time == INT64_C(0x200000001));
    before = ndr;
    u16 = 7, u32 = 7, time = 7;
    assert_int_equal(ndr_u16(&ndr, &u16), WIRE_SHORT);
    assert_int_equal(ndr_u32(&ndr, &u32), WIRE_SHORT);
    assert_int_equal(ndr_filetime(&ndr, &time), WIRE_SHORT);
    assert_true(u16 == 7 && u32 == 7 && time == 7);
    assert_ptr_equal(ndr.reader.at, before.reader.at);
}

/* A failure in the middle moves nothing, not even over the alignment. */
static void failures_do_not_move(void **state)
{
    static const uint8_t object[] = {0x01, 0xee, 0xee, 0xee, 0x11, 0x22, 0x33};
    uint8_t room[256];
    struct ndr ndr = opened(room, object, sizeof(object));
    const uint8_t *at;
    struct slice bytes;
    uint32_t u32;
    int64_t time;

    (void)state;
    assert_int_equal(ndr_bytes(&ndr, 1, &bytes), WIRE_OK);
    at = ndr.reader.at;
    assert_int_equal(ndr_u32(&ndr, &u32), WIRE_SHORT);
    assert_ptr_equal(ndr.reader.at, at);
    assert_int_equal(ndr_filetime(&ndr, &time), WIRE_SHORT);
    assert_ptr_equal(ndr.reader.at, at);
    assert_int_equal(ndr_array(&ndr, 1, 1, 1), WIRE_SHORT);
    assert_ptr_equal(ndr.reader.at, at);
}

static void pointers_are_null_or_not(void **state)
{
    static const uint8_t object[] = {0, 0, 0, 0, 0, 0, 2, 0, 0xff, 0xff, 0xff, 0xff};
    uint8_t room[256];
    struct ndr ndr = opened(room, object, sizeof(object));
    bool present;

    (void)state;
    assert_int_equal(ndr_pointer(&ndr, &present), WIRE_OK);
    assert_false(present);
    assert_int_equal(ndr_pointer(&ndr, &present), WIRE_OK);
    assert_true(present);
    assert_int_equal(ndr_pointer(&ndr, &present), WIRE_OK);
    assert_true(present);
    assert_int_equal(ndr_pointer(&ndr, &present), WIRE_SHORT);
}

static void arrays_hold_what_they_say(void **state)
{
    uint8_t room[256], object[20] = {2, 0, 0, 0};
    struct ndr fresh = opened(room, object, sizeof(object)), ndr = fresh;
    /* Counts whose product with the element's size wraps in 32 bits, and in 64. */
    static const uint32_t wrapping[] = {0x20000001, 0x80000000, 0xffffffff};

    (void)state;
    assert_int_equal(ndr_array(&ndr, 2, 2, 8), WIRE_OK);
    assert_int_equal(reader_left(&ndr.reader), 16);
    ndr = fresh;
    assert_int_equal(ndr_array(&ndr, 1, 2, 8), WIRE_BAD); /* not what size_is says */
    assert_int_equal(ndr_array(&ndr, 2, 1, 8), WIRE_BAD); /* too many */
    assert_int_equal(ndr_array(&ndr, 2, 2, 9), WIRE_BAD); /* not there */
    assert_ptr_equal(ndr.reader.at, fresh.reader.at);
    for (size_t i = 0; i < COUNT_OF(wrapping); i++) {
        struct writer writer = writer_fixed(object, 4);

        writer_u32le(&writer, wrapping[i]);
        ndr = opened(room, object, sizeof(object));
        assert_int_equal(ndr_array(&ndr, wrapping[i], SIZE_MAX, 8), WIRE_BAD);
        assert_int_equal(ndr_array(&ndr, wrapping[i], SIZE_MAX, SIZE_MAX), WIRE_BAD);
    }
}

struct string_case {
    uint16_t len, max_len;
    uint32_t referent, max_count, offset, actual_count;
    size_t n_bytes;
    enum wire_result header, body;
};

static void string_case_run(const struct string_case *test)
{
    uint8_t room[256], object[64];
    struct writer writer = writer_fixed(object, sizeof(object));
    struct ndr_string string;
    struct slice utf16 = {NULL, 99};
    struct ndr ndr;

    writer_u16le(&writer, test->len);
    writer_u16le(&writer, test->max_len);
    writer_u32le(&writer, test->referent);
    writer_u32le(&writer, test->max_count);
    writer_u32le(&writer, test->offset);
    writer_u32le(&writer, test->actual_count);
    writer_bytes(&writer, "a\0b\0c\0d\0", test->n_bytes);
    ndr = opened(room, object, writer.len);
    assert_int_equal(ndr_string_header(&ndr, &string), test->header);
    if (test->header != WIRE_OK) {
        assert_int_equal(reader_left(&ndr.reader), ndr.len);
        return;
    }
    assert_int_equal(ndr_string_body(&ndr, &string, &utf16), test->body);
    if (test->body != WIRE_OK) {
        assert_int_equal(utf16.len, 99);
        assert_int_equal(reader_left(&ndr.reader), ndr.len - 8);
        return;
    }
    assert_int_equal(utf16.len, test->len);
    assert_int_equal(memcmp(test->len != 0 ? (const void *)utf16.data : "", "a\0b\0c\0d\0", test->len), 0);
}

static void strings_agree_with_themselves(void **state)
{
    static const struct string_case cases[] = {
        {4, 4, 1, 2, 0, 2, 4, WIRE_OK, WIRE_OK},
        {4, 8, 1, 4, 0, 2, 4, WIRE_OK, WIRE_OK}, /* room for more */
        {0, 0, 1, 0, 0, 0, 0, WIRE_OK, WIRE_OK},
        {0, 0, 0, 9, 9, 9, 0, WIRE_OK, WIRE_OK}, /* null: the counts are somebody else's */
        {0, 8, 0, 0, 0, 0, 0, WIRE_OK, WIRE_OK},
        {3, 4, 1, 2, 0, 2, 4, WIRE_BAD, WIRE_BAD}, /* half a character */
        {2, 5, 1, 2, 0, 1, 4, WIRE_BAD, WIRE_BAD},
        {6, 4, 1, 2, 0, 3, 6, WIRE_BAD, WIRE_BAD}, /* longer than its maximum */
        {4, 4, 0, 2, 0, 2, 4, WIRE_BAD, WIRE_BAD}, /* null, with characters */
        {4, 4, 1, 3, 0, 2, 4, WIRE_OK, WIRE_BAD},  /* three counts that disagree with the header */
        {4, 4, 1, 2, 1, 2, 4, WIRE_OK, WIRE_BAD},
        {4, 4, 1, 2, 0, 1, 4, WIRE_OK, WIRE_BAD},
        {4, 4, 1, 2, 0, 3, 6, WIRE_OK, WIRE_BAD},
        {4, 4, 1, 0x80000002, 0, 0x80000002, 4, WIRE_OK, WIRE_BAD}, /* twice it is 4 in 32 bits */
        {4, 4, 1, 2, 0xffffffff, 2, 4, WIRE_OK, WIRE_BAD},
        {4, 4, 1, 2, 0, 2, 3, WIRE_OK, WIRE_SHORT},
        {0xfffe, 0xfffe, 1, 0x7fff, 0, 0x7fff, 8, WIRE_OK, WIRE_SHORT},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        string_case_run(&cases[i]);
}

/* A string's header is aligned as its pointer is, not as its first member. */
static void string_headers_are_aligned(void **state)
{
    static const uint8_t object[] = {0x01, 0x00, 0xee, 0xee, 0x04, 0x00, 0x06, 0x00, 0x01, 0x00, 0x02, 0x00};
    uint8_t room[256];
    struct ndr ndr = opened(room, object, sizeof(object));
    struct ndr_string string;
    uint16_t u16;

    (void)state;
    assert_int_equal(ndr_u16(&ndr, &u16), WIRE_OK);
    assert_int_equal(ndr_string_header(&ndr, &string), WIRE_OK);
    assert_int_equal(string.len, 4);
    assert_int_equal(string.max_len, 6);
    assert_true(string.present);
    assert_int_equal(reader_left(&ndr.reader), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_read),
        cmocka_unit_test(other_headers_are_refused),
        cmocka_unit_test(primitives_are_aligned),
        cmocka_unit_test(failures_do_not_move),
        cmocka_unit_test(pointers_are_null_or_not),
        cmocka_unit_test(arrays_hold_what_they_say),
        cmocka_unit_test(strings_agree_with_themselves),
        cmocka_unit_test(string_headers_are_aligned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
