/*
 * wincrypt/objects.h: what is in this file? Include <wincrypt.h>, not this file.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WINCRYPT_OBJECTS_H
#define OPENSSPI_WINCRYPT_OBJECTS_H

#include "stores.h"

OPENSSPI_BEGIN_DECLS

typedef void *HCRYPTMSG;

#define CERT_QUERY_OBJECT_FILE 0x00000001 /* pvObject: path, WCHAR */
#define CERT_QUERY_OBJECT_BLOB 0x00000002 /* pvObject: CRYPT_DATA_BLOB */

/* Contents. */
#define CERT_QUERY_CONTENT_CERT 1
#define CERT_QUERY_CONTENT_CRL 3
#define CERT_QUERY_CONTENT_PKCS7_SIGNED 8
#define CERT_QUERY_CONTENT_PFX 12
#define CERT_QUERY_CONTENT_FLAG_CERT (1 << CERT_QUERY_CONTENT_CERT)
#define CERT_QUERY_CONTENT_FLAG_CRL (1 << CERT_QUERY_CONTENT_CRL)
#define CERT_QUERY_CONTENT_FLAG_PKCS7_SIGNED (1 << CERT_QUERY_CONTENT_PKCS7_SIGNED)
#define CERT_QUERY_CONTENT_FLAG_PFX (1 << CERT_QUERY_CONTENT_PFX)
/* The value is Windows'; the contents of it that are not above are never found here. */
#define CERT_QUERY_CONTENT_FLAG_ALL 0x00003FFE

/* Formats. */
#define CERT_QUERY_FORMAT_BINARY 1
#define CERT_QUERY_FORMAT_BASE64_ENCODED 2
#define CERT_QUERY_FORMAT_FLAG_BINARY (1 << CERT_QUERY_FORMAT_BINARY)
#define CERT_QUERY_FORMAT_FLAG_BASE64_ENCODED (1 << CERT_QUERY_FORMAT_BASE64_ENCODED)
#define CERT_QUERY_FORMAT_FLAG_ALL 0x0000000E

/*
 * CryptQueryObject tells what a file or some bytes hold, and opens it.
 *
 * dwExpectedContentTypeFlags, dwExpectedFormatTypeFlags  what is tried.
 * dwFlags                    0.
 * pdwMsgAndCertEncodingType, pdwContentType, pdwFormatType  receive the encoding, content and format; each may be NULL.
 * phCertStore                receives a store with all certificates and lists, for CertCloseStore; NULL for a PFX file. May be NULL.
 * phMsg                      receives NULL: there are no messages here. May be NULL.
 * ppvContext                 receives the certificate or revocation list, for CertFreeCertificateContext or CertFreeCRLContext; NULL for other
 *                            contents. May be NULL.
 *
 * Returns TRUE; FALSE with CRYPT_E_NO_MATCH when it holds nothing of what is expected, ERROR_FILE_NOT_FOUND, CRYPT_E_FILE_ERROR.
 *
 * Source: Microsoft, CryptQueryObject.
 */
BOOL WINAPI CryptQueryObject(DWORD dwObjectType, const void *pvObject, DWORD dwExpectedContentTypeFlags,
                             DWORD dwExpectedFormatTypeFlags, DWORD dwFlags, DWORD *pdwMsgAndCertEncodingType,
                             DWORD *pdwContentType, DWORD *pdwFormatType, HCERTSTORE *phCertStore, HCRYPTMSG *phMsg,
                             const void **ppvContext);

OPENSSPI_END_DECLS

#endif
