/*
 * sspi_ext.h: the few things that are OpenSSPI's own, beside Windows' interface. Programs that must also build on Windows put their use
 * under #ifdef OPENSSPI_VERSION.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_SSPI_EXT_H
#define OPENSSPI_SSPI_EXT_H

#include "sspi.h"
#include "wincrypt_types.h"

#define OPENSSPI_VERSION_MAJOR 0
#define OPENSSPI_VERSION_MINOR 1
#define OPENSSPI_VERSION_PATCH 0
#define OPENSSPI_VERSION "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * In the Flags of SEC_WINNT_AUTH_IDENTITY and _EX: Password holds the NT hash (MD4 of the UTF-16LE password) in 32 hexadecimal digits,
 * of either width, instead of the password. NTLM takes it; packages that need the password answer SEC_E_UNKNOWN_CREDENTIALS. The bit is
 * the one that FreeRDP sets for the same purpose.
 */
#define OPENSSPI_AUTH_IDENTITY_NT_HASH 0x00800000

/*
 * OpenSspiVersion tells the version of the library that the program runs with.
 *
 * Returns "MAJOR.MINOR.PATCH"; static, never to be freed.
 */
const char *OpenSspiVersion(void);

/*
 * OpenSspiLastErrorText tells, in words, why this thread's last call into the library failed: which check, which file and line, which name.
 * It never holds a secret. The text is for people and logs; programs decide by the status.
 *
 * Returns UTF-8, at most 511 bytes; "" when the last call succeeded or had no more to say than its status. The text belongs to the library and
 * stays until the same thread's next call into it.
 */
const char *OpenSspiLastErrorText(void);

/*
 * OpenSspiStatusName gives the name of a status, such as "SEC_E_LOGON_DENIED" for 0x8009030C.
 *
 * Status: a SECURITY_STATUS of this library (SEC_E_, SEC_I_, and the NT statuses that logons answer).
 *
 * Returns a static ASCII string; "" for a status without a name here.
 */
const char *OpenSspiStatusName(SECURITY_STATUS Status);

/*
 * OpenSspiLastError gives the last error of this thread: the code that a function which answers BOOL, a pointer or a handle (wincrypt.h) left when it failed, as
 * GetLastError gives it on Windows. Success leaves it as it was.
 *
 * Returns a code such as CRYPT_E_NOT_FOUND or ERROR_MORE_DATA; 0 when nothing failed yet.
 */
DWORD OpenSspiLastError(void);

/*
 * OpenSspiCertificateFromPem makes a certificate context, with its private key, from files: what a TLS server or client needs for SCHANNEL_CRED.paCred.
 *
 * CertificateFile  path, UTF-8, of a file of certificates in PEM (also DER or PKCS #7): the first is the one, the others, such as its issuers, go into the memory store that
 *                  the context lives in, and are sent with it.
 * KeyFile          path of its private key: PEM or DER, PKCS #1, SEC 1 or PKCS #8, encrypted or not; may be CertificateFile again. Everybody must not be able to read it. Or a
 *                  "pkcs11:" URI (RFC 7512), for a key in a token: OpenSSL's configuration must name a provider or an engine for it. NULL: no key.
 * Password         UTF-8, of the key file or the token; NULL: none. Nobody is asked for one.
 * Certificate      receives the context, for CertFreeCertificateContext.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_PARAMETER for a missing argument or a text that is not UTF-8; SEC_E_NO_CREDENTIALS when a file or the token's key is not there or cannot be
 * read, or everybody may read the key; SEC_E_UNKNOWN_CREDENTIALS when a file holds no certificate or key, is damaged, has another password, or key and certificate are no
 * pair; SEC_E_INSUFFICIENT_MEMORY. OpenSspiLastErrorText says which.
 */
SECURITY_STATUS OpenSspiCertificateFromPem(const char *CertificateFile, const char *KeyFile, const char *Password,
                                           PCCERT_CONTEXT *Certificate);

#ifdef __cplusplus
}
#endif

#endif
