/*
 * One direction of SASL's protection by itself: paddings that are none, under codes that are right, and the end of its numbers.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "digest/sasl_lane.h"
#include <string.h>

static struct digest_terms terms;
static struct sasl_lane from, to;

static void lanes_start(enum digest_cipher cipher)
{
    sasl_lane_end(&from);
    sasl_lane_end(&to);
    memset(&from, 0, sizeof from);
    memset(&to, 0, sizeof to);
    terms.cipher = cipher;
    memset(terms.key, 0x5a, sizeof terms.key);
    assert_true(sasl_lane_start(&from, &terms, true, true));
    assert_true(sasl_lane_start(&to, &terms, true, false));
}

struct parts {
    uint8_t data[64], padding[16], token[SASL_SIGNATURE_LEN];
    size_t len, padding_len;
};

static struct message message_of(struct parts *parts)
{
    struct message message = {.n_data = 1, .token = {parts->token, sizeof parts->token}};
    message.data[0] = (struct segment){.data = parts->data, .len = parts->len};
    message.padding = (struct slice_mut){parts->padding_len > 0 ? parts->padding : NULL, parts->padding_len};
    return message;
}

/* What the peer would send who has the keys, pads as he likes, and signs what is left by the honest rule. The whole is in `data` and `token`. */
static void forge(struct parts *parts, const char *text, const uint8_t *padding, size_t padding_len)
{
    struct hmac_md5 hmac;
    uint8_t number[4] = {0, 0, 0, (uint8_t)from.seq}, mac[MD5_LEN];
    size_t len = strlen(text);
    memset(parts, 0, sizeof *parts);
    memcpy(parts->data, text, len);
    memcpy(parts->data + len, padding, padding_len);
    parts->len = len + padding_len;
    hmac_md5_init(&hmac, &from.sign);
    hmac_md5_update(&hmac, number, sizeof number);
    hmac_md5_update(&hmac, text, len);
    hmac_md5_final(&hmac, mac);
    memcpy(parts->token, mac, SASL_MAC_LEN);
    parts->token[11] = 1;
    memcpy(parts->token + 12, number, sizeof number);
    uint8_t whole[sizeof parts->data + SASL_MAC_LEN];
    memcpy(whole, parts->data, parts->len);
    memcpy(whole + parts->len, parts->token, SASL_MAC_LEN);
    assert_int_equal((parts->len + SASL_MAC_LEN) % DES_BLOCK_LEN, 0);
    assert_true(des3_cbc_crypt(from.des3, whole, parts->len + SASL_MAC_LEN));
    memcpy(parts->data, whole, parts->len);
    memcpy(parts->token, whole + parts->len, SASL_MAC_LEN);
}

static void test_paddings(void **state)
{
    static const char text[] = "0123456789012345678901234567890123456789";
    (void)state;
    for (size_t n = 0; n <= 16; n++) { /* each right one, at the end of the data and in its own buffer */
        char start[32];
        uint8_t padding[8];
        memcpy(start, text, n);
        start[n] = '\0';
        for (int apart = 0; apart < 2; apart++) {
            struct parts parts;
            lanes_start(CIPHER_3DES);
            size_t len = sasl_lane_padding(&from, n);
            assert_in_range(len, 1, 8);
            memset(padding, (int)len, sizeof padding);
            forge(&parts, start, padding, len);
            if (apart != 0) {
                memcpy(parts.padding, parts.data + n, len);
                parts.padding_len = len;
                parts.len = n;
            }
            struct message message = message_of(&parts);
            assert_int_equal(sasl_lane_receive(&to, &message), SEC_E_OK);
            assert_int_equal(message.data[0].len, n);
            assert_memory_equal(parts.data, text, n);
        }
    }
    /* 14 bytes of text and padding are three blocks less the code's ten bytes */
    static const struct {
        const char *text;
        uint8_t padding[14];
    } wrong[] = {
        {"01234567", {6, 6, 6, 6, 5, 6}},
        {"01234567", {7, 6, 6, 6, 6, 6}},
        {"01234567", {6, 6, 6, 6, 6, 7}},
        {"01234567", {0}},
        {"01234567", {255, 255, 255, 255, 255, 255}},
        {"01234567", {1, 2, 3, 4, 5, 6}},
        {"0123456", {6, 6, 6, 6, 6, 6, 6}},
        {"", {14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14}},
        {"01234", {9, 9, 9, 9, 9, 9, 9, 9, 9}},
        {"012345678", {6, 6, 6, 6, 6}},
        {"", {0}},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct parts parts;
        lanes_start(CIPHER_3DES);
        forge(&parts, wrong[i].text, wrong[i].padding, 14 - strlen(wrong[i].text));
        struct message message = message_of(&parts);
        assert_int_equal(sasl_lane_receive(&to, &message), SEC_E_MESSAGE_ALTERED);
        assert_int_equal(message.data[0].len, 14);
    }
    /* nothing but a code: no block has place for a padding */
    struct parts parts = {0};
    lanes_start(CIPHER_3DES);
    parts.token[11] = 1;
    struct message message = message_of(&parts);
    assert_int_equal(sasl_lane_receive(&to, &message), SEC_E_MESSAGE_ALTERED); /* 10 bytes are no blocks */
    parts.padding_len = 6;
    message = message_of(&parts);
    assert_int_equal(sasl_lane_receive(&to, &message), SEC_E_MESSAGE_ALTERED);
    message = message_of(&parts);
    assert_int_equal(sasl_lane_receive(&to, &message), SEC_E_CONTEXT_EXPIRED);
}

/* Numbers are not used twice: 2^32 - 2 is the last. */
static void test_last_number(void **state)
{
    static const enum digest_cipher ciphers[] = {CIPHER_NONE, CIPHER_RC4, CIPHER_3DES};
    (void)state;
    for (size_t i = 0; i < sizeof ciphers / sizeof ciphers[0]; i++) {
        struct parts parts = {.data = "some", .len = 4};
        lanes_start(ciphers[i]);
        from.seq = to.seq = UINT32_MAX - 1;
        parts.padding_len = sasl_lane_padding(&from, 4);
        struct message message = message_of(&parts);
        assert_int_equal(sasl_lane_send(&from, &message), SEC_E_OK);
        message = message_of(&parts);
        assert_int_equal(sasl_lane_receive(&to, &message), SEC_E_OK);
        assert_memory_equal(parts.data, "some", 4);
        message = message_of(&parts);
        assert_int_equal(sasl_lane_send(&from, &message), SEC_E_CONTEXT_EXPIRED);
        assert_memory_equal(parts.data, "some", 4); /* untouched */
        assert_int_equal(sasl_lane_receive(&to, &message), SEC_E_CONTEXT_EXPIRED);
    }
}

static int end(void **state)
{
    (void)state;
    sasl_lane_end(&from);
    sasl_lane_end(&to);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_paddings, end),
        cmocka_unit_test_teardown(test_last_number, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
