/*
 * wincrypt.h: certificates, for callers whose variables are unsigned long. See ../wincrypt.h and ulong.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_WINCRYPT_H
#define OPENSSPI_WIN32_WINCRYPT_H

#include "../wincrypt.h"
#include "ulong.h"

#ifndef OPENSSPI_WIN32_NO_ULONG
/* Lengths, and what else is told: kinds of files and of keys, what was verified. */
#define CryptBinaryToStringA(...) CryptBinaryToStringA(OPENSSPI_ULONG_ARGUMENTS(5_5, __VA_ARGS__))
#define CryptBinaryToStringW(...) CryptBinaryToStringW(OPENSSPI_ULONG_ARGUMENTS(5_5, __VA_ARGS__))
#define CryptStringToBinaryA(...) CryptStringToBinaryA(OPENSSPI_ULONG_ARGUMENTS(7_567, __VA_ARGS__))
#define CryptStringToBinaryW(...) CryptStringToBinaryW(OPENSSPI_ULONG_ARGUMENTS(7_567, __VA_ARGS__))
#define CertGetCertificateContextProperty(...) \
    CertGetCertificateContextProperty(OPENSSPI_ULONG_ARGUMENTS(4_4, __VA_ARGS__))
#define CertStrToNameA(...) CertStrToNameA(OPENSSPI_ULONG_ARGUMENTS(7_6, __VA_ARGS__))
#define CertStrToNameW(...) CertStrToNameW(OPENSSPI_ULONG_ARGUMENTS(7_6, __VA_ARGS__))
#define CryptDecodeObjectEx(...) CryptDecodeObjectEx(OPENSSPI_ULONG_ARGUMENTS(8_8, __VA_ARGS__))
#define CryptDecodeObject(...) CryptDecodeObject(OPENSSPI_ULONG_ARGUMENTS(7_7, __VA_ARGS__))
#define CryptHashCertificate(...) CryptHashCertificate(OPENSSPI_ULONG_ARGUMENTS(7_7, __VA_ARGS__))
#define CryptQueryObject(...) CryptQueryObject(OPENSSPI_ULONG_ARGUMENTS(11_678, __VA_ARGS__))
#define CryptAcquireCertificatePrivateKey(...) \
    CryptAcquireCertificatePrivateKey(OPENSSPI_ULONG_ARGUMENTS(6_5, __VA_ARGS__))
#define CertGetIssuerCertificateFromStore(...) \
    CertGetIssuerCertificateFromStore(OPENSSPI_ULONG_ARGUMENTS(4_4, __VA_ARGS__))
#endif

#endif
