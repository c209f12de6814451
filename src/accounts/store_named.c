#include "accounts/accounts.h"
#include "accounts/store.h"
#include "base/memory.h"
#include "core/cause.h"

#include <limits.h>
#include <string.h>

SECURITY_STATUS store_open_named(const char *name, const char *default_domain, const struct account_policy *policy,
                                 struct account_store *store)
{
    static const struct {
        const char *prefix;
        SECURITY_STATUS (*open)(const char *path, const char *default_domain, struct account_store *store);
    } kinds[] = {{"sqlite:", sqlite_store_open}, {"smbpasswd:", smbpasswd_store_open}, {"sam:", sam_store_open}};
    if (strncmp(name, STORE_WINBIND, strlen(STORE_WINBIND)) == 0)
        return winbind_store_open(name + strlen(STORE_WINBIND), policy, store);
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        size_t prefix_len = strlen(kinds[i].prefix);
        if (strncmp(name, kinds[i].prefix, prefix_len) == 0 && name[prefix_len] != '\0')
            return kinds[i].open(name + prefix_len, default_domain, store);
    }
    return cause_set(SEC_E_CANNOT_INSTALL,
                     "\"%s\" is no account store: write sqlite:PATH, smbpasswd:PATH, sam:PATH or winbind:", name);
}

static const char *path_of(const char *name)
{
    const char *colon = strchr(name, ':');
    return colon == NULL ? name : colon + 1;
}

SECURITY_STATUS accounts_check_store(const char *name, const char *default_domain)
{
    struct account_store store = {0};
    char real[PATH_MAX];
    const char *path = path_of(name);
    if (strncmp(name, STORE_WINBIND, strlen(STORE_WINBIND)) == 0)
        return SEC_E_OK;
    if (strncmp(name, "sqlite:", strlen("sqlite:")) == 0 && *path != '\0')
        return sqlite_store_check(path);
    try(store_open_named(name, default_domain, NULL, &store)); /* the policy is winbind's matter */
    store.table->close(store.self);
    return store_path_check(path, real);
}

SECURITY_STATUS accounts_check_place(const char *name)
{
    return store_directory_check(path_of(name));
}
