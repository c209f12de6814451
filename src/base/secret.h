/*
 * Secrets: wiped on release, compared in constant time, kept out of core dumps where the kernel allows it.
 */
#ifndef OPENSSPI_BASE_SECRET_H
#define OPENSSPI_BASE_SECRET_H

#include "base/slice.h"

#include <string.h>

struct secret {
    uint8_t *data;
    size_t len;
};

/* Overwrites `len` bytes in a way that the compiler keeps: who knows what the assembly reads? Inline, because most are short, of a length that is
 * known, and a handshake wipes more than a hundred times. */
static inline void secret_wipe(void *data, size_t len)
{
    if (data != NULL && len != 0)
        memset(data, 0, len);
    __asm__ volatile("" : : "r"(data) : "memory");
}
/* Compares without telling by its time where they differ; lengths are not secret. */
bool secret_equal(const void *a, const void *b, size_t len);
/* Are all bytes 0? In the same time whatever they are. */
bool secret_is_zero(const void *data, size_t len);
/* Makes `secret` own a copy of the bytes; false when there is no memory, `secret` untouched. A former value is released. */
bool secret_set(struct secret *secret, const void *data, size_t len);
/* Makes `secret` own `len` zeroed bytes. */
bool secret_alloc(struct secret *secret, size_t len);
/* Wipes, frees and empties; safe on an empty or NULL secret. */
void secret_release(struct secret *secret);
#define AUTO_SECRET __attribute__((cleanup(secret_release)))
/* Wipes a C string and frees it; NULL is fine. */
void secret_free_text(char *text);

/* A block for objects that hold keys: zeroed, excluded from core dumps (MADV_DONTDUMP) as far as whole pages allow.
 * secret_block_free wipes it. `len` must be the one given to secret_block_alloc; builds with
 * AddressSanitizer end the process where it is not, or where the block is malloc's. */
void *secret_block_alloc(size_t len);
void secret_block_free(void *block, size_t len);

static inline struct slice secret_slice(const struct secret *secret)
{
    return slice_of(secret->data, secret->len);
}

/* Short keys and digests on the stack wipe themselves when they go out of scope. */
struct key16 {
    uint8_t bytes[16];
};
void key16_wipe(struct key16 *key);
#define AUTO_KEY16 __attribute__((cleanup(key16_wipe)))

#endif
