/*
 * System calls that fail when a test says so. A test that includes this header is linked with calls.c, whose functions stand before the C library's
 * for the whole process: for the library under test, and for SQLite, libkrb5 and libssl below it. Nothing fails until calls_fail.
 * tests/libraries/failing_calls.c is the same for another program.
 */
#ifndef OPENSSPI_TESTS_FAILING_CALLS_H
#define OPENSSPI_TESTS_FAILING_CALLS_H

#include <stdbool.h>
#include <stddef.h>

enum call_kind {
    CALL_NONE,
    CALL_OPEN,
    CALL_STAT, /* by name */
    CALL_FSTAT,
    CALL_READ,  /* read, pread */
    CALL_WRITE, /* write, pwrite */
    CALL_SYNC,
    CALL_REMOVE, /* unlink, rename */
    CALL_TRUNCATE,
    CALL_LOCK, /* fcntl with a lock */
    CALL_MAP,
    CALL_ADVISE,
    CALL_SOCKET,
    CALL_CONNECT,
    CALL_SEND,
    CALL_RECEIVE,
    CALL_SOCKET_OPTION,
    CALL_POLL,
    CALL_ACCEPT,
    CALL_THREAD, /* pthread_create */
    CALL_PIPE,
    CALL_HOST_NAME,
    CALL_USERS, /* getpw*, getgr*, getgrouplist */
    CALL_KINDS
};

/* What becomes of a call instead of an errno. */
#define CALL_SHORT (-1) /* half of what was asked */
#define CALL_END (-2)   /* nothing at all: the end of a file or of a connection */

/* One way for calls of a kind to fail. */
struct call_failure {
    enum call_kind kind;
    int error; /* an errno, or one of the above */
    const char *name;
};
/* All of them; the last one has CALL_NONE. */
extern const struct call_failure calls_failures[];

/* From now on the calls that fail are those of programs that this process starts, which get the variables that make them load `library`
 * (tests/libraries/failing_calls.c); the file is made. False: it cannot be. */
bool calls_of_another(const char *path, const char *library);

/* The nth call of this kind from now (1 = the next), and all that follow where `sticky`, fail so; by whichever thread. */
void calls_fail(const struct call_failure *failure, unsigned long nth, bool sticky);
/* No call fails any more. Returns how many of the kind there were. */
unsigned long calls_heal(void);

struct calls_sweep {
    const char *name;
    /* Does the work: SEC_E_OK or an error. Called for each failure; what it made is gone when `after` returned. */
    long (*run)(void *data);
    /* Calls do not fail any more: asserts that a success is one, cleans up, and sees that the same work succeeds now. May be NULL. */
    void (*after)(void *data, long status);
    /* May this status come of that failure? Asked for errors only; NULL: every error is right that has a cause in words. */
    bool (*allows)(const struct call_failure *failure, long status);
    /* Is this one left out, as it would have the work wait for a deadline at each turn? May be NULL. */
    bool (*skips)(const struct call_failure *failure, bool sticky);
    void *data;
};

/* Lets each call of each kind fail in each way, alone and, but for interruptions, with all that follow it, until the work comes to its end before.
 * Asserts; returns how many calls failed. */
unsigned long calls_sweep(const struct calls_sweep *sweep);

#endif
