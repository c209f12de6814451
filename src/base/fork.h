/*
 * Locks of the whole process across fork: a child of a thread that forks while another thread holds one would wait for it for ever. Each such lock is
 * named here with its rank; before a fork all are taken in the order of their ranks, and given back on both sides after it. What is not of such a
 * lock is known as a parent's by fork_count.
 */
#ifndef OPENSSPI_BASE_FORK_H
#define OPENSSPI_BASE_FORK_H

#include <pthread.h>
#include <stddef.h>

/* A lock of a lower rank may be held while one of a higher is taken, never the reverse. */
enum fork_rank {
    FORK_RANK_CERTIFICATES,
    FORK_RANK_CONFIG,
    FORK_RANK_ACCOUNTS,
    FORK_RANK_WATCHES,
    FORK_RANK_WINBIND_DOMAINS,
    FORK_RANK_WINBIND,
    FORK_RANK_LSA,
    FORK_RANK_REFUSALS,
    FORK_RANK_REGISTRY,
    FORK_RANK_HANDLES,
    FORK_RANK_BLOCKS,
    FORK_RANK_LIVE,
    FORK_RANK_REPLAY,
    FORK_RANK_RANDOM,
    FORK_RANK_SECRETS,
    FORK_RANK_ZONE,
};

/* How many forks lie between the first process and this one: what was noted under another number is of a parent. */
unsigned fork_count(void);

/* Locks of one rank, `stride` bytes apart. */
struct fork_guarded {
    pthread_mutex_t *first;
    size_t n_locks, stride;
    enum fork_rank rank;
    struct fork_guarded *next;
};

/* Called by constructors, once for each, before there are threads; keeps the struct, so that there are never too many. */
void fork_guard(struct fork_guarded *locks);

/* At a file's top level, once a file: guards one lock, or the member `lock` of each element of an array. */
#define FORK_GUARD(lock, rank) FORK_GUARD_LOCKS(&(lock), 1, sizeof(pthread_mutex_t), rank)
#define FORK_GUARD_ALL(array, lock, rank) \
    FORK_GUARD_LOCKS(&(array)[0].lock, sizeof(array) / sizeof((array)[0]), sizeof((array)[0]), rank)
#define FORK_GUARD_LOCKS(first, n_locks, stride, rank)                             \
    __attribute__((constructor)) static void fork_guard_here(void)                 \
    {                                                                              \
        static struct fork_guarded guarded = {first, n_locks, stride, rank, NULL}; \
        fork_guard(&guarded);                                                      \
    }

#endif
