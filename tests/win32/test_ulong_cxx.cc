// Callers in C++ whose variables are unsigned long; and what <windows.h> leaves of the C++ library.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <cwchar>
#include <functional>
#include <iostream>
#include <string>
#include <vector>
#include <Windows.h>
#include <netdb.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#define SECURITY_WIN32
#include <Security.h>
#include <cinttypes>
#include <tchar.h>
#include <wincrypt.h>
#include <ntsecapi.h>
#include <ntstatus.h>
#include <schannel.h>
#include <sddl.h>

static int failures;

#define CHECK(condition)                                           \
    do {                                                           \
        if (!(condition)) {                                        \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            failures++;                                            \
        }                                                          \
    } while (0)

/* Microsoft's forms for arrays. */
static void arrays()
{
    char narrow[8];
    WCHAR wide[8];
    TCHAR text[8];
    CHECK(strcpy_s(narrow, "four") == 0 && strcat_s(narrow, "!") == 0 && strcmp(narrow, "four!") == 0);
    CHECK(sprintf_s(narrow, "%d-%s", 7, "x") == 3 && strcmp(narrow, "7-x") == 0);
    CHECK(sprintf_s(narrow, sizeof narrow, "%d", 8) == 1);
    CHECK(strncpy_s(narrow, "abcdefghij", _TRUNCATE) == STRUNCATE && strlen(narrow) == 7);
    CHECK(wcscpy_s(wide, L"four") == 0 && wcslen(wide) == 4);
    CHECK(swprintf_s(wide, L"%d", 77) == 2 && wcsncpy_s(wide, L"abc", 2) == 0 && wcslen(wide) == 2);
    CHECK(_stprintf_s(text, TEXT("%d"), 5) == 1 && _tcscpy_s(text, TEXT("x")) == 0 && _tcslen(text) == 1);
}

static int list_narrow(char (&to)[8], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int result = vsprintf_s(to, format, arguments);
    va_end(arguments);
    return result;
}

static int list_cut(char (&to)[8], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int result = _vsnprintf_s(to, _TRUNCATE, format, arguments);
    va_end(arguments);
    return result;
}

static int list_wide(WCHAR (&to)[8], const WCHAR *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int result = vswprintf_s(to, format, arguments);
    va_end(arguments);
    return result;
}

static int list_wide_cut(WCHAR (&to)[8], const WCHAR *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int result = _vsnwprintf_s(to, _TRUNCATE, format, arguments);
    va_end(arguments);
    return result;
}

/* The others of them, with room for eight: seven fit, eight do not. */
static void more_arrays()
{
    char narrow[8] = "ab";
    WCHAR wide[8] = L"ab";
    size_t n = 0;
    CHECK(strncat_s(narrow, "cdefgh", 2) == 0 && strcmp(narrow, "abcd") == 0);
    CHECK(strncat_s(narrow, "12345", _TRUNCATE) == STRUNCATE && strcmp(narrow, "abcd123") == 0);
    CHECK(strncat_s(narrow, sizeof narrow, "4", 1) == ERANGE && narrow[0] == 0);
    CHECK(wcsncat_s(wide, L"cdefgh", 2) == 0 && wcscmp(wide, L"abcd") == 0);
    CHECK(wcsncat_s(wide, L"1234", 4) == ERANGE && wide[0] == 0);
    CHECK(list_narrow(narrow, "%s%d", "abcdef", 7) == 7 && list_narrow(narrow, "%d", 12345678) == -1);
    CHECK(list_cut(narrow, "%d", 12345678) == -1 && strcmp(narrow, "1234567") == 0);
    CHECK(list_wide(wide, L"%s%d", L"abcdef", 7) == 7 && list_wide(wide, L"%d", 12345678) == -1);
    CHECK(list_wide_cut(wide, L"%d", 12345678) == -1 && wcscmp(wide, L"1234567") == 0);
    CHECK(_snprintf_s(narrow, _TRUNCATE, "%s-%d", "abcdef", 78) == -1 && strcmp(narrow, "abcdef-") == 0);
    CHECK(_snprintf_s(narrow, 3, "%d", 78) == 2 && strcmp(narrow, "78") == 0);
    CHECK(_snprintf_s(narrow, sizeof narrow, 3, "%d", 79) == 2 && strcmp(narrow, "79") == 0);
    CHECK(_snprintf_s(narrow, sizeof narrow, _TRUNCATE, "%s", "123456789") == -1 && strcmp(narrow, "1234567") == 0);
    CHECK(_snwprintf_s(wide, _TRUNCATE, L"%s-%d", L"abcdef", 78) == -1 && wcscmp(wide, L"abcdef-") == 0);
    CHECK(_snwprintf_s(wide, _countof(wide), _TRUNCATE, L"%d", 79) == 2 && wcscmp(wide, L"79") == 0);
    CHECK(mbstowcs_s(&n, wide, "1234567", _TRUNCATE) == 0 && n == 8 && wcscmp(wide, L"1234567") == 0);
    CHECK(mbstowcs_s(nullptr, wide, "12345678", 8) == ERANGE && wide[0] == 0);
    CHECK(mbstowcs_s(&n, nullptr, 0, "12345678", 0) == 0 && n == 9);
    CHECK(wcstombs_s(&n, narrow, L"1234567", _TRUNCATE) == 0 && n == 8 && strcmp(narrow, "1234567") == 0);
    CHECK(wcstombs_s(nullptr, narrow, L"12345678", 8) == ERANGE && narrow[0] == 0);
    CHECK(wcstombs_s(&n, narrow, sizeof narrow, L"12", _TRUNCATE) == 0 && n == 3);
}

static void packages()
{
    unsigned long n = ~0ul;
    ULONG n32 = 0;
    PSecPkgInfo list = nullptr;
    PSecurityFunctionTable table = InitSecurityInterface();
    CHECK(EnumerateSecurityPackages(&n, &list) == SEC_E_OK);
    FreeContextBuffer(list);
    CHECK(table->EnumerateSecurityPackages(&n32, &list) == SEC_E_OK);
    table->FreeContextBuffer(list);
    CHECK(n == n32 && n > 0);
    n = ~0ul;
    unsigned long *const pointer = &n;
    CHECK(table->EnumerateSecurityPackages(pointer, &list) == SEC_E_OK);
    table->FreeContextBuffer(list);
    CHECK(n == n32);
}

static void nothing()
{
    CtxtHandle none = {0, 0};
    SecBufferDesc list = {SECBUFFER_VERSION, 0, nullptr};
    unsigned long qop[2] = {~0ul, ~0ul};
    CHECK(DecryptMessage(&none, &list, 0, NULL) == SEC_E_INVALID_HANDLE);
    CHECK(DecryptMessage(&none, &list, 0, 0) == SEC_E_INVALID_HANDLE);
    CHECK(DecryptMessage(&none, &list, 0, nullptr) == SEC_E_INVALID_HANDLE);
    CHECK(DecryptMessage(&none, &list, 0, &qop[1]) == SEC_E_INVALID_HANDLE);
    CHECK(qop[1] == 0xFFFFFFFFul && qop[0] == ~0ul);
}

/* Arrays, and objects that are pointers to those who ask. */
template <class T> class Holder
{
  public:
    operator T *()
    {
        return &value;
    }
    T value = static_cast<T>(~0ull);
};

static void converted()
{
    CtxtHandle none = {0, 0};
    SecBufferDesc list = {SECBUFFER_VERSION, 0, nullptr};
    ULONG few[1] = {7};
    unsigned long many[2] = {~0ul, ~0ul};
    ULONG *const fixed = few;
    Holder<ULONG> narrow;
    Holder<unsigned long> wide;
    CHECK(DecryptMessage(&none, &list, 0, few) == SEC_E_INVALID_HANDLE && few[0] == 7);
    CHECK(DecryptMessage(&none, &list, 0, fixed) == SEC_E_INVALID_HANDLE);
    CHECK(DecryptMessage(&none, &list, 0, many) == SEC_E_INVALID_HANDLE);
    CHECK(many[0] == 0xFFFFFFFFul && many[1] == ~0ul);
    CHECK(DecryptMessage(&none, &list, 0, narrow) == SEC_E_INVALID_HANDLE && narrow.value == ~0u);
    CHECK(DecryptMessage(&none, &list, 0, wide) == SEC_E_INVALID_HANDLE && wide.value == 0xFFFFFFFFul);
    CHECK(DecryptMessage(&none, &list, 0, true ? many + 1 : NULL) == SEC_E_INVALID_HANDLE && many[1] == 0xFFFFFFFFul);
}

static DWORD WINAPI nothing_done(LPVOID)
{
    return 7;
}

/* The kit's own functions; test_ulong.c has all of them. */
static void kit()
{
    const unsigned long full = 0xFFFFFFFF00000000ul;
    TCHAR name[300], domain[300];
    BYTE sid[SECURITY_MAX_SID_SIZE], bytes[8] = {1, 2, 3};
    char text[8];
    SID_NAME_USE use;
    unsigned long n = full | _countof(name), m = full | _countof(domain), skip = full, flags = full;
    DWORD n32 = _countof(name);
    CHECK(GetComputerName(name, &n) && n == _tcslen(name) && GetComputerName(name, &n32) && n32 == n);
    n = full | _countof(name);
    CHECK(GetComputerNameEx(ComputerNameDnsHostname, name, &n) && n == _tcslen(name));
    n = full | _countof(name);
    CHECK(GetUserName(name, &n) && n == _tcslen(name) + 1);
    n = full | sizeof sid;
    CHECK(CreateWellKnownSid(WinWorldSid, nullptr, sid, &n) && n == GetLengthSid(sid));
    n = full | _countof(name);
    CHECK(LookupAccountSid(nullptr, sid, name, &n, domain, &m, &use) && n == _tcslen(name) && m == _tcslen(domain));
    n = full | sizeof sid;
    m = full | _countof(domain);
    CHECK(LookupAccountName(nullptr, name, sid, &n, domain, &m, &use) && n == GetLengthSid(sid));
    n = full | _countof(name);
    CHECK(CryptBinaryToString(bytes, 3, CRYPT_STRING_BASE64 | CRYPT_STRING_NOCRLF, name, &n) && n == 4);
    n = full | sizeof bytes;
    CHECK(CryptStringToBinary(name, 0, CRYPT_STRING_BASE64, bytes, &n, &skip, &flags) && n == 3 && skip == 0);
    CHECK(CryptStringToBinary(name, 0, CRYPT_STRING_BASE64, bytes, &n, nullptr, NULL) && n == 3);
    CHECK(WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), "#\n", 2, &n, nullptr) && n == 2);
    CHECK(!ReadFile(nullptr, text, 1, &n, nullptr) && !ReadConsole(nullptr, text, 1, &n, nullptr));
    n = full | 5;
    CHECK(!GetConsoleMode(nullptr, &n) && n == 5);
    HANDLE thread = CreateThread(nullptr, 0, nothing_done, nullptr, 0, &n);
    CHECK(thread != nullptr && WaitForSingleObject(thread, INFINITE) == WAIT_OBJECT_0);
    m = full;
    CHECK(GetExitCodeThread(thread, &m) && m == 7 && CloseHandle(thread));
    thread = CreateThread(nullptr, 0, nothing_done, nullptr, 0, 0);
    CHECK(WaitForSingleObject(thread, INFINITE) == WAIT_OBJECT_0 && CloseHandle(thread));
}

/* The rest of them, a few. */
static void security()
{
    const unsigned long full = 0xFFFFFFFF00000000ul;
    PSECURITY_DESCRIPTOR descriptor = nullptr;
    unsigned long n = full, mask = full | GENERIC_READ, content = full, format = full;
    PLUID sessions = nullptr;
    BYTE bytes[64] = {0};
    CERT_BLOB blob = {3, bytes};
    GENERIC_MAPPING mapping = {1, 2, 4, 7};
    CHECK(ConvertStringSecurityDescriptorToSecurityDescriptor(TEXT("O:BAG:BAD:(A;;GA;;;WD)"), SDDL_REVISION_1,
                                                              &descriptor, &n));
    CHECK(n == GetSecurityDescriptorLength(descriptor));
    LocalFree(descriptor);
    MapGenericMask(&mask, &mapping);
    CHECK(mask == 1);
    n = full;
    CHECK(LsaEnumerateLogonSessions(&n, &sessions) == STATUS_SUCCESS && n <= 0xFFFFFFFFul);
    LsaFreeReturnBuffer(sessions);
    n = full | sizeof bytes;
    CHECK(CertStrToName(X509_ASN_ENCODING, TEXT("CN=a"), CERT_X500_NAME_STR, nullptr, bytes, &n, nullptr) && n < 64);
    CHECK(!CryptQueryObject(CERT_QUERY_OBJECT_BLOB, &blob, CERT_QUERY_CONTENT_FLAG_CERT, CERT_QUERY_FORMAT_FLAG_BINARY,
                            0, &n, &content, &format, nullptr, nullptr, nullptr));
    CHECK(content <= 0xFFFFFFFFul && format <= 0xFFFFFFFFul);
    n = full | 5;
    CHECK(SslGetExtensions(bytes, 1, nullptr, 0, &n, SchGetExtensionsOptions(0)) != SEC_E_OK && n <= 0xFFFFFFFFul);
}

static void library()
{
    std::vector<int> numbers{3, 1, 2};
    CHECK(std::min(1, 2) == 1 && std::max(1, 2) == 2 && *std::max_element(numbers.begin(), numbers.end()) == 3);
    std::string text("a");
    text += "bc";
    CHECK(std::strlen(text.c_str()) == 3);
    CHECK(std::wcslen(L"four") == 4 && wcslen(L"four") == 4);
    wchar_t wide[8];
    CHECK(wcscpy_s(wide, L"abc") == 0 && std::wcscmp(wide, L"abc") == 0);
    CHECK(std::swprintf(wide, 8, L"%d", 42) == 2);
    char narrow[8];
    CHECK(strcpy_s(narrow, "abc") == 0 && strcpy_s(narrow, "much too long") != 0);
    CHECK(std::snprintf(narrow, sizeof narrow, "%ls", L"wide") == 4 && std::strcmp(narrow, "wide") == 0);
    TCHAR both[16];
    lstrcpy(both, _T("TCHAR"));
    CHECK(_tcslen(both) == 5);
    std::cout << "streams are as they were\n";
}

/* A long of either kind is set as it is here, what has Windows' width as it is there. */
static void scanned()
{
    struct {
        DWORD value, canary;
    } dword = {0, 77};
    unsigned long wide = ~0ul;
    long negative = 5;
    int written = 0;
    char text[8] = "";
    const char *input = "12 13 -14 abc";
    CHECK(sscanf(input, "%lu %lu %ld %s%n", &dword.value, &wide, &negative, text, &written) == 4);
    CHECK(dword.value == 12 && dword.canary == 77 && wide == 13 && negative == -14 && written == 13);
    CHECK(strcmp(text, "abc") == 0);
    CHECK(std::sscanf("ffffffff", "%lx", &dword.value) == 1 && dword.value == 0xFFFFFFFF && dword.canary == 77);
    CHECK(sscanf_s("much too long", "%s", text, (unsigned)sizeof text) == 1 && strcmp(text, "much") == 0);
    CHECK(swscanf(L"9", L"%lu", &wide) == 1 && wide == 9);
    CHECK(_stscanf(TEXT("10"), TEXT("%lu"), &wide) == 1 && wide == 10);
    CHECK(sscanf("", "%d", &written) == EOF && sscanf("x", "x") == 0);
}

/* Names of socket functions that programs and the C++ library have, too; and the functions. */
class Connection
{
  public:
    explicit Connection(SOCKET s) : socket(s) {}
    bool connect(int n)
    {
        return n == 1;
    }
    SOCKET socket;
};

/* Functions that are members, under the names of functions. */
struct Operations {
    std::function<int(const char *)> send, recv, select, accept;
    ssize_t (*raw)(SOCKET, const void *, size_t, int) = &::send;
    ssize_t (*raw_recv)(SOCKET, void *, size_t, int) = &::recv;
};

static int asked(int (*accept)(int), int (*getsockopt)(int))
{
    return accept(1) + getsockopt(2);
}

static void operations()
{
    Operations some;
    some.send = some.recv = some.select = some.accept = [](const char *text) { return int(strlen(text)); };
    CHECK(some.send("a") + some.recv("bc") + some.select("def") + some.accept("ghij") == 10);
    int (*same)(int) = [](int n) { return n; };
    CHECK(asked(same, same) == 3);
    SetLastError(7);
    CHECK(some.raw(-1, "x", 1, 0) == SOCKET_ERROR && GetLastError() == WSAENOTSOCK);
    SetLastError(7);
    char byte;
    CHECK(some.raw_recv(-1, &byte, 1, 0) == SOCKET_ERROR && GetLastError() == WSAENOTSOCK);
}

/* All of them with lengths of either kind, and without. */
static void lengths()
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0), t = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = {};
    sockaddr *const name = reinterpret_cast<sockaddr *>(&address);
    int len = sizeof address, value = 77, value_len = sizeof value;
    socklen_t system_len = sizeof address;
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(s, name, sizeof address) == 0 && ::getsockname(s, name, &len) == 0 && len == sizeof address);
    CHECK(getsockname(s, name, &system_len) == 0 && listen(s, 1) == 0);
    CHECK(connect(t, name, sizeof address) == 0 && getpeername(t, name, &len) == 0);
    CHECK(getsockopt(t, SOL_SOCKET, SO_ERROR, reinterpret_cast<char *>(&value), &value_len) == 0 && value == 0);
    DWORD milliseconds = 50;
    CHECK(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, (const char *)&milliseconds, sizeof milliseconds) == 0);
    SOCKET served = accept(s, NULL, NULL);
    CHECK(served != INVALID_SOCKET && closesocket(served) == 0);
    SetLastError(7);
    CHECK(accept(s, name, &len) == INVALID_SOCKET && WSAGetLastError() == WSAETIMEDOUT);
    CHECK(accept(s, nullptr, nullptr) == INVALID_SOCKET);
    const timeval none = {0, 0};
    timeval little = {0, 1};
    fd_set set;
    FD_ZERO(&set);
    FD_SET(s, &set);
    CHECK(select(0, &set, NULL, NULL, &none) == 0 && ::select(0, NULL, NULL, nullptr, &little) == SOCKET_ERROR);
    CHECK(GetLastError() == WSAEINVAL);
    SetLastError(7);
    CHECK(select(0, NULL, NULL, NULL, NULL) == SOCKET_ERROR && WSAGetLastError() == WSAEINVAL);
    closesocket(s);
    closesocket(t);
}

static int read_narrow(const char *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int result = vsscanf(text, format, arguments);
    va_end(arguments);
    return result;
}

/* Numbers of 64 bits by the names of <cinttypes>, read and written; and longs that are volatile. */
static void numbers()
{
    char text[40];
    uint64_t big = 0;
    intmax_t most = 0;
    CHECK(snprintf(text, sizeof text, "%" PRIx64, uint64_t(0x1122334455667788)) == 16);
    CHECK(read_narrow(text, "%" SCNx64, &big) == 1 && big == 0x1122334455667788);
    CHECK(std::snprintf(text, sizeof text, "%" PRIdMAX, INTMAX_MIN) == 20);
    CHECK(read_narrow(text, "%" SCNdMAX, &most) == 1 && most == INTMAX_MIN);
    CHECK(sscanf("77", "%" SCNu64, &big) == 1 && big == 77);
    volatile unsigned long shared = ~0ul;
    volatile long ticks = ~0l;
    CHECK(sscanf("3000000000 7", "%lu %ld", &shared, &ticks) == 2 && shared == 3000000000 && ticks == 7);
}

static void sockets()
{
    using std::bind;
    auto add = std::bind(std::plus<int>(), std::placeholders::_1, 40);
    CHECK(add(2) == 42);
    CHECK(bind(std::plus<int>(), 1, 2)() == 3);
    Connection connection(::socket(AF_INET, SOCK_STREAM, 0));
    CHECK(connection.socket != INVALID_SOCKET && connection.connect(1));
    SetLastError(7);
    CHECK(::listen(connection.socket, 1) == SOCKET_ERROR && GetLastError() == WSAEINVAL);
    SetLastError(7);
    CHECK(::bind(connection.socket, nullptr, 0) == SOCKET_ERROR && GetLastError() == WSAEFAULT);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(connection.socket, &set);
    CHECK(FD_ISSET(connection.socket, &set));
    FD_SET(INVALID_SOCKET, &set);
    CHECK(!FD_ISSET(INVALID_SOCKET, &set));
    CHECK(closesocket(connection.socket) == 0 && closesocket(connection.socket) == SOCKET_ERROR);
}

static PVOID exchanged;
static PVOID former = InterlockedExchangePointer(&exchanged, &exchanged);

struct Exchanger {
    PVOID former = InterlockedCompareExchangePointer(&exchanged, NULL, &exchanged);
};

/* Also where no statement may stand. */
static void pointers()
{
    Exchanger exchanger;
    CHECK(former == nullptr && exchanger.former == &exchanged && exchanged == nullptr);
    InterlockedExchangePointer(&exchanged, &exchanger);
    CHECK(InterlockedCompareExchangePointer(&exchanged, nullptr, nullptr) == &exchanger);
}

int main()
{
    pointers();
    arrays();
    more_arrays();
    packages();
    nothing();
    converted();
    kit();
    security();
    library();
    scanned();
    numbers();
    sockets();
    operations();
    lengths();
    return failures == 0 ? 0 : 1;
}
