/*
 * What a source remembers of a KDC that refused its password or key. Where it is not a person at a program who tries again, but a session's every
 * handshake, or a peer that has proved nothing (user-to-user), each attempt more would count towards the account's lock-out. Of an
 * account that is disabled, expired or locked the KDC says so each time that it is asked: no attempt counts there.
 */
#ifndef OPENSSPI_KERBEROS_REFUSALS_H
#define OPENSSPI_KERBEROS_REFUSALS_H

#include <krb5.h>
#include <pthread.h>
#include <sspi.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct kerberos_refusals {
    pthread_mutex_t lock; /* guards the rest; not held while a KDC is asked */
    pthread_cond_t ended;
    atomic_uint n_forks; /* fork_count of the process that made them: a child does not inherit who asks */
    /* One logon at a time while it is not known that the key is good: those that wait for it learn what came of it. */
    bool asking;
    bool proven;        /* the last logon that ended with a verdict was a success: then all ask at once */
    unsigned era;       /* of the key and its refusals: what began in an earlier one tells nothing of this one */
    unsigned n;         /* in a row */
    int64_t until;      /* steady time: not before is the KDC asked again */
    struct stat keytab; /* the keytab's file when it was last looked at; another one is tried at once */
};

struct kerberos_source;

void kerberos_refusals_init(struct kerberos_refusals *refusals);
void kerberos_refusals_release(struct kerberos_refusals *refusals);
/* The time until which nothing is asked, or 0. */
int64_t kerberos_refusals_until(struct kerberos_refusals *refusals);

/* kerberos_source_log_on, unless the KDC refused lately: SEC_E_LOGON_DENIED then, too. A session's password is tried again after
 * SESSION_REFUSED_FOR, what a peer can set going after twice as long each time. Until `deadline` (core/late.h) it waits for another logon of the
 * source, unless one has succeeded with this key: SEC_E_NO_AUTHENTICATING_AUTHORITY when that does not end. */
SECURITY_STATUS kerberos_source_log_on_sparing(struct kerberos_source *source, krb5_context krb, uint64_t deadline,
                                               krb5_creds *creds);

#endif
