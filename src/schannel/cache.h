/*
 * The sessions that a client may resume, by server. One cache a credential, so that nothing that was validated under one policy is resumed under another.
 * Lock: one a cache; the list of all caches, for SslEmptyCache, has its own, which is taken first.
 */
#ifndef OPENSSPI_SCHANNEL_CACHE_H
#define OPENSSPI_SCHANNEL_CACHE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

struct session_cache *session_cache_new(int64_t lifespan_ms);
void session_cache_free(struct session_cache *cache); /* NULL is fine */
/* Keeps a session, in place of one that is there for the same server when it is of TLS 1.2; takes no ownership. `validated`: the server's certificate
 * was validated automatically. */
void session_cache_put(struct session_cache *cache, const char *server, bool validated, SSL_SESSION *session);
/* A session for this server, to be freed with SSL_SESSION_free, or NULL. One of TLS 1.3 is given once (RFC 8446 C.4). */
SSL_SESSION *session_cache_take(struct session_cache *cache, const char *server, bool validated);
/* Forgets the sessions with `server`, or all (NULL), of all caches of the process. */
void session_cache_forget(const char *server);

#endif
