#include "core/session.h"

#include "base/reader.h"
#include "base/secret.h"
#include "core/cause.h"
#include "core/registry.h"
#include <credssp.h>
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
    FIELD_USER_FLAGS = 15,
    FIELD_LOGOFF = 16,
    FIELD_KNOWN = 17, /* one past the last */
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

static session_delegated_seal *delegated_seal; /* NULL: as it is */

void session_delegated_hook(session_delegated_seal *seal)
{
    delegated_seal = seal;
}

bool session_records_leave(void)
{
    return delegated_seal != NULL;
}

SECURITY_STATUS session_seal(const struct package *package, struct slice plain, struct writer *sealed)
{
    require(delegated_seal != NULL, SEC_E_INTERNAL_ERROR);
    return delegated_seal(package, plain, sealed);
}

static session_asker *asker; /* NULL: nobody */

void session_ask_hook(session_asker *asks)
{
    asker = asks;
}

SECURITY_STATUS session_ask(const struct package *package, struct slice sealed, struct slice asked,
                            struct writer *answer)
{
    require(asker != NULL, cause_set(SEC_E_NO_AUTHENTICATING_AUTHORITY,
                                     "a security authority kept this context's key, and none is asked here"));
    return asker(package, sealed, asked, answer);
}

static SECURITY_STATUS field_delegated(struct writer *record, const struct package *package, struct slice delegated)
{
    AUTO_WRITER struct writer sealed = writer_growing(delegated.len + 128);
    if (delegated.len == 0)
        return SEC_E_OK;
    if (delegated_seal != NULL) {
        try(delegated_seal(package, delegated, &sealed));
        require(writer_finish(&sealed) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
        delegated = writer_slice_of(&sealed);
    }
    field_slice(record, FIELD_DELEGATED, delegated);
    return SEC_E_OK;
}

static void head_write(struct writer *record, const struct package *package)
{
    writer_bytes(record, record_magic, sizeof record_magic);
    writer_u16le(record, RECORD_VERSION);
    field_text(record, FIELD_PACKAGE, package->info.name);
}

static SECURITY_STATUS facts_write(struct writer *record, const struct package *package,
                                   const struct session_facts *facts)
{
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
    try(field_delegated(record, package, facts->delegated));
    if (facts->authorization.len > 0)
        field_slice(record, FIELD_AUTHORIZATION, facts->authorization);
    if (facts->has_logon) {
        field_head(record, FIELD_USER_FLAGS, 4);
        writer_u32le(record, facts->user_flags);
        field_head(record, FIELD_LOGOFF, 8);
        writer_u64le(record, (uint64_t)facts->logoff);
    }
    return SEC_E_OK;
}

static SECURITY_STATUS record_finish(const struct writer *record)
{
    return writer_finish(record) == WIRE_OK && record->len <= SESSION_RECORD_MAX ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

SECURITY_STATUS session_record_write(struct writer *record, const struct package *package,
                                     const struct session_facts *facts, struct slice own)
{
    head_write(record, package);
    try(facts_write(record, package, facts));
    field_slice(record, FIELD_OWN, own);
    return record_finish(record);
}

SECURITY_STATUS session_record_wrap(struct writer *record, const struct package *package, struct slice chosen)
{
    head_write(record, package);
    field_slice(record, FIELD_OWN, chosen);
    return record_finish(record);
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

static enum wire_result record_read(struct slice record, struct slice field[FIELD_KNOWN])
{
    struct reader reader = reader_of(record);
    uint16_t version;
    try(reader_expect(&reader, record_magic, sizeof record_magic));
    try(reader_u16le(&reader, &version));
    require(version == RECORD_VERSION, WIRE_BAD);
    try(fields_read(&reader, field));
    require(field[FIELD_PACKAGE].data != NULL && field[FIELD_OWN].data != NULL, WIRE_BAD);
    return WIRE_OK;
}

/* Both or neither. */
static enum wire_result logon_read(const struct slice field[FIELD_KNOWN], struct session_facts *facts)
{
    uint64_t number;
    facts->has_logon = field[FIELD_USER_FLAGS].data != NULL;
    require(facts->has_logon == (field[FIELD_LOGOFF].data != NULL), WIRE_BAD);
    if (!facts->has_logon)
        return WIRE_OK;
    try(number_read(field[FIELD_USER_FLAGS], &number, 4));
    facts->user_flags = (uint32_t)number;
    try(number_read(field[FIELD_LOGOFF], &number, 8));
    facts->logoff = (int64_t)number;
    return WIRE_OK;
}

static enum wire_result facts_read(const struct slice field[FIELD_KNOWN], struct session_facts *facts)
{
    uint64_t number;
    require(field[FIELD_SESSION_KEY].data != NULL, WIRE_BAD);
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
    return logon_read(field, facts);
}

/* A record that wraps another one says nothing of its own: two sets of facts could contradict each other. */
static bool has_facts(const struct slice field[FIELD_KNOWN])
{
    for (unsigned i = FIELD_PACKAGE + 1; i < FIELD_KNOWN; i++)
        if (i != FIELD_OWN && field[i].data != NULL)
            return true;
    return false;
}

static SECURITY_STATUS record_damaged(void)
{
    return cause_set(SEC_E_INVALID_TOKEN, "this is not a session record of this version, or it is damaged");
}

/* Of a package that chooses: the block is the struct alone, the facts are those of the session inside. */
static SECURITY_STATUS open_wrapped(const struct slice field[FIELD_KNOWN], struct session *opened)
{
    require(!has_facts(field), record_damaged());
    try(opened->package->session->open(field[FIELD_OWN], 0, false, &opened->state));
    opened->facts = ((const struct session *)opened->state)->facts;
    return SEC_E_OK;
}

/* The record moves in behind the struct: one block, and the facts point into it. */
static SECURITY_STATUS open_plain(struct slice record, struct slice field[FIELD_KNOWN], struct session *opened)
{
    memcpy(opened + 1, record.data, record.len);
    for (unsigned i = 0; i < FIELD_KNOWN; i++)
        if (field[i].data != NULL)
            field[i].data = (const uint8_t *)(opened + 1) + (field[i].data - record.data);
    require(facts_read(field, &opened->facts) == WIRE_OK, record_damaged());
    return opened->package->session->open(field[FIELD_OWN], opened->facts.flags, opened->facts.initiator,
                                          &opened->state);
}

static SECURITY_STATUS open_any(struct slice record, bool chosen, struct session **session)
{
    struct slice field[FIELD_KNOWN] = {{0}};
    const char *name = NULL;
    require(record.len <= SESSION_RECORD_MAX,
            cause_set(SEC_E_INVALID_TOKEN, "a session record of %zu bytes", record.len));
    require(record_read(record, field) == WIRE_OK && text_read(field[FIELD_PACKAGE], &name) == WIRE_OK,
            record_damaged());
    const struct package *package = registry_find_kept(name);
    require(package != NULL && package->session != NULL && package->session->open != NULL,
            cause_set(SEC_E_SECPKG_NOT_FOUND, "the session record is of package \"%.64s\", which is not here", name));
    require(!chosen || !package->info.chooses,
            cause_set(SEC_E_INVALID_TOKEN, "a session record of %s inside another one", package->info.name));
    size_t size = sizeof **session + (package->info.chooses ? 0 : record.len);
    struct session *opened = secret_block_alloc(size);
    require(opened != NULL, SEC_E_INSUFFICIENT_MEMORY);
    opened->size = size;
    opened->package = package;
    SECURITY_STATUS status = package->info.chooses ? open_wrapped(field, opened) : open_plain(record, field, opened);
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

SECURITY_STATUS session_adopt(const struct package *package, bool initiator, void *state, struct session **session)
{
    struct session *adopted = secret_block_alloc(sizeof *adopted);
    if (adopted == NULL) {
        package->session->close(state);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    adopted->size = sizeof *adopted;
    adopted->package = package;
    if (package->session->facts != NULL)
        adopted->facts = *package->session->facts(state);
    adopted->facts.initiator = initiator;
    adopted->state = state;
    adopted->direct = true;
    *session = adopted;
    return SEC_E_OK;
}

SECURITY_STATUS session_of_step(struct step_out *out, struct session **session)
{
    if (out->session != NULL) {
        *session = out->session;
        out->session = NULL;
        return SEC_E_OK;
    }
    require(writer_finish(&out->record) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    return out->record.len > 0 ? session_open(writer_slice_of(&out->record), session) : SEC_E_OK;
}

struct session *session_wrap(const struct package *package, struct session *chosen)
{
    struct session *wrapped = secret_block_alloc(sizeof *wrapped);
    require(wrapped != NULL, NULL);
    *wrapped = (struct session){.package = package, .facts = chosen->facts, .state = chosen, .size = sizeof *wrapped};
    return wrapped;
}

const struct session *session_inside(const struct session *session)
{
    return session->package->info.chooses && !session->direct ? session->state : session;
}

const struct package *session_package(const struct session *session)
{
    struct attribute inside = {0};
    if (session->direct && session->package->info.chooses &&
        session_query(session, SECPKG_ATTR_NEGOTIATION_PACKAGE, &inside) == SEC_E_OK)
        return inside.choice.package;
    return session_inside(session)->package;
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
    head_write(record, session->package);
    if (!session->package->info.chooses)
        try(facts_write(record, session->package, &session->facts));
    field_head(record, FIELD_OWN, 0);
    size_t start = record->len;
    try(session->package->session->save(session->state, record));
    if (writer_finish(record) == WIRE_OK)
        writer_patch_u32le(record, start - 4, (uint32_t)(record->len - start));
    return record_finish(record);
}

static SECURITY_STATUS logon_query(const struct session_facts *facts, uint32_t attribute, struct attribute *value)
{
    require(facts->has_logon, cause_set(SEC_E_UNSUPPORTED_FUNCTION, "nobody who keeps accounts said how the client is "
                                                                    "logged on, or this is the client"));
    if (attribute == SECPKG_ATTR_USER_FLAGS)
        value->number = facts->user_flags;
    else
        value->time = facts->logoff;
    return SEC_E_OK;
}

SECURITY_STATUS session_query(const struct session *session, uint32_t attribute, struct attribute *value)
{
    const struct session_facts *facts = &session->facts;
    if (session->direct)
        return session->package->session->query(session->state, attribute, value);
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
    case SECPKG_ATTR_USER_FLAGS:
    case SECPKG_ATTR_LOGOFF_TIME:
        return logon_query(facts, attribute, value);
    case SECPKG_ATTR_SESSION_KEY: /* nobody is to derive keys of nothing */
        require(facts->session_key.len > 0,
                cause_set(SEC_E_UNSUPPORTED_FUNCTION, "there is no session key: none was agreed on"));
        value->bytes = facts->session_key;
        return SEC_E_OK;
    case SECPKG_ATTR_LIFESPAN:
        value->lifespan.start = facts->start;
        value->lifespan.expiry = facts->expiry;
        return SEC_E_OK;
    case SECPKG_ATTR_FLAGS:
        value->number = facts->flags;
        return SEC_E_OK;
    case SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS:
        require(facts->initiator, cause_set(SEC_E_UNSUPPORTED_FUNCTION,
                                            "which token is the client's last is asked of the initiating side"));
        value->number = SecPkgAttrLastClientTokenYes;
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
