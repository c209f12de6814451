/*
 * Peers that lie: every directive changed, taken out or said twice, on both sides; replays, foreign nonces, wrong passwords up to the lock-out, names
 * that are none.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "core/status.h"
#include "support/digest_loop.h"
#include "support/lsa_daemon.h"
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct digest_side client, server;
static const struct digest_call get = {.flags = DIGEST_HTTP, .target = "/page", .method = "GET"};
static const struct digest_call got = {.flags = DIGEST_HTTP, .method = "GET", .uri = "/page"};

static int begin(void **state)
{
    (void)state;
    return digest_sides(&client, &server, NULL) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    filetime_fix(0);
    digest_side_end(&client);
    digest_side_end(&server);
    return 0;
}

static void forget(void)
{
    digest_forget(&client);
    digest_forget(&server);
}

static void answer_get(void)
{
    forget();
    assert_int_equal(digest_accept_step(&server, &got, NULL), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(digest_initiate_step(&client, &get, server.token), SEC_E_OK);
}

static void test_response_altered(void **state)
{
    static const struct {
        const char *name, *value;
        SECURITY_STATUS expected;
    } cases[] = {
        {"username", "bob", SEC_E_LOGON_DENIED},
        {"username", "EXAMPLE\\\\alice", SEC_E_LOGON_DENIED}, /* another spelling has another hash */
        {"username", "", SEC_E_INVALID_TOKEN},
        {"username", "ali:ce", SEC_E_INVALID_TOKEN},
        {"username", "ali\tce", SEC_E_INVALID_TOKEN},
        {"username", NULL, SEC_E_INVALID_TOKEN},
        {"realm", "other", SEC_E_INVALID_TOKEN},
        {"realm", NULL, SEC_E_INVALID_TOKEN},
        {"nonce", "abc", SEC_E_LOGON_DENIED},
        {"nonce", NULL, SEC_E_INVALID_TOKEN},
        {"uri", "/other", SEC_E_INVALID_TOKEN},
        {"uri", NULL, SEC_E_INVALID_TOKEN},
        {"cnonce", "abc", SEC_E_LOGON_DENIED},
        {"cnonce", NULL, SEC_E_INVALID_TOKEN},
        {"opaque", "00000000000000000000000000000000", SEC_E_INVALID_TOKEN},
        {"opaque", "", SEC_E_INVALID_TOKEN},
        {"opaque", NULL, SEC_E_INVALID_TOKEN},
        {"nc", "00000002", SEC_E_LOGON_DENIED},
        {"nc", "1", SEC_E_INVALID_TOKEN},
        {"nc", "0000000x", SEC_E_INVALID_TOKEN},
        {"nc", NULL, SEC_E_INVALID_TOKEN},
        {"qop", "auth-int", SEC_E_QOP_NOT_SUPPORTED},
        {"qop", "auth-conf", SEC_E_QOP_NOT_SUPPORTED},
        {"qop", "none", SEC_E_QOP_NOT_SUPPORTED},
        {"qop", NULL, SEC_E_QOP_NOT_SUPPORTED},
        {"response", "0000000000000000000000000000000000000000000000000000000000000000", SEC_E_LOGON_DENIED},
        {"response", "00", SEC_E_LOGON_DENIED},
        {"response", NULL, SEC_E_INVALID_TOKEN},
        {"algorithm", "MD5", SEC_E_INVALID_TOKEN},
        {"algorithm", "SHA-256-sess", SEC_E_INVALID_TOKEN},
        {"algorithm", NULL, SEC_E_INVALID_TOKEN},
    };
    (void)state;
    digest_side_end(&server);
    digest_configure("[accounts]\nlockout_threshold = 0\n");
    digest_server(&server);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        answer_get();
        assert_true(digest_alter(client.token, cases[i].name, cases[i].value));
        SECURITY_STATUS status = digest_accept_step(&server, &got, client.token);
        if (status != cases[i].expected)
            print_error("%s=%s\n", cases[i].name, cases[i].value != NULL ? cases[i].value : "(none)");
        assert_int_equal(status, cases[i].expected);
    }
    static const struct {
        const char *text;
        SECURITY_STATUS expected;
    } added[] = {
        {",realm=\"" DIGEST_REALM "\"", SEC_E_INVALID_TOKEN},
        {",username=\"alice\"", SEC_E_INVALID_TOKEN},
        {",authzid=\"bob\"", SEC_E_LOGON_DENIED}, /* alice may not act as him */
        {",username*=UTF-8''alice", SEC_E_INVALID_TOKEN},
        {",userhash=true", SEC_E_INVALID_TOKEN},
        {", Digest a=b", SEC_E_INVALID_TOKEN},
        {",x", SEC_E_INVALID_TOKEN},
    };
    for (size_t i = 0; i < sizeof added / sizeof added[0]; i++) {
        answer_get();
        strcat(client.token, added[i].text);
        SECURITY_STATUS status = digest_accept_step(&server, &got, client.token);
        if (status != added[i].expected)
            fail_msg("%s: 0x%08x", added[i].text, (unsigned)status);
    }
}

static void test_challenge_altered(void **state)
{
    static const struct {
        const char *name, *value;
        SECURITY_STATUS expected; /* of the client; SEC_E_OK: the server refuses */
    } cases[] = {
        {"nonce", "abc", SEC_E_OK},
        {"nonce", "", SEC_E_INVALID_TOKEN},
        {"nonce", NULL, SEC_E_INVALID_TOKEN},
        {"realm", "evil", SEC_E_OK},
        {"realm", NULL, SEC_E_INVALID_TOKEN},
        {"qop", NULL, SEC_E_QOP_NOT_SUPPORTED},
        {"qop", "auth-conf", SEC_E_QOP_NOT_SUPPORTED},
        {"qop", "", SEC_E_QOP_NOT_SUPPORTED},
        {"opaque", "another", SEC_E_OK},
        {"opaque", NULL, SEC_E_OK},
        {"algorithm", "MD5", SEC_E_OK},
        {"algorithm", "SHA-1", SEC_E_UNSUPPORTED_FUNCTION},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        forget();
        assert_int_equal(digest_accept_step(&server, &got, NULL), SEC_I_CONTINUE_NEEDED);
        assert_true(digest_alter(server.token, cases[i].name, cases[i].value));
        SECURITY_STATUS status = digest_initiate_step(&client, &get, server.token);
        assert_int_equal(status, cases[i].expected);
        if (status == SEC_E_OK) {
            status = digest_accept_step(&server, &got, client.token);
            assert_true(status != SEC_E_OK); /* refused, or asked anew with a nonce of ours */
            assert_int_equal(status == SEC_I_CONTINUE_NEEDED, strcmp(cases[i].name, "nonce") == 0);
        }
    }
    digest_side_end(&client);
    digest_configure("allow_md5 = no\n");
    digest_client(&client, NULL, NULL, NULL);
    digest_forget(&server);
    assert_int_equal(digest_accept_step(&server, &got, NULL), SEC_I_CONTINUE_NEEDED);
    assert_true(digest_alter(server.token, "algorithm", "MD5"));
    assert_int_equal(digest_initiate_step(&client, &get, server.token), SEC_E_UNSUPPORTED_FUNCTION);
}

static void test_client_asked_for_more(void **state)
{
    struct digest_call ours = get;
    (void)state;
    ours.flags |= ISC_REQ_INTEGRITY;
    assert_int_equal(digest_http_run(&client, &server, &ours, &got), SEC_E_QOP_NOT_SUPPORTED);
    forget();
    ours.flags = get.flags | ISC_REQ_CONFIDENTIALITY;
    assert_int_equal(digest_http_run(&client, &server, &ours, &got), SEC_E_QOP_NOT_SUPPORTED);
    forget();
    struct digest_call theirs = got;
    theirs.flags |= ASC_REQ_CONFIDENTIALITY;
    assert_int_equal(digest_accept_step(&server, &theirs, NULL), SEC_E_SECURITY_QOS_FAILED);
    ours.flags = get.flags;
    ours.method = NULL;
    assert_int_equal(digest_http_run(&client, &server, &ours, &got), SEC_E_INVALID_TOKEN);
    forget();
    ours.method = "GET";
    ours.target = NULL;
    assert_int_equal(digest_http_run(&client, &server, &ours, &got), SEC_E_INVALID_TOKEN);
    forget();
    ours.target = "/a b";
    assert_int_equal(digest_http_run(&client, &server, &ours, &got), SEC_E_INVALID_TOKEN);
    forget();
    ours.target = "/page";
    ours.method = "GET\r\nX";
    assert_int_equal(digest_http_run(&client, &server, &ours, &got), SEC_E_INVALID_TOKEN);
}

/* "GET" and "a:b" hash as "GET:a" and "b" do: a method has no colon, so that one response is over one request. */
static void test_method_with_colon(void **state)
{
    struct digest_call ours = get, theirs = got;
    char token[DIGEST_TOKEN + 1];
    (void)state;
    ours.target = "http://example.test/";
    theirs.uri = "//example.test/";
    theirs.method = "GET:http";
    assert_int_equal(digest_accept_step(&server, &got, NULL), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(digest_initiate_step(&client, &ours, server.token), SEC_E_OK);
    strcpy(token, client.token);
    assert_true(digest_alter(token, "uri", "//example.test/"));
    digest_forget(&server);
    assert_int_equal(digest_accept_step(&server, &theirs, token), SEC_E_INVALID_TOKEN);
    theirs.method = "GET";
    theirs.uri = ours.target;
    digest_forget(&server);
    assert_int_equal(digest_accept_step(&server, &theirs, client.token), SEC_E_OK);
    assert_int_equal(digest_sign(&client, "GET", ours.target, "", token), SEC_E_OK);
    assert_true(digest_alter(token, "uri", "//example.test/"));
    assert_int_equal(digest_verify(&server, "GET:http", "//example.test/", "", token), SEC_E_INVALID_TOKEN);
    assert_int_equal(digest_sign(&client, "GET:http", "//example.test/", "", token), SEC_E_INVALID_TOKEN);
    digest_forget(&client);
    ours.method = "GET:http";
    digest_forget(&server);
    assert_int_equal(digest_accept_step(&server, &got, NULL), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(digest_initiate_step(&client, &ours, server.token), SEC_E_INVALID_TOKEN);
}

static void test_replay(void **state)
{
    char token[DIGEST_TOKEN + 1];
    (void)state;
    answer_get();
    strcpy(token, client.token);
    assert_int_equal(digest_accept_step(&server, &got, token), SEC_E_OK);
    for (int i = 0; i < 3; i++) {
        digest_forget(&server);
        assert_int_equal(digest_accept_step(&server, &got, token), SEC_E_OUT_OF_SEQUENCE);
    }
    /* over another request: another method, whose response this is not */
    struct digest_call theirs = got;
    theirs.method = "DELETE";
    digest_forget(&server);
    assert_int_equal(digest_accept_step(&server, &theirs, token), SEC_E_LOGON_DENIED);
}

/* A child of fork makes nonces of its own, and takes none of its parent's: what its parent took it does not know. */
static void test_fork(void **state)
{
    int status = 0;
    (void)state;
    answer_get();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char value[16] = "";
        SECURITY_STATUS answer = digest_accept_step(&server, &got, client.token);
        bool good = answer == SEC_I_CONTINUE_NEEDED && digest_value(server.token, "stale", value, sizeof value) &&
                    strcmp(value, "true") == 0;
        _exit(good ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(digest_accept_step(&server, &got, client.token), SEC_E_OK);
}

static SECURITY_STATUS sign_on(const char *user, const char *password)
{
    digest_side_end(&client);
    digest_client(&client, user, NULL, password);
    digest_forget(&server);
    return digest_http_run(&client, &server, &get, &got);
}

static void test_passwords(void **state)
{
    (void)state;
    assert_int_equal(sign_on("alice", "wrong"), SEC_E_LOGON_DENIED);
    assert_int_equal(sign_on("nobody", "Password1!"), SEC_E_LOGON_DENIED);
    assert_int_equal(sign_on("undigested", "Password1!"), SEC_E_LOGON_DENIED);
    assert_int_equal(sign_on("disabled", "wrong"), SEC_E_LOGON_DENIED);
    assert_int_equal(sign_on("disabled", "Password1!"), STATUS_ACCOUNT_DISABLED);
    assert_int_equal(sign_on("alice", ""), SEC_E_LOGON_DENIED);
    assert_int_equal(sign_on("alice", "Password1!"), SEC_E_OK);
}

static void test_lockout(void **state)
{
    (void)state;
    digest_side_end(&server);
    digest_configure("[accounts]\nlockout_threshold = 3\n");
    digest_server(&server);
    for (int i = 0; i < 3; i++)
        assert_int_equal(sign_on("J\303\244s\303\270n", "wrong"), SEC_E_LOGON_DENIED);
    assert_int_equal(sign_on("J\303\244s\303\270n", "Geheim\303\274"), STATUS_ACCOUNT_LOCKED_OUT);
    assert_int_equal(sign_on("alice", "Password1!"), SEC_E_OK); /* nobody else is */
    filetime_fix(filetime_now() + 601 * FILETIME_SECOND);
    assert_int_equal(sign_on("J\303\244s\303\270n", "Geheim\303\274"), SEC_E_OK);
}

/* Two failures of three; then a right response that somebody recorded: over a nonce that served, that is too old, or that is another process's. Who
 * replays it between his guesses guesses no more often for it. */
static void replay_between(const char *token, int64_t later, SECURITY_STATUS expected)
{
    for (int i = 0; i < 2; i++)
        assert_int_equal(sign_on("alice", "wrong"), SEC_E_LOGON_DENIED);
    filetime_fix(filetime_now() + later);
    digest_forget(&server);
    assert_int_equal(digest_accept_step(&server, &got, token), expected);
    assert_int_equal(sign_on("alice", "wrong"), SEC_E_LOGON_DENIED);
    assert_int_equal(sign_on("alice", "Password1!"), STATUS_ACCOUNT_LOCKED_OUT);
    filetime_fix(filetime_now() + 3601 * FILETIME_SECOND); /* let in again */
    assert_int_equal(sign_on("alice", "Password1!"), SEC_E_OK);
}

static void test_replay_forgives_nothing(void **state)
{
    char token[DIGEST_TOKEN + 1];
    int status = 0;
    (void)state;
    digest_side_end(&server);
    digest_configure("[accounts]\nlockout_threshold = 3\nlockout_seconds = 3600\nlockout_reset_seconds = 3600\n");
    digest_server(&server);
    answer_get();
    strcpy(token, client.token);
    assert_int_equal(digest_accept_step(&server, &got, token), SEC_E_OK);
    replay_between(token, 0, SEC_E_OUT_OF_SEQUENCE);
    answer_get();
    strcpy(token, client.token);
    replay_between(token, 700 * FILETIME_SECOND, SEC_I_CONTINUE_NEEDED);
    answer_get();
    strcpy(token, client.token);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        replay_between(token, 0, SEC_I_CONTINUE_NEEDED);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    /* and one that is new forgives */
    filetime_fix(filetime_now() + 7202 * FILETIME_SECOND); /* to where the child was, which counted in the same file */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sign_on("alice", "wrong"), SEC_E_LOGON_DENIED);
        assert_int_equal(sign_on("alice", "wrong"), SEC_E_LOGON_DENIED);
        assert_int_equal(sign_on("alice", "Password1!"), SEC_E_OK);
    }
}

/* A right response that is bound to another channel does not get as far as the password. */
static void test_bound_elsewhere_forgives_nothing(void **state)
{
    struct digest_call ours = get, theirs = got;
    (void)state;
    ours.bindings = &digest_channel;
    theirs.bindings = &digest_other_channel;
    ours.bindings_len = theirs.bindings_len = sizeof digest_channel;
    digest_side_end(&server);
    digest_configure("[accounts]\nlockout_threshold = 3\n");
    digest_server(&server);
    filetime_fix(filetime_now() + 36000 * FILETIME_SECOND); /* behind what the tests before left */
    for (int i = 0; i < 2; i++)
        assert_int_equal(sign_on("J\303\244s\303\270n", "wrong"), SEC_E_LOGON_DENIED);
    digest_side_end(&client);
    digest_client(&client, "J\303\244s\303\270n", NULL, "Geheim\303\274");
    digest_forget(&server);
    assert_int_equal(digest_http_run(&client, &server, &ours, &theirs), SEC_E_BAD_BINDINGS);
    assert_int_equal(sign_on("J\303\244s\303\270n", "wrong"), SEC_E_LOGON_DENIED);
    assert_int_equal(sign_on("J\303\244s\303\270n", "Geheim\303\274"), STATUS_ACCOUNT_LOCKED_OUT);
}

static void test_names_refused(void **state)
{
    (void)state;
    digest_side_end(&client);
    digest_client(&client, "ali\nce", NULL, NULL);
    assert_int_equal(client.acquired, SEC_E_UNKNOWN_CREDENTIALS);
    digest_client(&client, "ali:ce", NULL, NULL);
    assert_int_equal(client.acquired, SEC_E_UNKNOWN_CREDENTIALS);
    digest_client(&client, "alice", "EXAM\033PLE", NULL);
    assert_int_equal(client.acquired, SEC_E_UNKNOWN_CREDENTIALS);
}

static void test_server_asks_for_ever(void **state)
{
    struct digest_call ours = get;
    SECURITY_STATUS status = SEC_I_CONTINUE_NEEDED;
    int answers = 0;
    (void)state;
    ours.flags |= ISC_REQ_MUTUAL_AUTH;
    while (status == SEC_I_CONTINUE_NEEDED && answers++ < 10)
        status = digest_initiate_step(&client, &ours, "realm=\"r\",nonce=\"n\",qop=\"auth\",stale=true");
    assert_int_equal(status, SEC_E_LOGON_DENIED);
    assert_int_equal(answers, 4);
    digest_forget(&client);
    assert_int_equal(digest_initiate_step(&client, &ours, "realm=\"r\",nonce=\"n\",qop=\"auth\""),
                     SEC_I_CONTINUE_NEEDED);
    assert_int_equal(digest_initiate_step(&client, &ours, "realm=\"r\",nonce=\"m\",qop=\"auth\""), SEC_E_LOGON_DENIED);
}

static void test_configuration(void **state)
{
    (void)state;
    digest_side_end(&server);
    digest_configure("algorithms = SHA-256, SHA-1\n");
    digest_server(&server);
    assert_int_equal(server.acquired, SEC_E_CANNOT_INSTALL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_response_altered, begin, end),
        cmocka_unit_test_setup_teardown(test_challenge_altered, begin, end),
        cmocka_unit_test_setup_teardown(test_client_asked_for_more, begin, end),
        cmocka_unit_test_setup_teardown(test_method_with_colon, begin, end),
        cmocka_unit_test_setup_teardown(test_replay, begin, end),
        cmocka_unit_test_setup_teardown(test_passwords, begin, end),
        cmocka_unit_test_setup_teardown(test_names_refused, begin, end),
        cmocka_unit_test_setup_teardown(test_server_asks_for_ever, begin, end),
        cmocka_unit_test_setup_teardown(test_configuration, begin, end),
    };
    /* Clocks that are set, and nonces of a process: no matter of a daemon's. */
    const struct CMUnitTest within[] = {
        cmocka_unit_test_setup_teardown(test_fork, begin, end),
        cmocka_unit_test_setup_teardown(test_lockout, begin, end),
        cmocka_unit_test_setup_teardown(test_replay_forgives_nothing, begin, end),
        cmocka_unit_test_setup_teardown(test_bound_elsewhere_forgives_nothing, begin, end),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (!lsa_daemon_wanted())
        failed += cmocka_run_group_tests(within, NULL, NULL);
    digest_cleanup();
    return failed;
}
