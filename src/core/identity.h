/*
 * An identity that a caller gave: who, where, and the password or its hash.
 */
#ifndef OPENSSPI_CORE_IDENTITY_H
#define OPENSSPI_CORE_IDENTITY_H

#include "base/secret.h"
#include <stdbool.h>

/* Text is UTF-8, NULL where the caller gave none. The password is UTF-16LE bytes, not text: machine passwords are random units
 * that need not be valid UTF-16. */
struct identity {
    char *user, *domain, *packages;
    struct secret password;
    bool has_password;     /* an empty password is one */
    bool password_is_hash; /* `password` holds the 16 bytes of the NT hash */
};

void identity_release(struct identity *identity); /* wipes; NULL is fine */
#define AUTO_IDENTITY __attribute__((cleanup(identity_release)))
/* Does the package list forbid this package ("!ntlm"), or name others without naming it? NULL forbids nothing. */
bool identity_forbids(const struct identity *identity, const char *package);

#endif
