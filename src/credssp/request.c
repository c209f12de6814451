#include "credssp/request.h"

#include "wire/der.h"

/* MS-CSSP 2.2.1: every field is [n] EXPLICIT. */

bool ts_version_has_error(uint32_t version)
{
    return version == 3 || version == 4 || version >= 6;
}

static enum wire_result octets_read(struct reader *fields, unsigned number, struct slice *octets)
{
    return der_field_read(fields, number, DER_OCTET_STRING, octets);
}

/* A field that has to be there. */
static enum wire_result octets_need(struct reader *fields, unsigned number, struct slice *octets)
{
    require(der_peek(fields, (uint8_t)DER_CONTEXT(number)), WIRE_BAD);
    return octets_read(fields, number, octets);
}

static enum wire_result integer_read(struct reader *fields, unsigned number, int64_t *value, bool *present)
{
    struct slice outer;
    require(der_read_optional(fields, (uint8_t)DER_CONTEXT(number), &outer, present) == WIRE_OK, WIRE_BAD);
    if (!*present)
        return WIRE_OK;
    struct reader reader = reader_of(outer);
    require(der_read_integer(&reader, DER_INTEGER, value) == WIRE_OK && reader_left(&reader) == 0, WIRE_BAD);
    return WIRE_OK;
}

static void octets_write(struct writer *writer, unsigned number, struct slice octets)
{
    struct der_mark field = der_begin(writer, (uint8_t)DER_CONTEXT(number));
    der_write(writer, DER_OCTET_STRING, octets);
    der_end(writer, field);
}

static void octets_write_optional(struct writer *writer, unsigned number, struct slice octets)
{
    if (octets.data != NULL)
        octets_write(writer, number, octets);
}

static void integer_write(struct writer *writer, unsigned number, int64_t value)
{
    struct der_mark field = der_begin(writer, (uint8_t)DER_CONTEXT(number));
    der_write_integer(writer, DER_INTEGER, value);
    der_end(writer, field);
}

/* NegoData (2.2.1.1): a SEQUENCE OF SEQUENCE { [0] OCTET STRING }. Nobody sends more than one token: it would be refused. */
static enum wire_result nego_read(struct reader *fields, struct slice *token)
{
    struct slice items = {0}, item;
    try(der_field_read(fields, 1, DER_SEQUENCE, &items));
    if (items.data == NULL)
        return WIRE_OK;
    struct reader reader = reader_of(items);
    require(der_read(&reader, DER_SEQUENCE, &item) == WIRE_OK && reader_left(&reader) == 0, WIRE_BAD);
    struct reader inside = reader_of(item);
    try(octets_need(&inside, 0, token));
    return reader_end(&inside);
}

static void nego_write(struct writer *writer, struct slice token)
{
    if (token.data == NULL)
        return;
    struct der_mark field = der_begin(writer, DER_CONTEXT(1));
    struct der_mark items = der_begin(writer, DER_SEQUENCE);
    struct der_mark item = der_begin(writer, DER_SEQUENCE);
    octets_write(writer, 0, token);
    der_end(writer, item);
    der_end(writer, items);
    der_end(writer, field);
}

/* errorCode: an NTSTATUS, whose upper half is written as negative numbers; some write it unsigned. */
static enum wire_result error_read(struct reader *fields, struct ts_request *request)
{
    int64_t value = 0;
    try(integer_read(fields, 4, &value, &request->has_error));
    require(value >= INT32_MIN && value <= UINT32_MAX, WIRE_BAD);
    request->error = (uint32_t)value;
    return WIRE_OK;
}

enum wire_result ts_request_parse(struct slice bytes, struct ts_request *request)
{
    struct slice content;
    int64_t version;
    bool present;
    *request = (struct ts_request){0};
    try(der_only(bytes, DER_SEQUENCE, &content));
    struct reader fields = reader_of(content);
    try(integer_read(&fields, 0, &version, &present));
    require(present && version >= 0 && version <= UINT32_MAX, WIRE_BAD);
    request->version = (uint32_t)version;
    try(nego_read(&fields, &request->nego_token));
    try(octets_read(&fields, 2, &request->auth_info));
    try(octets_read(&fields, 3, &request->pub_key_auth));
    try(error_read(&fields, request));
    try(octets_read(&fields, 5, &request->nonce));
    require(request->nonce.data == NULL || request->nonce.len == TS_NONCE_LEN, WIRE_BAD);
    return reader_end(&fields);
}

void ts_request_write(struct writer *writer, const struct ts_request *request)
{
    struct der_mark whole = der_begin(writer, DER_SEQUENCE);
    integer_write(writer, 0, request->version);
    nego_write(writer, request->nego_token);
    octets_write_optional(writer, 2, request->auth_info);
    octets_write_optional(writer, 3, request->pub_key_auth);
    if (request->has_error)
        integer_write(writer, 4, (int32_t)request->error);
    octets_write_optional(writer, 5, request->nonce);
    der_end(writer, whole);
}

static enum wire_result password_read(struct reader *fields, struct ts_credentials *credentials)
{
    try(octets_need(fields, 0, &credentials->domain));
    try(octets_need(fields, 1, &credentials->user));
    return octets_need(fields, 2, &credentials->password);
}

/* TSCspDataDetail (2.2.1.2.2.1) */
static enum wire_result csp_read(struct slice content, struct ts_credentials *credentials)
{
    struct reader fields = reader_of(content);
    bool present;
    try(integer_read(&fields, 0, &credentials->key_spec, &present));
    require(present, WIRE_BAD);
    try(octets_read(&fields, 1, &credentials->card));
    try(octets_read(&fields, 2, &credentials->reader));
    try(octets_read(&fields, 3, &credentials->container));
    try(octets_read(&fields, 4, &credentials->csp));
    return reader_end(&fields);
}

static enum wire_result smart_card_read(struct reader *fields, struct ts_credentials *credentials)
{
    struct slice csp = {0};
    try(octets_need(fields, 0, &credentials->pin));
    try(der_field_read(fields, 1, DER_SEQUENCE, &csp));
    require(csp.data != NULL, WIRE_BAD);
    try(csp_read(csp, credentials));
    try(octets_read(fields, 2, &credentials->user_hint));
    return octets_read(fields, 3, &credentials->domain_hint);
}

/* TSRemoteGuardPackageCred (2.2.1.2.3.1) */
static enum wire_result package_cred_read(struct slice content, struct ts_package_cred *cred)
{
    struct reader fields = reader_of(content);
    try(octets_need(&fields, 0, &cred->package));
    try(octets_need(&fields, 1, &cred->cred));
    return reader_end(&fields);
}

static enum wire_result remote_guard_read(struct reader *fields, struct ts_credentials *credentials)
{
    struct slice logon = {0}, list = {0}, item;
    try(der_field_read(fields, 0, DER_SEQUENCE, &logon));
    require(logon.data != NULL, WIRE_BAD);
    try(package_cred_read(logon, &credentials->logon));
    try(der_field_read(fields, 1, DER_SEQUENCE, &list));
    struct reader items = reader_of(list);
    while (reader_left(&items) > 0) {
        require(credentials->n_supplemental < TS_SUPPLEMENTAL_MAX && der_read(&items, DER_SEQUENCE, &item) == WIRE_OK,
                WIRE_BAD);
        try(package_cred_read(item, &credentials->supplemental[credentials->n_supplemental++]));
    }
    return WIRE_OK;
}

enum wire_result ts_credentials_parse(struct slice bytes, struct ts_credentials *credentials)
{
    struct slice content, inner = {0}, of_type;
    int64_t type;
    bool present;
    *credentials = (struct ts_credentials){0};
    try(der_only(bytes, DER_SEQUENCE, &content));
    struct reader outer = reader_of(content);
    try(integer_read(&outer, 0, &type, &present));
    require(present, WIRE_BAD);
    try(octets_need(&outer, 1, &inner));
    try(reader_end(&outer));
    try(der_only(inner, DER_SEQUENCE, &of_type));
    struct reader fields = reader_of(of_type);
    credentials->type = (enum ts_credentials_type)type;
    if (type == TS_PASSWORD)
        try(password_read(&fields, credentials));
    else if (type == TS_SMART_CARD)
        try(smart_card_read(&fields, credentials));
    else if (type == TS_REMOTE_GUARD)
        try(remote_guard_read(&fields, credentials));
    else
        return WIRE_BAD;
    return reader_end(&fields);
}

static void smart_card_write(struct writer *writer, const struct ts_credentials *credentials)
{
    octets_write(writer, 0, credentials->pin);
    struct der_mark field = der_begin(writer, DER_CONTEXT(1));
    struct der_mark csp = der_begin(writer, DER_SEQUENCE);
    integer_write(writer, 0, credentials->key_spec);
    octets_write_optional(writer, 1, credentials->card);
    octets_write_optional(writer, 2, credentials->reader);
    octets_write_optional(writer, 3, credentials->container);
    octets_write_optional(writer, 4, credentials->csp);
    der_end(writer, csp);
    der_end(writer, field);
    octets_write_optional(writer, 2, credentials->user_hint);
    octets_write_optional(writer, 3, credentials->domain_hint);
}

static void package_cred_write(struct writer *writer, const struct ts_package_cred *cred)
{
    struct der_mark item = der_begin(writer, DER_SEQUENCE);
    octets_write(writer, 0, cred->package);
    octets_write(writer, 1, cred->cred);
    der_end(writer, item);
}

static void remote_guard_write(struct writer *writer, const struct ts_credentials *credentials)
{
    struct der_mark logon = der_begin(writer, DER_CONTEXT(0));
    package_cred_write(writer, &credentials->logon);
    der_end(writer, logon);
    if (credentials->n_supplemental == 0)
        return;
    struct der_mark field = der_begin(writer, DER_CONTEXT(1));
    struct der_mark list = der_begin(writer, DER_SEQUENCE);
    for (unsigned i = 0; i < credentials->n_supplemental; i++)
        package_cred_write(writer, &credentials->supplemental[i]);
    der_end(writer, list);
    der_end(writer, field);
}

void ts_credentials_write(struct writer *writer, const struct ts_credentials *credentials)
{
    struct der_mark whole = der_begin(writer, DER_SEQUENCE);
    integer_write(writer, 0, credentials->type);
    struct der_mark field = der_begin(writer, DER_CONTEXT(1));
    struct der_mark octets = der_begin(writer, DER_OCTET_STRING);
    struct der_mark of_type = der_begin(writer, DER_SEQUENCE);
    if (credentials->type == TS_PASSWORD) {
        octets_write(writer, 0, credentials->domain);
        octets_write(writer, 1, credentials->user);
        octets_write(writer, 2, credentials->password);
    } else if (credentials->type == TS_SMART_CARD)
        smart_card_write(writer, credentials);
    else
        remote_guard_write(writer, credentials);
    der_end(writer, of_type);
    der_end(writer, octets);
    der_end(writer, field);
    der_end(writer, whole);
}
