#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/file_state.h"

static void each_part_counts(void **state)
{
    const struct stat before = {.st_dev = 1,
                                .st_ino = 2,
                                .st_size = 3,
                                .st_mtim = {.tv_sec = 4, .tv_nsec = 5},
                                .st_ctim = {.tv_sec = 6, .tv_nsec = 7}};
    struct stat now[7];
    (void)state;
    for (unsigned i = 0; i < 7; i++)
        now[i] = before;
    now[0].st_dev++;
    now[1].st_ino++;
    now[2].st_size++;
    now[3].st_mtim.tv_sec++;
    now[4].st_mtim.tv_nsec++;
    now[5].st_ctim.tv_sec++;
    now[6].st_ctim.tv_nsec++;
    for (unsigned i = 0; i < 7; i++) {
        assert_false(file_state_equal(&before, &now[i]));
        assert_false(file_state_equal(&now[i], &before));
        assert_true(file_state_equal(&now[i], &now[i]));
    }
}

/* To have read a file is no change of it. */
static void reading_does_not_count(void **state)
{
    const struct stat before = {.st_ino = 2};
    struct stat now = before;
    (void)state;
    now.st_atim.tv_sec++;
    assert_true(file_state_equal(&before, &now));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_part_counts),
        cmocka_unit_test(reading_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
