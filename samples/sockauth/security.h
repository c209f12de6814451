/*
 * security.h: everything that calls SSPI, for both programs.
 *
 * A session is what belongs to one connection. Its key is the number of the connection's socket.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SOCKAUTH_SECURITY_H
#define SOCKAUTH_SECURITY_H

#include "comm.h"

struct options;

/* InitPackage finds the package and gets the credentials of this side: for a client those of -u, or the default ones. */
BOOL InitPackage(const struct options *options, BOOL client);
void TermPackage(void);

BOOL InitSession(DWORD key);
/* TermSession deletes the security context, if there is one. */
void TermSession(DWORD key);

/*
 * GenClientContext and GenServerContext take one step of the handshake: the peer's token goes in (NULL at the client's start), a
 * token for the peer comes out, possibly empty. SEC_I_CONTINUE_NEEDED: another token of the peer is needed. SEC_E_OK: the context stands.
 */
SECURITY_STATUS GenClientContext(DWORD key, const struct message *in, struct message *out);
SECURITY_STATUS GenServerContext(DWORD key, const struct message *in, struct message *out);

/* DescribeClient tells, on the server, who the client is to this computer. */
void DescribeClient(DWORD key);
/* SayToken prints an access token's user and groups, and closes it. */
void SayToken(HANDLE token);

/* DescribeSession checks what was granted against what was asked, and tells about the peer, the target, flags and sizes. */
BOOL DescribeSession(DWORD key);

/* ImpersonateContext lets this thread act as the client, until RevertContext. */
SECURITY_STATUS ImpersonateContext(DWORD key);
SECURITY_STATUS RevertContext(DWORD key);

/* Can this context encrypt, can it sign? */
BOOL SessionSeals(DWORD key);
BOOL SessionSigns(DWORD key);

/* ProtectText makes a MESSAGE_SEALED or MESSAGE_SIGNED of a text, as message->kind says. */
SECURITY_STATUS ProtectText(DWORD key, const char *text, size_t len, struct message *message);
/* UnprotectText opens one; the text lies inside the message. */
SECURITY_STATUS UnprotectText(DWORD key, struct message *message, const char **text, size_t *len);

#endif
