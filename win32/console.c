/*
 * The console, which is the terminal that a standard handle is connected to. Of its modes those that say how a line is read are the terminal's own
 * (termios); the others are only remembered.
 *
 * Locks: one for whoever reads, since there is one line that is being read; one for the modes that are remembered.
 */
#include "standard.h"
#include "unicode.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define INPUT_OURS (ENABLE_PROCESSED_INPUT | ENABLE_LINE_INPUT | ENABLE_ECHO_INPUT)
#define INPUT_KNOWN 0x3FFu
#define OUTPUT_KNOWN 0x1Fu
/* Bytes of a line: the kernel has no longer ones (termios(3), "Canonical and noncanonical mode"). */
#define TYPED_MAX 4096

/* What came from the terminal and was not yet given to anybody: UTF-8, lines with their ends as on Windows. */
static struct {
    unsigned char bytes[TYPED_MAX + 1];
    size_t at, end;
    WCHAR low; /* the second half of a character whose first one filled the caller's room; 0: none */
} typed;
static pthread_mutex_t reading = PTHREAD_MUTEX_INITIALIZER;

static pthread_mutex_t modes_lock = PTHREAD_MUTEX_INITIALIZER;
static DWORD input_remembered;
static bool echo_alone; /* GetConsoleMode found a terminal that shows keys and gives no lines (`stty -icanon`) */
static DWORD output_modes[2] = {
    ENABLE_PROCESSED_OUTPUT | ENABLE_WRAP_AT_EOL_OUTPUT | ENABLE_VIRTUAL_TERMINAL_PROCESSING,
    ENABLE_PROCESSED_OUTPUT | ENABLE_WRAP_AT_EOL_OUTPUT | ENABLE_VIRTUAL_TERMINAL_PROCESSING,
};

static atomic_int interruption = -1; /* an eventfd, never closed but by a child of fork */
static atomic_uint reads;            /* the number of the last read */
static atomic_uint waiting;          /* the one that waits; 0: none */
static atomic_uint interrupted;      /* the one that is to end */

/* The descriptor of a handle that is a terminal; -1, ERROR_INVALID_HANDLE. */
static int console_of(HANDLE handle)
{
    int descriptor = standard_descriptor(handle);
    if (descriptor >= 0 && !isatty(descriptor)) {
        SetLastError(ERROR_INVALID_HANDLE);
        return -1;
    }
    return descriptor;
}

/* The same for one of the two directions. */
static int console_to(HANDLE handle, bool read)
{
    int descriptor = console_of(handle);
    if (descriptor >= 0 && (descriptor == STDIN_FILENO) != read) {
        SetLastError(ERROR_INVALID_HANDLE);
        return -1;
    }
    return descriptor;
}

void console_flush(void)
{
    if (isatty(STDOUT_FILENO))
        (void)fflush(stdout);
}

static BOOL refused(DWORD error)
{
    SetLastError(error);
    return FALSE;
}

/* Modes. */

BOOL GetConsoleMode(HANDLE hConsoleHandle, LPDWORD lpMode)
{
    struct termios terminal;
    int descriptor = console_of(hConsoleHandle);
    if (descriptor < 0)
        return FALSE;
    if (lpMode == NULL)
        return refused(ERROR_INVALID_PARAMETER);
    if (tcgetattr(descriptor, &terminal) != 0)
        return refused(ERROR_INVALID_HANDLE);
    pthread_mutex_lock(&modes_lock);
    DWORD mode = descriptor == STDIN_FILENO ? input_remembered : output_modes[descriptor - 1];
    pthread_mutex_unlock(&modes_lock);
    if (descriptor == STDIN_FILENO) {
        mode |= (terminal.c_lflag & ISIG) != 0 ? ENABLE_PROCESSED_INPUT : 0;
        mode |= (terminal.c_lflag & ICANON) != 0 ? ENABLE_LINE_INPUT : 0;
        mode |= (terminal.c_lflag & ECHO) != 0 ? ENABLE_ECHO_INPUT : 0;
        pthread_mutex_lock(&modes_lock);
        echo_alone |= (mode & (ENABLE_ECHO_INPUT | ENABLE_LINE_INPUT)) == ENABLE_ECHO_INPUT;
        pthread_mutex_unlock(&modes_lock);
    }
    *lpMode = mode;
    return TRUE;
}

static BOOL input_mode_set(int descriptor, DWORD mode)
{
    struct termios terminal;
    pthread_mutex_lock(&modes_lock);
    bool wrong = (mode & (ENABLE_ECHO_INPUT | ENABLE_LINE_INPUT)) == ENABLE_ECHO_INPUT && !echo_alone;
    pthread_mutex_unlock(&modes_lock);
    if (wrong || (mode & ~INPUT_KNOWN) != 0)
        return refused(ERROR_INVALID_PARAMETER);
    if (tcgetattr(descriptor, &terminal) != 0)
        return refused(ERROR_INVALID_HANDLE);
    terminal.c_lflag &= ~(tcflag_t)(ISIG | ICANON | ECHO);
    terminal.c_lflag |= (mode & ENABLE_PROCESSED_INPUT) != 0 ? ISIG : 0;
    terminal.c_lflag |= (mode & ENABLE_LINE_INPUT) != 0 ? ICANON : 0;
    terminal.c_lflag |= (mode & ENABLE_ECHO_INPUT) != 0 ? ECHO : 0;
    if ((mode & ENABLE_LINE_INPUT) == 0) {
        terminal.c_cc[VMIN] = 1;
        terminal.c_cc[VTIME] = 0;
    }
    int set;
    while ((set = tcsetattr(descriptor, TCSANOW, &terminal)) != 0 && errno == EINTR)
        ;
    if (set != 0)
        return refused(ERROR_GEN_FAILURE);
    pthread_mutex_lock(&modes_lock);
    input_remembered = mode & ~(DWORD)INPUT_OURS;
    pthread_mutex_unlock(&modes_lock);
    return TRUE;
}

static bool same_terminal(int a, int b)
{
    struct stat about_a, about_b;
    return a == b || (fstat(a, &about_a) == 0 && fstat(b, &about_b) == 0 && S_ISCHR(about_a.st_mode) &&
                      about_a.st_rdev == about_b.st_rdev);
}

BOOL SetConsoleMode(HANDLE hConsoleHandle, DWORD dwMode)
{
    int descriptor = console_of(hConsoleHandle);
    if (descriptor < 0)
        return FALSE;
    if (descriptor == STDIN_FILENO)
        return input_mode_set(descriptor, dwMode);
    if ((dwMode & ~OUTPUT_KNOWN) != 0)
        return refused(ERROR_INVALID_PARAMETER);
    pthread_mutex_lock(&modes_lock);
    for (int i = STDOUT_FILENO; i <= STDERR_FILENO; i++)
        if (same_terminal(i, descriptor)) /* its modes, not the handle's */
            output_modes[i - 1] = dwMode;
    pthread_mutex_unlock(&modes_lock);
    return TRUE;
}

/* Reading. */

bool console_interruptible(void)
{
    if (atomic_load(&interruption) >= 0)
        return true;
    int made = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), none = -1;
    if (made < 0) {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return false;
    }
    if (!atomic_compare_exchange_strong(&interruption, &none, made))
        close(made);
    return true;
}

unsigned console_waiting(void)
{
    return atomic_load(&waiting);
}

void console_interrupt(unsigned which)
{
    if (which == 0)
        return;
    atomic_store(&interrupted, which);
    (void)eventfd_write(atomic_load(&interruption), 1);
}

/* Waits until something was typed. FALSE when the wait was interrupted. */
static bool typed_wait(int descriptor, unsigned this_one)
{
    struct pollfd wait_for[] = {{.fd = descriptor, .events = POLLIN},
                                {.fd = atomic_load(&interruption), .events = POLLIN}}; /* -1 is passed over */
    eventfd_t unused;
    for (;;) {
        int n = poll(wait_for, 2, -1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || (wait_for[1].revents & POLLIN) == 0)
            return true;
        (void)eventfd_read(wait_for[1].fd, &unused);
        if (atomic_load(&interrupted) == this_one) /* not one before it */
            return false;
    }
}

/* The same terminal to be read without waiting, since Ctrl+C may take a line away between the wait and the read; O_NONBLOCK on the program's own
 * descriptor would be everybody's who has it. -1 where it cannot be opened once more: the other end of a pseudo-terminal would be a new one. */
static int terminal_again(int descriptor)
{
    char path[32];
    unsigned number;
    if (ioctl(descriptor, TIOCGPTN, &number) == 0)
        return -1;
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    return open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* As read(2), when there is something; 0 of *go_on when the wait for it was interrupted. */
static ssize_t typed_read(int descriptor, unsigned char *room, size_t len, bool *go_on)
{
    unsigned this_one = atomic_fetch_add(&reads, 1) + 1;
    int again = terminal_again(descriptor), error = 0;
    ssize_t n = -1;
    (void)console_interruptible(); /* by a handler that comes later, too */
    atomic_store(&waiting, this_one);
    while ((*go_on = typed_wait(descriptor, this_one)) && (n = read(again >= 0 ? again : descriptor, room, len)) < 0 &&
           (errno == EINTR || errno == EAGAIN))
        ;
    error = errno;
    atomic_store(&waiting, 0);
    if (again >= 0)
        close(again);
    errno = error;
    return n;
}

/* A line's end has a carriage return on Windows, and with processed input a line feed behind it; a key is what it is there. */
static void typed_translate(const struct termios *terminal)
{
    if ((terminal->c_lflag & ICANON) != 0) {
        if (typed.end != 0 && typed.bytes[typed.end - 1] == '\n') {
            typed.bytes[typed.end - 1] = '\r';
            if ((terminal->c_lflag & ISIG) != 0)
                typed.bytes[typed.end++] = '\n';
        }
        return;
    }
    for (size_t i = typed.at; i < typed.end; i++) {
        if (typed.bytes[i] == '\n' && (terminal->c_iflag & ICRNL) != 0)
            typed.bytes[i] = '\r';
        else if (typed.bytes[i] != 0 && typed.bytes[i] == terminal->c_cc[VERASE])
            typed.bytes[i] = '\b';
    }
}

static void typed_forget(void)
{
    explicit_bzero(&typed, sizeof typed);
}

/* What was given to the caller is no longer here: it may have been a password. */
static void typed_given(size_t n)
{
    explicit_bzero(typed.bytes + typed.at, n);
    typed.at += n;
}

/* Reads behind what is there. NO_ERROR with nothing more at the end of the input. */
static DWORD typed_more(int descriptor)
{
    struct termios terminal;
    bool go_on;
    size_t kept = typed.end - typed.at;
    memmove(typed.bytes, typed.bytes + typed.at, kept);
    explicit_bzero(typed.bytes + kept, typed.end - kept);
    typed.at = kept; /* so that only what is new is translated */
    typed.end = kept;
    ssize_t n = typed_read(descriptor, typed.bytes + kept, TYPED_MAX - kept, &go_on);
    if (n > 0 && tcgetattr(descriptor, &terminal) == 0) {
        typed.end += (size_t)n;
        typed_translate(&terminal);
    }
    typed.at = 0;
    if (!go_on)
        return ERROR_OPERATION_ABORTED;
    return n < 0 ? ERROR_READ_FAULT : NO_ERROR;
}

/* Is what is there only the beginning of a character? Those of a key may come one by one. */
static bool typed_unfinished(void)
{
    size_t len = typed.end - typed.at;
    if (len == 0 || len > 3)
        return len == 0;
    unsigned char first = typed.bytes[typed.at];
    size_t wanted = first >= 0xF0 && first <= 0xF4 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 1;
    for (size_t i = 1; i < len; i++)
        if ((typed.bytes[typed.at + i] & 0xC0) != 0x80)
            return false;
    return first < 0xF5 && len < wanted;
}

static DWORD give_bytes(void *room, DWORD len)
{
    size_t n = typed.end - typed.at < len ? typed.end - typed.at : len;
    memcpy(room, typed.bytes + typed.at, n);
    typed_given(n);
    typed.low = 0;
    return (DWORD)n;
}

static DWORD give_units(WCHAR *room, DWORD len)
{
    DWORD n = 0;
    WCHAR units[2] = {0};
    if (typed.low != 0)
        room[n++] = typed.low;
    typed.low = 0;
    while (n < len && typed.at < typed.end && (n == 0 || !typed_unfinished())) {
        uint32_t character;
        bool bad;
        size_t n_bytes = utf8_next((const char *)typed.bytes + typed.at, typed.end - typed.at, &character, &bad);
        size_t n_units = utf16_put(character, units);
        if (n_units == 2 && n + 1 == len) {
            if (n != 0)
                break; /* whole, the next time */
            typed.low = units[1];
            n_units = 1;
        }
        typed_given(n_bytes);
        for (size_t i = 0; i < n_units; i++)
            room[n++] = units[i];
    }
    explicit_bzero(units, sizeof units);
    return n;
}

static BOOL read_typed(int descriptor, bool wide, void *room, DWORD len, DWORD *n_read)
{
    DWORD error = NO_ERROR;
    *n_read = 0;
    if (len == 0)
        return TRUE;
    console_flush();
    pthread_mutex_lock(&reading);
    size_t before;
    do
        before = typed.end - typed.at;
    while ((wide ? typed.low == 0 && typed_unfinished() : before == 0) &&
           (error = typed_more(descriptor)) == NO_ERROR && typed.end - typed.at != before);
    if (error == NO_ERROR)
        *n_read = wide ? give_units(room, len) : give_bytes(room, len);
    pthread_mutex_unlock(&reading);
    if (error != NO_ERROR)
        SetLastError(error);
    return error == NO_ERROR || error == ERROR_OPERATION_ABORTED; /* nothing was read, which is no failure */
}

BOOL console_read(int descriptor, void *room, DWORD len, DWORD *n_read)
{
    return read_typed(descriptor, false, room, len, n_read);
}

static BOOL read_console(HANDLE handle, bool wide, void *room, DWORD len, DWORD *n_read)
{
    int descriptor = console_to(handle, true);
    if (descriptor < 0)
        return FALSE;
    if (n_read == NULL || (room == NULL && len != 0))
        return refused(ERROR_INVALID_PARAMETER);
    return read_typed(descriptor, wide, room, len, n_read);
}

BOOL ReadConsoleA(HANDLE hConsoleInput, LPVOID lpBuffer, DWORD nNumberOfCharsToRead, LPDWORD lpNumberOfCharsRead,
                  LPVOID pInputControl)
{
    (void)pInputControl; /* it has no meaning here (Microsoft, ReadConsole) */
    return read_console(hConsoleInput, false, lpBuffer, nNumberOfCharsToRead, lpNumberOfCharsRead);
}

BOOL ReadConsoleW(HANDLE hConsoleInput, LPVOID lpBuffer, DWORD nNumberOfCharsToRead, LPDWORD lpNumberOfCharsRead,
                  LPVOID pInputControl)
{
    if (pInputControl != NULL)
        return refused(ERROR_NOT_SUPPORTED);
    return read_console(hConsoleInput, true, lpBuffer, nNumberOfCharsToRead, lpNumberOfCharsRead);
}

BOOL FlushConsoleInputBuffer(HANDLE hConsoleInput)
{
    int descriptor = console_to(hConsoleInput, true);
    if (descriptor < 0)
        return FALSE;
    /* Whoever waits for input has none in hand. */
    if (pthread_mutex_trylock(&reading) == 0) {
        typed_forget();
        pthread_mutex_unlock(&reading);
    }
    return tcflush(descriptor, TCIFLUSH) == 0 ? TRUE : refused(ERROR_GEN_FAILURE);
}

/* Writing. */

#define PIECE 256 /* units at a time */

/* How many units of the text make the next piece, as bytes: no character is cut. */
static size_t piece_make(const WCHAR *text, size_t len, char *bytes, size_t *n_bytes)
{
    size_t at = 0;
    *n_bytes = 0;
    while (at < len && at < PIECE) {
        uint32_t character;
        bool bad;
        at += utf16_next(text + at, len - at, &character, &bad);
        *n_bytes += utf8_put(character, bytes + *n_bytes);
    }
    return at;
}

static BOOL write_console(HANDLE handle, const void *text, bool wide, DWORD len, DWORD *n_written)
{
    int descriptor = console_to(handle, false);
    DWORD done = 0, error = NO_ERROR;
    if (descriptor < 0)
        return FALSE;
    if (text == NULL && len != 0)
        return refused(ERROR_INVALID_PARAMETER);
    console_flush();
    if (!wide)
        done = (DWORD)standard_write(descriptor, text, len, &error);
    while (wide && done < len && error == NO_ERROR) {
        char bytes[4 * (PIECE + 1)];
        size_t n_bytes, n = piece_make((const WCHAR *)text + done, len - done, bytes, &n_bytes);
        standard_write(descriptor, bytes, n_bytes, &error);
        done += error == NO_ERROR ? (DWORD)n : 0;
        explicit_bzero(bytes, n_bytes);
    }
    if (n_written != NULL)
        *n_written = done;
    return error == NO_ERROR ? TRUE : refused(error);
}

BOOL WriteConsoleA(HANDLE hConsoleOutput, const VOID *lpBuffer, DWORD nNumberOfCharsToWrite,
                   LPDWORD lpNumberOfCharsWritten, LPVOID lpReserved)
{
    (void)lpReserved;
    return write_console(hConsoleOutput, lpBuffer, false, nNumberOfCharsToWrite, lpNumberOfCharsWritten);
}

BOOL WriteConsoleW(HANDLE hConsoleOutput, const VOID *lpBuffer, DWORD nNumberOfCharsToWrite,
                   LPDWORD lpNumberOfCharsWritten, LPVOID lpReserved)
{
    (void)lpReserved;
    return write_console(hConsoleOutput, lpBuffer, true, nNumberOfCharsToWrite, lpNumberOfCharsWritten);
}

/* Code pages. */

UINT GetConsoleCP(VOID)
{
    return CP_UTF8;
}

UINT GetConsoleOutputCP(VOID)
{
    return CP_UTF8;
}

BOOL SetConsoleCP(UINT wCodePageID)
{
    return wCodePageID == CP_UTF8 ? TRUE : refused(ERROR_INVALID_PARAMETER);
}

BOOL SetConsoleOutputCP(UINT wCodePageID)
{
    return SetConsoleCP(wCodePageID);
}

/* A child of fork, where nobody reads any more who read in its parent. What is in hand stays, as with the C library's buffers, unless it was being
 * changed. */
static void fork_child(void)
{
    if (pthread_mutex_trylock(&reading) != 0)
        typed_forget();
    reading = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    modes_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    atomic_store(&waiting, 0);
    int parents = atomic_exchange(&interruption, -1); /* what is written there would end the parent's reads */
    if (parents >= 0)
        close(parents);
}

__attribute__((constructor)) static void fork_watch(void)
{
    (void)pthread_atfork(NULL, NULL, fork_child);
}
