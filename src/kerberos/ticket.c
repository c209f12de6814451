#include "kerberos/behalf.h"

#include "base/file_state.h"
#include "base/memory.h"
#include "base/time.h"
#include "core/cause.h"
#include "core/trace.h"
#include "kerberos/name.h"
#include <stdlib.h>
#include <string.h>

/* Service tickets: from memory while they live, else by a task. */

#define TICKETS_MAX 64 /* targets that one credential remembers; further ones are fetched from the cache each time */

void kerberos_names_release(struct kerberos_names *names)
{
    mem_free(names->client);
    mem_free(names->server);
    mem_free(names->authority);
    *names = (struct kerberos_names){0};
}

void kerberos_ticket_put(krb5_context krb, struct kerberos_ticket *ticket)
{
    if (ticket == NULL || atomic_fetch_sub_explicit(&ticket->n_references, 1, memory_order_acq_rel) != 1)
        return;
    krb5_free_creds(krb, ticket->creds);
    kerberos_names_release(&ticket->names);
    mem_free(ticket->target);
    secret_block_free(ticket, sizeof *ticket);
}

static struct kerberos_ticket *ticket_retain(struct kerberos_ticket *ticket)
{
    atomic_fetch_add_explicit(&ticket->n_references, 1, memory_order_relaxed);
    return ticket;
}

static char *name_text(krb5_const_principal principal)
{
    struct krb_name name;
    return krb_name_of(principal, &name) ? krb_name_text(&name) : NULL;
}

static bool names_fill(struct kerberos_names *names, const krb5_creds *creds)
{
    names->client = name_text(creds->client);
    names->server = name_text(creds->server);
    names->authority = mem_dup(creds->client->realm.data, creds->client->realm.length);
    return names->client != NULL && names->server != NULL && names->authority != NULL;
}

static void session_prepare(struct kerberos_ticket *ticket)
{
    static const struct krb_purpose purposes[KERBEROS_TICKET_USES] = {
        [KERBEROS_MAKES_REQUEST] = {KRB_ENCRYPTING, KRB_USAGE_AP_REQ},
        [KERBEROS_OPENS_REPLY] = {KRB_DECRYPTING, KRB_USAGE_AP_REP},
    };
    AUTO_KRB_KEY struct krb_key key = {0};
    const krb5_keyblock *block = &ticket->creds->keyblock;
    if (krb_key_set(&key, block->enctype, slice_of(block->contents, block->length)) &&
        !krb_prepare(&key, purposes, KERBEROS_TICKET_USES, ticket->session))
        TRACE("kerberos", "no memory to prepare a session key of type %d", block->enctype);
}

/* Takes `creds`, also when it answers NULL for want of memory. */
static struct kerberos_ticket *ticket_new(krb5_context krb, const char *target, krb5_creds *creds,
                                          struct krb_clock clock)
{
    struct kerberos_ticket *ticket = secret_block_alloc(sizeof *ticket);
    if (ticket == NULL) {
        krb5_free_creds(krb, creds);
        return NULL;
    }
    atomic_init(&ticket->n_references, 1);
    ticket->creds = creds;
    ticket->clock = clock;
    ticket->target = mem_strdup(target);
    if (ticket->target == NULL || !names_fill(&ticket->names, creds)) {
        kerberos_ticket_put(krb, ticket);
        return NULL;
    }
    session_prepare(ticket);
    return ticket;
}

/* What libkrb5 would find; but that a kept context remembers what it found at first, and copies it each time when it is made to forget. */
static const char *cache_default(krb5_context krb)
{
    const char *name = secure_getenv("KRB5CCNAME");
    if (name != NULL)
        return name;
    (void)krb5_cc_set_default_name(krb, NULL);
    return krb5_cc_default_name(krb);
}

/* Of a logon session that has not ended nor had its tickets purged since. In a lane, as below. */
static bool lease_is_current(struct kerberos_credential *credential, krb5_context krb, bool may_drop)
{
    unsigned era = lease_era(credential->source->lease);
    if (era == credential->tickets_era)
        return true;
    require(may_drop, false);
    kerberos_tickets_drop(credential, krb);
    credential->tickets_era = era;
    return true;
}

/* Tickets in memory are as good as the cache they came from: a private one is ours, a logon session tells when it changes, a FILE is watched, others
 * are asked every time. In a lane; who `may_drop` those of what has changed is in all lanes. */
static bool tickets_are_current(struct kerberos_credential *credential, krb5_context krb, bool may_drop)
{
    struct stat now;
    const struct kerberos_source *source = credential->source;
    require(lease_is_current(credential, krb, may_drop), false);
    if (kerberos_source_private(source) || source->lent ||
        credential->evidence != NULL) /* the latter's are in no cache at all */
        return true;
    const char *name = source->cache != NULL ? source->cache : cache_default(krb);
    if (source->client != NULL || name == NULL || strncmp(name, "FILE:", 5) != 0)
        return false;
    if (stat(name + 5, &now) != 0) {
        if (!source->cache_first)
            return false;
        now = (struct stat){0}; /* the keytab's tickets, until there is a cache */
    }
    if (!file_state_equal(&now, &credential->cache_state)) {
        require(may_drop, false);
        kerberos_tickets_drop(credential, krb);
        credential->cache_state = now;
    }
    return true;
}

/* Puts one into the place of another, each counted. */
static void ticket_swap(krb5_context krb, struct kerberos_ticket **held, struct kerberos_ticket *ticket)
{
    struct kerberos_ticket *old = *held;
    *held = ticket;
    kerberos_ticket_put(krb, old);
}

/* In a lane. Most often it is the one that is held already: then nothing is counted, and nothing written that other threads read. */
static bool ticket_find(struct kerberos_credential *credential, krb5_context krb, const char *target,
                        struct kerberos_ticket **held)
{
    for (struct kerberos_ticket *ticket = credential->tickets; ticket != NULL; ticket = ticket->next)
        if (strcmp(ticket->target, target) == 0 && kerberos_ticket_lives(ticket->creds)) {
            krb_clock_set(krb, ticket->clock);
            if (ticket != *held)
                ticket_swap(krb, held, ticket_retain(ticket));
            return true;
        }
    return false;
}

static void ticket_remember(struct kerberos_credential *credential, krb5_context krb, struct kerberos_ticket *ticket)
{
    for (struct kerberos_ticket **link = &credential->tickets; *link != NULL; link = &(*link)->next)
        if (strcmp((*link)->target, ticket->target) == 0) { /* of another thread, or one that ended */
            struct kerberos_ticket *old = *link;
            ticket->next = old->next;
            *link = ticket_retain(ticket);
            ticket->remembered = true;
            old->remembered = false;
            kerberos_kits_purge(credential);
            kerberos_ticket_put(krb, old);
            return;
        }
    if (credential->n_tickets >= TICKETS_MAX)
        return;
    ticket->next = credential->tickets;
    credential->tickets = ticket_retain(ticket);
    ticket->remembered = true;
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
        itself = krb_target_means(krb, wanted, credential->evidence->server);
        krb5_free_principal(krb, wanted);
    }
    require(itself && credential->evidence->keyblock.length > 0, SEC_E_OK);
    return krb5_copy_creds(krb, credential->evidence, creds) == 0 ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* *clock is the same each time that the same ticket comes out of a cache: its requests would not be told apart by times of several clocks. */
static SECURITY_STATUS ticket_fetch(struct kerberos_credential *credential, krb5_context krb,
                                    const struct kerberos_ticket_request *request, krb5_creds **creds,
                                    struct krb_clock *clock)
{
    struct kerberos_task *task;
    *clock = (struct krb_clock){0}; /* of evidence: who takes its ticket is this service itself */
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
        *clock = krb_clock_get(task->krb);
        *creds = STEAL(task->creds);
    }
    kerberos_task_free(task);
    TRACE("kerberos", "ticket for %s: 0x%08x", request->target, (unsigned)status);
    return status;
}

static SECURITY_STATUS ticket_make(struct kerberos_credential *credential, krb5_context krb,
                                   const struct kerberos_ticket_request *request, struct kerberos_ticket **ticket)
{
    krb5_creds *creds = NULL;
    struct krb_clock clock;
    try(ticket_fetch(credential, krb, request, &creds, &clock));
    struct kerberos_ticket *made = ticket_new(krb, request->target, creds, clock);
    require(made != NULL, SEC_E_INSUFFICIENT_MEMORY);
    krb_clock_set(krb, clock);
    ticket_swap(krb, ticket, made);
    return SEC_E_OK;
}

/* From memory. Where there is none, *source is the credential's at that time, counted. */
static bool ticket_recall(struct kerberos_credential *credential, krb5_context krb, const char *target,
                          struct kerberos_ticket **ticket, struct kerberos_source **source)
{
    struct kerberos_lane *lane = kerberos_lane_enter(credential->lanes);
    bool known = tickets_are_current(credential, krb, false) && ticket_find(credential, krb, target, ticket);
    kerberos_lane_leave(lane);
    require(!known, true);
    kerberos_lanes_lock(credential->lanes);
    known = tickets_are_current(credential, krb, true) && ticket_find(credential, krb, target, ticket);
    *source = known ? NULL : kerberos_source_retain(credential->source); /* so that no other takes its place */
    kerberos_lanes_unlock(credential->lanes);
    return known;
}

SECURITY_STATUS kerberos_ticket_ask(struct kerberos_credential *credential, krb5_context krb,
                                    const struct kerberos_ticket_request *request, struct kerberos_ticket **ticket)
{
    struct kerberos_source *source;
    if (request->peer_ticket.len > 0) /* it is for this one session of the peer's */
        return ticket_make(credential, krb, request, ticket);
    require(!ticket_recall(credential, krb, request->target, ticket, &source), SEC_E_OK);
    unsigned era =
        lease_era(source->lease); /* of before the look into the cache: a purge in between takes this ticket, too */
    SECURITY_STATUS status = ticket_make(credential, krb, request, ticket);
    if (status == SEC_E_OK) {
        kerberos_lanes_lock(credential->lanes);
        if (credential->source == source && tickets_are_current(credential, krb, true) &&
            credential->tickets_era == era)
            ticket_remember(credential, krb, *ticket);
        kerberos_lanes_unlock(credential->lanes);
    }
    kerberos_source_put(source);
    return status;
}

/* A ticket that is taken now, and five seconds from now: between this look and the step. */
#define READY_MARGIN ((TICKET_MARGIN_SECONDS + 5) * FILETIME_SECOND)

bool kerberos_ticket_is_ready(struct kerberos_credential *credential, const char *target)
{
    bool ready = false;
    struct kerberos_lane *lane = kerberos_lane_enter(credential->lanes);
    const struct kerberos_source *source = credential->source;
    if ((kerberos_source_private(source) || source->lent) && credential->tickets_era == lease_era(source->lease))
        for (const struct kerberos_ticket *ticket = credential->tickets; ticket != NULL && !ready;
             ticket = ticket->next)
            ready = strcmp(ticket->target, target) == 0 &&
                    krb_filetime(ticket->creds->times.endtime) - READY_MARGIN > filetime_now();
    kerberos_lane_leave(lane);
    return ready && credential->evidence == NULL;
}
