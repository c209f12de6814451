/*
 * SIDs and security descriptors through the public interface: what programs written for Windows do with them.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/access_world.h"
#include <stdlib.h>
#include <string.h>
#include <sspi_ext.h>
#include <win32/sddl.h>
#include <win32/winbase.h>

static void test_allocate_and_free(void **state)
{
    SID_IDENTIFIER_AUTHORITY nt = {SECURITY_NT_AUTHORITY};
    PSID sid = NULL;
    (void)state;
    assert_true(
        AllocateAndInitializeSid(&nt, 2, SECURITY_BUILTIN_DOMAIN_RID, DOMAIN_ALIAS_RID_ADMINS, 0, 0, 0, 0, 0, 0, &sid));
    assert_true(IsValidSid(sid));
    assert_int_equal(GetLengthSid(sid), 16);
    assert_int_equal(*GetSidSubAuthorityCount(sid), 2);
    assert_int_equal(*GetSidSubAuthority(sid, 0), 32);
    assert_int_equal(*GetSidSubAuthority(sid, 1), 544);
    assert_null(GetSidSubAuthority(sid, 2));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_int_equal(GetSidIdentifierAuthority(sid)->Value[5], 5);
    assert_true(IsWellKnownSid(sid, WinBuiltinAdministratorsSid));
    assert_false(IsWellKnownSid(sid, WinBuiltinUsersSid));
    assert_null(FreeSid(sid));
    assert_ptr_equal(FreeSid(&nt), &nt); /* none of ours */
    sid = NULL;
    assert_false(AllocateAndInitializeSid(&nt, 9, 1, 2, 3, 4, 5, 6, 7, 8, &sid));
    assert_int_equal(GetLastError(), ERROR_INVALID_SID);
    assert_false(AllocateAndInitializeSid(NULL, 1, 1, 0, 0, 0, 0, 0, 0, 0, &sid));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_null(sid);
    assert_true(AllocateAndInitializeSid(&nt, 0, 0, 0, 0, 0, 0, 0, 0, 0, &sid));
    assert_int_equal(GetLengthSid(sid), 8);
    assert_null(FreeSid(sid));
}

static void test_copy_and_compare(void **state)
{
    SID_IDENTIFIER_AUTHORITY nt = {SECURITY_NT_AUTHORITY};
    BYTE first[SECURITY_MAX_SID_SIZE], second[SECURITY_MAX_SID_SIZE];
    (void)state;
    memset(second, 0xee, sizeof second);
    assert_true(InitializeSid(first, &nt, 5));
    for (DWORD i = 0; i < 5; i++)
        *GetSidSubAuthority(first, i) = 21 + i;
    assert_int_equal(GetSidLengthRequired(5), 28);
    assert_false(CopySid(27, second, first));
    assert_int_equal(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
    assert_int_equal(second[0], 0xee);
    assert_true(CopySid(28, second, first));
    assert_int_equal(second[28], 0xee);
    assert_true(EqualSid(first, second));
    *GetSidSubAuthority(second, 4) = 1;
    assert_false(EqualSid(first, second));
    assert_true(EqualPrefixSid(first, second));
    *GetSidSubAuthority(second, 0) = 1;
    assert_false(EqualPrefixSid(first, second));
    first[1] = 16;
    assert_false(IsValidSid(first));
    assert_false(EqualSid(first, second));
    assert_int_equal(GetLastError(), ERROR_INVALID_SID);
    assert_int_equal(GetLengthSid(first), 0);
    assert_null(GetSidSubAuthorityCount(first));
    assert_false(CopySid(sizeof second, second, first));
    assert_int_equal(GetLastError(), ERROR_INVALID_SID);
    first[1] = 1;
    first[0] = 2;
    assert_false(IsValidSid(first));
    assert_false(IsValidSid(NULL));
    assert_false(InitializeSid(first, &nt, 16));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
}

static void test_text(void **state)
{
    static const char *const texts[] = {"S-1-5-18", "S-1-5-21-1-2-3-500", "S-1-0x0100000000FF-1", "S-1-1-0"};
    LPSTR ansi;
    LPWSTR wide;
    PSID sid;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_true(ConvertStringSidToSidA(texts[i], &sid));
        assert_true(ConvertSidToStringSidA(sid, &ansi));
        assert_string_equal(ansi, texts[i]);
        assert_true(ConvertSidToStringSidW(sid, &wide));
        assert_null(LocalFree(sid));
        assert_true(ConvertStringSidToSidW(wide, &sid));
        assert_null(LocalFree(wide));
        assert_null(LocalFree(ansi));
        assert_null(LocalFree(sid));
    }
    assert_true(ConvertStringSidToSidA("BA", &sid));
    assert_true(IsWellKnownSid(sid, WinBuiltinAdministratorsSid));
    assert_null(LocalFree(sid));
    sid = NULL;
    assert_false(ConvertStringSidToSidA("S-1-5-", &sid));
    assert_int_equal(GetLastError(), ERROR_INVALID_SID);
    assert_false(ConvertStringSidToSidA("S-1-5-1\xff", &sid));
    assert_int_equal(GetLastError(), ERROR_INVALID_SID);
    assert_false(ConvertStringSidToSidA(NULL, &sid));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_null(sid);
    assert_false(ConvertSidToStringSidA(NULL, &ansi));
    assert_int_equal(GetLastError(), ERROR_INVALID_SID);
    assert_ptr_equal(LocalFree(&sid), &sid);
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
    assert_null(LocalFree(NULL));
}

/* MS-DTYP 2.4.2.4 */
static void test_well_known(void **state)
{
    static const struct {
        WELL_KNOWN_SID_TYPE type;
        const char *text;
    } known[] = {
        {WinNullSid, "S-1-0-0"},
        {WinWorldSid, "S-1-1-0"},
        {WinLocalSid, "S-1-2-0"},
        {WinCreatorOwnerSid, "S-1-3-0"},
        {WinCreatorOwnerRightsSid, "S-1-3-4"},
        {WinNetworkSid, "S-1-5-2"},
        {WinInteractiveSid, "S-1-5-4"},
        {WinAnonymousSid, "S-1-5-7"},
        {WinAuthenticatedUserSid, "S-1-5-11"},
        {WinThisOrganizationSid, "S-1-5-15"},
        {WinLocalSystemSid, "S-1-5-18"},
        {WinNetworkServiceSid, "S-1-5-20"},
        {WinBuiltinDomainSid, "S-1-5-32"},
        {WinBuiltinUsersSid, "S-1-5-32-545"},
        {WinBuiltinIUsersSid, "S-1-5-32-568"},
        {WinBuiltinCryptoOperatorsSid, "S-1-5-32-569"},
        {WinBuiltinEventLogReadersGroup, "S-1-5-32-573"},
        {WinBuiltinCertSvcDComAccessGroup, "S-1-5-32-574"},
        {WinBuiltinRDSRemoteAccessServersSid, "S-1-5-32-575"},
        {WinBuiltinRDSEndpointServersSid, "S-1-5-32-576"},
        {WinBuiltinRDSManagementServersSid, "S-1-5-32-577"},
        {WinBuiltinHyperVAdminsSid, "S-1-5-32-578"},
        {WinBuiltinAccessControlAssistanceOperatorsSid, "S-1-5-32-579"},
        {WinBuiltinRemoteManagementUsersSid, "S-1-5-32-580"},
        {WinUserModeDriversSid, "S-1-5-84-0-0-0-0-0"},
        {WinBuiltinAnyPackageSid, "S-1-15-2-1"},
        {WinNTLMAuthenticationSid, "S-1-5-64-10"},
        {WinOtherOrganizationSid, "S-1-5-1000"},
        {WinHighLabelSid, "S-1-16-12288"},
        {WinAuthenticationAuthorityAssertedSid, "S-1-18-1"},
        {WinAccountDomainAdminsSid, "S-1-5-21-1-2-3-512"},
        {WinAccountAdministratorSid, "S-1-5-21-1-2-3-500"},
    };
    PSID domain;
    (void)state;
    assert_true(ConvertStringSidToSidA("S-1-5-21-1-2-3", &domain));
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        BYTE sid[SECURITY_MAX_SID_SIZE];
        DWORD len = 0;
        LPSTR text;
        assert_false(CreateWellKnownSid(known[i].type, domain, sid, &len));
        assert_int_equal(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
        assert_true(CreateWellKnownSid(known[i].type, domain, sid, &len));
        assert_int_equal(GetLengthSid(sid), len);
        assert_true(ConvertSidToStringSidA(sid, &text));
        assert_string_equal(text, known[i].text);
        assert_null(LocalFree(text));
        assert_true(IsWellKnownSid(sid, known[i].type));
    }
    BYTE sid[SECURITY_MAX_SID_SIZE];
    DWORD len = sizeof sid;
    assert_false(CreateWellKnownSid(WinAccountDomainAdminsSid, NULL, sid, &len));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_false(CreateWellKnownSid((WELL_KNOWN_SID_TYPE)1000, NULL, sid, &len));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_false(IsWellKnownSid(domain, WinAccountDomainAdminsSid));
    assert_null(LocalFree(domain));
}

#define SDDL "O:BAG:SYD:P(A;;FR;;;WD)(A;;FA;;;BA)"

static void test_descriptor_text(void **state)
{
    PSECURITY_DESCRIPTOR descriptor = NULL;
    ULONG size = 0, len = 0;
    LPSTR text;
    LPWSTR wide;
    (void)state;
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorA(SDDL, SDDL_REVISION_1, &descriptor, &size));
    assert_true(IsValidSecurityDescriptor(descriptor));
    assert_int_equal(GetSecurityDescriptorLength(descriptor), size);
    assert_true(ConvertSecurityDescriptorToStringSecurityDescriptorA(descriptor, SDDL_REVISION_1, 7, &text, &len));
    assert_string_equal(text, SDDL);
    assert_int_equal(len, sizeof SDDL);
    assert_null(LocalFree(text));
    assert_true(
        ConvertSecurityDescriptorToStringSecurityDescriptorW(descriptor, 1, OWNER_SECURITY_INFORMATION, &wide, NULL));
    PSECURITY_DESCRIPTOR again;
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorW(wide, 1, &again, NULL));
    assert_null(LocalFree(wide));
    assert_true(ConvertSecurityDescriptorToStringSecurityDescriptorA(again, 1, 15, &text, NULL));
    assert_string_equal(text, "O:BA");
    assert_null(LocalFree(text));
    assert_null(LocalFree(again));
    assert_false(ConvertSecurityDescriptorToStringSecurityDescriptorA(descriptor, 2, 7, &text, &len));
    assert_int_equal(GetLastError(), ERROR_UNKNOWN_REVISION);
    ((SECURITY_DESCRIPTOR_RELATIVE *)descriptor)->Revision = 9;
    assert_false(ConvertSecurityDescriptorToStringSecurityDescriptorA(descriptor, 1, 7, &text, &len));
    assert_int_equal(GetLastError(), ERROR_INVALID_SECURITY_DESCR);
    assert_int_equal(GetSecurityDescriptorLength(descriptor), 0);
    assert_null(LocalFree(descriptor));
    descriptor = NULL;
    assert_false(ConvertStringSecurityDescriptorToSecurityDescriptorA("O:ZZ", 1, &descriptor, NULL));
    assert_int_equal(GetLastError(), ERROR_INVALID_SID);
    assert_false(ConvertStringSecurityDescriptorToSecurityDescriptorA("D:(A)", 1, &descriptor, NULL));
    assert_int_equal(GetLastError(), ERROR_INVALID_ACL);
    assert_false(ConvertStringSecurityDescriptorToSecurityDescriptorA("nonsense", 1, &descriptor, NULL));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_false(ConvertStringSecurityDescriptorToSecurityDescriptorA(SDDL, 2, &descriptor, NULL));
    assert_int_equal(GetLastError(), ERROR_UNKNOWN_REVISION);
    assert_null(descriptor);
}

/* Refused as on Windows, where the smallest room is that of one privilege; nothing else is touched. */
static void check_room_for_privileges(PSECURITY_DESCRIPTOR descriptor, HANDLE token, GENERIC_MAPPING *mapping)
{
    static const struct {
        bool room, length;
        DWORD len, error, len_after;
    } cases[] = {
        {true, true, 0, ERROR_INSUFFICIENT_BUFFER, sizeof(PRIVILEGE_SET)},
        {true, true, sizeof(PRIVILEGE_SET) - 1, ERROR_INSUFFICIENT_BUFFER, sizeof(PRIVILEGE_SET)},
        {false, true, 0, ERROR_INSUFFICIENT_BUFFER, sizeof(PRIVILEGE_SET)},
        {false, true, 1, ERROR_NOACCESS, 1},
        {false, true, sizeof(PRIVILEGE_SET), ERROR_NOACCESS, sizeof(PRIVILEGE_SET)},
        {true, false, 7, ERROR_NOACCESS, 7},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        PRIVILEGE_SET privileges = {.PrivilegeCount = 77};
        DWORD len = cases[i].len, granted = 77;
        BOOL allowed = 77;
        assert_false(AccessCheck(descriptor, token, READ_CONTROL, mapping, cases[i].room ? &privileges : NULL,
                                 cases[i].length ? &len : NULL, &granted, &allowed));
        assert_int_equal(GetLastError(), cases[i].error);
        assert_int_equal(len, cases[i].len_after);
        assert_true(privileges.PrivilegeCount == 77 && granted == 77 && allowed == 77);
    }
}

/* What a file server does for each open: the client's token against its own descriptor. */
static void test_access_check(void **state)
{
    const GENERIC_MAPPING original = {FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_GENERIC_EXECUTE, FILE_ALL_ACCESS};
    GENERIC_MAPPING mapping = original;
    struct loop loop;
    HANDLE token, primary, anonymous;
    PSECURITY_DESCRIPTOR descriptor;
    PRIVILEGE_SET privileges;
    DWORD privileges_len = sizeof privileges, granted = 77, wanted = GENERIC_READ;
    BOOL allowed = TRUE;
    (void)state;
    access_configure(NULL);
    access_connect(&loop, "alice", 0);
    assert_int_equal(QuerySecurityContextToken(&loop.server, &token), SEC_E_OK);
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorA(SDDL, 1, &descriptor, NULL));
    assert_false(AccessCheck(descriptor, token, wanted, &mapping, &privileges, &privileges_len, &granted, &allowed));
    assert_int_equal(GetLastError(), ERROR_GENERIC_NOT_MAPPED);
    MapGenericMask(&wanted, &mapping);
    assert_int_equal(wanted, FILE_GENERIC_READ);
    assert_true(AccessCheck(descriptor, token, wanted, &mapping, &privileges, &privileges_len, &granted, &allowed));
    assert_true(allowed);
    assert_int_equal(granted, FILE_GENERIC_READ);
    assert_int_equal(privileges.PrivilegeCount, 0);
    assert_true(
        AccessCheck(descriptor, token, FILE_WRITE_DATA, &mapping, &privileges, &privileges_len, &granted, &allowed));
    assert_false(allowed);
    assert_int_equal(granted, 0);
    assert_int_equal(GetLastError(), ERROR_ACCESS_DENIED);
    assert_true(
        AccessCheck(descriptor, token, MAXIMUM_ALLOWED, &mapping, &privileges, &privileges_len, &granted, &allowed));
    assert_int_equal(granted, FILE_GENERIC_READ);
    assert_true(AccessCheck(descriptor, token, ACCESS_SYSTEM_SECURITY, &mapping, &privileges, &privileges_len, &granted,
                            &allowed));
    assert_false(allowed);
    assert_int_equal(GetLastError(), ERROR_PRIVILEGE_NOT_HELD);
    check_room_for_privileges(descriptor, token, &mapping);
    /* With pointers, as programs build it. */
    SID everyone = {SID_REVISION, 1, {{0, 0, 0, 0, 0, 1}}, {0}};
    SECURITY_DESCRIPTOR absolute = {.Revision = 1, .Owner = &everyone, .Group = &everyone};
    assert_true(
        AccessCheck(&absolute, token, FILE_WRITE_DATA, &mapping, &privileges, &privileges_len, &granted, &allowed));
    assert_true(allowed); /* no list */
    assert_true(
        AccessCheck(&absolute, token, MAXIMUM_ALLOWED, &mapping, &privileges, &privileges_len, &granted, &allowed));
    assert_true(allowed);
    assert_int_equal(granted, FILE_ALL_ACCESS);
    assert_int_equal(GetSecurityDescriptorLength(&absolute), sizeof absolute + 24);
    ACL empty = {ACL_REVISION, 0, sizeof empty, 0, 0};
    absolute.Control = SE_DACL_PRESENT;
    absolute.Dacl = &empty;
    assert_true(
        AccessCheck(&absolute, token, FILE_WRITE_DATA, &mapping, &privileges, &privileges_len, &granted, &allowed));
    assert_false(allowed);
    absolute.Group = NULL;
    assert_false(AccessCheck(&absolute, token, 1, &mapping, &privileges, &privileges_len, &granted, &allowed));
    assert_int_equal(GetLastError(), ERROR_INVALID_SECURITY_DESCR);
    assert_false(AccessCheck(NULL, token, 1, &mapping, &privileges, &privileges_len, &granted, &allowed));
    assert_int_equal(GetLastError(), ERROR_INVALID_SECURITY_DESCR);
    assert_true(DuplicateTokenEx(token, 0, NULL, SecurityAnonymous, TokenPrimary, &primary));
    assert_true(DuplicateTokenEx(token, 0, NULL, SecurityAnonymous, TokenImpersonation, &anonymous));
    assert_false(AccessCheck(descriptor, primary, 1, &mapping, &privileges, &privileges_len, &granted, &allowed));
    assert_int_equal(GetLastError(), ERROR_NO_IMPERSONATION_TOKEN);
    assert_false(AccessCheck(descriptor, anonymous, 1, &mapping, &privileges, &privileges_len, &granted, &allowed));
    assert_int_equal(GetLastError(), ERROR_BAD_IMPERSONATION_LEVEL);
    assert_true(CloseHandle(primary) && CloseHandle(anonymous) && CloseHandle(token));
    assert_null(LocalFree(descriptor));
    loop_end(&loop);
    access_cleanup();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocate_and_free),
        cmocka_unit_test(test_copy_and_compare),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_well_known),
        cmocka_unit_test(test_descriptor_text),
        cmocka_unit_test(test_access_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
