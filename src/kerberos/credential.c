#include "kerberos/credential.h"

#include "base/memory.h"
#include "base/time.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "kerberos/keys.h"
#include "kerberos/settings.h"
#include "kerberos/task.h"
#include <sspi_ext.h>
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

/* A server that asks KDCs itself (user-to-user, S4U) is who its keytab says, and without one whoever the cache says, as a user is who serves other
 * users; one that is a client as well is first whoever the cache says. */
static SECURITY_STATUS server_source_fill(struct kerberos_source *source, const struct acquire_request *request)
{
    const char *keytab = request->config->kerberos_keytab;
    source->logon = LOGON_KEYTAB;
    source->cache_first = (request->use & SECPKG_CRED_OUTBOUND) != 0;
    source->cache_last = !source->cache_first;
    if (keytab != NULL)
        require((source->keytab = mem_strdup(keytab)) != NULL, SEC_E_INSUFFICIENT_MEMORY);
    return SEC_E_OK;
}

/* A logon session's tickets; or its password, where its KDC has given none: handshakes ask again, and are told why there are none. */
static SECURITY_STATUS session_source_fill(struct kerberos_source *source, const struct acquire_request *request)
{
    source->lease = lease_retain(request->session_lease);
    if (request->session_cache != NULL) {
        source->lent = true;
        source->cache = mem_strdup(request->session_cache);
        return source->cache != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
    }
    mem_free(source->client);
    source->client = kerberos_client_name(request->session_identity);
    require(source->client != NULL, SEC_E_INSUFFICIENT_MEMORY);
    source->logon = LOGON_PASSWORD;
    source->refusal = mem_strdup(request->session_refusal != NULL ? request->session_refusal : "");
    require(source->refusal != NULL, SEC_E_INSUFFICIENT_MEMORY);
    source->refusals.until = request->session_refused_until;
    return password_fill(source, request->session_identity);
}

static SECURITY_STATUS source_fill(struct kerberos_source *source, const struct acquire_request *request)
{
    const struct identity *identity = request->identity;
    const char *client_keytab = request->config->kerberos_client_keytab;
    source->forwardable = request->config->kerberos_delegate != DELEGATE_NEVER;
    if (identity_has_name(identity))
        require((source->client = kerberos_client_name(identity)) != NULL, SEC_E_INSUFFICIENT_MEMORY);
    /* A principal without a password chooses among the default caches; a server's among the keys of its keytab. */
    else if (request->principal != NULL && *request->principal != '\0')
        require((source->client = mem_strdup(request->principal)) != NULL, SEC_E_INSUFFICIENT_MEMORY);
    source->explicit_logon = true;
    switch (identity_kind(identity)) {
    case IDENTITY_PROVED:
        return kerberos_source_prove(source, identity);
    case IDENTITY_LOGIN:
    case IDENTITY_NOBODY: /* unless the principal says whose password it is */
        if (source->client != NULL && identity->has_password) {
            source->logon = LOGON_PASSWORD;
            source->lease = lease_retain(request->session_lease); /* the session's own, which fills its cache */
            return password_fill(source, identity);
        }
        if ((request->use & SECPKG_CRED_OUTBOUND) == 0)
            break;
        source->logon = LOGON_SEALED; /* there is nothing to log on with, and the process's own tickets are not meant */
        return SEC_E_OK;
    case IDENTITY_NAME:
    case IDENTITY_DEFAULT:
        break;
    }
    if (identity_kind(identity) == IDENTITY_DEFAULT && (request->session_cache != NULL || request->session_has_realm))
        return session_source_fill(source, request);
    source->explicit_logon = false;
    if ((request->use & SECPKG_CRED_INBOUND) != 0)
        return server_source_fill(source, request);
    if (client_keytab != NULL) {
        source->logon = LOGON_KEYTAB;
        source->cache_first = true;
        require((source->keytab = mem_strdup(client_keytab)) != NULL, SEC_E_INSUFFICIENT_MEMORY);
    }
    return SEC_E_OK;
}

SECURITY_STATUS kerberos_server_keytab(const struct kerberos_source *source, char **keytab)
{
    bool given = source->explicit_logon && source->logon == LOGON_KEYTAB;
    *keytab = given ? mem_strdup(source->keytab) : NULL;
    return !given || source->keytab == NULL || *keytab != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS inbound_fill(struct kerberos_credential *credential, const struct acquire_request *request)
{
    try(kerberos_server_keytab(credential->source, &credential->keytab));
    if (request->principal != NULL && *request->principal != '\0' && request->use == SECPKG_CRED_INBOUND)
        require((credential->server = mem_strdup(request->principal)) != NULL, SEC_E_INSUFFICIENT_MEMORY);
    return SEC_E_OK;
}

SECURITY_STATUS kerberos_text_keep(struct kerberos_credential *credential, const char *text, const char **kept)
{
    struct kerberos_text *found;
    kerberos_lanes_lock(credential->lanes);
    for (found = credential->texts; found != NULL && strcmp(found->text, text) != 0; found = found->next)
        ;
    if (found == NULL) {
        found = mem_zalloc(sizeof *found + strlen(text) + 1);
        if (found != NULL) {
            memcpy(found->text, text, strlen(text));
            found->next = credential->texts;
            credential->texts = found;
        }
    }
    kerberos_lanes_unlock(credential->lanes);
    require(found != NULL, SEC_E_INSUFFICIENT_MEMORY);
    *kept = found->text;
    return SEC_E_OK;
}

static SECURITY_STATUS name_set(struct kerberos_credential *credential, const char *name)
{
    const char *kept;
    try(kerberos_text_keep(credential, name != NULL ? name : "", &kept));
    kerberos_lanes_lock(credential->lanes);
    credential->full_name = kept;
    kerberos_lanes_unlock(credential->lanes);
    return SEC_E_OK;
}

SECURITY_STATUS kerberos_name_refresh(struct kerberos_credential *credential, krb5_context krb)
{
    krb5_ccache cache = NULL;
    krb5_principal principal = NULL;
    char *name = NULL;
    SECURITY_STATUS status;
    struct kerberos_source *source = kerberos_credential_source(credential);
    if (source->client != NULL && source->cache == NULL)
        status = name_set(credential, source->client);
    else if ((credential->use & SECPKG_CRED_OUTBOUND) == 0)
        status = name_set(credential, credential->server);
    else {
        (void)krb5_cc_set_default_name(krb, NULL); /* KRB5CCNAME as it is now */
        if (!kerberos_source_private(source) && kerberos_source_cache(source, krb, &cache) == 0 &&
            krb5_cc_get_principal(krb, cache, &principal) == 0)
            (void)krb5_unparse_name(krb, principal, &name);
        status = name_set(credential, name);
        krb5_free_unparsed_name(krb, name);
        krb5_free_principal(krb, principal);
        if (cache != NULL)
            krb5_cc_close(krb, cache);
    }
    kerberos_source_put(source);
    return status;
}

static SECURITY_STATUS full_name_fill(struct kerberos_credential *credential)
{
    krb5_context krb;
    try(krb_pool_take(&credential->pool, &krb));
    SECURITY_STATUS status = kerberos_name_refresh(credential, krb);
    krb_pool_give(&credential->pool, krb);
    return status;
}

struct kerberos_credential *kerberos_credential_new(const struct acquire_request *request,
                                                    struct kerberos_source *source)
{
    struct kerberos_credential *credential = source != NULL ? secret_block_alloc(sizeof *credential) : NULL;
    struct kerberos_lane *lanes = credential != NULL ? kerberos_lanes_new() : NULL;
    if (lanes == NULL) {
        secret_block_free(credential, sizeof *credential);
        kerberos_source_put(source);
        return NULL;
    }
    credential->config = config_retain(request->config);
    credential->use = request->use;
    credential->source = source;
    krb_pool_init(&credential->pool);
    credential->lanes = lanes;
    return credential;
}

/* When the tickets of the cache end, if it has living ones. A logon that is still to come can be done again: never. */
static int64_t expiry_of(struct kerberos_credential *credential)
{
    krb5_context krb;
    krb5_ccache cache = NULL;
    krb5_creds tgt = {0};
    int64_t expiry = FILETIME_NEVER;
    const struct kerberos_source *source = credential->source;
    if ((credential->use & SECPKG_CRED_OUTBOUND) == 0 || source->logon != LOGON_NONE ||
        krb_pool_take(&credential->pool, &krb) != SEC_E_OK)
        return expiry;
    if (kerberos_source_cache(source, krb, &cache) == 0 && kerberos_tgt_of_cache(krb, cache, &tgt) == 0) {
        int64_t end = krb_filetime(tgt.times.endtime);
        expiry = end > filetime_now() ? end : FILETIME_NEVER;
        krb5_free_cred_contents(krb, &tgt);
    }
    if (cache != NULL)
        krb5_cc_close(krb, cache);
    krb_pool_give(&credential->pool, krb);
    return expiry;
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
    *expiry = expiry_of(acquired);
    return SEC_E_OK;
}

void kerberos_tickets_drop(struct kerberos_credential *credential, krb5_context krb)
{
    while (credential->tickets != NULL) {
        struct kerberos_ticket *ticket = credential->tickets;
        credential->tickets = ticket->next;
        ticket->remembered = false;
        kerberos_ticket_put(krb, ticket);
    }
    credential->n_tickets = 0;
    kerberos_kits_purge(credential);
}

void kerberos_release(void *credential)
{
    struct kerberos_credential *released = credential;
    krb5_context krb;
    krb5_ccache cache;
    kerberos_kits_end(released);
    if ((released->tickets != NULL || released->tgt != NULL || released->evidence != NULL ||
         released->exported != NULL) &&
        krb_pool_take(&released->pool, &krb) == SEC_E_OK) {
        kerberos_tickets_drop(released, krb);
        krb5_free_creds(krb, released->tgt);
        krb5_free_creds(krb, released->evidence);
        if (released->exported != NULL && krb5_cc_resolve(krb, released->exported, &cache) == 0)
            krb5_cc_destroy(krb, cache);
        krb_pool_give(&released->pool, krb);
    }
    krb_pool_release(&released->pool);
    kerberos_lanes_free(released->lanes);
    kerberos_source_put(released->source);
    kerberos_source_put(released->acquired);
    while (released->texts != NULL) {
        struct kerberos_text *text = released->texts;
        released->texts = text->next;
        mem_free(text);
    }
    mem_free(released->exported);
    mem_free(released->keytab);
    mem_free(released->server);
    mem_free(released->keys_name);
    kerberos_keys_put(released->keys);
    kerberos_keys_put(released->renewed);
    config_release(released->config);
    secret_block_free(released, sizeof *released);
}

struct kerberos_source *kerberos_credential_source(struct kerberos_credential *credential)
{
    struct kerberos_lane *lane = kerberos_lane_enter(credential->lanes);
    struct kerberos_source *source = kerberos_source_retain(credential->source);
    kerberos_lane_leave(lane);
    return source;
}

SECURITY_STATUS kerberos_query_credential(const void *credential, uint32_t attribute, struct attribute *value)
{
    struct kerberos_credential *asked = (struct kerberos_credential *)(uintptr_t)credential; /* it locks itself */
    if (attribute == OPENSSPI_CRED_ATTR_CCACHE)
        return kerberos_cache_name(asked, &value->names.text);
    require(attribute == SECPKG_CRED_ATTR_NAMES,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "Kerberos credentials have no attribute %u", (unsigned)attribute));
    struct kerberos_lane *lane = kerberos_lane_enter(asked->lanes);
    value->names.text = asked->full_name;
    kerberos_lane_leave(lane);
    return SEC_E_OK;
}
