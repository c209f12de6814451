#include "wire/client_hello.h"

#define RECORD_HEAD 5
#define MESSAGE_HEAD 4
#define RECORD_HANDSHAKE 22
#define MESSAGE_CLIENT_HELLO 1
#define RANDOM_LEN 32
#define SESSION_ID_MAX 32
#define NAME_HOST 0

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

/* The handshake message of the only record. */
static enum wire_result record_open(struct reader *reader, size_t *missing)
{
    struct slice head, content;
    uint16_t len;
    try(take(reader, RECORD_HEAD, &head, missing));
    require(head.data[0] == RECORD_HANDSHAKE && head.data[1] == 3, WIRE_BAD);
    len = (uint16_t)(head.data[3] << 8 | head.data[4]);
    try(take(reader, len, &content, missing));
    *reader = reader_of(content);
    /* A record that ends within the message: the rest is behind another record's header. */
    require(content.len >= MESSAGE_HEAD, WIRE_BAD);
    size_t message = (size_t)content.data[1] << 16 | (size_t)content.data[2] << 8 | content.data[3];
    require(message <= content.len - MESSAGE_HEAD, WIRE_BAD);
    return WIRE_OK;
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

static enum wire_result body_read(struct slice body, struct slice *list)
{
    struct reader reader = reader_of(body);
    struct slice session, suites, compressions;
    uint8_t major, minor;
    try(reader_u8(&reader, &major));
    try(reader_u8(&reader, &minor));
    require(major == 3, WIRE_BAD);
    try(reader_skip(&reader, RANDOM_LEN));
    try(vector(&reader, false, &session));
    try(vector(&reader, true, &suites));
    try(vector(&reader, false, &compressions));
    require(session.len <= SESSION_ID_MAX && suites.len >= 2 && suites.len % 2 == 0 && compressions.len >= 1, WIRE_BAD);
    *list = (struct slice){0};
    if (reader_left(&reader) == 0)
        return WIRE_OK;
    try(vector(&reader, true, list));
    return reader_end(&reader);
}

enum wire_result client_hello_extensions(struct slice bytes, bool records, struct slice *list, size_t *missing)
{
    struct reader reader = reader_of(bytes);
    struct slice head, body;
    *missing = 0;
    if (records)
        try(record_open(&reader, missing));
    try(take(&reader, MESSAGE_HEAD, &head, missing));
    require(head.data[0] == MESSAGE_CLIENT_HELLO, WIRE_BAD);
    try(take(&reader, (size_t)head.data[1] << 16 | (size_t)head.data[2] << 8 | head.data[3], &body, missing));
    return whole(body_read(body, list));
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
        try(whole(reader_u8(&reader, &type)));
        try(whole(vector(&reader, true, host)));
        if (type == NAME_HOST)
            return host->len > 0 ? WIRE_OK : WIRE_BAD;
    }
    return WIRE_BAD;
}
