/* Hex dumps: lines of an offset, bytes, and mostly the same as text, as xxd, hexdump, od (-t x1, -x), tcpdump, Wireshark and Samba's logs have them.
 * */
#include "decode/decode.h"

#include "base/hex.h"
#include "base/reader.h"
#include "base/writer.h"

#include <stdio.h>

#define LINE_BYTES_MAX 16
#define BLANKS_BEFORE_TEXT 3  /* two stand also in the middle of a line, after eight bytes */
#define N_BASES 3             /* hexadecimal; octal, as od writes offsets if not told otherwise; decimal */
#define FILLED_MAX (1U << 20) /* a few letters can stand for many lines: more than a token has is not made of them */

static uint8_t at(struct slice text, size_t i)
{
    return i < text.len ? text.data[i] : 0;
}

static bool is_blank(uint8_t letter)
{
    return letter == ' ' || letter == '\t';
}

static size_t digits_from(struct slice text, size_t i)
{
    size_t n = 0;
    while (hex_digit(at(text, i + n)) >= 0)
        n++;
    return n;
}

/* What begins a line of a dump, or stands alone on its last one. */
struct row {
    size_t bytes_at; /* in the line */
    bool alone;      /* an offset and nothing else: where the bytes end */
    unsigned form;   /* how the offset is written */
    unsigned bases;  /* those it may be written in: a bit of each */
    size_t offset[N_BASES];
};

/* "00000010: ", "[0010] ", "0x0010:  ", "0010  ", "0000020 ". False when the line is none of these. */
static bool row_read(struct slice line, struct row *row)
{
    static const unsigned bases[N_BASES] = {16, 8, 10};
    size_t i = 0;
    while (is_blank(at(line, i)))
        i++;
    bool bracket = at(line, i) == '[', prefix = false, colon = false;
    if (bracket)
        i++;
    if (at(line, i) == '0' && at(line, i + 1) == 'x') {
        prefix = true;
        i += 2;
    }
    size_t digits_at = i, n = digits_from(line, i);
    if (n < 3 || n > 8)
        return false;
    i += n;
    if (bracket && at(line, i) != ']')
        return false;
    colon = at(line, i) == ':';
    if (bracket || colon)
        i++;
    *row = (struct row){.bytes_at = i, .form = (unsigned)n + (bracket ? 16 : 0) + (prefix ? 32 : 0) + (colon ? 64 : 0)};
    for (unsigned base = 0; base < N_BASES; base++) {
        bool readable = base == 0 || (!bracket && !prefix);
        for (size_t k = digits_at; k < digits_at + n; k++) {
            unsigned digit = (unsigned)hex_digit(line.data[k]);
            readable = readable && digit < bases[base];
            row->offset[base] = row->offset[base] * bases[base] + digit;
        }
        row->bases |= readable ? 1U << base : 0;
    }
    size_t end = i;
    while (is_blank(at(line, end)) || at(line, end) == '\r')
        end++;
    row->alone = end >= line.len;
    return row->alone || is_blank(at(line, i));
}

struct dump {
    struct tree *tree;
    struct writer bytes;
    unsigned long first_line; /* where it begins */
    unsigned form, bases;     /* of its first offset; those that all offsets so far may be written in */
    size_t row_len;           /* bytes of its last line */
    size_t group_len;         /* bytes written without a blank, 0: not always as many */
    bool squeezed;            /* `*` was the line before: as many lines like the last one as the next offset says */
    size_t end;               /* bytes, as its last offset says: the last group may be filled up */
    size_t n_filled;          /* bytes that `*` stood for, in all dumps */
    unsigned long n_found;
};

/* The line's bytes, which end at sixteen, at a wide gap, or at what is no byte. */
static void bytes_read(struct dump *dump, struct slice line, size_t i)
{
    size_t n = 0;
    while (n < LINE_BYTES_MAX) {
        size_t blanks = 0;
        while (is_blank(at(line, i))) {
            i++;
            blanks++;
        }
        size_t digits = digits_from(line, i);
        uint8_t after = at(line, i + digits);
        bool whole = digits > 0 && digits % 2 == 0 && digits <= 8 && n + digits / 2 <= LINE_BYTES_MAX &&
                     (is_blank(after) || after == '\r' || after == '-' || after == 0);
        if (!whole || (n > 0 && blanks >= BLANKS_BEFORE_TEXT) || (n > 0 && blanks == 2 && n != LINE_BYTES_MAX / 2))
            break;
        if (dump->bytes.len == 0)
            dump->group_len = digits / 2;
        else if (dump->group_len != digits / 2)
            dump->group_len = 0;
        for (size_t k = 0; k < digits; k += 2)
            writer_u8(&dump->bytes, (uint8_t)(hex_digit(line.data[i + k]) << 4 | hex_digit(line.data[i + k + 1])));
        n += digits / 2;
        i += digits + (after == '-' ? 1 : 0); /* Wireshark's and Windows' middle: "08-09" */
    }
    dump->row_len = n;
}

/* What bytes hold: a token, or a connection's bytes with tokens in them, or text. `wrong` is said with it. */
static unsigned long bytes_show(struct dump *dump, struct slice bytes, const char *wrong)
{
    unsigned long n_found;
    if (bytes.len > 0 && decode_kind(bytes)[0] != '\0') {
        tree_open(dump->tree, "found", "hex dump, line %lu", dump->first_line);
        n_found = decode_token(dump->tree, bytes, 0) ? 1 : 0;
        if (*wrong != '\0')
            tree_wrong(dump->tree, "%s", wrong);
        tree_close(dump->tree);
        return n_found;
    }
    char where[48];
    snprintf(where, sizeof(where), "hex dump, line %lu, ", dump->first_line);
    n_found = decode_stream(dump->tree, bytes, where);
    if (n_found == 0)
        n_found = decode_text(dump->tree, bytes, where);
    if (n_found > 0 && *wrong != '\0')
        tree_wrong(dump->tree, "%s", wrong);
    return n_found;
}

/* Words as a little-endian processor has them, as hexdump and `od -x` write: back to the bytes' order. */
static void swap_groups(struct dump *dump)
{
    uint8_t *data = dump->bytes.data;
    for (size_t start = 0; start + dump->group_len <= dump->bytes.len; start += dump->group_len)
        for (size_t low = start, high = start + dump->group_len - 1; low < high; low++, high--) {
            uint8_t byte = data[low];
            data[low] = data[high];
            data[high] = byte;
        }
}

/* Shows a dump that ended, and makes ready for the next. `broken_at` is the line where it should go on and does not, else 0. */
static void dump_end(struct dump *dump, unsigned long broken_at)
{
    struct slice all = writer_slice_of(&dump->bytes);
    char wrong[128] = "";
    if (broken_at > 0)
        snprintf(wrong, sizeof(wrong), "the hex dump breaks off at line %lu, which does not go on after byte %zu",
                 broken_at, all.len);
    if (all.len > 0) {
        unsigned long n_found = bytes_show(dump, all, wrong);
        if (n_found == 0 && dump->group_len > 1) {
            swap_groups(dump);
            n_found = bytes_show(dump, slice_of(all.data, dump->end > 0 ? dump->end : all.len), wrong);
        }
        if (n_found == 0 && all.len >= LINE_BYTES_MAX && broken_at > 0)
            tree_wrong(dump->tree, "%s", wrong);
        dump->n_found += n_found;
    }
    writer_release(&dump->bytes);
    dump->bytes = writer_growing(256);
    dump->squeezed = false;
    dump->end = 0;
}

/* The bytes that `*` stood for: the last line again and again. False where they are too many, or no whole lines before a line. */
static bool fill(struct dump *dump, const struct row *row, size_t offset)
{
    size_t more = offset - dump->bytes.len;
    if (dump->row_len == 0 || more > FILLED_MAX - dump->n_filled || (!row->alone && more % dump->row_len != 0))
        return false;
    dump->n_filled += more;
    for (; more > 0; more--)
        writer_u8(&dump->bytes, dump->bytes.data[dump->bytes.len - dump->row_len]);
    return true;
}

/* Whether the dump goes on, or ends, with this line, in one of the bases that its offsets may be written in. */
static bool goes_on(struct dump *dump, const struct row *row)
{
    unsigned bases = 0, possible = dump->bases & row->bases;
    for (unsigned base = 0; base < N_BASES; base++)
        if ((possible >> base & 1) != 0 && row->offset[base] == dump->bytes.len)
            bases |= 1U << base;
    for (unsigned base = 0; base < N_BASES && bases == 0; base++) {
        size_t offset = row->offset[base], len = dump->bytes.len;
        if ((possible >> base & 1) == 0)
            continue;
        if (dump->squeezed && offset > len && fill(dump, row, offset))
            bases = 1U << base;
        else if (row->alone && offset < len && len - offset < dump->group_len) {
            dump->end = offset;
            bases = 1U << base;
        }
    }
    dump->squeezed = false;
    dump->bases = bases != 0 ? bases : dump->bases;
    return bases != 0;
}

static bool is_star(struct slice line)
{
    return at(line, 0) == '*' && (line.len == 1 || (line.len == 2 && line.data[1] == '\r'));
}

static void take_line(struct dump *dump, struct slice line, unsigned long number)
{
    struct row row = {0};
    bool is_row = row_read(line, &row), is_open = dump->bytes.len > 0;
    if (is_open && is_star(line) && !dump->squeezed) {
        dump->squeezed = true;
        return;
    }
    bool squeezed = dump->squeezed;
    if (is_open && is_row && goes_on(dump, &row)) {
        if (row.alone)
            dump_end(dump, 0);
        else
            bytes_read(dump, line, row.bytes_at);
        return;
    }
    bool begins = is_row && !row.alone && row.offset[0] == 0;
    if (is_open)
        dump_end(dump, squeezed || (is_row && !begins && row.form == dump->form) ? number : 0);
    /* A dump begins with offset 0; what only looks like one of its lines is passed over. */
    if (begins) {
        dump->first_line = number;
        dump->form = row.form;
        dump->bases = row.bases;
        bytes_read(dump, line, row.bytes_at);
    }
}

unsigned long decode_dumps(struct tree *tree, struct slice text)
{
    struct dump dump = {.tree = tree, .bytes = writer_growing(256)};
    unsigned long number = 1;
    for (size_t start = 0; start < text.len; number++) {
        size_t end = start;
        while (end < text.len && text.data[end] != '\n')
            end++;
        take_line(&dump, slice_of(text.data + start, end - start), number);
        start = end + 1;
    }
    dump_end(&dump, dump.squeezed ? number - 1 : 0);
    writer_release(&dump.bytes);
    return dump.n_found;
}
