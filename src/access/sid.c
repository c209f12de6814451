#include "access/sid.h"

#include "base/hex.h"
#include <stdio.h>
#include <string.h>

#define SID_REVISION 1 /* MS-DTYP 2.4.2: the only one */

/* Decimal digits of a number of 32 bits. Leading zeros are refused: two spellings of one SID would compare unequal elsewhere. */
static enum wire_result sid_number(const char **at, uint64_t *number)
{
    const char *from = *at;
    require(*from >= '0' && *from <= '9', WIRE_BAD);
    require(*from != '0' || from[1] < '0' || from[1] > '9', WIRE_BAD);
    uint64_t value = 0;
    for (; *from >= '0' && *from <= '9'; from++) {
        value = value * 10 + (uint64_t)(*from - '0');
        require(value <= UINT32_MAX, WIRE_BAD);
    }
    *at = from;
    *number = value;
    return WIRE_OK;
}

/* MS-DTYP 2.4.2.1: an authority of 2^32 or more is written as 0x and twelve hexadecimal digits. */
static enum wire_result sid_hex_authority(const char **at, uint64_t *number)
{
    uint64_t value = 0;
    const char *from = *at + 2;
    for (int i = 0; i < 12; i++, from++) {
        int digit = hex_digit((uint8_t)*from);
        require(digit >= 0, WIRE_BAD);
        value = value << 4 | (unsigned)digit;
    }
    require(value > UINT32_MAX, WIRE_BAD);
    *at = from;
    *number = value;
    return WIRE_OK;
}

enum wire_result sid_from_text(const char *text, struct sid *sid)
{
    struct sid out = {.revision = SID_REVISION};
    uint64_t number;
    require(text != NULL && (text[0] == 'S' || text[0] == 's') && text[1] == '-' && text[2] == '1' && text[3] == '-',
            WIRE_BAD);
    const char *at = text + 4;
    if (at[0] == '0' && (at[1] == 'x' || at[1] == 'X'))
        try(sid_hex_authority(&at, &number));
    else
        try(sid_number(&at, &number));
    for (unsigned i = 0; i < 6; i++)
        out.authority[i] = (uint8_t)(number >> (8 * (5 - i)));
    while (*at == '-') {
        at++;
        require(out.n_subauthorities < SID_SUBAUTHORITIES_MAX, WIRE_BAD);
        try(sid_number(&at, &number));
        out.subauthority[out.n_subauthorities++] = (uint32_t)number;
    }
    require(*at == '\0' && out.n_subauthorities > 0, WIRE_BAD);
    *sid = out;
    return WIRE_OK;
}

void sid_to_text(const struct sid *sid, char text[SID_TEXT_MAX])
{
    uint64_t authority = 0;
    for (unsigned i = 0; i < 6; i++)
        authority = authority << 8 | sid->authority[i];
    int len = snprintf(text, SID_TEXT_MAX, authority > UINT32_MAX ? "S-%u-0x%012llX" : "S-%u-%llu",
                       (unsigned)sid->revision, (unsigned long long)authority);
    for (unsigned i = 0; i < sid->n_subauthorities && i < SID_SUBAUTHORITIES_MAX; i++)
        len += snprintf(text + len, SID_TEXT_MAX - (size_t)len, "-%lu", (unsigned long)sid->subauthority[i]);
}

/* MS-DTYP 2.4.2.2 */
enum wire_result sid_read(struct reader *reader, struct sid *sid)
{
    struct reader at = *reader;
    struct sid out = {0};
    try(reader_u8(&at, &out.revision));
    require(out.revision == SID_REVISION, WIRE_BAD);
    try(reader_u8(&at, &out.n_subauthorities));
    require(out.n_subauthorities <= SID_SUBAUTHORITIES_MAX, WIRE_BAD);
    try(reader_copy(&at, out.authority, sizeof(out.authority)));
    for (unsigned i = 0; i < out.n_subauthorities; i++)
        try(reader_u32le(&at, &out.subauthority[i]));
    *reader = at;
    *sid = out;
    return WIRE_OK;
}

void sid_write(struct writer *writer, const struct sid *sid)
{
    writer_u8(writer, sid->revision);
    writer_u8(writer, sid->n_subauthorities);
    writer_bytes(writer, sid->authority, sizeof(sid->authority));
    for (unsigned i = 0; i < sid->n_subauthorities && i < SID_SUBAUTHORITIES_MAX; i++)
        writer_u32le(writer, sid->subauthority[i]);
}

bool sid_equal(const struct sid *a, const struct sid *b)
{
    return a->revision == b->revision && a->n_subauthorities == b->n_subauthorities &&
           a->n_subauthorities <= SID_SUBAUTHORITIES_MAX &&
           memcmp(a->authority, b->authority, sizeof(a->authority)) == 0 &&
           memcmp(a->subauthority, b->subauthority, a->n_subauthorities * sizeof(a->subauthority[0])) == 0;
}

enum wire_result sid_append(struct sid *sid, uint32_t rid)
{
    require(sid->n_subauthorities < SID_SUBAUTHORITIES_MAX, WIRE_BAD);
    sid->subauthority[sid->n_subauthorities++] = rid;
    return WIRE_OK;
}

bool sid_equal_prefix(const struct sid *a, const struct sid *b)
{
    struct sid first = *a, second = *b;
    require(first.n_subauthorities > 0 && second.n_subauthorities > 0, sid_equal(a, b));
    first.n_subauthorities--;
    second.n_subauthorities--;
    return sid_equal(&first, &second);
}

enum wire_result sid_domain(const struct sid *sid, struct sid *domain)
{
    static const struct sid nt_domains = SID_OF(5, 21);
    struct sid out = *sid;
    require(sid->n_subauthorities == 5, WIRE_BAD);
    out.n_subauthorities = 1;
    require(sid_equal(&out, &nt_domains), WIRE_BAD);
    out.n_subauthorities = 4;
    *domain = out;
    return WIRE_OK;
}
