/*
 * What the targets that drive WDigest share: an account database with digest hashes, and steps with the parameters that HTTP brings along.
 */
#ifndef OPENSSPI_TESTS_FUZZ_DIGEST_WORLD_H
#define OPENSSPI_TESTS_FUZZ_DIGEST_WORLD_H

#include "fuzz/world.h"

#define DIGEST_WORLD_HTTP 0x10000000u

/* As world_configure, with account alice, "Password1!", in realm "realm". */
void digest_world_configure(void);
CredHandle digest_world_credential(ULONG use);
/* One step; the token in a block of exactly its size, the answer in `out` of WORLD_TOKEN_MAX bytes. */
SECURITY_STATUS digest_world_initiate(CredHandle *credential, CtxtHandle *context, ULONG flags, struct slice in,
                                      uint8_t *out, ULONG *out_len);
SECURITY_STATUS digest_world_accept(CredHandle *credential, CtxtHandle *context, ULONG flags, struct slice in,
                                    uint8_t *out, ULONG *out_len);

#endif
