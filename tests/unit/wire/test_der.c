#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "wire/der.h"

#include <string.h>

static void element_is_read_and_borrowed(void **state)
{
    static const uint8_t input[] = {0x04, 0x03, 'a', 'b', 'c', 0x05, 0x00};
    struct reader reader = reader_of(slice_of(input, sizeof(input)));
    struct slice content;
    uint8_t tag;

    (void)state;
    assert_true(der_peek(&reader, DER_OCTET_STRING));
    assert_int_equal(der_read(&reader, DER_OCTET_STRING, &content), WIRE_OK);
    assert_ptr_equal(content.data, input + 2);
    assert_int_equal(content.len, 3);
    assert_false(der_peek(&reader, DER_OCTET_STRING));
    assert_int_equal(der_read_any(&reader, &tag, &content), WIRE_OK);
    assert_int_equal(tag, DER_NULL);
    assert_int_equal(content.len, 0);
    assert_int_equal(reader_end(&reader), WIRE_OK);
    assert_false(der_peek(&reader, DER_NULL));
}

static void element_alone_and_field_of_one(void **state)
{
    static const uint8_t fields[] = {0xa1, 0x03, 0x04, 0x01, 'x', 0xa2, 0x04, 0x04, 0x01, 'y', 0x00};
    struct reader reader = reader_of(slice_of(fields, 5));
    struct slice content = {0};

    (void)state;
    assert_int_equal(der_only(slice_of(fields + 2, 3), DER_OCTET_STRING, &content), WIRE_OK);
    assert_int_equal(content.len, 1);
    assert_int_equal(der_only(slice_of(fields + 2, 4), DER_OCTET_STRING, &content), WIRE_BAD); /* something behind it */
    assert_int_equal(der_only(slice_of(fields + 2, 2), DER_OCTET_STRING, &content), WIRE_BAD); /* cut */
    assert_int_equal(der_only(slice_of(fields + 2, 3), DER_OID, &content), WIRE_BAD);
    content = slice_of("kept", 4);
    assert_int_equal(der_field_read(&reader, 0, DER_OCTET_STRING, &content), WIRE_OK); /* missing */
    assert_int_equal(content.len, 4);
    assert_int_equal(der_field_read(&reader, 1, DER_OCTET_STRING, &content), WIRE_OK);
    assert_int_equal(content.len, 1);
    assert_int_equal(content.data[0], 'x');
    assert_int_equal(reader_end(&reader), WIRE_OK);
    reader = reader_of(slice_of(fields + 5, 6)); /* two things in the field */
    assert_int_equal(der_field_read(&reader, 2, DER_OCTET_STRING, &content), WIRE_BAD);
    reader = reader_of(slice_of(fields, 5));
    assert_int_equal(der_field_read(&reader, 1, DER_OID, &content), WIRE_BAD);
}

/* Lengths around every change of form, X.690 8.1.3; and each of them cut at every place in the header and near the end. */
static void lengths_of_every_form(void **state)
{
    static const size_t lens[] = {0, 1, 127, 128, 129, 255, 256, 65535, 65536, 100000};
    static const size_t header_lens[] = {2, 2, 2, 3, 3, 3, 4, 4, 5, 5};
    uint8_t *content_bytes = mem_zalloc(100000);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lens); i++) {
        AUTO_WRITER struct writer writer = writer_growing(0);
        struct slice element, content;
        struct reader reader;
        size_t total;

        memset(content_bytes, (int)i, lens[i]);
        der_write(&writer, DER_OCTET_STRING, slice_of(content_bytes, lens[i]));
        assert_int_equal(writer_finish(&writer), WIRE_OK);
        element = writer_slice_of(&writer);
        assert_int_equal(element.len, lens[i] + header_lens[i]);
        for (size_t cut = 0; cut < element.len; cut += cut < 300 || cut + 10 > element.len ? 1 : 997) {
            reader = reader_of(slice_of(element.data, cut));
            assert_int_equal(der_read(&reader, DER_OCTET_STRING, &content), WIRE_SHORT);
            assert_int_equal(reader_left(&reader), cut);
            assert_int_equal(der_total_len(slice_of(element.data, cut), &total),
                             cut < header_lens[i] ? WIRE_SHORT : WIRE_OK);
            if (cut >= header_lens[i])
                assert_int_equal(total, element.len);
        }
        reader = reader_of(element);
        assert_int_equal(der_read(&reader, DER_OCTET_STRING, &content), WIRE_OK);
        assert_int_equal(content.len, lens[i]);
        assert_memory_equal(content.data, content_bytes, lens[i]);
        assert_int_equal(reader_end(&reader), WIRE_OK);
    }
    mem_free(content_bytes);
}

static void bad_headers_are_refused(void **state)
{
    static const struct {
        uint8_t bytes[10];
        size_t len;
    } bad[] = {
        {{0x04, 0x80, 0, 0}, 4},    /* indefinite */
        {{0x04, 0xff, 1, 2, 3}, 5}, /* reserved */
        {{0x04, 0x81, 0x7f}, 3},    /* fits the short form */
        {{0x04, 0x81, 0x00}, 3},
        {{0x04, 0x82, 0x00, 0xff}, 4}, /* leading zero */
        {{0x04, 0x82, 0x00}, 3},       /* the same, cut: no byte can mend it */
        {{0x04, 0x83, 0x00, 0x01, 0x00}, 5},
        {{0x04, 0x84, 0x00, 0x01, 0x00, 0x00}, 6},
        {{0x04, 0x85, 0x01, 0x00, 0x00, 0x00, 0x00}, 7}, /* more than 4 GiB */
        {{0x04, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 10},
        {{0x1f, 0x81, 0x01, 0x00}, 4}, /* tag number in further bytes */
        {{0xbf, 0x20, 0x00}, 3},
        {{0x00, 0x00}, 2}, /* end of contents */
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct slice input = slice_of(bad[i].bytes, bad[i].len), content = slice_of(NULL, 77);
        struct reader reader = reader_of(input);
        size_t total = 77;
        uint8_t tag = 77;

        assert_int_equal(der_read_any(&reader, &tag, &content), WIRE_BAD);
        assert_int_equal(der_read(&reader, bad[i].bytes[0], &content), WIRE_BAD);
        assert_int_equal(der_total_len(input, &total), WIRE_BAD);
        assert_int_equal(reader_left(&reader), bad[i].len);
        assert_int_equal(content.len, 77);
        assert_int_equal(total, 77);
        assert_int_equal(tag, 77);
    }
}

/* Heads of every kind over content of every length around theirs: der_read takes the shorter way through many of them, and must not answer otherwise.
 * */
static void both_readers_agree(void **state)
{
    static const uint8_t octets[] = {0x00, 0x01, 0x02, 0x7f, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0xff};
    static const size_t lens[] = {0,    1,    2,     3,     4,     5,     6,     0x81, 0x82,
                                  0x83, 0x84, 0x103, 0x104, 0x105, 0x184, 0x205, 0x300};
    static uint8_t element[0x300];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(octets) * COUNT_OF(octets) * COUNT_OF(octets) * COUNT_OF(lens); i++) {
        size_t len = lens[i % COUNT_OF(lens)], rest = i / COUNT_OF(lens);
        memcpy(element, (const uint8_t[]){DER_SEQUENCE, octets[rest % 11], octets[rest / 11 % 11], octets[rest / 121]},
               4);
        uint8_t *input = mem_dup(element, len), tag; /* of its size, for sanitizers */
        assert_non_null(input);
        struct reader one = reader_of(slice_of(input, len)), other = one;
        struct slice content = {NULL, 7}, expected = {NULL, 7};
        enum wire_result result = der_read_any(&other, &tag, &expected);
        assert_int_equal(der_read(&one, DER_SEQUENCE, &content), result);
        assert_true(one.at == other.at && content.data == expected.data && content.len == expected.len);
        mem_free(input);
    }
}

static void wrong_tag_is_bad_and_missing_is_short(void **state)
{
    struct reader reader = reader_of(slice_of("\x04\x01x", 3));
    struct slice content;
    bool present = true;

    (void)state;
    assert_int_equal(der_read(&reader, DER_SEQUENCE, &content), WIRE_BAD);
    assert_int_equal(der_read_optional(&reader, DER_SEQUENCE, &content, &present), WIRE_OK);
    assert_false(present);
    assert_int_equal(reader_left(&reader), 3);
    assert_int_equal(der_read_optional(&reader, DER_OCTET_STRING, &content, &present), WIRE_OK);
    assert_true(present);
    assert_int_equal(content.len, 1);
    assert_int_equal(der_read(&reader, DER_SEQUENCE, &content), WIRE_SHORT);
    assert_int_equal(der_read_optional(&reader, DER_SEQUENCE, &content, &present), WIRE_OK);
    assert_false(present);
    reader = reader_of(slice_of("\x04\x02x", 3));
    present = true;
    assert_int_equal(der_read_optional(&reader, DER_OCTET_STRING, &content, &present), WIRE_SHORT);
    assert_true(present);
    assert_int_equal(reader_left(&reader), 3);
}

static void integers_go_both_ways_in_their_shortest_form(void **state)
{
    static const struct {
        int64_t value;
        size_t len;
    } integers[] = {
        {0, 1},
        {1, 1},
        {127, 1},
        {128, 2},
        {255, 2},
        {256, 2},
        {32767, 2},
        {32768, 3},
        {-1, 1},
        {-128, 1},
        {-129, 2},
        {-32768, 2},
        {-32769, 3},
        {INT32_MAX, 4},
        {INT32_MIN, 4},
        {INT64_MAX, 8},
        {INT64_MIN, 8},
        {INT64_C(1) << 55, 8},
        {(INT64_C(1) << 55) - 1, 7},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(integers); i++) {
        uint8_t room[16];
        struct writer writer = writer_fixed(room, sizeof(room));
        struct reader reader;
        int64_t value;

        der_write_integer(&writer, DER_ENUMERATED, integers[i].value);
        assert_int_equal(writer_finish(&writer), WIRE_OK);
        assert_int_equal(writer.len, 2 + integers[i].len);
        reader = reader_of(writer_slice_of(&writer));
        assert_int_equal(der_read_integer(&reader, DER_INTEGER, &value), WIRE_BAD);
        assert_int_equal(der_read_integer(&reader, DER_ENUMERATED, &value), WIRE_OK);
        assert_true(value == integers[i].value);
        assert_int_equal(reader_end(&reader), WIRE_OK);
    }
}

/* X.690 8.3.2 */
static void bad_integers_are_refused(void **state)
{
    static const struct {
        uint8_t bytes[12];
        size_t len;
    } bad[] = {
        {{0x02, 0x00}, 2},                                   /* empty */
        {{0x02, 0x02, 0x00, 0x7f}, 4},                       /* superfluous zero */
        {{0x02, 0x02, 0xff, 0x80}, 4},                       /* superfluous sign */
        {{0x02, 0x09, 0x01, 0, 0, 0, 0, 0, 0, 0, 0}, 11},    /* nine bytes */
        {{0x02, 0x09, 0x00, 0x80, 0, 0, 0, 0, 0, 0, 0}, 11}, /* 2^63 */
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct reader reader = reader_of(slice_of(bad[i].bytes, bad[i].len));
        int64_t value = 77;

        assert_int_equal(der_read_integer(&reader, DER_INTEGER, &value), WIRE_BAD);
        assert_int_equal(value, 77);
        assert_int_equal(reader_left(&reader), bad[i].len);
    }
}

/* Nested so that the inner lengths change form while the outer ones are open. */
static void nesting_back_fills_every_length(void **state)
{
    static const size_t lens[] = {0,   100, 122, 123, 124, 125, 126, 127,   128,
                                  250, 251, 252, 253, 254, 255, 256, 65525, 65536};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lens); i++) {
        AUTO_WRITER struct writer writer = writer_growing(0);
        struct der_mark outer = der_begin(&writer, DER_SEQUENCE), middle = der_begin(&writer, DER_CONTEXT(0)), inner;
        struct reader reader;
        struct slice content;
        int64_t value;

        der_write_integer(&writer, DER_INTEGER, 5);
        inner = der_begin(&writer, DER_OCTET_STRING);
        writer_zeros(&writer, lens[i]);
        der_end(&writer, inner);
        der_end(&writer, middle);
        der_write(&writer, DER_BOOLEAN, slice_of("\xff", 1));
        der_end(&writer, outer);
        assert_int_equal(writer_finish(&writer), WIRE_OK);

        reader = reader_of(writer_slice_of(&writer));
        assert_int_equal(der_read(&reader, DER_SEQUENCE, &content), WIRE_OK);
        assert_int_equal(reader_end(&reader), WIRE_OK);
        reader = reader_of(content);
        assert_int_equal(der_read(&reader, DER_CONTEXT(0), &content), WIRE_OK);
        assert_true(der_peek(&reader, DER_BOOLEAN));
        reader = reader_of(content);
        assert_int_equal(der_read_integer(&reader, DER_INTEGER, &value), WIRE_OK);
        assert_int_equal(der_read(&reader, DER_OCTET_STRING, &content), WIRE_OK);
        assert_int_equal(content.len, lens[i]);
        assert_int_equal(reader_end(&reader), WIRE_OK);
    }
}

/* Known before or filled in behind: the same bytes. */
static void known_lengths_are_as_those_filled_in(void **state)
{
    static const size_t lens[] = {0,   1,   121, 122, 123,   124,   125,   126,   127,   128,      251,     252,
                                  253, 254, 255, 256, 65530, 65531, 65534, 65535, 65536, 0xfffff8, 0xfffffc};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lens); i++) {
        AUTO_WRITER struct writer filled = writer_growing(0), known = writer_growing(0);
        struct der_mark outer = der_begin(&filled, DER_SEQUENCE), inner = der_begin(&filled, DER_OCTET_STRING);

        writer_zeros(&filled, lens[i]);
        der_end(&filled, inner);
        der_end(&filled, outer);
        der_head(&known, DER_SEQUENCE, der_len(lens[i]));
        der_head(&known, DER_OCTET_STRING, lens[i]);
        writer_zeros(&known, lens[i]);
        assert_int_equal(writer_finish(&known), writer_finish(&filled));
        if (writer_finish(&known) != WIRE_OK)
            continue; /* longer than any writer */
        assert_int_equal(known.len, der_len(der_len(lens[i])));
        assert_true(slice_equal(writer_slice_of(&known), writer_slice_of(&filled)));
    }
}

static void no_element_is_longer_than_a_writer(void **state)
{
    static const size_t lens[] = {WRITER_GROW_LIMIT + 1, UINT32_MAX, SIZE_MAX - 1, SIZE_MAX};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lens); i++) {
        AUTO_WRITER struct writer writer = writer_growing(0);

        der_head(&writer, DER_SEQUENCE, lens[i]);
        assert_int_equal(writer_finish(&writer), WIRE_BAD);
    }
}

static void writing_without_room_fails(void **state)
{
    uint8_t room[300];

    (void)state;
    for (size_t max = 0; max < 204; max++) {
        struct writer writer = writer_fixed(room, max);
        struct der_mark mark = der_begin(&writer, DER_SEQUENCE);

        writer_zeros(&writer, 201);
        der_end(&writer, mark);
        assert_int_equal(writer_finish(&writer), WIRE_BAD);
        writer = writer_fixed(room, max);
        der_write(&writer, DER_SEQUENCE, slice_of(room, 201));
        assert_int_equal(writer_finish(&writer), WIRE_BAD);
    }
    /* A mark that never was one. */
    for (size_t i = 0; i < 4; i++) {
        struct writer writer = writer_fixed(room, sizeof(room));
        static const size_t marks[] = {0, 1, 5, SIZE_MAX};

        writer_zeros(&writer, 4);
        der_end(&writer, (struct der_mark){.at = marks[i]});
        assert_int_equal(writer_finish(&writer), WIRE_BAD);
    }
}

/* RFC 2743, section 3.1, with SPNEGO's mechanism 1.3.6.1.5.5.2 (RFC 4178). */
static const uint8_t spnego[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x02};

static void gss_frame_goes_both_ways(void **state)
{
    uint8_t room[400], inner_bytes[300] = {1, 2, 3};
    struct slice mech, inner;

    (void)state;
    for (size_t len = 0; len < sizeof(inner_bytes); len++) {
        struct writer writer = writer_fixed(room, sizeof(room));

        gss_frame_begin(&writer, slice_of(spnego, sizeof(spnego)), len);
        writer_bytes(&writer, inner_bytes, len);
        assert_int_equal(writer_finish(&writer), WIRE_OK);
        assert_int_equal(gss_frame_read(writer_slice_of(&writer), &mech, &inner), WIRE_OK);
        assert_true(slice_equal(mech, slice_of(spnego, sizeof(spnego))));
        assert_true(slice_equal(inner, slice_of(inner_bytes, len)));
        for (size_t cut = 0; cut < writer.len; cut++)
            assert_int_equal(gss_frame_read(slice_of(room, cut), &mech, &inner), WIRE_SHORT);
    }
    assert_int_equal(room[0], 0x60);
}

static void bad_gss_frames_are_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } bad[] = {
        {"\x60\x03\x06\x01\x2b\x00", 6},     /* a byte after the frame */
        {"\x61\x03\x06\x01\x2b", 5},         /* another tag */
        {"\x60\x03\x06\x02\x2b", 5},         /* the mechanism longer than the frame */
        {"\x60\x00", 2},                     /* no mechanism */
        {"\x60\x02\x06\x00", 4},             /* an empty one */
        {"\x60\x03\x04\x01\x2b", 5},         /* not an OID */
        {"\x60\x80\x06\x01\x2b\x00\x00", 7}, /* indefinite */
        {"NTLMSSP", 8},
    };
    struct slice mech = slice_of(NULL, 77), inner = slice_of(NULL, 77);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(gss_frame_read(slice_of(bad[i].bytes, bad[i].len), &mech, &inner), WIRE_BAD);
    assert_int_equal(mech.len, 77);
    assert_int_equal(inner.len, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(element_is_read_and_borrowed),
        cmocka_unit_test(element_alone_and_field_of_one),
        cmocka_unit_test(lengths_of_every_form),
        cmocka_unit_test(bad_headers_are_refused),
        cmocka_unit_test(both_readers_agree),
        cmocka_unit_test(wrong_tag_is_bad_and_missing_is_short),
        cmocka_unit_test(integers_go_both_ways_in_their_shortest_form),
        cmocka_unit_test(bad_integers_are_refused),
        cmocka_unit_test(nesting_back_fills_every_length),
        cmocka_unit_test(known_lengths_are_as_those_filled_in),
        cmocka_unit_test(no_element_is_longer_than_a_writer),
        cmocka_unit_test(writing_without_room_fails),
        cmocka_unit_test(gss_frame_goes_both_ways),
        cmocka_unit_test(bad_gss_frames_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
