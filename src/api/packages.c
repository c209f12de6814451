#include "api/api.h"

#include "access/impersonation.h"
#include "base/memory.h"
#include "core/block.h"
#include "core/cause.h"
#include "core/registry.h"
#include "foreign/foreign.h"
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
    const struct package *list[REGISTRY_MAX];
    ULONG count = (ULONG)registry_list(list);
    for (ULONG i = 0; i < count; i++)
        size += info_size(list[i], wide);
    uint8_t *block = block_alloc(size);
    require(block != NULL, SEC_E_INSUFFICIENT_MEMORY);
    uint8_t *strings = block + count * sizeof(SecPkgInfoW);
    for (ULONG i = 0; i < count; i++)
        info_put((SecPkgInfoW *)(void *)block + i, list[i], wide, &strings);
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
    try(api_package_from_w(pszPackageName, &name));
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

static SECURITY_STATUS options_check(const char *name, const SECURITY_PACKAGE_OPTIONS *options)
{
    require(name != NULL && *name != '\0', cause_set(SEC_E_SECPKG_NOT_FOUND, "no module was named"));
    if (options == NULL)
        return SEC_E_OK;
    require(options->Size >= sizeof *options && options->Type <= SECPKG_OPTIONS_TYPE_SSPI &&
                (options->Flags & ~(ULONG)SECPKG_OPTIONS_PERMANENT) == 0,
            cause_set(SEC_E_INVALID_PARAMETER, "SECURITY_PACKAGE_OPTIONS of an unknown size, type or flag"));
    require((options->Flags & SECPKG_OPTIONS_PERMANENT) == 0,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION,
                      "a package that shall stay is named in the configuration, \"package\" in [packages]"));
    return SEC_E_OK;
}

/* Code that all threads run is not loaded with the eyes of one client, to whom it might belong. */
static SECURITY_STATUS package_add(const char *name, const SECURITY_PACKAGE_OPTIONS *options)
{
    AS_PROCESS_SCOPE;
    try(options_check(name, options));
    api_start();
    return cause_answer(foreign_load(name));
}

SECURITY_STATUS SEC_ENTRY AddSecurityPackageW(LPWSTR pszPackageName, PSECURITY_PACKAGE_OPTIONS pOptions)
{
    AUTO_FREE char *name = NULL;
    cause_clear();
    try(api_package_from_w(pszPackageName, &name));
    return package_add(name, pOptions);
}

SECURITY_STATUS SEC_ENTRY AddSecurityPackageA(LPSTR pszPackageName, PSECURITY_PACKAGE_OPTIONS pOptions)
{
    AUTO_FREE char *name = NULL;
    cause_clear();
    try(api_text_from_a(pszPackageName, &name));
    return package_add(name, pOptions);
}

static SECURITY_STATUS package_delete(const char *name)
{
    AS_PROCESS_SCOPE;
    api_start();
    require(name != NULL, cause_set(SEC_E_SECPKG_NOT_FOUND, "no module was named"));
    const struct package *found = registry_find(name);
    require(found == NULL || found->info.process_bound,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "%s is built in and stays", name));
    return foreign_unload(name);
}

SECURITY_STATUS SEC_ENTRY DeleteSecurityPackageW(SEC_WCHAR *pszPackageName)
{
    AUTO_FREE char *name = NULL;
    cause_clear();
    try(api_package_from_w(pszPackageName, &name));
    return package_delete(name);
}

SECURITY_STATUS SEC_ENTRY DeleteSecurityPackageA(SEC_CHAR *pszPackageName)
{
    AUTO_FREE char *name = NULL;
    cause_clear();
    try(api_text_from_a(pszPackageName, &name));
    return package_delete(name);
}
