/*
 * A Negotiate handshake that is under way, of either role, and what both do alike: stepping the chosen package, the code over the list of mechanisms,
 * and the end.
 */
#ifndef OPENSSPI_NEGOTIATE_HANDSHAKE_H
#define OPENSSPI_NEGOTIATE_HANDSHAKE_H

#include "base/secret.h"
#include "core/session.h"
#include "negotiate/credential.h"
#include "negotiate/spnego.h"

/* Each state names the only message that is legal next. */
enum negotiate_state {
    NEGOTIATE_CLIENT_BEGIN, /* nothing yet: NegTokenInit goes out */
    NEGOTIATE_CLIENT_FIRST, /* the server's first NegTokenResp, which may choose another mechanism */
    NEGOTIATE_CLIENT_REPLY, /* a further NegTokenResp */
    NEGOTIATE_SERVER_BEGIN, /* the client's NegTokenInit, a raw token, or nothing */
    NEGOTIATE_SERVER_INIT,  /* as before, after hints were sent */
    NEGOTIATE_SERVER_REPLY, /* the client's NegTokenResp */
    NEGOTIATE_SERVER_MIC,   /* the client's mechListMIC, and nothing else */
    NEGOTIATE_DIRECT,       /* tokens of the chosen package without SPNEGO, either way */
    NEGOTIATE_DONE,
};

struct negotiate_handshake {
    const struct negotiate_credential *credential; /* the context holds it longer than this lives */
    enum negotiate_state state;
    bool initiator;
    uint32_t asked; /* ISC_REQ_* or ASC_REQ_* of the first call */
    char *target;
    struct secret bindings; /* the caller's block: a package that begins on a later call gets it too */

    const struct negotiate_inner *preferred; /* of the first mechanism in the list; NULL: one that is not known here */
    const struct negotiate_inner *chosen;    /* NULL until there is one */
    void *inner;                             /* its handshake: ours, never handed out */
    bool inner_done;
    struct writer record; /* its session record, once it is there */

    struct secret mech_list;     /* MechTypeList as the client sent it */
    struct slice oid;            /* server: what the client calls the chosen mechanism; in `mech_list` */
    bool oid_told;               /* server: supportedMech was sent */
    bool switched;               /* the chosen mechanism is not the preferred one */
    bool mic_asked;              /* the peer asked for a code, or the package's own messages carried one */
    bool mic_sent, mic_seen;     /* seen: received, and right */
    struct session *mic_session; /* opened from `record` to sign the list with */
    struct list_codes codes;     /* both codes, where the package makes them at once */

    uint32_t granted;
    int64_t expiry;
    char fallback[CAUSE_TEXT_MAX]; /* why packages of more preference were not used; "" when none was passed over */
};

void negotiate_handshake_free(void *handshake);
SECURITY_STATUS negotiate_query_handshake(const void *handshake, uint32_t attribute, struct attribute *value);
SECURITY_STATUS negotiate_complete(void *handshake, struct slice_mut token);

SECURITY_STATUS negotiate_initiate(void *credential, void **handshake, const struct step_in *in, struct step_out *out);
SECURITY_STATUS negotiate_accept(void *credential, void **handshake, const struct step_in *in, struct step_out *out);

typedef SECURITY_STATUS negotiate_step(struct negotiate_handshake *handshake, const struct step_in *in,
                                       struct step_out *out);
/* Runs the step that the table has for the handshake's state; the rules of a handshake's life are the same for both roles. */
SECURITY_STATUS negotiate_handshake_step(negotiate_step *const *steps, size_t n_steps, enum negotiate_state first_state,
                                         void *credential, void **handshake, const struct step_in *in,
                                         struct step_out *out);

/* The table entry of NEGOTIATE_DIRECT. */
negotiate_step negotiate_direct;
/* What is to be done after the chosen package's step there: hands its record, if it gave one, on in one of Negotiate's. */
SECURITY_STATUS negotiate_direct_done(struct negotiate_handshake *handshake, SECURITY_STATUS status,
                                      struct step_out *out);
/* Makes `inner` the chosen package and forgets what another one did. */
void negotiate_choose(struct negotiate_handshake *handshake, const struct negotiate_inner *inner);
/* Gives the chosen package a token (data NULL: none). Its answer goes to `answer`, an empty growing writer; its record is kept. Its status. */
SECURITY_STATUS negotiate_inner_step(struct negotiate_handshake *handshake, struct slice token, struct writer *answer);
/* Is a code over the list due before this handshake may end? SEC_E_UNSUPPORTED_FUNCTION where one is and the session cannot make it. */
SECURITY_STATUS negotiate_mic_due(const struct negotiate_handshake *handshake, bool *due);
#define NEGOTIATE_MIC_MAX 256 /* signatures have 16 to 60 bytes */
/* `mic` has room for NEGOTIATE_MIC_MAX bytes. */
SECURITY_STATUS negotiate_mic_make(struct negotiate_handshake *handshake, struct writer *mic);
/* SEC_E_MESSAGE_ALTERED when the list was changed on its way. A second one is refused. */
SECURITY_STATUS negotiate_mic_check(struct negotiate_handshake *handshake, struct slice mic);
/* Gives the session, or its record, and ends the handshake. */
SECURITY_STATUS negotiate_finish(struct negotiate_handshake *handshake, struct step_out *out);

#endif
