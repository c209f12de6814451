/*
 * Bytes as pairs of hexadecimal digits.
 */
#ifndef OPENSSPI_BASE_HEX_H
#define OPENSSPI_BASE_HEX_H

#include "base/result.h"
#include "base/writer.h"

/* The value of a digit in either case, a byte of text or a unit of UTF-16; -1 for what is none. */
int hex_digit(uint16_t letter);
/* Exactly `len` bytes from twice as many digits. WIRE_BAD for anything else, and then nothing is written. */
MUST_USE enum wire_result hex_read(struct slice digits, uint8_t *bytes, size_t len);
/* In lower case, with a NUL behind it: 2 * len + 1 bytes. */
void hex_text(const uint8_t *bytes, size_t len, char *text);
void hex_write(struct writer *text, struct slice bytes, bool upper);

#endif
