/*
 * ISO 8859-1, which Digest authentication hashes names and passwords in where it can (RFC 2831 2.1.2.1).
 */
#ifndef OPENSSPI_BASE_LATIN1_H
#define OPENSSPI_BASE_LATIN1_H

#include "base/result.h"
#include "base/slice.h"
#include "base/writer.h"

/* Appends UTF-8 as ISO 8859-1. WIRE_BAD, and nothing written, when a letter is not in it, or the text is no UTF-8. */
MUST_USE enum wire_result latin1_write(struct writer *writer, struct slice utf8);
/* The reverse: appends ISO 8859-1 as UTF-8. */
void latin1_read(struct writer *utf8, struct slice latin1);

#endif
