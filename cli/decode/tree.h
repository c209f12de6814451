/*
 * A tree of names and values, printed as it grows: indented for people, nested objects for programs. Whatever comes from a token is escaped
 * here, so that no input can talk to a terminal or break JSON.
 */
#ifndef OPENSSPI_CLI_DECODE_TREE_H
#define OPENSSPI_CLI_DECODE_TREE_H

#include "base/slice.h"

#include <stdio.h>

#define TREE_DEPTH_MAX 64    /* deeper nodes are left out; every decoder stops long before */
#define TREE_NODES_MAX 50000 /* a few bytes can name many nodes: more than a person reads is not shown */

struct tree {
    FILE *out;
    bool json, colour;
    unsigned depth;
    bool filled[TREE_DEPTH_MAX + 1]; /* something stands before, at this depth */
    unsigned long n_max;             /* nodes that are shown, 0: TREE_NODES_MAX */
    unsigned long n_nodes, n_wrong;
    unsigned depth_left_out; /* how deep we are in a node that is left out, with all that it holds */
    bool left_out;           /* something was: the end says so */
};

struct tree_word {
    uint32_t value;
    const char *name;
};

/* A JSON list stands around everything. */
void tree_begin(struct tree *tree);
void tree_end(struct tree *tree);

/* A node with nodes of its own until tree_close. */
void tree_open(struct tree *tree, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
void tree_close(struct tree *tree);
/* A node of its own. */
void tree_put(struct tree *tree, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* What looks wrong. */
void tree_wrong(struct tree *tree, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Bytes of text as they are, and UTF-16LE. */
void tree_text(struct tree *tree, const char *name, struct slice text);
void tree_utf16(struct tree *tree, const char *name, struct slice text);
/* Their number and the first of them. */
void tree_bytes(struct tree *tree, const char *name, struct slice bytes);
/* All bits by name; those without one as a number. */
void tree_flags(struct tree *tree, const char *name, uint32_t flags, const struct tree_word *words, size_t n_words);
/* The word for a value, or NULL. */
const char *tree_word_of(uint32_t value, const struct tree_word *words, size_t n_words);
/* An instant: Unix seconds, or Windows' count. 0 and never are said so. */
void tree_unix_time(struct tree *tree, const char *name, int64_t seconds);
void tree_file_time(struct tree *tree, const char *name, uint64_t filetime);

#define TREE_WORDS(table) (table), (sizeof(table) / sizeof((table)[0]))

#endif
