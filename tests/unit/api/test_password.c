/*
 * The embedded account store behind the public functions: sign-on, states of accounts as their statuses, and a password changed by its owner.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "accounts/admin.h"
#include "base/time.h"
#include "core/status.h"
#include "support/lsa_daemon.h"
#include "support/ntlm_loop.h"
#include "support/place.h"
#include <sspi_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char ntlm[] = "NTLM", domain[] = "EXAMPLE", carol[] = "carol";
static struct account_admin *admin;

static struct slice utf16(const char *ascii, uint8_t room[128])
{
    size_t len = strlen(ascii);
    assert_true(2 * len <= 128);
    for (size_t i = 0; i < len; i++) {
        room[2 * i] = (uint8_t)ascii[i];
        room[2 * i + 1] = 0;
    }
    return slice_of(room, 2 * len);
}

static SECURITY_STATUS signs_on(const char *password)
{
    struct loop loop = {.user = "carol", .password = password};
    (void)loop_run(&loop);
    SECURITY_STATUS status = loop.client_status < 0 ? loop.client_status : loop.server_status;
    loop_end(&loop);
    return status;
}

static SECURITY_STATUS change(const char *from, const char *to)
{
    char old_password[64], new_password[64];
    snprintf(old_password, sizeof old_password, "%s", from);
    snprintf(new_password, sizeof new_password, "%s", to);
    return ChangeAccountPasswordA(ntlm, domain, carol, old_password, new_password, FALSE, 0, NULL);
}

static void flags_set(uint32_t clear_flags, uint32_t set_flags)
{
    const struct account_change fields = {.fields = CHANGE_FLAGS, .clear_flags = clear_flags, .set_flags = set_flags};
    assert_int_equal(account_admin_change(admin, "carol", "EXAMPLE", &fields), SEC_E_OK);
}

static void expires_set(int64_t when)
{
    const struct account_change fields = {.fields = CHANGE_EXPIRES, .expires = when};
    assert_int_equal(account_admin_change(admin, "carol", "EXAMPLE", &fields), SEC_E_OK);
}

/* The wrong password never learns the state of an account. */
static void test_states(void **state)
{
    (void)state;
    assert_int_equal(signs_on("First1!"), SEC_E_OK);
    assert_int_equal(signs_on("first1!"), SEC_E_LOGON_DENIED);
    assert_int_equal(account_admin_disable(admin, "CAROL", "example"), SEC_E_OK);
    assert_int_equal(signs_on("First1!"), (SECURITY_STATUS)STATUS_ACCOUNT_DISABLED);
    assert_int_equal(signs_on("first1!"), SEC_E_LOGON_DENIED);
    assert_int_equal(account_admin_enable(admin, "carol", "EXAMPLE"), SEC_E_OK);
    expires_set(FILETIME_UNIX_EPOCH);
    assert_int_equal(signs_on("First1!"), (SECURITY_STATUS)STATUS_ACCOUNT_EXPIRED);
    expires_set(FILETIME_NEVER);
    flags_set(0, ACCOUNT_MUST_CHANGE);
    assert_int_equal(signs_on("First1!"), (SECURITY_STATUS)STATUS_PASSWORD_MUST_CHANGE);
    assert_int_equal(signs_on("first1!"), SEC_E_LOGON_DENIED);
    /* who must change the password may, and then gets in */
    assert_int_equal(change("first1!", "Second2!"), SEC_E_LOGON_DENIED);
    assert_int_equal(change("First1!", "Second2!"), SEC_E_OK);
    assert_int_equal(signs_on("Second2!"), SEC_E_OK);
    assert_int_equal(signs_on("First1!"), SEC_E_LOGON_DENIED);
}

static void test_change_password(void **state)
{
    SEC_WCHAR wide_package[] = {'N', 'T', 'L', 'M', 0}, wide_domain[] = {'E', 'X', 'A', 'M', 'P', 'L', 'E', 0};
    SEC_WCHAR wide_user[] = {'c', 'a', 'r', 'o', 'l', 0}, wide_old[] = {'S', 'e', 'c', 'o', 'n', 'd', '2', '!', 0};
    SEC_WCHAR wide_new[] = {'F', 'i', 'r', 's', 't', '1', '!', 0};
    (void)state;
    assert_int_equal(change("nonsense", "Third3!"), SEC_E_LOGON_DENIED);
    assert_int_equal(ChangeAccountPasswordW(wide_package, wide_domain, wide_user, wide_old, wide_new, FALSE, 0, NULL),
                     SEC_E_OK);
    assert_int_equal(signs_on("First1!"), SEC_E_OK);
    char nobody[] = "nobody", password[] = "x", other[] = "y";
    assert_int_equal(ChangeAccountPasswordA(ntlm, domain, nobody, password, other, FALSE, 0, NULL), SEC_E_LOGON_DENIED);
    assert_int_equal(ChangeAccountPasswordA(carol, domain, nobody, password, other, FALSE, 0, NULL),
                     SEC_E_SECPKG_NOT_FOUND);
}

static int setup(void **state)
{
    char path[256], text[1024];
    uint8_t room[128];
    (void)state;
    loop_configure(NULL);
    snprintf(path, sizeof path, "%s/store/accounts.db", loop_directory());
    if (account_admin_open(path, true, &admin) != SEC_E_OK)
        return 1;
    const struct account_spec spec = {
        .name = "carol", .domain = "EXAMPLE", .expires = FILETIME_NEVER, .uid = -1, .gid = -1};
    if (account_admin_add(admin, &spec) != SEC_E_OK ||
        account_admin_passwd(admin, "carol", "EXAMPLE", utf16("First1!", room), false) != SEC_E_OK)
        return 1;
    snprintf(text, sizeof text,
             "[names]\ncomputer = SERVER\ndomain = EXAMPLE\n[accounts]\nstores = sqlite:%s/store/accounts.db\n%s",
             loop_directory(), lsa_daemon_section(loop_directory()));
    place_configure(loop_directory(), text);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    account_admin_close(admin);
    loop_cleanup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_change_password),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
