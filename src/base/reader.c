#include "base/reader.h"

#include <string.h>

struct slice reader_rest(const struct reader *reader)
{
    return slice_of(reader->at, reader_left(reader));
}

enum wire_result reader_u64le(struct reader *reader, uint64_t *value)
{
    const uint8_t *from = reader_take(reader, 8);
    uint64_t number;

    require(from != NULL, WIRE_SHORT);
    memcpy(&number, from, sizeof number);
    *value = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? __builtin_bswap64(number) : number;
    return WIRE_OK;
}

enum wire_result reader_u16be(struct reader *reader, uint16_t *value)
{
    const uint8_t *from = reader_take(reader, 2);

    require(from != NULL, WIRE_SHORT);
    *value = (uint16_t)(from[0] << 8 | from[1]);
    return WIRE_OK;
}

enum wire_result reader_u32be(struct reader *reader, uint32_t *value)
{
    const uint8_t *from = reader_take(reader, 4);

    require(from != NULL, WIRE_SHORT);
    *value = (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | (uint32_t)from[3];
    return WIRE_OK;
}

enum wire_result reader_u64be(struct reader *reader, uint64_t *value)
{
    const uint8_t *from = reader_take(reader, 8);
    uint64_t number;

    require(from != NULL, WIRE_SHORT);
    memcpy(&number, from, sizeof number);
    *value = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? number : __builtin_bswap64(number);
    return WIRE_OK;
}

enum wire_result reader_copy(struct reader *reader, void *to, size_t len)
{
    require(len <= reader_left(reader), WIRE_SHORT);
    if (len != 0)
        memcpy(to, reader_take(reader, len), len);
    return WIRE_OK;
}

enum wire_result reader_skip(struct reader *reader, size_t len)
{
    require(len <= reader_left(reader), WIRE_SHORT);
    (void)reader_take(reader, len);
    return WIRE_OK;
}

enum wire_result reader_expect(struct reader *reader, const void *expected, size_t len)
{
    size_t left = reader_left(reader);
    size_t known_len = len < left ? len : left;

    /* A prefix that already differs can not be mended by more bytes. */
    require(known_len == 0 || memcmp(reader->at, expected, known_len) == 0, WIRE_BAD);
    return reader_skip(reader, len);
}

enum wire_result reader_end(const struct reader *reader)
{
    return reader->at == reader->end ? WIRE_OK : WIRE_BAD;
}

enum wire_result slice_at(struct slice whole, size_t offset, size_t len, struct slice *piece)
{
    if (len == 0) {
        *piece = slice_of(whole.data, 0);
        return WIRE_OK;
    }
    /* Compared by subtraction: offset + len may wrap (CVE-2018-8789, CVE-2020-11086 and kin). */
    require(offset <= whole.len && len <= whole.len - offset, WIRE_BAD);
    *piece = slice_of(whole.data + offset, len);
    return WIRE_OK;
}
