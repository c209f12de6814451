/*
 * Base64 (RFC 4648 section 4), with padding and without line ends.
 */
#ifndef OPENSSPI_BASE_BASE64_H
#define OPENSSPI_BASE_BASE64_H

#include "base/result.h"
#include "base/writer.h"

void base64_write(struct writer *text, struct slice bytes);
/* WIRE_BAD for anything but whole groups of the alphabet with right padding and no stray bits. On failure some bytes may have been written. */
MUST_USE enum wire_result base64_read(struct slice text, struct writer *bytes);

#endif
