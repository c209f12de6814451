/*
 * Work with a deadline: results and causes come back, late work cleans up after itself, and there is a bound on how much may be late.
 * build: all
 */
#include "kerberos/kdc.h"

#include "core/cause.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool open;
    unsigned n_waiting, n_freed;
};

static struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0, 0};

static void gate_set(bool open)
{
    pthread_mutex_lock(&gate.lock);
    gate.open = open;
    pthread_cond_broadcast(&gate.moved);
    pthread_mutex_unlock(&gate.lock);
}

/* A test that fails leaves nobody at the gate, for whom the next would wait. */
static int gate_open(void **state)
{
    (void)state;
    gate_set(true);
    return 0;
}

struct work {
    bool waits;
    int answer;
    sigset_t blocked;
};

static SECURITY_STATUS run(void *data)
{
    struct work *work = data;
    pthread_sigmask(SIG_BLOCK, NULL, &work->blocked);
    if (work->waits) { /* other work leaves the lock alone: a child of fork would find it as it was at that moment */
        pthread_mutex_lock(&gate.lock);
        gate.n_waiting++;
        while (!gate.open)
            pthread_cond_wait(&gate.moved, &gate.lock);
        gate.n_waiting--;
        pthread_mutex_unlock(&gate.lock);
    }
    work->answer = 42;
    return work->waits ? SEC_E_OK : cause_set(SEC_E_TARGET_UNKNOWN, "said in the thread");
}

static void drop(void *data)
{
    free(data);
    pthread_mutex_lock(&gate.lock);
    gate.n_freed++;
    pthread_cond_broadcast(&gate.moved);
    pthread_mutex_unlock(&gate.lock);
}

static const struct late_work table = {run, drop};

static struct work *work_new(bool waits)
{
    struct work *work = calloc(1, sizeof *work);
    assert_non_null(work);
    work->waits = waits;
    return work;
}

static void freed_await(unsigned n)
{
    pthread_mutex_lock(&gate.lock);
    while (gate.n_freed < n)
        pthread_cond_wait(&gate.moved, &gate.lock);
    pthread_mutex_unlock(&gate.lock);
}

static void test_result_and_cause(void **state)
{
    (void)state;
    struct work *work = work_new(false);
    void *data = work;
    cause_clear();
    assert_int_equal(kdc_run(&table, &data, late_deadline(60)), SEC_E_TARGET_UNKNOWN);
    assert_ptr_equal(data, work);
    assert_int_equal(work->answer, 42);
    assert_string_equal(cause_text(), "said in the thread");
    assert_true(sigismember(&work->blocked, SIGTERM));
    assert_true(sigismember(&work->blocked, SIGPIPE));
    sigset_t mine;
    pthread_sigmask(SIG_BLOCK, NULL, &mine);
    assert_false(sigismember(&mine, SIGTERM));
    free(work);
}

static void test_late_work_is_left_behind(void **state)
{
    (void)state;
    unsigned before = gate.n_freed;
    gate_set(false);
    void *data = work_new(true);
    cause_clear();
    assert_int_equal(kdc_run(&table, &data, late_deadline(0)), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    assert_null(data);
    assert_non_null(strstr(cause_text(), "kdc_seconds"));
    assert_int_equal(late_abandoned(LATE_KDC), 1);
    gate_set(true);
    freed_await(before + 1);
}

/* Until all that was left behind stands at the gate, and holds no lock of libraries. */
static void waiting_await(unsigned n)
{
    for (unsigned now = 0; now < n; usleep(1000)) {
        pthread_mutex_lock(&gate.lock);
        now = gate.n_waiting;
        pthread_mutex_unlock(&gate.lock);
    }
}

/* The thread counts itself out after it has freed its work. */
static void none_left_await(void)
{
    while (late_abandoned(LATE_KDC) > 0)
        usleep(1000);
}

static void test_bound(void **state)
{
    (void)state;
    none_left_await();
    unsigned before = gate.n_freed;
    gate_set(false);
    for (unsigned i = 0; i < LATE_ABANDONED_MAX; i++) {
        void *data = work_new(true);
        assert_int_equal(kdc_run(&table, &data, late_deadline(0)), SEC_E_NO_AUTHENTICATING_AUTHORITY);
        assert_null(data);
    }
    waiting_await(LATE_ABANDONED_MAX);
    struct work *refused = work_new(false);
    void *data = refused;
    cause_clear();
    assert_int_equal(kdc_run(&table, &data, late_deadline(60)), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    assert_ptr_equal(data, refused); /* never started: still the caller's */
    assert_int_equal(refused->answer, 0);
    assert_non_null(strstr(cause_text(), "still waiting"));

    pid_t child = fork(); /* the child has no thread to wait for, and may ask again */
    if (child == 0) {
        bool fine = late_abandoned(LATE_KDC) == 0 && kdc_run(&table, &data, late_deadline(60)) == SEC_E_TARGET_UNKNOWN;
        _exit(fine ? 0 : 1);
    }
    int ended = -1;
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_int_equal(ended, 0);

    gate_set(true);
    freed_await(before + LATE_ABANDONED_MAX);
    none_left_await();
    assert_int_equal(kdc_run(&table, &data, late_deadline(60)), SEC_E_TARGET_UNKNOWN);
    free(refused);
}

static enum late_end leave_behind(void)
{
    void *data = work_new(true);
    SECURITY_STATUS status;
    enum late_end end = late_run(LATE_KDC, &table, &data, late_deadline(0), &status);
    free(data); /* of one that never started */
    return end;
}

/* A process that works for many: one of them cannot use up what the others need. */
static void test_shares(void **state)
{
    (void)state;
    none_left_await();
    unsigned before = gate.n_freed;
    gate_set(false);
    unsigned n_left = 0;
    for (uint64_t whom = 1; whom <= LATE_ABANDONED_MAX / LATE_SHARE; whom++) {
        late_work_for(whom);
        for (unsigned i = 0; i < LATE_SHARE; i++, n_left++)
            assert_int_equal(leave_behind(), LATE_OVER);
        assert_int_equal(leave_behind(), LATE_FULL);
    }
    assert_int_equal(late_abandoned(LATE_KDC), LATE_ABANDONED_MAX);
    late_work_for(0);
    assert_int_equal(leave_behind(), LATE_FULL);
    late_work_for(100); /* who has none yet has one */
    assert_int_equal(leave_behind(), LATE_OVER);
    assert_int_equal(leave_behind(), LATE_FULL);
    n_left++;
    waiting_await(n_left);
    gate_set(true);
    freed_await(before + n_left);
    none_left_await();
    gate_set(false);
    late_work_for(1); /* what ended is forgotten */
    assert_int_equal(leave_behind(), LATE_OVER);
    late_work_for(0);
    gate_set(true);
    none_left_await();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_result_and_cause),
        cmocka_unit_test_teardown(test_late_work_is_left_behind, gate_open),
        cmocka_unit_test_teardown(test_bound, gate_open),
        cmocka_unit_test_teardown(test_shares, gate_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
