/*
 * ntsecapi.h: the Local Security Authority as SSPI programs use it: logon sessions, logons, and messages to
 * the authentication packages NTLM (MSV1_0), Kerberos and Negotiate.
 *
 * Of Windows' header this is the part about authentication. Policies, trusted domains, auditing and password
 * filters are not in it.
 *
 * Source: Microsoft, ntsecapi.h reference.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_NTSECAPI_H
#define OPENSSPI_NTSECAPI_H
#define _NTSECAPI_

#include "sspi/base.h"

OPENSSPI_BEGIN_DECLS

typedef UNICODE_STRING LSA_UNICODE_STRING, *PLSA_UNICODE_STRING;
typedef STRING LSA_STRING, *PLSA_STRING;

typedef ULONG LSA_OPERATIONAL_MODE, *PLSA_OPERATIONAL_MODE;

#define LSA_MODE_PASSWORD_PROTECTED 0x00000001
#define LSA_MODE_INDIVIDUAL_ACCOUNTS 0x00000002
#define LSA_MODE_MANDATORY_ACCESS 0x00000004
#define LSA_MODE_LOG_FULL 0x00000008

/* LSA_SUCCESS is true for an NTSTATUS that is no error. */
#define LSA_SUCCESS(Error) ((LONG)(Error) >= 0)

typedef enum _SECURITY_LOGON_TYPE {
    UndefinedLogonType = 0,
    Interactive = 2,
    Network,
    Batch,
    Service,
    Proxy,
    Unlock,
    NetworkCleartext,
    NewCredentials,
    RemoteInteractive,
    CachedInteractive,
    CachedRemoteInteractive,
    CachedUnlock
} SECURITY_LOGON_TYPE,
    *PSECURITY_LOGON_TYPE;

/*
 * LsaConnectUntrusted connects to the security authority without asking for its trust.
 *
 * LsaHandle receives the connection, which the caller ends with LsaDeregisterLogonProcess.
 *
 * Returns STATUS_SUCCESS; STATUS_INVALID_PARAMETER; STATUS_NO_MEMORY.
 *
 * Source: Microsoft, LsaConnectUntrusted.
 */
NTSTATUS NTAPI LsaConnectUntrusted(PHANDLE LsaHandle);

/*
 * LsaRegisterLogonProcess connects to the security authority as a process that it trusts to log users on.
 *
 * LogonProcessName is up to 127 characters that name the caller. LsaHandle receives the connection, which the
 * caller ends with LsaDeregisterLogonProcess. SecurityMode receives LSA_MODE_ bits.
 *
 * Returns STATUS_SUCCESS; STATUS_PORT_CONNECTION_REFUSED when the caller is not root; STATUS_NAME_TOO_LONG;
 * STATUS_INVALID_PARAMETER; STATUS_NO_MEMORY.
 *
 * Source: Microsoft, LsaRegisterLogonProcess.
 */
NTSTATUS NTAPI LsaRegisterLogonProcess(PLSA_STRING LogonProcessName, PHANDLE LsaHandle,
                                       PLSA_OPERATIONAL_MODE SecurityMode);

/*
 * LsaDeregisterLogonProcess ends a connection to the security authority.
 *
 * Returns STATUS_SUCCESS; STATUS_INVALID_HANDLE.
 *
 * Source: Microsoft, LsaDeregisterLogonProcess.
 */
NTSTATUS NTAPI LsaDeregisterLogonProcess(HANDLE LsaHandle);

/*
 * LsaLookupAuthenticationPackage finds the number of an authentication package.
 *
 * PackageName is MSV1_0_PACKAGE_NAME (or NTLM), MICROSOFT_KERBEROS_NAME_A or NEGOSSP_NAME_A; others have no number.
 * AuthenticationPackage receives the number; Negotiate's is 0.
 *
 * Returns STATUS_SUCCESS; STATUS_NO_SUCH_PACKAGE; STATUS_NAME_TOO_LONG; STATUS_INVALID_HANDLE;
 * STATUS_INVALID_PARAMETER; STATUS_NO_MEMORY.
 *
 * Source: Microsoft, LsaLookupAuthenticationPackage; observed behaviour of Windows.
 */
NTSTATUS NTAPI LsaLookupAuthenticationPackage(HANDLE LsaHandle, PLSA_STRING PackageName, PULONG AuthenticationPackage);

/*
 * LsaCallAuthenticationPackage sends a message to an authentication package and waits for its answer.
 *
 * LsaHandle              the connection.
 * AuthenticationPackage  the package's number.
 * ProtocolSubmitBuffer   the message: a structure that begins with its MessageType, SubmitBufferLength bytes.
 * ProtocolReturnBuffer   receives the answer, in one block to be freed with LsaFreeReturnBuffer; may be NULL.
 * ReturnBufferLength     receives its size in bytes; may be NULL.
 * ProtocolStatus         receives the package's own status; may be NULL.
 *
 * Returns STATUS_SUCCESS when the message got through; STATUS_NO_SUCH_PACKAGE; STATUS_INVALID_PARAMETER when
 * there is no message; STATUS_INVALID_HANDLE. Whatever the package has to say is in *ProtocolStatus: an NTSTATUS,
 * such as STATUS_NO_TRUST_SAM_ACCOUNT for a ticket to a service that the KDC does not know, or a code of sspi.h,
 * such as SEC_E_NO_CREDENTIALS for a ticket that is not there.
 *
 * Source: Microsoft, LsaCallAuthenticationPackage; observed behaviour of Windows.
 */
NTSTATUS NTAPI LsaCallAuthenticationPackage(HANDLE LsaHandle, ULONG AuthenticationPackage, PVOID ProtocolSubmitBuffer,
                                            ULONG SubmitBufferLength, PVOID *ProtocolReturnBuffer,
                                            PULONG ReturnBufferLength, PNTSTATUS ProtocolStatus);

/*
 * LsaLogonUser checks a user's credentials and makes a logon session for the user.
 *
 * LsaHandle                  the connection.
 * OriginName                 where the logon comes from; not used.
 * LogonType                  Interactive, Network, NetworkCleartext or NewCredentials; for KERB_S4U_LOGON and for
 *                            responses of NTLM's Network or NetworkCleartext.
 * AuthenticationPackage      the package's number.
 * AuthenticationInformation  a MSV1_0_ or KERB_ logon structure, AuthenticationInformationLength bytes. Its
 *                            strings lie in the same block.
 * LocalGroups                NULL: a token has the groups that its user has.
 * SourceContext              who asks.
 * ProfileBuffer              receives a MSV1_0_LM20_LOGON_PROFILE for a response of NTLM's, in one block to be
 *                            freed with LsaFreeReturnBuffer; else NULL. May be NULL.
 * ProfileBufferLength        receives its size in bytes.
 * LogonId                    receives the logon session.
 * Token                      receives the user's access token, to be closed with CloseHandle. For KERB_S4U_LOGON
 *                            it is of identification level, unless the connection is a logon process's and
 *                            Flags is without KERB_S4U_LOGON_FLAG_IDENTIFY.
 * Quotas                     receives zeros: there are no limits. May be NULL.
 * SubStatus                  receives the reason, where the account has a restriction.
 *
 * Returns STATUS_SUCCESS; STATUS_LOGON_FAILURE; STATUS_ACCOUNT_RESTRICTION; STATUS_NO_LOGON_SERVERS;
 * STATUS_NONE_MAPPED for a user without a SID who is no Unix user either; STATUS_TIME_DIFFERENCE_AT_DC;
 * STATUS_ACCESS_DENIED; STATUS_NO_SUCH_PACKAGE; STATUS_BAD_VALIDATION_CLASS; STATUS_PRIVILEGE_NOT_HELD for a
 * response of NTLM's over a connection that is not trusted; STATUS_INVALID_LOGON_TYPE for one, or a
 * KERB_S4U_LOGON, with another type; STATUS_INVALID_HANDLE; STATUS_INVALID_PARAMETER; STATUS_NO_MEMORY;
 * STATUS_NOT_SUPPORTED for another kind of logon, for other Flags of KERB_S4U_LOGON and for groups;
 * STATUS_NO_TRUST_SAM_ACCOUNT when the KDC does not know this computer's service (docs/lsa.md);
 * STATUS_KDC_UNKNOWN_ETYPE; the statuses of accounts, such as STATUS_ACCOUNT_LOCKED_OUT; and codes of sspi.h
 * where no NTSTATUS tells the reason, such as SEC_E_MESSAGE_ALTERED.
 *
 * Source: Microsoft, LsaLogonUser.
 */
NTSTATUS NTAPI LsaLogonUser(HANDLE LsaHandle, PLSA_STRING OriginName, SECURITY_LOGON_TYPE LogonType,
                            ULONG AuthenticationPackage, PVOID AuthenticationInformation,
                            ULONG AuthenticationInformationLength, PTOKEN_GROUPS LocalGroups,
                            PTOKEN_SOURCE SourceContext, PVOID *ProfileBuffer, PULONG ProfileBufferLength,
                            PLUID LogonId, PHANDLE Token, PQUOTA_LIMITS Quotas, PNTSTATUS SubStatus);

/*
 * LsaFreeReturnBuffer frees a block that an Lsa function handed out.
 *
 * Returns STATUS_SUCCESS, also for NULL; STATUS_INVALID_PARAMETER for a pointer that is not such a block.
 *
 * Source: Microsoft, LsaFreeReturnBuffer.
 */
NTSTATUS NTAPI LsaFreeReturnBuffer(PVOID Buffer);

/*
 * LsaInsertProtectedProcessAddress would have the authority guard BufferSize bytes at BufferAddress in a
 * protected process.
 *
 * Returns STATUS_NOT_SUPPORTED: there are no protected processes.
 *
 * Source: Microsoft, ntsecapi.h.
 */
NTSTATUS NTAPI LsaInsertProtectedProcessAddress(PVOID BufferAddress, ULONG BufferSize);

/*
 * LsaRemoveProtectedProcessAddress would undo LsaInsertProtectedProcessAddress.
 *
 * Returns STATUS_NOT_SUPPORTED: there are no protected processes.
 *
 * Source: Microsoft, ntsecapi.h.
 */
NTSTATUS NTAPI LsaRemoveProtectedProcessAddress(PVOID BufferAddress, ULONG BufferSize);

/*
 * LsaNtStatusToWinError translates an NTSTATUS, or one of a few codes of sspi.h that packages answer, into a
 * Windows error number.
 *
 * Returns the number; ERROR_MR_MID_NOT_FOUND (317) where there is none.
 *
 * Source: Microsoft, LsaNtStatusToWinError.
 */
ULONG NTAPI LsaNtStatusToWinError(NTSTATUS Status);

typedef struct _LSA_LAST_INTER_LOGON_INFO {
    LARGE_INTEGER LastSuccessfulLogon;
    LARGE_INTEGER LastFailedLogon;
    ULONG FailedAttemptCountSinceLastSuccessfulLogon;
} LSA_LAST_INTER_LOGON_INFO, *PLSA_LAST_INTER_LOGON_INFO;

typedef struct _SECURITY_LOGON_SESSION_DATA {
    ULONG Size;
    LUID LogonId;
    LSA_UNICODE_STRING UserName;
    LSA_UNICODE_STRING LogonDomain;
    LSA_UNICODE_STRING AuthenticationPackage;
    ULONG LogonType;
    ULONG Session;
    PSID Sid;
    LARGE_INTEGER LogonTime;
    LSA_UNICODE_STRING LogonServer;
    LSA_UNICODE_STRING DnsDomainName;
    LSA_UNICODE_STRING Upn;
    ULONG UserFlags;
    LSA_LAST_INTER_LOGON_INFO LastLogonInfo;
    LSA_UNICODE_STRING LogonScript;
    LSA_UNICODE_STRING ProfilePath;
    LSA_UNICODE_STRING HomeDirectory;
    LSA_UNICODE_STRING HomeDirectoryDrive;
    LARGE_INTEGER LogoffTime;
    LARGE_INTEGER KickOffTime;
    LARGE_INTEGER PasswordLastSet;
    LARGE_INTEGER PasswordCanChange;
    LARGE_INTEGER PasswordMustChange;
} SECURITY_LOGON_SESSION_DATA, *PSECURITY_LOGON_SESSION_DATA;

/*
 * LsaEnumerateLogonSessions lists the logon sessions that the caller may see, the one that its process runs in last.
 *
 * LogonSessionCount receives their number, LogonSessionList an array of that many LUIDs, to be freed with
 * LsaFreeReturnBuffer.
 *
 * Returns STATUS_SUCCESS; STATUS_INVALID_PARAMETER; STATUS_NO_MEMORY; STATUS_NOT_SUPPORTED.
 *
 * Source: Microsoft, LsaEnumerateLogonSessions.
 */
NTSTATUS NTAPI LsaEnumerateLogonSessions(PULONG LogonSessionCount, PLUID *LogonSessionList);

/*
 * LsaGetLogonSessionData describes a logon session.
 *
 * LogonId is the session. ppLogonSessionData receives the description, in one block to be freed with
 * LsaFreeReturnBuffer; its LogonId is the one asked for and its AuthenticationPackage is not empty.
 *
 * Returns STATUS_SUCCESS; STATUS_NO_SUCH_LOGON_SESSION; STATUS_ACCESS_DENIED for someone else's session;
 * STATUS_INVALID_PARAMETER; STATUS_NO_MEMORY; STATUS_NOT_SUPPORTED.
 *
 * Source: Microsoft, LsaGetLogonSessionData; observed behaviour of Windows.
 */
NTSTATUS NTAPI LsaGetLogonSessionData(PLUID LogonId, PSECURITY_LOGON_SESSION_DATA *ppLogonSessionData);

/* Messages to Negotiate. */

enum NEGOTIATE_MESSAGES {
    NegEnumPackagePrefixes = 0,
    NegGetCallerName = 1,
    NegTransferCredentials = 2,
    NegMsgReserved1 = 3,
    NegCallPackageMax
};

#define NEGOTIATE_MAX_PREFIX 32

typedef struct _NEGOTIATE_PACKAGE_PREFIX {
    ULONG_PTR PackageId;
    PVOID PackageDataA;
    PVOID PackageDataW;
    ULONG_PTR PrefixLen;
    UCHAR Prefix[NEGOTIATE_MAX_PREFIX];
} NEGOTIATE_PACKAGE_PREFIX, *PNEGOTIATE_PACKAGE_PREFIX;

typedef struct _NEGOTIATE_PACKAGE_PREFIXES {
    ULONG MessageType;
    ULONG PrefixCount;
    ULONG Offset;
    ULONG Pad;
} NEGOTIATE_PACKAGE_PREFIXES, *PNEGOTIATE_PACKAGE_PREFIXES;

typedef struct _NEGOTIATE_CALLER_NAME_REQUEST {
    ULONG MessageType;
    LUID LogonId;
} NEGOTIATE_CALLER_NAME_REQUEST, *PNEGOTIATE_CALLER_NAME_REQUEST;

typedef struct _NEGOTIATE_CALLER_NAME_RESPONSE {
    ULONG MessageType;
    PWSTR CallerName;
} NEGOTIATE_CALLER_NAME_RESPONSE, *PNEGOTIATE_CALLER_NAME_RESPONSE;

/* Rules for passwords in a domain, as a refused password change reports them. */
#ifndef _DOMAIN_PASSWORD_INFORMATION_DEFINED
#define _DOMAIN_PASSWORD_INFORMATION_DEFINED
typedef struct _DOMAIN_PASSWORD_INFORMATION {
    USHORT MinPasswordLength;
    USHORT PasswordHistoryLength;
    ULONG PasswordProperties;
    LARGE_INTEGER MaxPasswordAge;
    LARGE_INTEGER MinPasswordAge;
} DOMAIN_PASSWORD_INFORMATION, *PDOMAIN_PASSWORD_INFORMATION;
#endif

#define DOMAIN_PASSWORD_COMPLEX 0x00000001
#define DOMAIN_PASSWORD_NO_ANON_CHANGE 0x00000002
#define DOMAIN_PASSWORD_NO_CLEAR_CHANGE 0x00000004
#define DOMAIN_LOCKOUT_ADMINS 0x00000008
#define DOMAIN_PASSWORD_STORE_CLEARTEXT 0x00000010
#define DOMAIN_REFUSE_PASSWORD_CHANGE 0x00000020
#define DOMAIN_NO_LM_OWF_CHANGE 0x00000040

#include "ntsecapi/msv1_0.h"
#include "ntsecapi/kerberos.h"
#include "ntsecapi/pku2u.h"

OPENSSPI_END_DECLS

#endif
