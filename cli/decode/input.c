/* What the user has: recognised, unpacked, searched. */
#include "decode/decode.h"

#include "base/base64.h"
#include "base/hex.h"
#include "base/memory.h"
#include "base/reader.h"
#include "wire/der.h"

#include <string.h>
#include <strings.h>

static const uint8_t ntlm_signature[8] = {'N', 'T', 'L', 'M', 'S', 'S', 'P', 0};

static bool begins(struct slice bytes, const void *start, size_t len)
{
    return bytes.len >= len && memcmp(bytes.data, start, len) == 0;
}

/* Tag and length of a DER element that begins here and is not absurd. */
static bool is_der(struct slice bytes, uint8_t tag)
{
    size_t total;
    return bytes.len > 2 && bytes.data[0] == tag && der_total_len(bytes, &total) == WIRE_OK && total <= (1U << 24);
}

/* TSRequest: SEQUENCE, then [0] INTEGER version of one byte. */
static bool is_credssp(struct slice bytes)
{
    struct reader reader = reader_of(bytes), inside;
    struct slice content, version;
    int64_t number;
    if (der_read(&reader, DER_SEQUENCE, &content) != WIRE_OK)
        return false;
    inside = reader_of(content);
    if (der_read(&inside, DER_CONTEXT(0), &version) != WIRE_OK)
        return false;
    inside = reader_of(version);
    return der_read_integer(&inside, DER_INTEGER, &number) == WIRE_OK && number >= 1 && number <= 9;
}

const char *decode_kind(struct slice bytes)
{
    if (begins(bytes, ntlm_signature, sizeof(ntlm_signature)))
        return "ntlm";
    if (decode_is_tls(bytes))
        return "tls";
    if (is_der(bytes, DER_APPLICATION(0)) && bytes.len > 6 && memchr(bytes.data + 2, DER_OID, 5) != NULL)
        return "gss";
    if (decode_is_kerberos(bytes))
        return "kerberos";
    if (is_der(bytes, DER_CONTEXT(0)) || is_der(bytes, DER_CONTEXT(1)))
        return "spnego";
    if (is_credssp(bytes))
        return "credssp";
    if (bytes.len >= 16 && (begins(bytes, "\x04\x04", 2) || begins(bytes, "\x05\x04", 2)) && bytes.data[3] == 0xff)
        return "rfc4121";
    if (bytes.len == 16 && begins(bytes, "\x01\x00\x00\x00", 4))
        return "ntlm-signature";
    return "";
}

static void put_ntlm_signature(struct tree *tree, struct slice bytes)
{
    struct reader reader = reader_of(slice_of(bytes.data + 12, 4));
    uint32_t seq = 0;
    if (reader_u32le(&reader, &seq) != WIRE_OK)
        return;
    tree_open(tree, "NTLM message signature", "16 bytes");
    tree_bytes(tree, "checksum", slice_of(bytes.data + 4, 8));
    tree_put(tree, "sequence number", "%u", seq);
    tree_close(tree);
}

bool decode_token(struct tree *tree, struct slice bytes, unsigned nesting)
{
    const char *kind = decode_kind(bytes);
    if (*kind == '\0')
        return false;
    if (nesting > DECODE_NESTING_MAX) {
        tree_wrong(tree, "tokens nested too deep");
        return true;
    }
    if (strcmp(kind, "ntlm") == 0)
        decode_ntlm(tree, bytes);
    else if (strcmp(kind, "tls") == 0)
        decode_tls(tree, bytes);
    else if (strcmp(kind, "gss") == 0)
        decode_gss(tree, bytes, nesting);
    else if (strcmp(kind, "kerberos") == 0)
        decode_kerberos(tree, bytes, nesting);
    else if (strcmp(kind, "spnego") == 0)
        decode_spnego(tree, bytes, nesting);
    else if (strcmp(kind, "credssp") == 0)
        decode_credssp(tree, bytes, nesting);
    else if (strcmp(kind, "rfc4121") == 0)
        decode_rfc4121(tree, bytes);
    else
        put_ntlm_signature(tree, bytes);
    return true;
}

static bool is_one_of(uint8_t letter, const char *letters)
{
    return letter != 0 && strchr(letters, letter) != NULL;
}

static bool is_base64_letter(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/' ||
           c == '-' || c == '_';
}

/* Base64 in either alphabet, with or without its padding; blanks and line ends inside are passed over. */
static bool from_base64(struct slice text, struct writer *bytes)
{
    AUTO_WRITER struct writer letters = writer_growing(text.len + 4);
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == '-' || c == '_')
            c = c == '-' ? '+' : '/';
        if (c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '=')
            continue;
        if (!is_base64_letter(c))
            return false;
        writer_u8(&letters, c);
    }
    size_t whole = letters.len - letters.len % 4;
    while (!letters.failed && letters.len % 4 != 0)
        writer_u8(&letters, '=');
    if (writer_finish(&letters) != WIRE_OK || letters.len == 0)
        return false;
    if (base64_read(writer_slice_of(&letters), bytes) == WIRE_OK)
        return true;
    /* Perhaps it was cut off in the middle of a byte. */
    writer_release(bytes);
    *bytes = writer_growing(whole);
    return whole > 0 && base64_read(slice_of(letters.data, whole), bytes) == WIRE_OK;
}

/* Hexadecimal, with 0x in front or between, blanks, colons, commas and backslashes with x passed over. */
static bool from_hex(struct slice text, struct writer *bytes)
{
    size_t n = 0;
    int high = -1;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (high < 0 && ((c == '0' && i + 1 < text.len && (text.data[i + 1] | 0x20) == 'x') ||
                         (c == '\\' && i + 1 < text.len && text.data[i + 1] == 'x'))) {
            i++;
            continue;
        }
        if (high < 0 && is_one_of(c, " \t\r\n:,;-"))
            continue;
        int digit = hex_digit(c);
        if (digit < 0)
            return false;
        if (high >= 0) {
            writer_u8(bytes, (uint8_t)(high << 4 | digit));
            n++;
        }
        high = high >= 0 ? -1 : digit;
    }
    return high < 0 && n > 0;
}

/* One word that may be a token. */
static bool try_word(struct tree *tree, struct slice word, const char *where, unsigned long line)
{
    AUTO_WRITER struct writer bytes = writer_growing(word.len);
    if (word.len < 12)
        return false;
    if (!from_base64(word, &bytes) || decode_kind(writer_slice_of(&bytes))[0] == '\0') {
        writer_release(&bytes);
        bytes = writer_growing(word.len / 2 + 1);
        if (!from_hex(word, &bytes) || decode_kind(writer_slice_of(&bytes))[0] == '\0')
            return false;
    }
    tree_open(tree, "found", "%sline %lu", where, line);
    decode_token(tree, writer_slice_of(&bytes), 0);
    tree_close(tree);
    return true;
}

/* What JSON and URLs write for a letter of base64 or a blank, and how long that is: 0 where there is none. */
static size_t escaped_letter(struct slice text, uint8_t *letter)
{
    static const struct {
        const char *written;
        uint8_t letter;
    } forms[] = {{"\\/", '/'}, {"%2B", '+'},     {"%2F", '/'},     {"%3D", '='},
                 {"%20", ' '}, {"\\u002B", '+'}, {"\\u002F", '/'}, {"\\u003D", '='}};
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        size_t len = strlen(forms[i].written);
        if (text.len >= len && strncasecmp((const char *)text.data, forms[i].written, len) == 0) {
            *letter = forms[i].letter;
            return len;
        }
    }
    return 0;
}

#define FOLDED_MIN \
    40 /* letters of a line whose word goes on in the next one; mails and tools fold at 64 or more, or at 60 */

/* A line's end, indentation, and then nothing but base64 up to the next line's end: how long the first two are, else 0. */
static size_t folded(struct slice text)
{
    size_t n = text.len > 0 && text.data[0] == '\r' ? 1 : 0;
    if (n >= text.len || text.data[n] != '\n')
        return 0;
    size_t indented = ++n;
    while (n < text.len && is_one_of(text.data[n], " \t"))
        n++;
    size_t end = n;
    while (end < text.len && (is_base64_letter(text.data[end]) || text.data[end] == '='))
        end++;
    return n > indented && end > n && (end == text.len || is_one_of(text.data[end], "\r\n\"'")) ? n : 0;
}

/* The text with words of base64 in one piece: escapes are resolved, and what a header folded is put together. As many lines as before. */
static void mend_words(struct slice text, struct writer *out)
{
    size_t n_letters = 0, n_dropped = 0;
    for (size_t i = 0; i < text.len;) {
        struct slice rest = slice_of(text.data + i, text.len - i);
        uint8_t c = rest.data[0];
        size_t len = escaped_letter(rest, &c);
        if (len == 0 && n_letters >= FOLDED_MIN && (len = folded(rest)) > 0) {
            n_dropped++;
            i += len;
            continue;
        }
        i += len > 0 ? len : 1;
        if (is_base64_letter(c) || c == '=') {
            n_letters++;
        } else {
            for (; n_dropped > 0; n_dropped--)
                writer_u8(out, '\n');
            n_letters = 0;
        }
        writer_u8(out, c);
    }
}

unsigned long decode_text(struct tree *tree, struct slice text, const char *where)
{
    unsigned long n_found = 0, line = 1;
    size_t start = 0;
    AUTO_WRITER struct writer mended = writer_growing(text.len);
    mend_words(text, &mended);
    if (writer_finish(&mended) == WIRE_OK)
        text = writer_slice_of(&mended);
    for (size_t i = 0; i <= text.len; i++) {
        uint8_t c = i < text.len ? text.data[i] : '\n';
        if (is_base64_letter(c) || c == '=')
            continue;
        if (i > start && try_word(tree, slice_of(text.data + start, i - start), where, line))
            n_found++;
        if (c == '\n')
            line++;
        start = i + 1;
    }
    return n_found;
}

/* A NegTokenResp that begins here, with its state first as every server sends it: its bytes, or 0. */
static size_t resp_len(struct slice bytes)
{
    struct reader reader = reader_of(bytes), inside;
    struct slice content, fields, state;
    int64_t number;
    if (der_read(&reader, DER_CONTEXT(1), &content) != WIRE_OK)
        return 0;
    inside = reader_of(content);
    if (der_read(&inside, DER_SEQUENCE, &fields) != WIRE_OK || reader_left(&inside) > 0)
        return 0;
    inside = reader_of(fields);
    if (der_read(&inside, DER_CONTEXT(0), &state) != WIRE_OK)
        return 0;
    inside = reader_of(state);
    if (der_read_integer(&inside, DER_ENUMERATED, &number) != WIRE_OK || number < 0 || number > 3)
        return 0;
    return bytes.len - reader_left(&reader);
}

/* Bytes of the DER element that begins here, or 0 where it is not there as a whole. */
static size_t element_len(struct slice bytes)
{
    size_t total;
    return der_total_len(bytes, &total) == WIRE_OK && total <= bytes.len ? total : 0;
}

/* GSS framing with a mechanism that we know. */
static bool is_gss(struct slice bytes)
{
    static const uint8_t spnego_oid[] = {0x06, 0x06, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x02};
    static const uint8_t kerberos_oid[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02};
    size_t near = bytes.len < 20 ? bytes.len : 20; /* tag, length, and the longer identifier */
    return bytes.data[0] == DER_APPLICATION(0) &&
           (memmem(bytes.data, near, spnego_oid, sizeof(spnego_oid)) != NULL ||
            memmem(bytes.data, near, kerberos_oid, sizeof(kerberos_oid)) != NULL);
}

/* Tokens inside a connection's bytes, wherever they begin. */
unsigned long decode_stream(struct tree *tree, struct slice bytes, const char *where)
{
    unsigned long n_found = 0;
    for (size_t i = 0; i < bytes.len;) {
        struct slice rest = slice_of(bytes.data + i, bytes.len - i);
        size_t len = 0;
        if (begins(rest, ntlm_signature, sizeof(ntlm_signature)))
            len = decode_ntlm_len(rest);
        else if (rest.data[0] == DER_CONTEXT(1))
            len = resp_len(rest);
        else if (is_gss(rest) || decode_is_kerberos(rest))
            len = element_len(rest);
        if (len == 0) {
            i++;
            continue;
        }
        tree_open(tree, "found", "%sbyte %zu", where, i);
        decode_token(tree, slice_of(rest.data, len), 0);
        tree_close(tree);
        n_found++;
        i += len;
    }
    return n_found;
}

static bool is_text(struct slice input)
{
    for (size_t i = 0; i < input.len; i++)
        if (input.data[i] < 0x20 && !is_one_of(input.data[i], "\t\r\n\f\033"))
            return false;
    return true;
}

static struct slice trim(struct slice text)
{
    while (text.len > 0 && is_one_of(text.data[0], " \t\r\n"))
        text = slice_of(text.data + 1, text.len - 1);
    while (text.len > 0 && is_one_of(text.data[text.len - 1], " \t\r\n"))
        text.len--;
    return text;
}

/* Whether several lines begin a token each: then they are no one token that was broken into lines. */
static bool has_several(struct slice text)
{
    unsigned n = 0;
    for (size_t start = 0; start < text.len && n < 2;) {
        const uint8_t *end = memchr(text.data + start, '\n', text.len - start);
        size_t len = end == NULL ? text.len - start : (size_t)(end - (text.data + start));
        struct slice line = trim(slice_of(text.data + start, len));
        AUTO_WRITER struct writer from_letters = writer_growing(line.len), from_digits = writer_growing(line.len);
        if ((from_base64(line, &from_letters) && decode_kind(writer_slice_of(&from_letters))[0] != '\0') ||
            (from_hex(line, &from_digits) && decode_kind(writer_slice_of(&from_digits))[0] != '\0'))
            n++;
        start += len + 1;
    }
    return n > 1;
}

unsigned long decode_input(struct tree *tree, struct slice input)
{
    if (input.len > DECODE_INPUT_MAX)
        return 0;
    if (decode_is_capture(input))
        return decode_capture(tree, input);
    if (!is_text(input))
        return decode_token(tree, input, 0) ? 1 : decode_stream(tree, input, "");
    struct slice text = trim(input);
    if (has_several(text))
        return decode_text(tree, text, "");
    AUTO_WRITER struct writer bytes = writer_growing(text.len / 2 + 1);
    if (from_hex(text, &bytes) && decode_token(tree, writer_slice_of(&bytes), 0))
        return 1;
    writer_release(&bytes);
    bytes = writer_growing(text.len);
    if (from_base64(text, &bytes) && decode_token(tree, writer_slice_of(&bytes), 0))
        return 1;
    return decode_dumps(tree, text) + decode_text(tree, text, "");
}
