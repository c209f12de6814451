/*
 * SASL's mechanisms whose layer is the context's flags, both sides by the Sasl functions: GSS-SPNEGO and NTLM; and EXTERNAL, which has no tokens.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fake_package.h"
#include "support/ntlm_loop.h"
#include <schannel.h>
#include <sspi_ext.h>
#include <string.h>

#define CONF (ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY)
#define TRAILER 16

struct side {
    CredHandle credential;
    CtxtHandle context;
    ULONG flags, granted, len;
    SECURITY_STATUS status;
    bool wide;
    unsigned char token[LOOP_TOKEN_MAX];
};
static struct side client, server;
static void (*change)(void); /* what somebody between does to the server's first token */

static const char *const packages[] = {"Negotiate", "NTLM"};

static void begin(const char *package, ULONG client_flags, ULONG server_flags)
{
    struct loop loop = {.package = package};
    loop_configure("[negotiate]\npackages = ntlm\n");
    loop_acquire(&loop);
    client = (struct side){.credential = loop.client_credential, .flags = client_flags};
    server = (struct side){.credential = loop.server_credential, .flags = server_flags};
}

static void end(void)
{
    struct side *const sides[] = {&client, &server};
    change = NULL;
    for (int i = 0; i < 2; i++) {
        DeleteSecurityContext(&sides[i]->context);
        FreeCredentialsHandle(&sides[i]->credential);
    }
}

static void step(struct side *side)
{
    static SEC_WCHAR wide_target[] = {'l', 'd', 'a', 'p', '/', 's', 'e', 'r', 'v', 'e', 'r', 0};
    static char target[] = "ldap/server";
    struct side *peer = side == &client ? &server : &client;
    SecBuffer in = {peer->len, SECBUFFER_TOKEN, peer->token}, out = {sizeof side->token, SECBUFFER_TOKEN, side->token};
    SecBufferDesc given = {SECBUFFER_VERSION, 1, &in}, wanted = {SECBUFFER_VERSION, 1, &out};
    PCtxtHandle old = side->context.dwLower != 0 ? &side->context : NULL;
    PSecBufferDesc input = peer->len > 0 ? &given : NULL;
    if (side == &server)
        side->status = SaslAcceptSecurityContext(&side->credential, old, input, side->flags, 0, &side->context, &wanted,
                                                 &side->granted, NULL);
    else if (side->wide)
        side->status = SaslInitializeSecurityContextW(&side->credential, old, wide_target, side->flags, 0, 0, input, 0,
                                                      &side->context, &wanted, &side->granted, NULL);
    else
        side->status = SaslInitializeSecurityContextA(&side->credential, old, target, side->flags, 0, 0, input, 0,
                                                      &side->context, &wanted, &side->granted, NULL);
    side->len = side->status >= 0 ? out.cbBuffer : 0;
}

/* Until both have ended or one fails. */
static void run(void)
{
    client.status = server.status = SEC_I_CONTINUE_NEEDED;
    for (int i = 0; i < 6 && client.status >= 0 && server.status >= 0; i++) {
        if (client.status == SEC_I_CONTINUE_NEEDED)
            step(&client);
        if (client.status >= 0 && server.status == SEC_I_CONTINUE_NEEDED)
            step(&server);
        if (i == 0 && change != NULL)
            change();
    }
}

static void good(void)
{
    run();
    if (client.status != SEC_E_OK || server.status != SEC_E_OK)
        fail_msg("client 0x%08x, server 0x%08x: %s", (unsigned)client.status, (unsigned)server.status,
                 OpenSspiLastErrorText());
}

/* A message there, opened as one stream. */
static SECURITY_STATUS send_message(struct side *from, struct side *to, size_t len, ULONG qop)
{
    static unsigned char whole[TRAILER + 4096];
    memset(whole, 'x', sizeof whole);
    SecBuffer buffers[2] = {{TRAILER, SECBUFFER_TOKEN, whole}, {(ULONG)len, SECBUFFER_DATA, whole + TRAILER}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    SECURITY_STATUS status = EncryptMessage(&from->context, qop, &list, 0);
    if (status != SEC_E_OK)
        return status;
    buffers[0] = (SecBuffer){TRAILER + (ULONG)len, SECBUFFER_STREAM, whole};
    buffers[1] = (SecBuffer){0, SECBUFFER_DATA, NULL};
    status = DecryptMessage(&to->context, &list, 0, NULL);
    if (status == SEC_E_OK) {
        assert_int_equal(buffers[1].cbBuffer, len);
        assert_int_equal(((unsigned char *)buffers[1].pvBuffer)[len - 1], 'x');
    }
    return status;
}

static void test_layers(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        bool seals = i / 2 != 0;
        begin(packages[i % 2], seals ? CONF : ISC_REQ_INTEGRITY, 0);
        client.wide = i % 2 != 0;
        good();
        assert_true((client.granted & ISC_RET_INTEGRITY) != 0 && (server.granted & ASC_RET_INTEGRITY) != 0);
        assert_int_equal((client.granted & ISC_RET_CONFIDENTIALITY) != 0, seals);
        assert_int_equal((server.granted & ASC_RET_CONFIDENTIALITY) != 0, seals);
        for (int j = 0; j < 3; j++) {
            ULONG qop = seals ? 0 : SECQOP_WRAP_NO_ENCRYPT;
            assert_int_equal(send_message(&client, &server, 100, qop), SEC_E_OK);
            assert_int_equal(send_message(&server, &client, 1000, qop), SEC_E_OK);
        }
        end();
    }
}

static ULONG option(struct side *side, ULONG number)
{
    ULONG value = 0, needed = 0;
    assert_int_equal(SaslGetContextOption(&side->context, number, &value, sizeof value, &needed), SEC_E_OK);
    assert_int_equal(needed, sizeof value);
    return value;
}

static SECURITY_STATUS option_set(struct side *side, ULONG number, ULONG value)
{
    return SaslSetContextOption(&side->context, number, &value, sizeof value);
}

/* No sizes are agreed on: one that is set holds, on the side that has set it, to the byte. */
static void test_sizes(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        begin(packages[i], CONF, 0);
        good();
        assert_int_equal(option(&client, SASL_OPTION_RECV_SIZE), 65535);
        assert_int_equal(send_message(&client, &server, 4000, 0), SEC_E_OK);
        assert_int_equal(option_set(&client, SASL_OPTION_SEND_SIZE, 1000), SEC_E_OK);
        ULONG text = option(&client, SASL_OPTION_SEND_SIZE);
        assert_true(text > 900 && text <= 1000 - TRAILER);
        assert_int_equal(send_message(&client, &server, 1000 - TRAILER, 0), SEC_E_OK);
        assert_int_equal(send_message(&client, &server, 1001 - TRAILER, 0), SEC_E_INVALID_TOKEN);
        assert_int_equal(send_message(&server, &client, 4000, 0), SEC_E_OK);
        assert_int_equal(option_set(&server, SASL_OPTION_RECV_SIZE, 900), SEC_E_OK);
        assert_int_equal(send_message(&client, &server, 900 - TRAILER, 0), SEC_E_OK);
        assert_int_equal(send_message(&client, &server, 901 - TRAILER, 0), SEC_E_INVALID_TOKEN);
        assert_int_equal(option_set(&server, SASL_OPTION_RECV_SIZE, 0), SEC_E_INVALID_PARAMETER);
        assert_int_equal(option_set(&server, SASL_OPTION_SEND_SIZE, 0x1000000), SEC_E_INVALID_PARAMETER);
        end();
    }
}

static void test_options_that_are_not_theirs(void **state)
{
    char name[8];
    ULONG needed = 0;
    SecBuffer packed = {0};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        begin(packages[i], CONF, 0);
        good();
        assert_int_equal(SaslSetContextOption(&client.context, SASL_OPTION_AUTHZ_STRING, (char *)"bob", 3),
                         SEC_E_UNSUPPORTED_FUNCTION);
        assert_int_equal(SaslGetContextOption(&server.context, SASL_OPTION_AUTHZ_STRING, name, sizeof name, &needed),
                         SEC_E_UNSUPPORTED_FUNCTION);
        assert_int_equal(option(&client, SASL_OPTION_AUTHZ_PROCESSING), Sasl_AuthZIDProcessed);
        assert_int_equal(option_set(&client, SASL_OPTION_AUTHZ_PROCESSING, Sasl_AuthZIDForbidden), SEC_E_OK);
        assert_int_equal(option_set(&client, 77, 1), SEC_E_UNSUPPORTED_FUNCTION);
        assert_int_equal(ExportSecurityContext(&server.context, 0, &packed, NULL), SEC_E_UNSUPPORTED_FUNCTION);
        step(&client);
        assert_int_equal(client.status, SEC_E_OUT_OF_SEQUENCE);
        assert_int_equal(send_message(&client, &server, 100, 0), SEC_E_OK); /* that did no harm */
        end();
    }
}

static void test_a_server_that_asks_for_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        begin(packages[i], ISC_REQ_INTEGRITY, ASC_REQ_CONFIDENTIALITY);
        run();
        assert_int_equal(server.status, SEC_E_UNSUPPORTED_FUNCTION);
        assert_non_null(strstr(OpenSspiLastErrorText(), "less than the server asks for"));
        end();
        begin(packages[i], CONF, ASC_REQ_CONFIDENTIALITY);
        good();
        end();
    }
}

/* NTLM's challenge, wherever it begins: no sealing. NTLM itself wants what it promised. */
static void take_sealing_out(void)
{
    unsigned char *at = memmem(server.token, server.len, "NTLMSSP\0\2\0\0\0", 12);
    assert_non_null(at);
    at[20] &= 0xdf;
}

static void test_somebody_takes_sealing_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        begin(packages[i], CONF, 0);
        change = take_sealing_out;
        run();
        assert_int_equal(client.status, SEC_E_UNSUPPORTED_FUNCTION);
        assert_non_null(strstr(OpenSspiLastErrorText(), "grants no confidentiality"));
        assert_true(send_message(&client, &server, 100, 0) < 0);
        end();
    }
}

/* A package that grants less than was asked for, without a word: the client does not take it for the layer. */
static void test_a_client_takes_no_less(void **state)
{
    (void)state;
    fake_reset();
    fake.no_integrity = true;
    begin("Negotiate", ISC_REQ_INTEGRITY, 0);
    loop_configure("[negotiate]\npackages = fake\n");
    FreeCredentialsHandle(&client.credential);
    FreeCredentialsHandle(&server.credential);
    struct loop loop = {.package = "Negotiate"};
    loop_acquire(&loop);
    client.credential = loop.client_credential;
    server.credential = loop.server_credential;
    run();
    assert_int_equal(client.status, SEC_E_QOP_NOT_SUPPORTED);
    assert_non_null(strstr(OpenSspiLastErrorText(), "less than this client asks for"));
    assert_int_equal(client.len, 0);
    assert_true(send_message(&client, &server, 100, 0) < 0);
    end();
    assert_int_equal(fake.n_sessions, 0);
}

static void test_wrong_password(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct loop loop = {.package = packages[i], .password = "wrong"};
        begin(packages[i], CONF, 0);
        FreeCredentialsHandle(&client.credential);
        loop_acquire(&loop);
        FreeCredentialsHandle(&loop.server_credential);
        client.credential = loop.client_credential;
        run();
        assert_int_equal(server.status, SEC_E_LOGON_DENIED);
        end();
    }
}

static void test_profiles(void **state)
{
    static const char *const of[][2] = {{"GSSAPI", "Kerberos"},
                                        {"GSS-SPNEGO", "Negotiate"},
                                        {"EXTERNAL", "Schannel"},
                                        {"DIGEST-MD5", "WDigest"},
                                        {"NTLM", "NTLM"}};
    (void)state;
    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
        PSecPkgInfoA package = NULL, info = NULL;
        SecBuffer in = {(ULONG)strlen(of[i][0]), SECBUFFER_TOKEN, (void *)(uintptr_t)of[i][0]};
        SecBufferDesc input = {SECBUFFER_VERSION, 1, &in};
        if (QuerySecurityPackageInfoA((char *)(uintptr_t)of[i][1], &package) != SEC_E_OK) { /* a build without it */
            assert_int_equal(SaslGetProfilePackageA((char *)(uintptr_t)of[i][0], &info), SEC_E_SECPKG_NOT_FOUND);
            continue;
        }
        assert_int_equal(SaslGetProfilePackageA((char *)(uintptr_t)of[i][0], &info), SEC_E_OK);
        assert_string_equal(info->Name, package->Name);
        FreeContextBuffer(info);
        assert_int_equal(SaslIdentifyPackageA(&input, &info), SEC_E_OK);
        assert_string_equal(info->Name, package->Name);
        FreeContextBuffer(info);
        FreeContextBuffer(package);
    }
}

/* TLS has said all: the mechanism has a name and no messages. */
static void test_external(void **state)
{
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION};
    CredHandle credential;
    CtxtHandle context = {0};
    unsigned char token[64];
    SecBuffer out = {sizeof token, SECBUFFER_TOKEN, token};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &out};
    ULONG granted;
    (void)state;
    SECURITY_STATUS status = AcquireCredentialsHandleA(NULL, (char *)(uintptr_t)UNISP_NAME_A, SECPKG_CRED_OUTBOUND,
                                                       NULL, &cred, NULL, NULL, &credential, NULL);
    if (status == SEC_E_SECPKG_NOT_FOUND) /* a build without it */
        return;
    assert_int_equal(status, SEC_E_OK);
    assert_int_equal(SaslInitializeSecurityContextA(&credential, NULL, (char *)(uintptr_t) "server", 0, 0, 0, NULL, 0,
                                                    &context, &output, &granted, NULL),
                     SEC_E_UNSUPPORTED_FUNCTION);
    assert_non_null(strstr(OpenSspiLastErrorText(), "one without tokens"));
    assert_int_equal(context.dwLower, 0);
    FreeCredentialsHandle(&credential);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_options_that_are_not_theirs),
        cmocka_unit_test(test_a_server_that_asks_for_more),
        cmocka_unit_test(test_somebody_takes_sealing_out),
        cmocka_unit_test(test_a_client_takes_no_less),
        cmocka_unit_test(test_wrong_password),
        cmocka_unit_test(test_profiles),
        cmocka_unit_test(test_external),
    };
    fake_register();
    loop_configure(NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
