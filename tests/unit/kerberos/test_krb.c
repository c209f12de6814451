/*
 * What libkrb5 says as statuses, where the same error means different things; and names of targets as principals.
 * build: all
 */
#include "kerberos/krb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "core/cause.h"
#include "kerberos/password_keys.h"
#include "base/time.h"
#include "core/late.h"
#include "kerberos/source.h"
#include "support/kerberos_loop.h"
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static krb5_context krb;

static void test_statuses(void **state)
{
    static const struct {
        krb5_error_code code;
        enum krb_stage stage;
        SECURITY_STATUS status;
    } cases[] = {
        {0, KRB_STAGE_ACCEPT, SEC_E_OK},
        {KRB5KDC_ERR_CLIENT_NAME_MISMATCH, KRB_STAGE_CERTIFICATE, SEC_E_PKINIT_NAME_MISMATCH},
        {KRB5KDC_ERR_CLIENT_NOT_TRUSTED, KRB_STAGE_CERTIFICATE, SEC_E_ISSUING_CA_UNTRUSTED},
        {KRB5KDC_ERR_CANT_VERIFY_CERTIFICATE, KRB_STAGE_CERTIFICATE, SEC_E_ISSUING_CA_UNTRUSTED},
        {KRB5KDC_ERR_REVOKED_CERTIFICATE, KRB_STAGE_CERTIFICATE, SEC_E_SMARTCARD_CERT_REVOKED},
        {KRB5KDC_ERR_INVALID_CERTIFICATE, KRB_STAGE_CERTIFICATE, SEC_E_CERT_UNKNOWN},
        {KRB5KDC_ERR_KDC_NOT_TRUSTED, KRB_STAGE_CERTIFICATE, SEC_E_ISSUING_CA_UNTRUSTED_KDC},
        {KRB5KDC_ERR_INVALID_SIG, KRB_STAGE_CERTIFICATE, SEC_E_PKINIT_CLIENT_FAILURE},
        {KRB5KDC_ERR_POLICY, KRB_STAGE_FORWARD, SEC_E_DELEGATION_POLICY},
        {KRB5KDC_ERR_BADOPTION, KRB_STAGE_FORWARD, SEC_E_DELEGATION_POLICY},
        {KRB5_TKT_NOT_FORWARDABLE, KRB_STAGE_FORWARD, SEC_E_DELEGATION_POLICY},
        {KRB5KDC_ERR_PADATA_TYPE_NOSUPP, KRB_STAGE_FORWARD, SEC_E_NO_S4U_PROT_SUPPORT},
        {KRB5KRB_AP_ERR_BAD_INTEGRITY, KRB_STAGE_LOGON, SEC_E_LOGON_DENIED},
        {KRB5KRB_AP_ERR_BAD_INTEGRITY, KRB_STAGE_ACCEPT, SEC_E_WRONG_PRINCIPAL},
        {KRB5_PARSE_MALFORMED, KRB_STAGE_LOGON, SEC_E_LOGON_DENIED}, /* the user's name */
        {KRB5_PARSE_MALFORMED, KRB_STAGE_CERTIFICATE, SEC_E_LOGON_DENIED},
        {KRB5_PARSE_MALFORMED, KRB_STAGE_TICKET, SEC_E_TARGET_UNKNOWN},
        {KRB5KDC_ERR_SERVER_NOMATCH, KRB_STAGE_TICKET, SEC_E_WRONG_PRINCIPAL},
        {KRB5KRB_AP_ERR_BAD_INTEGRITY, KRB_STAGE_TICKET, SEC_E_MESSAGE_ALTERED}, /* a KDC's reply */
        {KRB5KRB_AP_ERR_ILL_CR_TKT, KRB_STAGE_ACCEPT, SEC_E_WRONG_PRINCIPAL},
        {KRB5KRB_AP_ERR_ILL_CR_TKT, KRB_STAGE_TICKET, SEC_E_WRONG_PRINCIPAL},
        {ASN1_BAD_TIMEFORMAT, KRB_STAGE_TICKET, SEC_E_INVALID_TOKEN},
        {ENOTTY, KRB_STAGE_ACCEPT, SEC_E_INVALID_TOKEN},
        {ENOTTY, KRB_STAGE_FORWARD, SEC_E_INTERNAL_ERROR},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cause_clear();
        SECURITY_STATUS status = krb_status(krb, cases[i].code, cases[i].stage, "this");
        if (status != cases[i].status)
            fail_msg("case %zu: 0x%08x", i, (unsigned)status);
        assert_int_equal(strncmp(cause_text(), "this: ", 6) == 0, status != SEC_E_OK);
    }
}

static void test_targets(void **state)
{
    static const struct {
        const char *target;
        enum krb_target kind;
        const char *principal; /* NULL: refused */
    } cases[] = {
        {"alice", KRB_TARGET_USER, "alice@" FORGE_REALM},
        {"alice@OTHER.TEST", KRB_TARGET_USER, "alice@OTHER.TEST"},
        {"other.test\\alice", KRB_TARGET_USER, "alice@OTHER.TEST"},
        {"Other.Test\\alice", KRB_TARGET_SERVICE, "alice@OTHER.TEST"},
        {"\\alice", KRB_TARGET_USER, "alice@"},
        {"other\\", KRB_TARGET_USER, "@OTHER"},
        {"other.test\\ali@ce", KRB_TARGET_USER, NULL}, /* two places */
        {"alice@a@b", KRB_TARGET_USER, NULL},
        {"host@server.example.test", KRB_TARGET_SERVICE, "host/server.example.test@" FORGE_REALM},
        {"alice@example.test", KRB_TARGET_ENTERPRISE, "alice\\@example.test@" FORGE_REALM},
        {"host/server.example.test", KRB_TARGET_SERVICE, "host/server.example.test@" FORGE_REALM},
        {"host/server.example.test@OTHER.TEST", KRB_TARGET_SERVICE, "host/server.example.test@OTHER.TEST"},
        {"host/a@b@c", KRB_TARGET_SERVICE, NULL},
        {"host/server.example.test:80", KRB_TARGET_SERVICE, "host/server.example.test:80@" FORGE_REALM},
        {"host/server.example.test:80/instance", KRB_TARGET_SERVICE,
         "host/server.example.test:80/instance@" FORGE_REALM},
        {"host/www.other.test:80", KRB_TARGET_SERVICE, "host/www.other.test:80@"},
        {"host/[::1]:80", KRB_TARGET_SERVICE, "host/[::1]:80@"},
        {"host/[.example.test]:80", KRB_TARGET_SERVICE,
         "host/[.example.test]:80@" FORGE_REALM}, /* what is in the brackets counts */
        {"host/::1", KRB_TARGET_SERVICE, "host/::1@"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        krb5_principal principal = NULL;
        char *name = NULL;
        cause_clear();
        SECURITY_STATUS status = krb_target_parse(krb, cases[i].target, cases[i].kind, &principal);
        if (status == SEC_E_OK)
            assert_int_equal(krb5_unparse_name(krb, principal, &name), 0);
        if (cases[i].principal == NULL ? status == SEC_E_OK
                                       : status != SEC_E_OK || strcmp(name, cases[i].principal) != 0)
            fail_msg("%s: 0x%08x %s", cases[i].target, (unsigned)status, name != NULL ? name : cause_text());
        if (status != SEC_E_OK)
            assert_null(principal);
        krb5_free_unparsed_name(krb, name);
        krb5_free_principal(krb, principal);
    }
}

/* The account by another name restricts nothing; a service's does. */
static void test_password_servers(void **state)
{
    static const struct {
        const char *account, *server, *principal;
        bool by_name;
    } cases[] = {
        {"svc@CORP.EXAMPLE.COM", NULL, "svc@CORP.EXAMPLE.COM", false},
        {"svc@CORP.EXAMPLE.COM", "svc@CORP.EXAMPLE.COM", "svc@CORP.EXAMPLE.COM", false},
        {"svc@CORP.EXAMPLE.COM", "CORP\\svc", "svc@CORP.EXAMPLE.COM", false},
        {"svc@CORP.EXAMPLE.COM", "SVC", "svc@CORP.EXAMPLE.COM", false},
        {"svc@CORP.EXAMPLE.COM", "HTTP", "svc@CORP.EXAMPLE.COM", false},
        {"svc@CORP", "Svc@corp.example.com", "svc@CORP", false},
        {"svc\\@corp.example.com@CORP.EXAMPLE.COM", "svc@corp.example.com", "svc\\@corp.example.com@CORP.EXAMPLE.COM",
         false},
        {"svc@CORP.EXAMPLE.COM", "sv@corp.example.com", "sv/corp.example.com@CORP.EXAMPLE.COM", true},
        {"sv@CORP.EXAMPLE.COM", "svc@corp.example.com", "svc/corp.example.com@CORP.EXAMPLE.COM", true},
        {"svc@CORP.EXAMPLE.COM", "HTTP@www.corp.example.com", "HTTP/www.corp.example.com@CORP.EXAMPLE.COM", true},
        {"svc@CORP.EXAMPLE.COM", "HTTP/www", "HTTP/www@CORP.EXAMPLE.COM", true},
        {"svc@CORP.EXAMPLE.COM", "svc/www", "svc/www@CORP.EXAMPLE.COM", true},
        {"HTTP/www@CORP.EXAMPLE.COM", "HTTP@www", "HTTP/www@CORP.EXAMPLE.COM", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *principal = NULL;
        bool by_name = !cases[i].by_name;
        assert_int_equal(kerberos_password_principal(krb, cases[i].account, cases[i].server, &principal, &by_name),
                         SEC_E_OK);
        if (by_name != cases[i].by_name || strcmp(principal, cases[i].principal) != 0)
            fail_msg("case %zu: %s, by name: %d", i, principal, by_name);
        mem_free(principal);
    }
}

static SECURITY_STATUS spared_log_on(struct kerberos_source *source)
{
    krb5_creds creds = {0};
    return kerberos_source_log_on_sparing(source, krb, late_deadline(1), &creds);
}

/* Who asks is waited for until it is known that the key is good; a child does not wait for its parent's threads, nor for the lock that one held. */
static void test_turns(void **state)
{
    (void)state;
    struct kerberos_source *source = kerberos_source_new();
    assert_non_null(source);
    source->logon = LOGON_PASSWORD;
    source->refusals.until = steady_now() + 3600 * (int64_t)10000000;
    assert_int_equal(spared_log_on(source), SEC_E_LOGON_DENIED);
    source->refusals.asking = true; /* as of a logon that was left behind */
    assert_int_equal(spared_log_on(source), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    pthread_mutex_lock(&source->refusals.lock);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(20);
        bool right = spared_log_on(source) == SEC_E_LOGON_DENIED && spared_log_on(source) == SEC_E_LOGON_DENIED;
        kerberos_source_put(source);
        _exit(right ? 0 : 1);
    }
    pthread_mutex_unlock(&source->refusals.lock);
    int ended = -1;
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_int_equal(ended, 0);
    assert_int_equal(spared_log_on(source), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    source->refusals.proven = true;
    assert_int_equal(spared_log_on(source), SEC_E_LOGON_DENIED);
    assert_true(source->refusals.asking); /* still the other's */
    source->refusals.asking = false;
    kerberos_source_put(source);
}

static int begin(void **state)
{
    (void)state;
    kerberos_loop_configure(NULL, NULL, NULL);
    return krb5_init_context(&krb);
}

static int end(void **state)
{
    (void)state;
    krb5_free_context(krb);
    kerberos_loop_cleanup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_statuses), cmocka_unit_test(test_targets),
                                       cmocka_unit_test(test_password_servers), cmocka_unit_test(test_turns)};
    return cmocka_run_group_tests(tests, begin, end);
}
