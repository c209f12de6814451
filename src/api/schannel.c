#include "api/api.h"

#include "base/memory.h"
#include "core/cause.h"
#include "core/registry.h"
#include <schannel.h>

/* The functions of schannel.h that the packages answer. */

static BOOL cache_forget(const char *server)
{
    const struct package *package;
    if (api_package_find(SCHANNEL_NAME_A, &package) != SEC_E_OK || package->authority->forget == NULL)
        return FALSE;
    package->authority->forget(server);
    return TRUE;
}

BOOL SslEmptyCacheW(LPWSTR pszTargetName, DWORD dwFlags)
{
    AUTO_FREE char *server = NULL;
    cause_clear();
    if (dwFlags != 0 || api_text_from_w(pszTargetName, &server) != SEC_E_OK)
        return FALSE;
    return cache_forget(server);
}

BOOL SslEmptyCacheA(LPSTR pszTargetName, DWORD dwFlags)
{
    AUTO_FREE char *server = NULL;
    cause_clear();
    if (dwFlags != 0 || api_text_from_a(pszTargetName, &server) != SEC_E_OK)
        return FALSE;
    return cache_forget(server);
}
