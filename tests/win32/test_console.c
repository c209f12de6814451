/* The standard handles, the console and keys, on a pseudo-terminal in a process of its own for each test: what a program does with them lasts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <conio.h>
#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <windows.h>

#define PATIENCE 60000 /* ms */
#define USUAL (ENABLE_PROCESSED_INPUT | ENABLE_LINE_INPUT | ENABLE_ECHO_INPUT)
#define CHECK(condition)                                                                               \
    do {                                                                                               \
        if (!(condition)) {                                                                            \
            dprintf(note, "line %d: %s (error %u)\n", __LINE__, #condition, (unsigned)GetLastError()); \
            _exit(1);                                                                                  \
        }                                                                                              \
    } while (0)

/* Where a program on the terminal tells which check failed, and where that is read; the other end of its terminal; a pipe by which it is told to go on. */
static int note, notes, person, go[2];
/* By which a program says that it has come so far, where the terminal may throw away what is on its way: it does so with signals. */
static int so_far[2];

static HANDLE input, output;

/* What the person at the terminal sees, until it ends with `end`. */
static bool sees(const char *end, char *seen, size_t room)
{
    size_t len = 0;
    seen[0] = '\0';
    while (strlen(seen) < strlen(end) || strcmp(seen + strlen(seen) - strlen(end), end) != 0) {
        struct pollfd wait_for = {.fd = person, .events = POLLIN};
        if (len + 1 == room || poll(&wait_for, 1, PATIENCE) != 1)
            return false;
        ssize_t n = read(person, seen + len, room - 1 - len);
        if (n <= 0) { /* the program has ended, and says why */
            char why[300];
            ssize_t n_why = read(notes, why, sizeof why - 1);
            print_error("%.*s", n_why > 0 ? (int)n_why : 0, why);
            return false;
        }
        len += (size_t)n;
        seen[len] = '\0';
    }
    return true;
}

static void types(const char *keys)
{
    assert_int_equal(write(person, keys, strlen(keys)), strlen(keys));
}

/* Runs `body` with a new terminal as its own. */
static pid_t start(void (*body)(void))
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(pipe(go), 0);
    assert_int_equal(pipe(so_far), 0);
    pid_t program = forkpty(&person, NULL, NULL, NULL);
    assert_true(program >= 0);
    if (program == 0) {
        close(ends[0]);
        close(go[1]);
        note = ends[1];
        alarm(PATIENCE / 1000 * 2);
        input = GetStdHandle(STD_INPUT_HANDLE);
        output = GetStdHandle(STD_OUTPUT_HANDLE);
        body();
        exit(0); /* with what stdio still holds back */
    }
    close(ends[1]);
    close(go[0]);
    notes = ends[0];
    return program;
}

/* Ends as it should: by itself, or by a signal. */
static void check_end(pid_t program, int signal)
{
    char failed[300];
    int status;
    ssize_t n = read(notes, failed, sizeof failed - 1);
    failed[n > 0 ? n : 0] = '\0';
    assert_string_equal(failed, "");
    assert_int_equal(waitpid(program, &status, 0), program);
    assert_int_equal(WIFSIGNALED(status) ? WTERMSIG(status) : 0, signal);
    if (signal == 0)
        assert_int_equal(WEXITSTATUS(status), 0);
    close(notes);
    close(person);
    close(go[1]);
    close(so_far[0]);
    close(so_far[1]);
}

static void say_ready(void)
{
    CHECK(write(STDOUT_FILENO, "ready>", 6) == 6);
}

static void say_so_far(void)
{
    CHECK(write(so_far[1], "", 1) == 1);
}

static void wait_for_program(void)
{
    char byte;
    struct pollfd wait_for = {.fd = so_far[0], .events = POLLIN};
    assert_int_equal(poll(&wait_for, 1, PATIENCE), 1);
    assert_int_equal(read(so_far[0], &byte, 1), 1);
}

/* Until the program sleeps, which it does in nothing but the read that it said it comes to. */
static void wait_for_sleep(pid_t program)
{
    char path[40], state = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)program);
    for (int i = 0; i < PATIENCE && state != 'S'; i++) {
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
            state = 0;
        fclose(file);
        usleep(1000);
    }
    assert_int_equal(state, 'S');
}

/* Until the test has typed. */
static void wait_for_go(void)
{
    char byte;
    CHECK(read(go[0], &byte, 1) == 1);
}

static DWORD mode_of(HANDLE handle)
{
    DWORD mode = 0xFFFFFFFF;
    CHECK(GetConsoleMode(handle, &mode));
    return mode;
}

static void read_is(const char *expected, DWORD room)
{
    char text[100];
    DWORD n = 99;
    CHECK(room <= sizeof text && ReadConsoleA(input, text, room, &n, NULL));
    CHECK(n == strlen(expected) && memcmp(text, expected, n) == 0);
}

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
    char rest[] = "ecret-1", all[] = "cret", piece[] = "-3", last[] = "-4";
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

static void getch_body(void)
{
    static const int expected[] = {'a', 13, 8, 3, 27, 'x', 0xC3, 0xBC, 0xE0, 72, 0xE0, 83, 0, 59, 0, 0, 27};
    struct termios before, after;
    CHECK(tcgetattr(0, &before) == 0);
    CHECK(SetConsoleMode(input, 0)); /* so that what is typed in advance is kept as it is */
    say_ready();
    wait_for_go();
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        int key = _getch();
        if (key != expected[i])
            dprintf(note, "key %zu is %d\n", i, key);
        CHECK(key == expected[i]);
    }
    say_ready();
    wait_for_go();
    CHECK(_getwch() == 'b' && _getwch() == 0xFC && _getwch() == 0xD83D && _getwch() == 0xDE00);
    CHECK(_getwch() == 0xE0 && _getwch() == 75 && _getwch() == 0xE0 && _getwch() == 13);
    CHECK(SetConsoleMode(input, USUAL));
    /* One that is waited for is not shown; and the terminal is as it was. */
    say_ready();
    CHECK(_getch() == 's');
    CHECK(tcgetattr(0, &after) == 0 && memcmp(&before.c_lflag, &after.c_lflag, sizeof before.c_lflag) == 0 &&
          before.c_iflag == after.c_iflag);
    say_ready();
    CHECK(_getche() == 'e');
    CHECK(_putch('*') == '*' && _putwch(0xD83D) == 0xD83D && _putwch(0xDE00) == 0xDE00 && _cputs("<") == 0);
    errno = 0;
    CHECK(_cputs(NULL) == EOF && errno == EINVAL && _cputws(NULL) == EOF);
    CHECK(_cputws(L"\xFC>") == 0);
    wait_for_go();
}

/* The program waits for a key when the terminal hands each over. */
static void wait_for_raw(void)
{
    struct termios terminal;
    do
        assert_int_equal(tcgetattr(person, &terminal), 0);
    while ((terminal.c_lflag & ICANON) != 0);
}

static void test_getch(void **state)
{
    (void)state;
    char seen[200];
    pid_t program = start(getch_body);
    assert_true(sees("ready>", seen, sizeof seen));
    types("a\r\x7f\x03\x1Bx\xC3\xBC\x1B[A\x1B[3~\x1BOP\x1B[9;9~\x1B");
    assert_int_equal(write(go[1], "", 1), 1);
    assert_true(sees("ready>", seen, sizeof seen));
    types("b\xC3\xBC\xF0\x9F\x98\x80\x1B[D\xC3\xA0\r"); /* the last letter is U+00E0, as an arrow begins */
    assert_int_equal(write(go[1], "", 1), 1);
    assert_true(sees("ready>", seen, sizeof seen));
    wait_for_raw();
    types("s");
    assert_true(sees("ready>", seen, sizeof seen));
    assert_string_equal(seen, "ready>");
    wait_for_raw();
    types("e");
    assert_true(sees(">", seen, sizeof seen));
    assert_string_equal(seen, "e*\xF0\x9F\x98\x80<\xC3\xBC>");
    assert_int_equal(write(go[1], "", 1), 1);
    check_end(program, 0);
}

static void *one_key(void *key)
{
    *(int *)key = _getch();
    return NULL;
}

/* Half a letter is kept, and a whole one written, while another thread waits for a key. */
static void write_meanwhile_body(void)
{
    pthread_t thread;
    int key = 0;
    CHECK(pthread_create(&thread, NULL, one_key, &key) == 0);
    wait_for_go();
    CHECK(_putwch(0xD83D) == 0xD83D && _putwch(0xDE00) == 0xDE00 && _putwch('>') == '>');
    CHECK(pthread_join(thread, NULL) == 0 && key == 'k');
}

static void test_write_meanwhile(void **state)
{
    (void)state;
    char seen[100];
    pid_t program = start(write_meanwhile_body);
    wait_for_raw();
    assert_int_equal(write(go[1], "", 1), 1);
    assert_true(sees(">", seen, sizeof seen));
    types("k");
    check_end(program, 0);
}

static void no_terminal_body(void)
{
    CHECK(signal(SIGHUP, SIG_IGN) != SIG_ERR &&
          ioctl(0, TIOCNOTTY) == 0); /* which the terminal tells its leader by that signal */
    CHECK(_getch() == EOF && _getwch() == WEOF && _putch('x') == EOF && _putwch('x') == WEOF && _cputs("x") != 0);
}

static void test_no_terminal(void **state)
{
    (void)state;
    pid_t program = start(no_terminal_body);
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

static volatile LONG events[8], n_events;

static BOOL WINAPI takes(DWORD event)
{
    events[InterlockedIncrement(&n_events) - 1] = (LONG)event;
    return TRUE;
}

static BOOL WINAPI passes_on(DWORD event)
{
    events[InterlockedIncrement(&n_events) - 1] = (LONG)event + 100;
    return FALSE;
}

static void wait_for_events(LONG n)
{
    for (int i = 0; i < PATIENCE / 10 && n_events < n; i++)
        Sleep(10);
    CHECK(n_events == n);
}

static void control_body(void)
{
    WCHAR text[10];
    DWORD n = 9;
    struct sigaction now;
    SetLastError(0);
    CHECK(!SetConsoleCtrlHandler(takes, FALSE) && GetLastError() == ERROR_INVALID_PARAMETER);
    CHECK(SetConsoleCtrlHandler(takes, TRUE) && SetConsoleCtrlHandler(passes_on, TRUE));
    say_so_far();
    /* Ctrl+C ends the read, when the handlers have been called. */
    SetLastError(0);
    CHECK(ReadConsoleW(input, text, 10, &n, NULL) && n == 0 && GetLastError() == ERROR_OPERATION_ABORTED);
    CHECK(n_events == 2 && events[0] == 100 + CTRL_C_EVENT && events[1] == CTRL_C_EVENT);
    CHECK(SetConsoleCtrlHandler(passes_on, FALSE));
    say_so_far();
    wait_for_events(3);
    CHECK(events[2] == CTRL_BREAK_EVENT);
    /* The next read is not ended by what was before. */
    say_so_far();
    read_is("x\r\n", 10);
    /* Ignored, and no longer. */
    CHECK(SetConsoleCtrlHandler(NULL, TRUE));
    CHECK(raise(SIGINT) == 0);
    CHECK(SetConsoleCtrlHandler(NULL, FALSE));
    CHECK(raise(SIGINT) == 0);
    wait_for_events(4);
    CHECK(events[3] == CTRL_C_EVENT);
    /* Without handlers signals are what they were. */
    CHECK(SetConsoleCtrlHandler(takes, FALSE));
    CHECK(sigaction(SIGINT, NULL, &now) == 0 && now.sa_handler == SIG_DFL);
    CHECK(SetConsoleCtrlHandler(takes, TRUE));
    /* A child of fork has nobody to call handlers. */
    int status;
    pid_t child = fork();
    if (child == 0) {
        raise(SIGINT);
        _exit(3);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
    CHECK(n_events == 4);
    /* The end of the session is one, whatever a handler says. */
    say_so_far();
    for (;;)
        pause();
}

static void test_control(void **state)
{
    (void)state;
    pid_t program = start(control_body);
    wait_for_program();
    wait_for_sleep(program);
    types("half a line\x03");
    wait_for_program();
    types("\x1C");
    wait_for_program();
    types("x\n");
    wait_for_program();
    assert_int_equal(kill(program, SIGTERM), 0);
    check_end(program, SIGTERM);
}

static void unhandled_body(void)
{
    struct sigaction ignored = {.sa_handler = SIG_IGN};
    CHECK(sigaction(SIGHUP, &ignored, NULL) == 0);
    CHECK(SetConsoleCtrlHandler(passes_on, TRUE));
    CHECK(raise(SIGHUP) == 0); /* as with nohup */
    Sleep(100);
    CHECK(n_events == 0);
    say_so_far();
    for (;;)
        pause();
}

static void test_control_unhandled(void **state)
{
    (void)state;
    pid_t program = start(unhandled_body);
    wait_for_program();
    types("\x03");
    check_end(program, SIGINT);
}

static bool interrupt_is(void (*disposition)(int))
{
    struct sigaction now;
    return sigaction(SIGINT, NULL, &now) == 0 && now.sa_handler == disposition;
}

/* Handlers, and ignoring Ctrl+C, in every order. */
static void order_body(void)
{
    CHECK(SetConsoleCtrlHandler(NULL, TRUE) && SetConsoleCtrlHandler(takes, TRUE));
    CHECK(raise(SIGINT) == 0 && interrupt_is(SIG_IGN));
    CHECK(SetConsoleCtrlHandler(NULL, FALSE) && raise(SIGINT) == 0);
    wait_for_events(1);
    CHECK(SetConsoleCtrlHandler(NULL, TRUE) && SetConsoleCtrlHandler(takes, FALSE));
    CHECK(interrupt_is(SIG_IGN) && raise(SIGINT) == 0);
    CHECK(SetConsoleCtrlHandler(NULL, FALSE) && interrupt_is(SIG_DFL));
    /* Whoever started the program ignored it: so it stays, until the program says otherwise. */
    CHECK(signal(SIGINT, SIG_IGN) != SIG_ERR && SetConsoleCtrlHandler(takes, TRUE) && interrupt_is(SIG_IGN));
    CHECK(SetConsoleCtrlHandler(NULL, FALSE) && raise(SIGINT) == 0);
    wait_for_events(2);
    CHECK(SetConsoleCtrlHandler(takes, FALSE) && interrupt_is(SIG_DFL));
    CHECK(signal(SIGINT, SIG_IGN) != SIG_ERR && SetConsoleCtrlHandler(NULL, FALSE) && interrupt_is(SIG_DFL));
}

static void test_control_order(void **state)
{
    (void)state;
    check_end(start(order_body), 0);
}

static DWORD aborted_n = 9, aborted_error;

static void *aborted_read(void *unused)
{
    char text[10];
    SetLastError(0);
    (void)ReadConsoleA(input, text, 10, &aborted_n, NULL);
    aborted_error = GetLastError();
    return unused;
}

/* The first handler comes while a read waits already. */
static void late_handler_body(void)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, aborted_read, NULL) == 0);
    Sleep(200);
    CHECK(SetConsoleCtrlHandler(takes, TRUE));
    say_so_far();
    CHECK(pthread_join(thread, NULL) == 0 && aborted_n == 0 && aborted_error == ERROR_OPERATION_ABORTED);
}

static void test_control_late(void **state)
{
    (void)state;
    pid_t program = start(late_handler_body);
    wait_for_program();
    types("\x03");
    check_end(program, 0);
}

/* A child of fork reads its own terminal though a thread of its parent was reading when it began. */
static void fork_body(void)
{
    pthread_t thread;
    int status;
    CHECK(pthread_create(&thread, NULL, aborted_read, NULL) == 0);
    Sleep(200);
    pid_t child = fork();
    if (child == 0) {
        int ours, theirs;
        alarm(10);
        CHECK(openpty(&ours, &theirs, NULL, NULL, NULL) == 0 && dup2(theirs, 0) == 0);
        CHECK(write(ours, "child\n", 6) == 6);
        read_is("child\r\n", 100);
        _exit(7);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7);
    say_so_far();
    CHECK(pthread_join(thread, NULL) == 0 && aborted_n == 8);
}

static void test_fork(void **state)
{
    (void)state;
    pid_t program = start(fork_body);
    wait_for_program();
    types("parent\n");
    check_end(program, 0);
}

static BOOL WINAPI never(DWORD event)
{
    while (event != CTRL_BREAK_EVENT)
        pause();
    return takes(event);
}

/* A handler that does not return stops neither other events nor the end. */
static void blocks_body(void)
{
    CHECK(SetConsoleCtrlHandler(never, TRUE));
    CHECK(raise(SIGINT) == 0 && raise(SIGQUIT) == 0);
    wait_for_events(1);
    CHECK(events[0] == CTRL_BREAK_EVENT && raise(SIGHUP) == 0);
    for (;;)
        pause();
}

static void test_control_blocks(void **state)
{
    (void)state;
    time_t began = time(NULL);
    check_end(start(blocks_body), SIGHUP);
    assert_in_range(time(NULL) - began, 4, 30);
}

/* The first process of a container ends, too; it is 1 in a namespace of its own. */
static void first_process_body(void)
{
    int status;
    CHECK(unshare(CLONE_NEWUSER | CLONE_NEWPID) == 0 || unshare(CLONE_NEWPID) == 0 || errno == EPERM);
    pid_t child = fork();
    if (child == 0) {
        alarm(10);
        CHECK(SetConsoleCtrlHandler(passes_on, TRUE) && raise(SIGTERM) == 0);
        Sleep(10000);
        _exit(3);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) ? WEXITSTATUS(status) == 128 + SIGTERM : WTERMSIG(status) == SIGTERM);
    _exit(0); /* whose first process has ended, that namespace has no other: a sanitizer would start one at the end */
}

static void test_first_process(void **state)
{
    (void)state;
    check_end(start(first_process_body), 0);
}

/* Who is ended while it waits for a key leaves the terminal as it was. */
static void ended_body(void)
{
    CHECK(SetConsoleCtrlHandler(passes_on, TRUE));
    (void)_getch();
}

static void test_getch_ended(void **state)
{
    (void)state;
    struct termios terminal;
    pid_t program = start(ended_body);
    wait_for_raw();
    int end = open(ptsname(person), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(end >= 0);
    assert_int_equal(kill(program, SIGTERM), 0);
    siginfo_t about;
    assert_int_equal(waitid(P_PID, (id_t)program, &about, WEXITED | WNOWAIT), 0);
    assert_int_equal(tcgetattr(end, &terminal), 0);
    assert_int_equal(terminal.c_lflag & (ISIG | ICANON | ECHO), ISIG | ICANON | ECHO);
    close(end);
    check_end(program, SIGTERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_password),      cmocka_unit_test(test_modes),
        cmocka_unit_test(test_lines),         cmocka_unit_test(test_keys_one_by_one),
        cmocka_unit_test(test_getch),         cmocka_unit_test(test_no_terminal),
        cmocka_unit_test(test_redirected),    cmocka_unit_test(test_handles),
        cmocka_unit_test(test_control),       cmocka_unit_test(test_control_unhandled),
        cmocka_unit_test(test_forgotten),     cmocka_unit_test(test_write_meanwhile),
        cmocka_unit_test(test_control_order), cmocka_unit_test(test_control_late),
        cmocka_unit_test(test_fork),          cmocka_unit_test(test_control_blocks),
        cmocka_unit_test(test_first_process), cmocka_unit_test(test_getch_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
