/* MS-PAC: the table of buffers, and every buffer that is not NDR. */
#include "kerberos/pac.h"

#include "base/memory.h"
#include "base/utf16.h"

#define PAC_VERSION 0
#define PAC_HEADER_LEN 8          /* cBuffers, Version */
#define PAC_ENTRY_LEN 16          /* PAC_INFO_BUFFER */
#define PAC_ALIGNMENT 8           /* MS-PAC 2.3: of each buffer */
#define UPN_FLAG_CONSTRUCTED 0x1u /* MS-PAC 2.10 */
#define UPN_FLAG_EXTENDED 0x2u
#define RODC_ID_LEN 2

/* MS-PAC 2.8 and RFC 8009: checksums of which a PAC says only the type. */
static const struct {
    uint32_t type;
    size_t len;
} checksum_lens[] = {
    {0xffffff76, 16}, /* HMAC-MD5 (-138) */
    {15, 12},         /* hmac-sha1-96-aes128 */
    {16, 12},         /* hmac-sha1-96-aes256 */
    {19, 16},         /* hmac-sha256-128-aes128 */
    {20, 24},         /* hmac-sha384-192-aes256 */
};

/* MS-PAC 2.8. A checksum of a type not known here is all that follows: nobody here verifies it. */
static enum wire_result signature_decode(struct slice bytes, struct pac_signature *signature)
{
    struct reader reader = reader_of(bytes);
    struct pac_signature read = {0};
    size_t len;

    try(reader_u32le(&reader, &read.type));
    len = reader_left(&reader);
    require(len != 0, WIRE_BAD);
    for (size_t i = 0; i < COUNT_OF(checksum_lens); i++) {
        if (checksum_lens[i].type == read.type)
            len = checksum_lens[i].len;
    }
    try(reader_bytes(&reader, len, &read.checksum));
    if (reader_left(&reader) == RODC_ID_LEN) {
        read.has_rodc_id = true;
        try(reader_u16le(&reader, &read.rodc_id));
    }
    try(reader_end(&reader));
    *signature = read;
    return WIRE_OK;
}

/* MS-PAC 2.7 */
static enum wire_result client_info_decode(struct slice bytes, struct pac_client_info *info)
{
    struct reader reader = reader_of(bytes);
    uint64_t auth_time;
    uint16_t name_len;
    struct slice name;

    try(reader_u64le(&reader, &auth_time));
    try(reader_u16le(&reader, &name_len));
    try(reader_bytes(&reader, name_len, &name));
    try(reader_end(&reader));
    try(utf16le_to_text(name, &info->name));
    info->auth_time = (int64_t)auth_time;
    return WIRE_OK;
}

/* One 16-bit length and offset; the piece lies behind the header of `header_len` bytes. */
static enum wire_result upn_piece(struct reader *reader, struct slice whole, size_t header_len, struct slice *piece)
{
    uint16_t len, offset;

    try(reader_u16le(reader, &len));
    try(reader_u16le(reader, &offset));
    require(len == 0 || offset >= header_len, WIRE_BAD);
    return slice_at(whole, offset, len, piece);
}

static enum wire_result upn_text(struct reader *reader, struct slice whole, size_t header_len, char **text)
{
    struct slice piece;

    try(upn_piece(reader, whole, header_len, &piece));
    return utf16le_to_text(piece, text);
}

/* A SID that is all there is in `bytes`. */
static enum wire_result sid_decode(struct slice bytes, struct sid *sid)
{
    struct reader reader = reader_of(bytes);
    struct sid read;

    try(sid_read(&reader, &read));
    try(reader_end(&reader));
    *sid = read;
    return WIRE_OK;
}

/* MS-PAC 2.10. On failure the texts read so far are in `info`, for pac_release. */
static enum wire_result upn_info_decode(struct slice bytes, struct pac_upn_info *info)
{
    static const size_t base_len = 12, extended_len = 20;
    struct reader reader = reader_of(bytes), flags = reader_of(bytes);
    struct slice sid;
    size_t header_len;

    /* The flags stand behind the first two pieces, yet say how long the header is. */
    try(reader_skip(&flags, base_len - 4));
    try(reader_u32le(&flags, &info->flags));
    info->constructed = (info->flags & UPN_FLAG_CONSTRUCTED) != 0;
    info->extended = (info->flags & UPN_FLAG_EXTENDED) != 0;
    header_len = info->extended ? extended_len : base_len;
    require(bytes.len >= header_len, WIRE_SHORT);
    try(upn_text(&reader, bytes, header_len, &info->upn));
    try(upn_text(&reader, bytes, header_len, &info->dns_domain));
    if (info->extended) {
        try(reader_skip(&reader, 4));
        try(upn_text(&reader, bytes, header_len, &info->sam_name));
        try(upn_piece(&reader, bytes, header_len, &sid));
        try(sid_decode(sid, &info->sid));
    }
    return WIRE_OK;
}

/* MS-PAC 2.14: FlagsLength counts bits, the flags come in whole 32-bit words. */
static enum wire_result attributes_decode(struct slice bytes, uint32_t *attributes)
{
    struct reader reader = reader_of(bytes);
    uint32_t n_bits, flags = 0;
    size_t n_words;

    try(reader_u32le(&reader, &n_bits));
    n_words = n_bits / 32 + (n_bits % 32 != 0);
    require(n_words == reader_left(&reader) / 4 && reader_left(&reader) % 4 == 0, WIRE_BAD);
    if (n_words != 0)
        try(reader_u32le(&reader, &flags));
    *attributes = n_bits < 32 ? flags & ((UINT32_C(1) << n_bits) - 1) : flags;
    return WIRE_OK;
}

/* MS-PAC 2.4 */
static enum wire_result buffer_decode(uint32_t type, struct slice bytes, struct pac *pac)
{
    switch (type) {
    case PAC_LOGON_INFO:
        pac->has_logon_info = true;
        return pac_logon_info_decode(bytes, &pac->logon_info);
    case PAC_CLIENT_INFO:
        pac->has_client_info = true;
        return client_info_decode(bytes, &pac->client_info);
    case PAC_UPN_DNS_INFO:
        pac->has_upn_info = true;
        return upn_info_decode(bytes, &pac->upn_info);
    case PAC_ATTRIBUTES_INFO:
        pac->has_attributes = true;
        return attributes_decode(bytes, &pac->attributes);
    case PAC_REQUESTOR:
        pac->has_requestor = true;
        return sid_decode(bytes, &pac->requestor);
    case PAC_SERVER_CHECKSUM:
        pac->has_server_checksum = true;
        return signature_decode(bytes, &pac->server_checksum);
    case PAC_KDC_CHECKSUM:
        pac->has_kdc_checksum = true;
        return signature_decode(bytes, &pac->kdc_checksum);
    case PAC_TICKET_CHECKSUM:
        pac->has_ticket_checksum = true;
        return signature_decode(bytes, &pac->ticket_checksum);
    case PAC_FULL_CHECKSUM:
        pac->has_full_checksum = true;
        return signature_decode(bytes, &pac->full_checksum);
    default:
        return WIRE_OK; /* "Types that are not understood MUST be ignored." */
    }
}

struct pac_entry {
    uint32_t type, len;
    uint64_t offset;
};

/* MS-PAC 2.4. The offset is a 64-bit number: it is judged before it becomes a size_t (CVE-2022-42898). */
static enum wire_result entry_read(struct reader *reader, struct slice whole, size_t table_len, struct pac_entry *entry)
{
    try(reader_u32le(reader, &entry->type));
    try(reader_u32le(reader, &entry->len));
    try(reader_u64le(reader, &entry->offset));
    require(entry->offset % PAC_ALIGNMENT == 0 && entry->offset >= table_len, WIRE_BAD);
    require(entry->offset <= whole.len && entry->len <= whole.len - entry->offset, WIRE_BAD);
    return WIRE_OK;
}

/* No byte may count twice: a verifier that blanks the signatures would blank another buffer with them. */
static bool entries_overlap(const struct pac_entry *a, const struct pac_entry *b)
{
    return a->len != 0 && b->len != 0 && a->offset < b->offset + b->len && b->offset < a->offset + a->len;
}

/* MS-PAC 2.3. The specification would ignore a second buffer of a kind; but a KDC that signs the PAC anew and this decoder
 * might take different ones for the second. */
static enum wire_result table_read(struct slice bytes, struct pac_entry entries[PAC_BUFFERS_MAX], size_t *n_entries)
{
    struct reader reader = reader_of(bytes);
    uint32_t n_buffers, version;
    size_t table_len;

    try(reader_u32le(&reader, &n_buffers));
    try(reader_u32le(&reader, &version));
    /* The limit first: without it the next line could wrap (CVE-2022-42898). */
    require(version == PAC_VERSION && n_buffers <= PAC_BUFFERS_MAX, WIRE_BAD);
    table_len = PAC_HEADER_LEN + PAC_ENTRY_LEN * (size_t)n_buffers;
    for (size_t i = 0; i < n_buffers; i++) {
        try(entry_read(&reader, bytes, table_len, &entries[i]));
        for (size_t k = 0; k < i; k++) {
            require(entries[k].type != entries[i].type || entries[i].type > PAC_TYPE_LAST, WIRE_BAD);
            require(!entries_overlap(&entries[k], &entries[i]), WIRE_BAD);
        }
    }
    *n_entries = n_buffers;
    return WIRE_OK;
}

static enum wire_result parts_decode(struct slice bytes, struct pac *pac)
{
    struct pac_entry entries[PAC_BUFFERS_MAX];
    struct slice piece;
    size_t n_entries = 0;

    try(table_read(bytes, entries, &n_entries));
    for (size_t i = 0; i < n_entries; i++) {
        try(slice_at(bytes, (size_t)entries[i].offset, entries[i].len, &piece));
        try(buffer_decode(entries[i].type, piece, pac));
    }
    return WIRE_OK;
}

enum wire_result pac_decode(struct slice bytes, struct pac *pac)
{
    struct pac read = {0};

    if (parts_decode(bytes, &read) != WIRE_OK) {
        pac_release(&read);
        return WIRE_BAD;
    }
    *pac = read;
    return WIRE_OK;
}

void pac_release(struct pac *pac)
{
    if (pac == NULL)
        return;
    pac_logon_info_release(&pac->logon_info);
    mem_free(pac->client_info.name);
    mem_free(pac->upn_info.upn);
    mem_free(pac->upn_info.dns_domain);
    mem_free(pac->upn_info.sam_name);
    *pac = (struct pac){0};
}
