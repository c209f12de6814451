/*
 * What the TLS targets share: credentials with a key made at start, and steps whose input lies in a block of exactly its size.
 */
#ifndef OPENSSPI_TESTS_TLS_WORLD_H
#define OPENSSPI_TESTS_TLS_WORLD_H

#include "fuzz/world.h"

#include <schannel.h>

enum tls_kind {
    TLS_KIND_1_2,
    TLS_KIND_1_3,
    TLS_KIND_SHARED_1_2, /* sessions are resumed, by tickets under keys that servers share and this one knows from the start */
    TLS_KIND_SHARED_1_3,
    TLS_KIND_SRTP, /* DTLS 1.2, and profiles of SRTP with each step */
    TLS_KINDS
};

struct tls_party {
    bool client;
    enum tls_kind kind;
    CredHandle credential;
    CtxtHandle context;
    bool begun;
    ULONG flags;
    SECURITY_STATUS status;
    uint8_t out[1 << 16];
    size_t out_len;
};

/* Acquires once a process; of versions there is the one alone. The server asks for certificates where `flags` says so. */
void tls_party_begin(struct tls_party *party, bool client, enum tls_kind kind);
/* A step with all of `in`; what is to be sent is in `out`. */
void tls_party_step(struct tls_party *party, struct slice in);
/* Asks for everything, sends, and opens `in` as messages until it is used up. */
void tls_party_use(struct tls_party *party, struct slice in);
void tls_party_end(struct tls_party *party);

#endif
