/*
 * What is asked of a package's ticket cache, and what it answers: the tickets one after another, as bytes, so that a daemon can hand them on.
 */
#ifndef OPENSSPI_CORE_TICKETS_H
#define OPENSSPI_CORE_TICKETS_H

#include "base/reader.h"
#include "base/writer.h"
#include "core/config.h"
#include <sspi.h>

enum tickets_ask {
    TICKETS_LIST,  /* those that are there; without keys, and not the tickets themselves */
    TICKETS_PURGE, /* removes those that all the names given are of; without any, all. Answers how many (u32le), nothing where there is no cache */
    TICKETS_GRANTING, /* the ticket-granting one itself, without its key */
    TICKETS_SERVICE, /* the one for `server` itself with its key, unless it is a granting one: from the cache, else from the KDC */
};

struct tickets_request {
    const struct config *config;
    enum tickets_ask ask;
    const char *cache;                 /* a logon session's; NULL: the default one */
    const char *server, *realm;        /* NULL or empty: any */
    const char *client, *client_realm; /* the same; of TICKETS_PURGE */
    bool cached_only;                  /* of TICKETS_SERVICE: no KDC is asked */
};

/* Slices point into the bytes that were read. Texts are UTF-8 without NUL; times FILETIME, 0 where there is none. */
struct ticket {
    struct slice client, client_realm, server, server_realm;
    int64_t start, end, renew_until;
    int32_t enctype, key_enctype; /* of the ticket, and of its session key */
    uint32_t flags;               /* KERB_TICKET_FLAGS_* */
    struct slice key, encoded;    /* empty in a list */
};

void ticket_write(struct writer *writer, const struct ticket *ticket);
MUST_USE enum wire_result ticket_read(struct reader *reader, struct ticket *ticket);

#endif
