/*
 * A TSSSP client and server in one process: tokens are TSRequests, and the certificate of a channel that nobody needs is shown to both.
 */
#ifndef OPENSSPI_TESTS_TSSSP_LOOP_H
#define OPENSSPI_TESTS_TSSSP_LOOP_H

#include "support/credssp_loop.h"

#define TSSSP_ROOM 16384

struct tsssp_end {
    bool client;
    ULONG flags;
    CredHandle credential;
    CtxtHandle context;
    bool has_context;
    ULONG attributes;
    SECURITY_STATUS status;
    unsigned char token[TSSSP_ROOM]; /* its last answer */
    ULONG token_len;
};

struct tsssp_pair {
    struct tsssp_end client, server;
    const char *target;
    const void *certificate; /* with its length before it, as TSSSP takes it; NULL: none is shown */
    ULONG certificate_len;
    const void *other; /* the server's, where it is not the same */
    ULONG other_len;
};

/* The form in which certificates are shown. */
ULONG tsssp_certificate(const struct pki *pki, unsigned char room[TSSSP_ROOM]);

/* A pair with alice's password and the accounts' server, TERMSRV/server.test, and pki_server's certificate. Configure first. */
struct tsssp_pair *tsssp_pair(void);
SECURITY_STATUS tsssp_acquire(struct tsssp_end *end, DWORD type, ULONG flags, void *tls);
/* One step with this token (empty: none) and, behind it, this certificate (NULL: none). */
SECURITY_STATUS tsssp_step(struct tsssp_end *end, const char *target, const void *token, ULONG len,
                           const void *certificate, ULONG certificate_len);
/* True when both ends answered SEC_E_OK. A last word of a server that refused reaches the client. */
bool tsssp_run(struct tsssp_pair *pair);
void tsssp_free(struct tsssp_pair *pair);

#endif
