/*
 * SSPI_TRACE=stderr goes where the program's standard error goes, and never into a file that has its number by chance. Each case is a run of this
 * program itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/trace.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[] = "/tmp/opensspi-stderr-XXXXXX";

static int own_open(const char *name, int flags)
{
    return open(name, flags | O_CREAT, 0600);
}

static void line(const char *text)
{
    if (trace_on())
        trace_write("test", "%s", text);
}

/* What the child does with its standard error; false: it could not. */
static bool child_act(const char *act)
{
    bool done = true;
    int pair[2];
    if (strcmp(act, "closed") == 0)
        close(STDERR_FILENO);
    if (strcmp(act, "taken") == 0) {
        close(STDERR_FILENO);
        done = own_open("own", O_RDWR) == STDERR_FILENO;
    }
    if (strcmp(act, "taken by one to append to") == 0) {
        close(STDERR_FILENO);
        done = own_open("own", O_WRONLY | O_APPEND | O_CLOEXEC) == STDERR_FILENO;
    }
    if (strcmp(act, "taken by a socket") == 0) {
        close(STDERR_FILENO);
        done = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0 && pair[0] == STDERR_FILENO;
        line("one");
        char byte;
        return done && recv(pair[1], &byte, 1, 0) < 0;
    }
    if (strcmp(act, "a log") == 0)
        done = freopen("own", "a", stderr) != NULL;
    line("one");
    return done;
}

static bool child_comes_back(void)
{
    int kept = dup(STDERR_FILENO), own;
    line("one");
    close(STDERR_FILENO);
    own = own_open("own", O_RDWR);
    line("two");
    bool done = own == STDERR_FILENO && dup2(kept, STDERR_FILENO) == STDERR_FILENO;
    line("three");
    return done;
}

static void run(const char *act)
{
    int status;
    (void)unlink("errors");
    (void)unlink("own");
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int errors = own_open("errors", O_WRONLY);
        if (errors < 0 || dup2(errors, STDERR_FILENO) != STDERR_FILENO ||
            (errors > STDERR_FILENO && close(errors) != 0) || setenv("SSPI_TRACE", "stderr", 1) != 0)
            _exit(2);
        execl("/proc/self/exe", "child", act, (char *)NULL);
        _exit(3);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static const char *text_of(const char *name)
{
    static char text[1024];
    FILE *file = fopen(name, "r");
    size_t len = file != NULL ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file != NULL)
        fclose(file);
    text[len] = '\0';
    return text;
}

static void test_as_it_was(void **state)
{
    (void)state;
    run("nothing");
    assert_non_null(strstr(text_of("errors"), "test: one\n"));
}

static void test_taken(void **state)
{
    static const char *const acts[] = {"closed", "taken", "taken by one to append to", "taken by a socket"};
    (void)state;
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        run(acts[i]);
        assert_string_equal(text_of("own"), "");
        assert_string_equal(text_of("errors"), "");
    }
}

/* A program that writes a log of its own has the trace in it. */
static void test_log(void **state)
{
    (void)state;
    run("a log");
    assert_non_null(strstr(text_of("own"), "test: one\n"));
    assert_string_equal(text_of("errors"), "");
}

static void test_comes_back(void **state)
{
    (void)state;
    run("comes back");
    assert_string_equal(text_of("own"), "");
    assert_non_null(strstr(text_of("errors"), "test: one\n"));
    assert_null(strstr(text_of("errors"), "two"));
    assert_non_null(strstr(text_of("errors"), "test: three\n"));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_as_it_was), cmocka_unit_test(test_taken),
                                       cmocka_unit_test(test_log), cmocka_unit_test(test_comes_back)};
    if (argc > 1)
        return (strcmp(argv[1], "comes back") == 0 ? child_comes_back() : child_act(argv[1])) ? 0 : 1;
    if (mkdtemp(directory) == NULL || chdir(directory) != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)unlink("errors");
    (void)unlink("own");
    (void)rmdir(directory);
    return failed;
}
