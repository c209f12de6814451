#include "core/handshake.h"

#include "base/memory.h"
#include "core/bindings.h"
#include "core/cause.h"

static SECURITY_STATUS handshake_new(const struct handshake_role *role, void *credential, const struct step_in *in,
                                     const struct step_out *out, struct handshake **handshake)
{
    struct handshake *made = secret_block_alloc(role->kind->size);
    require(made != NULL, SEC_E_INSUFFICIENT_MEMORY);
    *made = (struct handshake){
        .state = role->first,
        .initiator = role->initiator,
        .asked = in->flags,
        .granted = out->granted,
        .expiry = out->expiry,
        .target = mem_strdup(in->target),
    };
    if (in->target != NULL && made->target == NULL) {
        handshake_free(role->kind, made); /* the package has not seen it */
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    SECURITY_STATUS status = role->kind->begun(made, credential);
    if (status != SEC_E_OK) {
        role->kind->abandon(made);
        return status;
    }
    *handshake = made;
    return SEC_E_OK;
}

void handshake_free(const struct handshake_kind *kind, void *handshake)
{
    struct handshake *freed = handshake;
    mem_free(freed->target);
    secret_block_free(freed, kind->size);
}

static handshake_step *step_of(const struct handshake_role *role, unsigned state)
{
    return state < role->n_steps ? role->steps[state] : NULL;
}

static SECURITY_STATUS step_run(const struct handshake_role *role, struct handshake *now, const struct step_in *in,
                                struct step_out *out)
{
    try(role->kind->take != NULL ? role->kind->take(now, in)
                                 : bindings_take(in->bindings, now->bindings, &now->has_bindings));
    return step_of(role, now->state)(now, in, out);
}

static void step_failed(const struct handshake_role *role, struct handshake *now, SECURITY_STATUS status,
                        struct step_out *out)
{
    if (role->failed != NULL)
        role->failed(now, status, out);
    if (!out->alert)
        writer_release(&out->token);
    now->state = HANDSHAKE_FAILED;
}

SECURITY_STATUS handshake_walk(const struct handshake_role *role, void *credential, void **handshake,
                               const struct step_in *in, struct step_out *out)
{
    struct handshake *now = *handshake;
    bool first = now == NULL, lives_on = step_of(role, HANDSHAKE_DONE) != NULL;
    if (first)
        try(handshake_new(role, credential, in, out, &now));
    require(step_of(role, now->state) != NULL,
            cause_set(SEC_E_OUT_OF_SEQUENCE, "this %s handshake %s", role->kind->name,
                      now->state == HANDSHAKE_FAILED ? "failed before" : "has ended"));
    bool ended = now->state == HANDSHAKE_DONE; /* one that lives on: wrong input does not undo its end */
    SECURITY_STATUS status = step_run(role, now, in, out);
    if (status >= 0) {
        out->granted = now->granted;
        out->expiry = now->expiry;
    } else if (status != SEC_E_INCOMPLETE_MESSAGE && !ended)
        step_failed(role, now, status, out);
    bool over = status == SEC_E_OK && now->state == HANDSHAKE_DONE && !lives_on;
    if (over || (first && status < 0)) {
        role->kind->abandon(now);
        now = NULL;
    }
    *handshake = now;
    return status;
}
