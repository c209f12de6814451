/*
 * Encryption and checksums of RFC 3961 for one text at a time, as tickets, authenticators and PACs have them, by keys as they are or prepared;
 * messages of a session go through krb5_crypto.h. Types: AES with SHA-1 (RFC 3962), AES with SHA-2 (RFC 8009), RC4 (RFC 4757).
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

/* One use of a key, prepared once: deriving takes as long as the cipher and the checksum of a short text. Holds keys: wipe it. Nothing that uses it
 * writes to it: threads may share one. */
enum krb_work { KRB_ENCRYPTING, KRB_DECRYPTING, KRB_SIGNING };
struct krb_prepared {
    int32_t enctype; /* 0: not prepared */
    enum krb_usage usage;
    union {
        struct krb_cipher cipher; /* never with a context of OpenSSL's, which threads could not share */
        struct krb_mac mac;
        uint8_t rc4[16]; /* K1, or Ksign */
    };
};
struct krb_purpose {
    enum krb_work work;
    enum krb_usage usage;
};
/* Prepares a key for `n_purposes` uses, one behind the other in `prepared`, whose former values are not looked at. False for a type that is not ours,
 * or without memory: all of them are then wiped. */
MUST_USE bool krb_prepare(const struct krb_key *key, const struct krb_purpose *purposes, size_t n_purposes,
                          struct krb_prepared *prepared);
void krb_prepared_wipe(struct krb_prepared *prepared);
#define AUTO_KRB_PREPARED __attribute__((cleanup(krb_prepared_wipe)))
/* As krb_encrypt, krb_decrypt and krb_checksum_verify. The use must be of that kind; one that is not prepared does nothing but fail. */
MUST_USE bool krb_prepared_encrypt(const struct krb_prepared *prepared, struct slice plain, struct writer *cipher);
MUST_USE bool krb_prepared_decrypt(const struct krb_prepared *prepared, struct slice cipher, struct secret *buffer,
                                   struct slice *plain);
MUST_USE bool krb_prepared_verify(const struct krb_prepared *prepared, const struct slice *pieces, size_t n_pieces,
                                  struct slice mac);

/* Appends the cipher text of `plain`: with confounder and checksum. False without memory, without randomness, or for a type that is not ours. */
MUST_USE bool krb_encrypt(const struct krb_key *key, enum krb_usage usage, struct slice plain, struct writer *cipher);
/* `plain` lies in `buffer`, which becomes the text's owner. False when the checksum does not fit, the cipher text is too short, or without memory:
 * both are then untouched. */
MUST_USE bool krb_decrypt(const struct krb_key *key, enum krb_usage usage, struct slice cipher, struct secret *buffer,
                          struct slice *plain);

#define KRB_CHECKSUM_PIECES 8
/* The number of the keyed checksum that belongs to an encryption type (RFC 3962 section 7, RFC 8009 section 6, RFC 4757 section 4); 0 for one not
 * ours. */
int32_t krb_checksum_type(int32_t enctype);
/* Is `mac` the keyed checksum of the pieces (at most KRB_CHECKSUM_PIECES of them)? Compares in constant time. */
MUST_USE bool krb_checksum_verify(const struct krb_key *key, enum krb_usage usage, const struct slice *pieces,
                                  size_t n_pieces, struct slice mac);

#endif
