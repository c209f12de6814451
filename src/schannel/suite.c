#include "schannel/suite.h"

#include "base/memory.h"
#include "base/result.h"
#include <openssl/evp.h>
#include <openssl/objects.h>

#define GCM_EXPLICIT_LEN 8 /* RFC 5288 3: the part of the nonce that TLS 1.2 sends */
#define AES_BLOCK_LEN 16

static const struct cipher_fact {
    const char *name, *mode;
    size_t block_len, tag_len; /* tag_len 0: CBC with a MAC */
    int nid;
    ALG_ID algorithm;
    bool explicit_nonce; /* in TLS 1.2 */
} cipher_facts[] = {
    {"AES", "ChainingModeGCM", AES_BLOCK_LEN, 16, NID_aes_128_gcm, CALG_AES_128, true},
    {"AES", "ChainingModeGCM", AES_BLOCK_LEN, 16, NID_aes_256_gcm, CALG_AES_256, true},
    {"AES", "ChainingModeCCM", AES_BLOCK_LEN, 16, NID_aes_128_ccm, CALG_AES_128, true},
    {"AES", "ChainingModeCCM", AES_BLOCK_LEN, 16, NID_aes_256_ccm, CALG_AES_256, true},
    {"CHACHA20_POLY1305", "ChainingModeN/A", 1, 16, NID_chacha20_poly1305, 0, false},
    {"AES", "ChainingModeCBC", AES_BLOCK_LEN, 0, NID_aes_128_cbc, CALG_AES_128, false},
    {"AES", "ChainingModeCBC", AES_BLOCK_LEN, 0, NID_aes_256_cbc, CALG_AES_256, false},
};

static const struct hash_fact {
    int nid;
    const char *name;
    ALG_ID algorithm;
    unsigned bits;
} hash_facts[] = {
    {NID_sha1, "SHA1", CALG_SHA1, 160},
    {NID_sha256, "SHA256", CALG_SHA_256, 256},
    {NID_sha384, "SHA384", CALG_SHA_384, 384},
};

static const struct exchange_fact {
    const char *name;
    int nid;
    ALG_ID algorithm;
} exchange_facts[] = {
    {"RSA", NID_kx_rsa, CALG_RSA_KEYX},
    {"ECDH", NID_kx_ecdhe, CALG_ECDH_EPHEM},
    {"DH", NID_kx_dhe, CALG_DH_EPHEM},
    {"ECDH", NID_kx_any, CALG_ECDH_EPHEM}, /* TLS 1.3 */
};

static const struct hash_fact *hash_of(const SSL_CIPHER *cipher)
{
    int nid = SSL_CIPHER_get_digest_nid(cipher); /* CBC: the MAC's */
    if (nid == NID_undef || SSL_CIPHER_is_aead(cipher)) {
        const EVP_MD *digest = SSL_CIPHER_get_handshake_digest(cipher);
        nid = digest != NULL ? EVP_MD_get_type(digest) : NID_undef;
    }
    for (size_t i = 0; i < COUNT_OF(hash_facts); i++)
        if (hash_facts[i].nid == nid)
            return &hash_facts[i];
    return NULL;
}

static bool exchange_describe(const SSL_CIPHER *cipher, struct suite *suite)
{
    int kx = SSL_CIPHER_get_kx_nid(cipher), auth = SSL_CIPHER_get_auth_nid(cipher);
    for (size_t i = 0; i < COUNT_OF(exchange_facts); i++)
        if (exchange_facts[i].nid == kx) {
            suite->exchange_name = exchange_facts[i].name;
            suite->exchange = exchange_facts[i].algorithm;
        }
    if (auth == NID_auth_rsa) {
        suite->certificate_name = "RSA";
        suite->signature = CALG_RSA_SIGN;
    } else if (auth == NID_auth_ecdsa) {
        suite->certificate_name = "ECDSA";
        suite->signature = CALG_ECDSA;
    } else if (auth == NID_auth_any) /* TLS 1.3: the certificate decides */
        suite->certificate_name = "";
    return suite->exchange_name != NULL && suite->certificate_name != NULL;
}

/* What surrounds the text of a record (RFC 8446 5.2; RFC 5246 6.2.3; RFC 6655 4 for CCM_8). */
static void record_describe(const SSL_CIPHER *cipher, int version, const struct cipher_fact *fact, struct suite *suite)
{
    size_t tag_len = fact->tag_len;
    /* CCM_8 shares its NID with CCM; its suites are 0xC0A0 to 0xC0A3, 0xC0AE, 0xC0AF (RFC 6655, RFC 7251) and 0x1305. */
    uint16_t id = SSL_CIPHER_get_protocol_id(cipher);
    if ((id >= 0xC0A0 && id <= 0xC0A3) || id == 0xC0AE || id == 0xC0AF || id == 0x1305)
        tag_len = 8;
    if (version == TLS1_3_VERSION)
        suite->body_min = suite->trailer_len = tag_len + 1; /* the inner content type */
    else if (tag_len > 0) {
        suite->header_more = fact->explicit_nonce ? GCM_EXPLICIT_LEN : 0;
        suite->trailer_len = tag_len;
        suite->body_min = suite->header_more + tag_len;
    } else {
        suite->header_more = version == TLS1_VERSION ? 0 : AES_BLOCK_LEN; /* the IV */
        suite->trailer_len = suite->hash_bits / 8 + AES_BLOCK_LEN;        /* MAC, and a padding of 1 to 16 */
        suite->body_min = suite->header_more + suite->hash_bits / 8;
    }
}

bool suite_describe(const SSL_CIPHER *cipher, int version, struct suite *suite)
{
    const struct cipher_fact *fact = NULL;
    const struct hash_fact *hash = hash_of(cipher);
    int nid = SSL_CIPHER_get_cipher_nid(cipher); /* libssl searches for it */
    *suite = (struct suite){0};
    for (size_t i = 0; i < COUNT_OF(cipher_facts); i++)
        if (cipher_facts[i].nid == nid)
            fact = &cipher_facts[i];
    require(fact != NULL && hash != NULL && exchange_describe(cipher, suite), false);
    suite->cipher_name = fact->name;
    suite->mode = fact->mode;
    suite->cipher = fact->algorithm;
    suite->block_len = fact->block_len;
    suite->bits = (unsigned)SSL_CIPHER_get_bits(cipher, NULL);
    suite->hash_name = hash->name;
    suite->hash = hash->algorithm;
    suite->hash_bits = hash->bits;
    record_describe(cipher, version, fact, suite);
    return true;
}
