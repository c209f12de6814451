#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/random.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static size_t hooked_len;

static bool count_up(void *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)data)[i] = (uint8_t)i;
    hooked_len = len;
    return true;
}

static bool refuse(void *data, size_t len)
{
    (void)data;
    (void)len;
    return false;
}

static void bytes_differ_from_call_to_call(void **state)
{
    uint8_t seen[64][16];

    (void)state;
    memset(seen, 0, sizeof(seen));
    for (size_t i = 0; i < 64; i++) {
        assert_true(random_bytes(seen[i], sizeof(seen[i])));
        for (size_t earlier = 0; earlier < i; earlier++)
            assert_memory_not_equal(seen[i], seen[earlier], sizeof(seen[i]));
    }
}

static void exactly_the_bytes_asked_for_are_filled(void **state)
{
    uint8_t room[40];

    (void)state;
    memset(room, 0xee, sizeof(room));
    assert_true(random_bytes(room, 0));
    assert_int_equal(room[0], 0xee);
    assert_true(random_bytes(NULL, 0));
    assert_true(random_bytes(room, 33));
    for (size_t i = 33; i < sizeof(room); i++)
        assert_int_equal(room[i], 0xee);
}

static void hook_replaces_the_generator_and_gives_it_back(void **state)
{
    uint8_t bytes[8] = {0};

    (void)state;
    random_hook(count_up);
    assert_true(random_bytes(bytes, sizeof(bytes)));
    assert_memory_equal(bytes, "\0\1\2\3\4\5\6\7", 8);
    assert_int_equal(hooked_len, 8);
    random_hook(refuse);
    assert_false(random_bytes(bytes, sizeof(bytes)));
    random_hook(NULL);
    hooked_len = 0;
    assert_true(random_bytes(bytes, sizeof(bytes)));
    assert_int_equal(hooked_len, 0);
}

/* The pool behind small requests must not serve parent and child the same bytes. */
static void forked_child_has_bytes_of_its_own(void **state)
{
    uint8_t mine[16], childs[16] = {0};
    int ends[2];

    (void)state;
    assert_true(random_bytes(mine, sizeof(mine)));
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        bool sent = random_bytes(childs, sizeof(childs)) && write(ends[1], childs, sizeof(childs)) == sizeof(childs);
        _exit(sent ? 0 : 1);
    }
    assert_true(child > 0);
    assert_true(random_bytes(mine, sizeof(mine)));
    assert_int_equal(read(ends[0], childs, sizeof(childs)), sizeof(childs));
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(ends[0]);
    close(ends[1]);
    assert_memory_not_equal(mine, childs, sizeof(mine));
}

#define VALUE_LEN 16

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, VALUE_LEN);
}

/* Sorts them. */
static void all_differ(uint8_t (*values)[VALUE_LEN], size_t count)
{
    qsort(values, count, VALUE_LEN, by_bytes);
    for (size_t i = 1; i < count; i++)
        assert_memory_not_equal(values[i - 1], values[i], VALUE_LEN);
}

static bool take_all(uint8_t (*values)[VALUE_LEN], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!random_bytes(values[i], VALUE_LEN))
            return false;
    return true;
}

/* More threads at the same time than may have bytes of their own, each long enough to come back for more; then as many again. */
#define THREADS ((size_t)260)
#define OF_EACH ((size_t)40)

static uint8_t of_threads[2 * THREADS * OF_EACH][VALUE_LEN];
static pthread_barrier_t all_have_some;

static void *take_in_thread(void *own)
{
    uint8_t(*values)[VALUE_LEN] = own;
    bool taken = take_all(values, 1);
    (void)pthread_barrier_wait(&all_have_some);
    return taken && take_all(values + 1, OF_EACH - 1) ? NULL : "refused";
}

static void threads_have_bytes_of_their_own(void **state)
{
    static pthread_t threads[THREADS];
    void *complaint;

    (void)state;
    assert_int_equal(pthread_barrier_init(&all_have_some, NULL, (unsigned)THREADS), 0);
    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < THREADS; i++)
            assert_int_equal(
                pthread_create(&threads[i], NULL, take_in_thread, of_threads[(round * THREADS + i) * OF_EACH]), 0);
        for (size_t i = 0; i < THREADS; i++) {
            assert_int_equal(pthread_join(threads[i], &complaint), 0);
            assert_null(complaint);
        }
    }
    (void)pthread_barrier_destroy(&all_have_some);
    all_differ(of_threads, 2 * THREADS * OF_EACH);
}

/* Parent, child and grandchild of a thread that has bytes of its own in hand. */
static uint8_t of_processes[3 * OF_EACH][VALUE_LEN];

static bool piped_to_parent(int out)
{
    return write(out, of_processes, sizeof of_processes) == sizeof of_processes;
}

/* Forks; the child does `generations` - 1 more, takes its own, and sends all that it knows. */
static bool take_in_family(size_t generations)
{
    int ends[2], status = -1;
    uint8_t(*mine)[VALUE_LEN] = of_processes + (generations - 1) * OF_EACH;
    if (generations == 1)
        return take_all(mine, OF_EACH);
    if (pipe(ends) != 0)
        return false;
    pid_t child = fork();
    if (child == 0)
        _exit(take_in_family(generations - 1) && piped_to_parent(ends[1]) ? 0 : 1);
    bool well = child > 0 && read(ends[0], of_processes, sizeof of_processes) == sizeof of_processes &&
                waitpid(child, &status, 0) == child && status == 0 && take_all(mine, OF_EACH);
    close(ends[0]);
    close(ends[1]);
    return well;
}

static void *fork_in_thread(void *unused)
{
    uint8_t first[VALUE_LEN];
    (void)unused;
    return random_bytes(first, sizeof first) && take_in_family(3) ? NULL : "failed";
}

static void forked_children_of_threads_have_bytes_of_their_own(void **state)
{
    pthread_t thread;
    void *complaint;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, fork_in_thread, NULL), 0);
    assert_int_equal(pthread_join(thread, &complaint), 0);
    assert_null(complaint);
    all_differ(of_processes, 3 * OF_EACH);
}

/* Bytes are taken by the destructor of a program's thread-specific data, after the thread gave back what it had. */
static uint8_t of_the_end[2 * OF_EACH][VALUE_LEN];
static bool taken_at_the_end;

static void take_late(void *unused)
{
    (void)unused;
    taken_at_the_end = take_all(of_the_end + OF_EACH, OF_EACH);
}

static pthread_key_t late_key;

static void *take_and_end(void *unused)
{
    (void)unused;
    return pthread_setspecific(late_key, of_the_end) == 0 && take_all(of_the_end, OF_EACH) ? NULL : "failed";
}

static void threads_that_end_have_other_bytes(void **state)
{
    pthread_t thread;
    void *complaint;

    (void)state;
    assert_int_equal(pthread_key_create(&late_key, take_late), 0);
    assert_int_equal(pthread_create(&thread, NULL, take_and_end, NULL), 0);
    assert_int_equal(pthread_join(thread, &complaint), 0);
    assert_null(complaint);
    assert_true(taken_at_the_end);
    assert_int_equal(pthread_key_delete(late_key), 0);
    all_differ(of_the_end, 2 * OF_EACH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_differ_from_call_to_call),
        cmocka_unit_test(exactly_the_bytes_asked_for_are_filled),
        cmocka_unit_test(forked_child_has_bytes_of_its_own),
        cmocka_unit_test(threads_have_bytes_of_their_own),
        cmocka_unit_test(forked_children_of_threads_have_bytes_of_their_own),
        cmocka_unit_test(threads_that_end_have_other_bytes),
        cmocka_unit_test(hook_replaces_the_generator_and_gives_it_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
