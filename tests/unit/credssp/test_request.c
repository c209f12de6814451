/*
 * TSRequest and TSCredentials: the encoding byte by byte as MS-CSSP 2.2.1 has it, what is refused, what binds a key.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "credssp/binding.h"
#include "credssp/request.h"
#include "crypto/sha256.h"
#include <string.h>

#define BYTES(...) ((const uint8_t[]){__VA_ARGS__})
#define SLICE(...) slice_of(BYTES(__VA_ARGS__), sizeof BYTES(__VA_ARGS__))
#define PREFIXES(BYTES_OF, PARSED, PARSE)             \
    for (size_t cut = 0; cut < (BYTES_OF).len; cut++) \
    assert_int_equal(PARSE(slice_of((BYTES_OF).data, cut), &(PARSED)), WIRE_BAD)

/* Worked out by hand from the ASN.1 of 2.2.1 and 2.2.1.1. */
#define W(text) slice_of(u##text, sizeof u##text - 2)

static void test_first(void **state)
{
    (void)state;
    static const uint8_t wire[] = {0x30, 0x14, 0xa0, 0x03, 0x02, 0x01, 0x06, 0xa1, 0x0d, 0x30, 0x0b,
                                   0x30, 0x09, 0xa0, 0x07, 0x04, 0x05, 'N',  'T',  'L',  'M',  'S'};
    struct ts_request request = {.version = 6, .nego_token = slice_of("NTLMS", 5)}, read;
    AUTO_WRITER struct writer writer = writer_growing(64);
    ts_request_write(&writer, &request);
    assert_int_equal(writer.len, sizeof wire);
    assert_memory_equal(writer.data, wire, sizeof wire);
    assert_int_equal(ts_request_parse(slice_of(wire, sizeof wire), &read), WIRE_OK);
    assert_int_equal(read.version, 6);
    assert_true(slice_equal(read.nego_token, request.nego_token));
    assert_null(read.auth_info.data);
    assert_null(read.pub_key_auth.data);
    assert_null(read.nonce.data);
    assert_false(read.has_error);
    struct slice whole = slice_of(wire, sizeof wire);
    PREFIXES(whole, read, ts_request_parse);
}

/* An NTSTATUS as servers send it: four bytes, negative. */
static void test_error(void **state)
{
    (void)state;
    static const uint8_t wire[] = {0x30, 0x0d, 0xa0, 0x03, 0x02, 0x01, 0x06, 0xa4,
                                   0x06, 0x02, 0x04, 0xc0, 0x00, 0x00, 0x6d};
    static const uint8_t longer[] = {0x30, 0x0e, 0xa0, 0x03, 0x02, 0x01, 0x06, 0xa4,
                                     0x07, 0x02, 0x05, 0x00, 0xc0, 0x00, 0x00, 0x6d};
    struct ts_request request = {.version = 6, .has_error = true, .error = 0xC000006D}, read;
    AUTO_WRITER struct writer writer = writer_growing(64);
    ts_request_write(&writer, &request);
    assert_int_equal(writer.len, sizeof wire);
    assert_memory_equal(writer.data, wire, sizeof wire);
    assert_int_equal(ts_request_parse(slice_of(wire, sizeof wire), &read), WIRE_OK);
    assert_true(read.has_error);
    assert_int_equal(read.error, 0xC000006D);
    assert_int_equal(ts_request_parse(slice_of(longer, sizeof longer), &read), WIRE_OK);
    assert_int_equal(read.error, 0xC000006D);
    assert_true(ts_version_has_error(3) && ts_version_has_error(4) && ts_version_has_error(6));
    assert_false(ts_version_has_error(2) || ts_version_has_error(5));
}

static void test_all_fields(void **state)
{
    (void)state;
    uint8_t nonce[TS_NONCE_LEN], big[70000];
    memset(nonce, 7, sizeof nonce);
    memset(big, 8, sizeof big);
    struct ts_request request = {.version = 5,
                                 .nego_token = slice_of(big, 300),
                                 .auth_info = slice_of(big, sizeof big),
                                 .pub_key_auth = slice_of(big, 127),
                                 .has_error = true,
                                 .error = 0x80090308,
                                 .nonce = slice_of(nonce, sizeof nonce)},
                      read;
    AUTO_WRITER struct writer writer = writer_growing(64);
    ts_request_write(&writer, &request);
    assert_int_equal(writer_finish(&writer), WIRE_OK);
    assert_int_equal(ts_request_parse(writer_slice_of(&writer), &read), WIRE_OK);
    assert_true(slice_equal(read.nego_token, request.nego_token) && slice_equal(read.auth_info, request.auth_info));
    assert_true(slice_equal(read.pub_key_auth, request.pub_key_auth) && slice_equal(read.nonce, request.nonce));
    assert_int_equal(read.error, 0x80090308);
    assert_int_equal(read.version, 5);
}

static void test_refused(void **state)
{
    (void)state;
    struct ts_request read;
    const struct slice wrong[] = {
        SLICE(0x30, 0x00),                                                                   /* no version */
        SLICE(0x30, 0x05, 0xa0, 0x03, 0x02, 0x01, 0xff),                                     /* a negative one */
        SLICE(0x30, 0x05, 0xa0, 0x03, 0x02, 0x01, 0x06, 0x00),                               /* a byte behind */
        SLICE(0x30, 0x07, 0xa0, 0x03, 0x02, 0x01, 0x06, 0x05, 0x00),                         /* a field nobody knows */
        SLICE(0x31, 0x05, 0xa0, 0x03, 0x02, 0x01, 0x06),                                     /* a SET */
        SLICE(0x30, 0x09, 0xa0, 0x03, 0x02, 0x01, 0x06, 0xa1, 0x02, 0x30, 0x00),             /* no token in the list */
        SLICE(0x30, 0x0a, 0xa0, 0x03, 0x02, 0x01, 0x06, 0xa5, 0x03, 0x04, 0x01, 0x00),       /* a nonce of one byte */
        SLICE(0x30, 0x0c, 0xa0, 0x03, 0x02, 0x01, 0x06, 0xa3, 0x05, 0x04, 0x01, 0x00, 5, 0), /* two in one field */
        SLICE(0x30, 0x0a, 0xa0, 0x03, 0x02, 0x01, 0x06, 0xa0, 0x03, 0x02, 0x01, 0x06),       /* the version twice */
        SLICE(0x30, 0x81, 0x05, 0xa0, 0x03, 0x02, 0x01, 0x06),                               /* a length too long */
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(ts_request_parse(wrong[i], &read), WIRE_BAD);
}

/* TSPasswordCreds of domain "D", user "u", password "p" (2.2.1.2, 2.2.1.2.1). */
static void test_password(void **state)
{
    (void)state;
    static const uint8_t wire[] = {0x30, 0x1d, 0xa0, 0x03, 0x02, 0x01, 0x01, 0xa1, 0x16, 0x04, 0x14,
                                   0x30, 0x12, 0xa0, 0x04, 0x04, 0x02, 'D',  0,    0xa1, 0x04, 0x04,
                                   0x02, 'u',  0,    0xa2, 0x04, 0x04, 0x02, 'p',  0};
    struct ts_credentials credentials = {
        .type = TS_PASSWORD, .domain = slice_of("D", 2), .user = slice_of("u", 2), .password = slice_of("p", 2)};
    struct ts_credentials read;
    AUTO_WRITER struct writer writer = writer_growing(64);
    ts_credentials_write(&writer, &credentials);
    assert_int_equal(writer.len, sizeof wire);
    assert_memory_equal(writer.data, wire, sizeof wire);
    assert_int_equal(ts_credentials_parse(slice_of(wire, sizeof wire), &read), WIRE_OK);
    assert_true(slice_equal(read.domain, credentials.domain) && slice_equal(read.user, credentials.user) &&
                slice_equal(read.password, credentials.password));
    struct slice whole = slice_of(wire, sizeof wire);
    PREFIXES(whole, read, ts_credentials_parse);
    uint8_t other[sizeof wire];
    memcpy(other, wire, sizeof wire);
    other[6] = 3; /* a type that there is not */
    assert_int_equal(ts_credentials_parse(slice_of(other, sizeof other), &read), WIRE_BAD);
}

static void test_smart_card(void **state)
{
    (void)state;
    struct ts_credentials credentials = {.type = TS_SMART_CARD,
                                         .pin = slice_of("1\0", 2),
                                         .key_spec = 1,
                                         .reader = slice_of("r\0", 2),
                                         .csp = slice_of("c\0", 2),
                                         .domain_hint = slice_of("d\0", 2)};
    struct ts_credentials read;
    AUTO_WRITER struct writer writer = writer_growing(64);
    ts_credentials_write(&writer, &credentials);
    assert_int_equal(ts_credentials_parse(writer_slice_of(&writer), &read), WIRE_OK);
    assert_int_equal(read.type, TS_SMART_CARD);
    assert_int_equal(read.key_spec, 1);
    assert_true(slice_equal(read.pin, credentials.pin) && slice_equal(read.reader, credentials.reader) &&
                slice_equal(read.csp, credentials.csp) && slice_equal(read.domain_hint, credentials.domain_hint));
    assert_null(read.card.data);
    assert_null(read.container.data);
    assert_null(read.user_hint.data);
    struct slice whole = writer_slice_of(&writer);
    PREFIXES(whole, read, ts_credentials_parse);
}

/* The example of section 4 of MS-CSSP. */
static void test_example(void **state)
{
    (void)state;
    static const uint8_t whole[275] = {
        0x30, 0x82, 0x01, 0x0f, 0xa0, 0x03, 0x02, 0x01, 0x02, 0xa1, 0x82, 0x01, 0x06, 0x04, 0x82, 0x01, 0x02, 0x30,
        0x81, 0xff, 0xa0, 0x1a, 0x04, 0x18, 0x62, 0x00, 0x62, 0x00, 0x62, 0x00, 0x62, 0x00, 0x62, 0x00, 0x62, 0x00,
        0x62, 0x00, 0x62, 0x00, 0x62, 0x00, 0x62, 0x00, 0x62, 0x00, 0x62, 0x00, 0xa1, 0x81, 0xe0, 0x30, 0x81, 0xdd,
        0xa0, 0x03, 0x02, 0x01, 0x01, 0xa2, 0x2e, 0x04, 0x2c, 0x4f, 0x00, 0x4d, 0x00, 0x4e, 0x00, 0x49, 0x00, 0x4b,
        0x00, 0x45, 0x00, 0x59, 0x00, 0x20, 0x00, 0x43, 0x00, 0x61, 0x00, 0x72, 0x00, 0x64, 0x00, 0x4d, 0x00, 0x61,
        0x00, 0x6e, 0x00, 0x20, 0x00, 0x33, 0x00, 0x78, 0x00, 0x32, 0x00, 0x31, 0x00, 0x20, 0x00, 0x30, 0x00, 0xa3,
        0x50, 0x04, 0x4e, 0x6c, 0x00, 0x65, 0x00, 0x2d, 0x00, 0x4d, 0x00, 0x53, 0x00, 0x53, 0x00, 0x6d, 0x00, 0x61,
        0x00, 0x72, 0x00, 0x74, 0x00, 0x63, 0x00, 0x61, 0x00, 0x72, 0x00, 0x64, 0x00, 0x55, 0x00, 0x73, 0x00, 0x65,
        0x00, 0x72, 0x00, 0x2d, 0x00, 0x38, 0x00, 0x62, 0x00, 0x64, 0x00, 0x61, 0x00, 0x30, 0x00, 0x31, 0x00, 0x39,
        0x00, 0x66, 0x00, 0x2d, 0x00, 0x31, 0x00, 0x32, 0x00, 0x36, 0x00, 0x36, 0x00, 0x2d, 0x00, 0x2d, 0x00, 0x35,
        0x00, 0x33, 0x00, 0x32, 0x00, 0x36, 0x00, 0x38, 0x00, 0xa4, 0x54, 0x04, 0x52, 0x4d, 0x00, 0x69, 0x00, 0x63,
        0x00, 0x72, 0x00, 0x6f, 0x00, 0x73, 0x00, 0x6f, 0x00, 0x66, 0x00, 0x74, 0x00, 0x20, 0x00, 0x42, 0x00, 0x61,
        0x00, 0x73, 0x00, 0x65, 0x00, 0x20, 0x00, 0x53, 0x00, 0x6d, 0x00, 0x61, 0x00, 0x72, 0x00, 0x74, 0x00, 0x20,
        0x00, 0x43, 0x00, 0x61, 0x00, 0x72, 0x00, 0x64, 0x00, 0x20, 0x00, 0x43, 0x00, 0x72, 0x00, 0x79, 0x00, 0x70,
        0x00, 0x74, 0x00, 0x6f, 0x00, 0x20, 0x00, 0x50, 0x00, 0x72, 0x00, 0x6f, 0x00, 0x76, 0x00, 0x69, 0x00, 0x64,
        0x00, 0x65, 0x00, 0x72, 0x00};
    struct ts_credentials read;
    assert_int_equal(ts_credentials_parse(slice_of(whole, sizeof whole), &read), WIRE_OK);
    assert_int_equal(read.type, TS_SMART_CARD);
    assert_int_equal(read.key_spec, 1);
    assert_true(slice_equal(read.pin, W("bbbbbbbbbbbb")));
    assert_true(slice_equal(read.reader, W("OMNIKEY CardMan 3x21 0")));
    assert_true(slice_equal(read.container, W("le-MSSmartcardUser-8bda019f-1266--53268")));
    assert_true(slice_equal(read.csp, W("Microsoft Base Smart Card Crypto Provider")));
    assert_true(read.card.data == NULL && read.user_hint.data == NULL && read.domain_hint.data == NULL);
    AUTO_WRITER struct writer again = writer_growing(64);
    ts_credentials_write(&again, &read);
    assert_true(slice_equal(writer_slice_of(&again), slice_of(whole, sizeof whole)));
}

static void test_remote_guard(void **state)
{
    (void)state;
    struct ts_credentials credentials = {.type = TS_REMOTE_GUARD, .logon = {slice_of("K", 2), slice_of("t", 1)}}, read;
    for (credentials.n_supplemental = 0; credentials.n_supplemental <= TS_SUPPLEMENTAL_MAX;
         credentials.n_supplemental++) {
        AUTO_WRITER struct writer writer = writer_growing(64);
        ts_credentials_write(&writer, &credentials);
        assert_int_equal(ts_credentials_parse(writer_slice_of(&writer), &read), WIRE_OK);
        assert_int_equal(read.n_supplemental, credentials.n_supplemental);
        assert_true(slice_equal(read.logon.package, credentials.logon.package));
        if (credentials.n_supplemental < TS_SUPPLEMENTAL_MAX)
            credentials.supplemental[credentials.n_supplemental] =
                (struct ts_package_cred){slice_of("N", 2), slice_of("hash", 4)};
        else
            break;
    }
}

/* 3.1.5: SHA-256 over the text with its NUL, the nonce and the key; before version 5 the key, and from the server one more in its first byte. */
static void test_binding(void **state)
{
    (void)state;
    static const uint8_t key[] = {0xff, 0x82, 0x01};
    uint8_t nonce[TS_NONCE_LEN], whole[38 + TS_NONCE_LEN + sizeof key], digest[32];
    AUTO_SECRET struct secret text = {0};
    memset(nonce, 0x11, sizeof nonce);
    for (int side = BINDING_CLIENT; side <= BINDING_SERVER; side++) {
        memcpy(whole,
               side == BINDING_CLIENT ? "CredSSP Client-To-Server Binding Hash"
                                      : "CredSSP Server-To-Client Binding Hash",
               38);
        memcpy(whole + 38, nonce, sizeof nonce);
        memcpy(whole + 38 + sizeof nonce, key, sizeof key);
        assert_true(sha256_once(slice_of(whole, sizeof whole), digest));
        for (uint32_t version = 5; version <= 6; version++) {
            assert_int_equal(binding_text((enum binding_side)side, version, nonce, slice_of(key, sizeof key), &text),
                             SEC_E_OK);
            assert_int_equal(text.len, 32);
            assert_memory_equal(text.data, digest, 32);
        }
    }
    assert_int_equal(binding_text(BINDING_CLIENT, 4, nonce, slice_of(key, sizeof key), &text), SEC_E_OK);
    assert_memory_equal(text.data, key, sizeof key);
    assert_int_equal(binding_text(BINDING_SERVER, 2, nonce, slice_of(key, sizeof key), &text), SEC_E_OK);
    assert_memory_equal(text.data, BYTES(0x00, 0x82, 0x01), 3);
    assert_int_equal(binding_text(BINDING_SERVER, 2, nonce, (struct slice){0}, &text), SEC_E_INTERNAL_ERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first),        cmocka_unit_test(test_error),    cmocka_unit_test(test_all_fields),
        cmocka_unit_test(test_refused),      cmocka_unit_test(test_password), cmocka_unit_test(test_smart_card),
        cmocka_unit_test(test_remote_guard), cmocka_unit_test(test_binding),  cmocka_unit_test(test_example),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
