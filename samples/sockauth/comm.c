/* SPDX-License-Identifier: MIT */
#include "comm.h"
#include "show.h"

#include <string.h>

#ifdef _WIN32
#define poll WSAPoll
#ifndef MSG_NOSIGNAL /* Windows sends no signal */
#define MSG_NOSIGNAL 0
#endif
typedef WSAPOLLFD poll_entry;
typedef int transfer_result;
#define TRANSFER_LEN(len) ((int)(len))

static ULONGLONG Milliseconds(void)
{
    return GetTickCount64();
}

static int SocketError(void)
{
    return WSAGetLastError();
}

static BOOL WouldBlock(void)
{
    return WSAGetLastError() == WSAEWOULDBLOCK;
}
#else
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <time.h>
typedef struct pollfd poll_entry;
typedef ssize_t transfer_result;
#define TRANSFER_LEN(len) ((size_t)(len))

static ULONGLONG Milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (ULONGLONG)now.tv_sec * 1000 + (ULONGLONG)now.tv_nsec / 1000000;
}

static int SocketError(void)
{
    return errno;
}

static BOOL WouldBlock(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}
#endif

#define HEADER_LEN 5 /* length and kind */

static DWORD patience; /* milliseconds */

BOOL InitWinSock(DWORD seconds)
{
    patience = seconds * 1000;
#ifdef _WIN32
    WSADATA data;
    int error = WSAStartup(MAKEWORD(2, 2), &data);
    if (error != 0) {
        Complain("cannot start Windows sockets: error %d", error);
        return FALSE;
    }
#endif
    return TRUE;
}

void TermWinSock(void)
{
#ifdef _WIN32
    WSACleanup();
#endif
}

void ComplainSocket(const char *what)
{
#ifdef _WIN32
    Complain("%s: socket error %d", what, SocketError());
#else
    Complain("%s: %s", what, strerror(SocketError()));
#endif
}

BOOL PrepareSocket(SOCKET sock)
{
#ifdef _WIN32
    u_long on = 1;
    BOOL good = ioctlsocket(sock, (long)FIONBIO, &on) == 0;
#else
    int flags = fcntl(sock, F_GETFL);
    BOOL good = flags != -1 && fcntl(sock, F_SETFL, flags | O_NONBLOCK) == 0;
#endif
    if (!good)
        ComplainSocket("cannot prepare the socket");
    return good;
}

/* Waits until the socket can be read or written, at most until the deadline; 0 is none. */
static BOOL Wait(SOCKET sock, short events, ULONGLONG deadline)
{
    for (;;) {
        ULONGLONG now = Milliseconds();
        if (deadline != 0 && now >= deadline) {
            Complain("the peer is silent for too long");
            return FALSE;
        }
        poll_entry entry = {.fd = sock, .events = events};
        int ready = poll(&entry, 1, deadline == 0 ? -1 : (int)(deadline - now));
        if (ready > 0)
            return TRUE;
        if (ready < 0 && !WouldBlock()) {
            ComplainSocket("cannot wait for the peer");
            return FALSE;
        }
    }
}

BOOL WaitForClient(SOCKET listener, DWORD seconds)
{
    return Wait(listener, POLLIN, seconds == 0 ? 0 : Milliseconds() + (ULONGLONG)seconds * 1000);
}

BOOL SendBytes(SOCKET sock, const BYTE *bytes, DWORD len)
{
    ULONGLONG deadline = Deadline();
    while (len > 0) {
        transfer_result sent = send(sock, (const char *)bytes, TRANSFER_LEN(len), MSG_NOSIGNAL);
        if (sent >= 0) {
            bytes += sent;
            len -= (DWORD)sent;
        } else if (!WouldBlock()) {
            ComplainSocket("cannot send");
            return FALSE;
        } else if (!Wait(sock, POLLOUT, deadline)) {
            return FALSE;
        }
    }
    return TRUE;
}

ULONGLONG Deadline(void)
{
    return Milliseconds() + patience;
}

enum receive_result ReceiveSome(SOCKET sock, BYTE *bytes, DWORD size, DWORD *received, ULONGLONG deadline)
{
    *received = 0;
    for (;;) {
        transfer_result got = recv(sock, (char *)bytes, TRANSFER_LEN(size), 0);
        if (got > 0) {
            *received = (DWORD)got;
            return RECEIVE_OK;
        }
        if (got == 0)
            return RECEIVE_CLOSED;
        if (!WouldBlock()) {
            ComplainSocket("cannot receive");
            return RECEIVE_FAILED;
        }
        if (!Wait(sock, POLLIN, deadline))
            return RECEIVE_FAILED;
    }
}

enum receive_result ReceiveBytes(SOCKET sock, BYTE *bytes, DWORD len, DWORD *received)
{
    ULONGLONG deadline = Deadline();
    *received = 0;
    while (*received < len) {
        DWORD got;
        enum receive_result result = ReceiveSome(sock, bytes + *received, len - *received, &got, deadline);
        if (result != RECEIVE_OK)
            return result;
        *received += got;
    }
    return RECEIVE_OK;
}

BOOL SendMsg(SOCKET sock, const struct message *message)
{
    BYTE header[HEADER_LEN];
    PutNumber(header, message->len + 1);
    header[4] = message->kind;
    return SendBytes(sock, header, sizeof header) && SendBytes(sock, message->data, message->len);
}

enum receive_result ReceiveMsg(SOCKET sock, struct message *message)
{
    BYTE header[HEADER_LEN];
    DWORD received;
    enum receive_result result = ReceiveBytes(sock, header, sizeof header, &received);
    if (result == RECEIVE_CLOSED && received == 0)
        return RECEIVE_CLOSED;
    if (result == RECEIVE_OK) {
        DWORD len = GetNumber(header);
        if (len < 1 || len - 1 > sizeof message->data) {
            Complain("the peer announces a message of %lu bytes", (unsigned long)len);
            return RECEIVE_FAILED;
        }
        message->kind = header[4];
        message->len = len - 1;
        result = ReceiveBytes(sock, message->data, message->len, &received);
    }
    if (result == RECEIVE_CLOSED) {
        Complain("the peer closed the connection inside a message");
        return RECEIVE_FAILED;
    }
    return result;
}

void PutNumber(BYTE *bytes, DWORD number)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (BYTE)(number >> (24 - 8 * i));
}

DWORD GetNumber(const BYTE *bytes)
{
    return (DWORD)bytes[0] << 24 | (DWORD)bytes[1] << 16 | (DWORD)bytes[2] << 8 | bytes[3];
}
