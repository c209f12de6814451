/*
 * Private keys that somebody else keeps (docs/lsa.md): of "lsa:NAME" this process has the public half, and asks the keeper for each signature. To
 * OpenSSL such a key is an EVP_PKEY like others, of a provider of ours in a library context of its own: nothing of it is seen in the program's.
 */
#ifndef OPENSSPI_CERTIFICATES_KEPT_KEY_H
#define OPENSSPI_CERTIFICATES_KEPT_KEY_H

#include "base/slice.h"
#include "base/writer.h"
#include <openssl/evp.h>
#include <sspi.h>

#define KEPT_KEY_PREFIX "lsa:"
#define KEPT_KEY_NAME_MAX 64
#define KEPT_KEY_HASH_LEN \
    32 /* SHA-256 of the SubjectPublicKeyInfo: says which key is meant, whatever its name stands for by then */

/* Whom to ask. Both set a cause with every error. */
struct key_keeper {
    /* The key's SubjectPublicKeyInfo. NTE_BAD_KEYSET: there is none of that name for this caller. */
    SECURITY_STATUS (*find)(const char *name, struct writer *spki);
    /* A signature by scheme (key_scheme.h) of a digest, or of the message where the scheme has no digest of its own. */
    SECURITY_STATUS(*sign)
    (const char *name, const uint8_t *hash, uint16_t scheme, struct slice data, struct writer *signature);
};

/* Before there are threads: who keeps keys; NULL: nobody. */
void key_keeper_set(const struct key_keeper *keeper);

bool kept_key_is_place(const char *place);
/* The key "lsa:NAME"; EVP_PKEY_free. Errors of `find`; NTE_BAD_KEYSET for a name or a key that cannot be one. */
SECURITY_STATUS kept_key_open(const char *place, EVP_PKEY **pkey);
/* Is it one of these? They sign, and decrypt nothing. */
bool key_is_kept(const EVP_PKEY *pkey);

/* Why the last signature of this thread was not made, or SEC_E_OK; its words are the thread's cause. */
SECURITY_STATUS kept_key_failure(void);
void kept_key_failure_forget(void);

#endif
