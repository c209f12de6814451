/*
 * Credentials and contexts: what the handles stand for.
 */
#ifndef OPENSSPI_CORE_OBJECTS_H
#define OPENSSPI_CORE_OBJECTS_H

#include "core/handle.h"
#include "core/session.h"
#include <pthread.h>
#include <stdatomic.h>

/* Immutable but for the package's own part, which locks itself. Counted: its handle, a server's context that keeps it (`service`), and contexts of
 * the daemon. Other contexts hold its handle's slot while they walk their handshake (`credential_ref`). */
struct credential {
    atomic_uint n_references;
    const struct package *package;
    const struct package_authority *authority; /* who answers for it: the package's own table, or a daemon's client */
    const struct config *config;
    uint32_t use;
    int64_t expiry;
    bool lent; /* stands for several handles, of those who act for one client: none of them may change it */
    void *own;
};

enum context_state {
    CONTEXT_FRESH,       /* made, no step has succeeded */
    CONTEXT_HANDSHAKE,   /* more steps to come; a datagram context may have a session already */
    CONTEXT_ESTABLISHED, /* a session is there */
    CONTEXT_FAILED,      /* a step failed: only deletion is left */
};

/* Three locks, always taken in the order handshake, send, receive. A handshake step holds the first; message calls one of the others; the session
 * pointer changes under all three. */
struct context {
    const struct package *package;
    struct credential *credential;    /* while in handshake; context_credential_set */
    struct handle_ref credential_ref; /* what holds it; slot NULL: it is counted */
    /* A server's own, kept where what it got of its client is of use with that alone; else NULL. */
    struct credential *service;
    bool initiator;
    enum context_state state;
    uint32_t flags_asked; /* latched on the first call */
    char *target;
    uint32_t granted;
    SECURITY_STATUS status; /* of the last step that the handshake made */
    int64_t expiry;
    void *handshake;
    struct session *session;
    struct sasl *sasl; /* of a context begun by the SASL functions (src/sasl); NULL for the others */
    void (*sasl_free)(struct sasl *sasl);
    /* The client's access token, made when it is first asked for, and the handle that was given out as the context's own. Both zero before. */
    SecHandle token, token_shown;
    pthread_mutex_t handshake_lock, send_lock, receive_lock;
};

/* Acquires a credential of a package by its own table; on SEC_E_OK the caller's. */
typedef SECURITY_STATUS credential_acquirer(const struct package *package, const struct acquire_request *request,
                                            struct credential **credential);
credential_acquirer credential_acquire;
/* For a package that stands on another one's handshake: the same, or a daemon's, as whoever chooses (src/lsa) says. */
credential_acquirer credential_acquire_chosen;
void credential_chosen_by(credential_acquirer *chooses);

struct credential *credential_new(const struct package *package, const struct config *config, uint32_t use);
/* Hands a credential over that a package has filled, or drops it where the package failed; gives the status back. */
SECURITY_STATUS credential_give(SECURITY_STATUS status, struct credential *filled, struct credential **credential);
struct credential *credential_retain(struct credential *credential);
void credential_put(struct credential *credential); /* NULL is fine */
/* What a credential has of this package's: its own part, or that of one that its package chooses from; borrowed. NULL: nothing. */
void *credential_part(const struct credential *credential, const struct package *package);

struct context *context_new(const struct package *package, bool initiator);
/* Gives a context its credential by the reference of a look-up, which it takes: so no other count is written, which other threads write as well. What
 * it had it puts. */
void context_credential_set(struct context *context, struct handle_ref *ref);
/* Takes the credential away; NULL is fine. */
void context_credential_drop(struct context *context);
/* Is it of a package whose messages are a stream of records (TLS)? */
static inline bool context_is_stream(const struct context *context)
{
    return (context->package->info.capabilities & SECPKG_FLAG_STREAM) != 0;
}
/* Gives a context its session, or none, and closes the one it had: a datagram context that was used before its handshake ended gets a second. Message
 * calls do not hold the first meanwhile. */
void context_session_set(struct context *context, struct session *session);
void context_free(void *context);

#endif
