/*
 * Where the tickets of a credential come from: a cache that is there, or a logon. A source does not change once it is in use, so that work which was
 * left behind at a KDC may still read it; to change a credential is to give it another source.
 */
#ifndef OPENSSPI_KERBEROS_SOURCE_H
#define OPENSSPI_KERBEROS_SOURCE_H

#include "base/secret.h"
#include "core/lease.h"
#include "kerberos/krb.h"
#include "kerberos/refusals.h"
#include <stdatomic.h>

enum kerberos_logon {
    LOGON_NONE,        /* the tickets in the cache are all there is */
    LOGON_PASSWORD,    /* with `password` */
    LOGON_KEYTAB,      /* with a key of `keytab` */
    LOGON_CERTIFICATE, /* with the key of `certificate` (RFC 4556) */
    LOGON_SEALED, /* never: somebody else's ticket was given, and the credential is that; or a password without a name, and it is nobody's */
};

struct kerberos_proof;

struct kerberos_source {
    atomic_uint n_references;
    enum kerberos_logon logon;
    bool explicit_logon; /* the program or its logon session said with what, and not the configuration; as acquired */
    bool cache_first;    /* log on only when the cache has no living tickets */
    bool cache_last;     /* take the cache when there is nothing to log on with */
    char *cache;         /* full name of a ticket cache; NULL: the default one, whatever it is at the time */
    char *client;        /* principal to be, or NULL for the cache's or the keytab's first */
    struct secret password;    /* UTF-8 with its NUL, as libkrb5 takes it */
    char *keytab;              /* its name; NULL: libkrb5's default */
    krb5_keytab memory_keytab; /* holds `keytab` alive when it was made of bytes */
    char *
        certificate; /* certificate and key as libkrb5 names them: "FILE:CERT,KEY", "PKCS12:FILE", "PKCS11:MODULE:..." */
    struct secret pin; /* of the certificate's token or key file; with its NUL */
    char *anchors;     /* authorities that may have signed the KDC's certificate; NULL: krb5.conf says */
    char *proxy;       /* MS-KKDCP: "https://host[:port]/path", several separated by blanks */
    bool proxy_forced; /* ask no KDC but through the proxy */
    bool forwardable;  /* ask for such tickets */
    char *
        refusal; /* of a logon session's password: what the KDC said when it refused it, "" without words; NULL: no such password */
    struct kerberos_refusals refusals;
    bool lent;           /* the cache is a logon session's, in this process's memory: nobody else changes it */
    struct lease *lease; /* that session's tie to its tickets or its password; NULL: neither is a session's */
    const struct kerberos_proof *proof; /* set (settings.c) instead of what the credential was acquired with; or NULL */
    char *proof_name;
    char *server_keytab; /* set; or NULL */
};

struct kerberos_source *kerberos_source_new(void);
/* A copy to be changed, with one reference; its proxy, anchors, PIN and what was set (not what came of that) are those of `settings`,
 * another source of the same credential or the same. */
struct kerberos_source *kerberos_source_copy(struct kerberos_source *source, struct kerberos_source *settings);
struct kerberos_source *kerberos_source_retain(struct kerberos_source *source);
void kerberos_source_put(struct kerberos_source *source); /* NULL is fine */

/* Are tickets kept in private memory only? Then no cache of the user is read or written. */
static inline bool kerberos_source_private(const struct kerberos_source *source)
{
    return source->logon != LOGON_NONE && !source->cache_first;
}

/* A context of libkrb5 that finds KDCs as the source says. */
SECURITY_STATUS kerberos_source_context(const struct kerberos_source *source, krb5_context *krb);
/* Opens the cache: the named or the default one, or of the default collection the one that holds the wanted client. */
krb5_error_code kerberos_source_cache(const struct kerberos_source *source, krb5_context krb, krb5_ccache *cache);
/* What a failure to read that cache begins with: why it was looked for at all. */
const char *kerberos_source_cache_words(const struct kerberos_source *source);
/* Gets a first ticket (RFC 4120 3.1), contents to be freed by the caller. */
SECURITY_STATUS kerberos_source_log_on(const struct kerberos_source *source, krb5_context krb, krb5_creds *creds);

#endif
