/*
 * The store that asks a domain: every field and every refusal, which names go to it, and what a controller gets to see. The controller is
 * tests/support/domain_world.c.
 * build: all
 */
#include "winbind_test.h"

static void test_every_field(void **state)
{
    struct accounts *accounts = open_one("winbind:", SECONDS);
    const struct account *account = NULL;
    struct sid expected = SID_OF(5, 21, 7, 7, 7, 1000);
    (void)state;
    assert_int_equal(logon_full(accounts, "FAKE", "alice", "Password1!", &account), SEC_E_OK);
    assert_string_equal(account->name, "Alice");
    assert_string_equal(account->domain, "FAKE");
    assert_string_equal(account->full_name, "Alice Example");
    assert_true(sid_equal(&account->sid, &expected));
    assert_int_equal(account->n_groups, 3);
    static const struct {
        uint32_t rid, attributes;
    } groups[] = {{513, 7}, {2000, 7}, {3000, 0x10}};
    for (size_t i = 0; i < 3; i++) {
        expected.subauthority[4] = groups[i].rid;
        assert_true(sid_equal(&account->groups[i].sid, &expected));
        assert_int_equal(account->groups[i].attributes, groups[i].attributes);
        assert_int_equal(account->groups[i].gid, -1);
    }
    assert_true(account->uid == -1 && account->gid == -1);
    assert_true(account->logon_ends == FILETIME_NEVER && account->expires == FILETIME_NEVER);
    assert_true(account->password_set == filetime_from_unix(1600000000));
    assert_true(account->password_expires == filetime_from_unix((time_t)DOMAIN_TIME));
    account_release(account);
    /* and what was asked */
    assert_int_equal(domain_seen.n_logons, 1);
    assert_string_equal(domain_seen.user, "alice");
    assert_string_equal(domain_seen.domain, "FAKE");
    assert_string_equal(domain_seen.workstation, "WS");
    assert_memory_equal(domain_seen.challenge, test_challenge, 8);
    assert_int_equal(domain_seen.nt_len, NTLM_V2_RESPONSE_MIN);
    assert_int_equal(domain_seen.lm_len, 0);
    assert_int_equal(domain_seen.level, WBC_AUTH_USER_LEVEL_RESPONSE);
    assert_int_equal(domain_seen.parameters,
                     WBC_MSV1_0_ALLOW_SERVER_TRUST_ACCOUNT | WBC_MSV1_0_ALLOW_WORKSTATION_TRUST_ACCOUNT);
    assert_int_equal(domain_seen.flags, 0);
    assert_int_equal(logon_full(accounts, "FAKE", "alice", "wrong", NULL), SEC_E_LOGON_DENIED);
    accounts_close(accounts);
}

static void times_soon(struct fake_answer *answer)
{
    answer->user.logoff_time = 3000;
    answer->user.kickoff_time = 2000;
    answer->user.pass_last_set_time = 0;
    answer->user.pass_must_change_time = INT64_MAX;
    answer->user.full_name = NULL;
}

static void times_zero(struct fake_answer *answer)
{
    answer->user.logoff_time = 3000;
    answer->user.kickoff_time = 0;
    answer->user.pass_must_change_time = UINT64_MAX;
    answer->user.full_name[0] = '\0';
}

static void test_times(void **state)
{
    struct accounts *accounts = open_one("winbind:", SECONDS);
    const struct account *account = NULL;
    (void)state;
    domain_alter = times_soon;
    assert_int_equal(logon_full(accounts, "FAKE", "alice", "Password1!", &account), SEC_E_OK);
    assert_true(account->logon_ends == filetime_from_unix(2000));
    assert_true(account->password_set == 0 && account->password_expires == FILETIME_NEVER);
    assert_null(account->full_name);
    account_release(account);
    domain_alter = times_zero;
    assert_int_equal(logon_full(accounts, "FAKE", "alice", "Password1!", &account), SEC_E_OK);
    assert_true(account->logon_ends == filetime_from_unix(3000));
    assert_true(account->password_expires == FILETIME_NEVER);
    assert_null(account->full_name);
    account_release(account);
    accounts_close(accounts);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *user;
        SECURITY_STATUS status;
        const char *cause;
    } cases[] = {
        {"nt-C000006A", SEC_E_LOGON_DENIED, "wrong password"},
        {"nt-C0000064", SEC_E_LOGON_DENIED, "no such account"},
        {"nt-C000006D", SEC_E_LOGON_DENIED, "wrong name or password"},
        {"nt-C000006E", SEC_E_LOGON_DENIED, "restrictions"},
        {"nt-C000006F", SEC_E_LOGON_DENIED, "hour"},
        {"nt-C0000070", SEC_E_LOGON_DENIED, "workstation"},
        {"nt-C00000DF", SEC_E_LOGON_DENIED, "no such domain"},
        {"nt-C0000413", SEC_E_LOGON_DENIED, "selective"},
        {"nt-C0001234", SEC_E_LOGON_DENIED, "0xc0001234"},
        {"nt-C0000072", STATUS_ACCOUNT_DISABLED, "disabled"},
        {"nt-C0000193", STATUS_ACCOUNT_EXPIRED, "expired"},
        {"nt-C0000071", STATUS_PASSWORD_EXPIRED, "expired"},
        {"nt-C0000224", STATUS_PASSWORD_MUST_CHANGE, "changed first"},
        {"nt-C0000234", STATUS_ACCOUNT_LOCKED_OUT, "locked"},
        {"nt-C000005E", SEC_E_NO_AUTHENTICATING_AUTHORITY, "no controller"},
        {"nt-C0000233", SEC_E_NO_AUTHENTICATING_AUTHORITY, "no controller"},
        {"nt-C000018A", SEC_E_NO_AUTHENTICATING_AUTHORITY, "join it again"},
        {"nt-C000018D", SEC_E_NO_AUTHENTICATING_AUTHORITY, "trust"},
        {"nt-C0000022", SEC_E_NO_AUTHENTICATING_AUTHORITY, "winbindd_privileged"},
        {"nt-C00000B5", SEC_E_NO_AUTHENTICATING_AUTHORITY, "in time"},
        {"nt-C0000388", SEC_E_NO_AUTHENTICATING_AUTHORITY, "channel"}, /* so when a controller stalls, too */
        {"nt-C0020017", SEC_E_NO_AUTHENTICATING_AUTHORITY, "call to the controller"},
        {"nt-C0000017", SEC_E_INSUFFICIENT_MEMORY, "memory"},
        {"nt-0", SEC_E_NO_AUTHENTICATING_AUTHORITY, "error 10"},
    };
    struct accounts *accounts = open_one("winbind:", SECONDS);
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        SECURITY_STATUS status = logon_full(accounts, "FAKE", cases[i].user, "Password1!", NULL);
        if (status != cases[i].status || strstr(cause_text(), cases[i].cause) == NULL)
            fail_msg("%s: 0x%08x, %s", cases[i].user, (unsigned)status, cause_text());
    }
    accounts_close(accounts);
}

static wbcErr given_error;
static bool given_bare;

static void answer_bare(const struct wbcAuthUserParams *asked, struct fake_answer *answer)
{
    (void)asked;
    answer->error = given_error;
    answer->no_details = given_bare;
}

/* libwbclient's own errors, and answers without what belongs to them. */
static void test_errors_of_the_library(void **state)
{
    struct accounts *accounts = open_one("winbind:", SECONDS);
    (void)state;
    domain_lock()->logon = answer_bare;
    domain_unlock();
    given_bare = true;
    for (int error = WBC_ERR_NOT_IMPLEMENTED; error <= 20; error++) {
        given_error = (wbcErr)error;
        SECURITY_STATUS status = logon_full(accounts, "FAKE", "alice", "Password1!", NULL);
        assert_int_equal(status,
                         error == WBC_ERR_NO_MEMORY ? SEC_E_INSUFFICIENT_MEMORY : SEC_E_NO_AUTHENTICATING_AUTHORITY);
        const char *cause = error == WBC_ERR_WINBIND_NOT_AVAILABLE ? "winbindd_privileged" : "winbind does not answer";
        assert_true(error == WBC_ERR_NO_MEMORY || strstr(cause_text(), cause) != NULL);
    }
    given_error = WBC_ERR_SUCCESS; /* and nobody in it */
    assert_int_equal(logon_full(accounts, "FAKE", "alice", "Password1!", NULL), SEC_E_INTERNAL_ERROR);
    accounts_close(accounts);
}

static unsigned damage;
#define DAMAGES 11

static void damage_answer(struct fake_answer *answer)
{
    static char bad[] = "\xff\xfe", empty[] = "";
    struct wbcAuthUserInfo *user = &answer->user;
    switch (damage) {
    case 0:
        user->account_name = NULL;
        break;
    case 1:
        user->account_name = empty;
        break;
    case 2:
        user->account_name = bad;
        break;
    case 3:
        user->domain_name = NULL;
        break;
    case 4:
        user->full_name = bad;
        break;
    case 5:
        answer->n_sids = 0;
        break;
    case 6:
        answer->sids[0].sid.sid_rev_num = 2;
        break;
    case 7:
        answer->sids[2].sid.num_auths = 16;
        break;
    case 8:
        for (answer->n_sids = 1; answer->n_sids < 1026; answer->n_sids++) /* 1,025 groups */
            answer->sids[answer->n_sids] =
                (struct wbcSidWithAttr){{1, 5, {0, 0, 0, 0, 0, 5}, {21, 7, 7, 7, 5000 + answer->n_sids}}, 7};
        break;
    case 9:
        user->user_flags = WBC_AUTH_USER_INFO_GUEST;
        break;
    default:
        memset(user->user_session_key, 0, sizeof user->user_session_key);
        break;
    }
}

static void test_damaged_answers(void **state)
{
    struct accounts *accounts = open_one("winbind:", SECONDS);
    (void)state;
    domain_alter = damage_answer;
    for (damage = 0; damage < DAMAGES; damage++) {
        SECURITY_STATUS expected = damage == 9    ? SEC_E_LOGON_DENIED
                                   : damage == 10 ? SEC_E_NO_AUTHENTICATING_AUTHORITY
                                                  : SEC_E_INTERNAL_ERROR;
        SECURITY_STATUS status = logon_full(accounts, "FAKE", "alice", "Password1!", NULL);
        if (status != expected || cause_text()[0] == '\0')
            fail_msg("damage %u: 0x%08x %s", damage, (unsigned)status, cause_text());
    }
    accounts_close(accounts);
}

/* Was the domain asked about this name, and what came of it? `asked` false: local accounts decide, of which HOST\alice is one. */
struct route {
    const char *stores[2], *domain, *user;
    bool asked;
    SECURITY_STATUS status;
};

static void test_which_names_go_to_the_domain(void **state)
{
#define LOCAL_FIRST       \
    {                     \
        "sam", "winbind:" \
    }
#define DOMAIN_FIRST      \
    {                     \
        "winbind:", "sam" \
    }
    static const struct route routes[] = {
        {LOCAL_FIRST, "FAKE", "alice", true, SEC_E_OK},
        {LOCAL_FIRST, "fake", "ALICE", true, SEC_E_OK},
        {LOCAL_FIRST, "fake.test", "alice", true, SEC_E_OK},
        {LOCAL_FIRST, "FRIEND", "alice", true, SEC_E_OK},
        {LOCAL_FIRST, "Friend.Test", "alice", true, SEC_E_OK},
        {LOCAL_FIRST, "OLD", "alice", true, SEC_E_OK},
        {LOCAL_FIRST, "", "alice@fake.test", true, SEC_E_OK},
        {LOCAL_FIRST, "", "alice@FRIEND", true, SEC_E_OK},
        {LOCAL_FIRST, "FAKE", "bob", true, SEC_E_LOGON_DENIED},
        /* EXAMPLE is the local store's own */
        {LOCAL_FIRST, "EXAMPLE", "alice", false, SEC_E_OK},
        {LOCAL_FIRST, "", "alice@example", false, SEC_E_OK},
        /* this computer, by each of its names, and those that nobody knows: not one question */
        {LOCAL_FIRST, "HOST", "alice", false, SEC_E_LOGON_DENIED},
        {LOCAL_FIRST, ".", "alice", false, SEC_E_LOGON_DENIED},
        {LOCAL_FIRST, "", "alice", false, SEC_E_LOGON_DENIED},
        {LOCAL_FIRST, "SERVER", "alice", false, SEC_E_LOGON_DENIED},
        {LOCAL_FIRST, "BUILTIN", "alice", false, SEC_E_LOGON_DENIED},
        {LOCAL_FIRST, "ADMIRER", "alice", false, SEC_E_LOGON_DENIED},
        {LOCAL_FIRST, "admirer.test", "alice", false, SEC_E_LOGON_DENIED},
        {LOCAL_FIRST, "ELSEWHERE", "alice", false, SEC_E_LOGON_DENIED},
        {LOCAL_FIRST, "", "alice@elsewhere", false, SEC_E_LOGON_DENIED},
        {LOCAL_FIRST, "", "alice@", false, SEC_E_LOGON_DENIED},
        {LOCAL_FIRST, "\xff", "alice", false, SEC_E_LOGON_DENIED},
        /* where the domain stands first, names without a domain are its own */
        {DOMAIN_FIRST, "", "alice", true, SEC_E_OK},
        {DOMAIN_FIRST, "", "alice@elsewhere", true, SEC_E_OK},
        {DOMAIN_FIRST, "", "alice@", true, SEC_E_OK},
        {DOMAIN_FIRST, "EXAMPLE", "alice", false, SEC_E_OK},
        {DOMAIN_FIRST, "ELSEWHERE", "alice", false, SEC_E_LOGON_DENIED},
        {DOMAIN_FIRST, ".", "alice", false, SEC_E_LOGON_DENIED},
        {DOMAIN_FIRST, "HOST", "alice", false, SEC_E_LOGON_DENIED},
        /* one domain alone, by either of its names */
        {{"winbind:FRIEND", "sam"}, "FRIEND", "alice", true, SEC_E_OK},
        {{"winbind:FRIEND", "sam"}, "friend.test", "alice", true, SEC_E_OK},
        {{"winbind:friend.TEST", "sam"}, "FRIEND", "alice", true, SEC_E_OK},
        {{"winbind:FRIEND", "sam"}, "FAKE", "alice", false, SEC_E_LOGON_DENIED},
        {{"winbind:FRIEND", "sam"}, "", "alice", false, SEC_E_LOGON_DENIED},
        {{"winbind:FRIEND", "sam"}, "", "alice@friend.test", true, SEC_E_OK},
        {{"winbind:UNLISTED", "sam"}, "unlisted", "alice", true, SEC_E_OK},
        /* a local store before it that knows the domain answers for it */
        {{"sam", "winbind:EXAMPLE"}, "EXAMPLE", "alice", false, SEC_E_OK},
        {{"winbind:EXAMPLE", "sam"}, "EXAMPLE", "alice", true, SEC_E_OK},
    };
    (void)state;
    trusts_put();
    for (size_t i = 0; i < COUNT_OF(routes); i++) {
        const struct route *route = &routes[i];
        struct accounts *accounts = open_stores(route->stores, 2, SECONDS);
        unsigned before = domain_seen.n_logons;
        SECURITY_STATUS status = SEC_E_LOGON_DENIED;
        if (route->domain[0] == (char)0xff) {
            struct ntlm_check check = {.user = route->user,
                                       .domain = route->domain,
                                       .challenge = test_challenge,
                                       .nt_response = slice_of("12345678901234567890123456789012345678901234567", 47)};
            const struct account *account;
            struct key16 key;
            status = account_verify_ntlm(accounts, &check, &account, &key);
        } else
            status = logon_full(accounts, route->domain, route->user, "Password1!", NULL);
        if (status != route->status || (domain_seen.n_logons > before) != route->asked)
            fail_msg("case %zu, %s\\%s: 0x%08x, %sasked, %s", i, route->domain, route->user, (unsigned)status,
                     domain_seen.n_logons > before ? "" : "not ", cause_text());
        accounts_close(accounts);
    }
    struct accounts *accounts = open_one("winbind:", SECONDS); /* nobody else to ask */
    assert_int_equal(logon_full(accounts, "ELSEWHERE", "alice", "Password1!", NULL), SEC_E_LOGON_DENIED);
    accounts_close(accounts);
}

/* A controller that says of somebody else's account that it is the client's. */
static const char *lie_domain, *lie_name;
static struct wbcSidWithAttr lie_sids[4];
static uint32_t n_lie_sids;

static void lie(struct fake_answer *answer)
{
    if (lie_domain != NULL)
        answer->user.domain_name = (char *)(uintptr_t)lie_domain;
    if (lie_name != NULL)
        answer->user.account_name = (char *)(uintptr_t)lie_name;
    for (uint32_t i = 0; i < n_lie_sids; i++)
        answer->sids[i] = lie_sids[i];
    if (n_lie_sids > 1)
        answer->n_sids = n_lie_sids;
}

#define GROUPS_USUAL 7
#define DOMAIN_SID(number, rid)                                                             \
    {                                                                                       \
        {1, 5, {0, 0, 0, 0, 0, 5}, {21, (number), (number), (number), (rid)}}, GROUPS_USUAL \
    }

static void test_lies(void **state)
{
    static const struct wbcSidWithAttr of_fake = DOMAIN_SID(7, 1000), of_friend = DOMAIN_SID(8, 1000),
                                       of_server = DOMAIN_SID(9, 1000), of_nobody = DOMAIN_SID(3, 1000),
                                       builtin = {{1, 2, {0, 0, 0, 0, 0, 5}, {32, 544}}, GROUPS_USUAL},
                                       of_unix = {{1, 2, {0, 0, 0, 0, 0, 22}, {1, 1000}}, GROUPS_USUAL},
                                       everyone = {{1, 1, {0, 0, 0, 0, 0, 1}, {0}}, GROUPS_USUAL};
    static const struct {
        const char *store, *asked, *domain, *name;
        const struct wbcSidWithAttr *sid;
        SECURITY_STATUS status;
    } cases[] = {
        {"winbind:", "FRIEND", NULL, NULL, NULL, SEC_E_OK},
        {"winbind:", "FRIEND", "friend.test", NULL, &of_friend, SEC_E_OK},
        {"winbind:", "", "FRIEND", NULL, &of_friend, SEC_E_OK}, /* a name without a domain may be any's */
        /* another domain's account, by its name, its SID, or both */
        {"winbind:", "FRIEND", "FAKE", NULL, NULL, SEC_E_LOGON_DENIED},
        {"winbind:", "FRIEND", "FAKE", NULL, &of_fake, SEC_E_LOGON_DENIED},
        {"winbind:", "FRIEND", NULL, NULL, &of_fake, SEC_E_LOGON_DENIED},
        {"winbind:", "FRIEND", NULL, NULL, &of_nobody, SEC_E_LOGON_DENIED},
        {"winbind:", "", "FAKE", NULL, &of_friend, SEC_E_LOGON_DENIED},
        {"winbind:", "OLD", NULL, NULL, &of_fake, SEC_E_LOGON_DENIED},
        {"winbind:", "OLD", NULL, NULL, &of_nobody, SEC_E_OK}, /* whose SID is not told, and nobody else's */
        /* this computer's own */
        {"winbind:", "FAKE", "SERVER", NULL, &of_server, SEC_E_LOGON_DENIED},
        {"winbind:", "FAKE", "server", NULL, NULL, SEC_E_LOGON_DENIED},
        {"winbind:", "FAKE", NULL, NULL, &of_server, SEC_E_LOGON_DENIED},
        {"winbind:", "OLD", NULL, NULL, &of_server, SEC_E_LOGON_DENIED},
        {"winbind:", "FAKE", "BUILTIN", NULL, &builtin, SEC_E_LOGON_DENIED},
        {"winbind:", "FAKE", NULL, NULL, &builtin, SEC_E_LOGON_DENIED},
        {"winbind:", "FAKE", "Unix User", NULL, &of_unix, SEC_E_LOGON_DENIED},
        {"winbind:", "OLD", NULL, NULL, &of_unix, SEC_E_LOGON_DENIED},
        {"winbind:", "OLD", NULL, NULL, &everyone, SEC_E_LOGON_DENIED},
        /* a domain that winbind does not list, or none */
        {"winbind:", "FAKE", "EXAMPLE", NULL, NULL, SEC_E_LOGON_DENIED},
        {"winbind:", "FAKE", "ADMIRER", NULL, NULL, SEC_E_LOGON_DENIED},
        {"winbind:", "FAKE", "", NULL, NULL, SEC_E_LOGON_DENIED},
        {"winbind:", "", "EXAMPLE", NULL, &of_nobody, SEC_E_LOGON_DENIED},
        /* the store of one domain */
        {"winbind:FRIEND", "FRIEND", "FAKE", NULL, &of_fake, SEC_E_LOGON_DENIED},
        {"winbind:UNLISTED", "UNLISTED", NULL, NULL, NULL, SEC_E_OK},
        {"winbind:unlisted.test", "unlisted.test", NULL, NULL, NULL, SEC_E_OK},
        {"winbind:UNLISTED", "UNLISTED", "FRIEND", NULL, &of_friend, SEC_E_LOGON_DENIED},
        {"winbind:UNLISTED", "UNLISTED", "OTHER", NULL, NULL, SEC_E_LOGON_DENIED},
        {"winbind:UNLISTED", "UNLISTED", NULL, NULL, &of_fake, SEC_E_LOGON_DENIED},
        {"winbind:UNLISTED", "UNLISTED", NULL, NULL, &of_server, SEC_E_LOGON_DENIED},
        {"winbind:unlisted.test", "unlisted.test", "server", NULL, &of_nobody, SEC_E_LOGON_DENIED},
        {"winbind:unlisted.test", "unlisted.test", "BUILTIN", NULL, &of_nobody, SEC_E_LOGON_DENIED},
        {"winbind:unlisted.test", "unlisted.test", "", NULL, &of_nobody, SEC_E_LOGON_DENIED},
        /* names that are none */
        {"winbind:", "FAKE", NULL, "FAKE\\root", NULL, SEC_E_LOGON_DENIED},
        {"winbind:", "FAKE", NULL, "../root", NULL, SEC_E_LOGON_DENIED},
        {"winbind:", "FAKE", NULL, "ro\not", NULL, SEC_E_LOGON_DENIED},
    };
    (void)state;
    trusts_put();
    domain_alter = lie;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct accounts *accounts = open_one(cases[i].store, SECONDS);
        lie_domain = cases[i].domain;
        lie_name = cases[i].name;
        n_lie_sids = cases[i].sid != NULL ? 1 : 0;
        if (cases[i].sid != NULL)
            lie_sids[0] = *cases[i].sid;
        SECURITY_STATUS status = logon_full(accounts, cases[i].asked, "alice", "Password1!", NULL);
        if (status != cases[i].status || (status != SEC_E_OK && cause_text()[0] == '\0'))
            fail_msg("case %zu, %s: 0x%08x %s", i, cases[i].asked, (unsigned)status, cause_text());
        accounts_close(accounts);
    }
    lie_domain = lie_name = NULL;
    n_lie_sids = 0;
}

/* A store named by DNS, of a domain that winbind does not list: nothing vouches for a NetBIOS name in its answers, so the client's is the store's. */
static void test_names_of_an_unlisted_domain(void **state)
{
    static const char *const said[] = {NULL, "Unix User", "EXAMPLE", "NT AUTHORITY"};
    (void)state;
    trusts_put();
    domain_alter = lie;
    for (size_t i = 0; i < COUNT_OF(said); i++) {
        struct accounts *accounts = open_one("winbind:unlisted.test", SECONDS);
        const struct account *account = NULL;
        lie_domain = said[i];
        SECURITY_STATUS status = logon_full(accounts, "unlisted.test", "alice", "Password1!", &account);
        assert_int_equal(status, SEC_E_OK);
        assert_string_equal(account->domain, "UNLISTED.TEST");
        account_release(account);
        accounts_close(accounts);
    }
    lie_domain = NULL;
}

/* Groups that no domain gives are left out; those of other domains stay, as forests have them. */
static void test_groups_of_this_computer(void **state)
{
    static const struct wbcSidWithAttr given[][4] = {
        {DOMAIN_SID(7, 1000), {{1, 2, {0, 0, 0, 0, 0, 5}, {32, 544}}, 7}, DOMAIN_SID(9, 1001), DOMAIN_SID(8, 2000)},
        {DOMAIN_SID(7, 1000),
         {{1, 2, {0, 0, 0, 0, 0, 22}, {2, 27}}, 7},
         {{1, 1, {0, 0, 0, 0, 0, 5}, {18}}, 7},
         {{1, 1, {0, 0, 0, 0, 0, 18}, {1}}, 7}},
    };
    static const struct sid kept[] = {SID_OF(5, 21, 8, 8, 8, 2000), SID_OF(18, 1)};
    (void)state;
    trusts_put();
    domain_alter = lie;
    n_lie_sids = 4;
    for (size_t i = 0; i < 2; i++) {
        struct accounts *accounts = open_one("winbind:", SECONDS);
        const struct account *account = NULL;
        memcpy(lie_sids, given[i], sizeof lie_sids);
        assert_int_equal(logon_full(accounts, "FAKE", "alice", "Password1!", &account), SEC_E_OK);
        assert_int_equal(account->n_groups, 1);
        assert_true(sid_equal(&account->groups[0].sid, &kept[i]));
        account_release(account);
        accounts_close(accounts);
    }
    n_lie_sids = 0;
}

/* A domain that is trusted no more. */
static void test_lost_trust(void **state)
{
    struct accounts *accounts = open_one("winbind:", SECONDS);
    struct account_host host;
    (void)state;
    trusts_put();
    assert_int_equal(logon_full(accounts, "FRIEND", "alice", "Password1!", NULL), SEC_E_OK);
    domain_lock()->n_trusts = 3;
    domain_unlock();
    winbind_domains_expire();
    assert_int_equal(accounts_host(accounts, false, &host), SEC_E_OK); /* has it asked in the background */
    domain_await_quiet();
    unsigned before = domain_seen.n_logons;
    assert_int_equal(logon_full(accounts, "FRIEND", "alice", "Password1!", NULL), SEC_E_LOGON_DENIED);
    assert_int_equal(logon_full(accounts, "friend.test", "alice", "Password1!", NULL), SEC_E_LOGON_DENIED);
    assert_int_equal(domain_seen.n_logons, before);
    assert_int_equal(logon_full(accounts, "FAKE", "alice", "Password1!", NULL), SEC_E_OK);
    /* And once more. */
    trusts_put();
    winbind_domains_expire();
    assert_int_equal(accounts_host(accounts, false, &host), SEC_E_OK);
    domain_await_quiet();
    assert_int_equal(logon_full(accounts, "FRIEND", "alice", "Password1!", NULL), SEC_E_OK);
    accounts_close(accounts);
}

/* A list that was made before another one, and comes after it. */
static void test_late_list(void **state)
{
    char library[160];
    const struct winbind_domains *domains = NULL;
    (void)state;
    snprintf(library, sizeof library, "%s", domain_library());
    const struct winbind_settings settings = {library, SECONDS}, hasty = {library, 1};
    trusts_put();
    domain_lock()->n_to_hold = 1;
    domain_lock_held()->holds = true;
    domain_unlock();
    assert_int_equal(winbind_domains_get(&hasty, true, &domains), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    assert_int_equal(domain_lock()->n_held, 1); /* FRIEND is in it */
    domain_lock_held()->n_trusts = 3;
    domain_unlock();
    winbind_domains_expire();
    assert_int_equal(winbind_domains_get(&settings, true, &domains), SEC_E_OK);
    assert_null(winbind_domain_find(domains, "FRIEND"));
    winbind_domains_release(domains);
    domain_lock()->holds = false;
    domain_unlock();
    domain_await_quiet();
    assert_int_equal(winbind_domains_get(&settings, true, &domains), SEC_E_OK);
    assert_null(winbind_domain_find(domains, "FRIEND"));
    winbind_domains_release(domains);
}

static void test_names_that_no_store_has(void **state)
{
    struct account_policy policy = {0};
    static const char *const bad[] = {"winbind:A\\B", "winbind: ", "winbind", "winbind:."};
    struct accounts *accounts = NULL;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(accounts_open(&bad[i], 1, "HOST", &policy, &accounts), SEC_E_CANNOT_INSTALL);
    static const char *const good = "winbind:";
    policy.winbind_library =
        TEST_LIBRARIES "/no-such-library.so"; /* opened all the same: local accounts may do without */
    assert_int_equal(accounts_open(&good, 1, "HOST", &policy, &accounts), SEC_E_OK);
    assert_int_equal(logon_full(accounts, "FAKE", "alice", "Password1!", NULL), SEC_E_INTERNAL_ERROR);
    assert_non_null(strstr(cause_text(), "cannot be loaded"));
    accounts_close(accounts);
    policy.winbind_library = TEST_LIBRARIES "/empty_module.so";
    assert_int_equal(accounts_open(&good, 1, "HOST", &policy, &accounts), SEC_E_OK);
    assert_int_equal(logon_full(accounts, "FAKE", "alice", "Password1!", NULL), SEC_E_INTERNAL_ERROR);
    assert_non_null(strstr(cause_text(), "has no function"));
    accounts_close(accounts);
}

/* Which responses a controller gets to see. */
static void test_kinds_of_responses(void **state)
{
    static const uint8_t v1[24] = {1, 2, 3}, lm[24] = {9, 8, 7}, longest[0x10000] = {[16] = 1, [17] = 1};
    struct accounts *accounts = open_one("winbind:", SECONDS);
    uint8_t v2[NTLM_V2_RESPONSE_MIN] = {0}, session_challenge[8];
    struct kind {
        struct slice nt, lm;
        bool extended, allow_v1, allow_lm, asked;
        uint32_t nt_len, lm_len;
    } kinds[] = {
        {slice_of(v2, sizeof v2), slice_of(lm, 24), false, true, true, true, sizeof v2, 0}, /* never both */
        {slice_of(v2, sizeof v2 - 1), slice_of(lm, 24), false, true, true, false, 0, 0},
        {slice_of(v1, 24), slice_of(lm, 24), false, false, false, false, 0, 0},
        {slice_of(v1, 24), slice_of(lm, 24), false, false, true, false, 0, 0},
        {slice_of(v1, 24), slice_of(lm, 24), false, true, false, true, 24, 0},
        {slice_of(v1, 24), slice_of(lm, 24), false, true, true, true, 24, 24},
        {slice_of(v1, 24), slice_of(lm, 24), true, true, true, true, 24, 0},
        {slice_of(v1, 24), slice_of(lm, 23), true, true, true, false, 0, 0},
        {slice_of(NULL, 0), slice_of(lm, 24), false, true, false, false, 0, 0},
        {slice_of(NULL, 0), slice_of(lm, 24), false, true, true, true, 0, 24},
        {slice_of(NULL, 0), slice_of(NULL, 0), false, true, true, false, 0, 0},
        {slice_of(v1, 23), slice_of(NULL, 0), false, true, true, false, 0, 0},
        {slice_of(longest, 0xffff), slice_of(NULL, 0), false, false, false, true, 0xffff, 0},
        {slice_of(longest, 0x10000), slice_of(NULL, 0), false, false, false, false, 0, 0}, /* no message holds it */
    };
    (void)state;
    v2[16] = v2[17] = 1;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        const struct kind *kind = &kinds[i];
        struct ntlm_check check = {.user = "alice",
                                   .domain = "FAKE",
                                   .workstation = NULL,
                                   .challenge = test_challenge,
                                   .nt_response = kind->nt,
                                   .lm_response = kind->lm,
                                   .extended_session_security = kind->extended,
                                   .allow_v1 = kind->allow_v1,
                                   .allow_lm = kind->allow_lm};
        const struct account *account = NULL;
        struct key16 key;
        unsigned before = domain_seen.n_logons;
        domain_seen.nt_len = domain_seen.lm_len = 0;
        if (account_verify_ntlm(accounts, &check, &account, &key) != SEC_E_LOGON_DENIED ||
            domain_seen.n_logons - before != kind->asked || domain_seen.nt_len != kind->nt_len ||
            domain_seen.lm_len != kind->lm_len)
            fail_msg("kind %zu: %u asked, %u and %u bytes", i, domain_seen.n_logons - before, domain_seen.nt_len,
                     domain_seen.lm_len);
        ntlm_v1_session_challenge(test_challenge, lm, session_challenge);
        if (kind->asked)
            assert_memory_equal(domain_seen.challenge, kind->extended ? session_challenge : test_challenge, 8);
    }
    accounts_close(accounts);
}

static void test_long_names(void **state)
{
    char name[257];
    struct accounts *accounts = open_one("winbind:", SECONDS);
    (void)state;
    memset(name, 'n', sizeof name);
    for (size_t len = 254; len <= 256; len++) {
        name[len] = '\0';
        assert_int_equal(logon_full(accounts, "FAKE", name, "Password1!", NULL), SEC_E_LOGON_DENIED);
        assert_int_equal(domain_seen.n_logons, len < 256 ? len - 253 : 2); /* winbind would cut the longer one off */
        name[len] = 'n';
    }
    accounts_close(accounts);
}

static void test_password_change(void **state)
{
    struct accounts *accounts = open_one("winbind:", SECONDS);
    uint8_t old_room[128], new_room[128];
    struct slice old = utf16_of("Password1!", old_room), fresh = utf16_of("Other2?", new_room);
    static const uint8_t half[] = {0, 0xd8};
    (void)state;
    domain_lock()->change = change;
    domain_unlock();
    assert_int_equal(account_change_password(accounts, "alice", "FAKE", old, fresh, NULL), SEC_E_OK);
    assert_int_equal(account_change_password(accounts, "alice", "FAKE", fresh, fresh, NULL), SEC_E_LOGON_DENIED);
    assert_non_null(strstr(cause_text(), "wrong password"));
    cause_clear();
    change_refusal = 0xC000006C;
    assert_int_equal(account_change_password(accounts, "alice", "FAKE", old, fresh, NULL), SEC_E_LOGON_DENIED);
    assert_non_null(strstr(cause_text(), "policy"));
    change_refusal = 0xC0000234;
    assert_int_equal(account_change_password(accounts, "alice", "FAKE", old, fresh, NULL), STATUS_ACCOUNT_LOCKED_OUT);
    assert_int_equal(account_change_password(accounts, "alice", "FAKE", slice_of(half, 2), fresh, NULL),
                     SEC_E_INVALID_TOKEN);
    domain_lock()->change = NULL;
    domain_unlock();
    assert_int_equal(account_change_password(accounts, "alice", "FAKE", old, fresh, NULL),
                     SEC_E_NO_AUTHENTICATING_AUTHORITY);
    change_refusal = 0;
    accounts_close(accounts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_field),
        TEST(test_times),
        TEST(test_refusals),
        TEST(test_errors_of_the_library),
        TEST(test_damaged_answers),
        TEST(test_which_names_go_to_the_domain),
        TEST(test_lies),
        TEST(test_names_of_an_unlisted_domain),
        TEST(test_groups_of_this_computer),
        TEST(test_lost_trust),
        TEST(test_late_list),
        TEST(test_names_that_no_store_has),
        TEST(test_kinds_of_responses),
        TEST(test_long_names),
        TEST(test_password_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
