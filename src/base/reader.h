/*
 * The only way input is read: a bounded slice with a cursor. A getter that fails leaves reader and output untouched.
 */
#ifndef OPENSSPI_BASE_READER_H
#define OPENSSPI_BASE_READER_H

#include "base/result.h"
#include "base/slice.h"

struct reader {
    const uint8_t *at, *end;
};

/* What every parser calls for every few bytes stands here, for compilers to put in place. */
static inline struct reader reader_of(struct slice input)
{
    /* NULL + 0 is undefined, and an empty slice may hold NULL. */
    return (struct reader){.at = input.data, .end = input.len != 0 ? input.data + input.len : input.data};
}

static inline size_t reader_left(const struct reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

/* For the getters alone, and the one place that moves the cursor: gives where `len` bytes begin, or NULL when fewer are left. */
static inline const uint8_t *reader_take(struct reader *reader, size_t len)
{
    const uint8_t *from = reader->at;

    if (len > reader_left(reader) || len == 0)
        return NULL;
    reader->at = from + len;
    return from;
}

/* What is left, without moving the cursor. */
struct slice reader_rest(const struct reader *reader);

/* Each answers WIRE_SHORT when fewer bytes are left than it needs. */
MUST_USE static inline enum wire_result reader_u8(struct reader *reader, uint8_t *value)
{
    const uint8_t *from = reader_take(reader, 1);

    require(from != NULL, WIRE_SHORT);
    *value = from[0];
    return WIRE_OK;
}

MUST_USE static inline enum wire_result reader_u16le(struct reader *reader, uint16_t *value)
{
    const uint8_t *from = reader_take(reader, 2);

    require(from != NULL, WIRE_SHORT);
    *value = (uint16_t)(from[0] | from[1] << 8);
    return WIRE_OK;
}

MUST_USE static inline enum wire_result reader_u32le(struct reader *reader, uint32_t *value)
{
    const uint8_t *from = reader_take(reader, 4);

    require(from != NULL, WIRE_SHORT);
    *value = (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
    return WIRE_OK;
}

MUST_USE enum wire_result reader_u64le(struct reader *reader, uint64_t *value);
MUST_USE enum wire_result reader_u16be(struct reader *reader, uint16_t *value);
MUST_USE enum wire_result reader_u32be(struct reader *reader, uint32_t *value);
MUST_USE enum wire_result reader_u64be(struct reader *reader, uint64_t *value);
MUST_USE static inline enum wire_result reader_bytes(struct reader *reader, size_t len, struct slice *bytes)
{
    require(len <= reader_left(reader), WIRE_SHORT);
    *bytes = slice_of(reader->at, len);
    (void)reader_take(reader, len);
    return WIRE_OK;
}

/* Copies `len` bytes out. */
MUST_USE enum wire_result reader_copy(struct reader *reader, void *to, size_t len);
MUST_USE enum wire_result reader_skip(struct reader *reader, size_t len);
/* Compares the next bytes with `expected`: WIRE_BAD when those that are there differ, WIRE_SHORT when they agree but are too few. */
MUST_USE enum wire_result reader_expect(struct reader *reader, const void *expected, size_t len);
/* WIRE_BAD unless everything was read. */
MUST_USE enum wire_result reader_end(const struct reader *reader);

/* A piece of a whole message named by offset and length as the wire gives them: overflow-safe, WIRE_BAD when any
 * of it lies outside. An empty piece is fine at any offset. */
MUST_USE enum wire_result slice_at(struct slice whole, size_t offset, size_t len, struct slice *piece);

#endif
