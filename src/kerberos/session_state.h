/*
 * An open Kerberos session, shared by the files that protect messages.
 */
#ifndef OPENSSPI_KERBEROS_SESSION_STATE_H
#define OPENSSPI_KERBEROS_SESSION_STATE_H

#include "core/cause.h"
#include "crypto/krb5_crypto.h"
#include "kerberos/session.h"
#include "kerberos/window.h"

/* What of a lane's keys is made: each when the first message wants it. Most contexts seal and do nothing else, and many see no message at all. */
enum kerberos_kind {
    KIND_SEALED = 1, /* `cipher` */
    KIND_CLEAR = 2,  /* `wrap` */
    KIND_MIC = 4,    /* `mic` */
    KINDS_ALL = 7,
};

/* One direction. Each is used under its own lock. */
struct kerberos_lane {
    unsigned made;            /* kerberos_kind */
    uint64_t seq;             /* sending: the next number */
    struct window window;     /* receiving: which were seen */
    struct krb_cipher cipher; /* RFC 4121: sealed Wrap tokens */
    struct krb_mac wrap;      /* Wrap tokens in the clear */
    struct krb_mac mic;
};

struct kerberos_session {
    struct kerberos_session_seed seed;
    const struct krb_profile *profile; /* NULL for rc4-hmac */
    bool initiator, confidential, datagram;
    /* Sealing would use key streams that the other side uses: RC4's (RFC 4757 7.3), and this is the acceptor of a context whose numbers both begin
     * alike. */
    bool mirrored;
    struct krb_rc4_keys rc4; /* RFC 4757: the directions share them */
    struct kerberos_lane send, receive;
};

/* Makes the keys of these kinds that are not made yet. SEC_E_INSUFFICIENT_MEMORY, but never where the processor has instructions for AES. */
SECURITY_STATUS kerberos_lane_make(const struct kerberos_session *session, struct kerberos_lane *lane, unsigned kinds);
static inline SECURITY_STATUS kerberos_lane_want(const struct kerberos_session *session, struct kerberos_lane *lane,
                                                 enum kerberos_kind kind)
{
    return (lane->made & (unsigned)kind) != 0 ? SEC_E_OK : kerberos_lane_make(session, lane, (unsigned)kind);
}

/* Lengths of what surrounds a message; exact, and the same for each message of a session but for rc4-hmac outside DCE style, whose framing counts the
 * message. */
struct kerberos_overhead {
    uint32_t signature, trailer;
};

SECURITY_STATUS rfc4121_sign(struct kerberos_session *session, struct message *message, uint64_t seq);
SECURITY_STATUS rfc4121_verify(struct kerberos_session *session, struct message *message, const uint64_t *wanted);
SECURITY_STATUS rfc4121_seal(struct kerberos_session *session, struct message *message, uint64_t seq, bool encrypt);
/* `wanted`: the caller's number of a datagram, else NULL. `*encrypted` tells what the peer had done. */
SECURITY_STATUS rfc4121_unseal(struct kerberos_session *session, struct message *message, const uint64_t *wanted,
                               bool *encrypted);
struct kerberos_overhead rfc4121_overhead(const struct krb_profile *profile, bool dce_style);

SECURITY_STATUS rfc4757_sign(struct kerberos_session *session, struct message *message, uint32_t seq);
SECURITY_STATUS rfc4757_verify(struct kerberos_session *session, struct message *message, const uint64_t *wanted);
SECURITY_STATUS rfc4757_seal(struct kerberos_session *session, struct message *message, uint32_t seq, bool encrypt);
SECURITY_STATUS rfc4757_unseal(struct kerberos_session *session, struct message *message, const uint64_t *wanted,
                               bool *encrypted);
struct kerberos_overhead rfc4757_overhead(bool dce_style);

/* Of the session's table, in several.c. */
void kerberos_seal_several(struct session_message *list, unsigned n);
void kerberos_unseal_several(struct session_message *list, unsigned n);

/* What the files say alike. */
#define KERBEROS_MESSAGE_MAX \
    ((size_t)UINT32_MAX - 1024) /* with its token it still fits the 32 bits of a SecBuffer and of a GSS framing */
SECURITY_STATUS kerberos_message_len(const struct message *message, size_t *len);
/* Of its data, without what is only signed. */
size_t kerberos_writable_len(const struct message *message);
/* Does a token of `len` bytes fit the caller's buffer? SEC_E_BUFFER_TOO_SMALL. */
static inline SECURITY_STATUS kerberos_token_room(const struct message *message, size_t len)
{
    require(message->token.len >= len,
            cause_set(SEC_E_BUFFER_TOO_SMALL, "the token has %zu bytes, the buffer %zu", len, message->token.len));
    return SEC_E_OK;
}
/* The number that a message carries against the window, or against the caller's. Changes nothing. */
SECURITY_STATUS kerberos_sequence_check(const struct kerberos_session *session, uint64_t seq, const uint64_t *wanted);

#endif
