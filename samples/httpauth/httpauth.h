/* SPDX-License-Identifier: MIT */
/* httpauth.h: HTTP authentication by a security package (RFC 4559; Digest: RFC 7616), the client's side. All calls of SSPI are here. */
#ifndef HTTPAUTH_HTTPAUTH_H
#define HTTPAUTH_HTTPAUTH_H

#include <sspi.h>
#include <stddef.h>

struct auth_options {
    const char *schemes; /* in the order in which they are tried: "Negotiate,NTLM" */
    const char *target;  /* the service's name, "HTTP/www.example.test" */
    const char *uri;     /* what is asked for by GET: Digest signs it */
    const char *user;    /* DOMAIN\user or user@realm; NULL for who is signed on already */
    const char *password;
    BOOL delegate; /* lend the server the user's credentials */
};

/* One server's authentication. Zeroed before AuthInit. */
struct auth {
    const struct auth_options *options;
    char scheme[16]; /* the one chosen; "" before */
    BOOL has_credentials, has_context, done;
    CredHandle credentials;
    CtxtHandle context;
    SecPkgContext_Bindings bindings;
    char *token; /* base64, to be sent with the next request; NULL for none */
};

/* AuthInit begins. `certificate` is the DER certificate that the server's TLS showed, or NULL without TLS: the sign-on is bound to it. FALSE when
 * that cannot be done. AuthTerminate ends and frees. */
BOOL AuthInit(struct auth *auth, const struct auth_options *options, const unsigned char *certificate, size_t len);
void AuthTerminate(struct auth *auth);

/* InitAuthorizationHeader begins a request's sequence with a scheme, TerminateAuthorizationHeader forgets it. */
BOOL InitAuthorizationHeader(struct auth *auth, const char *scheme);
void TerminateAuthorizationHeader(struct auth *auth);

/* Are steps still to come? */
BOOL IsInAuthorizationSequence(const struct auth *auth);

/* ValidateAuthenticationMethods chooses, of the challenges that a server sent, the first scheme of the options; NULL when there is
 * none. The name is written into `scheme`. */
const char *ValidateAuthenticationMethods(const struct auth *auth, const char *const *offered, size_t n_offered,
                                          char scheme[16]);

/* FindToken gives what stands behind a scheme's name among the challenges, base64 text for most, "" for a scheme without any; NULL when the scheme
 * is not there. */
const char *FindToken(const char *scheme, const char *const *offered, size_t n_offered);

/* AddAuthorizationHeader writes "Authorization: ..." with its line's end; FALSE when there is nothing to send or no room. */
BOOL AddAuthorizationHeader(struct auth *auth, char *line, size_t size);

/* AuthConverse takes the server's token (base64, "" for none) and makes the next one. */
SECURITY_STATUS AuthConverse(struct auth *auth, const char *text);

/* Digest is text, and the server speaks first. DigestConverse answers the strongest of its challenges. DigestIsStale: the password was right, and the
 * server wants a newer nonce. DigestProof checks what stood in Authentication-Info. */
BOOL IsDigest(const struct auth *auth);
BOOL DigestIsStale(const char *const *offered, size_t n_offered);
SECURITY_STATUS DigestConverse(struct auth *auth, const char *const *offered, size_t n_offered);
SECURITY_STATUS DigestProof(struct auth *auth, const char *info);

#endif
