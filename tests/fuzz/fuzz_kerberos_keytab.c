/*
 * Keytab files from memory: each key's pieces lie inside the file, and the walk ends.
 */
#include "base/memory.h"
#include "fuzz/world.h"
#include "kerberos/keytab_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice whole = slice_of(data, size);
    struct reader reader = reader_of(whole);
    struct keytab_entry entry;
    if (keytab_file_begin(&reader) != WIRE_OK)
        return 0;
    size_t left = reader_left(&reader);
    while (keytab_file_next(&reader, &entry) == WIRE_OK) {
        world_inside(whole, entry.realm);
        world_inside(whole, entry.key);
        for (unsigned i = 0; i < entry.n_components; i++)
            world_inside(whole, entry.component[i]);
        MUST(entry.n_components <= KEYTAB_COMPONENTS_MAX && reader_left(&reader) < left);
        left = reader_left(&reader);
    }
    return 0;
}
