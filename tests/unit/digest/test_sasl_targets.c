/*
 * SASL DIGEST-MD5: whose service the client means, and whether it is the server's.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/digest_loop.h"

#define TARGET "ldap/server.example.test"

static struct digest_side client, server;

static int begin(void **state)
{
    (void)state;
    return digest_sides(&client, &server, NULL) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    digest_side_end(&client);
    digest_side_end(&server);
    return 0;
}

static void forget(void)
{
    digest_forget(&client);
    digest_forget(&server);
}

static SECURITY_STATUS run_for(const char *target)
{
    const struct digest_call ours = {.target = target}, theirs = {0};
    forget();
    assert_int_equal(digest_accept_step(&server, &theirs, NULL), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(digest_initiate_step(&client, &ours, server.token), SEC_I_CONTINUE_NEEDED);
    return digest_accept_step(&server, &theirs, client.token);
}

/* Without a list it has to be a service on this computer: who signs on elsewhere does not get handed on to here. */
static void test_targets_usual(void **state)
{
    static const char *const meant[] = {"ldap/server.example.test", "imap/SERVER",
                                        "ldap/Server.Example.Test/example.test", "ldap/localhost", "ldap/127.0.0.1"};
    static const char *const others[] = {"ldap/other.example.test", "ldap/server.example.test.evil",
                                         "server.example.test/ldap"};
    (void)state;
    for (size_t i = 0; i < sizeof meant / sizeof meant[0]; i++)
        assert_int_equal(run_for(meant[i]), SEC_E_OK);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(run_for(others[i]), SEC_E_WRONG_PRINCIPAL);
    digest_side_end(&server);
    digest_configure("targets = *\n");
    digest_server(&server);
    assert_int_equal(run_for(others[0]), SEC_E_OK);
    digest_side_end(&server);
    digest_configure("targets = mail.example.test, ldap/directory.example.test\n");
    digest_server(&server);
    assert_int_equal(run_for("imap/mail.example.test"), SEC_E_OK);
    assert_int_equal(run_for("ldap/directory.example.test"), SEC_E_OK);
    assert_int_equal(run_for("imap/directory.example.test"), SEC_E_WRONG_PRINCIPAL);
    assert_int_equal(run_for("ldap/server.example.test"), SEC_E_WRONG_PRINCIPAL);
}

/* Bytes that are no text, in the name of the service. */
static void test_target_no_text(void **state)
{
    static const char *const targets[] = {"ldap/\377\376",
                                          "ldap/server.example.test/\377"}; /* the second one's host is ours */
    const struct digest_call ours = {.target = TARGET}, theirs = {0};
    (void)state;
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        forget();
        assert_int_equal(digest_accept_step(&server, &theirs, NULL), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(digest_initiate_step(&client, &ours, server.token), SEC_I_CONTINUE_NEEDED);
        assert_true(digest_alter(client.token, "digest-uri", targets[i]));
        assert_int_equal(digest_accept_step(&server, &theirs, client.token), SEC_E_INVALID_TOKEN);
    }
}

static void test_targets(void **state)
{
    (void)state;
    digest_side_end(&server);
    digest_configure("targets = imap/server.example.test, ldap/other.example.test\n");
    digest_server(&server);
    assert_int_equal(digest_sasl_run(&client, &server, 0, 0), SEC_E_WRONG_PRINCIPAL);
    forget();
    digest_side_end(&server);
    digest_configure("targets = LDAP/server.example.test\n");
    digest_server(&server);
    assert_int_equal(digest_sasl_run(&client, &server, 0, 0), SEC_E_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_targets, begin, end),
        cmocka_unit_test_setup_teardown(test_targets_usual, begin, end),
        cmocka_unit_test_setup_teardown(test_target_no_text, begin, end),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    digest_cleanup();
    return failed;
}
