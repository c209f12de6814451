#include "core/session.h"

#include "base/reader.h"
#include "base/secret.h"
#include "core/cause.h"
#include "core/registry.h"
#include <sspi_ext.h>
#include <string.h>

/* docs/session-record.md */
static const uint8_t record_magic[4] = {'O', 'S', 'S', 'R'};
#define RECORD_VERSION 1

enum record_field {
    FIELD_PACKAGE = 1,
    FIELD_INITIATOR = 2,
    FIELD_FLAGS = 3,
    FIELD_START = 4,
    FIELD_EXPIRY = 5,
    FIELD_CLIENT = 6,
    FIELD_SERVER = 7,
    FIELD_TARGET = 8,
    FIELD_AUTHORITY = 9,
    FIELD_SESSION_KEY = 10,
    FIELD_IDENTITY = 11,
    FIELD_OWN = 12,
    FIELD_DELEGATED = 13,
    FIELD_AUTHORIZATION = 14,
    FIELD_KNOWN = 15, /* one past the last */
};
#define FIELDS_MAX 64 /* known and future ones; bounds the walk */

static void field_head(struct writer *record, enum record_field field, size_t len)
{
    writer_u16le(record, (uint16_t)field);
    writer_u32le(record, (uint32_t)len);
}

static void field_slice(struct writer *record, enum record_field field, struct slice bytes)
{
    field_head(record, field, bytes.len);
    writer_slice(record, bytes);
}

/* Text keeps its NUL, so that a session can point into its record. */
static void field_text(struct writer *record, enum record_field field, const char *text)
{
    if (text != NULL)
        field_slice(record, field, slice_of(text, strlen(text) + 1));
}

static SECURITY_STATUS (*delegated_seal)(struct slice plain, struct writer *sealed); /* NULL: as it is */

void session_delegated_hook(SECURITY_STATUS (*seal)(struct slice plain, struct writer *sealed))
{
    delegated_seal = seal;
}

static SECURITY_STATUS field_delegated(struct writer *record, struct slice delegated)
{
    AUTO_WRITER struct writer sealed = writer_growing(delegated.len + 128);
    if (delegated.len == 0)
        return SEC_E_OK;
    if (delegated_seal != NULL) {
        try(delegated_seal(delegated, &sealed));
        require(writer_finish(&sealed) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
        delegated = writer_slice_of(&sealed);
    }
    field_slice(record, FIELD_DELEGATED, delegated);
    return SEC_E_OK;
}

SECURITY_STATUS session_record_write(struct writer *record, const struct package *package,
                                     const struct session_facts *facts, struct slice own)
{
    writer_bytes(record, record_magic, sizeof record_magic);
    writer_u16le(record, RECORD_VERSION);
    field_text(record, FIELD_PACKAGE, package->info.name);
    field_head(record, FIELD_INITIATOR, 1);
    writer_u8(record, facts->initiator ? 1 : 0);
    field_head(record, FIELD_FLAGS, 4);
    writer_u32le(record, facts->flags);
    field_head(record, FIELD_START, 8);
    writer_u64le(record, (uint64_t)facts->start);
    field_head(record, FIELD_EXPIRY, 8);
    writer_u64le(record, (uint64_t)facts->expiry);
    field_text(record, FIELD_CLIENT, facts->client);
    field_text(record, FIELD_SERVER, facts->server);
    field_text(record, FIELD_TARGET, facts->target);
    field_text(record, FIELD_AUTHORITY, facts->authority);
    field_slice(record, FIELD_SESSION_KEY, facts->session_key);
    if (facts->identity.len > 0)
        field_slice(record, FIELD_IDENTITY, facts->identity);
    try(field_delegated(record, facts->delegated));
    if (facts->authorization.len > 0)
        field_slice(record, FIELD_AUTHORIZATION, facts->authorization);
    field_slice(record, FIELD_OWN, own);
    return writer_finish(record) == WIRE_OK && record->len <= SESSION_RECORD_MAX ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static enum wire_result fields_read(struct reader *reader, struct slice field[FIELD_KNOWN])
{
    for (unsigned n_fields = 0; reader_left(reader) > 0; n_fields++) {
        uint16_t tag;
        uint32_t len;
        struct slice bytes;
        require(n_fields < FIELDS_MAX, WIRE_BAD);
        try(reader_u16le(reader, &tag));
        try(reader_u32le(reader, &len));
        try(reader_bytes(reader, len, &bytes));
        if (tag < FIELD_KNOWN) {
            require(tag != 0 && field[tag].data == NULL, WIRE_BAD);
            field[tag] = bytes;
        }
    }
    return WIRE_OK;
}

static enum wire_result text_read(struct slice field, const char **text)
{
    if (field.data == NULL)
        return WIRE_OK;
    require(field.len > 0 && memchr(field.data, 0, field.len) == field.data + field.len - 1, WIRE_BAD);
    *text = (const char *)field.data;
    return WIRE_OK;
}

static enum wire_result number_read(struct slice field, uint64_t *value, size_t len)
{
    require(field.data != NULL && field.len == len, WIRE_BAD);
    *value = 0;
    for (size_t i = 0; i < len; i++)
        *value |= (uint64_t)field.data[i] << (8 * i);
    return WIRE_OK;
}

static enum wire_result record_read(struct slice record, struct session_facts *facts, const char **package,
                                    struct slice *own)
{
    struct reader reader = reader_of(record);
    struct slice field[FIELD_KNOWN] = {{0}};
    uint16_t version;
    uint64_t number;
    try(reader_expect(&reader, record_magic, sizeof record_magic));
    try(reader_u16le(&reader, &version));
    require(version == RECORD_VERSION, WIRE_BAD);
    try(fields_read(&reader, field));
    require(field[FIELD_PACKAGE].data != NULL && field[FIELD_OWN].data != NULL && field[FIELD_SESSION_KEY].data != NULL,
            WIRE_BAD);
    try(text_read(field[FIELD_PACKAGE], package));
    try(number_read(field[FIELD_INITIATOR], &number, 1));
    require(number <= 1, WIRE_BAD);
    facts->initiator = number == 1;
    try(number_read(field[FIELD_FLAGS], &number, 4));
    facts->flags = (uint32_t)number;
    try(number_read(field[FIELD_START], &number, 8));
    facts->start = (int64_t)number;
    try(number_read(field[FIELD_EXPIRY], &number, 8));
    facts->expiry = (int64_t)number;
    try(text_read(field[FIELD_CLIENT], &facts->client));
    try(text_read(field[FIELD_SERVER], &facts->server));
    try(text_read(field[FIELD_TARGET], &facts->target));
    try(text_read(field[FIELD_AUTHORITY], &facts->authority));
    facts->session_key = field[FIELD_SESSION_KEY];
    facts->identity = field[FIELD_IDENTITY];
    facts->delegated = field[FIELD_DELEGATED];
    facts->authorization = field[FIELD_AUTHORIZATION];
    *own = field[FIELD_OWN];
    return WIRE_OK;
}

SECURITY_STATUS session_record_read(struct slice record, struct session_facts *facts, const char **package,
                                    struct slice *own)
{
    require(record.len <= SESSION_RECORD_MAX,
            cause_set(SEC_E_INVALID_TOKEN, "a session record of %zu bytes", record.len));
    *facts = (struct session_facts){0};
    require(record_read(record, facts, package, own) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "this is not a session record of this version, or it is damaged"));
    return SEC_E_OK;
}

static SECURITY_STATUS open_any(struct slice record, bool chosen, struct session **session)
{
    require(record.len <= SESSION_RECORD_MAX,
            cause_set(SEC_E_INVALID_TOKEN, "a session record of %zu bytes", record.len));
    /* The record moves in behind the struct: one block, and the facts point into it. */
    size_t size = sizeof **session + record.len;
    struct session *opened = secret_block_alloc(size);
    require(opened != NULL, SEC_E_INSUFFICIENT_MEMORY);
    opened->size = size;
    memcpy(opened + 1, record.data, record.len);

    const char *name = NULL;
    struct slice own = {0};
    SECURITY_STATUS status = session_record_read(slice_of(opened + 1, record.len), &opened->facts, &name, &own);
    if (status == SEC_E_OK) {
        opened->package = registry_find(name);
        if (opened->package == NULL || opened->package->session == NULL)
            status = cause_set(SEC_E_SECPKG_NOT_FOUND, "the session record is of package \"%.64s\", which is not here",
                               name);
    }
    if (status == SEC_E_OK && chosen && opened->package->info.chooses)
        status =
            cause_set(SEC_E_INVALID_TOKEN, "a session record of %s inside another one", opened->package->info.name);
    if (status == SEC_E_OK)
        status = opened->package->session->open(own, opened->facts.flags, opened->facts.initiator, &opened->state);
    if (status != SEC_E_OK) {
        secret_block_free(opened, size);
        return status;
    }
    *session = opened;
    return SEC_E_OK;
}

SECURITY_STATUS session_open(struct slice record, struct session **session)
{
    return open_any(record, false, session);
}

SECURITY_STATUS session_open_chosen(struct slice record, struct session **session)
{
    return open_any(record, true, session);
}

void session_close(struct session *session)
{
    if (session == NULL)
        return;
    session->package->session->close(session->state);
    secret_block_free(session, session->size);
}

SECURITY_STATUS session_save(const struct session *session, struct writer *record)
{
    require(session->package->session->save != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    AUTO_WRITER struct writer own = writer_growing(1024);
    try(session->package->session->save(session->state, &own));
    require(writer_finish(&own) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    return session_record_write(record, session->package, &session->facts, writer_slice_of(&own));
}

SECURITY_STATUS session_query(const struct session *session, uint32_t attribute, struct attribute *value)
{
    const struct session_facts *facts = &session->facts;
    switch (attribute) {
    case SECPKG_ATTR_NAMES:
    case SECPKG_ATTR_DCE_INFO:
        value->names.text = facts->client;
        return SEC_E_OK;
    case SECPKG_ATTR_NATIVE_NAMES:
        value->names.text = facts->client;
        value->names.second = facts->server;
        return SEC_E_OK;
    case SECPKG_ATTR_AUTHORITY:
        value->names.text = facts->authority;
        return SEC_E_OK;
    case SECPKG_ATTR_CLIENT_SPECIFIED_TARGET:
        require(!facts->initiator,
                cause_set(SEC_E_UNSUPPORTED_FUNCTION, "the client's target name is asked of the accepting side"));
        value->names.text = facts->target;
        return SEC_E_OK;
    case OPENSSPI_ATTR_AUTHORIZATION_DATA:
        require(
            facts->authorization.len > 0,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "the client's authority said nothing of it, or this is the client"));
        value->bytes = facts->authorization;
        return SEC_E_OK;
    case SECPKG_ATTR_SESSION_KEY:
        value->bytes = facts->session_key;
        return SEC_E_OK;
    case SECPKG_ATTR_LIFESPAN:
        value->lifespan.start = facts->start;
        value->lifespan.expiry = facts->expiry;
        return SEC_E_OK;
    case SECPKG_ATTR_FLAGS:
        value->number = facts->flags;
        return SEC_E_OK;
    default:
        break;
    }
    require(session->package->session->query != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    SECURITY_STATUS status = session->package->session->query(session->state, attribute, value);
    if (status == SEC_E_UNSUPPORTED_FUNCTION && attribute == SECPKG_ATTR_PASSWORD_EXPIRY) {
        value->time =
            facts
                ->expiry; /* without passwords it is the ticket that ends, says the reference of SecPkgContext_PasswordExpiry */
        return SEC_E_OK;
    }
    return status;
}
