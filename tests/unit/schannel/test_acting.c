/*
 * The process's own certificate on threads that impersonate: no server is shown it in the client's name. Needs root.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/access_world.h"
#include "support/tls_loop.h"
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <win32/winbase.h>

static struct loop loop;

static int set_up(void **state)
{
    char path[160], section[600];
    (void)state;
    access_needs_root();
    access_configure(NULL);
    snprintf(path, sizeof path, "%s/store/my.pem", access_directory());
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, pki_client()->x509), 1);
    assert_int_equal(PEM_write_PrivateKey(file, pki_client()->key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fchmod(fileno(file), 0600), 0);
    fclose(file);
    snprintf(section, sizeof section, "[certificates]\nmy = %s\nmachine_my = %s\n", path, path);
    access_configure(section);
    access_connect(&loop, "alice", 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    loop_end(&loop);
    access_cleanup();
    return 0;
}

static void become_client(void)
{
    assert_int_equal(ImpersonateSecurityContext(&loop.server), SEC_E_OK);
}

static void become_process(void)
{
    assert_int_equal(RevertSecurityContext(&loop.server), SEC_E_OK);
}

/* Which certificate does a server see that asks for one? */
static bool is_shown(struct loop_pair *pair)
{
    PCCERT_CONTEXT seen = NULL;
    assert_true(pair_run(pair));
    SECURITY_STATUS status = QueryContextAttributesA(&pair->server.context, SECPKG_ATTR_REMOTE_CERT_CONTEXT, &seen);
    bool shown = status == SEC_E_OK && seen != NULL;
    if (seen != NULL)
        CertFreeCertificateContext(seen);
    return shown;
}

static void client_acquire(struct loop_pair *pair, DWORD protocol)
{
    assert_int_equal(
        side_acquire_with(&pair->client, NULL, protocol, SCH_CRED_USE_DEFAULT_CREDS | SCH_CRED_MANUAL_CRED_VALIDATION),
        SEC_E_OK);
}

static void test_default(void **state)
{
    static const struct {
        DWORD client, server;
    } protocols[] = {{SP_PROT_TLS1_2_CLIENT, SP_PROT_TLS1_2_SERVER}, {SP_PROT_TLS1_3_CLIENT, SP_PROT_TLS1_3_SERVER}};
    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (int acquires = 0; acquires < 2; acquires++)
            for (int steps = 0; steps < 2; steps++) {
                struct loop_pair *pair = pair_new();
                pair->client.flags |= ISC_REQ_USE_SUPPLIED_CREDS; /* where there is no certificate: none */
                pair->server.flags |= ASC_REQ_MUTUAL_AUTH;
                if (acquires)
                    become_client();
                client_acquire(pair, protocols[i].client);
                become_process();
                pair_acquire(pair, 0, protocols[i].server, 0);
                if (steps)
                    become_client();
                /* A credential that was acquired before stays what it was; one of the client's does after the thread went back. */
                assert_int_equal(is_shown(pair), !acquires);
                become_process();
                pair_free(pair);
            }
}

/* By its hash alone a certificate of MY is the process's; who names the computer's store, or serves, means that. */
static void test_hashes(void **state)
{
    static const struct {
        ULONG use;
        DWORD flags;
        bool impersonates;
        SECURITY_STATUS status;
    } cases[] = {
        {SECPKG_CRED_OUTBOUND, 0, false, SEC_E_OK},
        {SECPKG_CRED_OUTBOUND, 0, true, SEC_E_NO_CREDENTIALS},
        {SECPKG_CRED_OUTBOUND, SCH_MACHINE_CERT_HASH, true, SEC_E_OK},
        {SECPKG_CRED_INBOUND, 0, true, SEC_E_OK},
    };
    PCCERT_CONTEXT own = pki_context(pki_client(), NULL, true);
    SCHANNEL_CERT_HASH hash = {.dwLength = sizeof hash};
    DWORD len = sizeof hash.ShaHash;
    const void *const hashes[] = {&hash};
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION,
                          .cCreds = 1,
                          .paCred = (PCCERT_CONTEXT *)(uintptr_t)hashes,
                          .dwCredFormat = SCH_CRED_FORMAT_CERT_HASH};
    (void)state;
    assert_true(CertGetCertificateContextProperty(own, CERT_SHA1_HASH_PROP_ID, hash.ShaHash, &len));
    CertFreeCertificateContext(own);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CredHandle handle;
        hash.dwFlags = cases[i].flags;
        if (cases[i].impersonates)
            become_client();
        SECURITY_STATUS status = AcquireCredentialsHandleA(NULL, (char *)(uintptr_t)SCHANNEL_NAME_A, cases[i].use, NULL,
                                                           &cred, NULL, NULL, &handle, NULL);
        if (status == SEC_E_OK)
            FreeCredentialsHandle(&handle);
        if (cases[i].impersonates)
            become_process();
        assert_int_equal(status, cases[i].status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default),
        cmocka_unit_test(test_hashes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
