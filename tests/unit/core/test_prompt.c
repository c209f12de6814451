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
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
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
        cmocka_unit_test(test_program_ends),
        cmocka_unit_test(test_program_ends_unknown),
    };
    return cmocka_run_group_tests(tests, place_made, place_removed);
}
