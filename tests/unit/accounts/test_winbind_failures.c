/*
 * A winbind that is dead, slow, mad or busy, and memory that runs out: the store that asks a domain fails as it says, and local accounts do not
 * notice.
 * build: all
 */
#include "winbind_test.h"

#include <stdatomic.h>
#include <unistd.h>

#define STEPS_MAX 2000

/* Waits out the moment in which a failure is not asked about again. */
static SECURITY_STATUS logon_when_known(struct accounts *accounts)
{
    SECURITY_STATUS status = SEC_E_NO_AUTHENTICATING_AUTHORITY;
    for (int i = 0; i < 60 && status == SEC_E_NO_AUTHENTICATING_AUTHORITY; i++) {
        status = logon_full(accounts, "FAKE", "alice", "Password1!", NULL);
        if (status == SEC_E_NO_AUTHENTICATING_AUTHORITY)
            sleep(1);
    }
    return status;
}

static void test_dead_winbind(void **state)
{
    static const char *const stores[] = {"sam", "winbind:"};
    struct accounts *accounts = open_stores(stores, 2, SECONDS);
    struct account_host host;
    (void)state;
    domain_lock()->details_error = WBC_ERR_WINBIND_NOT_AVAILABLE;
    domain_unlock();
    assert_int_equal(accounts_host(accounts, true, &host), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(logon_full(accounts, "FAKE", "alice", "Password1!", NULL), SEC_E_NO_AUTHENTICATING_AUTHORITY);
        assert_non_null(strstr(cause_text(), "is winbindd running"));
        /* whose domain cannot be known is not taken for somebody of this computer */
        assert_int_equal(logon_full(accounts, "ELSEWHERE", "alice", "Password1!", NULL),
                         SEC_E_NO_AUTHENTICATING_AUTHORITY);
        assert_int_equal(logon_full(accounts, "EXAMPLE", "alice", "Password1!", NULL), SEC_E_OK);
        assert_int_equal(logon_full(accounts, "HOST", "nobody", "Password1!", NULL), SEC_E_LOGON_DENIED);
    }
    domain_lock()->details_error = WBC_ERR_SUCCESS;
    assert_int_equal(domain_lock_held()->n_details, 1); /* one question was enough to know */
    domain_unlock();
    assert_int_equal(logon_when_known(accounts), SEC_E_OK);
    /* What was known stays known. */
    domain_lock()->details_error = WBC_ERR_WINBIND_NOT_AVAILABLE;
    domain_unlock();
    assert_int_equal(logon_full(accounts, "ELSEWHERE", "alice", "Password1!", NULL), SEC_E_LOGON_DENIED);
    assert_int_equal(accounts_host(accounts, false, &host), SEC_E_OK);
    assert_string_equal(host.domain, "FAKE");
    domain_lock()->logon = NULL;
    domain_unlock();
    assert_int_equal(logon_full(accounts, "FAKE", "alice", "Password1!", NULL), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    assert_non_null(strstr(cause_text(), "is winbindd running"));
    domain_lock()->details_error =
        WBC_ERR_SUCCESS; /* it answers, but not this: libwbclient found no privileged socket */
    domain_unlock();
    assert_int_equal(logon_full(accounts, "FAKE", "alice", "Password1!", NULL), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    assert_non_null(strstr(cause_text(), "winbindd_privileged"));
    accounts_close(accounts);
}

static void test_strange_details(void **state)
{
    struct accounts *accounts;
    char empty[] = "", bad[] = "\xff", long_name[400] = "", good[] = "GOOD";
    memset(long_name, 'L', sizeof long_name - 1);
    struct wbcInterfaceDetails strange[] = {
        {.netbios_name = empty, .netbios_domain = good},
        {.netbios_name = good, .netbios_domain = empty},
        {.netbios_name = good, .netbios_domain = NULL},
        {.netbios_name = bad, .netbios_domain = good},
        {.netbios_name = good, .netbios_domain = good, .dns_domain = bad},
    };
    (void)state;
    for (size_t i = 0; i <= COUNT_OF(strange); i++) {
        struct account_host host;
        (void)domain_begin();
        accounts = open_one("winbind:", SECONDS);
        domain_lock()->no_details = i == COUNT_OF(strange);
        if (i < COUNT_OF(strange))
            domain_lock_held()->details = strange[i];
        domain_unlock();
        assert_int_equal(accounts_host(accounts, true, &host), SEC_E_INTERNAL_ERROR);
        assert_int_equal(logon_full(accounts, "GOOD", "alice", "Password1!", NULL), SEC_E_INTERNAL_ERROR);
        accounts_close(accounts);
    }
    for (int i = 0; i < 4; i++) {
        struct account_host host;
        (void)domain_begin();
        accounts = open_one("winbind:", SECONDS);
        struct fake_wbclient *fake = domain_lock();
        if (i == 0)
            fake->n_trusts = SIZE_MAX;
        else if (i == 1)
            fake->trusts_error = WBC_ERR_INVALID_RESPONSE;
        else if (i == 2)
            fake->trusts_error = WBC_ERR_DOMAIN_NOT_FOUND; /* no trusts at all is fine */
        else
            fake->details = (struct wbcInterfaceDetails){.netbios_name = good, .netbios_domain = long_name};
        domain_unlock();
        SECURITY_STATUS expected = i == 0   ? SEC_E_INTERNAL_ERROR
                                   : i == 1 ? SEC_E_NO_AUTHENTICATING_AUTHORITY
                                            : SEC_E_OK;
        assert_int_equal(accounts_host(accounts, true, &host), expected);
        if (i == 3)
            assert_string_equal(host.domain, ""); /* no room: better none than half of one */
        accounts_close(accounts);
    }
}

static void *local_logon(void *accounts)
{
    return (void *)(uintptr_t)logon_full(accounts, "EXAMPLE", "alice", "Password1!", NULL);
}

static void test_hanging_winbind(void **state)
{
    static const char *const stores[] = {"sam", "winbind:"};
    struct accounts *accounts = open_stores(stores, 2, 1);
    struct account_host host;
    pthread_t thread;
    void *answer;
    (void)state;
    domain_hang(true);
    /* While one waits for it, local accounts do not. */
    assert_int_equal(accounts_host(accounts, false, &host), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    domain_await_hanging(1);
    for (int i = 0; i < 10; i++) /* one asks for all */
        assert_int_equal(accounts_host(accounts, false, &host), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    assert_int_equal(late_abandoned(LATE_WINBIND), 1);
    assert_int_equal(pthread_create(&thread, NULL, local_logon, accounts), 0);
    assert_int_equal(pthread_join(thread, &answer), 0);
    assert_int_equal((uintptr_t)answer, SEC_E_OK);
    assert_int_equal(logon_full(accounts, "FAKE", "alice", "Password1!", NULL), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    assert_non_null(strstr(cause_text(), "winbind_seconds"));
    domain_hang(false);
    domain_await_quiet();
    assert_int_equal(logon_when_known(accounts), SEC_E_OK);
    /* The same in the middle of a logon; the answer that comes too late does no harm. */
    domain_hang(true);
    assert_int_equal(logon_full(accounts, "FAKE", "alice", "Password1!", NULL), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    assert_int_equal(late_abandoned(LATE_WINBIND), 1);
    domain_hang(false);
    domain_await_quiet();
    assert_int_equal(logon_full(accounts, "FAKE", "alice", "Password1!", NULL), SEC_E_OK);
    accounts_close(accounts);
}

static pthread_mutex_t hang_lock = PTHREAD_MUTEX_INITIALIZER;

static SECURITY_STATUS hang_run(void *data)
{
    (void)data;
    pthread_mutex_lock(&hang_lock);
    pthread_mutex_unlock(&hang_lock);
    return SEC_E_OK;
}

static void hang_free(void *data)
{
    (void)data;
}

/* So many that hang, and nothing more is asked. */
static void test_bound_on_hanging(void **state)
{
    char library[160];
    snprintf(library, sizeof library, "%s", domain_library());
    const struct winbind_settings settings = {library, 60};
    const struct winbind_domains *domains = NULL;
    (void)state;
    pthread_mutex_lock(&hang_lock);
    for (unsigned i = 0; i < LATE_ABANDONED_MAX; i++) {
        static const struct late_work work = {hang_run, hang_free};
        SECURITY_STATUS status;
        void *data = NULL;
        assert_int_equal(late_run(LATE_WINBIND, &work, &data, 0, &status), LATE_OVER);
    }
    assert_int_equal(winbind_domains_get(&settings, true, &domains), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    assert_non_null(strstr(cause_text(), "still waiting"));
    cause_clear();
    assert_int_equal(winbind_trust_check(&settings), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    pthread_mutex_unlock(&hang_lock);
    domain_await_quiet();
    assert_int_equal(winbind_trust_check(&settings), SEC_E_OK);
}

#define THREADS 8
#define LOGONS 20

static void *logons(void *accounts)
{
    for (uintptr_t i = 0; i < LOGONS; i++) {
        bool right = i % 2 == 0;
        SECURITY_STATUS status = logon_full(accounts, "FAKE", "alice", right ? "Password1!" : "wrong", NULL);
        if (status != (right ? SEC_E_OK : SEC_E_LOGON_DENIED))
            return (void *)(i + 1);
    }
    return NULL;
}

static void test_connections(void **state)
{
    struct accounts *accounts = open_one("winbind:", SECONDS);
    pthread_t threads[THREADS];
    (void)state;
    assert_null(logons(accounts));
    assert_int_equal(domain_lock()->n_created, 1); /* one after the other needs one */
    domain_unlock();
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, logons, accounts), 0);
    for (int i = 0; i < THREADS; i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    unsigned n_created = domain_lock()->n_created;
    domain_unlock();
    assert_in_range(n_created, 1, THREADS);
    /* A child asks over connections of its own. */
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        SECURITY_STATUS status = logon_full(accounts, "FAKE", "alice", "Password1!", NULL);
        _exit(status == SEC_E_OK && domain_lock()->n_created == n_created + 1 && domain_lock_held()->n_contexts == 1
                  ? 0
                  : 1);
    }
    int ended;
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
    assert_int_equal(logon_full(accounts, "FAKE", "alice", "Password1!", NULL), SEC_E_OK);
    accounts_close(accounts);
}

static void test_trust_check(void **state)
{
    struct accounts *accounts = open_one("winbind:", SECONDS);
    (void)state;
    assert_int_equal(accounts_check_trust(accounts), SEC_E_OK);
    assert_int_equal(domain_lock()->n_trust_checks, 1);
    domain_unlock();
    domain_lock()->trust_check_error = WBC_ERR_AUTH_ERROR;
    domain_unlock();
    assert_int_equal(accounts_check_trust(accounts), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    assert_non_null(strstr(cause_text(), "NT_STATUS_ACCESS_DENIED"));
    cause_clear();
    domain_lock()->trust_check_error = WBC_ERR_WINBIND_NOT_AVAILABLE;
    domain_unlock();
    assert_int_equal(accounts_check_trust(accounts), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    assert_non_null(strstr(cause_text(), "winbindd_privileged"));
    cause_clear();
    domain_lock()->details_error = WBC_ERR_WINBIND_NOT_AVAILABLE;
    domain_unlock();
    assert_int_equal(accounts_check_trust(accounts), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    assert_non_null(strstr(cause_text(), "is winbindd running"));
    accounts_close(accounts);
    accounts = open_one(sam_store, SECONDS);
    assert_int_equal(accounts_check_trust(accounts), SEC_E_NO_CREDENTIALS);
    accounts_close(accounts);
}

/* Memory runs out at every place, once and for good. */
static void test_no_memory(void **state)
{
    static const char *const stores[] = {"sam", "winbind:"};
    unsigned long n_steps = 1;
    uint8_t old_room[128], new_room[128];
    struct slice old = utf16_of("Password1!", old_room), fresh = utf16_of("Other2?", new_room);
    (void)state;
    trusts_put();
    domain_lock()->change = change;
    domain_unlock();
    for (int sticky = 0; sticky < 2; sticky++)
        for (n_steps = 1; n_steps < STEPS_MAX; n_steps++) {
            const struct account *account = NULL;
            struct key16 key;
            struct accounts *accounts = open_stores(stores, 2, SECONDS);
            struct ntlm_check check = {.user = "nt-C0000234",
                                       .domain = "friend.test",
                                       .workstation = "WS",
                                       .challenge = test_challenge,
                                       .nt_response = slice_of("12345678901234567890123456789012345678901234567", 47)};
            cause_clear();
            mem_fault_set(n_steps, sticky == 1);
            SECURITY_STATUS status = cause_answer(account_verify_ntlm(accounts, &check, &account, &key));
            SECURITY_STATUS changed =
                cause_answer(account_change_password(accounts, "alice", "FAKE", old, fresh, NULL));
            unsigned long n_allocated = mem_fault_count();
            mem_fault_set(0, false);
            assert_null(account);
            if ((status != STATUS_ACCOUNT_LOCKED_OUT && status != SEC_E_INSUFFICIENT_MEMORY) ||
                (changed != SEC_E_OK && changed != SEC_E_INSUFFICIENT_MEMORY))
                fail_msg("allocation %lu: 0x%08x, 0x%08x %s", n_steps, (unsigned)status, (unsigned)changed,
                         cause_text());
            accounts_close(accounts);
            if (n_allocated < n_steps) {
                assert_int_equal(status, STATUS_ACCOUNT_LOCKED_OUT);
                assert_int_equal(changed, SEC_E_OK);
                break;
            }
        }
    assert_in_range(n_steps, 10, STEPS_MAX - 1);
}

static atomic_bool expiring;

static void *expire_always(void *unused)
{
    while (atomic_load(&expiring))
        winbind_domains_expire();
    return unused;
}

static unsigned details_asked(void)
{
    unsigned n_details = domain_lock()->n_details;
    domain_unlock();
    return n_details;
}

/* Whoever finds what is known old again the moment it came leaves the next question to others, and no note that he asks. */
static void test_old_at_once(void **state)
{
    char names[100][300];
    pthread_t thread;
    (void)state;
    atomic_store(&expiring, true);
    assert_int_equal(pthread_create(&thread, NULL, expire_always, NULL), 0);
    for (size_t i = 0; i < COUNT_OF(names); i++) { /* each spelling of the library's name is known by itself */
        const struct winbind_domains *domains = NULL;
        size_t len = 0;
        for (size_t n = 0; n < i; n++)
            names[i][len++] = '/';
        snprintf(names[i] + len, sizeof names[i] - len, "%s", domain_library());
        const struct winbind_settings settings = {names[i], SECONDS};
        assert_int_equal(winbind_domains_get(&settings, true, &domains), SEC_E_OK);
        winbind_domains_release(domains);
    }
    atomic_store(&expiring, false);
    assert_int_equal(pthread_join(thread, NULL), 0);
    winbind_domains_expire();
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct winbind_domains *domains = NULL;
        const struct winbind_settings settings = {names[i], SECONDS};
        unsigned before = details_asked();
        assert_int_equal(winbind_domains_get(&settings, false, &domains), SEC_E_OK);
        winbind_domains_release(domains);
        for (int wait = 0; wait < 5000 && details_asked() == before; wait++)
            usleep(1000);
        assert_true(details_asked() > before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_dead_winbind), TEST(test_strange_details), TEST(test_hanging_winbind), TEST(test_bound_on_hanging),
        TEST(test_connections),  TEST(test_trust_check),     TEST(test_no_memory),       TEST(test_old_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
