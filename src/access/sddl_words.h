/*
 * The words of SDDL: what the reading and the writing half share.
 */
#ifndef OPENSSPI_ACCESS_SDDL_WORDS_H
#define OPENSSPI_ACCESS_SDDL_WORDS_H

#include <stddef.h>
#include <stdint.h>

struct sddl_word {
    const char *text;
    uint32_t value;
};

/* Each list ends with a NULL text. Rights: those that stand for one bit come first, in the order in which they are written. */
extern const struct sddl_word sddl_ace_types[], sddl_ace_flags[], sddl_rights[], sddl_label_rights[];
#define SDDL_SINGLE_RIGHTS 17 /* of sddl_rights, those of one bit */
#define SDDL_LABEL_RIGHTS 3

/* Which flags of a descriptor a list's letters stand for. */
struct sddl_acl_flag {
    const char *text;
    uint16_t dacl, sacl;
};
extern const struct sddl_acl_flag sddl_acl_flags[];

#endif
