/*
 * What the LSA's functions answer to packages that there is nothing behind here: no success, no handle, no memory, and outputs as they were.
 * build: all
 */
#include "foreign/splsa_authority.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define REFUSED(call) assert_int_equal((call), STATUS_NOT_SUPPORTED)

static const LSA_SECPKG_FUNCTION_TABLE *lsa;
static void *const untouched = &lsa;

static void test_sessions(void **state)
{
    LUID session = {0};
    ULONG context = 7, len = 7;
    (void)state;
    REFUSED(lsa->CreateLogonSession(&session));
    REFUSED(lsa->DeleteLogonSession(&session));
    REFUSED(lsa->AddCredential(&session, 0, NULL, NULL));
    REFUSED(lsa->GetCredentials(&session, 0, &context, FALSE, NULL, &len, NULL));
    REFUSED(lsa->DeleteCredential(&session, 0, NULL));
    REFUSED(lsa->SaveSupplementalCredentials(&session, 0, NULL, FALSE));
    REFUSED(lsa->UpdateCredentials(NULL, NULL));
    assert_int_equal(context, 7);
    assert_int_equal(len, 7);
}

static void test_tokens(void **state)
{
    LUID session = {0};
    HANDLE token = untouched;
    NTSTATUS sub = 7;
    (void)state;
    REFUSED(lsa->ImpersonateClient());
    REFUSED(lsa->DuplicateHandle(untouched, &token));
    REFUSED(lsa->CreateToken(&session, NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, &token, &sub));
    REFUSED(lsa->CreateTokenEx(&session, NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, 0, &token, &sub));
    REFUSED(lsa->OpenTokenByLogonId(&session, &token));
    assert_ptr_equal(token, untouched);
    assert_int_equal(sub, 7);
}

static void test_accounts(void **state)
{
    PVOID handle = untouched;
    PUCHAR data = untouched;
    ULONG len = 7;
    (void)state;
    REFUSED(lsa->OpenSamUser(NULL, 0, NULL, FALSE, 0, &handle));
    REFUSED(lsa->GetUserCredentials(NULL, &handle, &len, NULL, NULL));
    REFUSED(lsa->GetUserAuthData(NULL, &data, &len));
    REFUSED(lsa->CloseSamUser(NULL));
    REFUSED(lsa->ConvertAuthDataToToken(NULL, 0, 0, NULL, 0, NULL, &handle, NULL, NULL, NULL));
    REFUSED(lsa->GetAuthDataForUser(NULL, 0, NULL, &data, &len, NULL));
    REFUSED(lsa->ExpandAuthDataForDomain(NULL, 0, NULL, &data, &len));
    REFUSED(lsa->CrackSingleName(0, FALSE, NULL, NULL, 0, NULL, NULL, NULL));
    REFUSED(lsa->AuditAccountLogon(0, FALSE, NULL, NULL, NULL, 0));
    lsa->AuditLogon(0, 0, NULL, NULL, NULL, NULL, 0, NULL, NULL);
    assert_ptr_equal(handle, untouched);
    assert_ptr_equal(data, untouched);
    assert_int_equal(len, 7);
}

static void test_packages(void **state)
{
    PVOID answer = untouched;
    ULONG len = 7;
    NTSTATUS status = 7;
    (void)state;
    REFUSED(lsa->UnloadPackage());
    REFUSED(lsa->CallPackage(NULL, NULL, 0, &answer, &len, &status));
    REFUSED(lsa->CallPackageEx(NULL, NULL, NULL, 0, &answer, &len, &status));
    REFUSED(lsa->CallPackagePassthrough(NULL, NULL, NULL, 0, &answer, &len, &status));
    REFUSED(lsa->ClientCallback(NULL, 0, 0, NULL, NULL));
    REFUSED(lsa->CancelNotification(NULL));
    assert_null(lsa->CreateThread(NULL, 0, NULL, NULL, 0, NULL));
    assert_null(lsa->RegisterNotification(NULL, NULL, 0, 0, 0, 0, NULL));
    assert_ptr_equal(answer, untouched);
    assert_int_equal(len, 7);
    assert_int_equal(status, 7);
}

static void test_memory(void **state)
{
    unsigned char bytes[4] = {1, 2, 3, 4};
    (void)state;
    assert_null(lsa->CreateSharedMemory(4096, 4096));
    assert_null(lsa->AllocateSharedMemory(NULL, 16));
    lsa->FreeSharedMemory(NULL, NULL);
    assert_false(lsa->DeleteSharedMemory(NULL));
    lsa->LsaProtectMemory(bytes, sizeof bytes);
    lsa->LsaUnprotectMemory(bytes, sizeof bytes);
    assert_memory_equal(bytes, "\1\2\3\4", 4);
}

static int begin(void **state)
{
    (void)state;
    lsa = splsa_functions();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sessions), cmocka_unit_test(test_tokens),
                                       cmocka_unit_test(test_accounts), cmocka_unit_test(test_packages),
                                       cmocka_unit_test(test_memory)};
    return cmocka_run_group_tests(tests, begin, NULL);
}
