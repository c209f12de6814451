/*
 * Who winbind says this computer is, and which domains it knows: kept for the process and asked anew in the background, so that nobody waits for what
 * is known.
 * Lock: one, over what is kept. Not held while winbind is asked.
 */
#ifndef OPENSSPI_ACCESS_WINBIND_DOMAINS_H
#define OPENSSPI_ACCESS_WINBIND_DOMAINS_H

#include "access/wbclient.h"

#define WINBIND_FRESH_MS 300000 /* asked again after that */
#define WINBIND_RETRY_MS 5000   /* after a failure nobody asks again before */

struct winbind_domain {
    char *key, *dns_key; /* upper-cased by text_upper; dns_key may be NULL */
    struct sid sid;      /* S-1-5-21-a-b-c; revision 0: winbind does not say */
};

/* Immutable and counted. */
struct winbind_domains {
    char *computer, *domain, *dns_domain; /* NetBIOS names as winbind writes them; dns_domain may be NULL */
    struct winbind_domain *domains;       /* the own one first, then those it trusts; never this computer or BUILTIN */
    size_t n_domains;
    struct sid *locals; /* of this computer's own accounts, as winbind has them */
    size_t n_locals;
};

/* Gives what is known; release it. When nothing is: with `wait` asks, bounded by the settings, else only sets asking going.
 * SEC_E_NO_AUTHENTICATING_AUTHORITY when winbind does not answer, or did not a moment ago; SEC_E_INTERNAL_ERROR without the library, or for an answer
 * that makes no sense; SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS winbind_domains_get(const struct winbind_settings *settings, bool wait,
                                    const struct winbind_domains **domains);
void winbind_domains_release(const struct winbind_domains *domains); /* NULL is fine */

/* The domain of this name, NetBIOS or DNS, upper-cased; NULL: none. */
const struct winbind_domain *winbind_domain_find(const struct winbind_domains *domains, const char *key);

/* The domain of which this is an account or a group, by its SID; NULL: none that is known. */
const struct winbind_domain *winbind_domain_of_sid(const struct winbind_domains *domains, const struct sid *sid);
/* Is it one of this computer's own accounts? */
bool winbind_sid_is_local(const struct winbind_domains *domains, const struct sid *sid);

/* Tests only: whatever is known is old now. */
void winbind_domains_expire(void);

/* Does the trust between this computer and its domain hold? Asks winbind, which asks a controller: SEC_E_OK, or as winbind_domains_get. Needs
 * winbind's privileged socket. */
SECURITY_STATUS winbind_trust_check(const struct winbind_settings *settings);

#endif
