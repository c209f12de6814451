/*
 * What threads that use one credential at the same time have each for themselves: a lock to read it under, and what a handshake works with.
 * Handshakes of two threads then write no cache line in common, and a thread finds what it worked with last.
 */
#ifndef OPENSSPI_KERBEROS_LANES_H
#define OPENSSPI_KERBEROS_LANES_H

#include "kerberos/krb.h"
#include <pthread.h>
#include <stdbool.h>

struct kerberos_credential;
struct kerberos_keys;
struct kerberos_ticket;

/* One handshake's at a time, and of one of the next when it is over. It keeps what it counted: who works with the same again need not count it. */
struct kerberos_kit {
    krb5_context krb;
    struct kerberos_ticket *ticket; /* what kerberos_ticket_ask gave; NULL: nothing yet */
    struct kerberos_keys *keys;     /* what kerberos_keys_get gave; NULL: nothing yet */
};

#define KERBEROS_LANES 16 /* processors whose threads never meet; with more, some share */
#define KERBEROS_LANE_LEN 64

/* On cache lines of its own. A thread takes that of the processor it runs on, or another that is free. */
struct kerberos_lane {
    _Alignas(KERBEROS_LANE_LEN) pthread_mutex_t lock;
    struct kerberos_kit idle; /* guarded by this lane's lock; krb NULL: none */
};

/* NULL without memory. Free takes NULL too; the kits are gone by then. */
struct kerberos_lane *kerberos_lanes_new(void);
void kerberos_lanes_free(struct kerberos_lane *lanes);

/* What a credential's lanes guard (credential.h) is read by who is in any one of them, and changed by who is in all: by kerberos_lanes_lock. They are
 * held for a few comparisons and one look at a file's status; all of them also while a keytab is read, or a cache in memory is filled; never while a
 * KDC or DNS is asked. Nobody enters a second time. */
struct kerberos_lane *kerberos_lane_enter(struct kerberos_lane *lanes);
void kerberos_lane_leave(struct kerberos_lane *lane);
void kerberos_lanes_lock(struct kerberos_lane *lanes);
void kerberos_lanes_unlock(struct kerberos_lane *lanes);

/* Gives a kit for one handshake; kerberos_kit_give takes it back, and drops what it keeps that is no longer the credential's. */
SECURITY_STATUS kerberos_kit_take(struct kerberos_credential *credential, struct kerberos_kit *kit);
void kerberos_kit_give(struct kerberos_credential *credential, struct kerberos_kit *kit); /* krb NULL is fine */
/* By who is in all lanes, and has changed the credential's tickets or keys: idle kits keep none of the former ones. */
void kerberos_kits_purge(struct kerberos_credential *credential);
/* Puts the contexts of idle kits into the credential's pool: nobody uses it any more. */
void kerberos_kits_end(struct kerberos_credential *credential);

#endif
