/*
 * Memory runs out, anywhere in the life of CREDSSP's and TSSSP's credentials and contexts.
 * build: all
 */
#include "support/life.h"
#include "support/tsssp_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char user[] = "alice", domain[] = "EXAMPLE", password[] = "Password1!";
static SEC_WINNT_AUTH_IDENTITY_A alice = {
    (unsigned char *)user,     sizeof user - 1,     (unsigned char *)domain,     sizeof domain - 1,
    (unsigned char *)password, sizeof password - 1, SEC_WINNT_AUTH_IDENTITY_ANSI};
static HCERTSTORE roots;
static PCCERT_CONTEXT certificate;

static void test_credssp(void **state)
{
    static struct life life = {.package = CREDSSP_NAME_A,
                               .target = "TERMSRV/server.test",
                               .client_flags = ISC_REQ_DELEGATE | ISC_REQ_MUTUAL_AUTH,
                               .stream = true};
    SCHANNEL_CRED client_tls = {.dwVersion = SCHANNEL_CRED_VERSION, .hRootStore = roots},
                  server_tls = {.dwVersion = SCHANNEL_CRED_VERSION,
                                .cCreds = 1,
                                .paCred = &certificate,
                                .grbitEnabledProtocols = SP_PROT_TLS1_X};
    CREDSSP_CRED client = {.Type = CredsspPasswordCreds, .pSchannelCred = &client_tls, .pSpnegoCred = &alice},
                 server = {.Type = CredsspSchannelCreds, .pSchannelCred = &server_tls};
    (void)state;
    life.client_auth = &client;
    life.server_auth = &server;
    for (int i = 0; i < 2; i++) {
        client_tls.grbitEnabledProtocols = i == 0 ? SP_PROT_TLS1_2_CLIENT : SP_PROT_TLS1_3_CLIENT;
        life_sweep(&life);
        assert_true(life.n_acquire > 20 && life.n_handshake > 100 && life.n_queries > 10);
    }
}

static void test_tsssp(void **state)
{
    static unsigned char shown[TSSSP_ROOM];
    static struct life life = {.package = TS_SSP_NAME_A,
                               .target = "TERMSRV/server.test",
                               .client_flags = ISC_REQ_DELEGATE | ISC_REQ_MUTUAL_AUTH,
                               .shows = true};
    CREDSSP_CRED_EX client = {.Type = CredsspCredEx,
                              .Version = CREDSSP_CRED_EX_VERSION,
                              .Cred = {.Type = CredsspPasswordCreds, .pSpnegoCred = &alice}},
                    server = {.Type = CredsspCredEx,
                              .Version = CREDSSP_CRED_EX_VERSION,
                              .Cred = {.Type = CredsspPasswordCreds}};
    (void)state;
    life.client_auth = &client;
    life.server_auth = &server;
    life.certificate = (SecBuffer){tsssp_certificate(pki_server(), shown), SECBUFFER_READONLY | SECBUFFER_TOKEN, shown};
    life_sweep(&life);
    assert_true(life.n_acquire > 20 && life.n_handshake > 100 && life.n_queries > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_credssp), cmocka_unit_test(test_tsssp)};
    credssp_configure("");
    credssp_configure(credssp_roots()); /* few roots: they are read again whenever that failed */
    roots = pki_store(pki_authority());
    certificate = pki_context(pki_server(), pki_authority(), false);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    CertFreeCertificateContext(certificate);
    CertCloseStore(roots, 0);
    loop_cleanup();
    return failed;
}
