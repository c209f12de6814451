/* What the library remembers of sockets, by their numbers; and how an attempt to connect fares. */
#include "sockets.h"

#include <errno.h>
#include <linux/tcp.h> /* the C library's struct ends before what is asked for here; <winsock2.h> would include that one */
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* A number may be another socket's by now, which close() and dup2() do not tell: the inode says whether it is. Two numbers that meet in one place
 * take it from each other; what is forgotten then is told as the system tells it. Pages that nobody uses cost nothing. */
#define PLACES 65536
#define THINGS_BITS 8
#define THINGS_MASK ((1u << THINGS_BITS) - 1)

/* Of tcpi_state: the kernel's numbers, which its header of this struct leaves out. */
#define STATE_SYN_SENT 2
#define STATE_CLOSE 7

static _Atomic uint64_t places[PLACES]; /* inode, things */

static _Atomic uint64_t *place_of(int s)
{
    return &places[(unsigned)s % PLACES];
}

/* 0: this is no socket. errno stays. */
static uint64_t inode_of(int s)
{
    int before = errno;
    struct stat status;
    uint64_t inode = fstat(s, &status) == 0 && S_ISSOCK(status.st_mode) ? (uint64_t)status.st_ino : 0;
    errno = before;
    return inode << THINGS_BITS;
}

unsigned socket_remembers(int s, unsigned things)
{
    uint64_t kept = atomic_load_explicit(place_of(s), memory_order_acquire);
    if ((kept & things) == 0)
        return 0;
    if ((kept & ~(uint64_t)THINGS_MASK) == inode_of(s))
        return (unsigned)(kept & things);
    atomic_compare_exchange_strong(place_of(s), &kept, 0); /* it is another's, and would cost a call every time */
    return 0;
}

void socket_remember(int s, unsigned things)
{
    uint64_t inode = inode_of(s), kept = atomic_load(place_of(s));
    if (inode == 0)
        return;
    while (!atomic_compare_exchange_weak(place_of(s), &kept,
                                         ((kept & ~(uint64_t)THINGS_MASK) == inode ? kept : inode) | things)) {
    }
}

void socket_forget(int s, unsigned things)
{
    atomic_fetch_and(place_of(s), ~(uint64_t)things);
}

enum socket_attempt socket_attempt(int s)
{
    if (socket_remembers(s, SOCKET_CONNECTING) == 0)
        return ATTEMPT_NONE;
    int before = errno;
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    int asked = getsockopt(s, IPPROTO_TCP, TCP_INFO, &info, &len);
    errno = before;
    if (asked == 0 && info.tcpi_state == STATE_SYN_SENT)
        return ATTEMPT_UNDER_WAY;
    /* A peer that took the connection has acknowledged its beginning, whatever came later. */
    if (asked == 0 && info.tcpi_state == STATE_CLOSE && info.tcpi_bytes_acked == 0)
        return ATTEMPT_FAILED;
    socket_forget(s, SOCKET_CONNECTING | SOCKET_TOLD);
    return ATTEMPT_NONE;
}
