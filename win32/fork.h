/*
 * The kit's locks across fork: a child of a thread that forks while another thread holds one would wait for it for ever. Each is taken before a fork and given
 * back on both sides after it. None of those guarded here is taken while another is held, so that they need no order; libopensspi's own are taken after them.
 */
#ifndef OPENSSPI_WIN32_FORK_H
#define OPENSSPI_WIN32_FORK_H

#include <pthread.h>
#include <stddef.h>

/* At a file's top level, once a file: guards a lock, and in a child calls a function under it, where there is one to be called. */
#define FORK_GUARD(lock, in_child)                                \
    static void fork_begins(void)                                 \
    {                                                             \
        pthread_mutex_lock(&(lock));                              \
    }                                                             \
    static void fork_done(void)                                   \
    {                                                             \
        pthread_mutex_unlock(&(lock));                            \
    }                                                             \
    static void fork_child(void)                                  \
    {                                                             \
        void (*const begin_anew)(void) = (in_child);              \
        if (begin_anew != NULL)                                   \
            begin_anew();                                         \
        fork_done();                                              \
    }                                                             \
    __attribute__((constructor)) static void fork_watch(void)     \
    {                                                             \
        (void)pthread_atfork(fork_begins, fork_done, fork_child); \
    }

#endif
