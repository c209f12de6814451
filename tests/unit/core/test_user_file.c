/*
 * The file of default credentials, "DOMAIN:user:password" a line.
 */
#undef _FORTIFY_SOURCE /* `read` is defined here */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "core/cause.h"
#include "core/user_file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Stands before the C library's for this program: what a file meets while it is read. */
static void (*before_read)(void);
static int interruptions;
static bool broken;
static size_t piece = SIZE_MAX;

__attribute__((visibility("default"))) ssize_t read(int fd, void *bytes, size_t len)
{
    if (interruptions > 0 || broken) {
        errno = broken ? EIO : EINTR;
        interruptions -= broken ? 0 : 1;
        return -1;
    }
    if (before_read != NULL)
        before_read();
    return syscall(SYS_read, fd, bytes, len < piece ? len : piece);
}

#define FILE_TEXT                  \
    "# default credentials\n"      \
    "\n"                           \
    "EXAMPLE:alice:Password1!\n"   \
    "EXAMPLE:bob:with:colons \r\n" \
    "OTHER:alice:other\n"          \
    ":carol:\n"                    \
    "EXAMPLE:\xc3\xa4rger:\xe2\x82\xac" /* no newline at the end */

static SECURITY_STATUS search(const char *text, const char *user, const char *domain, struct identity *identity)
{
    cause_clear();
    return user_file_search("users", slice_of_text(text), slice_of_text(user), slice_of_text(domain), identity);
}

static void check(const char *user, const char *domain, const char *wanted_user, const char *wanted_domain,
                  const char *wanted_password)
{
    AUTO_IDENTITY struct identity identity = {0};
    assert_int_equal(search(FILE_TEXT, user, domain, &identity), SEC_E_OK);
    assert_string_equal(identity.user, wanted_user);
    assert_string_equal(identity.domain, wanted_domain);
    assert_true(identity.has_password && !identity.password_is_hash);
    assert_int_equal(identity.password.len, 2 * strlen(wanted_password));
    for (size_t i = 0; wanted_password[i] != '\0'; i++)
        assert_true(identity.password.data[2 * i] == (uint8_t)wanted_password[i] &&
                    identity.password.data[2 * i + 1] == 0);
}

static void test_search(void **state)
{
    (void)state;
    check(NULL, NULL, "alice", "EXAMPLE", "Password1!");
    check("bob", NULL, "bob", "EXAMPLE", "with:colons ");
    check("ALICE", "other", "alice", "OTHER", "other");
    check(NULL, "OTHER", "alice", "OTHER", "other");
    check("carol", NULL, "carol", "", "");
    check("carol", "ANY", "carol", "ANY", ""); /* an empty DOMAIN fits every domain */
    check("alice", "", "alice", "EXAMPLE", "Password1!");
    AUTO_IDENTITY struct identity umlaut = {0};
    assert_int_equal(search(FILE_TEXT, "\xc3\x84RGER", NULL, &umlaut), SEC_E_OK); /* without regard to case */
    assert_int_equal(umlaut.password.len, 2);
    assert_memory_equal(umlaut.password.data, "\xac\x20", 2);
    AUTO_IDENTITY struct identity none = {0};
    assert_int_equal(search(FILE_TEXT, "dave", NULL, &none), SEC_E_NO_CREDENTIALS);
    assert_int_equal(search(FILE_TEXT, "bob", "OTHER", &none), SEC_E_NO_CREDENTIALS);
    assert_int_equal(search("", NULL, NULL, &none), SEC_E_NO_CREDENTIALS);
    assert_null(none.user);
}

static void test_damaged(void **state)
{
    static const struct {
        const char *text, *cause;
    } cases[] = {
        {"EXAMPLE:alice\n", "users:1:"},
        {"# one\n\nnothing\nA:b:c\n", "users:3:"},
        {"EXAMPLE::secret\n", "users:1:"},
        {"EXAMPLE:alice:\xe4\n", "users:1:"},
    };
    AUTO_IDENTITY struct identity identity = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(search(cases[i].text, NULL, NULL, &identity), SEC_E_INTERNAL_ERROR);
        assert_int_equal(strncmp(cause_text(), cases[i].cause, strlen(cases[i].cause)), 0);
        assert_null(strstr(cause_text(), "secret"));
    }
    assert_int_equal(
        user_file_search("users", slice_of("A:b:c\0d\n", 8), slice_of_text(NULL), slice_of_text(NULL), &identity),
        SEC_E_INTERNAL_ERROR);
}

static SECURITY_STATUS find(const char *path, const char *principal, struct identity *identity)
{
    cause_clear();
    return user_file_find(path, principal, NULL, NULL, identity);
}

static void test_file(void **state)
{
    char path[] = "/tmp/opensspi-users-XXXXXX";
    int fd = mkstemp(path);
    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, FILE_TEXT, strlen(FILE_TEXT)), strlen(FILE_TEXT));
    close(fd);
    static const struct {
        const char *principal, *domain;
    } cases[] = {
        {NULL, "EXAMPLE"}, {"", "EXAMPLE"}, {"alice", "EXAMPLE"}, {"OTHER\\alice", "OTHER"}, {"alice@other", "OTHER"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_IDENTITY struct identity identity = {0};
        assert_int_equal(find(path, cases[i].principal, &identity), SEC_E_OK);
        assert_string_equal(identity.user, "alice");
        assert_string_equal(identity.domain, cases[i].domain);
    }
    AUTO_IDENTITY struct identity none = {0};
    assert_int_equal(find(path, "WRONG\\alice", &none), SEC_E_NO_CREDENTIALS);
    assert_int_equal(find(NULL, NULL, &none), SEC_E_NO_CREDENTIALS);
    assert_int_equal(find("/nowhere/users", NULL, &none), SEC_E_NO_CREDENTIALS);
    assert_int_equal(find("/tmp", NULL, &none), SEC_E_INTERNAL_ERROR);
    static const mode_t open_modes[] = {0604, 0602, 0601, 0620, 0666};
    for (size_t i = 0; i < sizeof open_modes / sizeof open_modes[0]; i++) {
        assert_int_equal(chmod(path, open_modes[i]), 0);
        assert_int_equal(find(path, NULL, &none), SEC_E_INTERNAL_ERROR);
        assert_non_null(strstr(cause_text(), path));
    }
    assert_int_equal(chmod(path, 0600), 0);
    if (geteuid() == 0) { /* else nobody else's file can be made */
        assert_int_equal(chown(path, 4242, (gid_t)-1), 0);
        assert_int_equal(find(path, NULL, &none), SEC_E_INTERNAL_ERROR);
        assert_non_null(strstr(cause_text(), path));
        assert_int_equal(chown(path, 0, (gid_t)-1), 0);
    }
    assert_int_equal(unlink(path), 0);
}

/* A name alone may tell its domain, however it came; the name of an identity with a domain of its own may not. A name is first taken as it is. */
static void test_names_with_domains(void **state)
{
    static const char lines[] = "EXAMPLE:alice:first\n"
                                "OTHER:alice:second\n"
                                "EXAMPLE:bob@other:third\n"
                                "OTHER:bob:fourth\n"
                                "EXAMPLE:OTHER\\erin:fifth\n"
                                ":carol:sixth\n";
    static const struct {
        const char *principal, *user, *domain, *password, *kept_domain; /* no password: none is found */
    } cases[] = {
        {NULL, "alice", NULL, "first", "EXAMPLE"},
        {NULL, "OTHER\\alice", NULL, "second", "OTHER"},
        {NULL, "other\\ALICE", "", "second", "OTHER"},
        {NULL, "alice@other", NULL, "second", "OTHER"},
        {"OTHER\\alice", NULL, NULL, "second", "OTHER"},
        {"alice@other", NULL, NULL, "second", "OTHER"},
        {NULL, "bob@other", NULL, "third", "EXAMPLE"},
        {"bob@other", NULL, NULL, "third", "EXAMPLE"},
        {NULL, "bob@other", "OTHER", NULL, NULL},
        {NULL, "alice@other", "EXAMPLE", NULL, NULL},
        {NULL, "OTHER\\erin", "EXAMPLE", "fifth", "EXAMPLE"},
        {NULL, "OTHER\\erin", NULL, "fifth", "EXAMPLE"},
        {NULL, "OTHER\\alice", "EXAMPLE", NULL, NULL},
        {NULL, "EXAMPLE\\alice", "OTHER", NULL, NULL},
        {NULL, "WRONG\\alice", NULL, NULL, NULL},
        {NULL, "alice@wrong", NULL, NULL, NULL},
        {NULL, "OTHER\\", NULL, NULL, NULL},
        {NULL, "@OTHER", NULL, NULL, NULL},
        {NULL, "ANY\\carol", NULL, "sixth", "ANY"},
        {NULL, "carol@any", NULL, "sixth", "any"},
        {"alice", "OTHER\\alice", NULL, "second", "OTHER"}, /* the identity is nearer */
        {"OTHER\\alice", "alice", NULL, "first", "EXAMPLE"},
        {"OTHER\\alice", "alice", "EXAMPLE", "first", "EXAMPLE"},
    };
    char path[] = "/tmp/opensspi-users-XXXXXX";
    int fd = mkstemp(path);
    (void)state;
    assert_true(fd >= 0 && write(fd, lines, sizeof lines - 1) == (ssize_t)sizeof lines - 1 && close(fd) == 0);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO_IDENTITY struct identity found = {0};
        cause_clear();
        SECURITY_STATUS status = user_file_find(path, cases[i].principal, cases[i].user, cases[i].domain, &found);
        bool wanted = cases[i].password != NULL;
        if (status != (wanted ? SEC_E_OK : SEC_E_NO_CREDENTIALS) || (*cause_text() == '\0') != wanted ||
            (wanted && (found.password.len != 2 * strlen(cases[i].password) ||
                        found.password.data[2] != (uint8_t)cases[i].password[1] ||
                        strcmp(found.domain, cases[i].kept_domain) != 0)))
            fail_msg("%s, %s, %s: 0x%08x %s", cases[i].principal, cases[i].user, cases[i].domain, (unsigned)status,
                     cause_text());
    }
    assert_int_equal(unlink(path), 0);
}

static void test_sizes(void **state)
{
    char path[] = "/tmp/opensspi-users-XXXXXX", *lines = malloc(USER_FILE_MAX + 1);
    AUTO_IDENTITY struct identity none = {0};
    int fd = mkstemp(path);
    (void)state;
    assert_true(fd >= 0 && lines != NULL);
    memset(lines, '\n', USER_FILE_MAX + 1);
    assert_int_equal(find(path, NULL, &none), SEC_E_NO_CREDENTIALS);
    assert_int_equal(write(fd, lines, USER_FILE_MAX), USER_FILE_MAX);
    assert_int_equal(find(path, NULL, &none), SEC_E_NO_CREDENTIALS);
    assert_int_equal(write(fd, lines, 1), 1);
    assert_int_equal(find(path, NULL, &none), SEC_E_INTERNAL_ERROR);
    close(fd);
    free(lines);
    assert_int_equal(unlink(path), 0);
}

static char changing[] = "/tmp/opensspi-users-XXXXXX";

static void file_write(const char *text)
{
    int fd = open(changing, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}

static void grow(void)
{
    before_read = NULL;
    file_write("EXAMPLE:alice:another password");
}

static void shrink(void)
{
    before_read = NULL;
    file_write("EXAMPLE:al");
}

static void write_over(void)
{
    struct timespec later[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 4000000000}};
    before_read = NULL;
    file_write("EXAMPLE:alice:ffff");
    assert_int_equal(utimensat(AT_FDCWD, changing, later, 0), 0); /* clocks of files are coarse */
}

static void write_over_at_once(void)
{
    struct stat now;
    before_read = NULL;
    assert_int_equal(stat(changing, &now), 0);
    file_write("EXAMPLE:alice:ffff");
    struct timespec later[2] = {{.tv_nsec = UTIME_OMIT}, {now.st_mtim.tv_sec, now.st_mtim.tv_nsec ^ 1}};
    assert_int_equal(utimensat(AT_FDCWD, changing, later, 0), 0);
}

/* What is written while it is read is neither cut nor of two states. */
static void test_changes(void **state)
{
    static void (*const changes[])(void) = {grow, shrink, write_over, write_over_at_once};
    int fd = mkstemp(changing);
    (void)state;
    assert_true(fd >= 0 && close(fd) == 0);
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        AUTO_IDENTITY struct identity none = {0};
        file_write("EXAMPLE:alice:pass");
        before_read = changes[i];
        assert_int_equal(find(changing, NULL, &none), SEC_E_INTERNAL_ERROR);
        assert_null(before_read);
        assert_non_null(strstr(cause_text(), "changed while it was read"));
        assert_null(none.user);
    }
    /* What comes in pieces, or after a signal, is all there. */
    file_write("EXAMPLE:alice:pass");
    AUTO_IDENTITY struct identity whole = {0};
    interruptions = 2;
    piece = 5;
    SECURITY_STATUS status = find(changing, NULL, &whole);
    piece = SIZE_MAX;
    assert_int_equal(interruptions, 0);
    assert_int_equal(status, SEC_E_OK);
    assert_int_equal(whole.password.len, 2 * strlen("pass"));
    AUTO_IDENTITY struct identity none = {0};
    broken = true;
    status = find(changing, NULL, &none);
    broken = false;
    assert_int_equal(status, SEC_E_INTERNAL_ERROR);
    assert_non_null(strstr(cause_text(), "cannot be read"));
    assert_int_equal(unlink(changing), 0);
}

/* A line that fits is not passed over for want of memory: the next one that does is somebody else's. */
static void test_without_memory(void **state)
{
    static const char text[] = "EXAMPLE:alice:first\n:alice:second\n";
    (void)state;
    bool struck = true;
    for (unsigned long n = 1; struck; n++) {
        AUTO_IDENTITY struct identity identity = {0};
        mem_fault_set(n, false);
        SECURITY_STATUS status = search(text, "alice", "EXAMPLE", &identity);
        struck = mem_fault_count() >= n;
        mem_fault_set(0, false);
        assert_int_equal(status, struck ? SEC_E_INSUFFICIENT_MEMORY : SEC_E_OK);
        if (status == SEC_E_OK)
            assert_int_equal(identity.password.len, 2 * strlen("first"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_search),        cmocka_unit_test(test_damaged),
                                       cmocka_unit_test(test_file),          cmocka_unit_test(test_names_with_domains),
                                       cmocka_unit_test(test_sizes),         cmocka_unit_test(test_changes),
                                       cmocka_unit_test(test_without_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
