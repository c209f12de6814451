/*
 * Which Unix user and groups a client is here. In order: what its account store says; winbind; the user of the same name, for domains
 * of which the configuration says so; a range of numbers. A client that none of them knows has no Unix user, and no thread becomes it.
 */
#ifndef OPENSSPI_ACCESS_UNIX_IDS_H
#define OPENSSPI_ACCESS_UNIX_IDS_H

#include "access/client_identity.h"
#include "core/config.h"
#include <sys/types.h>

#define UNIX_GROUPS_MAX 65536 /* NGROUPS_MAX of Linux */

struct unix_ids {
    bool known;
    uid_t uid;
    gid_t gid;
    gid_t *groups; /* supplementary, ascending, none twice; an array of mem_* */
    size_t n_groups;
};
void unix_ids_release(struct unix_ids *ids);

/* The primary group: the first of the groups that is of the user's domain, else the user itself. No membership is implied. */
struct sid client_primary_group(const struct client_identity *identity);

/* Makes a client who would be uid 0 or gid 0 nobody (`known` false), and takes group 0 from any other, unless allow_root in [access] lets it. */
void unix_ids_root_refuse(const struct config *config, struct unix_ids *ids);

/* `account` and `domain` are the client's names, or NULL. SEC_E_OK, also with `known` false; SEC_E_INSUFFICIENT_MEMORY; SEC_E_INTERNAL_ERROR for
 * [access] that cannot be understood (the cause tells). Asks name services: never on the way of a handshake. */
SECURITY_STATUS unix_ids_find(const struct config *config, const struct client_identity *identity, const char *account,
                              const char *domain, struct unix_ids *ids);
/* Can `ranges` in [access] be understood? SEC_E_OK, or SEC_E_INTERNAL_ERROR with the cause. */
SECURITY_STATUS unix_ids_check_ranges(const struct config *config);
/* Those of the calling thread, as the kernel has them. */
SECURITY_STATUS unix_ids_of_thread(struct unix_ids *ids);

/* Sorts and drops what stands twice. */
void unix_groups_sort(gid_t *groups, size_t *n_groups);

#endif
