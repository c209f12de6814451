#include "kerberos/user_to_user.h"

#include "kerberos/ap.h"
#include "wire/der.h"

#define PVNO 5
#define TGT_REQUEST_TYPE 16
#define TGT_REPLY_TYPE 17

static enum wire_result integer_expect(struct reader *fields, uint8_t tag, int64_t wanted)
{
    struct slice content;
    int64_t value;
    require(der_read(fields, tag, &content) == WIRE_OK, WIRE_BAD);
    struct reader field = reader_of(content);
    require(der_read_integer(&field, DER_INTEGER, &value) == WIRE_OK && reader_end(&field) == WIRE_OK, WIRE_BAD);
    return value == wanted ? WIRE_OK : WIRE_BAD;
}

/* SEQUENCE { pvno [0], msg-type [1], ... }, and nothing behind it. */
static enum wire_result head_read(struct slice message, int64_t type, struct reader *fields)
{
    struct reader whole = reader_of(message);
    struct slice body;
    require(der_read(&whole, DER_SEQUENCE, &body) == WIRE_OK && reader_end(&whole) == WIRE_OK, WIRE_BAD);
    *fields = reader_of(body);
    try(integer_expect(fields, DER_CONTEXT(0), PVNO));
    return integer_expect(fields, DER_CONTEXT(1), type);
}

static void integer_write(struct writer *writer, uint8_t tag, int64_t value)
{
    struct der_mark field = der_begin(writer, tag);
    der_write_integer(writer, DER_INTEGER, value);
    der_end(writer, field);
}

static struct der_mark head_write(struct writer *writer, int64_t type)
{
    struct der_mark body = der_begin(writer, DER_SEQUENCE);
    integer_write(writer, DER_CONTEXT(0), PVNO);
    integer_write(writer, DER_CONTEXT(1), type);
    return body;
}

enum wire_result krb_tgt_request_parse(struct slice message, struct krb_tgt_request *request)
{
    struct reader fields, field;
    struct slice content;
    struct krb_tgt_request parsed = {0};
    try(head_read(message, TGT_REQUEST_TYPE, &fields));
    require(der_read_optional(&fields, DER_CONTEXT(2), &content, &parsed.has_server) == WIRE_OK, WIRE_BAD);
    if (parsed.has_server) {
        field = reader_of(content);
        require(krb_name_read(&field, &parsed.server) == WIRE_OK && reader_end(&field) == WIRE_OK, WIRE_BAD);
    }
    require(der_read_optional(&fields, DER_CONTEXT(3), &content, &parsed.has_realm) == WIRE_OK, WIRE_BAD);
    if (parsed.has_realm) {
        field = reader_of(content);
        require(krb_realm_read(&field, &parsed.server.realm) == WIRE_OK && reader_end(&field) == WIRE_OK, WIRE_BAD);
    }
    try(reader_end(&fields));
    *request = parsed;
    return WIRE_OK;
}

void krb_tgt_request_write(struct writer *writer, const struct krb_tgt_request *request)
{
    struct der_mark body = head_write(writer, TGT_REQUEST_TYPE), field;
    if (request->has_server) {
        field = der_begin(writer, DER_CONTEXT(2));
        krb_name_write(writer, &request->server);
        der_end(writer, field);
    }
    if (request->has_realm) {
        field = der_begin(writer, DER_CONTEXT(3));
        krb_realm_write(writer, request->server.realm);
        der_end(writer, field);
    }
    der_end(writer, body);
}

enum wire_result krb_tgt_reply_parse(struct slice message, struct slice *ticket)
{
    struct reader fields;
    struct slice content;
    struct krb_ticket parsed;
    try(head_read(message, TGT_REPLY_TYPE, &fields));
    require(der_read(&fields, DER_CONTEXT(2), &content) == WIRE_OK && reader_end(&fields) == WIRE_OK, WIRE_BAD);
    try(krb_ticket_parse(content, &parsed));
    *ticket = content;
    return WIRE_OK;
}

void krb_tgt_reply_write(struct writer *writer, struct slice ticket)
{
    struct der_mark body = head_write(writer, TGT_REPLY_TYPE), field = der_begin(writer, DER_CONTEXT(2));
    writer_slice(writer, ticket);
    der_end(writer, field);
    der_end(writer, body);
}
