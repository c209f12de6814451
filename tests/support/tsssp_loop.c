#include "support/tsssp_loop.h"

#include "support/identity.h"
#include <assert.h>
#include <stdlib.h>

static char package_name[] = TS_SSP_NAME_A;

ULONG tsssp_certificate(const struct pki *pki, unsigned char room[TSSSP_ROOM])
{
    unsigned char *at = room + 4;
    int len = i2d_X509(pki->x509, NULL);
    assert(len > 0 && len < TSSSP_ROOM - 4);
    i2d_X509(pki->x509, &at);
    for (int i = 0; i < 4; i++)
        room[i] = (unsigned char)((unsigned)len >> (8 * i));
    return (ULONG)len + 4;
}

SECURITY_STATUS tsssp_acquire(struct tsssp_end *end, DWORD type, ULONG flags, void *tls)
{
    SEC_WINNT_AUTH_IDENTITY_A identity = identity_of("alice", "EXAMPLE", "Password1!");
    CREDSSP_CRED_EX ex = {
        .Type = CredsspCredEx,
        .Version = CREDSSP_CRED_EX_VERSION,
        .Flags = flags,
        .Cred = {.Type = (CREDSPP_SUBMIT_TYPE)type,
                 .pSchannelCred = tls,
                 .pSpnegoCred = end->client ? &identity : NULL},
    };
    return AcquireCredentialsHandleA(NULL, package_name, end->client ? SECPKG_CRED_OUTBOUND : SECPKG_CRED_INBOUND, NULL,
                                     &ex, NULL, NULL, &end->credential, NULL);
}

struct tsssp_pair *tsssp_pair(void)
{
    static unsigned char certificate[TSSSP_ROOM];
    static ULONG certificate_len;
    if (certificate_len == 0)
        certificate_len = tsssp_certificate(pki_server(), certificate);
    struct tsssp_pair *pair = calloc(1, sizeof *pair);
    assert(pair != NULL);
    pair->target = "TERMSRV/server.test";
    pair->client.client = true;
    pair->client.flags = ISC_REQ_DELEGATE | ISC_REQ_MUTUAL_AUTH;
    pair->certificate = certificate;
    pair->certificate_len = certificate_len;
    return pair;
}

SECURITY_STATUS tsssp_step(struct tsssp_end *end, const char *target, const void *token, ULONG len,
                           const void *certificate, ULONG certificate_len)
{
    SecBuffer in[3] = {
        {len, SECBUFFER_TOKEN, (void *)(uintptr_t)token},
        {certificate_len, SECBUFFER_READONLY | SECBUFFER_TOKEN, (void *)(uintptr_t)certificate},
        {0, SECBUFFER_EMPTY, NULL},
    };
    SecBuffer out = {TSSSP_ROOM, SECBUFFER_TOKEN, end->token};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 3, in}, out_list = {SECBUFFER_VERSION, 1, &out};
    if (certificate == NULL) {
        in[1] = in[2];
        in_list.cBuffers = 2;
    }
    SecBufferDesc *input = len > 0 || certificate != NULL ? &in_list : NULL;
    CtxtHandle *now = end->has_context ? &end->context : NULL;
    if (end->client)
        end->status = InitializeSecurityContextA(&end->credential, now, (SEC_CHAR *)(uintptr_t)target, end->flags, 0,
                                                 SECURITY_NETWORK_DREP, input, 0, &end->context, &out_list,
                                                 &end->attributes, NULL);
    else
        end->status = AcceptSecurityContext(&end->credential, now, input, end->flags, SECURITY_NETWORK_DREP,
                                            &end->context, &out_list, &end->attributes, NULL);
    end->has_context = end->has_context || end->status >= 0;
    end->token_len = out.cbBuffer < TSSSP_ROOM ? out.cbBuffer : 0;
    return end->status;
}

bool tsssp_run(struct tsssp_pair *pair)
{
    struct tsssp_end *client = &pair->client, *server = &pair->server;
    const void *shown = pair->certificate, *own = pair->other != NULL ? pair->other : shown;
    ULONG shown_len = pair->certificate_len, own_len = pair->other != NULL ? pair->other_len : shown_len;
    client->status = server->status = SEC_I_CONTINUE_NEEDED;
    (void)tsssp_step(client, pair->target, NULL, 0, NULL,
                     0); /* as programs do: the certificate comes with the answer */
    while (client->status >= 0 && client->token_len > 0) {
        tsssp_step(server, NULL, client->token, client->token_len, own, own_len);
        own = NULL;
        own_len = 0;
        if (server->token_len == 0 || client->status == SEC_E_OK)
            break;
        tsssp_step(client, pair->target, server->token, server->token_len, shown, shown_len);
        shown = NULL;
        shown_len = 0;
        if (server->status < 0)
            break;
    }
    return client->status == SEC_E_OK && server->status == SEC_E_OK;
}

static void end_free(struct tsssp_end *end)
{
    if (end->has_context)
        DeleteSecurityContext(&end->context);
    if (end->credential.dwLower != 0 || end->credential.dwUpper != 0)
        FreeCredentialsHandle(&end->credential);
}

void tsssp_free(struct tsssp_pair *pair)
{
    end_free(&pair->client);
    end_free(&pair->server);
    free(pair);
}
