#include "support/ntlm_life.h"

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
        .target = "host/server.example.test", .client_auth = &alice, .client_flags = PROTECT, .signs = true};
    life.package = *state;
    life_sweep(&life);
    assert_true(life.n_acquire > 0 && life.n_handshake > 20 && life.n_queries > 10 && life.n_transfer > 10);
}

static void test_sasl(void **state)
{
    static struct life life = {
        .target = "ldap/server.example.test", .client_auth = &alice, .client_flags = PROTECT, .sasl = true};
    life.package = *state;
    life_sweep(&life);
    assert_true(life.n_handshake > 20);
}

int ntlm_life(const char *package, const char *extra)
{
    void *name = (void *)(uintptr_t)package;
    const struct CMUnitTest tests[] = {cmocka_unit_test_prestate(test_life, name),
                                       cmocka_unit_test_prestate(test_sasl, name)};
    loop_configure(extra);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
