/*
 * How user-to-user authentication begins (draft-swift-win2k-krb-user2user-03; RFC 4120 3.7): the initiator asks for the acceptor's own
 * ticket-granting ticket, and gets a service ticket that is encrypted in that one's session key.
 */
#ifndef OPENSSPI_KERBEROS_USER_TO_USER_H
#define OPENSSPI_KERBEROS_USER_TO_USER_H

#include "kerberos/name.h"

/* KERB-TGT-REQUEST: whose ticket is wanted; both are optional. */
struct krb_tgt_request {
    bool has_server, has_realm;
    struct krb_name server; /* with has_realm its realm, too */
};
MUST_USE enum wire_result krb_tgt_request_parse(struct slice message, struct krb_tgt_request *request);
void krb_tgt_request_write(struct writer *writer, const struct krb_tgt_request *request);

/* KERB-TGT-REPLY: the whole Ticket, which the reader knows to be one. */
MUST_USE enum wire_result krb_tgt_reply_parse(struct slice message, struct slice *ticket);
void krb_tgt_reply_write(struct writer *writer, struct slice ticket);

#endif
