/*
 * Work through any SSPI function table: included by one program per implementation and package, after its headers. The program sets what
 * follows, then calls the functions at the end. Client and server in one process, one thread.
 */
#ifndef OPENSSPI_BENCH_SSPI_WORK_H
#define OPENSSPI_BENCH_SSPI_WORK_H

#include "measure.h"

#define SSPI_FLAGS (ISC_REQ_INTEGRITY | ISC_REQ_CONFIDENTIALITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT)
#define SSPI_SERVER_FLAGS \
    (ASC_REQ_INTEGRITY | ASC_REQ_CONFIDENTIALITY | ASC_REQ_REPLAY_DETECT | ASC_REQ_SEQUENCE_DETECT)

static SecurityFunctionTableA *table;
static char *target;
static unsigned int client_flags = SSPI_FLAGS, server_flags = SSPI_SERVER_FLAGS;
/* Gives the server side the account, once its context exists; NULL where a store does. */
static void (*server_prepare)(CtxtHandle *server);
static int has_signatures = 1; /* WinPR 2 has no MakeSignature */
static int server_first;       /* DIGEST-MD5: the client has nothing to say before it is asked */

static CredHandle client_credential, server_credential;
static CtxtHandle established_client, established_server;
static SecPkgContext_Sizes overhead;

static struct {
    unsigned int token_len;
    unsigned char token[128];
    unsigned char *message;
} slots[MEASURE_BATCH_MAX];

/* The identity is NULL for default credentials. */
static void credentials_acquire(const char *package, void *identity)
{
    measure_check(table->AcquireCredentialsHandleA(NULL, (void *)package, SECPKG_CRED_OUTBOUND, NULL, identity, NULL,
                                                   NULL, &client_credential, NULL) == 0,
                  "acquiring the client's credential");
    measure_check(table->AcquireCredentialsHandleA(NULL, (void *)package, SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL,
                                                   &server_credential, NULL) == 0,
                  "acquiring the server's credential");
}

static int server_step(CtxtHandle *server, int first, SecBufferDesc *in, SecBufferDesc *out)
{
    unsigned int attributes;
    int status = table->AcceptSecurityContext(&server_credential, first ? NULL : server, in, server_flags,
                                              SECURITY_NATIVE_DREP, server, out, (void *)&attributes, NULL);
    if (status == SEC_I_COMPLETE_NEEDED) /* WinPR verifies in a call of its own */
        status = table->CompleteAuthToken(server, in);
    measure_check(status >= 0, "the server's step");
    if (first && server_prepare != NULL)
        server_prepare(server);
    return status;
}

static void handshake(CtxtHandle *client, CtxtHandle *server)
{
    static unsigned char a[4096], b[4096];
    SecBuffer forth = {0, SECBUFFER_TOKEN, a}, back = {0, SECBUFFER_TOKEN, b};
    SecBufferDesc forth_list = {SECBUFFER_VERSION, 1, &forth}, back_list = {SECBUFFER_VERSION, 1, &back};
    unsigned int attributes;
    int status, server_status = SEC_I_CONTINUE_NEEDED;
    memset(client, 0, sizeof *client);
    memset(server, 0, sizeof *server);
    for (int first = 1;; first = 0) {
        forth.cbBuffer = sizeof a;
        status = table->InitializeSecurityContextA(&client_credential, first ? NULL : client, target, client_flags, 0,
                                                   SECURITY_NATIVE_DREP, first ? NULL : &back_list, 0, client,
                                                   &forth_list, (void *)&attributes, NULL);
        measure_check(status >= 0, "the client's step");
        back.cbBuffer = sizeof b;
        if (forth.cbBuffer > 0 || (first && server_first))
            server_status = server_step(server, first, &forth_list, &back_list);
        if (status != SEC_I_CONTINUE_NEEDED)
            break;
    }
    measure_check(server_status == 0, "accepting");
}

__attribute__((unused)) static void handshake_once(void)
{
    CtxtHandle client, server;
    handshake(&client, &server);
    table->DeleteSecurityContext(&client);
    table->DeleteSecurityContext(&server);
}

static void protect(unsigned slot, size_t len, int seal)
{
    unsigned int room = seal ? (unsigned int)overhead.cbSecurityTrailer : (unsigned int)overhead.cbMaxSignature;
    SecBuffer buffers[2] = {{room, SECBUFFER_TOKEN, slots[slot].token},
                            {(unsigned int)len, SECBUFFER_DATA, slots[slot].message}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    int status = seal ? table->EncryptMessage(&established_client, 0, &list, 0)
                      : table->MakeSignature(&established_client, 0, &list, 0);
    measure_check(status == 0, seal ? "sealing a message" : "signing a message");
    slots[slot].token_len = (unsigned int)buffers[0].cbBuffer;
}

static void unprotect(unsigned slot, size_t len, int seal)
{
    unsigned int qop = 0;
    SecBuffer buffers[2] = {{slots[slot].token_len, SECBUFFER_TOKEN, slots[slot].token},
                            {(unsigned int)len, SECBUFFER_DATA, slots[slot].message}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    int status = seal ? table->DecryptMessage(&established_server, &list, 0, (void *)&qop)
                      : table->VerifySignature(&established_server, &list, 0, (void *)&qop);
    measure_check(status == 0, seal ? "unsealing a message" : "verifying a message");
}

static void seal(unsigned slot, size_t len)
{
    protect(slot, len, 1);
}

static void unseal(unsigned slot, size_t len)
{
    unprotect(slot, len, 1);
}

static void sign(unsigned slot, size_t len)
{
    protect(slot, len, 0);
}

static void verify(unsigned slot, size_t len)
{
    unprotect(slot, len, 0);
}

/* All messages of one established pair; see measure_sizes for the label. */
__attribute__((unused)) static void run_messages(const char *label)
{
    static const struct measure_messages seals = {"seal", "unseal", seal, unseal};
    static const struct measure_messages signs = {"sign", "verify", sign, verify};
    handshake(&established_client, &established_server);
    measure_check(table->QueryContextAttributesA(&established_client, SECPKG_ATTR_SIZES, &overhead) == 0,
                  "asking for the sizes");
    measure_check(overhead.cbSecurityTrailer <= sizeof slots[0].token, "fitting a trailer");
    for (unsigned slot = 0; slot < MEASURE_BATCH_MAX; slot++)
        slots[slot].message = calloc(1, slot < measure_batch(65536)   ? 65536
                                        : slot < measure_batch(16384) ? 16384
                                                                      : 1024);
    measure_sizes(&seals, label);
    if (has_signatures && label == NULL)
        measure_sizes(&signs, label);
}

static CtxtHandle memory_client[MEASURE_PAIRS], memory_server[MEASURE_PAIRS];

static void pair_make(unsigned pair)
{
    handshake(&memory_client[pair], &memory_server[pair]);
}

static void pair_delete(unsigned pair)
{
    table->DeleteSecurityContext(&memory_client[pair]);
    table->DeleteSecurityContext(&memory_server[pair]);
}

__attribute__((unused)) static void run_memory(void)
{
    measure_memory(pair_make, pair_delete);
}

#endif
