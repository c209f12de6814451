/*
 * The authority: whoever acquires credentials and walks handshakes. The api asks through this table and cannot tell who answers: `local.c` in this
 * process, or a daemon. Message calls never come here.
 */
#ifndef OPENSSPI_LSA_AUTHORITY_H
#define OPENSSPI_LSA_AUTHORITY_H

#include "access/token_build.h"
#include "core/objects.h"

enum logon_provider { LOGON_BY_DOMAIN, LOGON_BY_STORES, LOGON_BY_KERBEROS };

/* A name and a password to be proved. */
struct logon_request {
    const struct config *config;
    const struct identity *identity; /* user, domain (NULL: this computer's), password */
    enum logon_provider provider;
    enum token_logon logon;
    bool primary;                       /* the type of the token wanted */
    SECURITY_IMPERSONATION_LEVEL level; /* of one that is not primary */
    bool keeps;                         /* whoever acts with the token authenticates as its user */
};

struct authority {
    /* On SEC_E_OK the credential is the caller's (credential_put). */
    SECURITY_STATUS(*acquire)
    (const struct package *package, const struct acquire_request *request, struct credential **credential);
    /* One step of the context's handshake, whose lock the caller holds; context->credential is there until the handshake ends. */
    SECURITY_STATUS (*step)(struct context *context, const struct step_in *in, struct step_out *out);
    SECURITY_STATUS (*complete)(struct context *context, struct slice_mut token, struct step_out *out);
    SECURITY_STATUS (*control)(struct context *context, struct slice token);
    SECURITY_STATUS (*set_context)(struct context *context, uint32_t attribute, const void *value, size_t len);
    SECURITY_STATUS(*query_credential)
    (const struct credential *credential, uint32_t attribute, struct attribute *value);
    SECURITY_STATUS (*set_credential)(struct credential *credential, uint32_t attribute, const void *value, size_t len);
    SECURITY_STATUS (*change_password)(const struct package *package, const struct password_change *change);
    /* Credentials to act for somebody else; as acquire. `service`, of that package or of one that chooses it, may be NULL for delegated ones. */
    SECURITY_STATUS(*acquire_delegated)
    (const struct package *package, const struct acquire_request *request, struct slice delegated,
     struct credential *service, struct credential **credential);
    /* A credential of a package that chooses, with nothing in it but this one, of another package; as acquire. */
    SECURITY_STATUS(*wrap)
    (const struct package *package, const struct acquire_request *request, struct credential *chosen,
     struct credential **credential);
    SECURITY_STATUS(*acquire_s4u)
    (const struct acquire_request *request, const char *user, struct credential *service,
     struct credential **credential);
    /* The access token of the client that a session stands for (token_release it), with what it may be acted for with; `service` is what
     * context->service says. SEC_E_NO_IMPERSONATION: the session is the client's own side, or its client is nobody here. Never on the way of a
     * handshake: it may ask name services. */
    SECURITY_STATUS(*client_token)
    (const struct session *session, struct credential *service, const struct config *config,
     const struct token **token);
    /* Proves a password and gives a token, as an authentication over the network would. */
    SECURITY_STATUS (*logon)(const struct logon_request *request, const struct token **token);
};

/* Whoever the configuration says, request by request. */
const struct authority *authority(void);
enum config_lsa authority_mode(const struct config *config);
/* For the daemon, before there are threads: whatever the configuration says, it is this process that answers. */
void authority_embed(void);

#endif
