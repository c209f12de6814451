/*
 * Tokens out of what is known: an authenticated client, nobody, this process.
 */
#ifndef OPENSSPI_ACCESS_TOKEN_BUILD_H
#define OPENSSPI_ACCESS_TOKEN_BUILD_H

#include "access/token.h"

/* How the client came in: decides on groups. */
enum token_logon { TOKEN_LOGON_NETWORK, TOKEN_LOGON_INTERACTIVE, TOKEN_LOGON_BATCH, TOKEN_LOGON_SERVICE };

struct token_request {
    const char *package;   /* that authenticated the client, as "NTLM", not one that chose it: the token's source */
    struct slice identity; /* as access/client_identity.h encodes it; empty: the package knows no SIDs */
    const char *client;    /* "DOMAIN\user" or "user@REALM", or NULL */
    const char *authority; /* domain or realm, or NULL */
    int64_t expiry;        /* FILETIME */
    enum token_logon logon;
    bool primary; /* else an impersonation token of this level: */
    SECURITY_IMPERSONATION_LEVEL level;
    const struct behalf *behalf; /* what the token's user may be acted for with; NULL: nothing */
};

/* The level that a client's granted ASC_RET_* flags speak of. */
SECURITY_IMPERSONATION_LEVEL token_level_of_flags(uint32_t flags);

/* The client's token, with the groups that Windows adds: Everyone, Authenticated Users, This Organization, Users, how it came in, how it was
 * authenticated, the logon SID. SEC_E_OK; SEC_E_NO_IMPERSONATION for a client whom neither a SID nor a Unix user names; SEC_E_INVALID_TOKEN for a
 * damaged identity; SEC_E_INSUFFICIENT_MEMORY; SEC_E_INTERNAL_ERROR when winbind or the name service fail, or [access] is wrong. May ask name
 * services. */
SECURITY_STATUS token_of_client(const struct token_request *request, const struct config *config,
                                const struct token **token);
/* ANONYMOUS LOGON, impersonation level, with the Unix user that [access] names for it. */
SECURITY_STATUS token_of_nobody(const struct config *config, const struct token **token);
/* This process's primary token. Call it within AS_PROCESS_SCOPE. */
SECURITY_STATUS token_of_process(const struct config *config, const struct token **token);

#endif
