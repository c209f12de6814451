#include "certificates/live.h"

#include "base/fork.h"
#include "base/memory.h"
#include "base/result.h"
#include <pthread.h>
#include <stdint.h>

#define SHARDS 8
#define BUCKETS 256 /* a shard; the roots of a system are some hundred */

struct live {
    struct live *next;
    void (*destroy)(void *object);
    const void *companion;
    unsigned users, holds;
    enum live_kind kind;
    bool kept;
};
_Static_assert(sizeof(struct live) % 8 == 0, "what follows is aligned for pointers");

static struct shard {
    pthread_mutex_t lock;
    size_t n_objects;
    struct live *bucket[BUCKETS];
} shards[SHARDS] = {[0 ... SHARDS - 1] = {.lock = PTHREAD_MUTEX_INITIALIZER}};

FORK_GUARD_ALL(shards, lock, FORK_RANK_LIVE)

static struct shard *place_of(const void *object, struct live ***bucket)
{
    uint64_t mixed = ((uintptr_t)object >> 4) * UINT64_C(0x9e3779b97f4a7c15);
    struct shard *shard = &shards[mixed >> 61];
    *bucket = &shard->bucket[(mixed >> 32) % BUCKETS];
    return shard;
}

/* Locks the object's shard and finds it; NULL when it does not live: then nothing is locked. */
static struct live *find(const void *object, enum live_kind kind, struct shard **shard, struct live ***link)
{
    *shard = place_of(object, link);
    pthread_mutex_lock(&(*shard)->lock);
    while (**link != NULL && (const void *)(**link + 1) != object)
        *link = &(**link)->next;
    struct live *live = **link;
    if (live == NULL || (kind != LIVE_ANY && live->kind != kind)) {
        pthread_mutex_unlock(&(*shard)->lock);
        return NULL;
    }
    return live;
}

/* Ends what `find` began: takes an object that nothing keeps out of the set, unlocks, destroys it. */
static void settle(struct live *live, struct shard *shard, struct live **link)
{
    bool dead = live->users == 0 && live->holds == 0 && !live->kept;
    if (dead) {
        *link = live->next;
        shard->n_objects--;
    }
    pthread_mutex_unlock(&shard->lock);
    if (dead) {
        live->destroy(live + 1);
        mem_free(live);
    }
}

void *live_alloc(enum live_kind kind, size_t len, void (*destroy)(void *object))
{
    require(len < SIZE_MAX - sizeof(struct live), NULL);
    struct live *live = mem_zalloc(sizeof *live + len);
    require(live != NULL, NULL);
    live->kind = kind;
    live->destroy = destroy;
    live->users = 1;
    struct live **link;
    struct shard *shard = place_of(live + 1, &link);
    pthread_mutex_lock(&shard->lock);
    live->next = *link;
    *link = live;
    shard->n_objects++;
    pthread_mutex_unlock(&shard->lock);
    return live + 1;
}

enum count { USERS, HOLDS };

static unsigned *count_of(struct live *live, enum count which)
{
    return which == USERS ? &live->users : &live->holds;
}

/* The companion is held before the object gains, so that no object ever points to a store that nobody holds. */
static bool gain(const void *object, enum live_kind kind, enum count which)
{
    struct shard *shard;
    struct live **link;
    struct live *live = object == NULL ? NULL : find(object, kind, &shard, &link);
    require(live != NULL, false);
    const void *companion = live->companion;
    if (companion == NULL) {
        ++*count_of(live, which);
        pthread_mutex_unlock(&shard->lock);
        return true;
    }
    pthread_mutex_unlock(&shard->lock);
    require(gain(companion, LIVE_STORE, HOLDS), false); /* stores have no companion: no deeper */
    live = find(object, kind, &shard, &link);
    if (live == NULL || live->companion != companion) { /* freed by another thread meanwhile */
        if (live != NULL)
            pthread_mutex_unlock(&shard->lock);
        live_unhold(companion);
        return false;
    }
    ++*count_of(live, which);
    pthread_mutex_unlock(&shard->lock);
    return true;
}

static bool lose(const void *object, enum live_kind kind, enum count which)
{
    struct shard *shard;
    struct live **link;
    struct live *live = object == NULL ? NULL : find(object, kind, &shard, &link);
    require(live != NULL, false);
    unsigned *count = count_of(live, which);
    if (*count == 0) {
        pthread_mutex_unlock(&shard->lock);
        return false;
    }
    const void *companion = live->companion;
    --*count;
    settle(live, shard, link);
    if (companion != NULL)
        (void)lose(companion, LIVE_STORE, HOLDS);
    return true;
}

bool live_user_add(const void *object, enum live_kind kind)
{
    return gain(object, kind, USERS);
}

bool live_user_drop(const void *object, enum live_kind kind)
{
    return lose(object, kind, USERS);
}

bool live_hold(const void *object, enum live_kind kind)
{
    return gain(object, kind, HOLDS);
}

void live_unhold(const void *object)
{
    (void)lose(object, LIVE_ANY, HOLDS);
}

void live_hand_out(const void *object)
{
    struct shard *shard;
    struct live **link;
    struct live *live = find(object, LIVE_ANY, &shard, &link);
    if (live == NULL)
        return;
    live->holds--;
    live->users++;
    pthread_mutex_unlock(&shard->lock);
}

unsigned live_holds(const void *object)
{
    struct shard *shard;
    struct live **link;
    struct live *live = find(object, LIVE_ANY, &shard, &link);
    require(live != NULL, 0);
    unsigned holds = live->holds;
    pthread_mutex_unlock(&shard->lock);
    return holds;
}

void live_keep(const void *object, const void *store)
{
    struct shard *shard;
    struct live **link;
    struct live *live = find(object, LIVE_ANY, &shard, &link);
    if (live == NULL)
        return;
    live->companion = store;
    live->kept = true;
    pthread_mutex_unlock(&shard->lock);
    (void)live_hold(store, LIVE_STORE); /* for the one user */
}

void live_unkeep(const void *object)
{
    struct shard *shard;
    struct live **link;
    struct live *live = find(object, LIVE_ANY, &shard, &link);
    if (live == NULL)
        return;
    live->kept = false;
    settle(live, shard, link);
}

void live_revoke(const void *object)
{
    struct shard *shard;
    struct live **link;
    struct live *live = find(object, LIVE_ANY, &shard, &link);
    if (live == NULL)
        return;
    const void *companion = live->companion;
    unsigned users = live->users;
    live->users = 0;
    settle(live, shard, link);
    for (; companion != NULL && users > 0; users--)
        live_unhold(companion);
}

size_t live_count(void)
{
    size_t n_objects = 0;
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&shards[i].lock);
        n_objects += shards[i].n_objects;
        pthread_mutex_unlock(&shards[i].lock);
    }
    return n_objects;
}
