#include "fuzz/tree_json.h"

#include <string.h>

struct json {
    const unsigned char *at, *end;
    size_t n_nodes;
};

static bool take(struct json *json, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(json->end - json->at) < len || memcmp(json->at, word, len) != 0)
        return false;
    json->at += len;
    return true;
}

/* What stands behind a backslash (RFC 8259 7). */
static bool take_escaped(struct json *json)
{
    if (json->at == json->end)
        return false;
    unsigned char letter = *json->at++;
    if (letter != 'u')
        return letter != 0 && strchr("\"\\/bfnrt", letter) != NULL;
    for (int i = 0; i < 4; i++, json->at++)
        if (json->at == json->end || *json->at == 0 || strchr("0123456789abcdefABCDEF", *json->at) == NULL)
            return false;
    return true;
}

/* A character of UTF-8: no surrogate, nothing longer than it need be, nothing above U+10FFFF (RFC 3629 3). */
static bool take_character(struct json *json)
{
    static const unsigned least[] = {0, 0x80, 0x800, 0x10000};
    unsigned char lead = *json->at++;
    unsigned more = lead < 0x80 ? 0 : lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    unsigned character = more == 0 ? lead : lead & (0x3fU >> more);
    if ((lead >= 0x80 && lead < 0xc0) || lead >= 0xf8 || (size_t)(json->end - json->at) < more)
        return false;
    for (unsigned i = 0; i < more; i++, json->at++) {
        if ((*json->at & 0xc0) != 0x80)
            return false;
        character = character << 6 | (*json->at & 0x3fU);
    }
    return character >= least[more] && character <= 0x10ffff && (character < 0xd800 || character > 0xdfff);
}

static bool take_string(struct json *json)
{
    if (!take(json, "\""))
        return false;
    while (json->at < json->end && *json->at != '"') {
        if (*json->at < 0x20)
            return false;
        if (take(json, "\\") ? !take_escaped(json) : !take_character(json))
            return false;
    }
    return take(json, "\"");
}

/* Without recursion: the lists that are open are counted, and each is of the same kind. */
static bool take_lists(struct json *json)
{
    size_t depth = 1;
    bool first = true; /* of its list */
    if (!take(json, "["))
        return false;
    while (depth > 0) {
        if (take(json, "]")) {
            depth--;
            first = false;
            if (depth > 0 && !take(json, "}"))
                return false;
            continue;
        }
        if ((!first && !take(json, ", ")) || !take(json, "{\"name\": ") || !take_string(json) ||
            (take(json, ", \"value\": ") && !take_string(json)))
            return false;
        json->n_nodes++;
        first = take(json, ", \"nodes\": [");
        if (first)
            depth++;
        else if (!take(json, "}"))
            return false;
    }
    return true;
}

bool tree_json_read(const char *text, size_t len, size_t *n_nodes)
{
    struct json json = {.at = (const unsigned char *)text, .end = (const unsigned char *)text + len};
    if (!take_lists(&json) || !take(&json, "\n") || json.at != json.end)
        return false;
    *n_nodes = json.n_nodes;
    return true;
}
