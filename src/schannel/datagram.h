/*
 * DTLS: records that no honest peer sends. Anybody can send a datagram in the peer's name, and libssl ends a connection for much that does not fit.
 */
#ifndef OPENSSPI_SCHANNEL_DATAGRAM_H
#define OPENSSPI_SCHANNEL_DATAGRAM_H

#include "schannel/record.h"
#include <openssl/types.h>

/* Is this whole record, which record_look found to be `record`, to be passed over? What has the form of the peer's is let through, forged or not: in
 * the clear a fatal alert, a change of ciphers, and messages of the handshake that the other role sends. */
bool datagram_is_strangers(SSL *ssl, struct slice bytes, const struct record *record);

#endif
