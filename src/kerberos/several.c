/* Several messages in one call, of one or of several sessions: those with AES and SHA-1 go through the cipher side by side. */
#include "core/cause.h"
#include "kerberos/rfc4121.h"
#include "kerberos/session.h"

_Static_assert(MESSAGES_TOGETHER <= KRB_JOBS_MAX, "a job a message");

static const uint64_t *number_wanted(const struct kerberos_session *session, const uint64_t *number)
{
    return session->datagram ? number : NULL;
}

/* What kerberos_seal asks first, for a message that is to go side by side with others. */
static bool seals_with_others(struct kerberos_session *session, const struct session_message *one)
{
    return session->profile != NULL && kerberos_lane_want(session, &session->send, KIND_SEALED) == SEC_E_OK &&
           session->send.cipher.stitched && session->confidential && one->qop != SECQOP_WRAP_NO_ENCRYPT &&
           one->message->token.data != NULL;
}

void kerberos_seal_several(struct session_message *list, unsigned n)
{
    struct rfc4121_sealing sealings[MESSAGES_TOGETHER];
    struct krb_job jobs[MESSAGES_TOGETHER];
    unsigned whose[MESSAGES_TOGETHER], n_jobs = 0;
    for (unsigned i = 0; i < n; i++) {
        struct session_message *one = &list[i];
        struct kerberos_session *session = one->state;
        if (!seals_with_others(session, one)) {
            one->status = kerberos_session_table.seal(session, one->qop, one->message, one->seq);
            continue;
        }
        struct rfc4121_sealing *sealing = &sealings[n_jobs];
        one->status =
            rfc4121_seal_begin(session, one->message, session->datagram ? one->seq : session->send.seq, sealing);
        if (one->status != SEC_E_OK)
            continue;
        if (!session->datagram)
            session->send
                .seq++; /* here already: the next message may be this session's, and a cipher that is stitched does not fail */
        whose[n_jobs] = i;
        jobs[n_jobs++] = (struct krb_job){.cipher = &session->send.cipher,
                                          .pieces = sealing->pieces.list,
                                          .n_pieces = sealing->pieces.n,
                                          .mac = sealing->mac};
    }
    krb_seal_several(jobs, n_jobs);
    for (unsigned k = 0; k < n_jobs; k++) {
        struct session_message *one = &list[whose[k]];
        if (jobs[k].done)
            rfc4121_seal_end(one->state, one->message, &sealings[k]);
        else
            one->status = cause_set(SEC_E_INTERNAL_ERROR, "the cipher failed");
    }
}

/* Where a message is between the two halves. */
enum opening_state {
    ALONE,   /* it is opened as a single message is, when its turn comes */
    REFUSED, /* its status stands */
    BEGUN,   /* no cipher runs; the second half says why */
    CIPHER,
};

static enum opening_state opening_begin(struct session_message *one, struct rfc4121_opening *opening)
{
    struct kerberos_session *session = one->state;
    bool given = one->message->token.data != NULL || one->message->stream.data != NULL;
    if (session->profile == NULL || !given || kerberos_lane_want(session, &session->receive, KIND_SEALED) != SEC_E_OK ||
        !session->receive.cipher.stitched)
        return ALONE;
    one->status = rfc4121_unseal_begin(session, one->message, opening);
    if (one->status != SEC_E_OK)
        return REFUSED;
    if (!opening->wrapped.sealed)
        return ALONE;
    return opening->turned == SEC_E_OK ? CIPHER : BEGUN;
}

static void opening_end(struct session_message *one, struct rfc4121_opening *opening, bool done)
{
    const uint64_t number = one->seq;
    struct kerberos_session *session = one->state;
    one->status = rfc4121_unseal_end(session, one->message, number_wanted(session, &number), opening, done);
    if (one->status == SEC_E_OK) {
        one->message->padding.len = 0;
        one->qop = 0;
    }
}

void kerberos_unseal_several(struct session_message *list, unsigned n)
{
    struct rfc4121_opening openings[MESSAGES_TOGETHER];
    enum opening_state states[MESSAGES_TOGETHER];
    struct krb_job jobs[MESSAGES_TOGETHER];
    unsigned n_jobs = 0, next = 0;
    for (unsigned i = 0; i < n; i++) {
        struct kerberos_session *session = list[i].state;
        states[i] = opening_begin(&list[i], &openings[i]);
        if (states[i] == CIPHER)
            jobs[n_jobs++] = (struct krb_job){.cipher = &session->receive.cipher,
                                              .pieces = openings[i].pieces.list,
                                              .n_pieces = openings[i].pieces.n,
                                              .mac = openings[i].mac};
    }
    krb_unseal_several(jobs, n_jobs);
    for (unsigned i = 0; i < n; i++) {
        if (states[i] == ALONE)
            list[i].status = kerberos_session_table.unseal(list[i].state, list[i].message, list[i].seq, &list[i].qop);
        else if (states[i] != REFUSED)
            opening_end(&list[i], &openings[i], states[i] == CIPHER && jobs[next++].done);
    }
}
