/*
 * The messages of the authentication exchange (RFC 4120, section 5.5) and what is encrypted in them, encode beside decode. Decoders are pure:
 * everything but keys is borrowed from the input. They take DER alone, and nothing behind the message.
 */
#ifndef OPENSSPI_KERBEROS_AP_H
#define OPENSSPI_KERBEROS_AP_H

#include "crypto/krb5_encrypt.h"
#include "kerberos/name.h"

/* EncryptedData (RFC 4120 5.2.9) */
struct krb_encrypted {
    int32_t enctype;
    bool has_kvno;
    uint32_t kvno;
    struct slice cipher;
};

/* Ticket (5.3), as far as everybody can read it. None of it is protected. */
struct krb_ticket {
    struct krb_name server;
    struct krb_encrypted part;
};
MUST_USE enum wire_result krb_ticket_parse(struct slice message, struct krb_ticket *ticket);

/* TicketFlags (5.3): bit n counts from the most significant. */
#define KRB_TICKET_FLAG(bit) (UINT32_C(0x80000000) >> (bit))
#define KRB_TICKET_INVALID KRB_TICKET_FLAG(7)
#define KRB_TICKET_TRANSITED_CHECKED KRB_TICKET_FLAG(12)
#define KRB_TICKET_ANONYMOUS KRB_TICKET_FLAG(16) /* RFC 8062 3 */

/* EncTicketPart (5.3). Times are Unix seconds. */
struct krb_ticket_part {
    uint32_t flags;
    struct krb_key key; /* the session key: wipe it */
    struct krb_name client;
    int64_t transited_type;
    struct slice transited;
    int64_t auth_time, start_time, end_time,
        renew_till;             /* start_time is auth_time where the ticket has none; renew_till 0 */
    struct slice authorization; /* the content of AuthorizationData's SEQUENCE; data NULL without */
};
MUST_USE enum wire_result krb_ticket_part_parse(struct slice plain, struct krb_ticket_part *part);

/* APOptions (5.5.1) */
#define KRB_AP_USE_SESSION_KEY UINT32_C(0x40000000)
#define KRB_AP_MUTUAL_REQUIRED UINT32_C(0x20000000)

struct krb_ap_req {
    uint32_t options;
    struct slice ticket_message; /* the whole Ticket */
    struct krb_ticket ticket;
    struct krb_encrypted authenticator;
};
MUST_USE enum wire_result krb_ap_req_parse(struct slice message, struct krb_ap_req *request);
/* Takes options, ticket_message and authenticator. */
void krb_ap_req_write(struct writer *writer, const struct krb_ap_req *request);

/* Authenticator (5.5.1) */
struct krb_authenticator {
    struct krb_name client;
    bool has_checksum;
    int32_t checksum_type;
    struct slice checksum;
    int64_t time; /* Unix seconds */
    uint32_t microseconds;
    struct krb_key subkey; /* enctype 0: none. Wipe it */
    uint32_t seq;          /* 0 where there is none */
    struct slice authorization;
};
MUST_USE enum wire_result krb_authenticator_parse(struct slice plain, struct krb_authenticator *authenticator);
/* What an initiator tells in its own authorization data, in AD-IF-RELEVANT. */
struct krb_initiator_data {
    const int32_t *enctypes; /* wanted types, best first (RFC 4537) */
    size_t n_enctypes;
    uint32_t ap_options; /* KRB_AP_OPTIONS_*; 0: not told */
    const char *target;  /* the service that it means, with its realm; NULL: not told */
};
/* Instead of `authorization` it writes `told`, which may be NULL. */
void krb_authenticator_write(struct writer *writer, const struct krb_authenticator *authenticator,
                             const struct krb_initiator_data *told);

/* AP-REP: its EncryptedData, and EncAPRepPart (5.5.2) */
MUST_USE enum wire_result krb_ap_rep_parse(struct slice message, struct krb_encrypted *part);
void krb_ap_rep_write(struct writer *writer, const struct krb_encrypted *part);
struct krb_ap_rep_part {
    int64_t time;
    uint32_t microseconds;
    struct krb_key subkey; /* enctype 0: none. Wipe it */
    bool has_seq;
    uint32_t seq;
};
MUST_USE enum wire_result krb_ap_rep_part_parse(struct slice plain, struct krb_ap_rep_part *part);
void krb_ap_rep_part_write(struct writer *writer, const struct krb_ap_rep_part *part);

/* KRB-CRED (5.8.1): its first ticket, and its EncryptedData, whose enctype 0 says that it is plain. */
struct krb_cred {
    struct slice ticket_message;
    struct krb_encrypted part;
};
MUST_USE enum wire_result krb_cred_parse(struct slice message, struct krb_cred *cred);
/* The first KrbCredInfo of EncKrbCredPart: WIRE_BAD without the names, which are optional there. All of it is the sender's word. */
struct krb_cred_info {
    int32_t enctype;
    struct slice key; /* borrowed, and of any type */
    struct krb_name client, server;
    uint32_t flags;
    int64_t auth_time, start_time, end_time, renew_till; /* 0: not told */
};
MUST_USE enum wire_result krb_cred_info_parse(struct slice plain, struct krb_cred_info *info);

/* One element after another of AuthorizationData (5.2.6): `list` is what is left of it. WIRE_SHORT at its end. */
struct krb_authdata {
    int32_t type;
    struct slice data;
};
#define KRB_AD_IF_RELEVANT 1
#define KRB_AD_ETYPE_NEGOTIATION 129 /* RFC 4537 */
#define KRB_AD_WIN2K_PAC 128         /* MS-PAC */
/* MS-KILE 3.2.5.8: what a Windows client's authenticator tells. 141 and 142 are of its machine, and count for logons on that machine alone. */
#define KRB_AD_WINDOWS_FIRST 141
#define KRB_AD_AP_OPTIONS 143                    /* what its programs do, as a little-endian number of four bytes: */
#define KRB_AP_OPTIONS_CBT 0x4000u               /* they give channel bindings wherever there is a channel */
#define KRB_AP_OPTIONS_UNVERIFIED_TARGET 0x8000u /* where they have the service's name from is not to be trusted */
#define KRB_AD_CLIENT_TARGET 144                 /* the service that it meant, with its realm, in UTF-16LE */
#define KRB_AD_WINDOWS_LAST KRB_AD_CLIENT_TARGET
MUST_USE enum wire_result krb_authdata_next(struct reader *list, struct krb_authdata *element);
/* The first element of a type in the content of AuthorizationData (data NULL is fine), at its top or in AD-IF-RELEVANT, as far as it is whole. */
bool krb_authdata_find(struct slice authorization, int32_t type, struct slice *data);
/* The list that an element of type AD-IF-RELEVANT holds, and RFC 4537's list of types. */
MUST_USE enum wire_result krb_authdata_inside(struct slice data, struct reader *list);
MUST_USE enum wire_result krb_etype_list_next(struct reader *list, int32_t *enctype);

#endif
