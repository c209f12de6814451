/* The counts of wrong passwords: the rule, the words of the table, its file, many processes at once. build: all */
#include "accounts_test.h"

#include "accounts/failures.h"

static const struct account_policy three = {.lockout_threshold = 3, .lockout_seconds = 600, .reset_seconds = 300};
static const int64_t start = INT64_C(133444736000000000);

static uint64_t key_of(struct failures *failures, const char *store, uint32_t rid)
{
    uint64_t key = 0;
    struct sid sid = {.revision = 1, .n_subauthorities = 1, .authority = {0, 0, 0, 0, 0, 5}, .subauthority = {rid}};
    assert_int_equal(failures_key(failures, store, &sid, &key), SEC_E_OK);
    return key;
}

static struct lockout_state state_of(const struct failures *failures, uint64_t key, int64_t now)
{
    struct lockout_state state = {.failures = 99};
    failures_get(failures, key, &three, now, &state);
    return state;
}

static void test_rule(void **state)
{
    (void)state;
    struct failures *failures = failures_new();
    assert_non_null(failures);
    uint64_t key = key_of(failures, "", 1), other = key_of(failures, "", 2);
    assert_int_equal(state_of(failures, key, start).failures, 0);
    failures_add(failures, key, &three, start);
    failures_add(failures, key, &three, start);
    assert_int_equal(state_of(failures, key, start).failures, 2);
    assert_int_equal(state_of(failures, key, start + 299 * FILETIME_SECOND).failures, 2);
    assert_int_equal(state_of(failures, key, start + 300 * FILETIME_SECOND).failures, 0);
    assert_int_equal(state_of(failures, other, start).failures, 0);
    failures_add(failures, key, &three, start);
    struct lockout_state locked = state_of(failures, key, start);
    assert_true(lockout_holds(&locked, start + 599 * FILETIME_SECOND));
    assert_false(lockout_holds(&locked, start + 600 * FILETIME_SECOND));
    assert_int_equal(state_of(failures, key, start + 600 * FILETIME_SECOND).failures, 0);
    failures_add(failures, key, &three, start + 600 * FILETIME_SECOND); /* over: counted anew */
    assert_int_equal(state_of(failures, key, start + 600 * FILETIME_SECOND).failures, 1);
    failures_clear(failures, key);
    failures_clear(failures, other);
    assert_int_equal(state_of(failures, key, start).failures, 0);
    failures_close(failures);
    failures_close(NULL);
}

static void test_boundaries(void **state)
{
    (void)state;
    struct failures *failures = failures_new();
    struct lockout_state out;
    struct account_policy ever = {.lockout_threshold = 1},
                          huge = {.lockout_threshold = UINT32_MAX, .lockout_seconds = UINT32_MAX};
    uint64_t key = key_of(failures, "", 1), second = key_of(failures, "", 2);
    failures_add(failures, key, &ever, start);
    failures_get(failures, key, &ever, FILETIME_NEVER - 1, &out);
    assert_true(out.locked_until == FILETIME_NEVER && lockout_tells(&out, &ever));
    for (unsigned i = 0; i < 2 * FAILURES_COUNT_MAX; i++) { /* saturates, locks at the largest threshold */
        failures_add(failures, key, &ever, start);
        failures_add(failures, second, &huge, start);
        failures_get(failures, second, &huge, start, &out);
        assert_int_equal(lockout_holds(&out, start), i + 1 >= FAILURES_THRESHOLD_MAX);
        assert_int_equal(lockout_tells(&out, &huge), i + 1 < 2 * FAILURES_THRESHOLD_MAX);
    }
    failures_get(failures, key, &ever, start, &out);
    assert_int_equal(out.failures, FAILURES_COUNT_MAX);
    failures_add(failures, key_of(failures, "", 3), &three, 0); /* a clock before 1970 */
    failures_add(failures, key_of(failures, "", 3), &three, FILETIME_NEVER);
    failures_close(failures);
}

/* More accounts than fit: none may lose its count. */
static void test_full(void **state)
{
    (void)state;
    struct failures *failures = failures_new();
    uint64_t victim = key_of(failures, "", 1);
    failures_add(failures, victim, &three, start);
    failures_add(failures, victim, &three, start);
    for (uint64_t i = 1; i <= 4 * FAILURES_WAYS; i++) /* the same set, other tags */
        failures_add(failures, victim + (i << 44), &three, start);
    failures_add(failures, victim, &three, start);
    struct lockout_state out = state_of(failures, victim, start);
    assert_true(out.failures >= 3 && lockout_holds(&out, start));
    failures_close(failures);
}

static void test_shared(void **state)
{
    (void)state;
    struct failures *failures = failures_shared();
    assert_non_null(failures);
    uint64_t key = key_of(failures, "/one", 1);
    assert_true(key != key_of(failures, "/two", 1)); /* of another store */
    pid_t children[8];
    for (int i = 0; i < 8; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            for (int n = 0; n < 100; n++)
                failures_add(failures, key, &three, start);
            _exit(0);
        }
    }
    for (int i = 0; i < 8; i++)
        assert_int_equal(waitpid(children[i], NULL, 0), children[i]);
    assert_int_equal(state_of(failures, key, start).failures, 800);
    failures_close(failures); /* stays */
    assert_int_equal(state_of(failures_shared(), key, start).failures, 800);
    failures_clear(failures, key);
}

static void test_file(void **state)
{
    (void)state;
    char name[128];
    struct stat status;
    snprintf(name, sizeof(name), "%s.lockouts", test_database);
    assert_null(failures_open(test_database, false));
    struct failures *one = failures_open(test_database, true), *two = failures_open(test_database, false);
    assert_true(one != NULL && two != NULL);
    assert_int_equal(stat(name, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_true(status.st_blocks * 512 >= status.st_size); /* no holes: a full disk must not kill who counts */
    uint64_t key = key_of(one, "a", 7);
    assert_true(key == key_of(two, "b", 7)); /* whatever the name it was reached by */
    failures_add(one, key, &three, start);
    assert_int_equal(state_of(two, key, start).failures, 1);
    failures_close(one);
    failures_close(two);
    one = failures_open(test_database, true);
    assert_int_equal(state_of(one, key, start).failures, 1); /* survives all its users */
    failures_close(one);
    assert_int_equal(chmod(name, 0620), 0);
    assert_null(failures_open(test_database, true));
    assert_int_equal(unlink(name), 0);
    file_put(name, "something else", 0600);
    assert_null(failures_open(test_database, true));
    assert_int_equal(unlink(name), 0);
    assert_int_equal(symlink("/tmp/nowhere", name), 0);
    assert_null(failures_open(test_database, true));
    assert_int_equal(unlink(name), 0);
    assert_int_equal(mkfifo(name, 0600), 0);
    assert_null(failures_open(test_database, true));
}

/* A full disk, or a computer that went down, left a part of the zeros: whoever counts takes the rest, who only looks does not. A part that says
 * something is not ours. */
static void test_file_begun(void **state)
{
    static const off_t sizes[] = {1, 4096, 4097, 256 * 1024};
    static const unsigned char one_bit = 1;
    (void)state;
    char name[128];
    struct stat status;
    snprintf(name, sizeof(name), "%s.lockouts", test_database);
    (void)unlink(name);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        file_put(name, "", 0600);
        assert_int_equal(truncate(name, sizes[i]), 0);
        assert_null(failures_open(test_database, false));
        struct failures *one = failures_open(test_database, true), *two = failures_open(test_database, false);
        assert_true(one != NULL && two != NULL);
        assert_int_equal(stat(name, &status), 0);
        assert_true(status.st_size > sizes[i] && status.st_blocks * 512 >= status.st_size);
        uint64_t key = key_of(one, "", 7);
        failures_add(one, key, &three, start);
        assert_int_equal(state_of(two, key, start).failures, 1);
        failures_close(one);
        failures_close(two);
        assert_int_equal(unlink(name), 0);
        file_put(name, "", 0600);
        int file = open(name, O_WRONLY | O_CLOEXEC);
        assert_int_equal(pwrite(file, &one_bit, 1, sizes[i] - 1), 1);
        assert_int_equal(close(file), 0);
        assert_null(failures_open(test_database, true));
        assert_int_equal(stat(name, &status), 0);
        assert_int_equal(status.st_size, sizes[i]);
        assert_int_equal(unlink(name), 0);
    }
}

/* A whole file that is not ours alone: another name leads to it too, or it is somebody else's. */
static void test_file_of_others(void **state)
{
    (void)state;
    char name[128], second[144];
    snprintf(name, sizeof(name), "%s.lockouts", test_database);
    snprintf(second, sizeof(second), "%s.too", name);
    failures_close(failures_open(test_database, true));
    assert_int_equal(link(name, second), 0);
    assert_null(failures_open(test_database, true));
    assert_int_equal(unlink(second), 0);
    struct failures *failures = failures_open(test_database, false);
    assert_non_null(failures);
    failures_close(failures);
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(name, 65534, (gid_t)-1), 0);
    assert_null(failures_open(test_database, true));
}

/* Two processes that count one account's first failure at once may take two words for it: neither says that the account is locked, and together they
 * do. */
static void test_two_words(void **state)
{
    static uint64_t words[FAILURES_WAYS + FAILURES_SETS * FAILURES_WAYS];
    (void)state;
    char name[128];
    snprintf(name, sizeof(name), "%s.lockouts", test_database);
    struct failures *failures = failures_open(test_database, true);
    assert_non_null(failures);
    uint64_t key = key_of(failures, "", 7);
    failures_add(failures, key, &three, start);
    failures_add(failures, key, &three, start);
    int file = open(name, O_RDWR | O_CLOEXEC);
    assert_true(file >= 0);
    assert_int_equal(pread(file, words, sizeof(words), 0), sizeof(words));
    size_t at = FAILURES_WAYS; /* behind the seed's line */
    while (words[at] == 0)
        assert_true(++at < sizeof(words) / sizeof(words[0]));
    assert_int_equal(pwrite(file, &words[at], sizeof(words[at]), (off_t)((at ^ 1) * sizeof(words[at]))),
                     sizeof(words[at]));
    assert_int_equal(close(file), 0);
    struct lockout_state both = state_of(failures, key, start);
    assert_int_equal(both.failures, 4);
    assert_true(lockout_holds(&both, start + 599 * FILETIME_SECOND));
    assert_false(lockout_holds(&both, start + 600 * FILETIME_SECOND));
    failures_close(failures);
}

/* Where the file cannot be believed, counting goes on in the shared table. */
static void test_file_refused(void **state)
{
    (void)state;
    char name[128];
    snprintf(name, sizeof(name), "%s.lockouts", test_database);
    struct account_admin *admin = admin_open();
    account_put(admin, "", "bob", "pw");
    account_admin_close(admin);
    file_put(name, "something else", 0600);
    for (int i = 0; i < 3; i++) {
        struct accounts *accounts = stores_open(test_store, 3);
        assert_int_equal(logon(accounts, "", "bob", "no"), SEC_E_LOGON_DENIED);
        accounts_close(accounts);
    }
    struct accounts *accounts = stores_open(test_store, 3);
    assert_int_equal(logon(accounts, "", "bob", "pw"), STATUS_ACCOUNT_LOCKED_OUT);
    accounts_close(accounts);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, directory_make, directory_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule),
        cmocka_unit_test(test_boundaries),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_shared),
        TEST(test_file),
        TEST(test_file_begun),
        TEST(test_file_of_others),
        TEST(test_two_words),
        TEST(test_file_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
