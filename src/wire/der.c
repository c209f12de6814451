/* X.690: basic encoding rules (clause 8) as far as the distinguished ones (clauses 9 to 11) leave a choice. */
#include "wire/der.h"

#include <string.h>

#define TAG_NUMBER_MASK \
    0x1f /* all ones: the number follows in more bytes (X.690 8.1.2.4), which no protocol here uses */
#define LENGTH_LONG 0x80
#define LENGTH_OCTETS_MAX \
    4 /* 4 GiB; no token comes near it, and the arithmetic stays inside size_t with room to spare */
#define INTEGER_LEN_MAX 8

/* 0 is the end-of-contents mark of indefinite lengths (8.1.5), which DER does not have (10.1). */
static bool identifier_is_good(uint8_t identifier)
{
    return identifier != 0 && (identifier & TAG_NUMBER_MASK) != TAG_NUMBER_MASK;
}

/* The octets behind the length's first one. */
static enum wire_result long_length_read(struct reader *reader, uint8_t first, size_t *content_len)
{
    unsigned n_octets = first & 0x7f;
    uint64_t len = 0;
    uint8_t octet;

    require(n_octets >= 1 && n_octets <= LENGTH_OCTETS_MAX, WIRE_BAD);
    for (unsigned i = 0; i < n_octets; i++) {
        try(reader_u8(reader, &octet));
        require(i != 0 || octet != 0, WIRE_BAD); /* 10.1: the fewest octets */
        len = len << 8 | octet;
    }
    require(len >= LENGTH_LONG, WIRE_BAD);
    require(len <= PTRDIFF_MAX - 2 - LENGTH_OCTETS_MAX, WIRE_BAD);
    *content_len = (size_t)len;
    return WIRE_OK;
}

/* X.690 8.1.2 and 8.1.3: identifier and length. Length alone is judged; whether the content is there is the caller's question. */
static enum wire_result header_read(struct reader *reader, uint8_t *tag, size_t *content_len)
{
    uint8_t first;

    try(reader_u8(reader, tag));
    require(identifier_is_good(*tag), WIRE_BAD);
    try(reader_u8(reader, &first));
    if (__builtin_expect(first >= LENGTH_LONG, 0))
        return long_length_read(reader, first, content_len);
    *content_len = first;
    return WIRE_OK;
}

enum wire_result der_read_any(struct reader *reader, uint8_t *tag, struct slice *content)
{
    struct reader ahead = *reader;
    uint8_t identifier;
    size_t len;

    try(header_read(&ahead, &identifier, &len));
    try(reader_bytes(&ahead, len, content));
    *tag = identifier;
    *reader = ahead;
    return WIRE_OK;
}

bool der_peek(const struct reader *reader, uint8_t tag)
{
    return reader_left(reader) != 0 && reader->at[0] == tag;
}

/* Is the element at `at` whole, and its length in up to two octets of the shortest form? So are nearly all; the others are for der_read_any to judge.
 * */
static inline bool whole_head(const uint8_t *at, size_t left, size_t *head_len, size_t *len)
{
    if (left >= 2 && at[1] < LENGTH_LONG) {
        *head_len = 2;
        *len = at[1];
    } else if (left >= 3 && at[1] == (LENGTH_LONG | 1) && at[2] >= LENGTH_LONG) {
        *head_len = 3;
        *len = at[2];
    } else if (left >= 4 && at[1] == (LENGTH_LONG | 2) && at[2] != 0) {
        *head_len = 4;
        *len = (size_t)at[2] << 8 | at[3];
    } else
        return false;
    return *len <= left - *head_len;
}

enum wire_result der_read(struct reader *reader, uint8_t tag, struct slice *content)
{
    const uint8_t *at = reader->at;
    size_t left = reader_left(reader), head_len, len;
    uint8_t identifier;

    require(left != 0, WIRE_SHORT);
    require(at[0] == tag, WIRE_BAD);
    if (identifier_is_good(tag) && whole_head(at, left, &head_len, &len)) {
        *content = slice_of(at + head_len, len);
        (void)reader_take(reader, head_len + len);
        return WIRE_OK;
    }
    return der_read_any(reader, &identifier, content);
}

enum wire_result der_read_optional(struct reader *reader, uint8_t tag, struct slice *content, bool *present)
{
    if (!der_peek(reader, tag)) {
        *present = false;
        return WIRE_OK;
    }
    try(der_read(reader, tag, content));
    *present = true;
    return WIRE_OK;
}

/* X.690 8.3: two's complement, and the first nine bits are not all alike. */
static enum wire_result integer_decode(struct slice content, int64_t *value)
{
    uint64_t sum;

    require(content.len >= 1 && content.len <= INTEGER_LEN_MAX, WIRE_BAD);
    if (content.len >= 2) {
        require(content.data[0] != 0x00 || content.data[1] >= 0x80, WIRE_BAD);
        require(content.data[0] != 0xff || content.data[1] < 0x80, WIRE_BAD);
    }
    sum = content.data[0] >= 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < content.len; i++)
        sum = sum << 8 | content.data[i];
    *value = (int64_t)sum;
    return WIRE_OK;
}

enum wire_result der_only(struct slice bytes, uint8_t tag, struct slice *content)
{
    struct reader reader = reader_of(bytes);

    require(der_read(&reader, tag, content) == WIRE_OK && reader_left(&reader) == 0, WIRE_BAD);
    return WIRE_OK;
}

enum wire_result der_field_read(struct reader *fields, unsigned number, uint8_t tag, struct slice *content)
{
    struct slice outer;
    bool present;

    require(der_read_optional(fields, (uint8_t)DER_CONTEXT(number), &outer, &present) == WIRE_OK, WIRE_BAD);
    return present ? der_only(outer, tag, content) : WIRE_OK;
}

enum wire_result der_read_integer(struct reader *reader, uint8_t tag, int64_t *value)
{
    struct reader ahead = *reader;
    struct slice content;

    try(der_read(&ahead, tag, &content));
    try(integer_decode(content, value));
    *reader = ahead;
    return WIRE_OK;
}

enum wire_result der_total_len(struct slice input, size_t *total)
{
    struct reader reader = reader_of(input);
    uint8_t tag;
    size_t len;

    try(header_read(&reader, &tag, &len));
    *total = input.len - reader_left(&reader) + len;
    return WIRE_OK;
}

/* One byte of length is kept free; der_end moves the content when it turns out longer. */
struct der_mark der_begin(struct writer *writer, uint8_t tag)
{
    uint8_t *head = writer_room(writer, 2);

    if (head != NULL) {
        head[0] = tag;
        head[1] = 0;
    }
    return (struct der_mark){.at = writer->len};
}

/* Bytes that the length takes after its first one; `octets` gets them, most significant first. */
static size_t length_octets(size_t len, uint8_t octets[sizeof(size_t)])
{
    size_t n_octets = 0;

    if (len < LENGTH_LONG)
        return 0;
    for (size_t rest = len; rest != 0; rest >>= 8)
        n_octets++;
    for (size_t i = 0; i < n_octets; i++)
        octets[i] = (uint8_t)(len >> 8 * (n_octets - 1 - i));
    return n_octets;
}

void der_end(struct writer *writer, struct der_mark mark)
{
    uint8_t octets[sizeof(size_t)];
    size_t len, n_octets;

    if (writer->failed)
        return;
    if (mark.at < 2 || mark.at > writer->len) {
        writer->failed = true;
        return;
    }
    len = writer->len - mark.at;
    n_octets = length_octets(len, octets);
    if (n_octets == 0) {
        writer->data[mark.at - 1] = (uint8_t)len;
        return;
    }
    if (writer_room(writer, n_octets) == NULL)
        return;
    memmove(writer->data + mark.at + n_octets, writer->data + mark.at, len);
    memcpy(writer->data + mark.at, octets, n_octets);
    writer->data[mark.at - 1] = (uint8_t)(LENGTH_LONG | n_octets);
}

void der_head(struct writer *writer, uint8_t tag, size_t content_len)
{
    size_t n_octets = der_len(content_len) - content_len - 2;
    uint8_t *head = content_len <= WRITER_GROW_LIMIT ? writer_room(writer, 2 + n_octets) : NULL;

    writer->failed = writer->failed || head == NULL;
    if (head == NULL)
        return;
    *head++ = tag;
    *head++ = n_octets == 0 ? (uint8_t)content_len : (uint8_t)(LENGTH_LONG | n_octets);
    while (n_octets > 0)
        *head++ = (uint8_t)(content_len >> 8 * --n_octets);
}

void der_write(struct writer *writer, uint8_t tag, struct slice content)
{
    der_head(writer, tag, content.len);
    writer_slice(writer, content);
}

void der_write_integer(struct writer *writer, uint8_t tag, int64_t value)
{
    uint64_t bits = (uint64_t)(value < 0 ? ~value : value);
    size_t len = 1;

    while (bits >> (8 * len - 1) != 0) /* X.690 8.3.2: leading bytes that only repeat the sign stay away */
        len++;
    der_head(writer, tag, len);
    uint8_t *to = writer_room(writer, len);
    for (size_t i = 0; to != NULL && i < len; i++)
        to[i] = (uint8_t)((uint64_t)value >> 8 * (len - 1 - i));
}

/* RFC 2743, section 3.1. */
enum wire_result gss_frame_read(struct slice token, struct slice *mech, struct slice *inner)
{
    struct reader outer = reader_of(token), frame;
    struct slice content, oid;

    try(der_read(&outer, DER_APPLICATION(0), &content));
    try(reader_end(&outer));
    /* The frame is whole: whatever is missing inside it, more bytes would not mend. */
    frame = reader_of(content);
    require(der_read(&frame, DER_OID, &oid) == WIRE_OK && oid.len != 0, WIRE_BAD);
    *mech = oid;
    *inner = reader_rest(&frame);
    return WIRE_OK;
}

void gss_frame_begin(struct writer *writer, struct slice mech, size_t inner_len)
{
    der_head(writer, DER_APPLICATION(0), der_len(mech.len) + inner_len);
    der_write(writer, DER_OID, mech);
}
