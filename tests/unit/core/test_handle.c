/*
 * Handles: what is not the handle of a living object of the right kind is told apart, whatever it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "core/handle.h"
#include "crypto/random.h"
#include <pthread.h>
#include <string.h>

static int n_destroyed;

static void destroy(void *object)
{
    n_destroyed++;
    (*(int *)object)++;
}

static void test_life(void **state)
{
    int object = 0;
    SecHandle handle = {0};
    struct handle_ref one = {0}, two = {0};
    (void)state;
    n_destroyed = 0;
    assert_true(handle_is_null(&handle) && handle_is_null(NULL));
    assert_false(handle_is_null(&(SecHandle){1, 0}) || handle_is_null(&(SecHandle){0, 1}));
    assert_int_equal(handle_create(HANDLE_CONTEXT, &object, destroy, &handle), SEC_E_OK);
    assert_false(handle_is_null(&handle));
    assert_int_equal(handle_get(&handle, HANDLE_CONTEXT, &one), SEC_E_OK);
    assert_int_equal(handle_get(&handle, HANDLE_CONTEXT, &two), SEC_E_OK);
    assert_ptr_equal(one.object, &object);
    assert_int_equal(handle_delete(&handle, HANDLE_CONTEXT), SEC_E_OK);
    /* Unpublished at once, destroyed after the last user let go. */
    assert_int_equal(handle_delete(&handle, HANDLE_CONTEXT), SEC_E_INVALID_HANDLE);
    struct handle_ref late = {0};
    assert_int_equal(handle_get(&handle, HANDLE_CONTEXT, &late), SEC_E_INVALID_HANDLE);
    assert_null(late.slot);
    handle_put(&one);
    assert_int_equal(n_destroyed, 0);
    handle_put(&one); /* empty by now */
    assert_int_equal(n_destroyed, 0);
    handle_put(&two);
    assert_int_equal(n_destroyed, 1);
    assert_int_equal(object, 1);
}

static void check_refused(const SecHandle *handle, enum handle_kind kind)
{
    struct handle_ref ref = {0};
    assert_int_equal(handle_get(handle, kind, &ref), SEC_E_INVALID_HANDLE);
    assert_int_equal(handle_delete(handle, kind), SEC_E_INVALID_HANDLE);
    assert_true(ref.object == NULL && ref.slot == NULL);
}

static void test_strangers(void **state)
{
    int object = 0;
    SecHandle handle, altered;
    (void)state;
    assert_int_equal(handle_create(HANDLE_CREDENTIAL, &object, destroy, &handle), SEC_E_OK);
    check_refused(NULL, HANDLE_CREDENTIAL);
    memset(&altered, 0, sizeof altered);
    check_refused(&altered, HANDLE_CREDENTIAL);
    memset(&altered, 0xff, sizeof altered);
    check_refused(&altered, HANDLE_CREDENTIAL);
    altered =
        (SecHandle){.dwLower = (ULONG_PTR)&object, .dwUpper = (ULONG_PTR)&object}; /* what other libraries hand out */
    check_refused(&altered, HANDLE_CREDENTIAL);
    check_refused(&handle, HANDLE_CONTEXT);
    for (unsigned bit = 0; bit < 8 * sizeof handle.dwLower; bit++) {
        altered = handle;
        altered.dwLower ^= (ULONG_PTR)1 << bit;
        check_refused(&altered, HANDLE_CREDENTIAL);
        check_refused(&altered, HANDLE_CONTEXT);
        altered = handle;
        altered.dwUpper ^= (ULONG_PTR)1 << bit;
        check_refused(&altered, HANDLE_CREDENTIAL);
    }
    assert_int_equal(object, 0);
    assert_int_equal(handle_delete(&handle, HANDLE_CREDENTIAL), SEC_E_OK);
    assert_int_equal(object, 1);
}

/* A stale handle never means the object that took its place. */
static void test_stale(void **state)
{
    int objects[2] = {0};
    SecHandle first, next;
    struct handle_ref ref = {0};
    (void)state;
    assert_int_equal(handle_create(HANDLE_CONTEXT, &objects[0], destroy, &first), SEC_E_OK);
    assert_int_equal(handle_delete(&first, HANDLE_CONTEXT), SEC_E_OK);
    for (int i = 0; i < 2000; i++) {
        assert_int_equal(handle_create(i % 2 == 0 ? HANDLE_CONTEXT : HANDLE_CREDENTIAL, &objects[1], destroy, &next),
                         SEC_E_OK);
        assert_memory_not_equal(&first, &next, sizeof first);
        assert_int_equal(handle_get(&first, HANDLE_CONTEXT, &ref), SEC_E_INVALID_HANDLE);
        assert_int_equal(handle_delete(&next, i % 2 == 0 ? HANDLE_CONTEXT : HANDLE_CREDENTIAL), SEC_E_OK);
    }
    assert_int_equal(objects[0], 1);
    assert_int_equal(objects[1], 2000);
}

/* More handles than one chunk of the table holds; all different, all found. */
static void test_many(void **state)
{
    static SecHandle handles[1000];
    static int objects[1000];
    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(handle_create(HANDLE_CONTEXT, &objects[i], destroy, &handles[i]), SEC_E_OK);
    for (int i = 0; i < 1000; i++) {
        struct handle_ref ref = {0};
        assert_int_equal(handle_get(&handles[i], HANDLE_CONTEXT, &ref), SEC_E_OK);
        assert_ptr_equal(ref.object, &objects[i]);
        handle_put(&ref);
    }
    for (int i = 999; i >= 0; i--)
        assert_int_equal(handle_delete(&handles[i], HANDLE_CONTEXT), SEC_E_OK);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(objects[i], 1);
}

static bool no_random(void *data, size_t len)
{
    (void)data;
    (void)len;
    return false;
}

/* Where the table would have to grow and can't: nothing is made, and what there is stays. */
static void test_no_memory(void **state)
{
    static SecHandle handles[5000];
    static int objects[5000];
    size_t n = 0;
    (void)state;
    for (int how = 0; how < 2; how++) {
        SECURITY_STATUS status = SEC_E_OK;
        if (how == 0)
            mem_fault_set(1, true);
        else
            random_hook(no_random);
        for (; status == SEC_E_OK && n < 5000; n++)
            status = handle_create(HANDLE_CONTEXT, &objects[n], destroy, &handles[n]);
        mem_fault_set(0, false);
        random_hook(NULL);
        assert_int_equal(status, SEC_E_INSUFFICIENT_MEMORY);
        assert_true(handle_is_null(&handles[--n])); /* untouched */
        assert_int_equal(handle_create(HANDLE_CONTEXT, &objects[n], destroy, &handles[n]), SEC_E_OK);
        n++;
    }
    while (n-- > 0) {
        struct handle_ref ref = {0};
        assert_int_equal(handle_get(&handles[n], HANDLE_CONTEXT, &ref), SEC_E_OK);
        assert_ptr_equal(ref.object, &objects[n]);
        handle_put(&ref);
        assert_int_equal(handle_delete(&handles[n], HANDLE_CONTEXT), SEC_E_OK);
        assert_int_equal(objects[n], 1);
    }
}

/* One value as wide as a pointer, and what is made of it by mistake. */
static void test_packed(void **state)
{
    int object = 0;
    SecHandle handle, again;
    struct handle_ref ref = {0};
    (void)state;
    assert_int_equal(handle_create(HANDLE_TOKEN, &object, destroy, &handle), SEC_E_OK);
    uintptr_t packed = (uintptr_t)handle_pack(&handle);
    assert_true(packed != 0 && packed % 4 == 0);
    again = handle_unpack((void *)packed, HANDLE_TOKEN);
    assert_memory_equal(&again, &handle, sizeof handle);
    /* The slot knows its kind: a handle of another one that names it is none, also for deleting. */
    again = handle_unpack((void *)packed, HANDLE_CONTEXT);
    assert_int_equal(handle_get(&again, HANDLE_CONTEXT, &ref), SEC_E_INVALID_HANDLE);
    assert_int_equal(handle_delete(&again, HANDLE_CONTEXT), SEC_E_INVALID_HANDLE);
    for (unsigned bit = 0; bit < 64; bit++) {
        again = handle_unpack((void *)(packed ^ (UINT64_C(1) << bit)), HANDLE_TOKEN);
        assert_int_equal(handle_get(&again, HANDLE_TOKEN, &ref), SEC_E_INVALID_HANDLE);
    }
    again = handle_unpack(NULL, HANDLE_TOKEN);
    assert_true(handle_is_null(&again));
    assert_int_equal(object, 0);
    assert_int_equal(handle_delete(&handle, HANDLE_TOKEN), SEC_E_OK);
    assert_int_equal(object, 1);
}

#define OF_THREAD 12 /* more than it keeps */
#define MORE 64

static SecHandle of_thread[OF_THREAD];

static void *make_and_delete(void *object)
{
    SECURITY_STATUS status = SEC_E_OK;
    for (size_t i = 0; i < OF_THREAD && status == SEC_E_OK; i++)
        status = handle_create(HANDLE_CONTEXT, object, destroy, &of_thread[i]);
    for (size_t i = 0; i < OF_THREAD && status == SEC_E_OK; i++)
        status = handle_delete(&of_thread[i], HANDLE_CONTEXT);
    return status == SEC_E_OK ? NULL : object;
}

/* Slots that a thread kept for itself are everybody's when it has ended, and its handles stay stale. */
static void test_ended_thread(void **state)
{
    int object = 0;
    size_t found = 0;
    SecHandle again[MORE];
    struct handle_ref ref;
    pthread_t thread;
    void *complaint;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, make_and_delete, &object), 0);
    assert_int_equal(pthread_join(thread, &complaint), 0);
    assert_null(complaint);
    for (size_t i = 0; i < MORE; i++) {
        assert_int_equal(handle_create(HANDLE_CONTEXT, &object, destroy, &again[i]), SEC_E_OK);
        for (size_t n = 0; n < OF_THREAD; n++)
            found += again[i].dwLower == of_thread[n].dwLower;
    }
    assert_int_equal(found, OF_THREAD);
    for (size_t i = 0; i < OF_THREAD; i++)
        assert_int_equal(handle_get(&of_thread[i], HANDLE_CONTEXT, &ref), SEC_E_INVALID_HANDLE);
    for (size_t i = 0; i < MORE; i++)
        assert_int_equal(handle_delete(&again[i], HANDLE_CONTEXT), SEC_E_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_life),        cmocka_unit_test(test_strangers),
                                       cmocka_unit_test(test_stale),       cmocka_unit_test(test_many),
                                       cmocka_unit_test(test_no_memory),   cmocka_unit_test(test_packed),
                                       cmocka_unit_test(test_ended_thread)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
