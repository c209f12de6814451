/*
 * Memory runs out where a record has to be shown twice (everything else: test_life.c).
 * build: all
 */
#include "support/tls_loop.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A client up to the record that it has to show twice: with the server's wish for a certificate, or with TLS 1.3's ticket. */
static struct loop_pair *up_to_the_record(bool certificate)
{
    struct loop_pair *pair = pair_new();
    pair->server.flags |= certificate ? ASC_REQ_MUTUAL_AUTH : 0;
    pair_acquire(pair, 0, 0, SCH_CRED_MANUAL_CRED_VALIDATION);
    assert_int_equal(side_step(&pair->client), SEC_I_CONTINUE_NEEDED);
    side_hand_over(&pair->client, &pair->server);
    assert_int_equal(side_step(&pair->server), SEC_I_CONTINUE_NEEDED);
    side_hand_over(&pair->server, &pair->client);
    if (certificate)
        return pair;
    assert_int_equal(side_step(&pair->client), SEC_E_OK);
    side_hand_over(&pair->client, &pair->server);
    assert_int_equal(side_step(&pair->server), SEC_E_OK);
    side_hand_over(&pair->server, &pair->client);
    assert_true(pair->client.in.len > 0);
    return pair;
}

/* What was taken in without memory to know it again is no success: either the next call goes on with it, or this one says why not. */
static void test_records_shown_twice(void **state)
{
    (void)state;
    for (int certificate = 0; certificate < 2; certificate++) {
        SECURITY_STATUS wanted = certificate ? SEC_I_INCOMPLETE_CREDENTIALS : SEC_I_RENEGOTIATE;
        unsigned n_refused = 0;
        bool refused = true;
        for (unsigned long nth = 1; refused || nth < 4; nth++) {
            struct loop_pair *pair = up_to_the_record(certificate);
            mem_fault_set(nth, false);
            SECURITY_STATUS status = certificate ? side_step(&pair->client) : side_receive(&pair->client, NULL);
            refused = mem_fault_count() >= nth;
            mem_fault_set(0, false);
            if (status == wanted) {
                pair->client.flags |= ISC_REQ_USE_SUPPLIED_CREDS;
                assert_int_equal(side_step(&pair->client), SEC_E_OK);
                assert_int_equal(pair->client.in.len, 0);
            } else
                assert_int_equal(status, SEC_E_INSUFFICIENT_MEMORY);
            n_refused += status != wanted ? 1 : 0;
            pair_free(pair);
        }
        assert_true(n_refused > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_records_shown_twice)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
