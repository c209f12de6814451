/* The codec of lsa/protocol.h. */
#include "base/memory.h"
#include "lsa/protocol.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

static struct slice body_of(const struct writer *frame)
{
    return slice_of(frame->data + LSA_HEAD_LEN, frame->len - LSA_HEAD_LEN);
}

static void acquire_write(struct writer *frame)
{
    lsa_head_write(frame, LSA_ACQUIRE, false, 9);
    lsa_text_write(frame, LSA_PACKAGE, "NTLM");
    lsa_number_write(frame, LSA_USE, 2);
    lsa_number_write(frame, LSA_IDENTITY, LSA_HAS_PASSWORD);
    lsa_bytes_write(frame, LSA_PASSWORD, slice_of("", 0));
}

static void test_round_trip(void **state)
{
    (void)state;
    AUTO_WRITER struct writer frame = writer_growing(64);
    struct lsa_message message;
    struct lsa_head head;
    acquire_write(&frame);
    assert_int_equal(lsa_body_end(&frame), WIRE_OK);
    struct reader reader = reader_of(writer_slice_of(&frame));
    assert_int_equal(lsa_head_read(&reader, &head), WIRE_OK);
    assert_int_equal(head.version, LSA_PROTOCOL_VERSION);
    assert_int_equal(head.operation, LSA_ACQUIRE);
    assert_int_equal(head.sequence, 9);
    assert_false(head.reply);
    assert_int_equal(head.body_len, reader_left(&reader));
    assert_int_equal(lsa_body_read(reader_rest(&reader), LSA_ACQUIRE, false, &message), WIRE_OK);
    assert_string_equal(lsa_text(&message, LSA_PACKAGE), "NTLM");
    assert_int_equal(lsa_number(&message, LSA_USE), 2);
    assert_true(lsa_has(&message, LSA_PASSWORD)); /* empty is not absent */
    assert_int_equal(message.field[LSA_PASSWORD].len, 0);
    assert_false(lsa_has(&message, LSA_PROOF));
    assert_null(lsa_text(&message, LSA_USER));
    assert_int_equal(lsa_number(&message, LSA_FLAGS), 0);
}

/* Every cut of a good body is refused or reads as fields that were whole: none is half read. */
static void test_cuts(void **state)
{
    (void)state;
    AUTO_WRITER struct writer frame = writer_growing(64);
    struct lsa_message message;
    acquire_write(&frame);
    struct slice body = body_of(&frame);
    for (size_t len = 0; len < body.len; len++) {
        enum wire_result result = lsa_body_read(slice_of(body.data, len), LSA_ACQUIRE, false, &message);
        bool whole = len == 6 + 5 + 14 || len == 6 + 5 + 14 + 14; /* package and use; and the identity's bits */
        assert_int_equal(result, whole ? WIRE_OK : WIRE_BAD);
    }
    for (size_t len = 0; len < LSA_HEAD_LEN; len++) {
        struct reader reader = reader_of(slice_of(frame.data, len));
        struct lsa_head head;
        assert_int_equal(lsa_head_read(&reader, &head), WIRE_SHORT);
        assert_int_equal(reader_left(&reader), len);
    }
}

static enum wire_result with_more(enum lsa_field field, struct slice bytes)
{
    AUTO_WRITER struct writer frame = writer_growing(64);
    struct lsa_message message;
    acquire_write(&frame);
    lsa_bytes_write(&frame, field, bytes);
    return lsa_body_read(body_of(&frame), LSA_ACQUIRE, false, &message);
}

static void test_refused(void **state)
{
    (void)state;
    struct lsa_message message = {0};
    assert_int_equal(with_more(LSA_USER, slice_of("bob", 4)), WIRE_OK);
    assert_int_equal(with_more(LSA_USER, slice_of("bob", 3)), WIRE_BAD);      /* no NUL */
    assert_int_equal(with_more(LSA_USER, slice_of("b\0b", 4)), WIRE_BAD);     /* one too many */
    assert_int_equal(with_more(LSA_USER, slice_of("\xff\xfe", 3)), WIRE_BAD); /* not UTF-8 */
    assert_int_equal(with_more(LSA_USER, slice_of("", 0)), WIRE_BAD);         /* no text at all */
    assert_int_equal(with_more(LSA_USE, slice_of("12345678", 8)), WIRE_BAD);  /* a second time */
    assert_int_equal(with_more(LSA_LOGON_SESSION, slice_of("1234", 4)), WIRE_BAD);
    assert_int_equal(with_more(LSA_RECORD, slice_of("1234", 4)), WIRE_BAD); /* not in this message */
    assert_int_equal(with_more((enum lsa_field)0, slice_of("1234", 4)), WIRE_BAD);
    assert_int_equal(with_more((enum lsa_field)1000, slice_of("1234", 4)), WIRE_OK); /* of a later version */
    assert_int_equal(lsa_body_read(slice_of("", 0), (enum lsa_operation)0, false, &message), WIRE_BAD);
    assert_int_equal(lsa_body_read(slice_of("", 0), LSA_OPERATIONS, false, &message), WIRE_BAD);
    assert_int_equal(lsa_body_read(slice_of("", 0), LSA_LOGOFF, false, &message), WIRE_BAD);
    assert_int_equal(lsa_body_read(slice_of("", 0), LSA_HELLO, false, &message), WIRE_OK);
}

static void test_head_refused(void **state)
{
    (void)state;
    uint8_t head_bytes[LSA_HEAD_LEN] = {0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0};
    struct lsa_head head;
    struct reader reader = reader_of(slice_of(head_bytes, sizeof head_bytes));
    assert_int_equal(lsa_head_read(&reader, &head), WIRE_OK);
    head_bytes[7] = 1; /* a reserved bit */
    reader = reader_of(slice_of(head_bytes, sizeof head_bytes));
    assert_int_equal(lsa_head_read(&reader, &head), WIRE_BAD);
    head_bytes[7] = 0;
    head_bytes[2] = 8; /* 512 KiB, the limit */
    reader = reader_of(slice_of(head_bytes, sizeof head_bytes));
    assert_int_equal(lsa_head_read(&reader, &head), WIRE_OK);
    head_bytes[0] = 1;
    reader = reader_of(slice_of(head_bytes, sizeof head_bytes));
    assert_int_equal(lsa_head_read(&reader, &head), WIRE_BAD);
}

static void test_replies(void **state)
{
    (void)state;
    struct lsa_message message;
    AUTO_WRITER struct writer failed = writer_growing(64), bare = writer_growing(64), status = writer_growing(64);
    lsa_head_write(&failed, LSA_STEP, true, 1);
    lsa_number_write(&failed, LSA_STATUS, 0x8009030cu);
    lsa_bytes_write(&failed, LSA_TOKEN, slice_of("words", 5)); /* for the peer */
    assert_int_equal(lsa_body_read(body_of(&failed), LSA_STEP, true, &message), WIRE_OK);
    lsa_head_write(&bare, LSA_STEP, true, 1);
    lsa_number_write(&bare, LSA_STATUS, 0);
    assert_int_equal(lsa_body_read(body_of(&bare), LSA_STEP, true, &message), WIRE_BAD); /* success says what of */
    lsa_head_write(&status, LSA_LOGOFF, true, 1);
    assert_int_equal(lsa_body_read(body_of(&status), LSA_LOGOFF, true, &message), WIRE_BAD); /* no status */
}

static void test_too_long(void **state)
{
    (void)state;
    AUTO_WRITER struct writer frame = writer_growing(64);
    lsa_head_write(&frame, LSA_SET_CREDENTIAL, false, 1);
    AUTO_FREE uint8_t *large = mem_zalloc(LSA_BODY_MAX);
    assert_non_null(large);
    lsa_bytes_write(&frame, LSA_VALUE, slice_of(large, LSA_BODY_MAX));
    assert_int_equal(lsa_body_end(&frame), WIRE_BAD);
}

/* Failing each allocation in turn: an error, never half a frame. */
static void test_memory(void **state)
{
    (void)state;
    for (unsigned long nth = 1; nth < 20; nth++) {
        AUTO_WRITER struct writer frame = writer_growing(16);
        mem_fault_set(nth, false);
        acquire_write(&frame);
        enum wire_result result = lsa_body_end(&frame);
        bool struck = mem_fault_count() >= nth;
        mem_fault_set(0, false);
        assert_int_equal(result, struck ? WIRE_BAD : WIRE_OK);
        if (!struck)
            return;
    }
    fail_msg("the sweep does not end");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_cuts),    cmocka_unit_test(test_refused),
        cmocka_unit_test(test_head_refused), cmocka_unit_test(test_replies), cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
