/*
 * The session half of CredSSP: messages are the TLS channel's, who the client is the inner session tells, and the server has what the client handed
 * over.
 */
#ifndef OPENSSPI_CREDSSP_SESSION_H
#define OPENSSPI_CREDSSP_SESSION_H

#include "credssp/handshake.h"

extern const struct package_session credssp_session_table;

/* Makes the session's state of a handshake that has ended, which gives it both sessions. On failure they stay the handshake's. SEC_E_INVALID_TOKEN
 * for credentials that are no text; SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS credssp_session_make(struct credssp_handshake *handshake, void **state);

#endif
