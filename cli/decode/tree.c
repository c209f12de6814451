#include "decode/tree.h"

#include "base/memory.h"
#include "base/time.h"
#include "base/utf16.h"
#include "decode/clean.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#define VALUE_MAX 1024
#define BYTES_SHOWN 32

static void put_clean(struct tree *tree, struct slice text)
{
    clean_put(tree->out, text, tree->json ? CLEAN_JSON : CLEAN_LINE);
}

/* Whether the next node is shown; decided once for each. What it will hold is not shown without it: it is as deep, and no fewer came before. */
static bool take(struct tree *tree)
{
    unsigned long n_max = tree->n_max > 0 ? tree->n_max : TREE_NODES_MAX;
    if (tree->depth > TREE_DEPTH_MAX || tree->n_nodes >= n_max) {
        tree->left_out = true;
        return false;
    }
    tree->n_nodes++;
    return true;
}

/* The head of a node that is shown. For people: indented "name: value". */
static void head(struct tree *tree, const char *name, struct slice value, bool wrong)
{
    if (tree->json) {
        fprintf(tree->out, "%s{\"name\": \"%s\"", tree->filled[tree->depth] ? ", " : "", name);
        if (value.len > 0) {
            fputs(", \"value\": \"", tree->out);
            put_clean(tree, value);
            fputc('"', tree->out);
        }
    } else {
        const char *colour = !tree->colour ? "" : wrong ? "\033[31m" : tree->depth == 0 ? "\033[1m" : "\033[36m";
        fprintf(tree->out, "%*s%s%s%s%s", (int)(2 * tree->depth), "", colour, name, tree->colour ? "\033[0m" : "",
                value.len > 0 ? ": " : "");
        put_clean(tree, value);
        fputc('\n', tree->out);
    }
    tree->filled[tree->depth] = true;
}

static void leaf(struct tree *tree, const char *name, struct slice value, bool wrong)
{
    if (!take(tree))
        return;
    head(tree, name, value, wrong);
    if (tree->json)
        fputc('}', tree->out);
}

static struct slice format_value(char room[VALUE_MAX], const char *format, va_list arguments)
{
    int len = vsnprintf(room, VALUE_MAX, format, arguments);
    return slice_of(room, len < 0 ? 0 : (size_t)len < VALUE_MAX ? (size_t)len : VALUE_MAX - 1);
}

void tree_begin(struct tree *tree)
{
    if (tree->json)
        fputc('[', tree->out);
}

void tree_end(struct tree *tree)
{
    if (tree->left_out && tree->json)
        fprintf(tree->out, "%s{\"name\": \"left out\", \"value\": \"only the first %lu nodes are shown\"}",
                tree->filled[0] ? ", " : "", tree->n_nodes);
    else if (tree->left_out)
        fprintf(tree->out, "... and more: only the first %lu lines are shown\n", tree->n_nodes);
    if (tree->json)
        fputs("]\n", tree->out);
}

void tree_open(struct tree *tree, const char *name, const char *format, ...)
{
    char room[VALUE_MAX];
    if (!take(tree)) {
        tree->depth_left_out++;
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    struct slice value = format_value(room, format, arguments);
    va_end(arguments);
    head(tree, name, value, false);
    if (tree->json)
        fputs(", \"nodes\": [", tree->out);
    tree->depth++;
    if (tree->depth <= TREE_DEPTH_MAX)
        tree->filled[tree->depth] = false;
}

void tree_close(struct tree *tree)
{
    if (tree->depth_left_out > 0) {
        tree->depth_left_out--;
        return;
    }
    tree->depth--;
    if (tree->json)
        fputs("]}", tree->out);
}

void tree_put(struct tree *tree, const char *name, const char *format, ...)
{
    char room[VALUE_MAX];
    va_list arguments;
    va_start(arguments, format);
    struct slice value = format_value(room, format, arguments);
    va_end(arguments);
    leaf(tree, name, value, false);
}

void tree_wrong(struct tree *tree, const char *format, ...)
{
    char room[VALUE_MAX];
    va_list arguments;
    va_start(arguments, format);
    struct slice value = format_value(room, format, arguments);
    va_end(arguments);
    tree->n_wrong++;
    leaf(tree, "WRONG", value, true);
}

void tree_text(struct tree *tree, const char *name, struct slice text)
{
    if (text.len == 0)
        leaf(tree, name, slice_of_text("(empty)"), false);
    else
        leaf(tree, name, slice_of(text.data, text.len < VALUE_MAX ? text.len : VALUE_MAX), false);
}

void tree_utf16(struct tree *tree, const char *name, struct slice text)
{
    AUTO_FREE char *utf8 = NULL;
    if (utf16le_to_text(text, &utf8) == WIRE_OK) {
        tree_text(tree, name, slice_of_text(utf8));
        return;
    }
    tree_bytes(tree, name, text);
    tree_wrong(tree, "%s is no UTF-16", name);
}

void tree_bytes(struct tree *tree, const char *name, struct slice bytes)
{
    char text[32 + 2 * BYTES_SHOWN + 8];
    int at = snprintf(text, sizeof(text), "%zu byte%s", bytes.len, bytes.len == 1 ? "" : "s");
    for (size_t i = 0; i < bytes.len && i < BYTES_SHOWN; i++)
        at += snprintf(text + at, sizeof(text) - (size_t)at, "%s%02x", i == 0 ? ", " : "", bytes.data[i]);
    snprintf(text + at, sizeof(text) - (size_t)at, "%s", bytes.len > BYTES_SHOWN ? "..." : "");
    leaf(tree, name, slice_of_text(text), false);
}

void tree_flags(struct tree *tree, const char *name, uint32_t flags, const struct tree_word *words, size_t n_words)
{
    char text[VALUE_MAX];
    uint32_t rest = flags;
    int at = snprintf(text, sizeof(text), "0x%08" PRIx32, flags);
    for (size_t i = 0; i < n_words; i++)
        if ((flags & words[i].value) != 0) {
            at += snprintf(text + at, sizeof(text) - (size_t)at, " %s", words[i].name);
            rest &= ~words[i].value;
        }
    if (rest != 0 && rest != flags)
        snprintf(text + at, sizeof(text) - (size_t)at, " and 0x%" PRIx32, rest);
    leaf(tree, name, slice_of_text(text), false);
}

const char *tree_word_of(uint32_t value, const struct tree_word *words, size_t n_words)
{
    for (size_t i = 0; i < n_words; i++)
        if (words[i].value == value)
            return words[i].name;
    return NULL;
}

static void put_time(struct tree *tree, const char *name, int64_t seconds, const char *beside)
{
    struct tm broken;
    time_t time = (time_t)seconds;
    char text[64];
    if (gmtime_r(&time, &broken) == NULL || strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &broken) == 0)
        snprintf(text, sizeof(text), "%" PRId64 " seconds since 1970", seconds);
    tree_put(tree, name, "%s%s", text, beside);
}

void tree_unix_time(struct tree *tree, const char *name, int64_t seconds)
{
    put_time(tree, name, seconds, "");
}

void tree_file_time(struct tree *tree, const char *name, uint64_t filetime)
{
    if (filetime == 0)
        tree_put(tree, name, "none (0)");
    else if (filetime >= (uint64_t)FILETIME_NEVER)
        tree_put(tree, name, "never");
    else
        put_time(tree, name, filetime_to_unix((int64_t)filetime), "");
}
