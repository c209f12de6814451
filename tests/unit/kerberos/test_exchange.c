/*
 * The checks of an acceptor on an AP-REQ (RFC 4120 3.2.3), one by one, with requests that a KDC of the tests' own wrote.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "core/cause.h"
#include "kerberos/exchange.h"
#include "kerberos/krb.h"
#include "support/kerberos_loop.h"
#include <stdio.h>
#include <string.h>

static krb5_context krb;

/* A keytab in memory, which tests fill as they like. */
#define KEYS_ROOM 1200
static union {
    struct kerberos_keys keys;
    uint8_t room[sizeof(struct kerberos_keys) + KEYS_ROOM * sizeof(struct kerberos_key)];
} table;

static void keys_clear(void)
{
    for (size_t i = 0; i < table.keys.n_keys; i++)
        secret_block_free(atomic_load(&table.keys.keys[i].prepared), KERBEROS_KEY_USES * sizeof(struct krb_prepared));
    memset(&table, 0, sizeof table);
    table.keys.permitted = kerberos_enctypes_permitted(krb);
}

static void keys_add(const char *principal, uint32_t kvno, struct krb_key key)
{
    assert_true(table.keys.n_keys < KEYS_ROOM);
    struct kerberos_key *entry = &table.keys.keys[table.keys.n_keys++];
    *entry = (struct kerberos_key){.principal = (char *)(uintptr_t)principal, .kvno = kvno, .key = key};
}

static void keys_usual(void)
{
    keys_clear();
    for (int i = 0; i < KERBEROS_TYPES; i++)
        keys_add(FORGE_SERVER, 2, forge_key(kerberos_loop_types[i], 1));
}

static SECURITY_STATUS open_bytes(struct kerberos_request *request, struct slice message)
{
    *request = (struct kerberos_request){0};
    cause_clear();
    SECURITY_STATUS status = kerberos_request_open(request, krb, &table.keys, NULL, NULL, message);
    assert_int_equal(status == SEC_E_OK, *cause_text() == '\0'); /* each refusal is in words */
    return status;
}

static SECURITY_STATUS open_one(struct kerberos_request *request, const struct forge *forge)
{
    AUTO_WRITER struct writer message = writer_growing(2048);
    forge_request(&message, forge, NULL, NULL);
    SECURITY_STATUS status = open_bytes(request, writer_slice_of(&message));
    return status;
}

static SECURITY_STATUS verdict(const struct forge *forge)
{
    struct kerberos_request request;
    SECURITY_STATUS status = open_one(&request, forge);
    kerberos_request_release(&request);
    return status;
}

static void test_honest(void **state)
{
    (void)state;
    keys_usual();
    for (int i = 0; i < KERBEROS_TYPES; i++)
        for (int j = 0; j < KERBEROS_TYPES; j++) { /* the KDC chooses the two types apart from each other */
            struct forge forge;
            struct kerberos_request request;
            struct kerberos_exchange exchange;
            forge_begin(&forge, kerberos_loop_types[i]);
            forge.session = forge_key(kerberos_loop_types[j], 2);
            forge.subkey = forge_key(kerberos_loop_types[j], 3);
            assert_int_equal(open_one(&request, &forge), SEC_E_OK);
            assert_string_equal(request.client_name, FORGE_CLIENT);
            assert_string_equal(request.server_name, FORGE_SERVER);
            assert_memory_equal(request.ticket_key.bytes, forge.service.bytes, forge.service.len);
            kerberos_exchange_of_request(&exchange, &request, table.keys.permitted);
            assert_memory_equal(exchange.session.bytes, forge.session.bytes, forge.session.len);
            assert_memory_equal(exchange.initiator_subkey.bytes, forge.subkey.bytes, forge.subkey.len);
            assert_int_equal(exchange.initiator_seq, forge.seq);
            assert_int_equal(exchange.time, forge.time);
            assert_int_equal(exchange.microseconds, forge.microseconds);
            assert_int_equal(exchange.upgrade, 0);
            kerberos_request_release(&request);
        }
}

static void test_optional_fields(void **state)
{
    (void)state;
    struct forge forge;
    keys_usual();
    forge_begin(&forge, KRB_AES256_SHA1);
    forge.no_kvno = true;
    assert_int_equal(verdict(&forge), SEC_E_OK);
    forge.no_start_time = true; /* then it is auth_time */
    assert_int_equal(verdict(&forge), SEC_E_OK);
    forge.auth_time += 3600;
    assert_int_equal(verdict(&forge), SEC_E_TIME_SKEW);
    forge_begin(&forge, KRB_AES256_SHA1);
    forge.renew_till = forge.end_time + 86400;
    forge.with_addresses = true;
    forge.subkey.enctype = 0;
    forge.no_checksum = true; /* the caller's question */
    assert_int_equal(verdict(&forge), SEC_E_OK);
}

static void test_keys(void **state)
{
    (void)state;
    struct forge forge;
    forge_begin(&forge, KRB_AES256_SHA1);
    keys_clear();
    assert_int_equal(verdict(&forge), SEC_E_WRONG_PRINCIPAL); /* an empty keytab */
    keys_add(FORGE_SERVER, 2, forge_key(KRB_AES128_SHA1, 1));
    assert_int_equal(verdict(&forge), SEC_E_WRONG_PRINCIPAL); /* a key of another type */
    keys_add(FORGE_SERVER, 2, forge_key(KRB_AES256_SHA1, 7));
    assert_int_equal(verdict(&forge), SEC_E_WRONG_PRINCIPAL); /* a wrong key, under the right name and number */
    keys_add(FORGE_SERVER, 1, forge_key(KRB_AES256_SHA1, 1));
    assert_int_equal(verdict(&forge), SEC_E_OK); /* the right key under another number: a keytab that was copied */
    assert_int_equal(kerberos_request_open(&(struct kerberos_request){0}, krb, NULL, NULL, NULL, slice_of("", 0)),
                     SEC_E_INVALID_TOKEN);
}

/* A key is prepared by the first ticket that it opens, once, and opens the same tickets as before; those that were tried in vain are not. */
static void test_prepared_keys(void **state)
{
    (void)state;
    for (int i = 0; i < KERBEROS_TYPES; i++) {
        struct forge forge;
        struct kerberos_request request;
        const struct krb_prepared *prepared = NULL;
        keys_clear();
        keys_add(FORGE_SERVER, 2, forge_key(kerberos_loop_types[i], 7));
        keys_add("host/alias.example.test@" FORGE_REALM, 9, forge_key(kerberos_loop_types[i], 1));
        for (int round = 0; round < 3; round++) {
            forge_begin(&forge, kerberos_loop_types[i]);
            assert_int_equal(open_one(&request, &forge), SEC_E_OK);
            assert_non_null(request.prepared);
            assert_true(round == 0 || request.prepared == prepared);
            prepared = request.prepared;
            assert_ptr_equal(kerberos_key_prepared(&table.keys.keys[1]), prepared);
            assert_memory_equal(request.ticket_key.bytes, forge.service.bytes, forge.service.len);
            kerberos_request_release(&request);
            forge.service = forge_key(kerberos_loop_types[i], 8);
            assert_int_equal(verdict(&forge), SEC_E_WRONG_PRINCIPAL);
        }
        assert_null(kerberos_key_prepared(&table.keys.keys[0]));
        forge_begin(&forge, kerberos_loop_types[i]);
        forge.service = forge_key(kerberos_loop_types[i], 7);
        assert_int_equal(verdict(&forge), SEC_E_OK);
        assert_non_null(kerberos_key_prepared(&table.keys.keys[0]));
    }
    /* Without memory for it a ticket opens as well, and the next one tries again. */
    struct forge forge;
    keys_usual();
    forge_begin(&forge, KRB_AES256_SHA1);
    AUTO_WRITER struct writer message = writer_growing(2048);
    forge_request(&message, &forge, NULL, NULL);
    for (unsigned long n = 1;; n++) {
        struct kerberos_request request = {0};
        keys_usual();
        mem_fault_set(n, false);
        SECURITY_STATUS status =
            kerberos_request_open(&request, krb, &table.keys, NULL, NULL, writer_slice_of(&message));
        bool struck = mem_fault_count() >= n;
        mem_fault_set(0, false);
        bool unprepared = status == SEC_E_OK && request.prepared == NULL;
        assert_true(struck || !unprepared);
        kerberos_request_release(&request);
        if (unprepared) {
            assert_int_equal(verdict(&forge), SEC_E_OK);
            size_t n_prepared = 0;
            for (size_t i = 0; i < table.keys.n_keys; i++)
                n_prepared += kerberos_key_prepared(&table.keys.keys[i]) != NULL;
            assert_int_equal(n_prepared, 1);
            break;
        }
        assert_true(struck);
    }
}

static void test_roll_over(void **state)
{
    (void)state;
    struct forge forge;
    keys_clear();
    for (uint32_t kvno = 1; kvno <= 4; kvno++)
        keys_add(FORGE_SERVER, kvno, forge_key(KRB_AES256_SHA1, (uint8_t)kvno));
    for (uint32_t kvno = 1; kvno <= 4; kvno++) {
        forge_begin(&forge, KRB_AES256_SHA1);
        forge.kvno = kvno;
        forge.service = forge_key(KRB_AES256_SHA1, (uint8_t)kvno);
        assert_int_equal(verdict(&forge), SEC_E_OK);
    }
    forge.kvno = 5;
    forge.service = forge_key(KRB_AES256_SHA1, 5);
    assert_int_equal(verdict(&forge), SEC_E_WRONG_PRINCIPAL);
    /* numbers that a read-only controller writes, and what some peers make negative */
    forge_begin(&forge, KRB_AES256_SHA1);
    forge.service = forge_key(KRB_AES256_SHA1, 1);
    forge.kvno = UINT32_C(0xfff00001);
    assert_int_equal(verdict(&forge), SEC_E_OK);
}

static void test_aliases(void **state)
{
    (void)state;
    struct forge forge;
    struct kerberos_request request;
    keys_clear();
    keys_add("host/alias.example.test@" FORGE_REALM, 9, forge_key(KRB_AES256_SHA1, 1));
    forge_begin(&forge, KRB_AES256_SHA1);
    assert_int_equal(open_one(&request, &forge), SEC_E_OK);
    assert_string_equal(request.server_name, "host/alias.example.test@" FORGE_REALM); /* the key says who we are */
    kerberos_request_release(&request);
}

/* Keys of that many other names, all of them different. */
static void keys_others(size_t n_others, int32_t enctype)
{
    static char names[KEYS_ROOM][64];
    for (uint32_t i = 0; i < n_others; i++) {
        struct krb_key key = forge_key(enctype, 9);
        memcpy(key.bytes, &i, sizeof i);
        snprintf(names[i], sizeof names[i], "http/alias%u.example.test@" FORGE_REALM, (unsigned)i);
        keys_add(names[i], 1, key);
    }
}

static void forge_long(struct forge *forge, struct writer *element, int32_t enctype, size_t len)
{
    AUTO_FREE uint8_t *data = mem_zalloc(len);
    AUTO_WRITER struct writer inside = writer_growing(len + 64);
    assert_non_null(data);
    forge_begin(forge, enctype);
    forge_authdata(&inside, 999, slice_of(data, len));
    forge_if_relevant(element, writer_slice_of(&inside));
    forge->authorization = writer_slice_of(element);
}

/* Under another name the right key is found among as many as keytabs have, for tickets as long as they are. */
static void test_many_aliases(void **state)
{
    static const struct {
        size_t n_others, len;
    } cases[] = {{1150, 1000}, {700, 5000}, {300, 12000}, {80, 47000}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases) * KERBEROS_TYPES; i++) {
        size_t n_others = cases[i / KERBEROS_TYPES].n_others, len = cases[i / KERBEROS_TYPES].len;
        int32_t enctype = kerberos_loop_types[i % KERBEROS_TYPES];
        AUTO_WRITER struct writer element = writer_growing(len);
        struct forge forge;
        keys_clear();
        keys_others(n_others, enctype);
        keys_add("http/last.example.test@" FORGE_REALM, 1, forge_key(enctype, 1));
        forge_long(&forge, &element, enctype, len);
        assert_int_equal(verdict(&forge), SEC_E_OK);
    }
    keys_clear();
}

/* On a long ticket not all of a long keytab are tried, but those that it names, in whatever letters, and those of its number come first. */
static void test_long_tickets(void **state)
{
    static const struct {
        const char *name;
        uint32_t kvno;
        bool passes;
    } cases[] = {
        {FORGE_SERVER, 2, true},
        {FORGE_SERVER, 7, true},
        {"HOST/Server.Example.Test@" FORGE_REALM, 7, true},
        {"http/last.example.test@" FORGE_REALM, 2, true},
        {"http/last.example.test@" FORGE_REALM, 7, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO_WRITER struct writer element = writer_growing(47000);
        struct forge forge;
        keys_clear();
        keys_others(1000, KRB_AES256_SHA1);
        keys_add(cases[i].name, cases[i].kvno, forge_key(KRB_AES256_SHA1, 1));
        forge_long(&forge, &element, KRB_AES256_SHA1, 47000);
        assert_int_equal(verdict(&forge), cases[i].passes ? SEC_E_OK : SEC_E_WRONG_PRINCIPAL);
        assert_true(cases[i].passes || strstr(cause_text(), "no more are tried") != NULL);
        /* what no key opens is told from what was not tried */
        forge.service = forge_key(KRB_AES256_SHA1, 8);
        forge.authorization = (struct slice){0};
        assert_int_equal(verdict(&forge), SEC_E_WRONG_PRINCIPAL);
        assert_non_null(strstr(cause_text(), "no key of the keytab"));
    }
    keys_clear();
}

/* An account's keys open the tickets of all its services; a server that is one of them takes its own. */
static void test_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *server;
        bool passes;
    } cases[] = {
        {FORGE_SERVER, true},
        {"HOST/Server.Example.Test@Example.Test", true}, /* as Windows' KDCs find names */
        {"cifs/server.example.test@" FORGE_REALM, false},
        {"host/server.example.test@OTHER.TEST", false},
        {"host/server.example.tes@" FORGE_REALM, false},
        {"host@" FORGE_REALM, false},
        {"svc@" FORGE_REALM, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int by_name = 0; by_name < 2; by_name++) {
            struct forge forge;
            struct kerberos_request request;
            keys_usual();
            table.keys.by_name = by_name != 0;
            forge_begin(&forge, KRB_AES256_SHA1);
            forge.server = cases[i].server;
            bool passes = by_name == 0 || cases[i].passes;
            assert_int_equal(open_one(&request, &forge), passes ? SEC_E_OK : SEC_E_WRONG_PRINCIPAL);
            if (passes)
                assert_string_equal(request.server_name, FORGE_SERVER);
            kerberos_request_release(&request);
        }
    keys_clear();
}

/* The ticket's name is right, but the client meant another service of the account: somebody wrote ours over it. */
static void test_by_told_name(void **state)
{
    (void)state;
    static const struct {
        const char *told; /* ASCII */
        bool passes;
    } cases[] = {
        {FORGE_SERVER, true},
        {"HOST/Server.Example.Test@Example.Test", true},
        {"cifs/server.example.test@" FORGE_REALM, false},
        {"host/server.example.test", false}, /* it is to have its realm */
        {"\xff", true},                      /* no text: nothing is told */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int by_name = 0; by_name < 2; by_name++) {
            struct forge forge;
            AUTO_WRITER struct writer name = writer_growing(64), element = writer_growing(64),
                                      list = writer_growing(64);
            for (const char *at = cases[i].told; *at != 0; at++)
                writer_u16le(&name, *at == '\xff' ? 0xdc00 : (uint16_t)*at);
            forge_authdata(&element, KRB_AD_CLIENT_TARGET, writer_slice_of(&name));
            forge_if_relevant(&list, writer_slice_of(&element));
            keys_usual();
            table.keys.by_name = by_name != 0;
            forge_begin(&forge, KRB_AES256_SHA1);
            forge.restrictions = writer_slice_of(&list);
            assert_int_equal(verdict(&forge), by_name == 0 || cases[i].passes ? SEC_E_OK : SEC_E_WRONG_PRINCIPAL);
        }
    keys_clear();
}

static void test_names(void **state)
{
    (void)state;
    struct forge forge;
    keys_usual();
    static const char *const others[] = {"mallory@" FORGE_REALM, "alice@OTHER.TEST", "alice/admin@" FORGE_REALM,
                                         "alic@" FORGE_REALM,    "@" FORGE_REALM,    "alice@"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        forge_begin(&forge, KRB_AES256_SHA1);
        forge.authenticator_client = others[i];
        assert_int_equal(verdict(&forge), SEC_E_WRONG_PRINCIPAL);
    }
}

static void test_authenticator_key(void **state)
{
    (void)state;
    struct forge forge;
    keys_usual();
    forge_begin(&forge, KRB_AES256_SHA1);
    forge.authenticator_key = forge_key(KRB_AES256_SHA1, 8);
    assert_int_equal(verdict(&forge), SEC_E_MESSAGE_ALTERED);
    forge.authenticator_key = forge_key(KRB_AES128_SHA1, 2);
    assert_int_equal(verdict(&forge), SEC_E_MESSAGE_ALTERED);
}

/* The skew that libkrb5 allows is five minutes; a margin for a slow machine on both sides of it. */
static void test_times(void **state)
{
    (void)state;
    static const struct {
        int64_t authenticator, start, end; /* seconds from now */
        SECURITY_STATUS status;
    } cases[] = {
        {0, -30, 3600, SEC_E_OK},
        {-240, -300, 3600, SEC_E_OK},
        {240, -30, 3600, SEC_E_OK},
        {-400, -500, 3600, SEC_E_TIME_SKEW},
        {400, -30, 3600, SEC_E_TIME_SKEW},
        {0, 240, 3600, SEC_E_OK},
        {0, 400, 3600, SEC_E_TIME_SKEW},
        {0, -3600, -240, SEC_E_OK},
        {0, -3600, -400, SEC_E_CONTEXT_EXPIRED},
        {-400, -3600, -400, SEC_E_TIME_SKEW},
        {0, -3600, INT64_C(1) << 32, SEC_E_OK}, /* beyond 2106, where 32 bits end */
        {0, INT64_C(1) << 32, INT64_C(1) << 33, SEC_E_TIME_SKEW},
        {INT64_C(1) << 32, -30, 3600, SEC_E_TIME_SKEW}, /* and does not come round */
        {-(INT64_C(1) << 31) + 100000000, -30, 3600, SEC_E_TIME_SKEW},
    };
    keys_usual();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct forge forge;
        forge_begin(&forge, KRB_AES256_SHA1);
        int64_t now = forge.time;
        forge.time = now + cases[i].authenticator < 0 ? 0 : now + cases[i].authenticator;
        forge.start_time = now + cases[i].start;
        forge.end_time = now + cases[i].end;
        SECURITY_STATUS status = verdict(&forge);
        if (status != cases[i].status)
            fail_msg("times %zu: 0x%08x", i, (unsigned)status);
    }
}

static void test_invalid_flag(void **state)
{
    (void)state;
    struct forge forge;
    keys_usual();
    forge_begin(&forge, KRB_AES256_SHA1);
    forge.flags |= KRB_TICKET_INVALID;
    assert_int_equal(verdict(&forge), SEC_E_INVALID_TOKEN);
    forge.flags = 0;
    assert_int_equal(verdict(&forge), SEC_E_OK);
    forge.flags = ~KRB_TICKET_INVALID; /* what else there is or will be says nothing to a server */
    assert_int_equal(verdict(&forge), SEC_E_OK);
}

static void reconfigure(const char *libdefaults, const char *sections)
{
    kerberos_loop_configure(libdefaults, sections, NULL);
    krb5_free_context(krb);
    assert_int_equal(krb5_init_context(&krb), 0);
}

static void test_transited(void **state)
{
    (void)state;
    static const struct {
        const char *client, *transited;
        int64_t type;
        uint32_t flags;
        SECURITY_STATUS status;
    } cases[] = {
        {"alice@SUB.EXAMPLE.TEST", "", 1, 0, SEC_E_OK},
        {"alice@SUB.EXAMPLE.TEST", "EVIL.TEST", 1, 0, SEC_E_WRONG_PRINCIPAL},
        {"alice@SUB.EXAMPLE.TEST", "EVIL.TEST", 1, KRB_TICKET_TRANSITED_CHECKED, SEC_E_OK}, /* our KDC vouches */
        {"alice@A.SUB.EXAMPLE.TEST", "SUB.EXAMPLE.TEST", 1, 0, SEC_E_OK},                   /* the hierarchy */
        {"alice@A.SUB.EXAMPLE.TEST", "SUB.EXAMPLE.TEST", 2, 0, SEC_E_WRONG_PRINCIPAL},      /* no such encoding */
        {"alice@A.SUB.EXAMPLE.TEST", "SUB.EXAMPLE.TEST,EVIL.TEST", 1, 0, SEC_E_WRONG_PRINCIPAL},
        {"alice@FRIEND.TEST", "BRIDGE.TEST", 1, 0, SEC_E_WRONG_PRINCIPAL},
    };
    keys_usual();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct forge forge;
        forge_begin(&forge, KRB_AES256_SHA1);
        forge.client = cases[i].client;
        forge.transited = cases[i].transited;
        forge.transited_type = cases[i].type;
        forge.flags = cases[i].flags;
        SECURITY_STATUS status = verdict(&forge);
        if (status != cases[i].status)
            fail_msg("realms %zu: 0x%08x", i, (unsigned)status);
    }
    struct forge forge;
    forge_begin(&forge, KRB_AES256_SHA1);
    forge.client = "alice@FRIEND.TEST";
    forge.transited = "BRIDGE.TEST";
    reconfigure(NULL, "[capaths]\nFRIEND.TEST = {\n" FORGE_REALM " = BRIDGE.TEST\n}\n");
    assert_int_equal(verdict(&forge), SEC_E_OK);
    forge.transited = "EVIL.TEST";
    assert_int_equal(verdict(&forge), SEC_E_WRONG_PRINCIPAL);
    reconfigure(NULL, NULL);
}

/* The realm in the ticket's open part is whatever its bearer likes: it must not choose the path that counts as trusted. */
static void test_transited_realm_of_the_key(void **state)
{
    (void)state;
    struct forge forge;
    keys_usual();
    forge_begin(&forge, KRB_AES256_SHA1);
    forge.client = "alice@GOOD.TEST";
    forge.transited = "EVIL.ORG";
    forge.flags = 0;
    assert_int_equal(verdict(&forge), SEC_E_WRONG_PRINCIPAL);
    forge.server = "host/server.example.test@B.EVIL.ORG"; /* on the way from GOOD.TEST to B.EVIL.ORG lies EVIL.ORG */
    assert_int_equal(verdict(&forge), SEC_E_WRONG_PRINCIPAL);
}

static void test_permitted_types(void **state)
{
    (void)state;
    struct forge forge;
    kerberos_loop_configure(NULL, NULL, NULL);
    keys_usual();
    table.keys.permitted = KERBEROS_ENCTYPE_BIT(KRB_AES256_SHA1) | KERBEROS_ENCTYPE_BIT(KRB_AES128_SHA1);
    forge_begin(&forge, KRB_AES256_SHA1);
    assert_int_equal(verdict(&forge), SEC_E_OK);
    forge.session = forge_key(KRB_AES128_SHA1, 2);
    assert_int_equal(verdict(&forge), SEC_E_OK);
    forge.session = forge_key(KRB_RC4_HMAC, 2);
    assert_int_equal(verdict(&forge), SEC_E_KDC_UNKNOWN_ETYPE);
    forge_begin(&forge, KRB_AES256_SHA1);
    forge.subkey = forge_key(KRB_RC4_HMAC, 3);
    assert_int_equal(verdict(&forge), SEC_E_KDC_UNKNOWN_ETYPE);
    forge_begin(&forge, KRB_AES256_SHA1);
    forge.service = forge_key(KRB_RC4_HMAC, 1);
    assert_int_equal(verdict(&forge), SEC_E_KDC_UNKNOWN_ETYPE);
}

/* RFC 4537 */
static void test_upgrade(void **state)
{
    static const int32_t first_unknown[] = {77, -5, KRB_RC4_HMAC, KRB_AES128_SHA1, KRB_AES256_SHA1},
                         only_rc4[] = {KRB_RC4_HMAC}, sha2[] = {KRB_AES256_SHA384};
    static const struct {
        const int32_t *wanted;
        size_t n_wanted;
        int32_t subkey;
        uint32_t permitted;
        int32_t upgrade;
    } cases[] = {
        {first_unknown, COUNT_OF(first_unknown), KRB_RC4_HMAC, ~0u, KRB_AES128_SHA1},
        {first_unknown, COUNT_OF(first_unknown), KRB_RC4_HMAC, ~KERBEROS_ENCTYPE_BIT(KRB_AES128_SHA1), KRB_AES256_SHA1},
        {only_rc4, 1, KRB_RC4_HMAC, ~0u, 0},
        {sha2, 1, KRB_RC4_HMAC, KERBEROS_ENCTYPE_BIT(KRB_RC4_HMAC), 0},
        {sha2, 1, KRB_RC4_HMAC, ~0u, KRB_AES256_SHA384},
        {NULL, 0, KRB_RC4_HMAC, ~0u, 0},
        {sha2, 1, KRB_AES256_SHA1, ~0u, 0}, /* nothing is better than AES */
    };
    (void)state;
    keys_usual();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct forge forge;
        struct kerberos_request request;
        struct kerberos_exchange exchange;
        AUTO_WRITER struct writer reply = writer_growing(256);
        forge_begin(&forge, KRB_RC4_HMAC);
        forge.subkey = forge_key(cases[i].subkey, 3);
        forge.enctypes = cases[i].wanted;
        forge.n_enctypes = cases[i].n_wanted;
        assert_int_equal(open_one(&request, &forge), SEC_E_OK);
        kerberos_exchange_of_request(&exchange, &request, cases[i].permitted);
        assert_int_equal(exchange.upgrade, cases[i].upgrade);
        assert_int_equal(kerberos_reply_make(&exchange, NULL, false, &reply), SEC_E_OK);
        assert_int_equal(exchange.acceptor_subkey.enctype, cases[i].upgrade);
        struct kerberos_exchange client = {.session = forge.session,
                                           .initiator_subkey = forge.subkey,
                                           .time = forge.time,
                                           .microseconds = forge.microseconds};
        assert_int_equal(kerberos_reply_open(&client, NULL, writer_slice_of(&reply)), SEC_E_OK);
        assert_memory_equal(&client.acceptor_subkey, &exchange.acceptor_subkey, sizeof client.acceptor_subkey);
        assert_int_equal(client.acceptor_seq, exchange.acceptor_seq);
        kerberos_request_release(&request);
    }
}

static void test_authorization_data(void **state)
{
    (void)state;
    struct forge forge;
    AUTO_WRITER struct writer unknown = writer_growing(64), wrapped = writer_growing(64);
    keys_usual();
    forge_authdata(&unknown, 4242, slice_of_text("obey"));
    forge_if_relevant(&wrapped, writer_slice_of(&unknown));
    forge_begin(&forge, KRB_AES256_SHA1);
    forge.authorization = writer_slice_of(&wrapped);
    assert_int_equal(verdict(&forge), SEC_E_OK);
    forge.authorization = writer_slice_of(&unknown);
    assert_int_equal(verdict(&forge), SEC_E_INVALID_TOKEN);
    forge_authdata(&wrapped, 4242, slice_of_text("after one that is fine"));
    forge.authorization = writer_slice_of(&wrapped);
    assert_int_equal(verdict(&forge), SEC_E_INVALID_TOKEN);
    forge.authorization = slice_of("", 0); /* an empty list */
    assert_int_equal(verdict(&forge), SEC_E_OK);
    forge.authorization = slice_of("\x30\x03\xa0\x01\x00", 5);
    assert_int_equal(verdict(&forge), SEC_E_INVALID_TOKEN);
    forge.authorization = slice_of("\x30", 1);
    assert_int_equal(verdict(&forge), SEC_E_INVALID_TOKEN);
}

/* RFC 4120 5.2.6 says so of the AP-REQ as a whole: what a client restricts itself to must not be overlooked, either. */
static void test_authorization_data_of_the_authenticator(void **state)
{
    (void)state;
    struct forge forge;
    AUTO_WRITER struct writer unknown = writer_growing(64), wrapped = writer_growing(64), windows = writer_growing(64);
    keys_usual();
    forge_authdata(&unknown, 4242, slice_of_text("obey"));
    forge_if_relevant(&wrapped, writer_slice_of(&unknown));
    forge_begin(&forge, KRB_AES256_SHA1);
    forge.restrictions = writer_slice_of(&wrapped);
    assert_int_equal(verdict(&forge), SEC_E_OK);
    forge.restrictions = writer_slice_of(&unknown);
    assert_int_equal(verdict(&forge), SEC_E_INVALID_TOKEN);
    forge.restrictions = slice_of("", 0);
    assert_int_equal(verdict(&forge), SEC_E_OK);
    forge.restrictions = slice_of("\x30", 1);
    assert_int_equal(verdict(&forge), SEC_E_INVALID_TOKEN);
    for (int32_t type = 141; type <= 144; type++) /* what Windows tells of itself (MS-KILE 3.2.5.8) */
        forge_authdata(&windows, type, slice_of_text("whatever"));
    forge.restrictions = writer_slice_of(&windows);
    assert_int_equal(verdict(&forge), SEC_E_OK);
    forge.restrictions.data = NULL;
    forge.authorization = writer_slice_of(&windows); /* a ticket says nothing of that kind */
    assert_int_equal(verdict(&forge), SEC_E_INVALID_TOKEN);
}

static void test_user_to_user(void **state)
{
    (void)state;
    struct forge forge;
    struct kerberos_request request = {0};
    AUTO_WRITER struct writer message = writer_growing(2048);
    const struct krb_key session = forge_key(KRB_AES256_SHA1, 6);
    keys_usual();
    forge_begin(&forge, KRB_AES256_SHA1);
    forge.options |= KRB_AP_USE_SESSION_KEY;
    assert_int_equal(verdict(&forge), SEC_E_WRONG_PRINCIPAL); /* without a session */
    forge.service = session;
    forge_request(&message, &forge, NULL, NULL);
    cause_clear();
    assert_int_equal(
        kerberos_request_open(&request, krb, &table.keys, &session, "bob@" FORGE_REALM, writer_slice_of(&message)),
        SEC_E_OK);
    assert_string_equal(request.server_name, "bob@" FORGE_REALM);
    kerberos_request_release(&request);
    request = (struct kerberos_request){0};
    const struct krb_key other = forge_key(KRB_AES256_SHA1, 5);
    assert_int_equal(kerberos_request_open(&request, krb, NULL, &other, "bob@" FORGE_REALM, writer_slice_of(&message)),
                     SEC_E_WRONG_PRINCIPAL);
    kerberos_request_release(&request);
    /* an ordinary ticket where this side has no keys */
    request = (struct kerberos_request){0};
    message.len = 0;
    forge_begin(&forge, KRB_AES256_SHA1);
    forge_request(&message, &forge, NULL, NULL);
    assert_int_equal(
        kerberos_request_open(&request, krb, NULL, &session, "bob@" FORGE_REALM, writer_slice_of(&message)),
        SEC_E_WRONG_PRINCIPAL);
    kerberos_request_release(&request);
}

static void test_garbage_inside(void **state)
{
    (void)state;
    struct forge forge;
    struct kerberos_request request;
    keys_usual();
    forge_begin(&forge, KRB_AES256_SHA1);
    /* cut plain texts under right cipher texts: every length, and the whole */
    AUTO_WRITER struct writer part = writer_growing(1024), authenticator = writer_growing(1024);
    forge_ticket_part(&part, &forge);
    forge_authenticator(&authenticator, &forge);
    for (size_t len = 0; len <= part.len; len++) {
        AUTO_WRITER struct writer ticket = writer_growing(1024), message = writer_growing(2048);
        forge_ticket_around(&ticket, &forge, slice_of(part.data, len));
        struct slice whole = writer_slice_of(&ticket);
        forge_request(&message, &forge, &whole, NULL);
        assert_int_equal(open_bytes(&request, writer_slice_of(&message)),
                         len < part.len ? SEC_E_INVALID_TOKEN : SEC_E_OK);
        kerberos_request_release(&request);
    }
    for (size_t len = 0; len <= authenticator.len; len++) {
        AUTO_WRITER struct writer message = writer_growing(2048);
        struct slice plain = slice_of(authenticator.data, len);
        forge_request(&message, &forge, NULL, &plain);
        assert_int_equal(open_bytes(&request, writer_slice_of(&message)),
                         len < authenticator.len ? SEC_E_INVALID_TOKEN : SEC_E_OK);
        kerberos_request_release(&request);
    }
}

/* Names that can be written, and one that cannot. */
static void test_odd_client_names(void **state)
{
    (void)state;
    struct forge forge;
    struct kerberos_request request;
    keys_usual();
    forge_begin(&forge, KRB_AES256_SHA1);
    forge.client = "al\\ic\ne\t@" FORGE_REALM;
    assert_int_equal(open_one(&request, &forge), SEC_E_OK);
    assert_string_equal(request.client_name, "al\\\\ic\\ne\\t@" FORGE_REALM);
    kerberos_request_release(&request);
    /* a NUL inside would end the name early: "root" for "root\0@EVIL" */
    for (int with_nul = 0; with_nul < 2; with_nul++) {
        AUTO_WRITER struct writer part = writer_growing(1024), authenticator = writer_growing(1024),
                                  ticket = writer_growing(1024), message = writer_growing(2048);
        forge.client = "rootXevil@" FORGE_REALM;
        forge_ticket_part(&part, &forge);
        forge_authenticator(&authenticator, &forge);
        uint8_t *in_part = memmem(part.data, part.len, "rootX", 5);
        uint8_t *in_authenticator = memmem(authenticator.data, authenticator.len, "rootX", 5);
        assert_true(in_part != NULL && in_authenticator != NULL);
        in_part[4] = in_authenticator[4] = with_nul ? 0 : 'x';
        forge_ticket_around(&ticket, &forge, writer_slice_of(&part));
        struct slice whole = writer_slice_of(&ticket), plain = writer_slice_of(&authenticator);
        forge_request(&message, &forge, &whole, &plain);
        assert_int_equal(open_bytes(&request, writer_slice_of(&message)), with_nul ? SEC_E_INVALID_TOKEN : SEC_E_OK);
        kerberos_request_release(&request);
    }
}

static void test_reply(void **state)
{
    (void)state;
    for (int i = 0; i < KERBEROS_TYPES; i++) {
        struct kerberos_exchange client = {.session = forge_key(kerberos_loop_types[i], 2),
                                           .initiator_subkey = forge_key(kerberos_loop_types[i], 3),
                                           .time = 1800000000,
                                           .microseconds = 999999},
                                 server = client, other;
        AUTO_WRITER struct writer reply = writer_growing(256), third = writer_growing(256);
        static const struct krb_purpose purposes[] = {{KRB_ENCRYPTING, KRB_USAGE_AP_REP},
                                                      {KRB_DECRYPTING, KRB_USAGE_AP_REP}};
        struct krb_prepared prepared[2];
        assert_true(krb_prepare(&client.session, purposes, 2, prepared));
        AUTO_WRITER struct writer first = writer_growing(256);
        assert_int_equal(kerberos_reply_make(&server, &prepared[0], true, &first), SEC_E_OK);
        other = client;
        assert_int_equal(kerberos_reply_open(&other, NULL, writer_slice_of(&first)), SEC_E_OK);
        assert_memory_equal(&other.acceptor_subkey, &server.acceptor_subkey, sizeof other.acceptor_subkey);
        server = client;
        assert_int_equal(kerberos_reply_make(&server, NULL, true, &reply), SEC_E_OK);
        other = client;
        assert_int_equal(kerberos_reply_open(&other, &prepared[1], writer_slice_of(&reply)), SEC_E_OK);
        assert_memory_equal(&other.acceptor_subkey, &server.acceptor_subkey, sizeof other.acceptor_subkey);
        other = client;
        assert_int_equal(kerberos_reply_open(&other, &prepared[1], writer_slice_of(&first)), SEC_E_OK);
        assert_memory_not_equal(&other.acceptor_subkey, &server.acceptor_subkey, sizeof other.acceptor_subkey);
        assert_true(server.acceptor_seq < UINT32_C(0x40000000));
        other = client;
        other.microseconds--;
        cause_clear();
        assert_int_equal(kerberos_reply_open(&other, NULL, writer_slice_of(&reply)), SEC_E_MUTUAL_AUTH_FAILED);
        assert_int_equal(other.acceptor_subkey.enctype, 0);
        other = client;
        other.time++;
        assert_int_equal(kerberos_reply_open(&other, NULL, writer_slice_of(&reply)), SEC_E_MUTUAL_AUTH_FAILED);
        other = client;
        other.session.bytes[0] ^= 1;
        assert_int_equal(kerberos_reply_open(&other, NULL, writer_slice_of(&reply)), SEC_E_MESSAGE_ALTERED);
        assert_int_equal(kerberos_reply_open(&client, NULL, writer_slice_of(&reply)), SEC_E_OK);
        assert_memory_equal(&client.acceptor_subkey, &server.acceptor_subkey, sizeof client.acceptor_subkey);
        assert_int_equal(client.acceptor_seq, server.acceptor_seq);
        assert_int_equal(kerberos_third_open(&server, writer_slice_of(&reply)), SEC_E_MUTUAL_AUTH_FAILED);
        assert_int_equal(kerberos_third_make(&client, &third), SEC_E_OK);
        assert_int_equal(kerberos_third_open(&server, writer_slice_of(&third)), SEC_E_OK);
        server.acceptor_seq++;
        assert_int_equal(kerberos_third_open(&server, writer_slice_of(&third)), SEC_E_MUTUAL_AUTH_FAILED);
    }
}

/* libkrb5 as the acceptor of ours, and its answer for us. */
static void test_against_libkrb5(void **state)
{
    (void)state;
    for (int i = 0; i < 2 * KERBEROS_TYPES; i++) {
        struct forge forge;
        struct kerberos_exchange exchange = {0};
        bool prepared = i >= KERBEROS_TYPES;
        AUTO_WRITER struct writer ticket = writer_growing(1024), message = writer_growing(2048);
        krb5_auth_context context = NULL;
        krb5_keytab keytab;
        krb5_data reply = {0};
        krb5_keyblock *subkey = NULL;
        krb5_int32 number = 0;
        forge_begin(&forge, kerberos_loop_types[i % KERBEROS_TYPES]);
        forge_ticket(&ticket, &forge);
        krb5_creds creds = {.keyblock = {.enctype = forge.session.enctype,
                                         .length = forge.session.len,
                                         .contents = forge.session.bytes},
                            .ticket = {.data = (char *)ticket.data, .length = (unsigned)ticket.len}};
        assert_int_equal(krb5_parse_name(krb, forge.client, &creds.client), 0);
        assert_int_equal(krb5_parse_name(krb, forge.server, &creds.server), 0);
        const struct gss_checksum checksum = {.flags = GSS_MUTUAL};
        AUTO_WRITER struct writer sum = writer_growing(32);
        gss_checksum_write(&sum, &checksum);
        static const struct krb_purpose purposes[] = {{KRB_ENCRYPTING, KRB_USAGE_AP_REQ},
                                                      {KRB_DECRYPTING, KRB_USAGE_AP_REP}};
        struct kerberos_ticket bought = {.creds = &creds};
        if (prepared)
            assert_true(krb_prepare(&forge.session, purposes, KERBEROS_TICKET_USES, bought.session));
        assert_int_equal(
            kerberos_request_make(&exchange, krb, &bought, KRB_AP_MUTUAL_REQUIRED, writer_slice_of(&sum), &message),
            SEC_E_OK);
        krb5_free_principal(krb, creds.client);
        krb5_free_principal(krb, creds.server);

        assert_int_equal(krb5_auth_con_init(krb, &context), 0);
        assert_int_equal(krb5_auth_con_setflags(krb, context, KRB5_AUTH_CONTEXT_DO_SEQUENCE), 0);
        assert_int_equal(krb5_kt_default(krb, &keytab), 0);
        krb5_data in = {.data = (char *)message.data, .length = (unsigned)message.len};
        krb5_flags options = 0;
        assert_int_equal(krb5_rd_req(krb, &context, &in, NULL, keytab, &options, NULL), 0);
        assert_int_equal(options & AP_OPTS_MUTUAL_REQUIRED, AP_OPTS_MUTUAL_REQUIRED);
        assert_int_equal(krb5_auth_con_getremoteseqnumber(krb, context, &number), 0);
        assert_int_equal((uint32_t)number, exchange.initiator_seq);
        assert_int_equal(krb5_auth_con_getrecvsubkey(krb, context, &subkey), 0);
        assert_int_equal(subkey->enctype, exchange.initiator_subkey.enctype);
        assert_memory_equal(subkey->contents, exchange.initiator_subkey.bytes, exchange.initiator_subkey.len);
        krb5_free_keyblock(krb, subkey);
        assert_int_equal(krb5_mk_rep(krb, context, &reply), 0);
        assert_int_equal(krb5_auth_con_getlocalseqnumber(krb, context, &number), 0);
        assert_int_equal(
            kerberos_reply_open(&exchange, prepared ? &bought.session[KERBEROS_OPENS_REPLY] : NULL, krb_slice(&reply)),
            SEC_E_OK);
        assert_int_equal((uint32_t)number, exchange.acceptor_seq);
        krb5_free_data_contents(krb, &reply);
        krb5_kt_close(krb, keytab);
        krb5_auth_con_free(krb, context);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_honest),
        cmocka_unit_test(test_optional_fields),
        cmocka_unit_test(test_prepared_keys),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_roll_over),
        cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_many_aliases),
        cmocka_unit_test(test_long_tickets),
        cmocka_unit_test(test_by_name),
        cmocka_unit_test(test_by_told_name),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_authenticator_key),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_invalid_flag),
        cmocka_unit_test(test_transited),
        cmocka_unit_test(test_transited_realm_of_the_key),
        cmocka_unit_test(test_permitted_types),
        cmocka_unit_test(test_upgrade),
        cmocka_unit_test(test_authorization_data),
        cmocka_unit_test(test_authorization_data_of_the_authenticator),
        cmocka_unit_test(test_user_to_user),
        cmocka_unit_test(test_garbage_inside),
        cmocka_unit_test(test_odd_client_names),
        cmocka_unit_test(test_reply),
        cmocka_unit_test(test_against_libkrb5),
    };
    kerberos_loop_configure(NULL, NULL, NULL);
    if (krb5_init_context(&krb) != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    krb5_free_context(krb);
    kerberos_loop_cleanup();
    return failed;
}
