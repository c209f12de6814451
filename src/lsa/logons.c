#include "lsa/logons.h"

#include "access/impersonation.h"
#include "access/token_build.h"
#include "base/memory.h"
#include "core/cause.h"
#include "core/tickets.h"
#include "lsa/logon.h"
#include "lsa/remote.h"
#include <string.h>
#include <unistd.h>

void logon_told_release(struct logon_told *told)
{
    mem_free(told->package);
    mem_free(told->user);
    mem_free(told->domain);
    *told = (struct logon_told){0};
}

/* Asks the daemon where there is one to be asked; false: this process is to answer. */
static bool asked_remotely(const struct config *config, struct writer *request, enum lsa_operation operation,
                           struct lsa_reply *reply, SECURITY_STATUS *status)
{
    enum config_lsa mode = authority_mode(config);
    if (mode == LSA_EMBEDDED)
        return false;
    struct lsa_daemon *daemon = remote_daemon(config);
    if (daemon == NULL) {
        *status = SEC_E_NO_AUTHENTICATING_AUTHORITY;
        return true;
    }
    enum lsa_result result = lsa_ask(daemon, request, operation, config->lsa_seconds, 0, reply, NULL);
    if (result == LSA_UNREACHABLE && mode == LSA_AUTO) {
        cause_drop();
        return false;
    }
    *status = result == LSA_ANSWERED ? reply->status : lsa_result_status(result);
    return true;
}

static SECURITY_STATUS here_log_on(const struct config *config, const struct package *package,
                                   const struct identity *identity, enum session_logon type, uint64_t *id,
                                   struct logon_proof *proof)
{
    const struct session_request request = {
        .config = config, .package = package, .identity = identity, .type = type, .owner = geteuid(), .proof = proof};
    return identity_kind(identity) == IDENTITY_NAME ? sessions_log_on_s4u(&request, id) : sessions_log_on(&request, id);
}

SECURITY_STATUS logons_log_on(const struct config *config, const struct package *package,
                              const struct identity *identity, enum session_logon type, uint64_t *id,
                              struct logon_proof *proof)
{
    AUTO_REPLY struct lsa_reply reply = {0};
    AUTO_WRITER struct writer request = lsa_request(LSA_LOGON);
    SECURITY_STATUS status;
    lsa_text_write(&request, LSA_PACKAGE, package->info.name);
    lsa_number_write(&request, LSA_LOGON_TYPE, (uint64_t)type);
    if (proof != NULL)
        lsa_number_write(&request, LSA_FLAGS, LSA_WANTS_RECORD | (proof->keeps ? LSA_WANTS_KEPT : 0));
    remote_identity_write(&request, identity);
    if (!asked_remotely(config, &request, LSA_LOGON, &reply, &status))
        return here_log_on(config, package, identity, type, id, proof);
    require(status == SEC_E_OK, status);
    *id = lsa_number(&reply.message, LSA_LOGON_SESSION);
    return proof == NULL || !lsa_has(&reply.message, LSA_RECORD) ? SEC_E_OK : remote_proof_read(&reply.message, proof);
}

SECURITY_STATUS logons_log_off(const struct config *config, uint64_t id)
{
    AUTO_REPLY struct lsa_reply reply = {0};
    AUTO_WRITER struct writer request = lsa_request(LSA_LOGOFF);
    SECURITY_STATUS status;
    lsa_number_write(&request, LSA_LOGON_SESSION, id);
    return asked_remotely(config, &request, LSA_LOGOFF, &reply, &status) ? status : sessions_log_off(id, geteuid());
}

static SECURITY_STATUS list_read(struct slice bytes, uint64_t **ids, size_t *n_ids)
{
    struct reader reader = reader_of(bytes);
    size_t n_read = bytes.len / 8;
    AUTO_FREE uint64_t *read = mem_zalloc_array(n_read + 1, sizeof *read);
    require(read != NULL, SEC_E_INSUFFICIENT_MEMORY);
    for (size_t i = 0; i < n_read; i++)
        require(reader_u64le(&reader, &read[i]) == WIRE_OK, SEC_E_INTERNAL_ERROR);
    *ids = STEAL(read);
    *n_ids = n_read;
    return SEC_E_OK;
}

/* The session that this process runs in: nobody logged it on here, and it is there all the same. NULL for a thread that is somebody else. */
static SECURITY_STATUS process_session(const struct config *config, const struct token **token)
{
    *token = NULL;
    return impersonation_current() == NULL ? token_of_process(config, token) : SEC_E_OK;
}

SECURITY_STATUS logons_list(const struct config *config, uint64_t **ids, size_t *n_ids)
{
    AUTO_REPLY struct lsa_reply reply = {0};
    AUTO_WRITER struct writer request = lsa_request(LSA_LIST_SESSIONS);
    SECURITY_STATUS status;
    if (!asked_remotely(config, &request, LSA_LIST_SESSIONS, &reply, &status))
        return sessions_list(geteuid(), ids, n_ids);
    return status == SEC_E_OK ? list_read(reply.message.field[LSA_LOGON_SESSIONS], ids, n_ids) : status;
}

SECURITY_STATUS logons_own(const struct config *config, uint64_t *id)
{
    AUTO_TOKEN const struct token *token = NULL;
    try(process_session(config, &token));
    *id = token != NULL ? token->facts->logon_id : 0;
    return SEC_E_OK;
}

static SECURITY_STATUS told_fill(struct logon_told *told, const struct logon_session *session)
{
    told->id = session->id;
    told->owner = session->owner;
    told->type = (uint32_t)session->type;
    told->time = session->time;
    told->package = mem_strdup(session->package);
    told->user = mem_strdup(session->user);
    told->domain = mem_strdup(session->domain);
    if (told->package != NULL && told->user != NULL && told->domain != NULL)
        return SEC_E_OK;
    logon_told_release(told);
    return SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS here_describe(uint64_t id, struct logon_told *told)
{
    const struct logon_session *session;
    try(sessions_find(id, geteuid(), &session));
    SECURITY_STATUS status = told_fill(told, session);
    sessions_put(session);
    return status;
}

static SECURITY_STATUS logged_on_describe(const struct config *config, uint64_t id, struct logon_told *told)
{
    AUTO_REPLY struct lsa_reply reply = {0};
    AUTO_WRITER struct writer request = lsa_request(LSA_DESCRIBE_SESSION);
    SECURITY_STATUS status;
    lsa_number_write(&request, LSA_LOGON_SESSION, id);
    if (!asked_remotely(config, &request, LSA_DESCRIBE_SESSION, &reply, &status))
        return here_describe(id, told);
    require(status == SEC_E_OK, status);
    const struct lsa_message *message = &reply.message;
    const struct logon_session session = {.id = lsa_number(message, LSA_LOGON_SESSION),
                                          .owner = (uid_t)lsa_number(message, LSA_OWNER),
                                          .type = (enum session_logon)lsa_number(message, LSA_LOGON_TYPE),
                                          .time = (int64_t)lsa_number(message, LSA_TIME),
                                          .package = lsa_text(message, LSA_PACKAGE),
                                          .user = lsa_text(message, LSA_USER),
                                          .domain = lsa_text(message, LSA_DOMAIN)};
    return told_fill(told, &session);
}

SECURITY_STATUS logons_describe(const struct config *config, uint64_t id, struct logon_told *told)
{
    AUTO_TOKEN const struct token *token = NULL;
    SECURITY_STATUS status = logged_on_describe(config, id, told);
    if (status != SEC_E_INVALID_HANDLE)
        return status;
    try(process_session(config, &token));
    require(token != NULL && (id == 0 || id == token->facts->logon_id), status);
    cause_drop();
    const struct token_facts *facts = token->facts;
    const struct logon_session session = {.id = facts->logon_id,
                                          .owner = facts->unix_ids.uid,
                                          .type = SESSION_INTERACTIVE,
                                          .time = facts->logon_time,
                                          .package = "Negotiate",
                                          .user = facts->account != NULL ? facts->account : "",
                                          .domain = facts->domain};
    return told_fill(told, &session);
}

static SECURITY_STATUS here_tickets(const struct package *package, uint64_t id, const struct tickets_request *request,
                                    struct writer *answer)
{
    const struct logon_session *session = id == 0 ? sessions_default(geteuid()) : NULL;
    if (id != 0 || session != NULL) {
        sessions_put(session);
        return sessions_tickets(id, geteuid(), package, request, answer);
    }
    require(package->authority->tickets != NULL,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "%s has no tickets", package->info.name));
    require(impersonation_current() == NULL,
            cause_set(SEC_E_NO_CREDENTIALS, "this thread impersonates a client, which has no logon session here; the "
                                            "process's tickets are not its own"));
    return package->authority->tickets(request, answer);
}

SECURITY_STATUS logons_tickets(const struct package *package, uint64_t id, const struct tickets_request *request,
                               struct writer *answer)
{
    AUTO_REPLY struct lsa_reply reply = {0};
    AUTO_WRITER struct writer asked = lsa_request(LSA_TICKETS);
    SECURITY_STATUS status;
    bool may_ask = request->ask == TICKETS_LIST || request->ask == TICKETS_PURGE;
    lsa_text_write(&asked, LSA_PACKAGE, package->info.name);
    lsa_number_write(&asked, LSA_LOGON_SESSION, id);
    lsa_number_write(&asked, LSA_USE, request->ask == TICKETS_PURGE ? LSA_TICKETS_REMOVE : LSA_TICKETS_LIST);
    lsa_text_write(&asked, LSA_TARGET, request->server);
    lsa_text_write(&asked, LSA_DOMAIN, request->realm);
    if (request->client != NULL && *request->client != '\0') /* a daemon that does not know them refuses */
        lsa_text_write(&asked, LSA_USER, request->client);
    if (request->client_realm != NULL && *request->client_realm != '\0')
        lsa_text_write(&asked, LSA_TEXT, request->client_realm);
    if (!asked_remotely(request->config, &asked, LSA_TICKETS, &reply, &status))
        return here_tickets(package, id, request, answer);
    bool not_here = lsa_number(&reply.message, LSA_NOT_HERE) != 0;
    if (not_here && authority_mode(request->config) == LSA_AUTO) {
        cause_drop();
        return here_tickets(package, id, request, answer);
    }
    /* A caller without a session has no tickets there; that is no error where they are only counted. */
    if (not_here && may_ask)
        cause_drop();
    require(!not_here || !may_ask, SEC_E_OK);
    require(status == SEC_E_OK, status);
    require(may_ask, cause_set(SEC_E_UNSUPPORTED_FUNCTION,
                               "the security authority keeps this session's tickets, and gives none out"));
    writer_slice(answer, reply.message.field[LSA_VALUE]);
    return writer_finish(answer) == WIRE_OK ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}
