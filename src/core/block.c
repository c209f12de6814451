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
#define BUCKETS 512 /* that a shard has by itself: most callers hold few blocks at a time; a power of two */

struct header {
    struct header *next;
    size_t len : 63;
    size_t secret : 1; /* memory of secret_block_alloc */
};
_Static_assert(sizeof(struct header) % 16 == 0, "what follows is aligned for anything");

static struct shard {
    pthread_mutex_t lock;
    struct header **grown; /* NULL: `bucket`; else n_grown of them, a power of two */
    size_t n_grown, n;     /* n: blocks */
    struct header *bucket[BUCKETS];
} shards[SHARDS] = {[0 ... SHARDS - 1] = {.lock = PTHREAD_MUTEX_INITIALIZER}};

FORK_GUARD_ALL(shards, lock, FORK_RANK_BLOCKS)

/* The product's upper bits are those that depend on the whole address. */
static uint64_t mix(const void *block)
{
    return ((uintptr_t)block >> 4) * UINT64_C(0x9e3779b97f4a7c15);
}

static struct shard *shard_of(const void *block)
{
    return &shards[mix(block) >> 60];
}

static size_t n_buckets(const struct shard *shard)
{
    return shard->grown != NULL ? shard->n_grown : BUCKETS;
}

/* Where the blocks begin that lie where this one does. Under the lock, as the following. */
static struct header **bucket_of(struct shard *shard, const void *block)
{
    return &(shard->grown != NULL ? shard->grown : shard->bucket)[(mix(block) >> 28) & (n_buckets(shard) - 1)];
}

/* Without memory the shard stays as it is, and is slower. */
static void shard_grow(struct shard *shard)
{
    struct shard more = {.n_grown = n_buckets(shard) * 2};
    struct header **from = shard->grown != NULL ? shard->grown : shard->bucket;
    more.grown = mem_zalloc(more.n_grown * sizeof(void *));
    if (more.grown == NULL)
        return;
    for (size_t i = 0; i < n_buckets(shard); i++)
        while (from[i] != NULL) {
            struct header *header = from[i], **to = bucket_of(&more, header + 1);
            from[i] = header->next;
            header->next = *to;
            *to = header;
        }
    mem_free(shard->grown);
    shard->grown = more.grown;
    shard->n_grown = more.n_grown;
}

static void *block_add(struct header *header, size_t len, bool secret)
{
    require(header != NULL, NULL);
    header->len = len & (SIZE_MAX >> 1);
    header->secret = secret;
    void *block = header + 1;
    struct shard *shard = shard_of(block);
    pthread_mutex_lock(&shard->lock);
    if (shard->n >= n_buckets(shard))
        shard_grow(shard);
    struct header **bucket = bucket_of(shard, block);
    header->next = *bucket;
    *bucket = header;
    shard->n++;
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

/* What is known of a block, or nothing. */
static struct header block_look(const void *block)
{
    struct shard *shard = shard_of(block);
    pthread_mutex_lock(&shard->lock);
    const struct header *header = *bucket_of(shard, block);
    while (header != NULL && (const void *)(header + 1) != block)
        header = header->next;
    const struct header found = header != NULL ? *header : (struct header){0};
    pthread_mutex_unlock(&shard->lock);
    return found;
}

size_t block_len(const void *block)
{
    return block_look(block).len;
}

bool block_is_secret(const void *block)
{
    return block_look(block).secret;
}

SECURITY_STATUS block_free(void *block)
{
    require(block != NULL, SEC_E_OK);
    struct shard *shard = shard_of(block);
    pthread_mutex_lock(&shard->lock);
    struct header **link = bucket_of(shard, block);
    while (*link != NULL && (void *)(*link + 1) != block)
        link = &(*link)->next;
    struct header *header = *link;
    if (header != NULL) {
        *link = header->next;
        if (--shard->n == 0) { /* an empty one has no memory of its own */
            mem_free(shard->grown);
            shard->grown = NULL;
        }
    }
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
