/*
 * What the daemon can do no more, each in a child that gave it up. Under a sanitizer there is no filter (lsad/sandbox.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server.h"
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FILTERED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define FILTERED 0
#endif
#endif
#ifndef FILTERED
#define FILTERED 1
#endif

/* What waitpid said of a child that entered the sandbox and did this. */
static int inside(int (*act)(void))
{
    int status = -1;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bool locked;
        _exit(sandbox_enter(NULL, &locked) ? act() : 100);
    }
    while (waitpid(child, &status, 0) < 0)
        ;
    return status;
}

static int refused(long result)
{
    return result == -1 && errno == EPERM ? 0 : 1;
}

static void *thread_run(void *argument)
{
    *(int *)argument = 42;
    return NULL;
}

static int work(void)
{
    pthread_t thread;
    int answer = 0, pair[2];
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST}, *found = NULL;
    if (pthread_create(&thread, NULL, thread_run, &answer) != 0 || pthread_join(thread, NULL) != 0 || answer != 42)
        return 1;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 || socket(AF_INET, SOCK_DGRAM, 0) < 0)
        return 2;
    if (getaddrinfo("127.0.0.1", "88", &hints, &found) != 0)
        return 3;
    freeaddrinfo(found);
    int on = 1;
    if (ioctl(pair[0], FIONBIO, &on) != 0)
        return 4;
    FILE *file = fopen("/etc/passwd", "r");
    if (file == NULL || getpwuid(0) == NULL)
        return 5;
    (void)fclose(file);
    void *block = malloc(16 << 20);
    free(block);
    return block != NULL ? 0 : 6;
}

static void test_work_goes_on(void **state)
{
    (void)state;
    assert_int_equal(inside(work), 0);
}

static int cores(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_cur != 0 || limit.rlim_max != 0)
        return 1;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0)
        return 2;
    return !FILTERED || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : 3;
}

static int dumpable_again(void)
{
    return refused(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int core_again(void)
{
    const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
    return refused(setrlimit(RLIMIT_CORE, &all));
}

static int forks(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    return refused(child);
}

static int sockets(void)
{
    static const int families[] = {AF_NETLINK, AF_PACKET, AF_VSOCK, AF_BLUETOOTH, AF_ALG};
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (refused(socket(families[i], SOCK_RAW, 0)) != 0)
            return 1;
    return 0;
}

static int writes_and_runs(void)
{
    void *room = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room != MAP_FAILED || errno != EPERM)
        return 1;
    room = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return room != MAP_FAILED ? refused(mprotect(room, 4096, PROT_READ | PROT_EXEC)) : 2;
}

static int signals_others(void)
{
    return refused(kill(getppid(), 0));
}

static int types_for_others(void)
{
    char byte = 'x';
    return refused(ioctl(0, TIOCSTI, &byte));
}

static void test_refused(void **state)
{
    (void)state;
    assert_int_equal(inside(cores), 0);
    if (!FILTERED)
        return;
    assert_int_equal(inside(dumpable_again), 0);
    assert_int_equal(inside(core_again), 0);
    assert_int_equal(inside(forks), 0);
    assert_int_equal(inside(sockets), 0);
    assert_int_equal(inside(writes_and_runs), 0);
    assert_int_equal(inside(signals_others), 0);
    assert_int_equal(inside(types_for_others), 0);
}

static int runs_a_program(void)
{
    return execl("/bin/true", "true", NULL);
}

static int another_space(void)
{
    return unshare(CLONE_NEWUSER);
}

static int becomes_root(void)
{
    return setresuid(0, 0, 0);
}

static int aborts(void)
{
    abort();
}

/* The process ends by the filter's signal. */
static void test_deadly(void **state)
{
    (void)state;
    int status = inside(aborts);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    if (!FILTERED)
        return;
    int (*const acts[])(void) = {runs_a_program, another_space, becomes_root};
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        status = inside(acts[i]);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGSYS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_work_goes_on),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_deadly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
