#include "foreign/module.h"

#include "base/utf16.h"
#include "core/cause.h"
#include "core/registry.h"
#include "foreign/splsa.h"
#include <string.h>

/* What a module says of its packages, taken over piece by piece. */

/* Mechanisms that are Negotiate's own: SPNEGO (1.3.6.1.5.5.2) and NEGOEX (1.3.6.1.4.1.311.2.2.30). */
static const uint8_t oid_spnego[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x02};
static const uint8_t oid_negoex[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x1e};

/* Printable ASCII of either width into a fixed room; false when it is too long or anything else. */
static bool text_take(const void *text, bool wide, char *to, size_t max)
{
    size_t len = 0;
    for (;; len++) {
        unsigned unit = wide ? ((const uint16_t *)text)[len] : ((const uint8_t *)text)[len];
        if (unit == 0)
            break;
        require(len < max && unit >= ' ' && unit < 0x7f, false);
        to[len] = (char)unit;
    }
    to[len] = '\0';
    return true;
}

/* A name that package lists can hold. */
static bool name_is_fit(const char *name)
{
    return name[0] != '\0' && name[0] != ' ' && name[0] != '!' && strpbrk(name, ",\\/\"") == NULL;
}

static SECURITY_STATUS info_take(struct foreign_package *package, const SecPkgInfoW *info)
{
    const struct foreign_module *module = package->module;
    bool wide = module->wide != NULL;
    SECURITY_STATUS bad = SEC_E_CANNOT_INSTALL;
    require(info->Name != NULL && text_take(info->Name, wide, package->name, FOREIGN_NAME_MAX) &&
                name_is_fit(package->name),
            cause_set(bad, "%s: a package without a fit name (1 to 64 characters of ASCII)", module->path));
    require(info->wVersion == SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION,
            cause_set(bad, "%s: package %s is of version %u, not 1", module->path, package->name, info->wVersion));
    require(info->cbMaxToken > 0 && info->cbMaxToken <= FOREIGN_TOKEN_MAX,
            cause_set(bad, "%s: package %s has tokens of up to %u bytes; 1 to 1048576 can be", module->path,
                      package->name, (unsigned)info->cbMaxToken));
    require((info->fCapabilities & SECPKG_FLAG_STREAM) == 0,
            cause_set(bad, "%s: %s is a stream package, which modules cannot bring", module->path, package->name));
    if (info->Comment == NULL || !text_take(info->Comment, wide, package->comment, FOREIGN_COMMENT_MAX))
        package->comment[0] = '\0';
    for (size_t i = 0; i <= strlen(package->name); i++)
        package->wide_name[i] = (SEC_WCHAR)package->name[i];
    package->package = (struct package){
        .info = {.name = package->name,
                 .comment = package->comment,
                 .capabilities = info->fCapabilities,
                 .rpc_id = info->wRPCID,
                 .max_token = info->cbMaxToken,
                 .process_bound = true},
        .authority = &foreign_authority,
        .session = &foreign_session,
    };
    return SEC_E_OK;
}

/* Without a mechanism a package is there, but Negotiate has no name to offer it by. */
static SECURITY_STATUS mechanism_take(struct foreign_package *package, OPENSSPI_PACKAGE_MECHANISM_FN mechanism)
{
    ULONG len = 0;
    if ((package->package.info.capabilities & SECPKG_FLAG_NEGOTIABLE) == 0)
        return SEC_E_OK;
    const unsigned char *oid = mechanism != NULL ? mechanism(package->name, &len) : NULL;
    if (oid == NULL && package->lsa != NULL) {
        struct slice told = splsa_mechanism(package);
        oid = told.data;
        len = (ULONG)told.len;
    }
    if (oid == NULL || len == 0)
        return SEC_E_OK;
    require(len <= sizeof package->oid && (oid[len - 1] & 0x80) == 0,
            cause_set(SEC_E_CANNOT_INSTALL, "%s: the mechanism of %s is no object identifier", package->module->path,
                      package->name));
    memcpy(package->oid, oid, len);
    package->package.info.mech.oid[0] = slice_of(package->oid, len);
    return SEC_E_OK;
}

static bool has_mechanism(const struct package *package, struct slice oid)
{
    for (unsigned i = 0; i < PACKAGE_OIDS_MAX; i++)
        if (package->info.mech.oid[i].len > 0 && slice_equal(package->info.mech.oid[i], oid))
            return true;
    return false;
}

/* Is there a package, or Negotiate itself, that goes by this name? */
static bool oid_is_taken(struct slice oid)
{
    const struct package *list[REGISTRY_MAX];
    size_t n_packages = registry_list(list);
    for (size_t i = 0; i < n_packages; i++)
        if (has_mechanism(list[i], oid))
            return true;
    return slice_equal(oid, slice_of(oid_spnego, sizeof oid_spnego)) ||
           slice_equal(oid, slice_of(oid_negoex, sizeof oid_negoex));
}

SECURITY_STATUS foreign_names_check(const struct foreign_module *module)
{
    SECURITY_STATUS bad = SEC_E_CANNOT_INSTALL;
    for (unsigned i = 0; i < module->n_packages; i++) {
        const struct foreign_package *package = &module->package[i];
        struct slice oid = package->package.info.mech.oid[0];
        bool taken = oid_is_taken(oid);
        require(registry_find(package->name) == NULL,
                cause_set(bad, "%s: there is a security package \"%s\" already", module->path, package->name));
        for (unsigned j = 0; j < i; j++) {
            require(!text_equal_fold(module->package[j].name, package->name),
                    cause_set(bad, "%s: two packages \"%s\"", module->path, package->name));
            taken |= has_mechanism(&module->package[j].package, oid);
        }
        require(!taken, cause_set(bad, "%s: the mechanism of %s is another package's", module->path, package->name));
    }
    return SEC_E_OK;
}

SECURITY_STATUS foreign_infos_take(struct foreign_module *module, ULONG count, const SecPkgInfoW *infos,
                                   OPENSSPI_PACKAGE_MECHANISM_FN mechanism)
{
    require(count > 0 && count <= FOREIGN_PACKAGES_MAX,
            cause_set(SEC_E_CANNOT_INSTALL, "%s: %u packages; 1 to %u can be", module->path, (unsigned)count,
                      FOREIGN_PACKAGES_MAX));
    for (ULONG i = 0; i < count; i++) {
        struct foreign_package *package = &module->package[i];
        package->module = module;
        try(info_take(package, &infos[i])); /* A and W have one layout */
        try(mechanism_take(package, mechanism));
    }
    module->n_packages = count;
    return foreign_names_check(module);
}

SECURITY_STATUS foreign_packages_read(struct foreign_module *module, OPENSSPI_PACKAGE_MECHANISM_FN mechanism)
{
    ULONG count = 0;
    PSecPkgInfoW wide = NULL;
    PSecPkgInfoA narrow = NULL;
    SECURITY_STATUS status = module->wide != NULL ? module->wide->EnumerateSecurityPackagesW(&count, &wide)
                                                  : module->narrow->EnumerateSecurityPackagesA(&count, &narrow);
    const void *infos = module->wide != NULL ? (const void *)wide : (const void *)narrow;
    require(status == SEC_E_OK && infos != NULL,
            cause_set(SEC_E_CANNOT_INSTALL, "%s: EnumerateSecurityPackages answered 0x%08x", module->path,
                      (unsigned)status));
    status = foreign_infos_take(module, count, infos, mechanism);
    FOREIGN_CALL(module, FreeContextBuffer)((void *)(uintptr_t)infos);
    return status;
}
