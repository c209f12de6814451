/*
 * Many CredSSP handshakes at once under the same credentials; traffic both ways on one context while others ask. Meant for ThreadSanitizer, and true
 * without it.
 * build: all
 */
#include "support/credssp_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>

#define THREADS 4
#define HANDSHAKES 8 /* a thread */
#define MESSAGES 500 /* a direction */

static struct loop_pair *shared;
static atomic_int n_wrong; /* cmocka's assertions are for the main thread alone */
static atomic_bool done;

static void *handshakes(void *unused)
{
    for (int i = 0; i < HANDSHAKES; i++) {
        struct loop_pair *pair = credssp_pair();
        pair->client.credential = shared->client.credential;
        pair->server.credential = shared->server.credential;
        n_wrong += pair_run(pair) ? 0 : 1;
        pair_restart(pair);
        free(pair);
    }
    return unused;
}

static void *sends(void *argument)
{
    struct side *from = argument, *to = from == &shared->client ? &shared->server : &shared->client;
    struct side mine = {.context = from->context}, theirs = {.context = to->context};
    struct wire *text = calloc(1, sizeof *text);
    for (int i = 0; i < MESSAGES && text != NULL; i++) {
        text->len = 0;
        bool right = side_send(&mine, "a message", 9, &theirs.in) == SEC_E_OK &&
                     side_receive(&theirs, text) == SEC_E_OK && text->len == 9;
        n_wrong += right ? 0 : 1;
    }
    free(text);
    return NULL;
}

static void *asks(void *argument)
{
    struct side *side = argument;
    while (!done) {
        SecPkgContext_PackageInfoA info;
        SecPkgContext_Flags flags;
        if (QueryContextAttributesA(&side->context, SECPKG_ATTR_NEGOTIATION_PACKAGE, &info) == SEC_E_OK)
            FreeContextBuffer(info.PackageInfo);
        else
            n_wrong++;
        n_wrong += QueryContextAttributesA(&side->context, SECPKG_ATTR_FLAGS, &flags) == SEC_E_OK ? 0 : 1;
    }
    return NULL;
}

static void test_one_credential(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    shared = credssp_established();
    assert_non_null(shared);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, handshakes, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(n_wrong, 0);
    pair_free(shared);
}

static void test_one_context(void **state)
{
    (void)state;
    pthread_t there, back, asker;
    struct loop_pair *pair = credssp_pair();
    assert_int_equal(credssp_client_acquire(&pair->client, NULL, SP_PROT_TLS1_2_CLIENT, 0), SEC_E_OK);
    assert_int_equal(credssp_server_acquire(&pair->server, SP_PROT_TLS1_2_SERVER), SEC_E_OK);
    assert_true(pair_run(pair));
    shared = pair;
    assert_int_equal(pthread_create(&there, NULL, sends, &pair->client), 0);
    assert_int_equal(pthread_create(&back, NULL, sends, &pair->server), 0);
    assert_int_equal(pthread_create(&asker, NULL, asks, &pair->server), 0);
    pthread_join(there, NULL);
    pthread_join(back, NULL);
    done = true;
    pthread_join(asker, NULL);
    assert_int_equal(n_wrong, 0);
    pair_free(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_credential), cmocka_unit_test(test_one_context)};
    credssp_configure("");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
