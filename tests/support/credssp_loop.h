/*
 * A CredSSP client and server in one process, over tls_loop's pair. The accounts are loop_configure's (ntlm_loop.h).
 */
#ifndef OPENSSPI_TESTS_CREDSSP_LOOP_H
#define OPENSSPI_TESTS_CREDSSP_LOOP_H

#include "support/ntlm_loop.h"
#include "support/tls_loop.h"

#include <credssp.h>

struct credssp_who {
    const char *user, *domain, *password; /* alice's where NULL */
    const char *packages;                 /* the identity's list, or NULL */
    bool none;                            /* no identity at all */
    bool unproved;                        /* one with no password, and with no names but those given here */
};

/* loop_configure for a server of this name, NTLM inside; `more` is further lines of [credssp], and sections behind it. */
void credssp_configure(const char *more);
/* A pair whose client means TERMSRV/server.test and delegates. */
struct loop_pair *credssp_pair(void);
/* Client and server credentials; the status of the first that failed. `protocols` as SCHANNEL_CRED has them, 0: the default. */
SECURITY_STATUS credssp_client_acquire(struct side *side, const struct credssp_who *who, DWORD protocols,
                                       DWORD tls_flags);
SECURITY_STATUS credssp_server_acquire(struct side *side, DWORD protocols);
/* Writes the tests' authority to a file and gives the lines of configuration that make it the only root. */
const char *credssp_roots(void);
/* A pair that has run with alice's password; NULL when it failed. */
struct loop_pair *credssp_established(void);
/* Does the token of a server's context say that NTLM authenticated the client: by its group and its source? */
bool credssp_token_is_of_ntlm(CtxtHandle *server);

#endif
