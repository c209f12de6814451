/*
 * A private configuration with an account database that has digest hashes, and both sides of WDigest in one process.
 */
#ifndef OPENSSPI_TESTS_DIGEST_LOOP_H
#define OPENSSPI_TESTS_DIGEST_LOOP_H

#include <sspi.h>
#include <stdbool.h>
#include <stddef.h>

#define DIGEST_REALM "test@example"
#define DIGEST_HTTP 0x10000000u
#define DIGEST_TOKEN 4096

/* Makes a temporary directory with a configuration and a database, and points OPENSSPI_CONFIG there. Accounts of domain EXAMPLE with hashes for
 * DIGEST_REALM: alice "Password1!", "J\u00e4s\u00f8n" "Geheim\u00fc", disabled "Password1!" (disabled); without hashes: undigested "Password1!".
 * `extra` is what comes behind "realms" in [digest]; call again to change it. */
void digest_configure(const char *extra);
void digest_cleanup(void);
const char *digest_database(void);

/* Two channels, as SECBUFFER_CHANNEL_BINDINGS has them. */
struct digest_channel {
    SEC_CHANNEL_BINDINGS head;
    char data[8];
};
extern const struct digest_channel digest_channel, digest_other_channel;

/* One side: its credential, context and what its last call gave. */
struct digest_side {
    CredHandle credential;
    CtxtHandle context;
    char token[DIGEST_TOKEN + 1]; /* NUL-terminated */
    ULONG attributes;
    SECURITY_STATUS acquired; /* what asking for the credential was answered */
    bool has_credential, has_context;
};

/* What a call is given besides. */
struct digest_call {
    ULONG flags;
    const char *target, *method, *uri, *entity; /* client: target; server: uri */
    const char *realm;                          /* server */
    const void *bindings;                       /* a whole SEC_CHANNEL_BINDINGS */
    ULONG bindings_len;
    const char *service; /* client: SECBUFFER_TARGET_HOST */
};

/* Credentials: of `user` (NULL: alice), or the server's. */
void digest_client(struct digest_side *side, const char *user, const char *domain, const char *password);
void digest_server(struct digest_side *side);
/* Configures anew, and has alice's credential and the server's anew: is that done? */
bool digest_sides(struct digest_side *client, struct digest_side *server, const char *extra);
void digest_forget(struct digest_side *side);   /* the context */
void digest_side_end(struct digest_side *side); /* both */

/* One step with the token that came from the peer (NULL or "": none). */
SECURITY_STATUS digest_initiate_step(struct digest_side *side, const struct digest_call *call, const char *token);
SECURITY_STATUS digest_accept_step(struct digest_side *side, const struct digest_call *call, const char *token);

/* HTTP: challenge, answer, decision. The first status that is not what the good case has. */
SECURITY_STATUS digest_http_run(struct digest_side *client, struct digest_side *server, const struct digest_call *call,
                                const struct digest_call *server_call);
/* SASL, to the end of both sides. */
SECURITY_STATUS digest_sasl_run(struct digest_side *client, struct digest_side *server, ULONG client_flags,
                                ULONG server_flags);

/* HTTP by MakeSignature and VerifySignature: a later request of the client's, and an answer of the server's, into `token`. */
SECURITY_STATUS digest_sign(struct digest_side *side, const char *method, const char *uri, const char *entity,
                            char token[DIGEST_TOKEN + 1]);
SECURITY_STATUS digest_verify(struct digest_side *side, const char *method, const char *uri, const char *entity,
                              const char *token);

/* Finds name="value" or name=value in a token, and puts another value in its place; NULL takes the directive out. False: it is not there. */
bool digest_alter(char token[DIGEST_TOKEN + 1], const char *name, const char *value);
bool digest_value(const char *token, const char *name, char *value, size_t size);

#endif
