/*
 * identity.c: who the client is to this computer: its access token's user and groups.
 *
 * SPDX-License-Identifier: MIT
 */
#include "security.h"
#include "show.h"

#include <stdio.h>
#include <stdlib.h>
#ifdef _WIN32
#include <sddl.h>
#include <windows.h>
#else
#include <win32/sddl.h>
#include <win32/winbase.h>
#endif

/* One SID a line: its name where this computer knows one, and its text. */
static void SaySid(const char *word, PSID sid)
{
    char name[256], domain[256];
    DWORD nameLen = sizeof name, domainLen = sizeof domain;
    SID_NAME_USE use;
    LPSTR text;
    if (!ConvertSidToStringSidA(sid, &text)) {
        Complain("cannot write a SID: error %lu", (unsigned long)GetLastError());
        return;
    }
    if (!LookupAccountSidA(NULL, sid, name, &nameLen, domain, &domainLen, &use))
        Say("%-10s %s", word, text);
    else if (domain[0] == '\0')
        Say("%-10s %s (%s)", word, name, text);
    else
        Say("%-10s %s\\%s (%s)", word, domain, name, text);
    LocalFree(text);
}

/* What the token says of one kind; free it. NULL: nothing, and it was told why. */
static void *TokenInformation(HANDLE token, TOKEN_INFORMATION_CLASS kind)
{
    DWORD len = 0;
    GetTokenInformation(token, kind, NULL, 0, &len); /* tells how much room it takes */
    void *room = len > 0 ? malloc(len) : NULL;
    if (room == NULL || !GetTokenInformation(token, kind, room, len, &len)) {
        Complain("cannot read the client's token: error %lu", (unsigned long)GetLastError());
        free(room);
        return NULL;
    }
    return room;
}

void SayToken(HANDLE token)
{
    TOKEN_USER *user = TokenInformation(token, TokenUser);
    if (user != NULL)
        SaySid("token", user->User.Sid);
    free(user);
    TOKEN_GROUPS *groups = TokenInformation(token, TokenGroups);
    for (DWORD i = 0; groups != NULL && i < groups->GroupCount; i++)
        SaySid("  group", groups->Groups[i].Sid);
    free(groups);
    CloseHandle(token);
}
