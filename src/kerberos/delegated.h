/*
 * What a server holds to act for its client with (docs/session-record.md, "delegated").
 */
#ifndef OPENSSPI_KERBEROS_DELEGATED_H
#define OPENSSPI_KERBEROS_DELEGATED_H

#include "kerberos/exchange.h"

enum kerberos_delegated {
    KERBEROS_FORWARDED = 1, /* the client's own ticket-granting ticket, forwarded or of its logon here */
    KERBEROS_EVIDENCE = 2,  /* the ticket that the client came with: for S4U2Proxy */
};

/* Opens the KRB-CRED of the authenticator's checksum (RFC 4120 5.8, RFC 4121 4.1.1) with the ticket's session key. SEC_E_INVALID_TOKEN when it does
 * not open or lacks a name; SEC_E_WRONG_PRINCIPAL when it says that the forwarded ticket is another's than the client's. */
SECURITY_STATUS kerberos_forwarded_read(krb5_context krb, const struct krb_key *session, const struct krb_name *client,
                                        struct slice message, struct secret *delegated);
/* A ticket-granting ticket of this side's. */
SECURITY_STATUS kerberos_tgt_write(krb5_context krb, krb5_creds *tgt, struct secret *delegated);
/* The ticket of a request that was opened and checked. */
SECURITY_STATUS kerberos_evidence_write(krb5_context krb, const struct kerberos_request *request, const char *client,
                                        struct secret *delegated);

#endif
