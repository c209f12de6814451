/*
 * wincrypt/certificates.h: certificate contexts. Include <wincrypt.h>, not this file.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WINCRYPT_CERTIFICATES_H
#define OPENSSPI_WINCRYPT_CERTIFICATES_H

#include "info.h"

OPENSSPI_BEGIN_DECLS

typedef ULONG_PTR HCRYPTPROV_LEGACY;

/*
 * CertCreateCertificateContext makes a context from an encoded certificate. It belongs to no store.
 *
 * dwCertEncodingType  X509_ASN_ENCODING, alone or with PKCS_7_ASN_ENCODING.
 * pbCertEncoded       DER, cbCertEncoded bytes, copied.
 *
 * Returns a context for CertFreeCertificateContext, or NULL: CRYPT_E_ASN1_BADTAG and its kin (here always CRYPT_E_ASN1_BADTAG) when the bytes are no
 * certificate or more follows it; E_INVALIDARG for another encoding.
 *
 * Source: Microsoft, CertCreateCertificateContext.
 */
PCCERT_CONTEXT WINAPI CertCreateCertificateContext(DWORD dwCertEncodingType, const BYTE *pbCertEncoded,
                                                   DWORD cbCertEncoded);

/*
 * CertDuplicateCertificateContext counts one more reference.
 *
 * Returns pCertContext; NULL for NULL and for what is not, or no longer, a context of this library.
 *
 * Source: Microsoft, CertDuplicateCertificateContext.
 */
PCCERT_CONTEXT WINAPI CertDuplicateCertificateContext(PCCERT_CONTEXT pCertContext);

/*
 * CertFreeCertificateContext gives one reference back; the last one frees the context.
 *
 * Returns TRUE, also for NULL; FALSE for what is not, or no longer, a context of this library: it is left alone.
 *
 * Source: Microsoft, CertFreeCertificateContext.
 */
BOOL WINAPI CertFreeCertificateContext(PCCERT_CONTEXT pCertContext);

/*
 * CertCompareCertificate tells whether two certificates are the same by issuer and serial number.
 *
 * Returns TRUE when they are.
 *
 * Source: Microsoft, CertCompareCertificate.
 */
BOOL WINAPI CertCompareCertificate(DWORD dwCertEncodingType, PCERT_INFO pCertId1, PCERT_INFO pCertId2);

/*
 * CertCompareCertificateName tells whether two encoded names are the same, byte for byte.
 *
 * Source: Microsoft, CertCompareCertificateName.
 */
BOOL WINAPI CertCompareCertificateName(DWORD dwCertEncodingType, PCERT_NAME_BLOB pCertName1,
                                       PCERT_NAME_BLOB pCertName2);

/*
 * CertCompareIntegerBlob tells whether two integers are the same number: bytes at the end that only extend the sign do not count.
 *
 * Source: Microsoft, CertCompareIntegerBlob.
 */
BOOL WINAPI CertCompareIntegerBlob(PCRYPT_INTEGER_BLOB pInt1, PCRYPT_INTEGER_BLOB pInt2);

/*
 * CertFindExtension searches extensions for an object identifier.
 *
 * Returns the first that fits, inside rgExtensions, or NULL; NULL sets no last error.
 *
 * Source: Microsoft, CertFindExtension.
 */
PCERT_EXTENSION WINAPI CertFindExtension(LPCSTR pszObjId, DWORD cExtensions, CERT_EXTENSION rgExtensions[]);

/*
 * CertVerifyTimeValidity compares a moment with the certificate's own time.
 *
 * pTimeToVerify  UTC; NULL: now.
 *
 * Returns -1 when it is before NotBefore, 1 when it is after NotAfter, else 0.
 *
 * Source: Microsoft, CertVerifyTimeValidity.
 */
LONG WINAPI CertVerifyTimeValidity(LPFILETIME pTimeToVerify, PCERT_INFO pCertInfo);

/*
 * CertGetIntendedKeyUsage gives the key usage, as bytes of CERT_…_KEY_USAGE bits.
 *
 * pbKeyUsage  receives cbKeyUsage bytes, those past the certificate's own being 0.
 *
 * Returns TRUE; FALSE with last error 0 when there is no key usage, and with a code when it is damaged. pbKeyUsage is zeroed then.
 *
 * Source: Microsoft, CertGetIntendedKeyUsage.
 */
BOOL WINAPI CertGetIntendedKeyUsage(DWORD dwCertEncodingType, PCERT_INFO pCertInfo, BYTE *pbKeyUsage, DWORD cbKeyUsage);

/*
 * CertGetPublicKeyLength gives the length of a public key in bits, or 0.
 *
 * Source: Microsoft, CertGetPublicKeyLength.
 */
DWORD WINAPI CertGetPublicKeyLength(DWORD dwCertEncodingType, PCERT_PUBLIC_KEY_INFO pPublicKey);

/*
 * CryptHashCertificate hashes encoded bytes, as a thumbprint is made.
 *
 * hCryptProv       not used; 0.
 * Algid            CALG_MD5, CALG_SHA1, CALG_SHA_256, CALG_SHA_384 or CALG_SHA_512; 0: CALG_SHA1.
 * dwFlags          0.
 * pbComputedHash   receives the hash; NULL asks for its size.
 * pcbComputedHash  its room, then its size.
 *
 * Returns TRUE; FALSE with ERROR_MORE_DATA when the room is too small, NTE_BAD_ALGID for another algorithm.
 *
 * Source: Microsoft, CryptHashCertificate.
 */
BOOL WINAPI CryptHashCertificate(HCRYPTPROV_LEGACY hCryptProv, ALG_ID Algid, DWORD dwFlags, const BYTE *pbEncoded,
                                 DWORD cbEncoded, BYTE *pbComputedHash, DWORD *pcbComputedHash);

OPENSSPI_END_DECLS

#endif
