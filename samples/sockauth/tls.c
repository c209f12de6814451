/* SPDX-License-Identifier: MIT */
#include "tls.h"
#include "certificates.h"
#include "collect.h"
#include "options.h"
#include "show.h"

#define SCHANNEL_USE_BLACKLISTS /* SCH_CREDENTIALS: TLS 1.3 too */
#include <ntsecapi.h>           /* UNICODE_STRING */
#include <schannel.h>
#include <string.h>

#define STREAM_MAX MESSAGE_MAX /* more than the longest flight or record */
#define STEPS_MAX 100          /* of a handshake: each takes at least a record */
#define RECORD_OF_DATA 23      /* the first byte of a record of application data */

struct stream {
    BOOL has_context, open;
    CtxtHandle context;
    ULONG flags; /* granted */
    SecPkgContext_StreamSizes sizes;
    DWORD in_len; /* received and not used */
    BYTE in[STREAM_MAX];
    DWORD text_len; /* opened and not read */
    char text[STREAM_MAX];
};

static struct {
    PSecurityFunctionTableA table;
    BOOL client, has_credentials, wants_certificate;
    CredHandle credentials;
    struct certificates certificates;
    const char *target;
    ULONG wanted;
} tls;

BOOL TlsIsPackage(const char *name)
{
    return strcmp(name, "Schannel") == 0 || strcmp(name, UNISP_NAME_A) == 0;
}

BOOL TlsInit(const struct options *options, BOOL client)
{
    tls.client = client;
    tls.target = options->target;
    tls.wants_certificate = options->authority != NULL;
    tls.wanted = client ? ISC_REQ_STREAM | ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY | ISC_REQ_REPLAY_DETECT |
                              ISC_REQ_SEQUENCE_DETECT | ISC_REQ_ALLOCATE_MEMORY | ISC_REQ_EXTENDED_ERROR
                        : ASC_REQ_STREAM | ASC_REQ_CONFIDENTIALITY | ASC_REQ_REPLAY_DETECT | ASC_REQ_SEQUENCE_DETECT |
                              ASC_REQ_ALLOCATE_MEMORY | ASC_REQ_EXTENDED_ERROR;
    if (!client && tls.wants_certificate)
        tls.wanted |= ASC_REQ_MUTUAL_AUTH;
    if (client && options->target == NULL) {
        Complain("the server's name is not given: -t");
        return FALSE;
    }
    tls.table = InitSecurityInterfaceA();
    if (tls.table == NULL || !CertificatesOpen(&tls.certificates, options->certificate, options->authority))
        return FALSE;
    if (!client && tls.certificates.own == NULL) {
        Complain("a TLS server needs a certificate: -c");
        return FALSE;
    }

    /* What the peer shows is checked in TlsConnect: the roots of this machine need not know the authority of -r. */
    SCH_CREDENTIALS wish = {
        .dwVersion = SCH_CREDENTIALS_VERSION,
        .cCreds = tls.certificates.own != NULL ? 1 : 0,
        .paCred = &tls.certificates.own,
        .dwFlags = SCH_CRED_MANUAL_CRED_VALIDATION | SCH_USE_STRONG_CRYPTO | (client ? SCH_CRED_NO_DEFAULT_CREDS : 0),
    };
    TimeStamp expiry;
    SEC_CHAR name[] = UNISP_NAME_A;
    SECURITY_STATUS status =
        tls.table->AcquireCredentialsHandleA(NULL, name, client ? SECPKG_CRED_OUTBOUND : SECPKG_CRED_INBOUND, NULL,
                                             &wish, NULL, NULL, &tls.credentials, &expiry);
    tls.has_credentials = status == SEC_E_OK;
    if (status != SEC_E_OK)
        ComplainStatus("AcquireCredentialsHandle", status);
    return status == SEC_E_OK;
}

void TlsTerm(void)
{
    if (tls.has_credentials)
        tls.table->FreeCredentialsHandle(&tls.credentials);
    tls.has_credentials = FALSE;
    CertificatesClose(&tls.certificates);
}

/* What came after the used bytes stays for the next call. */
static void KeepExtra(struct stream *stream, DWORD extra)
{
    if (extra > stream->in_len)
        extra = stream->in_len;
    memmove(stream->in, stream->in + stream->in_len - extra, extra);
    stream->in_len = extra;
}

static SECURITY_STATUS CallStep(struct stream *stream, SecBufferDesc *in, SecBufferDesc *out)
{
    CtxtHandle *old = stream->has_context ? &stream->context : NULL;
    TimeStamp expiry;
    if (tls.client)
        return tls.table->InitializeSecurityContextA(&tls.credentials, old, (SEC_CHAR *)tls.target, tls.wanted, 0, 0,
                                                     in, 0, &stream->context, out, &stream->flags, &expiry);
    return tls.table->AcceptSecurityContext(&tls.credentials, old, in, tls.wanted, 0, &stream->context, out,
                                            &stream->flags, &expiry);
}

/* One step with all that was received; what comes out goes to the peer, an alert on failure too. */
static SECURITY_STATUS Step(SOCKET sock, struct stream *stream)
{
    SecBuffer in[2] = {{stream->in_len, SECBUFFER_TOKEN, stream->in}, {0, SECBUFFER_EMPTY, NULL}};
    SecBuffer out = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 2, in}, out_list = {SECBUFFER_VERSION, 1, &out};
    DWORD given = stream->in_len;
    BOOL first_of_client = tls.client && !stream->has_context;
    SECURITY_STATUS status = CallStep(stream, first_of_client ? NULL : &in_list, &out_list);
    if (status == SEC_I_INCOMPLETE_CREDENTIALS) {
        /* The server asks for a certificate, and there is none: go on without. */
        tls.wanted |= ISC_REQ_USE_SUPPLIED_CREDS;
        in[1] = (SecBuffer){0, SECBUFFER_EMPTY, NULL};
        status = CallStep(stream, &in_list, &out_list);
    }
    if (status >= 0)
        stream->has_context = TRUE;
    if (status == SEC_E_INCOMPLETE_MESSAGE)
        return status;
    if (out.cbBuffer > 0 && out.pvBuffer != NULL && !SendBytes(sock, out.pvBuffer, out.cbBuffer) && status >= 0)
        status = SEC_E_INTERNAL_ERROR;
    KeepExtra(stream, in[1].BufferType == SECBUFFER_EXTRA ? in[1].cbBuffer : 0);
    Say("%-10s %lu bytes in, %lu bytes out: %s", "step", (unsigned long)(given - stream->in_len),
        (unsigned long)out.cbBuffer, StatusName(status));
    if (out.pvBuffer != NULL)
        tls.table->FreeContextBuffer(out.pvBuffer);
    if (status < 0)
        ComplainStatus(tls.client ? "InitializeSecurityContext" : "AcceptSecurityContext", status);
    return status;
}

static BOOL ReceiveMore(SOCKET sock, struct stream *stream, ULONGLONG deadline)
{
    DWORD received;
    enum receive_result result = RECEIVE_FAILED;
    if (stream->in_len == sizeof stream->in)
        Complain("the peer sends more than a record can hold");
    else
        result = ReceiveSome(sock, stream->in + stream->in_len, (DWORD)sizeof stream->in - stream->in_len, &received,
                             deadline);
    if (result == RECEIVE_CLOSED)
        Complain(stream->open ? "the connection was cut off" : "the peer closed the connection during the handshake");
    if (result == RECEIVE_OK)
        stream->in_len += received;
    return result == RECEIVE_OK;
}

static BOOL KeepText(struct stream *stream, const SecBuffer *text)
{
    if (text->cbBuffer > sizeof stream->text - stream->text_len) {
        Complain("the peer's line is too long");
        return FALSE;
    }
    memcpy(stream->text + stream->text_len, text->pvBuffer, text->cbBuffer);
    stream->text_len += text->cbBuffer;
    return TRUE;
}

/* Opens one record, where there is a whole one. SEC_E_INCOMPLETE_MESSAGE: there is not. */
static SECURITY_STATUS OpenRecord(struct stream *stream)
{
    SecBuffer buffers[4] = {{stream->in_len, SECBUFFER_DATA, stream->in},
                            {0, SECBUFFER_EMPTY, NULL},
                            {0, SECBUFFER_EMPTY, NULL},
                            {0, SECBUFFER_EMPTY, NULL}};
    SecBufferDesc list = {SECBUFFER_VERSION, 4, buffers};
    DWORD extra = 0;
    SECURITY_STATUS status =
        stream->in_len > 0 ? tls.table->DecryptMessage(&stream->context, &list, 0, NULL) : SEC_E_INCOMPLETE_MESSAGE;
    if (status == SEC_E_INCOMPLETE_MESSAGE)
        return status;
    if (status < 0) {
        ComplainStatus("DecryptMessage", status);
        return status;
    }
    for (int i = 0; i < 4; i++) {
        if (buffers[i].BufferType == SECBUFFER_EXTRA)
            extra = buffers[i].cbBuffer;
        else if (buffers[i].BufferType == SECBUFFER_DATA && status == SEC_E_OK && !KeepText(stream, &buffers[i]))
            return SEC_E_INTERNAL_ERROR;
    }
    KeepExtra(stream, extra);
    return status;
}

/* A step; but what the peer had sent before it knew that TLS 1.2 negotiates anew comes amid that, and is text. */
static SECURITY_STATUS StepOrText(SOCKET sock, struct stream *stream)
{
    if (!stream->open || stream->in_len == 0 || stream->in[0] != RECORD_OF_DATA)
        return Step(sock, stream);
    SECURITY_STATUS status = OpenRecord(stream);
    if (status == SEC_I_RENEGOTIATE)
        return Step(sock, stream);
    return status == SEC_E_OK ? SEC_I_CONTINUE_NEEDED : status;
}

/* The first handshake, or on an open connection what DecryptMessage answered SEC_I_RENEGOTIATE for: a ticket, new keys, or a new handshake. */
static BOOL Handshake(SOCKET sock, struct stream *stream)
{
    ULONGLONG deadline = Deadline();
    SECURITY_STATUS status = tls.client || stream->open ? Step(sock, stream) : SEC_E_INCOMPLETE_MESSAGE;
    int steps = 0;
    while (steps < STEPS_MAX) {
        if (status == SEC_E_OK)
            return TRUE;
        if (status < 0 && status != SEC_E_INCOMPLETE_MESSAGE)
            return FALSE;
        /* Pieces of a record are no steps: the deadline and the room for them bound those. */
        if (status != SEC_E_INCOMPLETE_MESSAGE)
            steps++;
        if ((status == SEC_E_INCOMPLETE_MESSAGE || stream->in_len == 0) && !ReceiveMore(sock, stream, deadline))
            return FALSE;
        status = StepOrText(sock, stream);
    }
    Complain("the handshake does not end");
    return FALSE;
}

/* The next step does what the token says. */
static BOOL Control(SOCKET sock, struct stream *stream, void *wish, ULONG len)
{
    SecBuffer token = {len, SECBUFFER_TOKEN, wish};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &token};
    SECURITY_STATUS status = tls.table->ApplyControlToken(&stream->context, &list);
    if (status != SEC_E_OK) {
        ComplainStatus("ApplyControlToken", status);
        return FALSE;
    }
    stream->in_len = 0;
    return Step(sock, stream) >= 0;
}

static PCCERT_CONTEXT PeerCertificate(struct stream *stream)
{
    PCCERT_CONTEXT peer = NULL;
    SECURITY_STATUS status =
        tls.table->QueryContextAttributesA(&stream->context, SECPKG_ATTR_REMOTE_CERT_CONTEXT, (void *)&peer);
    return status == SEC_E_OK ? peer : NULL;
}

/* A client always looks at the server's certificate; a server that was given an authority wants one of the client. */
static BOOL CheckPeer(SOCKET sock, struct stream *stream)
{
    if (!tls.client && !tls.wants_certificate)
        return TRUE;
    PCCERT_CONTEXT peer = PeerCertificate(stream);
    BOOL good = peer != NULL && CertificateCheck(&tls.certificates, peer, tls.client ? tls.target : NULL);
    if (peer == NULL)
        Complain("the peer showed no certificate");
    else
        CertFreeCertificateContext(peer);
    if (!good) { /* the peer is told; it thinks that all is well */
        SCHANNEL_ALERT_TOKEN alert = {.dwTokenType = SCHANNEL_ALERT,
                                      .dwAlertType = TLS1_ALERT_FATAL,
                                      .dwAlertNumber = TLS1_ALERT_BAD_CERTIFICATE};
        Control(sock, stream, &alert, sizeof alert);
    }
    return good;
}

BOOL TlsConnect(SOCKET sock)
{
    struct stream *stream = CollectAdd((DWORD)sock, sizeof *stream);
    if (stream == NULL) {
        Complain("no memory for a session");
        return FALSE;
    }
    if (!Handshake(sock, stream))
        return FALSE;
    SECURITY_STATUS status =
        tls.table->QueryContextAttributesA(&stream->context, SECPKG_ATTR_STREAM_SIZES, &stream->sizes);
    if (status != SEC_E_OK) {
        ComplainStatus("QueryContextAttributes(STREAM_SIZES)", status);
        return FALSE;
    }
    stream->open = TRUE;
    return CheckPeer(sock, stream);
}

void TlsEnd(SOCKET sock)
{
    struct stream *stream = CollectGet((DWORD)sock);
    if (stream != NULL && stream->has_context)
        tls.table->DeleteSecurityContext(&stream->context);
    CollectRemove((DWORD)sock);
}

BOOL TlsClose(SOCKET sock)
{
    struct stream *stream = CollectGet((DWORD)sock);
    DWORD wish = SCHANNEL_SHUTDOWN;
    return Control(sock, stream, &wish, sizeof wish);
}

/* The newest protocol among the bits. */
static const char *ProtocolName(DWORD bits)
{
    if ((bits & (SP_PROT_TLS1_3_CLIENT | SP_PROT_TLS1_3_SERVER)) != 0)
        return "TLS 1.3";
    if ((bits & (SP_PROT_TLS1_2_CLIENT | SP_PROT_TLS1_2_SERVER)) != 0)
        return "TLS 1.2";
    return "an old protocol";
}

BOOL TlsDescribe(SOCKET sock)
{
    struct stream *stream = CollectGet((DWORD)sock);
    SecPkgContext_ConnectionInfo info;
    SECURITY_STATUS status = tls.table->QueryContextAttributesA(&stream->context, SECPKG_ATTR_CONNECTION_INFO, &info);
    if (status != SEC_E_OK) {
        ComplainStatus("QueryContextAttributes(CONNECTION_INFO)", status);
        return FALSE;
    }
    Say("%-10s %s, a cipher of %lu bits", "chosen", ProtocolName(info.dwProtocol),
        (unsigned long)info.dwCipherStrength);
    PCCERT_CONTEXT peer = PeerCertificate(stream);
    char name[256];
    if (peer != NULL && CertGetNameStringA(peer, CERT_NAME_SIMPLE_DISPLAY_TYPE, 0, NULL, name, sizeof name) > 1)
        SayText("peer", name, strlen(name));
    else
        Say("%-10s not known: no certificate", "peer");
    if (peer != NULL)
        CertFreeCertificateContext(peer);
    SayFlags(tls.client, stream->flags);
    Say("%-10s header %lu, trailer %lu, message %lu bytes", "sizes", (unsigned long)stream->sizes.cbHeader,
        (unsigned long)stream->sizes.cbTrailer, (unsigned long)stream->sizes.cbMaximumMessage);
    return TRUE;
}

BOOL TlsSendLine(SOCKET sock, const char *text)
{
    struct stream *stream = CollectGet((DWORD)sock);
    static BYTE record[STREAM_MAX];
    const SecPkgContext_StreamSizes *sizes = &stream->sizes;
    size_t len = strlen(text) + 1;
    if (strchr(text, '\n') != NULL || len > sizes->cbMaximumMessage ||
        sizes->cbHeader + len + sizes->cbTrailer > sizeof record) {
        Complain("the text is too long for a record, or more than a line");
        return FALSE;
    }
    BYTE *data = record + sizes->cbHeader;
    memcpy(data, text, len - 1);
    data[len - 1] = '\n';
    SecBuffer buffers[4] = {
        {sizes->cbHeader, SECBUFFER_STREAM_HEADER, record},
        {(ULONG)len, SECBUFFER_DATA, data},
        {sizes->cbTrailer, SECBUFFER_STREAM_TRAILER, data + len},
        {0, SECBUFFER_EMPTY, NULL},
    };
    SecBufferDesc list = {SECBUFFER_VERSION, 4, buffers};
    SECURITY_STATUS status = tls.table->EncryptMessage(&stream->context, 0, &list, 0);
    if (status != SEC_E_OK) {
        ComplainStatus("EncryptMessage", status);
        return FALSE;
    }
    DWORD whole = buffers[0].cbBuffer + buffers[1].cbBuffer + buffers[2].cbBuffer;
    SayText("seals", text, len - 1);
    SayBytes("  sends", record, whole);
    return SendBytes(sock, record, whole);
}

/* Takes a line off the text, if there is one. */
static BOOL TakeLine(struct stream *stream, char *line, size_t size, enum receive_result *result)
{
    const char *end = memchr(stream->text, '\n', stream->text_len);
    if (end == NULL)
        return FALSE;
    DWORD len = (DWORD)(end - stream->text), taken = len + 1;
    *result = len < size ? RECEIVE_OK : RECEIVE_FAILED;
    if (len >= size) {
        Complain("the peer's line is too long");
        return TRUE;
    }
    memcpy(line, stream->text, len);
    for (DWORD i = 0; i < len; i++)
        if (line[i] == '\0') /* a NUL would hide what follows it */
            line[i] = '?';
    line[len] = '\0';
    memmove(stream->text, stream->text + taken, stream->text_len - taken);
    stream->text_len -= taken;
    SayText("unseals", line, len);
    return TRUE;
}

enum receive_result TlsReceiveLine(SOCKET sock, char *line, size_t size)
{
    struct stream *stream = CollectGet((DWORD)sock);
    ULONGLONG deadline = Deadline();
    enum receive_result result;
    while (!TakeLine(stream, line, size, &result)) {
        SECURITY_STATUS status = OpenRecord(stream);
        if (status == SEC_I_RENEGOTIATE && !Handshake(sock, stream))
            return RECEIVE_FAILED;
        if (status == SEC_I_CONTEXT_EXPIRED)
            return RECEIVE_CLOSED;
        if (status == SEC_E_INCOMPLETE_MESSAGE ? !ReceiveMore(sock, stream, deadline) : status < 0)
            return RECEIVE_FAILED;
    }
    return result;
}
