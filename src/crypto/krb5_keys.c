/* Key derivation of the Kerberos encryption types. */
#include "base/secret.h"
#include "crypto/hmac_sha.h"

#include <pthread.h>
#include <string.h>

static const struct krb_profile profiles[] = {
    {KRB_AES128_SHA1, 16, 12, 16, KRB_SHA1, false},
    {KRB_AES256_SHA1, 32, 12, 32, KRB_SHA1, false},
    {KRB_AES128_SHA256, 16, 16, 16, KRB_SHA256, true},
    {KRB_AES256_SHA384, 32, 24, 24, KRB_SHA384, true},
};

const struct krb_profile *krb_profile_find(int32_t enctype)
{
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++)
        if (profiles[i].enctype == enctype)
            return &profiles[i];
    return NULL;
}

#define NFOLD_MAX 64

/* RFC 3961 5.1: copies of the input, each rotated right by 13 bits more than the one before, until their length is a multiple of the output's too;
 * cut into numbers of the output's length, these are summed in ones' complement. */
void krb_nfold(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_len)
{
    uint32_t sums[NFOLD_MAX] = {0}, carry = 0;
    size_t at = 0, in_bits = 8 * in_len, start = 0; /* the bit of the input that a copy starts with */
    if (out_len > NFOLD_MAX)
        return;
    do {
        size_t bit = start;
        for (size_t i = 0; i < in_len; i++) {
            unsigned two = (unsigned)in[bit / 8] << 8 | in[bit / 8 + 1 < in_len ? bit / 8 + 1 : 0];
            sums[at] += two >> (8 - bit % 8) & 0xff;
            at = at + 1 < out_len ? at + 1 : 0;
            bit = bit + 8 < in_bits ? bit + 8 : bit + 8 - in_bits;
        }
        start = (start + in_bits - 13 % in_bits) % in_bits;
    } while (at != 0);
    do {
        for (size_t i = out_len; i-- > 0; carry >>= 8) {
            carry += sums[i];
            sums[i] = carry & 0xff;
        }
    } while (carry != 0);
    for (size_t i = 0; i < out_len; i++)
        out[i] = (uint8_t)sums[i];
}

bool krb_base_init(struct krb_base *base, const struct krb_profile *profile, const uint8_t *key)
{
    base->profile = profile;
    if (profile->digest != KRB_SHA1)
        hmac_sha_key_init(&base->kdf, profile->digest, key, profile->key_len);
    return krb_cbc_init(&base->cbc, key, profile->key_len, true);
}

void krb_base_release(struct krb_base *base)
{
    krb_cbc_release(&base->cbc);
    secret_wipe(base, sizeof *base);
}

/* The folded constants of the usages that tickets, authenticators and sessions derive keys for (RFC 4120 7.5.1, RFC 4121 2): always the same,
 * and folding one costs as much as thirty AES blocks. */
#define FOLDED_USAGES 32
static uint8_t folded_blocks[FOLDED_USAGES][3][16];
static pthread_once_t folded_once = PTHREAD_ONCE_INIT;
static const uint8_t folded_kinds[3] = {KRB_CHECKSUM_KEY, KRB_ENCRYPTION_KEY, KRB_INTEGRITY_KEY};

static void folded_fill(void)
{
    for (uint8_t usage = 0; usage < FOLDED_USAGES; usage++)
        for (size_t i = 0; i < sizeof folded_kinds; i++) {
            const uint8_t constant[5] = {0, 0, 0, usage, folded_kinds[i]};
            krb_nfold(constant, sizeof constant, folded_blocks[usage][i], sizeof folded_blocks[usage][i]);
        }
}

static void constant_fold(const uint8_t *constant, size_t len, uint8_t block[16])
{
    static const uint8_t zero[3];
    pthread_once(&folded_once, folded_fill);
    if (len == 5 && memcmp(constant, zero, sizeof zero) == 0 && constant[3] < FOLDED_USAGES)
        for (size_t i = 0; i < sizeof folded_kinds; i++)
            if (constant[4] == folded_kinds[i]) {
                memcpy(block, folded_blocks[constant[3]][i], sizeof folded_blocks[0][0]);
                return;
            }
    krb_nfold(constant, len, block, 16);
}

bool krb_dr(struct krb_base *base, const uint8_t *constant, size_t constant_len, uint8_t *key, size_t len)
{
    uint8_t block[AES_BLOCK_LEN];
    bool done = true;
    constant_fold(constant, constant_len, block);
    for (size_t at = 0; at < len && done; at += sizeof block) {
        done = krb_cbc_block(&base->cbc, block);
        if (done)
            memcpy(key + at, block, sizeof block);
    }
    secret_wipe(block, sizeof block);
    return done;
}

/* KDF-HMAC-SHA2 of RFC 8009, section 3: no derived key is longer than one digest. */
static void derive_sha2(const struct krb_base *base, const uint8_t constant[5], uint8_t *key, size_t len)
{
    static const uint8_t one[4] = {0, 0, 0, 1}, zero[1] = {0};
    const uint8_t bits[4] = {0, 0, (uint8_t)(len * 8 >> 8), (uint8_t)(len * 8)};
    struct hmac_sha hmac;
    hmac_sha_begin(&hmac, &base->kdf);
    hmac_sha_update(&hmac, one, sizeof one);
    hmac_sha_update(&hmac, constant, 5);
    hmac_sha_update(&hmac, zero, sizeof zero);
    hmac_sha_update(&hmac, bits, sizeof bits);
    hmac_sha_end(&hmac, key, len);
    secret_wipe(&hmac, sizeof hmac);
}

bool krb_derive(struct krb_base *base, uint32_t usage, enum krb_derived which, uint8_t *key)
{
    const struct krb_profile *profile = base->profile;
    const uint8_t constant[5] = {(uint8_t)(usage >> 24), (uint8_t)(usage >> 16), (uint8_t)(usage >> 8), (uint8_t)usage,
                                 (uint8_t)which};
    size_t len = which == KRB_ENCRYPTION_KEY ? profile->key_len : profile->mac_key_len;
    if (profile->digest == KRB_SHA1)
        return krb_dr(base, constant, sizeof constant, key, len);
    derive_sha2(base, constant, key, len);
    return true;
}

static bool mac_derive(struct krb_mac *mac, struct krb_base *base, uint32_t usage, enum krb_derived which)
{
    uint8_t key[KRB_KEY_MAX];
    bool done = krb_derive(base, usage, which, key);
    if (done)
        hmac_sha_key_init(mac, base->profile->digest, key, base->profile->mac_key_len);
    mac->len = base->profile->mac_len;
    secret_wipe(key, sizeof key);
    return done;
}

bool krb_mac_init(struct krb_mac *mac, struct krb_base *base, uint32_t usage)
{
    return mac_derive(mac, base, usage, KRB_CHECKSUM_KEY);
}

bool krb_cipher_derive(struct krb_cipher *cipher, struct krb_base *base, uint32_t usage, bool encrypting)
{
    cipher->profile = base->profile;
    cipher->cbc = (struct krb_cbc){.encrypting = encrypting};
    require(mac_derive(&cipher->integrity, base, usage, KRB_INTEGRITY_KEY) &&
                krb_derive(base, usage, KRB_ENCRYPTION_KEY, cipher->key),
            false);
    krb_aes_init(&cipher->cbc.aes, cipher->key, base->profile->key_len, encrypting);
    cipher->stitched = base->profile->digest == KRB_SHA1 && krb_stitch_can(&cipher->cbc.aes);
    return true;
}

bool krb_cipher_init(struct krb_cipher *cipher, struct krb_base *base, uint32_t usage, bool encrypting)
{
    require(krb_cipher_derive(cipher, base, usage, encrypting), false);
    return cipher->cbc.aes.rounds > 0 || krb_cbc_init(&cipher->cbc, cipher->key, base->profile->key_len, encrypting);
}

void krb_cipher_release(struct krb_cipher *cipher)
{
    krb_cbc_release(&cipher->cbc);
    secret_wipe(cipher, sizeof *cipher);
}

static void rc4_zero_key(struct hmac_md5_key *key, const uint8_t secret[16])
{
    static const uint8_t zero[4];
    const struct slice pieces[] = {slice_of(zero, sizeof zero)};
    AUTO_KEY16 struct key16 first;
    hmac_md5_once(secret, 16, pieces, 1, first.bytes);
    hmac_md5_key_init(key, first.bytes, sizeof first.bytes);
}

void krb_rc4_keys_init(struct krb_rc4_keys *keys, const uint8_t key[16])
{
    static const char sign_constant[] = "signaturekey"; /* its NUL counts */
    const struct slice pieces[] = {slice_of(sign_constant, sizeof sign_constant)};
    AUTO_KEY16 struct key16 sign, local;
    hmac_md5_once(key, 16, pieces, 1, sign.bytes);
    hmac_md5_key_init(&keys->sign, sign.bytes, sizeof sign.bytes);
    rc4_zero_key(&keys->sequence, key);
    for (size_t i = 0; i < sizeof local.bytes; i++)
        local.bytes[i] = key[i] ^ 0xf0;
    rc4_zero_key(&keys->crypt, local.bytes);
}
