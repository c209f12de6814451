/*
 * A CredSSP handshake that is under way, of either role, and what both do alike (MS-CSSP 3.1.5): TLS, the inner handshake in TSRequests, sealing what
 * only the other side of the inner handshake may read, and the end.
 */
#ifndef OPENSSPI_CREDSSP_HANDSHAKE_H
#define OPENSSPI_CREDSSP_HANDSHAKE_H

#include "core/handshake.h"
#include "credssp/binding.h"
#include "credssp/channel.h"
#include "credssp/request.h"
#include <wincrypt.h>

/* Each state names the only TSRequest that is legal next. */
enum credssp_state {
    CREDSSP_TLS = HANDSHAKE_STATES, /* none: TLS' handshake */
    CREDSSP_CLIENT_NEGO,            /* the server's negoTokens */
    CREDSSP_CLIENT_KEY,             /* the server's pubKeyAuth */
    CREDSSP_SERVER_NEGO,            /* the client's negoTokens, with the last of them perhaps its pubKeyAuth */
    CREDSSP_SERVER_KEY,             /* the client's pubKeyAuth */
    CREDSSP_SERVER_CREDENTIALS,     /* the client's authInfo */
    CREDSSP_STATES,
};

struct credssp_handshake {
    struct handshake base;
    struct credssp_credential *credential; /* the first leg's, held */
    const struct credssp_role *role;
    struct channel channel;
    struct secret public_key; /* the server's */

    void *inner; /* the inner package's handshake: ours, never handed out */
    bool inner_done;
    uint32_t inner_granted;
    int64_t inner_expiry;
    struct session *session; /* of the inner package, once it has ended */
    uint32_t sent, received; /* sealed messages: the sequence numbers */

    uint32_t version; /* in use; 0 until the peer has told its own */
    uint32_t peer_version;
    bool too_old; /* below min_version */
    uint8_t nonce[TS_NONCE_LEN];
    bool has_nonce;

    bool told;            /* ApplyControlToken: TLS is to be shut down, or an alert sent, which the next step does */
    uint32_t server_auth; /* client: CREDSSP_SERVER_AUTH_* */
    bool handed_over;     /* credentials were sent, or came */
    struct secret authorized; /* TSCredentials: as they came, or as the program wants them handed over */
    struct writer refusal;    /* server: the inner package's last word to a client that it refused */
    CERT_TRUST_STATUS trust;  /* client: what is to be said of the server's certificate */
};

SECURITY_STATUS credssp_initiate(void *credential, void **handshake, const struct step_in *in, struct step_out *out);
SECURITY_STATUS credssp_accept(void *credential, void **handshake, const struct step_in *in, struct step_out *out);
void credssp_abandon(void *handshake);
SECURITY_STATUS credssp_query_handshake(const void *handshake, uint32_t attribute, struct attribute *value);
SECURITY_STATUS credssp_control(void *handshake, struct slice token);

/* What a role does: when TLS is open, and with the TSRequest that each state waits for. */
typedef SECURITY_STATUS credssp_request_step(struct credssp_handshake *handshake, const struct ts_request *request,
                                             struct step_out *out);
struct credssp_role {
    /* Before anything is said. NULL: nothing is to be asked. */
    SECURITY_STATUS (*begun)(struct credssp_handshake *handshake);
    SECURITY_STATUS (*opened)(struct credssp_handshake *handshake, struct step_out *out);
    credssp_request_step *steps[CREDSSP_STATES];
    /* A failure once TLS is open: words for the peer. NULL: none. */
    void (*failed)(struct credssp_handshake *handshake, SECURITY_STATUS status, struct step_out *out);
};
extern const struct credssp_role credssp_client, credssp_server;

/* Gives the inner package a token (data NULL: none); its answer goes to `answer`, and its session is there when it has ended. Its status. */
SECURITY_STATUS inner_step(struct credssp_handshake *handshake, struct slice token, struct writer *answer);
/* Seals for the other end of the inner handshake, and opens what it sealed. SEC_E_MESSAGE_ALTERED and the like for anything else. */
SECURITY_STATUS inner_seal(struct credssp_handshake *handshake, struct slice plain, struct writer *sealed);
SECURITY_STATUS inner_unseal(struct credssp_handshake *handshake, struct slice sealed, struct secret *plain);

/* Writes a TSRequest, whose version is put in, as TLS records. */
SECURITY_STATUS request_send(struct credssp_handshake *handshake, struct ts_request *request, struct writer *token);
/* pubKeyAuth of this side, sealed; and the other side's compared with what it has to be: SEC_E_MESSAGE_ALTERED. */
SECURITY_STATUS binding_seal(struct credssp_handshake *handshake, struct writer *sealed);
SECURITY_STATUS binding_check(struct credssp_handshake *handshake, struct slice sealed);
/* Hands the session over and ends the handshake. */
SECURITY_STATUS handshake_finish(struct credssp_handshake *handshake, struct step_out *out);

#endif
