#include "support/tls_loop.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define PACKAGE_NAME ((char *)(uintptr_t)SCHANNEL_NAME_A)

void wire_put(struct wire *wire, const void *data, size_t len)
{
    assert(len <= sizeof wire->data - wire->len);
    if (len > 0)
        memcpy(wire->data + wire->len, data, len);
    wire->len += len;
}

void wire_take(struct wire *wire, size_t len)
{
    assert(len <= wire->len);
    memmove(wire->data, wire->data + len, wire->len - len);
    wire->len -= len;
}

SECURITY_STATUS side_acquire(struct side *side, const void *cred)
{
    char *package = side->package != NULL ? (char *)(uintptr_t)side->package : PACKAGE_NAME;
    return AcquireCredentialsHandleA(NULL, package, side->client ? SECPKG_CRED_OUTBOUND : SECPKG_CRED_INBOUND, NULL,
                                     (void *)(uintptr_t)cred, NULL, NULL, &side->credential, NULL);
}

DWORD tls_protocols(DWORD protocols, DWORD flags)
{
    return protocols != 0 || (flags & SCH_USE_DTLS_ONLY) != 0 ? protocols : SP_PROT_TLS1_X;
}

SECURITY_STATUS side_acquire_with(struct side *side, const struct pki *pki, DWORD protocols, DWORD flags)
{
    PCCERT_CONTEXT context = pki != NULL ? pki_context(pki, pki_authority(), false) : NULL;
    HCERTSTORE roots = pki_store(pki_authority());
    SCHANNEL_CRED cred = {
        .dwVersion = SCHANNEL_CRED_VERSION,
        .cCreds = context != NULL ? 1 : 0,
        .paCred = &context,
        .hRootStore = roots,
        .grbitEnabledProtocols = tls_protocols(protocols, flags),
        .dwFlags = flags,
    };
    SECURITY_STATUS status = side_acquire(side, &cred);
    if (context != NULL)
        CertFreeCertificateContext(context);
    CertCloseStore(roots, 0);
    return status;
}

static SECURITY_STATUS side_call(struct side *side, SecBufferDesc *in, SecBufferDesc *out)
{
    if (side->client)
        return InitializeSecurityContextA(&side->credential, side->has_context ? &side->context : NULL,
                                          (char *)(uintptr_t)side->target, side->flags | ISC_REQ_ALLOCATE_MEMORY, 0, 0,
                                          in, 0, &side->context, out, &side->attributes, &side->expiry);
    return AcceptSecurityContext(&side->credential, side->has_context ? &side->context : NULL, in,
                                 side->flags | ASC_REQ_ALLOCATE_MEMORY, 0, &side->context, out, &side->attributes,
                                 &side->expiry);
}

SECURITY_STATUS side_step(struct side *side)
{
    bool first = !side->has_context;
    SecBuffer in[5] = {
        {(ULONG)side->in.len, SECBUFFER_TOKEN, side->in.data},
        {0, SECBUFFER_EMPTY, NULL},
    };
    SecBuffer out[2] = {{0, SECBUFFER_TOKEN, NULL}, {0, SECBUFFER_ALERT, NULL}};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 2, in}, out_list = {SECBUFFER_VERSION, 2, out};
    if (first && side->protocols != NULL)
        in[in_list.cBuffers++] = (SecBuffer){(ULONG)side->protocols_len, SECBUFFER_APPLICATION_PROTOCOLS,
                                             (void *)(uintptr_t)side->protocols};
    if (side->srtp != NULL)
        in[in_list.cBuffers++] =
            (SecBuffer){(ULONG)side->srtp_len, SECBUFFER_SRTP_PROTECTION_PROFILES, (void *)(uintptr_t)side->srtp};
    if (side->peer != NULL)
        in[in_list.cBuffers++] = (SecBuffer){(ULONG)side->peer_len, SECBUFFER_EXTRA, (void *)(uintptr_t)side->peer};
    side->status = side_call(side, &in_list, &out_list);
    side->missing = 0;
    if (side->status == SEC_E_INCOMPLETE_MESSAGE) {
        side->missing = in[1].BufferType == SECBUFFER_MISSING ? in[1].cbBuffer : 0;
        return side->status;
    }
    if (side->status >= 0)
        side->has_context = true;
    /* Whatever was not used is at the end; INCOMPLETE_CREDENTIALS wants all of it once more. */
    if (side->status != SEC_I_INCOMPLETE_CREDENTIALS) {
        size_t extra = in[1].BufferType == SECBUFFER_EXTRA ? in[1].cbBuffer : 0;
        wire_take(&side->in, side->in.len - extra);
    }
    for (size_t i = 0; i < 2; i++)
        if (out[i].cbBuffer > 0) {
            wire_put(&side->out, out[i].pvBuffer, out[i].cbBuffer);
            FreeContextBuffer(out[i].pvBuffer);
        }
    return side->status;
}

void side_end(struct side *side)
{
    if (side->has_context)
        DeleteSecurityContext(&side->context);
    if (side->credential.dwLower != 0 || side->credential.dwUpper != 0)
        FreeCredentialsHandle(&side->credential);
    side->has_context = false;
    side->credential = (CredHandle){0, 0};
}

void side_hand_over(struct side *from, struct side *to)
{
    wire_put(&to->in, from->out.data, from->out.len);
    from->out.len = 0;
}

static void words_control(struct side *side, DWORD *words, size_t n_words)
{
    SecBuffer buffer = {(ULONG)(n_words * sizeof words[0]), SECBUFFER_TOKEN, words};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &buffer};
    SECURITY_STATUS status = ApplyControlToken(&side->context, &list);
    assert(status == SEC_E_OK);
    (void)status;
}

void side_control(struct side *side, DWORD type)
{
    words_control(side, &type, 1);
}

SECURITY_STATUS side_alert(struct side *side, DWORD number)
{
    DWORD words[] = {SCHANNEL_ALERT, TLS1_ALERT_FATAL, number};
    words_control(side, words, 3);
    return side_step(side);
}

bool side_is_resumed(struct side *side)
{
    SecPkgContext_SessionInfo info = {0};
    SECURITY_STATUS status = QueryContextAttributesA(&side->context, SECPKG_ATTR_SESSION_INFO, &info);
    assert(status == SEC_E_OK);
    (void)status;
    return (info.dwFlags & SSL_SESSION_RECONNECT) != 0;
}

struct loop_pair *pair_new(void)
{
    struct loop_pair *pair = calloc(1, sizeof *pair);
    assert(pair != NULL);
    pair->client.client = true;
    pair->client.target = "server.test";
    pair->client.flags = ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT | ISC_REQ_CONFIDENTIALITY | ISC_REQ_STREAM;
    pair->server.flags = ASC_REQ_REPLAY_DETECT | ASC_REQ_SEQUENCE_DETECT | ASC_REQ_CONFIDENTIALITY | ASC_REQ_STREAM;
    return pair;
}

static bool has_credential(const struct side *side)
{
    return side->credential.dwLower != 0 || side->credential.dwUpper != 0;
}

void pair_acquire(struct loop_pair *pair, DWORD client_protocols, DWORD server_protocols, DWORD client_flags)
{
    SECURITY_STATUS status = SEC_E_OK;
    if (!has_credential(&pair->client))
        status = side_acquire_with(&pair->client, NULL, client_protocols, client_flags);
    assert(status == SEC_E_OK);
    if (!has_credential(&pair->server))
        status = side_acquire_with(&pair->server, pki_server(), server_protocols, 0);
    assert(status == SEC_E_OK);
    (void)status;
}

/* Hands over what `from` has to send, all or a piece of it. */
static bool pass(struct loop_pair *pair, struct side *from, struct side *to)
{
    size_t len = pair->piece > 0 && pair->piece < from->out.len ? pair->piece : from->out.len;
    wire_put(&to->in, from->out.data, len);
    wire_take(&from->out, len);
    return len > 0;
}

static bool is_done(const struct side *side)
{
    return side->has_context && side->status == SEC_E_OK;
}

bool pair_run(struct loop_pair *pair)
{
    pair_acquire(pair, 0, 0, 0);
    side_step(&pair->client);
    return pair_go_on(pair);
}

bool pair_go_on(struct loop_pair *pair)
{
    for (int turns = 0; turns < 100000; turns++) {
        struct side *sides[2] = {&pair->client, &pair->server};
        bool moved = false;
        for (size_t i = 0; i < 2; i++) {
            struct side *from = sides[i], *to = sides[1 - i];
            if (from->status < 0 && from->status != SEC_E_INCOMPLETE_MESSAGE) {
                (void)pass(pair, from, to);
                return false;
            }
            if (is_done(to) || !pass(pair, from, to))
                continue;
            moved = true;
            side_step(to);
        }
        if (is_done(&pair->client) && is_done(&pair->server))
            return true;
        if (!moved)
            return false;
    }
    return false;
}

void pair_restart(struct loop_pair *pair)
{
    struct side *sides[2] = {&pair->client, &pair->server};
    for (size_t i = 0; i < 2; i++) {
        if (sides[i]->has_context)
            DeleteSecurityContext(&sides[i]->context);
        sides[i]->has_context = false;
        sides[i]->in.len = sides[i]->out.len = 0;
        sides[i]->status = SEC_E_OK;
    }
}

void pair_free(struct loop_pair *pair)
{
    side_end(&pair->client);
    side_end(&pair->server);
    free(pair);
}

SECURITY_STATUS side_send(struct side *side, const void *data, size_t len, struct wire *wire)
{
    SecPkgContext_StreamSizes sizes;
    SECURITY_STATUS status = QueryContextAttributesA(&side->context, SECPKG_ATTR_STREAM_SIZES, &sizes);
    size_t sent = 0;
    while (status == SEC_E_OK && (sent < len || len == 0)) {
        size_t piece = len - sent < sizes.cbMaximumMessage ? len - sent : sizes.cbMaximumMessage;
        unsigned char *record = malloc(sizes.cbHeader + piece + sizes.cbTrailer);
        if (piece > 0)
            memcpy(record + sizes.cbHeader, (const unsigned char *)data + sent, piece);
        SecBuffer buffers[4] = {
            {sizes.cbHeader, SECBUFFER_STREAM_HEADER, record},
            {(ULONG)piece, SECBUFFER_DATA, record + sizes.cbHeader},
            {sizes.cbTrailer, SECBUFFER_STREAM_TRAILER, record + sizes.cbHeader + piece},
            {0, SECBUFFER_EMPTY, NULL},
        };
        SecBufferDesc list = {SECBUFFER_VERSION, 4, buffers};
        status = EncryptMessage(&side->context, 0, &list, 0);
        if (status == SEC_E_OK)
            wire_put(wire, record, (size_t)buffers[0].cbBuffer + buffers[1].cbBuffer + buffers[2].cbBuffer);
        free(record);
        sent += piece;
        if (len == 0)
            break;
    }
    return status;
}

SECURITY_STATUS side_receive(struct side *side, struct wire *text)
{
    SecBuffer buffers[4] = {{(ULONG)side->in.len, SECBUFFER_DATA, side->in.data}};
    SecBufferDesc list = {SECBUFFER_VERSION, 4, buffers};
    side->status = DecryptMessage(&side->context, &list, 0, NULL);
    side->missing = side->status == SEC_E_INCOMPLETE_MESSAGE ? buffers[0].cbBuffer : 0;
    if (side->status < 0)
        return side->status;
    size_t extra = 0;
    for (size_t i = 0; i < 4; i++) {
        if (buffers[i].BufferType == SECBUFFER_DATA && text != NULL)
            wire_put(text, buffers[i].pvBuffer, buffers[i].cbBuffer);
        else if (buffers[i].BufferType == SECBUFFER_EXTRA)
            extra = buffers[i].cbBuffer;
    }
    wire_take(&side->in, side->in.len - extra);
    return side->status;
}

SECURITY_STATUS side_receive_text(struct side *side, struct side *peer, struct wire *text)
{
    size_t before = text->len;
    for (int turns = 0; turns < 100; turns++) {
        SECURITY_STATUS status = side_receive(side, text);
        if (status == SEC_I_RENEGOTIATE) {
            status = side_step(side);
            wire_put(&peer->in, side->out.data, side->out.len);
            side->out.len = 0;
        }
        if (status != SEC_E_OK || text->len > before)
            return status;
    }
    return SEC_E_INTERNAL_ERROR;
}

void pair_talk(struct loop_pair *pair)
{
    static struct wire text;
    struct side *sides[2] = {&pair->client, &pair->server};
    side_hand_over(&pair->server, &pair->client);
    for (size_t i = 0; i < 2; i++) {
        text.len = 0;
        SECURITY_STATUS sent = side_send(sides[i], "some words", 10, &sides[1 - i]->in);
        SECURITY_STATUS received = side_receive_text(sides[1 - i], sides[i], &text);
        assert(sent == SEC_E_OK && received == SEC_E_OK);
        assert(text.len == 10 && memcmp(text.data, "some words", 10) == 0);
        (void)sent, (void)received;
    }
}

void side_acquire_certificates(struct side *side, const struct pki *one, const struct pki *other, SCHANNEL_CRED wishes)
{
    PCCERT_CONTEXT contexts[2];
    const struct pki *shown[2] = {one, other};
    wishes.dwVersion = SCHANNEL_CRED_VERSION;
    wishes.paCred = contexts;
    wishes.grbitEnabledProtocols = tls_protocols(wishes.grbitEnabledProtocols, wishes.dwFlags);
    for (size_t i = 0; i < 2; i++)
        if (shown[i] != NULL)
            contexts[wishes.cCreds++] = pki_context(shown[i], NULL, false);
    SECURITY_STATUS status = side_acquire(side, &wishes);
    assert(status == SEC_E_OK);
    (void)status;
    for (DWORD i = 0; i < wishes.cCreds; i++)
        CertFreeCertificateContext(contexts[i]);
}

bool side_is_named(struct side *side)
{
    SecPkgContext_NamesA names;
    SECURITY_STATUS status = QueryContextAttributesA(&side->context, SECPKG_ATTR_NAMES, &names);
    assert(status == SEC_E_OK || status == SEC_E_NO_CREDENTIALS);
    if (status == SEC_E_OK)
        FreeContextBuffer(names.sUserName);
    return status == SEC_E_OK;
}

bool pair_connect_anew(struct loop_pair *pair)
{
    pair_restart(pair);
    bool done = pair_run(pair);
    assert(done);
    (void)done;
    pair_talk(pair);
    assert(side_is_resumed(&pair->client) == side_is_resumed(&pair->server));
    return side_is_resumed(&pair->client);
}

void pair_ask_anew(struct loop_pair *pair, DWORD protocols)
{
    bool renegotiates = protocols == SP_PROT_TLS1_2;
    SECURITY_STATUS status[5] = {0};
    pair->server.flags |= ASC_REQ_MUTUAL_AUTH;
    side_control(&pair->server, SCHANNEL_RENEGOTIATE);
    status[0] = side_step(&pair->server);
    side_hand_over(&pair->server, &pair->client);
    status[1] = side_receive(&pair->client, NULL);
    status[2] = side_step(&pair->client);
    side_hand_over(&pair->client, &pair->server);
    assert(status[0] == SEC_E_OK && status[1] == SEC_I_RENEGOTIATE &&
           status[2] == (renegotiates ? SEC_I_CONTINUE_NEEDED : SEC_E_OK));
    if (renegotiates) {
        status[3] = side_receive(&pair->server, NULL);
        status[4] = side_step(&pair->server);
        bool done = pair_go_on(pair);
        assert(status[3] == SEC_I_RENEGOTIATE && status[4] == SEC_I_CONTINUE_NEEDED && done);
        (void)done;
    }
    (void)status;
    pair_talk(pair);
}
