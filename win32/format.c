#include "format.h"

#include "unicode.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH_MAX (1 << 20) /* nobody means more; text of this length can be asked for twice in a format */
#define NUMBER_MAX 128      /* on the stack; longer ones are allocated */

struct spec {
    char flags[8];
    int width, precision; /* -1: none */
    enum format_size size;
    unsigned conversion;
};

void text_out_free(struct text_out *out)
{
    if (out->room != NULL)
        explicit_bzero(out->room, out->size * (out->wide ? sizeof(WCHAR) : 1));
    free(out->room);
    out->room = NULL;
}

void text_out_unit(struct text_out *out, unsigned unit)
{
    if (out->grows && out->n == out->size) {
        size_t size = out->size == 0 ? 256 : out->size * 2, unit_size = out->wide ? sizeof(WCHAR) : 1;
        void *room = malloc(size * unit_size);
        if (room == NULL) {
            out->failed = true;
            return;
        }
        if (out->size > 0) { /* realloc would leave the text where it was */
            memcpy(room, out->room, out->n * unit_size);
            text_out_free(out);
        }
        out->room = room;
        out->size = size;
    }
    if (out->n < out->size) {
        if (out->wide)
            ((WCHAR *)out->room)[out->n] = (WCHAR)unit;
        else
            ((char *)out->room)[out->n] = (char)unit;
    }
    out->n++;
}

static void put_character(struct text_out *out, uint32_t character)
{
    char bytes[4] = {0};
    WCHAR units[2] = {0};
    size_t n = out->wide ? utf16_put(character, units) : utf8_put(character, bytes);
    for (size_t i = 0; i < n; i++)
        text_out_unit(out, out->wide ? units[i] : (unsigned char)bytes[i]);
}

/* Text of either width; characters are not cut in two by a change of width. */
static void text_out_narrow(struct text_out *out, const char *s, size_t len)
{
    for (size_t i = 0; i < len;) {
        if (!out->wide) {
            text_out_unit(out, (unsigned char)s[i++]);
            continue;
        }
        uint32_t character;
        bool bad;
        i += utf8_next(s + i, len - i, &character, &bad);
        put_character(out, character);
    }
}

static void text_out_wide(struct text_out *out, const WCHAR *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        if (out->wide) {
            text_out_unit(out, s[i++]);
            continue;
        }
        uint32_t character;
        bool bad;
        i += utf16_next(s + i, n - i, &character, &bad);
        put_character(out, character);
    }
}

void text_out_text(struct text_out *out, bool wide, const void *s, size_t n)
{
    if (wide)
        text_out_wide(out, s, n);
    else
        text_out_narrow(out, s, n);
}

void text_out_end(struct text_out *out)
{
    size_t n = out->n;
    if (!out->grows && out->n >= out->size) {
        if (out->size == 0)
            return;
        out->n = out->size - 1;
    }
    text_out_unit(out, 0);
    out->n = n;
}

unsigned format_unit(bool wide, const void *format, size_t n, size_t i)
{
    if (i >= n)
        return 0;
    return wide ? ((const WCHAR *)format)[i] : ((const unsigned char *)format)[i];
}

/* An argument as its 64 bits; of a narrower one only the lower half means anything. */
static bool next_word(struct format_arguments *arguments, bool wide, uint64_t *value)
{
    if (arguments->array != NULL) {
        if (arguments->next >= arguments->n_array)
            return false;
        *value = arguments->array[arguments->next++];
    } else if (wide) {
        *value = va_arg(*arguments->list, uint64_t);
    } else {
        *value = va_arg(*arguments->list, uint32_t);
    }
    return true;
}

static bool number_read(const struct text_out *out, const void *format, size_t n, size_t *i,
                        struct format_arguments *arguments, int *number)
{
    long long value = 0;
    if (format_unit(out->wide, format, n, *i) == '*') {
        uint64_t word;
        if (!next_word(arguments, false, &word))
            return false;
        value = (int32_t)(uint32_t)word;
        (*i)++;
    } else {
        for (unsigned c; (c = format_unit(out->wide, format, n, *i)) >= '0' && c <= '9' && value <= WIDTH_MAX; (*i)++)
            value = value * 10 + (long long)(c - '0');
    }
    if (value > WIDTH_MAX || value < -WIDTH_MAX)
        return false;
    *number = (int)value;
    return true;
}

void format_size_read(bool wide, const void *format, size_t n, size_t *i, enum format_size *size)
{
#define AT(k) format_unit(wide, format, n, *i + (k))
    switch (AT(0)) {
    case 'h':
        *size = AT(1) == 'h' ? SIZE_CHAR : SIZE_SHORT;
        *i += *size == SIZE_CHAR ? 2 : 1;
        return;
    case 'l':
        *size = AT(1) == 'l' ? SIZE_LONG_LONG : SIZE_LONG;
        *i += *size == SIZE_LONG_LONG ? 2 : 1;
        return;
    case 'w':
        *size = SIZE_WIDE;
        *i += 1;
        return;
    case 'I':
        *size = AT(1) == '6' && AT(2) == '4' ? SIZE_LONG_LONG : AT(1) == '3' && AT(2) == '2' ? SIZE_INT : SIZE_POINTER;
        *i += *size == SIZE_POINTER ? 1 : 3;
        return;
    case 'z':
    case 't':
    case 'j':
        *size = SIZE_POINTER;
        *i += 1;
        return;
    case 'L': /* as Windows' compilers know it no longer than a double, but as long as the caller's compiler passes it */
        *size = SIZE_LONG_DOUBLE;
        *i += 1;
        return;
    default:
        *size = SIZE_INT;
    }
#undef AT
}

/* From behind the percent sign to behind the conversion. */
static bool spec_read(const struct text_out *out, const void *format, size_t n, size_t *i,
                      struct format_arguments *arguments, struct spec *spec)
{
    *spec = (struct spec){.width = 0, .precision = -1};
    size_t n_flags = 0;
    for (unsigned c; (c = format_unit(out->wide, format, n, *i)) != 0 && c < 0x80 && strchr("-+ #0", (int)c) != NULL;
         (*i)++)
        if (strchr(spec->flags, (int)c) == NULL && n_flags < sizeof spec->flags - 1)
            spec->flags[n_flags++] = (char)c;
    if (!number_read(out, format, n, i, arguments, &spec->width))
        return false;
    if (spec->width < 0) { /* from an argument: to the left */
        spec->width = -spec->width;
        if (strchr(spec->flags, '-') == NULL && n_flags < sizeof spec->flags - 1)
            spec->flags[n_flags] = '-';
    }
    if (format_unit(out->wide, format, n, *i) == '.') {
        (*i)++;
        if (!number_read(out, format, n, i, arguments, &spec->precision))
            return false;
        if (spec->precision < 0)
            spec->precision = -1;
    }
    format_size_read(out->wide, format, n, i, &spec->size);
    spec->conversion = format_unit(out->wide, format, n, *i);
    if (*i < n)
        (*i)++;
    return true;
}

static void pad(struct text_out *out, const struct spec *spec, size_t n, bool before)
{
    bool left = strchr(spec->flags, '-') != NULL;
    unsigned with = !left && strchr(spec->flags, '0') != NULL ? '0' : ' ';
    for (size_t i = n; left != before && i < (size_t)spec->width; i++)
        text_out_unit(out, with);
}

static void put_padded(struct text_out *out, const struct spec *spec, bool wide, const void *s, size_t n)
{
    struct text_out measure = {.wide = out->wide};
    text_out_text(&measure, wide, s, n);
    pad(out, spec, measure.n, true);
    text_out_text(out, wide, s, n);
    pad(out, spec, measure.n, false);
}

static void put_text(struct text_out *out, const struct spec *spec, bool wide, const void *s, size_t limit)
{
    size_t n = 0;
    if (s == NULL) {
        wide = false;
        s = "(null)";
    }
    while (n < limit && (wide ? ((const WCHAR *)s)[n] != 0 : ((const char *)s)[n] != 0))
        n++;
    put_padded(out, spec, wide, s, n);
}

bool format_is_wide(bool wide, unsigned conversion, enum format_size size)
{
    if (size == SIZE_SHORT)
        return false;
    if (size == SIZE_LONG || size == SIZE_WIDE)
        return true;
    return (conversion == 'S' || conversion == 'C') != wide;
}

static bool put_string(struct text_out *out, const struct spec *spec, struct format_arguments *arguments)
{
    uint64_t word;
    if (!next_word(arguments, true, &word))
        return false;
    put_text(out, spec, format_is_wide(out->wide, spec->conversion, spec->size), (const void *)(uintptr_t)word,
             spec->precision < 0 ? SIZE_MAX : (size_t)spec->precision);
    return true;
}

/* MS, "printf type field characters": what an ANSI_STRING or a UNICODE_STRING counts, with NULs of its own. */
static bool put_counted(struct text_out *out, const struct spec *spec, struct format_arguments *arguments)
{
    uint64_t word;
    if (!next_word(arguments, true, &word))
        return false;
    bool wide = spec->size == SIZE_LONG || spec->size == SIZE_WIDE;
    const UNICODE_STRING *units = (const UNICODE_STRING *)(uintptr_t)word;
    const ANSI_STRING *bytes = (const ANSI_STRING *)(uintptr_t)word;
    const void *s = word == 0 ? NULL : wide ? (const void *)units->Buffer : bytes->Buffer;
    size_t n = s == NULL ? strlen("(null)") : wide ? units->Length / sizeof(WCHAR) : bytes->Length;
    if (s == NULL) {
        wide = false;
        s = "(null)";
    }
    if (spec->precision >= 0 && (size_t)spec->precision < n)
        n = (size_t)spec->precision;
    put_padded(out, spec, wide, s, n);
    return true;
}

static bool put_char(struct text_out *out, const struct spec *spec, struct format_arguments *arguments)
{
    uint64_t word;
    if (!next_word(arguments, false, &word))
        return false;
    bool wide = format_is_wide(out->wide, spec->conversion, spec->size);
    WCHAR unit = (WCHAR)word;
    char byte = (char)word;
    put_padded(out, spec, wide, wide ? (const void *)&unit : &byte, 1);
    return true;
}

/* The C library writes numbers; `value` is its long long or double. */
static bool put_by_library(struct text_out *out, const struct spec *spec, const char *size, unsigned conversion,
                           long long value, double real)
{
    char format[32], brief[NUMBER_MAX], *text = brief;
    if (spec->precision < 0)
        snprintf(format, sizeof format, "%%%s*%s%c", spec->flags, size, (char)conversion);
    else
        snprintf(format, sizeof format, "%%%s*.*%s%c", spec->flags, size, (char)conversion);
#define WRITE(to, n)                                                                                      \
    (*size != '\0' ? (spec->precision < 0 ? snprintf(to, n, format, spec->width, value)                   \
                                          : snprintf(to, n, format, spec->width, spec->precision, value)) \
                   : (spec->precision < 0 ? snprintf(to, n, format, spec->width, real)                    \
                                          : snprintf(to, n, format, spec->width, spec->precision, real)))
    int len = WRITE(brief, sizeof brief);
    if (len < 0)
        return false;
    if ((size_t)len >= sizeof brief) {
        text = malloc((size_t)len + 1);
        if (text == NULL)
            return false;
        (void)WRITE(text, (size_t)len + 1);
    }
#undef WRITE
    text_out_narrow(out, text, (size_t)len);
    if (text != brief)
        free(text);
    return true;
}

static bool put_integer(struct text_out *out, const struct spec *spec, struct format_arguments *arguments)
{
    uint64_t word;
    bool is_signed = spec->conversion == 'd' || spec->conversion == 'i';
    bool long_long = spec->size == SIZE_LONG_LONG || spec->size == SIZE_LONG_DOUBLE || spec->size == SIZE_POINTER;
    if (!next_word(arguments, long_long, &word))
        return false;
    if (spec->size == SIZE_CHAR)
        word = is_signed ? (uint64_t)(int8_t)word : (uint8_t)word;
    else if (spec->size == SIZE_SHORT)
        word = is_signed ? (uint64_t)(int16_t)word : (uint16_t)word;
    else if (!long_long) /* Windows' long has 32 bits */
        word = is_signed ? (uint64_t)(int32_t)word : (uint32_t)word;
    return put_by_library(out, spec, "ll", spec->conversion == 'i' ? 'd' : spec->conversion, (long long)word, 0);
}

static bool put_pointer(struct text_out *out, struct spec *spec, struct format_arguments *arguments)
{
    uint64_t word;
    if (!next_word(arguments, true, &word))
        return false;
    spec->precision = 2 * (int)sizeof(void *);
    return put_by_library(out, spec, "ll", 'X', (long long)word, 0);
}

static bool put_spec(struct text_out *out, struct spec *spec, struct format_arguments *arguments)
{
    switch (spec->conversion) {
    case 'd':
    case 'i':
    case 'u':
    case 'x':
    case 'X':
    case 'o':
        return put_integer(out, spec, arguments);
    case 'p':
        return put_pointer(out, spec, arguments);
    case 's':
    case 'S':
        return put_string(out, spec, arguments);
    case 'c':
    case 'C':
        return put_char(out, spec, arguments);
    case 'Z':
        return put_counted(out, spec, arguments);
    case '%':
        text_out_unit(out, '%');
        return true;
    case 0: /* a percent sign at the end */
        return true;
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
    case 'a':
    case 'A':
        return !arguments->no_float && arguments->array == NULL &&
               put_by_library(out, spec, "", spec->conversion, 0,
                              spec->size == SIZE_LONG_DOUBLE ? (double)va_arg(*arguments->list, long double)
                                                             : va_arg(*arguments->list, double));
    default: /* %n, which writes into memory, and whatever takes nobody knows which argument */
        return false;
    }
}

bool format_run(struct text_out *out, const void *format, size_t n, struct format_arguments *arguments)
{
    for (size_t i = 0; i < n;) {
        unsigned unit = format_unit(out->wide, format, n, i++);
        if (unit != '%') {
            text_out_unit(out, unit);
            continue;
        }
        struct spec spec;
        if (!spec_read(out, format, n, &i, arguments, &spec) || !put_spec(out, &spec, arguments) || out->failed)
            return false;
    }
    return !out->failed;
}
