#include "kerberos/behalf.h"

#include "base/file_state.h"
#include "base/memory.h"
#include "base/time.h"
#include "core/cause.h"
#include "core/trace.h"
#include <string.h>

/* Service tickets: from memory while they live, else by a task. */

#define TICKETS_MAX 64 /* targets that one credential remembers; further ones are fetched from the cache each time */

/* Tickets in memory are as good as the cache they came from: a private one is ours, a FILE is watched, others are asked every time. */
static bool tickets_are_current(struct kerberos_credential *credential, krb5_context krb)
{
    struct stat now = {0};
    const struct kerberos_source *source = credential->source;
    if (kerberos_source_private(source) || source->lent ||
        credential->evidence != NULL) /* the latter's are in no cache at all */
        return true;
    (void)krb5_cc_set_default_name(krb, NULL); /* a kept context remembers what KRB5CCNAME said at first */
    const char *name = source->cache != NULL ? source->cache : krb5_cc_default_name(krb);
    if (source->client != NULL || name == NULL || strncmp(name, "FILE:", 5) != 0)
        return false;
    if (stat(name + 5, &now) != 0) {
        if (!source->cache_first)
            return false;
        now = (struct stat){0}; /* the keytab's tickets, until there is a cache */
    }
    if (!file_state_equal(&now, &credential->cache_state)) {
        kerberos_tickets_drop(credential, krb);
        credential->cache_state = now;
    }
    return true;
}

static krb5_creds *ticket_find(struct kerberos_credential *credential, krb5_context krb, const char *target)
{
    krb5_creds *copy = NULL;
    for (const struct kerberos_ticket *ticket = credential->tickets; ticket != NULL; ticket = ticket->next)
        if (strcmp(ticket->target, target) == 0 && kerberos_ticket_lives(ticket->creds)) {
            if (krb5_copy_creds(krb, ticket->creds, &copy) != 0)
                return NULL;
            krb_clock_set(krb, ticket->clock);
            return copy;
        }
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
                (*link)->clock = krb_clock_get(krb);
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
    ticket->clock = krb_clock_get(krb);
    ticket->next = credential->tickets;
    credential->tickets = ticket;
    credential->n_tickets++;
}

static SECURITY_STATUS fetch_as(struct kerberos_task *task, krb5_ccache cache, enum krb_target kind)
{
    krb5_context krb = task->krb;
    krb5_creds wanted = {0};
    SECURITY_STATUS status = krb_target_parse(krb, task->name, kind, &wanted.server);
    if (status == SEC_E_OK)
        status = krb_status(krb, krb5_cc_get_principal(krb, cache, &wanted.client), KRB_STAGE_TICKET,
                            kerberos_source_cache_words(task->source));
    wanted.second_ticket = krb_data(secret_slice(&task->ticket));
    krb5_flags options = kind != KRB_TARGET_SERVICE ? KRB5_GC_USER_USER | KRB5_GC_NO_STORE : 0;
    if (status == SEC_E_OK) {
        krb5_error_code code = krb5_get_credentials(krb, options, cache, &wanted, &task->creds);
        late_checkpoint();
        status = krb_status(krb, code, KRB_STAGE_TICKET, "getting a ticket for the service");
    }
    wanted.second_ticket = (krb5_data){0};
    krb5_free_cred_contents(krb, &wanted);
    return status;
}

/* What follows a user's @ may be no realm but a UPN's suffix: then the default realm's KDC knows who is meant. */
static SECURITY_STATUS fetch(struct kerberos_task *task, krb5_ccache cache)
{
    if (task->ticket.len == 0)
        return fetch_as(task, cache, KRB_TARGET_SERVICE);
    SECURITY_STATUS status = fetch_as(task, cache, KRB_TARGET_USER);
    bool unknown = status == SEC_E_TARGET_UNKNOWN || status == SEC_E_NO_AUTHENTICATING_AUTHORITY;
    if (!unknown || strchr(task->name, '@') == NULL || strchr(task->name, '\\') != NULL)
        return status;
    cause_drop();
    return fetch_as(task, cache, KRB_TARGET_ENTERPRISE);
}

/* What a service got by S4U2Self is a ticket for itself: to itself it need ask no KDC for another. *creds stays NULL where it is not. */
static SECURITY_STATUS evidence_try(const struct kerberos_credential *credential, krb5_context krb, const char *target,
                                    krb5_creds **creds)
{
    krb5_principal wanted = NULL;
    char *name = NULL;
    *creds = NULL;
    /* As it is called in whole: of an account, "web@REALM", a target would be the service web on the host REALM. */
    bool itself = krb5_unparse_name(krb, credential->evidence->server, &name) == 0 && strcmp(name, target) == 0;
    krb5_free_unparsed_name(krb, name);
    if (!itself) {
        try(krb_target_parse(krb, target, KRB_TARGET_SERVICE, &wanted));
        itself = krb5_principal_compare(krb, wanted, credential->evidence->server) != 0;
        krb5_free_principal(krb, wanted);
    }
    require(itself && credential->evidence->keyblock.length > 0, SEC_E_OK);
    return krb5_copy_creds(krb, credential->evidence, creds) == 0 ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS ticket_fetch(struct kerberos_credential *credential, krb5_context krb,
                                    const struct kerberos_ticket_request *request, krb5_creds **creds)
{
    struct kerberos_task *task;
    bool by_proxy = credential->evidence != NULL;
    require(!by_proxy || request->peer_ticket.len == 0,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "S4U2Proxy gets no tickets for user-to-user authentication"));
    if (by_proxy) {
        try(evidence_try(credential, krb, request->target, creds));
        require(*creds == NULL, SEC_E_OK);
    }
    try(kerberos_task_new(credential, request->target, by_proxy ? kerberos_s4u_proxy : fetch, &task));
    SECURITY_STATUS status = SEC_E_OK;
    if (by_proxy && krb5_copy_creds(krb, credential->evidence, &task->service) != 0)
        status = SEC_E_INSUFFICIENT_MEMORY;
    if (request->peer_ticket.len > 0 && !secret_set(&task->ticket, request->peer_ticket.data, request->peer_ticket.len))
        status = SEC_E_INSUFFICIENT_MEMORY;
    if (status == SEC_E_OK)
        status = kerberos_task_run(credential, &task,
                                   request->deadline != 0 ? request->deadline : kerberos_deadline(credential));
    if (status == SEC_E_OK) {
        krb_clock_set(krb, krb_clock_get(task->krb));
        *creds = STEAL(task->creds);
    }
    kerberos_task_free(task);
    TRACE("kerberos", "ticket for %s: 0x%08x", request->target, (unsigned)status);
    return status;
}

SECURITY_STATUS kerberos_ticket_ask(struct kerberos_credential *credential, krb5_context krb,
                                    const struct kerberos_ticket_request *request, krb5_creds **creds)
{
    if (request->peer_ticket.len > 0) /* it is for this one session of the peer's */
        return ticket_fetch(credential, krb, request, creds);
    pthread_mutex_lock(&credential->lock);
    krb5_creds *known = tickets_are_current(credential, krb) ? ticket_find(credential, krb, request->target) : NULL;
    struct kerberos_source *source = kerberos_source_retain(credential->source); /* so that no other takes its place */
    pthread_mutex_unlock(&credential->lock);
    SECURITY_STATUS status = SEC_E_OK;
    if (known != NULL)
        *creds = known;
    else
        status = ticket_fetch(credential, krb, request, creds);
    if (known == NULL && status == SEC_E_OK) {
        pthread_mutex_lock(&credential->lock);
        if (credential->source == source && tickets_are_current(credential, krb))
            ticket_remember(credential, krb, request->target, *creds);
        pthread_mutex_unlock(&credential->lock);
    }
    kerberos_source_put(source);
    return status;
}

SECURITY_STATUS kerberos_ticket_get(struct kerberos_credential *credential, krb5_context krb, const char *target,
                                    krb5_creds **creds)
{
    const struct kerberos_ticket_request request = {.target = target};
    return kerberos_ticket_ask(credential, krb, &request, creds);
}

/* A ticket that is taken now, and five seconds from now: between this look and the step. */
#define READY_MARGIN ((TICKET_MARGIN_SECONDS + 5) * FILETIME_SECOND)

bool kerberos_ticket_is_ready(struct kerberos_credential *credential, const char *target)
{
    bool ready = false;
    pthread_mutex_lock(&credential->lock);
    const struct kerberos_source *source = credential->source;
    if (kerberos_source_private(source) || source->lent)
        for (const struct kerberos_ticket *ticket = credential->tickets; ticket != NULL && !ready;
             ticket = ticket->next)
            ready = strcmp(ticket->target, target) == 0 &&
                    krb_filetime(ticket->creds->times.endtime) - READY_MARGIN > filetime_now();
    pthread_mutex_unlock(&credential->lock);
    return ready && credential->evidence == NULL;
}
