#include "kerberos/session.h"

#include "base/secret.h"
#include "core/cause.h"
#include "crypto/krb5_encrypt.h"
#include "crypto/processor.h"
#include "kerberos/session_state.h"
#include <string.h>

/* RFC 4121, section 2: key usages. */
#define USAGE_ACCEPTOR_SEAL 22
#define USAGE_ACCEPTOR_SIGN 23
#define USAGE_INITIATOR_SEAL 24
#define USAGE_INITIATOR_SIGN 25

#define SEED_VERSION 1
#define SEED_ACCEPTOR_SUBKEY 0x01
#define SEED_DCE_STYLE 0x02

void kerberos_session_seed_write(struct writer *own, const struct kerberos_session_seed *seed)
{
    writer_u8(own, SEED_VERSION);
    writer_u8(own,
              (uint8_t)((seed->acceptor_subkey ? SEED_ACCEPTOR_SUBKEY : 0) | (seed->dce_style ? SEED_DCE_STYLE : 0)));
    writer_u32le(own, (uint32_t)seed->enctype);
    writer_u64le(own, seed->send_seq);
    writer_u64le(own, seed->receive_seq);
    writer_u8(own, (uint8_t)seed->key_len);
    writer_bytes(own, seed->key, seed->key_len);
}

enum wire_result kerberos_session_seed_read(struct reader *own, struct kerberos_session_seed *seed)
{
    uint8_t version, flags, key_len;
    uint32_t enctype;
    try(reader_u8(own, &version));
    require(version == SEED_VERSION, WIRE_BAD);
    try(reader_u8(own, &flags));
    require((flags & ~(SEED_ACCEPTOR_SUBKEY | SEED_DCE_STYLE)) == 0, WIRE_BAD);
    seed->acceptor_subkey = (flags & SEED_ACCEPTOR_SUBKEY) != 0;
    seed->dce_style = (flags & SEED_DCE_STYLE) != 0;
    try(reader_u32le(own, &enctype));
    seed->enctype = (int32_t)enctype;
    try(reader_u64le(own, &seed->send_seq));
    try(reader_u64le(own, &seed->receive_seq));
    try(reader_u8(own, &key_len));
    require(key_len != 0 && key_len == krb_enctype_key_len(seed->enctype), WIRE_BAD);
    seed->key_len = key_len;
    return reader_copy(own, seed->key, key_len);
}

/* The record's part: the seed, and for a context that moves, where both directions are. */
static enum wire_result session_read(struct slice own, struct kerberos_session *session)
{
    struct reader reader = reader_of(own);
    try(kerberos_session_seed_read(&reader, &session->seed));
    session->send.seq = session->seed.send_seq;
    session->receive.window.narrow = session->seed.enctype == KRB_RC4_HMAC;
    window_start(&session->receive.window, session->seed.receive_seq);
    if (reader_left(&reader) > 0) {
        try(reader_u64le(&reader, &session->send.seq));
        try(window_read(&reader, &session->receive.window));
    }
    return reader_end(&reader);
}

static bool kind_make(struct kerberos_lane *lane, struct krb_base *base, bool from_initiator, bool sending,
                      unsigned kind)
{
    uint32_t seal = from_initiator ? USAGE_INITIATOR_SEAL : USAGE_ACCEPTOR_SEAL;
    uint32_t sign = from_initiator ? USAGE_INITIATOR_SIGN : USAGE_ACCEPTOR_SIGN;
    if (kind == KIND_SEALED)
        return krb_cipher_init(&lane->cipher, base, seal, sending);
    return kind == KIND_CLEAR ? krb_mac_init(&lane->wrap, base, seal) : krb_mac_init(&lane->mic, base, sign);
}

SECURITY_STATUS kerberos_lane_make(const struct kerberos_session *session, struct kerberos_lane *lane, unsigned kinds)
{
    struct krb_base base;
    bool sending = lane == &session->send, done = krb_base_init(&base, session->profile, session->seed.key);
    for (unsigned kind = 1; done && kind <= KINDS_ALL; kind <<= 1)
        if ((kinds & ~lane->made & kind) != 0) {
            done = kind_make(lane, &base, session->initiator == sending, sending, kind);
            lane->made |= done ? kind : 0;
        }
    krb_base_release(&base);
    return done ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* OpenSSL's ciphers are allocated: where messages need them, all keys are made here, so that no message call allocates. */
static SECURITY_STATUS session_prepare(struct kerberos_session *session)
{
    session->profile = krb_profile_find(session->seed.enctype);
    if (session->profile == NULL)
        krb_rc4_keys_init(&session->rc4, session->seed.key);
    if (session->profile == NULL || processor_has(PROCESSOR_AES))
        return SEC_E_OK;
    try(kerberos_lane_make(session, &session->send, KINDS_ALL));
    return kerberos_lane_make(session, &session->receive, KINDS_ALL);
}

static void kerberos_session_close(void *state)
{
    struct kerberos_session *session = state;
    if (session->profile != NULL) {
        krb_cipher_release(&session->send.cipher);
        krb_cipher_release(&session->receive.cipher);
    }
    secret_block_free(session, sizeof *session);
}

/* These have one value for initiators and acceptors. */
_Static_assert(ISC_RET_CONFIDENTIALITY == ASC_RET_CONFIDENTIALITY && ISC_RET_REPLAY_DETECT == ASC_RET_REPLAY_DETECT &&
                   ISC_RET_SEQUENCE_DETECT == ASC_RET_SEQUENCE_DETECT && ISC_RET_DATAGRAM == ASC_RET_DATAGRAM &&
                   ISC_RET_USED_DCE_STYLE == ASC_RET_USED_DCE_STYLE && ISC_RET_MUTUAL_AUTH == ASC_RET_MUTUAL_AUTH,
               "flags of the two sides differ");

static SECURITY_STATUS kerberos_session_open(struct slice own, uint32_t flags, bool initiator, void **state)
{
    struct kerberos_session *session = secret_block_alloc(sizeof *session);
    require(session != NULL, SEC_E_INSUFFICIENT_MEMORY);
    if (session_read(own, session) != WIRE_OK) {
        secret_block_free(session, sizeof *session);
        return cause_set(SEC_E_INVALID_TOKEN, "the Kerberos part of a session record is damaged");
    }
    session->initiator = initiator;
    session->confidential = (flags & ISC_RET_CONFIDENTIALITY) != 0;
    session->datagram = (flags & ISC_RET_DATAGRAM) != 0;
    session->seed.dce_style = session->seed.dce_style || (flags & ISC_RET_USED_DCE_STYLE) != 0;
    session->receive.window.replay = (flags & ISC_RET_REPLAY_DETECT) != 0;
    session->receive.window.sequence = (flags & ISC_RET_SEQUENCE_DETECT) != 0;
    SECURITY_STATUS status = session_prepare(session);
    if (status != SEC_E_OK) {
        kerberos_session_close(session);
        return status;
    }
    bool own_numbers = ((flags & ISC_RET_MUTUAL_AUTH) != 0 || session->seed.dce_style) && !session->datagram;
    session->mirrored = session->profile == NULL && !initiator && !own_numbers;
    *state = session;
    return SEC_E_OK;
}

static SECURITY_STATUS kerberos_session_save(const void *state, struct writer *own)
{
    const struct kerberos_session *session = state;
    kerberos_session_seed_write(own, &session->seed);
    writer_u64le(own, session->send.seq);
    window_write(own, &session->receive.window);
    return SEC_E_OK;
}

static SECURITY_STATUS kerberos_session_reset(void *state)
{
    struct kerberos_session *session = state;
    require(
        session->profile != NULL || session->send.seq == session->seed.send_seq,
        cause_set(SEC_E_UNSUPPORTED_FUNCTION, "messages were made already, and RC4's key streams would come again"));
    session->send.seq = session->seed.send_seq;
    window_start(&session->receive.window, session->seed.receive_seq);
    return SEC_E_OK;
}

/* The list's codes used up numbers, for peers, too: the session's messages begin behind them, and where it is reset begin there again. */
static SECURITY_STATUS kerberos_list_signed(void *state, bool sent, bool seen)
{
    struct kerberos_session *session = state;
    (void)sent, (void)seen; /* the numbers tell */
    session->seed.send_seq = session->send.seq;
    session->seed.receive_seq = session->receive.window.next;
    return SEC_E_OK;
}

SECURITY_STATUS kerberos_message_len(const struct message *message, size_t *len)
{
    *len = 0;
    for (unsigned i = 0; i < message->n_data; i++) {
        require(message->data[i].len <= KERBEROS_MESSAGE_MAX - *len,
                cause_set(SEC_E_INVALID_TOKEN, "a message of more than %zu bytes", KERBEROS_MESSAGE_MAX));
        *len += message->data[i].len;
    }
    return SEC_E_OK;
}

size_t kerberos_writable_len(const struct message *message)
{
    size_t len = 0;
    for (unsigned i = 0; i < message->n_data; i++)
        if (!message->data[i].read_only)
            len += message->data[i].len;
    return len;
}

SECURITY_STATUS kerberos_sequence_check(const struct kerberos_session *session, uint64_t seq, const uint64_t *wanted)
{
    if (wanted != NULL) {
        require(seq == *wanted, cause_set(SEC_E_OUT_OF_SEQUENCE, "message number %llu where the caller gave %llu",
                                          (unsigned long long)seq, (unsigned long long)*wanted));
        return SEC_E_OK;
    }
    switch (window_check(&session->receive.window, seq)) {
    case WINDOW_NEW:
        return SEC_E_OK;
    case WINDOW_REPLAYED:
        return cause_set(SEC_E_OUT_OF_SEQUENCE, "a message that was received before");
    case WINDOW_OLD:
        return cause_set(SEC_E_OUT_OF_SEQUENCE, "a message too old to tell whether it was received before");
    default:
        return cause_set(SEC_E_OUT_OF_SEQUENCE, "message number %llu where %llu was due", (unsigned long long)seq,
                         (unsigned long long)session->receive.window.next);
    }
}

#define RC4_NUMBERS (UINT64_C(1) << 32)

/* RFC 4757 7.3: a number is all that tells one key stream from another, and it has 32 bits. Datagrams have the caller's. */
static SECURITY_STATUS numbers_left(const struct kerberos_session *session)
{
    require(session->profile != NULL || session->datagram || session->send.seq - session->seed.send_seq < RC4_NUMBERS,
            cause_set(SEC_E_CONTEXT_EXPIRED, "the numbers of RC4's messages are used up; begin a new context"));
    return SEC_E_OK;
}

/* Sends one message under the next number; only a message that was made uses it up. */
static SECURITY_STATUS protect(struct kerberos_session *session, struct message *message, uint32_t caller_seq,
                               bool wrap, bool encrypt)
{
    require(message->token.data != NULL,
            cause_set(SEC_E_INVALID_TOKEN, "a message to protect needs a SECBUFFER_TOKEN for the signature"));
    try(numbers_left(session));
    uint64_t seq = session->datagram ? caller_seq : session->send.seq;
    SECURITY_STATUS status;
    if (session->profile != NULL)
        status = wrap ? rfc4121_seal(session, message, seq, encrypt) : rfc4121_sign(session, message, seq);
    else
        status = wrap ? rfc4757_seal(session, message, (uint32_t)seq, encrypt)
                      : rfc4757_sign(session, message, (uint32_t)seq);
    if (status == SEC_E_OK && !session->datagram)
        session->send.seq++;
    return status;
}

static SECURITY_STATUS kerberos_sign(void *state, uint32_t qop, struct message *message, uint32_t seq)
{
    (void)qop; /* a MIC has one quality */
    return protect(state, message, seq, false, false);
}

static SECURITY_STATUS kerberos_seal(void *state, uint32_t qop, struct message *message, uint32_t seq)
{
    struct kerberos_session *session = state;
    bool encrypt = qop != SECQOP_WRAP_NO_ENCRYPT;
    require(!encrypt || session->confidential,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION,
                      "confidentiality was not negotiated; SECQOP_WRAP_NO_ENCRYPT signs without it"));
    require(!encrypt || !session->mirrored,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION,
                      "RC4 would encrypt this side's messages and the client's with the same key streams: the client "
                      "asked for no mutual authentication, or for datagrams"));
    return protect(session, message, seq, true, encrypt);
}

static SECURITY_STATUS kerberos_verify(void *state, struct message *message, uint32_t seq, uint32_t *qop)
{
    struct kerberos_session *session = state;
    uint64_t wanted = seq;
    (void)qop; /* left as it was */
    require(message->token.data != NULL,
            cause_set(SEC_E_INVALID_TOKEN, "a signed message needs a SECBUFFER_TOKEN with its signature"));
    const uint64_t *number = session->datagram ? &wanted : NULL;
    return session->profile != NULL ? rfc4121_verify(session, message, number)
                                    : rfc4757_verify(session, message, number);
}

static SECURITY_STATUS kerberos_unseal(void *state, struct message *message, uint32_t seq, uint32_t *qop)
{
    struct kerberos_session *session = state;
    uint64_t wanted = seq;
    bool encrypted;
    require(message->token.data != NULL || message->stream.data != NULL,
            cause_set(SEC_E_INVALID_TOKEN, "a wrapped message needs a SECBUFFER_STREAM or a SECBUFFER_TOKEN"));
    const uint64_t *number = session->datagram ? &wanted : NULL;
    try(session->profile != NULL ? rfc4121_unseal(session, message, number, &encrypted)
                                 : rfc4757_unseal(session, message, number, &encrypted));
    message->padding.len = 0;
    *qop = encrypted ? 0 : SECQOP_WRAP_NO_ENCRYPT;
    return SEC_E_OK;
}

/* Names as Windows gives them; numbers are checksum types (RFC 3961, section 8; MS-KILE) and encryption types. */
static const struct key_names {
    int32_t enctype;
    uint32_t signature_algorithm;
    const char *signature_name, *encrypt_name;
} key_names[] = {
    {KRB_AES128_SHA1, 15, "HMAC-SHA1-96", "Kerberos AES128-CTS-HMAC-SHA1-96"},
    {KRB_AES256_SHA1, 16, "HMAC-SHA1-96", "Kerberos AES256-CTS-HMAC-SHA1-96"},
    {KRB_AES128_SHA256, 19, "HMAC-SHA256-128", "Kerberos AES128-CTS-HMAC-SHA256-128"},
    {KRB_AES256_SHA384, 20, "HMAC-SHA384-192", "Kerberos AES256-CTS-HMAC-SHA384-192"},
    {KRB_RC4_HMAC, 0xffffff76u, "HMAC-MD5", "RSADSI RC4-HMAC"},
};

static SECURITY_STATUS key_info(int32_t enctype, struct attribute *value)
{
    for (size_t i = 0; i < sizeof key_names / sizeof key_names[0]; i++) {
        if (key_names[i].enctype != enctype)
            continue;
        value->key_info.signature_name = key_names[i].signature_name;
        value->key_info.signature_algorithm = key_names[i].signature_algorithm;
        value->key_info.encrypt_name = key_names[i].encrypt_name;
        value->key_info.encrypt_algorithm = (uint32_t)enctype;
        value->key_info.key_bits = (uint32_t)(8 * krb_enctype_key_len(enctype));
        return SEC_E_OK;
    }
    return SEC_E_UNSUPPORTED_FUNCTION;
}

SECURITY_STATUS kerberos_attribute(int32_t enctype, bool dce_style, uint32_t attribute, struct attribute *value)
{
    require(krb_enctype_key_len(enctype) != 0, SEC_E_UNSUPPORTED_FUNCTION);
    if (attribute == SECPKG_ATTR_KEY_INFO)
        return key_info(enctype, value);
    require(attribute == SECPKG_ATTR_SIZES, SEC_E_UNSUPPORTED_FUNCTION);
    const struct krb_profile *profile = krb_profile_find(enctype);
    struct kerberos_overhead overhead =
        profile != NULL ? rfc4121_overhead(profile, dce_style) : rfc4757_overhead(dce_style);
    value->sizes.max_token = KERBEROS_TOKEN_MAX;
    value->sizes.max_signature = overhead.signature;
    value->sizes.block = 1;
    value->sizes.trailer = overhead.trailer;
    return SEC_E_OK;
}

static SECURITY_STATUS kerberos_session_query(const void *state, uint32_t attribute, struct attribute *value)
{
    const struct kerberos_session *session = state;
    return kerberos_attribute(session->seed.enctype, session->seed.dce_style, attribute, value);
}

const struct package_session kerberos_session_table = {
    .open = kerberos_session_open,
    .close = kerberos_session_close,
    .save = kerberos_session_save,
    .reset = kerberos_session_reset,
    .list_signed = kerberos_list_signed,
    .sign = kerberos_sign,
    .seal = kerberos_seal,
    .verify = kerberos_verify,
    .unseal = kerberos_unseal,
    .seal_several = kerberos_seal_several,
    .unseal_several = kerberos_unseal_several,
    .query = kerberos_session_query,
};
