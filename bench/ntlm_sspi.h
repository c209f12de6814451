/*
 * NTLM work through any SSPI function table: included by one program per implementation, after its headers.
 * Client and server in one process, one thread.
 */
#ifndef OPENSSPI_BENCH_NTLM_SSPI_H
#define OPENSSPI_BENCH_NTLM_SSPI_H

#include "measure.h"

#include <string.h>

#define NTLM_FLAGS (ISC_REQ_INTEGRITY | ISC_REQ_CONFIDENTIALITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT)
#define NTLM_SERVER_FLAGS \
    (ASC_REQ_INTEGRITY | ASC_REQ_CONFIDENTIALITY | ASC_REQ_REPLAY_DETECT | ASC_REQ_SEQUENCE_DETECT)

static SecurityFunctionTableA *table;
/* Gives the server side the account, once its context exists; NULL where a store does. */
static void (*server_prepare)(CtxtHandle *server);

static int has_signatures = 1; /* WinPR 2 has no MakeSignature */

static CredHandle client_credential, server_credential;

static void credentials_acquire(void)
{
    static SEC_WINNT_AUTH_IDENTITY_A identity;
    identity.User = (void *)"alice";
    identity.UserLength = 5;
    identity.Domain = (void *)"EXAMPLE";
    identity.DomainLength = 7;
    identity.Password = (void *)"Password1!";
    identity.PasswordLength = 10;
    identity.Flags = SEC_WINNT_AUTH_IDENTITY_ANSI;
    measure_check(table->AcquireCredentialsHandleA(NULL, (void *)"NTLM", SECPKG_CRED_OUTBOUND, NULL, &identity, NULL,
                                                   NULL, &client_credential, NULL) == 0,
                  "acquiring the client's credential");
    measure_check(table->AcquireCredentialsHandleA(NULL, (void *)"NTLM", SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL,
                                                   &server_credential, NULL) == 0,
                  "acquiring the server's credential");
}

static void handshake(CtxtHandle *client, CtxtHandle *server)
{
    static unsigned char a[4096], b[4096];
    SecBuffer in = {0, SECBUFFER_TOKEN, NULL}, out = {sizeof a, SECBUFFER_TOKEN, a};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 1, &in}, out_list = {SECBUFFER_VERSION, 1, &out};
    unsigned int attributes;
    memset(client, 0, sizeof *client);
    memset(server, 0, sizeof *server);
    int status =
        table->InitializeSecurityContextA(&client_credential, NULL, (void *)"test/server", NTLM_FLAGS, 0,
                                          SECURITY_NATIVE_DREP, NULL, 0, client, &out_list, (void *)&attributes, NULL);
    measure_check(status == SEC_I_CONTINUE_NEEDED, "NEGOTIATE");
    in = (SecBuffer){out.cbBuffer, SECBUFFER_TOKEN, a};
    out = (SecBuffer){sizeof b, SECBUFFER_TOKEN, b};
    status = table->AcceptSecurityContext(&server_credential, NULL, &in_list, NTLM_SERVER_FLAGS, SECURITY_NATIVE_DREP,
                                          server, &out_list, (void *)&attributes, NULL);
    measure_check(status == SEC_I_CONTINUE_NEEDED, "CHALLENGE");
    if (server_prepare != NULL)
        server_prepare(server);
    in = (SecBuffer){out.cbBuffer, SECBUFFER_TOKEN, b};
    out = (SecBuffer){sizeof a, SECBUFFER_TOKEN, a};
    status = table->InitializeSecurityContextA(&client_credential, client, (void *)"test/server", NTLM_FLAGS, 0,
                                               SECURITY_NATIVE_DREP, &in_list, 0, client, &out_list,
                                               (void *)&attributes, NULL);
    measure_check(status >= 0, "AUTHENTICATE");
    in = (SecBuffer){out.cbBuffer, SECBUFFER_TOKEN, a};
    out = (SecBuffer){sizeof b, SECBUFFER_TOKEN, b};
    status = table->AcceptSecurityContext(&server_credential, server, &in_list, NTLM_SERVER_FLAGS, SECURITY_NATIVE_DREP,
                                          server, &out_list, (void *)&attributes, NULL);
    if (status == SEC_I_COMPLETE_NEEDED) /* WinPR verifies in a call of its own */
        status = table->CompleteAuthToken(server, &in_list);
    measure_check(status == 0, "accepting");
}

static void handshake_once(void *data)
{
    CtxtHandle client, server;
    (void)data;
    handshake(&client, &server);
    table->DeleteSecurityContext(&client);
    table->DeleteSecurityContext(&server);
}

static CtxtHandle established_client, established_server;
static unsigned char *message;
static unsigned char token[64];

static void protect(size_t len, int seal)
{
    SecBuffer buffers[2] = {{16, SECBUFFER_TOKEN, token}, {(unsigned int)len, SECBUFFER_DATA, message}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    int status = seal ? table->EncryptMessage(&established_client, 0, &list, 0)
                      : table->MakeSignature(&established_client, 0, &list, 0);
    measure_check(status == 0, seal ? "sealing a message" : "signing a message");
}

static void unprotect(size_t len, int seal)
{
    unsigned int qop = 0;
    SecBuffer buffers[2] = {{16, SECBUFFER_TOKEN, token}, {(unsigned int)len, SECBUFFER_DATA, message}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    int status = seal ? table->DecryptMessage(&established_server, &list, 0, (void *)&qop)
                      : table->VerifySignature(&established_server, &list, 0, (void *)&qop);
    measure_check(status == 0, "opening a message");
}

/* The peer would run out of step if only one side worked, so both do; a second measure of the sending half alone, on a context whose peer is
 * not asked, gives the other by subtraction. */
static void seal_pair(void *data)
{
    protect(*(size_t *)data, 1);
    unprotect(*(size_t *)data, 1);
}

static void seal_only(void *data)
{
    protect(*(size_t *)data, 1);
}

static void sign_pair(void *data)
{
    protect(*(size_t *)data, 0);
    unprotect(*(size_t *)data, 0);
}

static void run_all(void)
{
    static size_t sizes[] = {64, 1024, 16384, 65536};
    char name[64];
    message = calloc(1, 65536);
    credentials_acquire();
    measure("handshake", handshake_once, NULL);
    handshake(&established_client, &established_server);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        snprintf(name, sizeof name, "sign+verify %zu", sizes[i]);
        if (has_signatures)
            measure(name, sign_pair, &sizes[i]);
        snprintf(name, sizeof name, "seal+unseal %zu", sizes[i]);
        measure(name, seal_pair, &sizes[i]);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) { /* last: the two sides part ways here */
        snprintf(name, sizeof name, "seal %zu", sizes[i]);
        measure(name, seal_only, &sizes[i]);
    }
    free(message);
}

#endif
