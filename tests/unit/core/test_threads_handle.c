/*
 * Handles and blocks under threads: created, used and deleted at once, an object dies exactly once and never while somebody holds it. Meant for
 * ThreadSanitizer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/block.h"
#include "core/handle.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 8
#define ROUNDS 3000
#define PLACES 16

struct thing {
    atomic_int alive;
    int number; /* written before publishing, read by whoever holds it */
};

/* Handles are published to other threads under a lock, as a program would. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static SecHandle places[PLACES];
static atomic_int n_created, n_destroyed, n_deleted, n_wrong;

static void thing_destroy(void *object)
{
    struct thing *thing = object;
    if (atomic_exchange(&thing->alive, 0) != 1)
        atomic_fetch_add(&n_wrong, 1);
    thing->number = -1;
    free(thing);
    atomic_fetch_add(&n_destroyed, 1);
}

static void create_at(unsigned place, int number)
{
    SecHandle fresh;
    struct thing *thing = calloc(1, sizeof *thing);
    atomic_store(&thing->alive, 1);
    thing->number = number;
    if (handle_create(HANDLE_CONTEXT, thing, thing_destroy, &fresh) != SEC_E_OK) {
        free(thing);
        atomic_fetch_add(&n_wrong, 1);
        return;
    }
    atomic_fetch_add(&n_created, 1);
    pthread_mutex_lock(&lock);
    SecHandle old = places[place];
    places[place] = fresh;
    pthread_mutex_unlock(&lock);
    if (!handle_is_null(&old) && handle_delete(&old, HANDLE_CONTEXT) == SEC_E_OK)
        atomic_fetch_add(&n_deleted, 1);
}

static void use(const SecHandle *handle)
{
    struct handle_ref ref = {0};
    if (handle_get(handle, HANDLE_CREDENTIAL, &ref) == SEC_E_OK)
        atomic_fetch_add(&n_wrong, 1);
    if (handle_get(handle, HANDLE_CONTEXT, &ref) != SEC_E_OK)
        return;
    const struct thing *thing = ref.object;
    if (atomic_load(&thing->alive) != 1 || thing->number < 0)
        atomic_fetch_add(&n_wrong, 1);
    handle_put(&ref);
    handle_put(&ref); /* an empty reference: nothing happens */
}

static void *walk(void *argument)
{
    unsigned seed = (unsigned)(uintptr_t)argument;
    for (int i = 0; i < ROUNDS; i++) {
        seed = seed * 1664525u + 1013904223u;
        unsigned place = seed >> 16 & (PLACES - 1), what = seed >> 28;
        pthread_mutex_lock(&lock);
        SecHandle handle = places[place];
        pthread_mutex_unlock(&lock);
        if (what < 3)
            create_at(place, i);
        else if (what < 6) {
            if (handle_delete(&handle, HANDLE_CONTEXT) == SEC_E_OK)
                atomic_fetch_add(&n_deleted, 1);
        } else
            use(&handle);
    }
    return NULL;
}

static void run(void *(*start)(void *))
{
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, start, (void *)(i + 1)), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&n_wrong), 0);
}

static void test_handles(void **state)
{
    (void)state;
    run(walk);
    for (int i = 0; i < PLACES; i++)
        if (!handle_is_null(&places[i]) && handle_delete(&places[i], HANDLE_CONTEXT) == SEC_E_OK)
            atomic_fetch_add(&n_deleted, 1);
    assert_int_equal(atomic_load(&n_created), atomic_load(&n_deleted));
    assert_int_equal(atomic_load(&n_created), atomic_load(&n_destroyed));
}

/* Of many threads that delete one handle one does it. */
static pthread_barrier_t barrier;
static atomic_int n_winners;

static void *contest(void *argument)
{
    (void)argument;
    for (int i = 0; i < 200; i++) {
        if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
            create_at(0, i);
        pthread_barrier_wait(&barrier);
        SecHandle mine;
        pthread_mutex_lock(&lock);
        mine = places[0];
        pthread_mutex_unlock(&lock);
        use(&mine);
        if (handle_delete(&mine, HANDLE_CONTEXT) == SEC_E_OK)
            atomic_fetch_add(&n_winners, 1);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

static void test_one_deletes(void **state)
{
    (void)state;
    assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS), 0);
    run(contest);
    pthread_barrier_destroy(&barrier);
    assert_int_equal(atomic_load(&n_winners), 200);
}

/* Blocks go from thread to thread; each is freed once, and a second free is told, not done. */
static void *_Atomic exchanged[PLACES];

static void *blocks(void *argument)
{
    unsigned seed = (unsigned)(uintptr_t)argument;
    for (int i = 0; i < ROUNDS; i++) {
        seed = seed * 1664525u + 1013904223u;
        uint8_t *block = block_alloc(seed >> 24);
        if (block == NULL) {
            atomic_fetch_add(&n_wrong, 1);
            continue;
        }
        memset(block, 0x5a, seed >> 24);
        void *old = atomic_exchange(&exchanged[seed >> 16 & (PLACES - 1)], block);
        if (block_free(old) != SEC_E_OK)
            atomic_fetch_add(&n_wrong, 1);
        if (block_free(&seed) != SEC_E_INVALID_HANDLE)
            atomic_fetch_add(&n_wrong, 1);
    }
    return NULL;
}

static void test_blocks(void **state)
{
    (void)state;
    run(blocks);
    for (int i = 0; i < PLACES; i++)
        assert_int_equal(block_free(atomic_load(&exchanged[i])), SEC_E_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handles),
        cmocka_unit_test(test_one_deletes),
        cmocka_unit_test(test_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
