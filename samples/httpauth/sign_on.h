/* SPDX-License-Identifier: MIT */
/* sign_on.h: HTTP authentication by a security package (RFC 4559; Digest: RFC 7616), the server's side. All calls of SSPI are here. */
#ifndef HTTPAUTH_SIGN_ON_H
#define HTTPAUTH_SIGN_ON_H

#include <sspi.h>
#include <sspi_ext.h>
#include <stdbool.h>
#include <stddef.h>

#define SCHEMES_MAX 4

enum binding {
    BINDING_REQUIRED, /* who is bound to another TLS connection, or to none, stays out */
    BINDING_ALLOWED,  /* who knows nothing of bindings comes in */
    BINDING_PROXY,    /* TLS ends at a proxy before this server: the service's name has to do */
    BINDING_OFF,
};

struct gate_options {
    const char *schemes;     /* "Negotiate,NTLM"; also Digest */
    const char *realm;       /* Digest's; NULL for the configuration's first */
    const char *principal;   /* whose key the server has; NULL for any of its keytab */
    const char *certificate; /* the PEM file of its TLS; NULL without TLS */
    enum binding binding;
};

/* What all connections share. */
struct gate {
    size_t n_schemes;
    char scheme[SCHEMES_MAX][16];
    CredHandle credentials[SCHEMES_MAX];
    SecPkgContext_Bindings bindings;
    ULONG flags, digest_flags;
    char realm[128];
    bool proxied; /* everybody comes through a proxy */
};

/* Who came in, in words; everything is owned. */
struct visitor {
    char *user, *package, *target;
    const char *scheme;
    ULONG flags;                        /* ASC_RET_* */
    OPENSSPI_CLIENT_IDENTITY *identity; /* NULL where the client is known by name alone */
};

/* One connection. Zeroed at first; one thread at a time. */
struct guest {
    CtxtHandle context;
    bool has_context, in;
    size_t scheme; /* of the context */
    struct visitor visitor;
};

/* What is asked for: Digest's responses are over it. */
struct question {
    const char *method, *uri; /* as they stood in the request's first line */
};

enum verdict {
    VERDICT_IN, /* the visitor is known; `token` goes with the page: as WWW-Authenticate, or Digest's as Authentication-Info */
    VERDICT_MORE, /* 401 with `token` */
    VERDICT_OUT,  /* 401 with the schemes' names alone */
};

/* GateOpen acquires the credentials. What is wrong is told on stderr. GateClose gives them back. */
bool GateOpen(struct gate *gate, const struct gate_options *options);
void GateClose(struct gate *gate);

/* GuestKnock looks at a request's Authorization header, NULL for none. `*token`, where it is not NULL, is the whole WWW-Authenticate value
 * to send; free it with free. `why`, for the log, is set when the verdict is VERDICT_OUT and the header was the cause, else NULL. */
enum verdict GuestKnock(const struct gate *gate, struct guest *guest, const char *header,
                        const struct question *question, char **token, const char **why);
/* What a 401 says of a scheme: its name, or for Digest a challenge, which may be several in one value. Free it with free. */
char *GateOffer(const struct gate *gate, size_t scheme);
bool GateIsDigest(const struct gate *gate, size_t scheme);
/* After the page: a sign-on by NTLM is its connection's, any other one is its request's. Where `shared`, others may ask on the connection too, and
 * NTLM's is its request's as well. */
void GuestServed(const struct gate *gate, struct guest *guest, bool shared);
void GuestForget(struct guest *guest);

#endif
