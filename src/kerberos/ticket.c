#include "kerberos/credential.h"

#include "base/memory.h"
#include "base/time.h"
#include "core/cause.h"
#include "core/trace.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Service tickets: from memory while they live, else fetched by a thread of their own, so that a KDC that does not answer holds nobody longer than the
 * configuration says. libkrb5 has no deadline; the thread that waits for it is left behind and cleans up after itself. */

#define TICKETS_MAX 64 /* targets that one credential remembers; further ones are fetched from the cache each time */
#define TICKET_MARGIN_SECONDS 120 /* a ticket that is about to end is not begun with */

struct fetch {
    pthread_mutex_t lock;
    pthread_cond_t done_signal;
    bool done, abandoned; /* guarded by lock */
    /* in, owned */
    char *cache, *client, *target;
    struct secret password;
    bool private_cache, needs_logon;
    /* out */
    bool logged_on;
    krb5_context krb;
    krb5_creds *creds;
    SECURITY_STATUS status;
    char cause[CAUSE_TEXT_MAX];
};

static void fetch_free(struct fetch *fetch)
{
    if (fetch->krb != NULL) {
        krb5_free_creds(fetch->krb, fetch->creds);
        krb5_free_context(fetch->krb);
    }
    mem_free(fetch->cache);
    mem_free(fetch->client);
    mem_free(fetch->target);
    secret_release(&fetch->password);
    pthread_mutex_destroy(&fetch->lock);
    pthread_cond_destroy(&fetch->done_signal);
    mem_free(fetch);
}

static krb5_error_code log_on_as(const struct fetch *fetch, krb5_ccache cache, int name_flags)
{
    krb5_context krb = fetch->krb;
    krb5_principal principal = NULL;
    krb5_get_init_creds_opt *options = NULL;
    krb5_creds creds = {0};
    krb5_error_code code = krb5_parse_name_flags(krb, fetch->client, name_flags, &principal);
    if (code == 0)
        code = krb5_get_init_creds_opt_alloc(krb, &options);
    if (code == 0) {
        krb5_get_init_creds_opt_set_canonicalize(options, 1);
        code = krb5_get_init_creds_opt_set_out_ccache(krb, options, cache);
    }
    if (code == 0)
        code = krb5_get_init_creds_password(krb, &creds, principal, (char *)fetch->password.data, NULL, NULL, 0, NULL,
                                            options);
    krb5_free_cred_contents(krb, &creds);
    krb5_get_init_creds_opt_free(krb, options);
    krb5_free_principal(krb, principal);
    return code;
}

/* What follows the @ may be no realm but a UPN's suffix or a domain's NetBIOS name: then the default realm's KDC knows what is meant (MS-KILE 3.1.5.11,
 * RFC 6806 5). */
static krb5_error_code log_on(const struct fetch *fetch, krb5_ccache cache)
{
    krb5_error_code code = log_on_as(fetch, cache, 0);
    if (code != KRB5_REALM_UNKNOWN || strchr(fetch->client, '@') == NULL)
        return code;
    krb5_error_code second = log_on_as(fetch, cache, KRB5_PRINCIPAL_PARSE_ENTERPRISE);
    return second == KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN || second == KRB5_CONFIG_NODEFREALM ? code : second;
}

/* The cache to use: the private one, or of the default collection the one that holds the wanted client. */
static krb5_error_code cache_open(const struct fetch *fetch, krb5_ccache *cache)
{
    krb5_principal principal = NULL;
    if (fetch->cache != NULL)
        return krb5_cc_resolve(fetch->krb, fetch->cache, cache);
    if (fetch->client == NULL)
        return krb5_cc_default(fetch->krb, cache);
    krb5_error_code code = krb5_parse_name(fetch->krb, fetch->client, &principal);
    if (code == 0)
        code = krb5_cc_cache_match(fetch->krb, principal, cache);
    krb5_free_principal(fetch->krb, principal);
    return code;
}

static SECURITY_STATUS fetch_ticket(struct fetch *fetch, krb5_ccache cache)
{
    krb5_context krb = fetch->krb;
    krb5_creds wanted = {0};
    SECURITY_STATUS status = krb_target_parse(krb, fetch->target, false, &wanted.server);
    if (status == SEC_E_OK)
        status = krb_status(krb, krb5_cc_get_principal(krb, cache, &wanted.client), KRB_STAGE_TICKET,
                            "reading the ticket cache");
    if (status == SEC_E_OK)
        status = krb_status(krb, krb5_get_credentials(krb, 0, cache, &wanted, &fetch->creds), KRB_STAGE_TICKET,
                            "getting a ticket for the service");
    krb5_free_cred_contents(krb, &wanted);
    return status;
}

static SECURITY_STATUS fetch_all(struct fetch *fetch)
{
    krb5_ccache cache = NULL;
    require(krb5_init_context(&fetch->krb) == 0,
            cause_set(SEC_E_INTERNAL_ERROR, "the Kerberos library cannot start; is krb5.conf right?"));
    SECURITY_STATUS status =
        krb_status(fetch->krb, cache_open(fetch, &cache), KRB_STAGE_TICKET, "opening the ticket cache");
    if (status == SEC_E_OK && fetch->needs_logon)
        status = krb_status(fetch->krb, log_on(fetch, cache), KRB_STAGE_LOGON, "logging on with the password");
    fetch->logged_on = status == SEC_E_OK && fetch->needs_logon;
    if (status == SEC_E_OK)
        status = fetch_ticket(fetch, cache);
    if (cache != NULL)
        krb5_cc_close(fetch->krb, cache);
    return status;
}

static void *fetch_run(void *data)
{
    struct fetch *fetch = data;
    fetch->status = fetch_all(fetch);
    snprintf(fetch->cause, sizeof fetch->cause, "%s", cause_text());
    pthread_mutex_lock(&fetch->lock);
    fetch->done = true;
    bool abandoned = fetch->abandoned;
    pthread_cond_signal(&fetch->done_signal);
    pthread_mutex_unlock(&fetch->lock);
    if (abandoned) {
        krb5_ccache cache;
        if (fetch->private_cache && fetch->krb != NULL && krb5_cc_resolve(fetch->krb, fetch->cache, &cache) == 0)
            krb5_cc_destroy(fetch->krb, cache); /* its credential may be gone; one that is not logs on again */
        fetch_free(fetch);
    }
    return NULL;
}

static struct fetch *fetch_new(const struct kerberos_credential *credential, const char *target, bool needs_logon)
{
    struct fetch *fetch = mem_zalloc(sizeof *fetch);
    require(fetch != NULL, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&fetch->done_signal, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&fetch->lock, NULL);
    fetch->cache = mem_strdup(credential->cache);
    fetch->client = mem_strdup(credential->client);
    fetch->target = mem_strdup(target);
    fetch->private_cache = credential->private_cache;
    fetch->needs_logon = needs_logon;
    bool copied = fetch->target != NULL && (credential->cache == NULL || fetch->cache != NULL) &&
                  (credential->client == NULL || fetch->client != NULL);
    if (copied && needs_logon)
        copied = secret_set(&fetch->password, credential->password.data, credential->password.len);
    if (!copied) {
        fetch_free(fetch);
        return NULL;
    }
    return fetch;
}

/* Waits for the thread; false when the time is over: the thread then owns `fetch`. */
static bool fetch_wait(struct fetch *fetch, unsigned seconds)
{
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += (time_t)seconds;
    pthread_mutex_lock(&fetch->lock);
    int waited = 0;
    while (!fetch->done && waited == 0)
        waited = pthread_cond_timedwait(&fetch->done_signal, &fetch->lock, &deadline);
    bool done = fetch->done;
    fetch->abandoned = !done;
    pthread_mutex_unlock(&fetch->lock);
    return done;
}

static SECURITY_STATUS ticket_fetch(struct kerberos_credential *credential, const char *target, bool needs_logon,
                                    krb5_creds **creds)
{
    unsigned seconds = credential->config->kerberos_kdc_seconds;
    struct fetch *fetch = fetch_new(credential, target, needs_logon);
    require(fetch != NULL, SEC_E_INSUFFICIENT_MEMORY);
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int failed = pthread_create(&thread, &attributes, fetch_run, fetch);
    pthread_attr_destroy(&attributes);
    if (failed != 0) {
        fetch_free(fetch);
        return cause_set(SEC_E_INSUFFICIENT_MEMORY, "no thread to wait for the KDC with");
    }
    if (!fetch_wait(fetch, seconds))
        return cause_set(SEC_E_NO_AUTHENTICATING_AUTHORITY,
                         "no KDC answered within %u seconds (kdc_seconds in [kerberos])", seconds);
    SECURITY_STATUS status = fetch->status;
    if (fetch->logged_on) { /* also when there is no ticket for this target */
        pthread_mutex_lock(&credential->lock);
        credential->logged_on = true;
        pthread_mutex_unlock(&credential->lock);
    }
    if (status == SEC_E_OK) {
        *creds = fetch->creds;
        fetch->creds = NULL;
    } else
        (void)cause_set(status, "%s", fetch->cause);
    fetch_free(fetch);
    return status;
}

static bool ticket_lives(const krb5_creds *creds, time_t now)
{
    return (int64_t)(uint32_t)creds->times.endtime > (int64_t)now + TICKET_MARGIN_SECONDS;
}

/* Tickets in memory are as good as the cache they came from: a private one is ours, a FILE is watched, others are asked every time. */
static bool tickets_are_current(struct kerberos_credential *credential, krb5_context krb)
{
    struct stat now = {0};
    if (credential->private_cache)
        return true;
    (void)krb5_cc_set_default_name(krb, NULL); /* a kept context remembers what KRB5CCNAME said at first */
    const char *name = credential->cache != NULL ? credential->cache : krb5_cc_default_name(krb);
    if (credential->client != NULL || name == NULL || strncmp(name, "FILE:", 5) != 0 || stat(name + 5, &now) != 0)
        return false;
    const struct stat *then = &credential->cache_state;
    bool same = now.st_ino == then->st_ino && now.st_dev == then->st_dev && now.st_size == then->st_size &&
                now.st_mtim.tv_sec == then->st_mtim.tv_sec && now.st_mtim.tv_nsec == then->st_mtim.tv_nsec;
    if (!same) {
        kerberos_tickets_drop(credential, krb);
        credential->cache_state = now;
    }
    return true;
}

static krb5_creds *ticket_find(struct kerberos_credential *credential, krb5_context krb, const char *target)
{
    krb5_creds *copy = NULL;
    time_t now = filetime_to_unix(filetime_now());
    for (const struct kerberos_ticket *ticket = credential->tickets; ticket != NULL; ticket = ticket->next)
        if (strcmp(ticket->target, target) == 0 && ticket_lives(ticket->creds, now))
            return krb5_copy_creds(krb, ticket->creds, &copy) == 0 ? copy : NULL;
    return NULL;
}

static void ticket_remember(struct kerberos_credential *credential, krb5_context krb, const char *target,
                            krb5_creds *creds)
{
    for (struct kerberos_ticket **link = &credential->tickets; *link != NULL; link = &(*link)->next)
        if (strcmp((*link)->target, target) == 0) { /* another thread, or one that ended */
            krb5_creds *copy = NULL;
            if (krb5_copy_creds(krb, creds, &copy) == 0) {
                krb5_free_creds(krb, (*link)->creds);
                (*link)->creds = copy;
            }
            return;
        }
    struct kerberos_ticket *ticket = credential->n_tickets < TICKETS_MAX ? mem_zalloc(sizeof *ticket) : NULL;
    if (ticket == NULL)
        return;
    ticket->target = mem_strdup(target);
    if (ticket->target == NULL || krb5_copy_creds(krb, creds, &ticket->creds) != 0) {
        mem_free(ticket->target);
        mem_free(ticket);
        return;
    }
    ticket->next = credential->tickets;
    credential->tickets = ticket;
    credential->n_tickets++;
}

SECURITY_STATUS kerberos_ticket_get(struct kerberos_credential *credential, krb5_context krb, const char *target,
                                    krb5_creds **creds)
{
    pthread_mutex_lock(&credential->lock);
    bool current = tickets_are_current(credential, krb);
    *creds = current ? ticket_find(credential, krb, target) : NULL;
    bool needs_logon = credential->private_cache && !credential->logged_on;
    pthread_mutex_unlock(&credential->lock);
    if (*creds != NULL)
        return SEC_E_OK;
    SECURITY_STATUS status = ticket_fetch(credential, target, needs_logon, creds);
    if (status != SEC_E_OK && credential->private_cache && !needs_logon &&
        (status == SEC_E_NO_CREDENTIALS || status == SEC_E_CONTEXT_EXPIRED)) {
        /* the first ticket has ended: log on anew */
        cause_clear();
        status = ticket_fetch(credential, target, true, creds);
    }
    TRACE("kerberos", "ticket for %s: 0x%08x", target, (unsigned)status);
    require(status == SEC_E_OK, status);
    pthread_mutex_lock(&credential->lock);
    if (tickets_are_current(credential, krb))
        ticket_remember(credential, krb, target, *creds);
    pthread_mutex_unlock(&credential->lock);
    return SEC_E_OK;
}
