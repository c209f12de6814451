/*
 * What is in this file? CryptQueryObject without OpenSSL.
 */
#ifndef OPENSSPI_CERTIFICATES_OBJECT_H
#define OPENSSPI_CERTIFICATES_OBJECT_H

#include "base/slice.h"
#include <sspi.h>
#include <wincrypt.h>

struct object_found {
    DWORD content, format, encoding;
    HCERTSTORE store;   /* for CertCloseStore; NULL for a PFX */
    const void *single; /* the one certificate or list as a context of its own; NULL for other contents */
};
/* Opens a file (path in UTF-8) or bytes, as far as contents and formats are expected (CERT_QUERY_…_FLAG_ bits). CRYPT_E_NO_MATCH;
 * ERROR_FILE_NOT_FOUND; CRYPT_E_FILE_ERROR. */
SECURITY_STATUS object_query_file(const char *path, DWORD contents, DWORD formats, struct object_found *found);
SECURITY_STATUS object_query(struct slice bytes, DWORD contents, DWORD formats, struct object_found *found);
void object_found_release(struct object_found *found);

#endif
