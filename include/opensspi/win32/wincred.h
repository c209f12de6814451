/*
 * wincred.h: names of the credential manager's types and numbers, as far as SSPI gives or takes them. There is no credential manager: its functions
 * are not there.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_WINCRED_H
#define OPENSSPI_WIN32_WINCRED_H

#include "winnt.h"

#define CRED_MAX_STRING_LENGTH 256
#define CRED_MAX_USERNAME_LENGTH (256 + 1 + 256)
#define CRED_MAX_DOMAIN_TARGET_NAME_LENGTH (256 + 1 + 80)
#define CRED_MAX_GENERIC_TARGET_NAME_LENGTH 32767
#define CREDUI_MAX_USERNAME_LENGTH CRED_MAX_USERNAME_LENGTH
#define CREDUI_MAX_PASSWORD_LENGTH 256
#define CREDUI_MAX_CAPTION_LENGTH 128
#define CREDUI_MAX_MESSAGE_LENGTH 32767

#define CRED_TYPE_GENERIC 1
#define CRED_TYPE_DOMAIN_PASSWORD 2
#define CRED_TYPE_DOMAIN_CERTIFICATE 3
#define CRED_TYPE_DOMAIN_VISIBLE_PASSWORD 4
#define CRED_PERSIST_NONE 0
#define CRED_PERSIST_SESSION 1
#define CRED_PERSIST_LOCAL_MACHINE 2
#define CRED_PERSIST_ENTERPRISE 3

/* Texts of a prompt, for SspiPromptForCredentials. */
typedef struct _CREDUI_INFOA {
    DWORD cbSize;
    HWND hwndParent;
    PCSTR pszMessageText;
    PCSTR pszCaptionText;
    HANDLE hbmBanner;
} CREDUI_INFOA, *PCREDUI_INFOA;

typedef struct _CREDUI_INFOW {
    DWORD cbSize;
    HWND hwndParent;
    PCWSTR pszMessageText;
    PCWSTR pszCaptionText;
    HANDLE hbmBanner;
} CREDUI_INFOW, *PCREDUI_INFOW;

#define CREDUI_INFO OPENSSPI_AW(CREDUI_INFO)

#endif
