/* The standard handles and the console: modes, reading and writing. */
#include "terminal.h"

#include <fcntl.h>
#include <io.h>
#include <link.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>

static void password_body(void)
{
    WCHAR name[100], password[100];
    DWORD n = 0, before = mode_of(input);
    CHECK(before == USUAL);
    printf("User: ");
    CHECK(ReadConsoleW(input, name, 100, &n, NULL));
    CHECK(n == 7 && memcmp(name, L"alice\r\n", 14) == 0);
    CHECK(SetConsoleMode(input, before & ~(DWORD)ENABLE_ECHO_INPUT));
    CHECK(mode_of(input) == (ENABLE_PROCESSED_INPUT | ENABLE_LINE_INPUT));
    printf("Password: "); /* stands there before it is waited for */
    CHECK(ReadConsoleW(input, password, 100, &n, NULL));
    CHECK(n == 8 && memcmp(password, L"gr\xFCn\xD83D\xDE00\r\n", 16) == 0);
    CHECK(SetConsoleMode(input, before) && mode_of(input) == before);
    CHECK(WriteConsoleW(output, L"\xFC\xD83D\xDE00!\n", 5, &n, NULL) && n == 5);
}

static void test_password(void **state)
{
    (void)state;
    char seen[200];
    pid_t program = start(password_body);
    assert_true(sees("User: ", seen, sizeof seen));
    types("alice\n");
    assert_true(sees("Password: ", seen, sizeof seen));
    assert_string_equal(seen, "alice\r\nPassword: ");
    types("grxx\x7f\x7f\xC3\xBCn\xF0\x9F\x98\x80\n");
    assert_true(sees("!\r\n", seen, sizeof seen));
    assert_string_equal(seen, "\xC3\xBC\xF0\x9F\x98\x80!\r\n");
    check_end(program, 0);
}

static void modes_body(void)
{
    struct termios terminal;
    DWORD mode;
    CHECK(SetConsoleMode(input, 0) && mode_of(input) == 0);
    CHECK(tcgetattr(0, &terminal) == 0 && (terminal.c_lflag & (ISIG | ICANON | ECHO)) == 0);
    CHECK(terminal.c_cc[VMIN] == 1 && terminal.c_cc[VTIME] == 0);
    CHECK(SetConsoleMode(input, ENABLE_PROCESSED_INPUT) && mode_of(input) == ENABLE_PROCESSED_INPUT);
    /* What the terminal does not have is kept. */
    mode = ENABLE_LINE_INPUT | ENABLE_EXTENDED_FLAGS | ENABLE_QUICK_EDIT_MODE | ENABLE_VIRTUAL_TERMINAL_INPUT;
    CHECK(SetConsoleMode(input, mode) && mode_of(input) == mode);
    SetLastError(0);
    CHECK(!SetConsoleMode(input, ENABLE_ECHO_INPUT | ENABLE_PROCESSED_INPUT) &&
          GetLastError() == ERROR_INVALID_PARAMETER);
    SetLastError(0);
    CHECK(!SetConsoleMode(input, USUAL | 0x400) && GetLastError() == ERROR_INVALID_PARAMETER);
    CHECK(mode_of(input) == mode);
    CHECK(!GetConsoleMode(input, NULL) && GetLastError() == ERROR_INVALID_PARAMETER);
    /* The terminal's own, whoever set it. */
    CHECK(tcgetattr(0, &terminal) == 0);
    terminal.c_lflag |= ISIG | ICANON | ECHO;
    CHECK(tcsetattr(0, TCSANOW, &terminal) == 0 && (mode_of(input) & USUAL) == USUAL);
    /* One that shows keys without lines is left as it was by who asks for a password. */
    terminal.c_lflag &= ~(tcflag_t)ICANON;
    CHECK(tcsetattr(0, TCSANOW, &terminal) == 0);
    mode = mode_of(input);
    CHECK((mode & USUAL) == (ENABLE_PROCESSED_INPUT | ENABLE_ECHO_INPUT));
    CHECK(SetConsoleMode(input, mode & ~(DWORD)ENABLE_ECHO_INPUT) && SetConsoleMode(input, mode));
    CHECK(tcgetattr(0, &terminal) == 0 && (terminal.c_lflag & (ISIG | ICANON | ECHO)) == (ISIG | ECHO));
    CHECK(SetConsoleMode(input, USUAL));
    mode = mode_of(output);
    CHECK((mode & ENABLE_PROCESSED_OUTPUT) != 0 && (mode & ENABLE_VIRTUAL_TERMINAL_PROCESSING) != 0);
    CHECK(SetConsoleMode(output, ENABLE_PROCESSED_OUTPUT) && mode_of(output) == ENABLE_PROCESSED_OUTPUT);
    CHECK(mode_of(GetStdHandle(STD_ERROR_HANDLE)) == ENABLE_PROCESSED_OUTPUT); /* of one terminal */
    CHECK(!SetConsoleMode(output, 0x20) && GetLastError() == ERROR_INVALID_PARAMETER);
    CHECK(GetConsoleCP() == 65001 && GetConsoleOutputCP() == 65001 && SetConsoleOutputCP(CP_UTF8));
    SetLastError(0);
    CHECK(!SetConsoleCP(437) && GetLastError() == ERROR_INVALID_PARAMETER);
    CHECK(_isatty(_fileno(stdin)) && GetFileType(input) == FILE_TYPE_CHAR);
    /* It stays when the program ends. */
    CHECK(SetConsoleMode(input, ENABLE_LINE_INPUT));
    say_ready();
    wait_for_go();
}

static void test_modes(void **state)
{
    (void)state;
    char seen[100];
    struct termios terminal;
    pid_t program = start(modes_body);
    assert_true(sees("ready>", seen, sizeof seen));
    assert_int_equal(tcgetattr(person, &terminal), 0);
    assert_int_equal(terminal.c_lflag & (ISIG | ICANON | ECHO), ICANON);
    assert_int_equal(write(go[1], "", 1), 1);
    check_end(program, 0);
}

/* Is the text in these bytes? Some lie between variables, where a sanitizer lets nobody read. */
__attribute__((no_sanitize("address"))) static bool bytes_have(const volatile char *bytes, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (text[k] != '\0' && i + k < n && bytes[i + k] == text[k])
            k++;
        if (text[k] == '\0')
            return true;
    }
    return false;
}

/* Is the text in what the library's variables are in? */
static int library_has(struct dl_phdr_info *library, size_t size, void *text)
{
    (void)size;
    if (strstr(library->dlpi_name, "libopensspi-win32") == NULL)
        return 0;
    for (int i = 0; i < library->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &library->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && (part->p_flags & PF_W) != 0 &&
            bytes_have((const volatile char *)(library->dlpi_addr + part->p_vaddr), part->p_memsz, text))
            return 1;
    }
    return 0;
}

static void forgotten_body(void)
{
    WCHAR text[20];
    DWORD n;
    char rest[] = "ecret-1", all[] = "cret", piece[] = "cret-3", last[] = "cret-4";
    CHECK(SetConsoleMode(input, ENABLE_PROCESSED_INPUT | ENABLE_LINE_INPUT));
    say_ready();
    CHECK(ReadConsoleW(input, text, 1, &n, NULL) && n == 1);
    CHECK(dl_iterate_phdr(library_has, rest) == 1); /* what was not read yet is there */
    CHECK(ReadConsoleW(input, text, 20, &n, NULL) && n == 9);
    CHECK(dl_iterate_phdr(library_has, all) == 0);
    read_is("secret-2\r\n", 100);
    CHECK(dl_iterate_phdr(library_has, all) == 0);
    read_is("se", 2);
    CHECK(dl_iterate_phdr(library_has, piece) == 1 && FlushConsoleInputBuffer(input));
    CHECK(dl_iterate_phdr(library_has, piece) == 0 && dl_iterate_phdr(library_has, last) == 0);
    say_ready();
    wait_for_go();
}

static void test_forgotten(void **state)
{
    (void)state;
    char seen[300];
    pid_t program = start(forgotten_body);
    assert_true(sees("ready>", seen, sizeof seen));
    types("secret-1\nsecret-2\nsecret-3\n");
    assert_true(sees("ready>", seen, sizeof seen));
    assert_int_equal(write(go[1], "", 1), 1);
    check_end(program, 0);
}

/* A line in pieces, of bytes and of units; reading by ReadFile; the end of the input. */
static void lines_body(void)
{
    WCHAR unit[2];
    char text[100];
    DWORD n = 9;
    say_ready();
    read_is("abc", 3);
    read_is("def\r\n", 100);
    read_is("", 0);
    CHECK(ReadConsoleW(input, unit, 1, &n, NULL) && n == 1 && unit[0] == 0xD83D);
    CHECK(ReadConsoleW(input, unit, 1, &n, NULL) && n == 1 && unit[0] == 0xDE00);
    CHECK(ReadConsoleW(input, unit, 2, &n, NULL) && n == 1 && unit[0] == 'x'); /* the next one would be cut */
    CHECK(ReadConsoleW(input, unit, 2, &n, NULL) && n == 2 && unit[0] == 0xD83D && unit[1] == 0xDE00);
    CHECK(ReadConsoleW(input, unit, 2, &n, NULL) && n == 2 && unit[0] == 0xFFFD && unit[1] == '\r'); /* half a letter */
    CHECK(ReadConsoleW(input, unit, 2, &n, NULL) && n == 1 && unit[0] == '\n');
    CHECK(ReadFile(input, text, sizeof text, &n, NULL) && n == 6 && memcmp(text, "file\r\n", 6) == 0);
    read_is("no end", 100);
    n = 9;
    CHECK(ReadConsoleW(input, unit, 2, &n, NULL) && n == 0);
    n = 9;
    CHECK(ReadFile(input, text, sizeof text, &n, NULL) && n == 0);
    /* Without processed input a line ends with CR alone, and Ctrl+C is a character. */
    CHECK(SetConsoleMode(input, ENABLE_LINE_INPUT));
    say_ready();
    read_is("raw\x03\r", 100);
    CHECK(!ReadConsoleA(input, text, 1, NULL, NULL) && GetLastError() == ERROR_INVALID_PARAMETER);
    CHECK(!ReadConsoleA(input, NULL, 1, &n, NULL) && GetLastError() == ERROR_INVALID_PARAMETER);
    CHECK(!ReadConsoleW(input, unit, 1, &n, text) && GetLastError() == ERROR_NOT_SUPPORTED);
}

static void test_lines(void **state)
{
    (void)state;
    char seen[300];
    pid_t program = start(lines_body);
    assert_true(sees("ready>", seen, sizeof seen));
    types("abcdef\n\xF0\x9F\x98\x80x\xF0\x9F\x98\x80\xC3\nfile\nno end\x04\x04\x04");
    assert_true(sees("ready>", seen, sizeof seen));
    types("raw\x03\n");
    check_end(program, 0);
}

static void keys_one_by_one_body(void)
{
    WCHAR units[10];
    DWORD n;
    CHECK(SetConsoleMode(input, 0));
    say_ready();
    wait_for_go();
    read_is("a\r\b\x03", 100);
    say_ready();
    /* A letter whose bytes come one by one. */
    CHECK(ReadConsoleW(input, units, 10, &n, NULL) && n == 1 && units[0] == 0x20AC);
    /* What is forgotten was never typed, in hand or not. */
    say_ready();
    wait_for_go();
    read_is("f", 1);
    CHECK(FlushConsoleInputBuffer(input));
    say_ready();
    read_is("z", 100);
}

static void test_keys_one_by_one(void **state)
{
    (void)state;
    char seen[100];
    pid_t program = start(keys_one_by_one_body);
    assert_true(sees("ready>", seen, sizeof seen));
    types("a\r\x7f\x03");
    assert_int_equal(write(go[1], "", 1), 1);
    assert_true(sees("ready>", seen, sizeof seen));
    types("\xE2");
    usleep(100000);
    types("\x82");
    usleep(100000);
    types("\xAC");
    assert_true(sees("ready>", seen, sizeof seen));
    types("forget");
    assert_int_equal(write(go[1], "", 1), 1);
    assert_true(sees("ready>", seen, sizeof seen));
    types("z");
    check_end(program, 0);
}

static void redirected_body(void)
{
    int in[2], out[2];
    DWORD n = 9, mode = 7;
    char text[10];
    CHECK(pipe(in) == 0 && pipe(out) == 0);
    CHECK(dup2(in[0], 0) == 0 && dup2(out[1], 1) == 1);
    close(in[0]);
    close(out[1]);
    SetLastError(0);
    CHECK(!GetConsoleMode(input, &mode) && GetLastError() == ERROR_INVALID_HANDLE && mode == 7);
    SetLastError(0);
    CHECK(!SetConsoleMode(input, USUAL) && GetLastError() == ERROR_INVALID_HANDLE);
    SetLastError(0);
    CHECK(!ReadConsoleA(input, text, 1, &n, NULL) && GetLastError() == ERROR_INVALID_HANDLE);
    SetLastError(0);
    CHECK(!WriteConsoleW(output, L"x", 1, &n, NULL) && GetLastError() == ERROR_INVALID_HANDLE);
    SetLastError(0);
    CHECK(!FlushConsoleInputBuffer(input) && GetLastError() == ERROR_INVALID_HANDLE);
    CHECK(GetFileType(input) == FILE_TYPE_PIPE && GetLastError() == NO_ERROR && !_isatty(0));
    CHECK(write(in[1], "a\nb", 3) == 3);
    CHECK(ReadFile(input, text, sizeof text, &n, NULL) && n == 3 && memcmp(text, "a\nb", 3) == 0);
    CHECK(WriteFile(output, "xyz", 3, &n, NULL) && n == 3);
    CHECK(read(out[0], text, sizeof text) == 3 && memcmp(text, "xyz", 3) == 0);
    /* The ends. */
    close(in[1]);
    n = 9;
    SetLastError(0);
    CHECK(!ReadFile(input, text, sizeof text, &n, NULL) && GetLastError() == ERROR_BROKEN_PIPE && n == 0);
    close(out[0]);
    n = 9;
    SetLastError(0);
    CHECK(!WriteFile(output, "xyz", 3, &n, NULL) && GetLastError() == ERROR_BROKEN_PIPE && n == 0); /* and no signal */
    sigset_t pending;
    CHECK(sigpending(&pending) == 0 && !sigismember(&pending, SIGPIPE));
    int nothing = open("/dev/null", O_RDONLY);
    CHECK(nothing > 2 && dup2(nothing, 0) == 0);
    CHECK(ReadFile(input, text, sizeof text, &n, NULL) && n == 0);
    CHECK(GetFileType(input) == FILE_TYPE_CHAR);
    SetLastError(0);
    CHECK(!WriteFile(input, "x", 1, &n, NULL) && GetLastError() == ERROR_ACCESS_DENIED);
    int full = open("/dev/full", O_WRONLY);
    CHECK(full > 2 && dup2(full, 1) == 1);
    CHECK(!WriteFile(output, "x", 1, &n, NULL) && GetLastError() == ERROR_DISK_FULL);
    FILE *file = tmpfile();
    CHECK(file != NULL && dup2(fileno(file), 0) == 0 && GetFileType(input) == FILE_TYPE_DISK);
    CHECK(ReadFile(input, text, sizeof text, &n, NULL) && n == 0);
}

static void test_redirected(void **state)
{
    (void)state;
    pid_t program = start(redirected_body);
    check_end(program, 0);
}

static void handles_body(void)
{
    HANDLE error = GetStdHandle(STD_ERROR_HANDLE);
    DWORD n, mode;
    char text[4];
    CHECK(input != output && output != error && input != error && input != NULL && input != INVALID_HANDLE_VALUE);
    CHECK(GetStdHandle(STD_INPUT_HANDLE) == input);
    SetLastError(0);
    CHECK(GetStdHandle(0) == INVALID_HANDLE_VALUE && GetLastError() == ERROR_INVALID_HANDLE);
    CHECK(GetStdHandle((DWORD)-9) == INVALID_HANDLE_VALUE && GetStdHandle((DWORD)-13) == INVALID_HANDLE_VALUE);
    /* What is neither a standard handle nor for this direction. */
    HANDLE event = CreateEvent(NULL, TRUE, FALSE, NULL);
    HANDLE wrong[] = {NULL, INVALID_HANDLE_VALUE, event, &n};
    for (size_t i = 0; i < 4; i++) {
        SetLastError(0);
        CHECK(!ReadFile(wrong[i], text, 1, &n, NULL) && GetLastError() == ERROR_INVALID_HANDLE);
        CHECK(!WriteFile(wrong[i], text, 1, &n, NULL) && !GetConsoleMode(wrong[i], &mode));
        SetLastError(0);
        CHECK(GetFileType(wrong[i]) == FILE_TYPE_UNKNOWN && GetLastError() == ERROR_INVALID_HANDLE);
    }
    CHECK(CloseHandle(event));
    SetLastError(0);
    CHECK(!ReadConsoleA(output, text, 1, &n, NULL) && GetLastError() == ERROR_INVALID_HANDLE);
    SetLastError(0);
    CHECK(!WriteConsoleA(input, text, 1, &n, NULL) && GetLastError() == ERROR_INVALID_HANDLE);
    CHECK(WaitForSingleObject(input, 0) == WAIT_FAILED && GetLastError() == ERROR_INVALID_HANDLE);
    OVERLAPPED overlapped;
    ZeroMemory(&overlapped, sizeof overlapped);
    CHECK(!WriteFile(output, "x", 1, &n, &overlapped) && GetLastError() == ERROR_INVALID_PARAMETER);
    CHECK(!WriteFile(output, "x", 1, NULL, NULL) && GetLastError() == ERROR_INVALID_PARAMETER);
    CHECK(!ReadFile(input, NULL, 1, &n, NULL) && GetLastError() == ERROR_INVALID_PARAMETER);
    SetLastError(0);
    CHECK(!ReadFile(output, text, 1, &n, NULL) && GetLastError() == ERROR_ACCESS_DENIED && n == 0);
    SetLastError(0);
    CHECK(!WriteFile(input, "x", 1, &n, NULL) && GetLastError() == ERROR_ACCESS_DENIED && n == 0);
    CHECK(WriteFile(output, "w", 1, &n, NULL) && WriteConsoleA(error, "\xC3\xBC|", 3, NULL, NULL));
    /* A closed one is refused, and its number is nobody else's. */
    CHECK(CloseHandle(error));
    SetLastError(0);
    CHECK(!CloseHandle(error) && GetLastError() == ERROR_INVALID_HANDLE);
    SetLastError(0);
    CHECK(!WriteFile(error, "x", 1, &n, NULL) && GetLastError() == ERROR_INVALID_HANDLE);
    struct stat about, nothing;
    CHECK(fstat(2, &about) == 0 && stat("/dev/null", &nothing) == 0 && about.st_rdev == nothing.st_rdev);
    /* One that the process was not given. */
    close(0);
    CHECK(GetStdHandle(STD_INPUT_HANDLE) == NULL);
    SetLastError(0);
    CHECK(!ReadFile(input, text, 1, &n, NULL) && GetLastError() == ERROR_INVALID_HANDLE);
    wait_for_go();
}

static void test_handles(void **state)
{
    (void)state;
    char seen[100];
    pid_t program = start(handles_body);
    assert_true(sees("|", seen, sizeof seen));
    assert_string_equal(seen, "w\xC3\xBC|");
    assert_int_equal(write(go[1], "", 1), 1);
    check_end(program, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_password), cmocka_unit_test(test_modes),           cmocka_unit_test(test_forgotten),
        cmocka_unit_test(test_lines),    cmocka_unit_test(test_keys_one_by_one), cmocka_unit_test(test_redirected),
        cmocka_unit_test(test_handles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
