/*
 * The pseudorandom function of TLS 1.2 and before (RFC 5246 5, RFC 2246 5), for what libssl derives for nobody else.
 */
#ifndef OPENSSPI_SCHANNEL_PRF_H
#define OPENSSPI_SCHANNEL_PRF_H

#include "base/slice.h"
#include <openssl/ssl.h>

/* Whose random comes first behind the label. */
enum prf_order { PRF_CLIENT_FIRST, PRF_SERVER_FIRST };

/* Fills `to` by the suite and the randoms of the latest handshake. False when libcrypto refuses, or the label is too long to be one. */
bool prf_derive(const SSL *ssl, struct slice secret, const char *label, enum prf_order order, struct slice_mut to);

#endif
