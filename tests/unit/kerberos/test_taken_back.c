/*
 * Settings of a Kerberos credential that are taken back: it is what it was before them. What all of them come to: test_settings.c.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "core/cause.h"
#include "kerberos/credential.h"
#include "kerberos/settings.h"
#include "support/place.h"
#include <sspi_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct config *config;

static struct kerberos_credential *acquire(const struct identity *identity, uint32_t use)
{
    const struct acquire_request request = {.config = config, .use = use, .identity = identity};
    void *credential = NULL;
    int64_t expiry;
    cause_clear();
    SECURITY_STATUS status = kerberos_acquire(&request, &credential, &expiry);
    if (status != SEC_E_OK)
        fail_msg("0x%08x: %s", (unsigned)status, cause_text());
    return credential;
}

static struct identity password_identity(void)
{
    static char user[] = "robot";
    static uint8_t password[] = {'p', 0, 'w', 0};
    return (struct identity){.user = user, .password = {password, sizeof password}, .has_password = true};
}

static void set(struct kerberos_credential *credential, uint32_t attribute, const char *text)
{
    assert_int_equal(kerberos_set_credential(credential, attribute, text, strlen(text)), SEC_E_OK);
}

static const struct {
    uint32_t attribute;
    enum kerberos_logon logon;
} proofs[] = {{OPENSSPI_CRED_ATTR_CCACHE, LOGON_NONE},
              {OPENSSPI_CRED_ATTR_CLIENT_KEYTAB, LOGON_KEYTAB},
              {OPENSSPI_CRED_ATTR_X509_IDENTITY, LOGON_CERTIFICATE}};

static void assert_password_alone(const struct kerberos_credential *credential)
{
    const struct kerberos_source *source = credential->source;
    assert_int_equal(source->logon, LOGON_PASSWORD);
    assert_true(source->explicit_logon);
    assert_string_equal((const char *)source->password.data, "pw");
    assert_null(source->cache);
    assert_null(source->keytab);
    assert_null(source->certificate);
}

/* Nobody's password is lost by taking back what was never set, nor anybody else's cache taken for it. */
static void test_taken_back(void **state)
{
    (void)state;
    const struct identity identity = password_identity();
    for (size_t i = 0; i < COUNT_OF(proofs); i++)
        for (size_t j = 0; j < COUNT_OF(proofs); j++) {
            struct kerberos_credential *credential = acquire(&identity, SECPKG_CRED_OUTBOUND);
            set(credential, proofs[i].attribute, "");
            assert_password_alone(credential);
            set(credential, proofs[i].attribute, "FILE:/one");
            set(credential, OPENSSPI_CRED_ATTR_PIN, "1"); /* stays: it is a setting of its own */
            set(credential, OPENSSPI_CRED_ATTR_X509_ANCHORS, "DIR:/anchors");
            set(credential, proofs[j].attribute, "FILE:/two");
            assert_int_equal(credential->source->logon, proofs[j].logon);
            assert_null(credential->source->password.data);
            set(credential, proofs[j].attribute, "");
            assert_password_alone(credential);
            assert_string_equal((const char *)credential->source->pin.data, "1");
            assert_string_equal(credential->source->anchors, "DIR:/anchors");
            set(credential, OPENSSPI_CRED_ATTR_PIN, "");
            set(credential, OPENSSPI_CRED_ATTR_X509_ANCHORS, "");
            assert_null(credential->source->pin.data);
            assert_null(credential->source->anchors);
            assert_password_alone(credential);
            kerberos_release(credential);
        }
}

/* A server's keytab is taken back to what it had before: its password, or the keytab of its identity. */
static void test_servers_keytab_taken_back(void **state)
{
    static uint8_t name[] = "FILE:/own";
    const struct identity with_keytab = {.proof_kind = IDENTITY_KEYTAB, .proof = {name, sizeof name - 1}};
    (void)state;
    const struct identity with_password = password_identity();
    struct kerberos_credential *server = acquire(&with_password, SECPKG_CRED_INBOUND);
    set(server, OPENSSPI_CRED_ATTR_KEYTAB, "FILE:/other");
    assert_string_equal(server->keytab, "FILE:/other");
    assert_int_equal(server->source->logon, LOGON_KEYTAB);
    set(server, OPENSSPI_CRED_ATTR_KEYTAB, "");
    assert_null(server->keytab);
    assert_password_alone(server);
    kerberos_release(server);
    server = acquire(&with_keytab, SECPKG_CRED_INBOUND);
    set(server, OPENSSPI_CRED_ATTR_KEYTAB, "FILE:/other");
    assert_string_equal(server->keytab, "FILE:/other");
    set(server, OPENSSPI_CRED_ATTR_KEYTAB, "");
    assert_string_equal(server->keytab, "FILE:/own");
    assert_string_equal(server->source->keytab, "FILE:/own");
    kerberos_release(server);
    server = acquire(NULL, SECPKG_CRED_BOTH); /* taking back another setting is no matter of the keytab's */
    set(server, OPENSSPI_CRED_ATTR_KEYTAB, "FILE:/other");
    set(server, OPENSSPI_CRED_ATTR_CCACHE, "FILE:/nonexistent/cache");
    assert_string_equal(server->source->cache, "FILE:/nonexistent/cache");
    set(server, OPENSSPI_CRED_ATTR_CCACHE, "");
    assert_null(server->source->cache);
    assert_true(server->source->cache_first);
    assert_string_equal(server->source->keytab, "FILE:/other");
    assert_string_equal(server->keytab, "FILE:/other");
    kerberos_release(server);
    server = acquire(&with_password, SECPKG_CRED_BOTH); /* its keytab is no matter of its source's */
    set(server, OPENSSPI_CRED_ATTR_CLIENT_KEYTAB, "FILE:/client");
    set(server, OPENSSPI_CRED_ATTR_KEYTAB, "FILE:/other");
    set(server, OPENSSPI_CRED_ATTR_KEYTAB, "");
    assert_string_equal(server->source->keytab, "FILE:/client");
    kerberos_release(server);
}

/* Taking back needs memory; without it the credential stays what it was, until the change is made. */
static void test_taken_back_without_memory(void **state)
{
    (void)state;
    const struct identity identity = password_identity();
    bool struck = true;
    for (unsigned long nth = 1; struck; nth++) {
        struct kerberos_credential *server = acquire(&identity, SECPKG_CRED_INBOUND);
        set(server, OPENSSPI_CRED_ATTR_KEYTAB, "FILE:/other");
        set(server, OPENSSPI_CRED_ATTR_X509_ANCHORS, "DIR:/anchors");
        const struct kerberos_source *before = server->source;
        mem_fault_set(nth, true);
        SECURITY_STATUS status = kerberos_set_credential(server, OPENSSPI_CRED_ATTR_CCACHE, "", 0);
        struck = mem_fault_count() >= nth;
        mem_fault_set(0, false);
        assert_true(struck || status == SEC_E_OK);
        if (server->source == before)
            assert_int_equal(status, SEC_E_INSUFFICIENT_MEMORY);
        else
            assert_null(server->source->cache);
        assert_string_equal(server->keytab, "FILE:/other");
        assert_string_equal(server->source->keytab, "FILE:/other");
        kerberos_release(server);
    }
}

static char place[PLACE_LEN];

static int set_up(void **state)
{
    char path[PLACE_LEN + 16];
    (void)state;
    place_make(place);
    place_file(place, "krb5.conf",
               "[libdefaults]\ndefault_realm = R.TEST\ndns_lookup_kdc = false\ndns_lookup_realm = false\n");
    snprintf(path, sizeof path, "%s/krb5.conf", place);
    setenv("KRB5_CONFIG", path, 1);
    setenv("KRB5CCNAME", "MEMORY:none", 1);
    place_configure(place, "");
    return config_get(&config) == SEC_E_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    config_release(config);
    place_remove(place);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken_back),
        cmocka_unit_test(test_servers_keytab_taken_back),
        cmocka_unit_test(test_taken_back_without_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
