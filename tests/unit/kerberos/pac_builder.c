#include "unit/kerberos/pac_builder.h"

#include "base/utf16.h"

#include <stdlib.h>

void pac_write(struct writer *writer, const struct pac_part *parts, size_t n_parts)
{
    uint64_t offset = 8 + 16 * n_parts;

    writer_u32le(writer, (uint32_t)n_parts);
    writer_u32le(writer, 0);
    for (size_t i = 0; i < n_parts; i++) {
        writer_u32le(writer, parts[i].type);
        writer_u32le(writer, (uint32_t)parts[i].bytes.len);
        writer_u64le(writer, offset);
        offset += (parts[i].bytes.len + 7) / 8 * 8;
    }
    for (size_t i = 0; i < n_parts; i++) {
        writer_slice(writer, parts[i].bytes);
        writer_zeros(writer, (8 - parts[i].bytes.len % 8) % 8);
    }
}

static uint32_t pointer(bool present)
{
    static uint32_t referent = 0x20000;

    return present ? referent += 4 : 0;
}

static void string_header_write(struct writer *writer, const char *text)
{
    uint16_t len = (uint16_t)utf16le_len(text);

    writer_u16le(writer, len);
    writer_u16le(writer, len);
    writer_u32le(writer, pointer(true));
}

static void string_body_write(struct writer *writer, const char *text)
{
    uint32_t n_units = (uint32_t)utf16le_len(text) / 2;

    writer_u32le(writer, n_units);
    writer_u32le(writer, 0);
    writer_u32le(writer, n_units);
    if (utf16le_write(writer, text) != WIRE_OK)
        abort();
    writer_zeros(writer, n_units % 2 * 2);
}

static void ndr_sid_write(struct writer *writer, const char *text)
{
    struct sid sid;

    if (sid_from_text(text, &sid) != WIRE_OK)
        abort();
    writer_u32le(writer, sid.n_subauthorities);
    sid_write(writer, &sid);
}

static void groups_write(struct writer *writer, const struct logon_recipe *recipe, uint32_t count, uint32_t first)
{
    if (count == 0)
        return;
    writer_u32le(writer, count);
    for (uint32_t i = 0; i < count; i++) {
        writer_u32le(writer, first + i * recipe->step);
        writer_u32le(writer, recipe->attributes);
    }
}

static void extra_sids_write(struct writer *writer, const struct logon_recipe *recipe)
{
    struct sid sid;

    if (recipe->n_extra_sids == 0)
        return;
    writer_u32le(writer, recipe->n_extra_sids);
    for (uint32_t i = 0; i < recipe->n_extra_sids; i++) {
        writer_u32le(writer, pointer(true));
        writer_u32le(writer, recipe->attributes);
    }
    for (uint32_t i = 0; i < recipe->n_extra_sids; i++) {
        if (sid_from_text("S-1-5-21-7-8-9", &sid) != WIRE_OK || sid_append(&sid, 3000 + i * recipe->step) != WIRE_OK)
            abort();
        writer_u32le(writer, sid.n_subauthorities);
        sid_write(writer, &sid);
    }
}

static void fixed_part_write(struct writer *writer, const struct logon_recipe *recipe)
{
    for (unsigned i = 0; i < 6; i++)
        writer_u64le(writer, i + 1);
    for (unsigned i = 0; i < 6; i++)
        string_header_write(writer, "user");
    writer_u16le(writer, 1);
    writer_u16le(writer, 2);
    writer_u32le(writer, recipe->user_id);
    writer_u32le(writer, recipe->primary_group_id);
    writer_u32le(writer, recipe->n_groups);
    writer_u32le(writer, pointer(recipe->n_groups != 0));
    writer_u32le(writer, recipe->user_flags);
    writer_zeros(writer, 16);
    string_header_write(writer, "SRV");
    string_header_write(writer, "DOM");
    writer_u32le(writer, pointer(!recipe->no_domain_sid));
    writer_zeros(writer, 40);
    writer_u32le(writer, recipe->n_extra_sids);
    writer_u32le(writer, pointer(recipe->n_extra_sids != 0));
    writer_u32le(writer, pointer(!recipe->no_resource_sid));
    writer_u32le(writer, recipe->n_resource_groups);
    writer_u32le(writer, pointer(recipe->n_resource_groups != 0));
}

void logon_info_write(struct writer *writer, const struct logon_recipe *recipe)
{
    static const uint8_t common[] = {0x01, 0x10, 0x08, 0x00, 0xcc, 0xcc, 0xcc, 0xcc};
    size_t begin = writer->len, object;

    writer_bytes(writer, common, sizeof(common));
    writer_zeros(writer, 8);
    object = writer->len;
    writer_u32le(writer, pointer(true));
    fixed_part_write(writer, recipe);
    for (unsigned i = 0; i < 6; i++)
        string_body_write(writer, "user");
    groups_write(writer, recipe, recipe->n_groups, 2000);
    string_body_write(writer, "SRV");
    string_body_write(writer, "DOM");
    if (!recipe->no_domain_sid)
        ndr_sid_write(writer, "S-1-5-21-1-2-3");
    extra_sids_write(writer, recipe);
    if (!recipe->no_resource_sid)
        ndr_sid_write(writer, "S-1-5-21-4-5-6");
    groups_write(writer, recipe, recipe->n_resource_groups, 4000);
    writer_zeros(writer, (8 - (writer->len - object) % 8) % 8);
    writer_patch_u32le(writer, begin + sizeof(common), (uint32_t)(writer->len - object));
}
