/*
 * libloaderapi.h: modules, and functions by name.
 *
 * These names give OpenSSPI itself, in any case, with or without ".dll" and a path before them: secur32, security, sspicli, schannel, crypt32,
 * ncrypt, credssp and advapi32 libopensspi; kernel32, kernelbase, user32, ntdll and ws2_32 libopensspi-win32, each also the other's functions.
 * Another name is one of dlopen's. Modules are of this system: a DLL is not found. A functions take UTF-8. Source: Microsoft, dynamic-link library
 * functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_LIBLOADERAPI_H
#define OPENSSPI_WIN32_LIBLOADERAPI_H

#include "winnt.h"
#include "symbol.h"

OPENSSPI_BEGIN_DECLS

/* A function of any type; a cast to it draws no warning. */
typedef void(WINAPI *FARPROC)(void);
typedef FARPROC PROC;

#define DONT_RESOLVE_DLL_REFERENCES 0x00000001
#define LOAD_LIBRARY_AS_DATAFILE 0x00000002
#define LOAD_WITH_ALTERED_SEARCH_PATH 0x00000008
#define LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR 0x00000100
#define LOAD_LIBRARY_SEARCH_APPLICATION_DIR 0x00000200
#define LOAD_LIBRARY_SEARCH_USER_DIRS 0x00000400
#define LOAD_LIBRARY_SEARCH_SYSTEM32 0x00000800
#define LOAD_LIBRARY_SEARCH_DEFAULT_DIRS 0x00001000

/* LoadLibrary loads a module. NULL: ERROR_MOD_NOT_FOUND, ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY. Release it with FreeLibrary. */
HMODULE WINAPI LoadLibraryA(LPCSTR lpLibFileName) OPENSSPI_WIN32_SYMBOL(LoadLibraryA);
HMODULE WINAPI LoadLibraryW(LPCWSTR lpLibFileName) OPENSSPI_WIN32_SYMBOL(LoadLibraryW);
#define LoadLibrary OPENSSPI_AW(LoadLibrary)
/* LoadLibraryEx does the same; hFile is NULL. Flags that choose where to search change nothing for OpenSSPI's own names; with
 * LOAD_LIBRARY_SEARCH_SYSTEM32 no others are found. What is to be loaded as data: ERROR_NOT_SUPPORTED. */
HMODULE WINAPI LoadLibraryExA(LPCSTR lpLibFileName, HANDLE hFile, DWORD dwFlags) OPENSSPI_WIN32_SYMBOL(LoadLibraryExA);
HMODULE WINAPI LoadLibraryExW(LPCWSTR lpLibFileName, HANDLE hFile, DWORD dwFlags) OPENSSPI_WIN32_SYMBOL(LoadLibraryExW);
#define LoadLibraryEx OPENSSPI_AW(LoadLibraryEx)
/* GetModuleHandle finds a module that is loaded; NULL finds the program. It is not to be freed. */
HMODULE WINAPI GetModuleHandleA(LPCSTR lpModuleName) OPENSSPI_WIN32_SYMBOL(GetModuleHandleA);
HMODULE WINAPI GetModuleHandleW(LPCWSTR lpModuleName) OPENSSPI_WIN32_SYMBOL(GetModuleHandleW);
#define GetModuleHandle OPENSSPI_AW(GetModuleHandle)
/*
 * GetModuleFileName gives the file of a module, of the program for NULL; for OpenSSPI's own names that of libopensspi-win32, or of what it is linked
 * into. Characters without the NUL. What is too long is cut off: nSize, ERROR_INSUFFICIENT_BUFFER. 0: ERROR_MOD_NOT_FOUND, ERROR_NOT_ENOUGH_MEMORY.
 */
DWORD WINAPI GetModuleFileNameA(HMODULE hModule, LPSTR lpFilename, DWORD nSize)
    OPENSSPI_WIN32_SYMBOL(GetModuleFileNameA);
DWORD WINAPI GetModuleFileNameW(HMODULE hModule, LPWSTR lpFilename, DWORD nSize)
    OPENSSPI_WIN32_SYMBOL(GetModuleFileNameW);
#define GetModuleFileName OPENSSPI_AW(GetModuleFileName)
/* GetProcAddress finds a function of a module. NULL: ERROR_PROC_NOT_FOUND, also for ordinals; ERROR_INVALID_HANDLE for a NULL module. */
FARPROC WINAPI GetProcAddress(HMODULE hModule, LPCSTR lpProcName) OPENSSPI_WIN32_SYMBOL(GetProcAddress);
/* FreeLibrary releases what LoadLibrary gave. FALSE for NULL: ERROR_INVALID_HANDLE. Nothing else may be given to it: it is dlclose's to look into. */
BOOL WINAPI FreeLibrary(HMODULE hLibModule) OPENSSPI_WIN32_SYMBOL(FreeLibrary);

OPENSSPI_END_DECLS

#endif
