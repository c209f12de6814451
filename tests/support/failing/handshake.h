/*
 * The work that system calls fail in, for any package: credentials, a handshake, messages, what a server asks of its client; then all of it is let
 * go.
 */
#ifndef OPENSSPI_TESTS_FAILING_HANDSHAKE_H
#define OPENSSPI_TESTS_FAILING_HANDSHAKE_H

#include <sspi.h>
#include <stdbool.h>

struct failing_side {
    CredHandle credential;
    CtxtHandle context;
    SECURITY_STATUS status;
    unsigned char token[8192];
    ULONG len;
};

struct failing_handshake {
    /* set before; NULL where a package does without */
    const char *package, *target, *principal;
    void *client_auth, *server_auth;
    ULONG flags;           /* the client's */
    bool asks_token;       /* the server asks who its client is here */
    SECURITY_STATUS usual; /* what comes of it when no call fails: SEC_E_OK, or what a wrong password gets */
    void (*renew)(void);   /* before each: makes the library read its files again. May be NULL */
    /* results */
    struct failing_side client, server;
};

/* For calls_sweep: `data` is a struct failing_handshake. What the first call answered that failed, whose cause is the last one then. */
long failing_handshake_run(void *data);
/* Lets go of everything, and sees that the same work does now what it usually does. A success of what usually fails is a failure of the test. */
void failing_handshake_after(void *data, long status);

#endif
