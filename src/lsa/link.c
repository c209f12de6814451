#include "lsa/link.h"

#include "base/fork.h"
#include "base/memory.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DAEMONS_MAX 16 /* a process that names more sockets than this gets no further ones */
#define IDLE_MAX 16    /* connections kept for the next request; threads beyond these open their own */

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

void link_close(struct lsa_daemon *daemon, struct link *link)
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
            if (link->state == LINK_BUSY || link->state == LINK_LATE)
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
struct link *link_take(struct lsa_daemon *daemon)
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

/* Nobody reads it any more; is the daemon still at its other end? */
static bool late_is_alive(const struct link *link)
{
    struct pollfd ended = {.fd = link->fd};
    return link_is_ours(link) && poll(&ended, 1, 0) == 0;
}

/* Under the lock. Does a link stand that is no request's? The client lives by it then. */
static bool client_stands(const struct lsa_daemon *daemon)
{
    for (const struct link *link = daemon->links; link != NULL; link = link->next)
        if (link->life == daemon->life && link->state != LINK_BUSY &&
            (link->state == LINK_LATE ? late_is_alive(link) : link_is_alive(link)))
            return true;
    return false;
}

void link_give(struct lsa_daemon *daemon, struct link *link)
{
    pthread_mutex_lock(&lock);
    fork_notice();
    if (link->is_late && link->life == daemon->life && !client_stands(daemon)) {
        link->state = LINK_LATE;
    } else if (!link->is_late && daemon->n_idle < IDLE_MAX && link->life == daemon->life) {
        link->state = LINK_IDLE;
        daemon->n_idle++;
    } else {
        link_remove(daemon, link);
    }
    pthread_mutex_unlock(&lock);
}

/* Can the thread be this user again? While root is among its own it can be anybody, and other threads may be. */
static bool may_be(const uid_t own[3], uid_t uid)
{
    for (unsigned i = 0; i < 3; i++)
        if (own[i] == 0 || own[i] == uid)
            return true;
    return false;
}

void links_unneeded_close(struct lsa_daemon *daemon)
{
    uid_t own[3] = {0};
    (void)getresuid(&own[0], &own[1], &own[2]);
    pthread_mutex_lock(&lock);
    for (struct link *link = daemon->links, *next; link != NULL; link = next) {
        next = link->next;
        if (link->state == LINK_LATE || (link->state != LINK_BUSY && !may_be(own, link->uid)))
            link_remove(daemon, link);
    }
    pthread_mutex_unlock(&lock);
}

struct link *link_make(struct lsa_daemon *daemon)
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

bool daemon_client(const struct lsa_daemon *daemon, uint8_t client[LSA_CLIENT_LEN])
{
    pthread_mutex_lock(&lock);
    memcpy(client, daemon->client, LSA_CLIENT_LEN);
    bool known = daemon->has_client;
    pthread_mutex_unlock(&lock);
    return known;
}

void daemon_greeted(struct lsa_daemon *daemon, struct link *link, const uint8_t client[LSA_CLIENT_LEN])
{
    pthread_mutex_lock(&lock);
    if (daemon->has_client && memcmp(client, daemon->client, LSA_CLIENT_LEN) != 0)
        daemon->life++;
    memcpy(daemon->client, client, LSA_CLIENT_LEN);
    daemon->has_client = true;
    link->life = daemon->life;
    pthread_mutex_unlock(&lock);
}
