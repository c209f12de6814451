/*
 * A Kerberos credential: a ticket cache for the client's side, a keytab for the server's.
 */
#ifndef OPENSSPI_KERBEROS_CREDENTIAL_H
#define OPENSSPI_KERBEROS_CREDENTIAL_H

#include "base/secret.h"
#include "core/package.h"
#include "kerberos/krb.h"
#include <sys/stat.h>

/* A service ticket in memory, so that a handshake reads no cache and asks no KDC. */
struct kerberos_ticket {
    struct kerberos_ticket *next;
    char *target;
    krb5_creds *creds;
};

struct kerberos_credential {
    const struct config *config;
    uint32_t use;
    struct krb_pool pool;

    /* outbound */
    char *cache;            /* full name of the ticket cache; NULL: the default one, whatever it is at the time */
    bool private_cache;     /* ours: filled from the password, destroyed at the end */
    char *client;           /* principal to log on as, or NULL */
    struct secret password; /* UTF-8 with its NUL, as libkrb5 takes it; only with a private cache */
    char *full_name;        /* for SECPKG_CRED_ATTR_NAMES; "" while unknown */

    /* inbound */
    char *keytab; /* NULL: the default one */
    char *server; /* principal that tickets must be for, or NULL for any in the keytab */

    pthread_mutex_t lock; /* guards what follows */
    bool logged_on;
    struct kerberos_keys *keys; /* of the keytab that keys_name names; NULL until it was read */
    char *keys_name;
    struct stat keytab_state; /* of its file when it was read */
    struct kerberos_ticket *tickets;
    unsigned n_tickets;
    struct stat cache_state; /* of a FILE cache when the tickets were read */
};

SECURITY_STATUS kerberos_acquire(const struct acquire_request *request, void **credential, int64_t *expiry);
void kerberos_release(void *credential);
SECURITY_STATUS kerberos_query_credential(const void *credential, uint32_t attribute, struct attribute *value);
SECURITY_STATUS kerberos_change_password(const struct password_change *change);

/* Gives a ticket for the target: from memory, the cache, or the KDC, within the configured time. The caller frees it with krb5_free_creds. */
SECURITY_STATUS kerberos_ticket_get(struct kerberos_credential *credential, krb5_context krb, const char *target,
                                    krb5_creds **creds);
/* Frees the list. */
void kerberos_tickets_drop(struct kerberos_credential *credential, krb5_context krb);

#endif
