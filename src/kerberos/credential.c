#include "kerberos/credential.h"

#include "base/memory.h"
#include "base/time.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "kerberos/keys.h"
#include <stdio.h>
#include <string.h>

char *kerberos_client_name(const struct identity *identity)
{
    const char *user = identity->user, *domain = identity->domain;
    if (domain == NULL || *domain == '\0' || strchr(user, '@') != NULL)
        return mem_strdup(user);
    AUTO_FREE char *realm = text_upper(domain);
    size_t len = strlen(user) + 1 + (realm != NULL ? strlen(realm) : 0) + 1;
    char *name = realm != NULL ? mem_zalloc(len) : NULL;
    if (name != NULL)
        snprintf(name, len, "%s@%s", user, realm);
    return name;
}

static SECURITY_STATUS password_fill(struct kerberos_source *source, const struct identity *identity)
{
    AUTO_FREE char *text = NULL;
    require(!identity->password_is_hash,
            cause_set(SEC_E_UNKNOWN_CREDENTIALS, "Kerberos needs the password, not its NT hash"));
    require(
        utf16le_to_text(secret_slice(&identity->password), &text) == WIRE_OK,
        cause_set(SEC_E_UNKNOWN_CREDENTIALS, "the password is not valid UTF-16, and Kerberos keys are made of text"));
    bool set = secret_set(&source->password, text, strlen(text) + 1);
    secret_wipe(text, strlen(text));
    return set ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* A server that asks KDCs itself (user-to-user, S4U) is who its keytab says; one that is a client as well is first whoever the cache says. */
static SECURITY_STATUS server_source_fill(struct kerberos_source *source, const struct acquire_request *request)
{
    const char *keytab = request->config->kerberos_keytab;
    source->logon = LOGON_KEYTAB;
    source->cache_first = (request->use & SECPKG_CRED_OUTBOUND) != 0;
    if (keytab != NULL)
        require((source->keytab = mem_strdup(keytab)) != NULL, SEC_E_INSUFFICIENT_MEMORY);
    return SEC_E_OK;
}

static SECURITY_STATUS source_fill(struct kerberos_source *source, const struct acquire_request *request)
{
    const struct identity *identity = request->identity;
    bool named = identity != NULL && identity->user != NULL;
    source->forwardable = request->config->kerberos_delegate != DELEGATE_NEVER;
    if (named && *identity->user != '\0')
        require((source->client = kerberos_client_name(identity)) != NULL, SEC_E_INSUFFICIENT_MEMORY);
    if (named && identity->has_password) {
        source->logon = LOGON_PASSWORD;
        return password_fill(source, identity);
    }
    /* A principal without a password chooses among the default caches; a server's among the keys of its keytab. */
    if (!named && request->principal != NULL && *request->principal != '\0')
        require((source->client = mem_strdup(request->principal)) != NULL, SEC_E_INSUFFICIENT_MEMORY);
    return (request->use & SECPKG_CRED_INBOUND) != 0 ? server_source_fill(source, request) : SEC_E_OK;
}

static SECURITY_STATUS inbound_fill(struct kerberos_credential *credential, const struct acquire_request *request)
{
    const char *keytab = request->config->kerberos_keytab;
    if (keytab != NULL)
        require((credential->keytab = mem_strdup(keytab)) != NULL, SEC_E_INSUFFICIENT_MEMORY);
    if (request->principal != NULL && *request->principal != '\0' && request->use == SECPKG_CRED_INBOUND)
        require((credential->server = mem_strdup(request->principal)) != NULL, SEC_E_INSUFFICIENT_MEMORY);
    return SEC_E_OK;
}

/* The name to show: the client's as given, or that of the cache if it is there. */
static SECURITY_STATUS full_name_fill(struct kerberos_credential *credential)
{
    krb5_context krb;
    krb5_ccache cache = NULL;
    krb5_principal principal = NULL;
    char *name = NULL;
    const struct kerberos_source *source = credential->source;
    if (source->client != NULL || (credential->use & SECPKG_CRED_OUTBOUND) == 0) {
        credential->full_name = mem_strdup(source->client != NULL ? source->client : credential->server);
        if (credential->full_name == NULL)
            credential->full_name = mem_strdup("");
        return credential->full_name != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
    }
    try(krb_pool_take(&credential->pool, &krb));
    if (kerberos_source_cache(source, krb, &cache) == 0 && krb5_cc_get_principal(krb, cache, &principal) == 0)
        (void)krb5_unparse_name(krb, principal, &name);
    credential->full_name = mem_strdup(name != NULL ? name : "");
    krb5_free_unparsed_name(krb, name);
    krb5_free_principal(krb, principal);
    if (cache != NULL)
        krb5_cc_close(krb, cache);
    krb_pool_give(&credential->pool, krb);
    return credential->full_name != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

struct kerberos_credential *kerberos_credential_new(const struct acquire_request *request,
                                                    struct kerberos_source *source)
{
    struct kerberos_credential *credential = source != NULL ? secret_block_alloc(sizeof *credential) : NULL;
    if (credential == NULL) {
        kerberos_source_put(source);
        return NULL;
    }
    credential->config = config_retain(request->config);
    credential->use = request->use;
    credential->source = source;
    krb_pool_init(&credential->pool);
    pthread_mutex_init(&credential->lock, NULL);
    return credential;
}

SECURITY_STATUS kerberos_acquire(const struct acquire_request *request, void **credential, int64_t *expiry)
{
    struct kerberos_credential *acquired = kerberos_credential_new(request, kerberos_source_new());
    require(acquired != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS status = source_fill(acquired->source, request);
    if (status == SEC_E_OK && (request->use & SECPKG_CRED_INBOUND) != 0)
        status = inbound_fill(acquired, request);
    if (status == SEC_E_OK)
        status = full_name_fill(acquired);
    if (status != SEC_E_OK) {
        kerberos_release(acquired);
        return status;
    }
    *credential = acquired;
    *expiry = FILETIME_NEVER;
    return SEC_E_OK;
}

void kerberos_tickets_drop(struct kerberos_credential *credential, krb5_context krb)
{
    while (credential->tickets != NULL) {
        struct kerberos_ticket *ticket = credential->tickets;
        credential->tickets = ticket->next;
        krb5_free_creds(krb, ticket->creds);
        mem_free(ticket->target);
        mem_free(ticket);
    }
    credential->n_tickets = 0;
}

void kerberos_release(void *credential)
{
    struct kerberos_credential *released = credential;
    krb5_context krb;
    if ((released->tickets != NULL || released->tgt != NULL || released->evidence != NULL) &&
        krb_pool_take(&released->pool, &krb) == SEC_E_OK) {
        kerberos_tickets_drop(released, krb);
        krb5_free_creds(krb, released->tgt);
        krb5_free_creds(krb, released->evidence);
        krb_pool_give(&released->pool, krb);
    }
    krb_pool_release(&released->pool);
    pthread_mutex_destroy(&released->lock);
    kerberos_source_put(released->source);
    mem_free(released->full_name);
    mem_free(released->keytab);
    mem_free(released->server);
    mem_free(released->keys_name);
    kerberos_keys_put(released->keys);
    config_release(released->config);
    secret_block_free(released, sizeof *released);
}

struct kerberos_source *kerberos_credential_source(struct kerberos_credential *credential)
{
    pthread_mutex_lock(&credential->lock);
    struct kerberos_source *source = kerberos_source_retain(credential->source);
    pthread_mutex_unlock(&credential->lock);
    return source;
}

int64_t kerberos_password_expiry(struct kerberos_credential *credential)
{
    pthread_mutex_lock(&credential->lock);
    int64_t expiry = credential->password_expiry;
    pthread_mutex_unlock(&credential->lock);
    return expiry;
}

SECURITY_STATUS kerberos_query_credential(const void *credential, uint32_t attribute, struct attribute *value)
{
    require(attribute == SECPKG_CRED_ATTR_NAMES,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "Kerberos credentials have no attribute %u", (unsigned)attribute));
    value->names.text = ((const struct kerberos_credential *)credential)->full_name;
    return SEC_E_OK;
}
