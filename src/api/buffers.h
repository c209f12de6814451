/*
 * The rules of SecBufferDesc, which no floor below knows.
 */
#ifndef OPENSSPI_API_BUFFERS_H
#define OPENSSPI_API_BUFFERS_H

#include "core/message.h"
#include "core/package.h"
#include <sspi.h>

/* Handshake input: token and channel bindings, in any order. */
SECURITY_STATUS buffers_step_in(const SecBufferDesc *list, uint32_t max_token, struct step_in *in);
/* The same for a stream package (windows-behaviour, Schannel: handshake): application protocols and DTLS's buffers besides, and no limit to the
 * token. */
SECURITY_STATUS buffers_stream_step_in(const SecBufferDesc *list, struct step_in *in);
/* What the step made of its input: MISSING or EXTRA, in the first EMPTY buffer. */
void buffers_stream_step_done(SecBufferDesc *list, SECURITY_STATUS status, const struct step_in *in,
                              const struct step_out *out);
/* Hands the token to the caller's TOKEN buffer: fitting, allocated, or refused by the table of windows-behaviour (ISC and ASC, any package).
 * An empty token sets its cbBuffer to 0. */
SECURITY_STATUS buffers_step_out(SecBufferDesc *list, bool allocate, struct slice token);

/* Can a stream package's answer be delivered there? Asked before the step. SEC_E_INVALID_TOKEN, SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS buffers_stream_out_check(const SecBufferDesc *list, bool allocate);
/* Hands a stream package's token over: in the TOKEN buffer, or, when it is an alert that was not asked for as a token, in the ALERT buffer. What is
 * not used comes back with cbBuffer 0. */
SECURITY_STATUS buffers_stream_out(SecBufferDesc *list, bool allocate, struct slice token, bool as_alert);
/* ApplyControlToken's list: exactly one TOKEN. */
SECURITY_STATUS buffers_control(const SecBufferDesc *list, struct slice *token);

/* What is to be done decides two rules: DecryptMessage alone takes STREAM buffers, and in MakeSignature an EMPTY buffer may stand for a missing TOKEN
 * (the older SDK sample passes it so). */
enum message_call { MESSAGE_SIGN, MESSAGE_VERIFY, MESSAGE_SEAL, MESSAGE_UNSEAL, MESSAGE_COMPLETE };

/* A message in place. */
SECURITY_STATUS buffers_message(const SecBufferDesc *list, enum message_call call, struct message *message);
/* Lengths and places back to the caller's buffers after a package worked on the message. */
void buffers_message_done(SecBufferDesc *list, enum message_call call, const struct message *message);

/* A stream's message to seal: {STREAM_HEADER, DATA, STREAM_TRAILER}; a single DATA buffer has neither (header.data NULL) and is for the package to
 * format. */
SECURITY_STATUS buffers_stream_seal(const SecBufferDesc *list, struct message *message);
void buffers_stream_seal_done(SecBufferDesc *list, const struct message *message);
/* A stream's message to open: one DATA with everything that was received, and three EMPTY. */
SECURITY_STATUS buffers_stream_unseal(const SecBufferDesc *list, struct message *message);
/* HEADER, DATA, TRAILER and EXTRA, or MISSING, by the status. */
void buffers_stream_unseal_done(SecBufferDesc *list, SECURITY_STATUS status, const struct message *message);

#endif
