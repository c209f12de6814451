#include "accounts/accounts.h"

#include "accounts/cache.h"
#include "accounts/store.h"
#include "base/memory.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "core/status.h"
#include "core/trace.h"
#include "crypto/ntlm_response.h"
#include "crypto/random.h"

#include <pthread.h>
#include <string.h>

#define PASSWORD_BYTES_MAX 512 /* 256 UTF-16 units, as Windows */

struct accounts {
    struct accounts *next;
    unsigned references;
    char *name[CACHE_STORES_MAX];
    struct account_store store[CACHE_STORES_MAX];
    size_t n_stores;
    char *default_domain, *default_key;
    struct account_policy policy;
    struct key16 nobody; /* the random hash that responses of unknown accounts are measured against */
    struct cache *cache;
};

static struct accounts *opened; /* guarded by opened_lock, as are the reference counts */
static pthread_mutex_t opened_lock = PTHREAD_MUTEX_INITIALIZER;

static SECURITY_STATUS store_open(const char *name, const char *default_domain, struct account_store *store)
{
    static const struct {
        const char *prefix;
        SECURITY_STATUS (*open)(const char *path, const char *default_domain, struct account_store *store);
    } kinds[] = {{"sqlite:", sqlite_store_open}, {"smbpasswd:", smbpasswd_store_open}, {"sam:", sam_store_open}};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        size_t prefix_len = strlen(kinds[i].prefix);
        if (strncmp(name, kinds[i].prefix, prefix_len) == 0 && name[prefix_len] != '\0')
            return kinds[i].open(name + prefix_len, default_domain, store);
    }
    return cause_set(SEC_E_CANNOT_INSTALL, "\"%s\" is no account store: write sqlite:PATH, smbpasswd:PATH or sam:PATH",
                     name);
}

static void accounts_free(struct accounts *accounts)
{
    for (size_t i = 0; i < accounts->n_stores; i++) {
        if (accounts->store[i].table != NULL)
            accounts->store[i].table->close(accounts->store[i].self);
        mem_free(accounts->name[i]);
    }
    cache_release(accounts->cache);
    mem_free(accounts->default_domain);
    mem_free(accounts->default_key);
    key16_wipe(&accounts->nobody);
    mem_free(accounts);
}

static SECURITY_STATUS accounts_fill(struct accounts *accounts, const char *const *names, size_t n_names)
{
    accounts->cache = cache_new();
    accounts->default_key = text_upper(accounts->default_domain);
    if (accounts->cache == NULL || accounts->default_key == NULL)
        return SEC_E_INSUFFICIENT_MEMORY;
    if (!random_bytes(accounts->nobody.bytes, sizeof(accounts->nobody.bytes)))
        return cause_set(SEC_E_INTERNAL_ERROR, "no random numbers");
    for (size_t i = 0; i < n_names; i++) {
        accounts->name[i] = mem_strdup(names[i]);
        accounts->n_stores = i + 1;
        require(accounts->name[i] != NULL, SEC_E_INSUFFICIENT_MEMORY);
        try(store_open(names[i], accounts->default_domain, &accounts->store[i]));
    }
    return SEC_E_OK;
}

static bool accounts_match(const struct accounts *accounts, const char *const *names, size_t n_names,
                           const char *default_domain, const struct account_policy *policy)
{
    require(accounts->n_stores == n_names && strcmp(accounts->default_domain, default_domain) == 0, false);
    require(accounts->policy.lockout_threshold == policy->lockout_threshold &&
                accounts->policy.lockout_seconds == policy->lockout_seconds &&
                accounts->policy.reset_seconds == policy->reset_seconds,
            false);
    for (size_t i = 0; i < n_names; i++)
        require(strcmp(accounts->name[i], names[i]) == 0, false);
    return true;
}

static SECURITY_STATUS accounts_open_locked(const char *const *names, size_t n_names, const char *default_domain,
                                            const struct account_policy *policy, struct accounts **accounts)
{
    for (struct accounts *at = opened; at != NULL; at = at->next)
        if (accounts_match(at, names, n_names, default_domain, policy)) {
            at->references++;
            *accounts = at;
            return SEC_E_OK;
        }
    struct accounts *fresh = mem_zalloc(sizeof(*fresh));
    require(fresh != NULL, SEC_E_INSUFFICIENT_MEMORY);
    fresh->references = 1;
    fresh->policy = *policy;
    fresh->default_domain = mem_strdup(default_domain);
    SECURITY_STATUS status =
        fresh->default_domain == NULL ? SEC_E_INSUFFICIENT_MEMORY : accounts_fill(fresh, names, n_names);
    if (status != SEC_E_OK) {
        accounts_free(fresh);
        return status;
    }
    fresh->next = opened;
    opened = fresh;
    *accounts = fresh;
    return SEC_E_OK;
}

SECURITY_STATUS accounts_open(const char *const *names, size_t n_names, const char *default_domain,
                              const struct account_policy *policy, struct accounts **accounts)
{
    if (n_names > CACHE_STORES_MAX)
        return cause_set(SEC_E_CANNOT_INSTALL, "more than %d account stores", CACHE_STORES_MAX);
    pthread_mutex_lock(&opened_lock);
    SECURITY_STATUS status =
        accounts_open_locked(names, n_names, default_domain == NULL ? "" : default_domain, policy, accounts);
    pthread_mutex_unlock(&opened_lock);
    return status;
}

void accounts_close(struct accounts *accounts)
{
    if (accounts == NULL)
        return;
    pthread_mutex_lock(&opened_lock);
    bool last = --accounts->references == 0;
    if (last) {
        struct accounts **at = &opened;
        while (*at != accounts)
            at = &(*at)->next;
        *at = accounts->next;
    }
    pthread_mutex_unlock(&opened_lock);
    if (last)
        accounts_free(accounts);
}

static SECURITY_STATUS search_stores(struct accounts *accounts, const char *user_key, const char *domain_key,
                                     struct cache_answer *answer)
{
    for (unsigned i = 0; i < accounts->n_stores; i++) {
        struct account_store *store = &accounts->store[i];
        SECURITY_STATUS status = store->table->find(store->self, user_key, domain_key, &answer->record);
        if (status == SEC_E_NO_CREDENTIALS)
            continue;
        /* A store that cannot be read stops the search: whom it knows, a later store must not answer for. */
        answer->store = i;
        return status;
    }
    return SEC_E_NO_CREDENTIALS;
}

static SECURITY_STATUS domain_is_known(struct accounts *accounts, const char *domain_key, bool *known)
{
    *known = false;
    for (unsigned i = 0; i < accounts->n_stores && !*known; i++)
        try(accounts->store[i].table->knows_domain(accounts->store[i].self, domain_key, known));
    return SEC_E_OK;
}

/* First the names as they stand; then, for no domain or one that no store knows, the default domain. */
static SECURITY_STATUS search_domains(struct accounts *accounts, const char *user_key, const char *domain_key,
                                      struct cache_answer *answer)
{
    bool known = false;
    SECURITY_STATUS status = search_stores(accounts, user_key, domain_key, answer);
    require(status == SEC_E_NO_CREDENTIALS, status);
    if (domain_key[0] != '\0')
        try(domain_is_known(accounts, domain_key, &known));
    require(!known && strcmp(domain_key, accounts->default_key) != 0, SEC_E_NO_CREDENTIALS);
    return search_stores(accounts, user_key, accounts->default_key, answer);
}

static SECURITY_STATUS search_names(struct accounts *accounts, const char *user, const char *domain,
                                    struct cache_answer *answer)
{
    if (!utf8_valid(slice_of_text(user)) || !utf8_valid(slice_of_text(domain)))
        return SEC_E_NO_CREDENTIALS;
    AUTO_FREE char *user_key = text_upper(user);
    AUTO_FREE char *domain_key =
        text_upper(strcmp(domain, ".") == 0 ? "" : domain); /* "." is Windows' "this computer" */
    if (user_key == NULL || domain_key == NULL)
        return SEC_E_INSUFFICIENT_MEMORY;
    SECURITY_STATUS status = search_domains(accounts, user_key, domain_key, answer);
    char *at = strrchr(user_key, '@');
    if (status != SEC_E_NO_CREDENTIALS || at == NULL || domain_key[0] != '\0')
        return status;
    *at = '\0';
    return search_domains(accounts, user_key, at + 1, answer);
}

static void stamps_take(const struct accounts *accounts, struct cache_stamps *stamps)
{
    memset(stamps, 0, sizeof(*stamps));
    for (size_t i = 0; i < accounts->n_stores; i++)
        accounts->store[i].table->stamp(accounts->store[i].self, &stamps->store[i]);
}

/* Answers SEC_E_OK for unknown names too, with a NULL account and a key that no response fits. */
static SECURITY_STATUS accounts_look_up(struct accounts *accounts, const char *user, const char *domain,
                                        struct cache_answer *answer)
{
    struct cache_stamps before, after;
    stamps_take(accounts, &before);
    if (cache_get(accounts->cache, &before, user, domain, answer))
        return SEC_E_OK;
    SECURITY_STATUS status = search_names(accounts, user, domain, answer);
    require(status == SEC_E_OK || status == SEC_E_NO_CREDENTIALS, status);
    if (!answer->record.has_nt)
        answer->record.nt_hash = accounts->nobody;
    if (ntlm_v2_key(&answer->record.nt_hash, user, domain, &answer->v2_key) != WIRE_OK)
        return answer->record.account == NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
    /* Kept only when nothing changed while we looked: else the stamps might be newer than the answer. */
    stamps_take(accounts, &after);
    if (memcmp(&before, &after, sizeof(before)) == 0)
        cache_put(accounts->cache, &before, user, domain, answer);
    return SEC_E_OK;
}

/* Was a password tried at all? A response of a kind that is not allowed, or of no kind, is refused without having tried one. */
static bool check_tries_password(const struct ntlm_check *check)
{
    if (check->nt_response.len == NTLM_V1_RESPONSE_LEN)
        return check->allow_v1;
    if (check->nt_response.len == 0)
        return check->lm_response.len == NTLM_V1_RESPONSE_LEN;
    return check->nt_response.len >= NTLM_V2_RESPONSE_MIN;
}

/* A failure that cannot be written down is an error for all to see: guessing without a count must not go unnoticed. */
static SECURITY_STATUS count_failure(struct accounts *accounts, const struct cache_answer *answer)
{
    if (accounts->policy.lockout_threshold == 0)
        return SEC_E_OK;
    if (answer->record.account != NULL) {
        const struct account_store *store = &accounts->store[answer->store];
        return store->table->record_failure(store->self, &answer->record.account->sid, &accounts->policy);
    }
    for (size_t i = 0; i < accounts->n_stores; i++)
        if (accounts->store[i].table->record_unknown != NULL)
            return accounts->store[i].table->record_unknown(accounts->store[i].self);
    return SEC_E_OK;
}

static void count_success(struct accounts *accounts, const struct cache_answer *answer)
{
    const struct account_store *store = &accounts->store[answer->store];
    if (answer->record.lockout.failures == 0 && answer->record.lockout.locked_until == 0)
        return;
    /* Who proved the password is let in even where the count cannot be written, on a full disk for instance. */
    if (store->table->record_success(store->self, &answer->record.account->sid) != SEC_E_OK)
        TRACE("accounts", "failure count not reset: %s", cause_text());
}

static bool account_locked(const struct cache_answer *answer)
{
    const struct account *account = answer->record.account;
    return account != NULL &&
           ((account->flags & ACCOUNT_LOCKED) != 0 || lockout_holds(&answer->record.lockout, filetime_now()));
}

/* What stands in the way of a logon whose password is right. */
static SECURITY_STATUS account_state(const struct account *account, bool password_change)
{
    int64_t now = filetime_now();
    if ((account->flags & ACCOUNT_DISABLED) != 0)
        return STATUS_ACCOUNT_DISABLED;
    if (account->expires <= now)
        return STATUS_ACCOUNT_EXPIRED;
    if (password_change)
        return SEC_E_OK;
    if ((account->flags & ACCOUNT_MUST_CHANGE) != 0)
        return STATUS_PASSWORD_MUST_CHANGE;
    return account->password_expires <= now ? STATUS_PASSWORD_EXPIRED : SEC_E_OK;
}

static bool has_password(const struct store_record *record)
{
    return record->account != NULL && record->has_nt && (record->account->flags & ACCOUNT_NO_HASH) == 0;
}

SECURITY_STATUS account_verify_ntlm(struct accounts *accounts, const struct ntlm_check *check,
                                    const struct account **account, struct key16 *session_base_key)
{
    AUTO_ANSWER struct cache_answer answer = {0};
    AUTO_KEY16 struct key16 base_key = {0};
    const char *user = check->user == NULL ? "" : check->user, *domain = check->domain == NULL ? "" : check->domain;
    try(accounts_look_up(accounts, user, domain, &answer));
    if (account_locked(&answer))
        return STATUS_ACCOUNT_LOCKED_OUT;
    struct ntlm_response_input input = {
        .nt_hash = &answer.record.nt_hash,
        .lm_hash = answer.record.has_lm ? &answer.record.lm_hash : NULL,
        .v2_key = &answer.v2_key,
        .user = user,
        .domain = domain,
        .challenge = check->challenge,
        .lm_response = check->lm_response,
        .nt_response = check->nt_response,
        .extended_session_security = check->extended_session_security,
        .allow_v1 = check->allow_v1,
        .allow_lm = check->allow_lm,
    };
    enum ntlm_response_kind kind = ntlm_response_verify(&input, &base_key);
    if (kind == NTLM_RESPONSE_WRONG || !has_password(&answer.record)) {
        if (check_tries_password(check))
            try(count_failure(accounts, &answer));
        return SEC_E_LOGON_DENIED;
    }
    count_success(accounts, &answer);
    try(account_state(answer.record.account, false));
    *account = account_retain(answer.record.account);
    *session_base_key = base_key;
    return SEC_E_OK;
}

SECURITY_STATUS account_find(struct accounts *accounts, const char *user, const char *domain,
                             const struct account **account)
{
    AUTO_ANSWER struct cache_answer answer = {0};
    try(accounts_look_up(accounts, user, domain == NULL ? "" : domain, &answer));
    require(answer.record.account != NULL, SEC_E_NO_CREDENTIALS);
    *account = account_retain(answer.record.account);
    return SEC_E_OK;
}

SECURITY_STATUS account_change_password(struct accounts *accounts, const char *user, const char *domain,
                                        struct slice old_password, struct slice new_password)
{
    AUTO_ANSWER struct cache_answer answer = {0};
    AUTO_KEY16 struct key16 old_hash, new_hash;
    if (new_password.len == 0 || new_password.len % 2 != 0 || new_password.len > PASSWORD_BYTES_MAX)
        return cause_set(SEC_E_INVALID_PARAMETER, "the new password must have 1 to %d letters", PASSWORD_BYTES_MAX / 2);
    try(accounts_look_up(accounts, user, domain == NULL ? "" : domain, &answer));
    if (account_locked(&answer))
        return STATUS_ACCOUNT_LOCKED_OUT;
    ntlm_nt_hash(old_password, &old_hash);
    bool right = secret_equal(old_hash.bytes, answer.record.nt_hash.bytes, sizeof(old_hash.bytes));
    if (!right || !has_password(&answer.record)) {
        try(count_failure(accounts, &answer));
        return SEC_E_LOGON_DENIED;
    }
    try(account_state(answer.record.account, true));
    const struct account_store *store = &accounts->store[answer.store];
    if (store->table->set_password == NULL)
        return cause_set(SEC_E_UNSUPPORTED_FUNCTION, "the store %s is read-only: change the password where it is kept",
                         accounts->name[answer.store]);
    ntlm_nt_hash(new_password, &new_hash);
    try(store->table->set_password(store->self, &answer.record.account->sid, &old_hash, &new_hash));
    count_success(accounts, &answer);
    return SEC_E_OK;
}
