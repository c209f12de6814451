#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "crypto/krb5_crypto.h"
#include "crypto/processor.h"
#include "reference.h"
#include "rfc8009.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 6000

static struct krb_base base_of(int32_t enctype, const char *hex)
{
    struct krb_base base;
    uint8_t key[KRB_KEY_MAX];
    assert_non_null(krb_profile_find(enctype));
    assert_int_equal(from_hex(hex, key), krb_profile_find(enctype)->key_len);
    assert_true(krb_base_init(&base, krb_profile_find(enctype), key));
    return base;
}

/* RFC 3961, appendix A.1 */
static void nfold_of_rfc_3961(void **state)
{
    static const struct {
        const char *in, *out;
    } vectors[] = {
        {"012345", "be072631276b1955"},
        {"password", "78a07b6caf85fa"},
        {"Rough Consensus, and Running Code", "bb6ed30870b7f0e0"},
        {"password", "59e4a8ca7c0385c3c37b3f6d2000247cb6e6bd5b3e"},
        {"MASSACHVSETTS INSTITVTE OF TECHNOLOGY", "db3b0d8f0b061e603282b308a50841229ad798fab9540c1b"},
        {"Q", "518a54a215a8452a518a54a215a8452a518a54a215"},
        {"ba", "fb25d531ae8974499f52fd92ea9857c4ba24cf297e"},
        {"kerberos", "6b65726265726f73"},
        {"kerberos", "6b65726265726f737b9b5b2b93132b93"},
        {"kerberos", "8372c236344e5f1550cd0747e15d62ca7a5a3bcea4"},
        {"kerberos", "6b65726265726f737b9b5b2b93132b935c9bdcdad95c9899c4cae4dee6d6cae4"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        uint8_t out[32];
        size_t len = strlen(vectors[i].out) / 2;
        krb_nfold((const uint8_t *)vectors[i].in, strlen(vectors[i].in), out, len);
        assert_hex(out, len, vectors[i].out);
    }
}

/* RFC 3962, appendix B: the last step of string-to-key, DK(PBKDF2 output, "kerberos"), iteration counts 1 and 2. */
static void derived_keys_of_rfc_3962(void **state)
{
    static const struct {
        int32_t enctype;
        const char *pbkdf2, *key;
    } vectors[] = {
        {KRB_AES128_SHA1, "cdedb5281bb2f801565a1122b2563515", "42263c6e89f4fc28b8df68ee09799f15"},
        {KRB_AES256_SHA1, "cdedb5281bb2f801565a1122b25635150ad1f7a04bb9f3a333ecc0e2e1f70837",
         "fe697b52bc0d3ce14432ba036a92e65bbb52280990a2fa27883998d72af30161"},
        {KRB_AES128_SHA1, "01dbee7f4a9e243e988b62c73cda935d", "c651bf29e2300ac27fa469d693bdda13"},
        {KRB_AES256_SHA1, "01dbee7f4a9e243e988b62c73cda935da05378b93244ec8f48a99e61ad799d86",
         "a2e16d16b36069c135d5e9d2e25f896102685618b95914b467c67622225824ff"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct krb_base base = base_of(vectors[i].enctype, vectors[i].pbkdf2);
        uint8_t key[KRB_KEY_MAX];
        size_t len = base.profile->key_len;
        assert_true(krb_dr(&base, (const uint8_t *)"kerberos", 8, key, len));
        assert_hex(key, len, vectors[i].key);
        krb_base_release(&base);
    }
}

/* Runs text through cipher in pieces of at most `step` bytes, each in a place of its own, so that blocks span them. */
static void cts_in_steps(struct krb_cbc *cbc, uint8_t *text, size_t len, size_t step)
{
    struct krb_cts cts;
    uint8_t scattered[2 * TEXT_MAX];
    assert_true(len <= TEXT_MAX);
    krb_cts_begin(&cts, cbc, len);
    for (size_t at = 0; at < len; at += step) {
        size_t now_len = len - at < step ? len - at : step;
        memcpy(scattered + at + at / step, text + at, now_len);
        krb_cts_update(&cts, scattered + at + at / step, now_len);
    }
    assert_true(krb_cts_finish(&cts));
    for (size_t at = 0; at < len; at += step)
        memcpy(text + at, scattered + at + at / step, len - at < step ? len - at : step);
}

/* RFC 3962, appendix B: AES 128 in CBC with ciphertext stealing, initial vector zero. */
static void stealing_of_rfc_3962(void **state)
{
    static const char text[] = "I would like the General Gau's Chicken, please, and wonton soup.";
    static const struct {
        size_t len;
        const char *out;
    } vectors[] = {
        {17, "c6353568f2bf8cb4d8a580362da7ff7f97"},
        {31, "fc00783e0efdb2c1d445d4c8eff7ed2297687268d6ecccc0c07b25e25ecfe5"},
        {32, "39312523a78662d5be7fcbcc98ebf5a897687268d6ecccc0c07b25e25ecfe584"},
        {47, "97687268d6ecccc0c07b25e25ecfe584b3fffd940c16a18c1b5549d2f838029e39312523a78662d5be7fcbcc98ebf5"},
        {48, "97687268d6ecccc0c07b25e25ecfe5849dad8bbb96c4cdc03bc103e1a194bbd839312523a78662d5be7fcbcc98ebf5a8"},
        {64, "97687268d6ecccc0c07b25e25ecfe58439312523a78662d5be7fcbcc98ebf5a84807efe836ee89a526730dbc2f7bc840"
             "9dad8bbb96c4cdc03bc103e1a194bbd8"},
    };
    struct krb_cbc encrypt, decrypt;
    (void)state;
    assert_true(krb_cbc_init(&encrypt, (const uint8_t *)"chicken teriyaki", 16, true));
    assert_true(krb_cbc_init(&decrypt, (const uint8_t *)"chicken teriyaki", 16, false));
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
        for (size_t step = 1; step <= vectors[i].len; step++) {
            uint8_t bytes[64];
            memcpy(bytes, text, vectors[i].len);
            cts_in_steps(&encrypt, bytes, vectors[i].len, step);
            assert_hex(bytes, vectors[i].len, vectors[i].out);
            cts_in_steps(&decrypt, bytes, vectors[i].len, step);
            assert_memory_equal(bytes, text, vectors[i].len);
        }
    krb_cbc_release(&encrypt);
    krb_cbc_release(&decrypt);
}

/* RFC 8009, appendix A: keys of usage 2. */
static void derived_keys_of_rfc_8009(void **state)
{
    static const struct {
        int32_t enctype;
        const char *base, *checksum, *encryption, *integrity;
    } vectors[] = {
        {KRB_AES128_SHA256, RFC8009_KEY_SHA256, "b31a018a48f54776f403e9a396325dc3", "9b197dd1e8c5609d6e67c3e37c62c72e",
         "9fda0e56ab2d85e1569a688696c26a6c"},
        {KRB_AES256_SHA384, RFC8009_KEY_SHA384, "ef5718be86cc84963d8bbb5031e9f5c4ba41f28faf69e73d",
         "56ab22bee63d82d7bc5227f6773f8ea7a5eb1c825160c38312980c442e5c7e49",
         "69b16514e3cd8e56b82010d5c73012b622c4d00ffc23ed1f"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct krb_base base = base_of(vectors[i].enctype, vectors[i].base);
        uint8_t key[KRB_KEY_MAX];
        assert_true(krb_derive(&base, 2, KRB_CHECKSUM_KEY, key));
        assert_hex(key, base.profile->mac_key_len, vectors[i].checksum);
        assert_true(krb_derive(&base, 2, KRB_ENCRYPTION_KEY, key));
        assert_hex(key, base.profile->key_len, vectors[i].encryption);
        assert_true(krb_derive(&base, 2, KRB_INTEGRITY_KEY, key));
        assert_hex(key, base.profile->mac_key_len, vectors[i].integrity);
        krb_base_release(&base);
    }
}

static void encryption_of_rfc_8009(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rfc8009_encryptions); i++) {
        struct krb_base base = base_of(rfc8009_encryptions[i].enctype, rfc8009_encryptions[i].key);
        struct krb_cipher seal, unseal;
        uint8_t text[64], wire[64];
        size_t plain_len = rfc8009_encryptions[i].plain_len, len = KRB_CONFOUNDER_LEN + plain_len;
        assert_true(krb_cipher_init(&seal, &base, RFC8009_USAGE, true) &&
                    krb_cipher_init(&unseal, &base, RFC8009_USAGE, false));
        from_hex(rfc8009_encryptions[i].confounder, text);
        for (size_t at = 0; at < plain_len; at++)
            text[KRB_CONFOUNDER_LEN + at] = (uint8_t)at;
        memcpy(wire, text, len);
        const struct krb_piece piece = {wire, len, false};
        assert_true(krb_seal(&seal, &piece, 1, wire + len));
        assert_hex(wire, len + base.profile->mac_len, rfc8009_encryptions[i].cipher);
        assert_true(krb_unseal(&unseal, &piece, 1, wire + len));
        assert_memory_equal(wire, text, len);
        krb_cipher_release(&seal);
        krb_cipher_release(&unseal);
        krb_base_release(&base);
    }
}

static void checksums_of_rfc_8009(void **state)
{
    uint8_t text[21];
    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)i;
    for (size_t i = 0; i < COUNT_OF(rfc8009_checksums); i++) {
        struct krb_base base = base_of(rfc8009_checksums[i].enctype, rfc8009_checksums[i].key);
        const struct krb_piece pieces[] = {{text, 5, true}, {text + 5, 0, false}, {text + 5, 16, false}};
        struct krb_mac mac;
        uint8_t out[KRB_MAC_MAX];
        assert_true(krb_mac_init(&mac, &base, RFC8009_USAGE));
        krb_mac_compute(&mac, pieces, 3, out);
        assert_hex(out, mac.len, rfc8009_checksums[i].mac);
        krb_base_release(&base);
    }
}

static const char base_key[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

static struct krb_base any_base(int32_t enctype)
{
    char hex[2 * KRB_KEY_MAX + 1] = {0};
    memcpy(hex, base_key, 2 * (size_t)krb_profile_find(enctype)->key_len);
    return base_of(enctype, hex);
}

/* What OpenSSL makes of Ke and Ki: plain CBC whose last blocks change places, and HMAC. */
static void reference_seal(struct krb_base *base, const uint8_t *text, size_t len, uint8_t *wire, uint8_t *mac)
{
    const struct krb_profile *profile = base->profile;
    uint8_t encryption[KRB_KEY_MAX], integrity[KRB_KEY_MAX], padded[TEXT_MAX + 32] = {0}, tagged[TEXT_MAX + 16] = {0};
    uint8_t digest[EVP_MAX_MD_SIZE];
    static const uint8_t zero[16];
    size_t padded_len = (len + 15) / 16 * 16, at = padded_len - 32;
    int out_len;
    unsigned digest_len;
    assert_true(krb_derive(base, 22, KRB_ENCRYPTION_KEY, encryption) &&
                krb_derive(base, 22, KRB_INTEGRITY_KEY, integrity));
    memcpy(padded, text, len);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    assert_int_equal(EVP_EncryptInit_ex(context, profile->key_len == 16 ? EVP_aes_128_cbc() : EVP_aes_256_cbc(), NULL,
                                        encryption, zero),
                     1);
    EVP_CIPHER_CTX_set_padding(context, 0);
    assert_int_equal(EVP_EncryptUpdate(context, padded, &out_len, padded, (int)padded_len), 1);
    EVP_CIPHER_CTX_free(context);
    memcpy(wire, padded, at);
    memcpy(wire + at, padded + at + 16, 16);
    memcpy(wire + at + 16, padded + at, len - at - 16);
    const EVP_MD *md = profile->digest == KRB_SHA1     ? EVP_sha1()
                       : profile->digest == KRB_SHA256 ? EVP_sha256()
                                                       : EVP_sha384();
    memcpy(tagged + 16, profile->encrypt_then_mac ? wire : text, len);
    size_t skip = profile->encrypt_then_mac ? 0 : 16;
    assert_non_null(HMAC(md, integrity, profile->mac_key_len, tagged + skip, 16 - skip + len, digest, &digest_len));
    memcpy(mac, digest, profile->mac_len);
}

static const int32_t enctypes[] = {KRB_AES128_SHA1, KRB_AES256_SHA1, KRB_AES128_SHA256, KRB_AES256_SHA384};

/* Every length around the blocks of cipher and digests and around a chunk, in one piece and in pieces of every kind of length, on a processor that
 * lacks some instructions. */
static void agree_with_openssl(unsigned lacking)
{
    uint64_t seed = 1;
    processor_lacks(lacking);
    for (size_t e = 0; e < sizeof enctypes / sizeof enctypes[0]; e++) {
        struct krb_base base = any_base(enctypes[e]);
        struct krb_cipher seal, unseal;
        assert_true(krb_cipher_init(&seal, &base, 22, true) && krb_cipher_init(&unseal, &base, 22, false));
        for (size_t len = 17; len < TEXT_MAX - 32; len += len < 400 ? 1 : len < 4000 ? 331 : len < 4200 ? 1 : 97) {
            uint8_t text[TEXT_MAX], wire[TEXT_MAX], expected[TEXT_MAX], mac[KRB_MAC_MAX], expected_mac[KRB_MAC_MAX];
            struct krb_piece pieces[64];
            unsigned n_pieces = 0;
            random_fill(&seed, text, len);
            memcpy(wire, text, len);
            for (size_t at = 0, now_len; at < len; at += now_len) {
                now_len = n_pieces == 63 || len % 2 == 0 ? len - at : (size_t)(random_next(&seed) % (len / 4 + 1));
                if (now_len > len - at)
                    now_len = len - at;
                pieces[n_pieces++] = (struct krb_piece){wire + at, now_len, false};
            }
            reference_seal(&base, text, len, expected, expected_mac);
            assert_true(krb_seal(&seal, pieces, n_pieces, mac));
            assert_memory_equal(wire, expected, len);
            assert_memory_equal(mac, expected_mac, base.profile->mac_len);
            assert_true(krb_unseal(&unseal, pieces, n_pieces, mac));
            assert_memory_equal(wire, text, len);
        }
        krb_cipher_release(&seal);
        krb_cipher_release(&unseal);
        krb_base_release(&base);
    }
}

static void agrees_with_openssl(void **state)
{
    (void)state;
    agree_with_openssl(0);
    agree_with_openssl(PROCESSOR_SHA);
    agree_with_openssl(PROCESSOR_AES | PROCESSOR_SHA);
    processor_lacks(0);
}

/* OpenSSL's allocations, counted, and the `fail_at`th from now refused. */
static unsigned long n_allocations, fail_at;

static bool allocation_fails(void)
{
    n_allocations++;
    return fail_at > 0 && --fail_at == 0;
}

static void *counted_malloc(size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    return allocation_fails() ? NULL : malloc(len);
}

static void *counted_realloc(void *block, size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    return allocation_fails() ? NULL : realloc(block, len);
}

static void counted_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    free(block);
}

static void messages_allocate_nothing(void **state)
{
    uint8_t text[1000] = "text", mac[KRB_MAC_MAX];
    const struct krb_piece pieces[] = {{text, 100, true}, {text + 100, 900, false}};
    (void)state;
    for (size_t e = 0; e < sizeof enctypes / sizeof enctypes[0]; e++) {
        struct krb_base base = any_base(enctypes[e]);
        struct krb_cipher seal, unseal;
        struct krb_mac mic;
        assert_true(krb_cipher_init(&seal, &base, 24, true) && krb_cipher_init(&unseal, &base, 24, false));
        assert_true(krb_mac_init(&mic, &base, 25));
        n_allocations = 0;
        assert_true(krb_seal(&seal, pieces, 2, mac) && krb_unseal(&unseal, pieces, 2, mac));
        krb_mac_compute(&mic, pieces, 2, mac);
        assert_int_equal(n_allocations, 0);
        krb_cipher_release(&seal);
        krb_cipher_release(&unseal);
        krb_base_release(&base);
    }
}

static void without_memory(void **state)
{
    static const uint8_t key[KRB_KEY_MAX] = {1};
    (void)state;
    processor_lacks(PROCESSOR_AES); /* the keys that it takes need no memory */
    for (size_t e = 0; e < sizeof enctypes / sizeof enctypes[0]; e++) {
        struct krb_base base = any_base(enctypes[e]), failed;
        struct krb_cipher cipher;
        uint8_t text[48] = "a secret that nobody vouches for", mac[KRB_MAC_MAX] = {0};
        const struct krb_piece piece = {text, sizeof text, false};
        bool done = false;
        for (unsigned long nth = 1; !done; nth++) {
            fail_at = nth;
            done = krb_base_init(&failed, base.profile, key);
            krb_base_release(&failed);
        }
        done = false;
        for (unsigned long nth = 1; !done; nth++) {
            fail_at = nth;
            done = krb_cipher_init(&cipher, &base, 22, false);
            fail_at = 0;
            if (!done)
                krb_cipher_release(&cipher);
        }
        fail_at = 1; /* what a forged message was decrypted to can't be put back: it must not stay */
        assert_false(krb_unseal(&cipher, &piece, 1, mac));
        for (size_t i = 0; i < sizeof text && !base.profile->encrypt_then_mac; i++)
            assert_int_equal(text[i], 0);
        fail_at = 0;
        krb_cipher_release(&cipher);
        krb_base_release(&base);
    }
    processor_lacks(0);
}

static void fixed_pieces_are_only_checked(void **state)
{
    (void)state;
    for (size_t e = 0; e < sizeof enctypes / sizeof enctypes[0]; e++) {
        struct krb_base base = any_base(enctypes[e]);
        struct krb_cipher seal, unseal;
        uint8_t text[3][40] = {"a head that everybody may read", "a body that nobody may, long enough", "and a foot"};
        uint8_t before[3][40], mac[KRB_MAC_MAX];
        memcpy(before, text, sizeof text);
        const struct krb_piece pieces[] = {{text[0], 40, true}, {text[1], 40, false}, {text[2], 40, true}};
        assert_true(krb_cipher_init(&seal, &base, 24, true) && krb_cipher_init(&unseal, &base, 24, false));
        assert_true(krb_seal(&seal, pieces, 3, mac));
        assert_memory_equal(text[0], before[0], 40);
        assert_memory_not_equal(text[1], before[1], 40);
        assert_memory_equal(text[2], before[2], 40);
        for (unsigned i = 0; i < 3; i++) {
            uint8_t sealed[3][40];
            text[i][7] ^= 1;
            memcpy(sealed, text, sizeof text);
            assert_false(krb_unseal(&unseal, pieces, 3, mac));
            assert_memory_equal(text, sealed, sizeof text); /* as it was */
            text[i][7] ^= 1;
        }
        assert_true(krb_unseal(&unseal, pieces, 3, mac));
        assert_memory_equal(text, before, sizeof text);
        krb_unseal_undo(&unseal, pieces, 3);
        assert_memory_not_equal(text[1], before[1], 40);
        assert_true(krb_unseal(&unseal, pieces, 3, mac));
        assert_memory_equal(text, before, sizeof text);
        krb_cipher_release(&seal);
        krb_cipher_release(&unseal);
        krb_base_release(&base);
    }
}

/* A text in pieces of every kind of length, some of them fixed; where the first is, the confounder comes behind it. */
#define PIECES_MAX 12
#define HEAD_MAX 40
struct text {
    uint8_t bytes[TEXT_MAX], before[TEXT_MAX], mac[KRB_MAC_MAX];
    struct krb_piece pieces[PIECES_MAX];
    unsigned n_pieces;
    size_t len;
};

/* `len` without the head that some have; one block at least. */
static void text_make(struct text *text, uint64_t *seed, size_t len)
{
    bool whole = random_next(seed) % 3 == 0;
    size_t head_len = random_next(seed) % 3 == 0 ? 1 + (size_t)(random_next(seed) % HEAD_MAX) : 0;
    len += head_len;
    text->len = len;
    text->n_pieces = 0;
    random_fill(seed, text->bytes, len);
    memcpy(text->before, text->bytes, len);
    if (head_len > 0)
        text->pieces[text->n_pieces++] = (struct krb_piece){text->bytes, head_len, true};
    for (size_t at = head_len, now_len; at < len; at += now_len) {
        bool first = at == head_len, last = text->n_pieces == PIECES_MAX - 1;
        now_len = first           ? KRB_CONFOUNDER_LEN + (size_t)(random_next(seed) % 2) * 24
                  : whole || last ? len - at
                                  : (size_t)(random_next(seed) % (len / 3 + 1));
        now_len = now_len < len - at ? now_len : len - at;
        text->pieces[text->n_pieces++] =
            (struct krb_piece){text->bytes + at, now_len, !first && !whole && random_next(seed) % 4 == 0};
    }
}

/* One block alone, and all around the second; or anything. */
static size_t text_len(uint64_t *seed, unsigned round)
{
    static const size_t shortest[] = {16, 17, 31, 32, 33};
    size_t max = round % 5 == 0 ? 200 : round % 5 == 1 ? 1500 : TEXT_MAX - HEAD_MAX;
    if (round % 5 == 4)
        return shortest[random_next(seed) % (sizeof shortest / sizeof shortest[0])];
    return KRB_CONFOUNDER_LEN + (size_t)(random_next(seed) % (max - KRB_CONFOUNDER_LEN));
}

/* Jobs of all types and both lengths of key, the messages around all borders of the short and the long way. */
static void several_are_as_one_by_one(unsigned lacking)
{
    enum { ROUNDS = 400 };
    static struct text texts[KRB_JOBS_MAX];
    static uint8_t alone[TEXT_MAX];
    struct krb_cipher seal[4], unseal[4];
    uint64_t seed = 9;
    processor_lacks(lacking);
    for (size_t e = 0; e < 4; e++) {
        struct krb_base base = any_base(enctypes[e]);
        assert_true(krb_cipher_init(&seal[e], &base, 22, true) && krb_cipher_init(&unseal[e], &base, 22, false));
        assert_int_equal(seal[e].stitched, e < 2 && processor_has(PROCESSOR_AES | PROCESSOR_SHA)); /* SHA-1's */
        krb_base_release(&base);
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct krb_job jobs[KRB_JOBS_MAX];
        unsigned n = (unsigned)(random_next(&seed) % (KRB_JOBS_MAX + 1)), types[KRB_JOBS_MAX];
        for (unsigned i = 0; i < n; i++) {
            text_make(&texts[i], &seed, text_len(&seed, round));
            types[i] = (unsigned)(random_next(&seed) % 8);
            types[i] = types[i] < 4 ? types[i] : 1;
            jobs[i] = (struct krb_job){&seal[types[i]], texts[i].pieces, texts[i].mac, texts[i].n_pieces, false};
        }
        krb_seal_several(jobs, n);
        for (unsigned i = 0; i < n; i++) {
            uint8_t mac[KRB_MAC_MAX];
            struct text *text = &texts[i];
            assert_true(jobs[i].done);
            memcpy(alone, text->bytes, text->len);
            memcpy(text->bytes, text->before, text->len);
            assert_true(krb_seal(&seal[types[i]], text->pieces, text->n_pieces, mac));
            assert_memory_equal(alone, text->bytes, text->len);
            assert_memory_equal(mac, text->mac, seal[types[i]].profile->mac_len);
            jobs[i] = (struct krb_job){&unseal[types[i]], text->pieces, text->mac, text->n_pieces, false};
        }
        unsigned forged = (unsigned)(random_next(&seed) % KRB_JOBS_MAX);
        if (forged < n) {
            texts[forged].bytes[random_next(&seed) % texts[forged].len] ^= 1;
            memcpy(texts[forged].before, texts[forged].bytes, texts[forged].len); /* as it was */
        }
        krb_unseal_several(jobs, n);
        for (unsigned i = 0; i < n; i++) {
            assert_int_equal(jobs[i].done, i != forged);
            assert_memory_equal(texts[i].bytes, texts[i].before, texts[i].len);
        }
    }
    for (size_t e = 0; e < 4; e++) {
        krb_cipher_release(&seal[e]);
        krb_cipher_release(&unseal[e]);
    }
}

static void several_agree(void **state)
{
    (void)state;
    several_are_as_one_by_one(0);
    several_are_as_one_by_one(PROCESSOR_SHA);
    several_are_as_one_by_one(PROCESSOR_AES | PROCESSOR_SHA);
    processor_lacks(0);
}

static void several_too_short_are_refused(void **state)
{
    struct krb_base base = any_base(KRB_AES256_SHA1);
    struct krb_cipher seal, unseal;
    uint8_t text[3][40] = {"text"}, mac[3][KRB_MAC_MAX];
    const struct krb_piece pieces[] = {{text[0], 40, false}, {text[1], 15, false}, {text[2], 40, true}};
    struct krb_job jobs[3];
    (void)state;
    assert_true(krb_cipher_init(&seal, &base, 22, true) && krb_cipher_init(&unseal, &base, 22, false));
    for (unsigned i = 0; i < 3; i++)
        jobs[i] = (struct krb_job){&seal, &pieces[i], mac[i], 1, false};
    krb_seal_several(jobs, 3);
    assert_true(jobs[0].done);
    assert_false(jobs[1].done);
    assert_false(jobs[2].done);
    for (unsigned i = 0; i < 3; i++)
        jobs[i].cipher = &unseal;
    krb_unseal_several(jobs, 3);
    assert_true(jobs[0].done);
    assert_string_equal(text[0], "text");
    assert_false(jobs[1].done);
    assert_false(jobs[2].done);
    krb_cipher_release(&seal);
    krb_cipher_release(&unseal);
    krb_base_release(&base);
}

static void bad_lengths_are_refused(void **state)
{
    struct krb_base base = any_base(KRB_AES256_SHA1);
    struct krb_cipher seal;
    struct krb_cts cts;
    uint8_t text[48] = "text", mac[KRB_MAC_MAX];
    const struct krb_piece piece = {text, 15, false};
    (void)state;
    assert_null(krb_profile_find(KRB_RC4_HMAC));
    assert_null(krb_profile_find(3));
    assert_null(krb_profile_find(-1));
    assert_true(krb_cipher_init(&seal, &base, 22, true));
    assert_false(krb_seal(&seal, &piece, 1, mac));
    assert_int_equal(text[0], 0); /* wiped */
    krb_cts_begin(&cts, &seal.cbc, 48);
    krb_cts_update(&cts, text, 10);
    assert_false(krb_cts_finish(&cts));
    krb_cts_begin(&cts, &seal.cbc, 16);
    krb_cts_update(&cts, text, 48);
    assert_false(krb_cts_finish(&cts));
    krb_cipher_release(&seal);
    krb_base_release(&base);
}

/* For tests that run once more on a processor that has instructions for neither. */
static int plain_processor(void **state)
{
    (void)state;
    processor_lacks(PROCESSOR_AES | PROCESSOR_SHA);
    return 0;
}

static int whole_processor(void **state)
{
    (void)state;
    processor_lacks(0);
    return 0;
}

#define ONCE_MORE_PLAIN(test) cmocka_unit_test_setup_teardown(test, plain_processor, whole_processor)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nfold_of_rfc_3961),
        cmocka_unit_test(derived_keys_of_rfc_3962),
        cmocka_unit_test(stealing_of_rfc_3962),
        cmocka_unit_test(derived_keys_of_rfc_8009),
        cmocka_unit_test(encryption_of_rfc_8009),
        cmocka_unit_test(checksums_of_rfc_8009),
        cmocka_unit_test(agrees_with_openssl),
        cmocka_unit_test(fixed_pieces_are_only_checked),
        cmocka_unit_test(bad_lengths_are_refused),
        cmocka_unit_test(messages_allocate_nothing),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(several_agree),
        cmocka_unit_test(several_too_short_are_refused),
        ONCE_MORE_PLAIN(derived_keys_of_rfc_3962),
        ONCE_MORE_PLAIN(stealing_of_rfc_3962),
        ONCE_MORE_PLAIN(encryption_of_rfc_8009),
        ONCE_MORE_PLAIN(fixed_pieces_are_only_checked),
        ONCE_MORE_PLAIN(messages_allocate_nothing),
    };
    if (CRYPTO_set_mem_functions(counted_malloc, counted_realloc, counted_free) != 1) /* before OpenSSL allocates */
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
