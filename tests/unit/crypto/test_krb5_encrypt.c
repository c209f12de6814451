/*
 * Encryption and checksums of one text at a time: RFC 8009's vectors, and libkrb5 in both directions for all types, usages and lengths. RFC 3962 and
 * RFC 4757 give no vectors of whole cipher texts; those of their parts are in test_krb5_crypto.c, test_rc4.c and test_hmac.c.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "crypto/krb5_encrypt.h"
#include "crypto/processor.h"
#include "crypto/random.h"
#include "reference.h"
#include "rfc8009.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const int32_t types[] = {KRB_AES128_SHA1, KRB_AES256_SHA1, KRB_AES128_SHA256, KRB_AES256_SHA384, KRB_RC4_HMAC};
static const enum krb_usage usages[] = {KRB_USAGE_TICKET, KRB_USAGE_AP_REQ, KRB_USAGE_AP_REP, KRB_USAGE_PAC};

static struct krb_key key_of(int32_t enctype, const char *hex)
{
    struct krb_key key = {0};
    uint8_t bytes[KRB_KEY_MAX];
    size_t len = from_hex(hex, bytes);
    assert_true(krb_key_set(&key, enctype, slice_of(bytes, len)));
    return key;
}

static uint8_t confounder[16];

static bool give_confounder(void *data, size_t len)
{
    assert_int_equal(len, sizeof confounder);
    memcpy(data, confounder, len);
    return true;
}

static void vectors_of_rfc_8009(void **state)
{
    (void)state;
    uint8_t plain[21], expected[80];
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (uint8_t)i;
    for (size_t i = 0; i < COUNT_OF(rfc8009_encryptions); i++) {
        struct krb_key key = key_of(rfc8009_encryptions[i].enctype, rfc8009_encryptions[i].key);
        AUTO_WRITER struct writer cipher = writer_growing(0);
        AUTO_SECRET struct secret buffer = {0};
        struct slice opened;
        size_t plain_len = rfc8009_encryptions[i].plain_len, len = from_hex(rfc8009_encryptions[i].cipher, expected);
        from_hex(rfc8009_encryptions[i].confounder, confounder);
        random_hook(give_confounder);
        assert_true(krb_encrypt(&key, KRB_USAGE_TICKET, slice_of(plain, plain_len), &cipher));
        random_hook(NULL);
        assert_int_equal(cipher.len, len);
        assert_memory_equal(cipher.data, expected, len);
        assert_true(krb_decrypt(&key, KRB_USAGE_TICKET, writer_slice_of(&cipher), &buffer, &opened));
        assert_int_equal(opened.len, plain_len);
        assert_memory_equal(opened.data, plain, opened.len);
    }
    const struct slice text = slice_of(plain, 21);
    for (size_t i = 0; i < COUNT_OF(rfc8009_checksums); i++) {
        struct krb_key key = key_of(rfc8009_checksums[i].enctype, rfc8009_checksums[i].key);
        size_t len = from_hex(rfc8009_checksums[i].mac, expected);
        assert_true(krb_checksum_verify(&key, KRB_USAGE_TICKET, &text, 1, slice_of(expected, len)));
    }
}

/* A key is not another type's because its length fits. */
static void keys_of_their_type(void **state)
{
    (void)state;
    static const struct {
        int32_t enctype;
        size_t len;
        int32_t checksum;
    } known[] = {{17, 16, 15}, {18, 32, 16}, {19, 16, 19}, {20, 32, 20}, {23, 16, -138}};
    uint8_t bytes[64] = {1, 2, 3};
    for (int32_t enctype = -200; enctype < 200; enctype++) {
        size_t len = 0;
        int32_t checksum = 0;
        for (size_t i = 0; i < COUNT_OF(known); i++)
            if (known[i].enctype == enctype)
                len = known[i].len, checksum = known[i].checksum;
        assert_int_equal(krb_enctype_key_len(enctype), len);
        assert_int_equal(krb_checksum_type(enctype), checksum);
        struct krb_key key, before;
        for (size_t given = 0; given <= sizeof bytes; given++) {
            memset(&key, 0x5a, sizeof key);
            before = key;
            bool taken = krb_key_set(&key, enctype, slice_of(bytes, given));
            assert_int_equal(taken, len != 0 && given == len);
            if (!taken)
                assert_memory_equal(&key, &before, sizeof key);
        }
        assert_int_equal(krb_key_generate(&key, enctype), len != 0);
    }
    struct krb_key none = {.enctype = 3};
    AUTO_WRITER struct writer cipher = writer_growing(0);
    AUTO_SECRET struct secret buffer = {0};
    struct slice plain;
    assert_false(krb_encrypt(&none, KRB_USAGE_TICKET, slice_of(bytes, 3), &cipher));
    assert_false(krb_decrypt(&none, KRB_USAGE_TICKET, slice_of(bytes, 64), &buffer, &plain));
    assert_false(krb_checksum_verify(&none, KRB_USAGE_PAC, NULL, 0, slice_of(bytes, 16)));
    krb_key_wipe(&none);
    assert_int_equal(none.enctype, 0);
}

static struct krb_key any_key(int32_t enctype)
{
    struct krb_key key = {0};
    assert_true(krb_key_generate(&key, enctype));
    return key;
}

static bool opens(const struct krb_key *key, enum krb_usage usage, const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1); /* of its size, for sanitizers */
    struct secret buffer = {0};
    static const uint8_t nowhere;
    struct slice plain = slice_of(&nowhere, 42);
    assert_non_null(copy);
    if (len > 0)
        memcpy(copy, bytes, len);
    bool opened = krb_decrypt(key, usage, slice_of(copy, len), &buffer, &plain);
    if (!opened) {
        assert_null(buffer.data);
        assert_true(plain.data == &nowhere && plain.len == 42);
    }
    secret_release(&buffer);
    free(copy);
    return opened;
}

static void nothing_forged_opens(void **state)
{
    (void)state;
    static const size_t lens[] = {0, 1, 15, 16, 17, 32, 40, 200, 400}; /* the last is no short one (krb5_short.c) */
    uint8_t plain[400] = {7};
    for (size_t i = 0; i < COUNT_OF(types); i++)
        for (size_t j = 0; j < COUNT_OF(lens); j++) {
            struct krb_key key = any_key(types[i]), wrong = key;
            AUTO_WRITER struct writer cipher = writer_growing(0);
            assert_true(krb_encrypt(&key, KRB_USAGE_AP_REQ, slice_of(plain, lens[j]), &cipher));
            assert_true(opens(&key, KRB_USAGE_AP_REQ, cipher.data, cipher.len));
            for (size_t len = 0; len < cipher.len; len++)
                assert_false(opens(&key, KRB_USAGE_AP_REQ, cipher.data, len));
            for (size_t at = 0; at < 8 * cipher.len; at++) {
                cipher.data[at / 8] ^= (uint8_t)(1u << at % 8);
                assert_false(opens(&key, KRB_USAGE_AP_REQ, cipher.data, cipher.len));
                cipher.data[at / 8] ^= (uint8_t)(1u << at % 8);
            }
            for (size_t k = 0; k < COUNT_OF(usages); k++)
                assert_int_equal(opens(&key, usages[k], cipher.data, cipher.len), usages[k] == KRB_USAGE_AP_REQ);
            wrong.bytes[key.len - 1] ^= 0x80;
            assert_false(opens(&wrong, KRB_USAGE_AP_REQ, cipher.data, cipher.len));
            writer_u8(&cipher, 0);
            assert_false(opens(&key, KRB_USAGE_AP_REQ, cipher.data, cipher.len));
        }
}

static void nothing_given_is_an_empty_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct krb_key key = any_key(types[i]);
        AUTO_WRITER struct writer cipher = writer_growing(0);
        AUTO_SECRET struct secret buffer = {0};
        struct slice plain;
        assert_true(krb_encrypt(&key, KRB_USAGE_AP_REP, slice_of(NULL, 0), &cipher));
        assert_true(krb_decrypt(&key, KRB_USAGE_AP_REP, writer_slice_of(&cipher), &buffer, &plain));
        assert_int_equal(plain.len, 0);
    }
}

/* Appends behind what the writer holds; a buffer's former secret goes when the new one is there. */
static void output_is_kept(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct krb_key key = any_key(types[i]);
        AUTO_WRITER struct writer cipher = writer_growing(0);
        AUTO_SECRET struct secret buffer = {0};
        struct slice plain;
        writer_bytes(&cipher, "before", 6);
        assert_true(krb_encrypt(&key, KRB_USAGE_AP_REP, slice_of("text", 4), &cipher));
        assert_memory_equal(cipher.data, "before", 6);
        assert_true(secret_set(&buffer, "old", 3));
        assert_false(krb_decrypt(&key, KRB_USAGE_AP_REP, slice_of(cipher.data, cipher.len), &buffer, &plain));
        assert_memory_equal(buffer.data, "old", 3);
        assert_true(krb_decrypt(&key, KRB_USAGE_AP_REP, slice_of(cipher.data + 6, cipher.len - 6), &buffer, &plain));
        assert_int_equal(plain.len, 4);
        assert_memory_equal(plain.data, "text", 4);
        uint8_t small[8];
        struct writer full = writer_fixed(small, sizeof small);
        assert_false(krb_encrypt(&key, KRB_USAGE_AP_REP, slice_of("text", 4), &full));
        assert_int_equal(writer_finish(&full), WIRE_BAD);
    }
}

static bool no_random(void *data, size_t len)
{
    (void)data, (void)len;
    return false;
}

static void no_randomness_no_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct krb_key key = any_key(types[i]);
        AUTO_WRITER struct writer cipher = writer_growing(0);
        random_hook(no_random);
        assert_false(krb_encrypt(&key, KRB_USAGE_AP_REP, slice_of("text", 4), &cipher));
        assert_false(krb_key_generate(&key, types[i]));
        random_hook(NULL);
        assert_int_equal(writer_finish(&cipher), WIRE_BAD); /* what has no cipher text in it is not sent */
    }
}

static void memory_runs_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct krb_key key = any_key(types[i]);
        for (unsigned long n = 1; n < 50; n++) {
            AUTO_WRITER struct writer cipher = writer_growing(0);
            AUTO_SECRET struct secret buffer = {0};
            struct slice plain;
            mem_fault_set(n, true);
            bool done = krb_encrypt(&key, KRB_USAGE_AP_REP, slice_of("text", 4), &cipher) &&
                        krb_decrypt(&key, KRB_USAGE_AP_REP, writer_slice_of(&cipher), &buffer, &plain);
            bool struck = mem_fault_count() >= n;
            mem_fault_set(0, false);
            assert_int_equal(done, !struck);
            if (!struck)
                break;
            assert_true(n < 49);
        }
    }
}

static void checksums_in_pieces(void **state)
{
    (void)state;
    /* The text in every pair of pieces, and too many of them. */
    uint8_t text[21], mac[32];
    struct krb_key key = key_of(rfc8009_checksums[0].enctype, rfc8009_checksums[0].key);
    size_t len = from_hex(rfc8009_checksums[0].mac, mac);
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)i;
    for (size_t cut = 0; cut <= sizeof text; cut++) {
        const struct slice pieces[] = {slice_of(text, cut), slice_of(NULL, 0), slice_of(text + cut, sizeof text - cut)};
        assert_true(krb_checksum_verify(&key, KRB_USAGE_TICKET, pieces, 3, slice_of(mac, len)));
        assert_false(krb_checksum_verify(&key, KRB_USAGE_TICKET, pieces, 2, slice_of(mac, len)) && cut < sizeof text);
    }
    struct slice many[KRB_CHECKSUM_PIECES + 1] = {{text, sizeof text}};
    assert_true(krb_checksum_verify(&key, KRB_USAGE_TICKET, many, KRB_CHECKSUM_PIECES, slice_of(mac, len)));
    assert_false(krb_checksum_verify(&key, KRB_USAGE_TICKET, many, KRB_CHECKSUM_PIECES + 1, slice_of(mac, len)));
    for (size_t cut = 0; cut < sizeof mac; cut++)
        assert_int_equal(krb_checksum_verify(&key, KRB_USAGE_TICKET, many, 1, slice_of(mac, cut)), cut == len);
}

static const unsigned lacking[] = {0, PROCESSOR_AES, PROCESSOR_SHA, PROCESSOR_AES | PROCESSOR_SHA};

/* A key that is prepared does what it does by itself, is prepared for nothing else, and stays as it is: whoever shares it may use it at the same
 * time. */
static void prepared_once(void **state)
{
    (void)state;
    static const struct krb_purpose purposes[] = {
        {KRB_ENCRYPTING, KRB_USAGE_AP_REQ}, {KRB_DECRYPTING, KRB_USAGE_AP_REP}, {KRB_DECRYPTING, KRB_USAGE_AP_REQ}};
    for (size_t i = 0; i < COUNT_OF(types) * COUNT_OF(lacking); i++) {
        struct krb_key key = any_key(types[i / COUNT_OF(lacking)]);
        struct krb_prepared prepared[COUNT_OF(purposes)], before[COUNT_OF(purposes)];
        memset(prepared, 0x5a, sizeof prepared);
        processor_lacks(lacking[i % COUNT_OF(lacking)]);
        assert_true(krb_prepare(&key, purposes, COUNT_OF(purposes), prepared));
        memcpy(before, prepared, sizeof before);
        for (size_t len = 0; len < 70; len++) {
            uint8_t text[70];
            AUTO_WRITER struct writer request = writer_growing(0), reply = writer_growing(0);
            AUTO_SECRET struct secret buffer = {0};
            struct slice plain;
            assert_true(random_bytes(text, sizeof text));
            assert_true(krb_prepared_encrypt(&prepared[0], slice_of(text, len), &request));
            assert_true(krb_decrypt(&key, KRB_USAGE_AP_REQ, writer_slice_of(&request), &buffer, &plain));
            assert_true(plain.len == len && memcmp(plain.data, text, len) == 0);
            assert_true(krb_prepared_decrypt(&prepared[2], writer_slice_of(&request), &buffer, &plain));
            assert_true(plain.len == len && memcmp(plain.data, text, len) == 0);
            assert_true(krb_encrypt(&key, KRB_USAGE_AP_REP, slice_of(text, len), &reply));
            assert_true(krb_prepared_decrypt(&prepared[1], writer_slice_of(&reply), &buffer, &plain));
            assert_true(plain.len == len && memcmp(plain.data, text, len) == 0);
            assert_false(krb_prepared_decrypt(&prepared[1], writer_slice_of(&request), &buffer, &plain));
            reply.data[len % reply.len] ^= 1;
            assert_false(krb_prepared_decrypt(&prepared[1], writer_slice_of(&reply), &buffer, &plain));
            assert_false(krb_prepared_decrypt(&prepared[1], slice_of(NULL, 0), &buffer, &plain));
        }
        assert_memory_equal(prepared, before, sizeof before);
        processor_lacks(0);
        for (size_t j = 0; j < COUNT_OF(purposes); j++) {
            krb_prepared_wipe(&prepared[j]);
            assert_true(secret_is_zero(&prepared[j], sizeof prepared[j]));
        }
    }
}

static void not_prepared(void **state)
{
    (void)state;
    static const struct krb_purpose purposes[] = {{KRB_DECRYPTING, KRB_USAGE_TICKET}, {KRB_SIGNING, KRB_USAGE_PAC}};
    const struct krb_key none = {.enctype = 3, .len = 8};
    struct krb_prepared prepared[2];
    uint8_t bytes[64] = {0};
    AUTO_WRITER struct writer cipher = writer_growing(0);
    AUTO_SECRET struct secret buffer = {0};
    struct slice plain;
    memset(prepared, 0x5a, sizeof prepared);
    assert_false(krb_prepare(&none, purposes, 2, prepared));
    assert_true(secret_is_zero(prepared, sizeof prepared));
    assert_false(krb_prepared_encrypt(&prepared[0], slice_of("text", 4), &cipher));
    assert_int_equal(cipher.len, 0);
    assert_false(krb_prepared_decrypt(&prepared[0], slice_of(bytes, sizeof bytes), &buffer, &plain));
    for (size_t len = 0; len < sizeof bytes; len++)
        assert_false(krb_prepared_verify(&prepared[1], NULL, 0, slice_of(bytes, len)));
}

static void memory_runs_out_preparing(void **state)
{
    (void)state;
    static const struct krb_purpose purposes[] = {{KRB_ENCRYPTING, KRB_USAGE_AP_REQ}, {KRB_SIGNING, KRB_USAGE_PAC}};
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct krb_key key = any_key(types[i]);
        struct krb_prepared prepared[2];
        AUTO_WRITER struct writer cipher = writer_growing(64);
        assert_true(krb_prepare(&key, purposes, 2, prepared)); /* takes none of ours */
        mem_fault_set(1, true);
        assert_false(krb_prepared_encrypt(&prepared[0], slice_of("text", 4), &cipher));
        mem_fault_set(0, false);
        assert_int_equal(writer_finish(&cipher), WIRE_BAD);
    }
}

#ifdef OPENSSPI_WITH_KERBEROS
#include <krb5.h>

static krb5_context krb;
#define LEN_MAX 200

static int krb_begin(void **state)
{
    (void)state;
    return krb5_init_context(&krb) != 0;
}

static int krb_end(void **state)
{
    (void)state;
    krb5_free_context(krb);
    return 0;
}

static void libkrb5_opens_ours_and_we_its(void **state)
{
    (void)state;
    uint8_t text[LEN_MAX];
    char room[LEN_MAX + 64];
    assert_true(random_bytes(text, sizeof text));
    for (size_t i = 0; i < COUNT_OF(types); i++)
        for (size_t j = 0; j < COUNT_OF(usages); j++)
            for (size_t len = 0; len <= LEN_MAX; len++) {
                struct krb_key key = any_key(types[i]);
                krb5_keyblock block = {.enctype = types[i], .length = key.len, .contents = key.bytes};
                AUTO_WRITER struct writer cipher = writer_growing(0);
                AUTO_SECRET struct secret buffer = {0};
                struct slice plain;
                assert_true(krb_encrypt(&key, usages[j], slice_of(text, len), &cipher));
                krb5_enc_data theirs = {.enctype = types[i],
                                        .ciphertext = {.data = (char *)cipher.data, .length = (unsigned)cipher.len}};
                krb5_data opened = {.data = room, .length = sizeof room};
                assert_int_equal(krb5_c_decrypt(krb, &block, (krb5_keyusage)usages[j], NULL, &theirs, &opened), 0);
                assert_int_equal(opened.length, len);
                assert_memory_equal(room, text, len);
                krb5_data in = {.data = (char *)text, .length = (unsigned)len};
                theirs.ciphertext.data = room;
                theirs.ciphertext.length = sizeof room;
                assert_int_equal(krb5_c_encrypt(krb, &block, (krb5_keyusage)usages[j], NULL, &in, &theirs), 0);
                assert_true(krb_decrypt(&key, usages[j], slice_of(room, theirs.ciphertext.length), &buffer, &plain));
                assert_int_equal(plain.len, len);
                assert_memory_equal(plain.data, text, len);
            }
}

static void libkrb5s_checksums(void **state)
{
    (void)state;
    uint8_t text[LEN_MAX];
    assert_true(random_bytes(text, sizeof text));
    for (size_t i = 0; i < COUNT_OF(types); i++)
        for (size_t j = 0; j < COUNT_OF(usages); j++)
            for (size_t len = 0; len <= LEN_MAX; len++) {
                struct krb_key key = any_key(types[i]);
                krb5_keyblock block = {.enctype = types[i], .length = key.len, .contents = key.bytes};
                krb5_data in = {.data = (char *)text, .length = (unsigned)len};
                krb5_checksum sum = {0};
                const struct slice pieces[] = {slice_of(text, len / 3), slice_of(text + len / 3, len - len / 3)};
                assert_int_equal(
                    krb5_c_make_checksum(krb, krb_checksum_type(types[i]), &block, (krb5_keyusage)usages[j], &in, &sum),
                    0);
                const struct krb_purpose purpose = {KRB_SIGNING, usages[j]};
                struct krb_prepared prepared;
                assert_true(krb_prepare(&key, &purpose, 1, &prepared));
                assert_true(krb_checksum_verify(&key, usages[j], pieces, 2, slice_of(sum.contents, sum.length)));
                assert_true(krb_prepared_verify(&prepared, pieces, 2, slice_of(sum.contents, sum.length)));
                assert_false(krb_checksum_verify(&key, usages[(j + 1) % COUNT_OF(usages)], pieces, 2,
                                                 slice_of(sum.contents, sum.length)));
                for (size_t at = 0; at < 8 * sum.length; at += 1 + len) {
                    sum.contents[at / 8] ^= (uint8_t)(1u << at % 8);
                    assert_false(krb_checksum_verify(&key, usages[j], pieces, 2, slice_of(sum.contents, sum.length)));
                    assert_false(krb_prepared_verify(&prepared, pieces, 2, slice_of(sum.contents, sum.length)));
                    sum.contents[at / 8] ^= (uint8_t)(1u << at % 8);
                }
                krb5_free_checksum_contents(krb, &sum);
            }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_of_rfc_8009),
        cmocka_unit_test(keys_of_their_type),
        cmocka_unit_test(nothing_forged_opens),
        cmocka_unit_test(nothing_given_is_an_empty_text),
        cmocka_unit_test(output_is_kept),
        cmocka_unit_test(no_randomness_no_text),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(checksums_in_pieces),
        cmocka_unit_test(prepared_once),
        cmocka_unit_test(not_prepared),
        cmocka_unit_test(memory_runs_out_preparing),
#ifdef OPENSSPI_WITH_KERBEROS
        cmocka_unit_test_setup_teardown(libkrb5_opens_ours_and_we_its, krb_begin, krb_end),
        cmocka_unit_test_setup_teardown(libkrb5s_checksums, krb_begin, krb_end),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
