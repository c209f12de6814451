/*
 * Memory runs out in Kerberos: the first, second, third, ... allocation of acquiring, of a handshake in each style, of messages, queries and transfer
 * fails, once alone and once with all that follow. No crash, no leak (under AddressSanitizer), nothing half done left behind, and no success that is
 * none. What libkrb5 allocates is not ours to fail.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "core/registry.h"
#include "negotiate/spnego.h"
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

/* One step of a server whose nth allocation fails; *len becomes 0 where it has no token for the peer. */
static SECURITY_STATUS accept_short(ULONG flags, struct slice token, unsigned long n, bool *struck,
                                    unsigned char *answer, ULONG *len)
{
    bool first = is_zero(&loop.server);
    SecBuffer in = {(ULONG)token.len, SECBUFFER_TOKEN, (void *)(uintptr_t)token.data},
              out = {*len, SECBUFFER_TOKEN, answer};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 1, &in}, out_list = {SECBUFFER_VERSION, 1, &out};
    ULONG granted;
    answer[0] = 0;
    mem_fault_set(n, false);
    SECURITY_STATUS status = AcceptSecurityContext(first ? &loop.server_credential : NULL, first ? NULL : &loop.server,
                                                   &in_list, flags, 0, &loop.server, &out_list, &granted, NULL);
    *struck = mem_fault_count() >= n;
    mem_fault_set(0, false);
    *len = answer[0] != 0 ? out.cbBuffer : 0;
    return status;
}

static void token_forge(struct writer *token, bool spnego)
{
    struct forge forge;
    AUTO_WRITER struct writer raw = writer_growing(2048), list = writer_growing(64);
    forge_begin(&forge, KRB_AES256_SHA1);
    forge_token(spnego ? &raw : token, &forge);
    if (!spnego)
        return;
    spnego_mech_list_write(&list, &registry_find("Kerberos")->info.mech.oid[0], 1);
    spnego_init_write(token, writer_slice_of(&list), writer_slice_of(&raw));
}

/* What a server that failed says: that it did, or why. */
static void is_no_success(struct slice answer, bool spnego)
{
    enum krb_token id;
    enum krb_framing framing;
    struct slice message;
    struct spnego_resp resp;
    if (spnego && answer.len > 0) {
        assert_int_equal(spnego_resp_parse(answer, &resp), WIRE_OK);
        assert_int_equal(resp.state, SPNEGO_REJECT);
        answer = resp.token;
    }
    if (answer.len == 0)
        return;
    assert_int_equal(krb_token_parse(answer, &id, &message, &framing), WIRE_OK);
    assert_int_equal(id, TOKEN_ERROR);
}

/* A server that failed in the end sends no AP-REP that says otherwise, nor one before its error; nor does Negotiate, with SPNEGO and without. */
static void test_no_success_is_sent(void **state)
{
    (void)state;
    static const char *const packages[] = {"Kerberos", "Negotiate", "Negotiate"};
    enctype = KRB_AES256_SHA1;
    ticket();
    for (int i = 0; i < 6; i++) {
        bool spnego = i / 2 == 2;
        unsigned n_failed = 0;
        assert_int_equal(AcquireCredentialsHandleA(NULL, (char *)(uintptr_t)packages[i / 2], SECPKG_CRED_INBOUND, NULL,
                                                   NULL, NULL, NULL, &loop.server_credential, NULL),
                         SEC_E_OK);
        for (unsigned long n = 1;; n++) {
            AUTO_WRITER struct writer token = writer_growing(2048);
            unsigned char answer[4096];
            ULONG len = sizeof answer;
            bool struck;
            token_forge(&token, spnego);
            SECURITY_STATUS status = accept_short(i % 2 == 0 ? 0 : ASC_REQ_EXTENDED_ERROR, writer_slice_of(&token), n,
                                                  &struck, answer, &len);
            if (status < 0) {
                assert_true(i % 2 == 1 || len == 0);
                is_no_success(slice_of(answer, len), spnego);
            }
            n_failed += status < 0;
            drop_contexts();
            if (!struck) {
                assert_int_equal(status, SEC_E_OK); /* so it was memory alone that was missing */
                break;
            }
        }
        assert_true(n_failed > 2);
        drop_all();
    }
}

/* The third leg has no answer, and whoever fails there has none either. */
static void test_third_leg_says_nothing(void **state)
{
    (void)state;
    unsigned n_failed = 0;
    style = ISC_REQ_USE_DCE_STYLE;
    enctype = KRB_AES256_SHA1;
    ticket();
    assert_int_equal(acquire(), SEC_E_OK);
    for (unsigned long n = 1; n < STEPS_MAX; n++) {
        unsigned char there[4096], back[4096];
        SecBuffer in = {0, SECBUFFER_TOKEN, back}, out = {sizeof there, SECBUFFER_TOKEN, there};
        SecBufferDesc in_list = {SECBUFFER_VERSION, 1, &in}, out_list = {SECBUFFER_VERSION, 1, &out};
        ULONG granted, len = sizeof back;
        bool struck;
        char *target = (char *)(uintptr_t)loop.target;
        const ULONG wishes = style | KERBEROS_PROTECT;
        assert_int_equal(InitializeSecurityContextA(&loop.client_credential, NULL, target, wishes, 0,
                                                    SECURITY_NATIVE_DREP, NULL, 0, &loop.client, &out_list, &granted,
                                                    NULL),
                         SEC_I_CONTINUE_NEEDED);
        assert_int_equal(accept_short(ASC_REQ_EXTENDED_ERROR, slice_of(there, out.cbBuffer), 0, &struck, back, &len),
                         SEC_I_CONTINUE_NEEDED);
        in.cbBuffer = len;
        out.cbBuffer = sizeof there;
        assert_int_equal(InitializeSecurityContextA(NULL, &loop.client, target, wishes, 0, SECURITY_NATIVE_DREP,
                                                    &in_list, 0, NULL, &out_list, &granted, NULL),
                         SEC_E_OK);
        len = sizeof back;
        SECURITY_STATUS status =
            accept_short(ASC_REQ_EXTENDED_ERROR, slice_of(there, out.cbBuffer), n, &struck, back, &len);
        assert_true(status == SEC_E_OK || status == SEC_E_INSUFFICIENT_MEMORY);
        assert_int_equal(len, 0);
        n_failed += status < 0;
        drop_contexts();
        if (!struck)
            break;
    }
    assert_true(n_failed > 2);
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
        cmocka_unit_test(test_acquire),
        cmocka_unit_test(test_from_the_beginning),
        cmocka_unit_test(test_handshakes),
        cmocka_unit_test(test_no_success_is_sent),
        cmocka_unit_test(test_third_leg_says_nothing),
        cmocka_unit_test(test_after_it),
    };
    kerberos_loop_configure(NULL, NULL, NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    kerberos_loop_cleanup();
    return failed;
}
