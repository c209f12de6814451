/*
 * What a TLS client says first (RFC 8446 4.1.2, RFC 5246 7.4.1.2), as far as somebody needs it who is not the server that it is for: the extensions.
 */
#ifndef OPENSSPI_WIRE_CLIENT_HELLO_H
#define OPENSSPI_WIRE_CLIENT_HELLO_H

#include "base/reader.h"

enum { CLIENT_HELLO_SERVER_NAME = 0 /* RFC 6066 3 */ };

/* What the bytes begin with. */
enum client_hello_form {
    CLIENT_HELLO_MESSAGE,  /* TLS: the handshake message */
    CLIENT_HELLO_RECORD,   /* TLS: the record around it */
    CLIENT_HELLO_DATAGRAM, /* DTLS before 1.3 (RFC 6347 4.1, 4.2): the record */
    CLIENT_HELLO_FORMS,    /* one past the last */
};

/*
 * Finds the extensions' list, empty where there is none. What follows the hello is not looked at.
 * WIRE_SHORT: `*missing` is how many bytes are lacking at least. WIRE_BAD: no client hello, or one that is spread over several records, which no
 * piece of memory holds in one.
 */
MUST_USE enum wire_result client_hello_extensions(struct slice bytes, enum client_hello_form form, struct slice *list,
                                                  size_t *missing);

/* The next extension of the list. */
MUST_USE enum wire_result client_hello_extension(struct reader *list, uint16_t *type, struct slice *data);

/* The host name in the data of a SERVER_NAME extension; WIRE_BAD where there is none. */
MUST_USE enum wire_result client_hello_host(struct slice data, struct slice *host);

#endif
