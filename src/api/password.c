#include "api/api.h"

#include "access/impersonation.h"
#include "base/memory.h"
#include "base/secret.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "core/trace.h"
#include "lsa/authority.h"

SECURITY_STATUS api_password_change(const struct package *package, const struct password_change *change)
{
    AS_PROCESS_SCOPE;
    SECURITY_STATUS status = cause_answer(authority()->change_password(package, change));
    TRACE("password", "%s, change for %s\\%s: 0x%08x", package->info.name, change->domain != NULL ? change->domain : "",
          change->user, (unsigned)status);
    return status;
}

static SECURITY_STATUS change(const char *package_name, const char *domain, const char *user,
                              const struct secret *old_password, const struct secret *new_password)
{
    AS_PROCESS_SCOPE;
    const struct package *package;
    const struct config *config;
    try(api_package_find(package_name, &package));
    require(user != NULL && old_password->data != NULL && new_password->data != NULL,
            cause_set(SEC_E_INVALID_TOKEN, "a password change needs an account and both passwords"));
    try(config_get(&config));
    const struct password_change wanted = {
        .config = config,
        .domain = domain,
        .user = user,
        .old_password = secret_slice(old_password),
        .new_password = secret_slice(new_password),
    };
    SECURITY_STATUS status = api_password_change(package, &wanted);
    config_release(config);
    return status;
}

/* Passwords travel as UTF-16LE bytes; see core/identity.h. */
static SECURITY_STATUS password_from_w(const SEC_WCHAR *text, struct secret *password)
{
    require(text != NULL, SEC_E_OK);
    const uint16_t *units = (const uint16_t *)text;
    return secret_set(password, units, utf16_units(units) * sizeof *units) ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS password_from_a(const char *text, struct secret *password)
{
    require(text != NULL, SEC_E_OK);
    require(utf8_valid(slice_of_text(text)),
            cause_set(SEC_E_INVALID_TOKEN, "a password given to an A function is not valid UTF-8"));
    return utf16le_secret(password, text) == WIRE_OK ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

SECURITY_STATUS SEC_ENTRY ChangeAccountPasswordW(SEC_WCHAR *pszPackageName, SEC_WCHAR *pszDomainName,
                                                 SEC_WCHAR *pszAccountName, SEC_WCHAR *pszOldPassword,
                                                 SEC_WCHAR *pszNewPassword, BOOLEAN bImpersonating, ULONG dwReserved,
                                                 PSecBufferDesc pOutput)
{
    AUTO_FREE char *package = NULL, *domain = NULL, *user = NULL;
    AUTO_SECRET struct secret old_password = {0}, new_password = {0};
    (void)bImpersonating, (void)dwReserved, (void)pOutput;
    cause_clear();
    try(api_package_from_w(pszPackageName, &package));
    try(api_text_from_w(pszDomainName, &domain));
    try(api_text_from_w(pszAccountName, &user));
    try(password_from_w(pszOldPassword, &old_password));
    try(password_from_w(pszNewPassword, &new_password));
    return change(package, domain, user, &old_password, &new_password);
}

SECURITY_STATUS SEC_ENTRY ChangeAccountPasswordA(SEC_CHAR *pszPackageName, SEC_CHAR *pszDomainName,
                                                 SEC_CHAR *pszAccountName, SEC_CHAR *pszOldPassword,
                                                 SEC_CHAR *pszNewPassword, BOOLEAN bImpersonating, ULONG dwReserved,
                                                 PSecBufferDesc pOutput)
{
    AUTO_FREE char *domain = NULL, *user = NULL;
    AUTO_SECRET struct secret old_password = {0}, new_password = {0};
    (void)bImpersonating, (void)dwReserved, (void)pOutput;
    cause_clear();
    try(api_text_from_a(pszDomainName, &domain));
    try(api_text_from_a(pszAccountName, &user));
    try(password_from_a(pszOldPassword, &old_password));
    try(password_from_a(pszNewPassword, &new_password));
    return change(pszPackageName, domain, user, &old_password, &new_password);
}
