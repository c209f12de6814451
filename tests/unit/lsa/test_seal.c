/*
 * What the daemon seals: it opens for the package and the Unix user that it was sealed for, and nothing else does.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/package.h"
#include "core/session.h"
#include "lsa/seal.h"
#include <string.h>

extern const struct package kerberos_package, ntlm_package;

#define PLAIN "a client's ticket"
#define SERVER 1000

static struct writer sealed_for(uid_t user, const struct package *package, const char *text)
{
    struct writer sealed = writer_growing(128);
    seal_for(user);
    assert_int_equal(seal_write(package, slice_of_text(text), &sealed), SEC_E_OK);
    assert_int_equal(writer_finish(&sealed), WIRE_OK);
    return sealed;
}

static SECURITY_STATUS opens(uid_t user, const struct package *package, struct slice sealed)
{
    AUTO_SECRET struct secret plain = {0};
    seal_for(user);
    SECURITY_STATUS status = seal_open(package, sealed, &plain);
    if (status == SEC_E_OK) {
        assert_int_equal(plain.len, strlen(PLAIN));
        assert_memory_equal(plain.data, PLAIN, plain.len);
    } else
        assert_null(plain.data);
    return status;
}

static void test_before(void **state)
{
    (void)state;
    assert_int_equal(opens(SERVER, &kerberos_package, slice_of_text("OSSE0123456789abcdef0123456789abcdef0123456789")),
                     SEC_E_NO_CREDENTIALS);
    assert_true(seal_start());
}

static void test_bound(void **state)
{
    AUTO_WRITER struct writer sealed = sealed_for(SERVER, &kerberos_package, PLAIN);
    struct slice bytes = writer_slice_of(&sealed);
    (void)state;
    assert_true(seal_is(bytes));
    assert_null(memmem(bytes.data, bytes.len, "ticket", 6));
    assert_int_equal(opens(SERVER, &kerberos_package, bytes), SEC_E_OK);
    assert_int_equal(opens(SERVER + 1, &kerberos_package, bytes), SEC_E_NO_CREDENTIALS);
    assert_int_equal(opens(0, &kerberos_package, bytes), SEC_E_NO_CREDENTIALS);
    assert_int_equal(opens(SERVER, &ntlm_package, bytes), SEC_E_NO_CREDENTIALS);
    assert_int_equal(opens(SERVER, &kerberos_package, bytes), SEC_E_OK); /* as often as one likes */
}

static void test_altered(void **state)
{
    AUTO_WRITER struct writer sealed = sealed_for(SERVER, &kerberos_package, PLAIN);
    struct slice bytes = writer_slice_of(&sealed);
    uint8_t copy[128];
    (void)state;
    for (size_t len = 0; len < bytes.len; len++)
        assert_int_equal(opens(SERVER, &kerberos_package, slice_of(bytes.data, len)), SEC_E_NO_CREDENTIALS);
    for (size_t bit = 0; bit < 8 * bytes.len; bit++) {
        memcpy(copy, bytes.data, bytes.len);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(opens(SERVER, &kerberos_package, slice_of(copy, bytes.len)), SEC_E_NO_CREDENTIALS);
    }
}

/* The same text is never the same bytes; what is sealed is not sealed once more. */
static void test_again(void **state)
{
    AUTO_WRITER struct writer first = sealed_for(SERVER, &kerberos_package, PLAIN),
                              second = sealed_for(SERVER, &kerberos_package, PLAIN), third = writer_growing(128);
    (void)state;
    assert_int_equal(first.len, second.len);
    assert_memory_not_equal(first.data, second.data, first.len);
    assert_int_equal(seal_write(&ntlm_package, writer_slice_of(&first), &third), SEC_E_OK);
    assert_int_equal(third.len, first.len);
    assert_memory_equal(third.data, first.data, first.len);
}

/* In a session's record, by the record's own package. */
static void test_record(void **state)
{
    static const uint8_t session_key[16];
    const struct session_facts facts = {.session_key = slice_of(session_key, sizeof session_key),
                                        .delegated = slice_of_text(PLAIN)};
    AUTO_WRITER struct writer record = writer_growing(512);
    (void)state;
    seal_for(SERVER);
    assert_int_equal(session_record_write(&record, &kerberos_package, &facts, slice_of("own", 3)), SEC_E_OK);
    const uint8_t *at = memmem(record.data, record.len, "OSSE", 4);
    assert_non_null(at);
    assert_null(memmem(record.data, record.len, "ticket", 6));
    struct slice sealed = slice_of(at, 4 + 12 + 16 + strlen(PLAIN));
    assert_int_equal(opens(SERVER, &ntlm_package, sealed), SEC_E_NO_CREDENTIALS);
    assert_int_equal(opens(SERVER, &kerberos_package, sealed), SEC_E_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_before), cmocka_unit_test(test_bound),  cmocka_unit_test(test_altered),
        cmocka_unit_test(test_again),  cmocka_unit_test(test_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
