/*
 * Is what winbind says of a client to be believed? A controller, or whoever speaks for a trusted domain, names accounts and groups of domains; not
 * this computer's own, nor another domain's.
 */
#ifndef OPENSSPI_ACCOUNTS_WINBIND_ANSWER_H
#define OPENSSPI_ACCOUNTS_WINBIND_ANSWER_H

#include "access/winbind_domains.h"
#include "accounts/store.h"

struct winbind_asked {
    const char *domain_key; /* upper-cased; "": the question named none */
    const char *only_key;   /* the one domain that the store is for, or NULL */
};

/* Looks at an account as winbind gave it, `dns_domain` (may be NULL) beside it, against the domains that are known now. Takes those of its groups out
 * that no domain can give. SEC_E_LOGON_DENIED with the cause; SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS winbind_answer_check(const struct winbind_domains *domains, const struct winbind_asked *asked,
                                     const char *dns_domain, struct account *account);

#endif
