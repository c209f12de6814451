/* Guarded locks across fork: all of them, however many, are held while it happens, and free on both sides after it. Children know that they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fork.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#define MANY 500 /* the library has some 70 */

static struct {
    char other;
    pthread_mutex_t lock;
} many[MANY] = {[0 ... MANY - 1] = {0, PTHREAD_MUTEX_INITIALIZER}};
static pthread_mutex_t low = PTHREAD_MUTEX_INITIALIZER, high = PTHREAD_MUTEX_INITIALIZER;
static unsigned n_held;

static unsigned count(int wanted)
{
    unsigned n = 0;
    for (unsigned i = 0; i < MANY + 2; i++) {
        pthread_mutex_t *lock = i == MANY ? &low : i == MANY + 1 ? &high : &many[i].lock;
        int answer = pthread_mutex_trylock(lock);
        n += answer == wanted;
        if (answer == 0)
            pthread_mutex_unlock(lock);
    }
    return n;
}

/* Registered before the library's own, and so called after them. */
static void look(void)
{
    n_held = count(EBUSY);
}

__attribute__((constructor(101))) static void look_at_forks(void)
{
    (void)pthread_atfork(look, NULL, NULL);
}

FORK_GUARD_ALL(many, lock, FORK_RANK_REPLAY)

static struct fork_guarded first = {&low, 1, 0, FORK_RANK_CONFIG, NULL}, last = {&high, 1, 0, FORK_RANK_SECRETS, NULL};

__attribute__((constructor)) static void guard_others(void)
{
    fork_guard(&last);
    fork_guard(&first);
}

/* The order in which they are taken. */
static void ranks_ascend(void **state)
{
    bool last_seen = false, many_seen = false;
    (void)state;
    for (const struct fork_guarded *each = &first; each != NULL; each = each->next) {
        assert_true(each->next == NULL || each->next->rank >= each->rank);
        last_seen |= each == &last;
        many_seen |= each->first == &many[0].lock;
    }
    assert_true(last_seen && many_seen);
}

static void all_are_held_and_given_back(void **state)
{
    (void)state;
    assert_int_equal(count(0), MANY + 2);
    pid_t child = fork();
    if (child == 0)
        _exit(count(0) == MANY + 2 ? 0 : 1);
    assert_true(child > 0);
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(n_held, MANY + 2);
    assert_int_equal(count(0), MANY + 2);
}

static void forks_are_counted(void **state)
{
    unsigned before = fork_count();
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        pid_t grandchild = fork_count() == before + 1 ? fork() : -1;
        if (grandchild == 0)
            _exit(fork_count() == before + 2 ? 0 : 1);
        int status = -1;
        _exit(waitpid(grandchild, &status, 0) == grandchild && status == 0 ? 0 : 1);
    }
    assert_true(child > 0);
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(fork_count(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_ascend),
        cmocka_unit_test(all_are_held_and_given_back),
        cmocka_unit_test(forks_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
