/*
 * What a server may act for its client with, as a daemon hands it out in session records: encrypted with a key of the daemon's that lives as long as it, so that the
 * tickets in it reach no other process.
 */
#ifndef OPENSSPI_LSA_SEAL_H
#define OPENSSPI_LSA_SEAL_H

#include "base/secret.h"
#include "base/writer.h"
#include <sspi.h>

/* For the daemon, before there are threads: makes the key, and has every session record written with its `delegated` sealed. False without randomness. */
bool seal_start(void);
/* Seals other things to act with. SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS seal_write(struct slice plain, struct writer *sealed);
/* Opens what seal_start's key sealed; secret_release it. SEC_E_NO_CREDENTIALS for bytes of another daemon's, or that of a former life of this one. */
SECURITY_STATUS seal_open(struct slice sealed, struct secret *plain);
/* Does it look sealed? A package's own form never does. */
bool seal_is(struct slice delegated);

#endif
