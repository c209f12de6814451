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

#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FREED 3
#define PARKED 4
#define ANSWERED 5

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

/* Only now the work ends. */
static void open_the_gate(void)
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

/* The last of all destructors, as a library's that the others need. */
__attribute__((destructor(101))) static void last(void)
{
    open_the_gate();
}

static void ends_parked(bool looks, bool as_openssl_ends)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        if (as_openssl_ends &&
            (OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL) != 1 || OPENSSL_atexit(open_the_gate) != 1))
            _exit(2);
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
    ends_parked(false, false);
}

static void after_the_end_work_goes_no_further(void **state)
{
    (void)state;
    ends_parked(true, false);
}

/* OpenSSL's end comes before all destructors. */
static void what_was_left_behind_ends_before_openssl(void **state)
{
    (void)state;
    ends_parked(false, true);
    ends_parked(true, true);
}

static SECURITY_STATUS look(void *data)
{
    (void)data;
    late_checkpoint();
    return SEC_E_OK;
}

static void keep(void *data)
{
    (void)data;
}

/* Runs after what the library registered. */
static void ask_once_more(void)
{
    static const struct late_work question = {look, keep};
    static int nothing;
    void *data = &nothing;
    SECURITY_STATUS status = SEC_E_INTERNAL_ERROR;
    enum late_end how = late_run(LATE_KDC, &question, &data, late_deadline(600), &status);
    _exit(how == LATE_DONE && status == SEC_E_OK ? ANSWERED : 1);
}

static void a_hosts_last_question_is_answered(void **state)
{
    (void)state;
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        if (atexit(ask_once_more) != 0)
            _exit(2);
        leave_behind(true);
        exit(1);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), ANSWERED);
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
        cmocka_unit_test(what_was_left_behind_ends_before_openssl),
        cmocka_unit_test(a_hosts_last_question_is_answered),
        cmocka_unit_test(before_it_everything_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
