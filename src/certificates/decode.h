/*
 * DER structures of certificates laid out in C, as CryptDecodeObject gives them: names, alternative names, purposes, uses of keys.
 */
#ifndef OPENSSPI_CERTIFICATES_DECODE_H
#define OPENSSPI_CERTIFICATES_DECODE_H

#include "base/slice.h"
#include <sspi.h>
#include <wincrypt.h>

struct decoded;

/* Reads `der`, all of it, as the structure `type`: a number below 0x10000, or an extension's object identifier; decoded_free.
 * ERROR_FILE_NOT_FOUND for a type that is not known; CRYPT_E_ASN1_BADTAG and CRYPT_E_INVALID_IA5_STRING for bytes that are no such structure;
 * SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS decoded_read(LPCSTR type, struct slice der, struct decoded **decoded);
/* Bytes of the structure with all that it points to. */
size_t decoded_len(const struct decoded *decoded);
/* Lays it out in a room of so many bytes, aligned for pointers. SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS decoded_put(const struct decoded *decoded, void *room);
void decoded_free(struct decoded *decoded);

#endif
