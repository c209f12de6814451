/*
 * A Schannel credential: what SCHANNEL_CRED or SCH_CREDENTIALS asked for, as an SSL_CTX with certificates and policy. Immutable but for the session
 * cache, the sessions' data and the keys of tickets, which lock themselves. Counted: by its handle and by the contexts made with it.
 */
#ifndef OPENSSPI_SCHANNEL_CREDENTIAL_H
#define OPENSSPI_SCHANNEL_CREDENTIAL_H

#ifndef SCHANNEL_USE_BLACKLISTS
#define SCHANNEL_USE_BLACKLISTS /* schannel.h: SCH_CREDENTIALS */
#endif
#include "certificates/certificate.h"
#include "core/package.h"
#include "schannel/app_data.h"
#include "schannel/cache.h"
#include <openssl/ssl.h>
#include <schannel.h>
#include <stdatomic.h>

#define TLS_CERTIFICATES_MAX 16 /* servers with more names than this put them into one certificate */
#define SESSION_POLICY_LEN 32   /* SHA-256; as much as a session's context in libssl holds */
#define FINGERPRINT_LEN 32      /* of a certificate, SHA-256 */
#define TLS_ALGORITHMS_MAX 16   /* ALG_IDs that suites are made of: suite.c knows ten */

/* Kinds of signatures. */
#define SIGNATURES_RSA 1
#define SIGNATURES_ECDSA 2
#define SIGNATURES_EDWARDS 4

/* One certificate to show, with what goes with it. */
struct tls_certificate {
    X509 *x509;
    EVP_PKEY *key;
    STACK_OF(X509) * issuers;
    int64_t expiry;
    uint8_t fingerprint[FINGERPRINT_LEN];
};

struct tls_credential {
    atomic_uint n_references;
    const struct config *config;
    bool server, datagram;
    bool of_client;   /* acquired by a thread that impersonates: the process's own certificates are not its defaults */
    bool below_tls13; /* a SCHANNEL_CRED that names no protocols */
    bool signs_only;  /* a key of it is kept elsewhere, and decrypts nothing */
    uint32_t protocols; /* SP_PROT_ bits of this side */
    uint32_t flags;     /* SCH_CRED_ and SCH_ */
    uint32_t min_strength, max_strength;
    uint8_t signatures; /* SIGNATURES_, of whoever signs: what suites may not say */
    bool curves_only;   /* keys are not exchanged in finite fields */
    int64_t lifespan;   /* of its sessions, FILETIME units */
    HCERTSTORE roots;   /* ours to put; NULL: the system's */
    struct tls_certificate certificate[TLS_CERTIFICATES_MAX];
    unsigned n_certificates;
    ALG_ID algorithm[TLS_ALGORITHMS_MAX]; /* what the cipher list comes down to */
    unsigned n_algorithms;
    int64_t expiry;
    SSL_CTX *ctx;
    struct session_cache *cache; /* clients */
    struct app_data app_data;
    uint8_t session_policy[SESSION_POLICY_LEN]; /* what its sessions were admitted by (policy_digest) */
};

SECURITY_STATUS schannel_acquire(const struct acquire_request *request, void **credential, int64_t *expiry);
void schannel_release(void *credential);
SECURITY_STATUS schannel_set_credential(void *credential, uint32_t attribute, const void *value, size_t len);
SECURITY_STATUS schannel_query_credential(const void *credential, uint32_t attribute, struct attribute *value);

struct tls_credential *tls_credential_retain(struct tls_credential *credential);
void tls_credential_put(struct tls_credential *credential); /* NULL is fine */
/* When a certificate ends, a FILETIME; NULL, and one that does not say: never. */
int64_t tls_not_after(const X509 *x509);
/* Gives `ssl` the certificates of this credential whose names include `host`, or all (host NULL). False when none does, or libssl refuses. */
bool tls_certificates_use(const struct tls_credential *credential, SSL *ssl, const char *host);

#endif
