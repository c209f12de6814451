/*
 * Callers whose variables are unsigned long: directly, through a table, by A and W names, with NULL; and through a compound literal, which hides how
 * many arguments there are. test_ulong_cxx.cc is the same in C++.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <tchar.h>
#include <windows.h>
#define SECURITY_WIN32
#include <security.h>

static void test_packages(void **state)
{
    (void)state;
    unsigned long n = ~0ul;
    ULONG n32;
    PSecPkgInfo packages;
    PSecurityFunctionTable table = InitSecurityInterface();
    assert_int_equal(EnumerateSecurityPackages(&n, &packages), SEC_E_OK);
    FreeContextBuffer(packages);
    assert_int_equal(EnumerateSecurityPackages(&n32, &packages), SEC_E_OK);
    FreeContextBuffer(packages);
    assert_true(n == n32);
    n = ~0ul;
    assert_int_equal(table->EnumerateSecurityPackages(&n, &packages), SEC_E_OK);
    table->FreeContextBuffer(packages);
    assert_true(n == n32);
    unsigned long *pointer = &n;
    n = ~0ul;
    assert_int_equal((table->EnumerateSecurityPackages)(OPENSSPI_ULONG_OUT(pointer), &packages), SEC_E_OK);
    table->FreeContextBuffer(packages);
    assert_true(n == n32);
}

static void test_context(void **state)
{
    (void)state;
    CredHandle credential;
    CtxtHandle context;
    BYTE token[4096];
    SecBuffer buffer = {sizeof token, SECBUFFER_TOKEN, token};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &buffer};
    unsigned long flags = ~0ul;
    ULONG flags32;
    SEC_WINNT_AUTH_IDENTITY_A who = {
        (void *)"alice", 5, (void *)"X", 1, (void *)"secret", 6, SEC_WINNT_AUTH_IDENTITY_ANSI};
    PSecurityFunctionTable table = InitSecurityInterface();
    assert_int_equal(AcquireCredentialsHandle(NULL, (TCHAR *)TEXT("NTLM"), SECPKG_CRED_OUTBOUND, NULL, &who, NULL, NULL,
                                              &credential, NULL),
                     SEC_E_OK);
    assert_int_equal(InitializeSecurityContext(&credential, NULL, NULL, ISC_REQ_CONFIDENTIALITY, 0,
                                               SECURITY_NATIVE_DREP, NULL, 0, &context, &list, &flags32, NULL),
                     SEC_I_CONTINUE_NEEDED);
    DeleteSecurityContext(&context);
    buffer.cbBuffer = sizeof token;
    assert_int_equal(table->InitializeSecurityContext(&credential, NULL, NULL, ISC_REQ_CONFIDENTIALITY, 0,
                                                      SECURITY_NATIVE_DREP, NULL, 0, &context, &list, &flags, NULL),
                     SEC_I_CONTINUE_NEEDED);
    assert_true(flags == flags32 && flags != 0);
    DeleteSecurityContext(&context);
    /* On failure it keeps what Windows' 32 bits would have kept. */
    flags = 0xFFFFFFFF00000007;
    assert_int_equal(InitializeSecurityContext(&credential, NULL, NULL, 0, 0, SECURITY_NATIVE_DREP, NULL, 0, &context,
                                               NULL, &flags, NULL),
                     SEC_E_BUFFER_TOO_SMALL);
    assert_true(flags == 7);
    buffer.cbBuffer = sizeof token;
    assert_int_equal(InitializeSecurityContext(&credential, NULL, NULL, 0, 0, SECURITY_NATIVE_DREP, NULL, 0, &context,
                                               &(SecBufferDesc){SECBUFFER_VERSION, 1, &buffer}, &flags32, NULL),
                     SEC_I_CONTINUE_NEEDED);
    DeleteSecurityContext(&context);
    FreeCredentialsHandle(&credential);
}

static void test_null(void **state)
{
    (void)state;
    CtxtHandle none = {0};
    unsigned long qop = ~0ul, *null = NULL;
    SecBufferDesc list = {SECBUFFER_VERSION, 0, NULL};
    assert_int_equal(DecryptMessage(&none, &list, 0, NULL), SEC_E_INVALID_HANDLE);
    assert_int_equal(DecryptMessage(&none, &list, 0, 0), SEC_E_INVALID_HANDLE);
    assert_int_equal(DecryptMessage(&none, &list, 0, null), SEC_E_INVALID_HANDLE);
    assert_int_equal(VerifySignature(&none, &list, 0, &qop), SEC_E_INVALID_HANDLE);
    assert_true(qop == 0xFFFFFFFF);
    assert_ptr_equal(InitSecurityInterface()->DecryptMessage, DecryptMessage); /* a name alone is the function */
}

static void test_sizes(void **state)
{
    (void)state;
    TCHAR name[300];
    unsigned long n = _countof(name);
    assert_true(GetUserNameEx(NameSamCompatible, name, &n));
    assert_true(n == _tcslen(name));
    n = 0xFFFFFFFF00000000; /* its lower half counts */
    assert_false(GetUserNameEx(NameSamCompatible, name, &n));
    assert_true(n == _tcslen(name) + 1);
}

/* The kit's own functions: each sets all of an unsigned long, whose upper half was full. */
#define FULL 0xFFFFFFFF00000000ul

static DWORD WINAPI nothing_done(LPVOID parameter)
{
    (void)parameter;
    return 7;
}

static void test_kit_names(void **state)
{
    (void)state;
    TCHAR name[300], domain[300];
    BYTE sid[SECURITY_MAX_SID_SIZE];
    SID_NAME_USE use;
    unsigned long n = FULL | _countof(name), m = FULL | _countof(domain);
    assert_true(GetComputerName(name, &n) && n == _tcslen(name));
    n = FULL | _countof(name);
    assert_true(GetComputerNameEx(ComputerNameDnsHostname, name, &n) && n == _tcslen(name));
    n = FULL | _countof(name);
    assert_true(GetUserName(name, &n) && n == _tcslen(name) + 1);
    n = FULL | sizeof sid;
    assert_true(CreateWellKnownSid(WinWorldSid, NULL, sid, &n) && n == GetLengthSid(sid));
    n = FULL | _countof(name);
    assert_true(LookupAccountSid(NULL, sid, name, &n, domain, &m, &use) && n == _tcslen(name) && m == _tcslen(domain));
    n = FULL | sizeof sid;
    m = FULL | _countof(domain);
    assert_true(LookupAccountName(NULL, name, sid, &n, domain, &m, &use) && n == GetLengthSid(sid) &&
                m == _tcslen(domain));
}

static void test_kit_text(void **state)
{
    (void)state;
    TCHAR text[40];
    BYTE bytes[8] = {1, 2, 3}, read[8];
    unsigned long n = FULL | _countof(text), skip = FULL, flags = FULL;
    DWORD n32 = 0;
    assert_true(CryptBinaryToString(bytes, 3, CRYPT_STRING_BASE64 | CRYPT_STRING_NOCRLF, text, &n) && n == 4);
    n = FULL | sizeof read;
    assert_true(CryptStringToBinary(text, 0, CRYPT_STRING_BASE64, read, &n, &skip, &flags));
    assert_true(n == 3 && skip == 0 && flags == CRYPT_STRING_BASE64 && memcmp(read, bytes, 3) == 0);
    assert_true(CryptStringToBinary(text, 0, CRYPT_STRING_BASE64, NULL, &n32, NULL, NULL) && n32 == 3);
}

static void test_kit_handles(void **state)
{
    (void)state;
    unsigned long n = FULL, id = FULL, code = FULL, waiting = FULL;
    char text[8];
    assert_true(WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), "#\n", 2, &n, NULL) && n == 2);
    n = FULL | 5;
    assert_false(ReadFile(NULL, text, sizeof text, &n, NULL));
    assert_true(n <= 5);
    n = FULL | 5;
    assert_false(ReadConsole(NULL, text, 1, &n, NULL));
    assert_true(n <= 5);
    n = FULL | 5;
    assert_false(WriteConsole(NULL, text, 1, &n, NULL));
    assert_true(n <= 5);
    n = FULL | 5;
    assert_false(GetConsoleMode(NULL, &n));
    assert_true(n == 5);
    HANDLE thread = CreateThread(NULL, 0, nothing_done, NULL, 0, &id);
    assert_true(thread != NULL && id != 0 && id <= UINT32_MAX);
    assert_int_equal(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
    assert_true(GetExitCodeThread(thread, &code) && code == 7);
    assert_true(CloseHandle(thread));
    thread = CreateThread(NULL, 0, nothing_done, NULL, 0, NULL);
    assert_int_equal(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
    assert_true(CloseHandle(thread));
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
    assert_true(ioctlsocket(s, FIONREAD, &waiting) == 0 && waiting == 0);
    closesocket(s);
}

static void test_arrays(void **state)
{
    (void)state;
    CtxtHandle none = {0};
    SecBufferDesc list = {SECBUFFER_VERSION, 0, NULL};
    ULONG few[1] = {0};
    unsigned long many[2] = {~0ul, ~0ul};
    assert_int_equal(DecryptMessage(&none, &list, 0, few), SEC_E_INVALID_HANDLE);
    assert_int_equal(DecryptMessage(&none, &list, 0, many), SEC_E_INVALID_HANDLE);
    assert_true(many[0] == 0xFFFFFFFF && many[1] == ~0ul);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packages),    cmocka_unit_test(test_context),   cmocka_unit_test(test_null),
        cmocka_unit_test(test_sizes),       cmocka_unit_test(test_kit_names), cmocka_unit_test(test_kit_text),
        cmocka_unit_test(test_kit_handles), cmocka_unit_test(test_arrays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
