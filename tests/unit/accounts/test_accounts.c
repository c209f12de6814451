/* Logons against the SQLite store: names and domains, states, lock-out, what is seen from other processes. build: all */
#include "accounts_test.h"

#include "access/client_identity.h"
#include "base/memory.h"
#include "core/cause.h"

#include <limits.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

static void test_names_and_domains(void **state)
{
    (void)state;
    struct account_admin *admin = admin_open();
    account_put(admin, "", "Alice", "one");
    account_put(admin, "CORP", "alice", "two");
    account_put(admin, "", "J\xc3\xbcrgen", "three");
    struct accounts *accounts = stores_open(test_store, 0);
    for (int round = 0; round < 2; round++) { /* cold, then out of the cache */
        assert_int_equal(logon(accounts, "", "alice", "one"), SEC_E_OK);
        assert_int_equal(logon(accounts, "HOST", "ALICE", "one"), SEC_E_OK);
        assert_int_equal(logon(accounts, "host", "Alice", "one"), SEC_E_OK);
        assert_int_equal(logon(accounts, ".", "Alice", "one"), SEC_E_OK);
        assert_int_equal(logon(accounts, "ELSEWHERE", "alice", "one"), SEC_E_OK); /* no store knows that domain */
        assert_int_equal(logon(accounts, "corp", "alice", "two"), SEC_E_OK);
        assert_int_equal(logon(accounts, "", "alice@corp", "two"), SEC_E_OK);
        assert_int_equal(logon(accounts, "", "alice@elsewhere", "one"), SEC_E_OK);
        assert_int_equal(logon(accounts, "", "J\xc3\x9cRGEN", "three"), SEC_E_OK);
        assert_int_equal(logon(accounts, "CORP", "alice", "one"), SEC_E_LOGON_DENIED);
        assert_int_equal(logon(accounts, "CORP", "J\xc3\xbcrgen", "three"),
                         SEC_E_LOGON_DENIED); /* a known domain does not fall back */
        assert_int_equal(logon(accounts, "", "bob", "one"), SEC_E_LOGON_DENIED);
        assert_int_equal(logon(accounts, "", "", "one"), SEC_E_LOGON_DENIED);
        assert_int_equal(logon(accounts, "", "alice", ""), SEC_E_LOGON_DENIED);
        assert_int_equal(logon(accounts, "", "alice@", "one"), SEC_E_OK);
        assert_int_equal(logon(accounts, "x", "alice@corp", "two"), SEC_E_LOGON_DENIED);
    }
    const struct account *account = NULL;
    assert_int_equal(account_find(accounts, "ALICE", NULL, &account), SEC_E_OK);
    assert_string_equal(account->name, "Alice");
    assert_string_equal(account->domain, "HOST");
    account_release(account);
    assert_int_equal(account_find(accounts, "nobody", "", &account), SEC_E_NO_CREDENTIALS);
    accounts_close(accounts);
    account_admin_close(admin);
}

static void test_identity(void **state)
{
    (void)state;
    static struct account_group groups[CLIENT_GROUPS_MAX + 1];
    struct account account = {
        .sid = SID_LITERAL(5, 21, 1, 2, 3, 1001), .groups = groups, .n_groups = 2, .uid = 1000, .gid = -1};
    AUTO_WRITER struct writer written = writer_growing(256), none = writer_growing(256);
    struct client_identity client;
    groups[0] = (struct account_group){.sid = SID_LITERAL(5, 21, 1, 2, 3, 513), .attributes = 7, .gid = 100};
    groups[1] = (struct account_group){.sid = SID_LITERAL(5, 32, 545), .attributes = 5, .gid = -1};
    assert_int_equal(account_identity_write(&account, &written), SEC_E_OK);
    assert_int_equal(client_identity_read(writer_slice_of(&written), &client), WIRE_OK);
    assert_true(sid_equal(&client.user, &account.sid));
    assert_int_equal(client.uid, 1000);
    assert_int_equal(client.gid, -1);
    assert_false(client.anonymous);
    assert_int_equal(client.n_groups, 2);
    assert_true(sid_equal(&client.groups[0].sid, &groups[0].sid));
    assert_int_equal(client.groups[0].attributes, 7);
    assert_int_equal(client.groups[0].gid, 100);
    assert_true(sid_equal(&client.groups[1].sid, &groups[1].sid));
    assert_int_equal(client.groups[1].attributes, 5);
    client_identity_release(&client);
    /* As many as a token holds, and one more: nobody gets a token from which a group is missing. */
    for (size_t i = 0; i < CLIENT_GROUPS_MAX + 1; i++)
        groups[i].sid = SID_LITERAL(5, 21, 1, 2, 3, (uint32_t)(2000 + i));
    account.n_groups = CLIENT_GROUPS_MAX;
    assert_int_equal(account_identity_write(&account, &none), SEC_E_OK);
    none.len = 0;
    account.n_groups = CLIENT_GROUPS_MAX + 1;
    assert_int_equal(account_identity_write(&account, &none), SEC_E_LOGON_DENIED);
    assert_non_null(strstr(cause_text(), "1025 groups"));
    assert_int_equal(none.len, 0);
}

static void test_states(void **state)
{
    (void)state;
    struct account_admin *admin = admin_open();
    account_put(admin, "", "bob", "pw");
    struct accounts *accounts = stores_open(test_store, 0);
    assert_int_equal(logon(accounts, "", "bob", "pw"), SEC_E_OK);
    assert_int_equal(account_admin_disable(admin, "BOB", ""), SEC_E_OK);
    assert_int_equal(logon(accounts, "", "bob", "pw"), STATUS_ACCOUNT_DISABLED);
    assert_int_equal(logon(accounts, "", "bob", "no"), SEC_E_LOGON_DENIED);
    assert_int_equal(account_admin_enable(admin, "BOB", ""), SEC_E_OK);
    assert_int_equal(logon(accounts, "", "bob", "pw"), SEC_E_OK);
    struct account_change change = {.fields = CHANGE_EXPIRES, .expires = filetime_now() - 1};
    assert_int_equal(account_admin_change(admin, "bob", "", &change), SEC_E_OK);
    assert_int_equal(logon(accounts, "", "bob", "pw"), STATUS_ACCOUNT_EXPIRED);
    change.expires = FILETIME_NEVER;
    change.fields |= CHANGE_FLAGS;
    change.set_flags = ACCOUNT_MUST_CHANGE;
    assert_int_equal(account_admin_change(admin, "bob", "", &change), SEC_E_OK);
    assert_int_equal(logon(accounts, "", "bob", "pw"), STATUS_PASSWORD_MUST_CHANGE);
    assert_int_equal(logon(accounts, "", "bob", "no"), SEC_E_LOGON_DENIED);
    change = (struct account_change){
        .fields = CHANGE_FLAGS, .clear_flags = ACCOUNT_MUST_CHANGE, .set_flags = ACCOUNT_LOCKED};
    assert_int_equal(account_admin_change(admin, "bob", "", &change), SEC_E_OK);
    assert_int_equal(logon(accounts, "", "bob", "pw"), STATUS_ACCOUNT_LOCKED_OUT);
    assert_int_equal(logon(accounts, "", "bob", "no"), SEC_E_LOGON_DENIED);
    struct account_spec spec = {.name = "empty", .domain = "", .expires = FILETIME_NEVER, .uid = -1, .gid = -1};
    assert_int_equal(account_admin_add(admin, &spec), SEC_E_OK);
    assert_int_equal(logon(accounts, "", "empty", ""), SEC_E_LOGON_DENIED);
    assert_int_equal(account_admin_remove(admin, "bob", ""), SEC_E_OK);
    assert_int_equal(logon(accounts, "", "bob", "pw"), SEC_E_LOGON_DENIED);
    accounts_close(accounts);
    account_admin_close(admin);
}

static void test_password_expired(void **state)
{
    (void)state;
    static const char text[] =
        "opensspi-accounts 1\naccount\tbob\t\t\t8CC19B6A8CFEAC299C2871C86B38DE28\t\t\t1\t2\t\t\t\n";
    struct account_admin *admin = admin_open();
    struct account_file *file = NULL;
    struct import_counts counts;
    assert_int_equal(account_file_parse(ACCOUNT_FILE_OWN, slice_of_text(text), "test", &file), SEC_E_OK);
    assert_int_equal(account_admin_import(admin, file, "", false, &counts), SEC_E_OK);
    struct accounts *accounts = stores_open(test_store, 0);
    assert_int_equal(logon(accounts, "", "bob", "pw"), STATUS_PASSWORD_EXPIRED);
    assert_int_equal(logon(accounts, "", "bob", "no"), SEC_E_LOGON_DENIED);
    uint8_t old_room[128], new_room[128];
    assert_int_equal(
        account_change_password(accounts, "bob", "", utf16_of("pw", old_room), utf16_of("new", new_room), NULL),
        SEC_E_OK);
    assert_int_equal(logon(accounts, "", "bob", "new"), SEC_E_OK);
    account_file_release(file);
    accounts_close(accounts);
    account_admin_close(admin);
}

static void test_password_expires_set(void **state)
{
    (void)state;
    uint8_t old_room[128], new_room[128];
    struct account_admin *admin = admin_open();
    account_put(admin, "", "bob", "pw");
    struct accounts *accounts = stores_open(test_store, 0);
    struct account_change change = {.fields = CHANGE_PASSWORD_EXPIRES,
                                    .password_expires = filetime_now() + FILETIME_SECOND * 1000};
    assert_int_equal(account_admin_change(admin, "bob", "", &change), SEC_E_OK);
    assert_int_equal(logon(accounts, "", "bob", "pw"), SEC_E_OK);
    change.password_expires = filetime_now() - 1;
    assert_int_equal(account_admin_change(admin, "bob", "", &change), SEC_E_OK);
    change = (struct account_change){.fields = CHANGE_UID, .uid = 5}; /* leaves it alone */
    assert_int_equal(account_admin_change(admin, "bob", "", &change), SEC_E_OK);
    assert_int_equal(logon(accounts, "", "bob", "pw"), STATUS_PASSWORD_EXPIRED);
    assert_int_equal(
        account_change_password(accounts, "bob", "", utf16_of("pw", old_room), utf16_of("new", new_room), NULL),
        SEC_E_OK);
    assert_int_equal(logon(accounts, "", "bob", "new"), SEC_E_OK);
    struct store_record record = {0};
    assert_int_equal(account_admin_show(admin, "bob", "", &record), SEC_E_OK);
    assert_true(record.account->password_expires == FILETIME_NEVER);
    store_record_wipe(&record);
    accounts_close(accounts);
    account_admin_close(admin);
}

/* Whoever runs the server reads a cause, which is the same for all. */
static void said(struct accounts *accounts, const char *user, const char *password)
{
    char cause[256];
    cause_clear();
    assert_int_equal(logon(accounts, "", "nobody", "no"), SEC_E_LOGON_DENIED);
    snprintf(cause, sizeof(cause), "%s", cause_text());
    assert_non_null(strstr(cause, "wrong"));
    cause_clear();
    assert_int_equal(logon(accounts, "", user, password), SEC_E_LOGON_DENIED);
    assert_string_equal(cause_text(), cause);
}

static void test_lockout(void **state)
{
    (void)state;
    struct account_admin *admin = admin_open();
    account_put(admin, "", "eve", "pw");
    struct accounts *accounts = stores_open(test_store, 3);
    int64_t now = filetime_from_unix(1700000000);
    filetime_fix(now);
    said(accounts, "eve", "no");
    assert_int_equal(logon(accounts, "", "eve", "pw"), SEC_E_OK);
    for (int round = 0; round < 3; round++) { /* a right password resets the count */
        assert_int_equal(logon(accounts, "", "eve", "no"), SEC_E_LOGON_DENIED);
        assert_int_equal(logon(accounts, "", "eve", "no"), SEC_E_LOGON_DENIED);
        assert_int_equal(logon(accounts, "", "eve", "pw"), SEC_E_OK);
    }
    assert_int_equal(logon(accounts, "", "eve", "no"), SEC_E_LOGON_DENIED);
    assert_int_equal(logon(accounts, "", "EVE", "no"), SEC_E_LOGON_DENIED);
    filetime_fix(now + 301 * FILETIME_SECOND); /* older than reset_seconds: forgotten */
    assert_int_equal(logon(accounts, "", "eve", "no"), SEC_E_LOGON_DENIED);
    assert_int_equal(logon(accounts, "", "eve", "no"), SEC_E_LOGON_DENIED);
    assert_int_equal(logon(accounts, "HOST", "eve", "no"), SEC_E_LOGON_DENIED); /* the third */
    assert_int_equal(logon(accounts, "", "eve", "pw"), STATUS_ACCOUNT_LOCKED_OUT);
    assert_int_equal(logon(accounts, "", "eve", "no"), SEC_E_LOGON_DENIED); /* as to an unknown name */
    said(accounts, "eve", "no");
    accounts_close(accounts);
    accounts = stores_open(test_store, 3); /* survives a restart */
    assert_int_equal(logon(accounts, "", "eve", "pw"), STATUS_ACCOUNT_LOCKED_OUT);
    filetime_fix(now + (301 + 599) * FILETIME_SECOND);
    assert_int_equal(logon(accounts, "", "eve", "pw"), STATUS_ACCOUNT_LOCKED_OUT);
    filetime_fix(now + (301 + 600) * FILETIME_SECOND);
    assert_int_equal(logon(accounts, "", "eve", "no"), SEC_E_LOGON_DENIED); /* over: counting starts anew */
    assert_int_equal(logon(accounts, "", "eve", "pw"), SEC_E_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(logon(accounts, "", "eve", "no"), SEC_E_LOGON_DENIED);
    assert_int_equal(logon(accounts, "", "eve", "pw"), STATUS_ACCOUNT_LOCKED_OUT);
    assert_int_equal(account_admin_enable(admin, "eve", ""), SEC_E_OK);
    assert_int_equal(logon(accounts, "", "eve", "pw"), SEC_E_OK);
    accounts_close(accounts);
    account_admin_close(admin);
}

/* A lock-out answers for as many guesses as led to it, and for no more; they do not make it longer. */
static void test_guesses_during_lockout(void **state)
{
    (void)state;
    struct account_admin *admin = admin_open();
    account_put(admin, "", "eve", "pw");
    struct accounts *accounts = stores_open(test_store, 3);
    int64_t now = filetime_from_unix(1700000000);
    filetime_fix(now);
    for (int i = 0; i < 3; i++)
        assert_int_equal(logon(accounts, "", "eve", "no"), SEC_E_LOGON_DENIED);
    filetime_fix(now + 599 * FILETIME_SECOND);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(logon(accounts, "", "eve", "pw"), STATUS_ACCOUNT_LOCKED_OUT);
        assert_int_equal(logon(accounts, "", "eve", "no"), SEC_E_LOGON_DENIED);
    }
    assert_int_equal(logon(accounts, "", "eve", "pw"), SEC_E_LOGON_DENIED);
    filetime_fix(now + 600 * FILETIME_SECOND);
    assert_int_equal(logon(accounts, "", "eve", "pw"), SEC_E_OK);
    /* An administrator's lock alone does not say more to a guesser either. */
    struct account_change lock = {.fields = CHANGE_FLAGS, .set_flags = ACCOUNT_LOCKED};
    assert_int_equal(account_admin_change(admin, "eve", "", &lock), SEC_E_OK);
    for (int i = 0; i < 6; i++)
        assert_int_equal(logon(accounts, "", "eve", "no"), SEC_E_LOGON_DENIED);
    assert_int_equal(logon(accounts, "", "eve", "pw"), SEC_E_LOGON_DENIED);
    struct store_record record = {0};
    assert_int_equal(account_admin_show(admin, "eve", "", &record), SEC_E_OK);
    assert_int_equal(record.lockout.failures, 6);
    assert_true(lockout_holds(&record.lockout, filetime_now()));
    store_record_wipe(&record);
    assert_int_equal(account_admin_enable(admin, "eve", ""), SEC_E_OK);
    assert_int_equal(logon(accounts, "", "eve", "pw"), SEC_E_OK);
    accounts_close(accounts);
    account_admin_close(admin);
}

/* Failures and unknown names leave the database and what is cached of it alone: their time would tell, and they would slow the others. */
static void test_denials_do_not_write(void **state)
{
    (void)state;
    struct stat before, after;
    char name[16];
    struct account_admin *admin = admin_open();
    account_put(admin, "", "bob", "pw");
    account_admin_close(admin);
    struct accounts *accounts = stores_open(test_store, 1000);
    assert_int_equal(logon(accounts, "", "bob", "pw"), SEC_E_OK);
    assert_int_equal(stat(test_database, &before), 0);
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "x%d", i);
        assert_int_equal(logon(accounts, "", i % 2 == 0 ? name : "bob", "no"), SEC_E_LOGON_DENIED);
    }
    assert_int_equal(stat(test_database, &after), 0);
    assert_int_equal(before.st_ctim.tv_sec, after.st_ctim.tv_sec);
    assert_int_equal(before.st_ctim.tv_nsec, after.st_ctim.tv_nsec);
    /* Still out of the cache: nothing is allocated for it, but for the client's key. */
    mem_fault_set(1000000, false);
    assert_int_equal(logon(accounts, "", "bob", "pw"), SEC_E_OK);
    unsigned long used = mem_fault_count();
    mem_fault_set(0, false);
    assert_int_equal(used, 1);
    accounts_close(accounts);
}

/* What a wrong password costs: how often the process asked for memory, and how much it read and wrote, in calls and in bytes. */
struct denial_cost {
    unsigned long allocations;
    unsigned long long read_bytes, written_bytes, reads, writes;
};

static struct denial_cost process_io(void)
{
    struct denial_cost io = {0};
    FILE *file = fopen("/proc/self/io", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "rchar: %llu wchar: %llu syscr: %llu syscw: %llu", &io.read_bytes, &io.written_bytes,
                            &io.reads, &io.writes),
                     4);
    fclose(file);
    return io;
}

static struct denial_cost denial_cost(struct accounts *accounts, const char *user)
{
    assert_int_equal(logon(accounts, "", user, "no"), SEC_E_LOGON_DENIED); /* fills what is filled once */
    /* Twice, for what reading the counters itself reads. */
    struct denial_cost from = process_io(), idle = process_io();
    mem_fault_set(ULONG_MAX, false);
    assert_int_equal(logon(accounts, "", user, "no"), SEC_E_LOGON_DENIED);
    unsigned long allocations = mem_fault_count();
    mem_fault_set(0, false);
    struct denial_cost to = process_io();
    return (struct denial_cost){
        .allocations = allocations,
        .read_bytes = to.read_bytes - idle.read_bytes - (idle.read_bytes - from.read_bytes),
        .written_bytes = to.written_bytes - idle.written_bytes,
        .reads = to.reads - idle.reads - (idle.reads - from.reads),
        .writes = to.writes - idle.writes,
    };
}

/* A search or a write that one of them is spared would tell which accounts exist, by the time it takes. Counted, as a clock on a busy machine tells
 * anything. */
static void test_denials_do_the_same_work(void **state)
{
    (void)state;
    char sam[112], sam_store[128];
    const char *preload = getenv("LD_PRELOAD");
    bool valgrind = preload != NULL && strstr(preload, "vgpreload") != NULL;
    struct account_admin *admin = admin_open();
    account_put(admin, "", "bob", "pw");
    account_admin_close(admin);
    snprintf(sam, sizeof(sam), "%s/sam", test_directory);
    snprintf(sam_store, sizeof(sam_store), "sam:%s", sam);
    file_put(sam, "carol:::8CC19B6A8CFEAC299C2871C86B38DE28:::\n", 0600);
    usleep(150000); /* a young file is read again and again */
    const char *const orders[][2] = {{test_store, sam_store}, {sam_store, test_store}, {sam_store, sam_store}};
    struct account_policy policy = {.lockout_threshold = 3, .lockout_seconds = 600, .reset_seconds = 600};
    for (int i = 0; i < 3; i++) {
        struct accounts *accounts = NULL;
        assert_int_equal(accounts_open(orders[i], 2, "HOST", &policy, &accounts), SEC_E_OK);
        struct denial_cost unknown = denial_cost(accounts, "nobody");
        for (int who = 0; who < 2; who++) {
            struct denial_cost known = denial_cost(accounts, who == 0 ? "carol" : "bob");
            if (!valgrind) { /* which reads files of its own in between, and hands its one turn on by a byte in a pipe */
                assert_int_equal(known.reads, unknown.reads);
                assert_int_equal(known.read_bytes, unknown.read_bytes);
                assert_int_equal(known.writes, unknown.writes);
                assert_int_equal(known.written_bytes, unknown.written_bytes);
            }
            assert_in_range(known.allocations + 2, unknown.allocations,
                            unknown.allocations + 4); /* a name's copy more or less */
        }
        accounts_close(accounts);
    }
}

struct guesses {
    struct accounts *accounts;
    unsigned n_right, n_locked, n_denied;
    bool right;
};

static void *thread_guesses(void *argument)
{
    struct guesses *guesses = argument;
    for (int i = 0; i < 50; i++) {
        SECURITY_STATUS status = logon(guesses->accounts, "", "eve", guesses->right ? "pw" : "no");
        guesses->n_right += status == SEC_E_OK;
        guesses->n_locked += status == STATUS_ACCOUNT_LOCKED_OUT;
        guesses->n_denied += status == SEC_E_LOGON_DENIED;
    }
    return NULL;
}

/* Guesses at once: each is counted, and good logons at once lock nobody out. */
static void test_guesses_at_once(void **state)
{
    (void)state;
    struct account_admin *admin = admin_open();
    account_put(admin, "", "eve", "pw");
    struct accounts *accounts = stores_open(test_store, 3);
    for (int right = 1; right >= 0; right--) {
        pthread_t threads[8];
        struct guesses guesses[8];
        for (int i = 0; i < 8; i++) {
            guesses[i] = (struct guesses){.accounts = accounts, .right = right == 1};
            assert_int_equal(pthread_create(&threads[i], NULL, thread_guesses, &guesses[i]), 0);
        }
        for (int i = 0; i < 8; i++) {
            assert_int_equal(pthread_join(threads[i], NULL), 0);
            assert_int_equal(right == 1 ? guesses[i].n_right : guesses[i].n_denied, 50);
        }
    }
    struct store_record record = {0};
    assert_int_equal(account_admin_show(admin, "eve", "", &record), SEC_E_OK);
    assert_int_equal(record.lockout.failures, 400);
    store_record_wipe(&record);
    assert_int_equal(logon(accounts, "", "eve", "pw"), SEC_E_LOGON_DENIED);
    accounts_close(accounts);
    account_admin_close(admin);
}

static void test_refused_kinds_do_not_count(void **state)
{
    (void)state;
    static const uint8_t v1[24];
    struct account_admin *admin = admin_open();
    account_put(admin, "", "eve", "pw");
    struct accounts *accounts = stores_open(test_store, 2);
    const struct account *account = NULL;
    struct key16 base;
    struct ntlm_check check = {.user = "eve",
                               .domain = "",
                               .challenge = test_challenge,
                               .nt_response = slice_of(v1, sizeof(v1)),
                               .lm_response = slice_of(v1, sizeof(v1))};
    for (int i = 0; i < 5; i++)
        assert_int_equal(account_verify_ntlm(accounts, &check, &account, &base), SEC_E_LOGON_DENIED);
    assert_int_equal(logon(accounts, "", "eve", "pw"), SEC_E_OK);
    check.allow_v1 = true;
    for (int i = 0; i < 2; i++)
        assert_int_equal(account_verify_ntlm(accounts, &check, &account, &base), SEC_E_LOGON_DENIED);
    assert_int_equal(logon(accounts, "", "eve", "pw"), STATUS_ACCOUNT_LOCKED_OUT);
    accounts_close(accounts);
    account_admin_close(admin);
}

/* Who computes with DES where OpenSSL has none may be right: no guess. Before all other tests: what OpenSSL gave once is kept. */
static void test_without_des(void **state)
{
    (void)state;
    static const uint8_t response[24];
    struct account_admin *admin = admin_open();
    account_put(admin, "", "eve", "pw");
    struct accounts *accounts = stores_open(test_store, 2);
    const struct account *account = NULL;
    struct key16 base;
    struct ntlm_check check = {.user = "eve",
                               .domain = "",
                               .challenge = test_challenge,
                               .nt_response = slice_of(response, sizeof response),
                               .allow_v1 = true};
    for (int i = 0; i < 5; i++) {
        assert_int_equal(EVP_set_default_properties(NULL, "fips=yes"), 1); /* and no provider that has it */
        SECURITY_STATUS status = account_verify_ntlm(accounts, &check, &account, &base);
        assert_int_equal(EVP_set_default_properties(NULL, ""), 1);
        assert_int_equal(status, SEC_E_INTERNAL_ERROR);
    }
    assert_int_equal(logon(accounts, "", "eve", "pw"), SEC_E_OK);
    accounts_close(accounts);
    account_admin_close(admin);
}

static void test_change_password(void **state)
{
    (void)state;
    uint8_t old_room[128], new_room[128];
    struct account_admin *admin = admin_open();
    account_put(admin, "", "bob", "old");
    struct account_change change = {.fields = CHANGE_FLAGS, .set_flags = ACCOUNT_MUST_CHANGE};
    assert_int_equal(account_admin_change(admin, "bob", "", &change), SEC_E_OK);
    struct accounts *accounts = stores_open(test_store, 3);
    struct slice old_password = utf16_of("old", old_room), new_password = utf16_of("new", new_room);
    assert_int_equal(account_change_password(accounts, "bob", "", new_password, new_password, NULL),
                     SEC_E_LOGON_DENIED);
    assert_int_equal(account_change_password(accounts, "nobody", "", old_password, new_password, NULL),
                     SEC_E_LOGON_DENIED);
    assert_int_equal(account_change_password(accounts, "bob", "", old_password, slice_of(NULL, 0), NULL),
                     SEC_E_INVALID_PARAMETER);
    assert_int_equal(account_change_password(accounts, "bob", "", old_password, slice_of(new_room, 3), NULL),
                     SEC_E_INVALID_PARAMETER);
    assert_int_equal(logon(accounts, "", "bob", "old"), STATUS_PASSWORD_MUST_CHANGE);
    assert_int_equal(account_change_password(accounts, "bob", "", old_password, new_password, NULL), SEC_E_OK);
    assert_int_equal(logon(accounts, "", "bob", "new"), SEC_E_OK);
    assert_int_equal(logon(accounts, "", "bob", "old"), SEC_E_LOGON_DENIED);
    for (int i = 0; i < 2; i++)
        assert_int_equal(account_change_password(accounts, "bob", "", old_password, new_password, NULL),
                         SEC_E_LOGON_DENIED);
    assert_int_equal(account_change_password(accounts, "bob", "", new_password, old_password, NULL),
                     STATUS_ACCOUNT_LOCKED_OUT);
    accounts_close(accounts);
    account_admin_close(admin);
}

static void test_groups(void **state)
{
    (void)state;
    struct account_admin *admin = admin_open();
    account_put(admin, "", "bob", "pw");
    struct group_spec staff = {.name = "Staff", .gid = 50}, more = {.name = "More", .gid = -1};
    assert_int_equal(group_admin_add(admin, &staff), SEC_E_OK);
    assert_int_equal(group_admin_add(admin, &more), SEC_E_OK);
    cause_clear();
    assert_int_equal(group_admin_add(admin, &staff), SEC_E_INVALID_PARAMETER);
    assert_int_equal(group_admin_join(admin, "STAFF", "bob", ""), SEC_E_OK);
    assert_int_equal(group_admin_join(admin, "staff", "bob", ""), SEC_E_OK);
    assert_int_equal(group_admin_join(admin, "more", "bob", ""), SEC_E_OK);
    assert_int_equal(group_admin_join(admin, "none", "bob", ""), SEC_E_NO_CREDENTIALS);
    assert_int_equal(group_admin_join(admin, "more", "none", ""), SEC_E_NO_CREDENTIALS);
    struct accounts *accounts = stores_open(test_store, 0);
    const struct account *account = NULL;
    assert_int_equal(logon_full(accounts, "", "bob", "pw", &account), SEC_E_OK);
    assert_int_equal(account->n_groups, 2);
    assert_string_equal(account->groups[0].name, "Staff");
    assert_int_equal(account->groups[0].gid, 50);
    assert_int_equal(account->groups[0].attributes, 7);
    assert_int_equal(account->sid.subauthority[4], 1000);
    assert_int_equal(account->groups[0].sid.subauthority[4], 1001);
    assert_int_equal(account->groups[1].sid.subauthority[4], 1002);
    assert_memory_equal(account->sid.subauthority, account->groups[0].sid.subauthority, 16);
    assert_int_equal(group_admin_leave(admin, "staff", "bob", ""), SEC_E_OK);
    assert_int_equal(group_admin_leave(admin, "staff", "bob", ""), SEC_E_NO_CREDENTIALS);
    assert_int_equal(group_admin_remove(admin, "more"), SEC_E_OK);
    assert_int_equal(group_admin_remove(admin, "more"), SEC_E_NO_CREDENTIALS);
    account_release(account);
    assert_int_equal(account_find(accounts, "bob", "", &account), SEC_E_OK);
    assert_int_equal(account->n_groups, 0);
    account_release(account);
    accounts_close(accounts);
    account_admin_close(admin);
}

static void in_child(void (*run)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        run();
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void child_sets_password(void)
{
    uint8_t room[128];
    struct account_admin *admin = NULL;
    if (account_admin_open(test_database, false, &admin) != SEC_E_OK ||
        account_admin_passwd(admin, "bob", "", utf16_of("two", room), false) != SEC_E_OK)
        _exit(1);
    account_admin_close(admin);
}

static void child_replaces_file(void)
{
    uint8_t room[128];
    struct account_admin *admin = NULL;
    struct key16 hash;
    char fresh[128];
    snprintf(fresh, sizeof(fresh), "%s.new", test_database);
    ntlm_nt_hash(utf16_of("three", room), &hash);
    struct account_spec spec = {
        .name = "bob", .domain = "", .nt_hash = &hash, .expires = FILETIME_NEVER, .uid = -1, .gid = -1};
    if (account_admin_open(fresh, true, &admin) != SEC_E_OK || account_admin_add(admin, &spec) != SEC_E_OK)
        _exit(1);
    account_admin_close(admin);
    if (rename(fresh, test_database) != 0)
        _exit(1);
}

static struct accounts *inherited;

static void child_logs_on(void)
{
    /* An inherited connection must not be used; the child makes its own, and counts a failure with it. */
    if (logon(inherited, "", "bob", "three") != SEC_E_OK || logon(inherited, "", "bob", "no") != SEC_E_LOGON_DENIED)
        _exit(1);
    accounts_close(inherited);
}

static void test_other_processes(void **state)
{
    (void)state;
    struct account_admin *admin = admin_open();
    account_put(admin, "", "bob", "one");
    account_admin_close(admin);
    struct accounts *accounts = stores_open(test_store, 3);
    assert_int_equal(logon(accounts, "", "bob", "one"), SEC_E_OK);
    in_child(child_sets_password);
    assert_int_equal(logon(accounts, "", "bob", "one"), SEC_E_LOGON_DENIED);
    assert_int_equal(logon(accounts, "", "bob", "two"), SEC_E_OK);
    in_child(child_replaces_file);
    assert_int_equal(logon(accounts, "", "bob", "two"), SEC_E_LOGON_DENIED);
    assert_int_equal(logon(accounts, "", "bob", "three"), SEC_E_OK);
    inherited = accounts;
    in_child(child_logs_on);
    assert_int_equal(logon(accounts, "", "bob", "no"), SEC_E_LOGON_DENIED);
    assert_int_equal(logon(accounts, "", "bob", "no"), SEC_E_LOGON_DENIED); /* two here, one there: three */
    assert_int_equal(logon(accounts, "", "bob", "three"), STATUS_ACCOUNT_LOCKED_OUT);
    assert_int_equal(unlink(test_database), 0);
    assert_int_equal(logon(accounts, "", "bob", "three"), SEC_E_LOGON_DENIED);
    accounts_close(accounts);
}

static void test_appears_later(void **state)
{
    (void)state;
    struct accounts *accounts = stores_open(test_store, 3);
    assert_int_equal(logon(accounts, "", "bob", "one"), SEC_E_LOGON_DENIED);
    struct account_admin *admin = admin_open();
    assert_int_equal(logon(accounts, "", "bob", "one"), SEC_E_LOGON_DENIED);
    account_put(admin, "", "bob", "one");
    assert_int_equal(logon(accounts, "", "bob", "one"), SEC_E_OK);
    accounts_close(accounts);
    account_admin_close(admin);
}

static void test_shared_and_ordered(void **state)
{
    (void)state;
    char sam[112], sam_store[128];
    struct account_admin *admin = admin_open();
    account_put(admin, "", "bob", "one");
    snprintf(sam, sizeof(sam), "%s/sam", test_directory);
    snprintf(sam_store, sizeof(sam_store), "sam:%s", sam);
    /* MD4 of "pw" */
    file_put(sam, "bob:::8CC19B6A8CFEAC299C2871C86B38DE28:::\ncarol:FAR::8CC19B6A8CFEAC299C2871C86B38DE28:::\n", 0600);
    const char *names[] = {test_store, sam_store};
    struct account_policy policy = {0};
    struct accounts *first = NULL, *second = NULL, *other = NULL;
    assert_int_equal(accounts_open(names, 2, "HOST", &policy, &first), SEC_E_OK);
    assert_int_equal(accounts_open(names, 2, "HOST", &policy, &second), SEC_E_OK);
    assert_ptr_equal(first, second);
    accounts_close(second);
    policy.lockout_threshold = 1;
    assert_int_equal(accounts_open(names, 2, "HOST", &policy, &other), SEC_E_OK);
    assert_ptr_not_equal(first, other);
    assert_int_equal(logon(first, "", "bob", "one"), SEC_E_OK);
    assert_int_equal(logon(first, "", "bob", "pw"), SEC_E_LOGON_DENIED); /* the first store answers for bob */
    assert_int_equal(logon(first, "far", "carol", "pw"), SEC_E_OK);
    assert_int_equal(logon(first, "far", "bob", "one"), SEC_E_LOGON_DENIED); /* the second store knows FAR */
    const char *sam_first[] = {sam_store, test_store};
    struct accounts *turned = NULL;
    assert_int_equal(accounts_open(sam_first, 2, "HOST", &policy, &turned), SEC_E_OK);
    file_put(sam, "nonsense\n", 0600);
    assert_int_equal(logon(first, "far", "carol", "pw"), SEC_E_INTERNAL_ERROR);
    assert_non_null(strstr(cause_text(), "line 1"));
    accounts_close(first);
    accounts_close(other);
    assert_int_equal(logon(turned, "", "bob", "one"), SEC_E_INTERNAL_ERROR); /* the first may know another bob */
    accounts_close(turned);
    cause_clear();
    const char *unknown[] = {"ldap:/tmp/x"}, *empty[] = {"sqlite:"};
    assert_int_equal(accounts_open(unknown, 1, "HOST", &policy, &first), SEC_E_CANNOT_INSTALL);
    assert_int_equal(accounts_open(empty, 1, "HOST", &policy, &first), SEC_E_CANNOT_INSTALL);
    account_admin_close(admin);
}

static void *thread_logs_on(void *argument)
{
    struct accounts *accounts = argument;
    for (int i = 0; i < 300; i++) {
        SECURITY_STATUS status = logon(accounts, "", i % 3 == 0 ? "bob" : "alice", "pw");
        if (status != SEC_E_OK)
            return accounts;
        if (i % 50 == 7 && logon(accounts, "", "alice", "no") != SEC_E_LOGON_DENIED)
            return accounts;
    }
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    pthread_t threads[4];
    struct account_admin *admin = admin_open();
    account_put(admin, "", "bob", "pw");
    account_put(admin, "", "alice", "pw");
    struct accounts *accounts = stores_open(test_store, 1000);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, thread_logs_on, accounts), 0);
    for (int i = 0; i < 20; i++) {
        struct account_change change = {.fields = CHANGE_UID, .uid = i};
        assert_int_equal(account_admin_change(admin, "bob", "", &change), SEC_E_OK);
        usleep(2000);
    }
    for (int i = 0; i < 4; i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    const struct account *account = NULL;
    assert_int_equal(account_find(accounts, "bob", "", &account), SEC_E_OK);
    assert_int_equal(account->uid, 19);
    account_release(account);
    accounts_close(accounts);
    account_admin_close(admin);
}

static SECURITY_STATUS sweep_once(const char *const *names, const char *password)
{
    struct account_policy policy = {.lockout_threshold = 1000, .lockout_seconds = 1, .reset_seconds = 1};
    struct accounts *accounts = NULL;
    const struct account *account = NULL;
    struct key16 base, hash;
    struct hmac_md5_key key;
    uint8_t room[128], response[NTLM_V2_RESPONSE_MIN] = {0};
    ntlm_nt_hash(utf16_of(password, room), &hash);
    SECURITY_STATUS status = SEC_E_INSUFFICIENT_MEMORY;
    if (ntlm_v2_key(&hash, "bob", "FAR", &key) != WIRE_OK)
        return status;
    ntlm_v2_proof(&key, test_challenge, slice_of(response + 16, sizeof(response) - 16), response);
    struct ntlm_check check = {.user = "bob",
                               .domain = "FAR",
                               .challenge = test_challenge,
                               .nt_response = slice_of(response, sizeof(response))};
    status = accounts_open(names, 2, "HOST", &policy, &accounts);
    if (status == SEC_E_OK)
        status = account_verify_ntlm(accounts, &check, &account, &base);
    accounts_close(accounts);
    account_release(account);
    return status;
}

/* Each allocation fails once: no crash, no leak, nobody let in or turned away for it. */
static void test_no_memory(void **state)
{
    (void)state;
    char sam[112], sam_store[128];
    struct account_admin *admin = admin_open();
    account_put(admin, "", "ann", "one");
    account_admin_close(admin);
    snprintf(sam, sizeof(sam), "%s/sam", test_directory);
    snprintf(sam_store, sizeof(sam_store), "sam:%s", sam);
    file_put(sam, "bob:FAR::8CC19B6A8CFEAC299C2871C86B38DE28:::\n", 0600); /* MD4 of "pw" */
    const char *names[] = {test_store, sam_store};
    for (int wrong = 0; wrong < 2; wrong++) {
        const char *password = wrong ? "no" : "pw";
        SECURITY_STATUS expected = wrong ? SEC_E_LOGON_DENIED : SEC_E_OK, status = SEC_E_INSUFFICIENT_MEMORY;
        unsigned long n = 1;
        for (; n < 1000; n++) {
            cause_clear();
            mem_fault_set(n, false);
            status = cause_answer(sweep_once(names, password));
            unsigned long used = mem_fault_count();
            mem_fault_set(0, false);
            if (used < n)
                break;
            if (status != SEC_E_INSUFFICIENT_MEMORY && status != expected)
                fail_msg("allocation %lu: 0x%08x %s", n, (unsigned)status, cause_text());
        }
        assert_true(n > 20 && n < 1000);
        assert_int_equal(status, expected);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, directory_make, directory_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_without_des),
        TEST(test_names_and_domains),
        TEST(test_identity),
        TEST(test_states),
        TEST(test_password_expired),
        TEST(test_password_expires_set),
        TEST(test_lockout),
        TEST(test_guesses_during_lockout),
        TEST(test_denials_do_not_write),
        TEST(test_denials_do_the_same_work),
        TEST(test_guesses_at_once),
        TEST(test_refused_kinds_do_not_count),
        TEST(test_change_password),
        TEST(test_groups),
        TEST(test_other_processes),
        TEST(test_appears_later),
        TEST(test_shared_and_ordered),
        TEST(test_threads),
        TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
