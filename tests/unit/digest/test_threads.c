/*
 * Many threads, one credential and one table of nonces: of the same response sent at once, exactly one gets in. Meant for ThreadSanitizer, and true
 * without it.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "support/digest_loop.h"
#include <pthread.h>
#include <sspi_ext.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 8
#define ROUNDS 20

static struct digest_side shared_client, shared_server;
static const struct digest_call get = {.flags = DIGEST_HTTP, .target = "/page", .method = "GET"};
static const struct digest_call got = {.flags = DIGEST_HTTP, .method = "GET", .uri = "/page"};
static atomic_int n_wrong, n_accepted; /* cmocka's assertions are for the main thread alone */
static char response[DIGEST_TOKEN + 1];

static void expect(bool right, const char *what)
{
    if (!right && atomic_fetch_add(&n_wrong, 1) < 5)
        fprintf(stderr, "%s: %s\n", what, OpenSspiLastErrorText());
}

static void threads_run(void *(*start)(void *))
{
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, start, NULL), 0);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&n_wrong), 0);
}

static void *sign_on(void *argument)
{
    (void)argument;
    for (int i = 0; i < ROUNDS; i++) {
        struct digest_side client = {.credential = shared_client.credential};
        struct digest_side server = {.credential = shared_server.credential};
        expect(digest_http_run(&client, &server, &get, &got) == SEC_E_OK, "HTTP under a shared credential fails");
        digest_forget(&client);
        digest_forget(&server);
        expect(digest_sasl_run(&client, &server, i % 2 != 0 ? ISC_REQ_CONFIDENTIALITY : 0, 0) == SEC_E_OK,
               "SASL under a shared credential fails");
        digest_forget(&client);
        digest_forget(&server);
    }
    return NULL;
}

static void test_shared_credential(void **state)
{
    (void)state;
    threads_run(sign_on);
}

static void *present(void *argument)
{
    struct digest_side server = {.credential = shared_server.credential};
    (void)argument;
    SECURITY_STATUS status = digest_accept_step(&server, &got, response);
    if (status == SEC_E_OK)
        atomic_fetch_add(&n_accepted, 1);
    expect(status == SEC_E_OK || status == SEC_E_OUT_OF_SEQUENCE, "a replay is refused in another way");
    digest_forget(&server);
    return NULL;
}

static void test_one_of_many_gets_in(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        atomic_store(&n_accepted, 0);
        assert_int_equal(digest_accept_step(&shared_server, &got, NULL), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(digest_initiate_step(&shared_client, &get, shared_server.token), SEC_E_OK);
        strcpy(response, shared_client.token);
        digest_forget(&shared_server);
        digest_forget(&shared_client);
        threads_run(present);
        assert_int_equal(atomic_load(&n_accepted), 1);
    }
}

static atomic_bool counted[1 + THREADS * ROUNDS + 1]; /* by the requests' counts; the sign-on was the first */

/* Requests signed on one context from many threads are all different, and all right. */
static void *sign(void *argument)
{
    (void)argument;
    for (int i = 0; i < ROUNDS; i++) {
        char token[DIGEST_TOKEN + 1];
        expect(digest_sign(&shared_client, "GET", "/page", "", token) == SEC_E_OK, "signing fails");
        char value[16] = "";
        unsigned long count = digest_value(token, "nc", value, sizeof value) ? strtoul(value, NULL, 16) : 0;
        expect(count > 1 && count < COUNT_OF(counted) && !atomic_exchange(&counted[count], true),
               "a count is not a request's own");
        SECURITY_STATUS status = digest_verify(&shared_server, "GET", "/page", "", token);
        /* a thread that slept while 64 others came is too late */
        expect(status == SEC_E_OK || status == SEC_E_OUT_OF_SEQUENCE, "a signed request is refused");
        if (status == SEC_E_OK)
            atomic_fetch_add(&n_accepted, 1);
    }
    return NULL;
}

static void test_shared_context(void **state)
{
    (void)state;
    assert_int_equal(digest_http_run(&shared_client, &shared_server, &get, &got), SEC_E_OK);
    atomic_store(&n_accepted, 0);
    threads_run(sign);
    assert_true(atomic_load(&n_accepted) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shared_credential),
                                       cmocka_unit_test(test_one_of_many_gets_in),
                                       cmocka_unit_test(test_shared_context)};
    digest_configure(NULL);
    digest_client(&shared_client, NULL, NULL, NULL);
    digest_server(&shared_server);
    int failed =
        shared_client.has_credential && shared_server.has_credential ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
    digest_side_end(&shared_client);
    digest_side_end(&shared_server);
    digest_cleanup();
    return failed;
}
