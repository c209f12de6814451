/*
 * Every allocation of ours fails once: nothing crashes, nothing leaks, and the status is an error.
 * build: all
 */
#include "support/tls_loop.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A handshake and a message with the nth allocation failing; false when the work did not get to its end. */
static bool work(DWORD protocols, unsigned long nth, bool sticky, unsigned long *n_allocations)
{
    struct loop_pair *pair = pair_new();
    static struct wire text;
    pair->server.flags |= ASC_REQ_MUTUAL_AUTH;
    PCCERT_CONTEXT contexts[2] = {pki_context(pki_client(), NULL, false), pki_context(pki_server(), NULL, false)};
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION,
                          .cCreds = 1,
                          .paCred = &contexts[0],
                          .grbitEnabledProtocols = protocols,
                          .dwFlags = SCH_CRED_MANUAL_CRED_VALIDATION};
    mem_fault_set(nth, sticky);
    bool done = side_acquire(&pair->client, &cred) == SEC_E_OK;
    cred.paCred = &contexts[1];
    done = done && side_acquire(&pair->server, &cred) == SEC_E_OK;
    for (int i = 0; done && i < 6; i++) {
        struct side *to = i % 2 == 0 ? &pair->client : &pair->server,
                    *other = i % 2 == 0 ? &pair->server : &pair->client;
        if (to->has_context && to->status == SEC_E_OK)
            continue;
        done = side_step(to) >= 0;
        wire_put(&other->in, to->out.data, to->out.len);
        to->out.len = 0;
    }
    done = done && pair->client.status == SEC_E_OK && pair->server.status == SEC_E_OK;
    if (done) {
        text.len = 0;
        done = side_send(&pair->client, "text", 4, &pair->server.in) == SEC_E_OK &&
               side_receive(&pair->server, &text) == SEC_E_OK;
        SecPkgContext_NamesA names;
        if (done && QueryContextAttributesA(&pair->server.context, SECPKG_ATTR_NAMES, &names) == SEC_E_OK)
            FreeContextBuffer(names.sUserName);
        PCCERT_CONTEXT remote;
        if (done &&
            QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_REMOTE_CERT_CONTEXT, &remote) == SEC_E_OK)
            CertFreeCertificateContext(remote);
    }
    *n_allocations = mem_fault_count();
    mem_fault_set(0, false);
    pair_free(pair);
    CertFreeCertificateContext(contexts[0]);
    CertFreeCertificateContext(contexts[1]);
    return done;
}

static void test_sweep(void **state)
{
    (void)state;
    for (DWORD protocols = SP_PROT_TLS1_2; protocols <= SP_PROT_TLS1_3; protocols <<= 2) {
        unsigned long n_allocations, ignored;
        assert_true(work(protocols, (unsigned long)-1, false, &n_allocations));
        assert_true(n_allocations > 20);
        unsigned n_failed = 0;
        for (unsigned long nth = 1; nth <= n_allocations; nth++) {
            n_failed += work(protocols, nth, false, &ignored) ? 0 : 1;
            (void)work(protocols, nth, true, &ignored);
        }
        assert_true(n_failed > 10);
    }
}

static void hand_over(struct side *from, struct side *to)
{
    wire_put(&to->in, from->out.data, from->out.len);
    from->out.len = 0;
}

/* A client up to the record that it has to show twice: with the server's wish for a certificate, or with TLS 1.3's ticket. */
static struct loop_pair *up_to_the_record(bool certificate)
{
    struct loop_pair *pair = pair_new();
    pair->server.flags |= certificate ? ASC_REQ_MUTUAL_AUTH : 0;
    pair_acquire(pair, 0, 0, SCH_CRED_MANUAL_CRED_VALIDATION);
    assert_int_equal(side_step(&pair->client), SEC_I_CONTINUE_NEEDED);
    hand_over(&pair->client, &pair->server);
    assert_int_equal(side_step(&pair->server), SEC_I_CONTINUE_NEEDED);
    hand_over(&pair->server, &pair->client);
    if (certificate)
        return pair;
    assert_int_equal(side_step(&pair->client), SEC_E_OK);
    hand_over(&pair->client, &pair->server);
    assert_int_equal(side_step(&pair->server), SEC_E_OK);
    hand_over(&pair->server, &pair->client);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sweep), cmocka_unit_test(test_records_shown_twice)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
