/*
 * Names of SIDs and SIDs of names: well-known ones, the account stores', Unix users and groups, winbind's. All may read files and ask services.
 */
#ifndef OPENSSPI_ACCESS_NAMES_H
#define OPENSSPI_ACCESS_NAMES_H

#include "access/well_known.h"
#include "core/config.h"

struct sid_name {
    char *domain, *name; /* mem_*; domain may be "" */
    enum sid_use use;
};
void sid_name_release(struct sid_name *name);
#define AUTO_SID_NAME __attribute__((cleanup(sid_name_release)))

/* Both: SEC_E_OK; SEC_E_TARGET_UNKNOWN when nobody knows it; SEC_E_INSUFFICIENT_MEMORY; SEC_E_INTERNAL_ERROR when a store or a service fails. */
SECURITY_STATUS names_of_sid(const struct config *config, const struct sid *sid, struct sid_name *name);
/* "DOMAIN\name", "name@domain" or "name"; gives its domain and kind as well. */
SECURITY_STATUS names_to_sid(const struct config *config, const char *text, struct sid *sid, struct sid_name *name);
/* The full name of an account of the stores, or of the Unix user of that name when `domain` is this computer; NULL where none says. mem_free. */
SECURITY_STATUS names_full_name(const struct config *config, const char *domain, const char *name, char **full_name);

#endif
