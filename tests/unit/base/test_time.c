#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/time.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void epochs_meet(void **state)
{
    (void)state;
    assert_true(filetime_from_unix(0) == FILETIME_UNIX_EPOCH);
    assert_true(filetime_from_unix(-INT64_C(11644473600)) == 0);
    assert_true(filetime_from_unix(1) == FILETIME_UNIX_EPOCH + FILETIME_SECOND);
    /* MS-DTYP 2.3.3 counts 100 ns since 1601; 2000-01-01 00:00:00 UTC is 946684800 in Unix time. */
    assert_true(filetime_from_unix(946684800) == INT64_C(125911584000000000));
    assert_true(filetime_to_unix(INT64_C(125911584000000000)) == 946684800);
}

static void to_unix_rounds_down(void **state)
{
    (void)state;
    assert_true(filetime_to_unix(FILETIME_UNIX_EPOCH + FILETIME_SECOND - 1) == 0);
    assert_true(filetime_to_unix(FILETIME_UNIX_EPOCH - 1) == -1);
    assert_true(filetime_to_unix(0) == -INT64_C(11644473600));
    assert_true(filetime_to_unix(-1) == -INT64_C(11644473601));
    assert_true(filetime_to_unix(-FILETIME_SECOND) == -INT64_C(11644473601));
}

static void extremes_clamp(void **state)
{
    (void)state;
    assert_true(filetime_from_unix(INT64_MAX) == FILETIME_NEVER);
    assert_true(filetime_from_unix(INT64_MIN) == INT64_MIN);
    assert_true(filetime_to_unix(FILETIME_NEVER) == INT64_MAX / FILETIME_SECOND - 11644473600);
    assert_true(filetime_to_unix(INT64_MIN) == INT64_MIN / FILETIME_SECOND - 11644473601);
}

static void clock_can_be_fixed(void **state)
{
    int64_t before, now;

    (void)state;
    filetime_fix(INT64_C(123456789));
    assert_true(filetime_now() == INT64_C(123456789));
    filetime_fix(0);
    before = filetime_from_unix(time(NULL) - 2); /* time() may lag behind other clocks by a little */
    now = filetime_now();
    assert_true(now > before && now < filetime_from_unix(time(NULL) + 2));
}

static int64_t clock_in_units(clockid_t clock)
{
    struct timespec now;

    assert_int_equal(clock_gettime(clock, &now), 0);
    return now.tv_sec * FILETIME_SECOND + now.tv_nsec / 100;
}

/* Each shows what its clock does, to the unit, between two looks at it. */
static void clocks_are_the_systems(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        int64_t before = clock_in_units(CLOCK_REALTIME), now = filetime_now() - FILETIME_UNIX_EPOCH;

        assert_true(now >= before && now <= clock_in_units(CLOCK_REALTIME));
        before = clock_in_units(CLOCK_MONOTONIC);
        now = (int64_t)monotonic_ms();
        assert_true(now >= before / 10000 && now <= clock_in_units(CLOCK_MONOTONIC) / 10000);
    }
}

static void steady_time_can_be_fixed_and_goes_on(void **state)
{
    int64_t wall = filetime_now(), first, then = 0;

    (void)state;
    first = steady_now();
    assert_true(first >= wall && first <= filetime_now());
    for (unsigned i = 0; i < 100; i++) {
        int64_t before = clock_in_units(CLOCK_MONOTONIC), next;

        then = steady_now();
        next = steady_now();
        assert_true(then >= first && next >= then);
        assert_true(next - then <= clock_in_units(CLOCK_MONOTONIC) - before + 2); /* parts of units were cut off */
        first = next;
    }
    filetime_fix(55);
    assert_true(steady_now() == 55);
    steady_fix(77);
    assert_true(steady_now() == 77 && filetime_now() == 55);
    filetime_fix(0);
    assert_true(steady_now() == 77);
    steady_fix(0);
    assert_true(steady_now() >= then);
}

static void monotonic_does_not_go_back(void **state)
{
    uint64_t first = monotonic_ms();

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t next = monotonic_ms();

        assert_true(next >= first);
        first = next;
    }
    monotonic_pass(7);
    for (unsigned i = 0; i < 10; i++) {
        uint64_t next = monotonic_ms();

        assert_true(next >= first + 7);
        first = next;
    }
    monotonic_pass(0);
    assert_true(monotonic_ms() >= first);
}

static void local_time_is_shifted(void **state)
{
    int64_t winter = filetime_from_unix(946684800), summer = filetime_from_unix(962409600); /* 2000-07-01 */

    (void)state;
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    assert_true(filetime_to_local(winter + 5) == winter + 5 + 3600 * FILETIME_SECOND);
    assert_true(filetime_to_local(summer) == summer + 7200 * FILETIME_SECOND);
    setenv("TZ", "EST5", 1);
    tzset();
    assert_true(filetime_to_local(winter) == winter - 18000 * FILETIME_SECOND);
    assert_true(filetime_to_local(FILETIME_NEVER) == FILETIME_NEVER);
    setenv("TZ", "CET-1", 1);
    tzset();
    /* No room for the shift: never wraps. */
    assert_true(filetime_to_local(FILETIME_NEVER - 1) >= FILETIME_NEVER - 1);
    unsetenv("TZ");
    tzset();
}

static atomic_bool enough;

static void *look_at_the_clock(void *nothing)
{
    struct tm parts;
    (void)nothing;
    while (!atomic_load(&enough)) {
        (void)filetime_to_local(FILETIME_UNIX_EPOCH);
        if (unix_to_utc(0, &parts))
            (void)unix_from_utc(&parts);
    }
    return NULL;
}

/* Nobody waits in a child for what another thread of the parent did at that moment. */
static void children_know_the_time(void **state)
{
    pthread_t other;
    int status = 0;
    (void)state;
    assert_int_equal(pthread_create(&other, NULL, look_at_the_clock, NULL), 0);
    for (int i = 0; i < 300 && status == 0; i++) {
        pid_t child = fork();
        if (child == 0) {
            struct tm parts;
            alarm(20);
            _exit(filetime_to_local(FILETIME_UNIX_EPOCH) != 0 && unix_to_utc(0, &parts) && parts.tm_year == 70 &&
                          unix_from_utc(&parts) == 0
                      ? 0
                      : 1);
        }
        status = -1;
        if (child > 0)
            (void)waitpid(child, &status, 0);
    }
    atomic_store(&enough, true);
    assert_int_equal(pthread_join(other, NULL), 0);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(epochs_meet),
        cmocka_unit_test(to_unix_rounds_down),
        cmocka_unit_test(extremes_clamp),
        cmocka_unit_test(clock_can_be_fixed),
        cmocka_unit_test(clocks_are_the_systems),
        cmocka_unit_test(steady_time_can_be_fixed_and_goes_on),
        cmocka_unit_test(monotonic_does_not_go_back),
        cmocka_unit_test(local_time_is_shifted),
        cmocka_unit_test(children_know_the_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
