/*
 * Reads NDR (C706 chapter 14), little-endian, from a type serialization version 1 stream (MS-RPCE 2.2.6): as much of it
 * as PACs and their like need. The stream is whole when it comes here, so WIRE_SHORT means damage as WIRE_BAD does; a
 * failing getter leaves reader and outputs untouched.
 */
#ifndef OPENSSPI_WIRE_NDR_H
#define OPENSSPI_WIRE_NDR_H

#include "base/reader.h"

/* One serialized top-level type. Alignment counts from its begin, which the two headers leave on a multiple of 8. */
struct ndr {
    struct reader reader;
    size_t len; /* of the whole object */
};

/* Common and private header (MS-RPCE 2.2.6.1, 2.2.6.2), version 1, little-endian. Fillers are ignored. The object must
 * take the rest of `stream`, but for fewer than 8 bytes of padding behind it. */
MUST_USE enum wire_result ndr_open(struct slice stream, struct ndr *ndr);
/* WIRE_BAD when more is left of the object than its padding to a multiple of 8 can be. */
MUST_USE enum wire_result ndr_end(const struct ndr *ndr);

/* Primitives (C706 14.2), each aligned to its size; what lies in a gap is ignored. ndr_bytes is an array of octets, not
 * aligned. */
MUST_USE enum wire_result ndr_u16(struct ndr *ndr, uint16_t *value);
MUST_USE enum wire_result ndr_u32(struct ndr *ndr, uint32_t *value);
MUST_USE enum wire_result ndr_bytes(struct ndr *ndr, size_t len, struct slice *bytes);
/* FILETIME (MS-DTYP 2.3.3): two longs, the lower first, so aligned to 4 only. */
MUST_USE enum wire_result ndr_filetime(struct ndr *ndr, int64_t *time);

/* The referent id of a unique pointer (C706 14.3.10): 0 is a null pointer. The pointee follows later, where its deferral ends;
 * ids say nothing else, as unique pointers have no aliases. */
MUST_USE enum wire_result ndr_pointer(struct ndr *ndr, bool *present);

/* The maximum count of a conformant array (C706 14.3.3.2), which must be the `expected` of its size_is field and no more
 * than `limit`; so many times `element_len` bytes must be there, so that nobody allocates for what was never sent.
 * `element_len` is what an element takes at least in the stream, and not 0. */
MUST_USE enum wire_result ndr_array(struct ndr *ndr, uint32_t expected, size_t limit, size_t element_len);

/* RPC_UNICODE_STRING (MS-DTYP 2.3.10): the fixed part where the structure stands, the characters where they are deferred to. */
struct ndr_string {
    uint16_t len, max_len; /* bytes */
    bool present;
};
/* WIRE_BAD for odd lengths, a length beyond the maximum, or a null pointer to characters. */
MUST_USE enum wire_result ndr_string_header(struct ndr *ndr, struct ndr_string *string);
/* Borrows the UTF-16LE characters: a conformant varying array (C706 14.3.3.4) whose three counts must agree with the header.
 * A null pointer has none and gives an empty slice. */
MUST_USE enum wire_result ndr_string_body(struct ndr *ndr, const struct ndr_string *string, struct slice *utf16);

#endif
