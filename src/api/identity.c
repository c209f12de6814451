#include "api/api.h"

#include "api/identity.h"
#include "base/hex.h"
#include "base/memory.h"
#include "base/reader.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "core/status.h"
#include <sspi_ext.h>
#include <string.h>

/* A plain structure begins with a pointer, whose upper half on 64-bit systems is far above any length of an EX structure. */
#define IDENTITY_EX_LENGTH_MAX 4096
#define IDENTITY_EX2_MAX 0x20000 /* twice what 16-bit lengths can name */

SECURITY_STATUS identity_field_text(struct field field, bool wide, char **text)
{
    require(field.n_units <= IDENTITY_UNITS_MAX,
            cause_set(SEC_E_INVALID_TOKEN, "an identity with a name of %zu characters", field.n_units));
    if (field.text == NULL)
        return field.n_units == 0 ? SEC_E_OK : cause_set(SEC_E_INVALID_TOKEN, "an identity with a length but no text");
    if (wide)
        require(utf16le_to_text(slice_of(field.text, field.n_units * 2), text) == WIRE_OK,
                cause_answer(cause_set(SEC_E_INVALID_TOKEN, "a name in the identity is not valid UTF-16")));
    else {
        require(utf8_valid(slice_of(field.text, field.n_units)),
                cause_set(SEC_E_INVALID_TOKEN, "a name in the identity is not valid UTF-8"));
        *text = mem_dup(field.text, field.n_units);
        require(*text != NULL, SEC_E_INSUFFICIENT_MEMORY);
    }
    return SEC_E_OK;
}

SECURITY_STATUS identity_field_password(struct field field, bool wide, struct identity *identity)
{
    if (field.text == NULL)
        return SEC_E_OK;
    require(field.n_units <= IDENTITY_UNITS_MAX,
            cause_set(SEC_E_INVALID_TOKEN, "an identity with a password of %zu characters", field.n_units));
    identity->has_password = true;
    if (wide)
        return secret_set(&identity->password, field.text, field.n_units * 2) ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
    require(utf8_valid(slice_of(field.text, field.n_units)),
            cause_set(SEC_E_INVALID_TOKEN, "the password in the identity is not valid UTF-8"));
    char *text = mem_dup(field.text, field.n_units);
    require(text != NULL, SEC_E_INSUFFICIENT_MEMORY);
    bool set = utf16le_secret(&identity->password, text) == WIRE_OK;
    secret_free_text(text);
    return set ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* OPENSSPI_AUTH_IDENTITY_NT_HASH: the password is the NT hash in 32 hexadecimal digits. */
static SECURITY_STATUS password_is_hash(struct identity *identity)
{
    AUTO_KEY16 struct key16 hash;
    SECURITY_STATUS bad = SEC_E_INVALID_TOKEN;
    require(identity->password.len == 64,
            cause_set(bad, "the identity's flags promise an NT hash: 32 hexadecimal digits"));
    for (size_t i = 0; i < 16; i++) {
        int digit[2];
        for (size_t j = 0; j < 2; j++) {
            const uint8_t *unit = identity->password.data + 4 * i + 2 * j;
            digit[j] = hex_digit((uint16_t)(unit[0] | unit[1] << 8));
        }
        require(digit[0] >= 0 && digit[1] >= 0,
                cause_set(bad, "the identity's flags promise an NT hash: 32 hexadecimal digits"));
        hash.bytes[i] = (uint8_t)(digit[0] << 4 | digit[1]);
    }
    identity->password_is_hash = true;
    return secret_set(&identity->password, hash.bytes, sizeof hash.bytes) ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* OPENSSPI_AUTH_IDENTITY_KEYTAB and _X509: what stands for the password is a name. */
static SECURITY_STATUS password_is_name(struct identity *identity, enum identity_proof kind)
{
    AUTO_FREE char *text = NULL;
    require(utf16le_to_text(secret_slice(&identity->password), &text) == WIRE_OK && *text != '\0',
            cause_set(SEC_E_INVALID_TOKEN, "the identity's flags promise the name of a keytab or of a certificate"));
    require(secret_set(&identity->proof, text, strlen(text)), SEC_E_INSUFFICIENT_MEMORY);
    secret_release(&identity->password);
    identity->has_password = false;
    identity->proof_kind = kind;
    return SEC_E_OK;
}

/* What the password is, by the flags that are ours. */
static SECURITY_STATUS password_form(uint32_t flags, struct identity *identity)
{
    uint32_t form = flags & IDENTITY_PASSWORD_FORMS;
    require((form & (form - 1)) == 0,
            cause_set(SEC_E_INVALID_TOKEN, "the identity's flags promise two things for a password at once"));
    if (form == 0 || !identity->has_password)
        return SEC_E_OK;
    if (form == OPENSSPI_AUTH_IDENTITY_NT_HASH)
        return password_is_hash(identity);
    return password_is_name(identity, form == OPENSSPI_AUTH_IDENTITY_KEYTAB ? IDENTITY_KEYTAB : IDENTITY_CERTIFICATE);
}

static SECURITY_STATUS piece_text(struct slice whole, uint32_t offset, uint16_t len, struct field *field)
{
    struct slice piece;
    require(len % 2 == 0 && slice_at(whole, offset, len, &piece) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "an EX2 identity whose offsets lie outside it"));
    if (len > 0)
        *field = (struct field){.text = piece.data, .n_units = len / 2u};
    return SEC_E_OK;
}

static const char packed_bad[] = "an EX2 identity with packed credentials that are damaged";

/* An offset and a length; the offset counts from the start of the structure that holds them. */
static SECURITY_STATUS vector_read(struct slice whole, struct reader *reader, struct slice *bytes)
{
    uint32_t offset;
    uint16_t len;
    require(reader_u32le(reader, &offset) == WIRE_OK && reader_u16le(reader, &len) == WIRE_OK &&
                slice_at(whole, offset, len, bytes) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "%s", packed_bad));
    return SEC_E_OK;
}

/* SEC_WINNT_AUTH_DATA_PASSWORD */
static SECURITY_STATUS packed_password(struct slice data, struct field *password)
{
    struct reader reader = reader_of(data);
    struct slice text;
    try(vector_read(data, &reader, &text));
    require(text.len % 2 == 0, cause_set(SEC_E_INVALID_TOKEN, "%s", packed_bad));
    *password = (struct field){.text = text.data, .n_units = text.len / 2};
    return SEC_E_OK;
}

static SECURITY_STATUS proof_name(struct slice units, enum identity_proof kind, struct identity *identity)
{
    AUTO_FREE char *text = NULL;
    require(utf16le_to_text(units, &text) == WIRE_OK && *text != '\0',
            cause_set(
                SEC_E_UNKNOWN_CREDENTIALS,
                "packed credentials of an EX2 identity that are neither a keytab nor the name of what they stand for"));
    identity->proof_kind = kind;
    return secret_set(&identity->proof, text, strlen(text)) ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* What a keytab file holds, as it begins with its version, 5 and 1 or 2; or the name of one. */
static SECURITY_STATUS packed_keytab(struct slice data, struct identity *identity)
{
    if (data.len < 2 || data.data[0] != 5 || (data.data[1] != 1 && data.data[1] != 2))
        return proof_name(data, IDENTITY_KEYTAB, identity);
    identity->proof_kind = IDENTITY_KEYTAB_FILE;
    return secret_set(&identity->proof, data.data, data.len) ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* SEC_WINNT_AUTH_CERTIFICATE_DATA. There is no store to look a bare certificate's key up in: what it holds is a name. */
static SECURITY_STATUS packed_certificate(struct slice data, struct identity *identity)
{
    struct reader reader = reader_of(data);
    struct slice name;
    require(reader_skip(&reader, 4) == WIRE_OK, cause_set(SEC_E_INVALID_TOKEN, "%s", packed_bad));
    try(vector_read(data, &reader, &name));
    return proof_name(name, IDENTITY_CERTIFICATE, identity);
}

/* SEC_WINNT_AUTH_PACKED_CREDENTIALS: two lengths, the type, and where its data is. An offset counts from the structure that holds it. */
static SECURITY_STATUS packed_head(struct slice packed, GUID *type, struct slice *data)
{
    struct reader reader = reader_of(packed);
    require(reader_skip(&reader, 4) == WIRE_OK && reader_copy(&reader, type, sizeof *type) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "%s", packed_bad));
    return vector_read(packed, &reader, data);
}

SECURITY_STATUS identity_packed_password(struct slice packed, struct field *password)
{
    struct slice data;
    GUID type;
    try(packed_head(packed, &type, &data));
    require(memcmp(&type, &SEC_WINNT_AUTH_DATA_TYPE_PASSWORD, sizeof type) == 0,
            cause_set(SEC_E_UNKNOWN_CREDENTIALS, "an EX2 identity with packed credentials other than a password"));
    return packed_password(data, password);
}

static SECURITY_STATUS packed_read(struct slice packed, struct field *password, struct identity *identity)
{
    struct slice data;
    GUID type;
    try(packed_head(packed, &type, &data));
    if (memcmp(&type, &SEC_WINNT_AUTH_DATA_TYPE_PASSWORD, sizeof type) == 0)
        return packed_password(data, password);
    if (memcmp(&type, &SEC_WINNT_AUTH_DATA_TYPE_KEYTAB, sizeof type) == 0)
        return packed_keytab(data, identity);
    if (memcmp(&type, &SEC_WINNT_AUTH_DATA_TYPE_CERT, sizeof type) == 0)
        return packed_certificate(data, identity);
    return cause_set(SEC_E_UNKNOWN_CREDENTIALS,
                     "an EX2 identity with packed credentials other than a password, a keytab or a certificate");
}

static SECURITY_STATUS fields_read(const struct identity_fields *fields, struct identity *identity)
{
    struct field password = fields->password;
    if (fields->packed.len > 0)
        try(packed_read(fields->packed, &password, identity));
    try(identity_field_text(fields->user, fields->wide, &identity->user));
    try(identity_field_text(fields->domain, fields->wide, &identity->domain));
    try(identity_field_text(fields->packages, fields->wide, &identity->packages));
    try(identity_field_password(password, fields->wide, identity));
    return password_form(fields->flags, identity);
}

/* SEC_WINNT_AUTH_IDENTITY_EX2: one block, offsets and lengths in bytes, text in UTF-16. The header has holes where C aligns. */
SECURITY_STATUS identity_fields_of_ex2(struct slice bytes, struct identity_fields *fields)
{
    struct reader reader = reader_of(bytes);
    uint32_t version = 0, size = 0, flags = 0, offset[4];
    uint16_t header = 0, hole, len[4];
    bool read = reader_u32le(&reader, &version) == WIRE_OK && reader_u16le(&reader, &header) == WIRE_OK &&
                reader_u16le(&reader, &hole) == WIRE_OK && reader_u32le(&reader, &size) == WIRE_OK;
    for (unsigned i = 0; i < 4; i++) { /* user, domain, packed credentials; flags; package list */
        if (i == 3)
            read = read && reader_u32le(&reader, &flags) == WIRE_OK;
        read = read && reader_u32le(&reader, &offset[i]) == WIRE_OK && reader_u16le(&reader, &len[i]) == WIRE_OK &&
               reader_u16le(&reader, &hole) == WIRE_OK;
    }
    require(read && version == SEC_WINNT_AUTH_IDENTITY_VERSION_2 && header >= sizeof(SEC_WINNT_AUTH_IDENTITY_EX2) &&
                size == bytes.len && header <= size && size <= IDENTITY_EX2_MAX,
            cause_set(SEC_E_INVALID_TOKEN, "an EX2 identity with impossible lengths"));
    struct identity_fields found = {.whole = bytes, .flags = flags, .wide = true};
    try(piece_text(bytes, offset[0], len[0], &found.user));
    try(piece_text(bytes, offset[1], len[1], &found.domain));
    try(piece_text(bytes, offset[3], len[3], &found.packages));
    require(slice_at(bytes, offset[2], len[2], &found.packed) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "an EX2 identity whose offsets lie outside it"));
    *fields = found;
    return SEC_E_OK;
}

enum identity_form identity_form(const void *auth_data)
{
    const SEC_WINNT_AUTH_IDENTITY_EXW *ex = auth_data;
    if (ex->Version == SEC_WINNT_AUTH_IDENTITY_VERSION_2)
        return IDENTITY_FORM_EX2;
    bool is_ex = ex->Version == SEC_WINNT_AUTH_IDENTITY_VERSION && ex->Length <= IDENTITY_EX_LENGTH_MAX;
    return is_ex ? IDENTITY_FORM_EX : IDENTITY_FORM_PLAIN;
}

SECURITY_STATUS identity_fields_find(const void *auth_data, bool wide_call, struct identity_fields *fields)
{
    const SEC_WINNT_AUTH_IDENTITY_EXW *ex = auth_data;
    const enum identity_form form = identity_form(auth_data);
    if (form == IDENTITY_FORM_EX2)
        return identity_fields_of_ex2(
            slice_of(auth_data, ((const SEC_WINNT_AUTH_IDENTITY_EX2 *)auth_data)->cbStructureLength), fields);
    if (form == IDENTITY_FORM_EX) {
        *fields = (struct identity_fields){
            .user = {ex->User, ex->UserLength},
            .domain = {ex->Domain, ex->DomainLength},
            .password = {ex->Password, ex->PasswordLength},
            .packages = {ex->PackageList, ex->PackageListLength},
            .flags = ex->Flags,
        };
    } else {
        const SEC_WINNT_AUTH_IDENTITY_W *plain = auth_data;
        *fields = (struct identity_fields){
            .user = {plain->User, plain->UserLength},
            .domain = {plain->Domain, plain->DomainLength},
            .password = {plain->Password, plain->PasswordLength},
            .flags = plain->Flags,
        };
    }
    fields->wide = wide_call;
    if ((fields->flags & SEC_WINNT_AUTH_IDENTITY_UNICODE) != 0)
        fields->wide = true;
    else if ((fields->flags & SEC_WINNT_AUTH_IDENTITY_ANSI) != 0)
        fields->wide = false;
    return SEC_E_OK;
}

SECURITY_STATUS api_identity_read(const void *auth_data, bool wide_call, struct identity *identity)
{
    AUTO_IDENTITY struct identity read = {0};
    AUTO_SECRET struct secret copy = {0};
    struct identity_fields fields;
    try(identity_fields_find(auth_data, wide_call, &fields));
    if (fields.whole.len > 0 && (fields.flags & IDENTITY_FLAGS_PROTECTED) != 0) {
        SECURITY_STATUS status = identity_unsealed_copy(fields.whole, &copy);
        require(status != SEC_E_DECRYPT_FAILURE, SEC_E_UNKNOWN_CREDENTIALS);
        try(status);
        try(identity_fields_of_ex2(secret_slice(&copy), &fields));
    }
    try(fields_read(&fields, &read));
    *identity = read;
    read = (struct identity){0};
    return SEC_E_OK;
}
