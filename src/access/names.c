#include "access/names.h"

#include "access/name_service.h"
#include "access/winbind.h"
#include "accounts/accounts.h"
#include "base/memory.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "core/target.h"
#include "core/trace.h"
#include <string.h>

#define UNIX_USERS "Unix User" /* the domains of S-1-22-1 and S-1-22-2 */
#define UNIX_GROUPS "Unix Group"

void sid_name_release(struct sid_name *name)
{
    mem_free(name->domain);
    mem_free(name->name);
    *name = (struct sid_name){0};
}

static SECURITY_STATUS name_set(struct sid_name *out, const char *domain, const char *name, enum sid_use use)
{
    struct sid_name made = {mem_strdup(domain), mem_strdup(name), use};
    if (made.domain == NULL || made.name == NULL) {
        sid_name_release(&made);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    *out = made;
    return SEC_E_OK;
}

/* Each source answers SEC_E_TARGET_UNKNOWN for what it does not know. */

static SECURITY_STATUS known_name(const struct config *config, const struct sid *sid, struct sid_name *name)
{
    const struct well_known *known = well_known_of_sid(sid);
    (void)config;
    require(known != NULL, SEC_E_TARGET_UNKNOWN);
    return name_set(name, known->domain, known->name, known->use);
}

static SECURITY_STATUS store_name_in(struct accounts *accounts, const struct sid *sid, struct sid_name *name)
{
    struct account_name found = {0};
    SECURITY_STATUS status = account_name_of_sid(accounts, sid, &found);
    if (status == SEC_E_OK)
        status = name_set(name, found.domain, found.name, found.is_group ? SID_USE_GROUP : SID_USE_USER);
    account_name_release(&found);
    return status == SEC_E_NO_CREDENTIALS ? SEC_E_TARGET_UNKNOWN : status;
}

static SECURITY_STATUS store_name(const struct config *config, const struct sid *sid, struct sid_name *name)
{
    struct accounts *accounts;
    try(accounts_open_configured(config, &accounts));
    SECURITY_STATUS status = store_name_in(accounts, sid, name);
    accounts_close(accounts);
    return status;
}

static SECURITY_STATUS unix_name(const struct config *config, const struct sid *sid, struct sid_name *name)
{
    AUTO_FREE char *found = NULL;
    (void)config;
    uint32_t id = sid->subauthority[1];
    bool user = sid_equal(sid, &SID_OF_UID(id)), group = sid_equal(sid, &SID_OF_GID(id));
    require(user || group, SEC_E_TARGET_UNKNOWN);
    try(user ? name_service_user_name(id, &found, NULL) : name_service_group_name(id, &found));
    require(found != NULL, SEC_E_TARGET_UNKNOWN);
    return name_set(name, user ? UNIX_USERS : UNIX_GROUPS, found, user ? SID_USE_USER : SID_USE_ALIAS);
}

static SECURITY_STATUS winbind_name(const struct config *config, const struct sid *sid, struct sid_name *name)
{
    struct sid_name found = {0};
    require(config->access_winbind, SEC_E_TARGET_UNKNOWN);
    try(winbind_name_of_sid(config, sid, &found.domain, &found.name, &found.use));
    require(found.name != NULL, SEC_E_TARGET_UNKNOWN);
    bool belongs = false;
    SECURITY_STATUS status = winbind_sid_belongs(config, sid, found.domain, found.name, &belongs);
    if (status == SEC_E_OK && !belongs) { /* a domain that gives its account somebody else's name */
        TRACE("winbind", "%s\\%s is no name for the SID that it was asked about", found.domain, found.name);
        status = SEC_E_TARGET_UNKNOWN;
    }
    if (status != SEC_E_OK) {
        sid_name_release(&found);
        return status;
    }
    *name = found;
    return SEC_E_OK;
}

SECURITY_STATUS names_of_sid(const struct config *config, const struct sid *sid, struct sid_name *name)
{
    SECURITY_STATUS(*const sources[])
    (const struct config *, const struct sid *, struct sid_name *) = {known_name, store_name, unix_name, winbind_name};
    for (size_t i = 0; i < COUNT_OF(sources); i++) {
        SECURITY_STATUS status = sources[i](config, sid, name);
        require(status == SEC_E_TARGET_UNKNOWN, status);
    }
    return cause_set(SEC_E_TARGET_UNKNOWN, "nobody here knows a name for this SID");
}

/* A name in its parts. */
struct parts {
    char *domain, *name; /* domain "" where none was given */
};

static void parts_release(struct parts *parts)
{
    mem_free(parts->domain);
    mem_free(parts->name);
}

static SECURITY_STATUS parts_split(const char *text, struct parts *parts)
{
    const char *slash = strchr(text, '\\'), *at = strrchr(text, '@');
    if (slash != NULL) {
        parts->domain = mem_dup(text, (size_t)(slash - text));
        parts->name = mem_strdup(slash + 1);
    } else if (at != NULL) {
        parts->domain = mem_strdup(at + 1);
        parts->name = mem_dup(text, (size_t)(at - text));
    } else {
        parts->domain = mem_strdup("");
        parts->name = mem_strdup(text);
    }
    return parts->domain != NULL && parts->name != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS known_sid(const struct config *config, const struct parts *parts, struct sid *sid,
                                 struct sid_name *name)
{
    const struct well_known *known = well_known_of_name(parts->domain, parts->name);
    (void)config;
    require(known != NULL, SEC_E_TARGET_UNKNOWN);
    try(name_set(name, known->domain, known->name, known->use));
    *sid = known->sid;
    return SEC_E_OK;
}

static bool domain_is_ours(const struct config *config, const char *domain)
{
    if (*domain == '\0' || strcmp(domain, ".") == 0 || target_host_is_own(config, domain))
        return true;
    return !accounts_ask_domains(config) && /* else that domain has accounts of its own */
           (text_equal_fold(domain, config->domain) ||
            (config->dns_domain != NULL && text_equal_fold(domain, config->dns_domain)));
}

/* Whoever proves a password may name any domain that nobody knows, and means the account here (accounts.h). Whose a name is says its domain. */
static SECURITY_STATUS account_of_name(const struct config *config, struct accounts *accounts, const char *name,
                                       const char *domain, const struct account **account)
{
    const struct account *found = NULL;
    try(account_find(accounts, name, domain, &found));
    if (!text_equal_fold(found->domain, domain) && !domain_is_ours(config, domain)) {
        account_release(found);
        return SEC_E_NO_CREDENTIALS;
    }
    *account = found;
    return SEC_E_OK;
}

static SECURITY_STATUS store_sid_in(struct accounts *accounts, const struct config *config, const struct parts *parts,
                                    struct sid *sid, struct sid_name *name)
{
    const struct account *account = NULL;
    struct sid found = {0};
    SECURITY_STATUS status = account_of_name(config, accounts, parts->name, parts->domain, &account);
    if (status == SEC_E_OK) {
        status = name_set(name, account->domain, account->name, SID_USE_USER);
        if (status == SEC_E_OK)
            *sid = account->sid;
        account_release(account);
        return status;
    }
    require(status == SEC_E_NO_CREDENTIALS, status);
    require(domain_is_ours(config, parts->domain), SEC_E_TARGET_UNKNOWN);
    status = account_sid_of_group(accounts, parts->name, &found);
    require(status != SEC_E_NO_CREDENTIALS, SEC_E_TARGET_UNKNOWN);
    require(status == SEC_E_OK, status);
    try(store_name_in(accounts, &found, name)); /* as the store spells it */
    *sid = found;
    return SEC_E_OK;
}

static SECURITY_STATUS store_sid(const struct config *config, const struct parts *parts, struct sid *sid,
                                 struct sid_name *name)
{
    struct accounts *accounts;
    try(accounts_open_configured(config, &accounts));
    SECURITY_STATUS status = store_sid_in(accounts, config, parts, sid, name);
    accounts_close(accounts);
    return status;
}

static SECURITY_STATUS unix_sid(const struct config *config, const struct parts *parts, struct sid *sid,
                                struct sid_name *name)
{
    bool plain = parts->domain[0] == '\0' || text_equal_fold(parts->domain, config->computer);
    int64_t id = -1;
    if (plain || text_equal_fold(parts->domain, UNIX_USERS))
        try(name_service_uid_of(parts->name, &id));
    if (id >= 0) {
        try(name_set(name, UNIX_USERS, parts->name, SID_USE_USER));
        *sid = SID_OF_UID(id);
        return SEC_E_OK;
    }
    if (plain || text_equal_fold(parts->domain, UNIX_GROUPS))
        try(name_service_gid_of_group(parts->name, &id));
    require(id >= 0, SEC_E_TARGET_UNKNOWN);
    try(name_set(name, UNIX_GROUPS, parts->name, SID_USE_ALIAS));
    *sid = SID_OF_GID(id);
    return SEC_E_OK;
}

static SECURITY_STATUS winbind_sid(const struct config *config, const struct parts *parts, struct sid *sid,
                                   struct sid_name *name)
{
    struct sid found = {0};
    enum sid_use use = SID_USE_UNKNOWN;
    require(config->access_winbind, SEC_E_TARGET_UNKNOWN);
    try(winbind_sid_of_name(config, parts->domain, parts->name, &found, &use));
    require(found.revision != 0, SEC_E_TARGET_UNKNOWN);
    bool belongs = parts->domain[0] == '\0'; /* winbind chose */
    if (!belongs)
        try(winbind_sid_belongs(config, &found, parts->domain, parts->name, &belongs));
    require(belongs, SEC_E_TARGET_UNKNOWN);
    SECURITY_STATUS status = winbind_name(config, &found, name);    /* as the domain spells it */
    if (status == SEC_E_TARGET_UNKNOWN && parts->domain[0] != '\0') /* that it is the domain's was seen above */
        status = name_set(name, parts->domain, parts->name, use);
    require(status == SEC_E_OK, status);
    *sid = found;
    return SEC_E_OK;
}

SECURITY_STATUS names_to_sid(const struct config *config, const char *text, struct sid *sid, struct sid_name *name)
{
    SECURITY_STATUS(*const sources[])
    (const struct config *, const struct parts *, struct sid *, struct sid_name *) = {known_sid, store_sid, unix_sid,
                                                                                      winbind_sid};
    struct parts parts __attribute__((cleanup(parts_release))) = {0};
    try(parts_split(text, &parts));
    for (size_t i = 0; parts.name[0] != '\0' && i < COUNT_OF(sources); i++) {
        SECURITY_STATUS status = sources[i](config, &parts, sid, name);
        require(status == SEC_E_TARGET_UNKNOWN, status);
    }
    return cause_set(SEC_E_TARGET_UNKNOWN, "nobody here knows \"%.128s\"", text);
}

SECURITY_STATUS names_full_name(const struct config *config, const char *domain, const char *name, char **full_name)
{
    struct accounts *accounts;
    const struct account *account = NULL;
    int64_t uid = -1;
    *full_name = NULL;
    try(accounts_open_configured(config, &accounts));
    SECURITY_STATUS status = account_of_name(config, accounts, name, domain, &account);
    if (status == SEC_E_OK && account->full_name != NULL) {
        *full_name = mem_strdup(account->full_name);
        status = *full_name != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
    }
    account_release(account);
    accounts_close(accounts);
    require(status == SEC_E_OK || status == SEC_E_NO_CREDENTIALS, status);
    if (*full_name != NULL || !text_equal_fold(domain, config->computer))
        return SEC_E_OK;
    try(name_service_uid_of(name, &uid));
    AUTO_FREE char *unused = NULL;
    return uid >= 0 ? name_service_user_name((uid_t)uid, &unused, full_name) : SEC_E_OK;
}
