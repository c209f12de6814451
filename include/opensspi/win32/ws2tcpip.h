/*
 * ws2tcpip.h: addresses and names, which are the system's own. Failures are WSA codes, which the functions of names return and set as the last error.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_WS2TCPIP_H
#define OPENSSPI_WIN32_WS2TCPIP_H

#include "winsock2.h"

typedef struct addrinfo ADDRINFO, *PADDRINFO, *LPADDRINFO, ADDRINFOA, *PADDRINFOA;
/* The same with wide text. */
typedef struct addrinfoW {
    int ai_flags;
    int ai_family;
    int ai_socktype;
    int ai_protocol;
    size_t ai_addrlen; /* bytes of ai_addr */
    WCHAR *ai_canonname;
    struct sockaddr *ai_addr;
    struct addrinfoW *ai_next;
} ADDRINFOW, *PADDRINFOW;
#ifdef UNICODE
typedef ADDRINFOW ADDRINFOT, *PADDRINFOT;
#else
typedef ADDRINFOA ADDRINFOT, *PADDRINFOT;
#endif
typedef struct in6_addr IN6_ADDR, *PIN6_ADDR, *LPIN6_ADDR;

OPENSSPI_BEGIN_DECLS

/* How long what gai_strerror gives may be. */
#define GAI_STRERROR_BUFFER_SIZE 1024

/* gai_strerror gives FormatMessage's words for a code of getaddrinfo and getnameinfo. They are this thread's until its next call. */
char *WINAPI gai_strerrorA(int ecode) OPENSSPI_WIN32_SYMBOL(gai_strerrorA);
WCHAR *WINAPI gai_strerrorW(int ecode) OPENSSPI_WIN32_SYMBOL(gai_strerrorW);

/* The system's functions of these names. 0, or for inet_pton 1 (0: this is no address), and a text; else: */
/* An empty name of a node is this computer's.
 * A code: WSAHOST_NOT_FOUND, WSANO_DATA, WSATRY_AGAIN, WSANO_RECOVERY, WSATYPE_NOT_FOUND (the service), WSAEINVAL (the flags), WSAEAFNOSUPPORT,
 * WSAESOCKTNOSUPPORT, WSA_NOT_ENOUGH_MEMORY. *result is NULL then. */
int opensspi_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result);
/* The same codes; WSAEFAULT: sa is NULL or too short; ERROR_INSUFFICIENT_BUFFER. */
int opensspi_getnameinfo(const struct sockaddr *sa, socklen_t salen, char *host, socklen_t hostlen, char *service,
                         socklen_t servicelen, int flags);
/* -1, and WSAEAFNOSUPPORT. */
int opensspi_inet_pton(int family, const char *text, void *address);
/* NULL; WSAEAFNOSUPPORT, and ERROR_INVALID_PARAMETER where the text has no room. */
const char *opensspi_inet_ntop(int family, const void *address, char *text, socklen_t len);

/*
 * The same for wide text, with the same codes.
 *
 * GetAddrInfoW's results are freed with FreeAddrInfoW, which takes NULL, too; of pHints the flags, family, type and protocol are looked at.
 * WSA_NOT_ENOUGH_MEMORY where there is none. GetNameInfoW takes sizes in characters; ERROR_INSUFFICIENT_BUFFER where a text has no room with its NUL.
 *
 * InetPtonW answers 1; 0 for what is no address; -1 with WSAEAFNOSUPPORT, or WSAEFAULT for a missing argument. InetNtopW, whose room is counted in
 * characters, gives its buffer, or NULL as inet_ntop does. GetHostNameW: 0; SOCKET_ERROR with WSAEFAULT where the name has no room, namelen being in
 * characters.
 */
int WINAPI GetAddrInfoW(const WCHAR *pNodeName, const WCHAR *pServiceName, const ADDRINFOW *pHints,
                        PADDRINFOW *ppResult) OPENSSPI_WIN32_SYMBOL(GetAddrInfoW);
void WINAPI FreeAddrInfoW(PADDRINFOW pAddrInfo) OPENSSPI_WIN32_SYMBOL(FreeAddrInfoW);
INT WINAPI GetNameInfoW(const SOCKADDR *pSockaddr, socklen_t SockaddrLength, PWCHAR pNodeBuffer, DWORD NodeBufferSize,
                        PWCHAR pServiceBuffer, DWORD ServiceBufferSize, INT Flags) OPENSSPI_WIN32_SYMBOL(GetNameInfoW);
INT WINAPI InetPtonW(INT Family, const WCHAR *pszAddrString, PVOID pAddrBuf) OPENSSPI_WIN32_SYMBOL(InetPtonW);
const WCHAR *WINAPI InetNtopW(INT Family, LPCVOID pAddr, WCHAR *pStringBuf, size_t StringBufSize)
    OPENSSPI_WIN32_SYMBOL(InetNtopW);
int WINAPI GetHostNameW(WCHAR *name, int namelen) OPENSSPI_WIN32_SYMBOL(GetHostNameW);

OPENSSPI_END_DECLS

#ifndef OPENSSPI_WIN32_SYSTEM_SOCKETS
#define getaddrinfo opensspi_getaddrinfo
#define getnameinfo opensspi_getnameinfo
#define inet_pton opensspi_inet_pton
#define inet_ntop opensspi_inet_ntop

#ifdef UNICODE
#define gai_strerror gai_strerrorW
#else
#define gai_strerror gai_strerrorA
#endif

#undef EAI_AGAIN
#undef EAI_BADFLAGS
#undef EAI_FAIL
#undef EAI_FAMILY
#undef EAI_MEMORY
#undef EAI_NODATA
#undef EAI_NONAME
#undef EAI_SERVICE
#undef EAI_SOCKTYPE
/* These are no codes there. */
#undef EAI_ADDRFAMILY
#undef EAI_OVERFLOW
#undef EAI_SYSTEM
#define EAI_AGAIN WSATRY_AGAIN
#define EAI_BADFLAGS WSAEINVAL
#define EAI_FAIL WSANO_RECOVERY
#define EAI_FAMILY WSAEAFNOSUPPORT
#define EAI_MEMORY WSA_NOT_ENOUGH_MEMORY
#define EAI_NODATA WSANO_DATA
#define EAI_NONAME WSAHOST_NOT_FOUND
#define EAI_SERVICE WSATYPE_NOT_FOUND
#define EAI_SOCKTYPE WSAESOCKTNOSUPPORT
#endif

#define GetAddrInfoA getaddrinfo
#define FreeAddrInfoA freeaddrinfo
#define GetNameInfoA getnameinfo
#define InetPtonA inet_pton
#define InetNtopA inet_ntop
#define GetAddrInfo OPENSSPI_AW(GetAddrInfo)
#define FreeAddrInfo OPENSSPI_AW(FreeAddrInfo)
#define GetNameInfo OPENSSPI_AW(GetNameInfo)
#define InetPton OPENSSPI_AW(InetPton)
#define InetNtop OPENSSPI_AW(InetNtop)

#endif
