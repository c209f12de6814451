#include "accounts/store.h"

#include "access/client_identity.h"
#include "accounts/account_fields.h"
#include "base/memory.h"
#include "base/utf16.h"
#include "core/cause.h"

#include <stdatomic.h>
#include <string.h>

/* The count stands behind the account so that readers of `struct account` never see it. */
struct account_counted {
    struct account account; /* first: the two addresses are one */
    atomic_uint references;
};

struct account *account_new(void)
{
    struct account_counted *counted = mem_zalloc(sizeof(*counted));
    require(counted != NULL, NULL);
    counted->references = 1;
    counted->account.expires = FILETIME_NEVER;
    counted->account.password_expires = FILETIME_NEVER;
    counted->account.logon_ends = FILETIME_NEVER;
    counted->account.uid = -1;
    counted->account.gid = -1;
    return &counted->account;
}

const struct account *account_retain(const struct account *account)
{
    struct account_counted *counted = (struct account_counted *)(uintptr_t)account;
    atomic_fetch_add_explicit(&counted->references, 1, memory_order_relaxed);
    return account;
}

void account_release(const struct account *account)
{
    struct account_counted *counted = (struct account_counted *)(uintptr_t)account;
    if (counted == NULL || atomic_fetch_sub_explicit(&counted->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < counted->account.n_groups; i++)
        mem_free(counted->account.groups[i].name);
    mem_free(counted->account.groups);
    mem_free(counted->account.name);
    mem_free(counted->account.domain);
    mem_free(counted->account.full_name);
    mem_free(counted);
}

SECURITY_STATUS account_identity_write(const struct account *account, struct writer *identity)
{
    struct client_identity client = {.user = account->sid, .uid = account->uid, .gid = account->gid};
    require(account->n_groups <= CLIENT_GROUPS_MAX,
            cause_set(SEC_E_LOGON_DENIED, "the account is in %zu groups, and a token holds no more than %d",
                      account->n_groups, CLIENT_GROUPS_MAX));
    client.groups = mem_zalloc_array(account->n_groups, sizeof client.groups[0]);
    require(client.groups != NULL, SEC_E_INSUFFICIENT_MEMORY);
    for (; client.n_groups < account->n_groups; client.n_groups++) {
        const struct account_group *group = &account->groups[client.n_groups];
        client.groups[client.n_groups] = (struct client_group){group->sid, group->attributes, group->gid};
    }
    client_identity_write(identity, &client);
    client_identity_release(&client);
    return writer_finish(identity) == WIRE_OK ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

void store_record_wipe(struct store_record *record)
{
    account_release(record->account);
    secret_wipe(record, sizeof(*record));
}

bool account_name_valid(const char *name)
{
    size_t len = strlen(name);
    require(len > 0 && len <= ACCOUNT_NAME_MAX && utf8_valid(slice_of(name, len)), false);
    require(name[0] != ' ' && name[len - 1] != ' ' && strspn(name, ". ") != len, false);
    for (const char *at = name; *at != '\0'; at++) {
        unsigned char letter = (unsigned char)*at;
        require(strchr("\"/\\[]:;|=,+*?<>@", letter) == NULL, false);
    }
    return !field_has_control(slice_of(name, len), '\0');
}
