/* `sspi get`: a server's list of challenges, cut apart. */
#include "challenges.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_inside(struct slice part, const uint8_t *from, const uint8_t *to)
{
    return part.data >= from && part.len <= (size_t)(to - part.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice list = slice_of(data, size);
    struct challenge one;
    const uint8_t *end = data + size, *at = data;
    while (challenge_next(&list, &one)) {
        /* each in its place, behind the one before it */
        if (!is_inside(one.scheme, at, end) || one.scheme.len == 0 ||
            !is_inside(one.rest, one.scheme.data + one.scheme.len, list.data) || !is_inside(list, at, end))
            abort();
        at = list.data;
    }
    return 0;
}
