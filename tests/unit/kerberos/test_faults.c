/*
 * Memory runs out in Kerberos: the first, second, third, ... allocation of acquiring, of a handshake in each style, of messages, queries and transfer fails,
 * once alone and once with all that follow. No crash, no leak (under AddressSanitizer), nothing half done left behind, and no success that is none. What
 * libkrb5 allocates is not ours to fail.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "support/kerberos_loop.h"
#include "unit/kerberos/pac_builder.h"
#include <sspi_ext.h>
#include <string.h>

#define STEPS_MAX 5000

static struct loop loop;
static ULONG style;
static int32_t enctype;

static bool is_zero(const SecHandle *handle)
{
    return handle->dwLower == 0 && handle->dwUpper == 0;
}

static void drop_contexts(void)
{
    if (!is_zero(&loop.client))
        assert_int_equal(DeleteSecurityContext(&loop.client), SEC_E_OK);
    if (!is_zero(&loop.server))
        assert_int_equal(DeleteSecurityContext(&loop.server), SEC_E_OK);
    loop.client = loop.server = (CtxtHandle){0};
}

static void drop_all(void)
{
    drop_contexts();
    if (!is_zero(&loop.client_credential))
        assert_int_equal(FreeCredentialsHandle(&loop.client_credential), SEC_E_OK);
    if (!is_zero(&loop.server_credential))
        assert_int_equal(FreeCredentialsHandle(&loop.server_credential), SEC_E_OK);
    loop = (struct loop){0};
}

static SECURITY_STATUS acquire(void)
{
    kerberos_loop_acquire(&loop);
    assert_true(loop.client_status == SEC_E_OK || is_zero(&loop.client_credential));
    assert_true(loop.server_status == SEC_E_OK || is_zero(&loop.server_credential));
    return loop.client_status != SEC_E_OK ? loop.client_status : loop.server_status;
}

static SECURITY_STATUS handshake(void)
{
    loop.client_flags = style | KERBEROS_PROTECT | ISC_REQ_IDENTIFY;
    loop.server_flags = ASC_REQ_EXTENDED_ERROR;
    loop.client_status = loop.server_status = SEC_E_OK; /* of acquiring */
    if (loop_run(&loop))
        return SEC_E_OK;
    return loop.client_status < 0 ? loop.client_status : loop.server_status;
}

/* Everything the first handshake has to do: a ticket fetched, the keytab read, libkrb5's contexts made. */
static SECURITY_STATUS from_the_beginning(void)
{
    SECURITY_STATUS status = acquire();
    return status == SEC_E_OK ? handshake() : status;
}

static SECURITY_STATUS messages(void)
{
    SECURITY_STATUS status = loop_seal(&loop.client, &loop.server, "sealed");
    return status == SEC_E_OK ? loop_sign(&loop.server, &loop.client, "signed") : status;
}

static SECURITY_STATUS moved(CtxtHandle *context)
{
    SecBuffer packed = {0};
    CtxtHandle copy = {0};
    SECURITY_STATUS status = ExportSecurityContext(context, 0, &packed, NULL);
    if (status != SEC_E_OK) {
        assert_null(packed.pvBuffer);
        return status;
    }
    status = ImportSecurityContextA((char *)(uintptr_t) "Kerberos", &packed, NULL, &copy);
    assert_true(status == SEC_E_OK || is_zero(&copy));
    assert_int_equal(FreeContextBuffer(packed.pvBuffer), SEC_E_OK);
    if (!is_zero(&copy))
        assert_int_equal(DeleteSecurityContext(&copy), SEC_E_OK);
    return status;
}

static SECURITY_STATUS transfer(void)
{
    SECURITY_STATUS status = moved(&loop.client);
    return status == SEC_E_OK ? moved(&loop.server) : status;
}

/* Runs `work` until no allocation is left to fail, and returns how many there were. */
static unsigned long sweep(SECURITY_STATUS (*work)(void), void (*after)(void), bool sticky)
{
    for (unsigned long n = 1; n < STEPS_MAX; n++) {
        mem_fault_set(n, sticky);
        SECURITY_STATUS status = work();
        bool struck = mem_fault_count() >= n;
        mem_fault_set(0, false);
        if (status != SEC_E_OK ? !struck || status != SEC_E_INSUFFICIENT_MEMORY
                               : struck && sticky && work != from_the_beginning)
            fail_msg("allocation %lu%s: 0x%08x %s", n, sticky ? " and on" : "", (unsigned)status,
                     OpenSspiLastErrorText());
        if (status == SEC_E_OK && (work == handshake || work == from_the_beginning))
            assert_int_equal(messages(), SEC_E_OK); /* it is a success */
        if (after != NULL)
            after();
        if (!struck)
            return n - 1;
    }
    fail_msg("the sweep does not end");
    return 0;
}

static struct logon_recipe recipe = {
    .user_id = 1105, .primary_group_id = 513, .n_groups = 3, .n_extra_sids = 2, .step = 1, .attributes = 7};

/* A ticket with a PAC, so that identities are made, too. */
static void ticket(void)
{
    struct forge forge;
    AUTO_WRITER struct writer info = writer_growing(512), pac = writer_growing(1024), element = writer_growing(1024),
                              list = writer_growing(1024);
    forge_begin(&forge, enctype);
    logon_info_write(&info, &recipe);
    const struct pac_part part = {1, writer_slice_of(&info)};
    forge_pac(&pac, &forge, &part, 1);
    forge_authdata(&element, KRB_AD_WIN2K_PAC, writer_slice_of(&pac));
    forge_if_relevant(&list, writer_slice_of(&element));
    forge.authorization = writer_slice_of(&list);
    kerberos_loop_ticket(&forge);
}

static const ULONG styles[] = {0, ISC_REQ_MUTUAL_AUTH, ISC_REQ_USE_DCE_STYLE};

static void test_acquire(void **state)
{
    (void)state;
    for (int sticky = 0; sticky < 2; sticky++)
        assert_true(sweep(acquire, drop_all, sticky != 0) > 0);
}

static void test_from_the_beginning(void **state)
{
    (void)state;
    style = ISC_REQ_MUTUAL_AUTH;
    enctype = KRB_AES256_SHA1;
    ticket();
    for (int sticky = 0; sticky < 2; sticky++)
        assert_true(sweep(from_the_beginning, drop_all, sticky != 0) > 20);
}

static void test_handshakes(void **state)
{
    (void)state;
    for (int i = 0; i < KERBEROS_TYPES; i++)
        for (size_t j = 0; j < sizeof styles / sizeof styles[0]; j++)
            for (int sticky = 0; sticky < 2; sticky++) {
                style = styles[j];
                enctype = kerberos_loop_types[i];
                ticket();
                assert_int_equal(acquire(), SEC_E_OK);
                assert_true(sweep(handshake, drop_contexts, sticky != 0) > 20);
                assert_int_equal(handshake(), SEC_E_OK);
                assert_int_equal(messages(), SEC_E_OK);
                drop_all();
            }
}

static SECURITY_STATUS accept_forged(ULONG flags, unsigned long n, bool *struck, unsigned char *answer, ULONG *len)
{
    struct forge forge;
    AUTO_WRITER struct writer token = writer_growing(2048);
    forge_begin(&forge, KRB_AES256_SHA1);
    forge_token(&token, &forge);
    SecBuffer in = {(ULONG)token.len, SECBUFFER_TOKEN, token.data}, out = {*len, SECBUFFER_TOKEN, answer};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 1, &in}, out_list = {SECBUFFER_VERSION, 1, &out};
    ULONG granted;
    mem_fault_set(n, false);
    SECURITY_STATUS status = AcceptSecurityContext(&loop.server_credential, NULL, &in_list, flags, 0, &loop.server,
                                                   &out_list, &granted, NULL);
    *struck = mem_fault_count() >= n;
    mem_fault_set(0, false);
    *len = out.cbBuffer;
    return status;
}

/* A server that failed in the end sends no AP-REP that says otherwise, nor one before its error. */
static void test_no_success_is_sent(void **state)
{
    (void)state;
    enctype = KRB_AES256_SHA1;
    ticket();
    assert_int_equal(acquire(), SEC_E_OK);
    for (int i = 0; i < 2; i++)
        for (unsigned long n = 1;; n++) {
            unsigned char answer[4096] = {0};
            ULONG len = sizeof answer;
            bool struck;
            SECURITY_STATUS status = accept_forged(i == 0 ? 0 : ASC_REQ_EXTENDED_ERROR, n, &struck, answer, &len);
            enum krb_token id;
            enum krb_framing framing;
            struct slice message;
            if (status != SEC_E_OK && answer[0] != 0) {
                assert_int_equal(i, 1);
                assert_int_equal(krb_token_parse(slice_of(answer, len), &id, &message, &framing), WIRE_OK);
                assert_int_equal(id, TOKEN_ERROR);
            }
            drop_contexts();
            if (!struck)
                break;
        }
    drop_all();
}

static void test_after_it(void **state)
{
    (void)state;
    style = ISC_REQ_MUTUAL_AUTH;
    enctype = KRB_AES256_SHA1;
    ticket();
    assert_int_equal(from_the_beginning(), SEC_E_OK);
    assert_int_equal(sweep(messages, NULL, true), 0); /* none allocates */
    assert_true(sweep(transfer, NULL, false) > 0);
    assert_true(sweep(transfer, NULL, true) > 0);
    assert_int_equal(messages(), SEC_E_OK);
    drop_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_acquire),    cmocka_unit_test(test_from_the_beginning),
        cmocka_unit_test(test_handshakes), cmocka_unit_test(test_no_success_is_sent),
        cmocka_unit_test(test_after_it),
    };
    kerberos_loop_configure(NULL, NULL, NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    kerberos_loop_cleanup();
    return failed;
}
