/* Hosts and services by name, over the system's resolver; failures are WSA codes. Microsoft, getaddrinfo, getnameinfo, gethostbyname and their
 * neighbours. */
#define OPENSSPI_WIN32_SYSTEM_SOCKETS /* the system's functions and codes under their own names */
#include <winsock2.h>
#include <ws2tcpip.h>

#include "sockets.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <winbase.h>

/* The code for one of the system's, EAI_. errno is of the call that gave it. */
static int code_of(int code)
{
    switch (code) {
    case EAI_AGAIN:
        return WSATRY_AGAIN;
    case EAI_BADFLAGS:
        return WSAEINVAL;
    case EAI_FAMILY:
        return WSAEAFNOSUPPORT;
    case EAI_MEMORY:
        return WSA_NOT_ENOUGH_MEMORY;
    case EAI_NONAME:
        return WSAHOST_NOT_FOUND;
    case EAI_NODATA:
    case EAI_ADDRFAMILY:
        return WSANO_DATA;
    case EAI_SERVICE:
        return WSATYPE_NOT_FOUND;
    case EAI_SOCKTYPE:
        return WSAESOCKTNOSUPPORT;
    case EAI_OVERFLOW:
        return ERROR_INSUFFICIENT_BUFFER;
    case EAI_SYSTEM:
        return socket_code(errno);
    default:
        return WSANO_RECOVERY;
    }
}

static int failed(int code)
{
    WSASetLastError(code);
    return code;
}

int opensspi_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
    if (result == NULL)
        return failed(WSAEFAULT);
    *result = NULL;
    char own[HOST_NAME_MAX + 1] = "";
    if (node != NULL && *node == '\0') { /* this computer, as for gethostbyname */
        if (gethostname(own, sizeof own) != 0)
            return failed(socket_code(errno));
        node = own;
    }
    int code = getaddrinfo(node, service, hints, result);
    return code == 0 ? 0 : failed(code_of(code));
}

int opensspi_getnameinfo(const struct sockaddr *sa, socklen_t salen, char *host, socklen_t hostlen, char *service,
                         socklen_t servicelen, int flags)
{
    if (sa == NULL || salen < sizeof sa->sa_family ||
        (sa->sa_family == AF_INET && salen < sizeof(struct sockaddr_in)) ||
        (sa->sa_family == AF_INET6 && salen < sizeof(struct sockaddr_in6)))
        return failed(WSAEFAULT);
    if (host == NULL && service == NULL)
        return failed(WSAHOST_NOT_FOUND);
    if ((host != NULL && hostlen == 0) || (service != NULL && servicelen == 0))
        return failed(WSAEINVAL);
    int code = getnameinfo(sa, salen, host, hostlen, service, servicelen, flags);
    return code == 0 ? 0 : failed(code_of(code));
}

/* Tells why there is no host. */
static struct hostent *told(struct hostent *host)
{
    if (host != NULL)
        return host;
    switch (h_errno) {
    case HOST_NOT_FOUND:
        WSASetLastError(WSAHOST_NOT_FOUND);
        break;
    case TRY_AGAIN:
        WSASetLastError(WSATRY_AGAIN);
        break;
    case NO_DATA:
        WSASetLastError(WSANO_DATA);
        break;
    case NETDB_INTERNAL:
        WSASetLastError(socket_code(errno));
        break;
    default:
        WSASetLastError(WSANO_RECOVERY);
    }
    return NULL;
}

/* No name is this computer's. */
struct hostent *opensspi_gethostbyname(const char *name)
{
    char own[HOST_NAME_MAX + 1] = "";
    if ((name == NULL || *name == '\0') && gethostname(own, sizeof own) != 0) {
        (void)socket_told(SOCKET_ERROR);
        return NULL;
    }
    return told(gethostbyname(name == NULL || *name == '\0' ? own : name));
}

struct hostent *opensspi_gethostbyaddr(const void *addr, socklen_t len, int type)
{
    socklen_t needed = type == AF_INET ? sizeof(struct in_addr) : type == AF_INET6 ? sizeof(struct in6_addr) : 0;
    if (addr == NULL || len < needed) {
        WSASetLastError(WSAEFAULT);
        return NULL;
    }
    return told(gethostbyaddr(addr, len, type));
}

struct servent *opensspi_getservbyname(const char *name, const char *proto)
{
    struct servent *found = name == NULL ? NULL : getservbyname(name, proto);
    if (found == NULL)
        WSASetLastError(WSANO_DATA);
    return found;
}

struct servent *opensspi_getservbyport(int port, const char *proto)
{
    struct servent *found = getservbyport(port, proto);
    if (found == NULL)
        WSASetLastError(WSANO_DATA);
    return found;
}

struct protoent *opensspi_getprotobyname(const char *name)
{
    struct protoent *found = name == NULL ? NULL : getprotobyname(name);
    if (found == NULL)
        WSASetLastError(WSANO_DATA);
    return found;
}

struct protoent *opensspi_getprotobynumber(int number)
{
    struct protoent *found = getprotobynumber(number);
    if (found == NULL)
        WSASetLastError(WSANO_DATA);
    return found;
}

int opensspi_gethostname(char *name, size_t len)
{
    if (name == NULL)
        return socket_refuse(EFAULT);
    int result = gethostname(name, len);
    if (result != 0 && (errno == ENAMETOOLONG || errno == EINVAL))
        errno = EFAULT;
    return (int)socket_told(result);
}

int opensspi_inet_pton(int family, const char *text, void *address)
{
    if (text == NULL || address == NULL)
        return socket_refuse(EFAULT);
    return (int)socket_told(inet_pton(family, text, address));
}

const char *opensspi_inet_ntop(int family, const void *address, char *text, socklen_t len)
{
    bool missing = address == NULL || text == NULL;
    const char *result = missing ? NULL : inet_ntop(family, address, text, len);
    if (missing || (result == NULL && errno == ENOSPC))
        WSASetLastError(ERROR_INVALID_PARAMETER);
    else if (result == NULL)
        (void)socket_told(SOCKET_ERROR);
    return result;
}

/* One text for each thread, which its next call overwrites. The library's words are shorter than that. */
#define WORDS_MAX 128
#define SYSTEM_WORDS (FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS | FORMAT_MESSAGE_MAX_WIDTH_MASK)

static void number_text(char text[WORDS_MAX], int code)
{
    snprintf(text, WORDS_MAX, "error %d", code);
}

char *gai_strerrorA(int ecode)
{
    static _Thread_local char text[WORDS_MAX];
    DWORD before = GetLastError();
    if (FormatMessageA(SYSTEM_WORDS, NULL, (DWORD)ecode, 0, text, WORDS_MAX, NULL) == 0)
        number_text(text, ecode);
    SetLastError(before);
    return text;
}

WCHAR *gai_strerrorW(int ecode)
{
    static _Thread_local WCHAR text[WORDS_MAX];
    char number[WORDS_MAX];
    DWORD before = GetLastError();
    if (FormatMessageW(SYSTEM_WORDS, NULL, (DWORD)ecode, 0, text, WORDS_MAX, NULL) == 0) {
        number_text(number, ecode);
        for (size_t i = 0; i <= strlen(number); i++)
            text[i] = (WCHAR)(unsigned char)number[i];
    }
    SetLastError(before);
    return text;
}
