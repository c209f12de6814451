/*
 * Memory runs out in a process that acquires credentials of the daemon's: what the daemon made for calls that failed is given back, and does not use
 * up what the user may have.
 * build: all
 */
#include "support/identity.h"
#include "support/lsa_daemon.h"
#include "support/ntlm_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include <sspi_ext.h>
#include <stdio.h>

#define CREDENTIALS 6 /* of this user, at the daemon */

static int begin(void **state)
{
    char more[64];
    (void)state;
    snprintf(more, sizeof more, "answer_seconds = 60\nuser_credentials = %d\n", CREDENTIALS);
    loop_daemon_configure(more);
    loop_daemon_start();
    return 0;
}

static SECURITY_STATUS acquire(CredHandle *credential)
{
    char package[] = "NTLM";
    SEC_WINNT_AUTH_IDENTITY_A alice = identity_of("alice", "EXAMPLE", "Password1!");
    return AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_OUTBOUND, NULL, &alice, NULL, NULL, credential, NULL);
}

static void test_credentials_are_given_back(void **state)
{
    CredHandle credential[CREDENTIALS + 1];
    unsigned n_failed = 0;
    (void)state;
    assert_int_equal(acquire(&credential[0]), SEC_E_OK); /* there is a connection from now on */
    FreeCredentialsHandle(&credential[0]);
    for (int sticky = 0; sticky < 2; sticky++)
        for (unsigned long nth = 1;; nth++) {
            assert_true(nth < 2000);
            mem_fault_set(nth, sticky != 0);
            SECURITY_STATUS status = acquire(&credential[0]);
            bool struck = mem_fault_count() >= nth;
            mem_fault_set(0, false);
            if (status == SEC_E_OK)
                FreeCredentialsHandle(&credential[0]);
            else if (!struck || status != SEC_E_INSUFFICIENT_MEMORY)
                fail_msg("allocation %lu: 0x%08x %s", nth, (unsigned)status, OpenSspiLastErrorText());
            n_failed += status != SEC_E_OK ? 1u : 0u;
            for (unsigned i = 0; i < CREDENTIALS; i++)
                assert_int_equal(acquire(&credential[i]), SEC_E_OK);
            assert_int_equal(acquire(&credential[CREDENTIALS]), SEC_E_INSUFFICIENT_MEMORY);
            for (unsigned i = 0; i < CREDENTIALS; i++)
                assert_int_equal(FreeCredentialsHandle(&credential[i]), SEC_E_OK);
            if (!struck)
                break;
        }
    assert_true(n_failed > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_credentials_are_given_back)};
    return cmocka_run_group_tests(tests, begin, loop_teardown);
}
