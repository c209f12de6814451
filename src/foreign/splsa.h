/*
 * Modules written for Windows' LSA (SSP/APs): SpLsaModeInitialize hands over a package's part in the authority, SpUserModeInitialize its part in the
 * application. Both run in this process. To the rest of the folder such a module has a table like any other, whose functions call these parts.
 */
#ifndef OPENSSPI_FOREIGN_SPLSA_H
#define OPENSSPI_FOREIGN_SPLSA_H

#include "foreign/module.h"

/* The table: credentials' handles are made by splsa_acquire, contexts' by its steps. */
extern const SecurityFunctionTableW splsa_table;

/* Starts a module's packages and fills module->package, all or none: what was started before the failure is shut down again. `user` may be NULL.
 * SEC_E_CANNOT_INSTALL with its cause. */
SECURITY_STATUS splsa_open(struct foreign_module *module, SpLsaModeInitializeFn lsa, SpUserModeInitializeFn user,
                           OPENSSPI_PACKAGE_MECHANISM_FN mechanism);
/* As AcquireCredentialsHandleW, of this package. */
SECURITY_STATUS splsa_acquire(const struct foreign_package *package, SEC_WCHAR *principal, ULONG use, void *auth_data,
                              PCredHandle handle, PTimeStamp expiry);
/* The contents of the package's object identifier as SpGetExtendedInformation gives it; empty where it gives none. */
struct slice splsa_mechanism(const struct foreign_package *package);
/* An NTSTATUS of a package as SSPI's code: one that SSPI has or hands through stays, anything without a counterpart becomes SEC_E_INTERNAL_ERROR,
 * and the cause tells the code. */
SECURITY_STATUS splsa_status(const struct foreign_package *package, const char *call, NTSTATUS status);

#endif
