/* Sending and receiving, and when that ends. Microsoft, Winsock functions. */
#define OPENSSPI_WIN32_SYSTEM_SOCKETS /* the system's functions under their own names */
#include <winsock2.h>

#include "sockets.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static bool is_datagram(SOCKET s)
{
    int before = errno, type;
    socklen_t len = sizeof type;
    bool is = getsockopt(s, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_DGRAM;
    errno = before;
    return is;
}

/* Why a call has no place now, by what is remembered: a number of errno, or 0. shut: the way that it would go. */
static int no_place(SOCKET s, unsigned shut)
{
    unsigned things = socket_remembers(s, shut | SOCKET_CONNECTING);
    if ((things & shut) != 0)
        return ESHUTDOWN;
    return things != 0 && socket_attempt(s) != ATTEMPT_NONE ? ENOTCONN : 0;
}

/* Whether a socket that takes nothing was ever connected: what ended was shut down both ways, what did not begin was not. */
static bool was_connected(SOCKET s)
{
    struct pollfd entry = {.fd = s, .events = POLLRDHUP};
    return poll(&entry, 1, 0) < 0 || (entry.revents & POLLHUP) == 0 || (entry.revents & POLLRDHUP) != 0;
}

/* The last error of a call that failed; a call on a socket that blocks, and came back for want of anything to do, has waited for as long as it was
 * to. Errors that were queued are never waited for. */
static ssize_t told(SOCKET s, int flags, ssize_t result)
{
    if (result >= 0)
        return result;
    if (errno == EWOULDBLOCK && (flags & (MSG_DONTWAIT | MSG_ERRQUEUE)) == 0)
        socket_time_over(s);
    else if (errno == ECONNREFUSED && is_datagram(s)) /* an earlier datagram came back */
        errno = ECONNRESET;
    return socket_told(result);
}

static ssize_t told_sent(SOCKET s, int flags, ssize_t result)
{
    if (result < 0 && errno == EPIPE)
        errno = was_connected(s) ? EPIPE : ENOTCONN;
    return told(s, flags, result);
}

/* Of what is longer than an int tells, INT_MAX + 1. */
static size_t total_len(const struct iovec *pieces, size_t n)
{
    size_t total = 0;
    for (size_t i = 0; i < n && total <= INT_MAX; i++)
        total = pieces[i].iov_len > INT_MAX - total ? (size_t)INT_MAX + 1 : total + pieces[i].iov_len;
    return total;
}

/* An int that is negative has become a large size. */
ssize_t opensspi_send(int s, const void *buf, size_t len, int flags)
{
    int error = len > INT_MAX ? EFAULT : no_place(s, SOCKET_SHUT_SEND);
    if (error != 0)
        return socket_refuse(error);
    ssize_t result = send(s, buf, len, flags | MSG_NOSIGNAL);
    if (result < 0 && errno == EDESTADDRREQ)
        errno = ENOTCONN;
    return told_sent(s, flags, result);
}

ssize_t opensspi_sendto(int s, const void *buf, size_t len, int flags, const struct sockaddr *to, socklen_t tolen)
{
    int error = len > INT_MAX ? EFAULT : no_place(s, SOCKET_SHUT_SEND);
    if (error != 0)
        return socket_refuse(error);
    return told_sent(s, flags, sendto(s, buf, len, flags | MSG_NOSIGNAL, to, tolen));
}

/* recvmsg says whether a datagram was longer without being told what kind of socket it is. */
static ssize_t receive(SOCKET s, struct iovec *rooms, size_t n_rooms, int flags, struct sockaddr *from,
                       socklen_t *fromlen)
{
    int error = total_len(rooms, n_rooms) > INT_MAX || (from != NULL && (fromlen == NULL || (int)*fromlen < 0))
                    ? EFAULT
                    : no_place(s, SOCKET_SHUT_RECEIVE);
    if (error != 0)
        return socket_refuse(error);
    struct msghdr message = {.msg_iov = rooms, .msg_iovlen = n_rooms, .msg_name = from};
    if (from != NULL)
        message.msg_namelen = *fromlen;
    ssize_t result = recvmsg(s, &message, flags);
    if (result < 0)
        return told(s, flags, result);
    if (from != NULL && message.msg_namelen > *fromlen)
        return socket_refuse(EFAULT);
    if (from != NULL && message.msg_namelen != 0) /* a connection has none: ignored */
        *fromlen = message.msg_namelen;
    if ((message.msg_flags & MSG_TRUNC) != 0 && (flags & MSG_TRUNC) == 0)
        return socket_refuse(EMSGSIZE);
    return result;
}

ssize_t opensspi_recv(int s, void *buf, size_t len, int flags)
{
    struct iovec room = {buf, len};
    return receive(s, &room, 1, flags, NULL, NULL);
}

/* An int or a socklen_t: the same bits. */
ssize_t opensspi_recvfrom(int s, void *buf, size_t len, int flags, struct sockaddr *from, void *fromlen)
{
    struct iovec room = {buf, len};
    socklen_t address_len = 0;
    if (from == NULL || fromlen == NULL)
        return receive(s, &room, 1, flags, from, NULL);
    memcpy(&address_len, fromlen, sizeof address_len);
    ssize_t result = receive(s, &room, 1, flags, from, &address_len);
    memcpy(fromlen, &address_len, sizeof address_len);
    return result;
}

#define PIECES_FEW 16
#define PIECES_MAX 1024 /* UIO_MAXIOV */

/* The system's form of a caller's pieces: in `few`, or fresh memory (free, if it is not `few`). NULL with the last error for what is none, or is to
 * be done later. */
static struct iovec *pieces_of(const WSABUF *buffers, DWORD n, bool overlapped, struct iovec few[PIECES_FEW])
{
    int error = overlapped ? EOPNOTSUPP : buffers == NULL ? EFAULT : n == 0 || n > PIECES_MAX ? EINVAL : 0;
    if (error != 0) {
        (void)socket_refuse(error);
        return NULL;
    }
    struct iovec *pieces = n <= PIECES_FEW ? few : calloc(n, sizeof *pieces);
    if (pieces == NULL)
        WSASetLastError(WSA_NOT_ENOUGH_MEMORY);
    for (DWORD i = 0; pieces != NULL && i < n; i++)
        pieces[i] = (struct iovec){buffers[i].buf, buffers[i].len};
    return pieces;
}

int WSASend(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount, LPDWORD lpNumberOfBytesSent, DWORD dwFlags,
            LPWSAOVERLAPPED lpOverlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
{
    struct iovec few[PIECES_FEW];
    if (lpNumberOfBytesSent == NULL)
        return socket_refuse(lpOverlapped != NULL ? EOPNOTSUPP : EFAULT);
    struct iovec *pieces =
        pieces_of(lpBuffers, dwBufferCount, lpOverlapped != NULL || lpCompletionRoutine != NULL, few);
    if (pieces == NULL)
        return SOCKET_ERROR;
    int error = total_len(pieces, dwBufferCount) > INT_MAX ? EFAULT : no_place(s, SOCKET_SHUT_SEND);
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = dwBufferCount};
    ssize_t sent;
    if (error != 0) {
        sent = socket_refuse(error);
    } else {
        sent = sendmsg(s, &message, (int)dwFlags | MSG_NOSIGNAL);
        if (sent < 0 && errno == EDESTADDRREQ)
            errno = ENOTCONN;
        sent = told_sent(s, (int)dwFlags, sent);
    }
    if (pieces != few)
        free(pieces);
    if (sent < 0)
        return SOCKET_ERROR;
    *lpNumberOfBytesSent = (DWORD)sent;
    return 0;
}

int WSARecv(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount, LPDWORD lpNumberOfBytesRecvd, LPDWORD lpFlags,
            LPWSAOVERLAPPED lpOverlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
{
    struct iovec few[PIECES_FEW];
    if (lpFlags == NULL || lpNumberOfBytesRecvd == NULL)
        return socket_refuse(lpFlags != NULL && lpOverlapped != NULL ? EOPNOTSUPP : EFAULT);
    struct iovec *pieces =
        pieces_of(lpBuffers, dwBufferCount, lpOverlapped != NULL || lpCompletionRoutine != NULL, few);
    if (pieces == NULL)
        return SOCKET_ERROR;
    ssize_t received = receive(s, pieces, dwBufferCount, (int)*lpFlags, NULL, NULL);
    if (pieces != few)
        free(pieces);
    if (received < 0)
        return SOCKET_ERROR;
    *lpNumberOfBytesRecvd = (DWORD)received;
    *lpFlags = 0;
    return 0;
}

/* The system refuses it for datagrams without a peer, and does it. */
int opensspi_shutdown(int s, int how)
{
    int result = shutdown(s, how);
    if (result != 0 && errno == ENOTCONN && is_datagram(s))
        result = 0;
    if (result == 0 && how != SD_SEND)
        socket_remember(s, SOCKET_SHUT_RECEIVE);
    if (result == 0 && how != SD_RECEIVE)
        socket_remember(s, SOCKET_SHUT_SEND);
    return (int)socket_told(result);
}
