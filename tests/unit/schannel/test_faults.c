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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sweep)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
