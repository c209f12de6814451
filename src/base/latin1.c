#include "base/latin1.h"

/* Two bytes of UTF-8 whose first is C2 or C3 are U+0080 to U+00FF; everything above begins with a higher byte, and nothing with a lower one. */
static bool latin1_holds(struct slice utf8)
{
    for (size_t i = 0; i < utf8.len; i++) {
        uint8_t first = utf8.data[i];
        if (first < 0x80)
            continue;
        require((first == 0xc2 || first == 0xc3) && i + 1 < utf8.len && (utf8.data[i + 1] & 0xc0) == 0x80, false);
        i++;
    }
    return true;
}

enum wire_result latin1_write(struct writer *writer, struct slice utf8)
{
    require(latin1_holds(utf8), WIRE_BAD);
    for (size_t i = 0; i < utf8.len; i++) {
        uint8_t letter = utf8.data[i];
        if (letter >= 0x80)
            letter = (uint8_t)((letter & 0x03) << 6 | (utf8.data[++i] & 0x3f));
        writer_u8(writer, letter);
    }
    return WIRE_OK;
}

void latin1_read(struct writer *utf8, struct slice latin1)
{
    for (size_t i = 0; i < latin1.len; i++) {
        uint8_t letter = latin1.data[i];
        if (letter >= 0x80)
            writer_u8(utf8, (uint8_t)(0xc0 | letter >> 6));
        writer_u8(utf8, letter < 0x80 ? letter : (uint8_t)(0x80 | (letter & 0x3f)));
    }
}
