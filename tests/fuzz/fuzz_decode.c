/* `sspi decode`: whatever it is given, it prints a tree and stops; as JSON too. */
#include "decode/decode.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int json = 0; json < 2; json++) {
        char *text = NULL;
        size_t len = 0;
        struct tree tree = {.out = open_memstream(&text, &len), .json = json == 1};
        if (tree.out == NULL)
            return 0;
        tree_begin(&tree);
        decode_input(&tree, slice_of(data, size));
        tree_end(&tree);
        if (tree.depth != 0)
            abort();
        fclose(tree.out);
        /* Nothing of the input reaches the terminal as a control character. */
        for (size_t i = 0; i < len; i++)
            if ((unsigned char)text[i] < 0x20 && text[i] != '\n')
                abort();
        free(text);
    }
    return 0;
}
