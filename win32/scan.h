/*
 * Formatted input as Windows' functions read it: of 8 or of 16 bits, from text or from a file of UTF-8.
 */
#ifndef OPENSSPI_WIN32_SCAN_H
#define OPENSSPI_WIN32_SCAN_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* What is read, and by which rules. */
struct scan {
    bool wide;    /* the format and what is read have 16 bits */
    bool bounded; /* behind each pointer to text stands its room (scanf_s) */
    unsigned long long
        longs;        /* a bit an argument, from the first behind the format on: a pointer to a long of this system */
    const void *text; /* with a NUL; NULL: the file */
    FILE *file;
};

/* How many arguments were set; EOF when the input ended before the first, and with EINVAL for a format or an argument that is none. */
int scan_run(const struct scan *scan, const void *format, va_list arguments);

/* The next unit of UTF-16 of a file of UTF-8, EOF at its end. What is no text is U+FFFD. Of a character of two units the second is put back into the
 * file. */
int file_unit_get(FILE *file);
/* Puts a unit back that was just got. */
void file_unit_unget(int unit, FILE *file);

#endif
