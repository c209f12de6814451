/*
 * The authentication exchange (RFC 4120, section 3.2): what AP-REQ and AP-REP agree, and the checks on both. Ours instead of libkrb5's, because half
 * of a handshake's time went there into keys derived again and again; the checks are the same.
 */
#ifndef OPENSSPI_KERBEROS_EXCHANGE_H
#define OPENSSPI_KERBEROS_EXCHANGE_H

#include "kerberos/ap.h"
#include "kerberos/keys.h"

/* What both sides hold afterwards: keys; who has it wipes it. */
struct kerberos_exchange {
    struct krb_key session;                           /* the ticket's */
    struct krb_key initiator_subkey, acceptor_subkey; /* enctype 0: none */
    uint32_t initiator_seq, acceptor_seq;
    int64_t time; /* the authenticator's, which the reply repeats */
    uint32_t microseconds;
    uint32_t ap_options; /* initiator: what its authenticator is to tell (KRB_AP_OPTIONS_*) */
    int32_t upgrade;     /* acceptor: the type that the initiator would like better than RC4 (RFC 4537), or 0 */
};

/* The key that the initiator brought: its subkey, or without one the ticket's. */
static inline const struct krb_key *kerberos_initiator_key(const struct kerberos_exchange *exchange)
{
    return exchange->initiator_subkey.enctype != 0 ? &exchange->initiator_subkey : &exchange->session;
}

/* Initiator: appends the AP-REQ. `options` are KRB_AP_*. The subkey is new. */
SECURITY_STATUS kerberos_request_make(struct kerberos_exchange *exchange, krb5_context krb,
                                      const struct kerberos_ticket *ticket, uint32_t options, struct slice checksum,
                                      struct writer *message);

/* What the acceptor does with the ticket's session key. */
enum kerberos_session_use { KERBEROS_OPENS_REQUEST, KERBEROS_MAKES_REPLY, KERBEROS_SESSION_USES };

/* An AP-REQ that an acceptor has opened. Names and slices borrow from the message, from the buffers and from the keys. Release it. */
struct kerberos_request {
    struct krb_ap_req outer;
    struct krb_ticket_part ticket;
    struct krb_authenticator authenticator;
    struct krb_key ticket_key;           /* opened the ticket */
    const struct krb_prepared *prepared; /* the same for its KERBEROS_KEY_USES, or NULL */
    struct krb_prepared session[KERBEROS_SESSION_USES];
    char *client_name, *server_name; /* the server's is that of the key: what the ticket says of it is not protected */
    bool unopened;                   /* no key opened the ticket, and its type is one that is permitted */
    char *target;                    /* the service that the client says it meant; NULL: it says nothing */
    struct secret ticket_plain, authenticator_plain;
};
void kerberos_request_release(struct kerberos_request *request);
/* Decodes, opens and checks: key, times, names, types, transited realms (RFC 4120 3.2.3). Replays and the checksum are the caller's.
 * `keys` for ordinary tickets; `session` for user-to-user: the session key of the acceptor's own TGT. One of them may be NULL. */
SECURITY_STATUS kerberos_request_open(struct kerberos_request *request, krb5_context krb, struct kerberos_keys *keys,
                                      const struct krb_key *session, const char *session_name, struct slice message);
/* What of the request the exchange goes on with. */
void kerberos_exchange_of_request(struct kerberos_exchange *exchange, const struct kerberos_request *request,
                                  uint32_t permitted);

/* Acceptor: appends the AP-REP, with a subkey of its own if `with_subkey`, else only with a sequence number. `prepared` is the session key for it, or
 * NULL. */
SECURITY_STATUS kerberos_reply_make(struct kerberos_exchange *exchange, const struct krb_prepared *prepared,
                                    bool with_subkey, struct writer *message);
/* Initiator: SEC_E_MESSAGE_ALTERED for a reply that does not open, SEC_E_MUTUAL_AUTH_FAILED for one to another request. `prepared` as above. */
SECURITY_STATUS kerberos_reply_open(struct kerberos_exchange *exchange, const struct krb_prepared *prepared,
                                    struct slice message);
/* DCE style: the initiator's AP-REP, which repeats the acceptor's sequence number (MS-KILE 3.4.5.1). */
SECURITY_STATUS kerberos_third_make(const struct kerberos_exchange *exchange, struct writer *message);
SECURITY_STATUS kerberos_third_open(const struct kerberos_exchange *exchange, struct slice message);

#endif
