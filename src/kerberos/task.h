/*
 * A piece of work that a credential's tickets are needed for and that may wait for KDCs: it logs on where that is needed, and runs as kdc.h says.
 */
#ifndef OPENSSPI_KERBEROS_TASK_H
#define OPENSSPI_KERBEROS_TASK_H

#include "kerberos/credential.h"
#include "kerberos/kdc.h"

struct kerberos_task {
    /* Works with a cache that holds the credential's tickets; NULL where the first ticket is all that is wanted. The memory caches that private
     * credentials get here end with the task. */
    SECURITY_STATUS (*work)(struct kerberos_task *task, krb5_ccache cache);
    struct kerberos_source *source;
    krb5_creds *tgt; /* what the credential had, then what the logon gave; NULL: what the cache has */
    krb5_context krb;
    uint64_t deadline; /* of who waits for it */

    /* in, for the work; owned */
    char *name;
    bool user_to_user;
    unsigned era;  /* of the source's lease when the task was made */
    bool for_peer; /* a peer that has proved nothing set it going */
    unsigned options;
    struct secret ticket; /* encoded */
    krb5_creds *service;
    /* out */
    krb5_creds *creds;
    struct secret bytes;
    bool logged_on;
};

/* Makes a task for the credential as it is now. `name` may be NULL. SEC_E_INSUFFICIENT_MEMORY, SEC_E_INTERNAL_ERROR when libkrb5 does not start,
 * SEC_E_NO_CREDENTIALS when the logon session that lent the tickets has ended. */
SECURITY_STATUS kerberos_task_new(struct kerberos_credential *credential, const char *name,
                                  SECURITY_STATUS (*work)(struct kerberos_task *task, krb5_ccache cache),
                                  struct kerberos_task **task);
/* Runs it; a logon session that lent its tickets gets new ones before, where they ended or were purged. On SEC_E_NO_AUTHENTICATING_AUTHORITY by
 * lateness *task is NULL, and somebody else's. A first ticket that was got on the way is the credential's from then on, whatever came of the rest. */
SECURITY_STATUS kerberos_task_run(struct kerberos_credential *credential, struct kerberos_task **task,
                                  uint64_t deadline);
void kerberos_task_free(struct kerberos_task *task); /* NULL is fine */

/* The time by which the credential's configuration wants an answer, from now. */
uint64_t kerberos_deadline(const struct kerberos_credential *credential);
/* Reads the ticket-granting ticket of a cache's own realm; krb5_free_cred_contents it. Asks no KDC. */
krb5_error_code kerberos_tgt_of_cache(krb5_context krb, krb5_ccache cache, krb5_creds *tgt);
/* Will a ticket live some time yet? One that ends within these seconds is not begun with. */
#define TICKET_MARGIN_SECONDS 120
bool kerberos_ticket_lives(const krb5_creds *creds);

#endif
