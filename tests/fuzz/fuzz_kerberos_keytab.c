/*
 * Keytab files from memory: each key's pieces lie inside the file, and the walk ends.
 */
#include "base/memory.h"
#include "kerberos/keytab_file.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct slice whole, struct slice piece)
{
    if (piece.len > 0 && (piece.data < whole.data || piece.data + piece.len > whole.data + whole.len))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice whole = slice_of(data, size);
    struct reader reader = reader_of(whole);
    struct keytab_entry entry;
    if (keytab_file_begin(&reader) != WIRE_OK)
        return 0;
    size_t left = reader_left(&reader);
    while (keytab_file_next(&reader, &entry) == WIRE_OK) {
        check_inside(whole, entry.realm);
        check_inside(whole, entry.key);
        for (unsigned i = 0; i < entry.n_components; i++)
            check_inside(whole, entry.component[i]);
        if (entry.n_components > KEYTAB_COMPONENTS_MAX || reader_left(&reader) >= left)
            abort();
        left = reader_left(&reader);
    }
    return 0;
}
