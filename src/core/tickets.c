#include "core/tickets.h"

static void piece_write(struct writer *writer, struct slice piece)
{
    writer_u32le(writer, (uint32_t)piece.len);
    writer_slice(writer, piece);
}

static enum wire_result piece_read(struct reader *reader, struct slice *piece)
{
    uint32_t len;
    try(reader_u32le(reader, &len));
    return reader_bytes(reader, len, piece);
}

void ticket_write(struct writer *writer, const struct ticket *ticket)
{
    piece_write(writer, ticket->client);
    piece_write(writer, ticket->client_realm);
    piece_write(writer, ticket->server);
    piece_write(writer, ticket->server_realm);
    writer_u64le(writer, (uint64_t)ticket->start);
    writer_u64le(writer, (uint64_t)ticket->end);
    writer_u64le(writer, (uint64_t)ticket->renew_until);
    writer_u32le(writer, (uint32_t)ticket->enctype);
    writer_u32le(writer, (uint32_t)ticket->key_enctype);
    writer_u32le(writer, ticket->flags);
    piece_write(writer, ticket->key);
    piece_write(writer, ticket->encoded);
}

enum wire_result ticket_read(struct reader *reader, struct ticket *ticket)
{
    struct ticket read;
    uint64_t start, end, renew_until;
    uint32_t enctype, key_enctype;
    try(piece_read(reader, &read.client));
    try(piece_read(reader, &read.client_realm));
    try(piece_read(reader, &read.server));
    try(piece_read(reader, &read.server_realm));
    try(reader_u64le(reader, &start));
    try(reader_u64le(reader, &end));
    try(reader_u64le(reader, &renew_until));
    try(reader_u32le(reader, &enctype));
    try(reader_u32le(reader, &key_enctype));
    try(reader_u32le(reader, &read.flags));
    try(piece_read(reader, &read.key));
    try(piece_read(reader, &read.encoded));
    read.start = (int64_t)start;
    read.end = (int64_t)end;
    read.renew_until = (int64_t)renew_until;
    read.enctype = (int32_t)enctype;
    read.key_enctype = (int32_t)key_enctype;
    *ticket = read;
    return WIRE_OK;
}
