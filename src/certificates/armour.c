#include "certificates/armour.h"

#include "base/hex.h"
#include "base/memory.h"
#include "core/cause.h"
#include <stdio.h>
#include <string.h>
#include <wincrypt.h>

#define BASE64_LINE 64 /* characters of a line */
#define HEX_LINE 16    /* bytes of a line */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static const char *label_of(DWORD form)
{
    switch (form) {
    case CRYPT_STRING_BASE64HEADER:
        return "CERTIFICATE";
    case CRYPT_STRING_BASE64REQUESTHEADER:
        return "NEW CERTIFICATE REQUEST";
    case CRYPT_STRING_BASE64X509CRLHEADER:
        return "X509 CRL";
    default:
        return NULL;
    }
}

static const char *line_end(DWORD flags)
{
    if ((flags & CRYPT_STRING_NOCRLF) != 0)
        return "";
    return (flags & CRYPT_STRING_NOCR) != 0 ? "\n" : "\r\n";
}

static void text_write(struct writer *writer, const char *text)
{
    writer_slice(writer, slice_of_text(text));
}

static void base64_write(struct slice bytes, bool of_urls, const char *end, struct writer *writer)
{
    size_t column = 0;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t here = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t bits = (uint32_t)bytes.data[i] << 16;
        bits |= here > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0;
        bits |= here > 2 ? bytes.data[i + 2] : 0;
        for (size_t k = 0; k < 4; k++) {
            uint8_t c = k <= here ? (uint8_t)alphabet[bits >> (18 - 6 * k) & 63] : '=';
            if (of_urls && c == '=')
                continue;
            if (of_urls && (c == '+' || c == '/'))
                c = c == '+' ? (uint8_t)'-' : (uint8_t)'_';
            writer_u8(writer, c);
        }
        column += 4;
        if (column == BASE64_LINE && i + 3 < bytes.len) {
            text_write(writer, end);
            column = 0;
        }
    }
    if (bytes.len > 0)
        text_write(writer, end);
}

static void label_write(struct writer *writer, const char *which, const char *label, const char *end)
{
    text_write(writer, "-----");
    text_write(writer, which);
    text_write(writer, label);
    text_write(writer, "-----");
    text_write(writer, end);
}

/* Lines of sixteen bytes, a wider gap in the middle, with the address before and the characters behind where they are wanted. */
static void dump_write(struct slice bytes, DWORD form, const char *end, struct writer *writer)
{
    bool addresses = form == CRYPT_STRING_HEXADDR || form == CRYPT_STRING_HEXASCIIADDR;
    bool characters = form == CRYPT_STRING_HEXASCII || form == CRYPT_STRING_HEXASCIIADDR;
    char piece[32];
    for (size_t at = 0; at < bytes.len; at += HEX_LINE) {
        size_t here = bytes.len - at < HEX_LINE ? bytes.len - at : HEX_LINE;
        if (at > 0 && *end == '\0')
            writer_u8(writer, ' ');
        if (addresses) {
            (void)snprintf(piece, sizeof piece, "%04zx\t", at);
            text_write(writer, piece);
        }
        for (size_t i = 0; i < here; i++) {
            bool wide = i == HEX_LINE / 2 && (form != CRYPT_STRING_HEX || *end != '\0');
            (void)snprintf(piece, sizeof piece, "%s%02x", i == 0 ? "" : (wide ? "  " : " "), bytes.data[at + i]);
            text_write(writer, piece);
        }
        for (size_t i = here; characters && i < HEX_LINE; i++)
            text_write(writer, i == HEX_LINE / 2 ? "    " : "   ");
        if (characters)
            text_write(writer, "   ");
        for (size_t i = 0; characters && i < here; i++) {
            uint8_t c = bytes.data[at + i];
            writer_u8(writer, c >= 0x20 && c < 0x7f ? c : '.');
        }
        text_write(writer, end);
    }
}

static void raw_write(struct slice bytes, const char *end, struct writer *writer)
{
    hex_write(writer, bytes, false);
    text_write(writer, end);
}

static SECURITY_STATUS form_unknown(DWORD form)
{
    return cause_set(ERROR_INVALID_PARAMETER, "bytes are not written in form %u", form);
}

SECURITY_STATUS armour_write(struct slice bytes, DWORD flags, struct writer *writer)
{
    DWORD form = flags & CRYPT_STRING_ENCODEMASK;
    const char *end = line_end(flags), *label = label_of(form);
    switch (form) {
    case CRYPT_STRING_BASE64HEADER:
    case CRYPT_STRING_BASE64REQUESTHEADER:
    case CRYPT_STRING_BASE64X509CRLHEADER:
        label_write(writer, "BEGIN ", label, end);
        base64_write(bytes, false, end, writer);
        label_write(writer, "END ", label, end);
        return SEC_E_OK;
    case CRYPT_STRING_BASE64:
        base64_write(bytes, false, end, writer);
        return SEC_E_OK;
    case CRYPT_STRING_BASE64URI:
        base64_write(bytes, true, "", writer);
        return SEC_E_OK;
    case CRYPT_STRING_BINARY:
        writer_slice(writer, bytes);
        return SEC_E_OK;
    case CRYPT_STRING_HEX:
    case CRYPT_STRING_HEXASCII:
    case CRYPT_STRING_HEXADDR:
    case CRYPT_STRING_HEXASCIIADDR:
        dump_write(bytes, form, end, writer);
        return SEC_E_OK;
    case CRYPT_STRING_HEXRAW:
        raw_write(bytes, end, writer);
        return SEC_E_OK;
    default:
        return form_unknown(form);
    }
}

/* Sizes, of what the functions above write. */

static uint64_t base64_size(uint64_t n, size_t end_len)
{
    uint64_t characters = (n + 2) / 3 * 4;
    return characters + (characters + BASE64_LINE - 1) / BASE64_LINE * end_len;
}

static uint64_t label_size(const char *which, const char *label, size_t end_len)
{
    return strlen("-----") * 2 + strlen(which) + strlen(label) + end_len;
}

/* Digits of pairs, a blank between two, and one more in the middle. */
static uint64_t pairs_size(uint64_t n)
{
    return n == 0 ? 0 : 3 * n - 1 + (n > HEX_LINE / 2 ? 1 : 0);
}

static uint64_t dump_size(uint64_t n, DWORD form, size_t end_len)
{
    bool addresses = form == CRYPT_STRING_HEXADDR || form == CRYPT_STRING_HEXASCIIADDR;
    bool characters = form == CRYPT_STRING_HEXASCII || form == CRYPT_STRING_HEXASCIIADDR;
    if (form == CRYPT_STRING_HEX && end_len == 0)
        return n == 0 ? 0 : 3 * n - 1;
    uint64_t n_lines = (n + HEX_LINE - 1) / HEX_LINE, n_full = n / HEX_LINE, last = n % HEX_LINE;
    uint64_t size =
        end_len > 0 || n_lines == 0 ? n_lines * end_len : n_lines - 1; /* a blank in place of each end but the last */
    /* Four digits and a tabulator; a fifth digit from the line at 0x10000 on, and so on. */
    size += addresses ? 5 * n_lines : 0;
    for (uint64_t at = 0x10000 / HEX_LINE; addresses && at < n_lines; at *= 16)
        size += n_lines - at;
    if (characters)
        return size + n_lines * (pairs_size(HEX_LINE) + 3) + n;
    return size + n_full * pairs_size(HEX_LINE) + pairs_size(last);
}

SECURITY_STATUS armour_size(size_t n_bytes, DWORD flags, uint64_t *len)
{
    DWORD form = flags & CRYPT_STRING_ENCODEMASK;
    size_t end_len = strlen(line_end(flags));
    const char *label = label_of(form);
    uint64_t n = n_bytes;
    switch (form) {
    case CRYPT_STRING_BASE64HEADER:
    case CRYPT_STRING_BASE64REQUESTHEADER:
    case CRYPT_STRING_BASE64X509CRLHEADER:
        *len = label_size("BEGIN ", label, end_len) + base64_size(n, end_len) + label_size("END ", label, end_len);
        return SEC_E_OK;
    case CRYPT_STRING_BASE64:
        *len = base64_size(n, end_len);
        return SEC_E_OK;
    case CRYPT_STRING_BASE64URI:
        *len = n / 3 * 4 + (n % 3 == 0 ? 0 : n % 3 + 1);
        return SEC_E_OK;
    case CRYPT_STRING_BINARY:
        *len = n;
        return SEC_E_OK;
    case CRYPT_STRING_HEX:
    case CRYPT_STRING_HEXASCII:
    case CRYPT_STRING_HEXADDR:
    case CRYPT_STRING_HEXASCIIADDR:
        *len = dump_size(n, form, end_len);
        return SEC_E_OK;
    case CRYPT_STRING_HEXRAW:
        *len = 2 * n + end_len;
        return SEC_E_OK;
    default:
        return form_unknown(form);
    }
}

/* Reading. */

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static SECURITY_STATUS bad(const char *what)
{
    return cause_set(ERROR_INVALID_DATA, "the text is not %s", what);
}

static int base64_value(uint8_t c, bool of_urls)
{
    if (of_urls && (c == '-' || c == '_'))
        return c == '-' ? 62 : 63;
    if (of_urls && (c == '+' || c == '/'))
        return -1;
    const char *at = c == 0 ? NULL : strchr(alphabet, c);
    return at == NULL ? -1 : (int)(at - alphabet);
}

/* As Windows reads it: padding may be missing, but is whole where it is there; it ends the text, and bits that are left over count for nothing. */
static SECURITY_STATUS base64_read(struct slice text, bool of_urls, struct writer *writer)
{
    uint32_t bits = 0;
    unsigned n_values = 0, padding = 0; /* of four */
    for (size_t i = 0; i < text.len; i++) {
        if (is_blank(text.data[i]))
            continue;
        if (text.data[i] == '=') {
            padding++;
            if (n_values == 0 || n_values + padding == 4)
                break;
            continue;
        }
        int value = base64_value(text.data[i], of_urls);
        require(value >= 0 && padding == 0, bad("base64"));
        bits = bits << 6 | (uint32_t)value;
        if (++n_values == 4) {
            writer_u8(writer, (uint8_t)(bits >> 16));
            writer_u16be(writer, (uint16_t)bits);
            bits = n_values = 0;
        }
    }
    require(n_values == 0 || padding == 0 || n_values + padding == 4, bad("base64"));
    bits <<= 6 * (4 - n_values);
    if (n_values > 0)
        writer_u8(writer, (uint8_t)(bits >> 16));
    if (n_values == 3)
        writer_u8(writer, (uint8_t)(bits >> 8));
    return SEC_E_OK;
}

/* Finds `-----<which>…-----`; `line` is all of it. */
static bool label_find(struct slice text, const char *which, struct slice *line)
{
    size_t len = strlen(which);
    const uint8_t *start = text.len == 0 ? NULL : memmem(text.data, text.len, which, len);
    if (start == NULL)
        return false;
    size_t left = text.len - (size_t)(start - text.data) - len;
    const uint8_t *end = memmem(start + len, left, "-----", 5);
    if (end == NULL || memchr(start + len, '\n', (size_t)(end - start) - len) != NULL)
        return false;
    *line = slice_of(start, (size_t)(end - start) + 5);
    return true;
}

static bool only_blanks(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_blank(text.data[i]))
            return false;
    return true;
}

static SECURITY_STATUS header_read(struct slice text, DWORD flags, struct writer *writer, struct armour_read *found)
{
    struct slice begin, end;
    require(label_find(text, "-----BEGIN ", &begin), bad("between BEGIN and END lines"));
    const uint8_t *body = begin.data + begin.len;
    struct slice rest = slice_of(body, text.len - (size_t)(body - text.data));
    require(label_find(rest, "-----END ", &end), bad("between BEGIN and END lines"));
    size_t before = (size_t)(begin.data - text.data);
    const uint8_t *after = end.data + end.len;
    require((flags & CRYPT_STRING_STRICT) == 0 ||
                (only_blanks(slice_of(text.data, before)) &&
                 only_blanks(slice_of(after, text.len - (size_t)(after - text.data)))),
            bad("alone between its BEGIN and END lines"));
    found->skip = before;
    return base64_read(slice_of(body, (size_t)(end.data - body)), false, writer);
}

/* Pairs of digits; blanks, hyphens and commas may stand between pairs. */
static SECURITY_STATUS pairs_read(struct slice text, struct writer *writer)
{
    for (size_t i = 0; i < text.len; i++) {
        if (is_blank(text.data[i]) || text.data[i] == '-' || text.data[i] == ',')
            continue;
        int high = hex_digit(text.data[i]), low = i + 1 < text.len ? hex_digit(text.data[i + 1]) : -1;
        require(high >= 0 && low >= 0, bad("pairs of hexadecimal digits"));
        writer_u8(writer, (uint8_t)(high << 4 | low));
        i++;
    }
    return SEC_E_OK;
}

/* The address: four digits or more, then a blank. */
static bool address_skip(struct slice *line)
{
    size_t i = 0;
    while (i < line->len && hex_digit(line->data[i]) >= 0)
        i++;
    if (i < 4 || i == line->len || !is_blank(line->data[i]))
        return false;
    *line = slice_of(line->data + i, line->len - i);
    return true;
}

/* Cuts the characters off: they follow the sixteenth pair, or three blanks. */
static void characters_cut(struct slice *line)
{
    size_t pairs = 0, blanks = 0, i = 0;
    bool begun = false;
    while (i < line->len && pairs < HEX_LINE && !(begun && blanks >= 3)) {
        if (is_blank(line->data[i])) {
            blanks++;
            i++;
            continue;
        }
        blanks = 0;
        begun = true;
        pairs++;
        i += 2;
    }
    *line = slice_of(line->data, i < line->len ? i : line->len);
}

static SECURITY_STATUS dump_read(struct slice text, DWORD form, struct writer *writer)
{
    bool addresses = form == CRYPT_STRING_HEXADDR || form == CRYPT_STRING_HEXASCIIADDR;
    bool characters = form == CRYPT_STRING_HEXASCII || form == CRYPT_STRING_HEXASCIIADDR;
    while (text.len > 0) {
        const uint8_t *newline = memchr(text.data, '\n', text.len);
        size_t len = newline == NULL ? text.len : (size_t)(newline - text.data) + 1;
        struct slice line = slice_of(text.data, len);
        text = slice_of(text.data + len, text.len - len);
        if (only_blanks(line))
            continue;
        require(!addresses || address_skip(&line), bad("lines with addresses"));
        if (characters)
            characters_cut(&line);
        try(pairs_read(line, writer));
    }
    return SEC_E_OK;
}

static SECURITY_STATUS form_read(struct slice text, DWORD form, DWORD flags, struct writer *writer,
                                 struct armour_read *found)
{
    found->form = form;
    found->skip = 0;
    switch (form) {
    case CRYPT_STRING_BASE64HEADER:
    case CRYPT_STRING_BASE64REQUESTHEADER:
    case CRYPT_STRING_BASE64X509CRLHEADER:
        return header_read(text, flags, writer, found);
    case CRYPT_STRING_BASE64:
    case CRYPT_STRING_BASE64URI:
        return base64_read(text, form == CRYPT_STRING_BASE64URI, writer);
    case CRYPT_STRING_BINARY:
        writer_slice(writer, text);
        return SEC_E_OK;
    case CRYPT_STRING_HEX:
    case CRYPT_STRING_HEXRAW:
        return pairs_read(text, writer);
    case CRYPT_STRING_HEXADDR:
    case CRYPT_STRING_HEXASCII:
    case CRYPT_STRING_HEXASCIIADDR:
        return dump_read(text, form, writer);
    default:
        return cause_set(ERROR_INVALID_PARAMETER, "text is not read in form %u", form);
    }
}

/* Microsoft, CryptStringToBinary: what the forms named ANY try, in this order. */
static const DWORD any_base64[] = {CRYPT_STRING_BASE64HEADER, CRYPT_STRING_BASE64};
static const DWORD any_form[] = {CRYPT_STRING_BASE64HEADER, CRYPT_STRING_BASE64, CRYPT_STRING_BINARY};
static const DWORD any_hex[] = {CRYPT_STRING_HEXADDR, CRYPT_STRING_HEXASCIIADDR, CRYPT_STRING_HEX, CRYPT_STRING_HEXRAW,
                                CRYPT_STRING_HEXASCII};

static SECURITY_STATUS tries_read(struct slice text, const DWORD *forms, size_t n_forms, DWORD flags,
                                  struct writer *writer, struct armour_read *found)
{
    SECURITY_STATUS status = ERROR_INVALID_DATA;
    size_t start = writer->len;
    for (size_t i = 0; i < n_forms && status == ERROR_INVALID_DATA; i++) {
        writer->len = start;
        status = form_read(text, forms[i], flags, writer, found);
    }
    if (status == SEC_E_OK)
        cause_drop();
    return status;
}

SECURITY_STATUS armour_read(struct slice text, DWORD flags, struct writer *writer, struct armour_read *found)
{
    DWORD form = flags & CRYPT_STRING_ENCODEMASK;
    require((flags & (CRYPT_STRING_NOCR | CRYPT_STRING_NOCRLF)) == 0,
            cause_set(ERROR_INVALID_DATA, "flags 0x%x are for writing", (unsigned)flags));
    switch (form) {
    case CRYPT_STRING_BASE64_ANY:
        return tries_read(text, any_base64, COUNT_OF(any_base64), flags, writer, found);
    case CRYPT_STRING_ANY:
        return tries_read(text, any_form, COUNT_OF(any_form), flags, writer, found);
    case CRYPT_STRING_HEX_ANY:
        return tries_read(text, any_hex, COUNT_OF(any_hex), flags, writer, found);
    default:
        return form_read(text, form, flags, writer, found);
    }
}
