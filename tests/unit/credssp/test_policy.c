/*
 * To whom credentials may be handed over: patterns of the configuration's lists and targets as programs write them.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/config.h"
#include "credssp/policy.h"

/* Each pattern beside another one, once as what is allowed and once as what is denied. */
static void test_patterns(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *target;
        bool allowed, denied;
    } cases[] = {
        {"TERMSRV/host", "TERMSRV/host", true, true},
        {"TERMSRV/host", "TERMSRV/host.evil", false, false},
        {"TERMSRV/host", "TERMSRV/hos", false, false},
        {"TERMSRV/host", "TERMSRV/evil/host", false, false},
        /* Letters and `*`. */
        {"TERMSRV/*", "termsrv/HOST", true, true},
        {"*.example.test", "HTTP/a.EXAMPLE.test", true, true},
        {"HTTP/*.test", "HTTP/.test", true, true},
        {"TERMSRV/*", "TERMSRV", false, false},
        {"HTTP/a*a", "HTTP/a", false, false},
        {"TERMSRV/host", "TERMSRV/host2", false, false},
        {"", "TERMSRV/host", false, false},
        {"*.evil.*", "TERMSRV/a.evil.test", true, true},
        {"*.evil.*", "TERMSRV/evil.test", false, false},
        {"a*b*b", "aXbXbb", true, true},
        {"a*b*c", "acb", false, false},
        {"**", "", false, true},
        /* The same host by another name: never out of a deny list, and into an allow list only as it is written there. */
        {"TERMSRV/host", "TERMSRV/host.", false, true},
        {"TERMSRV/host.", "TERMSRV/host", false, true},
        {"TERMSRV/host", "TERMSRV/host:3389", false, true},
        {"TERMSRV/host", "TERMSRV/host.:3389", false, true},
        {"TERMSRV/host", "TERMSRV/HOST/other", false, true},
        {"TERMSRV/host", "host", false, false},
        {"TERMSRV/host:3390", "TERMSRV/host", false, false},
        {"TERMSRV/host:3390", "TERMSRV/host:3390", true, true},
        {"TERMSRV/host:3390", "TERMSRV/host.:3390", false, true},
        {"TERMSRV/*.good.test", "TERMSRV/a.good.test", true, true},
        {"TERMSRV/*.good.test", "TERMSRV/a.good.test.", false, true},
        {"TERMSRV/*.good.test:*", "TERMSRV/a.good.test:1", true, true},
        /* TLS and Kerberos ask for evil.test. */
        {"TERMSRV/*.good.test", "TERMSRV/evil.test/a.good.test", false, true},
        {"TERMSRV/*.good.test", "TERMSRV/evil.test:1.good.test", false, true},
        {"TERMSRV/*:*.good.test", "TERMSRV/evil.test:1.good.test", true, true},
        /* Kerberos takes what follows the "@" for a realm. */
        {"TERMSRV/*.good.test", "TERMSRV/evil@x.good.test", false, true},
        {"TERMSRV/host", "TERMSRV/host@EXAMPLE.TEST", false, true},
        {"TERMSRV/host@EXAMPLE.TEST", "TERMSRV/host@EXAMPLE.TEST", true, true},
        {"TERMSRV/[::1]", "TERMSRV/[::1]@EXAMPLE.TEST", false, true},
        {"TERMSRV/*", "TERMSRV/@EXAMPLE.TEST", false, true},
        {"TERMSRV/*", "TERMSRV/host@EXAMPLE.TEST", true, true},
        {"TERMSRV/*", "TERMSRV/host:3389", true, true},
        {"TERMSRV/*", "TERMSRV/[::1]:3389", true, true},
        {"TERMSRV/[::1]", "TERMSRV/[::1]:3389", false, true},
        {"TERMSRV/[::1]:3389", "TERMSRV/[::1]:3389", true, true},
        {"TERMSRV/[::1]", "TERMSRV/[::1", false, true}, /* no host: for nobody */
        {"TERMSRV/[fe80::1]*", "TERMSRV/[fe80::1]", true, true},
        {"TERMSRV/[fe80::1]*", "TERMSRV/[fe80::1]:3389", true, true},
        {"TERMSRV/[fe80::1]*", "TERMSRV/[fe80::1]/name", true, true},
        {"TERMSRV/[fe80::1]*", "TERMSRV/[fe80::1].evil.example", false, true},
        {"TERMSRV/[fe80::1]*", "TERMSRV/[fe80::1]evil:3389", false, true},
        {"TERMSRV/[fe80::1]", "TERMSRV/[fe80::1].evil.example", false, true},
        {"TERMSRV/*", "TERMSRV/[fe80::1].evil.example", false, true},
        {"TERMSRV/*", "TERMSRV/[fe80::1", false, true},
        {"*", "TERMSRV/host/realm", true, true},
        {"*", "", false, true},
        {"TERMSRV/*", "TERMSRV/", false, true},
        {"TERMSRV/*", "TERMSRV/:3389", false, true},
        {"TERMSRV/*", "TERMSRV/.", false, true},
        {"TERMSRV/*", "HTTP/TERMSRV/host", false, false},
        /* Not by a part that is no host: instance, realm, what a bracket does not hold, what no slash makes a service of. */
        {"TERMSRV/[fe80::1]*", "TERMSRV/[fe80::1/]:3389", false, true},
        {"TERMSRV/[fe80::1]*", "TERMSRV/[fe80::1@]:3389", false, true},
        {"TERMSRV/*.good.test", "TERMSRV/evil@x@y.good.test", false, true},
        {"TERMSRV/*.good.test", "TERMSRV/evil:3389/x@y.good.test", false, true},
        {"TERMSRV/*.good.test", "TERMSRV/evil/x/y.good.test", false, true},
        {"TERMSRV/*.good.test", "TERMSRV/[evil/x].good.test", false, true},
        {"TERMSRV/good.test", "TERMSRV@good.test", false, false},
        {"*.good.test", "evil@x.good.test", true, true}, /* one host to TLS, which no certificate can name */
        {"TERMSRV/host", "TERMSRV/host:3389/one@EXAMPLE.TEST", false, true},
        {"TERMSRV/host", "TERMSRV/host@ONE@TWO", false, true},
        {"TERMSRV/h\xc3\xb6st", "TERMSRV/h\xc3\xb6st:3389", false, true},
        {"TERMSRV/h\xc3\xb6st", "TERMSRV/h\xc3\x96st", false, false}, /* letters of ASCII only */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *pattern = (char *)(uintptr_t)cases[i].pattern;
        static char other[] = "x", everybody[] = "*";
        static struct config config;
        config.credssp_allow_fresh = (struct config_list){.item = {other, pattern}, .n_items = 2};
        config.credssp_deny_fresh = (struct config_list){.n_items = 0};
        SECURITY_STATUS status = policy_allows(&config, CREDSSP_SOURCE_FRESH, cases[i].target);
        if ((status == SEC_E_OK) != cases[i].allowed)
            fail_msg("allow \"%s\", target \"%s\"", cases[i].pattern, cases[i].target);
        status = policy_allows_proved(&config, CREDSSP_SOURCE_FRESH, cases[i].target, true);
        assert_int_equal(status == SEC_E_OK, cases[i].allowed);
        status = policy_allows_proved(&config, CREDSSP_SOURCE_FRESH, cases[i].target, false);
        assert_int_equal(status, SEC_E_POLICY_NLTM_ONLY);
        config.credssp_allow_fresh = (struct config_list){.item = {everybody}, .n_items = 1};
        config.credssp_deny_fresh = (struct config_list){.item = {other, pattern}, .n_items = 2};
        status = policy_allows(&config, CREDSSP_SOURCE_FRESH, cases[i].target);
        if ((status == SEC_E_OK) == cases[i].denied)
            fail_msg("deny \"%s\", target \"%s\"", cases[i].pattern, cases[i].target);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_patterns)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
