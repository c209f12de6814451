#include "server.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define UID_OVERFLOW \
    65534 /* what the kernel says of a user that it does not know, unless somebody set kernel.overflowuid: then such a greeting ends its connection */

bool peer_senders_told(int fd)
{
    const int on = 1;
    return setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0;
}

bool peer_uid(const uv_pipe_t *pipe, uid_t *uid)
{
    uv_os_fd_t fd;
    struct ucred peer;
    socklen_t len = sizeof peer;
    require(uv_fileno((const uv_handle_t *)pipe, &fd) == 0 && peer_senders_told(fd), false);
    require(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && len == sizeof peer, false);
    *uid = peer.uid;
    return true;
}

/* One byte is looked at, which stays where it is: who sent it sent all that one read gives, since the kernel puts no two senders' bytes into one
 * (unix(7), SO_PASSCRED). There is room for the sender and for nothing else, so that descriptors which come along are not opened here. */
enum peer_input peer_sender(const uv_pipe_t *pipe, uid_t *uid)
{
    uv_os_fd_t fd;
    char byte;
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec bytes = {&byte, sizeof byte};
    struct msghdr message = {
        .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
    *uid = (uid_t)-1;
    require(uv_fileno((const uv_handle_t *)pipe, &fd) == 0, PEER_UNKNOWN);
    ssize_t n;
    do
        n = recvmsg(fd, &message, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? PEER_SILENT : PEER_ENDED;
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    struct ucred sender;
    require(header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_CREDENTIALS &&
                header->cmsg_len >= CMSG_LEN(sizeof sender),
            PEER_UNKNOWN);
    memcpy(&sender, CMSG_DATA(header), sizeof sender);
    *uid = sender.uid;
    return sender.pid == 0 && sender.uid == UID_OVERFLOW ? PEER_UNKNOWN : PEER_SENT;
}
