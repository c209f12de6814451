/*
 * A Kerberos handshake that is under way, of either role.
 */
#ifndef OPENSSPI_KERBEROS_HANDSHAKE_H
#define OPENSSPI_KERBEROS_HANDSHAKE_H

#include "core/session.h"
#include "kerberos/checksum.h"
#include "kerberos/exchange.h"
#include "kerberos/session.h"

/* Each state names the only message that is legal next. */
enum kerberos_state {
    KERBEROS_CLIENT_BEGIN, /* AP-REQ goes out, or KERB-TGT-REQUEST */
    KERBEROS_CLIENT_TGT,   /* user-to-user: KERB-TGT-REPLY or KRB-ERROR is due */
    KERBEROS_CLIENT_REPLY, /* AP-REP or KRB-ERROR is due */
    KERBEROS_SERVER_BEGIN, /* AP-REQ is due, or KERB-TGT-REQUEST */
    KERBEROS_SERVER_USER,  /* user-to-user: AP-REQ is due */
    KERBEROS_SERVER_THIRD, /* DCE style: the client's own AP-REP is due */
    KERBEROS_DONE,
};

struct kerberos_handshake {
    struct kerberos_credential *credential; /* the context holds it longer than this lives */
    krb5_context krb;                       /* ours from the credential's pool */
    struct kerberos_exchange exchange;
    enum kerberos_state state;
    uint32_t asked;     /* ISC_REQ_* or ASC_REQ_* of the first call */
    uint32_t gss_flags; /* what the client's checksum says */
    uint32_t granted;
    char *target;               /* client: as given */
    enum krb_framing framing;   /* client: as it speaks; server: as the client spoke */
    struct krb_key own_session; /* server, user-to-user: the session key of its own TGT; enctype 0: none */
    char *own_name;             /* server, user-to-user: whose TGT that is */
    bool has_bindings;
    uint8_t bindings[16];
    int64_t expiry;
    char *client_name, *server_name, *authority;
    struct secret identity;      /* server: src/access/client_identity.h */
    struct secret delegated;     /* server: docs/session-record.md */
    struct secret authorization; /* server: the PAC */
    bool has_logon;              /* server: the PAC has logon information */
    uint32_t user_flags;
    int64_t logoff;
};

struct kerberos_handshake *kerberos_handshake_new(struct kerberos_credential *credential, const struct step_in *in,
                                                  enum kerberos_state state);
void kerberos_handshake_free(void *handshake);
SECURITY_STATUS kerberos_query_handshake(const void *handshake, uint32_t attribute, struct attribute *value);
/* Writes the session record from what the exchange agreed, and ends the handshake. */
SECURITY_STATUS kerberos_handshake_finish(struct kerberos_handshake *handshake, bool initiator, struct step_out *out);

bool kerberos_only_computes(void *credential, const void *handshake, const struct step_in *in);
bool kerberos_accept_may_wait(void *credential, const void *handshake, const struct step_in *in);
SECURITY_STATUS kerberos_initiate(void *credential, void **handshake, const struct step_in *in, struct step_out *out);
SECURITY_STATUS kerberos_accept(void *credential, void **handshake, const struct step_in *in, struct step_out *out);

typedef SECURITY_STATUS kerberos_step(struct kerberos_handshake *handshake, const struct step_in *in,
                                      struct step_out *out);
/* Runs the step that the table has for the handshake's state; the rules of a handshake's life are the same for both roles. */
SECURITY_STATUS kerberos_handshake_step(kerberos_step *const *steps, size_t n_steps, enum kerberos_state first_state,
                                        void *credential, void **handshake, const struct step_in *in,
                                        struct step_out *out);

#endif
