/* Vectors: MS-NLMP 4.2.1 (common values), 4.2.2 (NTLMv1), 4.2.3 (NTLMv1 with extended session security), 4.2.4 (NTLMv2). */
#include "crypto/ntlm_response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const uint8_t password[] = {'P', 0, 'a', 0, 's', 0, 's', 0, 'w', 0, 'o', 0, 'r', 0, 'd', 0};
static const uint8_t challenge[8] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
static const uint8_t client[8] = {0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa};
static const uint8_t nt_hash[16] = {0xa4, 0xf4, 0x9c, 0x40, 0x65, 0x10, 0xbd, 0xca,
                                    0xb6, 0x82, 0x4e, 0xe7, 0xc3, 0x0f, 0xd8, 0x52};
static const uint8_t lm_hash[16] = {0xe5, 0x2c, 0xac, 0x67, 0x41, 0x9a, 0x9a, 0x22,
                                    0x4a, 0x3b, 0x10, 0x8f, 0x3f, 0xa6, 0xcb, 0x6d};
static const uint8_t v1_key[16] = {0xd8, 0x72, 0x62, 0xb0, 0xcd, 0xe4, 0xb1, 0xcb,
                                   0x74, 0x99, 0xbe, 0xcc, 0xcd, 0xf1, 0x07, 0x84};
static const uint8_t v1_response[24] = {0x67, 0xc4, 0x30, 0x11, 0xf3, 0x02, 0x98, 0xa2, 0xad, 0x35, 0xec, 0xe6,
                                        0x4f, 0x16, 0x33, 0x1c, 0x44, 0xbd, 0xbe, 0xd9, 0x27, 0x84, 0x1f, 0x94};
static const uint8_t lm_response[24] = {0x98, 0xde, 0xf7, 0xb8, 0x7f, 0x88, 0xaa, 0x5d, 0xaf, 0xe2, 0xdf, 0x77,
                                        0x96, 0x88, 0xa1, 0x72, 0xde, 0xf1, 0x1c, 0x7d, 0x5c, 0xcd, 0xef, 0x13};
static const uint8_t ess_response[24] = {0x75, 0x37, 0xf8, 0x03, 0xae, 0x36, 0x71, 0x28, 0xca, 0x45, 0x82, 0x04,
                                         0xbd, 0xe7, 0xca, 0xf8, 0x1e, 0x97, 0xed, 0x26, 0x83, 0x26, 0x72, 0x32};
static const uint8_t ess_lm[24] = {0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa};
static const uint8_t v2_key[16] = {0x0c, 0x86, 0x8a, 0x40, 0x3b, 0xfd, 0x7a, 0x93,
                                   0xa3, 0x00, 0x1e, 0xf2, 0x2e, 0xf0, 0x2e, 0x3f};
static const uint8_t lmv2_response[24] = {0x86, 0xc3, 0x50, 0x97, 0xac, 0x9c, 0xec, 0x10, 0x25, 0x54, 0x76, 0x4a,
                                          0x57, 0xcc, 0xcc, 0x19, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa};
static const uint8_t v2_base_key[16] = {0x8d, 0xe4, 0x0c, 0xca, 0xdb, 0xc1, 0x4a, 0x82,
                                        0xf1, 0x5c, 0xb0, 0xad, 0x0d, 0xe9, 0x5c, 0xa3};
static const uint8_t v2_response[16 + 68] = {
    0x68, 0xcd, 0x0a, 0xb8, 0x51, 0xe5, 0x1c, 0x96, 0xaa, 0xbc, 0x92, 0x7b, 0xeb, 0xef, 0x6a, 0x1c, /* NTProofStr */
    0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xaa,
    0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x0c, 0x00, 'D',  0x00,
    'o',  0x00, 'm',  0x00, 'a',  0x00, 'i',  0x00, 'n',  0x00, 0x01, 0x00, 0x0c, 0x00, 'S',  0x00, 'e',
    0x00, 'r',  0x00, 'v',  0x00, 'e',  0x00, 'r',  0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};

static struct slice password_slice(void)
{
    return slice_of(password, sizeof(password));
}

static void test_hashes(void **state)
{
    (void)state;
    struct key16 nt, lm;
    struct hmac_md5_key v2, known;
    hmac_md5_key_init(&known, v2_key, sizeof(v2_key));
    ntlm_nt_hash(password_slice(), &nt);
    assert_memory_equal(nt.bytes, nt_hash, 16);
    assert_true(ntlm_lm_hash(password_slice(), &lm));
    assert_memory_equal(lm.bytes, lm_hash, 16);
    assert_int_equal(ntlm_v2_key(&nt, "User", "Domain", &v2), WIRE_OK);
    assert_memory_equal(&v2, &known, sizeof(v2));
    /* The user is folded, the domain is not. */
    assert_int_equal(ntlm_v2_key(&nt, "uSER", "Domain", &v2), WIRE_OK);
    assert_memory_equal(&v2, &known, sizeof(v2));
    assert_int_equal(ntlm_v2_key(&nt, "User", "DOMAIN", &v2), WIRE_OK);
    assert_memory_not_equal(&v2, &known, sizeof(v2));
    assert_int_equal(ntlm_v2_key(&nt, "", "", &v2), WIRE_OK);
    assert_int_equal(ntlm_v2_key(&nt, "\xff", "Domain", &v2), WIRE_BAD);
}

static void test_lm_hash_limits(void **state)
{
    (void)state;
    static const uint8_t umlaut[] = {0xe4, 0x00}, wide[] = {'a', 0x01}, nul[] = {0, 0};
    uint8_t many[30];
    struct key16 lm, before;
    memset(&lm, 7, sizeof(lm));
    before = lm;
    for (unsigned i = 0; i < sizeof(many); i += 2) {
        many[i] = 'x';
        many[i + 1] = 0;
    }
    assert_false(ntlm_lm_hash(slice_of(umlaut, 2), &lm));
    assert_false(ntlm_lm_hash(slice_of(wide, 2), &lm));
    assert_false(ntlm_lm_hash(slice_of(nul, 2), &lm));
    assert_false(ntlm_lm_hash(slice_of(many, 30), &lm)); /* 15 letters */
    assert_false(ntlm_lm_hash(slice_of(many, 27), &lm)); /* half a letter */
    assert_memory_equal(lm.bytes, before.bytes, 16);
    assert_true(ntlm_lm_hash(slice_of(many, 28), &lm));
    assert_true(ntlm_lm_hash(slice_of(NULL, 0), &lm));
}

static void test_building_bricks(void **state)
{
    (void)state;
    struct key16 key, base;
    struct hmac_md5_key prepared;
    uint8_t response[24], proof[16], session[8];
    memcpy(key.bytes, nt_hash, 16);
    assert_true(ntlm_desl(&key, challenge, response));
    assert_memory_equal(response, v1_response, 24);
    memcpy(key.bytes, lm_hash, 16);
    assert_true(ntlm_desl(&key, challenge, response));
    assert_memory_equal(response, lm_response, 24);
    ntlm_v1_session_challenge(challenge, client, session);
    memcpy(key.bytes, nt_hash, 16);
    assert_true(ntlm_desl(&key, session, response));
    assert_memory_equal(response, ess_response, 24);
    hmac_md5_key_init(&prepared, v2_key, sizeof(v2_key));
    ntlm_v2_proof(&prepared, challenge, slice_of(v2_response + 16, sizeof(v2_response) - 16), proof);
    assert_memory_equal(proof, v2_response, 16);
    ntlm_v2_base_key(&prepared, proof, &base);
    assert_memory_equal(base.bytes, v2_base_key, 16);
}

static struct key16 known_nt, known_lm;
static struct hmac_md5_key known_v2;

static struct ntlm_response_input input_of(struct slice lm, struct slice nt)
{
    memcpy(known_nt.bytes, nt_hash, 16);
    memcpy(known_lm.bytes, lm_hash, 16);
    hmac_md5_key_init(&known_v2, v2_key, sizeof(v2_key));
    return (struct ntlm_response_input){.nt_hash = &known_nt,
                                        .lm_hash = &known_lm,
                                        .v2_key = &known_v2,
                                        .challenge = challenge,
                                        .lm_response = lm,
                                        .nt_response = nt,
                                        .allow_v1 = true,
                                        .allow_lm = true};
}

static void test_verify_v2(void **state)
{
    (void)state;
    struct key16 base;
    struct ntlm_response_input input =
        input_of(slice_of(lmv2_response, 24), slice_of(v2_response, sizeof(v2_response)));
    input.allow_v1 = input.allow_lm = false;
    assert_int_equal(ntlm_response_verify(&input, &base), NTLM_RESPONSE_V2);
    assert_memory_equal(base.bytes, v2_base_key, 16);
    memset(&known_nt, 0, sizeof(known_nt)); /* the kept key is what counts */
    assert_int_equal(ntlm_response_verify(&input, &base), NTLM_RESPONSE_V2);
    known_v2.inner[0] ^= 1;
    assert_int_equal(ntlm_response_verify(&input, &base), NTLM_RESPONSE_WRONG);
    input = input_of(slice_of(lmv2_response, 24), slice_of(NULL, 0));
    input.allow_v1 = input.allow_lm = false;
    assert_int_equal(ntlm_response_verify(&input, &base), NTLM_RESPONSE_V2_LM);
}

static void test_verify_v1(void **state)
{
    (void)state;
    static const uint8_t lm_base_key[16] = {0xe5, 0x2c, 0xac, 0x67, 0x41, 0x9a, 0x9a, 0x22};
    struct key16 base;
    struct ntlm_response_input input = input_of(slice_of(lm_response, 24), slice_of(v1_response, 24));
    assert_int_equal(ntlm_response_verify(&input, &base), NTLM_RESPONSE_V1);
    assert_memory_equal(base.bytes, v1_key, 16);
    input.allow_v1 = false;
    assert_int_equal(ntlm_response_verify(&input, &base), NTLM_RESPONSE_WRONG);
    input = input_of(slice_of(ess_lm, 24), slice_of(ess_response, 24));
    input.extended_session_security = true;
    assert_int_equal(ntlm_response_verify(&input, &base), NTLM_RESPONSE_V1);
    assert_memory_equal(base.bytes, v1_key, 16);
    input.extended_session_security = false;
    assert_int_equal(ntlm_response_verify(&input, &base), NTLM_RESPONSE_WRONG);
    input = input_of(slice_of(lm_response, 24), slice_of(NULL, 0));
    assert_int_equal(ntlm_response_verify(&input, &base), NTLM_RESPONSE_LM);
    assert_memory_equal(base.bytes, lm_base_key, 16);
    uint8_t changed[24];
    memcpy(changed, lm_response, 24);
    changed[23] ^= 1;
    input.lm_response = slice_of(changed, 24);
    assert_int_equal(ntlm_response_verify(&input, &base), NTLM_RESPONSE_WRONG);
    input.lm_response = slice_of(lm_response, 24);
    input.allow_lm = false;
    assert_int_equal(ntlm_response_verify(&input, &base), NTLM_RESPONSE_WRONG);
    input.allow_lm = true;
    input.lm_hash = NULL;
    assert_int_equal(ntlm_response_verify(&input, &base), NTLM_RESPONSE_WRONG);
}

/* Every length, and every bit flipped: only the exact response is right, and a wrong one leaves the key alone. */
static void test_verify_refuses(void **state)
{
    (void)state;
    struct key16 base, before;
    uint8_t changed[sizeof(v2_response)];
    memset(&base, 9, sizeof(base));
    before = base;
    for (size_t len = 0; len < sizeof(v2_response); len++) {
        struct ntlm_response_input input = input_of(slice_of(NULL, 0), slice_of(v2_response, len));
        assert_int_equal(ntlm_response_verify(&input, &base), NTLM_RESPONSE_WRONG);
    }
    for (size_t bit = 0; bit < 8 * sizeof(v2_response); bit++) {
        memcpy(changed, v2_response, sizeof(changed));
        changed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct ntlm_response_input input = input_of(slice_of(NULL, 0), slice_of(changed, sizeof(changed)));
        assert_int_equal(ntlm_response_verify(&input, &base), NTLM_RESPONSE_WRONG);
    }
    for (size_t bit = 0; bit < 8 * 24; bit++) {
        memcpy(changed, lmv2_response, 24);
        changed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct ntlm_response_input input = input_of(slice_of(changed, 24), slice_of(NULL, 0));
        assert_int_equal(ntlm_response_verify(&input, &base), NTLM_RESPONSE_WRONG);
        memcpy(changed, v1_response, 24);
        changed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        input = input_of(slice_of(lm_response, 24), slice_of(changed, 24));
        assert_int_equal(ntlm_response_verify(&input, &base), NTLM_RESPONSE_WRONG);
        memcpy(changed, ess_lm, 24); /* the zeros after the client's challenge count too */
        changed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        input = input_of(slice_of(changed, 24), slice_of(ess_response, 24));
        input.extended_session_security = true;
        assert_int_equal(ntlm_response_verify(&input, &base), NTLM_RESPONSE_WRONG);
    }
    assert_memory_equal(base.bytes, before.bytes, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hashes),    cmocka_unit_test(test_lm_hash_limits), cmocka_unit_test(test_building_bricks),
        cmocka_unit_test(test_verify_v2), cmocka_unit_test(test_verify_v1),      cmocka_unit_test(test_verify_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
