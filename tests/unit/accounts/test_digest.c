/*
 * Digest hashes in the account database: written when a password is set and the configuration names realms, gone when it is set in another way, and
 * asked for by name or by its hash.
 */
#include <stddef.h>
#include <stdint.h>

#include "accounts_test.h"

#include "base/memory.h"
#include <sqlite3.h>

static const char *const realm_names[] = {"realm", "other"};
static const struct digest_realms realms = {realm_names, 2, "HERE"};

static struct accounts *here_open(void)
{
    static const struct account_policy policy = {.lockout_threshold = 3, .lockout_seconds = 60, .reset_seconds = 60};
    const char *const names[] = {test_store};
    struct accounts *accounts = NULL;
    assert_int_equal(accounts_open(names, 1, "HERE", &policy, &accounts), SEC_E_OK);
    return accounts;
}

static bool recorded; /* what the store is told of the next responses */

static bool response_is_new(void *context)
{
    ++*(unsigned *)context;
    return !recorded;
}

/* A response of RFC 7616 with fixed nonces, measured by the store. */
static SECURITY_STATUS respond(struct accounts *accounts, const char *username, const char *realm, const char *password,
                               enum digest_form form, bool hashed)
{
    const char *backslash = strchr(username, '\\');
    char domain[32] = "", hex[DIGEST_HEX_MAX];
    uint8_t secret[DIGEST_LEN_MAX], given[DIGEST_LEN_MAX], user_hash[DIGEST_LEN_MAX];
    enum digest_algorithm algorithm = digest_form_algorithm(form);
    const struct account *account = NULL;
    unsigned n_asked = 0;
    if (backslash != NULL)
        snprintf(domain, sizeof(domain), "%.*s", (int)(backslash - username), username);
    assert_true(
        digest_form_secret(form, slice_of_text(username), slice_of_text(realm), slice_of_text(password), secret));
    const struct slice named[] = {slice_of_text(username), slice_of_text(":"), slice_of_text(realm)};
    assert_true(digest_hash(algorithm, named, 3, user_hash));
    const struct digest_response_input input = {.algorithm = algorithm,
                                                .nonce = slice_of_text("n"),
                                                .nc = slice_of_text("00000001"),
                                                .cnonce = slice_of_text("c"),
                                                .qop = slice_of_text("auth"),
                                                .method = slice_of_text("GET"),
                                                .uri = slice_of_text("/")};
    assert_true(digest_response(&input, secret, hex));
    const struct digest_check check = {
        .user = backslash != NULL ? backslash + 1 : username,
        .domain = domain,
        .username = username,
        .user_hash = slice_of(user_hash, hashed ? digest_len(algorithm) : 0),
        .realm = realm,
        .form = form,
        .variant = DIGEST_PLAIN,
        .input = &input,
        .response = slice_of_text(hex),
        .is_new = response_is_new,
        .context = &n_asked,
    };
    SECURITY_STATUS status = account_verify_digest(accounts, &check, &account, given);
    assert_int_equal(n_asked, status == SEC_E_OK ? 1 : 0);
    if (status == SEC_E_OK) {
        assert_memory_equal(given, secret, digest_len(algorithm));
        assert_string_equal(account->domain, "HERE");
    }
    account_release(account);
    return status;
}

static SECURITY_STATUS realm_count(void *context, const char *realm)
{
    assert_true(strcmp(realm, "realm") == 0 || strcmp(realm, "other") == 0);
    ++*(unsigned *)context;
    return SEC_E_OK;
}

static unsigned realms_of(struct account_admin *admin, const char *name)
{
    AUTO_RECORD struct store_record record = {0};
    unsigned n = 0;
    assert_int_equal(account_admin_show(admin, name, "", &record), SEC_E_OK);
    assert_int_equal(account_admin_digest_realms(admin, &record.account->sid, realm_count, &n), SEC_E_OK);
    return n;
}

static void account_add(struct account_admin *admin, const char *name, const char *password)
{
    uint8_t room[128];
    AUTO_KEY16 struct key16 hash;
    struct slice utf16 = utf16_of(password, room);
    ntlm_nt_hash(utf16, &hash);
    const struct account_spec spec = {.name = name,
                                      .domain = "",
                                      .nt_hash = &hash,
                                      .password = utf16,
                                      .expires = FILETIME_NEVER,
                                      .uid = -1,
                                      .gid = -1};
    assert_int_equal(account_admin_add(admin, &spec), SEC_E_OK);
}

/* A realm that the configuration names twice has its hashes once; what ran into itself would leave the password unchanged. */
static void test_realm_named_twice(void **state)
{
    static const char *const twice[] = {"realm", "other", "realm", "realm"};
    static const struct digest_realms repeated = {twice, 4, "HERE"};
    uint8_t room[128];
    (void)state;
    struct account_admin *admin = admin_open();
    account_admin_digest(admin, &repeated);
    account_add(admin, "twice", "pw");
    assert_int_equal(realms_of(admin, "twice"), 2);
    assert_int_equal(account_admin_passwd(admin, "twice", "", utf16_of("two", room), false), SEC_E_OK);
    struct accounts *accounts = here_open();
    assert_int_equal(respond(accounts, "twice", "realm", "two", DIGEST_FORM_SHA256, false), SEC_E_OK);
    accounts_close(accounts);
    account_admin_close(admin);
}

/* Beside a domain's store accounts without a domain are this computer's, and so are their hashes. */
static void test_of_a_domain_member(void **state)
{
    char winbind[] = "winbind:";
    struct config member = {.computer = (char *)(uintptr_t) "HERE",
                            .domain = (char *)(uintptr_t) "CORP",
                            .stores = {.item = {test_store, winbind}, .n_items = 2},
                            .digest_realms = {.item = {(char *)(uintptr_t) "realm"}, .n_items = 1}};
    (void)state;
    for (int alone = 0; alone < 2; alone++) {
        char name[] = "member0";
        name[6] = (char)('0' + alone);
        member.stores.n_items = alone ? 1 : 2;
        const struct digest_realms made = digest_realms_configured(&member);
        assert_string_equal(made.default_domain, alone ? "CORP" : "HERE");
        if (alone)
            continue;
        struct account_admin *admin = admin_open();
        struct accounts *accounts = NULL;
        account_admin_digest(admin, &made);
        account_add(admin, name, "pw");
        assert_int_equal(accounts_open_configured(&member, &accounts), SEC_E_OK);
        assert_int_equal(respond(accounts, "member0", "realm", "pw", DIGEST_FORM_SHA256, false), SEC_E_OK);
        assert_int_equal(respond(accounts, "HERE\\member0", "realm", "pw", DIGEST_FORM_SHA256, false), SEC_E_OK);
        assert_true(respond(accounts, "CORP\\member0", "realm", "pw", DIGEST_FORM_SHA256, false) <
                    0); /* the domain's */
        accounts_close(accounts);
        account_admin_close(admin);
    }
}

/* What is no UTF-8 is hashed as it stands: nothing of it is left out. */
static void test_no_text_in_latin1(void **state)
{
    const struct slice user = slice_of_text("alice"), password = slice_of_text("pw");
    static const char *const realms_of_bytes[] = {"a\200b", "a\301b", "a\303", "a\303b", "a\302\300"};
    uint8_t latin1[DIGEST_LEN_MAX], plain[DIGEST_LEN_MAX];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(realms_of_bytes); i++) {
        const struct slice realm = slice_of_text(realms_of_bytes[i]);
        assert_true(digest_form_secret(DIGEST_FORM_MD5_LATIN1, user, realm, password, latin1));
        assert_true(digest_secret(DIGEST_MD5, user, realm, password, plain));
        assert_memory_equal(latin1, plain, 16);
    }
}

static void test_written_when_set(void **state)
{
    uint8_t room[128], new_room[128];
    (void)state;
    struct account_admin *admin = admin_open();
    account_add(admin, "plain", "pw"); /* no realms: no hashes */
    assert_int_equal(realms_of(admin, "plain"), 0);
    account_admin_digest(admin, &realms);
    account_add(admin, "bob", "pw");
    assert_int_equal(realms_of(admin, "bob"), 2);
    struct accounts *accounts = here_open();
    for (int form = DIGEST_FORM_MD5; form <= DIGEST_FORMS; form++)
        for (int hashed = 0; hashed < 2; hashed++) {
            assert_int_equal(respond(accounts, "bob", "realm", "pw", (enum digest_form)form, hashed != 0), SEC_E_OK);
            assert_int_equal(respond(accounts, "HERE\\bob", "other", "pw", (enum digest_form)form, hashed != 0),
                             SEC_E_OK);
        }
    assert_int_equal(respond(accounts, "Bob", "realm", "pw", DIGEST_FORM_MD5, false), SEC_E_LOGON_DENIED);
    assert_int_equal(respond(accounts, "bob", "third", "pw", DIGEST_FORM_MD5, false), SEC_E_LOGON_DENIED);
    assert_int_equal(respond(accounts, "plain", "realm", "pw", DIGEST_FORM_MD5, false), SEC_E_LOGON_DENIED);
    assert_int_equal(account_admin_passwd(admin, "bob", "", utf16_of("two", room), false), SEC_E_OK);
    assert_int_equal(respond(accounts, "bob", "realm", "pw", DIGEST_FORM_SHA256, false), SEC_E_LOGON_DENIED);
    assert_int_equal(respond(accounts, "bob", "realm", "two", DIGEST_FORM_SHA256, false), SEC_E_OK);
    assert_int_equal(
        account_change_password(accounts, "bob", "", utf16_of("two", room), utf16_of("three", new_room), &realms),
        SEC_E_OK);
    assert_int_equal(respond(accounts, "bob", "realm", "two", DIGEST_FORM_SHA256, false), SEC_E_LOGON_DENIED);
    assert_int_equal(respond(accounts, "HERE\\bob", "realm", "three", DIGEST_FORM_SHA256, false), SEC_E_OK);
    accounts_close(accounts);
    account_admin_close(admin);
}

/* No hash of a former password stays, however the password was set. */
static void test_none_left_behind(void **state)
{
    static const char *const texts[] = {
        "opensspi-accounts 1\naccount\tbob\t\t\t8CC19B6A8CFEAC299C2871C86B38DE28\t\t\t1\t\t\t\t\n",  /* "pw" */
        "opensspi-accounts 1\naccount\tbob\t\t\tFC525C9683E8FE067095BA2DDC971889\t\t\t1\t\t\t\t\n"}; /* another */
    struct account_file *file = NULL;
    struct import_counts counts;
    uint8_t room[128], new_room[128];
    (void)state;
    struct account_admin *admin = admin_open();
    account_admin_digest(admin, &realms);
    account_add(admin, "bob", "pw");
    struct accounts *accounts = here_open();
    for (int other = 0; other < 2; other++) {
        assert_int_equal(account_file_parse(ACCOUNT_FILE_OWN, slice_of_text(texts[other]), "test", &file), SEC_E_OK);
        assert_int_equal(account_admin_import(admin, file, "", true, &counts), SEC_E_OK);
        account_file_release(file);
        assert_int_equal(realms_of(admin, "bob"), other ? 0 : 2);
    }
    assert_int_equal(account_admin_passwd(admin, "bob", "", utf16_of("pw", room), false), SEC_E_OK);
    assert_int_equal(realms_of(admin, "bob"), 2);
    assert_int_equal(
        account_change_password(accounts, "bob", "", utf16_of("pw", room), utf16_of("new", new_room), NULL), SEC_E_OK);
    assert_int_equal(realms_of(admin, "bob"), 0);
    assert_int_equal(account_admin_passwd(admin, "bob", "", utf16_of("pw", room), false), SEC_E_OK);
    account_admin_digest(admin, NULL); /* realms are taken out of the configuration: the next password leaves none */
    assert_int_equal(account_admin_passwd(admin, "bob", "", utf16_of("pw", room), false), SEC_E_OK);
    assert_int_equal(realms_of(admin, "bob"), 0);
    account_admin_digest(admin, &realms);
    assert_int_equal(account_admin_passwd(admin, "bob", "", utf16_of("pw", room), false), SEC_E_OK);
    assert_int_equal(account_admin_remove(admin, "bob", ""), SEC_E_OK);
    assert_int_equal(respond(accounts, "bob", "realm", "pw", DIGEST_FORM_MD5, true), SEC_E_LOGON_DENIED);
    accounts_close(accounts);
    account_admin_close(admin);
}

static void test_lockout(void **state)
{
    (void)state;
    struct account_admin *admin = admin_open();
    account_admin_digest(admin, &realms);
    account_add(admin, "bob", "pw");
    struct accounts *accounts = here_open();
    for (int i = 0; i < 3; i++)
        assert_int_equal(respond(accounts, "bob", "realm", "no", DIGEST_FORM_MD5, i == 1), SEC_E_LOGON_DENIED);
    assert_int_equal(respond(accounts, "bob", "realm", "pw", DIGEST_FORM_MD5, false), STATUS_ACCOUNT_LOCKED_OUT);
    assert_int_equal(account_admin_enable(admin, "bob", ""), SEC_E_OK);
    assert_int_equal(respond(accounts, "bob", "realm", "pw", DIGEST_FORM_MD5, false), SEC_E_OK);
    accounts_close(accounts);
    account_admin_close(admin);
}

/* Memory runs out while a password is set: it stays as it was, or it is the new one with all its hashes. */
static void test_no_memory(void **state)
{
    static const char *const passwords[] = {"one", "two"};
    uint8_t room[128];
    unsigned long n = 1;
    unsigned now = 0, n_failed = 0;
    (void)state;
    struct account_admin *admin = admin_open();
    account_admin_digest(admin, &realms);
    account_add(admin, "bob", passwords[now]);
    struct accounts *accounts = here_open();
    for (bool struck = true; struck; n++) {
        struct slice password = utf16_of(passwords[1 - now], room);
        assert_true(n < 1000);
        cause_clear();
        mem_fault_set(n, false);
        SECURITY_STATUS status = cause_answer(account_admin_passwd(admin, "bob", "", password, false));
        struck = mem_fault_count() >= n;
        mem_fault_set(0, false);
        if (status == SEC_E_OK)
            now = 1 - now;
        else
            assert_int_equal(status, SEC_E_INSUFFICIENT_MEMORY);
        n_failed += status != SEC_E_OK ? 1u : 0u;
        assert_int_equal(realms_of(admin, "bob"), 2);
        assert_int_equal(respond(accounts, "bob", "realm", passwords[now], DIGEST_FORM_SHA256, false), SEC_E_OK);
    }
    assert_true(n_failed > 3);
    accounts_close(accounts);
    account_admin_close(admin);
}

static void exec_sql(const char *text)
{
    sqlite3 *handle = NULL;
    assert_int_equal(sqlite3_open(test_database, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(handle);
}

#define TRIGGERS_DROP                                                                       \
    "DROP TRIGGER account_gone; DROP TRIGGER account_new; DROP TRIGGER account_renumbered;" \
    "DROP TRIGGER group_gone; DROP TRIGGER group_new; DROP TRIGGER group_renumbered;"

/* What the first row of the query says. */
static int number_of(const char *query)
{
    sqlite3 *handle = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(test_database, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(handle, query, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int number = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(handle);
    return number;
}

/* An account with hashes and a group, before each of what somebody does by hand with a program that minds no foreign keys. */
static void bob_put(void)
{
    struct account_admin *admin = admin_open();
    account_admin_digest(admin, &realms);
    account_add(admin, "bob", "pw");
    assert_int_equal(group_admin_add(admin, &(struct group_spec){.name = "staff", .gid = -1}), SEC_E_OK);
    assert_int_equal(group_admin_join(admin, "staff", "bob", ""), SEC_E_OK);
    assert_int_equal(realms_of(admin, "bob"), 2);
    account_admin_close(admin);
    assert_int_equal(number_of("SELECT count(*) FROM digest"), 16);
    assert_int_equal(number_of("SELECT count(*) FROM member"), 1);
}

#define COPY "name, name_key, domain, domain_key, full_name, "
#define REST "nt_hash, flags, expires, password_set, password_expires, uid, gid"

static void test_by_hand(void **state)
{
    static const struct {
        const char *change;
        bool keeps_hashes;
    } cases[] = {
        {"DELETE FROM account", false},
        {"INSERT OR REPLACE INTO account SELECT * FROM account", false},
        {"UPDATE account SET id = id + 1", false},
        {"UPDATE account SET id = id + 1; INSERT INTO account (id, " COPY "sid, " REST
         ") SELECT id - 1, name, 'EVE', domain, domain_key, full_name, 'S-1-5-21-1-2-3-4', " REST " FROM account",
         false},
        {"DELETE FROM account_group", true},
        {"INSERT OR REPLACE INTO account_group SELECT * FROM account_group", true},
        {"UPDATE account_group SET id = id + 1", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bob_put();
        exec_sql(cases[i].change);
        assert_int_equal(number_of("SELECT count(*) FROM digest"), cases[i].keeps_hashes ? 16 : 0);
        assert_int_equal(number_of("SELECT count(*) FROM member"), 0);
        assert_int_equal(unlink(test_database), 0);
    }
}

/* Rows that the second version left behind are gone when it is brought up to date, and those of living accounts stay. */
static void test_second_version(void **state)
{
    (void)state;
    bob_put();
    exec_sql(TRIGGERS_DROP "PRAGMA user_version = 2;"
                           "INSERT INTO digest SELECT 77, realm, username, form, hash, user_hash FROM digest;"
                           "INSERT INTO member SELECT 77, account_group FROM member;"
                           "INSERT INTO member SELECT account, 78 FROM member WHERE account < 77");
    assert_int_equal(number_of("SELECT count(*) FROM digest"), 32);
    assert_int_equal(number_of("SELECT count(*) FROM member"), 3);
    struct accounts *accounts = here_open();
    assert_int_equal(respond(accounts, "bob", "realm", "pw", DIGEST_FORM_SHA256, false), SEC_E_OK);
    accounts_close(accounts);
    assert_int_equal(number_of("PRAGMA user_version"), 3);
    assert_int_equal(number_of("SELECT count(*) FROM digest"), 16);
    assert_int_equal(number_of("SELECT count(*) FROM member"), 1);
    exec_sql("DELETE FROM account");
    assert_int_equal(number_of("SELECT count(*) FROM digest"), 0);
}

/* A database of the first version is brought up to date where it is opened, and loses nothing. */
static void test_first_version(void **state)
{
    uint8_t room[128];
    (void)state;
    struct account_admin *admin = admin_open();
    account_add(admin, "bob", "pw");
    account_admin_close(admin);
    exec_sql(TRIGGERS_DROP "DROP TRIGGER digest_stale; DROP TABLE digest; PRAGMA user_version = 1");
    struct accounts *accounts = here_open();
    const struct account *account = NULL;
    assert_int_equal(account_find(accounts, "bob", "", &account), SEC_E_OK);
    account_release(account);
    assert_int_equal(respond(accounts, "bob", "realm", "pw", DIGEST_FORM_MD5, false), SEC_E_LOGON_DENIED);
    admin = admin_open();
    account_admin_digest(admin, &realms);
    assert_int_equal(account_admin_passwd(admin, "bob", "", utf16_of("pw", room), false), SEC_E_OK);
    assert_int_equal(respond(accounts, "bob", "realm", "pw", DIGEST_FORM_MD5, false), SEC_E_OK);
    accounts_close(accounts);
    account_admin_close(admin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_of_a_domain_member, directory_make, directory_remove),
        cmocka_unit_test(test_no_text_in_latin1),
        cmocka_unit_test_setup_teardown(test_written_when_set, directory_make, directory_remove),
        cmocka_unit_test_setup_teardown(test_realm_named_twice, directory_make, directory_remove),
        cmocka_unit_test_setup_teardown(test_none_left_behind, directory_make, directory_remove),
        cmocka_unit_test_setup_teardown(test_no_memory, directory_make, directory_remove),
        cmocka_unit_test_setup_teardown(test_lockout, directory_make, directory_remove),
        cmocka_unit_test_setup_teardown(test_by_hand, directory_make, directory_remove),
        cmocka_unit_test_setup_teardown(test_second_version, directory_make, directory_remove),
        cmocka_unit_test_setup_teardown(test_first_version, directory_make, directory_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
