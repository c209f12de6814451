/*
 * Locks of the whole process across fork: a child of a thread that forks while another thread holds one would wait for it for ever. Each such lock is
 * named here with its rank; before a fork all are taken in the order of their ranks, and given back on both sides after it.
 */
#ifndef OPENSSPI_BASE_FORK_H
#define OPENSSPI_BASE_FORK_H

#include <pthread.h>

/* A lock of a lower rank may be held while one of a higher is taken, never the reverse. */
enum fork_rank {
    FORK_RANK_CONFIG,
    FORK_RANK_WINBIND_DOMAINS,
    FORK_RANK_WINBIND,
    FORK_RANK_LSA,
    FORK_RANK_REGISTRY,
    FORK_RANK_HANDLES,
    FORK_RANK_BLOCKS,
    FORK_RANK_LIVE,
    FORK_RANK_REPLAY,
    FORK_RANK_RANDOM,
    FORK_RANK_SECRETS,
};

/* Called by constructors, once a lock, before there are threads. Locks past the room of the table are left out. */
void fork_guard(pthread_mutex_t *lock, enum fork_rank rank);

#endif
