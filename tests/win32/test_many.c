/* Blocks and handles by the hundred thousand: each costs what the first ones do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <windows.h>

#define FEW 20000
#define TIMES 10     /* as many */
#define MAY_GROW 5.0 /* the processor's caches; what looks at all others needs TIMES as long for each */
#define ENOUGH_MAX 8 /* tries, of which one has to do: others work on this machine, too */

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

/* Processor time for n of them that live at once. */
static double cost(void *(*make)(void), BOOL (*end)(void *), size_t n)
{
    struct timespec from, to;
    void **all = calloc(n, sizeof *all);
    assert_non_null(all);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    for (size_t i = 0; i < n; i++)
        assert_non_null(all[i] = make());
    for (size_t i = 0; i < n; i++) /* every seventh after the other: neither in their order nor in the reverse */
        assert_true(end(all[i * 7 % n]));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    free(all);
    return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

static void check(const char *what, void *(*make)(void), BOOL (*end)(void *))
{
    double ratio = MAY_GROW;
    for (int i = 0; i < ENOUGH_MAX && ratio >= MAY_GROW; i++) {
        double few = cost(make, end, FEW), many = cost(make, end, FEW * TIMES);
        printf("# %s: %d in %.3f s, %d in %.3f s\n", what, FEW, few, FEW * TIMES, many);
        ratio = many / few / TIMES;
    }
    assert_true(ratio < MAY_GROW);
}

static void test_heap(void **state)
{
    (void)state;
    heap = GetProcessHeap();
    check("process heap", heap_alloc, heap_free);
    heap = HeapCreate(0, 0, 0);
    check("heap", heap_alloc, heap_free);
    assert_true(HeapDestroy(heap));
}

static void test_events(void **state)
{
    (void)state;
    check("events", event_create, event_close);
}

static void test_movable(void **state)
{
    (void)state;
    check("movable blocks", movable_alloc, movable_free);
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
    /* A handle whose place another one has is nobody's. */
    assert_true(CloseHandle(first));
    for (size_t i = 0; i < FEW; i++) {
        HANDLE next = event_create();
        assert_ptr_not_equal(next, first);
        assert_false(SetEvent(first));
        assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
        assert_true(CloseHandle(next));
    }
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
