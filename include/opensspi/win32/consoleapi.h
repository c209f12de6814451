/*
 * consoleapi.h: the console, which is the terminal that a standard handle (processenv.h) is connected to: asking for a password without showing it,
 * texts of any language, and Ctrl+C. A standard handle that leads to a file or a pipe is no console: functions answer FALSE, ERROR_INVALID_HANDLE, as
 * on Windows, and ReadFile and WriteFile (fileapi.h) or the C library read and write it.
 *
 * What a program has printed stands on the terminal before these functions read or write: standard output is flushed where it leads to one.
 *
 * Source: Microsoft, console functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_CONSOLEAPI_H
#define OPENSSPI_WIN32_CONSOLEAPI_H

#include "winnt.h"
#include "symbol.h"

OPENSSPI_BEGIN_DECLS

/* Modes of input. The first three are the terminal's own (ISIG, ICANON and ECHO of termios(3)); the others are kept and given back, and change
 * nothing. */
#define ENABLE_PROCESSED_INPUT 0x0001
#define ENABLE_LINE_INPUT 0x0002
#define ENABLE_ECHO_INPUT 0x0004
#define ENABLE_WINDOW_INPUT 0x0008
#define ENABLE_MOUSE_INPUT 0x0010
#define ENABLE_INSERT_MODE 0x0020
#define ENABLE_QUICK_EDIT_MODE 0x0040
#define ENABLE_EXTENDED_FLAGS 0x0080
#define ENABLE_AUTO_POSITION 0x0100
#define ENABLE_VIRTUAL_TERMINAL_INPUT 0x0200
/* Modes of output. They are kept and given back, and change nothing: a terminal obeys control characters and escape sequences always. */
#define ENABLE_PROCESSED_OUTPUT 0x0001
#define ENABLE_WRAP_AT_EOL_OUTPUT 0x0002
#define ENABLE_VIRTUAL_TERMINAL_PROCESSING 0x0004
#define DISABLE_NEWLINE_AUTO_RETURN 0x0008
#define ENABLE_LVB_GRID_WORLDWIDE 0x0010

/* GetConsoleMode gives the modes of a terminal as they are, whoever set them. FALSE: ERROR_INVALID_HANDLE for what is no terminal, so that it tells
 * whether a handle was redirected; ERROR_INVALID_PARAMETER. */
BOOL WINAPI GetConsoleMode(HANDLE hConsoleHandle, LPDWORD lpMode) OPENSSPI_WIN32_SYMBOL(GetConsoleMode);
/*
 * SetConsoleMode sets them. As on Windows they are the terminal's, not the process's: they stay, also when the program ends, until somebody sets
 * others, and whoever asks for a password sets back what GetConsoleMode gave before.
 *
 * Standard output and standard error that lead to one terminal share its modes.
 *
 * FALSE: ERROR_INVALID_HANDLE for what is no terminal; ERROR_INVALID_PARAMETER for modes that there are not, and ENABLE_ECHO_INPUT without
 * ENABLE_LINE_INPUT, unless GetConsoleMode has given that: a terminal can have it (`stty -icanon`), and is set back to it.
 */
BOOL WINAPI SetConsoleMode(HANDLE hConsoleHandle, DWORD dwMode) OPENSSPI_WIN32_SYMBOL(SetConsoleMode);

/*
 * ReadConsole reads what is typed.
 *
 * hConsoleInput         GetStdHandle(STD_INPUT_HANDLE).
 * lpBuffer              room for nNumberOfCharsToRead characters. The text gets no NUL. A functions give UTF-8, and count bytes.
 * lpNumberOfCharsRead   gets how many were read.
 * pInputControl         NULL.
 *
 * With ENABLE_LINE_INPUT it waits for a line, which ends with CR LF, without ENABLE_PROCESSED_INPUT with CR; what finds no room is read the next
 * time. Backspace and its kin are the terminal's affair in both cases. Without ENABLE_LINE_INPUT it waits for one character, and gives what there is:
 * the Enter key as CR, Backspace as BS, keys that are no characters as the terminal's escape sequences.
 *
 * TRUE with no characters at the end of the input (Ctrl+D); and with ERROR_OPERATION_ABORTED in GetLastError when Ctrl+C was typed, where
 * SetConsoleCtrlHandler has put a handler that takes it. FALSE: ERROR_INVALID_HANDLE for what is no terminal, ERROR_INVALID_PARAMETER,
 * ERROR_NOT_SUPPORTED for an input control, ERROR_READ_FAULT.
 *
 * What was given to the caller stays nowhere in the library. A child of fork reads though a thread of its parent was reading meanwhile; what its
 * parent had not yet given out of a line both have.
 */
BOOL WINAPI ReadConsoleA(HANDLE hConsoleInput, LPVOID lpBuffer, DWORD nNumberOfCharsToRead, LPDWORD lpNumberOfCharsRead,
                         LPVOID pInputControl) OPENSSPI_WIN32_SYMBOL(ReadConsoleA);
BOOL WINAPI ReadConsoleW(HANDLE hConsoleInput, LPVOID lpBuffer, DWORD nNumberOfCharsToRead, LPDWORD lpNumberOfCharsRead,
                         LPVOID pInputControl) OPENSSPI_WIN32_SYMBOL(ReadConsoleW);
#define ReadConsole OPENSSPI_AW(ReadConsole)

/* WriteConsole writes text to a terminal; A functions take UTF-8, and count bytes. lpNumberOfCharsWritten may be NULL. FALSE: ERROR_INVALID_HANDLE
 * for what is no terminal, ERROR_INVALID_PARAMETER, ERROR_WRITE_FAULT. */
BOOL WINAPI WriteConsoleA(HANDLE hConsoleOutput, const VOID *lpBuffer, DWORD nNumberOfCharsToWrite,
                          LPDWORD lpNumberOfCharsWritten, LPVOID lpReserved) OPENSSPI_WIN32_SYMBOL(WriteConsoleA);
BOOL WINAPI WriteConsoleW(HANDLE hConsoleOutput, const VOID *lpBuffer, DWORD nNumberOfCharsToWrite,
                          LPDWORD lpNumberOfCharsWritten, LPVOID lpReserved) OPENSSPI_WIN32_SYMBOL(WriteConsoleW);
#define WriteConsole OPENSSPI_AW(WriteConsole)

/* GetConsoleCP and GetConsoleOutputCP give 65001, UTF-8. */
UINT WINAPI GetConsoleCP(VOID) OPENSSPI_WIN32_SYMBOL(GetConsoleCP);
UINT WINAPI GetConsoleOutputCP(VOID) OPENSSPI_WIN32_SYMBOL(GetConsoleOutputCP);

#define CTRL_C_EVENT 0
#define CTRL_BREAK_EVENT 1
#define CTRL_CLOSE_EVENT 2
#define CTRL_LOGOFF_EVENT 5
#define CTRL_SHUTDOWN_EVENT 6

typedef BOOL(WINAPI *PHANDLER_ROUTINE)(DWORD CtrlType);

/*
 * SetConsoleCtrlHandler adds a handler, or takes one away (Add FALSE). Each event has a thread of its own, in which handlers run, the last one first,
 * until one answers TRUE.
 *
 * SIGINT is CTRL_C_EVENT, SIGQUIT CTRL_BREAK_EVENT, SIGHUP CTRL_CLOSE_EVENT, SIGTERM CTRL_SHUTDOWN_EVENT. Where nobody answers TRUE, and after the
 * last two always, the process ends by the signal; after the last two also when its handlers have not returned in 5 and in 20 seconds. A process
 * whose id is 1 cannot end by a signal, and exits with 128 and the signal's number. A signal that was ignored before, as nohup(1) has it, stays
 * ignored. Without handlers the signals are as they were; a child of fork has no thread to run handlers in, and ends, until it adds one itself.
 *
 * One thread waits for signals from the first handler on, for the process's life: a plug-in that is linked with the archive (libopensspi-win32.a) and
 * has added a handler must not be unloaded.
 *
 * HandlerRoutine  NULL: Ctrl+C itself is ignored (Add TRUE), also by programs that this one starts; or no longer (FALSE), whoever had it ignored, and
 *                 handlers are called again.
 *
 * FALSE: ERROR_INVALID_PARAMETER for a handler that was not added, ERROR_NOT_ENOUGH_MEMORY.
 */
BOOL WINAPI SetConsoleCtrlHandler(PHANDLER_ROUTINE HandlerRoutine, BOOL Add)
    OPENSSPI_WIN32_SYMBOL(SetConsoleCtrlHandler);

OPENSSPI_END_DECLS

#endif
