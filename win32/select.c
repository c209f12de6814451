/* Waiting for sockets. What belongs to an attempt to connect is told as Microsoft, select and WSAPoll, says; the rest as the system tells it. */
#define OPENSSPI_WIN32_SYSTEM_SOCKETS /* the system's functions under their own names */
#include <winsock2.h>

#include "sockets.h"
#include <errno.h>

enum { READ, WRITE, EXCEPT, SETS };

#define WORD_BITS ((int)sizeof(unsigned long) * 8)
#define WORDS ((int)(sizeof(fd_set) / sizeof(unsigned long)))

/* A set as its words: a walk over each of its 1024 sockets would cost many times what the system's select does. */
union sockets {
    fd_set set;
    unsigned long words[WORDS];
};

static int count(const union sockets sets[SETS])
{
    int n = 0;
    for (int i = 0; i < SETS; i++)
        for (int w = 0; w < WORDS; w++)
            n += __builtin_popcountl(sets[i].words[w]);
    return n;
}

/* The number behind the last socket; 0: there is none. */
static int end(const union sockets sets[SETS])
{
    for (int w = WORDS - 1; w >= 0; w--) {
        unsigned long bits = sets[READ].words[w] | sets[WRITE].words[w] | sets[EXCEPT].words[w];
        if (bits != 0)
            return w * WORD_BITS + WORD_BITS - __builtin_clzl(bits);
    }
    return 0;
}

/* Takes one of the bits of a word; its socket. */
static int take_socket(int word, unsigned long *bits)
{
    int s = word * WORD_BITS + __builtin_ctzl(*bits);
    *bits &= *bits - 1;
    return s;
}

/* The system tells of a failure to connect where it tells that a socket can be written to. */
static void watch_attempts(const union sockets asked[SETS], union sockets watched[SETS])
{
    for (int w = 0; w < WORDS; w++)
        for (unsigned long bits = asked[EXCEPT].words[w]; bits != 0;) {
            int s = take_socket(w, &bits);
            if (socket_remembers(s, SOCKET_CONNECTING) != 0)
                FD_SET(s, &watched[WRITE].set);
        }
}

/* One that is ready, with a failed attempt where it belongs. What nobody asked for is not watched any longer: it would be ready for ever.
 * Was anything changed? */
static bool sort_attempt(int s, const union sockets asked[SETS], union sockets watched[SETS], union sockets ready[SETS])
{
    if (socket_attempt(s) == ATTEMPT_FAILED) {
        FD_CLR(s, &ready[READ].set);
        FD_CLR(s, &ready[WRITE].set);
        FD_CLR(s, &watched[READ].set);
        FD_CLR(s, &watched[WRITE].set);
        if (FD_ISSET(s, &asked[EXCEPT].set)) {
            FD_SET(s, &ready[EXCEPT].set);
            socket_remember(s, SOCKET_TOLD);
        }
        return true;
    }
    if (FD_ISSET(s, &asked[WRITE].set) || !FD_ISSET(s, &watched[WRITE].set))
        return false;
    FD_CLR(s, &ready[WRITE].set);
    FD_CLR(s, &watched[WRITE].set);
    return true;
}

static bool sort_attempts(const union sockets asked[SETS], union sockets watched[SETS], union sockets ready[SETS])
{
    bool changed = false;
    for (int w = 0; w < WORDS; w++)
        for (unsigned long bits = ready[READ].words[w] | ready[WRITE].words[w]; bits != 0;)
            changed |= sort_attempt(take_socket(w, &bits), asked, watched, ready);
    return changed;
}

int opensspi_select(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds, const struct timeval *timeout)
{
    (void)nfds;
    fd_set *const given[SETS] = {readfds, writefds, exceptfds};
    union sockets asked[SETS], watched[SETS], ready[SETS];
    struct timeval left = {0};
    if (timeout != NULL)
        left = *timeout; /* the system's select takes from it what it has waited */
    for (int i = 0; i < SETS; i++) {
        FD_ZERO(&asked[i].set);
        if (given[i] != NULL)
            asked[i].set = *given[i];
        watched[i] = asked[i];
    }
    int n, after = end(asked);
    if (after == 0)
        return socket_refuse(EINVAL);
    watch_attempts(asked, watched);
    do {
        for (int i = 0; i < SETS; i++)
            ready[i] = watched[i];
        n = select(after, &ready[READ].set, &ready[WRITE].set, &ready[EXCEPT].set, timeout == NULL ? NULL : &left);
        if (n < 0)
            return (int)socket_told(n);
    } while (n > 0 && sort_attempts(asked, watched, ready) && (n = count(ready)) == 0);
    for (int i = 0; i < SETS; i++)
        if (given[i] != NULL)
            *given[i] = ready[i].set;
    return n;
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
