#include "wire/client_hello.h"

#define RECORD_HANDSHAKE 22
#define MESSAGE_CLIENT_HELLO 1
#define RANDOM_LEN 32
#define SESSION_ID_MAX 32
#define NAME_HOST 0

/* The heads' lengths, and the first byte of the version in them and in the message. */
static const struct form {
    uint8_t record_head, message_head, major;
    bool datagram;
} forms[CLIENT_HELLO_FORMS] = {
    [CLIENT_HELLO_MESSAGE] = {0, 4, 3, false},
    [CLIENT_HELLO_RECORD] = {5, 4, 3, false},
    [CLIENT_HELLO_DATAGRAM] = {13, 12, 254, true},
};

/* Inside a message that is whole nothing may be missing. */
static enum wire_result whole(enum wire_result result)
{
    return result == WIRE_SHORT ? WIRE_BAD : result;
}

/* `len` bytes, or how many are lacking. */
static enum wire_result take(struct reader *reader, size_t len, struct slice *bytes, size_t *missing)
{
    if (reader_left(reader) < len) {
        *missing = len - reader_left(reader);
        return WIRE_SHORT;
    }
    return reader_bytes(reader, len, bytes);
}

static size_t u24(const uint8_t bytes[3])
{
    return (size_t)bytes[0] << 16 | (size_t)bytes[1] << 8 | bytes[2];
}

/* The handshake message of the only record. */
static enum wire_result record_open(struct reader *reader, const struct form *form, size_t *missing)
{
    struct slice head, content;
    try(take(reader, form->record_head, &head, missing));
    require(head.data[0] == RECORD_HANDSHAKE && head.data[1] == form->major, WIRE_BAD);
    const uint8_t *len = head.data + form->record_head - 2;
    try(take(reader, (size_t)len[0] << 8 | len[1], &content, missing));
    *reader = reader_of(content);
    /* A record that ends within the message: the rest is behind another record's header. */
    require(content.len >= form->message_head, WIRE_BAD);
    require(u24(content.data + 1) <= content.len - form->message_head, WIRE_BAD);
    return WIRE_OK;
}

/* A message's head says how long it is; a datagram's also its number, and which part of it this is: only the whole is read. */
static enum wire_result message_open(struct reader *reader, const struct form *form, struct slice *body,
                                     size_t *missing)
{
    struct slice head;
    try(take(reader, form->message_head, &head, missing));
    size_t len = u24(head.data + 1);
    require(head.data[0] == MESSAGE_CLIENT_HELLO, WIRE_BAD);
    require(!form->datagram || (u24(head.data + 6) == 0 && u24(head.data + 9) == len), WIRE_BAD);
    return take(reader, len, body, missing);
}

/* A vector with a length of one or two bytes. */
static enum wire_result vector(struct reader *reader, bool wide, struct slice *bytes)
{
    uint16_t len = 0;
    uint8_t narrow = 0;
    if (wide)
        try(reader_u16be(reader, &len));
    else
        try(reader_u8(reader, &narrow));
    return reader_bytes(reader, wide ? len : narrow, bytes);
}

static enum wire_result body_read(struct slice body, const struct form *form, struct slice *list)
{
    struct reader reader = reader_of(body);
    struct slice session, cookie, suites, compressions;
    uint8_t major, minor;
    try(reader_u8(&reader, &major));
    try(reader_u8(&reader, &minor));
    require(major == form->major, WIRE_BAD);
    try(reader_skip(&reader, RANDOM_LEN));
    try(vector(&reader, false, &session));
    if (form->datagram)
        try(vector(&reader, false, &cookie));
    try(vector(&reader, true, &suites));
    try(vector(&reader, false, &compressions));
    require(session.len <= SESSION_ID_MAX && suites.len >= 2 && suites.len % 2 == 0 && compressions.len >= 1, WIRE_BAD);
    *list = (struct slice){0};
    if (reader_left(&reader) == 0)
        return WIRE_OK;
    try(vector(&reader, true, list));
    return reader_end(&reader);
}

enum wire_result client_hello_extensions(struct slice bytes, enum client_hello_form form, struct slice *list,
                                         size_t *missing)
{
    struct reader reader = reader_of(bytes);
    struct slice body;
    *missing = 0;
    if (forms[form].record_head > 0)
        try(record_open(&reader, &forms[form], missing));
    try(message_open(&reader, &forms[form], &body, missing));
    return whole(body_read(body, &forms[form], list));
}

enum wire_result client_hello_extension(struct reader *list, uint16_t *type, struct slice *data)
{
    try(whole(reader_u16be(list, type)));
    return whole(vector(list, true, data));
}

enum wire_result client_hello_host(struct slice data, struct slice *host)
{
    struct reader reader = reader_of(data);
    struct slice names;
    try(whole(vector(&reader, true, &names)));
    try(reader_end(&reader));
    reader = reader_of(names);
    while (reader_left(&reader) > 0) {
        uint8_t type;
        try(reader_u8(&reader, &type)); /* there is one */
        try(whole(vector(&reader, true, host)));
        if (type == NAME_HOST)
            return host->len > 0 ? WIRE_OK : WIRE_BAD;
    }
    return WIRE_BAD;
}
