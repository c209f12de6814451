/*
 * Work that may wait for KDCs. libkrb5 waits as long as it likes and cannot be told to stop, so such work runs in a thread of its own, and whoever
 * needs its result waits until a deadline. What is late is left behind and cleans up after itself.
 */
#ifndef OPENSSPI_KERBEROS_KDC_H
#define OPENSSPI_KERBEROS_KDC_H

#include <sspi.h>
#include <stdint.h>

/* Threads that a process may have left behind; each ends when libkrb5 gives up, after half a minute or so. With that many nothing more is asked. */
#define KDC_ABANDONED_MAX 64

struct kdc_work {
    SECURITY_STATUS (*run)(void *data); /* in the thread; sets its cause as everybody does */
    void (*free)(void *data);           /* also in the thread, when nobody waits any more */
};

/* A point of monotonic time, in milliseconds, so many seconds from now. */
uint64_t kdc_deadline(unsigned seconds);

/* Runs work->run(*data), which must touch nothing but *data and what locks itself. Answers its status and cause, and *data is the caller's as before; or
 * SEC_E_NO_AUTHENTICATING_AUTHORITY when the deadline passed first: then *data is the thread's, and NULL. Without a thread to be had (too many left
 * behind: SEC_E_NO_AUTHENTICATING_AUTHORITY; none at all: SEC_E_INSUFFICIENT_MEMORY) *data stays too. */
SECURITY_STATUS kdc_run(const struct kdc_work *work, void **data, uint64_t deadline);

/* How many threads are left behind at this moment. */
unsigned kdc_abandoned(void);

#endif
