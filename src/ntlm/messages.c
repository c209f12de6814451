#include "ntlm/messages.h"

#include "base/latin1.h"
#include "base/memory.h"
#include "base/utf16.h"
#include <string.h>

static const uint8_t signature[8] = {'N', 'T', 'L', 'M', 'S', 'S', 'P', 0};

/* VERSION (2.2.2.10): Windows 10's numbers, which peers only log; revision NTLMSSP_REVISION_W2K3. */
static const uint8_t version[8] = {10, 0, 0x61, 0x4a, 0, 0, 0, 15};

#define FIELDS_LEN 8 /* length, maximum length, offset of a payload field */

static enum wire_result message_begin(struct slice message, uint32_t wanted, struct reader *reader)
{
    uint32_t type;
    *reader = reader_of(message);
    require(message.len <= NTLM_MESSAGE_MAX, WIRE_BAD);
    require(reader_expect(reader, signature, sizeof signature) == WIRE_OK, WIRE_BAD);
    try(reader_u32le(reader, &type));
    return type == wanted ? WIRE_OK : WIRE_BAD;
}

/* A payload field: `first` becomes the lowest offset of a field that is not empty. */
static enum wire_result field_read(struct reader *reader, struct slice message, struct slice *field, size_t *first)
{
    uint16_t len, max_len;
    uint32_t offset;
    try(reader_u16le(reader, &len));
    try(reader_u16le(reader, &max_len));
    try(reader_u32le(reader, &offset));
    if (len == 0) { /* old clients leave garbage in the offset of an empty field */
        *field = slice_of(NULL, 0);
        return WIRE_OK;
    }
    if (offset < *first)
        *first = offset;
    return slice_at(message, offset, len, field);
}

/* A field that a flag announces. Without the flag its place is there all the same, and whatever stands in it is ignored. */
static enum wire_result announced_read(struct reader *reader, struct slice message, bool announced, struct slice *field)
{
    size_t first = SIZE_MAX;
    *field = slice_of(NULL, 0);
    return announced ? field_read(reader, message, field, &first) : reader_skip(reader, FIELDS_LEN);
}

static void field_write(struct writer *writer, struct slice field, size_t *offset)
{
    writer_u16le(writer, (uint16_t)field.len);
    writer_u16le(writer, (uint16_t)field.len);
    writer_u32le(writer, (uint32_t)*offset);
    *offset += field.len;
    if (field.len > UINT16_MAX)
        writer->failed = true;
}

static void message_write(struct writer *writer, uint32_t type)
{
    writer_bytes(writer, signature, sizeof signature);
    writer_u32le(writer, type);
}

/* 2.2.1.1. Clients before Windows 2000 end after the flags. */
enum wire_result ntlm_negotiate_parse(struct slice message, struct ntlm_negotiate *negotiate)
{
    struct reader reader;
    struct ntlm_negotiate parsed = {0};
    try(message_begin(message, NTLM_NEGOTIATE, &reader));
    try(reader_u32le(&reader, &parsed.flags));
    if (reader_left(&reader) >= (size_t)2 * FIELDS_LEN) {
        try(announced_read(&reader, message, (parsed.flags & NTLM_OEM_DOMAIN_SUPPLIED) != 0, &parsed.domain));
        try(announced_read(&reader, message, (parsed.flags & NTLM_OEM_WORKSTATION_SUPPLIED) != 0, &parsed.workstation));
    }
    *negotiate = parsed;
    return WIRE_OK;
}

void ntlm_negotiate_write(struct writer *writer, uint32_t flags)
{
    size_t offset = 40;
    message_write(writer, NTLM_NEGOTIATE);
    writer_u32le(writer, flags);
    field_write(writer, slice_of(NULL, 0), &offset);
    field_write(writer, slice_of(NULL, 0), &offset);
    writer_bytes(writer, version, sizeof version);
}

/* 2.2.1.2. The context, target info and version may be missing in messages of older servers. */
enum wire_result ntlm_challenge_parse(struct slice message, struct ntlm_challenge *challenge)
{
    struct reader reader;
    size_t first = SIZE_MAX;
    struct ntlm_challenge parsed = {0};
    try(message_begin(message, NTLM_CHALLENGE, &reader));
    try(field_read(&reader, message, &parsed.target_name, &first));
    try(reader_u32le(&reader, &parsed.flags));
    try(reader_copy(&reader, parsed.challenge, sizeof parsed.challenge));
    if ((parsed.flags & NTLM_TARGET_INFO) != 0) {
        try(reader_skip(&reader, 8));
        try(field_read(&reader, message, &parsed.target_info, &first));
    }
    *challenge = parsed;
    return WIRE_OK;
}

void ntlm_challenge_write(struct writer *writer, const struct ntlm_challenge *challenge)
{
    size_t offset = 56;
    message_write(writer, NTLM_CHALLENGE);
    field_write(writer, challenge->target_name, &offset);
    writer_u32le(writer, challenge->flags);
    writer_bytes(writer, challenge->challenge, sizeof challenge->challenge);
    writer_zeros(writer, 8);
    field_write(writer, challenge->target_info, &offset);
    writer_bytes(writer, version, sizeof version);
    writer_slice(writer, challenge->target_name);
    writer_slice(writer, challenge->target_info);
}

/* 2.2.1.3. The header ends where the first payload field begins: with 52 bytes there are no session key and flags, with 64 no version,
 * with 72 no MIC. */
enum wire_result ntlm_authenticate_parse(struct slice message, struct ntlm_authenticate *authenticate)
{
    struct reader reader;
    size_t first = message.len;
    struct ntlm_authenticate parsed = {0};
    try(message_begin(message, NTLM_AUTHENTICATE, &reader));
    try(field_read(&reader, message, &parsed.lm_response, &first));
    try(field_read(&reader, message, &parsed.nt_response, &first));
    try(field_read(&reader, message, &parsed.domain, &first));
    try(field_read(&reader, message, &parsed.user, &first));
    try(field_read(&reader, message, &parsed.workstation, &first));
    if (first >= 64) {
        try(field_read(&reader, message, &parsed.session_key, &first));
        try(reader_u32le(&reader, &parsed.flags));
    } else
        parsed.flags = NTLM_OEM | NTLM_NTLM;
    parsed.has_mic_field = first >= NTLM_MIC_OFFSET + NTLM_MIC_LEN;
    *authenticate = parsed;
    return WIRE_OK;
}

static size_t authenticate_header_len(const struct ntlm_authenticate *authenticate)
{
    return NTLM_MIC_OFFSET + (authenticate->has_mic_field ? NTLM_MIC_LEN : 0);
}

size_t ntlm_authenticate_len(const struct ntlm_authenticate *authenticate)
{
    return authenticate_header_len(authenticate) + authenticate->lm_response.len + authenticate->nt_response.len +
           authenticate->domain.len + authenticate->user.len + authenticate->workstation.len +
           authenticate->session_key.len;
}

void ntlm_authenticate_write(struct writer *writer, const struct ntlm_authenticate *authenticate)
{
    size_t offset = authenticate_header_len(authenticate);
    /* The payload stands in the order domain, user, workstation, responses, key, as Windows writes it; the fields in their own. */
    size_t names = authenticate->domain.len + authenticate->user.len + authenticate->workstation.len;
    size_t responses = offset + names;
    size_t name_offset = offset;
    message_write(writer, NTLM_AUTHENTICATE);
    field_write(writer, authenticate->lm_response, &responses);
    field_write(writer, authenticate->nt_response, &responses);
    field_write(writer, authenticate->domain, &name_offset);
    field_write(writer, authenticate->user, &name_offset);
    field_write(writer, authenticate->workstation, &name_offset);
    field_write(writer, authenticate->session_key, &responses);
    writer_u32le(writer, authenticate->flags);
    writer_bytes(writer, version, sizeof version);
    if (authenticate->has_mic_field)
        writer_zeros(writer, NTLM_MIC_LEN);
    writer_slice(writer, authenticate->domain);
    writer_slice(writer, authenticate->user);
    writer_slice(writer, authenticate->workstation);
    writer_slice(writer, authenticate->lm_response);
    writer_slice(writer, authenticate->nt_response);
    writer_slice(writer, authenticate->session_key);
}

/* 2.2.2.7: versions 1 and 1, six reserved bytes, time, challenge, four reserved bytes, pairs. */
enum wire_result ntlm_client_challenge_parse(struct slice blob, struct ntlm_client_challenge *client)
{
    struct reader reader = reader_of(blob);
    struct ntlm_client_challenge parsed;
    uint8_t version_now, version_highest;
    try(reader_u8(&reader, &version_now));
    try(reader_u8(&reader, &version_highest));
    require(version_now == 1 && version_highest >= 1, WIRE_BAD);
    try(reader_skip(&reader, 6));
    try(reader_u64le(&reader, &parsed.timestamp));
    try(reader_copy(&reader, parsed.challenge, sizeof parsed.challenge));
    try(reader_skip(&reader, 4));
    parsed.pairs = reader_rest(&reader);
    *client = parsed;
    return WIRE_OK;
}

void ntlm_client_challenge_write(struct writer *writer, const struct ntlm_client_challenge *client)
{
    writer_u8(writer, 1);
    writer_u8(writer, 1);
    writer_zeros(writer, 6);
    writer_u64le(writer, client->timestamp);
    writer_bytes(writer, client->challenge, sizeof client->challenge);
    writer_zeros(writer, 4);
    writer_slice(writer, client->pairs);
    writer_zeros(writer, 4);
}

bool ntlm_text_valid(uint32_t flags, struct slice bytes)
{
    return (flags & NTLM_UNICODE) != 0 ? utf16le_valid(bytes)
                                       : bytes.len == 0 || memchr(bytes.data, 0, bytes.len) == NULL;
}

enum wire_result ntlm_text_read(uint32_t flags, struct slice bytes, char **text)
{
    if ((flags & NTLM_UNICODE) != 0)
        return utf16le_to_text(bytes, text);
    require(ntlm_text_valid(flags, bytes), WIRE_BAD);
    if (utf8_valid(bytes)) {
        *text = mem_dup(bytes.data, bytes.len);
        return *text != NULL ? WIRE_OK : WIRE_BAD;
    }
    AUTO_WRITER struct writer utf8 = writer_growing(bytes.len * 2 + 1);
    latin1_read(&utf8, bytes);
    writer_u8(&utf8, 0);
    *text = (char *)writer_steal(&utf8, NULL);
    return *text != NULL ? WIRE_OK : WIRE_BAD;
}

enum wire_result ntlm_text_write(uint32_t flags, struct writer *writer, const char *text)
{
    if (text == NULL)
        return WIRE_OK;
    if ((flags & NTLM_UNICODE) != 0)
        return utf16le_write(writer, text);
    writer_slice(writer, slice_of_text(text));
    return WIRE_OK;
}
