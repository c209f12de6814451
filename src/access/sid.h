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

/* "S-1-5-21-..." as MS-DTYP 2.4.2.1 writes it; nothing may follow. */
MUST_USE enum wire_result sid_from_text(const char *text, struct sid *sid);
/* Always fits SID_TEXT_MAX. */
void sid_to_text(const struct sid *sid, char text[SID_TEXT_MAX]);
MUST_USE enum wire_result sid_read(struct reader *reader, struct sid *sid);
void sid_write(struct writer *writer, const struct sid *sid);
bool sid_equal(const struct sid *a, const struct sid *b);
/* Appends one more subauthority: the SID of `rid` in a domain. WIRE_BAD when it is full. */
MUST_USE enum wire_result sid_append(struct sid *sid, uint32_t rid);

#endif
