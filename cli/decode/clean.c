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

/* C0, C1, and what Unicode has to turn, join and separate lines without being seen (UAX 9; Cf, Zl and Zp). */
static bool is_steering(uint32_t code_point)
{
    static const uint32_t ranges[][2] = {{0x00, 0x1f},     {0x7f, 0x9f},      {0xad, 0xad},     {0x61c, 0x61c},
                                         {0x200b, 0x200f}, {0x2028, 0x202e},  {0x2060, 0x206f}, {0xfeff, 0xfeff},
                                         {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (code_point >= ranges[i][0] && code_point <= ranges[i][1])
            return true;
    return false;
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
        size_t len = character_len(slice_of(text.data + i, text.len - i), &code_point);
        step = len > 0 ? len : 1;
        if (len == 0)
            escape(out, byte, form);
        else if (form == CLEAN_LINES && (byte == '\n' || byte == '\t'))
            fputc(byte, out);
        else if (is_steering(code_point))
            escape(out, code_point, form);
        else if (form == CLEAN_JSON && (byte == '"' || byte == '\\'))
            fprintf(out, "\\%c", byte);
        else
            fwrite(text.data + i, 1, len, out);
    }
}
