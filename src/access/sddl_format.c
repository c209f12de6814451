#include "access/sddl.h"

#include "access/sddl_words.h"
#include "access/well_known.h"
#include <stdio.h>
#include <string.h>

static void text_write(struct writer *writer, const char *text)
{
    writer_bytes(writer, text, strlen(text));
}

static void sid_format(struct writer *writer, const struct sid *sid)
{
    const struct well_known *known = well_known_of_sid(sid);
    char text[SID_TEXT_MAX];
    if (known != NULL && known->letters != NULL) {
        text_write(writer, known->letters);
        return;
    }
    sid_to_text(sid, text);
    text_write(writer, text);
}

static void guid_format(struct writer *writer, bool has, const uint8_t guid[16])
{
    char text[40];
    if (!has)
        return;
    snprintf(text, sizeof text, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", guid[3],
             guid[2], guid[1], guid[0], guid[5], guid[4], guid[7], guid[6], guid[8], guid[9], guid[10], guid[11],
             guid[12], guid[13], guid[14], guid[15]);
    text_write(writer, text);
}

/* One word for the whole mask, else a word a bit, else a number: what is read again is the same mask. */
static void rights_format(struct writer *writer, const struct ace *ace)
{
    const struct sddl_word *words = ace->type == ACE_MANDATORY_LABEL ? sddl_label_rights : sddl_rights;
    uint32_t left = ace->mask;
    char text[16];
    for (const struct sddl_word *word = words; word->text != NULL; word++)
        if (word->value == ace->mask) {
            text_write(writer, word->text);
            return;
        }
    const struct sddl_word *end = words + (words == sddl_rights ? SDDL_SINGLE_RIGHTS : SDDL_LABEL_RIGHTS);
    for (const struct sddl_word *word = words; word < end; word++)
        left &= ~word->value;
    if (left != 0) {
        snprintf(text, sizeof text, "0x%x", (unsigned)ace->mask);
        text_write(writer, text);
        return;
    }
    for (const struct sddl_word *word = words; word < end && word->text != NULL; word++)
        if ((ace->mask & word->value) != 0)
            text_write(writer, word->text);
}

static enum sddl_problem ace_format(struct writer *writer, const struct ace *ace)
{
    const struct sddl_word *type = sddl_ace_types;
    uint8_t flags = ace->flags;
    while (type->text != NULL && type->value != ace->type)
        type++;
    require(type->text != NULL, SDDL_ACL);
    writer_u8(writer, '(');
    text_write(writer, type->text);
    writer_u8(writer, ';');
    for (const struct sddl_word *word = sddl_ace_flags; word->text != NULL; word++)
        if ((flags & word->value) != 0) {
            text_write(writer, word->text);
            flags &= (uint8_t)~word->value;
        }
    require(flags == 0, SDDL_ACL);
    writer_u8(writer, ';');
    rights_format(writer, ace);
    writer_u8(writer, ';');
    guid_format(writer, ace->has_object, ace->object);
    writer_u8(writer, ';');
    guid_format(writer, ace->has_inherited_object, ace->inherited_object);
    writer_u8(writer, ';');
    sid_format(writer, &ace->sid);
    writer_u8(writer, ')');
    return SDDL_OK;
}

/* Of a SACL, labels and the rest are asked for apart. */
static bool ace_is_wanted(const struct ace *ace, bool dacl, uint32_t parts)
{
    if (dacl)
        return true;
    return (parts & (ace->type == ACE_MANDATORY_LABEL ? SDDL_LABEL | SDDL_SACL : SDDL_SACL)) != 0;
}

static enum sddl_problem acl_format(struct writer *writer, const struct descriptor *descriptor, bool dacl,
                                    uint32_t parts)
{
    struct slice acl = dacl ? descriptor->dacl : descriptor->sacl;
    struct acl_walk walk;
    struct ace ace;
    text_write(writer, dacl ? "D:" : "S:");
    for (const struct sddl_acl_flag *flag = sddl_acl_flags; flag->text != NULL; flag++)
        if ((descriptor->control & (dacl ? flag->dacl : flag->sacl)) != 0)
            text_write(writer, flag->text);
    if (acl.data == NULL) {
        text_write(writer, "NO_ACCESS_CONTROL");
        return SDDL_OK;
    }
    require(acl_open(acl, &walk) == WIRE_OK, SDDL_ACL);
    while (walk.left > 0) {
        require(acl_next(&walk, &ace) == WIRE_OK, SDDL_ACL);
        if (ace_is_wanted(&ace, dacl, parts))
            try(ace_format(writer, &ace));
    }
    return SDDL_OK;
}

enum sddl_problem sddl_format(const struct descriptor *descriptor, uint32_t parts, struct writer *text)
{
    if ((parts & SDDL_OWNER) != 0 && descriptor->has_owner) {
        text_write(text, "O:");
        sid_format(text, &descriptor->owner);
    }
    if ((parts & SDDL_GROUP) != 0 && descriptor->has_group) {
        text_write(text, "G:");
        sid_format(text, &descriptor->group);
    }
    if ((parts & SDDL_DACL) != 0 && (descriptor->control & DESCRIPTOR_DACL_PRESENT) != 0)
        try(acl_format(text, descriptor, true, parts));
    if ((parts & (SDDL_SACL | SDDL_LABEL)) != 0 && (descriptor->control & DESCRIPTOR_SACL_PRESENT) != 0)
        try(acl_format(text, descriptor, false, parts));
    return SDDL_OK;
}
