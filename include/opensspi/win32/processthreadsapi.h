/*
 * processthreadsapi.h: the access tokens of this process and of the calling thread.
 *
 * All functions return TRUE, or FALSE with the reason in GetLastError; OpenSspiLastErrorText has it in words.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_PROCESSTHREADSAPI_H
#define OPENSSPI_WIN32_PROCESSTHREADSAPI_H

#include "winnt.h"
#include "symbol.h"

OPENSSPI_BEGIN_DECLS

/* Pseudo handles. They are never closed; other processes and threads have no handles here. */
#ifndef GetCurrentProcess
#define GetCurrentProcess() ((HANDLE)(LONG_PTR)-1)
#endif
#ifndef GetCurrentThread
#define GetCurrentThread() ((HANDLE)(LONG_PTR)-2)
#endif

/*
 * OpenProcessToken opens the primary token of this process: its Unix user and groups as SIDs S-1-22-1-uid and S-1-22-2-gid, and what
 * winbind calls them where it is asked. Close it with CloseHandle.
 *
 * ProcessHandle  GetCurrentProcess().
 * DesiredAccess  TOKEN_QUERY and the like, or MAXIMUM_ALLOWED.
 *
 * ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY, ERROR_INTERNAL_ERROR. Source: Microsoft, OpenProcessToken.
 */
BOOL WINAPI OpenProcessToken(HANDLE ProcessHandle, DWORD DesiredAccess, PHANDLE TokenHandle);

/*
 * OpenThreadToken opens the token that the calling thread impersonates with. Close it with CloseHandle.
 *
 * ThreadHandle  GetCurrentThread().
 * OpenAsSelf    changes nothing: tokens have no access control lists.
 *
 * ERROR_NO_TOKEN when the thread does not impersonate; ERROR_CANT_OPEN_ANONYMOUS for a token of anonymous level; ERROR_INVALID_HANDLE.
 * Source: Microsoft, OpenThreadToken.
 */
BOOL WINAPI OpenThreadToken(HANDLE ThreadHandle, DWORD DesiredAccess, BOOL OpenAsSelf, PHANDLE TokenHandle);

/*
 * SetThreadToken makes the calling thread impersonate with a token, as ImpersonateLoggedOnUser does (securitybaseapi.h), or revert.
 *
 * Thread  NULL, or a pointer to GetCurrentThread().
 * Token   an impersonation token opened for TOKEN_IMPERSONATE; NULL reverts.
 *
 * ERROR_BAD_TOKEN_TYPE for a primary token, and the errors of ImpersonateLoggedOnUser. Source: Microsoft, SetThreadToken.
 */
BOOL WINAPI SetThreadToken(PHANDLE Thread, HANDLE Token);

#ifdef OPENSSPI_WIN32
/* With libopensspi-win32. Source: Microsoft, process and thread functions. */

#define CREATE_SUSPENDED 0x00000004
#define STACK_SIZE_PARAM_IS_A_RESERVATION 0x00010000
#define STILL_ACTIVE ((DWORD)0x00000103)

/* CreateThread starts a thread. dwStackSize: bytes, or 0. Its handle is waited for and closed with CloseHandle. NULL: ERROR_NOT_ENOUGH_MEMORY,
 * ERROR_INVALID_PARAMETER. */
HANDLE WINAPI CreateThread(LPSECURITY_ATTRIBUTES lpThreadAttributes, SIZE_T dwStackSize,
                           LPTHREAD_START_ROUTINE lpStartAddress, LPVOID lpParameter, DWORD dwCreationFlags,
                           LPDWORD lpThreadId) OPENSSPI_WIN32_SYMBOL(CreateThread);
/* ResumeThread starts a thread that was created suspended: 1; 0 when it runs already; (DWORD)-1, ERROR_INVALID_HANDLE. */
DWORD WINAPI ResumeThread(HANDLE hThread) OPENSSPI_WIN32_SYMBOL(ResumeThread);
/* ExitThread ends the calling thread, which CreateThread began. */
VOID WINAPI ExitThread(DWORD dwExitCode) OPENSSPI_WIN32_SYMBOL(ExitThread) __attribute__((noreturn));
/* GetExitCodeThread gives what the thread returned; STILL_ACTIVE while it runs. */
BOOL WINAPI GetExitCodeThread(HANDLE hThread, LPDWORD lpExitCode) OPENSSPI_WIN32_SYMBOL(GetExitCodeThread);
/* The kernel's numbers of this process and thread. */
DWORD WINAPI GetCurrentProcessId(VOID) OPENSSPI_WIN32_SYMBOL(GetCurrentProcessId);
DWORD WINAPI GetCurrentThreadId(VOID) OPENSSPI_WIN32_SYMBOL(GetCurrentThreadId);
/* Lets another thread run, if one wants to. */
BOOL WINAPI SwitchToThread(VOID) OPENSSPI_WIN32_SYMBOL(SwitchToThread);
/* A value of each thread's own, NULL at first: TlsAlloc gives its index, TLS_OUT_OF_INDEXES with ERROR_NOT_ENOUGH_MEMORY when there are no more;
 * TlsFree gives the index back. What the values are of is the caller's to free. TlsGetValue sets the last error to ERROR_SUCCESS, as NULL may be a
 * value; the others are FALSE with ERROR_INVALID_PARAMETER for what is no index, TlsSetValue with ERROR_NOT_ENOUGH_MEMORY. */
#define TLS_OUT_OF_INDEXES ((DWORD)0xFFFFFFFF)
#define TLS_MINIMUM_AVAILABLE 64
DWORD WINAPI TlsAlloc(VOID) OPENSSPI_WIN32_SYMBOL(TlsAlloc);
LPVOID WINAPI TlsGetValue(DWORD dwTlsIndex) OPENSSPI_WIN32_SYMBOL(TlsGetValue);
BOOL WINAPI TlsSetValue(DWORD dwTlsIndex, LPVOID lpTlsValue) OPENSSPI_WIN32_SYMBOL(TlsSetValue);
BOOL WINAPI TlsFree(DWORD dwTlsIndex) OPENSSPI_WIN32_SYMBOL(TlsFree);
/* ExitProcess ends the process as exit does. Of the code 8 bits reach who waits for the process: the low ones, or 255 where they are 0 and the code
 * is not. */
VOID WINAPI ExitProcess(UINT uExitCode) OPENSSPI_WIN32_SYMBOL(ExitProcess) __attribute__((noreturn));
#endif

OPENSSPI_END_DECLS

#endif
