/*
 * What the TLS targets share: credentials with a key made at start, and steps whose input lies in a block of exactly its size.
 */
#ifndef OPENSSPI_TESTS_TLS_WORLD_H
#define OPENSSPI_TESTS_TLS_WORLD_H

#include "fuzz/world.h"

#include <schannel.h>

struct tls_party {
    bool client;
    CredHandle credential;
    CtxtHandle context;
    bool begun;
    ULONG flags;
    SECURITY_STATUS status;
    uint8_t out[1 << 16];
    size_t out_len;
};

/* Acquires once a process; `tls_1_3`: that version alone, else TLS 1.2 alone. The server asks for certificates where `flags` says so. */
void tls_party_begin(struct tls_party *party, bool client, bool tls_1_3);
/* A step with all of `in`; what is to be sent is in `out`. */
void tls_party_step(struct tls_party *party, struct slice in);
/* Asks for everything, sends, and opens `in` as messages until it is used up. */
void tls_party_use(struct tls_party *party, struct slice in);
void tls_party_end(struct tls_party *party);

#endif
