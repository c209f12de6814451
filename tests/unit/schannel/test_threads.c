/*
 * One connection, two threads a side: one sends while the other receives, and attributes are asked meanwhile.
 * build: all
 */
#include "support/tls_loop.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N_MESSAGES 300

/* A one-way pipe between two threads, whole records at a time. */
struct pipe {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct wire wire;
};

struct work {
    struct side *side;
    struct pipe *pipe;
    bool ok;
};

static void *sender(void *argument)
{
    struct work *work = argument;
    struct wire *record = calloc(1, sizeof *record);
    work->ok = record != NULL;
    for (int i = 0; work->ok && i < N_MESSAGES; i++) {
        record->len = 0;
        work->ok = side_send(work->side, &i, sizeof i, record) == SEC_E_OK;
        pthread_mutex_lock(&work->pipe->lock);
        wire_put(&work->pipe->wire, record->data, record->len);
        pthread_cond_signal(&work->pipe->filled);
        pthread_mutex_unlock(&work->pipe->lock);
    }
    free(record);
    return NULL;
}

static void *receiver(void *argument)
{
    struct work *work = argument;
    struct wire *text = calloc(1, sizeof *text);
    work->ok = text != NULL;
    for (int i = 0; work->ok && i < N_MESSAGES;) {
        SecPkgContext_ConnectionInfo info;
        text->len = 0;
        if (side_receive(work->side, text) == SEC_E_OK) {
            work->ok = text->len == sizeof i && memcmp(text->data, &i, sizeof i) == 0 &&
                       QueryContextAttributesA(&work->side->context, SECPKG_ATTR_CONNECTION_INFO, &info) == SEC_E_OK;
            i++;
            continue;
        }
        pthread_mutex_lock(&work->pipe->lock);
        while (work->pipe->wire.len == 0)
            pthread_cond_wait(&work->pipe->filled, &work->pipe->lock);
        wire_put(&work->side->in, work->pipe->wire.data, work->pipe->wire.len);
        work->pipe->wire.len = 0;
        pthread_mutex_unlock(&work->pipe->lock);
    }
    free(text);
    return NULL;
}

static void run(DWORD protocols)
{
    struct loop_pair *pair = pair_new();
    struct pipe *pipes = calloc(2, sizeof *pipes);
    pair_acquire(pair, protocols & SP_PROT_TLS1_X_CLIENT, protocols & SP_PROT_TLS1_X_SERVER,
                 SCH_CRED_MANUAL_CRED_VALIDATION);
    assert_true(pair_run(pair));
    side_hand_over(&pair->server, &pair->client);
    while (pair->client.in.len > 0) { /* a ticket */
        assert_int_equal(side_receive(&pair->client, NULL), SEC_I_RENEGOTIATE);
        assert_int_equal(side_step(&pair->client), SEC_E_OK);
    }
    for (size_t i = 0; i < 2; i++) {
        pthread_mutex_init(&pipes[i].lock, NULL);
        pthread_cond_init(&pipes[i].filled, NULL);
    }
    struct work work[4] = {{&pair->client, &pipes[0], false},
                           {&pair->server, &pipes[0], false},
                           {&pair->server, &pipes[1], false},
                           {&pair->client, &pipes[1], false}};
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, i % 2 == 0 ? sender : receiver, &work[i]), 0);
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_true(work[i].ok);
    }
    free(pipes);
    pair_free(pair);
}

static void test_both_ways(void **state)
{
    (void)state;
    run(SP_PROT_TLS1_2);
    run(SP_PROT_TLS1_3);
}

/* Many connections of one credential at once, with its session cache between them. */
static void *connections(void *argument)
{
    struct loop_pair *pair = pair_new(), *shared = argument;
    bool ok = true;
    pair->client.credential = shared->client.credential;
    pair->server.credential = shared->server.credential;
    for (int i = 0; ok && i < 20; i++) {
        ok = pair_run(pair);
        pair_restart(pair);
    }
    free(pair);
    return ok ? shared : NULL;
}

static void test_one_credential(void **state)
{
    struct loop_pair *pair = pair_new();
    pthread_t threads[4];
    (void)state;
    pair_acquire(pair, 0, 0, 0);
    (void)pki_client(); /* made before there are threads */
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, connections, pair), 0);
    for (size_t i = 0; i < 4; i++) {
        void *ok;
        pthread_join(threads[i], &ok);
        assert_non_null(ok);
    }
    pair_free(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_one_credential),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
