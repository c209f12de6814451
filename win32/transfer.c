/* Sending and receiving, and when that ends. Microsoft, Winsock functions. */
#define OPENSSPI_WIN32_SYSTEM_SOCKETS /* the system's functions under their own names */
#include <winsock2.h>

#include "sockets.h"
#include <errno.h>
#include <limits.h>
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

/* The last error of a call that failed; a call on a socket that blocks, and came back for want of anything to do, has waited for as long as it was to.
 * Errors that were queued are never waited for. */
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
static ssize_t receive(SOCKET s, void *buf, size_t len, int flags, struct sockaddr *from, socklen_t *fromlen)
{
    int error = len > INT_MAX || (from != NULL && (fromlen == NULL || (int)*fromlen < 0))
                    ? EFAULT
                    : no_place(s, SOCKET_SHUT_RECEIVE);
    if (error != 0)
        return socket_refuse(error);
    struct iovec room = {buf, len};
    struct msghdr message = {.msg_iov = &room, .msg_iovlen = 1, .msg_name = from};
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
    return receive(s, buf, len, flags, NULL, NULL);
}

/* An int or a socklen_t: the same bits. */
ssize_t opensspi_recvfrom(int s, void *buf, size_t len, int flags, struct sockaddr *from, void *fromlen)
{
    socklen_t room = 0;
    if (from == NULL || fromlen == NULL)
        return receive(s, buf, len, flags, from, NULL);
    memcpy(&room, fromlen, sizeof room);
    ssize_t result = receive(s, buf, len, flags, from, &room);
    memcpy(fromlen, &room, sizeof room);
    return result;
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
