/*
 * The kit's locks across fork: a child of a thread that forks while another thread holds one would wait for it for ever. Each is taken before a fork
 * and given back on both sides after it. None of those guarded here is taken while another is held, so that they need no order; of libopensspi no
 * function that locks is called under one: which library's a fork takes first depends on how they are linked.
 */
#ifndef OPENSSPI_WIN32_FORK_H
#define OPENSSPI_WIN32_FORK_H

#include <pthread.h>

/* At a file's top level, once a file: guards a lock. */
#define FORK_GUARD(lock)               \
    static void fork_child(void)       \
    {                                  \
        pthread_mutex_unlock(&(lock)); \
    }                                  \
    FORK_GUARD_WITH_CHILD(lock)

/* The same, and in a child calls a function under it. */
#define FORK_GUARD_ANEW(lock, in_child) \
    static void fork_child(void)        \
    {                                   \
        in_child();                     \
        pthread_mutex_unlock(&(lock));  \
    }                                   \
    FORK_GUARD_WITH_CHILD(lock)

#define FORK_GUARD_WITH_CHILD(lock)                                 \
    static void fork_begins(void)                                   \
    {                                                               \
        pthread_mutex_lock(&(lock));                                \
    }                                                               \
    static void fork_parent(void)                                   \
    {                                                               \
        pthread_mutex_unlock(&(lock));                              \
    }                                                               \
    __attribute__((constructor)) static void fork_watch(void)       \
    {                                                               \
        (void)pthread_atfork(fork_begins, fork_parent, fork_child); \
    }

#endif
