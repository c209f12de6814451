/*
 * SASL DIGEST-MD5: what the flags promise when the offers were altered on their way, and the sizes of messages, which are told once.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/digest_loop.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define TARGET "ldap/server.example.test"
#define COUNTED (ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT) /* of the same value on both sides, asked and told */

static struct digest_side client, server;

static int begin(void **state)
{
    (void)state;
    return digest_sides(&client, &server, "allow_no_qop = yes\n") ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    digest_side_end(&client);
    digest_side_end(&server);
    return 0;
}

static SECURITY_STATUS sign(struct digest_side *side)
{
    char text[] = "text";
    unsigned char token[64];
    SecBuffer buffers[2] = {{sizeof token, SECBUFFER_TOKEN, token}, {4, SECBUFFER_DATA, text}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    return MakeSignature(&side->context, 0, &list, 0);
}

/* The proof does not cover what was offered: who takes auth-int away gets a sign-on without protection, and both sides are told so. */
static void test_less_was_offered(void **state)
{
    const struct digest_call ours = {.flags = COUNTED, .target = TARGET}, theirs = {.flags = 0};
    (void)state;
    for (int altered = 0; altered < 2; altered++) {
        digest_forget(&client);
        digest_forget(&server);
        assert_int_equal(digest_accept_step(&server, &theirs, NULL), SEC_I_CONTINUE_NEEDED);
        if (altered)
            assert_true(digest_alter(server.token, "qop", "auth"));
        assert_int_equal(digest_initiate_step(&client, &ours, server.token), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(digest_accept_step(&server, &theirs, client.token), SEC_E_OK);
        assert_int_equal(digest_initiate_step(&client, &ours, server.token), SEC_E_OK);
        assert_int_equal(client.attributes & COUNTED, altered ? 0 : COUNTED);
        assert_int_equal(server.attributes & COUNTED, altered ? 0 : COUNTED);
        assert_int_equal(sign(&client), altered ? SEC_E_QOP_NOT_SUPPORTED : SEC_E_OK);
    }
}

/* HTTP: a response without qop counts nothing; every other does. */
static void test_http_counts(void **state)
{
    const struct digest_call ours = {.flags = COUNTED | DIGEST_HTTP, .target = "/", .method = "GET"};
    const struct digest_call theirs = {.flags = DIGEST_HTTP, .method = "GET", .uri = "/"};
    (void)state;
    for (int altered = 0; altered < 2; altered++) {
        digest_forget(&client);
        digest_forget(&server);
        assert_int_equal(digest_accept_step(&server, &theirs, NULL), SEC_I_CONTINUE_NEEDED);
        if (altered) { /* the first of several, to one that needs no client's nonce */
            char *next = strstr(server.token, ", Digest ");
            if (next != NULL)
                *next = '\0';
            assert_true(digest_alter(server.token, "algorithm", "SHA-256"));
            assert_true(digest_alter(server.token, "qop", NULL));
        }
        assert_int_equal(digest_initiate_step(&client, &ours, server.token), SEC_E_OK);
        assert_int_equal(client.attributes & COUNTED, altered ? 0 : COUNTED);
    }
}

/* A step of the Sasl functions, into side->token. */
static SECURITY_STATUS walk(struct digest_side *side, bool initiator, ULONG flags, const char *token)
{
    char target[] = TARGET;
    SecBuffer in = {token != NULL ? (ULONG)strlen(token) : 0, SECBUFFER_TOKEN, (void *)(uintptr_t)token};
    SecBuffer out = {DIGEST_TOKEN, SECBUFFER_TOKEN, side->token};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 1, &in}, out_list = {SECBUFFER_VERSION, 1, &out};
    PCtxtHandle former = side->has_context ? &side->context : NULL;
    SECURITY_STATUS status =
        initiator ? SaslInitializeSecurityContextA(&side->credential, former, target, flags, 0, 0,
                                                   former != NULL ? &in_list : NULL, 0, &side->context, &out_list,
                                                   &side->attributes, NULL)
                  : SaslAcceptSecurityContext(&side->credential, former, token != NULL ? &in_list : NULL, flags, 0,
                                              &side->context, &out_list, &side->attributes, NULL);
    if (status >= 0) {
        side->has_context = true;
        side->token[out.cbBuffer] = '\0';
    }
    return status;
}

static SECURITY_STATUS size_set(struct digest_side *side, ULONG option, ULONG size)
{
    return SaslSetContextOption(&side->context, option, &size, sizeof size);
}

static ULONG size_get(struct digest_side *side, ULONG option)
{
    ULONG size = 0, needed = 0;
    assert_int_equal(SaslGetContextOption(&side->context, option, &size, sizeof size, &needed), SEC_E_OK);
    return size;
}

/* Challenge, response, proof, both by the Sasl functions; `size` (0: none) is what the client sets in time. */
static void sign_on(ULONG flags, ULONG size)
{
    assert_int_equal(walk(&client, true, flags, NULL), SEC_I_CONTINUE_NEEDED);
    if (size != 0)
        assert_int_equal(size_set(&client, SASL_OPTION_RECV_SIZE, size), SEC_E_OK);
    assert_int_equal(walk(&server, false, 0, NULL), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(walk(&client, true, flags, server.token), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(walk(&server, false, 0, client.token), SEC_E_OK);
    assert_int_equal(walk(&client, true, flags, server.token), SEC_E_OK);
}

/* Once the peer was told what it may send, that holds. A server's challenge tells it before there is a context to set anything of. */
static void test_receive_size_too_late(void **state)
{
    (void)state;
    assert_int_equal(walk(&client, true, ISC_REQ_CONFIDENTIALITY, NULL), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(size_set(&client, SASL_OPTION_RECV_SIZE, 2000), SEC_E_OK);
    assert_int_equal(size_set(&client, SASL_OPTION_RECV_SIZE, 1000), SEC_E_OK); /* nothing was told yet */
    assert_int_equal(walk(&server, false, 0, NULL), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(size_set(&server, SASL_OPTION_RECV_SIZE, 1000), SEC_E_OUT_OF_SEQUENCE);
    assert_int_equal(walk(&client, true, ISC_REQ_CONFIDENTIALITY, server.token), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(size_set(&client, SASL_OPTION_RECV_SIZE, 500), SEC_E_OUT_OF_SEQUENCE);
    assert_int_equal(walk(&server, false, 0, client.token), SEC_E_OK);
    assert_int_equal(walk(&client, true, ISC_REQ_CONFIDENTIALITY, server.token), SEC_E_OK);
    assert_int_equal(size_set(&client, SASL_OPTION_RECV_SIZE, 500), SEC_E_OUT_OF_SEQUENCE);
    assert_int_equal(size_set(&server, SASL_OPTION_RECV_SIZE, 500), SEC_E_OUT_OF_SEQUENCE);
    assert_int_equal(size_get(&client, SASL_OPTION_RECV_SIZE), 1000);
}

/* RFC 2831 2.1.1: a maxbuf is more than 16, and 65536 where none is said. */
static void test_receive_size_bounds(void **state)
{
    char told[16];
    (void)state;
    assert_int_equal(walk(&client, true, ISC_REQ_CONFIDENTIALITY, NULL), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(size_get(&client, SASL_OPTION_RECV_SIZE), 65536);
    assert_int_equal(size_set(&client, SASL_OPTION_RECV_SIZE, 1), SEC_E_INVALID_PARAMETER);
    assert_int_equal(size_set(&client, SASL_OPTION_RECV_SIZE, 16), SEC_E_INVALID_PARAMETER);
    assert_int_equal(size_get(&client, SASL_OPTION_RECV_SIZE), 65536);
    assert_int_equal(walk(&server, false, 0, NULL), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(size_get(&server, SASL_OPTION_RECV_SIZE), 65536);
    assert_true(digest_value(server.token, "maxbuf", told, sizeof told));
    assert_string_equal(told, "65536");
    digest_forget(&client);
    digest_forget(&server);
    sign_on(ISC_REQ_CONFIDENTIALITY, 17);
}

/* As much text as is told goes out, and one byte more than the peer takes does not. */
static void test_send_size(void **state)
{
    static unsigned char text[70000], token[64];
    (void)state;
    sign_on(ISC_REQ_CONFIDENTIALITY, 1000);
    ULONG fits = size_get(&server, SASL_OPTION_SEND_SIZE);
    assert_in_range(fits, 900, 984);
    SecBuffer buffers[2] = {{sizeof token, SECBUFFER_TOKEN, token}, {fits, SECBUFFER_DATA, text}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    assert_int_equal(EncryptMessage(&server.context, 0, &list, 0), SEC_E_OK);
    assert_int_equal(DecryptMessage(&client.context, &list, 0, NULL), SEC_E_OK);
    buffers[0].cbBuffer = sizeof token;
    buffers[1].cbBuffer = 985;
    assert_int_equal(EncryptMessage(&server.context, 0, &list, 0), SEC_E_INVALID_TOKEN);
    assert_int_equal(size_set(&server, SASL_OPTION_SEND_SIZE, 500), SEC_E_OK); /* the smaller one holds */
    assert_in_range(size_get(&server, SASL_OPTION_SEND_SIZE), 400, 484);
    assert_int_equal(size_set(&server, SASL_OPTION_SEND_SIZE, 5000), SEC_E_OK);
    assert_int_equal(size_get(&server, SASL_OPTION_SEND_SIZE), fits);
    assert_in_range(size_get(&client, SASL_OPTION_SEND_SIZE), 65000, 65536); /* the server's own is the usual one */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_less_was_offered, begin, end),
        cmocka_unit_test_setup_teardown(test_http_counts, begin, end),
        cmocka_unit_test_setup_teardown(test_receive_size_too_late, begin, end),
        cmocka_unit_test_setup_teardown(test_receive_size_bounds, begin, end),
        cmocka_unit_test_setup_teardown(test_send_size, begin, end),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    digest_cleanup();
    return failed;
}
