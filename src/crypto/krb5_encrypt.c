#include "crypto/krb5_encrypt.h"

#include "crypto/random.h"
#include "crypto/rc4.h"
#include <string.h>

#define RC4_KEY_LEN 16
#define RC4_CONFOUNDER_LEN 8

void krb_key_wipe(struct krb_key *key)
{
    secret_wipe(key, sizeof *key);
}

size_t krb_enctype_key_len(int32_t enctype)
{
    const struct krb_profile *profile = krb_profile_find(enctype);
    return profile != NULL ? profile->key_len : enctype == KRB_RC4_HMAC ? RC4_KEY_LEN : 0;
}

bool krb_key_set(struct krb_key *key, int32_t enctype, struct slice bytes)
{
    size_t len = krb_enctype_key_len(enctype);
    require(len != 0 && bytes.len == len, false);
    key->enctype = enctype;
    key->len = (uint8_t)len;
    memcpy(key->bytes, bytes.data, len);
    return true;
}

bool krb_key_generate(struct krb_key *key, int32_t enctype)
{
    size_t len = krb_enctype_key_len(enctype);
    require(len != 0 && random_bytes(key->bytes, len), false);
    key->enctype = enctype;
    key->len = (uint8_t)len;
    return true;
}

/* The cipher for one text: the prepared one, which by the processor's instructions is only read; else `own`, with a context of OpenSSL's. */
static struct krb_cipher *cipher_begin(const struct krb_prepared *prepared, struct krb_cipher *own)
{
    const struct krb_cipher *cipher = &prepared->cipher;
    if (cipher->cbc.aes.rounds > 0)
        return (struct krb_cipher *)(uintptr_t)cipher;
    *own = *cipher;
    if (krb_cbc_init(&own->cbc, own->key, own->profile->key_len, cipher->cbc.encrypting))
        return own;
    krb_cipher_release(own);
    return NULL;
}

static void cipher_end(struct krb_cipher *cipher, struct krb_cipher *own)
{
    if (cipher == own)
        krb_cipher_release(own);
}

static bool aes_encrypt(const struct krb_prepared *prepared, struct slice plain, struct writer *cipher_text)
{
    struct krb_cipher own, *cipher = NULL;
    size_t body_len = KRB_CONFOUNDER_LEN + plain.len;
    uint8_t *room = writer_room(cipher_text, body_len + prepared->cipher.profile->mac_len);
    require(room != NULL, false);
    bool done = random_bytes(room, KRB_CONFOUNDER_LEN) && (cipher = cipher_begin(prepared, &own)) != NULL;
    if (done) {
        if (plain.len > 0)
            memcpy(room + KRB_CONFOUNDER_LEN, plain.data, plain.len);
        const struct krb_piece piece = {.data = room, .len = body_len};
        done = krb_seal(cipher, &piece, 1, room + body_len);
        cipher_end(cipher, &own);
    }
    cipher_text->failed = cipher_text->failed || !done;
    return done;
}

static bool aes_decrypt(const struct krb_prepared *prepared, struct slice cipher_text, struct secret *buffer,
                        struct slice *plain)
{
    struct krb_cipher own, *cipher = NULL;
    AUTO_SECRET struct secret work = {0};
    size_t mac_len = prepared->cipher.profile->mac_len;
    require(cipher_text.len >= KRB_CONFOUNDER_LEN + mac_len, false);
    size_t body_len = cipher_text.len - mac_len;
    require(secret_set(&work, cipher_text.data, body_len), false);
    const struct krb_piece piece = {.data = work.data, .len = body_len};
    require((cipher = cipher_begin(prepared, &own)) != NULL, false);
    bool done = krb_unseal(cipher, &piece, 1, cipher_text.data + body_len);
    cipher_end(cipher, &own);
    require(done, false);
    secret_release(buffer);
    *buffer = work;
    work = (struct secret){0};
    *plain = slice_of(buffer->data + KRB_CONFOUNDER_LEN, body_len - KRB_CONFOUNDER_LEN);
    return true;
}

/* RFC 4757, section 5: K1 of the usage serves as K2, too; K3 comes of the checksum. Usages that RFC 4757 maps otherwise are not among ours. */
static void rc4_usage_key(const struct krb_key *key, enum krb_usage usage, uint8_t k1[RC4_KEY_LEN])
{
    const uint8_t number[4] = {(uint8_t)usage};
    const struct slice piece = slice_of(number, sizeof number);
    hmac_md5_once(key->bytes, RC4_KEY_LEN, &piece, 1, k1);
}

static void rc4_run(const uint8_t k1[RC4_KEY_LEN], struct slice checksum, struct slice in, uint8_t *out)
{
    AUTO_KEY16 struct key16 k3;
    struct rc4 rc4;
    hmac_md5_once(k1, RC4_KEY_LEN, &checksum, 1, k3.bytes);
    rc4_init(&rc4, k3.bytes, sizeof k3.bytes);
    rc4_crypt(&rc4, in.data, out, in.len);
    secret_wipe(&rc4, sizeof rc4);
}

static bool rc4_encrypt(const uint8_t k1[RC4_KEY_LEN], struct slice plain, struct writer *cipher_text)
{
    size_t body_len = RC4_CONFOUNDER_LEN + plain.len;
    uint8_t *room = writer_room(cipher_text, MD5_LEN + body_len);
    require(room != NULL, false);
    uint8_t *body = room + MD5_LEN;
    if (!random_bytes(body, RC4_CONFOUNDER_LEN)) {
        cipher_text->failed = true;
        return false;
    }
    if (plain.len > 0)
        memcpy(body + RC4_CONFOUNDER_LEN, plain.data, plain.len);
    const struct slice whole = slice_of(body, body_len);
    hmac_md5_once(k1, RC4_KEY_LEN, &whole, 1, room);
    rc4_run(k1, slice_of(room, MD5_LEN), whole, body);
    return true;
}

static bool rc4_decrypt(const uint8_t k1[RC4_KEY_LEN], struct slice cipher_text, struct secret *buffer,
                        struct slice *plain)
{
    AUTO_SECRET struct secret work = {0};
    uint8_t expected[MD5_LEN];
    require(cipher_text.len >= MD5_LEN + RC4_CONFOUNDER_LEN, false);
    const struct slice body = slice_of(cipher_text.data + MD5_LEN, cipher_text.len - MD5_LEN);
    require(secret_alloc(&work, body.len), false);
    rc4_run(k1, slice_of(cipher_text.data, MD5_LEN), body, work.data);
    const struct slice opened = secret_slice(&work);
    hmac_md5_once(k1, RC4_KEY_LEN, &opened, 1, expected);
    require(secret_equal(expected, cipher_text.data, MD5_LEN), false);
    secret_release(buffer);
    *buffer = work;
    work = (struct secret){0};
    *plain = slice_of(buffer->data + RC4_CONFOUNDER_LEN, body.len - RC4_CONFOUNDER_LEN);
    return true;
}

int32_t krb_checksum_type(int32_t enctype)
{
    switch (enctype) {
    case KRB_AES128_SHA1:
        return 15;
    case KRB_AES256_SHA1:
        return 16;
    case KRB_AES128_SHA256:
        return 19;
    case KRB_AES256_SHA384:
        return 20;
    case KRB_RC4_HMAC:
        return -138;
    default:
        return 0;
    }
}

static void aes_checksum(const struct krb_mac *key, const struct slice *pieces, size_t n_pieces, uint8_t *mac)
{
    struct krb_piece parts[KRB_CHECKSUM_PIECES];
    for (size_t i = 0; i < n_pieces; i++) /* read only: the type serves sealing, too */
        parts[i] =
            (struct krb_piece){.data = (uint8_t *)(uintptr_t)pieces[i].data, .len = pieces[i].len, .fixed = true};
    krb_mac_compute(key, parts, (unsigned)n_pieces, mac);
}

/* RFC 4757, section 4: HMAC(Ksign, MD5(usage | data)). */
static void rc4_sign_key(const struct krb_key *key, uint8_t sign[RC4_KEY_LEN])
{
    static const char sign_constant[] = "signaturekey"; /* its NUL counts */
    const struct slice constant = slice_of(sign_constant, sizeof sign_constant);
    hmac_md5_once(key->bytes, RC4_KEY_LEN, &constant, 1, sign);
}

static void rc4_checksum(const struct krb_prepared *prepared, const struct slice *pieces, size_t n_pieces,
                         uint8_t mac[MD5_LEN])
{
    const uint8_t number[4] = {(uint8_t)prepared->usage};
    uint8_t digest[MD5_LEN];
    struct md5 md5;
    md5_init(&md5);
    md5_update(&md5, number, sizeof number);
    for (size_t i = 0; i < n_pieces; i++)
        md5_update(&md5, pieces[i].data, pieces[i].len);
    md5_final(&md5, digest);
    const struct slice piece = slice_of(digest, sizeof digest);
    hmac_md5_once(prepared->rc4, RC4_KEY_LEN, &piece, 1, mac);
}

static bool aes_prepare(const struct krb_profile *profile, const struct krb_key *key,
                        const struct krb_purpose *purposes, size_t n_purposes, struct krb_prepared *prepared)
{
    struct krb_base base;
    bool done = krb_base_init(&base, profile, key->bytes);
    for (size_t i = 0; i < n_purposes && done; i++) {
        uint32_t usage = (uint32_t)purposes[i].usage;
        done = purposes[i].work == KRB_SIGNING
                   ? krb_mac_init(&prepared[i].mac, &base, usage)
                   : krb_cipher_derive(&prepared[i].cipher, &base, usage, purposes[i].work == KRB_ENCRYPTING);
    }
    krb_base_release(&base);
    return done;
}

static bool rc4_prepare(const struct krb_key *key, const struct krb_purpose *purposes, size_t n_purposes,
                        struct krb_prepared *prepared)
{
    require(key->enctype == KRB_RC4_HMAC, false);
    for (size_t i = 0; i < n_purposes; i++)
        if (purposes[i].work == KRB_SIGNING)
            rc4_sign_key(key, prepared[i].rc4);
        else
            rc4_usage_key(key, purposes[i].usage, prepared[i].rc4);
    return true;
}

void krb_prepared_wipe(struct krb_prepared *prepared)
{
    secret_wipe(prepared, sizeof *prepared);
}

bool krb_prepare(const struct krb_key *key, const struct krb_purpose *purposes, size_t n_purposes,
                 struct krb_prepared *prepared)
{
    const struct krb_profile *profile = krb_profile_find(key->enctype);
    bool done = profile != NULL ? aes_prepare(profile, key, purposes, n_purposes, prepared)
                                : rc4_prepare(key, purposes, n_purposes, prepared);
    for (size_t i = 0; i < n_purposes; i++)
        if (done) {
            prepared[i].enctype = key->enctype;
            prepared[i].usage = purposes[i].usage;
        } else
            krb_prepared_wipe(&prepared[i]);
    return done;
}

bool krb_prepared_encrypt(const struct krb_prepared *prepared, struct slice plain, struct writer *cipher)
{
    require(prepared->enctype != 0, false);
    return prepared->enctype == KRB_RC4_HMAC ? rc4_encrypt(prepared->rc4, plain, cipher)
                                             : aes_encrypt(prepared, plain, cipher);
}

bool krb_prepared_decrypt(const struct krb_prepared *prepared, struct slice cipher, struct secret *buffer,
                          struct slice *plain)
{
    require(prepared->enctype != 0, false);
    return prepared->enctype == KRB_RC4_HMAC ? rc4_decrypt(prepared->rc4, cipher, buffer, plain)
                                             : aes_decrypt(prepared, cipher, buffer, plain);
}

bool krb_prepared_verify(const struct krb_prepared *prepared, const struct slice *pieces, size_t n_pieces,
                         struct slice mac)
{
    uint8_t expected[KRB_MAC_MAX];
    bool rc4 = prepared->enctype == KRB_RC4_HMAC;
    require(prepared->enctype != 0 && n_pieces <= KRB_CHECKSUM_PIECES && mac.len == (rc4 ? MD5_LEN : prepared->mac.len),
            false);
    if (rc4)
        rc4_checksum(prepared, pieces, n_pieces, expected);
    else
        aes_checksum(&prepared->mac, pieces, n_pieces, expected);
    return secret_equal(expected, mac.data, mac.len);
}

bool krb_encrypt(const struct krb_key *key, enum krb_usage usage, struct slice plain, struct writer *cipher)
{
    AUTO_KRB_PREPARED struct krb_prepared prepared;
    const struct krb_purpose purpose = {KRB_ENCRYPTING, usage};
    if (krb_prepare(key, &purpose, 1, &prepared))
        return krb_prepared_encrypt(&prepared, plain, cipher);
    cipher->failed = true; /* nothing without its cipher text is sent */
    return false;
}

bool krb_decrypt(const struct krb_key *key, enum krb_usage usage, struct slice cipher, struct secret *buffer,
                 struct slice *plain)
{
    AUTO_KRB_PREPARED struct krb_prepared prepared;
    const struct krb_purpose purpose = {KRB_DECRYPTING, usage};
    return krb_prepare(key, &purpose, 1, &prepared) && krb_prepared_decrypt(&prepared, cipher, buffer, plain);
}

bool krb_checksum_verify(const struct krb_key *key, enum krb_usage usage, const struct slice *pieces, size_t n_pieces,
                         struct slice mac)
{
    AUTO_KRB_PREPARED struct krb_prepared prepared;
    const struct krb_purpose purpose = {KRB_SIGNING, usage};
    return krb_prepare(key, &purpose, 1, &prepared) && krb_prepared_verify(&prepared, pieces, n_pieces, mac);
}
