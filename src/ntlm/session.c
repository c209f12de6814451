#include "ntlm/session.h"

#include "base/memory.h"
#include "core/cause.h"
#include "crypto/rc4.h"
#include "ntlm/keys.h"
#include "ntlm/messages.h"
#include <pthread.h>
#include <string.h>
#include <wincrypt_types.h>

/* One direction. Without extended session security both directions share one (3.4.4.1). */
struct lane {
    struct hmac_md5_key sign;
    struct rc4 rc4;
    struct rc4 before; /* receiving: the cipher's state to go back to when a message is refused */
    struct key16 seal_key;
    uint8_t seal_key_len;
    bool started; /* keys are derived at the first message: many contexts never see one */
    bool rewound; /* the cipher begins anew at the next message, its keys being there */
    uint32_t seq;
    uint32_t first; /* the first message's number: those before went to SPNEGO's list */
};

struct ntlm_session {
    uint32_t flags;
    bool initiator;
    struct lane send, receive;
    pthread_mutex_t shared; /* held around `send` when both directions use it */
    struct key16 key;
    int64_t password_expiry;
    uint8_t *target_info; /* ours */
    size_t target_info_len;
};

static bool is_extended(const struct ntlm_session *session)
{
    return (session->flags & NTLM_EXTENDED_SESSION_SECURITY) != 0;
}

static bool is_datagram(const struct ntlm_session *session)
{
    return (session->flags & NTLM_DATAGRAM) != 0;
}

static void lane_start(struct lane *lane, uint32_t flags, const struct key16 *key, bool from_client)
{
    AUTO_KEY16 struct key16 sign = {{0}};
    size_t len;
    ntlm_message_keys(flags, key, from_client, &sign, &lane->seal_key, &len);
    if ((flags & NTLM_EXTENDED_SESSION_SECURITY) != 0)
        hmac_md5_key_init(&lane->sign, sign.bytes, sizeof sign.bytes);
    lane->seal_key_len = (uint8_t)len;
    lane->started = true;
    rc4_init(&lane->rc4, lane->seal_key.bytes, lane->seal_key_len);
}

/* The keys of both lanes, with extended session security; their ciphers have not begun. */
static void lanes_keys(struct ntlm_session *session)
{
    struct lane *client = session->initiator ? &session->send : &session->receive;
    struct lane *server = session->initiator ? &session->receive : &session->send;
    struct key16 sign[2], seal[2];
    ntlm_message_keys_both(session->flags, &session->key, sign, seal);
    hmac_md5_key_init_both(&client->sign, sign[0].bytes, &server->sign, sign[1].bytes);
    client->seal_key = seal[0];
    server->seal_key = seal[1];
    client->seal_key_len = server->seal_key_len = sizeof seal[0].bytes;
    client->started = server->started = true;
    secret_wipe(sign, sizeof sign);
    secret_wipe(seal, sizeof seal);
}

/* In the record. 1 was a lane that has started without its first number, which cannot be reset. */
enum lane_record {
    LANE_NEW = 0,
    LANE_NUMBERED = 2, /* the first number is not 0, and no message was made */
    LANE_STARTED = 3,
};

static enum wire_result lane_read(struct reader *own, struct lane *lane, const struct ntlm_session *session,
                                  bool from_client)
{
    uint8_t kind;
    try(reader_u8(own, &kind));
    require(kind == LANE_NEW || kind == LANE_NUMBERED || kind == LANE_STARTED, WIRE_BAD);
    if (kind == LANE_NEW)
        return WIRE_OK;
    try(reader_u32le(own, &lane->seq));
    lane->first = lane->seq;
    if (kind == LANE_NUMBERED)
        return WIRE_OK;
    try(reader_u32le(own, &lane->first));
    lane_start(lane, session->flags, &session->key, from_client);
    try(reader_copy(own, lane->rc4.s, sizeof lane->rc4.s));
    try(reader_u8(own, &lane->rc4.i));
    return reader_u8(own, &lane->rc4.j);
}

static void lane_write(struct writer *own, const struct lane *lane)
{
    enum lane_record kind = lane->started && !lane->rewound ? LANE_STARTED : lane->seq != 0 ? LANE_NUMBERED : LANE_NEW;
    writer_u8(own, (uint8_t)kind);
    if (kind == LANE_NEW)
        return;
    writer_u32le(own, lane->seq);
    if (kind == LANE_NUMBERED)
        return;
    writer_u32le(own, lane->first);
    writer_bytes(own, lane->rc4.s, sizeof lane->rc4.s);
    writer_u8(own, lane->rc4.i);
    writer_u8(own, lane->rc4.j);
}

/* The record's part: the seed, and for a context that moves, the state of both lanes behind it. */
static enum wire_result session_read(struct slice own, bool initiator, struct ntlm_session *session,
                                     struct slice *target_info)
{
    struct reader reader = reader_of(own);
    struct ntlm_session_seed seed = {0};
    try(ntlm_session_seed_read(&reader, &seed));
    session->flags = seed.flags;
    session->key = seed.key;
    session->password_expiry = seed.password_expiry;
    key16_wipe(&seed.key);
    *target_info = seed.target_info;
    session->initiator = initiator;
    require(!is_datagram(session) || is_extended(session), WIRE_BAD); /* all datagrams would have one key stream */
    if (reader_left(&reader) > 0) {
        try(lane_read(&reader, &session->send, session, initiator));
        try(lane_read(&reader, &session->receive, session, !initiator));
    }
    return reader_end(&reader);
}

static SECURITY_STATUS ntlm_session_open(struct slice own, uint32_t flags, bool initiator, void **state)
{
    (void)flags;
    struct ntlm_session *session = secret_block_alloc(sizeof *session);
    require(session != NULL, SEC_E_INSUFFICIENT_MEMORY);
    struct slice target_info;
    if (session_read(own, initiator, session, &target_info) != WIRE_OK) {
        secret_block_free(session, sizeof *session);
        return cause_set(SEC_E_INVALID_TOKEN, "the NTLM part of a session record is damaged");
    }
    session->target_info = mem_dup(target_info.data, target_info.len);
    session->target_info_len = target_info.len;
    if (session->target_info == NULL) {
        secret_block_free(session, sizeof *session);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    pthread_mutex_init(&session->shared, NULL);
    *state = session;
    return SEC_E_OK;
}

static void ntlm_session_close(void *state)
{
    struct ntlm_session *session = state;
    pthread_mutex_destroy(&session->shared);
    mem_free(session->target_info);
    secret_block_free(session, sizeof *session);
}

static SECURITY_STATUS ntlm_session_save(const void *state, struct writer *own)
{
    const struct ntlm_session *session = state;
    struct ntlm_session_seed seed = {
        .flags = session->flags,
        .key = session->key,
        .password_expiry = session->password_expiry,
        .target_info = slice_of(session->target_info, session->target_info_len),
    };
    ntlm_session_seed_write(own, &seed);
    key16_wipe(&seed.key);
    lane_write(own, &session->send);
    lane_write(own, &session->receive);
    return SEC_E_OK;
}

static void lane_reset(struct lane *lane)
{
    lane->started = lane->rewound = false;
    lane->seq = lane->first;
}

static SECURITY_STATUS ntlm_session_reset(void *state)
{
    struct ntlm_session *session = state;
    require(is_datagram(session) || session->send.seq == session->send.first,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "messages were made already, and RC4's key stream would come again"));
    lane_reset(&session->send);
    lane_reset(&session->receive);
    return SEC_E_OK;
}

/* The lane of a direction, locked if both use it, started if it was not. */
static struct lane *lane_take(struct ntlm_session *session, bool sending)
{
    struct lane *lane = &session->send;
    if (!is_extended(session))
        pthread_mutex_lock(&session->shared);
    else if (!sending)
        lane = &session->receive;
    if (!lane->started)
        lane_start(lane, session->flags, &session->key, session->initiator == (lane == &session->send));
    else if (lane->rewound)
        rc4_init(&lane->rc4, lane->seal_key.bytes, lane->seal_key_len);
    lane->rewound = false;
    return lane;
}

static void lane_give(struct ntlm_session *session)
{
    if (!is_extended(session))
        pthread_mutex_unlock(&session->shared);
}

/* Datagrams are keyed one by one, so that they may be lost and reordered (3.4.3). */
static void lane_rekey(struct lane *lane, uint32_t seq)
{
    AUTO_KEY16 struct key16 key;
    struct md5 md5;
    uint8_t bytes[4] = {(uint8_t)seq, (uint8_t)(seq >> 8), (uint8_t)(seq >> 16), (uint8_t)(seq >> 24)};
    md5_init(&md5);
    md5_update(&md5, lane->seal_key.bytes, lane->seal_key_len);
    md5_update(&md5, bytes, sizeof bytes);
    md5_final(&md5, key.bytes);
    rc4_init(&lane->rc4, key.bytes, sizeof key.bytes);
}

static void u32_put(uint8_t *at, uint32_t value)
{
    for (size_t i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t u32_get(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

enum cipher { PLAIN, ENCRYPT, DECRYPT };

/* Runs message through checksum and cipher: the checksum is over the plain text of all segments, the cipher takes those that may change. */
static void crypt_extended(struct lane *lane, struct message *message, enum cipher cipher, uint32_t seq,
                           uint8_t mac[16])
{
    struct hmac_md5 hmac;
    uint8_t bytes[4];
    u32_put(bytes, seq);
    hmac_md5_init(&hmac, &lane->sign);
    hmac_md5_update(&hmac, bytes, sizeof bytes);
    for (unsigned i = 0; i < message->n_data; i++) {
        struct segment *segment = &message->data[i];
        if (cipher == PLAIN || segment->read_only)
            hmac_md5_update(&hmac, segment->data, segment->len);
        else if (cipher == ENCRYPT)
            rc4_md5_seal(&lane->rc4, &hmac.md5, segment->data, segment->len);
        else
            rc4_md5_unseal(&lane->rc4, &hmac.md5, segment->data, segment->len);
    }
    hmac_md5_final(&hmac, mac);
}

static uint32_t crypt_crc(struct lane *lane, struct message *message, enum cipher cipher)
{
    uint32_t crc = 0;
    for (unsigned i = 0; i < message->n_data; i++) {
        struct segment *segment = &message->data[i];
        bool change = cipher != PLAIN && !segment->read_only;
        if (change && cipher == DECRYPT)
            rc4_crypt(&lane->rc4, segment->data, segment->data, segment->len);
        crc = crc32_update(crc, segment->data, segment->len);
        if (change && cipher == ENCRYPT)
            rc4_crypt(&lane->rc4, segment->data, segment->data, segment->len);
    }
    return crc;
}

/* The form with extended session security, of a code that has been through the cipher where it must. */
static void signature_write(uint8_t signature[NTLM_SIGNATURE_LEN], const uint8_t mac[MD5_LEN], uint32_t seq)
{
    u32_put(signature, 1);
    memcpy(signature + 4, mac, 8);
    u32_put(signature + 12, seq);
}

/* NTLMSSP_MESSAGE_SIGNATURE (2.2.2.9, 3.4.4): version 1, then with extended session security the checksum, encrypted after a key exchange, and the
 * plain sequence number; without, an ignored pad, an encrypted CRC and an encrypted sequence number. */
static void signature_make(const struct ntlm_session *session, struct lane *lane, struct message *message,
                           enum cipher cipher, uint32_t seq, uint8_t signature[NTLM_SIGNATURE_LEN])
{
    if (is_extended(session)) {
        uint8_t mac[MD5_LEN];
        crypt_extended(lane, message, cipher, seq, mac);
        if ((session->flags & NTLM_KEY_EXCH) != 0)
            rc4_crypt(&lane->rc4, mac, mac, 8);
        signature_write(signature, mac, seq);
        return;
    }
    u32_put(signature, 1);
    uint32_t crc = crypt_crc(lane, message, cipher);
    memset(signature + 4, 0, 12);
    u32_put(signature + 8, crc);
    rc4_crypt(&lane->rc4, signature + 4, signature + 4, 12);
    u32_put(signature + 4, 0);
    u32_put(signature + 12, u32_get(signature + 12) ^ seq);
}

/* ALWAYS_SIGN without keys in use (3.4.4 and observed): every signature is this. */
static const uint8_t dummy_signature[NTLM_SIGNATURE_LEN] = {1};

static bool has_keys(const struct ntlm_session *session)
{
    return (session->flags & (NTLM_SIGN | NTLM_SEAL)) != 0;
}

/* Room for the signature, which is all that is added. */
static SECURITY_STATUS room_take(struct message *message)
{
    require(message->token.data != NULL,
            cause_set(SEC_E_INVALID_TOKEN, "a message to protect needs a SECBUFFER_TOKEN for the signature"));
    require(message->token.len >= NTLM_SIGNATURE_LEN,
            cause_set(SEC_E_BUFFER_TOO_SMALL, "an NTLM signature has 16 bytes, the buffer %zu", message->token.len));
    message->token.len = NTLM_SIGNATURE_LEN;
    message->padding.len = 0;
    return SEC_E_OK;
}

static SECURITY_STATUS protect(struct ntlm_session *session, struct message *message, enum cipher cipher, uint32_t seq)
{
    try(room_take(message));
    struct lane *lane = lane_take(session, true);
    if (is_datagram(session))
        lane_rekey(lane, seq);
    else
        seq = lane->seq++;
    signature_make(session, lane, message, cipher, seq, message->token.data);
    lane_give(session);
    return SEC_E_OK;
}

static SECURITY_STATUS ntlm_sign(void *state, uint32_t qop, struct message *message, uint32_t seq)
{
    struct ntlm_session *session = state;
    (void)qop; /* NTLM has one quality of protection */
    if (has_keys(session))
        return protect(session, message, PLAIN, seq);
    require((session->flags & NTLM_ALWAYS_SIGN) != 0,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "integrity was not negotiated"));
    try(room_take(message));
    memcpy(message->token.data, dummy_signature, NTLM_SIGNATURE_LEN);
    return SEC_E_OK;
}

static SECURITY_STATUS ntlm_seal(void *state, uint32_t qop, struct message *message, uint32_t seq)
{
    struct ntlm_session *session = state;
    require(has_keys(session),
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "neither integrity nor confidentiality was negotiated"));
    if (qop == SECQOP_WRAP_NO_ENCRYPT)
        return protect(session, message, PLAIN, seq);
    require((session->flags & NTLM_SEAL) != 0,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION,
                      "confidentiality was not negotiated; SECQOP_WRAP_NO_ENCRYPT signs without it"));
    return protect(session, message, ENCRYPT, seq);
}

/* Everything changed is put back: the caller keeps the cipher text, the lane its place, and one forged message breaks nothing. */
static void unprotect_undo(struct lane *lane, struct message *message, enum cipher cipher)
{
    lane->rc4 = lane->before;
    if (cipher == DECRYPT)
        for (unsigned i = 0; i < message->n_data; i++)
            if (!message->data[i].read_only)
                rc4_crypt(&lane->rc4, message->data[i].data, message->data[i].data, message->data[i].len);
    lane->rc4 = lane->before;
}

/* Extended signatures carry their number in the clear, so that a message out of order is told from an altered one before any work. */
static SECURITY_STATUS sequence_check(const struct ntlm_session *session, const uint8_t *signature, uint32_t wanted)
{
    require(u32_get(signature) == 1, cause_set(SEC_E_MESSAGE_ALTERED, "a signature of another version than 1"));
    if (is_extended(session))
        require(
            u32_get(signature + 12) == wanted,
            cause_set(SEC_E_OUT_OF_SEQUENCE, "message number %u where %u was due", u32_get(signature + 12), wanted));
    return SEC_E_OK;
}

static SECURITY_STATUS unprotect_in_lane(struct ntlm_session *session, struct lane *lane, struct message *message,
                                         enum cipher cipher, uint32_t seq)
{
    uint8_t expected[NTLM_SIGNATURE_LEN];
    const uint8_t *signature = message->token.data;
    uint32_t wanted = is_datagram(session) ? seq : lane->seq;
    try(sequence_check(session, signature, wanted));
    if (is_datagram(session))
        lane_rekey(lane, wanted);
    lane->before = lane->rc4;
    signature_make(session, lane, message, cipher, wanted, expected);
    /* Without extended session security bytes 4 to 7 are a pad that the receiver ignores (3.4.4.1). */
    size_t compared_from = is_extended(session) ? 4 : 8;
    if (!secret_equal(expected + compared_from, signature + compared_from, NTLM_SIGNATURE_LEN - compared_from)) {
        unprotect_undo(lane, message, cipher);
        bool order = !is_extended(session) && secret_equal(expected + 8, signature + 8, 4);
        return order ? cause_set(SEC_E_OUT_OF_SEQUENCE, "a message that was replayed, lost or reordered")
                     : cause_set(SEC_E_MESSAGE_ALTERED, "the signature does not fit the message");
    }
    if (!is_datagram(session))
        lane->seq++;
    return SEC_E_OK;
}

static SECURITY_STATUS unprotect(struct ntlm_session *session, struct message *message, enum cipher cipher,
                                 uint32_t seq)
{
    require(message->token.data != NULL && message->token.len >= NTLM_SIGNATURE_LEN,
            cause_set(SEC_E_INVALID_TOKEN, "a protected message needs a SECBUFFER_TOKEN with its 16-byte signature"));
    struct lane *lane = lane_take(session, false);
    SECURITY_STATUS status = unprotect_in_lane(session, lane, message, cipher, seq);
    lane_give(session);
    if (status == SEC_E_OK)
        message->padding.len = 0;
    return status;
}

static SECURITY_STATUS verify_dummy(const struct message *message)
{
    require(message->token.data != NULL && message->token.len >= NTLM_SIGNATURE_LEN,
            cause_set(SEC_E_INVALID_TOKEN, "a signed message needs a SECBUFFER_TOKEN with its 16-byte signature"));
    require(secret_equal(message->token.data, dummy_signature, NTLM_SIGNATURE_LEN),
            cause_set(SEC_E_MESSAGE_ALTERED, "the signature does not fit the message"));
    return SEC_E_OK;
}

static SECURITY_STATUS ntlm_verify(void *state, struct message *message, uint32_t seq, uint32_t *qop)
{
    struct ntlm_session *session = state;
    (void)qop; /* Windows leaves the caller's variable as it was */
    if (has_keys(session))
        return unprotect(session, message, PLAIN, seq);
    require((session->flags & NTLM_ALWAYS_SIGN) != 0,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "integrity was not negotiated"));
    return verify_dummy(message);
}

/* {STREAM, DATA}: the whole wrapped message is signature, then text. */
static SECURITY_STATUS stream_split(struct message *message)
{
    require(message->stream.len >= NTLM_SIGNATURE_LEN,
            cause_set(SEC_E_INVALID_TOKEN, "a wrapped message of %zu bytes", message->stream.len));
    message->token = (struct slice_mut){message->stream.data, NTLM_SIGNATURE_LEN};
    message->stream_data =
        (struct slice_mut){message->stream.data + NTLM_SIGNATURE_LEN, message->stream.len - NTLM_SIGNATURE_LEN};
    message->data[0] = (struct segment){.data = message->stream_data.data, .len = message->stream_data.len};
    message->n_data = 1;
    return SEC_E_OK;
}

static SECURITY_STATUS ntlm_unseal(void *state, struct message *message, uint32_t seq, uint32_t *qop)
{
    struct ntlm_session *session = state;
    require(has_keys(session),
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "neither integrity nor confidentiality was negotiated"));
    if (message->stream.data != NULL)
        try(stream_split(message));
    bool sealed = (session->flags & NTLM_SEAL) != 0;
    try(unprotect(session, message, sealed ? DECRYPT : PLAIN, seq));
    *qop = sealed ? 0 : SECQOP_WRAP_NO_ENCRYPT;
    return SEC_E_OK;
}

#define LIST_SIGNED_MAX 512 /* longer lists are signed and verified as messages are */

/* Both codes at once, as two messages with number 0: what is bound by latency takes little longer for two. Where both directions share a lane, order
 * decides what a code is. */
static SECURITY_STATUS ntlm_list_codes(void *state, struct slice list, struct list_codes *codes)
{
    struct ntlm_session *session = state;
    struct lane *own = &session->send, *peer = &session->receive;
    uint8_t numbered[4 + LIST_SIGNED_MAX] = {0}, mac[2][MD5_LEN];
    bool fresh = !own->started && !peer->started && own->seq == 0 && peer->seq == 0;
    require(fresh && is_extended(session) && !is_datagram(session) && has_keys(session) && list.len <= LIST_SIGNED_MAX,
            SEC_E_UNSUPPORTED_FUNCTION);
    lanes_keys(session);
    memcpy(numbered + 4, list.data, list.len);
    hmac_md5_both(&own->sign, mac[0], &peer->sign, mac[1], slice_of(numbered, 4 + list.len));
    if ((session->flags & NTLM_KEY_EXCH) != 0) {
        rc4_init_both(&own->rc4, own->seal_key.bytes, &peer->rc4, peer->seal_key.bytes);
        rc4_crypt(&own->rc4, mac[0], mac[0], 8);
        rc4_crypt(&peer->rc4, mac[1], mac[1], 8);
    }
    own->rewound = peer->rewound = true; /* the ciphers are not where they were, and may not be there at all */
    codes->len = NTLM_SIGNATURE_LEN;
    signature_write(codes->own, mac[0], 0);
    signature_write(codes->peer, mac[1], 0);
    return SEC_E_OK;
}

/* MS-SPNG 3.2.5.1: the ciphers begin again, the numbers go on (docs/interop.md says why). */
static SECURITY_STATUS ntlm_list_signed(void *state, bool sent, bool seen)
{
    struct ntlm_session *session = state;
    session->send.rewound = session->receive.rewound = true;
    if (is_extended(session)) { /* else one lane has counted both */
        session->send.seq = sent;
        session->receive.seq = seen;
    }
    session->send.first = session->send.seq;
    session->receive.first = session->receive.seq;
    return SEC_E_OK;
}

#define SIGNATURE_RC4_CRC32 0xffffff7cu

SECURITY_STATUS ntlm_attribute(uint32_t flags, uint32_t attribute, struct attribute *value)
{
    bool extended = (flags & NTLM_EXTENDED_SESSION_SECURITY) != 0;
    switch (attribute) {
    case SECPKG_ATTR_SIZES:
        value->sizes.max_token = NTLM_MESSAGE_MAX;
        value->sizes.max_signature = NTLM_SIGNATURE_LEN;
        value->sizes.block = 0;
        value->sizes.trailer = NTLM_SIGNATURE_LEN;
        return SEC_E_OK;
    case SECPKG_ATTR_KEY_INFO:
        value->key_info.signature_name = extended ? "HMAC-MD5" : "RSADSI RC4-CRC32";
        value->key_info.signature_algorithm = extended ? KEY_INFO_HMAC_MD5 : SIGNATURE_RC4_CRC32;
        value->key_info.encrypt_name = "RSADSI RC4";
        value->key_info.encrypt_algorithm = CALG_RC4;
        value->key_info.key_bits = (flags & NTLM_128) != 0 ? 128 : (flags & NTLM_56) != 0 ? 56 : 40;
        return SEC_E_OK;
    default:
        return SEC_E_UNSUPPORTED_FUNCTION;
    }
}

static SECURITY_STATUS ntlm_session_query(const void *state, uint32_t attribute, struct attribute *value)
{
    const struct ntlm_session *session = state;
    if (attribute == SECPKG_ATTR_PASSWORD_EXPIRY) {
        value->time = session->password_expiry;
        return SEC_E_OK;
    }
    if (attribute == SECPKG_ATTR_TARGET_INFORMATION) {
        require(session->target_info_len > 0,
                cause_set(SEC_E_UNSUPPORTED_FUNCTION, "the server sent no target information"));
        value->bytes = slice_of(session->target_info, session->target_info_len);
        return SEC_E_OK;
    }
    return ntlm_attribute(session->flags, attribute, value);
}

const struct package_session ntlm_session_table = {
    .open = ntlm_session_open,
    .close = ntlm_session_close,
    .save = ntlm_session_save,
    .reset = ntlm_session_reset,
    .list_codes = ntlm_list_codes,
    .list_signed = ntlm_list_signed,
    .sign = ntlm_sign,
    .seal = ntlm_seal,
    .verify = ntlm_verify,
    .unseal = ntlm_unseal,
    .query = ntlm_session_query,
};
