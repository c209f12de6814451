/*
 * ApplyControlToken while a CREDSSP handshake is under way: the next step does what TLS was told, and nothing of CredSSP's.
 * build: all
 */
#include "support/credssp_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define HANDSHAKE_FAILURE 40

/* A pair of this version whose sides have so many flights behind them, the client's first; the last is not read yet. */
static struct loop_pair *pair_after(DWORD protocol, int flights)
{
    const struct credssp_who who = {0};
    struct loop_pair *pair = credssp_pair();
    assert_int_equal(credssp_client_acquire(&pair->client, &who, protocol, 0), SEC_E_OK);
    assert_int_equal(credssp_server_acquire(&pair->server, protocol), SEC_E_OK);
    for (int i = 0; i < flights; i++) {
        struct side *speaks = i % 2 == 0 ? &pair->client : &pair->server,
                    *hears = i % 2 == 0 ? &pair->server : &pair->client;
        assert_int_equal(side_step(speaks), SEC_I_CONTINUE_NEEDED);
        side_hand_over(speaks, hears);
    }
    return pair;
}

static void no_session(struct side *side)
{
    SCHANNEL_SESSION_TOKEN token = {SCHANNEL_SESSION, SSL_SESSION_ENABLE_RECONNECTS};
    SecBuffer buffer = {sizeof token, SECBUFFER_TOKEN, &token};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &buffer};
    assert_int_equal(ApplyControlToken(&side->context, &list), SEC_E_OK);
}

/* What it is told besides takes nothing back. */
static void shut_down(struct side *side, struct side *peer, bool told_more)
{
    side->in.len = 0;
    side_control(side, SCHANNEL_SHUTDOWN);
    if (told_more)
        no_session(side);
    assert_int_equal(side_step(side), SEC_E_OK);
    assert_in_range(side->out.len, 7, 64);
    peer->in.len = 0;
    side_hand_over(side, peer);
    assert_true(side_step(peer) < 0);
}

/* Flights after which TLS' own handshake is in the clear, and after which TLS is open, to a server and to a client. */
static const int turns[2][3] = {{2, 5, 6}, {2, 5, 4}};

static struct loop_pair *pair_at(DWORD protocol, int turn, struct side **side, struct side **peer)
{
    int flights = turns[protocol == SP_PROT_TLS1_3][turn];
    struct loop_pair *pair = pair_after(protocol, flights);
    *side = flights % 2 == 0 ? &pair->client : &pair->server;
    *peer = flights % 2 == 0 ? &pair->server : &pair->client;
    return pair;
}

static void test_shut_down(void **state)
{
    struct side *side, *peer;
    (void)state;
    EACH_TLS_VERSION(protocol)
    for (int turn = 0; turn < 6; turn++) {
        struct loop_pair *pair = pair_at(protocol, turn % 3, &side, &peer);
        shut_down(side, peer, turn >= 3);
        pair_free(pair);
    }
}

static void test_alert(void **state)
{
    struct side *side, *peer;
    (void)state;
    EACH_TLS_VERSION(protocol)
    for (int turn = 0; turn < 3; turn++) {
        struct loop_pair *pair = pair_at(protocol, turn, &side, &peer);
        side->in.len = 0;
        assert_int_equal(side_alert(side, HANDSHAKE_FAILURE), SEC_E_OK);
        assert_in_range(side->out.len, 7, 64);
        pair_free(pair);
    }
}

/* Nobody needs that, and nothing of it is left for later. */
static void test_not_renegotiated(void **state)
{
    (void)state;
    EACH_TLS_VERSION(protocol)
    {
        struct loop_pair *pair = pair_after(protocol, 4);
        DWORD type = SCHANNEL_RENEGOTIATE;
        SecBuffer buffer = {sizeof type, SECBUFFER_TOKEN, &type};
        SecBufferDesc list = {SECBUFFER_VERSION, 1, &buffer};
        assert_int_equal(ApplyControlToken(&pair->client.context, &list), SEC_E_OUT_OF_SEQUENCE);
        assert_int_equal(ApplyControlToken(&pair->server.context, &list), SEC_E_OUT_OF_SEQUENCE);
        (void)side_step(&pair->client);
        assert_true(pair_go_on(pair));
        pair_free(pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shut_down), cmocka_unit_test(test_alert),
                                       cmocka_unit_test(test_not_renegotiated)};
    credssp_configure("");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
