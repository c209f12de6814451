#include "server.h"

#include "base/memory.h"
#include "base/secret.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "core/identity.h"
#include "core/tickets.h"
#include "lsa/logon.h"
#include "lsa/seal.h"
#include "lsa/sessions.h"

/* Requests about logons and their sessions; as those of requests.c they may run on a worker. */

static SECURITY_STATUS proof_write(struct job *job, const struct logon_proof *proof)
{
    AUTO_WRITER struct writer sealed = writer_growing(proof->kept.len + 128);
    if (proof->kept.len > 0) {
        try(seal_write(proof->package, secret_slice(&proof->kept), &sealed));
        require(writer_finish(&sealed) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
        lsa_bytes_write(&job->reply, LSA_DELEGATED, writer_slice_of(&sealed));
    }
    lsa_bytes_write(&job->reply, LSA_RECORD, writer_slice_of(&proof->record));
    lsa_text_write(&job->reply, LSA_PACKAGE, proof->package->info.name);
    return SEC_E_OK;
}

SECURITY_STATUS run_logon(struct job *job, const struct config *config)
{
    AUTO_IDENTITY struct identity identity = {0};
    uint64_t id = 0, flags = lsa_number(&job->message, LSA_FLAGS);
    AUTO_PROOF struct logon_proof proof = {.keeps = (flags & LSA_WANTS_KEPT) != 0};
    struct session_request request = {.config = config,
                                      .identity = &identity,
                                      .type = (enum session_logon)lsa_number(&job->message, LSA_LOGON_TYPE),
                                      .owner = job->uid,
                                      .proof = (flags & LSA_WANTS_RECORD) != 0 ? &proof : NULL};
    try(job_package(job, &request.package));
    try(job_identity(job, &identity));
    if (identity.proof_kind == IDENTITY_RESPONSE)
        /* Who passes a response on chose its challenge, or says so, and gets the session's key: `accept` does not give that away. */
        require(job->uid == 0 || job->uid == geteuid(),
                cause_set(SEC_E_NO_CREDENTIALS, "user %u may not pass responses on: root may", (unsigned)job->uid));
    if (identity_kind(&identity) != IDENTITY_NAME)
        try(sessions_log_on(&request, &id));
    else { /* a service's word, and that of the KDC, for who may be a server with this computer's keys */
        require(may_be_server(config, job->uid),
                cause_set(SEC_E_NO_CREDENTIALS, "user %u may not be a server here, and so not log others on",
                          (unsigned)job->uid));
        try(sessions_log_on_s4u(&request, &id));
    }
    lsa_number_write(&job->reply, LSA_LOGON_SESSION, id);
    return proof.record.len > 0 ? proof_write(job, &proof) : SEC_E_OK;
}

SECURITY_STATUS run_prove(struct job *job, const struct config *config)
{
    const struct package *package;
    AUTO_IDENTITY struct identity identity = {0};
    AUTO_PROOF struct logon_proof proof = {.keeps = (lsa_number(&job->message, LSA_FLAGS) & LSA_WANTS_KEPT) != 0};
    try(job_package(job, &package));
    try(job_identity(job, &identity));
    require(identity.user != NULL && identity.has_password && identity.proof_kind == IDENTITY_PASSWORD,
            cause_set(SEC_E_UNKNOWN_CREDENTIALS, "a logon needs a user's name and a password"));
    try(logon_prove_by(config, &identity, logon_provider_of(package), &proof));
    return proof_write(job, &proof);
}

SECURITY_STATUS run_tickets(struct job *job, const struct config *config)
{
    const struct lsa_message *message = &job->message;
    const struct package *package;
    uint64_t id = lsa_number(message, LSA_LOGON_SESSION), use = lsa_number(message, LSA_USE);
    AUTO_WRITER struct writer answer = writer_growing(1024);
    try(job_package(job, &package));
    require(use == LSA_TICKETS_LIST || use == LSA_TICKETS_REMOVE, SEC_E_INVALID_TOKEN);
    const struct tickets_request request = {.config = config,
                                            .ask = use == LSA_TICKETS_REMOVE ? TICKETS_PURGE : TICKETS_LIST,
                                            .server = lsa_text(message, LSA_TARGET),
                                            .realm = lsa_text(message, LSA_DOMAIN),
                                            .client = lsa_text(message, LSA_USER),
                                            .client_realm = lsa_text(message, LSA_TEXT)};
    SECURITY_STATUS status = sessions_tickets(id, job->uid, package, &request, &answer);
    job->not_here = status == SEC_E_INVALID_HANDLE && id == 0;
    try(status);
    require(writer_finish(&answer) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    require(answer.len <= LSA_BODY_MAX / 2, cause_set(SEC_E_INSUFFICIENT_MEMORY, "there are too many tickets to tell"));
    lsa_bytes_write(&job->reply, LSA_VALUE, answer.len > 0 ? writer_slice_of(&answer) : slice_of("", 0));
    return SEC_E_OK;
}

SECURITY_STATUS run_list_sessions(struct job *job)
{
    AUTO_FREE uint64_t *ids = NULL;
    size_t n_ids;
    try(sessions_list(job->uid, &ids, &n_ids));
    AUTO_WRITER struct writer list = writer_growing(n_ids * 8 + 1);
    for (size_t i = 0; i < n_ids; i++)
        writer_u64le(&list, ids[i]);
    require(writer_finish(&list) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    lsa_bytes_write(&job->reply, LSA_LOGON_SESSIONS, n_ids > 0 ? writer_slice_of(&list) : slice_of("", 0));
    return SEC_E_OK;
}

SECURITY_STATUS run_describe_session(struct job *job)
{
    const struct logon_session *session;
    try(sessions_find(lsa_number(&job->message, LSA_LOGON_SESSION), job->uid, &session));
    lsa_number_write(&job->reply, LSA_LOGON_SESSION, session->id);
    lsa_number_write(&job->reply, LSA_LOGON_TYPE, (uint64_t)session->type);
    lsa_number_write(&job->reply, LSA_TIME, (uint64_t)session->time);
    lsa_number_write(&job->reply, LSA_OWNER, session->owner);
    lsa_text_write(&job->reply, LSA_PACKAGE, session->package);
    lsa_text_write(&job->reply, LSA_USER, session->user);
    lsa_text_write(&job->reply, LSA_DOMAIN, session->domain);
    sessions_put(session);
    return SEC_E_OK;
}
