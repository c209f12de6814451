#include "access/client_identity.h"

#include "base/memory.h"

#define IDENTITY_VERSION 1

void client_identity_write(struct writer *writer, const struct client_identity *identity)
{
    writer_u8(writer, IDENTITY_VERSION);
    writer_u8(writer, identity->anonymous ? 1 : 0);
    sid_write(writer, &identity->user);
    writer_u64le(writer, (uint64_t)identity->uid);
    writer_u64le(writer, (uint64_t)identity->gid);
    writer_u16le(writer, (uint16_t)identity->n_groups);
    if (identity->n_groups > CLIENT_GROUPS_MAX)
        writer->failed = true;
    for (size_t i = 0; i < identity->n_groups && !writer->failed; i++) {
        sid_write(writer, &identity->groups[i].sid);
        writer_u32le(writer, identity->groups[i].attributes);
        writer_u64le(writer, (uint64_t)identity->groups[i].gid);
    }
}

static enum wire_result id_read(struct reader *reader, int64_t *id)
{
    uint64_t value;
    try(reader_u64le(reader, &value));
    *id = (int64_t)value;
    return WIRE_OK;
}

static enum wire_result fields_read(struct reader *reader, struct client_identity *identity)
{
    uint8_t version, anonymous;
    uint16_t n_groups;
    try(reader_u8(reader, &version));
    try(reader_u8(reader, &anonymous));
    require(version == IDENTITY_VERSION && anonymous <= 1, WIRE_BAD);
    identity->anonymous = anonymous == 1;
    try(sid_read(reader, &identity->user));
    try(id_read(reader, &identity->uid));
    try(id_read(reader, &identity->gid));
    try(reader_u16le(reader, &n_groups));
    require(n_groups <= CLIENT_GROUPS_MAX, WIRE_BAD);
    identity->groups = mem_zalloc_array(n_groups, sizeof identity->groups[0]);
    require(identity->groups != NULL, WIRE_BAD);
    for (; identity->n_groups < n_groups; identity->n_groups++) {
        struct client_group *group = &identity->groups[identity->n_groups];
        try(sid_read(reader, &group->sid));
        try(reader_u32le(reader, &group->attributes));
        try(id_read(reader, &group->gid));
    }
    return reader_end(reader);
}

enum wire_result client_identity_read(struct slice bytes, struct client_identity *identity)
{
    struct reader reader = reader_of(bytes);
    struct client_identity read = {0};
    if (fields_read(&reader, &read) != WIRE_OK) {
        client_identity_release(&read);
        return WIRE_BAD;
    }
    *identity = read;
    return WIRE_OK;
}

void client_identity_release(struct client_identity *identity)
{
    mem_free(identity->groups);
    *identity = (struct client_identity){0};
}
