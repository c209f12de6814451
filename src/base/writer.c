#include "base/writer.h"

#include "base/memory.h"
#include "base/secret.h"

#include <string.h>

/* The first allocation of a growing writer that was told nothing better: most tokens fit. */
#define WRITER_FIRST_MAX ((size_t)256)

struct writer writer_fixed(void *room, size_t max)
{
    return (struct writer){.data = room, .max = room != NULL ? max : 0};
}

struct writer writer_growing(size_t expected)
{
    return (struct writer){.max = expected, .growing = true};
}

struct writer writer_lent(void *room, size_t max)
{
    return (struct writer){.data = room, .max = max, .growing = true, .lent = true};
}

void writer_expect(struct writer *writer, size_t len)
{
    if (writer->growing && writer->data == NULL && len > writer->max && len <= WRITER_GROW_LIMIT)
        writer->max = len;
}

void writer_release(struct writer *writer)
{
    if (writer == NULL)
        return;
    if (writer->growing && writer->data != NULL) {
        secret_wipe(writer->data, writer->len);
        if (!writer->lent)
            mem_free(writer->data);
    }
    *writer = (struct writer){.data = NULL, .growing = writer->growing};
}

/* Makes room for `len` more bytes. Not by realloc, which may leave the old bytes behind unwiped. */
static bool writer_grow(struct writer *writer, size_t len)
{
    size_t max = writer->data != NULL ? 2 * writer->max : writer->max;
    uint8_t *data;

    if (!writer->growing || len > WRITER_GROW_LIMIT - writer->len)
        return false;
    if (max < WRITER_FIRST_MAX && writer->data != NULL)
        max = WRITER_FIRST_MAX;
    if (max < writer->len + len)
        max = writer->len + len;
    if (max > WRITER_GROW_LIMIT)
        max = WRITER_GROW_LIMIT;
    if (max == 0)
        max = WRITER_FIRST_MAX;
    data = mem_zalloc(max);
    if (data == NULL)
        return false;
    if (writer->data != NULL) {
        memcpy(data, writer->data, writer->len);
        secret_wipe(writer->data, writer->len);
        if (!writer->lent)
            mem_free(writer->data);
    }
    writer->lent = false;
    writer->data = data;
    writer->max = max;
    return true;
}

uint8_t *writer_room_slow(struct writer *writer, size_t len)
{
    if (writer->failed)
        return NULL;
    if (writer->data == NULL || len > writer->max - writer->len) {
        if (len == 0 && !writer->growing)
            return writer->data;
        if (!writer_grow(writer, len)) {
            writer->failed = true;
            return NULL;
        }
    }
    writer->len += len;
    return writer->data + (writer->len - len);
}

static void put_be(uint8_t *to, uint64_t value, size_t len)
{
    writer_put_le(to, __builtin_bswap64(value) >> (64 - 8 * len), len);
}

static void write_be(struct writer *writer, uint64_t value, size_t len)
{
    uint8_t *to = writer_room(writer, len);

    if (to != NULL)
        put_be(to, value, len);
}

void writer_u16be(struct writer *writer, uint16_t value)
{
    write_be(writer, value, 2);
}

void writer_u32be(struct writer *writer, uint32_t value)
{
    write_be(writer, value, 4);
}

void writer_u64be(struct writer *writer, uint64_t value)
{
    write_be(writer, value, 8);
}

void writer_bytes(struct writer *writer, const void *data, size_t len)
{
    uint8_t *to = writer_room(writer, len);

    if (to != NULL && len != 0)
        memcpy(to, data, len);
}

void writer_slice(struct writer *writer, struct slice bytes)
{
    writer_bytes(writer, bytes.data, bytes.len);
}

void writer_zeros(struct writer *writer, size_t len)
{
    uint8_t *to = writer_room(writer, len);

    if (to != NULL && len != 0)
        memset(to, 0, len);
}

/* Gives where `len` bytes written before begin, or NULL (and failed) when they were not written. */
static uint8_t *written_at(struct writer *writer, size_t offset, size_t len)
{
    if (writer->failed)
        return NULL;
    if (writer->data == NULL || offset > writer->len || len > writer->len - offset) {
        writer->failed = len != 0 || offset > writer->len;
        return NULL;
    }
    return writer->data + offset;
}

static void patch_le(struct writer *writer, size_t offset, uint64_t value, size_t len)
{
    uint8_t *to = written_at(writer, offset, len);

    if (to != NULL)
        writer_put_le(to, value, len);
}

void writer_patch_u16le(struct writer *writer, size_t offset, uint16_t value)
{
    patch_le(writer, offset, value, 2);
}

void writer_patch_u32le(struct writer *writer, size_t offset, uint32_t value)
{
    patch_le(writer, offset, value, 4);
}

void writer_patch_bytes(struct writer *writer, size_t offset, const void *data, size_t len)
{
    uint8_t *to = written_at(writer, offset, len);

    if (to != NULL && len != 0)
        memcpy(to, data, len);
}

enum wire_result writer_finish(const struct writer *writer)
{
    return writer->failed ? WIRE_BAD : WIRE_OK;
}

struct slice writer_slice_of(const struct writer *writer)
{
    return slice_of(writer->data, writer->len);
}

uint8_t *writer_steal(struct writer *writer, size_t *len)
{
    uint8_t *data;

    if (writer->failed || !writer->growing)
        return NULL;
    /* Nothing written yet still gives a block: NULL then means failure and nothing else. */
    if (writer_room(writer, 0) == NULL || (writer->lent && !writer_grow(writer, 0)))
        return NULL;
    data = writer->data;
    if (len != NULL)
        *len = writer->len;
    *writer = (struct writer){.data = NULL, .growing = true};
    return data;
}
