#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/random.h"
#include <sys/wait.h>
#include <unistd.h>

#include <string.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_differ_from_call_to_call),
        cmocka_unit_test(exactly_the_bytes_asked_for_are_filled),
        cmocka_unit_test(forked_child_has_bytes_of_its_own),
        cmocka_unit_test(hook_replaces_the_generator_and_gives_it_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
