/*
 * The behaviour table "ISC and ASC, any package" of the specification, with NTLM.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/ntlm_loop.h"
#include <sspi_ext.h>
#include <string.h>

static struct loop shared;

#define NO_HANDLE ((SecHandle){0, 0})

/* A first ISC with one output buffer. */
static SECURITY_STATUS first(SecBuffer *out, ULONG flags, SecBufferDesc *in, CtxtHandle *context)
{
    SecBufferDesc list = {SECBUFFER_VERSION, 1, out};
    ULONG attributes;
    return InitializeSecurityContextA(&shared.client_credential, NULL, NULL, flags, 0, SECURITY_NATIVE_DREP, in, 0,
                                      context, out != NULL ? &list : NULL, &attributes, NULL);
}

static void test_output_rules(void **state)
{
    unsigned char room[4096];
    CtxtHandle context = {7, 9};
    (void)state;
    assert_int_equal(first(NULL, 0, NULL, &context), SEC_E_BUFFER_TOO_SMALL);
    SecBuffer out = {sizeof room, SECBUFFER_TOKEN, NULL};
    assert_int_equal(first(&out, 0, NULL, &context), SEC_E_INTERNAL_ERROR);
    out = (SecBuffer){0, SECBUFFER_TOKEN, room};
    assert_int_equal(first(&out, 0, NULL, &context), SEC_E_BUFFER_TOO_SMALL);
    assert_int_equal(out.cbBuffer, 0);
    out = (SecBuffer){sizeof room, SECBUFFER_DATA, room};
    assert_int_equal(first(&out, 0, NULL, &context), SEC_E_BUFFER_TOO_SMALL);
    out = (SecBuffer){8, SECBUFFER_TOKEN, room};
    assert_int_equal(first(&out, 0, NULL, &context), SEC_E_BUFFER_TOO_SMALL);
    /* a failed first call leaves the caller's handle alone */
    assert_int_equal(context.dwLower, 7);
    assert_int_equal(context.dwUpper, 9);
}

static void test_allocated_memory_replaces_any_pointer(void **state)
{
    int bogus;
    CtxtHandle context;
    (void)state;
    SecBuffer out = {3, SECBUFFER_TOKEN, &bogus};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &out};
    ULONG attributes = 0;
    assert_int_equal(InitializeSecurityContextA(&shared.client_credential, NULL, NULL, ISC_REQ_ALLOCATE_MEMORY, 0,
                                                SECURITY_NATIVE_DREP, NULL, 0, &context, &list, &attributes, NULL),
                     SEC_I_CONTINUE_NEEDED);
    assert_ptr_not_equal(out.pvBuffer, &bogus);
    assert_true(out.cbBuffer > 3);
    assert_int_equal(attributes, ISC_RET_ALLOCATED_MEMORY); /* what was granted, no echo */
    assert_int_equal(FreeContextBuffer(out.pvBuffer), SEC_E_OK);
    assert_int_equal(DeleteSecurityContext(&context), SEC_E_OK);
}

static void test_first_call_inputs(void **state)
{
    unsigned char room[4096];
    CtxtHandle context;
    SEC_CHANNEL_BINDINGS bindings = {0};
    SecBuffer in[3] = {{0, SECBUFFER_EMPTY, NULL}};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, in};
    SecBuffer out = {sizeof room, SECBUFFER_TOKEN, room};
    (void)state;
    assert_int_equal(first(&out, 0, &list, &context), SEC_I_CONTINUE_NEEDED);
    DeleteSecurityContext(&context);
    in[0].BufferType = SECBUFFER_TOKEN;
    out = (SecBuffer){sizeof room, SECBUFFER_TOKEN, room};
    assert_int_equal(first(&out, 0, &list, &context), SEC_I_CONTINUE_NEEDED);
    DeleteSecurityContext(&context);
    in[0] = (SecBuffer){sizeof bindings, SECBUFFER_CHANNEL_BINDINGS, &bindings};
    out = (SecBuffer){sizeof room, SECBUFFER_TOKEN, room};
    assert_int_equal(first(&out, 0, &list, &context), SEC_I_CONTINUE_NEEDED);
    DeleteSecurityContext(&context);
    /* bindings that point outside their buffer */
    bindings.cbApplicationDataLength = 0xffffffff;
    bindings.dwApplicationDataOffset = 0xfffffff0;
    out = (SecBuffer){sizeof room, SECBUFFER_TOKEN, room};
    assert_int_equal(first(&out, 0, &list, &context), SEC_E_BAD_BINDINGS);
    in[0].pvBuffer = NULL;
    assert_int_equal(first(&out, 0, &list, &context), SEC_E_BAD_BINDINGS);
    /* lists that cannot be walked */
    list.pBuffers = NULL;
    assert_int_equal(first(&out, 0, &list, &context), SEC_E_INVALID_TOKEN);
    list = (SecBufferDesc){SECBUFFER_VERSION, 0xffffffff, in};
    assert_int_equal(first(&out, 0, &list, &context), SEC_E_INVALID_TOKEN);
}

static void test_handles(void **state)
{
    unsigned char room[4096];
    CtxtHandle context = NO_HANDLE, gone;
    CredHandle zero = NO_HANDLE, ones = {~(ULONG_PTR)0, ~(ULONG_PTR)0}, released;
    SecBuffer out = {sizeof room, SECBUFFER_TOKEN, room};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &out};
    SecPkgContext_Sizes sizes;
    ULONG attributes;
    (void)state;
    assert_int_equal(first(&out, 0, NULL, &gone), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(DeleteSecurityContext(&gone), SEC_E_OK);
    assert_int_equal(AcquireCredentialsHandleA(NULL, (char *)(uintptr_t) "NTLM", SECPKG_CRED_BOTH, NULL, NULL, NULL,
                                               NULL, &released, NULL),
                     SEC_E_OK);
    assert_int_equal(FreeCredentialsHandle(&released), SEC_E_OK);
    CredHandle *const wrong[] = {NULL, &zero, &ones, &gone, &released}; /* the last two: one of each kind, stale */
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(
            InitializeSecurityContextA(wrong[i], NULL, NULL, 0, 0, 0, NULL, 0, &context, &list, &attributes, NULL),
            SEC_E_INVALID_HANDLE);
        assert_int_equal(FreeCredentialsHandle(wrong[i]), SEC_E_INVALID_HANDLE);
        assert_int_equal(DeleteSecurityContext(wrong[i]), SEC_E_INVALID_HANDLE);
        assert_int_equal(QueryContextAttributesA(wrong[i], SECPKG_ATTR_SIZES, &sizes), SEC_E_INVALID_HANDLE);
        assert_int_equal(ApplyControlToken(wrong[i], &list), SEC_E_INVALID_HANDLE);
        assert_int_equal(CompleteAuthToken(wrong[i], &list), SEC_E_INVALID_HANDLE);
        assert_int_equal(MakeSignature(wrong[i], 0, &list, 0), SEC_E_INVALID_HANDLE);
        assert_int_equal(VerifySignature(wrong[i], &list, 0, NULL), SEC_E_INVALID_HANDLE);
        assert_int_equal(EncryptMessage(wrong[i], 0, &list, 0), SEC_E_INVALID_HANDLE);
        assert_int_equal(DecryptMessage(wrong[i], &list, 0, NULL), SEC_E_INVALID_HANDLE);
        assert_int_equal(ImpersonateSecurityContext(wrong[i]), SEC_E_INVALID_HANDLE);
        assert_int_equal(RevertSecurityContext(wrong[i]), SEC_E_INVALID_HANDLE);
        assert_int_equal(SetContextAttributesA(wrong[i], 0, room, 4), SEC_E_INVALID_HANDLE);
        assert_int_equal(ExportSecurityContext(wrong[i], 0, &out, NULL), SEC_E_INVALID_HANDLE);
    }
    out = (SecBuffer){sizeof room, SECBUFFER_TOKEN, room};
    assert_int_equal(first(&out, 0, NULL, &context), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(FreeCredentialsHandle(&context), SEC_E_INVALID_HANDLE); /* a context is no credential */
    assert_int_equal(
        InitializeSecurityContextA(&context, NULL, NULL, 0, 0, 0, NULL, 0, &gone, &list, &attributes, NULL),
        SEC_E_INVALID_HANDLE);
    assert_int_equal(DeleteSecurityContext(&shared.client_credential),
                     SEC_E_INVALID_HANDLE); /* nor is it the other way */
    assert_int_equal(QueryContextAttributesA(&shared.client_credential, SECPKG_ATTR_SIZES, &sizes),
                     SEC_E_INVALID_HANDLE);
    CtxtHandle copy = context;
    assert_int_equal(DeleteSecurityContext(&context), SEC_E_OK);
    assert_int_equal(DeleteSecurityContext(&context), SEC_E_INVALID_HANDLE);
    assert_int_equal(QueryContextAttributesA(&copy, SECPKG_ATTR_SIZES, &sizes), SEC_E_INVALID_HANDLE);
}

static void test_credential_of_the_other_direction(void **state)
{
    unsigned char room[4096];
    CtxtHandle context = NO_HANDLE;
    SecBuffer out = {sizeof room, SECBUFFER_TOKEN, room};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &out};
    ULONG attributes;
    (void)state;
    assert_int_equal(InitializeSecurityContextA(&shared.server_credential, NULL, NULL, 0, 0, 0, NULL, 0, &context,
                                                &list, &attributes, NULL),
                     SEC_E_NO_CREDENTIALS);
    SecBuffer in = {4, SECBUFFER_TOKEN, room};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 1, &in};
    assert_int_equal(
        AcceptSecurityContext(&shared.client_credential, NULL, &in_list, 0, 0, &context, &list, &attributes, NULL),
        SEC_E_NO_CREDENTIALS);
}

static void test_a_finished_context_takes_no_more_steps(void **state)
{
    struct loop loop = shared;
    unsigned char room[4096];
    SecBuffer out = {sizeof room, SECBUFFER_TOKEN, room}, in = {10, SECBUFFER_TOKEN, room};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &out}, in_list = {SECBUFFER_VERSION, 1, &in};
    ULONG attributes;
    (void)state;
    assert_true(loop_run(&loop));
    assert_int_equal(InitializeSecurityContextA(NULL, &loop.client, NULL, 0, 0, 0, &in_list, 0, &loop.client, &list,
                                                &attributes, NULL),
                     SEC_E_OUT_OF_SEQUENCE);
    assert_int_equal(AcceptSecurityContext(NULL, &loop.server, &in_list, 0, 0, &loop.server, &list, &attributes, NULL),
                     SEC_E_OUT_OF_SEQUENCE);
    /* and is none the worse for it */
    assert_int_equal(loop_seal(&loop.client, &loop.server, "still here and well"), SEC_E_OK);
    loop_end(&loop);
    loop = shared;
    loop.password = "wrong";
    loop.keep_credentials = false;
    assert_false(loop_run(&loop));
    assert_int_equal(AcceptSecurityContext(NULL, &loop.server, &in_list, 0, 0, &loop.server, &list, &attributes, NULL),
                     SEC_E_OUT_OF_SEQUENCE);
    assert_int_equal(loop_seal(&loop.server, &loop.server, "not established"), SEC_E_INVALID_HANDLE);
    loop_end(&loop);
}

static void test_the_wrong_function_for_a_context(void **state)
{
    unsigned char room[4096];
    CtxtHandle context;
    SecBuffer out = {sizeof room, SECBUFFER_TOKEN, room}, in = {10, SECBUFFER_TOKEN, room};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &out}, in_list = {SECBUFFER_VERSION, 1, &in};
    ULONG attributes;
    (void)state;
    assert_int_equal(first(&out, 0, NULL, &context), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(AcceptSecurityContext(NULL, &context, &in_list, 0, 0, NULL, &list, &attributes, NULL),
                     SEC_E_INVALID_HANDLE);
    DeleteSecurityContext(&context);
}

/* NULL credential and NULL new context on later legs, NULL expiry, and W handles in A calls. */
static void test_later_legs(void **state)
{
    unsigned char a[4096], b[4096];
    CtxtHandle client, server, again;
    SecBuffer out = {sizeof a, SECBUFFER_TOKEN, a}, in;
    SecBufferDesc out_list = {SECBUFFER_VERSION, 1, &out}, in_list = {SECBUFFER_VERSION, 1, &in};
    ULONG attributes;
    TimeStamp expiry = {.QuadPart = 0};
    (void)state;
    assert_int_equal(InitializeSecurityContextW(&shared.client_credential, NULL, (SEC_WCHAR *)u"test/server",
                                                ISC_REQ_INTEGRITY, 0, 0, NULL, 0, &client, &out_list, &attributes,
                                                &expiry),
                     SEC_I_CONTINUE_NEEDED);
    in = (SecBuffer){out.cbBuffer, SECBUFFER_TOKEN, a};
    out = (SecBuffer){sizeof b, SECBUFFER_TOKEN, b};
    assert_int_equal(
        AcceptSecurityContext(&shared.server_credential, NULL, &in_list, 0, 0, &server, &out_list, &attributes, NULL),
        SEC_I_CONTINUE_NEEDED);
    in = (SecBuffer){out.cbBuffer, SECBUFFER_TOKEN, b};
    out = (SecBuffer){sizeof a, SECBUFFER_TOKEN, a};
    again = NO_HANDLE;
    assert_int_equal(InitializeSecurityContextA(NULL, &client, NULL, ISC_REQ_INTEGRITY, 0, 0, &in_list, 0, &again,
                                                &out_list, &attributes, NULL),
                     SEC_E_OK);
    assert_memory_equal(&again, &client, sizeof client); /* the same handle comes back */
    in = (SecBuffer){out.cbBuffer, SECBUFFER_TOKEN, a};
    out = (SecBuffer){sizeof b, SECBUFFER_TOKEN, b};
    assert_int_equal(AcceptSecurityContext(NULL, &server, &in_list, 0, 0, NULL, &out_list, &attributes, &expiry),
                     SEC_E_OK);
    assert_int_equal(out.cbBuffer, 0); /* nothing to send */
    assert_int_equal(out.BufferType, SECBUFFER_TOKEN);
    assert_true(expiry.QuadPart == INT64_MAX);
    assert_int_equal(loop_sign(&client, &server, "signed"), SEC_E_OK);
    DeleteSecurityContext(&client);
    DeleteSecurityContext(&server);
}

/* The variable given as pfContextAttr is also the next call's fContextReq. */
static void test_reused_flag_variable(void **state)
{
    unsigned char a[4096], b[4096];
    CtxtHandle client, server;
    SecBuffer out = {sizeof a, SECBUFFER_TOKEN, a}, in;
    SecBufferDesc out_list = {SECBUFFER_VERSION, 1, &out}, in_list = {SECBUFFER_VERSION, 1, &in};
    ULONG flags = ISC_REQ_CONFIDENTIALITY | ISC_REQ_MUTUAL_AUTH, server_flags = 0;
    (void)state;
    assert_int_equal(InitializeSecurityContextA(&shared.client_credential, NULL, NULL, flags, 0, 0, NULL, 0, &client,
                                                &out_list, &flags, NULL),
                     SEC_I_CONTINUE_NEEDED);
    in = (SecBuffer){out.cbBuffer, SECBUFFER_TOKEN, a};
    out = (SecBuffer){sizeof b, SECBUFFER_TOKEN, b};
    assert_int_equal(AcceptSecurityContext(&shared.server_credential, NULL, &in_list, server_flags, 0, &server,
                                           &out_list, &server_flags, NULL),
                     SEC_I_CONTINUE_NEEDED);
    in = (SecBuffer){out.cbBuffer, SECBUFFER_TOKEN, b};
    out = (SecBuffer){sizeof a, SECBUFFER_TOKEN, a};
    assert_int_equal(
        InitializeSecurityContextA(NULL, &client, NULL, 0, 0, 0, &in_list, 0, NULL, &out_list, &flags, NULL), SEC_E_OK);
    assert_int_equal(flags & ISC_RET_CONFIDENTIALITY, ISC_RET_CONFIDENTIALITY);
    assert_int_equal(flags & ISC_RET_MUTUAL_AUTH, 0); /* NTLM proves no server */
    in = (SecBuffer){out.cbBuffer, SECBUFFER_TOKEN, a};
    out = (SecBuffer){sizeof b, SECBUFFER_TOKEN, b};
    assert_int_equal(
        AcceptSecurityContext(NULL, &server, &in_list, server_flags, 0, NULL, &out_list, &server_flags, NULL),
        SEC_E_OK);
    assert_int_equal(server_flags & ASC_RET_CONFIDENTIALITY, ASC_RET_CONFIDENTIALITY);
    DeleteSecurityContext(&client);
    DeleteSecurityContext(&server);
}

static void test_garbage_for_the_server(void **state)
{
    unsigned char garbage[64] = "this is no token", room[4096], huge[2889];
    CtxtHandle context = {1, 1};
    SecBuffer in = {sizeof garbage, SECBUFFER_TOKEN, garbage}, out = {sizeof room, SECBUFFER_TOKEN, room};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 1, &in}, out_list = {SECBUFFER_VERSION, 1, &out};
    ULONG attributes;
    (void)state;
    assert_int_equal(
        AcceptSecurityContext(&shared.server_credential, NULL, &in_list, 0, 0, &context, &out_list, &attributes, NULL),
        SEC_E_INVALID_TOKEN);
    assert_int_equal(
        AcceptSecurityContext(&shared.server_credential, NULL, NULL, 0, 0, &context, &out_list, &attributes, NULL),
        SEC_E_INVALID_TOKEN);
    memset(huge, 0, sizeof huge);
    memcpy(huge, "NTLMSSP\0\1\0\0\0\7\2",
           14); /* a good one, with zeros behind it: as long as a token may be, and longer */
    in = (SecBuffer){sizeof huge, SECBUFFER_TOKEN, huge};
    assert_int_equal(
        AcceptSecurityContext(&shared.server_credential, NULL, &in_list, 0, 0, &context, &out_list, &attributes, NULL),
        SEC_E_INVALID_TOKEN);
    assert_int_equal(context.dwLower, 1);
    in.cbBuffer--;
    assert_int_equal(
        AcceptSecurityContext(&shared.server_credential, NULL, &in_list, 0, 0, &context, &out_list, &attributes, NULL),
        SEC_I_CONTINUE_NEEDED);
    assert_int_equal(DeleteSecurityContext(&context), SEC_E_OK);
}

static void test_unsupported_calls_say_so(void **state)
{
    struct loop loop = shared;
    SecBuffer in = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &in};
    HANDLE token = NULL;
    (void)state;
    assert_true(loop_run(&loop));
    assert_int_equal(CompleteAuthToken(&loop.client, &list), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(ApplyControlToken(&loop.client, &list), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(ApplyControlToken(&loop.client, NULL), SEC_E_INTERNAL_ERROR);
    assert_int_equal(ImpersonateSecurityContext(&loop.client),
                     SEC_E_NO_IMPERSONATION); /* there is no client of a client */
    assert_int_equal(QuerySecurityContextToken(&loop.client, &token), SEC_E_NO_IMPERSONATION);
    assert_null(token);
    assert_int_equal(SetContextAttributesA(&loop.server, 1004, "x", 1), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(SetCredentialsAttributesA(&loop.client_credential, SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS,
                                               (void *)(uintptr_t) "x", 1),
                     SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(AddCredentialsA(&loop.client_credential, NULL, NULL, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL),
                     SEC_E_UNSUPPORTED_FUNCTION);
    loop_end(&loop);
}

static int setup(void **state)
{
    (void)state;
    loop_configure(NULL);
    shared.client_flags = ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY;
    loop_acquire(&shared);
    shared.keep_credentials = true;
    return shared.client_status != SEC_E_OK || shared.server_status != SEC_E_OK;
}

static int teardown(void **state)
{
    (void)state;
    FreeCredentialsHandle(&shared.client_credential);
    FreeCredentialsHandle(&shared.server_credential);
    loop_cleanup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_output_rules),
        cmocka_unit_test(test_allocated_memory_replaces_any_pointer),
        cmocka_unit_test(test_first_call_inputs),
        cmocka_unit_test(test_handles),
        cmocka_unit_test(test_credential_of_the_other_direction),
        cmocka_unit_test(test_a_finished_context_takes_no_more_steps),
        cmocka_unit_test(test_the_wrong_function_for_a_context),
        cmocka_unit_test(test_later_legs),
        cmocka_unit_test(test_reused_flag_variable),
        cmocka_unit_test(test_garbage_for_the_server),
        cmocka_unit_test(test_unsupported_calls_say_so),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
