/*
 * The connections to daemons that a process has, beneath asking on them (connection.c): which of them is whose, which stay, and what becomes of them
 * at fork.
 */
#ifndef OPENSSPI_LSA_LINK_H
#define OPENSSPI_LSA_LINK_H

#include "lsa/connection.h"
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/un.h>

#define LSA_PATH_SIZE sizeof(((struct sockaddr_un *)0)->sun_path)

enum link_state {
    LINK_BUSY, /* somebody's request is on it, or it is being opened */
    LINK_IDLE,
    LINK_ANCHOR, /* nothing is ever asked on it: parent and child have it after fork, so that the daemon keeps the client while either lives */
    LINK_LATE, /* no reply came in time, and none is read any more: kept for the same reason, until another connection stands */
};

struct link {
    struct link *next, **at; /* among the daemon's */
    enum link_state state;
    bool is_late; /* the daemon writes to nobody any more */
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

/* An unused one of the thread's user, which is the caller's now; NULL: none. */
struct link *link_take(struct lsa_daemon *daemon);
/* A new one, not connected; known to the daemon's list before anything else, for a fork in another thread. NULL: errno says why. */
struct link *link_make(struct lsa_daemon *daemon);
/* For the next request; or, where its reply did not come in time, as what the client lives by while there is nothing else. */
void link_give(struct lsa_daemon *daemon, struct link *link);
void link_close(struct lsa_daemon *daemon, struct link *link);
/* Once another connection holds the client: those that are late, and those of users whom the thread can never be again. */
void links_unneeded_close(struct lsa_daemon *daemon);

/* The name that the daemon gave this process; false: none yet. */
bool daemon_client(const struct lsa_daemon *daemon, uint8_t client[LSA_CLIENT_LEN]);
/* It greeted us on this connection by that name. Another than the one that it was asked for: it knows nothing of what was before. */
void daemon_greeted(struct lsa_daemon *daemon, struct link *link, const uint8_t client[LSA_CLIENT_LEN]);

#endif
