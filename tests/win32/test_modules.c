/* LoadLibrary, GetProcAddress. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <tchar.h>
#include <windows.h>
#include <security.h>

typedef size_t (*strlen_fn)(const char *);

static void test_names(void **state)
{
    (void)state;
    static const TCHAR *const names[] = {_T("secur32.dll"),  _T("SECUR32.DLL"),
                                         _T("Secur32"),      _T("security.dll"),
                                         _T("schannel.dll"), _T("C:\\Windows\\System32\\secur32.dll"),
                                         _T("crypt32.dll"),  _T("advapi32"),
                                         _T("sspicli.dll"),  _T("KERNEL32.dll")};
    for (size_t i = 0; i < _countof(names); i++) {
        HMODULE module = LoadLibrary(names[i]);
        assert_non_null(module);
        assert_ptr_equal(GetModuleHandle(names[i]), module);
        assert_ptr_equal(LoadLibraryEx(names[i], NULL, LOAD_LIBRARY_SEARCH_SYSTEM32), module);
        assert_ptr_equal(GetProcAddress(module, "AcquireCredentialsHandleW"), (FARPROC)AcquireCredentialsHandleW);
        assert_ptr_equal(GetProcAddress(module, "LocalFree"), (FARPROC)LocalFree);
        assert_true(FreeLibrary(module));
        assert_true(FreeLibrary(module));
    }
    assert_ptr_not_equal(LoadLibrary(_T("secur32")), LoadLibrary(_T("crypt32")));
}

static void test_entry(void **state)
{
    (void)state;
    HMODULE module = LoadLibrary(_T("secur32.dll"));
    INIT_SECURITY_INTERFACE init = (INIT_SECURITY_INTERFACE)GetProcAddress(module, SECURITY_ENTRYPOINT_ANSI);
    assert_non_null(init);
    PSecurityFunctionTable table = init();
    PSecPkgInfo packages;
    unsigned long n = ~0ul;
    assert_int_equal(table->EnumerateSecurityPackages(&n, &packages), SEC_E_OK);
    assert_true(n > 0 && n < 100);
    assert_int_equal(table->FreeContextBuffer(packages), SEC_E_OK);
}

static void test_others(void **state)
{
    (void)state;
    SetLastError(0);
    assert_null(LoadLibrary(_T("user.dll")));
    assert_int_equal(GetLastError(), ERROR_MOD_NOT_FOUND);
    assert_null(LoadLibrary(_T("C:\\dir\\libc.so.6")));
    assert_null(LoadLibrary(_T("secur32x.dll")));
    assert_null(LoadLibrary(_T("/nonexistent/libx.so")));
    assert_int_equal(GetLastError(), ERROR_MOD_NOT_FOUND);
    assert_null(LoadLibraryEx(_T("libc.so.6"), NULL, LOAD_LIBRARY_SEARCH_SYSTEM32));
    assert_null(LoadLibraryEx(_T("libc.so.6"), NULL, LOAD_LIBRARY_AS_DATAFILE));
    assert_int_equal(GetLastError(), ERROR_NOT_SUPPORTED);
    assert_null(LoadLibrary(NULL));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_null(LoadLibrary(_T("")));
    assert_null(LoadLibraryEx(_T("secur32"), (HANDLE)1, 0));
    assert_null(GetModuleHandle(_T("nothing.dll")));
    HMODULE library = LoadLibrary(_T("libc.so.6"));
    assert_non_null(library);
    strlen_fn length = (strlen_fn)GetProcAddress(library, "strlen");
    assert_int_equal(length("four"), 4);
    assert_true(FreeLibrary(library));
    assert_non_null(GetModuleHandle(_T("libc.so.6")));
    assert_non_null(GetModuleHandle(NULL));
}

static void test_functions(void **state)
{
    (void)state;
    HMODULE module = GetModuleHandle(_T("secur32"));
    SetLastError(0);
    assert_null(GetProcAddress(module, "NoSuchFunction"));
    assert_int_equal(GetLastError(), ERROR_PROC_NOT_FOUND);
    assert_null(GetProcAddress(module, (LPCSTR)7));
    assert_null(GetProcAddress(module, "strlen")); /* the C library's is not ours */
    assert_null(GetProcAddress(module, "last_error"));
    assert_null(GetProcAddress(NULL, "LocalFree"));
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
    assert_false(FreeLibrary(NULL));
    char longer[300];
    FillMemory(longer, sizeof longer, 'x');
    longer[299] = '\0';
    assert_null(GetProcAddress(module, longer));
}

/* What ws2_32 has, whoever has it here. */
static void test_winsock(void **state)
{
    (void)state;
    static const char *const names[] = {
        "send",         "recv",          "socket",          "closesocket", "select",        "WSAStartup",
        "getaddrinfo",  "freeaddrinfo",  "htons",           "htonl",       "ntohs",         "ntohl",
        "inet_addr",    "inet_ntoa",     "inet_ntop",       "getnameinfo", "ioctlsocket",   "gethostbyname",
        "gethostname",  "setsockopt",    "WSAGetLastError", "shutdown",    "getservbyname", "getpeername",
        "GetAddrInfoW", "FreeAddrInfoW", "getprotobyname",  "accept",      "WSASocketW",    "__WSAFDIsSet",
    };
    HMODULE winsock = LoadLibrary(_T("ws2_32.dll"));
    for (size_t i = 0; i < _countof(names); i++) {
        FARPROC function = GetProcAddress(winsock, names[i]);
        if (function == NULL)
            fail_msg("ws2_32 has no %s", names[i]);
    }
    unsigned short(WINAPI * swap16)(unsigned short) =
        (unsigned short(WINAPI *)(unsigned short))(uintptr_t)GetProcAddress(winsock, "htons");
    ULONG(WINAPI * address)
    (const char *) = (ULONG(WINAPI *)(const char *))(uintptr_t)GetProcAddress(winsock, "inet_addr");
    ULONG(WINAPI * swap32)(ULONG) = (ULONG(WINAPI *)(ULONG))(uintptr_t)GetProcAddress(winsock, "ntohl");
    assert_int_equal(swap16(0x1234), 0x3412);
    assert_int_equal(swap32(address("127.0.0.1")), 0x7F000001);
    assert_null(GetProcAddress(LoadLibrary(_T("kernel32.dll")), "htons"));
    assert_null(GetProcAddress(winsock, "strlen"));
    fd_set set;
    FD_ZERO(&set);
    FD_SET(3, &set);
    int(WINAPI * is_set)(SOCKET, fd_set *) =
        (int(WINAPI *)(SOCKET, fd_set *))(uintptr_t)GetProcAddress(winsock, "__WSAFDIsSet");
    assert_true(is_set(3, &set) && !is_set(4, &set) && !is_set(-1, &set) && !is_set(100000, &set));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),     cmocka_unit_test(test_entry),   cmocka_unit_test(test_others),
        cmocka_unit_test(test_functions), cmocka_unit_test(test_winsock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
