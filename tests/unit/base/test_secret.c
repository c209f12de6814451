#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "base/secret.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void wipe_clears(void **state)
{
    uint8_t bytes[5] = {1, 2, 3, 4, 5};
    struct key16 key;

    (void)state;
    secret_wipe(bytes, 4);
    assert_memory_equal(bytes, "\0\0\0\0\5", 5);
    secret_wipe(NULL, 0);
    secret_wipe(bytes, 0);
    memset(&key, 1, sizeof(key));
    key16_wipe(&key);
    for (size_t i = 0; i < sizeof(key.bytes); i++)
        assert_int_equal(key.bytes[i], 0);
}

static void equal_sees_every_bit(void **state)
{
    uint8_t a[33], b[33];

    (void)state;
    for (size_t i = 0; i < sizeof(a); i++)
        a[i] = b[i] = (uint8_t)(i * 7);
    assert_true(secret_equal(a, b, sizeof(a)));
    for (size_t bit = 0; bit < 8 * sizeof(a); bit++) {
        b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(secret_equal(a, b, sizeof(a)));
        b[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(secret_equal(a, "", 0));
    assert_true(secret_equal(NULL, NULL, 0));
}

static void zeros_are_told_from_other_bytes(void **state)
{
    uint8_t bytes[33] = {0};

    (void)state;
    assert_true(secret_is_zero(bytes, sizeof(bytes)));
    for (size_t bit = 0; bit < 8 * sizeof(bytes); bit++) {
        bytes[bit / 8] = (uint8_t)(1 << bit % 8);
        assert_false(secret_is_zero(bytes, sizeof(bytes)));
        assert_int_equal(secret_is_zero(bytes, bit / 8), true);
        bytes[bit / 8] = 0;
    }
    assert_true(secret_is_zero(NULL, 0));
}

static void secrets_are_set_and_released(void **state)
{
    struct secret secret = {.data = NULL};

    (void)state;
    assert_true(secret_set(&secret, "password", 8));
    assert_int_equal(secret.len, 8);
    assert_memory_equal(secret_slice(&secret).data, "password", 8);
    /* From its own bytes. */
    assert_true(secret_set(&secret, secret.data + 4, 4));
    assert_int_equal(secret.len, 4);
    assert_memory_equal(secret.data, "word", 4);
    assert_true(secret_alloc(&secret, 100));
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(secret.data[i], 0);
    assert_true(secret_set(&secret, NULL, 0));
    assert_int_equal(secret.len, 0);
    secret_release(&secret);
    assert_null(secret.data);
    secret_release(&secret);
    secret_release(NULL);
}

static void failure_leaves_the_secret(void **state)
{
    AUTO_SECRET struct secret secret = {.data = NULL};

    (void)state;
    assert_true(secret_set(&secret, "old", 3));
    mem_fault_set(1, true);
    assert_false(secret_set(&secret, "newer", 5));
    assert_false(secret_alloc(&secret, 5));
    mem_fault_set(0, false);
    assert_int_equal(secret.len, 3);
    assert_memory_equal(secret.data, "old", 3);
}

static void free_text_takes_null(void **state)
{
    (void)state;
    secret_free_text(mem_strdup("password"));
    secret_free_text(NULL);
}

/* Every size around every class border: zeroed, apart from its neighbours, aligned, and clean when it comes again. */
static void blocks_of_every_size(void **state)
{
    (void)state;
    for (size_t len = 0; len < 10000; len += len < 300 ? 1 : 97) {
        uint8_t *blocks[3];

        for (unsigned i = 0; i < 3; i++) {
            blocks[i] = secret_block_alloc(len);
            assert_non_null(blocks[i]);
            assert_int_equal((uintptr_t)blocks[i] % 16, 0);
            for (size_t n = 0; n < len; n++)
                assert_int_equal(blocks[i][n], 0);
            memset(blocks[i], (int)i + 1, len);
        }
        for (unsigned i = 0; i < 3; i++) {
            for (size_t n = 0; n < len; n++)
                assert_int_equal(blocks[i][n], i + 1);
            secret_block_free(blocks[i], len);
        }
    }
    secret_block_free(NULL, 10);
    assert_null(secret_block_alloc(SIZE_MAX));
    assert_null(secret_block_alloc(SIZE_MAX - 5000));
}

static atomic_bool goes_on; /* until the test says otherwise; 50,000 rounds at least */

static void *churn(void *seed)
{
    unsigned random = (unsigned)(uintptr_t)seed;
    struct {
        uint8_t *data;
        size_t len;
    } held[32] = {{NULL, 0}};

    for (unsigned round = 0; round < 50000 || atomic_load(&goes_on); round++) {
        unsigned slot = (unsigned)rand_r(&random) % (unsigned)COUNT_OF(held);

        for (size_t i = 0; i < held[slot].len; i++)
            if (held[slot].data[i] != (uint8_t)slot)
                return "overwritten";
        secret_block_free(held[slot].data, held[slot].len);
        held[slot].len = (size_t)rand_r(&random) % 200;
        held[slot].data = secret_block_alloc(held[slot].len);
        for (size_t i = 0; i < held[slot].len; i++)
            if (held[slot].data[i] != 0)
                return "not zeroed";
        memset(held[slot].data, (int)slot, held[slot].len);
    }
    for (unsigned slot = 0; slot < COUNT_OF(held); slot++)
        secret_block_free(held[slot].data, held[slot].len);
    return NULL;
}

static void threads_do_not_meet_in_a_block(void **state)
{
    pthread_t threads[4];
    void *complaint;

    (void)state;
    for (uintptr_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, churn, (void *)(i + 1)), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        assert_int_equal(pthread_join(threads[i], &complaint), 0);
        assert_null(complaint);
    }
}

/* A child forked while other threads allocate must not find a lock held for ever. */
static void fork_amid_allocation_leaves_no_lock_behind(void **state)
{
    pthread_t thread;
    void *complaint;
    int status;

    (void)state;
    atomic_store(&goes_on, true);
    assert_int_equal(pthread_create(&thread, NULL, churn, (void *)(uintptr_t)9), 0);
    for (unsigned i = 0; i < 20; i++) {
        pid_t child = fork();

        if (child == 0) {
            alarm(60);
            for (size_t len = 1; len < 300; len++)
                secret_block_free(secret_block_alloc(len), len);
            _exit(0);
        }
        assert_true(child > 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    atomic_store(&goes_on, false);
    assert_int_equal(pthread_join(thread, &complaint), 0);
    assert_null(complaint);
}

#if !defined(__SANITIZE_ADDRESS__)
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_SANITIZER 1
#endif
#endif
#ifndef UNDER_SANITIZER
/* Says "dd" among the flags of the mapping that holds `address` (proc(5), VmFlags: do not include area into core dump). */
static bool kept_out_of_core_dumps(const void *address)
{
    FILE *maps = fopen("/proc/self/smaps", "r");
    char line[512];
    bool inside = false, kept = false;

    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps) != NULL) {
        unsigned long from, to;

        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            inside = (uintptr_t)address >= from && (uintptr_t)address < to;
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            kept = strstr(line, " dd") != NULL;
    }
    fclose(maps);
    return kept;
}

static void blocks_are_kept_out_of_core_dumps(void **state)
{
    static const size_t lens[] = {1, 100, 4096, 4097, 100000};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lens); i++) {
        void *block = secret_block_alloc(lens[i]);

        assert_true(kept_out_of_core_dumps(block));
        secret_block_free(block, lens[i]);
    }
    assert_false(kept_out_of_core_dumps(lens));
}

#define BLOCKS 8 /* twice what a thread keeps */
#define BLOCK_LEN ((size_t)1500)

static uint8_t *blocks[BLOCKS];
static pthread_barrier_t freed, looked;

static void *free_all(void *wait)
{
    for (size_t i = 0; i < BLOCKS; i++)
        secret_block_free(blocks[i], BLOCK_LEN);
    if (wait != NULL) {
        (void)pthread_barrier_wait(&freed);
        (void)pthread_barrier_wait(&looked);
    }
    return NULL;
}

static void *take_and_free(void *unused)
{
    (void)unused;
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = secret_block_alloc(BLOCK_LEN);
        if (blocks[i] == NULL)
            return "no memory";
    }
    return free_all(NULL);
}

/* How many of `blocks` are handed out again among the next: those that this thread keeps itself come first. */
static size_t found_again(void)
{
    uint8_t *again[2 * BLOCKS];
    size_t found = 0;

    for (size_t i = 0; i < COUNT_OF(again); i++) {
        again[i] = secret_block_alloc(BLOCK_LEN);
        assert_non_null(again[i]);
        assert_true(secret_is_zero(again[i], BLOCK_LEN));
        for (size_t n = 0; n < BLOCKS; n++)
            found += again[i] == blocks[n];
    }
    for (size_t i = 0; i < COUNT_OF(again); i++)
        secret_block_free(again[i], BLOCK_LEN);
    return found;
}

static void run(void *(*work)(void *))
{
    pthread_t thread;
    void *complaint;

    assert_int_equal(pthread_create(&thread, NULL, work, NULL), 0);
    assert_int_equal(pthread_join(thread, &complaint), 0);
    assert_null(complaint);
}

static void blocks_of_ended_threads_come_again(void **state)
{
    (void)state;
    run(take_and_free);
    assert_int_equal(found_again(), BLOCKS);
}

static void fill_all(void)
{
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = secret_block_alloc(BLOCK_LEN);
        assert_non_null(blocks[i]);
        memset(blocks[i], 0xaa, BLOCK_LEN);
    }
}

static void blocks_may_be_freed_by_another_thread(void **state)
{
    (void)state;
    fill_all();
    run(free_all);
    assert_int_equal(found_again(), BLOCKS);
}

static void threads_that_live_keep_few(void **state)
{
    pthread_t thread;

    (void)state;
    fill_all();
    assert_int_equal(pthread_barrier_init(&freed, NULL, 2), 0);
    assert_int_equal(pthread_barrier_init(&looked, NULL, 2), 0);
    assert_int_equal(pthread_create(&thread, NULL, free_all, blocks), 0);
    (void)pthread_barrier_wait(&freed);
    assert_int_equal(found_again(), BLOCKS - 4);
    (void)pthread_barrier_wait(&looked);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(found_again(), BLOCKS);
    (void)pthread_barrier_destroy(&freed);
    (void)pthread_barrier_destroy(&looked);
}

static pthread_key_t late_key;

static void free_late(void *unused)
{
    (void)unused;
    (void)take_and_free(NULL);
}

static void *end_late(void *unused)
{
    (void)pthread_setspecific(late_key, blocks);
    return take_and_free(unused);
}

/* A program's own thread-specific data may hold contexts, which end after what the thread kept was given back. */
static void blocks_freed_after_the_end_are_not_lost(void **state)
{
    (void)state;
    assert_int_equal(pthread_key_create(&late_key, free_late), 0);
    run(end_late);
    assert_int_equal(found_again(), BLOCKS);
    assert_int_equal(pthread_key_delete(late_key), 0);
}

/* The child has the forking thread's blocks, and goes on with them. */
static void *fork_with_kept_blocks(void *unused)
{
    int status = -1;

    (void)take_and_free(unused);
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        size_t found = 0;
        for (size_t i = 0; i < BLOCKS; i++) {
            uint8_t *again = secret_block_alloc(BLOCK_LEN);
            for (size_t n = 0; again != NULL && n < BLOCKS; n++)
                found += again == blocks[n];
        }
        _exit(found == BLOCKS ? 0 : 1);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status == 0 ? NULL : "the child does not go on";
}

static void forked_children_go_on_with_kept_blocks(void **state)
{
    (void)state;
    run(fork_with_kept_blocks);
}
#endif
#else
#define UNDER_SANITIZER 1
#endif

#if defined(__SANITIZE_ADDRESS__)
#define LENGTHS_ARE_CHECKED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LENGTHS_ARE_CHECKED 1
#endif
#endif

#ifdef LENGTHS_ARE_CHECKED
static bool child_survives(void *block, size_t len)
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        (void)!freopen("/dev/null", "w", stderr);
        secret_block_free(block, len);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status == 0;
}

/* A block that comes back with another length, or from malloc, is found where the sanitizers look. */
static void wrong_lengths_are_found(void **state)
{
    void *block = secret_block_alloc(40), *other = calloc(1, 64);

    (void)state;
    assert_true(block != NULL && other != NULL);
    assert_true(child_survives(block, 40));
    assert_false(child_survives(block, 39));
    assert_false(child_survives(block, 41));
    assert_false(child_survives(other, 64));
    secret_block_free(block, 40);
    free(other);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wipe_clears),
        cmocka_unit_test(equal_sees_every_bit),
        cmocka_unit_test(zeros_are_told_from_other_bytes),
        cmocka_unit_test(secrets_are_set_and_released),
        cmocka_unit_test(failure_leaves_the_secret),
        cmocka_unit_test(free_text_takes_null),
#ifdef LENGTHS_ARE_CHECKED
        cmocka_unit_test(wrong_lengths_are_found),
#endif
        cmocka_unit_test(blocks_of_every_size),
        cmocka_unit_test(threads_do_not_meet_in_a_block),
        cmocka_unit_test(fork_amid_allocation_leaves_no_lock_behind),
#ifndef UNDER_SANITIZER
        cmocka_unit_test(blocks_are_kept_out_of_core_dumps),
        cmocka_unit_test(blocks_of_ended_threads_come_again),
        cmocka_unit_test(blocks_may_be_freed_by_another_thread),
        cmocka_unit_test(threads_that_live_keep_few),
        cmocka_unit_test(blocks_freed_after_the_end_are_not_lost),
        cmocka_unit_test(forked_children_go_on_with_kept_blocks),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
