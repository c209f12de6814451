/*
 * Connections of this process to LSA daemons, kept for the next request. A process is one client of a daemon, however many connections it has; a
 * child after fork opens its own, and is the same client, so that handles it inherited go on to work; it keeps one of its parent's, on which neither
 * asks anything from then on. Locks: one for the daemons and their connections, one for each daemon's greeting.
 */
#ifndef OPENSSPI_LSA_CONNECTION_H
#define OPENSSPI_LSA_CONNECTION_H

#include "lsa/protocol.h"
#include <sspi.h>
#include <sys/types.h>

struct lsa_daemon;

/* Is a socket at this path where nobody could have put it but root, this process' user or `other`? Its directory is one of theirs, and no others may
 * write in it: what a client asks before it tells its secrets, and a daemon before it makes the socket. False also where there is no such directory,
 * and for a path without one. */
bool lsa_directory_is_safe(const char *path, uid_t other);

/* The daemon behind a socket; lives as long as the process. NULL: no memory, or a path longer than socket addresses are. */
struct lsa_daemon *lsa_daemon_of(const char *path);

/* A request in the making: its head is written. Release the writer. */
struct writer lsa_request(enum lsa_operation operation);
/* One of few bytes, which needs no memory: it gives back what the daemon has. */
#define LSA_TOLD_MAX 64
struct writer lsa_request_small(enum lsa_operation operation, uint8_t room[LSA_TOLD_MAX]);

/* A reply of no more bytes needs no memory: what the daemon made is known by its number, and can be given back, when there is none. */
#define LSA_REPLY_SMALL 256

/* Stays where it is: `body` and `message` may point into it. */
struct lsa_reply {
    uint8_t *body;
    size_t body_len;
    struct lsa_message message;
    SECURITY_STATUS status;
    uint8_t small[LSA_REPLY_SMALL];
};
void lsa_reply_release(struct lsa_reply *reply); /* wipes; safe on zero */
#define AUTO_REPLY __attribute__((cleanup(lsa_reply_release)))

enum lsa_result {
    LSA_ANSWERED,    /* the reply is there, and the thread's cause is the daemon's */
    LSA_UNREACHABLE, /* nothing was sent: there is no daemon */
    LSA_LOST,        /* the daemon is another one than the request's objects are of */
    LSA_BROKEN,      /* the connection ended before the reply, or the reply is no reply */
    LSA_NO_MEMORY,   /* here; or the request is longer than LSA_BODY_MAX */
};

/* Sends a request and waits for its reply, at most `seconds`. `life` tells of which of the daemon's lives the request's objects are; 0: it names
 * none. Where not NULL, *answered becomes that in which the reply was given. All but the first set a cause. */
enum lsa_result lsa_ask(struct lsa_daemon *daemon, struct writer *request, enum lsa_operation operation,
                        unsigned seconds, uint64_t life, struct lsa_reply *reply, uint64_t *answered);
/* Sends a request that has no reply, if there is a connection to do it with. */
void lsa_tell(struct lsa_daemon *daemon, struct writer *request, uint64_t life);
/* What a failed ask is called: SEC_E_NO_AUTHENTICATING_AUTHORITY, or SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS lsa_result_status(enum lsa_result result);

#endif
