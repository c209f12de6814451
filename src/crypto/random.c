#include "crypto/random.h"

#include <limits.h>
#include <openssl/rand.h>
#include <stdatomic.h>

typedef bool (*fill_function)(void *data, size_t len);

static _Atomic(fill_function) hook;

void random_hook(bool (*fill)(void *data, size_t len))
{
    atomic_store(&hook, fill);
}

bool random_bytes(void *data, size_t len)
{
    fill_function fill = atomic_load_explicit(&hook, memory_order_relaxed);
    uint8_t *to = data;
    size_t now_len;

    if (fill != NULL)
        return fill(data, len);
    /* RAND_bytes counts in int. */
    for (; len > 0; len -= now_len, to += now_len) {
        now_len = len < INT_MAX ? len : INT_MAX;
        if (RAND_bytes(to, (int)now_len) != 1)
            return false;
    }
    return true;
}
