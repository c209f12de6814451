/* Heaps, LocalAlloc and GlobalAlloc. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sddl.h>
#include <windows.h>

static void test_heap(void **state)
{
    (void)state;
    HANDLE heap = GetProcessHeap();
    BYTE *block = HeapAlloc(heap, HEAP_ZERO_MEMORY, 100);
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % 16, 0);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(block[i], 0);
    FillMemory(block, 100, 0x55);
    assert_int_equal(HeapSize(heap, 0, block), 100);
    block = HeapReAlloc(heap, HEAP_ZERO_MEMORY, block, 200);
    assert_int_equal(HeapSize(heap, 0, block), 200);
    assert_int_equal(block[99], 0x55);
    assert_int_equal(block[100], 0);
    assert_ptr_equal(HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, block, 50), block);
    assert_null(HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, block, 51));
    assert_int_equal(HeapSize(heap, 0, block), 50);
    assert_true(HeapFree(heap, 0, block));
    assert_true(HeapFree(heap, 0, NULL));
    block = HeapAlloc(heap, 0, 0);
    assert_non_null(block);
    assert_int_equal(HeapSize(heap, 0, block), 0);
    assert_true(HeapFree(heap, 0, block));
}

static void test_heap_refused(void **state)
{
    (void)state;
    int stack = 0;
    HANDLE heap = GetProcessHeap(), other = HeapCreate(0, 0, 1000);
    assert_non_null(other);
    void *block = HeapAlloc(heap, 0, 10);
    SetLastError(0);
    assert_false(HeapFree(heap, 0, &stack));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_false(HeapFree(other, 0, block));
    assert_true(HeapSize(heap, 0, &stack) == (SIZE_T)-1);
    assert_null(HeapReAlloc(heap, 0, &stack, 10));
    assert_true(HeapFree(heap, 0, block));
    assert_null(HeapAlloc(&stack, 0, 10));
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
    assert_null(HeapAlloc(heap, 0, SIZE_MAX));
    assert_int_equal(GetLastError(), ERROR_NOT_ENOUGH_MEMORY);
    assert_non_null(HeapAlloc(other, 0, 600));
    assert_null(HeapAlloc(other, 0, 401));
    assert_non_null(HeapAlloc(other, 0, 400));
    assert_true(HeapDestroy(other)); /* and its blocks */
    /* A block counts once when it is reallocated. */
    other = HeapCreate(0, 0, 100);
    block = HeapAlloc(other, 0, 60);
    memset(block, 'x', 60);
    block = HeapReAlloc(other, 0, block, 80);
    assert_non_null(block);
    assert_true(((char *)block)[59] == 'x' && HeapSize(other, 0, block) == 80);
    assert_null(HeapReAlloc(other, 0, block, 101));
    assert_null(HeapAlloc(other, 0, 21));
    block = HeapReAlloc(other, 0, block, 30);
    assert_non_null(HeapAlloc(other, 0, 70));
    assert_null(HeapAlloc(other, 0, 1));
    assert_true(HeapFree(other, 0, block));
    assert_non_null(HeapAlloc(other, 0, 30));
    assert_true(HeapDestroy(other));
    assert_false(HeapDestroy(other));
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
    assert_false(HeapDestroy(heap));
}

static void test_local(void **state)
{
    (void)state;
    int stack = 0;
    BYTE *block = LocalAlloc(LPTR, 20);
    assert_int_equal(LocalSize(block), 20);
    assert_int_equal(block[19], 0);
    CopyMemory(block, "0123456789", 10);
    block = LocalReAlloc(block, 40, LMEM_MOVEABLE | LMEM_ZEROINIT);
    assert_int_equal(LocalSize(block), 40);
    assert_memory_equal(block, "0123456789\0", 11);
    assert_null(LocalFree(block));
    assert_null(LocalFree(NULL));
    assert_ptr_equal(LocalFree(&stack), &stack);
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
    assert_int_equal(LocalSize(&stack), 0);
    assert_null(LocalReAlloc(&stack, 10, 0));
    assert_null(LocalLock(&stack));
    assert_null(LocalAlloc(0, SIZE_MAX));
    assert_int_equal(GetLastError(), ERROR_NOT_ENOUGH_MEMORY);
    block = LocalAlloc(0, 0);
    assert_non_null(block);
    assert_null(LocalFree(block));
}

static void test_global(void **state)
{
    (void)state;
    BYTE *block = GlobalAlloc(GPTR, 20);
    assert_int_equal(GlobalSize(block), 20);
    block = GlobalReAlloc(block, 10, 0);
    assert_int_equal(GlobalSize(block), 10);
    assert_null(GlobalFree(block));
}

/* A block that is fixed or locked stays where it is unless it may move. */
static void test_in_place(void **state)
{
    (void)state;
    BYTE *block = LocalAlloc(LPTR, 100);
    memset(block, 'x', 100);
    assert_ptr_equal(LocalReAlloc(block, 50, LMEM_ZEROINIT), block);
    assert_true(LocalSize(block) == 50 && block[49] == 'x');
    assert_ptr_equal(LocalReAlloc(block, 100, LMEM_ZEROINIT), block); /* it had that room */
    assert_true(LocalSize(block) == 100 && block[49] == 'x' && block[50] == 0 && block[99] == 0);
    SetLastError(5);
    assert_null(LocalReAlloc(block, 101, LMEM_ZEROINIT));
    assert_int_equal(GetLastError(), ERROR_NOT_ENOUGH_MEMORY);
    assert_ptr_equal(LocalReAlloc(block, 1, LMEM_MODIFY), block);
    assert_ptr_equal(GlobalReAlloc(block, 0, GMEM_MODIFY | GMEM_MOVEABLE), block);
    assert_true(LocalSize(block) == 100 && block[49] == 'x');
    assert_ptr_equal(LocalReAlloc(block, 40, 0), block);
    block = LocalReAlloc(block, 4096, LMEM_MOVEABLE | LMEM_ZEROINIT);
    assert_true(LocalSize(block) == 4096 && block[39] == 'x' && block[40] == 0);
    assert_ptr_equal(LocalReAlloc(block, 0, 0), block);
    assert_null(LocalFree(block));

    block = GlobalAlloc(GMEM_MOVEABLE, 100);
    assert_ptr_equal(GlobalLock(block), block);
    block[99] = 'x';
    assert_null(GlobalReAlloc(block, 4096, GMEM_ZEROINIT));
    assert_true(GlobalSize(block) == 100 && block[99] == 'x');
    assert_ptr_equal(GlobalReAlloc(block, 20, 0), block);
    assert_int_equal(GlobalSize(block), 20);
    assert_false(GlobalUnlock(block));
    assert_int_equal(GetLastError(), NO_ERROR);
    block = GlobalReAlloc(block, 100, GMEM_ZEROINIT); /* not locked: it may move */
    assert_true(block != NULL && GlobalSize(block) == 100 && block[19] == 0 && block[99] == 0);
    assert_ptr_equal(GlobalLock(block), block);
    assert_true(!GlobalUnlock(block) && GetLastError() == NO_ERROR); /* and is movable still */
    assert_null(GlobalFree(block));
    assert_null(LocalReAlloc(&block, 1, LMEM_MODIFY));
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
}

typedef HLOCAL WINAPI alloc_function(UINT, SIZE_T);
typedef HLOCAL WINAPI realloc_function(HLOCAL, SIZE_T, UINT);
typedef LPVOID WINAPI lock_function(HLOCAL);
typedef BOOL WINAPI unlock_function(HLOCAL);

/* How a block is locked and unlocked: of both families, with what GlobalUnlock and LocalUnlock say of a fixed one. */
static void check_locks(alloc_function *alloc, realloc_function *change, lock_function *lock, unlock_function *unlock,
                        BOOL fixed)
{
    int stack = 0;
    HLOCAL block = alloc(LMEM_MOVEABLE, 20);
    SetLastError(5);
    assert_false(unlock(block));
    assert_int_equal(GetLastError(), ERROR_NOT_LOCKED);
    BYTE *bytes = lock(block);
    assert_non_null(bytes);
    assert_ptr_equal(lock(block), bytes);
    SetLastError(5);
    assert_true(unlock(block));
    assert_int_equal(GetLastError(), 5);
    assert_false(unlock(block));
    assert_int_equal(GetLastError(), NO_ERROR);
    SetLastError(5);
    assert_false(unlock(block));
    assert_int_equal(GetLastError(), ERROR_NOT_LOCKED);
    /* Its locks go with it when it is moved. */
    lock(block);
    lock(block);
    block = change(block, 100000, LMEM_MOVEABLE);
    assert_true(unlock(block));
    assert_false(unlock(block));
    assert_int_equal(GetLastError(), NO_ERROR);
    lock(block);
    assert_null(LocalFree(block));
    /* A block that is fixed has no count, wherever it lies. */
    for (int i = 0; i < 2; i++) {
        block = alloc(LMEM_FIXED, 100000);
        assert_ptr_equal(lock(block), block);
        SetLastError(5);
        assert_int_equal(unlock(block), fixed);
        assert_int_equal(GetLastError(), fixed ? 5 : ERROR_NOT_LOCKED);
        assert_null(LocalFree(block));
    }
    assert_false(unlock(&stack));
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
}

static void test_locks(void **state)
{
    (void)state;
    check_locks(LocalAlloc, LocalReAlloc, LocalLock, LocalUnlock, FALSE);
    check_locks(GlobalAlloc, GlobalReAlloc, GlobalLock, GlobalUnlock, TRUE);
}

/* What libopensspi hands out is freed with it, too. */
static void test_local_of_library(void **state)
{
    (void)state;
    PSID sid;
    LPSTR text;
    assert_true(ConvertStringSidToSidA("S-1-5-32-544", &sid));
    assert_true(ConvertSidToStringSidA(sid, &text));
    assert_string_equal(text, "S-1-5-32-544");
    assert_int_equal(LocalSize(text), 13);
    assert_null(LocalFree(text));
    assert_null(LocalFree(sid));
}

static void test_macros(void **state)
{
    (void)state;
    char text[8] = "abcdefg";
    MoveMemory(text + 1, text, 3);
    assert_string_equal(text, "aabcefg");
    ZeroMemory(text, 2);
    assert_int_equal(text[1], 0);
    assert_ptr_equal(SecureZeroMemory(text, sizeof text), text);
    assert_int_equal(text[5], 0);
    LONG counter = 5;
    assert_int_equal(InterlockedIncrement(&counter), 6);
    assert_int_equal(InterlockedDecrement(&counter), 5);
    assert_int_equal(InterlockedExchange(&counter, 9), 5);
    assert_int_equal(InterlockedExchangeAdd(&counter, 2), 9);
    assert_int_equal(InterlockedCompareExchange(&counter, 1, 11), 11);
    assert_int_equal(InterlockedCompareExchange(&counter, 7, 11), 1);
    long wide = -1;
    assert_int_equal(InterlockedIncrement(&wide), 0);
    void *pointer = NULL;
    assert_null(InterlockedExchangePointer(&pointer, &wide));
    assert_ptr_equal(InterlockedCompareExchangePointer(&pointer, NULL, &wide), &wide);
    InterlockedExchangePointer(&pointer, &wide); /* as statements, which nobody warns of */
    InterlockedCompareExchangePointer(&pointer, NULL, &wide);
    InterlockedExchange(&counter, 9);
    InterlockedCompareExchange(&counter, 7, 9);
    InterlockedExchangeAdd(&counter, 1);
    InterlockedDecrement(&counter);
    assert_null(pointer);
    assert_int_equal(MAKEWORD(2, 2), 0x202);
    assert_int_equal(HIWORD(0x12345678) + LOWORD(0x12345678), 0x1234 + 0x5678);
    assert_int_equal(min(1, 2) + max(3, 4), 5);
    assert_int_equal(HRESULT_FROM_WIN32(ERROR_ACCESS_DENIED), E_ACCESSDENIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heap),
        cmocka_unit_test(test_heap_refused),
        cmocka_unit_test(test_local),
        cmocka_unit_test(test_in_place),
        cmocka_unit_test(test_global),
        cmocka_unit_test(test_locks),
        cmocka_unit_test(test_local_of_library),
        cmocka_unit_test(test_macros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
