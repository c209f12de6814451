/*
 * Keys one by one (conio.h): the terminal is made to hand over each, and is put back.
 *
 * Locks: one for what a key left behind for the next call, held while a key is waited for; one for half a letter that is to be written.
 */
#include "standard.h"
#include "unicode.h"

#include <conio.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define ESCAPE 0x1B
#define ESCAPE_PATIENCE 50 /* ms: what follows sooner is the rest of one key's sequence */
#define SEQUENCE_MAX 8

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int second = EOF;  /* of a key of two answers */
static WCHAR second_unit; /* of a letter of two units; 0: none */
static pthread_mutex_t half_lock = PTHREAD_MUTEX_INITIALIZER;
static WCHAR first_half; /* that _putwch was given */

/* The terminal whose keys are being waited for, and what it is to be again; -1: none. */
static atomic_int raw_terminal = -1;
static struct termios raw_before;

/* ECMA-48 8.3.22 and its like, as terminals write them (xterm, "Control Sequences"), and what _getch answers: IBM's scan codes. */
static const struct {
    const char *sequence;
    unsigned char first, second;
} function_keys[] = {
    {"[A", 0xE0, 72},    {"[B", 0xE0, 80},    {"[C", 0xE0, 77},  {"[D", 0xE0, 75},  {"OA", 0xE0, 72},
    {"OB", 0xE0, 80},    {"OC", 0xE0, 77},    {"OD", 0xE0, 75},  {"[H", 0xE0, 71},  {"[F", 0xE0, 79},
    {"OH", 0xE0, 71},    {"OF", 0xE0, 79},    {"[1~", 0xE0, 71}, {"[4~", 0xE0, 79}, {"[7~", 0xE0, 71},
    {"[8~", 0xE0, 79},   {"[2~", 0xE0, 82},   {"[3~", 0xE0, 83}, {"[5~", 0xE0, 73}, {"[6~", 0xE0, 81},
    {"OP", 0, 59},       {"OQ", 0, 60},       {"OR", 0, 61},     {"OS", 0, 62},     {"[15~", 0, 63},
    {"[17~", 0, 64},     {"[18~", 0, 65},     {"[19~", 0, 66},   {"[20~", 0, 67},   {"[21~", 0, 68},
    {"[23~", 0xE0, 133}, {"[24~", 0xE0, 134},
};

static int terminal_open(void)
{
    console_flush();
    return open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
}

/* Every key is handed over as it is typed, and none of them means anything to the terminal. */
static bool terminal_raw(int terminal, struct termios *before)
{
    if (tcgetattr(terminal, before) != 0)
        return false;
    struct termios raw = *before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ECHONL | ISIG | IEXTEN);
    raw.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IGNCR | IXON);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    raw_before = *before;
    atomic_store(&raw_terminal, terminal);
    if (tcsetattr(terminal, TCSANOW, &raw) == 0)
        return true;
    atomic_store(&raw_terminal, -1);
    return false;
}

static void terminal_usual(int terminal, const struct termios *before)
{
    (void)tcsetattr(terminal, TCSANOW, before);
    atomic_store(&raw_terminal, -1);
}

void keys_terminal_back(void)
{
    int terminal = atomic_load(&raw_terminal);
    if (terminal >= 0)
        (void)tcsetattr(terminal, TCSANOW, &raw_before);
}

static int byte_read(int terminal)
{
    unsigned char byte;
    ssize_t n;
    while ((n = read(terminal, &byte, 1)) < 0 && errno == EINTR)
        ;
    return n == 1 ? byte : EOF;
}

static bool byte_follows(int terminal, int patience)
{
    struct pollfd wait_for = {.fd = terminal, .events = POLLIN};
    return poll(&wait_for, 1, patience) == 1 && (wait_for.revents & POLLIN) != 0;
}

/* After an escape character: the first answer of the key whose sequence it began, the other one in `second`; the character itself when it stands
 * alone. Keys that have no scan code here are 0 and 0. */
static int key_of_sequence(int terminal)
{
    char sequence[SEQUENCE_MAX + 1];
    size_t len = 0;
    int byte = EOF;
    while (len < SEQUENCE_MAX && byte_follows(terminal, ESCAPE_PATIENCE) && (byte = byte_read(terminal)) != EOF) {
        sequence[len++] = (char)byte;
        if (len == 1 ? byte != '[' && byte != 'O' : byte >= 0x40 && byte <= 0x7E)
            break;
    }
    sequence[len] = '\0';
    if (len < 2) { /* the key itself, or with Alt */
        second = len == 0 ? EOF : byte;
        return ESCAPE;
    }
    for (size_t i = 0; i < sizeof function_keys / sizeof function_keys[0]; i++)
        if (strcmp(function_keys[i].sequence, sequence) == 0) {
            second = function_keys[i].second;
            return function_keys[i].first;
        }
    second = 0;
    return 0;
}

/* The next byte of what is typed, or half of a key that is no character. */
static int key_read(int terminal, const struct termios *usual)
{
    if (second != EOF) {
        int answer = second;
        second = EOF;
        return answer;
    }
    int byte = byte_read(terminal);
    if (byte == ESCAPE)
        return key_of_sequence(terminal);
    if (byte == '\n' && (usual->c_iflag & ICRNL) != 0)
        return '\r'; /* Enter, typed before the terminal was raw */
    return byte != EOF && byte != 0 && byte == usual->c_cc[VERASE] ? '\b' : byte;
}

static bool is_letter(int first)
{
    return first >= 0xC2 && first <= 0xF4;
}

/* A whole letter's units; a key of two answers is not one, though 0xE0 begins letters, too. */
static wint_t unit_read(int terminal, const struct termios *usual)
{
    bool of_key = second != EOF;
    int first = key_read(terminal, usual);
    if (first == EOF)
        return WEOF;
    if (of_key || second != EOF || first < 0x80)
        return (wint_t)first;
    char bytes[4] = {(char)first};
    size_t len = 1, wanted = !is_letter(first) ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    for (int next; len < wanted && byte_follows(terminal, ESCAPE_PATIENCE) && (next = byte_read(terminal)) != EOF;
         len++)
        bytes[len] = (char)next;
    uint32_t character;
    bool bad;
    WCHAR units[2] = {0};
    (void)utf8_next(bytes, len, &character, &bad);
    second_unit = utf16_put(character, units) == 2 ? units[1] : 0;
    explicit_bzero(bytes, sizeof bytes); /* a password's letter, it may be */
    WCHAR unit = units[0];
    explicit_bzero(units, sizeof units);
    return unit;
}

/* WEOF without a terminal, which is EOF as an int. */
static wint_t get(bool wide)
{
    struct termios before;
    wint_t answer = WEOF;
    pthread_mutex_lock(&lock);
    int terminal = terminal_open();
    if (wide && second_unit != 0) {
        answer = second_unit;
        second_unit = 0;
    } else if (terminal >= 0 && terminal_raw(terminal, &before)) {
        answer = wide ? unit_read(terminal, &before) : (wint_t)key_read(terminal, &before);
        terminal_usual(terminal, &before);
    }
    pthread_mutex_unlock(&lock);
    if (terminal >= 0)
        close(terminal);
    return answer;
}

_Static_assert((int)WEOF == EOF, "get gives either");

/* While another thread waits for a key, there is none for this one. */
int opensspi_kbhit(void)
{
    struct termios before;
    if (pthread_mutex_trylock(&lock) != 0)
        return 0;
    bool is_typed = second != EOF || second_unit != 0;
    int terminal = is_typed ? -1 : terminal_open();
    if (terminal >= 0 && terminal_raw(terminal, &before)) { /* else only whole lines are there */
        is_typed = byte_follows(terminal, 0);
        terminal_usual(terminal, &before);
    }
    pthread_mutex_unlock(&lock);
    if (terminal >= 0)
        close(terminal);
    return is_typed;
}

static bool put(const char *text, size_t len)
{
    DWORD error = NO_ERROR;
    int terminal = terminal_open();
    bool good = terminal >= 0 && standard_write(terminal, text, len, &error) == len;
    if (terminal >= 0)
        close(terminal);
    return good;
}

int opensspi_getch(void)
{
    return (int)get(false);
}

wint_t opensspi_getwch(void)
{
    return get(true);
}

int opensspi_getche(void)
{
    int key = opensspi_getch();
    return key == EOF ? EOF : opensspi_putch(key);
}

wint_t opensspi_getwche(void)
{
    wint_t key = get(true);
    return key == WEOF ? WEOF : opensspi_putwch((WCHAR)key);
}

int opensspi_putch(int c)
{
    char byte = (char)c;
    return put(&byte, 1) ? c : EOF;
}

wint_t opensspi_putwch(WCHAR c)
{
    WCHAR units[2] = {c};
    size_t n = 1;
    pthread_mutex_lock(&half_lock);
    if (first_half != 0) {
        units[0] = first_half;
        units[1] = c;
        n = 2;
    }
    first_half = n == 1 && c >= 0xD800 && c <= 0xDBFF ? c : 0;
    bool later = first_half != 0;
    pthread_mutex_unlock(&half_lock);
    char text[8];
    size_t len = 0;
    for (size_t at = 0; at < n;) {
        uint32_t character;
        bool bad;
        at += utf16_next(units + at, n - at, &character, &bad);
        len += utf8_put(character, text + len);
    }
    return later || put(text, len) ? c : WEOF;
}

int opensspi_cputs(const char *s)
{
    if (s == NULL) {
        errno = EINVAL;
        return EOF;
    }
    return put(s, strlen(s)) ? 0 : EOF;
}

int opensspi_cputws(const WCHAR *s)
{
    char *text = s == NULL ? NULL : utf8_of(s);
    if (s == NULL)
        errno = EINVAL;
    if (text == NULL)
        return EOF;
    int answer = opensspi_cputs(text);
    explicit_bzero(text, strlen(text));
    free(text);
    return answer;
}

/* A child of fork, whose other threads wait for no key any more. */
static void fork_child(void)
{
    if (pthread_mutex_trylock(&lock) != 0) {
        second = EOF;
        second_unit = 0;
    }
    lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    if (pthread_mutex_trylock(&half_lock) != 0)
        first_half = 0;
    half_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    atomic_store(&raw_terminal, -1);
}

__attribute__((constructor)) static void fork_watch(void)
{
    (void)pthread_atfork(NULL, NULL, fork_child);
}
