/* smbpasswd, SAM and our own format: lines good and bad (CVE-2022-24883), and the stores that read them. build: all */
#include "accounts_test.h"

#define LM "E52CAC67419A9A224A3B108F3FA6CB6D"
#define NT "8CC19B6A8CFEAC299C2871C86B38DE28" /* MD4 of "pw" */
#define NONE "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX"
#define OWN ACCOUNT_FILE_HEADER "\n"

static struct account_file *parse(enum account_file_format format, const char *text)
{
    struct account_file *file = NULL;
    cause_clear();
    SECURITY_STATUS status = account_file_parse(format, slice_of_text(text), "FILE", &file);
    if (status != SEC_E_OK)
        print_error("%s\n", cause_text());
    assert_int_equal(status, SEC_E_OK);
    return file;
}

static void assert_refused(enum account_file_format format, const char *text, size_t len, const char *where)
{
    struct account_file *file = NULL;
    cause_clear();
    SECURITY_STATUS status = account_file_parse(format, slice_of(text, len), "FILE", &file);
    if (status != SEC_E_INTERNAL_ERROR || strstr(cause_text(), where) == NULL)
        print_error("not refused as it should be: %s (cause: %s)\n", text, cause_text());
    assert_int_equal(status, SEC_E_INTERNAL_ERROR);
    assert_null(file);
    assert_non_null(strstr(cause_text(), where));
    assert_null(strstr(cause_text(), NT));
}

/* Want of memory is another thing. */
static void test_too_many_lines(void **state)
{
    static const char line[] = "a::::\n";
    size_t len = (size_t)(ACCOUNT_FILE_ENTRIES_MAX + 1) * (sizeof line - 1);
    char *text = malloc(len + 1);
    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i <= ACCOUNT_FILE_ENTRIES_MAX; i++)
        memcpy(text + i * (sizeof line - 1), line, sizeof line);
    assert_refused(ACCOUNT_FILE_SAM, text, len, "line 200001: the file has too many lines");
    free(text);
    /* Of each kind so many. */
    static const char head[] = "opensspi-accounts 1\n", member[] = "member\tg\ta\t\n", last[] = "group\tg\t\t\t\n";
    size_t member_len = sizeof member - 1;
    struct account_file *file = NULL;
    len = sizeof head - 1;
    text = malloc(len + (size_t)(ACCOUNT_FILE_ENTRIES_MAX + 1) * member_len + sizeof last);
    assert_non_null(text);
    memcpy(text, head, len);
    for (size_t i = 0; i <= ACCOUNT_FILE_ENTRIES_MAX; i++, len += member_len)
        memcpy(text + len, member, member_len);
    assert_refused(ACCOUNT_FILE_OWN, text, len, "line 200002: the file has too many lines");
    len -= member_len;
    memcpy(text + len, last, sizeof last);
    len += sizeof last - 1;
    assert_int_equal(account_file_parse(ACCOUNT_FILE_OWN, slice_of(text, len), "FILE", &file), SEC_E_OK);
    account_file_release(file);
    free(text);
}

static void test_smbpasswd(void **state)
{
    (void)state;
    struct account_file *file = parse(ACCOUNT_FILE_SMBPASSWD, "# comment\n\n"
                                                              "Root:0:" LM ":" NT ":[U          ]:LCT-5F5E1000:\r\n"
                                                              "bob:1000:" NONE ":" NT ":[UDX        ]:LCT-00000000:\n"
                                                              "carol:4294967295:NO PASSWORDXXXXXXXXXXXXXXXXXXXXX:" NONE
                                                              ":[NU         ]:LCT-FFFFFFFF:more:fields\n"
                                                              "host$:7:" NONE ":" NT ":[W          ]:LCT-5F5E1000:");
    assert_int_equal(file->n_entries, 4);
    const struct account_file_entry *root = account_file_find(file, "ROOT", ""),
                                    *bob = account_file_find(file, "BOB", ""),
                                    *carol = account_file_find(file, "CAROL", ""),
                                    *host = account_file_find(file, "HOST$", "");
    assert_non_null(root);
    assert_non_null(bob);
    assert_non_null(carol);
    assert_non_null(host);
    assert_null(account_file_find(file, "root", ""));
    assert_null(account_file_find(file, "ROOT", "X"));
    assert_true(root->has_nt && root->has_lm && root->uid == 0 && root->flags == 0);
    assert_true(root->password_set == filetime_from_unix(0x5F5E1000));
    assert_true(bob->has_nt && !bob->has_lm && bob->flags == ACCOUNT_DISABLED && bob->password_set == 0);
    assert_true(!carol->has_nt && carol->flags == ACCOUNT_NO_HASH && carol->uid == -1 && carol->password_set == 0);
    assert_true(host->flags == ACCOUNT_DISABLED); /* a machine is no user */
    account_file_release(file);
}

static void test_smbpasswd_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "bob",
        ":",
        "bob:1000",
        "bob:1000:" LM ":" NT,
        "bob:1000:" LM ":" NT ":[U]",
        "bob:1000:" LM ":" NT ":[U]:LCT-5F5E1000",
        ":1000:" LM ":" NT ":[U]:LCT-5F5E1000:",
        "b@b:1000:" LM ":" NT ":[U]:LCT-5F5E1000:",
        " bob:1000:" LM ":" NT ":[U]:LCT-5F5E1000:",
        "bob::" LM ":" NT ":[U]:LCT-5F5E1000:",
        "bob:-1:" LM ":" NT ":[U]:LCT-5F5E1000:",
        "bob:4294967296:" LM ":" NT ":[U]:LCT-5F5E1000:",
        "bob:99999999999999999999:" LM ":" NT ":[U]:LCT-5F5E1000:",
        "bob:1x:" LM ":" NT ":[U]:LCT-5F5E1000:",
        "bob:1:" LM "::[U]:LCT-5F5E1000:",
        "bob:1::" NT ":[U]:LCT-5F5E1000:",
        "bob:1:" LM "0:" NT ":[U]:LCT-5F5E1000:",
        "bob:1:" LM ":8CC19B6A8CFEAC299C2871C86B38DE2:[U]:LCT-5F5E1000:",
        "bob:1:" LM ":8CC19B6A8CFEAC299C2871C86B38DE2G:[U]:LCT-5F5E1000:",
        "bob:1:" LM ":XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX0:[U]:LCT-5F5E1000:",
        "bob:1:" LM ":" NT "::LCT-5F5E1000:",
        "bob:1:" LM ":" NT ":[:LCT-5F5E1000:",
        "bob:1:" LM ":" NT ":[:]:LCT-5F5E1000:",
        "bob:1:" LM ":" NT ":[Q]:LCT-5F5E1000:",
        "bob:1:" LM ":" NT ":U:LCT-5F5E1000:",
        "bob:1:" LM ":" NT ":[U]::",
        "bob:1:" LM ":" NT ":[U]:LCT-5F5E100:",
        "bob:1:" LM ":" NT ":[U]:LCT-5F5E100G:",
        "bob:1:" LM ":" NT ":[U]:LCT 5F5E1000:",
        "bob:1:" LM ":" NT ":[U]:LCT-5F5E1000:a:b:c:d:e:f:g",
        "bob:1:" LM ":" NT ":[U]:LCT-5F5E1000:\x01",
        "bob:1:" LM ":" NT ":[U]:LCT-5F5E1000:\xff",
        "bob:DOMAIN:" LM ":" NT ":::",
    };
    char text[1024];
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(text, sizeof(text), "ann:1:" LM ":" NT ":[U]:LCT-5F5E1000:\n%s\n", bad[i]);
        assert_refused(ACCOUNT_FILE_SMBPASSWD, text, strlen(text), "FILE, line 2:");
    }
    assert_refused(ACCOUNT_FILE_SMBPASSWD, "a\0b\n", 4, "FILE, line 1:");
    snprintf(text, sizeof(text), "%s\n%s\n",
             "bob:1:" LM ":" NT ":[U]:LCT-5F5E1000:", "BOB:2:" LM ":" NT ":[U]:LCT-5F5E1000:");
    assert_refused(ACCOUNT_FILE_SMBPASSWD, text, strlen(text), "same account");
}

static void test_too_long(void **state)
{
    (void)state;
    size_t len = ACCOUNT_FILE_MAX + 1;
    char *text = test_malloc(len);
    memset(text, 'a', len);
    assert_refused(ACCOUNT_FILE_SAM, text, ACCOUNT_FILE_LINE_MAX + 1, "too long");
    assert_refused(ACCOUNT_FILE_SAM, text, len, "too large");
    test_free(text);
}

static void test_sam(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "bob",
        "bob:DOM",
        "bob:DOM:" LM ":" NT,
        "bob:DOM:" LM ":" NT "::::",
        "bob:DOM:" LM ":" NT ":x::",
        "bob:DOM:" LM ":" NT ":::x",
        ":DOM:" LM ":" NT ":::",
        "bob:D/M:" LM ":" NT ":::",
        "bob:DOM:x:" NT ":::",
        "bob:DOM:" LM ":x:::",
        "bob:DOM:" LM ":" NONE ":::",
        "bob:DOM:" NT "00:" NT ":::",
    };
    struct account_file *file = parse(ACCOUNT_FILE_SAM, "bob:DOM:" LM ":" NT ":::\nbob:::" NT ":::\ncarol::::::");
    assert_int_equal(file->n_entries, 3);
    assert_true(account_file_find(file, "BOB", "DOM")->has_lm);
    assert_false(account_file_find(file, "BOB", "")->has_lm);
    assert_int_equal(account_file_find(file, "CAROL", "")->flags, ACCOUNT_NO_HASH);
    account_file_release(file);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_refused(ACCOUNT_FILE_SAM, bad[i], strlen(bad[i]), "FILE, line 1:");
}

static void test_own(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "nonsense",
        "account\tbob",
        "account\tbob\t\t\t\t\t\t\t\t\t\t\t",
        "account\tb:b\t\t\t\t\t\t\t\t\t\t",
        "account\tbob\t\tS-1\t\t\t\t\t\t\t\t",
        "account\tbob\t\t\tx\t\t\t\t\t\t\t",
        "account\tbob\t\t\t\tQ\t\t\t\t\t\t",
        "account\tbob\t\t\t\t\t-1\t\t\t\t\t",
        "account\tbob\t\t\t\t\t9223372036854775808\t\t\t\t\t",
        "account\tbob\t\t\t\t\t\t\t\t4294967295\t\t",
        "group\t\t\t\t",
        "group\tg\tS-2-1-1\t\t",
        "group\tg\t\tx\t",
        "group\tg",
        "member\tg\tbob",
        "member\t\tbob\t",
        "member\tg\t\t",
    };
    char text[256];
    struct account_file *file =
        parse(ACCOUNT_FILE_OWN,
              OWN "account\tbob\tDOM\tS-1-5-21-1-2-3-1000\t" NT "\tDLM\t1\t2\t3\t4\t5\tBob B.\n"
                  "account\tann\t\t\t\t\t\t\t\t\t\t\ngroup\tStaff\t\t7\tall of us\nmember\tstaff\tBOB\tdom\n");
    const struct account_file_entry *bob = account_file_find(file, "BOB", "DOM"),
                                    *ann = account_file_find(file, "ANN", "");
    assert_true(bob->has_sid && bob->has_nt && bob->flags == (ACCOUNT_DISABLED | ACCOUNT_LOCKED | ACCOUNT_MUST_CHANGE));
    assert_true(bob->expires == 1 && bob->password_set == 2 && bob->password_expires == 3 && bob->uid == 4 &&
                bob->gid == 5);
    assert_string_equal(bob->full_name, "Bob B.");
    assert_true(!ann->has_nt && ann->flags == ACCOUNT_NO_HASH && ann->expires == FILETIME_NEVER && ann->uid == -1);
    assert_string_equal(file->groups[0].comment, "all of us");
    assert_string_equal(file->members[0].group_key, "STAFF");
    account_file_release(file);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(text, sizeof(text), OWN "%s\n", bad[i]);
        assert_refused(ACCOUNT_FILE_OWN, text, strlen(text), "FILE, line 2:");
    }
    assert_refused(ACCOUNT_FILE_OWN, "", 0, "line 1");
    assert_refused(ACCOUNT_FILE_OWN, "opensspi-accounts 2\n", 20, "line 1");
    assert_refused(ACCOUNT_FILE_OWN, OWN "group\tg\t\t\t\ngroup\tG\t\t\t\n", strlen(OWN) + 22, "same group");
}

static void test_guess(void **state)
{
    (void)state;
    assert_int_equal(account_file_guess(slice_of_text("# x\nbob:1:" LM ":" NT ":[U]:LCT-5F5E1000:\n")),
                     ACCOUNT_FILE_SMBPASSWD);
    assert_int_equal(account_file_guess(slice_of_text("\n# x\nbob:DOM::" NT ":::\n")), ACCOUNT_FILE_SAM);
    assert_int_equal(account_file_guess(slice_of_text(OWN)), ACCOUNT_FILE_OWN);
    assert_int_equal(account_file_guess(slice_of_text("")), ACCOUNT_FILE_SMBPASSWD);
}

static char file_path[112], file_store[128];

static void file_store_names(const char *kind)
{
    snprintf(file_path, sizeof(file_path), "%s/file", test_directory);
    snprintf(file_store, sizeof(file_store), "%s:%s", kind, file_path);
}

static void test_file_store(void **state)
{
    (void)state;
    uint8_t old_room[128], new_room[128];
    const struct account *account = NULL;
    file_store_names("smbpasswd");
    struct accounts *accounts = stores_open(file_store, 2);
    assert_int_equal(logon(accounts, "", "bob", "pw"), SEC_E_LOGON_DENIED); /* no file yet */
    file_put(file_path, "bob:1000:" NONE ":" NT ":[U]:LCT-5F5E1000:\n", 0600);
    assert_int_equal(logon_full(accounts, "HOST", "BOB", "pw", &account), SEC_E_OK);
    assert_string_equal(account->domain, "HOST");
    assert_int_equal(account->uid, 1000);
    assert_int_equal(account->sid.subauthority[4], 3000); /* 1000 + 2 * uid */
    account_release(account);
    assert_int_equal(
        account_change_password(accounts, "bob", "", utf16_of("pw", old_room), utf16_of("new", new_room), NULL),
        SEC_E_UNSUPPORTED_FUNCTION);
    /* The same length within the same tick of the clock: still seen, a moment later. */
    file_put(file_path, "bob:1000:" NONE ":" NT ":[D]:LCT-5F5E1000:\n", 0600);
    usleep(150000);
    assert_int_equal(logon(accounts, "", "bob", "pw"), STATUS_ACCOUNT_DISABLED);
    file_put(file_path, "bob:1000:" NONE ":" NT ":[UN]:LCT-5F5E1000:\n", 0600); /* N wins over a hash */
    assert_int_equal(logon(accounts, "", "bob", "pw"), SEC_E_LOGON_DENIED);
    file_put(file_path, "bob:1000:" NONE ":" NONE ":[U]:LCT-5F5E1000:\nx\n", 0600);
    assert_int_equal(logon(accounts, "", "bob", "pw"), SEC_E_INTERNAL_ERROR);
    assert_non_null(strstr(cause_text(), "line 2"));
    file_put(file_path, "bob:1000:" NONE ":" NT ":[U]:LCT-5F5E1000:\n# back\n", 0600);
    assert_int_equal(logon(accounts, "", "bob", "pw"), SEC_E_OK);
    accounts_close(accounts);
}

static void test_file_lockout(void **state)
{
    (void)state;
    file_store_names("sam");
    file_put(file_path, "bob:DOM::" NT ":::\n", 0600);
    struct accounts *accounts = stores_open(file_store, 2);
    int64_t now = filetime_now();
    filetime_fix(now);
    assert_int_equal(logon(accounts, "dom", "bob", "pw"), SEC_E_OK);
    assert_int_equal(logon(accounts, "dom", "bob", "no"), SEC_E_LOGON_DENIED);
    assert_int_equal(logon(accounts, "dom", "bob", "pw"), SEC_E_OK);
    assert_int_equal(logon(accounts, "dom", "bob", "no"), SEC_E_LOGON_DENIED);
    assert_int_equal(logon(accounts, "dom", "nobody", "no"), SEC_E_LOGON_DENIED);
    assert_int_equal(logon(accounts, "DOM", "BOB", "no"), SEC_E_LOGON_DENIED);
    assert_int_equal(logon(accounts, "dom", "bob", "pw"), STATUS_ACCOUNT_LOCKED_OUT);
    filetime_fix(now + 600 * FILETIME_SECOND);
    assert_int_equal(logon(accounts, "dom", "bob", "pw"), SEC_E_OK);
    accounts_close(accounts);
}

/* A server that acquires a credential for each connection, and one that forks for each and acquires in the child: the counts outlive them. */
static void test_file_lockout_across(void **state)
{
    (void)state;
    file_store_names("sam");
    file_put(file_path, "bob:::" NT ":::\nann:::" NT ":::\n", 0600);
    struct accounts *accounts = NULL;
    for (int i = 0; i < 3; i++) {
        accounts = stores_open(file_store, 3);
        assert_int_equal(logon(accounts, "", "bob", "no"), SEC_E_LOGON_DENIED);
        accounts_close(accounts);
    }
    for (int i = 0; i < 3; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            accounts = stores_open(file_store, 3);
            _exit(logon(accounts, "", "ann", "no") == SEC_E_LOGON_DENIED ? 0 : 1);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    accounts = stores_open(file_store, 3);
    assert_int_equal(logon(accounts, "", "bob", "pw"), STATUS_ACCOUNT_LOCKED_OUT);
    assert_int_equal(logon(accounts, "", "ann", "pw"), STATUS_ACCOUNT_LOCKED_OUT);
    accounts_close(accounts);
}

/* Under AddressSanitizer secret blocks come from its own heap, so that leaks show: nothing is excluded there, and nothing is to test. */
#if defined(__SANITIZE_ADDRESS__)
#define UNDER_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_SANITIZER 1
#endif
#endif

#ifndef UNDER_SANITIZER
/* Is the address in memory that the kernel leaves out of core dumps ("dd", proc(5))? */
static bool is_undumpable(const void *address)
{
    char line[512];
    unsigned long from, to;
    bool inside = false, found = false;
    FILE *maps = fopen("/proc/self/smaps", "r");
    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps) != NULL) {
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            inside = (uintptr_t)address >= from && (uintptr_t)address < to;
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            found = strstr(line, " dd") != NULL;
    }
    fclose(maps);
    return found;
}

static void test_hashes_stay_out_of_dumps(void **state)
{
    (void)state;
    static const char text[] = "b:::" NT ":::\na:::" NT ":::\n";
    struct account_file *file = NULL;
    assert_int_equal(account_file_parse(ACCOUNT_FILE_SAM, slice_of_text(text), "test", &file), SEC_E_OK);
    assert_true(is_undumpable(&file->entries[1].nt_hash));
    account_file_release(file);
}
#endif

static void test_unsorted(void **state)
{
    (void)state;
    static char text[2000 * 16];
    size_t len = 0;
    for (unsigned i = 0; i < 2000; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "u%u::::::\n", i * 7919 % 2000);
    struct account_file *file = NULL;
    assert_int_equal(account_file_parse(ACCOUNT_FILE_SAM, slice_of(text, len), "test", &file), SEC_E_OK);
    assert_int_equal(file->n_entries, 2000);
    for (size_t i = 1; i < file->n_entries; i++)
        assert_true(strcmp(file->entries[i - 1].name_key, file->entries[i].name_key) < 0);
    assert_non_null(account_file_find(file, "U1999", ""));
    assert_null(account_file_find(file, "U2000", ""));
    account_file_release(file);
}

static void assert_not_opened(const char *why)
{
    const char *names[] = {file_store};
    struct account_policy policy = {0};
    struct accounts *accounts = NULL;
    cause_clear();
    assert_int_equal(accounts_open(names, 1, "HOST", &policy, &accounts), SEC_E_INTERNAL_ERROR);
    assert_null(accounts);
    if (strstr(cause_text(), why) == NULL)
        print_error("%s\n", cause_text());
    assert_non_null(strstr(cause_text(), why));
}

static void test_file_permissions(void **state)
{
    (void)state;
    char target[128];
    file_store_names("smbpasswd");
    file_put(file_path, "bob:1000:" NONE ":" NT ":[U]:LCT-5F5E1000:\n", 0644);
    assert_not_opened("mode 0644");
    assert_int_equal(chmod(file_path, 0620), 0);
    assert_not_opened("mode 0620");
    assert_int_equal(chmod(file_path, 0600), 0);
    assert_int_equal(chmod(test_directory, 0777), 0);
    assert_not_opened("directory");
    assert_int_equal(chmod(test_directory, 0700), 0);
    struct accounts *accounts = stores_open(file_store, 0);
    assert_int_equal(logon(accounts, "", "bob", "pw"), SEC_E_OK);
    accounts_close(accounts);
    snprintf(target, sizeof(target), "%s.target", file_path);
    assert_int_equal(rename(file_path, target), 0);
    assert_int_equal(symlink(target, file_path), 0);
    assert_not_opened("symbolic link");
    assert_int_equal(unlink(file_path), 0);
    assert_int_equal(mkdir(file_path, 0700), 0);
    assert_not_opened("not an ordinary file");
    assert_int_equal(rmdir(file_path), 0);
    assert_int_equal(mkfifo(file_path, 0600), 0);
    assert_not_opened("not an ordinary file");
    if (geteuid() == 0) {
        assert_int_equal(unlink(file_path), 0);
        assert_int_equal(rename(target, file_path), 0);
        assert_int_equal(chown(file_path, 12345, 0), 0);
        assert_not_opened("belong");
        assert_int_equal(chown(file_path, 0, 0), 0);
        assert_int_equal(chown(test_directory, 12345, 0), 0);
        assert_not_opened("directory of an account file must belong");
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, directory_make, directory_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_too_many_lines),
        cmocka_unit_test(test_smbpasswd),
        cmocka_unit_test(test_smbpasswd_refused),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_sam),
        cmocka_unit_test(test_own),
        cmocka_unit_test(test_guess),
        TEST(test_file_store),
        TEST(test_file_lockout),
        TEST(test_file_lockout_across),
        cmocka_unit_test(test_unsorted),
#ifndef UNDER_SANITIZER
        cmocka_unit_test(test_hashes_stay_out_of_dumps),
#endif
        TEST(test_file_permissions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
