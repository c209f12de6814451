#include "schannel/cache.h"

#include "base/fork.h"
#include "base/memory.h"
#include "base/result.h"
#include "base/time.h"
#include <pthread.h>
#include <string.h>

#define SESSIONS_MAX 256 /* of one credential; the oldest gives way */

struct entry {
    char *server;
    SSL_SESSION *session;
    struct session_origin origin;
};

struct session_cache {
    struct session_cache *next, *previous;
    int64_t lifespan;
    struct entry entry[SESSIONS_MAX]; /* a ring: `first` is the oldest */
    unsigned first, n_entries;
};

/* One for the list and all caches, so that a child of fork finds it free. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct session_cache *all;

FORK_GUARD(lock, FORK_RANK_CONFIG)

struct session_cache *session_cache_new(int64_t lifespan)
{
    struct session_cache *cache = mem_zalloc(sizeof *cache);
    require(cache != NULL, NULL);
    cache->lifespan = lifespan;
    pthread_mutex_lock(&lock);
    cache->next = all;
    if (all != NULL)
        all->previous = cache;
    all = cache;
    pthread_mutex_unlock(&lock);
    return cache;
}

static struct entry *entry_at(struct session_cache *cache, unsigned index)
{
    return &cache->entry[(cache->first + index) % SESSIONS_MAX];
}

static void entry_drop(struct session_cache *cache, unsigned index)
{
    struct entry *entry = entry_at(cache, index);
    mem_free(entry->server);
    SSL_SESSION_free(entry->session);
    shown_release(&entry->origin.own);
    for (unsigned i = index; i + 1 < cache->n_entries; i++)
        *entry_at(cache, i) = *entry_at(cache, i + 1);
    *entry_at(cache, --cache->n_entries) = (struct entry){0};
}

void session_cache_free(struct session_cache *cache)
{
    if (cache == NULL)
        return;
    pthread_mutex_lock(&lock);
    if (cache->previous != NULL)
        cache->previous->next = cache->next;
    else
        all = cache->next;
    if (cache->next != NULL)
        cache->next->previous = cache->previous;
    pthread_mutex_unlock(&lock);
    while (cache->n_entries > 0)
        entry_drop(cache, cache->n_entries - 1);
    mem_free(cache);
}

static size_t name_len(const char *name)
{
    size_t len = strlen(name);
    return len > 1 && name[len - 1] == '.' ? len - 1 : len;
}

static unsigned char lower(char letter)
{
    return (unsigned char)(letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter);
}

/* Names of servers: the same in any ASCII case, and absolute with the last dot or without it. */
static bool entry_is_of(const struct entry *entry, const char *server)
{
    if (server == NULL)
        return true;
    size_t len = name_len(server);
    if (len != name_len(entry->server))
        return false;
    for (size_t i = 0; i < len; i++)
        if (lower(entry->server[i]) != lower(server[i]))
            return false;
    return true;
}

static bool is_single_use(SSL_SESSION *session)
{
    return SSL_SESSION_get_protocol_version(session) == TLS1_3_VERSION;
}

void session_cache_put(struct session_cache *cache, const char *server, const struct session_origin *origin,
                       SSL_SESSION *session)
{
    struct entry fresh = {.server = mem_strdup(server), .origin = *origin};
    fresh.origin.own = (struct shown){0};
    if (fresh.server == NULL || !shown_take(&fresh.origin.own, origin->own.x509, origin->own.issuers) ||
        SSL_SESSION_up_ref(session) != 1) {
        shown_release(&fresh.origin.own);
        mem_free(fresh.server); /* nothing is resumed, that is all */
        return;
    }
    fresh.session = session;
    pthread_mutex_lock(&lock);
    for (unsigned i = cache->n_entries; !is_single_use(session) && i-- > 0;)
        if (entry_is_of(entry_at(cache, i), server))
            entry_drop(cache, i);
    if (cache->n_entries == SESSIONS_MAX)
        entry_drop(cache, 0);
    *entry_at(cache, cache->n_entries++) = fresh;
    pthread_mutex_unlock(&lock);
}

SSL_SESSION *session_cache_take(struct session_cache *cache, const char *server, bool validated,
                                struct session_origin *origin)
{
    SSL_SESSION *session = NULL;
    int64_t now = steady_now();
    pthread_mutex_lock(&lock);
    for (unsigned i = cache->n_entries; session == NULL && i-- > 0;) {
        struct entry *entry = entry_at(cache, i);
        if (now - entry->origin.since >= cache->lifespan || SSL_SESSION_is_resumable(entry->session) != 1) {
            entry_drop(cache, i);
            continue;
        }
        if (!entry_is_of(entry, server) || (validated && !entry->origin.validated) ||
            SSL_SESSION_up_ref(entry->session) != 1)
            continue;
        *origin = entry->origin;
        origin->own = (struct shown){0};
        if (!shown_take(&origin->own, entry->origin.own.x509, entry->origin.own.issuers)) {
            SSL_SESSION_free(entry->session);
            break;
        }
        session = entry->session;
        if (is_single_use(session))
            entry_drop(cache, i);
    }
    pthread_mutex_unlock(&lock);
    return session;
}

void session_cache_forget(const char *server)
{
    pthread_mutex_lock(&lock);
    for (struct session_cache *cache = all; cache != NULL; cache = cache->next)
        for (unsigned i = cache->n_entries; i-- > 0;)
            if (entry_is_of(entry_at(cache, i), server))
                entry_drop(cache, i);
    pthread_mutex_unlock(&lock);
}
