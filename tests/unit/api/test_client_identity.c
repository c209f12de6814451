/*
 * OpenSspiQueryClientIdentity: who came in, and who may not ask.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/access_world.h"
#include <sspi_ext.h>
#include <string.h>

/* Are these SIDs of one domain? */
static bool same_domain(const char *one, const char *other)
{
    size_t len = (size_t)(strrchr(one, '-') - one);
    return strncmp(one, "S-1-5-21-", 9) == 0 && strncmp(one, other, len + 1) == 0 &&
           strchr(other + len + 1, '-') == NULL;
}

/* alice, of two groups of the store's, one of which is a Unix group. */
static void test_who(void **state)
{
    struct loop loop;
    OPENSSPI_CLIENT_IDENTITY *identity = NULL;
    unsigned n_staff = 0, n_others = 0;
    (void)state;
    access_connect(&loop, "alice", 0);
    assert_int_equal(OpenSspiQueryClientIdentity(&loop.server, &identity), SEC_E_OK);
    assert_string_equal(strrchr(identity->UserSid, '-'), "-1000");
    assert_false(identity->Anonymous);
    assert_int_equal(identity->Uid, ALICE_UID);
    assert_int_equal(identity->Gid, ALICE_UID);
    for (ULONG i = 0; i < identity->GroupCount; i++) {
        assert_true(same_domain(identity->UserSid, identity->Groups[i].Sid));
        assert_string_not_equal(identity->UserSid, identity->Groups[i].Sid);
        assert_int_equal(identity->Groups[i].Attributes, 7);
        if (identity->Groups[i].Gid == STAFF_GID)
            n_staff++;
        else if (identity->Groups[i].Gid == -1)
            n_others++;
    }
    assert_int_equal(n_staff, 1);
    assert_int_equal(n_staff + n_others, identity->GroupCount);
    assert_true(n_others > 0);
    assert_int_equal(FreeContextBuffer(identity), SEC_E_OK);
    identity = NULL;
    assert_int_equal(OpenSspiQueryClientIdentity(&loop.client, &identity), SEC_E_NO_IMPERSONATION);
    assert_int_equal(OpenSspiQueryClientIdentity(NULL, &identity), SEC_E_INVALID_HANDLE);
    assert_int_equal(OpenSspiQueryClientIdentity(&loop.server, NULL), SEC_E_INVALID_PARAMETER);
    assert_null(identity);
    CtxtHandle gone = loop.server;
    loop_end(&loop);
    assert_int_equal(OpenSspiQueryClientIdentity(&gone, &identity), SEC_E_INVALID_HANDLE);
}

static void test_nobody(void **state)
{
    struct loop loop = {.client_flags = ISC_REQ_NULL_SESSION, .server_flags = ASC_REQ_ALLOW_NULL_SESSION};
    OPENSSPI_CLIENT_IDENTITY *identity = NULL;
    (void)state;
    access_configure("[ntlm]\nallow_anonymous = yes\n");
    assert_true(loop_run(&loop));
    assert_int_equal(OpenSspiQueryClientIdentity(&loop.server, &identity), SEC_E_OK);
    assert_string_equal(identity->UserSid, "S-1-5-7");
    assert_true(identity->Anonymous);
    assert_true(identity->Uid == -1 && identity->Gid == -1);
    assert_int_equal(identity->GroupCount, 0);
    assert_int_equal(FreeContextBuffer(identity), SEC_E_OK);
    loop_end(&loop);
    access_configure(NULL);
}

/* Nobody is anybody before the handshake has ended. */
static OPENSSPI_CLIENT_IDENTITY *too_early;
static SECURITY_STATUS too_early_status;

static void ask_too_early(struct loop *loop, int leg, unsigned char *token, ULONG *len)
{
    (void)token;
    (void)len;
    if (leg == 2)
        too_early_status = OpenSspiQueryClientIdentity(&loop->server, &too_early);
}

static void test_too_early(void **state)
{
    struct loop loop = {.alter = ask_too_early};
    (void)state;
    assert_true(loop_run(&loop));
    assert_int_equal(too_early_status, SEC_E_INVALID_HANDLE);
    assert_null(too_early);
    loop_end(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_who), cmocka_unit_test(test_nobody),
                                       cmocka_unit_test(test_too_early)};
    access_configure(NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    access_cleanup();
    return failed;
}
