#include "lsa/connection.h"

#include "base/fork.h"
#include "base/memory.h"
#include "base/secret.h"
#include "core/cause.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define DAEMONS_MAX 16 /* a process that names more sockets than this gets no further ones */
#define IDLE_MAX 16    /* connections kept for the next request; threads beyond these open their own */
#define SECONDS_TELL 2 /* a message that nobody waits for */
#define LSA_PATH_SIZE sizeof(((struct sockaddr_un *)0)->sun_path)

enum link_state {
    LINK_BUSY, /* somebody's request is on it, or it is being opened */
    LINK_IDLE,
    LINK_ANCHOR, /* nothing is ever asked on it: parent and child have it after fork, so that the daemon keeps the client while either lives */
};

struct link {
    struct link *next, **at; /* among the daemon's */
    enum link_state state;
    int fd;
    struct stat opened; /* the socket, so that a descriptor which the program closed under us is not taken for it */
    uid_t uid;          /* whom the kernel told the daemon that we are */
    uint64_t life;
    uint32_t sequence;
};

struct lsa_daemon {
    char path[LSA_PATH_SIZE];
    uint8_t client[LSA_CLIENT_LEN];
    bool has_client;
    uint64_t life; /* counts the daemons that were behind the socket; the first is 1 */
    struct link *links;
    unsigned n_idle;
    pthread_mutex_t greeting; /* only one first greeting at a time: two would make two clients */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows, and all of a daemon but `greeting` */
static struct lsa_daemon *daemons[DAEMONS_MAX];
static unsigned n_daemons;
static pid_t owner; /* the process whose links these are */

FORK_GUARD(lock, FORK_RANK_LSA)

/* Is the descriptor still our socket? The program may have closed it under us, and opened something else. */
static bool link_is_ours(const struct link *link)
{
    struct stat now;
    return link->fd >= 0 && fstat(link->fd, &now) == 0 && now.st_ino == link->opened.st_ino &&
           now.st_dev == link->opened.st_dev;
}

/* Is this still our socket, and nothing said or ended on it while it was idle? */
static bool link_is_alive(const struct link *link)
{
    char byte;
    return link_is_ours(link) && recv(link->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           (errno == EAGAIN || errno == EWOULDBLOCK);
}

/* Under the lock. */
static void link_remove(struct lsa_daemon *daemon, struct link *link)
{
    daemon->n_idle -= link->state == LINK_IDLE ? 1 : 0;
    *link->at = link->next;
    if (link->next != NULL)
        link->next->at = link->at;
    if (link_is_ours(link))
        close(link->fd);
    mem_free(link);
}

static void link_close(struct lsa_daemon *daemon, struct link *link)
{
    pthread_mutex_lock(&lock);
    link_remove(daemon, link);
    pthread_mutex_unlock(&lock);
}

/* In a child after fork, under the lock: the parent's connections are not for it, and whoever breaks into a child that gave its user up shall neither
 * ask on them nor read the parent's replies. */
static void fork_notice(void)
{
    pid_t now = getpid();
    if (owner == now)
        return;
    for (unsigned i = 0; owner != 0 && i < n_daemons; i++) {
        struct lsa_daemon *daemon = daemons[i];
        pthread_mutex_init(&daemon->greeting, NULL); /* a thread that is not here may have held it */
        for (struct link *link = daemon->links, *next; link != NULL; link = next) {
            next = link->next;
            if (link->state == LINK_IDLE) {
                link_remove(daemon, link);
            } else if (link->state ==
                       LINK_BUSY) { /* a thread that is not here has it, or one whose signal handler forked */
                if (link_is_ours(link))
                    close(link->fd);
                link->fd = -1;
            }
        }
    }
    owner = now;
}

/* Before fork: one of the idle connections becomes what both hold. */
static void anchors_drop(void)
{
    pthread_mutex_lock(&lock);
    fork_notice();
    for (unsigned i = 0; i < n_daemons; i++) {
        struct lsa_daemon *daemon = daemons[i];
        struct link *idle = NULL, *anchor = NULL;
        for (struct link *link = daemon->links, *next; link != NULL; link = next) {
            next = link->next;
            if (link->state == LINK_BUSY)
                continue;
            if (link->life != daemon->life || !link_is_alive(link))
                link_remove(daemon, link);
            else if (link->state == LINK_ANCHOR)
                anchor = link;
            else
                idle = link;
        }
        if (anchor == NULL && idle != NULL) {
            idle->state = LINK_ANCHOR;
            daemon->n_idle--;
        }
    }
    pthread_mutex_unlock(&lock);
}

static void fork_child(void)
{
    pthread_mutex_lock(&lock);
    fork_notice();
    pthread_mutex_unlock(&lock);
}

/* Later than base/fork.c, which is told of locks by constructors: its handlers run inside these, and the lock is free in them. */
static void forks_watch(void)
{
    (void)pthread_atfork(anchors_drop, NULL, fork_child);
}

struct lsa_daemon *lsa_daemon_of(const char *path)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct lsa_daemon *found = NULL;
    if (strlen(path) >= sizeof found->path)
        return NULL;
    (void)pthread_once(&once, forks_watch);
    pthread_mutex_lock(&lock);
    fork_notice();
    for (unsigned i = 0; i < n_daemons && found == NULL; i++)
        if (strcmp(daemons[i]->path, path) == 0)
            found = daemons[i];
    if (found == NULL && n_daemons < DAEMONS_MAX && (found = mem_zalloc(sizeof *found)) != NULL) {
        memcpy(found->path, path, strlen(path) + 1);
        found->life = 1;
        pthread_mutex_init(&found->greeting, NULL);
        daemons[n_daemons++] = found;
    }
    pthread_mutex_unlock(&lock);
    return found;
}

/* The thread may be its process's real user with another effective one: it is whom the kernel would name. */
static struct link *link_take(struct lsa_daemon *daemon)
{
    uid_t uid = geteuid();
    for (;;) {
        pthread_mutex_lock(&lock);
        fork_notice();
        struct link *link = daemon->links;
        while (link != NULL && (link->state != LINK_IDLE || link->uid != uid))
            link = link->next;
        if (link != NULL) {
            link->state = LINK_BUSY;
            daemon->n_idle--;
        }
        pthread_mutex_unlock(&lock);
        if (link == NULL || link_is_alive(link))
            return link;
        link_close(daemon, link);
    }
}

static void link_give(struct lsa_daemon *daemon, struct link *link)
{
    pthread_mutex_lock(&lock);
    fork_notice();
    if (daemon->n_idle < IDLE_MAX && link->life == daemon->life) {
        link->state = LINK_IDLE;
        daemon->n_idle++;
    } else
        link_remove(daemon, link);
    pthread_mutex_unlock(&lock);
}

/* Once another connection holds the client: those of users whom the thread can never be again. While root is among its own it can be anybody, and
 * other threads may be. */
static void links_of_others_close(struct lsa_daemon *daemon)
{
    uid_t own[3];
    if (getresuid(&own[0], &own[1], &own[2]) != 0 || own[0] == 0 || own[1] == 0 || own[2] == 0)
        return;
    pthread_mutex_lock(&lock);
    for (struct link *link = daemon->links, *next; link != NULL; link = next) {
        next = link->next;
        if (link->state != LINK_BUSY && link->uid != own[0] && link->uid != own[1] && link->uid != own[2])
            link_remove(daemon, link);
    }
    pthread_mutex_unlock(&lock);
}

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

static enum lsa_result reply_receive(const struct lsa_daemon *daemon, const struct link *link,
                                     enum lsa_operation operation, struct lsa_reply *reply)
{
    uint8_t bytes[LSA_HEAD_LEN];
    struct lsa_head head;
    if (!all_receive(link->fd, bytes, sizeof bytes))
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
    pthread_mutex_lock(&lock);
    memcpy(client, daemon->client, sizeof client);
    bool known = daemon->has_client;
    pthread_mutex_unlock(&lock);
    if (known)
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
    pthread_mutex_lock(&lock);
    if (known && memcmp(name.data, client, name.len) != 0) /* a new name: it knows nothing of the old one */
        daemon->life++;
    memcpy(daemon->client, name.data, name.len);
    daemon->has_client = true;
    link->life = daemon->life;
    pthread_mutex_unlock(&lock);
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

/* The socket is known to the daemon's list before anything else, for a fork in another thread. NULL: errno says why. */
static struct link *link_make(struct lsa_daemon *daemon)
{
    struct link *link = mem_zalloc(sizeof *link);
    if (link == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    pthread_mutex_lock(&lock);
    fork_notice();
    link->uid = geteuid();
    link->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool made = link->fd >= 0 && fstat(link->fd, &link->opened) == 0;
    int error = errno;
    if (made) {
        link->at = &daemon->links;
        link->next = daemon->links;
        if (link->next != NULL)
            link->next->at = &link->next;
        daemon->links = link;
    } else if (link->fd >= 0)
        close(link->fd);
    pthread_mutex_unlock(&lock);
    if (made)
        return link;
    mem_free(link);
    errno = error;
    return NULL;
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
    links_of_others_close(daemon);
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
    if (result == LSA_NO_MEMORY)
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
