/* Keys one by one, and what is written to the terminal itself (conio.h). */
#include "terminal.h"

#include <conio.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

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
            dprintf(terminal_note, "key %zu is %d\n", i, key);
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

/* A key is there or not, whether the terminal keeps it for a line or not; asking takes nothing away. */
static void kbhit_body(void)
{
    static const int expected[] = {'k', 0xE0, 72, '\r'};
    CHECK(_kbhit() == 0 && SetConsoleMode(input, 0) && _kbhit() == 0);
    for (int round = 0; round < 2; round++) {
        say_ready();
        wait_for_go();
        for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
            CHECK(_kbhit() != 0 && _kbhit() != 0 && _getch() == expected[i]);
        CHECK(_kbhit() == 0);
        CHECK(SetConsoleMode(input, USUAL));
    }
    say_ready();
    wait_for_go();
    CHECK(_kbhit() != 0 && _getwch() == 0xD83D && _kbhit() != 0 && _getwch() == 0xDE00 && _kbhit() == 0);
}

static void test_kbhit(void **state)
{
    static const char *const typed[] = {"k\x1B[A\r", "k\x1B[A\r", "\xF0\x9F\x98\x80"};
    char seen[200];
    (void)state;
    pid_t program = start(kbhit_body);
    for (int i = 0; i < 3; i++) {
        assert_true(sees("ready>", seen, sizeof seen));
        types(typed[i]);
        assert_int_equal(write(go[1], "", 1), 1);
    }
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
    CHECK(_kbhit() == 0);
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
    CHECK(_getch() == EOF && _getwch() == WEOF && _putch('x') == EOF && _putwch('x') == WEOF && _cputs("x") != 0 &&
          _kbhit() == 0);
}

static void test_no_terminal(void **state)
{
    (void)state;
    pid_t program = start(no_terminal_body);
    check_end(program, 0);
}

static BOOL WINAPI passes_on(DWORD event)
{
    (void)event;
    return FALSE;
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
        cmocka_unit_test(test_getch),       cmocka_unit_test(test_kbhit),       cmocka_unit_test(test_write_meanwhile),
        cmocka_unit_test(test_no_terminal), cmocka_unit_test(test_getch_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
