/*
 * Kerberos encryption types as per-message protection uses them: RFC 3961 and 3962 (AES with HMAC-SHA1), RFC 8009 (AES with HMAC-SHA2) and
 * the key derivations of RFC 4757 (RC4). State is prepared once for each key usage; a message then costs no allocation and no look-up.
 */
#ifndef OPENSSPI_CRYPTO_KRB5_CRYPTO_H
#define OPENSSPI_CRYPTO_KRB5_CRYPTO_H

#include "crypto/digest.h"
#include "crypto/krb5_cts.h"
#include "crypto/krb5_stitch.h"

/* Encryption type numbers of RFC 3962, 8009 and 4757. */
#define KRB_AES128_SHA1 17
#define KRB_AES256_SHA1 18
#define KRB_AES128_SHA256 19
#define KRB_AES256_SHA384 20
#define KRB_RC4_HMAC 23

#define KRB_KEY_MAX 32
#define KRB_MAC_MAX 24
#define KRB_CONFOUNDER_LEN AES_BLOCK_LEN

enum krb_digest { KRB_SHA1, KRB_SHA256, KRB_SHA384 };

struct krb_profile {
    int32_t enctype;
    uint8_t key_len, mac_len;
    uint8_t mac_key_len; /* of Ki and Kc */
    enum krb_digest digest;
    bool encrypt_then_mac; /* RFC 8009; else the checksum is over the plain text */
};
/* An AES type by its number, or NULL. */
const struct krb_profile *krb_profile_find(int32_t enctype);

/* RFC 3961, section 5.1: `in` folded or stretched to `out_len` bytes, at most 64. */
void krb_nfold(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_len);

/* A piece of a message. */
struct krb_piece {
    uint8_t *data;
    size_t len;
    bool fixed; /* under the checksum, not encrypted, never written */
};

union krb_digest_state {
    uint32_t w32[8];
    uint64_t w64[8];
};

/* A checksum key with its padded blocks compressed. */
struct krb_mac {
    enum krb_digest digest;
    uint8_t len; /* of the result */
    union krb_digest_state inner, outer;
};

/* A base key, from which those of the usages are derived (RFC 3961 5.1 and 5.3, RFC 8009 section 5). */
struct krb_base {
    const struct krb_profile *profile;
    struct krb_mac kdf; /* RFC 8009 */
    struct krb_cbc cbc; /* RFC 3961 */
};
enum krb_derived { KRB_CHECKSUM_KEY = 0x99, KRB_ENCRYPTION_KEY = 0xaa, KRB_INTEGRITY_KEY = 0x55 };
/* False when there is no memory; release is safe then too. */
MUST_USE bool krb_base_init(struct krb_base *base, const struct krb_profile *profile, const uint8_t *key);
void krb_base_release(struct krb_base *base);
/* DR of RFC 3961 5.1, whose result AES keys take as it is (RFC 3962, section 6): `len` is a multiple of 16. */
MUST_USE bool krb_dr(struct krb_base *base, const uint8_t *constant, size_t constant_len, uint8_t *key, size_t len);
/* `key` has room for KRB_KEY_MAX; its length is the profile's key_len for the encryption key, else mac_key_len. */
MUST_USE bool krb_derive(struct krb_base *base, uint32_t usage, enum krb_derived which, uint8_t *key);

/* Kc of a usage. */
MUST_USE bool krb_mac_init(struct krb_mac *mac, struct krb_base *base, uint32_t usage);
/* Over all pieces in order; `out` takes mac->len bytes. */
void krb_mac_compute(const struct krb_mac *mac, const struct krb_piece *pieces, unsigned n_pieces, uint8_t *out);

/* Ke and Ki of a usage, in one direction. */
struct krb_cipher {
    const struct krb_profile *profile;
    struct krb_mac integrity;
    struct krb_cbc cbc;
    uint8_t key[KRB_KEY_MAX]; /* Ke, to put a forged message back */
    bool
        /* SHA-1, on a processor with instructions for it and AES: both side by side when one message is sealed, and several messages when they are
         * sealed or opened */
        stitched;
};
/* The keys, and the cipher's state as far as the processor's instructions need one: where it has none a copy gets it by krb_cbc_init. */
MUST_USE bool krb_cipher_derive(struct krb_cipher *cipher, struct krb_base *base, uint32_t usage, bool encrypting);
MUST_USE bool krb_cipher_init(struct krb_cipher *cipher, struct krb_base *base, uint32_t usage, bool encrypting);
void krb_cipher_release(struct krb_cipher *cipher);

/* Encrypts the pieces that are not fixed as one text, in place; the first of them starts with the confounder. `mac` takes profile->mac_len bytes.
 * False when the library refuses: the pieces are wiped. */
MUST_USE bool krb_seal(struct krb_cipher *cipher, const struct krb_piece *pieces, unsigned n_pieces, uint8_t *mac);
/* Decrypts in place. False when the checksum does not fit: the pieces are as they were; where the library refuses they are wiped. */
MUST_USE bool krb_unseal(struct krb_cipher *cipher, const struct krb_piece *pieces, unsigned n_pieces,
                         const uint8_t *mac);
/* Puts the cipher text back after krb_unseal; the pieces are wiped when there is no memory for it. */
void krb_unseal_undo(const struct krb_cipher *cipher, const struct krb_piece *pieces, unsigned n_pieces);

/* One of several messages that are taken through their ciphers side by side. */
struct krb_job {
    struct krb_cipher *cipher;
    const struct krb_piece *pieces;
    uint8_t *mac; /* made by krb_seal_several, checked by krb_unseal_several */
    unsigned n_pieces;
    bool done; /* out: what krb_seal and krb_unseal return */
};
#define KRB_JOBS_MAX 8
/* The same as krb_seal or krb_unseal of each job, at most KRB_JOBS_MAX; what they write must not overlap. Those whose cipher is not `stitched` are
 * done one by one. */
void krb_seal_several(struct krb_job *jobs, unsigned n_jobs);
void krb_unseal_several(struct krb_job *jobs, unsigned n_jobs);

/* RFC 4757, sections 7.2 and 7.3: what every message needs of the key. */
struct krb_rc4_keys {
    struct hmac_md5_key sign;     /* Ksign */
    struct hmac_md5_key sequence; /* HMAC(K, 0), from which Kseq comes */
    struct hmac_md5_key crypt;    /* HMAC(Klocal, 0), from which Kcrypt comes */
};
void krb_rc4_keys_init(struct krb_rc4_keys *keys, const uint8_t key[16]);

#endif
