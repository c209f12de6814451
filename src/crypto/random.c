#include "crypto/random.h"

#include "base/fork.h"
#include "base/secret.h"
#include <limits.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

typedef bool (*fill_function)(void *data, size_t len);

static _Atomic(fill_function) hook;

void random_hook(bool (*fill)(void *data, size_t len))
{
    atomic_store(&hook, fill);
}

/* A call of OpenSSL's generator costs 650 ns whatever its size, as much as eight MD5 blocks, and a handshake makes three: so small requests come from a
 * page that is filled at once. The kernel zeroes the page in a forked child (MADV_WIPEONFORK), whose `left` is then 0: no two processes give the
 * same bytes out. What was given out is wiped. */
struct pool {
    size_t left;
    uint8_t bytes[4096 - sizeof(size_t)];
};
#define POOL_REQUEST_MAX 64

static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER; /* guards the two below */
static struct pool *pool;
static bool pool_refused;

static bool generate(uint8_t *to, size_t len)
{
    size_t now_len;
    for (; len > 0; len -= now_len, to += now_len) {
        now_len = len < INT_MAX ? len : INT_MAX; /* RAND_bytes counts in int */
        if (RAND_bytes(to, (int)now_len) != 1)
            return false;
    }
    return true;
}

static void pool_map(void)
{
    struct pool *page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pool_refused = page == MAP_FAILED;
    if (pool_refused)
        return;
    pool_refused = madvise(page, sizeof *page, MADV_WIPEONFORK) != 0; /* kernels before 4.14: go without */
    if (pool_refused)
        munmap(page, sizeof *page);
    else {
        (void)madvise(page, sizeof *page, MADV_DONTDUMP);
        pool = page;
    }
}

/* False when the pool cannot serve; the caller then asks the generator. */
static bool pool_take(uint8_t *to, size_t len)
{
    if (pool == NULL && !pool_refused)
        pool_map();
    require(pool != NULL, false);
    if (pool->left < len) {
        pool->left = 0;
        require(generate(pool->bytes, sizeof pool->bytes), false);
        pool->left = sizeof pool->bytes;
    }
    uint8_t *from = pool->bytes + sizeof pool->bytes - pool->left;
    pool->left -= len;
    memcpy(to, from, len);
    secret_wipe(from, len);
    return true;
}

FORK_GUARD(pool_lock, FORK_RANK_RANDOM)

bool random_bytes(void *data, size_t len)
{
    fill_function fill = atomic_load_explicit(&hook, memory_order_relaxed);
    if (fill != NULL)
        return fill(data, len);
    if (len == 0)
        return true;
    if (len > POOL_REQUEST_MAX)
        return generate(data, len);
    pthread_mutex_lock(&pool_lock);
    bool taken = pool_take(data, len);
    pthread_mutex_unlock(&pool_lock);
    return taken || generate(data, len);
}
