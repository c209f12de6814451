/*
 * An authority of the tests' own: certificates good and bad, revocation lists, PFX files, made with OpenSSL.
 */
#ifndef OPENSSPI_TESTS_CERTIFICATES_AUTHORITY_H
#define OPENSSPI_TESTS_CERTIFICATES_AUTHORITY_H

#include "support/tls_pki.h"
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <wincrypt.h>

/* Zero fields give a fine end certificate on P-256, valid from yesterday for a year. */
struct order {
    const char *name;         /* common name */
    const struct pki *issuer; /* NULL: itself */
    bool authority;           /* a CA */
    const char *constraints;  /* basicConstraints otherwise than `authority` says */
    const char *alternatives, *usage, *key_usage, *name_constraints,
        *distribution; /* in OpenSSL's configuration's words */
    const char *policies, *policy_constraints;
    const char *critical; /* an extension nobody knows, critical */
    const EVP_MD *digest;
    int rsa_bits;
    long from_days, to_days;
    long serial;
};

struct pki make_identity(const struct order *order);

/* The three levels that most tests use, made once: root, middle, leaf "server.example". */
const struct pki *the_root(void);
const struct pki *the_middle(void);
const struct pki *the_leaf(void);

/* Contexts and stores through the exported functions. */
PCCERT_CONTEXT context_of(const X509 *x509);
void add_to(HCERTSTORE store, const X509 *x509);
void add_crl_to(HCERTSTORE store, X509_CRL *crl);
HCERTSTORE store_with(const X509 *a, const X509 *b);

/* A private directory for files; files of it are written with mode 0600. Removed by the end of the program. */
const char *scratch(void);
const char *scratch_file(const char *name, const void *data, size_t len);
const char *scratch_pem(const char *name, const X509 *const *x509s, size_t n_x509s, EVP_PKEY *key,
                        const char *password);

/* A teardown: what a test held it gave back. */
int nothing_left(void **state);

/* The library reads this configuration from now on. */
void configure(const char *text);

#endif
