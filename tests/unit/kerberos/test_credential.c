/*
 * Kerberos credentials without a KDC: what is read from identities, attributes and session records, what is refused, and clocks. Handshakes with a
 * KDC are in tests/interop.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/time.h"
#include "core/cause.h"
#include "kerberos/behalf.h"
#include "kerberos/delegated.h"
#include "kerberos/handshake.h"
#include "kerberos/password_keys.h"
#include "kerberos/proxy.h"
#include "kerberos/settings.h"
#include "kerberos/task.h"
#include "support/kerberos_forge.h"
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

static void test_settings_replace_the_source(void **state)
{
    (void)state;
    const struct identity identity = password_identity();
    struct kerberos_credential *credential = acquire(&identity, SECPKG_CRED_OUTBOUND);
    struct kerberos_source *before = kerberos_credential_source(credential);
    assert_int_equal(before->logon, LOGON_PASSWORD);
    assert_int_equal(kerberos_set_credential(credential, OPENSSPI_CRED_ATTR_CLIENT_KEYTAB, "FILE:/k", 7), SEC_E_OK);
    struct kerberos_source *after = kerberos_credential_source(credential);
    assert_ptr_not_equal(before, after);
    assert_int_equal(before->logon, LOGON_PASSWORD); /* who uses it still, may */
    assert_string_equal((const char *)before->password.data, "pw");
    assert_int_equal(after->logon, LOGON_KEYTAB);
    assert_null(after->password.data);
    assert_string_equal(after->keytab, "FILE:/k");
    assert_string_equal(after->client, "robot");
    kerberos_source_put(before);
    kerberos_source_put(after);
    kerberos_release(credential);
}

/* A password without a name is nobody's: a failure, as early as a ticket is wanted. */
static void test_password_of_nobody(void **state)
{
    static char nobody[] = "";
    struct identity identity = password_identity();
    char target[] = "host/server.example.test";
    const struct step_in in = {.target = target};
    struct step_out out = {.token = writer_growing(64), .record = writer_growing(64)};
    void *handshake = NULL;
    (void)state;
    identity.user = nobody;
    struct kerberos_credential *credential = acquire(&identity, SECPKG_CRED_OUTBOUND);
    assert_int_equal(kerberos_initiate(credential, &handshake, &in, &out), SEC_E_NO_CREDENTIALS);
    assert_null(handshake);
    writer_release(&out.token);
    writer_release(&out.record);
    kerberos_release(credential);
}

static void test_keytab_in_an_identity(void **state)
{
    static const uint8_t file[] = {5, 2,  0, 0,  0, 39, 0, 1, 0, 1, 'R', 0, 1, 'u', 0,  0,  0,  1,  0,  0,  0, 9, 7,
                                   0, 17, 0, 16, 1, 2,  3, 4, 5, 6, 7,   8, 9, 10,  11, 12, 13, 14, 15, 16, 0, 0};
    (void)state;
    struct identity identity = {.proof_kind = IDENTITY_KEYTAB_FILE, .proof = {(uint8_t *)(uintptr_t)file, sizeof file}};
    struct kerberos_credential *credential = acquire(&identity, SECPKG_CRED_INBOUND);
    assert_non_null(strstr(credential->keytab, "MEMORY:"));
    /* another source: the keys stay */
    assert_int_equal(kerberos_set_credential(credential, OPENSSPI_CRED_ATTR_PIN, "1", 1), SEC_E_OK);
    krb5_context krb;
    krb5_keytab keytab;
    krb5_keytab_entry entry;
    krb5_principal principal;
    assert_int_equal(krb5_init_context(&krb), 0);
    assert_int_equal(krb5_kt_resolve(krb, credential->keytab, &keytab), 0);
    assert_int_equal(krb5_parse_name(krb, "u@R", &principal), 0);
    assert_int_equal(krb5_kt_get_entry(krb, keytab, principal, 7, 17, &entry), 0);
    assert_int_equal(entry.key.contents[15], 16);
    krb5_free_keytab_entry_contents(krb, &entry);
    krb5_kt_close(krb, keytab);
    char *name = strdup(credential->keytab);
    kerberos_release(credential);
    assert_int_equal(krb5_kt_resolve(krb, name, &keytab), 0); /* a new and empty one */
    assert_int_not_equal(krb5_kt_get_entry(krb, keytab, principal, 7, 17, &entry), 0);
    krb5_kt_close(krb, keytab);
    krb5_free_principal(krb, principal);
    krb5_free_context(krb);
    free(name);
}

static void test_proxy_settings(void **state)
{
    static const struct {
        const char *name, *urls;
    } cases[] = {
        {"proxy.test", "https://proxy.test:443/KdcProxy"},
        {"proxy.test:8443", "https://proxy.test:8443/KdcProxy"},
        {"proxy.test:8443:a/b", "https://proxy.test:8443/a/b"},
        {"https://proxy.test/x", "https://proxy.test/x"},
        {" one ,two:1; ", "https://one:443/KdcProxy https://two:1/KdcProxy"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t settings[256] = {1, 0, 0, 0, 1, 0, 0, 0, 16, 0};
        size_t len = strlen(cases[i].name);
        char before[] = "before", *urls = before;
        bool forced = false;
        settings[10] = (uint8_t)(2 * len);
        for (size_t j = 0; j < len; j++)
            settings[16 + 2 * j] = (uint8_t)cases[i].name[j];
        assert_int_equal(krb_proxy_settings_read(slice_of(settings, 16 + 2 * len), &urls, &forced), SEC_E_OK);
        assert_true(forced);
        assert_string_equal(urls, cases[i].urls);
        mem_free(urls);
    }
}

static void test_clocks(void **state)
{
    static const struct krb_clock cases[] = {{0, 0}, {3600, 0}, {-3600, 0}, {10, 999000}, {-10, -999000}, {0, 1}};
    (void)state;
    struct krb_pool pool = {.n_idle = 0};
    krb5_context krb, again;
    krb_pool_init(&pool);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(krb_pool_take(&pool, &krb), SEC_E_OK);
        krb_clock_set(krb, cases[i]);
        struct krb_clock clock = krb_clock_get(krb);
        double wanted = (double)cases[i].seconds + (double)cases[i].microseconds / 1e6;
        double got = (double)clock.seconds + (double)clock.microseconds / 1e6;
        assert_true(got > wanted - 5 && got < wanted + 5); /* the machine may be busy between two looks at the clock */
        krb_pool_give(&pool, krb);
        assert_int_equal(krb_pool_take(&pool, &again), SEC_E_OK);
        clock = krb_clock_get(again);
        assert_true(clock.seconds > -5 && clock.seconds < 5); /* nobody inherits it */
        krb_pool_give(&pool, again);
    }
    krb_pool_release(&pool);
}

/* Without a KDC the salt is the usual one, realm and name (RFC 4120 4): an unknown realm is known to have none at once. */
static void test_keys_of_a_password(void **state)
{
    static char user[] = "raeburn@ATHENA.MIT.EDU";
    static uint8_t password[] = {'p', 0, 'w', 0};
    (void)state;
    const struct identity identity = {.user = user, .password = {password, sizeof password}, .has_password = true};
    struct kerberos_credential *credential = acquire(&identity, SECPKG_CRED_OUTBOUND);
    krb5_context krb;
    struct password_keys keys = {.n_keys = 0};
    krb5_keyblock expected;
    krb5_data text = {KV5M_DATA, 2, (char *)(uintptr_t) "pw"};
    krb5_data salt = {KV5M_DATA, 21, (char *)(uintptr_t) "ATHENA.MIT.EDUraeburn"};
    assert_int_equal(krb5_init_context(&krb), 0);
    assert_int_equal(kerberos_password_keys(credential, &keys), SEC_E_OK);
    assert_true(keys.n_keys > 0);
    for (unsigned i = 0; i < keys.n_keys; i++) {
        assert_int_equal(krb5_c_string_to_key(krb, keys.key[i].enctype, &text, &salt, &expected), 0);
        assert_int_equal(keys.key[i].length, expected.length);
        assert_memory_equal(keys.key[i].contents, expected.contents, expected.length);
        krb5_free_keyblock_contents(krb, &expected);
    }
    password_keys_release(krb, &keys);
    assert_int_equal(keys.n_keys, 0);
    kerberos_release(credential);
    struct kerberos_credential *without = acquire(NULL, SECPKG_CRED_OUTBOUND);
    assert_int_equal(kerberos_password_keys(without, &keys), SEC_E_NO_CREDENTIALS);
    kerberos_release(without);
    krb5_free_context(krb);
}

#define NOW 1900000000 /* a fixed clock's */

static void ticket_put(struct kerberos_credential *credential, krb5_context krb, uint32_t seconds)
{
    struct kerberos_ticket *ticket = secret_block_alloc(sizeof *ticket);
    krb5_creds *creds = calloc(1, sizeof *creds);
    assert_true(ticket != NULL && creds != NULL);
    assert_int_equal(krb5_parse_name(krb, "robot@EXAMPLE.TEST", &creds->client), 0);
    assert_int_equal(krb5_parse_name(krb, "host/server@EXAMPLE.TEST", &creds->server), 0);
    creds->times.endtime = (krb5_timestamp)(NOW + seconds);
    kerberos_tickets_drop(credential, krb);
    atomic_init(&ticket->n_references, 1);
    ticket->target = mem_strdup("host/server");
    ticket->creds = creds;
    credential->tickets = ticket;
    credential->n_tickets = 1;
}

/* A daemon takes a step in its loop where the ticket is in hand: so that is said of no ticket which the step would not take, and ask the KDC for
 * another. */
static void test_ticket_in_hand(void **state)
{
    static const struct {
        uint32_t seconds;
        bool ready;
    } cases[] = {
        {0, false}, {60, false}, {TICKET_MARGIN_SECONDS + 5, false}, {TICKET_MARGIN_SECONDS + 6, true}, {36000, true}};
    (void)state;
    const struct identity identity = password_identity();
    struct kerberos_credential *credential = acquire(&identity, SECPKG_CRED_OUTBOUND);
    krb5_context krb;
    const struct kerberos_ticket_request request = {.target = "host/server"};
    struct kerberos_ticket *taken = NULL;
    assert_int_equal(krb5_init_context(&krb), 0);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        ticket_put(credential, krb, cases[i].seconds);
        filetime_fix(filetime_from_unix(NOW));
        assert_int_equal(kerberos_ticket_is_ready(credential, "host/server"), cases[i].ready);
        assert_false(kerberos_ticket_is_ready(credential, "host/other"));
        if (!cases[i].ready)
            continue;
        filetime_fix(filetime_from_unix(NOW + 5)); /* a busy loop */
        assert_int_equal(kerberos_ticket_ask(credential, krb, &request, &taken), SEC_E_OK);
        assert_ptr_equal(taken, credential->tickets);
    }
    kerberos_ticket_put(krb, taken);
    filetime_fix(0);
    kerberos_release(credential);
    krb5_free_context(krb);
}

static unsigned n_refreshed;

static void count_refresh(const struct lease *lease)
{
    (void)lease;
    n_refreshed++;
}

/* What a logon session lent, with its tickets in a cache or, before there are any, its password. */
static struct kerberos_credential *lent_acquire(struct lease *lease, bool with_cache, uint32_t use)
{
    const struct identity identity = password_identity();
    const struct acquire_request request = {.config = config,
                                            .use = use,
                                            .session_lease = lease,
                                            .session_identity = &identity,
                                            .session_has_realm = true,
                                            .session_cache = with_cache ? "MEMORY:lent" : NULL};
    void *credential = NULL;
    int64_t expiry;
    assert_int_equal(kerberos_acquire(&request, &credential, &expiry), SEC_E_OK);
    return credential;
}

static void tgt_put(struct kerberos_credential *credential, krb5_context krb)
{
    assert_int_equal(krb5_copy_creds(krb, credential->tickets->creds, &credential->tgt), 0);
}

static bool task_has_tgt(struct kerberos_credential *credential)
{
    struct kerberos_task *task;
    assert_int_equal(kerberos_task_new(credential, NULL, NULL, &task), SEC_E_OK);
    bool has = task->tgt != NULL;
    kerberos_task_free(task);
    return has;
}

/* Tickets that were purged in the session, or whose session has ended, are not taken from memory, nor by the daemon's loop. */
static void test_lent_tickets(void **state)
{
    (void)state;
    krb5_context krb;
    const struct kerberos_ticket_request request = {.target = "host/server"};
    assert_int_equal(krb5_init_context(&krb), 0);
    filetime_fix(filetime_from_unix(NOW));
    for (int with_cache = 0; with_cache <= 1; with_cache++) {
        struct lease *lease = lease_new(count_refresh);
        struct kerberos_credential *credential = lent_acquire(lease, with_cache != 0, SECPKG_CRED_OUTBOUND);
        struct kerberos_ticket *taken = NULL;
        n_refreshed = 0;
        ticket_put(credential, krb, 36000);
        tgt_put(credential, krb);
        assert_true(kerberos_ticket_is_ready(credential, "host/server"));
        assert_int_equal(kerberos_ticket_ask(credential, krb, &request, &taken), SEC_E_OK);
        assert_true(task_has_tgt(credential));
        assert_int_equal(n_refreshed, 0);
        lease_purge(lease);
        assert_false(kerberos_ticket_is_ready(credential, "host/server"));
        assert_false(task_has_tgt(credential));
        assert_int_not_equal(kerberos_ticket_ask(credential, krb, &request, &taken), SEC_E_OK);
        assert_null(credential->tickets);
        assert_int_equal(n_refreshed, with_cache); /* the password gets its own */
        ticket_put(credential, krb, 36000);        /* of now */
        assert_true(kerberos_ticket_is_ready(credential, "host/server"));
        lease_end(lease);
        lease_put(lease);
        assert_false(kerberos_ticket_is_ready(credential, "host/server"));
        cause_clear();
        assert_int_equal(kerberos_ticket_ask(credential, krb, &request, &taken), SEC_E_NO_CREDENTIALS);
        assert_non_null(strstr(cause_text(), "the logon session"));
        kerberos_ticket_put(krb, taken);
        kerberos_release(credential);
    }
    filetime_fix(0);
    krb5_free_context(krb);
}

static const uint32_t changes[] = {OPENSSPI_CRED_ATTR_CCACHE, OPENSSPI_CRED_ATTR_CLIENT_KEYTAB};

/* Another cache, or another proof, is nobody's session's. */
static void test_lent_and_then_changed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        struct lease *lease = lease_new(count_refresh);
        struct kerberos_credential *credential = lent_acquire(lease, true, SECPKG_CRED_OUTBOUND);
        assert_int_equal(kerberos_set_credential(credential, OPENSSPI_CRED_ATTR_PIN, "1", 1), SEC_E_OK);
        assert_ptr_equal(credential->source->lease, lease);
        assert_int_equal(kerberos_set_credential(credential, changes[i], "FILE:/none", 10), SEC_E_OK);
        assert_null(credential->source->lease);
        kerberos_release(credential);
        assert_int_equal(atomic_load(&lease->n_references), 1);
        lease_put(lease);
    }
}

static void set(struct kerberos_credential *credential, uint32_t attribute, const char *text)
{
    assert_int_equal(kerberos_set_credential(credential, attribute, text, strlen(text)), SEC_E_OK);
}

/* The keytab is the server's; what its client's side uses stays the session's. */
static void test_lent_and_a_servers_keytab(void **state)
{
    static const char *const keytabs[] = {"FILE:/none", ""};
    (void)state;
    krb5_context krb;
    const struct kerberos_ticket_request request = {.target = "host/server"};
    assert_int_equal(krb5_init_context(&krb), 0);
    filetime_fix(filetime_from_unix(NOW));
    for (size_t i = 0; i < COUNT_OF(keytabs); i++) {
        struct lease *lease = lease_new(count_refresh);
        struct kerberos_credential *credential = lent_acquire(lease, true, SECPKG_CRED_BOTH);
        struct kerberos_ticket *taken = NULL;
        set(credential, OPENSSPI_CRED_ATTR_KEYTAB, keytabs[i]);
        assert_true(credential->source->lent);
        assert_int_equal(credential->source->logon, LOGON_NONE); /* and never the server's account */
        assert_string_equal(credential->source->cache, "MEMORY:lent");
        ticket_put(credential, krb, 36000);
        assert_true(kerberos_ticket_is_ready(credential, "host/server"));
        lease_end(lease);
        lease_put(lease);
        assert_false(kerberos_ticket_is_ready(credential, "host/server"));
        assert_int_equal(kerberos_ticket_ask(credential, krb, &request, &taken), SEC_E_NO_CREDENTIALS);
        assert_null(taken);
        kerberos_release(credential);
    }
    /* who is a server alone has nothing of the session's any more */
    struct lease *lease = lease_new(count_refresh);
    struct kerberos_credential *server = lent_acquire(lease, true, SECPKG_CRED_INBOUND);
    set(server, OPENSSPI_CRED_ATTR_KEYTAB, "FILE:/none");
    assert_null(server->source->lease);
    assert_false(server->source->lent);
    kerberos_release(server);
    assert_int_equal(atomic_load(&lease->n_references), 1);
    lease_put(lease);
    filetime_fix(0);
    krb5_free_context(krb);
}

/* The session's again, with its tie. */
static void test_lent_and_taken_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        struct lease *lease = lease_new(count_refresh);
        struct kerberos_credential *credential = lent_acquire(lease, true, SECPKG_CRED_OUTBOUND);
        set(credential, changes[i], "FILE:/none");
        assert_null(credential->source->lease);
        assert_false(credential->source->lent);
        set(credential, changes[i], "");
        assert_ptr_equal(credential->source->lease, lease);
        assert_true(credential->source->lent);
        assert_int_equal(credential->source->logon, LOGON_NONE);
        assert_string_equal(credential->source->cache, "MEMORY:lent");
        kerberos_release(credential);
        assert_int_equal(atomic_load(&lease->n_references), 1);
        lease_put(lease);
    }
}

static SECURITY_STATUS delegated_acquire(struct slice bytes, void *service, void **credential)
{
    const struct acquire_request request = {.config = config, .use = SECPKG_CRED_OUTBOUND};
    int64_t expiry = 0;
    cause_clear();
    return kerberos_delegated_acquire(&request, bytes, service, credential, &expiry);
}

static void test_what_was_handed_over(void **state)
{
    uint8_t bytes[FORGE_DELEGATED_MAX];
    void *acquired = NULL;
    (void)state;
    size_t len = forge_delegated(KERBEROS_FORWARDED, "krbtgt/" FORGE_REALM "@" FORGE_REALM, bytes);
    assert_int_equal(delegated_acquire(slice_of(bytes, len), NULL, &acquired), SEC_E_OK);
    struct kerberos_credential *credential = acquired;
    struct attribute value = {0};
    assert_string_equal(credential->full_name, FORGE_CLIENT);
    assert_int_equal(credential->source->logon, LOGON_SEALED);
    assert_int_equal(kerberos_query_credential(credential, OPENSSPI_CRED_ATTR_CCACHE, &value), SEC_E_OK);
    assert_int_equal(strncmp(value.names.text, "MEMORY:", 7), 0);
    assert_int_equal(kerberos_set_credential(credential, OPENSSPI_CRED_ATTR_CCACHE, "x", 1),
                     SEC_E_UNSUPPORTED_FUNCTION);
    kerberos_release(credential);
    for (size_t cut = 0; cut < len; cut++) {
        void *none = NULL;
        SECURITY_STATUS status = delegated_acquire(slice_of(bytes, cut), NULL, &none);
        assert_int_equal(status, cut == 0 ? SEC_E_NO_CREDENTIALS : SEC_E_INVALID_TOKEN);
        assert_null(none);
    }
    bytes[0] = 3;
    assert_int_equal(delegated_acquire(slice_of(bytes, len), NULL, &acquired), SEC_E_INVALID_TOKEN);
    len = forge_delegated(KERBEROS_FORWARDED, FORGE_SERVER, bytes); /* a service's ticket is none for tickets */
    assert_int_equal(delegated_acquire(slice_of(bytes, len), NULL, &acquired), SEC_E_INVALID_TOKEN);
    len = forge_delegated(KERBEROS_EVIDENCE, FORGE_SERVER, bytes);
    assert_int_equal(delegated_acquire(slice_of(bytes, len), NULL, &acquired), SEC_E_NO_CREDENTIALS);
    const struct identity identity = password_identity();
    struct kerberos_credential *service = acquire(&identity, SECPKG_CRED_BOTH);
    assert_int_equal(delegated_acquire(slice_of(bytes, len), service, &acquired), SEC_E_OK);
    kerberos_release(service); /* what is shared stays */
    credential = acquired;
    assert_string_equal(credential->full_name, FORGE_CLIENT);
    assert_int_equal(kerberos_query_credential(credential, OPENSSPI_CRED_ATTR_CCACHE, &value),
                     SEC_E_UNSUPPORTED_FUNCTION);
    kerberos_release(credential);
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
        cmocka_unit_test(test_settings_replace_the_source),
        cmocka_unit_test(test_password_of_nobody),
        cmocka_unit_test(test_keytab_in_an_identity),
        cmocka_unit_test(test_proxy_settings),
        cmocka_unit_test(test_clocks),
        cmocka_unit_test(test_keys_of_a_password),
        cmocka_unit_test(test_ticket_in_hand),
        cmocka_unit_test(test_lent_tickets),
        cmocka_unit_test(test_lent_and_then_changed),
        cmocka_unit_test(test_lent_and_a_servers_keytab),
        cmocka_unit_test(test_lent_and_taken_back),
        cmocka_unit_test(test_what_was_handed_over),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
