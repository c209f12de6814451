#include "crypto/http_digest.h"

#include "base/hex.h"
#include "base/memory.h"
#include "base/secret.h"
#include "crypto/digest.h"
#include "crypto/hmac_sha.h"
#include "crypto/openssl.h"
#include <openssl/evp.h>
#include <stdatomic.h>

static const struct {
    size_t len;
    const char *name; /* OpenSSL's; NULL: ours */
} algorithms[DIGEST_ALGORITHMS] = {
    [DIGEST_MD5] = {MD5_LEN, NULL},
    [DIGEST_SHA256] = {32, "SHA2-256"},
    [DIGEST_SHA512_256] = {32, "SHA2-512/256"},
};

size_t digest_len(enum digest_algorithm algorithm)
{
    return algorithms[algorithm].len;
}

bool digest_hash(enum digest_algorithm algorithm, const struct slice *pieces, size_t n_pieces,
                 uint8_t hash[DIGEST_LEN_MAX])
{
    if (algorithms[algorithm].name == NULL) {
        struct md5 md5;
        md5_init(&md5);
        for (size_t i = 0; i < n_pieces; i++)
            md5_update(&md5, pieces[i].data, pieces[i].len);
        md5_final(&md5, hash);
        return true;
    }
    static _Atomic(void *) kept[DIGEST_ALGORITHMS];
    OPENSSL_QUIET;
    const EVP_MD *type = openssl_hash(&kept[algorithm], algorithms[algorithm].name);
    EVP_MD_CTX *context = type != NULL ? EVP_MD_CTX_new() : NULL;
    bool done = context != NULL && EVP_DigestInit_ex2(context, type, NULL) == 1;
    for (size_t i = 0; done && i < n_pieces; i++)
        done = EVP_DigestUpdate(context, pieces[i].data, pieces[i].len) == 1;
    done = done && EVP_DigestFinal_ex(context, hash, NULL) == 1;
    EVP_MD_CTX_free(context);
    return done;
}

static const struct slice colon = {(const uint8_t *)":", 1};

bool digest_secret(enum digest_algorithm algorithm, struct slice user, struct slice realm, struct slice password,
                   uint8_t secret[DIGEST_LEN_MAX])
{
    const struct slice pieces[] = {user, colon, realm, colon, password};
    return digest_hash(algorithm, pieces, COUNT_OF(pieces), secret);
}

bool digest_key(const struct digest_key_input *input, const uint8_t *secret, uint8_t key[DIGEST_LEN_MAX])
{
    size_t len = digest_len(input->algorithm);
    char digits[DIGEST_HEX_MAX];
    if (input->variant == DIGEST_PLAIN) {
        for (size_t i = 0; i < len; i++)
            key[i] = secret[i];
        return true;
    }
    hex_text(secret, len, digits);
    const struct slice pieces[] = {
        input->variant == DIGEST_SASL ? slice_of(secret, len) : slice_of(digits, 2 * len),
        colon,
        input->nonce,
        colon,
        input->cnonce,
        slice_of(colon.data, input->authzid.len > 0 ? 1 : 0),
        input->authzid,
    };
    bool done = digest_hash(input->algorithm, pieces, COUNT_OF(pieces), key);
    secret_wipe(digits, sizeof digits);
    return done;
}

bool digest_response(const struct digest_response_input *input, const uint8_t *key, char hex[DIGEST_HEX_MAX])
{
    size_t len = digest_len(input->algorithm);
    uint8_t hash[DIGEST_LEN_MAX];
    char a1[DIGEST_HEX_MAX], a2[DIGEST_HEX_MAX];
    const struct slice request[] = {input->method, colon, input->uri,
                                    slice_of(colon.data, input->entity.len > 0 ? 1 : 0), input->entity};
    require(digest_hash(input->algorithm, request, COUNT_OF(request), hash), false);
    hex_text(hash, len, a2);
    hex_text(key, len, a1);
    bool has_qop = input->qop.len > 0;
    const struct slice with_qop[] = {
        slice_of(a1, 2 * len), colon, input->nonce, colon, input->nc, colon, input->cnonce, colon, input->qop, colon,
        slice_of(a2, 2 * len)};
    const struct slice without[] = {slice_of(a1, 2 * len), colon, input->nonce, colon, slice_of(a2, 2 * len)};
    bool done = digest_hash(input->algorithm, has_qop ? with_qop : without,
                            has_qop ? COUNT_OF(with_qop) : COUNT_OF(without), hash);
    secret_wipe(a1, sizeof a1);
    if (done)
        hex_text(hash, len, hex);
    return done;
}

void digest_tag(const uint8_t key[32], const struct slice *pieces, size_t n_pieces, uint8_t tag[DIGEST_TAG_LEN])
{
    struct krb_mac mac = {0};
    struct hmac_sha hmac;
    hmac_sha_key_init(&mac, KRB_SHA256, key, 32);
    hmac_sha_begin(&hmac, &mac);
    for (size_t i = 0; i < n_pieces; i++)
        hmac_sha_update(&hmac, pieces[i].data, pieces[i].len);
    hmac_sha_end(&hmac, tag, DIGEST_TAG_LEN);
    secret_wipe(&mac, sizeof mac);
}
