#include "accounts/cache.h"

#include "base/memory.h"
#include "crypto/random.h"

#include <pthread.h>
#include <string.h>

#define CACHE_SETS 128 /* a power of two; with the ways: 512 names, about 250 KiB */
#define CACHE_WAYS 4

struct cache_slot {
    uint64_t hash;
    size_t user_len, domain_len;
    bool used;
    struct cache_answer answer;
    char names[CACHE_NAME_MAX];
};

struct cache {
    pthread_rwlock_t lock; /* guards all that follows */
    uint64_t seed;         /* so that nobody can choose names that push each other out */
    struct cache_stamps stamps;
    unsigned next_way; /* the slot of a full set that is given up next */
    size_t n_used;
    struct cache_slot slot[CACHE_SETS][CACHE_WAYS];
};

void cache_answer_wipe(struct cache_answer *answer)
{
    store_record_wipe(&answer->record);
    secret_wipe(answer, sizeof(*answer));
}

struct cache *cache_new(void)
{
    struct cache *cache = secret_block_alloc(sizeof(*cache));
    require(cache != NULL, NULL);
    if (!random_bytes(&cache->seed, sizeof(cache->seed))) {
        secret_block_free(cache, sizeof(*cache));
        return NULL;
    }
    pthread_rwlock_init(&cache->lock, NULL);
    return cache;
}

static void cache_clear(struct cache *cache)
{
    for (unsigned set = 0; cache->n_used > 0 && set < CACHE_SETS; set++)
        for (unsigned way = 0; way < CACHE_WAYS; way++) {
            struct cache_slot *slot = &cache->slot[set][way];
            if (!slot->used)
                continue;
            cache_answer_wipe(&slot->answer);
            slot->used = false;
            cache->n_used--;
        }
}

void cache_release(struct cache *cache)
{
    if (cache == NULL)
        return;
    cache_clear(cache);
    pthread_rwlock_destroy(&cache->lock);
    secret_block_free(cache, sizeof(*cache));
}

/* FNV-1a with a seed, stirred once more at the end: its low bits choose the set. */
static uint64_t names_hash(uint64_t seed, const char *user, size_t user_len, const char *domain, size_t domain_len)
{
    uint64_t hash = seed ^ user_len;
    for (size_t i = 0; i < user_len; i++)
        hash = (hash ^ (uint8_t)user[i]) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < domain_len; i++)
        hash = (hash ^ (uint8_t)domain[i]) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 32;
}

static struct cache_slot *slot_find(struct cache *cache, const char *user, size_t user_len, const char *domain,
                                    size_t domain_len, uint64_t hash)
{
    struct cache_slot *set = cache->slot[hash % CACHE_SETS];
    for (unsigned way = 0; way < CACHE_WAYS; way++) {
        struct cache_slot *slot = &set[way];
        if (slot->used && slot->hash == hash && slot->user_len == user_len && slot->domain_len == domain_len &&
            memcmp(slot->names, user, user_len) == 0 && memcmp(slot->names + user_len, domain, domain_len) == 0)
            return slot;
    }
    return NULL;
}

static void answer_copy(struct cache_answer *to, const struct cache_answer *from)
{
    *to = *from;
    if (to->record.account != NULL)
        account_retain(to->record.account);
}

bool cache_get(struct cache *cache, const struct cache_stamps *stamps, const char *user, const char *domain,
               struct cache_answer *answer)
{
    size_t user_len = strlen(user), domain_len = strlen(domain);
    require(user_len <= CACHE_NAME_MAX && domain_len <= CACHE_NAME_MAX - user_len, false);
    uint64_t hash = names_hash(cache->seed, user, user_len, domain, domain_len);
    struct cache_slot *slot = NULL;
    pthread_rwlock_rdlock(&cache->lock);
    if (memcmp(stamps, &cache->stamps, sizeof(*stamps)) == 0)
        slot = slot_find(cache, user, user_len, domain, domain_len, hash);
    if (slot != NULL)
        answer_copy(answer, &slot->answer);
    pthread_rwlock_unlock(&cache->lock);
    return slot != NULL;
}

static struct cache_slot *slot_for(struct cache *cache, uint64_t hash)
{
    struct cache_slot *set = cache->slot[hash % CACHE_SETS];
    for (unsigned way = 0; way < CACHE_WAYS; way++)
        if (!set[way].used) {
            cache->n_used++;
            return &set[way];
        }
    struct cache_slot *slot = &set[cache->next_way++ % CACHE_WAYS];
    cache_answer_wipe(&slot->answer);
    return slot;
}

void cache_put(struct cache *cache, const struct cache_stamps *stamps, const char *user, const char *domain,
               const struct cache_answer *answer)
{
    size_t user_len = strlen(user), domain_len = strlen(domain);
    if (user_len > CACHE_NAME_MAX || domain_len > CACHE_NAME_MAX - user_len)
        return;
    uint64_t hash = names_hash(cache->seed, user, user_len, domain, domain_len);
    pthread_rwlock_wrlock(&cache->lock);
    if (memcmp(stamps, &cache->stamps, sizeof(*stamps)) != 0) {
        cache_clear(cache);
        cache->stamps = *stamps;
    }
    if (slot_find(cache, user, user_len, domain, domain_len, hash) == NULL) {
        struct cache_slot *slot = slot_for(cache, hash);
        slot->used = true;
        slot->hash = hash;
        slot->user_len = user_len;
        slot->domain_len = domain_len;
        memcpy(slot->names, user, user_len);
        memcpy(slot->names + user_len, domain, domain_len);
        answer_copy(&slot->answer, answer);
    }
    pthread_rwlock_unlock(&cache->lock);
}
