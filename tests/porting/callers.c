/*
 * Every name that a survey of programs with SSPI code found them to use, around SSPI and of it: headers as they spell them, functions (each is there
 * to be linked with, and those that such programs load are found by GetProcAddress), attributes, flags, types. C and C++, ANSI and UNICODE, for
 * Windows and here.
 */
#define STRSAFE_NO_DEPRECATE
#ifndef __MINGW32__ /* whose files have small letters */
#include <WinSock2.h>
#include <Windows.h>
#endif
#include <winsock2.h>
#include <windows.h>
#define SECURITY_WIN32
#ifndef __MINGW32__
#include <Security.h>
#include <SecExt.h>
#include <NTSecAPI.h>
#include <Strsafe.h>
#include <issperr.h> /* there it warns that it is old */
#endif
#include <sspi.h>
#include <security.h>
#include <secext.h>
#include <schannel.h>
#include <wincrypt.h>
#include <tchar.h>
#include <schnlsp.h>
#include <ntsecapi.h>
#include <sddl.h>
#include <subauth.h>
#include <strsafe.h>
#include <wincred.h>
#include <conio.h>
#include <io.h>
#include <stdio.h>

/* <windows.h> brings these, and to C++ no macros that break the standard library. */
#ifndef X509_ASN_ENCODING
#error "<windows.h> brings wincrypt.h"
#endif
#if defined(__cplusplus) && !defined(_WIN32) && (defined(min) || defined(max))
#error "min and max are macros"
#endif

typedef void (*function)(void);

struct entry {
    const char *module, *name;
    function address;
};

#define NAME(module, name) {module, #name, (function)name},
#define BOTH(module, name) \
    {module, #name "A", (function)name##A}, {module, #name "W", (function)name##W}, {NULL, #name, (function)name},
#define MACRO(name) {NULL, #name, (function)name},

static const struct entry entries[] = {
    /* SSPI. */
    BOTH("secur32.dll", AcquireCredentialsHandle) BOTH("SECUR32.DLL", InitializeSecurityContext)
        BOTH("security.dll", QueryContextAttributes) BOTH("secur32.dll", QuerySecurityPackageInfo)
            BOTH("secur32.dll", InitSecurityInterface) BOTH("secur32.dll", EnumerateSecurityPackages)
                BOTH("secur32.dll", QueryCredentialsAttributes) BOTH("secur32.dll", GetUserNameEx) BOTH("secur32.dll",
                                                                                                        TranslateName)
                    NAME("secur32.dll", FreeContextBuffer) NAME("secur32.dll", DeleteSecurityContext)
                        NAME("Secur32", FreeCredentialsHandle) NAME("schannel.dll", EncryptMessage)
                            NAME("schannel.dll", DecryptMessage) NAME("secur32.dll", AcceptSecurityContext)
                                NAME("secur32.dll", CompleteAuthToken) NAME("secur32.dll", ImpersonateSecurityContext)
                                    NAME("secur32.dll", RevertSecurityContext) NAME("secur32.dll", ApplyControlToken)
                                        NAME("secur32.dll", MakeSignature) NAME("secur32.dll", VerifySignature)
                                            NAME("secur32.dll", QuerySecurityContextToken)
    /* Around it. */
    BOTH("kernel32.dll", LoadLibrary) BOTH("kernel32.dll", LoadLibraryEx) BOTH("kernel32.dll", GetModuleHandle) BOTH(
        "kernel32.dll", FormatMessage) BOTH("kernel32.dll", GetComputerName) BOTH("kernel32.dll", GetComputerNameEx)
        BOTH("kernel32.dll", GetSystemDirectory) BOTH("advapi32.dll", GetUserName)
            BOTH("ADVAPI32.dll", LookupAccountSid) BOTH("advapi32.dll", LookupAccountName) BOTH(
                "advapi32.dll", ConvertSidToStringSid) BOTH("advapi32.dll", ConvertStringSidToSid)
                BOTH("crypt32.dll", CryptBinaryToString) BOTH("Crypt32.dll", CryptStringToBinary) BOTH(
                    "crypt32.dll", CertGetNameString) BOTH("crypt32.dll", CertNameToStr) BOTH("kernel32.dll", lstrlen)
                    BOTH("kernel32.dll", lstrcpy) BOTH("kernel32.dll", lstrcpyn) BOTH("kernel32.dll", lstrcat)
                        BOTH("kernel32.dll", lstrcmp) BOTH("kernel32.dll", lstrcmpi) BOTH("user32.dll", wsprintf)
                            NAME("kernel32.dll", GetLastError) NAME("kernel32.dll", SetLastError)
                                NAME("kernel32.dll", GetProcAddress) NAME("kernel32.dll", FreeLibrary)
                                    NAME("kernel32.dll", LocalFree) NAME("kernel32.dll", LocalAlloc) NAME(
                                        "kernel32.dll", MultiByteToWideChar) NAME("kernel32.dll", WideCharToMultiByte)
                                        NAME("advapi32.dll", GetTokenInformation) NAME("advapi32.dll", EqualSid)
                                            NAME("advapi32.dll", OpenThreadToken) NAME("advapi32.dll", OpenProcessToken)
                                                NAME("advapi32.dll", RevertToSelf) NAME("kernel32.dll", CloseHandle)
                                                    NAME("kernel32.dll", GetProcessHeap) NAME("kernel32.dll", HeapAlloc)
                                                        NAME("kernel32.dll", HeapReAlloc) NAME("kernel32.dll", HeapFree)
                                                            NAME("kernel32.dll", HeapSize) NAME("kernel32.dll",
                                                                                                FileTimeToSystemTime)
                                                                NAME("kernel32.dll", FileTimeToLocalFileTime)
                                                                    NAME("kernel32.dll", SystemTimeToFileTime)
                                                                        NAME("kernel32.dll", CompareFileTime) NAME(
                                                                            "kernel32.dll", GetSystemTimeAsFileTime)
                                                                            NAME("ws2_32.dll", WSAStartup)
                                                                                NAME("ws2_32.dll", WSACleanup)
                                                                                    NAME("ws2_32.dll", WSAGetLastError)
                                                                                        NAME("ws2_32.dll", closesocket)
    /* Who asks for a password. */
    NAME("kernel32.dll", GetStdHandle) NAME("kernel32.dll", GetConsoleMode) NAME("kernel32.dll", SetConsoleMode)
        BOTH("kernel32.dll", ReadConsole) BOTH("kernel32.dll", WriteConsole) NAME("kernel32.dll", ReadFile)
            NAME("kernel32.dll", WriteFile) NAME("kernel32.dll", GetFileType)
                NAME("kernel32.dll", FlushConsoleInputBuffer) NAME("kernel32.dll", SetConsoleCtrlHandler)
                    NAME("kernel32.dll", GetConsoleCP) NAME("kernel32.dll", GetConsoleOutputCP)
                        NAME("kernel32.dll", SetConsoleOutputCP) MACRO(_getch) MACRO(_getwch) MACRO(_putch)
                            MACRO(_cputs) MACRO(_gettch) MACRO(_isatty)
    /* TLS code. */
    NAME("crypt32.dll", CertOpenStore) BOTH("crypt32.dll", CertOpenSystemStore) NAME("crypt32.dll", CertCloseStore)
        NAME("crypt32.dll", CertAddCertificateContextToStore) NAME("crypt32.dll", CertAddEncodedCertificateToStore)
            NAME("crypt32.dll", CertFindCertificateInStore) NAME("crypt32.dll", CertEnumCertificatesInStore)
                NAME("crypt32.dll", CertCreateCertificateContext) NAME("crypt32.dll", CertDuplicateCertificateContext)
                    NAME("crypt32.dll", CertGetCertificateContextProperty) NAME("crypt32.dll", CertGetCertificateChain)
                        NAME("crypt32.dll", CertFreeCertificateChain)
                            NAME("crypt32.dll", CertVerifyCertificateChainPolicy)
                                NAME("crypt32.dll", CertFreeCertificateContext) NAME("crypt32.dll", PFXImportCertStore)
    /* The C library as programs for both widths call it. */
    MACRO(_tcslen) MACRO(_tcscpy) MACRO(_tcscat) MACRO(_tcscmp) MACRO(_tcsncmp) MACRO(_tcsicmp) MACRO(_tcsnicmp)
        MACRO(_tcstok) MACRO(_tcsdup) MACRO(_tcstol) MACRO(_tcstoul) MACRO(_ttoi) MACRO(_tstoi) MACRO(_totupper)
            MACRO(_totlower) MACRO(_istspace) MACRO(_istdigit) MACRO(_istalpha)};

/* Numbers, each of which has to be another one within its list. */
static const unsigned attributes[] = {SECPKG_ATTR_SIZES,
                                      SECPKG_ATTR_STREAM_SIZES,
                                      SECPKG_ATTR_NAMES,
                                      SECPKG_ATTR_REMOTE_CERT_CONTEXT,
                                      SECPKG_ATTR_NATIVE_NAMES,
                                      SECPKG_ATTR_CIPHER_INFO,
                                      SECPKG_ATTR_CONNECTION_INFO,
                                      SECPKG_ATTR_PACKAGE_INFO,
                                      SECPKG_ATTR_NEGOTIATION_INFO,
                                      SECPKG_ATTR_FLAGS,
                                      SECPKG_ATTR_LIFESPAN,
                                      SECPKG_ATTR_AUTHORITY,
                                      SECPKG_ATTR_APPLICATION_PROTOCOL,
                                      SECPKG_ATTR_ISSUER_LIST_EX,
                                      SECPKG_ATTR_ACCESS_TOKEN,
                                      SECPKG_ATTR_SESSION_KEY,
                                      SECPKG_ATTR_TARGET_INFORMATION,
                                      SECPKG_ATTR_ENDPOINT_BINDINGS,
                                      SECPKG_ATTR_UNIQUE_BINDINGS,
                                      SECPKG_ATTR_KEY_INFO};
static const unsigned flags[] = {ISC_REQ_ALLOCATE_MEMORY,
                                 ISC_REQ_CONFIDENTIALITY,
                                 ISC_REQ_REPLAY_DETECT,
                                 ISC_REQ_SEQUENCE_DETECT,
                                 ISC_REQ_MUTUAL_AUTH,
                                 ISC_REQ_STREAM,
                                 ISC_REQ_DELEGATE,
                                 ISC_REQ_INTEGRITY,
                                 ISC_REQ_CONNECTION,
                                 ISC_REQ_USE_SUPPLIED_CREDS,
                                 ISC_REQ_MANUAL_CRED_VALIDATION};
static const unsigned dreps[] = {SECURITY_NATIVE_DREP, SECURITY_NETWORK_DREP};

static int same(const unsigned *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            if (list[i] == list[j])
                return 1;
    return 0;
}

/* A member of the table, called by the macro that a header makes of its name; FreeCredentialHandle is the old name of FreeCredentialsHandle. */
static SECURITY_STATUS by_table(void)
{
    static TCHAR package[] = TEXT("NTLM");
    unsigned long n;
    PSecPkgInfo packages;
    CredHandle credential;
    TimeStamp expiry;
    HMODULE module = LoadLibrary(TEXT("secur32.dll"));
#ifdef UNICODE
    INIT_SECURITY_INTERFACE init = (INIT_SECURITY_INTERFACE)(function)GetProcAddress(module, "InitSecurityInterfaceW");
#else
    INIT_SECURITY_INTERFACE init = (INIT_SECURITY_INTERFACE)(function)GetProcAddress(module, "InitSecurityInterfaceA");
#endif
    PSecurityFunctionTable table = init == NULL ? NULL : init();
    if (table == NULL || table->dwVersion < SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION)
        return SEC_E_INTERNAL_ERROR;
    SECURITY_STATUS status = table->EnumerateSecurityPackages(&n, &packages);
    if (status != SEC_E_OK || n == 0 || n > 100)
        return SEC_E_INTERNAL_ERROR;
    table->FreeContextBuffer(packages);
    status = table->AcquireCredentialsHandle(NULL, package, SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL, &credential,
                                             &expiry);
    return status != SEC_E_OK ? status : table->FreeCredentialHandle(&credential);
}

/* In C++ each of these is several functions. */
static int by_call(void)
{
    static TCHAR text[] = TEXT("HTTP/www.example.test"), number[8];
    return _tcschr(text, TEXT('/')) == text + 4 && _tcsrchr(text, TEXT('.')) == text + 16 &&
           _tcsstr(text, TEXT("www")) == text + 5 && _sntprintf(number, 8, TEXT("%d"), -7) == 2;
}

static SEC_WINNT_AUTH_IDENTITY identity;
static SEC_WINNT_AUTH_IDENTITY_EX identity_ex;

int main(void)
{
    int missing = 0;
    const size_t n = sizeof(entries) / sizeof(entries[0]);
    for (size_t i = 0; i < n; i++) {
        const struct entry *entry = &entries[i];
        HMODULE module = entry->module == NULL ? NULL : LoadLibraryA(entry->module);
        if (entry->address == NULL ||
            (entry->module != NULL && (module == NULL || GetProcAddress(module, entry->name) == NULL))) {
            printf("not there: %s in %s\n", entry->name, entry->module != NULL ? entry->module : "the library");
            missing++;
        }
    }
    if (same(attributes, sizeof(attributes) / sizeof(attributes[0])) || same(flags, sizeof(flags) / sizeof(flags[0])) ||
        same(dreps, 2)) {
        printf("two names for one number\n");
        missing++;
    }
    if (by_table() != SEC_E_OK) {
        printf("the table does not work\n");
        missing++;
    }
    if (!by_call()) {
        printf("the C library's names do not work\n");
        missing++;
    }
    identity.Flags = identity_ex.Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE;
    identity_ex.Version = SEC_WINNT_AUTH_IDENTITY_VERSION;
    printf("%u names, %d missing\n", (unsigned)n, missing);
    return missing != 0;
}
