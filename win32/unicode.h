/*
 * UTF-8 and UTF-16 for functions that must not fail on what is no text: U+FFFD stands for it.
 */
#ifndef OPENSSPI_WIN32_UNICODE_H
#define OPENSSPI_WIN32_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <windef.h>

#define REPLACEMENT 0xFFFDu

/* One character of UTF-8 of `len` bytes (at least one): how many bytes it has. REPLACEMENT with *bad for what is none, which is as long as a
 * character could go on (Unicode, "maximal subparts"). */
size_t utf8_next(const char *s, size_t len, uint32_t *character, bool *bad);
/* The same of UTF-16: an unpaired surrogate is none. */
size_t utf16_next(const WCHAR *s, size_t len, uint32_t *character, bool *bad);
/* Into room for 4 bytes, or for 2 units: how many. */
size_t utf8_put(uint32_t character, char *to);
size_t utf16_put(uint32_t character, WCHAR *to);

/*
 * Text up to its NUL, or as many units of the new form as there may be, never within a character; without a destination all of it. How many units
 * that is; *from is behind what they stand for, and nothing behind it was looked at when all n are used. (size_t)-1 with EILSEQ, *from being at what
 * is none.
 */
size_t utf16_fill(WCHAR *to, const char **from, size_t n);
size_t utf8_fill(char *to, const WCHAR **from, size_t n);

/* Fresh text (free), NULL and ERROR_NOT_ENOUGH_MEMORY without memory; NULL for NULL. */
char *utf8_of(const WCHAR *s);
WCHAR *utf16_of(const char *s);
/* Frees text that may be a secret, or NULL. */
void text_wipe(char *utf8);

/*
 * Text into a caller's room of *n characters, in either form. Fits: *n is its length, with the NUL or without, and TRUE. Else *n is the room needed
 * with it, nothing is written, and FALSE with the error `small`.
 */
BOOL text_put(const char *utf8, bool wide, void *room, DWORD *n, DWORD small, bool with_nul);

/* An upper or lower case letter of the basic plane, one for one. */
WCHAR wchar_upper(WCHAR c);
WCHAR wchar_lower(WCHAR c);

#endif
