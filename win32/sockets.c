/* Sockets and their names and options; what fails sets the one last error of the thread. Microsoft, Winsock functions. */
#define OPENSSPI_WIN32_SYSTEM_SOCKETS /* the system's functions under their own names */
#include <winsock2.h>
#undef ioctlsocket

#include "sockets.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
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
    {ENONET, WSAENETUNREACH},
    {ENOTTY, WSAENOTSOCK}, /* ioctl's word for it */
};

int socket_code(int error)
{
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i].errno_code == error)
            return codes[i].wsa;
    return WSASYSCALLFAILURE;
}

ssize_t socket_told(ssize_t result)
{
    if (result < 0) {
        int error = errno;
        WSASetLastError(socket_code(error));
        errno = error;
    }
    return result;
}

int socket_refuse(int error)
{
    errno = error;
    return (int)socket_told(SOCKET_ERROR);
}

static int told(int result)
{
    return (int)socket_told(result);
}

static bool blocks(int s)
{
    int mode = fcntl(s, F_GETFL);
    return mode >= 0 && (mode & O_NONBLOCK) == 0;
}

void socket_time_over(int s)
{
    errno = blocks(s) ? ETIMEDOUT : EWOULDBLOCK;
}

/* A number of the system's for an option, or -1. errno stays. */
static int option_of(SOCKET s, int option)
{
    int before = errno, value;
    socklen_t len = sizeof value;
    if (getsockopt(s, SOL_SOCKET, option, &value, &len) != 0)
        value = -1;
    errno = before;
    return value;
}

static bool is_socket(SOCKET s)
{
    struct stat status;
    if (fstat(s, &status) != 0)
        return false;
    if (!S_ISSOCK(status.st_mode))
        errno = ENOTSOCK;
    return S_ISSOCK(status.st_mode);
}

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
    WSASetLastError(WSANOTINITIALISED);
    return SOCKET_ERROR;
}

int WSAGetLastError(void)
{
    return (int)GetLastError();
}

void WSASetLastError(int iError)
{
    SetLastError((DWORD)iError);
}

int opensspi_socket(int domain, int type, int protocol)
{
    int s = socket(domain, type, protocol), on = 1;
    if (s < 0 && errno == EINVAL) /* that is its word for types beyond those it has */
        errno = ESOCKTNOSUPPORT;
    /* IPv6 alone, as there: a server has a socket of each family with one port. Other types of sockets have no ports. */
    if (s >= 0 && domain == AF_INET6)
        (void)setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    return told(s);
}

static SOCKET socket_with(int af, int type, int protocol, const void *information, GROUP g, DWORD flags)
{
    if (information != NULL || g != 0 || (flags & ~(DWORD)(WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT)) != 0)
        return socket_refuse(EINVAL);
    return opensspi_socket(af, (flags & WSA_FLAG_NO_HANDLE_INHERIT) != 0 ? type | SOCK_CLOEXEC : type, protocol);
}

SOCKET WSASocketA(int af, int type, int protocol, LPWSAPROTOCOL_INFOA lpProtocolInfo, GROUP g, DWORD dwFlags)
{
    return socket_with(af, type, protocol, lpProtocolInfo, g, dwFlags);
}

SOCKET WSASocketW(int af, int type, int protocol, LPWSAPROTOCOL_INFOW lpProtocolInfo, GROUP g, DWORD dwFlags)
{
    return socket_with(af, type, protocol, lpProtocolInfo, g, dwFlags);
}

/* Not close for anything else that has a number. */
int closesocket(SOCKET s)
{
    if (!is_socket(s))
        return told(SOCKET_ERROR);
    socket_forget(s, ~0u);
    return told(close(s));
}

int ioctlsocket(SOCKET s, long cmd, ULONG *argp)
{
    int value = argp == NULL ? 0 : (int)*argp;
    if (!is_socket(s))
        return told(SOCKET_ERROR);
    if (argp == NULL || (cmd != FIONBIO && cmd != FIONREAD))
        return socket_refuse(argp == NULL ? EFAULT : EINVAL);
    if (ioctl(s, (unsigned long)cmd, &value) != 0)
        return told(SOCKET_ERROR);
    if (cmd == FIONREAD)
        *argp = (ULONG)value;
    return 0;
}

/* How long an address of a family is; 0: as long as it is. */
static socklen_t address_len(int family)
{
    return family == AF_INET ? sizeof(struct sockaddr_in) : family == AF_INET6 ? sizeof(struct sockaddr_in6) : 0;
}

/* What is wrong with an address that the system does not take for a socket: WSAEFAULT, or mismatch for one of another family. */
static void blame_address(SOCKET s, const struct sockaddr *name, socklen_t len, int mismatch)
{
    int family = option_of(s, SO_DOMAIN);
    if ((errno != EINVAL && errno != EAFNOSUPPORT) || name == NULL || len < sizeof name->sa_family)
        errno = errno == EINVAL ? EFAULT : errno;
    else if (name->sa_family != family)
        errno = mismatch;
    else if (len < address_len(family))
        errno = EFAULT;
}

/* What sets SO_REUSEADDR for the program says nothing of it. errno stays. */
static void set_reuse(int s, int on)
{
    int before = errno;
    (void)setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    errno = before;
}

/* Connections that are over hold no address there. With SO_REUSEADDR none that one listens on is taken here, either; it is set only where the address
 * is held, and until it is bound, so that two sockets cannot have one that nobody listens on yet. */
static int bind_over_waiting(int s, const struct sockaddr *name, socklen_t namelen)
{
    int result = bind(s, name, namelen);
    if (result == 0 || errno != EADDRINUSE || option_of(s, SO_TYPE) != SOCK_STREAM || option_of(s, SO_REUSEADDR) != 0 ||
        socket_remembers(s, SOCKET_EXCLUSIVE) != 0)
        return result;
    set_reuse(s, 1);
    result = bind(s, name, namelen);
    set_reuse(s, 0);
    return result;
}

int opensspi_bind(int s, const struct sockaddr *name, socklen_t namelen)
{
    int result = bind_over_waiting(s, name, namelen);
    if (result != 0 && (errno == EINVAL || errno == EAFNOSUPPORT))
        blame_address(s, name, namelen, EFAULT);
    return told(result);
}

/* Nobody can be reached there, while the system goes to this computer for the first. */
static bool is_nowhere(const struct sockaddr *name, socklen_t len)
{
    struct sockaddr_in four;
    struct sockaddr_in6 six;
    if (name == NULL || len < sizeof name->sa_family || address_len(name->sa_family) == 0 ||
        len < address_len(name->sa_family))
        return false;
    if (name->sa_family == AF_INET) {
        memcpy(&four, name, sizeof four);
        return four.sin_port == 0 || four.sin_addr.s_addr == htonl(INADDR_ANY);
    }
    memcpy(&six, name, sizeof six);
    return six.sin6_port == 0 || IN6_IS_ADDR_UNSPECIFIED(&six.sin6_addr);
}

int opensspi_connect(int s, const struct sockaddr *name, socklen_t namelen)
{
    if (is_nowhere(name, namelen) && option_of(s, SO_TYPE) == SOCK_STREAM && option_of(s, SO_DOMAIN) == name->sa_family)
        return socket_refuse(EADDRNOTAVAIL);
    /* The system tells of a failure once more before it tries again; there a new call is a new attempt. */
    if (socket_remembers(s, SOCKET_TOLD) != 0 && socket_attempt(s) == ATTEMPT_FAILED) {
        (void)connect(s, name, namelen);
        socket_forget(s, SOCKET_CONNECTING | SOCKET_NOT_WAITED | SOCKET_TOLD);
    }
    int result = connect(s, name, namelen);
    if (result == 0) {
        /* It says so once of an attempt that it did not wait for, there that is WSAEISCONN from the beginning. */
        if (socket_remembers(s, SOCKET_NOT_WAITED) != 0)
            result = socket_refuse(EISCONN);
        socket_forget(s, SOCKET_CONNECTING | SOCKET_NOT_WAITED | SOCKET_TOLD);
        return result;
    }
    if (errno == EINPROGRESS || errno == EINTR) {
        socket_remember(s, SOCKET_CONNECTING | SOCKET_NOT_WAITED);
        if (errno == EINPROGRESS) /* which is the word for a socket that does not block, for errno */
            errno = blocks(s) ? ETIMEDOUT : EINPROGRESS;
    } else if (errno == EISCONN && option_of(s, SO_ACCEPTCONN) == 1) {
        errno = EINVAL;
    } else if (errno == EINVAL || errno == EAFNOSUPPORT) {
        blame_address(s, name, namelen, EAFNOSUPPORT);
    } else if (errno != EALREADY && errno != EISCONN) {
        socket_forget(s, SOCKET_CONNECTING | SOCKET_NOT_WAITED | SOCKET_TOLD);
    }
    return told(result);
}

/* The system gives a socket without a name one. */
int opensspi_listen(int s, int backlog)
{
    struct sockaddr_storage name = {0};
    struct sockaddr_in6 six;
    socklen_t len = sizeof name;
    if (getsockname(s, (struct sockaddr *)&name, &len) == 0 && address_len(name.ss_family) != 0 &&
        option_of(s, SO_TYPE) == SOCK_STREAM) {
        memcpy(&six, &name, sizeof six); /* the port has its place in both families */
        if (six.sin6_port == 0)
            return socket_refuse(EINVAL);
    }
    /* What is accepted inherits it: without it a connection that is over keeps the next server from the address. The system looks at the address once
     * more when the socket begins to listen. */
    bool reuses = option_of(s, SO_TYPE) == SOCK_STREAM && option_of(s, SO_REUSEADDR) == 0 &&
                  socket_remembers(s, SOCKET_EXCLUSIVE) == 0;
    if (reuses)
        set_reuse(s, 1);
    int result = listen(s, backlog);
    if (reuses && result != 0)
        set_reuse(s, 0);
    if (result != 0 && errno == EINVAL) {
        len = sizeof name;
        errno = getpeername(s, (struct sockaddr *)&name, &len) == 0 ? EISCONN : EINVAL;
    }
    return told(result);
}

/* An address for the caller, whose room is too small for it or not. An int or a socklen_t: the same bits. */
static int give_name(const struct sockaddr_storage *from, socklen_t have, struct sockaddr *to, void *len)
{
    socklen_t room;
    if (to == NULL || len == NULL)
        return socket_refuse(EFAULT);
    memcpy(&room, len, sizeof room);
    if ((int)room < 0 || room < have)
        return socket_refuse(EFAULT);
    memcpy(to, from, have);
    memcpy(len, &have, sizeof have);
    return 0;
}

/* Room that is too small is found before a connection is lost by it; what is accepted blocks or not as the listener does. */
int opensspi_accept(int s, struct sockaddr *addr, void *addrlen)
{
    struct sockaddr_storage name = {0};
    socklen_t len = sizeof name, room = 0;
    if (addrlen != NULL)
        memcpy(&room, addrlen, sizeof room);
    if (addr != NULL && (addrlen == NULL || (getsockname(s, (struct sockaddr *)&name, &len) == 0 &&
                                             ((int)room < 0 || room < address_len(name.ss_family)))))
        return socket_refuse(EFAULT);
    int mode = fcntl(s, F_GETFL);
    int result = accept4(s, addr, addrlen, mode >= 0 && (mode & O_NONBLOCK) != 0 ? SOCK_NONBLOCK : 0);
    if (result < 0 && errno == EWOULDBLOCK)
        socket_time_over(s);
    return told(result);
}

/* What has no port yet has no name, there. */
int opensspi_getsockname(int s, struct sockaddr *name, void *namelen)
{
    struct sockaddr_storage own = {0};
    struct sockaddr_in6 six;
    socklen_t len = sizeof own;
    if (getsockname(s, (struct sockaddr *)&own, &len) != 0)
        return told(SOCKET_ERROR);
    memcpy(&six, &own, sizeof six);
    if (address_len(own.ss_family) != 0 && six.sin6_port == 0)
        return socket_refuse(EINVAL);
    return give_name(&own, len, name, namelen);
}

int opensspi_getpeername(int s, struct sockaddr *name, void *namelen)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof peer;
    if (getpeername(s, (struct sockaddr *)&peer, &len) != 0)
        return told(SOCKET_ERROR);
    return give_name(&peer, len, name, namelen);
}

/* Without SO_REUSEADDR an address is one socket's alone; bind and listen then leave it off. */
static int set_exclusive(int s, const void *optval, socklen_t optlen)
{
    int off = 0, exclusive;
    if (optval == NULL || optlen < sizeof exclusive)
        return socket_refuse(is_socket(s) ? EFAULT : errno);
    memcpy(&exclusive, optval, sizeof exclusive);
    if (exclusive != 0 ? setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &off, sizeof off) != 0 : !is_socket(s))
        return told(SOCKET_ERROR);
    if (exclusive != 0)
        socket_remember(s, SOCKET_EXCLUSIVE);
    else
        socket_forget(s, SOCKET_EXCLUSIVE);
    return 0;
}

int opensspi_setsockopt(int s, int level, int optname, const void *optval, socklen_t optlen)
{
    if (level == SOL_SOCKET && (optname == SO_RCVTIMEO || optname == SO_SNDTIMEO) && optval != NULL &&
        optlen == sizeof(DWORD)) {
        DWORD milliseconds;
        memcpy(&milliseconds, optval, sizeof milliseconds);
        struct timeval time = {.tv_sec = milliseconds / 1000, .tv_usec = (suseconds_t)(milliseconds % 1000) * 1000};
        return told(setsockopt(s, level, optname, &time, sizeof time));
    }
    if (level == SOL_SOCKET && optname == SO_EXCLUSIVEADDRUSE)
        return set_exclusive(s, optval, optlen);
    int result = setsockopt(s, level, optname, optval, optlen);
    if (result != 0 && errno == EINVAL && optlen < sizeof(int))
        errno = EFAULT;
    return told(result);
}

static int get_time(SOCKET s, int optname, void *optval)
{
    struct timeval time = {0};
    socklen_t len = sizeof time;
    if (getsockopt(s, SOL_SOCKET, optname, &time, &len) != 0)
        return told(SOCKET_ERROR);
    uint64_t read = (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_usec / 1000; /* the kernel rounds up */
    DWORD milliseconds = read > UINT32_MAX ? UINT32_MAX : (DWORD)read;
    memcpy(optval, &milliseconds, sizeof milliseconds);
    return 0;
}

/* A number of the system's that is another there. */
static int get_number(SOCKET s, int optname, void *optval)
{
    int value;
    socklen_t len = sizeof value;
    if (getsockopt(s, SOL_SOCKET, optname, &value, &len) != 0)
        return told(SOCKET_ERROR);
    if (optname != SO_ERROR) {
        value /= 2; /* the kernel doubles what is set, for what it needs itself */
    } else if (value != 0) {
        value = socket_code(value);
        if (socket_attempt(s) == ATTEMPT_FAILED)
            socket_remember(s, SOCKET_TOLD);
    }
    memcpy(optval, &value, sizeof value);
    return 0;
}

int opensspi_getsockopt(int s, int level, int optname, void *optval, void *optlen)
{
    bool time = level == SOL_SOCKET && (optname == SO_RCVTIMEO || optname == SO_SNDTIMEO);
    bool number = level == SOL_SOCKET && (optname == SO_ERROR || optname == SO_RCVBUF || optname == SO_SNDBUF);
    if (!is_socket(s))
        return told(SOCKET_ERROR);
    if (optval == NULL || optlen == NULL)
        return socket_refuse(EFAULT);
    socklen_t len;
    memcpy(&len, optlen, sizeof len);
    if (number && ((int)len < 0 || len < sizeof(int)))
        return socket_refuse(EFAULT);
    if (!number && !(time && len == sizeof(DWORD)))
        return told(getsockopt(s, level, optname, optval, optlen));
    int result = number ? get_number(s, optname, optval) : get_time(s, optname, optval);
    len = sizeof(DWORD);
    if (result == 0)
        memcpy(optlen, &len, sizeof len);
    return result;
}
