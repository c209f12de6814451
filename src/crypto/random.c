#include "crypto/random.h"

#include "base/fork.h"
#include "base/secret.h"
#include "base/thread_end.h"
#include "crypto/openssl.h"
#include <errno.h>
#include <limits.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

typedef bool (*fill_function)(void *data, size_t len);

static _Atomic(fill_function) hook;

void random_hook(bool (*fill)(void *data, size_t len))
{
    atomic_store(&hook, fill);
}

/* A call of OpenSSL's generator costs 650 ns whatever its size, as much as eight MD5 blocks, and a handshake makes three: so small requests come from
 * a pool that is filled at once; and a thread takes more from it than it asked for, so that threads seldom meet there. All this is in pages that the
 * kernel zeroes in a forked child (MADV_WIPEONFORK), where every `left` is then 0: no two processes give the same bytes out. What was given out
 * is wiped. */
struct store {
    size_t left; /* at the end of the bytes */
    uint8_t bytes[];
};
#define POOL_LEN ((size_t)4096)
#define STASH_LEN ((size_t)256)
#define STASHES_MAX 240 /* threads that have one at the same time; further threads share the pool */
#define PAGES_LEN (POOL_LEN + STASHES_MAX * STASH_LEN)
#define REQUEST_MAX 64

static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER; /* guards the pool and the five below */
static uint8_t *pages; /* the pool, then stashes, touched only when they are used */
static bool pages_refused;
static struct store *free_stashes[STASHES_MAX]; /* outside of the pages, for a child needs it */
static size_t n_free_stashes, n_fresh_stashes = STASHES_MAX;

static _Thread_local struct store *stash;

/* As much as it likes to give at once; 0: nothing. */
static size_t kernel_bytes(uint8_t *to, size_t len)
{
    ssize_t got;
    do
        got = getrandom(to, len, 0);
    while (got < 0 && errno == EINTR);
    return got > 0 ? (size_t)got : 0;
}

static bool generate(uint8_t *to, size_t len)
{
    size_t now_len;
    OPENSSL_QUIET;
    bool alive = openssl_alive();
    for (; len > 0; len -= now_len, to += now_len) {
        now_len = len < INT_MAX ? len : INT_MAX; /* RAND_bytes counts in int */
        if (!alive)
            now_len = kernel_bytes(to, now_len);
        if (now_len == 0 || (alive && RAND_bytes(to, (int)now_len) != 1))
            return false;
    }
    return true;
}

static void pages_map(void)
{
    void *mapped = mmap(NULL, PAGES_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pages_refused = mapped == MAP_FAILED;
    if (pages_refused)
        return;
    pages_refused = madvise(mapped, PAGES_LEN, MADV_WIPEONFORK) != 0; /* kernels before 4.14: go without */
    if (pages_refused)
        munmap(mapped, PAGES_LEN);
    else {
        (void)madvise(mapped, PAGES_LEN, MADV_DONTDUMP);
        pages = mapped;
    }
}

/* Of a store of `store_len` bytes in all. */
static void store_take(struct store *store, size_t store_len, uint8_t *to, size_t len)
{
    uint8_t *from = (uint8_t *)store + store_len - store->left;
    store->left -= len;
    memcpy(to, from, len);
    secret_wipe(from, len);
}

/* False when the pool cannot serve. */
static bool pool_take(uint8_t *to, size_t len)
{
    if (pages == NULL && !pages_refused)
        pages_map();
    require(pages != NULL, false);
    struct store *pool = (struct store *)(void *)pages;
    if (pool->left < len) {
        pool->left = 0;
        require(generate(pool->bytes, POOL_LEN - sizeof *pool), false);
        pool->left = POOL_LEN - sizeof *pool;
    }
    store_take(pool, POOL_LEN, to, len);
    return true;
}

static struct store *stash_new(void)
{
    if (pages == NULL || !thread_may_keep())
        return NULL;
    if (n_free_stashes > 0)
        return free_stashes[--n_free_stashes];
    return n_fresh_stashes > 0 ? (struct store *)(void *)(pages + POOL_LEN + --n_fresh_stashes * STASH_LEN) : NULL;
}

static bool stash_generate(uint8_t *to, size_t len)
{
    stash->left = 0;
    require(generate(stash->bytes, STASH_LEN - sizeof *stash), false);
    stash->left = STASH_LEN - sizeof *stash;
    store_take(stash, STASH_LEN, to, len);
    return true;
}

/* The thread's stash is used up, or it has none yet. False when the pool cannot serve; the caller then asks the generator. */
static bool shared_take(uint8_t *to, size_t len)
{
    if (stash == NULL)
        pthread_mutex_lock(&pool_lock);
    else if (pthread_mutex_trylock(&pool_lock) != 0)
        return stash_generate(to, len); /* another thread fills the pool: to wait for that costs more */
    bool taken = pool_take(to, len);
    if (taken && stash == NULL)
        stash = stash_new();
    if (taken && stash != NULL) {
        stash->left = 0;
        if (pool_take(stash->bytes, STASH_LEN - sizeof *stash))
            stash->left = STASH_LEN - sizeof *stash;
    }
    pthread_mutex_unlock(&pool_lock);
    return taken;
}

static void stash_give_back(void)
{
    if (stash == NULL)
        return;
    secret_wipe(stash, STASH_LEN);
    pthread_mutex_lock(&pool_lock);
    free_stashes[n_free_stashes++] = stash;
    pthread_mutex_unlock(&pool_lock);
    stash = NULL;
}

THREAD_END(stash_give_back)
FORK_GUARD(pool_lock, FORK_RANK_RANDOM)

bool random_bytes(void *data, size_t len)
{
    fill_function fill = atomic_load_explicit(&hook, memory_order_relaxed);
    if (fill != NULL)
        return fill(data, len);
    if (len == 0)
        return true;
    if (len > REQUEST_MAX)
        return generate(data, len);
    if (stash != NULL && stash->left >= len) {
        store_take(stash, STASH_LEN, data, len);
        return true;
    }
    return shared_take(data, len) || generate(data, len);
}
