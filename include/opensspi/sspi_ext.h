/*
 * sspi_ext.h: the few things that are OpenSSPI's own, beside Windows' interface. Programs that must also build on Windows put their use
 * under #ifdef OPENSSPI_VERSION.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_SSPI_EXT_H
#define OPENSSPI_SSPI_EXT_H

#include "sspi.h"

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
 * For QueryContextAttributes on the server's side: what the client's authority says of the client, verified. Of Kerberos the PAC (MS-PAC), as it stood in the
 * ticket. The buffer is a SecPkgContext_AuthorizationData; AuthorizationData is freed with FreeContextBuffer.
 * SEC_E_UNSUPPORTED_FUNCTION on the client's side and where the authority said nothing.
 */
#define OPENSSPI_ATTR_AUTHORIZATION_DATA 0x4F530001
typedef struct _SecPkgContext_AuthorizationData {
    ULONG AuthorizationDataLength; /* bytes */
    PUCHAR AuthorizationData;
} SecPkgContext_AuthorizationData, *PSecPkgContext_AuthorizationData;

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

#ifdef __cplusplus
}
#endif

#endif
