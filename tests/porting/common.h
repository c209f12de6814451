/*
 * What the programs here share: one source for Windows and for libopensspi-win32, without a word about which it is.
 */
#ifndef PORTING_COMMON_H
#define PORTING_COMMON_H

#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#define SECURITY_WIN32
#include <security.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tchar.h>

#define BLOCK_MAX 65536
#define SECONDS 120

/* Says what failed, in the system's words, and ends. */
static inline void Fail(LPCTSTR what, DWORD code)
{
    LPTSTR words = NULL;
    FormatMessage(FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL,
                  code, MAKELANGID(LANG_NEUTRAL, SUBLANG_DEFAULT), (LPTSTR)&words, 0, NULL);
    _tprintf(_T("failed: %s: 0x%08lx %s\n"), what, code, words != NULL ? words : _T("(no words)"));
    fflush(stdout);
    if (words != NULL)
        LocalFree(words);
    ExitProcess(1);
}

static inline void Check(LPCTSTR what, SECURITY_STATUS status)
{
    if (FAILED(status))
        Fail(what, (DWORD)status);
}

static inline void StartSockets(void)
{
    WSADATA data;
    int error = WSAStartup(MAKEWORD(2, 2), &data);
    if (error != 0)
        Fail(_T("WSAStartup"), (DWORD)error);
}

/* Neither side waits for ever. */
static inline void SetPatience(SOCKET s)
{
    DWORD milliseconds = SECONDS * 1000;
    if (setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, (const char *)&milliseconds, sizeof milliseconds) == SOCKET_ERROR)
        Fail(_T("setsockopt"), (DWORD)WSAGetLastError());
}

static inline SOCKET Dial(LPCTSTR port)
{
    struct sockaddr_in address;
    SOCKET s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    ZeroMemory(&address, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((u_short)_ttoi(port));
    if (s == INVALID_SOCKET || connect(s, (SOCKADDR *)&address, sizeof address) == SOCKET_ERROR)
        Fail(_T("connect"), (DWORD)WSAGetLastError());
    SetPatience(s);
    return s;
}

/* One client. */
static inline SOCKET Serve(void)
{
    struct sockaddr_in address;
    int len = sizeof address;
    SOCKET s, listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    ZeroMemory(&address, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener == INVALID_SOCKET || bind(listener, (SOCKADDR *)&address, sizeof address) == SOCKET_ERROR ||
        listen(listener, 1) == SOCKET_ERROR || getsockname(listener, (SOCKADDR *)&address, &len) == SOCKET_ERROR)
        Fail(_T("listen"), (DWORD)WSAGetLastError());
    SetPatience(listener);
    _tprintf(_T("port %u\n"), (unsigned)ntohs(address.sin_port));
    fflush(stdout);
    s = accept(listener, (SOCKADDR *)&address, &len);
    if (s == INVALID_SOCKET)
        Fail(_T("accept"), (DWORD)WSAGetLastError());
    closesocket(listener);
    SetPatience(s);
    return s;
}

static inline void SendAll(SOCKET s, const void *bytes, DWORD len)
{
    const char *at = (const char *)bytes;
    while (len > 0) {
        int sent = (int)send(s, at, (int)len, 0);
        if (sent == SOCKET_ERROR)
            Fail(_T("send"), (DWORD)WSAGetLastError());
        at += sent;
        len -= (DWORD)sent;
    }
}

static inline void ReceiveAll(SOCKET s, void *bytes, DWORD len)
{
    char *at = (char *)bytes;
    while (len > 0) {
        int got = (int)recv(s, at, (int)len, 0);
        if (got == SOCKET_ERROR)
            Fail(_T("recv"), (DWORD)WSAGetLastError());
        if (got == 0)
            Fail(_T("the peer closed the connection"), WSAECONNRESET);
        at += got;
        len -= (DWORD)got;
    }
}

/* A block: its length in four bytes, most significant first, and its bytes. */
static inline void SendBlock(SOCKET s, const void *bytes, DWORD len)
{
    DWORD header = htonl(len);
    SendAll(s, &header, sizeof header);
    SendAll(s, bytes, len);
}

static inline DWORD ReceiveBlock(SOCKET s, BYTE *room)
{
    DWORD len;
    ReceiveAll(s, &len, sizeof len);
    len = ntohl(len);
    if (len > BLOCK_MAX)
        Fail(_T("the block is too long"), ERROR_INVALID_DATA);
    ReceiveAll(s, room, len);
    return len;
}

#endif
