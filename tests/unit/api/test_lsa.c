/*
 * The Lsa functions in this process where memory fails: nothing else is to blame, and what was begun is ended.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/lsa.h"
#include "api/win32.h"
#include "base/memory.h"
#include "core/cause.h"
#include "support/access_world.h"
#include <ntsecapi.h>
#include <sspi_ext.h>
#include <stdio.h>
#include <string.h>
#include <win32/processthreadsapi.h>
#include <win32/securitybaseapi.h>
#include <win32/winbase.h>

#define NO_MEMORY ((NTSTATUS)0xC0000017)

static struct {
    MSV1_0_INTERACTIVE_LOGON logon;
    uint16_t user[5], domain[7], password[10];
} block;

static void put(UNICODE_STRING *string, uint16_t *to, const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++)
        to[i] = (uint16_t)text[i];
    *string = (UNICODE_STRING){(USHORT)(2 * len), (USHORT)(2 * len), (PWSTR)to};
}

static ULONG n_sessions(void)
{
    ULONG count;
    LUID *list;
    assert_int_equal(LsaEnumerateLogonSessions(&count, &list), 0);
    assert_int_equal(LsaFreeReturnBuffer(list), 0);
    return count;
}

static NTSTATUS log_on_with(const char *name, HANDLE lsa, LUID *luid, HANDLE *token)
{
    USHORT len = (USHORT)strlen(name);
    LSA_STRING package = {len, len, (char *)(uintptr_t)name};
    TOKEN_SOURCE source = {.SourceName = "test"};
    ULONG number = 99;
    NTSTATUS status = LsaLookupAuthenticationPackage(lsa, &package, &number), reason;
    if (status == 0)
        status = LsaLogonUser(lsa, &package, Interactive, number, &block, sizeof block, NULL, &source, NULL, NULL, luid,
                              token, NULL, &reason);
    return status;
}

static NTSTATUS log_on(HANDLE lsa, LUID *luid, HANDLE *token)
{
    return log_on_with("NTLM", lsa, luid, token);
}

/* Whoever logs on means this computer, whichever names are listed as those that others may mean. */
static void test_listed_targets(void **state)
{
    static const char *const lists[] = {"HTTP/www.example.test, www", "www", "www, server.example.test", ""};
    static const char *const policies[] = {"never", "when-supported", "always"};
    static const char *const packages[] = {"NTLM", "Negotiate"};
    HANDLE lsa, token;
    LUID luid;
    char text[256];
    (void)state;
    assert_int_equal(LsaConnectUntrusted(&lsa), 0);
    for (size_t i = 0; i < COUNT_OF(lists) * COUNT_OF(policies) * COUNT_OF(packages); i++) {
        const char *list = lists[i % COUNT_OF(lists)], *package = packages[i / COUNT_OF(lists) % COUNT_OF(packages)],
                   *policy = policies[i / COUNT_OF(lists) / COUNT_OF(packages)];
        snprintf(text, sizeof text, "[ntlm]\nservice_binding = %s\n%s%s\n", policy, *list != 0 ? "targets = " : "",
                 list);
        access_configure(text);
        NTSTATUS status = log_on_with(package, lsa, &luid, &token);
        if (status != 0)
            fail_msg("%s, targets = %s, %s: 0x%08x: %s", package, list, policy, (unsigned)status,
                     OpenSspiLastErrorText());
        assert_true(CloseHandle(token));
        if (!LogonUserA("alice", NULL, "Password1!", LOGON32_LOGON_NETWORK, 0, &token))
            fail_msg("LogonUser, targets = %s, %s: %u", list, policy, (unsigned)GetLastError());
        assert_true(CloseHandle(token));
        put(&block.logon.Password, block.password, "Password2!"); /* and the password is looked at still */
        assert_int_not_equal(log_on_with(package, lsa, &luid, &token), 0);
        put(&block.logon.Password, block.password, "Password1!");
    }
    access_configure(NULL);
    assert_int_equal(LsaDeregisterLogonProcess(lsa), 0);
}

static void test_logon_without_memory(void **state)
{
    HANDLE lsa, token;
    LUID luid;
    (void)state;
    assert_int_equal(LsaConnectUntrusted(&lsa), 0);
    ULONG n_before = n_sessions();
    for (int sticky = 0; sticky < 2; sticky++) {
        unsigned long nth = 1;
        for (bool reached = true; reached; nth++) {
            mem_fault_set(nth, sticky != 0);
            NTSTATUS status = log_on(lsa, &luid, &token);
            reached = mem_fault_count() >= nth;
            mem_fault_set(0, false);
            if (status == 0) {
                assert_int_equal(n_sessions(), n_before + 1);
                assert_true(CloseHandle(token));
                SECURITY_LOGON_SESSION_DATA *data;
                assert_int_equal(LsaGetLogonSessionData(&luid, &data), 0);
                assert_int_equal(LsaFreeReturnBuffer(data), 0);
                n_before++; /* a session of this process stays until it is logged off */
            } else if (status != NO_MEMORY)
                fail_msg("0x%08x: %s", (unsigned)status, OpenSspiLastErrorText());
            assert_int_equal(n_sessions(), n_before);
        }
        assert_true(nth > 20);
    }
    assert_int_equal(LsaDeregisterLogonProcess(lsa), 0);
}

/* The session that this process runs in: its token's, the same whoever asks, the last of the list, and described. */
static void test_own_session(void **state)
{
    TOKEN_STATISTICS first, second;
    TOKEN_STATISTICS *const both[] = {&first, &second};
    SECURITY_LOGON_SESSION_DATA *data;
    ULONG count;
    LUID *list;
    (void)state;
    for (int i = 0; i < 2; i++) {
        HANDLE token;
        DWORD n = sizeof first;
        assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token));
        assert_true(GetTokenInformation(token, TokenStatistics, both[i], n, &n));
        assert_true(CloseHandle(token));
    }
    assert_memory_equal(&first.AuthenticationId, &second.AuthenticationId, sizeof(LUID));
    assert_memory_not_equal(&first.TokenId, &second.TokenId, sizeof(LUID));
    assert_int_equal(LsaEnumerateLogonSessions(&count, &list), 0);
    assert_true(count > 0);
    assert_memory_equal(&list[count - 1], &first.AuthenticationId, sizeof(LUID));
    assert_int_equal(LsaFreeReturnBuffer(list), 0);
    assert_int_equal(LsaGetLogonSessionData(&first.AuthenticationId, &data), 0);
    assert_memory_equal(&data->LogonId, &first.AuthenticationId, sizeof(LUID));
    assert_true(data->UserName.Length > 0 && data->LogonTime.QuadPart > 0);
    assert_int_equal(data->AuthenticationPackage.Length, 2 * strlen("Negotiate"));
    assert_int_equal(LsaFreeReturnBuffer(data), 0);
    first.AuthenticationId.LowPart ^= 1;
    assert_int_equal(LsaGetLogonSessionData(&first.AuthenticationId, &data), STATUS_NO_SUCH_LOGON_SESSION);
}

static int set_up(void **state)
{
    (void)state;
    access_configure(NULL);
    block.logon.MessageType = MsV1_0InteractiveLogon;
    put(&block.logon.UserName, block.user, "alice");
    put(&block.logon.LogonDomainName, block.domain, "EXAMPLE");
    put(&block.logon.Password, block.password, "Password1!");
    return 0;
}

/* What the functions answer, and the error number that Windows has for it. */
static void test_statuses(void **state)
{
    static const struct {
        SECURITY_STATUS from;
        NTSTATUS status;
        ULONG error;
    } cases[] = {
        {SEC_E_OK, STATUS_SUCCESS, ERROR_SUCCESS},
        {SEC_E_NO_CREDENTIALS, STATUS_ACCESS_DENIED, ERROR_ACCESS_DENIED},
        {SEC_E_LOGON_DENIED, STATUS_LOGON_FAILURE, ERROR_LOGON_FAILURE},
        {SEC_E_WRONG_PRINCIPAL, STATUS_LOGON_FAILURE, ERROR_LOGON_FAILURE},
        {SEC_E_UNKNOWN_CREDENTIALS, STATUS_LOGON_FAILURE, ERROR_LOGON_FAILURE},
        {SEC_E_NO_AUTHENTICATING_AUTHORITY, STATUS_NO_LOGON_SERVERS, ERROR_NO_LOGON_SERVERS},
        {SEC_E_INSUFFICIENT_MEMORY, STATUS_NO_MEMORY, ERROR_NOT_ENOUGH_MEMORY},
        {SEC_E_UNSUPPORTED_FUNCTION, STATUS_NOT_SUPPORTED, ERROR_NOT_SUPPORTED},
        {SEC_E_INVALID_HANDLE, STATUS_NO_SUCH_LOGON_SESSION, ERROR_NO_SUCH_LOGON_SESSION},
        {SEC_E_TIME_SKEW, STATUS_TIME_DIFFERENCE_AT_DC, 1398 /* ERROR_TIME_SKEW */},
        {SEC_E_INVALID_TOKEN, STATUS_INVALID_PARAMETER, ERROR_INVALID_PARAMETER},
        {SEC_E_SECPKG_NOT_FOUND, STATUS_NO_SUCH_PACKAGE, 1364 /* ERROR_NO_SUCH_PACKAGE */},
        {SEC_E_INTERNAL_ERROR, STATUS_INTERNAL_ERROR, 1359 /* ERROR_INTERNAL_ERROR */},
        {SEC_E_TARGET_UNKNOWN, STATUS_NO_TRUST_SAM_ACCOUNT, ERROR_NO_TRUST_SAM_ACCOUNT},
        {SEC_E_KDC_UNKNOWN_ETYPE, STATUS_KDC_UNKNOWN_ETYPE, (ULONG)SEC_E_KDC_UNKNOWN_ETYPE},
        {SEC_E_DELEGATION_POLICY, SEC_E_DELEGATION_POLICY, ERROR_MR_MID_NOT_FOUND}, /* no NTSTATUS says so */
        {SEC_E_CONTEXT_EXPIRED, SEC_E_CONTEXT_EXPIRED, ERROR_MR_MID_NOT_FOUND},
        {SEC_E_MESSAGE_ALTERED, SEC_E_MESSAGE_ALTERED, ERROR_MR_MID_NOT_FOUND},
        {SEC_I_CONTINUE_NEEDED, STATUS_INTERNAL_ERROR, 1359 /* ERROR_INTERNAL_ERROR */}, /* no failure at all */
        {STATUS_ACCOUNT_LOCKED_OUT, STATUS_ACCOUNT_LOCKED_OUT, ERROR_ACCOUNT_LOCKED_OUT},
    };
    (void)state;
    cause_clear();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(lsa_status(cases[i].from), cases[i].status);
        assert_int_equal(LsaNtStatusToWinError(cases[i].status), cases[i].error);
    }
    assert_int_equal(LsaNtStatusToWinError((NTSTATUS)0xC000FFFF), ERROR_MR_MID_NOT_FOUND);
    /* What a package answers as its own status. */
    assert_int_equal(LsaNtStatusToWinError(SEC_E_NO_CREDENTIALS), ERROR_NO_SUCH_LOGON_SESSION);
    assert_int_equal(LsaNtStatusToWinError(SEC_E_LOGON_DENIED), ERROR_LOGON_FAILURE);
    assert_int_equal(LsaNtStatusToWinError(SEC_E_NO_AUTHENTICATING_AUTHORITY), ERROR_NO_LOGON_SERVERS);
    assert_int_equal(LsaNtStatusToWinError(SEC_E_TARGET_UNKNOWN), 53 /* ERROR_BAD_NETPATH */);
    /* Connections that break. */
    assert_int_equal(LsaNtStatusToWinError((NTSTATUS)0xC00000B0), 233);
    assert_int_equal(LsaNtStatusToWinError((NTSTATUS)0xC00000C9), 64);
    assert_int_equal(LsaNtStatusToWinError((NTSTATUS)0xC000014B), 109);
    assert_int_equal(LsaNtStatusToWinError((NTSTATUS)0xC000020C), 64);
    assert_int_equal(LsaNtStatusToWinError((NTSTATUS)0xC000020D), 64);
    assert_int_equal(LsaNtStatusToWinError((NTSTATUS)0xC000023C), 1231);
    assert_int_equal(LsaNtStatusToWinError((NTSTATUS)0xC000023D), 1232);
}

/* Functions that answer by a last error say what the Lsa functions say, where they have no number of their own. */
static void test_last_errors(void **state)
{
    static const struct {
        SECURITY_STATUS status;
        DWORD error;
    } cases[] = {
        {SEC_E_OK, ERROR_SUCCESS},
        {SEC_E_TIME_SKEW, 1398 /* ERROR_TIME_SKEW */},
        {SEC_E_INVALID_PARAMETER, ERROR_INVALID_PARAMETER},
        {SEC_E_NO_CREDENTIALS, ERROR_ACCESS_DENIED},
        {SEC_E_WRONG_PRINCIPAL, ERROR_LOGON_FAILURE},
        {(SECURITY_STATUS)STATUS_ACCOUNT_LOCKED_OUT, ERROR_ACCOUNT_LOCKED_OUT},
        {(SECURITY_STATUS)STATUS_INVALID_LOGON_HOURS, 1328 /* ERROR_INVALID_LOGON_HOURS */},
        {SEC_E_INVALID_HANDLE, ERROR_INVALID_HANDLE}, /* a handle here, a logon session there */
        {SEC_E_SECPKG_NOT_FOUND, ERROR_NOT_SUPPORTED},
        {SEC_E_INTERNAL_ERROR, ERROR_INTERNAL_ERROR},
        {SEC_E_QOP_NOT_SUPPORTED, ERROR_INTERNAL_ERROR},
        {SEC_E_TARGET_UNKNOWN, ERROR_NONE_MAPPED}, /* a name that nobody has */
        {SEC_E_KDC_UNKNOWN_ETYPE, (DWORD)SEC_E_KDC_UNKNOWN_ETYPE},
        {(SECURITY_STATUS)0xC000FFFF, ERROR_INTERNAL_ERROR},
    };
    (void)state;
    cause_clear();
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(win32_error_of(cases[i].status), cases[i].error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_own_session), cmocka_unit_test(test_logon_without_memory),
                                       cmocka_unit_test(test_listed_targets), cmocka_unit_test(test_statuses),
                                       cmocka_unit_test(test_last_errors)};
    return cmocka_run_group_tests(tests, set_up, access_teardown);
}
