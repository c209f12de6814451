/* Which message numbers are new, where numbers wrap around. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kerberos/window.h"

static void window_wraps_around(void **state)
{
    struct window window = {.replay = true, .narrow = true};
    (void)state;
    window_start(&window, 0xfffffffe);
    assert_int_equal(window_check(&window, 0xfffffffd), WINDOW_REPLAYED); /* before the first */
    window_commit(&window, 0xfffffffe);
    assert_int_equal(window_check(&window, 1), WINDOW_NEW);
    window_commit(&window, 1);
    assert_int_equal(window.next, 2);
    assert_int_equal(window_check(&window, 0xfffffffe), WINDOW_REPLAYED);
    assert_int_equal(window_check(&window, 0xffffffff), WINDOW_NEW);
    window_commit(&window, 0xffffffff);
    assert_int_equal(window_check(&window, 0xffffffff), WINDOW_REPLAYED);
    assert_int_equal(window_check(&window, 0x80000003), WINDOW_OLD);
    window = (struct window){.replay = true};
    window_start(&window, UINT64_MAX);
    window_commit(&window, UINT64_MAX);
    assert_int_equal(window.next, 0);
    window_commit(&window, 70);
    assert_int_equal(window_check(&window, 7), WINDOW_NEW);
    assert_int_equal(window_check(&window, 6), WINDOW_OLD);
    assert_int_equal(window_check(&window, UINT64_MAX), WINDOW_OLD);
    for (uint64_t i = 70; i-- > 7;) {
        assert_int_equal(window_check(&window, i), WINDOW_NEW);
        window_commit(&window, i);
        assert_int_equal(window_check(&window, i), WINDOW_REPLAYED);
    }
}

static void order_is_kept(void **state)
{
    struct window window = {.replay = true, .sequence = true};
    (void)state;
    window_start(&window, 5);
    assert_int_equal(window_check(&window, 5), WINDOW_NEW);
    assert_int_equal(window_check(&window, 6), WINDOW_GAP);
    window_commit(&window, 6);
    assert_int_equal(window_check(&window, 7), WINDOW_NEW);
    assert_int_equal(window_check(&window, 5), WINDOW_REORDERED);
    assert_int_equal(window_check(&window, 6), WINDOW_REPLAYED);
    window_commit(&window, 5);
    assert_int_equal(window_check(&window, 5), WINDOW_REPLAYED);
    assert_int_equal(window_check(&window, 7), WINDOW_NEW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_kept),
        cmocka_unit_test(window_wraps_around),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
