/*
 * How a handshake lives, the same for every package: a first step makes it, a table says which function each state has, a step that fails ends it,
 * and so does the last one that succeeds. A package's own handshake begins with a struct handshake and says the rest in a struct handshake_role for
 * each side.
 */
#ifndef OPENSSPI_CORE_HANDSHAKE_H
#define OPENSSPI_CORE_HANDSHAKE_H

#include "core/package.h"

/* States of every handshake; a package's own, each of which names the only message that is legal next, count from HANDSHAKE_STATES. */
enum {
    HANDSHAKE_DONE,
    HANDSHAKE_FAILED,
    HANDSHAKE_STATES,
};

/* The first member of a package's handshake. */
struct handshake {
    unsigned state;
    bool initiator;
    uint32_t asked;       /* ISC_REQ_* or ASC_REQ_* of the first call */
    uint32_t granted;     /* what a step that succeeds answers: ISC_RET_* or ASC_RET_*, */
    int64_t expiry;       /* and a FILETIME, UTC */
    char *target;         /* as given to the first call, or NULL */
    bool has_bindings;    /* the caller gave some, with this step or before */
    uint8_t bindings[16]; /* their hash; zeros without any */
};

/* A step: SEC_E_OK, SEC_I_CONTINUE_NEEDED, SEC_I_COMPLETE_*, or an error. `handshake` is the package's. */
typedef SECURITY_STATUS handshake_step(void *handshake, const struct step_in *in, struct step_out *out);

/* What a package's handshakes of both sides have in common. */
struct handshake_kind {
    const char *name; /* the package's, for causes */
    size_t size;      /* of the package's struct, which is taken zeroed from secret memory */
    /* Fills the new handshake, whose base is filled. On failure it is given up like any other. */
    SECURITY_STATUS (*begun)(void *handshake, void *credential);
    /* Releases what the package's struct holds, then calls handshake_free. */
    void (*abandon)(void *handshake);
    /* Takes what any step may bring. NULL: the hash of the channel bindings. */
    SECURITY_STATUS (*take)(void *handshake, const struct step_in *in);
};

struct handshake_role {
    const struct handshake_kind *kind;
    bool initiator;
    unsigned first;               /* the state in which it begins */
    handshake_step *const *steps; /* by state; without one for HANDSHAKE_DONE a handshake is given up when it ends */
    size_t n_steps;
    /* A step has failed, and `state` is as the step left it: writes words for the peer and sets out->alert, if there are any. NULL: there are none.
     * */
    void (*failed)(void *handshake, SECURITY_STATUS status, struct step_out *out);
};

/* package_authority.initiate or .accept by the role's table. A failed step leaves no token but one that is an alert: who failed proves nothing any
 * more. */
SECURITY_STATUS handshake_walk(const struct handshake_role *role, void *credential, void **handshake,
                               const struct step_in *in, struct step_out *out);
/* Frees a handshake and its base. */
void handshake_free(const struct handshake_kind *kind, void *handshake);

#endif
