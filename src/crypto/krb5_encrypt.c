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

/* Ke and Ki of one usage. */
static bool cipher_init(struct krb_cipher *cipher, const struct krb_profile *profile, const struct krb_key *key,
                        enum krb_usage usage, bool encrypting)
{
    struct krb_base base;
    bool done =
        krb_base_init(&base, profile, key->bytes) && krb_cipher_init(cipher, &base, (uint32_t)usage, encrypting);
    krb_base_release(&base);
    return done;
}

static bool aes_encrypt(const struct krb_profile *profile, const struct krb_key *key, enum krb_usage usage,
                        struct slice plain, struct writer *cipher_text)
{
    struct krb_cipher cipher = {0};
    size_t body_len = KRB_CONFOUNDER_LEN + plain.len;
    uint8_t *room = writer_room(cipher_text, body_len + profile->mac_len);
    require(room != NULL, false);
    if (!random_bytes(room, KRB_CONFOUNDER_LEN)) {
        cipher_text->failed = true;
        return false;
    }
    if (plain.len > 0)
        memcpy(room + KRB_CONFOUNDER_LEN, plain.data, plain.len);
    const struct krb_piece piece = {.data = room, .len = body_len};
    bool done = cipher_init(&cipher, profile, key, usage, true) && krb_seal(&cipher, &piece, 1, room + body_len);
    krb_cipher_release(&cipher);
    if (!done) {
        secret_wipe(room, body_len);
        cipher_text->failed = true;
    }
    return done;
}

static bool aes_decrypt(const struct krb_profile *profile, const struct krb_key *key, enum krb_usage usage,
                        struct slice cipher_text, struct secret *buffer, struct slice *plain)
{
    struct krb_cipher cipher = {0};
    AUTO_SECRET struct secret work = {0};
    require(cipher_text.len >= (size_t)KRB_CONFOUNDER_LEN + profile->mac_len, false);
    size_t body_len = cipher_text.len - profile->mac_len;
    require(secret_set(&work, cipher_text.data, body_len), false);
    const struct krb_piece piece = {.data = work.data, .len = body_len};
    bool done =
        cipher_init(&cipher, profile, key, usage, false) && krb_unseal(&cipher, &piece, 1, cipher_text.data + body_len);
    krb_cipher_release(&cipher);
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

static bool rc4_encrypt(const struct krb_key *key, enum krb_usage usage, struct slice plain, struct writer *cipher_text)
{
    AUTO_KEY16 struct key16 k1;
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
    rc4_usage_key(key, usage, k1.bytes);
    hmac_md5_once(k1.bytes, sizeof k1.bytes, &whole, 1, room);
    rc4_run(k1.bytes, slice_of(room, MD5_LEN), whole, body);
    return true;
}

static bool rc4_decrypt(const struct krb_key *key, enum krb_usage usage, struct slice cipher_text,
                        struct secret *buffer, struct slice *plain)
{
    AUTO_KEY16 struct key16 k1;
    AUTO_SECRET struct secret work = {0};
    uint8_t expected[MD5_LEN];
    require(cipher_text.len >= MD5_LEN + RC4_CONFOUNDER_LEN, false);
    const struct slice body = slice_of(cipher_text.data + MD5_LEN, cipher_text.len - MD5_LEN);
    require(secret_alloc(&work, body.len), false);
    rc4_usage_key(key, usage, k1.bytes);
    rc4_run(k1.bytes, slice_of(cipher_text.data, MD5_LEN), body, work.data);
    const struct slice opened = secret_slice(&work);
    hmac_md5_once(k1.bytes, sizeof k1.bytes, &opened, 1, expected);
    require(secret_equal(expected, cipher_text.data, MD5_LEN), false);
    secret_release(buffer);
    *buffer = work;
    work = (struct secret){0};
    *plain = slice_of(buffer->data + RC4_CONFOUNDER_LEN, body.len - RC4_CONFOUNDER_LEN);
    return true;
}

bool krb_encrypt(const struct krb_key *key, enum krb_usage usage, struct slice plain, struct writer *cipher)
{
    const struct krb_profile *profile = krb_profile_find(key->enctype);
    if (profile != NULL)
        return aes_encrypt(profile, key, usage, plain, cipher);
    return key->enctype == KRB_RC4_HMAC && rc4_encrypt(key, usage, plain, cipher);
}

bool krb_decrypt(const struct krb_key *key, enum krb_usage usage, struct slice cipher, struct secret *buffer,
                 struct slice *plain)
{
    const struct krb_profile *profile = krb_profile_find(key->enctype);
    if (profile != NULL)
        return aes_decrypt(profile, key, usage, cipher, buffer, plain);
    return key->enctype == KRB_RC4_HMAC && rc4_decrypt(key, usage, cipher, buffer, plain);
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

static bool aes_checksum(const struct krb_profile *profile, const struct krb_key *key, enum krb_usage usage,
                         const struct slice *pieces, size_t n_pieces, uint8_t *mac)
{
    struct krb_base base;
    struct krb_mac state;
    struct krb_piece parts[KRB_CHECKSUM_PIECES];
    for (size_t i = 0; i < n_pieces; i++) /* read only: the type serves sealing, too */
        parts[i] =
            (struct krb_piece){.data = (uint8_t *)(uintptr_t)pieces[i].data, .len = pieces[i].len, .fixed = true};
    bool done = krb_base_init(&base, profile, key->bytes) && krb_mac_init(&state, &base, (uint32_t)usage);
    krb_base_release(&base);
    if (done)
        krb_mac_compute(&state, parts, (unsigned)n_pieces, mac);
    secret_wipe(&state, sizeof state);
    return done;
}

/* RFC 4757, section 4: HMAC(Ksign, MD5(usage | data)). */
static void rc4_checksum(const struct krb_key *key, enum krb_usage usage, const struct slice *pieces, size_t n_pieces,
                         uint8_t mac[MD5_LEN])
{
    static const char sign_constant[] = "signaturekey"; /* its NUL counts */
    const struct slice constant = slice_of(sign_constant, sizeof sign_constant);
    const uint8_t number[4] = {(uint8_t)usage};
    AUTO_KEY16 struct key16 sign;
    uint8_t digest[MD5_LEN];
    struct md5 md5;
    hmac_md5_once(key->bytes, RC4_KEY_LEN, &constant, 1, sign.bytes);
    md5_init(&md5);
    md5_update(&md5, number, sizeof number);
    for (size_t i = 0; i < n_pieces; i++)
        md5_update(&md5, pieces[i].data, pieces[i].len);
    md5_final(&md5, digest);
    const struct slice piece = slice_of(digest, sizeof digest);
    hmac_md5_once(sign.bytes, sizeof sign.bytes, &piece, 1, mac);
}

bool krb_checksum_verify(const struct krb_key *key, enum krb_usage usage, const struct slice *pieces, size_t n_pieces,
                         struct slice mac)
{
    const struct krb_profile *profile = krb_profile_find(key->enctype);
    uint8_t expected[KRB_MAC_MAX];
    size_t len = profile != NULL ? profile->mac_len : MD5_LEN;
    require(n_pieces <= KRB_CHECKSUM_PIECES && mac.len == len, false);
    if (profile != NULL)
        require(aes_checksum(profile, key, usage, pieces, n_pieces, expected), false);
    else {
        require(key->enctype == KRB_RC4_HMAC, false);
        rc4_checksum(key, usage, pieces, n_pieces, expected);
    }
    return secret_equal(expected, mac.data, len);
}
