/*
 * RFC 4752's messages and what the flags ask for.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sasl/layer.h"
#include <string.h>

static void test_messages(void **state)
{
    static const uint8_t bytes[] = {0x07, 0x12, 0x34, 0x56, 'j', 0xc3, 0xb6};
    struct layer_message message;
    uint8_t room[16];
    (void)state;
    assert_int_equal(layer_message_parse(slice_of(bytes, 4), false, &message), WIRE_OK);
    assert_int_equal(message.layers, 7);
    assert_int_equal(message.max, 0x123456);
    assert_int_equal(message.authzid.len, 0);
    assert_int_equal(layer_message_parse(slice_of(bytes, 7), true, &message), WIRE_OK);
    assert_int_equal(message.authzid.len, 3);
    struct writer writer = writer_fixed(room, sizeof room);
    layer_message_write(&writer, &message);
    assert_int_equal(writer.len, 7);
    assert_memory_equal(room, bytes, 7);
    assert_int_equal(layer_message_parse(slice_of(bytes, 7), false, &message), WIRE_BAD); /* a server names nobody */
    assert_int_equal(layer_message_parse(slice_of(bytes, 6), true, &message), WIRE_BAD);  /* half a letter */
    static const uint8_t ends[] = {0x01, 0xff, 0xff, 0xff, 'j', 0};
    assert_int_equal(layer_message_parse(slice_of(ends, 5), true, &message), WIRE_OK);
    assert_int_equal(message.max, 0xffffff);
    assert_int_equal(layer_message_parse(slice_of(ends, 6), true, &message), WIRE_BAD); /* a NUL */
    for (size_t len = 0; len < 4; len++)
        assert_int_equal(layer_message_parse(slice_of(bytes, len), true, &message), WIRE_SHORT);
}

static void test_flags(void **state)
{
    const ULONG integrity = ASC_RET_INTEGRITY, both = ASC_RET_INTEGRITY | ASC_RET_CONFIDENTIALITY;
    (void)state;
    assert_int_equal(layer_wanted(0), LAYER_NONE);
    assert_int_equal(layer_wanted(ISC_REQ_MUTUAL_AUTH | ISC_REQ_CONNECTION), LAYER_NONE);
    assert_int_equal(layer_wanted(ISC_REQ_INTEGRITY), LAYER_INTEGRITY);
    assert_int_equal(layer_wanted(ISC_REQ_REPLAY_DETECT), LAYER_INTEGRITY);
    assert_int_equal(layer_wanted(ISC_REQ_CONFIDENTIALITY), LAYER_CONFIDENTIALITY);
    assert_int_equal(layers_offered(0, 0), 1);
    assert_int_equal(layers_offered(0, integrity), 3);
    assert_int_equal(layers_offered(0, both), 7);
    assert_int_equal(layers_offered(ASC_REQ_INTEGRITY, both), 6);
    assert_int_equal(layers_offered(ASC_REQ_SEQUENCE_DETECT, both), 6);
    assert_int_equal(layers_offered(ASC_REQ_CONFIDENTIALITY, both), 4);
    assert_int_equal(layers_offered(ASC_REQ_CONFIDENTIALITY, integrity), 0);
    assert_int_equal(layers_offered(ASC_REQ_INTEGRITY, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_messages), cmocka_unit_test(test_flags)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
