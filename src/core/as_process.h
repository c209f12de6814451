/*
 * The library's own work on a thread that impersonates: configuration, account stores, keytabs, ticket caches, certificate stores, keys, askpass and
 * name services are the process's, whoever the thread is. What does such work opens a scope; docs/impersonation.md says which files are whose. It
 * costs nothing on a thread that does not impersonate. src/access knows how, and says so here; what stands below it has no threads that impersonate.
 */
#ifndef OPENSSPI_CORE_AS_PROCESS_H
#define OPENSSPI_CORE_AS_PROCESS_H

#include <stdbool.h>

struct as_process {
    bool suspended;
};
/* Takes the thread back to the process's rights until as_process_end, which makes it the client again or ends the process. Scopes nest. */
struct as_process as_process_begin(void);
void as_process_end(struct as_process *scope);
#define AUTO_AS_PROCESS __attribute__((cleanup(as_process_end), unused))
/* In a function that may do the library's own work: the first declaration. */
#define AS_PROCESS_SCOPE AUTO_AS_PROCESS struct as_process as_process_scope = as_process_begin()

/* Who can do it says so, before there are threads. `restore` is called after a `suspend` that answered true, on the same thread. */
void as_process_hook(bool (*suspend)(void), void (*restore)(void));

#endif
