/*
 * SPNEGO's codec: bytes put together by hand from RFC 4178 4.2 and MS-SPNG 2.2.1, both ways, and everything that is nearly right.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "negotiate/spnego.h"
#include <string.h>

#define SPNEGO "\x06\x06\x2b\x06\x01\x05\x05\x02"
#define MS_KRB5 "\x2a\x86\x48\x82\xf7\x12\x01\x02\x02"
#define KRB5 "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"
#define NTLM "\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"
/* a MechTypeList of NTLM alone: 14 bytes with its tag */
#define NTLM_LIST "\x30\x0c\x06\x0a" NTLM
#define HINT "not_defined_in_RFC4178@please_ignore" /* 36 bytes */

#define BYTES(text) ((struct slice){(const uint8_t *)(text), sizeof(text) - 1})

/* [APPLICATION 0] { OID, [0] SEQUENCE { [0] SEQUENCE OF OID, [2] OCTET STRING "abc" } } */
#define INIT_NTLM                                                             \
    "\x60\x23" SPNEGO "\xa0\x19\x30\x17\xa0\x0e" NTLM_LIST "\xa2\x05\x04\x03" \
    "abc"
#define HINTS "\x60\x48" SPNEGO "\xa0\x3e\x30\x3c\xa0\x0e" NTLM_LIST "\xa3\x2a\x30\x28\xa0\x26\x1b\x24" HINT

static void test_init(void **state)
{
    struct spnego_init init;
    const struct slice mechs[] = {BYTES(NTLM)};
    struct writer list = writer_growing(32), token = writer_growing(64);
    (void)state;
    spnego_mech_list_write(&list, mechs, 1);
    assert_true(slice_equal(writer_slice_of(&list), BYTES(NTLM_LIST)));
    spnego_init_write(&token, writer_slice_of(&list), BYTES("abc"));
    assert_true(slice_equal(writer_slice_of(&token), BYTES(INIT_NTLM)));
    assert_int_equal(spnego_init_parse(BYTES(INIT_NTLM), &init), WIRE_OK);
    assert_int_equal(init.n_mechs, 1);
    assert_true(slice_equal(init.mech[0], BYTES(NTLM)));
    assert_true(slice_equal(init.mech_list, BYTES(NTLM_LIST)));
    assert_true(slice_equal(init.token, BYTES("abc")));
    assert_null(init.mic.data);
    assert_false(init.has_hints);
    assert_true(spnego_is_framed(BYTES(INIT_NTLM)));
    assert_false(spnego_is_framed(BYTES("NTLMSSP")));
    writer_release(&list);
    writer_release(&token);
}

/* Flags, token and code in their order, with both of Kerberos' names. */
static void test_init_with_everything(void **state)
{
    static const char token[] = "\x60\x41" SPNEGO "\xa0\x37\x30\x35\xa0\x24\x30\x22\x06\x09" MS_KRB5 "\x06\x09" KRB5
                                "\x06\x0a" NTLM "\xa1\x04\x03\x02\x01\x06\xa2\x03\x04\x01"
                                "t"
                                "\xa3\x02\x04\x00";
    struct spnego_init init;
    (void)state;
    assert_int_equal(spnego_init_parse(BYTES(token), &init), WIRE_OK);
    assert_int_equal(init.n_mechs, 3);
    assert_true(slice_equal(init.mech[0], BYTES(MS_KRB5)));
    assert_true(slice_equal(init.mech[1], BYTES(KRB5)));
    assert_true(slice_equal(init.token, BYTES("t")));
    assert_null(init.mic.data); /* of no bytes: none */
}

static void test_init2(void **state)
{
    struct spnego_init init;
    struct writer token = writer_growing(64);
    (void)state;
    spnego_hints_write(&token, BYTES(NTLM_LIST));
    assert_true(slice_equal(writer_slice_of(&token), BYTES(HINTS)));
    assert_int_equal(spnego_init_parse(BYTES(HINTS), &init), WIRE_OK);
    assert_true(init.has_hints);
    assert_null(init.token.data);
    /* hints and a code: [3] SEQUENCE {}, [4] OCTET STRING */
    assert_int_equal(
        spnego_init_parse(
            BYTES("\x60\x27" SPNEGO "\xa0\x1d\x30\x1b\xa0\x0e" NTLM_LIST "\xa3\x02\x30\x00\xa4\x05\x04\x03mic"), &init),
        WIRE_OK);
    assert_true(init.has_hints);
    assert_true(slice_equal(init.mic, BYTES("mic")));
    /* an address beside the name */
    assert_int_equal(spnego_init_parse(BYTES("\x60\x28" SPNEGO "\xa0\x1e\x30\x1c\xa0\x0e" NTLM_LIST
                                             "\xa3\x0a\x30\x08\xa0\x02\x1b\x00\xa1\x02\x04\x00"),
                                       &init),
                     WIRE_OK);
    writer_release(&token);
}

static void test_resp(void **state)
{
    static const char all[] =
        "\xa1\x23\x30\x21\xa0\x03\x0a\x01\x03\xa1\x0c\x06\x0a" NTLM "\xa2\x05\x04\x03tok\xa3\x05\x04\x03mic";
    struct spnego_resp resp;
    struct writer token = writer_growing(64);
    (void)state;
    assert_int_equal(spnego_resp_parse(BYTES(all), &resp), WIRE_OK);
    assert_int_equal(resp.state, SPNEGO_REQUEST_MIC);
    assert_true(slice_equal(resp.mech, BYTES(NTLM)));
    assert_true(slice_equal(resp.token, BYTES("tok")));
    assert_true(slice_equal(resp.mic, BYTES("mic")));
    spnego_resp_write(&token, &resp);
    assert_true(slice_equal(writer_slice_of(&token), BYTES(all)));
    writer_release(&token);
}

/* Nothing in it, or fields of nothing: old peers. */
static void test_resp_with_less(void **state)
{
    struct spnego_resp resp;
    struct writer token = writer_growing(64);
    (void)state;
    assert_int_equal(spnego_resp_parse(BYTES("\xa1\x02\x30\x00"), &resp), WIRE_OK);
    assert_int_equal(resp.state, SPNEGO_NO_STATE);
    assert_true(resp.mech.data == NULL && resp.token.data == NULL && resp.mic.data == NULL);
    spnego_resp_write(&token, &resp);
    assert_true(slice_equal(writer_slice_of(&token), BYTES("\xa1\x02\x30\x00")));
    assert_int_equal(spnego_resp_parse(BYTES("\xa1\x0a\x30\x08\xa2\x02\x04\x00\xa3\x02\x04\x00"), &resp), WIRE_OK);
    assert_true(resp.token.data == NULL && resp.mic.data == NULL);
    assert_int_equal(spnego_resp_parse(BYTES("\xa1\x07\x30\x05\xa0\x03\x0a\x01\x00"), &resp), WIRE_OK);
    assert_int_equal(resp.state, SPNEGO_COMPLETED);
    writer_release(&token);
}

static void test_what_is_no_resp(void **state)
{
    const struct slice wrong[] = {
        {(const uint8_t *)"", 0},
        BYTES("\xa1"),
        BYTES("\xa1\x02\x30"),                                             /* cut */
        BYTES("\xa1\x02\x30\x00\x00"),                                     /* a byte behind it */
        BYTES("\xa1\x03\x30\x00\x00"),                                     /* and inside */
        BYTES("\xa0\x02\x30\x00"),                                         /* NegTokenInit's tag */
        BYTES("\xa1\x81\x02\x30\x00"),                                     /* not the shortest length */
        BYTES("\xa1\x80\x30\x00\x00\x00"),                                 /* an indefinite one */
        BYTES("\xa1\x07\x30\x05\xa0\x03\x0a\x01\x04"),                     /* no such state */
        BYTES("\xa1\x08\x30\x06\xa0\x04\x0a\x02\x00\x01"),                 /* a state of two bytes */
        BYTES("\xa1\x06\x30\x04\xa0\x02\x0a\x00"),                         /* of none */
        BYTES("\xa1\x07\x30\x05\xa0\x03\x02\x01\x00"),                     /* an INTEGER */
        BYTES("\xa1\x06\x30\x04\xa1\x02\x06\x00"),                         /* an OID of no bytes */
        BYTES("\xa1\x0a\x30\x08\xa3\x02\x04\x00\xa2\x02\x04\x00"),         /* out of order */
        BYTES("\xa1\x0c\x30\x0a\xa0\x03\x0a\x01\x00\xa0\x03\x0a\x01\x00"), /* twice */
        BYTES("\xa1\x06\x30\x04\xa4\x02\x04\x00"),                         /* a fifth field */
        BYTES("\xa1\x08\x30\x06\xa2\x04\x04\x00\x04\x00"),                 /* two in one */
    };
    struct spnego_resp resp = {.state = SPNEGO_REJECT};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (spnego_resp_parse(wrong[i], &resp) == WIRE_OK)
            fail_msg("number %zu is taken", i);
        assert_int_equal(resp.state, SPNEGO_REJECT); /* untouched */
    }
}

static void test_what_is_no_init(void **state)
{
    const struct slice wrong[] = {
        {(const uint8_t *)"", 0},
        BYTES("\x60\x08" SPNEGO),                                            /* the frame alone */
        BYTES("\x60\x0c" SPNEGO "\xa0\x02\x30\x00"),                         /* no mechanisms field */
        BYTES("\x60\x10" SPNEGO "\xa0\x06\x30\x04\xa0\x02\x30\x00"),         /* no mechanism in it */
        BYTES("\x60\x12" SPNEGO "\xa0\x08\x30\x06\xa0\x04\x30\x02\x06\x00"), /* one of no bytes */
        BYTES("\x60\x23" SPNEGO "\xa1\x19\x30\x17\xa0\x0e" NTLM_LIST
              "\xa2\x05\x04\x03\x61\x62\x63"),                                            /* another choice */
        BYTES("\x60\x1e" SPNEGO "\xa0\x14\x30\x12\xa0\x0e" NTLM_LIST "\xa2\x00"),         /* an empty field */
        BYTES("\x60\x20" SPNEGO "\xa0\x16\x30\x14\xa0\x0e" NTLM_LIST "\xa5\x02\x04\x00"), /* a sixth field */
        BYTES("\x60\x23\x06\x06\x2b\x06\x01\x05\x05\x03\xa0\x19\x30\x17\xa0\x0e" NTLM_LIST
              "\xa2\x05\x04\x03\x61\x62\x63"), /* another OID */
        BYTES("\x60\x23" SPNEGO "\xa0\x19\x30\x17\xa0\x0e" NTLM_LIST
              "\xa2\x05\x04\x03\x61\x62\x63\x00"),                                        /* a byte behind */
        BYTES("\x60\x1f" SPNEGO "\xa0\x15\x30\x13\xa0\x0e" NTLM_LIST "\xa2\x01\x04"),     /* a token cut */
        BYTES("\x60\x20" SPNEGO "\xa0\x16\x30\x14\xa0\x0e" NTLM_LIST "\xa3\x02\x30\x01"), /* hints cut */
    };
    struct spnego_init init;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (spnego_init_parse(wrong[i], &init) == WIRE_OK)
            fail_msg("number %zu is taken", i);
}

/* As many mechanisms as there is room for, and one more. */
static void test_many_mechanisms(void **state)
{
    struct slice mechs[SPNEGO_MECHS_MAX + 1];
    struct spnego_init init;
    (void)state;
    for (unsigned i = 0; i <= SPNEGO_MECHS_MAX; i++)
        mechs[i] = BYTES(NTLM);
    for (unsigned n = SPNEGO_MECHS_MAX; n <= SPNEGO_MECHS_MAX + 1; n++) {
        struct writer list = writer_growing(32), token = writer_growing(64);
        spnego_mech_list_write(&list, mechs, n);
        spnego_init_write(&token, writer_slice_of(&list), BYTES("abc"));
        assert_int_equal(spnego_init_parse(writer_slice_of(&token), &init) == WIRE_OK, n == SPNEGO_MECHS_MAX);
        writer_release(&list);
        writer_release(&token);
    }
}

/* Every truncation, each in a block of its own so that a sanitizer sees a byte read too far. */
static void test_truncations(void **state)
{
    struct spnego_init init;
    (void)state;
    for (size_t len = 0; len < sizeof HINTS - 1; len++) {
        char *block = test_malloc(len > 0 ? len : 1);
        memcpy(block, HINTS, len);
        assert_int_not_equal(spnego_init_parse(slice_of(block, len), &init), WIRE_OK);
        test_free(block);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init),
        cmocka_unit_test(test_init_with_everything),
        cmocka_unit_test(test_init2),
        cmocka_unit_test(test_resp),
        cmocka_unit_test(test_resp_with_less),
        cmocka_unit_test(test_what_is_no_resp),
        cmocka_unit_test(test_what_is_no_init),
        cmocka_unit_test(test_many_mechanisms),
        cmocka_unit_test(test_truncations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
