/*
 * Callers whose variables are unsigned long: directly, through a table, by A and W names, with NULL; and through a compound literal, which hides how
 * many arguments there are. test_ulong_cxx.cc is the same in C++.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <limits.h>
#include <stdint.h>

#include <cmocka.h>

#include <tchar.h>
#include <windows.h>
#define SECURITY_WIN32
#include <security.h>
#include <ntsecapi.h>
#include <ntstatus.h>
#include <sddl.h>
#include <wincrypt.h>
#include <schannel.h>

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

/* Every one's upper half is cleared, also where the function refuses and leaves the rest: MARK. */
#define MARK 5ul
#define assert_cleared(call, n)       \
    do {                              \
        (n) = FULL | MARK;            \
        (void)(call);                 \
        assert_true((n) <= UINT_MAX); \
    } while (0)

static void test_descriptors(void **state)
{
    (void)state;
    PSECURITY_DESCRIPTOR descriptor;
    unsigned long n = FULL, mask = FULL | GENERIC_READ, granted;
    LPTSTR text;
    BOOL allowed;
    PRIVILEGE_SET privileges;
    GENERIC_MAPPING mapping = {1, 2, 4, 7};
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptor(TEXT("O:BAG:BAD:(A;;GA;;;WD)"), SDDL_REVISION_1,
                                                                    &descriptor, &n));
    assert_true(n == GetSecurityDescriptorLength(descriptor));
    n = FULL;
    assert_true(ConvertSecurityDescriptorToStringSecurityDescriptor(descriptor, SDDL_REVISION_1,
                                                                    OWNER_SECURITY_INFORMATION, &text, &n));
    assert_true(n == _tcslen(text) + 1);
    LocalFree(text);
    LocalFree(descriptor);
    MapGenericMask(&mask, &mapping);
    assert_true(mask == 1);
    granted = FULL | MARK;
    assert_cleared(AccessCheck(NULL, NULL, 0, &mapping, &privileges, &n, &granted, &allowed), n);
    assert_true(granted <= UINT_MAX);
}

static void test_authority(void **state)
{
    (void)state;
    unsigned long n;
    PVOID answer;
    PLUID sessions;
    NTSTATUS status;
    HANDLE token, lsa;
    LUID id;
    TOKEN_SOURCE source = {.SourceName = "test"};
    QUOTA_LIMITS quotas;
    LSA_STRING name = {4, 5, (char *)"NTLM"};
    assert_int_equal(LsaConnectUntrusted(&lsa), STATUS_SUCCESS);
    name = (LSA_STRING){sizeof MSV1_0_PACKAGE_NAME - 1, sizeof MSV1_0_PACKAGE_NAME, (char *)MSV1_0_PACKAGE_NAME};
    n = ~0ul;
    assert_int_equal(LsaLookupAuthenticationPackage(lsa, &name, &n), STATUS_SUCCESS);
    assert_true(n < 100);
    assert_cleared(LsaCallAuthenticationPackage(lsa, 77, &id, sizeof id, &answer, &n, &status), n);
    assert_cleared(LsaLogonUser(lsa, &name, Network, 77, &id, sizeof id, NULL, &source, &answer, &n, &id, &token,
                                &quotas, &status),
                   n);
    LsaDeregisterLogonProcess(lsa);
    n = ~0ul;
    assert_int_equal(LsaEnumerateLogonSessions(&n, &sessions), STATUS_SUCCESS);
    assert_true(n <= UINT_MAX);
    LsaFreeReturnBuffer(sessions);
    assert_cleared(LogonUserEx(NULL, NULL, NULL, 77, 0, &token, NULL, &answer, &n, &quotas), n);
}

static void test_certificates(void **state)
{
    (void)state;
    BYTE bytes[64], *identity;
    unsigned long n = FULL | sizeof bytes, content, format;
    BOOL owned;
    HCRYPTPROV_OR_NCRYPT_KEY_HANDLE key;
    CERT_BLOB blob = {3, bytes};
    SCH_EXTENSION_DATA extension;
    assert_true(CertStrToName(X509_ASN_ENCODING, TEXT("CN=a"), CERT_X500_NAME_STR, NULL, bytes, &n, NULL));
    assert_true(n > 4 && n < sizeof bytes);
    n = FULL | sizeof bytes;
    assert_true(CryptHashCertificate(0, CALG_SHA1, 0, (const BYTE *)"abc", 3, bytes, &n) && n == 20);
    content = format = FULL | MARK;
    assert_cleared(CryptQueryObject(CERT_QUERY_OBJECT_BLOB, &blob, CERT_QUERY_CONTENT_FLAG_CERT,
                                    CERT_QUERY_FORMAT_FLAG_BINARY, 0, &n, &content, &format, NULL, NULL, NULL),
                   n);
    assert_true(content <= UINT_MAX && format <= UINT_MAX);
    assert_cleared(CryptAcquireCertificatePrivateKey(NULL, 0, NULL, &key, &n, &owned), n);
    assert_cleared(CertGetIssuerCertificateFromStore(NULL, NULL, NULL, &n), n);
    assert_cleared(SslGetServerIdentity(bytes, 1, &identity, &n, 0), n);
    assert_cleared(SslGetExtensions(bytes, 1, &extension, 1, &n, (SchGetExtensionsOptions)0), n);
    assert_cleared(SslGetDefaultIssuers(NULL, &n), n);
}

static void test_identities(void **state)
{
    (void)state;
    unsigned long type = FULL, n = FULL;
    PCWSTR target = NULL, user = NULL;
    PUCHAR secret = NULL;
    CtxtHandle none = {0};
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity;
    static const WCHAR name[] = {'a', 0}, domain[] = {'d', 0}, password[] = {'p', 'w', 0};
    assert_int_equal(SspiEncodeStringsAsAuthIdentity(name, domain, password, &identity), SEC_E_OK);
    assert_int_equal(SspiPrepareForCredWrite(identity, name, &type, &target, &user, &secret, &n), SEC_E_OK);
    assert_true(n == 2 * sizeof(WCHAR) && type > 0 && type < 10);
    SspiLocalFree((PVOID)(uintptr_t)target);
    SspiLocalFree((PVOID)(uintptr_t)user);
    SspiLocalFree(secret);
    type = FULL;
    assert_int_equal(SspiPrepareForCredRead(identity, name, &type, &target), SEC_E_OK);
    assert_true(type > 0 && type < 10);
    SspiLocalFree((PVOID)(uintptr_t)target);
    SspiFreeAuthIdentity(identity);
    assert_cleared(SaslGetContextOption(&none, SASL_OPTION_SEND_SIZE, &type, sizeof(ULONG), &n), n);
}

static void test_wsa(void **state)
{
    (void)state;
    SOCKET two[2];
    char byte = 'x';
    WSABUF piece = {1, &byte};
    unsigned long n = FULL, flags = FULL;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, two), 0);
    assert_int_equal(WSASend(two[0], &piece, 1, &n, 0, NULL, NULL), 0);
    assert_true(n == 1);
    n = FULL;
    assert_int_equal(WSARecv(two[1], &piece, 1, &n, &flags, NULL, NULL), 0);
    assert_true(n == 1 && flags == 0);
    closesocket(two[0]);
    closesocket(two[1]);
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
        cmocka_unit_test(test_packages),    cmocka_unit_test(test_context),      cmocka_unit_test(test_null),
        cmocka_unit_test(test_sizes),       cmocka_unit_test(test_kit_names),    cmocka_unit_test(test_kit_text),
        cmocka_unit_test(test_kit_handles), cmocka_unit_test(test_arrays),       cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_authority),   cmocka_unit_test(test_certificates), cmocka_unit_test(test_identities),
        cmocka_unit_test(test_wsa),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
