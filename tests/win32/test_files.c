/* Files by handles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <tchar.h>
#include <unistd.h>
#include <windows.h>

static char folder[] = "/tmp/opensspi-files-XXXXXX";
static TCHAR path[300];

static const TCHAR *path_of(const char *name)
{
    char whole[300];
    int len = snprintf(whole, sizeof whole, "%s/%s", folder, name);
    for (int i = 0; i <= len; i++)
        path[i] = (TCHAR)(unsigned char)whole[i];
    return path;
}

static HANDLE open_as(const char *name, DWORD access, DWORD disposition)
{
    SetLastError(12345);
    return CreateFile(path_of(name), access, FILE_SHARE_READ, NULL, disposition, FILE_ATTRIBUTE_NORMAL, NULL);
}

static bool fails(const char *name, DWORD access, DWORD disposition, DWORD error)
{
    HANDLE file = open_as(name, access, disposition);
    if (file != INVALID_HANDLE_VALUE)
        CloseHandle(file);
    return file == INVALID_HANDLE_VALUE && GetLastError() == error;
}

/* As curl and Qpid read a file of certificates. */
static void test_read(void **state)
{
    char room[16] = "";
    DWORD n = 99, high = 99;
    LARGE_INTEGER size;
    (void)state;
    HANDLE file = open_as("one", GENERIC_WRITE, CREATE_NEW);
    assert_ptr_not_equal(file, INVALID_HANDLE_VALUE);
    assert_int_equal(GetLastError(), NO_ERROR);
    assert_true(WriteFile(file, "0123456789", 10, &n, NULL));
    assert_int_equal(n, 10);
    assert_false(ReadFile(file, room, 4, &n, NULL)); /* not opened for that */
    assert_int_equal(GetLastError(), ERROR_ACCESS_DENIED);
    assert_true(FlushFileBuffers(file));
    assert_true(CloseHandle(file));
    assert_false(CloseHandle(file));
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
    assert_false(ReadFile(file, room, 4, &n, NULL));
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);

    file = open_as("one", GENERIC_READ, OPEN_EXISTING);
    assert_int_equal(GetFileType(file), FILE_TYPE_DISK);
    assert_int_equal(GetFileSize(file, &high), 10);
    assert_int_equal(high, 0);
    assert_int_equal(GetFileSize(file, NULL), 10);
    assert_true(GetFileSizeEx(file, &size) && size.QuadPart == 10);
    assert_false(GetFileSizeEx(file, NULL));
    assert_true(ReadFile(file, room, 4, &n, NULL) && n == 4);
    assert_memory_equal(room, "0123", 4);
    assert_true(ReadFile(file, room, sizeof room, &n, NULL) && n == 6);
    assert_true(ReadFile(file, room, sizeof room, &n, NULL) && n == 0); /* the end is no error */
    assert_false(WriteFile(file, "x", 1, &n, NULL));
    assert_int_equal(GetLastError(), ERROR_ACCESS_DENIED);
    assert_false(ReadFile(file, room, 4, NULL, NULL));
    OVERLAPPED overlapped = {0};
    assert_false(ReadFile(file, room, 4, &n, &overlapped));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_int_equal(WaitForSingleObject(file, 0), WAIT_OBJECT_0);
    assert_true(CloseHandle(file));
}

static void test_dispositions(void **state)
{
    HANDLE file;
    (void)state;
    assert_true(fails("none", GENERIC_READ, OPEN_EXISTING, ERROR_FILE_NOT_FOUND));
    assert_true(fails("none/none", GENERIC_READ, OPEN_EXISTING, ERROR_PATH_NOT_FOUND));
    assert_true(fails("none/none", GENERIC_WRITE, CREATE_ALWAYS, ERROR_PATH_NOT_FOUND));
    assert_true(fails("none", GENERIC_WRITE, TRUNCATE_EXISTING, ERROR_FILE_NOT_FOUND));
    assert_true(fails("", GENERIC_READ, OPEN_EXISTING, ERROR_ACCESS_DENIED)); /* the folder */
    assert_true(fails("one", GENERIC_WRITE, CREATE_NEW, ERROR_FILE_EXISTS));
    assert_true(fails("one", GENERIC_READ, TRUNCATE_EXISTING, ERROR_INVALID_PARAMETER));
    assert_true(fails("one", GENERIC_READ, 0, ERROR_INVALID_PARAMETER));
    assert_true(fails("one/more", GENERIC_READ, OPEN_EXISTING, ERROR_PATH_NOT_FOUND));
    file = open_as("two", GENERIC_READ | GENERIC_WRITE, OPEN_ALWAYS);
    assert_ptr_not_equal(file, INVALID_HANDLE_VALUE);
    assert_int_equal(GetLastError(), NO_ERROR);
    CloseHandle(file);
    file = open_as("two", GENERIC_READ | GENERIC_WRITE, OPEN_ALWAYS);
    assert_int_equal(GetLastError(), ERROR_ALREADY_EXISTS);
    CloseHandle(file);
    file = open_as("one", GENERIC_READ | GENERIC_WRITE, OPEN_ALWAYS);
    assert_int_equal(GetFileSize(file, NULL), 10);
    CloseHandle(file);
    file = open_as("one", 0, OPEN_EXISTING); /* to look at it */
    assert_int_equal(GetFileSize(file, NULL), 10);
    CloseHandle(file);
    file = open_as("one", GENERIC_WRITE, CREATE_ALWAYS);
    assert_int_equal(GetLastError(), ERROR_ALREADY_EXISTS);
    assert_int_equal(GetFileSize(file, NULL), 0);
    CloseHandle(file);
}

static void test_places(void **state)
{
    char room[8] = "";
    DWORD n;
    LONG high = 0;
    LARGE_INTEGER to = {.QuadPart = -2}, at;
    (void)state;
    HANDLE file = open_as("places", GENERIC_READ | GENERIC_WRITE, CREATE_ALWAYS);
    assert_true(WriteFile(file, "0123456789", 10, &n, NULL));
    assert_int_equal(SetFilePointer(file, 3, NULL, FILE_BEGIN), 3);
    assert_true(ReadFile(file, room, 2, &n, NULL));
    assert_memory_equal(room, "34", 2);
    assert_int_equal(SetFilePointer(file, -1, NULL, FILE_CURRENT), 4);
    assert_true(SetFilePointerEx(file, to, &at, FILE_END) && at.QuadPart == 8);
    assert_int_equal(SetFilePointer(file, -11, NULL, FILE_END), INVALID_SET_FILE_POINTER);
    assert_int_equal(GetLastError(), ERROR_NEGATIVE_SEEK);
    assert_int_equal(SetFilePointer(file, 0, NULL, 3), INVALID_SET_FILE_POINTER);
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    high = 1;
    assert_int_equal(SetFilePointer(file, -1, &high, FILE_BEGIN), 0xFFFFFFFF); /* a place, and no failure */
    assert_int_equal(GetLastError(), NO_ERROR);
    assert_int_equal(high, 1);
    assert_int_equal(SetFilePointer(file, 5, NULL, FILE_BEGIN), 5);
    assert_true(SetEndOfFile(file));
    assert_int_equal(GetFileSize(file, NULL), 5);
    CloseHandle(file);
    file = open_as("places", FILE_APPEND_DATA, OPEN_EXISTING);
    assert_true(WriteFile(file, "xy", 2, &n, NULL));
    assert_int_equal(GetFileSize(file, NULL), 7);
    CloseHandle(file);
    file = open_as("places", GENERIC_READ, OPEN_EXISTING);
    assert_false(SetEndOfFile(file));
    assert_int_equal(GetLastError(), ERROR_ACCESS_DENIED);
    CloseHandle(file);
}

static void test_names(void **state)
{
    static const WCHAR broken[] = {'/', 't', 'm', 'p', '/', 0xD800, 'x', 0};
    DWORD n;
    (void)state;
    assert_int_equal(GetFileAttributes(path_of("one")), FILE_ATTRIBUTE_NORMAL);
    assert_int_equal(GetFileAttributes(path_of("")), FILE_ATTRIBUTE_DIRECTORY);
    assert_int_equal(GetFileAttributes(path_of("none")), INVALID_FILE_ATTRIBUTES);
    assert_int_equal(GetLastError(), ERROR_FILE_NOT_FOUND);
    assert_true(DeleteFile(path_of("one")));
    assert_false(DeleteFile(path_of("one")));
    assert_int_equal(GetLastError(), ERROR_FILE_NOT_FOUND);
    assert_false(DeleteFile(path_of("")));
    assert_int_equal(GetLastError(), ERROR_ACCESS_DENIED);
    assert_ptr_equal(CreateFile(NULL, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL), INVALID_HANDLE_VALUE);
    assert_ptr_equal(CreateFile(_T("CONOUT$"), GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL), INVALID_HANDLE_VALUE);
    assert_int_equal(GetLastError(), ERROR_NOT_SUPPORTED);
    assert_ptr_equal(CreateFile(_T("\\\\.\\pipe\\x"), GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL),
                     INVALID_HANDLE_VALUE);
    assert_ptr_equal(CreateFile(path_of("two"), GENERIC_READ, 0, NULL, OPEN_EXISTING, 0x40000000, NULL),
                     INVALID_HANDLE_VALUE);
    assert_int_equal(GetLastError(), ERROR_NOT_SUPPORTED); /* FILE_FLAG_OVERLAPPED */
    assert_ptr_equal(CreateFileW(broken, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL), INVALID_HANDLE_VALUE);
    assert_int_equal(GetLastError(), ERROR_INVALID_NAME);
    assert_false(DeleteFileW(broken));
    assert_int_equal(GetFileAttributesW(NULL), INVALID_FILE_ATTRIBUTES);
    HANDLE file = CreateFile(_T("NUL"), GENERIC_WRITE, 0, NULL, OPEN_EXISTING, FILE_FLAG_WRITE_THROUGH, NULL);
    assert_true(WriteFile(file, "x", 1, &n, NULL));
    assert_int_equal(GetFileType(file), FILE_TYPE_CHAR);
    assert_int_equal(GetFileSize(file, NULL), INVALID_FILE_SIZE);
    assert_int_equal(GetLastError(), ERROR_INVALID_FUNCTION);
    CloseHandle(file);
    /* No event is a file, and no file an event. */
    HANDLE event = CreateEvent(NULL, TRUE, FALSE, NULL);
    assert_false(GetFileSizeEx(event, &(LARGE_INTEGER){0}));
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
    assert_int_equal(GetFileType(event), FILE_TYPE_UNKNOWN);
    CloseHandle(event);
    file = open_as("two", GENERIC_READ, OPEN_EXISTING);
    assert_false(SetEvent(file));
    CloseHandle(file);
}

/* A link that leads nowhere is made what it leads to, as open does it; and a new file is the process's own. */
static void test_links(void **state)
{
    struct stat about;
    char link[300], target[300];
    (void)state;
    snprintf(link, sizeof link, "%s/link", folder);
    snprintf(target, sizeof target, "%s/target", folder);
    assert_int_equal(symlink(target, link), 0);
    assert_true(fails("link", GENERIC_WRITE, CREATE_NEW, ERROR_FILE_EXISTS));
    mode_t before = umask(077);
    HANDLE file = open_as("link", GENERIC_WRITE, CREATE_ALWAYS);
    umask(before);
    assert_ptr_not_equal(file, INVALID_HANDLE_VALUE);
    assert_int_equal(stat(target, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    /* Programs that are run do not have it. */
    assert_int_equal(system("ls -l /proc/self/fd | grep -q opensspi-files"), 256);
    CloseHandle(file);
}

/* Whoever reads keeps it open until he has read, whoever closes it meanwhile. */
static DWORD WINAPI reads(LPVOID file)
{
    char room[4];
    DWORD n = 0;
    BOOL done = ReadFile(file, room, sizeof room, &n, NULL);
    return done ? n : 99;
}

static void test_closed_meanwhile(void **state)
{
    char name[300];
    DWORD n = 0;
    (void)state;
    snprintf(name, sizeof name, "%s/fifo", folder);
    assert_int_equal(mkfifo(name, 0600), 0);
    int other = open(name, O_RDWR | O_CLOEXEC);
    HANDLE file = open_as("fifo", GENERIC_READ, OPEN_EXISTING);
    assert_int_equal(GetFileType(file), FILE_TYPE_PIPE);
    HANDLE thread = CreateThread(NULL, 0, reads, file, 0, NULL);
    assert_true(CloseHandle(file));
    assert_int_equal(write(other, "abcd", 4), 4);
    assert_int_equal(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
    assert_true(GetExitCodeThread(thread, &n));
    assert_true(n == 4 || n == 99); /* it may come before the read */
    CloseHandle(thread);
    close(other);
}

static void test_version(void **state)
{
    OSVERSIONINFO info = {.dwOSVersionInfoSize = sizeof info};
    OSVERSIONINFOEX more = {.dwOSVersionInfoSize = sizeof more};
    (void)state;
    assert_true(GetVersionEx(&info));
    assert_int_equal(info.dwMajorVersion, 10);
    assert_int_equal(info.dwPlatformId, VER_PLATFORM_WIN32_NT);
    assert_true(info.dwBuildNumber >= 17763); /* SCH_CREDENTIALS */
    assert_int_equal(info.szCSDVersion[0], 0);
    assert_true(GetVersionEx((LPOSVERSIONINFO)&more));
    assert_int_equal(more.wProductType, VER_NT_WORKSTATION);
    assert_int_equal(more.dwBuildNumber, info.dwBuildNumber);
    assert_int_equal(GetVersion() & 0xFF, 10);
    assert_int_equal(GetVersion() >> 16, info.dwBuildNumber);
    info.dwOSVersionInfoSize--;
    assert_false(GetVersionEx(&info));
    assert_int_equal(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
    assert_false(GetVersionEx(NULL));
}

static bool verify(OSVERSIONINFOEX asked, DWORD types, BYTE condition)
{
    ULONGLONG mask = 0;
    for (DWORD type = 1; type < 0x100; type <<= 1)
        if ((types & type) != 0)
            VER_SET_CONDITION(mask, type, condition);
    asked.dwOSVersionInfoSize = sizeof asked;
    bool fits = VerifyVersionInfo(&asked, types, mask);
    assert_true(fits || GetLastError() == ERROR_OLD_WIN_VERSION);
    return fits;
}

static void test_version_compared(void **state)
{
    const DWORD version = VER_MAJORVERSION | VER_MINORVERSION, pack = VER_SERVICEPACKMAJOR;
    (void)state;
    assert_true(verify((OSVERSIONINFOEX){.dwMajorVersion = 6, .dwMinorVersion = 3}, version, VER_GREATER_EQUAL));
    assert_true(
        verify((OSVERSIONINFOEX){.dwMajorVersion = 6, .dwMinorVersion = 3}, version, VER_GREATER)); /* 10.0 is */
    assert_true(verify((OSVERSIONINFOEX){.dwMajorVersion = 10}, version, VER_GREATER_EQUAL));
    assert_false(verify((OSVERSIONINFOEX){.dwMajorVersion = 10, .dwMinorVersion = 1}, version, VER_GREATER_EQUAL));
    assert_false(verify((OSVERSIONINFOEX){.dwMajorVersion = 10}, version, VER_GREATER));
    assert_true(verify((OSVERSIONINFOEX){.dwMajorVersion = 10, .dwMinorVersion = 1}, version, VER_LESS));
    assert_true(verify((OSVERSIONINFOEX){.dwMajorVersion = 10}, version, VER_LESS_EQUAL));
    assert_true(verify((OSVERSIONINFOEX){.dwMajorVersion = 5, .dwMinorVersion = 1, .wServicePackMajor = 2},
                       version | pack, VER_GREATER_EQUAL));
    assert_false(verify((OSVERSIONINFOEX){.dwMajorVersion = 10, .wServicePackMajor = 1}, version | pack, VER_EQUAL));
    assert_true(verify((OSVERSIONINFOEX){.dwBuildNumber = 17763}, VER_BUILDNUMBER, VER_GREATER_EQUAL));
    assert_false(verify((OSVERSIONINFOEX){.dwBuildNumber = 20348}, VER_BUILDNUMBER, VER_GREATER_EQUAL));
    assert_true(verify((OSVERSIONINFOEX){.dwPlatformId = VER_PLATFORM_WIN32_NT}, VER_PLATFORMID, VER_EQUAL));
    assert_false(verify((OSVERSIONINFOEX){.wProductType = VER_NT_SERVER}, VER_PRODUCT_TYPE, VER_EQUAL));
    assert_true(verify((OSVERSIONINFOEX){.wSuiteMask = VER_SUITE_SINGLEUSERTS}, VER_SUITENAME, VER_AND));
    assert_false(verify((OSVERSIONINFOEX){.wSuiteMask = 1}, VER_SUITENAME, VER_OR));
    assert_false(VerifyVersionInfo(&(OSVERSIONINFOEX){.dwMajorVersion = 6}, 0, 1));
    assert_int_equal(GetLastError(), ERROR_BAD_ARGUMENTS);
    assert_false(VerifyVersionInfo(&(OSVERSIONINFOEX){.dwMajorVersion = 6}, VER_MAJORVERSION, 0));
    assert_false(VerifyVersionInfo(NULL, VER_MAJORVERSION, 1));
}

static int begin(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int end(void **state)
{
    static const char *const made[] = {"two", "places", "link", "target", "fifo"};
    (void)state;
    for (size_t i = 0; i < _countof(made); i++)
        (void)DeleteFile(path_of(made[i]));
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),    cmocka_unit_test(test_dispositions),
        cmocka_unit_test(test_places),  cmocka_unit_test(test_names),
        cmocka_unit_test(test_links),   cmocka_unit_test(test_closed_meanwhile),
        cmocka_unit_test(test_version), cmocka_unit_test(test_version_compared),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
