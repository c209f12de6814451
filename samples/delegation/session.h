/*
 * session.h: an authenticated connection and the sealed texts on it, for both programs. Everything that calls SSPI, but for what the server does as
 * its client, is here.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELEGATION_SESSION_H
#define DELEGATION_SESSION_H

#include "../sockauth/comm.h"

#define TEXT_MAX 16384 /* of one request or answer, with its NUL */

struct session {
    SOCKET sock;
    BOOL hasContext;
    CtxtHandle context;
    ULONG flags; /* granted */
    SecPkgContext_Sizes sizes;
};

/*
 * SessionConnect connects and authenticates with these credentials. With delegate the server may go on to others as this user, as far as domain and
 * policy let it. SessionAccept authenticates who has connected. Both say why they failed; SessionEnd is needed in either case, and closes the socket.
 */
BOOL SessionConnect(struct session *session, CredHandle *credentials, const char *host, const char *port,
                    const char *target, BOOL delegate);
BOOL SessionAccept(struct session *session, CredHandle *credentials, SOCKET sock);
void SessionEnd(struct session *session);

/* SessionPeer gives the client's name as its authority knows it. */
BOOL SessionPeer(struct session *session, char *name, size_t size);

/* Sealed texts. RECEIVE_CLOSED: the peer has nothing more to say. */
BOOL SessionSend(struct session *session, const char *text);
enum receive_result SessionReceive(struct session *session, char text[TEXT_MAX]);

/* FindAddress and MakeSocket are what client and server have in common of sockets; NULL and INVALID_SOCKET after telling why. */
struct addrinfo *FindAddress(const char *host, const char *port, BOOL listens);
SOCKET MakeSocket(const struct addrinfo *address);

#endif
