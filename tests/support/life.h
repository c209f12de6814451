/*
 * The life of a client and a server of any package, while memory runs out: credentials, a handshake, messages, every attribute, what a server does
 * with its client, export and import. Each allocation of ours in each of these fails once, alone and with all that follow it. The answer is
 * SEC_E_INSUFFICIENT_MEMORY and no other, outputs are as they were, nothing leaks (AddressSanitizer), and afterwards the same work succeeds. What
 * libssl and libkrb5 allocate is not ours to fail.
 */
#ifndef OPENSSPI_TESTS_LIFE_H
#define OPENSSPI_TESTS_LIFE_H

#include <sspi.h>
#include <stdbool.h>
#include <stddef.h>

#define LIFE_WIRE 65536

struct life_side {
    CredHandle credential;
    CtxtHandle context;
    SECURITY_STATUS status;
    unsigned char wire[LIFE_WIRE]; /* came for this side, and was not taken */
    ULONG len;
};

struct life {
    /* set before */
    const char *package, *target;
    void *client_auth, *server_auth; /* of AcquireCredentialsHandle */
    ULONG client_flags, server_flags;
    bool stream;       /* messages are records */
    bool shows;        /* TSSSP: `certificate` comes with each side's first token */
    bool sasl;         /* by the Sasl functions */
    bool server_first; /* the client is asked before it speaks */
    bool signs;        /* MakeSignature and VerifySignature, too */
    bool does_not_seal;
    SecBuffer certificate;
    /* results */
    struct life_side client, server;
    unsigned n_acquire, n_handshake, n_queries, n_client, n_transfer; /* allocations that failed */
};

/* Everything above. Asserts. */
void life_sweep(struct life *life);

#endif
