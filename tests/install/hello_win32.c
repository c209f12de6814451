/*
 * The smallest program in Windows' manner against an installed opensspi-win32: lists the security packages by the table, in wide text.
 */
#include <windows.h>
#define SECURITY_WIN32
#include <security.h>
#include <tchar.h>

int _tmain(void)
{
    INIT_SECURITY_INTERFACE init =
        (INIT_SECURITY_INTERFACE)GetProcAddress(LoadLibrary(TEXT("secur32.dll")), SECURITY_ENTRYPOINT_ANSI);
    unsigned long count;
    PSecPkgInfo packages;
    if (init == NULL || init()->EnumerateSecurityPackages(&count, &packages) != SEC_E_OK)
        return 1;
    for (unsigned long i = 0; i < count; i++)
        _tprintf(TEXT("%s: %s\n"), packages[i].Name, packages[i].Comment);
    FreeContextBuffer(packages);
    return count > 0 ? 0 : 1;
}
