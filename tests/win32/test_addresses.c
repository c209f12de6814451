/* The table of blocks and locks: how many entries are looked at, counted, whatever the processor and its caches are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "addresses.h"

#define N ((size_t)100000)
#define LOOKS_MAX 2 /* for each, in the middle; no more entries than places, at random, make 1.5 */

static struct address_entry *entries; /* N */

static int make_entries(void **state)
{
    (void)state;
    entries = calloc(N, sizeof *entries);
    return entries == NULL;
}

static int free_entries(void **state)
{
    (void)state;
    free(entries);
    return 0;
}

/* What looking for each entry once looks at. */
static size_t looks(const struct addresses *table)
{
    struct address_entry *const *places = table->grown != NULL ? table->grown : table->few;
    size_t n_places = table->grown != NULL ? table->n_places : ADDRESSES_FEW, sum = 0;
    for (size_t i = 0; i < n_places; i++) {
        size_t before = 0;
        for (const struct address_entry *entry = places[i]; entry != NULL; entry = entry->next)
            sum += ++before;
    }
    return sum;
}

static const void *address_of(size_t i, size_t apart)
{
    return (const void *)(uintptr_t)(0x5555000012340 + i * apart); // NOLINT(performance-no-int-to-ptr): never followed
}

static void fill(struct addresses *table, size_t n, size_t apart)
{
    for (size_t i = 0; i < n; i++)
        addresses_add(table, &entries[i], address_of(i, apart));
}

/* Blocks as allocators lay them: of one size, one behind the other. */
static void test_spread(void **state)
{
    (void)state;
    static const size_t sizes[] = {16, 32, 48, 64, 80, 112, 256, 1040, 4096, 65536};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct addresses table = {0};
        fill(&table, N, sizes[i]);
        size_t n = looks(&table);
        if (n > LOOKS_MAX * N)
            fail_msg("%zu bytes apart: %zu looks for %zu entries", sizes[i], n, N);
        for (size_t k = 0; k < N; k++)
            assert_ptr_equal(addresses_take(&table, address_of(k * 7 % N, sizes[i])), &entries[k * 7 % N]);
        assert_null(table.grown);
    }
}

/* It grows with each doubling and not before, so that moving all costs each entry a constant. */
static void test_growth(void **state)
{
    (void)state;
    struct addresses table = {0};
    size_t n_moved = 0, n_places = ADDRESSES_FEW;
    for (size_t i = 0; i < N; i++) {
        addresses_add(&table, &entries[i], address_of(i, 48));
        if (table.grown != NULL && table.n_places != n_places) {
            n_moved += i;
            n_places = table.n_places;
        }
        assert_true(table.n <= n_places);
    }
    assert_true(n_places < 2 * N && n_moved < 2 * N);
    for (size_t i = 0; i < N; i++)
        assert_ptr_equal(addresses_find(&table, address_of(i, 48)), &entries[i]);
    assert_null(addresses_find(&table, address_of(N, 48)));
    assert_null(addresses_take(&table, (const char *)address_of(0, 48) + 1));
    for (size_t i = 0; i < N; i++)
        (void)addresses_take(&table, address_of(i, 48));
}

/* Whoever ends them all passes each place once. */
static void test_ended(void **state)
{
    (void)state;
    struct addresses table = {0};
    fill(&table, N, 48);
    size_t place = 0, before = 0, n = 0;
    struct address_entry *entry;
    while ((entry = addresses_take_any(&table, &place)) != NULL) {
        assert_true(place >= before);
        before = place;
        entry->address = NULL;
        n++;
    }
    assert_int_equal(n, N);
    for (size_t i = 0; i < N; i++)
        assert_null(entries[i].address);
    assert_null(table.grown);
    assert_int_equal(table.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spread),
        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_ended),
    };
    return cmocka_run_group_tests(tests, make_entries, free_entries);
}
