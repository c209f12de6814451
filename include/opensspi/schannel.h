/*
 * schannel.h: TLS and DTLS through SSPI: credentials, attributes, alerts and protocols.
 *
 * SCH_CREDENTIALS and what belongs to it appear where SCHANNEL_USE_BLACKLISTS is defined before this header,
 * just as on Windows.
 *
 * Source: Microsoft SSPI reference, schannel.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_SCHANNEL_H
#define OPENSSPI_SCHANNEL_H
#define __SCHANNEL_H__

#include "wintypes.h"
#include "wincrypt_types.h"
#include "issperr.h"

OPENSSPI_BEGIN_DECLS

/* Names of the package. Those of single protocols are old: nothing but the name is left of them. */

#define UNISP_NAME_A "Microsoft Unified Security Protocol Provider"
#define UNISP_NAME_W OPENSSPI_WIDE("Microsoft Unified Security Protocol Provider")
#define UNISP_NAME OPENSSPI_AW_(UNISP_NAME)

#define SCHANNEL_NAME_A "Schannel"
#define SCHANNEL_NAME_W OPENSSPI_WIDE("Schannel")
#define SCHANNEL_NAME OPENSSPI_AW_(SCHANNEL_NAME)

#define DEFAULT_TLS_SSP_NAME_A "Default TLS SSP"
#define DEFAULT_TLS_SSP_NAME_W OPENSSPI_WIDE("Default TLS SSP")
#define DEFAULT_TLS_SSP_NAME OPENSSPI_AW_(DEFAULT_TLS_SSP_NAME)

#define SSL2SP_NAME_A "Microsoft SSL 2.0"
#define SSL2SP_NAME_W OPENSSPI_WIDE("Microsoft SSL 2.0")
#define SSL2SP_NAME OPENSSPI_AW_(SSL2SP_NAME)

#define SSL3SP_NAME_A "Microsoft SSL 3.0"
#define SSL3SP_NAME_W OPENSSPI_WIDE("Microsoft SSL 3.0")
#define SSL3SP_NAME OPENSSPI_AW_(SSL3SP_NAME)

#define TLS1SP_NAME_A "Microsoft TLS 1.0"
#define TLS1SP_NAME_W OPENSSPI_WIDE("Microsoft TLS 1.0")
#define TLS1SP_NAME OPENSSPI_AW_(TLS1SP_NAME)

#define PCT1SP_NAME_A "Microsoft PCT 1.0"
#define PCT1SP_NAME_W OPENSSPI_WIDE("Microsoft PCT 1.0")
#define PCT1SP_NAME OPENSSPI_AW_(PCT1SP_NAME)

#define UNISP_RPC_ID 14

/* Protocols, as bits of grbitEnabledProtocols: one for each side. */

#define SP_PROT_PCT1_SERVER 0x00000001
#define SP_PROT_PCT1_CLIENT 0x00000002
#define SP_PROT_PCT1 (SP_PROT_PCT1_SERVER | SP_PROT_PCT1_CLIENT)

#define SP_PROT_SSL2_SERVER 0x00000004
#define SP_PROT_SSL2_CLIENT 0x00000008
#define SP_PROT_SSL2 (SP_PROT_SSL2_SERVER | SP_PROT_SSL2_CLIENT)

#define SP_PROT_SSL3_SERVER 0x00000010
#define SP_PROT_SSL3_CLIENT 0x00000020
#define SP_PROT_SSL3 (SP_PROT_SSL3_SERVER | SP_PROT_SSL3_CLIENT)

#define SP_PROT_TLS1_SERVER 0x00000040
#define SP_PROT_TLS1_CLIENT 0x00000080
#define SP_PROT_TLS1 (SP_PROT_TLS1_SERVER | SP_PROT_TLS1_CLIENT)

#define SP_PROT_TLS1_0_SERVER SP_PROT_TLS1_SERVER
#define SP_PROT_TLS1_0_CLIENT SP_PROT_TLS1_CLIENT
#define SP_PROT_TLS1_0 (SP_PROT_TLS1_0_SERVER | SP_PROT_TLS1_0_CLIENT)

#define SP_PROT_TLS1_1_SERVER 0x00000100
#define SP_PROT_TLS1_1_CLIENT 0x00000200
#define SP_PROT_TLS1_1 (SP_PROT_TLS1_1_SERVER | SP_PROT_TLS1_1_CLIENT)

#define SP_PROT_TLS1_2_SERVER 0x00000400
#define SP_PROT_TLS1_2_CLIENT 0x00000800
#define SP_PROT_TLS1_2 (SP_PROT_TLS1_2_SERVER | SP_PROT_TLS1_2_CLIENT)

#define SP_PROT_TLS1_3_SERVER 0x00001000
#define SP_PROT_TLS1_3_CLIENT 0x00002000
#define SP_PROT_TLS1_3 (SP_PROT_TLS1_3_SERVER | SP_PROT_TLS1_3_CLIENT)

#define SP_PROT_DTLS_SERVER 0x00010000
#define SP_PROT_DTLS_CLIENT 0x00020000
#define SP_PROT_DTLS (SP_PROT_DTLS_SERVER | SP_PROT_DTLS_CLIENT)

#define SP_PROT_DTLS1_0_SERVER SP_PROT_DTLS_SERVER
#define SP_PROT_DTLS1_0_CLIENT SP_PROT_DTLS_CLIENT
#define SP_PROT_DTLS1_0 (SP_PROT_DTLS1_0_SERVER | SP_PROT_DTLS1_0_CLIENT)

#define SP_PROT_DTLS1_2_SERVER 0x00040000
#define SP_PROT_DTLS1_2_CLIENT 0x00080000
#define SP_PROT_DTLS1_2 (SP_PROT_DTLS1_2_SERVER | SP_PROT_DTLS1_2_CLIENT)

#define SP_PROT_UNI_SERVER 0x40000000
#define SP_PROT_UNI_CLIENT 0x80000000
#define SP_PROT_UNI (SP_PROT_UNI_SERVER | SP_PROT_UNI_CLIENT)

/* Sets of them. */

#define SP_PROT_NONE 0
#define SP_PROT_ALL 0xFFFFFFFF

#define SP_PROT_SSL3TLS1_CLIENTS (SP_PROT_SSL3_CLIENT | SP_PROT_TLS1_CLIENT)
#define SP_PROT_SSL3TLS1_SERVERS (SP_PROT_SSL3_SERVER | SP_PROT_TLS1_SERVER)
#define SP_PROT_SSL3TLS1 (SP_PROT_SSL3 | SP_PROT_TLS1)

#define SP_PROT_TLS1_3PLUS_SERVER SP_PROT_TLS1_3_SERVER
#define SP_PROT_TLS1_3PLUS_CLIENT SP_PROT_TLS1_3_CLIENT
#define SP_PROT_TLS1_3PLUS (SP_PROT_TLS1_3PLUS_SERVER | SP_PROT_TLS1_3PLUS_CLIENT)

#define SP_PROT_TLS1_1PLUS_SERVER (SP_PROT_TLS1_1_SERVER | SP_PROT_TLS1_2_SERVER | SP_PROT_TLS1_3_SERVER)
#define SP_PROT_TLS1_1PLUS_CLIENT (SP_PROT_TLS1_1_CLIENT | SP_PROT_TLS1_2_CLIENT | SP_PROT_TLS1_3_CLIENT)
#define SP_PROT_TLS1_1PLUS (SP_PROT_TLS1_1PLUS_SERVER | SP_PROT_TLS1_1PLUS_CLIENT)

#define SP_PROT_TLS1_X_SERVER (SP_PROT_TLS1_0_SERVER | SP_PROT_TLS1_1PLUS_SERVER)
#define SP_PROT_TLS1_X_CLIENT (SP_PROT_TLS1_0_CLIENT | SP_PROT_TLS1_1PLUS_CLIENT)
#define SP_PROT_TLS1_X (SP_PROT_TLS1_X_SERVER | SP_PROT_TLS1_X_CLIENT)

#define SP_PROT_SSL3TLS1_X_CLIENTS (SP_PROT_SSL3_CLIENT | SP_PROT_TLS1_X_CLIENT)
#define SP_PROT_SSL3TLS1_X_SERVERS (SP_PROT_SSL3_SERVER | SP_PROT_TLS1_X_SERVER)
#define SP_PROT_SSL3TLS1_X (SP_PROT_SSL3 | SP_PROT_TLS1_X)

#define SP_PROT_DTLS1_X_SERVER (SP_PROT_DTLS1_0_SERVER | SP_PROT_DTLS1_2_SERVER)
#define SP_PROT_DTLS1_X_CLIENT (SP_PROT_DTLS1_0_CLIENT | SP_PROT_DTLS1_2_CLIENT)
#define SP_PROT_DTLS1_X (SP_PROT_DTLS1_X_SERVER | SP_PROT_DTLS1_X_CLIENT)

#define SP_PROT_CLIENTS \
    (SP_PROT_PCT1_CLIENT | SP_PROT_SSL2_CLIENT | SP_PROT_SSL3_CLIENT | SP_PROT_TLS1_CLIENT | SP_PROT_UNI_CLIENT)
#define SP_PROT_SERVERS \
    (SP_PROT_PCT1_SERVER | SP_PROT_SSL2_SERVER | SP_PROT_SSL3_SERVER | SP_PROT_TLS1_SERVER | SP_PROT_UNI_SERVER)
#define SP_PROT_X_CLIENTS (SP_PROT_CLIENTS | SP_PROT_TLS1_X_CLIENT | SP_PROT_DTLS1_X_CLIENT)
#define SP_PROT_X_SERVERS (SP_PROT_SERVERS | SP_PROT_TLS1_X_SERVER | SP_PROT_DTLS1_X_SERVER)

/* Credentials. */

#define SCH_CRED_V1 0x00000001
#define SCH_CRED_V2 0x00000002
#define SCH_CRED_VERSION 0x00000002
#define SCH_CRED_V3 0x00000003
#define SCHANNEL_CRED_VERSION 0x00000004
#define SCH_CREDENTIALS_VERSION 0x00000005

struct _HMAPPER;

/* What pAuthData of AcquireCredentialsHandle is for Schannel. dwVersion is SCHANNEL_CRED_VERSION.
 * grbitEnabledProtocols of 0 goes up to TLS 1.2, as on Windows: programs that know TLS 1.3 name it, or use SCH_CREDENTIALS. */
typedef struct _SCHANNEL_CRED {
    DWORD dwVersion;
    DWORD cCreds;
    PCCERT_CONTEXT *paCred;
    HCERTSTORE hRootStore;
    DWORD cMappers;
    struct _HMAPPER **aphMappers;
    DWORD cSupportedAlgs;
    ALG_ID *palgSupportedAlgs;
    DWORD grbitEnabledProtocols;
    DWORD dwMinimumCipherStrength; /* bits */
    DWORD dwMaximumCipherStrength; /* bits */
    DWORD dwSessionLifespan;       /* milliseconds */
    DWORD dwFlags;
    DWORD dwCredFormat;
} SCHANNEL_CRED, *PSCHANNEL_CRED;

#ifdef SCHANNEL_USE_BLACKLISTS

typedef enum _eTlsAlgorithmUsage {
    TlsParametersCngAlgUsageKeyExchange,
    TlsParametersCngAlgUsageSignature,
    TlsParametersCngAlgUsageCipher,
    TlsParametersCngAlgUsageDigest,
    TlsParametersCngAlgUsageCertSig
} eTlsAlgorithmUsage;

/* An algorithm that is not to be used, by its CNG name, in some modes or at some strengths. */
typedef struct _CRYPTO_SETTINGS {
    eTlsAlgorithmUsage eAlgorithmUsage;
    UNICODE_STRING strCngAlgId;
    DWORD cChainingModes;
    PUNICODE_STRING rgstrChainingModes;
    DWORD dwMinBitLength;
    DWORD dwMaxBitLength;
} CRYPTO_SETTINGS, *PCRYPTO_SETTINGS;

/* What is not to be used, for the given application protocols or for all. */
typedef struct _TLS_PARAMETERS {
    DWORD cAlpnIds;
    PUNICODE_STRING rgstrAlpnIds;
    DWORD grbitDisabledProtocols;
    DWORD cDisabledCrypto;
    PCRYPTO_SETTINGS pDisabledCrypto;
    DWORD dwFlags;
} TLS_PARAMETERS, *PTLS_PARAMETERS;

#define TLS_PARAMS_OPTIONAL 0x00000001

/* The newer form of SCHANNEL_CRED. dwVersion is SCH_CREDENTIALS_VERSION. */
typedef struct _SCH_CREDENTIALS {
    DWORD dwVersion;
    DWORD dwCredFormat;
    DWORD cCreds;
    PCCERT_CONTEXT *paCred;
    HCERTSTORE hRootStore;
    DWORD cMappers;
    struct _HMAPPER **aphMappers;
    DWORD dwSessionLifespan;
    DWORD dwFlags;
    DWORD cTlsParameters;
    PTLS_PARAMETERS pTlsParameters;
} SCH_CREDENTIALS, *PSCH_CREDENTIALS;

#define SCH_CRED_MAX_SUPPORTED_PARAMETERS 16
#define SCH_CRED_MAX_SUPPORTED_ALPN_IDS 16
#define SCH_CRED_MAX_SUPPORTED_CRYPTO_SETTINGS 16
#define SCH_CRED_MAX_SUPPORTED_CHAINING_MODES 16

#endif

/* dwCredFormat. */
#define SCH_CRED_FORMAT_CERT_CONTEXT 0x00000000
#define SCH_CRED_FORMAT_CERT_HASH 0x00000001
#define SCH_CRED_FORMAT_CERT_HASH_STORE 0x00000002

#define SCH_CRED_MAX_STORE_NAME_SIZE 128
#define SCH_CRED_MAX_SUPPORTED_ALGS 256
#define SCH_CRED_MAX_SUPPORTED_CERTS 100

/* dwFlags. */
#define SCH_CRED_NO_SYSTEM_MAPPER 0x00000002
#define SCH_CRED_NO_SERVERNAME_CHECK 0x00000004
#define SCH_CRED_MANUAL_CRED_VALIDATION 0x00000008
#define SCH_CRED_NO_DEFAULT_CREDS 0x00000010
#define SCH_CRED_AUTO_CRED_VALIDATION 0x00000020
#define SCH_CRED_USE_DEFAULT_CREDS 0x00000040
#define SCH_CRED_DISABLE_RECONNECTS 0x00000080
#define SCH_CRED_REVOCATION_CHECK_END_CERT 0x00000100
#define SCH_CRED_REVOCATION_CHECK_CHAIN 0x00000200
#define SCH_CRED_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT 0x00000400
#define SCH_CRED_IGNORE_NO_REVOCATION_CHECK 0x00000800
#define SCH_CRED_IGNORE_REVOCATION_OFFLINE 0x00001000
#define SCH_CRED_RESTRICTED_ROOTS 0x00002000
#define SCH_CRED_REVOCATION_CHECK_CACHE_ONLY 0x00004000
#define SCH_CRED_CACHE_ONLY_URL_RETRIEVAL 0x00008000
#define SCH_CRED_MEMORY_STORE_CERT 0x00010000
#define SCH_CRED_CACHE_ONLY_URL_RETRIEVAL_ON_CREATE 0x00020000
#define SCH_SEND_ROOT_CERT 0x00040000
#define SCH_CRED_SNI_CREDENTIAL 0x00080000
#define SCH_CRED_SNI_ENABLE_OCSP 0x00100000
#define SCH_SEND_AUX_RECORD 0x00200000
#define SCH_USE_STRONG_CRYPTO 0x00400000
#define SCH_USE_PRESHAREDKEY_ONLY 0x00800000
#define SCH_USE_DTLS_ONLY 0x01000000
#define SCH_ALLOW_NULL_ENCRYPTION 0x02000000
#define SCH_CRED_DEFERRED_CRED_VALIDATION 0x04000000

typedef struct _SCHANNEL_CERT_HASH {
    DWORD dwLength;
    DWORD dwFlags;
    HCRYPTPROV hProv;
    BYTE ShaHash[20];
} SCHANNEL_CERT_HASH, *PSCHANNEL_CERT_HASH;

typedef struct _SCHANNEL_CERT_HASH_STORE {
    DWORD dwLength;
    DWORD dwFlags;
    HCRYPTPROV hProv;
    BYTE ShaHash[20];
    WCHAR pwszStoreName[SCH_CRED_MAX_STORE_NAME_SIZE];
} SCHANNEL_CERT_HASH_STORE, *PSCHANNEL_CERT_HASH_STORE;

#define SCH_MACHINE_CERT_HASH 0x00000001

/* The first forms of a credential, of Windows NT 4.0. */

#define SCHANNEL_SECRET_TYPE_CAPI 0x00000001
#define SCHANNEL_SECRET_PRIVKEY 0x00000002
#define SCH_CRED_X509_CERTCHAIN 0x00000001
#define SCH_CRED_X509_CAPI 0x00000002
#define SCH_CRED_CERT_CONTEXT 0x00000003

typedef struct _SCH_CRED {
    DWORD dwVersion;
    DWORD cCreds;
    PVOID *paSecret;
    PVOID *paPublic;
    DWORD cMappers;
    struct _HMAPPER **aphMappers;
} SCH_CRED, *PSCH_CRED;

typedef struct _SCH_CRED_SECRET_CAPI {
    DWORD dwType;
    HCRYPTPROV hProv;
} SCH_CRED_SECRET_CAPI, *PSCH_CRED_SECRET_CAPI;

typedef struct _SCH_CRED_SECRET_PRIVKEY {
    DWORD dwType;
    PBYTE pPrivateKey;
    DWORD cbPrivateKey;
    PSTR pszPassword;
} SCH_CRED_SECRET_PRIVKEY, *PSCH_CRED_SECRET_PRIVKEY;

typedef struct _SCH_CRED_PUBLIC_CERTCHAIN {
    DWORD dwType;
    DWORD cbCertChain;
    PBYTE pCertChain;
} SCH_CRED_PUBLIC_CERTCHAIN, *PSCH_CRED_PUBLIC_CERTCHAIN;

typedef struct _SCH_CRED_PUBLIC_CAPI {
    DWORD dwType;
    HCRYPTPROV hProv;
} SCH_CRED_PUBLIC_CAPI, *PSCH_CRED_PUBLIC_CAPI;

typedef struct _SSL_CREDENTIAL_CERTIFICATE {
    DWORD cbPrivateKey;
    PBYTE pPrivateKey;
    DWORD cbCertificate;
    PBYTE pCertificate;
    PSTR pszPassword;
} SSL_CREDENTIAL_CERTIFICATE, *PSSL_CREDENTIAL_CERTIFICATE;

#define CERT_SCHANNEL_IIS_PRIVATE_KEY_PROP_ID (CERT_FIRST_USER_PROP_ID + 0)
#define CERT_SCHANNEL_IIS_PASSWORD_PROP_ID (CERT_FIRST_USER_PROP_ID + 1)
#define CERT_SCHANNEL_SGC_CERTIFICATE_PROP_ID (CERT_FIRST_USER_PROP_ID + 2)

/* Attributes of Schannel's contexts and credentials, each with the structure that goes with it. */

#define SECPKG_ATTR_ISSUER_LIST 0x50                           /* SecPkgContext_IssuerListInfo */
#define SECPKG_ATTR_REMOTE_CRED 0x51                           /* SecPkgContext_RemoteCredentialInfo */
#define SECPKG_ATTR_LOCAL_CRED 0x52                            /* SecPkgContext_LocalCredentialInfo */
#define SECPKG_ATTR_REMOTE_CERT_CONTEXT 0x53                   /* PCCERT_CONTEXT */
#define SECPKG_ATTR_LOCAL_CERT_CONTEXT 0x54                    /* PCCERT_CONTEXT */
#define SECPKG_ATTR_ROOT_STORE 0x55                            /* HCERTSTORE */
#define SECPKG_ATTR_SUPPORTED_ALGS 0x56                        /* SecPkgCred_SupportedAlgs */
#define SECPKG_ATTR_CIPHER_STRENGTHS 0x57                      /* SecPkgCred_CipherStrengths */
#define SECPKG_ATTR_SUPPORTED_PROTOCOLS 0x58                   /* SecPkgCred_SupportedProtocols */
#define SECPKG_ATTR_ISSUER_LIST_EX 0x59                        /* SecPkgContext_IssuerListInfoEx */
#define SECPKG_ATTR_CONNECTION_INFO 0x5A                       /* SecPkgContext_ConnectionInfo */
#define SECPKG_ATTR_EAP_KEY_BLOCK 0x5B                         /* SecPkgContext_EapKeyBlock */
#define SECPKG_ATTR_MAPPED_CRED_ATTR 0x5C                      /* SecPkgContext_MappedCredAttr */
#define SECPKG_ATTR_SESSION_INFO 0x5D                          /* SecPkgContext_SessionInfo */
#define SECPKG_ATTR_APP_DATA 0x5E                              /* SecPkgContext_SessionAppData */
#define SECPKG_ATTR_REMOTE_CERTIFICATES 0x5F                   /* SecPkgContext_Certificates */
#define SECPKG_ATTR_CLIENT_CERT_POLICY 0x60                    /* SecPkgCred_ClientCertPolicy, to be set */
#define SECPKG_ATTR_CC_POLICY_RESULT 0x61                      /* SecPkgContext_ClientCertPolicyResult */
#define SECPKG_ATTR_USE_NCRYPT 0x62                            /* to be set: private keys come through CNG */
#define SECPKG_ATTR_LOCAL_CERT_INFO 0x63                       /* SecPkgContext_CertInfo */
#define SECPKG_ATTR_CIPHER_INFO 0x64                           /* SecPkgContext_CipherInfo */
#define SECPKG_ATTR_EAP_PRF_INFO 0x65                          /* SecPkgContext_EapPrfInfo */
#define SECPKG_ATTR_SUPPORTED_SIGNATURES 0x66                  /* SecPkgContext_SupportedSignatures */
#define SECPKG_ATTR_REMOTE_CERT_CHAIN 0x67                     /* PCCERT_CONTEXT */
#define SECPKG_ATTR_UI_INFO 0x68                               /* SecPkgContext_UiInfo, to be set */
#define SECPKG_ATTR_EARLY_START 0x69                           /* SecPkgContext_EarlyStart, to be set */
#define SECPKG_ATTR_KEYING_MATERIAL_INFO 0x6A                  /* SecPkgContext_KeyingMaterialInfo, to be set */
#define SECPKG_ATTR_KEYING_MATERIAL 0x6B                       /* SecPkgContext_KeyingMaterial */
#define SECPKG_ATTR_SRTP_PARAMETERS 0x6C                       /* SecPkgContext_SrtpParameters */
#define SECPKG_ATTR_TOKEN_BINDING 0x6D                         /* SecPkgContext_TokenBinding */
#define SECPKG_ATTR_CONNECTION_INFO_EX 0x6E                    /* SecPkgContext_ConnectionInfoEx */
#define SECPKG_ATTR_KEYING_MATERIAL_TOKEN_BINDING 0x6F         /* SecPkgContext_KeyingMaterial */
#define SECPKG_ATTR_KEYING_MATERIAL_INPROC 0x70                /* SecPkgContext_KeyingMaterial_Inproc */
#define SECPKG_ATTR_CERT_CHECK_RESULT 0x71                     /* SecPkgContext_CertificateValidationResult */
#define SECPKG_ATTR_CERT_CHECK_RESULT_INPROC 0x72              /* the same, after the handshake */
#define SECPKG_ATTR_SESSION_TICKET_KEYS 0x73                   /* SecPkgCred_SessionTicketKeys, to be set */
#define SECPKG_ATTR_SERIALIZED_REMOTE_CERT_CONTEXT_INPROC 0x74 /* CERT_BLOB, after the handshake */
#define SECPKG_ATTR_SERIALIZED_REMOTE_CERT_CONTEXT 0x75        /* CERT_BLOB */

/* The connection, by numbers. Strengths are bits. */
typedef struct _SecPkgContext_ConnectionInfo {
    DWORD dwProtocol; /* one SP_PROT_ bit */
    ALG_ID aiCipher;
    DWORD dwCipherStrength;
    ALG_ID aiHash;
    DWORD dwHashStrength;
    ALG_ID aiExch;
    DWORD dwExchStrength; /* 0: not known, of a client that resumed a DHE connection */
} SecPkgContext_ConnectionInfo, *PSecPkgContext_ConnectionInfo;

#ifndef SZ_ALG_MAX_SIZE
#define SZ_ALG_MAX_SIZE 64
#endif

#define SECPKGCONTEXT_CONNECTION_INFO_EX_V1 1

/* The connection, by names. */
typedef struct _SecPkgContext_ConnectionInfoEx {
    DWORD dwVersion;
    DWORD dwProtocol;
    WCHAR szCipher[SZ_ALG_MAX_SIZE];
    DWORD dwCipherStrength;
    WCHAR szHash[SZ_ALG_MAX_SIZE];
    DWORD dwHashStrength;
    WCHAR szExchange[SZ_ALG_MAX_SIZE];
    DWORD dwExchStrength; /* 0: not known, of a client that resumed a DHE connection */
} SecPkgContext_ConnectionInfoEx, *PSecPkgContext_ConnectionInfoEx;

#define SECPKGCONTEXT_CIPHERINFO_V1 1

/* The cipher suite. dwCipherSuite is its IANA number; lengths are bits, the block length is bytes. */
typedef struct _SecPkgContext_CipherInfo {
    DWORD dwVersion;
    DWORD dwProtocol;
    DWORD dwCipherSuite;
    DWORD dwBaseCipherSuite;
    WCHAR szCipherSuite[SZ_ALG_MAX_SIZE];
    WCHAR szCipher[SZ_ALG_MAX_SIZE];
    DWORD dwCipherLen;
    DWORD dwCipherBlockLen;
    WCHAR szHash[SZ_ALG_MAX_SIZE];
    DWORD dwHashLen;
    WCHAR szExchange[SZ_ALG_MAX_SIZE];
    DWORD dwMinExchangeLen;
    DWORD dwMaxExchangeLen;
    WCHAR szCertificate[SZ_ALG_MAX_SIZE];
    DWORD dwKeyType;
} SecPkgContext_CipherInfo, *PSecPkgContext_CipherInfo;

typedef struct _SecPkgContext_IssuerListInfo {
    DWORD cbIssuerList;
    PBYTE pIssuerList;
} SecPkgContext_IssuerListInfo, *PSecPkgContext_IssuerListInfo;

/* Names of the issuers that a server accepts; one block, freed through aIssuers. */
typedef struct _SecPkgContext_IssuerListInfoEx {
    PCERT_NAME_BLOB aIssuers;
    DWORD cIssuers;
} SecPkgContext_IssuerListInfoEx, *PSecPkgContext_IssuerListInfoEx;

typedef struct _SecPkgContext_RemoteCredentialInfo {
    DWORD cbCertificateChain;
    PBYTE pbCertificateChain;
    DWORD cCertificates;
    DWORD fFlags;
    DWORD dwBits;
} SecPkgContext_RemoteCredentialInfo, *PSecPkgContext_RemoteCredentialInfo;

/* Windows' header has this name misspelled first; both are in use. */
typedef SecPkgContext_RemoteCredentialInfo SecPkgContext_RemoteCredenitalInfo, *PSecPkgContext_RemoteCredenitalInfo;

#define RCRED_STATUS_NOCRED 0x00000000
#define RCRED_CRED_EXISTS 0x00000001
#define RCRED_STATUS_UNKNOWN_ISSUER 0x00000002

typedef struct _SecPkgContext_LocalCredentialInfo {
    DWORD cbCertificateChain;
    PBYTE pbCertificateChain;
    DWORD cCertificates;
    DWORD fFlags;
    DWORD dwBits;
} SecPkgContext_LocalCredentialInfo, *PSecPkgContext_LocalCredentialInfo;

typedef SecPkgContext_LocalCredentialInfo SecPkgContext_LocalCredenitalInfo, *PSecPkgContext_LocalCredenitalInfo;

#define LCRED_STATUS_NOCRED 0x00000000
#define LCRED_CRED_EXISTS 0x00000001
#define LCRED_STATUS_UNKNOWN_ISSUER 0x00000002

/* The peer's chain: certificates one after the other, each behind a DWORD with its length. */
typedef struct _SecPkgContext_Certificates {
    DWORD cCertificates;
    DWORD cbCertificateChain;
    PBYTE pbCertificateChain;
} SecPkgContext_Certificates, *PSecPkgContext_Certificates;

typedef struct _SecPkgContext_CertInfo {
    DWORD dwVersion;
    DWORD cbSubjectName;
    LPWSTR pwszSubjectName;
    DWORD cbIssuerName;
    LPWSTR pwszIssuerName;
    DWORD dwKeySize;
} SecPkgContext_CertInfo, *PSecPkgContext_CertInfo;

#define KERN_CONTEXT_CERT_INFO_V1 0x00000000

typedef struct _SecPkgContext_CertificateValidationResult {
    DWORD dwChainErrorStatus;
    HRESULT hrVerifyChainStatus;
} SecPkgContext_CertificateValidationResult, *PSecPkgContext_CertificateValidationResult;

typedef struct _SecPkgContext_ClientCertPolicyResult {
    HRESULT dwPolicyResult;
    GUID guidPolicyId;
} SecPkgContext_ClientCertPolicyResult, *PSecPkgContext_ClientCertPolicyResult;

typedef struct _SecPkgContext_EapKeyBlock {
    BYTE rgbKeys[128];
    BYTE rgbIVs[64];
} SecPkgContext_EapKeyBlock, *PSecPkgContext_EapKeyBlock;

typedef struct _SecPkgContext_EapPrfInfo {
    DWORD dwVersion;
    DWORD cbPrfData;
    PBYTE pbPrfData;
} SecPkgContext_EapPrfInfo, *PSecPkgContext_EapPrfInfo;

typedef struct _SecPkgContext_MappedCredAttr {
    DWORD dwAttribute;
    PVOID pvBuffer;
} SecPkgContext_MappedCredAttr, *PSecPkgContext_MappedCredAttr;

typedef struct _SecPkgContext_SessionInfo {
    DWORD dwFlags;
    DWORD cbSessionId;
    BYTE rgbSessionId[32];
} SecPkgContext_SessionInfo, *PSecPkgContext_SessionInfo;

#define SSL_SESSION_RECONNECT 1

/* What a program keeps with a session; those who resume it find it. dwFlags is 0. To be set on an established context; where nothing was set,
 * cbAppData comes back 0. pbAppData is the caller's to free (FreeContextBuffer) when it was asked for. */
typedef struct _SecPkgContext_SessionAppData {
    DWORD dwFlags;
    DWORD cbAppData;
    PBYTE pbAppData;
} SecPkgContext_SessionAppData, *PSecPkgContext_SessionAppData;

/* Pairs of an eTlsHashAlgorithm (low byte) and an eTlsSignatureAlgorithm (high byte); TLS 1.3's schemes have the first byte of the wire as the low
 * one. The array is the caller's to free (FreeContextBuffer). */
typedef struct _SecPkgContext_SupportedSignatures {
    WORD cSignatureAndHashAlgorithms;
    WORD *pSignatureAndHashAlgorithms;
} SecPkgContext_SupportedSignatures, *PSecPkgContext_SupportedSignatures;

typedef enum _eTlsSignatureAlgorithm {
    TlsSignatureAlgorithm_Anonymous = 0,
    TlsSignatureAlgorithm_Rsa = 1,
    TlsSignatureAlgorithm_Dsa = 2,
    TlsSignatureAlgorithm_Ecdsa = 3
} eTlsSignatureAlgorithm;

typedef enum _eTlsHashAlgorithm {
    TlsHashAlgorithm_None = 0,
    TlsHashAlgorithm_Md5 = 1,
    TlsHashAlgorithm_Sha1 = 2,
    TlsHashAlgorithm_Sha224 = 3,
    TlsHashAlgorithm_Sha256 = 4,
    TlsHashAlgorithm_Sha384 = 5,
    TlsHashAlgorithm_Sha512 = 6
} eTlsHashAlgorithm;

typedef struct _SecPkgContext_UiInfo {
    HWND hParentWindow;
} SecPkgContext_UiInfo, *PSecPkgContext_UiInfo;

typedef struct _SecPkgContext_EarlyStart {
    DWORD dwEarlyStartFlags;
} SecPkgContext_EarlyStart, *PSecPkgContext_EarlyStart;

#define ENABLE_TLS_CLIENT_EARLY_START 0x00000001

/* RFC 5705: which keying material is to be exported. */
typedef struct _SecPkgContext_KeyingMaterialInfo {
    WORD cbLabel;
    LPSTR pszLabel;
    WORD cbContextValue;
    PBYTE pbContextValue;
    DWORD cbKeyingMaterial;
} SecPkgContext_KeyingMaterialInfo, *PSecPkgContext_KeyingMaterialInfo;

typedef struct _SecPkgContext_KeyingMaterial {
    DWORD cbKeyingMaterial;
    PBYTE pbKeyingMaterial;
} SecPkgContext_KeyingMaterial, *PSecPkgContext_KeyingMaterial;

typedef struct _SecPkgContext_KeyingMaterial_Inproc {
    WORD cbLabel;
    LPSTR pszLabel;
    WORD cbContextValue;
    PBYTE pbContextValue;
    DWORD cbKeyingMaterial;
    PBYTE pbKeyingMaterial;
} SecPkgContext_KeyingMaterial_Inproc, *PSecPkgContext_KeyingMaterial_Inproc;

/* The profile that DTLS agreed on (RFC 5764), by its IANA number; MasterKeyIdentifier is NULL here. */
typedef struct _SecPkgContext_SrtpParameters {
    WORD ProtectionProfile;
    BYTE MasterKeyIdentifierSize;
    PBYTE MasterKeyIdentifier;
} SecPkgContext_SrtpParameters, *PSecPkgContext_SrtpParameters;

typedef struct _SecPkgContext_TokenBinding {
    BYTE MajorVersion;
    BYTE MinorVersion;
    WORD KeyParametersSize;
    PBYTE KeyParameters;
} SecPkgContext_TokenBinding, *PSecPkgContext_TokenBinding;

/* Structures of a credential's attributes. */

typedef struct _SecPkgCred_SupportedAlgs {
    DWORD cSupportedAlgs;
    ALG_ID *palgSupportedAlgs;
} SecPkgCred_SupportedAlgs, *PSecPkgCred_SupportedAlgs;

typedef struct _SecPkgCred_CipherStrengths {
    DWORD dwMinimumCipherStrength;
    DWORD dwMaximumCipherStrength;
} SecPkgCred_CipherStrengths, *PSecPkgCred_CipherStrengths;

typedef struct _SecPkgCred_SupportedProtocols {
    DWORD grbitProtocol;
} SecPkgCred_SupportedProtocols, *PSecPkgCred_SupportedProtocols;

typedef struct _SecPkgCred_ClientCertPolicy {
    DWORD dwFlags;
    GUID guidPolicyId;
    DWORD dwCertFlags;
    DWORD dwUrlRetrievalTimeout;
    BOOL fCheckRevocationFreshnessTime;
    DWORD dwRevocationFreshnessTime;
    BOOL fOmitUsageCheck;
    LPWSTR pwszSslCtlStoreName;
    LPWSTR pwszSslCtlIdentifier;
} SecPkgCred_ClientCertPolicy, *PSecPkgCred_ClientCertPolicy;

#define SESSION_TICKET_INFO_V0 0
#define SESSION_TICKET_INFO_VERSION SESSION_TICKET_INFO_V0

/* A key of session tickets that several servers share. KeyId tells keys apart and stands in each ticket; KeyingMaterialSize bytes of KeyingMaterial,
 * 32 to 64, are random and secret. The first of SecPkgCred_SessionTicketKeys makes tickets, all of them, at most 16, open; they count at once, also
 * for contexts whose handshake is under way. */
typedef struct _SecPkgCred_SessionTicketKey {
    DWORD TicketInfoVersion;
    BYTE KeyId[16];
    BYTE KeyingMaterial[64];
    BYTE KeyingMaterialSize;
} SecPkgCred_SessionTicketKey, *PSecPkgCred_SessionTicketKey;

typedef struct _SecPkgCred_SessionTicketKeys {
    DWORD cSessionTicketKeys;
    PSecPkgCred_SessionTicketKey pSessionTicketKeys;
} SecPkgCred_SessionTicketKeys, *PSecPkgCred_SessionTicketKeys;

/* Contents of typed buffers: TLS extensions that the library does not know itself. */

typedef struct _SEND_GENERIC_TLS_EXTENSION {
    WORD ExtensionType;
    WORD HandshakeType;
    DWORD Flags;
    WORD BufferSize;
    UCHAR Buffer[ANYSIZE_ARRAY];
} SEND_GENERIC_TLS_EXTENSION, *PSEND_GENERIC_TLS_EXTENSION;

typedef struct _TLS_EXTENSION_SUBSCRIPTION {
    WORD ExtensionType;
    WORD HandshakeType;
} TLS_EXTENSION_SUBSCRIPTION, *PTLS_EXTENSION_SUBSCRIPTION;

typedef struct _SUBSCRIBE_GENERIC_TLS_EXTENSION {
    DWORD Flags;
    DWORD SubscriptionsCount;
    TLS_EXTENSION_SUBSCRIPTION Subscriptions[ANYSIZE_ARRAY];
} SUBSCRIBE_GENERIC_TLS_EXTENSION, *PSUBSCRIBE_GENERIC_TLS_EXTENSION;

#define SCH_MAX_EXT_SUBSCRIPTIONS 2

/* Control tokens for ApplyControlToken: a DWORD with the type, and what goes with it. */

#define SCHANNEL_RENEGOTIATE 0
#define SCHANNEL_SHUTDOWN 1
#define SCHANNEL_ALERT 2
#define SCHANNEL_SESSION 3

typedef struct _SCHANNEL_ALERT_TOKEN {
    DWORD dwTokenType;
    DWORD dwAlertType;
    DWORD dwAlertNumber;
} SCHANNEL_ALERT_TOKEN;

typedef struct _SCHANNEL_SESSION_TOKEN {
    DWORD dwTokenType;
    DWORD dwFlags;
} SCHANNEL_SESSION_TOKEN;

#define SSL_SESSION_ENABLE_RECONNECTS 1
#define SSL_SESSION_DISABLE_RECONNECTS 2

typedef struct _SCHANNEL_CLIENT_SIGNATURE {
    DWORD cbLength;
    ALG_ID aiHash;
    DWORD cbHash;
    BYTE HashValue[36];
    BYTE CertThumbprint[20];
} SCHANNEL_CLIENT_SIGNATURE, *PSCHANNEL_CLIENT_SIGNATURE;

/* Alerts (RFC 8446, section 6). */

#define TLS1_ALERT_WARNING 1
#define TLS1_ALERT_FATAL 2

#define TLS1_ALERT_CLOSE_NOTIFY 0
#define TLS1_ALERT_UNEXPECTED_MESSAGE 10
#define TLS1_ALERT_BAD_RECORD_MAC 20
#define TLS1_ALERT_DECRYPTION_FAILED 21
#define TLS1_ALERT_RECORD_OVERFLOW 22
#define TLS1_ALERT_DECOMPRESSION_FAIL 30
#define TLS1_ALERT_HANDSHAKE_FAILURE 40
#define TLS1_ALERT_BAD_CERTIFICATE 42
#define TLS1_ALERT_UNSUPPORTED_CERT 43
#define TLS1_ALERT_CERTIFICATE_REVOKED 44
#define TLS1_ALERT_CERTIFICATE_EXPIRED 45
#define TLS1_ALERT_CERTIFICATE_UNKNOWN 46
#define TLS1_ALERT_ILLEGAL_PARAMETER 47
#define TLS1_ALERT_UNKNOWN_CA 48
#define TLS1_ALERT_ACCESS_DENIED 49
#define TLS1_ALERT_DECODE_ERROR 50
#define TLS1_ALERT_DECRYPT_ERROR 51
#define TLS1_ALERT_EXPORT_RESTRICTION 60
#define TLS1_ALERT_PROTOCOL_VERSION 70
#define TLS1_ALERT_INSUFFIENT_SECURITY 71
#define TLS1_ALERT_INTERNAL_ERROR 80
#define TLS1_ALERT_USER_CANCELED 90
#define TLS1_ALERT_NO_RENEGOTIATION 100
#define TLS1_ALERT_UNSUPPORTED_EXT 110
#define TLS1_ALERT_UNKNOWN_PSK_IDENTITY 115
#define TLS1_ALERT_NO_APP_PROTOCOL 120

/* A certificate taken apart. */

typedef struct _PctPublicKey {
    DWORD Type;
    DWORD cbKey;
    UCHAR pKey[1];
} PctPublicKey;

typedef struct _X509Certificate {
    DWORD Version;
    DWORD SerialNumber[4];
    ALG_ID SignatureAlgorithm;
    FILETIME ValidFrom;
    FILETIME ValidUntil;
    PSTR pszIssuer;
    PSTR pszSubject;
    PctPublicKey *pPublicKey;
} X509Certificate, *PX509Certificate;

/*
 * SslEmptyCacheW forgets cached TLS sessions, so that the next handshake is a full one.
 *
 * pszTargetName  forget the sessions with this server only, in any case of its letters, with a last dot or without it; NULL forgets all of this
 *                process.
 * dwFlags        0.
 *
 * Returns TRUE; FALSE when nothing could be done.
 *
 * Source: Microsoft SSPI reference, SslEmptyCache.
 */
BOOL SslEmptyCacheW(LPWSTR pszTargetName, DWORD dwFlags);

typedef BOOL (*SSL_EMPTY_CACHE_FN_W)(LPWSTR pszTargetName, DWORD dwFlags);

/* SslEmptyCacheA does what SslEmptyCacheW does, in UTF-8. */
BOOL SslEmptyCacheA(LPSTR pszTargetName, DWORD dwFlags);

typedef BOOL (*SSL_EMPTY_CACHE_FN_A)(LPSTR pszTargetName, DWORD dwFlags);

#define SslEmptyCache OPENSSPI_AW(SslEmptyCache)
#define SSL_EMPTY_CACHE_FN OPENSSPI_AW_(SSL_EMPTY_CACHE_FN)

/*
 * SslCrackCertificate takes a certificate apart.
 *
 * pbCertificate is cbCertificate bytes of DER and stays the caller's. dwFlags is not looked at.
 * ppCertificate receives the result, to be freed with SslFreeCertificate: names as CERT_X500_NAME_STR gives them, of the serial number the first 16
 * bytes, lowest first; of the key the bits of its subjectPublicKey, with the Type CALG_RSA_KEYX or, for other keys, 0.
 *
 * Returns TRUE; FALSE when the certificate is malformed, or memory is short; *ppCertificate is untouched
 * then.
 *
 * Source: Microsoft SSPI reference, SslCrackCertificate.
 */
BOOL SslCrackCertificate(PUCHAR pbCertificate, DWORD cbCertificate, DWORD dwFlags, PX509Certificate *ppCertificate);

typedef BOOL(WINAPI *SSL_CRACK_CERTIFICATE_FN)(PUCHAR pbCertificate, DWORD cbCertificate, BOOL VerifySignature,
                                               PX509Certificate *ppCertificate);

/*
 * SslFreeCertificate frees what SslCrackCertificate returned. NULL is allowed.
 *
 * Source: Microsoft SSPI reference, SslFreeCertificate.
 */
VOID SslFreeCertificate(PX509Certificate pCertificate);

typedef VOID(WINAPI *SSL_FREE_CERTIFICATE_FN)(PX509Certificate pCertificate);

#define SSL_CRACK_CERTIFICATE_NAME TEXT("SslCrackCertificate")
#define SSL_FREE_CERTIFICATE_NAME TEXT("SslFreeCertificate")

/*
 * SslGenerateKeyPair would make a key pair and a certificate request; openssl and certtool do.
 *
 * pCerts would receive both, in memory that the caller frees. pszDN is the distinguished name for the request,
 * pszPassword protects the private key, Bits is the length of the key.
 *
 * Returns FALSE. *pCerts is untouched.
 *
 * Source: Microsoft SSPI reference, SslGenerateKeyPair.
 */
BOOL SslGenerateKeyPair(PSSL_CREDENTIAL_CERTIFICATE pCerts, PSTR pszDN, PSTR pszPassword, DWORD Bits);

/*
 * SslGetMaximumKeySize tells the longest key, in bits, that may be used for key exchange. Reserved is 0.
 *
 * Returns the number of bits: 16384, OpenSSL's bound.
 *
 * Source: Microsoft SSPI reference, SslGetMaximumKeySize.
 */
DWORD WINAPI SslGetMaximumKeySize(DWORD Reserved);

/*
 * SslGetDefaultIssuers lists the names of the issuers that this computer trusts.
 *
 * pbIssuers has room for *pcbIssuers bytes; NULL asks for the size. pcbIssuers receives the bytes used or
 * needed. The list is TLS's: names in DER, each behind two bytes with its length; as many of the store ROOT's as fit into 65535 bytes.
 *
 * Returns TRUE; FALSE when the room does not suffice, or nobody is trusted.
 *
 * Source: Microsoft SSPI reference, SslGetDefaultIssuers.
 */
BOOL SslGetDefaultIssuers(PBYTE pbIssuers, DWORD *pcbIssuers);

/*
 * SslGetServerIdentity finds the server name that a TLS client asks for.
 *
 * ClientHello         what the client sent first, ClientHelloSize bytes; it stays the caller's.
 * ServerIdentity      receives a pointer to the name inside ClientHello, not terminated.
 * ServerIdentitySize  receives its length in bytes.
 * Flags               0.
 *
 * Returns SEC_E_OK, with NULL and 0 where the client names none; SEC_E_INCOMPLETE_MESSAGE when more bytes are needed; SEC_E_INVALID_TOKEN
 * when it is no client hello, or one over several records; SEC_E_INVALID_PARAMETER.
 *
 * Source: Microsoft SSPI reference, SslGetServerIdentity.
 */
SECURITY_STATUS WINAPI SslGetServerIdentity(PBYTE ClientHello, DWORD ClientHelloSize, PBYTE *ServerIdentity,
                                            PDWORD ServerIdentitySize, DWORD Flags);

typedef SECURITY_STATUS(WINAPI *SslGetServerIdentityFn)(PBYTE ClientHello, DWORD ClientHelloSize, PBYTE *ServerIdentity,
                                                        PDWORD ServerIdentitySize, DWORD Flags);

/* An extension of a client hello. pExtData points into the client hello. */
typedef struct _SCH_EXTENSION_DATA {
    WORD ExtensionType;
    const BYTE *pExtData;
    DWORD cbExtData;
} SCH_EXTENSION_DATA;

typedef enum _SchGetExtensionsOptions {
    SCH_EXTENSIONS_OPTIONS_NONE = 0x0,
    SCH_NO_RECORD_HEADER = 0x1 /* clientHello begins with the handshake message */
} SchGetExtensionsOptions;

/*
 * SslGetExtensions finds extensions of a TLS client hello.
 *
 * clientHello            what the client sent first, clientHelloByteSize bytes; it stays the caller's.
 * genericExtensions      in: the types wanted. Out: where their data is; NULL and 0 for one that is not
 *                        there.
 * genericExtensionsCount number of them.
 * bytesToRead            receives how many more bytes are needed at least, with SEC_E_INCOMPLETE_MESSAGE; may be NULL.
 * flags                  SchGetExtensionsOptions.
 *
 * Returns SEC_E_OK; SEC_E_INCOMPLETE_MESSAGE; SEC_E_INVALID_TOKEN when it is no client hello, or one over several records;
 * SEC_E_INVALID_PARAMETER.
 *
 * Source: Microsoft SSPI reference, SslGetExtensions.
 */
SECURITY_STATUS WINAPI SslGetExtensions(const BYTE *clientHello, DWORD clientHelloByteSize,
                                        SCH_EXTENSION_DATA *genericExtensions, BYTE genericExtensionsCount,
                                        DWORD *bytesToRead, SchGetExtensionsOptions flags);

typedef SECURITY_STATUS(WINAPI *SslGetExtensionsFn)(const BYTE *clientHello, DWORD clientHelloByteSize,
                                                    SCH_EXTENSION_DATA *genericExtensions, BYTE genericExtensionsCount,
                                                    DWORD *bytesToRead, SchGetExtensionsOptions flags);

OPENSSPI_END_DECLS

#endif
