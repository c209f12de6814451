#include "kerberos/ap.h"

#include "base/memory.h"
#include "base/secret.h"
#include "base/utf16.h"
#include "kerberos/time_text.h"
#include "wire/der.h"
#include <string.h>

#define PVNO 5
#define AP_REQ_TYPE 14
#define AP_REP_TYPE 15
#define TICKET_TAG 1
#define AUTHENTICATOR_TAG 2
#define TICKET_PART_TAG 3
#define CRED_TYPE 22
#define AP_REP_PART_TAG 27
#define CRED_PART_TAG 29

/* [n] around one element of a SEQUENCE. A field that is whole and yet lacks something is beyond mending: WIRE_BAD. */
static enum wire_result field_read(struct reader *fields, unsigned n, struct reader *field)
{
    struct slice content;
    require(der_read(fields, (uint8_t)DER_CONTEXT(n), &content) == WIRE_OK, WIRE_BAD);
    *field = reader_of(content);
    return WIRE_OK;
}

static bool field_is_next(const struct reader *fields, unsigned n)
{
    return der_peek(fields, (uint8_t)DER_CONTEXT(n));
}

static enum wire_result content_read(struct reader *fields, unsigned n, uint8_t tag, struct slice *content)
{
    struct reader field;
    try(field_read(fields, n, &field));
    require(der_read(&field, tag, content) == WIRE_OK && reader_end(&field) == WIRE_OK, WIRE_BAD);
    return WIRE_OK;
}

static enum wire_result integer_read(struct reader *fields, unsigned n, int64_t *value)
{
    struct reader field;
    try(field_read(fields, n, &field));
    require(der_read_integer(&field, DER_INTEGER, value) == WIRE_OK && reader_end(&field) == WIRE_OK, WIRE_BAD);
    return WIRE_OK;
}

static enum wire_result int32_read(struct reader *fields, unsigned n, int32_t *value)
{
    int64_t wide;
    try(integer_read(fields, n, &wide));
    require(wide >= INT32_MIN && wide <= INT32_MAX, WIRE_BAD);
    *value = (int32_t)wide;
    return WIRE_OK;
}

/* UInt32; some peers write those above 2^31 as negative numbers (RFC 4121's errata; MIT and Heimdal of before 2006). */
static enum wire_result uint32_read(struct reader *fields, unsigned n, uint32_t *value)
{
    int64_t wide;
    try(integer_read(fields, n, &wide));
    require(wide >= INT32_MIN && wide <= UINT32_MAX, WIRE_BAD);
    *value = (uint32_t)wide;
    return WIRE_OK;
}

static enum wire_result constant_read(struct reader *fields, unsigned n, int64_t wanted)
{
    int64_t value;
    try(integer_read(fields, n, &value));
    return value == wanted ? WIRE_OK : WIRE_BAD;
}

/* KerberosFlags (RFC 4120 5.2.8): at least 32 bits, of which the first 32 have meanings. */
static enum wire_result flags_read(struct reader *fields, unsigned n, uint32_t *flags)
{
    struct slice bits;
    uint8_t unused;
    try(content_read(fields, n, DER_BIT_STRING, &bits));
    struct reader reader = reader_of(bits);
    require(reader_u8(&reader, &unused) == WIRE_OK && unused == 0, WIRE_BAD);
    require(reader_u32be(&reader, flags) == WIRE_OK, WIRE_BAD);
    return WIRE_OK;
}

static enum wire_result time_read(struct reader *fields, unsigned n, int64_t *time)
{
    struct slice text;
    try(content_read(fields, n, DER_GENERALIZED_TIME, &text));
    return krb_time_parse(text, time);
}

static enum wire_result name_read(struct reader *fields, unsigned n_realm, unsigned n_name, struct krb_name *name)
{
    struct reader field;
    try(field_read(fields, n_realm, &field));
    require(krb_realm_read(&field, &name->realm) == WIRE_OK && reader_end(&field) == WIRE_OK, WIRE_BAD);
    try(field_read(fields, n_name, &field));
    require(krb_name_read(&field, name) == WIRE_OK && reader_end(&field) == WIRE_OK, WIRE_BAD);
    return WIRE_OK;
}

/* EncryptionKey (5.2.9). A key whose type is not ours cannot be used: WIRE_BAD. */
static enum wire_result key_read(struct reader *fields, unsigned n, struct krb_key *key)
{
    struct slice body, bytes;
    int32_t enctype;
    try(content_read(fields, n, DER_SEQUENCE, &body));
    struct reader parts = reader_of(body);
    try(int32_read(&parts, 0, &enctype));
    try(content_read(&parts, 1, DER_OCTET_STRING, &bytes));
    try(reader_end(&parts));
    return krb_key_set(key, enctype, bytes) ? WIRE_OK : WIRE_BAD;
}

static enum wire_result encrypted_read(struct reader *fields, unsigned n, struct krb_encrypted *encrypted)
{
    struct slice body;
    try(content_read(fields, n, DER_SEQUENCE, &body));
    struct reader parts = reader_of(body);
    try(int32_read(&parts, 0, &encrypted->enctype));
    encrypted->has_kvno = field_is_next(&parts, 1);
    encrypted->kvno = 0;
    if (encrypted->has_kvno)
        try(uint32_read(&parts, 1, &encrypted->kvno));
    try(content_read(&parts, 2, DER_OCTET_STRING, &encrypted->cipher));
    return reader_end(&parts);
}

/* [APPLICATION n] SEQUENCE, and nothing behind it. */
static enum wire_result message_read(struct slice message, unsigned n, struct reader *fields)
{
    struct reader whole = reader_of(message);
    struct slice content;
    require(der_read(&whole, (uint8_t)DER_APPLICATION(n), &content) == WIRE_OK && reader_end(&whole) == WIRE_OK,
            WIRE_BAD);
    whole = reader_of(content);
    require(der_read(&whole, DER_SEQUENCE, &content) == WIRE_OK && reader_end(&whole) == WIRE_OK, WIRE_BAD);
    *fields = reader_of(content);
    return WIRE_OK;
}

enum wire_result krb_ticket_parse(struct slice message, struct krb_ticket *ticket)
{
    struct reader fields;
    struct krb_ticket parsed = {0};
    try(message_read(message, TICKET_TAG, &fields));
    try(constant_read(&fields, 0, PVNO));
    try(name_read(&fields, 1, 2, &parsed.server));
    try(encrypted_read(&fields, 3, &parsed.part));
    try(reader_end(&fields));
    *ticket = parsed;
    return WIRE_OK;
}

static enum wire_result transited_read(struct reader *fields, struct krb_ticket_part *part)
{
    struct slice body;
    try(content_read(fields, 4, DER_SEQUENCE, &body));
    struct reader parts = reader_of(body);
    try(integer_read(&parts, 0, &part->transited_type));
    try(content_read(&parts, 1, DER_OCTET_STRING, &part->transited));
    return reader_end(&parts);
}

static enum wire_result ticket_part_fields(struct reader *fields, struct krb_ticket_part *part)
{
    struct slice ignored;
    try(flags_read(fields, 0, &part->flags));
    try(key_read(fields, 1, &part->key));
    try(name_read(fields, 2, 3, &part->client));
    try(transited_read(fields, part));
    try(time_read(fields, 5, &part->auth_time));
    part->start_time = part->auth_time;
    if (field_is_next(fields, 6))
        try(time_read(fields, 6, &part->start_time));
    try(time_read(fields, 7, &part->end_time));
    if (field_is_next(fields, 8))
        try(time_read(fields, 8, &part->renew_till));
    if (field_is_next(fields, 9)) /* caddr: behind translators they say nothing, and KDCs stopped to write them */
        try(content_read(fields, 9, DER_SEQUENCE, &ignored));
    if (field_is_next(fields, 10))
        try(content_read(fields, 10, DER_SEQUENCE, &part->authorization));
    return reader_end(fields);
}

enum wire_result krb_ticket_part_parse(struct slice plain, struct krb_ticket_part *part)
{
    struct reader fields;
    struct krb_ticket_part parsed = {0};
    try(message_read(plain, TICKET_PART_TAG, &fields));
    enum wire_result result = ticket_part_fields(&fields, &parsed);
    if (result == WIRE_OK)
        *part = parsed;
    krb_key_wipe(&parsed.key);
    return result;
}

enum wire_result krb_ap_req_parse(struct slice message, struct krb_ap_req *request)
{
    struct reader fields, field;
    struct krb_ap_req parsed = {0};
    try(message_read(message, AP_REQ_TYPE, &fields));
    try(constant_read(&fields, 0, PVNO));
    try(constant_read(&fields, 1, AP_REQ_TYPE));
    try(flags_read(&fields, 2, &parsed.options));
    try(field_read(&fields, 3, &field));
    parsed.ticket_message = reader_rest(&field);
    try(krb_ticket_parse(parsed.ticket_message, &parsed.ticket));
    try(encrypted_read(&fields, 4, &parsed.authenticator));
    try(reader_end(&fields));
    *request = parsed;
    return WIRE_OK;
}

/* Writing. */

static void integer_write(struct writer *writer, unsigned n, int64_t value)
{
    struct der_mark field = der_begin(writer, (uint8_t)DER_CONTEXT(n));
    der_write_integer(writer, DER_INTEGER, value);
    der_end(writer, field);
}

static void content_write(struct writer *writer, unsigned n, uint8_t tag, struct slice content)
{
    struct der_mark field = der_begin(writer, (uint8_t)DER_CONTEXT(n));
    der_write(writer, tag, content);
    der_end(writer, field);
}

static void encrypted_write(struct writer *writer, unsigned n, const struct krb_encrypted *encrypted)
{
    struct der_mark field = der_begin(writer, (uint8_t)DER_CONTEXT(n));
    struct der_mark body = der_begin(writer, DER_SEQUENCE);
    integer_write(writer, 0, encrypted->enctype);
    if (encrypted->has_kvno)
        integer_write(writer, 1, encrypted->kvno);
    content_write(writer, 2, DER_OCTET_STRING, encrypted->cipher);
    der_end(writer, body);
    der_end(writer, field);
}

static void key_write(struct writer *writer, unsigned n, const struct krb_key *key)
{
    struct der_mark field = der_begin(writer, (uint8_t)DER_CONTEXT(n));
    struct der_mark body = der_begin(writer, DER_SEQUENCE);
    integer_write(writer, 0, key->enctype);
    content_write(writer, 1, DER_OCTET_STRING, slice_of(key->bytes, key->len));
    der_end(writer, body);
    der_end(writer, field);
}

static void time_write(struct writer *writer, unsigned n, int64_t time)
{
    uint8_t text[KRB_TIME_LEN];
    if (krb_time_text(time, text))
        content_write(writer, n, DER_GENERALIZED_TIME, slice_of(text, sizeof text));
    else
        writer->failed = true;
}

static void name_write(struct writer *writer, unsigned n_realm, unsigned n_name, const struct krb_name *name)
{
    struct der_mark field = der_begin(writer, (uint8_t)DER_CONTEXT(n_realm));
    krb_realm_write(writer, name->realm);
    der_end(writer, field);
    field = der_begin(writer, (uint8_t)DER_CONTEXT(n_name));
    krb_name_write(writer, name);
    der_end(writer, field);
}

void krb_ap_req_write(struct writer *writer, const struct krb_ap_req *request)
{
    uint8_t bits[5] = {0, (uint8_t)(request->options >> 24), (uint8_t)(request->options >> 16),
                       (uint8_t)(request->options >> 8), (uint8_t)request->options};
    struct der_mark whole = der_begin(writer, DER_APPLICATION(AP_REQ_TYPE)), body = der_begin(writer, DER_SEQUENCE);
    integer_write(writer, 0, PVNO);
    integer_write(writer, 1, AP_REQ_TYPE);
    content_write(writer, 2, DER_BIT_STRING, slice_of(bits, sizeof bits));
    struct der_mark field = der_begin(writer, DER_CONTEXT(3));
    writer_slice(writer, request->ticket_message);
    der_end(writer, field);
    encrypted_write(writer, 4, &request->authenticator);
    der_end(writer, body);
    der_end(writer, whole);
}

static enum wire_result checksum_read(struct reader *fields, struct krb_authenticator *authenticator)
{
    struct slice body;
    try(content_read(fields, 3, DER_SEQUENCE, &body));
    struct reader parts = reader_of(body);
    try(int32_read(&parts, 0, &authenticator->checksum_type));
    try(content_read(&parts, 1, DER_OCTET_STRING, &authenticator->checksum));
    authenticator->has_checksum = true;
    return reader_end(&parts);
}

static enum wire_result microseconds_read(struct reader *fields, unsigned n, uint32_t *microseconds)
{
    try(uint32_read(fields, n, microseconds));
    return *microseconds <= 999999 ? WIRE_OK : WIRE_BAD;
}

static enum wire_result authenticator_fields(struct reader *fields, struct krb_authenticator *authenticator)
{
    try(constant_read(fields, 0, PVNO));
    try(name_read(fields, 1, 2, &authenticator->client));
    if (field_is_next(fields, 3))
        try(checksum_read(fields, authenticator));
    try(microseconds_read(fields, 4, &authenticator->microseconds));
    try(time_read(fields, 5, &authenticator->time));
    if (field_is_next(fields, 6))
        try(key_read(fields, 6, &authenticator->subkey));
    if (field_is_next(fields, 7))
        try(uint32_read(fields, 7, &authenticator->seq));
    if (field_is_next(fields, 8))
        try(content_read(fields, 8, DER_SEQUENCE, &authenticator->authorization));
    return reader_end(fields);
}

enum wire_result krb_authenticator_parse(struct slice plain, struct krb_authenticator *authenticator)
{
    struct reader fields;
    struct krb_authenticator parsed = {0};
    try(message_read(plain, AUTHENTICATOR_TAG, &fields));
    enum wire_result result = authenticator_fields(&fields, &parsed);
    if (result == WIRE_OK)
        *authenticator = parsed;
    krb_key_wipe(&parsed.subkey);
    return result;
}

/* An element of AuthorizationData up to its content; `marks` end it, the last one first. */
static void element_begin(struct writer *writer, int32_t type, struct der_mark marks[3])
{
    marks[0] = der_begin(writer, DER_SEQUENCE);
    integer_write(writer, 0, type);
    marks[1] = der_begin(writer, DER_CONTEXT(1));
    marks[2] = der_begin(writer, DER_OCTET_STRING);
}

static void element_end(struct writer *writer, const struct der_mark marks[3])
{
    for (int i = 2; i >= 0; i--)
        der_end(writer, marks[i]);
}

/* AD-ETYPE-NEGOTIATION (RFC 4537, section 3). */
static void etypes_write(struct writer *writer, const int32_t *enctypes, size_t n_enctypes)
{
    struct der_mark element[3];
    element_begin(writer, KRB_AD_ETYPE_NEGOTIATION, element);
    struct der_mark list = der_begin(writer, DER_SEQUENCE);
    for (size_t i = 0; i < n_enctypes; i++)
        der_write_integer(writer, DER_INTEGER, enctypes[i]);
    der_end(writer, list);
    element_end(writer, element);
}

/* AD-IF-RELEVANT with all that is told (MS-KILE 3.2.5.8: in the first one). */
static void told_write(struct writer *writer, unsigned n, const struct krb_initiator_data *told)
{
    struct der_mark element[3], option[3], target[3];
    struct der_mark field = der_begin(writer, (uint8_t)DER_CONTEXT(n)), outer = der_begin(writer, DER_SEQUENCE);
    element_begin(writer, KRB_AD_IF_RELEVANT, element);
    struct der_mark inner = der_begin(writer, DER_SEQUENCE);
    if (told->n_enctypes > 0)
        etypes_write(writer, told->enctypes, told->n_enctypes);
    if (told->ap_options != 0) {
        element_begin(writer, KRB_AD_AP_OPTIONS, option);
        writer_u32le(writer, told->ap_options);
        element_end(writer, option);
    }
    if (told->target != NULL) {
        element_begin(writer, KRB_AD_CLIENT_TARGET, target);
        if (utf16le_write(writer, told->target) != WIRE_OK)
            writer->failed = true;
        element_end(writer, target);
    }
    der_end(writer, inner);
    element_end(writer, element);
    der_end(writer, outer);
    der_end(writer, field);
}

void krb_authenticator_write(struct writer *writer, const struct krb_authenticator *authenticator,
                             const struct krb_initiator_data *told)
{
    struct der_mark whole = der_begin(writer, DER_APPLICATION(AUTHENTICATOR_TAG));
    struct der_mark body = der_begin(writer, DER_SEQUENCE);
    integer_write(writer, 0, PVNO);
    name_write(writer, 1, 2, &authenticator->client);
    if (authenticator->has_checksum) {
        struct der_mark field = der_begin(writer, DER_CONTEXT(3)), parts = der_begin(writer, DER_SEQUENCE);
        integer_write(writer, 0, authenticator->checksum_type);
        content_write(writer, 1, DER_OCTET_STRING, authenticator->checksum);
        der_end(writer, parts);
        der_end(writer, field);
    }
    integer_write(writer, 4, authenticator->microseconds);
    time_write(writer, 5, authenticator->time);
    if (authenticator->subkey.enctype != 0)
        key_write(writer, 6, &authenticator->subkey);
    integer_write(writer, 7, authenticator->seq);
    if (told != NULL && (told->n_enctypes > 0 || told->ap_options != 0 || told->target != NULL))
        told_write(writer, 8, told);
    der_end(writer, body);
    der_end(writer, whole);
}

enum wire_result krb_ap_rep_parse(struct slice message, struct krb_encrypted *part)
{
    struct reader fields;
    struct krb_encrypted parsed = {0};
    try(message_read(message, AP_REP_TYPE, &fields));
    try(constant_read(&fields, 0, PVNO));
    try(constant_read(&fields, 1, AP_REP_TYPE));
    try(encrypted_read(&fields, 2, &parsed));
    try(reader_end(&fields));
    *part = parsed;
    return WIRE_OK;
}

void krb_ap_rep_write(struct writer *writer, const struct krb_encrypted *part)
{
    struct der_mark whole = der_begin(writer, DER_APPLICATION(AP_REP_TYPE)), body = der_begin(writer, DER_SEQUENCE);
    integer_write(writer, 0, PVNO);
    integer_write(writer, 1, AP_REP_TYPE);
    encrypted_write(writer, 2, part);
    der_end(writer, body);
    der_end(writer, whole);
}

static enum wire_result ap_rep_part_fields(struct reader *fields, struct krb_ap_rep_part *part)
{
    try(time_read(fields, 0, &part->time));
    try(microseconds_read(fields, 1, &part->microseconds));
    if (field_is_next(fields, 2))
        try(key_read(fields, 2, &part->subkey));
    part->has_seq = field_is_next(fields, 3);
    if (part->has_seq)
        try(uint32_read(fields, 3, &part->seq));
    return reader_end(fields);
}

enum wire_result krb_ap_rep_part_parse(struct slice plain, struct krb_ap_rep_part *part)
{
    struct reader fields;
    struct krb_ap_rep_part parsed = {0};
    try(message_read(plain, AP_REP_PART_TAG, &fields));
    enum wire_result result = ap_rep_part_fields(&fields, &parsed);
    if (result == WIRE_OK)
        *part = parsed;
    krb_key_wipe(&parsed.subkey);
    return result;
}

void krb_ap_rep_part_write(struct writer *writer, const struct krb_ap_rep_part *part)
{
    struct der_mark whole = der_begin(writer, DER_APPLICATION(AP_REP_PART_TAG)), body = der_begin(writer, DER_SEQUENCE);
    time_write(writer, 0, part->time);
    integer_write(writer, 1, part->microseconds);
    if (part->subkey.enctype != 0)
        key_write(writer, 2, &part->subkey);
    if (part->has_seq)
        integer_write(writer, 3, part->seq);
    der_end(writer, body);
    der_end(writer, whole);
}

enum wire_result krb_cred_parse(struct slice message, struct krb_cred *cred)
{
    struct reader fields;
    struct slice tickets, first;
    struct krb_ticket ticket;
    struct krb_cred parsed;
    size_t len;
    try(message_read(message, CRED_TYPE, &fields));
    try(constant_read(&fields, 0, PVNO));
    try(constant_read(&fields, 1, CRED_TYPE));
    try(content_read(&fields, 2, DER_SEQUENCE, &tickets));
    require(der_total_len(tickets, &len) == WIRE_OK && slice_at(tickets, 0, len, &first) == WIRE_OK, WIRE_BAD);
    try(krb_ticket_parse(first, &ticket));
    parsed.ticket_message = first;
    try(encrypted_read(&fields, 3, &parsed.part));
    try(reader_end(&fields));
    *cred = parsed;
    return WIRE_OK;
}

static enum wire_result cred_info_fields(struct reader *fields, struct krb_cred_info *info)
{
    int64_t *const times[] = {&info->auth_time, &info->start_time, &info->end_time, &info->renew_till};
    struct slice key, ignored;
    try(content_read(fields, 0, DER_SEQUENCE, &key));
    struct reader parts = reader_of(key);
    try(int32_read(&parts, 0, &info->enctype));
    try(content_read(&parts, 1, DER_OCTET_STRING, &info->key));
    try(reader_end(&parts));
    try(name_read(fields, 1, 2, &info->client));
    if (field_is_next(fields, 3))
        try(flags_read(fields, 3, &info->flags));
    for (unsigned i = 0; i < COUNT_OF(times); i++)
        if (field_is_next(fields, 4 + i))
            try(time_read(fields, 4 + i, times[i]));
    try(name_read(fields, 8, 9, &info->server));
    if (field_is_next(fields, 10)) /* caddr */
        try(content_read(fields, 10, DER_SEQUENCE, &ignored));
    return reader_end(fields);
}

enum wire_result krb_cred_info_parse(struct slice plain, struct krb_cred_info *info)
{
    struct reader fields;
    struct slice infos, first;
    struct krb_cred_info parsed = {0};
    try(message_read(plain, CRED_PART_TAG, &fields));
    try(content_read(&fields, 0, DER_SEQUENCE, &infos));
    struct reader list = reader_of(infos);
    require(der_read(&list, DER_SEQUENCE, &first) == WIRE_OK, WIRE_BAD);
    struct reader entry = reader_of(first);
    try(cred_info_fields(&entry,
                         &parsed)); /* what follows, nonce, time and addresses, the AP-REQ around it has better */
    *info = parsed;
    return WIRE_OK;
}

enum wire_result krb_authdata_next(struct reader *list, struct krb_authdata *element)
{
    struct slice body;
    struct krb_authdata read;
    require(reader_left(list) > 0, WIRE_SHORT);
    require(der_read(list, DER_SEQUENCE, &body) == WIRE_OK, WIRE_BAD);
    struct reader fields = reader_of(body);
    try(int32_read(&fields, 0, &read.type));
    try(content_read(&fields, 1, DER_OCTET_STRING, &read.data));
    try(reader_end(&fields));
    *element = read;
    return WIRE_OK;
}

enum wire_result krb_authdata_inside(struct slice data, struct reader *list)
{
    struct reader whole = reader_of(data);
    struct slice content;
    require(der_read(&whole, DER_SEQUENCE, &content) == WIRE_OK && reader_end(&whole) == WIRE_OK, WIRE_BAD);
    *list = reader_of(content);
    return WIRE_OK;
}

bool krb_authdata_find(struct slice authorization, int32_t type, struct slice *data)
{
    struct reader list = reader_of(authorization), inside;
    struct krb_authdata element;
    while (authorization.data != NULL && krb_authdata_next(&list, &element) == WIRE_OK) {
        bool found = element.type == type;
        if (!found && element.type == KRB_AD_IF_RELEVANT && krb_authdata_inside(element.data, &inside) == WIRE_OK)
            while (!found && krb_authdata_next(&inside, &element) == WIRE_OK)
                found = element.type == type;
        if (found) {
            *data = element.data;
            return true;
        }
    }
    return false;
}

enum wire_result krb_etype_list_next(struct reader *list, int32_t *enctype)
{
    int64_t value;
    require(reader_left(list) > 0, WIRE_SHORT);
    require(der_read_integer(list, DER_INTEGER, &value) == WIRE_OK, WIRE_BAD);
    require(value >= INT32_MIN && value <= INT32_MAX, WIRE_BAD);
    *enctype = (int32_t)value;
    return WIRE_OK;
}
