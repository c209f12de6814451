/*
 * Certificates as the TLS package sees them: the OpenSSL side of a CERT_CONTEXT, and the one place that decides whether a chain is to be trusted.
 * The exported functions stand on context.h, store.h and trust.h of this folder, which know no OpenSSL.
 *
 * A CERT_CONTEXT is known by its address: the registry (live.h) tells one of ours from any other pointer, so that a context that was freed too often
 * is refused and not followed, and one that the caller laid together himself (pbCertEncoded and cbCertEncoded alone count) is parsed anew.
 */
#ifndef OPENSSPI_CERTIFICATES_CERTIFICATE_H
#define OPENSSPI_CERTIFICATES_CERTIFICATE_H

#include "certificates/trust.h"
#include <openssl/evp.h>
#include <openssl/x509.h>

struct certificate; /* one reference in hand; immutable but for its properties, which lock themselves */

/* Takes a caller's context: a reference to it when it is ours, else a certificate made from its encoded bytes. SEC_E_UNKNOWN_CREDENTIALS for NULL and
 * for bytes that are no certificate; SEC_E_INSUFFICIENT_MEMORY. Give it back with certificate_put. */
SECURITY_STATUS certificate_take(PCCERT_CONTEXT context, struct certificate **certificate);
struct certificate *certificate_retain(struct certificate *certificate);
void certificate_put(struct certificate *certificate); /* NULL is fine */
static inline void certificate_cleanup(struct certificate **certificate)
{
    certificate_put(*certificate);
}
#define AUTO_CERTIFICATE __attribute__((cleanup(certificate_cleanup)))

/* Borrowed, as long as the certificate. */
X509 *certificate_x509(const struct certificate *certificate);
/* The private key, or NULL when there is none; free it with EVP_PKEY_free. Fits the certificate: that was checked when it was set or read, and it was
 * copied from certificates of the same public key alone. */
EVP_PKEY *certificate_key(struct certificate *certificate);
/* What a TLS peer is sent after the certificate: its issuers as far as they are found in its own store, in the store CA and, for the last, in ROOT;
 * the root itself only `with_root`. Free with sk_X509_pop_free(…, X509_free). A certificate whose issuers are not at hand gives an empty stack. */
SECURITY_STATUS certificate_issuers(struct certificate *certificate, bool with_root, STACK_OF(X509) * *issuers);
/* The same reference seen by callers: they free it with CertFreeCertificateContext. */
PCCERT_CONTEXT certificate_context(struct certificate *certificate);

/* Makes a context for callers from a certificate of ours or of the peer, in a memory store of its own that holds `chain` as well (may be NULL).
 * `key` may be NULL. Takes references, not ownership. */
SECURITY_STATUS certificate_context_make(X509 *x509, STACK_OF(X509) * chain, EVP_PKEY *key, PCCERT_CONTEXT *context);

/* Searches the system store `store` ("MY" when NULL) for the SHA-1 hash of SCHANNEL_CERT_HASH(_STORE). SEC_E_NO_CREDENTIALS when it is not there. */
SECURITY_STATUS certificate_by_hash(const char *store, bool machine, const uint8_t sha1[20],
                                    struct certificate **certificate);
/* The default credential of a client: the certificate of MY that has a key, is valid now and good for client authentication, and whose chain meets
 * one of the names the server sent (all, when `names` is NULL or empty). The latest NotAfter wins. SEC_E_NO_CREDENTIALS. */
SECURITY_STATUS certificate_default_client(const STACK_OF(X509_NAME) * names, struct certificate **certificate);

/* The certificates of a caller's store, now: fresh references; sk_X509_pop_free. SEC_E_INVALID_HANDLE for a handle that is not one of ours. */
SECURITY_STATUS store_certificates(HCERTSTORE store, STACK_OF(X509) * *certificates);
/* A reference to a caller's store, as CertDuplicateStore takes it; store_put gives it back. SEC_E_INVALID_HANDLE. */
SECURITY_STATUS store_take(HCERTSTORE store);
void store_put(HCERTSTORE store); /* NULL is fine */

/* Builds the chain of `leaf` and collects everything that is wrong with it (trust.h); `others` are what the peer sent beside it, in any order, NULL
 * for nothing. SEC_E_OK means that the chain was examined, not that it is good: trust_judge tells that. SEC_E_INSUFFICIENT_MEMORY;
 * SEC_E_INTERNAL_ERROR when the roots cannot be read (the cause names the file); SEC_E_INVALID_HANDLE for a store that is not ours. */
SECURITY_STATUS certificate_verify(X509 *leaf, STACK_OF(X509) * others, const struct trust_question *question,
                                   struct trust_verdict *verdict);

#endif
