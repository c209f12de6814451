/*
 * sspi/attributes.h: attributes of a security context. Include <sspi.h>, not this file.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_SSPI_ATTRIBUTES_H
#define OPENSSPI_SSPI_ATTRIBUTES_H

#include "buffers.h"
#include "packages.h"

OPENSSPI_BEGIN_DECLS

/*
 * Attributes that more than one package has, each with the structure that goes with it. <schannel.h> has
 * those from 0x50 on.
 */
#define SECPKG_ATTR_SIZES 0                     /* SecPkgContext_Sizes */
#define SECPKG_ATTR_NAMES 1                     /* SecPkgContext_Names */
#define SECPKG_ATTR_LIFESPAN 2                  /* SecPkgContext_Lifespan */
#define SECPKG_ATTR_DCE_INFO 3                  /* SecPkgContext_DceInfo */
#define SECPKG_ATTR_STREAM_SIZES 4              /* SecPkgContext_StreamSizes */
#define SECPKG_ATTR_KEY_INFO 5                  /* SecPkgContext_KeyInfo */
#define SECPKG_ATTR_AUTHORITY 6                 /* SecPkgContext_Authority */
#define SECPKG_ATTR_PROTO_INFO 7                /* SecPkgContext_ProtoInfo */
#define SECPKG_ATTR_PASSWORD_EXPIRY 8           /* SecPkgContext_PasswordExpiry */
#define SECPKG_ATTR_SESSION_KEY 9               /* SecPkgContext_SessionKey */
#define SECPKG_ATTR_PACKAGE_INFO 10             /* SecPkgContext_PackageInfo */
#define SECPKG_ATTR_USER_FLAGS 11               /* SecPkgContext_UserFlags */
#define SECPKG_ATTR_NEGOTIATION_INFO 12         /* SecPkgContext_NegotiationInfo */
#define SECPKG_ATTR_NATIVE_NAMES 13             /* SecPkgContext_NativeNames */
#define SECPKG_ATTR_FLAGS 14                    /* SecPkgContext_Flags */
#define SECPKG_ATTR_USE_VALIDATED 15            /* no structure */
#define SECPKG_ATTR_CREDENTIAL_NAME 16          /* SecPkgContext_CredentialName */
#define SECPKG_ATTR_TARGET_INFORMATION 17       /* SecPkgContext_TargetInformation */
#define SECPKG_ATTR_ACCESS_TOKEN 18             /* SecPkgContext_AccessToken */
#define SECPKG_ATTR_TARGET 19                   /* SecPkgContext_Target */
#define SECPKG_ATTR_AUTHENTICATION_ID 20        /* SecPkgContext_AuthzID */
#define SECPKG_ATTR_LOGOFF_TIME 21              /* SecPkgContext_LogoffTime */
#define SECPKG_ATTR_NEGO_KEYS 22                /* SecPkgContext_NegoKeys */
#define SECPKG_ATTR_PROMPTING_NEEDED 24         /* SecPkgContext_CredInfo */
#define SECPKG_ATTR_UNIQUE_BINDINGS 25          /* SecPkgContext_Bindings */
#define SECPKG_ATTR_ENDPOINT_BINDINGS 26        /* SecPkgContext_Bindings */
#define SECPKG_ATTR_CLIENT_SPECIFIED_TARGET 27  /* SecPkgContext_ClientSpecifiedTarget */
#define SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS 30 /* SecPkgContext_LastClientTokenStatus */
#define SECPKG_ATTR_NEGO_PKG_INFO 31            /* SecPkgContext_NegoPackageInfo */
#define SECPKG_ATTR_NEGO_STATUS 32              /* SecPkgContext_NegoStatus */
#define SECPKG_ATTR_CONTEXT_DELETED 33          /* no structure */
#define SECPKG_ATTR_DTLS_MTU 34                 /* a WORD */
#define SECPKG_ATTR_DATAGRAM_SIZES SECPKG_ATTR_STREAM_SIZES
#define SECPKG_ATTR_APPLICATION_PROTOCOL 35         /* SecPkgContext_ApplicationProtocol */
#define SECPKG_ATTR_NEGOTIATED_TLS_EXTENSIONS 36    /* SecPkgContext_NegotiatedTlsExtensions */
#define SECPKG_ATTR_IS_LOOPBACK 37                  /* a BOOL */
#define SECPKG_ATTR_SUBJECT_SECURITY_ATTRIBUTES 128 /* SecPkgContext_SubjectAttributes */

/* Bytes to allow for: a token, a signature, a cipher block, and the trailer of an encrypted message. */
typedef struct _SecPkgContext_Sizes {
    ULONG cbMaxToken;
    ULONG cbMaxSignature;
    ULONG cbBlockSize;
    ULONG cbSecurityTrailer;
} SecPkgContext_Sizes, *PSecPkgContext_Sizes;

/*
 * Bytes to allow for in a stream: header, trailer, the most payload, and a cipher block; cBuffers is a count.
 */
typedef struct _SecPkgContext_StreamSizes {
    ULONG cbHeader;
    ULONG cbTrailer;
    ULONG cbMaximumMessage;
    ULONG cBuffers;
    ULONG cbBlockSize;
} SecPkgContext_StreamSizes, *PSecPkgContext_StreamSizes;

typedef SecPkgContext_StreamSizes SecPkgContext_DatagramSizes;
typedef PSecPkgContext_StreamSizes PSecPkgContext_DatagramSizes;

typedef struct _SecPkgContext_NamesW {
    SEC_WCHAR *sUserName;
} SecPkgContext_NamesW, *PSecPkgContext_NamesW;

typedef struct _SecPkgContext_NamesA {
    SEC_CHAR *sUserName;
} SecPkgContext_NamesA, *PSecPkgContext_NamesA;

#define SecPkgContext_Names OPENSSPI_AW(SecPkgContext_Names)
#define PSecPkgContext_Names OPENSSPI_AW(PSecPkgContext_Names)

typedef struct _SecPkgContext_Lifespan {
    TimeStamp tsStart;
    TimeStamp tsExpiry;
} SecPkgContext_Lifespan, *PSecPkgContext_Lifespan;

typedef struct _SecPkgContext_DceInfo {
    ULONG AuthzSvc;
    void *pPac;
} SecPkgContext_DceInfo, *PSecPkgContext_DceInfo;

/* KeySize is bits. SignatureAlgorithm and EncryptAlgorithm are the package's numbers. */
typedef struct _SecPkgContext_KeyInfoW {
    SEC_WCHAR *sSignatureAlgorithmName;
    SEC_WCHAR *sEncryptAlgorithmName;
    ULONG KeySize;
    ULONG SignatureAlgorithm;
    ULONG EncryptAlgorithm;
} SecPkgContext_KeyInfoW, *PSecPkgContext_KeyInfoW;

typedef struct _SecPkgContext_KeyInfoA {
    SEC_CHAR *sSignatureAlgorithmName;
    SEC_CHAR *sEncryptAlgorithmName;
    ULONG KeySize;
    ULONG SignatureAlgorithm;
    ULONG EncryptAlgorithm;
} SecPkgContext_KeyInfoA, *PSecPkgContext_KeyInfoA;

#define SecPkgContext_KeyInfo OPENSSPI_AW(SecPkgContext_KeyInfo)
#define PSecPkgContext_KeyInfo OPENSSPI_AW(PSecPkgContext_KeyInfo)

typedef struct _SecPkgContext_AuthorityW {
    SEC_WCHAR *sAuthorityName;
} SecPkgContext_AuthorityW, *PSecPkgContext_AuthorityW;

typedef struct _SecPkgContext_AuthorityA {
    SEC_CHAR *sAuthorityName;
} SecPkgContext_AuthorityA, *PSecPkgContext_AuthorityA;

#define SecPkgContext_Authority OPENSSPI_AW(SecPkgContext_Authority)
#define PSecPkgContext_Authority OPENSSPI_AW(PSecPkgContext_Authority)

typedef struct _SecPkgContext_ProtoInfoW {
    SEC_WCHAR *sProtocolName;
    ULONG majorVersion;
    ULONG minorVersion;
} SecPkgContext_ProtoInfoW, *PSecPkgContext_ProtoInfoW;

typedef struct _SecPkgContext_ProtoInfoA {
    SEC_CHAR *sProtocolName;
    ULONG majorVersion;
    ULONG minorVersion;
} SecPkgContext_ProtoInfoA, *PSecPkgContext_ProtoInfoA;

#define SecPkgContext_ProtoInfo OPENSSPI_AW(SecPkgContext_ProtoInfo)
#define PSecPkgContext_ProtoInfo OPENSSPI_AW(PSecPkgContext_ProtoInfo)

typedef struct _SecPkgContext_PasswordExpiry {
    TimeStamp tsPasswordExpires;
} SecPkgContext_PasswordExpiry, *PSecPkgContext_PasswordExpiry;

/* When the client's logon is to end, of a server's context; 0x7FFFFFFFFFFFFFFF: never. */
typedef struct _SecPkgContext_LogoffTime {
    TimeStamp tsLogoffTime;
} SecPkgContext_LogoffTime, *PSecPkgContext_LogoffTime;

typedef struct _SecPkgContext_SessionKey {
    ULONG SessionKeyLength;
    unsigned char *SessionKey;
} SecPkgContext_SessionKey, *PSecPkgContext_SessionKey;

typedef struct _SecPkgContext_NegoKeys {
    ULONG KeyType;
    unsigned short KeyLength;
    unsigned char *KeyValue;
    ULONG VerifyKeyType;
    unsigned short VerifyKeyLength;
    unsigned char *VerifyKeyValue;
} SecPkgContext_NegoKeys, *PSecPkgContext_NegoKeys;

typedef struct _SecPkgContext_PackageInfoW {
    PSecPkgInfoW PackageInfo;
} SecPkgContext_PackageInfoW, *PSecPkgContext_PackageInfoW;

typedef struct _SecPkgContext_PackageInfoA {
    PSecPkgInfoA PackageInfo;
} SecPkgContext_PackageInfoA, *PSecPkgContext_PackageInfoA;

#define SecPkgContext_PackageInfo OPENSSPI_AW(SecPkgContext_PackageInfo)
#define PSecPkgContext_PackageInfo OPENSSPI_AW(PSecPkgContext_PackageInfo)

/* LOGON_ flags (ntsecapi.h): how the client of a server's context was logged on. */
typedef struct _SecPkgContext_UserFlags {
    ULONG UserFlags;
} SecPkgContext_UserFlags, *PSecPkgContext_UserFlags;

/* Flags holds ISC_RET_ flags in a client's context, ASC_RET_ flags in a server's. */
typedef struct _SecPkgContext_Flags {
    ULONG Flags;
} SecPkgContext_Flags, *PSecPkgContext_Flags;

typedef struct _SecPkgContext_NegotiationInfoW {
    PSecPkgInfoW PackageInfo;
    ULONG NegotiationState;
} SecPkgContext_NegotiationInfoW, *PSecPkgContext_NegotiationInfoW;

typedef struct _SecPkgContext_NegotiationInfoA {
    PSecPkgInfoA PackageInfo;
    ULONG NegotiationState;
} SecPkgContext_NegotiationInfoA, *PSecPkgContext_NegotiationInfoA;

#define SecPkgContext_NegotiationInfo OPENSSPI_AW(SecPkgContext_NegotiationInfo)
#define PSecPkgContext_NegotiationInfo OPENSSPI_AW(PSecPkgContext_NegotiationInfo)

/* NegotiationState. */
#define SECPKG_NEGOTIATION_COMPLETE 0
#define SECPKG_NEGOTIATION_OPTIMISTIC 1
#define SECPKG_NEGOTIATION_IN_PROGRESS 2
#define SECPKG_NEGOTIATION_DIRECT 3
#define SECPKG_NEGOTIATION_TRY_MULTICRED 4

typedef struct _SecPkgContext_NativeNamesW {
    SEC_WCHAR *sClientName;
    SEC_WCHAR *sServerName;
} SecPkgContext_NativeNamesW, *PSecPkgContext_NativeNamesW;

typedef struct _SecPkgContext_NativeNamesA {
    SEC_CHAR *sClientName;
    SEC_CHAR *sServerName;
} SecPkgContext_NativeNamesA, *PSecPkgContext_NativeNamesA;

#define SecPkgContext_NativeNames OPENSSPI_AW(SecPkgContext_NativeNames)
#define PSecPkgContext_NativeNames OPENSSPI_AW(PSecPkgContext_NativeNames)

typedef struct _SecPkgContext_CredentialNameW {
    ULONG CredentialType;
    SEC_WCHAR *sCredentialName;
} SecPkgContext_CredentialNameW, *PSecPkgContext_CredentialNameW;

typedef struct _SecPkgContext_CredentialNameA {
    ULONG CredentialType;
    SEC_CHAR *sCredentialName;
} SecPkgContext_CredentialNameA, *PSecPkgContext_CredentialNameA;

#define SecPkgContext_CredentialName OPENSSPI_AW(SecPkgContext_CredentialName)
#define PSecPkgContext_CredentialName OPENSSPI_AW(PSecPkgContext_CredentialName)

/* AccessToken stays the context's: it is not closed, and ends with the context. */
typedef struct _SecPkgContext_AccessToken {
    void *AccessToken;
} SecPkgContext_AccessToken, *PSecPkgContext_AccessToken;

typedef struct _SecPkgContext_TargetInformation {
    ULONG MarshalledTargetInfoLength;
    unsigned char *MarshalledTargetInfo;
} SecPkgContext_TargetInformation, *PSecPkgContext_TargetInformation;

typedef struct _SecPkgContext_AuthzID {
    ULONG AuthzIDLength;
    char *AuthzID;
} SecPkgContext_AuthzID, *PSecPkgContext_AuthzID;

typedef struct _SecPkgContext_Target {
    ULONG TargetLength;
    char *Target;
} SecPkgContext_Target, *PSecPkgContext_Target;

/* The target name is UTF-16 in both the A and the W form. */
typedef struct _SecPkgContext_ClientSpecifiedTarget {
    SEC_WCHAR *sTargetName;
} SecPkgContext_ClientSpecifiedTarget, *PSecPkgContext_ClientSpecifiedTarget;

/* Bindings is one block of BindingsLength bytes: the structure and the data behind it. */
typedef struct _SecPkgContext_Bindings {
    ULONG BindingsLength;
    SEC_CHANNEL_BINDINGS *Bindings;
} SecPkgContext_Bindings, *PSecPkgContext_Bindings;

typedef struct _SecPkgContext_SubjectAttributes {
    void *AttributeInfo;
} SecPkgContext_SubjectAttributes, *PSecPkgContext_SubjectAttributes;

typedef enum _SECPKG_CRED_CLASS {
    SecPkgCredClass_None = 0,
    SecPkgCredClass_Ephemeral = 10,
    SecPkgCredClass_PersistedGeneric = 20,
    SecPkgCredClass_PersistedSpecific = 30,
    SecPkgCredClass_Explicit = 40
} SECPKG_CRED_CLASS,
    *PSECPKG_CRED_CLASS;

typedef struct _SecPkgContext_CredInfo {
    SECPKG_CRED_CLASS CredClass;
    ULONG IsPromptingNeeded;
} SecPkgContext_CredInfo, *PSecPkgContext_CredInfo;

typedef struct _SecPkgContext_NegoPackageInfo {
    ULONG PackageMask;
} SecPkgContext_NegoPackageInfo, *PSecPkgContext_NegoPackageInfo;

/* PackageMask. */
#define SECPKG_ATTR_NEGO_INFO_FLAG_NO_KERBEROS 0x1
#define SECPKG_ATTR_NEGO_INFO_FLAG_NO_NTLM 0x2

typedef struct _SecPkgContext_NegoStatus {
    ULONG LastStatus;
} SecPkgContext_NegoStatus, *PSecPkgContext_NegoStatus;

typedef enum _SECPKG_ATTR_LCT_STATUS {
    SecPkgAttrLastClientTokenYes,
    SecPkgAttrLastClientTokenNo,
    SecPkgAttrLastClientTokenMaybe
} SECPKG_ATTR_LCT_STATUS,
    *PSECPKG_ATTR_LCT_STATUS;

typedef struct _SecPkgContext_LastClientTokenStatus {
    SECPKG_ATTR_LCT_STATUS LastClientTokenStatus;
} SecPkgContext_LastClientTokenStatus, *PSecPkgContext_LastClientTokenStatus;

typedef enum _SEC_APPLICATION_PROTOCOL_NEGOTIATION_STATUS {
    SecApplicationProtocolNegotiationStatus_None,
    SecApplicationProtocolNegotiationStatus_Success,
    SecApplicationProtocolNegotiationStatus_SelectedClientOnly
} SEC_APPLICATION_PROTOCOL_NEGOTIATION_STATUS,
    *PSEC_APPLICATION_PROTOCOL_NEGOTIATION_STATUS;

#define MAX_PROTOCOL_ID_SIZE 0xff

typedef struct _SecPkgContext_ApplicationProtocol {
    SEC_APPLICATION_PROTOCOL_NEGOTIATION_STATUS ProtoNegoStatus;
    SEC_APPLICATION_PROTOCOL_NEGOTIATION_EXT ProtoNegoExt;
    unsigned char ProtocolIdSize;
    unsigned char ProtocolId[MAX_PROTOCOL_ID_SIZE];
} SecPkgContext_ApplicationProtocol, *PSecPkgContext_ApplicationProtocol;

/* IANA's numbers. The array is the caller's to free (FreeContextBuffer). */
typedef struct _SecPkgContext_NegotiatedTlsExtensions {
    ULONG ExtensionsCount;
    unsigned short *Extensions;
} SecPkgContext_NegotiatedTlsExtensions, *PSecPkgContext_NegotiatedTlsExtensions;

/* How a package's part in the application is called from its part in the security authority. */
typedef struct _SECPKG_APP_MODE_INFO {
    ULONG UserFunction;
    ULONG_PTR Argument1;
    ULONG_PTR Argument2;
    SecBuffer UserData;
    BOOLEAN ReturnToLsa;
} SECPKG_APP_MODE_INFO, *PSECPKG_APP_MODE_INFO;

/*
 * QueryContextAttributesW reads one attribute of a context.
 *
 * ulAttribute is a SECPKG_ATTR_ value; pBuffer is the structure that goes with it, to be filled. Every string
 * and block that it then points to is the caller's, each to be freed with FreeContextBuffer, except where the
 * structure says that it stays the context's, and except certificates, which are released with
 * CertFreeCertificateContext.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_HANDLE, also for a deleted context, and for one that is not established
 * where the attribute needs that; SEC_E_INTERNAL_ERROR when pBuffer is NULL; SEC_E_UNSUPPORTED_FUNCTION for
 * an attribute that the package does not have; SEC_E_NO_CREDENTIALS when the peer gave none (such as a
 * certificate); SEC_E_INSUFFICIENT_MEMORY. On failure *pBuffer is untouched.
 *
 * Source: Microsoft SSPI reference, QueryContextAttributes (General), (CredSSP), (Digest), (Kerberos),
 * (Negotiate), (NTLM), (Schannel); observed behaviour of Windows.
 */
SECURITY_STATUS SEC_ENTRY QueryContextAttributesW(PCtxtHandle phContext, ULONG ulAttribute, void *pBuffer);

typedef SECURITY_STATUS(SEC_ENTRY *QUERY_CONTEXT_ATTRIBUTES_FN_W)(PCtxtHandle, ULONG, void *);

/* QueryContextAttributesA does what QueryContextAttributesW does, in UTF-8, with the A structures. */
SECURITY_STATUS SEC_ENTRY QueryContextAttributesA(PCtxtHandle phContext, ULONG ulAttribute, void *pBuffer);

typedef SECURITY_STATUS(SEC_ENTRY *QUERY_CONTEXT_ATTRIBUTES_FN_A)(PCtxtHandle, ULONG, void *);

#define QueryContextAttributes OPENSSPI_AW(QueryContextAttributes)
#define QUERY_CONTEXT_ATTRIBUTES_FN OPENSSPI_AW_(QUERY_CONTEXT_ATTRIBUTES_FN)

/*
 * QueryContextAttributesExW is QueryContextAttributesW for a caller that tells the size of its buffer.
 *
 * cbBuffer is the size of *pBuffer in bytes; nothing is written past it.
 *
 * Returns what QueryContextAttributesW does; SEC_E_BUFFER_TOO_SMALL when the structure needs more, which is judged before the package is asked.
 *
 * Source: Microsoft SSPI reference, QueryContextAttributesEx.
 */
SECURITY_STATUS SEC_ENTRY QueryContextAttributesExW(PCtxtHandle phContext, ULONG ulAttribute, void *pBuffer,
                                                    ULONG cbBuffer);

typedef SECURITY_STATUS(SEC_ENTRY *QUERY_CONTEXT_ATTRIBUTES_EX_FN_W)(PCtxtHandle, ULONG, void *, ULONG);

/* QueryContextAttributesExA does what QueryContextAttributesExW does, in UTF-8, with the A structures. */
SECURITY_STATUS SEC_ENTRY QueryContextAttributesExA(PCtxtHandle phContext, ULONG ulAttribute, void *pBuffer,
                                                    ULONG cbBuffer);

typedef SECURITY_STATUS(SEC_ENTRY *QUERY_CONTEXT_ATTRIBUTES_EX_FN_A)(PCtxtHandle, ULONG, void *, ULONG);

#define QueryContextAttributesEx OPENSSPI_AW(QueryContextAttributesEx)
#define QUERY_CONTEXT_ATTRIBUTES_EX_FN OPENSSPI_AW_(QUERY_CONTEXT_ATTRIBUTES_EX_FN)

/*
 * SetContextAttributesW sets one attribute of a context.
 *
 * pBuffer is the structure that goes with ulAttribute, cbBuffer its size in bytes. It stays the caller's.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_HANDLE; SEC_E_INVALID_TOKEN when the content makes no sense;
 * SEC_E_BUFFER_TOO_SMALL when cbBuffer cannot hold it; SEC_E_UNSUPPORTED_FUNCTION for an attribute that
 * cannot be set.
 *
 * Source: Microsoft SSPI reference, SetContextAttributes.
 */
SECURITY_STATUS SEC_ENTRY SetContextAttributesW(PCtxtHandle phContext, ULONG ulAttribute, void *pBuffer,
                                                ULONG cbBuffer);

typedef SECURITY_STATUS(SEC_ENTRY *SET_CONTEXT_ATTRIBUTES_FN_W)(PCtxtHandle, ULONG, void *, ULONG);

/* SetContextAttributesA does what SetContextAttributesW does, in UTF-8, with the A structures. */
SECURITY_STATUS SEC_ENTRY SetContextAttributesA(PCtxtHandle phContext, ULONG ulAttribute, void *pBuffer,
                                                ULONG cbBuffer);

typedef SECURITY_STATUS(SEC_ENTRY *SET_CONTEXT_ATTRIBUTES_FN_A)(PCtxtHandle, ULONG, void *, ULONG);

#define SetContextAttributes OPENSSPI_AW(SetContextAttributes)
#define SET_CONTEXT_ATTRIBUTES_FN OPENSSPI_AW_(SET_CONTEXT_ATTRIBUTES_FN)

OPENSSPI_END_DECLS

#endif
