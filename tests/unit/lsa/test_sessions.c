/*
 * What a logon session lends to those who ask with default credentials, as its KDC answers: a package of this test called Kerberos stands for it.
 * build: all
 */
#include "lsa/sessions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/time.h"
#include "core/cause.h"
#include "core/registry.h"
#include <string.h>

#define WORDS "the KDC of this test says no"

static SECURITY_STATUS kdc_answers;
static unsigned n_asked;
static int64_t ends = FILETIME_NEVER;

static SECURITY_STATUS acquire(const struct acquire_request *request, void **credential, int64_t *expiry)
{
    (void)request;
    *credential = mem_zalloc(1);
    *expiry = ends;
    return *credential != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS query_credential(const void *credential, uint32_t attribute, struct attribute *value)
{
    (void)credential, (void)attribute;
    n_asked++;
    if (kdc_answers != SEC_E_OK)
        return cause_set(kdc_answers, WORDS);
    value->names.text = "MEMORY:test";
    return SEC_E_OK;
}

static unsigned n_s4u;

static SECURITY_STATUS acquire_s4u(const struct acquire_request *request, const char *user, void *service,
                                   void **credential, int64_t *expiry)
{
    (void)user, (void)service;
    n_s4u++;
    return acquire(request, credential, expiry);
}

static const struct package_authority table = {
    .acquire = acquire, .release = mem_free, .query_credential = query_credential, .acquire_s4u = acquire_s4u};
static const struct package kerberos = {.info = {.name = "Kerberos", .comment = "A KDC's answers", .max_token = 1},
                                        .authority = &table};

static const struct config *config;

static int begin(void **state)
{
    (void)state;
    return config_get(&config) == SEC_E_OK && registry_add(&kerberos) == SEC_E_OK ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    config_release(config);
    return 0;
}

static const struct logon_session *session_of(const char *user)
{
    struct identity identity = {.user = mem_strdup(user), .domain = mem_strdup("REALM.EXAMPLE"), .has_password = true};
    const struct session_request request = {
        .config = config, .package = &kerberos, .identity = &identity, .type = SESSION_NEW_CREDENTIALS, .owner = 7};
    const struct logon_session *session = NULL;
    uint64_t id = 0;
    assert_int_equal(sessions_log_on(&request, &id), SEC_E_OK);
    identity_release(&identity);
    assert_int_equal(sessions_find(id, 7, &session), SEC_E_OK);
    return session;
}

static void session_end(const struct logon_session *session)
{
    assert_int_equal(sessions_log_off(session->id, 7), SEC_E_OK);
    sessions_put(session);
    steady_fix(0);
}

static struct acquire_request lend(const struct logon_session *session, SECURITY_STATUS answer, unsigned asked)
{
    struct acquire_request request = {.config = config};
    kdc_answers = answer;
    n_asked = 0;
    sessions_lend(session, &request);
    assert_int_equal(n_asked, asked);
    assert_string_equal(cause_text(), "");
    return request;
}

static void assert_tickets(struct acquire_request lent)
{
    assert_true(lent.session_has_realm);
    assert_string_equal(lent.session_cache, "MEMORY:test");
    assert_null(lent.session_refusal);
    assert_int_equal(lent.session_refused_until, 0);
}

static void assert_refused(struct acquire_request lent, int64_t until)
{
    assert_true(lent.session_has_realm);
    assert_null(lent.session_cache);
    assert_string_equal(lent.session_refusal, WORDS);
    assert_int_equal(lent.session_refused_until, until);
}

/* A refusal counts for five minutes, in which nobody asks again; then whoever needs tickets may get some. */
static void test_a_refusal_ends(void **state)
{
    (void)state;
    const struct logon_session *session = session_of("carol");
    int64_t start = steady_now();
    steady_fix(start);
    assert_refused(lend(session, SEC_E_LOGON_DENIED, 1), start + SESSION_REFUSED_FOR);
    assert_refused(lend(session, SEC_E_OK, 0), start + SESSION_REFUSED_FOR);
    steady_fix(start + SESSION_REFUSED_FOR - 1);
    assert_refused(lend(session, SEC_E_OK, 0), start + SESSION_REFUSED_FOR);
    steady_fix(start + SESSION_REFUSED_FOR);
    assert_refused(lend(session, SEC_E_LOGON_DENIED, 1), start + 2 * SESSION_REFUSED_FOR);
    steady_fix(start + 2 * SESSION_REFUSED_FOR);
    assert_tickets(lend(session, SEC_E_OK, 1));
    assert_tickets(lend(session, SEC_E_LOGON_DENIED, 0)); /* they last */
    session_end(session);
}

/* Tickets that have ended, and a refusal when there should be others: after it there are tickets again. */
static void test_a_refusal_takes_no_tickets_for_ever(void **state)
{
    (void)state;
    const struct logon_session *session = session_of("carol");
    int64_t start = steady_now();
    steady_fix(start);
    ends = filetime_now() - 1;
    assert_tickets(lend(session, SEC_E_OK, 1));
    assert_refused(lend(session, SEC_E_LOGON_DENIED, 1), start + SESSION_REFUSED_FOR);
    ends = FILETIME_NEVER;
    steady_fix(start + SESSION_REFUSED_FOR);
    assert_tickets(lend(session, SEC_E_OK, 1));
    session_end(session);
}

/* A KDC that does not answer holds up who acquires, and not each handshake after that; the next one who acquires asks it again. */
static void test_a_silent_kdc_is_no_realm(void **state)
{
    (void)state;
    const struct logon_session *session = session_of("carol");
    for (int i = 0; i < 2; i++) {
        struct acquire_request lent = lend(session, SEC_E_NO_AUTHENTICATING_AUTHORITY, 1);
        assert_false(lent.session_has_realm);
        assert_null(lent.session_cache);
        assert_null(lent.session_refusal);
    }
    assert_tickets(lend(session, SEC_E_OK, 1));
    session_end(session);
}

/* A service's word makes network sessions, and no other that says of itself it were one. */
static void test_a_name_alone(void **state)
{
    static const enum session_logon others[] = {SESSION_INTERACTIVE, SESSION_NEW_CREDENTIALS, 0, 4};
    struct identity identity = {.user = mem_strdup("carol")};
    struct session_request request = {.config = config, .package = &kerberos, .identity = &identity, .owner = 7};
    const struct logon_session *session = NULL;
    uint64_t id = 0;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        request.type = others[i];
        assert_int_equal(sessions_log_on_s4u(&request, &id), SEC_E_UNSUPPORTED_FUNCTION);
        assert_int_equal(id, 0);
    }
    assert_int_equal(n_s4u, 0);
    assert_null(sessions_default(7));
    request.type = SESSION_NETWORK;
    assert_int_equal(sessions_log_on_s4u(&request, &id), SEC_E_OK);
    assert_int_equal(n_s4u, 1);
    assert_int_equal(sessions_find(id, 7, &session), SEC_E_OK);
    assert_int_equal(session->type, SESSION_NETWORK);
    identity_release(&identity);
    session_end(session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_refusal_ends),
        cmocka_unit_test(test_a_refusal_takes_no_tickets_for_ever),
        cmocka_unit_test(test_a_silent_kdc_is_no_realm),
        cmocka_unit_test(test_a_name_alone),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
