/*
 * The functions of the interface that nothing implements. Each answers its honest failure and leaves its outputs
 * alone; one that gets an implementation moves from here to the file of its family.
 */
#include "core/cause.h"
#include <ntsecapi.h>
#include <schannel.h>
#include <sspi.h>

#ifndef STATUS_NOT_SUPPORTED
#define STATUS_NOT_SUPPORTED ((NTSTATUS)0xC00000BB)
#endif

#ifndef ERROR_MR_MID_NOT_FOUND
#define ERROR_MR_MID_NOT_FOUND 317
#endif

/* No function here looks at its parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static SECURITY_STATUS unsupported(void)
{
    cause_clear();
    return cause_set(SEC_E_UNSUPPORTED_FUNCTION, "this function is not in this version");
}

/* Contexts. */

SECURITY_STATUS SEC_ENTRY DelegateSecurityContext(PCtxtHandle phContext, SEC_CHAR *pszTarget,
                                                  SecDelegationType DelegationType, PTimeStamp pExpiry,
                                                  PSecBuffer pPackageParameters, PSecBufferDesc pOutput)
{
    return unsupported();
}

/* The contexts of a credential dialogue: there is no dialogue. */

SECURITY_STATUS SEC_ENTRY SspiGetCredUIContext(HANDLE ContextHandle, GUID *CredType, LUID *LogonId,
                                               PSEC_WINNT_CREDUI_CONTEXT_VECTOR *CredUIContexts, HANDLE *TokenHandle)
{
    return unsupported();
}

SECURITY_STATUS SEC_ENTRY SspiUpdateCredentials(HANDLE ContextHandle, GUID *CredType, ULONG FlatCredUIContextLength,
                                                PUCHAR FlatCredUIContext)
{
    return unsupported();
}

SECURITY_STATUS SEC_ENTRY SspiUnmarshalCredUIContext(PUCHAR MarshaledCredUIContext, ULONG MarshaledCredUIContextLength,
                                                     PSEC_WINNT_CREDUI_CONTEXT *CredUIContext)
{
    return unsupported();
}

/* Schannel. */

BOOL SslCrackCertificate(PUCHAR pbCertificate, DWORD cbCertificate, DWORD dwFlags, PX509Certificate *ppCertificate)
{
    return FALSE;
}

VOID SslFreeCertificate(PX509Certificate pCertificate) {}

BOOL SslGenerateKeyPair(PSSL_CREDENTIAL_CERTIFICATE pCerts, PSTR pszDN, PSTR pszPassword, DWORD Bits)
{
    return FALSE;
}

DWORD WINAPI SslGetMaximumKeySize(DWORD Reserved)
{
    return 0;
}

BOOL SslGetDefaultIssuers(PBYTE pbIssuers, DWORD *pcbIssuers)
{
    return FALSE;
}

SECURITY_STATUS WINAPI SslGetServerIdentity(PBYTE ClientHello, DWORD ClientHelloSize, PBYTE *ServerIdentity,
                                            PDWORD ServerIdentitySize, DWORD Flags)
{
    return unsupported();
}

SECURITY_STATUS WINAPI SslGetExtensions(const BYTE *clientHello, DWORD clientHelloByteSize,
                                        SCH_EXTENSION_DATA *genericExtensions, BYTE genericExtensionsCount,
                                        DWORD *bytesToRead, SchGetExtensionsOptions flags)
{
    return unsupported();
}

/* The security authority. */

NTSTATUS NTAPI LsaConnectUntrusted(PHANDLE LsaHandle)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI LsaRegisterLogonProcess(PLSA_STRING LogonProcessName, PHANDLE LsaHandle,
                                       PLSA_OPERATIONAL_MODE SecurityMode)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI LsaDeregisterLogonProcess(HANDLE LsaHandle)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI LsaLookupAuthenticationPackage(HANDLE LsaHandle, PLSA_STRING PackageName, PULONG AuthenticationPackage)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI LsaCallAuthenticationPackage(HANDLE LsaHandle, ULONG AuthenticationPackage, PVOID ProtocolSubmitBuffer,
                                            ULONG SubmitBufferLength, PVOID *ProtocolReturnBuffer,
                                            PULONG ReturnBufferLength, PNTSTATUS ProtocolStatus)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI LsaLogonUser(HANDLE LsaHandle, PLSA_STRING OriginName, SECURITY_LOGON_TYPE LogonType,
                            ULONG AuthenticationPackage, PVOID AuthenticationInformation,
                            ULONG AuthenticationInformationLength, PTOKEN_GROUPS LocalGroups,
                            PTOKEN_SOURCE SourceContext, PVOID *ProfileBuffer, PULONG ProfileBufferLength,
                            PLUID LogonId, PHANDLE Token, PQUOTA_LIMITS Quotas, PNTSTATUS SubStatus)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI LsaFreeReturnBuffer(PVOID Buffer)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI LsaInsertProtectedProcessAddress(PVOID BufferAddress, ULONG BufferSize)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI LsaRemoveProtectedProcessAddress(PVOID BufferAddress, ULONG BufferSize)
{
    return STATUS_NOT_SUPPORTED;
}

ULONG NTAPI LsaNtStatusToWinError(NTSTATUS Status)
{
    return ERROR_MR_MID_NOT_FOUND;
}

NTSTATUS NTAPI LsaEnumerateLogonSessions(PULONG LogonSessionCount, PLUID *LogonSessionList)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI LsaGetLogonSessionData(PLUID LogonId, PSECURITY_LOGON_SESSION_DATA *ppLogonSessionData)
{
    return STATUS_NOT_SUPPORTED;
}
