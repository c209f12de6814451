#include "core/login.h"

#include "base/memory.h"
#include "core/cause.h"
#include "core/user_file.h"
#include <string.h>

SECURITY_STATUS login_choose(const char *package, const struct acquire_request *request, const struct identity *given,
                             struct identity *kept, const struct identity **who)
{
    const char *user = NULL;
    enum identity_kind kind = identity_kind(given);
    *who = given;
    switch (kind) {
    case IDENTITY_LOGIN:
    case IDENTITY_NOBODY:
        return SEC_E_OK;
    case IDENTITY_PROVED:
        return cause_set(SEC_E_UNKNOWN_CREDENTIALS, "%s needs a password, not a keytab or a certificate", package);
    case IDENTITY_NAME:
        user = given->user;
        break;
    case IDENTITY_DEFAULT:
        *who = NULL;
        break;
    }
    SECURITY_STATUS status = user_file_find(request->config->user_file, request->principal, user,
                                            given != NULL ? given->domain : NULL, kept);
    require(status == SEC_E_OK || status == SEC_E_NO_CREDENTIALS, status);
    if (status == SEC_E_OK)
        *who = kept;
    else
        cause_drop(); /* the first step says NO_CREDENTIALS, unless it may ask or go without */
    return SEC_E_OK;
}

SECURITY_STATUS login_names(const struct identity *identity, char **user, char **domain)
{
    const char *name = identity->user != NULL ? identity->user : "";
    bool has_domain = identity->domain != NULL && *identity->domain != '\0';
    const char *backslash = has_domain ? NULL : strchr(name, '\\');
    *domain =
        backslash != NULL ? mem_dup(name, (size_t)(backslash - name)) : mem_strdup(has_domain ? identity->domain : "");
    *user = mem_strdup(backslash != NULL ? backslash + 1 : name);
    return *user != NULL && *domain != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

char *login_full_name(const char *domain, const char *user)
{
    size_t domain_len = strlen(domain), user_len = strlen(user), user_at = domain_len != 0 ? domain_len + 1 : 0;
    char *name = mem_zalloc(user_at + user_len + 1);
    require(name != NULL, NULL);
    if (domain_len != 0) {
        memcpy(name, domain, domain_len + 1);
        name[domain_len] = '\\';
    }
    memcpy(name + user_at, user, user_len + 1);
    return name;
}
