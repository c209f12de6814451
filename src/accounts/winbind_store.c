/*
 * The store of accounts that a domain keeps: winbind carries the client's response to a controller, with this server's challenge, and brings back who
 * it is and the session key. Nothing is kept here but the names of domains (access/winbind_domains.h).
 */
#include "access/client_identity.h"
#include "access/winbind_domains.h"
#include "accounts/store.h"
#include "accounts/winbind_answer.h"
#include "accounts/winbind_status.h"
#include "base/memory.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "crypto/ntlm_response.h"

#include <string.h>

#define NAME_MAX_BYTES 255            /* winbind's protocol cuts longer ones off, which would be another name */
#define RESPONSE_MAX 0xffffu          /* what an AUTHENTICATE can hold */
#define UNIX_TIME_MAX 253402300799ull /* the end of the year 9999: all that is later means "never" */

struct winbind_store {
    struct winbind_settings settings;
    char *library;  /* what settings point at */
    char *only_key; /* the one domain that this store is for, or NULL */
};

static void close_store(void *self)
{
    struct winbind_store *store = self;
    mem_free(store->library);
    mem_free(store->only_key);
    mem_free(store);
}

static void stamp(void *self, struct store_stamp *out)
{
    (void)self;
    memset(out, 0, sizeof *out);
}

/* It gives nobody's hash away, and so knows nobody beforehand. */
static SECURITY_STATUS find(void *self, const char *user_key, const char *domain_key, struct store_record *record)
{
    (void)self, (void)user_key, (void)domain_key, (void)record;
    return SEC_E_NO_CREDENTIALS;
}

static SECURITY_STATUS find_any(void *self, struct store_record *record)
{
    (void)self, (void)record;
    return SEC_E_NO_CREDENTIALS;
}

/* SIDs of a domain have their names from winbind by [access], not by the store. */
static SECURITY_STATUS name_of_sid(void *self, const struct sid *sid, struct account_name *name)
{
    (void)self, (void)sid, (void)name;
    return SEC_E_NO_CREDENTIALS;
}

static SECURITY_STATUS sid_of_group(void *self, const char *group_key, struct sid *sid)
{
    (void)self, (void)group_key, (void)sid;
    return SEC_E_NO_CREDENTIALS;
}

static SECURITY_STATUS knows_domain(void *self, const char *domain_key, bool *known)
{
    struct winbind_store *store = self;
    const struct winbind_domains *domains = NULL;
    *known = store->only_key != NULL && strcmp(store->only_key, domain_key) == 0;
    if (*domain_key == '\0') /* a name without one is of this computer's domain */
        *known = store->only_key == NULL;
    if (*known || *domain_key == '\0')
        return SEC_E_OK;
    try(winbind_domains_get(&store->settings, true, &domains));
    const struct winbind_domain *domain = winbind_domain_find(domains, domain_key);
    *known = domain != NULL && (store->only_key == NULL || domain == winbind_domain_find(domains, store->only_key));
    winbind_domains_release(domains);
    return SEC_E_OK;
}

static void name_put(char to[ACCOUNT_HOST_NAME_MAX], const char *name)
{
    size_t len = name != NULL ? strlen(name) : 0;
    if (len < ACCOUNT_HOST_NAME_MAX)
        memcpy(to, name != NULL ? name : "", len + 1);
}

static SECURITY_STATUS host(void *self, bool wait, struct account_host *out)
{
    struct winbind_store *store = self;
    const struct winbind_domains *domains = NULL;
    try(winbind_domains_get(&store->settings, wait, &domains));
    name_put(out->computer, domains->computer);
    name_put(out->domain, domains->domain);
    name_put(out->dns_domain, domains->dns_domain);
    winbind_domains_release(domains);
    return SEC_E_OK;
}

static SECURITY_STATUS check_trust(void *self)
{
    struct winbind_store *store = self;
    return winbind_trust_check(&store->settings);
}

/* One response on its way, and who it proved to be. The thread's alone while it is asked. */
struct logon {
    char *user, *domain, *workstation;
    uint8_t challenge[NTLM_CHALLENGE_LEN];
    uint8_t *nt, *lm;
    size_t nt_len, lm_len;
    struct account *account;
    char *dns_domain; /* of the account, or NULL */
    struct key16 session_key;
};

static void logon_free(void *data)
{
    struct logon *logon = data;
    if (logon == NULL)
        return;
    mem_free(logon->user);
    mem_free(logon->domain);
    mem_free(logon->workstation);
    mem_free(logon->nt);
    mem_free(logon->lm);
    mem_free(logon->dns_domain);
    account_release(logon->account);
    secret_block_free(logon, sizeof *logon);
}

static SECURITY_STATUS name_take(const char *name, char **copy)
{
    name = name != NULL ? name : "";
    require(strlen(name) <= NAME_MAX_BYTES,
            cause_set(SEC_E_LOGON_DENIED, "a name in the client's message is too long"));
    *copy = mem_strdup(name);
    return *copy != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS response_take(struct slice response, uint8_t **copy, size_t *len)
{
    require(response.len <= RESPONSE_MAX, cause_set(SEC_E_LOGON_DENIED, "the client's response is too long"));
    *len = response.len;
    if (response.len == 0)
        return SEC_E_OK;
    *copy = mem_dup(response.data, response.len);
    return *copy != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* The controller takes either response for proof. Beside an NTLMv2 response none of the other kind may go, for it vouches neither for the client's
 * target information nor for the MIC: who altered the one could leave the other standing. LM goes only where it is allowed. */
static SECURITY_STATUS logon_fill(const struct ntlm_check *check, struct logon *logon)
{
    bool v1 = check->nt_response.len == NTLM_V1_RESPONSE_LEN;
    bool lm_counts = check->allow_lm && (v1 || check->nt_response.len == 0);
    try(name_take(check->user, &logon->user));
    try(name_take(check->domain, &logon->domain));
    try(name_take(check->workstation, &logon->workstation));
    memcpy(logon->challenge, check->challenge, sizeof logon->challenge);
    try(response_take(check->nt_response, &logon->nt, &logon->nt_len));
    if (v1 && check->extended_session_security) { /* the LM field holds the client's challenge (MS-NLMP 3.3.1) */
        require(check->lm_response.len == NTLM_V1_RESPONSE_LEN,
                cause_set(SEC_E_LOGON_DENIED, "the client's challenge is missing"));
        ntlm_v1_session_challenge(check->challenge, check->lm_response.data, logon->challenge);
        return SEC_E_OK;
    }
    return lm_counts ? response_take(check->lm_response, &logon->lm, &logon->lm_len) : SEC_E_OK;
}

static int64_t filetime_of(uint64_t seconds)
{
    return seconds == 0 || seconds > UNIX_TIME_MAX ? FILETIME_NEVER : filetime_from_unix((time_t)seconds);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The groups are in no list of ours, and their names nobody has asked for. A SID that stands twice counts once. */
static SECURITY_STATUS groups_take(const struct wbc_user *user, struct account *account)
{
    require(user->n_sids - 1 <= CLIENT_GROUPS_MAX,
            cause_set(SEC_E_INTERNAL_ERROR, "the account is in more than %d groups, which no token holds",
                      CLIENT_GROUPS_MAX));
    account->groups = mem_zalloc_array(user->n_sids, sizeof account->groups[0]);
    require(account->groups != NULL, SEC_E_INSUFFICIENT_MEMORY);
    for (size_t i = 1; i < user->n_sids; i++) {
        struct account_group *group = &account->groups[account->n_groups];
        bool twice = false;
        try(wbclient_sid_take(&user->sids[i].sid, &group->sid));
        for (size_t at = 0; at < account->n_groups && !twice; at++)
            twice = sid_equal(&account->groups[at].sid, &group->sid);
        if (twice)
            continue;
        /* libwbclient tells none of the user's own SID and of the primary group, which is as enabled as on Windows. */
        group->attributes = i == 1 && user->sids[i].attributes == 0 ? GROUP_USUAL : user->sids[i].attributes;
        group->gid = -1;
        account->n_groups++;
    }
    return SEC_E_OK;
}

static SECURITY_STATUS account_take(const struct wbc_user *user, struct account *account)
{
    require(user->n_sids > 0 && user->sids != NULL && user->account != NULL && *user->account != '\0',
            cause_set(SEC_E_INTERNAL_ERROR, "winbind does not say who the client is"));
    try(wbclient_text_take(user->account, &account->name));
    try(wbclient_text_take(user->domain, &account->domain));
    if (user->full_name != NULL && *user->full_name != '\0')
        try(wbclient_text_take(user->full_name, &account->full_name));
    try(wbclient_sid_take(&user->sids[0].sid, &account->sid));
    try(groups_take(user, account));
    account->has_user_flags = true;
    account->user_flags = user->user_flags;
    account->logon_ends = earlier(filetime_of(user->kickoff), filetime_of(user->logoff));
    account->password_set = user->password_set != 0 ? filetime_of(user->password_set) : 0;
    account->password_expires = filetime_of(user->password_must_change);
    return SEC_E_OK;
}

/* Whom a controller lets in as a guest has proved nothing. A key of zeros everybody knows: a MIC by it would be anybody's. */
static SECURITY_STATUS user_take(const struct wbc_user *user, struct logon *logon)
{
    static const uint8_t zeros[sizeof logon->session_key.bytes];
    require(user != NULL, cause_set(SEC_E_INTERNAL_ERROR, "winbind's answer is empty"));
    require((user->user_flags & WBC_USER_GUEST) == 0,
            cause_set(SEC_E_LOGON_DENIED, "the domain knows no such account, and would let the client in as a guest"));
    require(!secret_equal(user->session_key, zeros, sizeof zeros),
            cause_set(SEC_E_NO_AUTHENTICATING_AUTHORITY, "the controller gave no session key with its answer"));
    logon->account = account_new();
    require(logon->account != NULL, SEC_E_INSUFFICIENT_MEMORY);
    try(account_take(user, logon->account));
    if (user->dns_domain != NULL && *user->dns_domain != '\0')
        try(wbclient_text_take(user->dns_domain, &logon->dns_domain));
    memcpy(logon->session_key.bytes, user->session_key, sizeof logon->session_key.bytes);
    return SEC_E_OK;
}

static SECURITY_STATUS logon_run(const struct wbclient *wbc, void *context, void *data)
{
    struct logon *logon = data;
    struct wbc_logon asked = {
        .account = logon->user,
        .domain = logon->domain,
        .workstation = logon->workstation,
        /* Computers prove themselves by NTLM like anybody: services that run as them. */
        .parameters = WBC_ALLOW_SERVER_TRUST | WBC_ALLOW_WORKSTATION_TRUST,
        .level = WBC_LEVEL_RESPONSE,
        .response = {.nt_len = (uint32_t)logon->nt_len,
                     .nt = logon->nt,
                     .lm_len = (uint32_t)logon->lm_len,
                     .lm = logon->lm},
    };
    struct wbc_user *user = NULL;
    struct wbc_failure *failure = NULL;
    memcpy(asked.response.challenge, logon->challenge, sizeof asked.response.challenge);
    int error = wbc->logon(context, &asked, &user, &failure);
    SECURITY_STATUS status = error == WBC_SUCCESS         ? user_take(user, logon)
                             : error == WBC_NOT_AVAILABLE ? wbclient_unprivileged(wbc, context)
                                                          : winbind_status_of_failure(error, failure, logon->domain);
    if (user != NULL) {
        secret_wipe(user->session_key, sizeof user->session_key);
        secret_wipe(user->lm_session_key, sizeof user->lm_session_key);
    }
    wbc->free_memory(user);
    wbc->free_memory(failure);
    return status;
}

/* By what is known of domains now, not when it was asked. */
static SECURITY_STATUS logon_believe(const struct winbind_store *store, const struct logon *logon)
{
    const struct winbind_domains *domains = NULL;
    AUTO_FREE char *domain_key = text_upper(logon->domain);
    require(domain_key != NULL, SEC_E_INSUFFICIENT_MEMORY);
    const struct winbind_asked asked = {domain_key, store->only_key};
    try(winbind_domains_get(&store->settings, true, &domains));
    SECURITY_STATUS status = winbind_answer_check(domains, &asked, logon->dns_domain, logon->account);
    winbind_domains_release(domains);
    return status;
}

static SECURITY_STATUS verify(void *self, const struct ntlm_check *check, const struct account **account,
                              struct key16 *session_base_key)
{
    static const struct wbclient_work work = {logon_run, logon_free};
    struct winbind_store *store = self;
    struct logon *logon = secret_block_alloc(sizeof *logon);
    require(logon != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS status = logon_fill(check, logon);
    void *data = logon;
    if (status == SEC_E_OK)
        status = wbclient_ask(&store->settings, &work, &data);
    logon = data;
    if (status == SEC_E_OK)
        status = logon_believe(store, logon);
    if (status == SEC_E_OK) {
        *account = STEAL(logon->account);
        *session_base_key = logon->session_key;
    }
    logon_free(logon);
    return status;
}

/* A password's change on its way. */
struct change {
    char *user, *domain, *old_password, *new_password;
};

static void change_free(void *data)
{
    struct change *change = data;
    if (change == NULL)
        return;
    mem_free(change->user);
    mem_free(change->domain);
    secret_free_text(change->old_password);
    secret_free_text(change->new_password);
    mem_free(change);
}

static SECURITY_STATUS password_take(struct slice utf16, char **text)
{
    require(utf16le_to_text(utf16, text) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "a password is not valid UTF-16, which winbind needs"));
    return SEC_E_OK;
}

/* The one name of an account with its domain, as this winbind writes it. */
static SECURITY_STATUS change_account(const struct wbclient *wbc, void *context, const struct change *change,
                                      char **account)
{
    struct wbc_details *details = NULL;
    size_t domain_len = strlen(change->domain), user_len = strlen(change->user);
    int error = wbc->details(context, &details);
    require(error == WBC_SUCCESS && details != NULL, wbclient_failed(error));
    char separator = details->separator;
    wbc->free_memory(details);
    *account = mem_zalloc(domain_len + 1 + user_len + 1);
    require(*account != NULL, SEC_E_INSUFFICIENT_MEMORY);
    memcpy(*account, change->domain, domain_len);
    if (domain_len > 0)
        (*account)[domain_len++] = separator;
    memcpy(*account + domain_len, change->user, user_len);
    return SEC_E_OK;
}

static SECURITY_STATUS change_run(const struct wbclient *wbc, void *context, void *data)
{
    struct change *change = data;
    AUTO_FREE char *account = NULL;
    try(change_account(wbc, context, change, &account));
    const struct wbc_password_change asked = {.account = account,
                                              .level = WBC_CHANGE_PLAIN,
                                              .old_password = {.text = change->old_password},
                                              .new_password = {.text = change->new_password}};
    struct wbc_failure *failure = NULL;
    void *policy = NULL;
    int reason = 0;
    int error = wbc->change_password(context, &asked, &failure, &reason, &policy);
    SECURITY_STATUS status =
        error == WBC_SUCCESS ? SEC_E_OK : winbind_status_of_failure(error, failure, change->domain);
    wbc->free_memory(policy);
    wbc->free_memory(failure);
    return status;
}

static SECURITY_STATUS change_password(void *self, const char *user, const char *domain, struct slice old_password,
                                       struct slice new_password)
{
    static const struct wbclient_work work = {change_run, change_free};
    struct winbind_store *store = self;
    struct change *change = mem_zalloc(sizeof *change);
    require(change != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS status = name_take(user, &change->user);
    if (status == SEC_E_OK)
        status = name_take(domain, &change->domain);
    if (status == SEC_E_OK)
        status = password_take(old_password, &change->old_password);
    if (status == SEC_E_OK)
        status = password_take(new_password, &change->new_password);
    void *data = change;
    if (status == SEC_E_OK)
        status = wbclient_ask(&store->settings, &work, &data);
    change_free(data);
    return status;
}

static const struct account_store_table table = {
    .stamp = stamp,
    .find = find,
    .find_any = find_any,
    .knows_domain = knows_domain,
    .name_of_sid = name_of_sid,
    .sid_of_group = sid_of_group,
    .host = host,
    .verify = verify,
    .change_password = change_password,
    .check_trust = check_trust,
    .close = close_store,
};

SECURITY_STATUS winbind_store_open(const char *domain, const struct account_policy *policy, struct account_store *store)
{
    struct winbind_store *opened = mem_zalloc(sizeof *opened);
    require(opened != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS status = SEC_E_OK;
    opened->settings.seconds = policy->winbind_seconds;
    opened->settings.library = opened->library = mem_strdup(policy->winbind_library);
    if (policy->winbind_library != NULL && opened->library == NULL)
        status = SEC_E_INSUFFICIENT_MEMORY;
    if (status == SEC_E_OK && *domain != '\0') {
        bool valid = account_name_valid(domain);
        opened->only_key = valid ? text_upper(domain) : NULL;
        if (opened->only_key == NULL)
            status = valid ? SEC_E_INSUFFICIENT_MEMORY
                           : cause_set(SEC_E_CANNOT_INSTALL, "winbind:%.128s names no domain", domain);
    }
    if (status != SEC_E_OK) {
        close_store(opened);
        return status;
    }
    *store = (struct account_store){&table, opened};
    return SEC_E_OK;
}
