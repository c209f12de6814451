/* SPDX-License-Identifier: MIT */
/* page.h: what the server shows. */
#ifndef HTTPAUTH_PAGE_H
#define HTTPAUTH_PAGE_H

#include "sign_on.h"
#include "text.h"

extern const char page_style[]; /* the style sheet */

/* Who came in, and how. `secure`: over TLS; `bound`: the sign-on was held to this TLS connection. */
void PageVisitor(struct text *text, const struct visitor *visitor, bool secure, bool bound);
void PageVisitorJson(struct text *text, const struct visitor *visitor, bool secure, bool bound);
/* A title and a sentence. */
void PageMessage(struct text *text, const char *title, const char *sentence);

#endif
