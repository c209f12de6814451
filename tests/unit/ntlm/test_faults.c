/*
 * Memory runs out where test_life.c does not take it away: while the configuration is read, while contexts change processes and begin anew there, and
 * while packages are listed. Messages need none.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "support/ntlm_loop.h"
#include <sspi_ext.h>
#include <string.h>

#define PROTECT (ISC_REQ_INTEGRITY | ISC_REQ_CONFIDENTIALITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT)
#define STEPS_MAX 5000 /* allocations of one piece of work; more is a sweep that does not end */

static struct loop loop;

static bool is_zero(const SecHandle *handle)
{
    return handle->dwLower == 0 && handle->dwUpper == 0;
}

/* Under a configuration that was not read yet. */
static SECURITY_STATUS acquire(void)
{
    struct loop fresh = {0};
    loop_acquire(&fresh);
    assert_true(fresh.client_status == SEC_E_OK || is_zero(&fresh.client_credential));
    assert_true(fresh.server_status == SEC_E_OK || is_zero(&fresh.server_credential));
    SECURITY_STATUS status = fresh.client_status != SEC_E_OK ? fresh.client_status : fresh.server_status;
    loop_end(&fresh);
    return status;
}

static SECURITY_STATUS messages(void)
{
    SECURITY_STATUS status = loop_seal(&loop.client, &loop.server, "sealed");
    return status == SEC_E_OK ? loop_sign(&loop.server, &loop.client, "signed") : status;
}

static SECURITY_STATUS moved_anew(void)
{
    SecBuffer packed = {0};
    CtxtHandle copy = {0};
    SECURITY_STATUS status = ExportSecurityContext(&loop.server, SECPKG_CONTEXT_EXPORT_RESET_NEW, &packed, NULL);
    if (status != SEC_E_OK) {
        assert_null(packed.pvBuffer);
        return status;
    }
    status = ImportSecurityContextA((char *)(uintptr_t) "NTLM", &packed, NULL, &copy);
    assert_true((status == SEC_E_OK) == !is_zero(&copy));
    assert_int_equal(FreeContextBuffer(packed.pvBuffer), SEC_E_OK);
    if (status == SEC_E_OK)
        assert_int_equal(DeleteSecurityContext(&copy), SEC_E_OK);
    return status;
}

static SECURITY_STATUS packages(void)
{
    SecPkgInfoA *info = NULL, *one = NULL;
    ULONG n_packages = 0;
    SECURITY_STATUS status = EnumerateSecurityPackagesA(&n_packages, &info);
    if (status == SEC_E_OK)
        status = QuerySecurityPackageInfoA((char *)(uintptr_t) "ntlm", &one);
    assert_int_equal(FreeContextBuffer(info), SEC_E_OK);
    assert_int_equal(FreeContextBuffer(one), SEC_E_OK);
    return status;
}

/* Runs `work` until no allocation is left to fail, and returns how many there were. */
static unsigned long sweep(SECURITY_STATUS (*work)(void), const char *configuration, bool sticky)
{
    for (unsigned long n = 1; n < STEPS_MAX; n++) {
        if (configuration != NULL)
            loop_configure(configuration);
        mem_fault_set(n, sticky);
        SECURITY_STATUS status = work();
        bool struck = mem_fault_count() >= n;
        mem_fault_set(0, false);
        if (status != SEC_E_INSUFFICIENT_MEMORY && !(status == SEC_E_OK && (!struck || !sticky)))
            fail_msg("allocation %lu: 0x%08x %s", n, (unsigned)status, OpenSspiLastErrorText());
        if (!struck)
            return n - 1;
    }
    fail_msg("the sweep does not end");
    return 0;
}

static void test_configuration(void **state)
{
    (void)state;
    for (int sticky = 0; sticky < 2; sticky++)
        assert_true(sweep(acquire, "lockout_threshold = 0\n", sticky != 0) > 20);
    assert_int_equal(acquire(), SEC_E_OK);
}

static void test_contexts(void **state)
{
    (void)state;
    loop = (struct loop){.client_flags = PROTECT, .target = "host/server.example.test"};
    assert_true(loop_run(&loop));
    for (int sticky = 0; sticky < 2; sticky++) /* before messages: who has sent is not reset */
        assert_true(sweep(moved_anew, NULL, sticky != 0) > 0);
    assert_int_equal(sweep(messages, NULL, true), 0); /* none allocates: see api/message.c */
    assert_int_equal(messages(), SEC_E_OK);           /* the original goes on */
    loop_end(&loop);
}

static void test_packages(void **state)
{
    (void)state;
    for (int sticky = 0; sticky < 2; sticky++)
        assert_true(sweep(packages, NULL, sticky != 0) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_configuration), cmocka_unit_test(test_contexts),
                                       cmocka_unit_test(test_packages)};
    loop_configure(NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
