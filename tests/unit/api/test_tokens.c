/*
 * Access tokens through the public interface: of NTLM clients, of this process, duplicates, what they tell, and handles that are none.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "access/token_handle.h"
#include "base/memory.h"
#include "support/access_world.h"
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sspi_ext.h>
#include <unistd.h>
#include <win32/sddl.h>
#include <win32/winbase.h>

static HANDLE client_token(const char *user, ULONG flags)
{
    struct loop loop;
    HANDLE token = NULL;
    access_connect(&loop, user, flags);
    assert_int_equal(QuerySecurityContextToken(&loop.server, &token), SEC_E_OK);
    assert_non_null(token);
    loop_end(&loop); /* a token outlives its context */
    return token;
}

/* A fresh block with one class of information. */
static void *information(HANDLE token, TOKEN_INFORMATION_CLASS which)
{
    DWORD len = 0, again = 0;
    assert_false(GetTokenInformation(token, which, NULL, 0, &len));
    assert_int_equal(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
    assert_true(len > 0);
    void *room = malloc(len);
    assert_non_null(room);
    memset(room, 0xee, len);
    assert_false(GetTokenInformation(token, which, room, len - 1, &again));
    assert_int_equal(again, len);
    assert_int_equal(*(unsigned char *)room, 0xee);
    assert_true(GetTokenInformation(token, which, room, len, &again));
    assert_int_equal(again, len);
    return room;
}

static void sid_text(PSID sid, char text[200])
{
    LPSTR made;
    assert_true(ConvertSidToStringSidA(sid, &made));
    snprintf(text, 200, "%s", made);
    assert_null(LocalFree(made));
}

static bool groups_have(const TOKEN_GROUPS *groups, const char *wanted, DWORD attributes)
{
    char text[200];
    for (DWORD i = 0; i < groups->GroupCount; i++) {
        sid_text(groups->Groups[i].Sid, text);
        if (strcmp(text, wanted) == 0)
            return groups->Groups[i].Attributes == attributes;
    }
    return false;
}

/* How a client was authenticated is the package's that did it, also where Negotiate chose it: who keeps NTLM's clients out means them all. */
static void test_negotiated(void **state)
{
    struct loop loop = {.package = "Negotiate", .user = "alice", .client_flags = ISC_REQ_INTEGRITY};
    HANDLE token = NULL;
    (void)state;
    assert_true(loop_run(&loop));
    assert_int_equal(QuerySecurityContextToken(&loop.server, &token), SEC_E_OK);
    TOKEN_GROUPS *groups = information(token, TokenGroups);
    TOKEN_SOURCE *source = information(token, TokenSource);
    assert_true(groups_have(groups, "S-1-5-64-10", 7));
    assert_memory_equal(source->SourceName, "NTLM\0\0\0\0", 8);
    free(groups);
    free(source);
    assert_true(CloseHandle(token));
    loop_end(&loop);
}

/* Generic rights stand for those of winnt.h. */
static void test_generic_rights(void **state)
{
    static const struct {
        DWORD asked, rights;
    } cases[] = {{GENERIC_READ, TOKEN_READ},          {GENERIC_WRITE, TOKEN_WRITE},
                 {GENERIC_EXECUTE, TOKEN_EXECUTE},    {GENERIC_ALL, TOKEN_ALL_ACCESS},
                 {MAXIMUM_ALLOWED, TOKEN_ALL_ACCESS}, {GENERIC_EXECUTE | TOKEN_QUERY, TOKEN_EXECUTE | TOKEN_QUERY}};
    HANDLE token = client_token("alice", ISC_REQ_INTEGRITY), other = NULL;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_HANDLE struct handle_ref ref = {0};
        const struct token_opened *opened;
        assert_true(DuplicateTokenEx(token, cases[i].asked, NULL, SecurityIdentification, TokenImpersonation, &other));
        assert_int_equal(token_handle_get(other, &ref, &opened), SEC_E_OK);
        assert_int_equal(opened->rights, cases[i].rights);
        assert_true(CloseHandle(other));
    }
    assert_true(CloseHandle(token));
}

static void test_client(void **state)
{
    HANDLE token = client_token("alice", ISC_REQ_INTEGRITY);
    TOKEN_USER *user = information(token, TokenUser);
    TOKEN_GROUPS *groups = information(token, TokenGroups), *logon = information(token, TokenLogonSid);
    TOKEN_OWNER *owner = information(token, TokenOwner);
    TOKEN_PRIMARY_GROUP *primary = information(token, TokenPrimaryGroup);
    TOKEN_SOURCE *source = information(token, TokenSource);
    TOKEN_STATISTICS *statistics = information(token, TokenStatistics);
    TOKEN_PRIVILEGES *privileges = information(token, TokenPrivileges);
    TOKEN_TYPE *type = information(token, TokenType);
    TOKEN_ORIGIN *origin = information(token, TokenOrigin);
    OPENSSPI_TOKEN_UNIX_IDS *ids = information(token, OPENSSPI_TOKEN_UNIX);
    char text[200], expected[200];
    (void)state;
    sid_text(user->User.Sid, text);
    assert_int_equal(strncmp(text, "S-1-5-21-", 9), 0);
    assert_string_equal(strrchr(text, '-'), "-1000");
    assert_true(EqualSid(owner->Owner, user->User.Sid));
    assert_true(EqualPrefixSid(primary->PrimaryGroup, user->User.Sid));
    assert_int_equal(groups->GroupCount, 2 + 7);
    assert_true(groups_have(groups, "S-1-1-0", 7));
    assert_true(groups_have(groups, "S-1-5-2", 7));
    assert_true(groups_have(groups, "S-1-5-11", 7));
    assert_true(groups_have(groups, "S-1-5-15", 7));
    assert_true(groups_have(groups, "S-1-5-32-545", 7));
    assert_true(groups_have(groups, "S-1-5-64-10", 7));
    sid_text(primary->PrimaryGroup, text);
    assert_true(groups_have(groups, text, 7));
    assert_int_equal(logon->GroupCount, 1);
    snprintf(expected, sizeof expected, "S-1-5-5-%u-%u", (unsigned)statistics->AuthenticationId.HighPart,
             (unsigned)statistics->AuthenticationId.LowPart);
    sid_text(logon->Groups[0].Sid, text);
    assert_string_equal(text, expected);
    assert_true(groups_have(groups, text, SE_GROUP_LOGON_ID | 7));
    assert_memory_equal(source->SourceName, "NTLM\0\0\0\0", 8);
    assert_int_equal(*type, TokenImpersonation);
    assert_int_equal(statistics->TokenType, TokenImpersonation);
    assert_int_equal(statistics->ImpersonationLevel, SecurityImpersonation);
    assert_int_equal(statistics->GroupCount, groups->GroupCount);
    assert_int_equal(statistics->PrivilegeCount, 0);
    assert_int_equal(privileges->PrivilegeCount, 0);
    assert_int_equal(origin->OriginatingLogonSession.LowPart, 0);
    assert_true(ids->Mapped);
    assert_int_equal(ids->User, ALICE_UID);
    assert_int_equal(ids->Group, ALICE_UID);
    assert_int_equal(ids->GroupCount, 1);
    assert_int_equal(ids->Groups[0], STAFF_GID);
    void *all[] = {user, groups, logon, owner, primary, source, statistics, privileges, type, origin, ids};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        free(all[i]);
    assert_true(CloseHandle(token));
}

static void test_logon_ids_differ(void **state)
{
    HANDLE first = client_token("alice", 0), second = client_token("alice", 0);
    TOKEN_STATISTICS *a = information(first, TokenStatistics), *b = information(second, TokenStatistics);
    (void)state;
    assert_memory_not_equal(&a->AuthenticationId, &b->AuthenticationId, sizeof a->AuthenticationId);
    assert_memory_not_equal(&a->TokenId, &b->TokenId, sizeof a->TokenId);
    free(a);
    free(b);
    assert_true(CloseHandle(first));
    assert_true(CloseHandle(second));
}

static void test_without_unix_user(void **state)
{
    HANDLE token = client_token("mapless", 0);
    OPENSSPI_TOKEN_UNIX_IDS *ids = information(token, OPENSSPI_TOKEN_UNIX);
    (void)state;
    assert_false(ids->Mapped);
    assert_int_equal(ids->User, 0);
    assert_int_equal(ids->GroupCount, 0);
    free(ids);
    assert_true(CloseHandle(token));
}

static void test_ranges(void **state)
{
    char range[256], text[200];
    HANDLE token = client_token("mapless", 0);
    TOKEN_USER *user = information(token, TokenUser);
    (void)state;
    sid_text(user->User.Sid, text);
    unsigned rid = (unsigned)strtoul(strrchr(text, '-') + 1, NULL, 10);
    *strrchr(text, '-') = '\0';
    free(user);
    assert_true(CloseHandle(token));
    snprintf(range, sizeof range, "ranges = S-1-5-21-9-9-9:5000:10, %s:200000:%u\n", text, rid + 1);
    access_configure(range);
    token = client_token("mapless", 0);
    OPENSSPI_TOKEN_UNIX_IDS *ids = information(token, OPENSSPI_TOKEN_UNIX);
    assert_true(ids->Mapped);
    assert_int_equal(ids->User, 200000 + rid);
    assert_int_equal(ids->Group, 200000 + rid);
    free(ids);
    assert_true(CloseHandle(token));
    snprintf(range, sizeof range, "ranges = %s:200000:%u\n", text, rid); /* one short */
    access_configure(range);
    token = client_token("mapless", 0);
    ids = information(token, OPENSSPI_TOKEN_UNIX);
    assert_false(ids->Mapped);
    free(ids);
    assert_true(CloseHandle(token));
    static const char *const bad[] = {"ranges = S-1-5-21-1:1\n",    "ranges = S-1-5-21-1:0:5\n",
                                      "ranges = nonsense:1:5\n",    "ranges = S-1-5-21-1:1:0\n",
                                      "ranges = S-1-5-21-1:1:5x\n", "ranges = S-1-5-21-1:4294967290:100\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct loop loop;
        access_configure(bad[i]);
        access_connect(&loop, "mapless", 0);
        assert_int_equal(QuerySecurityContextToken(&loop.server, &token), SEC_E_INTERNAL_ERROR);
        assert_non_null(strstr(OpenSspiLastErrorText(), "ranges"));
        loop_end(&loop);
    }
    access_configure(NULL);
}

/* Accounts of a domain whose accounts are the users here, by their names; of other domains they are not. */
static void test_name_service(void **state)
{
    static const struct {
        const char *section, *user;
        bool mapped;
    } cases[] = {{"name_domains = OTHER, example\n", "daemon", true},
                 {"name_domains = OTHER, example\n", "mapless", false}, /* no such user here */
                 {"name_domains = OTHER\n", "daemon", false},
                 {NULL, "daemon", false}};
    const struct passwd *user = getpwnam("daemon");
    (void)state;
    assert_non_null(user);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        access_configure(cases[i].section);
        HANDLE token = client_token(cases[i].user, 0);
        OPENSSPI_TOKEN_UNIX_IDS *ids = information(token, OPENSSPI_TOKEN_UNIX);
        assert_int_equal(ids->Mapped, cases[i].mapped);
        if (cases[i].mapped) {
            assert_int_equal(ids->User, user->pw_uid);
            assert_int_equal(ids->Group, user->pw_gid);
        }
        free(ids);
        assert_true(CloseHandle(token));
    }
    access_configure(NULL);
}

static void test_access_token_attribute(void **state)
{
    struct loop loop;
    SecPkgContext_AccessToken first, second;
    HANDLE token;
    DWORD len;
    TOKEN_TYPE type;
    (void)state;
    access_connect(&loop, "alice", 0);
    assert_int_equal(QueryContextAttributesA(&loop.server, SECPKG_ATTR_ACCESS_TOKEN, &first), SEC_E_OK);
    assert_int_equal(QueryContextAttributesW(&loop.server, SECPKG_ATTR_ACCESS_TOKEN, &second), SEC_E_OK);
    assert_ptr_equal(first.AccessToken, second.AccessToken);
    assert_int_equal(QuerySecurityContextToken(&loop.server, &token), SEC_E_OK);
    assert_ptr_not_equal(first.AccessToken, token);
    assert_true(GetTokenInformation(first.AccessToken, TokenType, &type, sizeof type, &len));
    /* Who closes what is not his harms nobody. */
    assert_true(CloseHandle(first.AccessToken));
    assert_false(GetTokenInformation(first.AccessToken, TokenType, &type, sizeof type, &len));
    assert_int_equal(QueryContextAttributesW(&loop.server, SECPKG_ATTR_ACCESS_TOKEN, &second), SEC_E_OK);
    assert_true(GetTokenInformation(second.AccessToken, TokenType, &type, sizeof type, &len));
    assert_int_equal(QueryContextAttributesA(&loop.client, SECPKG_ATTR_ACCESS_TOKEN, &first), SEC_E_NO_IMPERSONATION);
    assert_int_equal(QueryContextAttributesA(&loop.server, SECPKG_ATTR_ACCESS_TOKEN, NULL), SEC_E_INTERNAL_ERROR);
    loop_end(&loop);
    assert_false(
        GetTokenInformation(second.AccessToken, TokenType, &type, sizeof type, &len)); /* it ended with its context */
    assert_true(GetTokenInformation(token, TokenType, &type, sizeof type, &len));
    assert_true(CloseHandle(token));
}

static void test_before_the_handshake_ends(void **state)
{
    struct loop loop = {.user = "alice", .password = "wrong"};
    HANDLE token = NULL;
    (void)state;
    assert_false(loop_run(&loop));
    assert_int_equal(QuerySecurityContextToken(&loop.server, &token), SEC_E_NO_IMPERSONATION);
    assert_int_equal(ImpersonateSecurityContext(&loop.server), SEC_E_NO_IMPERSONATION);
    assert_null(token);
    assert_int_equal(QuerySecurityContextToken(&loop.server, NULL), SEC_E_INVALID_TOKEN);
    loop_end(&loop);
}

static void test_anonymous_client(void **state)
{
    struct loop loop = {.client_flags = ISC_REQ_NULL_SESSION, .server_flags = ASC_REQ_ALLOW_NULL_SESSION};
    HANDLE token;
    char text[200];
    (void)state;
    access_configure("[ntlm]\nallow_anonymous = yes\n");
    assert_true(loop_run(&loop));
    assert_int_equal(QuerySecurityContextToken(&loop.server, &token), SEC_E_OK);
    TOKEN_USER *user = information(token, TokenUser);
    TOKEN_GROUPS *groups = information(token, TokenGroups);
    TOKEN_STATISTICS *statistics = information(token, TokenStatistics);
    sid_text(user->User.Sid, text);
    assert_string_equal(text, "S-1-5-7");
    assert_false(groups_have(groups, "S-1-1-0", 7));
    assert_false(groups_have(groups, "S-1-5-11", 7));
    assert_int_equal(statistics->AuthenticationId.LowPart, 0x3e6);
    assert_int_equal(statistics->ImpersonationLevel, SecurityAnonymous);
    free(user);
    free(groups);
    free(statistics);
    assert_true(CloseHandle(token));
    loop_end(&loop);
    access_configure(NULL);
}

static void test_process(void **state)
{
    HANDLE token, thread;
    char text[200], expected[64];
    BOOL member;
    BYTE sid[SECURITY_MAX_SID_SIZE];
    DWORD len = sizeof sid;
    (void)state;
    assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token));
    TOKEN_USER *user = information(token, TokenUser);
    TOKEN_TYPE *type = information(token, TokenType);
    SECURITY_IMPERSONATION_LEVEL level;
    sid_text(user->User.Sid, text);
    snprintf(expected, sizeof expected, "S-1-22-1-%u", (unsigned)geteuid());
    assert_string_equal(text, expected);
    assert_int_equal(*type, TokenPrimary);
    assert_false(GetTokenInformation(token, TokenImpersonationLevel, &level, sizeof level, &len));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    free(user);
    free(type);
    len = sizeof sid;
    assert_true(CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, sid, &len));
    assert_true(CheckTokenMembership(NULL, sid, &member));
    assert_int_equal(member, geteuid() == 0);
    assert_false(CheckTokenMembership(token, sid, &member));
    assert_int_equal(GetLastError(), ERROR_NO_IMPERSONATION_TOKEN);
    assert_true(CloseHandle(token));
    assert_false(OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &thread));
    assert_int_equal(GetLastError(), ERROR_NO_TOKEN);
    assert_false(OpenThreadToken(GetCurrentProcess(), TOKEN_QUERY, TRUE, &thread));
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
    assert_false(OpenProcessToken(NULL, TOKEN_QUERY, &thread));
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
}

static void test_duplicates(void **state)
{
    HANDLE token = client_token("alice", 0), identify = NULL, primary = NULL, other = NULL;
    BOOL member = FALSE;
    BYTE sid[SECURITY_MAX_SID_SIZE];
    DWORD len = sizeof sid;
    (void)state;
    assert_true(CreateWellKnownSid(WinNetworkSid, NULL, sid, &len));
    assert_true(DuplicateToken(token, SecurityIdentification, &identify));
    assert_true(CheckTokenMembership(identify, sid, &member));
    assert_true(member);
    assert_false(DuplicateToken(token, SecurityDelegation, &other));
    assert_int_equal(GetLastError(), ERROR_BAD_IMPERSONATION_LEVEL);
    assert_false(DuplicateTokenEx(identify, 0, NULL, SecurityImpersonation, TokenImpersonation, &other));
    assert_int_equal(GetLastError(), ERROR_ACCESS_DENIED); /* DuplicateToken does not open for duplicating */
    assert_true(DuplicateTokenEx(token, TOKEN_QUERY | TOKEN_DUPLICATE, NULL, SecurityIdentification, TokenImpersonation,
                                 &other));
    assert_false(DuplicateTokenEx(other, 0, NULL, SecurityImpersonation, TokenImpersonation, &primary));
    assert_int_equal(GetLastError(), ERROR_BAD_IMPERSONATION_LEVEL);
    assert_false(DuplicateTokenEx(other, 0, NULL, SecurityIdentification, TokenPrimary, &primary));
    assert_int_equal(GetLastError(), ERROR_BAD_IMPERSONATION_LEVEL);
    assert_true(DuplicateTokenEx(token, 0, NULL, SecurityAnonymous, TokenPrimary, &primary));
    assert_true(CloseHandle(other));
    assert_true(DuplicateTokenEx(primary, MAXIMUM_ALLOWED, NULL, SecurityDelegation, TokenImpersonation, &other));
    assert_false(DuplicateTokenEx(primary, 0, NULL, SecurityDelegation, (TOKEN_TYPE)3, &other));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_false(DuplicateTokenEx(primary, 0, NULL, (SECURITY_IMPERSONATION_LEVEL)7, TokenPrimary, &other));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_false(SetThreadToken(NULL, primary));
    assert_int_equal(GetLastError(), ERROR_BAD_TOKEN_TYPE);
    HANDLE all[] = {token, identify, primary, other};
    for (size_t i = 0; i < 4; i++)
        assert_true(CloseHandle(all[i]));
}

static void test_rights(void **state)
{
    HANDLE token = client_token("alice", 0), narrow = NULL;
    TOKEN_SOURCE source;
    TOKEN_TYPE type;
    DWORD len;
    (void)state;
    assert_true(DuplicateTokenEx(token, TOKEN_QUERY, NULL, SecurityImpersonation, TokenImpersonation, &narrow));
    assert_true(GetTokenInformation(narrow, TokenType, &type, sizeof type, &len));
    assert_false(GetTokenInformation(narrow, TokenSource, &source, sizeof source, &len));
    assert_int_equal(GetLastError(), ERROR_ACCESS_DENIED);
    assert_false(ImpersonateLoggedOnUser(narrow));
    assert_int_equal(GetLastError(), ERROR_ACCESS_DENIED);
    assert_false(SetThreadToken(NULL, narrow));
    assert_int_equal(GetLastError(), ERROR_ACCESS_DENIED);
    assert_true(CloseHandle(narrow));
    assert_true(DuplicateTokenEx(token, TOKEN_IMPERSONATE, NULL, SecurityImpersonation, TokenImpersonation, &narrow));
    assert_false(GetTokenInformation(narrow, TokenType, &type, sizeof type, &len));
    assert_int_equal(GetLastError(), ERROR_ACCESS_DENIED);
    assert_true(CloseHandle(narrow));
    assert_true(CloseHandle(token));
}

static void test_wrong_handles(void **state)
{
    HANDLE token = client_token("alice", 0);
    const uintptr_t wrong[] = {0,
                               1,
                               4,
                               UINTPTR_MAX,
                               UINTPTR_MAX - 1,
                               UINTPTR_MAX - 3,
                               UINTPTR_MAX - 5,
                               (uintptr_t)&token,
                               (uintptr_t)token + 1,
                               (uintptr_t)token + 4,
                               (uintptr_t)token ^ (UINT64_C(1) << 40),
                               (uintptr_t)token ^ (UINT64_C(1) << 23)};
    DWORD len;
    TOKEN_TYPE type;
    BOOL member;
    SID everyone = {SID_REVISION, 1, {{0, 0, 0, 0, 0, 1}}, {0}};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        HANDLE handle = (HANDLE)wrong[i];
        assert_false(CloseHandle(handle));
        assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
        assert_false(GetTokenInformation(handle, TokenType, &type, sizeof type, &len));
        assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
        assert_false(ImpersonateLoggedOnUser(handle));
        if (handle != NULL) {
            assert_false(CheckTokenMembership(handle, &everyone, &member));
            assert_false(SetThreadToken(NULL, handle));
        }
    }
    assert_true(CloseHandle(token));
    assert_false(CloseHandle(token)); /* stale */
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
    assert_false(GetTokenInformation(token, TokenType, &type, sizeof type, &len));
    /* A context's handle is no token's, whatever is made of its halves. */
    struct loop loop;
    access_connect(&loop, "alice", 0);
    uintptr_t forged = (uintptr_t)loop.server.dwUpper << 24 | ((uintptr_t)loop.server.dwLower & 0xfffffff) << 2;
    assert_false(CloseHandle((HANDLE)forged));
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
    loop_end(&loop);
}

static void test_wrong_parameters(void **state)
{
    HANDLE token = client_token("alice", 0);
    BYTE room[512];
    DWORD len;
    (void)state;
    assert_false(GetTokenInformation(token, (TOKEN_INFORMATION_CLASS)99, room, sizeof room, &len));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_false(GetTokenInformation(token, TokenUser, room, sizeof room, NULL));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_false(CheckTokenMembership(token, NULL, &(BOOL){0}));
    assert_int_equal(GetLastError(), ERROR_INVALID_SID);
    assert_false(DuplicateToken(token, SecurityIdentification, NULL));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_true(CloseHandle(token));
}

/* Where memory fails, nothing else is to blame. */
static bool done(BOOL good)
{
    if (!good && GetLastError() != ERROR_NOT_ENOUGH_MEMORY)
        fail_msg("%u: %s", (unsigned)GetLastError(), OpenSspiLastErrorText());
    return good;
}

/* Every allocation of it fails once, alone and with all that follow. */
static DWORD sweep_once(struct loop *loop)
{
    static const WCHAR alice[] = {'a', 'l', 'i', 'c', 'e', 0};
    HANDLE token = NULL, copy = NULL;
    BYTE sid[SECURITY_MAX_SID_SIZE];
    WCHAR wide[64];
    char domain[64], name[64];
    DWORD n_sid = sizeof sid, n_domain = sizeof wide / sizeof *wide, n_name = sizeof name;
    SID_NAME_USE use;
    SECURITY_STATUS status = QuerySecurityContextToken(&loop->server, &token);
    if (status != SEC_E_OK) {
        assert_int_equal(status, SEC_E_INSUFFICIENT_MEMORY);
        return 1;
    }
    bool good = done(DuplicateToken(token, SecurityIdentification, &copy));
    assert_true(CloseHandle(token));
    if (!good)
        return 1;
    assert_true(CloseHandle(copy));
    if (!done(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)))
        return 1;
    assert_true(CloseHandle(token));
    if (!done(LogonUserA("alice", NULL, "Password1!", LOGON32_LOGON_NETWORK, 0, &token)))
        return 1;
    assert_true(CloseHandle(token));
    if (!done(LookupAccountNameW(NULL, alice, sid, &n_sid, wide, &n_domain, &use)))
        return 1;
    n_domain = sizeof domain;
    return done(LookupAccountSidA(NULL, sid, name, &n_name, domain, &n_domain, &use)) ? 0 : 1;
}

static void test_allocation_failures(void **state)
{
    (void)state;
    for (int sticky = 0; sticky < 2; sticky++) {
        DWORD failed = 1;
        unsigned long nth;
        for (nth = 1; failed != 0 && nth < 2000; nth++) {
            struct loop loop;
            access_connect(&loop, "alice", 0);
            mem_fault_set(nth, sticky != 0);
            failed = sweep_once(&loop);
            if (failed == 0 && mem_fault_count() >= nth)
                failed = 1; /* one failed that did not matter: go on */
            mem_fault_set(0, false);
            loop_end(&loop);
        }
        assert_int_equal(failed, 0);
        assert_true(nth > 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_client),
        cmocka_unit_test(test_negotiated),
        cmocka_unit_test(test_generic_rights),
        cmocka_unit_test(test_logon_ids_differ),
        cmocka_unit_test(test_without_unix_user),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_name_service),
        cmocka_unit_test(test_access_token_attribute),
        cmocka_unit_test(test_before_the_handshake_ends),
        cmocka_unit_test(test_anonymous_client),
        cmocka_unit_test(test_process),
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_rights),
        cmocka_unit_test(test_wrong_handles),
        cmocka_unit_test(test_wrong_parameters),
        cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, access_setup, access_teardown);
}
