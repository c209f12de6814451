#include "digest/directives.h"

#include "base/hex.h"
#include "base/memory.h"
#include "crypto/http_digest.h"
#include <string.h>
#include <strings.h>

static const char *const names[N_DIRECTIVES] = {
    [DIRECTIVE_REALM] = "realm",
    [DIRECTIVE_NONCE] = "nonce",
    [DIRECTIVE_QOP] = "qop",
    [DIRECTIVE_STALE] = "stale",
    [DIRECTIVE_ALGORITHM] = "algorithm",
    [DIRECTIVE_CHARSET] = "charset",
    [DIRECTIVE_OPAQUE] = "opaque",
    [DIRECTIVE_USERHASH] = "userhash",
    [DIRECTIVE_MAXBUF] = "maxbuf",
    [DIRECTIVE_CIPHER] = "cipher",
    [DIRECTIVE_USERNAME] = "username",
    [DIRECTIVE_USERNAME_EXT] = "username*",
    [DIRECTIVE_CNONCE] = "cnonce",
    [DIRECTIVE_NC] = "nc",
    [DIRECTIVE_URI] = "uri",
    [DIRECTIVE_DIGEST_URI] = "digest-uri",
    [DIRECTIVE_RESPONSE] = "response",
    [DIRECTIVE_AUTHZID] = "authzid",
    [DIRECTIVE_RSPAUTH] = "rspauth",
    [DIRECTIVE_HASHED_DIRS] = "hashed-dirs",
    [DIRECTIVE_SERVICE_NAME] = "service-name",
    [DIRECTIVE_CHANNEL_BINDING] = "channel-binding",
};

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n'; /* folded headers and SASL's LWS */
}

/* RFC 9110 5.6.2; "*" is one, as in username*. */
static bool is_token(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* A value without quotes: what is visible and delimits nothing. Windows writes service names so, with their slash. */
static bool is_plain(uint8_t c)
{
    return c > 0x20 && c < 0x7f && c != ',' && c != '"' && c != '\\';
}

static void blanks_skip(struct slice *text)
{
    while (text->len > 0 && is_blank(text->data[0]))
        *text = slice_of(text->data + 1, text->len - 1);
}

static struct slice run_take(struct slice *text, bool (*belongs)(uint8_t))
{
    size_t len = 0;
    while (len < text->len && belongs(text->data[len]))
        len++;
    struct slice run = slice_of(text->data, len);
    *text = slice_of(text->data + len, text->len - len);
    return run;
}

bool directive_word_is(struct slice word, const char *text)
{
    return word.len == strlen(text) && strncasecmp((const char *)word.data, text, word.len) == 0;
}

bool directive_is(const struct directives *directives, enum directive which, const char *text)
{
    return directive_there(directives, which) && directive_word_is(directives->value[which], text);
}

/* Copies what stands between quotes, without the backslashes, to `to`. MS-DPSP 2.2: in a user name, which may be DOMAIN\user as somebody typed it, a
 * backslash that escapes nothing stands for itself. */
static enum wire_result quoted_take(struct slice *text, bool user_name, char **to, struct slice *value)
{
    char *start = *to;
    struct slice rest = slice_of(text->data + 1, text->len - 1);
    for (;;) {
        require(rest.len > 0, WIRE_BAD);
        uint8_t c = rest.data[0];
        rest = slice_of(rest.data + 1, rest.len - 1);
        if (c == '"')
            break;
        if (c == '\\') {
            require(rest.len > 0, WIRE_BAD);
            bool itself = user_name && rest.data[0] != '"' && rest.data[0] != '\\';
            if (!itself) {
                c = rest.data[0];
                rest = slice_of(rest.data + 1, rest.len - 1);
            }
        }
        require(c >= 0x20 && c != 0x7f, WIRE_BAD);
        *(*to)++ = (char)c;
    }
    *value = slice_of(start, (size_t)(*to - start));
    *text = rest;
    return WIRE_OK;
}

static enum wire_result value_keep(struct directives *directives, struct slice name, struct slice value,
                                   bool many_realms)
{
    for (size_t i = 0; i < N_DIRECTIVES; i++) {
        if (!directive_word_is(name, names[i]))
            continue;
        if (i == DIRECTIVE_REALM) {
            require(directives->n_realms < (many_realms ? REALMS_MAX : 1), WIRE_BAD);
            directives->realm[directives->n_realms++] = value;
            if (directives->n_realms > 1)
                return WIRE_OK;
        }
        require(directives->value[i].data == NULL, WIRE_BAD);
        directives->value[i] = value;
    }
    return WIRE_OK;
}

/* One name=value. *ended: what stands here is the scheme of another challenge instead. */
static enum wire_result one_take(struct slice *text, bool many_realms, char **to, struct directives *directives,
                                 bool *ended)
{
    struct slice before = *text, value;
    struct slice name = run_take(text, is_token);
    require(name.len > 0, WIRE_BAD);
    bool blank = text->len > 0 && is_blank(text->data[0]);
    blanks_skip(text);
    if (text->len == 0 || text->data[0] != '=') {
        require(blank && directive_word_is(name, "Digest"), WIRE_BAD);
        *text = before;
        *ended = true;
        return WIRE_OK;
    }
    *text = slice_of(text->data + 1, text->len - 1);
    blanks_skip(text);
    if (text->len > 0 && text->data[0] == '"') {
        try(quoted_take(text, directive_word_is(name, names[DIRECTIVE_USERNAME]), to, &value));
    } else {
        struct slice plain = run_take(text, is_plain);
        require(plain.len > 0, WIRE_BAD);
        memcpy(*to, plain.data, plain.len);
        value = slice_of(*to, plain.len);
        *to += plain.len;
    }
    *(*to)++ = '\0'; /* so that an empty value, too, points somewhere of its own */
    blanks_skip(text);
    return value_keep(directives, name, value, many_realms);
}

static void scheme_skip(struct slice *text)
{
    struct slice rest = *text;
    if (directive_word_is(run_take(&rest, is_token), "Digest") && rest.len > 0 && is_blank(rest.data[0])) {
        blanks_skip(&rest);
        if (rest.len > 0 && rest.data[0] != '=')
            *text = rest;
    }
}

static enum wire_result list_take(struct slice *text, bool many_realms, struct directives *directives)
{
    char *to = directives->room;
    bool ended = false;
    unsigned n = 0;
    blanks_skip(text);
    scheme_skip(text);
    while (text->len > 0 && !ended) {
        if (text->data[0] == ',') { /* empty elements are legal in lists (RFC 9110 5.6.1.2) */
            *text = slice_of(text->data + 1, text->len - 1);
            blanks_skip(text);
            continue;
        }
        require(n++ < DIRECTIVES_MAX, WIRE_BAD);
        try(one_take(text, many_realms, &to, directives, &ended));
        require(ended || text->len == 0 || text->data[0] == ',', WIRE_BAD);
    }
    return n > (ended ? 1U : 0U) ? WIRE_OK : WIRE_BAD;
}

enum wire_result directives_parse(struct slice *text, bool many_realms, struct directives *directives)
{
    struct directives parsed = {0};
    struct slice rest = *text;
    parsed.room = mem_zalloc(rest.len + DIRECTIVES_MAX + 1); /* a NUL behind each value */
    require(parsed.room != NULL, WIRE_BAD);
    if (list_take(&rest, many_realms, &parsed) != WIRE_OK) {
        directives_release(&parsed);
        return WIRE_BAD;
    }
    *text = rest;
    *directives = parsed;
    return WIRE_OK;
}

void directives_release(struct directives *directives)
{
    mem_free(directives->room);
    *directives = (struct directives){0};
}

bool directive_word_next(struct slice *list, struct slice *word)
{
    while (list->len > 0 && (is_blank(list->data[0]) || list->data[0] == ','))
        *list = slice_of(list->data + 1, list->len - 1);
    *word = run_take(list, is_token);
    if (word->len == 0)
        *list = slice_of(list->data, 0); /* what is no word ends the list */
    return word->len > 0;
}

enum wire_result directive_count(const struct directives *directives, uint32_t *nc)
{
    uint8_t bytes[4];
    try(hex_read(directives->value[DIRECTIVE_NC], bytes, sizeof bytes));
    struct reader reader = reader_of(slice_of(bytes, sizeof bytes));
    return reader_u32be(&reader, nc);
}

enum wire_result directive_number(struct slice value, uint32_t max, uint32_t *number)
{
    uint64_t sum = 0;
    require(value.len > 0 && value.len <= 10, WIRE_BAD);
    for (size_t i = 0; i < value.len; i++) {
        require(value.data[i] >= '0' && value.data[i] <= '9', WIRE_BAD);
        sum = sum * 10 + (uint64_t)(value.data[i] - '0');
    }
    require(sum <= max, WIRE_BAD);
    *number = (uint32_t)sum;
    return WIRE_OK;
}

static void name_write(struct writer *writer, const char *name)
{
    if (writer->len > 0)
        writer_u8(writer, ',');
    writer_bytes(writer, name, strlen(name));
    writer_u8(writer, '=');
}

void directive_write_quoted(struct writer *writer, const char *name, struct slice value)
{
    name_write(writer, name);
    writer_u8(writer, '"');
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] == '"' || value.data[i] == '\\')
            writer_u8(writer, '\\');
        writer_u8(writer, value.data[i]);
    }
    writer_u8(writer, '"');
}

void directive_write_plain(struct writer *writer, const char *name, struct slice value)
{
    name_write(writer, name);
    writer_slice(writer, value);
}
