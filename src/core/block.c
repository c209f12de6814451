#include "core/block.h"

#include "base/fork.h"
#include "base/memory.h"
#include "base/result.h"
#include "base/secret.h"
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* The set of live blocks: their headers chained by address, in shards so that threads seldom meet. */
#define SHARDS 16
#define BUCKETS 512 /* a shard; callers hold few blocks at a time */

struct header {
    struct header *next;
    size_t len : 63;
    size_t secret : 1; /* memory of secret_block_alloc */
};
_Static_assert(sizeof(struct header) % 16 == 0, "what follows is aligned for anything");

static struct shard {
    pthread_mutex_t lock;
    struct header *bucket[BUCKETS];
} shards[SHARDS] = {[0 ... SHARDS - 1] = {.lock = PTHREAD_MUTEX_INITIALIZER}};

FORK_GUARD_ALL(shards, lock, FORK_RANK_BLOCKS)

static struct shard *place_of(const void *block, struct header ***bucket)
{
    uint64_t mixed = ((uintptr_t)block >> 4) * UINT64_C(0x9e3779b97f4a7c15);
    struct shard *shard = &shards[mixed >> 60];
    *bucket = &shard->bucket[(mixed >> 32) % BUCKETS];
    return shard;
}

static void *block_add(struct header *header, size_t len, bool secret)
{
    require(header != NULL, NULL);
    header->len = len & (SIZE_MAX >> 1);
    header->secret = secret;
    void *block = header + 1;
    struct header **bucket;
    struct shard *shard = place_of(block, &bucket);
    pthread_mutex_lock(&shard->lock);
    header->next = *bucket;
    *bucket = header;
    pthread_mutex_unlock(&shard->lock);
    return block;
}

void *block_alloc(size_t len)
{
    require(len < SIZE_MAX / 2 - sizeof(struct header), NULL);
    return block_add(mem_zalloc(sizeof(struct header) + len), len, false);
}

void *block_alloc_secret(size_t len)
{
    require(len < SIZE_MAX / 2 - sizeof(struct header), NULL);
    return block_add(secret_block_alloc(sizeof(struct header) + len), len, true);
}

size_t block_len(const void *block)
{
    struct header **bucket;
    struct shard *shard = place_of(block, &bucket);
    pthread_mutex_lock(&shard->lock);
    const struct header *header = *bucket;
    while (header != NULL && (const void *)(header + 1) != block)
        header = header->next;
    size_t len = header != NULL ? header->len : 0;
    pthread_mutex_unlock(&shard->lock);
    return len;
}

SECURITY_STATUS block_free(void *block)
{
    require(block != NULL, SEC_E_OK);
    struct header **link;
    struct shard *shard = place_of(block, &link);
    pthread_mutex_lock(&shard->lock);
    while (*link != NULL && (void *)(*link + 1) != block)
        link = &(*link)->next;
    struct header *header = *link;
    if (header != NULL)
        *link = header->next;
    pthread_mutex_unlock(&shard->lock);
    require(header != NULL, SEC_E_INVALID_HANDLE);
    if (header->secret)
        secret_block_free(header, sizeof *header + header->len);
    else {
        secret_wipe(block, header->len);
        mem_free(header);
    }
    return SEC_E_OK;
}
