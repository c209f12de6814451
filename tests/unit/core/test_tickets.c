/* build: all */
#include "core/tickets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

static const struct ticket example = {
    .client = {.data = (const uint8_t *)"carol", .len = 5},
    .client_realm = {.data = (const uint8_t *)"EXAMPLE.TEST", .len = 12},
    .server = {.data = (const uint8_t *)"host/server.example.test", .len = 24},
    .server_realm = {.data = (const uint8_t *)"EXAMPLE.TEST", .len = 12},
    .start = 1,
    .end = INT64_MAX,
    .renew_until = -1,
    .enctype = -128,
    .key_enctype = 18,
    .flags = 0x40e10000,
    .key = {.data = (const uint8_t *)"key", .len = 3},
    .encoded = {.data = (const uint8_t *)"\x61\x00", .len = 2},
};

static void test_there_and_back(void **state)
{
    (void)state;
    AUTO_WRITER struct writer writer = writer_growing(16);
    struct ticket read;
    ticket_write(&writer, &example);
    ticket_write(&writer, &(struct ticket){.client = slice_of("", 0)});
    assert_int_equal(writer_finish(&writer), WIRE_OK);
    struct reader reader = reader_of(writer_slice_of(&writer));
    assert_int_equal(ticket_read(&reader, &read), WIRE_OK);
    assert_true(slice_equal(read.client, example.client) && slice_equal(read.client_realm, example.client_realm));
    assert_true(slice_equal(read.server, example.server) && slice_equal(read.server_realm, example.server_realm));
    assert_true(slice_equal(read.key, example.key) && slice_equal(read.encoded, example.encoded));
    assert_true(read.start == 1 && read.end == INT64_MAX && read.renew_until == -1);
    assert_true(read.enctype == -128 && read.key_enctype == 18 && read.flags == 0x40e10000);
    assert_int_equal(ticket_read(&reader, &read), WIRE_OK);
    assert_int_equal(read.client.len + read.server.len + read.key.len + read.encoded.len, 0);
    assert_int_equal(reader_left(&reader), 0);
}

static void test_cut(void **state)
{
    (void)state;
    AUTO_WRITER struct writer writer = writer_growing(16);
    struct ticket read;
    ticket_write(&writer, &example);
    assert_int_equal(writer_finish(&writer), WIRE_OK);
    for (size_t len = 0; len < writer.len; len++) {
        struct reader reader = reader_of(slice_of(writer.data, len));
        assert_int_not_equal(ticket_read(&reader, &read), WIRE_OK);
    }
}

static void test_lengths(void **state)
{
    (void)state;
    AUTO_WRITER struct writer writer = writer_growing(16);
    struct ticket read;
    ticket_write(&writer, &example);
    memset(writer.data, 0xff, 4); /* the client's length */
    struct reader reader = reader_of(writer_slice_of(&writer));
    assert_int_not_equal(ticket_read(&reader, &read), WIRE_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
