#include "base/secret.h"

#include "base/memory.h"
#include "base/fork.h"
#include "base/memory_fault.h"
#include "base/thread_end.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * Blocks up to POOL_LEN_MAX come from pools of pages that were excluded from core dumps once, when they were mapped: advising the
 * kernel per object would cost a system call, and whole pages per object would cost memory. A pool per size, with its own
 * lock. Pages stay with their pool until the process ends, so that memory is bounded by the largest number of live objects and what living
 * threads keep.
 *
 * Before the pools each thread keeps the few blocks of a size that it freed last, for itself: a handshake frees what the next one allocates, and
 * two threads that took each other's blocks would fetch them from each other's caches, line by line (60 ns each), besides their locks. A thread that
 * ends gives its blocks back; those that other threads of its parent keep are lost to a forked child, wiped as all free blocks are.
 */
#define POOL_LEN_MAX ((size_t)4096)
#define POOL_CHUNK_LEN ((size_t)64 << 10) /* mapped at a time; the kernel gives the pages only when they are touched */
#define POOL_COUNT 15                     /* 32, 48, 64, 96, 128, ... 3072, 4096 */
#define KEPT_MAX 4                        /* of each size by a thread: 56 KiB together */

/* The sanitizers see a leak or a stale pointer only when every block comes from malloc. */
#if defined(__SANITIZE_ADDRESS__)
#define POOL_ALLOCATES 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define POOL_ALLOCATES 0
#endif
#endif
#ifndef POOL_ALLOCATES
#define POOL_ALLOCATES 1
#else
#include <sanitizer/asan_interface.h>
#endif

bool secret_equal(const void *a, const void *b, size_t len)
{
    const uint8_t *left = a, *right = b;
    uint64_t difference = 0, x, y;

    for (; len >= sizeof x; len -= sizeof x, left += sizeof x, right += sizeof y) {
        memcpy(&x, left, sizeof x);
        memcpy(&y, right, sizeof y);
        difference |= x ^ y;
        /* Hides the value, so that no compiler learns to leave early. */
        __asm__("" : "+r"(difference));
    }
    for (; len > 0; len--) {
        difference |= (uint64_t)(*left++ ^ *right++);
        __asm__("" : "+r"(difference));
    }
    return difference == 0;
}

bool secret_is_zero(const void *data, size_t len)
{
    const uint8_t *bytes = data;
    unsigned any = 0;

    for (size_t i = 0; i < len; i++) {
        any |= bytes[i];
        __asm__("" : "+r"(any));
    }
    return any == 0;
}

#if POOL_ALLOCATES

struct free_block {
    struct free_block *next;
};

/* Of one thread. */
struct kept {
    struct free_block *free;
    unsigned count;
};

static _Thread_local struct kept kept[POOL_COUNT];

/* On its own cache line: neighbours have other threads' locks. */
struct pool {
    pthread_mutex_t lock;    /* guards the rest */
    struct free_block *free; /* wiped but for the link */
    uint8_t *fresh;          /* zeroed bytes never handed out yet */
    size_t fresh_len;
} __attribute__((aligned(64)));

static struct pool pools[POOL_COUNT] = {[0 ... POOL_COUNT - 1] = {.lock = PTHREAD_MUTEX_INITIALIZER}};

FORK_GUARD_ALL(pools, lock, FORK_RANK_SECRETS)

/* Which pool serves `len` bytes (at most POOL_LEN_MAX), and its block size: powers of two and the half-way steps. */
static size_t pool_for(size_t len, size_t *block_len)
{
    unsigned log;
    size_t power, middle;

    if (len <= 32) {
        *block_len = 32;
        return 0;
    }
    log = 63 - (unsigned)__builtin_clzll((unsigned long long)len - 1); /* 2^log < len <= 2^(log+1) */
    power = (size_t)1 << log;
    middle = power + power / 2;
    *block_len = len > middle ? 2 * power : middle;
    return 1 + 2 * (log - 5) + (len > middle);
}

static void *pages_map(size_t len)
{
    void *pages = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (pages == MAP_FAILED)
        return NULL;
    /* A kernel without it still gives memory: the promise is "where the kernel allows it". */
    (void)madvise(pages, len, MADV_DONTDUMP);
    return pages;
}

static void *block_unlink(struct free_block **first)
{
    struct free_block *block = *first;

    if (block != NULL) {
        *first = block->next;
        block->next = NULL;
    }
    return block;
}

static void *kept_take(struct kept *of_size)
{
    if (of_size->free != NULL)
        of_size->count--;
    return block_unlink(&of_size->free);
}

static bool kept_put(struct kept *of_size, struct free_block *block)
{
    if (of_size->count == KEPT_MAX || !thread_may_keep())
        return false;
    block->next = of_size->free;
    of_size->free = block;
    of_size->count++;
    return true;
}

static void *fresh_take(struct pool *pool, size_t block_len)
{
    void *block;

    if (pool->fresh_len < block_len) {
        pool->fresh = pages_map(POOL_CHUNK_LEN);
        pool->fresh_len = pool->fresh != NULL ? POOL_CHUNK_LEN : 0;
        if (pool->fresh == NULL)
            return NULL;
    }
    block = pool->fresh;
    pool->fresh += block_len;
    pool->fresh_len -= block_len;
    return block;
}

static void *pool_take(struct pool *pool, size_t block_len)
{
    void *block;

    pthread_mutex_lock(&pool->lock);
    block = block_unlink(&pool->free);
    if (block == NULL)
        block = fresh_take(pool, block_len);
    pthread_mutex_unlock(&pool->lock);
    return block;
}

static void pool_put(struct pool *pool, struct free_block *block)
{
    pthread_mutex_lock(&pool->lock);
    block->next = pool->free;
    pool->free = block;
    pthread_mutex_unlock(&pool->lock);
}

static void kept_give_back(void)
{
    struct free_block *block;

    for (size_t i = 0; i < POOL_COUNT; i++)
        while ((block = kept_take(&kept[i])) != NULL)
            pool_put(&pools[i], block);
}

THREAD_END(kept_give_back)

/* Larger objects are rare and pay for pages of their own. 0 when rounding up overflows. */
static size_t whole_pages(size_t len)
{
    size_t page_len = (size_t)sysconf(_SC_PAGESIZE);

    return len <= SIZE_MAX - page_len ? (len + page_len - 1) / page_len * page_len : 0;
}

void *secret_block_alloc(size_t len)
{
    size_t block_len, index;
    void *block;

    if (mem_fault_strikes()) {
        mem_refuse();
        return NULL;
    }
    if (len > POOL_LEN_MAX) {
        block_len = whole_pages(len);
        block = block_len != 0 ? pages_map(block_len) : NULL;
    } else {
        index = pool_for(len, &block_len);
        block = kept_take(&kept[index]);
        if (block == NULL)
            block = pool_take(&pools[index], block_len);
    }
    if (block == NULL)
        mem_refuse();
    return block;
}

void secret_block_free(void *block, size_t len)
{
    size_t block_len, index;

    if (block == NULL)
        return;
    secret_wipe(block, len);
    if (len > POOL_LEN_MAX) {
        munmap(block, whole_pages(len));
        return;
    }
    index = pool_for(len, &block_len);
    if (!kept_put(&kept[index], block))
        pool_put(&pools[index], block);
}

#else

/* Here a block knows its length, and a wrong one, which would put it into another size's pool, ends the process: the sanitizer tells where. */
struct block_head {
    size_t len;
    uintptr_t mark;
};
_Static_assert(sizeof(struct block_head) % _Alignof(max_align_t) == 0, "what stands behind it is aligned as malloc's");

static uintptr_t mark_of(const struct block_head *head)
{
    return ~(uintptr_t)head;
}

void *secret_block_alloc(size_t len)
{
    struct block_head *head = mem_zalloc(len < PTRDIFF_MAX ? sizeof *head + len : SIZE_MAX);

    if (head == NULL)
        return NULL;
    *head = (struct block_head){len, mark_of(head)};
    ASAN_POISON_MEMORY_REGION(head, sizeof *head);
    return head + 1;
}

void secret_block_free(void *block, size_t len)
{
    if (block == NULL)
        return;
    struct block_head *head = (struct block_head *)block - 1;
    ASAN_UNPOISON_MEMORY_REGION(head, sizeof *head);
    if (head->mark != mark_of(head) || head->len != len)
        __builtin_trap();
    secret_wipe(block, len);
    mem_free(head);
}

#endif

bool secret_alloc(struct secret *secret, size_t len)
{
    void *data = secret_block_alloc(len);

    if (data == NULL)
        return false;
    secret_release(secret);
    secret->data = data;
    secret->len = len;
    return true;
}

bool secret_set(struct secret *secret, const void *data, size_t len)
{
    struct secret fresh = {.data = NULL};

    /* Copied before the former value goes: the bytes may be part of it. */
    if (!secret_alloc(&fresh, len))
        return false;
    if (len != 0)
        memcpy(fresh.data, data, len);
    secret_release(secret);
    *secret = fresh;
    return true;
}

void secret_release(struct secret *secret)
{
    if (secret == NULL)
        return;
    secret_block_free(secret->data, secret->len);
    *secret = (struct secret){.data = NULL};
}

void secret_free_text(char *text)
{
    if (text == NULL)
        return;
    secret_wipe(text, strlen(text));
    mem_free(text);
}

void key16_wipe(struct key16 *key)
{
    secret_wipe(key->bytes, sizeof(key->bytes));
}
