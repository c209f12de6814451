/*
 * A CredSSP credential: one of Schannel for the channel, one to authenticate with inside it, and on the client what is to be handed over.
 */
#ifndef OPENSSPI_CREDSSP_CREDENTIAL_H
#define OPENSSPI_CREDSSP_CREDENTIAL_H

#include "core/package.h"
#include <credssp.h>
#include <stdatomic.h>

/* Where the client's password came from: each has a policy of its own. */
enum credssp_source {
    CREDSSP_SOURCE_NONE,  /* there is none that could be handed over */
    CREDSSP_SOURCE_FRESH, /* the program gave an identity */
    CREDSSP_SOURCE_SAVED, /* the user file had one */
};

/* Immutable once made, and counted: a context may be given another credential on a later leg, and its handshake goes on with this one. */
struct credssp_credential {
    atomic_uint n_references;
    const struct config *config;
    const struct package *tls, *inner; /* inner: Negotiate, or the one package that the identity leaves */
    void *tls_credential, *inner_credential;
    bool validates;   /* the program asked for TLS' own validation of the server */
    bool name_passed; /* but not of its name, which then vouches for nobody */
    enum credssp_source source;
    struct identity identity; /* to be handed over */
};

SECURITY_STATUS credssp_acquire(const struct acquire_request *request, void **credential, int64_t *expiry);
struct credssp_credential *credssp_retain(struct credssp_credential *credential);
void credssp_release(void *credential);
SECURITY_STATUS credssp_query_credential(const void *credential, uint32_t attribute, struct attribute *value);
SECURITY_STATUS credssp_set_credential(void *credential, uint32_t attribute, const void *value, size_t len);

/* package_info.identity_in: pSpnegoCred of a CREDSSP_CRED or of the one in a CREDSSP_CRED_EX. */
const void *credssp_identity_in(const void *auth_data);

#endif
