/*
 * UTF-16LE, as the W functions and most wires carry it, to and from the UTF-8 used inside. Unpaired surrogates, overlong
 * forms, code points past U+10FFFF and embedded NULs are refused: names that two readers see differently open doors.
 * A NULL text or array counts as empty, except where said otherwise.
 */
#ifndef OPENSSPI_BASE_UTF16_H
#define OPENSSPI_BASE_UTF16_H

#include "base/result.h"
#include "base/secret.h"
#include "base/slice.h"
#include "base/writer.h"

/* Text from the wire (even number of bytes, little-endian, any alignment) to a fresh NUL-terminated UTF-8 string.
 * WIRE_BAD for invalid input or no memory. Free with mem_free. */
MUST_USE enum wire_result utf16le_to_text(struct slice utf16, char **text);
/* The same from `n_units` units in memory. */
MUST_USE enum wire_result utf16_to_text(const uint16_t *units, size_t n_units, char **text);
/* Would utf16le_to_text take it, had it the memory? */
bool utf16le_valid(struct slice utf16);
/* UTF-8 to UTF-16LE bytes appended to the writer, without NUL. WIRE_BAD for invalid UTF-8 (nothing is written) or no room. */
MUST_USE enum wire_result utf16le_write(struct writer *writer, const char *text);
/* Makes `secret` own UTF-8 as UTF-16LE, without NUL, as utf16le_write does. WIRE_BAD for invalid UTF-8 or no memory, `secret` untouched. */
MUST_USE enum wire_result utf16le_secret(struct secret *secret, const char *text);
/* UTF-8 to a fresh NUL-terminated array; `n_units` (may be NULL) without the NUL. Free with mem_free. */
MUST_USE enum wire_result utf16_from_text(const char *text, uint16_t **units, size_t *n_units);
/* Bytes that utf16le_write would add; 0 for invalid UTF-8. */
size_t utf16le_len(const char *text);
/* Units before the NUL. */
size_t utf16_units(const uint16_t *units);

/* Is this well-formed UTF-8 without NUL? */
bool utf8_valid(struct slice text);
/* Does this character control text rather than be seen in it: end a line, move a terminal, turn the direction of writing, join, separate or hide? */
bool code_point_steers(uint32_t code_point);
/* Bytes of the character at the beginning of these where it is such a one; 0: it is none. */
size_t utf8_steering_len(const uint8_t *at, size_t left);
/* The same but for soft hyphens and joiners (U+00AD, U+200C, U+200D), which are spelling in many scripts: for names that programs compare. */
size_t utf8_forging_len(const uint8_t *at, size_t left);
/* Makes a line of UTF-8 out of words that may be a peer's: characters that steer, and bytes that are no UTF-8, become question marks, a byte each. */
void text_calm(char *text, size_t len);
/* Simple case folding per code point as Windows does for account names (1:1 upper-case mappings of the Basic
 * Multilingual Plane; the rules stand in tools/make_upper_table.py). utf16le_upper works in place on wire bytes; text_upper
 * makes a fresh string, or NULL for NULL, invalid UTF-8 or no memory; utf8_equal_fold and text_equal_fold compare without regard to
 * case: NULL and invalid UTF-8 equal nothing, not even themselves. */
uint16_t utf16_upper(uint16_t unit);
void utf16le_upper(uint8_t *bytes, size_t len);
char *text_upper(const char *text);
bool utf8_equal_fold(struct slice a, struct slice b);
bool text_equal_fold(const char *a, const char *b);

#endif
