/*
 * Work that may take longer than anybody waits for: libraries that ask a server wait as long as they like and cannot be told to stop. Such work runs
 * in a thread of its own, and whoever needs its result waits until a deadline. What is late is left behind and cleans up after itself.
 */
#ifndef OPENSSPI_CORE_LATE_H
#define OPENSSPI_CORE_LATE_H

#include <sspi.h>
#include <stdint.h>

enum late_kind { LATE_KDC, LATE_WINBIND, LATE_KINDS };

/* Threads of one kind that a process may have left behind. With that many nothing more of this kind begins. */
#define LATE_ABANDONED_MAX 64

/* For a process that works for many: whom the calling thread works for from here on; 0: nobody in particular. Of those whom it works for each may
 * leave LATE_SHARE threads behind; and who has none of these may leave one, until there are twice LATE_ABANDONED_MAX. */
#define LATE_SHARE 16
#define LATE_ROOT \
    UINT64_MAX /* whom: may leave behind until there are four times LATE_ABANDONED_MAX, so that many others do not keep it out */
void late_work_for(uint64_t whom);

struct late_work {
    SECURITY_STATUS (*run)(void *data); /* in the thread; sets its cause as everybody does */
    void (*free)(void *data); /* also in the thread, when nobody waits any more, unless the process has begun to end */
};

enum late_end {
    LATE_DONE,      /* the work's status and cause are the answer, *data is the caller's as before */
    LATE_OVER,      /* the deadline passed: *data is the thread's, and NULL */
    LATE_FULL,      /* too many threads are left behind, or of whom it works for; *data stays */
    LATE_NO_MEMORY, /* no memory, or no thread to be had; *data stays */
};

/* A point of monotonic time, in milliseconds, so many seconds from now. */
uint64_t late_deadline(unsigned seconds);

/* Runs work->run(*data), which must touch nothing but *data and what locks itself. A deadline that has passed only sets it going. */
enum late_end late_run(enum late_kind kind, const struct late_work *work, void **data, uint64_t deadline,
                       SECURITY_STATUS *status);

/* How many threads of this kind are left behind at this moment. */
unsigned late_abandoned(enum late_kind kind);

/* For the work, where it has just waited: when the process has begun to end, the thread goes no further. In other threads it does nothing. */
void late_checkpoint(void);

/* For tests: how many came to their end after the process had begun to end. They stay as they are. */
unsigned late_parked(void);

#endif
