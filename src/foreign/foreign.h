/*
 * Security packages of other people: shared objects that export InitSecurityInterfaceW or A, or SpLsaModeInitialize. Their packages stand in the
 * registry like ours; an adapter of the table's calls stands between, with the module's own handles, which nobody outside it sees.
 */
#ifndef OPENSSPI_FOREIGN_FOREIGN_H
#define OPENSSPI_FOREIGN_FOREIGN_H

#include <sspi.h>

/* Loads a module and adds its packages, all or none. A module that was taken off the list comes back. The file has to be named by an absolute path,
 * belong to root or the process's user, and like every directory above it be writable for nobody else. SEC_E_OK, also where it is loaded already;
 * SEC_E_SECPKG_NOT_FOUND when there is no such file; SEC_E_CANNOT_INSTALL, with its cause, for everything that is wrong with it,
 * and for a file that took the place of one that was loaded, whose code goes on;
 * SEC_E_INSUFFICIENT_MEMORY. Locks: one for loading; what a module's start calls of ours works, but does not load. */
SECURITY_STATUS foreign_load(const char *path);
/* Takes a module's packages off the list. Its code stays: credentials and contexts go on. SEC_E_OK, or SEC_E_SECPKG_NOT_FOUND. */
SECURITY_STATUS foreign_unload(const char *path);

#endif
