/*
 * The packages there are, in the order in which EnumerateSecurityPackages lists them. Lock: one mutex for adding; readers, and who takes one off the
 * list, need none. A package that is taken off the list stays valid while the process lives.
 */
#ifndef OPENSSPI_CORE_REGISTRY_H
#define OPENSSPI_CORE_REGISTRY_H

#include "core/package.h"

#define REGISTRY_MAX 64 /* packages; Windows hosts have about 13 */

/* Adds a package. SEC_E_OK; SEC_E_CANNOT_INSTALL when the name is taken, the description is incomplete or the table is full. */
SECURITY_STATUS registry_add(const struct package *package);
/* Takes a package off the list; it stays valid, since credentials and contexts may point to it. registry_add brings it back. SEC_E_OK, or
 * SEC_E_SECPKG_NOT_FOUND. */
SECURITY_STATUS registry_hide(const struct package *package);
/* All of them at one moment; gives their number. */
size_t registry_list(const struct package *list[REGISTRY_MAX]);
/* Without regard to case; NULL when there is none. */
const struct package *registry_find(const char *name);
/* Also one that was taken off the list since: what it began goes on. */
const struct package *registry_find_kept(const char *name);
/* The index-th package, NULL past the last. */
const struct package *registry_at(size_t index);
/* May Negotiate choose it? Negotiate itself has no name for mechanisms. */
bool package_is_negotiable(const struct package *package);

#endif
