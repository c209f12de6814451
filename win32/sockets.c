#include <winsock2.h>
/* The system's functions under their own names. */
#undef ioctlsocket
#undef send
#undef sendto
#undef setsockopt
#undef select
#undef accept
#undef getsockname
#undef getpeername
#undef getsockopt
#undef recv
#undef recvfrom

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <winbase.h>

static const struct {
    int errno_code, wsa;
} codes[] = {
    {EINTR, WSAEINTR},
    {EBADF, WSAENOTSOCK}, /* a number that is no socket */
    {EACCES, WSAEACCES},
    {EPERM, WSAEACCES},
    {EFAULT, WSAEFAULT},
    {EINVAL, WSAEINVAL},
    {EMFILE, WSAEMFILE},
    {ENFILE, WSAEMFILE},
    {EWOULDBLOCK, WSAEWOULDBLOCK},
    {EINPROGRESS, WSAEWOULDBLOCK}, /* of connect: the same word there */
    {EALREADY, WSAEALREADY},
    {ENOTSOCK, WSAENOTSOCK},
    {EDESTADDRREQ, WSAEDESTADDRREQ},
    {EMSGSIZE, WSAEMSGSIZE},
    {EPROTOTYPE, WSAEPROTOTYPE},
    {ENOPROTOOPT, WSAENOPROTOOPT},
    {EPROTONOSUPPORT, WSAEPROTONOSUPPORT},
    {ESOCKTNOSUPPORT, WSAESOCKTNOSUPPORT},
    {EOPNOTSUPP, WSAEOPNOTSUPP},
    {EPFNOSUPPORT, WSAEPFNOSUPPORT},
    {EAFNOSUPPORT, WSAEAFNOSUPPORT},
    {EADDRINUSE, WSAEADDRINUSE},
    {EADDRNOTAVAIL, WSAEADDRNOTAVAIL},
    {ENETDOWN, WSAENETDOWN},
    {ENETUNREACH, WSAENETUNREACH},
    {ENETRESET, WSAENETRESET},
    {ECONNABORTED, WSAECONNABORTED},
    {ECONNRESET, WSAECONNRESET},
    {EPIPE, WSAECONNABORTED},
    {ENOBUFS, WSAENOBUFS},
    {ENOMEM, WSAENOBUFS},
    {EISCONN, WSAEISCONN},
    {ENOTCONN, WSAENOTCONN},
    {ESHUTDOWN, WSAESHUTDOWN},
    {ETOOMANYREFS, WSAETOOMANYREFS},
    {ETIMEDOUT, WSAETIMEDOUT},
    {ECONNREFUSED, WSAECONNREFUSED},
    {ELOOP, WSAELOOP},
    {ENAMETOOLONG, WSAENAMETOOLONG},
    {EHOSTDOWN, WSAEHOSTDOWN},
    {EHOSTUNREACH, WSAEHOSTUNREACH},
};

static atomic_uint startups;

int WSAStartup(WORD wVersionRequested, LPWSADATA lpWSAData)
{
    if (lpWSAData == NULL)
        return WSAEFAULT;
    BYTE major = LOBYTE(wVersionRequested), minor = HIBYTE(wVersionRequested);
    if (major == 0)
        return WSAVERNOTSUPPORTED;
    *lpWSAData = (WSADATA){.wVersion = MAKEWORD(2, 2), .wHighVersion = MAKEWORD(2, 2), .szSystemStatus = "Running"};
    if (major < 2 || (major == 2 && minor < 2))
        lpWSAData->wVersion = wVersionRequested;
    strncpy(lpWSAData->szDescription, "Sockets of the system", WSADESCRIPTION_LEN);
    atomic_fetch_add(&startups, 1);
    return 0;
}

int WSACleanup(void)
{
    unsigned n = atomic_load(&startups);
    while (n > 0)
        if (atomic_compare_exchange_weak(&startups, &n, n - 1))
            return 0;
    SetLastError(WSANOTINITIALISED);
    return SOCKET_ERROR;
}

/* What no number of errno stands for is itself. */
int WSAGetLastError(void)
{
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i].errno_code == errno)
            return codes[i].wsa;
    return errno;
}

void WSASetLastError(int iError)
{
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i].wsa == iError && iError != WSAENOTSOCK) {
            errno = codes[i].errno_code;
            return;
        }
    errno = iError == WSAENOTSOCK ? ENOTSOCK : iError;
}

int closesocket(SOCKET s)
{
    return close(s);
}

int ioctlsocket(SOCKET s, long cmd, ULONG *argp)
{
    int value = argp == NULL ? 0 : (int)*argp;
    if (argp == NULL || (cmd != FIONBIO && cmd != FIONREAD)) {
        errno = argp == NULL ? EFAULT : EINVAL;
        return SOCKET_ERROR;
    }
    if (ioctl(s, (unsigned long)cmd, &value) != 0)
        return SOCKET_ERROR;
    if (cmd == FIONREAD)
        *argp = (ULONG)value;
    return 0;
}

int WSAPoll(LPWSAPOLLFD fdArray, ULONG fds, INT timeout)
{
    return poll(fdArray, fds, timeout);
}

/* A call on a socket that blocks came back for want of anything to do: the time that was set for it is over. Errors that were queued are never waited for. */
static ssize_t in_time(int s, int flags, ssize_t result)
{
    if (result < 0 && errno == EWOULDBLOCK && (flags & (MSG_DONTWAIT | MSG_ERRQUEUE)) == 0) {
        int mode = fcntl(s, F_GETFL);
        errno = mode >= 0 && (mode & O_NONBLOCK) == 0 ? ETIMEDOUT : EWOULDBLOCK;
    }
    return result;
}

ssize_t opensspi_send(int s, const void *buf, size_t len, int flags)
{
    return in_time(s, flags, send(s, buf, len, flags | MSG_NOSIGNAL));
}

ssize_t opensspi_sendto(int s, const void *buf, size_t len, int flags, const struct sockaddr *to, socklen_t tolen)
{
    return in_time(s, flags, sendto(s, buf, len, flags | MSG_NOSIGNAL, to, tolen));
}

int opensspi_setsockopt(int s, int level, int optname, const void *optval, socklen_t optlen)
{
    if (level == SOL_SOCKET && (optname == SO_RCVTIMEO || optname == SO_SNDTIMEO) && optlen == sizeof(DWORD)) {
        DWORD milliseconds;
        memcpy(&milliseconds, optval, sizeof milliseconds);
        struct timeval time = {.tv_sec = milliseconds / 1000, .tv_usec = (suseconds_t)(milliseconds % 1000) * 1000};
        return setsockopt(s, level, optname, &time, sizeof time);
    }
    if (level == SOL_SOCKET && optname == SO_EXCLUSIVEADDRUSE) {
        int off = 0; /* without SO_REUSEADDR an address is one socket's alone */
        return setsockopt(s, level, SO_REUSEADDR, &off, sizeof off);
    }
    return setsockopt(s, level, optname, optval, optlen);
}

int opensspi_select(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds, const struct timeval *timeout)
{
    (void)nfds;
    struct timeval copy;
    if (timeout != NULL)
        copy = *timeout; /* the system's select changes it */
    return select(FD_SETSIZE, readfds, writefds, exceptfds, timeout == NULL ? NULL : &copy);
}

/* An int or a socklen_t: the same bits. */
int opensspi_accept(int s, struct sockaddr *addr, void *addrlen)
{
    return (int)in_time(s, 0, accept(s, addr, addrlen));
}

int opensspi_getsockname(int s, struct sockaddr *name, void *namelen)
{
    return getsockname(s, name, namelen);
}

int opensspi_getpeername(int s, struct sockaddr *name, void *namelen)
{
    return getpeername(s, name, namelen);
}

int opensspi_getsockopt(int s, int level, int optname, void *optval, void *optlen)
{
    if (level == SOL_SOCKET && (optname == SO_RCVTIMEO || optname == SO_SNDTIMEO) && optval != NULL && optlen != NULL &&
        *(socklen_t *)optlen == sizeof(DWORD)) {
        struct timeval time = {0};
        socklen_t len = sizeof time;
        if (getsockopt(s, level, optname, &time, &len) != 0)
            return SOCKET_ERROR;
        uint64_t read = (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_usec / 1000; /* the kernel rounds up */
        DWORD milliseconds = read > UINT32_MAX ? UINT32_MAX : (DWORD)read;
        memcpy(optval, &milliseconds, sizeof milliseconds);
        return 0;
    }
    int result = getsockopt(s, level, optname, optval, optlen);
    if (result == 0 && level == SOL_SOCKET && optname == SO_ERROR && optval != NULL &&
        *(socklen_t *)optlen == sizeof(int)) {
        int code;
        memcpy(&code, optval, sizeof code);
        int before = errno;
        errno = code;
        code = code == 0 ? 0 : WSAGetLastError();
        errno = before;
        memcpy(optval, &code, sizeof code);
    }
    return result;
}

ssize_t opensspi_recv(int s, void *buf, size_t len, int flags)
{
    return in_time(s, flags, recv(s, buf, len, flags));
}

ssize_t opensspi_recvfrom(int s, void *buf, size_t len, int flags, struct sockaddr *from, void *fromlen)
{
    return in_time(s, flags, recvfrom(s, buf, len, flags, from, fromlen));
}
