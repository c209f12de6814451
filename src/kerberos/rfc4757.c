/* Per-message tokens of rc4-hmac: RFC 4757, section 7, in the framing of RFC 4121, section 4.1, and the layouts of MS-KILE 3.4.5.4.1. */
#include "base/secret.h"
#include "core/cause.h"
#include "crypto/random.h"
#include "crypto/rc4.h"
#include "kerberos/pieces.h"
#include "kerberos/session_state.h"

#include <string.h>

/* What both tokens begin with: token id, SGN_ALG, SEAL_ALG, filler. */
#define ALGORITHMS_LEN 8
#define SEQUENCE_LEN 8
#define CHECKSUM_LEN 8
#define CONFOUNDER_LEN 8
#define MIC_LEN (ALGORITHMS_LEN + SEQUENCE_LEN + CHECKSUM_LEN)
#define WRAP_LEN (MIC_LEN + CONFOUNDER_LEN)

static const uint8_t mic_algorithms[ALGORITHMS_LEN] = {0x01, 0x01, 0x11, 0x00, 0xff, 0xff, 0xff, 0xff};
static const uint8_t clear_algorithms[ALGORITHMS_LEN] = {0x02, 0x01, 0x11, 0x00, 0xff, 0xff, 0xff, 0xff};
static const uint8_t sealed_algorithms[ALGORITHMS_LEN] = {0x02, 0x01, 0x11, 0x00, 0x10, 0x00, 0xff, 0xff};

/* The number that stands for the kind of token under its checksum. */
#define SALT_MIC 15
#define SALT_WRAP 13

/* The padding of a block length of one byte (RFC 1964, section 1.2.2.3); none in DCE style. */
#define PADDING_LEN 1
#define PADDING_BYTE 0x01

/* [APPLICATION 0], a length of 1 to 5 bytes, the mechanism 1.2.840.113554.1.2.2. */
static const uint8_t mechanism[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02};
#define FRAME_TAG 0x60
#define FRAME_LEN_MAX (1 + 5 + sizeof mechanism)

static size_t frame_len(size_t framed)
{
    size_t len = 2 + sizeof mechanism;
    framed += sizeof mechanism;
    if (framed >= 0x80)
        for (; framed > 0; framed >>= 8)
            len++;
    return len;
}

/* `framed` bytes follow the mechanism. */
static void frame_write(struct writer *writer, size_t framed)
{
    unsigned n_bytes = (unsigned)(frame_len(framed) - 2 - sizeof mechanism);
    framed += sizeof mechanism;
    writer_u8(writer, FRAME_TAG);
    if (n_bytes == 0)
        writer_u8(writer, (uint8_t)framed);
    else {
        writer_u8(writer, (uint8_t)(0x80 | n_bytes));
        while (n_bytes-- > 0)
            writer_u8(writer, (uint8_t)(framed >> 8 * n_bytes));
    }
    writer_bytes(writer, mechanism, sizeof mechanism);
}

static enum wire_result frame_read(struct reader *reader, size_t *framed)
{
    uint8_t tag, first, byte;
    size_t len;
    try(reader_u8(reader, &tag));
    try(reader_u8(reader, &first));
    require(tag == FRAME_TAG && first <= 0x84 && first != 0x80, WIRE_BAD);
    len = first;
    if (first > 0x80) {
        len = 0;
        for (unsigned i = first & 0x7fu; i > 0; i--) {
            try(reader_u8(reader, &byte));
            len = len << 8 | byte;
        }
    }
    try(reader_expect(reader, mechanism, sizeof mechanism));
    require(len >= sizeof mechanism, WIRE_BAD);
    *framed = len - sizeof mechanism;
    /* DER: no more bytes of length than it takes */
    require(first < 0x80 || frame_len(*framed) == 2u + (first & 0x7fu) + sizeof mechanism, WIRE_BAD);
    return WIRE_OK;
}

struct kerberos_overhead rfc4757_overhead(bool dce_style)
{
    return (struct kerberos_overhead){
        .signature = (uint32_t)(frame_len(MIC_LEN) + MIC_LEN),
        .trailer = (uint32_t)((dce_style ? frame_len(WRAP_LEN) : FRAME_LEN_MAX) + WRAP_LEN),
    };
}

static void hmac_short(const struct hmac_md5_key *key, const uint8_t *data, size_t len, uint8_t out[MD5_LEN])
{
    struct hmac_md5 hmac;
    hmac_md5_init(&hmac, key);
    hmac_md5_update(&hmac, data, len);
    hmac_md5_final(&hmac, out);
}

static void big_endian(uint32_t value, uint8_t out[4])
{
    struct writer writer = writer_fixed(out, 4);
    writer_u32be(&writer, value);
}

/* 7.3: Kcrypt of one message. */
static void crypt_start(const struct kerberos_session *session, uint32_t seq, struct rc4 *rc4)
{
    AUTO_KEY16 struct key16 key;
    uint8_t number[4];
    big_endian(seq, number);
    hmac_short(&session->rc4.crypt, number, sizeof number, key.bytes);
    rc4_init(rc4, key.bytes, sizeof key.bytes);
}

/* 7.2: Kseq hides number and direction, and is its own inverse. The checksum does not cover them: whoever alters a message that is not encrypted on
 * its way can change its number, and have it taken twice, in the place of another one that he keeps back. */
static void sequence_crypt(const struct kerberos_session *session, const uint8_t *checksum,
                           uint8_t sequence[SEQUENCE_LEN])
{
    AUTO_KEY16 struct key16 key;
    struct rc4 rc4;
    hmac_short(&session->rc4.sequence, checksum, CHECKSUM_LEN, key.bytes);
    rc4_init(&rc4, key.bytes, sizeof key.bytes);
    rc4_crypt(&rc4, sequence, sequence, SEQUENCE_LEN);
    secret_wipe(&rc4, sizeof rc4);
}

static void sequence_write(const struct kerberos_session *session, uint32_t seq, const uint8_t *checksum, uint8_t *out)
{
    big_endian(seq, out);
    memset(out + 4, session->initiator ? 0 : 0xff, 4);
    sequence_crypt(session, checksum, out);
}

static SECURITY_STATUS sequence_read(const struct kerberos_session *session, struct slice sequence,
                                     struct slice checksum, uint32_t *seq)
{
    uint8_t plain[SEQUENCE_LEN], direction[4];
    memcpy(plain, sequence.data, sizeof plain);
    sequence_crypt(session, checksum.data, plain);
    struct reader reader = reader_of(slice_of(plain, sizeof plain));
    memset(direction, session->initiator ? 0xff : 0, sizeof direction);
    require(reader_u32be(&reader, seq) == WIRE_OK && reader_expect(&reader, direction, sizeof direction) == WIRE_OK,
            cause_set(SEC_E_MESSAGE_ALTERED, "the message was altered, or came back to its sender"));
    return SEC_E_OK;
}

enum way { CLEAR, ENCRYPT, DECRYPT };

/* A message on its way through checksum and cipher: the checksum is over the plain text of all pieces, the cipher takes those that are not fixed. */
struct pass {
    enum way way;
    struct rc4 rc4; /* unless CLEAR */
    struct md5 md5;
};

static void pass_begin(struct pass *pass, const struct kerberos_session *session, enum way way, uint32_t seq,
                       uint8_t salt, const uint8_t *algorithms)
{
    const uint8_t salts[4] = {salt, 0, 0, 0};
    pass->way = way;
    if (way != CLEAR)
        crypt_start(session, seq, &pass->rc4);
    md5_init(&pass->md5);
    md5_update(&pass->md5, salts, sizeof salts);
    md5_update(&pass->md5, algorithms, ALGORITHMS_LEN);
}

static void pass_bytes(struct pass *pass, uint8_t *data, size_t len, bool fixed)
{
    if (pass->way == CLEAR || fixed)
        md5_update(&pass->md5, data, len);
    else if (pass->way == ENCRYPT)
        rc4_md5_seal(&pass->rc4, &pass->md5, data, len);
    else
        rc4_md5_unseal(&pass->rc4, &pass->md5, data, len);
}

static void pass_pieces(struct pass *pass, const struct pieces *pieces)
{
    for (unsigned i = 0; i < pieces->n; i++)
        pass_bytes(pass, pieces->list[i].data, pieces->list[i].len, pieces->list[i].fixed);
}

static void pass_end(struct pass *pass, const struct kerberos_session *session, uint8_t checksum[CHECKSUM_LEN])
{
    uint8_t digest[MD5_LEN], mac[MD5_LEN];
    md5_final(&pass->md5, digest);
    hmac_short(&session->rc4.sign, digest, sizeof digest, mac);
    memcpy(checksum, mac, CHECKSUM_LEN);
    if (pass->way != CLEAR)
        secret_wipe(&pass->rc4, sizeof pass->rc4);
}

/* The last byte of a message's text, or NULL. What is only signed is not of it. */
static const uint8_t *last_byte(const struct pieces *pieces)
{
    for (unsigned i = pieces->n; i-- > 0;)
        if (!pieces->list[i].fixed && pieces->list[i].len > 0)
            return pieces->list[i].data + pieces->list[i].len - 1;
    return NULL;
}

/* Nothing protects the length in the framing, which tells whether there is padding: with one bit of it another text would come out, longer by the
 * padding or shorter by its own last byte. Without padding a text must not end as if it had some; in DCE style there never is any. */
static bool is_ambiguous(const struct kerberos_session *session, const struct pieces *pieces)
{
    const uint8_t *last = last_byte(pieces);
    return !session->seed.dce_style && last != NULL && *last == PADDING_BYTE;
}

static void message_pieces(const struct message *message, struct pieces *pieces)
{
    pieces->n = 0;
    for (unsigned i = 0; i < message->n_data; i++)
        pieces_add(pieces, message->data[i].data, message->data[i].len, message->data[i].read_only);
}

SECURITY_STATUS rfc4757_sign(struct kerberos_session *session, struct message *message, uint32_t seq)
{
    size_t len, token_len = frame_len(MIC_LEN) + MIC_LEN;
    uint8_t checksum[CHECKSUM_LEN], sequence[SEQUENCE_LEN];
    struct pieces pieces;
    struct pass pass;
    try(kerberos_message_len(message, &len));
    try(kerberos_token_room(message, token_len));
    message_pieces(message, &pieces);
    pass_begin(&pass, session, CLEAR, seq, SALT_MIC, mic_algorithms);
    pass_pieces(&pass, &pieces);
    pass_end(&pass, session, checksum);
    sequence_write(session, seq, checksum, sequence);
    struct writer writer = writer_fixed(message->token.data, token_len);
    frame_write(&writer, MIC_LEN);
    writer_bytes(&writer, mic_algorithms, ALGORITHMS_LEN);
    writer_bytes(&writer, sequence, sizeof sequence);
    writer_bytes(&writer, checksum, sizeof checksum);
    message->token.len = token_len;
    message->padding.len = 0;
    return SEC_E_OK;
}

/* A token's fields, borrowed from it. */
struct fields {
    size_t framed;
    struct slice algorithms, sequence, checksum, confounder;
};

static enum wire_result mic_read(struct reader *reader, struct fields *fields)
{
    try(frame_read(reader, &fields->framed));
    try(reader_bytes(reader, ALGORITHMS_LEN, &fields->algorithms));
    try(reader_bytes(reader, SEQUENCE_LEN, &fields->sequence));
    return reader_bytes(reader, CHECKSUM_LEN, &fields->checksum);
}

static bool algorithms_are(const struct fields *fields, const uint8_t *algorithms)
{
    return slice_equal(fields->algorithms, slice_of(algorithms, ALGORITHMS_LEN));
}

SECURITY_STATUS rfc4757_verify(struct kerberos_session *session, struct message *message, const uint64_t *wanted)
{
    struct reader reader = reader_of(slice_of(message->token.data, message->token.len));
    uint8_t expected[CHECKSUM_LEN];
    uint32_t seq;
    size_t len;
    struct fields fields;
    struct pieces pieces;
    struct pass pass;
    try(kerberos_message_len(message, &len));
    require(mic_read(&reader, &fields) == WIRE_OK && reader_end(&reader) == WIRE_OK && fields.framed == MIC_LEN &&
                algorithms_are(&fields, mic_algorithms),
            cause_set(SEC_E_INVALID_TOKEN, "this is not a MIC token of RFC 4757"));
    try(sequence_read(session, fields.sequence, fields.checksum, &seq));
    try(kerberos_sequence_check(session, seq, wanted));
    message_pieces(message, &pieces);
    pass_begin(&pass, session, CLEAR, seq, SALT_MIC, mic_algorithms);
    pass_pieces(&pass, &pieces);
    pass_end(&pass, session, expected);
    require(secret_equal(expected, fields.checksum.data, CHECKSUM_LEN),
            cause_set(SEC_E_MESSAGE_ALTERED, "the signature does not fit the message"));
    window_commit(&session->receive.window, seq);
    return SEC_E_OK;
}

/* With padding the framing counts the whole message. In DCE style, and where the caller gave no buffer for padding, there is none, and it
 * counts the token alone (MS-KILE 3.4.5.4.1). */
SECURITY_STATUS rfc4757_seal(struct kerberos_session *session, struct message *message, uint32_t seq, bool encrypt)
{
    bool padded = !session->seed.dce_style && message->padding.data != NULL;
    const uint8_t *algorithms = encrypt ? sealed_algorithms : clear_algorithms;
    uint8_t confounder[CONFOUNDER_LEN], checksum[CHECKSUM_LEN], sequence[SEQUENCE_LEN];
    size_t len;
    struct pieces pieces;
    struct pass pass;
    try(kerberos_message_len(message, &len));
    size_t framed = WRAP_LEN + (padded ? kerberos_writable_len(message) + PADDING_LEN : 0),
           token_len = frame_len(framed) + WRAP_LEN;
    try(kerberos_token_room(message, token_len));
    require(!padded || message->padding.len >= PADDING_LEN,
            cause_set(SEC_E_BUFFER_TOO_SMALL, "rc4-hmac pads with one byte, for which the buffer has no room"));
    require(random_bytes(confounder, sizeof confounder), cause_set(SEC_E_INTERNAL_ERROR, "no random bytes"));
    message_pieces(message, &pieces);
    require(padded || !is_ambiguous(session, &pieces),
            cause_set(SEC_E_BUFFER_TOO_SMALL,
                      "under rc4-hmac a text that ends in a byte of %d needs a SECBUFFER_PADDING", PADDING_BYTE));
    if (padded) {
        message->padding.data[0] = PADDING_BYTE;
        pieces_add(&pieces, message->padding.data, PADDING_LEN, false);
    }
    pass_begin(&pass, session, encrypt ? ENCRYPT : CLEAR, seq, SALT_WRAP, algorithms);
    pass_bytes(&pass, confounder, sizeof confounder, false);
    pass_pieces(&pass, &pieces);
    pass_end(&pass, session, checksum);
    sequence_write(session, seq, checksum, sequence);
    struct writer writer = writer_fixed(message->token.data, token_len);
    frame_write(&writer, framed);
    writer_bytes(&writer, algorithms, ALGORITHMS_LEN);
    writer_bytes(&writer, sequence, sizeof sequence);
    writer_bytes(&writer, checksum, sizeof checksum);
    writer_bytes(&writer, confounder, sizeof confounder);
    message->token.len = token_len;
    message->padding.len = padded ? PADDING_LEN : 0;
    return SEC_E_OK;
}

/* A received Wrap token: its fields, and the text behind them with its padding. */
struct wrapped {
    struct fields fields;
    bool encrypted;
    struct slice_mut stream_text; /* STREAM: all that follows the fields */
    uint8_t *padding;             /* the padding byte; NULL when there is none */
    struct segment *shortened;    /* the DATA buffer that ends in the padding byte, or NULL */
};

/* Where does the padding lie? The framing tells whether there is one, outside DCE style. */
static SECURITY_STATUS padding_find(const struct kerberos_session *session, struct message *message,
                                    struct wrapped *wrapped)
{
    bool stream = message->stream.data != NULL;
    size_t text_len = stream ? wrapped->stream_text.len : kerberos_writable_len(message);
    wrapped->padding = NULL;
    wrapped->shortened = NULL;
    if (wrapped->fields.framed == WRAP_LEN)
        return SEC_E_OK;
    require(!session->seed.dce_style, cause_set(SEC_E_INVALID_TOKEN, "a token of DCE style that counts its text"));
    size_t framed_text = wrapped->fields.framed - WRAP_LEN;
    if (!stream && framed_text == text_len + PADDING_LEN && message->padding.len >= PADDING_LEN) {
        wrapped->padding = message->padding.data;
        return SEC_E_OK;
    }
    require(framed_text == text_len && text_len > 0,
            cause_set(SEC_E_INVALID_TOKEN, "a token that says %zu bytes of text, with %zu", framed_text, text_len));
    if (stream) {
        wrapped->padding = wrapped->stream_text.data + text_len - PADDING_LEN;
        return SEC_E_OK;
    }
    for (unsigned i = message->n_data; i-- > 0;) {
        struct segment *segment = &message->data[i];
        if (segment->read_only || segment->len == 0)
            continue;
        wrapped->shortened = segment;
        wrapped->padding = segment->data + segment->len - PADDING_LEN;
        break;
    }
    return SEC_E_OK;
}

static SECURITY_STATUS wrapped_parse(const struct kerberos_session *session, struct message *message,
                                     struct wrapped *wrapped)
{
    struct slice_mut first = message->stream.data != NULL ? message->stream : message->token;
    struct reader reader = reader_of(slice_of(first.data, first.len));
    struct fields *fields = &wrapped->fields;
    bool read = mic_read(&reader, fields) == WIRE_OK &&
                reader_bytes(&reader, CONFOUNDER_LEN, &fields->confounder) == WIRE_OK && fields->framed >= WRAP_LEN;
    require(read && (algorithms_are(fields, sealed_algorithms) || algorithms_are(fields, clear_algorithms)),
            cause_set(SEC_E_INVALID_TOKEN, "this is not a Wrap token of RFC 4757"));
    wrapped->encrypted = algorithms_are(fields, sealed_algorithms);
    size_t rest = reader_left(&reader);
    require(message->stream.data != NULL || rest == 0,
            cause_set(SEC_E_INVALID_TOKEN, "%zu bytes behind a Wrap token in its buffer", rest));
    wrapped->stream_text = (struct slice_mut){first.data + first.len - rest, rest};
    return padding_find(session, message, wrapped);
}

static void wrapped_pieces(const struct message *message, const struct wrapped *wrapped, struct pieces *pieces)
{
    bool placed = message->stream.data == NULL;
    pieces->n = 0;
    for (unsigned i = 0; i < message->n_data; i++) {
        const struct segment *segment = &message->data[i];
        if (segment->read_only)
            pieces_add(pieces, segment->data, segment->len, true);
        else if (message->stream.data == NULL)
            pieces_add(pieces, segment->data, segment->len, false);
        else if (!placed) {
            pieces_add(pieces, wrapped->stream_text.data, wrapped->stream_text.len, false);
            placed = true;
        }
    }
    if (!placed)
        pieces_add(pieces, wrapped->stream_text.data, wrapped->stream_text.len, false);
    if (wrapped->padding != NULL && message->stream.data == NULL && wrapped->shortened == NULL)
        pieces_add(pieces, wrapped->padding, PADDING_LEN, false);
}

/* The cipher text as it came. */
static void wrapped_undo(const struct kerberos_session *session, const struct wrapped *wrapped, uint32_t seq,
                         const struct pieces *pieces)
{
    uint8_t skipped[CONFOUNDER_LEN] = {0};
    struct rc4 rc4;
    if (!wrapped->encrypted)
        return;
    crypt_start(session, seq, &rc4);
    rc4_crypt(&rc4, skipped, skipped, sizeof skipped);
    for (unsigned i = 0; i < pieces->n; i++)
        if (!pieces->list[i].fixed)
            rc4_crypt(&rc4, pieces->list[i].data, pieces->list[i].data, pieces->list[i].len);
    secret_wipe(&rc4, sizeof rc4);
}

static bool wrapped_open(const struct kerberos_session *session, const struct wrapped *wrapped, uint32_t seq,
                         const struct pieces *pieces)
{
    uint8_t confounder[CONFOUNDER_LEN], expected[CHECKSUM_LEN];
    struct pass pass;
    memcpy(confounder, wrapped->fields.confounder.data, sizeof confounder);
    pass_begin(&pass, session, wrapped->encrypted ? DECRYPT : CLEAR, seq, SALT_WRAP, wrapped->fields.algorithms.data);
    pass_bytes(&pass, confounder, sizeof confounder, false);
    pass_pieces(&pass, pieces);
    pass_end(&pass, session, expected);
    bool genuine = secret_equal(expected, wrapped->fields.checksum.data, CHECKSUM_LEN) &&
                   (wrapped->padding != NULL ? *wrapped->padding == PADDING_BYTE : !is_ambiguous(session, pieces));
    if (!genuine)
        wrapped_undo(session, wrapped, seq, pieces);
    return genuine;
}

SECURITY_STATUS rfc4757_unseal(struct kerberos_session *session, struct message *message, const uint64_t *wanted,
                               bool *encrypted)
{
    struct wrapped wrapped;
    struct pieces pieces;
    uint32_t seq;
    size_t len;
    try(kerberos_message_len(message, &len));
    try(wrapped_parse(session, message, &wrapped));
    try(sequence_read(session, wrapped.fields.sequence, wrapped.fields.checksum, &seq));
    try(kerberos_sequence_check(session, seq, wanted));
    wrapped_pieces(message, &wrapped, &pieces);
    require(wrapped_open(session, &wrapped, seq, &pieces),
            cause_set(SEC_E_MESSAGE_ALTERED, "the checksum does not fit the message"));
    window_commit(&session->receive.window, seq);
    if (message->stream.data != NULL) {
        message->stream_data = wrapped.stream_text;
        message->stream_data.len -= wrapped.padding != NULL ? PADDING_LEN : 0;
    } else if (wrapped.shortened != NULL)
        wrapped.shortened->len -= PADDING_LEN;
    *encrypted = wrapped.encrypted;
    return SEC_E_OK;
}
