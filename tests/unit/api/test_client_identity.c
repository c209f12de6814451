/*
 * OpenSspiQueryClientIdentity: who came in, and who may not ask.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/ntlm_loop.h"
#include <sspi_ext.h>
#include <string.h>

static void test_who(void **state)
{
    struct loop loop = {0};
    OPENSSPI_CLIENT_IDENTITY *identity = NULL;
    (void)state;
    assert_true(loop_run(&loop));
    assert_int_equal(OpenSspiQueryClientIdentity(&loop.server, &identity), SEC_E_OK);
    assert_int_equal(strncmp(identity->UserSid, "S-1-", 4), 0);
    assert_int_equal(identity->Anonymous, 0);
    for (ULONG i = 0; i < identity->GroupCount; i++)
        assert_int_equal(strncmp(identity->Groups[i].Sid, "S-1-", 4), 0);
    assert_int_equal(FreeContextBuffer(identity), SEC_E_OK);
    identity = NULL;
    assert_int_equal(OpenSspiQueryClientIdentity(&loop.client, &identity), SEC_E_NO_IMPERSONATION);
    assert_int_equal(OpenSspiQueryClientIdentity(NULL, &identity), SEC_E_INVALID_HANDLE);
    assert_int_equal(OpenSspiQueryClientIdentity(&loop.server, NULL), SEC_E_INVALID_PARAMETER);
    assert_null(identity);
    CtxtHandle gone = loop.server;
    loop_end(&loop);
    assert_int_equal(OpenSspiQueryClientIdentity(&gone, &identity), SEC_E_INVALID_HANDLE);
}

/* Nobody is anybody before the handshake has ended. */
static void test_too_early(void **state)
{
    CredHandle credential, server_credential;
    CtxtHandle client, server;
    ULONG granted;
    char token[2][4096];
    OPENSSPI_CLIENT_IDENTITY *identity = NULL;
    SecBuffer one = {sizeof token[0], SECBUFFER_TOKEN, token[0]}, two = {sizeof token[1], SECBUFFER_TOKEN, token[1]};
    SecBufferDesc first = {SECBUFFER_VERSION, 1, &one}, second = {SECBUFFER_VERSION, 1, &two};
    SEC_WINNT_AUTH_IDENTITY_A who = {(void *)"alice",      5,  (void *)"EXAMPLE",           7,
                                     (void *)"Password1!", 10, SEC_WINNT_AUTH_IDENTITY_ANSI};
    (void)state;
    assert_int_equal(AcquireCredentialsHandleA(NULL, (char *)"NTLM", SECPKG_CRED_OUTBOUND, NULL, &who, NULL, NULL,
                                               &credential, NULL),
                     SEC_E_OK);
    assert_int_equal(AcquireCredentialsHandleA(NULL, (char *)"NTLM", SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL,
                                               &server_credential, NULL),
                     SEC_E_OK);
    assert_int_equal(
        InitializeSecurityContextA(&credential, NULL, NULL, 0, 0, 0, NULL, 0, &client, &first, &granted, NULL),
        SEC_I_CONTINUE_NEEDED);
    assert_int_equal(AcceptSecurityContext(&server_credential, NULL, &first, 0, 0, &server, &second, &granted, NULL),
                     SEC_I_CONTINUE_NEEDED);
    assert_int_equal(OpenSspiQueryClientIdentity(&server, &identity), SEC_E_INVALID_HANDLE);
    DeleteSecurityContext(&client);
    DeleteSecurityContext(&server);
    FreeCredentialsHandle(&credential);
    FreeCredentialsHandle(&server_credential);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_who), cmocka_unit_test(test_too_early)};
    loop_configure(NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
