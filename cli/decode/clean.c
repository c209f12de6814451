#include "decode/clean.h"

#include "base/utf16.h"

/* Bytes of the character of UTF-8 that begins here; 0 where none does. */
static size_t character_len(struct slice rest, uint32_t *code_point)
{
    uint8_t lead = rest.data[0];
    size_t len = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (len > rest.len || !utf8_valid(slice_of(rest.data, len)))
        return 0;
    *code_point = len == 1 ? lead : lead & (0x7fU >> len);
    for (size_t i = 1; i < len; i++)
        *code_point = *code_point << 6 | (rest.data[i] & 0x3f);
    return len;
}

/* CR is of a line's end directly before LF alone: elsewhere it goes back over what was printed. */
static bool passes_in_lines(struct slice rest)
{
    return rest.data[0] == '\n' || rest.data[0] == '\t' ||
           (rest.data[0] == '\r' && rest.len > 1 && rest.data[1] == '\n');
}

static void escape(FILE *out, uint32_t code_point, enum clean_form form)
{
    if (form == CLEAN_JSON && code_point > 0xffff)
        fprintf(out, "\\u%04x\\u%04x", 0xd800 + ((code_point - 0x10000) >> 10), 0xdc00 + (code_point & 0x3ff));
    else if (form == CLEAN_JSON || code_point > 0xff)
        fprintf(out, "\\u%04x", code_point);
    else
        fprintf(out, "\\x%02x", code_point);
}

void clean_put(FILE *out, struct slice text, enum clean_form form)
{
    uint32_t code_point = 0;
    size_t step;
    for (size_t i = 0; i < text.len; i += step) {
        uint8_t byte = text.data[i];
        struct slice rest = slice_of(text.data + i, text.len - i);
        size_t len = character_len(rest, &code_point);
        step = len > 0 ? len : 1;
        if (len == 0)
            escape(out, byte, form);
        else if (form == CLEAN_LINES && passes_in_lines(rest))
            fputc(byte, out);
        else if (code_point_steers(code_point))
            escape(out, code_point, form);
        else if (form == CLEAN_JSON && (byte == '"' || byte == '\\'))
            fprintf(out, "\\%c", byte);
        else
            fwrite(text.data + i, 1, len, out);
    }
}
