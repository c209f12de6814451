/*
 * wincrypt/text.h: names and bytes as text. Include <wincrypt.h>, not this file.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WINCRYPT_TEXT_H
#define OPENSSPI_WINCRYPT_TEXT_H

#include "certificates.h"

OPENSSPI_BEGIN_DECLS

/* dwStrType of CertNameToStr: a form, and flags. */
#define CERT_SIMPLE_NAME_STR 1 /* values alone, ", " between */
#define CERT_OID_NAME_STR 2    /* OID=value; "; " between */
#define CERT_X500_NAME_STR 3   /* CN=value, ", " between */
#define CERT_NAME_STR_FORWARD_FLAG 0x01000000
#define CERT_NAME_STR_REVERSE_FLAG 0x02000000
#define CERT_NAME_STR_COMMA_FLAG 0x04000000
#define CERT_NAME_STR_CRLF_FLAG 0x08000000
#define CERT_NAME_STR_NO_QUOTING_FLAG 0x10000000
#define CERT_NAME_STR_NO_PLUS_FLAG 0x20000000
#define CERT_NAME_STR_SEMICOLON_FLAG 0x40000000
#define CERT_NAME_STR_DISABLE_IE4_UTF8_FLAG 0x00010000
#define CERT_NAME_STR_ENABLE_T61_UNICODE_FLAG 0x00020000
#define CERT_NAME_STR_ENABLE_UTF8_UNICODE_FLAG 0x00040000
#define CERT_NAME_STR_FORCE_UTF8_DIR_STR_FLAG 0x00080000
#define CERT_NAME_STR_DISABLE_UTF8_DIR_STR_FLAG 0x00100000
#define CERT_NAME_STR_ENABLE_PUNYCODE_FLAG 0x00200000

/*
 * CertNameToStrW writes an encoded name as text, in the order of its encoding.
 *
 * dwStrType  the form, 0 as CERT_SIMPLE_NAME_STR; SEMICOLON, CRLF or COMMA choose what stands between; REVERSE turns the order round; NO_PLUS puts a
 *            space for " + "; a value with a character that would mislead is put in quotes, unless NO_QUOTING.
 * psz        receives the text, cut to csz characters with the NUL; NULL or csz 0 asks for the size.
 *
 * Returns characters with the NUL: written, or needed. A name that cannot be read, or an encoding other than X509_ASN_ENCODING
 * (ERROR_FILE_NOT_FOUND), gives an empty text: 1; the last error is 0 where nothing is wrong.
 *
 * Source: Microsoft, CertNameToStrW.
 */
DWORD WINAPI CertNameToStrW(DWORD dwCertEncodingType, PCERT_NAME_BLOB pName, DWORD dwStrType, LPWSTR psz, DWORD csz);
/* CertNameToStrA does the same in UTF-8; where the room is too small it gives an empty text: 1. */
DWORD WINAPI CertNameToStrA(DWORD dwCertEncodingType, PCERT_NAME_BLOB pName, DWORD dwStrType, LPSTR psz, DWORD csz);
#define CertNameToStr OPENSSPI_AW(CertNameToStr)

/*
 * CertStrToNameW encodes a name that is given as text: CN=..., O=... with keys (in any case), OID.1.2.3 or 1.2.3, values plain or in quotes (a quote
 * in them doubled). A value of hexadecimal digits (#0401, an OCTET STRING) is refused.
 *
 * dwStrType   0, CERT_OID_NAME_STR or CERT_X500_NAME_STR, which are the same here. COMMA, SEMICOLON or CRLF: what alone separates (otherwise comma
 *             and semicolon); NO_PLUS and NO_QUOTING: + and " are characters like others; REVERSE turns the order round. What PrintableString cannot
 *             hold becomes BMPString; with ENABLE_UTF8_UNICODE, and where a character is beyond it, UTF8String; FORCE_UTF8_DIR_STR: the others as
 *             well.
 * pvReserved  NULL.
 * pbEncoded   receives the name; NULL asks for its size.
 * pcbEncoded  its room, then its size.
 * ppszError   receives where the text is wrong, or NULL; may be NULL.
 *
 * Returns TRUE, the last error 0; FALSE with ERROR_FILE_NOT_FOUND for another encoding than X509_ASN_ENCODING, CRYPT_E_INVALID_X500_STRING,
 * CRYPT_E_INVALID_PRINTABLE_STRING (C, SERIALNUMBER, Phone, dnQualifier),
 * CRYPT_E_INVALID_IA5_STRING (E, DC), ERROR_MORE_DATA.
 *
 * Source: Microsoft, CertStrToNameW.
 */
BOOL WINAPI CertStrToNameW(DWORD dwCertEncodingType, LPCWSTR pszX500, DWORD dwStrType, void *pvReserved,
                           BYTE *pbEncoded, DWORD *pcbEncoded, LPCWSTR *ppszError);
/* CertStrToNameA does the same with UTF-8. */
BOOL WINAPI CertStrToNameA(DWORD dwCertEncodingType, LPCSTR pszX500, DWORD dwStrType, void *pvReserved, BYTE *pbEncoded,
                           DWORD *pcbEncoded, LPCSTR *ppszError);
#define CertStrToName OPENSSPI_AW(CertStrToName)

/* dwType of CertGetNameString, with where the name is sought. */
#define CERT_NAME_EMAIL_TYPE 1 /* alternative name: address; else the attribute emailAddress */
#define CERT_NAME_RDN_TYPE 2   /* the whole name, as CertNameToStr; pvTypePara: DWORD with dwStrType */
#define CERT_NAME_ATTR_TYPE \
    3 /* one attribute; pvTypePara: its object identifier, NULL: emailAddress, else the common name */
#define CERT_NAME_SIMPLE_DISPLAY_TYPE 4   /* common name, unit, organization, emailAddress; then an alternative name */
#define CERT_NAME_FRIENDLY_DISPLAY_TYPE 5 /* the property CERT_FRIENDLY_NAME_PROP_ID, else as the simple one */
#define CERT_NAME_DNS_TYPE 6              /* alternative name: DNS; else the common name */
#define CERT_NAME_URL_TYPE 7              /* alternative name: URL */
#define CERT_NAME_UPN_TYPE 8              /* alternative name: principal name */
#define CERT_NAME_ISSUER_FLAG 0x1
#define CERT_NAME_DISABLE_IE4_UTF8_FLAG 0x00010000
#define CERT_NAME_SEARCH_ALL_NAMES_FLAG 0x2

/*
 * CertGetNameStringW gives a name of a certificate's subject or (CERT_NAME_ISSUER_FLAG) issuer.
 *
 * dwFlags        CERT_NAME_SEARCH_ALL_NAMES_FLAG with CERT_NAME_DNS_TYPE gives all DNS names, each with its NUL, and one more NUL; with another
 *                type nothing.
 * pszNameString  receives the text, cut to cchNameString characters with the NUL; of all DNS names those that fit whole, and the NUL behind them.
 *                NULL or 0 asks for the size.
 *
 * Returns characters with the NUL: written, or needed; 1 for an empty text when there is no such name. The last error is 0 where nothing is wrong.
 *
 * Source: Microsoft, CertGetNameStringW.
 */
DWORD WINAPI CertGetNameStringW(PCCERT_CONTEXT pCertContext, DWORD dwType, DWORD dwFlags, void *pvTypePara,
                                LPWSTR pszNameString, DWORD cchNameString);
/* CertGetNameStringA does the same in UTF-8; where the room is too small it gives an empty text: 1. */
DWORD WINAPI CertGetNameStringA(PCCERT_CONTEXT pCertContext, DWORD dwType, DWORD dwFlags, void *pvTypePara,
                                LPSTR pszNameString, DWORD cchNameString);
#define CertGetNameString OPENSSPI_AW(CertGetNameString)

/* dwFlags of the two below: a form, and flags for writing. */
#define CRYPT_STRING_BASE64HEADER 0x00000000 /* between BEGIN CERTIFICATE and END CERTIFICATE; any label when read */
#define CRYPT_STRING_BASE64 0x00000001       /* without them */
#define CRYPT_STRING_BINARY 0x00000002       /* the bytes themselves */
#define CRYPT_STRING_BASE64REQUESTHEADER 0x00000003 /* NEW CERTIFICATE REQUEST */
#define CRYPT_STRING_HEX 0x00000004                 /* "30 82 ..." in lines of sixteen */
#define CRYPT_STRING_HEXASCII 0x00000005            /* the same, with the characters beside */
#define CRYPT_STRING_BASE64_ANY 0x00000006          /* reading: BASE64HEADER, BASE64 */
#define CRYPT_STRING_ANY 0x00000007                 /* reading: BASE64HEADER, BASE64, BINARY */
#define CRYPT_STRING_HEX_ANY 0x00000008             /* reading: the forms of HEX */
#define CRYPT_STRING_BASE64X509CRLHEADER 0x00000009 /* X509 CRL */
#define CRYPT_STRING_HEXADDR 0x0000000A             /* HEX with addresses before */
#define CRYPT_STRING_HEXASCIIADDR 0x0000000B        /* both */
#define CRYPT_STRING_HEXRAW 0x0000000C              /* "3082..." */
#define CRYPT_STRING_BASE64URI 0x0000000D           /* base64 of URLs, without padding */
#define CRYPT_STRING_ENCODEMASK 0x000000FF
#define CRYPT_STRING_STRICT 0x20000000 /* reading: nothing before or after the headers */
#define CRYPT_STRING_NOCRLF 0x40000000 /* writing: no line ends */
#define CRYPT_STRING_NOCR 0x80000000   /* writing: lines end in LF alone */

/*
 * CryptStringToBinaryW reads bytes from text.
 *
 * cchString  characters; 0: up to the NUL.
 * pbBinary   receives the bytes; NULL asks for their number.
 * pcbBinary  its room, then their number; where that was too small, what it was.
 * pdwSkip    receives the characters before the BEGIN line; may be NULL.
 * pdwFlags   receives the form that was found, for the forms named ANY; may be NULL.
 *
 * Base64 is read as Windows reads it: padding may be missing, but is whole where it is there, and ends the text; bits that are left over count for
 * nothing. Between pairs of hexadecimal digits there may be blanks, hyphens and commas; of HEX and HEXRAW the bytes up to what is wrong are written.
 * STRICT is the one flag for reading.
 *
 * Returns TRUE; FALSE with ERROR_INVALID_DATA when the text is not of that form, ERROR_MORE_DATA when the room is too small, ERROR_INVALID_PARAMETER
 * also for a text of 4 GiB or more.
 *
 * Source: Microsoft, CryptStringToBinaryW.
 */
BOOL WINAPI CryptStringToBinaryW(LPCWSTR pszString, DWORD cchString, DWORD dwFlags, BYTE *pbBinary, DWORD *pcbBinary,
                                 DWORD *pdwSkip, DWORD *pdwFlags);
/* CryptStringToBinaryA does the same with bytes. */
BOOL WINAPI CryptStringToBinaryA(LPCSTR pszString, DWORD cchString, DWORD dwFlags, BYTE *pbBinary, DWORD *pcbBinary,
                                 DWORD *pdwSkip, DWORD *pdwFlags);
#define CryptStringToBinary OPENSSPI_AW(CryptStringToBinary)

/*
 * CryptBinaryToStringW writes bytes as text. Lines end in CR LF, unless the flags say otherwise.
 *
 * pszString  receives the text with a NUL (BINARY: the bytes as they are, in wide text too, and no NUL); NULL asks for the room.
 * pcchString its room in characters; then, when the text was written, the characters without the NUL, else those needed with it.
 *
 * Returns TRUE; FALSE with ERROR_MORE_DATA when the room is too small, ERROR_INVALID_PARAMETER for a form that is not written, for a text of more
 * characters than a DWORD counts and without pbBinary.
 *
 * Source: Microsoft, CryptBinaryToStringW.
 */
BOOL WINAPI CryptBinaryToStringW(const BYTE *pbBinary, DWORD cbBinary, DWORD dwFlags, LPWSTR pszString,
                                 DWORD *pcchString);
/* CryptBinaryToStringA does the same with bytes. Where the room is too small the text begins in it, without an end. */
BOOL WINAPI CryptBinaryToStringA(const BYTE *pbBinary, DWORD cbBinary, DWORD dwFlags, LPSTR pszString,
                                 DWORD *pcchString);
#define CryptBinaryToString OPENSSPI_AW(CryptBinaryToString)

OPENSSPI_END_DECLS

#endif
