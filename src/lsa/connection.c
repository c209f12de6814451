#include "lsa/link.h"

#include "base/memory.h"
#include "base/secret.h"
#include "core/cause.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define SECONDS_TELL 2 /* a message that nobody waits for */

static void timeout_set(int fd, unsigned seconds)
{
    const struct timeval limit = {.tv_sec = (time_t)seconds};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

/* The daemon takes what comes from the connection's user alone. The kernel names the real user by itself; where another one connected it is asked to
 * name that one, which it does while the thread is he, or can be. */
static ssize_t bytes_send(const struct link *link, const uint8_t *data, size_t len)
{
    if (getuid() == link->uid)
        return send(link->fd, data, len, MSG_NOSIGNAL);
    const struct ucred sender = {.pid = getpid(), .uid = link->uid, .gid = getegid()};
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof sender)];
    } control = {{0}};
    struct iovec bytes = {(void *)(uintptr_t)data, len};
    struct msghdr message = {
        .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_len = CMSG_LEN(sizeof sender);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_CREDENTIALS;
    memcpy(CMSG_DATA(header), &sender, sizeof sender);
    return sendmsg(link->fd, &message, MSG_NOSIGNAL);
}

static bool all_send(const struct link *link, const uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t sent = bytes_send(link, data, len);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        data += sent;
        len -= (size_t)sent;
    }
    return true;
}

static bool all_receive(int fd, uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t got = recv(fd, data, len, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            errno = ECONNRESET; /* the end: no answer is late */
        if (got <= 0)
            return false;
        data += got;
        len -= (size_t)got;
    }
    return true;
}

void lsa_reply_release(struct lsa_reply *reply)
{
    if (reply->body != NULL)
        secret_wipe(reply->body, reply->body_len);
    if (reply->body != reply->small)
        mem_free(reply->body);
    *reply = (struct lsa_reply){0};
}

static enum lsa_result broken(const struct lsa_daemon *daemon)
{
    (void)cause_set(SEC_E_NO_AUTHENTICATING_AUTHORITY,
                    "the security authority at %s ended the connection, or gave no proper answer in time",
                    daemon->path);
    return LSA_BROKEN;
}

static enum lsa_result no_memory(void)
{
    (void)cause_set(
        SEC_E_INSUFFICIENT_MEMORY,
        "no memory to ask the security authority with, or for its answer; or the request has more than %zu bytes",
        LSA_BODY_MAX);
    return LSA_NO_MEMORY;
}

/* A long reply that there is no memory for is read all the same: the connection may be the last one, with whose end the daemon lets go of everything
 * that this process has. */
static enum lsa_result reply_skip(const struct lsa_daemon *daemon, const struct link *link, size_t len)
{
    uint8_t bytes[1024];
    enum lsa_result result = no_memory();
    while (len > 0 && result == LSA_NO_MEMORY) {
        size_t piece = len < sizeof bytes ? len : sizeof bytes;
        if (!all_receive(link->fd, bytes, piece))
            result = broken(daemon);
        len -= piece;
    }
    secret_wipe(bytes, sizeof bytes);
    return result;
}

/* A reply's begin, in time or this very moment. From then on a late one finds nobody, and the daemon takes back what nobody will learn the name of.
 */
static bool head_receive(struct link *link, uint8_t bytes[LSA_HEAD_LEN])
{
    if (all_receive(link->fd, bytes, LSA_HEAD_LEN))
        return true;
    link->is_late = (errno == EAGAIN || errno == EWOULDBLOCK) && shutdown(link->fd, SHUT_RD) == 0;
    return link->is_late && all_receive(link->fd, bytes, LSA_HEAD_LEN);
}

static enum lsa_result reply_receive(const struct lsa_daemon *daemon, struct link *link, enum lsa_operation operation,
                                     struct lsa_reply *reply)
{
    uint8_t bytes[LSA_HEAD_LEN];
    struct lsa_head head;
    if (!head_receive(link, bytes))
        return broken(daemon);
    struct reader reader = reader_of(slice_of(bytes, sizeof bytes));
    if (lsa_head_read(&reader, &head) != WIRE_OK || !head.reply || head.operation != (uint8_t)operation ||
        head.sequence != link->sequence || head.version != LSA_PROTOCOL_VERSION)
        return broken(daemon);
    reply->body = head.body_len <= sizeof reply->small ? reply->small : mem_zalloc(head.body_len);
    if (reply->body == NULL)
        return reply_skip(daemon, link, head.body_len);
    reply->body_len = head.body_len;
    if (!all_receive(link->fd, reply->body, reply->body_len) ||
        lsa_body_read(slice_of(reply->body, reply->body_len), operation, true, &reply->message) != WIRE_OK)
        return broken(daemon);
    reply->status = (SECURITY_STATUS)(uint32_t)lsa_number(&reply->message, LSA_STATUS);
    return LSA_ANSWERED;
}

static enum lsa_result link_ask(const struct lsa_daemon *daemon, struct link *link, struct writer *request,
                                enum lsa_operation operation, struct lsa_reply *reply)
{
    writer_patch_u32le(request, 8, ++link->sequence);
    if (!all_send(link, request->data, request->len))
        return broken(daemon);
    return reply_receive(daemon, link, operation, reply);
}

/* The caller holds the daemon's greeting lock. */
static enum lsa_result link_greet(struct lsa_daemon *daemon, struct link *link)
{
    AUTO_REPLY struct lsa_reply reply = {0};
    AUTO_WRITER struct writer request = lsa_request(LSA_HELLO);
    uint8_t client[LSA_CLIENT_LEN];
    if (daemon_client(daemon, client))
        lsa_bytes_write(&request, LSA_CLIENT, slice_of(client, sizeof client));
    if (lsa_body_end(&request) != WIRE_OK)
        return no_memory();
    enum lsa_result result = link_ask(daemon, link, &request, LSA_HELLO, &reply);
    if (result != LSA_ANSWERED)
        return result;
    if (reply.status != SEC_E_OK) {
        const char *why = lsa_text(&reply.message, LSA_CAUSE);
        (void)cause_set(reply.status, "the security authority at %s: %s", daemon->path, why != NULL ? why : "no");
        return LSA_BROKEN;
    }
    struct slice name = reply.message.field[LSA_CLIENT];
    if (name.len != LSA_CLIENT_LEN)
        return broken(daemon);
    daemon_greeted(daemon, link, name.data);
    return LSA_ANSWERED;
}

static enum lsa_result unreachable(const struct lsa_daemon *daemon, int error)
{
    (void)cause_set(SEC_E_NO_AUTHENTICATING_AUTHORITY, "the security authority at %s cannot be reached: %s",
                    daemon->path, strerror(error));
    /* A daemon that is there and has no time, and a process without descriptors, are no reason to do without one ("auto"). */
    return error == EAGAIN || error == ETIMEDOUT || error == EINPROGRESS || error == EMFILE || error == ENFILE ||
                   error == ENOMEM || error == ENOBUFS
               ? LSA_BROKEN
               : LSA_UNREACHABLE;
}

bool lsa_directory_is_safe(const char *path, uid_t other)
{
    char directory[LSA_PATH_SIZE];
    struct stat status;
    const char *slash = strrchr(path, '/');
    if (slash == NULL || (size_t)(slash - path) >= sizeof directory)
        return false;
    size_t len = slash == path ? 1 : (size_t)(slash - path); /* the root directory is its own slash */
    memcpy(directory, path, len);
    directory[len] = '\0';
    return stat(directory, &status) == 0 && S_ISDIR(status.st_mode) && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
           (status.st_uid == 0 || status.st_uid == geteuid() || status.st_uid == other);
}

/* May whoever listens there have our secrets? Root and we ourselves may; and whoever else, where nobody but he, root and we could have put a socket.
 * */
static bool peer_is_trusted(const struct lsa_daemon *daemon, int fd, uid_t *uid)
{
    struct ucred peer = {.uid = (uid_t)-1};
    socklen_t len = sizeof peer;
    bool is_known = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && len == sizeof peer;
    *uid = peer.uid;
    if (!is_known || peer.uid == 0 || peer.uid == geteuid())
        return is_known;
    return lsa_directory_is_safe(daemon->path, peer.uid);
}

static enum lsa_result mistrusted(const struct lsa_daemon *daemon, uid_t uid)
{
    (void)cause_set(SEC_E_NO_AUTHENTICATING_AUTHORITY,
                    "at %s user %ld answers, who is not root, in a directory where others may put a socket: it is told "
                    "nothing",
                    daemon->path, (long)(int32_t)uid);
    return LSA_BROKEN;
}

static enum lsa_result link_open(struct lsa_daemon *daemon, unsigned seconds, struct link **opened)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct link *link = link_make(daemon);
    if (link == NULL)
        return errno == ENOMEM ? no_memory() : unreachable(daemon, errno);
    memcpy(address.sun_path, daemon->path, sizeof address.sun_path);
    timeout_set(link->fd, seconds);
    int failed;
    do
        failed = connect(link->fd, (const struct sockaddr *)&address, sizeof address);
    while (failed != 0 && errno == EINTR);
    if (failed != 0) {
        int error = errno;
        link_close(daemon, link);
        return unreachable(daemon, error);
    }
    uid_t peer;
    if (!peer_is_trusted(daemon, link->fd, &peer)) {
        link_close(daemon, link);
        return mistrusted(daemon, peer);
    }
    pthread_mutex_lock(&daemon->greeting);
    enum lsa_result result = link_greet(daemon, link);
    pthread_mutex_unlock(&daemon->greeting);
    if (result != LSA_ANSWERED) {
        link_close(daemon, link);
        return result;
    }
    links_unneeded_close(daemon);
    *opened = link;
    return LSA_ANSWERED;
}

struct writer lsa_request(enum lsa_operation operation)
{
    struct writer request = writer_growing(1024);
    lsa_head_write(&request, operation, false, 0);
    return request;
}

struct writer lsa_request_small(enum lsa_operation operation, uint8_t room[LSA_TOLD_MAX])
{
    struct writer request = writer_fixed(room, LSA_TOLD_MAX);
    lsa_head_write(&request, operation, false, 0);
    return request;
}

static enum lsa_result lost(const struct lsa_daemon *daemon)
{
    (void)cause_set(
        SEC_E_NO_AUTHENTICATING_AUTHORITY,
        "the security authority at %s was started anew, or let go of this process with its last connection: it "
        "knows nothing of what was begun before",
        daemon->path);
    return LSA_LOST;
}

enum lsa_result lsa_ask(struct lsa_daemon *daemon, struct writer *request, enum lsa_operation operation,
                        unsigned seconds, uint64_t life, struct lsa_reply *reply, uint64_t *answered)
{
    if (lsa_body_end(request) != WIRE_OK)
        return no_memory();
    struct link *link = link_take(daemon);
    if (link == NULL) {
        enum lsa_result opened = link_open(daemon, seconds, &link);
        if (opened != LSA_ANSWERED)
            return opened;
    }
    if (life != 0 && link->life != life) {
        link_give(daemon, link);
        return lost(daemon);
    }
    timeout_set(link->fd, seconds);
    enum lsa_result result = link_ask(daemon, link, request, operation, reply);
    if (result == LSA_NO_MEMORY || (result != LSA_ANSWERED && link->is_late))
        link_give(daemon, link);
    else if (result != LSA_ANSWERED)
        link_close(daemon, link);
    if (result != LSA_ANSWERED) {
        lsa_reply_release(reply);
        return result;
    }
    if (answered != NULL)
        *answered = link->life;
    const char *why = lsa_text(&reply->message, LSA_CAUSE);
    if (why != NULL)
        (void)cause_set(reply->status, "%s", why);
    link_give(daemon, link);
    return LSA_ANSWERED;
}

void lsa_tell(struct lsa_daemon *daemon, struct writer *request, uint64_t life)
{
    if (lsa_body_end(request) != WIRE_OK)
        return;
    bool quiet = *cause_text() == '\0'; /* what fails here is nobody's failure */
    struct link *link = link_take(daemon);
    if (link == NULL && link_open(daemon, SECONDS_TELL, &link) != LSA_ANSWERED) {
        if (quiet)
            cause_drop();
        return; /* a daemon that is gone has let go of everything */
    }
    timeout_set(link->fd, SECONDS_TELL);
    writer_patch_u32le(request, 8, ++link->sequence);
    if (link->life == life && !all_send(link, request->data, request->len))
        link_close(daemon, link);
    else
        link_give(daemon, link);
}

SECURITY_STATUS lsa_result_status(enum lsa_result result)
{
    return result == LSA_NO_MEMORY ? SEC_E_INSUFFICIENT_MEMORY : SEC_E_NO_AUTHENTICATING_AUTHORITY;
}
