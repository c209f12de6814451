/*
 * client.c: connects to sockauth_server, authenticates, and sends it a sealed and a signed message.
 *
 * SPDX-License-Identifier: MIT
 */
#include "comm.h"
#include "options.h"
#include "security.h"
#include "show.h"
#include "tls.h"

#include <stdlib.h>
#include <string.h>
#ifndef _WIN32
#include <sys/time.h>
#endif

/* Receives what the server must now send; tells when it sends something else. */
static BOOL ExpectKind(SOCKET sock, struct message *message, enum message_kind kind)
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

/* What InitializeSecurityContext gives goes to the server, and the server's answer comes back, until the context stands. */
static BOOL DoAuthentication(SOCKET sock)
{
    struct message in, out;
    DWORD key = (DWORD)sock;
    SECURITY_STATUS status = GenClientContext(key, NULL, &out);
    for (int leg = 0; leg < LEGS_MAX; leg++) {
        if (status < 0)
            return FALSE;
        if (out.len > 0 && !SendMsg(sock, &out))
            return FALSE;
        /* A client can be done before the server has checked anything: the context stands when the server says so, too. */
        if (status == SEC_E_OK)
            return ExpectKind(sock, &in, MESSAGE_ACCEPTED);
        if (!ExpectKind(sock, &in, MESSAGE_TOKEN))
            return FALSE;
        status = GenClientContext(key, &in, &out);
    }
    Complain("the handshake does not end");
    return FALSE;
}

static void SetConnectTimeout(SOCKET sock, DWORD seconds)
{
#ifdef _WIN32
    (void)sock, (void)seconds; /* Windows gives up by itself after some 20 seconds */
#else
    struct timeval time = {.tv_sec = (time_t)seconds};
    setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
#endif
}

static void CloseAuthSocket(SOCKET sock)
{
    TermSession((DWORD)sock);
    closesocket(sock);
}

static SOCKET ConnectSocket(const struct options *options)
{
    struct addrinfo hints = {.ai_family = options->family, .ai_socktype = SOCK_STREAM}, *list, *address;
    int error = getaddrinfo(options->host, options->port, &hints, &list);
    if (error != 0) {
        Complain("cannot find %s: error %d", options->host, error);
        return INVALID_SOCKET;
    }
    SOCKET sock = INVALID_SOCKET;
    for (address = list; address != NULL && sock == INVALID_SOCKET; address = address->ai_next) {
        sock = socket(address->ai_family, address->ai_socktype, address->ai_protocol);
        if (sock == INVALID_SOCKET)
            continue;
        SetConnectTimeout(sock, options->patience);
        if (connect(sock, address->ai_addr, (socklen_t)address->ai_addrlen) != 0) {
            ComplainSocket("cannot connect");
            closesocket(sock);
            sock = INVALID_SOCKET;
        }
    }
    freeaddrinfo(list);
    if (sock != INVALID_SOCKET && !PrepareSocket(sock)) {
        closesocket(sock);
        return INVALID_SOCKET;
    }
    return sock;
}

static SOCKET ConnectAuthSocket(const struct options *options)
{
    SOCKET sock = ConnectSocket(options);
    if (sock == INVALID_SOCKET)
        return INVALID_SOCKET;
    if (!InitSession((DWORD)sock)) {
        closesocket(sock);
        return INVALID_SOCKET;
    }
    if (!DoAuthentication(sock)) {
        CloseAuthSocket(sock);
        return INVALID_SOCKET;
    }
    return sock;
}

static BOOL SendText(SOCKET sock, enum message_kind kind, const char *text)
{
    struct message message = {.kind = (BYTE)kind};
    if (ProtectText((DWORD)sock, text, strlen(text), &message) != SEC_E_OK)
        return FALSE;
    SayText(kind == MESSAGE_SEALED ? "seals" : "signs", text, strlen(text));
    SayBytes("  sends", message.data, message.len);
    return SendMsg(sock, &message);
}

static BOOL ReceiveText(SOCKET sock, enum message_kind kind)
{
    struct message message;
    const char *text;
    size_t len;
    if (!ExpectKind(sock, &message, kind))
        return FALSE;
    SayBytes("  receives", message.data, message.len);
    if (UnprotectText((DWORD)sock, &message, &text, &len) != SEC_E_OK)
        return FALSE;
    SayText(kind == MESSAGE_SEALED ? "unseals" : "verifies", text, len);
    return TRUE;
}

static BOOL Talk(SOCKET sock, const char *text)
{
    DWORD key = (DWORD)sock;
    if (!DescribeSession(key))
        return FALSE;
    if (!SessionSeals(key) && !SessionSigns(key))
        Say("%-10s neither sealed nor signed messages", "context");
    if (SessionSeals(key) && !(SendText(sock, MESSAGE_SEALED, text) && ReceiveText(sock, MESSAGE_SEALED)))
        return FALSE;
    return !SessionSigns(key) || (SendText(sock, MESSAGE_SIGNED, text) && ReceiveText(sock, MESSAGE_SIGNED));
}

static BOOL ConverseByPackage(const struct options *options)
{
    BOOL good = FALSE;
    if (InitPackage(options, TRUE)) {
        SOCKET sock = ConnectAuthSocket(options);
        if (sock != INVALID_SOCKET) {
            good = Talk(sock, options->text);
            CloseAuthSocket(sock);
        }
    }
    TermPackage();
    return good;
}

static BOOL TalkTls(SOCKET sock, const char *text)
{
    char answer[MESSAGE_MAX];
    if (!TlsConnect(sock) || !TlsDescribe(sock) || !TlsSendLine(sock, text))
        return FALSE;
    enum receive_result result = TlsReceiveLine(sock, answer, sizeof answer);
    if (result == RECEIVE_CLOSED)
        Complain("the server closed the connection");
    return result == RECEIVE_OK && TlsClose(sock);
}

static BOOL ConverseByTls(const struct options *options)
{
    BOOL good = FALSE;
    if (TlsInit(options, TRUE)) {
        SOCKET sock = ConnectSocket(options);
        if (sock != INVALID_SOCKET) {
            good = TalkTls(sock, options->text);
            TlsEnd(sock);
            closesocket(sock);
        }
    }
    TlsTerm();
    return good;
}

int main(int argc, char **argv)
{
    struct options options;
    InitShow("client");
    if (!ParseOptions(argc, argv, TRUE, &options))
        return 2;
    if (!InitWinSock(options.patience))
        return EXIT_FAILURE;
    BOOL good = TlsIsPackage(options.package) ? ConverseByTls(&options) : ConverseByPackage(&options);
    TermWinSock();
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
