/*
 * wincrypt/crls.h: certificate revocation lists. Include <wincrypt.h>, not this file.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WINCRYPT_CRLS_H
#define OPENSSPI_WINCRYPT_CRLS_H

#include "info.h"

OPENSSPI_BEGIN_DECLS

/* A revocation list, encoded in DER, and the store it belongs to. */
typedef struct _CRL_CONTEXT {
    DWORD dwCertEncodingType;
    BYTE *pbCrlEncoded;
    DWORD cbCrlEncoded;
    PCRL_INFO pCrlInfo;
    HCERTSTORE hCertStore;
} CRL_CONTEXT, *PCRL_CONTEXT;

typedef const CRL_CONTEXT *PCCRL_CONTEXT;

/*
 * CertCreateCRLContext makes a context from an encoded revocation list, as CertCreateCertificateContext does from a certificate.
 *
 * Returns a context for CertFreeCRLContext, or NULL: CRYPT_E_ASN1_BADTAG when the bytes are no revocation list or more follows it.
 *
 * Source: Microsoft, CertCreateCRLContext.
 */
PCCRL_CONTEXT WINAPI CertCreateCRLContext(DWORD dwCertEncodingType, const BYTE *pbCrlEncoded, DWORD cbCrlEncoded);

/*
 * CertDuplicateCRLContext counts one more reference.
 *
 * Returns pCrlContext; NULL for NULL and for what is not, or no longer, a context of this library.
 *
 * Source: Microsoft, CertDuplicateCRLContext.
 */
PCCRL_CONTEXT WINAPI CertDuplicateCRLContext(PCCRL_CONTEXT pCrlContext);

/*
 * CertFreeCRLContext gives one reference back.
 *
 * Returns TRUE, also for NULL; FALSE for what is not, or no longer, a context of this library.
 *
 * Source: Microsoft, CertFreeCRLContext.
 */
BOOL WINAPI CertFreeCRLContext(PCCRL_CONTEXT pCrlContext);

/*
 * CertAddCRLContextToStore puts a copy into a store. See CertAddCertificateContextToStore; two lists are the same when issuer and scope
 * are, the newer one being that of the later ThisUpdate.
 *
 * Source: Microsoft, CertAddCRLContextToStore.
 */
BOOL WINAPI CertAddCRLContextToStore(HCERTSTORE hCertStore, PCCRL_CONTEXT pCrlContext, DWORD dwAddDisposition,
                                     PCCRL_CONTEXT *ppStoreContext);

/*
 * CertAddEncodedCRLToStore makes a context from encoded bytes and puts it into a store.
 *
 * Returns TRUE; FALSE with the codes of CertCreateCRLContext and CertAddCRLContextToStore.
 *
 * Source: Microsoft, CertAddEncodedCRLToStore.
 */
BOOL WINAPI CertAddEncodedCRLToStore(HCERTSTORE hCertStore, DWORD dwCertEncodingType, const BYTE *pbCrlEncoded,
                                     DWORD cbCrlEncoded, DWORD dwAddDisposition, PCCRL_CONTEXT *ppCrlContext);

/*
 * CertEnumCRLsInStore gives the first (pPrevCrlContext NULL) or the next revocation list of a store, and frees pPrevCrlContext.
 *
 * Returns a context for CertFreeCRLContext or the next call; NULL after the last, with CRYPT_E_NOT_FOUND.
 *
 * Source: Microsoft, CertEnumCRLsInStore.
 */
PCCRL_CONTEXT WINAPI CertEnumCRLsInStore(HCERTSTORE hCertStore, PCCRL_CONTEXT pPrevCrlContext);

/*
 * CertDeleteCRLFromStore takes a revocation list out of its store and frees the context, even on failure.
 *
 * Returns TRUE; FALSE with E_ACCESSDENIED for a store that is read only.
 *
 * Source: Microsoft, CertDeleteCRLFromStore.
 */
BOOL WINAPI CertDeleteCRLFromStore(PCCRL_CONTEXT pCrlContext);

OPENSSPI_END_DECLS

#endif
