#include "kerberos/refusals.h"

#include "base/file_state.h"
#include "base/fork.h"
#include "base/result.h"
#include "base/time.h"
#include "core/cause.h"
#include "core/package.h"
#include "kerberos/source.h"
#include <time.h>

#define DOUBLED_MAX 8 /* 5 minutes become most of a day */

struct turn {
    const struct kerberos_source *source;
    krb5_context krb;
    struct stat keytab; /* when it began */
    unsigned era;
    bool alone; /* the others wait for it */
};

/* A child of fork has none of the threads that ask, wait or hold a lock: it begins anew with each source that it uses. */
static pthread_mutex_t renewal = PTHREAD_MUTEX_INITIALIZER;

FORK_GUARD(renewal, FORK_RANK_REFUSALS)

void kerberos_refusals_init(struct kerberos_refusals *refusals)
{
    pthread_condattr_t attributes;
    refusals->asking = false;
    pthread_mutex_init(&refusals->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&refusals->ended, &attributes);
    pthread_condattr_destroy(&attributes);
    atomic_store(&refusals->n_forks, fork_count());
}

static bool is_inherited(struct kerberos_refusals *refusals)
{
    return atomic_load(&refusals->n_forks) != fork_count();
}

static void refusals_lock(struct kerberos_refusals *refusals)
{
    if (is_inherited(refusals)) {
        pthread_mutex_lock(&renewal);
        if (is_inherited(refusals))
            kerberos_refusals_init(refusals);
        pthread_mutex_unlock(&renewal);
    }
    pthread_mutex_lock(&refusals->lock);
}

void kerberos_refusals_release(struct kerberos_refusals *refusals)
{
    if (is_inherited(refusals)) /* to destroy a condition that others wait for would wait for them */
        return;
    pthread_cond_destroy(&refusals->ended);
    pthread_mutex_destroy(&refusals->lock);
}

int64_t kerberos_refusals_until(struct kerberos_refusals *refusals)
{
    refusals_lock(refusals);
    int64_t until = refusals->until;
    pthread_mutex_unlock(&refusals->lock);
    return until;
}

/* All zero for what is no file, and for a password. */
static struct stat keytab_look(const struct kerberos_source *source, krb5_context krb)
{
    char room[1024];
    struct stat state = {0};
    const char *name = source->keytab;
    if (source->logon != LOGON_KEYTAB)
        return state;
    if (name == NULL && krb5_kt_default_name(krb, room, sizeof room) == 0)
        name = room;
    const char *path = name != NULL ? krb_keytab_path(name) : NULL;
    if (path == NULL || stat(path, &state) != 0)
        state = (struct stat){0};
    return state;
}

/* A changed keytab: what came of the old one tells nothing. */
static void keytab_compare(struct kerberos_refusals *refusals, const struct stat *keytab)
{
    if (file_state_equal(keytab, &refusals->keytab))
        return;
    refusals->n = 0;
    refusals->until = 0;
    refusals->proven = false;
    refusals->era++;
    refusals->keytab = *keytab;
}

/* Our turn to ask, when nobody else does or the key is known to be good: false when that takes too long. */
static bool turn_take(struct kerberos_refusals *refusals, uint64_t deadline, struct turn *turn)
{
    const struct kerberos_source *source = turn->source;
    const struct timespec until = {.tv_sec = (time_t)(deadline / 1000), .tv_nsec = (long)(deadline % 1000) * 1000000};
    int waited = 0;
    for (;;) {
        turn->keytab = keytab_look(source, turn->krb); /* before the logon: a change in between is seen next time */
        keytab_compare(refusals, &turn->keytab);
        if (refusals->proven || !refusals->asking)
            break;
        require(waited == 0, false);
        waited = pthread_cond_timedwait(&refusals->ended, &refusals->lock, &until);
    }
    turn->alone = !refusals->proven;
    turn->era = refusals->era;
    refusals->asking = refusals->asking || turn->alone;
    return true;
}

static SECURITY_STATUS refused(const struct kerberos_source *source)
{
    if (source->refusal == NULL)
        return cause_set(SEC_E_LOGON_DENIED, "the KDC refused this side's %s; it is not asked again for some minutes%s",
                         source->logon == LOGON_KEYTAB ? "key" : "password",
                         source->logon == LOGON_KEYTAB ? ", unless the keytab changes" : "");
    return cause_set(SEC_E_LOGON_DENIED, "%s (of this session's password; it is not sent again for some minutes)",
                     *source->refusal != '\0' ? source->refusal : "the KDC refused the logon");
}

/* Of logons at the same time the first that is refused counts, and a success that began before it does not. */
static void refusals_note(struct kerberos_refusals *refusals, SECURITY_STATUS status, const struct turn *turn)
{
    if (turn->era != refusals->era)
        return;
    if (status == SEC_E_LOGON_DENIED) {
        unsigned doubled = turn->source->refusal != NULL ? 0 : refusals->n < DOUBLED_MAX ? refusals->n : DOUBLED_MAX;
        refusals->n++;
        refusals->until = steady_now() + (SESSION_REFUSED_FOR << doubled);
        refusals->proven = false;
        refusals->era++;
    } else if (status == SEC_E_OK) {
        refusals->n = 0;
        refusals->until = 0;
        refusals->proven = true;
    }
}

SECURITY_STATUS kerberos_source_log_on_sparing(struct kerberos_source *source, krb5_context krb, uint64_t deadline,
                                               krb5_creds *creds)
{
    struct kerberos_refusals *refusals = &source->refusals;
    struct turn turn = {.source = source, .krb = krb};
    refusals_lock(refusals);
    if (!turn_take(refusals, deadline, &turn)) {
        pthread_mutex_unlock(&refusals->lock);
        return cause_set(SEC_E_NO_AUTHENTICATING_AUTHORITY, "another logon of this credential has not ended yet");
    }
    bool spared = steady_now() < refusals->until;
    pthread_mutex_unlock(&refusals->lock);
    SECURITY_STATUS status = spared ? refused(source) : kerberos_source_log_on(source, krb, creds);
    refusals_lock(refusals);
    if (!spared)
        refusals_note(refusals, status, &turn);
    if (turn.alone)
        refusals->asking = false;
    pthread_cond_broadcast(&refusals->ended);
    pthread_mutex_unlock(&refusals->lock);
    return status;
}
