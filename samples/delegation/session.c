/* SPDX-License-Identifier: MIT */
#include "session.h"
#include "../sockauth/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLAGS                                                                                    \
    (ISC_REQ_MUTUAL_AUTH | ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY | ISC_REQ_REPLAY_DETECT | \
     ISC_REQ_SEQUENCE_DETECT)
#define SERVER_FLAGS                                                                             \
    (ASC_REQ_MUTUAL_AUTH | ASC_REQ_CONFIDENTIALITY | ASC_REQ_INTEGRITY | ASC_REQ_REPLAY_DETECT | \
     ASC_REQ_SEQUENCE_DETECT)
#define LENGTH_BYTES 4 /* in front of a sealed message: the length of its trailer */

struct addrinfo *FindAddress(const char *host, const char *port, BOOL listens)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = listens ? AI_PASSIVE : 0}, *list = NULL;
    int error = getaddrinfo(host, port, &hints, &list);
    if (error == 0)
        return list;
    Complain("cannot find %s: error %d", host, error);
    return NULL;
}

SOCKET MakeSocket(const struct addrinfo *address)
{
    SOCKET sock = socket(address->ai_family, address->ai_socktype, address->ai_protocol);
    if (sock == INVALID_SOCKET)
        ComplainSocket("cannot make a socket");
    return sock;
}

static SOCKET ConnectSocket(const char *host, const char *port)
{
    SOCKET sock = INVALID_SOCKET;
    struct addrinfo *list = FindAddress(host, port, FALSE);
    for (struct addrinfo *one = list; one != NULL && sock == INVALID_SOCKET; one = one->ai_next) {
        sock = MakeSocket(one);
        if (sock != INVALID_SOCKET && connect(sock, one->ai_addr, (socklen_t)one->ai_addrlen) != 0) {
            ComplainSocket("cannot connect");
            closesocket(sock);
            sock = INVALID_SOCKET;
        }
    }
    if (list != NULL)
        freeaddrinfo(list);
    return sock;
}

/* Tells the peer with which status the handshake ended. */
static void Refuse(SOCKET sock, SECURITY_STATUS status)
{
    struct message *message = calloc(1, sizeof *message);
    if (message == NULL)
        return;
    message->kind = MESSAGE_REFUSED;
    message->len = 4;
    PutNumber(message->data, (DWORD)status);
    SendMsg(sock, message);
    free(message);
}

/* What both sides check before they say a word. */
static BOOL Established(struct session *session, BOOL client)
{
    SECURITY_STATUS status = QueryContextAttributesA(&session->context, SECPKG_ATTR_SIZES, &session->sizes);
    if (status != SEC_E_OK) {
        ComplainStatus("QueryContextAttributes(SIZES)", status);
        return FALSE;
    }
    /* The two flags have the same bits in ISC_RET_ and ASC_RET_. */
    ULONG needed = client ? ISC_RET_CONFIDENTIALITY | ISC_RET_MUTUAL_AUTH : ASC_RET_CONFIDENTIALITY;
    if ((session->flags & needed) != needed) {
        Complain("the context is weaker than what was asked for");
        return FALSE;
    }
    return TRUE;
}

/* The server's next message; tells when it is another one. */
static BOOL Expect(SOCKET sock, struct message *message, BYTE kind)
{
    enum receive_result result = ReceiveMsg(sock, message);
    if (result == RECEIVE_CLOSED)
        Complain("the server closed the connection");
    if (result != RECEIVE_OK)
        return FALSE;
    if (message->kind == kind)
        return TRUE;
    if (message->kind == MESSAGE_REFUSED && message->len == 4)
        Complain("the server refused: %s", StatusName((SECURITY_STATUS)GetNumber(message->data)));
    else
        Complain("the server sent the wrong kind of message");
    return FALSE;
}

static BOOL ClientHandshake(struct session *session, CredHandle *credentials, const char *target, ULONG flags,
                            struct message *in, struct message *out)
{
    in->len = 0;
    for (int leg = 0; leg < LEGS_MAX; leg++) {
        SecBuffer inBuffer = {in->len, SECBUFFER_TOKEN, in->data},
                  outBuffer = {MESSAGE_MAX, SECBUFFER_TOKEN, out->data};
        SecBufferDesc inList = {SECBUFFER_VERSION, 1, &inBuffer}, outList = {SECBUFFER_VERSION, 1, &outBuffer};
        TimeStamp expiry;
        SECURITY_STATUS status = InitializeSecurityContextA(
            credentials, session->hasContext ? &session->context : NULL, (SEC_CHAR *)target, flags, 0,
            SECURITY_NATIVE_DREP, leg > 0 ? &inList : NULL, 0, &session->context, &outList, &session->flags, &expiry);
        if (status != SEC_E_OK && status != SEC_I_CONTINUE_NEEDED) {
            ComplainStatus("InitializeSecurityContext", status);
            return FALSE;
        }
        session->hasContext = TRUE;
        out->kind = MESSAGE_TOKEN;
        out->len = outBuffer.cbBuffer;
        if (out->len > 0 && !SendMsg(session->sock, out))
            return FALSE;
        if (status == SEC_E_OK)
            return Expect(session->sock, in, MESSAGE_ACCEPTED) && Established(session, TRUE);
        if (!Expect(session->sock, in, MESSAGE_TOKEN))
            return FALSE;
    }
    Complain("the handshake does not end");
    return FALSE;
}

BOOL SessionConnect(struct session *session, CredHandle *credentials, const char *host, const char *port,
                    const char *target, BOOL delegate)
{
    *session = (struct session){.sock = ConnectSocket(host, port)};
    if (session->sock == INVALID_SOCKET || !PrepareSocket(session->sock))
        return FALSE;
    struct message *in = malloc(sizeof *in), *out = malloc(sizeof *out);
    BOOL good = in != NULL && out != NULL &&
                ClientHandshake(session, credentials, target, delegate ? FLAGS | ISC_REQ_DELEGATE : FLAGS, in, out);
    free(in);
    free(out);
    return good;
}

static BOOL ServerHandshake(struct session *session, CredHandle *credentials, struct message *in, struct message *out)
{
    for (int leg = 0; leg < LEGS_MAX; leg++) {
        enum receive_result result = ReceiveMsg(session->sock, in);
        if (result != RECEIVE_OK || in->kind != MESSAGE_TOKEN) {
            Complain("the client sent no token");
            return FALSE;
        }
        SecBuffer inBuffer = {in->len, SECBUFFER_TOKEN, in->data},
                  outBuffer = {MESSAGE_MAX, SECBUFFER_TOKEN, out->data};
        SecBufferDesc inList = {SECBUFFER_VERSION, 1, &inBuffer}, outList = {SECBUFFER_VERSION, 1, &outBuffer};
        TimeStamp expiry;
        SECURITY_STATUS status =
            AcceptSecurityContext(credentials, session->hasContext ? &session->context : NULL, &inList, SERVER_FLAGS,
                                  SECURITY_NATIVE_DREP, &session->context, &outList, &session->flags, &expiry);
        if (status != SEC_E_OK && status != SEC_I_CONTINUE_NEEDED) {
            ComplainStatus("AcceptSecurityContext", status);
            Refuse(session->sock, status);
            return FALSE;
        }
        session->hasContext = TRUE;
        out->kind = MESSAGE_TOKEN;
        out->len = outBuffer.cbBuffer;
        if (out->len > 0 && !SendMsg(session->sock, out))
            return FALSE;
        if (status == SEC_E_OK) {
            out->kind = MESSAGE_ACCEPTED;
            out->len = 0;
            return SendMsg(session->sock, out) && Established(session, FALSE);
        }
    }
    Complain("the handshake does not end");
    return FALSE;
}

BOOL SessionAccept(struct session *session, CredHandle *credentials, SOCKET sock)
{
    *session = (struct session){.sock = sock};
    if (!PrepareSocket(sock))
        return FALSE;
    struct message *in = malloc(sizeof *in), *out = malloc(sizeof *out);
    BOOL good = in != NULL && out != NULL && ServerHandshake(session, credentials, in, out);
    free(in);
    free(out);
    return good;
}

void SessionEnd(struct session *session)
{
    if (session->hasContext)
        DeleteSecurityContext(&session->context);
    if (session->sock != INVALID_SOCKET)
        closesocket(session->sock);
    *session = (struct session){.sock = INVALID_SOCKET};
}

BOOL SessionPeer(struct session *session, char *name, size_t size)
{
    SecPkgContext_NamesA names;
    SECURITY_STATUS status = QueryContextAttributesA(&session->context, SECPKG_ATTR_NAMES, &names);
    if (status != SEC_E_OK) {
        ComplainStatus("QueryContextAttributes(NAMES)", status);
        return FALSE;
    }
    snprintf(name, size, "%s", names.sUserName);
    FreeContextBuffer(names.sUserName);
    return TRUE;
}

/* The content of a sealed message: the length of the trailer, the trailer, what became of the text, and the padding of a block cipher. */
static BOOL Seal(struct session *session, const char *text, ULONG len, struct message *message)
{
    ULONG trailerMax = session->sizes.cbSecurityTrailer, paddingMax = session->sizes.cbBlockSize;
    if (len >= TEXT_MAX || trailerMax > MESSAGE_MAX / 4 || paddingMax > MESSAGE_MAX / 4) {
        Complain("the text is too long for a message");
        return FALSE;
    }
    BYTE *trailer = message->data + LENGTH_BYTES, *data = trailer + trailerMax, *padding = data + len;
    memcpy(data, text, len);
    SecBuffer buffers[3] = {
        {trailerMax, SECBUFFER_TOKEN, trailer}, {len, SECBUFFER_DATA, data}, {paddingMax, SECBUFFER_PADDING, padding}};
    SecBufferDesc list = {SECBUFFER_VERSION, 3, buffers};
    SECURITY_STATUS status = EncryptMessage(&session->context, 0, &list, 0);
    if (status != SEC_E_OK) {
        ComplainStatus("EncryptMessage", status);
        return FALSE;
    }
    /* The trailer may be shorter than its room: close the gap. */
    memmove(trailer + buffers[0].cbBuffer, data, len + buffers[2].cbBuffer);
    PutNumber(message->data, buffers[0].cbBuffer);
    message->kind = MESSAGE_SEALED;
    message->len = LENGTH_BYTES + buffers[0].cbBuffer + len + buffers[2].cbBuffer;
    return TRUE;
}

BOOL SessionSend(struct session *session, const char *text)
{
    struct message *message = malloc(sizeof *message);
    BOOL good = message != NULL && Seal(session, text, (ULONG)strlen(text), message) && SendMsg(session->sock, message);
    free(message);
    return good;
}

static BOOL Unseal(struct session *session, struct message *message, char text[TEXT_MAX])
{
    DWORD trailer = message->len >= LENGTH_BYTES ? GetNumber(message->data) : 0;
    if (message->kind != MESSAGE_SEALED || message->len < LENGTH_BYTES || trailer > message->len - LENGTH_BYTES) {
        Complain("the peer sent something else than a sealed message");
        return FALSE;
    }
    BYTE *start = message->data + LENGTH_BYTES;
    SecBuffer buffers[2] = {{trailer, SECBUFFER_TOKEN, start},
                            {message->len - LENGTH_BYTES - trailer, SECBUFFER_DATA, start + trailer}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    ULONG quality = 0;
    SECURITY_STATUS status = DecryptMessage(&session->context, &list, 0, &quality);
    if (status != SEC_E_OK) {
        ComplainStatus("DecryptMessage", status);
        return FALSE;
    }
    if (buffers[1].cbBuffer >= TEXT_MAX || memchr(buffers[1].pvBuffer, 0, buffers[1].cbBuffer) != NULL) {
        Complain("the peer's text is too long, or is none");
        return FALSE;
    }
    memcpy(text, buffers[1].pvBuffer, buffers[1].cbBuffer);
    text[buffers[1].cbBuffer] = '\0';
    return TRUE;
}

enum receive_result SessionReceive(struct session *session, char text[TEXT_MAX])
{
    struct message *message = malloc(sizeof *message);
    enum receive_result result = message != NULL ? ReceiveMsg(session->sock, message) : RECEIVE_FAILED;
    if (result == RECEIVE_OK && !Unseal(session, message, text))
        result = RECEIVE_FAILED;
    free(message);
    return result;
}
