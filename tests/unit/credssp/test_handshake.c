/*
 * CredSSP's client and server against each other: both TLS versions, tokens in pieces, what the server is handed, messages afterwards, and refusals.
 * build: all
 */
#include "support/credssp_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ntsecapi.h>
#include <sspi_ext.h>

static struct wire text;

static struct loop_pair *acquired(const struct credssp_who *who, DWORD protocols)
{
    struct loop_pair *pair = credssp_pair();
    assert_int_equal(credssp_client_acquire(&pair->client, who, protocols & SP_PROT_TLS1_X_CLIENT, 0), SEC_E_OK);
    assert_int_equal(credssp_server_acquire(&pair->server, protocols & SP_PROT_TLS1_X_SERVER), SEC_E_OK);
    return pair;
}

static void talk_one(struct side *from, struct side *to, const char *words)
{
    text.len = 0;
    assert_int_equal(side_send(from, words, strlen(words), &to->in), SEC_E_OK);
    assert_int_equal(side_receive_text(to, from, &text), SEC_E_OK);
    assert_int_equal(text.len, strlen(words));
    assert_memory_equal(text.data, words, text.len);
    assert_int_equal(to->in.len, 0);
}

static void talk(struct loop_pair *pair)
{
    talk_one(&pair->client, &pair->server, "to the server");
    talk_one(&pair->server, &pair->client, "to the client");
    talk_one(&pair->client, &pair->server, "and again");
}

static void handed_is(struct loop_pair *pair, const char *user, const char *domain, const char *password)
{
    SecPkgContext_ClientCreds creds;
    PCWSTR user_w = NULL, domain_w = NULL, packed_w = NULL;
    assert_int_equal(QueryContextAttributesA(&pair->server.context, SECPKG_ATTR_CREDS, &creds), SEC_E_OK);
    assert_int_equal(SspiEncodeAuthIdentityAsStrings(creds.AuthBuffer, &user_w, &domain_w, &packed_w), SEC_E_OK);
    const char *expected[] = {user, domain, password};
    PCWSTR got[] = {user_w, domain_w, packed_w};
    for (size_t i = 0; i < 3; i++) {
        size_t len = strlen(expected[i]);
        for (size_t j = 0; j <= len; j++)
            assert_int_equal(got[i][j], (unsigned char)expected[i][j]);
        SspiLocalFree((void *)(uintptr_t)got[i]);
    }
    assert_int_equal(FreeContextBuffer(creds.AuthBuffer), SEC_E_OK);
}

static void one(DWORD protocols, size_t piece)
{
    struct loop_pair *pair = acquired(NULL, protocols);
    pair->piece = piece;
    assert_true(pair_run(pair));
    assert_int_equal(pair->server.attributes & ASC_RET_DELEGATE, ASC_RET_DELEGATE);
    assert_int_equal(pair->client.attributes & ISC_RET_DELEGATE, ISC_RET_DELEGATE);
    handed_is(pair, "alice", "EXAMPLE", "Password1!");
    talk(pair);
    pair_free(pair);
}

static void test_tls_1_2(void **state)
{
    (void)state;
    one(SP_PROT_TLS1_2, 0);
}

static void test_tls_1_3(void **state)
{
    (void)state;
    one(SP_PROT_TLS1_3, 0);
}

static void test_pieces(void **state)
{
    (void)state;
    static const size_t pieces[] = {1, 3, 7, 100, 1000};
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        one(SP_PROT_TLS1_2, pieces[i]);
        one(SP_PROT_TLS1_3, pieces[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tls_1_2),
        cmocka_unit_test(test_tls_1_3),
        cmocka_unit_test(test_pieces),
    };
    loop_configure("[ntlm]\ntargets = server.test\n[negotiate]\npackages = NTLM\n");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
