/*
 * What the files of sockets share: how failures are told, and what the library remembers of a socket because the system does not tell it.
 *
 * Lock: none, each socket's memory is one atomic number.
 */
#ifndef OPENSSPI_WIN32_SOCKETS_H
#define OPENSSPI_WIN32_SOCKETS_H

#include <stdbool.h>
#include <sys/types.h>

/* The WSA code that a number of errno stands for. */
int socket_code(int error);

/* Sets the last error from errno where a call has failed; its result. */
ssize_t socket_told(ssize_t result);

/* The same for a failure of ours: SOCKET_ERROR. errno is told, too. */
int socket_refuse(int error);

/* A call on a socket that blocks came back for want of anything to do: errno says that the time that was set for it is over. */
void socket_time_over(int s);

enum socket_memory {
    SOCKET_SHUT_RECEIVE = 1,
    SOCKET_SHUT_SEND = 2,
    SOCKET_CONNECTING = 4, /* connect goes on, or has failed */
    SOCKET_NOT_WAITED = 8, /* connect came back before the end, and did not say yet that all is well */
    SOCKET_TOLD = 16,      /* the program has heard that connect failed */
    SOCKET_EXCLUSIVE = 32, /* the program wants its address alone: SO_EXCLUSIVEADDRUSE */
};

/* Which of these things are remembered of a socket. It costs no system call where none is. */
unsigned socket_remembers(int s, unsigned things);

void socket_remember(int s, unsigned things);
void socket_forget(int s, unsigned things);

enum socket_attempt { ATTEMPT_NONE, ATTEMPT_UNDER_WAY, ATTEMPT_FAILED };

/* How the attempt to connect fares that is remembered. One that succeeded is forgotten. What SO_ERROR has to tell stays. */
enum socket_attempt socket_attempt(int s);

#endif
