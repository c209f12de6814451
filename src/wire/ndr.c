#include "wire/ndr.h"

#define SERIALIZATION_VERSION 1
#define LITTLE_ENDIAN_ASCII \
    0x10 /* MS-RPCE 2.2.6.1: the only order a KDC of today writes; 0x00, big-endian, is refused */
#define COMMON_HEADER_LEN 8
#define OBJECT_ALIGNMENT 8 /* MS-RPCE 2.2.6.2: an object is padded to a multiple of it */

/* MS-RPCE 2.2.6.1, 2.2.6.2 */
enum wire_result ndr_open(struct slice stream, struct ndr *ndr)
{
    struct reader reader = reader_of(stream);
    struct slice object;
    uint8_t version, order;
    uint16_t header_len;
    uint32_t object_len;

    try(reader_u8(&reader, &version));
    try(reader_u8(&reader, &order));
    try(reader_u16le(&reader, &header_len));
    require(version == SERIALIZATION_VERSION && order == LITTLE_ENDIAN_ASCII && header_len == COMMON_HEADER_LEN,
            WIRE_BAD);
    try(reader_skip(&reader, 4));
    try(reader_u32le(&reader, &object_len));
    try(reader_skip(&reader, 4));
    try(reader_bytes(&reader, object_len, &object));
    require(reader_left(&reader) < OBJECT_ALIGNMENT, WIRE_BAD);
    *ndr = (struct ndr){.reader = reader_of(object), .len = object.len};
    return WIRE_OK;
}

enum wire_result ndr_end(const struct ndr *ndr)
{
    return reader_left(&ndr->reader) < OBJECT_ALIGNMENT ? WIRE_OK : WIRE_BAD;
}

/* C706 14.2.2: `alignment` is a power of two. */
static enum wire_result align(struct ndr *ndr, size_t alignment)
{
    size_t done = ndr->len - reader_left(&ndr->reader);

    return reader_skip(&ndr->reader, (alignment - done % alignment) % alignment);
}

/* C706 14.2.5 */
enum wire_result ndr_u16(struct ndr *ndr, uint16_t *value)
{
    struct ndr ahead = *ndr;

    try(align(&ahead, sizeof(*value)));
    try(reader_u16le(&ahead.reader, value));
    *ndr = ahead;
    return WIRE_OK;
}

enum wire_result ndr_u32(struct ndr *ndr, uint32_t *value)
{
    struct ndr ahead = *ndr;

    try(align(&ahead, sizeof(*value)));
    try(reader_u32le(&ahead.reader, value));
    *ndr = ahead;
    return WIRE_OK;
}

enum wire_result ndr_bytes(struct ndr *ndr, size_t len, struct slice *bytes)
{
    return reader_bytes(&ndr->reader, len, bytes);
}

enum wire_result ndr_filetime(struct ndr *ndr, int64_t *time)
{
    struct ndr ahead = *ndr;
    uint32_t low, high;

    try(ndr_u32(&ahead, &low));
    try(ndr_u32(&ahead, &high));
    *time = (int64_t)((uint64_t)high << 32 | low);
    *ndr = ahead;
    return WIRE_OK;
}

/* C706 14.3.10 */
enum wire_result ndr_pointer(struct ndr *ndr, bool *present)
{
    uint32_t referent;

    try(ndr_u32(ndr, &referent));
    *present = referent != 0;
    return WIRE_OK;
}

/* C706 14.3.3.2 */
enum wire_result ndr_array(struct ndr *ndr, uint32_t expected, size_t limit, size_t element_len)
{
    struct ndr ahead = *ndr;
    uint32_t max_count;

    try(ndr_u32(&ahead, &max_count));
    require(max_count == expected && max_count <= limit, WIRE_BAD);
    /* By division: the product may wrap where size_t has 32 bits (CVE-2022-42898 and kin). */
    require(max_count <= reader_left(&ahead.reader) / element_len, WIRE_BAD);
    *ndr = ahead;
    return WIRE_OK;
}

/* MS-DTYP 2.3.10 */
enum wire_result ndr_string_header(struct ndr *ndr, struct ndr_string *string)
{
    struct ndr ahead = *ndr;
    struct ndr_string read = {0};

    /* The structure is aligned as its largest member, the pointer. */
    try(align(&ahead, 4));
    try(ndr_u16(&ahead, &read.len));
    try(ndr_u16(&ahead, &read.max_len));
    try(ndr_pointer(&ahead, &read.present));
    require(read.len % 2 == 0 && read.max_len % 2 == 0 && read.len <= read.max_len, WIRE_BAD);
    require(read.present || read.len == 0, WIRE_BAD);
    *ndr = ahead;
    *string = read;
    return WIRE_OK;
}

/* C706 14.3.3.4: maximum count, offset, actual count, elements. */
enum wire_result ndr_string_body(struct ndr *ndr, const struct ndr_string *string, struct slice *utf16)
{
    struct ndr ahead = *ndr;
    uint32_t max_count, offset, actual_count;

    if (!string->present) {
        *utf16 = slice_of(NULL, 0);
        return WIRE_OK;
    }
    try(ndr_u32(&ahead, &max_count));
    try(ndr_u32(&ahead, &offset));
    try(ndr_u32(&ahead, &actual_count));
    require(max_count == string->max_len / 2 && offset == 0 && actual_count == string->len / 2, WIRE_BAD);
    try(ndr_bytes(&ahead, string->len, utf16));
    *ndr = ahead;
    return WIRE_OK;
}
