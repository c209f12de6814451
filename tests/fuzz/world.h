/*
 * What the targets that drive the public functions share: a private configuration with one account, the same time and the same random
 * bytes for every input, and reading an input piece by piece.
 */
#ifndef OPENSSPI_TESTS_WORLD_H
#define OPENSSPI_TESTS_WORLD_H

#include "base/reader.h"

#include <sspi.h>
#include <stdlib.h>

#define MUST(condition)   \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Writes configuration and account file into a private directory, which goes when the process exits, and points OPENSSPI_CONFIG there. `ntlm` is what
 * stands in [ntlm]. May be called again: credentials keep the configuration that they were acquired under. */
void world_configure(const char *ntlm);
/* The private directory; made at the first call. */
const char *world_directory(void);
/* Fixes the clock and starts the random bytes anew; first thing of every input. */
void world_reset(void);
/* Acquires NTLM credentials: alice's, outbound, or the server's. */
CredHandle world_credential(ULONG use);
/* The same of another package that takes identities. */
CredHandle world_credential_of(const char *package, ULONG use);

/* Readers that give 0 and nothing past the end of the input. */
uint8_t world_u8(struct reader *input);
uint16_t world_u16(struct reader *input);
struct slice world_bytes(struct reader *input, size_t len);

/* A piece that was found lies in the whole, or is empty. */
static inline void world_inside(struct slice whole, struct slice piece)
{
    MUST(piece.len == 0 || (piece.data >= whole.data && piece.len <= whole.len &&
                            (size_t)(piece.data - whole.data) <= whole.len - piece.len));
}

/* One handshake step with a token in a block of exactly its size; the answer goes to `out`, its length to *out_len. */
#define WORLD_TOKEN_MAX 4096
SECURITY_STATUS world_initiate(CredHandle *credential, CtxtHandle *context, ULONG flags, struct slice in, uint8_t *out,
                               ULONG *out_len);
SECURITY_STATUS world_accept(CredHandle *credential, CtxtHandle *context, ULONG flags, struct slice in, uint8_t *out,
                             ULONG *out_len);
/* Changes a message as the input says (overwrite, flip, cut, append, remove, insert); the new length. */
size_t world_mutate(struct reader *input, uint8_t *message, size_t len, size_t max);
/* Asks a context for everything, A and W, and frees what it gets. */
void world_query(CtxtHandle *context);

#endif
