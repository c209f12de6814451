/*
 * Names: LookupAccountSid and LookupAccountName, GetUserNameEx, GetComputerObjectName, TranslateName; and LogonUser.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "accounts/admin.h"
#include "libraries/fake_wbclient.h"
#include "support/access_world.h"
#include "support/place.h"
#include <dlfcn.h>
#include <pwd.h>
#include <secext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <win32/sddl.h>
#include <win32/winbase.h>

static void assert_name_of(const char *sid_text, const char *expected, int use)
{
    char name[64], domain[64], both[140];
    DWORD n_name = sizeof name, n_domain = sizeof domain;
    SID_NAME_USE found;
    PSID sid;
    assert_true(ConvertStringSidToSidA(sid_text, &sid));
    assert_true(LookupAccountSidA(NULL, sid, name, &n_name, domain, &n_domain, &found));
    assert_int_equal(n_name, strlen(name));
    assert_int_equal(n_domain, strlen(domain));
    snprintf(both, sizeof both, "%s\\%s", domain, name);
    assert_string_equal(both, expected);
    assert_int_equal(found, use);
    assert_null(LocalFree(sid));
}

/* The SID of a name, as text. */
static const char *sid_of(const char *name, int use)
{
    static char text[200];
    BYTE sid[SECURITY_MAX_SID_SIZE];
    char domain[64];
    DWORD n_sid = sizeof sid, n_domain = sizeof domain;
    SID_NAME_USE found;
    LPSTR made;
    if (!LookupAccountNameA(NULL, name, sid, &n_sid, domain, &n_domain, &found))
        return "";
    assert_int_equal(found, use);
    assert_int_equal(n_sid, GetLengthSid(sid));
    assert_true(ConvertSidToStringSidA(sid, &made));
    snprintf(text, sizeof text, "%s", made);
    assert_null(LocalFree(made));
    return text;
}

static void test_names_and_sids(void **state)
{
    char alice[200], staff[200];
    (void)state;
    assert_name_of("S-1-1-0", "\\Everyone", SidTypeWellKnownGroup);
    assert_name_of("S-1-5-18", "NT AUTHORITY\\SYSTEM", SidTypeWellKnownGroup);
    assert_name_of("S-1-5-32-544", "BUILTIN\\Administrators", SidTypeAlias);
    assert_name_of("S-1-22-1-0", "Unix User\\root", SidTypeUser);
    assert_name_of("S-1-22-2-0", "Unix Group\\root", SidTypeAlias);
    assert_string_equal(sid_of("everyone", SidTypeWellKnownGroup), "S-1-1-0");
    assert_string_equal(sid_of("nt authority\\system", SidTypeWellKnownGroup), "S-1-5-18");
    assert_string_equal(sid_of("root", SidTypeUser), "S-1-22-1-0");
    assert_string_equal(sid_of("Unix Group\\root", SidTypeAlias), "S-1-22-2-0");
    snprintf(alice, sizeof alice, "%s", sid_of("EXAMPLE\\alice", SidTypeUser));
    assert_string_equal(sid_of("ALICE", SidTypeUser), alice);
    assert_string_equal(sid_of(".\\alice", SidTypeUser), alice);
    assert_string_equal(sid_of("alice@example", SidTypeUser), alice);
    assert_string_equal(sid_of("alice@example.test", SidTypeUser), alice);
    assert_string_equal(sid_of("server\\alice", SidTypeUser), alice);
    assert_string_equal(sid_of("alice@server.example.test", SidTypeUser), alice);
    snprintf(staff, sizeof staff, "%s", sid_of("example\\Staff", SidTypeGroup));
    static const char *const staffs[] = {"STAFF",
                                         ".\\staff",
                                         "staff@example",
                                         "staff@example.test",
                                         "server\\staff",
                                         "SERVER\\Staff",
                                         "staff@server.example.test"};
    for (size_t i = 0; i < sizeof staffs / sizeof staffs[0]; i++)
        assert_string_equal(sid_of(staffs[i], SidTypeGroup), staff);
    assert_name_of(alice, "EXAMPLE\\alice", SidTypeUser);
    assert_name_of(staff, "EXAMPLE\\staff", SidTypeGroup);
    assert_string_equal(sid_of("OTHER\\root", SidTypeUser), "");
    assert_int_equal(GetLastError(), ERROR_NONE_MAPPED);
    assert_string_equal(sid_of("nobody-of-this-name", SidTypeUser), "");
    assert_string_equal(sid_of("EXAMPLE\\", SidTypeUser), "");
    assert_string_equal(sid_of("", SidTypeUser), "");
}

/* A name of a domain that nobody knows is nobody's, though a client that proves alice's password may name any. */
static void test_unknown_domain(void **state)
{
    static const char *const names[] = {"NOWHERE\\alice", "alice@nowhere.test", "NOWHERE\\staff", "EXAMPLE.\\alice"};
    char name[64];
    ULONG n = sizeof name;
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_string_equal(sid_of(names[i], SidTypeUser), "");
        assert_int_equal(GetLastError(), ERROR_NONE_MAPPED);
    }
    assert_false(TranslateNameA("NOWHERE\\alice", NameSamCompatible, NameDisplay, name, &n));
    assert_int_equal(GetLastError(), ERROR_NONE_MAPPED);
}

/* Beside a store that asks a domain, what the configuration calls the domain is not this computer's. */
static void test_domain_beside(void **state)
{
    char store[160], text[600], group[200], domain[64];
    BYTE sid[SECURITY_MAX_SID_SIZE];
    DWORD n_sid, n_domain;
    SID_NAME_USE use;
    struct account_admin *admin = NULL;
    const struct account_spec spec = {
        .name = "resident", .domain = "SERVER", .expires = INT64_MAX, .uid = ALICE_UID, .gid = ALICE_UID};
    (void)state;
    snprintf(store, sizeof store, "%s/store/accounts.db", access_directory());
    assert_int_equal(account_admin_open(store, false, &admin), SEC_E_OK);
    assert_int_equal(account_admin_add(admin, &spec), SEC_E_OK);
    assert_int_equal(group_admin_add(admin, &(struct group_spec){.name = "Residents"}), SEC_E_OK);
    account_admin_close(admin);
    for (int asks = 0; asks < 2; asks++) {
        snprintf(text, sizeof text,
                 "[names]\ncomputer = SERVER\ndomain = %s\ndns_domain = home.test\n[accounts]\nstores = sqlite:%s%s\n"
                 "[access]\nwinbind_library = " TEST_LIBRARIES "/fake_wbclient.so\n",
                 asks ? "HOME" : "SERVER", store, asks ? ", winbind:FAKE" : "");
        place_configure(access_directory(), text);
        assert_string_not_equal(sid_of("SERVER\\resident", SidTypeUser), "");
        assert_string_not_equal(sid_of("resident", SidTypeUser), "");
        if (!asks)
            assert_string_not_equal(sid_of("resident@home.test", SidTypeUser), "");
        else
            assert_string_equal(sid_of("resident@home.test", SidTypeUser), "");
        assert_string_equal(sid_of(asks ? "HOME\\resident" : "OTHER\\resident", SidTypeUser), "");
        snprintf(group, sizeof group, "%s", sid_of("residents", SidTypeGroup));
        assert_string_equal(sid_of("SERVER\\residents", SidTypeGroup), group);
        assert_name_of(group, "SERVER\\Residents", SidTypeGroup);
        n_sid = sizeof sid;
        n_domain = sizeof domain;
        assert_int_equal(LookupAccountNameA(NULL, "residents", sid, &n_sid, domain, &n_domain, &use), 1);
        assert_string_equal(domain, "SERVER");
        assert_string_equal(sid_of(asks ? "HOME\\residents" : "OTHER\\residents", SidTypeGroup), "");
    }
    access_cleanup();
    access_configure(NULL);
}

/* SAM files know names of SIDs as well, which they compute. */
static void test_sam_names(void **state)
{
    char sid[200];
    (void)state;
    loop_configure(NULL);
    snprintf(sid, sizeof sid, "%s", sid_of("EXAMPLE\\bob", SidTypeUser));
    assert_name_of(sid, "EXAMPLE\\bob", SidTypeUser);
    loop_cleanup();
    access_configure(NULL);
}

static void test_room(void **state)
{
    WCHAR name[16], domain[16];
    DWORD n_name = 0, n_domain = 0, n_sid = 0;
    SID_NAME_USE use;
    PSID sid;
    BYTE found[SECURITY_MAX_SID_SIZE];
    (void)state;
    assert_true(ConvertStringSidToSidA("S-1-5-18", &sid));
    assert_false(LookupAccountSidW(NULL, sid, NULL, &n_name, NULL, &n_domain, &use));
    assert_int_equal(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
    assert_int_equal(n_name, 7);
    assert_int_equal(n_domain, 13);
    n_domain = 12;
    name[0] = 'x';
    assert_false(LookupAccountSidW(NULL, sid, name, &n_name, domain, &n_domain, &use));
    assert_int_equal(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
    assert_int_equal(name[0], 'x');
    assert_int_equal(n_name, 7);
    assert_int_equal(n_domain, 13);
    assert_true(LookupAccountSidW(NULL, sid, name, &n_name, domain, &n_domain, &use));
    assert_int_equal(n_name, 6);
    assert_int_equal(name[0], 'S');
    assert_int_equal(name[6], 0);
    assert_false(LookupAccountSidA("elsewhere", sid, NULL, &n_name, NULL, &n_domain, &use));
    assert_int_equal(GetLastError(), ERROR_NOT_SUPPORTED);
    assert_false(LookupAccountSidA(NULL, NULL, NULL, &n_name, NULL, &n_domain, &use));
    assert_int_equal(GetLastError(), ERROR_INVALID_SID);
    assert_null(LocalFree(sid));
    n_domain = 0;
    assert_false(LookupAccountNameA(NULL, "SYSTEM", NULL, &n_sid, NULL, &n_domain, &use));
    assert_int_equal(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
    assert_int_equal(n_sid, 12);
    assert_int_equal(n_domain, 13);
    n_domain = 2; /* the SID fits and the domain does not */
    memset(found, 0xee, sizeof found);
    assert_false(LookupAccountNameA(NULL, "SYSTEM", found, &n_sid, (LPSTR)domain, &n_domain, &use));
    assert_int_equal(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
    assert_int_equal(found[0], 0xee);
}

static void assert_user_name(EXTENDED_NAME_FORMAT format, const char *expected)
{
    char name[128] = "untouched";
    ULONG n = 0;
    if (expected == NULL) {
        n = sizeof name;
        assert_false(GetUserNameExA(format, name, &n));
        assert_int_equal(GetLastError(), ERROR_NONE_MAPPED);
        return;
    }
    assert_false(GetUserNameExA(format, NULL, &n));
    assert_int_equal(GetLastError(), ERROR_MORE_DATA);
    assert_int_equal(n, strlen(expected) + 1);
    n--;
    assert_false(GetUserNameExA(format, name, &n));
    assert_int_equal(n, strlen(expected) + 1);
    assert_string_equal(name, "untouched");
    assert_true(GetUserNameExA(format, name, &n));
    assert_string_equal(name, expected);
    assert_int_equal(n, strlen(expected));
}

static void test_user_name(void **state)
{
    struct loop loop;
    char expected[128];
    WCHAR wide[64];
    ULONG n = 64;
    const struct passwd *user = getpwuid(geteuid());
    (void)state;
    assert_non_null(user);
    snprintf(expected, sizeof expected, "SERVER\\%s", user->pw_name);
    assert_user_name(NameSamCompatible, expected);
    assert_user_name(NameUserPrincipal, NULL);
    assert_user_name(NameCanonical, NULL);
    assert_true(GetUserNameExW(NameSamCompatible, wide, &n));
    assert_int_equal(n, strlen(expected));
    assert_int_equal(wide[0], 'S');
    n = 64;
    assert_false(GetUserNameExW(NameUnknown, wide, &n));
    assert_int_equal(GetLastError(), ERROR_NO_SUCH_USER);
    assert_false(GetUserNameExW((EXTENDED_NAME_FORMAT)99, wide, &n));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_false(GetUserNameExW(NameSamCompatible, wide, NULL));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    if (geteuid() != 0)
        skip();
    access_connect(&loop, "alice", 0);
    assert_int_equal(ImpersonateSecurityContext(&loop.server), SEC_E_OK);
    assert_user_name(NameSamCompatible, "EXAMPLE\\alice");
    assert_user_name(NameDisplay, "Alice Example");
    assert_user_name(NameUserPrincipal, "alice@example.test");
    assert_user_name(NameDnsDomain, "example.test\\alice");
    assert_user_name(NameFullyQualifiedDN, NULL);
    assert_int_equal(RevertSecurityContext(&loop.server), SEC_E_OK);
    loop_end(&loop);
}

static void test_computer_name(void **state)
{
    char name[64];
    ULONG n = 3;
    (void)state;
    assert_false(GetComputerObjectNameA(NameSamCompatible, name, &n));
    assert_int_equal(GetLastError(), ERROR_MORE_DATA);
    assert_int_equal(n, sizeof "EXAMPLE\\SERVER$");
    /* Without room it is another error, whatever the size said. */
    for (ULONG said = 0; said <= 100; said += 50) {
        n = said;
        assert_false(GetComputerObjectNameA(NameSamCompatible, NULL, &n));
        assert_int_equal(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
        assert_int_equal(n, sizeof "EXAMPLE\\SERVER$");
    }
    n = 50;
    assert_false(GetComputerObjectNameW(NameFullyQualifiedDN, NULL, &n));
    assert_int_equal(GetLastError(), ERROR_NONE_MAPPED);
    n = sizeof name;
    assert_true(GetComputerObjectNameA(NameSamCompatible, name, &n));
    assert_string_equal(name, "EXAMPLE\\SERVER$");
    n = sizeof name;
    assert_true(GetComputerObjectNameA(NameDnsDomain, name, &n));
    assert_string_equal(name, "example.test\\SERVER$");
    n = sizeof name;
    assert_false(GetComputerObjectNameA(NameFullyQualifiedDN, name, &n));
    assert_int_equal(GetLastError(), ERROR_NONE_MAPPED);
}

/* Nobody is there to ask about a domain: secext.h's word for it, which is not that of LookupAccountName. */
static void test_domain_not_asked(void **state)
{
    char name[64], domain[64];
    BYTE sid[SECURITY_MAX_SID_SIZE];
    ULONG n = sizeof name, n_sid = sizeof sid, n_domain = sizeof domain;
    SID_NAME_USE use;
    (void)state;
    void *library = dlopen(TEST_LIBRARIES "/fake_wbclient.so", RTLD_NOW | RTLD_LOCAL);
    assert_non_null(library);
    fake_wbclient_lock_function *lock;
    fake_wbclient_unlock_function *unlock;
    *(void **)&lock = dlsym(library, "fake_wbclient_lock");
    *(void **)&unlock = dlsym(library, "fake_wbclient_unlock");
    lock()->name_error = WBC_ERR_WINBIND_NOT_AVAILABLE;
    unlock();
    access_configure("winbind = yes\nwinbind_library = " TEST_LIBRARIES "/fake_wbclient.so\n");
    assert_false(TranslateNameA("FAKE\\Domain Users", NameSamCompatible, NameDisplay, name, &n));
    assert_int_equal(GetLastError(), ERROR_NO_SUCH_DOMAIN);
    assert_false(LookupAccountNameA(NULL, "FAKE\\Domain Users", sid, &n_sid, domain, &n_domain, &use));
    assert_int_equal(GetLastError(), ERROR_NO_LOGON_SERVERS);
    lock()->name_error = WBC_ERR_SUCCESS;
    unlock();
    assert_true(LookupAccountNameA(NULL, "FAKE\\Domain Users", sid, &n_sid, domain, &n_domain, &use));
    dlclose(library);
    access_configure(NULL);
}

static void test_translate(void **state)
{
    char name[64];
    WCHAR wide[64];
    ULONG n = 0;
    (void)state;
    /* To ask for the size is no failure; to have too little room is one. */
    assert_true(TranslateNameA("example\\ALICE", NameSamCompatible, NameUserPrincipal, NULL, &n));
    assert_int_equal(n, sizeof "alice@example.test");
    n = 0;
    assert_true(TranslateNameW(OPENSSPI_WIDE("example\\ALICE"), NameSamCompatible, NameUserPrincipal, NULL, &n));
    assert_int_equal(n, sizeof "alice@example.test");
    n = 0;
    assert_false(TranslateNameA("example\\ALICE", NameSamCompatible, NameUserPrincipal, name, &n));
    assert_int_equal(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
    assert_int_equal(n, sizeof "alice@example.test");
    n = 5;
    assert_false(TranslateNameA("example\\ALICE", NameSamCompatible, NameUserPrincipal, name, &n));
    assert_int_equal(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
    assert_int_equal(n, sizeof "alice@example.test");
    n = 0;
    assert_false(TranslateNameA("EXAMPLE\\nobody", NameSamCompatible, NameDisplay, NULL, &n));
    assert_int_equal(GetLastError(), ERROR_NONE_MAPPED);
    n = sizeof name;
    assert_true(TranslateNameA("example\\ALICE", NameSamCompatible, NameUserPrincipal, name, &n));
    assert_string_equal(name, "alice@example.test");
    assert_int_equal(n, sizeof "alice@example.test"); /* with the terminator, unlike GetUserNameEx */
    n = sizeof name;
    assert_true(TranslateNameA("alice", NameUnknown, NameDisplay, name, &n));
    assert_string_equal(name, "Alice Example");
    n = sizeof name;
    assert_true(TranslateNameA("alice@example", NameUserPrincipal, NameSamCompatible, name, &n));
    assert_string_equal(name, "EXAMPLE\\alice");
    n = 64;
    assert_true(TranslateNameW(OPENSSPI_WIDE("EXAMPLE\\alice"), NameSamCompatible, NameSamCompatible, wide, &n));
    assert_int_equal(wide[8], 'a');
    n = sizeof name;
    assert_false(TranslateNameA("EXAMPLE\\alice", NameUserPrincipal, NameSamCompatible, name, &n));
    assert_int_equal(GetLastError(), ERROR_NONE_MAPPED);
    assert_false(TranslateNameA("EXAMPLE\\nobody", NameSamCompatible, NameDisplay, name, &n));
    assert_int_equal(GetLastError(), ERROR_NONE_MAPPED);
    assert_false(TranslateNameA("EXAMPLE\\alice", NameSamCompatible, NameUniqueId, name, &n));
    assert_int_equal(GetLastError(), ERROR_NONE_MAPPED);
    assert_false(TranslateNameA(NULL, NameSamCompatible, NameDisplay, name, &n));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
}

static DWORD logon(const char *user, const char *domain, const char *password, DWORD type, HANDLE *token)
{
    return LogonUserA(user, domain, password, type, LOGON32_PROVIDER_DEFAULT, token) ? ERROR_SUCCESS : GetLastError();
}

static bool token_has_group(HANDLE token, WELL_KNOWN_SID_TYPE which)
{
    HANDLE copy;
    BYTE sid[SECURITY_MAX_SID_SIZE];
    DWORD len = sizeof sid;
    BOOL member = FALSE;
    assert_true(CreateWellKnownSid(which, NULL, sid, &len));
    assert_true(DuplicateToken(token, SecurityIdentification, &copy));
    assert_true(CheckTokenMembership(copy, sid, &member));
    assert_true(CloseHandle(copy));
    return member;
}

static void test_logon(void **state)
{
    static const char *const domains[] = {NULL, ".", "EXAMPLE", "server", ""};
    HANDLE token = NULL;
    TOKEN_TYPE type;
    DWORD len;
    (void)state;
    for (size_t i = 0; i < sizeof domains / sizeof domains[0]; i++) {
        assert_int_equal(logon("alice", domains[i], "Password1!", LOGON32_LOGON_INTERACTIVE, &token), ERROR_SUCCESS);
        assert_true(GetTokenInformation(token, TokenType, &type, sizeof type, &len));
        assert_int_equal(type, TokenPrimary);
        assert_true(token_has_group(token, WinInteractiveSid));
        assert_false(token_has_group(token, WinNetworkSid));
        assert_true(CloseHandle(token));
    }
    assert_int_equal(logon("alice", ".", "Password1!", LOGON32_LOGON_NETWORK, &token), ERROR_SUCCESS);
    assert_true(GetTokenInformation(token, TokenType, &type, sizeof type, &len));
    assert_int_equal(type, TokenImpersonation);
    assert_true(token_has_group(token, WinNetworkSid));
    if (geteuid() == 0) {
        assert_true(ImpersonateLoggedOnUser(token));
        assert_int_equal(geteuid(), ALICE_UID);
        assert_true(RevertToSelf());
        assert_int_equal(geteuid(), 0);
    }
    assert_true(CloseHandle(token));
    PSID sid = NULL;
    PVOID profile = &len;
    DWORD profile_len = 7;
    QUOTA_LIMITS quotas;
    assert_true(LogonUserExW(OPENSSPI_WIDE("alice"), OPENSSPI_WIDE("."), OPENSSPI_WIDE("Password1!"),
                             LOGON32_LOGON_SERVICE, LOGON32_PROVIDER_WINNT40, &token, &sid, &profile, &profile_len,
                             &quotas));
    assert_true(token_has_group(token, WinServiceSid));
    assert_true(IsValidSid(sid));
    assert_null(profile);
    assert_int_equal(profile_len, 0);
    assert_null(LocalFree(sid));
    assert_true(CloseHandle(token));
    /* Only: may they log on? */
    assert_true(LogonUserExA("alice", ".", "Password1!", LOGON32_LOGON_NETWORK, LOGON32_PROVIDER_WINNT40, NULL, NULL,
                             NULL, NULL, NULL));
    assert_false(LogonUserExA("alice", ".", "wrong", LOGON32_LOGON_NETWORK, LOGON32_PROVIDER_WINNT40, NULL, NULL, NULL,
                              NULL, NULL));
    assert_int_equal(GetLastError(), ERROR_LOGON_FAILURE);
    assert_int_equal(logon("alice", ".", "Password1!", LOGON32_LOGON_NETWORK, NULL), ERROR_INVALID_PARAMETER);
}

static void test_logon_refused(void **state)
{
    HANDLE token = NULL;
    (void)state;
    assert_int_equal(logon("alice", ".", "wrong", LOGON32_LOGON_NETWORK, &token), ERROR_LOGON_FAILURE);
    assert_int_equal(logon("alice", ".", "", LOGON32_LOGON_NETWORK, &token), ERROR_LOGON_FAILURE);
    assert_int_equal(logon("alice", ".", NULL, LOGON32_LOGON_NETWORK, &token), ERROR_LOGON_FAILURE);
    assert_int_equal(logon("nobody-here", ".", "x", LOGON32_LOGON_NETWORK, &token), ERROR_LOGON_FAILURE);
    assert_int_equal(logon("", ".", "", LOGON32_LOGON_NETWORK, &token), ERROR_INVALID_PARAMETER);
    assert_int_equal(logon(NULL, ".", "", LOGON32_LOGON_NETWORK, &token), ERROR_INVALID_PARAMETER);
    assert_int_equal(logon("al\xffice", ".", "x", LOGON32_LOGON_NETWORK, &token), ERROR_INVALID_PARAMETER);
    assert_int_equal(logon("alice", ".", "x", LOGON32_LOGON_NEW_CREDENTIALS, &token), ERROR_NOT_SUPPORTED);
    assert_false(LogonUserA("alice", ".", "x", LOGON32_LOGON_NETWORK, 9, &token));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_false(LogonUserA("alice", ".", "Password1!", LOGON32_LOGON_NETWORK, 0, NULL));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_null(token);
    /* The account's own state is told to who knows the password; lock-out counts as over the network. */
    access_configure("[ntlm]\nchannel_bindings = always\nservice_binding = always\nallow_anonymous = yes\n");
    assert_int_equal(logon("bob", ".", "Password1!", LOGON32_LOGON_NETWORK, &token), ERROR_SUCCESS);
    assert_true(CloseHandle(token));
    for (int i = 0; i < 10; i++)
        assert_int_equal(logon("bob", ".", "wrong", LOGON32_LOGON_NETWORK, &token), ERROR_LOGON_FAILURE);
    assert_int_equal(logon("bob", ".", "Password1!", LOGON32_LOGON_NETWORK, &token), ERROR_ACCOUNT_LOCKED_OUT);
    access_configure(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_and_sids), cmocka_unit_test(test_unknown_domain),
        cmocka_unit_test(test_domain_beside),  cmocka_unit_test(test_sam_names),
        cmocka_unit_test(test_room),           cmocka_unit_test(test_user_name),
        cmocka_unit_test(test_computer_name),  cmocka_unit_test(test_domain_not_asked),
        cmocka_unit_test(test_translate),      cmocka_unit_test(test_logon),
        cmocka_unit_test(test_logon_refused),
    };
    return cmocka_run_group_tests(tests, access_setup, access_teardown);
}
