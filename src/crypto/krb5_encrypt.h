/*
 * Encryption and checksums of RFC 3961 for one text at a time, as tickets, authenticators and PACs have them; messages of a session go through
 * krb5_crypto.h, whose keys are prepared. Types: AES with SHA-1 (RFC 3962), AES with SHA-2 (RFC 8009), RC4 (RFC 4757).
 */
#ifndef OPENSSPI_CRYPTO_KRB5_ENCRYPT_H
#define OPENSSPI_CRYPTO_KRB5_ENCRYPT_H

#include "base/secret.h"
#include "base/writer.h"
#include "crypto/krb5_crypto.h"

/* A protocol key (RFC 3961, section 3). */
struct krb_key {
    int32_t enctype; /* 0: none */
    uint8_t len;
    uint8_t bytes[KRB_KEY_MAX];
};
void krb_key_wipe(struct krb_key *key);
#define AUTO_KRB_KEY __attribute__((cleanup(krb_key_wipe)))
/* 0 for a type that is not one of ours. */
size_t krb_enctype_key_len(int32_t enctype);
/* False when the type is not ours or the length is not its own; `key` is then untouched. */
MUST_USE bool krb_key_set(struct krb_key *key, int32_t enctype, struct slice bytes);
/* A random key (RFC 3961: random-to-key is the identity for our types). False without randomness. */
MUST_USE bool krb_key_generate(struct krb_key *key, int32_t enctype);

/* Key usages of RFC 4120, section 7.5.1. */
enum krb_usage {
    KRB_USAGE_TICKET = 2,
    KRB_USAGE_AP_REQ = 11, /* the authenticator */
    KRB_USAGE_AP_REP = 12,
    KRB_USAGE_CRED = 14,
    KRB_USAGE_PAC = 17,
};

/* Appends the cipher text of `plain`: with confounder and checksum. False without memory, without randomness, or for a type that is not ours. */
MUST_USE bool krb_encrypt(const struct krb_key *key, enum krb_usage usage, struct slice plain, struct writer *cipher);
/* `plain` lies in `buffer`, which becomes the text's owner. False when the checksum does not fit, the cipher text is too short, or without memory: both are
 * then untouched. */
MUST_USE bool krb_decrypt(const struct krb_key *key, enum krb_usage usage, struct slice cipher, struct secret *buffer,
                          struct slice *plain);

#define KRB_CHECKSUM_PIECES 8
/* The number of the keyed checksum that belongs to an encryption type (RFC 3962 section 7, RFC 8009 section 6, RFC 4757 section 4); 0 for one not ours. */
int32_t krb_checksum_type(int32_t enctype);
/* Is `mac` the keyed checksum of the pieces (at most KRB_CHECKSUM_PIECES of them)? Compares in constant time. */
MUST_USE bool krb_checksum_verify(const struct krb_key *key, enum krb_usage usage, const struct slice *pieces,
                                  size_t n_pieces, struct slice mac);

#endif
