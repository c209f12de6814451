/*
 * tls.h: the connection of both programs when the package is Schannel: TLS itself on the socket, and a line of text as a message.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SOCKAUTH_TLS_H
#define SOCKAUTH_TLS_H

#include "comm.h"

struct options;

/* Is this a name of the TLS package? */
BOOL TlsIsPackage(const char *name);

/* TlsInit gets the credentials: the certificate of -c, and for -r the authority that the peer's certificate must come from. */
BOOL TlsInit(const struct options *options, BOOL client);
void TlsTerm(void);

/* TlsConnect shakes hands on a socket, either side, and checks the peer's certificate. TlsEnd deletes what belongs to the socket. */
BOOL TlsConnect(SOCKET sock);
void TlsEnd(SOCKET sock);
/* TlsClose tells the peer that nothing follows. */
BOOL TlsClose(SOCKET sock);

/* TlsDescribe tells what was agreed on, and who the peer is. */
BOOL TlsDescribe(SOCKET sock);

/* A line, without its end, in either direction. RECEIVE_CLOSED: the peer said that nothing follows. */
BOOL TlsSendLine(SOCKET sock, const char *text);
enum receive_result TlsReceiveLine(SOCKET sock, char *line, size_t size);

#endif
