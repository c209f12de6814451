/*
 * Channel bindings as GSSAPI and SSPI hash them.
 */
#ifndef OPENSSPI_CORE_BINDINGS_H
#define OPENSSPI_CORE_BINDINGS_H

#include "base/result.h"
#include "base/slice.h"
#include "base/writer.h"
#include <sspi.h>

/* The pieces of a SEC_CHANNEL_BINDINGS block (32-byte header, then the data its offsets name). */
struct bindings {
    uint32_t initiator_type, acceptor_type;
    struct slice initiator, acceptor, application;
};

/* WIRE_BAD when an offset or length points outside the block. */
MUST_USE enum wire_result bindings_parse(struct slice block, struct bindings *bindings);
/* MD5 over the gss_channel_bindings_struct form (RFC 4121 4.1.1.2; MS-NLMP 2.2.2.1 MsvAvChannelBindings). */
void bindings_hash(const struct bindings *bindings, uint8_t hash[16]);

/* Appends a SEC_CHANNEL_BINDINGS whose application data is "prefix:data", as all TLS bindings are (RFC 5056 2.1); nothing else is set. */
void bindings_write(struct writer *block, const char *prefix, struct slice data);

/* For a handshake step: hashes the caller's block, if there is one, and remembers that there was. SEC_E_OK or SEC_E_BAD_BINDINGS. */
SECURITY_STATUS bindings_take(struct slice block, uint8_t hash[16], bool *taken);

#endif
