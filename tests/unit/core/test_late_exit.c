/*
 * A thread that was left behind, and whose work ends when the process does: what it would free with may be gone by then.
 * build: all
 */
#include "core/late.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FREED 3
#define PARKED 4

static int gate[2];
static atomic_uint n_freed, n_past;
static atomic_bool watching;

/* `data` tells whether it looks what has become of the process while it waited. */
static SECURITY_STATUS wait_at_the_gate(void *data)
{
    char byte;
    (void)!read(gate[0], &byte, 1);
    if (*(bool *)data) {
        late_checkpoint();
        atomic_fetch_add(&n_past, 1);
    }
    return SEC_E_OK;
}

static void count_freed(void *data)
{
    (void)data;
    atomic_fetch_add(&n_freed, 1);
}

static const struct late_work work = {wait_at_the_gate, count_freed};

static void leave_behind(bool looks)
{
    static bool data_of_it;
    void *data = &data_of_it;
    data_of_it = looks;
    SECURITY_STATUS status;
    assert_int_equal(pipe(gate), 0);
    assert_int_equal(late_run(LATE_KDC, &work, &data, 0, &status), LATE_OVER);
    assert_null(data);
    assert_int_equal(late_abandoned(LATE_KDC), 1);
}

static void a_moment(void)
{
    const struct timespec turn = {.tv_nsec = 1000000};
    (void)nanosleep(&turn, NULL);
}

/* The last of all destructors, as a library's that the others need: only now the work ends. */
__attribute__((destructor(101))) static void last(void)
{
    if (!atomic_load(&watching))
        return;
    if (write(gate[1], "x", 1) != 1)
        _exit(2);
    for (;;) {
        if (atomic_load(&n_freed) + atomic_load(&n_past) > 0)
            _exit(FREED);
        if (late_parked() > 0)
            _exit(PARKED);
        a_moment();
    }
}

static void ends_parked(bool looks)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        leave_behind(looks);
        atomic_store(&watching, true);
        exit(1);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), PARKED);
}

static void after_the_end_nothing_is_freed(void **state)
{
    (void)state;
    ends_parked(false);
}

static void after_the_end_work_goes_no_further(void **state)
{
    (void)state;
    ends_parked(true);
}

static void before_it_everything_is(void **state)
{
    (void)state;
    late_checkpoint(); /* not for this thread */
    leave_behind(true);
    assert_int_equal(write(gate[1], "x", 1), 1);
    while (late_abandoned(LATE_KDC) > 0)
        a_moment();
    assert_int_equal(atomic_load(&n_freed), 1);
    assert_int_equal(atomic_load(&n_past), 1);
    assert_int_equal(late_parked(), 0);
    close(gate[0]);
    close(gate[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_the_end_nothing_is_freed),
        cmocka_unit_test(after_the_end_work_goes_no_further),
        cmocka_unit_test(before_it_everything_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
