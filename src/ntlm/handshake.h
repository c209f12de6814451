/*
 * A handshake that is under way, of either role, and the flags that both speak about.
 */
#ifndef OPENSSPI_NTLM_HANDSHAKE_H
#define OPENSSPI_NTLM_HANDSHAKE_H

#include "core/session.h"
#include "ntlm/credential.h"
#include "ntlm/keys.h"
#include "ntlm/messages.h"

/* Each state names the only message that is legal next; the tables in initiate.c and accept.c say what is done with it. */
enum ntlm_state {
    NTLM_CLIENT_BEGIN,     /* nothing yet: NEGOTIATE goes out */
    NTLM_CLIENT_CHALLENGE, /* the server's challenge is due */
    NTLM_SERVER_BEGIN,     /* the client's NEGOTIATE is due, or nothing in a datagram context */
    NTLM_SERVER_PROOF,     /* the client's AUTHENTICATE is due */
    NTLM_DONE,
};

struct ntlm_handshake {
    struct ntlm_credential *credential; /* the context holds it longer than this lives */
    enum ntlm_state state;
    uint32_t asked;   /* ISC_REQ_* or ASC_REQ_* of the first call */
    uint32_t offered; /* flags of the message that went out first: NEGOTIATE by a client, CHALLENGE by a server */
    uint32_t agreed;  /* flags of the AUTHENTICATE, once known */
    char *target;
    bool has_bindings;
    uint8_t bindings[16];               /* hash of the channel bindings */
    struct secret negotiate, challenge; /* the messages as sent, for the MIC */
    uint8_t server_challenge[8];
    struct slice server_pairs; /* in `challenge` */
    uint64_t challenge_ms;     /* when the challenge went out, monotonic */
    struct key16 datagram_key; /* a datagram client chooses its session key first */
    struct ntlm_login prompted;
    bool has_prompted;
};

struct ntlm_handshake *ntlm_handshake_new(struct ntlm_credential *credential, const struct step_in *in,
                                          enum ntlm_state state);
void ntlm_handshake_free(void *handshake);
SECURITY_STATUS ntlm_query_handshake(const void *handshake, uint32_t attribute, struct attribute *value);

typedef SECURITY_STATUS ntlm_step(struct ntlm_handshake *handshake, const struct step_in *in, struct step_out *out);
/* Runs the step that the table has for the handshake's state, and refuses where it has none; the rules of a handshake's life are the same for both roles. */
SECURITY_STATUS ntlm_handshake_step(ntlm_step *const *steps, size_t n_steps, enum ntlm_state first_state,
                                    void *credential, void **handshake, const struct step_in *in, struct step_out *out);

SECURITY_STATUS ntlm_initiate(void *credential, void **handshake, const struct step_in *in, struct step_out *out);
SECURITY_STATUS ntlm_accept(void *credential, void **handshake, const struct step_in *in, struct step_out *out);
bool ntlm_accept_may_wait(void *credential, const void *handshake, const struct step_in *in);

#endif
