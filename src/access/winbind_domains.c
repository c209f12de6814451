#include "access/winbind_domains.h"

#include "base/fork.h"
#include "base/memory.h"
#include "base/time.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "core/trace.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DOMAINS_MAX 4096 /* a forest of more is a damaged answer */

struct domains_counted {
    struct winbind_domains domains; /* first: the two addresses are one */
    atomic_uint references;
};

/* What is known by one library. Questions are numbered, for their answers may overtake each other: one that began before another that has ended says
 * nothing more. */
struct known {
    struct known *next;
    char *library; /* "" for the usual one */
    const struct winbind_domains *domains;
    uint64_t asked_ms;       /* when the last question ended; 0: never */
    uint64_t n_asked, ended; /* the numbers of the last one that began, and that ended */
    pid_t asking;            /* the process of which a thread asks in the background; 0: none does */
    SECURITY_STATUS failed;  /* how the last question ended, with its cause */
    char cause[CAUSE_TEXT_MAX];
};
static struct known *all_known; /* guarded by known_lock */
static pthread_mutex_t known_lock = PTHREAD_MUTEX_INITIALIZER;

FORK_GUARD(known_lock, FORK_RANK_WINBIND_DOMAINS)

static const struct winbind_domains *domains_retain(const struct winbind_domains *domains)
{
    struct domains_counted *counted = (struct domains_counted *)(uintptr_t)domains;
    atomic_fetch_add_explicit(&counted->references, 1, memory_order_relaxed);
    return domains;
}

void winbind_domains_release(const struct winbind_domains *domains)
{
    struct domains_counted *counted = (struct domains_counted *)(uintptr_t)domains;
    if (counted == NULL || atomic_fetch_sub_explicit(&counted->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < counted->domains.n_domains; i++) {
        mem_free(counted->domains.domains[i].key);
        mem_free(counted->domains.domains[i].dns_key);
    }
    mem_free(counted->domains.domains);
    mem_free(counted->domains.locals);
    mem_free(counted->domains.computer);
    mem_free(counted->domains.domain);
    mem_free(counted->domains.dns_domain);
    mem_free(counted);
}

const struct winbind_domain *winbind_domain_find(const struct winbind_domains *domains, const char *key)
{
    for (size_t i = 0; i < domains->n_domains; i++) {
        const struct winbind_domain *domain = &domains->domains[i];
        if (strcmp(domain->key, key) == 0 || (domain->dns_key != NULL && strcmp(domain->dns_key, key) == 0))
            return domain;
    }
    return NULL;
}

static bool is_of_domain(const struct sid *sid, const struct sid *domain)
{
    struct sid own;
    return domain->revision != 0 && sid_domain(sid, &own) == WIRE_OK && sid_equal(&own, domain);
}

const struct winbind_domain *winbind_domain_of_sid(const struct winbind_domains *domains, const struct sid *sid)
{
    for (size_t i = 0; i < domains->n_domains; i++)
        if (is_of_domain(sid, &domains->domains[i].sid))
            return &domains->domains[i];
    return NULL;
}

bool winbind_sid_is_local(const struct winbind_domains *domains, const struct sid *sid)
{
    for (size_t i = 0; i < domains->n_locals; i++)
        if (is_of_domain(sid, &domains->locals[i]))
            return true;
    return false;
}

static SECURITY_STATUS key_take(const char *text, char **key)
{
    require(text != NULL && *text != '\0' && utf8_valid(slice_of_text(text)),
            cause_set(SEC_E_INTERNAL_ERROR, "winbind names a domain that is no text"));
    *key = text_upper(text);
    return *key != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* A domain's SID as winbind gives it; a realm that is no domain of Windows' has none. */
static struct sid domain_sid(const struct wbc_sid *found)
{
    static const struct sid none;
    struct sid sid, member, domain;
    if (found->revision == 0 || wbclient_sid_take(found, &sid) != SEC_E_OK)
        return none;
    member = sid;
    if (sid_append(&member, 0) != WIRE_OK || sid_domain(&member, &domain) != WIRE_OK)
        return none;
    return sid;
}

/* Room for it is in the array. */
static SECURITY_STATUS domain_add(struct winbind_domains *domains, const char *name, const char *dns_name,
                                  struct sid sid)
{
    struct winbind_domain *domain = &domains->domains[domains->n_domains++];
    domain->sid = sid;
    try(key_take(name, &domain->key));
    return dns_name != NULL && *dns_name != '\0' ? key_take(dns_name, &domain->dns_key) : SEC_E_OK;
}

static SECURITY_STATUS names_take(const struct wbc_details *details, struct winbind_domains *domains)
{
    require(details != NULL, cause_set(SEC_E_INTERNAL_ERROR, "winbind's answer is empty"));
    try(wbclient_text_take(details->netbios_name, &domains->computer));
    try(wbclient_text_take(details->netbios_domain, &domains->domain));
    require(*domains->computer != '\0' && *domains->domain != '\0',
            cause_set(SEC_E_INTERNAL_ERROR, "winbind does not say who this computer is"));
    return details->dns_domain != NULL && *details->dns_domain != '\0'
               ? wbclient_text_take(details->dns_domain, &domains->dns_domain)
               : SEC_E_OK;
}

/* BUILTIN, and domains that trust us without being trusted. */
static bool domain_is_left_out(const struct wbc_domain *found)
{
    return (found->trust_flags & (WBC_TRUST_INCOMING | WBC_TRUST_OUTGOING)) == WBC_TRUST_INCOMING ||
           text_equal_fold(found->short_name, "BUILTIN");
}

static SECURITY_STATUS trusts_take(const struct wbc_domain *found, size_t n_found, struct winbind_domains *domains)
{
    require(n_found <= DOMAINS_MAX && (n_found == 0 || found != NULL),
            cause_set(SEC_E_INTERNAL_ERROR, "winbind's list of domains makes no sense"));
    domains->domains = mem_zalloc_array(n_found + 1, sizeof domains->domains[0]);
    require(domains->domains != NULL, SEC_E_INSUFFICIENT_MEMORY);
    domains->locals = mem_zalloc_array(n_found + 1, sizeof domains->locals[0]);
    require(domains->locals != NULL, SEC_E_INSUFFICIENT_MEMORY);
    try(domain_add(domains, domains->domain, domains->dns_domain, (struct sid){0}));
    for (size_t i = 0; i < n_found; i++) {
        struct sid sid = domain_sid(&found[i].sid);
        if (found[i].trust_type == WBC_TRUST_LOCAL || text_equal_fold(found[i].short_name, domains->computer))
            domains->locals[domains->n_locals++] = sid;
        else if (text_equal_fold(found[i].short_name, domains->domain))
            domains->domains[0].sid = sid;
        else if (!domain_is_left_out(&found[i]))
            try(domain_add(domains, found[i].short_name, found[i].dns_name, sid));
    }
    return SEC_E_OK;
}

static SECURITY_STATUS domains_ask(const struct wbclient *wbc, void *context, struct winbind_domains *domains)
{
    struct wbc_details *details = NULL;
    struct wbc_domain *found = NULL;
    size_t n_found = 0;
    int error = wbc->details(context, &details);
    SECURITY_STATUS status = error == WBC_SUCCESS ? names_take(details, domains) : wbclient_failed(error);
    wbc->free_memory(details);
    try(status);
    error = wbc->trusts(context, &found, &n_found);
    if (error == WBC_SUCCESS || error == WBC_DOMAIN_NOT_FOUND) /* the latter: there are none */
        status = trusts_take(found, error == WBC_SUCCESS ? n_found : 0, domains);
    else
        status = wbclient_failed(error);
    wbc->free_memory(found);
    return status;
}

/* Under the lock. NULL without memory. */
static struct known *known_of(const char *library)
{
    for (struct known *known = all_known; known != NULL; known = known->next)
        if (strcmp(known->library, library) == 0)
            return known;
    struct known *fresh = mem_zalloc(sizeof *fresh);
    if (fresh == NULL || (fresh->library = mem_strdup(library)) == NULL) {
        mem_free(fresh);
        return NULL;
    }
    fresh->next = all_known;
    return all_known = fresh;
}

/* A question on its way. */
struct question {
    uint64_t number;
    char library[];
};

/* What is known stays known when winbind fails later; what it says later replaces all of what it said before. `waited`: by whoever gave up waiting,
 * who says nothing where the answer came after all. */
static void known_update(const char *library, uint64_t number, bool waited, SECURITY_STATUS status,
                         const struct winbind_domains *domains)
{
    const struct winbind_domains *before = NULL;
    pthread_mutex_lock(&known_lock);
    struct known *known = known_of(library);
    if (known != NULL)
        known->asking = 0;
    if (known != NULL && (number > known->ended || (!waited && number == known->ended))) {
        known->ended = number;
        known->asked_ms = monotonic_ms();
        known->failed = status;
        snprintf(known->cause, sizeof known->cause, "%s", status != SEC_E_OK ? cause_text() : "");
        if (domains != NULL) {
            before = known->domains;
            known->domains = domains_retain(domains);
        }
    }
    pthread_mutex_unlock(&known_lock);
    winbind_domains_release(before);
}

static SECURITY_STATUS domains_run(const struct wbclient *wbc, void *context, void *data)
{
    const struct question *question = data;
    struct domains_counted *counted = mem_zalloc(sizeof *counted);
    SECURITY_STATUS status = SEC_E_INSUFFICIENT_MEMORY;
    if (counted != NULL) {
        counted->references = 1;
        status = domains_ask(wbc, context, &counted->domains);
    }
    known_update(question->library, question->number, false, status, status == SEC_E_OK ? &counted->domains : NULL);
    if (status == SEC_E_OK)
        TRACE("winbind", "this computer is %s of %s (%s), %zu domains", counted->domains.computer,
              counted->domains.domain,
              counted->domains.dns_domain != NULL ? counted->domains.dns_domain : "no DNS name",
              counted->domains.n_domains);
    winbind_domains_release(counted != NULL ? &counted->domains : NULL);
    return status;
}

/* What there is, and whether to ask for more. */
struct look {
    const struct winbind_domains *domains; /* retained */
    bool ask;
    SECURITY_STATUS failed;
    char cause[CAUSE_TEXT_MAX];
};

/* Who waits asks in any case where nothing is known; in the background one asks for all, however long it takes. Who is told to ask has to: until his
 * question ends nobody else does. */
static SECURITY_STATUS known_look(const char *library, bool wait, bool may_ask, struct look *look)
{
    pthread_mutex_lock(&known_lock);
    uint64_t now =
        monotonic_ms(); /* not before the lock: an answer may come while we wait for it, and would be of the future */
    struct known *known = known_of(library);
    if (known != NULL) {
        uint64_t rest = known->failed != SEC_E_OK ? WINBIND_RETRY_MS : WINBIND_FRESH_MS;
        look->ask = may_ask && (known->asked_ms == 0 || now - known->asked_ms > rest);
        bool background = !wait || known->domains != NULL;
        if (look->ask && background) {
            look->ask = known->asking != getpid(); /* a child has none of its parent's threads */
            known->asking = getpid();
        }
        look->failed = known->failed;
        memcpy(look->cause, known->cause, sizeof look->cause);
        look->domains = known->domains != NULL ? domains_retain(known->domains) : NULL;
    }
    pthread_mutex_unlock(&known_lock);
    return known != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* NULL without memory. The name of the library goes with the question, which may outlive the settings. */
static struct question *question_new(const char *library)
{
    size_t len = strlen(library) + 1;
    struct question *question = mem_zalloc(sizeof *question + len);
    require(question != NULL, NULL);
    memcpy(question->library, library, len);
    pthread_mutex_lock(&known_lock);
    struct known *known = known_of(library);
    question->number = known != NULL ? ++known->n_asked : 0;
    pthread_mutex_unlock(&known_lock);
    return question;
}

static SECURITY_STATUS domains_refresh(const struct winbind_settings *settings, const char *library, bool wait)
{
    static const struct wbclient_work work = {domains_run, mem_free};
    struct question *question = question_new(library);
    const uint64_t number = question != NULL ? question->number : 0;
    void *data = question;
    SECURITY_STATUS status = SEC_E_INSUFFICIENT_MEMORY;
    if (question != NULL)
        status = wait ? wbclient_ask(settings, &work, &data) : wbclient_start(settings, &work, &data);
    if (status != SEC_E_OK) /* a thread that hangs says nothing */
        known_update(library, number, true, status, NULL);
    mem_free(data);
    return status;
}

SECURITY_STATUS winbind_domains_get(const struct winbind_settings *settings, bool wait,
                                    const struct winbind_domains **domains)
{
    const char *library = settings->library != NULL ? settings->library : "";
    struct look look = {0};
    try(known_look(library, wait, true, &look));
    bool known = look.domains != NULL;
    if (look.ask) {
        SECURITY_STATUS status = domains_refresh(settings, library, wait && !known);
        require(known || status == SEC_E_OK, status);
        if (!known)
            try(known_look(library, wait, false, &look));
    }
    *domains = look.domains;
    if (look.domains != NULL)
        return SEC_E_OK;
    if (look.failed != SEC_E_OK && look.cause[0] != '\0')
        return cause_set(look.failed, "%s", look.cause);
    return cause_set(SEC_E_NO_AUTHENTICATING_AUTHORITY, "winbind has not said yet which domains it knows");
}

void winbind_domains_expire(void)
{
    pthread_mutex_lock(&known_lock);
    for (struct known *known = all_known; known != NULL; known = known->next)
        known->asked_ms = 0;
    pthread_mutex_unlock(&known_lock);
}

static SECURITY_STATUS trust_run(const struct wbclient *wbc, void *context, void *data)
{
    struct wbc_failure *failure = NULL;
    (void)data;
    int error = wbc->check_trust(context, NULL, &failure);
    SECURITY_STATUS status = SEC_E_OK;
    if (error == WBC_AUTH_ERROR && failure != NULL)
        status = cause_set(SEC_E_NO_AUTHENTICATING_AUTHORITY, "the trust with the domain does not hold: %.64s (0x%08x)",
                           failure->nt_text != NULL ? failure->nt_text : "no word", (unsigned)failure->nt_status);
    else if (error != WBC_SUCCESS)
        status = error == WBC_NOT_AVAILABLE ? wbclient_unprivileged(wbc, context) : wbclient_failed(error);
    wbc->free_memory(failure);
    return status;
}

SECURITY_STATUS winbind_trust_check(const struct winbind_settings *settings)
{
    static const struct wbclient_work work = {trust_run, mem_free};
    void *data = NULL;
    return wbclient_ask(settings, &work, &data);
}
