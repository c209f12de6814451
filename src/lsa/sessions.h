/*
 * Logon sessions: who logged on, and the credentials that those who log on leave with the authority. In a daemon each belongs to the user id that
 * made it; within a process without one, to the process. Lock: one mutex; sessions are counted, and whoever uses one holds it.
 */
#ifndef OPENSSPI_LSA_SESSIONS_H
#define OPENSSPI_LSA_SESSIONS_H

#include "core/package.h"
#include <sys/types.h>

#define SESSIONS_MAX 4096 /* in all; a machine with more users logs them on through a directory */
#define SESSIONS_OF_A_USER_MAX 64

/* The values of SECURITY_LOGON_TYPE that there are here. */
enum session_logon {
    SESSION_INTERACTIVE = 2,     /* proved, and the credentials stay */
    SESSION_NETWORK = 3,         /* proved, and nothing stays */
    SESSION_NEW_CREDENTIALS = 9, /* not proved, and the credentials stay for what is outbound */
};

struct logon_proof;

struct session_request {
    const struct config *config;
    const struct package *package;
    const struct identity *identity;
    enum session_logon type;
    uid_t owner;
    struct logon_proof *proof; /* gets what the proof leaves, of which a token is made; NULL: nobody wants one */
};

/* What is told of a session; texts belong to it. */
struct logon_session {
    uint64_t id;
    uid_t owner;
    enum session_logon type;
    int64_t time;
    const char *package, *user, *domain;
};

/* Proves the identity as the type asks, and makes a session. An interactive one, or one of new credentials, is from then on where its owner's default
 * credentials come from. The package's own status; SEC_E_UNSUPPORTED_FUNCTION for another type; SEC_E_INSUFFICIENT_MEMORY also at the limits. May
 * wait for KDCs. */
SECURITY_STATUS sessions_log_on(const struct session_request *request, uint64_t *id);
/* An identity of a name alone: proves that the user exists, with what this computer's service may say of itself (MS-SFU), and makes a network
 * session; SEC_E_UNSUPPORTED_FUNCTION for another type. */
SECURITY_STATUS sessions_log_on_s4u(const struct session_request *request, uint64_t *id);
/* Ends its lease as well. SEC_E_INVALID_HANDLE: there is no such session of `owner`; uid 0 may end everybody's. id 0: the one that defaults come
 * from. */
SECURITY_STATUS sessions_log_off(uint64_t id, uid_t owner);

/* The ids of those that `viewer` may see: its own, or for uid 0 all. mem_free them. */
SECURITY_STATUS sessions_list(uid_t viewer, uint64_t **ids, size_t *n_ids);
/* Finds one and holds it; id 0: the one that defaults come from. SEC_E_INVALID_HANDLE when there is none that the viewer may see. */
SECURITY_STATUS sessions_find(uint64_t id, uid_t viewer, const struct logon_session **session);
/* The session that the owner's default credentials come from, held; NULL: none. */
const struct logon_session *sessions_default(uid_t owner);
void sessions_put(const struct logon_session *session); /* NULL is fine */
/* Lets a request for default credentials draw on a session, which is held while the request is used; whoever keeps something of it has its lease. May
 * wait for KDCs. */
void sessions_lend(const struct logon_session *session, struct acquire_request *request);

struct tickets_request;
/* What a package answers of the tickets that a session has (core/tickets.h); `id` and `viewer` as of sessions_find. Has tickets got anew where one is
 * wanted, and not to list or purge them; who drew on the session learns of a purge by the lease. */
SECURITY_STATUS sessions_tickets(uint64_t id, uid_t viewer, const struct package *package,
                                 const struct tickets_request *request, struct writer *answer);

#endif
