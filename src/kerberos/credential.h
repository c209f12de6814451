/*
 * A Kerberos credential: a ticket cache for the client's side, a keytab for the server's.
 */
#ifndef OPENSSPI_KERBEROS_CREDENTIAL_H
#define OPENSSPI_KERBEROS_CREDENTIAL_H

#include "base/secret.h"
#include "core/package.h"
#include "crypto/krb5_encrypt.h"
#include "kerberos/krb.h"
#include "kerberos/lanes.h"
#include "kerberos/source.h"
#include <stdatomic.h>
#include <sys/stat.h>

/* Names as they are written; NULL where there are none. */
struct kerberos_names {
    char *client, *server;
    char *authority; /* the client's realm */
};
void kerberos_names_release(struct kerberos_names *names);

/* What a client does with a ticket's session key. */
enum kerberos_ticket_use { KERBEROS_MAKES_REQUEST, KERBEROS_OPENS_REPLY, KERBEROS_TICKET_USES };

/* A service ticket in memory, so that a handshake reads no cache and asks no KDC. Counted: the kits of handshakes share it, and it outlives its place
 * in a credential. But for that place nothing in it changes. A secret block. */
struct kerberos_ticket {
    atomic_uint n_references;
    krb5_creds *creds;
    struct krb_clock clock; /* of the KDC that gave it */
    struct kerberos_names names;
    struct krb_prepared session[KERBEROS_TICKET_USES]; /* not prepared where the key's type is not ours */

    struct kerberos_ticket *next; /* among a credential's, guarded by its lanes, as is the next */
    bool remembered;              /* it is among them */
    char *target;
};
void kerberos_ticket_put(krb5_context krb, struct kerberos_ticket *ticket); /* NULL is fine */

/* Names that were handed out stay until the credential goes. */
struct kerberos_text {
    struct kerberos_text *next;
    char text[];
};

struct kerberos_credential {
    const struct config *config;
    uint32_t use;
    struct krb_pool pool; /* of contexts for what is seldom done, and for kits */
    struct kerberos_lane *lanes;

    /* outbound */
    /* To act for a client by S4U2Proxy: its ticket for the service whose tickets these are; else NULL. */
    krb5_creds *evidence;

    /* inbound */
    char *server; /* principal that tickets must be for, or NULL for any in the keytab */

    /* guarded by the lanes */
    struct kerberos_source *source; /* where tickets come from, also for a server that asks KDCs; never NULL */
    struct kerberos_source
        *acquired;               /* the one before it was first changed, to be taken back; NULL: `source` still is */
    char *keytab;                /* of the server, as given or set; NULL: see keys.c */
    const char *full_name;       /* for SECPKG_CRED_ATTR_NAMES, one of `texts`; "" while unknown */
    struct kerberos_text *texts; /* what was handed out */
    char *exported;              /* a MEMORY cache with the tgt, for others in this process; NULL: none was asked for */
    krb5_creds *tgt;             /* of the last logon; NULL while there was none, and for tickets that are in a cache */
    unsigned tgt_era, tickets_era; /* of the source's lease when they were got: of another one they count no more */
    struct kerberos_keys *keys; /* of the keytab that keys_name names, or of the password; NULL until they were read */
    char *keys_name;            /* NULL: of the password */
    struct kerberos_keys *renewed; /* of the password, made anew, and yet to open a ticket; NULL: none */
    _Atomic int64_t salts_due;     /* steady time: not before are a password's salts asked for again; not guarded */
    struct stat keytab_state;      /* of its file when it was read */
    struct kerberos_ticket *tickets;
    unsigned n_tickets;
    struct stat cache_state; /* of a FILE cache when the tickets were read */
};

SECURITY_STATUS kerberos_acquire(const struct acquire_request *request, void **credential, int64_t *expiry);
/* A credential with nothing but its source, which it takes (also when it answers NULL, for want of memory, or of a source). */
struct kerberos_credential *kerberos_credential_new(const struct acquire_request *request,
                                                    struct kerberos_source *source);
void kerberos_release(void *credential);
SECURITY_STATUS kerberos_query_credential(const void *credential, uint32_t attribute, struct attribute *value);
SECURITY_STATUS kerberos_change_password(const struct password_change *change);

/* "user" and "domain" of an identity as a principal: user@DOMAIN, user@realm as it stands, or user in the default realm. mem_free it. */
char *kerberos_client_name(const struct identity *identity);
/* Keeps a copy of a text as long as the credential lives; the same text once. */
SECURITY_STATUS kerberos_text_keep(struct kerberos_credential *credential, const char *text, const char **kept);
/* The keytab that came with the identity, for the server's keys, too; NULL where there is none. SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS kerberos_server_keytab(const struct kerberos_source *source, char **keytab);
/* Looks anew who the credential is: the client's name as given, or that of the cache if it is there. */
SECURITY_STATUS kerberos_name_refresh(struct kerberos_credential *credential, krb5_context krb);
/* The credential's source as it is now; kerberos_source_put it. */
struct kerberos_source *kerberos_credential_source(struct kerberos_credential *credential);

/* What a ticket is wanted for. */
struct kerberos_ticket_request {
    const char *target;
    struct slice peer_ticket; /* user-to-user: the peer's ticket-granting ticket, encoded; else empty */
    uint64_t deadline;        /* kdc.h; 0: as the configuration says, from now */
};

/* Gives a ticket for the target: from memory, the cache, or the KDC. `krb` gets the clock of the KDC that gave it. *ticket is NULL or what was given
 * before, which stays if it is the one, and is put if it is not; the caller puts what it has in the end. */
SECURITY_STATUS kerberos_ticket_ask(struct kerberos_credential *credential, krb5_context krb,
                                    const struct kerberos_ticket_request *request, struct kerberos_ticket **ticket);
/* Is there a ticket in memory that kerberos_ticket_ask will give, unless the credential is changed before? Only told of credentials whose tickets are
 * in memory alone. */
bool kerberos_ticket_is_ready(struct kerberos_credential *credential, const char *target);
/* Frees the list; by who is in all lanes, or alone. */
void kerberos_tickets_drop(struct kerberos_credential *credential, krb5_context krb);

/* Gives the ticket-granting ticket itself, from the cache or by logging on; krb5_free_creds it. A credential of use INBOUND logs on with its keytab.
 * */
SECURITY_STATUS kerberos_tgt_get(struct kerberos_credential *credential, krb5_context krb, krb5_creds **creds);
/* The same for a peer that has proved nothing: where the KDC refuses the key, it is not asked again for each of them (refusals.h). */
SECURITY_STATUS kerberos_tgt_get_for_peer(struct kerberos_credential *credential, krb5_context krb, krb5_creds **creds);
/* Gets a forwarded ticket-granting ticket for whoever has `service` (as kerberos_ticket_ask gave it), and makes the KRB-CRED (RFC 4120 5.8) that
 * hands it over, encrypted with the service ticket's session key. SEC_E_DELEGATION_POLICY when "delegate" in [kerberos] or the KDC's flags do not let
 * it. */
SECURITY_STATUS kerberos_tgt_forward(struct kerberos_credential *credential, krb5_context krb,
                                     const krb5_creds *service, uint64_t deadline, struct secret *message);

#endif
