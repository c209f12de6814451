/*
 * Fields of a line of text: split, and turned into values. Each getter is strict and leaves its output untouched on failure.
 */
#ifndef OPENSSPI_ACCOUNTS_ACCOUNT_FIELDS_H
#define OPENSSPI_ACCOUNTS_ACCOUNT_FIELDS_H

#include "access/sid.h"
#include "base/secret.h"

#define LINE_FIELDS_MAX 12

struct line_fields {
    struct slice field[LINE_FIELDS_MAX];
    size_t n_fields;
};

/* Takes the next line off `text`, without its end ("\n", "\r\n" or the end of the text); false when nothing is left. */
bool line_next(struct slice *text, struct slice *line);
/* Splits at `separator`; WIRE_BAD for more than LINE_FIELDS_MAX fields. */
MUST_USE enum wire_result line_split(struct slice line, char separator, struct line_fields *fields);

bool field_is(struct slice field, const char *text);
/* Has this UTF-8 a control character (U+0000 to U+001F, U+007F to U+009F) other than `but`? */
bool field_has_control(struct slice field, char but);
/* A fresh string. WIRE_BAD: no memory. */
MUST_USE enum wire_result field_text(struct slice field, char **text);
/* Decimal digits up to `max`, nothing else. */
MUST_USE enum wire_result field_number(struct slice field, int64_t max, int64_t *number);
/* The same; an empty field is `none`. */
MUST_USE enum wire_result field_optional(struct slice field, int64_t max, int64_t none, int64_t *number);
/* Exactly 32 hexadecimal digits. */
MUST_USE enum wire_result field_hash(struct slice field, struct key16 *hash);
/* Exactly 8 hexadecimal digits. */
MUST_USE enum wire_result field_hex32(struct slice field, uint32_t *value);
MUST_USE enum wire_result field_sid(struct slice field, struct sid *sid);

#endif
