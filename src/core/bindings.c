#include "core/bindings.h"

#include "base/reader.h"
#include "core/cause.h"
#include "crypto/digest.h"

#define EX_MAGIC 0x58454243u /* SEC_CHANNEL_BINDINGS_EX: where the plain form has an address type */

/* SEC_CHANNEL_BINDINGS: eight 32-bit fields, then data at offsets from the start of the block. The EX form has magic, flags and two lengths before
 * them; its flags only ask for an audit. */
enum wire_result bindings_parse(struct slice block, struct bindings *bindings)
{
    struct reader reader = reader_of(block);
    uint32_t field[8], head[4];
    bool extended = reader_u32le(&reader, &head[0]) == WIRE_OK && head[0] == EX_MAGIC;
    reader = reader_of(block);
    if (extended) {
        for (size_t i = 0; i < 4; i++)
            try(reader_u32le(&reader, &head[i]));
        require(head[2] >= 48 && head[3] >= head[2] && head[3] <= block.len, WIRE_BAD);
        block.len = head[3];
    }
    for (size_t i = 0; i < 8; i++)
        try(reader_u32le(&reader, &field[i]));
    struct bindings parsed = {.initiator_type = field[0], .acceptor_type = field[3]};
    try(slice_at(block, field[2], field[1], &parsed.initiator));
    try(slice_at(block, field[5], field[4], &parsed.acceptor));
    try(slice_at(block, field[7], field[6], &parsed.application));
    *bindings = parsed;
    return WIRE_OK;
}

static void hash_u32(struct md5 *md5, uint32_t value)
{
    uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16), (uint8_t)(value >> 24)};
    md5_update(md5, bytes, sizeof bytes);
}

static void hash_piece(struct md5 *md5, struct slice piece)
{
    hash_u32(md5, (uint32_t)piece.len);
    md5_update(md5, piece.data, piece.len);
}

void bindings_hash(const struct bindings *bindings, uint8_t hash[16])
{
    struct md5 md5;
    md5_init(&md5);
    hash_u32(&md5, bindings->initiator_type);
    hash_piece(&md5, bindings->initiator);
    hash_u32(&md5, bindings->acceptor_type);
    hash_piece(&md5, bindings->acceptor);
    hash_piece(&md5, bindings->application);
    md5_final(&md5, hash);
}

void bindings_write(struct writer *block, const char *prefix, struct slice data)
{
    struct slice name = slice_of_text(prefix);
    writer_zeros(block, sizeof(SEC_CHANNEL_BINDINGS) - 8);
    writer_u32le(block, (uint32_t)(name.len + 1 + data.len));
    writer_u32le(block, sizeof(SEC_CHANNEL_BINDINGS));
    writer_slice(block, name);
    writer_u8(block, ':');
    writer_slice(block, data);
}

SECURITY_STATUS bindings_take(struct slice block, uint8_t hash[16], bool *taken)
{
    struct bindings bindings;
    if (block.data == NULL)
        return SEC_E_OK;
    require(bindings_parse(block, &bindings) == WIRE_OK,
            cause_set(SEC_E_BAD_BINDINGS, "the channel bindings are damaged"));
    bindings_hash(&bindings, hash);
    *taken = true;
    return SEC_E_OK;
}
