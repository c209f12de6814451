/*
 * A handshake of Digest that is under way, of either role.
 */
#ifndef OPENSSPI_DIGEST_HANDSHAKE_H
#define OPENSSPI_DIGEST_HANDSHAKE_H

#include "core/handshake.h"
#include "core/session.h"
#include "digest/credential.h"
#include "digest/directives.h"
#include "digest/nonce.h"
#include "digest/params.h"

enum digest_state {
    DIGEST_CLIENT_CHALLENGE = HANDSHAKE_STATES, /* the server's challenge is due, or nothing yet on the first call */
    DIGEST_CLIENT_PROOF,                        /* the server's proof is due */
    DIGEST_SERVER_RESPONSE, /* the client's response is due, or nothing: then a challenge goes out */
};

#define STALE_MAX \
    3 /* challenges that a client answers in one handshake: a server that finds every nonce stale is none */

struct digest_handshake {
    struct handshake base;
    struct digest_credential *credential; /* the context holds it longer than this lives */
    bool http;
    uint32_t own_max;
    struct digest_terms terms;
    /* client */
    bool begun, has_prompted;
    struct digest_login prompted;
    unsigned n_challenges;
    /* server */
    char *realm;
    char nonce[NONCE_LEN + 1]; /* of the challenge that went out; "": none did */
};

extern const struct handshake_kind digest_handshake_kind;
void digest_abandon(void *handshake);
SECURITY_STATUS digest_query_handshake(const void *handshake, uint32_t attribute, struct attribute *value);

/* What the client's nonce begins with when it is bound: H(service:binding) (draft-santesson-digestbind-01). False: no memory. */
MUST_USE bool digest_binding_prefix(struct slice service, struct slice binding, struct writer *cnonce);

/* Writes the record of the session that the terms make. */
SECURITY_STATUS digest_record_write(struct digest_handshake *handshake, const struct account *account,
                                    struct step_out *out);
/* The flags that an established context shows. */
uint32_t digest_flags(const struct digest_handshake *handshake);

SECURITY_STATUS digest_initiate(void *credential, void **handshake, const struct step_in *in, struct step_out *out);
SECURITY_STATUS digest_accept(void *credential, void **handshake, const struct step_in *in, struct step_out *out);
bool digest_accept_may_wait(void *credential, const void *handshake, const struct step_in *in);

#endif
