/*
 * The Lsa functions in this process where memory fails: nothing else is to blame, and what was begun is ended.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "support/access_world.h"
#include <ntsecapi.h>
#include <sspi_ext.h>
#include <string.h>
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

static NTSTATUS log_on(HANDLE lsa, LUID *luid, HANDLE *token)
{
    char name[] = "NTLM";
    LSA_STRING package = {4, 4, name};
    TOKEN_SOURCE source = {.SourceName = "test"};
    ULONG number = 99;
    NTSTATUS status = LsaLookupAuthenticationPackage(lsa, &package, &number), reason;
    if (status == 0)
        status = LsaLogonUser(lsa, &package, Interactive, number, &block, sizeof block, NULL, &source, NULL, NULL, luid,
                              token, NULL, &reason);
    return status;
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_logon_without_memory)};
    return cmocka_run_group_tests(tests, set_up, access_teardown);
}
