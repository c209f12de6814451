/* The functions of resolver.c for wide text: names come and go as UTF-8. Microsoft, GetAddrInfoW, GetNameInfoW, InetPtonW, InetNtopW, GetHostNameW.
 * */
#define OPENSSPI_WIN32_SYSTEM_SOCKETS /* the system's functions under their own names */
#include <winsock2.h>
#include <ws2tcpip.h>

#include "sockets.h"
#include "unicode.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <winbase.h>

static int failed(int code)
{
    WSASetLastError(code);
    return code;
}

/* One of GetAddrInfoW's results with its address, in one block; its name is another. */
struct wide_entry {
    ADDRINFOW info;
    struct sockaddr_storage address;
};

static struct wide_entry *entry_of(const struct addrinfo *from)
{
    if (from->ai_addrlen > sizeof(struct sockaddr_storage))
        return NULL;
    struct wide_entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL)
        return NULL;
    entry->info = (ADDRINFOW){.ai_flags = from->ai_flags,
                              .ai_family = from->ai_family,
                              .ai_socktype = from->ai_socktype,
                              .ai_protocol = from->ai_protocol,
                              .ai_addrlen = from->ai_addrlen};
    if (from->ai_addr != NULL) {
        memcpy(&entry->address, from->ai_addr, from->ai_addrlen);
        entry->info.ai_addr = (struct sockaddr *)&entry->address;
    }
    if (from->ai_canonname != NULL && (entry->info.ai_canonname = utf16_of(from->ai_canonname)) == NULL) {
        free(entry);
        return NULL;
    }
    return entry;
}

static int list_widen(const struct addrinfo *from, ADDRINFOW **result)
{
    for (ADDRINFOW **to = result; from != NULL; from = from->ai_next) {
        struct wide_entry *entry = entry_of(from);
        if (entry == NULL) {
            FreeAddrInfoW(*result);
            *result = NULL;
            return failed(WSA_NOT_ENOUGH_MEMORY);
        }
        *to = &entry->info;
        to = &entry->info.ai_next;
    }
    return 0;
}

int GetAddrInfoW(const WCHAR *pNodeName, const WCHAR *pServiceName, const ADDRINFOW *pHints, PADDRINFOW *ppResult)
{
    if (ppResult == NULL)
        return failed(WSAEFAULT);
    *ppResult = NULL;
    struct addrinfo hints = {0}, *found = NULL;
    if (pHints != NULL)
        hints = (struct addrinfo){.ai_flags = pHints->ai_flags,
                                  .ai_family = pHints->ai_family,
                                  .ai_socktype = pHints->ai_socktype,
                                  .ai_protocol = pHints->ai_protocol};
    char *node = utf8_of(pNodeName), *service = utf8_of(pServiceName);
    int code;
    if ((pNodeName != NULL && node == NULL) || (pServiceName != NULL && service == NULL))
        code = failed(WSA_NOT_ENOUGH_MEMORY);
    else
        code = opensspi_getaddrinfo(node, service, pHints != NULL ? &hints : NULL, &found);
    free(node);
    free(service);
    if (code != 0)
        return code;
    code = list_widen(found, ppResult);
    freeaddrinfo(found);
    return code;
}

void FreeAddrInfoW(PADDRINFOW pAddrInfo)
{
    while (pAddrInfo != NULL) {
        ADDRINFOW *next = pAddrInfo->ai_next;
        free(pAddrInfo->ai_canonname);
        free(pAddrInfo); /* the entry's first member */
        pAddrInfo = next;
    }
}

/* A text of the resolver's into room of n characters. */
static BOOL text_give(const char *text, WCHAR *room, DWORD n)
{
    return room == NULL || text_put(text, true, room, &n, ERROR_INSUFFICIENT_BUFFER, true);
}

INT GetNameInfoW(const SOCKADDR *pSockaddr, socklen_t SockaddrLength, PWCHAR pNodeBuffer, DWORD NodeBufferSize,
                 PWCHAR pServiceBuffer, DWORD ServiceBufferSize, INT Flags)
{
    char node[NI_MAXHOST], service[NI_MAXSERV];
    if ((pNodeBuffer != NULL && NodeBufferSize == 0) || (pServiceBuffer != NULL && ServiceBufferSize == 0))
        return failed(WSAEINVAL);
    int code = opensspi_getnameinfo(pSockaddr, SockaddrLength, pNodeBuffer != NULL ? node : NULL,
                                    pNodeBuffer != NULL ? sizeof node : 0, pServiceBuffer != NULL ? service : NULL,
                                    pServiceBuffer != NULL ? sizeof service : 0, Flags);
    if (code != 0)
        return code;
    if (!text_give(node, pNodeBuffer, NodeBufferSize) || !text_give(service, pServiceBuffer, ServiceBufferSize))
        return (int)GetLastError();
    return 0;
}

INT InetPtonW(INT Family, const WCHAR *pszAddrString, PVOID pAddrBuf)
{
    if (pszAddrString == NULL || pAddrBuf == NULL)
        return socket_refuse(EFAULT);
    char *text = utf8_of(pszAddrString);
    if (text == NULL)
        return socket_refuse(ENOBUFS);
    int result = opensspi_inet_pton(Family, text, pAddrBuf);
    free(text);
    return result;
}

const WCHAR *InetNtopW(INT Family, LPCVOID pAddr, WCHAR *pStringBuf, size_t StringBufSize)
{
    char text[INET6_ADDRSTRLEN];
    DWORD n = StringBufSize > UINT32_MAX ? UINT32_MAX : (DWORD)StringBufSize;
    if (opensspi_inet_ntop(Family, pAddr, text, sizeof text) == NULL)
        return NULL;
    return text_put(text, true, pStringBuf, &n, ERROR_INVALID_PARAMETER, true) ? pStringBuf : NULL;
}

int GetHostNameW(WCHAR *name, int namelen)
{
    char own[HOST_NAME_MAX + 1] = "";
    DWORD n = namelen < 0 ? 0 : (DWORD)namelen;
    if (name == NULL)
        return socket_refuse(EFAULT);
    if (opensspi_gethostname(own, sizeof own) != 0)
        return SOCKET_ERROR;
    return text_put(own, true, name, &n, WSAEFAULT, true) ? 0 : SOCKET_ERROR;
}
