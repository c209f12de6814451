/*
 * Blocks for FreeContextBuffer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "core/block.h"
#include <stdlib.h>
#include <string.h>

static void test_alloc_and_free(void **state)
{
    (void)state;
    for (size_t len = 0; len < 5000; len += 123) {
        uint8_t *block = block_alloc(len);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % 16, 0);
        for (size_t i = 0; i < len; i++)
            assert_int_equal(block[i], 0);
        assert_int_equal(block_free(block), SEC_E_OK);
        assert_int_equal(block_free(block), SEC_E_INVALID_HANDLE); /* again */
    }
    assert_int_equal(block_free(NULL), SEC_E_OK);
    assert_null(block_alloc(SIZE_MAX));
    assert_null(block_alloc(SIZE_MAX - 16));
}

/* What is not ours is neither freed nor read. */
static void test_strangers(void **state)
{
    int local = 7;
    static int fixed = 7;
    (void)state;
    uint8_t *block = block_alloc(100), *other = malloc(100);
    assert_int_equal(block_free(&local), SEC_E_INVALID_HANDLE);
    assert_int_equal(block_free(&fixed), SEC_E_INVALID_HANDLE);
    assert_int_equal(block_free(other), SEC_E_INVALID_HANDLE);
    assert_int_equal(block_free(block + 1), SEC_E_INVALID_HANDLE);
    assert_int_equal(block_free(block + 16), SEC_E_INVALID_HANDLE);
    assert_int_equal(block_free(block - 16), SEC_E_INVALID_HANDLE);
    assert_int_equal(block_free((void *)1), SEC_E_INVALID_HANDLE);
    assert_int_equal(block_free((void *)UINTPTR_MAX), SEC_E_INVALID_HANDLE);
    assert_int_equal(block_free(block), SEC_E_OK);
    free(other);
}

/* More blocks than there are buckets, freed in another order. */
static void test_many(void **state)
{
    static void *blocks[20000];
    (void)state;
    for (size_t i = 0; i < 20000; i++)
        assert_non_null(blocks[i] = block_alloc(i % 64));
    for (size_t i = 0; i < 20000; i++)
        assert_int_equal(block_free(blocks[i * 7919 % 20000]), SEC_E_OK);
    for (size_t i = 0; i < 20000; i++)
        assert_int_equal(block_free(blocks[i]), SEC_E_INVALID_HANDLE);
}

/* Blocks for secrets know their size and are wiped like the others; a stale pointer is told. */
static void test_secret_blocks(void **state)
{
    (void)state;
    for (size_t len = 0; len < 9000; len += 997) {
        unsigned char *block = block_alloc_secret(len);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % 16, 0);
        assert_int_equal(block_len(block), len);
        assert_true(block_is_secret(block));
        for (size_t i = 0; i < len; i++)
            assert_int_equal(block[i], 0);
        memset(block, 0xa5, len);
        assert_int_equal(block_free(block), SEC_E_OK);
        assert_int_equal(block_free(block), SEC_E_INVALID_HANDLE);
        assert_int_equal(block_len(block), 0);
        assert_false(block_is_secret(block));
    }
    void *other = block_alloc(16);
    assert_non_null(other);
    assert_false(block_is_secret(other));
    assert_int_equal(block_free(other), SEC_E_OK);
    assert_null(block_alloc_secret(SIZE_MAX));
    assert_null(block_alloc_secret(SIZE_MAX - 16));
    assert_int_equal(block_len(NULL), 0);
}

static void test_no_memory(void **state)
{
    (void)state;
    mem_fault_set(1, true);
    void *block = block_alloc(10), *secret = block_alloc_secret(10);
    mem_fault_set(0, false);
    assert_null(block);
    assert_null(secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_alloc_and_free), cmocka_unit_test(test_strangers),
                                       cmocka_unit_test(test_many), cmocka_unit_test(test_secret_blocks),
                                       cmocka_unit_test(test_no_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
