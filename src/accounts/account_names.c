#include "accounts/accounts_internal.h"

#include "base/memory.h"
#include "base/utf16.h"

void account_name_release(struct account_name *name)
{
    mem_free(name->name);
    mem_free(name->domain);
    *name = (struct account_name){0};
}

SECURITY_STATUS account_name_of_sid(struct accounts *accounts, const struct sid *sid, struct account_name *name)
{
    for (size_t i = 0; i < accounts->n_stores; i++) {
        const struct account_store *store = &accounts->store[i];
        if (store->table->name_of_sid == NULL)
            continue;
        SECURITY_STATUS status = store->table->name_of_sid(store->self, sid, name);
        require(status == SEC_E_NO_CREDENTIALS, status);
    }
    return SEC_E_NO_CREDENTIALS;
}

SECURITY_STATUS account_sid_of_group(struct accounts *accounts, const char *group, struct sid *sid)
{
    AUTO_FREE char *key = text_upper(group);
    require(key != NULL, SEC_E_NO_CREDENTIALS);
    for (size_t i = 0; i < accounts->n_stores; i++) {
        const struct account_store *store = &accounts->store[i];
        if (store->table->sid_of_group == NULL)
            continue;
        SECURITY_STATUS status = store->table->sid_of_group(store->self, key, sid);
        require(status == SEC_E_NO_CREDENTIALS, status);
    }
    return SEC_E_NO_CREDENTIALS;
}
