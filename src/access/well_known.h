/*
 * The SIDs that everybody knows (MS-DTYP 2.4.2.4), with their names in English and their two letters in SDDL (MS-DTYP 2.5.1.1).
 */
#ifndef OPENSSPI_ACCESS_WELL_KNOWN_H
#define OPENSSPI_ACCESS_WELL_KNOWN_H

#include "access/sid.h"

/* As SID_NAME_USE numbers them. */
enum sid_use {
    SID_USE_USER = 1,
    SID_USE_GROUP,
    SID_USE_DOMAIN,
    SID_USE_ALIAS,
    SID_USE_WELL_KNOWN_GROUP,
    SID_USE_UNKNOWN = 8,
    SID_USE_COMPUTER = 9,
    SID_USE_LABEL = 10,
};

struct well_known {
    const char *letters; /* in SDDL, or NULL */
    const char *domain, *name;
    int type; /* WELL_KNOWN_SID_TYPE, or -1 */
    enum sid_use use;
    uint32_t rid; /* not 0: this account or group of any domain, and `sid` is nothing */
    struct sid sid;
};

#define WELL_KNOWN_EVERYONE SID_LITERAL(1, 0)
#define WELL_KNOWN_LOCAL SID_LITERAL(2, 0)
#define WELL_KNOWN_ANONYMOUS SID_LITERAL(5, 7)
#define WELL_KNOWN_AUTHENTICATED_USERS SID_LITERAL(5, 11)
#define WELL_KNOWN_THIS_ORGANIZATION SID_LITERAL(5, 15)
#define WELL_KNOWN_ADMINISTRATORS SID_LITERAL(5, 32, 544)
#define WELL_KNOWN_USERS SID_LITERAL(5, 32, 545)
#define WELL_KNOWN_OWNER_RIGHTS SID_LITERAL(3, 4)
/* Unix users and groups, as Samba numbers them. */
#define SID_OF_UID(uid) SID_LITERAL(22, 1, (uint32_t)(uid))
#define SID_OF_GID(gid) SID_LITERAL(22, 2, (uint32_t)(gid))

/* NULL where there is none. A type may stand for a SID of any domain (rid != 0). */
const struct well_known *well_known_of_type(int type);
const struct well_known *well_known_of_letters(const char letters[2]);
/* Without those of a domain. */
const struct well_known *well_known_of_sid(const struct sid *sid);
/* By name, without regard to case; `domain` NULL or "" means any. */
const struct well_known *well_known_of_name(const char *domain, const char *name);

#endif
