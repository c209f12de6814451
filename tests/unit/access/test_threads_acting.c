/*
 * Whose credentials threads have by default while others impersonate: each its own. Needs root.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "support/access_world.h"
#include <pthread.h>
#include <string.h>
#include <unistd.h>
#include <win32/winbase.h>

#define OURS "EXAMPLE\\rooted" /* the process's own default credentials */

/* The process has default credentials, which no client's thread may get. */
static int set_up(void **state)
{
    int failed = access_setup_root(state);
    access_default_credentials();
    return failed;
}

static HANDLE logged_on(const char *user)
{
    HANDLE token = NULL;
    assert_true(LogonUserA(user, "EXAMPLE", "Password1!", LOGON32_LOGON_INTERACTIVE, LOGON32_PROVIDER_DEFAULT, &token));
    return token;
}

#define ROUNDS 50

struct actor {
    const char *user, *expected; /* user NULL: the process itself */
    pthread_barrier_t *together;
    bool good;
};

static void *actor_run(void *argument)
{
    struct actor *actor = argument;
    HANDLE token = NULL;
    actor->good = actor->user == NULL || LogonUserA(actor->user, "EXAMPLE", "Password1!", LOGON32_LOGON_INTERACTIVE,
                                                    LOGON32_PROVIDER_DEFAULT, &token);
    pthread_barrier_wait(actor->together);
    for (int i = 0; i < ROUNDS && actor->good; i++) {
        actor->good = (token == NULL || ImpersonateLoggedOnUser(token)) && access_acts_as("NTLM", actor->expected) &&
                      access_acts_as("Negotiate", actor->expected) && RevertToSelf() && access_acts_as("NTLM", OURS);
        if (i == ROUNDS / 2)
            actor->good = actor->good && (token == NULL || ImpersonateLoggedOnUser(token)); /* from within to within */
    }
    RevertToSelf();
    if (token != NULL)
        CloseHandle(token);
    return NULL;
}

static void test_threads(void **state)
{
    pthread_barrier_t together;
    struct actor actors[] = {{"alice", "EXAMPLE\\alice", &together, false},
                             {NULL, OURS, &together, false},
                             {"bob", "EXAMPLE\\bob", &together, false},
                             {"alice", "EXAMPLE\\alice", &together, false}};
    pthread_t threads[COUNT_OF(actors)];
    (void)state;
    pthread_barrier_init(&together, NULL, COUNT_OF(actors));
    for (size_t i = 0; i < COUNT_OF(actors); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, actor_run, &actors[i]), 0);
    for (size_t i = 0; i < COUNT_OF(actors); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(actors[i].good);
    }
    pthread_barrier_destroy(&together);
}

/* Four threads with one token begin at once: all get the one credential. */
static void *sharer_run(void *argument)
{
    struct actor *actor = argument;
    pthread_barrier_wait(actor->together);
    actor->good = true;
    for (int i = 0; i < ROUNDS && actor->good; i++)
        actor->good = ImpersonateLoggedOnUser((HANDLE)(uintptr_t)actor->user) &&
                      access_acts_as("NTLM", actor->expected) && RevertToSelf();
    return NULL;
}

static void test_threads_with_one_token(void **state)
{
    pthread_barrier_t together;
    pthread_t threads[4];
    struct actor actors[4];
    (void)state;
    for (int round = 0; round < 10; round++) {
        HANDLE token = logged_on("alice");
        pthread_barrier_init(&together, NULL, 4);
        for (int i = 0; i < 4; i++) {
            actors[i] = (struct actor){(const char *)token, "EXAMPLE\\alice", &together, false};
            assert_int_equal(pthread_create(&threads[i], NULL, sharer_run, &actors[i]), 0);
        }
        for (int i = 0; i < 4; i++) {
            assert_int_equal(pthread_join(threads[i], NULL), 0);
            assert_true(actors[i].good);
        }
        pthread_barrier_destroy(&together);
        assert_true(CloseHandle(token));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_threads_with_one_token),
    };
    return cmocka_run_group_tests(tests, set_up, access_teardown);
}
