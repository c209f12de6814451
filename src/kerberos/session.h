/*
 * The session half of Kerberos: per-message protection with the key that a handshake agreed (RFC 4121; RFC 4757 for rc4-hmac; MS-KILE 3.4.5.4).
 */
#ifndef OPENSSPI_KERBEROS_SESSION_H
#define OPENSSPI_KERBEROS_SESSION_H

#include "base/reader.h"
#include "core/package.h"

#define KERBEROS_TOKEN_MAX 48000 /* SECPKG_ATTR_SIZES and SecPkgInfo */

/* What a session needs, as the record carries it. */
struct kerberos_session_seed {
    int32_t
        enctype; /* of `key`: aes128/256-cts-hmac-sha1-96, aes128-cts-hmac-sha256-128, aes256-cts-hmac-sha384-192, rc4-hmac */
    uint8_t key[32]; /* the acceptor's subkey, else the initiator's, else the ticket's session key */
    size_t key_len;
    bool acceptor_subkey;           /* `key` was asserted by the acceptor */
    bool dce_style;                 /* also set by USED_DCE_STYLE among the flags of open */
    uint64_t send_seq, receive_seq; /* the first ones; rc4-hmac counts in 32 bits */
};
/* Neither keeps anything of the key; the caller wipes the seed. */
void kerberos_session_seed_write(struct writer *own, const struct kerberos_session_seed *seed);
/* WIRE_BAD for an encryption type or key length that is not one of ours. */
MUST_USE enum wire_result kerberos_session_seed_read(struct reader *own, struct kerberos_session_seed *seed);

/* open's flags are what was granted, ISC_RET_* or ASC_RET_*: CONFIDENTIALITY allows sealing, REPLAY_DETECT and SEQUENCE_DETECT choose the checks of
 * RFC 2743 1.2.3, DATAGRAM takes message numbers from the caller, USED_DCE_STYLE the layout. Signing needs no flag, as on Windows. */
extern const struct package_session kerberos_session_table;

/* SECPKG_ATTR_SIZES and KEY_INFO of a context before or after its end. SEC_E_UNSUPPORTED_FUNCTION for every other attribute and for an encryption
 * type that is not one of ours. */
SECURITY_STATUS kerberos_attribute(int32_t enctype, bool dce_style, uint32_t attribute, struct attribute *value);

#endif
