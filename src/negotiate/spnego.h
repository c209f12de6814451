/*
 * The codec of SPNEGO (RFC 4178 4.2, MS-SPNG 2.2): NegTokenInit, NegTokenInit2 and NegTokenResp.
 */
#ifndef OPENSSPI_NEGOTIATE_SPNEGO_H
#define OPENSSPI_NEGOTIATE_SPNEGO_H

#include "base/reader.h"
#include "base/writer.h"

#define SPNEGO_MECHS_MAX 32 /* clients offer about four; bounds every walk over a list */

enum spnego_state {
    SPNEGO_COMPLETED = 0,
    SPNEGO_INCOMPLETE = 1,
    SPNEGO_REJECT = 2,
    SPNEGO_REQUEST_MIC = 3,
    SPNEGO_NO_STATE = 4, /* the field is missing */
};

/* NegTokenInit and NegTokenInit2. Slices borrow from the token; an optional field that is missing or empty has data NULL. */
struct spnego_init {
    struct slice mech[SPNEGO_MECHS_MAX]; /* OID contents */
    unsigned n_mechs;
    struct slice mech_list; /* the MechTypeList with its tag, as sent: what the mechListMIC is made over */
    struct slice token, mic;
    bool has_hints; /* it is a NegTokenInit2 */
};

struct spnego_resp {
    enum spnego_state state;
    struct slice mech; /* OID content */
    struct slice token, mic;
};

/* Is this SPNEGO's GSS framing? Says nothing of what is inside. */
bool spnego_is_framed(struct slice token);
/* A framed token with NegTokenInit or NegTokenInit2; at least one mechanism. WIRE_BAD for anything else, bytes behind it included. */
MUST_USE enum wire_result spnego_init_parse(struct slice token, struct spnego_init *init);
/* A token of no bytes is left out. */
void spnego_init_write(struct writer *writer, struct slice mech_list, struct slice token);
/* What a server says that was given nothing (MS-SPNG 3.2.5.2): its mechanisms, and a hint that nobody uses. */
void spnego_hints_write(struct writer *writer, struct slice mech_list);
/* The MechTypeList alone, with its tag; `mechs` are OID contents. */
void spnego_mech_list_write(struct writer *writer, const struct slice *mechs, unsigned n_mechs);

/* WIRE_BAD also for bytes behind it. Fields that RFC 4178 asks for may be missing: old peers leave them out. */
MUST_USE enum wire_result spnego_resp_parse(struct slice token, struct spnego_resp *resp);
void spnego_resp_write(struct writer *writer, const struct spnego_resp *resp);

#endif
