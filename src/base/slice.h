/*
 * Borrowed bytes. A slice owns nothing; whoever made it says how long it lives.
 */
#ifndef OPENSSPI_BASE_SLICE_H
#define OPENSSPI_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
    const uint8_t *data;
    size_t len;
};

struct slice_mut {
    uint8_t *data;
    size_t len;
};

static inline struct slice slice_of(const void *data, size_t len)
{
    return (struct slice){.data = data, .len = len};
}

/* The bytes of a NUL-terminated string, without the NUL; NULL gives an empty slice. */
struct slice slice_of_text(const char *text);
/* Equal in length and bytes; not for secrets. */
bool slice_equal(struct slice a, struct slice b);

#endif
