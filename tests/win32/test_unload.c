/* A program that lets a plug-in go which has the archive inside: what the library keeps for threads goes with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>

static sem_t used, closed;
static int (*plugin_use)(void);

static void *load(void)
{
    void *plugin = dlopen(PLUGIN, RTLD_NOW | RTLD_LOCAL);
    if (plugin == NULL)
        fail_msg("%s", dlerror());
    plugin_use = (int (*)(void))(uintptr_t)dlsym(plugin, "plugin_use");
    assert_non_null(plugin_use);
    return plugin;
}

static void unload(void *plugin)
{
    assert_int_equal(dlclose(plugin), 0);
    assert_null(dlopen(PLUGIN, RTLD_NOW | RTLD_NOLOAD)); /* else this test tests nothing */
}

/* Keys for what is a thread's own that a process still has. */
static unsigned n_keys_free(void)
{
    static pthread_key_t keys[PTHREAD_KEYS_MAX];
    unsigned n = 0;
    while (n < PTHREAD_KEYS_MAX && pthread_key_create(&keys[n], NULL) == 0)
        n++;
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(pthread_key_delete(keys[i]), 0);
    return n;
}

static void test_keys(void **state)
{
    (void)state;
    void *plugin = load(); /* libraries that it needs stay, with keys of their own */
    assert_int_equal(plugin_use(), 1);
    unload(plugin);
    unsigned n_before = n_keys_free();
    assert_true(n_before > 10);
    for (int i = 0; i < 3; i++) {
        plugin = load();
        assert_int_equal(plugin_use(), 1);
        assert_true(n_keys_free() < n_before);
        unload(plugin);
        assert_int_equal(n_keys_free(), n_before);
    }
}

static void *use_and_stay(void *good)
{
    *(int *)good = plugin_use();
    sem_post(&used);
    while (sem_wait(&closed) != 0)
        ;
    return NULL;
}

/* A thread that has used it and ends later, when the code is no longer there. */
static void test_thread_ends_later(void **state)
{
    (void)state;
    pthread_t thread;
    int good = 0;
    void *plugin = load();
    assert_int_equal(sem_init(&used, 0, 0), 0);
    assert_int_equal(sem_init(&closed, 0, 0), 0);
    assert_int_equal(pthread_create(&thread, NULL, use_and_stay, &good), 0);
    while (sem_wait(&used) != 0)
        ;
    assert_int_equal(good, 1);
    unload(plugin);
    sem_post(&closed);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_keys), cmocka_unit_test(test_thread_ends_later)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
