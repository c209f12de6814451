/*
 * Security identifiers (MS-DTYP 2.4.2).
 */
#ifndef OPENSSPI_ACCESS_SID_H
#define OPENSSPI_ACCESS_SID_H

#include "base/reader.h"
#include "base/writer.h"

#define SID_SUBAUTHORITIES_MAX 15 /* MS-DTYP 2.4.2: SubAuthorityCount */
#define SID_BYTES_MAX (8 + 4 * SID_SUBAUTHORITIES_MAX)
#define SID_TEXT_MAX 192 /* "S-1-", a 48-bit authority, 15 times "-4294967295", NUL */

struct sid {
    uint8_t revision, n_subauthorities;
    uint8_t authority[6];
    uint32_t subauthority[SID_SUBAUTHORITIES_MAX];
};

/* A SID of one of the small authorities: SID_OF(5, 32, 544) is S-1-5-32-544. */
#define SID_OF(authority_byte, ...)                                                              \
    {                                                                                            \
        .revision = 1, .n_subauthorities = sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), \
        .authority = {0, 0, 0, 0, 0, (authority_byte)}, .subauthority = {                        \
            __VA_ARGS__                                                                          \
        }                                                                                        \
    }
#define SID_LITERAL(authority_byte, ...) ((struct sid)SID_OF(authority_byte, __VA_ARGS__))

/* "S-1-5-21-..." as MS-DTYP 2.4.2.1 writes it; nothing may follow. */
MUST_USE enum wire_result sid_from_text(const char *text, struct sid *sid);
/* Always fits SID_TEXT_MAX. */
void sid_to_text(const struct sid *sid, char text[SID_TEXT_MAX]);
MUST_USE enum wire_result sid_read(struct reader *reader, struct sid *sid);
void sid_write(struct writer *writer, const struct sid *sid);
bool sid_equal(const struct sid *a, const struct sid *b);
/* Are they of one domain: alike but for the last subauthority? */
bool sid_equal_prefix(const struct sid *a, const struct sid *b);
/* The domain of S-1-5-21-a-b-c-rid, as S-1-5-21-a-b-c; WIRE_BAD for a SID of any other form. */
MUST_USE enum wire_result sid_domain(const struct sid *sid, struct sid *domain);
/* Appends one more subauthority: the SID of `rid` in a domain. WIRE_BAD when it is full. */
MUST_USE enum wire_result sid_append(struct sid *sid, uint32_t rid);

#endif
