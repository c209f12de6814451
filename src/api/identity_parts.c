#include "api/identity.h"

#include "base/memory.h"
#include "base/reader.h"
#include "base/utf16.h"
#include "core/block.h"
#include "core/cause.h"
#include <stddef.h>
#include <string.h>

/* Flags that tell of the form, which every writing decides anew. */
#define FORM_FLAGS                                                                                         \
    (SEC_WINNT_AUTH_IDENTITY_ANSI | SEC_WINNT_AUTH_IDENTITY_UNICODE | SEC_WINNT_AUTH_IDENTITY_MARSHALLED | \
     SEC_WINNT_AUTH_IDENTITY_FLAGS_NULL_USER | SEC_WINNT_AUTH_IDENTITY_FLAGS_NULL_DOMAIN | IDENTITY_FLAGS_PROTECTED)

#define PACKED_LEN sizeof(SEC_WINNT_AUTH_PACKED_CREDENTIALS)
#define PASSWORD_LEN sizeof(SEC_WINNT_AUTH_DATA_PASSWORD)

void identity_parts_release(struct identity_parts *parts)
{
    mem_free(parts->user);
    mem_free(parts->domain);
    mem_free(parts->packages);
    secret_release(&parts->packed);
    *parts = (struct identity_parts){0};
}

/* SEC_WINNT_AUTH_PACKED_CREDENTIALS with its data right behind the header. */
static SECURITY_STATUS packed_write(const uint8_t type[16], struct slice data, struct secret *packed)
{
    size_t size = PACKED_LEN + data.len;
    require(size <= UINT16_MAX, cause_set(SEC_E_INVALID_TOKEN, "packed credentials of %zu bytes", size));
    AUTO_SECRET struct secret made = {0};
    require(secret_alloc(&made, size), SEC_E_INSUFFICIENT_MEMORY);
    struct writer writer = writer_fixed(made.data, made.len);
    writer_u16le(&writer, (uint16_t)PACKED_LEN);
    writer_u16le(&writer, (uint16_t)size);
    writer_bytes(&writer, type, 16);
    writer_u32le(&writer, (uint32_t)PACKED_LEN);
    writer_u16le(&writer, (uint16_t)data.len);
    writer_u16le(&writer, 0);
    writer_slice(&writer, data);
    secret_release(packed);
    *packed = made;
    made = (struct secret){0};
    return SEC_E_OK;
}

SECURITY_STATUS identity_pack_password(struct slice password, struct secret *packed)
{
    AUTO_SECRET struct secret data = {0};
    uint8_t type[16];
    memcpy(type, &SEC_WINNT_AUTH_DATA_TYPE_PASSWORD, sizeof type);
    require(password.len <= (size_t)2 * IDENTITY_UNITS_MAX,
            cause_set(SEC_E_INVALID_TOKEN, "an identity with a password of %zu characters", password.len / 2));
    require(secret_alloc(&data, PASSWORD_LEN + password.len), SEC_E_INSUFFICIENT_MEMORY);
    struct writer writer = writer_fixed(data.data, data.len);
    writer_u32le(&writer, (uint32_t)PASSWORD_LEN);
    writer_u16le(&writer, (uint16_t)password.len);
    writer_u16le(&writer, 0);
    writer_slice(&writer, password);
    return packed_write(type, secret_slice(&data), packed);
}

/* Brings packed credentials of any type into the layout that packed_write gives them, so that they compare byte by byte. */
static SECURITY_STATUS packed_read(struct slice bytes, struct secret *packed)
{
    struct reader reader = reader_of(bytes);
    uint16_t header, size, len;
    uint32_t offset;
    uint8_t type[16];
    struct slice data;
    require(reader_u16le(&reader, &header) == WIRE_OK && reader_u16le(&reader, &size) == WIRE_OK &&
                reader_copy(&reader, type, sizeof type) == WIRE_OK && reader_u32le(&reader, &offset) == WIRE_OK &&
                reader_u16le(&reader, &len) == WIRE_OK && header >= PACKED_LEN && header <= size && size <= bytes.len &&
                slice_at(slice_of(bytes.data, size), offset, len, &data) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "packed credentials whose lengths do not fit"));
    if (memcmp(type, &SEC_WINNT_AUTH_DATA_TYPE_PASSWORD, sizeof type) != 0)
        return packed_write(type, data, packed);
    struct field password;
    try(identity_packed_password(bytes, &password));
    return identity_pack_password(slice_of(password.text, password.n_units * 2), packed);
}

/* A field's text; one that is there and empty is not one that is missing. */
static SECURITY_STATUS part_text(struct field field, bool wide, bool missing, char **text)
{
    if (missing)
        return SEC_E_OK;
    if (field.text == NULL && field.n_units == 0)
        field.text = "";
    return identity_field_text(field, wide, text);
}

SECURITY_STATUS identity_parts_of_fields(const struct identity_fields *fields, struct identity_parts *parts)
{
    AUTO_PARTS struct identity_parts found = {.flags = fields->flags & ~(uint32_t)FORM_FLAGS};
    bool ex2 = fields->whole.len > 0;
    bool no_user = ex2 ? fields->user.text == NULL && (fields->flags & SEC_WINNT_AUTH_IDENTITY_FLAGS_NULL_USER) != 0
                       : fields->user.text == NULL && fields->user.n_units == 0;
    bool no_domain =
        ex2 ? fields->domain.text == NULL && (fields->flags & SEC_WINNT_AUTH_IDENTITY_FLAGS_NULL_DOMAIN) != 0
            : fields->domain.text == NULL && fields->domain.n_units == 0;
    try(part_text(fields->user, fields->wide, no_user, &found.user));
    try(part_text(fields->domain, fields->wide, no_domain, &found.domain));
    try(identity_field_text(fields->packages, fields->wide, &found.packages));
    if (fields->packed.len > 0)
        try(packed_read(fields->packed, &found.packed));
    else if (fields->password.text != NULL) {
        AUTO_IDENTITY struct identity plain = {0};
        try(identity_field_password(fields->password, fields->wide, &plain));
        try(identity_pack_password(secret_slice(&plain.password), &found.packed));
    }
    *parts = found;
    found = (struct identity_parts){0};
    return SEC_E_OK;
}

SECURITY_STATUS identity_parts_read(const void *auth_data, struct identity_parts *parts)
{
    require(auth_data != NULL, cause_set(SEC_E_INVALID_PARAMETER, "no identity was given"));
    struct identity_fields fields;
    AUTO_SECRET struct secret copy = {0};
    try(identity_fields_find(auth_data, true, &fields));
    if (fields.whole.len > 0) {
        try(identity_unsealed_copy(fields.whole, &copy));
        try(identity_fields_of_ex2(secret_slice(&copy), &fields));
    }
    return identity_parts_of_fields(&fields, parts);
}

bool identity_parts_password(const struct identity_parts *parts, struct field *password)
{
    return (parts->flags & IDENTITY_PASSWORD_FORMS) == 0 &&
           identity_packed_password(secret_slice(&parts->packed), password) == SEC_E_OK;
}

void *identity_block(struct slice bytes, size_t zeros)
{
    uint8_t *block = block_alloc_secret(bytes.len + zeros);
    if (block != NULL && bytes.len > 0)
        memcpy(block, bytes.data, bytes.len);
    return block;
}

/* Offset and length of a piece, then the hole that C leaves. */
static void piece_head(struct writer *header, size_t offset, size_t len)
{
    writer_u32le(header, len > 0 ? (uint32_t)offset : 0);
    writer_u16le(header, (uint16_t)len);
    writer_u16le(header, 0);
}

SECURITY_STATUS identity_parts_write(const struct identity_parts *parts, void **block)
{
    const char *texts[3] = {parts->user, parts->domain, parts->packages};
    size_t at[4];
    AUTO_WRITER struct writer body = writer_growing(256);
    writer_zeros(&body, sizeof(SEC_WINNT_AUTH_IDENTITY_EX2));
    for (unsigned i = 0; i < COUNT_OF(texts); i++) {
        at[i] = body.len;
        require(utf16le_write(&body, texts[i] != NULL ? texts[i] : "") == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
        size_t n_units = (body.len - at[i]) / 2;
        require(n_units <= IDENTITY_UNITS_MAX,
                cause_set(SEC_E_INVALID_TOKEN, "an identity with a name of %zu characters", n_units));
    }
    size_t texts_end = body.len;
    writer_zeros(&body, -body.len % 4); /* for readers that lay a structure over the packed credentials */
    at[3] = body.len;
    writer_slice(&body, secret_slice(&parts->packed));
    writer_zeros(&body, IDENTITY_SEAL_LEN);
    require(writer_finish(&body) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    uint32_t flags = parts->flags | SEC_WINNT_AUTH_IDENTITY_UNICODE | SEC_WINNT_AUTH_IDENTITY_MARSHALLED;
    flags |= parts->user == NULL ? SEC_WINNT_AUTH_IDENTITY_FLAGS_NULL_USER : 0;
    flags |= parts->domain == NULL ? SEC_WINNT_AUTH_IDENTITY_FLAGS_NULL_DOMAIN : 0;
    struct writer header = writer_fixed(body.data, sizeof(SEC_WINNT_AUTH_IDENTITY_EX2));
    writer_u32le(&header, SEC_WINNT_AUTH_IDENTITY_VERSION_2);
    writer_u16le(&header, (uint16_t)sizeof(SEC_WINNT_AUTH_IDENTITY_EX2));
    writer_u16le(&header, 0);
    writer_u32le(&header, (uint32_t)body.len);
    piece_head(&header, at[0], at[1] - at[0]);
    piece_head(&header, at[1], at[2] - at[1]);
    piece_head(&header, at[3], parts->packed.len);
    writer_u32le(&header, flags);
    piece_head(&header, at[2], texts_end - at[2]);
    require(writer_finish(&header) == WIRE_OK, SEC_E_INTERNAL_ERROR);
    void *made = identity_block(writer_slice_of(&body), 0);
    require(made != NULL, SEC_E_INSUFFICIENT_MEMORY);
    *block = made;
    return SEC_E_OK;
}
