#include "foreign/splsa.h"

#include "base/memory.h"
#include "core/cause.h"
#include "core/status.h"
#include "foreign/splsa_authority.h"
#include <stdatomic.h>
#include <string.h>

/* Starting a module's packages, and what they say of themselves. */

static bool version_is_known(ULONG version)
{
    return version == SECPKG_INTERFACE_VERSION || version == SECPKG_INTERFACE_VERSION_2 ||
           version == SECPKG_INTERFACE_VERSION_3;
}

static SECURITY_STATUS answer_check(const struct foreign_module *module, const char *call, NTSTATUS status,
                                    ULONG version, const void *tables, ULONG count)
{
    SECURITY_STATUS bad = SEC_E_CANNOT_INSTALL;
    require(status >= 0, cause_set(bad, "%s: %s answered 0x%08x", module->path, call, (unsigned)status));
    require(version_is_known(version),
            cause_set(bad, "%s: %s speaks version 0x%08x of the interface", module->path, call, (unsigned)version));
    require(count > 0 && count <= FOREIGN_PACKAGES_MAX,
            cause_set(bad, "%s: %s gave %u tables; 1 to %u can be", module->path, call, (unsigned)count,
                      FOREIGN_PACKAGES_MAX));
    require(tables != NULL, cause_set(bad, "%s: %s gave no tables", module->path, call));
    return SEC_E_OK;
}

/* What every package needs, so that nothing of it is left behind. */
static bool table_is_usable(const SECPKG_FUNCTION_TABLE *table)
{
    return table->Initialize != NULL && table->GetInfo != NULL && table->AcquireCredentialsHandle != NULL &&
           table->FreeCredentialsHandle != NULL && table->DeleteContext != NULL &&
           (table->InitLsaModeContext != NULL || table->AcceptLsaModeContext != NULL);
}

static SECURITY_STATUS lsa_tables_take(struct foreign_module *module, SpLsaModeInitializeFn start, ULONG *n_packages)
{
    PSECPKG_FUNCTION_TABLE tables = NULL;
    ULONG version = 0, count = 0;
    NTSTATUS status = start(SECPKG_INTERFACE_VERSION, &version, &tables, &count);
    try(answer_check(module, SECPKG_LSAMODEINIT_NAME, status, version, tables, count));
    for (ULONG i = 0; i < count; i++) {
        require(table_is_usable(&tables[i]),
                cause_set(SEC_E_CANNOT_INSTALL, "%s: table %u of SpLsaModeInitialize lacks what every package needs",
                          module->path, (unsigned)i));
        module->package[i].module = module;
        module->package[i].lsa = &tables[i];
    }
    *n_packages = count;
    return SEC_E_OK;
}

/* The tables of the two halves go together by their places. */
static SECURITY_STATUS user_tables_take(struct foreign_module *module, SpUserModeInitializeFn start, ULONG n_packages)
{
    PSECPKG_USER_FUNCTION_TABLE tables = NULL;
    ULONG version = 0, count = 0;
    NTSTATUS status = start(SECPKG_INTERFACE_VERSION, &version, &tables, &count);
    try(answer_check(module, SECPKG_USERMODEINIT_NAME, status, version, tables, count));
    require(count == n_packages,
            cause_set(SEC_E_CANNOT_INSTALL, "%s: SpLsaModeInitialize gave %u tables, SpUserModeInitialize %u",
                      module->path, (unsigned)n_packages, (unsigned)count));
    for (ULONG i = 0; i < count; i++)
        module->package[i].user = &tables[i];
    return SEC_E_OK;
}

static SECURITY_STATUS package_start(const struct foreign_package *package)
{
    static atomic_ulong n_ids; /* none is used twice */
    SECPKG_PARAMETERS parameters = {
        .Version = SECPKG_INTERFACE_VERSION,
        .MachineState = SECPKG_STATE_ENCRYPTION_PERMITTED | SECPKG_STATE_STRONG_ENCRYPTION_PERMITTED,
    };
    splsa_call_enter();
    NTSTATUS status = package->lsa->Initialize(atomic_fetch_add(&n_ids, 1) + 1, &parameters, splsa_functions());
    splsa_call_leave();
    require(status >= 0, cause_set(SEC_E_CANNOT_INSTALL, "%s: SpInitialize answered 0x%08x", package->module->path,
                                   (unsigned)status));
    return SEC_E_OK;
}

/* Which attributes the part in the authority answers itself. The structures stay the package's. */
static SECURITY_STATUS thunks_take(struct foreign_package *package)
{
    PSECPKG_EXTENDED_INFORMATION info = NULL;
    if (package->lsa->GetExtendedInformation == NULL ||
        package->lsa->GetExtendedInformation(SecpkgContextThunks, &info) != 0 || info == NULL)
        return SEC_E_OK;
    const SECPKG_CONTEXT_THUNKS *thunks = &info->Info.ContextThunks;
    require(info->Class == SecpkgContextThunks && thunks->InfoLevelCount <= FOREIGN_THUNKS_MAX,
            cause_set(SEC_E_CANNOT_INSTALL, "%s: SpGetExtendedInformation names %u attributes; 0 to %u can be",
                      package->module->path, (unsigned)thunks->InfoLevelCount, FOREIGN_THUNKS_MAX));
    memcpy(package->thunk, thunks->Levels, thunks->InfoLevelCount * sizeof thunks->Levels[0]);
    package->n_thunks = thunks->InfoLevelCount;
    return SEC_E_OK;
}

static SECURITY_STATUS user_start(const struct foreign_package *package)
{
    PVOID unused = NULL;
    if (package->user == NULL || package->user->InstanceInit == NULL)
        return SEC_E_OK;
    NTSTATUS status = package->user->InstanceInit(SECPKG_INTERFACE_VERSION, splsa_dll_functions(), &unused);
    require(status >= 0, cause_set(SEC_E_CANNOT_INSTALL, "%s: SpInstanceInit answered 0x%08x", package->module->path,
                                   (unsigned)status));
    return SEC_E_OK;
}

static SECURITY_STATUS package_describe(struct foreign_package *package, SecPkgInfoW *info)
{
    splsa_call_enter();
    NTSTATUS status = package->lsa->GetInfo((PSecPkgInfo)(void *)info);
    splsa_call_leave();
    require(status >= 0,
            cause_set(SEC_E_CANNOT_INSTALL, "%s: SpGetInfo answered 0x%08x", package->module->path, (unsigned)status));
    try(thunks_take(package));
    return user_start(package);
}

struct slice splsa_mechanism(const struct foreign_package *package)
{
    PSECPKG_EXTENDED_INFORMATION info = NULL;
    struct slice none = {0};
    if (package->lsa->GetExtendedInformation == NULL ||
        package->lsa->GetExtendedInformation(SecpkgGssInfo, &info) != 0 || info == NULL || info->Class != SecpkgGssInfo)
        return none;
    const uint8_t *der = info->Info.GssInfo.EncodedId;
    ULONG len = info->Info.GssInfo.EncodedIdLength;
    /* A short length in DER: longer identifiers are refused anyway. What does not fit together is one that is too long. */
    if (len < 2 || len > FOREIGN_OID_MAX + 2 || der[0] != 0x06 || der[1] != len - 2)
        return slice_of(der, len == 0 ? 0 : FOREIGN_OID_MAX + 1);
    return slice_of(der + 2, len - 2);
}

SECURITY_STATUS splsa_open(struct foreign_module *module, SpLsaModeInitializeFn lsa, SpUserModeInitializeFn user,
                           OPENSSPI_PACKAGE_MECHANISM_FN mechanism)
{
    SecPkgInfoW infos[FOREIGN_PACKAGES_MAX] = {0};
    ULONG n_packages = 0, n_started = 0;
    module->wide = &splsa_table;
    try(lsa_tables_take(module, lsa, &n_packages));
    if (user != NULL)
        try(user_tables_take(module, user, n_packages));
    SECURITY_STATUS status = SEC_E_OK;
    while (status == SEC_E_OK && n_started < n_packages) {
        struct foreign_package *package = &module->package[n_started];
        status = package_start(package);
        if (status == SEC_E_OK)
            status = package_describe(package, &infos[n_started++]);
    }
    if (status == SEC_E_OK)
        status = foreign_infos_take(module, n_packages, infos, mechanism);
    for (ULONG i = 0; status != SEC_E_OK && i < n_started; i++)
        if (module->package[i].lsa->Shutdown != NULL)
            (void)module->package[i].lsa->Shutdown();
    return status;
}

/* MS-ERREF 2.3.1 */
static const struct {
    uint32_t nt;
    SECURITY_STATUS ours;
} counterparts[] = {
    {0xC0000002, SEC_E_UNSUPPORTED_FUNCTION},        /* NOT_IMPLEMENTED */
    {0xC00000BB, SEC_E_UNSUPPORTED_FUNCTION},        /* NOT_SUPPORTED */
    {0xC0000008, SEC_E_INVALID_HANDLE},              /* INVALID_HANDLE */
    {0xC0000017, SEC_E_INSUFFICIENT_MEMORY},         /* NO_MEMORY */
    {0xC000009A, SEC_E_INSUFFICIENT_MEMORY},         /* INSUFFICIENT_RESOURCES */
    {0xC0000023, SEC_E_BUFFER_TOO_SMALL},            /* BUFFER_TOO_SMALL */
    {0xC0000022, SEC_E_LOGON_DENIED},                /* ACCESS_DENIED */
    {0xC000006D, SEC_E_LOGON_DENIED},                /* LOGON_FAILURE */
    {0xC000006A, SEC_E_LOGON_DENIED},                /* WRONG_PASSWORD */
    {0xC0000064, SEC_E_LOGON_DENIED},                /* NO_SUCH_USER */
    {0xC000006E, SEC_E_LOGON_DENIED},                /* ACCOUNT_RESTRICTION */
    {0xC000005F, SEC_E_NO_CREDENTIALS},              /* NO_SUCH_LOGON_SESSION */
    {0xC000005E, SEC_E_NO_AUTHENTICATING_AUTHORITY}, /* NO_LOGON_SERVERS */
    {0xC00000FE, SEC_E_SECPKG_NOT_FOUND},            /* NO_SUCH_PACKAGE */
    {0xC0000133, SEC_E_TIME_SKEW},                   /* TIME_DIFFERENCE_AT_DC */
};

SECURITY_STATUS splsa_status(const struct foreign_package *package, const char *call, NTSTATUS status)
{
    static const NTSTATUS handed_through[] = {STATUS_INVALID_PARAMETER,    STATUS_ACCOUNT_DISABLED,
                                              STATUS_PASSWORD_EXPIRED,     STATUS_ACCOUNT_EXPIRED,
                                              STATUS_PASSWORD_MUST_CHANGE, STATUS_ACCOUNT_LOCKED_OUT};
    SECURITY_STATUS ours = SEC_E_INTERNAL_ERROR;
    if (status == SEC_E_OK || status == SEC_I_CONTINUE_NEEDED || status == SEC_I_COMPLETE_NEEDED ||
        status == SEC_I_COMPLETE_AND_CONTINUE)
        return status;
    if (((uint32_t)status & 0xffff0000) == 0x80090000) /* SSPI's own */
        ours = status;
    for (size_t i = 0; i < COUNT_OF(handed_through); i++)
        if (handed_through[i] == status)
            ours = status;
    for (size_t i = 0; i < COUNT_OF(counterparts); i++)
        if (counterparts[i].nt == (uint32_t)status)
            ours = counterparts[i].ours;
    return cause_set(ours, "%s of package %s (%.256s) answered 0x%08x", call, package->name, package->module->path,
                     (unsigned)status);
}
