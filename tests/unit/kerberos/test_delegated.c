/*
 * What an AP-REQ hands over: whose the forwarded ticket is, and KRB-CREDs that lack what they may lack or are no ticket at all.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "core/cause.h"
#include "kerberos/behalf.h"
#include "kerberos/delegated.h"
#include "kerberos/task.h"
#include "support/kerberos_loop.h"
#include "wire/der.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USAGE_KRB_CRED 14
#define TGT "krbtgt/" FORGE_REALM "@" FORGE_REALM

static krb5_context krb;

static void integer(struct writer *writer, unsigned n, int64_t value)
{
    struct der_mark field = der_begin(writer, (uint8_t)DER_CONTEXT(n));
    der_write_integer(writer, DER_INTEGER, value);
    der_end(writer, field);
}

static void realm_and_name(struct writer *writer, unsigned n, const char *text)
{
    if (text == NULL)
        return;
    struct krb_name name = forge_name(text);
    struct der_mark field = der_begin(writer, (uint8_t)DER_CONTEXT(n));
    krb_realm_write(writer, name.realm);
    der_end(writer, field);
    field = der_begin(writer, (uint8_t)DER_CONTEXT(n + 1));
    krb_name_write(writer, &name);
    der_end(writer, field);
}

/* KrbCredInfo (RFC 4120 5.8.1): everything but the key is optional. */
static void info_write(struct writer *writer, const char *client, const char *server)
{
    const struct krb_key key = forge_key(KRB_AES256_SHA1, 9);
    struct der_mark whole = der_begin(writer, DER_APPLICATION(29)), part = der_begin(writer, DER_SEQUENCE);
    struct der_mark field = der_begin(writer, DER_CONTEXT(0)), list = der_begin(writer, DER_SEQUENCE);
    struct der_mark info = der_begin(writer, DER_SEQUENCE), key_field = der_begin(writer, DER_CONTEXT(0));
    struct der_mark key_body = der_begin(writer, DER_SEQUENCE), bytes;
    integer(writer, 0, key.enctype);
    bytes = der_begin(writer, DER_CONTEXT(1));
    der_write(writer, DER_OCTET_STRING, slice_of(key.bytes, key.len));
    der_end(writer, bytes);
    der_end(writer, key_body);
    der_end(writer, key_field);
    realm_and_name(writer, 1, client);
    realm_and_name(writer, 8, server);
    der_end(writer, info);
    der_end(writer, list);
    der_end(writer, field);
    der_end(writer, part);
    der_end(writer, whole);
}

/* KRB-CRED, its part encrypted with the session key. */
static void cred_write(struct writer *writer, const struct krb_key *session, const char *client, const char *server)
{
    struct forge forge;
    AUTO_WRITER struct writer plain = writer_growing(512), cipher = writer_growing(512), ticket = writer_growing(1024);
    forge_begin(&forge, KRB_AES256_SHA1);
    forge_ticket(&ticket, &forge);
    info_write(&plain, client, server);
    forge_encrypt(&cipher, session, USAGE_KRB_CRED, writer_slice_of(&plain));
    struct der_mark whole = der_begin(writer, DER_APPLICATION(22)), body = der_begin(writer, DER_SEQUENCE);
    integer(writer, 0, 5);
    integer(writer, 1, 22);
    struct der_mark field = der_begin(writer, DER_CONTEXT(2)), list = der_begin(writer, DER_SEQUENCE);
    writer_slice(writer, writer_slice_of(&ticket));
    der_end(writer, list);
    der_end(writer, field);
    field = der_begin(writer, DER_CONTEXT(3));
    struct der_mark encrypted = der_begin(writer, DER_SEQUENCE);
    integer(writer, 0, session->enctype);
    struct der_mark text = der_begin(writer, DER_CONTEXT(2));
    der_write(writer, DER_OCTET_STRING, writer_slice_of(&cipher));
    der_end(writer, text);
    der_end(writer, encrypted);
    der_end(writer, field);
    der_end(writer, body);
    der_end(writer, whole);
}

static SECURITY_STATUS forwarded(const char *authenticated, const char *client, const char *server,
                                 struct secret *delegated)
{
    const struct krb_key session = forge_key(KRB_AES256_SHA1, 2);
    const struct krb_name who = forge_name(authenticated);
    AUTO_WRITER struct writer message = writer_growing(2048);
    cred_write(&message, &session, client, server);
    cause_clear();
    SECURITY_STATUS status = kerberos_forwarded_read(krb, &session, &who, writer_slice_of(&message), delegated);
    assert_int_equal(status == SEC_E_OK, *cause_text() == '\0');
    return status;
}

static void test_own_ticket(void **state)
{
    (void)state;
    AUTO_SECRET struct secret delegated = {0};
    const struct config *config;
    void *credential;
    int64_t expiry;
    assert_int_equal(forwarded(FORGE_CLIENT, FORGE_CLIENT, TGT, &delegated), SEC_E_OK);
    assert_int_equal(config_get(&config), SEC_E_OK);
    const struct acquire_request request = {.config = config, .use = SECPKG_CRED_OUTBOUND};
    assert_int_equal(kerberos_delegated_acquire(&request, secret_slice(&delegated), NULL, &credential, &expiry),
                     SEC_E_OK);
    assert_string_equal(((struct kerberos_credential *)credential)->full_name, FORGE_CLIENT);
    kerberos_release(credential);
    config_release(config);
}

/* What the KRB-CRED says of its owner is the sender's word: nobody may hand over what would pass for somebody else's. */
static void test_ticket_of_somebody_else(void **state)
{
    (void)state;
    static const char *const others[] = {"bob@" FORGE_REALM, "alice@OTHER.TEST", "alice/admin@" FORGE_REALM};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        AUTO_SECRET struct secret delegated = {0};
        assert_int_equal(forwarded(FORGE_CLIENT, others[i], TGT, &delegated), SEC_E_WRONG_PRINCIPAL);
        assert_int_equal(delegated.len, 0);
    }
}

static void test_what_may_be_missing(void **state)
{
    (void)state;
    AUTO_SECRET struct secret delegated = {0};
    assert_int_equal(forwarded(FORGE_CLIENT, NULL, TGT, &delegated), SEC_E_INVALID_TOKEN);
    assert_int_equal(forwarded(FORGE_CLIENT, FORGE_CLIENT, NULL, &delegated), SEC_E_INVALID_TOKEN);
    assert_int_equal(forwarded(FORGE_CLIENT, NULL, NULL, &delegated), SEC_E_INVALID_TOKEN);
    assert_int_equal(delegated.len, 0);
}

/* Cut at every length, every bit turned, another key. */
static void test_damaged(void **state)
{
    (void)state;
    const struct krb_key session = forge_key(KRB_AES256_SHA1, 2), other = forge_key(KRB_AES256_SHA1, 3),
                         other_type = forge_key(KRB_AES128_SHA1, 2);
    const struct krb_name who = forge_name(FORGE_CLIENT);
    AUTO_SECRET struct secret delegated = {0};
    AUTO_WRITER struct writer message = writer_growing(2048);
    cred_write(&message, &session, FORGE_CLIENT, TGT);
    for (size_t len = 0; len < message.len; len++)
        assert_int_equal(kerberos_forwarded_read(krb, &session, &who, slice_of(message.data, len), &delegated),
                         SEC_E_INVALID_TOKEN);
    /* The ticket is the KDC's to judge: somewhere in it is all that can change unseen. */
    const uint8_t *ticket = memmem(message.data, message.len, "\xa2\x82", 2);
    assert_non_null(ticket);
    struct reader reader = reader_of(slice_of(ticket, (size_t)(message.data + message.len - ticket)));
    struct slice tickets;
    uint8_t tag;
    assert_int_equal(der_read_any(&reader, &tag, &tickets), WIRE_OK);
    unsigned n_taken = 0;
    for (size_t bit = 0; bit < 8 * message.len; bit++) {
        AUTO_SECRET struct secret one = {0};
        const uint8_t *byte = message.data + bit / 8;
        message.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        SECURITY_STATUS status = kerberos_forwarded_read(krb, &session, &who, writer_slice_of(&message), &one);
        message.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (status == SEC_E_OK && (byte < tickets.data || byte >= tickets.data + tickets.len))
            fail_msg("byte %zu of %zu, bit %zu: taken", bit / 8, message.len, bit % 8);
        n_taken += status == SEC_E_OK;
    }
    assert_true(n_taken > 0);
    assert_int_equal(kerberos_forwarded_read(krb, &other, &who, writer_slice_of(&message), &delegated),
                     SEC_E_INVALID_TOKEN);
    assert_int_equal(kerberos_forwarded_read(krb, &other_type, &who, writer_slice_of(&message), &delegated),
                     SEC_E_INVALID_TOKEN);
    assert_int_equal(delegated.len, 0);
}

/* Who acts for somebody else by S4U2Proxy has no ticket-granting ticket but the service's own, which must go nowhere. */
static void test_the_services_own_ticket_stays(void **state)
{
    (void)state;
    const struct config *config;
    AUTO_SECRET struct secret message = {0};
    krb5_creds evidence = {.magic = KV5M_CREDS}, service = {.magic = KV5M_CREDS};
    kerberos_loop_configure(NULL, NULL, "delegate = always\n");
    assert_int_equal(config_get(&config), SEC_E_OK);
    const struct acquire_request request = {.config = config, .use = SECPKG_CRED_OUTBOUND};
    struct kerberos_credential *credential = kerberos_credential_new(&request, kerberos_source_new());
    assert_non_null(credential);
    credential->evidence = &evidence;
    cause_clear();
    assert_int_equal(kerberos_tgt_forward(credential, krb, &service, 0, &message), SEC_E_DELEGATION_POLICY);
    assert_int_equal(message.len, 0);
    credential->evidence = NULL;
    kerberos_release(credential);
    config_release(config);
    kerberos_loop_configure(NULL, NULL, NULL);
}

/* Whom a ticket is forwarded to is the configuration's and the KDC's to say: what is let goes on to look for tickets, of which there are none. */
static void test_who_gets_tickets(void **state)
{
    static const struct {
        const char *delegate;
        krb5_flags flags;
        SECURITY_STATUS status;
    } cases[] = {
        {"never", TKT_FLG_OK_AS_DELEGATE, SEC_E_DELEGATION_POLICY},
        {"ok_as_delegate", TKT_FLG_OK_AS_DELEGATE, SEC_E_NO_CREDENTIALS},
        {"ok_as_delegate", ~TKT_FLG_OK_AS_DELEGATE, SEC_E_DELEGATION_POLICY},
        {"always", 0, SEC_E_NO_CREDENTIALS},
    };
    const char *cache = getenv("KRB5CCNAME");
    AUTO_FREE char *kept = mem_strdup(cache);
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct config *config;
        char section[64];
        AUTO_SECRET struct secret message = {0};
        krb5_creds service = {.magic = KV5M_CREDS, .ticket_flags = cases[i].flags};
        snprintf(section, sizeof section, "delegate = %s\n", cases[i].delegate);
        assert_int_equal(krb5_parse_name(krb, FORGE_SERVER, &service.server), 0);
        assert_int_equal(krb5_parse_name(krb, FORGE_CLIENT, &service.client), 0);
        kerberos_loop_configure(NULL, NULL, section);
        setenv("KRB5CCNAME", "FILE:/nonexistent/cache", 1);
        assert_int_equal(config_get(&config), SEC_E_OK);
        const struct acquire_request request = {.config = config, .use = SECPKG_CRED_OUTBOUND};
        struct kerberos_credential *credential = kerberos_credential_new(&request, kerberos_source_new());
        assert_non_null(credential);
        cause_clear();
        SECURITY_STATUS status =
            kerberos_tgt_forward(credential, krb, &service, kerberos_deadline(credential), &message);
        if (status != cases[i].status)
            fail_msg("case %zu: 0x%08x %s", i, (unsigned)status, cause_text());
        assert_int_equal(message.len, 0);
        kerberos_release(credential);
        config_release(config);
        krb5_free_principal(krb, service.server);
        krb5_free_principal(krb, service.client);
    }
    kerberos_loop_configure(NULL, NULL, NULL);
    if (kept != NULL)
        setenv("KRB5CCNAME", kept, 1);
    else
        unsetenv("KRB5CCNAME");
}

/* A logon keeps its user's ticket-granting ticket to act with; of who acts for somebody else by S4U2Proxy that would be the service's. */
static void test_the_services_own_ticket_is_not_kept(void **state)
{
    (void)state;
    const struct config *config;
    AUTO_SECRET struct secret kept = {0};
    const struct krb_key key = forge_key(KRB_AES256_SHA1, 1);
    char ticket[] = "sealed for the KDC";
    krb5_creds evidence = {.magic = KV5M_CREDS};
    krb5_creds granting = {.magic = KV5M_CREDS,
                           .keyblock = {.enctype = key.enctype, .length = key.len, .contents = (krb5_octet *)key.bytes},
                           .ticket = {.length = sizeof ticket, .data = ticket},
                           .times = {.endtime = (krb5_timestamp)(time(NULL) + 3600)}};
    assert_int_equal(krb5_parse_name(krb, "HTTP/www.other.test@" FORGE_REALM, &granting.client), 0);
    assert_int_equal(krb5_parse_name(krb, TGT, &granting.server), 0);
    assert_int_equal(config_get(&config), SEC_E_OK);
    const struct acquire_request request = {.config = config, .use = SECPKG_CRED_OUTBOUND};
    struct kerberos_source *source = kerberos_source_new();
    assert_non_null(source);
    source->logon = LOGON_SEALED; /* with that ticket and no other */
    struct kerberos_credential *credential = kerberos_credential_new(&request, source);
    assert_non_null(credential);
    assert_int_equal(krb5_copy_creds(krb, &granting, &credential->tgt), 0);
    assert_int_equal(kerberos_keep(credential, &kept), SEC_E_OK); /* its own */
    assert_true(kept.len > 0);
    secret_release(&kept);
    credential->evidence = &evidence;
    cause_clear();
    assert_int_equal(kerberos_keep(credential, &kept), SEC_E_NO_CREDENTIALS);
    assert_int_equal(kept.len, 0);
    credential->evidence = NULL;
    kerberos_release(credential);
    krb5_free_principal(krb, granting.client);
    krb5_free_principal(krb, granting.server);
    config_release(config);
}

/* A service goes to itself with the ticket that it has, however it is named; also where no [domain_realm] says its realm. */
static void test_the_service_itself(void **state)
{
    (void)state;
    static const struct {
        const char *target;
        bool itself;
    } cases[] = {
        {"HTTP/www.other.test", true},
        {"HTTP@www.other.test", true},
        {"HTTP/www.other.test@" FORGE_REALM, true},
        {"HTTP/www.other.test@OTHER.TEST", false},
        {"HTTP/www.third.test", false},
    };
    const struct config *config;
    const struct krb_key key = forge_key(KRB_AES256_SHA1, 1);
    krb5_creds evidence = {.magic = KV5M_CREDS,
                           .keyblock = {.enctype = key.enctype, .length = key.len, .contents = (krb5_octet *)key.bytes},
                           .times = {.endtime = (krb5_timestamp)(time(NULL) + 3600)}};
    assert_int_equal(krb5_parse_name(krb, FORGE_CLIENT, &evidence.client), 0);
    assert_int_equal(krb5_parse_name(krb, "HTTP/www.other.test@" FORGE_REALM, &evidence.server), 0);
    assert_int_equal(config_get(&config), SEC_E_OK);
    const struct acquire_request request = {.config = config, .use = SECPKG_CRED_OUTBOUND};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kerberos_credential *credential = kerberos_credential_new(&request, kerberos_source_new());
        struct kerberos_ticket *ticket = NULL;
        assert_non_null(credential);
        credential->evidence = &evidence;
        const struct kerberos_ticket_request asked = {.target = cases[i].target};
        SECURITY_STATUS status = kerberos_ticket_ask(credential, krb, &asked, &ticket);
        if ((status == SEC_E_OK) != cases[i].itself)
            fail_msg("%s: 0x%08x", cases[i].target, (unsigned)status);
        kerberos_ticket_put(krb, ticket);
        credential->evidence = NULL;
        kerberos_release(credential);
    }
    krb5_free_principal(krb, evidence.client);
    krb5_free_principal(krb, evidence.server);
    config_release(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_ticket),
        cmocka_unit_test(test_ticket_of_somebody_else),
        cmocka_unit_test(test_what_may_be_missing),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_who_gets_tickets),
        cmocka_unit_test(test_the_services_own_ticket_stays),
        cmocka_unit_test(test_the_services_own_ticket_is_not_kept),
        cmocka_unit_test(test_the_service_itself),
    };
    kerberos_loop_configure(NULL, NULL, NULL);
    if (krb5_init_context(&krb) != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    krb5_free_context(krb);
    kerberos_loop_cleanup();
    return failed;
}
