#include "base/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_write(struct writer *text, struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        uint32_t group = (uint32_t)bytes.data[i] << 16;
        group |= left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0;
        group |= left > 2 ? bytes.data[i + 2] : 0;
        writer_u8(text, (uint8_t)alphabet[group >> 18]);
        writer_u8(text, (uint8_t)alphabet[group >> 12 & 63]);
        writer_u8(text, left > 1 ? (uint8_t)alphabet[group >> 6 & 63] : '=');
        writer_u8(text, left > 2 ? (uint8_t)alphabet[group & 63] : '=');
    }
}

static int digit_value(uint8_t digit)
{
    if (digit >= 'A' && digit <= 'Z')
        return digit - 'A';
    if (digit >= 'a' && digit <= 'z')
        return digit - 'a' + 26;
    if (digit >= '0' && digit <= '9')
        return digit - '0' + 52;
    if (digit == '+')
        return 62;
    return digit == '/' ? 63 : -1;
}

enum wire_result base64_read(struct slice text, struct writer *bytes)
{
    require(text.len % 4 == 0, WIRE_BAD);
    for (size_t i = 0; i < text.len; i += 4) {
        uint32_t group = 0;
        unsigned n_digits = 4;
        if (i + 4 == text.len)
            while (n_digits > 2 && text.data[i + n_digits - 1] == '=')
                n_digits--;
        for (unsigned j = 0; j < 4; j++) {
            int value = j < n_digits ? digit_value(text.data[i + j]) : 0;
            require(value >= 0, WIRE_BAD);
            group = group << 6 | (uint32_t)value;
        }
        require((n_digits > 2 || (group & 0xffff) == 0) && (n_digits > 3 || (group & 0xff) == 0), WIRE_BAD);
        for (unsigned j = 0; j < n_digits - 1; j++)
            writer_u8(bytes, (uint8_t)(group >> (16 - 8 * j)));
    }
    return writer_finish(bytes);
}
