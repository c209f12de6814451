/*
 * Texts and bytes that were handed out: each stays until its object goes.
 */
#ifndef OPENSSPI_LSA_KEPT_TEXT_H
#define OPENSSPI_LSA_KEPT_TEXT_H

#include "base/slice.h"

struct kept;

/* The copy that is kept, with a NUL behind it; the same bytes are kept once. NULL: no memory. The owner's lock guards the list. */
const char *kept_bytes(struct kept **texts, struct slice bytes);
const char *kept_text(struct kept **texts, const char *text);
void kept_free(struct kept *texts);

#endif
