#include "access/sddl_words.h"

#include "access/descriptor.h"

/* MS-DTYP 2.5.1.1 */
const struct sddl_word sddl_ace_types[] = {
    {"A", ACE_ALLOWED},          {"D", ACE_DENIED},
    {"AU", ACE_AUDIT},           {"AL", ACE_ALARM},
    {"OA", ACE_ALLOWED_OBJECT},  {"OD", ACE_DENIED_OBJECT},
    {"OU", ACE_AUDIT_OBJECT},    {"OL", ACE_ALARM_OBJECT},
    {"ML", ACE_MANDATORY_LABEL}, {NULL, 0},
};

const struct sddl_word sddl_ace_flags[] = {
    {"OI", 0x01}, {"CI", 0x02}, {"NP", 0x04}, {"IO", 0x08}, {"ID", 0x10}, {"SA", 0x40}, {"FA", 0x80}, {NULL, 0},
};

const struct sddl_word sddl_rights[] = {
    /* of directory objects */
    {"CC", 0x1},
    {"DC", 0x2},
    {"LC", 0x4},
    {"SW", 0x8},
    {"RP", 0x10},
    {"WP", 0x20},
    {"DT", 0x40},
    {"LO", 0x80},
    {"CR", 0x100},
    /* standard */
    {"SD", 0x00010000},
    {"RC", 0x00020000},
    {"WD", 0x00040000},
    {"WO", 0x00080000},
    /* generic */
    {"GA", 0x10000000},
    {"GX", 0x20000000},
    {"GW", 0x40000000},
    {"GR", 0x80000000},
    /* whole masks: files, registry keys */
    {"FA", 0x001F01FF},
    {"FR", 0x00120089},
    {"FW", 0x00120116},
    {"FX", 0x001200A0},
    {"KA", 0x000F003F},
    {"KR", 0x00020019},
    {"KW", 0x00020006},
    {"KX", 0x00020019},
    {NULL, 0},
};

const struct sddl_word sddl_label_rights[] = {{"NW", 0x1}, {"NR", 0x2}, {"NX", 0x4}, {NULL, 0}};

const struct sddl_acl_flag sddl_acl_flags[] = {
    {"P", DESCRIPTOR_DACL_PROTECTED, DESCRIPTOR_SACL_PROTECTED},
    {"AR", DESCRIPTOR_DACL_AUTO_INHERIT_REQ, DESCRIPTOR_SACL_AUTO_INHERIT_REQ},
    {"AI", DESCRIPTOR_DACL_AUTO_INHERITED, DESCRIPTOR_SACL_AUTO_INHERITED},
    {NULL, 0, 0},
};
