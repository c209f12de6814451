/*
 * A server's nonces: whose they are, how long they serve, which counts of them were used, what a flood makes of them, and a clock that is set back.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "digest/nonce.h"
#include <stdlib.h>
#include <string.h>

#define SECONDS 600

static int end(void **state)
{
    (void)state;
    filetime_fix(0);
    steady_fix(0);
    return 0;
}

static struct nonce fresh(void)
{
    char text[NONCE_LEN + 1];
    struct nonce nonce;
    assert_true(nonce_make("realm", true, text));
    assert_true(nonce_is_ours(slice_of(text, NONCE_LEN), "realm", true, &nonce));
    return nonce;
}

static void test_whose(void **state)
{
    char text[NONCE_LEN + 1], other[NONCE_LEN + 1];
    struct nonce nonce;
    (void)state;
    assert_true(nonce_make("realm", true, text));
    text[NONCE_LEN] = '\0';
    assert_true(nonce_is_ours(slice_of_text(text), "realm", true, &nonce));
    assert_false(nonce_is_ours(slice_of_text(text), "realn", true, &nonce));
    assert_false(nonce_is_ours(slice_of_text(text), "realm", false, &nonce));
    for (size_t i = 0; i < NONCE_LEN; i++) { /* every digit counts */
        memcpy(other, text, sizeof other);
        other[i] = other[i] == '1' ? '2' : '1';
        assert_false(nonce_is_ours(slice_of_text(other), "realm", true, &nonce));
        assert_false(nonce_is_ours(slice_of(text, i), "realm", true, &nonce));
    }
    assert_false(nonce_is_ours(slice_of(NULL, 0), "realm", true, &nonce));
}

static void test_counts(void **state)
{
    struct nonce nonce = fresh();
    (void)state;
    assert_int_equal(nonce_use(&nonce, 0, SECONDS), NONCE_REPLAYED); /* no count at all */
    assert_int_equal(nonce_use(&nonce, 1, SECONDS), NONCE_NEW);
    assert_int_equal(nonce_use(&nonce, 1, SECONDS), NONCE_REPLAYED);
    assert_int_equal(nonce_use(&nonce, 65, SECONDS), NONCE_NEW);
    assert_int_equal(nonce_use(&nonce, 2, SECONDS), NONCE_NEW); /* 63 behind */
    assert_int_equal(nonce_use(&nonce, 2, SECONDS), NONCE_REPLAYED);
    assert_int_equal(nonce_use(&nonce, 68, SECONDS), NONCE_NEW);
    assert_int_equal(nonce_use(&nonce, 4, SECONDS), NONCE_FORGOTTEN); /* 64 behind: who knows? */
    assert_int_equal(nonce_use(&nonce, 5, SECONDS), NONCE_NEW);
    assert_int_equal(nonce_use(&nonce, UINT32_MAX, SECONDS), NONCE_NEW);
    assert_int_equal(nonce_use(&nonce, UINT32_MAX, SECONDS), NONCE_REPLAYED);
    assert_int_equal(nonce_use(&nonce, 67, SECONDS), NONCE_FORGOTTEN);
    assert_int_equal(nonce_use(&nonce, UINT32_MAX - 1, SECONDS), NONCE_NEW);
}

/* Whoever sets the wall clock, back or forth, makes nobody sign on again, and lets nothing serve twice. */
static void test_clock_set(void **state)
{
    (void)state;
    steady_fix(steady_now());
    struct nonce nonce = fresh();
    assert_int_equal(nonce_use(&nonce, 1, SECONDS), NONCE_NEW);
    int64_t real = filetime_now(), steady = steady_now();
    for (int hours = -48; hours <= 48; hours += 12) {
        filetime_fix(real + hours * INT64_C(3600) * FILETIME_SECOND);
        assert_false(nonce_is_stale(&nonce, SECONDS));
        assert_int_equal(nonce_use(&nonce, 1, SECONDS), NONCE_REPLAYED);
        struct nonce other = fresh();
        assert_false(nonce_is_stale(&other, SECONDS));
        assert_int_equal(nonce_use(&other, 1, SECONDS), NONCE_NEW);
        assert_int_equal(nonce_use(&other, 1, SECONDS), NONCE_REPLAYED);
    }
    steady_fix(steady + SECONDS * FILETIME_SECOND);
    assert_false(nonce_is_stale(&nonce, SECONDS));
    steady_fix(steady + (SECONDS + 1) * FILETIME_SECOND);
    assert_true(nonce_is_stale(&nonce, SECONDS));
}

/* More nonces than there is room for: what was pushed out is not known, and never taken for new; who comes now gets in, clock set back or not. */
static void test_flood(void **state)
{
    enum { N = 20000 };
    struct nonce *nonces = calloc(N, sizeof *nonces);
    unsigned n_replayed = 0, n_forgotten = 0;
    (void)state;
    assert_non_null(nonces);
    for (size_t i = 0; i < N; i++) {
        nonces[i] = fresh();
        assert_int_equal(nonce_use(&nonces[i], 1, SECONDS), NONCE_NEW);
    }
    for (size_t i = 0; i < N; i++) {
        enum nonce_use use = nonce_use(&nonces[i], 1, SECONDS);
        assert_true(use != NONCE_NEW);
        if (use == NONCE_REPLAYED)
            n_replayed++;
        else
            n_forgotten++;
    }
    assert_true(n_replayed > 0 && n_replayed <= 4096 && n_forgotten >= N - 4096);
    filetime_fix(filetime_now() - 3600 * FILETIME_SECOND);
    steady_fix(nonces[N - 1].made + 1);
    for (size_t i = 0; i < 100; i++) {
        struct nonce late = fresh();
        assert_int_equal(nonce_use(&late, 1, SECONDS), NONCE_NEW);
        steady_fix(steady_now() + 1);
    }
    free(nonces);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_whose, end),
        cmocka_unit_test_teardown(test_counts, end),
        cmocka_unit_test_teardown(test_clock_set, end),
        cmocka_unit_test_teardown(test_flood, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
