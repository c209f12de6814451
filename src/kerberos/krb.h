/*
 * What the authority half of Kerberos shares: libkrb5's contexts, names, errors.
 */
#ifndef OPENSSPI_KERBEROS_KRB_H
#define OPENSSPI_KERBEROS_KRB_H

#include "base/slice.h"
#include "core/config.h"
#include <krb5.h>
#include <pthread.h>
#include <sspi.h>

/* A context of libkrb5's, which reads krb5.conf; krb5_free_context it. SEC_E_INTERNAL_ERROR when it does not start. */
SECURITY_STATUS krb_context_new(krb5_context *krb);

/* krb5_context is not for two threads at once, and costs a parse of krb5.conf: each credential keeps those that are idle. */
struct krb_pool {
    pthread_mutex_t lock; /* guards the stack below */
    krb5_context idle[8];
    unsigned n_idle;
};

void krb_pool_init(struct krb_pool *pool);
void krb_pool_release(struct krb_pool *pool);
/* Gives a context for one thread; krb_pool_give takes it back. */
SECURITY_STATUS krb_pool_take(struct krb_pool *pool, krb5_context *krb);
void krb_pool_give(struct krb_pool *pool, krb5_context krb);
/* Leaves nothing in a context of what it was used for: words of errors, a KDC's clock. krb_pool_give does so itself. */
void krb_context_clean(krb5_context krb);

/* What is done when a krb5 error comes up: the same error means different things. */
enum krb_stage {
    KRB_STAGE_LOGON,       /* getting an initial ticket with a password or key */
    KRB_STAGE_CERTIFICATE, /* the same with a certificate */
    KRB_STAGE_TICKET,      /* getting a service ticket, or reading a cache */
    KRB_STAGE_FORWARD,     /* getting a ticket to act for somebody: forwarded, S4U2Self, S4U2Proxy */
    KRB_STAGE_ACCEPT,      /* a server reading an AP-REQ, and what it tells its client of that (KRB-ERROR) */
};

/* Maps an error to its status and sets its text as the thread's cause. 0 gives SEC_E_OK. */
SECURITY_STATUS krb_status(krb5_context krb, krb5_error_code code, enum krb_stage stage, const char *doing);

/* What "name@place" in a target is. */
enum krb_target {
    KRB_TARGET_SERVICE,    /* GSS-API's service@host */
    KRB_TARGET_USER,       /* an account of the realm "place" */
    KRB_TARGET_ENTERPRISE, /* a UPN, which the default realm's KDC knows (RFC 6806 5) */
};
/* A target name of any form the package takes (see docs/kerberos.md) as a principal. */
SECURITY_STATUS krb_target_parse(krb5_context krb, const char *target, enum krb_target kind, krb5_principal *principal);
/* Does a target that was parsed mean this principal? A host that no [domain_realm] names has an empty realm there, which a KDC would fill in:
 * it means any. */
bool krb_target_means(krb5_context krb, krb5_const_principal target, krb5_const_principal principal);

/* The file behind a keytab's name, or NULL when it is of another type. */
const char *krb_keytab_path(const char *name);

/* How far the clock of the KDC is away, as libkrb5 keeps it in a context. */
struct krb_clock {
    krb5_timestamp seconds;
    krb5_int32 microseconds;
};

/* Takes the offset out of a context; puts it into one: all zero for this machine's own clock. */
struct krb_clock krb_clock_get(krb5_context krb);
void krb_clock_set(krb5_context krb, struct krb_clock clock);

/* The time by this clock in microseconds since 1970. By one clock no time twice in this process, unless the machine's is set back by a second or
 * more: servers tell the requests of one ticket apart by it (RFC 4120 5.5.1). The clock that is taken out of a context is not always the one that was
 * put into it, but some microseconds away. */
#define KRB_MICROSECONDS 1000000 /* a second */
int64_t krb_time_unique(struct krb_clock clock);

/* Slices and krb5_data are the same thing. */
static inline krb5_data krb_data(struct slice bytes)
{
    return (krb5_data){.magic = KV5M_DATA, .length = (unsigned)bytes.len, .data = (char *)(uintptr_t)bytes.data};
}

static inline struct slice krb_slice(const krb5_data *data)
{
    return slice_of(data->data, data->length);
}

/* FILETIME of a krb5 time (seconds, 32 bits that wrap in 2106). */
int64_t krb_filetime(krb5_timestamp time);

#endif
