/*
 * The four octets and the name that end a GSSAPI exchange (RFC 4752 3.1 to 3.3).
 */
#ifndef OPENSSPI_SASL_LAYER_H
#define OPENSSPI_SASL_LAYER_H

#include "base/reader.h"
#include "base/writer.h"
#include <sspi.h>

#define LAYER_NONE 1u
#define LAYER_INTEGRITY 2u
#define LAYER_CONFIDENTIALITY 4u
#define LAYER_KNOWN 7u

struct layer_message {
    uint8_t layers;       /* the server's: all it offers; the client's: the one it takes */
    uint32_t max;         /* the longest protected message that the sender can receive */
    struct slice authzid; /* the client's only: UTF-8 without NUL, empty for none */
};

/* WIRE_SHORT for fewer than four octets; WIRE_BAD unless it is four, for a client's message with a name behind them. Unknown layers are kept. */
MUST_USE enum wire_result layer_message_parse(struct slice bytes, bool clients, struct layer_message *message);
void layer_message_write(struct writer *writer, const struct layer_message *message);

/* The layer that a client's flags (ISC_REQ_*) ask for: it takes this one and no other. */
uint8_t layer_wanted(uint32_t asked);
/* What a server offers: at least what its flags (ASC_REQ_*) ask for, at most what the context was granted (ASC_RET_*); 0 when these contradict. */
uint8_t layers_offered(uint32_t asked, uint32_t granted);

#endif
