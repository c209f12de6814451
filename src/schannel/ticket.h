/*
 * The keys of a server's session tickets (RFC 5077 4): one made by chance with the credential, or those that the servers of a farm share
 * (SECPKG_ATTR_SESSION_TICKET_KEYS). The first encrypts, all of them open, so that keys can change while tickets of the former one are about.
 * They belong to the SSL_CTX, which outlives its credential while connections of it are left. Lock: one for all.
 */
#ifndef OPENSSPI_SCHANNEL_TICKET_H
#define OPENSSPI_SCHANNEL_TICKET_H

#include <openssl/ssl.h>
#include <sspi.h>
#include <stdbool.h>

#define TICKET_KEYS_MAX 16 /* the current one, the next one and former ones: tickets live for hours, keys for days */
#define TICKET_MATERIAL_MIN 32 /* bytes: what AES-256 is worth */

/* Gives a server's SSL_CTX a key of its own and the callback that uses it. False when there is no memory or no randomness. */
bool ticket_keys_prepare(SSL_CTX *ctx);
/* Takes a SecPkgCred_SessionTicketKeys in place of the keys there are; tickets of those open no more. SEC_E_INVALID_TOKEN, and nothing has changed,
 * for another size, no key or more than TICKET_KEYS_MAX, another version, material of less than TICKET_MATERIAL_MIN bytes or more than there is room
 * for, and two keys of one KeyId. SEC_E_UNSUPPORTED_FUNCTION for an SSL_CTX that gives no tickets. SEC_E_INTERNAL_ERROR, SEC_E_INSUFFICIENT_MEMORY.
 * */
SECURITY_STATUS ticket_keys_set(SSL_CTX *ctx, const void *value, size_t len);

#endif
