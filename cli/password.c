#include "cli.h"

#include "base/utf16.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define PASSWORD_LINE_MAX 1024 /* 256 UTF-16 units are at most 768 bytes of UTF-8 */

static struct termios saved_terminal;

static void echo_restore(int signal_number)
{
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved_terminal);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static const int fatal_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

static volatile sig_atomic_t was_stopped;

/* Stops with the echo on; goes on here, and the question comes again. */
static void echo_restore_and_stop(int signal_number)
{
    int error = errno;
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, signal_number);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved_terminal);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
    sigprocmask(SIG_UNBLOCK, &stop, NULL);
    was_stopped = 1;
    errno = error;
}

/* One line without its end, byte by byte: what follows it on standard input is somebody else's. `waiting` are the signals that are blocked but while
 * the line is waited for; NULL: not at a terminal. */
static int line_read(char line[PASSWORD_LINE_MAX], const sigset_t *waiting)
{
    size_t len = 0;
    for (;;) {
        char letter;
        struct pollfd terminal = {.fd = STDIN_FILENO, .events = POLLIN};
        bool interrupted = waiting != NULL && ppoll(&terminal, 1, NULL, waiting) < 0 && errno == EINTR;
        if (was_stopped)
            break;
        if (interrupted)
            continue;
        ssize_t got = read(STDIN_FILENO, &letter, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return cli_fail("cannot read the password: %s", strerror(errno));
        if (got == 0 && len == 0)
            return cli_fail("no password was given on standard input");
        if (got == 0 || letter == '\n')
            break;
        if (len + 1 >= PASSWORD_LINE_MAX)
            return cli_fail("the password is too long");
        if (letter == '\0')
            return cli_fail("the password holds a NUL");
        line[len++] = letter;
    }
    if (len > 0 && line[len - 1] == '\r')
        len--;
    line[len] = '\0';
    return CLI_OK;
}

static int line_ask_once(const char *prompt, char line[PASSWORD_LINE_MAX])
{
    struct sigaction action = {.sa_handler = echo_restore}, former[sizeof(fatal_signals) / sizeof(fatal_signals[0])];
    struct sigaction stop = {.sa_handler = echo_restore_and_stop}, former_stop;
    struct termios quiet;
    sigset_t one, waiting;
    sigemptyset(&one);
    sigaddset(&one, SIGTSTP);
    was_stopped = 0;
    if (tcgetattr(STDIN_FILENO, &saved_terminal) != 0)
        return cli_fail("cannot switch the terminal's echo off: %s", strerror(errno));
    quiet = saved_terminal;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    quiet.c_lflag |= ECHONL;
    for (size_t i = 0; i < sizeof(fatal_signals) / sizeof(fatal_signals[0]); i++)
        sigaction(fatal_signals[i], &action, &former[i]);
    sigprocmask(SIG_BLOCK, &one, &waiting);
    if (sigaction(SIGTSTP, NULL, &former_stop) == 0 && former_stop.sa_handler != SIG_IGN)
        sigaction(SIGTSTP, &stop, NULL);
    int code = CLI_OK;
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) != 0)
        code = cli_fail("cannot switch the terminal's echo off: %s", strerror(errno));
    if (code == CLI_OK) {
        fputs(prompt, stderr);
        fflush(stderr);
        code = line_read(line, &waiting);
    }
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved_terminal);
    sigaction(SIGTSTP, &former_stop, NULL);
    sigprocmask(SIG_SETMASK, &waiting, NULL);
    for (size_t i = 0; i < sizeof(fatal_signals) / sizeof(fatal_signals[0]); i++)
        sigaction(fatal_signals[i], &former[i], NULL);
    return code;
}

static int line_ask(const char *prompt, char line[PASSWORD_LINE_MAX])
{
    int code;
    do
        code = line_ask_once(prompt, line);
    while (was_stopped);
    return code;
}

static int password_take(const char *line, struct secret *password)
{
    AUTO_WRITER struct writer utf16 = writer_growing(ACCOUNT_PASSWORD_MAX + 2);
    if (*line == '\0')
        return cli_fail("the password is empty; use --no-password for an account without one");
    if (utf16le_write(&utf16, line) != WIRE_OK || writer_finish(&utf16) != WIRE_OK)
        return cli_fail("the password is not UTF-8");
    if (utf16.len > ACCOUNT_PASSWORD_MAX)
        return cli_fail("the password has more than %d letters", ACCOUNT_PASSWORD_MAX / 2);
    return secret_set(password, utf16.data, utf16.len) ? CLI_OK : cli_fail("out of memory");
}

int cli_password_new(const char *account, struct secret *password)
{
    char line[PASSWORD_LINE_MAX] = "", again[PASSWORD_LINE_MAX] = "", prompt[ACCOUNT_NAME_MAX + 32];
    int code;
    if (isatty(STDIN_FILENO) == 1) {
        snprintf(prompt, sizeof(prompt), "New password for %s: ", account);
        code = line_ask(prompt, line);
        if (code == CLI_OK)
            code = line_ask("Once more: ", again);
        if (code == CLI_OK && strcmp(line, again) != 0)
            code = cli_fail("the two passwords differ; nothing was changed");
    } else {
        code = line_read(line, NULL);
    }
    if (code == CLI_OK)
        code = password_take(line, password);
    secret_wipe(line, sizeof(line));
    secret_wipe(again, sizeof(again));
    return code;
}

int cli_password_ask(const char *account, struct secret *password)
{
    char line[PASSWORD_LINE_MAX] = "", prompt[ACCOUNT_NAME_MAX + 32];
    int code;
    if (isatty(STDIN_FILENO) == 1) {
        snprintf(prompt, sizeof(prompt), "Password for %s: ", account);
        code = line_ask(prompt, line);
    } else {
        code = line_read(line, NULL);
    }
    if (code == CLI_OK && !secret_set(password, line, strlen(line)))
        code = cli_fail("out of memory");
    secret_wipe(line, sizeof(line));
    return code;
}
