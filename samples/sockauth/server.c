/*
 * server.c: waits for sockauth_client, authenticates who comes, and answers each sealed or signed message with one of its kind.
 *
 * SPDX-License-Identifier: MIT
 */
#include "comm.h"
#include "options.h"
#include "security.h"
#include "show.h"
#include "tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES_MAX 100 /* of one client */

/* Tells the client with which status the handshake ended. */
static void Refuse(SOCKET sock, SECURITY_STATUS status)
{
    struct message message = {.kind = MESSAGE_REFUSED, .len = 4};
    PutNumber(message.data, (DWORD)status);
    SendMsg(sock, &message);
}

/* What the client sends goes to AcceptSecurityContext, and what that gives goes back, until the context stands. */
static BOOL DoAuthentication(SOCKET sock)
{
    struct message in, out;
    for (int leg = 0; leg < LEGS_MAX; leg++) {
        enum receive_result result = ReceiveMsg(sock, &in);
        if (result == RECEIVE_CLOSED)
            Complain("the client closed the connection during the handshake");
        if (result != RECEIVE_OK)
            return FALSE;
        if (in.kind != MESSAGE_TOKEN) {
            Complain("the client sent something else than a token");
            return FALSE;
        }
        SECURITY_STATUS status = GenServerContext((DWORD)sock, &in, &out);
        if (status < 0) {
            Refuse(sock, status);
            return FALSE;
        }
        if (out.len > 0 && !SendMsg(sock, &out))
            return FALSE;
        if (status == SEC_E_OK) {
            out = (struct message){.kind = MESSAGE_ACCEPTED};
            return SendMsg(sock, &out);
        }
    }
    Complain("the handshake does not end");
    return FALSE;
}

static void CloseAuthSocket(SOCKET sock)
{
    TermSession((DWORD)sock);
    closesocket(sock);
}

/* Waits for a client. FALSE: nobody came. *sock is INVALID_SOCKET when it went away at once. */
static BOOL AcceptSocket(SOCKET listener, DWORD idle, SOCKET *sock)
{
    *sock = INVALID_SOCKET;
    if (!WaitForClient(listener, idle))
        return FALSE;
    SOCKET accepted = accept(listener, NULL, NULL);
    if (accepted == INVALID_SOCKET)
        ComplainSocket("cannot accept");
    else if (!PrepareSocket(accepted))
        closesocket(accepted);
    else
        *sock = accepted;
    return TRUE;
}

/* Waits for a client and authenticates it. FALSE: nobody came. *sock is INVALID_SOCKET when the client was refused. */
static BOOL AcceptAuthSocket(SOCKET listener, DWORD idle, SOCKET *sock)
{
    SOCKET accepted;
    *sock = INVALID_SOCKET;
    if (!AcceptSocket(listener, idle, &accepted))
        return FALSE;
    if (accepted == INVALID_SOCKET)
        return TRUE;
    if (!InitSession((DWORD)accepted)) {
        closesocket(accepted);
    } else if (!DoAuthentication(accepted)) {
        CloseAuthSocket(accepted);
    } else {
        *sock = accepted;
    }
    return TRUE;
}

static void TryImpersonation(DWORD key)
{
    SECURITY_STATUS status = ImpersonateContext(key);
    Say("%-10s ImpersonateSecurityContext: %s", "acts as", StatusName(status));
    if (status == SEC_E_OK) {
        /* Here the server would open the client's files. */
        status = RevertContext(key);
        Say("%-10s RevertSecurityContext: %s", "itself", StatusName(status));
    }
}

static BOOL Answer(SOCKET sock, struct message *message)
{
    const char *text;
    size_t len;
    char answer[256];
    if (message->kind != MESSAGE_SEALED && message->kind != MESSAGE_SIGNED) {
        Complain("the client sent an unknown kind of message");
        return FALSE;
    }
    BOOL sealed = message->kind == MESSAGE_SEALED;
    SayBytes("  receives", message->data, message->len);
    SECURITY_STATUS status = UnprotectText((DWORD)sock, message, &text, &len);
    if (status != SEC_E_OK) {
        Refuse(sock, status);
        return FALSE;
    }
    SayText(sealed ? "unseals" : "verifies", text, len);

    snprintf(answer, sizeof answer, "Yes: %lu bytes came %s and whole.", (unsigned long)len,
             sealed ? "sealed" : "signed");
    if (ProtectText((DWORD)sock, answer, strlen(answer), message) != SEC_E_OK)
        return FALSE;
    SayText(sealed ? "seals" : "signs", answer, strlen(answer));
    SayBytes("  sends", message->data, message->len);
    return SendMsg(sock, message);
}

/* Answers a client until it closes the connection. */
static BOOL Serve(SOCKET sock, BOOL impersonate)
{
    struct message message;
    if (!DescribeSession((DWORD)sock))
        return FALSE;
    DescribeClient((DWORD)sock);
    if (impersonate)
        TryImpersonation((DWORD)sock);
    for (int i = 0; i < MESSAGES_MAX; i++) {
        enum receive_result result = ReceiveMsg(sock, &message);
        if (result != RECEIVE_OK)
            return result == RECEIVE_CLOSED;
        if (!Answer(sock, &message))
            return FALSE;
    }
    Complain("the client does not end");
    return FALSE;
}

static SOCKET Listen(const struct options *options)
{
    struct addrinfo hints = {.ai_family = options->family, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE},
                    *address;
    int error = getaddrinfo(options->host, options->port, &hints, &address);
    if (error != 0) {
        Complain("cannot find %s: error %d", options->host, error);
        return INVALID_SOCKET;
    }
    SOCKET listener = socket(address->ai_family, address->ai_socktype, address->ai_protocol);
    BOOL good = listener != INVALID_SOCKET;
#ifndef _WIN32
    int on = 1; /* On Windows the option means something else: that others may take the port too. */
    good = good && setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0;
#endif
    good = good && bind(listener, address->ai_addr, (socklen_t)address->ai_addrlen) == 0 && listen(listener, 8) == 0;
    freeaddrinfo(address);

    struct sockaddr_storage bound;
    socklen_t bound_len = sizeof bound;
    char host[128] = "", port[16] = "";
    good = good && getsockname(listener, (struct sockaddr *)&bound, &bound_len) == 0 &&
           getnameinfo((struct sockaddr *)&bound, bound_len, host, sizeof host, port, sizeof port,
                       NI_NUMERICHOST | NI_NUMERICSERV) == 0;
    if (!good) {
        ComplainSocket("cannot listen");
        if (listener != INVALID_SOCKET)
            closesocket(listener);
        return INVALID_SOCKET;
    }
    Say("%-10s %s port %s", "listens", host, port);
    return listener;
}

/* The same over TLS: each line is answered by one, until the client says that nothing follows. */
static BOOL ServeTls(SOCKET sock)
{
    char line[MESSAGE_MAX], answer[64];
    if (!TlsConnect(sock) || !TlsDescribe(sock))
        return FALSE;
    for (int i = 0; i < MESSAGES_MAX; i++) {
        enum receive_result result = TlsReceiveLine(sock, line, sizeof line);
        if (result != RECEIVE_OK)
            return result == RECEIVE_CLOSED && TlsClose(sock);
        snprintf(answer, sizeof answer, "Yes: %lu bytes came sealed and whole.", (unsigned long)strlen(line));
        if (!TlsSendLine(sock, answer))
            return FALSE;
    }
    Complain("the client does not end");
    return FALSE;
}

/* Waits for a client and serves it. FALSE: nobody came. */
static BOOL ServeNext(SOCKET listener, const struct options *options, BOOL *served)
{
    SOCKET sock;
    BOOL tls = TlsIsPackage(options->package);
    *served = FALSE;
    if (!(tls ? AcceptSocket(listener, options->idle, &sock) : AcceptAuthSocket(listener, options->idle, &sock)))
        return FALSE;
    if (sock != INVALID_SOCKET && tls) {
        *served = ServeTls(sock);
        TlsEnd(sock);
        closesocket(sock);
    } else if (sock != INVALID_SOCKET) {
        *served = Serve(sock, options->impersonate);
        CloseAuthSocket(sock);
    }
    return TRUE;
}

/* Serves one client after the other. TRUE: all of them were served to their end. */
static BOOL ServeClients(SOCKET listener, const struct options *options)
{
    BOOL good = TRUE;
    for (DWORD n = 1; options->connections == 0 || n <= options->connections; n++) {
        BOOL served;
        if (!ServeNext(listener, options, &served))
            return FALSE;
        Say("%-10s client %lu %s", "done", (unsigned long)n, served ? "served" : "failed");
        good = good && served;
    }
    return good;
}

int main(int argc, char **argv)
{
    struct options options;
    InitShow("server");
    if (!ParseOptions(argc, argv, FALSE, &options))
        return 2;
    if (!InitWinSock(options.patience))
        return EXIT_FAILURE;
    BOOL good = FALSE;
    BOOL tls = TlsIsPackage(options.package);
    if (tls ? TlsInit(&options, FALSE) : InitPackage(&options, FALSE)) {
        SOCKET listener = Listen(&options);
        if (listener != INVALID_SOCKET) {
            good = ServeClients(listener, &options);
            closesocket(listener);
        }
    }
    if (tls)
        TlsTerm();
    else
        TermPackage();
    TermWinSock();
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
