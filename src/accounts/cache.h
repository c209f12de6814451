/*
 * What the stores said about names that were asked for, for as long as no store has changed: a warm handshake then reads no file.
 * Names are kept letter by letter as the client sent them, so that the NTLMv2 key, which depends on them, is kept too. Only names
 * that proved their password are kept: whoever sends many others pushes nobody out.
 */
#ifndef OPENSSPI_ACCOUNTS_CACHE_H
#define OPENSSPI_ACCOUNTS_CACHE_H

#include "accounts/store.h"
#include "crypto/digest.h"

#define CACHE_STORES_MAX 16 /* CONFIG_LIST_MAX */
#define CACHE_NAME_MAX 256  /* user and domain together; longer names are looked up each time */

/* The answer for one pair of names. */
struct cache_answer {
    struct store_record record; /* record.account NULL: unknown, never in the cache */
    unsigned store;             /* which one it came from */
    struct hmac_md5_key v2_key;
};
void cache_answer_wipe(struct cache_answer *answer);
#define AUTO_ANSWER __attribute__((cleanup(cache_answer_wipe)))

struct cache_stamps {
    struct store_stamp store[CACHE_STORES_MAX];
};

struct cache;
struct cache *cache_new(void); /* NULL: no memory */
void cache_release(struct cache *cache);
/* Gives a copy (wipe it) of what is kept for the names, if it was kept under these stamps. */
bool cache_get(struct cache *cache, const struct cache_stamps *stamps, const char *user, const char *domain,
               struct cache_answer *answer);
/* Keeps a copy. Whatever was kept under other stamps is forgotten. */
void cache_put(struct cache *cache, const struct cache_stamps *stamps, const char *user, const char *domain,
               const struct cache_answer *answer);

#endif
