/*
 * Memory runs out, anywhere in the life of credentials and contexts of a module's packages, by both faces of the sample, and by Negotiate.
 * build: all
 */
#include "support/life.h"
#include "support/ntlm_loop.h"
#include "unit/foreign/modules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static uint16_t user[] = u"alice", key[] = u"secret", packages[] = u"SharedKey";

static void test_life(void **state)
{
    static const char *const names[] = {"SharedKey", "SharedKeyLsa", "Negotiate"};
    static struct life life = {.does_not_seal = true, .signs = true, .client_flags = ISC_REQ_INTEGRITY};
    SEC_WINNT_AUTH_IDENTITY_EXW identity = {.Version = SEC_WINNT_AUTH_IDENTITY_VERSION,
                                            .Length = sizeof identity,
                                            .User = user,
                                            .UserLength = sizeof user / 2 - 1,
                                            .Password = key,
                                            .PasswordLength = sizeof key / 2 - 1,
                                            .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE};
    (void)state;
    life.client_auth = life.server_auth = &identity;
    for (size_t i = 0; i < 3; i++) {
        life.package = names[i];
        if (i == 2) {
            identity.PackageList = packages;
            identity.PackageListLength = sizeof packages / 2 - 1;
        }
        life_sweep(&life);
        assert_true(life.n_acquire > 0 && life.n_handshake > 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_life)};
    char extra[1400];
    int len = snprintf(extra, sizeof extra, "[packages]\npackage = %s\n", module_copy("sharedkey"));
    snprintf(extra + len, sizeof extra - (size_t)len, "package = %s\n", module_copy("sharedkey_lsa"));
    loop_configure(extra); /* before the first call of the library: that is when modules are loaded */
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    modules_tear_down(NULL);
    return failed;
}
