/* `sspi decode`: whatever it is given, it prints a tree and stops; as JSON too, which programs can read, whole or with nodes left out. */
#include "decode/decode.h"

#include "fuzz/tree_json.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* How many nodes there were; n_max as in struct tree. */
static size_t decode_once(struct slice input, bool json, unsigned long n_max)
{
    char *text = NULL;
    size_t len = 0, n_nodes = 0;
    struct tree tree = {.out = open_memstream(&text, &len), .json = json, .n_max = n_max};
    if (tree.out == NULL)
        return 0;
    tree_begin(&tree);
    decode_input(&tree, input);
    tree_end(&tree);
    if (tree.depth != 0 || tree.depth_left_out != 0)
        abort();
    fclose(tree.out);
    /* Nothing of the input reaches the terminal as a control character. */
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 && text[i] != '\n')
            abort();
    if (json && !tree_json_read(text, len, &n_nodes))
        abort();
    /* Each node once, and one that says that there are more. */
    if (json && n_nodes != tree.n_nodes + (tree.left_out ? 1 : 0))
        abort();
    if (n_max > 0 && tree.n_nodes > n_max)
        abort();
    free(text);
    return tree.n_nodes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of(data, size);
    decode_once(input, false, 0);
    size_t n_nodes = decode_once(input, true, 0);
    /* Nodes are left out from some on, in each fourth of them. */
    size_t step = 1 + n_nodes / 4;
    for (size_t n_max = 1 + size % step; n_max < n_nodes; n_max += step)
        decode_once(input, true, n_max);
    return 0;
}
