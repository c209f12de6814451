/* A program on a pseudo-terminal, in a process of its own for each test, since what a program does with a console lasts; and the person at the
 * terminal, who is the test. */
#ifndef OPENSSPI_TESTS_WIN32_TERMINAL_H
#define OPENSSPI_TESTS_WIN32_TERMINAL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>
#include <windows.h>

#define PATIENCE 60000 /* ms */
#define USUAL (ENABLE_PROCESSED_INPUT | ENABLE_LINE_INPUT | ENABLE_ECHO_INPUT)
#define CHECK(condition)                                                                                        \
    do {                                                                                                        \
        if (!(condition)) {                                                                                     \
            dprintf(terminal_note, "line %d: %s (error %u)\n", __LINE__, #condition, (unsigned)GetLastError()); \
            _exit(1);                                                                                           \
        }                                                                                                       \
    } while (0)

/* The test's: the other end of the program's terminal, and a pipe that tells the program to go on (wait_for_go). */
extern int person, go[2];
/* The program's: its standard handles, and where it tells which check failed. */
extern HANDLE input, output;
extern int terminal_note;

/* Runs `body` with a new terminal as its own. */
pid_t start(void (*body)(void));
/* Ends as it should: by itself, or by a signal. */
void check_end(pid_t program, int signal);

/* What the person at the terminal sees, until it ends with `end`. */
bool sees(const char *end, char *seen, size_t room);
void types(const char *keys);
/* Until the program has said that it has come so far. */
void wait_for_program(void);
/* Until the program sleeps, which it does in nothing but the read that it said it comes to. */
void wait_for_sleep(pid_t program);
/* Until the terminal hands over each key, for the program waits for one. */
void wait_for_raw(void);

/* Shows "ready>". */
void say_ready(void);
/* The same where the terminal may throw away what is on its way: it does so with signals. */
void say_so_far(void);
/* Until the test has typed. */
void wait_for_go(void);
DWORD mode_of(HANDLE handle);
void read_is(const char *expected, DWORD room);

#endif
