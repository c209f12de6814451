#include "api/api.h"

#include "api/identity.h"
#include "base/memory.h"
#include "base/utf16.h"
#include "core/block.h"
#include "core/cause.h"
#include "core/target.h"
#include <sspi_ext.h>
#include <stdio.h>
#include <string.h>
#include <win32/wincred.h>

/* What a credential manager would be asked under, and the names in targets. */

static SECURITY_STATUS string_out(const char *text, void **string)
{
    *string = api_text_block(text, true);
    return *string != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* "domain\user", or "user" where there is no domain. */
static char *account_name(const struct identity_parts *parts)
{
    const char *domain = parts->domain != NULL ? parts->domain : "";
    size_t len = strlen(domain) + strlen(parts->user) + 2;
    char *name = mem_zalloc(len);
    if (name != NULL)
        snprintf(name, len, "%s%s%s", domain, *domain != '\0' ? "\\" : "", parts->user);
    return name;
}

static bool is_certificate(const struct identity_parts *parts)
{
    return parts->packed.len >= sizeof(SEC_WINNT_AUTH_PACKED_CREDENTIALS) &&
           memcmp(parts->packed.data + 4, &SEC_WINNT_AUTH_DATA_TYPE_CERT, 16) == 0;
}

SECURITY_STATUS SEC_ENTRY SspiPrepareForCredRead(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthIdentity, PCWSTR pszTargetName,
                                                 PULONG pCredmanCredentialType, PCWSTR *ppszCredmanTargetName)
{
    AUTO_PARTS struct identity_parts parts = {0};
    AUTO_FREE char *target = NULL;
    cause_clear();
    require(pCredmanCredentialType != NULL && ppszCredmanTargetName != NULL,
            cause_set(SEC_E_INVALID_PARAMETER, "no place for the type or the target name was given"));
    try(api_text_from_w(pszTargetName, &target));
    if (AuthIdentity != NULL)
        try(identity_parts_read(AuthIdentity, &parts));
    if (target == NULL && parts.user != NULL) {
        target = account_name(&parts);
        require(target != NULL, SEC_E_INSUFFICIENT_MEMORY);
    }
    require(target != NULL, cause_set(SEC_E_INVALID_PARAMETER, "neither a target nor a user to take for it"));
    void *string;
    try(string_out(target, &string));
    *pCredmanCredentialType = is_certificate(&parts) ? CRED_TYPE_DOMAIN_CERTIFICATE : CRED_TYPE_DOMAIN_PASSWORD;
    *ppszCredmanTargetName = string;
    return SEC_E_OK;
}

static SECURITY_STATUS password_find(const struct identity_parts *parts, struct field *password)
{
    require(parts->user != NULL && *parts->user != '\0',
            cause_set(SEC_E_INVALID_PARAMETER, "an identity without a user name"));
    require(parts->packed.len > 0, cause_set(SEC_E_INVALID_PARAMETER, "an identity without a password"));
    require(identity_parts_password(parts, password),
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "of the kinds of secrets only passwords can be stored"));
    return SEC_E_OK;
}

SECURITY_STATUS SEC_ENTRY SspiPrepareForCredWrite(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthIdentity, PCWSTR pszTargetName,
                                                  PULONG pCredmanCredentialType, PCWSTR *ppszCredmanTargetName,
                                                  PCWSTR *ppszCredmanUserName, PUCHAR *ppCredentialBlob,
                                                  PULONG pCredentialBlobSize)
{
    AUTO_PARTS struct identity_parts parts = {0};
    AUTO_FREE char *target = NULL;
    struct field password = {0};
    cause_clear();
    require(pCredmanCredentialType != NULL && ppszCredmanTargetName != NULL && ppszCredmanUserName != NULL &&
                ppCredentialBlob != NULL && pCredentialBlobSize != NULL,
            cause_set(SEC_E_INVALID_PARAMETER, "no place for one of the answers was given"));
    try(api_text_from_w(pszTargetName, &target));
    try(identity_parts_read(AuthIdentity, &parts));
    try(password_find(&parts, &password));
    AUTO_FREE char *account = account_name(&parts);
    require(account != NULL, SEC_E_INSUFFICIENT_MEMORY);
    void *target_string = api_text_block(target != NULL ? target : account, true);
    void *account_string = api_text_block(account, true);
    void *blob = identity_block(slice_of(password.text, password.n_units * 2), 0);
    if (target_string == NULL || account_string == NULL || blob == NULL) {
        (void)block_free(target_string);
        (void)block_free(account_string);
        (void)block_free(blob);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    *pCredmanCredentialType = CRED_TYPE_DOMAIN_PASSWORD;
    *ppszCredmanTargetName = target_string;
    *ppszCredmanUserName = account_string;
    *ppCredentialBlob = blob;
    *pCredentialBlobSize = (ULONG)(password.n_units * 2);
    return SEC_E_OK;
}

SECURITY_STATUS SEC_ENTRY SspiGetTargetHostName(PCWSTR pszTargetName, PWSTR *pszHostName)
{
    AUTO_FREE char *target = NULL;
    cause_clear();
    require(pszTargetName != NULL && pszHostName != NULL,
            cause_set(SEC_E_INVALID_PARAMETER, "no target, or no place for the host name, was given"));
    try(api_text_from_w(pszTargetName, &target));
    struct target parts = target_parse(target);
    require(target_has_host(&parts), cause_set(SEC_E_INVALID_PARAMETER, "\"%.64s\" names no host", target));
    AUTO_FREE char *host = mem_dup(parts.host.data, parts.host.len);
    require(host != NULL, SEC_E_INSUFFICIENT_MEMORY);
    void *string;
    try(string_out(host, &string));
    *pszHostName = string;
    return SEC_E_OK;
}
