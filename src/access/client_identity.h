/*
 * The client's identity as a session record carries it: what an access token is built from.
 */
#ifndef OPENSSPI_ACCESS_CLIENT_IDENTITY_H
#define OPENSSPI_ACCESS_CLIENT_IDENTITY_H

#include "access/sid.h"

#define CLIENT_GROUPS_MAX 1024 /* a token has at most 1,015 groups (Microsoft KB 328889) */

/* SE_GROUP_* of winnt.h */
#define GROUP_MANDATORY 0x1u
#define GROUP_ENABLED_BY_DEFAULT 0x2u
#define GROUP_ENABLED 0x4u
#define GROUP_DENY_ONLY 0x10u
#define GROUP_LOGON_ID 0xC0000000u
#define GROUP_USUAL (GROUP_MANDATORY | GROUP_ENABLED_BY_DEFAULT | GROUP_ENABLED)
/* Does it open doors to be in a group with these attributes? Not where it is there for denying alone. */
static inline bool group_opens(uint32_t attributes)
{
    return (attributes & (GROUP_ENABLED | GROUP_DENY_ONLY)) == GROUP_ENABLED;
}

struct client_group {
    struct sid sid;
    uint32_t attributes; /* GROUP_* */
    int64_t gid;         /* or -1 */
};

struct client_identity {
    struct sid user;
    int64_t uid, gid; /* or -1 */
    bool anonymous;
    struct client_group
        *groups; /* an array of mem_zalloc_array; the first of the user's own domain is the primary group */
    size_t n_groups;
};

/* Version, anonymous, user SID, uid, gid, then each group; docs/session-record.md. */
void client_identity_write(struct writer *writer, const struct client_identity *identity);
/* Fills `identity`; release it. WIRE_BAD for damage, other versions, or no memory. */
MUST_USE enum wire_result client_identity_read(struct slice bytes, struct client_identity *identity);
void client_identity_release(struct client_identity *identity);

#endif
