/*
 * The authenticator's checksum 0x8003 (RFC 4121 4.1.1): flags, bindings and the delegated credential.
 */
#ifndef OPENSSPI_KERBEROS_CHECKSUM_H
#define OPENSSPI_KERBEROS_CHECKSUM_H

#include "base/reader.h"
#include "base/writer.h"

#define GSS_CHECKSUM_TYPE 0x8003

/* RFC 4121 4.1.1.1 and MS-KILE 3.2.5.2 */
enum gss_flag {
    GSS_DELEG = 0x1,
    GSS_MUTUAL = 0x2,
    GSS_REPLAY = 0x4,
    GSS_SEQUENCE = 0x8,
    GSS_CONF = 0x10,
    GSS_INTEG = 0x20,
    GSS_DCE_STYLE = 0x1000,
    GSS_IDENTIFY = 0x2000,
    GSS_EXTENDED_ERROR = 0x4000,
};

struct gss_checksum {
    uint8_t bindings[16]; /* MD5, all zero where the initiator has none */
    uint32_t flags;
    struct slice credential; /* a KRB-CRED; data NULL without one */
};

void gss_checksum_write(struct writer *writer, const struct gss_checksum *checksum);
/* Trailing extensions are allowed. */
MUST_USE enum wire_result gss_checksum_parse(struct slice bytes, struct gss_checksum *checksum);

/* Context tokens (RFC 4121 4.1): GSS framing with a two-byte id before the Kerberos message. The last two come before a user-to-user exchange
 * (draft-swift-win2k-krb-user2user-03). */
enum krb_token {
    TOKEN_AP_REQ = 0x0100,
    TOKEN_AP_REP = 0x0200,
    TOKEN_ERROR = 0x0300,
    TOKEN_TGT_REQ = 0x0400,
    TOKEN_TGT_REP = 0x0401,
};

/* The mechanism's names as OID contents: 1.2.840.113554.1.2.2, and 1.2.840.48018.1.2.2, which Windows 2000 made of it by a slip and peers still send.
 * */
#define KRB_OID_LEN 9
extern const uint8_t krb_oid[KRB_OID_LEN], krb_oid_ms[KRB_OID_LEN];

/* What is around a message, and to be around the answer. */
enum krb_framing {
    KRB_RAW,    /* nothing */
    KRB_FRAMED, /* the mechanism of Kerberos */
    KRB_USER,   /* that of user-to-user Kerberos, 1.2.840.113554.1.2.2.3 */
};

void krb_token_write(struct writer *writer, enum krb_framing framing, enum krb_token id, struct slice message);
/* Takes the framed form with any of Kerberos' mechanism OIDs, or a raw message; the TGT messages only framed. */
MUST_USE enum wire_result krb_token_parse(struct slice token, enum krb_token *id, struct slice *message,
                                          enum krb_framing *framing);

#endif
