/*
 * What a server may act for its client with, and what sessions ask about without having it (core/session.h), as a daemon hands them out in session
 * records: encrypted with a key of the daemon's that lives as long as it, so that the tickets and keys in them reach no other process. Bound to the
 * package that wrote it and to the Unix user of the process that it was handed to: neither is it taken for another package's form, nor does it serve
 * another user who comes by it.
 */
#ifndef OPENSSPI_LSA_SEAL_H
#define OPENSSPI_LSA_SEAL_H

#include "base/secret.h"
#include "base/writer.h"
#include <sspi.h>
#include <sys/types.h>

struct package;

/* For the daemon, before there are threads: makes the key, and has every session record written with its `delegated` sealed. False without
 * randomness. */
bool seal_start(void);
/* Whose request this thread works on from now on: for whom it seals, and who may have it opened. */
void seal_for(uid_t user);
/* Seals what has this package's form. SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS seal_write(const struct package *package, struct slice plain, struct writer *sealed);
/* Opens what seal_start's key sealed for this package and this thread's user; secret_release it. SEC_E_NO_CREDENTIALS for another's, another
 * daemon's, or that of a former life of this one. */
SECURITY_STATUS seal_open(const struct package *package, struct slice sealed, struct secret *plain);
/* Does it look sealed? A package's own form never does. */
bool seal_is(struct slice delegated);

#endif
