#include "support/credssp_duel.h"

#include "credssp/binding.h"
#include "support/identity.h"
#include "support/tsssp_loop.h"

#include <assert.h>
#include <stddef.h>
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
    SEC_WINNT_AUTH_IDENTITY_A identity = identity_of("alice", "EXAMPLE", "Password1!");
    bool client = duel->played.client;
    SECURITY_STATUS status =
        AcquireCredentialsHandleA(NULL, negotiate_name, client ? SECPKG_CRED_OUTBOUND : SECPKG_CRED_INBOUND, NULL,
                                  client ? &identity : NULL, NULL, NULL, &duel->nego_credential, NULL);
    assert(status == SEC_E_OK);
    (void)status;
}

static void request_read(struct credssp_duel *duel)
{
    if (duel->text.len == 0 || ts_request_parse(slice_of(duel->text.data, duel->text.len), &duel->request) != WIRE_OK)
        return;
    if (duel->request.nonce.data != NULL)
        bytes_put(&duel->nonce, duel->request.nonce.data, duel->request.nonce.len);
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
    request_read(duel);
}

/* A step of the honest end's without TLS: what it says is the TSRequest itself. */
static SECURITY_STATUS bare_step(struct credssp_duel *duel, const void *data, size_t len)
{
    static unsigned char certificate[TSSSP_ROOM];
    static ULONG certificate_len;
    struct side *side = &duel->honest;
    if (certificate_len == 0)
        certificate_len = tsssp_certificate(pki_server(), certificate);
    SecBuffer in[2] = {{(ULONG)len, SECBUFFER_TOKEN, (void *)(uintptr_t)data},
                       {certificate_len, SECBUFFER_TOKEN | SECBUFFER_READONLY, certificate}};
    SecBuffer out = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 2, in}, out_list = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle *now = side->has_context ? &side->context : NULL;
    if (side->client)
        side->status = InitializeSecurityContextA(&side->credential, now, (char *)(uintptr_t)side->target,
                                                  side->flags | ISC_REQ_ALLOCATE_MEMORY, 0, 0, &in_list, 0,
                                                  &side->context, &out_list, &side->attributes, NULL);
    else
        side->status = AcceptSecurityContext(&side->credential, now, &in_list, side->flags | ASC_REQ_ALLOCATE_MEMORY, 0,
                                             &side->context, &out_list, &side->attributes, NULL);
    side->has_context = side->has_context || side->status >= 0;
    duel->text.len = 0;
    duel->request = (struct ts_request){0};
    if (out.cbBuffer > 0) {
        wire_put(&duel->text, out.pvBuffer, out.cbBuffer);
        FreeContextBuffer(out.pvBuffer);
    }
    request_read(duel);
    return side->status;
}

static void key_of_server(struct credssp_duel *duel)
{
    const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(pki_server()->x509);
    bytes_put(&duel->key, ASN1_STRING_get0_data(key), (size_t)ASN1_STRING_length(key));
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

static void bare_acquire(struct credssp_duel *duel)
{
    struct tsssp_end end = {.client = duel->honest.client};
    SECURITY_STATUS status = tsssp_acquire(&end, CredsspPasswordCreds, 0, NULL);
    assert(status == SEC_E_OK);
    (void)status;
    duel->honest.credential = end.credential;
    nego_acquire(duel);
}

static void acquire(struct credssp_duel *duel)
{
    bool play_client = (duel->kind & DUEL_PLAY_CLIENT) != 0;
    SECURITY_STATUS status = play_client ? credssp_server_acquire(&duel->honest, SP_PROT_TLS1_2_SERVER)
                                         : credssp_client_acquire(&duel->honest, NULL, SP_PROT_TLS1_2_CLIENT, 0);
    assert(status == SEC_E_OK);
    status = side_acquire_with(&duel->played, play_client ? NULL : pki_server(),
                               play_client ? SP_PROT_TLS1_2_CLIENT : SP_PROT_TLS1_2_SERVER,
                               play_client ? SCH_CRED_MANUAL_CRED_VALIDATION : 0);
    assert(status == SEC_E_OK);
    (void)status;
    nego_acquire(duel);
}

static void acquire_kept(struct credssp_duel *duel)
{
    static struct {
        bool there;
        CredHandle honest, played, nego;
    } kept[4], *mine;
    mine = &kept[duel->kind & (DUEL_PLAY_CLIENT | DUEL_BARE)];
    if (!mine->there) {
        ((duel->kind & DUEL_BARE) != 0 ? bare_acquire : acquire)(duel);
        mine->there = true;
        mine->honest = duel->honest.credential;
        mine->played = duel->played.credential;
        mine->nego = duel->nego_credential;
    }
    duel->honest.credential = mine->honest;
    duel->played.credential = mine->played;
    duel->nego_credential = mine->nego;
}

struct credssp_duel *credssp_duel_begin(bool play_client)
{
    return credssp_duel_open(play_client ? DUEL_PLAY_CLIENT : 0);
}

/* Kept with the credentials: clearing a megabyte takes longer than a duel. */
static struct credssp_duel *spare;

static void side_clear(struct side *side)
{
    memset(side, 0, offsetof(struct side, in));
    side->in.len = side->out.len = 0;
    side->missing = 0;
}

static struct credssp_duel *duel_new(void)
{
    struct credssp_duel *duel = spare;
    if (duel == NULL)
        return calloc(1, sizeof *duel);
    spare = NULL;
    side_clear(&duel->honest);
    side_clear(&duel->played);
    duel->nego_begun = duel->nego_done = duel->signs_alone = false;
    duel->text.len = duel->token.len = duel->nonce.len = duel->key.len = 0;
    duel->request = (struct ts_request){0};
    return duel;
}

struct credssp_duel *credssp_duel_open(unsigned kind)
{
    struct credssp_duel *duel = duel_new();
    bool play_client = (kind & DUEL_PLAY_CLIENT) != 0;
    assert(duel != NULL);
    duel->kind = kind;
    duel->honest.client = !play_client;
    duel->played.client = play_client;
    duel->honest.target = "TERMSRV/server.test";
    duel->played.target = duel->honest.target;
    duel->played.flags =
        play_client ? ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT | ISC_REQ_CONFIDENTIALITY | ISC_REQ_STREAM
                    : ASC_REQ_REPLAY_DETECT | ASC_REQ_SEQUENCE_DETECT | ASC_REQ_CONFIDENTIALITY | ASC_REQ_STREAM;
    duel->honest.flags =
        play_client ? ASC_REQ_REPLAY_DETECT | ASC_REQ_SEQUENCE_DETECT | ASC_REQ_CONFIDENTIALITY | ASC_REQ_STREAM
                    : ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT | ISC_REQ_CONFIDENTIALITY | ISC_REQ_STREAM |
                          ISC_REQ_DELEGATE | ISC_REQ_MUTUAL_AUTH;
    if ((kind & DUEL_KEEP) != 0)
        acquire_kept(duel);
    else
        ((kind & DUEL_BARE) != 0 ? bare_acquire : acquire)(duel);
    if ((kind & DUEL_BARE) != 0) {
        key_of_server(duel);
        if (!play_client)
            bare_step(duel, NULL, 0);
        return duel;
    }
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
    if ((duel->kind & DUEL_KEEP) != 0)
        duel->honest.credential = duel->played.credential = (CredHandle){0, 0};
    else
        FreeCredentialsHandle(&duel->nego_credential);
    side_end(&duel->honest);
    side_end(&duel->played);
    if ((duel->kind & DUEL_KEEP) != 0 && spare == NULL)
        spare = duel;
    else
        free(duel);
}

SECURITY_STATUS credssp_duel_again(struct credssp_duel *duel)
{
    return (duel->kind & DUEL_BARE) != 0 ? bare_step(duel, NULL, 0) : side_step(&duel->honest);
}

SECURITY_STATUS credssp_duel_send_raw(struct credssp_duel *duel, const void *data, size_t len)
{
    if ((duel->kind & DUEL_BARE) != 0)
        return bare_step(duel, data, len);
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
            &duel->nego_credential, context, target,
            ISC_REQ_MUTUAL_AUTH | (duel->signs_alone ? ISC_REQ_INTEGRITY : ISC_REQ_CONFIDENTIALITY), 0, 0,
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
