/* Ctrl+C and its like, and what they interrupt; and children of fork. */
#include "terminal.h"

#include <errno.h>
#include <pthread.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

static volatile LONG events[8], n_events;

static BOOL WINAPI takes(DWORD event)
{
    events[InterlockedIncrement(&n_events) - 1] = (LONG)event;
    return TRUE;
}

static BOOL WINAPI passes_on(DWORD event)
{
    events[InterlockedIncrement(&n_events) - 1] = (LONG)event + 100;
    return FALSE;
}

static void wait_for_events(LONG n)
{
    for (int i = 0; i < PATIENCE / 10 && n_events < n; i++)
        Sleep(10);
    CHECK(n_events == n);
}

static void control_body(void)
{
    WCHAR text[10];
    DWORD n = 9;
    struct sigaction now;
    SetLastError(0);
    CHECK(!SetConsoleCtrlHandler(takes, FALSE) && GetLastError() == ERROR_INVALID_PARAMETER);
    CHECK(SetConsoleCtrlHandler(takes, TRUE) && SetConsoleCtrlHandler(passes_on, TRUE));
    say_so_far();
    /* Ctrl+C ends the read, when the handlers have been called. */
    SetLastError(0);
    CHECK(ReadConsoleW(input, text, 10, &n, NULL) && n == 0 && GetLastError() == ERROR_OPERATION_ABORTED);
    CHECK(n_events == 2 && events[0] == 100 + CTRL_C_EVENT && events[1] == CTRL_C_EVENT);
    CHECK(SetConsoleCtrlHandler(passes_on, FALSE));
    say_so_far();
    wait_for_events(3);
    CHECK(events[2] == CTRL_BREAK_EVENT);
    /* The next read is not ended by what was before. */
    say_so_far();
    read_is("x\r\n", 10);
    /* Ignored, and no longer. */
    CHECK(SetConsoleCtrlHandler(NULL, TRUE));
    CHECK(raise(SIGINT) == 0);
    CHECK(SetConsoleCtrlHandler(NULL, FALSE));
    CHECK(raise(SIGINT) == 0);
    wait_for_events(4);
    CHECK(events[3] == CTRL_C_EVENT);
    /* Without handlers signals are what they were. */
    CHECK(SetConsoleCtrlHandler(takes, FALSE));
    CHECK(sigaction(SIGINT, NULL, &now) == 0 && now.sa_handler == SIG_DFL);
    CHECK(SetConsoleCtrlHandler(takes, TRUE));
    /* A child of fork has nobody to call handlers. */
    int status;
    pid_t child = fork();
    if (child == 0) {
        raise(SIGINT);
        _exit(3);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
    CHECK(n_events == 4);
    /* The end of the session is one, whatever a handler says. */
    say_so_far();
    for (;;)
        pause();
}

static void test_control(void **state)
{
    (void)state;
    pid_t program = start(control_body);
    wait_for_program();
    wait_for_sleep(program);
    types("half a line\x03");
    wait_for_program();
    types("\x1C");
    wait_for_program();
    types("x\n");
    wait_for_program();
    assert_int_equal(kill(program, SIGTERM), 0);
    check_end(program, SIGTERM);
}

static void unhandled_body(void)
{
    struct sigaction ignored = {.sa_handler = SIG_IGN};
    CHECK(sigaction(SIGHUP, &ignored, NULL) == 0);
    CHECK(SetConsoleCtrlHandler(passes_on, TRUE));
    CHECK(raise(SIGHUP) == 0); /* as with nohup */
    Sleep(100);
    CHECK(n_events == 0);
    say_so_far();
    for (;;)
        pause();
}

static void test_control_unhandled(void **state)
{
    (void)state;
    pid_t program = start(unhandled_body);
    wait_for_program();
    types("\x03");
    check_end(program, SIGINT);
}

static bool interrupt_is(void (*disposition)(int))
{
    struct sigaction now;
    return sigaction(SIGINT, NULL, &now) == 0 && now.sa_handler == disposition;
}

/* Handlers, and ignoring Ctrl+C, in every order. */
static void order_body(void)
{
    CHECK(SetConsoleCtrlHandler(NULL, TRUE) && SetConsoleCtrlHandler(takes, TRUE));
    CHECK(raise(SIGINT) == 0 && interrupt_is(SIG_IGN));
    CHECK(SetConsoleCtrlHandler(NULL, FALSE) && raise(SIGINT) == 0);
    wait_for_events(1);
    CHECK(SetConsoleCtrlHandler(NULL, TRUE) && SetConsoleCtrlHandler(takes, FALSE));
    CHECK(interrupt_is(SIG_IGN) && raise(SIGINT) == 0);
    CHECK(SetConsoleCtrlHandler(NULL, FALSE) && interrupt_is(SIG_DFL));
    /* Whoever started the program ignored it: so it stays, until the program says otherwise. */
    CHECK(signal(SIGINT, SIG_IGN) != SIG_ERR && SetConsoleCtrlHandler(takes, TRUE) && interrupt_is(SIG_IGN));
    CHECK(SetConsoleCtrlHandler(NULL, FALSE) && raise(SIGINT) == 0);
    wait_for_events(2);
    CHECK(SetConsoleCtrlHandler(takes, FALSE) && interrupt_is(SIG_DFL));
    CHECK(signal(SIGINT, SIG_IGN) != SIG_ERR && SetConsoleCtrlHandler(NULL, FALSE) && interrupt_is(SIG_DFL));
}

static void test_control_order(void **state)
{
    (void)state;
    check_end(start(order_body), 0);
}

static DWORD aborted_n = 9, aborted_error;

static void *aborted_read(void *unused)
{
    char text[10];
    SetLastError(0);
    (void)ReadConsoleA(input, text, 10, &aborted_n, NULL);
    aborted_error = GetLastError();
    return unused;
}

/* The first handler comes while a read waits already. */
static void late_handler_body(void)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, aborted_read, NULL) == 0);
    Sleep(200);
    CHECK(SetConsoleCtrlHandler(takes, TRUE));
    say_so_far();
    CHECK(pthread_join(thread, NULL) == 0 && aborted_n == 0 && aborted_error == ERROR_OPERATION_ABORTED);
}

static void test_control_late(void **state)
{
    (void)state;
    pid_t program = start(late_handler_body);
    wait_for_program();
    types("\x03");
    check_end(program, 0);
}

/* A child of fork reads its own terminal though a thread of its parent was reading when it began. */
static void fork_body(void)
{
    pthread_t thread;
    int status;
    CHECK(pthread_create(&thread, NULL, aborted_read, NULL) == 0);
    Sleep(200);
    pid_t child = fork();
    if (child == 0) {
        int ours, theirs;
        alarm(10);
        CHECK(openpty(&ours, &theirs, NULL, NULL, NULL) == 0 && dup2(theirs, 0) == 0);
        CHECK(write(ours, "child\n", 6) == 6);
        read_is("child\r\n", 100);
        _exit(7);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7);
    say_so_far();
    CHECK(pthread_join(thread, NULL) == 0 && aborted_n == 8);
}

static void test_fork(void **state)
{
    (void)state;
    pid_t program = start(fork_body);
    wait_for_program();
    types("parent\n");
    check_end(program, 0);
}

static BOOL WINAPI never(DWORD event)
{
    while (event != CTRL_BREAK_EVENT)
        pause();
    return takes(event);
}

/* A handler that does not return stops neither other events nor the end. */
static void blocks_body(void)
{
    CHECK(SetConsoleCtrlHandler(never, TRUE));
    CHECK(raise(SIGINT) == 0 && raise(SIGQUIT) == 0);
    wait_for_events(1);
    CHECK(events[0] == CTRL_BREAK_EVENT && raise(SIGHUP) == 0);
    for (;;)
        pause();
}

static void test_control_blocks(void **state)
{
    (void)state;
    time_t began = time(NULL);
    check_end(start(blocks_body), SIGHUP);
    assert_in_range(time(NULL) - began, 4, 30);
}

/* The first process of a container ends, too; it is 1 in a namespace of its own. */
static void first_process_body(void)
{
    int status;
    CHECK(unshare(CLONE_NEWUSER | CLONE_NEWPID) == 0 || unshare(CLONE_NEWPID) == 0 || errno == EPERM);
    pid_t child = fork();
    if (child == 0) {
        alarm(10);
        CHECK(SetConsoleCtrlHandler(passes_on, TRUE) && raise(SIGTERM) == 0);
        Sleep(10000);
        _exit(3);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) ? WEXITSTATUS(status) == 128 + SIGTERM : WTERMSIG(status) == SIGTERM);
    _exit(0); /* whose first process has ended, that namespace has no other: a sanitizer would start one at the end */
}

static void test_first_process(void **state)
{
    (void)state;
    check_end(start(first_process_body), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_control),       cmocka_unit_test(test_control_unhandled),
        cmocka_unit_test(test_control_order), cmocka_unit_test(test_control_late),
        cmocka_unit_test(test_fork),          cmocka_unit_test(test_control_blocks),
        cmocka_unit_test(test_first_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
