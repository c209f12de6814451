/* LoadLibrary and GetProcAddress: names of Windows' libraries are OpenSSPI's own two, others are dlopen's. */
#include <winbase.h>

#include "crt.h"
#include "exported.h"
#include "unicode.h"
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <unistd.h>

/* A module's handle is the address of its entry. */
static const char own[][16] = {"secur32",  "security", "sspicli",    "schannel", "crypt32", "ncrypt", "credssp",
                               "advapi32", "kernel32", "kernelbase", "user32",   "ntdll",   "ws2_32"};

static int descriptor_is_set(int s, fd_set *set)
{
    return s >= 0 && s < FD_SETSIZE && set != NULL && FD_ISSET(s, set);
}

/* What programs ask ws2_32 for and the system has as it is; neither library exports it. */
static const struct {
    const char *name;
    void (*function)(void);
} winsock[] = {
    {"freeaddrinfo", (void (*)(void))freeaddrinfo},
    {"htonl", (void (*)(void))htonl},
    {"htons", (void (*)(void))htons},
    {"ntohl", (void (*)(void))ntohl},
    {"ntohs", (void (*)(void))ntohs},
    {"inet_addr", (void (*)(void))inet_addr},
    {"inet_ntoa", (void (*)(void))inet_ntoa},
    {"__WSAFDIsSet", (void (*)(void))descriptor_is_set},
};

static bool is_own(const void *module)
{
    return (uintptr_t)module >= (uintptr_t)own && (uintptr_t)module < (uintptr_t)(own + sizeof own / sizeof own[0]);
}

/* The entry of "C:\Windows\System32\Secur32.DLL" and its like. *is_dll: the name is of a Windows library in any case. */
static HMODULE own_find(const char *name, bool *is_dll)
{
    const char *base = name;
    for (const char *at = name; *at != '\0'; at++)
        if (*at == '\\' || *at == '/' || *at == ':')
            base = at + 1;
    size_t len = strlen(base);
    *is_dll = strchr(name, '\\') != NULL;
    if (len > 4 && strcasecmp(base + len - 4, ".dll") == 0) {
        *is_dll = true;
        len -= 4;
    }
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (strlen(own[i]) == len && strncasecmp(own[i], base, len) == 0)
            return (HMODULE)(uintptr_t)own[i];
    return NULL;
}

static HMODULE refuse(DWORD error)
{
    SetLastError(error);
    return NULL;
}

HMODULE LoadLibraryExA(LPCSTR lpLibFileName, HANDLE hFile, DWORD dwFlags)
{
    const DWORD search = LOAD_WITH_ALTERED_SEARCH_PATH | LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR |
                         LOAD_LIBRARY_SEARCH_APPLICATION_DIR | LOAD_LIBRARY_SEARCH_USER_DIRS |
                         LOAD_LIBRARY_SEARCH_SYSTEM32 | LOAD_LIBRARY_SEARCH_DEFAULT_DIRS;
    bool is_dll;
    if (lpLibFileName == NULL || *lpLibFileName == '\0' || hFile != NULL)
        return refuse(ERROR_INVALID_PARAMETER);
    if ((dwFlags & ~search) != 0)
        return refuse(ERROR_NOT_SUPPORTED);
    HMODULE module = own_find(lpLibFileName, &is_dll);
    if (module != NULL)
        return module;
    if (!is_dll && dwFlags != LOAD_LIBRARY_SEARCH_SYSTEM32)
        module = dlopen(lpLibFileName, RTLD_NOW | RTLD_LOCAL);
    return module != NULL ? module : refuse(ERROR_MOD_NOT_FOUND);
}

HMODULE LoadLibraryA(LPCSTR lpLibFileName)
{
    return LoadLibraryExA(lpLibFileName, NULL, 0);
}

HMODULE LoadLibraryExW(LPCWSTR lpLibFileName, HANDLE hFile, DWORD dwFlags)
{
    if (lpLibFileName == NULL)
        return refuse(ERROR_INVALID_PARAMETER);
    char *name = utf8_of(lpLibFileName);
    HMODULE module = name == NULL ? NULL : LoadLibraryExA(name, hFile, dwFlags);
    free(name);
    return module;
}

HMODULE LoadLibraryW(LPCWSTR lpLibFileName)
{
    return LoadLibraryExW(lpLibFileName, NULL, 0);
}

HMODULE GetModuleHandleA(LPCSTR lpModuleName)
{
    bool is_dll = false;
    HMODULE module = lpModuleName == NULL ? NULL : own_find(lpModuleName, &is_dll);
    if (module == NULL && !is_dll) {
        module = dlopen(lpModuleName, RTLD_LAZY | RTLD_NOLOAD);
        if (module != NULL)
            dlclose(module); /* it is counted by whoever loaded it */
    }
    return module != NULL ? module : refuse(ERROR_MOD_NOT_FOUND);
}

HMODULE GetModuleHandleW(LPCWSTR lpModuleName)
{
    if (lpModuleName == NULL)
        return GetModuleHandleA(NULL);
    char *name = utf8_of(lpModuleName);
    HMODULE module = name == NULL ? NULL : GetModuleHandleA(name);
    free(name);
    return module;
}

#define DELETED " (deleted)"

/* Where the program was begun from, fresh, also when something else lies there by now, as after an upgrade. NULL: errno says why. */
static char *program_path(void)
{
    struct stat program, found;
    char path[PATH_MAX + sizeof DELETED];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
    if (len < 0 || stat("/proc/self/exe", &program) != 0)
        return NULL;
    path[len] = '\0';
    size_t behind = strlen(DELETED), n = (size_t)len;
    bool is_its_name = stat(path, &found) == 0 && found.st_dev == program.st_dev && found.st_ino == program.st_ino;
    if (!is_its_name && n > behind && strcmp(path + n - behind, DELETED) == 0)
        path[n - behind] = '\0';
    return strdup(path);
}

/* The path of a module's file, fresh; NULL, with the last error set. */
static char *path_of(HMODULE module)
{
    struct link_map *map = NULL;
    Dl_info info = {0};
    const char *path = NULL;
    char *resolved;
    if (is_own(module))
        path = dladdr((void *)(uintptr_t)path_of, &info) != 0 ? info.dli_fname : NULL;
    else if (module != NULL && dlinfo(module, RTLD_DI_LINKMAP, &map) == 0)
        path = map->l_name;
    else if (module != NULL) {
        refuse(ERROR_MOD_NOT_FOUND);
        return NULL;
    }
    /* The program's own name is empty there, and a path in an archive's program is as it was called. */
    resolved = path == NULL || *path == '\0' ? program_path() : realpath(path, NULL);
    if (resolved == NULL)
        refuse(errno == ENOMEM ? ERROR_NOT_ENOUGH_MEMORY : ERROR_MOD_NOT_FOUND);
    return resolved;
}

/* How many characters there are in the room, which holds the beginning at least. */
static DWORD put_path(size_t len, DWORD room)
{
    if (len < room)
        return (DWORD)len;
    SetLastError(ERROR_INSUFFICIENT_BUFFER);
    return room;
}

DWORD GetModuleFileNameA(HMODULE hModule, LPSTR lpFilename, DWORD nSize)
{
    char *path = path_of(hModule);
    if (path == NULL)
        return 0;
    DWORD n = put_path(strlen(path), nSize);
    if (nSize > 0)
        opensspi_strncpy_s(lpFilename, nSize, path, _TRUNCATE);
    free(path);
    return n;
}

DWORD GetModuleFileNameW(HMODULE hModule, LPWSTR lpFilename, DWORD nSize)
{
    char *path = path_of(hModule);
    WCHAR *wide = utf16_of(path);
    free(path);
    if (wide == NULL)
        return 0;
    DWORD n = put_path(opensspi_wcslen(wide), nSize);
    if (nSize > 0)
        opensspi_wcsncpy_s(lpFilename, nSize, wide, _TRUNCATE);
    free(wide);
    return n;
}

static void *own_function(HMODULE module, const char *name)
{
    if (strcmp(module, "ws2_32") == 0)
        for (size_t i = 0; i < sizeof winsock / sizeof winsock[0]; i++)
            if (strcmp(winsock[i].name, name) == 0)
                return (void *)(uintptr_t)winsock[i].function;
    return exported_find(name);
}

FARPROC GetProcAddress(HMODULE hModule, LPCSTR lpProcName)
{
    void *found = NULL;
    if (hModule == NULL) {
        SetLastError(ERROR_INVALID_HANDLE);
        return NULL;
    }
    if ((uintptr_t)lpProcName > 0xFFFF) { /* no ordinal */
        found = is_own(hModule) ? own_function(hModule, lpProcName) : dlsym(hModule, lpProcName);
    }
    if (found == NULL)
        SetLastError(ERROR_PROC_NOT_FOUND);
    return (FARPROC)(uintptr_t)found;
}

BOOL FreeLibrary(HMODULE hLibModule)
{
    if (hLibModule == NULL || (!is_own(hLibModule) && dlclose(hLibModule) != 0)) {
        SetLastError(ERROR_INVALID_HANDLE);
        return FALSE;
    }
    return TRUE;
}
