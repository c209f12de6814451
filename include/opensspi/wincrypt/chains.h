/*
 * wincrypt/chains.h: chains of certificates, and whether to trust them. Include <wincrypt.h>, not this file.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WINCRYPT_CHAINS_H
#define OPENSSPI_WINCRYPT_CHAINS_H

#include "certificates.h"

OPENSSPI_BEGIN_DECLS

typedef struct _CERT_TRUST_STATUS {
    DWORD dwErrorStatus;
    DWORD dwInfoStatus;
} CERT_TRUST_STATUS, *PCERT_TRUST_STATUS;

/* dwErrorStatus. */
#define CERT_TRUST_NO_ERROR 0x00000000
#define CERT_TRUST_IS_NOT_TIME_VALID 0x00000001
#define CERT_TRUST_IS_NOT_TIME_NESTED 0x00000002
#define CERT_TRUST_IS_REVOKED 0x00000004
#define CERT_TRUST_IS_NOT_SIGNATURE_VALID 0x00000008
#define CERT_TRUST_IS_NOT_VALID_FOR_USAGE 0x00000010
#define CERT_TRUST_IS_UNTRUSTED_ROOT 0x00000020
#define CERT_TRUST_REVOCATION_STATUS_UNKNOWN 0x00000040
#define CERT_TRUST_IS_CYCLIC 0x00000080
#define CERT_TRUST_INVALID_EXTENSION 0x00000100
#define CERT_TRUST_INVALID_POLICY_CONSTRAINTS 0x00000200
#define CERT_TRUST_INVALID_BASIC_CONSTRAINTS 0x00000400
#define CERT_TRUST_INVALID_NAME_CONSTRAINTS 0x00000800
#define CERT_TRUST_HAS_NOT_SUPPORTED_NAME_CONSTRAINT 0x00001000
#define CERT_TRUST_HAS_NOT_DEFINED_NAME_CONSTRAINT 0x00002000
#define CERT_TRUST_HAS_NOT_PERMITTED_NAME_CONSTRAINT 0x00004000
#define CERT_TRUST_HAS_EXCLUDED_NAME_CONSTRAINT 0x00008000
#define CERT_TRUST_IS_PARTIAL_CHAIN 0x00010000
#define CERT_TRUST_CTL_IS_NOT_TIME_VALID 0x00020000
#define CERT_TRUST_CTL_IS_NOT_SIGNATURE_VALID 0x00040000
#define CERT_TRUST_CTL_IS_NOT_VALID_FOR_USAGE 0x00080000
#define CERT_TRUST_HAS_WEAK_SIGNATURE 0x00100000
#define CERT_TRUST_IS_OFFLINE_REVOCATION 0x01000000
#define CERT_TRUST_NO_ISSUANCE_CHAIN_POLICY 0x02000000
#define CERT_TRUST_IS_EXPLICIT_DISTRUST 0x04000000
#define CERT_TRUST_HAS_NOT_SUPPORTED_CRITICAL_EXT 0x08000000

/* dwInfoStatus. */
#define CERT_TRUST_HAS_EXACT_MATCH_ISSUER 0x00000001
#define CERT_TRUST_HAS_KEY_MATCH_ISSUER 0x00000002
#define CERT_TRUST_HAS_NAME_MATCH_ISSUER 0x00000004
#define CERT_TRUST_IS_SELF_SIGNED 0x00000008
#define CERT_TRUST_HAS_PREFERRED_ISSUER 0x00000100
#define CERT_TRUST_IS_FROM_EXCLUSIVE_TRUST_STORE 0x00002000

/* Why a certificate's revocation status is what it is; this library gives none (pRevocationInfo is NULL). */
typedef struct _CERT_REVOCATION_INFO CERT_REVOCATION_INFO, *PCERT_REVOCATION_INFO;
/* Of trust lists, which this library has not. */
typedef struct _CERT_TRUST_LIST_INFO CERT_TRUST_LIST_INFO, *PCERT_TRUST_LIST_INFO;

/* One certificate of a chain. pApplicationUsage is what it is good for after the whole chain above it; NULL: for anything. */
typedef struct _CERT_CHAIN_ELEMENT {
    DWORD cbSize;
    PCCERT_CONTEXT pCertContext;
    CERT_TRUST_STATUS TrustStatus;
    PCERT_REVOCATION_INFO pRevocationInfo;
    PCERT_ENHKEY_USAGE pIssuanceUsage;
    PCERT_ENHKEY_USAGE pApplicationUsage;
    LPCWSTR pwszExtendedErrorInfo;
} CERT_CHAIN_ELEMENT, *PCERT_CHAIN_ELEMENT;

typedef const CERT_CHAIN_ELEMENT *PCCERT_CHAIN_ELEMENT;

/* The end certificate first, the root last. */
typedef struct _CERT_SIMPLE_CHAIN {
    DWORD cbSize;
    CERT_TRUST_STATUS TrustStatus;
    DWORD cElement;
    PCERT_CHAIN_ELEMENT *rgpElement;
    PCERT_TRUST_LIST_INFO pTrustListInfo;
    BOOL fHasRevocationFreshnessTime;
    DWORD dwRevocationFreshnessTime;
} CERT_SIMPLE_CHAIN, *PCERT_SIMPLE_CHAIN;

typedef const CERT_SIMPLE_CHAIN *PCCERT_SIMPLE_CHAIN;

typedef struct _CERT_CHAIN_CONTEXT CERT_CHAIN_CONTEXT, *PCERT_CHAIN_CONTEXT;
typedef const CERT_CHAIN_CONTEXT *PCCERT_CHAIN_CONTEXT;

/* There is always one simple chain here, and none of lower quality. */
struct _CERT_CHAIN_CONTEXT {
    DWORD cbSize;
    CERT_TRUST_STATUS TrustStatus;
    DWORD cChain;
    PCERT_SIMPLE_CHAIN *rgpChain;
    DWORD cLowerQualityChainContext;
    PCCERT_CHAIN_CONTEXT *rgpLowerQualityChainContext;
    BOOL fHasRevocationFreshnessTime;
    DWORD dwRevocationFreshnessTime;
    DWORD dwCreateFlags;
    GUID ChainId;
};

/* Chain engines: whose roots count. */
typedef HANDLE HCERTCHAINENGINE;

#define HCCE_CURRENT_USER ((HCERTCHAINENGINE)NULL)
#define HCCE_LOCAL_MACHINE ((HCERTCHAINENGINE)0x1)

/* hRestrictedRoot, when given, must hold the root as well as the system's store ROOT; hExclusiveRoot counts instead of it. Of the members from
 * hRestrictedTrust to rghAdditionalStore the additional stores count; limits of time and memory have no meaning here. */
typedef struct _CERT_CHAIN_ENGINE_CONFIG {
    DWORD cbSize;
    HCERTSTORE hRestrictedRoot;
    HCERTSTORE hRestrictedTrust;
    HCERTSTORE hRestrictedOther;
    DWORD cAdditionalStore;
    HCERTSTORE *rghAdditionalStore;
    DWORD dwFlags;
    DWORD dwUrlRetrievalTimeout;
    DWORD MaximumCachedCertificates;
    DWORD CycleDetectionModulus;
    HCERTSTORE hExclusiveRoot;
    HCERTSTORE hExclusiveTrustedPeople;
    DWORD dwExclusiveFlags;
} CERT_CHAIN_ENGINE_CONFIG, *PCERT_CHAIN_ENGINE_CONFIG;

/*
 * CertCreateCertificateChainEngine makes a chain engine with roots of its own.
 *
 * pConfig        cbSize may be that of the older, shorter forms. hRestrictedTrust, hRestrictedOther and hExclusiveTrustedPeople must be NULL. Stores
 *                are referenced, not copied.
 * phChainEngine  receives the engine, for CertFreeCertificateChainEngine.
 *
 * Returns TRUE; FALSE with E_INVALIDARG.
 *
 * Source: Microsoft, CertCreateCertificateChainEngine.
 */
BOOL WINAPI CertCreateCertificateChainEngine(PCERT_CHAIN_ENGINE_CONFIG pConfig, HCERTCHAINENGINE *phChainEngine);

/*
 * CertFreeCertificateChainEngine frees an engine. NULL, HCCE_LOCAL_MACHINE and what is not, or no longer, an engine of this library are left alone.
 *
 * Source: Microsoft, CertFreeCertificateChainEngine.
 */
VOID WINAPI CertFreeCertificateChainEngine(HCERTCHAINENGINE hChainEngine);

#define USAGE_MATCH_TYPE_AND 0x00000000
#define USAGE_MATCH_TYPE_OR 0x00000001

typedef struct _CERT_USAGE_MATCH {
    DWORD dwType;
    CERT_ENHKEY_USAGE Usage;
} CERT_USAGE_MATCH, *PCERT_USAGE_MATCH;

/* What the chain is for. Without purposes in RequestedUsage any will do. Longer forms of this structure (a larger cbSize) are taken;
 * RequestedIssuancePolicy, fCheckRevocationFreshnessTime and pStrongSignPara must be zero (E_INVALIDARG), and what they say of fetching does not
 * count. */
typedef struct _CERT_CHAIN_PARA {
    DWORD cbSize;
    CERT_USAGE_MATCH RequestedUsage;
#ifdef CERT_CHAIN_PARA_HAS_EXTRA_FIELDS
    CERT_USAGE_MATCH RequestedIssuancePolicy;
    DWORD dwUrlRetrievalTimeout;
    BOOL fCheckRevocationFreshnessTime;
    DWORD dwRevocationFreshnessTime;
    LPFILETIME pftCacheResync;
    const void *pStrongSignPara;
    DWORD dwStrongSignFlags;
#endif
} CERT_CHAIN_PARA, *PCERT_CHAIN_PARA;

/* dwFlags of CertGetCertificateChain. Nothing is ever fetched, so that those about URLs and caches are always true. */
#define CERT_CHAIN_CACHE_END_CERT 0x00000001
#define CERT_CHAIN_THREAD_STORE_SYNC 0x00000002
#define CERT_CHAIN_CACHE_ONLY_URL_RETRIEVAL 0x00000004
#define CERT_CHAIN_USE_LOCAL_MACHINE_STORE 0x00000008
#define CERT_CHAIN_ENABLE_CACHE_AUTO_UPDATE 0x00000010 /* of engines */
#define CERT_CHAIN_ENABLE_SHARE_STORE 0x00000020       /* of engines */
#define CERT_CHAIN_DISABLE_PASS1_QUALITY_FILTERING 0x00000040
#define CERT_CHAIN_RETURN_LOWER_QUALITY_CONTEXTS 0x00000080
#define CERT_CHAIN_DISABLE_AUTH_ROOT_AUTO_UPDATE 0x00000100
#define CERT_CHAIN_TIMESTAMP_TIME 0x00000200
#define CERT_CHAIN_DISABLE_AIA 0x00002000
#define CERT_CHAIN_REVOCATION_CHECK_END_CERT 0x10000000
#define CERT_CHAIN_REVOCATION_CHECK_CHAIN 0x20000000
#define CERT_CHAIN_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT 0x40000000
#define CERT_CHAIN_REVOCATION_CHECK_CACHE_ONLY 0x80000000
#define CERT_CHAIN_REVOCATION_ACCUMULATIVE_TIMEOUT 0x08000000

/*
 * CertGetCertificateChain builds the chain of a certificate up to a root and says everything that is wrong with it.
 *
 * hChainEngine      HCCE_CURRENT_USER, HCCE_LOCAL_MACHINE or an engine.
 * pCertContext      the end certificate; issuers are also sought in its own store.
 * pTime             the moment that counts, UTC; NULL: now.
 * hAdditionalStore  more issuers and revocation lists; may be NULL. Nothing in it is trusted for being there.
 * pChainPara        what the chain is for; at most 16 purposes. A root whose trust settings (TRUSTED CERTIFICATE) refuse it has
 *                   CERT_TRUST_IS_EXPLICIT_DISTRUST; without a purpose, one that is not trusted for any.
 * dwFlags           which revocation is checked: by lists in the certificate's store, hAdditionalStore and the system store CA. E_INVALIDARG for
 *                   CERT_CHAIN_TIMESTAMP_TIME and flags not listed above.
 * pvReserved        NULL.
 * ppChainContext    receives the chain, for CertFreeCertificateChain.
 *
 * Returns TRUE when a chain could be examined, however bad: TrustStatus tells. FALSE with CRYPT_E_FILE_ERROR when the roots cannot be read,
 * CRYPT_E_NO_REVOCATION_CHECK when more than 4096 revocation lists of its issuers' names would have to be verified.
 *
 * Source: Microsoft, CertGetCertificateChain.
 */
BOOL WINAPI CertGetCertificateChain(HCERTCHAINENGINE hChainEngine, PCCERT_CONTEXT pCertContext, LPFILETIME pTime,
                                    HCERTSTORE hAdditionalStore, PCERT_CHAIN_PARA pChainPara, DWORD dwFlags,
                                    LPVOID pvReserved, PCCERT_CHAIN_CONTEXT *ppChainContext);

/*
 * CertDuplicateCertificateChain counts one more reference.
 *
 * Returns pChainContext; NULL for NULL and for what is not, or no longer, a chain of this library.
 *
 * Source: Microsoft, CertDuplicateCertificateChain.
 */
PCCERT_CHAIN_CONTEXT WINAPI CertDuplicateCertificateChain(PCCERT_CHAIN_CONTEXT pChainContext);

/*
 * CertFreeCertificateChain gives one reference back. NULL and what is not, or no longer, a chain of this library are left alone.
 *
 * Source: Microsoft, CertFreeCertificateChain.
 */
VOID WINAPI CertFreeCertificateChain(PCCERT_CHAIN_CONTEXT pChainContext);

/* Called for each certificate that would be found; FALSE passes it over. */
typedef BOOL(WINAPI *PFN_CERT_CHAIN_FIND_BY_ISSUER_CALLBACK)(PCCERT_CONTEXT pCert, void *pvFindArg);

typedef struct _CERT_CHAIN_FIND_BY_ISSUER_PARA {
    DWORD cbSize;
    LPCSTR pszUsageIdentifier;      /* NULL: for anything */
    DWORD dwKeySpec;                /* not looked at: keys have no such number here */
    DWORD dwAcquirePrivateKeyFlags; /* not looked at: nobody is asked */
    DWORD cIssuer;
    CERT_NAME_BLOB *rgIssuer; /* encoded names, such as those of SECPKG_ATTR_ISSUER_LIST_EX */
    PFN_CERT_CHAIN_FIND_BY_ISSUER_CALLBACK pfnFindCallback;
    void *pvFindArg;
#ifdef CERT_CHAIN_FIND_BY_ISSUER_PARA_HAS_EXTRA_FIELDS
    DWORD *pdwIssuerChainIndex;   /* receive where the issuer was found */
    DWORD *pdwIssuerElementIndex; /* the element that it issued */
#endif
} CERT_CHAIN_FIND_ISSUER_PARA, *PCERT_CHAIN_FIND_ISSUER_PARA, CERT_CHAIN_FIND_BY_ISSUER_PARA,
    *PCERT_CHAIN_FIND_BY_ISSUER_PARA;

#define CERT_CHAIN_FIND_BY_ISSUER 1

/* dwFindFlags. */
#define CERT_CHAIN_FIND_BY_ISSUER_COMPARE_KEY_FLAG 0x0001 /* always done */
#define CERT_CHAIN_FIND_BY_ISSUER_COMPLEX_CHAIN_FLAG 0x0002
#define CERT_CHAIN_FIND_BY_ISSUER_CACHE_ONLY_URL_FLAG 0x0004 /* always so */
#define CERT_CHAIN_FIND_BY_ISSUER_LOCAL_MACHINE_FLAG 0x0008
#define CERT_CHAIN_FIND_BY_ISSUER_NO_KEY_FLAG 0x4000
#define CERT_CHAIN_FIND_BY_ISSUER_CACHE_ONLY_FLAG 0x8000

/*
 * CertFindChainInStore finds the next certificate of a store that has a private key, and whose chain, up to the root, one of some issuers has issued.
 * Nothing is said about the chain being good; revocation is not checked.
 *
 * hCertStore         the store, in which issuers are sought as well (not with CACHE_ONLY).
 * dwFindType         CERT_CHAIN_FIND_BY_ISSUER; pvFindPara is a CERT_CHAIN_FIND_BY_ISSUER_PARA then.
 * pPrevChainContext  NULL, or what the last call gave; it is freed, also when nothing is found.
 *
 * Returns the chain, for CertFreeCertificateChain; NULL with CRYPT_E_NOT_FOUND after the last, E_INVALIDARG for parameters that make no sense.
 *
 * Source: Microsoft, CertFindChainInStore.
 */
PCCERT_CHAIN_CONTEXT WINAPI CertFindChainInStore(HCERTSTORE hCertStore, DWORD dwCertEncodingType, DWORD dwFindFlags,
                                                 DWORD dwFindType, const void *pvFindPara,
                                                 PCCERT_CHAIN_CONTEXT pPrevChainContext);

typedef struct _CERT_CHAIN_POLICY_PARA {
    DWORD cbSize;
    DWORD dwFlags;
    void *pvExtraPolicyPara;
} CERT_CHAIN_POLICY_PARA, *PCERT_CHAIN_POLICY_PARA;

/* dwError is 0 or the code of the fault; the indices are -1 where it is no single chain's or element's. */
typedef struct _CERT_CHAIN_POLICY_STATUS {
    DWORD cbSize;
    DWORD dwError;
    LONG lChainIndex;
    LONG lElementIndex;
    void *pvExtraPolicyStatus;
} CERT_CHAIN_POLICY_STATUS, *PCERT_CHAIN_POLICY_STATUS;

/* dwFlags of CERT_CHAIN_POLICY_PARA. */
#define CERT_CHAIN_POLICY_IGNORE_NOT_TIME_VALID_FLAG 0x00000001
#define CERT_CHAIN_POLICY_IGNORE_CTL_NOT_TIME_VALID_FLAG 0x00000002
#define CERT_CHAIN_POLICY_IGNORE_NOT_TIME_NESTED_FLAG 0x00000004
#define CERT_CHAIN_POLICY_IGNORE_INVALID_BASIC_CONSTRAINTS_FLAG 0x00000008
#define CERT_CHAIN_POLICY_IGNORE_ALL_NOT_TIME_VALID_FLAGS                                              \
    (CERT_CHAIN_POLICY_IGNORE_NOT_TIME_VALID_FLAG | CERT_CHAIN_POLICY_IGNORE_CTL_NOT_TIME_VALID_FLAG | \
     CERT_CHAIN_POLICY_IGNORE_NOT_TIME_NESTED_FLAG)
#define CERT_CHAIN_POLICY_ALLOW_UNKNOWN_CA_FLAG 0x00000010
#define CERT_CHAIN_POLICY_IGNORE_WRONG_USAGE_FLAG 0x00000020
#define CERT_CHAIN_POLICY_IGNORE_INVALID_NAME_FLAG 0x00000040
#define CERT_CHAIN_POLICY_IGNORE_INVALID_POLICY_FLAG 0x00000080
#define CERT_CHAIN_POLICY_IGNORE_END_REV_UNKNOWN_FLAG 0x00000100
#define CERT_CHAIN_POLICY_IGNORE_CTL_SIGNER_REV_UNKNOWN_FLAG 0x00000200
#define CERT_CHAIN_POLICY_IGNORE_CA_REV_UNKNOWN_FLAG 0x00000400
#define CERT_CHAIN_POLICY_IGNORE_ROOT_REV_UNKNOWN_FLAG 0x00000800
#define CERT_CHAIN_POLICY_IGNORE_ALL_REV_UNKNOWN_FLAGS                                                      \
    (CERT_CHAIN_POLICY_IGNORE_END_REV_UNKNOWN_FLAG | CERT_CHAIN_POLICY_IGNORE_CTL_SIGNER_REV_UNKNOWN_FLAG | \
     CERT_CHAIN_POLICY_IGNORE_CA_REV_UNKNOWN_FLAG | CERT_CHAIN_POLICY_IGNORE_ROOT_REV_UNKNOWN_FLAG)
#define CERT_CHAIN_POLICY_IGNORE_NOT_SUPPORTED_CRITICAL_EXT_FLAG 0x00002000

/* pszPolicyOID. */
#define CERT_CHAIN_POLICY_BASE ((LPCSTR)1)
#define CERT_CHAIN_POLICY_SSL ((LPCSTR)4)

#define AUTHTYPE_CLIENT 1
#define AUTHTYPE_SERVER 2

/* What CERT_CHAIN_POLICY_SSL checks besides: that the chain is one of a client or a server, and the server's name (a DNS name or an IP address; NULL:
 * not checked). */
typedef struct _HTTPSPolicyCallbackData {
    __extension__ union {
        DWORD cbStruct;
        DWORD cbSize;
    };
    DWORD dwAuthType;
    DWORD fdwChecks;
    WCHAR *pwszServerName;
} HTTPSPolicyCallbackData, *PHTTPSPolicyCallbackData, SSL_EXTRA_CERT_CHAIN_POLICY_PARA,
    *PSSL_EXTRA_CERT_CHAIN_POLICY_PARA;

/* fdwChecks: faults that do not count. Windows has them in wininet.h. */
#ifndef SECURITY_FLAG_IGNORE_REVOCATION
#define SECURITY_FLAG_IGNORE_REVOCATION 0x00000080
#define SECURITY_FLAG_IGNORE_UNKNOWN_CA 0x00000100
#define SECURITY_FLAG_IGNORE_WRONG_USAGE 0x00000200
#define SECURITY_FLAG_IGNORE_CERT_CN_INVALID 0x00001000
#define SECURITY_FLAG_IGNORE_CERT_DATE_INVALID 0x00002000
#endif

/*
 * CertVerifyCertificateChainPolicy judges a chain.
 *
 * pszPolicyOID   CERT_CHAIN_POLICY_BASE or CERT_CHAIN_POLICY_SSL.
 * pPolicyPara    faults that do not count; for SSL pvExtraPolicyPara may be an SSL_EXTRA_CERT_CHAIN_POLICY_PARA. May be NULL.
 * pPolicyStatus  receives the fault that counts, as dwError: CERT_E_EXPIRED, CERT_E_UNTRUSTEDROOT, CERT_E_CHAINING, CERT_E_CN_NO_MATCH,
 *                CERT_E_WRONG_USAGE, CERT_E_CRITICAL, CERT_E_INVALID_NAME, CERT_E_INVALID_POLICY, TRUST_E_CERT_SIGNATURE (also for a signature or key
 *                that is too weak), TRUST_E_BASIC_CONSTRAINTS, CRYPT_E_REVOKED, CRYPT_E_NO_REVOCATION_CHECK, CRYPT_E_REVOCATION_OFFLINE; 0 when there
 *                is none. pvExtraPolicyStatus is left alone. As on Windows nobody looks at the cbSize of these two, and an
 *                SSL_EXTRA_CERT_CHAIN_POLICY_PARA with cbSize 0 counts, too.
 *
 * Returns TRUE when the policy was applied, whatever it found; FALSE with ERROR_FILE_NOT_FOUND for another policy.
 *
 * Source: Microsoft, CertVerifyCertificateChainPolicy.
 */
BOOL WINAPI CertVerifyCertificateChainPolicy(LPCSTR pszPolicyOID, PCCERT_CHAIN_CONTEXT pChainContext,
                                             PCERT_CHAIN_POLICY_PARA pPolicyPara,
                                             PCERT_CHAIN_POLICY_STATUS pPolicyStatus);

OPENSSPI_END_DECLS

#endif
