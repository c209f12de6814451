/*
 * server.c: serves files to each client with the client's own rights, and asks the server behind it in the client's name.
 *
 * SPDX-License-Identifier: MIT
 */
#include "../sockauth/show.h"
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifndef _WIN32
#include <pthread.h>
#endif

#define PATIENCE_SECONDS 30
#define REQUESTS_MAX 100 /* of one client */
#define NAME_MAX_LEN 64  /* of a file */

static struct {
    const char *name, *package, *folder;
    const char *nextTarget, *nextHost, *nextPort; /* NULL: there is nobody behind this one */
    CredHandle credentials;
} server = {.package = "Negotiate"};

/* A name, and nothing that leads elsewhere. */
static BOOL IsPlainName(const char *name)
{
    size_t len = strlen(name);
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return len > 0 && len <= NAME_MAX_LEN && name[0] != '.' && strspn(name, allowed) == len;
}

/* Here the thread is the client: the system lets it open what the client may open. */
static void ReadHere(const char *name, char answer[TEXT_MAX])
{
    char path[1024];
    if (!IsPlainName(name) || snprintf(path, sizeof path, "%s/%s", server.folder, name) >= (int)sizeof path) {
        snprintf(answer, TEXT_MAX, "NO %s: this is no name of a file", server.name);
        return;
    }
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        snprintf(answer, TEXT_MAX, "NO %s: this user may not read it", server.name);
        return;
    }
    int used = snprintf(answer, TEXT_MAX, "OK %s: ", server.name);
    size_t len = fread(answer + used, 1, TEXT_MAX - 1 - (size_t)used, file);
    answer[(size_t)used + len] = '\0';
    fclose(file);
}

/* Asks the next server, with this thread's credentials: the client's. */
static void AskNext(CredHandle *credentials, const char *request, char answer[TEXT_MAX])
{
    struct session next;
    if (!SessionConnect(&next, credentials, server.nextHost, server.nextPort, server.nextTarget, TRUE))
        snprintf(answer, TEXT_MAX, "NO %s: the next server does not let this user in", server.name);
    else if (!SessionSend(&next, request) || SessionReceive(&next, answer) != RECEIVE_OK)
        snprintf(answer, TEXT_MAX, "NO %s: the next server does not answer", server.name);
    SessionEnd(&next);
}

static void PassOn(const char *request, char answer[TEXT_MAX])
{
    CredHandle credentials;
    TimeStamp expiry;
    if (server.nextTarget == NULL) {
        snprintf(answer, TEXT_MAX, "NO %s: there is no server behind this one", server.name);
        return;
    }
    SECURITY_STATUS status = AcquireCredentialsHandleA(NULL, (SEC_CHAR *)server.package, SECPKG_CRED_OUTBOUND, NULL,
                                                       NULL, NULL, NULL, &credentials, &expiry);
    if (status != SEC_E_OK) {
        ComplainStatus("AcquireCredentialsHandle", status);
        snprintf(answer, TEXT_MAX, "NO %s: this user delegated no credentials", server.name);
        return;
    }
    AskNext(&credentials, request, answer);
    FreeCredentialsHandle(&credentials);
}

/* "HOPS NAME": with 0 the file is here, else that many servers further. */
static void Answer(struct session *session, const char *request, char answer[TEXT_MAX])
{
    char further[TEXT_MAX], *name;
    unsigned long hops = strtoul(request, &name, 10);
    if (request[0] < '0' || request[0] > '9' || hops > 100 || *name++ != ' ') {
        snprintf(answer, TEXT_MAX, "NO %s: this is no request", server.name);
        return;
    }
    SECURITY_STATUS status = ImpersonateSecurityContext(&session->context);
    if (status != SEC_E_OK) {
        ComplainStatus("ImpersonateSecurityContext", status);
        snprintf(answer, TEXT_MAX, "NO %s: this user cannot be impersonated", server.name);
        return;
    }
    if (hops == 0) {
        ReadHere(name, answer);
    } else {
        snprintf(further, sizeof further, "%lu %s", hops - 1, name);
        PassOn(further, answer);
    }
    if (RevertSecurityContext(&session->context) != SEC_E_OK)
        abort(); /* the thread would go on as somebody else */
}

static void Serve(SOCKET sock)
{
    struct session session;
    char peer[256], request[TEXT_MAX], answer[TEXT_MAX];
    if (SessionAccept(&session, &server.credentials, sock) && SessionPeer(&session, peer, sizeof peer)) {
        SayText("client", peer, strlen(peer));
        SayFlags(FALSE, session.flags);
        for (int i = 0; i < REQUESTS_MAX && SessionReceive(&session, request) == RECEIVE_OK; i++) {
            Answer(&session, request, answer);
            SayText("answers", answer, strlen(answer));
            if (!SessionSend(&session, answer))
                break;
        }
    }
    SessionEnd(&session);
}

/* A thread for each client: a thread acts as one client, its siblings as others or as the server. */
#ifdef _WIN32
static DWORD WINAPI ClientThread(LPVOID sock)
{
    Serve((SOCKET)(UINT_PTR)sock);
    return 0;
}

static BOOL StartThread(SOCKET sock)
{
    HANDLE thread = CreateThread(NULL, 0, ClientThread, (LPVOID)(UINT_PTR)sock, 0, NULL);
    return thread != NULL && CloseHandle(thread);
}
#else
static void *ClientThread(void *sock)
{
    Serve((SOCKET)(intptr_t)sock);
    return NULL;
}

static BOOL StartThread(SOCKET sock)
{
    pthread_t thread;
    return pthread_create(&thread, NULL, ClientThread, (void *)(intptr_t)sock) == 0 && pthread_detach(thread) == 0;
}
#endif

static SOCKET Listen(const char *host, const char *port)
{
    struct addrinfo *address = FindAddress(host, port, TRUE);
    struct sockaddr_storage bound;
    socklen_t boundLen = sizeof bound;
    char number[16] = "";
    SOCKET listener = address != NULL ? MakeSocket(address) : INVALID_SOCKET;
    if (listener == INVALID_SOCKET) {
        if (address != NULL)
            freeaddrinfo(address);
        return INVALID_SOCKET;
    }
#ifndef _WIN32
    int on = 1; /* On Windows the option means something else: that others may take the port too. */
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
#endif
    BOOL good = bind(listener, address->ai_addr, (socklen_t)address->ai_addrlen) == 0 && listen(listener, 8) == 0 &&
                getsockname(listener, (struct sockaddr *)&bound, &boundLen) == 0 &&
                getnameinfo((struct sockaddr *)&bound, boundLen, NULL, 0, number, sizeof number, NI_NUMERICSERV) == 0;
    freeaddrinfo(address);
    if (!good) {
        ComplainSocket("cannot listen");
        closesocket(listener);
        return INVALID_SOCKET;
    }
    Say("%-10s port %s", "listens", number);
    return listener;
}

/* Until nobody came for so many seconds; 0: for ever. */
static void AcceptClients(SOCKET listener, DWORD idle)
{
    while (WaitForClient(listener, idle)) {
        SOCKET sock = accept(listener, NULL, NULL);
        if (sock == INVALID_SOCKET)
            ComplainSocket("cannot accept");
        else if (!StartThread(sock)) {
            Complain("cannot start a thread");
            closesocket(sock);
        }
    }
}

static BOOL Run(const char *host, const char *port, DWORD idle)
{
    TimeStamp expiry;
    /* BOTH: the server is a client as well, of the KDC, when it goes on for a client who forwarded nothing. */
    SECURITY_STATUS status = AcquireCredentialsHandleA(NULL, (SEC_CHAR *)server.package, SECPKG_CRED_BOTH, NULL, NULL,
                                                       NULL, NULL, &server.credentials, &expiry);
    if (status != SEC_E_OK) {
        ComplainStatus("AcquireCredentialsHandle", status);
        return FALSE;
    }
    SOCKET listener = Listen(host, port);
    if (listener != INVALID_SOCKET) {
        AcceptClients(listener, idle);
        closesocket(listener);
    }
    FreeCredentialsHandle(&server.credentials);
    return listener != INVALID_SOCKET;
}

static int Usage(void)
{
    fputs("usage: delegation_server [-p PACKAGE] [-a SECONDS] [-t SECONDS] NAME FOLDER HOST PORT [NEXT-TARGET "
          "NEXT-HOST NEXT-PORT]\n"
          "NAME: what it calls itself in its answers. -a ends it when nobody came for so long. -t: how long it waits "
          "for others (30).\n",
          stderr);
    return 2;
}

int main(int argc, char **argv)
{
    DWORD idle = 0, patience = PATIENCE_SECONDS;
    int i = 1;
    for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
        if (strcmp(argv[i], "-p") == 0)
            server.package = argv[i + 1];
        else if (strcmp(argv[i], "-a") == 0)
            idle = (DWORD)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "-t") == 0)
            patience = (DWORD)strtoul(argv[i + 1], NULL, 10);
        else
            return Usage();
    }
    if (argc - i != 4 && argc - i != 7)
        return Usage();
    char **words = argv + i;
    server.name = words[0];
    server.folder = words[1];
    if (argc - i == 7) {
        server.nextTarget = words[4];
        server.nextHost = words[5];
        server.nextPort = words[6];
    }
    InitShow(server.name);
    if (!InitWinSock(patience))
        return EXIT_FAILURE;
    BOOL good = Run(words[2], words[3], idle);
    TermWinSock();
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
