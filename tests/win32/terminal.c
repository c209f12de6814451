#include "terminal.h"

#include <poll.h>
#include <pty.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>

int person, go[2], terminal_note;
HANDLE input, output;
static int notes;     /* where the test reads what failed in the program */
static int so_far[2]; /* by which the program says that it has come so far */

bool sees(const char *end, char *seen, size_t room)
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

void types(const char *keys)
{
    assert_int_equal(write(person, keys, strlen(keys)), strlen(keys));
}

pid_t start(void (*body)(void))
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
        terminal_note = ends[1];
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

void check_end(pid_t program, int signal)
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

void say_ready(void)
{
    CHECK(write(STDOUT_FILENO, "ready>", 6) == 6);
}

void say_so_far(void)
{
    CHECK(write(so_far[1], "", 1) == 1);
}

void wait_for_program(void)
{
    char byte;
    struct pollfd wait_for = {.fd = so_far[0], .events = POLLIN};
    assert_int_equal(poll(&wait_for, 1, PATIENCE), 1);
    assert_int_equal(read(so_far[0], &byte, 1), 1);
}

void wait_for_sleep(pid_t program)
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

void wait_for_go(void)
{
    char byte;
    CHECK(read(go[0], &byte, 1) == 1);
}

DWORD mode_of(HANDLE handle)
{
    DWORD mode = 0xFFFFFFFF;
    CHECK(GetConsoleMode(handle, &mode));
    return mode;
}

void read_is(const char *expected, DWORD room)
{
    char text[100];
    DWORD n = 99;
    CHECK(room <= sizeof text && ReadConsoleA(input, text, room, &n, NULL));
    CHECK(n == strlen(expected) && memcmp(text, expected, n) == 0);
}

void wait_for_raw(void)
{
    struct termios terminal;
    do
        assert_int_equal(tcgetattr(person, &terminal), 0);
    while ((terminal.c_lflag & ICANON) != 0);
}
