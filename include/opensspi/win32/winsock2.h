/*
 * winsock2.h: sockets, which are the system's own: a SOCKET is a file descriptor, closesocket is close.
 *
 * What differs is evened out: errors are WSAGetLastError's (WSAETIMEDOUT where a call that blocks, other than connect, has waited for as long as it was to), sending to a closed connection raises no signal, time-outs of setsockopt are milliseconds in a DWORD,
 * lengths of addresses may be int, and select looks at all sockets whatever its first argument. Source: Microsoft, Windows Sockets 2.
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

#include "symbol.h"
#include "ulong.h"
#include "windef.h"
#include "winerror.h"

/* The C library's has 64 bits; Windows' programs send theirs as four bytes. */
#define u_long ULONG

OPENSSPI_BEGIN_DECLS

typedef int SOCKET;
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

#define SO_EXCLUSIVEADDRUSE ((int)(~SO_REUSEADDR))

/* WSAStartup tells the version, 2.2 at most. 0; WSAVERNOTSUPPORTED for version 0, WSAEFAULT. WSACleanup: 0; WSANOTINITIALISED without a WSAStartup before. */
int WINAPI WSAStartup(WORD wVersionRequested, LPWSADATA lpWSAData) OPENSSPI_WIN32_SYMBOL(WSAStartup);
int WINAPI WSACleanup(void) OPENSSPI_WIN32_SYMBOL(WSACleanup);
/* WSAGetLastError gives errno as a WSA code. WSASetLastError sets it. */
int WINAPI WSAGetLastError(void) OPENSSPI_WIN32_SYMBOL(WSAGetLastError);
void WINAPI WSASetLastError(int iError) OPENSSPI_WIN32_SYMBOL(WSASetLastError);
/* closesocket, ioctlsocket (FIONBIO, FIONREAD) and WSAPoll are the system's close, ioctl and poll: 0, or for WSAPoll how many; SOCKET_ERROR. */
int WINAPI closesocket(SOCKET s) OPENSSPI_WIN32_SYMBOL(closesocket);
int WINAPI ioctlsocket(SOCKET s, long cmd, ULONG *argp) OPENSSPI_WIN32_SYMBOL(ioctlsocket);
int WINAPI WSAPoll(LPWSAPOLLFD fdArray, ULONG fds, INT timeout) OPENSSPI_WIN32_SYMBOL(WSAPoll);

#define ioctlsocket(s, cmd, argp) ioctlsocket(s, cmd, OPENSSPI_ULONG_OUT(argp))
/* The system's functions of these names, with what differs evened out. */
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

OPENSSPI_END_DECLS

#define send(...) opensspi_send(__VA_ARGS__)
#define sendto(...) opensspi_sendto(__VA_ARGS__)
#define setsockopt(...) opensspi_setsockopt(__VA_ARGS__)
#define select(...) opensspi_select(__VA_ARGS__)
#define accept(...) opensspi_accept(__VA_ARGS__)
#define getsockname(...) opensspi_getsockname(__VA_ARGS__)
#define getpeername(...) opensspi_getpeername(__VA_ARGS__)
#define getsockopt(...) opensspi_getsockopt(__VA_ARGS__)
#define recv(...) opensspi_recv(__VA_ARGS__)
#define recvfrom(...) opensspi_recvfrom(__VA_ARGS__)

#endif
