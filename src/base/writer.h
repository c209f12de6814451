/*
 * The only way output is written: a bounded buffer, fixed or growing, that back-fills lengths.
 * A write that does not fit sets `failed`, which stays set; it is checked once, by writer_finish.
 */
#ifndef OPENSSPI_BASE_WRITER_H
#define OPENSSPI_BASE_WRITER_H

#include "base/result.h"
#include "base/slice.h"

#include <string.h>

struct writer {
    uint8_t *data;
    size_t len, max; /* bytes written; bytes there are room for */
    bool growing;    /* may move; data is ours, unless */
    bool lent;       /* it is the caller's still */
    bool failed;
};

/* Writes into the caller's `room`. Needs no release. */
struct writer writer_fixed(void *room, size_t max);
/* Grows as needed up to WRITER_GROW_LIMIT; `expected` bytes are taken at the first write. Release with
 * writer_release, which wipes: what was written may be secret. */
#define WRITER_GROW_LIMIT ((size_t)16 << 20) /* nothing the library encodes comes near it */
struct writer writer_growing(size_t expected);
/* The same, and begins in the caller's `room`, which outlives it: most of what is written is short, and then nothing is allocated. Such a writer
 * is not kept beyond the room's life, nor is a copy of it: what is to stay is written into one that grows. */
struct writer writer_lent(void *room, size_t max);
/* `len` more bytes are to come: a growing writer that has nothing yet takes no less at its first write. Changes nothing else. */
void writer_expect(struct writer *writer, size_t len);
void writer_release(struct writer *writer);
#define AUTO_WRITER __attribute__((cleanup(writer_release)))

/* For writer_room alone: what it does where the bytes do not simply fit. */
uint8_t *writer_room_slow(struct writer *writer, size_t len);
/* Appends `len` bytes for the caller to fill; NULL when they do not fit. Valid until the next write. */
static inline uint8_t *writer_room(struct writer *writer, size_t len)
{
    uint8_t *room;

    if (__builtin_expect(writer->failed || writer->data == NULL || len > writer->max - writer->len, 0))
        return writer_room_slow(writer, len);
    room = writer->data + writer->len;
    writer->len += len;
    return room;
}

static inline void writer_u8(struct writer *writer, uint8_t value)
{
    uint8_t *to = writer_room(writer, 1);

    if (to != NULL)
        *to = value;
}

/* For writers alone: an integer of `len` bytes, whatever the alignment and the host's byte order. A loop over the bytes would say it more plainly,
 * but not every compiler makes one store of that. */
static inline void writer_put_le(uint8_t *to, uint64_t value, size_t len)
{
    if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
        value = __builtin_bswap64(value);
    memcpy(to, &value, len);
}

static inline void writer_le(struct writer *writer, uint64_t value, size_t len)
{
    uint8_t *to = writer_room(writer, len);

    if (to != NULL)
        writer_put_le(to, value, len);
}

static inline void writer_u16le(struct writer *writer, uint16_t value)
{
    writer_le(writer, value, 2);
}

static inline void writer_u32le(struct writer *writer, uint32_t value)
{
    writer_le(writer, value, 4);
}

static inline void writer_u64le(struct writer *writer, uint64_t value)
{
    writer_le(writer, value, 8);
}

void writer_u16be(struct writer *writer, uint16_t value);
void writer_u32be(struct writer *writer, uint32_t value);
void writer_u64be(struct writer *writer, uint64_t value);
void writer_bytes(struct writer *writer, const void *data, size_t len);
void writer_slice(struct writer *writer, struct slice bytes);
void writer_zeros(struct writer *writer, size_t len);
/* Overwrites bytes written before, at `offset`; out of range sets failed. */
void writer_patch_u16le(struct writer *writer, size_t offset, uint16_t value);
void writer_patch_u32le(struct writer *writer, size_t offset, uint32_t value);
void writer_patch_bytes(struct writer *writer, size_t offset, const void *data, size_t len);
/* WIRE_BAD when anything did not fit. */
MUST_USE enum wire_result writer_finish(const struct writer *writer);
struct slice writer_slice_of(const struct writer *writer);
/* Hands the growing buffer over, of writer_lent a copy: the caller frees it with mem_free. The writer is empty afterwards. NULL, and nothing changed,
 * when the writer has failed or is fixed; a writer to which nothing was written still gives a block. */
uint8_t *writer_steal(struct writer *writer, size_t *len);

#endif
