/*
 * opensspi-lsad: the embedded authority behind a Unix socket. One thread runs the event loop and owns every structure here; work that may wait runs
 * on worker threads, which see nothing but their own job.
 */
#ifndef OPENSSPI_LSAD_SERVER_H
#define OPENSSPI_LSAD_SERVER_H

#include "core/cause.h"
#include "core/objects.h"
#include "lsa/protocol.h"
#include <sys/types.h>
#include <uv.h>

#define SERVER_BACKLOG 1024
#define GREETING_MS 10000             /* a connection that says nothing, or half a message, so long is ended */
#define TURN_FRAMES 16                /* of one connection; then the others have theirs */
#define OUTPUT_MAX ((size_t)64 << 10) /* more that a connection does not fetch: nothing more is read of it */

/* What one user id has here; the limits are the configuration's. */
struct user {
    struct user *next;
    uid_t uid;
    unsigned n_connections, n_contexts, n_credentials, n_running;
    size_t n_passing, n_kept; /* bytes: of messages that wait or run; of what credentials and contexts were made of */
    struct job *waiting, **waiting_end; /* for a worker */
    uint64_t turn;                      /* when a worker was last given to it, by server.n_turns */
    unsigned n_holders;                 /* connections and objects that point here, and a job that just ended */
};

/* A credential or a context of a client's. */
struct object {
    struct object *next; /* in its bucket */
    uint64_t id;
    struct user *user;
    struct credential *credential; /* one of the two */
    struct context *context;
    struct object
        *stands_on;  /* the credential that it was made of, which it holds: also when that was released; NULL: none */
    size_t n_kept;   /* bytes counted against the user */
    unsigned n_jobs; /* that use it */
    unsigned n_standing; /* objects that stand on it */
    bool ended;          /* is found no more; goes, with its bytes and its place, when nothing of those is left */
};

#define BUCKETS 64

/* A process, and those it forked: whoever knows its name. */
struct client {
    struct client *next;
    uint8_t name[LSA_CLIENT_LEN];
    unsigned n_connections;
    uint64_t last_id;
    struct object *objects[BUCKETS];
};

struct connection {
    uv_pipe_t pipe; /* first: a handle of the loop is the connection */
    struct connection *next, **at;
    struct connection *ready_next; /* among those with frames for another turn */
    struct server *server;
    struct user *user;
    struct client *client;  /* NULL before the greeting */
    struct writer input;    /* bytes that make no whole frame yet, or wait for the job before them or their turn */
    uint64_t since;         /* of the first byte that waits for more, or of the connection; 0: nothing is overdue */
    struct output *sending; /* a write that has not ended; what follows it waits in `output` */
    struct writer output;
    size_t n_output;  /* bytes of replies that the client has not fetched */
    size_t n_counted; /* bytes counted against the user */
    struct job *job;  /* one at a time */
    bool reading, ready, closing, closed;
    bool unheard;         /* its client reads no replies any more */
    bool misused;         /* somebody else than its user sends on it */
    bool sender_is_known; /* of what was read last */
    unsigned n_silent;    /* looks for a sender in a row that found nothing */
};

/* One request. A worker sees the job, what it pins and nothing else. */
struct job {
    uv_work_t work; /* first */
    struct job *next;
    struct connection *connection;
    struct lsa_head head;
    uint8_t *body; /* the job's own copy; NULL while it runs in the loop */
    struct lsa_message message;
    uid_t uid;
    struct object *credential, *context; /* held; NULL where the request names none */
    /* results */
    SECURITY_STATUS status;
    struct writer reply; /* the fields after status and cause */
    char cause[CAUSE_TEXT_MAX];
    struct credential *new_credential; /* becomes the client's */
    struct context *new_context;
    struct object *made; /* what became the client's of these; NULL: nothing */
    bool context_ended, not_here;
    bool may_wait;
};

struct limits {
    unsigned connections, user_connections, user_contexts, user_credentials, workers;
};

struct server {
    uv_loop_t loop;
    uv_pipe_t listener;
    uv_timer_t clock;
    uv_idle_t turn; /* runs while connections are ready */
    uv_signal_t interrupt, terminate;
    struct limits limits;
    struct connection *connections, *ready, **ready_end;
    unsigned n_connections, n_contexts, n_credentials, n_running, n_waiting; /* the latter two: jobs */
    size_t n_passing, n_kept;
    uint64_t n_turns;   /* workers given out so far */
    bool arrival_waits; /* a connection that there was no memory for */
    struct client *clients;
    struct user *users;
};

/* server.c */
bool server_listen(struct server *server, int fd);
void server_run(struct server *server);

/* peer.c: whom the kernel says is at the other end, who connected and who sends. */
bool peer_uid(const uv_pipe_t *pipe, uid_t *uid); /* has it tell the senders, too */
/* Of a socket, and of the connections to one that listens. */
bool peer_senders_told(int fd);
enum peer_input {
    PEER_SENT,    /* *uid is whom the next bytes are of: all that one read gives */
    PEER_SILENT,  /* nothing is there */
    PEER_ENDED,   /* nothing will come; a read tells why */
    PEER_UNKNOWN, /* the kernel did not take down who sent it: before the daemon told it to */
};
enum peer_input peer_sender(const uv_pipe_t *pipe, uid_t *uid);

/* connection.c */
struct connection *connection_begin(struct server *server); /* NULL: no memory */
void connection_admit(struct connection *connection);       /* once it was accepted */
void connection_end(struct connection *connection);
void connection_take_turn(struct connection *connection);
/* The job that it had has its answer: the connection goes on, or away. */
void connection_answer(struct connection *connection, struct job *job);

/* workers.c */
bool job_has_reply(const struct job *job);
void job_release(struct job *job); /* what it points to; wipes */
/* Gives a worker a copy of the job, and of its body. False: no memory. */
bool job_hand_over(struct server *server, const struct job *job, struct slice body);

/* limits.c: what one user may have, and what all may. */
size_t limits_field_max(enum lsa_field field); /* of a request's field; 0: what the body has room for */
SECURITY_STATUS limits_check(const struct server *server, const struct job *job, const char **why);
/* Of a limit for all, what this user may bring them to. */
size_t limits_share(const struct user *user, size_t limit, bool has_little);
bool limits_admit(const struct server *server, const struct user *user); /* counted already */
/* Counts `now` bytes where *counted were; false: that is too many, and they are counted all the same. */
bool bytes_pass(struct server *server, struct user *user, size_t *counted, size_t now);
void bytes_keep(struct server *server, struct object *object, size_t n_bytes);
size_t bytes_of(const struct job *job); /* what is counted of a request that keeps what it brings */

/* objects.c */
struct user *user_hold(struct server *server, uid_t uid); /* NULL: no memory */
void user_drop(struct server *server, struct user *user);
struct client *client_find(struct server *server, struct slice name);
struct client *client_new(struct server *server);
void client_leave(struct server *server, struct client *client);
struct object *object_find(const struct client *client, uint64_t id, bool is_context);
struct object *object_add(struct server *server, const struct connection *connection, struct credential *credential,
                          struct context *context);
void object_stand(struct object *object, struct object *credential); /* on a credential of the same client's */
void object_end(struct server *server, struct client *client, struct object *object);
void object_put(struct server *server, struct client *client, struct object *object);

/* requests.c: a request in three parts. The first and the last run in the loop, the middle one where the first says. */
void job_prepare(struct server *server, struct job *job);
void job_run(struct job *job);
void job_finish(struct server *server, struct job *job);

/* What requests share: the package, and the identity, that a job's message names. */
SECURITY_STATUS job_package(const struct job *job, const struct package **package);
SECURITY_STATUS job_identity(const struct job *job, struct identity *identity);

/* logons.c */
SECURITY_STATUS run_logon(struct job *job, const struct config *config);
SECURITY_STATUS run_prove(struct job *job, const struct config *config);
SECURITY_STATUS run_tickets(struct job *job, const struct config *config);
SECURITY_STATUS run_list_sessions(struct job *job);
SECURITY_STATUS run_describe_session(struct job *job);

/* keys.c */
SECURITY_STATUS run_key(struct job *job, const struct config *config);
SECURITY_STATUS run_sign(struct job *job, const struct config *config);
/* Keys that the configuration names no more are let go of, at the first request that has a newer one. */
void keys_follow(const struct config *config);
void keys_check(
    const struct config *config); /* at the start: says which of the configured keys nobody will get, and why */

/* accept.c */
bool may_be_server(const struct config *config, uid_t uid);
/* Is this root, the daemon's own user, or whom one of the names means: a user, a number, "@group"? */
bool is_one_of(const struct config_list *names, uid_t uid);

/* sandbox.c */
bool sandbox_enter(const char *user, bool *memory_is_locked);

/* log.c */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
