#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "base/secret.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>

static void zalloc_gives_zeroes_also_for_length_zero(void **state)
{
    uint8_t *block = mem_zalloc(1000);

    (void)state;
    assert_non_null(block);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(block[i], 0);
    mem_free(block);
    block = mem_zalloc(0);
    assert_non_null(block);
    mem_free(block);
    mem_free(NULL);
}

/* Around the size up to which blocks may be ones that were used before. */
static void zalloc_gives_zeroes_where_others_wrote(void **state)
{
    (void)state;
    for (size_t len = 1; len < 2100; len += len == 1 || len > 1025 ? 1 : 512) {
        uint8_t *block = mem_zalloc(len);
        assert_non_null(block);
        memset(block, 0xa5, len);
        mem_free(block);
        block = mem_zalloc(len);
        assert_non_null(block);
        for (size_t i = 0; i < len; i++)
            assert_int_equal(block[i], 0);
        mem_free(block);
    }
}

static void array_refuses_overflow(void **state)
{
    uint32_t *array = mem_zalloc_array(10, sizeof(*array));

    (void)state;
    assert_non_null(array);
    assert_int_equal(array[9], 0);
    mem_free(array);
    assert_null(mem_zalloc_array(SIZE_MAX / 2 + 1, 2));
    assert_null(mem_zalloc_array(3, SIZE_MAX / 2));
    array = mem_zalloc_array(0, SIZE_MAX);
    assert_non_null(array);
    mem_free(array);
}

static void aligned_arrays_are_zeroed(void **state)
{
    uint8_t *array;

    (void)state;
    for (unsigned round = 0; round < 3; round++) { /* again what was written to */
        array = mem_zalloc_aligned(64, 5, 128);
        assert_non_null(array);
        assert_int_equal((uintptr_t)array % 64, 0);
        for (size_t i = 0; i < (size_t)5 * 128; i++)
            assert_int_equal(array[i], 0);
        memset(array, 0xa5, (size_t)5 * 128);
        mem_free(array);
    }
    assert_null(mem_zalloc_aligned(64, SIZE_MAX / 64, 128));
    assert_null(mem_zalloc_aligned(64, SIZE_MAX / 64, 64));
    assert_null(mem_zalloc_aligned(64, SIZE_MAX / 64 + 1, 64)); /* which would be nothing */
    mem_fault_set(1, true);
    assert_null(mem_zalloc_aligned(64, 1, 64));
    mem_fault_set(0, false);
}

static void dup_adds_one_nul(void **state)
{
    char *copy = mem_dup("abc", 2);

    (void)state;
    assert_string_equal(copy, "ab");
    mem_free(copy);
    copy = mem_dup(NULL, 0);
    assert_string_equal(copy, "");
    mem_free(copy);
    assert_null(mem_dup("x", SIZE_MAX));
    copy = mem_strdup("name");
    assert_string_equal(copy, "name");
    mem_free(copy);
    assert_null(mem_strdup(NULL));
}

static void text_copy_takes_nothing_for_nothing(void **state)
{
    char *copy = NULL;

    (void)state;
    assert_true(mem_text_copy(&copy, "name"));
    assert_string_equal(copy, "name");
    mem_free(copy);
    assert_true(mem_text_copy(&copy, ""));
    assert_string_equal(copy, "");
    mem_free(copy);
    mem_fault_set(1, true);
    assert_true(mem_text_copy(&copy, NULL));
    assert_null(copy);
    copy = (char *)(uintptr_t)1;
    assert_false(mem_text_copy(&copy, "name"));
    mem_fault_set(0, false);
    assert_null(copy);
}

static void realloc_keeps_bytes_and_survives_failure(void **state)
{
    char *block = mem_dup("abcdef", 6), *grown;

    (void)state;
    grown = mem_realloc(block, 100000);
    assert_non_null(grown);
    assert_memory_equal(grown, "abcdef", 6);
    mem_fault_set(1, false);
    assert_null(mem_realloc(grown, 200000));
    mem_fault_set(0, false);
    assert_memory_equal(grown, "abcdef", 6);
    grown = mem_realloc(grown, 0);
    assert_non_null(grown);
    mem_free(grown);
    grown = mem_realloc(NULL, 5);
    assert_non_null(grown);
    mem_free(grown);
}

static void fault_strikes_the_nth_alone(void **state)
{
    void *first, *third;

    (void)state;
    mem_fault_set(2, false);
    first = mem_zalloc(1);
    assert_non_null(first);
    assert_null(mem_zalloc(1));
    third = mem_dup("x", 1);
    assert_non_null(third);
    assert_int_equal(mem_fault_count(), 3);
    mem_fault_set(0, false);
    mem_free(first);
    mem_free(third);
}

static void sticky_fault_stays(void **state)
{
    void *block;

    (void)state;
    mem_fault_set(1, true);
    assert_null(mem_zalloc(1));
    assert_null(mem_zalloc_array(1, 1));
    assert_null(mem_dup("x", 1));
    assert_null(mem_strdup("x"));
    assert_null(mem_realloc(NULL, 1));
    assert_null(secret_block_alloc(1));
    assert_int_equal(mem_fault_count(), 6);
    mem_fault_set(0, false);
    assert_int_equal(mem_fault_count(), 0);
    block = mem_zalloc(1);
    assert_non_null(block);
    mem_free(block);
}

static void *was_refused(void *unused)
{
    (void)unused;
    return mem_refused() ? "yes" : NULL;
}

/* By each of the functions, by a length beyond every object's, and for this thread alone. */
static void refusals_are_remembered(void **state)
{
    pthread_t thread;
    void *other = NULL;

    (void)state;
    mem_refused_forget();
    for (int i = 0; i < 7; i++) {
        assert_false(mem_refused());
        mem_fault_set(i < 5 ? 1 : 0, true); /* a length is refused without it */
        void *none = i == 0   ? mem_zalloc(1)
                     : i == 1 ? mem_dup("x", 1)
                     : i == 2 ? mem_realloc(NULL, 1)
                     : i == 3 ? secret_block_alloc(1)
                     : i == 4 ? secret_block_alloc(100000)
                     : i == 5 ? mem_zalloc_array(SIZE_MAX / 2, 3)
                              : mem_zalloc(SIZE_MAX);
        mem_fault_set(0, false);
        assert_null(none);
        assert_true(mem_refused());
        assert_int_equal(pthread_create(&thread, NULL, was_refused, NULL), 0);
        pthread_join(thread, &other);
        assert_null(other);
        mem_refused_forget();
    }
}

static void *allocate_much(void *unused)
{
    for (int i = 0; i < 1000; i++)
        mem_free(mem_zalloc(8));
    return unused;
}

static void fault_counts_every_thread(void **state)
{
    pthread_t threads[4];

    (void)state;
    mem_fault_set(ULONG_MAX, false);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, allocate_much, NULL), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(mem_fault_count(), 4000);
    mem_fault_set(0, false);
}

static char *make_text(void)
{
    AUTO_FREE char *text = mem_strdup("kept");

    return STEAL(text);
}

static void steal_hands_ownership_on(void **state)
{
    char *text = make_text();

    (void)state;
    assert_string_equal(text, "kept");
    mem_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zalloc_gives_zeroes_also_for_length_zero),
        cmocka_unit_test(zalloc_gives_zeroes_where_others_wrote),
        cmocka_unit_test(array_refuses_overflow),
        cmocka_unit_test(aligned_arrays_are_zeroed),
        cmocka_unit_test(dup_adds_one_nul),
        cmocka_unit_test(text_copy_takes_nothing_for_nothing),
        cmocka_unit_test(realloc_keeps_bytes_and_survives_failure),
        cmocka_unit_test(fault_strikes_the_nth_alone),
        cmocka_unit_test(sticky_fault_stays),
        cmocka_unit_test(refusals_are_remembered),
        cmocka_unit_test(fault_counts_every_thread),
        cmocka_unit_test(steal_hands_ownership_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
