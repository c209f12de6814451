/*
 * A CredSSP credential: one of Schannel for the channel, one to authenticate with inside it, and on the client what is to be handed over.
 */
#ifndef OPENSSPI_CREDSSP_CREDENTIAL_H
#define OPENSSPI_CREDSSP_CREDENTIAL_H

#include "core/objects.h"
#include "core/package.h"
#include <credssp.h>
#include <pthread.h>
#include <stdatomic.h>

/* Where the client's password came from: each has a policy of its own. */
enum credssp_source {
    CREDSSP_SOURCE_NONE,  /* there is none that could be handed over */
    CREDSSP_SOURCE_FRESH, /* the program gave an identity */
    CREDSSP_SOURCE_SAVED, /* the user file had one */
};

/* Immutable once made, but for what stands under `lock`, and counted: a context may be given another credential on a later leg, and its handshake
 * goes on with this one. */
struct credssp_credential {
    atomic_uint n_references;
    const struct config *config;
    uint32_t use;
    bool bare;      /* TSSSP's: the program has the channel */
    bool redirects; /* CREDSSP_FLAG_REDIRECT: nothing but a remote guard's credentials is handed over */
    const struct package *tls,
        *inner; /* inner: Negotiate, or the one package that the identity leaves; tls: NULL in TSSSP */
    void *tls_credential;
    struct credential *inner_credential; /* this process's, or a daemon's */
    bool validates;                      /* the program asked for TLS' own validation of the server */
    bool name_passed;                    /* but not of its name, which then vouches for nobody */
    enum credssp_source source;
    struct identity identity; /* to be handed over */
    pthread_mutex_t lock;
    struct secret ts_credentials; /* to be handed over instead, in DER, because the program said so; under `lock` */
};

SECURITY_STATUS credssp_acquire(const struct acquire_request *request, void **credential, int64_t *expiry);
struct credssp_credential *credssp_retain(struct credssp_credential *credential);
void credssp_release(void *credential);
/* What the program said is to be handed over; stays empty where it said nothing. SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS credssp_ts_credentials(struct credssp_credential *credential, struct secret *copy);
SECURITY_STATUS credssp_query_credential(const void *credential, uint32_t attribute, struct attribute *value);
SECURITY_STATUS credssp_set_credential(void *credential, uint32_t attribute, const void *value, size_t len);

/* package_info.identity_in: pSpnegoCred of a CREDSSP_CRED or of the one in a CREDSSP_CRED_EX. */
const void *credssp_identity_in(const void *auth_data);

#endif
