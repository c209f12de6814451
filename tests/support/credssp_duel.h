/*
 * One honest end of CredSSP against one that a test plays: TLS by Schannel, the inner handshake by Negotiate, every TSRequest in the test's hands.
 */
#ifndef OPENSSPI_TESTS_CREDSSP_DUEL_H
#define OPENSSPI_TESTS_CREDSSP_DUEL_H

#include "support/credssp_loop.h"

#include "credssp/request.h"

#define SEALED_MAX 4096

struct bytes {
    unsigned char data[SEALED_MAX];
    size_t len;
};

/* How a duel is fought. */
#define DUEL_PLAY_CLIENT 1 /* else the server */
#define DUEL_BARE 2        /* by TSSSP: without TLS, which nobody plays then */
#define DUEL_KEEP 4        /* with credentials that later duels of this kind use again, and the process keeps */

struct credssp_duel {
    unsigned kind;
    struct side honest, played; /* CREDSSP; Schannel */
    CredHandle nego_credential;
    CtxtHandle nego;
    bool nego_begun, nego_done;
    bool signs_alone;          /* a played client's Negotiate asks for no confidentiality; set before the first token */
    struct wire text;          /* of the TSRequest that `request` points into */
    struct ts_request request; /* the last that came */
    struct bytes token;        /* what the played end's Negotiate wants sent */
    struct bytes nonce, key;   /* the client's; the server's TLS key */
};

/* TLS 1.2 is established, and a played server has the client's first TSRequest. Configure first. */
struct credssp_duel *credssp_duel_begin(bool play_client);
struct credssp_duel *credssp_duel_open(unsigned kind);
/* One more step of the honest end's, with nothing new. */
SECURITY_STATUS credssp_duel_again(struct credssp_duel *duel);
void credssp_duel_end(struct credssp_duel *duel);
/* Sends a TSRequest to the honest end, which takes its step: its status. What it answers is in duel->request, if it answers at all. */
SECURITY_STATUS credssp_duel_send(struct credssp_duel *duel, const struct ts_request *request);
/* The same with whatever bytes. */
SECURITY_STATUS credssp_duel_send_raw(struct credssp_duel *duel, const void *data, size_t len);
/* The played end's Negotiate takes the last request's token. */
void credssp_duel_nego(struct credssp_duel *duel);
/* The same, where it may refuse: false, and the played end has nothing more to say inside. */
bool credssp_duel_nego_try(struct credssp_duel *duel);
/* The inner handshake through to its end on both sides: a played server has the client's pubKeyAuth in duel->request, a played client owes its own.
 * The version is told in every TSRequest. */
void credssp_duel_authenticate(struct credssp_duel *duel, uint32_t version);
void credssp_duel_seal(struct credssp_duel *duel, const void *data, size_t len, struct bytes *sealed);
/* What pubKeyAuth of `server` or client has to be. */
void credssp_duel_binding(struct credssp_duel *duel, bool server, uint32_t version, struct bytes *sealed);

static inline struct slice bytes_slice(const struct bytes *bytes)
{
    return slice_of(bytes->data, bytes->len);
}

#endif
