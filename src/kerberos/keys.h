/*
 * The keys with which a server opens tickets: those of a keytab, kept in memory and read again when its file has changed.
 */
#ifndef OPENSSPI_KERBEROS_KEYS_H
#define OPENSSPI_KERBEROS_KEYS_H

#include "crypto/krb5_encrypt.h"
#include "kerberos/ap.h"
#include "kerberos/credential.h"
#include <stdatomic.h>

/* What a key does with a ticket that it opens. */
enum kerberos_key_use { KERBEROS_OPENS_TICKET, KERBEROS_VERIFIES_PAC, KERBEROS_KEY_USES };

struct kerberos_key {
    char *principal; /* as krb_name_text writes it */
    uint32_t kvno;
    struct krb_key key;
    _Atomic(void *) prepared; /* krb_prepared of its uses, once it has opened a ticket */
};

/* Never changed once it is made, but for `prepared`; counted. A secret block, its keys behind it. */
struct kerberos_keys {
    atomic_uint n_references;
    size_t n_keys, size; /* size of the block */
    unsigned n_foreign;  /* keys that were left out: of other principals, or of types that are not ours */
    bool by_name; /* they are an account's, which has other services, too: tickets must name the keys' principal */
    uint32_t permitted; /* by krb5.conf: KERBEROS_ENCTYPE_BIT of each type */
    struct kerberos_key keys[];
};
#define KERBEROS_ENCTYPE_BIT(enctype) ((enctype) >= 0 && (enctype) < 32 ? UINT32_C(1) << (enctype) : 0)

/* Gives the keys as they are now. *keys is NULL or what was given before, which stays if they are the ones, and is put if they are not; the caller
 * puts what it has in the end. SEC_E_NO_CREDENTIALS when there is no keytab or it cannot be read. */
SECURITY_STATUS kerberos_keys_get(struct kerberos_credential *credential, krb5_context krb,
                                  struct kerberos_keys **keys);
/* After a ticket that none of *keys opens: where they are a password's, its KDC is asked for the salts once more, since what told them was not
 * protected, or no KDC answered. One at a time, and then for a minute nobody: who comes with junk must not have it asked each time; but what was made
 * then is tried by all who come. False where nothing is to be tried anew. *former is NULL, or for kerberos_keys_adopt. */
bool kerberos_keys_renew(struct kerberos_credential *credential, krb5_context krb, struct kerberos_keys **keys,
                         struct kerberos_keys **former);
/* Makes `keys`, which have opened a ticket, the credential's in the place of `former`, unless it has others by now. */
void kerberos_keys_adopt(struct kerberos_credential *credential, struct kerberos_keys *former,
                         struct kerberos_keys *keys);
/* What it takes to try a key on a cipher text, in bytes: whether it fits is known only at the end of the text, and before it keys are derived. */
static inline size_t kerberos_key_cost(size_t cipher_len)
{
    return 512 + cipher_len;
}
/* May opening this part of a ticket take long? For want of keys in memory, which are read, or asked of a KDC, or because it may be asked for them
 * anew; or because there are many to be tried on a long text. */
bool kerberos_keys_take_long(struct kerberos_credential *credential, const struct krb_encrypted *part);
void kerberos_keys_put(struct kerberos_keys *keys); /* NULL is fine */

/* The key prepared, KERBEROS_KEY_USES of them, which go with the keys; NULL while it has opened nothing. */
const struct krb_prepared *kerberos_key_prepared(const struct kerberos_key *key);
/* Prepares one that has opened a ticket: most keys of a long keytab never do, and what is tried in vain costs no memory. Without memory it stays as
 * it is. */
void kerberos_key_prepare(struct kerberos_key *key);

/* The encryption types that krb5.conf permits for sessions, as bits. */
uint32_t kerberos_enctypes_permitted(krb5_context krb);

#endif
