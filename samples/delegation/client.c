/*
 * client.c: asks a delegation_server for a file, which it or one of the servers behind it has, with this user's credentials.
 *
 * SPDX-License-Identifier: MIT
 */
#include "../sockauth/show.h"
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_SECONDS 30

static int Usage(void)
{
    fputs("usage: delegation_client [-p PACKAGE] [-k] [-t SECONDS] TARGET HOST PORT HOPS NAME\n"
          "HOPS: how many servers behind the first have the file. -k keeps one's credentials: the server may not go on "
          "with them. -t: how long it waits for answers (30).\n",
          stderr);
    return 2;
}

/* Prints the answer; TRUE when it is the file. */
static BOOL Ask(struct session *session, const char *hops, const char *name)
{
    static char text[TEXT_MAX];
    if (snprintf(text, sizeof text, "%s %s", hops, name) >= (int)sizeof text || !SessionSend(session, text))
        return FALSE;
    enum receive_result result = SessionReceive(session, text);
    if (result == RECEIVE_CLOSED)
        Complain("the server closed the connection");
    if (result != RECEIVE_OK)
        return FALSE;
    SayText("answer", text, strlen(text));
    return strncmp(text, "OK ", 3) == 0;
}

static BOOL Run(const char *package, char **words, BOOL delegate)
{
    CredHandle credentials;
    TimeStamp expiry;
    struct session session;
    SECURITY_STATUS status = AcquireCredentialsHandleA(NULL, (SEC_CHAR *)package, SECPKG_CRED_OUTBOUND, NULL, NULL,
                                                       NULL, NULL, &credentials, &expiry);
    if (status != SEC_E_OK) {
        ComplainStatus("AcquireCredentialsHandle", status);
        return FALSE;
    }
    BOOL good = SessionConnect(&session, &credentials, words[1], words[2], words[0], delegate);
    if (good) {
        SayFlags(TRUE, session.flags);
        good = Ask(&session, words[3], words[4]);
    }
    SessionEnd(&session);
    FreeCredentialsHandle(&credentials);
    return good;
}

int main(int argc, char **argv)
{
    const char *package = "Negotiate";
    BOOL delegate = TRUE;
    DWORD patience = PATIENCE_SECONDS;
    int i = 1;
    InitShow("client");
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "-k") == 0)
            delegate = FALSE;
        else if (strcmp(argv[i], "-p") == 0 && i + 1 < argc)
            package = argv[++i];
        else if (strcmp(argv[i], "-t") == 0 && i + 1 < argc)
            patience = (DWORD)strtoul(argv[++i], NULL, 10);
        else
            return Usage();
    }
    if (argc - i != 5)
        return Usage();
    if (!InitWinSock(patience))
        return EXIT_FAILURE;
    BOOL good = Run(package, argv + i, delegate);
    TermWinSock();
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
