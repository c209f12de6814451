/*
 * NTLM handshakes through the public functions, client and server in one process.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/config.h"
#include "core/status.h"
#include "ntlm/credential.h"
#include "support/ntlm_loop.h"
#include <sspi_ext.h>
#include <string.h>

#define PROTECT (ISC_REQ_INTEGRITY | ISC_REQ_CONFIDENTIALITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT)

static void ok(struct loop *loop)
{
    if (!loop_run(loop))
        fail_msg("client 0x%08x, server 0x%08x, %s", (unsigned)loop->client_status, (unsigned)loop->server_status,
                 OpenSspiLastErrorText());
}

static void test_signs_on(void **state)
{
    (void)state;
    struct loop loop = {.client_flags = PROTECT, .target = "test/server.example.test"};
    ok(&loop);
    assert_int_equal(loop.legs, 4); /* NEGOTIATE, CHALLENGE, AUTHENTICATE, and its acceptance */
    assert_int_equal(loop_seal(&loop.client, &loop.server, "from the client to the server"), SEC_E_OK);
    assert_int_equal(loop_seal(&loop.server, &loop.client, "from the server to the client"), SEC_E_OK);
    assert_int_equal(loop_sign(&loop.client, &loop.server, "signed"), SEC_E_OK);
    assert_int_equal(loop_seal(&loop.client, &loop.server, ""), SEC_E_OK);
    loop_end(&loop);
}

static void test_wrong_password(void **state)
{
    (void)state;
    struct loop loop = {.client_flags = PROTECT, .password = "wrong"};
    assert_false(loop_run(&loop));
    assert_int_equal(loop.server_status, SEC_E_LOGON_DENIED);
    loop_end(&loop);
}

/* What is called a hash is one, whoever filled the identity in. */
static void test_hash_of_another_length(void **state)
{
    static const uint8_t bytes[17] = {1};
    static const size_t lens[] = {0, 1, 15, 17};
    char user[] = "alice", nobody[] = "";
    (void)state;
    const struct config *config = NULL;
    assert_int_equal(config_get(&config), SEC_E_OK);
    for (size_t i = 0; i < 4 * sizeof lens / sizeof lens[0]; i++) {
        size_t len = lens[i / 4];
        AUTO_SECRET struct secret hash = {0};
        void *credential = NULL;
        int64_t expiry;
        assert_true(len == 0 || secret_set(&hash, bytes, len));
        const struct identity identity = {.user = i % 2 == 0 ? user : nobody,
                                          .password = hash,
                                          .has_password = i / 2 % 2 == 0,
                                          .password_is_hash = true};
        const struct acquire_request request = {.config = config, .use = SECPKG_CRED_OUTBOUND, .identity = &identity};
        assert_int_equal(ntlm_acquire(&request, &credential, &expiry), SEC_E_INVALID_TOKEN);
        assert_null(credential);
    }
    config_release(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signs_on),
        cmocka_unit_test(test_wrong_password),
        cmocka_unit_test(test_hash_of_another_length),
    };
    loop_configure(NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
