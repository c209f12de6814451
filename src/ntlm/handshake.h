/*
 * A handshake that is under way, of either role, and the flags that both speak about.
 */
#ifndef OPENSSPI_NTLM_HANDSHAKE_H
#define OPENSSPI_NTLM_HANDSHAKE_H

#include "core/handshake.h"
#include "core/session.h"
#include "ntlm/credential.h"
#include "ntlm/keys.h"
#include "ntlm/messages.h"

enum ntlm_state {
    NTLM_CLIENT_BEGIN = HANDSHAKE_STATES, /* nothing yet: NEGOTIATE goes out */
    NTLM_CLIENT_CHALLENGE,                /* the server's challenge is due */
    NTLM_SERVER_BEGIN,                    /* the client's NEGOTIATE is due, or nothing in a datagram context */
    NTLM_SERVER_PROOF,                    /* the client's AUTHENTICATE is due */
};

struct ntlm_handshake {
    struct handshake base;
    struct ntlm_credential *credential; /* the context holds it longer than this lives */
    uint32_t offered; /* flags of the message that went out first: NEGOTIATE by a client, CHALLENGE by a server */
    uint32_t agreed;  /* flags of the AUTHENTICATE, once known */
    struct secret negotiate, challenge; /* the messages as sent, for the MIC */
    uint8_t server_challenge[8];
    struct slice server_pairs; /* in `challenge` */
    uint64_t challenge_ms;     /* when the challenge went out, monotonic */
    struct key16 datagram_key; /* a datagram client chooses its session key first */
    struct ntlm_login prompted;
    bool has_prompted;
};

/* Are a context's messages protected from anybody? A null session's key is encrypted under zeros (MS-NLMP 3.4.5), so that everybody can compute it:
 * peers may sign and seal with it, but nobody is told that it protects. */
static inline bool ntlm_key_is_secret(uint32_t agreed)
{
    return (agreed & NTLM_ANONYMOUS) == 0;
}

extern const struct handshake_kind ntlm_handshake_kind;
void ntlm_abandon(void *handshake);
SECURITY_STATUS ntlm_query_handshake(const void *handshake, uint32_t attribute, struct attribute *value);

SECURITY_STATUS ntlm_initiate(void *credential, void **handshake, const struct step_in *in, struct step_out *out);
SECURITY_STATUS ntlm_accept(void *credential, void **handshake, const struct step_in *in, struct step_out *out);
bool ntlm_accept_may_wait(void *credential, const void *handshake, const struct step_in *in);

#endif
