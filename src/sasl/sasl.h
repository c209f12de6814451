/*
 * What SASL adds to a context: the messages that agree on a security layer after GSSAPI's tokens (RFC 4752), and the sizes of the messages
 * under it. A step runs under the context's handshake lock, the checks of messages under its send or receive lock; options take all three.
 */
#ifndef OPENSSPI_SASL_SASL_H
#define OPENSSPI_SASL_SASL_H

#include "core/objects.h"
#include "sasl/profiles.h"

#define SASL_SIZE_USUAL 0xffffu   /* both directions, until an option says otherwise */
#define SASL_SIZED_USUAL 0x10000u /* what DIGEST-MD5 takes where nothing is told (RFC 2831 2.1.1) */
#define SASL_SIZED_MIN 17u        /* its sizes are more than a signature */
#define SASL_SIZE_MAX 0xffffffu   /* what three octets hold */
#define SASL_AUTHZID_MAX 1024     /* bytes; names are shorter */

struct sasl;

/* Makes `context`, which is new, one of SASL: SEC_E_UNSUPPORTED_FUNCTION where its package has no mechanism, or one without tokens. */
SECURITY_STATUS sasl_begin(struct context *context);

/* One step: the package's, or one of those after it. Statuses as of authority()->step. */
SECURITY_STATUS sasl_step(struct context *context, const struct step_in *in, struct step_out *out);

/* May this message be sent, and was it received, under the layer and its size? SEC_E_OK for contexts that are not SASL's.
 * `qop` is the caller's, or what the package found. */
SECURITY_STATUS sasl_check_send(const struct context *context, const struct message *message, uint32_t qop, bool seal);
SECURITY_STATUS sasl_check_receive(const struct context *context, const struct message *message, bool unseal);
SECURITY_STATUS sasl_check_received(const struct context *context, uint32_t qop, bool unseal);

/* The options of sspi.h. SEC_E_INVALID_HANDLE for contexts that are not SASL's. */
SECURITY_STATUS sasl_option_set(struct context *context, ULONG option, struct slice value);
SECURITY_STATUS sasl_option_get(struct context *context, ULONG option, struct writer *value);

#endif
