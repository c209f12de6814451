#include "api/api.h"

#include "base/memory.h"
#include "core/block.h"
#include "core/cause.h"
#include "core/registry.h"
#include <string.h>

/* SecPkgInfoA and W have one layout; the strings behind are of either width. Names and comments are ASCII. */
static size_t text_size(const char *text, bool wide)
{
    return (strlen(text) + 1) * (wide ? sizeof(SEC_WCHAR) : 1);
}

static void *text_put(uint8_t **at, const char *text, bool wide)
{
    uint8_t *start = *at;
    size_t len = strlen(text) + 1;
    for (size_t i = 0; i < len; i++) {
        *(*at)++ = (uint8_t)text[i];
        if (wide)
            *(*at)++ = 0;
    }
    return start;
}

static void info_put(SecPkgInfoW *info, const struct package *package, bool wide, uint8_t **strings)
{
    *info = (SecPkgInfoW){
        .fCapabilities = package->info.capabilities,
        .wVersion = SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION,
        .wRPCID = package->info.rpc_id,
        .cbMaxToken = package->info.max_token,
    };
    /* Wide strings first would need no alignment care; the structs are 8-aligned and wide strings even, so any order holds. */
    info->Name = (SEC_WCHAR *)text_put(strings, package->info.name, wide);
    info->Comment = (SEC_WCHAR *)text_put(strings, package->info.comment, wide);
}

static size_t info_size(const struct package *package, bool wide)
{
    return sizeof(SecPkgInfoW) + text_size(package->info.name, wide) + text_size(package->info.comment, wide);
}

SECURITY_STATUS api_package_info_block(const struct package *package, bool wide, void **block)
{
    uint8_t *info = block_alloc(info_size(package, wide));
    require(info != NULL, SEC_E_INSUFFICIENT_MEMORY);
    uint8_t *strings = info + sizeof(SecPkgInfoW);
    info_put((SecPkgInfoW *)(void *)info, package, wide, &strings);
    *block = info;
    return SEC_E_OK;
}

static SECURITY_STATUS packages_enumerate(ULONG *n_packages, void **infos, bool wide)
{
    cause_clear();
    api_start();
    require(n_packages != NULL && infos != NULL, cause_set(SEC_E_INVALID_TOKEN, "no place for the answer was given"));
    size_t size = 0;
    ULONG count = 0;
    const struct package *package;
    while ((package = registry_at(count)) != NULL) {
        size += info_size(package, wide);
        count++;
    }
    uint8_t *block = block_alloc(size);
    require(block != NULL, SEC_E_INSUFFICIENT_MEMORY);
    uint8_t *strings = block + count * sizeof(SecPkgInfoW);
    for (ULONG i = 0; i < count; i++)
        info_put((SecPkgInfoW *)(void *)block + i, registry_at(i), wide, &strings);
    *n_packages = count;
    *infos = block;
    return SEC_E_OK;
}

SECURITY_STATUS SEC_ENTRY EnumerateSecurityPackagesW(ULONG *pcPackages, PSecPkgInfoW *ppPackageInfo)
{
    return packages_enumerate(pcPackages, (void **)ppPackageInfo, true);
}

SECURITY_STATUS SEC_ENTRY EnumerateSecurityPackagesA(ULONG *pcPackages, PSecPkgInfoA *ppPackageInfo)
{
    return packages_enumerate(pcPackages, (void **)ppPackageInfo, false);
}

static SECURITY_STATUS package_query(const char *name, void **info, bool wide)
{
    const struct package *package;
    try(api_package_find(name, &package));
    require(info != NULL, cause_set(SEC_E_INVALID_TOKEN, "no place for the answer was given"));
    return api_package_info_block(package, wide, info);
}

SECURITY_STATUS SEC_ENTRY QuerySecurityPackageInfoW(LPWSTR pszPackageName, PSecPkgInfoW *ppPackageInfo)
{
    AUTO_FREE char *name = NULL;
    cause_clear();
    try(api_text_from_w(pszPackageName, &name));
    return package_query(name, (void **)ppPackageInfo, true);
}

SECURITY_STATUS SEC_ENTRY QuerySecurityPackageInfoA(LPSTR pszPackageName, PSecPkgInfoA *ppPackageInfo)
{
    cause_clear();
    return package_query(pszPackageName, (void **)ppPackageInfo, false);
}

SECURITY_STATUS SEC_ENTRY FreeContextBuffer(PVOID pvContextBuffer)
{
    cause_clear();
    SECURITY_STATUS status = block_free(pvContextBuffer);
    return status == SEC_E_OK
               ? status
               : cause_set(status,
                           "FreeContextBuffer was given a pointer that is not, or no longer, a block of this library");
}
