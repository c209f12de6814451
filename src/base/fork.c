#include "base/fork.h"

#include <stdatomic.h>

static struct fork_guarded *guarded; /* in the order of rank; made by constructors, which run one after the other */

static atomic_uint n_forks;

unsigned fork_count(void)
{
    return atomic_load(&n_forks);
}

static pthread_mutex_t *lock_of(const struct fork_guarded *locks, size_t index)
{
    return (pthread_mutex_t *)((char *)locks->first + index * locks->stride);
}

static void prepare(void)
{
    for (const struct fork_guarded *each = guarded; each != NULL; each = each->next)
        for (size_t i = 0; i < each->n_locks; i++)
            pthread_mutex_lock(lock_of(each, i));
}

static void done(void)
{
    for (const struct fork_guarded *each = guarded; each != NULL; each = each->next)
        for (size_t i = 0; i < each->n_locks; i++)
            pthread_mutex_unlock(lock_of(each, i));
}

static void child(void)
{
    atomic_fetch_add(&n_forks, 1);
    done();
}

__attribute__((constructor)) static void watch(void)
{
    /* Where there is no memory for it, this early, a child finds locks held and takes connections for its own. */
    (void)pthread_atfork(prepare, done, child);
}

void fork_guard(struct fork_guarded *locks)
{
    struct fork_guarded **at = &guarded;
    while (*at != NULL && (*at)->rank <= locks->rank)
        at = &(*at)->next;
    locks->next = *at;
    *at = locks;
}
