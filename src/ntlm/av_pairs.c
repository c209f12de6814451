#include "ntlm/messages.h"

#include "base/utf16.h"

/* MS-NLMP 2.2.2.1: id, length, value; an id of 0 ends the list. */

#define PAIRS_MAX 64 /* Windows knows eleven; bounds every walk */

static enum wire_result pair_read(struct reader *reader, uint16_t *id, struct slice *value)
{
    uint16_t len;
    try(reader_u16le(reader, id));
    try(reader_u16le(reader, &len));
    return reader_bytes(reader, len, value);
}

static enum wire_result known_check(struct ntlm_av *av, enum ntlm_av_id id, struct slice value)
{
    struct reader reader = reader_of(value);
    require(av->value[id].data == NULL, WIRE_BAD);
    av->value[id] = value;
    switch (id) {
    case NTLM_AV_FLAGS:
        require(value.len == 4, WIRE_BAD);
        return reader_u32le(&reader, &av->flags);
    case NTLM_AV_TIMESTAMP:
        require(value.len == 8, WIRE_BAD);
        return reader_u64le(&reader, &av->timestamp);
    case NTLM_AV_CHANNEL_BINDINGS:
        return value.len == 16 ? WIRE_OK : WIRE_BAD;
    default:
        return WIRE_OK;
    }
}

enum wire_result ntlm_av_parse(struct slice pairs, struct ntlm_av *av)
{
    struct reader reader = reader_of(pairs);
    *av = (struct ntlm_av){0};
    for (unsigned n_pairs = 0; n_pairs < PAIRS_MAX; n_pairs++) {
        uint16_t id;
        struct slice value;
        require(pair_read(&reader, &id, &value) == WIRE_OK, WIRE_BAD);
        if (id == NTLM_AV_EOL) {
            av->len = pairs.len - reader_left(&reader);
            return value.len == 0 ? WIRE_OK : WIRE_BAD;
        }
        if (id < NTLM_AV_KNOWN)
            try(known_check(av, (enum ntlm_av_id)id, value));
    }
    return WIRE_BAD;
}

void ntlm_av_write(struct writer *writer, enum ntlm_av_id id, struct slice value)
{
    writer_u16le(writer, (uint16_t)id);
    writer_u16le(writer, (uint16_t)value.len);
    writer_slice(writer, value);
    if (value.len > UINT16_MAX)
        writer->failed = true;
}

void ntlm_av_write_text(struct writer *writer, enum ntlm_av_id id, const char *text)
{
    size_t at = writer->len;
    ntlm_av_write(writer, id, slice_of(NULL, 0));
    if (utf16le_write(writer, text) != WIRE_OK || writer->len - at - 4 > UINT16_MAX)
        writer->failed = true;
    else
        writer_patch_u16le(writer, at + 2, (uint16_t)(writer->len - at - 4));
}

void ntlm_av_write_u32(struct writer *writer, enum ntlm_av_id id, uint32_t value)
{
    writer_u16le(writer, (uint16_t)id);
    writer_u16le(writer, 4);
    writer_u32le(writer, value);
}

void ntlm_av_write_u64(struct writer *writer, enum ntlm_av_id id, uint64_t value)
{
    writer_u16le(writer, (uint16_t)id);
    writer_u16le(writer, 8);
    writer_u64le(writer, value);
}

static bool is_clients_own(uint16_t id)
{
    return id == NTLM_AV_FLAGS || id == NTLM_AV_SINGLE_HOST || id == NTLM_AV_TARGET_NAME ||
           id == NTLM_AV_CHANNEL_BINDINGS;
}

enum wire_result ntlm_av_copy_server(struct writer *writer, struct slice pairs)
{
    struct reader reader = reader_of(pairs);
    for (unsigned n_pairs = 0; n_pairs < PAIRS_MAX; n_pairs++) {
        uint16_t id;
        struct slice value;
        try(pair_read(&reader, &id, &value));
        if (id == NTLM_AV_EOL)
            return WIRE_OK;
        if (!is_clients_own(id))
            ntlm_av_write(writer, (enum ntlm_av_id)id, value);
    }
    return WIRE_BAD;
}

static bool pairs_have(struct slice pairs, uint16_t wanted, struct slice value)
{
    struct reader reader = reader_of(pairs);
    uint16_t id;
    struct slice found;
    for (unsigned n_pairs = 0; n_pairs < PAIRS_MAX && pair_read(&reader, &id, &found) == WIRE_OK && id != NTLM_AV_EOL;
         n_pairs++)
        if (id == wanted && slice_equal(found, value))
            return true;
    return false;
}

bool ntlm_av_contains(struct slice received, struct slice sent)
{
    struct reader reader = reader_of(sent);
    uint16_t id;
    struct slice value;
    while (pair_read(&reader, &id, &value) == WIRE_OK && id != NTLM_AV_EOL)
        if (!pairs_have(received, id, value))
            return false;
    return true;
}
