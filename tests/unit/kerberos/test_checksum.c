/* The authenticator's checksum 0x8003 (RFC 4121 4.1.1) and the framing of context tokens (4.1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "kerberos/checksum.h"
#include <stdlib.h>
#include <string.h>

static void round_trips(void **state)
{
    static const uint8_t credential[300] = {0x76, 1, 2};
    static const size_t lens[] = {0, 1, 255, 300};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lens); i++)
        for (uint32_t flag = 0; flag < 2; flag++) {
            struct gss_checksum first = {.flags = GSS_MUTUAL | GSS_EXTENDED_ERROR | (flag != 0 ? GSS_DELEG : 0)},
                                second;
            AUTO_WRITER struct writer writer = writer_growing(32);
            memset(first.bindings, 7, sizeof first.bindings);
            if (flag != 0)
                first.credential = slice_of(credential, lens[i]);
            gss_checksum_write(&writer, &first);
            assert_int_equal(writer.len, flag != 0 ? 28 + lens[i] : 24);
            writer_bytes(&writer, "extensions", 10);
            assert_int_equal(gss_checksum_parse(writer_slice_of(&writer), &second), WIRE_OK);
            assert_int_equal(second.flags, first.flags);
            assert_memory_equal(second.bindings, first.bindings, sizeof first.bindings);
            assert_true(slice_equal(second.credential, first.credential));
        }
    AUTO_WRITER struct writer writer = writer_growing(32);
    uint8_t *huge = calloc(1, 65536);
    const struct gss_checksum too_much = {.flags = GSS_DELEG, .credential = slice_of(huge, 65536)};
    gss_checksum_write(&writer, &too_much); /* its length has 16 bits */
    assert_int_equal(writer_finish(&writer), WIRE_BAD);
    free(huge);
}

static void damaged_checksums(void **state)
{
    (void)state;
    const struct gss_checksum delegates = {.flags = GSS_DELEG, .credential = slice_of("cred", 4)};
    struct gss_checksum out;
    AUTO_WRITER struct writer writer = writer_growing(32);
    gss_checksum_write(&writer, &delegates);
    for (size_t len = 0; len < writer.len; len++) {
        uint8_t *copy = malloc(len > 0 ? len : 1);
        memcpy(copy, writer.data, len);
        /* 24 bytes with the flag and no credential are taken as none: nothing is delegated then */
        assert_int_equal(gss_checksum_parse(slice_of(copy, len), &out) == WIRE_OK, len == 24);
        free(copy);
    }
    for (unsigned bindings_len = 0; bindings_len < 40; bindings_len++) {
        writer.data[0] = (uint8_t)bindings_len;
        assert_int_equal(gss_checksum_parse(writer_slice_of(&writer), &out), bindings_len == 16 ? WIRE_OK : WIRE_BAD);
    }
    writer.data[0] = 16;
    writer.data[24] = 2; /* DlgOpt */
    assert_int_equal(gss_checksum_parse(writer_slice_of(&writer), &out), WIRE_BAD);
}

/* [APPLICATION tag] SEQUENCE { [0] pvno, [1] type } */
static void message_make(uint8_t tag, uint8_t version, uint8_t type, uint8_t message[14])
{
    const uint8_t bytes[14] = {tag, 12, 0x30, 10, 0xa0, 3, 2, 1, version, 0xa1, 3, 2, 1, type};
    memcpy(message, bytes, sizeof bytes);
}

static void tokens(void **state)
{
    static const struct {
        enum krb_token id;
        uint8_t type;
    } kinds[] = {{TOKEN_AP_REQ, 14}, {TOKEN_AP_REP, 15}, {TOKEN_ERROR, 30}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        uint8_t message[14];
        enum krb_token id;
        struct slice inside;
        enum krb_framing framing;
        AUTO_WRITER struct writer token = writer_growing(64);
        message_make((uint8_t)(0x60 + kinds[i].type), 5, kinds[i].type, message);
        assert_int_equal(krb_token_parse(slice_of(message, sizeof message), &id, &inside, &framing), WIRE_OK);
        assert_true(framing == KRB_RAW && id == kinds[i].id && inside.len == sizeof message);
        krb_token_write(&token, KRB_FRAMED, kinds[i].id, slice_of(message, sizeof message));
        assert_int_equal(krb_token_parse(writer_slice_of(&token), &id, &inside, &framing), WIRE_OK);
        assert_true(framing == KRB_FRAMED && id == kinds[i].id &&
                    slice_equal(inside, slice_of(message, sizeof message)));
        for (size_t len = 0; len < token.len; len++)
            assert_int_not_equal(krb_token_parse(slice_of(token.data, len), &id, &inside, &framing), WIRE_OK);
        /* the mechanism's number that Windows 2000 made of it, and none else */
        uint8_t *oid = memmem(token.data, token.len, "\x2a\x86\x48\x86\xf7", 5);
        assert_non_null(oid);
        for (unsigned byte = 0; byte < 256; byte++) {
            oid[3] = (uint8_t)byte;
            assert_int_equal(krb_token_parse(writer_slice_of(&token), &id, &inside, &framing) == WIRE_OK,
                             byte == 0x86 || byte == 0x82);
        }
        oid[3] = 0x86;
        for (size_t j = 0; j < COUNT_OF(kinds); j++) { /* the id before the message must be the message's */
            oid[9] = (uint8_t)(kinds[j].id >> 8);
            assert_int_equal(krb_token_parse(writer_slice_of(&token), &id, &inside, &framing) == WIRE_OK, i == j);
        }
        for (unsigned version = 0; version < 256; version++) {
            message_make((uint8_t)(0x60 + kinds[i].type), (uint8_t)version, kinds[i].type, message);
            assert_int_equal(krb_token_parse(slice_of(message, sizeof message), &id, &inside, &framing) == WIRE_OK,
                             version == 5);
            message_make((uint8_t)(0x60 + kinds[i].type), 5, (uint8_t)version, message);
            assert_int_equal(krb_token_parse(slice_of(message, sizeof message), &id, &inside, &framing) == WIRE_OK,
                             version == kinds[i].type);
        }
    }
}

/* A message type of eight bytes: no sum with it may overflow. */
static void huge_types(void **state)
{
    (void)state;
    for (int sign = 0; sign < 2; sign++) {
        uint8_t message[21] = {0x6e, 19, 0x30, 17, 0xa0, 3, 2, 1, 5, 0xa1, 10, 2, 8};
        enum krb_token id;
        struct slice inside;
        enum krb_framing framing;
        memset(message + 13, sign ? 0 : 0xff, 8);
        message[13] = sign ? 0x80 : 0x7f;
        assert_int_equal(krb_token_parse(slice_of(message, sizeof message), &id, &inside, &framing), WIRE_BAD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(damaged_checksums),
        cmocka_unit_test(tokens),
        cmocka_unit_test(huge_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
