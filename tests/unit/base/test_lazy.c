/*
 * What is made when it is first asked for: once, again after a failure, and by threads that race for it.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/lazy.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

static atomic_int n_made, n_released;
static pthread_barrier_t all_make;
static _Thread_local bool fails;

static void *make(const void *how)
{
    if (fails)
        return NULL;
    int *made = malloc(sizeof *made); /* a leak is the sanitizer's to find */
    assert_non_null(made);
    *made = *(const int *)how;
    atomic_fetch_add(&n_made, 1);
    return made;
}

static void release(void *made)
{
    atomic_fetch_add(&n_released, 1);
    free(made);
}

static int begin(void **state)
{
    (void)state;
    n_made = n_released = 0;
    fails = false;
    return 0;
}

static void test_kept(void **state)
{
    _Atomic(void *) kept = NULL;
    const int five = 5, six = 6;
    (void)state;
    int *made = lazy_get(&kept, make, release, &five);
    assert_int_equal(*made, 5);
    assert_ptr_equal(lazy_get(&kept, make, release, &six), made);
    assert_int_equal(*made, 5);
    fails = true; /* nobody asks any more */
    assert_ptr_equal(lazy_get(&kept, make, release, &six), made);
    assert_int_equal(n_made, 1);
    assert_int_equal(n_released, 0);
    release(kept);
}

static void test_failure(void **state)
{
    _Atomic(void *) kept = NULL;
    const int five = 5;
    (void)state;
    fails = true;
    for (int i = 0; i < 2; i++) {
        assert_null(lazy_get(&kept, make, release, &five));
        assert_null(kept);
    }
    fails = false;
    int *made = lazy_get(&kept, make, release, &five);
    assert_non_null(made);
    assert_int_equal(*made, 5);
    assert_ptr_equal(kept, made);
    assert_int_equal(n_released, 0);
    release(made);
}

/* Threads that all found nothing: each is in its make before any of them leaves it. */
static void *make_together(const void *how)
{
    void *made = make(how);
    (void)pthread_barrier_wait(&all_make);
    return made;
}

struct racer {
    _Atomic(void *) *kept;
    int how;
    bool fails;
    void *got;
};

static void *race(void *argument)
{
    struct racer *racer = argument;
    fails = racer->fails;
    racer->got = lazy_get(racer->kept, make_together, release, &racer->how);
    return NULL;
}

#define RACERS 4

static void race_all(struct racer *racers, unsigned n_racers)
{
    pthread_t threads[RACERS];
    assert_int_equal(pthread_barrier_init(&all_make, NULL, n_racers), 0);
    for (unsigned i = 0; i < n_racers; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    for (unsigned i = 0; i < n_racers; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(pthread_barrier_destroy(&all_make), 0);
}

static void test_race(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        _Atomic(void *) kept = NULL;
        struct racer racers[RACERS];
        (void)begin(NULL);
        for (int i = 0; i < RACERS; i++)
            racers[i] = (struct racer){.kept = &kept, .how = i};
        race_all(racers, RACERS);
        assert_non_null(kept);
        for (int i = 0; i < RACERS; i++)
            assert_ptr_equal(racers[i].got, kept);
        const int *winner = kept;
        assert_in_range(*winner, 0, RACERS - 1);
        assert_int_equal(n_made, RACERS);
        assert_int_equal(n_released, RACERS - 1);
        release(kept);
    }
}

/* One of two has no memory: it gets the other's, or nothing where that is not kept yet; what is kept is the other's. */
static void test_race_with_failure(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        _Atomic(void *) kept = NULL;
        struct racer racers[2] = {{.kept = &kept, .how = 1}, {.kept = &kept, .how = 2, .fails = true}};
        (void)begin(NULL);
        race_all(racers, 2);
        assert_non_null(kept);
        assert_ptr_equal(racers[0].got, kept);
        assert_true(racers[1].got == kept || racers[1].got == NULL);
        assert_int_equal(n_made, 1);
        assert_int_equal(n_released, 0);
        release(kept);
    }
}

/* It fails after another thread has succeeded: no failure. */
static void *make_after(const void *how)
{
    struct racer other = *(const struct racer *)how;
    pthread_t thread;
    assert_int_equal(pthread_barrier_init(&all_make, NULL, 1), 0);
    assert_int_equal(pthread_create(&thread, NULL, race, &other), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(pthread_barrier_destroy(&all_make), 0);
    return NULL;
}

static void test_failure_of_the_second(void **state)
{
    _Atomic(void *) kept = NULL;
    struct racer other = {.kept = &kept, .how = 7};
    (void)state;
    int *got = lazy_get(&kept, make_after, release, &other);
    assert_non_null(got);
    assert_int_equal(*got, 7);
    assert_ptr_equal(kept, got);
    release(got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_kept, begin),
        cmocka_unit_test_setup(test_failure, begin),
        cmocka_unit_test_setup(test_race, begin),
        cmocka_unit_test_setup(test_race_with_failure, begin),
        cmocka_unit_test_setup(test_failure_of_the_second, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
