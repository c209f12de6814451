/*
 * Requests to the daemon made of the protocol's own table (lsa/protocol.h): an honest one of each kind, and what is changed in each of its fields.
 */
#ifndef OPENSSPI_TESTS_REQUEST_CASES_H
#define OPENSSPI_TESTS_REQUEST_CASES_H

#include "lsa/protocol.h"

enum request_change {
    REQUEST_HONEST,
    REQUEST_ABSENT,
    REQUEST_EMPTY,      /* there, of no bytes */
    REQUEST_SHORT,      /* without its last byte */
    REQUEST_LONG,       /* with one byte more */
    REQUEST_AT_LIMIT,   /* as long as the daemon takes, or as a body has room for */
    REQUEST_OVER_LIMIT, /* a byte more than that */
    REQUEST_TWICE,
    REQUEST_NUL_INSIDE, /* texts */
    REQUEST_NOT_UTF8,
    REQUEST_ZERO, /* numbers */
    REQUEST_ALL_ONES,
    REQUEST_BIT,                     /* numbers: the lowest bit the other way round, and so on */
    REQUEST_ONLY = REQUEST_BIT + 64, /* numbers: the lowest bit alone, and so on */
    REQUEST_CHANGES = REQUEST_ONLY + 64,
};

/* What honest requests name. */
struct request_world {
    uint64_t credential, context, session;
    struct slice client, token, sealed, delegated, key_hash;
};

struct request_case {
    enum lsa_operation operation;
    struct {
        unsigned field;
        enum request_change change;
    } changed[2]; /* field 0: nothing */
};

/* Can that field of that request be changed so? A field that it may not have can be there, honest. */
bool request_change_applies(enum lsa_operation operation, unsigned field, enum request_change change);
/* Is that a request which no daemon may understand, so that it ends the connection? */
bool request_is_malformed(const struct request_case *asked);
/* Appends a whole frame. False: nobody has said what an honest request of this kind has in one of the table's fields. */
bool request_write(struct writer *writer, const struct request_case *asked, const struct request_world *world,
                   uint32_t sequence);

#endif
