/*
 * System calls fail while Kerberos reads its configuration, a ticket cache and a keytab, and while it makes a session: each of them, in each way,
 * alone and with all that follow. What libkrb5 calls fails as well.
 * build: all
 */
#include "support/failing/calls.h"
#include "support/failing/handshake.h"
#include "support/kerberos_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sspi_ext.h>

static void renew(void)
{
    kerberos_loop_configure(NULL, NULL, NULL);
}

static void sweep(const char *package)
{
    struct failing_handshake work = {.package = package,
                                     .target = "host/server.example.test",
                                     .flags = KERBEROS_PROTECT | ISC_REQ_MUTUAL_AUTH,
                                     .renew = renew};
    const struct calls_sweep sweep = {
        .name = package, .run = failing_handshake_run, .after = failing_handshake_after, .data = &work};
    struct forge forge;
    forge_begin(&forge, KRB_AES256_SHA1);
    kerberos_loop_ticket(&forge);
    if (failing_handshake_run(&work) != SEC_E_OK)
        fail_msg("%s: %s", package, OpenSspiLastErrorText());
    assert_true(calls_sweep(&sweep) > 20);
}

static void test_kerberos(void **state)
{
    (void)state;
    sweep("Kerberos");
}

static void test_negotiate(void **state)
{
    (void)state;
    sweep("Negotiate");
}

static int begin(void **state)
{
    (void)state;
    renew();
    return 0;
}

static int end(void **state)
{
    (void)state;
    kerberos_loop_cleanup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kerberos), cmocka_unit_test(test_negotiate)};
    return cmocka_run_group_tests(tests, begin, end);
}
