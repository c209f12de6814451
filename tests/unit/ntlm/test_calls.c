/*
 * System calls fail while NTLM reads its configuration and its accounts, proves a password and makes a session: each of them, in each way, alone and
 * with all that follow.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "accounts/admin.h"
#include "base/time.h"
#include "support/failing/calls.h"
#include "support/failing/handshake.h"
#include "support/ntlm_loop.h"
#include "support/place.h"
#include <sspi_ext.h>
#include <stdio.h>
#include <string.h>

static char configuration[1024];
static char user[] = "alice", domain[] = "EXAMPLE", right[] = "Password1!", wrong[] = "Password2!";

/* The same configuration in a new file, so that it and the stores are read again. */
static void renew(void)
{
    place_configure(loop_directory(), configuration);
}

static SEC_WINNT_AUTH_IDENTITY_A identity_of(char *password)
{
    return (SEC_WINNT_AUTH_IDENTITY_A){.User = (unsigned char *)user,
                                       .UserLength = (ULONG)strlen(user),
                                       .Domain = (unsigned char *)domain,
                                       .DomainLength = (ULONG)strlen(domain),
                                       .Password = (unsigned char *)password,
                                       .PasswordLength = (ULONG)strlen(password),
                                       .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI};
}

/* A store that cannot be read says nothing about the password. */
static bool blames_no_password(const struct call_failure *failure, long status)
{
    (void)failure;
    return status != SEC_E_LOGON_DENIED && status != SEC_E_NO_CREDENTIALS;
}

/* SQLite takes a lock that it does not get for another program's, and waits. */
static bool skips(const struct call_failure *failure, bool sticky)
{
    return sticky && failure->kind == CALL_LOCK;
}

/* Wrong passwords are many here: they lock nobody out. */
static void sweep(const char *name, const char *file)
{
    snprintf(configuration, sizeof configuration,
             "[names]\ncomputer = SERVER\ndomain = EXAMPLE\n[accounts]\nstores = %s:%s/%s\nlockout_threshold = 0\n",
             name, loop_directory(), file);
    renew();
    SEC_WINNT_AUTH_IDENTITY_A good = identity_of(right), bad = identity_of(wrong);
    struct failing_handshake work = {
        .package = "NTLM", .client_auth = &good, .flags = ISC_REQ_CONFIDENTIALITY, .renew = renew, .asks_token = true};
    struct calls_sweep sweep = {.name = name,
                                .run = failing_handshake_run,
                                .after = failing_handshake_after,
                                .allows = blames_no_password,
                                .skips = skips,
                                .data = &work};
    if (failing_handshake_run(&work) != SEC_E_OK)
        fail_msg("%s: %s", name, OpenSspiLastErrorText());
    assert_true(calls_sweep(&sweep) > 20);
    work.client_auth = &bad;
    work.usual = SEC_E_LOGON_DENIED;
    sweep.allows = NULL;
    assert_true(calls_sweep(&sweep) > 20);
}

static void test_sam(void **state)
{
    (void)state;
    sweep("sam", "sam");
}

/* SQLite's file, its lock and its journal; the file of lock-outs beside it. */
static void test_sqlite(void **state)
{
    struct account_admin *admin;
    char path[128];
    uint8_t password[] = {'P', 0, 'a', 0, 's', 0, 's', 0, 'w', 0, 'o', 0, 'r', 0, 'd', 0, '1', 0, '!', 0};
    const struct account_spec spec = {.name = user, .domain = domain, .expires = FILETIME_NEVER, .uid = -1, .gid = -1};
    (void)state;
    snprintf(path, sizeof path, "%s/store/accounts.db", loop_directory());
    assert_int_equal(account_admin_open(path, true, &admin), SEC_E_OK);
    assert_int_equal(account_admin_add(admin, &spec), SEC_E_OK);
    assert_int_equal(account_admin_passwd(admin, user, domain, slice_of(password, sizeof password), false), SEC_E_OK);
    account_admin_close(admin);
    sweep("sqlite", "store/accounts.db");
}

static int begin(void **state)
{
    (void)state;
    loop_configure(NULL);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sam), cmocka_unit_test(test_sqlite)};
    return cmocka_run_group_tests(tests, begin, end);
}
