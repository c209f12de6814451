/*
 * The stores of one process in order: what the files of accounts.h share.
 */
#ifndef OPENSSPI_ACCOUNTS_ACCOUNTS_INTERNAL_H
#define OPENSSPI_ACCOUNTS_ACCOUNTS_INTERNAL_H

#include "accounts/accounts.h"
#include "accounts/cache.h"
#include "accounts/store.h"

struct accounts {
    struct accounts *next;
    unsigned references;
    char *name[CACHE_STORES_MAX];
    struct account_store store[CACHE_STORES_MAX];
    size_t n_stores;
    char *default_domain, *default_key;
    struct account_policy policy;
    char *winbind_library; /* what the policy points at */
    bool asks_domains;     /* one of the stores does */
    struct key16 nobody;   /* the random hash that responses of unknown accounts are measured against */
    struct cache *cache;
    struct failures *
        unknown; /* counts the failures of unknown names, which nobody asks for: it costs what those of accounts cost */
};

/* Which store verifies this name: `*store` is one that asks a domain, or n_stores for those that know hashes. SEC_E_NO_AUTHENTICATING_AUTHORITY when
 * that hangs on a domain that cannot be asked. */
SECURITY_STATUS accounts_route(struct accounts *accounts, const char *user, const char *domain, size_t *store);

#endif
