/*
 * Memory runs out, anywhere in the life of WDigest's credentials and contexts; over HTTP in later requests (the handshake: test_faults.c).
 * build: all
 */
#include "support/digest_loop.h"
#include "support/life.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include <sspi_ext.h>

static char user[] = "alice", domain[] = "EXAMPLE", password[] = "Password1!";
static SEC_WINNT_AUTH_IDENTITY_A alice = {
    (unsigned char *)user,     sizeof user - 1,     (unsigned char *)domain,     sizeof domain - 1,
    (unsigned char *)password, sizeof password - 1, SEC_WINNT_AUTH_IDENTITY_ANSI};

static void test_life(void **state)
{
    static struct life life = {.package = "WDigest",
                               .target = "ldap/server.example.test",
                               .client_flags = ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY,
                               .server_first = true};
    (void)state;
    life.client_auth = &alice;
    life_sweep(&life);
    assert_true(life.n_acquire > 0 && life.n_handshake > 20);
    life.sasl = true;
    life_sweep(&life);
}

/* A later request and the answer to it. */
static SECURITY_STATUS later(struct digest_side *client, struct digest_side *server)
{
    char token[DIGEST_TOKEN + 1];
    SECURITY_STATUS status = digest_sign(client, "GET", "/more", "", token);
    if (status == SEC_E_OK)
        status = digest_verify(server, "GET", "/more", "", token);
    if (status == SEC_E_OK)
        status = digest_sign(server, "", "", "", token);
    return status == SEC_E_OK ? digest_verify(client, "", "", "", token) : status;
}

/* Without memory nobody is told that the other side's words are wrong, and the next request is as good as any. */
static void test_later_requests(void **state)
{
    const struct digest_call get = {.flags = DIGEST_HTTP, .target = "/page", .method = "GET"};
    const struct digest_call got = {.flags = DIGEST_HTTP, .method = "GET", .uri = "/page"};
    struct digest_side client = {0}, server = {0};
    unsigned n_failed = 0;
    (void)state;
    digest_client(&client, NULL, NULL, NULL);
    digest_server(&server);
    assert_int_equal(digest_http_run(&client, &server, &get, &got), SEC_E_OK);
    for (int sticky = 0; sticky < 2; sticky++)
        for (unsigned long nth = 1;; nth++) {
            assert_true(nth < 1000);
            mem_fault_set(nth, sticky != 0);
            SECURITY_STATUS status = later(&client, &server);
            bool struck = mem_fault_count() >= nth;
            mem_fault_set(0, false);
            if (status != SEC_E_OK && (!struck || status != SEC_E_INSUFFICIENT_MEMORY))
                fail_msg("allocation %lu: 0x%08x %s", nth, (unsigned)status, OpenSspiLastErrorText());
            n_failed += status != SEC_E_OK ? 1u : 0u;
            assert_int_equal(later(&client, &server), SEC_E_OK);
            if (!struck)
                break;
        }
    assert_true(n_failed > 10);
    digest_side_end(&client);
    digest_side_end(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_life), cmocka_unit_test(test_later_requests)};
    digest_configure(NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    digest_cleanup();
    return failed;
}
