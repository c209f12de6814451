#include "server.h"

#include "accounts/accounts.h"
#include "base/memory.h"
#include "base/secret.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "core/identity.h"
#include "core/late.h"
#include "core/registry.h"
#include "lsa/local.h"
#include "lsa/seal.h"
#include "lsa/sessions.h"
#include <credssp.h>
#include <sspi_ext.h>
#include <string.h>

/* What the operations do. job_run and what it calls may run on a worker: it reads the job's message, uses what the job holds, and writes the job's
 * results. */

/* Those whose sessions a record can hold: TLS' state stays in one process, and other people's packages are not loaded here. */
SECURITY_STATUS job_package(const struct job *job, const struct package **package)
{
    const char *name = lsa_text(&job->message, LSA_PACKAGE);
    const struct package *found = registry_find(name);
    bool serves = found != NULL && found->info.takes_identity && !found->info.process_bound &&
                  (found->info.capabilities & SECPKG_FLAG_STREAM) == 0;
    require(serves,
            cause_set(SEC_E_SECPKG_NOT_FOUND, "the security authority has no package \"%.64s\" for its clients", name));
    *package = found;
    return SEC_E_OK;
}

SECURITY_STATUS job_identity(const struct job *job, struct identity *identity)
{
    const struct lsa_message *message = &job->message;
    uint64_t has = lsa_number(message, LSA_IDENTITY);
    struct slice password = message->field[LSA_PASSWORD], proof = message->field[LSA_PROOF];
    const uint64_t proves = has & (LSA_HAS_KEYTAB | LSA_HAS_RESPONSE);
    require((has & ~(uint64_t)(LSA_HAS_PASSWORD | LSA_HAS_HASH | LSA_HAS_KEYTAB | LSA_HAS_RESPONSE)) == 0 &&
                ((has & LSA_HAS_RESPONSE) == 0 || (job->head.operation == LSA_LOGON && has == LSA_HAS_RESPONSE)) &&
                ((has & LSA_HAS_PASSWORD) == 0 || password.data != NULL) &&
                ((has & LSA_HAS_HASH) == 0 || ((has & LSA_HAS_PASSWORD) != 0 && password.len == 16)) &&
                (proves == 0 || proof.data != NULL),
            cause_set(SEC_E_INVALID_TOKEN, "an identity that does not hold what it says"));
    identity->has_password = (has & LSA_HAS_PASSWORD) != 0;
    identity->password_is_hash = (has & LSA_HAS_HASH) != 0;
    identity->proof_kind = (has & LSA_HAS_KEYTAB) != 0     ? IDENTITY_KEYTAB_FILE
                           : (has & LSA_HAS_RESPONSE) != 0 ? IDENTITY_RESPONSE
                                                           : IDENTITY_PASSWORD;
    bool copied = mem_text_copy(&identity->user, lsa_text(message, LSA_USER)) &&
                  mem_text_copy(&identity->domain, lsa_text(message, LSA_DOMAIN)) &&
                  mem_text_copy(&identity->packages, lsa_text(message, LSA_PACKAGES)) &&
                  (!identity->has_password || password.len == 0 ||
                   secret_set(&identity->password, password.data, password.len)) &&
                  (proves == 0 || secret_set(&identity->proof, proof.data, proof.len));
    return copied ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* Is a name without a password that of the session, or no name at all? */
static bool names_session(const struct identity *identity, const struct logon_session *session)
{
    if (identity == NULL || !identity_has_name(identity))
        return true;
    return text_equal_fold(identity->user, session->user) && (identity->domain == NULL || *identity->domain == '\0' ||
                                                              text_equal_fold(identity->domain, session->domain));
}

/* Credentials of others go to nobody: a client's are its own identity's or those of its logon session; a server's are this daemon's, for those who
 * may. */
static SECURITY_STATUS acquire_with(struct job *job, const struct package *package, const struct config *config,
                                    const struct identity *identity)
{
    struct acquire_request request = {.config = config,
                                      .principal = lsa_text(&job->message, LSA_PRINCIPAL),
                                      .use = (uint32_t)lsa_number(&job->message, LSA_USE),
                                      .identity = identity};
    const bool outbound = (request.use & SECPKG_CRED_OUTBOUND) != 0, inbound = (request.use & SECPKG_CRED_INBOUND) != 0;
    require(request.use <= SECPKG_CRED_BOTH && (inbound || outbound), SEC_E_NO_CREDENTIALS);
    if (inbound && !may_be_server(config, job->uid)) {
        job->not_here = true;
        return cause_set(SEC_E_NO_CREDENTIALS,
                         "user %u may not be a server here: \"accept\" in the security authority's [lsa]",
                         (unsigned)job->uid);
    }
    const struct logon_session *session = NULL;
    const struct identity listed = {.packages = identity != NULL ? identity->packages : NULL};
    enum identity_kind kind = identity_kind(identity);
    if (outbound && (kind == IDENTITY_DEFAULT || kind == IDENTITY_NAME)) {
        session = sessions_default(job->uid);
        if (session != NULL && !names_session(identity, session)) {
            sessions_put(session);
            session = NULL;
        }
        if (session != NULL) {
            sessions_lend(session, &request);
            request.identity = identity != NULL ? &listed : NULL; /* whose it is the session says */
        } else
            job->not_here =
                !inbound; /* nobody's, as where there are no default credentials; a caller may have some of its own */
    }
    SECURITY_STATUS status = local_authority.acquire(package, &request, &job->new_credential);
    sessions_put(session);
    return status;
}

static void expiry_write(struct job *job)
{
    if (job->new_credential != NULL)
        lsa_number_write(&job->reply, LSA_EXPIRY, (uint64_t)job->new_credential->expiry);
}

static SECURITY_STATUS run_acquire(struct job *job, const struct config *config)
{
    const struct package *package;
    AUTO_IDENTITY struct identity identity = {0};
    bool has_identity = lsa_has(&job->message, LSA_IDENTITY);
    try(job_package(job, &package));
    if (has_identity)
        try(job_identity(job, &identity));
    try(acquire_with(job, package, config, has_identity ? &identity : NULL));
    expiry_write(job);
    return SEC_E_OK;
}

static SECURITY_STATUS context_begin(struct job *job, bool initiator)
{
    struct credential *credential = job->credential->credential;
    require((credential->use & (initiator ? SECPKG_CRED_OUTBOUND : SECPKG_CRED_INBOUND)) != 0, SEC_E_NO_CREDENTIALS);
    job->new_context = context_new(credential->package, initiator);
    require(job->new_context != NULL, SEC_E_INSUFFICIENT_MEMORY);
    job->new_context->credential = credential_retain(credential);
    return SEC_E_OK;
}

static SECURITY_STATUS step_reply(struct job *job, struct step_out *out, SECURITY_STATUS status)
{
    bool whole = writer_finish(&out->token) == WIRE_OK;             /* without memory it may be cut off */
    if (whole && out->token.len > 0 && (status >= 0 || out->alert)) /* after a failure words for the peer */
        lsa_bytes_write(&job->reply, LSA_TOKEN, writer_slice_of(&out->token));
    require(status >= 0, status);
    require(whole && writer_finish(&out->record) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    if (out->session != NULL) /* open already: it signed the list of mechanisms */
        try(session_save(out->session, &out->record));
    if (out->record.len > 0)
        lsa_bytes_write(&job->reply, LSA_RECORD, writer_slice_of(&out->record));
    lsa_number_write(&job->reply, LSA_GRANTED, out->granted);
    lsa_number_write(&job->reply, LSA_EXPIRY, (uint64_t)out->expiry);
    lsa_number_write(&job->reply, LSA_LIST_MIC, (out->wants_list_mic ? 1U : 0U) | (out->signs_list ? 2U : 0U));
    return status;
}

static enum wire_result params_read(struct slice bytes, struct step_in *in)
{
    struct reader reader = reader_of(bytes);
    while (reader_left(&reader) > 0) {
        uint32_t len;
        require(in->n_params < STEP_PARAMS_MAX, WIRE_BAD);
        try(reader_u32le(&reader, &len));
        try(reader_bytes(&reader, len, &in->params[in->n_params]));
        in->n_params++;
    }
    return WIRE_OK;
}

static SECURITY_STATUS run_step(struct job *job)
{
    const struct lsa_message *message = &job->message;
    bool initiator = lsa_number(message, LSA_USE) == SECPKG_CRED_OUTBOUND;
    if (job->context == NULL)
        try(context_begin(job, initiator));
    struct context *context = job->context != NULL ? job->context->context : job->new_context;
    require(context->initiator == initiator, SEC_E_INVALID_HANDLE);
    require(message->field[LSA_TOKEN].len <= context->package->info.max_token,
            cause_set(SEC_E_INVALID_TOKEN, "a token of %zu bytes", message->field[LSA_TOKEN].len));
    struct step_in in = {.token = message->field[LSA_TOKEN],
                         .target_host = message->field[LSA_TARGET_HOST],
                         .receive_size = (uint32_t)lsa_number(message, LSA_RECEIVE_SIZE),
                         .bindings = message->field[LSA_BINDINGS],
                         .target = lsa_text(message, LSA_TARGET),
                         /* There is nobody here to be asked. */
                         .flags = (uint32_t)lsa_number(message, LSA_FLAGS) &
                                  (initiator ? ~(uint32_t)ISC_REQ_PROMPT_FOR_CREDS : ~0u)};
    require(params_read(message->field[LSA_PARAMS], &in) == WIRE_OK, SEC_E_INVALID_TOKEN);
    struct step_out out = {.token = writer_growing(512),
                           .record = writer_growing(768),
                           .granted = context->granted,
                           .expiry = context->expiry};
    SECURITY_STATUS status = cause_answer(local_authority.step(context, &in, &out));
    context->granted = out.granted;
    context->expiry = out.expiry;
    status = step_reply(job, &out, status);
    writer_release(&out.token);
    writer_release(&out.record);
    session_close(out.session);
    job->context_ended = context->handshake == NULL || (status < 0 && status != SEC_E_INCOMPLETE_MESSAGE);
    return status;
}

static SECURITY_STATUS run_complete(struct job *job)
{
    struct slice token = job->message.field[LSA_TOKEN];
    AUTO_FREE uint8_t *copy = mem_dup(token.data, token.len);
    require(copy != NULL, SEC_E_INSUFFICIENT_MEMORY);
    struct step_out none = {0}; /* no package here ends its handshake with a token that is completed */
    SECURITY_STATUS status =
        local_authority.complete(job->context->context, (struct slice_mut){.data = copy, .len = token.len}, &none);
    if (status >= 0)
        lsa_bytes_write(&job->reply, LSA_TOKEN, slice_of(copy, token.len));
    return status;
}

static SECURITY_STATUS run_query_credential(struct job *job)
{
    struct attribute value = {0};
    uint32_t attribute = (uint32_t)lsa_number(&job->message, LSA_ATTRIBUTE);
    require(attribute != OPENSSPI_CRED_ATTR_CCACHE,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION,
                      "the security authority keeps these tickets: there is no cache to be named"));
    require(attribute == SECPKG_CRED_ATTR_NAMES,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION,
                      "of a credential the security authority tells the names, and no attribute %u", attribute));
    try(local_authority.query_credential(job->credential->credential, attribute, &value));
    lsa_text_write(&job->reply, LSA_TEXT, value.names.text != NULL ? value.names.text : "");
    return SEC_E_OK;
}

static SECURITY_STATUS run_set_credential(struct job *job)
{
    uint32_t attribute = (uint32_t)lsa_number(&job->message, LSA_ATTRIBUTE);
    struct slice value = job->message.field[LSA_VALUE];
    /* What is allowed is listed, not what is forbidden: the others name files, keytabs and caches, which would be opened as this daemon. */
    require(attribute == SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "the security authority opens no files for its callers"));
    return local_authority.set_credential(job->credential->credential, attribute, value.data, value.len);
}

static SECURITY_STATUS run_query_context(struct job *job)
{
    const struct context *context = job->context->context;
    uint32_t attribute = (uint32_t)lsa_number(&job->message, LSA_ATTRIBUTE), number[4] = {0};
    struct attribute value = {0};
    require(context->handshake != NULL && context->package->authority->query_handshake != NULL, SEC_E_INVALID_HANDLE);
    try(context->package->authority->query_handshake(context->handshake, attribute, &value));
    switch (attribute) {
    case SECPKG_ATTR_PACKAGE_INFO:
    case SECPKG_ATTR_NEGOTIATION_INFO:
    case SECPKG_ATTR_NEGOTIATION_PACKAGE:
        require(value.choice.package != NULL, SEC_E_UNSUPPORTED_FUNCTION);
        lsa_text_write(&job->reply, LSA_PACKAGE, value.choice.package->info.name);
        number[0] = value.choice.state;
        break;
    case SECPKG_ATTR_SIZES:
        number[0] = value.sizes.max_token;
        number[1] = value.sizes.max_signature;
        number[2] = value.sizes.block;
        number[3] = value.sizes.trailer;
        break;
    case SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS:
        number[0] = value.number;
        break;
    case SECPKG_ATTR_TARGET_INFORMATION:
        lsa_bytes_write(&job->reply, LSA_TOKEN, value.bytes);
        break;
    case SECPKG_ATTR_KEY_INFO:
        lsa_text_write(&job->reply, LSA_TEXT, value.key_info.signature_name);
        lsa_text_write(&job->reply, LSA_SECOND_TEXT, value.key_info.encrypt_name);
        number[0] = value.key_info.key_bits;
        number[1] = value.key_info.signature_algorithm;
        number[2] = value.key_info.encrypt_algorithm;
        break;
    default:
        return cause_set(SEC_E_UNSUPPORTED_FUNCTION, "attribute %u is known once the handshake has ended", attribute);
    }
    uint8_t bytes[16];
    struct writer writer = writer_fixed(bytes, sizeof bytes);
    for (size_t i = 0; i < COUNT_OF(number); i++)
        writer_u32le(&writer, number[i]);
    lsa_bytes_write(&job->reply, LSA_VALUE, slice_of(bytes, sizeof bytes));
    return SEC_E_OK;
}

static SECURITY_STATUS run_change_password(struct job *job, const struct config *config)
{
    const struct package *package;
    try(job_package(job, &package));
    const struct password_change change = {.config = config,
                                           .domain = lsa_text(&job->message, LSA_DOMAIN),
                                           .user = lsa_text(&job->message, LSA_USER),
                                           .old_password = job->message.field[LSA_PASSWORD],
                                           .new_password = job->message.field[LSA_NEW_PASSWORD]};
    return local_authority.change_password(package, &change);
}

/* A session's question about the key that stayed here: sealed, it comes back with the question. */
static SECURITY_STATUS run_ask(struct job *job)
{
    const struct package *package;
    AUTO_SECRET struct secret kept = {0};
    AUTO_WRITER struct writer answer = writer_growing(128);
    try(job_package(job, &package));
    require(package->authority->answer != NULL,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "sessions of %s ask nothing", package->info.name));
    if (seal_open(package, job->message.field[LSA_DELEGATED], &kept) != SEC_E_OK) {
        cause_drop(); /* that speaks of credentials; but not cause_clear: it may have been for want of memory */
        return cause_set(SEC_E_CONTEXT_EXPIRED,
                         "this context is another user's, or began with another security authority, or before this one "
                         "was started: begin a new one");
    }
    try(package->authority->answer(secret_slice(&kept), job->message.field[LSA_TOKEN], &answer));
    require(writer_finish(&answer) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    lsa_bytes_write(&job->reply, LSA_TOKEN, answer.len > 0 ? writer_slice_of(&answer) : slice_of("", 0));
    return SEC_E_OK;
}

static SECURITY_STATUS run_acquire_delegated(struct job *job, const struct config *config)
{
    const struct package *package;
    AUTO_SECRET struct secret plain = {0};
    try(job_package(job, &package));
    try(seal_open(package, job->message.field[LSA_DELEGATED], &plain));
    const struct acquire_request request = {.config = config, .use = SECPKG_CRED_OUTBOUND};
    struct credential *service = job->credential != NULL ? job->credential->credential : NULL;
    try(local_authority.acquire_delegated(package, &request, secret_slice(&plain), service, &job->new_credential));
    expiry_write(job);
    return SEC_E_OK;
}

static SECURITY_STATUS run_wrap(struct job *job, const struct config *config)
{
    const struct package *package;
    AUTO_IDENTITY struct identity identity = {0};
    const struct acquire_request request = {
        .config = config, .use = (uint32_t)lsa_number(&job->message, LSA_USE), .identity = &identity};
    try(job_package(job, &package));
    require(request.use == SECPKG_CRED_OUTBOUND, SEC_E_NO_CREDENTIALS);
    require(mem_text_copy(&identity.packages, lsa_text(&job->message, LSA_PACKAGES)), SEC_E_INSUFFICIENT_MEMORY);
    try(local_authority.wrap(package, &request, job->credential->credential, &job->new_credential));
    expiry_write(job);
    return SEC_E_OK;
}

static SECURITY_STATUS run_acquire_s4u(struct job *job, const struct config *config)
{
    const struct acquire_request request = {.config = config, .use = SECPKG_CRED_OUTBOUND};
    try(local_authority.acquire_s4u(&request, lsa_text(&job->message, LSA_USER), job->credential->credential,
                                    &job->new_credential));
    expiry_write(job);
    return SEC_E_OK;
}

static SECURITY_STATUS run_with(struct job *job, const struct config *config)
{
    switch (job->head.operation) {
    case LSA_ACQUIRE:
        return run_acquire(job, config);
    case LSA_STEP:
        return run_step(job);
    case LSA_COMPLETE:
        return run_complete(job);
    case LSA_QUERY_CREDENTIAL:
        return run_query_credential(job);
    case LSA_SET_CREDENTIAL:
        return run_set_credential(job);
    case LSA_QUERY_CONTEXT:
        return run_query_context(job);
    case LSA_CHANGE_PASSWORD:
        return run_change_password(job, config);
    case LSA_ACQUIRE_DELEGATED:
        return run_acquire_delegated(job, config);
    case LSA_ACQUIRE_S4U:
        return run_acquire_s4u(job, config);
    case LSA_WRAP:
        return run_wrap(job, config);
    case LSA_LOGON:
        return run_logon(job, config);
    case LSA_PROVE:
        return run_prove(job, config);
    case LSA_TICKETS:
        return run_tickets(job, config);
    case LSA_KEY:
        return run_key(job, config);
    case LSA_SIGN:
        return run_sign(job, config);
    case LSA_ASK:
        return run_ask(job);
    case LSA_LOGOFF:
        return sessions_log_off(lsa_number(&job->message, LSA_LOGON_SESSION), job->uid);
    case LSA_LIST_SESSIONS:
        return run_list_sessions(job);
    case LSA_DESCRIBE_SESSION:
        return run_describe_session(job);
    default:
        return SEC_E_OK; /* those without a reply, which job_prepare did */
    }
}

void job_run(struct job *job)
{
    const struct config *config = NULL;
    if (job->status != SEC_E_OK)
        return; /* job_prepare said no */
    cause_clear();
    late_work_for(job->uid == 0 ? LATE_ROOT : (uint64_t)job->uid + 1);
    seal_for(job->uid);
    /* What was begun goes on while the configuration is broken: a step has its credential's, a question the key that it brings. */
    bool needs_config = job->head.operation != LSA_STEP && job->head.operation != LSA_ASK;
    job->status = needs_config ? config_get(&config) : SEC_E_OK;
    if (config != NULL)
        keys_follow(config);
    if (job->status == SEC_E_OK)
        job->status = cause_answer(run_with(job, config));
    late_work_for(0);
    config_release(config);
    memcpy(job->cause, cause_text(), strlen(cause_text()) + 1);
    cause_clear();
}

static SECURITY_STATUS refuse(struct job *job, SECURITY_STATUS status, const char *why)
{
    memcpy(job->cause, why, strlen(why) + 1);
    return status;
}

/* A ticket in hand stays there while nobody changes the credential. */
static bool only_computes(const struct job *job, const struct credential *credential)
{
    const struct package_authority *table = credential->package->authority;
    const struct step_in in = {.target = lsa_text(&job->message, LSA_TARGET),
                               .flags = (uint32_t)lsa_number(&job->message, LSA_FLAGS)};
    return table->only_computes != NULL && (job->context != NULL || job->credential->n_jobs == 0) &&
           table->only_computes(credential->own, job->context != NULL ? job->context->context->handshake : NULL, &in);
}

/* A server's step: for winbind, for libkrb5's replay cache, for a KDC, for a writer of the account store; or may it try many keys? */
static bool accept_may_wait(const struct job *job, const struct credential *credential)
{
    const struct package *package = credential->package;
    const struct step_in in = {.token = job->message.field[LSA_TOKEN],
                               .flags = (uint32_t)lsa_number(&job->message, LSA_FLAGS)};
    if (credential->config->kerberos_shared_replay_cache && !text_equal_fold(package->info.name, "NTLM"))
        return true;
    if (accounts_ask_domains(credential->config) && !text_equal_fold(package->info.name, "Kerberos"))
        return true;
    return package->authority->accept_may_wait != NULL &&
           package->authority->accept_may_wait(credential->own,
                                               job->context != NULL ? job->context->context->handshake : NULL, &in);
}

/* May this wait for a KDC, a name service or a slow file? What is only computing, and not for long, stays in the loop, where it costs no change of
 * threads. */
static bool may_wait(const struct job *job)
{
    switch (job->head.operation) {
    case LSA_STEP: {
        const struct credential *credential =
            job->context != NULL ? job->context->context->credential : job->credential->credential;
        if (lsa_number(&job->message, LSA_USE) == SECPKG_CRED_INBOUND)
            return accept_may_wait(job, credential);
        return !text_equal_fold(credential->package->info.name, "NTLM") && !only_computes(job, credential);
    }
    case LSA_ACQUIRE: {
        uint64_t use = lsa_number(&job->message, LSA_USE);
        bool proves = (lsa_number(&job->message, LSA_IDENTITY) & (LSA_HAS_PASSWORD | LSA_HAS_KEYTAB)) != 0;
        /* The name service tells who may be a server, and stores are opened; a logon session's tickets may have ended. */
        return (use & SECPKG_CRED_INBOUND) != 0 || ((use & SECPKG_CRED_OUTBOUND) != 0 && !proves);
    }
    case LSA_SET_CREDENTIAL:
    case LSA_CHANGE_PASSWORD:
    case LSA_ACQUIRE_DELEGATED:
    case LSA_ACQUIRE_S4U:
    case LSA_LOGON:
    case LSA_PROVE:
    case LSA_TICKETS:
    case LSA_KEY:
    case LSA_SIGN:
        return true;
    default:
        return false;
    }
}

static SECURITY_STATUS objects_hold(struct job *job)
{
    const struct client *client = job->connection->client;
    uint64_t credential = lsa_number(&job->message, LSA_CREDENTIAL), context = lsa_number(&job->message, LSA_CONTEXT);
    if (lsa_has(&job->message, LSA_CREDENTIAL) && (job->head.operation != LSA_STEP || context == 0)) {
        job->credential = object_find(client, credential, false);
        require(job->credential != NULL, refuse(job, SEC_E_INVALID_HANDLE, "this client has no such credential"));
    }
    /* 0 begins a handshake; to give up none is nothing. */
    if (context != 0 || (lsa_has(&job->message, LSA_CONTEXT) && job->head.operation != LSA_STEP &&
                         job->head.operation != LSA_ABANDON)) {
        job->context = object_find(client, context, true);
        require(job->context != NULL, refuse(job, SEC_E_INVALID_HANDLE, "this client has no such context"));
        if (job->context->n_jobs > 0 && job->head.operation != LSA_ABANDON) {
            job->context = NULL;
            return refuse(job, SEC_E_OUT_OF_SEQUENCE, "another step of this context is not done yet");
        }
    }
    return SEC_E_OK;
}

void job_prepare(struct server *server, struct job *job)
{
    uint64_t use = lsa_number(&job->message, LSA_USE);
    const char *why;
    job->status = job->head.operation != LSA_STEP || use == SECPKG_CRED_INBOUND || use == SECPKG_CRED_OUTBOUND
                      ? objects_hold(job)
                      : refuse(job, SEC_E_INVALID_TOKEN, "a step is a client's or a server's");
    if (job->status == SEC_E_OK && limits_check(server, job, &why) != SEC_E_OK) {
        job->status = refuse(job, SEC_E_INSUFFICIENT_MEMORY, why);
        if (job->head.operation == LSA_STEP &&
            job->context != NULL) /* for its client a handshake that failed is gone */
            object_end(server, job->connection->client, job->context);
    }
    if (job->status != SEC_E_OK) {
        job->credential = job->context = NULL;
        return;
    }
    if (job->head.operation == LSA_RELEASE || job->head.operation == LSA_ABANDON) {
        struct object *object = job->context != NULL ? job->context : job->credential;
        job->context = job->credential = NULL;
        if (object != NULL)
            object_end(server, job->connection->client, object);
        return;
    }
    job->may_wait = may_wait(job);
    if (job->credential != NULL)
        job->credential->n_jobs++;
    if (job->context != NULL)
        job->context->n_jobs++;
}

/* What the job made becomes the client's, if there is memory for it; NULL: it made nothing that stays. */
static struct object *made_keep(struct server *server, struct job *job)
{
    const struct connection *connection = job->connection;
    struct object *made = NULL;
    bool stays = job->new_context != NULL && !job->context_ended;
    if (job->status < 0 || (job->new_credential == NULL && !stays))
        return NULL;
    if (job->new_credential != NULL && (made = object_add(server, connection, job->new_credential, NULL)) != NULL) {
        job->new_credential = NULL;
        lsa_number_write(&job->reply, LSA_CREDENTIAL, made->id);
    } else if (stays && (made = object_add(server, connection, NULL, job->new_context)) != NULL)
        job->new_context = NULL;
    if (made == NULL)
        job->status = SEC_E_INSUFFICIENT_MEMORY;
    else if (job->credential !=
             NULL) /* what a handshake, a wrapping or a delegated credential has of it stays as long as they do */
        object_stand(made, job->credential);
    return made;
}

/* Gives the client what the job made, and lets go of what it used. */
static void results_keep(struct server *server, struct job *job)
{
    struct client *client = job->connection->client;
    struct object *made = made_keep(server, job), *changed = made;
    job->made = made;
    credential_put(STEAL(job->new_credential));
    if (job->new_context != NULL)
        context_free(STEAL(job->new_context));
    if (made == NULL && job->head.operation == LSA_STEP)
        changed = job->context;
    if (made == NULL && job->head.operation == LSA_SET_CREDENTIAL)
        changed = job->credential;
    if (changed != NULL)
        bytes_keep(server, changed, bytes_of(job));
    if (job->head.operation == LSA_STEP && job->status >= 0)
        lsa_number_write(&job->reply, LSA_CONTEXT, job->context_ended || changed == NULL ? 0 : changed->id);
    if (job->context != NULL && job->context_ended)
        job->context->ended = true;
    object_put(server, client, job->context);
    object_put(server, client, job->credential);
    job->context = job->credential = NULL;
}

void job_finish(struct server *server, struct job *job)
{
    if (job->connection->client != NULL)
        results_keep(server, job);
    if (job->not_here && (job->head.operation == LSA_ACQUIRE || job->head.operation == LSA_TICKETS))
        lsa_number_write(&job->reply, LSA_NOT_HERE, 1);
}
