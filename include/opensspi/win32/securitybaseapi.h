/*
 * securitybaseapi.h: access tokens, impersonation, security identifiers, and access checks.
 *
 * Functions that return BOOL give TRUE, or FALSE with the reason in GetLastError (winerror.h); OpenSspiLastErrorText has it in words. On failure
 * what would be filled is as it was, but for lengths that tell how much room is needed. Sources: Microsoft's reference of each function.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_SECURITYBASEAPI_H
#define OPENSSPI_WIN32_SECURITYBASEAPI_H

#include "winnt.h"
#include "symbol.h"

OPENSSPI_BEGIN_DECLS

/*
 * Access tokens. A handle is never a pointer: one that was closed, or never was one, is answered with ERROR_INVALID_HANDLE.
 */

/*
 * GetTokenInformation tells what a token says, in one block whose pointers point into it. Opened for TOKEN_QUERY, for TokenSource TOKEN_QUERY_SOURCE.
 *
 *   TokenUser                TOKEN_USER
 *   TokenGroups              TOKEN_GROUPS
 *   TokenPrivileges          TOKEN_PRIVILEGES, none: Linux knows no privileges of tokens
 *   TokenOwner               TOKEN_OWNER
 *   TokenPrimaryGroup        TOKEN_PRIMARY_GROUP
 *   TokenSource              TOKEN_SOURCE: the security package
 *   TokenType                TOKEN_TYPE
 *   TokenImpersonationLevel  SECURITY_IMPERSONATION_LEVEL, of impersonation tokens
 *   TokenStatistics          TOKEN_STATISTICS
 *   TokenOrigin              TOKEN_ORIGIN
 *   TokenLogonSid            TOKEN_GROUPS with the logon SID
 *   OPENSSPI_TOKEN_UNIX      OPENSSPI_TOKEN_UNIX_IDS (sspi_ext.h)
 *
 * ReturnLength gets the room that was needed, also on failure. ERROR_INSUFFICIENT_BUFFER; ERROR_INVALID_PARAMETER for another class, and for
 * the level of a primary token; ERROR_ACCESS_DENIED; ERROR_INVALID_HANDLE.
 */
BOOL WINAPI GetTokenInformation(HANDLE TokenHandle, TOKEN_INFORMATION_CLASS TokenInformationClass,
                                LPVOID TokenInformation, DWORD TokenInformationLength, PDWORD ReturnLength);

/* DuplicateToken makes an impersonation token of a lower or equal level out of one, opened for TOKEN_IMPERSONATE and TOKEN_QUERY; or of any level out
 * of a primary one. The existing handle has TOKEN_DUPLICATE, else ERROR_ACCESS_DENIED. ERROR_BAD_IMPERSONATION_LEVEL for a higher one. */
BOOL WINAPI DuplicateToken(HANDLE ExistingTokenHandle, SECURITY_IMPERSONATION_LEVEL ImpersonationLevel,
                           PHANDLE DuplicateTokenHandle);

/* DuplicateTokenEx makes either type, of a handle that has TOKEN_DUPLICATE, too. dwDesiredAccess 0 is that of the existing handle. A primary token is
 * made only from a primary one or from level impersonate and above: ERROR_BAD_IMPERSONATION_LEVEL. */
BOOL WINAPI DuplicateTokenEx(HANDLE hExistingToken, DWORD dwDesiredAccess, LPSECURITY_ATTRIBUTES lpTokenAttributes,
                             SECURITY_IMPERSONATION_LEVEL ImpersonationLevel, TOKEN_TYPE Type, PHANDLE phNewToken);

/* CheckTokenMembership tells whether a SID is the token's user or one of its enabled groups. TokenHandle: an impersonation token, or NULL for the
 * thread's, else the process's. ERROR_NO_IMPERSONATION_TOKEN for a primary one. */
BOOL APIENTRY CheckTokenMembership(HANDLE TokenHandle, PSID SidToCheck, PBOOL IsMember);

/*
 * Impersonation. The calling thread alone takes the Unix user, group and supplementary groups of the token: the kernel then checks what it
 * opens. docs/impersonation.md says what is defined.
 */

/*
 * ImpersonateLoggedOnUser makes the calling thread act as the token's user until RevertToSelf.
 *
 * hToken  an impersonation token opened for TOKEN_QUERY and TOKEN_IMPERSONATE, or a primary one opened for TOKEN_QUERY and TOKEN_DUPLICATE.
 *
 * ERROR_BAD_IMPERSONATION_LEVEL for a token of identify level; ERROR_PRIVILEGE_NOT_HELD when this process may not change its user;
 * ERROR_NONE_MAPPED when the token has no Unix user.
 */
BOOL WINAPI ImpersonateLoggedOnUser(HANDLE hToken);

/* ImpersonateAnonymousToken makes the calling thread act as nobody. ThreadHandle: GetCurrentThread(). */
BOOL APIENTRY ImpersonateAnonymousToken(HANDLE ThreadHandle);

/* RevertToSelf gives the calling thread the process's rights back; TRUE also when it did not impersonate. When the kernel refuses, the process
 * ends at once rather than run on as somebody else. */
BOOL WINAPI RevertToSelf(VOID);

/*
 * Security identifiers. A PSID points at a SID of up to SECURITY_MAX_SID_SIZE bytes.
 */

/* AllocateAndInitializeSid makes a SID of up to 8 subauthorities; free it with FreeSid. */
BOOL WINAPI AllocateAndInitializeSid(PSID_IDENTIFIER_AUTHORITY pIdentifierAuthority, BYTE nSubAuthorityCount,
                                     DWORD nSubAuthority0, DWORD nSubAuthority1, DWORD nSubAuthority2,
                                     DWORD nSubAuthority3, DWORD nSubAuthority4, DWORD nSubAuthority5,
                                     DWORD nSubAuthority6, DWORD nSubAuthority7, PSID *pSid);
/* FreeSid frees it. NULL, or the pointer itself when it is none of AllocateAndInitializeSid's. */
PVOID WINAPI FreeSid(PSID pSid);
/* InitializeSid fills all but the subauthorities. */
BOOL WINAPI InitializeSid(PSID Sid, PSID_IDENTIFIER_AUTHORITY pIdentifierAuthority, BYTE nSubAuthorityCount);
/* CopySid copies; ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_SID. */
BOOL WINAPI CopySid(DWORD nDestinationSidLength, PSID pDestinationSid, PSID pSourceSid);
/* EqualSid; FALSE also when one of them is no SID. */
BOOL WINAPI EqualSid(PSID pSid1, PSID pSid2);
/* EqualPrefixSid compares all but the last subauthorities. */
BOOL WINAPI EqualPrefixSid(PSID pSid1, PSID pSid2);
/* IsValidSid looks at revision and count. */
BOOL WINAPI IsValidSid(PSID pSid);
/* GetLengthSid gives the length of a valid SID in bytes; 0 for another. */
DWORD WINAPI GetLengthSid(PSID pSid);
/* GetSidLengthRequired gives the length of a SID of so many subauthorities. */
DWORD WINAPI GetSidLengthRequired(UCHAR nSubAuthorityCount);
/* GetSidIdentifierAuthority, GetSidSubAuthority and GetSidSubAuthorityCount point into a valid SID; NULL for another or past its end. */
PSID_IDENTIFIER_AUTHORITY WINAPI GetSidIdentifierAuthority(PSID pSid);
PDWORD WINAPI GetSidSubAuthority(PSID pSid, DWORD nSubAuthority);
PUCHAR WINAPI GetSidSubAuthorityCount(PSID pSid);
/* CreateWellKnownSid makes a well-known SID; those of a domain need DomainSid. *cbSid: room, and then the length. */
BOOL WINAPI CreateWellKnownSid(WELL_KNOWN_SID_TYPE WellKnownSidType, PSID DomainSid, PSID pSid, DWORD *cbSid);
/* IsWellKnownSid; for those of a domain, in any domain. */
BOOL WINAPI IsWellKnownSid(PSID pSid, WELL_KNOWN_SID_TYPE WellKnownSidType);

/*
 * Access checks of a server on its own objects.
 */

/*
 * AccessCheck decides whether a token may access an object ([MS-DTYP] 2.5.3.2).
 *
 * pSecurityDescriptor  with owner and group, self-relative or with pointers. No DACL lets everybody in, an empty one nobody.
 * ClientToken          an impersonation token of identify level or above, opened for TOKEN_QUERY.
 * DesiredAccess        rights without generic bits (MapGenericMask); MAXIMUM_ALLOWED asks for all there are, without a DACL those of GenericAll.
 * PrivilegeSet         gets the privileges used: always none. *PrivilegeSetLength is its room, at least sizeof(PRIVILEGE_SET), which a smaller one
 *                      becomes.
 * GrantedAccess        what is granted: DesiredAccess, or 0.
 * AccessStatus         TRUE when it is; else FALSE, with GetLastError ERROR_ACCESS_DENIED or, for ACCESS_SYSTEM_SECURITY, ERROR_PRIVILEGE_NOT_HELD.
 *
 * FALSE: the check could not be made. ERROR_INVALID_SECURITY_DESCR, ERROR_NO_IMPERSONATION_TOKEN, ERROR_BAD_IMPERSONATION_LEVEL,
 * ERROR_GENERIC_NOT_MAPPED, ERROR_INSUFFICIENT_BUFFER or ERROR_NOACCESS for the privileges, ERROR_INVALID_HANDLE, ERROR_ACCESS_DENIED for the handle.
 */
BOOL WINAPI AccessCheck(PSECURITY_DESCRIPTOR pSecurityDescriptor, HANDLE ClientToken, DWORD DesiredAccess,
                        PGENERIC_MAPPING GenericMapping, PPRIVILEGE_SET PrivilegeSet, LPDWORD PrivilegeSetLength,
                        LPDWORD GrantedAccess, LPBOOL AccessStatus);
/* MapGenericMask turns generic rights into those of a kind of object. */
VOID WINAPI MapGenericMask(PDWORD AccessMask, PGENERIC_MAPPING GenericMapping);
/* IsValidSecurityDescriptor looks at revisions, SIDs and lists. */
BOOL WINAPI IsValidSecurityDescriptor(PSECURITY_DESCRIPTOR pSecurityDescriptor);
/* GetSecurityDescriptorLength gives the bytes of a valid descriptor with all its parts. */
DWORD WINAPI GetSecurityDescriptorLength(PSECURITY_DESCRIPTOR pSecurityDescriptor);

#ifdef OPENSSPI_WIN32
/*
 * libopensspi-win32's: a SECURITY_DESCRIPTOR of the caller's, which is to point to the lists and SIDs that it is given; they stay the caller's, and
 * are to last as long as it.
 *
 * InitializeSecurityDescriptor makes it empty; dwRevision is SECURITY_DESCRIPTOR_REVISION. SetSecurityDescriptorDacl: with bDaclPresent the list, of
 * which NULL lets everybody in; without, none, and pDacl is not looked at. SetSecurityDescriptorOwner and SetSecurityDescriptorGroup: NULL for none.
 *
 * FALSE: ERROR_UNKNOWN_REVISION, ERROR_INVALID_SECURITY_DESCR for one that is self-relative, ERROR_INVALID_SID, ERROR_INVALID_PARAMETER for NULL.
 * Source: Microsoft, InitializeSecurityDescriptor, SetSecurityDescriptorDacl.
 */
BOOL WINAPI InitializeSecurityDescriptor(PSECURITY_DESCRIPTOR pSecurityDescriptor, DWORD dwRevision)
    OPENSSPI_WIN32_SYMBOL(InitializeSecurityDescriptor);
BOOL WINAPI SetSecurityDescriptorDacl(PSECURITY_DESCRIPTOR pSecurityDescriptor, BOOL bDaclPresent, PACL pDacl,
                                      BOOL bDaclDefaulted) OPENSSPI_WIN32_SYMBOL(SetSecurityDescriptorDacl);
BOOL WINAPI SetSecurityDescriptorOwner(PSECURITY_DESCRIPTOR pSecurityDescriptor, PSID pOwner, BOOL bOwnerDefaulted)
    OPENSSPI_WIN32_SYMBOL(SetSecurityDescriptorOwner);
BOOL WINAPI SetSecurityDescriptorGroup(PSECURITY_DESCRIPTOR pSecurityDescriptor, PSID pGroup, BOOL bGroupDefaulted)
    OPENSSPI_WIN32_SYMBOL(SetSecurityDescriptorGroup);
#endif

OPENSSPI_END_DECLS

#endif
