/*
 * The TLS channel of a CredSSP handshake: Schannel's handshake and session, by the registry's tables alone, and the TSRequests that travel in its
 * records.
 */
#ifndef OPENSSPI_CREDSSP_CHANNEL_H
#define OPENSSPI_CREDSSP_CHANNEL_H

#include "base/secret.h"
#include "core/session.h"
#include "credssp/credential.h"
#include <wincrypt.h>

#define CREDSSP_TOKEN_MAX 73032 /* what Windows reports; no TSRequest is longer */
#define TSSSP_TOKEN_MAX 13000

struct channel {
    const struct credssp_credential *credential; /* whoever holds the channel holds it longer */
    bool initiator;
    char *host;              /* the server's name in the target */
    void *handshake;         /* Schannel's: it lives on after its end */
    struct session *session; /* NULL until it has ended */
    struct writer received;  /* of a TSRequest that is not whole yet */
    PCCERT_CONTEXT shown;    /* TSSSP: the certificate that the program showed, in place of all of these but `host` */
};

SECURITY_STATUS channel_init(struct channel *channel, const struct credssp_credential *credential, bool initiator,
                             const char *target);
void channel_release(struct channel *channel);

/* A step of Schannel's handshake with what the caller gave; its answer goes to `out`. SEC_E_OK ends it, the first time with channel->session. */
SECURITY_STATUS channel_step(struct channel *channel, const struct step_in *in, struct step_out *out);

/* Takes records off the front of `input` until a TSRequest is whole, or no whole record is left. SEC_E_OK: it is in channel->received, for the caller
 * to empty; SEC_I_CONTINUE_NEEDED: more records are needed; SEC_E_INCOMPLETE_MESSAGE: not even one record is whole, and *missing bytes are; or an
 * error. What TLS itself has to answer goes to `out->token`. *left are bytes that were not used. */
SECURITY_STATUS channel_receive(struct channel *channel, struct slice input, struct step_out *out, size_t *left);
/* Appends `plain` in TLS records. */
SECURITY_STATUS channel_send(struct channel *channel, struct slice plain, struct writer *token);

/* TSSSP: takes the server's certificate as programs show it, a 32-bit length before its DER. More of them may follow; the first is the server's. The
 * first call counts. SEC_E_INVALID_TOKEN. */
SECURITY_STATUS channel_show(struct channel *channel, struct slice certificates);

/* The server's SubjectPublicKey: the BIT STRING's content. */
SECURITY_STATUS channel_public_key(const struct channel *channel, struct secret *key);
/* Does the server's certificate vouch for its name? Told by TLS' own validation where the program asked for it, else found out here. `status` is what
 * its chain looks like. SEC_E_OK; SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS channel_server_trusted(const struct channel *channel, bool *trusted, CERT_TRUST_STATUS *status);

#endif
