/*
 * The sessions that a client may resume, by server. One cache a credential, so that nothing that was validated under one policy is resumed under
 * another.
 * Lock: one for all caches and their list, which SslEmptyCache goes through.
 */
#ifndef OPENSSPI_SCHANNEL_CACHE_H
#define OPENSSPI_SCHANNEL_CACHE_H

#include "schannel/app_data.h"
#include "schannel/shown.h"
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

/* Where a session comes from. Resuming it gives new ones, which are no younger: so a validation is trusted for one lifespan only. */
struct session_origin {
    bool validated;        /* the peer's certificate was, automatically */
    uint32_t chain_errors; /* CERT_TRUST_ bits that were passed over then */
    int64_t since; /* of clients: steady_now of the full handshake: a computer that sleeps does not stretch it */
    uint8_t identity[SESSION_IDENTITY_LEN];
    struct shown own; /* what this side showed */
};

struct session_cache *session_cache_new(int64_t lifespan); /* FILETIME units */
void session_cache_free(struct session_cache *cache);      /* NULL is fine */
/* Keeps a session, in place of one that is there for the same server when it is of TLS 1.2; takes no ownership, of what `origin` has neither. */
void session_cache_put(struct session_cache *cache, const char *server, const struct session_origin *origin,
                       SSL_SESSION *session);
/* A session for this server, to be freed with SSL_SESSION_free, and `own` of its origin with shown_release; or NULL, and nothing is to be released.
 * `validated`: only one that was. One of TLS 1.3 is given once (RFC 8446 C.4). */
SSL_SESSION *session_cache_take(struct session_cache *cache, const char *server, bool validated,
                                struct session_origin *origin);
/* Forgets the sessions with `server`, or all (NULL), of all caches of the process. */
void session_cache_forget(const char *server);

#endif
