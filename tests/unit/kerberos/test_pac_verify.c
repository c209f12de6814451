/*
 * Does the PAC belong to the ticket: signatures of each type made by libkrb5, changed, swapped, missing; another client, another time.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "core/cause.h"
#include "kerberos/pac_verify.h"
#include "support/kerberos_forge.h"
#include "support/kerberos_loop.h"
#include "unit/kerberos/pac_builder.h"
#include <stdlib.h>
#include <string.h>

static SECURITY_STATUS verdict_on(struct slice bytes, const struct forge *forge)
{
    struct pac pac = {0};
    struct krb_name client = forge_name(forge->client);
    if (pac_decode(bytes, &pac) != WIRE_OK)
        return SEC_E_INVALID_TOKEN;
    const struct krb_purpose purpose = {KRB_SIGNING, KRB_USAGE_PAC};
    struct krb_prepared prepared;
    assert_true(krb_prepare(&forge->service, &purpose, 1, &prepared));
    cause_clear();
    SECURITY_STATUS status = kerberos_pac_verify(bytes, &pac, &forge->service, NULL, &client, forge->auth_time);
    assert_int_equal(status == SEC_E_OK, *cause_text() == '\0');
    assert_int_equal(kerberos_pac_verify(bytes, &pac, &forge->service, &prepared, &client, forge->auth_time), status);
    pac_release(&pac);
    return status;
}

static struct logon_recipe recipe = {
    .user_id = 1105, .primary_group_id = 513, .n_groups = 3, .step = 1, .attributes = 7};

static void honest(struct writer *writer, struct forge *forge, int32_t enctype, bool with_logon_info)
{
    AUTO_WRITER struct writer info = writer_growing(512);
    forge_begin(forge, enctype);
    logon_info_write(&info, &recipe);
    const struct pac_part part = {PAC_LOGON_INFO, writer_slice_of(&info)};
    forge_pac(writer, forge, &part, with_logon_info ? 1 : 0);
}

static void each_type(void **state)
{
    (void)state;
    for (int i = 0; i < KERBEROS_TYPES; i++)
        for (int with = 0; with < 2; with++) {
            struct forge forge;
            AUTO_WRITER struct writer pac = writer_growing(1024);
            honest(&pac, &forge, kerberos_loop_types[i], with != 0);
            assert_int_equal(verdict_on(writer_slice_of(&pac), &forge), SEC_E_OK);
            for (int j = 0; j < KERBEROS_TYPES; j++) {
                struct forge other = forge;
                other.service = forge_key(kerberos_loop_types[j], i == j ? 5 : 1);
                assert_int_equal(verdict_on(writer_slice_of(&pac), &other), SEC_E_MESSAGE_ALTERED);
            }
        }
}

/* Under which bytes does a change go unseen? Padding is under the signature as well; only the KDC's signature itself is not. */
static void every_bit(void **state)
{
    (void)state;
    for (int i = 0; i < KERBEROS_TYPES; i++) {
        struct forge forge;
        struct pac pac;
        AUTO_WRITER struct writer bytes = writer_growing(1024);
        honest(&bytes, &forge, kerberos_loop_types[i], true);
        assert_int_equal(pac_decode(writer_slice_of(&bytes), &pac), WIRE_OK);
        const uint8_t *kdc = pac.kdc_checksum.checksum.data, *kdc_end = kdc + pac.kdc_checksum.checksum.len;
        for (size_t at = 0; at < 8 * bytes.len; at++) {
            const uint8_t *byte = bytes.data + at / 8;
            bytes.data[at / 8] ^= (uint8_t)(1u << at % 8);
            SECURITY_STATUS status = verdict_on(writer_slice_of(&bytes), &forge);
            if ((status == SEC_E_OK) != (byte >= kdc && byte < kdc_end))
                fail_msg("type %d, bit %zu: 0x%08x", kerberos_loop_types[i], at, (unsigned)status);
            bytes.data[at / 8] ^= (uint8_t)(1u << at % 8);
        }
        pac_release(&pac);
    }
}

#define MAC_LEN 12
/* Two signature buffers of an AES256 key, in an order and of types of the caller's; signed as they stand. */
static void craft(struct writer *writer, const struct forge *forge, const struct pac_part *before, size_t n_before,
                  struct pac_part signatures[2], size_t n_signatures, size_t server)
{
    struct pac_part parts[8];
    uint8_t mac[MAC_LEN];
    if (n_before > 0)
        memcpy(parts, before, n_before * sizeof *before);
    memcpy(parts + n_before, signatures, n_signatures * sizeof *signatures);
    pac_write(writer, parts, n_before + n_signatures);
    forge_checksum(&forge->service, KRB_USAGE_PAC, writer_slice_of(writer), mac, sizeof mac);
    size_t at = 8 + 16 * (n_before + n_signatures);
    for (size_t i = 0; i < n_before + server; i++)
        at += (parts[i].bytes.len + 7) / 8 * 8;
    writer_patch_bytes(writer, at + 4, mac, sizeof mac);
}

static void client_info(struct writer *writer, int64_t auth_time, const char *name)
{
    writer_u64le(writer, (uint64_t)filetime_from_unix((time_t)auth_time));
    writer_u16le(writer, (uint16_t)(2 * strlen(name)));
    for (; *name != '\0'; name++)
        writer_u16le(writer, (uint8_t)*name);
}

static void orders_roles_and_controllers(void **state)
{
    (void)state;
    /* type 16, a signature of zeros, and for a read-only controller its number (MS-PAC 2.8) */
    static const uint8_t plain[4 + MAC_LEN] = {16}, numbered[4 + MAC_LEN + 2] = {[0] = 16, [4 + MAC_LEN] = 0x39, 0x30};
    struct forge forge;
    AUTO_WRITER struct writer info = writer_growing(64);
    forge_begin(&forge, KRB_AES256_SHA1);
    client_info(&info, forge.auth_time, "alice");
    const struct pac_part who = {PAC_CLIENT_INFO, writer_slice_of(&info)};
    for (int i = 0; i < 8; i++) {
        size_t server = i & 1;
        AUTO_WRITER struct writer pac = writer_growing(256);
        struct pac_part signatures[2] = {{server == 0 ? PAC_SERVER_CHECKSUM : PAC_KDC_CHECKSUM,
                                          i & 2 ? slice_of(numbered, sizeof numbered) : slice_of(plain, sizeof plain)},
                                         {server == 0 ? PAC_KDC_CHECKSUM : PAC_SERVER_CHECKSUM,
                                          i & 4 ? slice_of(numbered, sizeof numbered) : slice_of(plain, sizeof plain)}};
        craft(&pac, &forge, &who, 1, signatures, 2, server);
        assert_int_equal(verdict_on(writer_slice_of(&pac), &forge), SEC_E_OK);
        /* the roles swapped by their types alone: what signs for the KDC does not sign for the server */
        AUTO_WRITER struct writer swapped = writer_growing(256);
        writer_slice(&swapped, writer_slice_of(&pac));
        writer_patch_u32le(&swapped, 8 + 16, signatures[1].type);
        writer_patch_u32le(&swapped, 8 + 32, signatures[0].type);
        assert_int_equal(verdict_on(writer_slice_of(&swapped), &forge), SEC_E_MESSAGE_ALTERED);
        /* the controller's number is signed: another one is seen */
        const uint8_t *id = memmem(pac.data, pac.len, "\x39\x30", 2);
        if (id != NULL) {
            pac.data[id - pac.data] ^= 1;
            assert_int_equal(verdict_on(writer_slice_of(&pac), &forge), SEC_E_MESSAGE_ALTERED);
        }
    }
}

static void missing_parts(void **state)
{
    (void)state;
    static const uint8_t plain[4 + MAC_LEN] = {16};
    struct forge forge;
    AUTO_WRITER struct writer info = writer_growing(64);
    forge_begin(&forge, KRB_AES256_SHA1);
    client_info(&info, forge.auth_time, "alice");
    const struct pac_part who = {PAC_CLIENT_INFO, writer_slice_of(&info)};
    struct pac_part server[2] = {{PAC_SERVER_CHECKSUM, slice_of(plain, sizeof plain)}},
                    kdc[2] = {{PAC_KDC_CHECKSUM, slice_of(plain, sizeof plain)}};
    AUTO_WRITER struct writer without_kdc = writer_growing(256), without_server = writer_growing(256),
                              without_client = writer_growing(256), nothing = writer_growing(64);
    craft(&without_kdc, &forge, &who, 1, server, 1, 0); /* the KDC's signature is for KDCs: they look, servers cannot */
    assert_int_equal(verdict_on(writer_slice_of(&without_kdc), &forge), SEC_E_OK);
    craft(&without_server, &forge, &who, 1, kdc, 1, 0);
    assert_int_equal(verdict_on(writer_slice_of(&without_server), &forge), SEC_E_INVALID_TOKEN);
    craft(&without_client, &forge, NULL, 0, server, 1, 0);
    assert_int_equal(verdict_on(writer_slice_of(&without_client), &forge), SEC_E_INVALID_TOKEN);
    pac_write(&nothing, NULL, 0);
    assert_int_equal(verdict_on(writer_slice_of(&nothing), &forge), SEC_E_INVALID_TOKEN);
}

/* A signature that is empty, cut, too long, or of a type that needs no key. */
static void odd_signatures(void **state)
{
    (void)state;
    static const uint32_t types[] = {0, 15, 0xffffff76, 0xffffffff};
    static const krb5_cksumtype keyless[] = {2 /* MD4 */, CKSUMTYPE_RSA_MD5, 14 /* SHA-1 */};
    krb5_context krb;
    struct forge forge;
    assert_int_equal(krb5_init_context(&krb), 0);
    AUTO_WRITER struct writer info = writer_growing(64);
    forge_begin(&forge, KRB_AES256_SHA1);
    client_info(&info, forge.auth_time, "alice");
    const struct pac_part who = {PAC_CLIENT_INFO, writer_slice_of(&info)};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        uint8_t bytes[4 + MAC_LEN] = {(uint8_t)types[i], (uint8_t)(types[i] >> 8), (uint8_t)(types[i] >> 16),
                                      (uint8_t)(types[i] >> 24)};
        struct pac_part signature[2] = {{PAC_SERVER_CHECKSUM, slice_of(bytes, sizeof bytes)}};
        AUTO_WRITER struct writer pac = writer_growing(256);
        craft(&pac, &forge, &who, 1, signature, 1, 0);
        assert_true(verdict_on(writer_slice_of(&pac), &forge) < 0);
    }
    for (size_t i = 0; i < sizeof keyless / sizeof keyless[0]; i++) { /* right ones, which anybody can compute */
        size_t len;
        uint8_t bytes[4 + 32] = {(uint8_t)keyless[i]};
        krb5_checksum sum;
        AUTO_WRITER struct writer pac = writer_growing(256);
        assert_int_equal(krb5_c_checksum_length(krb, keyless[i], &len), 0);
        assert_true(len <= sizeof bytes - 4);
        struct pac_part parts[2] = {who, {PAC_SERVER_CHECKSUM, slice_of(bytes, 4 + len)}};
        pac_write(&pac, parts, 2);
        krb5_data text = {.data = (char *)pac.data, .length = (unsigned)pac.len};
        assert_int_equal(krb5_c_make_checksum(krb, keyless[i], NULL, 0, &text, &sum), 0);
        writer_patch_bytes(&pac, 8 + 32 + (who.bytes.len + 7) / 8 * 8 + 4, sum.contents, sum.length);
        krb5_free_checksum_contents(krb, &sum);
        assert_int_equal(verdict_on(writer_slice_of(&pac), &forge), SEC_E_MESSAGE_ALTERED);
    }
    for (size_t len = 0; len <= 80; len++) {
        uint8_t bytes[84] = {16};
        struct pac_part parts[2] = {who, {PAC_SERVER_CHECKSUM, slice_of(bytes, 4 + len)}};
        AUTO_WRITER struct writer pac = writer_growing(256);
        pac_write(&pac, parts, 2);
        assert_true(verdict_on(writer_slice_of(&pac), &forge) < 0);
    }
    /* long holes for both signatures, where zeros stand in for them */
    uint8_t long_one[4 + 70] = {0xff};
    static const uint8_t plain[4 + MAC_LEN] = {16};
    struct pac_part signatures[2] = {{PAC_SERVER_CHECKSUM, slice_of(plain, sizeof plain)},
                                     {PAC_KDC_CHECKSUM, slice_of(long_one, sizeof long_one)}};
    AUTO_WRITER struct writer pac = writer_growing(256);
    craft(&pac, &forge, &who, 1, signatures, 2, 0);
    assert_true(verdict_on(writer_slice_of(&pac), &forge) < 0);
    krb5_free_context(krb);
}

static void another_client_or_logon(void **state)
{
    (void)state;
    static const struct {
        const char *ticket, *pac;
        bool same;
    } names[] = {
        {"alice@R", "alice", true},          {"alice@R", "Alice", false},    {"alice@R", "alic", false},
        {"alice@R", "alicex", false},        {"alice@R", "", false},         {"host/a.b@R", "host/a.b", true},
        {"host/a.b@R", "host", false},       {"host/a.b@R", "host/", false}, {"host/a.b@R", "hosta.b", false},
        {"host/a.b@R", "host/a.b/c", false}, {"a/b/c@R", "a/b/c", true},
    };
    struct forge forge;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        AUTO_WRITER struct writer pac = writer_growing(256);
        char other[64];
        forge_begin(&forge, KRB_AES128_SHA256);
        strcpy(other, names[i].pac);
        strcat(other, "@R");
        forge.client = other;
        forge_pac(&pac, &forge, NULL, 0);
        forge.client = names[i].ticket;
        assert_int_equal(verdict_on(writer_slice_of(&pac), &forge), names[i].same ? SEC_E_OK : SEC_E_MESSAGE_ALTERED);
    }
    forge_begin(&forge, KRB_AES128_SHA256);
    for (int64_t off = -2; off <= 2; off++) {
        AUTO_WRITER struct writer pac = writer_growing(256);
        forge_pac(&pac, &forge, NULL, 0);
        forge.auth_time += off;
        assert_int_equal(verdict_on(writer_slice_of(&pac), &forge), off == 0 ? SEC_E_OK : SEC_E_MESSAGE_ALTERED);
        forge.auth_time -= off;
    }
}

/* Through the acceptor: in AD-IF-RELEVANT, on its own, twice, tampered with, and asked for by the configuration. */
static SECURITY_STATUS accepted(struct forge *forge)
{
    struct duel duel = {0};
    AUTO_WRITER struct writer token = writer_growing(2048);
    kerberos_duel_begin(&duel);
    forge_token(&token, forge);
    SECURITY_STATUS status = duel_server(&duel, writer_slice_of(&token));
    duel_end(&duel);
    return status;
}

/* Another user's RID, and with the next call the honest one again: what a PAC says, and not whether it can be read. */
static void rid_change(struct writer *pac)
{
    uint8_t *rid = memmem(pac->data, pac->len, "\x51\x04", 2);
    rid = rid != NULL ? rid : memmem(pac->data, pac->len, "\x50\x04", 2);
    assert_non_null(rid);
    *rid ^= 1;
}

static void through_the_acceptor(void **state)
{
    (void)state;
    for (int wrapped = 0; wrapped < 2; wrapped++)
        for (int tampered = 0; tampered < 2; tampered++) {
            struct forge forge;
            AUTO_WRITER struct writer pac = writer_growing(1024), element = writer_growing(1024),
                                      list = writer_growing(1024);
            honest(&pac, &forge, KRB_AES256_SHA1, true);
            if (tampered)
                rid_change(&pac);
            forge_authdata(&element, KRB_AD_WIN2K_PAC, writer_slice_of(&pac));
            if (wrapped)
                forge_if_relevant(&list, writer_slice_of(&element));
            else
                writer_slice(&list, writer_slice_of(&element));
            forge.authorization = writer_slice_of(&list);
            assert_int_equal(accepted(&forge), tampered ? SEC_E_MESSAGE_ALTERED : SEC_E_OK);
        }
    for (int tampered = 0; tampered < 2; tampered++) { /* of two the first one counts, be it the wrong one */
        struct forge forge;
        AUTO_WRITER struct writer pac = writer_growing(1024), elements = writer_growing(2048);
        honest(&pac, &forge, KRB_AES256_SHA1, true);
        for (int i = 0; i < 2; i++) {
            if (i == tampered || i == 1)
                rid_change(&pac);
            forge_authdata(&elements, KRB_AD_WIN2K_PAC, writer_slice_of(&pac));
        }
        forge.authorization = writer_slice_of(&elements);
        assert_int_equal(accepted(&forge), tampered == 0 ? SEC_E_MESSAGE_ALTERED : SEC_E_OK);
    }
    struct forge forge;
    forge_begin(&forge, KRB_AES256_SHA1);
    assert_int_equal(accepted(&forge), SEC_E_OK);
    kerberos_loop_configure(NULL, NULL, "require_pac = yes\n");
    forge_begin(&forge, KRB_AES256_SHA1);
    assert_int_equal(accepted(&forge), SEC_E_LOGON_DENIED);
    AUTO_WRITER struct writer pac = writer_growing(1024), element = writer_growing(1024), list = writer_growing(1024);
    honest(&pac, &forge, KRB_AES256_SHA1, false);
    forge_authdata(&element, KRB_AD_WIN2K_PAC, writer_slice_of(&pac));
    forge_if_relevant(&list, writer_slice_of(&element));
    forge.authorization = writer_slice_of(&list);
    assert_int_equal(accepted(&forge), SEC_E_OK);
    kerberos_loop_configure(NULL, NULL, NULL);
}

/* What the PAC says of the logon is an attribute; a ticket without logon information has none. */
static void logon_told(void **state)
{
    (void)state;
    for (int with = 0; with < 2; with++) {
        struct forge forge;
        struct duel duel = {0};
        SecPkgContext_UserFlags flags;
        SecPkgContext_LogoffTime logoff;
        SECURITY_STATUS expected = with != 0 ? SEC_E_OK : SEC_E_UNSUPPORTED_FUNCTION;
        AUTO_WRITER struct writer pac = writer_growing(1024), list = writer_growing(1024), token = writer_growing(2048);
        recipe.user_flags = 0x80000820;
        honest(&pac, &forge, KRB_AES256_SHA1, with != 0);
        recipe.user_flags = 0;
        forge_authdata(&list, KRB_AD_WIN2K_PAC, writer_slice_of(&pac));
        forge.authorization = writer_slice_of(&list);
        kerberos_duel_begin(&duel);
        forge_token(&token, &forge);
        assert_int_equal(duel_server(&duel, writer_slice_of(&token)), SEC_E_OK);
        assert_int_equal(QueryContextAttributesW(&duel.server, SECPKG_ATTR_USER_FLAGS, &flags), expected);
        assert_int_equal(QueryContextAttributesW(&duel.server, SECPKG_ATTR_LOGOFF_TIME, &logoff), expected);
        if (with != 0) {
            assert_int_equal(flags.UserFlags, 0x80000820);
            /* pac_builder.c: LogoffTime 2, KickOffTime 3 */
            assert_true(logoff.tsLogoffTime.QuadPart == filetime_to_local(2));
        }
        duel_end(&duel);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type),
        cmocka_unit_test(every_bit),
        cmocka_unit_test(orders_roles_and_controllers),
        cmocka_unit_test(missing_parts),
        cmocka_unit_test(odd_signatures),
        cmocka_unit_test(another_client_or_logon),
        cmocka_unit_test(through_the_acceptor),
        cmocka_unit_test(logon_told),
    };
    kerberos_loop_configure(NULL, NULL, NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    kerberos_loop_cleanup();
    return failed;
}
