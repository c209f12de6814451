/*
 * Configuration: every key, wrong ones with file and line, one file over another, and changes while the process runs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "core/cause.h"
#include "core/config_parse.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct config config;

static SECURITY_STATUS parse(const char *text)
{
    config_clear(&config);
    config_defaults(&config);
    cause_clear();
    return config_parse_text(&config, "file", slice_of_text(text));
}

static void test_defaults(void **state)
{
    (void)state;
    assert_int_equal(parse(""), SEC_E_OK);
    assert_null(config.computer);
    assert_int_equal(config.stores.n_items, 0);
    assert_false(config.ntlm_v1 || config.ntlm_lm || config.ntlm_anonymous);
    assert_true(config.ntlm_require_128 && config.ntlm_refuse_reflection);
    assert_int_equal(config.ntlm_channel_bindings, WHEN_SUPPORTED);
    assert_int_equal(config.lockout_threshold, 10);
    assert_int_equal(config.kerberos_delegate, DELEGATE_OK_AS_DELEGATE);
    assert_null(config.kerberos_client_keytab);
}

static void test_every_key(void **state)
{
    (void)state;
    assert_int_equal(
        parse("; a comment\n  # another\n  [names] ; these\n\tcomputer = SERVER ; this one\n domain=EXAMPLE\n"
              "dns_computer : server.example.test\ndns_domain = example.test\ndns_forest = forest.test\r\n"
              "[packages]\npackage = /usr/lib/a.so\npackage = /b c/d, e.so\n"
              "[credentials]\nuser_file = /a b/users\naskpass = /usr/bin/ask\n"
              "[accounts]\nstores = sqlite:/a, ,smbpasswd:/b\t,sam:/c,\nlockout_threshold = 5\n"
              "lockout_seconds = 6\nlockout_reset_seconds = 4294967295\n"
              "[ntlm]\nallow_v1 = YES\nallow_lm = on\nallow_anonymous = 1\nrequire_128 = False\n"
              "refuse_reflection = off\nchannel_bindings = ALWAYS\nservice_binding = never\n"
              "targets = host/a, http/b\nchallenge_seconds = 0\nclock_skew_seconds = 9\n"
              "[kerberos]\nkeytab = FILE:/a\nclient_keytab = FILE:/b\nkdc_seconds = 3\nallow_anonymous = "
              "yes\nrequire_pac = yes\n"
              "delegate = Always\n"
              "[access]\nwinbind = yes\nwinbind_library = /l\nname_domains = A, B\nranges = S-1-5-21-1:5:6\n"
              "winbind_seconds = 3\n"
              "allow_root = yes\nanonymous_user = guest\nidentify_without_privilege = yes\n"
              "logon_service = HTTP/a"),
        SEC_E_OK);
    assert_string_equal(config.kerberos_keytab, "FILE:/a");
    assert_string_equal(config.kerberos_client_keytab, "FILE:/b");
    assert_int_equal(config.kerberos_kdc_seconds, 3);
    assert_true(config.kerberos_require_pac);
    assert_true(config.kerberos_anonymous);
    assert_int_equal(config.kerberos_delegate, DELEGATE_ALWAYS);
    assert_string_equal(config.computer, "SERVER");
    assert_string_equal(config.domain, "EXAMPLE");
    assert_string_equal(config.dns_computer, "server.example.test");
    assert_string_equal(config.dns_domain, "example.test");
    assert_string_equal(config.dns_forest, "forest.test");
    assert_int_equal(config.packages.n_items, 2);
    assert_string_equal(config.packages.item[1], "/b c/d, e.so");
    assert_string_equal(config.user_file, "/a b/users");
    assert_string_equal(config.askpass, "/usr/bin/ask");
    assert_int_equal(config.stores.n_items, 3);
    assert_string_equal(config.stores.item[1], "smbpasswd:/b");
    assert_string_equal(config.stores.item[2], "sam:/c");
    assert_int_equal(config.lockout_threshold, 5);
    assert_int_equal(config.lockout_seconds, 6);
    assert_int_equal(config.lockout_reset_seconds, 4294967295u);
    assert_true(config.ntlm_v1 && config.ntlm_lm && config.ntlm_anonymous);
    assert_false(config.ntlm_require_128 || config.ntlm_refuse_reflection);
    assert_int_equal(config.ntlm_channel_bindings, WHEN_ALWAYS);
    assert_int_equal(config.ntlm_service_binding, WHEN_NEVER);
    assert_string_equal(config.ntlm_targets.item[1], "http/b");
    assert_int_equal(config.ntlm_challenge_seconds, 0);
    assert_int_equal(config.ntlm_clock_skew_seconds, 9);
    assert_true(config.access_winbind && config.access_allow_root && config.access_identify_without_privilege);
    assert_string_equal(config.access_winbind_library, "/l");
    assert_int_equal(config.access_winbind_seconds, 3);
    assert_string_equal(config.access_name_domains.item[1], "B");
    assert_string_equal(config.access_ranges.item[0], "S-1-5-21-1:5:6");
    assert_string_equal(config.access_anonymous_user, "guest");
    assert_string_equal(config.access_logon_service, "HTTP/a");
}

static void check_wrong(const char *text, const char *cause)
{
    assert_int_equal(parse(text), SEC_E_INTERNAL_ERROR);
    if (strncmp(cause_text(), cause, strlen(cause)) != 0)
        fail_msg("\"%s\" instead of \"%s\"", cause_text(), cause);
}

static void test_wrong_lines(void **state)
{
    char text[2048];
    (void)state;
    check_wrong("[ntlm]\nallow_v2 = yes\n", "file:2: unknown key \"allow_v2\" in [ntlm]");
    check_wrong("[nltm]\n\nallow_v1 = yes\n", "file:3: unknown key \"allow_v1\" in [nltm]");
    check_wrong("allow_v1 = yes\n", "file:1: unknown key \"allow_v1\" in []");
    check_wrong("[NTLM]\nallow_v1 = yes\n", "file:2: unknown key");
    check_wrong("[ntlm]\nallow_v1 = maybe\n", "file:2: \"allow_v1\" in [ntlm] takes yes or no");
    check_wrong("[ntlm]\nallow_v1 =\n", "file:2: \"allow_v1\" in [ntlm] takes yes or no");
    check_wrong("[ntlm]\n\n\nchannel_bindings = sometimes\n", "file:4: \"channel_bindings\" in [ntlm] takes never");
    check_wrong("[packages]\npackage =\n", "file:2: \"package\" in [packages] takes a text");
    check_wrong("[packages]\npackage = 1\npackage = 2\npackage = 3\npackage = 4\npackage = 5\npackage = 6\n"
                "package = 7\npackage = 8\npackage = 9\npackage = 10\npackage = 11\npackage = 12\npackage = 13\n"
                "package = 14\npackage = 15\npackage = 16\npackage = 17\n",
                "file:18: \"package\" in [packages] stands more than 16 times");
    check_wrong("[names]\ncomputer =\n", "file:2: \"computer\" in [names] takes a text");
    check_wrong("[names]\ncomputer = S\xe4\n", "file:2: \"computer\" in [names] takes UTF-8");
    check_wrong("[ntlm]\nallow_v1 = no\nallow_v1 = yes\n", "file:3: \"allow_v1\" in [ntlm] stands twice");
    /* A line is one, indented or not: none goes on with the key before it. */
    check_wrong("[ntlm]\ntargets = a,\n  b\n", "file:3: not a section, a key with a value, or a comment");
    check_wrong("[packages]\npackage = /x\n  b\n", "file:3: not a section");
    check_wrong("[packages]\npackage = /x\n\t[ntlm]\n service_binding = often\n",
                "file:4: \"service_binding\" in [ntlm] takes never");
    check_wrong("[ntlm] service_binding = always\n", "file:1: something behind a section's name");
    check_wrong("\xEF\xBB\xBF[ntlm] allow_v1\nallow_v1 = no\n", "file:1: something behind a section's name");
    check_wrong("\xEF\xBB\xBF [ntlm] allow_v1 = no\n", "file:1: something behind a section's name");
    static const char *const bounded[][2] = {
        {"certificates]\nsecurity_level = 6", "certificates] takes a whole number, 0 to 5"},
        {"credssp]\nmin_version = 1", "credssp] takes a whole number, 2 to 6"},
        {"credssp]\nmax_version = 7", "credssp] takes a whole number, 2 to 6"},
        {"lsa]\nworkers = 0", "lsa] takes a whole number, 1 to 256"},
        {"lsa]\nworkers = 257", "lsa] takes a whole number, 1 to 256"}};
    for (size_t i = 0; i < sizeof bounded / sizeof bounded[0]; i++) {
        snprintf(text, sizeof text, "[%s\n", bounded[i][0]);
        check_wrong(text, "file:2: ");
        assert_non_null(strstr(cause_text(), bounded[i][1]));
    }
    check_wrong("[ntlm\nallow_v1 = no\n", "file:1: not a section");
    /* The first wrong line is named, and with its own reason. */
    check_wrong("[ntlm]\ngarbage\nunknown = 1\n", "file:2: not a section, a key with a value, or a comment");
    check_wrong("[ntlm]\nunknown = 1\ngarbage\n", "file:2: unknown key");
    static const char *const numbers[] = {"-1", "+1", "1.5", "0x10", "", "one", "4294967296", "99999999999999999999",
                                          "1 2"};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        snprintf(text, sizeof text, "[accounts]\nlockout_seconds = %s\n", numbers[i]);
        check_wrong(text, "file:2: \"lockout_seconds\" in [accounts] takes a whole number");
    }
    strcpy(text, "[ntlm]\ntargets = a");
    for (int i = 0; i < 16; i++)
        strcat(text, ",b");
    check_wrong(text, "file:2: \"targets\" in [ntlm] takes at most 16 entries");
    /* A line that inih would cut in two; of a comment nothing is lost. */
    snprintf(text, sizeof text, " # %0300d\n;%0300d\n[names]\ncomputer = LONG\n", 0, 0);
    assert_int_equal(parse(text), SEC_E_OK);
    assert_string_equal(config.computer, "LONG");
    snprintf(text, sizeof text, "[names]\ncomputer = X\ndomain = %0180d;%0100d\ndomain = Y\n", 0, 0);
    check_wrong(text, "file:3: a line of more than ");
    cause_clear();
    assert_int_equal(config_parse_text(&config, "file", slice_of("[ntlm]\0\n", 8)), SEC_E_INTERNAL_ERROR);
    assert_string_equal(cause_text(), "file: this is not a text file");
}

static char directory[] = "/tmp/opensspi-config-XXXXXX";

static const char *path_of(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, 128, "%s/%s", directory, name);
    return path;
}

static void file_put(const char *name, const char *text)
{
    FILE *file = fopen(path_of("new"), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(rename(path_of("new"), path_of(name)), 0);
}

/* A second file wins key by key and leaves the others. */
static void test_one_over_another(void **state)
{
    (void)state;
    file_put("system", "[names]\ncomputer = ONE\ndomain = BOTH\n[ntlm]\ntargets = a,b\nallow_v1 = yes\n");
    file_put("user", "[names]\ncomputer = TWO\n[ntlm]\ntargets = c\n");
    assert_int_equal(parse(""), SEC_E_OK);
    assert_int_equal(config_parse_file(&config, path_of("system"), CONFIG_SYSTEM, geteuid()), SEC_E_OK);
    assert_int_equal(config_parse_file(&config, path_of("user"), CONFIG_USER, geteuid()), SEC_E_OK);
    assert_string_equal(config.computer, "TWO");
    assert_string_equal(config.domain, "BOTH");
    assert_int_equal(config.ntlm_targets.n_items, 1);
    assert_string_equal(config.ntlm_targets.item[0], "c");
    assert_true(config.ntlm_v1);
    assert_int_equal(config_parse_file(&config, path_of("none"), CONFIG_SYSTEM, geteuid()), SEC_E_OK);
    cause_clear();
    assert_int_equal(config_parse_file(&config, path_of("none"), CONFIG_WANTED, geteuid()), SEC_E_INTERNAL_ERROR);
    assert_non_null(strstr(cause_text(), path_of("none")));
    assert_int_equal(config_parse_file(&config, directory, CONFIG_SYSTEM, geteuid()), SEC_E_INTERNAL_ERROR);
}

static void test_change_is_noticed(void **state)
{
    const struct config *before, *same, *after;
    (void)state;
    setenv("OPENSSPI_CONFIG", path_of("live"), 1);
    file_put("live", "[names]\ncomputer = BEFORE\n");
    assert_int_equal(config_get(&before), SEC_E_OK);
    assert_int_equal(config_get(&same), SEC_E_OK);
    assert_ptr_equal(before, same);
    file_put("live", "[names]\ncomputer = BEHIND\n"); /* the same length */
    assert_int_equal(config_get(&after), SEC_E_OK);
    assert_string_equal(after->computer, "BEHIND");
    assert_string_equal(before->computer, "BEFORE"); /* whoever works under it keeps it */
    config_release(before);
    config_release(same);
    /* A damaged file is an error, not the old state; mended it is read again. */
    file_put("live", "[names]\ncomputer = X\ncolour = red\n");
    cause_clear();
    assert_int_equal(config_get(&before), SEC_E_INTERNAL_ERROR);
    assert_non_null(strstr(cause_text(), "/live:3: unknown key"));
    file_put("live", "[names]\ncomputer = MENDED\n");
    assert_int_equal(config_get(&before), SEC_E_OK);
    assert_string_equal(before->computer, "MENDED");
    config_release(before);
    config_release(after);
    cause_clear();
    setenv("OPENSSPI_CONFIG", path_of("gone"), 1);
    assert_int_equal(config_get(&before), SEC_E_INTERNAL_ERROR); /* a file that was named has to be there */
}

/* What decides whom to trust is nobody's who may not have it. */
static void test_written_by_everybody(void **state)
{
    (void)state;
    file_put("live", "[names]\ncomputer = X\n");
    static const enum config_source sources[] = {CONFIG_SYSTEM, CONFIG_USER, CONFIG_WANTED};
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        assert_int_equal(chmod(path_of("live"), 0602), 0);
        cause_clear();
        assert_int_equal(config_parse_file(&config, path_of("live"), sources[i], geteuid()), SEC_E_INTERNAL_ERROR);
        assert_non_null(strstr(cause_text(), "/live: everybody may write it (mode 0602)"));
        assert_int_equal(chmod(path_of("live"), 0664), 0); /* a group of administrators */
        assert_int_equal(config_parse_file(&config, path_of("live"), sources[i], geteuid()), SEC_E_OK);
    }
}

/* What has no text of its own would be an empty configuration, and what never ends none at all. */
static void test_no_ordinary_file(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
    assert_int_equal(config_parse_file(&config, path_of("fifo"), CONFIG_WANTED, geteuid()), SEC_E_INTERNAL_ERROR);
    assert_int_equal(unlink(path_of("fifo")), 0);
    file_put("live", "[names]\ncomputer = X\n#");
    FILE *file = fopen(path_of("live"), "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    for (long len = ftell(file); len < 1 << 20; len++)
        assert_int_equal(fputc(len % 64 == 0 ? '#' : len % 64 == 63 ? '\n' : ' ', file) == EOF, 0);
    assert_int_equal(fflush(file), 0);
    assert_int_equal(config_parse_file(&config, path_of("live"), CONFIG_WANTED, geteuid()), SEC_E_OK);
    assert_int_equal(fputc('#', file), '#');
    assert_int_equal(fclose(file), 0);
    assert_int_equal(config_parse_file(&config, path_of("live"), CONFIG_WANTED, geteuid()), SEC_E_INTERNAL_ERROR);
}

/* Without the variable, or with an empty one: the user's file, in XDG_CONFIG_HOME or under HOME. */
static void test_user_file(void **state)
{
    const struct config *found;
    (void)state;
    assert_int_equal(mkdir(path_of(".config"), 0700), 0);
    assert_int_equal(mkdir(path_of(".config/opensspi"), 0700), 0);
    assert_int_equal(mkdir(path_of("opensspi"), 0700), 0);
    file_put(".config/opensspi/opensspi.conf", "[names]\ncomputer = HOME\n");
    file_put("opensspi/opensspi.conf", "[names]\ncomputer = XDG\n");
    setenv("HOME", directory, 1);
    for (int i = 0; i < 4; i++) {
        if (i % 2 == 0)
            unsetenv("OPENSSPI_CONFIG");
        else
            setenv("OPENSSPI_CONFIG", "", 1);
        setenv("XDG_CONFIG_HOME", i < 2 ? directory : "relative/paths/do/not/count", 1);
        assert_int_equal(config_get(&found), SEC_E_OK);
        assert_string_equal(found->computer, i < 2 ? "XDG" : "HOME");
        assert_true(found->domain != NULL && found->dns_computer != NULL && found->stores.n_items == 1);
        config_release(found);
    }
    setenv("OPENSSPI_NTLM_USER_FILE", "/the/users", 1);
    file_put(".config/opensspi/opensspi.conf", "[names]\ncomputer = AGAIN\n[credentials]\nuser_file = /x\n");
    assert_int_equal(config_get(&found), SEC_E_OK);
    assert_string_equal(found->user_file, "/the/users");
    config_release(found);
    unsetenv("OPENSSPI_NTLM_USER_FILE");
}

/* A user's own file, and not somebody else's who has the HOME of this process: whose it is says the file that was opened. */
static void test_of_somebody_else(void **state)
{
    const uid_t owner = geteuid() != 0 ? geteuid() : 4242;
    (void)state;
    file_put("user", "[names]\ncomputer = TWO\n");
    assert_int_equal(chown(path_of("user"), owner, (gid_t)-1), 0);
    assert_int_equal(parse("[names]\ncomputer = ONE\n"), SEC_E_OK);
    assert_int_equal(config_parse_file(&config, path_of("user"), CONFIG_USER, owner + 1), SEC_E_OK);
    assert_string_equal(config.computer, "ONE");
    assert_int_equal(config_parse_file(&config, path_of("user"), CONFIG_USER, owner), SEC_E_OK);
    assert_string_equal(config.computer, "TWO");
    assert_int_equal(parse(""), SEC_E_OK);
    assert_int_equal(config_parse_file(&config, path_of("user"), CONFIG_WANTED, owner + 1), SEC_E_OK);
    assert_string_equal(config.computer, "TWO");
    /* Whatever he makes of it: what cannot be opened at all is a fault of his own file only. */
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    snprintf(place.sun_path, sizeof place.sun_path, "%s", path_of("socket"));
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server, (const struct sockaddr *)&place, sizeof place), 0);
    assert_int_equal(chown(path_of("socket"), owner, (gid_t)-1), 0);
    assert_int_equal(config_parse_file(&config, path_of("socket"), CONFIG_USER, owner + 1), SEC_E_OK);
    assert_int_equal(config_parse_file(&config, path_of("socket"), CONFIG_USER, owner), SEC_E_INTERNAL_ERROR);
    close(server);
    unlink(place.sun_path);
}

static void configurations_are_alike(const struct config *found, const struct config *good)
{
    assert_string_equal(found->computer, good->computer);
    assert_string_equal(found->domain, good->domain);
    assert_string_equal(found->dns_computer, good->dns_computer);
    assert_int_equal(found->ntlm_targets.n_items, 2);
    assert_int_equal(found->stores.n_items, 1);
    assert_string_equal(found->stores.item[0], good->stores.item[0]);
}

/* What is read is kept for as long as the file stays: memory that was short for a moment must not be in it. */
static void test_without_memory(void **state)
{
    const struct config *good, *found;
    (void)state;
    unsetenv("OPENSSPI_CONFIG");
    setenv("XDG_CONFIG_HOME", directory, 1);
    unsetenv("XDG_DATA_HOME");
    file_put("opensspi/opensspi.conf", "[ntlm]\ntargets = a, b\n");
    assert_int_equal(config_get(&good), SEC_E_OK);
    bool struck = true;
    for (unsigned long n = 1; struck; n++) {
        file_put("opensspi/opensspi.conf", "[ntlm]\ntargets = a, b\n");
        mem_fault_set(n, false);
        SECURITY_STATUS status = config_get(&found);
        struck = mem_fault_count() >= n;
        mem_fault_set(0, false);
        if (status != SEC_E_OK) {
            assert_int_equal(status, SEC_E_INSUFFICIENT_MEMORY);
            assert_int_equal(config_get(&found), SEC_E_OK);
        }
        configurations_are_alike(found, good);
        config_release(found);
    }
    config_release(good);
}

#define SOMEBODY 61235
#define OWN_STORE "sqlite:/home/of/somebody/opensspi/accounts.db"

/* What a child of fork finds that gave root up: 0, or the line that is wrong. Twice: what it made of its parent's is what it keeps. */
static int child_finds(const char *computer, const char *store, bool sweep)
{
    const struct config *found = NULL, *again = NULL;
    SECURITY_STATUS status;
    unsigned long n = 0;
    if (setgid(SOMEBODY) != 0 || setuid(SOMEBODY) != 0)
        return __LINE__;
    do { /* with `sweep` without memory first */
        mem_fault_set(sweep ? ++n : 0, false);
        status = config_get(&found);
        mem_fault_set(0, false);
    } while (sweep && status == SEC_E_INSUFFICIENT_MEMORY && found == NULL && n < 100);
    if (computer == NULL)
        return status == SEC_E_INTERNAL_ERROR && found == NULL ? 0 : __LINE__;
    if (status != SEC_E_OK || config_get(&again) != SEC_E_OK || again != found || (sweep && n < 3))
        return __LINE__;
    bool same = strcmp(found->computer, computer) == 0 && found->stores.n_items == 1 &&
                strcmp(found->stores.item[0], store) == 0;
    config_release(found);
    config_release(again);
    return same ? 0 : __LINE__;
}

static void child_must_find(const char *computer, const char *store, bool sweep)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int line = child_finds(computer, store, sweep);
        if (line != 0)
            fprintf(stderr, "in the child: line %d\n", line);
        _exit(line != 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* A server's child that gave root up: what root read stays, of a file that is closed to the child, and of one in a place that is; the store that no
 * file names is its own, not root's. */
static void test_child_gives_root_up(void **state)
{
    const struct config *found;
    (void)state;
    assert_int_equal(geteuid(), 0);
    setenv("OPENSSPI_CONFIG", path_of("live"), 1);
    setenv("XDG_DATA_HOME", "/home/of/somebody", 1);
    for (mode_t mode = 0700; mode <= 0755; mode += 055) {
        assert_int_equal(chmod(directory, mode), 0);
        file_put("live", "[names]\ncomputer = ROOTS\n");
        assert_int_equal(chmod(path_of("live"), 0600), 0);
        assert_int_equal(config_get(&found), SEC_E_OK);
        assert_string_equal(found->stores.item[0], "sqlite:/var/lib/opensspi/accounts.db");
        config_release(found);
        child_must_find("ROOTS", OWN_STORE, false);
        child_must_find("ROOTS", OWN_STORE, true);
        file_put("live", "[accounts]\nstores = sam:/s\n[names]\ncomputer = ROOTS\n");
        assert_int_equal(config_get(&found), SEC_E_OK);
        config_release(found);
        child_must_find("ROOTS", "sam:/s", false);
    }
    /* A file that the child sees to be another is read, or nothing is. */
    file_put("live", "[names]\ncomputer = CHANGED\n");
    assert_int_equal(chmod(path_of("live"), 0600), 0);
    child_must_find(NULL, NULL, false);
    assert_int_equal(chmod(path_of("live"), 0644), 0);
    child_must_find("CHANGED", OWN_STORE, false);
    assert_int_equal(chmod(directory, 0700), 0);
    unsetenv("XDG_DATA_HOME");
}

/* With other paths in its environment the child reads what is there; without a place of its own for the store that is in its home as the environment
 * has it. */
static void test_child_chooses_other_files(void **state)
{
    const struct config *found;
    const char *home = getenv("HOME");
    char *before = home != NULL ? mem_strdup(home) : NULL;
    (void)state;
    assert_int_equal(chmod(directory, 0755), 0);
    file_put("live", "[names]\ncomputer = ROOTS\n");
    file_put("user", "[names]\ncomputer = OTHERS\n");
    setenv("OPENSSPI_CONFIG", path_of("live"), 1);
    setenv("HOME", "/home/of/root", 1);
    assert_int_equal(config_get(&found), SEC_E_OK);
    config_release(found);
    child_must_find("ROOTS", "sqlite:/home/of/root/.local/share/opensspi/accounts.db", false);
    setenv("OPENSSPI_CONFIG", path_of("user"), 1);
    assert_int_equal(chmod(path_of("user"), 0600), 0);
    child_must_find(NULL, NULL, false);
    assert_int_equal(chmod(path_of("user"), 0644), 0);
    child_must_find("OTHERS", "sqlite:/home/of/root/.local/share/opensspi/accounts.db", false);
    assert_int_equal(chmod(directory, 0700), 0);
    if (before != NULL)
        setenv("HOME", before, 1);
    else
        unsetenv("HOME");
    mem_free(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_wrong_lines),
        cmocka_unit_test(test_one_over_another),
        cmocka_unit_test(test_change_is_noticed),
        cmocka_unit_test(test_written_by_everybody),
        cmocka_unit_test(test_no_ordinary_file),
        cmocka_unit_test(test_of_somebody_else),
        cmocka_unit_test(test_user_file),
        cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_child_gives_root_up),
        cmocka_unit_test(test_child_chooses_other_files),
    };
    static const char *const files[] = {"system", "user", "live", ".config/opensspi/opensspi.conf",
                                        "opensspi/opensspi.conf"};
    static const char *const folders[] = {".config/opensspi", ".config", "opensspi"};
    if (mkdtemp(directory) == NULL)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    config_clear(&config);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        unlink(path_of(files[i]));
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        rmdir(path_of(folders[i]));
    return rmdir(directory) != 0 ? 1 : failed;
}
