/*
 * Threads, events, mutexes, semaphores and files behind handles. A handle is an index and a generation, never a pointer, and told from a token's by
 * its top bits.
 *
 * Lock: one, with one condition. Who changes an object settles the waits that this ends, before anything else can happen to it (wait.c), and wakes
 * whoever waits.
 */
#ifndef OPENSSPI_WIN32_OBJECTS_H
#define OPENSSPI_WIN32_OBJECTS_H

#include <pthread.h>
#include <stdbool.h>
#include <winbase.h>

enum object_kind { OBJECT_THREAD, OBJECT_EVENT, OBJECT_MUTEX, OBJECT_SEMAPHORE, OBJECT_FILE };

struct object {
    enum object_kind kind;
    unsigned references; /* the handle's, a running thread's own, and those of waits */
    bool signalled;      /* a thread that ended, an event that is set, a file always */
    bool manual;         /* event: stays set */
    unsigned resets;     /* event: how often it was unset, but by waits */
    bool started;        /* thread: may run */
    DWORD exit_code;     /* thread */
    unsigned depth;      /* mutex: how often its owner took it */
    pthread_t owner;
    bool abandoned;        /* mutex: its owner ended with it, and nobody had it since */
    LONG count, count_max; /* semaphore */
    int descriptor;        /* file: goes with the object */
    LPTHREAD_START_ROUTINE start;
    LPVOID parameter;
    DWORD id;
};

extern pthread_mutex_t objects_lock;
extern pthread_cond_t objects_changed;

/* A zeroed object with one reference; NULL without memory. */
struct object *object_new(enum object_kind kind);
/* A handle for it, which takes its reference over. NULL, with the object freed, when there is no memory. */
HANDLE object_publish(struct object *object);
/* The object behind a handle, with a reference more. Under the lock; NULL for none. */
struct object *object_get(HANDLE handle);
/* Under the lock. The last reference of a file closes it. */
void object_put(struct object *object);
/* Under the lock: the mutexes that the calling thread owns are anybody's. */
void objects_abandon(void);
/* Under the lock, once objects are signalled or free: ends every wait that has now what it waited for, the oldest first, and takes that for it. */
void waits_settle(void);
/* Under the lock: the mutexes that the calling thread owns and others wait for are anybody's, also when their handle is closed. Were there any? */
bool waits_abandon(void);
/* Under the lock, in a child of fork: nobody waits. */
void waits_forget(void);
/* Says that the calling thread owns a mutex, or may soon: its end is noticed then. */
void owner_announce(void);
/* Closes a handle. FALSE for none of ours. */
bool object_close(HANDLE handle);

#endif
