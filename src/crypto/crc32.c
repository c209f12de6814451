/*
 * CRC-32 of ISO 3309 and RFC 1952, section 8, four bytes at a time. A remainder is linear in its bits, so that every table
 * follows, at compile time, from what each single bit becomes.
 */
#include "crypto/digest.h"

/* The remainder of a lone 1 bit after 1, 2, ... 32 shifts by the reflected polynomial 0xedb88320. */
/* clang-format off */
#define AFTER_1 0xedb88320U
#define AFTER_2 0x76dc4190U
#define AFTER_3 0x3b6e20c8U
#define AFTER_4 0x1db71064U
#define AFTER_5 0x0edb8832U
#define AFTER_6 0x076dc419U
#define AFTER_7 0xee0e612cU
#define AFTER_8 0x77073096U
#define AFTER_9 0x3b83984bU
#define AFTER_10 0xf0794f05U
#define AFTER_11 0x958424a2U
#define AFTER_12 0x4ac21251U
#define AFTER_13 0xc8d98a08U
#define AFTER_14 0x646cc504U
#define AFTER_15 0x32366282U
#define AFTER_16 0x191b3141U
#define AFTER_17 0xe1351b80U
#define AFTER_18 0x709a8dc0U
#define AFTER_19 0x384d46e0U
#define AFTER_20 0x1c26a370U
#define AFTER_21 0x0e1351b8U
#define AFTER_22 0x0709a8dcU
#define AFTER_23 0x0384d46eU
#define AFTER_24 0x01c26a37U
#define AFTER_25 0xed59b63bU
#define AFTER_26 0x9b14583dU
#define AFTER_27 0xa032af3eU
#define AFTER_28 0x5019579fU
#define AFTER_29 0xc5b428efU
#define AFTER_30 0x8f629757U
#define AFTER_31 0xaa09c88bU
#define AFTER_32 0xb8bc6765U
/* clang-format on */

/* Bit n of a byte has 8 - n shifts to go until the byte is through, and eight more per byte that follows. */
#define ENTRY(i, s8, s7, s6, s5, s4, s3, s2, s1)                                                               \
    (((i)&1 ? (s8) : 0) ^ ((i)&2 ? (s7) : 0) ^ ((i)&4 ? (s6) : 0) ^ ((i)&8 ? (s5) : 0) ^ ((i)&16 ? (s4) : 0) ^ \
     ((i)&32 ? (s3) : 0) ^ ((i)&64 ? (s2) : 0) ^ ((i)&128 ? (s1) : 0))
#define ENTRY_0(i) ENTRY(i, AFTER_8, AFTER_7, AFTER_6, AFTER_5, AFTER_4, AFTER_3, AFTER_2, AFTER_1)
#define ENTRY_1(i) ENTRY(i, AFTER_16, AFTER_15, AFTER_14, AFTER_13, AFTER_12, AFTER_11, AFTER_10, AFTER_9)
#define ENTRY_2(i) ENTRY(i, AFTER_24, AFTER_23, AFTER_22, AFTER_21, AFTER_20, AFTER_19, AFTER_18, AFTER_17)
#define ENTRY_3(i) ENTRY(i, AFTER_32, AFTER_31, AFTER_30, AFTER_29, AFTER_28, AFTER_27, AFTER_26, AFTER_25)
#define FOUR(E, i) E(i), E((i) + 1), E((i) + 2), E((i) + 3)
#define SIXTEEN(E, i) FOUR(E, i), FOUR(E, (i) + 4), FOUR(E, (i) + 8), FOUR(E, (i) + 12)
#define SIXTY_FOUR(E, i) SIXTEEN(E, i), SIXTEEN(E, (i) + 16), SIXTEEN(E, (i) + 32), SIXTEEN(E, (i) + 48)
#define TABLE(E)                                                                    \
    {                                                                               \
        SIXTY_FOUR(E, 0), SIXTY_FOUR(E, 64), SIXTY_FOUR(E, 128), SIXTY_FOUR(E, 192) \
    }

/* remainder[n]: of a byte that n more bytes follow. */
static const uint32_t remainder_of[4][256] = {TABLE(ENTRY_0), TABLE(ENTRY_1), TABLE(ENTRY_2), TABLE(ENTRY_3)};

uint32_t crc32_update(uint32_t crc, const void *data, size_t len)
{
    const uint8_t *from = data;

    crc = ~crc;
    for (; len >= 4; len -= 4, from += 4) {
        crc ^= (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
        crc = remainder_of[3][crc & 0xff] ^ remainder_of[2][crc >> 8 & 0xff] ^ remainder_of[1][crc >> 16 & 0xff] ^
              remainder_of[0][crc >> 24];
    }
    for (; len > 0; len--, from++)
        crc = crc >> 8 ^ remainder_of[0][(crc ^ *from) & 0xff];
    return ~crc;
}
