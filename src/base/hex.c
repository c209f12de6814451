#include "base/hex.h"

static const char lower_digits[] = "0123456789abcdef", upper_digits[] = "0123456789ABCDEF";

int hex_digit(uint16_t letter)
{
    if (letter >= '0' && letter <= '9')
        return letter - '0';
    letter |= 0x20;
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

enum wire_result hex_read(struct slice digits, uint8_t *bytes, size_t len)
{
    require(digits.len == 2 * len, WIRE_BAD);
    for (size_t i = 0; i < digits.len; i++)
        require(hex_digit(digits.data[i]) >= 0, WIRE_BAD);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(hex_digit(digits.data[2 * i]) * 16 + hex_digit(digits.data[2 * i + 1]));
    return WIRE_OK;
}

void hex_text(const uint8_t *bytes, size_t len, char *text)
{
    for (size_t i = 0; i < len; i++) {
        text[2 * i] = lower_digits[bytes[i] >> 4];
        text[2 * i + 1] = lower_digits[bytes[i] & 15];
    }
    text[2 * len] = '\0';
}

void hex_write(struct writer *text, struct slice bytes, bool upper)
{
    const char *digits = upper ? upper_digits : lower_digits;
    for (size_t i = 0; i < bytes.len; i++) {
        writer_u8(text, (uint8_t)digits[bytes.data[i] >> 4]);
        writer_u8(text, (uint8_t)digits[bytes.data[i] & 15]);
    }
}
