/*
 * Wrong passwords, counted where no credential, process or crash takes the count along: in shared memory. A table holds words of 64
 * bits, one per account, that change by compare-and-swap alone: there is no lock that a killed process could leave behind, a good
 * logon costs a few loads, and a wrong one writes no database, so that it neither waits for a disk nor tells by its time whether
 * the account exists.
 *
 * There is one table for all stores that are only read (smbpasswd, SAM): memory that is mapped when the library is loaded and never
 * given back, so that all credentials and all processes forked later share it. Processes that were started each by themselves
 * have each their own. An account database has a file beside it (PATH.lockouts, 0600) that all its processes map; where it cannot be made
 * or believed, the first table serves.
 */
#ifndef OPENSSPI_ACCOUNTS_FAILURES_H
#define OPENSSPI_ACCOUNTS_FAILURES_H

#include "accounts/accounts.h"

#define FAILURES_SETS 4096 /* with the ways: 32768 accounts with recent failures, 256 KiB */
#define FAILURES_WAYS 8    /* 8 words of 8 bytes are one line of the processor's cache */
#define FAILURES_COUNT_MAX 2047
#define FAILURES_THRESHOLD_MAX 1000 /* larger thresholds count as this one: twice as many must fit into the count */

struct lockout_state {
    unsigned failures;    /* in a row, those during the lock-out too */
    int64_t last_failure; /* FILETIME, 0: none, or locked out */
    int64_t locked_until; /* FILETIME; 0: not locked out; FILETIME_NEVER: until an administrator enables the account */
};

bool lockout_holds(const struct lockout_state *state, int64_t now);
/* May the right password still be told that the account is locked out? See account_verify_ntlm. */
bool lockout_tells(const struct lockout_state *state, const struct account_policy *policy);

struct failures;

/* The table of this process and of those forked from it. NULL: no memory. */
struct failures *failures_shared(void);
/* Maps the file "PATH.lockouts" of the database at `path` (which store_path_check resolved); makes it if `create` is set. NULL: it is not
 * there, or cannot be used (the trace tells why). */
struct failures *failures_open(const char *path, bool create);
/* A table of nobody else's, to count what must only cost as much. NULL: no memory. */
struct failures *failures_new(void);
/* NULL and the shared table are fine. */
void failures_close(struct failures *failures);

/* What an account is called in a table: its store (a path; it counts in the shared table only) and SID, stirred with the table's secret seed so that
 * nobody can choose accounts that meet in one place. SEC_E_INTERNAL_ERROR: no random numbers. */
SECURITY_STATUS failures_key(struct failures *failures, const char *store, const struct sid *sid, uint64_t *key);
/* What counts still under `policy`; all zeros when nothing does. */
void failures_get(const struct failures *failures, uint64_t key, const struct account_policy *policy, int64_t now,
                  struct lockout_state *state);
/* Counts one. Where a set is full of recent failures, the one with the fewest gives way and passes its count on: an account may then have too many
 * counted, but never too few. */
void failures_add(struct failures *failures, uint64_t key, const struct account_policy *policy, int64_t now);
void failures_clear(struct failures *failures, uint64_t key);

#endif
