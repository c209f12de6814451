/* Hex dumps: lines of an offset, bytes, and mostly the same as text, as xxd, hexdump, od, tcpdump, Wireshark and Samba's logs have them. */
#include "decode/decode.h"

#include "base/hex.h"
#include "base/reader.h"
#include "base/writer.h"

#include <stdio.h>

#define LINE_BYTES_MAX 16
#define BLANKS_BEFORE_TEXT 3 /* two stand also in the middle of a line, after eight bytes */

static uint8_t at(struct slice text, size_t i)
{
    return i < text.len ? text.data[i] : 0;
}

static size_t digits_from(struct slice text, size_t i)
{
    size_t n = 0;
    while (hex_digit(at(text, i + n)) >= 0)
        n++;
    return n;
}

/* "00000010: ", "[0010] ", "0x0010:  ", "0010  ": where the bytes begin, 0 when the line is none of these. */
static size_t offset_read(struct slice line, size_t *offset)
{
    size_t i = 0;
    while (at(line, i) == ' ' || at(line, i) == '\t')
        i++;
    bool bracket = at(line, i) == '[';
    if (bracket)
        i++;
    if (at(line, i) == '0' && at(line, i + 1) == 'x')
        i += 2;
    size_t n = digits_from(line, i);
    if (n < 3 || n > 8)
        return 0;
    *offset = 0;
    for (size_t end = i + n; i < end; i++)
        *offset = *offset << 4 | (size_t)hex_digit(line.data[i]);
    if (bracket && at(line, i) != ']')
        return 0;
    if (bracket || at(line, i) == ':')
        i++;
    return at(line, i) == ' ' || at(line, i) == '\t' ? i : 0;
}

/* The line's bytes, which end at sixteen, at a wide gap, or at what is no byte. */
static size_t bytes_read(struct slice line, size_t i, struct writer *bytes)
{
    size_t n = 0;
    while (n < LINE_BYTES_MAX) {
        size_t blanks = 0;
        while (at(line, i) == ' ' || at(line, i) == '\t') {
            i++;
            blanks++;
        }
        size_t digits = digits_from(line, i);
        uint8_t after = at(line, i + digits);
        bool whole = digits > 0 && digits % 2 == 0 && digits <= 8 && n + digits / 2 <= LINE_BYTES_MAX &&
                     (after == ' ' || after == '\t' || after == '\r' || after == '-' || after == 0);
        if (!whole || (n > 0 && blanks >= BLANKS_BEFORE_TEXT) || (n > 0 && blanks == 2 && n != LINE_BYTES_MAX / 2))
            break;
        for (size_t k = 0; k < digits; k += 2)
            writer_u8(bytes, (uint8_t)(hex_digit(line.data[i + k]) << 4 | hex_digit(line.data[i + k + 1])));
        n += digits / 2;
        i += digits + (after == '-' ? 1 : 0); /* Wireshark's and Windows' middle: "08-09" */
    }
    return n;
}

/* What a dump holds: a token, or a connection's bytes with tokens in them, or text. */
static unsigned long dump_show(struct tree *tree, struct writer *bytes, unsigned long line)
{
    struct slice all = writer_slice_of(bytes);
    unsigned long n_found = 0;
    if (all.len > 0 && decode_kind(all)[0] != '\0') {
        tree_open(tree, "found", "hex dump, line %lu", line);
        n_found = decode_token(tree, all, 0) ? 1 : 0;
        tree_close(tree);
    } else if (all.len > 0) {
        char where[48];
        snprintf(where, sizeof(where), "hex dump, line %lu, ", line);
        n_found = decode_stream(tree, all, where);
        if (n_found == 0)
            n_found = decode_text(tree, all, where);
    }
    writer_release(bytes);
    *bytes = writer_growing(256);
    return n_found;
}

unsigned long decode_dumps(struct tree *tree, struct slice text)
{
    struct writer bytes = writer_growing(256);
    unsigned long n_found = 0, line_number = 1, first = 1;
    for (size_t start = 0; start < text.len; line_number++) {
        size_t end = start, offset = 0;
        while (end < text.len && text.data[end] != '\n')
            end++;
        struct slice line = slice_of(text.data + start, end - start);
        size_t begin = offset_read(line, &offset);
        if (begin == 0 || offset != bytes.len)
            n_found += dump_show(tree, &bytes, first);
        if (bytes.len == 0)
            first = line_number;
        /* A dump begins with offset 0; what only looks like one of its lines is passed over. */
        if (begin > 0 && offset == bytes.len)
            bytes_read(line, begin, &bytes);
        start = end + 1;
    }
    n_found += dump_show(tree, &bytes, first);
    writer_release(&bytes);
    return n_found;
}
