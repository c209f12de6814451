/*
 * Memory runs out in CredSSP: each allocation of acquiring, of the handshake, of a message and of asking fails once, alone and with all that follow it. No
 * crash, no leak, always an error, and the same work succeeds afterwards.
 * build: all
 */
#include "support/credssp_loop.h"
#include "support/identity.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct wire text;
static PCCERT_CONTEXT certificate;

static bool asks(struct loop_pair *pair)
{
    static const ULONG attributes[] = {SECPKG_ATTR_CREDS, SECPKG_ATTR_CREDS_2};
    for (size_t i = 0; i < 2; i++) {
        SecPkgContext_ClientCreds creds;
        if (QueryContextAttributesA(&pair->server.context, attributes[i], &creds) != SEC_E_OK)
            return false;
        FreeContextBuffer(creds.AuthBuffer);
    }
    return true;
}

/* With what was made before: only the library's own work is to fail. */
static SECURITY_STATUS acquire(struct side *side, DWORD protocols)
{
    static char name[] = CREDSSP_NAME_A;
    SEC_WINNT_AUTH_IDENTITY_A identity = identity_of("alice", "EXAMPLE", "Password1!");
    SCHANNEL_CRED tls = {.dwVersion = SCHANNEL_CRED_VERSION, .cCreds = 1, .paCred = &certificate};
    CREDSSP_CRED cred = {.Type = CredsspPasswordCreds, .pSchannelCred = &tls};
    tls.grbitEnabledProtocols = protocols & (side->client ? SP_PROT_TLS1_X_CLIENT : SP_PROT_TLS1_X_SERVER);
    if (side->client) {
        tls.cCreds = 0;
        cred.pSpnegoCred = &identity;
    }
    return AcquireCredentialsHandleA(NULL, name, side->client ? SECPKG_CRED_OUTBOUND : SECPKG_CRED_INBOUND, NULL, &cred,
                                     NULL, NULL, &side->credential, NULL);
}

/* False when the work did not get to its end. */
static bool work(DWORD protocols, unsigned long nth, bool sticky, unsigned long *n_allocations)
{
    struct loop_pair *pair = credssp_pair();
    mem_fault_set(nth, sticky);
    bool done = acquire(&pair->client, protocols) == SEC_E_OK && acquire(&pair->server, protocols) == SEC_E_OK;
    done = done && pair_run(pair);
    if (done) {
        text.len = 0;
        done = side_send(&pair->client, "text", 4, &pair->server.in) == SEC_E_OK &&
               side_receive_text(&pair->server, &pair->client, &text) == SEC_E_OK && asks(pair);
    }
    *n_allocations = mem_fault_count();
    mem_fault_set(0, false);
    pair_free(pair);
    return done;
}

static void test_sweep(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        DWORD protocols = i == 0 ? SP_PROT_TLS1_2 : SP_PROT_TLS1_3;
        unsigned long n_allocations, ignored;
        assert_true(work(protocols, (unsigned long)-1, false, &n_allocations));
        assert_true(n_allocations > 100);
        unsigned n_failed = 0;
        for (unsigned long nth = 1; nth <= n_allocations; nth++) {
            n_failed += work(protocols, nth, false, &ignored) ? 0 : 1;
            (void)work(protocols, nth, true, &ignored);
        }
        assert_true(n_failed > 50);
        assert_true(work(protocols, (unsigned long)-1, false, &ignored));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sweep)};
    char text_of[512];
    loop_configure(NULL);
    snprintf(text_of, sizeof text_of, "[ntlm]\ntargets = server.test\n[negotiate]\npackages = NTLM\n%s",
             credssp_roots());
    loop_configure(text_of); /* few roots: they are read again whenever that failed */
    certificate = pki_context(pki_server(), NULL, false);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    CertFreeCertificateContext(certificate);
    loop_cleanup();
    return failed;
}
