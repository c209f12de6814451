/*
 * Credentials that the program sets to be handed over: each form of TSCredentials, in DER and packed, Remote Credential Guard's flag, and what the
 * server reads.
 * build: all
 */
#include "support/tsssp_loop.h"

#include "credssp/packed.h"
#include "credssp/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ntsecapi.h>
#include <sspi_ext.h>

#define W(text) slice_of(u##text, sizeof u##text - 2)

static const ULONG set_attribute = OPENSSPI_CRED_ATTR_TS_CREDENTIALS;

static struct ts_credentials card(void)
{
    return (struct ts_credentials){
        .type = TS_SMART_CARD,
        .pin = W("1234"),
        .key_spec = 1,
        .card = W("a card"),
        .reader = W("the reader"),
        .container = W("container 7"),
        .csp = W("some provider"),
        .user_hint = W("alice"),
        .domain_hint = W("EXAMPLE"),
    };
}

static struct ts_credentials guard(void)
{
    return (struct ts_credentials){
        .type = TS_REMOTE_GUARD,
        .logon = {W("Kerberos"), slice_of("a ticket", 8)},
        .supplemental = {{W("NTLM"), slice_of("a key", 5)}},
        .n_supplemental = 1,
    };
}

static struct ts_credentials other_password(void)
{
    return (struct ts_credentials){
        .type = TS_PASSWORD, .domain = W("ELSEWHERE"), .user = W("bob"), .password = W("0ther")};
}

static size_t der_of(const struct ts_credentials *credentials, unsigned char *room, size_t size)
{
    struct writer writer = writer_fixed(room, size);
    ts_credentials_write(&writer, credentials);
    assert_int_equal(writer_finish(&writer), WIRE_OK);
    return writer.len;
}

static void came_as(CtxtHandle *server, const struct ts_credentials *credentials)
{
    unsigned char der[1024];
    size_t len = der_of(credentials, der, sizeof der);
    SecPkgContext_ClientCreds creds;
    assert_int_equal(QueryContextAttributesA(server, OPENSSPI_ATTR_TS_CREDENTIALS, &creds), SEC_E_OK);
    assert_int_equal(creds.AuthBufferLen, len);
    assert_memory_equal(creds.AuthBuffer, der, len);
    FreeContextBuffer(creds.AuthBuffer);
}

static struct loop_pair *pair_with(const void *given, size_t len)
{
    struct loop_pair *pair = credssp_pair();
    assert_int_equal(credssp_client_acquire(&pair->client, NULL, 0, 0), SEC_E_OK);
    assert_int_equal(credssp_server_acquire(&pair->server, 0), SEC_E_OK);
    assert_int_equal(
        SetCredentialsAttributesA(&pair->client.credential, set_attribute, (void *)(uintptr_t)given, (ULONG)len),
        SEC_E_OK);
    return pair;
}

static void test_each_form(void **state)
{
    (void)state;
    const struct ts_credentials forms[] = {other_password(), card(), guard()};
    static const SECURITY_STATUS creds_status[] = {SEC_E_OK, SEC_E_UNSUPPORTED_FUNCTION, SEC_E_UNSUPPORTED_FUNCTION};
    static const SECURITY_STATUS creds_2_status[] = {SEC_E_OK, SEC_E_OK, SEC_E_UNSUPPORTED_FUNCTION};
    for (size_t i = 0; i < 3; i++) {
        unsigned char der[1024];
        struct loop_pair *pair = pair_with(der, der_of(&forms[i], der, sizeof der));
        memset(der, 0xee, sizeof der); /* it was copied */
        assert_true(pair_run(pair));
        assert_int_equal(pair->client.attributes & ISC_RET_DELEGATE, ISC_RET_DELEGATE);
        assert_int_equal(pair->server.attributes & ASC_RET_DELEGATE, ASC_RET_DELEGATE);
        CtxtHandle *server = &pair->server.context;
        came_as(server, &forms[i]);
        SecPkgContext_ClientCreds creds = {0};
        SecPkgContext_NamesA names;
        assert_int_equal(QueryContextAttributesA(server, SECPKG_ATTR_CREDS, &creds), creds_status[i]);
        if (creds_status[i] == SEC_E_OK)
            FreeContextBuffer(creds.AuthBuffer);
        assert_int_equal(QueryContextAttributesA(server, SECPKG_ATTR_CREDS_2, &creds), creds_2_status[i]);
        if (creds_2_status[i] == SEC_E_OK)
            FreeContextBuffer(creds.AuthBuffer);
        assert_int_equal(QueryContextAttributesA(server, SECPKG_ATTR_NAMES, &names), SEC_E_OK);
        assert_string_equal(names.sUserName, "EXAMPLE\\alice"); /* who proved himself, whatever he hands over */
        FreeContextBuffer(names.sUserName);
        pair_free(pair);
    }
}

/* What a server reads with SECPKG_ATTR_CREDS_2 a client can set. */
static void test_packed(void **state)
{
    (void)state;
    struct ts_credentials plain_card = {.type = TS_SMART_CARD, .pin = W("1"), .key_spec = 2, .container = W("c")};
    const struct ts_credentials forms[] = {other_password(), card(), plain_card};
    for (size_t i = 0; i < 3; i++) {
        AUTO_SECRET struct secret packed = {0};
        assert_int_equal(packed_write(&forms[i], &packed), SEC_E_OK);
        struct loop_pair *pair = pair_with(packed.data, packed.len);
        assert_true(pair_run(pair));
        came_as(&pair->server.context, &forms[i]);
        SecPkgContext_ClientCreds creds;
        assert_int_equal(QueryContextAttributesA(&pair->server.context, SECPKG_ATTR_CREDS_2, &creds), SEC_E_OK);
        assert_int_equal(creds.AuthBufferLen, packed.len);
        assert_memory_equal(creds.AuthBuffer, packed.data, packed.len);
        FreeContextBuffer(creds.AuthBuffer);
        pair_free(pair);
    }
}

/* From a block of its size, so that a sanitizer sees a byte read too far. */
static SECURITY_STATUS packed_read_exactly(const unsigned char *bytes, size_t len)
{
    struct ts_credentials read;
    unsigned char *exact = malloc(len > 0 ? len : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, len);
    SECURITY_STATUS status = packed_read(slice_of(exact, len), &read);
    free(exact);
    return status;
}

/* Cut anywhere, and with each bit turned: refused, or other credentials, and nothing outside the block is looked at. */
static void test_packed_damaged(void **state)
{
    (void)state;
    const struct ts_credentials forms[] = {other_password(), card()};
    for (size_t i = 0; i < 2; i++) {
        AUTO_SECRET struct secret packed = {0};
        assert_int_equal(packed_write(&forms[i], &packed), SEC_E_OK);
        assert_int_equal(packed_read_exactly(packed.data, packed.len), SEC_E_OK);
        for (size_t len = 0; len < packed.len; len++)
            assert_int_equal(packed_read_exactly(packed.data, len),
                             len < 4 ? SEC_E_UNKNOWN_CREDENTIALS : SEC_E_INVALID_TOKEN);
        for (size_t at = 0; at < packed.len; at++)
            for (unsigned bit = 0; bit < 8; bit++) {
                packed.data[at] ^= (unsigned char)(1u << bit);
                SECURITY_STATUS status = packed_read_exactly(packed.data, packed.len);
                assert_true(status == SEC_E_OK || status == SEC_E_INVALID_TOKEN || status == SEC_E_UNKNOWN_CREDENTIALS);
                packed.data[at] ^= (unsigned char)(1u << bit);
            }
    }
}

static void test_refused(void **state)
{
    (void)state;
    unsigned char der[1024];
    const struct ts_credentials credentials = card();
    size_t len = der_of(&credentials, der, sizeof der);
    struct loop_pair *pair = pair_with(der, len);
    CredHandle *client = &pair->client.credential, *server = &pair->server.credential;
    assert_int_equal(SetCredentialsAttributesA(server, set_attribute, der, (ULONG)len), SEC_E_UNSUPPORTED_FUNCTION);
    for (size_t cut = 1; cut < len; cut++)
        assert_int_equal(SetCredentialsAttributesA(client, set_attribute, der, (ULONG)cut), SEC_E_UNKNOWN_CREDENTIALS);
    unsigned char *big = calloc(1, 70000);
    assert_non_null(big);
    struct ts_credentials huge = {
        .type = TS_PASSWORD, .domain = slice_of(big, 66000), .user = W("u"), .password = W("p")};
    AUTO_WRITER struct writer writer = writer_growing(70000);
    ts_credentials_write(&writer, &huge);
    assert_int_equal(SetCredentialsAttributesA(client, set_attribute, writer.data, (ULONG)writer.len),
                     SEC_E_INVALID_TOKEN);
    free(big);
    /* After all of that the card is still what is handed over. */
    assert_true(pair_run(pair));
    came_as(&pair->server.context, &credentials);
    pair_free(pair);
}

/* No bytes take it back; without ISC_REQ_DELEGATE nothing goes; the lists for fresh credentials count. */
static void test_when(void **state)
{
    (void)state;
    unsigned char der[1024];
    SecPkgContext_ClientCreds creds;
    const struct ts_credentials credentials = card();
    size_t len = der_of(&credentials, der, sizeof der);
    struct loop_pair *pair = pair_with(der, len);
    pair->client.flags &= ~(ULONG)ISC_REQ_DELEGATE;
    assert_true(pair_run(pair));
    assert_int_equal(QueryContextAttributesA(&pair->server.context, OPENSSPI_ATTR_TS_CREDENTIALS, &creds),
                     SEC_E_NO_CREDENTIALS);
    pair_restart(pair);
    pair->client.flags |= ISC_REQ_DELEGATE;
    assert_int_equal(SetCredentialsAttributesW(&pair->client.credential, set_attribute, NULL, 0), SEC_E_OK);
    assert_true(pair_run(pair));
    const struct ts_credentials usual = {
        .type = TS_PASSWORD, .domain = W("EXAMPLE"), .user = W("alice"), .password = W("Password1!")};
    came_as(&pair->server.context, &usual);
    pair_restart(pair);
    pair_free(pair);
    credssp_configure("deny_fresh = *\n");
    pair = pair_with(der, len);
    assert_false(pair_run(pair));
    assert_int_equal(pair->client.status, SEC_E_DELEGATION_POLICY);
    pair_free(pair);
    credssp_configure("allow_fresh_ntlm = none\n");
    pair = pair_with(der, len);
    assert_false(pair_run(pair));
    assert_int_equal(pair->client.status, SEC_E_POLICY_NLTM_ONLY);
    pair_free(pair);
    credssp_configure("");
}

/* CREDSSP_FLAG_REDIRECT, as programs for Remote Credential Guard call TSSSP: without ISC_REQ_DELEGATE, and never with a password. */
static void test_redirect(void **state)
{
    (void)state;
    unsigned char der[1024];
    const struct ts_credentials remote = guard(), smart = card();
    struct tsssp_pair *pair = tsssp_pair();
    SCH_CREDENTIALS tls = {.dwVersion = SCH_CREDENTIALS_VERSION};
    pair->client.flags = ISC_REQ_STREAM | ISC_REQ_EXTENDED_ERROR | ISC_REQ_CONFIDENTIALITY | ISC_REQ_SEQUENCE_DETECT |
                         ISC_REQ_REPLAY_DETECT | ISC_REQ_MUTUAL_AUTH;
    assert_int_equal(tsssp_acquire(&pair->client, CredsspSubmitBufferBothOld, CREDSSP_FLAG_REDIRECT, &tls), SEC_E_OK);
    assert_int_equal(tsssp_acquire(&pair->server, CredsspSubmitBufferBoth, 0, NULL), SEC_E_OK);
    for (int delegate = 0; delegate < 2; delegate++) { /* nobody has set any; nothing is sent */
        pair->client.flags |= delegate ? ISC_REQ_DELEGATE : 0;
        assert_int_equal(tsssp_step(&pair->client, pair->target, NULL, 0, NULL, 0), SEC_E_NO_CREDENTIALS);
        assert_int_equal(pair->client.token_len, 0);
    }
    pair->client.flags &= ~(ULONG)ISC_REQ_DELEGATE;
    size_t len = der_of(&smart, der, sizeof der);
    assert_int_equal(SetCredentialsAttributesA(&pair->client.credential, set_attribute, der, (ULONG)len), SEC_E_OK);
    assert_int_equal(tsssp_step(&pair->client, pair->target, NULL, 0, NULL, 0), SEC_E_NO_CREDENTIALS);
    len = der_of(&remote, der, sizeof der);
    assert_int_equal(SetCredentialsAttributesA(&pair->client.credential, set_attribute, der, (ULONG)len), SEC_E_OK);
    assert_true(tsssp_run(pair));
    assert_int_equal(pair->client.attributes & ISC_RET_DELEGATE, ISC_RET_DELEGATE);
    came_as(&pair->server.context, &remote);
    /* What the two ends then say to each other about the tickets. */
    assert_int_equal(loop_seal(&pair->server.context, &pair->client.context, "a request"), SEC_E_OK);
    assert_int_equal(loop_seal(&pair->client.context, &pair->server.context, "an answer"), SEC_E_OK);
    tsssp_free(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_form), cmocka_unit_test(test_packed), cmocka_unit_test(test_packed_damaged),
        cmocka_unit_test(test_refused),   cmocka_unit_test(test_when),   cmocka_unit_test(test_redirect),
    };
    credssp_configure("");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
