#include "api/api.h"

#include "api/buffers.h"
#include "api/step.h"
#include "base/memory.h"
#include "core/block.h"
#include "core/cause.h"
#include "core/handle.h"
#include "core/objects.h"
#include "core/registry.h"
#include "sasl/sasl.h"
#include <string.h>

/* The SASL functions: names and packages, and the two steps, which are api/context.c's with SASL's part (src/sasl) switched on. */

/* Names one after another, each with its NUL, and an empty one behind them. They are ASCII. */
static SECURITY_STATUS profiles_enumerate(void **list, ULONG *count, bool wide)
{
    cause_clear();
    api_start();
    require(list != NULL && count != NULL, cause_set(SEC_E_INVALID_PARAMETER, "no place for the answer was given"));
    AUTO_WRITER struct writer names = writer_growing(64);
    ULONG n_names = 0;
    const struct sasl_profile *profile;
    while ((profile = sasl_profile_at(n_names)) != NULL) {
        writer_bytes(&names, profile->name, strlen(profile->name) + 1);
        n_names++;
    }
    writer_u8(&names, 0);
    size_t width = wide ? sizeof(SEC_WCHAR) : 1;
    uint8_t *block = writer_finish(&names) == WIRE_OK ? block_alloc(names.len * width) : NULL;
    require(block != NULL, SEC_E_INSUFFICIENT_MEMORY);
    for (size_t i = 0; i < names.len; i++)
        block[i * width] = names.data[i]; /* the block is zeroed */
    *list = block;
    *count = n_names;
    return SEC_E_OK;
}

SECURITY_STATUS SEC_ENTRY SaslEnumerateProfilesW(LPWSTR *ProfileList, ULONG *ProfileCount)
{
    return profiles_enumerate((void **)ProfileList, ProfileCount, true);
}

SECURITY_STATUS SEC_ENTRY SaslEnumerateProfilesA(LPSTR *ProfileList, ULONG *ProfileCount)
{
    return profiles_enumerate((void **)ProfileList, ProfileCount, false);
}

static SECURITY_STATUS profile_package(const struct sasl_profile *profile, void **info, bool wide)
{
    require(profile != NULL, cause_set(SEC_E_SECPKG_NOT_FOUND, "there is no package for this SASL mechanism"));
    return api_package_info_block(registry_find(profile->package), wide, info);
}

static SECURITY_STATUS profile_query(const char *name, void **info, bool wide)
{
    api_start();
    require(name != NULL && info != NULL,
            cause_set(SEC_E_INVALID_PARAMETER, "no mechanism, or no place for the answer, was given"));
    return profile_package(sasl_profile_find(name), info, wide);
}

SECURITY_STATUS SEC_ENTRY SaslGetProfilePackageW(LPWSTR ProfileName, PSecPkgInfoW *PackageInfo)
{
    AUTO_FREE char *name = NULL;
    cause_clear();
    try(api_package_from_w(ProfileName, &name));
    return profile_query(name, (void **)PackageInfo, true);
}

SECURITY_STATUS SEC_ENTRY SaslGetProfilePackageA(LPSTR ProfileName, PSecPkgInfoA *PackageInfo)
{
    cause_clear();
    return profile_query(ProfileName, (void **)PackageInfo, false);
}

static SECURITY_STATUS package_identify(const SecBufferDesc *input, void **info, bool wide)
{
    const struct sasl_profile *profile = NULL;
    struct step_in in = {0};
    cause_clear();
    api_start();
    require(input != NULL && info != NULL,
            cause_set(SEC_E_INVALID_PARAMETER, "no message, or no place for the answer, was given"));
    try(buffers_step_in(input, UINT32_MAX, &in));
    require(sasl_profile_identify(in.token, &profile) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "this does not begin with the name of a SASL mechanism"));
    return profile_package(profile, info, wide);
}

SECURITY_STATUS SEC_ENTRY SaslIdentifyPackageW(PSecBufferDesc pInput, PSecPkgInfoW *PackageInfo)
{
    return package_identify(pInput, (void **)PackageInfo, true);
}

SECURITY_STATUS SEC_ENTRY SaslIdentifyPackageA(PSecBufferDesc pInput, PSecPkgInfoA *PackageInfo)
{
    return package_identify(pInput, (void **)PackageInfo, false);
}

SECURITY_STATUS SEC_ENTRY SaslInitializeSecurityContextW(PCredHandle phCredential, PCtxtHandle phContext,
                                                         LPWSTR pszTargetName, ULONG fContextReq, ULONG Reserved1,
                                                         ULONG TargetDataRep, PSecBufferDesc pInput, ULONG Reserved2,
                                                         PCtxtHandle phNewContext, PSecBufferDesc pOutput,
                                                         ULONG *pfContextAttr, PTimeStamp ptsExpiry)
{
    AUTO_FREE char *target = NULL;
    (void)Reserved1, (void)Reserved2, (void)TargetDataRep;
    cause_clear();
    try(api_text_from_w(pszTargetName, &target));
    return api_step(&(struct step_call){true, true, phCredential, phContext, target, fContextReq, pInput, pOutput,
                                        phNewContext, pfContextAttr, ptsExpiry});
}

SECURITY_STATUS SEC_ENTRY SaslInitializeSecurityContextA(PCredHandle phCredential, PCtxtHandle phContext,
                                                         LPSTR pszTargetName, ULONG fContextReq, ULONG Reserved1,
                                                         ULONG TargetDataRep, PSecBufferDesc pInput, ULONG Reserved2,
                                                         PCtxtHandle phNewContext, PSecBufferDesc pOutput,
                                                         ULONG *pfContextAttr, PTimeStamp ptsExpiry)
{
    AUTO_FREE char *target = NULL;
    (void)Reserved1, (void)Reserved2, (void)TargetDataRep;
    cause_clear();
    try(api_text_from_a(pszTargetName, &target));
    return api_step(&(struct step_call){true, true, phCredential, phContext, target, fContextReq, pInput, pOutput,
                                        phNewContext, pfContextAttr, ptsExpiry});
}

SECURITY_STATUS SEC_ENTRY SaslAcceptSecurityContext(PCredHandle phCredential, PCtxtHandle phContext,
                                                    PSecBufferDesc pInput, ULONG fContextReq, ULONG TargetDataRep,
                                                    PCtxtHandle phNewContext, PSecBufferDesc pOutput,
                                                    ULONG *pfContextAttr, PTimeStamp ptsExpiry)
{
    (void)TargetDataRep;
    cause_clear();
    return api_step(&(struct step_call){false, true, phCredential, phContext, NULL, fContextReq, pInput, pOutput,
                                        phNewContext, pfContextAttr, ptsExpiry});
}

SECURITY_STATUS SEC_ENTRY SaslSetContextOption(PCtxtHandle ContextHandle, ULONG Option, PVOID Value, ULONG Size)
{
    AUTO_HANDLE struct handle_ref ref = {0};
    cause_clear();
    try(api_context_get(ContextHandle, &ref));
    require(Value != NULL || Size == 0, cause_set(SEC_E_INVALID_PARAMETER, "an option with a size and no value"));
    return sasl_option_set(ref.object, Option, slice_of(Value, Size));
}

SECURITY_STATUS SEC_ENTRY SaslGetContextOption(PCtxtHandle ContextHandle, ULONG Option, PVOID Value, ULONG Size,
                                               PULONG Needed)
{
    AUTO_HANDLE struct handle_ref ref = {0};
    AUTO_WRITER struct writer value = writer_growing(64);
    cause_clear();
    try(api_context_get(ContextHandle, &ref));
    try(sasl_option_get(ref.object, Option, &value));
    require(writer_finish(&value) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    if (Needed != NULL)
        *Needed = (ULONG)value.len;
    require(Size >= value.len, cause_set(SEC_E_BUFFER_TOO_SMALL, "option %u has %zu bytes, the buffer %u",
                                         (unsigned)Option, value.len, (unsigned)Size));
    require(Value != NULL || value.len == 0, cause_set(SEC_E_INVALID_PARAMETER, "no place for the option was given"));
    if (value.len > 0)
        memcpy(Value, value.data, value.len);
    return SEC_E_OK;
}
