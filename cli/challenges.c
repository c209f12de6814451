#include "challenges.h"

#include <string.h>

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_between(uint8_t c)
{
    return c == ',' || is_blank(c);
}

/* RFC 9110 5.6.2 */
static bool is_token(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* Passes over the bytes at the beginning that are such. */
static size_t run_len(struct slice text, bool (*is_such)(uint8_t c))
{
    size_t len = 0;
    while (len < text.len && is_such(text.data[len]))
        len++;
    return len;
}

static struct slice after(struct slice text, size_t len)
{
    return slice_of(text.data + len, text.len - len);
}

/* Behind a comma stands a scheme's name, or a parameter of the scheme before, whose name a "=" follows (RFC 9110 11.3). */
static bool scheme_begins(struct slice text)
{
    text = after(text, run_len(text, is_blank));
    size_t len = run_len(text, is_token);
    if (len == 0 || (len < text.len && !is_between(text.data[len])))
        return false;
    text = after(text, len);
    text = after(text, run_len(text, is_blank));
    return text.len == 0 || text.data[0] != '=';
}

/* Of the first challenge: to the comma, outside quotes, that the next one's scheme follows. */
static size_t first_len(struct slice list)
{
    bool quoted = false;
    for (size_t at = 0; at < list.len; at++) {
        if (quoted && list.data[at] == '\\')
            at++;
        else if (list.data[at] == '"')
            quoted = !quoted;
        else if (!quoted && list.data[at] == ',' && scheme_begins(after(list, at + 1)))
            return at;
    }
    return list.len;
}

bool challenge_next(struct slice *list, struct challenge *challenge)
{
    struct slice left = after(*list, run_len(*list, is_between));
    if (left.len == 0)
        return false;
    struct slice one = slice_of(left.data, first_len(left));
    size_t word = 0;
    while (word < one.len && !is_between(one.data[word]))
        word++;
    *list = after(left, one.len);
    challenge->scheme = slice_of(one.data, word);
    one = after(one, word);
    one = after(one, run_len(one, is_blank));
    while (one.len > 0 && is_between(one.data[one.len - 1]))
        one.len--;
    challenge->rest = one;
    return true;
}
