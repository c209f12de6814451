#include "base/slice.h"

#include <string.h>

struct slice slice_of_text(const char *text)
{
    return slice_of(text, text != NULL ? strlen(text) : 0);
}

bool slice_equal(struct slice a, struct slice b)
{
    /* memcmp must not be given NULL, which empty slices may hold. */
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}
