/*
 * A Negotiate handshake that is under way, of either role, and what both do alike: stepping the chosen package, the code over the list of mechanisms,
 * and the end.
 */
#ifndef OPENSSPI_NEGOTIATE_HANDSHAKE_H
#define OPENSSPI_NEGOTIATE_HANDSHAKE_H

#include "base/secret.h"
#include "core/handshake.h"
#include "core/session.h"
#include "negotiate/credential.h"
#include "negotiate/spnego.h"

enum negotiate_state {
    NEGOTIATE_CLIENT_BEGIN = HANDSHAKE_STATES, /* nothing yet: NegTokenInit goes out */
    NEGOTIATE_CLIENT_FIRST,                    /* the server's first NegTokenResp, which may choose another mechanism */
    NEGOTIATE_CLIENT_REPLY,                    /* a further NegTokenResp */
    NEGOTIATE_SERVER_BEGIN,                    /* the client's NegTokenInit, a raw token, or nothing */
    NEGOTIATE_SERVER_INIT,                     /* one of these tokens, after hints were sent */
    NEGOTIATE_SERVER_REPLY,                    /* the client's NegTokenResp */
    NEGOTIATE_SERVER_MIC,                      /* the client's mechListMIC, and nothing else */
    NEGOTIATE_DIRECT,                          /* tokens of the chosen package without SPNEGO, either way */
};

struct negotiate_handshake {
    struct handshake base;                         /* granted and expiry are the chosen package's */
    const struct negotiate_credential *credential; /* the context holds it longer than this lives */
    struct secret bindings; /* the caller's block: a package that begins on a later call gets it too */

    const struct negotiate_inner *preferred; /* of the first mechanism in the list; NULL: one that is not known here */
    const struct negotiate_inner *chosen;    /* NULL until there is one */
    void *inner;                             /* its handshake: ours, never handed out */
    bool inner_done;
    struct writer record;  /* its session record, once it is there */
    struct writer refusal; /* what it has to say to the peer of its failure */

    struct secret mech_list;     /* MechTypeList as the client sent it */
    struct slice oid;            /* server: what the client calls the chosen mechanism; in `mech_list` */
    bool oid_told;               /* server: supportedMech was sent */
    bool switched;               /* the chosen mechanism is not the preferred one */
    bool mic_asked;              /* the peer asked for a code, or the package's own messages carried one */
    bool signs_list;             /* the package signs, whether or not it grants integrity */
    bool mic_sent, mic_seen;     /* seen: received, and right */
    struct session *mic_session; /* opened from `record` to sign the list with */
    struct list_codes codes;     /* both codes, where the package makes them at once */

    char fallback[CAUSE_TEXT_MAX]; /* why packages of more preference were not used; "" when none was passed over */
};

extern const struct handshake_kind negotiate_handshake_kind;
void negotiate_abandon(void *handshake);
SECURITY_STATUS negotiate_query_handshake(const void *handshake, uint32_t attribute, struct attribute *value);
SECURITY_STATUS negotiate_complete(void *handshake, struct slice_mut token, struct step_out *out);

SECURITY_STATUS negotiate_initiate(void *credential, void **handshake, const struct step_in *in, struct step_out *out);
SECURITY_STATUS negotiate_accept(void *credential, void **handshake, const struct step_in *in, struct step_out *out);

bool negotiate_accept_may_wait(void *credential, const void *handshake, const struct step_in *in);

/* The table entry of NEGOTIATE_DIRECT. */
handshake_step negotiate_direct;
/* What is to be done after the chosen package's step there: hands its record, if it gave one, on in one of Negotiate's. */
SECURITY_STATUS negotiate_direct_done(struct negotiate_handshake *handshake, SECURITY_STATUS status,
                                      struct step_out *out);
/* Makes `inner` the chosen package and forgets what another one did. */
void negotiate_choose(struct negotiate_handshake *handshake, const struct negotiate_inner *inner);
/* What a line of the trace on the chosen package begins with: "audit: " for NTLM where ntlm_fallback says so, else "". */
const char *negotiate_audit(const struct negotiate_handshake *handshake);
#define NEGOTIATE_TOKEN_ROOM 2048 /* for what the chosen package answers; longer tokens are allocated */
/* Gives the chosen package a token (data NULL: none). Its answer goes to `answer`, an empty writer that grows; its record is kept, and a failure's
 * words for the peer. Its status. */
SECURITY_STATUS negotiate_inner_step(struct negotiate_handshake *handshake, struct slice token, struct writer *answer);
/* What the package's step means where its token goes into SPNEGO's: a failure, or SEC_E_OK. SEC_E_UNSUPPORTED_FUNCTION where it wants its token
 * completed first. */
SECURITY_STATUS negotiate_framed_check(const struct negotiate_handshake *handshake, SECURITY_STATUS status);
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
