#include "kerberos/refusals.h"

#include "base/file_state.h"
#include "base/result.h"
#include "base/time.h"
#include "core/cause.h"
#include "core/package.h"
#include "kerberos/source.h"
#include <time.h>

#define DOUBLED_MAX 8 /* 5 minutes become most of a day */

void kerberos_refusals_init(struct kerberos_refusals *refusals)
{
    pthread_condattr_t attributes;
    pthread_mutex_init(&refusals->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&refusals->ended, &attributes);
    pthread_condattr_destroy(&attributes);
}

void kerberos_refusals_release(struct kerberos_refusals *refusals)
{
    pthread_cond_destroy(&refusals->ended);
    pthread_mutex_destroy(&refusals->lock);
}

int64_t kerberos_refusals_until(struct kerberos_refusals *refusals)
{
    pthread_mutex_lock(&refusals->lock);
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

/* Our turn to ask, when nobody else does: false when that takes too long. */
static bool turn_take(struct kerberos_refusals *refusals, uint64_t deadline)
{
    const struct timespec until = {.tv_sec = (time_t)(deadline / 1000), .tv_nsec = (long)(deadline % 1000) * 1000000};
    int waited = 0;
    while (refusals->asking && waited == 0)
        waited = pthread_cond_timedwait(&refusals->ended, &refusals->lock, &until);
    require(!refusals->asking, false);
    refusals->asking = true;
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

static void refusals_note(struct kerberos_source *source, SECURITY_STATUS status, const struct stat *keytab)
{
    struct kerberos_refusals *refusals = &source->refusals;
    if (status == SEC_E_LOGON_DENIED) {
        unsigned doubled = source->refusal != NULL ? 0 : refusals->n < DOUBLED_MAX ? refusals->n : DOUBLED_MAX;
        refusals->n++;
        refusals->until = steady_now() + (SESSION_REFUSED_FOR << doubled);
        refusals->keytab = *keytab;
    } else if (status == SEC_E_OK) {
        refusals->n = 0;
        refusals->until = 0;
    }
}

SECURITY_STATUS kerberos_source_log_on_sparing(struct kerberos_source *source, krb5_context krb, uint64_t deadline,
                                               krb5_creds *creds)
{
    struct kerberos_refusals *refusals = &source->refusals;
    pthread_mutex_lock(&refusals->lock);
    if (!turn_take(refusals, deadline)) {
        pthread_mutex_unlock(&refusals->lock);
        return cause_set(SEC_E_NO_AUTHENTICATING_AUTHORITY, "another logon of this credential has not ended yet");
    }
    const struct stat keytab = keytab_look(source, krb); /* before the logon: a change in between is seen next time */
    if (!file_state_equal(&keytab, &refusals->keytab)) {
        refusals->n = 0;
        refusals->until = 0;
    }
    bool spared = steady_now() < refusals->until;
    pthread_mutex_unlock(&refusals->lock);
    SECURITY_STATUS status = spared ? refused(source) : kerberos_source_log_on(source, krb, creds);
    pthread_mutex_lock(&refusals->lock);
    if (!spared)
        refusals_note(source, status, &keytab);
    refusals->asking = false;
    pthread_cond_broadcast(&refusals->ended);
    pthread_mutex_unlock(&refusals->lock);
    return status;
}
