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
 * OpenSspiLastError tells why this thread's last function failed that reports by BOOL, BOOLEAN or NULL: what GetLastError tells on Windows, a system error code
 * such as 122 (ERROR_INSUFFICIENT_BUFFER). A success leaves it as it was.
 */
ULONG OpenSspiLastError(void);

/*
 * OpenSspiCloseHandle closes the handle of an access token: what CloseHandle does on Windows (win32/handleapi.h gives it that name).
 *
 * Returns TRUE; FALSE with ERROR_INVALID_HANDLE (6) for what is no open token.
 */
BOOL OpenSspiCloseHandle(HANDLE hObject);

/*
 * OpenSspiLocalFree frees what functions hand out that on Windows is freed with LocalFree: SIDs, descriptors and text of win32/sddl.h, and the logon SID of
 * LogonUserEx.
 *
 * Returns NULL; hMem itself when it is none of these.
 */
HLOCAL OpenSspiLocalFree(HLOCAL hMem);

/*
 * A class for GetTokenInformation (win32/securitybaseapi.h): the Unix user that a token stands for. Groups points behind the structure.
 */
#define OPENSSPI_TOKEN_UNIX ((TOKEN_INFORMATION_CLASS)0x55584E49)

typedef struct _OPENSSPI_TOKEN_UNIX_IDS {
    BOOL Mapped; /* FALSE: the client has no Unix user here, and all else is 0 */
    ULONG User;
    ULONG Group;
    ULONG GroupCount; /* supplementary groups */
    ULONG *Groups;
} OPENSSPI_TOKEN_UNIX_IDS, *POPENSSPI_TOKEN_UNIX_IDS;

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
