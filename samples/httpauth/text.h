/* SPDX-License-Identifier: MIT */
/* text.h: text that grows, and the two escapes without which a name would become markup. */
#ifndef HTTPAUTH_TEXT_H
#define HTTPAUTH_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
    char *data; /* always ends with a NUL once something was put */
    size_t len, max;
    bool failed; /* no memory: what follows is not put any more */
};

void TextPut(struct text *text, const char *more);
void TextFormat(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* As content or attribute of HTML: < > & " ' are escaped, control characters become U+FFFD. `more` is UTF-8; NULL puts nothing. */
void TextPutHtml(struct text *text, const char *more);
/* As a JSON string with its quotes. */
void TextPutJson(struct text *text, const char *more);
void TextFree(struct text *text);

#endif
