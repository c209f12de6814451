#include "lsa/remote.h"

#include "base/memory.h"
#include "base/secret.h"
#include "core/cause.h"
#include "lsa/kept_text.h"
#include "lsa/local.h"
#include "lsa/remote_credential.h"
#include <sspi_ext.h>
#include <string.h>
#include <unistd.h>

static const struct package_authority remote_table;

bool remote_is(const struct credential *credential)
{
    return credential->authority == &remote_table;
}

struct lsa_daemon *remote_daemon(const struct config *config)
{
    struct lsa_daemon *daemon = lsa_daemon_of(config->lsa_socket != NULL ? config->lsa_socket : LSA_SOCKET_DEFAULT);
    if (daemon == NULL)
        (void)cause_set(SEC_E_NO_AUTHENTICATING_AUTHORITY,
                        "\"socket\" in [lsa] is too long a path, or one of too many");
    return daemon;
}

static SECURITY_STATUS ask_under(const struct config *config, struct writer *request, enum lsa_operation operation,
                                 enum lsa_field field, struct writer *answer)
{
    AUTO_REPLY struct lsa_reply reply = {0};
    struct lsa_daemon *daemon = remote_daemon(config);
    require(daemon != NULL, SEC_E_NO_AUTHENTICATING_AUTHORITY);
    enum lsa_result result = lsa_ask(daemon, request, operation, config->lsa_seconds, 0, &reply, NULL);
    require(result == LSA_ANSWERED, lsa_result_status(result));
    require(reply.status == SEC_E_OK, reply.status);
    writer_slice(answer, reply.message.field[field]);
    return writer_finish(answer) == WIRE_OK ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

SECURITY_STATUS remote_ask(struct writer *request, enum lsa_operation operation, enum lsa_field field,
                           struct writer *answer)
{
    const struct config *config;
    try(config_get(&config));
    SECURITY_STATUS status = ask_under(config, request, operation, field, answer);
    config_release(config);
    return status;
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

static void release_tell(struct lsa_daemon *daemon, uint64_t id, uint64_t life)
{
    uint8_t room[LSA_TOLD_MAX];
    struct writer request = lsa_request_small(LSA_RELEASE, room);
    lsa_number_write(&request, LSA_CREDENTIAL, id);
    lsa_tell(daemon, &request, life);
}

static void remote_release(void *own)
{
    struct remote_credential *credential = own;
    if (credential->id != 0 && credential->owner == getpid())
        release_tell(credential->daemon, credential->id, credential->life);
    credential_put(credential->local);
    config_release(credential->config);
    pthread_mutex_destroy(&credential->lock);
    mem_free(credential->principal);
    mem_free(credential->user);
    mem_free(credential->domain);
    mem_free(credential->packages);
    kept_free(credential->texts);
    mem_free(credential);
}

SECURITY_STATUS remote_credential_make(const struct package *package, const struct acquire_request *request,
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

SECURITY_STATUS remote_acquire(const struct package *package, const struct acquire_request *request,
                               struct credential **credential, bool *not_here)
{
    const struct identity *identity = request->identity;
    struct credential *acquired = NULL;
    *not_here = false;
    try(remote_credential_make(package, request, &acquired));
    struct remote_credential *own = acquired->own;
    own->renewable = identity_kind(identity) == IDENTITY_DEFAULT;
    bool copied = mem_text_copy(&own->principal, request->principal) &&
                  mem_text_copy(&own->user, identity_has_name(identity) ? identity->user : NULL) &&
                  (identity == NULL || (mem_text_copy(&own->domain, identity->domain) &&
                                        mem_text_copy(&own->packages, identity->packages)));
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

struct credential *remote_credential_now(struct remote_credential *credential, uint64_t *id, uint64_t *life)
{
    pthread_mutex_lock(&credential->lock);
    struct credential *local = credential->local;
    *id = credential->id;
    *life = credential->life;
    pthread_mutex_unlock(&credential->lock);
    return local;
}

bool remote_credential_lacks_password(struct remote_credential *credential)
{
    pthread_mutex_lock(&credential->lock);
    bool lacks = credential->lacks_password;
    pthread_mutex_unlock(&credential->lock);
    return lacks;
}

/* What it was acquired with, of one that is renewable; false: nothing. */
static bool defaults_of(const struct remote_credential *credential, struct identity *identity)
{
    *identity = (struct identity){.domain = credential->domain, .packages = credential->packages};
    return credential->domain != NULL || credential->packages != NULL;
}

SECURITY_STATUS remote_credential_renew(struct remote_credential *credential, uint64_t lost)
{
    struct identity lent;
    uint64_t id = 0, life = 0, now, its_life;
    int64_t expiry;
    bool not_here;
    (void)remote_credential_now(credential, &now, &its_life);
    require(its_life != lost || credential->renewable, SEC_E_INVALID_HANDLE); /* whose cause the loss has left */
    cause_drop();
    if (its_life != lost) /* somebody was quicker */
        return SEC_E_OK;
    const struct identity *identity = defaults_of(credential, &lent) ? &lent : NULL;
    try(acquire_ask(credential, identity, &id, &life, &expiry, &not_here));
    /* Somebody else may have renewed it meanwhile, and set something in it: that one stays. */
    pthread_mutex_lock(&credential->lock);
    bool first = credential->life == lost;
    if (first) {
        credential->id = id;
        credential->life = life;
        credential->lacks_password = not_here;
    }
    pthread_mutex_unlock(&credential->lock);
    if (!first)
        release_tell(credential->daemon, id, life);
    return SEC_E_OK;
}

/* After a setting: it is to last as long as the credential that it was made in. False: another one is in its place by now. */
static bool setting_stays(struct remote_credential *credential, uint64_t id, uint64_t life)
{
    pthread_mutex_lock(&credential->lock);
    bool stays = credential->id == id && credential->life == life;
    if (stays)
        credential->renewable = false; /* a new daemon would give one without it */
    pthread_mutex_unlock(&credential->lock);
    return stays;
}

/* From here on this process answers: with the same request, and files of its own. */
static SECURITY_STATUS credential_localise(struct remote_credential *credential)
{
    struct identity lent;
    const struct acquire_request request = {.config = credential->config,
                                            .principal = credential->principal,
                                            .use = credential->use,
                                            .identity = defaults_of(credential, &lent) ? &lent : NULL};
    struct credential *local = NULL;
    uint64_t id, life;
    if (remote_credential_now(credential, &id, &life) != NULL)
        return SEC_E_OK;
    try(local_authority.acquire(credential->package, &request, &local));
    pthread_mutex_lock(&credential->lock);
    if (credential->local == NULL)
        credential->local = STEAL(local);
    pthread_mutex_unlock(&credential->lock);
    credential_put(local);
    return SEC_E_OK;
}

static SECURITY_STATUS remote_query_credential(const void *opaque, uint32_t attribute, struct attribute *value)
{
    struct remote_credential *own = (struct remote_credential *)(uintptr_t)opaque; /* it locks itself */
    for (int attempt = 0;; attempt++) {
        AUTO_REPLY struct lsa_reply reply = {0};
        AUTO_WRITER struct writer request = lsa_request(LSA_QUERY_CREDENTIAL);
        uint64_t id, life;
        const struct credential *local = remote_credential_now(own, &id, &life);
        if (local != NULL)
            return local_authority.query_credential(local, attribute, value);
        lsa_number_write(&request, LSA_CREDENTIAL, id);
        lsa_number_write(&request, LSA_ATTRIBUTE, attribute);
        enum lsa_result result =
            lsa_ask(own->daemon, &request, LSA_QUERY_CREDENTIAL, own->config->lsa_seconds, life, &reply, NULL);
        if (result == LSA_LOST && attempt == 0 && remote_credential_renew(own, life) == SEC_E_OK)
            continue;
        require(result == LSA_ANSWERED, lsa_result_status(result));
        require(reply.status == SEC_E_OK, reply.status);
        pthread_mutex_lock(&own->lock);
        value->names.text = kept_text(&own->texts, lsa_text(&reply.message, LSA_TEXT));
        pthread_mutex_unlock(&own->lock);
        return value->names.text != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
    }
}

/* What names a file is for the process that may open it. */
static bool names_a_file(uint32_t attribute)
{
    return attribute >= OPENSSPI_CRED_ATTR_CCACHE && attribute <= OPENSSPI_CRED_ATTR_PIN;
}

/* As remote_query_credential; a setting that the former daemon had cannot be lost so: with it a credential is not renewable. */
static SECURITY_STATUS set_ask(struct remote_credential *own, uint32_t attribute, const void *value, size_t len)
{
    for (int attempt = 0;; attempt++) {
        AUTO_REPLY struct lsa_reply reply = {0};
        AUTO_WRITER struct writer request = lsa_request(LSA_SET_CREDENTIAL);
        uint64_t id, life;
        (void)remote_credential_now(own, &id, &life);
        lsa_number_write(&request, LSA_CREDENTIAL, id);
        lsa_number_write(&request, LSA_ATTRIBUTE, attribute);
        lsa_bytes_write(&request, LSA_VALUE, slice_of(value, len));
        enum lsa_result result =
            lsa_ask(own->daemon, &request, LSA_SET_CREDENTIAL, own->config->lsa_seconds, life, &reply, NULL);
        if (result == LSA_LOST && attempt == 0 && remote_credential_renew(own, life) == SEC_E_OK)
            continue;
        require(result == LSA_ANSWERED, lsa_result_status(result));
        require(reply.status == SEC_E_OK, reply.status);
        if (setting_stays(own, id, life))
            return SEC_E_OK;
        require(attempt == 0, lsa_result_status(LSA_LOST));
    }
}

static SECURITY_STATUS remote_set_credential(void *opaque, uint32_t attribute, const void *value, size_t len)
{
    struct remote_credential *own = opaque;
    uint64_t id, life;
    struct credential *local = remote_credential_now(own, &id, &life);
    if (local == NULL && names_a_file(attribute) && own->renewable && own->package->authority->set_credential != NULL) {
        try(credential_localise(own));
        local = remote_credential_now(own, &id, &life);
    }
    if (local != NULL)
        return local_authority.set_credential(local, attribute, value, len);
    require(!names_a_file(attribute),
            cause_set(SEC_E_UNSUPPORTED_FUNCTION,
                      "the security authority holds this credential and opens no files for its callers"));
    return set_ask(own, attribute, value, len);
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
