#include "base/fork.h"

#include <stddef.h>

#define GUARDED_MAX \
    96 /* 16 shards each of blocks and replays, 8 of live certificates, 15 pools of secrets, and the single ones */

static struct guarded {
    pthread_mutex_t *lock;
    enum fork_rank rank;
} guarded[GUARDED_MAX]; /* in the order of rank; filled by constructors, which run one after the other */
static size_t n_guarded;

static void prepare(void)
{
    for (size_t i = 0; i < n_guarded; i++)
        pthread_mutex_lock(guarded[i].lock);
}

static void done(void)
{
    for (size_t i = n_guarded; i-- > 0;)
        pthread_mutex_unlock(guarded[i].lock);
}

void fork_guard(pthread_mutex_t *lock, enum fork_rank rank)
{
    if (n_guarded == GUARDED_MAX)
        return;
    if (n_guarded == 0)
        (void)pthread_atfork(prepare, done, done);
    size_t at = n_guarded++;
    for (; at > 0 && guarded[at - 1].rank > rank; at--)
        guarded[at] = guarded[at - 1];
    guarded[at] = (struct guarded){lock, rank};
}
