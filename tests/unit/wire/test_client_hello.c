#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/writer.h"
#include "wire/client_hello.h"

#include <string.h>

/* RFC 8446 4.1.2 by hand: one suite, two extensions, server_name first. */
static const uint8_t hello[] = {
    22, 3,  1,    0,    76, /* record */
    1,  0,  0,    72,       /* client hello */
    3,  3,                  /* version */
    1,  2,  3,    4,    5,  6,  7,  8,  9,  10,  11,  12,  13,  14,  15,  16,  17,  18,  19,  20,
    21, 22, 23,   24,   25, 26, 27, 28, 29, 30,  31,  32,  0,                                      /* session id */
    0,  2,  0x13, 0x01,                                                                            /* suites */
    1,  0,                                                                                         /* compression */
    0,  29,                                                                                        /* extensions */
    0,  0,  0,    16,   0,  14, 0,  0,  11, 'a', '.', 'e', 'x', '.', 't', 'e', 's', 't', '.', 'x', /* server_name */
    0,  43, 0,    5,    4,  3,  4,  3,  3, /* supported_versions */
};

/* RFC 6347 4.1, 4.2.2: the same by datagrams, after a HelloVerifyRequest. */
static const uint8_t datagram[] = {
    22,  254, 253,  0,    0,  0,  0,  0,  0,  0,   1,   0,   89, /* record: epoch, number, length */
    1,   0,   0,    77,   0,  1,  0,  0,  0,  0,   0,   77, /* client hello: number, fragment's offset and length */
    254, 253,                                               /* version */
    1,   2,   3,    4,    5,  6,  7,  8,  9,  10,  11,  12,  13,  14,  15,  16,  17,  18,  19,  20,
    21,  22,  23,   24,   25, 26, 27, 28, 29, 30,  31,  32,  0,                                      /* session id */
    3,   'c', 'k',  'e',                                                                             /* cookie */
    0,   2,   0xc0, 0x2b,                                                                            /* suites */
    1,   0,                                                                                          /* compression */
    0,   30,                                                                                         /* extensions */
    0,   0,   0,    16,   0,  14, 0,  0,  11, 'a', '.', 'e', 'x', '.', 't', 'e', 's', 't', '.', 'x', /* server_name */
    0,   13,  0,    6,    0,  4,  4,  3,  4,  1, /* signature_algorithms */
};

static void extensions_are_found(void **state)
{
    struct slice list, data, host;
    size_t missing;
    uint16_t type;
    (void)state;
    assert_int_equal(client_hello_extensions(slice_of(hello, sizeof hello), CLIENT_HELLO_RECORD, &list, &missing),
                     WIRE_OK);
    assert_int_equal(list.len, 29);
    struct reader reader = reader_of(list);
    assert_int_equal(client_hello_extension(&reader, &type, &data), WIRE_OK);
    assert_int_equal(type, CLIENT_HELLO_SERVER_NAME);
    assert_int_equal(client_hello_host(data, &host), WIRE_OK);
    assert_int_equal(host.len, 11);
    assert_memory_equal(host.data, "a.ex.test.x", 11);
    assert_int_equal(client_hello_extension(&reader, &type, &data), WIRE_OK);
    assert_int_equal(type, 43);
    assert_int_equal(reader_left(&reader), 0);
    /* Without the record's header. */
    assert_int_equal(
        client_hello_extensions(slice_of(hello + 5, sizeof hello - 5), CLIENT_HELLO_MESSAGE, &list, &missing), WIRE_OK);
    assert_int_equal(list.len, 29);
    assert_int_equal(
        client_hello_extensions(slice_of(datagram, sizeof datagram), CLIENT_HELLO_DATAGRAM, &list, &missing), WIRE_OK);
    assert_int_equal(list.len, 30);
    assert_ptr_equal(list.data, datagram + sizeof datagram - 30);
}

/* Cut anywhere: more is needed, and never more than there is. */
static void every_cut_is_short(void **state)
{
    struct slice list;
    size_t missing;
    (void)state;
    for (size_t len = 0; len < sizeof hello; len++) {
        assert_int_equal(client_hello_extensions(slice_of(hello, len), CLIENT_HELLO_RECORD, &list, &missing),
                         WIRE_SHORT);
        assert_in_range(missing, 1, sizeof hello - len);
        if (len >= 5)
            assert_int_equal(
                client_hello_extensions(slice_of(hello + 5, len - 5), CLIENT_HELLO_MESSAGE, &list, &missing),
                WIRE_SHORT);
    }
    for (size_t len = 0; len < sizeof datagram; len++) {
        assert_int_equal(client_hello_extensions(slice_of(datagram, len), CLIENT_HELLO_DATAGRAM, &list, &missing),
                         WIRE_SHORT);
        assert_in_range(missing, 1, sizeof datagram - len);
    }
}

static enum wire_result changed(size_t at, uint8_t value)
{
    uint8_t copy[sizeof hello];
    struct slice list;
    size_t missing;
    memcpy(copy, hello, sizeof hello);
    copy[at] = value;
    return client_hello_extensions(slice_of(copy, sizeof copy), CLIENT_HELLO_RECORD, &list, &missing);
}

static void what_is_no_client_hello_is_refused(void **state)
{
    (void)state;
    assert_int_equal(changed(0, 23), WIRE_BAD);  /* data */
    assert_int_equal(changed(1, 2), WIRE_BAD);   /* SSL 2 */
    assert_int_equal(changed(5, 2), WIRE_BAD);   /* a server's */
    assert_int_equal(changed(8, 73), WIRE_BAD);  /* goes on in another record */
    assert_int_equal(changed(9, 2), WIRE_BAD);   /* version */
    assert_int_equal(changed(43, 33), WIRE_BAD); /* a session id that reaches into the suites */
    assert_int_equal(changed(51, 28), WIRE_BAD); /* bytes behind the extensions */
    assert_int_equal(changed(51, 30), WIRE_BAD); /* a list longer than the message */
}

/* Each vector as short and as long as it may be, and beyond, with everything else in its place. */
static void vectors_have_their_bounds(void **state)
{
    static const struct {
        size_t session_len, suites_len, compressions_len, list_len; /* list_len 0: no list at all, 2: an empty one */
        enum wire_result expected;
    } cases[] = {{0, 2, 1, 0, WIRE_OK},   {32, 2, 1, 0, WIRE_OK},  {33, 2, 1, 0, WIRE_BAD}, {32, 0, 1, 2, WIRE_BAD},
                 {32, 1, 1, 2, WIRE_BAD}, {32, 3, 1, 2, WIRE_BAD}, {32, 40, 1, 2, WIRE_OK}, {32, 2, 0, 2, WIRE_BAD},
                 {32, 2, 9, 2, WIRE_OK},  {32, 2, 1, 1, WIRE_BAD}, {32, 2, 1, 2, WIRE_OK},  {32, 2, 1, 9, WIRE_OK}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t room[256];
        struct writer writer = writer_fixed(room, sizeof room);
        struct slice list = {NULL, 77};
        size_t missing;
        writer_bytes(&writer, "\1\0\0\0\3\3", 6);
        writer_zeros(&writer, 32);
        writer_u8(&writer, (uint8_t)cases[i].session_len);
        writer_zeros(&writer, cases[i].session_len);
        writer_u16be(&writer, (uint16_t)cases[i].suites_len);
        writer_zeros(&writer, cases[i].suites_len);
        writer_u8(&writer, (uint8_t)cases[i].compressions_len);
        writer_zeros(&writer, cases[i].compressions_len);
        if (cases[i].list_len == 1)
            writer_u8(&writer, 0);
        else if (cases[i].list_len > 0) {
            writer_u16be(&writer, (uint16_t)(cases[i].list_len - 2));
            writer_zeros(&writer, cases[i].list_len - 2);
        }
        assert_int_equal(writer_finish(&writer), WIRE_OK);
        room[3] = (uint8_t)(writer.len - 4);
        assert_int_equal(client_hello_extensions(slice_of(room, writer.len), CLIENT_HELLO_MESSAGE, &list, &missing),
                         cases[i].expected);
        if (cases[i].expected == WIRE_OK)
            assert_int_equal(list.len, cases[i].list_len > 2 ? cases[i].list_len - 2 : 0);
    }
}

static void extensions_that_are_cut(void **state)
{
    static const uint8_t extension[] = {0, 16, 0, 3, 'a', 'b', 'c'};
    struct slice data;
    uint16_t type;
    (void)state;
    for (size_t len = 0; len <= sizeof extension; len++) {
        struct reader reader = reader_of(slice_of(extension, len));
        assert_int_equal(client_hello_extension(&reader, &type, &data), len < sizeof extension ? WIRE_BAD : WIRE_OK);
    }
    assert_int_equal(type, 16);
    assert_int_equal(data.len, 3);
}

static enum wire_result datagram_changed(size_t at, uint8_t value)
{
    uint8_t copy[sizeof datagram];
    struct slice list;
    size_t missing;
    memcpy(copy, datagram, sizeof datagram);
    copy[at] = value;
    return client_hello_extensions(slice_of(copy, sizeof copy), CLIENT_HELLO_DATAGRAM, &list, &missing);
}

static void datagrams_that_are_no_client_hello(void **state)
{
    struct slice list;
    size_t missing;
    (void)state;
    assert_int_equal(datagram_changed(0, 23), WIRE_BAD);
    assert_int_equal(datagram_changed(1, 3), WIRE_BAD);   /* TLS */
    assert_int_equal(datagram_changed(13, 3), WIRE_BAD);  /* HelloVerifyRequest */
    assert_int_equal(datagram_changed(16, 78), WIRE_BAD); /* goes on in another record */
    assert_int_equal(datagram_changed(21, 1), WIRE_BAD);  /* a later piece */
    assert_int_equal(datagram_changed(24, 76), WIRE_BAD); /* a first piece */
    assert_int_equal(datagram_changed(25, 3), WIRE_BAD);  /* version */
    assert_int_equal(datagram_changed(60, 4), WIRE_BAD);  /* a cookie that reaches into the suites */
    assert_int_equal(client_hello_extensions(slice_of(hello, sizeof hello), CLIENT_HELLO_DATAGRAM, &list, &missing),
                     WIRE_BAD);
    assert_int_equal(client_hello_extensions(slice_of(datagram, sizeof datagram), CLIENT_HELLO_RECORD, &list, &missing),
                     WIRE_BAD);
}

static void names_that_are_none(void **state)
{
    static const uint8_t empty[] = {0, 3, 0, 0, 0}, other[] = {0, 4, 7, 0, 1, 'x'},
                         behind[] = {0, 4, 0, 0, 1, 'x', 'y'}, cut[] = {0, 4, 0, 0, 2, 'x'};
    struct slice host;
    (void)state;
    assert_int_equal(client_hello_host(slice_of(empty, sizeof empty), &host), WIRE_BAD);
    assert_int_equal(client_hello_host(slice_of(other, sizeof other), &host), WIRE_BAD);
    assert_int_equal(client_hello_host(slice_of(behind, sizeof behind), &host), WIRE_BAD);
    assert_int_equal(client_hello_host(slice_of(cut, sizeof cut), &host), WIRE_BAD);
    assert_int_equal(client_hello_host((struct slice){0}, &host), WIRE_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extensions_are_found),
        cmocka_unit_test(every_cut_is_short),
        cmocka_unit_test(what_is_no_client_hello_is_refused),
        cmocka_unit_test(vectors_have_their_bounds),
        cmocka_unit_test(extensions_that_are_cut),
        cmocka_unit_test(datagrams_that_are_no_client_hello),
        cmocka_unit_test(names_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
