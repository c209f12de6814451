/*
 * Memory runs out: the first, second, third, ... allocation of each piece of work fails, once alone and once with all that follow it. No crash, no
 * leak (under AddressSanitizer), a status that says so, nothing half done left behind, and the same work succeeds afterwards.
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

static CredHandle client_credential, server_credential;
static CtxtHandle client, server;

static bool is_zero(const SecHandle *handle)
{
    return handle->dwLower == 0 && handle->dwUpper == 0;
}

static void drop(CtxtHandle *context)
{
    if (!is_zero(context))
        assert_int_equal(DeleteSecurityContext(context), SEC_E_OK);
    *context = (CtxtHandle){0};
}

static void drop_all(void)
{
    drop(&client);
    drop(&server);
    if (!is_zero(&client_credential))
        assert_int_equal(FreeCredentialsHandle(&client_credential), SEC_E_OK);
    if (!is_zero(&server_credential))
        assert_int_equal(FreeCredentialsHandle(&server_credential), SEC_E_OK);
    client_credential = server_credential = (CredHandle){0};
}

static SECURITY_STATUS acquire(void)
{
    struct loop loop = {0};
    loop_acquire(&loop);
    client_credential = loop.client_credential;
    server_credential = loop.server_credential;
    assert_true(loop.client_status == SEC_E_OK || is_zero(&client_credential));
    assert_true(loop.server_status == SEC_E_OK || is_zero(&server_credential));
    return loop.client_status != SEC_E_OK ? loop.client_status : loop.server_status;
}

/* One leg with ALLOCATE_MEMORY. A failure leaves handle and buffer as they were. */
static SECURITY_STATUS leg(bool initiate, SecBuffer *in, SecBuffer *out)
{
    CtxtHandle *context = initiate ? &client : &server, before = *context;
    SecBufferDesc in_list = {SECBUFFER_VERSION, 1, in}, out_list = {SECBUFFER_VERSION, 1, out};
    ULONG attributes = 0;
    bool first = is_zero(context);
    *out = (SecBuffer){0, SECBUFFER_TOKEN, NULL};
    SECURITY_STATUS status =
        initiate
            ? InitializeSecurityContextA(&client_credential, first ? NULL : context,
                                         (char *)(uintptr_t) "host/server.example.test",
                                         PROTECT | ISC_REQ_ALLOCATE_MEMORY, 0, SECURITY_NATIVE_DREP,
                                         in->cbBuffer > 0 ? &in_list : NULL, 0, context, &out_list, &attributes, NULL)
            : AcceptSecurityContext(&server_credential, first ? NULL : context, &in_list, ASC_REQ_ALLOCATE_MEMORY,
                                    SECURITY_NATIVE_DREP, context, &out_list, &attributes, NULL);
    if (status < 0) {
        assert_memory_equal(&before, context, sizeof before);
        assert_null(out->pvBuffer);
    }
    return status;
}

static SECURITY_STATUS handshake(void)
{
    SecBuffer one = {0}, two = {0}, none = {0, SECBUFFER_TOKEN, NULL};
    SECURITY_STATUS status = leg(true, &none, &one);
    for (int i = 0; i < 3 && status == SEC_I_CONTINUE_NEEDED; i++) {
        bool initiate = i == 1;
        SecBuffer *in = initiate ? &two : &one, *out = initiate ? &one : &two;
        SecBuffer given = *in;
        status = leg(initiate, &given, out);
        assert_int_equal(FreeContextBuffer(given.pvBuffer), SEC_E_OK);
        *in = none;
        if (initiate && status == SEC_E_OK)
            status = SEC_I_CONTINUE_NEEDED; /* the server's last leg */
    }
    assert_int_equal(FreeContextBuffer(one.pvBuffer), SEC_E_OK);
    assert_int_equal(FreeContextBuffer(two.pvBuffer), SEC_E_OK);
    return status;
}

static SECURITY_STATUS messages(void)
{
    SECURITY_STATUS status = loop_seal(&client, &server, "sealed");
    if (status == SEC_E_OK)
        status = loop_sign(&server, &client, "signed");
    return status;
}

static SECURITY_STATUS query(ULONG attribute, bool wide, void **block)
{
    struct {
        void *first, *second;
        uint64_t room[16];
    } value = {0};
    SECURITY_STATUS status = wide ? QueryContextAttributesW(&server, attribute, &value)
                                  : QueryContextAttributesA(&server, attribute, &value);
    if (status != SEC_E_OK)
        assert_true(value.first == NULL && value.second == NULL);
    *block = value.first;
    if (attribute == SECPKG_ATTR_NATIVE_NAMES)
        assert_int_equal(FreeContextBuffer(value.second), SEC_E_OK);
    if (attribute == SECPKG_ATTR_SESSION_KEY)
        *block = value.second;
    return status;
}

static SECURITY_STATUS attributes(void)
{
    static const ULONG asked[] = {SECPKG_ATTR_NAMES,       SECPKG_ATTR_NATIVE_NAMES,
                                  SECPKG_ATTR_AUTHORITY,   SECPKG_ATTR_PACKAGE_INFO,
                                  SECPKG_ATTR_SESSION_KEY, SECPKG_ATTR_CLIENT_SPECIFIED_TARGET};
    for (size_t i = 0; i < 2 * sizeof asked / sizeof asked[0]; i++) {
        void *block = NULL;
        SECURITY_STATUS status = query(asked[i / 2], i % 2 != 0, &block);
        if (status != SEC_E_OK)
            return status;
        assert_int_equal(FreeContextBuffer(block), SEC_E_OK);
    }
    return SEC_E_OK;
}

static SECURITY_STATUS moved(ULONG flags)
{
    SecBuffer packed = {0};
    CtxtHandle copy = {0};
    SECURITY_STATUS status = ExportSecurityContext(&server, flags, &packed, NULL);
    if (status != SEC_E_OK) {
        assert_null(packed.pvBuffer);
        return status;
    }
    status = ImportSecurityContextA((char *)(uintptr_t) "NTLM", &packed, NULL, &copy);
    assert_true(status == SEC_E_OK || is_zero(&copy));
    assert_int_equal(FreeContextBuffer(packed.pvBuffer), SEC_E_OK);
    drop(&copy);
    return status;
}

static SECURITY_STATUS transfer(void)
{
    SECURITY_STATUS status = moved(0);
    return status == SEC_E_OK ? moved(SECPKG_CONTEXT_EXPORT_RESET_NEW) : status;
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
static unsigned long sweep(SECURITY_STATUS (*work)(void), void (*after)(void), bool sticky)
{
    for (unsigned long n = 1; n < STEPS_MAX; n++) {
        mem_fault_set(n, sticky);
        SECURITY_STATUS status = work();
        bool struck = mem_fault_count() >= n;
        mem_fault_set(0, false);
        if (status != SEC_E_INSUFFICIENT_MEMORY && !(status == SEC_E_OK && (!struck || !sticky)))
            fail_msg("allocation %lu: 0x%08x %s", n, (unsigned)status, OpenSspiLastErrorText());
        if (after != NULL)
            after();
        if (!struck)
            return n - 1;
    }
    fail_msg("the sweep does not end");
    return 0;
}

static void drop_contexts(void)
{
    drop(&client);
    drop(&server);
}

static void establish(void)
{
    drop_all();
    assert_int_equal(acquire(), SEC_E_OK);
    assert_int_equal(handshake(), SEC_E_OK);
}

static void test_acquire(void **state)
{
    (void)state;
    for (int sticky = 0; sticky < 2; sticky++) {
        loop_configure(sticky ? "lockout_threshold = 0\n" : NULL); /* read anew within the sweep */
        assert_true(sweep(acquire, drop_all, sticky != 0) > 0);
    }
    establish();
    assert_int_equal(messages(), SEC_E_OK);
    drop_all();
}

static void test_handshake(void **state)
{
    (void)state;
    drop_all();
    for (int sticky = 0; sticky < 2; sticky++) {
        assert_int_equal(acquire(), SEC_E_OK);
        assert_true(sweep(handshake, drop_contexts, sticky != 0) > 0);
        assert_int_equal(handshake(), SEC_E_OK);
        assert_int_equal(messages(), SEC_E_OK);
        drop_all();
    }
}

static void test_messages(void **state)
{
    (void)state;
    establish();
    assert_int_equal(sweep(messages, NULL, true), 0); /* none allocates: see api/message.c */
    drop_all();
}

static void test_attributes(void **state)
{
    (void)state;
    establish();
    assert_true(sweep(attributes, NULL, false) > 0);
    assert_true(sweep(attributes, NULL, true) > 0);
    assert_int_equal(messages(), SEC_E_OK);
    drop_all();
}

static void test_transfer(void **state)
{
    (void)state;
    establish();
    assert_true(sweep(transfer, NULL, false) > 0);
    assert_true(sweep(transfer, NULL, true) > 0);
    assert_int_equal(messages(), SEC_E_OK); /* the original goes on */
    drop_all();
}

static void test_packages(void **state)
{
    (void)state;
    assert_true(sweep(packages, NULL, false) > 0);
    assert_true(sweep(packages, NULL, true) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_acquire),  cmocka_unit_test(test_handshake),  cmocka_unit_test(test_messages),
        cmocka_unit_test(test_transfer), cmocka_unit_test(test_attributes), cmocka_unit_test(test_packages),
    };
    loop_configure(NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
