#include "lsa/sessions.h"

#include "base/fork.h"
#include "base/memory.h"
#include "base/secret.h"
#include "base/time.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "core/lease.h"
#include "core/registry.h"
#include "core/tickets.h"
#include "crypto/random.h"
#include "lsa/kept_text.h"
#include "lsa/logon.h"
#include <pthread.h>
#include <sspi_ext.h>
#include <stdatomic.h>
#include <string.h>

#define SESSIONS_FEW 4
#define CACHE_MARGIN (60 * FILETIME_SECOND) /* tickets that end sooner are got anew */
#define SILENT_FOR (60 * FILETIME_SECOND)   /* so long a KDC that did not answer is not waited for by handshakes */

struct kept_session {
    struct logon_session told; /* first: a const struct logon_session * is the session */
    atomic_uint n_references;
    struct kept_session *next; /* newest first; guarded by `lock` */
    char *package, *user, *domain;
    const struct config *config;
    struct identity identity;   /* wiped with the session; empty where nothing stays */
    atomic_uint n_forks;        /* fork_count of the process whose threads hold cache_lock */
    pthread_mutex_t cache_lock; /* guards what follows; held while a KDC is asked */
    const struct package *cache_package;
    void *cache_credential; /* holds the ticket-granting ticket, and gets another when it ends; NULL: none */
    const char *cache;
    int64_t cache_expiry; /* 0: the ticket-granting ticket was purged */
    int64_t silent;       /* steady time when the KDC last did not answer; 0: it did since */
    int64_t
        refused; /* steady time of the KDC's last refusal; 0: none since it last gave tickets. For SESSION_REFUSED_FOR it is not asked again */
    const char *refusal; /* what it said, one of: */
    struct kept *refusals;
    struct lease *lease; /* whoever drew on the session has it, too */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards the list */
static struct kept_session *newest;
static atomic_uint n_sessions;

FORK_GUARD(lock, FORK_RANK_LSA)

/* A child of fork has none of the threads that ask a KDC meanwhile: it begins with a lock of its own. */
static void cache_enter(struct kept_session *session)
{
    if (atomic_load(&session->n_forks) != fork_count()) {
        pthread_mutex_lock(&lock);
        if (atomic_load(&session->n_forks) != fork_count()) {
            pthread_mutex_init(&session->cache_lock, NULL);
            atomic_store(&session->n_forks, fork_count());
        }
        pthread_mutex_unlock(&lock);
    }
    pthread_mutex_lock(&session->cache_lock);
}

static void cache_leave(struct kept_session *session)
{
    pthread_mutex_unlock(&session->cache_lock);
}

static void lent_refresh(const struct lease *lease);

static void session_free(struct kept_session *session)
{
    if (session->lease != NULL)
        lease_end(session->lease);
    lease_put(session->lease);
    if (session->cache_credential != NULL)
        session->cache_package->authority->release(session->cache_credential);
    identity_release(&session->identity);
    kept_free(session->refusals);
    if (atomic_load(&session->n_forks) == fork_count())
        pthread_mutex_destroy(&session->cache_lock);
    config_release(session->config);
    mem_free(session->package);
    mem_free(session->user);
    mem_free(session->domain);
    mem_free(session);
}

void sessions_put(const struct logon_session *session)
{
    struct kept_session *kept = (struct kept_session *)(uintptr_t)session;
    if (kept != NULL && atomic_fetch_sub_explicit(&kept->n_references, 1, memory_order_acq_rel) == 1)
        session_free(kept);
}

static struct kept_session *session_retain(struct kept_session *session)
{
    atomic_fetch_add_explicit(&session->n_references, 1, memory_order_relaxed);
    return session;
}

static struct kept_session *session_new(const struct session_request *request, const char *user, const char *domain)
{
    struct kept_session *session = mem_zalloc(sizeof *session);
    require(session != NULL, NULL);
    atomic_init(&session->n_references, 1);
    pthread_mutex_init(&session->cache_lock, NULL);
    atomic_init(&session->n_forks, fork_count());
    session->config = config_retain(request->config);
    session->lease = lease_new(lent_refresh);
    session->package = mem_strdup(request->package->info.name);
    session->user = mem_strdup(user != NULL ? user : "");
    session->domain = mem_strdup(domain != NULL ? domain : "");
    session->told = (struct logon_session){.owner = request->owner,
                                           .type = request->type,
                                           .time = filetime_now(),
                                           .package = session->package,
                                           .user = session->user,
                                           .domain = session->domain};
    if (session->lease == NULL || session->package == NULL || session->user == NULL || session->domain == NULL) {
        session_free(session);
        return NULL;
    }
    return session;
}

static bool id_is_taken(uint64_t id)
{
    for (const struct kept_session *session = newest; session != NULL; session = session->next)
        if (session->told.id == id)
            return true;
    return false;
}

/* The oldest network session of a user, out of the list. It holds nothing but the tale of a logon, and nobody ends it: it makes room. The caller
 * holds the lock. */
static struct kept_session *network_session_take(uid_t owner)
{
    struct kept_session **found = NULL;
    for (struct kept_session **at = &newest; *at != NULL; at = &(*at)->next)
        if ((*at)->told.owner == owner && (*at)->told.type == SESSION_NETWORK)
            found = at;
    require(found != NULL, NULL);
    struct kept_session *oldest = *found;
    *found = oldest->next;
    n_sessions--;
    return oldest;
}

/* Takes the session, also when it answers an error. */
static SECURITY_STATUS session_publish(struct kept_session *session, uint64_t *id)
{
    unsigned n_own = 0;
    uint64_t fresh = 0;
    bool drawn = true;
    pthread_mutex_lock(&lock);
    for (const struct kept_session *other = newest; other != NULL; other = other->next)
        n_own += other->told.owner == session->told.owner ? 1 : 0;
    /* Sessions' ids tell nothing of one another; the small numbers are Windows' own (LUIDs of the system and its services). */
    while (drawn && (fresh < 1000 || id_is_taken(fresh)))
        drawn = random_bytes(&fresh, sizeof fresh);
    struct kept_session *oldest = NULL;
    if (drawn && n_own >= SESSIONS_OF_A_USER_MAX && (oldest = network_session_take(session->told.owner)) != NULL)
        n_own--;
    /* Users with many sessions do not shut the others out: an eighth is for who has few, half of that for root. */
    unsigned reserve = session->told.owner == 0 ? 0 : n_own < SESSIONS_FEW ? SESSIONS_MAX / 16 : SESSIONS_MAX / 8;
    bool room = drawn && n_own < SESSIONS_OF_A_USER_MAX &&
                (oldest != NULL || n_sessions < SESSIONS_MAX - reserve); /* the place that became free is its own */
    if (room) {
        session->told.id = *id = fresh;
        session->next = newest;
        newest = session;
        n_sessions++;
    }
    pthread_mutex_unlock(&lock);
    if (oldest != NULL)
        sessions_put(&oldest->told);
    if (!room) {
        session_free(session);
        return cause_set(SEC_E_INSUFFICIENT_MEMORY, "there are too many logon sessions");
    }
    return SEC_E_OK;
}

/* Gets a ticket-granting ticket into a cache in memory, with the session's password. The caller holds cache_lock, or nobody knows the session yet. */
static SECURITY_STATUS cache_fill(struct kept_session *session)
{
    const struct package *kerberos = registry_find("Kerberos");
    struct attribute name = {0};
    int64_t expiry;
    require(kerberos != NULL && kerberos->authority->query_credential != NULL, SEC_E_SECPKG_NOT_FOUND);
    if (session->cache_credential == NULL) {
        const struct acquire_request request = {.config = session->config,
                                                .use = SECPKG_CRED_OUTBOUND,
                                                .identity = &session->identity,
                                                .session_lease = session->lease};
        try(kerberos->authority->acquire(&request, &session->cache_credential, &expiry));
        session->cache_package = kerberos;
    }
    try(kerberos->authority->query_credential(session->cache_credential, OPENSSPI_CRED_ATTR_CCACHE, &name));
    session->cache = name.names.text;
    session->cache_expiry = 0; /* until the probe says: one that fails shall not be taken for tickets that never end */
    const struct acquire_request probe = {
        .config = session->config, .use = SECPKG_CRED_OUTBOUND, .session_cache = session->cache};
    void *seen = NULL;
    try(kerberos->authority->acquire(&probe, &seen, &session->cache_expiry));
    kerberos->authority->release(seen);
    return SEC_E_OK;
}

/* Where the credentials stay, the KDC's answer proves the password: it opens with nothing else. For a token that is not enough, as anybody may answer
 * in the KDC's place: then the KDC has to know a key of this computer too. */
static SECURITY_STATUS proved_by_kdc(const struct session_request *request, const struct package *kerberos,
                                     struct kept_session *session)
{
    struct acquire_request client = {.config = request->config, .use = SECPKG_CRED_OUTBOUND};
    try(cache_fill(session));
    require(request->proof != NULL, SEC_E_OK);
    client.session_cache = session->cache;
    return logon_prove(kerberos, &client, request->proof);
}

static SECURITY_STATUS identity_prove(const struct session_request *request, struct kept_session *session)
{
    AUTO_PROOF struct logon_proof unwanted = {0};
    struct logon_proof *proof = request->proof != NULL ? request->proof : &unwanted;
    const struct package *package = request->package;
    enum logon_provider provider = logon_provider_of(package);
    try(logon_package(request->config, request->identity, provider, &package));
    if (text_equal_fold(package->info.name, "Kerberos") && request->type == SESSION_INTERACTIVE) {
        SECURITY_STATUS status = proved_by_kdc(request, package, session);
        if (!logon_other_way(request->config, provider, package, status))
            return status;
        cause_drop();
        provider = LOGON_BY_STORES;
    }
    return logon_prove_by(request->config, request->identity, provider, proof);
}

/* What a client answered a server's challenge elsewhere, that the server passes on. */
static SECURITY_STATUS response_prove(const struct session_request *request)
{
    AUTO_PROOF struct logon_proof unwanted = {0};
    struct logon_proof *proof = request->proof != NULL ? request->proof : &unwanted;
    const struct package_authority *table = request->package->authority;
    require(
        table->prove_response != NULL,
        cause_set(SEC_E_UNSUPPORTED_FUNCTION, "%s knows no responses that are passed on", request->package->info.name));
    proof->package = request->package;
    writer_release(&proof->record);
    proof->record = writer_growing(512);
    return table->prove_response(request->config, request->identity, &proof->record);
}

SECURITY_STATUS sessions_log_on(const struct session_request *request, uint64_t *id)
{
    const struct identity *identity = request->identity;
    require(request->type == SESSION_INTERACTIVE || request->type == SESSION_NETWORK ||
                request->type == SESSION_NEW_CREDENTIALS,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION,
                      "there are interactive and network logons, and those with new credentials"));
    bool response = identity != NULL && identity->proof_kind == IDENTITY_RESPONSE;
    require(identity_has_name(identity) && (response || identity_kind(identity) == IDENTITY_LOGIN),
            cause_set(SEC_E_UNKNOWN_CREDENTIALS, "a logon needs a user's name and a password"));
    require(!response || request->type == SESSION_NETWORK,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "responses that are passed on make network logons"));
    struct kept_session *session = session_new(request, identity->user, identity->domain);
    require(session != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS status = identity_copy(&session->identity, identity) ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
    if (status == SEC_E_OK && response)
        status = response_prove(request);
    else if (status == SEC_E_OK && request->type != SESSION_NEW_CREDENTIALS)
        status = identity_prove(request, session);
    if (status != SEC_E_OK) {
        session_free(session);
        return status;
    }
    if (request->type == SESSION_NETWORK)
        identity_release(&session->identity);
    return session_publish(session, id);
}

static SECURITY_STATUS name_prove(const struct session_request *request, void *service)
{
    const struct package_authority *table = request->package->authority;
    const struct acquire_request acquire = {.config = request->config, .use = SECPKG_CRED_OUTBOUND};
    void *credential = NULL;
    int64_t expiry;
    require(table->acquire_s4u != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    try(table->acquire_s4u(&acquire, request->identity->user, service, &credential, &expiry));
    SECURITY_STATUS status = request->proof != NULL
                                 ? logon_prove_s4u(request->package, request->config, credential, request->proof)
                                 : SEC_E_OK;
    table->release(credential);
    return status;
}

SECURITY_STATUS sessions_log_on_s4u(const struct session_request *request, uint64_t *id)
{
    const struct acquire_request acquire = {.config = request->config, .use = SECPKG_CRED_BOTH};
    struct credential *service = NULL;
    require(request->type == SESSION_NETWORK,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "a service's word makes network logons: it leaves nothing to keep"));
    try(credential_acquire(request->package, &acquire, &service));
    SECURITY_STATUS status = name_prove(request, service->own);
    credential_put(service);
    try(status);
    struct kept_session *session = session_new(request, request->identity->user, NULL);
    return session != NULL ? session_publish(session, id) : SEC_E_INSUFFICIENT_MEMORY;
}

static bool gives_defaults(const struct kept_session *session, uid_t owner)
{
    return session->told.owner == owner && session->told.type != SESSION_NETWORK;
}

static bool is_visible(const struct kept_session *session, uid_t viewer)
{
    return viewer == 0 || session->told.owner == viewer;
}

SECURITY_STATUS sessions_log_off(uint64_t id, uid_t owner)
{
    pthread_mutex_lock(&lock);
    struct kept_session **at = &newest;
    while (*at != NULL && (id != 0 ? (*at)->told.id != id || !is_visible(*at, owner) : !gives_defaults(*at, owner)))
        at = &(*at)->next;
    struct kept_session *session = *at;
    if (session != NULL) {
        *at = session->next;
        n_sessions--;
    }
    pthread_mutex_unlock(&lock);
    require(session != NULL, cause_set(SEC_E_INVALID_HANDLE, "there is no such logon session"));
    lease_end(session->lease); /* now, however long somebody holds the session */
    sessions_put(&session->told);
    return SEC_E_OK;
}

SECURITY_STATUS sessions_list(uid_t viewer, uint64_t **ids, size_t *n_ids)
{
    size_t n_seen = 0;
    pthread_mutex_lock(&lock);
    uint64_t *seen = mem_zalloc_array((size_t)n_sessions + 1, sizeof *seen);
    for (const struct kept_session *session = newest; seen != NULL && session != NULL; session = session->next)
        if (is_visible(session, viewer))
            seen[n_seen++] = session->told.id;
    pthread_mutex_unlock(&lock);
    require(seen != NULL, SEC_E_INSUFFICIENT_MEMORY);
    *ids = seen;
    *n_ids = n_seen;
    return SEC_E_OK;
}

const struct logon_session *sessions_default(uid_t owner)
{
    struct kept_session *found;
    if (atomic_load_explicit(&n_sessions, memory_order_relaxed) == 0)
        return NULL;
    pthread_mutex_lock(&lock);
    for (found = newest; found != NULL && !gives_defaults(found, owner); found = found->next)
        ;
    if (found != NULL)
        session_retain(found);
    pthread_mutex_unlock(&lock);
    return found != NULL ? &found->told : NULL;
}

SECURITY_STATUS sessions_find(uint64_t id, uid_t viewer, const struct logon_session **session)
{
    struct kept_session *found;
    if (id == 0) {
        const struct logon_session *own = sessions_default(viewer);
        require(own != NULL, cause_set(SEC_E_INVALID_HANDLE, "this user has no logon session"));
        *session = own;
        return SEC_E_OK;
    }
    pthread_mutex_lock(&lock);
    for (found = newest; found != NULL && (found->told.id != id || !is_visible(found, viewer)); found = found->next)
        ;
    if (found != NULL)
        session_retain(found);
    pthread_mutex_unlock(&lock);
    require(found != NULL, cause_set(SEC_E_INVALID_HANDLE, "there is no such logon session"));
    *session = &found->told;
    return SEC_E_OK;
}

static bool is_refused(const struct kept_session *session)
{
    return session->refused != 0 && steady_now() < session->refused + SESSION_REFUSED_FOR;
}

/* The tickets, where there are none that last, of a KDC that has not just refused the password. The caller holds cache_lock. */
static SECURITY_STATUS cache_refresh(struct kept_session *session)
{
    if (is_refused(session) || (session->cache != NULL && session->cache_expiry - CACHE_MARGIN >= filetime_now()))
        return SEC_E_OK;
    SECURITY_STATUS filled = cache_fill(session);
    if (filled == SEC_E_LOGON_DENIED) {
        const char *said = kept_text(&session->refusals, cause_text());
        session->refused = steady_now();
        session->refusal = said != NULL ? said : "";
    } else if (filled == SEC_E_OK)
        session->refused = 0;
    session->silent = filled == SEC_E_NO_AUTHENTICATING_AUTHORITY ? steady_now() : 0;
    cause_drop(); /* without a KDC the tickets that are there, if any, are told of as ended */
    return filled;
}

void sessions_lend(const struct logon_session *session, struct acquire_request *request)
{
    struct kept_session *kept = (struct kept_session *)(uintptr_t)session;
    request->session_identity = &kept->identity;
    request->session_lease = kept->lease;
    cache_enter(kept);
    const struct package *package = NULL;
    bool is_kerberos = kept->cache_credential != NULL ||
                       (!text_equal_fold(kept->package, "NTLM") &&
                        logon_package(kept->config, &kept->identity, LOGON_BY_DOMAIN, &package) == SEC_E_OK &&
                        text_equal_fold(package->info.name, "Kerberos"));
    SECURITY_STATUS filled = SEC_E_OK;
    if (is_kerberos)
        filled = cache_refresh(kept);
    bool refused = is_refused(kept);
    request->session_has_realm =
        is_kerberos && filled != SEC_E_NO_AUTHENTICATING_AUTHORITY; /* who is silent now would hold up handshakes too */
    request->session_cache = refused ? NULL : kept->cache;
    request->session_refusal = refused ? kept->refusal : NULL;
    request->session_refused_until = refused ? kept->refused + SESSION_REFUSED_FOR : 0;
    cache_leave(kept);
}

/* Credentials in hand draw on the cache, too, and on what it gets anew. A KDC that is silent holds up who acquires, and not their every handshake. */
static void lent_refresh(const struct lease *lease)
{
    struct kept_session *found;
    pthread_mutex_lock(&lock);
    for (found = newest; found != NULL && found->lease != lease; found = found->next)
        ;
    if (found != NULL)
        session_retain(found);
    pthread_mutex_unlock(&lock);
    if (found == NULL)
        return;
    cache_enter(found);
    if (found->cache != NULL && (found->silent == 0 || steady_now() >= found->silent + SILENT_FOR))
        (void)cache_refresh(found);
    cache_leave(found);
    sessions_put(&found->told);
}

/* What is there, and no more: who lists tickets, or removes them, has none got anew for it. NULL: nothing. */
static const char *cache_as_it_is(struct kept_session *session)
{
    cache_enter(session);
    const char *cache = session->cache;
    cache_leave(session);
    return cache;
}

/* After tickets were removed from the cache: with them goes what credentials in hand remember; and where the ticket-granting one was among them,
 * whoever needs a ticket next has the session get another. */
static void purged(struct kept_session *session, const struct package *package, const struct tickets_request *request)
{
    AUTO_WRITER struct writer unwanted = writer_growing(2048);
    struct tickets_request look = {.config = request->config, .ask = TICKETS_GRANTING};
    cache_enter(session);
    lease_purge(session->lease); /* before anybody gets tickets again: what was got until now is not to come back */
    look.cache = session->cache;
    if (look.cache != NULL && package->authority->tickets(&look, &unwanted) != SEC_E_OK) {
        session->cache_expiry = 0;
        cause_drop();
    }
    cache_leave(session);
}

SECURITY_STATUS sessions_tickets(uint64_t id, uid_t viewer, const struct package *package,
                                 const struct tickets_request *request, struct writer *answer)
{
    const struct logon_session *session = NULL;
    struct acquire_request lent = {0};
    struct tickets_request asked = *request;
    SECURITY_STATUS status = SEC_E_OK;
    require(package->authority->tickets != NULL,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "%s has no tickets", package->info.name));
    try(sessions_find(id, viewer, &session));
    struct kept_session *kept = (struct kept_session *)(uintptr_t)session;
    if (request->ask == TICKETS_LIST || request->ask == TICKETS_PURGE || request->cached_only)
        asked.cache = cache_as_it_is(kept);
    else {
        sessions_lend(session, &lent);
        asked.cache = lent.session_cache;
    }
    if (asked.cache != NULL) /* a session of NTLM, or none that has tickets yet, has no cache */
        status = package->authority->tickets(&asked, answer);
    if (request->ask == TICKETS_PURGE)
        purged(kept, package, request);
    sessions_put(session);
    return status;
}
