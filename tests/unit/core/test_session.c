/*
 * The session record (docs/session-record.md), with a package of this test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "core/cause.h"
#include "core/registry.h"
#include "core/session.h"
#include <stdlib.h>
#include <string.h>

static int n_open;

static SECURITY_STATUS test_open(struct slice own, uint32_t flags, bool initiator, void **state)
{
    (void)flags, (void)initiator;
    if (own.len == 5 && memcmp(own.data, "wrong", 5) == 0)
        return SEC_E_INVALID_TOKEN;
    *state = mem_dup(own.data, own.len);
    n_open++;
    return SEC_E_OK;
}

static void test_close(void *state)
{
    mem_free(state);
    n_open--;
}

static SECURITY_STATUS test_save(const void *state, struct writer *own)
{
    writer_slice(own, slice_of_text(state));
    return SEC_E_OK;
}

static const struct package_authority no_authority;
static const struct package_session session_table = {.open = test_open, .close = test_close, .save = test_save};
static const struct package test_package = {
    .info = {.name = "Test", .comment = "A test", .max_token = 1000},
    .authority = &no_authority,
    .session = &session_table,
};

static const struct session_facts all_facts = {
    .initiator = true,
    .flags = 0x12345678,
    .start = 0x0102030405060708,
    .expiry = INT64_MAX,
    .client = "EXAMPLE\\alice",
    .server = "SERVER",
    .target = "host/\xc3\xa4",
    .authority = "EXAMPLE",
    .session_key = {(const uint8_t *)"0123456789abcdef", 16},
    .identity = {(const uint8_t *)"identity", 8},
    .has_logon = true,
    .user_flags = 0x80000920,
    .logoff = 0x0807060504030201,
};

static void record_make(struct writer *record, const struct session_facts *facts, const char *own)
{
    assert_int_equal(session_record_write(record, &test_package, facts, slice_of_text(own)), SEC_E_OK);
}

/* Opens a copy of exactly the record's size, which is gone when this returns. */
static SECURITY_STATUS open_copy(struct slice record, struct session **session)
{
    uint8_t *copy = malloc(record.len > 0 ? record.len : 1);
    assert_non_null(copy);
    if (record.len > 0)
        memcpy(copy, record.data, record.len);
    cause_clear();
    SECURITY_STATUS status = session_open(slice_of(copy, record.len), session);
    free(copy);
    return status;
}

static void test_round_trip(void **state)
{
    AUTO_WRITER struct writer record = writer_growing(256), again = writer_growing(256);
    struct session *session = NULL;
    (void)state;
    record_make(&record, &all_facts, "own part");
    assert_int_equal(open_copy(writer_slice_of(&record), &session), SEC_E_OK);
    const struct session_facts *facts = &session->facts;
    assert_ptr_equal(session->package, &test_package);
    assert_true(facts->initiator && facts->flags == all_facts.flags);
    assert_true(facts->start == all_facts.start && facts->expiry == all_facts.expiry);
    assert_string_equal(facts->client, all_facts.client);
    assert_string_equal(facts->server, all_facts.server);
    assert_string_equal(facts->target, all_facts.target);
    assert_string_equal(facts->authority, all_facts.authority);
    assert_true(slice_equal(facts->session_key, all_facts.session_key));
    assert_true(slice_equal(facts->identity, all_facts.identity));
    assert_true(facts->has_logon && facts->user_flags == all_facts.user_flags && facts->logoff == all_facts.logoff);
    assert_string_equal(session->state, "own part");
    assert_int_equal(session_save(session, &again), SEC_E_OK);
    assert_true(slice_equal(writer_slice_of(&record), writer_slice_of(&again)));
    session_close(session);
    session_close(NULL);
    assert_int_equal(n_open, 0);
}

static void test_absent_facts(void **state)
{
    AUTO_WRITER struct writer record = writer_growing(256);
    struct session *session = NULL;
    (void)state;
    record_make(&record, &(struct session_facts){.session_key = slice_of("", 0)}, "");
    assert_int_equal(open_copy(writer_slice_of(&record), &session), SEC_E_OK);
    assert_false(session->facts.initiator);
    assert_false(session->facts.has_logon);
    assert_true(session->facts.client == NULL && session->facts.target == NULL && session->facts.authority == NULL);
    session_close(session);
}

/* Where each field begins: 6 bytes of tag and length in front of it, 6 bytes of magic and version before all. */
static size_t field_at(struct slice record, uint16_t tag)
{
    size_t at = 6;
    while (at + 6 <= record.len && (record.data[at] | record.data[at + 1] << 8) != tag)
        at += 6u + (size_t)(record.data[at + 2] | record.data[at + 3] << 8);
    assert_true(at < record.len);
    return at;
}

/* User flags without a time, a time without flags, either of another size. */
static void test_half_a_logon(void **state)
{
    static const uint16_t tags[] = {15, 16};
    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (int how = 0; how < 2; how++) {
            AUTO_WRITER struct writer record = writer_growing(256), altered = writer_growing(256);
            struct session *session = NULL;
            record_make(&record, &all_facts, "");
            size_t at = field_at(writer_slice_of(&record), tags[i]), len = tags[i] == 15 ? 4 : 8;
            writer_bytes(&altered, record.data, at);
            if (how == 1) { /* a byte less */
                writer_u16le(&altered, tags[i]);
                writer_u32le(&altered, (uint32_t)len - 1);
                writer_zeros(&altered, len - 1);
            }
            writer_bytes(&altered, record.data + at + 6 + len, record.len - at - 6 - len);
            assert_int_equal(open_copy(writer_slice_of(&altered), &session), SEC_E_INVALID_TOKEN);
        }
}

static void test_unknown_field_is_skipped(void **state)
{
    AUTO_WRITER struct writer record = writer_growing(256);
    struct session *session = NULL;
    (void)state;
    record_make(&record, &all_facts, "own part");
    size_t len = record.len;
    for (unsigned i = 0; i < 50; i++) {
        writer_u16le(&record, (uint16_t)(100 + i));
        writer_u32le(&record, 5);
        writer_bytes(&record, "later", 5);
    }
    assert_int_equal(open_copy(writer_slice_of(&record), &session), SEC_E_OK);
    assert_string_equal(session->state, "own part");
    session_close(session);
    writer_u16le(&record, 200); /* more fields than a record may have */
    writer_u32le(&record, 0);
    assert_int_equal(open_copy(writer_slice_of(&record), &session), SEC_E_INVALID_TOKEN);
    record.len = len;
    writer_u16le(&record, 0); /* no tag */
    writer_u32le(&record, 0);
    assert_int_equal(open_copy(writer_slice_of(&record), &session), SEC_E_INVALID_TOKEN);
}

static void test_missing_and_double_fields(void **state)
{
    AUTO_WRITER struct writer record = writer_growing(256);
    struct session *session;
    (void)state;
    record_make(&record, &all_facts, "own part");
    struct slice whole = writer_slice_of(&record);
    for (uint16_t tag = 1; tag <= 12; tag++) {
        AUTO_WRITER struct writer other = writer_growing(256);
        size_t at = field_at(whole, tag), len = 6u + (size_t)(whole.data[at + 2] | whole.data[at + 3] << 8);
        bool optional = (tag >= 6 && tag <= 9) || tag == 11;
        writer_bytes(&other, whole.data, at);
        writer_bytes(&other, whole.data + at + len, whole.len - at - len);
        SECURITY_STATUS status = open_copy(writer_slice_of(&other), &session);
        assert_int_equal(status, optional ? SEC_E_OK : SEC_E_INVALID_TOKEN);
        if (status == SEC_E_OK)
            session_close(session);
        other.len = 0;
        writer_slice(&other, whole);
        writer_bytes(&other, whole.data + at, len);
        assert_int_equal(open_copy(writer_slice_of(&other), &session), SEC_E_INVALID_TOKEN);
    }
    assert_int_equal(n_open, 0);
}

static void test_truncated_and_flipped(void **state)
{
    AUTO_WRITER struct writer record = writer_growing(256);
    struct session *session;
    (void)state;
    record_make(&record, &all_facts, "own part");
    for (size_t len = 0; len < record.len; len++)
        assert_int_equal(open_copy(slice_of(record.data, len), &session), SEC_E_INVALID_TOKEN);
    for (size_t bit = 0; bit < 8 * record.len; bit++) {
        record.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (open_copy(writer_slice_of(&record), &session) == SEC_E_OK) {
            AUTO_WRITER struct writer again = writer_growing(256);
            assert_int_equal(session_save(session, &again), SEC_E_OK);
            session_close(session);
        } else
            assert_string_not_equal(cause_text(), "");
        record.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(n_open, 0);
}

static void test_refused(void **state)
{
    static const struct package stranger = {.info = {.name = "Stranger"}};
    AUTO_WRITER struct writer record = writer_growing(256), other = writer_growing(256);
    struct session *session = NULL;
    (void)state;
    record_make(&record, &all_facts, "wrong");
    assert_int_equal(open_copy(writer_slice_of(&record), &session), SEC_E_INVALID_TOKEN); /* the package's own answer */
    assert_int_equal(session_record_write(&other, &stranger, &all_facts, slice_of("", 0)), SEC_E_OK);
    assert_int_equal(open_copy(writer_slice_of(&other), &session), SEC_E_SECPKG_NOT_FOUND);
    assert_non_null(strstr(cause_text(), "Stranger"));
    other.len = 0;
    record_make(&other, &all_facts, "own part");
    writer_u16le(&other, 300);
    writer_u32le(&other, (uint32_t)(SESSION_RECORD_MAX - other.len - 4));
    writer_zeros(&other, SESSION_RECORD_MAX - other.len);
    assert_int_equal(open_copy(writer_slice_of(&other), &session), SEC_E_OK);
    session_close(session);
    session = NULL;
    writer_u8(&other, 0);
    assert_int_equal(open_copy(writer_slice_of(&other), &session), SEC_E_INVALID_TOKEN);
    assert_null(session);
}

static void test_query(void **state)
{
    AUTO_WRITER struct writer record = writer_growing(256);
    struct session *session = NULL;
    struct attribute value;
    (void)state;
    record_make(&record, &all_facts, "own part");
    assert_int_equal(open_copy(writer_slice_of(&record), &session), SEC_E_OK);
    assert_int_equal(session_query(session, SECPKG_ATTR_NAMES, &value), SEC_E_OK);
    assert_string_equal(value.names.text, all_facts.client);
    assert_int_equal(session_query(session, SECPKG_ATTR_NATIVE_NAMES, &value), SEC_E_OK);
    assert_string_equal(value.names.second, all_facts.server);
    assert_int_equal(session_query(session, SECPKG_ATTR_SESSION_KEY, &value), SEC_E_OK);
    assert_true(slice_equal(value.bytes, all_facts.session_key));
    assert_int_equal(session_query(session, SECPKG_ATTR_FLAGS, &value), SEC_E_OK);
    assert_int_equal(value.number, all_facts.flags);
    assert_int_equal(session_query(session, SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, &value), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(session_query(session, SECPKG_ATTR_SIZES, &value), SEC_E_UNSUPPORTED_FUNCTION);
    session_close(session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_absent_facts),
        cmocka_unit_test(test_half_a_logon),
        cmocka_unit_test(test_unknown_field_is_skipped),
        cmocka_unit_test(test_missing_and_double_fields),
        cmocka_unit_test(test_truncated_and_flipped),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_query),
    };
    if (registry_add(&test_package) != SEC_E_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
