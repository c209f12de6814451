/*
 * A thread forks while another one is inside the library, stopped at each lock that it holds on its way: the child, which has only the thread that
 * forked, must be able to do the same work as its parent, all of it. (Account stores are the exception that docs/deviations.md names.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/tls_loop.h"
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_SECONDS 60 /* what a child does takes milliseconds, or for ever */
#define HELD_MAX 32
#define LOCKS_MAX 4000

/* ---- a thread that stops where it gives a lock back ---- */

static atomic_bool watching;           /* a holder walks */
static pthread_t holder;               /* while watching */
static unsigned long stop_at, n_given; /* the holder's */
static _Atomic(pthread_mutex_t *) held[HELD_MAX];
static atomic_uint n_held;
static atomic_bool stopped, may_go, forked;
static sem_t there; /* the holder stopped, or came to its end */

static int real_lock(pthread_mutex_t *lock)
{
    static _Atomic(int (*)(pthread_mutex_t *)) known;
    int (*next)(pthread_mutex_t *) = atomic_load(&known);
    if (next == NULL) {
        *(void **)(void *)&next = dlsym(RTLD_NEXT, "pthread_mutex_lock");
        atomic_store(&known, next);
    }
    return next(lock);
}

static int real_unlock(pthread_mutex_t *lock)
{
    static _Atomic(int (*)(pthread_mutex_t *)) known;
    int (*next)(pthread_mutex_t *) = atomic_load(&known);
    if (next == NULL) {
        *(void **)(void *)&next = dlsym(RTLD_NEXT, "pthread_mutex_unlock");
        atomic_store(&known, next);
    }
    return next(lock);
}

static bool is_holder(void)
{
    return atomic_load(&watching) && pthread_equal(pthread_self(), holder);
}

/* Whoever wants what the holder has lets it go on: that is what taking locks before a fork does, of those that it knows. */
__attribute__((visibility("default"))) int pthread_mutex_lock(pthread_mutex_t *lock)
{
    if (atomic_load(&stopped) && !is_holder())
        for (unsigned i = 0; i < atomic_load(&n_held); i++)
            if (atomic_load(&held[i]) == lock)
                atomic_store(&may_go, true);
    int answer = real_lock(lock);
    if (answer == 0 && is_holder() && !atomic_load(&stopped)) {
        unsigned n = atomic_load(&n_held);
        assert_true(n < HELD_MAX);
        atomic_store(&held[n], lock);
        atomic_store(&n_held, n + 1);
    }
    return answer;
}

__attribute__((visibility("default"))) int pthread_mutex_unlock(pthread_mutex_t *lock)
{
    if (is_holder() && ++n_given == stop_at) {
        atomic_store(&stopped, true);
        sem_post(&there);
        while (!atomic_load(&may_go))
            usleep(100);
        atomic_store(&stopped, false);
    }
    if (is_holder())
        for (unsigned i = 0, n = atomic_load(&n_held); i < n; i++)
            if (atomic_load(&held[i]) == lock) {
                atomic_store(&held[i], atomic_load(&held[n - 1]));
                atomic_store(&n_held, n - 1);
                break;
            }
    int answer = real_unlock(lock);
    /* Where it has none of ours it waits for the fork: further on it could have one of the allocator's or of OpenSSL's, which are not ours to guard.
     * */
    if (is_holder() && n_given >= stop_at && atomic_load(&n_held) == 0)
        while (!atomic_load(&forked))
            usleep(100);
    return answer;
}

struct work {
    const char *name;
    void *(*begin)(void); /* what each thread has of its own */
    bool (*run)(void *mine);
    void (*end)(void *mine);
};

struct walk {
    const struct work *work;
    void *mine;
    bool ok;
};

static void *walk(void *data)
{
    struct walk *walk = data;
    holder = pthread_self();
    atomic_store(&watching, true);
    walk->ok = walk->work->run(walk->mine);
    atomic_store(&watching, false);
    sem_post(&there);
    return NULL;
}

/* The child is killed where it waits for a lock that nobody will give back. */
static int child_of(const struct work *work, void *mine)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        atomic_store(&watching, false);
        atomic_store(&stopped, false);
        alarm(CHILD_SECONDS);
        _exit(work->run(mine) ? 0 : 1);
    }
    atomic_store(&forked, true);
    atomic_store(&may_go, true);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* False: the holder gave fewer locks back than that. */
static bool fork_at(const struct work *work, unsigned long number, void *mine, void *other)
{
    struct walk walker = {work, other, false};
    pthread_t thread;
    n_given = 0;
    stop_at = number;
    atomic_store(&n_held, 0);
    atomic_store(&may_go, false);
    atomic_store(&forked, false);
    atomic_store(&stopped, false);
    assert_int_equal(pthread_create(&thread, NULL, walk, &walker), 0);
    while (sem_wait(&there) != 0)
        ;
    bool was_stopped = atomic_load(&stopped);
    int status = was_stopped ? child_of(work, mine) : 0;
    assert_int_equal(pthread_join(thread, NULL), 0);
    if (was_stopped)
        assert_int_equal(sem_trywait(&there), 0); /* its end */
    assert_true(walker.ok);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("%s: a child of fork at lock %lu ended with 0x%x", work->name, number, (unsigned)status);
    return was_stopped;
}

static void at_each_lock(const struct work *work)
{
    void *mine = work->begin(), *other = work->begin();
    assert_true(work->run(mine)); /* what is made once a process is there */
    assert_true(work->run(other));
    unsigned long number = 1;
    while (number < LOCKS_MAX && fork_at(work, number, mine, other))
        number++;
    assert_true(number < LOCKS_MAX);
    print_message("%s: forked at %lu locks\n", work->name, number - 1);
    assert_true(number > 20);
    work->end(mine);
    work->end(other);
}

/* ---- TLS: one credential a side, with its sessions, tickets and data, for all ---- */

static struct loop_pair *credentials;

static void *tls_begin(void)
{
    struct loop_pair *pair = pair_new();
    pair->client.credential = credentials->client.credential;
    pair->server.credential = credentials->server.credential;
    return pair;
}

static bool data_kept(CtxtHandle *context)
{
    unsigned char mine[] = "mine";
    SecPkgContext_SessionAppData data = {.dwFlags = 0, .cbAppData = sizeof mine, .pbAppData = mine};
    SECURITY_STATUS status = SetContextAttributesA(context, SECPKG_ATTR_APP_DATA, &data, sizeof data);
    data = (SecPkgContext_SessionAppData){0};
    if (status == SEC_E_OK)
        status = QueryContextAttributesA(context, SECPKG_ATTR_APP_DATA, &data);
    return status == SEC_E_OK && FreeContextBuffer(data.pbAppData) == SEC_E_OK;
}

/* A handshake, tickets after it, and one that resumes. */
static bool tls_run(void *mine)
{
    struct loop_pair *pair = mine;
    bool ok = true;
    for (int i = 0; ok && i < 2; i++) {
        struct wire *text = calloc(1, sizeof *text);
        ok = text != NULL && pair_run(pair);
        if (ok) {
            side_hand_over(&pair->server, &pair->client); /* tickets */
            ok = side_send(&pair->server, "x", 1, &pair->client.in) == SEC_E_OK &&
                 side_receive_text(&pair->client, &pair->server, text) == SEC_E_OK && text->len == 1 &&
                 data_kept(&pair->client.context);
        }
        free(text);
        pair_restart(pair);
    }
    return ok && SslEmptyCacheA((char *)(uintptr_t) "elsewhere.test", 0);
}

static void tls_end(void *mine)
{
    free(mine);
}

static void test_tls(void **state)
{
    static const struct work work = {"TLS", tls_begin, tls_run, tls_end};
    (void)state;
    credentials = pair_new();
    pair_acquire(credentials, 0, 0, 0);
    at_each_lock(&work);
    pair_free(credentials);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tls)};
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
