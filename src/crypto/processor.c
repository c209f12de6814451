#include "crypto/processor.h"

#include <stdatomic.h>

static atomic_uint lacking;

#if defined(__x86_64__)

#include <cpuid.h>

static unsigned parts_found(void)
{
    unsigned a, b, c, d, parts = 0;
    if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_SSE4_1) == 0)
        return 0;
    if ((c & bit_AES) != 0)
        parts |= PROCESSOR_AES;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0)
        parts |= PROCESSOR_SHA;
    return parts;
}

#else

static unsigned parts_found(void)
{
    return 0;
}

#endif

#define KNOWN 0x80000000u

bool processor_has(unsigned parts)
{
    static atomic_uint kept;
    unsigned found = atomic_load_explicit(&kept, memory_order_relaxed);
    if (found == 0) {
        found = parts_found() | KNOWN;
        atomic_store_explicit(&kept, found, memory_order_relaxed);
    }
    return (found & ~atomic_load_explicit(&lacking, memory_order_relaxed) & parts) == parts;
}

void processor_lacks(unsigned parts)
{
    atomic_store_explicit(&lacking, parts, memory_order_relaxed);
}
