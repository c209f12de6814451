/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool Room(struct text *text, size_t more)
{
    if (text->failed || more < text->max - text->len)
        return !text->failed;
    size_t max = text->max > 0 ? text->max : 4096;
    while (max - text->len <= more)
        max *= 2;
    char *grown = realloc(text->data, max);
    text->failed = grown == NULL;
    if (grown == NULL)
        return false;
    text->data = grown;
    text->max = max;
    return true;
}

static void Put(struct text *text, const char *more, size_t len)
{
    if (!Room(text, len + 1))
        return;
    memcpy(text->data + text->len, more, len);
    text->len += len;
    text->data[text->len] = '\0';
}

void TextPut(struct text *text, const char *more)
{
    Put(text, more, strlen(more));
}

void TextFormat(struct text *text, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (len < 0 || (size_t)len >= sizeof line)
        text->failed = true; /* cut text could be cut markup */
    else
        Put(text, line, (size_t)len);
}

void TextPutHtml(struct text *text, const char *more)
{
    for (; more != NULL && *more != '\0'; more++)
        switch (*more) {
        case '<':
            TextPut(text, "&lt;");
            break;
        case '>':
            TextPut(text, "&gt;");
            break;
        case '&':
            TextPut(text, "&amp;");
            break;
        case '"':
            TextPut(text, "&quot;");
            break;
        case '\'':
            TextPut(text, "&#39;");
            break;
        default:
            if ((unsigned char)*more < 0x20 || *more == 0x7f)
                TextPut(text, "\xef\xbf\xbd");
            else
                Put(text, more, 1);
        }
}

void TextPutJson(struct text *text, const char *more)
{
    TextPut(text, "\"");
    for (; more != NULL && *more != '\0'; more++)
        if (*more == '"' || *more == '\\')
            TextFormat(text, "\\%c", *more);
        else if ((unsigned char)*more < 0x20)
            TextFormat(text, "\\u%04x", (unsigned)*more);
        else
            Put(text, more, 1);
    TextPut(text, "\"");
}

void TextFree(struct text *text)
{
    free(text->data);
    *text = (struct text){0};
}
