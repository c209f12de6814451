/*
 * A credential that a daemon keeps, as this process sees it: for those that ask with it (remote_handshake.c, remote_behalf.c).
 */
#ifndef OPENSSPI_LSA_REMOTE_CREDENTIAL_H
#define OPENSSPI_LSA_REMOTE_CREDENTIAL_H

#include "lsa/authority.h"
#include "lsa/connection.h"
#include <pthread.h>
#include <stdatomic.h>

struct kept;

struct remote_credential {
    struct lsa_daemon *daemon;
    const struct package *package;
    const struct config *config;
    pid_t owner;     /* who acquired it: only that process gives it back, not a child that inherited it */
    char *principal; /* to acquire it anew, with `use` */
    uint32_t use;
    atomic_bool
        renewable; /* acquired of the defaults, and not changed since: whatever a new daemon gives in its place is the same */
    char *user;              /* of an identity without a password, for a prompt; never "" */
    char *domain, *packages; /* the identity's, or NULL */
    pthread_mutex_t lock;    /* guards what follows */
    bool lacks_password;     /* nobody's: neither an identity with a proof nor a logon session is behind it */
    uint64_t id, life;
    struct credential *local; /* once the caller named files of its own; then it answers */
    struct kept *texts;
};

/* A credential with nothing behind it yet. */
SECURITY_STATUS remote_credential_make(const struct package *package, const struct acquire_request *request,
                                       struct credential **credential);
/* Which credential of which of the daemon's lives this is; or the local one that has taken its place, else NULL. */
struct credential *remote_credential_now(struct remote_credential *credential, uint64_t *id, uint64_t *life);
bool remote_credential_lacks_password(struct remote_credential *credential);
/* The daemon was started anew, and the credential of that life is lost: asks for the same again, unless somebody did already. Fails for one that is
 * not renewable. */
SECURITY_STATUS remote_credential_renew(struct remote_credential *credential, uint64_t lost);

/* The handshakes of such credentials: entries of their authority's table. */
SECURITY_STATUS remote_initiate(void *credential, void **handshake, const struct step_in *in, struct step_out *out);
SECURITY_STATUS remote_accept(void *credential, void **handshake, const struct step_in *in, struct step_out *out);
SECURITY_STATUS remote_complete(void *opaque, struct slice_mut token, struct step_out *out);
SECURITY_STATUS remote_query_handshake(const void *opaque, uint32_t attribute, struct attribute *value);
void remote_abandon(void *opaque);

#endif
