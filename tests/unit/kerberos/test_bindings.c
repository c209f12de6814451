/*
 * A client that says under its key that it gives channel bindings (MS-KILE 3.2.5.8, AD-AUTH-DATA-AP-OPTIONS), and gives none: somebody made it
 * speak where there is no channel.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/kerberos_loop.h"
#include <string.h>

static struct duel duel;

enum place { NOWHERE, AT_THE_TOP, RELEVANT, SECOND_RELEVANT };

/* What the authenticator says, at one of the places where it may. */
static void options_write(struct writer *writer, enum place place, struct slice options)
{
    AUTO_WRITER struct writer inside = writer_growing(64), other = writer_growing(64);
    forge_authdata(&other, 141, slice_of_text("restrictions"));
    forge_authdata(place == AT_THE_TOP ? writer : &inside, KRB_AD_AP_OPTIONS, options);
    if (place == SECOND_RELEVANT) {
        forge_if_relevant(writer, writer_slice_of(&other));
        forge_authdata(&other, KRB_AD_AP_OPTIONS, options);
        forge_if_relevant(writer, writer_slice_of(&other));
    } else if (place == RELEVANT)
        forge_if_relevant(writer, writer_slice_of(&inside));
}

static SECURITY_STATUS verdict(const struct forge *forge, const char *bindings, ULONG flags)
{
    AUTO_WRITER struct writer token = writer_growing(2048);
    forge_token(&token, forge);
    duel_restart(&duel);
    duel.server_bindings = bindings;
    duel.server_flags = flags;
    return duel_server(&duel, writer_slice_of(&token));
}

static void test_promised_and_left_out(void **state)
{
    static const struct {
        enum place place;
        const char *options;
        size_t len;
        SECURITY_STATUS missing_allowed;
    } cases[] = {
        {NOWHERE, "", 0, SEC_E_OK},
        {AT_THE_TOP, "\x00\x40\x00\x00", 4, SEC_E_BAD_BINDINGS},
        {RELEVANT, "\x00\x40\x00\x00", 4, SEC_E_BAD_BINDINGS},
        {SECOND_RELEVANT, "\x00\x40\x00\x00", 4, SEC_E_BAD_BINDINGS},
        {RELEVANT, "\xff\xff\xff\xff", 4, SEC_E_BAD_BINDINGS},
        {RELEVANT, "\x00\xc0\x00\x00", 4, SEC_E_BAD_BINDINGS}, /* and the target name was not verified */
        {RELEVANT, "\x00\x80\x00\x00", 4, SEC_E_OK},           /* that alone */
        {RELEVANT, "\x00\x00\x40\x00", 4, SEC_E_OK},           /* little-endian */
        {RELEVANT, "\xff\xbf\xff\xff", 4, SEC_E_OK},
        {RELEVANT, "\x00\x40", 2, SEC_E_OK}, /* no option of four bytes */
        {RELEVANT, "", 0, SEC_E_OK},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int raw = 0; raw < 2; raw++) { /* also one without a checksum, that is no client of GSS-API */
            struct forge forge;
            AUTO_WRITER struct writer list = writer_growing(64);
            options_write(&list, cases[i].place, slice_of(cases[i].options, cases[i].len));
            forge_begin(&forge, KRB_AES256_SHA1);
            forge.restrictions = writer_slice_of(&list);
            forge.raw = forge.no_checksum = raw != 0;
            SECURITY_STATUS status = verdict(&forge, "tls-unique:one", ASC_REQ_ALLOW_MISSING_BINDINGS);
            if (status != cases[i].missing_allowed)
                fail_msg("case %zu, raw %d: 0x%08x", i, raw, (unsigned)status);
            forge.microseconds = (forge.microseconds + 500000) % 1000000; /* no replay */
            assert_int_equal(verdict(&forge, "tls-unique:one", 0), SEC_E_BAD_BINDINGS);
            forge.microseconds = (forge.microseconds + 250000) % 1000000;
            assert_int_equal(verdict(&forge, NULL, 0), SEC_E_OK); /* who has no channel compares nothing */
        }
}

/* Who speaks GSS-API says in its checksum what it asks for and where it is; only a raw AP-REQ comes without, and without another type's (RFC 4121
 * 4.1.1). */
static void test_without_a_checksum(void **state)
{
    (void)state;
    for (int raw = 0; raw < 2; raw++)
        for (int other = 0; other < 2; other++) {
            struct forge forge;
            forge_begin(&forge, KRB_AES256_SHA1);
            forge.raw = raw != 0;
            forge.no_checksum = other == 0;
            if (other != 0)
                forge.checksum_type = 7;                                                              /* RSA-MD5 */
            forge.microseconds = (forge.microseconds + 1000 + (uint32_t)(2 * raw + other)) % 1000000; /* no replay */
            assert_int_equal(verdict(&forge, NULL, 0), raw != 0 ? SEC_E_OK : SEC_E_INVALID_TOKEN);
        }
}

/* Our own client promises what it gives, and nothing without. */
static void test_our_promise(void **state)
{
    (void)state;
    static const int32_t types[] = {KRB_AES256_SHA1,
                                    KRB_RC4_HMAC}; /* the latter also asks for better types (RFC 4537) */
    for (int i = 0; i < 4; i++) {
        struct forge forge;
        enum krb_token id;
        enum krb_framing framing;
        struct krb_ap_req request;
        struct krb_authenticator authenticator;
        struct slice message, plain, options, list;
        AUTO_SECRET struct secret buffer = {0};
        forge_begin(&forge, types[i / 2]);
        kerberos_loop_ticket(&forge);
        duel_restart(&duel);
        duel.client_bindings = i % 2 != 0 ? "tls-unique:one" : NULL;
        duel.client_flags = ISC_REQ_MUTUAL_AUTH | KERBEROS_PROTECT;
        assert_int_equal(duel_client(&duel, slice_of(NULL, 0)), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(krb_token_parse(token_slice(&duel.out), &id, &message, &framing), WIRE_OK);
        assert_int_equal(krb_ap_req_parse(message, &request), WIRE_OK);
        assert_true(krb_decrypt(&forge.session, KRB_USAGE_AP_REQ, request.authenticator.cipher, &buffer, &plain));
        assert_int_equal(krb_authenticator_parse(plain, &authenticator), WIRE_OK);
        assert_int_equal(krb_authdata_find(authenticator.authorization, KRB_AD_AP_OPTIONS, &options), i % 2 != 0);
        if (i % 2 != 0) {
            assert_int_equal(options.len, 4);
            assert_memory_equal(options.data, "\x00\x40\x00\x00", 4);
        }
        assert_int_equal(krb_authdata_find(authenticator.authorization, KRB_AD_ETYPE_NEGOTIATION, &list), i >= 2);
        struct reader first = reader_of(authenticator.authorization); /* one AD-IF-RELEVANT holds it all */
        struct krb_authdata element;
        assert_int_equal(krb_authdata_next(&first, &element), WIRE_OK);
        assert_int_equal(element.type, KRB_AD_IF_RELEVANT);
        assert_int_equal(krb_authdata_next(&first, &element), WIRE_SHORT);
        duel.server_bindings = "tls-unique:one";
        duel.server_flags = ASC_REQ_ALLOW_MISSING_BINDINGS;
        struct token token = duel.out;
        assert_int_equal(duel_server(&duel, token_slice(&token)), SEC_E_OK);
    }
}

static int group_end(void **state)
{
    (void)state;
    duel_end(&duel);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_promised_and_left_out),
        cmocka_unit_test(test_without_a_checksum),
        cmocka_unit_test(test_our_promise),
    };
    kerberos_loop_configure(NULL, NULL, NULL);
    kerberos_duel_begin(&duel);
    int failed = cmocka_run_group_tests(tests, NULL, group_end);
    kerberos_loop_cleanup();
    return failed;
}
