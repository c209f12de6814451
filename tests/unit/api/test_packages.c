/*
 * The behaviour table "Packages" of the specification, through the public functions.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/ntlm_loop.h"
#include <sspi_ext.h>
#include <string.h>

static size_t wide_len(const SEC_WCHAR *text)
{
    size_t len = 0;
    while (text[len] != 0)
        len++;
    return len;
}

static void test_enumerate_lists_ntlm(void **state)
{
    ULONG count = 0;
    PSecPkgInfoA infos = NULL;
    (void)state;
    assert_int_equal(EnumerateSecurityPackagesA(&count, &infos), SEC_E_OK);
    assert_true(count >= 1);
    bool found = false;
    for (ULONG i = 0; i < count; i++) {
        assert_int_equal(infos[i].wVersion, 1);
        assert_non_null(infos[i].Comment);
        found |= strcmp(infos[i].Name, "NTLM") == 0;
    }
    assert_true(found);
    assert_int_equal(FreeContextBuffer(infos), SEC_E_OK);
    PSecPkgInfoW wide = NULL;
    ULONG wide_count = 0;
    assert_int_equal(EnumerateSecurityPackagesW(&wide_count, &wide), SEC_E_OK);
    assert_int_equal(wide_count, count);
    assert_int_equal(FreeContextBuffer(wide), SEC_E_OK);
    assert_int_equal(EnumerateSecurityPackagesA(NULL, &infos), SEC_E_INVALID_TOKEN);
    assert_int_equal(EnumerateSecurityPackagesA(&count, NULL), SEC_E_INVALID_TOKEN);
}

static void test_ntlm_info(void **state)
{
    PSecPkgInfoA info = NULL;
    (void)state;
    assert_int_equal(QuerySecurityPackageInfoA((char[]){"ntlm"}, &info), SEC_E_OK); /* any case */
    assert_string_equal(info->Name, "NTLM");
    assert_string_equal(info->Comment, "NTLM Security Package");
    assert_int_equal(info->fCapabilities, 0x2B37); /* Windows' without what Linux has not; programs compare it */
    assert_int_equal(info->wVersion, 1);
    assert_int_equal(info->wRPCID, 10);
    assert_int_equal(info->cbMaxToken, 2888);
    assert_int_equal(FreeContextBuffer(info), SEC_E_OK);
}

/* One block: the structure, then both strings with their NULs, and nothing of it elsewhere. */
static void test_info_is_one_block(void **state)
{
    PSecPkgInfoW info = NULL;
    (void)state;
    assert_int_equal(QuerySecurityPackageInfoW((SEC_WCHAR *)u"NTLM", &info), SEC_E_OK);
    const char *start = (const char *)info;
    size_t strings = 2 * (wide_len(info->Name) + 1 + wide_len(info->Comment) + 1);
    assert_ptr_equal(info->Name, start + sizeof *info);
    assert_ptr_equal(info->Comment, start + sizeof *info + 2 * (wide_len(info->Name) + 1));
    assert_int_equal(wide_len(info->Comment), strlen("NTLM Security Package"));
    assert_int_equal(strings, 2 * (5 + 22));
    assert_int_equal(FreeContextBuffer(info), SEC_E_OK);
}

static void test_unknown_package_leaves_the_pointer(void **state)
{
    PSecPkgInfoA info = (PSecPkgInfoA)&state;
    (void)state;
    assert_int_equal(QuerySecurityPackageInfoA((char[]){"Winsock"}, &info), SEC_E_SECPKG_NOT_FOUND);
    assert_ptr_equal(info, &state);
    assert_string_not_equal(OpenSspiLastErrorText(), "");
    assert_int_equal(QuerySecurityPackageInfoA(NULL, &info), SEC_E_SECPKG_NOT_FOUND);
    /* Names that are no text, in either form. */
    assert_int_equal(QuerySecurityPackageInfoA((char[]){"\xff"}, &info), SEC_E_SECPKG_NOT_FOUND);
    assert_int_equal(QuerySecurityPackageInfoA((char[]){""}, &info), SEC_E_SECPKG_NOT_FOUND);
    SEC_WCHAR *half = (SEC_WCHAR *)u"\xd800";
    CredHandle credential;
    CtxtHandle context;
    SecBuffer record = {4, SECBUFFER_TOKEN, "text"};
    PSecPkgInfoW wide = NULL;
    assert_int_equal(QuerySecurityPackageInfoW(half, &wide), SEC_E_SECPKG_NOT_FOUND);
    assert_int_equal(
        AcquireCredentialsHandleW(NULL, half, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &credential, NULL),
        SEC_E_SECPKG_NOT_FOUND);
    assert_int_equal(ImportSecurityContextW(half, &record, NULL, &context), SEC_E_SECPKG_NOT_FOUND);
    assert_int_equal(SaslGetProfilePackageW(half, &wide), SEC_E_SECPKG_NOT_FOUND);
    assert_int_equal(AddSecurityPackageW(half, NULL), SEC_E_SECPKG_NOT_FOUND);
    assert_int_equal(DeleteSecurityPackageW(half), SEC_E_SECPKG_NOT_FOUND);
    assert_null(wide);
    assert_ptr_equal(info, &state);
}

static void test_table(void **state)
{
    PSecurityFunctionTableW wide = InitSecurityInterfaceW();
    PSecurityFunctionTableA ansi = InitSecurityInterfaceA();
    (void)state;
    assert_ptr_equal(wide, InitSecurityInterfaceW());
    assert_ptr_equal(ansi, InitSecurityInterfaceA());
    assert_int_equal(wide->dwVersion, SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION);
    assert_null(wide->Reserved2);
    assert_ptr_equal(wide->Reserved3, (void *)wide->EncryptMessage);
    assert_ptr_equal(wide->Reserved4, (void *)wide->DecryptMessage);
    assert_ptr_equal(wide->Reserved3, (void *)EncryptMessage);
    /* every slot but the reserved ones is filled, to the end, in both */
    void *const *const slots[] = {(void *const *)(void *)&wide->EnumerateSecurityPackagesW,
                                  (void *const *)(void *)&ansi->EnumerateSecurityPackagesA};
    for (size_t i = 0; i < 2 * 32; i++)
        assert_int_equal(slots[i / 32][i % 32] == NULL, i % 32 == 4 || i % 32 == 22 || i % 32 == 29);
}

static void test_free_context_buffer(void **state)
{
    PSecPkgInfoA info = NULL;
    int local = 0;
    (void)state;
    assert_int_equal(FreeContextBuffer(NULL), SEC_E_OK);
    assert_int_equal(FreeContextBuffer(&local), SEC_E_INVALID_HANDLE);
    assert_int_equal(FreeContextBuffer((void *)1), SEC_E_INVALID_HANDLE);
    assert_int_equal(QuerySecurityPackageInfoA((char[]){"NTLM"}, &info), SEC_E_OK);
    assert_int_equal(FreeContextBuffer((char *)info + 8), SEC_E_INVALID_HANDLE);
    assert_int_equal(FreeContextBuffer(info), SEC_E_OK);
    assert_int_equal(FreeContextBuffer(info), SEC_E_INVALID_HANDLE);
    assert_string_not_equal(OpenSspiLastErrorText(), "");
}

static void test_status_names(void **state)
{
    (void)state;
    assert_string_equal(OpenSspiStatusName(SEC_E_LOGON_DENIED), "SEC_E_LOGON_DENIED");
    assert_string_equal(OpenSspiStatusName(SEC_E_OK), "SEC_E_OK");
    assert_string_equal(OpenSspiStatusName((SECURITY_STATUS)0xC0000234), "STATUS_ACCOUNT_LOCKED_OUT");
    assert_string_equal(OpenSspiStatusName((SECURITY_STATUS)0xC000006D), "STATUS_LOGON_FAILURE");
    assert_string_equal(OpenSspiStatusName((SECURITY_STATUS)0x80092012), "CRYPT_E_NO_REVOCATION_CHECK");
    assert_string_equal(OpenSspiStatusName(0x12345678), "");
    assert_string_equal(OpenSspiVersion(), OPENSSPI_VERSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_enumerate_lists_ntlm),
        cmocka_unit_test(test_ntlm_info),
        cmocka_unit_test(test_info_is_one_block),
        cmocka_unit_test(test_unknown_package_leaves_the_pointer),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_free_context_buffer),
        cmocka_unit_test(test_status_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
