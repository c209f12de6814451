/*
 * To whom a client hands credentials over ([credssp] in docs/configuration.md).
 */
#ifndef OPENSSPI_CREDSSP_POLICY_H
#define OPENSSPI_CREDSSP_POLICY_H

#include "credssp/credential.h"

/* Do the lists name this target at all? `*` in a pattern stands for any run of characters; the case of ASCII letters does not count. Asked before
 * anything is sent. SEC_E_OK; SEC_E_DELEGATION_POLICY. A NULL target meets no list. */
SECURITY_STATUS policy_allows(const struct config *config, enum credssp_source source, const char *target);
/* Asked when the handshake has shown whether anything but the password vouches for the server. SEC_E_OK; SEC_E_POLICY_NLTM_ONLY. */
SECURITY_STATUS policy_allows_proved(const struct config *config, enum credssp_source source, const char *target,
                                     bool server_authenticated);

#endif
