/*
 * An identity that a caller gave: who, where, and the password or its hash.
 */
#ifndef OPENSSPI_CORE_IDENTITY_H
#define OPENSSPI_CORE_IDENTITY_H

#include "base/reader.h"
#include "base/secret.h"
#include "base/writer.h"
#include <stdbool.h>

/* What an identity proves itself with, if not with a password. */
enum identity_proof {
    IDENTITY_PASSWORD,    /* or with nothing */
    IDENTITY_KEYTAB,      /* `proof` is a keytab's name, UTF-8 */
    IDENTITY_KEYTAB_FILE, /* `proof` is what a keytab file holds */
    IDENTITY_CERTIFICATE, /* `proof` names a certificate and its private key, UTF-8 */
    IDENTITY_RESPONSE,    /* `proof` is an identity_response; for logons alone */
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

/* What an identity means, for every package. An empty name is none; it alone, with neither a password nor a list, says that nobody is meant. */
enum identity_kind {
    IDENTITY_DEFAULT, /* none, or one with a domain or a list of packages alone: whoever the caller is without it */
    IDENTITY_NAME,    /* a name alone: what is kept of that user */
    IDENTITY_LOGIN,   /* a name and its password, which may be empty, or its NT hash */
    IDENTITY_NOBODY,  /* a password, and nobody named whose it is; or "" for a name: never the caller himself */
    IDENTITY_PROVED,  /* something else than a password proves it, whether there is a name or not */
};
enum identity_kind identity_kind(const struct identity *identity);    /* NULL is IDENTITY_DEFAULT */
static inline bool identity_has_name(const struct identity *identity) /* NULL has none */
{
    return identity != NULL && identity->user != NULL && *identity->user != '\0';
}

void identity_release(struct identity *identity); /* wipes; NULL is fine */
/* Copies name, domain and password into an empty identity; proof and list of packages stay behind. False without memory: release what was copied. */
MUST_USE bool identity_copy(struct identity *to, const struct identity *from);
#define AUTO_IDENTITY __attribute__((cleanup(identity_release)))
/* A client's NTLM response to a challenge that it was given elsewhere. Everything points into the proof. */
struct identity_response {
    const uint8_t *challenge; /* 8 bytes */
    bool client_challenge;    /* the LM response begins with one (MSV1_0_USE_CLIENT_CHALLENGE) */
    struct slice lm, nt;
    const char *workstation;
};
void identity_response_write(struct writer *proof, const struct identity_response *response);
MUST_USE enum wire_result identity_response_read(struct slice proof, struct identity_response *response);

/* Does the package list forbid this package ("!ntlm"), or name others without naming it? NULL forbids nothing. */
bool identity_forbids(const struct identity *identity, const char *package);
/* Is the package named in the list, and not merely left standing by it? */
bool identity_names(const struct identity *identity, const char *package);

#endif
