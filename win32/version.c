/* The Windows that this stands for: what programs ask before they use newer functions. Microsoft, version functions. */
#include <stdbool.h>
#include <winbase.h>

/* As NTLM's messages say it: Windows 10, version 2004. SCH_CREDENTIALS, for one, are known from 17763 on. */
#define MAJOR 10
#define MINOR 0
#define BUILD 19041

/* What OSVERSIONINFOEX has behind the text, whose width differs. */
struct tail {
    WORD service_pack_major, service_pack_minor, suite;
    BYTE product, reserved;
};

DWORD GetVersion(VOID)
{
    return (DWORD)BUILD << 16 | MINOR << 8 | MAJOR;
}

static BOOL version_give(OSVERSIONINFOA *info, size_t plain)
{
    const struct tail tail = {.suite = VER_SUITE_SINGLEUSERTS, .product = VER_NT_WORKSTATION};
    DWORD size = info != NULL ? info->dwOSVersionInfoSize : 0;
    if (size != plain && size != plain + sizeof tail) {
        SetLastError(ERROR_INSUFFICIENT_BUFFER);
        return FALSE;
    }
    memset(info, 0, size);
    info->dwOSVersionInfoSize = size;
    info->dwMajorVersion = MAJOR;
    info->dwMinorVersion = MINOR;
    info->dwBuildNumber = BUILD;
    info->dwPlatformId = VER_PLATFORM_WIN32_NT;
    if (size != plain)
        memcpy((BYTE *)info + plain, &tail, sizeof tail);
    return TRUE;
}

BOOL GetVersionExA(LPOSVERSIONINFOA lpVersionInformation)
{
    return version_give(lpVersionInformation, sizeof(OSVERSIONINFOA));
}

BOOL GetVersionExW(LPOSVERSIONINFOW lpVersionInformation)
{
    return version_give((OSVERSIONINFOA *)lpVersionInformation,
                        sizeof(OSVERSIONINFOW)); /* the text is all that differs */
}

/* Three bits for each of the eight things that can be compared, the first for VER_MINORVERSION. */
ULONGLONG VerSetConditionMask(ULONGLONG ConditionMask, DWORD TypeMask, BYTE Condition)
{
    for (unsigned i = 0; i < 8; i++)
        if ((TypeMask & 1u << i) != 0)
            return ConditionMask | (ULONGLONG)(Condition & 7) << (3 * i);
    return ConditionMask;
}

static unsigned condition_of(ULONGLONG mask, unsigned type)
{
    return (unsigned)(mask >> (3 * (unsigned)__builtin_ctz(type))) & 7;
}

static bool compares(unsigned condition, uint64_t here, uint64_t asked)
{
    switch (condition) {
    case VER_EQUAL:
        return here == asked;
    case VER_GREATER:
        return here > asked;
    case VER_GREATER_EQUAL:
        return here >= asked;
    case VER_LESS:
        return here < asked;
    case VER_LESS_EQUAL:
        return here <= asked;
    default:
        return false;
    }
}

/* Major and minor version and service pack are one number of which the first part that is asked for gives the condition; what is not asked for is
 * equal. Microsoft, Verifying the System Version. */
static bool version_compares(const OSVERSIONINFOA *asked, const struct tail *tail, DWORD types, ULONGLONG mask)
{
    const struct {
        DWORD type, here, asked;
    } parts[] = {
        {VER_MAJORVERSION, MAJOR, asked->dwMajorVersion},
        {VER_MINORVERSION, MINOR, asked->dwMinorVersion},
        {VER_SERVICEPACKMAJOR, 0, tail->service_pack_major},
        {VER_SERVICEPACKMINOR, 0, tail->service_pack_minor},
    };
    uint64_t here = 0, wanted = 0;
    unsigned condition = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if ((types & parts[i].type) == 0)
            continue;
        if (condition == 0)
            condition = condition_of(mask, parts[i].type);
        here = here << 16 | (parts[i].here & 0xFFFF);
        wanted = wanted << 16 | (parts[i].asked > 0xFFFF ? 0xFFFF : parts[i].asked);
    }
    return compares(condition, here, wanted);
}

static bool suites_fit(unsigned condition, WORD asked)
{
    const WORD here = VER_SUITE_SINGLEUSERTS;
    return condition == VER_AND ? (here & asked) == asked : condition == VER_OR && (here & asked) != 0;
}

static BOOL version_verify(const OSVERSIONINFOA *asked, size_t plain, DWORD types, ULONGLONG mask)
{
    const DWORD version = VER_MAJORVERSION | VER_MINORVERSION | VER_SERVICEPACKMAJOR | VER_SERVICEPACKMINOR;
    struct tail tail;
    if (asked == NULL || types == 0 || (types & ~0xFFu) != 0 || mask == 0) {
        SetLastError(ERROR_BAD_ARGUMENTS);
        return FALSE;
    }
    memcpy(&tail, (const BYTE *)asked + plain, sizeof tail);
    bool fits = ((types & version) == 0 || version_compares(asked, &tail, types, mask)) &&
                ((types & VER_BUILDNUMBER) == 0 ||
                 compares(condition_of(mask, VER_BUILDNUMBER), BUILD, asked->dwBuildNumber)) &&
                ((types & VER_PLATFORMID) == 0 ||
                 compares(condition_of(mask, VER_PLATFORMID), VER_PLATFORM_WIN32_NT, asked->dwPlatformId)) &&
                ((types & VER_PRODUCT_TYPE) == 0 ||
                 compares(condition_of(mask, VER_PRODUCT_TYPE), VER_NT_WORKSTATION, tail.product)) &&
                ((types & VER_SUITENAME) == 0 || suites_fit(condition_of(mask, VER_SUITENAME), tail.suite));
    if (!fits)
        SetLastError(ERROR_OLD_WIN_VERSION);
    return fits;
}

BOOL VerifyVersionInfoA(LPOSVERSIONINFOEXA lpVersionInformation, DWORD dwTypeMask, DWORDLONG dwlConditionMask)
{
    return version_verify((const OSVERSIONINFOA *)lpVersionInformation, sizeof(OSVERSIONINFOA), dwTypeMask,
                          dwlConditionMask);
}

BOOL VerifyVersionInfoW(LPOSVERSIONINFOEXW lpVersionInformation, DWORD dwTypeMask, DWORDLONG dwlConditionMask)
{
    return version_verify((const OSVERSIONINFOA *)lpVersionInformation, sizeof(OSVERSIONINFOW), dwTypeMask,
                          dwlConditionMask);
}
