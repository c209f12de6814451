/*
 * Sealed Wrap tokens of RFC 4121 in two halves, between which the cipher runs: for several messages at once.
 */
#ifndef OPENSSPI_KERBEROS_RFC4121_H
#define OPENSSPI_KERBEROS_RFC4121_H

#include "kerberos/pieces.h"
#include "kerberos/session_state.h"

struct rfc4121_header {
    uint16_t token_id;
    uint8_t flags;
    uint16_t ec, rrc; /* Wrap tokens: extra count, right rotation count */
    uint64_t seq;
};

struct rfc4121_sealing {
    struct rfc4121_header header;
    struct pieces pieces; /* for krb_seal */
    uint8_t mac[KRB_MAC_MAX];
};

/* Writes what is sealed with the message into its token. After a failure nothing is changed. */
SECURITY_STATUS rfc4121_seal_begin(struct kerberos_session *session, struct message *message, uint64_t seq,
                                   struct rfc4121_sealing *sealing);
/* After krb_seal. */
void rfc4121_seal_end(const struct kerberos_session *session, struct message *message, struct rfc4121_sealing *sealing);

/* A received Wrap token. Its text is `lead` bytes (the confounder), the plain text, and `trail` bytes (filler, header, checksum). */
struct rfc4121_wrapped {
    struct rfc4121_header header;
    bool sealed;
    struct ring ring;
    size_t lead, plain_len, trail;
    size_t arrived_start; /* the rotation as it came */
};

struct rfc4121_opening {
    struct rfc4121_wrapped wrapped;
    /* Of a sealed one: SEC_E_OK, then pieces and mac are for krb_unseal; else why its text cannot lie where the caller wants it. */
    SECURITY_STATUS turned;
    struct pieces pieces;
    uint8_t mac[KRB_MAC_MAX];
};

/* For a token that is not sealed it only finds that out: the whole of it is for rfc4121_unseal. */
SECURITY_STATUS rfc4121_unseal_begin(const struct kerberos_session *session, const struct message *message,
                                     struct rfc4121_opening *opening);
/* After krb_unseal, which answered `done`, and in the messages' order: checks the number, which others before it may have used up. A message that
 * fails is as it came. */
SECURITY_STATUS rfc4121_unseal_end(struct kerberos_session *session, struct message *message, const uint64_t *wanted,
                                   struct rfc4121_opening *opening, bool done);

#endif
