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
#include "core/lease.h"
#include "core/registry.h"
#include "core/tickets.h"
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS "the KDC of this test says no"

static SECURITY_STATUS kdc_answers;
static unsigned n_asked;
static int64_t ends = FILETIME_NEVER;

static bool looking_fails; /* into the cache, after a KDC filled it */

static SECURITY_STATUS acquire(const struct acquire_request *request, void **credential, int64_t *expiry)
{
    require(!looking_fails || request->session_cache == NULL, SEC_E_INSUFFICIENT_MEMORY);
    *credential = mem_zalloc(1);
    *expiry = ends;
    return *credential != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static bool forks_asking;
static int child_status;
static int child_lends(void);

static SECURITY_STATUS query_credential(const void *credential, uint32_t attribute, struct attribute *value)
{
    (void)credential, (void)attribute;
    n_asked++;
    if (forks_asking) {
        forks_asking = false;
        child_status = child_lends();
    }
    if (kdc_answers != SEC_E_OK)
        return cause_set(kdc_answers, WORDS);
    value->names.text = "MEMORY:test";
    return SEC_E_OK;
}

static bool has_granting;
static unsigned n_listed;

static SECURITY_STATUS tickets(const struct tickets_request *request, struct writer *answer)
{
    (void)answer;
    assert_string_equal(request->cache, "MEMORY:test");
    n_listed += request->ask == TICKETS_LIST ? 1 : 0;
    return request->ask != TICKETS_GRANTING || has_granting ? SEC_E_OK : cause_set(SEC_E_NO_CREDENTIALS, "none");
}

static unsigned n_s4u;

static SECURITY_STATUS acquire_s4u(const struct acquire_request *request, const char *user, void *service,
                                   void **credential, int64_t *expiry)
{
    (void)user, (void)service;
    n_s4u++;
    return acquire(request, credential, expiry);
}

static const struct package_authority table = {.acquire = acquire,
                                               .release = mem_free,
                                               .query_credential = query_credential,
                                               .tickets = tickets,
                                               .acquire_s4u = acquire_s4u};
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

static const struct logon_session *forked;

/* Of a child that is born while the KDC is asked: 0 when it gets tickets, too. */
static int child_lends(void)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        struct acquire_request request = {.config = config};
        alarm(5); /* who waits for ever */
        sessions_lend(forked, &request);
        request.session_lease->refresh(request.session_lease);
        _exit(request.session_cache != NULL ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
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

/* Of tickets that nobody could look at nobody knows how long they last, and so they do not last. */
static void test_unseen_tickets_do_not_last(void **state)
{
    (void)state;
    const struct logon_session *session = session_of("carol");
    looking_fails = true;
    (void)lend(session, SEC_E_OK, 1);
    looking_fails = false;
    assert_tickets(lend(session, SEC_E_OK, 1));
    assert_tickets(lend(session, SEC_E_OK, 0));
    session_end(session);
}

static void ask(const struct logon_session *session, enum tickets_ask what)
{
    const struct tickets_request request = {.config = config, .ask = what};
    AUTO_WRITER struct writer answer = writer_growing(64);
    n_asked = 0;
    assert_int_equal(sessions_tickets(session->id, 7, &kerberos, &request, &answer), SEC_E_OK);
    assert_int_equal(n_asked, 0); /* who looks at tickets, or removes them, asks no KDC */
    assert_string_equal(cause_text(), "");
}

/* Whoever drew on the session learns of it. The ticket-granting ticket is got anew where it is gone, when somebody wants tickets. */
static void test_a_purge_is_told(void **state)
{
    (void)state;
    const struct logon_session *session = session_of("carol");
    struct acquire_request lent = lend(session, SEC_E_OK, 1);
    struct lease *lease = lease_retain(lent.session_lease);
    unsigned era = lease_era(lease);
    for (int granting = 1; granting >= 0; granting--) {
        has_granting = granting != 0;
        ask(session, TICKETS_PURGE);
        assert_int_not_equal(lease_era(lease), era);
        era = lease_era(lease);
        n_listed = 0;
        ask(session, TICKETS_LIST);
        assert_int_equal(n_listed, 1);
        assert_int_equal(lease_era(lease), era);
        assert_tickets(lend(session, SEC_E_OK, has_granting ? 0 : 1));
        assert_tickets(lend(session, SEC_E_OK, 0));
    }
    assert_int_equal(lease_check(lease), SEC_E_OK);
    session_end(session);
    lease_put(lease);
}

static void refresh(const struct lease *lease, SECURITY_STATUS answer, unsigned asked)
{
    kdc_answers = answer;
    n_asked = 0;
    lease->refresh(lease);
    assert_int_equal(n_asked, asked);
    assert_string_equal(cause_text(), "");
}

/* Credentials in hand have the session get tickets, within the same bounds as who acquires; and a silent KDC does not hold up each handshake. */
static void test_credentials_in_hand_have_tickets_got(void **state)
{
    (void)state;
    const struct logon_session *session = session_of("carol");
    int64_t start = steady_now();
    steady_fix(start);
    struct lease *lease = lease_retain(lend(session, SEC_E_OK, 1).session_lease);
    has_granting = false;
    refresh(lease, SEC_E_OK, 0); /* they last */
    ask(session, TICKETS_PURGE);
    refresh(lease, SEC_E_NO_AUTHENTICATING_AUTHORITY, 1);
    refresh(lease, SEC_E_OK, 0);
    steady_fix(start + 60 * FILETIME_SECOND);
    refresh(lease, SEC_E_OK, 1);
    refresh(lease, SEC_E_OK, 0);
    ask(session, TICKETS_PURGE);
    refresh(lease, SEC_E_LOGON_DENIED, 1); /* one attempt more towards a lock-out */
    refresh(lease, SEC_E_OK, 0);
    session_end(session);
    lease_put(lease);
}

/* Nobody in a child holds what another thread of its parent did. */
static void test_a_child_born_meanwhile(void **state)
{
    (void)state;
    forked = session_of("carol");
    forks_asking = true;
    child_status = -1;
    assert_tickets(lend(forked, SEC_E_OK, 1));
    assert_int_equal(child_status, 0);
    session_end(forked);
}

/* However many hold it, the session or its lease. */
static void test_log_off_is_told(void **state)
{
    (void)state;
    const struct logon_session *session = session_of("carol");
    struct lease *lease = lease_retain(lend(session, SEC_E_OK, 1).session_lease);
    unsigned era = lease_era(lease);
    has_granting = false;
    ask(session, TICKETS_PURGE);
    assert_int_equal(sessions_log_off(session->id, 7), SEC_E_OK);
    assert_int_equal(lease_check(lease), SEC_E_NO_CREDENTIALS);
    assert_int_not_equal(lease_era(lease), era + 1);
    assert_non_null(strstr(cause_text(), "session"));
    cause_clear();
    refresh(lease, SEC_E_OK, 0);
    sessions_put(session);
    refresh(lease, SEC_E_OK, 0);
    assert_int_equal(lease_check(lease), SEC_E_NO_CREDENTIALS);
    cause_clear();
    lease_put(lease);
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
        cmocka_unit_test(test_unseen_tickets_do_not_last),
        cmocka_unit_test(test_a_silent_kdc_is_no_realm),
        cmocka_unit_test(test_a_purge_is_told),
        cmocka_unit_test(test_credentials_in_hand_have_tickets_got),
        cmocka_unit_test(test_a_child_born_meanwhile),
        cmocka_unit_test(test_log_off_is_told),
        cmocka_unit_test(test_a_name_alone),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
