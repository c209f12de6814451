/*
 * Digest hashes of an account: H(user:realm:password) for each realm that the configuration names, made when a password is set. Whoever has one
 * is that user in its realm, so none are made unless the configuration asks for them (docs/digest.md).
 */
#ifndef OPENSSPI_ACCOUNTS_DIGEST_HASHES_H
#define OPENSSPI_ACCOUNTS_DIGEST_HASHES_H

#include "core/config.h"
#include "crypto/http_digest.h"
#include <sspi.h>

/* What is hashed with what. The numbers stand in databases. */
enum digest_form {
    DIGEST_FORM_MD5 = 1,
    DIGEST_FORM_SHA256 = 2,
    DIGEST_FORM_SHA512_256 = 3,
    DIGEST_FORM_MD5_LATIN1 = 4, /* each text that ISO 8859-1 can write written in it (RFC 2831 2.1.2.1) */
};
#define DIGEST_FORMS 4

enum digest_algorithm digest_form_algorithm(enum digest_form form);
/* The form of SHA algorithms, and of MD5 over UTF-8. */
enum digest_form digest_form_of(enum digest_algorithm algorithm);

struct digest_realms {
    const char *const *realm;
    size_t n_realms;
    const char *default_domain; /* of accounts that name none; may be NULL */
};

/* Those of the configuration, borrowed from it. */
struct digest_realms digest_realms_configured(const struct config *config);

struct digest_entry {
    const char *realm, *username; /* the name as clients write it: "name" or "domain\name" */
    enum digest_form form;
    struct slice hash, user_hash; /* the latter is H(username:realm) (RFC 7616 3.4.4) */
};

/* Calls `each` for every hash of the account under the password (UTF-16LE bytes): in each realm, once though it may be named twice, of the name alone
 * and behind its domain, in each form. A password that is no text has no hashes. SEC_E_OK, SEC_E_INSUFFICIENT_MEMORY, or what `each` answers. */
SECURITY_STATUS digest_hashes_make(const struct digest_realms *realms, const char *name, const char *domain,
                                   struct slice password,
                                   SECURITY_STATUS (*each)(void *context, const struct digest_entry *entry),
                                   void *context);

/* H(user:realm:password) in one form, from texts in UTF-8. False: no memory. */
MUST_USE bool digest_form_secret(enum digest_form form, struct slice user, struct slice realm, struct slice password,
                                 uint8_t secret[DIGEST_LEN_MAX]);

#endif
