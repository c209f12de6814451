/*
 * A Digest credential: the password that proves an identity (client), and the stores that know digest hashes (server).
 */
#ifndef OPENSSPI_DIGEST_CREDENTIAL_H
#define OPENSSPI_DIGEST_CREDENTIAL_H

#include "accounts/accounts.h"
#include "core/package.h"
#include "digest/terms.h"

/* What a client proves itself with. */
struct digest_login {
    char *user, *domain;    /* UTF-8; the domain may be "" */
    struct secret password; /* UTF-8 */
};

struct digest_credential {
    const struct config *config;
    bool has_login; /* else the process has no default, and only a prompt helps */
    bool needs_password;
    struct digest_login login;
    char *full_name;                                     /* "domain\user", or "" */
    struct accounts *accounts;                           /* inbound only, as is what follows */
    const struct digest_scheme *offered[DIGEST_SCHEMES]; /* over HTTP, the best first */
    size_t n_offered;
};

SECURITY_STATUS digest_acquire(const struct acquire_request *request, void **credential, int64_t *expiry);
void digest_release(void *credential);
SECURITY_STATUS digest_query_credential(const void *credential, uint32_t attribute, struct attribute *value);

/* Asks the user (core/prompt.h) for what the credential lacks. */
SECURITY_STATUS digest_login_prompt(const struct digest_credential *credential, const char *target,
                                    struct digest_login *login);
void digest_login_release(struct digest_login *login);

/* What the configuration has a server offer over HTTP, the strongest first, whatever the order there: up to DIGEST_SCHEMES. SEC_E_OK, or
 * SEC_E_CANNOT_INSTALL with the cause. */
SECURITY_STATUS digest_schemes_offered(const struct config *config, const struct digest_scheme **offered,
                                       size_t *n_offered);

#endif
