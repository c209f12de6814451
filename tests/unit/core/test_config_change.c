/*
 * A configuration that is written over while it is read. `read` stands before the C library's here, and does the writing in between.
 * build: all
 */
#undef _FORTIFY_SOURCE
#include "core/config_parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/cause.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BEFORE "[ntlm]\nallow_lm = no \nallow_v1 = no \n"
#define AFTER "[ntlm]\nallow_lm = yes\nallow_v1 = yes\n"

static char path[64];
static const char *written; /* over the file, once, after half of it was read */
static bool keeps_time;     /* only the length tells then */
static unsigned n_writes;

static void file_write(const char *text)
{
    /* a file's time is as coarse as the kernel's clock */
    const struct timespec when = {.tv_sec = 1000 + (keeps_time ? 0 : (time_t)n_writes)}, times[2] = {when, when};
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(futimens(fd, times), 0);
    assert_int_equal(close(fd), 0);
    n_writes++;
}

__attribute__((visibility("default"))) ssize_t read(int fd, void *data, size_t len)
{
    if (written == NULL)
        return (ssize_t)syscall(SYS_read, fd, data, len);
    ssize_t got = (ssize_t)syscall(SYS_read, fd, data, len / 2);
    file_write(written);
    written = NULL;
    return got;
}

static SECURITY_STATUS parse(const char *then)
{
    struct config config = {0};
    config_defaults(&config);
    cause_clear();
    written = then;
    SECURITY_STATUS status = config_parse_file(&config, path, CONFIG_WANTED, geteuid());
    assert_null(written);
    config_clear(&config);
    return status;
}

static void changes_are_errors(const char *then)
{
    file_write(BEFORE);
    assert_int_equal(parse(then), SEC_E_INTERNAL_ERROR);
    assert_non_null(strstr(cause_text(), "while it was read; try again"));
    assert_int_equal(parse(NULL), SEC_E_OK);
}

static void test_changes(void **state)
{
    (void)state;
    keeps_time = false;
    changes_are_errors(AFTER); /* of the same length */
    keeps_time = true;
    changes_are_errors(AFTER "allow_anonymous = no\n");
    changes_are_errors("[ntlm]\n");
}

static int begin(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/opensspi-config-change-XXXXXX");
    int fd = mkstemp(path);
    return fd >= 0 ? close(fd) : -1;
}

static int end(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_changes)};
    return cmocka_run_group_tests(tests, begin, end);
}
