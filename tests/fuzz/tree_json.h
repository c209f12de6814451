/* Reads what `sspi decode --json` writes, independently of what wrote it. */
#ifndef OPENSSPI_TESTS_FUZZ_TREE_JSON_H
#define OPENSSPI_TESTS_FUZZ_TREE_JSON_H

#include <stdbool.h>
#include <stddef.h>

/* Whether text is one list of nodes and a line's end: objects of "name", "value" or not, "nodes" (a list of the same) or not, in UTF-8.
 * Counts the nodes of all lists. */
bool tree_json_read(const char *text, size_t len, size_t *n_nodes);

#endif
