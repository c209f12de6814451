/*
 * The session record of a client that a server lets in, by its messages or by a response that was passed on.
 */
#ifndef OPENSSPI_NTLM_RECORD_H
#define OPENSSPI_NTLM_RECORD_H

#include "accounts/accounts.h"
#include "core/package.h"

struct ntlm_admitted {
    const struct account *account; /* NULL: an anonymous client */
    bool v2;                       /* NTLMv2 proved it, and made the key */
    uint32_t flags;                /* that were agreed on */
    uint32_t granted;              /* ASC_RET_* */
    const struct key16 *key;
    const char *target;       /* what the client meant, or NULL */
    struct slice target_info; /* the pairs that it was sent */
};

/* SEC_E_INSUFFICIENT_MEMORY; statuses of account_identity_write. */
SECURITY_STATUS ntlm_admitted_write(const struct config *config, const struct ntlm_admitted *admitted,
                                    struct writer *record);
/* When the logon ends. FILETIME, or FILETIME_NEVER. */
int64_t ntlm_logon_ends(const struct account *account);

#endif
