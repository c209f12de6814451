/* Accounts of domains among the others: which store a name belongs to, and what the domain says of this computer. */
#include "accounts/accounts_internal.h"

#include "base/memory.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "core/config.h"

#include <string.h>

bool accounts_ask_domains(const struct config *config)
{
    bool asks_domains = false;
    for (unsigned i = 0; i < config->stores.n_items; i++)
        asks_domains |= strncmp(config->stores.item[i], STORE_WINBIND, strlen(STORE_WINBIND)) == 0;
    return asks_domains;
}

const char *accounts_default_domain(const struct config *config)
{
    return accounts_ask_domains(config) ? config->computer : config->domain;
}

SECURITY_STATUS accounts_open_configured(const struct config *config, struct accounts **accounts)
{
    const struct account_policy policy = {
        .lockout_threshold = config->lockout_threshold,
        .lockout_seconds = config->lockout_seconds,
        .reset_seconds = config->lockout_reset_seconds,
        .winbind_library = config->access_winbind_library,
        .winbind_seconds = config->access_winbind_seconds,
    };
    return accounts_open((const char *const *)config->stores.item, config->stores.n_items,
                         accounts_default_domain(config), &policy, accounts);
}

/* The first store that asks a domain, or NULL. */
static const struct account_store *domain_store(const struct accounts *accounts)
{
    for (size_t i = 0; i < accounts->n_stores; i++)
        if (accounts->store[i].table->verify != NULL)
            return &accounts->store[i];
    return NULL;
}

SECURITY_STATUS accounts_host(struct accounts *accounts, bool wait, struct account_host *host)
{
    const struct account_store *store = domain_store(accounts);
    *host = (struct account_host){0};
    return store != NULL ? store->table->host(store->self, wait, host) : SEC_E_NO_CREDENTIALS;
}

SECURITY_STATUS accounts_check_trust(struct accounts *accounts)
{
    const struct account_store *store = domain_store(accounts);
    return store != NULL ? store->table->check_trust(store->self) : SEC_E_NO_CREDENTIALS;
}

/* The first store that knows the domain; n_stores: none does. */
static SECURITY_STATUS route_domain(struct accounts *accounts, const char *domain_key, size_t *store)
{
    bool known = false;
    for (*store = 0; *store < accounts->n_stores; (*store)++) {
        const struct account_store *at = &accounts->store[*store];
        try(at->table->knows_domain(at->self, domain_key, &known));
        if (known)
            return SEC_E_OK;
    }
    return SEC_E_OK;
}

/* A name without a domain belongs to the kind of store that stands first: were both asked, how long the answer takes would tell whom this computer
 * knows. */
static SECURITY_STATUS route_nowhere(const struct accounts *accounts, size_t *store)
{
    bool taken = false;
    const struct account_store *first = accounts->store;
    if (first->table->verify != NULL)
        try(first->table->knows_domain(first->self, "", &taken));
    *store = taken ? 0 : accounts->n_stores;
    return SEC_E_OK;
}

static SECURITY_STATUS route_keys(struct accounts *accounts, const char *user_key, const char *domain_key,
                                  size_t *store)
{
    const char *at = *domain_key == '\0' ? strrchr(user_key, '@') : NULL;
    const char *wanted = at != NULL ? at + 1 : domain_key;
    if (*wanted == '\0')
        return route_nowhere(accounts, store);
    *store = accounts->n_stores;
    if (strcmp(wanted, ".") == 0 || strcmp(wanted, accounts->default_key) == 0)
        return SEC_E_OK;
    try(route_domain(accounts, wanted, store));
    if (*store == accounts->n_stores && at != NULL) /* a suffix of the domain's own making, perhaps */
        return route_nowhere(accounts, store);
    if (*store < accounts->n_stores && accounts->store[*store].table->verify == NULL)
        *store = accounts->n_stores;
    return SEC_E_OK;
}

SECURITY_STATUS accounts_route(struct accounts *accounts, const char *user, const char *domain, size_t *store)
{
    *store = accounts->n_stores;
    if (!utf8_valid(slice_of_text(user)) || !utf8_valid(slice_of_text(domain)))
        return SEC_E_OK; /* nobody's name, say the other stores */
    AUTO_FREE char *user_key = text_upper(user);
    AUTO_FREE char *domain_key = text_upper(domain);
    require(user_key != NULL && domain_key != NULL, SEC_E_INSUFFICIENT_MEMORY);
    return route_keys(accounts, user_key, domain_key, store);
}
