/*
 * Time as Windows counts it: 100 ns units since 1601-01-01 UTC. One hook a clock that tells ages to peers or stores, so that tests are deterministic.
 */
#ifndef OPENSSPI_BASE_TIME_H
#define OPENSSPI_BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define FILETIME_SECOND INT64_C(10000000)
#define FILETIME_UNIX_EPOCH INT64_C(116444736000000000)
/* "Never": the largest value, as Windows reports for credentials that do not expire. */
#define FILETIME_NEVER INT64_MAX

/* Wall clock now. */
int64_t filetime_now(void);
/* Time that nobody sets: the wall clock's when it was first asked for here, and from then on what has passed, a sleep of the computer with it. For
 * ages of what only this process knows. */
int64_t steady_now(void);
/* Monotonic milliseconds, for ages and limits. */
uint64_t monotonic_ms(void);
int64_t filetime_from_unix(time_t seconds);
/* Rounds down; clamps to what time_t holds. */
time_t filetime_to_unix(int64_t filetime);
/* The same instant shifted to local time, as SSPI's ptsExpiry wants it; NEVER stays NEVER. */
int64_t filetime_to_local(int64_t filetime);
/* gmtime_r that a child of fork may call as well; false for a year that does not fit. */
bool unix_to_utc(time_t at, struct tm *parts);
/* The same of timegm, which brings parts that are no date to one that is. */
time_t unix_from_utc(struct tm *parts);

/* Tests only: fixed wall clock, which steady time then has too; 0 gives the real one back. */
void filetime_fix(int64_t now);
/* Tests only: steady time by itself; 0 gives it back. */
void steady_fix(int64_t now);
/* Tests only: from now on each look at monotonic time is so many milliseconds later than the clock makes it; 0 ends that. */
void monotonic_pass(uint64_t each_ms);

#endif
