/*
 * CredSSP where a daemon answers: TLS is walked here, the handshake inside it there, and the accounts' hashes stay there.
 * build: all
 */
#include "support/credssp_loop.h"
#include "support/lsa_daemon.h"
#include "support/memory_search.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* The NT hash of alice's password, disguised. */
static const uint8_t hash[] = {0x25, 0xf6, 0x86, 0x13, 0xd4, 0x8b, 0x32, 0x56,
                               0x15, 0x8b, 0x1e, 0xd9, 0x43, 0xf2, 0x9a, 0x15};

/* A sign-on, and whether the hash is in memory while both credentials still live. */
static bool signed_on_with_hash(void)
{
    credssp_configure(credssp_roots());
    struct loop_pair *pair = credssp_established();
    assert_non_null(pair);
    SecPkgContext_NamesA names;
    assert_int_equal(QueryContextAttributesA(&pair->server.context, SECPKG_ATTR_NAMES, &names), SEC_E_OK);
    assert_string_equal(names.sUserName, "EXAMPLE\\alice");
    FreeContextBuffer(names.sUserName);
    bool found = memory_holds(hash, sizeof hash);
    pair_free(pair);
    return found;
}

/* First with the daemon: freed memory of a run without it might still tell. */
static void test_hashes_stay_in_the_daemon(void **state)
{
    (void)state;
    setenv("OPENSSPI_TEST_LSAD", "", 1);
    assert_false(signed_on_with_hash());
    assert_true(lsa_daemon_pid() != 0);
    lsa_daemon_stop();
    unsetenv("OPENSSPI_TEST_LSAD");
    assert_true(signed_on_with_hash()); /* or the search proves nothing */
}

static void test_no_daemon(void **state)
{
    (void)state;
    setenv("OPENSSPI_TEST_LSAD", "", 1);
    credssp_configure(credssp_roots());
    lsa_daemon_stop();
    struct loop_pair *pair = credssp_pair();
    assert_int_equal(credssp_server_acquire(&pair->server, 0), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    assert_int_equal(credssp_client_acquire(&pair->client, NULL, 0, 0), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    pair_free(pair);
    unsetenv("OPENSSPI_TEST_LSAD");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hashes_stay_in_the_daemon),
        cmocka_unit_test(test_no_daemon),
    };
    return cmocka_run_group_tests(tests, NULL, loop_teardown);
}
