/*
 * Formatted text as Windows' functions write it: of 8 or of 16 bits, from arguments on the stack or in an array.
 */
#ifndef OPENSSPI_WIN32_FORMAT_H
#define OPENSSPI_WIN32_FORMAT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <windef.h>

/* Where text goes: into `room` of `size` units, counting on beyond it; or, with `grows`, into memory of its own (free). */
struct text_out {
    bool wide;
    bool grows;
    bool failed;
    void *room;
    size_t size;
    size_t n; /* units put, whether or not there was room */
};

void text_out_unit(struct text_out *out, unsigned unit);
/* Text of either width, of n units. */
void text_out_text(struct text_out *out, bool wide, const void *s, size_t n);
/* A NUL behind it, in the last unit when there is no room. */
void text_out_end(struct text_out *out);

/* Frees what grew, and wipes it: it may be a secret. */
void text_out_free(struct text_out *out);

/* What formats are made of, for writing and for reading. A unit behind the end is 0. */
unsigned format_unit(bool wide, const void *format, size_t n, size_t i);

enum format_size {
    SIZE_INT,
    SIZE_CHAR,
    SIZE_SHORT,
    SIZE_LONG,
    SIZE_LONG_LONG,
    SIZE_LONG_DOUBLE,
    SIZE_POINTER,
    SIZE_WIDE
};

/* Goes behind it. */
void format_size_read(bool wide, const void *format, size_t n, size_t *i, enum format_size *size);
/* Is the text wide that a conversion of a function of either width means? %s and what is like it are of the function's own width, %S and %C of the
 * other, unless a size says which. */
bool format_is_wide(bool wide, unsigned conversion, enum format_size size);

struct format_arguments {
    const DWORD_PTR *array; /* NULL: the list */
    size_t n_array, next;
    va_list *list;
    bool no_float;
};

/* Formats `n` units of a format of the output's width. FALSE for %n and conversions that are none, a width beyond reason, or an array that is too
 * short. */
bool format_run(struct text_out *out, const void *format, size_t n, struct format_arguments *arguments);

#endif
