#include "base/time.h"

#include "base/fork.h"

#include <stdatomic.h>
#include <stddef.h>

#ifdef CLOCK_BOOTTIME
#define CLOCK_STEADY CLOCK_BOOTTIME
#else
#define CLOCK_STEADY CLOCK_MONOTONIC
#endif

/* 0 when the real clock speaks. */
static _Atomic int64_t fixed_now, fixed_steady;
static _Atomic uint64_t monotonic_each, monotonic_passed;

void filetime_fix(int64_t now)
{
    atomic_store(&fixed_now, now);
}

void steady_fix(int64_t now)
{
    atomic_store(&fixed_steady, now);
}

void monotonic_pass(uint64_t each_ms)
{
    atomic_store(&monotonic_each, each_ms);
}

static int64_t clock_units(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return now.tv_sec * FILETIME_SECOND + now.tv_nsec / 100;
}

int64_t filetime_now(void)
{
    int64_t fixed = atomic_load_explicit(&fixed_now, memory_order_relaxed);
    struct timespec now;

    if (fixed != 0)
        return fixed;
    clock_gettime(CLOCK_REALTIME, &now);
    return filetime_from_unix(now.tv_sec) + now.tv_nsec / 100;
}

int64_t steady_now(void)
{
    static _Atomic int64_t start; /* the wall clock's time when the steady one showed 0 */
    int64_t fixed = atomic_load_explicit(&fixed_steady, memory_order_relaxed), none = 0;
    if (fixed == 0)
        fixed = atomic_load_explicit(&fixed_now, memory_order_relaxed);
    if (fixed != 0)
        return fixed;
    if (atomic_load(&start) == 0)
        (void)atomic_compare_exchange_strong(
            &start, &none, FILETIME_UNIX_EPOCH + clock_units(CLOCK_REALTIME) - clock_units(CLOCK_STEADY));
    return atomic_load(&start) + clock_units(CLOCK_STEADY);
}

uint64_t monotonic_ms(void)
{
    uint64_t each = atomic_load_explicit(&monotonic_each, memory_order_relaxed);
    uint64_t passed = each != 0 ? atomic_fetch_add(&monotonic_passed, each) + each
                                : atomic_load_explicit(&monotonic_passed, memory_order_relaxed);
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 + passed;
}

int64_t filetime_from_unix(time_t seconds)
{
    int64_t filetime;

    if (__builtin_mul_overflow((int64_t)seconds, FILETIME_SECOND, &filetime) ||
        __builtin_add_overflow(filetime, FILETIME_UNIX_EPOCH, &filetime))
        return seconds < 0 ? INT64_MIN : FILETIME_NEVER;
    return filetime;
}

time_t filetime_to_unix(int64_t filetime)
{
    int64_t seconds = filetime / FILETIME_SECOND;

    /* Division rounds towards zero, time runs downwards below it; the epoch is a whole number of seconds. */
    if (filetime % FILETIME_SECOND < 0)
        seconds--;
    seconds -= FILETIME_UNIX_EPOCH / FILETIME_SECOND;
    if (sizeof(time_t) < sizeof(int64_t)) {
        if (seconds > INT32_MAX)
            seconds = INT32_MAX;
        if (seconds < INT32_MIN)
            seconds = INT32_MIN;
    }
    return (time_t)seconds;
}

/* The C library has a lock of its own around time zones, for UTC too, which a child of fork finds taken where another thread had it: none of ours
 * has then. */
static pthread_mutex_t zone_lock = PTHREAD_MUTEX_INITIALIZER;
FORK_GUARD(zone_lock, FORK_RANK_ZONE)

static bool broken_down(struct tm *(*break_down)(const time_t *, struct tm *), time_t at, struct tm *parts)
{
    pthread_mutex_lock(&zone_lock);
    bool known = break_down(&at, parts) != NULL;
    pthread_mutex_unlock(&zone_lock);
    return known;
}

bool unix_to_utc(time_t at, struct tm *parts)
{
    return broken_down(gmtime_r, at, parts);
}

time_t unix_from_utc(struct tm *parts)
{
    pthread_mutex_lock(&zone_lock);
    time_t at = timegm(parts);
    pthread_mutex_unlock(&zone_lock);
    return at;
}

int64_t filetime_to_local(int64_t filetime)
{
    int64_t local;
    struct tm parts;

    if (filetime == FILETIME_NEVER || !broken_down(localtime_r, filetime_to_unix(filetime), &parts))
        return filetime;
    if (__builtin_add_overflow(filetime, (int64_t)parts.tm_gmtoff * FILETIME_SECOND, &local))
        return filetime;
    return local;
}
