/*
 * Memory runs out, anywhere in the life of Negotiate's credentials and contexts, with NTLM inside (Kerberos: unit/kerberos/test_life.c).
 * build: all
 */
#include "support/life.h"
#include "support/ntlm_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define PROTECT (ISC_REQ_INTEGRITY | ISC_REQ_CONFIDENTIALITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT)

static char user[] = "alice", domain[] = "EXAMPLE", password[] = "Password1!";
static SEC_WINNT_AUTH_IDENTITY_A alice = {
    (unsigned char *)user,     sizeof user - 1,     (unsigned char *)domain,     sizeof domain - 1,
    (unsigned char *)password, sizeof password - 1, SEC_WINNT_AUTH_IDENTITY_ANSI};

static void test_life(void **state)
{
    static struct life life = {
        .package = "Negotiate", .target = "host/server.example.test", .client_flags = PROTECT, .signs = true};
    (void)state;
    life.client_auth = &alice;
    life_sweep(&life);
    assert_true(life.n_acquire > 0 && life.n_handshake > 20 && life.n_queries > 10 && life.n_transfer > 10);
}

static void test_sasl(void **state)
{
    static struct life life = {
        .package = "Negotiate", .target = "ldap/server.example.test", .client_flags = PROTECT, .sasl = true};
    (void)state;
    life.client_auth = &alice;
    life_sweep(&life);
    assert_true(life.n_handshake > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_life), cmocka_unit_test(test_sasl)};
    loop_configure("[negotiate]\npackages = ntlm\n");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
