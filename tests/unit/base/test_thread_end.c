/* What threads keep for themselves: given back once, when they end; not asked of those that never kept anything, and nothing is kept after the end.
 * */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/thread_end.h"

#include <pthread.h>
#include <stdatomic.h>

static atomic_int n_given_back, n_late, n_kept_too_late;
static _Thread_local int mine;

static void give_back(void)
{
    atomic_fetch_add(&n_given_back, mine);
    mine = 0;
}

THREAD_END(give_back)

static void *keep(void *count)
{
    bool may = thread_may_keep();
    if (may && thread_may_keep())
        mine = *(int *)count;
    return NULL;
}

static void *keep_nothing(void *count)
{
    mine = *(int *)count; /* never asked whether it might: nobody is told of its end */
    return NULL;
}

static void run(void *(*work)(void *), int count)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, work, &count), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void test_end(void **state)
{
    (void)state;
    run(keep, 3);
    assert_int_equal(atomic_load(&n_given_back), 3);
    run(keep, 4);
    assert_int_equal(atomic_load(&n_given_back), 7);
    run(keep_nothing, 100);
    assert_int_equal(atomic_load(&n_given_back), 7);
}

/* Destructors of a program's own thread-specific data run after ours, and may call the library. */
static void late_work(void *unused)
{
    (void)unused;
    atomic_fetch_add(&n_late, 1);
    if (thread_may_keep())
        atomic_fetch_add(&n_kept_too_late, 1);
}

static pthread_key_t late_key;

static void *end_late(void *unused)
{
    (void)pthread_setspecific(late_key, unused);
    return keep(unused);
}

static void test_after_the_end(void **state)
{
    (void)state;
    atomic_store(&n_given_back, 0);
    assert_int_equal(pthread_key_create(&late_key, late_work), 0);
    run(end_late, 5);
    assert_int_equal(atomic_load(&n_given_back), 5);
    assert_int_equal(atomic_load(&n_late), 1);
    assert_int_equal(atomic_load(&n_kept_too_late), 0);
    assert_int_equal(pthread_key_delete(late_key), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_end), cmocka_unit_test(test_after_the_end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
