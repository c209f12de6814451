/*
 * Stores that are text files, read anew whenever they change.
 * build: all
 */
#include "accounts_test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

#define ALICE_NTLM "8846F7EAEE8FB117AD06BDD830B7586C" /* NT hash of "password" */

/* Bytes of this process's memory that stay out of core dumps: what secret blocks lie in. */
static size_t secret_pages(void)
{
    char line[512];
    size_t size = 0, sum = 0;
    FILE *maps = fopen("/proc/self/smaps", "r");
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps) != NULL) {
        size_t kib;
        if (sscanf(line, "Size: %zu kB", &kib) == 1)
            size = kib << 10;
        if (strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " dd") != NULL)
            sum += size;
    }
    fclose(maps);
    return sum;
}

/* A SAM file of exactly so many bytes with one account; comments fill it. */
static void sam_put(const char *path, size_t len, char filler)
{
    static const char account[] = "alice:::" ALICE_NTLM ":::\n";
    char *text = malloc(len + 1);
    assert_non_null(text);
    memset(text, '\n', len);
    memcpy(text, account, sizeof account - 1);
    text[len - 2] = '#';
    text[len - 1] = filler;
    text[len] = '\0';
    file_put(path, text, 0600);
    free(text);
}

/* However long the file is, reading it again and again takes no more memory than reading it once. (Secret blocks go back by their length.) */
static void test_reading_again_takes_no_memory(void **state)
{
    static const size_t lens[] = {1024, 4096, 8192};
    char path[96], name[112];
    (void)state;
    snprintf(path, sizeof path, "%s/sam", test_directory);
    snprintf(name, sizeof name, "sam:%s", path);
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        sam_put(path, lens[i], 'a');
        struct accounts *accounts = stores_open(name, 0);
        size_t before = 0;
        for (unsigned times = 0; times < 400; times++) {
            /* another time of change each time, so that the file is read */
            const struct timespec changed[2] = {{.tv_sec = 1000000 + times}, {.tv_sec = 1000000 + times}};
            assert_int_equal(utimensat(AT_FDCWD, path, changed, 0), 0);
            assert_int_equal(logon(accounts, "", "alice", "password"), SEC_E_OK);
            if (times == 20)
                before = secret_pages();
        }
        assert_true(secret_pages() <= before + ((size_t)64 << 10));
        accounts_close(accounts);
    }
}

static atomic_bool enough;

static void *open_and_close(void *store)
{
    const char *name = store;
    const struct account_policy policy = {.lockout_threshold = 1};
    while (!atomic_load(&enough)) {
        struct accounts *accounts = NULL;
        if (accounts_open(&name, 1, "HOST", &policy, &accounts) == SEC_E_OK)
            accounts_close(accounts);
    }
    return NULL;
}

/* Who forks while another thread opens a store: the child opens another one. */
static void test_children_open_stores(void **state)
{
    char path[96], names[2][112];
    pthread_t other;
    int status = 0;
    (void)state;
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/sam%d", test_directory, i);
        snprintf(names[i], sizeof names[i], "sam:%s", path);
        sam_put(path, 1024, 'a');
    }
    assert_int_equal(pthread_create(&other, NULL, open_and_close, names[0]), 0);
    for (int i = 0; i < 100 && status == 0; i++) {
        pid_t child = fork();
        if (child == 0) {
            const char *name = names[1];
            const struct account_policy policy = {.lockout_threshold = 1};
            struct accounts *accounts = NULL;
            alarm(20);
            _exit(accounts_open(&name, 1, "HOST", &policy, &accounts) == SEC_E_OK ? 0 : 1);
        }
        status = -1;
        if (child > 0)
            (void)waitpid(child, &status, 0);
    }
    atomic_store(&enough, true);
    assert_int_equal(pthread_join(other, NULL), 0);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_reading_again_takes_no_memory, directory_make, directory_remove),
        cmocka_unit_test_setup_teardown(test_children_open_stores, directory_make, directory_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
