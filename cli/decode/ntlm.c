/* NTLM's messages (MS-NLMP 2.2.1), read leniently: src/ntlm refuses what is wrong, this shows it. */
#include "decode/decode.h"

#include "base/reader.h"
#include "ntlm/messages.h"

#include <inttypes.h>
#include <string.h>

static const struct tree_word flag_words[] = {
    {NTLM_UNICODE, "UNICODE"},
    {NTLM_OEM, "OEM"},
    {NTLM_REQUEST_TARGET, "REQUEST_TARGET"},
    {NTLM_SIGN, "SIGN"},
    {NTLM_SEAL, "SEAL"},
    {NTLM_DATAGRAM, "DATAGRAM"},
    {NTLM_LM_KEY, "LM_KEY"},
    {NTLM_NTLM, "NTLM"},
    {NTLM_ANONYMOUS, "ANONYMOUS"},
    {NTLM_OEM_DOMAIN_SUPPLIED, "DOMAIN_SUPPLIED"},
    {NTLM_OEM_WORKSTATION_SUPPLIED, "WORKSTATION_SUPPLIED"},
    {NTLM_ALWAYS_SIGN, "ALWAYS_SIGN"},
    {NTLM_TARGET_TYPE_DOMAIN, "TARGET_TYPE_DOMAIN"},
    {NTLM_TARGET_TYPE_SERVER, "TARGET_TYPE_SERVER"},
    {NTLM_EXTENDED_SESSION_SECURITY, "EXTENDED_SESSIONSECURITY"},
    {NTLM_IDENTIFY, "IDENTIFY"},
    {NTLM_REQUEST_NON_NT_SESSION_KEY, "REQUEST_NON_NT_SESSION_KEY"},
    {NTLM_TARGET_INFO, "TARGET_INFO"},
    {NTLM_VERSION, "VERSION"},
    {NTLM_128, "128"},
    {NTLM_KEY_EXCH, "KEY_EXCH"},
    {NTLM_56, "56"},
};

static const struct tree_word av_flag_words[] = {
    {0x1, "CONSTRAINED"}, {NTLM_AV_FLAG_MIC, "MIC_PRESENT"}, {NTLM_AV_FLAG_UNVERIFIED_TARGET, "UNVERIFIED_TARGET"}};

/* Length, room, offset (2.2.1). */
struct field {
    uint16_t len;
    uint32_t offset;
    bool there; /* the header reaches so far */
};

static struct field field_read(struct reader *reader)
{
    struct field field = {0};
    uint16_t room;
    field.there = reader_u16le(reader, &field.len) == WIRE_OK && reader_u16le(reader, &room) == WIRE_OK &&
                  reader_u32le(reader, &field.offset) == WIRE_OK;
    return field;
}

static bool field_take(struct tree *tree, const char *name, struct slice message, struct field field,
                       struct slice *bytes)
{
    *bytes = slice_of(NULL, 0);
    if (!field.there) {
        tree_wrong(tree, "the message ends before the field %s", name);
        return false;
    }
    if (slice_at(message, field.offset, field.len, bytes) != WIRE_OK) {
        tree_wrong(tree, "%s: %u bytes at %" PRIu32 " lie outside the message of %zu bytes", name, field.len,
                   field.offset, message.len);
        return false;
    }
    return true;
}

static void field_text(struct tree *tree, const char *name, struct slice message, struct field field, bool unicode)
{
    struct slice bytes;
    if (!field_take(tree, name, message, field, &bytes))
        return;
    if (unicode)
        tree_utf16(tree, name, bytes);
    else
        tree_text(tree, name, bytes);
}

static void put_version(struct tree *tree, struct reader *reader, uint32_t flags)
{
    uint8_t major, minor, revision;
    uint16_t build;
    struct reader ahead = *reader;
    if ((flags & NTLM_VERSION) == 0 || reader_u8(&ahead, &major) != WIRE_OK || reader_u8(&ahead, &minor) != WIRE_OK ||
        reader_u16le(&ahead, &build) != WIRE_OK || reader_skip(&ahead, 3) != WIRE_OK ||
        reader_u8(&ahead, &revision) != WIRE_OK)
        return;
    tree_put(tree, "version", "%u.%u build %u, NTLM revision %u", major, minor, build, revision);
}

static void put_pair(struct tree *tree, uint16_t id, struct slice value)
{
    static const char *const names[] = {
        [NTLM_AV_NB_COMPUTER] = "computer",      [NTLM_AV_NB_DOMAIN] = "domain",
        [NTLM_AV_DNS_COMPUTER] = "DNS computer", [NTLM_AV_DNS_DOMAIN] = "DNS domain",
        [NTLM_AV_DNS_TREE] = "DNS forest",       [NTLM_AV_SINGLE_HOST] = "single host",
        [NTLM_AV_TARGET_NAME] = "target",        [NTLM_AV_CHANNEL_BINDINGS] = "channel bindings"};
    struct reader reader = reader_of(value);
    uint32_t flags;
    uint64_t time;
    uint8_t zeros[16] = {0};
    if (id == NTLM_AV_FLAGS && reader_u32le(&reader, &flags) == WIRE_OK)
        tree_flags(tree, "flags", flags, TREE_WORDS(av_flag_words));
    else if (id == NTLM_AV_TIMESTAMP && reader_u64le(&reader, &time) == WIRE_OK)
        tree_file_time(tree, "time", time);
    else if (id == NTLM_AV_CHANNEL_BINDINGS && value.len == 16 && memcmp(value.data, zeros, 16) == 0)
        tree_put(tree, "channel bindings", "none (zeros): the client had no TLS below, or did not look");
    else if (id == NTLM_AV_CHANNEL_BINDINGS || id == NTLM_AV_SINGLE_HOST)
        tree_bytes(tree, names[id], value);
    else if (id < sizeof(names) / sizeof(names[0]) && names[id] != NULL)
        tree_utf16(tree, names[id], value);
    else {
        tree_open(tree, "pair", "of unknown type %u", id);
        tree_bytes(tree, "value", value);
        tree_close(tree);
    }
}

static void put_pairs(struct tree *tree, struct slice pairs)
{
    struct reader reader = reader_of(pairs);
    uint16_t id, len;
    struct slice value;
    tree_open(tree, "target information", "%zu bytes", pairs.len);
    for (;;) {
        if (reader_u16le(&reader, &id) != WIRE_OK || reader_u16le(&reader, &len) != WIRE_OK ||
            reader_bytes(&reader, len, &value) != WIRE_OK) {
            tree_wrong(tree, "the pairs end without an end pair");
            break;
        }
        if (id == NTLM_AV_EOL)
            break;
        put_pair(tree, id, value);
    }
    tree_close(tree);
}

static void put_negotiate(struct tree *tree, struct slice message, struct reader *reader)
{
    uint32_t flags;
    if (reader_u32le(reader, &flags) != WIRE_OK) {
        tree_wrong(tree, "the message ends before its flags");
        return;
    }
    tree_flags(tree, "flags", flags, TREE_WORDS(flag_words));
    if (reader_left(reader) < 16)
        return; /* old clients end here */
    struct field domain = field_read(reader), workstation = field_read(reader);
    if ((flags & NTLM_OEM_DOMAIN_SUPPLIED) != 0)
        field_text(tree, "domain", message, domain, false);
    if ((flags & NTLM_OEM_WORKSTATION_SUPPLIED) != 0)
        field_text(tree, "workstation", message, workstation, false);
    put_version(tree, reader, flags);
}

static void put_challenge(struct tree *tree, struct slice message, struct reader *reader)
{
    struct field target = field_read(reader);
    uint32_t flags;
    struct slice challenge, pairs;
    if (reader_u32le(reader, &flags) != WIRE_OK || reader_bytes(reader, 8, &challenge) != WIRE_OK) {
        tree_wrong(tree, "the message ends before its challenge");
        return;
    }
    tree_flags(tree, "flags", flags, TREE_WORDS(flag_words));
    if ((flags & NTLM_EXTENDED_SESSION_SECURITY) == 0)
        tree_wrong(tree, "no extended session security: signing and sealing are those of NTLMv1");
    tree_bytes(tree, "challenge", challenge);
    field_text(tree, "target", message, target, (flags & NTLM_UNICODE) != 0);
    if ((flags & NTLM_TARGET_INFO) == 0 || reader_skip(reader, 8) != WIRE_OK) {
        tree_wrong(tree, "no target information: clients cannot answer with NTLMv2's protection");
        return;
    }
    struct field info = field_read(reader);
    if (field_take(tree, "target information", message, info, &pairs))
        put_pairs(tree, pairs);
    put_version(tree, reader, flags);
}

static void put_response(struct tree *tree, struct slice response)
{
    struct reader reader = reader_of(response);
    struct slice proof;
    uint8_t revision = 0;
    uint64_t time;
    if (response.len == 0) {
        tree_put(tree, "NT response", "none (anonymous, or LM alone)");
        return;
    }
    if (response.len == 24) {
        tree_open(tree, "NT response", "NTLMv1");
        tree_bytes(tree, "response", response);
        tree_wrong(tree, "NTLMv1 can be broken in hours; servers refuse it by default");
        tree_close(tree);
        return;
    }
    tree_open(tree, "NT response", "NTLMv2");
    if (reader_bytes(&reader, 16, &proof) != WIRE_OK || reader_u8(&reader, &revision) != WIRE_OK ||
        reader_skip(&reader, 7) != WIRE_OK || reader_u64le(&reader, &time) != WIRE_OK ||
        reader_skip(&reader, 8 + 4) != WIRE_OK) {
        tree_wrong(tree, "it is neither 24 bytes nor long enough for NTLMv2");
    } else {
        tree_bytes(tree, "proof", proof);
        if (revision != 1)
            tree_wrong(tree, "its revision is %u, not 1", revision);
        tree_file_time(tree, "time", time);
        put_pairs(tree, reader_rest(&reader));
    }
    tree_close(tree);
}

/* Whether a client's target information says that there is a MIC (2.2.2.1, MsvAvFlags). */
static bool promises_mic(struct slice response)
{
    struct reader reader = reader_of(response);
    uint16_t id, len;
    uint32_t flags;
    struct slice value;
    if (response.len == 24 || reader_skip(&reader, 16 + 28) != WIRE_OK)
        return false;
    while (reader_u16le(&reader, &id) == WIRE_OK && reader_u16le(&reader, &len) == WIRE_OK &&
           reader_bytes(&reader, len, &value) == WIRE_OK && id != NTLM_AV_EOL) {
        struct reader inside = reader_of(value);
        if (id == NTLM_AV_FLAGS && reader_u32le(&inside, &flags) == WIRE_OK)
            return (flags & NTLM_AV_FLAG_MIC) != 0;
    }
    return false;
}

/* The MIC's place is before the first field, where the header reaches so far (2.2.1.3). */
static void put_mic(struct tree *tree, struct slice message, const struct field *fields, size_t n_fields)
{
    struct slice mic, response;
    uint32_t first = UINT32_MAX;
    for (size_t i = 0; i < n_fields; i++)
        if (fields[i].there && fields[i].len > 0 && fields[i].offset < first)
            first = fields[i].offset;
    if (first >= NTLM_MIC_OFFSET + NTLM_MIC_LEN && slice_at(message, NTLM_MIC_OFFSET, NTLM_MIC_LEN, &mic) == WIRE_OK)
        tree_bytes(tree, "MIC", mic);
    else
        tree_put(tree, "MIC", "none");
    if (first < NTLM_MIC_OFFSET + NTLM_MIC_LEN &&
        slice_at(message, fields[1].offset, fields[1].len, &response) == WIRE_OK && promises_mic(response))
        tree_wrong(tree, "MIC_PRESENT is said, and there is no MIC: somebody on the way took it out, or the client "
                         "does not keep to the protocol; servers refuse that");
}

static bool has_backslash(struct slice name, bool unicode)
{
    struct reader reader = reader_of(name);
    uint16_t unit = 0;
    uint8_t byte = 0;
    while (unicode ? reader_u16le(&reader, &unit) == WIRE_OK : reader_u8(&reader, &byte) == WIRE_OK)
        if (unit == '\\' || byte == '\\')
            return true;
    return false;
}

static void put_authenticate(struct tree *tree, struct slice message, struct reader *reader)
{
    struct field fields[6];
    struct slice bytes;
    uint32_t flags = 0;
    for (size_t i = 0; i < 6; i++)
        fields[i] = field_read(reader);
    bool has_flags = reader_u32le(reader, &flags) == WIRE_OK;
    if (has_flags)
        tree_flags(tree, "flags", flags, TREE_WORDS(flag_words));
    else
        tree_wrong(tree, "no flags: the client is older than NTLMSSP's flags here");
    bool unicode = !has_flags || (flags & NTLM_UNICODE) != 0;
    field_text(tree, "domain", message, fields[2], unicode);
    field_text(tree, "user", message, fields[3], unicode);
    if (fields[3].there && fields[3].len == 0)
        tree_wrong(
            tree, "no user: the client asks as anonymous, since it has no credentials or gives them to no such server");
    else if (slice_at(message, fields[3].offset, fields[3].len, &bytes) == WIRE_OK && has_backslash(bytes, unicode))
        tree_wrong(
            tree,
            "the user's name has a domain in it: the client was given DOMAIN\\user where it wants the user alone");
    field_text(tree, "workstation", message, fields[4], unicode);
    if (field_take(tree, "LM response", message, fields[0], &bytes))
        tree_bytes(tree, "LM response", bytes);
    if (field_take(tree, "NT response", message, fields[1], &bytes))
        put_response(tree, bytes);
    if (field_take(tree, "session key", message, fields[5], &bytes) && bytes.len > 0)
        tree_bytes(tree, "encrypted session key", bytes);
    if ((flags & NTLM_KEY_EXCH) != 0 && bytes.len != 16)
        tree_wrong(tree, "KEY_EXCH was agreed, but the session key has %zu bytes, not 16", bytes.len);
    put_version(tree, reader, flags);
    put_mic(tree, message, fields, 6);
}

/* How far the fields of a message of this type reach, whether the bytes are there or not. */
static size_t fields_end(struct slice bytes, uint32_t type)
{
    static const struct {
        uint8_t first, n; /* offset of the first field, number of fields */
    } shape[] = {{0, 0}, {16, 2}, {12, 1}, {12, 6}};
    size_t end = 0;
    uint32_t flags = 0;
    struct reader reader = reader_of(bytes);
    /* The challenge's second field stands apart, and servers of old have none. */
    bool one_more = type == NTLM_CHALLENGE && reader_skip(&reader, 20) == WIRE_OK &&
                    reader_u32le(&reader, &flags) == WIRE_OK && (flags & NTLM_TARGET_INFO) != 0;
    for (unsigned i = 0; i < shape[type].n + (one_more ? 1U : 0U); i++) {
        size_t at = i < shape[type].n ? shape[type].first + 8U * i : 40;
        reader = reader_of(bytes);
        if (reader_skip(&reader, at) != WIRE_OK)
            break;
        struct field field = field_read(&reader);
        if (field.there && field.len > 0 && (size_t)field.offset + field.len > end)
            end = (size_t)field.offset + field.len;
    }
    return end;
}

void decode_ntlm(struct tree *tree, struct slice message)
{
    struct reader reader = reader_of(message);
    uint32_t type = 0;
    if (reader_skip(&reader, 8) != WIRE_OK || reader_u32le(&reader, &type) != WIRE_OK) {
        tree_open(tree, "NTLM", "%zu bytes", message.len);
        tree_wrong(tree, "the message ends before its type");
        tree_close(tree);
        return;
    }
    static const char *const names[] = {"", "NEGOTIATE", "CHALLENGE", "AUTHENTICATE"};
    tree_open(tree, "NTLM", "%s (type %" PRIu32 "), %zu bytes", type < 4 ? names[type] : "unknown message", type,
              message.len);
    size_t end = type >= 1 && type <= 3 ? fields_end(message, type) : 0;
    if (end > message.len)
        tree_wrong(
            tree, "its fields reach up to byte %zu, and it has %zu: whoever wrote it down cut it off, or it is damaged",
            end, message.len);
    if (type == NTLM_NEGOTIATE)
        put_negotiate(tree, message, &reader);
    else if (type == NTLM_CHALLENGE)
        put_challenge(tree, message, &reader);
    else if (type == NTLM_AUTHENTICATE)
        put_authenticate(tree, message, &reader);
    else
        tree_wrong(tree, "NTLM has messages 1 to 3");
    tree_close(tree);
}

size_t decode_ntlm_len(struct slice bytes)
{
    struct reader reader = reader_of(bytes);
    uint32_t type;
    size_t len = 32;
    if (reader_skip(&reader, 8) != WIRE_OK || reader_u32le(&reader, &type) != WIRE_OK || type < 1 || type > 3)
        return bytes.len < 12 ? bytes.len : 12;
    if (type == NTLM_AUTHENTICATE)
        len = 64;
    if (type == NTLM_CHALLENGE)
        len = 48;
    /* The version stands after the header's fields; a message without a payload ends with it. */
    uint32_t flags;
    reader = reader_of(bytes);
    if (type != NTLM_AUTHENTICATE && reader_skip(&reader, type == NTLM_NEGOTIATE ? 12 : 20) == WIRE_OK &&
        reader_u32le(&reader, &flags) == WIRE_OK && (flags & NTLM_VERSION) != 0)
        len += 8;
    size_t end = fields_end(bytes, type);
    if (end > len)
        len = end;
    return len < bytes.len ? len : bytes.len;
}
