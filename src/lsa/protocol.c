#include "lsa/protocol.h"

#include "base/memory.h"
#include "base/utf16.h"
#include <string.h>

#define REPLY_BIT 0x80u
#define FIELDS_IN_BODY_MAX 64 /* known and future ones; bounds the walk */

static const uint8_t forms[LSA_FIELDS] = {
    [LSA_STATUS] = LSA_FORM_NUMBER,
    [LSA_CAUSE] = LSA_FORM_TEXT,
    [LSA_CLIENT] = LSA_FORM_BYTES,
    [LSA_PACKAGE] = LSA_FORM_TEXT,
    [LSA_PRINCIPAL] = LSA_FORM_TEXT,
    [LSA_USE] = LSA_FORM_SHORT,
    [LSA_IDENTITY] = LSA_FORM_SHORT,
    [LSA_USER] = LSA_FORM_TEXT,
    [LSA_DOMAIN] = LSA_FORM_TEXT,
    [LSA_PACKAGES] = LSA_FORM_TEXT,
    [LSA_PASSWORD] = LSA_FORM_BYTES,
    [LSA_PROOF] = LSA_FORM_BYTES,
    [LSA_CREDENTIAL] = LSA_FORM_NUMBER,
    [LSA_CONTEXT] = LSA_FORM_NUMBER,
    [LSA_EXPIRY] = LSA_FORM_NUMBER,
    [LSA_FLAGS] = LSA_FORM_SHORT,
    [LSA_GRANTED] = LSA_FORM_SHORT,
    [LSA_TARGET] = LSA_FORM_TEXT,
    [LSA_TOKEN] = LSA_FORM_BYTES,
    [LSA_BINDINGS] = LSA_FORM_BYTES,
    [LSA_RECORD] = LSA_FORM_BYTES,
    [LSA_LIST_MIC] = LSA_FORM_SHORT,
    [LSA_ATTRIBUTE] = LSA_FORM_SHORT,
    [LSA_VALUE] = LSA_FORM_BYTES,
    [LSA_TEXT] = LSA_FORM_TEXT,
    [LSA_SECOND_TEXT] = LSA_FORM_TEXT,
    [LSA_NEW_PASSWORD] = LSA_FORM_BYTES,
    [LSA_DELEGATED] = LSA_FORM_BYTES,
    [LSA_LOGON_SESSION] = LSA_FORM_NUMBER,
    [LSA_LOGON_TYPE] = LSA_FORM_SHORT,
    [LSA_LOGON_SESSIONS] = LSA_FORM_BYTES,
    [LSA_TIME] = LSA_FORM_NUMBER,
    [LSA_OWNER] = LSA_FORM_NUMBER,
    [LSA_NOT_HERE] = LSA_FORM_SHORT,
    [LSA_PARAMS] = LSA_FORM_BYTES,
    [LSA_TARGET_HOST] = LSA_FORM_BYTES,
    [LSA_RECEIVE_SIZE] = LSA_FORM_SHORT,
    [LSA_KEY_NAME] = LSA_FORM_TEXT,
    [LSA_KEY_HASH] = LSA_FORM_BYTES,
    [LSA_SCHEME] = LSA_FORM_SHORT,
};

#define HAS(name) (UINT64_C(1) << LSA_##name)
#define WHO (HAS(IDENTITY) | HAS(USER) | HAS(DOMAIN) | HAS(PACKAGES) | HAS(PASSWORD) | HAS(PROOF))
/* What every reply may have. One that tells of a failure has nothing that it must have but the status. */
#define ANSWER (HAS(STATUS) | HAS(CAUSE))

_Static_assert(LSA_FIELDS <= 64, "a set of fields is one word");

/* docs/lsa-protocol.md. What a message must have, and what it may have besides. */
static const struct rule {
    uint64_t must, may, reply_must, reply_may;
} rules[LSA_OPERATIONS] = {
    [LSA_HELLO] = {0, HAS(CLIENT), HAS(CLIENT), 0},
    [LSA_ACQUIRE] = {HAS(PACKAGE) | HAS(USE), HAS(PRINCIPAL) | WHO, HAS(CREDENTIAL) | HAS(EXPIRY), HAS(NOT_HERE)},
    [LSA_RELEASE] = {HAS(CREDENTIAL), 0, 0, 0},
    [LSA_STEP] = {HAS(CREDENTIAL) | HAS(CONTEXT) | HAS(USE) | HAS(FLAGS),
                  HAS(TARGET) | HAS(TOKEN) | HAS(BINDINGS) | HAS(PARAMS) | HAS(TARGET_HOST) | HAS(RECEIVE_SIZE),
                  HAS(CONTEXT) | HAS(GRANTED) | HAS(EXPIRY), HAS(TOKEN) | HAS(RECORD) | HAS(LIST_MIC)},
    [LSA_ABANDON] = {HAS(CONTEXT), 0, 0, 0},
    [LSA_COMPLETE] = {HAS(CONTEXT) | HAS(TOKEN), 0, HAS(TOKEN), 0},
    [LSA_QUERY_CREDENTIAL] = {HAS(CREDENTIAL) | HAS(ATTRIBUTE), 0, HAS(TEXT), 0},
    [LSA_SET_CREDENTIAL] = {HAS(CREDENTIAL) | HAS(ATTRIBUTE), HAS(VALUE), 0, 0},
    [LSA_QUERY_CONTEXT] = {HAS(CONTEXT) | HAS(ATTRIBUTE), 0, HAS(VALUE),
                           HAS(PACKAGE) | HAS(TEXT) | HAS(SECOND_TEXT) | HAS(TOKEN)},
    [LSA_CHANGE_PASSWORD] = {HAS(PACKAGE) | HAS(USER) | HAS(PASSWORD) | HAS(NEW_PASSWORD), HAS(DOMAIN), 0, 0},
    [LSA_ACQUIRE_DELEGATED] = {HAS(PACKAGE) | HAS(DELEGATED), HAS(CREDENTIAL), HAS(CREDENTIAL) | HAS(EXPIRY), 0},
    [LSA_ACQUIRE_S4U] = {HAS(CREDENTIAL) | HAS(USER), 0, HAS(CREDENTIAL) | HAS(EXPIRY), 0},
    [LSA_LOGON] = {HAS(PACKAGE) | HAS(LOGON_TYPE), WHO | HAS(FLAGS), HAS(LOGON_SESSION),
                   HAS(RECORD) | HAS(PACKAGE) | HAS(DELEGATED)},
    [LSA_LOGOFF] = {HAS(LOGON_SESSION), 0, 0, 0},
    [LSA_LIST_SESSIONS] = {0, 0, HAS(LOGON_SESSIONS), 0},
    [LSA_DESCRIBE_SESSION] = {HAS(LOGON_SESSION), 0,
                              HAS(LOGON_SESSION) | HAS(PACKAGE) | HAS(LOGON_TYPE) | HAS(TIME) | HAS(OWNER) | HAS(USER) |
                                  HAS(DOMAIN),
                              0},
    [LSA_PROVE] = {HAS(PACKAGE), WHO | HAS(FLAGS), HAS(RECORD) | HAS(PACKAGE), HAS(DELEGATED)},
    [LSA_TICKETS] = {HAS(PACKAGE) | HAS(LOGON_SESSION) | HAS(USE), HAS(TARGET) | HAS(DOMAIN) | HAS(USER) | HAS(TEXT),
                     HAS(VALUE), HAS(NOT_HERE)},
    [LSA_WRAP] = {HAS(PACKAGE) | HAS(USE) | HAS(CREDENTIAL), HAS(PACKAGES), HAS(CREDENTIAL) | HAS(EXPIRY), 0},
    [LSA_KEY] = {HAS(KEY_NAME), 0, HAS(VALUE), 0},
    [LSA_SIGN] = {HAS(KEY_NAME) | HAS(KEY_HASH) | HAS(SCHEME) | HAS(TOKEN), 0, HAS(VALUE), 0},
    [LSA_ASK] = {HAS(PACKAGE) | HAS(DELEGATED) | HAS(TOKEN), 0, HAS(TOKEN), 0},
};

void lsa_head_write(struct writer *writer, enum lsa_operation operation, bool reply, uint32_t sequence)
{
    writer_u32le(writer, 0);
    writer_u16le(writer, LSA_PROTOCOL_VERSION);
    writer_u8(writer, (uint8_t)operation);
    writer_u8(writer, reply ? REPLY_BIT : 0);
    writer_u32le(writer, sequence);
}

void lsa_bytes_write(struct writer *writer, enum lsa_field field, struct slice bytes)
{
    if (bytes.data == NULL)
        return;
    writer_u16le(writer, (uint16_t)field);
    writer_u32le(writer, (uint32_t)bytes.len);
    writer_slice(writer, bytes);
}

void lsa_number_write(struct writer *writer, enum lsa_field field, uint64_t value)
{
    writer_u16le(writer, (uint16_t)field);
    writer_u32le(writer, sizeof value);
    writer_u64le(writer, value);
}

void lsa_text_write(struct writer *writer, enum lsa_field field, const char *text)
{
    if (text != NULL)
        lsa_bytes_write(writer, field, slice_of(text, strlen(text) + 1));
}

enum wire_result lsa_body_end(struct writer *writer)
{
    require(writer->len >= LSA_HEAD_LEN && writer->len - LSA_HEAD_LEN <= LSA_BODY_MAX, WIRE_BAD);
    writer_patch_u32le(writer, 0, (uint32_t)(writer->len - LSA_HEAD_LEN));
    return writer_finish(writer);
}

enum wire_result lsa_head_read(struct reader *reader, struct lsa_head *head)
{
    struct reader ahead = *reader;
    struct lsa_head read;
    uint8_t flags;
    try(reader_u32le(&ahead, &read.body_len));
    try(reader_u16le(&ahead, &read.version));
    try(reader_u8(&ahead, &read.operation));
    try(reader_u8(&ahead, &flags));
    try(reader_u32le(&ahead, &read.sequence));
    require(read.body_len <= LSA_BODY_MAX && (flags & ~REPLY_BIT) == 0, WIRE_BAD);
    read.reply = (flags & REPLY_BIT) != 0;
    *reader = ahead;
    *head = read;
    return WIRE_OK;
}

enum lsa_form lsa_field_form(unsigned field)
{
    return field < LSA_FIELDS ? (enum lsa_form)forms[field] : LSA_FORM_NONE;
}

enum lsa_place lsa_field_place(unsigned operation, bool reply, unsigned field)
{
    require(operation >= LSA_HELLO && operation < LSA_OPERATIONS && field < LSA_FIELDS, LSA_MAY_NOT);
    const struct rule *rule = &rules[operation];
    const uint64_t bit = UINT64_C(1) << field, must = reply ? rule->reply_must | HAS(STATUS) : rule->must,
                   may = reply ? rule->reply_may | ANSWER : rule->may;
    return (must & bit) != 0 ? LSA_MUST : (may & bit) != 0 ? LSA_MAY : LSA_MAY_NOT;
}

static enum wire_result form_check(struct slice bytes, enum lsa_form form)
{
    switch (form) {
    case LSA_FORM_NUMBER:
        return bytes.len == 8 ? WIRE_OK : WIRE_BAD;
    case LSA_FORM_SHORT: {
        uint64_t number;
        struct reader reader = reader_of(bytes);
        try(reader_u64le(&reader, &number));
        require(number <= UINT32_MAX, WIRE_BAD);
        return reader_end(&reader);
    }
    case LSA_FORM_TEXT:
        require(bytes.len > 0 && bytes.data[bytes.len - 1] == 0, WIRE_BAD);
        return utf8_valid(slice_of(bytes.data, bytes.len - 1)) ? WIRE_OK : WIRE_BAD; /* which forbids NULs */
    default:
        return WIRE_OK;
    }
}

static enum wire_result fields_read(struct reader *reader, struct lsa_message *message, uint64_t *there)
{
    *there = 0;
    for (unsigned n_fields = 0; reader_left(reader) > 0; n_fields++) {
        uint16_t tag;
        uint32_t len;
        struct slice bytes;
        require(n_fields < FIELDS_IN_BODY_MAX, WIRE_BAD);
        try(reader_u16le(reader, &tag));
        try(reader_u32le(reader, &len));
        try(reader_bytes(reader, len, &bytes));
        if (tag >= LSA_FIELDS)
            continue;
        require(forms[tag] != 0 && message->field[tag].data == NULL, WIRE_BAD);
        try(form_check(bytes, (enum lsa_form)forms[tag]));
        message->field[tag] = bytes;
        *there |= UINT64_C(1) << tag;
    }
    return WIRE_OK;
}

enum wire_result lsa_body_read(struct slice body, enum lsa_operation operation, bool reply, struct lsa_message *message)
{
    struct reader reader = reader_of(body);
    struct lsa_message read = {0};
    uint64_t there;
    require(operation >= LSA_HELLO && operation < LSA_OPERATIONS && body.len <= LSA_BODY_MAX, WIRE_BAD);
    const struct rule *rule = &rules[operation];
    require(fields_read(&reader, &read, &there) == WIRE_OK, WIRE_BAD); /* the body is whole: nothing can mend it */
    uint64_t must = rule->must, may = rule->may;
    if (reply) {
        bool failed = (lsa_number(&read, LSA_STATUS) & 0x80000000u) != 0;
        must = HAS(STATUS) | (failed ? 0 : rule->reply_must);
        may = rule->reply_must | rule->reply_may | ANSWER;
    }
    require((there & must) == must && (there & ~(must | may)) == 0, WIRE_BAD);
    *message = read;
    return WIRE_OK;
}

uint64_t lsa_number(const struct lsa_message *message, enum lsa_field field)
{
    uint64_t value = 0;
    struct reader reader = reader_of(message->field[field]);
    return reader_u64le(&reader, &value) == WIRE_OK ? value : 0;
}

const char *lsa_text(const struct lsa_message *message, enum lsa_field field)
{
    return (const char *)message->field[field].data;
}
