#include "lsa/remote.h"

#include "base/memory.h"
#include "base/secret.h"
#include "core/cause.h"
#include "core/prompt.h"
#include "core/registry.h"
#include "lsa/local.h"
#include <sspi_ext.h>
#include <string.h>
#include <unistd.h>

/* Text that was handed out stays until its object goes. */
struct kept {
    struct kept *next;
    size_t len;
    char text[];
};

struct remote_credential {
    struct lsa_daemon *daemon;
    const struct package *package;
    const struct config *config;
    pid_t owner;     /* who acquired it: only that process gives it back, not a child that inherited it */
    char *principal; /* to acquire it anew, with `use` */
    uint32_t use;
    bool renewable;       /* acquired without an identity: whatever a new daemon gives in its place is the same */
    char *user, *domain;  /* of an identity without a password, for a prompt */
    bool lacks_password;  /* nobody's: neither an identity with a proof nor a logon session is behind it */
    pthread_mutex_t lock; /* guards what follows */
    uint64_t id, life;
    struct credential *local; /* once the caller named files of its own; then it answers */
    struct kept *texts;
};

struct remote_handshake {
    struct remote_credential *credential; /* the context's, which holds it */
    struct credential *prompted;          /* of one that the user was asked for, or NULL */
    uint64_t id, life;
    void *local; /* the handshake of credential->local */
    struct kept *texts;
};

static const struct package_authority remote_table;

bool remote_is(const struct credential *credential)
{
    return credential->authority == &remote_table;
}

static const char *bytes_keep(struct kept **texts, struct slice bytes)
{
    for (const struct kept *kept = *texts; kept != NULL; kept = kept->next)
        if (slice_equal(slice_of(kept->text, kept->len), bytes))
            return kept->text;
    struct kept *fresh = mem_zalloc(sizeof *fresh + bytes.len + 1);
    require(fresh != NULL, NULL);
    memcpy(fresh->text, bytes.data, bytes.len);
    fresh->len = bytes.len;
    fresh->next = *texts;
    *texts = fresh;
    return fresh->text;
}

static const char *text_keep(struct kept **texts, const char *text)
{
    return bytes_keep(texts, slice_of_text(text));
}

static void texts_free(struct kept *texts)
{
    while (texts != NULL) {
        struct kept *next = texts->next;
        mem_free(texts);
        texts = next;
    }
}

struct lsa_daemon *remote_daemon(const struct config *config)
{
    struct lsa_daemon *daemon = lsa_daemon_of(config->lsa_socket != NULL ? config->lsa_socket : LSA_SOCKET_DEFAULT);
    if (daemon == NULL)
        (void)cause_set(SEC_E_NO_AUTHENTICATING_AUTHORITY,
                        "\"socket\" in [lsa] is too long a path, or one of too many");
    return daemon;
}

bool remote_can_acquire(const struct package *package, const struct acquire_request *request)
{
    const struct identity *identity = request->identity;
    return package->info.takes_identity && request->auth_data == NULL &&
           (package->info.capabilities & SECPKG_FLAG_STREAM) == 0 && !package->info.process_bound &&
           (identity == NULL || identity->proof_kind == IDENTITY_PASSWORD ||
            identity->proof_kind == IDENTITY_KEYTAB_FILE);
}

void remote_identity_write(struct writer *request, const struct identity *identity)
{
    if (identity == NULL)
        return;
    bool keytab = identity->proof_kind == IDENTITY_KEYTAB_FILE, response = identity->proof_kind == IDENTITY_RESPONSE;
    uint32_t has = (identity->has_password ? LSA_HAS_PASSWORD : 0) | (identity->password_is_hash ? LSA_HAS_HASH : 0) |
                   (keytab ? LSA_HAS_KEYTAB : 0) | (response ? LSA_HAS_RESPONSE : 0);
    lsa_number_write(request, LSA_IDENTITY, has);
    lsa_text_write(request, LSA_USER, identity->user);
    lsa_text_write(request, LSA_DOMAIN, identity->domain);
    lsa_text_write(request, LSA_PACKAGES, identity->packages);
    if (identity->has_password)
        lsa_bytes_write(request, LSA_PASSWORD,
                        identity->password.data != NULL ? secret_slice(&identity->password) : slice_of("", 0));
    if (keytab || response)
        lsa_bytes_write(request, LSA_PROOF, secret_slice(&identity->proof));
}

/* Asks for a credential; *id and *life say which one it is. */
static SECURITY_STATUS acquire_ask(const struct remote_credential *credential, const struct identity *identity,
                                   uint64_t *id, uint64_t *life, int64_t *expiry, bool *not_here)
{
    AUTO_REPLY struct lsa_reply reply = {0};
    AUTO_WRITER struct writer request = lsa_request(LSA_ACQUIRE);
    lsa_text_write(&request, LSA_PACKAGE, credential->package->info.name);
    lsa_number_write(&request, LSA_USE, credential->use);
    lsa_text_write(&request, LSA_PRINCIPAL, credential->principal);
    remote_identity_write(&request, identity);
    enum lsa_result result =
        lsa_ask(credential->daemon, &request, LSA_ACQUIRE, credential->config->lsa_seconds, 0, &reply, life);
    *not_here = result == LSA_UNREACHABLE || (result == LSA_ANSWERED && lsa_number(&reply.message, LSA_NOT_HERE) != 0);
    require(result == LSA_ANSWERED, lsa_result_status(result));
    require(reply.status == SEC_E_OK, reply.status);
    *id = lsa_number(&reply.message, LSA_CREDENTIAL);
    *expiry = (int64_t)lsa_number(&reply.message, LSA_EXPIRY);
    return SEC_E_OK;
}

static void remote_release(void *own)
{
    struct remote_credential *credential = own;
    if (credential->id != 0 && credential->owner == getpid()) {
        AUTO_WRITER struct writer request = lsa_request(LSA_RELEASE);
        lsa_number_write(&request, LSA_CREDENTIAL, credential->id);
        lsa_tell(credential->daemon, &request, credential->life);
    }
    credential_put(credential->local);
    config_release(credential->config);
    pthread_mutex_destroy(&credential->lock);
    mem_free(credential->principal);
    mem_free(credential->user);
    mem_free(credential->domain);
    texts_free(credential->texts);
    mem_free(credential);
}

/* A credential with nothing behind it yet. */
static SECURITY_STATUS credential_make(const struct package *package, const struct acquire_request *request,
                                       struct credential **credential)
{
    struct lsa_daemon *daemon = remote_daemon(request->config);
    require(daemon != NULL, SEC_E_NO_AUTHENTICATING_AUTHORITY);
    struct credential *made = credential_new(package, request->config, request->use);
    struct remote_credential *own = made != NULL ? mem_zalloc(sizeof *own) : NULL;
    if (own == NULL) {
        credential_put(made);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    own->daemon = daemon;
    own->package = package;
    own->config = config_retain(request->config);
    own->use = request->use;
    own->owner = getpid();
    pthread_mutex_init(&own->lock, NULL);
    made->authority = &remote_table;
    made->own = own;
    *credential = made;
    return SEC_E_OK;
}

static bool text_copy(char **to, const char *from)
{
    *to = mem_strdup(from);
    return from == NULL || *to != NULL;
}

SECURITY_STATUS remote_acquire(const struct package *package, const struct acquire_request *request,
                               struct credential **credential, bool *not_here)
{
    const struct identity *identity = request->identity;
    struct credential *acquired = NULL;
    *not_here = false;
    try(credential_make(package, request, &acquired));
    struct remote_credential *own = acquired->own;
    own->renewable = identity == NULL;
    bool copied =
        text_copy(&own->principal, request->principal) &&
        (identity == NULL || (text_copy(&own->user, identity->user) && text_copy(&own->domain, identity->domain)));
    SECURITY_STATUS status = copied ? acquire_ask(own, identity, &own->id, &own->life, &acquired->expiry, not_here)
                                    : SEC_E_INSUFFICIENT_MEMORY;
    if (status != SEC_E_OK) {
        credential_put(acquired);
        return status;
    }
    own->lacks_password = *not_here;
    *credential = acquired;
    return SEC_E_OK;
}

/* Which credential of which of the daemon's lives this is; or the local one that has taken its place. */
static struct credential *credential_now(struct remote_credential *credential, uint64_t *id, uint64_t *life)
{
    pthread_mutex_lock(&credential->lock);
    struct credential *local = credential->local;
    *id = credential->id;
    *life = credential->life;
    pthread_mutex_unlock(&credential->lock);
    return local;
}

/* The daemon was started anew: asks for the same again. */
static SECURITY_STATUS credential_renew(struct remote_credential *credential)
{
    uint64_t id = 0, life = 0;
    int64_t expiry;
    bool not_here;
    cause_drop();
    try(acquire_ask(credential, NULL, &id, &life, &expiry, &not_here));
    pthread_mutex_lock(&credential->lock);
    credential->id = id;
    credential->life = life;
    pthread_mutex_unlock(&credential->lock);
    return SEC_E_OK;
}

/* From here on this process answers: with the same request, and files of its own. */
static SECURITY_STATUS credential_localise(struct remote_credential *credential)
{
    const struct acquire_request request = {
        .config = credential->config, .principal = credential->principal, .use = credential->use};
    struct credential *local = NULL;
    uint64_t id, life;
    if (credential_now(credential, &id, &life) != NULL)
        return SEC_E_OK;
    try(local_authority.acquire(credential->package, &request, &local));
    pthread_mutex_lock(&credential->lock);
    if (credential->local == NULL)
        credential->local = STEAL(local);
    pthread_mutex_unlock(&credential->lock);
    credential_put(local);
    return SEC_E_OK;
}

struct step {
    bool initiator;
    const struct step_in *in;
    struct step_out *out;
};

static void params_write(struct writer *request, const struct step_in *in)
{
    AUTO_WRITER struct writer params = writer_growing(256);
    if (in->n_params == 0)
        return;
    for (unsigned i = 0; i < in->n_params; i++) {
        writer_u32le(&params, (uint32_t)in->params[i].len);
        writer_slice(&params, in->params[i]);
    }
    if (writer_finish(&params) == WIRE_OK)
        lsa_bytes_write(request, LSA_PARAMS, writer_slice_of(&params));
    else
        request->failed = true;
}

static enum lsa_result step_ask(struct remote_handshake *handshake, const struct step *step, uint64_t credential,
                                uint64_t life, struct lsa_reply *reply)
{
    AUTO_WRITER struct writer request = lsa_request(LSA_STEP);
    const struct remote_credential *own = handshake->credential;
    lsa_number_write(&request, LSA_CREDENTIAL, credential);
    lsa_number_write(&request, LSA_CONTEXT, handshake->id);
    lsa_number_write(&request, LSA_USE, step->initiator ? SECPKG_CRED_OUTBOUND : SECPKG_CRED_INBOUND);
    lsa_number_write(&request, LSA_FLAGS, step->in->flags);
    lsa_text_write(&request, LSA_TARGET, step->in->target);
    lsa_bytes_write(&request, LSA_TOKEN, step->in->token);
    lsa_bytes_write(&request, LSA_BINDINGS, step->in->bindings);
    params_write(&request, step->in);
    lsa_bytes_write(&request, LSA_TARGET_HOST, step->in->target_host);
    if (step->in->receive_size != 0)
        lsa_number_write(&request, LSA_RECEIVE_SIZE, step->in->receive_size);
    return lsa_ask(own->daemon, &request, LSA_STEP, own->config->lsa_seconds,
                   handshake->id != 0 ? handshake->life : life, reply, &handshake->life);
}

static SECURITY_STATUS step_take(struct remote_handshake *handshake, const struct lsa_reply *reply,
                                 struct step_out *out)
{
    const struct lsa_message *message = &reply->message;
    writer_slice(&out->token, message->field[LSA_TOKEN]);
    if (reply->status < 0) {
        if (reply->status != SEC_E_INCOMPLETE_MESSAGE)
            handshake->id = 0; /* a failed one is gone, there as here */
        return reply->status;
    }
    writer_slice(&out->record, message->field[LSA_RECORD]);
    out->granted = (uint32_t)lsa_number(message, LSA_GRANTED);
    out->expiry = (int64_t)lsa_number(message, LSA_EXPIRY);
    out->wants_list_mic = lsa_number(message, LSA_LIST_MIC) != 0;
    handshake->id = lsa_number(message, LSA_CONTEXT);
    return reply->status;
}

static SECURITY_STATUS step_remote(struct remote_handshake *handshake, const struct step *step)
{
    struct remote_credential *own = handshake->prompted != NULL ? handshake->prompted->own : handshake->credential;
    bool first = handshake->id == 0;
    for (int attempt = 0;; attempt++) {
        AUTO_REPLY struct lsa_reply reply = {0};
        uint64_t credential, life;
        (void)credential_now(own, &credential, &life);
        enum lsa_result result = step_ask(handshake, step, credential, life, &reply);
        if (result == LSA_ANSWERED)
            return step_take(handshake, &reply, step->out);
        if (!first || result != LSA_LOST || !own->renewable || attempt > 0 || credential_renew(own) != SEC_E_OK)
            return lsa_result_status(result);
    }
}

/* The user is at this process, not at the daemon: a first step without credentials that may ask goes again with what the user said. */
static SECURITY_STATUS step_prompt(struct remote_handshake *handshake, const struct step *step)
{
    const struct remote_credential *own = handshake->credential;
    AUTO_IDENTITY struct identity answer = {0};
    bool not_here;
    cause_drop();
    try(prompt_identity(own->config->askpass, step->in->target, own->user, own->domain, &answer));
    const struct acquire_request request = {.config = own->config, .use = own->use, .identity = &answer};
    try(remote_acquire(own->package, &request, &handshake->prompted, &not_here));
    return step_remote(handshake, step);
}

static SECURITY_STATUS step_local(struct remote_handshake *handshake, struct credential *local, const struct step *step)
{
    require(local != NULL, SEC_E_INTERNAL_ERROR); /* a handshake that is local has it */
    const struct package_authority *table = local->authority;
    return step->initiator ? table->initiate(local->own, &handshake->local, step->in, step->out)
                           : table->accept(local->own, &handshake->local, step->in, step->out);
}

static void remote_abandon(void *opaque)
{
    struct remote_handshake *handshake = opaque;
    if (handshake->local != NULL)
        handshake->credential->package->authority->abandon(handshake->local);
    if (handshake->id != 0) {
        AUTO_WRITER struct writer request = lsa_request(LSA_ABANDON);
        lsa_number_write(&request, LSA_CONTEXT, handshake->id);
        lsa_tell(handshake->credential->daemon, &request, handshake->life);
    }
    credential_put(handshake->prompted);
    texts_free(handshake->texts);
    mem_free(handshake);
}

static bool may_prompt(const struct remote_handshake *handshake, const struct step *step)
{
    return step->initiator && (step->in->flags & ISC_REQ_PROMPT_FOR_CREDS) != 0 && handshake->prompted == NULL &&
           handshake->credential->lacks_password;
}

static SECURITY_STATUS remote_step(void *credential, void **opaque, const struct step *step)
{
    struct remote_handshake *handshake = *opaque;
    bool first = handshake == NULL;
    uint64_t id, life;
    if (first) {
        handshake = mem_zalloc(sizeof *handshake);
        require(handshake != NULL, SEC_E_INSUFFICIENT_MEMORY);
        handshake->credential = credential;
    }
    struct credential *local = handshake->id == 0 ? credential_now(credential, &id, &life) : NULL;
    bool is_local = first ? local != NULL : handshake->local != NULL;
    bool asks = first && !is_local && may_prompt(handshake, step);
    bool named = asks && handshake->credential->user != NULL; /* a name without a password would go without one */
    SECURITY_STATUS status = is_local ? step_local(handshake, local, step)
                             : named  ? step_prompt(handshake, step)
                                      : step_remote(handshake, step);
    if (asks && !named && status == SEC_E_NO_CREDENTIALS)
        status = step_prompt(handshake, step);
    bool ended = is_local ? handshake->local == NULL : handshake->id == 0;
    if (ended || (first && status < 0)) {
        remote_abandon(handshake);
        handshake = NULL;
    }
    *opaque = handshake;
    return status;
}

static SECURITY_STATUS remote_initiate(void *credential, void **handshake, const struct step_in *in,
                                       struct step_out *out)
{
    return remote_step(credential, handshake, &(struct step){true, in, out});
}

static SECURITY_STATUS remote_accept(void *credential, void **handshake, const struct step_in *in, struct step_out *out)
{
    return remote_step(credential, handshake, &(struct step){false, in, out});
}

static SECURITY_STATUS remote_complete(void *opaque, struct slice_mut token)
{
    struct remote_handshake *handshake = opaque;
    const struct remote_credential *own = handshake->credential;
    AUTO_REPLY struct lsa_reply reply = {0};
    if (handshake->local != NULL) {
        require(own->package->authority->complete != NULL, SEC_E_UNSUPPORTED_FUNCTION);
        return own->package->authority->complete(handshake->local, token);
    }
    AUTO_WRITER struct writer request = lsa_request(LSA_COMPLETE);
    lsa_number_write(&request, LSA_CONTEXT, handshake->id);
    lsa_bytes_write(&request, LSA_TOKEN, slice_of(token.data != NULL ? token.data : (const uint8_t *)"", token.len));
    enum lsa_result result =
        lsa_ask(own->daemon, &request, LSA_COMPLETE, own->config->lsa_seconds, handshake->life, &reply, NULL);
    require(result == LSA_ANSWERED, lsa_result_status(result));
    require(reply.status >= 0, reply.status);
    struct slice completed = reply.message.field[LSA_TOKEN];
    require(completed.len == token.len, SEC_E_INTERNAL_ERROR);
    if (token.data != NULL && completed.data != NULL)
        memcpy(token.data, completed.data, token.len);
    return reply.status;
}

static SECURITY_STATUS remote_query_credential(const void *opaque, uint32_t attribute, struct attribute *value)
{
    struct remote_credential *own = (struct remote_credential *)(uintptr_t)opaque; /* it locks itself */
    for (int attempt = 0;; attempt++) {
        AUTO_REPLY struct lsa_reply reply = {0};
        AUTO_WRITER struct writer request = lsa_request(LSA_QUERY_CREDENTIAL);
        uint64_t id, life;
        const struct credential *local = credential_now(own, &id, &life);
        if (local != NULL)
            return local_authority.query_credential(local, attribute, value);
        lsa_number_write(&request, LSA_CREDENTIAL, id);
        lsa_number_write(&request, LSA_ATTRIBUTE, attribute);
        enum lsa_result result =
            lsa_ask(own->daemon, &request, LSA_QUERY_CREDENTIAL, own->config->lsa_seconds, life, &reply, NULL);
        if (result == LSA_LOST && own->renewable && attempt == 0 && credential_renew(own) == SEC_E_OK)
            continue;
        require(result == LSA_ANSWERED, lsa_result_status(result));
        require(reply.status == SEC_E_OK, reply.status);
        pthread_mutex_lock(&own->lock);
        value->names.text = text_keep(&own->texts, lsa_text(&reply.message, LSA_TEXT));
        pthread_mutex_unlock(&own->lock);
        return value->names.text != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
    }
}

/* What names a file is for the process that may open it. */
static bool names_a_file(uint32_t attribute)
{
    return attribute >= OPENSSPI_CRED_ATTR_CCACHE && attribute <= OPENSSPI_CRED_ATTR_PIN;
}

static SECURITY_STATUS remote_set_credential(void *opaque, uint32_t attribute, const void *value, size_t len)
{
    struct remote_credential *own = opaque;
    AUTO_REPLY struct lsa_reply reply = {0};
    uint64_t id, life;
    struct credential *local = credential_now(own, &id, &life);
    if (local == NULL && names_a_file(attribute) && own->renewable && own->package->authority->set_credential != NULL) {
        try(credential_localise(own));
        local = credential_now(own, &id, &life);
    }
    if (local != NULL)
        return local_authority.set_credential(local, attribute, value, len);
    require(!names_a_file(attribute),
            cause_set(SEC_E_UNSUPPORTED_FUNCTION,
                      "the security authority holds this credential and opens no files for its callers"));
    AUTO_WRITER struct writer request = lsa_request(LSA_SET_CREDENTIAL);
    lsa_number_write(&request, LSA_CREDENTIAL, id);
    lsa_number_write(&request, LSA_ATTRIBUTE, attribute);
    lsa_bytes_write(&request, LSA_VALUE, slice_of(value, len));
    enum lsa_result result =
        lsa_ask(own->daemon, &request, LSA_SET_CREDENTIAL, own->config->lsa_seconds, life, &reply, NULL);
    require(result == LSA_ANSWERED, lsa_result_status(result));
    if (reply.status == SEC_E_OK)
        own->renewable = false; /* a new daemon would give one without it */
    return reply.status;
}

static SECURITY_STATUS attribute_take(struct remote_handshake *handshake, uint32_t attribute,
                                      const struct lsa_message *message, struct attribute *value)
{
    const char *package = lsa_text(message, LSA_PACKAGE), *text = lsa_text(message, LSA_TEXT),
               *second = lsa_text(message, LSA_SECOND_TEXT);
    struct reader reader = reader_of(message->field[LSA_VALUE]);
    uint32_t number[4];
    for (size_t i = 0; i < COUNT_OF(number); i++)
        require(reader_u32le(&reader, &number[i]) == WIRE_OK, SEC_E_INTERNAL_ERROR);
    if (package != NULL) {
        value->choice.package = registry_find(package);
        value->choice.state = number[0];
        return value->choice.package != NULL ? SEC_E_OK : SEC_E_SECPKG_NOT_FOUND;
    }
    if (lsa_has(message, LSA_TOKEN)) {
        struct slice bytes = message->field[LSA_TOKEN];
        value->bytes = slice_of(bytes_keep(&handshake->texts, bytes), bytes.len);
        return value->bytes.data != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
    }
    if (attribute == SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS) {
        value->number = number[0];
        return SEC_E_OK;
    }
    if (text == NULL || second == NULL) {
        value->sizes.max_token = number[0];
        value->sizes.max_signature = number[1];
        value->sizes.block = number[2];
        value->sizes.trailer = number[3];
        return SEC_E_OK;
    }
    value->key_info.signature_name = text_keep(&handshake->texts, text);
    value->key_info.encrypt_name = text_keep(&handshake->texts, second);
    value->key_info.key_bits = number[0];
    value->key_info.signature_algorithm = number[1];
    value->key_info.encrypt_algorithm = number[2];
    return value->key_info.signature_name != NULL && value->key_info.encrypt_name != NULL ? SEC_E_OK
                                                                                          : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS remote_query_handshake(const void *opaque, uint32_t attribute, struct attribute *value)
{
    struct remote_handshake *handshake = (struct remote_handshake *)(uintptr_t)opaque; /* under the handshake lock */
    const struct remote_credential *own = handshake->credential;
    AUTO_REPLY struct lsa_reply reply = {0};
    if (handshake->local != NULL) {
        require(own->package->authority->query_handshake != NULL, SEC_E_UNSUPPORTED_FUNCTION);
        return own->package->authority->query_handshake(handshake->local, attribute, value);
    }
    AUTO_WRITER struct writer request = lsa_request(LSA_QUERY_CONTEXT);
    lsa_number_write(&request, LSA_CONTEXT, handshake->id);
    lsa_number_write(&request, LSA_ATTRIBUTE, attribute);
    enum lsa_result result =
        lsa_ask(own->daemon, &request, LSA_QUERY_CONTEXT, own->config->lsa_seconds, handshake->life, &reply, NULL);
    require(result == LSA_ANSWERED, lsa_result_status(result));
    return reply.status == SEC_E_OK ? attribute_take(handshake, attribute, &reply.message, value) : reply.status;
}

SECURITY_STATUS remote_change_password(const struct package *package, const struct password_change *change,
                                       bool *not_here)
{
    AUTO_REPLY struct lsa_reply reply = {0};
    struct lsa_daemon *daemon = remote_daemon(change->config);
    *not_here = false;
    require(daemon != NULL, SEC_E_NO_AUTHENTICATING_AUTHORITY);
    AUTO_WRITER struct writer request = lsa_request(LSA_CHANGE_PASSWORD);
    lsa_text_write(&request, LSA_PACKAGE, package->info.name);
    lsa_text_write(&request, LSA_USER, change->user);
    lsa_text_write(&request, LSA_DOMAIN, change->domain);
    lsa_bytes_write(&request, LSA_PASSWORD, change->old_password);
    lsa_bytes_write(&request, LSA_NEW_PASSWORD, change->new_password);
    enum lsa_result result =
        lsa_ask(daemon, &request, LSA_CHANGE_PASSWORD, change->config->lsa_seconds, 0, &reply, NULL);
    *not_here = result == LSA_UNREACHABLE;
    return result == LSA_ANSWERED ? reply.status : lsa_result_status(result);
}

/* A credential that another request than LSA_ACQUIRE gives. */
static SECURITY_STATUS behalf_ask(struct writer *request, enum lsa_operation operation, uint64_t life,
                                  struct credential **credential)
{
    AUTO_REPLY struct lsa_reply reply = {0};
    struct remote_credential *own = (*credential)->own;
    enum lsa_result result =
        lsa_ask(own->daemon, request, operation, own->config->lsa_seconds, life, &reply, &own->life);
    SECURITY_STATUS status = result == LSA_ANSWERED ? reply.status : lsa_result_status(result);
    if (status != SEC_E_OK) {
        credential_put(STEAL(*credential));
        return status;
    }
    own->id = lsa_number(&reply.message, LSA_CREDENTIAL);
    (*credential)->expiry = (int64_t)lsa_number(&reply.message, LSA_EXPIRY);
    return SEC_E_OK;
}

SECURITY_STATUS remote_acquire_delegated(const struct package *package, const struct acquire_request *request,
                                         struct slice delegated, struct credential *service,
                                         struct credential **credential)
{
    struct credential *acquired = NULL;
    uint64_t id = 0, life = 0;
    struct credential *local =
        service != NULL && remote_is(service) ? credential_now(service->own, &id, &life) : service;
    if (local != NULL)
        return local_authority.acquire_delegated(package, request, delegated, local, credential);
    try(credential_make(package, request, &acquired));
    AUTO_WRITER struct writer asked = lsa_request(LSA_ACQUIRE_DELEGATED);
    lsa_text_write(&asked, LSA_PACKAGE, package->info.name);
    lsa_bytes_write(&asked, LSA_DELEGATED, delegated);
    if (service != NULL)
        lsa_number_write(&asked, LSA_CREDENTIAL, id);
    try(behalf_ask(&asked, LSA_ACQUIRE_DELEGATED, life, &acquired));
    *credential = acquired;
    return SEC_E_OK;
}

SECURITY_STATUS remote_acquire_s4u(const struct acquire_request *request, const char *user, struct credential *service,
                                   struct credential **credential)
{
    struct credential *acquired = NULL;
    uint64_t id, life;
    struct credential *local = credential_now(service->own, &id, &life);
    if (local != NULL)
        return local_authority.acquire_s4u(request, user, local, credential);
    try(credential_make(service->package, request, &acquired));
    AUTO_WRITER struct writer asked = lsa_request(LSA_ACQUIRE_S4U);
    lsa_number_write(&asked, LSA_CREDENTIAL, id);
    lsa_text_write(&asked, LSA_USER, user);
    try(behalf_ask(&asked, LSA_ACQUIRE_S4U, life, &acquired));
    *credential = acquired;
    return SEC_E_OK;
}

SECURITY_STATUS remote_wrap(const struct package *package, const struct acquire_request *request,
                            struct credential *chosen, struct credential **credential)
{
    struct credential *acquired = NULL;
    uint64_t id, life;
    struct credential *local = credential_now(chosen->own, &id, &life);
    if (local != NULL)
        return local_authority.wrap(package, request, local, credential);
    try(credential_make(package, request, &acquired));
    AUTO_WRITER struct writer asked = lsa_request(LSA_WRAP);
    lsa_text_write(&asked, LSA_PACKAGE, package->info.name);
    lsa_number_write(&asked, LSA_USE, request->use);
    lsa_number_write(&asked, LSA_CREDENTIAL, id);
    lsa_text_write(&asked, LSA_PACKAGES, request->identity != NULL ? request->identity->packages : NULL);
    try(behalf_ask(&asked, LSA_WRAP, life, &acquired));
    *credential = acquired;
    return SEC_E_OK;
}

static const struct package_authority remote_table = {
    .release = remote_release,
    .initiate = remote_initiate,
    .accept = remote_accept,
    .abandon = remote_abandon,
    .query_credential = remote_query_credential,
    .set_credential = remote_set_credential,
    .query_handshake = remote_query_handshake,
    .complete = remote_complete,
};
