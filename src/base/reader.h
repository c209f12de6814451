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

struct reader reader_of(struct slice input);
size_t reader_left(const struct reader *reader);
/* What is left, without moving the cursor. */
struct slice reader_rest(const struct reader *reader);

/* Each answers WIRE_SHORT when fewer bytes are left than it needs. */
MUST_USE enum wire_result reader_u8(struct reader *reader, uint8_t *value);
MUST_USE enum wire_result reader_u16le(struct reader *reader, uint16_t *value);
MUST_USE enum wire_result reader_u32le(struct reader *reader, uint32_t *value);
MUST_USE enum wire_result reader_u64le(struct reader *reader, uint64_t *value);
MUST_USE enum wire_result reader_u16be(struct reader *reader, uint16_t *value);
MUST_USE enum wire_result reader_u32be(struct reader *reader, uint32_t *value);
MUST_USE enum wire_result reader_u64be(struct reader *reader, uint64_t *value);
MUST_USE enum wire_result reader_bytes(struct reader *reader, size_t len, struct slice *bytes);
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
