#include "access/descriptor.h"

#include <string.h>

#define REVISION 1
#define ACL_REVISION_PLAIN 2
#define ACL_REVISION_OBJECTS 4
#define OBJECT_PRESENT 0x1u
#define INHERITED_OBJECT_PRESENT 0x2u

bool ace_type_is_object(uint8_t type)
{
    return (type >= ACE_ALLOWED_OBJECT && type <= ACE_ALARM_OBJECT) || type == ACE_ALLOWED_CALLBACK_OBJECT ||
           type == ACE_DENIED_CALLBACK_OBJECT;
}

static bool ace_type_is_understood(uint8_t type)
{
    return type <= ACE_ALARM || ace_type_is_object(type) || type == ACE_ALLOWED_CALLBACK ||
           type == ACE_DENIED_CALLBACK || type == ACE_MANDATORY_LABEL;
}

enum wire_result acl_open(struct slice acl, struct acl_walk *walk)
{
    struct reader reader = reader_of(acl);
    uint8_t revision;
    uint16_t size, count;
    try(reader_u8(&reader, &revision));
    try(reader_skip(&reader, 1));
    try(reader_u16le(&reader, &size));
    try(reader_u16le(&reader, &count));
    try(reader_skip(&reader, 2));
    require(revision >= ACL_REVISION_PLAIN && revision <= ACL_REVISION_OBJECTS, WIRE_BAD);
    require(size >= ACL_HEADER_LEN && size == acl.len, WIRE_BAD);
    *walk = (struct acl_walk){reader, count, revision};
    return WIRE_OK;
}

static enum wire_result object_read(struct reader *body, struct ace *ace)
{
    uint32_t present;
    try(reader_u32le(body, &present));
    ace->has_object = (present & OBJECT_PRESENT) != 0;
    ace->has_inherited_object = (present & INHERITED_OBJECT_PRESENT) != 0;
    if (ace->has_object)
        try(reader_copy(body, ace->object, sizeof ace->object));
    if (ace->has_inherited_object)
        try(reader_copy(body, ace->inherited_object, sizeof ace->inherited_object));
    return WIRE_OK;
}

enum wire_result acl_next(struct acl_walk *walk, struct ace *ace)
{
    struct ace read = {0};
    struct slice bytes;
    uint16_t size;
    require(walk->left > 0, WIRE_BAD);
    try(reader_u8(&walk->reader, &read.type));
    try(reader_u8(&walk->reader, &read.flags));
    try(reader_u16le(&walk->reader, &size));
    require(size >= 4 && size % 4 == 0, WIRE_BAD);
    try(reader_bytes(&walk->reader, (size_t)size - 4, &bytes));
    read.understood = ace_type_is_understood(read.type);
    if (read.understood) {
        struct reader body = reader_of(bytes);
        try(reader_u32le(&body, &read.mask));
        if (ace_type_is_object(read.type))
            try(object_read(&body, &read));
        try(sid_read(&body, &read.sid)); /* what follows the SID belongs to applications */
    }
    walk->left--;
    *ace = read;
    return WIRE_OK;
}

size_t acl_begin(struct writer *writer)
{
    size_t begin = writer->len;
    writer_zeros(writer, ACL_HEADER_LEN);
    return begin;
}

void acl_add(struct writer *writer, const struct ace *ace)
{
    size_t begin = writer->len;
    writer_u8(writer, ace->type);
    writer_u8(writer, ace->flags);
    writer_u16le(writer, 0);
    writer_u32le(writer, ace->mask);
    if (ace_type_is_object(ace->type)) {
        writer_u32le(writer, (ace->has_object ? OBJECT_PRESENT : 0) |
                                 (ace->has_inherited_object ? INHERITED_OBJECT_PRESENT : 0));
        if (ace->has_object)
            writer_bytes(writer, ace->object, sizeof ace->object);
        if (ace->has_inherited_object)
            writer_bytes(writer, ace->inherited_object, sizeof ace->inherited_object);
    }
    sid_write(writer, &ace->sid);
    writer_patch_u16le(writer, begin + 2, (uint16_t)(writer->len - begin));
}

void acl_end(struct writer *writer, size_t begin, uint16_t n_entries, bool object_entries)
{
    size_t len = writer->len - begin;
    uint8_t revision = object_entries ? ACL_REVISION_OBJECTS : ACL_REVISION_PLAIN;
    if (len > ACL_BYTES_MAX)
        writer->failed = true;
    writer_patch_bytes(writer, begin, &revision, 1);
    writer_patch_u16le(writer, begin + 2, (uint16_t)len);
    writer_patch_u16le(writer, begin + 4, n_entries);
}

/* Every entry of a list. */
static enum wire_result acl_check(struct slice acl)
{
    struct acl_walk walk;
    struct ace ace;
    try(acl_open(acl, &walk));
    while (walk.left > 0)
        try(acl_next(&walk, &ace));
    return WIRE_OK;
}

static enum wire_result acl_at(struct slice whole, uint32_t offset, struct slice *acl)
{
    struct slice header, all;
    struct reader reader;
    uint16_t size;
    try(slice_at(whole, offset, ACL_HEADER_LEN, &header));
    reader = reader_of(header);
    try(reader_skip(&reader, 2));
    try(reader_u16le(&reader, &size));
    try(slice_at(whole, offset, size, &all));
    try(acl_check(all));
    *acl = all;
    return WIRE_OK;
}

static enum wire_result sid_at(struct slice whole, uint32_t offset, struct sid *sid)
{
    struct slice rest;
    require(offset <= whole.len, WIRE_BAD);
    try(slice_at(whole, offset, whole.len - offset, &rest));
    struct reader reader = reader_of(rest);
    return sid_read(&reader, sid);
}

static enum wire_result relative_read(struct slice bytes, struct descriptor *descriptor)
{
    struct reader reader = reader_of(bytes);
    uint8_t revision;
    uint32_t owner, group, sacl, dacl;
    try(reader_u8(&reader, &revision));
    try(reader_skip(&reader, 1));
    try(reader_u16le(&reader, &descriptor->control));
    require(revision == REVISION && (descriptor->control & DESCRIPTOR_SELF_RELATIVE) != 0, WIRE_BAD);
    try(reader_u32le(&reader, &owner));
    try(reader_u32le(&reader, &group));
    try(reader_u32le(&reader, &sacl));
    try(reader_u32le(&reader, &dacl));
    descriptor->has_owner = owner != 0;
    descriptor->has_group = group != 0;
    if (owner != 0)
        try(sid_at(bytes, owner, &descriptor->owner));
    if (group != 0)
        try(sid_at(bytes, group, &descriptor->group));
    if ((descriptor->control & DESCRIPTOR_SACL_PRESENT) != 0 && sacl != 0)
        try(acl_at(bytes, sacl, &descriptor->sacl));
    if ((descriptor->control & DESCRIPTOR_DACL_PRESENT) != 0 && dacl != 0)
        try(acl_at(bytes, dacl, &descriptor->dacl));
    return WIRE_OK;
}

enum wire_result descriptor_read(struct slice bytes, struct descriptor *descriptor)
{
    struct descriptor read = {0};
    require(relative_read(bytes, &read) == WIRE_OK, WIRE_BAD);
    *descriptor = read;
    return WIRE_OK;
}

/* A SID where a program says that one is: its second byte tells how long it is. */
static enum wire_result sid_of_pointer(const uint8_t *at, bool *has, struct sid *sid)
{
    *has = at != NULL;
    if (at == NULL)
        return WIRE_OK;
    require(at[0] == 1 && at[1] <= SID_SUBAUTHORITIES_MAX, WIRE_BAD);
    struct reader reader = reader_of(slice_of(at, 8 + 4 * (size_t)at[1]));
    return sid_read(&reader, sid);
}

static enum wire_result acl_of_pointer(const uint8_t *at, struct slice *acl)
{
    if (at == NULL)
        return WIRE_OK;
    struct slice all = slice_of(at, (size_t)at[2] | (size_t)at[3] << 8);
    require(acl_check(all) == WIRE_OK, WIRE_BAD);
    *acl = all;
    return WIRE_OK;
}

enum wire_result descriptor_of_memory(const void *memory, struct descriptor *descriptor)
{
    struct descriptor read = {0};
    const uint8_t *base = memory, *part[4] = {NULL}; /* owner, group, SACL, DACL */
    require(base != NULL && base[0] == REVISION, WIRE_BAD);
    read.control = (uint16_t)(base[2] | base[3] << 8);
    if ((read.control & DESCRIPTOR_SELF_RELATIVE) != 0) {
        struct reader reader = reader_of(slice_of(base + 4, DESCRIPTOR_HEADER_LEN - 4));
        for (int i = 0; i < 4; i++) {
            uint32_t offset;
            try(reader_u32le(&reader, &offset));
            part[i] = offset != 0 ? base + offset : NULL;
        }
    } else /* SECURITY_DESCRIPTOR: four pointers from byte 8 on */
        memcpy(part, base + 8, sizeof part);
    try(sid_of_pointer(part[0], &read.has_owner, &read.owner));
    try(sid_of_pointer(part[1], &read.has_group, &read.group));
    if ((read.control & DESCRIPTOR_SACL_PRESENT) != 0)
        try(acl_of_pointer(part[2], &read.sacl));
    if ((read.control & DESCRIPTOR_DACL_PRESENT) != 0)
        try(acl_of_pointer(part[3], &read.dacl));
    *descriptor = read;
    return WIRE_OK;
}

void descriptor_write(struct writer *writer, const struct descriptor *descriptor)
{
    size_t begin = writer->len;
    writer_u8(writer, REVISION);
    writer_u8(writer, 0);
    writer_u16le(writer, descriptor->control | DESCRIPTOR_SELF_RELATIVE);
    size_t offsets = writer->len;
    writer_zeros(writer, 16);
    if (descriptor->has_owner) {
        writer_patch_u32le(writer, offsets, (uint32_t)(writer->len - begin));
        sid_write(writer, &descriptor->owner);
    }
    if (descriptor->has_group) {
        writer_patch_u32le(writer, offsets + 4, (uint32_t)(writer->len - begin));
        sid_write(writer, &descriptor->group);
    }
    if (descriptor->sacl.data != NULL) {
        writer_patch_u32le(writer, offsets + 8, (uint32_t)(writer->len - begin));
        writer_slice(writer, descriptor->sacl);
    }
    if (descriptor->dacl.data != NULL) {
        writer_patch_u32le(writer, offsets + 12, (uint32_t)(writer->len - begin));
        writer_slice(writer, descriptor->dacl);
    }
}

static size_t sid_len(const struct sid *sid)
{
    return 8 + 4 * (size_t)sid->n_subauthorities;
}

size_t descriptor_len(const struct descriptor *descriptor)
{
    return DESCRIPTOR_HEADER_LEN + (descriptor->has_owner ? sid_len(&descriptor->owner) : 0) +
           (descriptor->has_group ? sid_len(&descriptor->group) : 0) + descriptor->sacl.len + descriptor->dacl.len;
}
