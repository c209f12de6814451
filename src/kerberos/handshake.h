/*
 * A Kerberos handshake that is under way, of either role.
 */
#ifndef OPENSSPI_KERBEROS_HANDSHAKE_H
#define OPENSSPI_KERBEROS_HANDSHAKE_H

#include "core/handshake.h"
#include "core/session.h"
#include "kerberos/checksum.h"
#include "kerberos/exchange.h"
#include "kerberos/session.h"

enum kerberos_state {
    KERBEROS_CLIENT_BEGIN = HANDSHAKE_STATES, /* AP-REQ goes out, or KERB-TGT-REQUEST */
    KERBEROS_CLIENT_TGT,                      /* user-to-user: KERB-TGT-REPLY or KRB-ERROR is due */
    KERBEROS_CLIENT_REPLY,                    /* AP-REP or KRB-ERROR is due */
    KERBEROS_SERVER_BEGIN,                    /* AP-REQ is due, or KERB-TGT-REQUEST */
    KERBEROS_SERVER_USER,                     /* user-to-user: AP-REQ is due */
    KERBEROS_SERVER_THIRD,                    /* DCE style: the client's own AP-REP is due */
};

struct kerberos_handshake {
    struct handshake base;
    struct kerberos_credential *credential; /* the context holds it longer than this lives */
    struct kerberos_kit kit;                /* ours from the credential's lanes */
    struct kerberos_exchange exchange;
    uint32_t gss_flags;          /* what the client's checksum says */
    enum krb_framing framing;    /* client: as it speaks; server: as the client spoke */
    struct krb_key own_session;  /* server, user-to-user: the session key of its own TGT; enctype 0: none */
    char *own_name;              /* server, user-to-user: whose TGT that is */
    struct kerberos_names names; /* client: the ticket's, which the kit has; server: our own */
    char *target;                /* server: the service that the client meant; NULL: it did not say */
    struct secret identity;      /* server: src/access/client_identity.h */
    struct secret delegated;     /* server: docs/session-record.md */
    struct secret ticket_plain;  /* server: what the PAC is part of */
    struct slice authorization;  /* server: the PAC; data NULL without */
    bool nobody;                 /* server: the client's ticket is an anonymous one */
    bool has_logon;              /* server: the PAC has logon information */
    uint32_t user_flags;
    int64_t logoff;
};

extern const struct handshake_kind kerberos_handshake_kind;
void kerberos_abandon(void *handshake);
SECURITY_STATUS kerberos_query_handshake(const void *handshake, uint32_t attribute, struct attribute *value);
/* Writes the session record from what the exchange agreed, and ends the handshake. */
SECURITY_STATUS kerberos_handshake_finish(struct kerberos_handshake *handshake, struct step_out *out);

bool kerberos_only_computes(void *credential, const void *handshake, const struct step_in *in);
bool kerberos_accept_may_wait(void *credential, const void *handshake, const struct step_in *in);
SECURITY_STATUS kerberos_initiate(void *credential, void **handshake, const struct step_in *in, struct step_out *out);
SECURITY_STATUS kerberos_accept(void *credential, void **handshake, const struct step_in *in, struct step_out *out);

#endif
