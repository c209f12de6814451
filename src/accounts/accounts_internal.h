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
    struct key16 nobody; /* the random hash that responses of unknown accounts are measured against */
    struct cache *cache;
    struct failures *
        unknown; /* counts the failures of unknown names, which nobody asks for: it costs what those of accounts cost */
};

#endif
