/*
 * TSSSP: CredSSP for a channel of the program's own. Its client and server against each other and against CREDSSP's, certificates that are shown or
 * are not, and messages afterwards.
 * build: all
 */
#include "support/tsssp_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sspi_ext.h>

static struct tsssp_pair *acquired(void)
{
    struct tsssp_pair *pair = tsssp_pair();
    assert_int_equal(tsssp_acquire(&pair->client, CredsspSubmitBufferBoth, 0, NULL), SEC_E_OK);
    assert_int_equal(tsssp_acquire(&pair->server, CredsspSubmitBufferBoth, 0, NULL), SEC_E_OK);
    return pair;
}

static void restart(struct tsssp_pair *pair)
{
    if (pair->client.has_context)
        DeleteSecurityContext(&pair->client.context);
    if (pair->server.has_context)
        DeleteSecurityContext(&pair->server.context);
    pair->client.has_context = pair->server.has_context = false;
}

static void handed_is_alices(CtxtHandle *server)
{
    SecPkgContext_ClientCreds creds;
    assert_int_equal(QueryContextAttributesA(server, SECPKG_ATTR_CREDS_2, &creds), SEC_E_OK);
    assert_true(creds.AuthBufferLen > 20);
    assert_memory_equal(creds.AuthBuffer + creds.AuthBufferLen - 20, u"Password1!", 20);
    FreeContextBuffer(creds.AuthBuffer);
}

static void test_handshake(void **state)
{
    (void)state;
    struct tsssp_pair *pair = acquired();
    assert_true(tsssp_run(pair));
    assert_int_equal(pair->client.attributes & (ISC_RET_DELEGATE | ISC_RET_CONFIDENTIALITY | ISC_RET_STREAM),
                     ISC_RET_DELEGATE | ISC_RET_CONFIDENTIALITY);
    assert_int_equal(pair->server.attributes & (ASC_RET_DELEGATE | ASC_RET_CONFIDENTIALITY | ASC_RET_STREAM),
                     ASC_RET_DELEGATE | ASC_RET_CONFIDENTIALITY);
    assert_true(credssp_token_is_of_ntlm(&pair->server.context));
    handed_is_alices(&pair->server.context);
    /* The handshake has ended, on both sides. */
    assert_int_equal(tsssp_step(&pair->client, pair->target, "x", 1, NULL, 0), SEC_E_OUT_OF_SEQUENCE);
    assert_int_equal(tsssp_step(&pair->server, NULL, "x", 1, NULL, 0), SEC_E_OUT_OF_SEQUENCE);
    tsssp_free(pair);
}

static void test_attributes(void **state)
{
    (void)state;
    struct tsssp_pair *pair = acquired();
    assert_true(tsssp_run(pair));
    CtxtHandle *client = &pair->client.context, *server = &pair->server.context;
    static const ULONG absent[] = {SECPKG_ATTR_STREAM_SIZES, SECPKG_ATTR_CONNECTION_INFO,
                                   SECPKG_ATTR_REMOTE_CERT_CONTEXT, SECPKG_ATTR_LOCAL_CERT_CONTEXT,
                                   SECPKG_ATTR_CIPHER_INFO};
    unsigned char room[2048];
    SecPkgContext_PackageInfoA info;
    SecPkgContext_NamesA names;
    SecPkgContext_Sizes sizes;
    SecPkgContext_Flags flags;
    SecBuffer packed;
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++)
        assert_int_equal(QueryContextAttributesA(client, absent[i], room), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(QueryContextAttributesA(server, SECPKG_ATTR_PACKAGE_INFO, &info), SEC_E_OK);
    assert_string_equal(info.PackageInfo->Name, "TSSSP");
    assert_string_equal(info.PackageInfo->Comment, "TS Service Security Package");
    assert_int_equal(info.PackageInfo->fCapabilities, 0x10230);
    assert_int_equal(info.PackageInfo->wRPCID, 22);
    assert_int_equal(info.PackageInfo->cbMaxToken, 13000);
    FreeContextBuffer(info.PackageInfo);
    assert_int_equal(QueryContextAttributesA(client, SECPKG_ATTR_NEGOTIATION_PACKAGE, &info), SEC_E_OK);
    assert_string_equal(info.PackageInfo->Name, "NTLM");
    FreeContextBuffer(info.PackageInfo);
    assert_int_equal(QueryContextAttributesA(server, SECPKG_ATTR_NAMES, &names), SEC_E_OK);
    assert_string_equal(names.sUserName, "EXAMPLE\\alice");
    FreeContextBuffer(names.sUserName);
    assert_int_equal(QueryContextAttributesA(client, SECPKG_ATTR_SIZES, &sizes), SEC_E_OK);
    assert_int_equal(sizes.cbSecurityTrailer, 16); /* NTLM's */
    assert_int_equal(QueryContextAttributesA(client, SECPKG_ATTR_SERVER_AUTH_FLAGS, &flags), SEC_E_OK);
    assert_int_equal(flags.Flags, 0);
    assert_int_equal(ExportSecurityContext(client, 0, &packed, NULL), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(QueryCredentialsAttributesA(&pair->client.credential, SECPKG_ATTR_SUPPORTED_ALGS, room),
                     SEC_E_UNSUPPORTED_FUNCTION);
    tsssp_free(pair);
}

/* What is said beside the channel is sealed by the inner session, whose numbers go on from the handshake's. */
static void test_messages(void **state)
{
    (void)state;
    struct tsssp_pair *pair = acquired();
    assert_true(tsssp_run(pair));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(loop_seal(&pair->client.context, &pair->server.context, "to the server"), SEC_E_OK);
        assert_int_equal(loop_seal(&pair->server.context, &pair->client.context, "to the client"), SEC_E_OK);
        assert_int_equal(loop_sign(&pair->client.context, &pair->server.context, "signed alone"), SEC_E_OK);
    }
    tsssp_free(pair);
}

/* No certificate: the server cannot know that nobody stands between, and the client does not say what it would bind. */
static void test_no_certificate(void **state)
{
    (void)state;
    struct tsssp_pair *pair = acquired();
    pair->certificate = NULL;
    pair->certificate_len = 0;
    assert_false(tsssp_run(pair));
    assert_int_equal(pair->client.status, SEC_E_INVALID_TOKEN);
    restart(pair);
    static unsigned char certificate[TSSSP_ROOM];
    pair->certificate_len = tsssp_certificate(pki_server(), certificate);
    pair->certificate = certificate;
    pair->other = ""; /* the server's: a buffer of no bytes */
    pair->other_len = 0;
    assert_false(tsssp_run(pair));
    assert_int_equal(pair->server.status, SEC_E_INVALID_TOKEN);
    tsssp_free(pair);
}

/* Two TLS connections with somebody in the middle: two certificates. Nothing is handed over. */
static void test_other_certificate(void **state)
{
    (void)state;
    static unsigned char other[TSSSP_ROOM];
    struct tsssp_pair *pair = acquired();
    pair->other = other;
    pair->other_len = tsssp_certificate(pki_server_rsa(), other);
    assert_false(tsssp_run(pair));
    assert_int_equal(pair->server.status, SEC_E_MESSAGE_ALTERED);
    assert_int_equal(pair->client.status, SEC_E_LOGON_DENIED); /* by the error that it was told */
    tsssp_free(pair);
}

static void test_bad_certificates(void **state)
{
    (void)state;
    static unsigned char good[TSSSP_ROOM], bad[TSSSP_ROOM];
    ULONG len = tsssp_certificate(pki_server(), good);
    struct tsssp_pair *pair = acquired();
    static const struct {
        size_t at;
        unsigned char change;
        int longer;
    } cases[] = {{0, 1, 0}, {0, 0xff, 0}, {3, 0x80, 0}, {4, 0x01, 0}, {0, 0, -1}, {0, 0, 1}, {0, 0, 3}, {0, 0, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memcpy(bad, good, sizeof bad);
        memset(bad + len, 0xee, 8);
        bad[cases[i].at] ^= cases[i].change;
        restart(pair);
        assert_int_equal(tsssp_step(&pair->client, pair->target, NULL, 0, NULL, 0), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(tsssp_step(&pair->server, NULL, pair->client.token, pair->client.token_len, bad,
                                    (ULONG)((int)len + cases[i].longer)),
                         SEC_E_INVALID_TOKEN);
    }
    for (ULONG n = 1; n < 5; n++) {
        restart(pair);
        assert_int_equal(tsssp_step(&pair->client, pair->target, NULL, 0, good, n), SEC_E_INVALID_TOKEN);
    }
    tsssp_free(pair);
}

/* A chain: the first is the server's. It may come before the server's first word, and only the first time counts. */
static void test_certificate_early(void **state)
{
    (void)state;
    static unsigned char chain[2 * TSSSP_ROOM];
    ULONG len = tsssp_certificate(pki_server(), chain);
    len += tsssp_certificate(pki_authority(), chain + len);
    struct tsssp_pair *pair = acquired();
    assert_int_equal(tsssp_step(&pair->client, pair->target, NULL, 0, chain, len), SEC_I_CONTINUE_NEEDED);
    for (int i = 0; pair->client.status != SEC_E_OK && i < 10; i++) {
        assert_true(tsssp_step(&pair->server, NULL, pair->client.token, pair->client.token_len, chain, len) >= 0);
        assert_true(tsssp_step(&pair->client, pair->target, pair->server.token, pair->server.token_len, NULL, 0) >= 0);
    }
    assert_int_equal(tsssp_step(&pair->server, NULL, pair->client.token, pair->client.token_len, NULL, 0), SEC_E_OK);
    handed_is_alices(&pair->server.context);
    tsssp_free(pair);
}

static void test_first_words(void **state)
{
    (void)state;
    struct tsssp_pair *pair = acquired();
    assert_int_equal(tsssp_step(&pair->client, pair->target, "\x30\x03\x02\x01\x06", 5, NULL, 0), SEC_E_INVALID_TOKEN);
    assert_int_equal(tsssp_step(&pair->server, NULL, NULL, 0, NULL, 0), SEC_E_INVALID_TOKEN);
    assert_int_equal(tsssp_step(&pair->server, NULL, "\x16\x03\x01", 3, NULL, 0), SEC_E_INVALID_TOKEN); /* TLS' own */
    assert_int_equal(tsssp_step(&pair->client, pair->target, NULL, 0, NULL, 0), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(tsssp_step(&pair->client, pair->target, NULL, 0, NULL, 0), SEC_E_INVALID_TOKEN);
    assert_int_equal(tsssp_step(&pair->client, pair->target, NULL, 0, NULL, 0), SEC_E_OUT_OF_SEQUENCE);
    tsssp_free(pair);
}

/* The lists of targets are CREDSSP's; a certificate of a system root vouches for the server. */
static void test_policy(void **state)
{
    (void)state;
    SecPkgContext_Flags flags;
    credssp_configure("deny_fresh = *.test\n");
    struct tsssp_pair *pair = acquired();
    assert_false(tsssp_run(pair));
    assert_int_equal(pair->client.status, SEC_E_DELEGATION_POLICY);
    tsssp_free(pair);
    credssp_configure("allow_fresh_ntlm = none\n");
    pair = acquired();
    assert_false(tsssp_run(pair));
    assert_int_equal(pair->client.status, SEC_E_POLICY_NLTM_ONLY);
    tsssp_free(pair);
    char more[400];
    snprintf(more, sizeof more, "allow_fresh_ntlm = none\n%s", credssp_roots());
    credssp_configure(more);
    pair = acquired();
    assert_true(tsssp_run(pair));
    assert_int_equal(QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_SERVER_AUTH_FLAGS, &flags), SEC_E_OK);
    assert_int_equal(flags.Flags, CREDSSP_SERVER_AUTH_CERTIFICATE);
    assert_int_equal(pair->client.attributes & ISC_RET_MUTUAL_AUTH, ISC_RET_MUTUAL_AUTH);
    tsssp_free(pair);
    credssp_configure("");
}

/* A wish that TSSSP cannot grant is refused, and not forgotten. */
static void test_validation_wished(void **state)
{
    (void)state;
    SCHANNEL_CRED tls = {.dwVersion = SCHANNEL_CRED_VERSION, .dwFlags = SCH_CRED_AUTO_CRED_VALIDATION};
    SCH_CREDENTIALS newer = {.dwVersion = SCH_CREDENTIALS_VERSION};
    struct tsssp_pair *pair = tsssp_pair();
    assert_int_equal(tsssp_acquire(&pair->client, CredsspSubmitBufferBoth, 0, &tls), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(tsssp_acquire(&pair->client, CredsspSubmitBufferBoth, 0, &newer), SEC_E_OK);
    tsssp_free(pair);
}

/* The channel is TLS by Schannel, as whoever uses TSSSP has one, and at its other end is CREDSSP, which has its own. */
struct mixed {
    struct side tls, credssp;
    struct tsssp_end end;
    unsigned char certificate[TSSSP_ROOM];
    ULONG certificate_len;
    struct wire text;
};

static struct mixed *mixed_begin(bool tsssp_client, DWORD protocols)
{
    struct mixed *mixed = calloc(1, sizeof *mixed);
    assert_non_null(mixed);
    struct loop_pair *usual = credssp_pair();
    mixed->tls = tsssp_client ? usual->client : usual->server;
    mixed->credssp = tsssp_client ? usual->server : usual->client;
    mixed->tls.flags &= ~(ULONG)(ISC_REQ_DELEGATE | ISC_REQ_MUTUAL_AUTH);
    pair_free(usual);
    mixed->tls.flags |= tsssp_client ? ISC_REQ_MANUAL_CRED_VALIDATION : 0;
    mixed->tls.target = "server.test";
    mixed->end.client = tsssp_client;
    mixed->end.flags = tsssp_client ? ISC_REQ_DELEGATE : 0;
    assert_int_equal(tsssp_acquire(&mixed->end, CredsspSubmitBufferBoth, 0, NULL), SEC_E_OK);
    if (tsssp_client) {
        assert_int_equal(credssp_server_acquire(&mixed->credssp, protocols & SP_PROT_TLS1_X_SERVER), SEC_E_OK);
        assert_int_equal(side_acquire_with(&mixed->tls, NULL, 0, SCH_CRED_MANUAL_CRED_VALIDATION), SEC_E_OK);
    } else {
        assert_int_equal(credssp_client_acquire(&mixed->credssp, NULL, protocols & SP_PROT_TLS1_X_CLIENT, 0), SEC_E_OK);
        assert_int_equal(side_acquire_with(&mixed->tls, pki_server(), 0, 0), SEC_E_OK);
    }
    mixed->certificate_len = tsssp_certificate(pki_server(), mixed->certificate);
    return mixed;
}

static void carry(struct side *from, struct side *to)
{
    wire_put(&to->in, from->out.data, from->out.len);
    from->out.len = 0;
}

/* Both ends' steps until nobody has anything more to say. */
static void mixed_run(struct mixed *mixed)
{
    struct tsssp_end *end = &mixed->end;
    bool begun = false, quiet = false;
    end->status = SEC_I_CONTINUE_NEEDED;
    mixed->credssp.status = mixed->tls.status = SEC_I_CONTINUE_NEEDED;
    if (mixed->tls.client)
        side_step(&mixed->tls);
    else
        side_step(&mixed->credssp);
    for (int round = 0; !quiet && round < 50; round++) {
        quiet = true;
        carry(&mixed->tls, &mixed->credssp);
        carry(&mixed->credssp, &mixed->tls);
        if (mixed->credssp.in.len > 0 && mixed->credssp.status == SEC_I_CONTINUE_NEEDED) {
            side_step(&mixed->credssp);
            quiet = false;
        }
        if (mixed->tls.status != SEC_E_OK) {
            if (mixed->tls.in.len > 0) {
                side_step(&mixed->tls);
                quiet = false;
            }
            continue;
        }
        while (mixed->tls.in.len > 0 && side_receive_text(&mixed->tls, &mixed->credssp, &mixed->text) == SEC_E_OK)
            quiet = false;
        if ((begun || !end->client) && mixed->text.len == 0)
            continue;
        const void *shown = begun ? NULL : mixed->certificate;
        tsssp_step(end, "TERMSRV/server.test", mixed->text.data, (ULONG)mixed->text.len, shown,
                   begun ? 0 : mixed->certificate_len);
        mixed->text.len = 0;
        begun = true;
        quiet = false;
        assert_true(end->status >= 0);
        if (end->token_len > 0)
            assert_int_equal(side_send(&mixed->tls, end->token, end->token_len, &mixed->credssp.in), SEC_E_OK);
    }
}

static void test_against_credssp(void **state)
{
    (void)state;
    static const DWORD protocols[] = {SP_PROT_TLS1_2, SP_PROT_TLS1_3};
    for (int i = 0; i < 4; i++) {
        struct mixed *mixed = mixed_begin(i % 2 == 0, protocols[i / 2]);
        mixed_run(mixed);
        assert_int_equal(mixed->end.status, SEC_E_OK);
        assert_int_equal(mixed->credssp.status, SEC_E_OK);
        handed_is_alices(i % 2 == 0 ? &mixed->credssp.context : &mixed->end.context);
        struct side *others = &mixed->credssp;
        DeleteSecurityContext(&mixed->end.context);
        FreeCredentialsHandle(&mixed->end.credential);
        side_end(&mixed->tls);
        side_end(others);
        FreeCredentialsHandle(&mixed->tls.credential);
        FreeCredentialsHandle(&others->credential);
        free(mixed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handshake),
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_no_certificate),
        cmocka_unit_test(test_other_certificate),
        cmocka_unit_test(test_bad_certificates),
        cmocka_unit_test(test_certificate_early),
        cmocka_unit_test(test_first_words),
        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_validation_wished),
        cmocka_unit_test(test_against_credssp),
    };
    credssp_configure("");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
