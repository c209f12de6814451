/*
 * What a thread keeps for itself, so that it need not share it: given back when the thread ends.
 */
#ifndef OPENSSPI_BASE_THREAD_END_H
#define OPENSSPI_BASE_THREAD_END_H

#include <stdbool.h>

struct thread_end {
    void (*give_back)(
        void); /* called in a thread that ends, if it ever might keep something; takes what it has from its own thread-local variables */
    struct thread_end *next;
};

/* Called by constructors, once for each, before there are threads; keeps the struct. */
void thread_end_add(struct thread_end *end);

/* May this thread keep something? Not when it has ended (other thread-specific data's destructors may still work), nor when nobody would be told. */
bool thread_may_keep(void);

/* At a file's top level, once a file. */
#define THREAD_END(function)                                       \
    __attribute__((constructor)) static void thread_end_here(void) \
    {                                                              \
        static struct thread_end end = {function, NULL};           \
        thread_end_add(&end);                                      \
    }

#endif
