#include "kerberos/credential.h"

#include "base/memory.h"
#include "base/time.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "core/status.h"
#include "crypto/random.h"
#include "kerberos/keys.h"
#include <stdio.h>
#include <string.h>

/* "user" and "domain" of an identity as a principal: user@DOMAIN, user@realm as it stands, or user in the default realm. */
static char *client_name(const struct identity *identity)
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

static SECURITY_STATUS password_fill(struct kerberos_credential *credential, const struct identity *identity)
{
    AUTO_FREE char *text = NULL;
    require(!identity->password_is_hash,
            cause_set(SEC_E_UNKNOWN_CREDENTIALS, "Kerberos needs the password, not its NT hash"));
    require(
        utf16le_to_text(secret_slice(&identity->password), &text) == WIRE_OK,
        cause_set(SEC_E_UNKNOWN_CREDENTIALS, "the password is not valid UTF-16, and Kerberos keys are made of text"));
    bool set = secret_set(&credential->password, text, strlen(text) + 1);
    secret_wipe(text, strlen(text));
    return set ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* A cache that no environment variable names and nobody else opens. */
static SECURITY_STATUS private_cache_name(struct kerberos_credential *credential)
{
    uint8_t random[12];
    char name[64] = "MEMORY:opensspi-";
    require(random_bytes(random, sizeof random), cause_set(SEC_E_INTERNAL_ERROR, "no randomness"));
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(name + strlen(name), sizeof name - strlen(name), "%02x", random[i]);
    credential->cache = mem_strdup(name);
    credential->private_cache = true;
    return credential->cache != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS outbound_fill(struct kerberos_credential *credential, const struct acquire_request *request)
{
    const struct identity *identity = request->identity;
    if (identity != NULL && identity->user != NULL && identity->has_password) {
        credential->client = client_name(identity);
        require(credential->client != NULL, SEC_E_INSUFFICIENT_MEMORY);
        try(password_fill(credential, identity));
        return private_cache_name(credential);
    }
    /* A principal without a password chooses among the default caches. */
    const char *wanted = identity != NULL && identity->user != NULL ? identity->user : request->principal;
    if (wanted != NULL && *wanted != '\0') {
        credential->client = identity != NULL && identity->user != NULL ? client_name(identity) : mem_strdup(wanted);
        require(credential->client != NULL, SEC_E_INSUFFICIENT_MEMORY);
    }
    return SEC_E_OK;
}

static SECURITY_STATUS inbound_fill(struct kerberos_credential *credential, const struct acquire_request *request)
{
    /* Keys made of a password need the KDC's salt and number: a keytab has them. */
    require(
        request->use == SECPKG_CRED_BOTH || request->identity == NULL || !request->identity->has_password,
        cause_set(SEC_E_UNKNOWN_CREDENTIALS, "a Kerberos server takes its keys from a keytab, not from a password"));
    const char *keytab = request->config->kerberos_keytab;
    if (keytab != NULL)
        require((credential->keytab = mem_strdup(keytab)) != NULL, SEC_E_INSUFFICIENT_MEMORY);
    if (request->principal != NULL && *request->principal != '\0' && request->use == SECPKG_CRED_INBOUND)
        require((credential->server = mem_strdup(request->principal)) != NULL, SEC_E_INSUFFICIENT_MEMORY);
    return SEC_E_OK;
}

/* The name to show: the client's as given, or that of the default cache if it is there. */
static SECURITY_STATUS full_name_fill(struct kerberos_credential *credential)
{
    krb5_context krb;
    krb5_ccache cache = NULL;
    krb5_principal principal = NULL;
    char *name = NULL;
    if (credential->client != NULL || (credential->use & SECPKG_CRED_OUTBOUND) == 0) {
        credential->full_name = mem_strdup(credential->client != NULL ? credential->client : credential->server);
        if (credential->full_name == NULL)
            credential->full_name = mem_strdup("");
        return credential->full_name != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
    }
    try(krb_pool_take(&credential->pool, &krb));
    if (krb5_cc_default(krb, &cache) == 0 && krb5_cc_get_principal(krb, cache, &principal) == 0)
        (void)krb5_unparse_name(krb, principal, &name);
    credential->full_name = mem_strdup(name != NULL ? name : "");
    krb5_free_unparsed_name(krb, name);
    krb5_free_principal(krb, principal);
    if (cache != NULL)
        krb5_cc_close(krb, cache);
    krb_pool_give(&credential->pool, krb);
    return credential->full_name != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

SECURITY_STATUS kerberos_acquire(const struct acquire_request *request, void **credential, int64_t *expiry)
{
    struct kerberos_credential *acquired = secret_block_alloc(sizeof *acquired);
    require(acquired != NULL, SEC_E_INSUFFICIENT_MEMORY);
    acquired->config = config_retain(request->config);
    acquired->use = request->use;
    krb_pool_init(&acquired->pool);
    pthread_mutex_init(&acquired->lock, NULL);
    SECURITY_STATUS status = SEC_E_OK;
    if ((request->use & SECPKG_CRED_OUTBOUND) != 0)
        status = outbound_fill(acquired, request);
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
    krb5_ccache cache;
    if ((released->tickets != NULL || released->private_cache) && krb_pool_take(&released->pool, &krb) == SEC_E_OK) {
        kerberos_tickets_drop(released, krb);
        if (released->private_cache && released->logged_on && krb5_cc_resolve(krb, released->cache, &cache) == 0)
            krb5_cc_destroy(krb, cache);
        krb_pool_give(&released->pool, krb);
    }
    krb_pool_release(&released->pool);
    pthread_mutex_destroy(&released->lock);
    mem_free(released->cache);
    mem_free(released->client);
    mem_free(released->full_name);
    mem_free(released->keytab);
    mem_free(released->server);
    mem_free(released->keys_name);
    kerberos_keys_put(released->keys);
    secret_release(&released->password);
    config_release(released->config);
    secret_block_free(released, sizeof *released);
}

SECURITY_STATUS kerberos_query_credential(const void *credential, uint32_t attribute, struct attribute *value)
{
    require(attribute == SECPKG_CRED_ATTR_NAMES,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "Kerberos credentials have no attribute %u", (unsigned)attribute));
    value->names.text = ((const struct kerberos_credential *)credential)->full_name;
    return SEC_E_OK;
}

/* RFC 3244, by libkrb5: a ticket for kadmin/changepw, then the change. */
static SECURITY_STATUS change_with(krb5_context krb, const char *client, char *old_password, char *new_password)
{
    krb5_principal principal = NULL;
    krb5_creds creds = {0};
    krb5_get_init_creds_opt *options = NULL;
    krb5_data text = {0}, words = {0};
    int result = 0;
    krb5_error_code code = krb5_parse_name(krb, client, &principal);
    if (code == 0)
        code = krb5_get_init_creds_opt_alloc(krb, &options);
    if (code == 0) {
        krb5_get_init_creds_opt_set_tkt_life(options, 300);
        krb5_get_init_creds_opt_set_forwardable(options, 0);
        krb5_get_init_creds_opt_set_proxiable(options, 0);
        code = krb5_get_init_creds_password(krb, &creds, principal, old_password, NULL, NULL, 0, "kadmin/changepw",
                                            options);
    }
    if (code == 0)
        code = krb5_change_password(krb, &creds, new_password, &result, &words, &text);
    SECURITY_STATUS status = krb_status(krb, code, KRB_STAGE_LOGON, "changing the password");
    if (status == SEC_E_OK && result != 0)
        status = cause_set(SEC_E_LOGON_DENIED, "the KDC refused the new password: %.*s %.*s", (int)words.length,
                           words.data, (int)text.length, text.data);
    krb5_free_data_contents(krb, &text);
    krb5_free_data_contents(krb, &words);
    krb5_free_cred_contents(krb, &creds);
    krb5_get_init_creds_opt_free(krb, options);
    krb5_free_principal(krb, principal);
    return status;
}

SECURITY_STATUS kerberos_change_password(const struct password_change *change)
{
    AUTO_FREE char *client = NULL;
    char *old_password = NULL, *new_password = NULL;
    krb5_context krb = NULL;
    const struct identity who = {.user = (char *)(uintptr_t)change->user, .domain = (char *)(uintptr_t)change->domain};
    client = client_name(&who);
    require(client != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS status = cause_set(SEC_E_INVALID_TOKEN, "a password is not valid UTF-16");
    if (utf16le_to_text(change->old_password, &old_password) == WIRE_OK &&
        utf16le_to_text(change->new_password, &new_password) == WIRE_OK) {
        cause_clear();
        status = krb5_init_context(&krb) == 0
                     ? change_with(krb, client, old_password, new_password)
                     : cause_set(SEC_E_INTERNAL_ERROR, "the Kerberos library cannot start; is krb5.conf right?");
    }
    if (krb != NULL)
        krb5_free_context(krb);
    secret_free_text(old_password);
    secret_free_text(new_password);
    return status;
}
