/*
 * Names of certificates as text, in UTF-8. Characters of a name that would end or disguise the text (NUL and other controls, what turns the direction
 * of writing) become U+FFFD.
 */
#ifndef OPENSSPI_CERTIFICATES_NAMES_H
#define OPENSSPI_CERTIFICATES_NAMES_H

#include "base/slice.h"
#include "base/writer.h"
#include <sspi.h>
#include <stdbool.h>
#include <wincrypt.h>

/* Writes text without what would end it, move a terminal or disguise what follows. */
void name_safe_write(struct writer *writer, const unsigned char *text, size_t len);

/* An encoded name in the form of CertNameToStr; mem_free. CRYPT_E_ASN1_BADTAG when it cannot be read; E_INVALIDARG for another form. */
SECURITY_STATUS name_text(struct slice der, DWORD form, char **text);

/* The reverse: text to an encoded name, by the rules of CertStrToName. CRYPT_E_INVALID_X500_STRING and its kin, with the byte in `wrong`;
 * E_INVALIDARG. */
SECURITY_STATUS name_parse(const char *text, DWORD form, struct writer *der, size_t *wrong);

/* The key under which CertNameToStr writes an attribute, such as "CN"; NULL: it has none. */
const char *name_key(const char *oid);

/* A name of CertGetNameString: one or, for all DNS names, several texts, each with its NUL; `len` counts them with their NULs. mem_free.
 * CRYPT_E_NOT_FOUND. */
SECURITY_STATUS name_of_certificate(PCCERT_CONTEXT context, DWORD type, DWORD flags, const void *parameter, char **text,
                                    size_t *len);

#endif
