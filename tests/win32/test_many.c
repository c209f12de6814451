/* Blocks and handles by the hundred thousand that live at once. That none is looked for among all is counted in test_addresses.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <windows.h>

#define FEW 20000
#define MANY ((size_t)200000)

static HANDLE heap;

static void *heap_alloc(void)
{
    return HeapAlloc(heap, 0, 24);
}

static BOOL heap_free(void *block)
{
    return HeapSize(heap, 0, block) == 24 && HeapFree(heap, 0, block);
}

static void *event_create(void)
{
    return CreateEvent(NULL, TRUE, FALSE, NULL);
}

static BOOL event_close(void *event)
{
    return SetEvent(event) && CloseHandle(event);
}

static void *movable_alloc(void)
{
    return GlobalAlloc(GHND, 24);
}

static BOOL movable_free(void *block)
{
    return GlobalLock(block) == block && GlobalFree(block) == NULL;
}

static void check(void *(*make)(void), BOOL (*end)(void *))
{
    void **all = calloc(MANY, sizeof *all);
    assert_non_null(all);
    for (size_t i = 0; i < MANY; i++)
        assert_non_null(all[i] = make());
    for (size_t i = 0; i < MANY; i++) /* every seventh after the other: neither in their order nor in the reverse */
        assert_true(end(all[i * 7 % MANY]));
    free(all);
}

static void test_heap(void **state)
{
    (void)state;
    heap = GetProcessHeap();
    check(heap_alloc, heap_free);
    heap = HeapCreate(0, 0, 0);
    check(heap_alloc, heap_free);
    assert_true(HeapDestroy(heap));
}

static void test_events(void **state)
{
    (void)state;
    check(event_create, event_close);
}

static void test_movable(void **state)
{
    (void)state;
    check(movable_alloc, movable_free);
}

/* With so many there it is still told what is none of them. */
static void test_refused(void **state)
{
    (void)state;
    int stack = 0;
    HANDLE other = HeapCreate(0, 0, 0), first = event_create();
    void *block = NULL;
    heap = HeapCreate(0, 0, 0);
    for (size_t i = 0; i < FEW; i++)
        assert_non_null(block = heap_alloc());
    assert_false(HeapFree(heap, 0, &stack));
    assert_false(HeapFree(heap, 0, (char *)block + 1));
    assert_false(HeapFree(other, 0, block));
    assert_false(HeapFree(GetProcessHeap(), 0, block));
    assert_true(HeapFree(heap, 0, block));
    assert_false(HeapFree(heap, 0, block));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_true(HeapDestroy(heap)); /* with its blocks */
    assert_true(HeapDestroy(other));
    assert_false(HeapFree(heap, 0, block));
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
    /* A handle whose place another one has is nobody's; and the place that is free is found at once, whatever lies beside it. */
    HANDLE last = event_create();
    assert_true(CloseHandle(first));
    for (size_t i = 0; i < FEW; i++) {
        HANDLE next = event_create();
        assert_ptr_not_equal(next, first);
        assert_int_equal((UINT_PTR)next & UINT32_MAX, (UINT_PTR)first & UINT32_MAX);
        assert_false(SetEvent(first));
        assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
        assert_true(CloseHandle(next));
    }
    assert_true(CloseHandle(last));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heap),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_movable),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
