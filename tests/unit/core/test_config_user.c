/*
 * Whose store it is where no file names one: root's or a user's, by the ids of the process when it first asked. Each case is a process of its own;
 * who is not root can only be himself in it. Set-user-ID programs: tests/cli/test_set_user_id.py.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "core/config.h"
#include "support/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define USER 7654
#define OTHER 7655
#define ROOTS_STORE "sqlite:/var/lib/opensspi/accounts.db"

static char place[PLACE_LEN], users_store[PLACE_LEN + 64];

struct ids {
    uid_t real, effective, saved;
};

static bool become(struct ids ids)
{
    return setresuid(ids.real, ids.effective, ids.saved) == 0;
}

static bool store_is(const char *wanted)
{
    const struct config *config;
    if (config_get(&config) != SEC_E_OK)
        return false;
    bool is = config->stores.n_items == 1 && strcmp(config->stores.item[0], wanted) == 0;
    if (!is)
        fprintf(stderr, "%s, not %s\n", config->stores.n_items > 0 ? config->stores.item[0] : "none", wanted);
    config_release(config);
    return is;
}

static const char *store_of(uid_t user)
{
    return user == 0 ? ROOTS_STORE : users_store;
}

static bool in_child(bool (*check)(struct ids ids), struct ids ids)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(check(ids) ? 0 : 1);
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static bool is_the_real_users(struct ids ids)
{
    return become(ids) && store_is(store_of(ids.real));
}

/* A thread may act as somebody else when it first asks: the effective id, and in a program that is not set-user-ID the saved one, decide nothing. */
static void test_the_real_user_decides(void **state)
{
    static const struct ids all[] = {{0, USER, 0},    {0, 0, USER},    {0, USER, USER},   {USER, 0, 0},
                                     {USER, 0, USER}, {USER, USER, 0}, {USER, USER, USER}};
    const struct ids own = {getuid(), getuid(), getuid()};
    (void)state;
    assert_true(in_child(is_the_real_users, own));
    if (geteuid() == 0)
        for (size_t i = 0; i < COUNT_OF(all); i++)
            assert_true(in_child(is_the_real_users, all[i]));
}

static bool is_another_process(struct ids ids)
{
    return store_is(store_of(ids.real));
}

/* The process stays what it was, whoever its host becomes afterwards; a child says it once more, and for its own children. */
static bool stays(struct ids later)
{
    uid_t first = getuid();
    return store_is(store_of(first)) && become(later) && store_is(store_of(first)) &&
           in_child(is_another_process, later) && store_is(store_of(first));
}

static void test_a_process_says_it_once(void **state)
{
    static const struct ids all[] = {{0, USER, 0}, {USER, 0, 0}, {USER, USER, USER}, {OTHER, USER, 0}};
    const struct ids own = {getuid(), getuid(), getuid()};
    (void)state;
    assert_true(in_child(stays, own));
    if (geteuid() == 0)
        for (size_t i = 0; i < COUNT_OF(all); i++)
            assert_true(in_child(stays, all[i]));
}

static int begin(void **state)
{
    char conf[PLACE_LEN + 16];
    (void)state;
    if (!place_make(place))
        return -1;
    place_configure(place, "[names]\ncomputer = HOST\n");
    snprintf(conf, sizeof conf, "%s/opensspi.conf", place);
    snprintf(users_store, sizeof users_store, "sqlite:%s/.local/share/opensspi/accounts.db", place);
    unsetenv("XDG_DATA_HOME");
    return setenv("HOME", place, 1) != 0 || chmod(conf, 0644) != 0 ||
           chmod(place, 0755) != 0; /* whoever the cases are */
}

static int end(void **state)
{
    (void)state;
    place_remove(place);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_real_user_decides),
                                       cmocka_unit_test(test_a_process_says_it_once)};
    return cmocka_run_group_tests(tests, begin, end);
}
