/*
 * An NTLM credential: the hash that proves an identity (client), and the stores that know identities (server).
 */
#ifndef OPENSSPI_NTLM_CREDENTIAL_H
#define OPENSSPI_NTLM_CREDENTIAL_H

#include "accounts/accounts.h"
#include "core/lease.h"
#include "core/package.h"
#include "crypto/digest.h"

/* What a client proves itself with. */
struct ntlm_login {
    char *user, *domain; /* never NULL once there is a login, nor is */
    char *full_name;     /* "domain\user" */
    struct key16 nt_hash, lm_hash;
    bool has_lm_hash;
    struct hmac_md5_key v2_key; /* NTOWFv2, which depends on nothing else */
};

struct ntlm_credential {
    const struct config *config;
    bool has_login; /* else the process has no default, and only a prompt or a null session helps */
    bool needs_password;
    struct ntlm_login login;
    struct lease *lease;       /* of the logon session whose login it is; NULL: of none */
    struct accounts *accounts; /* inbound only */
};

SECURITY_STATUS ntlm_acquire(const struct acquire_request *request, void **credential, int64_t *expiry);
void ntlm_release(void *credential);
/* package_authority.keep: name, domain and NT hash. SEC_E_NO_CREDENTIALS where the credential has no login. */
SECURITY_STATUS ntlm_keep(void *credential, struct secret *kept);
/* package_authority.acquire_delegated, of what ntlm_keep kept. */
SECURITY_STATUS ntlm_acquire_kept(const struct acquire_request *request, struct slice kept, void *service,
                                  void **credential, int64_t *expiry);
SECURITY_STATUS ntlm_query_credential(const void *credential, uint32_t attribute, struct attribute *value);
SECURITY_STATUS ntlm_change_password(const struct password_change *change);

/* Asks the user (core/prompt.h) for what the credential lacks. */
SECURITY_STATUS ntlm_login_prompt(const struct ntlm_credential *credential, const char *target,
                                  struct ntlm_login *login);
void ntlm_login_release(struct ntlm_login *login);

#endif
