/*
 * Keys and certificates made in memory, good and bad ones.
 */
#ifndef OPENSSPI_TESTS_TLS_PKI_H
#define OPENSSPI_TESTS_TLS_PKI_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <sspi.h>
#include <stdbool.h>
#include <wincrypt.h>

struct pki {
    X509 *x509;
    EVP_PKEY *key;
};

/* What a certificate is to be like; zero fields give an honest one. */
struct pki_wish {
    const char *name;         /* common name */
    const char *alternatives; /* OpenSSL's syntax: "DNS:server.test,IP:127.0.0.1"; NULL: none */
    const struct pki *issuer; /* NULL: itself */
    bool authority;           /* CA:TRUE and keyCertSign */
    const char *usage;        /* extendedKeyUsage, such as "serverAuth"; NULL: none */
    int rsa_bits;             /* 0: EC on P-256 */
    bool ed25519;
    const EVP_MD *digest;     /* NULL: SHA-256 */
    long from_days, for_days; /* 0: from yesterday, for a year */
};

struct pki pki_make(const struct pki_wish *wish);
void pki_free(struct pki *pki);
/* A context with its key (without: `bare`), whose store holds `issuer` as well (may be NULL); CertFreeCertificateContext. */
PCCERT_CONTEXT pki_context(const struct pki *pki, const struct pki *issuer, bool bare);
/* A memory store that holds this certificate; CertCloseStore. */
HCERTSTORE pki_store(const struct pki *pki);

/* A list of the issuer with this serial number revoked (0: none), valid for so many days from now (negative: over); X509_CRL_free. */
X509_CRL *pki_crl(const struct pki *issuer, long revoked, long days);
/* One with its numbers (RFC 5280 5.2.3, 5.2.4): its own, 0 for none, and, for a delta, that of the complete list it changes. */
struct pki_list {
    const struct pki *issuer;
    long revoked, days; /* as of pki_crl */
    long number, delta_of;
    bool is_delta;
    long age;    /* seconds since it was made; 0: an hour */
    bool lifted; /* its entry is removeFromCRL: no longer on hold */
};
X509_CRL *pki_list(const struct pki_list *wish);

/* Made once a process: an authority, and a server "server.test" (also 127.0.0.1 and *.wild.test) and a client "alice@client.test" of it. */
const struct pki *pki_authority(void);
const struct pki *pki_server(void);
const struct pki *pki_server_rsa(void);
const struct pki *pki_client(void);

#endif
