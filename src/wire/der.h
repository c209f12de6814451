/*
 * DER (X.690): definite lengths, and tag numbers up to 30 (one byte), as GSS framing, SPNEGO, Kerberos and CredSSP use them.
 */
#ifndef OPENSSPI_WIRE_DER_H
#define OPENSSPI_WIRE_DER_H

#include "base/reader.h"
#include "base/writer.h"

enum {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_ENUMERATED = 0x0a,
    DER_GENERAL_STRING = 0x1b,
    DER_GENERALIZED_TIME = 0x18,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
};
#define DER_CONTEXT(n) (0xa0 + (n))     /* constructed, context-specific */
#define DER_APPLICATION(n) (0x60 + (n)) /* constructed, application */

/* A reader over the content of an element that is whole answers WIRE_SHORT too when something is missing inside it: there no
 * more bytes can mend it, and the caller turns it into WIRE_BAD.
 *
 * Reads one element with exactly this tag: `content` borrows its bytes. WIRE_SHORT when the input ends first; WIRE_BAD for another tag,
 * an indefinite length or one not in its shortest form. */
MUST_USE enum wire_result der_read(struct reader *reader, uint8_t tag, struct slice *content);
/* Any tag. */
MUST_USE enum wire_result der_read_any(struct reader *reader, uint8_t *tag, struct slice *content);
/* True when the next byte is this tag. */
bool der_peek(const struct reader *reader, uint8_t tag);
/* If the next element has this tag reads it and sets *present; else leaves the reader. */
MUST_USE enum wire_result der_read_optional(struct reader *reader, uint8_t tag, struct slice *content, bool *present);
/* The element that these bytes are, with nothing behind it; WIRE_BAD. */
MUST_USE enum wire_result der_only(struct slice bytes, uint8_t tag, struct slice *content);
/* [number] EXPLICIT of one inner type: `content` stays as it is where the field is missing. WIRE_BAD. */
MUST_USE enum wire_result der_field_read(struct reader *fields, unsigned number, uint8_t tag, struct slice *content);
/* INTEGER or ENUMERATED (by tag) of up to 8 bytes, minimal, signed. */
MUST_USE enum wire_result der_read_integer(struct reader *reader, uint8_t tag, int64_t *value);
/* Tag and length of the whole element at the start of `input`, without its content being there: total bytes. For stream framing. */
MUST_USE enum wire_result der_total_len(struct slice input, size_t *total);

/* Writing. der_begin writes the tag and remembers where; der_end back-fills the length (shortest form). Nest freely. */
struct der_mark {
    size_t at;
};
struct der_mark der_begin(struct writer *writer, uint8_t tag);
void der_end(struct writer *writer, struct der_mark mark);
void der_write(struct writer *writer, uint8_t tag, struct slice content);
/* Where all lengths are known before: tag and length alone, and what a whole element of that content takes. */
void der_head(struct writer *writer, uint8_t tag, size_t content_len);
static inline size_t der_len(size_t content_len)
{
    size_t len = content_len + 2;

    if (content_len >= 0x80) /* a writer takes 16 MiB at most: four octets more will do */
        len += 1u + (content_len > 0xff) + (content_len > 0xffff) + (content_len > 0xffffff);
    return len;
}
void der_write_integer(struct writer *writer, uint8_t tag, int64_t value);

/* GSS framing (RFC 2743 3.1): [APPLICATION 0] { OID mech, inner bytes }. `mech` is the OID's content without tag and length.
 * WIRE_SHORT when the frame is cut, WIRE_BAD when anything inside is wrong or bytes follow the frame. */
MUST_USE enum wire_result gss_frame_read(struct slice token, struct slice *mech, struct slice *inner);
/* Writes all but the inner bytes, of which `inner_len` are to follow. */
void gss_frame_begin(struct writer *writer, struct slice mech, size_t inner_len);

#endif
