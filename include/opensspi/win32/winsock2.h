/*
 * winsock2.h: sockets, which are the system's own: a SOCKET is a file descriptor, closesocket is close.
 *
 * What differs is evened out. Errors are WSAGetLastError's, which is GetLastError (WSAETIMEDOUT where a call that blocks has waited for as long as it
 * was to); errno is set, too. An attempt to connect that failed is in select's exceptfds alone, and SO_ERROR still tells why. A datagram that has no
 * room is WSAEMSGSIZE, what was shut down here WSAESHUTDOWN. IPv6 sockets are IPv6's alone until IPV6_V6ONLY is set to 0; what accept gives blocks or
 * not as the listener does. Sending to a closed connection raises no signal, time-outs of setsockopt are milliseconds in a DWORD, buffers have the
 * size that was set, lengths of addresses may be int, and select looks at all sockets whatever its first argument.
 *
 * read and write of a socket are the system's: WSAGetLastError does not tell of them. All others are meant from here on, called or taken by address:
 * include this before code that calls them, since clang keeps the system's in a file that has called one before; and before headers whose structures
 * have members of these names, which macros rename: of all of them in C that are not in both families (socket, bind, connect, listen, shutdown and
 * the resolver's keep theirs), of recv, recvfrom and gethostname in C++.
 *
 * What does not fit into an fd_set is left out, as Windows leaves out what a full set has no room for: descriptors from FD_SETSIZE on. Source:
 * Microsoft, Windows Sockets 2.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_WINSOCK2_H
#define OPENSSPI_WIN32_WINSOCK2_H
#define _WINSOCK2API_
#define _WINSOCKAPI_

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <unistd.h>

#include "minwinbase.h"
#include "symbol.h"
#include "ulong.h"
#include "windef.h"
#include "winerror.h"

#if defined(__GLIBC__) && !defined(__USE_MISC)
#error "-std=c11 and its like hide types that this needs: say -D_DEFAULT_SOURCE, as pkg-config opensspi-win32 does"
#endif

/* The C library's has 64 bits; Windows' programs send theirs as four bytes. */
#define u_long ULONG

OPENSSPI_BEGIN_DECLS

typedef int SOCKET;
typedef USHORT ADDRESS_FAMILY;
#define INVALID_SOCKET (-1)
#define SOCKET_ERROR (-1)
#define SD_RECEIVE 0
#define SD_SEND 1
#define SD_BOTH 2

typedef struct sockaddr SOCKADDR, *PSOCKADDR, *LPSOCKADDR;
typedef struct sockaddr_in SOCKADDR_IN, *PSOCKADDR_IN, *LPSOCKADDR_IN;
typedef struct sockaddr_in6 SOCKADDR_IN6, *PSOCKADDR_IN6, *LPSOCKADDR_IN6;
typedef struct sockaddr_storage SOCKADDR_STORAGE, *PSOCKADDR_STORAGE, *LPSOCKADDR_STORAGE;
typedef struct hostent HOSTENT, *PHOSTENT, *LPHOSTENT;
typedef struct in_addr IN_ADDR, *PIN_ADDR, *LPIN_ADDR;
typedef struct timeval TIMEVAL, *PTIMEVAL, *LPTIMEVAL;
typedef struct linger LINGER, *PLINGER, *LPLINGER;
typedef struct pollfd WSAPOLLFD, *PWSAPOLLFD, *LPWSAPOLLFD;

#define WSA_NOT_ENOUGH_MEMORY ERROR_NOT_ENOUGH_MEMORY
#define WSADESCRIPTION_LEN 256
#define WSASYS_STATUS_LEN 128

typedef struct WSAData {
    WORD wVersion;
    WORD wHighVersion;
    unsigned short iMaxSockets;
    unsigned short iMaxUdpDg;
    char *lpVendorInfo;
    char szDescription[WSADESCRIPTION_LEN + 1];
    char szSystemStatus[WSASYS_STATUS_LEN + 1];
} WSADATA, *LPWSADATA;

#define WSA_FLAG_OVERLAPPED 0x01
#define WSA_FLAG_NO_HANDLE_INHERIT 0x80
#define SG_UNCONSTRAINED_GROUP 1
#define SG_CONSTRAINED_GROUP 2

typedef unsigned int GROUP;
typedef struct _WSAPROTOCOL_INFOA WSAPROTOCOL_INFOA, *LPWSAPROTOCOL_INFOA;
typedef struct _WSAPROTOCOL_INFOW WSAPROTOCOL_INFOW, *LPWSAPROTOCOL_INFOW;

/* A piece of memory: bytes, and where they are. */
typedef struct _WSABUF {
    ULONG len;
    CHAR *buf;
} WSABUF, *LPWSABUF;

typedef OVERLAPPED WSAOVERLAPPED, *LPWSAOVERLAPPED;
typedef void(CALLBACK *LPWSAOVERLAPPED_COMPLETION_ROUTINE)(DWORD dwError, DWORD cbTransferred,
                                                           LPWSAOVERLAPPED lpOverlapped, DWORD dwFlags);

#define SO_EXCLUSIVEADDRUSE ((int)(~SO_REUSEADDR))

/* WSAStartup tells the version, 2.2 at most. 0; WSAVERNOTSUPPORTED for version 0, WSAEFAULT. WSACleanup: 0; WSANOTINITIALISED without a WSAStartup
 * before. */
int WINAPI WSAStartup(WORD wVersionRequested, LPWSADATA lpWSAData) OPENSSPI_WIN32_SYMBOL(WSAStartup);
int WINAPI WSACleanup(void) OPENSSPI_WIN32_SYMBOL(WSACleanup);
/* WSAGetLastError gives the code of this thread's last failure, as GetLastError does; a success leaves it. WSASetLastError sets it. */
int WINAPI WSAGetLastError(void) OPENSSPI_WIN32_SYMBOL(WSAGetLastError);
void WINAPI WSASetLastError(int iError) OPENSSPI_WIN32_SYMBOL(WSASetLastError);
/* closesocket, ioctlsocket (FIONBIO, FIONREAD) and WSAPoll are the system's close, ioctl and poll, for sockets alone: 0, or for WSAPoll how many;
 * SOCKET_ERROR. WSAENOTSOCK for anything else, which is not closed. WSAPoll: WSAEINVAL where no entry has an open descriptor. A call that waits in
 * another thread is not ended by closesocket; shutdown ends it. */
int WINAPI closesocket(SOCKET s) OPENSSPI_WIN32_SYMBOL(closesocket);
int WINAPI ioctlsocket(SOCKET s, long cmd, ULONG *argp) OPENSSPI_WIN32_SYMBOL(ioctlsocket);
int WINAPI WSAPoll(LPWSAPOLLFD fdArray, ULONG fds, INT timeout) OPENSSPI_WIN32_SYMBOL(WSAPoll);

/* WSASocket is socket. Of dwFlags WSA_FLAG_OVERLAPPED changes nothing, as every socket here sends and receives at once, and with
 * WSA_FLAG_NO_HANDLE_INHERIT programs that this one starts do not get the socket. INVALID_SOCKET with socket's codes; WSAEINVAL for other flags, for
 * a group, and for lpProtocolInfo, which is to be NULL. */
SOCKET WINAPI WSASocketA(int af, int type, int protocol, LPWSAPROTOCOL_INFOA lpProtocolInfo, GROUP g, DWORD dwFlags)
    OPENSSPI_WIN32_SYMBOL(WSASocketA);
SOCKET WINAPI WSASocketW(int af, int type, int protocol, LPWSAPROTOCOL_INFOW lpProtocolInfo, GROUP g, DWORD dwFlags)
    OPENSSPI_WIN32_SYMBOL(WSASocketW);
#define WSASocket OPENSSPI_AW(WSASocket)
/*
 * WSASend and WSARecv are send and recv from and into several pieces of memory, in their order, dwBufferCount of them. They return when it is done:
 * there is no overlapped input and output here.
 *
 * lpNumberOfBytesSent, lpNumberOfBytesRecvd  receive how many bytes; 0 received: the peer has ended its side.
 * lpFlags                                    in: recv's flags; out: 0.
 * lpOverlapped, lpCompletionRoutine          NULL.
 *
 * 0; SOCKET_ERROR with the codes of send and recv, WSAEFAULT for a missing argument, WSAEINVAL for no pieces or more than 1024,
 * WSA_NOT_ENOUGH_MEMORY, and WSAEOPNOTSUPP where it is to be overlapped.
 */
int WINAPI WSASend(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount, LPDWORD lpNumberOfBytesSent, DWORD dwFlags,
                   LPWSAOVERLAPPED lpOverlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
    OPENSSPI_WIN32_SYMBOL(WSASend);
int WINAPI WSARecv(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount, LPDWORD lpNumberOfBytesRecvd, LPDWORD lpFlags,
                   LPWSAOVERLAPPED lpOverlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
    OPENSSPI_WIN32_SYMBOL(WSARecv);

#define ioctlsocket(s, cmd, argp) ioctlsocket(s, cmd, OPENSSPI_ULONG_OUT(argp))
#ifndef OPENSSPI_WIN32_NO_ULONG
#define WSASend(...) WSASend(OPENSSPI_ULONG_ARGUMENTS(7_4, __VA_ARGS__))
#define WSARecv(...) WSARecv(OPENSSPI_ULONG_ARGUMENTS(7_45, __VA_ARGS__))
#endif
/* The system's functions of these names, with what differs evened out. */
int opensspi_socket(int domain, int type, int protocol);
int opensspi_bind(int s, const struct sockaddr *name, socklen_t namelen);
int opensspi_connect(int s, const struct sockaddr *name, socklen_t namelen);
int opensspi_listen(int s, int backlog);
int opensspi_shutdown(int s, int how);
ssize_t opensspi_send(int s, const void *buf, size_t len, int flags);
ssize_t opensspi_sendto(int s, const void *buf, size_t len, int flags, const struct sockaddr *to, socklen_t tolen);
int opensspi_setsockopt(int s, int level, int optname, const void *optval, socklen_t optlen);
int opensspi_select(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds, const struct timeval *timeout);
int opensspi_accept(int s, struct sockaddr *addr, void *addrlen);
int opensspi_getsockname(int s, struct sockaddr *name, void *namelen);
int opensspi_getpeername(int s, struct sockaddr *name, void *namelen);
int opensspi_getsockopt(int s, int level, int optname, void *optval, void *optlen);
ssize_t opensspi_recv(int s, void *buf, size_t len, int flags);
ssize_t opensspi_recvfrom(int s, void *buf, size_t len, int flags, struct sockaddr *from, void *fromlen);
/* NULL, and WSAHOST_NOT_FOUND, WSATRY_AGAIN, WSANO_RECOVERY or WSANO_DATA; of an address that is NULL or too short WSAEFAULT, of a family that is not
 * known WSAEAFNOSUPPORT. Of services and protocols WSANO_DATA. */
struct hostent *opensspi_gethostbyname(const char *name);
struct hostent *opensspi_gethostbyaddr(const void *addr, socklen_t len, int type);
struct servent *opensspi_getservbyname(const char *name, const char *proto);
struct servent *opensspi_getservbyport(int port, const char *proto);
struct protoent *opensspi_getprotobyname(const char *name);
struct protoent *opensspi_getprotobynumber(int number);
int opensspi_gethostname(char *name, size_t len);

#ifndef OPENSSPI_WIN32_SYSTEM_SOCKETS
/* These names are also those of members and of functions of the C++ library, which macros would rename: the linker is told instead. clang takes no
 * label where a function has been used before; g++ does not see the pragma. */
#ifdef __clang__
#define OPENSSPI_PRAGMA(text) _Pragma(#text)
#define OPENSSPI_RENAMED(name) OPENSSPI_PRAGMA(redefine_extname name opensspi_##name)
#else
#define OPENSSPI_RENAMED(name) extern __typeof__(name) name __asm__("opensspi_" #name);
#endif
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wredundant-decls"
OPENSSPI_RENAMED(socket)
OPENSSPI_RENAMED(bind)
OPENSSPI_RENAMED(connect)
OPENSSPI_RENAMED(listen)
OPENSSPI_RENAMED(shutdown)
OPENSSPI_RENAMED(gethostbyname)
OPENSSPI_RENAMED(gethostbyaddr)
OPENSSPI_RENAMED(getservbyname)
OPENSSPI_RENAMED(getservbyport)
OPENSSPI_RENAMED(getprotobyname)
OPENSSPI_RENAMED(getprotobynumber)
#ifdef __cplusplus
OPENSSPI_RENAMED(send)
OPENSSPI_RENAMED(sendto)
OPENSSPI_RENAMED(setsockopt)
OPENSSPI_RENAMED(select)
OPENSSPI_RENAMED(accept)
OPENSSPI_RENAMED(getsockname)
OPENSSPI_RENAMED(getpeername)
OPENSSPI_RENAMED(getsockopt)
#endif
#pragma GCC diagnostic pop
#undef OPENSSPI_RENAMED
#undef OPENSSPI_PRAGMA

/* FD_SET and its kin for any descriptor. */
static inline int OpenSspiFdFits(SOCKET s)
{
    return s >= 0 && (size_t)s < sizeof(fd_set) * 8;
}

static inline void OpenSspiFdSet(SOCKET s, fd_set *set)
{
    if (OpenSspiFdFits(s))
        FD_SET(s, set);
}

static inline void OpenSspiFdClear(SOCKET s, fd_set *set)
{
    if (OpenSspiFdFits(s))
        FD_CLR(s, set);
}

static inline int OpenSspiFdIsSet(SOCKET s, const fd_set *set)
{
    return OpenSspiFdFits(s) && FD_ISSET(s, set);
}
#endif

OPENSSPI_END_DECLS

#ifndef OPENSSPI_WIN32_SYSTEM_SOCKETS
/* Macros without arguments, so that an address, a member, a parameter and a call mean one thing. In C++ only where the C library has functions
 * inline, which a label does not reach: elsewhere templates take what the system's functions do not, lengths that are int and a constant time. NULL
 * is no pointer of a type that they could guess, so that it is the functions'. */
#define recv opensspi_recv
#define recvfrom opensspi_recvfrom
#define gethostname opensspi_gethostname
#ifndef __cplusplus
#define send opensspi_send
#define sendto opensspi_sendto
#define setsockopt opensspi_setsockopt
#define select opensspi_select
#define accept opensspi_accept
#define getsockname opensspi_getsockname
#define getpeername opensspi_getpeername
#define getsockopt opensspi_getsockopt
#else
template <class T> struct OpenSspiLength {
};
template <> struct OpenSspiLength<int> {
    typedef int result;
};
template <class T> struct OpenSspiTime {
};
template <> struct OpenSspiTime<struct timeval> {
    typedef int result;
};
template <class T> inline typename OpenSspiLength<T>::result accept(int s, struct sockaddr *addr, T *addrlen)
{
    return opensspi_accept(s, addr, addrlen);
}
template <class T> inline typename OpenSspiLength<T>::result getsockname(int s, struct sockaddr *name, T *namelen)
{
    return opensspi_getsockname(s, name, namelen);
}
template <class T> inline typename OpenSspiLength<T>::result getpeername(int s, struct sockaddr *name, T *namelen)
{
    return opensspi_getpeername(s, name, namelen);
}
template <class T>
inline typename OpenSspiLength<T>::result getsockopt(int s, int level, int optname, void *optval, T *optlen)
{
    return opensspi_getsockopt(s, level, optname, optval, optlen);
}
template <class T>
inline typename OpenSspiTime<T>::result select(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds,
                                               const T *timeout)
{
    return opensspi_select(nfds, readfds, writefds, exceptfds, timeout);
}
#endif

#undef FD_SET
#undef FD_CLR
#undef FD_ISSET
#define FD_SET(s, set) OpenSspiFdSet(s, set)
#define FD_CLR(s, set) OpenSspiFdClear(s, set)
#define FD_ISSET(s, set) OpenSspiFdIsSet(s, set)

#undef h_errno
#undef HOST_NOT_FOUND
#undef TRY_AGAIN
#undef NO_RECOVERY
#undef NO_DATA
#undef NO_ADDRESS
#define h_errno WSAGetLastError()
#define HOST_NOT_FOUND WSAHOST_NOT_FOUND
#define TRY_AGAIN WSATRY_AGAIN
#define NO_RECOVERY WSANO_RECOVERY
#define NO_DATA WSANO_DATA
#define NO_ADDRESS WSANO_DATA
#endif

#endif
