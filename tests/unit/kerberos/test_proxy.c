/*
 * KDC proxies: what libkrb5 is told where it looks for a realm's KDCs, of each kind that it looks for. What it does not find in its profile it asks
 * DNS for, whose answers nothing protects. Exchanges through a proxy are in tests/interop.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "kerberos/proxy.h"
#include "support/kerberos_loop.h"
#include <profile.h>
#include <string.h>

#define PROXIES "https://one:443/KdcProxy https://two:1/a"

/* The values of one name in the realm's section, with blanks between; "" for none. */
static void values_of(krb5_context krb, const char *realm, const char *name, char *text, size_t size)
{
    profile_t profile = NULL;
    const char *names[] = {"realms", realm, name, NULL};
    char **values = NULL;
    size_t len = 0;
    text[0] = '\0';
    assert_int_equal(krb5_get_profile(krb, &profile), 0);
    if (profile_get_values(profile, names, &values) == 0) {
        for (size_t i = 0; values[i] != NULL; i++) {
            assert_true(len + strlen(values[i]) + 2 < size);
            if (len > 0)
                text[len++] = ' ';
            strcpy(text + len, values[i]);
            len += strlen(values[i]);
        }
        profile_free_list(values);
    }
    profile_release(profile);
}

static void check(bool forced, const char *realm, const char *name, const char *expected)
{
    krb5_context base, krb;
    char text[256];
    assert_int_equal(krb5_init_context(&base), 0);
    assert_int_equal(krb_proxy_context(base, PROXIES, forced, &krb), 0);
    values_of(krb, realm, name, text, sizeof text);
    if (strcmp(text, expected) != 0)
        fail_msg("%s of %s%s: %s", name, realm, forced ? ", forced" : "", text);
    krb5_free_context(krb);
    krb5_free_context(base);
}

/* After a KDC's error libkrb5 looks for a primary KDC, under one name or the older one. */
static void test_forced(void **state)
{
    static const char *const realms[] = {"EXAMPLE.TEST", "UNKNOWN.TEST"};
    (void)state;
    for (size_t i = 0; i < sizeof realms / sizeof realms[0]; i++) {
        check(true, realms[i], "kdc", PROXIES);
        check(true, realms[i], "primary_kdc", PROXIES);
        check(true, realms[i], "master_kdc", PROXIES);
        check(true, realms[i], "kpasswd_server", PROXIES);
        check(true, realms[i], "admin_server", ""); /* looked for after kpasswd_server, which is there */
    }
    check(true, "EXAMPLE.TEST", "default_domain", "example.test"); /* no KDC's name */
}

static void test_before_others(void **state)
{
    (void)state;
    check(false, "EXAMPLE.TEST", "kdc", PROXIES " kdc.test");
    check(false, "EXAMPLE.TEST", "primary_kdc", "primary.test");
    check(false, "EXAMPLE.TEST", "admin_server", "admin.test");
    check(false, "EXAMPLE.TEST", "kpasswd_server", PROXIES);
    check(false, "UNKNOWN.TEST", "kdc", PROXIES);
    check(false, "UNKNOWN.TEST", "primary_kdc", "");
}

/* Settings of version 1: the flags, and a name in UTF-16. */
static SECURITY_STATUS settings_read(uint8_t flags, const char *name, char **urls)
{
    uint8_t settings[256] = {1, 0, 0, 0, flags, 0, 0, 0, 16, 0, (uint8_t)(2 * strlen(name))};
    bool forced = false;
    for (size_t i = 0; i < strlen(name); i++)
        settings[16 + 2 * i] = (uint8_t)name[i];
    SECURITY_STATUS status = krb_proxy_settings_read(slice_of(settings, 16 + 2 * strlen(name)), urls, &forced);
    assert_true(status != SEC_E_OK || forced == (flags != 0));
    return status;
}

/* Through a proxy that has no name nothing can be forced: it must not look as if it were. */
static void test_forced_without_a_name(void **state)
{
    static const char *const names[] = {"", " ; "};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char before[] = "before", *urls = before;
        assert_int_equal(settings_read(1, names[i], &urls), SEC_E_INVALID_TOKEN);
        assert_ptr_equal(urls, before);
        assert_int_equal(settings_read(0, names[i], &urls), SEC_E_OK);
        assert_null(urls);
    }
    char *urls = NULL;
    assert_int_equal(settings_read(1, "one", &urls), SEC_E_OK);
    assert_string_equal(urls, "https://one:443/KdcProxy");
    mem_free(urls);
}

static int group_begin(void **state)
{
    (void)state;
    kerberos_loop_configure("",
                            "[realms]\nEXAMPLE.TEST = {\n  kdc = kdc.test\n  primary_kdc = primary.test\n"
                            "  admin_server = admin.test\n  default_domain = example.test\n}\n",
                            NULL);
    return 0;
}

static int group_end(void **state)
{
    (void)state;
    kerberos_loop_cleanup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forced),
        cmocka_unit_test(test_before_others),
        cmocka_unit_test(test_forced_without_a_name),
    };
    return cmocka_run_group_tests(tests, group_begin, group_end);
}
