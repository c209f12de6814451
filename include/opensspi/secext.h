/*
 * secext.h: names of the user and the computer, and names translated from one form into another.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_SECEXT_H
#define OPENSSPI_SECEXT_H
#define __SECEXT_H__

#include "sspi.h"

OPENSSPI_BEGIN_DECLS

/* Forms of a name. */
typedef enum {
    NameUnknown = 0,
    NameFullyQualifiedDN = 1,  /* CN=Jane Roe,OU=Sales,DC=example,DC=com */
    NameSamCompatible = 2,     /* EXAMPLE\jroe */
    NameDisplay = 3,           /* Jane Roe */
    NameUniqueId = 6,          /* {4fa050f0-f561-11cf-bdd9-00aa003a77b6} */
    NameCanonical = 7,         /* example.com/Sales/Jane Roe */
    NameUserPrincipal = 8,     /* jroe@example.com */
    NameCanonicalEx = 9,       /* example.com/Sales, line feed, Jane Roe */
    NameServicePrincipal = 10, /* HTTP/www.example.com */
    NameDnsDomain = 12,        /* EXAMPLE.COM\jroe */
    NameGivenName = 13,        /* Jane */
    NameSurname = 14           /* Roe */
} EXTENDED_NAME_FORMAT,
    *PEXTENDED_NAME_FORMAT;

/*
 * GetUserNameExW obtains the name of the user that the calling thread acts for.
 *
 * NameFormat    the form wanted.
 * lpNameBuffer  room for *nSize characters; may be NULL when *nSize is 0.
 * nSize         in: room in characters. Out: on success the length without the terminator; when the room does
 *               not suffice the room needed, with it.
 *
 * Returns TRUE; FALSE on failure, with GetLastError telling why: ERROR_MORE_DATA (234) when the buffer is too
 * small, which is untouched then; ERROR_NONE_MAPPED (1332) when there is no name of that form;
 * ERROR_NO_SUCH_DOMAIN (1355) when no domain controller can be asked; ERROR_NO_SUCH_USER (1317) for NameUnknown; ERROR_INVALID_PARAMETER (87).
 *
 * Source: Microsoft, GetUserNameEx; observed behaviour of Windows.
 */
BOOLEAN SEC_ENTRY GetUserNameExW(EXTENDED_NAME_FORMAT NameFormat, LPWSTR lpNameBuffer, PULONG nSize);

/* GetUserNameExA does what GetUserNameExW does, in UTF-8; sizes are bytes. */
BOOLEAN SEC_ENTRY GetUserNameExA(EXTENDED_NAME_FORMAT NameFormat, LPSTR lpNameBuffer, PULONG nSize);

#define GetUserNameEx OPENSSPI_AW(GetUserNameEx)

/*
 * GetComputerObjectNameW obtains the name of this computer's account in its domain.
 *
 * Parameters and errors are those of GetUserNameExW; ERROR_CANT_ACCESS_DOMAIN_INFO (1351) when the computer
 * is in no domain. With lpNameBuffer NULL, whatever *nSize is, the error is ERROR_INSUFFICIENT_BUFFER (122), and
 * *nSize the room needed.
 *
 * Returns TRUE or FALSE.
 *
 * Source: Microsoft, GetComputerObjectName.
 */
BOOLEAN SEC_ENTRY GetComputerObjectNameW(EXTENDED_NAME_FORMAT NameFormat, LPWSTR lpNameBuffer, PULONG nSize);

/* GetComputerObjectNameA does what GetComputerObjectNameW does, in UTF-8; sizes are bytes. */
BOOLEAN SEC_ENTRY GetComputerObjectNameA(EXTENDED_NAME_FORMAT NameFormat, LPSTR lpNameBuffer, PULONG nSize);

#define GetComputerObjectName OPENSSPI_AW(GetComputerObjectName)

/*
 * TranslateNameW translates the name of an account from one form into another.
 *
 * lpAccountName      the name, in the form AccountNameFormat (NameUnknown: to be guessed).
 * DesiredNameFormat  the form wanted.
 * lpTranslatedName   room for *nSize characters; may be NULL when *nSize is 0: the call succeeds then, and tells
 *                    the room needed.
 * nSize              in: room in characters. Out: characters used or needed, with the terminator.
 *
 * Returns TRUE; FALSE on failure, with GetLastError telling why: ERROR_INSUFFICIENT_BUFFER (122),
 * ERROR_NONE_MAPPED (1332), ERROR_NO_SUCH_DOMAIN (1355), ERROR_INVALID_PARAMETER (87).
 *
 * Source: Microsoft, TranslateName.
 */
BOOLEAN SEC_ENTRY TranslateNameW(LPCWSTR lpAccountName, EXTENDED_NAME_FORMAT AccountNameFormat,
                                 EXTENDED_NAME_FORMAT DesiredNameFormat, LPWSTR lpTranslatedName, PULONG nSize);

/* TranslateNameA does what TranslateNameW does, in UTF-8; sizes are bytes. */
BOOLEAN SEC_ENTRY TranslateNameA(LPCSTR lpAccountName, EXTENDED_NAME_FORMAT AccountNameFormat,
                                 EXTENDED_NAME_FORMAT DesiredNameFormat, LPSTR lpTranslatedName, PULONG nSize);

#define TranslateName OPENSSPI_AW(TranslateName)

OPENSSPI_END_DECLS

#endif
