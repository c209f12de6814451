#include "memory_search.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHUNK ((size_t)1 << 20)
#define OVERLAP 4096
#define SHADOW ((unsigned long)1 << 36) /* larger regions are a sanitizer's notes about memory */

/* `pivot` is a byte of the needle that is not zero, as most of memory is. */
static bool chunk_holds(const uint8_t *chunk, size_t n_bytes, const uint8_t *disguised, size_t len)
{
    size_t pivot = 0;
    while (pivot + 1 < len && disguised[pivot] == MEMORY_DISGUISE)
        pivot++;
    const uint8_t *end = chunk + n_bytes, *at = chunk;
    for (at += pivot; at < end; at++) {
        at = memchr(at, disguised[pivot] ^ MEMORY_DISGUISE, (size_t)(end - at));
        if (at == NULL)
            return false;
        const uint8_t *start = at - pivot;
        size_t k = 0;
        while (k < len && start + k < end && (start[k] ^ MEMORY_DISGUISE) == disguised[k])
            k++;
        if (k == len)
            return true;
    }
    return false;
}

static bool region_holds(int memory, uint8_t *chunk, unsigned long start, unsigned long end, const uint8_t *disguised,
                         size_t len)
{
    for (unsigned long at = start; at < end; at += CHUNK - OVERLAP) {
        size_t want = end - at < CHUNK ? end - at : CHUNK;
        ssize_t got = pread(memory, chunk, want, (off_t)at);
        if (got > 0 && chunk_holds(chunk, (size_t)got, disguised, len))
            return true;
    }
    return false;
}

bool memory_holds(const uint8_t *disguised, size_t len)
{
    char line[512], rights[8];
    unsigned long start, end;
    bool found = false;
    unsigned n_regions = 0;
    assert(len >= 8 && len < OVERLAP);
    uint8_t *chunk = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert(chunk != MAP_FAILED);
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    FILE *maps = fopen("/proc/self/maps", "r");
    assert(memory >= 0 && maps != NULL);
    while (!found && fgets(line, sizeof line, maps) != NULL) {
        /* The search's own copies are no find; regions of which the kernel reads nothing are none either. */
        if (sscanf(line, "%lx-%lx %7s", &start, &end, rights) != 3 || rights[0] != 'r' || strstr(line, "[v") != NULL ||
            end - start > SHADOW)
            continue;
        unsigned long mine = (unsigned long)(uintptr_t)chunk;
        n_regions++;
        if (start <= mine && mine < end)
            found = region_holds(memory, chunk, start, mine, disguised, len) ||
                    region_holds(memory, chunk, mine + CHUNK, end, disguised, len);
        else
            found = region_holds(memory, chunk, start, end, disguised, len);
    }
    fclose(maps);
    close(memory);
    munmap(chunk, CHUNK);
    assert(found || n_regions > 5);
    return found;
}

/* A function that is resolved at its first call, as some in sanitizers' libraries are, has the vector registers saved on the stack, and what was
 * copied last is in these: all that a search calls is resolved before there is a secret. */
__attribute__((constructor)) static void resolve(void)
{
    static const uint8_t nothing[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    (void)memory_holds(nothing, sizeof nothing);
}
