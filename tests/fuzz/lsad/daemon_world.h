/*
 * Files for a daemon in the fuzzer's process: accounts, a keytab, a krb5.conf without a KDC.
 */
#ifndef OPENSSPI_TESTS_DAEMON_WORLD_H
#define OPENSSPI_TESTS_DAEMON_WORLD_H

#include "base/writer.h"
#include <sys/types.h>

/* Once; `accept` may be a server besides root. alice's password is Password1!. */
void daemon_world_configure(uid_t accept);
/* An honest Kerberos client's first token; another one for each number. */
void daemon_world_token(struct writer *token, unsigned number);

#endif
