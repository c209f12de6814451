/*
 * The packages there are, in the order in which EnumerateSecurityPackages lists them. Lock: one mutex for changes; readers
 * see a snapshot and packages are never removed while the process lives.
 */
#ifndef OPENSSPI_CORE_REGISTRY_H
#define OPENSSPI_CORE_REGISTRY_H

#include "core/package.h"

#define REGISTRY_MAX 64 /* packages; Windows hosts have about 13 */

/* Adds a package. SEC_E_OK; SEC_E_CANNOT_INSTALL when the name is taken, the description is incomplete or the table is full. */
SECURITY_STATUS registry_add(const struct package *package);
/* Without regard to case; NULL when there is none. */
const struct package *registry_find(const char *name);
/* The index-th package, NULL past the last. */
const struct package *registry_at(size_t index);

#endif
