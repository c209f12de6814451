/*
 * One message, for the functions that protect one and those that protect several. The caller has cleared the cause.
 */
#ifndef OPENSSPI_API_MESSAGE_H
#define OPENSSPI_API_MESSAGE_H

#include "core/objects.h"
#include <sspi.h>

/* EncryptMessage (`seal`) or MakeSignature. */
SECURITY_STATUS message_send(const SecHandle *handle, uint32_t qop, SecBufferDesc *list, uint32_t seq, bool seal);
/* DecryptMessage (`unseal`) or VerifySignature; `qop` may be NULL. */
SECURITY_STATUS message_receive(const SecHandle *handle, SecBufferDesc *list, uint32_t seq, ULONG *qop, bool unseal);

/* SEC_E_INVALID_HANDLE, with the cause. */
SECURITY_STATUS message_not_established(const struct context *context);

#endif
