/*
 * Bytes as text and back: base64, PEM, hexadecimal digits (CryptBinaryToString, CryptStringToBinary).
 */
#ifndef OPENSSPI_CERTIFICATES_ARMOUR_H
#define OPENSSPI_CERTIFICATES_ARMOUR_H

#include "base/slice.h"
#include "base/writer.h"
#include <sspi.h>
#include <stdbool.h>

/* The length of the text of so many bytes, without a NUL; ERROR_INVALID_PARAMETER for a form that is not known or only read. */
SECURITY_STATUS armour_size(size_t n_bytes, DWORD flags, uint64_t *len);
/* Appends that text. The writer may have failed: check it. */
SECURITY_STATUS armour_write(struct slice bytes, DWORD flags, struct writer *writer);

struct armour_read {
    DWORD form;  /* the one that was found */
    size_t skip; /* bytes before the BEGIN line */
};
/* Appends the bytes of a text: no more than it has characters, and of base64 no more than 3 for 4, the last of which may be missing.
 * ERROR_INVALID_DATA when it is not of that form; ERROR_INVALID_PARAMETER for a form that is not known. What the writer got on failure counts for
 * nothing. */
SECURITY_STATUS armour_read(struct slice text, DWORD flags, struct writer *writer, struct armour_read *found);

#endif
