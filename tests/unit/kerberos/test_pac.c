/* What honest PACs say, field by field: of Windows, of Samba, of MIT's KDC; and the identity made of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "base/utf16.h"
#include "kerberos/pac.h"
#include "unit/kerberos/pac_builder.h"
#include "unit/kerberos/pac_example.h"
#include "unit/kerberos/pac_vectors.h"

#include <string.h>

#define DOMAIN "S-1-5-21-1004336348-1177238915-682003330"
#define RESOURCE "S-1-5-21-2127521184-1604012920-1887927527"
#define LOGON_TIME INT64_C(133500000000000000)

static void assert_sid(const struct sid *sid, const char *expected)
{
    char text[SID_TEXT_MAX];

    sid_to_text(sid, text);
    assert_string_equal(text, expected);
}

static void assert_utf16(struct slice utf16, const char *expected)
{
    char *text;

    assert_int_equal(utf16le_to_text(utf16, &text), WIRE_OK);
    assert_string_equal(text, expected);
    mem_free(text);
}

static void assert_checksum(const struct pac_signature *signature, uint32_t type, size_t len, uint8_t byte)
{
    assert_int_equal(signature->type, type);
    assert_int_equal(signature->checksum.len, len);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(signature->checksum.data[i], byte);
}

/* The example of MS-PAC 3, written by a Windows domain controller. */
static void windows_example_is_read(void **state)
{
    static const uint32_t rids[] = {3392609, 2999049, 3322974, 513,     2931095, 3338539, 3354830, 3026599, 3338538,
                                    2931096, 3392610, 3342740, 3392630, 3014318, 2937394, 3278870, 3038018, 3322975,
                                    3513546, 2966661, 3338434, 3271401, 3051245, 3271606, 3026603, 3018354};
    static const uint32_t extra_rids[] = {3101812, 3291368, 3291341, 3322973, 3479105, 3271400,
                                          3283393, 3338537, 3038991, 3037999, 3248111, 3038983};
    struct pac_logon_info info;

    (void)state;
    assert_int_equal(pac_logon_info_decode(slice_of(pac_example_logon_info, sizeof(pac_example_logon_info)), &info),
                     WIRE_OK);
    assert_true(info.logon_time == INT64_C(0x01c66a650f6686d1) && info.logoff_time == INT64_MAX &&
                info.kick_off_time == INT64_MAX);
    assert_true(info.password_last_set == INT64_C(0x01c64a78fe39d417) &&
                info.password_must_change == INT64_C(0x01c6817a97245417));
    assert_string_equal(info.user_name, "lzhu");
    assert_utf16(info.full_name, "Liqiang(Larry) Zhu");
    assert_utf16(info.logon_script, "ntds2.bat");
    assert_utf16(info.profile_path, "");
    assert_string_equal(info.logon_server, "NTDEV-DC-05");
    assert_string_equal(info.domain_name, "NTDEV");
    assert_int_equal(info.logon_count, 4180);
    assert_int_equal(info.user_id, 2914711);
    assert_int_equal(info.primary_group_id, 513);
    assert_int_equal(info.user_flags, PAC_USER_EXTRA_SIDS);
    assert_int_equal(info.user_account_control, 16);
    assert_true(info.has_domain_sid && !info.has_resource_domain_sid);
    assert_sid(&info.domain_sid, "S-1-5-21-397955417-626881126-188441444");
    assert_int_equal(info.n_groups, COUNT_OF(rids));
    for (size_t i = 0; i < COUNT_OF(rids); i++) {
        assert_int_equal(info.groups[i].rid, rids[i]);
        assert_int_equal(info.groups[i].attributes, 7);
    }
    assert_int_equal(info.n_extra_sids, 1 + COUNT_OF(extra_rids));
    assert_sid(&info.extra_sids[0].sid, "S-1-5-21-773533881-1816936887-355810188-513");
    for (size_t i = 0; i < COUNT_OF(extra_rids); i++) {
        assert_int_equal(info.extra_sids[1 + i].sid.subauthority[4], extra_rids[i]);
        assert_int_equal(info.extra_sids[1 + i].attributes, 0x20000007);
    }
    assert_int_equal(info.n_resource_groups, 0);
    pac_logon_info_release(&info);
    assert_null(info.groups);
}

static void samba_logon_info_is_read(void **state)
{
    struct pac pac;
    const struct pac_logon_info *info = &pac.logon_info;

    (void)state;
    assert_int_equal(pac_decode(slice_of(pac_samba_full, sizeof(pac_samba_full)), &pac), WIRE_OK);
    assert_true(pac.has_logon_info);
    assert_true(info->logon_time == LOGON_TIME && info->logoff_time == INT64_MAX && info->kick_off_time == INT64_MAX);
    assert_true(info->password_last_set == LOGON_TIME - INT64_C(864000000000));
    assert_true(info->password_can_change == LOGON_TIME - 1 && info->password_must_change == INT64_MAX);
    assert_true(info->last_successful_logon == LOGON_TIME - 7 && info->last_failed_logon == 0);
    assert_string_equal(info->user_name, "zoe");
    assert_string_equal(info->domain_name, "EXAMPLE");
    assert_string_equal(info->logon_server, "DC1");
    assert_utf16(info->full_name, "Zo\xc3\xab Gr\xc3\xbcn");
    assert_utf16(info->logon_script, "login.bat");
    assert_utf16(info->profile_path, "");
    assert_utf16(info->home_directory, "\\\\files\\zoe");
    assert_utf16(info->home_directory_drive, "H:");
    assert_int_equal(info->logon_count, 258);
    assert_int_equal(info->bad_password_count, 3);
    assert_int_equal(info->failed_logon_count, 2);
    assert_int_equal(info->user_id, 1105);
    assert_int_equal(info->primary_group_id, 513);
    assert_int_equal(info->user_flags, 0x220);
    assert_int_equal(info->user_account_control, 0x210);
    assert_sid(&info->domain_sid, DOMAIN);
    assert_int_equal(info->n_groups, 3);
    assert_int_equal(info->groups[2].rid, 1110);
    assert_int_equal(info->groups[2].attributes, 15);
    assert_int_equal(info->n_extra_sids, 4);
    assert_sid(&info->extra_sids[0].sid, "S-1-18-1");
    assert_sid(&info->extra_sids[3].sid, DOMAIN "-1112");
    assert_int_equal(info->extra_sids[3].attributes, 0x20000007);
    assert_true(info->has_resource_domain_sid);
    assert_sid(&info->resource_domain_sid, RESOURCE);
    assert_int_equal(info->n_resource_groups, 2);
    assert_int_equal(info->resource_groups[1].rid, 1202);
    pac_release(&pac);
}

static void samba_small_buffers_are_read(void **state)
{
    struct pac pac;

    (void)state;
    assert_int_equal(pac_decode(slice_of(pac_samba_full, sizeof(pac_samba_full)), &pac), WIRE_OK);
    assert_true(pac.has_client_info && pac.has_upn_info && pac.has_requestor && pac.has_attributes);
    assert_true(pac.client_info.auth_time == LOGON_TIME);
    assert_string_equal(pac.client_info.name, "zoe");
    assert_string_equal(pac.upn_info.upn, "zoe@example.com");
    assert_string_equal(pac.upn_info.dns_domain, "EXAMPLE.COM");
    assert_true(pac.upn_info.extended && !pac.upn_info.constructed);
    assert_string_equal(pac.upn_info.sam_name, "zoe");
    assert_sid(&pac.upn_info.sid, DOMAIN "-1105");
    assert_sid(&pac.requestor, DOMAIN "-1105");
    assert_int_equal(pac.attributes, 1);
    assert_true(pac.has_server_checksum && pac.has_kdc_checksum && pac.has_ticket_checksum && pac.has_full_checksum);
    assert_checksum(&pac.server_checksum, 16, 12, 0x61);
    assert_checksum(&pac.kdc_checksum, 0xffffff76, 16, 0x62);
    assert_checksum(&pac.ticket_checksum, 15, 12, 0x63);
    assert_checksum(&pac.full_checksum, 20, 24, 0x64);
    pac_release(&pac);
    assert_false(pac.has_logon_info);
    pac_release(&pac);
    pac_release(NULL);

    assert_int_equal(pac_decode(slice_of(pac_samba_plain, sizeof(pac_samba_plain)), &pac), WIRE_OK);
    assert_true(pac.upn_info.constructed && !pac.upn_info.extended);
    assert_string_equal(pac.upn_info.upn, "WEB1$@example.com");
    assert_null(pac.upn_info.sam_name);
    assert_false(pac.has_requestor || pac.has_attributes || pac.has_ticket_checksum || pac.has_full_checksum);
    assert_false(pac.server_checksum.has_rodc_id);
    assert_true(pac.kdc_checksum.has_rodc_id);
    assert_int_equal(pac.kdc_checksum.rodc_id, 4711);
    assert_checksum(&pac.kdc_checksum, 16, 12, 0x72);
    assert_null(pac.logon_info.extra_sids);
    assert_null(pac.logon_info.resource_groups);
    pac_release(&pac);
}

/* A KDC without a directory names nobody by SID: there is no identity to make. */
static void mit_pac_has_no_identity(void **state)
{
    struct client_identity identity = {.n_groups = 99};
    struct pac pac;

    (void)state;
    assert_int_equal(pac_decode(slice_of(pac_mit_minimal, sizeof(pac_mit_minimal)), &pac), WIRE_OK);
    assert_false(pac.has_logon_info);
    assert_string_equal(pac.client_info.name, "alice");
    assert_true(pac.client_info.auth_time == INT64_C(1700000000) * 10000000 + INT64_C(116444736000000000));
    assert_int_equal(pac.server_checksum.type, 16);
    assert_int_equal(pac.kdc_checksum.checksum.len, 12);
    assert_int_equal(pac_to_identity(&pac, &identity), WIRE_BAD);
    assert_int_equal(identity.n_groups, 99);
    pac_release(&pac);
}

struct expected_group {
    const char *sid;
    uint32_t attributes;
};

static void assert_identity(struct slice bytes, const char *user, const struct expected_group *groups, size_t n_groups)
{
    struct client_identity identity;
    struct pac pac;

    assert_int_equal(pac_decode(bytes, &pac), WIRE_OK);
    assert_int_equal(pac_to_identity(&pac, &identity), WIRE_OK);
    pac_release(&pac);
    assert_sid(&identity.user, user);
    assert_true(identity.uid == -1 && identity.gid == -1 && !identity.anonymous);
    assert_int_equal(identity.n_groups, n_groups);
    for (size_t i = 0; i < n_groups; i++) {
        assert_sid(&identity.groups[i].sid, groups[i].sid);
        assert_int_equal(identity.groups[i].attributes, groups[i].attributes);
        assert_true(identity.groups[i].gid == -1);
    }
    client_identity_release(&identity);
}

static void identities_are_made(void **state)
{
    static const struct expected_group full[] = {
        {DOMAIN "-513", 7},
        {DOMAIN "-512", 7},
        {DOMAIN "-1110", 15},
        {"S-1-18-1", 7},
        {"S-1-5-21-1-2-3-4", 0x20000007},
        {DOMAIN "-1112", 0x20000007},
        {RESOURCE "-1201", 0x20000007},
        {RESOURCE "-1202", 0x20000007},
    };
    static const struct expected_group plain[] = {{DOMAIN "-513", 7},
                                                  {DOMAIN "-515", 7}}; /* the primary group comes first */
    static const struct expected_group rid_zero[] = {{DOMAIN "-513", 7}, {DOMAIN "-514", 7}, {"S-1-5-21-9-8-7-514", 7}};

    (void)state;
    assert_identity(slice_of(pac_samba_full, sizeof(pac_samba_full)), DOMAIN "-1105", full, COUNT_OF(full));
    assert_identity(slice_of(pac_samba_plain, sizeof(pac_samba_plain)), DOMAIN "-1106", plain, COUNT_OF(plain));
    assert_identity(slice_of(pac_samba_rid_zero, sizeof(pac_samba_rid_zero)), "S-1-5-21-9-8-7-501", rid_zero,
                    COUNT_OF(rid_zero));
}

#define DC_DOMAIN "S-1-5-21-2586751152-2361042322-3325026941"

/* From a domain controller's own KDC: the SIDs are those of its directory. */
static void domain_controller_is_understood(void **state)
{
    static const struct expected_group groups[] = {
        {DC_DOMAIN "-513", 7}, {DC_DOMAIN "-1104", 7}, {DC_DOMAIN "-1105", 7}, {DC_DOMAIN "-1106", 7}, {"S-1-18-1", 7},
    };
    struct slice bytes = slice_of(pac_samba_dc, sizeof(pac_samba_dc));
    struct pac pac;

    (void)state;
    assert_identity(bytes, DC_DOMAIN "-1102", groups, COUNT_OF(groups));
    assert_int_equal(pac_decode(bytes, &pac), WIRE_OK);
    assert_string_equal(pac.logon_info.user_name, "zoe");
    assert_string_equal(pac.logon_info.domain_name, "EXAMPLE");
    assert_string_equal(pac.logon_info.logon_server, "DC1");
    assert_utf16(pac.logon_info.full_name, "Zoe Green");
    assert_int_equal(pac.logon_info.user_flags, PAC_USER_EXTRA_SIDS);
    assert_string_equal(pac.client_info.name, "zoe");
    assert_string_equal(pac.upn_info.upn, "zoe@example.test");
    assert_string_equal(pac.upn_info.sam_name, "zoe");
    assert_true(pac.has_server_checksum && pac.has_kdc_checksum && pac.has_ticket_checksum && pac.has_full_checksum);
    assert_int_equal(pac.server_checksum.type, 0xffffff76);
    assert_int_equal(pac.full_checksum.type, 16);
    pac_release(&pac);
}

/* Decodes what the recipe gives and makes the identity; the number of its groups, or -1. */
static int groups_of(const struct logon_recipe *recipe)
{
    AUTO_WRITER struct writer writer = writer_growing(0);
    struct client_identity identity;
    struct pac pac = {.has_logon_info = true};
    int n_groups = -1;

    logon_info_write(&writer, recipe);
    assert_int_equal(writer_finish(&writer), WIRE_OK);
    assert_int_equal(pac_logon_info_decode(writer_slice_of(&writer), &pac.logon_info), WIRE_OK);
    if (pac_to_identity(&pac, &identity) == WIRE_OK) {
        n_groups = (int)identity.n_groups;
        client_identity_release(&identity);
    }
    pac_release(&pac);
    return n_groups;
}

static void recipe_rules(void **state)
{
    static const struct {
        struct logon_recipe recipe;
        int n_groups;
    } cases[] = {
        /* user, primary, flags, groups, extra, resource, attributes, no domain, no resource domain, step */
        {{500, 0, 0x220, 0, 0, 0, 7, false, true, 1}, 0},
        {{500, 513, 0x220, 0, 0, 0, 7, false, true, 1}, 1},  /* the primary group, not listed */
        {{500, 2001, 0x220, 3, 0, 0, 7, false, true, 1}, 3}, /* the primary group, listed */
        {{2000, 0, 0x220, 3, 0, 0, 7, false, true, 1}, 2},   /* the user himself among them */
        {{500, 2000, 0x220, 3, 2, 1, 7, false, false, 1}, 6},
        {{500, 2000, 0x200, 3, 2, 1, 7, false, false, 1}, 4}, /* extra SIDs do not count without their flag */
        {{500, 2000, 0x020, 3, 2, 1, 7, false, false, 1}, 5}, /* nor do resource groups */
        {{500, 2000, 0x220, 9, 9, 9, 7, false, false, 0}, 3}, /* all alike */
        {{0, 2000, 0x220, 3, 2, 1, 7, false, false, 1}, 5},   /* the first extra SID is the user */
        {{0, 2000, 0x200, 3, 2, 1, 7, false, false, 1}, -1},  /* it is not without the flag */
        {{0, 2000, 0x220, 3, 0, 1, 7, false, false, 1}, -1},  /* nor when there is none */
        {{500, 2000, 0x220, 0, 1, 0, 7, true, true, 1}, -1},  /* a RID in no domain */
        {{0, 2000, 0x220, 1, 1, 0, 7, true, true, 1}, -1},
        {{0, 2000, 0x220, 0, 2, 0, 7, true, true, 1}, 1},
        {{500, 2000, 0x220, 1, 0, 1, 7, false, true, 1}, -1}, /* resource groups of no domain */
        {{500, 2000, 0x020, 1, 0, 1, 7, false, true, 1}, 1},  /* not asked for */
        {{500, 2000, 0x220, 1024, 0, 0, 7, false, true, 1}, 1024},
        {{500, 2000, 0x220, 1024, 1, 0, 7, false, true, 1}, -1},
        {{500, 2000, 0x220, 512, 256, 256, 7, false, false, 1}, 1024},
        {{500, 2000, 0x220, 512, 256, 257, 7, false, false, 1}, -1},
        {{500, 2000, 0x220, 1024, 1024, 1024, 7, false, false, 1}, -1},
        {{500, 2000, 0x220, 1024, 1024, 1024, 7, false, false, 0}, 3},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(groups_of(&cases[i].recipe), cases[i].n_groups);
}

/* MS-PAC 2.2.1: undefined bits are ignored; use-for-deny-only stays. */
static void attributes_are_masked(void **state)
{
    AUTO_WRITER struct writer writer = writer_growing(0);
    struct logon_recipe recipe = {
        .user_id = 500, .n_groups = 1, .attributes = 0xffffffff, .no_resource_sid = true, .step = 1};
    struct client_identity identity;
    struct pac pac = {.has_logon_info = true};

    (void)state;
    logon_info_write(&writer, &recipe);
    assert_int_equal(pac_logon_info_decode(writer_slice_of(&writer), &pac.logon_info), WIRE_OK);
    assert_int_equal(pac.logon_info.groups[0].attributes, 0xffffffff);
    assert_int_equal(pac_to_identity(&pac, &identity), WIRE_OK);
    assert_int_equal(identity.groups[0].attributes, 0x2000001f);
    client_identity_release(&identity);
    pac_release(&pac);
}

/* "Dollar ticket" and kin: who is named by several parts must be one and the same. */
static void other_sids_are_refused(void **state)
{
    struct client_identity identity = {.n_groups = 99};
    struct pac pac;

    (void)state;
    assert_int_equal(pac_decode(slice_of(pac_samba_full, sizeof(pac_samba_full)), &pac), WIRE_OK);
    pac.requestor.subauthority[4]++;
    assert_int_equal(pac_to_identity(&pac, &identity), WIRE_BAD);
    pac.has_requestor = false;
    assert_int_equal(pac_to_identity(&pac, &identity), WIRE_OK);
    client_identity_release(&identity);
    identity.n_groups = 99;
    pac.upn_info.sid.subauthority[0]++;
    assert_int_equal(pac_to_identity(&pac, &identity), WIRE_BAD);
    assert_int_equal(identity.n_groups, 99);
    pac.upn_info.extended = false;
    assert_int_equal(pac_to_identity(&pac, &identity), WIRE_OK);
    client_identity_release(&identity);
    pac_release(&pac);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_example_is_read),
        cmocka_unit_test(samba_logon_info_is_read),
        cmocka_unit_test(samba_small_buffers_are_read),
        cmocka_unit_test(mit_pac_has_no_identity),
        cmocka_unit_test(identities_are_made),
        cmocka_unit_test(domain_controller_is_understood),
        cmocka_unit_test(recipe_rules),
        cmocka_unit_test(attributes_are_masked),
        cmocka_unit_test(other_sids_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
