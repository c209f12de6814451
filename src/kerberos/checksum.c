#include "kerberos/checksum.h"

#include "wire/der.h"

#define BINDINGS_LEN 16
#define DELEGATION_OPTION 1

void gss_checksum_write(struct writer *writer, const struct gss_checksum *checksum)
{
    bool delegates = checksum->credential.data != NULL;
    writer_u32le(writer, BINDINGS_LEN);
    writer_bytes(writer, checksum->bindings, BINDINGS_LEN);
    writer_u32le(writer, checksum->flags);
    if (!delegates)
        return;
    writer_u16le(writer, DELEGATION_OPTION);
    writer_u16le(writer, (uint16_t)checksum->credential.len);
    writer_slice(writer, checksum->credential);
    if (checksum->credential.len > UINT16_MAX)
        writer->failed = true;
}

enum wire_result gss_checksum_parse(struct slice bytes, struct gss_checksum *checksum)
{
    struct reader reader = reader_of(bytes);
    struct gss_checksum parsed = {0};
    uint32_t len;
    try(reader_u32le(&reader, &len));
    require(len == BINDINGS_LEN, WIRE_BAD);
    try(reader_copy(&reader, parsed.bindings, sizeof parsed.bindings));
    try(reader_u32le(&reader, &parsed.flags));
    if ((parsed.flags & GSS_DELEG) != 0 && reader_left(&reader) > 0) {
        uint16_t option, credential_len;
        try(reader_u16le(&reader, &option));
        try(reader_u16le(&reader, &credential_len));
        require(option == DELEGATION_OPTION, WIRE_BAD);
        try(reader_bytes(&reader, credential_len, &parsed.credential));
    }
    *checksum = parsed;
    return WIRE_OK;
}

const uint8_t krb_oid[KRB_OID_LEN] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02};
const uint8_t krb_oid_ms[KRB_OID_LEN] = {0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 0x01, 0x02, 0x02};
static const uint8_t oid_user[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x03};

void krb_token_write(struct writer *writer, enum krb_framing framing, enum krb_token id, struct slice message)
{
    if (framing == KRB_RAW) {
        writer_slice(writer, message);
        return;
    }
    const struct slice mech =
        framing == KRB_USER ? slice_of(oid_user, sizeof oid_user) : slice_of(krb_oid, sizeof krb_oid);
    gss_frame_begin(writer, mech, 2 + message.len);
    writer_u16be(writer, (uint16_t)id);
    writer_slice(writer, message);
}

/* Application tags of RFC 4120: 14 AP-REQ, 15 AP-REP, 30 KRB-ERROR. */
static enum wire_result raw_id(struct slice message, enum krb_token *id)
{
    require(message.len > 0, WIRE_BAD);
    switch (message.data[0]) {
    case DER_APPLICATION(14):
        *id = TOKEN_AP_REQ;
        return WIRE_OK;
    case DER_APPLICATION(15):
        *id = TOKEN_AP_REP;
        return WIRE_OK;
    case DER_APPLICATION(30):
        *id = TOKEN_ERROR;
        return WIRE_OK;
    default:
        return WIRE_BAD;
    }
}

/* The message's head, before anybody else looks at it: pvno 5 and the msg-type of its tag (RFC 4120 5.10). */
static enum wire_result head_check(struct slice message)
{
    struct reader reader = reader_of(message);
    struct slice body, field;
    uint8_t tag;
    int64_t version, type;
    require(der_read_any(&reader, &tag, &body) == WIRE_OK, WIRE_BAD);
    reader = reader_of(body);
    require(der_read(&reader, DER_SEQUENCE, &body) == WIRE_OK, WIRE_BAD);
    struct reader fields = reader_of(body);
    require(der_read(&fields, DER_CONTEXT(0), &field) == WIRE_OK, WIRE_BAD);
    reader = reader_of(field);
    require(der_read_integer(&reader, DER_INTEGER, &version) == WIRE_OK && version == 5, WIRE_BAD);
    require(der_read(&fields, DER_CONTEXT(1), &field) == WIRE_OK, WIRE_BAD);
    reader = reader_of(field);
    require(der_read_integer(&reader, DER_INTEGER, &type) == WIRE_OK && type == tag - DER_APPLICATION(0), WIRE_BAD);
    return WIRE_OK;
}

static enum wire_result mech_read(struct slice mech, enum krb_framing *framing)
{
    bool user = slice_equal(mech, slice_of(oid_user, sizeof oid_user));
    require(user || slice_equal(mech, slice_of(krb_oid, sizeof krb_oid)) ||
                slice_equal(mech, slice_of(krb_oid_ms, sizeof krb_oid_ms)),
            WIRE_BAD);
    *framing = user ? KRB_USER : KRB_FRAMED;
    return WIRE_OK;
}

static enum wire_result frame_parse(struct slice token, enum krb_token *id, struct slice *message,
                                    enum krb_framing *framing)
{
    struct slice mech, inner;
    uint16_t number;
    enum krb_token inside;
    require(gss_frame_read(token, &mech, &inner) == WIRE_OK, WIRE_BAD);
    try(mech_read(mech, framing));
    struct reader reader = reader_of(inner);
    require(reader_u16be(&reader, &number) == WIRE_OK, WIRE_BAD);
    *message = reader_rest(&reader);
    *id = (enum krb_token)number;
    if (number == TOKEN_TGT_REQ || number == TOKEN_TGT_REP)
        return WIRE_OK; /* these have no tag of their own: their parsers look at the head */
    require(raw_id(*message, &inside) == WIRE_OK && inside == *id, WIRE_BAD);
    return head_check(*message);
}

enum wire_result krb_token_parse(struct slice token, enum krb_token *id, struct slice *message,
                                 enum krb_framing *framing)
{
    if (token.len > 0 && token.data[0] == DER_APPLICATION(0))
        return frame_parse(token, id, message, framing);
    *framing = KRB_RAW;
    require(raw_id(token, id) == WIRE_OK && head_check(token) == WIRE_OK, WIRE_BAD);
    *message = token;
    return WIRE_OK;
}
