/*
 * The functions of the interface that nothing implements. Each answers its honest failure and leaves its outputs
 * alone; one that gets an implementation moves from here to the file of its family.
 */
#include "core/cause.h"
#include <ntsecapi.h>
#include <schannel.h>
#include <secext.h>
#include <sspi.h>

#ifndef STATUS_NOT_SUPPORTED
#define STATUS_NOT_SUPPORTED ((NTSTATUS)0xC00000BB)
#endif

/* No function here looks at its parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static SECURITY_STATUS unsupported(void)
{
    cause_clear();
    return cause_set(SEC_E_UNSUPPORTED_FUNCTION, "this function is not in this version");
}

/* Packages. */

SECURITY_STATUS SEC_ENTRY AddSecurityPackageW(LPWSTR pszPackageName, PSECURITY_PACKAGE_OPTIONS pOptions)
{
    return unsupported();
}

SECURITY_STATUS SEC_ENTRY AddSecurityPackageA(LPSTR pszPackageName, PSECURITY_PACKAGE_OPTIONS pOptions)
{
    return unsupported();
}

SECURITY_STATUS SEC_ENTRY DeleteSecurityPackageW(SEC_WCHAR *pszPackageName)
{
    return unsupported();
}

SECURITY_STATUS SEC_ENTRY DeleteSecurityPackageA(SEC_CHAR *pszPackageName)
{
    return unsupported();
}

/* Contexts. */

SECURITY_STATUS SEC_ENTRY DelegateSecurityContext(PCtxtHandle phContext, SEC_CHAR *pszTarget,
                                                  SecDelegationType DelegationType, PTimeStamp pExpiry,
                                                  PSecBuffer pPackageParameters, PSecBufferDesc pOutput)
{
    return unsupported();
}

/* Identities. */

SECURITY_STATUS SEC_ENTRY SspiEncodeStringsAsAuthIdentity(PCWSTR pszUserName, PCWSTR pszDomainName,
                                                          PCWSTR pszPackedCredentialsString,
                                                          PSEC_WINNT_AUTH_IDENTITY_OPAQUE *ppAuthIdentity)
{
    return unsupported();
}

SECURITY_STATUS SEC_ENTRY SspiEncodeAuthIdentityAsStrings(PSEC_WINNT_AUTH_IDENTITY_OPAQUE pAuthIdentity,
                                                          PCWSTR *ppszUserName, PCWSTR *ppszDomainName,
                                                          PCWSTR *ppszPackedCredentialsString)
{
    return unsupported();
}

SECURITY_STATUS SEC_ENTRY SspiValidateAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthData)
{
    return unsupported();
}

SECURITY_STATUS SEC_ENTRY SspiCopyAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthData,
                                               PSEC_WINNT_AUTH_IDENTITY_OPAQUE *AuthDataCopy)
{
    return unsupported();
}

VOID SEC_ENTRY SspiFreeAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthData) {}

VOID SEC_ENTRY SspiZeroAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthData) {}

VOID SEC_ENTRY SspiLocalFree(PVOID DataBuffer) {}

SECURITY_STATUS SEC_ENTRY SspiCompareAuthIdentities(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthIdentity1,
                                                    PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthIdentity2,
                                                    PBOOLEAN SameSuppliedUser, PBOOLEAN SameSuppliedIdentity)
{
    return unsupported();
}

SECURITY_STATUS SEC_ENTRY SspiMarshalAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthIdentity,
                                                  ULONG *AuthIdentityLength, char **AuthIdentityByteArray)
{
    return unsupported();
}

SECURITY_STATUS SEC_ENTRY SspiUnmarshalAuthIdentity(ULONG AuthIdentityLength, char *AuthIdentityByteArray,
                                                    PSEC_WINNT_AUTH_IDENTITY_OPAQUE *ppAuthIdentity)
{
    return unsupported();
}

SECURITY_STATUS SEC_ENTRY SspiExcludePackage(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthIdentity, PCWSTR pszPackageName,
                                             PSEC_WINNT_AUTH_IDENTITY_OPAQUE *ppNewAuthIdentity)
{
    return unsupported();
}

SECURITY_STATUS SEC_ENTRY SspiGetTargetHostName(PCWSTR pszTargetName, PWSTR *pszHostName)
{
    return unsupported();
}

BOOLEAN SEC_ENTRY SspiIsPromptingNeeded(ULONG ErrorOrNtStatus)
{
    return FALSE;
}

SECURITY_STATUS SEC_ENTRY SspiEncryptAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthData)
{
    return unsupported();
}

SECURITY_STATUS SEC_ENTRY SspiEncryptAuthIdentityEx(ULONG Options, PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthData)
{
    return unsupported();
}

SECURITY_STATUS SEC_ENTRY SspiDecryptAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE EncryptedAuthData)
{
    return unsupported();
}

SECURITY_STATUS SEC_ENTRY SspiDecryptAuthIdentityEx(ULONG Options, PSEC_WINNT_AUTH_IDENTITY_OPAQUE EncryptedAuthData)
{
    return unsupported();
}

BOOLEAN SEC_ENTRY SspiIsAuthIdentityEncrypted(PSEC_WINNT_AUTH_IDENTITY_OPAQUE EncryptedAuthData)
{
    return FALSE;
}

SECURITY_STATUS SEC_ENTRY SspiPrepareForCredRead(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthIdentity, PCWSTR pszTargetName,
                                                 PULONG pCredmanCredentialType, PCWSTR *ppszCredmanTargetName)
{
    return unsupported();
}

SECURITY_STATUS SEC_ENTRY SspiPrepareForCredWrite(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthIdentity, PCWSTR pszTargetName,
                                                  PULONG pCredmanCredentialType, PCWSTR *ppszCredmanTargetName,
                                                  PCWSTR *ppszCredmanUserName, PUCHAR *ppCredentialBlob,
                                                  PULONG pCredentialBlobSize)
{
    return unsupported();
}

ULONG SEC_ENTRY SspiPromptForCredentialsW(PCWSTR pszTargetName, PVOID pUiInfo, ULONG dwAuthError, PCWSTR pszPackage,
                                          PSEC_WINNT_AUTH_IDENTITY_OPAQUE pInputAuthIdentity,
                                          PSEC_WINNT_AUTH_IDENTITY_OPAQUE *ppAuthIdentity, int *pfSave, ULONG dwFlags)
{
    return (ULONG)SEC_E_UNSUPPORTED_FUNCTION;
}

ULONG SEC_ENTRY SspiPromptForCredentialsA(PCSTR pszTargetName, PVOID pUiInfo, ULONG dwAuthError, PCSTR pszPackage,
                                          PSEC_WINNT_AUTH_IDENTITY_OPAQUE pInputAuthIdentity,
                                          PSEC_WINNT_AUTH_IDENTITY_OPAQUE *ppAuthIdentity, int *pfSave, ULONG dwFlags)
{
    return (ULONG)SEC_E_UNSUPPORTED_FUNCTION;
}

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

/* Names. */

BOOLEAN SEC_ENTRY GetUserNameExW(EXTENDED_NAME_FORMAT NameFormat, LPWSTR lpNameBuffer, PULONG nSize)
{
    return FALSE;
}

BOOLEAN SEC_ENTRY GetUserNameExA(EXTENDED_NAME_FORMAT NameFormat, LPSTR lpNameBuffer, PULONG nSize)
{
    return FALSE;
}

BOOLEAN SEC_ENTRY GetComputerObjectNameW(EXTENDED_NAME_FORMAT NameFormat, LPWSTR lpNameBuffer, PULONG nSize)
{
    return FALSE;
}

BOOLEAN SEC_ENTRY GetComputerObjectNameA(EXTENDED_NAME_FORMAT NameFormat, LPSTR lpNameBuffer, PULONG nSize)
{
    return FALSE;
}

BOOLEAN SEC_ENTRY TranslateNameW(LPCWSTR lpAccountName, EXTENDED_NAME_FORMAT AccountNameFormat,
                                 EXTENDED_NAME_FORMAT DesiredNameFormat, LPWSTR lpTranslatedName, PULONG nSize)
{
    return FALSE;
}

BOOLEAN SEC_ENTRY TranslateNameA(LPCSTR lpAccountName, EXTENDED_NAME_FORMAT AccountNameFormat,
                                 EXTENDED_NAME_FORMAT DesiredNameFormat, LPSTR lpTranslatedName, PULONG nSize)
{
    return FALSE;
}

/* Schannel. */

BOOL SslEmptyCacheW(LPWSTR pszTargetName, DWORD dwFlags)
{
    return FALSE;
}

BOOL SslEmptyCacheA(LPSTR pszTargetName, DWORD dwFlags)
{
    return FALSE;
}

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

NTSTATUS NTAPI LsaInsertProtectedProcessAddress(PVOID BufferAddress, ULONG BufferSize)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI LsaRemoveProtectedProcessAddress(PVOID BufferAddress, ULONG BufferSize)
{
    return STATUS_NOT_SUPPORTED;
}
