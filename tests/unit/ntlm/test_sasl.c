/*
 * NTLM by the SASL functions: the mechanism adds nothing to the package's tokens and has no layer of its own; both sides sign and seal afterwards.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/ntlm_loop.h"
#include <string.h>

#define PROTECTED (ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY)
#define PROTECTING (ASC_REQ_CONFIDENTIALITY | ASC_REQ_INTEGRITY)

static ULONG client_asks, server_asks;

static int begin(void **state)
{
    (void)state;
    loop_configure("");
    return 0;
}

static int usual(void **state)
{
    (void)state;
    client_asks = PROTECTED;
    server_asks = PROTECTING;
    return 0;
}

static int end(void **state)
{
    (void)state;
    loop_cleanup();
    return 0;
}

static SECURITY_STATUS client_step(struct loop *loop, bool first, SecBuffer *in, SecBuffer *out)
{
    SecBufferDesc ins = {SECBUFFER_VERSION, 1, in}, outs = {SECBUFFER_VERSION, 1, out};
    static char target[] = "ldap/server.example.test";
    out->cbBuffer = LOOP_TOKEN_MAX;
    return SaslInitializeSecurityContextA(&loop->client_credential, first ? NULL : &loop->client, target, client_asks,
                                          0, SECURITY_NATIVE_DREP, first ? NULL : &ins, 0, &loop->client, &outs,
                                          &loop->client_attributes, NULL);
}

static SECURITY_STATUS server_step(struct loop *loop, bool first, SecBuffer *in, SecBuffer *out)
{
    SecBufferDesc ins = {SECBUFFER_VERSION, 1, in}, outs = {SECBUFFER_VERSION, 1, out};
    out->cbBuffer = LOOP_TOKEN_MAX;
    return SaslAcceptSecurityContext(&loop->server_credential, first ? NULL : &loop->server, &ins, server_asks,
                                     SECURITY_NATIVE_DREP, &loop->server, &outs, &loop->server_attributes, NULL);
}

/* The whole exchange; the server's last status, or the client's where it ends it. */
static SECURITY_STATUS run(struct loop *loop)
{
    unsigned char to_server[LOOP_TOKEN_MAX], to_client[LOOP_TOKEN_MAX];
    SecBuffer up = {0, SECBUFFER_TOKEN, to_server}, down = {0, SECBUFFER_TOKEN, to_client};
    loop_acquire(loop);
    assert_int_equal(client_step(loop, true, NULL, &up), SEC_I_CONTINUE_NEEDED);
    assert_memory_equal(to_server, "NTLMSSP", 8); /* the package's token as it is */
    assert_int_equal(server_step(loop, true, &up, &down), SEC_I_CONTINUE_NEEDED);
    SECURITY_STATUS status = client_step(loop, false, &down, &up);
    if (status != SEC_E_OK)
        return status;
    assert_memory_equal(to_server, "NTLMSSP\0\3", 9);
    return server_step(loop, false, &up, &down);
}

static void test_sign_on(void **state)
{
    struct loop loop = {0};
    (void)state;
    assert_int_equal(run(&loop), SEC_E_OK);
    assert_int_equal(loop_seal(&loop.client, &loop.server, "a search"), SEC_E_OK);
    assert_int_equal(loop_seal(&loop.server, &loop.client, "its result"), SEC_E_OK);
    assert_int_equal(loop_sign(&loop.client, &loop.server, "signed"), SEC_E_OK);
    loop_end(&loop);
}

static void test_refused(void **state)
{
    struct loop loop = {.password = "wrong"};
    (void)state;
    assert_int_equal(run(&loop), SEC_E_LOGON_DENIED);
    loop_end(&loop);
}

/* A null session's key is everybody's: neither side takes it for the layer that it asks for. */
static void test_null_sessions(void **state)
{
    static const struct {
        ULONG client, server;
        SECURITY_STATUS status;
    } cases[] = {
        {0, 0, SEC_E_OK},
        {0, ASC_REQ_INTEGRITY, SEC_E_UNSUPPORTED_FUNCTION},
        {0, ASC_REQ_SEQUENCE_DETECT, SEC_E_UNSUPPORTED_FUNCTION},
        {0, ASC_REQ_CONFIDENTIALITY, SEC_E_UNSUPPORTED_FUNCTION},
        {ISC_REQ_INTEGRITY, 0, SEC_E_QOP_NOT_SUPPORTED},
        {ISC_REQ_CONFIDENTIALITY, 0, SEC_E_QOP_NOT_SUPPORTED},
    };
    (void)state;
    loop_configure("[ntlm]\nallow_anonymous = yes\n");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct loop loop = {0};
        client_asks = cases[i].client | ISC_REQ_NULL_SESSION;
        server_asks = cases[i].server | ASC_REQ_ALLOW_NULL_SESSION;
        SECURITY_STATUS status = run(&loop);
        if (status != cases[i].status)
            fail_msg("case %zu: 0x%08x", i, (unsigned)status);
        if (status == SEC_E_OK)
            assert_int_equal(loop.server_attributes & PROTECTING, 0);
        loop_end(&loop);
    }
    loop_configure("");
}

static void test_profile(void **state)
{
    static char name[] = "NTLM";
    LPSTR profiles = NULL;
    ULONG n = 0;
    PSecPkgInfoA package = NULL;
    (void)state;
    assert_int_equal(SaslEnumerateProfilesA(&profiles, &n), SEC_E_OK);
    bool there = false;
    for (const char *at = profiles; *at != '\0'; at += strlen(at) + 1)
        there = there || strcmp(at, name) == 0;
    assert_true(there);
    FreeContextBuffer(profiles);
    assert_int_equal(SaslGetProfilePackageA(name, &package), SEC_E_OK);
    assert_string_equal(package->Name, "NTLM");
    FreeContextBuffer(package);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_sign_on, usual),
        cmocka_unit_test_setup(test_refused, usual),
        cmocka_unit_test(test_null_sessions),
        cmocka_unit_test(test_profile),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
