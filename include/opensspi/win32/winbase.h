/*
 * winbase.h: logging on with a password, and names of accounts.
 *
 * Functions return TRUE, or FALSE with the reason in GetLastError; OpenSspiLastErrorText has it in words. A functions take and give UTF-8.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_WINBASE_H
#define OPENSSPI_WIN32_WINBASE_H

#include "errhandlingapi.h"
#include "handleapi.h"
#include "processthreadsapi.h"
#include "securitybaseapi.h"

OPENSSPI_BEGIN_DECLS

/* What sddl.h hands out is freed with it; see handleapi.h for the name. */
#ifndef LocalFree
#define LocalFree OpenSspiLocalFree
#endif

#define LOGON32_LOGON_INTERACTIVE 2
#define LOGON32_LOGON_NETWORK 3
#define LOGON32_LOGON_BATCH 4
#define LOGON32_LOGON_SERVICE 5
#define LOGON32_LOGON_UNLOCK 7
#define LOGON32_LOGON_NETWORK_CLEARTEXT 8
#define LOGON32_LOGON_NEW_CREDENTIALS 9

#define LOGON32_PROVIDER_DEFAULT 0
#define LOGON32_PROVIDER_WINNT35 1
#define LOGON32_PROVIDER_WINNT40 2
#define LOGON32_PROVIDER_WINNT50 3

/*
 * LogonUser proves a password and gives a token: for LOGON32_LOGON_NETWORK an impersonation token, else a primary one. Close it with CloseHandle.
 *
 * lpszUsername     an account, or "user@REALM".
 * lpszDomain       NULL or "." for the accounts of this computer, its own name or domain for the same, else a Kerberos realm.
 * dwLogonType      INTERACTIVE, NETWORK, BATCH, SERVICE, UNLOCK or NETWORK_CLEARTEXT.
 * dwLogonProvider  DEFAULT chooses by the domain; WINNT40 asks the account stores; WINNT50 asks Kerberos.
 *
 * The account stores answer as for an NTLM client, with their lock-out. Kerberos asks the KDC for a ticket to this computer's own service
 * (logon_service in [access]) and opens it with the keytab, so that a forged KDC does not pass.
 *
 * A thread that impersonates the token has the user's credentials by default (AcquireCredentialsHandle), but for LOGON32_LOGON_NETWORK: of Kerberos the
 * ticket-granting ticket, of an account store the NT hash.
 *
 * ERROR_LOGON_FAILURE, ERROR_ACCOUNT_LOCKED_OUT, ERROR_ACCOUNT_DISABLED, ERROR_ACCOUNT_EXPIRED, ERROR_PASSWORD_EXPIRED, ERROR_PASSWORD_MUST_CHANGE,
 * ERROR_NO_LOGON_SERVERS, ERROR_INVALID_PARAMETER, ERROR_NOT_SUPPORTED for another logon type. Source: Microsoft, LogonUser.
 */
BOOL WINAPI LogonUserW(LPCWSTR lpszUsername, LPCWSTR lpszDomain, LPCWSTR lpszPassword, DWORD dwLogonType,
                       DWORD dwLogonProvider, PHANDLE phToken);
BOOL WINAPI LogonUserA(LPCSTR lpszUsername, LPCSTR lpszDomain, LPCSTR lpszPassword, DWORD dwLogonType,
                       DWORD dwLogonProvider, PHANDLE phToken);
#define LogonUser OPENSSPI_AW(LogonUser)

/* LogonUserEx also gives the logon SID, freed with LocalFree. There are no profiles and no quotas: those come back NULL, 0 and zeroed. Any of the last five
 * may be NULL. */
BOOL WINAPI LogonUserExW(LPCWSTR lpszUsername, LPCWSTR lpszDomain, LPCWSTR lpszPassword, DWORD dwLogonType,
                         DWORD dwLogonProvider, PHANDLE phToken, PSID *ppLogonSid, PVOID *ppProfileBuffer,
                         LPDWORD pdwProfileLength, PQUOTA_LIMITS pQuotaLimits);
BOOL WINAPI LogonUserExA(LPCSTR lpszUsername, LPCSTR lpszDomain, LPCSTR lpszPassword, DWORD dwLogonType,
                         DWORD dwLogonProvider, PHANDLE phToken, PSID *ppLogonSid, PVOID *ppProfileBuffer,
                         LPDWORD pdwProfileLength, PQUOTA_LIMITS pQuotaLimits);
#define LogonUserEx OPENSSPI_AW(LogonUserEx)

/*
 * LookupAccountSid finds the name of a SID: well-known ones, accounts and groups of the account stores, Unix users and groups
 * (S-1-22-1-uid, S-1-22-2-gid), and what winbind knows where it is asked.
 *
 * lpSystemName                      NULL: this computer; others are not asked (ERROR_NOT_SUPPORTED).
 * cchName, cchReferencedDomainName  room in characters; then the length without terminator, or, with ERROR_INSUFFICIENT_BUFFER, the room needed.
 *
 * ERROR_NONE_MAPPED when nobody knows it; ERROR_INVALID_SID.
 */
BOOL WINAPI LookupAccountSidW(LPCWSTR lpSystemName, PSID Sid, LPWSTR Name, LPDWORD cchName, LPWSTR ReferencedDomainName,
                              LPDWORD cchReferencedDomainName, PSID_NAME_USE peUse);
BOOL WINAPI LookupAccountSidA(LPCSTR lpSystemName, PSID Sid, LPSTR Name, LPDWORD cchName, LPSTR ReferencedDomainName,
                              LPDWORD cchReferencedDomainName, PSID_NAME_USE peUse);
#define LookupAccountSid OPENSSPI_AW(LookupAccountSid)

/* LookupAccountName finds the SID of "DOMAIN\name", "name@domain" or "name", in the same places. cbSid: room in bytes, then the length or the room needed. */
BOOL WINAPI LookupAccountNameW(LPCWSTR lpSystemName, LPCWSTR lpAccountName, PSID Sid, LPDWORD cbSid,
                               LPWSTR ReferencedDomainName, LPDWORD cchReferencedDomainName, PSID_NAME_USE peUse);
BOOL WINAPI LookupAccountNameA(LPCSTR lpSystemName, LPCSTR lpAccountName, PSID Sid, LPDWORD cbSid,
                               LPSTR ReferencedDomainName, LPDWORD cchReferencedDomainName, PSID_NAME_USE peUse);
#define LookupAccountName OPENSSPI_AW(LookupAccountName)

OPENSSPI_END_DECLS

#endif
