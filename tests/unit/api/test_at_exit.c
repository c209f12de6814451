/*
 * What a host calls behind OpenSSL's own end, among its functions of atexit: an answer, where OpenSSL would have to be called a refusal.
 * build: all
 */
#include "support/tls_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sspi_ext.h>
#include <sys/wait.h>
#include <unistd.h>

static struct loop_pair *pair;
static PCCERT_CONTEXT certificate;

static SECURITY_STATUS tls_server(void)
{
    CredHandle handle;
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION, .cCreds = 1, .paCred = &certificate};
    return AcquireCredentialsHandleA(NULL, (char *)(uintptr_t)UNISP_NAME_A, SECPKG_CRED_INBOUND, NULL, &cred, NULL,
                                     NULL, &handle, NULL);
}

static SECURITY_STATUS attribute(ULONG number)
{
    union {
        SecPkgContext_Bindings bindings;
        SecPkgContext_CipherInfo cipher;
        PCCERT_CONTEXT peer;
    } value;
    return QueryContextAttributesA(&pair->client.context, number, &value);
}

static SECURITY_STATUS end_point(void)
{
    return attribute(SECPKG_ATTR_ENDPOINT_BINDINGS);
}

static SECURITY_STATUS unique(void)
{
    return attribute(SECPKG_ATTR_UNIQUE_BINDINGS);
}

static SECURITY_STATUS peer(void)
{
    return attribute(SECPKG_ATTR_REMOTE_CERT_CONTEXT);
}

static SECURITY_STATUS hash(void)
{
    BYTE bytes[20];
    DWORD len = sizeof bytes;
    return CertGetCertificateContextProperty(certificate, CERT_SHA1_HASH_PROP_ID, bytes, &len)
               ? SEC_E_OK
               : (SECURITY_STATUS)OpenSspiLastError();
}

static SECURITY_STATUS self_signed(void)
{
    static BYTE name[] = {0x30, 0x0c, 0x31, 0x0a, 0x30, 0x08, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x01, 'x'};
    CERT_NAME_BLOB blob = {sizeof name, name};
    return CertCreateSelfSignCertificate(0, &blob, 0, NULL, NULL, NULL, NULL, NULL) != NULL
               ? SEC_E_OK
               : (SECURITY_STATUS)OpenSspiLastError();
}

static SECURITY_STATUS password_logon(const char *package)
{
    SEC_WINNT_AUTH_IDENTITY_A identity = {.User = (unsigned char *)(uintptr_t) "alice",
                                          .UserLength = 5,
                                          .Domain = (unsigned char *)(uintptr_t) "AT-EXIT.TEST",
                                          .DomainLength = 12,
                                          .Password = (unsigned char *)(uintptr_t) "secret",
                                          .PasswordLength = 6,
                                          .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI};
    CredHandle credential;
    CtxtHandle context;
    SecBuffer token = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc out = {SECBUFFER_VERSION, 1, &token};
    ULONG attributes;
    SECURITY_STATUS status = AcquireCredentialsHandleA(NULL, (char *)(uintptr_t)package, SECPKG_CRED_OUTBOUND, NULL,
                                                       &identity, NULL, NULL, &credential, NULL);
    return status != SEC_E_OK
               ? status
               : InitializeSecurityContextA(&credential, NULL, (char *)(uintptr_t) "HTTP/server.at-exit.test",
                                            ISC_REQ_ALLOCATE_MEMORY, 0, 0, NULL, 0, &context, &out, &attributes, NULL);
}

static SECURITY_STATUS kerberos(void)
{
    return password_logon("Kerberos");
}

/* Negotiate goes on with NTLM. */
static SECURITY_STATUS negotiate(void)
{
    return password_logon("Negotiate") == SEC_I_CONTINUE_NEEDED ? SEC_E_INTERNAL_ERROR : SEC_E_OK;
}

/* What needs OpenSSL for nothing new works to the end. */
static SECURITY_STATUS message(void)
{
    static struct wire text;
    text.len = 0;
    SECURITY_STATUS status = side_send(&pair->client, "bye", 3, &pair->server.in);
    if (status == SEC_E_OK)
        status = side_receive(&pair->server, &text);
    return status == SEC_E_OK && text.len == 3 ? SEC_E_INTERNAL_ERROR : SEC_E_OK;
}

/* 0, or the number of who did not refuse. */
static int at_the_end(void)
{
    SECURITY_STATUS(*const calls[])
    (void) = {tls_server, end_point, unique, peer, hash, self_signed, kerberos, negotiate, message};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        SECURITY_STATUS status = calls[i]();
        if (status != SEC_E_INTERNAL_ERROR) {
            fprintf(stderr, "call %zu: 0x%08x %s\n", i, (unsigned)status, OpenSspiLastErrorText());
            return (int)i + 1;
        }
    }
    return 0;
}

static void late(void)
{
    _exit(at_the_end());
}

static void test_at_exit(void **state)
{
    int status = -1;
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        /* Registered before OpenSSL's own, and so called after it. */
        if (atexit(late) != 0)
            _exit(100);
        pair = pair_new();
        if (!pair_run(pair))
            _exit(101);
        certificate = pki_context(pki_server(), NULL, false);
        exit(102);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_at_exit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
