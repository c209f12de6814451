/*
 * The three standard handles. Each stands for one of the descriptors 0, 1 and 2, whatever it is connected to, and has one value for the process's
 * life, which no token's, thread's or event's handle ever has.
 */
#ifndef OPENSSPI_WIN32_STANDARD_H
#define OPENSSPI_WIN32_STANDARD_H

#include <stdbool.h>
#include <winbase.h>
#include <wincon.h>

/* The descriptor behind a standard handle; -1, with ERROR_INVALID_HANDLE, for what is none, or was closed. */
int standard_descriptor(HANDLE handle);
/* Is it one of the three? */
bool standard_is(HANDLE handle);
/* Closes one. FALSE for none. */
bool standard_close(HANDLE handle);

/* Writes all of it, however long that takes; a pipe that nobody reads raises no signal. Gives how many bytes went out; fewer: *error says why. */
size_t standard_write(int descriptor, const void *bytes, size_t len, DWORD *error);

/* The error that a number of errno stands for where bytes are read or written, `other` for all else; and waiting until they can be. */
DWORD standard_error(int error, DWORD other);
void standard_wait(int descriptor, short events);

/* What standard output still holds back goes to the terminal, as it has gone long before on Windows, where none is buffered. */
void console_flush(void);
/* Reads from a terminal as ReadConsoleA does, into room for `len` bytes. */
BOOL console_read(int descriptor, void *room, DWORD len, DWORD *n_read);

/* Which read on the console waits; 0: none. And that one is to end, if it still waits. Any thread. */
unsigned console_waiting(void);
void console_interrupt(unsigned which);
/* From now on reads can be interrupted. FALSE with the error. */
bool console_interruptible(void);

/* Puts a terminal back whose keys are being waited for (keys.c), for a process that ends now. */
void keys_terminal_back(void);

#endif
