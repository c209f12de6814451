/*
 * Memory runs out in Negotiate: the first, second, third, ... allocation of acquiring, of handshakes with and without a code over the list, and of
 * moving a context fails, once alone and once with all that follow it. No crash, no leak, never a weaker package for want of memory, and the same
 * work succeeds afterwards.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "support/fake_package.h"
#include "support/ntlm_loop.h"
#include <sspi_ext.h>
#include <string.h>

#define PROTECT (ISC_REQ_INTEGRITY | ISC_REQ_CONFIDENTIALITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT)
#define STEPS_MAX 5000 /* allocations of one piece of work; more is a sweep that does not end */

static struct loop loop;
static const char *wanted; /* the package that must have been chosen */

static SECURITY_STATUS status_of(const struct loop *ran)
{
    return ran->client_status < 0 ? ran->client_status : ran->server_status;
}

static SECURITY_STATUS acquire(void)
{
    loop_acquire(&loop);
    SECURITY_STATUS status = status_of(&loop);
    if (loop.client_status == SEC_E_OK)
        FreeCredentialsHandle(&loop.client_credential);
    if (loop.server_status == SEC_E_OK)
        FreeCredentialsHandle(&loop.server_credential);
    loop.client_credential = loop.server_credential = (CredHandle){0};
    return status;
}

static SECURITY_STATUS handshake(void)
{
    SecPkgContext_NegotiationInfoA info;
    loop.client_status = loop.server_status = SEC_E_OK;
    bool good = loop_run(&loop);
    SECURITY_STATUS status = status_of(&loop);
    if (good)
        status = QueryContextAttributesA(&loop.client, SECPKG_ATTR_NEGOTIATION_INFO, &info);
    if (good && status == SEC_E_OK) {
        assert_string_equal(info.PackageInfo->Name, wanted);
        FreeContextBuffer(info.PackageInfo);
    }
    loop_end(&loop);
    return status;
}

static SECURITY_STATUS move(void)
{
    SecBuffer packed = {0};
    CtxtHandle copy = {0};
    SECURITY_STATUS status = ExportSecurityContext(&loop.server, SECPKG_CONTEXT_EXPORT_RESET_NEW, &packed, NULL);
    if (status == SEC_E_OK)
        status = ImportSecurityContextA((char *)(uintptr_t) "Negotiate", &packed, NULL, &copy);
    FreeContextBuffer(packed.pvBuffer);
    if (copy.dwLower != 0)
        DeleteSecurityContext(&copy);
    return status;
}

static void sweep(SECURITY_STATUS (*work)(void), bool sticky)
{
    for (unsigned long n = 1; n < STEPS_MAX; n++) {
        mem_fault_set(n, sticky);
        SECURITY_STATUS status = work();
        bool struck = mem_fault_count() >= n;
        mem_fault_set(0, false);
        if (status != SEC_E_INSUFFICIENT_MEMORY && !(status == SEC_E_OK && (!struck || !sticky)))
            fail_msg("allocation %lu: 0x%08x %s", n, (unsigned)status, OpenSspiLastErrorText());
        if (!struck) {
            assert_true(n > 1);
            return;
        }
    }
    fail_msg("the sweep does not end");
}

static void begin(const char *client, const char *server)
{
    struct loop other = {.package = "Negotiate"};
    fake_reset();
    loop = (struct loop){.package = "Negotiate", .client_flags = PROTECT, .target = "host/server.example.test"};
    loop_configure(client);
    loop_acquire(&loop);
    FreeCredentialsHandle(&loop.server_credential);
    loop_configure(server);
    loop_acquire(&other);
    FreeCredentialsHandle(&other.client_credential);
    loop.server_credential = other.server_credential;
    loop.keep_credentials = true;
}

static void end(void)
{
    FreeCredentialsHandle(&loop.client_credential);
    FreeCredentialsHandle(&loop.server_credential);
    assert_int_equal(fake.n_handshakes, 0);
    assert_int_equal(fake.n_sessions, 0);
    assert_int_equal(fake.n_credentials, 0);
}

#define BOTH "[negotiate]\npackages = fake, ntlm\n"
#define NTLM_ALONE "[negotiate]\npackages = ntlm\n"

static void test_acquire(void **state)
{
    (void)state;
    fake_reset();
    for (int sticky = 0; sticky < 2; sticky++) {
        loop = (struct loop){.package = "Negotiate"};
        loop_configure(sticky ? BOTH : BOTH "kdc_seconds = 1\n"); /* read anew within the sweep */
        sweep(acquire, sticky != 0);
        assert_int_equal(acquire(), SEC_E_OK);
    }
    assert_int_equal(fake.n_credentials, 0);
}

static void handshakes(const char *client, const char *server, const char *package, unsigned legs, bool mic)
{
    begin(client, server);
    fake.legs = legs;
    fake.wants_list_mic = mic;
    wanted = package;
    for (int sticky = 0; sticky < 2; sticky++) {
        sweep(handshake, sticky != 0);
        assert_int_equal(handshake(), SEC_E_OK);
    }
    end();
}

static void test_handshakes(void **state)
{
    (void)state;
    handshakes(BOTH, BOTH, "Fake", 2, false);
    handshakes(BOTH, BOTH, "Fake", 2, true);
    handshakes(BOTH, BOTH, "Fake", 3, true);
    handshakes(NTLM_ALONE, NTLM_ALONE, "NTLM", 0, false);
    handshakes(BOTH, NTLM_ALONE, "NTLM", 2, false); /* the server's choice */
}

static void test_move(void **state)
{
    (void)state;
    begin(NTLM_ALONE, NTLM_ALONE);
    assert_true(loop_run(&loop));
    sweep(move, false);
    sweep(move, true);
    assert_int_equal(loop_seal(&loop.client, &loop.server, "the original goes on"), SEC_E_OK);
    loop_end(&loop);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_acquire),
        cmocka_unit_test(test_handshakes),
        cmocka_unit_test(test_move),
    };
    fake_register();
    loop_configure(NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
