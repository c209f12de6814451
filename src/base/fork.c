#include "base/fork.h"

static struct fork_guarded *guarded; /* in the order of rank; made by constructors, which run one after the other */

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

void fork_guard(struct fork_guarded *locks)
{
    struct fork_guarded **at = &guarded;
    if (guarded == NULL)
        (void)pthread_atfork(prepare, done, done);
    while (*at != NULL && (*at)->rank <= locks->rank)
        at = &(*at)->next;
    locks->next = *at;
    *at = locks;
}
