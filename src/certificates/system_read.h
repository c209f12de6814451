/*
 * Reading a system store's file, or directory of files.
 */
#ifndef OPENSSPI_CERTIFICATES_SYSTEM_READ_H
#define OPENSSPI_CERTIFICATES_SYSTEM_READ_H

#include "certificates/internal.h"

/* Where what is read goes: into a store, with the places of keys where `keys`, or onto the stacks, as OpenSSL's objects alone. */
struct pour {
    struct store *store; /* NULL: the stacks */
    bool keys;
    STACK_OF(X509) * certificates;
    STACK_OF(X509_CRL) * lists; /* may be NULL */
};

/* Nothing at all is fine where the path is not `wanted` (it is the default). Of a certificate that is there several times the first counts.
 * CRYPT_E_FILE_ERROR, CRYPT_E_BAD_ENCODE, SEC_E_INSUFFICIENT_MEMORY: part of it may have been poured. */
SECURITY_STATUS system_path_read(const char *path, bool wanted, struct pour *to);
/* Calls `each` with the path of every file of a directory that counts (dots do not), in the order of their names, up to its first failure.
 * CRYPT_E_FILE_ERROR when it cannot be looked through. */
SECURITY_STATUS system_directory_walk(const char *path, SECURITY_STATUS (*each)(void *context, const char *file),
                                      void *context);

#endif
