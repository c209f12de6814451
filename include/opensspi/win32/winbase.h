/*
 * winbase.h: logging on with a password, and names of accounts.
 *
 * Functions return TRUE, or FALSE with the reason in GetLastError; OpenSspiLastErrorText has it in words. A functions take and give UTF-8.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_WINBASE_H
#define OPENSSPI_WIN32_WINBASE_H

#include "errhandlingapi.h"
#include "handleapi.h"
#include "processthreadsapi.h"
#include "securitybaseapi.h"
#ifdef OPENSSPI_WIN32
#include "fileapi.h"
#include "heapapi.h"
#include "libloaderapi.h"
#include "processenv.h"
#include "profileapi.h"
#include "stringapiset.h"
#include "synchapi.h"
#include "sysinfoapi.h"
#include "timezoneapi.h"
#include "ulong.h"
#include <stdarg.h>
#include <string.h>
#endif

OPENSSPI_BEGIN_DECLS

#ifndef OPENSSPI_WIN32
/* What sddl.h hands out is freed with it; see handleapi.h for the name. */
#ifndef LocalFree
#define LocalFree OpenSspiLocalFree
#endif
#endif

#define LOGON32_LOGON_INTERACTIVE 2
#define LOGON32_LOGON_NETWORK 3
#define LOGON32_LOGON_BATCH 4
#define LOGON32_LOGON_SERVICE 5
#define LOGON32_LOGON_UNLOCK 7
#define LOGON32_LOGON_NETWORK_CLEARTEXT 8
#define LOGON32_LOGON_NEW_CREDENTIALS 9

#define LOGON32_PROVIDER_DEFAULT 0
#define LOGON32_PROVIDER_WINNT35 1
#define LOGON32_PROVIDER_WINNT40 2
#define LOGON32_PROVIDER_WINNT50 3

/*
 * LogonUser proves a password and gives a token: for LOGON32_LOGON_NETWORK an impersonation token, else a primary one. Close it with CloseHandle.
 *
 * lpszUsername     an account, or "user@REALM".
 * lpszDomain       NULL or "." for the accounts of this computer, its own name or domain for the same, else a Kerberos realm.
 * lpszPassword     NULL is an empty one.
 * dwLogonType      INTERACTIVE, NETWORK, BATCH, SERVICE, UNLOCK or NETWORK_CLEARTEXT.
 * dwLogonProvider  DEFAULT chooses by the domain; WINNT40 and WINNT35 ask the account stores; WINNT50 asks Kerberos.
 *
 * The account stores answer as for an NTLM client, with their lock-out. Kerberos asks the KDC for a ticket to this computer's own service
 * (logon_service in [access]) and opens it with the keytab, so that a forged KDC does not pass.
 *
 * A thread that impersonates the token has the user's credentials by default (AcquireCredentialsHandle), but for LOGON32_LOGON_NETWORK: of Kerberos
 * the ticket-granting ticket, of an account store the NT hash.
 *
 * ERROR_LOGON_FAILURE, ERROR_ACCOUNT_LOCKED_OUT, ERROR_ACCOUNT_DISABLED, ERROR_ACCOUNT_EXPIRED, ERROR_PASSWORD_EXPIRED, ERROR_PASSWORD_MUST_CHANGE,
 * ERROR_NO_LOGON_SERVERS, ERROR_TIME_SKEW, ERROR_ACCESS_DENIED, ERROR_INVALID_PARAMETER, ERROR_NO_TRUST_SAM_ACCOUNT when the KDC does not know this
 * computer's service, ERROR_NOT_SUPPORTED for another logon type.
 * Source: Microsoft, LogonUser.
 */
BOOL WINAPI LogonUserW(LPCWSTR lpszUsername, LPCWSTR lpszDomain, LPCWSTR lpszPassword, DWORD dwLogonType,
                       DWORD dwLogonProvider, PHANDLE phToken);
BOOL WINAPI LogonUserA(LPCSTR lpszUsername, LPCSTR lpszDomain, LPCSTR lpszPassword, DWORD dwLogonType,
                       DWORD dwLogonProvider, PHANDLE phToken);
#define LogonUser OPENSSPI_AW(LogonUser)

/* LogonUserEx also gives the logon SID, freed with LocalFree. There are no profiles and no quotas: those come back NULL, 0 and zeroed. Any of the
 * last five may be NULL; without phToken only whether the user may log on is found out. */
BOOL WINAPI LogonUserExW(LPCWSTR lpszUsername, LPCWSTR lpszDomain, LPCWSTR lpszPassword, DWORD dwLogonType,
                         DWORD dwLogonProvider, PHANDLE phToken, PSID *ppLogonSid, PVOID *ppProfileBuffer,
                         LPDWORD pdwProfileLength, PQUOTA_LIMITS pQuotaLimits);
BOOL WINAPI LogonUserExA(LPCSTR lpszUsername, LPCSTR lpszDomain, LPCSTR lpszPassword, DWORD dwLogonType,
                         DWORD dwLogonProvider, PHANDLE phToken, PSID *ppLogonSid, PVOID *ppProfileBuffer,
                         LPDWORD pdwProfileLength, PQUOTA_LIMITS pQuotaLimits);
#define LogonUserEx OPENSSPI_AW(LogonUserEx)

/*
 * LookupAccountSid finds the name of a SID: well-known ones, accounts and groups of the account stores, Unix users and groups
 * (S-1-22-1-uid, S-1-22-2-gid), and what winbind knows where it is asked.
 *
 * lpSystemName                      NULL: this computer; others are not asked (ERROR_NOT_SUPPORTED).
 * cchName, cchReferencedDomainName  room in characters; then the length without terminator, or, with ERROR_INSUFFICIENT_BUFFER, the room needed.
 *
 * ERROR_NONE_MAPPED when nobody knows it; ERROR_INVALID_SID.
 */
BOOL WINAPI LookupAccountSidW(LPCWSTR lpSystemName, PSID Sid, LPWSTR Name, LPDWORD cchName, LPWSTR ReferencedDomainName,
                              LPDWORD cchReferencedDomainName, PSID_NAME_USE peUse);
BOOL WINAPI LookupAccountSidA(LPCSTR lpSystemName, PSID Sid, LPSTR Name, LPDWORD cchName, LPSTR ReferencedDomainName,
                              LPDWORD cchReferencedDomainName, PSID_NAME_USE peUse);
#define LookupAccountSid OPENSSPI_AW(LookupAccountSid)

/* LookupAccountName finds the SID of "DOMAIN\name", "name@domain" or "name", in the same places. cbSid: room in bytes, then the length or the room
 * needed. */
BOOL WINAPI LookupAccountNameW(LPCWSTR lpSystemName, LPCWSTR lpAccountName, PSID Sid, LPDWORD cbSid,
                               LPWSTR ReferencedDomainName, LPDWORD cchReferencedDomainName, PSID_NAME_USE peUse);
BOOL WINAPI LookupAccountNameA(LPCSTR lpSystemName, LPCSTR lpAccountName, PSID Sid, LPDWORD cbSid,
                               LPSTR ReferencedDomainName, LPDWORD cchReferencedDomainName, PSID_NAME_USE peUse);
#define LookupAccountName OPENSSPI_AW(LookupAccountName)

#ifdef OPENSSPI_WIN32
/* All that follows is libopensspi-win32's. */

/*
 * Memory. A block is its own handle, and stays where it is, also with LMEM_MOVEABLE, but when it is reallocated; what that flag changes is the count
 * of its locks. Source: Microsoft, global and local functions.
 */

#define GMEM_FIXED 0x0000
#define GMEM_MOVEABLE 0x0002
#define GMEM_ZEROINIT 0x0040
#define GMEM_MODIFY 0x0080
#define GPTR 0x0040
#define GHND 0x0042

/* LocalAlloc gives a block of uBytes for LocalFree. NULL: ERROR_NOT_ENOUGH_MEMORY. */
HLOCAL WINAPI LocalAlloc(UINT uFlags, SIZE_T uBytes) OPENSSPI_WIN32_SYMBOL(LocalAlloc);
/*
 * LocalReAlloc changes its size; what is new is zeroed. Without LMEM_MOVEABLE in uFlags a block that is fixed or locked stays where it is: it can
 * become smaller, and as large again as it was, no larger. Any other may be elsewhere then: what is returned is the block. With LMEM_MODIFY nothing
 * changes, and a fixed block stays fixed.
 *
 * NULL: the block is as it was; ERROR_NOT_ENOUGH_MEMORY, also for what would have to move; ERROR_INVALID_HANDLE for what is none.
 * Source: Microsoft, LocalReAlloc.
 */
HLOCAL WINAPI LocalReAlloc(HLOCAL hMem, SIZE_T uBytes, UINT uFlags) OPENSSPI_WIN32_SYMBOL(LocalReAlloc);
/* LocalFree frees it, and what functions hand out that document it so: NULL; hMem itself, ERROR_INVALID_HANDLE, for what is none. */
HLOCAL WINAPI LocalFree(HLOCAL hMem) OPENSSPI_WIN32_SYMBOL(LocalFree);
/* LocalSize gives its bytes; 0, ERROR_INVALID_HANDLE for what is none. */
SIZE_T WINAPI LocalSize(HLOCAL hMem) OPENSSPI_WIN32_SYMBOL(LocalSize);
/* LocalLock gives hMem itself, and counts one lock more of a movable block; NULL, ERROR_INVALID_HANDLE for what is none. */
LPVOID WINAPI LocalLock(HLOCAL hMem) OPENSSPI_WIN32_SYMBOL(LocalLock);
/* LocalUnlock counts one lock less of a movable block: TRUE while it is still locked; FALSE, NO_ERROR, when it no longer is; FALSE, ERROR_NOT_LOCKED,
 * when it was not, and for a fixed block always; ERROR_INVALID_HANDLE for what is none. */
BOOL WINAPI LocalUnlock(HLOCAL hMem) OPENSSPI_WIN32_SYMBOL(LocalUnlock);
/* The Global functions do what the Local ones of the same name do, and take each other's blocks. GlobalUnlock of a fixed block is TRUE. */
HGLOBAL WINAPI GlobalAlloc(UINT uFlags, SIZE_T dwBytes) OPENSSPI_WIN32_SYMBOL(GlobalAlloc);
HGLOBAL WINAPI GlobalReAlloc(HGLOBAL hMem, SIZE_T dwBytes, UINT uFlags) OPENSSPI_WIN32_SYMBOL(GlobalReAlloc);
HGLOBAL WINAPI GlobalFree(HGLOBAL hMem) OPENSSPI_WIN32_SYMBOL(GlobalFree);
SIZE_T WINAPI GlobalSize(HGLOBAL hMem) OPENSSPI_WIN32_SYMBOL(GlobalSize);
LPVOID WINAPI GlobalLock(HGLOBAL hMem) OPENSSPI_WIN32_SYMBOL(GlobalLock);
BOOL WINAPI GlobalUnlock(HGLOBAL hMem) OPENSSPI_WIN32_SYMBOL(GlobalUnlock);

#define MoveMemory(Destination, Source, Length) memmove((Destination), (Source), (Length))
#define CopyMemory(Destination, Source, Length) memcpy((Destination), (Source), (Length))
#define FillMemory(Destination, Length, Fill) memset((Destination), (Fill), (Length))
#define ZeroMemory(Destination, Length) memset((Destination), 0, (Length))
#define RtlMoveMemory MoveMemory
#define RtlCopyMemory CopyMemory
#define RtlFillMemory FillMemory
#define RtlZeroMemory ZeroMemory
/* SecureZeroMemory wipes, and the compiler does not leave it out. */
PVOID WINAPI SecureZeroMemory(PVOID ptr, SIZE_T cnt) OPENSSPI_WIN32_SYMBOL(SecureZeroMemory);

/*
 * Strings. Lengths count characters; text ends with a NUL. lstrcmpi folds ASCII in the A form and the basic plane in the W form; both compare code by
 * code, not by the rules of a language. lstrcpyn copies iMaxLength - 1 characters at most. Source: Microsoft, string functions.
 */
int WINAPI lstrlenA(LPCSTR lpString) OPENSSPI_WIN32_SYMBOL(lstrlenA);
int WINAPI lstrlenW(LPCWSTR lpString) OPENSSPI_WIN32_SYMBOL(lstrlenW);
#define lstrlen OPENSSPI_AW(lstrlen)
LPSTR WINAPI lstrcpyA(LPSTR lpString1, LPCSTR lpString2) OPENSSPI_WIN32_SYMBOL(lstrcpyA);
LPWSTR WINAPI lstrcpyW(LPWSTR lpString1, LPCWSTR lpString2) OPENSSPI_WIN32_SYMBOL(lstrcpyW);
#define lstrcpy OPENSSPI_AW(lstrcpy)
LPSTR WINAPI lstrcpynA(LPSTR lpString1, LPCSTR lpString2, int iMaxLength) OPENSSPI_WIN32_SYMBOL(lstrcpynA);
LPWSTR WINAPI lstrcpynW(LPWSTR lpString1, LPCWSTR lpString2, int iMaxLength) OPENSSPI_WIN32_SYMBOL(lstrcpynW);
#define lstrcpyn OPENSSPI_AW(lstrcpyn)
LPSTR WINAPI lstrcatA(LPSTR lpString1, LPCSTR lpString2) OPENSSPI_WIN32_SYMBOL(lstrcatA);
LPWSTR WINAPI lstrcatW(LPWSTR lpString1, LPCWSTR lpString2) OPENSSPI_WIN32_SYMBOL(lstrcatW);
#define lstrcat OPENSSPI_AW(lstrcat)
int WINAPI lstrcmpA(LPCSTR lpString1, LPCSTR lpString2) OPENSSPI_WIN32_SYMBOL(lstrcmpA);
int WINAPI lstrcmpW(LPCWSTR lpString1, LPCWSTR lpString2) OPENSSPI_WIN32_SYMBOL(lstrcmpW);
#define lstrcmp OPENSSPI_AW(lstrcmp)
int WINAPI lstrcmpiA(LPCSTR lpString1, LPCSTR lpString2) OPENSSPI_WIN32_SYMBOL(lstrcmpiA);
int WINAPI lstrcmpiW(LPCWSTR lpString1, LPCWSTR lpString2) OPENSSPI_WIN32_SYMBOL(lstrcmpiW);
#define lstrcmpi OPENSSPI_AW(lstrcmpi)

/*
 * Messages.
 */

#define FORMAT_MESSAGE_ALLOCATE_BUFFER 0x00000100
#define FORMAT_MESSAGE_IGNORE_INSERTS 0x00000200
#define FORMAT_MESSAGE_FROM_STRING 0x00000400
#define FORMAT_MESSAGE_FROM_HMODULE 0x00000800
#define FORMAT_MESSAGE_FROM_SYSTEM 0x00001000
#define FORMAT_MESSAGE_ARGUMENT_ARRAY 0x00002000
#define FORMAT_MESSAGE_MAX_WIDTH_MASK 0x000000FF

/*
 * FormatMessage makes the text of an error, or of a message with inserts.
 *
 * dwFlags       FROM_SYSTEM: what dwMessageId means, a system error code, an HRESULT of SSPI, certificates or FACILITY_WIN32, or an NTSTATUS; it ends
 *               with CR LF. FROM_STRING: lpSource is the message. FROM_HMODULE: modules have no messages here, so the system's are looked at when
 *               that is asked for, too. The low byte is a line width, or FORMAT_MESSAGE_MAX_WIDTH_MASK, which makes one line of it.
 * lpSource      the message; in the A function UTF-8.
 * dwLanguageId  0, or English. The words are English.
 * lpBuffer      room for nSize characters; with ALLOCATE_BUFFER a pointer that receives a block of at least nSize for LocalFree.
 * Arguments     for %1 to %99, a va_list, or an array of DWORD_PTR with ARGUMENT_ARRAY. %1!format! formats as wsprintf does; floating point is not
 *               for it.
 *
 * Returns characters without the NUL; 0: ERROR_MR_MID_NOT_FOUND, ERROR_RESOURCE_LANG_NOT_FOUND, ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_PARAMETER,
 * ERROR_NO_WORK_DONE for an empty message, ERROR_NOT_ENOUGH_MEMORY. Source: Microsoft, FormatMessage; observed behaviour.
 */
DWORD WINAPI FormatMessageA(DWORD dwFlags, LPCVOID lpSource, DWORD dwMessageId, DWORD dwLanguageId, LPSTR lpBuffer,
                            DWORD nSize, va_list *Arguments) OPENSSPI_WIN32_SYMBOL(FormatMessageA);
DWORD WINAPI FormatMessageW(DWORD dwFlags, LPCVOID lpSource, DWORD dwMessageId, DWORD dwLanguageId, LPWSTR lpBuffer,
                            DWORD nSize, va_list *Arguments) OPENSSPI_WIN32_SYMBOL(FormatMessageW);
#define FormatMessage OPENSSPI_AW(FormatMessage)

/* OutputDebugString writes to standard error when OPENSSPI_DEBUG_STRINGS is in the environment, else nowhere: there is no debugger that listens. */
VOID WINAPI OutputDebugStringA(LPCSTR lpOutputString) OPENSSPI_WIN32_SYMBOL(OutputDebugStringA);
VOID WINAPI OutputDebugStringW(LPCWSTR lpOutputString) OPENSSPI_WIN32_SYMBOL(OutputDebugStringW);
#define OutputDebugString OPENSSPI_AW(OutputDebugString)

/*
 * Names. lpnSize: room in characters; GetUserName gives the length with the NUL, GetComputerName without.
 */

#define MAX_COMPUTERNAME_LENGTH 15

/* GetUserName gives the name of the user that the thread acts for. FALSE: ERROR_INSUFFICIENT_BUFFER with the room needed, ERROR_NONE_MAPPED. */
BOOL WINAPI GetUserNameA(LPSTR lpBuffer, LPDWORD pcbBuffer) OPENSSPI_WIN32_SYMBOL(GetUserNameA);
BOOL WINAPI GetUserNameW(LPWSTR lpBuffer, LPDWORD pcbBuffer) OPENSSPI_WIN32_SYMBOL(GetUserNameW);
#define GetUserName OPENSSPI_AW(GetUserName)
/* GetComputerName gives GetComputerNameEx's ComputerNameNetBIOS. FALSE: ERROR_BUFFER_OVERFLOW with the room needed. */
BOOL WINAPI GetComputerNameA(LPSTR lpBuffer, LPDWORD nSize) OPENSSPI_WIN32_SYMBOL(GetComputerNameA);
BOOL WINAPI GetComputerNameW(LPWSTR lpBuffer, LPDWORD nSize) OPENSSPI_WIN32_SYMBOL(GetComputerNameW);
#define GetComputerName OPENSSPI_AW(GetComputerName)
#endif

OPENSSPI_END_DECLS

#ifdef OPENSSPI_WIN32
/* Counters of several threads, of any width: Windows' `long` is a LONG. */
#define InterlockedIncrement(p) __atomic_add_fetch((p), 1, __ATOMIC_SEQ_CST)
#define InterlockedDecrement(p) __atomic_sub_fetch((p), 1, __ATOMIC_SEQ_CST)
#define InterlockedExchange(p, v) __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
#define InterlockedExchangeAdd(p, v) __atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST)
#define InterlockedCompareExchange(p, v, c) __sync_val_compare_and_swap((p), (c), (v))
#define InterlockedAdd(p, v) __atomic_add_fetch((p), (v), __ATOMIC_SEQ_CST)
#define InterlockedAnd(p, v) __atomic_fetch_and((p), (v), __ATOMIC_SEQ_CST)
#define InterlockedOr(p, v) __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST)
#define InterlockedXor(p, v) __atomic_fetch_xor((p), (v), __ATOMIC_SEQ_CST)
#define InterlockedIncrement64 InterlockedIncrement
#define InterlockedDecrement64 InterlockedDecrement
#define InterlockedExchange64 InterlockedExchange
#define InterlockedExchangeAdd64 InterlockedExchangeAdd
#define InterlockedCompareExchange64 InterlockedCompareExchange
#define InterlockedAdd64 InterlockedAdd
#define InterlockedAnd64 InterlockedAnd
#define InterlockedOr64 InterlockedOr
#define InterlockedXor64 InterlockedXor
/* Compilers warn of a pointer that nobody wants, not of a block's or a function's. */
#ifdef __cplusplus
extern "C++" {
template <class T> struct OpenSspiSame { /* what converts to T, NULL too, and decides nothing of it */
    typedef T type;
};
template <class T> static inline T OpenSspiExchangePointer(T volatile *p, typename OpenSspiSame<T>::type v)
{
    return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);
}
template <class T>
static inline T OpenSspiCompareExchangePointer(T volatile *p, typename OpenSspiSame<T>::type v,
                                               typename OpenSspiSame<T>::type c)
{
    return __sync_val_compare_and_swap(p, c, v);
}
}
#define InterlockedExchangePointer(p, v) OpenSspiExchangePointer((p), (v))
#define InterlockedCompareExchangePointer(p, v, c) OpenSspiCompareExchangePointer((p), (v), (c))
#else
#define InterlockedExchangePointer(p, v) __extension__({ __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST); })
#define InterlockedCompareExchangePointer(p, v, c) __extension__({ __sync_val_compare_and_swap((p), (c), (v)); })
#endif
#endif

#endif
