/*
 * Certificates and revocation lists out of files and bytes: PEM, DER, PKCS #7.
 */
#ifndef OPENSSPI_CERTIFICATES_FILES_H
#define OPENSSPI_CERTIFICATES_FILES_H

#include "certificates/internal.h"

#define CERTIFICATE_FILE_MAX ((size_t)64 << 20) /* a large revocation list; a bundle of roots has a quarter MiB */

/* A regular file's bytes (mem_free, or file_wipe for keys). ERROR_FILE_NOT_FOUND; CRYPT_E_FILE_ERROR with the cause. `secret`: others than owner and
 * group must not be able to read it. */
SECURITY_STATUS file_read(const char *path, bool secret, uint8_t **data, size_t *len);
/* The same of a file of a directory, which may hold others': `failed` tells that it would have been read if the system had not failed, so that nobody
 * knows what is in it. */
SECURITY_STATUS file_read_one(const char *path, uint8_t **data, size_t *len, bool *failed);
/* Is this error of open or stat an answer (there is none, it is not for us), and not a failure of the system? */
bool file_error_answers(int error);
void file_wipe(uint8_t *data, size_t len);

/* What was found, counted. */
struct contents {
    unsigned n_certificates, n_crls, n_keys;
    bool pem, pkcs7;
    /* The first of the certificates as the store has it; NULL: the store has another of this issuer and number, or there is no store. */
    struct certificate *first;
    /* Receive references to everything; NULL: see contents_read. */
    STACK_OF(X509) * certificates;
    STACK_OF(X509_CRL) * lists;
};
/* Puts everything in the bytes into a store (NULL: only counts). CRYPT_E_BAD_ENCODE when a block is damaged or there is nothing at all; `name` stands
 * for the bytes in causes. */
SECURITY_STATUS contents_read(const char *name, struct slice bytes, struct store *store, struct contents *contents);
/* The same onto stacks, as OpenSSL's objects without what callers see of them (CERT_INFO, CRL_INFO). What came before the damage is there then, too.
 * */
SECURITY_STATUS contents_collect(const char *name, struct slice bytes, STACK_OF(X509) * certificates,
                                 STACK_OF(X509_CRL) * lists);

#endif
