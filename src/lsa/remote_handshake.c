#include "base/memory.h"
#include "core/as_process.h"
#include "core/cause.h"
#include "core/prompt.h"
#include "core/registry.h"
#include "lsa/kept_text.h"
#include "lsa/remote.h"
#include "lsa/remote_credential.h"
#include <string.h>
#include <unistd.h>

/* Handshakes that a daemon walks. */

struct remote_handshake {
    struct remote_credential *credential; /* the context's, which holds it */
    struct credential *prompted;          /* of one that the user was asked for, or NULL */
    pid_t owner; /* who began it: only that process gives it up, not a child that inherited it */
    uint64_t id, life;
    void *local; /* the handshake of credential->local */
    struct kept *texts;
};

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
        out->alert = out->token.len > 0;
        if (reply->status != SEC_E_INCOMPLETE_MESSAGE)
            handshake->id = 0; /* a failed one is gone, there as here */
        return reply->status;
    }
    writer_slice(&out->record, message->field[LSA_RECORD]);
    out->granted = (uint32_t)lsa_number(message, LSA_GRANTED);
    out->expiry = (int64_t)lsa_number(message, LSA_EXPIRY);
    out->wants_list_mic = (lsa_number(message, LSA_LIST_MIC) & 1) != 0;
    out->signs_list = (lsa_number(message, LSA_LIST_MIC) & 2) != 0;
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
        (void)remote_credential_now(own, &credential, &life);
        enum lsa_result result = step_ask(handshake, step, credential, life, &reply);
        if (result == LSA_ANSWERED)
            return step_take(handshake, &reply, step->out);
        if (!first || result != LSA_LOST || attempt > 0 || remote_credential_renew(own, life) != SEC_E_OK)
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
    if (own->packages != NULL) /* whoever answers, which packages may be used the caller has said */
        require((answer.packages = mem_strdup(own->packages)) != NULL, SEC_E_INSUFFICIENT_MEMORY);
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

void remote_abandon(void *opaque)
{
    struct remote_handshake *handshake = opaque;
    if (handshake->local != NULL)
        handshake->credential->package->authority->abandon(handshake->local);
    if (handshake->id != 0 && handshake->owner == getpid()) {
        uint8_t room[LSA_TOLD_MAX];
        struct writer request = lsa_request_small(LSA_ABANDON, room);
        lsa_number_write(&request, LSA_CONTEXT, handshake->id);
        lsa_tell(handshake->credential->daemon, &request, handshake->life);
    }
    credential_put(handshake->prompted);
    kept_free(handshake->texts);
    mem_free(handshake);
}

static bool may_prompt(const struct remote_handshake *handshake, const struct step *step)
{
    return step->initiator && (step->in->flags & ISC_REQ_PROMPT_FOR_CREDS) != 0 && handshake->prompted == NULL &&
           remote_credential_lacks_password(handshake->credential);
}

/* In place of what packages say of the daemon's own tickets and users, of which it has none. */
static SECURITY_STATUS nobody_told(const struct remote_credential *credential)
{
    unsigned user = (unsigned)geteuid();
    cause_drop();
    if (credential->user != NULL)
        return cause_set(
            SEC_E_NO_CREDENTIALS,
            "no password was given for %.128s, and no logon session of user %u with the security authority "
            "is that one's; \"sspi logon\" makes one",
            credential->user, user);
    return cause_set(SEC_E_NO_CREDENTIALS,
                     "no password was given, and user %u has no logon session with the security authority; "
                     "\"sspi logon\" makes one",
                     user);
}

/* A step that the daemon walks; `first` may ask the user. */
static SECURITY_STATUS step_away(struct remote_handshake *handshake, const struct step *step, bool first)
{
    /* a name without a password would go without one */
    if (first && handshake->credential->user != NULL && may_prompt(handshake, step))
        return step_prompt(handshake, step);
    SECURITY_STATUS status = step_remote(handshake, step);
    if (status != SEC_E_NO_CREDENTIALS || !step->initiator || handshake->prompted != NULL ||
        !remote_credential_lacks_password(handshake->credential))
        return status;
    return first && may_prompt(handshake, step) ? step_prompt(handshake, step) : nobody_told(handshake->credential);
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
        handshake->owner = getpid();
    }
    struct credential *local = handshake->id == 0 ? remote_credential_now(credential, &id, &life) : NULL;
    bool is_local = first ? local != NULL : handshake->local != NULL;
    SECURITY_STATUS status = is_local ? step_local(handshake, local, step) : step_away(handshake, step, first);
    bool ended = is_local ? handshake->local == NULL : handshake->id == 0;
    if (ended || (first && status < 0)) {
        remote_abandon(handshake);
        handshake = NULL;
    }
    *opaque = handshake;
    return status;
}

SECURITY_STATUS remote_initiate(void *credential, void **handshake, const struct step_in *in, struct step_out *out)
{
    return remote_step(credential, handshake, &(struct step){true, in, out});
}

SECURITY_STATUS remote_accept(void *credential, void **handshake, const struct step_in *in, struct step_out *out)
{
    return remote_step(credential, handshake, &(struct step){false, in, out});
}

SECURITY_STATUS remote_complete(void *opaque, struct slice_mut token, struct step_out *out)
{
    AS_PROCESS_SCOPE; /* it is the process's handshake, as its steps are, whoever the thread acts as */
    struct remote_handshake *handshake = opaque;
    const struct remote_credential *own = handshake->credential;
    AUTO_REPLY struct lsa_reply reply = {0};
    if (handshake->local != NULL) {
        require(own->package->authority->complete != NULL, SEC_E_UNSUPPORTED_FUNCTION);
        return own->package->authority->complete(handshake->local, token, out);
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
        value->bytes = slice_of(kept_bytes(&handshake->texts, bytes), bytes.len);
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
    value->key_info.signature_name = kept_text(&handshake->texts, text);
    value->key_info.encrypt_name = kept_text(&handshake->texts, second);
    value->key_info.key_bits = number[0];
    value->key_info.signature_algorithm = number[1];
    value->key_info.encrypt_algorithm = number[2];
    return value->key_info.signature_name != NULL && value->key_info.encrypt_name != NULL ? SEC_E_OK
                                                                                          : SEC_E_INSUFFICIENT_MEMORY;
}

SECURITY_STATUS remote_query_handshake(const void *opaque, uint32_t attribute, struct attribute *value)
{
    AS_PROCESS_SCOPE;
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
