#include "support/credssp_duel.h"

#include "credssp/binding.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static char negotiate_name[] = "Negotiate";

static void bytes_put(struct bytes *bytes, const void *data, size_t len)
{
    assert(len <= sizeof bytes->data);
    memcpy(bytes->data, data, len);
    bytes->len = len;
}

static void nego_acquire(struct credssp_duel *duel)
{
    static char user[] = "alice", domain[] = "EXAMPLE", password[] = "Password1!";
    SEC_WINNT_AUTH_IDENTITY_A identity = {
        .User = (unsigned char *)user,
        .UserLength = sizeof user - 1,
        .Domain = (unsigned char *)domain,
        .DomainLength = sizeof domain - 1,
        .Password = (unsigned char *)password,
        .PasswordLength = sizeof password - 1,
        .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI,
    };
    bool client = duel->played.client;
    SECURITY_STATUS status =
        AcquireCredentialsHandleA(NULL, negotiate_name, client ? SECPKG_CRED_OUTBOUND : SECPKG_CRED_INBOUND, NULL,
                                  client ? &identity : NULL, NULL, NULL, &duel->nego_credential, NULL);
    assert(status == SEC_E_OK);
    (void)status;
}

/* The TSRequest that the honest end has sent, if it has. */
static void request_take(struct credssp_duel *duel)
{
    duel->text.len = 0;
    duel->request = (struct ts_request){0};
    wire_put(&duel->played.in, duel->honest.out.data, duel->honest.out.len);
    duel->honest.out.len = 0;
    while (duel->played.in.len > 0 && side_receive(&duel->played, &duel->text) == SEC_E_OK)
        ;
    if (duel->text.len == 0 || ts_request_parse(slice_of(duel->text.data, duel->text.len), &duel->request) != WIRE_OK)
        return;
    if (duel->request.nonce.data != NULL)
        bytes_put(&duel->nonce, duel->request.nonce.data, duel->request.nonce.len);
}

static void key_find(struct credssp_duel *duel)
{
    PCCERT_CONTEXT certificate;
    SECURITY_STATUS status = QueryContextAttributesA(
        &duel->played.context, duel->played.client ? SECPKG_ATTR_REMOTE_CERT_CONTEXT : SECPKG_ATTR_LOCAL_CERT_CONTEXT,
        &certificate);
    assert(status == SEC_E_OK);
    (void)status;
    const CRYPT_BIT_BLOB *bits = &certificate->pCertInfo->SubjectPublicKeyInfo.PublicKey;
    bytes_put(&duel->key, bits->pbData, bits->cbData);
    CertFreeCertificateContext(certificate);
}

struct credssp_duel *credssp_duel_begin(bool play_client)
{
    struct credssp_duel *duel = calloc(1, sizeof *duel);
    assert(duel != NULL);
    struct loop_pair *usual = credssp_pair();
    duel->honest = play_client ? usual->server : usual->client;
    duel->played = play_client ? usual->client : usual->server;
    duel->played.flags &= ~(ULONG)(ISC_REQ_DELEGATE | ISC_REQ_MUTUAL_AUTH);
    pair_free(usual);
    SECURITY_STATUS status = play_client ? credssp_server_acquire(&duel->honest, SP_PROT_TLS1_2_SERVER)
                                         : credssp_client_acquire(&duel->honest, NULL, SP_PROT_TLS1_2_CLIENT, 0);
    assert(status == SEC_E_OK);
    status = side_acquire_with(&duel->played, play_client ? NULL : pki_server(),
                               play_client ? SP_PROT_TLS1_2_CLIENT : SP_PROT_TLS1_2_SERVER,
                               play_client ? SCH_CRED_MANUAL_CRED_VALIDATION : 0);
    assert(status == SEC_E_OK);
    (void)status;
    nego_acquire(duel);
    struct side *next = play_client ? &duel->played : &duel->honest,
                *other = play_client ? &duel->honest : &duel->played;
    for (int i = 0; i < 20 && !(duel->played.has_context && duel->played.status == SEC_E_OK); i++) {
        side_step(next);
        assert(next->status >= 0);
        wire_put(&other->in, next->out.data, next->out.len);
        next->out.len = 0;
        struct side *swap = next;
        next = other;
        other = swap;
    }
    assert(duel->played.status == SEC_E_OK);
    key_find(duel);
    if (!play_client) { /* the played end's Finished brings the client's first TSRequest */
        side_step(&duel->honest);
        request_take(duel);
        assert(duel->request.nego_token.data != NULL);
    }
    return duel;
}

void credssp_duel_end(struct credssp_duel *duel)
{
    if (duel->nego_begun)
        DeleteSecurityContext(&duel->nego);
    FreeCredentialsHandle(&duel->nego_credential);
    side_end(&duel->honest);
    side_end(&duel->played);
    free(duel);
}

SECURITY_STATUS credssp_duel_send_raw(struct credssp_duel *duel, const void *data, size_t len)
{
    SECURITY_STATUS status = side_send(&duel->played, data, len, &duel->honest.in);
    assert(status == SEC_E_OK);
    status = side_step(&duel->honest);
    request_take(duel);
    return status;
}

SECURITY_STATUS credssp_duel_send(struct credssp_duel *duel, const struct ts_request *request)
{
    AUTO_WRITER struct writer bytes = writer_growing(1024);
    ts_request_write(&bytes, request);
    assert(writer_finish(&bytes) == WIRE_OK);
    return credssp_duel_send_raw(duel, bytes.data, bytes.len);
}

bool credssp_duel_nego_try(struct credssp_duel *duel)
{
    struct slice from = duel->request.nego_token;
    SecBuffer in = {(ULONG)from.len, SECBUFFER_TOKEN, (void *)(uintptr_t)from.data};
    SecBuffer out = {sizeof duel->token.data, SECBUFFER_TOKEN, duel->token.data};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 1, &in}, out_list = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle *context = duel->nego_begun ? &duel->nego : NULL;
    static char target[] = "TERMSRV/server.test";
    ULONG attributes;
    SECURITY_STATUS status;
    if (duel->played.client)
        status = InitializeSecurityContextA(
            &duel->nego_credential, context, target, ISC_REQ_CONFIDENTIALITY | ISC_REQ_MUTUAL_AUTH, 0, 0,
            context != NULL ? &in_list : NULL, 0, &duel->nego, &out_list, &attributes, NULL);
    else
        status = AcceptSecurityContext(&duel->nego_credential, context, &in_list, ASC_REQ_CONFIDENTIALITY, 0,
                                       &duel->nego, &out_list, &attributes, NULL);
    if (status < 0)
        return false;
    duel->nego_begun = true;
    duel->nego_done = status == SEC_E_OK;
    duel->token.len = out.cbBuffer;
    return true;
}

void credssp_duel_nego(struct credssp_duel *duel)
{
    bool taken = credssp_duel_nego_try(duel);
    assert(taken);
    (void)taken;
}

void credssp_duel_authenticate(struct credssp_duel *duel, uint32_t version)
{
    for (int i = 0; i < 10; i++) {
        if (!duel->nego_done)
            credssp_duel_nego(duel);
        if (duel->nego_done && duel->token.len == 0)
            return;
        struct ts_request request = {.version = version, .nego_token = bytes_slice(&duel->token)};
        duel->token.len = 0;
        SECURITY_STATUS status = credssp_duel_send(duel, &request);
        assert(status == SEC_I_CONTINUE_NEEDED);
        (void)status;
        if (duel->nego_done)
            return;
    }
    assert(false);
}

void credssp_duel_seal(struct credssp_duel *duel, const void *data, size_t len, struct bytes *sealed)
{
    SecPkgContext_Sizes sizes;
    SECURITY_STATUS status = QueryContextAttributesA(&duel->nego, SECPKG_ATTR_SIZES, &sizes);
    assert(status == SEC_E_OK && sizes.cbSecurityTrailer + len <= sizeof sealed->data);
    memcpy(sealed->data + sizes.cbSecurityTrailer, data, len);
    SecBuffer buffers[2] = {{sizes.cbSecurityTrailer, SECBUFFER_TOKEN, sealed->data},
                            {(ULONG)len, SECBUFFER_DATA, sealed->data + sizes.cbSecurityTrailer}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    status = EncryptMessage(&duel->nego, 0, &list, 0);
    assert(status == SEC_E_OK);
    (void)status;
    sealed->len = buffers[0].cbBuffer + buffers[1].cbBuffer;
}

void credssp_duel_binding(struct credssp_duel *duel, bool server, uint32_t version, struct bytes *sealed)
{
    AUTO_SECRET struct secret text = {0};
    SECURITY_STATUS status = binding_text(server ? BINDING_SERVER : BINDING_CLIENT, version, duel->nonce.data,
                                          bytes_slice(&duel->key), &text);
    assert(status == SEC_E_OK);
    (void)status;
    credssp_duel_seal(duel, text.data, text.len, sealed);
}
