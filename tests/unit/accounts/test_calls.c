/*
 * System calls fail while a user's password is changed: afterwards either the old one is right or the new one, whole, and what was answered says
 * which.
 * build: all
 */
#include "support/failing/calls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "accounts/admin.h"
#include "base/time.h"
#include "support/ntlm_loop.h"
#include "support/place.h"
#include <sspi_ext.h>
#include <stdio.h>
#include <string.h>

static char configuration[512];
static unsigned number; /* of the password that is right now */
static unsigned n_old, n_new;

static void password_of(unsigned of, char password[32])
{
    snprintf(password, 32, "Password%u!", of);
}

static SECURITY_STATUS signs_on(unsigned of)
{
    char password[32];
    password_of(of, password);
    struct loop loop = {.user = "carol", .password = password};
    (void)loop_run(&loop);
    SECURITY_STATUS status = loop.client_status < 0 ? loop.client_status : loop.server_status;
    loop_end(&loop);
    return status;
}

static long change(void *data)
{
    char package[] = "NTLM", domain[] = "EXAMPLE", user[] = "carol", from[32], to[32];
    (void)data;
    password_of(number, from);
    password_of(number + 1, to);
    return ChangeAccountPasswordA(package, domain, user, from, to, FALSE, 0, NULL);
}

static void after(void *data, long status)
{
    (void)data;
    SECURITY_STATUS is_new = signs_on(number + 1), is_old = signs_on(number);
    if (status == SEC_E_OK)
        assert_int_equal(is_new, SEC_E_OK);
    assert_int_equal(is_new == SEC_E_OK ? is_old : is_new, SEC_E_LOGON_DENIED);
    assert_true(is_new == SEC_E_OK || is_old == SEC_E_OK);
    n_new += is_new == SEC_E_OK ? 1U : 0U;
    n_old += is_old == SEC_E_OK ? 1U : 0U;
    if (is_new == SEC_E_OK)
        number++;
    assert_int_equal(change(NULL), SEC_E_OK);
    number++;
    place_configure(loop_directory(), configuration);
}

/* A file that fails says nothing about the password. */
static bool blames_no_password(const struct call_failure *failure, long status)
{
    (void)failure;
    return status != SEC_E_LOGON_DENIED;
}

/* SQLite takes a lock that it does not get for another program's, and waits. */
static bool skips(const struct call_failure *failure, bool sticky)
{
    return sticky && failure->kind == CALL_LOCK;
}

static void test_change(void **state)
{
    const struct calls_sweep sweep = {
        .name = "password", .run = change, .after = after, .allows = blames_no_password, .skips = skips};
    (void)state;
    assert_true(calls_sweep(&sweep) > 100);
    print_message("the old password stayed %u times, the new one came %u times\n", n_old, n_new);
    assert_true(n_old > 50 && n_new > 10);
}

static int begin(void **state)
{
    struct account_admin *admin;
    char path[256];
    uint8_t password[] = {'P', 0, 'a', 0, 's', 0, 's', 0, 'w', 0, 'o', 0, 'r', 0, 'd', 0, '0', 0, '!', 0};
    const struct account_spec spec = {
        .name = "carol", .domain = "EXAMPLE", .expires = FILETIME_NEVER, .uid = -1, .gid = -1};
    (void)state;
    loop_configure(NULL); /* makes the directory */
    snprintf(path, sizeof path, "%s/store/accounts.db", loop_directory());
    if (account_admin_open(path, true, &admin) != SEC_E_OK || account_admin_add(admin, &spec) != SEC_E_OK ||
        account_admin_passwd(admin, "carol", "EXAMPLE", slice_of(password, sizeof password), false) != SEC_E_OK)
        return 1;
    account_admin_close(admin);
    snprintf(configuration, sizeof configuration,
             "[names]\ncomputer = SERVER\ndomain = EXAMPLE\n[accounts]\nstores = sqlite:%s\nlockout_threshold = 0\n"
             "[digest]\nrealms = example.test\n",
             path);
    place_configure(loop_directory(), configuration);
    return 0;
}

static int end(void **state)
{
    (void)state;
    loop_cleanup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_change)};
    return cmocka_run_group_tests(tests, begin, end);
}
