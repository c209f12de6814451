/*
 * MS-NLMP 4.2, "Cryptographic Values for Validation", from the key exchange key on. The hashes and responses before it (4.2.x.1.1, 4.2.x.1.2,
 * 4.2.x.2.1, 4.2.x.2.2) stand in tests/unit/crypto/test_ntlm_response.c; here they only have to fit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "core/session.h"
#include "crypto/ntlm_response.h"
#include "crypto/rc4.h"
#include "ntlm/keys.h"
#include "ntlm/messages.h"
#include "ntlm/session.h"
#include <string.h>

/* 4.2.1 Common values */
#define USER "User"
#define USER_DOMAIN "Domain"
#define SERVER_NAME "Server"
#define WORKSTATION "COMPUTER"
static const uint8_t password[] = {'P', 0, 'a', 0, 's', 0, 's', 0, 'w', 0, 'o', 0, 'r', 0, 'd', 0};
static const struct key16 random_session_key = {
    {0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55}};
static const uint8_t client_challenge[8] = {0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa};
static const uint8_t server_challenge[8] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};

/* 4.2.2 NTLM v1 authentication, 4.2.3 NTLM v1 with client challenge, 4.2.4 NTLMv2 authentication: the challenge's flags */
#define V1_FLAGS 0xe2028233u
#define ESS_FLAGS 0x820a8233u
#define V2_FLAGS 0xe28a8233u

/* 4.2.2.4, 4.2.3.4, 4.2.4.4: "Plaintext" in UTF-16LE */
static const uint8_t plain_text[18] = {'P', 0, 'l', 0, 'a', 0, 'i', 0, 'n', 0, 't', 0, 'e', 0, 'x', 0, 't', 0};

/* The chapters' inputs, computed by the functions that test_ntlm_response.c holds to the vectors. */
struct chapter {
    struct key16 nt_hash, lm_hash, base_key;
    uint8_t lm_response[24], nt_response[84];
};

static struct chapter chapter_v1(bool extended)
{
    struct chapter v1;
    uint8_t answered[8];
    ntlm_nt_hash(slice_of(password, sizeof password), &v1.nt_hash);
    assert_true(ntlm_lm_hash(slice_of(password, sizeof password), &v1.lm_hash));
    memcpy(answered, server_challenge, 8);
    if (extended)
        ntlm_v1_session_challenge(server_challenge, client_challenge, answered);
    assert_true(ntlm_desl(&v1.nt_hash, answered, v1.nt_response));
    memset(v1.lm_response, 0, sizeof v1.lm_response);
    memcpy(v1.lm_response, client_challenge, 8);
    if (!extended)
        assert_true(ntlm_desl(&v1.lm_hash, server_challenge, v1.lm_response));
    ntlm_nt_hash(slice_of(v1.nt_hash.bytes, 16), &v1.base_key);
    return v1;
}

static struct key16 kxkey(const struct chapter *chapter, uint32_t flags, bool v2)
{
    struct key16 key;
    const struct ntlm_kxkey_input input = {
        .flags = flags,
        .base_key = &chapter->base_key,
        .lm_response = slice_of(chapter->lm_response, sizeof chapter->lm_response),
        .challenge = server_challenge,
        .v2 = v2,
    };
    assert_true(ntlm_kxkey(&input, &key));
    return key;
}

static void check_encrypted(const struct key16 *exchange_key, const uint8_t wanted[16])
{
    struct rc4 rc4;
    uint8_t encrypted[16];
    rc4_init(&rc4, exchange_key->bytes, 16);
    rc4_crypt(&rc4, random_session_key.bytes, encrypted, 16);
    assert_memory_equal(encrypted, wanted, 16);
}

static void test_v1_keys(void **state)
{
    /* 4.2.2.1.3 Session base key and key exchange key */
    static const uint8_t base[16] = {0xd8, 0x72, 0x62, 0xb0, 0xcd, 0xe4, 0xb1, 0xcb,
                                     0x74, 0x99, 0xbe, 0xcc, 0xcd, 0xf1, 0x07, 0x84};
    /* 4.2.2.2.3 Encrypted session key, without NTLMSSP_REQUEST_NON_NT_SESSION_KEY and NTLMSSP_NEGOTIATE_LM_KEY, which are never agreed on here */
    static const uint8_t encrypted[16] = {0x51, 0x88, 0x22, 0xb1, 0xb3, 0xf3, 0x50, 0xc8,
                                          0x95, 0x86, 0x82, 0xec, 0xbb, 0x3e, 0x3c, 0xb7};
    (void)state;
    struct chapter v1 = chapter_v1(false);
    assert_memory_equal(v1.base_key.bytes, base, 16);
    struct key16 key = kxkey(&v1, V1_FLAGS, false);
    assert_memory_equal(key.bytes, base, 16);
    check_encrypted(&key, encrypted);
}

static void test_extended_keys(void **state)
{
    /* 4.2.3.1.3 Key exchange key */
    static const uint8_t exchange[16] = {0xeb, 0x93, 0x42, 0x9a, 0x8b, 0xd9, 0x52, 0xf8,
                                         0xb8, 0x9c, 0x55, 0xb8, 0x7f, 0x47, 0x5e, 0xdc};
    /* 4.2.3.4 */
    static const uint8_t seal[16] = {0x04, 0xdd, 0x7f, 0x01, 0x4d, 0x85, 0x04, 0xd2,
                                     0x65, 0xa2, 0x5c, 0xc8, 0x6a, 0x3a, 0x7c, 0x06};
    static const uint8_t sign[16] = {0x60, 0xe7, 0x99, 0xbe, 0x5c, 0x72, 0xfc, 0x92,
                                     0x92, 0x2a, 0xe8, 0xeb, 0xe9, 0x61, 0xfb, 0x8d};
    (void)state;
    struct chapter v1 = chapter_v1(true);
    struct key16 key = kxkey(&v1, ESS_FLAGS, false), derived, signing;
    size_t len;
    assert_memory_equal(key.bytes, exchange, 16);
    ntlm_message_keys(ESS_FLAGS, &key, true, &signing, &derived, &len);
    assert_int_equal(len, 16);
    assert_memory_equal(derived.bytes, seal, 16);
    assert_memory_equal(signing.bytes, sign, 16);
}

/* 4.2.4.1.3 and 3.3.2 "temp": time 0, the server's names */
static struct chapter chapter_v2(void)
{
    struct chapter v2;
    AUTO_WRITER struct writer pairs = writer_growing(64), blob = writer_growing(128);
    struct ntlm_client_challenge client = {.timestamp = 0};
    struct hmac_md5_key key;
    ntlm_nt_hash(slice_of(password, sizeof password), &v2.nt_hash);
    assert_int_equal(ntlm_v2_key(&v2.nt_hash, USER, USER_DOMAIN, &key), WIRE_OK);
    ntlm_av_write_text(&pairs, NTLM_AV_NB_DOMAIN, USER_DOMAIN);
    ntlm_av_write_text(&pairs, NTLM_AV_NB_COMPUTER, SERVER_NAME);
    ntlm_av_write(&pairs, NTLM_AV_EOL, slice_of(NULL, 0));
    memcpy(client.challenge, client_challenge, 8);
    client.pairs = writer_slice_of(&pairs);
    ntlm_client_challenge_write(&blob, &client);
    assert_int_equal(blob.len, sizeof v2.nt_response - 16);
    memcpy(v2.nt_response + 16, blob.data, blob.len);
    ntlm_v2_proof(&key, server_challenge, writer_slice_of(&blob), v2.nt_response);
    ntlm_v2_base_key(&key, v2.nt_response, &v2.base_key);
    ntlm_v2_proof(&key, server_challenge, slice_of(client_challenge, 8), v2.lm_response);
    memcpy(v2.lm_response + 16, client_challenge, 8);
    memset(&v2.lm_hash, 0, sizeof v2.lm_hash);
    return v2;
}

static void test_v2_keys(void **state)
{
    /* 4.2.4.1.2 Session base key, 4.2.4.2.1 LMv2 response, 4.2.4.2.2 NTLMv2 response, 4.2.4.2.3 Encrypted session key, 4.2.4.4 keys */
    static const uint8_t base[16] = {0x8d, 0xe4, 0x0c, 0xca, 0xdb, 0xc1, 0x4a, 0x82,
                                     0xf1, 0x5c, 0xb0, 0xad, 0x0d, 0xe9, 0x5c, 0xa3};
    static const uint8_t lm[16] = {0x86, 0xc3, 0x50, 0x97, 0xac, 0x9c, 0xec, 0x10,
                                   0x25, 0x54, 0x76, 0x4a, 0x57, 0xcc, 0xcc, 0x19};
    static const uint8_t proof[16] = {0x68, 0xcd, 0x0a, 0xb8, 0x51, 0xe5, 0x1c, 0x96,
                                      0xaa, 0xbc, 0x92, 0x7b, 0xeb, 0xef, 0x6a, 0x1c};
    static const uint8_t encrypted[16] = {0xc5, 0xda, 0xd2, 0x54, 0x4f, 0xc9, 0x79, 0x90,
                                          0x94, 0xce, 0x1c, 0xe9, 0x0b, 0xc9, 0xd0, 0x3e};
    static const uint8_t seal[16] = {0x59, 0xf6, 0x00, 0x97, 0x3c, 0xc4, 0x96, 0x0a,
                                     0x25, 0x48, 0x0a, 0x7c, 0x19, 0x6e, 0x4c, 0x58};
    static const uint8_t sign[16] = {0x47, 0x88, 0xdc, 0x86, 0x1b, 0x47, 0x82, 0xf3,
                                     0x5d, 0x43, 0xfd, 0x98, 0xfe, 0x1a, 0x2d, 0x39};
    (void)state;
    struct chapter v2 = chapter_v2();
    struct key16 derived, signing, key = kxkey(&v2, V2_FLAGS, true);
    size_t len;
    assert_memory_equal(v2.lm_response, lm, 16);
    assert_memory_equal(v2.nt_response, proof, 16);
    assert_memory_equal(key.bytes, base, 16);
    check_encrypted(&key, encrypted);
    ntlm_message_keys(V2_FLAGS, &random_session_key, true, &signing, &derived, &len);
    assert_int_equal(len, 16);
    assert_memory_equal(derived.bytes, seal, 16);
    assert_memory_equal(signing.bytes, sign, 16);
}

/* Both directions' at once are what each has by itself, however many bits the sealing keys are made of. */
static void test_both_directions(void **state)
{
    static const uint32_t bits[] = {NTLM_128 | NTLM_56, NTLM_56, 0};
    (void)state;
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
        struct key16 sign[2], seal[2], signing, sealing;
        uint32_t flags = NTLM_EXTENDED_SESSION_SECURITY | bits[i];
        size_t len;
        ntlm_message_keys_both(flags, &random_session_key, sign, seal);
        for (unsigned server = 0; server < 2; server++) {
            ntlm_message_keys(flags, &random_session_key, server == 0, &signing, &sealing, &len);
            assert_int_equal(len, 16);
            assert_memory_equal(sign[server].bytes, signing.bytes, 16);
            assert_memory_equal(seal[server].bytes, sealing.bytes, 16);
        }
    }
}

/* 3.4.5.3, whose examples have no numbers: lengths and constant ends of the other combinations */
static void test_short_seal_keys(void **state)
{
    static const uint8_t bits_40[8] = {0x55, 0x55, 0x55, 0x55, 0x55, 0xe5, 0x38, 0xb0};
    static const uint8_t bits_56[8] = {0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0xa0};
    struct key16 key, none;
    size_t len;
    (void)state;
    ntlm_message_keys(NTLM_LM_KEY, &random_session_key, true, &none, &key, &len);
    assert_int_equal(len, 8);
    assert_memory_equal(key.bytes, bits_40, 8);
    ntlm_message_keys(NTLM_LM_KEY | NTLM_56, &random_session_key, false, &none, &key, &len);
    assert_int_equal(len, 8);
    assert_memory_equal(key.bytes, bits_56, 8);
    ntlm_message_keys(NTLM_DATAGRAM, &random_session_key, false, &none, &key, &len);
    assert_int_equal(len, 8);
    assert_memory_equal(key.bytes, bits_40, 8);
    ntlm_message_keys(NTLM_128, &random_session_key, true, &none, &key, &len);
    assert_int_equal(len, 16);
    assert_memory_equal(key.bytes, random_session_key.bytes, 16);
}

static void check_wrap(uint32_t flags, const struct key16 *key, const uint8_t sealed[18], const uint8_t signature[16])
{
    struct ntlm_session_seed seed = {.flags = flags, .key = *key, .password_expiry = INT64_MAX};
    AUTO_WRITER struct writer own = writer_growing(64);
    uint8_t data[18], token[16];
    void *client, *server;
    uint32_t qop = 0;
    ntlm_session_seed_write(&own, &seed);
    assert_int_equal(ntlm_session_table.open(writer_slice_of(&own), 0, true, &client), SEC_E_OK);
    assert_int_equal(ntlm_session_table.open(writer_slice_of(&own), 0, false, &server), SEC_E_OK);
    memcpy(data, plain_text, sizeof data);
    struct message message = {.token = {token, sizeof token}, .n_data = 1};
    message.data[0] = (struct segment){.data = data, .len = sizeof data};
    assert_int_equal(ntlm_session_table.seal(client, 0, &message, 0), SEC_E_OK);
    assert_memory_equal(data, sealed, sizeof data);
    assert_memory_equal(token, signature, sizeof token);
    assert_int_equal(ntlm_session_table.unseal(server, &message, 0, &qop), SEC_E_OK);
    assert_memory_equal(data, plain_text, sizeof data);
    ntlm_session_table.close(client);
    ntlm_session_table.close(server);
}

static void test_wrap(void **state)
{
    /* 4.2.2.4 GSS_WrapEx examples (NTLM v1) */
    static const uint8_t v1_sealed[18] = {0x56, 0xfe, 0x04, 0xd8, 0x61, 0xf9, 0x31, 0x9a, 0xf0,
                                          0xd7, 0x23, 0x8a, 0x2e, 0x3b, 0x4d, 0x45, 0x7f, 0xb8};
    static const uint8_t v1_signature[16] = {0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                             0x09, 0xdc, 0xd1, 0xdf, 0x2e, 0x45, 0x9d, 0x36};
    /* 4.2.3.4 GSS_WrapEx examples (with client challenge: no key exchange, 56 bits, the key is KXKEY's) */
    static const uint8_t ess_sealed[18] = {0xa0, 0x23, 0x72, 0xf6, 0x53, 0x02, 0x73, 0xf3, 0xaa,
                                           0x1e, 0xb9, 0x01, 0x90, 0xce, 0x52, 0x00, 0xc9, 0x9d};
    static const uint8_t ess_signature[16] = {0x01, 0x00, 0x00, 0x00, 0xff, 0x2a, 0xeb, 0x52,
                                              0xf6, 0x81, 0x79, 0x3a, 0x00, 0x00, 0x00, 0x00};
    /* 4.2.4.4 GSS_WrapEx examples (NTLMv2) */
    static const uint8_t v2_sealed[18] = {0x54, 0xe5, 0x01, 0x65, 0xbf, 0x19, 0x36, 0xdc, 0x99,
                                          0x60, 0x20, 0xc1, 0x81, 0x1b, 0x0f, 0x06, 0xfb, 0x5f};
    static const uint8_t v2_signature[16] = {0x01, 0x00, 0x00, 0x00, 0x7f, 0xb3, 0x8e, 0xc5,
                                             0xc5, 0x5d, 0x49, 0x76, 0x00, 0x00, 0x00, 0x00};
    (void)state;
    struct chapter extended = chapter_v1(true);
    struct key16 exchange = kxkey(&extended, ESS_FLAGS, false);
    check_wrap(V1_FLAGS, &random_session_key, v1_sealed, v1_signature);
    check_wrap(ESS_FLAGS, &exchange, ess_sealed, ess_signature);
    check_wrap(V2_FLAGS, &random_session_key, v2_sealed, v2_signature);
}

/* The CHALLENGE messages of the chapters differ in flags and target information only. */
static void challenge_bytes(struct writer *writer, uint32_t flags, struct slice info)
{
    static const uint8_t windows[8] = {0x06, 0x00, 0x70, 0x17, 0x00, 0x00, 0x00, 0x0f};
    static const uint8_t name[12] = {'S', 0, 'e', 0, 'r', 0, 'v', 0, 'e', 0, 'r', 0};
    writer_bytes(writer, "NTLMSSP", 8);
    writer_u32le(writer, 2);
    writer_u16le(writer, 12);
    writer_u16le(writer, 12);
    writer_u32le(writer, 0x38);
    writer_u32le(writer, flags);
    writer_bytes(writer, server_challenge, 8);
    writer_zeros(writer, 8);
    writer_u16le(writer, (uint16_t)info.len);
    writer_u16le(writer, (uint16_t)info.len);
    writer_u32le(writer, info.len > 0 ? 0x44 : 0);
    writer_bytes(writer, windows, 8);
    writer_bytes(writer, name, sizeof name);
    writer_slice(writer, info);
}

/* 4.2.2.3, 4.2.3.3, 4.2.4.3: CHALLENGE_MESSAGE */
static void test_challenges(void **state)
{
    static const uint8_t info[36] = {0x02, 0x00, 0x0c, 0x00, 'D',  0,    'o',  0,    'm',  0,    'a',  0,
                                     'i',  0,    'n',  0,    0x01, 0x00, 0x0c, 0x00, 'S',  0,    'e',  0,
                                     'r',  0,    'v',  0,    'e',  0,    'r',  0,    0x00, 0x00, 0x00, 0x00};
    static const uint32_t flags[] = {V1_FLAGS, ESS_FLAGS, V2_FLAGS};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        bool has_info = flags[i] == V2_FLAGS;
        AUTO_WRITER struct writer bytes = writer_growing(128), again = writer_growing(128);
        struct ntlm_challenge challenge;
        AUTO_FREE char *name = NULL;
        challenge_bytes(&bytes, flags[i], slice_of(info, has_info ? sizeof info : 0));
        assert_int_equal(bytes.len, has_info ? 0x68 : 0x44);
        assert_int_equal(ntlm_challenge_parse(writer_slice_of(&bytes), &challenge), WIRE_OK);
        assert_int_equal(challenge.flags, flags[i]);
        assert_memory_equal(challenge.challenge, server_challenge, 8);
        assert_int_equal(ntlm_text_read(challenge.flags, challenge.target_name, &name), WIRE_OK);
        assert_string_equal(name, SERVER_NAME);
        assert_true(slice_equal(challenge.target_info, slice_of(info, has_info ? sizeof info : 0)));
        /* Written by us it is the same message, but for the version (2.2.2.10) and the offset of the empty field. */
        ntlm_challenge_write(&again, &challenge);
        assert_int_equal(again.len, bytes.len);
        assert_memory_equal(again.data, bytes.data, has_info ? 48 : 44);
        assert_memory_equal(again.data + 56, bytes.data + 56, bytes.len - 56);
    }
}

/* 4.2.2.3, 4.2.3.3, 4.2.4.3: the AUTHENTICATE_MESSAGE's header; the payload is domain, user, workstation, responses, key */
static const uint8_t v1_header[72] = {
    0x4e, 0x54, 0x4c, 0x4d, 0x53, 0x53, 0x50, 0x00, 0x03, 0x00, 0x00, 0x00, 0x18, 0x00, 0x18, 0x00, 0x6c, 0x00,
    0x00, 0x00, 0x18, 0x00, 0x18, 0x00, 0x84, 0x00, 0x00, 0x00, 0x0c, 0x00, 0x0c, 0x00, 0x48, 0x00, 0x00, 0x00,
    0x08, 0x00, 0x08, 0x00, 0x54, 0x00, 0x00, 0x00, 0x10, 0x00, 0x10, 0x00, 0x5c, 0x00, 0x00, 0x00, 0x10, 0x00,
    0x10, 0x00, 0x9c, 0x00, 0x00, 0x00, 0x35, 0x82, 0x80, 0xe2, 0x05, 0x01, 0x28, 0x0a, 0x00, 0x00, 0x00, 0x0f,
};
static const uint8_t ess_header[72] = {
    0x4e, 0x54, 0x4c, 0x4d, 0x53, 0x53, 0x50, 0x00, 0x03, 0x00, 0x00, 0x00, 0x18, 0x00, 0x18, 0x00, 0x6c, 0x00,
    0x00, 0x00, 0x18, 0x00, 0x18, 0x00, 0x84, 0x00, 0x00, 0x00, 0x0c, 0x00, 0x0c, 0x00, 0x48, 0x00, 0x00, 0x00,
    0x08, 0x00, 0x08, 0x00, 0x54, 0x00, 0x00, 0x00, 0x10, 0x00, 0x10, 0x00, 0x5c, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x9c, 0x00, 0x00, 0x00, 0x35, 0x82, 0x08, 0x82, 0x05, 0x01, 0x28, 0x0a, 0x00, 0x00, 0x00, 0x0f,
};
static const uint8_t v2_header[72] = {
    0x4e, 0x54, 0x4c, 0x4d, 0x53, 0x53, 0x50, 0x00, 0x03, 0x00, 0x00, 0x00, 0x18, 0x00, 0x18, 0x00, 0x6c, 0x00,
    0x00, 0x00, 0x54, 0x00, 0x54, 0x00, 0x84, 0x00, 0x00, 0x00, 0x0c, 0x00, 0x0c, 0x00, 0x48, 0x00, 0x00, 0x00,
    0x08, 0x00, 0x08, 0x00, 0x54, 0x00, 0x00, 0x00, 0x10, 0x00, 0x10, 0x00, 0x5c, 0x00, 0x00, 0x00, 0x10, 0x00,
    0x10, 0x00, 0xd8, 0x00, 0x00, 0x00, 0x35, 0x82, 0x88, 0xe2, 0x05, 0x01, 0x28, 0x0a, 0x00, 0x00, 0x00, 0x0f,
};

static void check_text(struct slice bytes, const char *wanted)
{
    AUTO_FREE char *text = NULL;
    assert_int_equal(ntlm_text_read(NTLM_UNICODE, bytes, &text), WIRE_OK);
    assert_string_equal(text, wanted);
}

static void check_authenticate(const uint8_t header[72], const struct chapter *chapter, size_t nt_len,
                               const struct key16 *exchange_key, enum ntlm_response_kind kind)
{
    AUTO_WRITER struct writer bytes = writer_growing(256), again = writer_growing(256);
    struct ntlm_authenticate message;
    uint8_t encrypted[16];
    struct rc4 rc4;
    struct key16 base;
    struct hmac_md5_key v2_key;
    writer_bytes(&bytes, header, 72);
    assert_int_equal(ntlm_text_write(NTLM_UNICODE, &bytes, USER_DOMAIN USER WORKSTATION), WIRE_OK);
    writer_bytes(&bytes, chapter->lm_response, 24);
    writer_bytes(&bytes, chapter->nt_response, nt_len);
    if (exchange_key != NULL) {
        rc4_init(&rc4, exchange_key->bytes, 16);
        rc4_crypt(&rc4, random_session_key.bytes, encrypted, 16);
        writer_bytes(&bytes, encrypted, 16);
    }
    assert_int_equal(ntlm_authenticate_parse(writer_slice_of(&bytes), &message), WIRE_OK);
    check_text(message.domain, USER_DOMAIN);
    check_text(message.user, USER);
    check_text(message.workstation, WORKSTATION);
    assert_false(message.has_mic_field);
    assert_int_equal(message.session_key.len, exchange_key != NULL ? 16 : 0);
    assert_int_equal(ntlm_v2_key(&chapter->nt_hash, USER, USER_DOMAIN, &v2_key), WIRE_OK);
    const struct ntlm_response_input input = {
        .nt_hash = &chapter->nt_hash,
        .v2_key = &v2_key,
        .challenge = server_challenge,
        .lm_response = message.lm_response,
        .nt_response = message.nt_response,
        .extended_session_security = (message.flags & NTLM_EXTENDED_SESSION_SECURITY) != 0,
        .allow_v1 = true,
    };
    assert_int_equal(ntlm_response_verify(&input, &base), kind);
    assert_memory_equal(base.bytes, chapter->base_key.bytes, 16);
    /* Written by us it is the same message, but for the version. */
    ntlm_authenticate_write(&again, &message);
    assert_int_equal(again.len, bytes.len);
    assert_memory_equal(again.data, bytes.data, 64);
    assert_memory_equal(again.data + 72, bytes.data + 72, bytes.len - 72);
}

static void test_authenticates(void **state)
{
    (void)state;
    struct chapter v1 = chapter_v1(false), extended = chapter_v1(true), v2 = chapter_v2();
    struct key16 key = kxkey(&v1, V1_FLAGS, false);
    check_authenticate(v1_header, &v1, 24, &key, NTLM_RESPONSE_V1);
    check_authenticate(ess_header, &extended, 24, NULL, NTLM_RESPONSE_V1);
    check_authenticate(v2_header, &v2, 84, &v2.base_key, NTLM_RESPONSE_V2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v1_keys),         cmocka_unit_test(test_extended_keys),   cmocka_unit_test(test_v2_keys),
        cmocka_unit_test(test_both_directions), cmocka_unit_test(test_short_seal_keys), cmocka_unit_test(test_wrap),
        cmocka_unit_test(test_challenges),      cmocka_unit_test(test_authenticates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
