/*
 * What the stores ROOT and CA hold, kept from one examination of a chain to the next as OpenSSL's objects, which threads share by reference count.
 */
#ifndef OPENSSPI_CERTIFICATES_SYSTEM_KEPT_H
#define OPENSSPI_CERTIFICATES_SYSTEM_KEPT_H

#include "certificates/internal.h"

enum system_kept { SYSTEM_ROOTS, SYSTEM_INTERMEDIATES };

/* Appends references to what the path behind a store holds; `lists` may be NULL. It is read again when the file is another or was changed, and of a
 * directory for SYSTEM_INTERMEDIATES when any of its files is, since a revocation list must not count late; for SYSTEM_ROOTS when the directory's own
 * status is another. What cannot be read is not kept. The statuses of system_path_read; on failure part of it may have been appended. The thread has
 * the process's rights. */
SECURITY_STATUS system_kept(enum system_kept which, const char *path, bool wanted, STACK_OF(X509) * certificates,
                            STACK_OF(X509_CRL) * lists);

#endif
