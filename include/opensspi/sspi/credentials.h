/*
 * sspi/credentials.h: credentials, and changing a password. Include <sspi.h>, not this file.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_SSPI_CREDENTIALS_H
#define OPENSSPI_SSPI_CREDENTIALS_H

#include "buffers.h"

OPENSSPI_BEGIN_DECLS

/* What a credential is for (fCredentialUse). */

#define SECPKG_CRED_INBOUND 0x00000001
#define SECPKG_CRED_OUTBOUND 0x00000002
#define SECPKG_CRED_BOTH 0x00000003
#define SECPKG_CRED_DEFAULT 0x00000004
#define SECPKG_CRED_RESERVED 0xF0000000

#define SECPKG_CRED_AUTOLOGON_RESTRICTED 0x00000010   /* neither default credentials nor kept ones */
#define SECPKG_CRED_PROCESS_POLICY_ONLY 0x00000020    /* the same: the program is about to ask its user */
#define SECPKG_CRED_KERB_ANCHOR_DS_VERSION 0x00000040 /* keep to domain controllers of one version */

/*
 * SEC_GET_KEY_FN is what a package of Windows calls back for a key it does not hold. Arg is pvGetKeyArgument;
 * Principal names the owner; KeyVer is the version, 0 for the newest. *Key receives the key, *Status the outcome.
 * No package here calls it: keys of services come from keytabs.
 */
typedef void(SEC_ENTRY *SEC_GET_KEY_FN)(void *Arg, void *Principal, ULONG KeyVer, void **Key, SECURITY_STATUS *Status);

/*
 * AcquireCredentialsHandleW obtains a handle to the credentials of a user or a service, for use with one
 * package.
 *
 * pszPrincipal    whose credentials: NULL for the caller's own, or for those that pAuthData gives.
 * pszPackage      name of the package, matched without regard to case.
 * fCredentialUse  SECPKG_CRED_INBOUND (server), _OUTBOUND (client) or _BOTH. With
 *                 SECPKG_CRED_AUTOLOGON_RESTRICTED or SECPKG_CRED_PROCESS_POLICY_ONLY an outbound credential
 *                 is what pAuthData proves, never the caller's own nor what is kept for a name alone: then
 *                 SEC_E_NO_CREDENTIALS says that the program should ask its user. Schannel, whose
 *                 SCH_CRED_USE_DEFAULT_CREDS says so, does not look at them; further bits change nothing.
 * pvLogonId       not used: the logon session is the caller's own, or that of the client whom the thread
 *                 impersonates.
 * pAuthData       credentials: for NTLM, Kerberos, Negotiate and Digest a SEC_WINNT_AUTH_IDENTITY, _EX or
 *                 _EX2, in which Flags and not the letter of this function says whether the strings are
 *                 UTF-16; for Schannel a SCHANNEL_CRED or SCH_CREDENTIALS; for CredSSP a CREDSSP_CRED. NULL
 *                 takes the defaults. It is copied: the caller may wipe and free it when the call returns.
 *                 The outbound defaults of a thread that impersonates are what its client delegated, or none.
 * pGetKeyFn, pvGetKeyArgument   not used.
 * phCredential    receives the handle, which the caller releases with FreeCredentialsHandle. One credential
 *                 serves any number of contexts, also at once and from several threads.
 * ptsExpiry       receives the time when the credential expires; may be NULL.
 *
 * Returns SEC_E_OK; SEC_E_SECPKG_NOT_FOUND for an unknown name or NULL; SEC_E_NO_CREDENTIALS when there are
 * none, for a wrong fCredentialUse, and for a certificate without its private key; SEC_E_UNKNOWN_CREDENTIALS
 * when pAuthData makes no sense; SEC_E_ALGORITHM_MISMATCH when its protocols or algorithms cannot go
 * together; SEC_E_INVALID_HANDLE when phCredential is NULL; SEC_E_INVALID_TOKEN for names that are no UTF-8, and
 * for OPENSSPI_AUTH_IDENTITY_KEYTAB and _X509 at once; SEC_E_CANNOT_INSTALL when a server's account store cannot be
 * opened, or its algorithms make no sense; SEC_E_INSUFFICIENT_MEMORY; SEC_E_INTERNAL_ERROR.
 * On failure the outputs are untouched.
 *
 * Source: Microsoft SSPI reference, AcquireCredentialsHandle (General), (CredSSP), (Digest), (Kerberos),
 * (Negotiate), (NTLM), (Schannel); observed behaviour of Windows.
 */
SECURITY_STATUS SEC_ENTRY AcquireCredentialsHandleW(SEC_WCHAR *pszPrincipal, SEC_WCHAR *pszPackage,
                                                    ULONG fCredentialUse, void *pvLogonId, void *pAuthData,
                                                    SEC_GET_KEY_FN pGetKeyFn, void *pvGetKeyArgument,
                                                    PCredHandle phCredential, PTimeStamp ptsExpiry);

typedef SECURITY_STATUS(SEC_ENTRY *ACQUIRE_CREDENTIALS_HANDLE_FN_W)(SEC_WCHAR *, SEC_WCHAR *, ULONG, void *, void *,
                                                                    SEC_GET_KEY_FN, void *, PCredHandle, PTimeStamp);

/* AcquireCredentialsHandleA does what AcquireCredentialsHandleW does, in UTF-8. */
SECURITY_STATUS SEC_ENTRY AcquireCredentialsHandleA(SEC_CHAR *pszPrincipal, SEC_CHAR *pszPackage, ULONG fCredentialUse,
                                                    void *pvLogonId, void *pAuthData, SEC_GET_KEY_FN pGetKeyFn,
                                                    void *pvGetKeyArgument, PCredHandle phCredential,
                                                    PTimeStamp ptsExpiry);

typedef SECURITY_STATUS(SEC_ENTRY *ACQUIRE_CREDENTIALS_HANDLE_FN_A)(SEC_CHAR *, SEC_CHAR *, ULONG, void *, void *,
                                                                    SEC_GET_KEY_FN, void *, PCredHandle, PTimeStamp);

#define AcquireCredentialsHandle OPENSSPI_AW(AcquireCredentialsHandle)
#define ACQUIRE_CREDENTIALS_HANDLE_FN OPENSSPI_AW_(ACQUIRE_CREDENTIALS_HANDLE_FN)

/*
 * FreeCredentialsHandle releases a credential.
 *
 * phCredential is the handle; it names nothing afterwards. Contexts made with it live on.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_HANDLE when the handle is stale, zero, of another kind, or NULL.
 *
 * Source: Microsoft SSPI reference, FreeCredentialsHandle.
 */
SECURITY_STATUS SEC_ENTRY FreeCredentialsHandle(PCredHandle phCredential);

typedef SECURITY_STATUS(SEC_ENTRY *FREE_CREDENTIALS_HANDLE_FN)(PCredHandle);

/* An older name. */
#define FreeCredentialHandle FreeCredentialsHandle

/*
 * AddCredentialsW would add a credential to those that a handle names already. Every package here holds only
 * one.
 *
 * hCredentials is the handle from AcquireCredentialsHandleW; the other parameters are as there. ptsExpiry
 * would receive the time when the added credential expires.
 *
 * Returns SEC_E_UNSUPPORTED_FUNCTION; SEC_E_INVALID_HANDLE. Outputs are untouched.
 *
 * Source: Microsoft SSPI reference, AddCredentials.
 */
SECURITY_STATUS SEC_ENTRY AddCredentialsW(PCredHandle hCredentials, SEC_WCHAR *pszPrincipal, SEC_WCHAR *pszPackage,
                                          ULONG fCredentialUse, void *pAuthData, SEC_GET_KEY_FN pGetKeyFn,
                                          void *pvGetKeyArgument, PTimeStamp ptsExpiry);

typedef SECURITY_STATUS(SEC_ENTRY *ADD_CREDENTIALS_FN_W)(PCredHandle, SEC_WCHAR *, SEC_WCHAR *, ULONG, void *,
                                                         SEC_GET_KEY_FN, void *, PTimeStamp);

/* AddCredentialsA does what AddCredentialsW does, in UTF-8. */
SECURITY_STATUS SEC_ENTRY AddCredentialsA(PCredHandle hCredentials, SEC_CHAR *pszPrincipal, SEC_CHAR *pszPackage,
                                          ULONG fCredentialUse, void *pAuthData, SEC_GET_KEY_FN pGetKeyFn,
                                          void *pvGetKeyArgument, PTimeStamp ptsExpiry);

typedef SECURITY_STATUS(SEC_ENTRY *ADD_CREDENTIALS_FN_A)(PCredHandle, SEC_CHAR *, SEC_CHAR *, ULONG, void *,
                                                         SEC_GET_KEY_FN, void *, PTimeStamp);

#define AddCredentials OPENSSPI_AW(AddCredentials)
#define ADD_CREDENTIALS_FN OPENSSPI_AW_(ADD_CREDENTIALS_FN)

/* Attributes of a credential, with the structure that QueryCredentialsAttributes fills. */

#define SECPKG_CRED_ATTR_NAMES 1                /* SecPkgCredentials_Names */
#define SECPKG_CRED_ATTR_SSI_PROVIDER 2         /* SecPkgCredentials_SSIProvider */
#define SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS 3   /* SecPkgCredentials_KdcProxySettingsW, to be set */
#define SECPKG_CRED_ATTR_KDC_NETWORK_SETTINGS 3 /* SecPkgCredentials_KdcNetworkSettingsW, to be set */
#define SECPKG_CRED_ATTR_CERT 4                 /* SecPkgCredentials_Cert */
#define SECPKG_CRED_ATTR_PAC_BYPASS 5           /* refused: a PAC is always checked */

typedef struct _SecPkgCredentials_NamesW {
    SEC_WCHAR *sUserName;
} SecPkgCredentials_NamesW, *PSecPkgCredentials_NamesW;

typedef struct _SecPkgCredentials_NamesA {
    SEC_CHAR *sUserName;
} SecPkgCredentials_NamesA, *PSecPkgCredentials_NamesA;

#define SecPkgCredentials_Names OPENSSPI_AW(SecPkgCredentials_Names)
#define PSecPkgCredentials_Names OPENSSPI_AW(PSecPkgCredentials_Names)

typedef struct _SecPkgCredentials_SSIProviderW {
    SEC_WCHAR *sProviderName;
    ULONG ProviderInfoLength;
    char *ProviderInfo;
} SecPkgCredentials_SSIProviderW, *PSecPkgCredentials_SSIProviderW;

typedef struct _SecPkgCredentials_SSIProviderA {
    SEC_CHAR *sProviderName;
    ULONG ProviderInfoLength;
    char *ProviderInfo;
} SecPkgCredentials_SSIProviderA, *PSecPkgCredentials_SSIProviderA;

#define SecPkgCredentials_SSIProvider OPENSSPI_AW(SecPkgCredentials_SSIProvider)
#define PSecPkgCredentials_SSIProvider OPENSSPI_AW(PSecPkgCredentials_SSIProvider)

#define KDC_PROXY_SETTINGS_V1 1
#define KDC_PROXY_SETTINGS_FLAGS_FORCEPROXY 0x1

/* Lengths are bytes; offsets count from the start of the structure; strings are UTF-16 and follow it. */
typedef struct _SecPkgCredentials_KdcProxySettingsW {
    ULONG Version;
    ULONG Flags;
    USHORT ProxyServerOffset;
    USHORT ProxyServerLength;
    USHORT ClientTlsCredOffset;
    USHORT ClientTlsCredLength;
} SecPkgCredentials_KdcProxySettingsW, *PSecPkgCredentials_KdcProxySettingsW;

#define KDC_NETWORK_SETTINGS_V2 2
#define KDC_NETWORK_SETTINGS_FLAGS_FORCEPROXY 0x1
#define KDC_NETWORK_SETTINGS_FLAGS_CONFIGURE_DISCOVERY 0x40000000
#define KDC_NETWORK_SETTINGS_FLAGS_CONFIGURE_PROXY 0x80000000
#define KDC_NETWORK_DISCOVERY_FLAGS_DS13_REQUIRED 0x80000000

typedef struct _SecPkgCredentials_KdcNetworkSettingsW {
    ULONG Version;
    ULONG Flags;
    USHORT ProxyServerOffset;
    USHORT ProxyServerLength;
    USHORT ClientTlsCredOffset;
    USHORT ClientTlsCredLength;
    ULONG DcDiscoveryFlags;
} SecPkgCredentials_KdcNetworkSettingsW, *PSecPkgCredentials_KdcNetworkSettingsW;

typedef struct _SecPkgCredentials_Cert {
    ULONG EncodedCertSize;
    unsigned char *EncodedCert;
} SecPkgCredentials_Cert, *PSecPkgCredentials_Cert;

/*
 * QueryCredentialsAttributesW reads one attribute of a credential.
 *
 * ulAttribute is a SECPKG_CRED_ATTR_ value, or one of a package's own, such as Schannel's
 * SECPKG_ATTR_SUPPORTED_PROTOCOLS. pBuffer is the structure that goes with it, to be filled. Every string and
 * block that it then points to is the caller's, each to be freed with FreeContextBuffer.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_HANDLE; SEC_E_INTERNAL_ERROR when pBuffer is NULL;
 * SEC_E_UNSUPPORTED_FUNCTION for an attribute that the package does not have; SEC_E_NO_CREDENTIALS;
 * SEC_E_INSUFFICIENT_MEMORY. On failure *pBuffer is untouched.
 *
 * Source: Microsoft SSPI reference, QueryCredentialsAttributes; observed behaviour of Windows.
 */
SECURITY_STATUS SEC_ENTRY QueryCredentialsAttributesW(PCredHandle phCredential, ULONG ulAttribute, void *pBuffer);

typedef SECURITY_STATUS(SEC_ENTRY *QUERY_CREDENTIALS_ATTRIBUTES_FN_W)(PCredHandle, ULONG, void *);

/* QueryCredentialsAttributesA does what QueryCredentialsAttributesW does, in UTF-8, with the A structures. */
SECURITY_STATUS SEC_ENTRY QueryCredentialsAttributesA(PCredHandle phCredential, ULONG ulAttribute, void *pBuffer);

typedef SECURITY_STATUS(SEC_ENTRY *QUERY_CREDENTIALS_ATTRIBUTES_FN_A)(PCredHandle, ULONG, void *);

#define QueryCredentialsAttributes OPENSSPI_AW(QueryCredentialsAttributes)
#define QUERY_CREDENTIALS_ATTRIBUTES_FN OPENSSPI_AW_(QUERY_CREDENTIALS_ATTRIBUTES_FN)

/*
 * QueryCredentialsAttributesExW is QueryCredentialsAttributesW for a caller that tells the size of its
 * buffer.
 *
 * cbBuffer is the size of *pBuffer in bytes; nothing is written past it.
 *
 * Returns what QueryCredentialsAttributesW does; SEC_E_BUFFER_TOO_SMALL when the structure needs more.
 *
 * Source: Microsoft SSPI reference, QueryCredentialsAttributesEx.
 */
SECURITY_STATUS SEC_ENTRY QueryCredentialsAttributesExW(PCredHandle phCredential, ULONG ulAttribute, void *pBuffer,
                                                        ULONG cbBuffer);

typedef SECURITY_STATUS(SEC_ENTRY *QUERY_CREDENTIALS_ATTRIBUTES_EX_FN_W)(PCredHandle, ULONG, void *, ULONG);

/*
 * QueryCredentialsAttributesExA does what QueryCredentialsAttributesExW does, in UTF-8, with the A
 * structures.
 */
SECURITY_STATUS SEC_ENTRY QueryCredentialsAttributesExA(PCredHandle phCredential, ULONG ulAttribute, void *pBuffer,
                                                        ULONG cbBuffer);

typedef SECURITY_STATUS(SEC_ENTRY *QUERY_CREDENTIALS_ATTRIBUTES_EX_FN_A)(PCredHandle, ULONG, void *, ULONG);

#define QueryCredentialsAttributesEx OPENSSPI_AW(QueryCredentialsAttributesEx)
#define QUERY_CREDENTIALS_ATTRIBUTES_EX_FN OPENSSPI_AW_(QUERY_CREDENTIALS_ATTRIBUTES_EX_FN)

/*
 * SetCredentialsAttributesW sets one attribute of a credential.
 *
 * pBuffer is the structure that goes with ulAttribute, cbBuffer its size in bytes with all that follows it.
 * It stays the caller's. Contexts that exist already are not changed.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_HANDLE; SEC_E_INVALID_TOKEN when the content makes no sense;
 * SEC_E_BUFFER_TOO_SMALL when cbBuffer cannot hold it; SEC_E_UNSUPPORTED_FUNCTION for an attribute that
 * cannot be set; SEC_E_INSUFFICIENT_MEMORY.
 *
 * Source: Microsoft SSPI reference, SetCredentialsAttributes.
 */
SECURITY_STATUS SEC_ENTRY SetCredentialsAttributesW(PCredHandle phCredential, ULONG ulAttribute, void *pBuffer,
                                                    ULONG cbBuffer);

typedef SECURITY_STATUS(SEC_ENTRY *SET_CREDENTIALS_ATTRIBUTES_FN_W)(PCredHandle, ULONG, void *, ULONG);

/*
 * SetCredentialsAttributesA does what SetCredentialsAttributesW does; a W structure in it stays a W
 * structure.
 */
SECURITY_STATUS SEC_ENTRY SetCredentialsAttributesA(PCredHandle phCredential, ULONG ulAttribute, void *pBuffer,
                                                    ULONG cbBuffer);

typedef SECURITY_STATUS(SEC_ENTRY *SET_CREDENTIALS_ATTRIBUTES_FN_A)(PCredHandle, ULONG, void *, ULONG);

#define SetCredentialsAttributes OPENSSPI_AW(SetCredentialsAttributes)
#define SET_CREDENTIALS_ATTRIBUTES_FN OPENSSPI_AW_(SET_CREDENTIALS_ATTRIBUTES_FN)

/*
 * ChangeAccountPasswordW changes the password of an account, local or in a domain.
 *
 * pszPackageName  package that does it: Kerberos, Negotiate or NTLM.
 * pszDomainName, pszAccountName   the account.
 * pszOldPassword, pszNewPassword  its passwords; copies are wiped before the call returns.
 * bImpersonating  not used: the passwords say who asks, and the process asks, also on a thread that
 *                 impersonates.
 * dwReserved      0.
 * pOutput         not used: it stays as it was. Windows tells in it why a password was refused.
 *
 * Returns SEC_E_OK; SEC_E_LOGON_DENIED when account and old password do not match; SEC_E_SECPKG_NOT_FOUND;
 * SEC_E_INVALID_TOKEN when a name or a password is missing or malformed; SEC_E_INVALID_PARAMETER for a new
 * password of no letters or of more than 256 (NTLM); SEC_E_NO_AUTHENTICATING_AUTHORITY when no authority answers; SEC_E_INSUFFICIENT_MEMORY;
 * SEC_E_UNSUPPORTED_FUNCTION when the package cannot change passwords.
 *
 * Source: Microsoft SSPI reference, ChangeAccountPassword.
 */
SECURITY_STATUS SEC_ENTRY ChangeAccountPasswordW(SEC_WCHAR *pszPackageName, SEC_WCHAR *pszDomainName,
                                                 SEC_WCHAR *pszAccountName, SEC_WCHAR *pszOldPassword,
                                                 SEC_WCHAR *pszNewPassword, BOOLEAN bImpersonating, ULONG dwReserved,
                                                 PSecBufferDesc pOutput);

typedef SECURITY_STATUS(SEC_ENTRY *CHANGE_PASSWORD_FN_W)(SEC_WCHAR *, SEC_WCHAR *, SEC_WCHAR *, SEC_WCHAR *,
                                                         SEC_WCHAR *, BOOLEAN, ULONG, PSecBufferDesc);

/* ChangeAccountPasswordA does what ChangeAccountPasswordW does, in UTF-8. */
SECURITY_STATUS SEC_ENTRY ChangeAccountPasswordA(SEC_CHAR *pszPackageName, SEC_CHAR *pszDomainName,
                                                 SEC_CHAR *pszAccountName, SEC_CHAR *pszOldPassword,
                                                 SEC_CHAR *pszNewPassword, BOOLEAN bImpersonating, ULONG dwReserved,
                                                 PSecBufferDesc pOutput);

typedef SECURITY_STATUS(SEC_ENTRY *CHANGE_PASSWORD_FN_A)(SEC_CHAR *, SEC_CHAR *, SEC_CHAR *, SEC_CHAR *, SEC_CHAR *,
                                                         BOOLEAN, ULONG, PSecBufferDesc);

#define ChangeAccountPassword OPENSSPI_AW(ChangeAccountPassword)
#define CHANGE_PASSWORD_FN OPENSSPI_AW_(CHANGE_PASSWORD_FN)

OPENSSPI_END_DECLS

#endif
