/*
 * Client and server of TLS against each other: the handshake with all checks in each version, messages both ways, and the end.
 * build: all
 */
#include "support/tls_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct wire text;

static void talk(struct loop_pair *pair, const char *words)
{
    text.len = 0;
    assert_int_equal(side_send(&pair->client, words, strlen(words), &pair->server.in), SEC_E_OK);
    assert_int_equal(side_receive_text(&pair->server, &pair->client, &text), SEC_E_OK);
    assert_int_equal(text.len, strlen(words));
    assert_memory_equal(text.data, words, text.len);
    text.len = 0;
    assert_int_equal(side_send(&pair->server, words, strlen(words), &pair->client.in), SEC_E_OK);
    assert_int_equal(side_receive_text(&pair->client, &pair->server, &text), SEC_E_OK);
    assert_int_equal(text.len, strlen(words));
    assert_memory_equal(text.data, words, text.len);
    assert_int_equal(pair->client.in.len, 0);
    assert_int_equal(pair->server.in.len, 0);
}

static void one(DWORD protocols)
{
    struct loop_pair *pair = pair_new();
    pair_acquire(pair, protocols & SP_PROT_TLS1_X_CLIENT, protocols & SP_PROT_TLS1_X_SERVER, 0);
    assert_true(pair_run(pair));
    SecPkgContext_ConnectionInfo info;
    assert_int_equal(QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_CONNECTION_INFO, &info), SEC_E_OK);
    assert_int_equal(info.dwProtocol, protocols & SP_PROT_TLS1_X_CLIENT);
    side_hand_over(&pair->server, &pair->client); /* tickets come with the server's last step */
    talk(pair, "a first message");
    talk(pair, "and another");
    side_control(&pair->client, SCHANNEL_SHUTDOWN);
    assert_int_equal(side_step(&pair->client), SEC_E_OK);
    side_hand_over(&pair->client, &pair->server);
    assert_int_equal(side_receive(&pair->server, &text), SEC_I_CONTEXT_EXPIRED);
    pair_free(pair);
}

static void test_tls_1_2(void **state)
{
    (void)state;
    one(SP_PROT_TLS1_2);
}

static void test_tls_1_3(void **state)
{
    (void)state;
    one(SP_PROT_TLS1_3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tls_1_2),
        cmocka_unit_test(test_tls_1_3),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
