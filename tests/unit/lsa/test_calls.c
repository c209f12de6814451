/*
 * System calls fail between a program and the daemon that acts for it: the program's, then the daemon's. Each of them, in each way, alone and with
 * all that follow; afterwards the same daemon does the same work.
 * build: all
 */
#include "support/failing/calls.h"
#include "support/failing/handshake.h"
#include "support/identity.h"
#include "support/lsa_daemon.h"
#include "support/ntlm_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sspi_ext.h>
#include <stdio.h>

static char configuration[512], socket_path[108];
static pid_t daemon_pid;

static void renew(void)
{
    loop_configure(configuration);
    assert_int_equal(lsa_daemon_pid(), daemon_pid);
}

/* Whatever became of the way to the daemon, or of the daemon's to its files: nobody's password was wrong. */
static bool blames_no_password(const struct call_failure *failure, long status)
{
    (void)failure;
    return status != SEC_E_LOGON_DENIED && status != SEC_E_NO_CREDENTIALS;
}

static void sweep(const char *name, char *password, SECURITY_STATUS usual)
{
    SEC_WINNT_AUTH_IDENTITY_A alice = identity_of("alice", "EXAMPLE", password);
    struct failing_handshake work = {
        .package = "NTLM", .client_auth = &alice, .flags = ISC_REQ_CONFIDENTIALITY, .usual = usual, .renew = renew};
    const struct calls_sweep sweep = {.name = name,
                                      .run = failing_handshake_run,
                                      .after = failing_handshake_after,
                                      .allows = usual == SEC_E_OK ? blames_no_password : NULL,
                                      .data = &work};
    if (failing_handshake_run(&work) != usual)
        fail_msg("%s: %s", name, OpenSspiLastErrorText());
    assert_true(calls_sweep(&sweep) > 20);
}

static void start(void)
{
    loop_configure(NULL); /* makes the directory */
    snprintf(socket_path, sizeof socket_path, "%s/lsa.sock", loop_directory());
    snprintf(configuration, sizeof configuration,
             "lockout_threshold = 0\n[lsa]\nmode = daemon\nsocket = %s\nanswer_seconds = 60\n", socket_path);
    loop_configure(configuration);
}

static void both(const char *right_name, const char *wrong_name)
{
    char right[] = "Password1!", wrong[] = "Password2!";
    lsa_daemon_start(socket_path);
    daemon_pid = lsa_daemon_pid();
    sweep(right_name, right, SEC_E_OK);
    sweep(wrong_name, wrong, SEC_E_LOGON_DENIED);
    lsa_daemon_stop(); /* asserts that it ends well, with nothing leaked */
}

static void test_program(void **state)
{
    (void)state;
    both("program", "program, wrong password");
}

static void test_daemon(void **state)
{
    char path[128];
    (void)state;
    snprintf(path, sizeof path, "%s/calls", loop_directory());
    assert_true(calls_of_another(path, TEST_LIBRARIES "/failing_calls.so"));
    both("daemon", "daemon, wrong password");
}

static int begin(void **state)
{
    (void)state;
    start();
    return 0;
}

static int end(void **state)
{
    (void)state;
    lsa_daemon_stop();
    loop_cleanup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_program), cmocka_unit_test(test_daemon)};
    return cmocka_run_group_tests(tests, begin, end);
}
