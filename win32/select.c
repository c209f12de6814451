/* Waiting for sockets. What belongs to an attempt to connect is told as Microsoft, select and WSAPoll, says; the rest as the system tells it. */
#define OPENSSPI_WIN32_SYSTEM_SOCKETS /* the system's functions under their own names */
#include <winsock2.h>

#include "sockets.h"
#include <errno.h>

enum { READ, WRITE, EXCEPT, SETS };

#define SET_BITS ((int)sizeof(fd_set) * 8)

static int count(const fd_set sets[SETS])
{
    int n = 0;
    for (int i = 0; i < SETS; i++)
        for (int s = 0; s < SET_BITS; s++)
            n += FD_ISSET(s, &sets[i]) ? 1 : 0;
    return n;
}

/* What is ready, with a failed attempt where it belongs. What nobody asked for is not watched any longer: it would be ready for ever. */
static void sort_attempts(const fd_set asked[SETS], fd_set watched[SETS], fd_set ready[SETS])
{
    for (int s = 0; s < SET_BITS; s++) {
        if (!FD_ISSET(s, &ready[READ]) && !FD_ISSET(s, &ready[WRITE]))
            continue;
        if (socket_attempt(s) == ATTEMPT_FAILED) {
            FD_CLR(s, &ready[READ]);
            FD_CLR(s, &ready[WRITE]);
            FD_CLR(s, &watched[READ]);
            FD_CLR(s, &watched[WRITE]);
            if (FD_ISSET(s, &asked[EXCEPT])) {
                FD_SET(s, &ready[EXCEPT]);
                socket_remember(s, SOCKET_TOLD);
            }
        } else if (!FD_ISSET(s, &asked[WRITE])) {
            FD_CLR(s, &ready[WRITE]);
            FD_CLR(s, &watched[WRITE]);
        }
    }
}

int opensspi_select(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds, const struct timeval *timeout)
{
    (void)nfds;
    fd_set *const given[SETS] = {readfds, writefds, exceptfds};
    fd_set asked[SETS], watched[SETS], ready[SETS];
    struct timeval left = {0};
    if (timeout != NULL)
        left = *timeout; /* the system's select takes from it what it has waited */
    for (int i = 0; i < SETS; i++) {
        FD_ZERO(&asked[i]);
        if (given[i] != NULL)
            asked[i] = *given[i];
        watched[i] = asked[i];
    }
    if (count(asked) == 0)
        return socket_refuse(EINVAL);
    for (int s = 0; s < SET_BITS; s++)
        if (FD_ISSET(s, &asked[EXCEPT]) && socket_remembers(s, SOCKET_CONNECTING) != 0)
            FD_SET(s, &watched[WRITE]); /* that is where the system tells of a failure */
    int n;
    do {
        for (int i = 0; i < SETS; i++)
            ready[i] = watched[i];
        n = select(SET_BITS, &ready[READ], &ready[WRITE], &ready[EXCEPT], timeout == NULL ? NULL : &left);
        if (n < 0)
            return (int)socket_told(n);
        sort_attempts(asked, watched, ready);
    } while (n > 0 && count(ready) == 0);
    for (int i = 0; i < SETS; i++)
        if (given[i] != NULL)
            *given[i] = ready[i];
    return count(ready);
}

int WSAPoll(LPWSAPOLLFD fdArray, ULONG fds, INT timeout)
{
    ULONG given = 0, invalid = 0;
    for (ULONG i = 0; fdArray != NULL && i < fds; i++)
        given += fdArray[i].fd >= 0 ? 1 : 0;
    if (given == 0)
        return socket_refuse(EINVAL);
    int n = poll(fdArray, fds, timeout);
    for (ULONG i = 0; n > 0 && i < fds; i++) {
        if ((fdArray[i].revents & POLLNVAL) != 0)
            invalid++;
        else if ((fdArray[i].revents & POLLERR) != 0 && socket_attempt(fdArray[i].fd) == ATTEMPT_FAILED)
            socket_remember(fdArray[i].fd, SOCKET_TOLD);
    }
    return invalid == given ? socket_refuse(EINVAL) : (int)socket_told(n);
}
