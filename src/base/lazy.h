/*
 * What is made when it is first asked for, and kept: by the process, or by an object that threads share.
 */
#ifndef OPENSSPI_BASE_LAZY_H
#define OPENSSPI_BASE_LAZY_H

#include <stdatomic.h>
#include <stddef.h>

/* Its own, for the first time; behind lazy_get. */
void *lazy_make(_Atomic(void *) *kept, void *(*make)(const void *how), void (*release)(void *made), const void *how);

/* What is kept in `*kept`; while that is NULL, what `make` makes of `how`. Of threads that make it at the same time one's is kept, which all get, and
 * what the others made is given to `release`. NULL where there is none and `make` answered NULL: a failure is not kept, the next caller tries again.
 * No lock: a child of fork has what was kept by then, or makes its own, as far as what `make` calls allows that after a fork. */
static inline void *lazy_get(_Atomic(void *) *kept, void *(*make)(const void *how), void (*release)(void *made),
                             const void *how)
{
    void *there = atomic_load_explicit(kept, memory_order_acquire);
    return there != NULL ? there : lazy_make(kept, make, release, how);
}

#endif
