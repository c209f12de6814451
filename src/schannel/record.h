/*
 * TLS and DTLS records from outside: where they begin and end, and nothing else. So the caller is told exactly how many bytes are missing or left
 * over, and libssl is given whole records only (RFC 8446 5.1, RFC 6347 4.1).
 */
#ifndef OPENSSPI_SCHANNEL_RECORD_H
#define OPENSSPI_SCHANNEL_RECORD_H

#include "base/result.h"
#include "base/slice.h"
#include <stdbool.h>

#define RECORD_HEADER_LEN ((size_t)5)
#define RECORD_HEADER_LEN_DTLS ((size_t)13)
#define RECORD_DATA_MAX ((size_t)16384) /* plain text of one record */
#define RECORD_BODY_MAX \
    (RECORD_DATA_MAX + (size_t)2048) /* TLS 1.2's limit for what is encrypted; TLS 1.3's is smaller, libssl tells */

enum record_type {
    RECORD_CHANGE_CIPHER_SPEC = 20,
    RECORD_ALERT = 21,
    RECORD_HANDSHAKE = 22,
    RECORD_APPLICATION_DATA = 23,
};

struct record {
    uint8_t type;
    bool is_protected;    /* DTLS: of an epoch after the first */
    size_t body_len, len; /* without its header, and with it */
    size_t missing;       /* WIRE_SHORT: so many more bytes are needed at least */
};

/* Is it of a handshake's flight? A datagram of one may begin with the change of ciphers, and the message after it is what matters. */
static inline bool record_of_flight(const struct record *record, bool datagram)
{
    return record->type == RECORD_HANDSHAKE || (datagram && record->type == RECORD_CHANGE_CIPHER_SPEC);
}

/* Looks at the first record of `input`. WIRE_OK; WIRE_SHORT when it is not whole, `missing` set; WIRE_BAD when it cannot be a record. */
MUST_USE enum wire_result record_look(struct slice input, bool datagram, struct record *record);
/* How many bytes at the beginning of `input` are whole records. */
size_t record_whole(struct slice input, bool datagram);

#endif
