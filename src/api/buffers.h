/*
 * The rules of SecBufferDesc, which no floor below knows.
 */
#ifndef OPENSSPI_API_BUFFERS_H
#define OPENSSPI_API_BUFFERS_H

#include "core/message.h"
#include "core/package.h"
#include <sspi.h>

/* Far above any real list; bounds every walk. */
#define BUFFERS_MAX 128

/* The type without its attribute bits. */
static inline ULONG buffer_type(const SecBuffer *buffer)
{
    return buffer->BufferType & ~(ULONG)SECBUFFER_ATTRMASK;
}

/* Is the list one that can be walked? NULL is, and is empty. SEC_E_INVALID_TOKEN otherwise. */
SECURITY_STATUS buffers_check(const SecBufferDesc *list);

/* Handshake input: token and channel bindings, in any order. */
SECURITY_STATUS buffers_step_in(const SecBufferDesc *list, uint32_t max_token, struct step_in *in);
/* Hands the token to the caller's TOKEN buffer: fitting, allocated, or refused by the table of windows-behaviour (ISC and ASC, any package).
 * An empty token sets its cbBuffer to 0. */
SECURITY_STATUS buffers_step_out(SecBufferDesc *list, bool allocate, struct slice token);

/* What is to be done decides two rules: DecryptMessage alone takes STREAM buffers, and in MakeSignature an EMPTY buffer may stand for a missing TOKEN (the
 * older SDK sample passes it so). */
enum message_call { MESSAGE_SIGN, MESSAGE_VERIFY, MESSAGE_SEAL, MESSAGE_UNSEAL };

/* A message in place. */
SECURITY_STATUS buffers_message(const SecBufferDesc *list, enum message_call call, struct message *message);
/* Lengths and places back to the caller's buffers after a package worked on the message. */
void buffers_message_done(SecBufferDesc *list, enum message_call call, const struct message *message);

#endif
