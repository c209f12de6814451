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
/* A NUL behind it, in the last unit when there is no room. */
void text_out_end(struct text_out *out);

struct format_arguments {
    const DWORD_PTR *array; /* NULL: the list */
    size_t n_array, next;
    va_list *list;
    bool no_float;
};

/* Formats `n` units of a format of the output's width. FALSE for %n, a width beyond reason, or an array that is too short. */
bool format_run(struct text_out *out, const void *format, size_t n, struct format_arguments *arguments);

#endif
