/* Per-message tokens of RFC 4121, section 4.2, in the layouts of MS-KILE 3.4.5.4.1. */
#include "base/secret.h"
#include "core/cause.h"
#include "crypto/random.h"
#include "kerberos/rfc4121.h"

#include <endian.h>
#include <string.h>

#define HEADER_LEN 16
#define TOKEN_MIC 0x0404
#define TOKEN_WRAP 0x0504
#define FILLER 0xff

/* 4.2.2; other bits are ignored when received. */
#define FLAG_SENT_BY_ACCEPTOR 0x01
#define FLAG_SEALED 0x02
#define FLAG_ACCEPTOR_SUBKEY 0x04

/* In DCE style Windows lengthens the text by one block, so that ciphertext stealing leaves the caller's buffers alone (MS-KILE 3.4.5.4.1). */
#define DCE_EXTRA_COUNT AES_BLOCK_LEN

/* 4.2.6.1, 4.2.6.2: token id (16 bits), flags (8), filler (8), EC (16), RRC (16; in MIC tokens both are filler), number (64). */
static void header_write(const struct rfc4121_header *header, uint8_t at[HEADER_LEN])
{
    uint32_t counts = header->token_id == TOKEN_MIC ? 0xffffffff : (uint32_t)header->ec << 16 | header->rrc;
    const uint64_t words[] = {
        htobe64((uint64_t)header->token_id << 48 | (uint64_t)header->flags << 40 | (uint64_t)FILLER << 32 | counts),
        htobe64(header->seq)};
    memcpy(at, words, HEADER_LEN);
}

static enum wire_result header_read(struct slice token, uint16_t token_id, struct rfc4121_header *header)
{
    struct reader reader = reader_of(token);
    uint64_t first;
    try(reader_u64be(&reader, &first));
    try(reader_u64be(&reader, &header->seq));
    header->token_id = (uint16_t)(first >> 48);
    header->flags = (uint8_t)(first >> 40);
    header->ec = (uint16_t)(first >> 16);
    header->rrc = (uint16_t)first;
    require(header->token_id == token_id && (uint8_t)(first >> 32) == FILLER, WIRE_BAD);
    require(token_id == TOKEN_WRAP || (header->ec == 0xffff && header->rrc == 0xffff), WIRE_BAD);
    return WIRE_OK;
}

/* The header of a received token, meant for this context and from the other side: a message that comes back to its sender is refused. */
static SECURITY_STATUS header_take(const struct kerberos_session *session, struct slice token, uint16_t token_id,
                                   struct rfc4121_header *header)
{
    require(
        header_read(token, token_id, header) == WIRE_OK,
        cause_set(SEC_E_INVALID_TOKEN, "this is not a %s token of RFC 4121", token_id == TOKEN_MIC ? "MIC" : "Wrap"));
    require(((header->flags & FLAG_SENT_BY_ACCEPTOR) != 0) == session->initiator,
            cause_set(SEC_E_MESSAGE_ALTERED, "a message of this side came back to it"));
    require(((header->flags & FLAG_ACCEPTOR_SUBKEY) != 0) == session->seed.acceptor_subkey,
            cause_set(SEC_E_MESSAGE_ALTERED, "a message under another key than the context's"));
    return SEC_E_OK;
}

static struct rfc4121_header header_new(const struct kerberos_session *session, uint16_t token_id, uint64_t seq)
{
    return (struct rfc4121_header){
        .token_id = token_id,
        .flags = (uint8_t)((session->initiator ? 0 : FLAG_SENT_BY_ACCEPTOR) |
                           (session->seed.acceptor_subkey ? FLAG_ACCEPTOR_SUBKEY : 0)),
        .seq = seq,
    };
}

static size_t extra_count(bool dce_style)
{
    return dce_style ? DCE_EXTRA_COUNT : 0;
}

static size_t sealed_token_len(const struct krb_profile *profile, bool dce_style)
{
    return HEADER_LEN + extra_count(dce_style) + HEADER_LEN + profile->mac_len + KRB_CONFOUNDER_LEN;
}

struct kerberos_overhead rfc4121_overhead(const struct krb_profile *profile, bool dce_style)
{
    return (struct kerberos_overhead){
        .signature = HEADER_LEN + profile->mac_len,
        .trailer = (uint32_t)sealed_token_len(profile, dce_style),
    };
}

static void message_pieces(const struct message *message, bool sealed, struct pieces *pieces)
{
    for (unsigned i = 0; i < message->n_data; i++)
        pieces_add(pieces, message->data[i].data, message->data[i].len, !sealed || message->data[i].read_only);
}

/* 4.2.4: the checksum of what is not encrypted is over the text and then the header, its EC and RRC as zeros. */
static void clear_mac(const struct krb_mac *mac, struct pieces *pieces, const struct rfc4121_header *header,
                      uint8_t *out)
{
    uint8_t bytes[HEADER_LEN];
    struct rfc4121_header plain = *header;
    plain.ec = plain.rrc = 0;
    header_write(&plain, bytes);
    pieces->list[pieces->n++] = (struct krb_piece){bytes, HEADER_LEN, true};
    krb_mac_compute(mac, pieces->list, pieces->n, out);
}

SECURITY_STATUS rfc4121_sign(struct kerberos_session *session, struct message *message, uint64_t seq)
{
    const struct rfc4121_header header = header_new(session, TOKEN_MIC, seq);
    size_t len, token_len = HEADER_LEN + session->profile->mac_len;
    struct pieces pieces;
    pieces.n = 0;
    try(kerberos_message_len(message, &len));
    try(kerberos_token_room(message, token_len));
    try(kerberos_lane_want(session, &session->send, KIND_MIC));
    message_pieces(message, false, &pieces);
    clear_mac(&session->send.mic, &pieces, &header, message->token.data + HEADER_LEN);
    header_write(&header, message->token.data);
    message->token.len = token_len;
    message->padding.len = 0;
    return SEC_E_OK;
}

SECURITY_STATUS rfc4121_verify(struct kerberos_session *session, struct message *message, const uint64_t *wanted)
{
    uint8_t expected[KRB_MAC_MAX];
    size_t len, mac_len = session->profile->mac_len;
    struct rfc4121_header header;
    struct pieces pieces;
    pieces.n = 0;
    try(kerberos_message_len(message, &len));
    require(message->token.len == HEADER_LEN + mac_len,
            cause_set(SEC_E_INVALID_TOKEN, "a signature of %zu bytes instead of %zu", message->token.len,
                      HEADER_LEN + mac_len));
    try(header_take(session, slice_of(message->token.data, message->token.len), TOKEN_MIC, &header));
    try(kerberos_sequence_check(session, header.seq, wanted));
    try(kerberos_lane_want(session, &session->receive, KIND_MIC));
    message_pieces(message, false, &pieces);
    clear_mac(&session->receive.mic, &pieces, &header, expected);
    require(secret_equal(expected, message->token.data + HEADER_LEN, mac_len),
            cause_set(SEC_E_MESSAGE_ALTERED, "the signature does not fit the message"));
    window_commit(&session->receive.window, header.seq);
    return SEC_E_OK;
}

/* The token holds header, checksum; the text follows, if the caller's buffers do: rotated by the checksum's length, as Windows does. */
static SECURITY_STATUS wrap_clear(struct kerberos_session *session, struct message *message, uint64_t seq)
{
    struct rfc4121_header header = header_new(session, TOKEN_WRAP, seq);
    size_t token_len = HEADER_LEN + session->profile->mac_len;
    struct pieces pieces;
    pieces.n = 0;
    try(kerberos_token_room(message, token_len));
    try(kerberos_lane_want(session, &session->send, KIND_CLEAR));
    message_pieces(message, false, &pieces);
    clear_mac(&session->send.wrap, &pieces, &header, message->token.data + HEADER_LEN);
    header.ec = header.rrc = session->profile->mac_len;
    header_write(&header, message->token.data);
    message->token.len = token_len;
    return SEC_E_OK;
}

/* The token holds header, filler, encrypted header, checksum, confounder: the text stays where it is, and token and text in a row are a token rotated
 * by RRC, in DCE style by RRC and EC. */
SECURITY_STATUS rfc4121_seal_begin(struct kerberos_session *session, struct message *message, uint64_t seq,
                                   struct rfc4121_sealing *sealing)
{
    const struct krb_profile *profile = session->profile;
    size_t len, ec = extra_count(session->seed.dce_style);
    uint8_t random[KRB_CONFOUNDER_LEN];
    try(kerberos_message_len(message, &len));
    try(kerberos_token_room(message, sealed_token_len(profile, session->seed.dce_style)));
    require(random_bytes(random, sizeof random), cause_set(SEC_E_INTERNAL_ERROR, "no random bytes"));

    struct rfc4121_header *header = &sealing->header;
    uint8_t *filler = message->token.data + HEADER_LEN, *copy = filler + ec;
    uint8_t *confounder = copy + HEADER_LEN + profile->mac_len;
    *header = header_new(session, TOKEN_WRAP, seq);
    header->flags |= FLAG_SEALED;
    header->ec = (uint16_t)ec;
    memset(filler, 0, ec);
    header_write(header, copy); /* 4.2.4: with an RRC of zero */
    memcpy(confounder, random, sizeof random);
    sealing->pieces.n = 0;
    pieces_add(&sealing->pieces, confounder, KRB_CONFOUNDER_LEN, false);
    message_pieces(message, true, &sealing->pieces);
    pieces_add(&sealing->pieces, filler, ec + HEADER_LEN, false);
    return SEC_E_OK;
}

void rfc4121_seal_end(const struct kerberos_session *session, struct message *message, struct rfc4121_sealing *sealing)
{
    size_t mac_len = session->profile->mac_len;
    memcpy(message->token.data + HEADER_LEN + sealing->header.ec + HEADER_LEN, sealing->mac, mac_len);
    sealing->header.rrc = (uint16_t)(HEADER_LEN + mac_len);
    header_write(&sealing->header, message->token.data);
    message->token.len = sealed_token_len(session->profile, session->seed.dce_style);
    message->padding.len = 0;
}

static SECURITY_STATUS wrap_sealed(struct kerberos_session *session, struct message *message, uint64_t seq)
{
    struct rfc4121_sealing sealing;
    try(kerberos_lane_want(session, &session->send, KIND_SEALED));
    try(rfc4121_seal_begin(session, message, seq, &sealing));
    require(krb_seal(&session->send.cipher, sealing.pieces.list, sealing.pieces.n, sealing.mac),
            cause_set(SEC_E_INTERNAL_ERROR, "the cipher failed"));
    rfc4121_seal_end(session, message, &sealing);
    return SEC_E_OK;
}

SECURITY_STATUS rfc4121_seal(struct kerberos_session *session, struct message *message, uint64_t seq, bool encrypt)
{
    size_t len;
    if (encrypt)
        return wrap_sealed(session, message, seq);
    try(kerberos_message_len(message, &len));
    try(wrap_clear(session, message, seq));
    message->padding.len = 0;
    return SEC_E_OK;
}

/* Where do the bytes behind the header lie? */
static void body_gather(const struct message *message, size_t overhead, struct ring *ring)
{
    ring->n_parts = 0;
    ring->len = ring->start = 0;
    if (message->stream.data != NULL) {
        ring_add(ring, message->stream.data + HEADER_LEN, message->stream.len - HEADER_LEN);
        return;
    }
    size_t token_len = message->token.len - HEADER_LEN;
    ring_add(ring, message->token.data + HEADER_LEN, token_len);
    for (unsigned i = 0; i < message->n_data; i++)
        if (!message->data[i].read_only)
            ring_add(ring, message->data[i].data, message->data[i].len);
    if (token_len < overhead) /* else all is there, and the buffer is one that the caller always adds */
        ring_add(ring, message->padding.data, message->padding.len);
}

static SECURITY_STATUS wrapped_parse(const struct kerberos_session *session, const struct message *message,
                                     struct rfc4121_wrapped *wrapped)
{
    struct slice_mut first = message->stream.data != NULL ? message->stream : message->token;
    size_t mac_len = session->profile->mac_len, len;
    try(kerberos_message_len(message, &len));
    try(header_take(session, slice_of(first.data, first.len), TOKEN_WRAP, &wrapped->header));
    const struct rfc4121_header *header = &wrapped->header;
    wrapped->sealed = (header->flags & FLAG_SEALED) != 0;
    require(wrapped->sealed || header->ec == mac_len,
            cause_set(SEC_E_MESSAGE_ALTERED, "a Wrap token with a checksum of %u bytes", header->ec));
    wrapped->lead = wrapped->sealed ? KRB_CONFOUNDER_LEN : 0;
    wrapped->trail = wrapped->sealed ? header->ec + HEADER_LEN + mac_len : mac_len;
    body_gather(message, wrapped->lead + wrapped->trail, &wrapped->ring);
    struct ring *ring = &wrapped->ring;
    require(ring->len >= wrapped->lead + wrapped->trail,
            cause_set(SEC_E_INVALID_TOKEN, "a Wrap token cut short: %zu bytes behind its header", ring->len));
    wrapped->plain_len = ring->len - wrapped->lead - wrapped->trail;
    size_t rotation = header->rrc;
    if (wrapped->sealed && session->seed.dce_style)
        rotation += header->ec;
    ring->start = wrapped->arrived_start = ring_place(ring, rotation);
    return SEC_E_OK;
}

/* Chooses the rotation under which the plain text comes to lie where the caller looks for it. Most tokens arrive like that. */
static SECURITY_STATUS wrapped_turn(const struct message *message, struct rfc4121_wrapped *wrapped)
{
    struct ring *ring = &wrapped->ring;
    if (message->stream.data != NULL) {
        if (ring_place(ring, ring->start + wrapped->lead) + wrapped->plain_len > ring->len)
            ring_turn(ring, 0);
        return SEC_E_OK;
    }
    size_t token_len = message->token.len - HEADER_LEN;
    require(wrapped->plain_len == kerberos_writable_len(message) && token_len >= wrapped->lead,
            cause_set(SEC_E_INVALID_TOKEN, "a Wrap token whose text of %zu bytes does not fill the DATA buffers",
                      wrapped->plain_len));
    size_t start = ring_place(ring, token_len - wrapped->lead);
    if (start != ring->start)
        ring_turn(ring, start);
    return SEC_E_OK;
}

/* All that the checksum covers, in its order. With a STREAM the first DATA buffer that may change stands for the plain text. */
static void wrapped_pieces(const struct message *message, const struct rfc4121_wrapped *wrapped, size_t mac_len,
                           struct pieces *pieces)
{
    bool fixed = !wrapped->sealed, placed = message->stream.data == NULL;
    pieces->n = 0;
    ring_pieces(&wrapped->ring, 0, wrapped->lead, fixed, pieces);
    for (unsigned i = 0; i < message->n_data; i++) {
        const struct segment *segment = &message->data[i];
        if (segment->read_only)
            pieces_add(pieces, segment->data, segment->len, true);
        else if (message->stream.data == NULL)
            pieces_add(pieces, segment->data, segment->len, fixed);
        else if (!placed) {
            ring_pieces(&wrapped->ring, wrapped->lead, wrapped->plain_len, fixed, pieces);
            placed = true;
        }
    }
    if (!placed)
        ring_pieces(&wrapped->ring, wrapped->lead, wrapped->plain_len, fixed, pieces);
    if (wrapped->sealed)
        ring_pieces(&wrapped->ring, wrapped->lead + wrapped->plain_len, wrapped->trail - mac_len, false, pieces);
}

/* 4.2.4: the header encrypted with the text must be the one in the clear, but for its RRC of zero. */
static bool header_agrees(const struct rfc4121_wrapped *wrapped)
{
    uint8_t expected[HEADER_LEN], found[HEADER_LEN];
    struct rfc4121_header header = wrapped->header;
    header.rrc = 0;
    header_write(&header, expected);
    ring_copy(&wrapped->ring, wrapped->lead + wrapped->plain_len + wrapped->header.ec, HEADER_LEN, found);
    return secret_equal(expected, found, HEADER_LEN);
}

/* The pieces of a sealed or plain token, and its checksum. */
static void opening_pieces(const struct kerberos_session *session, const struct message *message,
                           struct rfc4121_opening *opening)
{
    const struct rfc4121_wrapped *wrapped = &opening->wrapped;
    size_t mac_len = session->profile->mac_len;
    wrapped_pieces(message, wrapped, mac_len, &opening->pieces);
    ring_copy(&wrapped->ring, wrapped->lead + wrapped->plain_len + wrapped->trail - mac_len, mac_len, opening->mac);
}

static bool wrapped_open(struct kerberos_session *session, struct rfc4121_opening *opening)
{
    uint8_t expected[KRB_MAC_MAX];
    const struct rfc4121_wrapped *wrapped = &opening->wrapped;
    struct pieces *pieces = &opening->pieces;
    if (!wrapped->sealed) {
        clear_mac(&session->receive.wrap, pieces, &wrapped->header, expected);
        return secret_equal(expected, opening->mac, session->profile->mac_len);
    }
    require(krb_unseal(&session->receive.cipher, pieces->list, pieces->n, opening->mac), false);
    if (header_agrees(wrapped))
        return true;
    krb_unseal_undo(&session->receive.cipher, pieces->list, pieces->n);
    return false;
}

static void opened(struct kerberos_session *session, struct message *message, const struct rfc4121_wrapped *wrapped)
{
    window_commit(&session->receive.window, wrapped->header.seq);
    if (message->stream.data != NULL) {
        const struct ring *ring = &wrapped->ring;
        size_t at = wrapped->plain_len > 0 ? ring_place(ring, ring->start + wrapped->lead) : 0;
        message->stream_data = (struct slice_mut){ring->parts[0].data + at, wrapped->plain_len};
    }
}

SECURITY_STATUS rfc4121_unseal(struct kerberos_session *session, struct message *message, const uint64_t *wanted,
                               bool *encrypted)
{
    struct rfc4121_opening opening;
    struct rfc4121_wrapped *wrapped = &opening.wrapped;
    try(wrapped_parse(session, message, wrapped));
    try(kerberos_sequence_check(session, wrapped->header.seq, wanted));
    try(kerberos_lane_want(session, &session->receive, wrapped->sealed ? KIND_SEALED : KIND_CLEAR));
    try(wrapped_turn(message, wrapped));
    opening_pieces(session, message, &opening);
    if (!wrapped_open(session, &opening)) {
        ring_turn(&wrapped->ring, wrapped->arrived_start);
        return cause_set(SEC_E_MESSAGE_ALTERED, "the checksum does not fit the message");
    }
    opened(session, message, wrapped);
    *encrypted = wrapped->sealed;
    return SEC_E_OK;
}

SECURITY_STATUS rfc4121_unseal_begin(const struct kerberos_session *session, const struct message *message,
                                     struct rfc4121_opening *opening)
{
    try(wrapped_parse(session, message, &opening->wrapped));
    if (!opening->wrapped.sealed)
        return SEC_E_OK;
    opening->turned = wrapped_turn(message, &opening->wrapped);
    if (opening->turned == SEC_E_OK)
        opening_pieces(session, message, opening);
    return SEC_E_OK;
}

SECURITY_STATUS rfc4121_unseal_end(struct kerberos_session *session, struct message *message, const uint64_t *wanted,
                                   struct rfc4121_opening *opening, bool done)
{
    struct rfc4121_wrapped *wrapped = &opening->wrapped;
    SECURITY_STATUS status = kerberos_sequence_check(session, wrapped->header.seq, wanted);
    if (opening->turned != SEC_E_OK)
        return status != SEC_E_OK ? status : opening->turned;
    if (status == SEC_E_OK && (!done || !header_agrees(wrapped)))
        status = cause_set(SEC_E_MESSAGE_ALTERED, "the checksum does not fit the message");
    if (status == SEC_E_OK) {
        opened(session, message, wrapped);
        return SEC_E_OK;
    }
    if (done)
        krb_unseal_undo(&session->receive.cipher, opening->pieces.list, opening->pieces.n);
    ring_turn(&wrapped->ring, wrapped->arrived_start);
    return status;
}
