/*
 * TLS 1.3 through Schannel: schannel_opensspi EC_CERT EC_KEY RSA_CERT RSA_KEY.
 * build: pkg
 */
#include "measure.h"

#include <schannel.h>
#include <sspi.h>
#include <sspi_ext.h>
#include <wincrypt.h>

#define RECORD_MAX 16500

static CredHandle client_credential, server_credential;
static CtxtHandle client, server;
static unsigned char to_server[16384], to_client[16384], *records;
static ULONG to_server_len, to_client_len;
static SecPkgContext_StreamSizes sizes;

static CredHandle acquire(ULONG use, PCCERT_CONTEXT certificate, DWORD flags)
{
    CredHandle credential;
    char package[] = "Schannel";
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION,
                          .cCreds = certificate != NULL,
                          .paCred = &certificate,
                          .grbitEnabledProtocols = SP_PROT_TLS1_3,
                          .dwFlags = flags};
    measure_check(AcquireCredentialsHandleA(NULL, package, use, NULL, &cred, NULL, NULL, &credential, NULL) == SEC_E_OK,
                  OpenSspiLastErrorText());
    return credential;
}

static SECURITY_STATUS initiate(CtxtHandle *old)
{
    char target[] = "server.test";
    SecBuffer in[2] = {{to_client_len, SECBUFFER_TOKEN, to_client}, {0, SECBUFFER_EMPTY, NULL}},
              out = {sizeof to_server, SECBUFFER_TOKEN, to_server};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 2, in}, out_list = {SECBUFFER_VERSION, 1, &out};
    ULONG attributes;
    SECURITY_STATUS status =
        InitializeSecurityContextA(&client_credential, old, target, ISC_REQ_STREAM, 0, 0, old != NULL ? &in_list : NULL,
                                   0, &client, &out_list, &attributes, NULL);
    to_server_len = out.cbBuffer;
    return status;
}

static SECURITY_STATUS accept_step(CtxtHandle *old)
{
    SecBuffer in[2] = {{to_server_len, SECBUFFER_TOKEN, to_server}, {0, SECBUFFER_EMPTY, NULL}},
              out = {sizeof to_client, SECBUFFER_TOKEN, to_client};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 2, in}, out_list = {SECBUFFER_VERSION, 1, &out};
    ULONG attributes;
    SECURITY_STATUS status = AcceptSecurityContext(&server_credential, old, &in_list, ASC_REQ_STREAM, 0, &server,
                                                   &out_list, &attributes, NULL);
    to_client_len = out.cbBuffer;
    return status;
}

static void establish(void)
{
    measure_check(initiate(NULL) == SEC_I_CONTINUE_NEEDED && accept_step(NULL) == SEC_I_CONTINUE_NEEDED &&
                      initiate(&client) == SEC_E_OK && accept_step(&server) == SEC_E_OK,
                  "handshake");
    /* The ticket. */
    SecBuffer buffers[4] = {{to_client_len, SECBUFFER_DATA, to_client}};
    SecBufferDesc list = {SECBUFFER_VERSION, 4, buffers};
    if (to_client_len > 0)
        measure_check(DecryptMessage(&client, &list, 0, NULL) == SEC_I_RENEGOTIATE && initiate(&client) == SEC_E_OK,
                      "ticket");
}

static void finish(void)
{
    DeleteSecurityContext(&client);
    DeleteSecurityContext(&server);
}

static void handshake(void)
{
    establish();
    finish();
}

static void make(unsigned slot, size_t len)
{
    unsigned char *record = records + (size_t)slot * RECORD_MAX;
    SecBuffer buffers[4] = {{sizes.cbHeader, SECBUFFER_STREAM_HEADER, record},
                            {(ULONG)len, SECBUFFER_DATA, record + sizes.cbHeader},
                            {sizes.cbTrailer, SECBUFFER_STREAM_TRAILER, record + sizes.cbHeader + len},
                            {0, SECBUFFER_EMPTY, NULL}};
    SecBufferDesc list = {SECBUFFER_VERSION, 4, buffers};
    measure_check(EncryptMessage(&client, 0, &list, 0) == SEC_E_OK, "EncryptMessage");
}

static void take(unsigned slot, size_t len)
{
    SecBuffer buffers[4] = {
        {(ULONG)(sizes.cbHeader + len + sizes.cbTrailer), SECBUFFER_DATA, records + (size_t)slot * RECORD_MAX}};
    SecBufferDesc list = {SECBUFFER_VERSION, 4, buffers};
    measure_check(DecryptMessage(&server, &list, 0, NULL) == SEC_E_OK && buffers[1].cbBuffer == len, "DecryptMessage");
}

int main(int argc, char **argv)
{
    PCCERT_CONTEXT ec, rsa;
    measure_check(argc == 5 && OpenSspiCertificateFromPem(argv[1], argv[2], NULL, &ec) == SEC_E_OK &&
                      OpenSspiCertificateFromPem(argv[3], argv[4], NULL, &rsa) == SEC_E_OK,
                  "certificates");
    client_credential =
        acquire(SECPKG_CRED_OUTBOUND, NULL, SCH_CRED_MANUAL_CRED_VALIDATION | SCH_CRED_DISABLE_RECONNECTS);
    server_credential = acquire(SECPKG_CRED_INBOUND, ec, 0);
    measure("handshake ECDSA", handshake);
    CredHandle ec_server = server_credential, plain_client = client_credential;
    server_credential = acquire(SECPKG_CRED_INBOUND, rsa, 0);
    measure("handshake RSA", handshake);
    FreeCredentialsHandle(&server_credential);
    server_credential = ec_server;
    client_credential = acquire(SECPKG_CRED_OUTBOUND, NULL, SCH_CRED_MANUAL_CRED_VALIDATION);
    measure("handshake resumed", handshake);
    FreeCredentialsHandle(&client_credential);
    client_credential = plain_client;
    establish();
    measure_check(QueryContextAttributesA(&client, SECPKG_ATTR_STREAM_SIZES, &sizes) == SEC_E_OK, "sizes");
    records = calloc(MEASURE_BATCH_MAX, RECORD_MAX);
    const struct measure_messages work = {"seal", "unseal", make, take};
    measure_messages(&work, 1024, "");
    measure_messages(&work, 16384, "");
    finish();
    free(records);
    FreeCredentialsHandle(&client_credential);
    FreeCredentialsHandle(&server_credential);
    CertFreeCertificateContext(ec);
    CertFreeCertificateContext(rsa);
    return 0;
}
