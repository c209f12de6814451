/* Names of the user and of this computer, variables of the environment, and the last error. */
#include "crt.h"
#include "environment.h"
#include "unicode.h"

#include <ctype.h>
#include <errno.h>
#include <secext.h>
#include <stdlib.h>
#include <sys/param.h>
#include <unistd.h>
#include <winbase.h>

DWORD GetLastError(VOID)
{
    return OpenSspiLastError();
}

VOID SetLastError(DWORD dwErrCode)
{
    OpenSspiSetLastError(dwErrCode);
}

#define USER_NAME_ROOM 512 /* UNLEN is 256 characters */

static BOOL user_name(bool wide, void *buffer, DWORD *size)
{
    char name[USER_NAME_ROOM];
    ULONG room = sizeof name;
    if (size == NULL) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    if (!GetUserNameExA(NameSamCompatible, name, &room))
        return FALSE;
    const char *user = strrchr(name, '\\');
    return text_put(user == NULL ? name : user + 1, wide, buffer, size, ERROR_INSUFFICIENT_BUFFER, true);
}

BOOL GetUserNameA(LPSTR lpBuffer, LPDWORD pcbBuffer)
{
    return user_name(false, lpBuffer, pcbBuffer);
}

BOOL GetUserNameW(LPWSTR lpBuffer, LPDWORD pcbBuffer)
{
    return user_name(true, lpBuffer, pcbBuffer);
}

static BOOL computer_name(COMPUTER_NAME_FORMAT form, bool wide, void *buffer, DWORD *size, DWORD small)
{
    char name[MAXHOSTNAMELEN + 1] = "";
    if (size == NULL || (unsigned)form >= ComputerNameMax) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    if (gethostname(name, sizeof name - 1) != 0) {
        SetLastError(ERROR_GEN_FAILURE);
        return FALSE;
    }
    char *dot = strchr(name, '.'), *answer = name;
    switch (form) {
    case ComputerNameNetBIOS:
    case ComputerNamePhysicalNetBIOS:
        if (dot != NULL)
            *dot = '\0';
        name[MAX_COMPUTERNAME_LENGTH] = '\0';
        for (char *at = name; *at != '\0'; at++)
            *at = (char)toupper((unsigned char)*at);
        break;
    case ComputerNameDnsHostname:
    case ComputerNamePhysicalDnsHostname:
        if (dot != NULL)
            *dot = '\0';
        break;
    case ComputerNameDnsDomain:
    case ComputerNamePhysicalDnsDomain:
        answer = dot != NULL ? dot + 1 : name + strlen(name);
        break;
    default:
        break;
    }
    return text_put(answer, wide, buffer, size, small, false);
}

BOOL GetComputerNameExA(COMPUTER_NAME_FORMAT NameType, LPSTR lpBuffer, LPDWORD nSize)
{
    return computer_name(NameType, false, lpBuffer, nSize, ERROR_MORE_DATA);
}

BOOL GetComputerNameExW(COMPUTER_NAME_FORMAT NameType, LPWSTR lpBuffer, LPDWORD nSize)
{
    return computer_name(NameType, true, lpBuffer, nSize, ERROR_MORE_DATA);
}

BOOL GetComputerNameA(LPSTR lpBuffer, LPDWORD nSize)
{
    return computer_name(ComputerNameNetBIOS, false, lpBuffer, nSize, ERROR_BUFFER_OVERFLOW);
}

BOOL GetComputerNameW(LPWSTR lpBuffer, LPDWORD nSize)
{
    return computer_name(ComputerNameNetBIOS, true, lpBuffer, nSize, ERROR_BUFFER_OVERFLOW);
}

/* Characters without the NUL, or the room needed, which is no error. */
static DWORD told(const char *value, bool wide, void *buffer, DWORD size)
{
    DWORD before = GetLastError(), n = size;
    text_put(value, wide, buffer, &n, before, false);
    return n;
}

#define WINDOWS_DIRECTORY "C:\\Windows"
#define SYSTEM_DIRECTORY WINDOWS_DIRECTORY "\\System32"

UINT GetSystemDirectoryA(LPSTR lpBuffer, UINT uSize)
{
    return told(SYSTEM_DIRECTORY, false, lpBuffer, uSize);
}

UINT GetSystemDirectoryW(LPWSTR lpBuffer, UINT uSize)
{
    return told(SYSTEM_DIRECTORY, true, lpBuffer, uSize);
}

UINT GetWindowsDirectoryA(LPSTR lpBuffer, UINT uSize)
{
    return told(WINDOWS_DIRECTORY, false, lpBuffer, uSize);
}

UINT GetWindowsDirectoryW(LPWSTR lpBuffer, UINT uSize)
{
    return told(WINDOWS_DIRECTORY, true, lpBuffer, uSize);
}

static DWORD environment(const char *name, bool wide, void *buffer, DWORD size)
{
    bool is_set;
    char *value = environment_copy(name, &is_set);
    if (value == NULL) {
        SetLastError(is_set ? ERROR_NOT_ENOUGH_MEMORY : ERROR_ENVVAR_NOT_FOUND);
        return 0;
    }
    DWORD n = told(value, wide, buffer, size);
    text_wipe(value);
    return n;
}

DWORD GetEnvironmentVariableA(LPCSTR lpName, LPSTR lpBuffer, DWORD nSize)
{
    return environment(lpName, false, lpBuffer, nSize);
}

DWORD GetEnvironmentVariableW(LPCWSTR lpName, LPWSTR lpBuffer, DWORD nSize)
{
    char *name = utf8_of(lpName);
    DWORD n = environment(name, true, lpBuffer, nSize);
    free(name);
    return n;
}

BOOL SetEnvironmentVariableA(LPCSTR lpName, LPCSTR lpValue)
{
    DWORD error = ERROR_SUCCESS;
    if (lpName == NULL || *lpName == '\0' || strchr(lpName, '=') != NULL)
        error = ERROR_INVALID_PARAMETER;
    else {
        int failed = environment_set(lpName, lpValue);
        error = failed == 0 ? ERROR_SUCCESS : failed == ENOENT ? ERROR_ENVVAR_NOT_FOUND : ERROR_NOT_ENOUGH_MEMORY;
    }
    if (error != ERROR_SUCCESS)
        SetLastError(error);
    return error == ERROR_SUCCESS;
}

BOOL SetEnvironmentVariableW(LPCWSTR lpName, LPCWSTR lpValue)
{
    char *name = utf8_of(lpName), *value = utf8_of(lpValue);
    BOOL set = FALSE;
    if ((name != NULL || lpName == NULL) && (value != NULL || lpValue == NULL))
        set = SetEnvironmentVariableA(name, value);
    free(name);
    text_wipe(value); /* programs keep passwords in them */
    return set;
}

VOID OutputDebugStringA(LPCSTR lpOutputString)
{
    bool wanted = false;
    text_wipe(environment_copy("OPENSSPI_DEBUG_STRINGS", &wanted));
    if (wanted && lpOutputString != NULL)
        fputs(lpOutputString, stderr);
}

VOID OutputDebugStringW(LPCWSTR lpOutputString)
{
    char *text = utf8_of(lpOutputString);
    OutputDebugStringA(text);
    free(text);
}
