/*
 * The service that a client meant, which it tells under the session key (MS-KILE 3.2.5.8, KERB_AUTH_DATA_CLIENT_TARGET): the ticket's own name
 * anybody can rewrite who carries it.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/utf16.h"
#include "support/kerberos_loop.h"
#include <string.h>

static struct duel duel;

#define OTHER "cifs/server.example.test@" FORGE_REALM

/* What the server says the client meant. */
static void target_is(const char *expected)
{
    SecPkgContext_ClientSpecifiedTarget target = {0};
    char *text = NULL;
    assert_int_equal(QueryContextAttributesW(&duel.server, SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, &target), SEC_E_OK);
    assert_int_equal(utf16_to_text(target.sTargetName, utf16_units(target.sTargetName), &text), WIRE_OK);
    assert_string_equal(text, expected);
    mem_free(text);
    FreeContextBuffer(target.sTargetName);
}

static void test_what_is_told(void **state)
{
    static const struct {
        const char *name; /* as UTF-16LE; NULL: the bytes */
        const char *bytes;
        size_t len;
        const char *expected;
    } cases[] = {
        {OTHER, NULL, 0, OTHER},
        {"http/w\xc3\xbcrfel", NULL, 0, "http/w\xc3\xbcrfel"},
        {FORGE_SERVER, NULL, 0, FORGE_SERVER},
        /* damaged: the name of the key, as without it */
        {NULL, "", 0, FORGE_SERVER},
        {NULL, "a", 1, FORGE_SERVER},
        {NULL, "a\0b", 3, FORGE_SERVER},
        {NULL, "a\0\0\0", 4, FORGE_SERVER},
        {NULL, "\x00\xd8", 2, FORGE_SERVER},
        {NULL,
         "\x00\xdc"
         "a\0",
         4, FORGE_SERVER},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int relevant = 0; relevant < 2; relevant++) {
            struct forge forge;
            AUTO_WRITER struct writer name = writer_growing(64), element = writer_growing(64),
                                      list = writer_growing(64), token = writer_growing(2048);
            if (cases[i].name != NULL)
                assert_int_equal(utf16le_write(&name, cases[i].name), WIRE_OK);
            else
                writer_slice(&name, slice_of(cases[i].bytes, cases[i].len));
            forge_authdata(relevant != 0 ? &element : &list, KRB_AD_CLIENT_TARGET, writer_slice_of(&name));
            if (relevant != 0)
                forge_if_relevant(&list, writer_slice_of(&element));
            forge_begin(&forge, KRB_AES256_SHA1);
            forge.restrictions = writer_slice_of(&list);
            forge_token(&token, &forge);
            duel_restart(&duel);
            assert_int_equal(duel_server(&duel, writer_slice_of(&token)), SEC_E_OK);
            target_is(cases[i].expected);
        }
}

/* The authenticator of our client's AP-REQ, and its plain text; both borrow from `buffer`. */
static struct slice authenticator_of(const struct token *token, const struct forge *forge, struct secret *buffer,
                                     struct krb_authenticator *authenticator)
{
    enum krb_token id;
    enum krb_framing framing;
    struct krb_ap_req request;
    struct slice message, plain;
    assert_int_equal(krb_token_parse(token_slice(token), &id, &message, &framing), WIRE_OK);
    assert_int_equal(krb_ap_req_parse(message, &request), WIRE_OK);
    assert_true(krb_decrypt(&forge->session, KRB_USAGE_AP_REQ, request.authenticator.cipher, buffer, &plain));
    assert_int_equal(krb_authenticator_parse(plain, authenticator), WIRE_OK);
    return plain;
}

/* The name in the ticket is rewritten on its way to another service of the same key: what the client meant is not. */
static void test_rewritten_on_the_way(void **state)
{
    struct forge forge;
    struct krb_authenticator authenticator;
    AUTO_SECRET struct secret buffer = {0};
    AUTO_WRITER struct writer token = writer_growing(2048), own = writer_growing(512);
    (void)state;
    forge_begin(&forge, KRB_AES256_SHA1);
    kerberos_loop_ticket(&forge);
    kerberos_loop_keytab();
    kerberos_loop_keytab_add("keytab", OTHER, 2, &forge.service);
    duel_restart(&duel);
    duel.client_flags = ISC_REQ_MUTUAL_AUTH | KERBEROS_PROTECT;
    assert_int_equal(duel_client(&duel, slice_of(NULL, 0)), SEC_I_CONTINUE_NEEDED);
    const struct slice plain = authenticator_of(&duel.out, &forge, &buffer, &authenticator);
    /* the same behind a ticket of the same key, which says another name */
    forge.server = OTHER;
    forge_ticket(&own, &forge);
    const struct slice ticket = writer_slice_of(&own);
    AUTO_WRITER struct writer request = writer_growing(2048);
    forge_request(&request, &forge, &ticket, &plain);
    krb_token_write(&token, KRB_FRAMED, TOKEN_AP_REQ, writer_slice_of(&request));
    assert_int_equal(duel_server(&duel, writer_slice_of(&token)), SEC_E_OK);
    target_is(FORGE_SERVER);
    krb_key_wipe(&authenticator.subkey);
}

/* Our client tells it, and when its program has the name from somebody. */
static void test_our_client(void **state)
{
    (void)state;
    for (int unverified = 0; unverified < 2; unverified++) {
        struct forge forge;
        struct krb_authenticator authenticator;
        struct slice told, options;
        char *text = NULL;
        AUTO_SECRET struct secret buffer = {0};
        forge_begin(&forge, KRB_AES256_SHA1);
        kerberos_loop_ticket(&forge);
        duel_restart(&duel);
        duel.client_flags =
            ISC_REQ_MUTUAL_AUTH | KERBEROS_PROTECT | (unverified != 0 ? ISC_REQ_UNVERIFIED_TARGET_NAME : 0);
        assert_int_equal(duel_client(&duel, slice_of(NULL, 0)), SEC_I_CONTINUE_NEEDED);
        (void)authenticator_of(&duel.out, &forge, &buffer, &authenticator);
        assert_true(krb_authdata_find(authenticator.authorization, KRB_AD_CLIENT_TARGET, &told));
        assert_int_equal(utf16le_to_text(told, &text), WIRE_OK);
        assert_string_equal(text, FORGE_SERVER);
        mem_free(text);
        assert_int_equal(krb_authdata_find(authenticator.authorization, KRB_AD_AP_OPTIONS, &options), unverified);
        if (unverified != 0)
            assert_memory_equal(options.data, "\x00\x80\x00\x00", 4);
        struct token token = duel.out;
        assert_int_equal(duel_server(&duel, token_slice(&token)), SEC_E_OK);
        target_is(FORGE_SERVER);
        krb_key_wipe(&authenticator.subkey);
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
        cmocka_unit_test(test_what_is_told),
        cmocka_unit_test(test_our_client),
        cmocka_unit_test(test_rewritten_on_the_way),
    };
    kerberos_loop_configure(NULL, NULL, NULL);
    kerberos_duel_begin(&duel);
    int failed = cmocka_run_group_tests(tests, NULL, group_end);
    kerberos_loop_cleanup();
    return failed;
}
