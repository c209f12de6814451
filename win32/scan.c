#include "scan.h"

#include "crt.h"
#include "format.h"
#include "unicode.h"
#include <limits.h>
#include <locale.h>

struct spec {
    bool suppressed;
    size_t width; /* SIZE_MAX: none */
    enum format_size size;
    unsigned conversion;
    size_t set, set_end; /* of %[: where its characters stand in the format */
    bool negated;
};

enum outcome { DONE, MISMATCH, AT_END, WRONG };

#define NOT_READ (-2)

struct reading {
    const struct scan *scan;
    const void *format;
    size_t n_format, i; /* its units, and where it is read */
    size_t n_text;      /* units read, of text also where the next is */
    int ahead;          /* the unit that comes next, EOF, or NOT_READ */
    int n_set;
    unsigned n_arguments;
    va_list arguments;
};

/* 2 bytes of a low surrogate of its own are no UTF-8, but are put back so by file_unit_get. */
#define LOW_SURROGATE_BYTE 0xB0

int file_unit_get(FILE *file)
{
    char bytes[4];
    size_t len = 0, whole, n;
    uint32_t character = REPLACEMENT;
    bool bad = true;
    int c = fgetc(file);
    if (c == EOF)
        return EOF;
    bytes[len++] = (char)c;
    whole = c < 0xC2 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 1;
    n = utf8_next(bytes, len, &character, &bad);
    while (bad && len < whole && (c = fgetc(file)) != EOF) {
        bytes[len++] = (char)c;
        if (len == 2 && bytes[0] == (char)0xED && c >= LOW_SURROGATE_BYTE && c < 0xC0) {
            int last = fgetc(file);
            if ((last & ~0x3F) == 0x80)
                return 0xD000 | (c & 0x3F) << 6 | (last & 0x3F);
            if (last != EOF)
                (void)ungetc(last, file);
        }
        n = utf8_next(bytes, len, &character, &bad);
        if (n < len) {
            (void)ungetc(c, file);
            break;
        }
    }
    if (character < 0x10000)
        return (int)character;
    WCHAR units[2];
    (void)utf16_put(character, units);
    file_unit_unget(units[1], file);
    return units[0];
}

void file_unit_unget(int unit, FILE *file)
{
    char bytes[4];
    for (size_t n = utf8_put((uint32_t)unit, bytes); n > 0; n--)
        (void)ungetc((unsigned char)bytes[n - 1], file);
}

static int peek(struct reading *reading)
{
    const struct scan *scan = reading->scan;
    if (reading->ahead != NOT_READ)
        return reading->ahead;
    if (scan->text == NULL)
        return reading->ahead = scan->wide ? file_unit_get(scan->file) : fgetc(scan->file);
    unsigned unit = format_unit(scan->wide, scan->text, SIZE_MAX, reading->n_text);
    return reading->ahead = unit == 0 ? EOF : (int)unit;
}

static void take(struct reading *reading)
{
    reading->ahead = NOT_READ;
    reading->n_text++;
}

/* What was looked at and not taken goes back to the file. */
static void leave(struct reading *reading)
{
    if (reading->scan->text != NULL || reading->ahead < 0)
        return;
    if (reading->scan->wide)
        file_unit_unget(reading->ahead, reading->scan->file);
    else
        (void)ungetc(reading->ahead, reading->scan->file);
}

static bool is_space(const struct reading *reading, int unit)
{
    return unit == ' ' || (unit >= '\t' && unit <= '\r') ||
           (reading->scan->wide && unit > 0x7F && iswspace((wint_t)unit));
}

static int skip_space(struct reading *reading)
{
    while (is_space(reading, peek(reading)))
        take(reading);
    return peek(reading);
}

/* Takes the next unit when it is this one, of letters in either case, and there is width left. */
static bool take_this(struct reading *reading, size_t *width, int unit)
{
    int c = peek(reading);
    if (*width == 0 || (c != unit && !(unit >= 'a' && unit <= 'z' && c == unit - 32)))
        return false;
    take(reading);
    --*width;
    return true;
}

static unsigned format_at(const struct reading *reading, size_t i)
{
    return format_unit(reading->scan->wide, reading->format, reading->n_format, i);
}

/* The characters of %[, up to behind the bracket that ends them. One that comes first is one of them. */
static bool set_read(struct reading *reading, struct spec *spec)
{
    spec->negated = format_at(reading, reading->i) == '^';
    spec->set = reading->i + (spec->negated ? 1 : 0);
    for (spec->set_end = spec->set + 1; format_at(reading, spec->set_end) != ']'; spec->set_end++)
        if (spec->set_end >= reading->n_format)
            return false;
    reading->i = spec->set_end + 1;
    return true;
}

static bool in_set(const struct reading *reading, const struct spec *spec, unsigned unit)
{
    for (size_t i = spec->set; i < spec->set_end; i++) {
        unsigned from = format_at(reading, i), to = from;
        if (i + 2 < spec->set_end && format_at(reading, i + 1) == '-') {
            to = format_at(reading, i + 2);
            i += 2;
        }
        if ((unit >= from && unit <= to) || (unit >= to && unit <= from))
            return !spec->negated;
    }
    return spec->negated;
}

/* From behind the percent sign to behind the conversion. */
static bool spec_read(struct reading *reading, struct spec *spec)
{
    *spec = (struct spec){.width = SIZE_MAX};
    if (format_at(reading, reading->i) == '*') {
        spec->suppressed = true;
        reading->i++;
    }
    for (unsigned c; (c = format_at(reading, reading->i)) >= '0' && c <= '9'; reading->i++) {
        spec->width = (spec->width == SIZE_MAX ? 0 : spec->width * 10) + (c - '0');
        if (spec->width > INT_MAX)
            return false;
    }
    if (spec->width == 0)
        return false;
    format_size_read(reading->scan->wide, reading->format, reading->n_format, &reading->i, &spec->size);
    spec->conversion = format_at(reading, reading->i++);
    return spec->conversion != '[' || set_read(reading, spec);
}

/* The next argument, with whether it points to a long of this system. NULL is no argument. */
static void *argument(struct reading *reading, bool *is_long)
{
    unsigned i = reading->n_arguments++;
    *is_long = i < 64 && (reading->scan->longs >> i & 1) != 0;
    return va_arg(reading->arguments, void *);
}

static enum outcome set_integer(struct reading *reading, const struct spec *spec, uint64_t value)
{
    bool is_long;
    if (spec->suppressed)
        return DONE;
    void *to = argument(reading, &is_long);
    if (to == NULL)
        return WRONG;
    if (spec->size == SIZE_CHAR)
        *(uint8_t *)to = (uint8_t)value;
    else if (spec->size == SIZE_SHORT)
        *(uint16_t *)to = (uint16_t)value;
    else if (spec->conversion == 'p')
        *(uintptr_t *)to = (uintptr_t)value;
    else if (is_long)
        *(unsigned long *)to = (unsigned long)value;
    else if (spec->size == SIZE_INT || spec->size == SIZE_LONG) /* Windows' long has 32 bits */
        *(uint32_t *)to = (uint32_t)value;
    else
        *(uint64_t *)to = value;
    reading->n_set += spec->conversion == 'n' ? 0 : 1;
    return DONE;
}

static unsigned digit(int c)
{
    return c >= '0' && c <= '9'   ? (unsigned)(c - '0')
           : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
           : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
                                  : UINT_MAX;
}

/* The base is 0 where the number says it itself. One that is too large for 64 bits is the largest. */
static enum outcome read_integer(struct reading *reading, const struct spec *spec, unsigned base)
{
    uint64_t value = 0;
    size_t width = spec->width, n_digits = 0;
    bool is_signed = spec->conversion == 'd' || spec->conversion == 'i', much = false;
    if (skip_space(reading) == EOF)
        return AT_END;
    bool negative = take_this(reading, &width, '-');
    if (!negative)
        (void)take_this(reading, &width, '+');
    if ((base == 0 || base == 16) && take_this(reading, &width, '0')) {
        bool hex = take_this(reading, &width, 'x');
        n_digits = hex ? 0 : 1;
        base = hex ? 16 : base == 0 ? 8 : base;
    }
    base = base == 0 ? 10 : base;
    for (; width > 0 && digit(peek(reading)) < base; width--, n_digits++) {
        unsigned next = digit(peek(reading));
        much |= value > (UINT64_MAX - next) / base;
        value = value * base + next;
        take(reading);
    }
    if (n_digits == 0)
        return MISMATCH;
    if (is_signed && (much || value > INT64_MAX))
        value = negative ? (uint64_t)INT64_MIN : INT64_MAX;
    else if (much)
        value = UINT64_MAX;
    else if (negative)
        value = 0 - value;
    return set_integer(reading, spec, value);
}

/* Takes what take_this would, into the text of a number. */
static bool collect_this(struct reading *reading, size_t *width, int unit, struct text_out *text)
{
    if (!take_this(reading, width, unit))
        return false;
    text_out_unit(text, (unsigned)unit);
    return true;
}

static bool collect_word(struct reading *reading, size_t *width, const char *word, struct text_out *text)
{
    while (*word != '\0' && collect_this(reading, width, *word, text))
        word++;
    return *word == '\0';
}

static size_t collect_digits(struct reading *reading, size_t *width, unsigned base, struct text_out *text)
{
    size_t n = 0;
    for (; *width > 0 && digit(peek(reading)) < base; --*width, n++) {
        text_out_unit(text, (unsigned)peek(reading));
        take(reading);
    }
    return n;
}

/* What strtod reads, as far as one unit of looking ahead can tell. */
static bool collect_real(struct reading *reading, size_t width, struct text_out *text)
{
    const char *point = localeconv()->decimal_point;
    unsigned base = 10;
    size_t n = 0;
    if (!collect_this(reading, &width, '-', text))
        (void)collect_this(reading, &width, '+', text);
    if (collect_this(reading, &width, 'i', text))
        return collect_word(reading, &width, "nf", text) &&
               (!collect_this(reading, &width, 'i', text) || collect_word(reading, &width, "nity", text));
    if (collect_this(reading, &width, 'n', text))
        return collect_word(reading, &width, "an", text);
    if (collect_this(reading, &width, '0', text)) {
        n = 1;
        if (collect_this(reading, &width, 'x', text)) {
            n = 0;
            base = 16;
        }
    }
    n += collect_digits(reading, &width, base, text);
    if (collect_this(reading, &width, (unsigned char)*point, text))
        n += collect_digits(reading, &width, base, text);
    if (n == 0)
        return false;
    if (!collect_this(reading, &width, base == 16 ? 'p' : 'e', text))
        return true;
    if (!collect_this(reading, &width, '-', text))
        (void)collect_this(reading, &width, '+', text);
    return collect_digits(reading, &width, 10, text) > 0;
}

static enum outcome read_real(struct reading *reading, const struct spec *spec)
{
    bool is_long;
    struct text_out text = {.grows = true};
    if (skip_space(reading) == EOF)
        return AT_END;
    bool good = collect_real(reading, spec->width, &text);
    text_out_end(&text);
    enum outcome outcome = text.failed ? AT_END : good ? DONE : MISMATCH;
    if (outcome == DONE && !spec->suppressed) {
        void *to = argument(reading, &is_long);
        if (to == NULL)
            outcome = WRONG;
        else if (spec->size == SIZE_LONG_DOUBLE)
            *(long double *)to = strtold(text.room, NULL);
        else if (spec->size == SIZE_LONG || spec->size == SIZE_LONG_LONG)
            *(double *)to = strtod(text.room, NULL);
        else
            *(float *)to = strtof(text.room, NULL);
        reading->n_set += outcome == DONE ? 1 : 0;
    }
    text_out_free(&text); /* what was read may be a secret */
    return outcome;
}

/* Text for an argument: of its own width, with a NUL but for %c. What does not fit into its room is refused, the room left with an empty text. */
static enum outcome set_text(struct reading *reading, const struct spec *spec, const struct text_out *text, bool wide)
{
    bool is_long, with_nul = spec->conversion != 'c';
    struct text_out measure = {.wide = wide}, to = {.wide = wide, .size = SIZE_MAX};
    to.room = argument(reading, &is_long);
    if (wide != text->wide && spec->width != SIZE_MAX) /* a character may be longer in this width than in that */
        to.size = spec->width + (with_nul ? 1 : 0);
    if (reading->scan->bounded) {
        to.size = va_arg(reading->arguments, unsigned);
        reading->n_arguments++;
    }
    if (to.room == NULL)
        return WRONG;
    text_out_text(&measure, text->wide, text->room, text->n);
    if (measure.n + (with_nul ? 1 : 0) > to.size) {
        if (with_nul && to.size > 0)
            memset(to.room, 0, wide ? sizeof(WCHAR) : 1);
        errno = ERANGE;
        return MISMATCH;
    }
    text_out_text(&to, text->wide, text->room, text->n);
    if (with_nul)
        text_out_unit(&to, 0);
    reading->n_set++;
    return DONE;
}

/* Does the unit go on with a character that is one of the other width? */
static bool goes_on(bool from_wide, int unit)
{
    return from_wide ? unit >= 0xDC00 && unit < 0xE000 : (unit & ~0x3F) == 0x80;
}

static bool is_text(const struct reading *reading, const struct spec *spec, int unit)
{
    if (unit == EOF)
        return false;
    if (spec->conversion == '[')
        return in_set(reading, spec, (unsigned)unit);
    return spec->conversion == 'c' || !is_space(reading, unit);
}

static enum outcome read_text(struct reading *reading, struct spec *spec)
{
    bool from_wide = reading->scan->wide, wide = format_is_wide(from_wide, spec->conversion, spec->size);
    struct text_out text = {.wide = from_wide, .grows = true};
    spec->conversion = spec->conversion == 'S' ? 's' : spec->conversion == 'C' ? 'c' : spec->conversion;
    if (spec->conversion == 'c' && spec->width == SIZE_MAX)
        spec->width = 1;
    if ((spec->conversion == 's' ? skip_space(reading) : peek(reading)) == EOF)
        return AT_END;
    size_t n = 0;
    for (int unit; is_text(reading, spec, unit = peek(reading)); take(reading)) {
        bool counts = wide == from_wide || !goes_on(from_wide, unit);
        if (counts && n == spec->width)
            break;
        n += counts || n == 0 ? 1 : 0;
        text_out_unit(&text, (unsigned)unit);
    }
    enum outcome outcome = DONE;
    if (text.failed)
        outcome = AT_END;
    else if (n == 0 || (spec->conversion == 'c' && n < spec->width))
        outcome = MISMATCH;
    else if (!spec->suppressed)
        outcome = set_text(reading, spec, &text, wide);
    text_out_free(&text);
    return outcome;
}

static enum outcome read_this(struct reading *reading, int unit)
{
    int c = peek(reading);
    if (c != unit)
        return c == EOF ? AT_END : MISMATCH;
    take(reading);
    return DONE;
}

static enum outcome read_spec(struct reading *reading, struct spec *spec)
{
    switch (spec->conversion) {
    case 'd':
    case 'u':
        return read_integer(reading, spec, 10);
    case 'i':
        return read_integer(reading, spec, 0);
    case 'o':
        return read_integer(reading, spec, 8);
    case 'x':
    case 'X':
    case 'p':
        return read_integer(reading, spec, 16);
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
    case 'a':
    case 'A':
        return read_real(reading, spec);
    case 's':
    case 'S':
    case 'c':
    case 'C':
    case '[':
        return read_text(reading, spec);
    case 'n':
        return set_integer(reading, spec, reading->n_text);
    case '%':
        (void)skip_space(reading);
        return read_this(reading, '%');
    default:
        return WRONG;
    }
}

static int read_all(struct reading *reading)
{
    enum outcome outcome = DONE;
    while (outcome == DONE && reading->i < reading->n_format) {
        struct spec spec;
        unsigned unit = format_at(reading, reading->i++);
        if (is_space(reading, (int)unit))
            (void)skip_space(reading);
        else if (unit != '%')
            outcome = read_this(reading, (int)unit);
        else
            outcome = spec_read(reading, &spec) ? read_spec(reading, &spec) : WRONG;
    }
    if (outcome == WRONG)
        errno = EINVAL;
    return outcome == WRONG || (outcome == AT_END && reading->n_set == 0) ? EOF : reading->n_set;
}

int scan_run(const struct scan *scan, const void *format, va_list arguments)
{
    if (format == NULL || (scan->text == NULL && scan->file == NULL)) {
        errno = EINVAL;
        return EOF;
    }
    struct reading reading = {.scan = scan, .format = format, .ahead = NOT_READ};
    reading.n_format = scan->wide ? opensspi_wcslen(format) : strlen(format);
    va_copy(reading.arguments, arguments);
    if (scan->file != NULL)
        flockfile(scan->file);
    int result = read_all(&reading);
    leave(&reading);
    if (scan->file != NULL)
        funlockfile(scan->file);
    va_end(reading.arguments);
    return result;
}
