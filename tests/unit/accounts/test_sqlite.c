/* The account database: who may touch it, its schema, that its changes are whole or not at all. build: all */
#include "accounts_test.h"

#include "accounts/admin_internal.h"
#include "base/memory.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

static void exec_sql(const char *sql)
{
    sqlite3 *handle = NULL;
    assert_int_equal(sqlite3_open(test_database, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

static void assert_not_opened(const char *why)
{
    const char *names[] = {test_store};
    struct account_policy policy = {0};
    struct accounts *accounts = NULL;
    struct account_admin *admin = NULL;
    cause_clear();
    assert_int_equal(accounts_open(names, 1, "HOST", &policy, &accounts), SEC_E_INTERNAL_ERROR);
    if (strstr(cause_text(), why) == NULL)
        print_error("%s\n", cause_text());
    assert_non_null(strstr(cause_text(), why));
    assert_int_equal(account_admin_open(test_database, true, &admin), SEC_E_INTERNAL_ERROR);
    assert_null(accounts);
    assert_null(admin);
}

static void test_made_private(void **state)
{
    (void)state;
    char deep[160];
    struct stat status;
    struct account_admin *admin = NULL;
    mode_t mask = umask(0);
    snprintf(deep, sizeof(deep), "%s/new/one/accounts.db", test_directory);
    assert_int_equal(account_admin_open(deep, false, &admin), SEC_E_NO_CREDENTIALS);
    assert_int_equal(account_admin_open(deep, true, &admin), SEC_E_OK);
    umask(mask);
    account_put(admin, "", "bob", "pw");
    assert_int_equal(stat(deep, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    snprintf(deep, sizeof(deep), "%s/new/one", test_directory);
    assert_int_equal(stat(deep, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    account_admin_close(admin);
}

static void test_permissions(void **state)
{
    (void)state;
    char target[128];
    account_admin_close(admin_open());
    assert_int_equal(chmod(test_database, 0640), 0);
    assert_not_opened("mode 0640");
    assert_int_equal(chmod(test_database, 0602), 0);
    assert_not_opened("mode 0602");
    assert_int_equal(chmod(test_database, 0600), 0);
    assert_int_equal(chmod(test_directory, 0720), 0);
    assert_not_opened("directory");
    assert_int_equal(chmod(test_directory, 01777), 0); /* a sticky bit does not keep others from planting a journal */
    assert_not_opened("directory");
    assert_int_equal(chmod(test_directory, 0700), 0);
    snprintf(target, sizeof(target), "%s.target", test_database);
    assert_int_equal(rename(test_database, target), 0);
    assert_int_equal(symlink(target, test_database), 0);
    assert_not_opened("symbolic link");
    assert_int_equal(unlink(test_database), 0);
    assert_int_equal(rename(target, test_database), 0);
    /* Made wrong while it is open: refused as well. */
    struct account_admin *admin = admin_open();
    account_put(admin, "", "bob", "pw");
    struct accounts *accounts = stores_open(test_store, 0);
    assert_int_equal(logon(accounts, "", "bob", "pw"), SEC_E_OK);
    assert_int_equal(chmod(test_database, 0644), 0);
    assert_int_equal(logon(accounts, "", "bob", "pw"), SEC_E_INTERNAL_ERROR);
    assert_int_equal(chmod(test_database, 0600), 0);
    assert_int_equal(logon(accounts, "", "bob", "pw"), SEC_E_OK);
    accounts_close(accounts);
    account_admin_close(admin);
    if (geteuid() == 0) {
        assert_int_equal(chown(test_database, 12345, 0), 0);
        assert_not_opened("belong");
    }
}

static void test_foreign_files(void **state)
{
    (void)state;
    file_put(test_database,
             "this is no database, however long it may be; it is not even close to one.............................",
             0600);
    assert_not_opened("not a database");
    assert_int_equal(unlink(test_database), 0);
    file_put(test_database, "", 0600); /* an empty file is an empty store */
    struct accounts *accounts = stores_open(test_store, 3);
    assert_int_equal(logon(accounts, "", "bob", "pw"), SEC_E_LOGON_DENIED);
    accounts_close(accounts);
    exec_sql("CREATE TABLE mine (x)");
    assert_not_opened("not an account store");
}

static void test_newer_version(void **state)
{
    (void)state;
    account_admin_close(admin_open());
    exec_sql("PRAGMA user_version = 99");
    assert_not_opened("schema version 99");
    exec_sql("PRAGMA user_version = 3");
    account_admin_close(admin_open());
    exec_sql("PRAGMA application_id = 7");
    assert_not_opened("not an account store");
}

static void test_damaged_rows(void **state)
{
    (void)state;
    struct account_admin *admin = admin_open();
    account_put(admin, "", "bob", "pw");
    account_admin_close(admin);
    struct accounts *accounts = stores_open(test_store, 0);
    exec_sql("UPDATE account SET sid = 'S-1-x'");
    assert_int_equal(logon(accounts, "", "bob", "pw"), SEC_E_INTERNAL_ERROR);
    exec_sql("UPDATE account SET sid = 'S-1-5-21-1-2-3-1000'");
    assert_int_equal(logon(accounts, "", "bob", "pw"), SEC_E_OK);
    exec_sql("PRAGMA ignore_check_constraints = 1; UPDATE account SET nt_hash = x'00'");
    assert_int_equal(logon(accounts, "", "bob", "pw"), SEC_E_LOGON_DENIED);
    exec_sql("DROP TABLE account");
    assert_int_equal(logon(accounts, "", "bob", "pw"), SEC_E_INTERNAL_ERROR);
    accounts_close(accounts);
}

static void test_names_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",    " ",    "...",  " bob",  "bob ",       "a@b",   "a\\b", "a/b",
                                      "a:b", "a\"b", "a\tb", "a\x7f", "a\xc2\x85z", "a\xff", "a*",   "a|b"};
    char long_name[ACCOUNT_NAME_MAX + 2];
    struct account_admin *admin = admin_open();
    struct account_spec spec = {.domain = "", .expires = FILETIME_NEVER, .uid = -1, .gid = -1};
    memset(long_name, 'a', sizeof(long_name));
    long_name[ACCOUNT_NAME_MAX + 1] = '\0';
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        spec.name = bad[i];
        assert_int_equal(account_admin_add(admin, &spec), SEC_E_INVALID_PARAMETER);
    }
    spec.name = long_name;
    assert_int_equal(account_admin_add(admin, &spec), SEC_E_INVALID_PARAMETER);
    long_name[ACCOUNT_NAME_MAX] = '\0';
    assert_int_equal(account_admin_add(admin, &spec), SEC_E_OK);
    assert_int_equal(account_admin_add(admin, &spec), SEC_E_INVALID_PARAMETER);
    spec.name = "host$";
    spec.domain = "a\\b";
    assert_int_equal(account_admin_add(admin, &spec), SEC_E_INVALID_PARAMETER);
    spec.domain = "";
    spec.full_name = "a\nb";
    assert_int_equal(account_admin_add(admin, &spec), SEC_E_INVALID_PARAMETER);
    spec.full_name = NULL;
    assert_int_equal(account_admin_add(admin, &spec), SEC_E_OK);
    struct store_record record = {0};
    assert_int_equal(account_admin_show(admin, "HOST$", "", &record), SEC_E_OK);
    spec.name = "other";
    spec.sid = &record.account->sid;
    assert_int_equal(account_admin_add(admin, &spec), SEC_E_INVALID_PARAMETER); /* its SID is taken */
    store_record_wipe(&record);
    account_admin_close(admin);
}

static void test_export_import(void **state)
{
    (void)state;
    char second[128];
    struct account_admin *from = admin_open(), *to = NULL;
    struct account_file *file = NULL;
    struct import_counts counts;
    struct group_spec staff = {.name = "Staff", .comment = "c", .gid = 5};
    account_put(from, "", "bob", "pw");
    account_put(from, "CORP", "bob", "pw");
    assert_int_equal(group_admin_add(from, &staff), SEC_E_OK);
    assert_int_equal(group_admin_join(from, "staff", "bob", "corp"), SEC_E_OK);
    struct writer text = writer_growing(100), again = writer_growing(100);
    assert_int_equal(account_admin_export(from, ACCOUNT_FILE_OWN, &text), SEC_E_OK);
    assert_int_equal(account_admin_export(from, ACCOUNT_FILE_SMBPASSWD, &again),
                     SEC_E_INVALID_PARAMETER); /* two bobs */
    assert_int_equal(account_admin_export(from, ACCOUNT_FILE_SAM, &again), SEC_E_UNSUPPORTED_FUNCTION);
    writer_release(&again);
    snprintf(second, sizeof(second), "%s.2", test_database);
    assert_int_equal(account_admin_open(second, true, &to), SEC_E_OK);
    assert_int_equal(account_file_parse(ACCOUNT_FILE_OWN, writer_slice_of(&text), "export", &file), SEC_E_OK);
    assert_int_equal(account_admin_import(to, file, "", false, &counts), SEC_E_OK);
    assert_true(counts.added == 2 && counts.groups == 1 && counts.members == 1 && counts.replaced == 0);
    again = writer_growing(100);
    assert_int_equal(account_admin_export(to, ACCOUNT_FILE_OWN, &again), SEC_E_OK);
    assert_int_equal(again.len, text.len);
    assert_memory_equal(again.data, text.data, text.len);
    cause_clear();
    assert_int_equal(account_admin_import(to, file, "", false, &counts), SEC_E_INVALID_PARAMETER);
    assert_non_null(strstr(cause_text(), "already"));
    assert_int_equal(account_admin_import(to, file, "", true, &counts), SEC_E_OK);
    assert_true(counts.added == 0 && counts.replaced == 2 && counts.groups == 0 && counts.members == 1);
    account_file_release(file);
    /* All or none: the second line's account exists. */
    assert_int_equal(account_file_parse(ACCOUNT_FILE_SAM, slice_of_text("ann::::::\nbob:CORP:::::\n"), "sam", &file),
                     SEC_E_OK);
    assert_int_equal(account_admin_import(to, file, "", false, &counts), SEC_E_INVALID_PARAMETER);
    struct store_record record = {0};
    assert_int_equal(account_admin_show(to, "ann", "", &record), SEC_E_NO_CREDENTIALS);
    assert_int_equal(account_admin_import(to, file, "X", true, &counts), SEC_E_OK);
    assert_int_equal(account_admin_show(to, "ann", "x", &record), SEC_E_OK);
    store_record_wipe(&record);
    account_file_release(file);
    writer_release(&text);
    writer_release(&again);
    account_admin_close(to);
    account_admin_close(from);
}

static SECURITY_STATUS import_text(struct account_admin *admin, enum account_file_format format, const char *text)
{
    struct account_file *file = NULL;
    struct import_counts counts;
    assert_int_equal(account_file_parse(format, slice_of_text(text), "text", &file), SEC_E_OK);
    SECURITY_STATUS status = account_admin_import(admin, file, "", true, &counts);
    account_file_release(file);
    return status;
}

#define HASH "FC525C9683E8FE067095BA2DDC971889"
#define OTHER_HASH "8CC19B6A8CFEAC299C2871C86B38DE28"
#define NO_LM_HASH "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX"

/* What a format cannot say, an import leaves as it was: a SAM line enables nobody. */
static void test_replace_leaves_the_rest(void **state)
{
    (void)state;
    struct account_admin *admin = admin_open();
    AUTO_RECORD struct store_record record = {0};
    const int64_t ends = INT64_C(135000000000000000);
    const uint32_t all = ACCOUNT_DISABLED | ACCOUNT_LOCKED | ACCOUNT_MUST_CHANGE;
    struct account_change change = {.fields = CHANGE_EXPIRES | CHANGE_UID | CHANGE_GID | CHANGE_FLAGS |
                                              CHANGE_PASSWORD_EXPIRES,
                                    .expires = ends,
                                    .password_expires = ends,
                                    .uid = 1234,
                                    .gid = 55,
                                    .set_flags = all};
    assert_int_equal(import_text(admin, ACCOUNT_FILE_SAM, "bob:::" HASH ":::\n"), SEC_E_OK);
    assert_int_equal(account_admin_change(admin, "bob", "", &change), SEC_E_OK);
    assert_int_equal(import_text(admin, ACCOUNT_FILE_SAM, "bob:::" HASH ":::\n"), SEC_E_OK);
    assert_int_equal(account_admin_show(admin, "bob", "", &record), SEC_E_OK);
    assert_int_equal(record.account->flags, all);
    assert_true(record.account->expires == ends && record.account->password_expires == ends);
    assert_true(record.account->uid == 1234 && record.account->gid == 55 && record.account->password_set == 0);
    store_record_wipe(&record);
    int64_t before = filetime_now();
    assert_int_equal(import_text(admin, ACCOUNT_FILE_SAM, "bob:::" OTHER_HASH ":::\n"), SEC_E_OK);
    assert_int_equal(account_admin_show(admin, "bob", "", &record), SEC_E_OK);
    assert_true(record.account->flags == all && record.account->expires == ends); /* a new password */
    assert_true(record.account->password_set >= before && record.account->password_expires == FILETIME_NEVER);
    store_record_wipe(&record);
    assert_int_equal(import_text(admin, ACCOUNT_FILE_SAM, "bob::::::\n"), SEC_E_OK);
    assert_int_equal(account_admin_show(admin, "bob", "", &record), SEC_E_OK);
    assert_true(record.account->flags == (all | ACCOUNT_NO_HASH) && !record.has_nt &&
                record.account->password_set == 0);
    store_record_wipe(&record);
    assert_int_equal(
        import_text(admin, ACCOUNT_FILE_SMBPASSWD, "bob:7:" NO_LM_HASH ":" HASH ":[U          ]:LCT-40000000:\n"),
        SEC_E_OK);
    assert_int_equal(account_admin_show(admin, "bob", "", &record), SEC_E_OK);
    assert_int_equal(record.account->flags, ACCOUNT_MUST_CHANGE); /* the letters say the others */
    assert_true(record.account->expires == ends && record.account->uid == 7 && record.account->gid == 55);
    assert_true(record.account->password_set == filetime_from_unix(0x40000000));
    store_record_wipe(&record);
    assert_int_equal(
        import_text(admin, ACCOUNT_FILE_OWN, ACCOUNT_FILE_HEADER "\naccount\tbob\t\t\t" HASH "\t\t\t\t\t\t\t\n"),
        SEC_E_OK);
    assert_int_equal(account_admin_show(admin, "bob", "", &record), SEC_E_OK);
    assert_true(record.account->flags == 0 && record.account->expires == FILETIME_NEVER);
    assert_true(record.account->uid == -1 && record.account->gid == -1 && record.account->password_set == 0);
    account_admin_close(admin);
}

static unsigned failures_of(struct account_admin *admin, const char *name)
{
    AUTO_RECORD struct store_record record = {0};
    assert_int_equal(account_admin_show(admin, name, "", &record), SEC_E_OK);
    return record.lockout.failures;
}

static void bob_guesses(struct account_admin *admin)
{
    struct accounts *accounts = stores_open(test_store, 3);
    for (unsigned i = 0; i < 4; i++)
        (void)logon(accounts, "", "bob", "wrong");
    accounts_close(accounts);
    assert_int_equal(failures_of(admin, "bob"), 4);
}

/* What is rolled back forgives no wrong password either, nor does the password that it was already. */
static void test_refused_forgives_nothing(void **state)
{
    (void)state;
    static const char line[] = ACCOUNT_FILE_HEADER "\naccount\tbob\t\t\t" HASH "\t\t\t\t\t\t\t\n";
    struct account_admin *admin = admin_open();
    char text[256];
    account_put(admin, "", "bob", "pw");
    bob_guesses(admin);
    snprintf(text, sizeof(text), "%smember\tnobodys\tbob\t\n", line);
    assert_int_equal(import_text(admin, ACCOUNT_FILE_OWN, text), SEC_E_INVALID_PARAMETER);
    assert_int_equal(failures_of(admin, "bob"), 4);
    exec_sql("CREATE TRIGGER stays BEFORE DELETE ON account BEGIN SELECT RAISE(ABORT, 'no'); END;");
    assert_int_not_equal(account_admin_remove(admin, "bob", ""), SEC_E_OK);
    assert_int_equal(failures_of(admin, "bob"), 4);
    exec_sql("DROP TRIGGER stays;");
    assert_int_equal(import_text(admin, ACCOUNT_FILE_OWN, line), SEC_E_OK);
    assert_int_equal(failures_of(admin, "bob"), 0);
    bob_guesses(admin);
    assert_int_equal(import_text(admin, ACCOUNT_FILE_OWN, line), SEC_E_OK);
    assert_int_equal(failures_of(admin, "bob"), 4);
    account_admin_close(admin);
}

/* U+0080 to U+009F are control characters too; what a database holds already hinders no other change. */
static void test_controls_in_texts(void **state)
{
    (void)state;
    struct account_file *file = NULL;
    struct account_admin *admin = admin_open();
    account_put(admin, "", "bob", "pw");
    struct account_change change = {.fields = CHANGE_FULL_NAME,
                                    .full_name = "a\xc2\x9b"
                                                 "31m"};
    assert_int_equal(account_admin_change(admin, "bob", "", &change), SEC_E_INVALID_PARAMETER);
    change.full_name = "a\xc2\xa0\xc3\x9b"; /* U+00A0, U+00DB */
    assert_int_equal(account_admin_change(admin, "bob", "", &change), SEC_E_OK);
    struct group_spec group = {.name = "g", .comment = "\xc2\x80", .gid = -1};
    assert_int_equal(group_admin_add(admin, &group), SEC_E_INVALID_PARAMETER);
    static const char line[] = ACCOUNT_FILE_HEADER "\naccount\tbob\t\t\t" HASH "\t\t\t\t\t\t\t\xc2\x9f\n";
    assert_int_equal(account_file_parse(ACCOUNT_FILE_OWN, slice_of_text(line), "text", &file), SEC_E_INTERNAL_ERROR);
    exec_sql("UPDATE account SET full_name = CAST(x'c29b' AS TEXT);");
    struct account_change other = {.fields = CHANGE_UID, .uid = 5};
    assert_int_equal(account_admin_change(admin, "bob", "", &other), SEC_E_OK);
    assert_int_equal(import_text(admin, ACCOUNT_FILE_SAM, "bob:::" HASH ":::\n"), SEC_E_OK);
    account_admin_close(admin);
}

/* What smbpasswd cannot say is refused, and nothing is left out without a word. */
static void test_export_smbpasswd(void **state)
{
    (void)state;
    struct account_admin *admin = admin_open();
    AUTO_WRITER struct writer text = writer_growing(100);
    account_put(admin, "", "bob", "pw");
    account_put(admin, "CORP", "carol", "pw");
    assert_int_equal(account_admin_export(admin, ACCOUNT_FILE_SMBPASSWD, &text), SEC_E_OK);
    account_put(admin, "", "#ann", "pw"); /* whose line would be a comment */
    cause_clear();
    assert_int_equal(account_admin_export(admin, ACCOUNT_FILE_SMBPASSWD, &text), SEC_E_INVALID_PARAMETER);
    assert_non_null(strstr(cause_text(), "#ann"));
    assert_int_equal(account_admin_remove(admin, "#ann", ""), SEC_E_OK);
    account_put(admin, "FAR", "Carol", "pw");
    cause_clear();
    assert_int_equal(account_admin_export(admin, ACCOUNT_FILE_SMBPASSWD, &text), SEC_E_INVALID_PARAMETER);
    assert_non_null(strstr(cause_text(), "more than one domain"));
    account_admin_close(admin);
}

static SECURITY_STATUS any_group(void *context, const struct group_spec *group)
{
    (void)context, (void)group;
    return SEC_E_OK;
}

static SECURITY_STATUS interrupting_member(void *context, const char *name, const char *domain)
{
    struct account_admin *admin = context;
    (void)name, (void)domain;
    sqlite3_interrupt(admin->db->handle);
    return SEC_E_OK;
}

/* A list that breaks off tells what broke it. */
static void test_members_break_off(void **state)
{
    (void)state;
    struct account_admin *admin = admin_open();
    struct group_spec staff = {.name = "Staff", .gid = -1};
    account_put(admin, "", "ann", "pw");
    account_put(admin, "", "bob", "pw");
    assert_int_equal(group_admin_add(admin, &staff), SEC_E_OK);
    assert_int_equal(group_admin_join(admin, "Staff", "ann", ""), SEC_E_OK);
    assert_int_equal(group_admin_join(admin, "Staff", "bob", ""), SEC_E_OK);
    cause_clear();
    assert_int_equal(group_admin_show(admin, "Staff", any_group, interrupting_member, admin), SEC_E_INTERNAL_ERROR);
    assert_non_null(strstr(cause_text(), "interrupted"));
    account_admin_close(admin);
}

/* Sets the same uid and gid on an account after the other and imports sets of two accounts, for ever. */
static void writer_process(void)
{
    struct account_admin *admin = NULL;
    char text[128];
    if (account_admin_open(test_database, false, &admin) != SEC_E_OK)
        _exit(1);
    for (unsigned i = 0;; i++) {
        struct account_file *file = NULL;
        struct import_counts counts;
        struct account_change change = {.fields = CHANGE_UID | CHANGE_GID, .uid = i, .gid = i};
        if (account_admin_change(admin, "bob", "", &change) != SEC_E_OK)
            _exit(1);
        snprintf(text, sizeof(text), "a%u-%d::::::\nb%u-%d::::::\n", i, (int)getpid(), i, (int)getpid());
        if (account_file_parse(ACCOUNT_FILE_SAM, slice_of_text(text), "sam", &file) != SEC_E_OK ||
            account_admin_import(admin, file, "", false, &counts) != SEC_E_OK)
            _exit(1);
        account_file_release(file);
    }
}

struct crash_count {
    unsigned a, b;
};

static SECURITY_STATUS crash_count_one(void *context, const struct store_record *record)
{
    struct crash_count *count = context;
    if (record->account->name[0] == 'a')
        count->a++;
    else if (strcmp(record->account->name, "bob") == 0)
        assert_true(record->account->uid == record->account->gid);
    else
        count->b++;
    return SEC_E_OK;
}

static void test_crash(void **state)
{
    (void)state;
    struct account_admin *admin = admin_open();
    account_put(admin, "", "bob", "pw");
    account_admin_close(admin);
    unsigned last = 0, grew = 0;
    /* On a busy machine writers are killed before they write: then more of them, who are given longer. */
    for (unsigned round = 0; round < 60 || (grew <= 5 && round < 600); round++) {
        struct timespec pause = {.tv_nsec = (1000000 + (long)(round * 7919 % 37) * 1300000) * (1 + round / 60)};
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            writer_process();
        nanosleep(&pause, NULL);
        assert_int_equal(kill(child, SIGKILL), 0);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        struct crash_count count = {0};
        admin = admin_open();
        assert_int_equal(account_admin_list(admin, crash_count_one, &count), SEC_E_OK);
        account_admin_close(admin);
        assert_int_equal(count.a, count.b);
        assert_true(count.a >= last);
        grew += count.a > last;
        last = count.a;
    }
    assert_true(grew > 5);
    struct accounts *accounts = stores_open(test_store, 3);
    assert_int_equal(logon(accounts, "", "bob", "pw"), SEC_E_OK);
    accounts_close(accounts);
}

static void test_creation_race(void **state)
{
    (void)state;
    pid_t children[6];
    for (int i = 0; i < 6; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            struct account_admin *admin = NULL;
            char name[8] = {'u', (char)('0' + i)};
            struct account_spec spec = {.name = name, .domain = "", .expires = FILETIME_NEVER, .uid = -1, .gid = -1};
            _exit(account_admin_open(test_database, true, &admin) != SEC_E_OK ||
                  account_admin_add(admin, &spec) != SEC_E_OK);
        }
    }
    for (int i = 0; i < 6; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    struct crash_count count = {0};
    struct account_admin *admin = admin_open();
    assert_int_equal(account_admin_list(admin, crash_count_one, &count), SEC_E_OK);
    assert_int_equal(count.b, 6);
    account_admin_close(admin);
}

/* A process that holds the database locked as somebody who is about to write does, or who writes, until its input ends. */
static pid_t locker_begin(const char *begin, int *hold)
{
    int held[2], ready[2];
    char byte = 0;
    assert_int_equal(pipe(held), 0);
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        sqlite3 *handle = NULL;
        close(held[1]);
        if (sqlite3_open(test_database, &handle) != SQLITE_OK ||
            sqlite3_exec(handle, begin, NULL, NULL, NULL) != SQLITE_OK || write(ready[1], &byte, 1) != 1)
            _exit(1);
        _exit(read(held[0], &byte, 1) != 0 || sqlite3_exec(handle, "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK);
    }
    close(held[0]);
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    *hold = held[1];
    return child;
}

/* Whoever must not wait can ask before. */
static void test_tells_who_writes(void **state)
{
    (void)state;
    struct account_admin *admin = admin_open();
    account_put(admin, "", "bob", "pw");
    account_admin_close(admin);
    struct accounts *accounts = stores_open(test_store, 3);
    static const char *const locks[] = {"BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"};
    for (size_t i = 0; i < COUNT_OF(locks); i++) {
        int hold, status;
        assert_false(accounts_may_wait(accounts));
        pid_t child = locker_begin(locks[i], &hold);
        assert_true(accounts_may_wait(accounts));
        close(hold);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_false(accounts_may_wait(accounts));
        assert_int_equal(logon(accounts, "", "bob", "pw"), SEC_E_OK);
    }
    accounts_close(accounts);
    assert_int_equal(unlink(test_database), 0);
    accounts = stores_open(test_store, 3);
    assert_true(accounts_may_wait(accounts)); /* it would be opened first */
    accounts_close(accounts);
}

struct opener {
    atomic_bool began, ended;
    struct accounts *accounts;
};

static void *open_slowly(void *argument)
{
    struct opener *opener = argument;
    atomic_store(&opener->began, true);
    opener->accounts = stores_open(test_store, 3);
    atomic_store(&opener->ended, true);
    return NULL;
}

/* A database that is waited for keeps nobody from another one, nor from a fork; and two who open one at once have it in common. */
static void test_opened_beside(void **state)
{
    (void)state;
    char other[112];
    struct opener openers[2] = {0};
    pthread_t threads[2];
    int hold, status;
    struct account_admin *admin = admin_open();
    account_put(admin, "", "bob", "pw");
    account_admin_close(admin);
    snprintf(other, sizeof other, "smbpasswd:%s/smbpasswd", test_directory);
    pid_t locker = locker_begin("BEGIN EXCLUSIVE", &hold);
    for (size_t i = 0; i < COUNT_OF(openers); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, open_slowly, &openers[i]), 0);
        while (!atomic_load(&openers[i].began))
            sched_yield();
    }
    usleep(100000);
    accounts_close(stores_open(other, 3));
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_false(atomic_load(&openers[0].ended) || atomic_load(&openers[1].ended));
    close(hold);
    assert_int_equal(waitpid(locker, &status, 0), locker);
    for (size_t i = 0; i < COUNT_OF(openers); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_ptr_equal(openers[0].accounts, openers[1].accounts);
    assert_int_equal(logon(openers[0].accounts, "", "bob", "pw"), SEC_E_OK);
    accounts_close(openers[0].accounts);
    assert_int_equal(logon(openers[1].accounts, "", "bob", "pw"), SEC_E_OK);
    accounts_close(openers[1].accounts);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, directory_make, directory_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_made_private),
        TEST(test_permissions),
        TEST(test_foreign_files),
        TEST(test_newer_version),
        TEST(test_damaged_rows),
        TEST(test_names_refused),
        TEST(test_export_import),
        TEST(test_export_smbpasswd),
        TEST(test_members_break_off),
        TEST(test_crash),
        TEST(test_creation_race),
        TEST(test_tells_who_writes),
        TEST(test_opened_beside),
        TEST(test_replace_leaves_the_rest),
        TEST(test_refused_forgives_nothing),
        TEST(test_controls_in_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
