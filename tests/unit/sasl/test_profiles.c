/*
 * Mechanisms and packages: the list follows the registry, and what a first message names.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/registry.h"
#include "sasl/profiles.h"
#include <string.h>

static const struct package_authority none = {0};
static const struct package wdigest = {.info = {.name = "WDigest", .comment = "", .max_token = 1}, .authority = &none};
static const struct package schannel = {.info = {.name = "Schannel", .comment = "", .max_token = 1},
                                        .authority = &none};
static const struct package other = {.info = {.name = "Other", .comment = "", .max_token = 1}, .authority = &none};

static void test_list_follows_the_registry(void **state)
{
    (void)state;
    assert_null(sasl_profile_at(0)); /* nothing was registered yet */
    assert_null(sasl_profile_find("DIGEST-MD5"));
    assert_int_equal(registry_add(&wdigest), SEC_E_OK);
    assert_string_equal(sasl_profile_at(0)->name, "DIGEST-MD5");
    assert_null(sasl_profile_at(1));
    assert_int_equal(registry_add(&schannel), SEC_E_OK);
    assert_int_equal(registry_add(&other), SEC_E_OK);
    assert_string_equal(sasl_profile_at(0)->name, "EXTERNAL");
    assert_string_equal(sasl_profile_at(1)->name, "DIGEST-MD5");
    assert_null(sasl_profile_at(2));
    assert_string_equal(sasl_profile_find("digest-md5")->package, "WDigest");
    assert_null(sasl_profile_find("PLAIN"));
    assert_string_equal(sasl_profile_of(&schannel)->name, "EXTERNAL");
    assert_null(sasl_profile_of(&other));
}

static enum wire_result identify(const char *text, size_t len, const struct sasl_profile **profile)
{
    return sasl_profile_identify(slice_of(text, len), profile);
}

static void test_identify(void **state)
{
    const struct sasl_profile *profile = NULL;
    static const char *const good[] = {"DIGEST-MD5", "DIGEST-MD5 token", "DIGEST-MD5\r\n", "DIGEST-MD5\nx"};
    static const char *const bad[] = {"",           " DIGEST-MD5",           "DIGEST-MD5\t", "DIGEST-MD5/",
                                      "digest-md5", "ABCDEFGHIJKLMNOPQRSTU", "\xff"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        profile = NULL;
        assert_int_equal(identify(good[i], strlen(good[i]), &profile), WIRE_OK);
        assert_string_equal(profile->name, "DIGEST-MD5");
    }
    profile = NULL;
    assert_int_equal(identify("DIGEST-MD5\0more", 15, &profile), WIRE_OK);
    assert_non_null(profile);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(identify(bad[i], strlen(bad[i]), &profile), WIRE_BAD);
    assert_int_equal(identify("ABCDEFGHIJKLMNOPQRST", 20, &profile), WIRE_OK); /* the longest name, of nobody */
    assert_null(profile);
    assert_int_equal(identify("DIGEST-MD", 9, &profile), WIRE_OK);
    assert_null(profile);
    for (int c = 1; c < 256; c++) { /* RFC 4422 section 3.1: the letters of a name; and what ends one */
        const char name[] = {'A', (char)c, 'Z'};
        bool letter = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        bool ends = c == ' ' || c == '\r' || c == '\n';
        assert_int_equal(identify(name, 3, &profile), letter || ends ? WIRE_OK : WIRE_BAD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_list_follows_the_registry),
                                       cmocka_unit_test(test_identify)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
