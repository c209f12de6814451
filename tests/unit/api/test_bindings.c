/*
 * The helpers that build channel bindings: their form, their files, their refusals, and that a handshake takes them.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "core/bindings.h"
#include "support/ntlm_loop.h"
#include <sspi_ext.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A self-signed P-256 certificate with ecdsa-with-SHA256, made with openssl req for this test. */
static const char pem[] = "-----BEGIN CERTIFICATE-----\n"
                          "MIIBjDCCATOgAwIBAgIUAQgxsDm6HniguuVXXYHnD4cLGiYwCgYIKoZIzj0EAwIw\n"
                          "GzEZMBcGA1UEAwwQd3d3LmV4YW1wbGUudGVzdDAgFw0yNjExMjExMjAyMTZaGA8y\n"
                          "MTI2MTAyODEyMDIxNlowGzEZMBcGA1UEAwwQd3d3LmV4YW1wbGUudGVzdDBZMBMG\n"
                          "ByqGSM49AgEGCCqGSM49AwEHA0IABJoMolAwhnwDyvHtnSIp8xl8lZkzB7pSYi73\n"
                          "WxeBcj4MLmz0gIHmdKX//8o15YqSwZAg3CX52dYB7uJpTkGWKcyjUzBRMB0GA1Ud\n"
                          "DgQWBBQ9h5jaKYab77Z+tim1+onqko+eAjAfBgNVHSMEGDAWgBQ9h5jaKYab77Z+\n"
                          "tim1+onqko+eAjAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIDGx\n"
                          "g2itsLfG7pU7wQ5xbQEiGLEolWuV6HrbjyU/8wE9AiAH9xXB/dYxy+25T2UhnT+b\n"
                          "T6V9gWnxxhSAEB/LhLU8kg==\n"
                          "-----END CERTIFICATE-----\n";
/* What openssl x509 -fingerprint -sha256 says of it. */
static const uint8_t fingerprint[32] = {0xa9, 0x16, 0xb9, 0x60, 0x51, 0x00, 0xc2, 0x02, 0xa4, 0xac, 0x89,
                                        0x8c, 0x8b, 0xda, 0x68, 0x9a, 0x5e, 0x9b, 0xb0, 0x6e, 0x38, 0xd3,
                                        0xdf, 0xd4, 0xa7, 0xb7, 0x34, 0xad, 0x77, 0xce, 0xa0, 0xbe};

static void check(SecPkgContext_Bindings *bindings, const char *prefix, const void *data, size_t len)
{
    struct bindings parsed;
    assert_int_equal(bindings_parse(slice_of(bindings->Bindings, bindings->BindingsLength), &parsed), WIRE_OK);
    assert_int_equal(bindings->BindingsLength, sizeof(SEC_CHANNEL_BINDINGS) + strlen(prefix) + len);
    assert_int_equal(parsed.initiator_type, 0);
    assert_int_equal(parsed.acceptor_type, 0);
    assert_int_equal(parsed.initiator.len, 0);
    assert_int_equal(parsed.acceptor.len, 0);
    assert_int_equal(parsed.application.len, strlen(prefix) + len);
    assert_memory_equal(parsed.application.data, prefix, strlen(prefix));
    assert_memory_equal(parsed.application.data + strlen(prefix), data, len);
    assert_int_equal(FreeContextBuffer(bindings->Bindings), SEC_E_OK);
}

static void path_of(char path[256], const char *name)
{
    snprintf(path, 256, "%s/%s", loop_directory(), name);
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void test_file(void **state)
{
    char path[256];
    SEC_WCHAR wide[256];
    SecPkgContext_Bindings bindings = {0};
    (void)state;
    path_of(path, "web.pem");
    put(path, pem);
    assert_int_equal(OpenSspiBindingsFromCertificateFileA(path, &bindings), SEC_E_OK);
    check(&bindings, "tls-server-end-point:", fingerprint, sizeof fingerprint);
    for (size_t i = 0; i <= strlen(path); i++)
        wide[i] = (SEC_WCHAR)path[i];
    assert_int_equal(OpenSspiBindingsFromCertificateFileW(wide, &bindings), SEC_E_OK);
    check(&bindings, "tls-server-end-point:", fingerprint, sizeof fingerprint);
    /* Without memory no file is to blame. */
    unsigned long nth = 1;
    for (bool reached = true; reached; nth++) {
        mem_fault_set(nth, true);
        SECURITY_STATUS status = OpenSspiBindingsFromCertificateFileW(wide, &bindings);
        reached = mem_fault_count() >= nth;
        mem_fault_set(0, false);
        assert_int_equal(status, reached ? SEC_E_INSUFFICIENT_MEMORY : SEC_E_OK);
    }
    assert_true(nth > 4);
    FreeContextBuffer(bindings.Bindings);
    unlink(path);
}

static void test_file_refused(void **state)
{
    char path[256];
    SecPkgContext_Bindings bindings = {7, NULL};
    (void)state;
    path_of(path, "none.pem");
    assert_int_equal(OpenSspiBindingsFromCertificateFileA(path, &bindings), SEC_E_CERT_UNKNOWN);
    assert_non_null(strstr(OpenSspiLastErrorText(), "none.pem"));
    put(path, "this is text\n");
    assert_int_equal(OpenSspiBindingsFromCertificateFileA(path, &bindings), SEC_E_CERT_UNKNOWN);
    assert_int_equal(truncate(path, (1 << 20) + 1), 0);
    assert_int_equal(OpenSspiBindingsFromCertificateFileA(path, &bindings), SEC_E_CERT_UNKNOWN);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(OpenSspiBindingsFromCertificateFileA(path, &bindings), SEC_E_CERT_UNKNOWN);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0); /* must not wait for a writer */
    assert_int_equal(OpenSspiBindingsFromCertificateFileA(path, &bindings), SEC_E_CERT_UNKNOWN);
    unlink(path);
    assert_int_equal(OpenSspiBindingsFromCertificateFileA(loop_directory(), &bindings), SEC_E_CERT_UNKNOWN);
    assert_int_equal(OpenSspiBindingsFromCertificateFileA(NULL, &bindings), SEC_E_INVALID_PARAMETER);
    assert_int_equal(OpenSspiBindingsFromCertificateFileW(NULL, &bindings), SEC_E_INVALID_PARAMETER);
    assert_int_equal(OpenSspiBindingsFromCertificateFileA(path, NULL), SEC_E_INVALID_PARAMETER);
    assert_int_equal(bindings.BindingsLength, 7);
    assert_null(bindings.Bindings);
}

static void test_certificate_refused(void **state)
{
    SecPkgContext_Bindings bindings = {7, NULL};
    (void)state;
    assert_int_equal(OpenSspiBindingsFromCertificate(pem, sizeof pem - 1, &bindings), SEC_E_CERT_UNKNOWN);
    assert_int_equal(OpenSspiBindingsFromCertificate("", 0, &bindings), SEC_E_CERT_UNKNOWN);
    assert_int_equal(OpenSspiBindingsFromCertificate(NULL, 0, &bindings), SEC_E_INVALID_PARAMETER);
    assert_int_equal(OpenSspiBindingsFromCertificate(pem, 1, NULL), SEC_E_INVALID_PARAMETER);
    assert_int_equal(bindings.BindingsLength, 7);
}

static void test_tls_unique(void **state)
{
    uint8_t finished[65];
    SecPkgContext_Bindings bindings = {7, NULL};
    (void)state;
    memset(finished, 0xab, sizeof finished);
    assert_int_equal(OpenSspiBindingsFromTlsUnique(finished, 0, &bindings), SEC_E_INVALID_PARAMETER);
    assert_int_equal(OpenSspiBindingsFromTlsUnique(finished, 65, &bindings), SEC_E_INVALID_PARAMETER);
    assert_int_equal(OpenSspiBindingsFromTlsUnique(NULL, 12, &bindings), SEC_E_INVALID_PARAMETER);
    assert_int_equal(bindings.BindingsLength, 7);
    static const ULONG lengths[] = {1, 12, 36, 64};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(OpenSspiBindingsFromTlsUnique(finished, lengths[i], &bindings), SEC_E_OK);
        check(&bindings, "tls-unique:", finished, lengths[i]);
    }
}

static void test_tls_exporter(void **state)
{
    uint8_t exported[33];
    SecPkgContext_Bindings bindings = {7, NULL};
    (void)state;
    memset(exported, 0xcd, sizeof exported);
    assert_int_equal(OpenSspiBindingsFromTlsExporter(exported, 31, &bindings), SEC_E_INVALID_PARAMETER);
    assert_int_equal(OpenSspiBindingsFromTlsExporter(exported, 33, &bindings), SEC_E_INVALID_PARAMETER);
    assert_int_equal(OpenSspiBindingsFromTlsExporter(NULL, 32, &bindings), SEC_E_INVALID_PARAMETER);
    assert_int_equal(OpenSspiBindingsFromTlsExporter(exported, 32, NULL), SEC_E_INVALID_PARAMETER);
    assert_int_equal(bindings.BindingsLength, 7);
    assert_int_equal(OpenSspiBindingsFromTlsExporter(exported, 32, &bindings), SEC_E_OK);
    check(&bindings, "tls-exporter:", exported, 32);
}

/* Both ends of a handshake get the block as it is. */
static SECURITY_STATUS sign_on(SecPkgContext_Bindings *client_has, SecPkgContext_Bindings *server_has)
{
    CredHandle ours, theirs;
    CtxtHandle client, server;
    ULONG granted;
    char token[2][4096];
    SEC_WINNT_AUTH_IDENTITY_A who = {(void *)"alice",      5,  (void *)"EXAMPLE",           7,
                                     (void *)"Password1!", 10, SEC_WINNT_AUTH_IDENTITY_ANSI};
    SecBuffer in[2], out = {sizeof token[0], SECBUFFER_TOKEN, token[0]};
    SecBufferDesc input = {SECBUFFER_VERSION, 2, in}, output = {SECBUFFER_VERSION, 1, &out};
    SecBuffer client_bindings = {client_has->BindingsLength, SECBUFFER_CHANNEL_BINDINGS, client_has->Bindings};
    SecBuffer server_bindings = {server_has->BindingsLength, SECBUFFER_CHANNEL_BINDINGS, server_has->Bindings};
    SECURITY_STATUS status =
        AcquireCredentialsHandleA(NULL, (char *)"NTLM", SECPKG_CRED_OUTBOUND, NULL, &who, NULL, NULL, &ours, NULL);
    assert_int_equal(status, SEC_E_OK);
    status =
        AcquireCredentialsHandleA(NULL, (char *)"NTLM", SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL, &theirs, NULL);
    assert_int_equal(status, SEC_E_OK);
    in[0] = client_bindings;
    input.cBuffers = 1;
    status = InitializeSecurityContextA(&ours, NULL, (char *)"HTTP/server", 0, 0, 0, &input, 0, &client, &output,
                                        &granted, NULL);
    assert_int_equal(status, SEC_I_CONTINUE_NEEDED);
    input.cBuffers = 2;
    in[0] = server_bindings;
    in[1] = out;
    out = (SecBuffer){sizeof token[1], SECBUFFER_TOKEN, token[1]};
    status = AcceptSecurityContext(&theirs, NULL, &input, 0, 0, &server, &output, &granted, NULL);
    assert_int_equal(status, SEC_I_CONTINUE_NEEDED);
    in[0] = client_bindings;
    in[1] = out;
    out = (SecBuffer){sizeof token[0], SECBUFFER_TOKEN, token[0]};
    status = InitializeSecurityContextA(&ours, &client, NULL, 0, 0, 0, &input, 0, &client, &output, &granted, NULL);
    assert_int_equal(status, SEC_E_OK);
    in[0] = server_bindings;
    in[1] = out;
    status = AcceptSecurityContext(&theirs, &server, &input, 0, 0, &server, &output, &granted, NULL);
    DeleteSecurityContext(&client);
    DeleteSecurityContext(&server);
    FreeCredentialsHandle(&ours);
    FreeCredentialsHandle(&theirs);
    return status;
}

static void test_handshake(void **state)
{
    static const uint8_t one[32] = {1}, other[32] = {2};
    SecPkgContext_Bindings right, wrong;
    (void)state;
    assert_int_equal(OpenSspiBindingsFromTlsExporter(one, 32, &right), SEC_E_OK);
    assert_int_equal(OpenSspiBindingsFromTlsExporter(other, 32, &wrong), SEC_E_OK);
    assert_int_equal(sign_on(&right, &right), SEC_E_OK);
    assert_int_equal(sign_on(&wrong, &right), SEC_E_BAD_BINDINGS);
    FreeContextBuffer(right.Bindings);
    FreeContextBuffer(wrong.Bindings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_file_refused),
        cmocka_unit_test(test_certificate_refused),
        cmocka_unit_test(test_tls_unique),
        cmocka_unit_test(test_tls_exporter),
        cmocka_unit_test(test_handshake),
    };
    loop_configure(NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
