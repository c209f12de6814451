/*
 * Negotiate in the targets that drive whole handshakes: credentials with NTLM alone, and with a package of a third party before it.
 */
#ifndef OPENSSPI_TESTS_NEGOTIATE_WORLD_H
#define OPENSSPI_TESTS_NEGOTIATE_WORLD_H

#include "fuzz/world.h"
#include "support/fake_package.h"

struct negotiate_world {
    CredHandle client, server;           /* NTLM */
    CredHandle both_client, both_server; /* the fake package, then NTLM */
};

/* The credentials; made at the first call. */
struct negotiate_world *negotiate_world(void);
/* If both contexts are established, they have one key and chose one package. */
void negotiate_world_compare(CtxtHandle *client, CtxtHandle *server);

#endif
