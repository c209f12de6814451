/*
 * Memory runs out, anywhere in the life of Schannel's credentials and contexts.
 * build: all
 */
#include "support/life.h"
#include "support/ntlm_loop.h"
#include "support/tls_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_life(void **state)
{
    static const DWORD protocols[] = {SP_PROT_TLS1_2, SP_PROT_TLS1_3};
    static struct life life = {.package = "Schannel",
                               .target = "server.test",
                               .client_flags = ISC_REQ_CONFIDENTIALITY | ISC_REQ_STREAM,
                               .server_flags = ASC_REQ_CONFIDENTIALITY | ASC_REQ_STREAM | ASC_REQ_MUTUAL_AUTH,
                               .stream = true};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        PCCERT_CONTEXT mine = pki_context(pki_client(), pki_authority(), false),
                       its = pki_context(pki_server(), pki_authority(), false);
        HCERTSTORE roots = pki_store(pki_authority());
        SCHANNEL_CRED client = {.dwVersion = SCHANNEL_CRED_VERSION,
                                .cCreds = 1,
                                .paCred = &mine,
                                .hRootStore = roots,
                                .grbitEnabledProtocols = protocols[i]};
        SCHANNEL_CRED server = {.dwVersion = SCHANNEL_CRED_VERSION,
                                .cCreds = 1,
                                .paCred = &its,
                                .hRootStore = roots,
                                .grbitEnabledProtocols = protocols[i]};
        life.client_auth = &client;
        life.server_auth = &server;
        life_sweep(&life);
        assert_true(life.n_acquire > 10 && life.n_handshake > 10 && life.n_queries > 10);
        CertFreeCertificateContext(mine);
        CertFreeCertificateContext(its);
        CertCloseStore(roots, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_life)};
    loop_configure(NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
