/*
 * Memory runs out, anywhere in the life of WDigest's credentials and contexts (HTTP: test_faults.c).
 * build: all
 */
#include "support/digest_loop.h"
#include "support/life.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char user[] = "alice", domain[] = "EXAMPLE", password[] = "Password1!";
static SEC_WINNT_AUTH_IDENTITY_A alice = {
    (unsigned char *)user,     sizeof user - 1,     (unsigned char *)domain,     sizeof domain - 1,
    (unsigned char *)password, sizeof password - 1, SEC_WINNT_AUTH_IDENTITY_ANSI};

static void test_life(void **state)
{
    static struct life life = {.package = "WDigest",
                               .target = "ldap/server.example.test",
                               .client_flags = ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY,
                               .server_first = true};
    (void)state;
    life.client_auth = &alice;
    life_sweep(&life);
    assert_true(life.n_acquire > 0 && life.n_handshake > 20);
    life.sasl = true;
    life_sweep(&life);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_life)};
    digest_configure(NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    digest_cleanup();
    return failed;
}
