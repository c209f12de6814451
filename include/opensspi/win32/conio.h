/*
 * conio.h: keys, by the names of Microsoft's C library. These functions are about the terminal of the process (/dev/tty), wherever its standard
 * handles lead.
 *
 * Source: Microsoft, console and port I/O.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_CONIO_H
#define OPENSSPI_WIN32_CONIO_H

#include "crt.h"

OPENSSPI_BEGIN_DECLS

/*
 * _getch waits for a key and gives it, without showing it, _getche shows it. A key is what it is on Windows: Enter is 13, Backspace 8, Ctrl+C 3 (no
 * signal comes of it); arrows, Home, Delete and their like are two answers, 0xE0 or 0 first. A letter beyond ASCII is the bytes of UTF-8, one a call.
 * EOF without a terminal.
 *
 * The terminal is as it was when they return, so that it shows what is typed between two calls: for a password that may be pasted, take
 * ENABLE_ECHO_INPUT from the console first (consoleapi.h). A process that a signal ends meanwhile leaves a terminal that shows nothing, unless it has
 * a handler (SetConsoleCtrlHandler): then it is put back.
 */
int opensspi_getch(void);
int opensspi_getche(void);
/* The same with a letter's units of UTF-16, one a call. WEOF without a terminal. */
wint_t opensspi_getwch(void);
wint_t opensspi_getwche(void);
/* Would one of these four find something typed? 0: it would wait. Also 0 without a terminal, and while another thread waits for a key. */
int opensspi_kbhit(void);
/* Write a character to the terminal, and give it back; EOF or WEOF without one. The halves of a letter are written when both are there. */
int opensspi_putch(int c);
wint_t opensspi_putwch(WCHAR c);
/* Write text to it, without a new line: 0; else without a terminal, and for NULL (errno is EINVAL). */
int opensspi_cputs(const char *s);
int opensspi_cputws(const WCHAR *s);

OPENSSPI_END_DECLS

#define _getch opensspi_getch
#define _getche opensspi_getche
#define _getwch opensspi_getwch
#define _getwche opensspi_getwche
#define _kbhit opensspi_kbhit
#define _putch opensspi_putch
#define _putwch opensspi_putwch
#define _cputs opensspi_cputs
#define _cputws opensspi_cputws
#define getch opensspi_getch
#define getche opensspi_getche
#define kbhit opensspi_kbhit
#define putch opensspi_putch
#define cputs opensspi_cputs

#endif
