/*
 * Asking the user: a program whose answer counts only where it is known to have ended well; a terminal, which gets its echo back.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "core/cause.h"
#include "core/prompt.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static char askpass[] = "/tmp/opensspi-askpass-XXXXXX";

static void askpass_write(const char *lines)
{
    FILE *file = fopen(askpass, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\n%s\n", lines);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(askpass, 0700), 0);
}

static SECURITY_STATUS asked(struct identity *identity)
{
    cause_clear();
    return prompt_identity(askpass, "HTTP/server", "alice", "EXAMPLE", identity);
}

static const struct {
    const char *lines;
    bool good;
} endings[] = {
    {"echo secret", true},
    {"echo secret; exit 0", true},
    {"printf secret", true}, /* without a newline */
    {"echo", true},          /* an empty password */
    {"exit 0", false},
    {"echo no display; exit 1", false},
    {"printf 'no display'; exit 1", false},
    {"echo secret; kill -9 $$", false},
};

static void test_program_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(endings); i++) {
        AUTO_IDENTITY struct identity identity = {0};
        askpass_write(endings[i].lines);
        if (asked(&identity) != (endings[i].good ? SEC_E_OK : SEC_E_NO_CREDENTIALS))
            fail_msg("%s: %s", endings[i].lines, cause_text());
        assert_true(identity.has_password == endings[i].good);
    }
}

static void nothing_done(int number)
{
    (void)number;
}

static void all_reaped(int number)
{
    (void)number;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

/* Where the process has its children reaped, nobody knows how the program ended: what it wrote may be of a failure. */
static void test_program_ends_unknown(void **state)
{
    static const struct sigaction dispositions[] = {
        {.sa_handler = SIG_IGN},
        {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT},
        {.sa_handler = nothing_done, .sa_flags = SA_NOCLDWAIT | SA_RESTART},
    };
    struct sigaction before;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(dispositions) * COUNT_OF(endings); i++) {
        AUTO_IDENTITY struct identity identity = {0};
        askpass_write(endings[i % COUNT_OF(endings)].lines);
        assert_int_equal(sigaction(SIGCHLD, &dispositions[i / COUNT_OF(endings)], &before), 0);
        SECURITY_STATUS status = asked(&identity);
        assert_int_equal(sigaction(SIGCHLD, &before, NULL), 0);
        if (status != SEC_E_NO_CREDENTIALS)
            fail_msg("%s: 0x%08x", endings[i % COUNT_OF(endings)].lines, (unsigned)status);
        assert_non_null(strstr(cause_text(), "SIGCHLD"));
        assert_true(!identity.has_password && identity.user == NULL);
    }
    /* The same where its handler takes every child's status: then it may be known, or not, but is never taken for good. */
    const struct sigaction reaper = {.sa_handler = all_reaped, .sa_flags = SA_RESTART};
    AUTO_IDENTITY struct identity identity = {0};
    askpass_write("echo no display; exit 1");
    assert_int_equal(sigaction(SIGCHLD, &reaper, &before), 0);
    for (int i = 0; i < 20; i++)
        assert_int_equal(asked(&identity), SEC_E_NO_CREDENTIALS);
    assert_int_equal(sigaction(SIGCHLD, &before, NULL), 0);
}

struct terminal {
    int screen, line; /* the end of who types, and the terminal itself, which this test keeps to look at it */
    pid_t asking;
};

static void come(int number)
{
    (void)number;
}

/* In a session of its own, at the terminal: ends with 0 for an answer that is `wanted`, 1 for none, and 16 more for each signal that came. */
_Noreturn static void ask_there(const char *path, const char *wanted, bool by_default)
{
    static const int numbers[] = {SIGINT, SIGQUIT, SIGTSTP};
    const struct sigaction handler = {.sa_handler = by_default ? SIG_DFL : come};
    AUTO_IDENTITY struct identity identity = {0};
    sigset_t all, pending;
    sigemptyset(&all);
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        sigaction(numbers[i], &handler, NULL);
        sigaddset(&all, numbers[i]);
    }
    if (!by_default)
        sigprocmask(SIG_BLOCK, &all, NULL);
    alarm(10);
    if (setsid() < 0 ||
        (path != NULL && open(path, O_RDWR) < 0)) /* the first terminal that is opened is the session's */
        _exit(100);
    SECURITY_STATUS status = prompt_identity(NULL, "HTTP/server", "alice", "EXAMPLE", &identity);
    if (status == SEC_E_OK && (wanted == NULL || identity.password.len != 2 * strlen(wanted)))
        _exit(101);
    int code = status == SEC_E_OK ? 0 : status == SEC_E_NO_CREDENTIALS ? 1 : 102;
    sigemptyset(&pending);
    sigpending(&pending);
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        code += sigismember(&pending, numbers[i]) ? 16 << i : 0;
    _exit(code);
}

static void reads(int fd, const char *wanted)
{
    char shown[512] = "";
    size_t len = 0;
    while (strstr(shown, wanted) == NULL) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&wait, 1, 10000), 1);
        ssize_t got = read(fd, shown + len, sizeof shown - 1 - len);
        assert_true(got > 0);
        len += (size_t)got;
    }
    assert_null(strstr(shown, "secret"));
}

/* How the asking process ended, after `typed`, and `again` (NULL: no more) when it asked once more; the terminal has to be left as it was. */
static int asked_at_terminal(const char *typed, const char *again, const char *wanted, bool by_default)
{
    struct terminal terminal = {.screen = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)};
    struct termios before, after;
    char path[64];
    int ended = -1;
    assert_true(terminal.screen >= 0 && grantpt(terminal.screen) == 0 && unlockpt(terminal.screen) == 0 &&
                ptsname_r(terminal.screen, path, sizeof path) == 0);
    terminal.line = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(terminal.line >= 0);
    assert_int_equal(tcgetattr(terminal.line, &before), 0);
    terminal.asking = fork();
    assert_true(terminal.asking >= 0);
    if (terminal.asking == 0)
        ask_there(path, wanted, by_default);
    reads(terminal.screen, "Password of alice for HTTP/server: ");
    assert_int_equal(write(terminal.screen, typed, strlen(typed)), strlen(typed));
    if (again != NULL) {
        reads(terminal.screen, "Password of alice for HTTP/server: ");
        assert_int_equal(write(terminal.screen, again, strlen(again)), strlen(again));
    }
    assert_int_equal(waitpid(terminal.asking, &ended, 0), terminal.asking);
    assert_int_equal(tcgetattr(terminal.line, &after), 0);
    assert_int_equal(after.c_lflag, before.c_lflag);
    assert_memory_equal(after.c_cc, before.c_cc, sizeof before.c_cc);
    close(terminal.line);
    close(terminal.screen);
    return ended;
}

/* Who leaves a question for a password by the keyboard does so once the terminal is what it was: with its echo. */
static void test_terminal(void **state)
{
    static const struct {
        const char *typed, *again, *wanted;
        int code;
    } cases[] = {
        {"secret\n", NULL, "secret", 0},
        {"\n", NULL, "", 0},
        {"wrong\025secret\n", NULL, "secret", 0}, /* the line is edited */
        {"\004", NULL, NULL, 1},
        {"\003", NULL, NULL, 1 + 16},
        {"secret\003", NULL, NULL, 1 + 16},
        {"sec\034\n", NULL, NULL, 1 + 32},
        {"\032", "secret\n", "secret", 64},
        {"sec\032", "\n", "", 64},
        {"sec\032", "\003", NULL, 1 + 64 + 16},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int ended = asked_at_terminal(cases[i].typed, cases[i].again, cases[i].wanted, false);
        if (!WIFEXITED(ended) || WEXITSTATUS(ended) != cases[i].code)
            fail_msg("case %zu: ended with 0x%x", i, (unsigned)ended);
    }
    int ended = asked_at_terminal("\003", NULL, NULL, true);
    assert_true(WIFSIGNALED(ended) && WTERMSIG(ended) == SIGINT);
}

#ifndef OPENSSPI_VALGRIND /* which stops nobody */
static void *ask_in_thread(void *unused)
{
    AUTO_IDENTITY struct identity identity = {0};
    (void)unused;
    SECURITY_STATUS status = prompt_identity(NULL, "HTTP/server", "alice", "EXAMPLE", &identity);
    _exit(status == SEC_E_OK && identity.password.len == 2 * strlen("secret") ? 0 : 1);
}

/* A shell that has one job, in the foreground, of which another thread than the first asks; 0: it stopped once, with the echo on, and got its
 * answer. */
_Noreturn static void shell(const char *path, bool threaded)
{
    int status, terminal = -1;
    struct termios stopped;
    alarm(20);
    if (setsid() < 0 || (terminal = open(path, O_RDWR)) < 0)
        _exit(100);
    pid_t job = fork();
    if (job == 0) {
        pthread_t thread;
        alarm(20);
        signal(SIGTTOU, SIG_IGN);
        if (setpgid(0, 0) != 0 || tcsetpgrp(terminal, getpgrp()) != 0)
            _exit(101);
        if (threaded && pthread_create(&thread, NULL, ask_in_thread, NULL) == 0)
            for (;;)
                pause();
        ask_in_thread(NULL);
    }
    bool quiet = waitpid(job, &status, WUNTRACED) != job || !WIFSTOPPED(status) || tcgetattr(terminal, &stopped) != 0 ||
                 (stopped.c_lflag & ECHO) == 0;
    kill(-job, SIGCONT);
    bool ended = waitpid(job, &status, WUNTRACED) == job && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    _exit(quiet ? 102 : ended ? 0 : 103);
}

/* Who stops the process has his terminal back, whichever thread asks. */
static void test_stopped(void **state)
{
    (void)state;
    for (int i = 0; i < 16; i++) {
        int screen = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), ended;
        char path[64];
        assert_true(screen >= 0 && grantpt(screen) == 0 && unlockpt(screen) == 0 &&
                    ptsname_r(screen, path, sizeof path) == 0);
        pid_t asking = fork();
        assert_true(asking >= 0);
        if (asking == 0)
            shell(path, i % 4 != 0);
        reads(screen, "Password of alice for HTTP/server: ");
        assert_int_equal(write(screen, "sec\032", 4), 4);
        reads(screen, "Password of alice for HTTP/server: ");
        assert_int_equal(write(screen, "secret\n", 7), 7);
        assert_int_equal(waitpid(asking, &ended, 0), asking);
        if (!WIFEXITED(ended) || WEXITSTATUS(ended) != 0)
            fail_msg("round %d: ended with 0x%x", i, (unsigned)ended);
        close(screen);
    }
}
#endif

static void test_no_terminal(void **state)
{
    int ended;
    (void)state;
    pid_t asking = fork();
    assert_true(asking >= 0);
    if (asking == 0)
        ask_there(NULL, NULL, false);
    assert_int_equal(waitpid(asking, &ended, 0), asking);
    assert_true(WIFEXITED(ended) && WEXITSTATUS(ended) == 1);
}

static int place_made(void **state)
{
    (void)state;
    int fd = mkstemp(askpass);
    return fd >= 0 ? close(fd) : -1;
}

static int place_removed(void **state)
{
    (void)state;
    return unlink(askpass);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_program_ends), cmocka_unit_test(test_program_ends_unknown),
        cmocka_unit_test(test_terminal),     cmocka_unit_test(test_no_terminal),
#ifndef OPENSSPI_VALGRIND
        cmocka_unit_test(test_stopped),
#endif
    };
    return cmocka_run_group_tests(tests, place_made, place_removed);
}
