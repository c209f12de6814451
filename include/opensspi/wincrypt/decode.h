/*
 * wincrypt/decode.h: what is encoded in a certificate, as structures: names, alternative names, purposes. Include <wincrypt.h>, not this file.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WINCRYPT_DECODE_H
#define OPENSSPI_WINCRYPT_DECODE_H

#include "info.h"

OPENSSPI_BEGIN_DECLS

/*
 * lpszStructType: a number, or the object identifier of an extension, and the structure that comes of it. Number 7, a CERT_NAME_INFO whose values of
 * other types than BMPString and UTF8String are as they are encoded, has no name here: X509_NAME is a type of OpenSSL's.
 */
#define X509_KEY_USAGE ((LPCSTR)14)          /* CRYPT_BIT_BLOB; szOID_KEY_USAGE */
#define X509_ALTERNATE_NAME ((LPCSTR)12)     /* CERT_ALT_NAME_INFO; the four szOID_..._ALT_NAME */
#define X509_BASIC_CONSTRAINTS2 ((LPCSTR)15) /* CERT_BASIC_CONSTRAINTS2_INFO; szOID_BASIC_CONSTRAINTS2 */
#define X509_UNICODE_NAME ((LPCSTR)20)       /* CERT_NAME_INFO whose values that are text are UTF-16 */
#define X509_OCTET_STRING ((LPCSTR)25)       /* CRYPT_DATA_BLOB; szOID_SUBJECT_KEY_IDENTIFIER */
#define X509_BITS ((LPCSTR)26)               /* CRYPT_BIT_BLOB */
#define X509_ENHANCED_KEY_USAGE ((LPCSTR)36) /* CERT_ENHKEY_USAGE; szOID_ENHANCED_KEY_USAGE */

/* A name of a kind that programs define: Value is encoded. */
typedef struct _CERT_OTHER_NAME {
    LPSTR pszObjId;
    CRYPT_OBJID_BLOB Value;
} CERT_OTHER_NAME, *PCERT_OTHER_NAME;

/* dwAltNameChoice. */
#define CERT_ALT_NAME_OTHER_NAME 1
#define CERT_ALT_NAME_RFC822_NAME 2
#define CERT_ALT_NAME_DNS_NAME 3
#define CERT_ALT_NAME_X400_ADDRESS 4 /* without a value */
#define CERT_ALT_NAME_DIRECTORY_NAME 5
#define CERT_ALT_NAME_EDI_PARTY_NAME 6 /* without a value */
#define CERT_ALT_NAME_URL 7
#define CERT_ALT_NAME_IP_ADDRESS 8
#define CERT_ALT_NAME_REGISTERED_ID 9

/* An alternative name. Characters that would end or disguise the text, NUL among them, are U+FFFD in it. */
typedef struct _CERT_ALT_NAME_ENTRY {
    DWORD dwAltNameChoice;
    union {
        PCERT_OTHER_NAME pOtherName;
        LPWSTR pwszRfc822Name;
        LPWSTR pwszDNSName;
        CERT_NAME_BLOB DirectoryName; /* encoded */
        LPWSTR pwszURL;
        CRYPT_DATA_BLOB IPAddress; /* 4 or 16 bytes, in the network's order */
        LPSTR pszRegisteredID;
    };
} CERT_ALT_NAME_ENTRY, *PCERT_ALT_NAME_ENTRY;

typedef struct _CERT_ALT_NAME_INFO {
    DWORD cAltEntry;
    PCERT_ALT_NAME_ENTRY rgAltEntry;
} CERT_ALT_NAME_INFO, *PCERT_ALT_NAME_INFO;

/* dwPathLenConstraint: how many authorities may stand between this one and a leaf. */
typedef struct _CERT_BASIC_CONSTRAINTS2_INFO {
    BOOL fCA;
    BOOL fPathLenConstraint;
    DWORD dwPathLenConstraint;
} CERT_BASIC_CONSTRAINTS2_INFO, *PCERT_BASIC_CONSTRAINTS2_INFO;

/* dwValueType. */
#define CERT_RDN_ANY_TYPE 0
#define CERT_RDN_ENCODED_BLOB 1 /* with tag and length: of no type below */
#define CERT_RDN_OCTET_STRING 2
#define CERT_RDN_NUMERIC_STRING 3
#define CERT_RDN_PRINTABLE_STRING 4
#define CERT_RDN_TELETEX_STRING 5
#define CERT_RDN_T61_STRING 5
#define CERT_RDN_VIDEOTEX_STRING 6
#define CERT_RDN_IA5_STRING 7
#define CERT_RDN_GRAPHIC_STRING 8
#define CERT_RDN_VISIBLE_STRING 9
#define CERT_RDN_ISO646_STRING 9
#define CERT_RDN_GENERAL_STRING 10
#define CERT_RDN_UNIVERSAL_STRING 11
#define CERT_RDN_INT4_STRING 11
#define CERT_RDN_BMP_STRING 12 /* UTF-16 */
#define CERT_RDN_UNICODE_STRING 12
#define CERT_RDN_UTF8_STRING 13 /* UTF-16: only where it is encoded it is UTF-8 */

/* An attribute of a name. UTF-16 has a NUL behind that cbData does not count. */
typedef struct _CERT_RDN_ATTR {
    LPSTR pszObjId;
    DWORD dwValueType;
    CERT_RDN_VALUE_BLOB Value;
} CERT_RDN_ATTR, *PCERT_RDN_ATTR;

typedef struct _CERT_RDN {
    DWORD cRDNAttr;
    PCERT_RDN_ATTR rgRDNAttr;
} CERT_RDN, *PCERT_RDN;

/* A name: sets of attributes, most of them of one, in the order of the encoding. */
typedef struct _CERT_NAME_INFO {
    DWORD cRDN;
    PCERT_RDN rgRDN;
} CERT_NAME_INFO, *PCERT_NAME_INFO;

typedef LPVOID(WINAPI *PFN_CRYPT_ALLOC)(size_t cbSize);
typedef VOID(WINAPI *PFN_CRYPT_FREE)(LPVOID pv);

/* Who gives the memory of CRYPT_DECODE_ALLOC_FLAG, where pfnAlloc is there. */
typedef struct _CRYPT_DECODE_PARA {
    DWORD cbSize;
    PFN_CRYPT_ALLOC pfnAlloc;
    PFN_CRYPT_FREE pfnFree;
} CRYPT_DECODE_PARA, *PCRYPT_DECODE_PARA;

/* dwFlags. All but ALLOC change nothing here: what is decoded is always a copy. */
#define CRYPT_DECODE_NOCOPY_FLAG 0x00000001
#define CRYPT_DECODE_TO_BE_SIGNED_FLAG 0x00000002
#define CRYPT_DECODE_SHARE_OID_STRING_FLAG 0x00000004
#define CRYPT_DECODE_NO_SIGNATURE_BYTE_REVERSAL_FLAG 0x00000008
#define CRYPT_DECODE_ALLOC_FLAG 0x00008000

/*
 * CryptDecodeObjectEx lays out an encoded structure: an extension's value, a name. All that it points to lies behind it, in the same memory.
 *
 * dwCertEncodingType  X509_ASN_ENCODING; PKCS_7_ASN_ENCODING beside it changes nothing.
 * lpszStructType      what it is: see above.
 * pbEncoded, cbEncoded  DER, of at most 1 MiB.
 * pDecodePara         NULL, or whose memory to take.
 * pvStructInfo        receives the structure; aligned for pointers. NULL asks for its bytes. With CRYPT_DECODE_ALLOC_FLAG a place for a pointer to
 *                     it: the caller frees it with LocalFree (OpenSspiLocalFree in sspi_ext.h), or as pfnAlloc's memory is freed.
 * pcbStructInfo       its bytes; then those of the structure with all behind it. With CRYPT_DECODE_ALLOC_FLAG it may be NULL.
 *
 * Returns TRUE; FALSE with ERROR_FILE_NOT_FOUND for a type that is not above and for another encoding, CRYPT_E_ASN1_BADTAG for bytes that are not one
 * such structure, CRYPT_E_INVALID_IA5_STRING, ERROR_MORE_DATA when the room is too small.
 *
 * Source: Microsoft, CryptDecodeObjectEx; RFC 5280 4.2.1.
 */
BOOL WINAPI CryptDecodeObjectEx(DWORD dwCertEncodingType, LPCSTR lpszStructType, const BYTE *pbEncoded, DWORD cbEncoded,
                                DWORD dwFlags, PCRYPT_DECODE_PARA pDecodePara, void *pvStructInfo,
                                DWORD *pcbStructInfo);
/* CryptDecodeObject does the same into the caller's room: CRYPT_DECODE_ALLOC_FLAG is E_INVALIDARG. */
BOOL WINAPI CryptDecodeObject(DWORD dwCertEncodingType, LPCSTR lpszStructType, const BYTE *pbEncoded, DWORD cbEncoded,
                              DWORD dwFlags, void *pvStructInfo, DWORD *pcbStructInfo);

OPENSSPI_END_DECLS

#endif
