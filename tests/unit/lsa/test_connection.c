/*
 * Where a socket may be trusted to be.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lsa/connection.h"
#include "support/place.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STRANGER 61999

static char directory[PLACE_LEN];
static char path[PLACE_LEN + 16];

static void whose_it_is(void **state)
{
    (void)state;
    assert_true(lsa_directory_is_safe(path, geteuid()));
    assert_true(lsa_directory_is_safe(path, STRANGER)); /* ours, whoever listens */
    assert_int_equal(chmod(directory, 0755), 0);
    assert_true(lsa_directory_is_safe(path, STRANGER));
    if (getuid() != 0)
        skip(); /* CI is root */
    assert_int_equal(chown(directory, STRANGER, (gid_t)-1), 0);
    assert_true(lsa_directory_is_safe(path, STRANGER));
    assert_false(lsa_directory_is_safe(path, STRANGER + 1));
    assert_false(lsa_directory_is_safe(path, geteuid()));
    assert_int_equal(chown(directory, getuid(), (gid_t)-1), 0);
}

static void who_else_may_write(void **state)
{
    static const mode_t open_to_others[] = {0770, 0720, 0707, 0702, 01777};
    (void)state;
    for (size_t i = 0; i < sizeof open_to_others / sizeof open_to_others[0]; i++) {
        assert_int_equal(chmod(directory, open_to_others[i]), 0);
        assert_false(lsa_directory_is_safe(path, geteuid()));
    }
    assert_int_equal(chmod(directory, 0700), 0);
    assert_true(lsa_directory_is_safe(path, geteuid()));
}

static void no_directory(void **state)
{
    char long_path[300];
    struct stat root;
    (void)state;
    memset(long_path, 'a', sizeof long_path);
    long_path[0] = '/';
    long_path[sizeof long_path - 3] = '/';
    long_path[sizeof long_path - 1] = '\0';
    assert_false(lsa_directory_is_safe("lsa.sock", geteuid()));
    assert_false(lsa_directory_is_safe("", geteuid()));
    assert_false(lsa_directory_is_safe("/nowhere/lsa.sock", geteuid()));
    assert_false(lsa_directory_is_safe("/etc/passwd/lsa.sock", geteuid()));
    assert_false(lsa_directory_is_safe(long_path, geteuid()));
    assert_int_equal(stat("/", &root), 0);
    assert_int_equal(lsa_directory_is_safe("/lsa.sock", geteuid()),
                     root.st_uid == 0 && (root.st_mode & (S_IWGRP | S_IWOTH)) == 0);
}

static int begin(void **state)
{
    (void)state;
    assert_true(place_make(directory));
    snprintf(path, sizeof path, "%s/lsa.sock", directory);
    return 0;
}

static int end(void **state)
{
    (void)state;
    place_remove(directory);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whose_it_is),
        cmocka_unit_test(who_else_may_write),
        cmocka_unit_test(no_directory),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
