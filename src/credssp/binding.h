/*
 * What pubKeyAuth says of the server's TLS key (MS-CSSP 3.1.5, steps 3 and 4), before it is sealed.
 */
#ifndef OPENSSPI_CREDSSP_BINDING_H
#define OPENSSPI_CREDSSP_BINDING_H

#include "base/secret.h"
#include "credssp/request.h"
#include <sspi.h>

enum binding_side { BINDING_CLIENT, BINDING_SERVER };

/* The text that this side sends: from version 5 on a hash over the nonce and the key, before that the key, from the server with its first byte one
 * higher. SEC_E_INSUFFICIENT_MEMORY; SEC_E_INTERNAL_ERROR. */
SECURITY_STATUS binding_text(enum binding_side side, uint32_t version, const uint8_t nonce[TS_NONCE_LEN],
                             struct slice public_key, struct secret *text);

#endif
