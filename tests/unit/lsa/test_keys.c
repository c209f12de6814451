/*
 * Private keys that the daemon keeps (lsad/keys.c): how long it keeps one that it has read.
 * build: all
 */
#include "support/ntlm_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/config.h"
#include "server.h"
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

static char key_path[200];
static int opened; /* tells when the file is */

/* What a request under `config` begins with. */
static const struct config *configured(const char *name)
{
    char path[200];
    const struct config *config = NULL;
    snprintf(path, sizeof path, "%s/%s.conf", loop_directory(), name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fprintf(file, "[lsa]\nkey = %s root %s\n", name, key_path) > 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(setenv("OPENSSPI_CONFIG", path, 1), 0);
    assert_int_equal(config_get(&config), SEC_E_OK);
    return config;
}

static int begin(void **state)
{
    (void)state;
    loop_configure(NULL);
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    snprintf(key_path, sizeof key_path, "%s/web.key", loop_directory());
    mode_t before = umask(077);
    FILE *file = fopen(key_path, "w");
    umask(before);
    bool written = pkey != NULL && file != NULL && PEM_write_PrivateKey(file, pkey, NULL, NULL, 0, NULL, NULL) == 1 &&
                   fclose(file) == 0;
    EVP_PKEY_free(pkey);
    opened = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    return written && opened >= 0 && inotify_add_watch(opened, key_path, IN_OPEN) >= 0 ? 0 : -1;
}

static int end(void **state)
{
    close(opened);
    return loop_teardown(state);
}

/* A request for the key that began under `config`, where it has this name. Was its file read? */
static bool request_reads(const struct config *config, const char *name)
{
    char events[4096];
    struct job job = {.reply = writer_growing(256)};
    job.message.field[LSA_KEY_NAME] = slice_of(name, strlen(name));
    keys_follow(config);
    assert_int_equal(run_key(&job, config), SEC_E_OK);
    writer_release(&job.reply);
    return read(opened, events, sizeof events) > 0;
}

/* The same configuration reads its key once, and another one that names the same file takes it over. */
static void test_read_once(void **state)
{
    (void)state;
    const struct config *one = configured("one");
    assert_true(request_reads(one, "one"));
    assert_false(request_reads(one, "one"));
    const struct config *two = configured("two");
    assert_false(request_reads(two, "two"));
    config_release(one);
    config_release(two);
}

/* Requests that began before a key was taken out, and come late, have it once more, but nothing is kept of it for them. */
static void test_late_requests(void **state)
{
    char web[200];
    (void)state;
    const struct config *old = configured("old");
    (void)request_reads(old, "old");
    assert_false(request_reads(old, "old"));
    snprintf(web, sizeof web, "%s", key_path);
    snprintf(key_path, sizeof key_path, "/dev/null");
    const struct config *fresh = configured("fresh");
    snprintf(key_path, sizeof key_path, "%s", web);
    keys_follow(fresh);
    for (int i = 0; i < 3; i++)
        assert_true(request_reads(old, "old"));
    /* What is kept for the newer one is the newer one's. */
    const struct config *newer = configured("newer");
    assert_true(request_reads(newer, "newer"));
    assert_false(request_reads(newer, "newer"));
    keys_follow(fresh);
    assert_false(request_reads(newer, "newer"));
    assert_false(request_reads(old, "old"));
    config_release(old);
    config_release(fresh);
    config_release(newer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_once),
        cmocka_unit_test(test_late_requests),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
