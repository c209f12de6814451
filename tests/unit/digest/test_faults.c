/*
 * Memory runs out: the first, second, third, ... allocation of each piece of work fails, once alone and once with all that follow it. No crash, no
 * leak (under AddressSanitizer), nobody let in by it, and the same work succeeds afterwards.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "support/digest_loop.h"
#include <sspi_ext.h>
#include <string.h>

#define STEPS_MAX 5000 /* allocations of one piece of work; more is a sweep that does not end */

static struct digest_side client, server;
static ULONG client_flags, server_flags;

static SECURITY_STATUS acquire(void)
{
    digest_client(&client, NULL, "EXAMPLE", NULL);
    digest_server(&server);
    return client.acquired != SEC_E_OK ? client.acquired : server.acquired;
}

static SECURITY_STATUS http(void)
{
    const struct digest_call get = {.flags = DIGEST_HTTP | client_flags, .target = "/page", .method = "GET"};
    const struct digest_call got = {.flags = DIGEST_HTTP | server_flags, .method = "GET", .uri = "/page"};
    char token[DIGEST_TOKEN + 1];
    SECURITY_STATUS status = acquire();
    if (status == SEC_E_OK)
        status = digest_http_run(&client, &server, &get, &got);
    if (status == SEC_E_OK)
        status = digest_sign(&client, "GET", "/more", "", token);
    if (status == SEC_E_OK)
        status = digest_verify(&server, "GET", "/more", "", token);
    if (status == SEC_E_OK)
        status = digest_sign(&server, "", "", "", token);
    return status == SEC_E_OK ? digest_verify(&client, "", "", "", token) : status;
}

static SECURITY_STATUS sasl(void)
{
    unsigned char data[] = "text", token[16];
    SecBuffer buffers[2] = {{sizeof token, SECBUFFER_TOKEN, token}, {4, SECBUFFER_DATA, data}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    SECURITY_STATUS status = acquire();
    if (status == SEC_E_OK)
        status = digest_sasl_run(&client, &server, client_flags, server_flags);
    if (status != SEC_E_OK || client_flags == 0)
        return status;
    status = EncryptMessage(&client.context, 0, &list, 0);
    return status == SEC_E_OK ? DecryptMessage(&server.context, &list, 0, NULL) : status;
}

static void sweep(SECURITY_STATUS (*work)(void))
{
    for (int sticky = 0; sticky < 2; sticky++)
        for (unsigned long nth = 1;; nth++) {
            assert_true(nth < STEPS_MAX);
            mem_fault_set(nth, sticky != 0);
            SECURITY_STATUS status = work();
            unsigned long count = mem_fault_count();
            mem_fault_set(0, false);
            digest_side_end(&client);
            digest_side_end(&server);
            if (status != SEC_E_OK && (count < nth || status != SEC_E_INSUFFICIENT_MEMORY))
                fail_msg("allocation %lu%s: 0x%08x %s", nth, sticky != 0 ? " and on" : "", (unsigned)status,
                         OpenSspiLastErrorText());
            if (count < nth) { /* none was left to fail */
                assert_int_equal(status, SEC_E_OK);
                break;
            }
        }
    assert_int_equal(work(), SEC_E_OK);
    digest_side_end(&client);
    digest_side_end(&server);
}

static void test_http(void **state)
{
    (void)state;
    client_flags = server_flags = 0;
    digest_configure("algorithms = MD5, SHA-256-sess\n");
    sweep(http);
    digest_configure("userhash = yes\n");
    client_flags = ISC_REQ_MUTUAL_AUTH;
    sweep(http);
}

static void test_sasl(void **state)
{
    (void)state;
    digest_configure(NULL);
    client_flags = server_flags = 0;
    sweep(sasl);
    client_flags = ISC_REQ_CONFIDENTIALITY;
    sweep(sasl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_http), cmocka_unit_test(test_sasl)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    digest_cleanup();
    return failed;
}
