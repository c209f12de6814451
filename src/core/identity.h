/*
 * An identity that a caller gave: who, where, and the password or its hash.
 */
#ifndef OPENSSPI_CORE_IDENTITY_H
#define OPENSSPI_CORE_IDENTITY_H

#include "base/secret.h"
#include <stdbool.h>

/* What an identity proves itself with, if not with a password. */
enum identity_proof {
    IDENTITY_PASSWORD,    /* or with nothing */
    IDENTITY_KEYTAB,      /* `proof` is a keytab's name, UTF-8 */
    IDENTITY_KEYTAB_FILE, /* `proof` is what a keytab file holds */
    IDENTITY_CERTIFICATE, /* `proof` names a certificate and its private key, UTF-8 */
};

/* Text is UTF-8, NULL where the caller gave none. The password is UTF-16LE bytes, not text: machine passwords are random units
 * that need not be valid UTF-16. */
struct identity {
    char *user, *domain, *packages;
    struct secret password;
    bool has_password;     /* an empty password is one */
    bool password_is_hash; /* `password` holds the 16 bytes of the NT hash */
    enum identity_proof proof_kind;
    struct secret proof;
};

void identity_release(struct identity *identity); /* wipes; NULL is fine */
#define AUTO_IDENTITY __attribute__((cleanup(identity_release)))
/* Does the package list forbid this package ("!ntlm"), or name others without naming it? NULL forbids nothing. */
bool identity_forbids(const struct identity *identity, const char *package);

#endif
