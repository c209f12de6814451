/*
 * An authority of the tests' own: certificates good and bad, revocation lists, PFX files, made with OpenSSL.
 */
#ifndef OPENSSPI_TESTS_CERTIFICATES_AUTHORITY_H
#define OPENSSPI_TESTS_CERTIFICATES_AUTHORITY_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <wincrypt.h>

struct identity_pair {
    X509 *x509;
    EVP_PKEY *key;
};

/* Zero fields give a fine end certificate on P-256, valid from yesterday for a year. */
struct order {
    const char *name;                   /* common name */
    const struct identity_pair *issuer; /* NULL: itself */
    bool authority;                     /* a CA */
    const char *constraints;            /* basicConstraints otherwise than `authority` says */
    const char *alternatives, *usage, *key_usage, *name_constraints,
        *distribution;    /* in OpenSSL's configuration's words */
    const char *critical; /* an extension nobody knows, critical */
    const EVP_MD *digest;
    int rsa_bits;
    long from_days, to_days;
    long serial;
};

struct identity_pair make_identity(const struct order *order);
void identity_free(struct identity_pair *pair);
/* A list of the issuer with this serial number revoked (0: none), valid for so many days from now (negative: over). */
X509_CRL *make_crl(const struct identity_pair *issuer, long revoked, long days);

/* The three levels that most tests use, made once: root, middle, leaf "server.example". */
const struct identity_pair *the_root(void);
const struct identity_pair *the_middle(void);
const struct identity_pair *the_leaf(void);

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
