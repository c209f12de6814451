#include "accounts/accounts_internal.h"

#include "base/fork.h"
#include "base/memory.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "core/status.h"
#include "crypto/ntlm_response.h"
#include "crypto/random.h"

#include <pthread.h>
#include <string.h>

static struct accounts *opened; /* guarded by opened_lock, as are the reference counts */
static pthread_mutex_t opened_lock = PTHREAD_MUTEX_INITIALIZER;
FORK_GUARD(opened_lock, FORK_RANK_ACCOUNTS)

static void accounts_free(struct accounts *accounts)
{
    for (size_t i = 0; i < accounts->n_stores; i++) {
        if (accounts->store[i].table != NULL)
            accounts->store[i].table->close(accounts->store[i].self);
        mem_free(accounts->name[i]);
    }
    cache_release(accounts->cache);
    failures_close(accounts->unknown);
    mem_free(accounts->default_domain);
    mem_free(accounts->default_key);
    mem_free(accounts->winbind_library);
    key16_wipe(&accounts->nobody);
    mem_free(accounts);
}

static SECURITY_STATUS accounts_fill(struct accounts *accounts, const char *const *names, size_t n_names)
{
    accounts->cache = cache_new();
    accounts->unknown = failures_new();
    accounts->default_key = text_upper(accounts->default_domain);
    if (accounts->cache == NULL || accounts->unknown == NULL || accounts->default_key == NULL)
        return SEC_E_INSUFFICIENT_MEMORY;
    if (!random_bytes(accounts->nobody.bytes, sizeof(accounts->nobody.bytes)))
        return cause_set(SEC_E_INTERNAL_ERROR, "no random numbers");
    for (size_t i = 0; i < n_names; i++) {
        accounts->name[i] = mem_strdup(names[i]);
        accounts->n_stores = i + 1;
        require(accounts->name[i] != NULL, SEC_E_INSUFFICIENT_MEMORY);
        try(store_open_named(names[i], accounts->default_domain, &accounts->policy, &accounts->store[i]));
        accounts->asks_domains |= accounts->store[i].table->verify != NULL;
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
    const char *ours = accounts->policy.winbind_library, *theirs = policy->winbind_library;
    require(accounts->policy.winbind_seconds == policy->winbind_seconds && (ours == NULL) == (theirs == NULL) &&
                (ours == NULL || strcmp(ours, theirs) == 0),
            false);
    for (size_t i = 0; i < n_names; i++)
        require(strcmp(accounts->name[i], names[i]) == 0, false);
    return true;
}

/* Under the lock: one that is open with these names and rules, counted; NULL for none. */
static struct accounts *accounts_known(const char *const *names, size_t n_names, const char *default_domain,
                                       const struct account_policy *policy)
{
    struct accounts *at = opened;
    while (at != NULL && !accounts_match(at, names, n_names, default_domain, policy))
        at = at->next;
    if (at != NULL)
        at->references++;
    return at;
}

static SECURITY_STATUS accounts_make(const char *const *names, size_t n_names, const char *default_domain,
                                     const struct account_policy *policy, struct accounts **accounts)
{
    struct accounts *fresh = mem_zalloc(sizeof(*fresh));
    require(fresh != NULL, SEC_E_INSUFFICIENT_MEMORY);
    fresh->references = 1;
    fresh->policy = *policy;
    fresh->default_domain = mem_strdup(default_domain);
    fresh->policy.winbind_library = fresh->winbind_library = mem_strdup(policy->winbind_library);
    bool copied = fresh->default_domain != NULL && (policy->winbind_library == NULL || fresh->winbind_library != NULL);
    SECURITY_STATUS status = copied ? accounts_fill(fresh, names, n_names) : SEC_E_INSUFFICIENT_MEMORY;
    if (status != SEC_E_OK) {
        accounts_free(fresh);
        return status;
    }
    *accounts = fresh;
    return SEC_E_OK;
}

SECURITY_STATUS accounts_open(const char *const *names, size_t n_names, const char *default_domain,
                              const struct account_policy *policy, struct accounts **accounts)
{
    struct accounts *fresh = NULL;
    const char *domain = default_domain == NULL ? "" : default_domain;
    if (n_names > CACHE_STORES_MAX)
        return cause_set(SEC_E_CANNOT_INSTALL, "more than %d account stores", CACHE_STORES_MAX);
    pthread_mutex_lock(&opened_lock);
    *accounts = accounts_known(names, n_names, domain, policy);
    pthread_mutex_unlock(&opened_lock);
    if (*accounts != NULL)
        return SEC_E_OK;
    /* Without the lock: a database may be waited for, and a fork waits for the lock. */
    try(accounts_make(names, n_names, domain, policy, &fresh));
    pthread_mutex_lock(&opened_lock);
    *accounts = accounts_known(names, n_names, domain, policy); /* another thread's, by now */
    if (*accounts == NULL) {
        fresh->next = opened;
        opened = *accounts = fresh;
        fresh = NULL;
    }
    pthread_mutex_unlock(&opened_lock);
    if (fresh != NULL)
        accounts_free(fresh);
    return SEC_E_OK;
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

bool accounts_may_wait(const struct accounts *accounts)
{
    for (size_t i = 0; i < accounts->n_stores; i++)
        if (accounts->store[i].table->may_wait != NULL && accounts->store[i].table->may_wait(accounts->store[i].self))
            return true;
    return false;
}

/* A search for one name. It goes through all places where the name might be, also after it was found: how long it takes does not
 * tell whether there is such an account. */
struct search {
    struct accounts *accounts;
    struct cache_answer *answer;
    SECURITY_STATUS status; /* SEC_E_NO_CREDENTIALS until found, or until a store fails */
};

static void search_stores(struct search *search, const char *user_key, const char *domain_key)
{
    for (unsigned i = 0; i < search->accounts->n_stores; i++) {
        AUTO_RECORD struct store_record record = {0};
        const struct account_store *store = &search->accounts->store[i];
        const char *wanted = search->status == SEC_E_OK ? STORE_NO_NAME : user_key; /* found once is enough */
        SECURITY_STATUS status = store->table->find(store->self, wanted, domain_key, &record);
        /* A store that cannot be read ends the search: whom it knows, a later store must not answer for. */
        if (search->status != SEC_E_NO_CREDENTIALS || status == SEC_E_NO_CREDENTIALS)
            continue;
        search->status = status;
        search->answer->store = i;
        if (status == SEC_E_OK) {
            search->answer->record = record;
            record = (struct store_record){0};
        }
    }
}

static bool domain_is_known(struct search *search, const char *domain_key)
{
    bool known = false;
    for (unsigned i = 0; i < search->accounts->n_stores && !known; i++) {
        const struct account_store *store = &search->accounts->store[i];
        SECURITY_STATUS status = store->table->knows_domain(store->self, domain_key, &known);
        if (status != SEC_E_OK && search->status == SEC_E_NO_CREDENTIALS)
            search->status = status;
    }
    return known;
}

/* First the names as they stand; then, for no domain or one that no store knows, the default domain. */
static void search_domains(struct search *search, const char *user_key, const char *domain_key)
{
    const char *default_key = search->accounts->default_key;
    search_stores(search, user_key, domain_key);
    if (strcmp(domain_key, default_key) != 0 && (domain_key[0] == '\0' || !domain_is_known(search, domain_key)))
        search_stores(search, user_key, default_key);
}

static SECURITY_STATUS search_names(struct accounts *accounts, const char *user, const char *domain,
                                    struct cache_answer *answer)
{
    struct search search = {.accounts = accounts, .answer = answer, .status = SEC_E_NO_CREDENTIALS};
    if (!utf8_valid(slice_of_text(user)) || !utf8_valid(slice_of_text(domain)))
        return SEC_E_NO_CREDENTIALS;
    AUTO_FREE char *user_key = text_upper(user);
    AUTO_FREE char *domain_key =
        text_upper(strcmp(domain, ".") == 0 ? "" : domain); /* "." is Windows' "this computer" */
    if (user_key == NULL || domain_key == NULL)
        return SEC_E_INSUFFICIENT_MEMORY;
    search_domains(&search, user_key, domain_key);
    char *at = strrchr(user_key, '@');
    if (at != NULL && domain_key[0] == '\0') {
        *at = '\0';
        search_domains(&search, user_key, at + 1);
    }
    return search.status;
}

static void stamps_take(const struct accounts *accounts, struct cache_stamps *stamps)
{
    memset(stamps, 0, sizeof(*stamps));
    for (size_t i = 0; i < accounts->n_stores; i++)
        accounts->store[i].table->stamp(accounts->store[i].self, &stamps->store[i]);
}

/* The key that a response is measured with; for unknown names, and accounts without a password, one that none fits. */
static SECURITY_STATUS answer_fill(struct accounts *accounts, const char *user, const char *domain,
                                   struct cache_answer *answer)
{
    SECURITY_STATUS status = search_names(accounts, user, domain, answer);
    require(status == SEC_E_OK || status == SEC_E_NO_CREDENTIALS, status);
    if (!answer->record.has_nt)
        answer->record.nt_hash = accounts->nobody;
    if (ntlm_v2_key(&answer->record.nt_hash, user, domain, &answer->v2_key) != WIRE_OK)
        return answer->record.account == NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
    return SEC_E_OK;
}

struct lookup {
    struct cache_answer answer;
    struct cache_stamps stamps;
    bool warm; /* out of the cache: nothing was read for it */
    bool firm; /* no store changed while it was read: the stamps are the answer's */
};

static void lookup_wipe(struct lookup *lookup)
{
    cache_answer_wipe(&lookup->answer);
}
#define AUTO_LOOKUP __attribute__((cleanup(lookup_wipe)))

/* Answers SEC_E_OK for unknown names too, with a NULL account. */
static SECURITY_STATUS accounts_look_up(struct accounts *accounts, const char *user, const char *domain,
                                        struct lookup *lookup)
{
    struct cache_stamps after;
    stamps_take(accounts, &lookup->stamps);
    lookup->warm = cache_get(accounts->cache, &lookup->stamps, user, domain, &lookup->answer);
    if (lookup->warm)
        return SEC_E_OK;
    try(answer_fill(accounts, user, domain, &lookup->answer));
    stamps_take(accounts, &after);
    lookup->firm = memcmp(&lookup->stamps, &after, sizeof(after)) == 0;
    return SEC_E_OK;
}

/* Only names that proved their password are kept: guesses, of known names too, push nobody out. */
static void lookup_keep(struct accounts *accounts, const char *user, const char *domain, const struct lookup *lookup)
{
    if (lookup->firm)
        cache_put(accounts->cache, &lookup->stamps, user, domain, &lookup->answer);
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

static struct failures *failures_of(const struct accounts *accounts, const struct cache_answer *answer)
{
    const struct account_store *store = &accounts->store[answer->store];
    return answer->record.account == NULL ? accounts->unknown : store->table->failures(store->self);
}

static uint64_t failure_key_of(const struct cache_answer *answer)
{
    uint64_t key = answer->record.failure_key;
    if (answer->record.account == NULL)
        memcpy(&key, answer->v2_key.inner, sizeof(key)); /* as good as random, and the same for the same name */
    return key;
}

/* Refuses, at one cost for all: in each store one account was looked for and found, and one was not, whether the name is known, known
 * and in the cache, or unknown. What is done for the time alone may fail without harm. */
static SECURITY_STATUS deny(struct accounts *accounts, const char *user, const char *domain,
                            const struct lookup *lookup)
{
    AUTO_ANSWER struct cache_answer again = {0};
    const struct cache_answer *answer = &lookup->answer;
    struct cache_stamps stamps;
    if (lookup->warm) {
        (void)answer_fill(accounts, user, domain, &again);
        stamps_take(accounts, &stamps);
    }
    for (unsigned i = 0; i < accounts->n_stores; i++) {
        AUTO_RECORD struct store_record record = {0};
        const struct account_store *store = &accounts->store[i];
        if (answer->record.account != NULL && i == answer->store)
            (void)store->table->find(store->self, STORE_NO_NAME, accounts->default_key, &record);
        else
            (void)store->table->find_any(store->self, &record);
    }
    cause_drop();
    return cause_set(SEC_E_LOGON_DENIED,
                     "the name or the password is wrong, or wrong ones have locked the account: no telling which; "
                     "\"sspi account show\" tells of an account");
}

/* Asked before failures are forgiven; NULL says yes. */
struct forgiving {
    bool (*is_own)(void *context);
    void *context;
};

/* What comes of a response, decided after it was measured and by what the count says then: of guesses that come at once, no more are
 * answered for than of guesses one after another. A right one that nothing stands against resets the count, if the caller takes it for the client's
 * own: a digest that was recorded is not, nor a response that somebody else passes on. */
static SECURITY_STATUS decide(struct accounts *accounts, const struct cache_answer *answer, bool tried, bool right,
                              struct forgiving forgiving)
{
    int64_t now = filetime_now();
    struct lockout_state state = {0};
    struct failures *failures = failures_of(accounts, answer);
    uint64_t key = failure_key_of(answer);
    bool counting = accounts->policy.lockout_threshold != 0;
    if (!right) {
        if (tried && counting)
            failures_add(failures, key, &accounts->policy, now);
        return SEC_E_LOGON_DENIED;
    }
    if (counting)
        failures_get(failures, key, &accounts->policy, now, &state);
    if (lockout_holds(&state, now) && !lockout_tells(&state, &accounts->policy))
        return SEC_E_LOGON_DENIED;
    if (lockout_holds(&state, now) || (answer->record.account->flags & ACCOUNT_LOCKED) != 0)
        return STATUS_ACCOUNT_LOCKED_OUT;
    bool forgives = forgiving.is_own == NULL || forgiving.is_own(forgiving.context);
    if (forgives && state.failures != 0)
        failures_clear(failures, key);
    return SEC_E_OK;
}

/* What stands in the way of a logon whose password is right. */
static SECURITY_STATUS account_state(const struct account *account, bool password_change)
{
    int64_t now = filetime_now();
    require(account != NULL, SEC_E_INTERNAL_ERROR); /* a right password without an account would be a mistake of ours */
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

/* A response of a kind that is not allowed here does not go to a controller, which might take it. */
static SECURITY_STATUS verify_by_domain(const struct account_store *store, const struct ntlm_check *check,
                                        const struct account **account, struct key16 *session_base_key)
{
    bool lm_alone = check->nt_response.len == 0;
    require(check_tries_password(check) && (!lm_alone || check->allow_lm),
            cause_set(SEC_E_LOGON_DENIED, "the client's response is of a kind that is not allowed"));
    try(store->table->verify(store->self, check, account, session_base_key));
    if (check->is_whole != NULL)
        (void)check->is_whole(check->context, session_base_key);
    return SEC_E_OK;
}

struct proven {
    const struct ntlm_check *check;
    const struct key16 *base_key;
};

static bool proven_is_whole(void *context)
{
    const struct proven *proven = context;
    return proven->check->is_whole == NULL || proven->check->is_whole(proven->check->context, proven->base_key);
}

SECURITY_STATUS account_verify_ntlm(struct accounts *accounts, const struct ntlm_check *check,
                                    const struct account **account, struct key16 *session_base_key)
{
    AUTO_LOOKUP struct lookup lookup = {0};
    AUTO_KEY16 struct key16 base_key = {0};
    const char *user = check->user == NULL ? "" : check->user, *domain = check->domain == NULL ? "" : check->domain;
    if (accounts->asks_domains) {
        size_t at;
        try(accounts_route(accounts, user, domain, &at));
        if (at < accounts->n_stores)
            return verify_by_domain(&accounts->store[at], check, account, session_base_key);
    }
    try(accounts_look_up(accounts, user, domain, &lookup));
    const struct cache_answer *answer = &lookup.answer;
    struct ntlm_response_input input = {
        .nt_hash = &answer->record.nt_hash,
        .lm_hash = answer->record.has_lm ? &answer->record.lm_hash : NULL,
        .v2_key = &answer->v2_key,
        .challenge = check->challenge,
        .lm_response = check->lm_response,
        .nt_response = check->nt_response,
        .extended_session_security = check->extended_session_security,
        .allow_v1 = check->allow_v1,
        .allow_lm = check->allow_lm,
    };
    enum ntlm_response_kind kind = ntlm_response_verify(&input, &base_key);
    require(
        kind != NTLM_RESPONSE_FAILED, /* and counts for nobody's lock-out */
        cause_set(SEC_E_INTERNAL_ERROR, "DES, with which NTLMv1 and LM are computed, is not to be had from OpenSSL"));
    bool with_domain = kind != NTLM_RESPONSE_WRONG, right = with_domain;
    if (!with_domain) /* it costs nobody else anything, and wrong ones as much whoever they are for */
        require(ntlm_response_verify_bare(&input, user, &right, &base_key) || answer->record.account == NULL,
                SEC_E_INSUFFICIENT_MEMORY);
    right = right && has_password(&answer->record);
    struct proven proven = {check, &base_key};
    SECURITY_STATUS decision = decide(accounts, &lookup.answer, check_tries_password(check), right,
                                      (struct forgiving){proven_is_whole, &proven});
    if (decision == SEC_E_LOGON_DENIED) {
        if (with_domain) /* during a lock-out: for the time alone, which tells nobody that he guessed right */
            (void)ntlm_response_verify_bare(&input, user, &right, &base_key);
        return deny(accounts, user, domain, &lookup);
    }
    require(decision == SEC_E_OK, decision);
    lookup_keep(accounts, user, domain, &lookup);
    try(account_state(answer->record.account, false));
    *account = account_retain(answer->record.account);
    *session_base_key = base_key;
    return SEC_E_OK;
}

/* The name behind H(username:realm), split into user and domain; names of nobody where there is none. All stores are asked. */
static SECURITY_STATUS digest_user_find(struct accounts *accounts, const struct digest_check *check, char **username)
{
    const struct store_digest wanted = {.realm = check->realm, .form = check->form};
    for (unsigned i = 0; i < accounts->n_stores; i++) {
        const struct account_store *store = &accounts->store[i];
        AUTO_FREE char *found = NULL;
        if (store->table->digest_user == NULL)
            continue;
        SECURITY_STATUS status = store->table->digest_user(store->self, &wanted, check->user_hash, &found);
        require(status == SEC_E_OK || status == SEC_E_NO_CREDENTIALS, status);
        if (*username == NULL)
            *username = STEAL(found);
    }
    if (*username == NULL)
        *username = mem_strdup(STORE_NO_NAME);
    return *username != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* The account's hash, or for whoever has none a secret that no response fits. Each store is asked once. */
static SECURITY_STATUS digest_secret_find(struct accounts *accounts, const struct cache_answer *answer,
                                          const struct store_digest *wanted, uint8_t secret[DIGEST_LEN_MAX],
                                          bool *known)
{
    for (size_t i = 0; i < DIGEST_LEN_MAX; i++)
        secret[i] = accounts->nobody.bytes[i % sizeof(accounts->nobody.bytes)];
    for (unsigned i = 0; i < accounts->n_stores; i++) {
        const struct account_store *store = &accounts->store[i];
        bool here = answer->record.account != NULL && i == answer->store;
        if (store->table->digest_find == NULL)
            continue;
        SECURITY_STATUS status =
            store->table->digest_find(store->self, here ? &answer->record.account->sid : NULL, wanted, secret);
        require(status == SEC_E_OK || status == SEC_E_NO_CREDENTIALS, status);
        *known = *known || (here && status == SEC_E_OK);
    }
    return SEC_E_OK;
}

static bool digest_measure(const struct digest_check *check, const uint8_t *secret, uint8_t key[DIGEST_LEN_MAX])
{
    const struct digest_key_input input = {
        .algorithm = check->input->algorithm,
        .variant = check->variant,
        .nonce = check->first_nonce,
        .cnonce = check->first_cnonce,
        .authzid = check->authzid,
    };
    char expected[DIGEST_HEX_MAX];
    return digest_key(&input, secret, key) && digest_response(check->input, key, expected) &&
           check->response.len == strlen(expected) && secret_equal(expected, check->response.data, check->response.len);
}

static SECURITY_STATUS digest_verify_named(struct accounts *accounts, const struct digest_check *check,
                                           const char *user, const char *domain, const char *username,
                                           const struct account **account, uint8_t *key)
{
    AUTO_LOOKUP struct lookup lookup = {0};
    uint8_t secret[DIGEST_LEN_MAX], measured[DIGEST_LEN_MAX] = {0};
    const struct store_digest wanted = {check->realm, username, check->form};
    bool known = false;
    try(accounts_look_up(accounts, user, domain, &lookup));
    const struct cache_answer *answer = &lookup.answer;
    SECURITY_STATUS found = digest_secret_find(accounts, answer, &wanted, secret, &known);
    bool right = found == SEC_E_OK && digest_measure(check, secret, measured) && known && has_password(&answer->record);
    secret_wipe(secret, sizeof(secret));
    require(found == SEC_E_OK, found);
    SECURITY_STATUS decision = decide(accounts, answer, true, right, (struct forgiving){check->is_new, check->context});
    if (decision == SEC_E_OK) {
        lookup_keep(accounts, user, domain, &lookup);
        decision = account_state(answer->record.account, false);
    } else if (decision == SEC_E_LOGON_DENIED)
        decision = deny(accounts, user, domain, &lookup);
    if (decision == SEC_E_OK) {
        *account = account_retain(answer->record.account);
        memcpy(key, measured, sizeof(measured));
    }
    secret_wipe(measured, sizeof(measured));
    return decision;
}

SECURITY_STATUS account_verify_digest(struct accounts *accounts, const struct digest_check *check,
                                      const struct account **account, uint8_t *key)
{
    AUTO_FREE char *username = NULL;
    AUTO_FREE char *domain = NULL;
    if (check->user_hash.len == 0)
        return digest_verify_named(accounts, check, check->user, check->domain, check->username, account, key);
    try(digest_user_find(accounts, check, &username));
    const char *backslash = strchr(username, '\\');
    domain = mem_dup(username, backslash != NULL ? (size_t)(backslash - username) : 0);
    require(domain != NULL, SEC_E_INSUFFICIENT_MEMORY);
    return digest_verify_named(accounts, check, backslash != NULL ? backslash + 1 : username, domain, username, account,
                               key);
}

SECURITY_STATUS account_find(struct accounts *accounts, const char *user, const char *domain,
                             const struct account **account)
{
    AUTO_LOOKUP struct lookup lookup = {0};
    try(accounts_look_up(accounts, user, domain == NULL ? "" : domain, &lookup));
    require(lookup.answer.record.account != NULL, SEC_E_NO_CREDENTIALS);
    *account = account_retain(lookup.answer.record.account);
    return SEC_E_OK;
}

SECURITY_STATUS account_change_password(struct accounts *accounts, const char *user, const char *domain,
                                        struct slice old_password, struct slice new_password,
                                        const struct digest_realms *realms)
{
    AUTO_LOOKUP struct lookup lookup = {0};
    AUTO_KEY16 struct key16 old_hash, new_hash;
    if (new_password.len == 0 || new_password.len % 2 != 0 || new_password.len > ACCOUNT_PASSWORD_MAX)
        return cause_set(SEC_E_INVALID_PARAMETER, "the new password must have 1 to %d letters",
                         ACCOUNT_PASSWORD_MAX / 2);
    domain = domain == NULL ? "" : domain;
    if (accounts->asks_domains) {
        size_t at;
        try(accounts_route(accounts, user, domain, &at));
        if (at < accounts->n_stores)
            return accounts->store[at].table->change_password(accounts->store[at].self, user, domain, old_password,
                                                              new_password);
    }
    try(accounts_look_up(accounts, user, domain, &lookup));
    const struct cache_answer *answer = &lookup.answer;
    ntlm_nt_hash(old_password, &old_hash);
    bool right = secret_equal(old_hash.bytes, answer->record.nt_hash.bytes, sizeof(old_hash.bytes)) &&
                 has_password(&answer->record);
    SECURITY_STATUS decision = decide(accounts, &lookup.answer, true, right, (struct forgiving){0});
    if (decision == SEC_E_LOGON_DENIED)
        return deny(accounts, user, domain, &lookup);
    require(decision == SEC_E_OK, decision);
    try(account_state(answer->record.account, true));
    const struct account_store *store = &accounts->store[answer->store];
    if (store->table->set_password == NULL)
        return cause_set(SEC_E_UNSUPPORTED_FUNCTION, "the store %s is read-only: change the password where it is kept",
                         accounts->name[answer->store]);
    ntlm_nt_hash(new_password, &new_hash);
    const struct store_password change = {answer->record.account, &old_hash, &new_hash, new_password, realms};
    return store->table->set_password(store->self, &change);
}
